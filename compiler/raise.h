/* raise: the decision DAG back to the policy language. What it says is never trusted: whoever uses
 * it has the text read again and proved.
 */
#ifndef COMPILER_RAISE_H
#define COMPILER_RAISE_H

#include "compiler/compiler.h"

/* ---- one condition (raise_condition.c) ------------------------------------------------------ */

/* The words of a condition's DAG. An input that gets RAISE_ANY may be on either side. */
#define RAISE_NO 0u
#define RAISE_YES 1u
#define RAISE_ANY 2u

/* Exactly one of the four says what became of it. */
struct raised {
    const char *condition; /* its text, on one line */
    bool always, never;    /* it does not depend on the arguments */
    const char *reason;    /* why the policy language cannot say it without the raw layer */
};

/* Under which condition the call `nr` of `abi` gets RAISE_YES: arguments by name where a named
 * comparison means just what the DAG tests, else u64(), lo32() and hi32(); constants by the names
 * that the argument takes (abi_argument_constants). `root` may test arguments only: a test of nr,
 * arch or ip, and arithmetic, are reasons, and so is what needs too many cases. `registers` has
 * u64(), lo32() and hi32() only. */
struct raised raise_condition(struct arena *arena, const struct dag_node *root, enum abi_id abi,
                              uint32_t nr, bool registers);

/* ---- a whole policy (raise_policy.c) -----------------------------------------------------------
 */

/* How far down the language is used; each says all that the one before can. */
enum raise_way {
    RAISE_NAMED,     /* arguments by name and type where that means the same */
    RAISE_REGISTERS, /* u64(), lo32(), hi32() */
    RAISE_RAW,       /* rules of the raw layer for each number */
    RAISE_WHOLE,     /* the program's tests as they stand, numbers among them; for all calls only */
};

/* Why a rule is raw (raise_reason.c). */
enum raw_reason {
    RAW_POINTER,
    RAW_COMPUTES,
    RAW_RETURNS,
    RAW_NO_ACTION, /* behind the word */
    RAW_OTHER_TOKENS,
    RAW_NUMBER_BITS,
    RAW_TOKEN,
    RAW_UNPROVED,
    RAW_REASON_COUNT
};
const char *raw_reason_text(enum raw_reason reason);

/* One call that is to be said in another way than the rest. */
struct raise_exception {
    uint32_t arch, nr;
    enum raise_way way;
};

struct raise_options {
    const char *name; /* of the policy */
    abi_set declared; /* whose names are used; others are added where they need rules */
    enum raise_way way;
    struct deadline deadline;
    const struct raise_exception *exceptions;
    size_t exception_count;
};

struct raised_policy {
    const char *text; /* canonical */
    uint32_t lines;   /* that are neither empty nor comments */
    size_t raw_rules;
    const char *const *raw_reasons; /* different ones */
    size_t reason_count;
};

/* A policy that means what the DAG does. ERROR_LIMIT when it would be too long or cannot be said:
 * reported. */
MUST_USE result raise_policy(struct arena *arena, const struct dag *dag,
                             const struct dag_node *root, const struct raise_options *options,
                             struct diagnostics *diagnostics, struct raised_policy *raised);

#endif
