/* Members of JSON objects, as the importers read them: what is missing, unknown or of the wrong
 * kind is reported with its place, and reading goes on, so that one run shows all that is wrong.
 */
#ifndef LANG_IMPORT_FIELDS_H
#define LANG_IMPORT_FIELDS_H

#include "lang/import/document.h"
#include "lang/lang.h"

struct import_reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    enum abi_id arch; /* whose errno values and calls the names mean */
};

struct import_text {
    const char *text;
    struct span span;
};

struct import_texts {
    struct import_text *items;
    size_t count;
};

/* What an object may hold: a name, and the kind of its value. */
struct field_rule {
    const char *name;
    enum json_kind kind; /* ANY: its own reader says */
};

/* Reports every field that is unknown or of the wrong kind. False when `node` is no object at all;
 * `what` names it then: "a profile". */
bool import_check_object(struct import_reader *r, const struct json_node *node, const char *what,
                         const struct field_rule *rules, size_t count);

/* Whether the member's value is of this kind; reported when not. */
bool import_check_kind(struct import_reader *r, const struct json_node *member,
                       enum json_kind kind);

/* A member of the right kind, else NULL: import_check_object() has reported the wrong ones. */
const struct json_node *import_field(const struct json_node *object, const char *name,
                                     enum json_kind kind);

struct import_text import_text_of(const struct json_node *node);

/* The strings of a list; what is no string is reported and left out. */
struct import_texts import_texts(struct import_reader *r, const struct json_node *object,
                                 const char *name);

/* An unsigned integer of at most `most`. False: absent or wrong, and then reported. */
bool import_number(struct import_reader *r, const struct json_node *object, const char *name,
                   uint64_t most, uint64_t *value);

/* The errno that a caller gets for `value`: 0 is remarked, and what the kernel makes another of. */
uint32_t import_errno(struct import_reader *r, struct span span, uint64_t value);

#endif
