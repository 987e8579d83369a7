/* Rules for one target each, gathered into rules for many, and written. Rules of one call keep
 * their order; otherwise rules with a condition come first, and those that are alike stand
 * together.
 */
#include "compiler/raise_plan.h"

#include <stdlib.h>

/* Lines of one scope that are not written yet, by call. */
struct queue {
    const struct line **lines; /* of one call, in order */
    size_t count, next;
};

struct writer {
    struct plan *plan;
    struct buffer *out;
    abi_set scope;
    VECTOR(struct queue) queues;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* May two lines be one rule? */
static bool alike(const struct line *a, const struct line *b)
{
    return !a->raw == !b->raw && !strcmp(a->action, b->action) &&
           same_text(a->condition, b->condition) && same_text(a->where, b->where) &&
           same_text(a->raw, b->raw) && a->any_number == b->any_number;
}

/* ---- registers of several calls
 * ------------------------------------------------------------------------ */

/* Calls that have the same test of a register, by different names, may share a rule about argN. */
static void share_registers(struct plan *plan)
{
    for (size_t i = 0; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i];
        bool others = false;
        for (size_t j = 0; line->numbered && j < plan->lines.count && !others; j++) {
            const struct line *other = &plan->lines.items[j];
            others = other->numbered && !strcmp(other->numbered, line->numbered) &&
                     other->scope == line->scope && !strcmp(other->action, line->action) &&
                     strcmp(other->condition, line->condition);
        }
        if (others)
            line->raw = ""; /* marked: conditions must not change while they are compared */
    }
    for (size_t i = 0; i < plan->lines.count; i++) {
        struct line *line = &plan->lines.items[i];
        if (line->numbered && line->raw) {
            line->condition = line->numbered;
            line->raw = NULL;
        }
    }
}

/* ---- one rule
 * ------------------------------------------------------------------------------------------- */

typedef VECTOR(const struct line *) line_group;

static int compare_names(const void *a, const void *b)
{
    const struct line *x = *(const struct line *const *)a, *y = *(const struct line *const *)b;
    if (!x->name || !y->name)
        return x->name ? -1 : y->name ? 1 : (x->first > y->first) - (x->first < y->first);
    return strcmp(x->name, y->name);
}

static int compare_firsts(const void *a, const void *b)
{
    const struct line *x = *(const struct line *const *)a, *y = *(const struct line *const *)b;
    return (x->first > y->first) - (x->first < y->first);
}

static void put_number(struct buffer *out, uint32_t value)
{
    buffer_printf(out, value < 10000 ? "%u" : "0x%x", value);
}

static void put_numbers(struct buffer *out, uint32_t first, uint32_t last)
{
    put_number(out, first);
    if (first == last)
        return;
    buffer_text(out, "..");
    put_number(out, last);
}

static void put_target(struct buffer *out, const struct line *line)
{
    if (line->name) {
        buffer_text(out, line->name);
        return;
    }
    buffer_text(out, "nr ");
    put_numbers(out, line->first, line->last);
}

static void put_typed(struct buffer *out, const line_group *group)
{
    bool list = group->count > 1;
    buffer_printf(out, "%s %s", group->items[0]->action, list ? "{ " : "");
    for (size_t i = 0; i < group->count; i++) {
        buffer_text(out, i ? ", " : "");
        put_target(out, group->items[i]);
    }
    buffer_text(out, list ? " }" : "");
    if (group->items[0]->condition)
        buffer_printf(out, "(%s)", group->items[0]->condition);
    buffer_text(out, "\n");
}

static void put_raw_numbers(struct buffer *out, const line_group *group)
{
    const struct line *first = group->items[0];
    if (group->count == 1 && first->first == first->last) {
        buffer_text(out, "nr == ");
        put_number(out, first->first);
        return;
    }
    buffer_text(out, "nr in { ");
    for (size_t i = 0; i < group->count;) {
        uint32_t last = group->items[i]->last;
        size_t next = i + 1;
        for (; next < group->count && group->items[next]->first == last + 1; next++)
            last = group->items[next]->last;
        buffer_text(out, i ? ", " : "");
        put_numbers(out, group->items[i]->first, last);
        i = next;
    }
    buffer_text(out, " }");
}

/* The names of the numbers, a line of comment each hundred columns. */
static void put_raw_comment(struct buffer *out, const line_group *group)
{
    size_t column = 6 + strlen(group->items[0]->raw);
    bool any = false;
    buffer_printf(out, "# raw: %s", group->items[0]->raw);
    for (size_t i = 0; i < group->count; i++) {
        const char *name = group->items[i]->name;
        if (!name)
            continue;
        column += strlen(name) + 2;
        buffer_text(out, any ? "," : ";");
        if (column > 96) {
            buffer_text(out, "\n#");
            column = strlen(name) + 3;
        }
        buffer_printf(out, " %s", name);
        any = true;
    }
    buffer_text(out, "\n");
}

static void put_raw(struct writer *writer, line_group *group)
{
    struct buffer *out = writer->out;
    const struct line *first = group->items[0];
    const char *joiner = " if ";
    qsort(group->items, group->count, sizeof(const struct line *), compare_firsts);
    put_raw_comment(out, group);
    buffer_printf(out, "raw %s", first->action);
    if (*first->where) {
        buffer_printf(out, "%s%s", joiner, first->where);
        joiner = " && ";
    }
    if (!first->any_number && !(first->first == 0 && first->last == UINT32_MAX)) {
        buffer_text(out, joiner);
        put_raw_numbers(out, group);
        joiner = " && ";
    }
    if (first->condition)
        buffer_printf(out, strstr(first->condition, "||") ? "%s(%s)" : "%s%s", joiner,
                      first->condition);
    buffer_text(out, "\n");
    writer->plan->raw_rules++;
}

static void put_group(struct writer *writer, line_group *group)
{
    qsort(group->items, group->count, sizeof(const struct line *), compare_names);
    if (group->items[0]->raw)
        put_raw(writer, group);
    else
        put_typed(writer->out, group);
}

/* ---- the order
 * --------------------------------------------------------------------------------------------- */

static const struct line *front(const struct queue *queue)
{
    return queue->next < queue->count ? queue->lines[queue->next] : NULL;
}

/* Kinds of lines, in the order in which they are written. Rules for numbers reach over calls that
 * are decided by then. */
enum stage { STAGE_CONDITIONS, STAGE_CALLS, STAGE_NUMBERS, STAGE_COUNT };

static enum stage stage_of(const struct line *line)
{
    if (line->condition)
        return STAGE_CONDITIONS;
    return line->name || line->raw ? STAGE_CALLS : STAGE_NUMBERS;
}

/* Would a call that has the same line further down have to be left out? */
static bool must_wait(const struct writer *writer, const struct line *line)
{
    for (size_t i = 0; i < writer->queues.count; i++) {
        const struct queue *queue = &writer->queues.items[i];
        for (size_t j = queue->next + 1; j < queue->count; j++)
            if (alike(queue->lines[j], line))
                return true;
    }
    return false;
}

static bool is_better(const struct line *a, const struct line *b)
{
    if (!b)
        return true;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return compare_names(&a, &b) < 0;
}

static const struct line *choose(const struct writer *writer, enum stage stage)
{
    const struct line *best = NULL, *waiting = NULL;
    for (size_t i = 0; i < writer->queues.count; i++) {
        const struct line *line = front(&writer->queues.items[i]);
        if (!line || stage_of(line) != stage)
            continue;
        if (!is_better(line, best) && !is_better(line, waiting))
            continue;
        if (must_wait(writer, line))
            waiting = is_better(line, waiting) ? line : waiting;
        else
            best = is_better(line, best) ? line : best;
    }
    return best ? best : waiting;
}

static void write_stage(struct writer *writer, enum stage stage)
{
    for (const struct line *line; (line = choose(writer, stage));) {
        line_group group = {0};
        for (size_t i = 0; i < writer->queues.count; i++) {
            struct queue *queue = &writer->queues.items[i];
            if (!front(queue) || !alike(front(queue), line) || stage_of(front(queue)) != stage)
                continue;
            vector_push(writer->plan->arena, &group, front(queue));
            queue->next++;
        }
        put_group(writer, &group);
    }
    buffer_text(writer->out, "\n");
}

static void fill_queues(struct writer *writer)
{
    struct plan *plan = writer->plan;
    for (size_t i = 0, count; i < plan->lines.count; i += count) {
        const struct line *first = &plan->lines.items[i];
        for (count = 1; i + count < plan->lines.count && first[count].call == first->call;)
            count++;
        if (first->scope != writer->scope)
            continue;
        struct queue queue = {NEW_ARRAY(plan->arena, const struct line *, count), count, 0};
        for (size_t j = 0; j < count; j++)
            queue.lines[j] = &first[j];
        vector_push(plan->arena, &writer->queues, queue);
    }
}

static void write_scope(struct plan *plan, struct buffer *out, abi_set scope)
{
    struct writer writer = {.plan = plan, .out = out, .scope = scope};
    fill_queues(&writer);
    for (enum stage stage = STAGE_CONDITIONS; stage < STAGE_COUNT; stage++)
        write_stage(&writer, stage);
}

/* ---- blocks
 * ---------------------------------------------------------------------------------------------------
 */

static bool is_uniform(const struct plan *plan, abi_set scope)
{
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (scope == ABI_BIT(id))
            return plan->abis[id].uniform;
    return false;
}

static void write_block(struct plan *plan, struct buffer *out, abi_set scope)
{
    const char *joiner = "on ";
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (scope & ABI_BIT(id)) {
            buffer_printf(out, "%s%s", joiner, abi_get((enum abi_id)id)->name);
            joiner = ", ";
        }
    buffer_text(out, " {\n");
    write_scope(plan, out, scope);
    buffer_text(out, "}\n\n");
}

/* Scopes of many ABIs come before those of few: rules for numbers stand in those of one. */
static bool is_before(abi_set a, abi_set b)
{
    int many_a = __builtin_popcount(a), many_b = __builtin_popcount(b);
    return many_a != many_b ? many_a > many_b : a < b;
}

/* The scope that follows `after`, 0 at first; 0 when there is no more. */
static abi_set next_scope(const struct plan *plan, abi_set after)
{
    abi_set next = 0;
    for (size_t i = 0; i < plan->lines.count; i++) {
        abi_set scope = plan->lines.items[i].scope;
        if (scope && (!after || is_before(after, scope)) && (!next || is_before(scope, next)))
            next = scope;
    }
    return next;
}

/* ABIs that need one rule only first: it takes all of their numbers from what follows. */
void write_rules(struct plan *plan, struct buffer *out)
{
    abi_set scope;
    share_registers(plan);
    for (scope = 0; (scope = next_scope(plan, scope));)
        if (is_uniform(plan, scope))
            write_block(plan, out, scope);
    write_scope(plan, out, 0);
    for (scope = 0; (scope = next_scope(plan, scope));)
        if (!is_uniform(plan, scope))
            write_block(plan, out, scope);
}
