/* A profile of Firecracker and of the seccompiler crate as data: read and checked, nothing decided
 * yet.
 *
 * The format: seccompiler's docs/json_format.md. One file has a filter for each kind of thread; a
 * filter has rules, and one action for the calls that match any of them, another for the rest. Its
 * actions are `default_action` and `filter_action`, or by their newer names `mismatch_action` and
 * `match_action`.
 */
#ifndef LANG_IMPORT_FIRECRACKER_PROFILE_H
#define LANG_IMPORT_FIRECRACKER_PROFILE_H

#include "lang/import/comparison.h"

struct firecracker_rule {
    struct import_text call;
    struct import_comparisons comparisons;
    const char **comments; /* one for each comparison; NULL: none */
    const char *comment;   /* NULL: none */
    struct span span;      /* of the call's name */
};

struct firecracker_filter {
    struct import_text thread;
    uint32_t mismatch_word, match_word; /* they differ */
    struct firecracker_rule *rules;
    size_t rule_count;
};

struct firecracker_profile {
    struct firecracker_filter *filters;
    size_t filter_count;
};

/* Reads everything that it can, reporting as it goes; ERROR_INPUT when an error was reported. */
MUST_USE result firecracker_profile_read(struct arena *arena, const struct json_node *root,
                                         struct diagnostics *diagnostics,
                                         struct firecracker_profile *profile);

#endif
