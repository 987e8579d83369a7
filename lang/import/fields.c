#include "lang/import/fields.h"

#include <strings.h>

#define ERRNO_MOST 4095u /* MAX_ERRNO: the kernel clamps what is larger */

static const struct field_rule *field_rule(const struct field_rule *rules, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(rules[i].name, name))
            return &rules[i];
    return NULL;
}

/* A known field whose name was misspelled, in case or by a letter or two; NULL: none is near. */
static const char *nearest_field(const struct field_rule *rules, size_t count, const char *name)
{
    const char *nearest = NULL;
    unsigned best = 3;
    for (size_t i = 0; i < count; i++) {
        unsigned distance =
            strcasecmp(rules[i].name, name) ? name_distance(rules[i].name, name, 2) : 0;
        if (distance < best) {
            best = distance;
            nearest = rules[i].name;
        }
    }
    return nearest;
}

static void report_unknown_field(struct import_reader *r, const struct json_node *member,
                                 const struct field_rule *rules, size_t count)
{
    report_warning(r->diagnostics, member->key_span, "unknown field \"%s\", ignored", member->key);
    const char *nearest = nearest_field(rules, count, member->key);
    if (nearest)
        report_note(r->diagnostics, NO_SPAN, "did you mean \"%s\"?", nearest);
}

bool import_check_kind(struct import_reader *r, const struct json_node *member, enum json_kind kind)
{
    if (member->kind == kind)
        return true;
    report_error(r->diagnostics, member->span, "\"%s\" must be %s, not %s", member->key,
                 json_kind_name(kind), json_kind_name(member->kind));
    return false;
}

bool import_check_object(struct import_reader *r, const struct json_node *node, const char *what,
                         const struct field_rule *rules, size_t count)
{
    if (node->kind != KIND_OBJECT) {
        report_error(r->diagnostics, node->span, "%s must be an object, not %s", what,
                     json_kind_name(node->kind));
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct json_node *member = &node->children[i];
        const struct field_rule *rule = field_rule(rules, count, member->key);
        if (!rule)
            report_unknown_field(r, member, rules, count);
        else if (rule->kind != KIND_ANY && member->kind != KIND_NULL)
            (void)import_check_kind(r, member, rule->kind);
    }
    return true;
}

const struct json_node *import_field(const struct json_node *object, const char *name,
                                     enum json_kind kind)
{
    const struct json_node *member = json_member(object, name);
    return member && member->kind == kind ? member : NULL;
}

struct import_text import_text_of(const struct json_node *node)
{
    return (struct import_text){node->string, node->span};
}

struct import_texts import_texts(struct import_reader *r, const struct json_node *object,
                                 const char *name)
{
    struct import_texts texts = {NULL, 0};
    const struct json_node *list = import_field(object, name, KIND_ARRAY);
    if (!list)
        return texts;
    texts.items = NEW_ARRAY(r->arena, struct import_text, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct json_node *item = &list->children[i];
        if (item->kind == KIND_STRING)
            texts.items[texts.count++] = import_text_of(item);
        else
            report_error(r->diagnostics, item->span, "\"%s\" must hold strings, not %s", name,
                         json_kind_name(item->kind));
    }
    return texts;
}

bool import_number(struct import_reader *r, const struct json_node *object, const char *name,
                   uint64_t most, uint64_t *value)
{
    const struct json_node *node = import_field(object, name, KIND_NUMBER);
    if (!node)
        return false;
    if (json_unsigned(node, value) && *value <= most)
        return true;
    report_error(r->diagnostics, node->span, "\"%s\" must be an integer from 0 to %llu", name,
                 (unsigned long long)most);
    return false;
}

uint32_t import_errno(struct import_reader *r, struct span span, uint64_t value)
{
    if (value == 0)
        report_warning(r->diagnostics, span,
                       "errno 0 skips the call and reports success to the caller");
    if (value <= ERRNO_MOST)
        return (uint32_t)value;
    report_warning(r->diagnostics, span, "the kernel returns errno %u in place of %llu", ERRNO_MOST,
                   (unsigned long long)value);
    return ERRNO_MOST;
}
