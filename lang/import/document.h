/* A JSON text as a tree in which every value knows its place: what the importers read.
 *
 * base's json_place() finds one place by walking the text again; an importer wants the place of
 * anything that it may have to complain about, so the tree is laid beside jansson's once. Integers
 * are read from their digits: profiles hold numbers up to 2^64 - 1, and jansson's stop at 2^63 - 1.
 */
#ifndef LANG_IMPORT_DOCUMENT_H
#define LANG_IMPORT_DOCUMENT_H

#include "base/base.h"

enum json_kind {
    KIND_NULL,
    KIND_BOOLEAN,
    KIND_NUMBER,
    KIND_STRING,
    KIND_ARRAY,
    KIND_OBJECT,
    KIND_ANY /* of what is asked for; no value is of it */
};

struct json_node {
    enum json_kind kind;
    struct span span;           /* of the value */
    struct span key_span;       /* of the member's name, quotes included; NO_SPAN in arrays */
    const char *key;            /* the member's name; NULL in arrays */
    const char *string;         /* of a string; UTF-8 without NUL */
    struct json_node *children; /* elements or members, in the order of the text */
    size_t count;
};

/* Parses the text of `source`. Duplicate keys, trailing text and nesting past jansson's limit
 * (2048) are errors with their place; more than four million bytes are an error. The tree lives in
 * `arena`. */
MUST_USE result json_document(struct arena *arena, const struct source *source,
                              struct diagnostics *diagnostics, struct json_node **root);

/* The member of that name; NULL when `object` is no object, has none, or has null for it: null
 * means absent, as in the runtimes' own readers. */
const struct json_node *json_member(const struct json_node *object, const char *key);

/* An unsigned integer as it is written: digits only. False when it is no number, has a sign, a
 * fraction or an exponent, or does not fit 64 bits. */
bool json_unsigned(const struct json_node *node, uint64_t *value);

/* "a list", "a string", ...: for "must be A, not B". */
const char *json_kind_name(enum json_kind kind);

#endif
