/* Windows against a search that knows nothing but the cost: every tree of a few tests of every
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
};

static void open_small(struct small *small, struct fixture *fixture, struct random *random,
                       unsigned round)
{
    *small = (struct small){.base = random_below(random, 100),
                            .span = 3 + random_below(random, SPAN - 2)};
    open_bench(fixture, &small->bench, 0);
    struct shaper *shaper = &small->bench.shaper;
    small->bench.effort.lambda = 1 + random_below(random, 20);
    small->bench.effort.jump = round % 2 ? 3 : 0;
    static const struct tested other = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG0_LO, .mask = 0xffffffffu};
    struct block *targets[3] = {block_return(shaper, 1), block_return(shaper, 2),
                                block_return(shaper, 3)};
    if (round % 3 == 2) /* it can be the next instruction */
        targets[2] = block_test(shaper, &other, TEST_EQUAL, 5, targets[0], targets[1]);
    unsigned kinds = 2 + random_below(random, 2);
    size_t count = 0;
    for (unsigned at = 0; at < small->span; at++) {
        uint32_t value = small->base + at;
        small->targets[at] = targets[3 - kinds + random_below(random, kinds)];
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

static double cheapest(const struct small *small, unsigned set, unsigned tests);

static double cost_of_test(const struct small *small, unsigned set, enum test_operation operation,
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

static double cheapest(const struct small *small, unsigned set, unsigned tests)
{
    if (only_target(small, set))
        return 0;
    double least = cheapest_standing(small, set);
    for (unsigned operation = 0; operation < 4 && tests; operation++) {
        uint32_t first = operation == TEST_SET ? 1 : small->base;
        uint32_t last = operation == TEST_SET ? 127 : small->base + small->span;
        for (uint32_t constant = first; constant <= last; constant++) {
            double cost = cost_of_test(small, set, (enum test_operation)operation, constant, tests);
            least = cost < least ? cost : least;
        }
    }
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

/* Two tests at most. Where jumps count a window is a little coarse: of tests that part the values
 * alike it knows one, and where one test is enough it takes the first kind that does. */
static void test_nothing_is_cheaper(void **state)
{
    struct random random = random_seed(23);
    unsigned found = 0, standing = 0, jumping = 0, cheapest_jumping = 0;
    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        struct fixture fixture = {.arena = arena_new()};
        static struct small small;
        open_small(&small, &fixture, &random, round);
        offer_trees(&small, &random);
        if (small.search.count > 1) {
            double cost, least = cheapest(&small, (1u << small.span) - 1, 2);
            const struct window_tree *tree =
                window_find(&small.search, 0, small.search.count - 1, 2, INFINITY, &cost);
            assert_true(tree ? cost > least - 1e-9 : least == INFINITY);
            bool cheapest_of_all = !tree || cost < least + 1e-9;
            if (small.bench.effort.jump == 0)
                assert_true(cheapest_of_all);
            if (tree) {
                found++;
                standing += end_in_standing(tree) > 0;
                jumping += small.bench.effort.jump > 0;
                cheapest_jumping += small.bench.effort.jump > 0 && cheapest_of_all;
                expect_meaning(&small, window_build(&small.search, tree));
            }
        }
        leaf_rows_close(&small.rows);
        arena_free(fixture.arena);
    }
    assert_true(found > 200);
    assert_true(standing > 50);
    assert_true(jumping > 100);
    assert_true(cheapest_jumping * 10 > jumping * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing_is_cheaper)};
    return RUN_TESTS(tests);
}
