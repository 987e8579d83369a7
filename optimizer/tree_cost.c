/* What the trees of tables cost: their tests, and the ways through them. */
#include <math.h>
#include <stdlib.h>

#include "optimizer/switch.h"

static void mark_tests(const struct tested *tested, const struct block *block, bool *seen,
                       uint32_t *count)
{
    if (seen[block->id] || !block_is_inner(block, tested))
        return;
    seen[block->id] = true;
    ++*count;
    mark_tests(tested, block->yes, seen, count);
    if (block->kind != BLOCK_MASK)
        mark_tests(tested, block->no, seen, count);
}

unsigned tree_depth(const struct tested *tested, const struct block *block, uint32_t value)
{
    unsigned depth = 0;
    for (;; depth++) {
        if (block->kind == BLOCK_MASK) {
            value &= block->constant;
            block = block->yes;
        } else if (block_tests(block, tested)) {
            block = block_holds(block, value) ? block->yes : block->no;
        } else {
            return depth;
        }
    }
}

/* ---- jumps ---------------------------------------------------------------------------------- */

/* What comes to each block, from whichever table. */
struct traffic {
    struct arena *arena;
    double *weight, *yes; /* by block id; yes: of these, those for which the test holds */
    VECTOR(const struct block *) blocks; /* tests and ANDs */
    VECTOR(const struct block *) returns;
    const struct way **after, **before; /* by block id: what goes on from it, and to it */
};

/* A way from one block to another that can be the next one in the program. */
struct way {
    double weight;
    const struct block *from, *to;
};
typedef VECTOR(struct way) way_list;

static void follow(struct traffic *traffic, const struct tested *tested, const struct block *block,
                   const struct weighted_value *weighted)
{
    uint32_t value = weighted->value;
    while (block_is_inner(block, tested)) {
        if (traffic->weight[block->id] == 0)
            vector_push(traffic->arena, &traffic->blocks, block);
        bool masks = block->kind == BLOCK_MASK;
        bool holds = masks || block_holds(block, value);
        traffic->weight[block->id] += weighted->weight;
        traffic->yes[block->id] += holds ? weighted->weight : 0;
        value &= masks ? block->constant : 0xffffffffu;
        block = holds ? block->yes : block->no;
    }
    if (block_leads_on(block))
        return;
    if (traffic->weight[block->id] == 0)
        vector_push(traffic->arena, &traffic->returns, block);
    traffic->weight[block->id] += weighted->weight;
}

static double way_weight(const struct traffic *traffic, const struct block *from, bool yes)
{
    double holding = traffic->yes[from->id];
    return yes ? holding : traffic->weight[from->id] - holding;
}

static void add_way(struct traffic *traffic, way_list *ways, const struct block *from, bool yes)
{
    const struct block *to = yes ? from->yes : from->no;
    double weight = way_weight(traffic, from, yes);
    if (from->kind == BLOCK_MASK)
        weight = INFINITY; /* else it takes a JA */
    if (block_leads_on(to) && weight > 0)
        vector_push(traffic->arena, ways, (struct way){weight, from, to});
}

static int compare_ways(const void *a, const void *b)
{
    const struct way *left = a, *right = b;
    if (left->weight != right->weight)
        return left->weight < right->weight ? 1 : -1;
    return (left->from->id > right->from->id) - (left->from->id < right->from->id);
}

/* ---- the first return (landing.c) ----------------------------------------------- */

/* What goes from a test right into the return, less what would go on to its other side. */
static double weight_landing(const struct traffic *traffic, const struct block *from,
                             const struct block *target)
{
    if (from->kind == BLOCK_MASK || (from->yes != target && from->no != target))
        return 0;
    double no = from->no == target ? way_weight(traffic, from, false) : 0;
    double yes =
        from->yes == target && from->test != TEST_SET ? way_weight(traffic, from, true) : 0;
    const struct block *other = yes > no ? from->no : from->yes;
    const struct way *after = traffic->after[from->id];
    return !layout_is_beside(other, target) ? 0
                                            : (yes > no ? yes : no) - (after ? after->weight : 0);
}

/* What is lost when the way to a block is a jump, and the other side of the test goes on. */
static double weight_lost(const struct traffic *traffic, const struct way *way)
{
    if (!way)
        return 0;
    const struct block *from = way->from;
    bool other = way->to == from->no; /* the other side is yes */
    const struct block *to = other ? from->yes : from->no;
    bool goes_on = block_leads_on(to) && !traffic->before[to->id] && to != way->to &&
                   !(other && from->test == TEST_SET);
    return way->weight - (goes_on ? way_weight(traffic, from, other) : 0);
}

/* Up along the row of tests that ends in the return, as long as the other sides can stand behind
 * it: somewhere the row begins, with what is jumped to. */
static double gain_of_landing(const struct traffic *traffic, const struct block *last,
                              const struct block *target)
{
    double landing = weight_landing(traffic, last, target), best = 0;
    const struct block *block = last;
    while (landing > 0) {
        const struct way *way = traffic->before[block->id];
        double gain = landing - weight_lost(traffic, way);
        best = gain > best ? gain : best;
        if (!way || way->from->kind == BLOCK_MASK ||
            !layout_is_beside(way->to == way->from->yes ? way->from->no : way->from->yes, target))
            break;
        block = way->from;
    }
    return best;
}

/* Of all returns the one to come first: what goes on into it, and what need not jump from it to the
 * end of the function. */
static double weight_of_first_return(const struct traffic *traffic, size_t block_count)
{
    double *landing = NEW_ARRAY(traffic->arena, double, block_count); /* by the return's id */
    double best = 0;
    for (size_t i = 0; i < traffic->blocks.count; i++) {
        const struct block *block = traffic->blocks.items[i], *sides[] = {block->yes, block->no};
        for (size_t k = 0; k < COUNT_OF(sides); k++) {
            if (block_leads_on(sides[k]))
                continue;
            double gain = gain_of_landing(traffic, block, sides[k]);
            double *most = &landing[sides[k]->id];
            *most = gain > *most ? gain : *most;
        }
    }
    for (size_t i = 0; i < traffic->returns.count; i++) {
        uint32_t id = traffic->returns.items[i]->id;
        double here = traffic->weight[id] + landing[id];
        best = here > best ? here : best;
    }
    return best;
}

static double weight_at_returns(const struct traffic *traffic)
{
    double sum = 0;
    for (size_t i = 0; i < traffic->returns.count; i++)
        sum += traffic->weight[traffic->returns.items[i]->id];
    return sum;
}

/* The weight that goes to the next block of the program: each block has one place behind it, and
 * one in front of it. The heaviest ways get theirs first, as in the layout (layout_weight.c). */
static double weight_going_on(struct traffic *traffic, size_t block_count)
{
    way_list ways = {0};
    traffic->after = NEW_ARRAY(traffic->arena, const struct way *, block_count);
    traffic->before = NEW_ARRAY(traffic->arena, const struct way *, block_count);
    double sum = 0;
    for (size_t i = 0; i < traffic->blocks.count; i++) {
        const struct block *block = traffic->blocks.items[i];
        /* The machine jumps on "any bit set": there is no such test for "none". */
        if (block->kind == BLOCK_MASK || block->test != TEST_SET)
            add_way(traffic, &ways, block, true);
        if (block->kind != BLOCK_MASK)
            add_way(traffic, &ways, block, false);
    }
    if (ways.count)
        qsort(ways.items, ways.count, sizeof *ways.items, compare_ways);
    for (size_t i = 0; i < ways.count; i++) {
        const struct way *way = &ways.items[i];
        if (traffic->after[way->from->id] || traffic->before[way->to->id])
            continue;
        traffic->after[way->from->id] = traffic->before[way->to->id] = way;
        sum += way->from->kind == BLOCK_MASK ? traffic->weight[way->from->id] : way->weight;
    }
    return sum;
}

static double jumps_of(const struct shaper *shaper, const struct tested *tested,
                       const struct table *tables, size_t count)
{
    struct arena *scratch = arena_new();
    size_t block_count = shaper->blocks.count;
    struct traffic traffic = {.arena = scratch,
                              .weight = NEW_ARRAY(scratch, double, block_count),
                              .yes = NEW_ARRAY(scratch, double, block_count)};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].value_count; k++) {
            if (tables[i].values[k].weight > 0)
                follow(&traffic, tested, tables[i].root, &tables[i].values[k]);
        }
    }
    double sum = 0;
    for (size_t i = 0; i < traffic.blocks.count; i++)
        sum += traffic.weight[traffic.blocks.items[i]->id];
    sum -= weight_going_on(&traffic, block_count);
    /* Tables that share tests jump into each other, and which way comes last is not known here. */
    if (shaper->effort->jumps_first)
        sum += weight_at_returns(&traffic) - weight_of_first_return(&traffic, block_count);
    arena_free(scratch);
    return sum;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* Executed tests: values that are small, behind a mask or not, by the segments of the test that
 * they come to then. */
static double executed_known(struct leaf_rows *rows, const struct tested *tested,
                             const struct table *table)
{
    const struct block *known = NULL;
    const struct leaf_segment *segment = NULL;
    uint32_t before = 0;
    double executed = 0;
    for (size_t k = 0; k < table->value_count; k++) {
        const struct block *block = table->root;
        uint32_t value = table->values[k].value;
        unsigned depth = 0;
        for (; value >= LEAF_VALUES && block_is_inner(block, tested); depth++) {
            bool masks = block->kind == BLOCK_MASK;
            bool yes = masks || block_holds(block, value);
            value &= masks ? block->constant : 0xffffffffu;
            block = yes ? block->yes : block->no;
        }
        if (block_is_inner(block, tested)) {
            if (block != known || value < before)
                segment = leaf_row_of(rows, tested, block)->segments;
            known = block;
            before = value;
            while (segment->last < value)
                segment++;
            bool ends = segment->depth < UINT8_MAX && !block_is_inner(segment->leaf, tested);
            depth += ends ? segment->depth : tree_depth(tested, block, value);
        }
        executed += table->values[k].weight * depth;
    }
    return executed;
}

static double executed_of(const struct tested *tested, const struct table *table)
{
    double executed = 0;
    for (size_t k = 0; k < table->value_count; k++)
        executed +=
            table->values[k].weight * tree_depth(tested, table->root, table->values[k].value);
    return executed;
}

static double paths_cost(const struct shaper *shaper, const struct tested *tested,
                         const struct table *tables, size_t count, struct leaf_rows *rows)
{
    double executed = 0, jump = jump_of(shaper->effort, tested);
    for (size_t i = 0; i < count; i++)
        executed += rows && block_is_inner(tables[i].root, tested)
                        ? executed_known(rows, tested, &tables[i])
                        : executed_of(tested, &tables[i]);
    if (jump > 0)
        executed += jump * jumps_of(shaper, tested, tables, count);
    return shaper->effort->lambda * executed;
}

double tree_cost(struct shaper *shaper, const struct tested *tested, struct block *root,
                 const struct weighted_value *values, size_t value_count)
{
    struct arena *scratch = arena_new();
    bool *seen = NEW_ARRAY(scratch, bool, shaper->blocks.count);
    uint32_t size = 0;
    for (size_t i = 0; i < shaper->standing.count; i++)
        seen[shaper->standing.items[i]->id] = true;
    mark_tests(tested, root, seen, &size);
    arena_free(scratch);
    struct table table = {root, values, value_count};
    return size + paths_cost(shaper, tested, &table, 1, NULL);
}

double tables_cost(struct shaper *shaper, const struct tested *tested, const struct table *tables,
                   size_t count, struct leaf_rows *rows)
{
    struct arena *scratch = arena_new();
    bool *seen = NEW_ARRAY(scratch, bool, shaper->blocks.count);
    uint32_t size = 0;
    for (size_t i = 0; i < count; i++)
        mark_tests(tested, tables[i].root, seen, &size);
    arena_free(scratch);
    return size + paths_cost(shaper, tested, tables, count, rows);
}
