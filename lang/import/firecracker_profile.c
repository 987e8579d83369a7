#include "lang/import/firecracker_profile.h"

#define DWORD_MOST UINT32_MAX

/* ---- actions
 * ----------------------------------------------------------------------------------------- */

/* An action is a word, or an object of one member where it has data. */
struct action_rule {
    const char *name;
    enum action action;
    bool is_object;
};

static const struct action_rule action_rules[] = {
    {"allow", ACTION_ALLOW, false},
    {"log", ACTION_LOG, false},
    {"trap", ACTION_TRAP, false},
    {"kill_thread", ACTION_KILL_THREAD, false},
    {"kill_process", ACTION_KILL_PROCESS, false},
    {"errno", ACTION_ERRNO, true},
    {"trace", ACTION_TRACE, true},
};

static const struct action_rule *find_action(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(action_rules); i++)
        if (!strcmp(action_rules[i].name, name))
            return &action_rules[i];
    return NULL;
}

static void report_action(struct import_reader *r, struct span span, const char *name)
{
    if (name)
        report_error(r->diagnostics, span, "unknown action \"%s\"", name);
    else
        report_error(r->diagnostics, span, "an action is a word, or an object of one member");
    report_note(r->diagnostics, NO_SPAN,
                "actions are \"allow\", \"log\", \"trap\", \"kill_thread\", \"kill_process\", "
                "{\"errno\": N} and {\"trace\": N}");
}

static bool read_action_object(struct import_reader *r, const struct json_node *node,
                               uint32_t *word)
{
    const struct json_node *member = node->count == 1 ? &node->children[0] : NULL;
    const struct action_rule *rule = member ? find_action(member->key) : NULL;
    if (!rule || !rule->is_object) {
        report_action(r, member ? member->key_span : node->span, member ? member->key : NULL);
        return false;
    }
    uint64_t data;
    if (!import_check_kind(r, member, KIND_NUMBER) ||
        !import_number(r, node, member->key, UINT16_MAX, &data))
        return false;
    *word = action_get(rule->action)->word |
            (rule->action == ACTION_ERRNO ? import_errno(r, member->span, data) : (uint32_t)data);
    return true;
}

static bool read_action_word(struct import_reader *r, const struct json_node *node, uint32_t *word)
{
    const struct action_rule *rule = find_action(node->string);
    if (!rule) {
        report_action(r, node->span, node->string);
        return false;
    }
    if (rule->is_object) {
        report_error(r->diagnostics, node->span, "\"%s\" needs a number: {\"%s\": N}", rule->name,
                     rule->name);
        return false;
    }
    *word = action_get(rule->action)->word;
    return true;
}

/* One of two names for the same thing. False: absent, given twice or wrong, and then reported. */
static bool read_action(struct import_reader *r, const struct json_node *object, const char *name,
                        const char *other_name, uint32_t *word)
{
    const struct json_node *node = json_member(object, name);
    const struct json_node *other = json_member(object, other_name);
    if (node && other) {
        report_error(r->diagnostics, other->key_span,
                     "\"%s\" and \"%s\" are both given, and mean the same: use one of them", name,
                     other_name);
        return false;
    }
    node = node ? node : other;
    if (!node)
        report_error(r->diagnostics, object->span, "\"%s\" is missing", name);
    else if (node->kind == KIND_OBJECT)
        return read_action_object(r, node, word);
    else if (node->kind == KIND_STRING)
        return read_action_word(r, node, word);
    else
        report_action(r, node->span, NULL);
    return false;
}

/* ---- conditions
 * -------------------------------------------------------------------------------------- */

struct operator_rule {
    const char *name;
    enum import_operator operator;
};

static const struct operator_rule operator_rules[] = {
    {"ne", IMPORT_NE}, {"lt", IMPORT_LT}, {"le", IMPORT_LE},
    {"eq", IMPORT_EQ}, {"ge", IMPORT_GE}, {"gt", IMPORT_GT},
};

#define MASKED_EQ "masked_eq"

static void report_operator(struct import_reader *r, struct span span, const char *name)
{
    if (name)
        report_error(r->diagnostics, span, "unknown operator \"%s\"", name);
    else
        report_error(r->diagnostics, span, "an operator is a word, or an object of one member");
    report_note(r->diagnostics, NO_SPAN,
                "operators are \"eq\", \"ne\", \"lt\", \"le\", \"ge\", \"gt\" and "
                "{\"" MASKED_EQ "\": MASK}");
}

static bool read_mask(struct import_reader *r, const struct json_node *node, uint64_t *mask)
{
    const struct json_node *member = node->count == 1 ? &node->children[0] : NULL;
    if (!member || strcmp(member->key, MASKED_EQ)) {
        report_operator(r, member ? member->key_span : node->span, member ? member->key : NULL);
        return false;
    }
    return import_check_kind(r, member, KIND_NUMBER) &&
           import_number(r, node, MASKED_EQ, UINT64_MAX, mask);
}

static bool read_operator(struct import_reader *r, const struct json_node *object,
                          enum import_operator *operator, uint64_t * mask)
{
    const struct json_node *node = json_member(object, "op");
    if (!node) {
        report_error(r->diagnostics, object->span, "\"op\" is missing");
        return false;
    }
    if (node->kind == KIND_OBJECT) {
        *operator= IMPORT_MASKED_EQ;
        return read_mask(r, node, mask);
    }
    const char *name = node->kind == KIND_STRING ? node->string : NULL;
    for (size_t i = 0; name && i < COUNT_OF(operator_rules); i++) {
        if (!strcmp(operator_rules[i].name, name)) {
            *operator= operator_rules[i].operator;
            return true;
        }
    }
    report_operator(r, node->span, name);
    return false;
}

/* Bits that the format's own compiler drops too. */
static void drop_bits(struct import_reader *r, const struct json_node *node, uint64_t kept,
                      const char *where, uint64_t *value)
{
    if (*value & ~kept)
        report_warning(r->diagnostics, node->span, "\"%s\" has bits %s; they are dropped",
                       node->key, where);
    *value &= kept;
}

static bool read_type(struct import_reader *r, const struct json_node *object, unsigned *bits)
{
    const struct json_node *node = import_field(object, "type", KIND_STRING);
    if (!node) {
        if (!json_member(object, "type"))
            report_error(r->diagnostics, object->span, "\"type\" is missing");
        return false;
    }
    *bits = !strcmp(node->string, "dword") ? 32 : !strcmp(node->string, "qword") ? 64 : 0;
    if (!*bits)
        report_error(r->diagnostics, node->span, "unknown type \"%s\": it is dword or qword",
                     node->string);
    return *bits != 0;
}

static bool read_wanted_number(struct import_reader *r, const struct json_node *object,
                               const char *name, uint64_t most, uint64_t *value)
{
    if (!json_member(object, name))
        report_error(r->diagnostics, object->span, "\"%s\" is missing", name);
    return import_number(r, object, name, most, value);
}

static const char *comment_of(const struct json_node *object)
{
    const struct json_node *node = import_field(object, "comment", KIND_STRING);
    return node && *node->string ? node->string : NULL;
}

/* `op` may be of two kinds, which its own reader looks at. */
static const struct field_rule comparison_fields[] = {
    {"index", KIND_NUMBER}, {"type", KIND_STRING},    {"op", KIND_ANY},
    {"val", KIND_NUMBER},   {"comment", KIND_STRING},
};

static bool read_comparison(struct import_reader *r, const struct json_node *node,
                            struct import_comparison *comparison)
{
    if (!import_check_object(r, node, "an element of \"args\"", comparison_fields,
                             COUNT_OF(comparison_fields)))
        return false;
    uint64_t index, value, mask = UINT64_MAX;
    bool whole = read_wanted_number(r, node, "index", 5, &index);
    whole = read_type(r, node, &comparison->bits) && whole;
    whole = read_operator(r, node, &comparison->operator, & mask) && whole;
    whole = read_wanted_number(r, node, "val", UINT64_MAX, &value) && whole;
    if (!whole)
        return false;
    bool is_masked = comparison->operator== IMPORT_MASKED_EQ;
    const struct json_node *val = json_member(node, "val");
    comparison->index = (unsigned)index;
    comparison->span = (struct span){val->span.source, val->key_span.begin, val->span.end};
    if (comparison->bits == 32) {
        static const char *const where = "above the 32 of a dword";
        drop_bits(r, val, DWORD_MOST, where, &value);
        if (is_masked)
            drop_bits(r, &json_member(node, "op")->children[0], DWORD_MOST, where, &mask);
    }
    if (is_masked)
        drop_bits(r, val, mask, "outside the mask", &value);
    comparison->value = is_masked ? mask : value;
    comparison->value_two = is_masked ? value : 0;
    return true;
}

static void read_comparisons(struct import_reader *r, const struct json_node *list,
                             struct firecracker_rule *rule)
{
    if (!list->count)
        report_error(r->diagnostics, list->span,
                     "\"args\" has no condition: leave it out where every call matches");
    if (list->count > IMPORT_COMPARISONS_MOST) {
        report_error(r->diagnostics, list->key_span, "more than %d conditions on one entry",
                     IMPORT_COMPARISONS_MOST);
        return;
    }
    rule->comparisons.items = NEW_ARRAY(r->arena, struct import_comparison, list->count);
    rule->comments = NEW_ARRAY(r->arena, const char *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        size_t at = rule->comparisons.count;
        if (!read_comparison(r, &list->children[i], &rule->comparisons.items[at]))
            continue;
        rule->comments[at] = comment_of(&list->children[i]);
        rule->comparisons.count++;
    }
}

/* ---- rules, filters and the whole
 * -------------------------------------------------------------------- */

static const struct field_rule rule_fields[] = {
    {"syscall", KIND_STRING}, {"args", KIND_ARRAY}, {"comment", KIND_STRING}};

static bool read_rule(struct import_reader *r, const struct json_node *node,
                      struct firecracker_rule *rule)
{
    size_t before = r->diagnostics->errors;
    *rule = (struct firecracker_rule){.comment = comment_of(node)};
    if (!import_check_object(r, node, "an element of \"filter\"", rule_fields,
                             COUNT_OF(rule_fields)))
        return false;
    const struct json_node *call = import_field(node, "syscall", KIND_STRING);
    rule->span = call ? call->span : node->span;
    const struct json_node *args = import_field(node, "args", KIND_ARRAY);
    if (call)
        rule->call = import_text_of(call);
    else if (!json_member(node, "syscall"))
        report_error(r->diagnostics, node->span, "\"syscall\" is missing");
    if (args)
        read_comparisons(r, args, rule);
    return r->diagnostics->errors == before;
}

static const struct field_rule filter_fields[] = {
    {"default_action", KIND_ANY}, {"mismatch_action", KIND_ANY}, {"filter_action", KIND_ANY},
    {"match_action", KIND_ANY},   {"filter", KIND_ARRAY},
};

static void read_filter(struct import_reader *r, const struct json_node *node,
                        struct firecracker_filter *filter)
{
    filter->thread = (struct import_text){node->key, node->key_span};
    if (!import_check_object(r, node, "a filter", filter_fields, COUNT_OF(filter_fields)))
        return;
    bool has_default =
        read_action(r, node, "default_action", "mismatch_action", &filter->mismatch_word);
    bool has_match = read_action(r, node, "filter_action", "match_action", &filter->match_word);
    if (has_default && has_match && filter->mismatch_word == filter->match_word)
        report_error(r->diagnostics, node->key_span,
                     "the two actions of \"%s\" are the same: its rules decide nothing", node->key);
    const struct json_node *list = import_field(node, "filter", KIND_ARRAY);
    if (!list) {
        if (!json_member(node, "filter"))
            report_error(r->diagnostics, node->span, "\"filter\" is missing");
        return;
    }
    filter->rules = NEW_ARRAY(r->arena, struct firecracker_rule, list->count);
    for (size_t i = 0; i < list->count; i++)
        if (read_rule(r, &list->children[i], &filter->rules[filter->rule_count]))
            filter->rule_count++;
}

result firecracker_profile_read(struct arena *arena, const struct json_node *root,
                                struct diagnostics *diagnostics,
                                struct firecracker_profile *profile)
{
    struct import_reader r = {.arena = arena, .diagnostics = diagnostics};
    size_t before = diagnostics->errors;
    *profile = (struct firecracker_profile){0};
    if (root->kind != KIND_OBJECT || !root->count) {
        report_error(diagnostics, root->span,
                     "a profile must be an object that has a filter for each thread, not %s",
                     root->kind == KIND_OBJECT ? "an empty one" : json_kind_name(root->kind));
        return FAILURE(ERROR_INPUT);
    }
    profile->filters = NEW_ARRAY(arena, struct firecracker_filter, root->count);
    for (size_t i = 0; i < root->count; i++)
        read_filter(&r, &root->children[i], &profile->filters[profile->filter_count++]);
    return diagnostics->errors == before ? SUCCESS : FAILURE(ERROR_INPUT);
}
