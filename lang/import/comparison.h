/* Comparisons of arguments, as foreign formats have them, and as conditions of the policy language.
 *
 * The formats compare whole registers, or their low halves, unsigned. What is printed compares the
 * bits that the kernel reads of these, unsigned: an `int` under an order comparison is masked with
 * all its bits, which makes it unsigned in the language. A value wider than the argument is cut
 * when it is the argument's value sign-extended, as a caller may pass it; else no argument equals
 * it.
 */
#ifndef LANG_IMPORT_COMPARISON_H
#define LANG_IMPORT_COMPARISON_H

#include "lang/import/fields.h"

enum import_operator {
    IMPORT_NE,
    IMPORT_LT,
    IMPORT_LE,
    IMPORT_EQ,
    IMPORT_GE,
    IMPORT_GT,
    IMPORT_MASKED_EQ
};

/* One comparison, unsigned: `argument OP value`, or `(argument & value) == value_two`. */
struct import_comparison {
    unsigned index; /* 0..5 */
    unsigned bits;  /* 64: of the register; 32: of its low half, and then the values fit 32 bits */
    enum import_operator operator;
    uint64_t value, value_two;
    struct span span; /* where it stands: of the object, or of its value */
};

/* All of them must hold. */
struct import_comparisons {
    struct import_comparison *items;
    size_t count;
};

/* Conditions that one entry may have. */
#define IMPORT_COMPARISONS_MOST 256

enum import_outcome { IMPORT_NEVER, IMPORT_ALWAYS, IMPORT_SOMETIMES };

struct import_condition {
    enum import_outcome outcome;
    const char *text; /* of SOMETIMES: an `&&` of comparisons, or one */
    bool conjunction; /* it has an `&&` */
    /* Of SOMETIMES: "arg0" when it is `arg0 == value`, so that several become an `in`; else NULL.
     */
    const char *equal_operand;
    const char *equal_value;
};

/* A call on one ABI. */
struct import_view {
    enum abi_id abi;
    const struct syscall_entry *call;
};

/* Comparisons as a condition, for one call on one ABI. Remarks on those that are always or never
 * true, on pointers, on halves of what the kernel reads and on arguments that the call does not
 * have: warnings, where `first` is NULL. Else only what differs from the view `first` is remarked,
 * in notes. */
struct import_condition import_condition(struct arena *arena,
                                         const struct import_comparisons *comparisons,
                                         const struct import_view *view,
                                         const struct import_view *first,
                                         struct diagnostics *diagnostics);

/* True when no argument satisfies both (it may be false when none does, too). */
bool import_contradict(const struct import_comparison *a, const struct import_comparison *b);
/* The same of two of them. */
bool import_contradicts_itself(const struct import_comparisons *all);

#endif
