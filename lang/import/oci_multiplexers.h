/* socketcall and ipc: one number for many calls, on some 32-bit ABIs and s390. */
#ifndef LANG_IMPORT_OCI_MULTIPLEXERS_H
#define LANG_IMPORT_OCI_MULTIPLEXERS_H

#include "lang/import/oci_target.h"

/* libseccomp makes a rule for `socket` reach socketcall's way to it too. An imported policy has one
 * rule for one number, so a profile that permits such a call but does not name the multiplexer
 * means less here; a note says so. */
void oci_multiplexer_remarks(const struct oci_profile *profile, const struct oci_target *target,
                             struct diagnostics *diagnostics);

#endif
