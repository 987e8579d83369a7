/* One switch: its table, and the strategies one after the other. */
#include <math.h>
#include <string.h>

#include "optimizer/switch.h"

/* A call is tested in front of everything when it is at least this share of what comes here. */
#define HOT_SHARE 0.10
#define HOT_MOST 3u
/* Blocks that later switches may lean on. */
#define STANDING_MOST 512u
/* Runs of all switches of a program that are searched whole; past them switches are split into
 * pieces first. */
#define RUNS_MOST 1024u
#define PIECE_RUNS_MOST 48u
/* Past so many tables of numbers lambda grows no more. */
#define TABLES_MOST 4u
/* A taken jump costs what three instructions cost that do not jump, measured (docs/OPTIMIZER.md).
 */
#define JUMP_COST 3.0
/* The factor on lambda for the first trees of several tables. */
#define SPEED_FIRST 16.0
/* Windows of the tables that lean on the first one, before polishing. */
#define LEANING_MASK_TESTS 1u

struct effort effort_of(enum optimization level)
{
    static const struct effort efforts[] = {
        [OPTIMIZE_0] = {.lambda = 15},
        [OPTIMIZE_1] = {.lambda = 15, .programs_intervals = true},
        [OPTIMIZE_2] = {.lambda = 15,
                        .programs_intervals = true,
                        .mask_tests = 2,
                        .reuses = true,
                        .polish_work = 230000,
                        .runs_often = 24},
        [OPTIMIZE_3] = {.lambda = 15,
                        .programs_intervals = true,
                        .mask_tests = 2,
                        .reuses = true,
                        .noise = 1,
                        .polish_work = 45000000,
                        .runs_often = 32,
                        .threshold = 0.8},
        [OPTIMIZE_SIZE] = {.lambda = 0.05,
                           .programs_intervals = true,
                           .mask_tests = 2,
                           .reuses = true,
                           .noise = 1,
                           .polish_work = 45000000,
                           .runs_often = 32,
                           .threshold = 0.8},
    };
    return efforts[level];
}

/* The tables of numbers below `root`; one whose numbers come twice (doubled.c) counts as two. */
static unsigned number_tables(const struct dag_node *root)
{
    struct arena *scratch = arena_new();
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(scratch, root, &count);
    unsigned tables = 0;
    for (size_t i = 0; i < count && tables < TABLES_MOST; i++) {
        const struct dag_node *node = nodes[i];
        if (!is_number_table(node))
            continue;
        uint32_t below = 1; /* runs that begin below x32's numbers, as in switch_is_doubled */
        while (below < node->edge_count && node->edges[below - 1].last < X32_BIT - 1)
            below++;
        tables += come_twice(below, node->edge_count - below) ? 2 : 1;
    }
    arena_free(scratch);
    return tables < TABLES_MOST ? tables : TABLES_MOST;
}

/* Where every permitted call runs the filter, and it is one for several ABIs: it is longer by the
 * others' tables, which none of this ABI's calls goes through, and an instruction more is worth
 * less time. */
static void for_several_tables(struct effort *effort, const struct dag_node *root)
{
    unsigned tables = number_tables(root);
    if (tables < 2 || !effort->reuses)
        return;
    effort->lambda *= tables;
    effort->speed_first = SPEED_FIRST;
}

struct effort effort_to_lean(const struct effort *effort)
{
    struct effort less = *effort;
    if (less.speed_first > 0 && less.mask_tests > LEANING_MASK_TESTS)
        less.mask_tests = LEANING_MASK_TESTS;
    return less;
}

struct effort effort_for(const struct shape_options *options, const struct dag_node *root)
{
    struct effort effort = effort_of(options->level);
    if (options->level != OPTIMIZE_SIZE && !kernel_remembers(options))
        for_several_tables(&effort, root);
    if (options->profile && options->level != OPTIMIZE_SIZE)
        effort.lambda *= PROFILE_FACTOR;
    if (options->lambda > 0)
        effort.lambda = options->lambda;
    if (effort.programs_intervals && options->level != OPTIMIZE_SIZE && kernel_remembers(options)) {
        effort.jump = JUMP_COST;
        effort.jumps_first = number_tables(root) < 2;
    }
    return effort;
}

struct price price_of(const struct shape_options *options, const struct dag_node *root)
{
    struct effort effort = effort_for(options, root);
    return (struct price){.lambda = effort.lambda, .jump = effort.jump};
}

double cost_at(struct price price, uint32_t instructions, double executed, double jumps)
{
    return instructions + price.lambda * (executed + price.jump * jumps);
}

/* ---- the hottest values
 * --------------------------------------------------------------------------- */

struct hot {
    size_t values[HOT_MOST]; /* indices, the heaviest first */
    size_t count;
};

static struct hot hottest(const struct weighted_value *values, size_t count)
{
    struct hot hot = {.count = 0};
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i].weight;
    while (hot.count < HOT_MOST) {
        size_t best = count;
        for (size_t i = 0; i < count; i++) {
            bool taken = false;
            for (size_t k = 0; k < hot.count; k++)
                taken = taken || hot.values[k] == i;
            if (!taken && values[i].weight > HOT_SHARE * total &&
                (best == count || values[i].weight > values[best].weight))
                best = i;
        }
        if (best == count)
            break;
        hot.values[hot.count++] = best;
    }
    return hot;
}

static struct block *target_of(const struct outcome *outcomes, size_t count, uint32_t value)
{
    size_t i = 0;
    while (i + 1 < count && outcomes[i].last < value)
        i++;
    return outcomes[i].target;
}

#define TREES_MOST (1 + LANDINGS_MOST)

/* Trees with the `peeled` hottest values tested in front: the cheapest, and those of which one way
 * goes on into a return. How many there are. */
static size_t with_hot(struct search *search, const struct hot *hot, size_t peeled,
                       struct block *trees[TREES_MOST])
{
    struct weighted_value *values =
        arena_copy(search->arena, search->values, search->value_count * sizeof *values);
    for (size_t i = 0; i < peeled; i++)
        values[hot->values[i]].weight = 0;
    struct search rest = *search;
    rest.arena = arena_new();
    rest.values = values;
    search_begin(&rest);
    double cost;
    trees[0] = shape_intervals(&rest, &cost);
    size_t count = 1 + shape_landing(&rest, trees + 1);
    arena_free(rest.arena);
    for (size_t k = 0; k < count; k++) {
        for (size_t i = peeled; i-- > 0;) {
            uint32_t value = search->values[hot->values[i]].value;
            trees[k] = block_test(search->shaper, search->tested, TEST_EQUAL, value,
                                  target_of(search->runs, search->count, value), trees[k]);
        }
    }
    return count;
}

/* ---- the switch
 * ----------------------------------------------------------------------------------- */

/* One tree: the dynamic program, the hottest values in front of it or not. */
static struct block *try_tree(struct search *search, double *cost)
{
    struct hot hot = hottest(search->values, search->value_count);
    struct block *best = NULL;
    *cost = INFINITY;
    for (size_t peeled = 0; peeled <= hot.count; peeled++) {
        struct block *trees[TREES_MOST];
        size_t count = with_hot(search, &hot, peeled, trees);
        for (size_t i = 0; i < count; i++) {
            double here = tree_cost(search->shaper, search->tested, trees[i], search->values,
                                    search->value_count);
            if (here < *cost - 1e-9) {
                *cost = here;
                best = trees[i];
            }
        }
    }
    return best;
}

/* A table that is short enough to be searched to the end needs the rest only for what stands
 * already.
 */
struct block *search_tree(struct search *search)
{
    struct shaper *shaper = search->shaper;
    double cost;
    search_begin(search);
    if (search->effort->reuses)
        offers_make(search, shaper->standing.items, shaper->standing.count);
    struct block *exhausted = search->effort->mask_tests ? shape_exhausted(search) : NULL;
    if (exhausted && !search->offer_count)
        return exhausted;
    struct block *best = try_tree(search, &cost);
    bool longer = !exhausted || tree_cost(shaper, search->tested, exhausted, search->values,
                                          search->value_count) >= cost - 1e-9;
    return longer ? best : exhausted;
}

void note_standing(struct shaper *shaper, const struct tested *tested, struct block *block)
{
    for (size_t i = 0; i < shaper->standing.count; i++) {
        if (shaper->standing.items[i] == block)
            return;
    }
    bool masks = block->kind == BLOCK_MASK;
    if ((!masks && !block_tests(block, tested)) || shaper->standing.count >= STANDING_MOST)
        return;
    vector_push(shaper->arena, &shaper->standing, block);
    note_standing(shaper, tested, block->yes);
    if (!masks)
        note_standing(shaper, tested, block->no);
}

/* Recursive, as deep as the logarithm of `count`. */
static struct block *split_in_two(struct shaper *shaper, const struct tested *tested,
                                  const struct outcome *outcomes, size_t count,
                                  const struct weighted_value *values, size_t value_count)
{
    size_t middle = count / 2, below = 0;
    uint32_t first = outcomes[middle].first;
    while (below < value_count && values[below].value < first)
        below++;
    struct block *low = shape_switch(shaper, tested, outcomes, middle, values, below);
    struct block *high = shape_switch(shaper, tested, outcomes + middle, count - middle,
                                      values + below, value_count - below);
    return block_test(shaper, tested, TEST_GREATER_EQUAL, first, high, low);
}

struct block *shape_switch(struct shaper *shaper, const struct tested *tested,
                           const struct outcome *outcomes, size_t count,
                           const struct weighted_value *values, size_t value_count)
{
    if (!shaper->effort->programs_intervals || count > BLOCK_MOST || shaper->full)
        return shape_balanced(shaper, tested, outcomes, count);
    if (count > INTERVAL_RUNS_MOST || (count > PIECE_RUNS_MOST && shaper->runs > RUNS_MOST))
        return split_in_two(shaper, tested, outcomes, count, values, value_count);
    shaper->runs += count;
    struct arena *scratch = arena_new();
    struct effort effort = *shaper->effort;
    if (effort.speed_first > 0 && is_whole_number(tested)) {
        effort.lambda *= effort.speed_first;
        if (shaper->number_tables++)
            effort = effort_to_lean(&effort);
    }
    effort.jump = effort.jumps_first ? jump_of(&effort, tested) : 0;
    struct search search = {.shaper = shaper,
                            .arena = scratch,
                            .tested = tested,
                            .effort = &effort,
                            .runs = outcomes,
                            .count = count,
                            .values = values,
                            .value_count = value_count,
                            .windows = shaper->windows};
    struct leaf_rows rows;
    leaf_rows_open(&rows);
    if (is_whole_number(tested))
        search.leaf_rows = &rows;
    struct block *best = switch_is_doubled(&search) ? shape_doubled(&search) : search_tree(&search);
    leaf_rows_close(&rows);
    arena_free(scratch);
    if (shaper->effort->reuses && tested->accumulator == ACCUMULATOR_FIELD)
        note_standing(shaper, tested, best);
    return best;
}
