/* Trees of which one way goes on into a return, against every tree of splits there is: each is
 * weighed with every row of tests that could stand in front of that return. */
#include <math.h>

#include "tests/unit/optimizer/trees.h"

#define RUNS_MOST 7u
#define RETURNS 3u
#define ROUNDS 600u

/* Runs too wide to be peeled off by a chain, so that there are splits and nothing else. */
struct wide {
    struct bench bench;
    struct search search;
    struct block *returns[RETURNS];
    struct outcome runs[RUNS_MOST];
    struct weighted_value values[RUNS_MOST]; /* one in each run */
    size_t count;
};

static void open_wide(struct wide *wide, struct fixture *fixture, struct random *random)
{
    static const struct tested other = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG0_LO, .mask = 0xffffffffu};
    *wide = (struct wide){.count = 2 + random_below(random, RUNS_MOST - 1)};
    open_bench(fixture, &wide->bench, 0);
    wide->bench.effort.lambda = 1 + random_below(random, 20);
    wide->bench.effort.jump = 1 + random_below(random, 5);
    wide->bench.effort.jumps_first = true;
    wide->bench.effort.mask_tests = 0;
    struct shaper *shaper = &wide->bench.shaper;
    for (uint32_t i = 0; i < RETURNS; i++)
        wide->returns[i] = block_return(shaper, i + 1);
    struct block *check = block_test(shaper, &other, TEST_EQUAL, 5, wide->returns[0],
                                     wide->returns[1]); /* can be the next instruction */
    struct block *before = NULL, *target;
    for (uint32_t i = 0; i < wide->count; i++) {
        do
            target = random_below(random, 6) ? wide->returns[random_below(random, RETURNS)] : check;
        while (target == before);
        before = target;
        wide->runs[i] = (struct outcome){.first = 10 * i, .last = 10 * i + 9, .target = target};
        double weight = random_below(random, 3) ? random_below(random, 100000) / 1e5 : 0;
        wide->values[i] = (struct weighted_value){10 * i + 3, weight};
    }
    wide->search = (struct search){.shaper = shaper,
                                   .arena = fixture->arena,
                                   .tested = &number,
                                   .effort = &wide->bench.effort,
                                   .runs = wide->runs,
                                   .count = wide->count,
                                   .values = wide->values,
                                   .value_count = wide->count,
                                   .windows = &wide->bench.windows};
    search_begin(&wide->search);
}

/* ---- trees of splits --------------------------------------------------------------------------
 */

struct split {
    size_t first, last, above;      /* runs; first == last: a leaf */
    const struct split *low, *high; /* below `above`, and from it on */
};

struct splits {
    const struct split **items;
    size_t count, capacity;
};

static const struct split *new_split(struct arena *arena, struct split split)
{
    return arena_copy(arena, &split, sizeof split);
}

static struct splits every_tree(struct arena *arena, size_t first, size_t last)
{
    struct splits all = {0};
    if (first == last)
        vector_push(arena, &all, new_split(arena, (struct split){first, last, 0, NULL, NULL}));
    for (size_t above = first + 1; above <= last; above++) {
        struct splits low = every_tree(arena, first, above - 1);
        struct splits high = every_tree(arena, above, last);
        for (size_t i = 0; i < low.count * high.count; i++)
            vector_push(
                arena, &all,
                new_split(arena, (struct split){first, last, above, low.items[i % low.count],
                                                high.items[i / low.count]}));
    }
    return all;
}

static const struct split *tree_of_block(const struct wide *wide, struct arena *arena,
                                         const struct block *block, size_t first, size_t last)
{
    if (!block_tests(block, &number)) {
        assert_int_equal(first, last);
        const struct block *target = wide->runs[first].target;
        assert_true(block == target ||
                    (target->kind == BLOCK_RETURN && block->kind == BLOCK_RETURN &&
                     block->word == target->word)); /* a copy */
        return new_split(arena, (struct split){first, last, 0, NULL, NULL});
    }
    assert_int_equal(block->test, TEST_GREATER_EQUAL);
    size_t above = block->constant / 10;
    return new_split(arena, (struct split){first, last, above,
                                           tree_of_block(wide, arena, block->no, first, above - 1),
                                           tree_of_block(wide, arena, block->yes, above, last)});
}

/* ---- what they cost ---------------------------------------------------------------------------
 */

static double weight_of(const struct wide *wide, const struct split *tree)
{
    double sum = 0;
    for (size_t i = tree->first; i <= tree->last; i++)
        sum += wide->values[i].weight;
    return sum;
}

static bool leads_on(const struct wide *wide, const struct split *tree)
{
    return tree->low || block_leads_on(wide->runs[tree->first].target);
}

static double jumps(const struct wide *wide, double weight)
{
    return wide->bench.effort.lambda * wide->bench.effort.jump * weight;
}

static double test_cost(const struct wide *wide, const struct split *tree)
{
    return 1 + wide->bench.effort.lambda * weight_of(wide, tree);
}

/* One side of each test that leads on is next to it, the heavier one. */
static double plain_cost(const struct wide *wide, const struct split *tree)
{
    if (!tree->low)
        return 0;
    double low = weight_of(wide, tree->low), high = weight_of(wide, tree->high);
    bool low_on = leads_on(wide, tree->low), high_on = leads_on(wide, tree->high);
    double jumping = low_on && high_on ? fmin(low, high)
                     : low_on          ? high
                     : high_on         ? low
                                       : low + high;
    return test_cost(wide, tree) + jumps(wide, jumping) + plain_cost(wide, tree->low) +
           plain_cost(wide, tree->high);
}

/* Of what stands behind the return: one more for a copy of it. */
static double beside_cost(const struct wide *wide, const struct split *tree,
                          const struct block *target)
{
    bool copies = false;
    for (size_t i = tree->first; i <= tree->last; i++) {
        if (block_leads_on(wide->runs[i].target))
            return INFINITY;
        copies = copies || wide->runs[i].target == target;
    }
    return plain_cost(wide, tree) + (copies && tree->low ? 1 : 0);
}

/* A row that ends in the return, wherever it does. */
static double row_cost(const struct wide *wide, const struct split *tree,
                       const struct block *target)
{
    if (!tree->low)
        return wide->runs[tree->first].target == target ? 0 : INFINITY;
    double low = row_cost(wide, tree->low, target) + beside_cost(wide, tree->high, target) +
                 jumps(wide, weight_of(wide, tree->high));
    double high = row_cost(wide, tree->high, target) + beside_cost(wide, tree->low, target) +
                  jumps(wide, weight_of(wide, tree->low));
    return test_cost(wide, tree) + fmin(low, high);
}

static double landing_cost(const struct wide *wide, const struct split *tree,
                           const struct block *target);

/* The row is on `side` or below it. */
static double side_cost(const struct wide *wide, const struct split *tree, const struct split *side,
                        const struct split *other, const struct block *target)
{
    double above = test_cost(wide, tree) + plain_cost(wide, other), best = INFINITY;
    double weight = weight_of(wide, side);
    if (leads_on(wide, other))
        best = above + jumps(wide, weight) + row_cost(wide, side, target);
    if (side->low) {
        double lighter = fmin(weight, weight_of(wide, other));
        double jumping = leads_on(wide, other) ? lighter : weight_of(wide, other);
        best = fmin(best, above + jumps(wide, jumping) + landing_cost(wide, side, target));
    }
    return best;
}

/* With one row somewhere below the first test. */
static double landing_cost(const struct wide *wide, const struct split *tree,
                           const struct block *target)
{
    if (!tree->low)
        return INFINITY;
    return fmin(side_cost(wide, tree, tree->low, tree->high, target),
                side_cost(wide, tree, tree->high, tree->low, target));
}

/* ---- the tests --------------------------------------------------------------------------------
 */

/* The returns by falling weight, as shape_landing takes them. */
static size_t heaviest(const struct wide *wide, const struct block *targets[RETURNS])
{
    double weights[RETURNS] = {0};
    size_t count = 0;
    for (uint32_t k = 0; k < RETURNS; k++) {
        double weight = 0;
        for (size_t i = 0; i < wide->count; i++)
            weight += wide->runs[i].target == wide->returns[k] ? wide->values[i].weight : 0;
        if (weight == 0)
            continue;
        size_t place = count++;
        for (; place > 0 && weights[place - 1] < weight; place--) {
            weights[place] = weights[place - 1];
            targets[place] = targets[place - 1];
        }
        weights[place] = weight;
        targets[place] = wide->returns[k];
    }
    return count < LANDINGS_MOST ? count : LANDINGS_MOST;
}

static void test_nothing_is_cheaper(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(11);
    unsigned landed = 0, copied = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct wide wide;
        open_wide(&wide, fixture, &random);
        double cost;
        struct block *plain = shape_intervals(&wide.search, &cost);
        const struct split *plain_tree =
            tree_of_block(&wide, fixture->arena, plain, 0, wide.count - 1);
        assert_true(fabs(plain_cost(&wide, plain_tree) - cost) < 1e-9);
        struct block *trees[LANDINGS_MOST];
        size_t made = shape_landing(&wide.search, trees), next = 0;
        const struct block *targets[RETURNS];
        size_t target_count = heaviest(&wide, targets);
        struct splits all = every_tree(fixture->arena, 0, wide.count - 1);
        for (size_t k = 0; k < target_count; k++) {
            double least = INFINITY;
            for (size_t i = 0; i < all.count; i++)
                least = fmin(least, landing_cost(&wide, all.items[i], targets[k]));
            if (least == INFINITY)
                continue;
            assert_true(next < made);
            const struct split *tree =
                tree_of_block(&wide, fixture->arena, trees[next++], 0, wide.count - 1);
            double ours = landing_cost(&wide, tree, targets[k]);
            if (fabs(ours - least) > 1e-9)
                fail_msg("round %u: %g, but %g", round, ours, least);
            landed += ours < cost - 1e-9;
            struct block *again = block_return_again(&wide.bench.shaper, targets[k]->word);
            copied +=
                trees[next - 1] != block_substituted(&wide.search, trees[next - 1], again, plain);
        }
        assert_int_equal(next, made);
    }
    assert_true(landed > ROUNDS / 4 && copied > ROUNDS / 60); /* else little was seen */
}

/* How many jumps less a table is said to take when the first return and the way that goes on into
 * it count, rather than a jump into each return. */
static double jumps_saved(struct bench *bench, const struct table *table)
{
    bench->effort.jumps_first = false;
    double without = tables_cost(&bench->shaper, &number, table, 1, NULL);
    bench->effort.jumps_first = true;
    double with = tables_cost(&bench->shaper, &number, table, 1, NULL);
    return (without - with) / (bench->effort.lambda * bench->effort.jump);
}

static void test_the_cost_counts_one_way(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    open_bench(fixture, &bench, 0);
    bench.effort.jump = 3;
    struct block *deny = block_return(&bench.shaper, 1), *allow = block_return(&bench.shaper, 2);
    struct block *trap = block_return(&bench.shaper, 3);
    struct block *rest = test(&bench, TEST_EQUAL, 5, deny, trap);
    struct block *row = test(&bench, TEST_GREATER_EQUAL, 90, allow, deny);
    struct block *top = test(&bench, TEST_GREATER_EQUAL, 50, row, rest);
    /* `row` follows `top`. `rest` is jumped to, and 0.3 go on from it into `deny`, which comes
     * first; the others' 0.35 jump to its end. */
    const struct weighted_value some[] = {{4, 0.1}, {5, 0.3}, {60, 0.35}, {95, 0.25}};
    struct table table = {top, some, COUNT_OF(some)};
    assert_true(fabs(jumps_saved(&bench, &table) - (0.3 - 0.35)) < 1e-9);
    /* From `row` 0.55 go on into `deny`: for that 0.75 jump to it, and 0.25 need not to `rest`. */
    const struct weighted_value more[] = {{4, 0.25}, {60, 0.55}, {95, 0.2}};
    table = (struct table){top, more, COUNT_OF(more)};
    assert_true(fabs(jumps_saved(&bench, &table) - (0.55 - 0.75 + 0.25 - 0.45)) < 1e-9);
    /* What `row` leads to besides leads to `deny` as well and cannot stand behind it: what goes
     * from `rest` into `trap` is more. */
    const struct weighted_value last[] = {{4, 0.34}, {5, 0.01}, {60, 0.55}, {95, 0.1}};
    struct block *side = test(&bench, TEST_GREATER_EQUAL, 95, deny, allow);
    row = test(&bench, TEST_GREATER_EQUAL, 90, side, deny);
    table = (struct table){test(&bench, TEST_GREATER_EQUAL, 50, row, rest), last, COUNT_OF(last)};
    assert_true(fabs(jumps_saved(&bench, &table) - (0.34 - 0.55 - 0.1 - 0.01)) < 1e-9);
    /* It can when it leads to a copy: then 0.1 jump to it and to the end, and 0.65 to `row`. */
    side = test(&bench, TEST_GREATER_EQUAL, 95, block_return_again(&bench.shaper, 1), allow);
    row = test(&bench, TEST_GREATER_EQUAL, 90, side, deny);
    table.root = test(&bench, TEST_GREATER_EQUAL, 50, row, rest);
    assert_true(fabs(jumps_saved(&bench, &table) - (0.55 - 0.1 - 0.65 + 0.35 - 0.34 - 0.1)) < 1e-9);
    /* A test of another word can stand behind as well. */
    static const struct tested other = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG0_LO, .mask = 0xffffffffu};
    side = block_test(&bench.shaper, &other, TEST_EQUAL, 7, trap, allow);
    row = test(&bench, TEST_GREATER_EQUAL, 90, side, deny);
    table.root = test(&bench, TEST_GREATER_EQUAL, 50, row, rest);
    assert_true(fabs(jumps_saved(&bench, &table) - (0.55 - 0.1 - 0.65 + 0.35 - 0.34)) < 1e-9);
}

/* A second return stays apart from the first, from any other word's, and from a placeholder
 * whatever its id is. */
static void test_returns_apart(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    open_bench(fixture, &bench, 0);
    struct block *first = block_return(&bench.shaper, 1);
    struct block *placeholder = block_placeholder(&bench.shaper);
    for (uint32_t i = 2; i < 500; i++) /* the table of blocks grows, and takes the placeholder in */
        block_return(&bench.shaper, i);
    struct block *again = block_return_again(&bench.shaper, 1);
    assert_ptr_not_equal(first, again);
    assert_ptr_equal(again, block_return_again(&bench.shaper, 1));
    assert_ptr_equal(first, block_return(&bench.shaper, 1));
    assert_ptr_not_equal(again, block_return_again(&bench.shaper, 2));
    assert_ptr_not_equal(placeholder, block_return_again(&bench.shaper, placeholder->id));
    assert_int_equal(again->word, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing_is_cheaper),
                                       TEST(test_the_cost_counts_one_way),
                                       TEST(test_returns_apart)};
    return RUN_TESTS(tests);
}
