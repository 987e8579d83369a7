/* Windows against a search that knows nothing but the cost: every tree of tests of every
 * kind, ended by targets or by blocks that stand. */
#include <math.h>

#include "tests/unit/optimizer/trees.h"

#define SPAN WINDOW_SPAN_EXHAUSTED /* so short that every test is tried */

struct small {
    struct bench bench;
    struct search search;
    struct leaf_rows rows;
    struct outcome runs[SPAN];
    struct weighted_value values[SPAN];
    struct block *targets[SPAN]; /* by value, less `base` */
    uint32_t base;
    unsigned span;
    double cheapest[1u << SPAN][SPAN]; /* by set and tests; negative: not found yet */
};

/* Values of up to `kinds` targets. */
static void open_small(struct small *small, struct fixture *fixture, struct random *random,
                       unsigned round, unsigned kinds)
{
    *small = (struct small){.base = random_below(random, 100),
                            .span = 3 + random_below(random, SPAN - 2)};
    open_bench(fixture, &small->bench, 0);
    struct shaper *shaper = &small->bench.shaper;
    small->bench.effort.lambda = 1 + random_below(random, 20);
    small->bench.effort.jump = round % 2 ? 3 : 0;
    for (unsigned set = 0; set < 1u << SPAN; set++)
        for (unsigned tests = 0; tests < SPAN; tests++)
            small->cheapest[set][tests] = -1;
    static const struct tested other = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG0_LO, .mask = 0xffffffffu};
    struct block *targets[SPAN];
    for (unsigned i = 0; i < SPAN; i++)
        targets[i] = block_return(shaper, 1 + i);
    if (round % 3 == 2) /* it can be the next instruction */
        targets[kinds - 1] =
            block_test(shaper, &other, TEST_EQUAL, 5, targets[0], targets[kinds % SPAN]);
    size_t count = 0;
    for (unsigned at = 0; at < small->span; at++) {
        uint32_t value = small->base + at;
        small->targets[at] = targets[random_below(random, kinds)];
        small->values[at] = (struct weighted_value){value, random_below(random, 50) / 100.0};
        if (count && small->runs[count - 1].target == small->targets[at])
            small->runs[count - 1].last = value;
        else
            small->runs[count++] = (struct outcome){value, value, small->targets[at], false, value};
    }
    leaf_rows_open(&small->rows);
    small->search = (struct search){.shaper = shaper,
                                    .arena = fixture->arena,
                                    .tested = &number,
                                    .effort = &small->bench.effort,
                                    .runs = small->runs,
                                    .count = count,
                                    .values = small->values,
                                    .value_count = small->span,
                                    .windows = &small->bench.windows,
                                    .leaf_rows = &small->rows,
                                    .windows_lean = round % 4 < 3};
    search_begin(&small->search);
}

/* Trees of the same targets, of tests about as large as the window's values. */
static void offer_trees(struct small *small, struct random *random)
{
    struct block *trees[8];
    for (size_t i = 0; i < COUNT_OF(trees); i++) {
        trees[i] = small->targets[random_below(random, small->span)];
        for (unsigned tests = 1 + random_below(random, 3); tests > 0; tests--) {
            enum test_operation operation = (enum test_operation)random_below(random, 4);
            uint32_t constant = operation == TEST_SET
                                    ? 1 + random_below(random, 15)
                                    : small->base + random_below(random, small->span);
            struct block *end = small->targets[random_below(random, small->span)];
            trees[i] = test(&small->bench, operation, constant, trees[i], end);
        }
    }
    offers_make(&small->search, trees, COUNT_OF(trees));
}

/* ---- the other search. A set is a word of bits, one for each value. */

static double weight_of(const struct small *small, unsigned set)
{
    double sum = 0;
    for (unsigned at = 0; at < small->span; at++)
        sum += set >> at & 1 ? small->values[at].weight : 0;
    return sum;
}

static const struct block *only_target(const struct small *small, unsigned set)
{
    const struct block *only = NULL;
    for (unsigned at = 0; at < small->span; at++) {
        if (!(set >> at & 1))
            continue;
        if (only && small->targets[at] != only)
            return NULL;
        only = small->targets[at];
    }
    return only;
}

static double cheapest_standing(const struct small *small, unsigned set)
{
    double least = INFINITY;
    const struct effort *effort = small->search.effort;
    for (size_t i = 0; small->search.windows_lean && i < small->search.offer_count; i++) {
        const struct block *block = small->search.offers[i].block;
        double cost = 0;
        for (unsigned at = 0; at < small->span; at++) {
            uint32_t value = small->base + at;
            if (!(set >> at & 1))
                continue;
            if (leaf_of(block, value) != small->targets[at])
                cost = INFINITY;
            cost += effort->lambda * small->values[at].weight *
                    (tree_depth(&number, block, value) +
                     effort->jump * half_jumps_to(block, value) / 2);
        }
        least = cost < least ? cost : least;
    }
    return least;
}

static double cheapest(struct small *small, unsigned set, unsigned tests);

static double cost_of_test(struct small *small, unsigned set, enum test_operation operation,
                           uint32_t constant, unsigned tests)
{
    const struct block block = {.test = operation, .constant = constant};
    const struct effort *effort = small->search.effort;
    unsigned yes = 0;
    for (unsigned at = 0; at < small->span; at++)
        yes |= (unsigned)block_holds(&block, small->base + at) << at;
    unsigned no = set & ~yes;
    yes &= set;
    if (!yes || !no)
        return INFINITY;
    const struct block *yes_only = only_target(small, yes), *no_only = only_target(small, no);
    double jumping =
        weight_jumping(operation, weight_of(small, yes), !yes_only || block_leads_on(yes_only),
                       weight_of(small, no), !no_only || block_leads_on(no_only));
    double sides = tests == 1 && yes_only && no_only ? 0 : INFINITY; /* the last one ends it */
    for (unsigned below = 0; below < tests && tests > 1; below++) {
        double cost = cheapest(small, yes, below) + cheapest(small, no, tests - 1 - below);
        sides = cost < sides ? cost : sides;
    }
    return 1 + effort->lambda * (weight_of(small, set) + effort->jump * jumping) + sides;
}

static double cheapest(struct small *small, unsigned set, unsigned tests)
{
    if (only_target(small, set))
        return 0;
    if (small->cheapest[set][tests] >= 0)
        return small->cheapest[set][tests];
    double least = cheapest_standing(small, set);
    for (unsigned operation = 0; operation < 4 && tests; operation++) {
        uint32_t first = operation == TEST_SET ? 1 : small->base;
        uint32_t last = operation == TEST_SET ? 127 : small->base + small->span;
        for (uint32_t constant = first; constant <= last; constant++) {
            double cost = cost_of_test(small, set, (enum test_operation)operation, constant, tests);
            least = cost < least ? cost : least;
        }
    }
    small->cheapest[set][tests] = least;
    return least;
}

static void expect_meaning(const struct small *small, const struct block *block)
{
    for (unsigned at = 0; at < small->span; at++)
        assert_ptr_equal(leaf_of(block, small->base + at), small->targets[at]);
}

static unsigned end_in_standing(const struct window_tree *tree)
{
    if (tree->target)
        return block_tests(tree->target, &number);
    return end_in_standing(tree->yes) + end_in_standing(tree->no);
}

struct tally {
    unsigned found, standing, jumping, cheapest_jumping;
};

/* Where jumps count a window is a little coarse: where one test is enough it takes no more, though
 * a mask test may jump both ways. */
static void expect_cheapest(struct small *small, unsigned tests, struct tally *tally)
{
    double cost, least = cheapest(small, (1u << small->span) - 1, tests);
    size_t last = small->search.count - 1;
    const struct window_tree *tree = window_find(&small->search, 0, last, tests, INFINITY, &cost);
    assert_true(tree ? cost > least - 1e-9 : least == INFINITY);
    bool cheapest_of_all = !tree || cost < least + 1e-9;
    if (small->bench.effort.jump == 0)
        assert_true(cheapest_of_all);
    if (!tree)
        return;
    tally->found++;
    tally->standing += end_in_standing(tree) > 0;
    tally->jumping += small->bench.effort.jump > 0;
    tally->cheapest_jumping += small->bench.effort.jump > 0 && cheapest_of_all;
    expect_meaning(small, window_build(&small->search, tree));
    double again;
    tree = window_find(&small->search, 0, last, tests, cost + 1e-6, &again);
    assert_true(tree && fabs(again - cost) < 1e-9);
    if (small->search.windows_lean) /* else the answer is kept */
        assert_null(window_find(&small->search, 0, last, tests, cost - 1e-6, &again));
}

static struct tally search_windows(unsigned seed, unsigned rounds, bool any_tests)
{
    struct random random = random_seed(seed);
    struct tally tally = {0};
    for (unsigned round = 0; round < rounds; round++) {
        struct fixture fixture = {.arena = arena_new()};
        static struct small small;
        unsigned kinds = 2 + random_below(&random, any_tests ? SPAN - 1 : 2);
        open_small(&small, &fixture, &random, round, kinds);
        offer_trees(&small, &random);
        if (small.search.count > 1)
            expect_cheapest(&small, any_tests ? SPAN - 1 : 2, &tally);
        leaf_rows_close(&small.rows);
        arena_free(fixture.arena);
    }
    return tally;
}

static void expect_all_kinds(const struct tally *tally)
{
    assert_true(tally->found > 200);
    assert_true(tally->standing > 40);
    assert_true(tally->jumping > 100);
    assert_true(tally->cheapest_jumping * 100 > tally->jumping * 97);
}

static void test_nothing_of_two_tests_is_cheaper(void **state)
{
    (void)state;
    struct tally tally = search_windows(23, 600, false);
    expect_all_kinds(&tally);
}

/* In windows so short trees of any tests are searched. */
static void test_nothing_of_any_tests_is_cheaper(void **state)
{
    (void)state;
    struct tally tally = search_windows(29, 400, true);
    expect_all_kinds(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing_of_two_tests_is_cheaper),
                                       TEST(test_nothing_of_any_tests_is_cheaper)};
    return RUN_TESTS(tests);
}
