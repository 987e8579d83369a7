/* Which entries of a profile decide which calls.
 *
 * A profile is a list of entries that several may name one call. The runtimes hand them to
 * libseccomp one by one, and what comes out is what a profile means in practice:
 *  - an entry whose action is the default action is skipped;
 *  - the first entry that names a call without conditions decides it alone, wherever conditional
 * entries for the call stand: these are forgotten;
 *  - else the conditional entries are alternatives. Where two of different actions both match,
 * libseccomp promises nothing; here the first one decides, and a warning says so.
 */
#ifndef LANG_IMPORT_OCI_RULES_H
#define LANG_IMPORT_OCI_RULES_H

#include "lang/import/oci_target.h"

/* A call that conditions decide: entries in the order of the profile, none unconditional, no two
 * alike. */
struct oci_chain {
    const char *call;
    const struct oci_entry **entries;
    size_t count;
};

/* What is to be printed where the entry stands. */
struct oci_statement {
    const struct oci_entry *entry;
    VECTOR(const struct import_text *) calls; /* that it decides alone, in its order */
    VECTOR(struct oci_chain) chains;          /* that it is the first of */
};

/* Conditional entries that one call may have: a program has 4096 instructions at most. */
#define OCI_CHAIN_MOST 4096

/* One statement per applying entry, in order; some are empty. Reports names that exist nowhere, and
 * entries that lose against others. */
MUST_USE result oci_rules(struct arena *arena, const struct oci_profile *profile,
                          const struct oci_target *target, struct diagnostics *diagnostics,
                          struct oci_statement **statements, size_t *count);

#endif
