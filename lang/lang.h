/* lang: the policy language (docs/LANGUAGE.md). Text to syntax tree (lexer.l, grammar.y, tree.h), the tree printed
 * back (printer.c), names and types resolved (resolve*.c) to a policy, and the policy's executable meaning
 * (evaluate.c). import/ reads other people's policy formats into policy text.
 */
#ifndef LANG_LANG_H
#define LANG_LANG_H

#include "abi/abi.h"

/* ---- conditions of a resolved policy -------------------------------------------------------------------- */

/* A 32-bit word, computed: the raw layer's arithmetic, modulo 2^32. Depth at most EXPRESSION_DEPTH_MOST. */
enum word_operator {
    WORD_CONSTANT,
    WORD_FIELD,
    WORD_NEGATE,
    WORD_ADD,
    WORD_SUB,
    WORD_MUL,
    WORD_DIV, /* x / 0 = 0 */
    WORD_AND,
    WORD_OR,
    WORD_XOR,
    WORD_SHIFT_LEFT,  /* by 32 or more: what the machine does, unknown (see term_shift) */
    WORD_SHIFT_RIGHT,
};

struct word {
    enum word_operator operator;
    uint32_t constant;
    enum field field;
    const struct word *left, *right; /* negate: left only */
};

/* Closed interval of unsigned values. */
struct interval {
    uint64_t first, last;
};

/* What a comparison looks at: `bits` bits of one register, from bit `shift` up, and a mask. As an
 * unsigned number: ((register >> shift) & ones(bits)) & mask. */
enum subject { SUBJECT_NR, SUBJECT_ARCH, SUBJECT_IP, SUBJECT_ARG0 /* .. SUBJECT_ARG0 + 5 */ };

struct operand {
    unsigned subject; /* enum subject */
    unsigned shift;   /* 0, or 32 for hi32() */
    unsigned bits;    /* 16, 32 or 64; NR and ARCH: 32 */
    uint64_t mask;    /* within `bits`; ones(bits) when there is none */
};

enum condition_kind {
    CONDITION_TRUE,
    CONDITION_FALSE,
    CONDITION_NOT,     /* left */
    CONDITION_AND,     /* left, right */
    CONDITION_OR,
    CONDITION_MEMBER,  /* operand is in one of the intervals */
    CONDITION_COMPARE, /* two words: raw arithmetic */
};

enum comparison { COMPARE_EQUAL, COMPARE_NOT_EQUAL, COMPARE_LESS, COMPARE_LESS_EQUAL,
                  COMPARE_GREATER, COMPARE_GREATER_EQUAL }; /* unsigned */

/* Every comparison of an argument with constants, signed or not, is a MEMBER: signedness and the
 * constant's width are already in the intervals. */
struct condition {
    enum condition_kind kind;
    const struct condition *left, *right;
    struct operand operand;           /* MEMBER */
    const struct interval *intervals; /* MEMBER: sorted, disjoint, not adjacent; may be none (false) */
    size_t interval_count;
    enum comparison comparison;       /* COMPARE */
    const struct word *a, *b;         /* COMPARE */
    struct span span;
};

/* Nesting that a policy may have, of conditions and of words: a diagnostic past it. */
#define EXPRESSION_DEPTH_MOST 200

/* ---- the resolved policy ------------------------------------------------------------------------------------ */

/* One rule's share in one ABI: numbers first..last (as in seccomp_data.nr, and all of them the ABI's: cut to what
 * policy_place gives it) with one condition. */
struct clause {
    uint32_t rule;  /* index into policy.rules; clauses are in rising order of it */
    uint32_t first, last;
    const struct condition *when; /* never NULL */
    uint32_t word;  /* what it returns */
};

/* What one declared ABI gets. */
struct abi_view {
    enum abi_id abi;
    const struct clause *clauses;
    size_t clause_count;
    uint32_t default_word; /* known calls that no clause matches */
    uint32_t unknown_word; /* numbers that the ABI's table does not have */
};

/* A rule of the raw layer: over every input, whatever its arch, in its place in the order. */
struct raw_rule {
    uint32_t rule;
    const struct condition *when;
    const struct word *value; /* what it returns; a constant unless it was ret(EXPRESSION) */
};

struct rule_info {
    struct span span;
    const char *text;  /* as printed, one line */
};

/* `prove` statements. */
enum goal_kind { GOAL_NEVER, GOAL_ALWAYS, GOAL_AT_MOST };

struct goal_action {
    bool permit;    /* any of allow, log, trace, notify */
    enum action action;
    bool has_data;
    uint16_t data;
};

struct goal_pattern { /* one ABI's reading of the pattern */
    enum abi_id abi;
    uint32_t first, last;
    const struct condition *when;
    struct goal_action action; /* the data of an errno name is the ABI's */
    /* The condition cannot be stated on this ABI, which nobody asked for by name (i386's mmap takes a
     * struct): every call is meant. Proved so, it holds; refuted so, nothing is known. */
    bool widened;
};

struct goal {
    enum goal_kind kind;
    const struct goal_pattern *patterns; /* never: over all known ABIs of this endianness; always: the declared */
    size_t pattern_count;
    const char *filter_path; /* at_most: resolved relative to the policy's file */
    struct span span;
    const char *text;
};

struct policy {
    const char *name;
    abi_set abis;      /* declared; all of one endianness */
    bool big_endian;
    struct abi_view *views; /* one per declared ABI, in the order of enum abi_id */
    size_t view_count;
    const struct raw_rule *raw_rules;
    size_t raw_rule_count;
    const struct rule_info *rules;
    size_t rule_count;
    uint32_t foreign_word;
    const struct goal *goals;
    size_t goal_count;
    struct span foreign_span, header_span;
};

/* Where an input falls, before any rule: the ABI whose view decides, or foreign. The rules of language.md's
 * "ABIs" for x32, -1 and the numbers above. */
struct place {
    enum abi_id abi; /* ABI_NONE: foreign */
    bool known;      /* the ABI's table has the number */
};

struct place policy_place(const struct policy *policy, uint32_t arch, uint32_t nr);
const struct abi_view *policy_view(const struct policy *policy, enum abi_id abi); /* NULL: not declared */

/* The runs of numbers that policy_place treats alike under one arch token, without regard to rules:
 * sorted, covering 0..2^32-1. The prover and the compiler both start from these. */
struct nr_run {
    uint32_t first, last;
    struct place place;
};
void policy_runs(struct arena *arena, const struct policy *policy, uint32_t arch, struct nr_run **runs,
                 size_t *count);

/* ---- meaning (evaluate.c) -------------------------------------------------------------------------------------- */

#define DECIDED_BY_DEFAULT 0xffffffffu
#define DECIDED_BY_UNKNOWN 0xfffffffeu
#define DECIDED_BY_FOREIGN 0xfffffffdu

struct decision {
    uint32_t word; /* the return value */
    uint32_t rule; /* index into policy.rules, or DECIDED_BY_... */
    bool implementation_defined; /* a shift by 32 or more was evaluated: x86's result was taken */
};

/* The meaning of a policy: first matching rule decides. */
struct decision policy_eval(const struct policy *policy, const struct input *input);
bool condition_holds(const struct condition *condition, const struct input *input, bool *implementation_defined);
uint32_t word_value(const struct word *word, const struct input *input, bool *implementation_defined);
uint64_t operand_value(const struct operand *operand, const struct input *input);
/* Structural equality of meaning-bearing parts (not spans): for the printer's test. */
bool policy_equal(const struct policy *a, const struct policy *b);

/* ---- text to policy and back --------------------------------------------------------------------------------------- */

struct tree; /* the syntax tree of one file with its includes: lang/tree.h */

/* Parses a file and what it includes (relative to its path; "<stdin>" to the working directory). Syntax errors are
 * all reported; a tree may be given even when it failed. */
MUST_USE result policy_parse(struct arena *arena, const struct source *source, struct diagnostics *diagnostics,
                             struct tree **tree);
/* Names and types. `narrow` (0 = all) keeps only these of the declared ABIs. */
MUST_USE result policy_resolve(struct arena *arena, const struct tree *tree, abi_set narrow,
                               struct diagnostics *diagnostics, struct policy **policy);
/* Both. */
MUST_USE result policy_read(struct arena *arena, const struct source *source, abi_set narrow,
                            struct diagnostics *diagnostics, struct policy **policy);
/* A file of `prove` statements without a policy, for the declared ABIs of a blob. */
MUST_USE result assertions_read(struct arena *arena, const struct source *source, abi_set declared,
                                bool big_endian, struct diagnostics *diagnostics, const struct goal **goals,
                                size_t *count);
/* The top-level file's statements in canonical form; comments are kept in their places. */
void policy_print(struct buffer *out, const struct tree *tree);
/* The resolved policy as text, for --dump=policy. */
void policy_dump(struct buffer *out, const struct policy *policy);
/* A condition in the policy language: for explanations. `abi` and `nr` give names to arguments. */
void condition_print(struct buffer *out, const struct condition *condition, enum abi_id abi, uint32_t nr);

/* ---- import (import/) ------------------------------------------------------------------------------------------------ */

struct import_options {
    const char *const *capabilities; /* "CAP_SYS_ADMIN"; those that the container holds */
    size_t capability_count;
    unsigned kernel_major, kernel_minor; /* 0.0 = newest */
    enum abi_id arch;       /* the container's, ABI_NONE = native */
    const char *thread;     /* whose filter, of a profile that has several; NULL: it has one */
};

/* An OCI / Docker seccomp profile (runtime-spec config-linux.md, moby's profile format) to policy text. */
MUST_USE result import_oci(struct arena *arena, const struct source *source, const struct import_options *options,
                           struct diagnostics *diagnostics, struct buffer *policy_text);
/* A profile of Firecracker and of the seccompiler crate (its docs/json_format.md) to policy text. It is for one
 * machine; `capabilities` and the kernel mean nothing to it. */
MUST_USE result import_firecracker(struct arena *arena, const struct source *source,
                                   const struct import_options *options, struct diagnostics *diagnostics,
                                   struct buffer *policy_text);

#endif
