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
    unsigned cares; /* a set: the values that can occur */
    struct value_range care_ranges[SPAN];
    double cheapest[1u << SPAN][SPAN]; /* by set and tests; negative: not found yet */
};

static void open_small(struct small *small, struct fixture *fixture, uint32_t base, unsigned span)
{
    *small = (struct small){.base = base, .span = span, .cares = (1u << span) - 1};
    open_bench(fixture, &small->bench, 0);
    leaf_rows_open(&small->rows);
    for (unsigned set = 0; set < 1u << SPAN; set++)
        for (unsigned tests = 0; tests < SPAN; tests++)
            small->cheapest[set][tests] = -1;
}

/* With its targets, weights and effort. */
static void begin_search(struct small *small, struct fixture *fixture, bool leans)
{
    size_t count = 0;
    for (unsigned at = 0; at < small->span; at++) {
        uint32_t value = small->base + at;
        if (count && small->runs[count - 1].target == small->targets[at])
            small->runs[count - 1].last = value;
        else
            small->runs[count++] = (struct outcome){value, value, small->targets[at], false, value};
    }
    small->search = (struct search){.shaper = &small->bench.shaper,
                                    .arena = fixture->arena,
                                    .tested = &number,
                                    .effort = &small->bench.effort,
                                    .runs = small->runs,
                                    .count = count,
                                    .values = small->values,
                                    .value_count = small->span,
                                    .windows = &small->bench.windows,
                                    .leaf_rows = &small->rows,
                                    .windows_lean = leans};
    search_begin(&small->search);
}

static struct block *other_test(struct small *small, struct block *yes, struct block *no)
{
    static const struct tested other = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG0_LO, .mask = 0xffffffffu};
    return block_test(&small->bench.shaper, &other, TEST_EQUAL, 5, yes, no);
}

/* Values of up to `kinds` targets. */
static void open_random(struct small *small, struct fixture *fixture, struct random *random,
                        unsigned round, unsigned kinds)
{
    uint32_t base = random_below(random, 100);
    open_small(small, fixture, base, 3 + random_below(random, SPAN - 2));
    small->bench.effort.lambda = 1 + random_below(random, 20);
    small->bench.effort.jump = round % 2 ? 3 : 0;
    struct block *targets[SPAN];
    for (unsigned i = 0; i < SPAN; i++)
        targets[i] = block_return(&small->bench.shaper, 1 + i);
    if (round % 3 == 2) /* it can be the next instruction */
        targets[kinds - 1] = other_test(small, targets[0], targets[kinds % SPAN]);
    for (unsigned at = 0; at < small->span; at++) {
        small->targets[at] = targets[random_below(random, kinds)];
        small->values[at] =
            (struct weighted_value){small->base + at, random_below(random, 50) / 100.0};
    }
    begin_search(small, fixture, round % 4 < 3);
}

/* Only the values of a set can occur, as in a masked word. */
static void leave_out(struct small *small, unsigned set)
{
    size_t count = 0;
    small->cares &= set;
    for (unsigned at = 0; at < small->span; at++) {
        uint32_t value = small->base + at;
        if (small->cares >> at & 1)
            small->care_ranges[count++] = (struct value_range){value, value};
    }
    small->search.cares = small->care_ranges;
    small->search.care_count = count;
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

static void expect_meaning(const struct small *small, unsigned set, const struct block *block)
{
    for (unsigned at = 0; at < small->span; at++)
        if (set >> at & 1)
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
static void expect_cheapest(struct small *small, size_t first, unsigned tests, struct tally *tally)
{
    unsigned set = small->cares & ~0u << (small->runs[first].first - small->base);
    if (!set || only_target(small, set))
        return;
    double cost, least = cheapest(small, set, tests);
    size_t last = small->search.count - 1;
    const struct window_tree *tree =
        window_find(&small->search, first, last, tests, INFINITY, &cost);
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
    expect_meaning(small, set, window_build(&small->search, tree));
    double again;
    tree = window_find(&small->search, first, last, tests, cost + 1e-6, &again);
    assert_true(tree && fabs(again - cost) < 1e-9);
    if (small->search.windows_lean) /* else the answer is kept */
        assert_null(window_find(&small->search, first, last, tests, cost - 1e-6, &again));
}

static struct tally search_windows(unsigned seed, unsigned rounds, unsigned tests, bool masked)
{
    struct random random = random_seed(seed);
    struct tally tally = {0};
    for (unsigned round = 0; round < rounds; round++) {
        struct fixture fixture = {.arena = arena_new()};
        static struct small small;
        unsigned kinds = 2 + random_below(&random, tests > 2 ? SPAN - 1 : 2);
        open_random(&small, &fixture, &random, round, kinds);
        if (masked)
            leave_out(&small, 1u | random_below(&random, 1u << small.span));
        offer_trees(&small, &random);
        for (size_t first = 0; first + 1 < small.search.count && first < 2; first++)
            expect_cheapest(&small, first, tests, &tally);
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
    struct tally tally = search_windows(23, 600, 2, false);
    expect_all_kinds(&tally);
}

static void test_nothing_of_four_tests_is_cheaper(void **state)
{
    (void)state;
    struct tally tally = search_windows(37, 500, 4, false);
    expect_all_kinds(&tally);
}

/* In windows so short trees of any tests are searched. */
static void test_nothing_of_any_tests_is_cheaper(void **state)
{
    (void)state;
    struct tally tally = search_windows(29, 400, SPAN - 1, false);
    expect_all_kinds(&tally);
}

static void test_values_that_cannot_occur(void **state)
{
    (void)state;
    struct tally tally = search_windows(31, 1500, SPAN - 1, true);
    expect_all_kinds(&tally);
}

/* 1, 2, 5 and 6: bit 0 or bit 1 is set, and both tests tell them apart. Values go to two returns,
 * the first or the last value of each pair to a third one or to a test. */
static void test_masks_hold_for_the_side_that_jumps(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        struct fixture fixture = {.arena = arena_new()};
        static struct small small;
        open_small(&small, &fixture, 1, 6);
        small.bench.effort.lambda = 10;
        small.bench.effort.jump = 3;
        struct shaper *shaper = &small.bench.shaper;
        struct block *a = block_return(shaper, 1), *b = block_return(shaper, 2);
        struct block *odd = round & 1 ? other_test(&small, b, a) : block_return(shaper, 3);
        bool low = round & 2, heavy = round & 4;
        for (unsigned at = 0; at < small.span; at++) {
            uint32_t value = small.base + at;
            bool first = value & 1;
            small.targets[at] = first ? a : b;
            small.values[at] = (struct weighted_value){value, first == heavy ? 0.4 : 0.05};
            if (first == low && (value == 5 || value == 6 || round & 1))
                small.targets[at] = odd;
        }
        begin_search(&small, &fixture, false);
        leave_out(&small, 1u << 0 | 1u << 1 | 1u << 4 | 1u << 5);
        struct tally tally = {0};
        expect_cheapest(&small, 0, SPAN - 1, &tally);
        assert_int_equal(tally.cheapest_jumping, 1);
        leaf_rows_close(&small.rows);
        arena_free(fixture.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_of_two_tests_is_cheaper), TEST(test_nothing_of_four_tests_is_cheaper),
        TEST(test_nothing_of_any_tests_is_cheaper), TEST(test_values_that_cannot_occur),
        TEST(test_masks_hold_for_the_side_that_jumps)};
    return RUN_TESTS(tests);
}
