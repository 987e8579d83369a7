/* What the trees of tables cost: their tests, and the ways through them. */
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

/* What comes to each test, from whichever table. */
struct traffic {
    struct arena *arena;
    double *weight, *yes; /* by block id; yes: of these, those for which the test holds */
    VECTOR(const struct block *) blocks;
};

static void follow(struct traffic *traffic, const struct tested *tested, const struct block *block,
                   const struct weighted_value *weighted)
{
    uint32_t value = weighted->value;
    while (block_is_inner(block, tested)) {
        if (block->kind == BLOCK_MASK) {
            value &= block->constant;
            block = block->yes;
            continue;
        }
        if (traffic->weight[block->id] == 0)
            vector_push(traffic->arena, &traffic->blocks, block);
        bool holds = block_holds(block, value);
        traffic->weight[block->id] += weighted->weight;
        traffic->yes[block->id] += holds ? weighted->weight : 0;
        block = holds ? block->yes : block->no;
    }
}

static double jumps_of(const struct shaper *shaper, const struct tested *tested,
                       const struct table *tables, size_t count)
{
    struct arena *scratch = arena_new();
    struct traffic traffic = {.arena = scratch,
                              .weight = NEW_ARRAY(scratch, double, shaper->blocks.count),
                              .yes = NEW_ARRAY(scratch, double, shaper->blocks.count)};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].value_count; k++) {
            if (tables[i].values[k].weight > 0)
                follow(&traffic, tested, tables[i].root, &tables[i].values[k]);
        }
    }
    double sum = 0;
    for (size_t i = 0; i < traffic.blocks.count; i++) {
        const struct block *block = traffic.blocks.items[i];
        double yes = traffic.yes[block->id], no = traffic.weight[block->id] - yes;
        sum += weight_jumping(block->test, yes, block_leads_on(block->yes), no,
                              block_leads_on(block->no));
    }
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
