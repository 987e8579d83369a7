/* An entry's comparisons as a condition of the policy language, for one call on one ABI.
 *
 * The format compares 64-bit registers, unsigned. What is printed compares the bits that the kernel
 * reads, unsigned: an `int` under an order comparison is masked with all its bits, which makes it
 * unsigned in the language. A value wider than the argument is cut when it is the argument's value
 * sign-extended, as a caller may pass it; else no argument equals it.
 */
#ifndef LANG_IMPORT_OCI_CONDITION_H
#define LANG_IMPORT_OCI_CONDITION_H

#include "lang/import/oci_profile.h"

enum oci_outcome { OCI_NEVER, OCI_ALWAYS, OCI_SOMETIMES };

struct oci_condition {
    enum oci_outcome outcome;
    const char *text; /* of SOMETIMES: an `&&` of comparisons, or one */
    bool conjunction; /* it has an `&&` */
    /* Of SOMETIMES: "arg0" when it is `arg0 == value`, so that several become an `in`; else NULL.
     */
    const char *equal_operand;
    const char *equal_value;
};

/* A call on one ABI. */
struct oci_view {
    enum abi_id abi;
    const struct syscall_entry *call;
};

/* Remarks on comparisons that are always or never true, on pointers and on arguments that the call
 * does not have: warnings, where `first` is NULL. Else only what differs from the view `first` is
 * remarked, in notes. */
struct oci_condition oci_condition(struct arena *arena, const struct oci_entry *entry,
                                   const struct oci_view *view, const struct oci_view *first,
                                   struct diagnostics *diagnostics);

#endif
