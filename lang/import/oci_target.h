/* For which machine, kernel and container a profile is read: which of its entries apply, and to
 * which ABIs. */
#ifndef LANG_IMPORT_OCI_TARGET_H
#define LANG_IMPORT_OCI_TARGET_H

#include "lang/import/oci_profile.h"

struct oci_target {
    enum abi_id arch;            /* the container's */
    enum abi_id abis[ABI_COUNT]; /* those that the filter serves, the container's first */
    size_t abi_count;
    unsigned kernel_major, kernel_minor; /* 0.0: newest */
    const char *const *capabilities;     /* with or without CAP_, in any case; ALL means all */
    size_t capability_count;
};

/* The ABIs: archMap's entry for `arch` with its subArchitectures, or `architectures`, or `arch`
 * alone. One endianness, else an error. */
MUST_USE result oci_target_abis(const struct oci_profile *profile, struct diagnostics *diagnostics,
                                struct oci_target *target);
/* Whether includes and excludes let the entry in. */
bool oci_entry_applies(const struct oci_target *target, const struct oci_entry *entry);
/* Warnings for capabilities that are said to be held and that nobody knows. */
void oci_held_remarks(const struct oci_target *target, struct diagnostics *diagnostics);
/* Notes for architectures and capabilities that nobody knows: such a condition never holds. */
void oci_filter_remarks(const struct oci_filter *filter, struct diagnostics *diagnostics);

#endif
