/* Which values reach a test, and trees that lean on each other. */
#include "tests/unit/support.h"

#include "optimizer/switch.h"

struct bench {
    struct shaper shaper;
    struct effort effort;
    struct windows windows;
};

static const struct shape_options options = {.level = OPTIMIZE_3};
static const struct tested number = {
    .accumulator = ACCUMULATOR_FIELD, .field = FIELD_NR, .mask = 0xffffffffu};

static void open_bench(struct fixture *fixture, struct bench *bench, uint64_t work)
{
    bench->effort = effort_of(OPTIMIZE_3);
    bench->effort.polish_work = work;
    bench->windows = (struct windows){.arena = fixture->arena};
    bench->shaper = (struct shaper){.arena = fixture->arena,
                                    .options = &options,
                                    .effort = &bench->effort,
                                    .windows = &bench->windows};
}

static struct block *test(struct bench *bench, enum test_operation operation, uint32_t constant,
                          struct block *yes, struct block *no)
{
    return block_test(&bench->shaper, &number, operation, constant, yes, no);
}

static const struct block *leaf_of(const struct block *block, uint32_t value)
{
    for (;;) {
        if (block->kind == BLOCK_MASK) {
            value &= block->constant;
            block = block->yes;
        } else if (block_tests(block, &number)) {
            block = block_holds(block, value) ? block->yes : block->no;
        } else {
            return block;
        }
    }
}

static size_t index_of(const struct forest *forest, const struct block *block)
{
    assert_true(forest->index_of[block->id] > 0);
    return forest->index_of[block->id] - 1;
}

static bool comes(const struct reach *reach, uint32_t value)
{
    for (size_t i = 0; i < reach->ranges.count; i++) {
        if (value >= reach->ranges.items[i].first && value <= reach->ranges.items[i].last)
            return true;
    }
    return false;
}

/* Every value is walked down; where it passes it must be said to come, and nowhere else. */
static void expect_exact(const struct forest *forest, const struct block *root)
{
    for (size_t i = 0; i < forest->count; i++) {
        for (uint32_t value = 0; value < 300; value++) {
            bool passes = false;
            for (const struct block *block = root; block_tests(block, &number);
                 block = block_holds(block, value) ? block->yes : block->no)
                passes = passes || block == forest->blocks[i];
            assert_int_equal(comes(&forest->reaches[i], value), passes);
        }
    }
}

static void test_reach(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    struct forest forest;
    open_bench(fixture, &bench, 0);
    struct block *allow = block_return(&bench.shaper, 1), *deny = block_return(&bench.shaper, 2);
    struct block *low = test(&bench, TEST_SET, 5, allow, deny);
    struct block *one = test(&bench, TEST_EQUAL, 77, allow, low);
    struct block *above = test(&bench, TEST_GREATER, 200, low, deny);
    struct block *bits = test(&bench, TEST_SET, 0x12, one, above);
    struct block *narrow = test(&bench, TEST_GREATER_EQUAL, 256, above, bits);
    struct table table = {.root = narrow};
    forest_make(&forest, fixture->arena, &number, &table, 1);
    assert_int_equal(forest.count, 5);
    assert_false(forest.reaches[index_of(&forest, low)].unknown);
    expect_exact(&forest, narrow);
}

/* Values that only an AND lets through are those behind it. */
static void test_reach_behind_a_mask(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    struct forest forest;
    open_bench(fixture, &bench, 0);
    struct block *allow = block_return(&bench.shaper, 1), *deny = block_return(&bench.shaper, 2);
    struct block *known = test(&bench, TEST_GREATER_EQUAL, 10, deny, allow);
    struct block *masked = block_mask(&bench.shaper, &number, ~X32_BIT, known);
    struct block *top = test(&bench, TEST_GREATER_EQUAL, X32_BIT + 400, deny, masked);
    struct block *root = test(&bench, TEST_GREATER_EQUAL, X32_BIT, top, deny);
    struct table table = {.root = root};
    forest_make(&forest, fixture->arena, &number, &table, 1);
    const struct reach *reach = &forest.reaches[index_of(&forest, known)];
    assert_int_equal(reach->ranges.count, 1);
    assert_int_equal(reach->ranges.items[0].first, 0);
    assert_int_equal(reach->ranges.items[0].last, 399);
}

static struct block *random_tree(struct bench *bench, struct random *random, unsigned depth)
{
    if (depth == 0 || random_below(random, 6) == 0)
        return block_return(&bench->shaper, 1 + random_below(random, 3));
    enum test_operation operation = (enum test_operation)random_below(random, 4);
    struct block *yes = random_tree(bench, random, depth - 1);
    struct block *no = random_tree(bench, random, depth - 1);
    return test(bench, operation, 1 + random_below(random, 120), yes, no);
}

/* Several tables, polished: each sends every value where it went before, and together they are no
 * dearer. */
static void test_polishing_keeps_the_meaning(void **state)
{
    struct random random = random_seed(11);
    unsigned cheaper = 0;
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct fixture fixture = {.arena = arena_new()};
        struct bench bench;
        struct table before[3], after[3];
        struct weighted_value values[128];
        open_bench(&fixture, &bench, 300000);
        for (uint32_t i = 0; i < COUNT_OF(values); i++)
            values[i] = (struct weighted_value){i, random_below(&random, 100) / 20000.0};
        for (size_t i = 0; i < COUNT_OF(before); i++)
            before[i] = (struct table){random_tree(&bench, &random, 6), values, COUNT_OF(values)};
        memcpy(after, before, sizeof before);
        double cost = tables_cost(&bench.shaper, &number, before, COUNT_OF(before));
        polish_tables(&bench.shaper, &number, after, COUNT_OF(after));
        double polished = tables_cost(&bench.shaper, &number, after, COUNT_OF(after));
        assert_true(polished <= cost + 1e-6);
        cheaper += polished < cost - 1e-6;
        for (size_t i = 0; i < COUNT_OF(before); i++) {
            for (uint32_t value = 0; value < 1000; value++)
                assert_ptr_equal(leaf_of(after[i].root, value), leaf_of(before[i].root, value));
            assert_ptr_equal(leaf_of(after[i].root, 0xffffffffu),
                             leaf_of(before[i].root, 0xffffffffu));
        }
        arena_free(fixture.arena);
    }
    assert_true(cheaper > 50);
}

/* Rows against walks, more than are kept, each asked for again after some were dropped. */
static void test_leaf_rows(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(5);
    struct bench bench;
    struct leaf_rows rows;
    struct block *trees[100];
    unsigned dropped = 0;
    open_bench(fixture, &bench, 0);
    leaf_rows_open(&rows);
    for (size_t i = 0; i < 2 * COUNT_OF(trees); i++) {
        struct block **tree = &trees[i % COUNT_OF(trees)];
        if (i < COUNT_OF(trees)) {
            do
                *tree = random_tree(&bench, &random, 8);
            while (!block_tests(*tree, &number));
        }
        const struct leaf_row *row = leaf_row_of(&rows, &number, *tree);
        for (uint32_t value = 0; value < LEAF_VALUES; value++) {
            assert_ptr_equal(row->leaves[value], leaf_of(*tree, value));
            assert_int_equal(row->depths[value], tree_depth(&number, *tree, value));
        }
        leaf_rows_make_room(&rows);
        dropped += rows.count == 0;
    }
    assert_true(dropped > 1);
    leaf_rows_close(&rows);
}

/* An AND is where a row ends: behind it A is another value. */
static void test_leaf_rows_end_at_a_mask(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    struct leaf_rows rows;
    open_bench(fixture, &bench, 0);
    struct block *allow = block_return(&bench.shaper, 1), *deny = block_return(&bench.shaper, 2);
    struct block *known = test(&bench, TEST_GREATER_EQUAL, 10, deny, allow);
    struct block *masked = block_mask(&bench.shaper, &number, 0xff, known);
    struct block *root = test(&bench, TEST_GREATER_EQUAL, 300, masked, allow);
    leaf_rows_open(&rows);
    const struct leaf_row *row = leaf_row_of(&rows, &number, root);
    assert_ptr_equal(row->leaves[299], allow);
    assert_ptr_equal(row->leaves[300], masked);
    assert_int_equal(row->depths[300], 1);
    leaf_rows_close(&rows);
}

/* Rising runs, few or many, with values that come several times: sums by value. */
static void test_values_are_merged(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(7);
    for (unsigned round = 0; round < 300; round++) {
        struct node_values values = {0};
        double sums[64] = {0};
        unsigned runs = random_below(&random, 14);
        for (unsigned run = 0; run < runs; run++) {
            for (uint32_t value = 0; value < COUNT_OF(sums); value++) {
                if (random_below(&random, 3))
                    continue;
                double weight = 1 + random_below(&random, 1000);
                struct weighted_value one = {value, weight};
                vector_push(fixture->arena, &values, one);
                sums[value] += weight;
            }
        }
        merge_values(fixture->arena, &values);
        size_t at = 0;
        for (uint32_t value = 0; value < COUNT_OF(sums); value++) {
            if (sums[value] == 0)
                continue;
            assert_true(at < values.count);
            assert_int_equal(values.items[at].value, value);
            assert_true(values.items[at++].weight == sums[value]);
        }
        assert_int_equal(at, values.count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_reach),
                                       TEST(test_reach_behind_a_mask),
                                       TEST(test_leaf_rows),
                                       TEST(test_leaf_rows_end_at_a_mask),
                                       TEST(test_values_are_merged),
                                       TEST(test_polishing_keeps_the_meaning)};
    return RUN_TESTS(tests);
}
