/* An OCI / Docker seccomp profile as data: read and checked, nothing decided yet.
 *
 * The format: runtime-spec's config-linux.md ("seccomp"), and the additions of the engines' profile
 * files, which are compiled to it before a container starts: archMap, includes, excludes, comment,
 * errno, defaultErrno, and the singular `name` of old files.
 */
#ifndef LANG_IMPORT_OCI_PROFILE_H
#define LANG_IMPORT_OCI_PROFILE_H

#include "lang/import/comparison.h"

/* `includes` or `excludes`. */
struct oci_filter {
    struct import_texts capabilities, arches;
    bool has_kernel;
    unsigned kernel_major, kernel_minor;
};

/* One element of `syscalls`. */
struct oci_entry {
    struct import_texts names;
    uint32_t word; /* what its action returns */
    struct import_comparisons comparisons;
    struct oci_filter includes, excludes;
    const char *comment; /* NULL: none */
    struct span span;
    size_t position; /* in `syscalls`, from 0 */
};

struct oci_arch_map {
    struct import_text architecture;
    struct import_texts sub_architectures;
};

struct oci_profile {
    uint32_t default_word;
    struct import_texts architectures;
    struct span architectures_span;
    struct oci_arch_map *arch_map;
    size_t arch_map_count;
    struct span arch_map_span;
    struct oci_entry *entries;
    size_t entry_count;
};

/* Reads everything that it can, reporting as it goes; ERROR_INPUT when an error was reported.
 * `arch` gives symbolic errno names their value. A whole config.json is taken too: its
 * linux.seccomp is what is read. */
MUST_USE result oci_profile_read(struct arena *arena, const struct json_node *root,
                                 enum abi_id arch, struct diagnostics *diagnostics,
                                 struct oci_profile *profile);

#endif
