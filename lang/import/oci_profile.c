#include "lang/import/oci_profile.h"

/* ---- actions
 * ----------------------------------------------------------------------------------------- */

struct action_rule {
    const char *name;
    enum action action;
    bool takes_errno;
};

/* runtime-spec config-linux.md; SCMP_ACT_KILL is the old name of KILL_THREAD. */
static const struct action_rule action_rules[] = {
    {"SCMP_ACT_KILL", ACTION_KILL_THREAD, false},
    {"SCMP_ACT_KILL_THREAD", ACTION_KILL_THREAD, false},
    {"SCMP_ACT_KILL_PROCESS", ACTION_KILL_PROCESS, false},
    {"SCMP_ACT_TRAP", ACTION_TRAP, false},
    {"SCMP_ACT_ERRNO", ACTION_ERRNO, true},
    {"SCMP_ACT_TRACE", ACTION_TRACE, true},
    {"SCMP_ACT_ALLOW", ACTION_ALLOW, false},
    {"SCMP_ACT_LOG", ACTION_LOG, false},
    {"SCMP_ACT_NOTIFY", ACTION_NOTIFY, false},
};

#define EPERM_VALUE 1u /* on every ABI */

static const struct action_rule *find_action(struct import_reader *r, const struct json_node *node)
{
    for (size_t i = 0; i < COUNT_OF(action_rules); i++)
        if (!strcmp(action_rules[i].name, node->string))
            return &action_rules[i];
    report_error(r->diagnostics, node->span, "unknown action \"%s\"", node->string);
    report_note(r->diagnostics, NO_SPAN,
                "actions are SCMP_ACT_ALLOW, _LOG, _NOTIFY, _TRACE, _ERRNO, _TRAP, _KILL_THREAD, "
                "_KILL_PROCESS");
    return NULL;
}

/* `errno` is a name or a number in quotes. */
static bool errno_by_text(struct import_reader *r, const struct json_node *node, uint64_t *value)
{
    uint16_t named;
    if (abi_errno(r->arch, node->string, &named)) {
        *value = named;
        return true;
    }
    *value = 0;
    const char *digit = node->string;
    for (; *digit >= '0' && *digit <= '9' && *value <= UINT16_MAX; digit++)
        *value = *value * 10 + (uint64_t)(*digit - '0');
    if (digit != node->string && !*digit && *value <= UINT16_MAX)
        return true;
    report_error(r->diagnostics, node->span, "unknown errno \"%s\"", node->string);
    return false;
}

/* The action's data. The engines let the symbolic field win over the number; without either, EPERM
 * is meant. */
static uint32_t read_errno(struct import_reader *r, const struct json_node *object,
                           const struct action_rule *rule, const char *number_name,
                           const char *text_name)
{
    uint64_t number, symbolic;
    const struct json_node *number_node = import_field(object, number_name, KIND_NUMBER);
    const struct json_node *text_node = import_field(object, text_name, KIND_STRING);
    bool has_number = import_number(r, object, number_name, UINT16_MAX, &number);
    bool has_text = text_node && *text_node->string && errno_by_text(r, text_node, &symbolic);
    if (!rule->takes_errno) {
        if (has_number && number)
            report_warning(r->diagnostics, number_node->key_span,
                           "%s returns no errno: \"%s\" is ignored", rule->name, number_name);
        return 0;
    }
    if (has_number && has_text && number != symbolic)
        report_warning(r->diagnostics, text_node->span, "\"%s\" and \"%s\" differ; \"%s\" decides",
                       text_name, number_name, text_name);
    if (!has_number && !has_text)
        return EPERM_VALUE;
    uint64_t value = has_text ? symbolic : number;
    return rule->action == ACTION_ERRNO
               ? import_errno(r, has_text ? text_node->span : number_node->span, value)
               : (uint32_t)value;
}

/* The word of `object`'s action; false when there is none or it is wrong. */
static bool read_action(struct import_reader *r, const struct json_node *object,
                        const char *action_name, const char *number_name, const char *text_name,
                        uint32_t *word)
{
    const struct json_node *node = import_field(object, action_name, KIND_STRING);
    if (!node) {
        if (!json_member(object, action_name))
            report_error(r->diagnostics, object->span, "\"%s\" is missing", action_name);
        return false;
    }
    const struct action_rule *rule = find_action(r, node);
    if (!rule)
        return false;
    *word = action_get(rule->action)->word | read_errno(r, object, rule, number_name, text_name);
    return true;
}

/* ---- one entry
 * ------------------------------------------------------------------------------------------ */

static const struct field_rule comparison_fields[] = {
    {"index", KIND_NUMBER}, {"value", KIND_NUMBER}, {"valueTwo", KIND_NUMBER}, {"op", KIND_STRING}};

static bool read_operator(struct import_reader *r, const struct json_node *object,
                          enum import_operator *operator)
{
    static const char *const names[] = {"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
                                        "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
                                        "SCMP_CMP_MASKED_EQ"};
    const struct json_node *node = import_field(object, "op", KIND_STRING);
    if (!node) {
        if (!json_member(object, "op"))
            report_error(r->diagnostics, object->span, "\"op\" is missing");
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!strcmp(names[i], node->string)) {
            *operator=(enum import_operator) i;
            return true;
        }
    }
    report_error(r->diagnostics, node->span, "unknown operator \"%s\"", node->string);
    report_note(r->diagnostics, NO_SPAN,
                "operators are SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT, _MASKED_EQ");
    return false;
}

/* Absent numbers are 0, as the runtimes read them; a missing index or value is likely a mistake. */
static bool read_comparison(struct import_reader *r, const struct json_node *node,
                            struct import_comparison *comparison)
{
    if (!import_check_object(r, node, "an element of \"args\"", comparison_fields,
                             COUNT_OF(comparison_fields)))
        return false;
    static const char *const wanted[] = {"index", "value"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (!json_member(node, wanted[i]))
            report_warning(r->diagnostics, node->span, "\"%s\" is missing, and 0 is taken",
                           wanted[i]);
    uint64_t index = 0;
    comparison->span = node->span;
    comparison->bits = 64;
    size_t before = r->diagnostics->errors;
    (void)import_number(r, node, "index", 5, &index);
    (void)import_number(r, node, "value", UINT64_MAX, &comparison->value);
    (void)import_number(r, node, "valueTwo", UINT64_MAX, &comparison->value_two);
    comparison->index = (unsigned)index;
    if (!read_operator(r, node, &comparison->operator) || r->diagnostics->errors != before)
        return false;
    if (comparison->operator!= IMPORT_MASKED_EQ && comparison->value_two)
        report_warning(r->diagnostics, json_member(node, "valueTwo")->span,
                       "only SCMP_CMP_MASKED_EQ reads \"valueTwo\"");
    return true;
}

static void read_comparisons(struct import_reader *r, const struct json_node *object,
                             struct oci_entry *entry)
{
    const struct json_node *list = import_field(object, "args", KIND_ARRAY);
    if (!list)
        return;
    if (list->count > IMPORT_COMPARISONS_MOST) {
        report_error(r->diagnostics, list->key_span, "more than %d conditions on one entry",
                     IMPORT_COMPARISONS_MOST);
        return;
    }
    struct import_comparisons *comparisons = &entry->comparisons;
    comparisons->items = NEW_ARRAY(r->arena, struct import_comparison, list->count);
    for (size_t i = 0; i < list->count; i++)
        if (read_comparison(r, &list->children[i], &comparisons->items[comparisons->count]))
            comparisons->count++;
}

static const struct field_rule filter_fields[] = {
    {"caps", KIND_ARRAY}, {"arches", KIND_ARRAY}, {"minKernel", KIND_STRING}};

static bool read_version_number(const char **text, unsigned *number)
{
    const char *start = *text;
    *number = 0;
    for (; **text >= '0' && **text <= '9' && *text - start < 6; ++*text)
        *number = *number * 10 + (unsigned)(**text - '0');
    return *text != start;
}

/* "4.8"; a patch level ("4.8.1", "4.8.0-1") is tolerated and ignored. */
static void read_kernel(struct import_reader *r, const struct json_node *node,
                        struct oci_filter *filter)
{
    const char *text = node->string;
    if (!*text)
        return;
    filter->has_kernel = read_version_number(&text, &filter->kernel_major) && *text++ == '.' &&
                         read_version_number(&text, &filter->kernel_minor) &&
                         (!*text || *text == '.' || *text == '-');
    if (!filter->has_kernel)
        report_error(r->diagnostics, node->span, "\"minKernel\" must be a version like \"4.8\"");
}

static void read_filter(struct import_reader *r, const struct json_node *object, const char *name,
                        struct oci_filter *filter)
{
    const struct json_node *node = import_field(object, name, KIND_OBJECT);
    if (!node || !import_check_object(r, node, name, filter_fields, COUNT_OF(filter_fields)))
        return;
    filter->capabilities = import_texts(r, node, "caps");
    filter->arches = import_texts(r, node, "arches");
    const struct json_node *kernel = import_field(node, "minKernel", KIND_STRING);
    if (kernel)
        read_kernel(r, kernel, filter);
}

static const struct field_rule entry_fields[] = {
    {"names", KIND_ARRAY},    {"name", KIND_STRING},     {"action", KIND_STRING},
    {"args", KIND_ARRAY},     {"errnoRet", KIND_NUMBER}, {"errno", KIND_STRING},
    {"comment", KIND_STRING}, {"includes", KIND_OBJECT}, {"excludes", KIND_OBJECT},
};

static void read_names(struct import_reader *r, const struct json_node *node,
                       struct oci_entry *entry)
{
    const struct json_node *name = import_field(node, "name", KIND_STRING);
    entry->names = import_texts(r, node, "names");
    if (name && *name->string) {
        if (entry->names.count)
            report_error(r->diagnostics, name->span,
                         "\"name\" and \"names\" are both given: use one of them");
        entry->names.items = NEW(r->arena, struct import_text);
        entry->names.items[0] = import_text_of(name);
        entry->names.count = 1;
    } else if (!json_member(node, "names") && !name) {
        report_error(r->diagnostics, node->span, "\"names\" is missing");
    }
}

static bool read_entry(struct import_reader *r, const struct json_node *node,
                       struct oci_entry *entry)
{
    size_t before = r->diagnostics->errors;
    if (!import_check_object(r, node, "an element of \"syscalls\"", entry_fields,
                             COUNT_OF(entry_fields)))
        return false;
    entry->span = node->span;
    read_names(r, node, entry);
    (void)read_action(r, node, "action", "errnoRet", "errno", &entry->word);
    read_comparisons(r, node, entry);
    read_filter(r, node, "includes", &entry->includes);
    read_filter(r, node, "excludes", &entry->excludes);
    const struct json_node *comment = import_field(node, "comment", KIND_STRING);
    entry->comment = comment && *comment->string ? comment->string : NULL;
    return r->diagnostics->errors == before;
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------- */

static const struct field_rule profile_fields[] = {
    {"defaultAction", KIND_STRING},
    {"defaultErrnoRet", KIND_NUMBER},
    {"defaultErrno", KIND_STRING},
    {"archMap", KIND_ARRAY},
    {"architectures", KIND_ARRAY},
    {"syscalls", KIND_ARRAY},
    {"flags", KIND_ARRAY},
    {"listenerPath", KIND_STRING},
    {"listenerMetadata", KIND_STRING},
};

static const struct field_rule arch_map_fields[] = {{"architecture", KIND_STRING},
                                                    {"subArchitectures", KIND_ARRAY}};

static void read_arch_map(struct import_reader *r, const struct json_node *list,
                          struct oci_profile *profile)
{
    profile->arch_map = NEW_ARRAY(r->arena, struct oci_arch_map, list->count);
    profile->arch_map_span = list->key_span;
    for (size_t i = 0; i < list->count; i++) {
        const struct json_node *node = &list->children[i];
        if (!import_check_object(r, node, "an element of \"archMap\"", arch_map_fields,
                                 COUNT_OF(arch_map_fields)))
            continue;
        const struct json_node *architecture = import_field(node, "architecture", KIND_STRING);
        if (!architecture) {
            if (!json_member(node, "architecture"))
                report_error(r->diagnostics, node->span, "\"architecture\" is missing");
            continue;
        }
        struct oci_arch_map *map = &profile->arch_map[profile->arch_map_count++];
        map->architecture = import_text_of(architecture);
        map->sub_architectures = import_texts(r, node, "subArchitectures");
    }
}

static void read_entries(struct import_reader *r, const struct json_node *list,
                         struct oci_profile *profile)
{
    profile->entries = NEW_ARRAY(r->arena, struct oci_entry, list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct oci_entry *entry = &profile->entries[profile->entry_count];
        *entry = (struct oci_entry){.position = i};
        if (read_entry(r, &list->children[i], entry))
            profile->entry_count++;
    }
}

/* Fields that say how a filter is installed have no place in a policy. */
static void report_installation(struct import_reader *r, const struct json_node *root)
{
    static const char *const names[] = {"flags", "listenerPath", "listenerMetadata"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json_node *node = json_member(root, names[i]);
        if (node && (node->kind != KIND_ARRAY || node->count))
            report_remark(r->diagnostics, node->key_span,
                          "\"%s\" says how the filter is installed, not what it means: left out",
                          names[i]);
    }
}

result oci_profile_read(struct arena *arena, const struct json_node *root, enum abi_id arch,
                        struct diagnostics *diagnostics, struct oci_profile *profile)
{
    struct import_reader r = {arena, diagnostics, arch};
    size_t before = diagnostics->errors;
    *profile = (struct oci_profile){0};
    const struct json_node *inside = json_member(json_member(root, "linux"), "seccomp");
    if (inside)
        root = inside;
    if (!import_check_object(&r, root, "a profile", profile_fields, COUNT_OF(profile_fields)))
        return FAILURE(ERROR_INPUT);
    (void)read_action(&r, root, "defaultAction", "defaultErrnoRet", "defaultErrno",
                      &profile->default_word);
    const struct json_node *list = import_field(root, "archMap", KIND_ARRAY);
    if (list && list->count)
        read_arch_map(&r, list, profile);
    if ((list = import_field(root, "architectures", KIND_ARRAY)) != NULL)
        profile->architectures_span = list->key_span;
    profile->architectures = import_texts(&r, root, "architectures");
    if (profile->arch_map_span.source && profile->architectures.count)
        report_error(diagnostics, profile->architectures_span,
                     "\"architectures\" and \"archMap\" are both given: use one of them");
    if ((list = import_field(root, "syscalls", KIND_ARRAY)) != NULL)
        read_entries(&r, list, profile);
    report_installation(&r, root);
    return diagnostics->errors == before ? SUCCESS : FAILURE(ERROR_INPUT);
}
