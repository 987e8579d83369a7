/* One subtree after the other taken out and found again.
 *
 * The dynamic program does not know, while it compares trees, which of their parts will be shared,
 * nor what the tables that are made later will need. Afterwards both are known. A test is taken
 * together with everything that comes to it (reach.c), and the dynamic program is run for just
 * that, with all other tests of all tables to lean on; a block above it cannot serve it, it would
 * lead back to it. What comes out is put in its place everywhere, and stays when all tables
 * together are no dearer.
 *
 * With more work to spend, costs are a little off, and for a while also what is a little dearer may
 * stay (threshold accepting, Dueck and Scheuer 1990): what shares more is often behind it. The best
 * that was seen is what is given. It ends because every try takes work. */
#include <math.h>
#include <string.h>

#include "optimizer/switch.h"

#define GAIN_LEAST 1e-6
/* What a try takes besides its search: steps for each test of the forest. */
#define STEPS_PER_BLOCK 8u
/* Blocks are never given back: the last half is kept for the rest of the program. */
#define POLISHED_BLOCKS_MOST (BLOCK_MOST / 2)

/* With few tests there is less to find: at most so many steps, times the cube of the tests. */
#define STEPS_PER_CUBE 200u
/* The part of the work that is kept for the sweeps at the end. */
#define SWEEPS_SHARE 8u
/* One try in so many looks for windows with one test more. */
#define WIDER_WINDOWS 4u

struct polish {
    struct shaper *shaper;
    const struct tested *tested;
    struct effort effort;
    struct arena *arena;
    struct forest forest;
    struct arena *forest_arena, *scratch; /* scratch: of one try */
    struct leaf_rows leaf_rows;
    struct table *tables, *best; /* now; cheapest so far */
    size_t count;
    double cost, best_cost;
    bool *tried; /* by block id, in the sweeps */
    struct random random;
    uint64_t begin, end; /* of the shaper's work */
};

/* ---- one try ----------------------------------------------------------------------------------
 */

static size_t offered_blocks(const struct polish *polish, size_t index, struct arena *arena,
                             struct block ***blocks)
{
    size_t count = 0;
    bool *above = forest_above(&polish->forest, index, arena);
    bool *stays = forest_without(&polish->forest, index, polish->tables, polish->count, arena);
    *blocks = NEW_ARRAY(arena, struct block *, polish->forest.count);
    for (size_t i = 0; i < polish->forest.count; i++) {
        if (!above[i] && stays[i] && polish->forest.blocks[i]->kind == BLOCK_TEST)
            (*blocks)[count++] = polish->forest.blocks[i];
    }
    return count;
}

/* Another tree for what comes to block `index`; NULL: it is left alone. */
static struct block *find_again(struct polish *polish, size_t index, struct arena *arena,
                                size_t runs_most, uint32_t seed)
{
    struct run_list runs = {0};
    if (!forest_runs(&polish->forest, index, arena, &runs) || runs.count > runs_most)
        return NULL;
    if (!runs.count) /* nothing ever comes there */
        return polish->forest.blocks[index]->no;
    if (runs.count == 1)
        return runs.items[0].target;
    const struct reach *reach = &polish->forest.reaches[index];
    struct search search = {.shaper = polish->shaper,
                            .arena = arena,
                            .tested = polish->tested,
                            .effort = &polish->effort,
                            .runs = runs.items,
                            .count = runs.count,
                            .values = reach->values.items,
                            .value_count = reach->values.count,
                            .cares = reach->ranges.items,
                            .care_count = reach->ranges.count,
                            .windows = polish->shaper->windows,
                            .leaf_rows = &polish->leaf_rows,
                            .windows_lean = true,
                            .seed = seed};
    struct block **blocks;
    size_t count = offered_blocks(polish, index, arena, &blocks);
    search_begin(&search);
    offers_make(&search, blocks, count);
    double cost;
    return shape_intervals(&search, &cost);
}

static void take(struct polish *polish, const struct table *tables, double cost)
{
    memcpy(polish->tables, tables, polish->count * sizeof *tables);
    polish->cost = cost;
    if (cost < polish->best_cost - GAIN_LEAST) {
        memcpy(polish->best, tables, polish->count * sizeof *tables);
        polish->best_cost = cost;
    }
    arena_clear(polish->forest_arena);
    forest_make(&polish->forest, polish->forest_arena, polish->tested, polish->tables,
                polish->count);
    leaf_rows_make_room(&polish->leaf_rows);
}

/* Whether the tables were given other trees. */
static bool try_block(struct polish *polish, size_t index, size_t runs_most, uint32_t seed,
                      double threshold)
{
    struct arena *scratch = polish->scratch;
    bool taken = false;
    polish->shaper->work += polish->forest.count * STEPS_PER_BLOCK;
    struct block *made = find_again(polish, index, scratch, runs_most, seed);
    if (made && made != polish->forest.blocks[index]) {
        struct table *replaced = NEW_ARRAY(scratch, struct table, polish->count);
        forest_replace(&polish->forest, polish->shaper, index, made, polish->tables, polish->count,
                       replaced);
        double cost = tables_cost(polish->shaper, polish->tested, replaced, polish->count,
                                  &polish->leaf_rows);
        if (cost < polish->cost + threshold) {
            take(polish, replaced, cost);
            taken = true;
        }
    }
    arena_clear(scratch);
    return taken;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static bool may_go_on(const struct polish *polish)
{
    const struct shaper *shaper = polish->shaper;
    return shaper->work < polish->end && !shaper->full &&
           shaper->blocks.count < POLISHED_BLOCKS_MOST && polish->forest.count;
}

/* The lowest tests first: what is found there serves those above. A test that was tried before is
 * only looked at for whether it still tells anything apart: above a replacement all tests are new
 * ones. */
static bool sweep(struct polish *polish, size_t runs_most)
{
    bool improved = false;
    for (size_t i = polish->forest.count; i-- > 0 && may_go_on(polish);) {
        if (i >= polish->forest.count)
            continue;
        bool *tried = &polish->tried[polish->forest.blocks[i]->id];
        if (try_block(polish, i, *tried ? 1 : runs_most, 0, -GAIN_LEAST))
            improved = true;
        *tried = true;
    }
    return improved;
}

static uint64_t work_of(const struct polish *polish)
{
    uint64_t most = polish->shaper->effort->polish_work, count = polish->forest.count;
    uint64_t work = count * count * count * STEPS_PER_CUBE; /* a program is short */
    return work < most ? work : most;
}

static void wander(struct polish *polish)
{
    uint32_t seed = 0;
    uint64_t end = polish->end - (polish->end - polish->begin) / SWEEPS_SHARE;
    while (may_go_on(polish) && polish->shaper->work < end) {
        double left = (double)(end - polish->shaper->work) / (double)(end - polish->begin);
        size_t index = random_below(&polish->random, (uint32_t)polish->forest.count);
        size_t runs_most =
            random_below(&polish->random, 8) ? polish->effort.runs_often : INTERVAL_RUNS_MOST;
        polish->effort.mask_tests = polish->shaper->effort->mask_tests +
                                    (random_below(&polish->random, WIDER_WINDOWS) == 0);
        double threshold = polish->effort.threshold * left + GAIN_LEAST;
        try_block(polish, index, runs_most, ++seed, threshold);
    }
}

void polish_tables(struct shaper *shaper, const struct tested *tested, struct table *tables,
                   size_t count)
{
    struct polish polish = {.shaper = shaper,
                            .tested = tested,
                            .effort = *shaper->effort,
                            .arena = arena_new(),
                            .count = count,
                            .random = random_seed(count),
                            .begin = shaper->work};
    polish.tables = NEW_ARRAY(polish.arena, struct table, count);
    polish.best = NEW_ARRAY(polish.arena, struct table, count);
    polish.tried = NEW_ARRAY(polish.arena, bool, BLOCK_MOST);
    polish.best_cost = INFINITY;
    polish.forest_arena = arena_new();
    polish.scratch = arena_new();
    leaf_rows_open(&polish.leaf_rows);
    take(&polish, tables, tables_cost(shaper, tested, tables, count, &polish.leaf_rows));
    polish.end = polish.begin + work_of(&polish);
    while (may_go_on(&polish) && sweep(&polish, shaper->effort->runs_often))
        ;
    if (shaper->effort->threshold > 0) {
        wander(&polish);
        polish.effort.mask_tests = shaper->effort->mask_tests;
        memset(polish.tried, 0, BLOCK_MOST);
        take(&polish, polish.best, polish.best_cost);
        while (may_go_on(&polish) && sweep(&polish, shaper->effort->runs_often))
            ;
    }
    memcpy(tables, polish.best, count * sizeof *tables);
    leaf_rows_close(&polish.leaf_rows);
    arena_free(polish.scratch);
    arena_free(polish.forest_arena);
    arena_free(polish.arena);
}
