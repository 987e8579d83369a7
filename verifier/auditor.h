/* What the files audit*.c share: one audit in progress.
 *
 * The filter has been executed once, symbolically, over everything: `regions` are classes of
 * (arch, nr) with what is returned there. A question is asked of one or two such residues.
 */
#ifndef VERIFIER_AUDITOR_H
#define VERIFIER_AUDITOR_H

#include "verifier/audit.h"
#include "verifier/internal.h"

struct region {
    struct range arch, nr;
    const struct term *residue;
};

/* Sorted by arch, then nr; they cover everything. */
struct survey {
    VECTOR(struct region) regions;
};

/* What a call gets from callers who fill registers as C does. */
enum stance {
    STANCE_UNKNOWN, /* not decided */
    STANCE_PERMITS, /* whatever its arguments */
    STANCE_DENIES,  /* whatever its arguments */
    STANCE_DEPENDS
};

/* A call, or a part of one (some argument fixed). */
struct fact {
    enum abi_id abi;
    const struct syscall_entry *entry;
    const struct term *residue; /* any registers */
    const struct term *honest;  /* registers as a C caller fills them */
    bool judged;
    enum stance stance;
    bool has_permitted, has_denied;
    struct input permitted, denied; /* examples */
    uint32_t denied_word;
};

/* One program of a stack by itself. */
struct member {
    struct side side;
    struct executor *executor;
    struct survey survey;
    bool complete;     /* the survey covers everything */
    abi_set restricts; /* ABIs of which it does not simply permit everything */
};

/* Which words, left and right, are what is looked for. The marked ones are about the left word,
 * where the right one is 1. */
enum relation_kind {
    LEFT_PERMITS_ONLY, /* P(left) and not P(right) */
    WORDS_DIFFER,
    PERMITS_DIFFER,
    MORE_PERMISSIVE, /* left permits more than right, by the kernel's order, and is a permission */
    LESS_PERMISSIVE, /* right is a permission, left is none */
    MARKED_PERMITS,
    MARKED_DENIES,
    MARKED_NOT_ALLOW,
    MARKED_NOTIFY,
    MARKED_TRAP_OR_TRACE,
    MARKED_KILL_THREAD,
    MARKED_DEFECT,
    MARKED_OTHER_ERRNO, /* an errno that is not `value` */
    MARKED_EQUAL,       /* `value` */
    RELATION_COUNT
};

struct relation {
    struct property property;
    enum relation_kind kind;
    uint32_t value;
};

struct auditor {
    struct arena *arena; /* of the findings */
    struct prover *prover;
    const struct audit_request *request;
    const struct side *side;
    abi_set declared;
    struct survey survey;
    struct fact *facts[ABI_COUNT]; /* by index in the ABI's table; made when wanted */
    struct member *members;
    struct answers *answers; /* NULL until the first */
    const struct relation *relations[RELATION_COUNT];
    const struct audit_property *asking;
    const char *trouble; /* why the property that is asked stays open */
    VECTOR(struct audit_finding) findings;
};

/* ---- words (audit_words.c) --------------------------------------------------------------------
 */

bool word_permits(uint32_t word); /* P: allow or log */
const struct term *permits_term(struct prover *prover, const struct term *word);
const struct relation *relation_of(struct auditor *auditor, enum relation_kind kind);
const struct relation *relation_with(struct auditor *auditor, enum relation_kind kind,
                                     uint32_t value);

/* ---- questions (auditor.c) --------------------------------------------------------------------
 */

/* True when time is up: then the property stays open, and nothing more is to be asked. */
bool is_late(struct auditor *auditor);

enum asked { ASKED_NO, ASKED_YES, ASKED_UNKNOWN };
/* What was asked of these residues before, for any number (audit_answers.c); false: nothing. */
bool recall_answer(struct auditor *auditor, const struct obligation *o,
                   const struct relation *relation, enum asked *asked, struct input *found);
/* `example` goes with ASKED_YES, `trouble` with ASKED_UNKNOWN. */
void note_answer(struct auditor *auditor, const struct obligation *o,
                 const struct relation *relation, enum asked asked, const struct input *example,
                 const char *trouble);
/* Is there an input of these numbers on which both are in relation? UNKNOWN leaves the property
 * open. `right` NULL: the marker 1. */
enum asked audit_ask(struct auditor *auditor, struct range arch, struct range nr,
                     const struct term *left, const struct term *right,
                     const struct relation *relation, struct input *found);
/* The same about one call. */
enum asked ask_call(struct auditor *auditor, const struct fact *fact, const struct term *left,
                    const struct term *right, enum relation_kind kind, struct input *found);

bool survey_behaviour(struct auditor *auditor, const struct behaviour *behaviour,
                      struct survey *survey);
const struct region *region_at(const struct survey *survey, uint32_t arch, uint32_t nr);
const struct term *residue_at(struct auditor *auditor, const struct survey *survey, uint32_t arch,
                              uint32_t nr);
struct member *audit_members(struct auditor *auditor);

struct fact *fact_of(struct auditor *auditor, enum abi_id abi, const struct syscall_entry *entry);
struct fact *fact_named(struct auditor *auditor, enum abi_id abi, const char *name); /* or NULL */
enum stance stance_of(struct auditor *auditor, struct fact *fact);
/* The call as far as argument `argument` has this value. */
struct fact fact_with(struct auditor *auditor, const struct fact *fact, unsigned argument,
                      uint64_t value);
bool uses_argument(const struct term *residue, unsigned argument);
const struct term *honest_residue(struct auditor *auditor, enum abi_id abi,
                                  const struct syscall_entry *entry, const struct term *residue);
/* Residue with one or two words replaced (NULL: left as it is). */
const struct term *with_words(struct auditor *auditor, const struct term *residue, enum field field,
                              const struct term *word, enum field field2, const struct term *word2);

bool is_declared(const struct auditor *auditor, enum abi_id abi);
/* A number that no table has, well above the ABI's. */
uint32_t unknown_number(enum abi_id abi);
uint32_t newest_number(enum abi_id abi); /* of its table; x32's own above 511 do not count */
/* The numbers that are this ABI's under its token, calls or not. */
struct range numbers_of(enum abi_id abi);
/* What is not listed is permitted. */
bool permits_by_default(struct auditor *auditor, enum abi_id abi);
bool denies_anything(struct auditor *auditor, enum abi_id abi);
/* A stack with a program for each of several ABIs, each of which permits everything of the others:
 * what has no program was left out, not overlooked. */
bool has_program_per_abi(struct auditor *auditor);
/* Of the declared ABIs, or served by the same kernel and left out by such a stack. */
bool is_within_reach(struct auditor *auditor, enum abi_id abi);
bool is_same_kernel(enum abi_id a, enum abi_id b);
/* Denied by more than ENOSYS. */
bool is_security_denial(enum abi_id abi, uint32_t word);
/* Calls `visit` for each implemented call of each declared ABI. */
typedef void (*visit_call)(struct auditor *auditor, struct fact *fact);
void for_each_call(struct auditor *auditor, visit_call visit);
struct input plain_input(enum abi_id abi, uint32_t nr); /* all registers 0 */

/* ---- findings (auditor.c) ---------------------------------------------------------------------
 */

struct suspicion {
    const char *subject, *detail;
    struct audit_call call;
    bool no_call;            /* the finding is about the code */
    const char *says;        /* of the witness, or NULL */
    const struct side *side; /* NULL: the whole filter */
    struct input input;
    const struct input *other; /* NULL: the property is about one input */
    const char *other_says;
    const struct relation *relation; /* between both words, or marked; NULL: any word will do */
    bool preferred;                  /* a better witness than those of other calls */
};

/* Replays the witness and notes the finding; one that does not replay leaves the property open. */
void suspect(struct auditor *auditor, const struct suspicion *suspicion);
struct audit_call call_of(const struct fact *fact);
void leave_open(struct auditor *auditor, const char *why);

/* ---- the queries ------------------------------------------------------------------------------
 */

void ask_arch_unchecked(struct auditor *auditor); /* audit_numbers.c */
void ask_x32(struct auditor *auditor);
void ask_x32_loopholes(struct auditor *auditor);
void ask_names_differ(struct auditor *auditor);
void ask_fails_open(struct auditor *auditor);
void ask_newer_calls(struct auditor *auditor);
void ask_minus_one(struct auditor *auditor);
void ask_upper_half(struct auditor *auditor); /* audit_width.c */
void ask_low_half(struct auditor *auditor);
void ask_narrow(struct auditor *auditor);
void ask_dropped_bits(struct auditor *auditor);
void ask_sign(struct auditor *auditor);
void ask_pointers(struct auditor *auditor);
void ask_multiplexers(struct auditor *auditor); /* audit_families.c */
/* A multiplexer of this ABI is permitted that does what the call does. */
bool is_reached_by_multiplexer(struct auditor *auditor, enum abi_id abi, const char *name);
void ask_clone_order(struct auditor *auditor);
void ask_twins(struct auditor *auditor);
void ask_siblings(struct auditor *auditor);
void ask_io_uring(struct auditor *auditor);
void ask_ptrace(struct auditor *auditor);
void ask_personality(struct auditor *auditor);
void ask_notify(struct auditor *auditor); /* audit_actions.c */
void ask_trap_or_trace(struct auditor *auditor);
void ask_defects(struct auditor *auditor);
void ask_kill_thread(struct auditor *auditor);
void ask_dead_code(struct auditor *auditor); /* audit_code.c */
void ask_cache(struct auditor *auditor);
void ask_policy(struct auditor *auditor); /* audit_policy.c */
void ask_unsatisfiable(struct auditor *auditor);
void ask_other(struct auditor *auditor);
void ask_other_numbers(struct auditor *auditor);

#endif
