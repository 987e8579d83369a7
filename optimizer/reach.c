/* The tests of all tables of one word together, and which values reach each of them.
 *
 * Tables share tests, and a test is reached on several ways. What it must do is said by the values
 * that come to it, on all ways together: for those it leads where it leads now. Every other value
 * is free: that is room for a cheaper tree. */
#include <stdlib.h>
#include <string.h>

#include "optimizer/switch.h"

/* A test that more ranges come to is left as it is. */
#define RANGES_MOST 512u

/* ---- the tests --------------------------------------------------------------------------------
 */

/* Recursive, as deep as the trees are. */
static void collect(struct forest *forest, struct block *block, struct block **by_id)
{
    if (!block_is_inner(block, forest->tested) || by_id[block->id])
        return;
    by_id[block->id] = block;
    forest->count++;
    collect(forest, block->yes, by_id);
    collect(forest, block->no, by_id);
}

/* A block is made after its targets: falling ids put it before them. */
static void put_in_order(struct forest *forest, struct block *const *by_id)
{
    size_t used = 0;
    forest->blocks = NEW_ARRAY(forest->arena, struct block *, forest->count);
    for (uint32_t id = forest->id_most + 1; id-- > 0;) {
        if (!by_id[id])
            continue;
        forest->blocks[used++] = by_id[id];
        forest->index_of[id] = (uint32_t)used;
    }
}

/* ---- what comes to them -----------------------------------------------------------------------
 */

static struct reach *reach_of(const struct forest *forest, const struct block *block)
{
    uint32_t index = block->id <= forest->id_most ? forest->index_of[block->id] : 0;
    return index ? &forest->reaches[index - 1] : NULL;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct value_range *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* Rising, without overlaps, and neighbours one. */
static void merge_ranges(struct reach *reach)
{
    size_t kept = 0;
    if (!reach->ranges.count)
        return;
    size_t rising = 1;
    while (rising < reach->ranges.count &&
           reach->ranges.items[rising - 1].first <= reach->ranges.items[rising].first)
        rising++;
    if (rising < reach->ranges.count)
        qsort(reach->ranges.items, reach->ranges.count, sizeof *reach->ranges.items,
              compare_ranges);
    for (size_t i = 1; i < reach->ranges.count; i++) {
        struct value_range *last = &reach->ranges.items[kept], next = reach->ranges.items[i];
        if (last->last == 0xffffffffu || next.first <= last->last + 1)
            last->last = next.last > last->last ? next.last : last->last;
        else
            reach->ranges.items[++kept] = next;
    }
    reach->ranges.count = kept + 1;
    reach->unknown = reach->unknown || reach->ranges.count > RANGES_MOST;
}

static void add_range(struct forest *forest, const struct block *target, uint32_t first,
                      uint32_t last)
{
    struct reach *reach = reach_of(forest, target);
    if (!reach)
        return;
    struct value_range *end =
        reach->ranges.count ? &reach->ranges.items[reach->ranges.count - 1] : NULL;
    if (end && end->last + 1 == first && first)
        end->last = last;
    else
        vector_push(forest->arena, &reach->ranges, (struct value_range){first, last});
}

static void add_unknown(struct forest *forest, const struct block *block)
{
    struct reach *yes = reach_of(forest, block->yes), *no = reach_of(forest, block->no);
    if (yes)
        yes->unknown = true;
    if (no)
        no->unknown = true;
}

static void pass_range(struct forest *forest, const struct block *block, struct value_range range)
{
    if (block->kind == BLOCK_MASK) {
        bool whole = ((range.first ^ range.last) & ~block->constant) == 0;
        if (whole)
            add_range(forest, block->yes, range.first & block->constant,
                      range.last & block->constant);
        else
            add_unknown(forest, block);
        return;
    }
    for (;;) {
        int side = block_settles(block, range.first, range.last);
        uint32_t end = range.last;
        if (side < 0) {
            end = block_cut(block, range.first);
            if (end >= range.last ||
                (block->test == TEST_SET && range.last - range.first > CUT_RANGE_MOST)) {
                add_unknown(forest, block);
                return;
            }
            side = block_settles(block, range.first, end);
        }
        if (side < 0) {
            pass_range(forest, block, (struct value_range){range.first, end});
        } else {
            add_range(forest, side ? block->yes : block->no, range.first, end);
        }
        if (end == range.last)
            return;
        range.first = end + 1;
    }
}

/* Where `count` more values have room; NULL: for nothing that is in the forest. */
static struct weighted_value *more_values(struct forest *forest, const struct block *target,
                                          size_t count)
{
    struct reach *reach = reach_of(forest, target);
    if (!reach || !count)
        return NULL;
    struct node_values *values = &reach->values;
    if (values->count + count > values->capacity) {
        struct weighted_value *items = values->items;
        values->capacity = values->count + count;
        values->items = NEW_ARRAY(forest->arena, struct weighted_value, values->capacity);
        if (values->count)
            memcpy(values->items, items, values->count * sizeof *items);
    }
    values->count += count;
    return &values->items[values->count - count];
}

static void pass_values(struct forest *forest, const struct block *block,
                        const struct node_values *values)
{
    if (block->kind == BLOCK_MASK) {
        struct weighted_value *masked = more_values(forest, block->yes, values->count);
        for (size_t i = 0; masked && i < values->count; i++)
            masked[i] = (struct weighted_value){values->items[i].value & block->constant,
                                                values->items[i].weight};
        return;
    }
    bool *holds = NEW_ARRAY(forest->arena, bool, values->count);
    size_t yes_count = 0;
    for (size_t i = 0; i < values->count; i++) {
        holds[i] = block_holds(block, values->items[i].value);
        yes_count += holds[i];
    }
    struct weighted_value *yes = more_values(forest, block->yes, yes_count);
    struct weighted_value *no = more_values(forest, block->no, values->count - yes_count);
    for (size_t i = 0; i < values->count; i++) {
        struct weighted_value **next = holds[i] ? &yes : &no;
        if (*next)
            *(*next)++ = values->items[i];
    }
}

static void pass_on(struct forest *forest, size_t index)
{
    struct reach *reach = &forest->reaches[index];
    const struct block *block = forest->blocks[index];
    merge_ranges(reach);
    merge_values(forest->arena, &reach->values);
    if (reach->unknown)
        add_unknown(forest, block);
    for (size_t i = 0; i < reach->ranges.count && !reach->unknown; i++)
        pass_range(forest, block, reach->ranges.items[i]);
    pass_values(forest, block, &reach->values);
}

void forest_make(struct forest *forest, struct arena *arena, const struct tested *tested,
                 const struct table *tables, size_t count)
{
    *forest = (struct forest){.arena = arena, .tested = tested};
    for (size_t i = 0; i < count; i++)
        forest->id_most =
            tables[i].root->id > forest->id_most ? tables[i].root->id : forest->id_most;
    forest->index_of = NEW_ARRAY(arena, uint32_t, (size_t)forest->id_most + 1);
    struct block **by_id = NEW_ARRAY(arena, struct block *, (size_t)forest->id_most + 1);
    for (size_t i = 0; i < count; i++)
        collect(forest, tables[i].root, by_id);
    put_in_order(forest, by_id);
    forest->reaches = NEW_ARRAY(arena, struct reach, forest->count);
    for (size_t i = 0; i < count; i++) {
        struct reach *reach = reach_of(forest, tables[i].root);
        if (!reach)
            continue;
        add_range(forest, tables[i].root, 0, 0xffffffffu);
        struct weighted_value *values = more_values(forest, tables[i].root, tables[i].value_count);
        if (values)
            memcpy(values, tables[i].values, tables[i].value_count * sizeof *values);
    }
    for (size_t i = 0; i < forest->count; i++)
        pass_on(forest, i);
}

/* ---- what one of them tells apart --------------------------------------------------------------
 */

#define STEPS_MOST 8192u

struct descent {
    const struct forest *forest;
    struct arena *arena;
    struct run_list *runs;
    unsigned steps;
    bool given_up;
};

/* Values in front of `first` that no run has never come: they go with the run before. */
static void add_outcome(struct descent *descent, uint32_t first, uint32_t last,
                        struct block *target)
{
    struct run_list *runs = descent->runs;
    struct outcome *before = runs->count ? &runs->items[runs->count - 1] : NULL;
    if (before && before->target == target) {
        before->last = last;
        before->lone = false;
        return;
    }
    if (before)
        before->last = first - 1;
    struct outcome run = {first, last, target, first == last, first};
    vector_push(descent->arena, runs, run);
    descent->given_up = descent->given_up || runs->count > INTERVAL_RUNS_MOST;
}

/* Recursive, as deep as the tests and cuts below `block`; given up after STEPS_MOST. */
static void descend(struct descent *descent, struct block *block, uint32_t first, uint32_t last)
{
    while (block_tests(block, descent->forest->tested) && !descent->given_up) {
        int side = block_settles(block, first, last);
        descent->given_up = descent->given_up || descent->steps++ > STEPS_MOST;
        if (side < 0) {
            uint32_t end = block_cut(block, first);
            if (end >= last || (block->test == TEST_SET && last - first > CUT_RANGE_MOST)) {
                descent->given_up = true;
                return;
            }
            descend(descent, block, first, end);
            first = end + 1;
            continue;
        }
        block = side ? block->yes : block->no;
    }
    if (!descent->given_up)
        add_outcome(descent, first, last, block);
}

bool forest_runs(const struct forest *forest, size_t index, struct arena *arena,
                 struct run_list *runs)
{
    const struct reach *reach = &forest->reaches[index];
    struct descent descent = {.forest = forest, .arena = arena, .runs = runs};
    if (reach->unknown || forest->blocks[index]->kind == BLOCK_MASK)
        return false;
    for (size_t i = 0; i < reach->ranges.count && !descent.given_up; i++)
        descend(&descent, forest->blocks[index], reach->ranges.items[i].first,
                reach->ranges.items[i].last);
    return !descent.given_up;
}

/* ---- putting another one in its place ----------------------------------------------------------
 */

static bool is_marked(const struct forest *forest, const bool *marks, const struct block *block)
{
    uint32_t index = block->id <= forest->id_most ? forest->index_of[block->id] : 0;
    return index && marks[index - 1];
}

bool *forest_above(const struct forest *forest, size_t index, struct arena *arena)
{
    bool *above = NEW_ARRAY(arena, bool, forest->count);
    above[index] = true;
    for (size_t i = index; i-- > 0;)
        above[i] = is_marked(forest, above, forest->blocks[i]->yes) ||
                   is_marked(forest, above, forest->blocks[i]->no);
    return above;
}

bool *forest_without(const struct forest *forest, size_t index, const struct table *tables,
                     size_t count, struct arena *arena)
{
    bool *stays = NEW_ARRAY(arena, bool, forest->count);
    for (size_t i = 0; i < count; i++) {
        uint32_t root = forest->index_of[tables[i].root->id];
        if (root)
            stays[root - 1] = true;
    }
    for (size_t i = 0; i < forest->count; i++) {
        if (!stays[i] || i == index)
            continue;
        const struct block *targets[2] = {forest->blocks[i]->yes, forest->blocks[i]->no};
        for (size_t k = 0; k < COUNT_OF(targets); k++) {
            uint32_t target = forest->index_of[targets[k]->id];
            if (target)
                stays[target - 1] = true;
        }
    }
    return stays;
}

static struct block *instead_of(const struct forest *forest, struct block *const *made,
                                struct block *block)
{
    uint32_t index = block->id <= forest->id_most ? forest->index_of[block->id] : 0;
    return index ? made[index - 1] : block;
}

void forest_replace(const struct forest *forest, struct shaper *shaper, size_t index,
                    struct block *made, const struct table *tables, size_t count,
                    struct table *replaced)
{
    struct arena *scratch = arena_new();
    struct block **by_index = arena_copy(scratch, forest->blocks, forest->count * sizeof *by_index);
    by_index[index] = made;
    for (size_t i = index; i-- > 0;) {
        struct block *block = forest->blocks[i];
        struct block *yes = instead_of(forest, by_index, block->yes);
        struct block *no = instead_of(forest, by_index, block->no);
        if (yes == block->yes && no == block->no)
            continue;
        by_index[i] =
            block->kind == BLOCK_MASK
                ? block_mask(shaper, forest->tested, block->constant, yes)
                : block_test(shaper, forest->tested, block->test, block->constant, yes, no);
    }
    for (size_t i = 0; i < count; i++) {
        replaced[i] = tables[i];
        replaced[i].root = instead_of(forest, by_index, tables[i].root);
    }
    arena_free(scratch);
}
