/* smt: terms over bit-vectors and Booleans, and questions about them. The one room that knows Z3.
 *
 * Terms are ours: hash-consed, simplified as they are built (constants folded, trivial identities),
 * evaluated without a solver, printed as SMT-LIB 2.6. Only a question that folding does not settle
 * goes to Z3.
 */
#ifndef SMT_SMT_H
#define SMT_SMT_H

#include "base/base.h"

/* ---- terms (term.c) ------------------------------------------------------------------------- */

enum term_kind {
    TERM_CONSTANT, /* bits 1 (Boolean), 8, 16, 32 or 64 */
    TERM_VARIABLE,
    /* Boolean */
    TERM_NOT,
    TERM_AND,
    TERM_OR,
    TERM_EQUAL,
    TERM_UNSIGNED_LESS,
    TERM_UNSIGNED_LESS_EQUAL,
    TERM_SIGNED_LESS,
    TERM_SIGNED_LESS_EQUAL,
    /* bit-vector */
    TERM_IF, /* condition, then, else: any sort */
    TERM_BIT_NOT,
    TERM_NEGATE,
    TERM_ADD,
    TERM_SUB,
    TERM_MUL,
    TERM_UNSIGNED_DIV, /* division by 0: all ones, as in SMT-LIB */
    TERM_BIT_AND,
    TERM_BIT_OR,
    TERM_BIT_XOR,
    TERM_SHIFT_LEFT,
    TERM_SHIFT_RIGHT, /* by 32 or more: the unknown function below, see term_shift */
    TERM_CONCAT,      /* high, low: 64 bits from two of 32 */
    TERM_EXTRACT,     /* low bit `value`, width `bits` */
    TERM_APPLY,       /* an uninterpreted function of two 32-bit words: number `value` */
    TERM_KIND_COUNT
};

/* Unique per table: equal terms are the same pointer. */
struct term {
    enum term_kind kind;
    uint8_t bits;   /* 1 = Boolean, else the width */
    uint32_t id;    /* grows with creation: children have smaller ids */
    uint64_t value; /* constant; variable's number; extract's low bit; apply's function */
    const struct term *children[3];
    uint8_t child_count;
    bool has_apply; /* an uninterpreted function occurs in it */
    uint32_t uses;  /* variables that occur in it: bit n for number n, bit 31 for all from 31 up */
    const char *name; /* variable's */
};

struct terms; /* a hash-consing table in an arena */

struct terms *terms_new(struct arena *arena);
size_t terms_count(const struct terms *terms);

const struct term *term_constant(struct terms *terms, unsigned bits, uint64_t value);
const struct term *term_bool(struct terms *terms, bool value);
/* `number` is the caller's, below VARIABLE_OWN_FIRST; the same number and width give the same
 * variable. `name` is for SMT-LIB. */
#define VARIABLE_OWN_FIRST UINT32_C(0x10000) /* from here on the numbers are smt/'s own */
const struct term *term_variable(struct terms *terms, unsigned bits, uint32_t number,
                                 const char *name);
const struct term *term_not(struct terms *terms, const struct term *a);
/* Any other operator by its kind; sorts must fit (checked; a misuse is a bug of ours and aborts).
 */
const struct term *term_unary(struct terms *terms, enum term_kind kind, const struct term *a);
const struct term *term_binary(struct terms *terms, enum term_kind kind, const struct term *a,
                               const struct term *b);
const struct term *term_if(struct terms *terms, const struct term *condition,
                           const struct term *yes, const struct term *no);
const struct term *term_extract(struct terms *terms, const struct term *a, unsigned low,
                                unsigned bits);
/* What cBPF's LSH X and RSH X do: a shift while the count is below 32, else one uninterpreted
 * function of both operands, the same on every side. */
const struct term *term_shift(struct terms *terms, bool left, const struct term *a,
                              const struct term *b);

/* The unknown function itself, by the `value` of a TERM_APPLY: for rebuilding terms. */
const struct term *term_apply(struct terms *terms, unsigned function, const struct term *a,
                              const struct term *b);

static inline bool term_is_constant(const struct term *term)
{
    return term->kind == TERM_CONSTANT;
}
static inline bool term_is_true(const struct term *term)
{
    return term->kind == TERM_CONSTANT && term->bits == 1 && term->value;
}
static inline bool term_is_false(const struct term *term)
{
    return term->kind == TERM_CONSTANT && term->bits == 1 && !term->value;
}

/* The value under an assignment: `values[number]` for the variable of that number; variables past
 * `count` are 0. Shifts by 32 or more are what x86 does (count & 31). */
uint64_t term_evaluate(struct arena *arena, const struct term *term, const uint64_t *values,
                       size_t count);
/* Whether an uninterpreted function occurs in it: then a model must be replayed with care. */
bool term_has_apply(const struct term *term);
/* SMT-LIB 2.6: a script that asserts `question` and checks it, opened by (reset) so that scripts
 * may follow one another in a file; `comment` goes on top. */
void term_print_smt2(struct buffer *out, struct arena *arena, const struct term *question,
                     const char *comment, bool expect_unsat);

/* ---- questions (solver.c) ------------------------------------------------------------------- */

enum answer { ANSWER_UNSAT, ANSWER_SAT, ANSWER_UNKNOWN };

struct limits {
    struct deadline deadline;
    uint64_t rlimit;    /* Z3's deterministic resource count per question, 0 = none */
    unsigned memory_mb; /* 0 = Z3's own */
};

struct solver; /* opens Z3 at the first question that needs it */

struct solver *solver_new(struct terms *terms, struct limits limits);
void solver_free(struct solver *solver);

/* Is there an assignment that makes the Boolean `question` true? On SAT, `values` (of `count`,
 * indexed by variable number) holds one; the model has been evaluated with term_evaluate and holds
 * there, or the answer is UNKNOWN. `reason` (may be NULL) says why UNKNOWN. */
enum answer solver_ask(struct solver *solver, const struct term *question, uint64_t *values,
                       size_t count, const char **reason);
struct solver_statistics {
    uint64_t questions; /* asked */
    uint64_t folded;    /* settled without Z3 */
    uint64_t z3_ns;     /* time in Z3 */
};
struct solver_statistics solver_statistics(const struct solver *solver);
const char *solver_version(void); /* "Z3 4.8.12.0" */

#endif
