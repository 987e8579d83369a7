#include <stdlib.h>

#include "cli/cli.h"

/* ---- JSON: one object a call
 * ----------------------------------------------------------------------- */

/* Below 0: A is the stricter, above: B; the kernel's order of actions. */
static int stricter(const struct difference *d)
{
    int32_t left = (int32_t)action_of_word(d->witness.left, NULL)->word;
    int32_t right = (int32_t)action_of_word(d->witness.right, NULL)->word;
    return (left > right) - (left < right);
}

static json_t *json_difference(struct context *context, const struct difference *d,
                               abi_set declared, bool big_endian)
{
    static const char *const permissive[] = {"right", "neither", "left"};
    json_t *object = json_object();
    json_object_set_new(object, "abi",
                        json_string(d->abi == ABI_NONE ? "foreign" : abi_get(d->abi)->name));
    json_object_set_new(object, "call", json_string(d->call));
    json_object_set_new(object, "when", d->when ? json_string(d->when) : json_null());
    json_object_set_new(object, "left", json_string(d->left));
    json_object_set_new(object, "right", json_string(d->right));
    json_object_set_new(object, "more_permissive", json_string(permissive[stricter(d) + 1]));
    json_object_set_new(object, "witness",
                        json_counterexample(context, &d->witness, declared, big_endian));
    return object;
}

static void fill_json(struct context *context, const struct diff *diff, abi_set declared,
                      bool big_endian)
{
    json_t *differences = json_array();
    for (size_t i = 0; i < diff->count; i++)
        json_array_append_new(
            differences, json_difference(context, &diff->differences[i], declared, big_endian));
    set_text(context, "result", verdict_name(diff->verdict));
    json_object_set_new(context->json, "complete", json_boolean(diff->complete));
    if (diff->reason)
        set_text(context, "reason", diff->reason);
    json_object_set_new(context->json, "differences", differences);
    json_object_set_new(context->json, "ms", json_real(milliseconds(diff->ns)));
    if (!diff->count && diff->equal.has_counterexample)
        json_object_set_new(
            context->json, "counterexample",
            json_counterexample(context, &diff->equal.counterexample, declared, big_endian));
}

/* ---- text: one row for what is the same over many calls
 * ------------------------------------------- */

/* The calls of one ABI in a row. */
struct part {
    enum abi_id abi;
    VECTOR(const struct difference *) calls;
    const char *text; /* of the calls */
};

struct row {
    const char *sentence;
    const struct difference *first;
    VECTOR(struct part) parts;
    size_t number;
};

typedef VECTOR(struct row) row_list;

static const char *does(struct context *context, const char *verdict)
{
    if (!strcmp(verdict, "allow"))
        return "allows";
    if (!strcmp(verdict, "log"))
        return "logs";
    return arena_printf(context->arena, "returns %s", verdict);
}

static bool lets_through(uint32_t word)
{
    enum action action = action_of_word(word, NULL)->action;
    return action == ACTION_ALLOW || action == ACTION_LOG;
}

/* "B also allows when (flags & O_CREAT) != 0; A returns errno(EPERM)" */
static const char *sentence_of(struct context *context, const struct difference *d)
{
    struct arena *arena = context->arena;
    const char *when = d->when ? arena_printf(arena, " when %s", d->when) : "";
    const char *left = does(context, d->left), *right = does(context, d->right);
    bool left_lets = lets_through(d->witness.left), right_lets = lets_through(d->witness.right);
    if (left_lets == right_lets)
        return arena_printf(arena, "B %s where A %s%s", right, left, when);
    char who = right_lets ? 'B' : 'A', other = right_lets ? 'A' : 'B';
    bool also = right_lets ? d->right_elsewhere : d->left_elsewhere;
    return arena_printf(arena, "%s%c %s%s%s; %c %s", d->when ? "" : "only ", who,
                        d->when && also ? "also " : "", right_lets ? right : left, when, other,
                        right_lets ? left : right);
}

static struct row *row_of(struct context *context, row_list *rows, const struct difference *d)
{
    const char *sentence = sentence_of(context, d);
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(rows->items[i].sentence, sentence))
            return &rows->items[i];
    struct row made = {.sentence = sentence, .first = d, .number = rows->count};
    vector_push(context->arena, rows, made);
    return &rows->items[rows->count - 1];
}

static struct part *part_of(struct context *context, struct row *row, enum abi_id abi)
{
    for (size_t i = 0; i < row->parts.count; i++)
        if (row->parts.items[i].abi == abi)
            return &row->parts.items[i];
    vector_push(context->arena, &row->parts, (struct part){.abi = abi});
    return &row->parts.items[row->parts.count - 1];
}

/* ---- lists of calls */

struct call_list {
    struct buffer text;
    size_t count;
};

static void list_add(struct call_list *list, const char *call)
{
    buffer_printf(&list->text, "%s%s", list->count++ ? ", " : "", call);
}

static const char *list_text(struct context *context, struct call_list *list)
{
    const char *text = buffer_string(&list->text);
    return list->count == 1 ? text : arena_printf(context->arena, "{ %s }", text);
}

static bool has_call(const struct part *part, const char *name)
{
    for (size_t i = 0; i < part->calls.count; i++)
        if (part->calls.items[i]->known && !strcmp(part->calls.items[i]->call, name))
            return true;
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By name, so that ABIs with the same calls have the same list. */
static void list_names(struct call_list *list, const char **names, size_t count)
{
    if (count)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        list_add(list, names[i]);
}

/* "every known call but { read, write }", where that is the shorter way to say it. */
static void list_known(struct context *context, const struct part *part, struct call_list *list)
{
    size_t table_count = 0, count = 0;
    const struct syscall_entry *table =
        part->abi == ABI_NONE ? NULL : abi_syscalls(part->abi, &table_count);
    const char **names = NEW_ARRAY(context->arena, const char *, part->calls.count + table_count);
    for (size_t i = 0; i < part->calls.count; i++)
        if (part->calls.items[i]->known)
            names[count++] = part->calls.items[i]->call;
    if (count <= table_count / 2) {
        list_names(list, names, count);
        return;
    }
    struct call_list but = {.text = buffer_new(context->arena)};
    count = 0;
    for (size_t i = 0; i < table_count; i++)
        if (!has_call(part, table[i].name))
            names[count++] = table[i].name;
    list_names(&but, names, count);
    list_add(list, count ? arena_printf(context->arena, "every known call but %s",
                                        list_text(context, &but))
                         : "every known call");
}

static const char *calls_text(struct context *context, const struct part *part)
{
    struct call_list list = {.text = buffer_new(context->arena)};
    list_known(context, part, &list);
    for (size_t i = 0; i < part->calls.count; i++)
        if (!part->calls.items[i]->known)
            list_add(&list, part->calls.items[i]->call);
    return list_text(context, &list);
}

/* "x86_64, aarch64 { read, write }" for all parts of the same calls. */
static const char *subject_of(struct context *context, struct row *row)
{
    struct buffer text = buffer_new(context->arena);
    for (size_t i = 0; i < row->parts.count; i++)
        row->parts.items[i].text = calls_text(context, &row->parts.items[i]);
    for (size_t i = 0; i < row->parts.count; i++) {
        const char *calls = row->parts.items[i].text;
        if (!calls)
            continue;
        const char *separator = text.length ? "; " : "";
        for (size_t j = i; j < row->parts.count; j++) {
            struct part *part = &row->parts.items[j];
            if (!part->text || strcmp(part->text, calls))
                continue;
            buffer_printf(&text, "%s%s", separator,
                          part->abi == ABI_NONE ? "foreign" : abi_get(part->abi)->name);
            separator = ", ";
            part->text = NULL;
        }
        buffer_printf(&text, " %s", calls);
    }
    return buffer_string(&text);
}

/* What B lets through and A does not comes first, then the contrary. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    static const int place[] = {0, 2, 1};
    int by_place = place[stricter(left->first) + 1] - place[stricter(right->first) + 1];
    return by_place ? by_place : (left->number > right->number) - (left->number < right->number);
}

static size_t print_rows(struct context *context, const struct diff *diff, abi_set declared,
                         bool big_endian)
{
    row_list rows = {0};
    for (size_t i = 0; i < diff->count; i++) {
        const struct difference *d = &diff->differences[i];
        struct part *part = part_of(context, row_of(context, &rows, d), d->abi);
        vector_push(context->arena, &part->calls, d);
    }
    if (rows.count)
        qsort(rows.items, rows.count, sizeof *rows.items, compare_rows);
    for (size_t i = 0; i < rows.count; i++)
        printf("%s: %s\n    e.g. %s\n", subject_of(context, &rows.items[i]), rows.items[i].sentence,
               call_text(context, &rows.items[i].first->witness.input, declared, big_endian));
    return rows.count;
}

/* ---- the command
 * ----------------------------------------------------------------------------------- */

/* What the rows are: all, some, none. */
static const char *summary_of(struct context *context, const struct diff *diff, size_t rows)
{
    const char *plural = rows == 1 ? "" : "s";
    if (diff->complete)
        return arena_printf(context->arena, "%zu difference%s, and PROVED: no other", rows, plural);
    if (rows)
        return arena_printf(context->arena, "%zu difference%s; there may be more", rows, plural);
    return diff->verdict == REFUTED ? "they differ; the differences could not be listed"
                                    : "whether they differ";
}

static void print_result(struct context *context, const struct filter *filters,
                         const struct diff *diff, abi_set declared)
{
    bool big_endian = filters[0].big_endian;
    if (diff->verdict == PROVED) {
        printf("PROVED: %s and %s: no difference (%.2f ms)\n", filters[0].name, filters[1].name,
               milliseconds(diff->ns));
        return;
    }
    printf("A: %s\nB: %s\n", filters[0].name, filters[1].name);
    size_t rows = print_rows(context, diff, declared, big_endian);
    printf("%s: %s (%.2f ms)\n", verdict_name(diff->verdict), summary_of(context, diff, rows),
           milliseconds(diff->ns));
    if (diff->reason)
        printf("  %s\n", diff->reason);
    if (!diff->count && diff->equal.has_counterexample) {
        const struct counterexample *c = &diff->equal.counterexample;
        printf("  a call on which they differ: %s\n    A returns %s, B returns %s\n",
               call_text(context, &c->input, declared, big_endian),
               verdict_text(context, c->left, &c->input, big_endian),
               verdict_text(context, c->right, &c->input, big_endian));
    }
}

enum exit_code run_diff(struct context *context)
{
    struct filter filters[2];
    for (int i = 0; i < 2; i++) {
        result r = load_argument(context, i, &filters[i]);
        if (failed(r))
            return exit_of(r);
    }
    if (filters[0].big_endian != filters[1].big_endian) {
        report_error(&context->diagnostics, NO_SPAN, "%s is for a %s-endian machine, %s is not",
                     filters[0].name, filters[0].big_endian ? "big" : "little", filters[1].name);
        return EXIT_USAGE;
    }
    abi_set declared = filters[0].declared | filters[1].declared;
    struct diff_options options = {.proof = proof_options_of(context, NULL, declared)};
    struct diff diff;
    diff_filters(context->arena, &filters[0], &filters[1], &options, &diff);
    fill_json(context, &diff, declared, filters[0].big_endian);
    if (!context->options.json)
        print_result(context, filters, &diff, declared);
    return exit_of_verdict(diff.verdict);
}
