/* Which values reach a test, and trees that lean on each other. */
#include <math.h>

#include "tests/unit/support.h"

#include "tests/unit/optimizer/trees.h"

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

/* With rows of leaves or without. */
static void expect_same_cost(struct bench *bench, const struct table *tables, size_t count,
                             double cost)
{
    struct leaf_rows rows;
    leaf_rows_open(&rows);
    assert_true(fabs(tables_cost(&bench->shaper, &number, tables, count, &rows) - cost) < 1e-9);
    leaf_rows_close(&rows);
}

/* The second table is the first one behind an AND that two quarters of its values go through. */
static void test_costs_behind_a_mask(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(13);
    struct bench bench;
    struct weighted_value low[700], high[1400];
    open_bench(fixture, &bench, 0);
    for (uint32_t i = 0; i < COUNT_OF(low); i++) {
        low[i] = (struct weighted_value){i, random_below(&random, 100) / 1000.0};
        high[i] = (struct weighted_value){X32_BIT + i, random_below(&random, 100) / 1000.0};
        high[700 + i] = (struct weighted_value){2 * X32_BIT + i, random_below(&random, 9) / 100.0};
    }
    for (unsigned round = 0; round < 20; round++) {
        struct block *tree = random_tree(&bench, &random, 8);
        struct block *deny = block_return(&bench.shaper, 9);
        struct block *masked = block_mask(&bench.shaper, &number, X32_BIT - 1, tree);
        struct block *root = test(&bench, TEST_GREATER_EQUAL, X32_BIT + 3, masked, deny);
        struct table tables[] = {{tree, low, COUNT_OF(low)}, {root, high, COUNT_OF(high)}};
        double cost = tables_cost(&bench.shaper, &number, tables, COUNT_OF(tables), NULL);
        assert_true(cost > 1);
        expect_same_cost(&bench, tables, COUNT_OF(tables), cost);
    }
}

/* Of two ways to one test the heavier one goes on to it, and the other one jumps. */
static void test_one_way_goes_on_to_a_test(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    open_bench(fixture, &bench, 0);
    struct block *allow = block_return(&bench.shaper, 1), *deny = block_return(&bench.shaper, 2);
    struct block *shared = test(&bench, TEST_EQUAL, 40, deny, allow);
    struct block *other = test(&bench, TEST_GREATER_EQUAL, 5, shared, deny);
    struct block *root = test(&bench, TEST_GREATER_EQUAL, 10, shared, other);
    const struct weighted_value values[] = {{0, 0.1}, {7, 0.3}, {20, 0.2}, {40, 0.4}};
    struct table table = {.root = root, .values = values, .value_count = COUNT_OF(values)};
    double plain = tables_cost(&bench.shaper, &number, &table, 1, NULL);
    bench.effort.jump = 3;
    double with_jumps = tables_cost(&bench.shaper, &number, &table, 1, NULL);
    /* root: 0.4 to `other`; other: 0.3 to `shared`, which follows root, and 0.1 to a return;
     * shared: 0.9 to returns */
    double jumps = (with_jumps - plain) / (bench.effort.lambda * bench.effort.jump);
    assert_true(fabs(jumps - (0.4 + 0.3 + 0.1 + 0.9)) < 1e-9);
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
        double cost = tables_cost(&bench.shaper, &number, before, COUNT_OF(before), NULL);
        polish_tables(&bench.shaper, &number, after, COUNT_OF(after));
        double polished = tables_cost(&bench.shaper, &number, after, COUNT_OF(after), NULL);
        expect_same_cost(&bench, after, COUNT_OF(after), polished);
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
        const struct leaf_segment *segment = row->segments;
        for (uint32_t value = 0; value < LEAF_VALUES; value++) {
            segment += segment->last < value;
            assert_ptr_equal(leaf_segment_at(row, value), segment);
            assert_ptr_equal(segment->leaf, leaf_of(*tree, value));
            assert_int_equal(segment->depth, tree_depth(&number, *tree, value));
            assert_int_equal(segment->jumps, half_jumps_to(*tree, value));
        }
        assert_int_equal(segment->last, LEAF_VALUES - 1);
        assert_ptr_equal(segment, &row->segments[row->count - 1]);
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
    assert_ptr_equal(leaf_segment_at(row, 299)->leaf, allow);
    assert_ptr_equal(leaf_segment_at(row, 300)->leaf, masked);
    assert_int_equal(leaf_segment_at(row, 300)->depth, 1);
    leaf_rows_close(&rows);
}

/* ---- offers --------------------------------------------------------------------------------- */

#define DOMAIN 700u /* some of it above what rows know */

struct table_search {
    struct outcome runs[64];
    struct value_range cares[64];
    struct weighted_value values[DOMAIN];
    struct search search;
};

/* Random runs, of which random parts occur; in x32's numbers when `base` is their bit. */
static void open_search(struct table_search *t, struct bench *bench, struct arena *arena,
                        struct random *random, uint32_t base)
{
    *t = (struct table_search){.search = {.shaper = &bench->shaper,
                                          .arena = arena,
                                          .tested = &number,
                                          .effort = bench->shaper.effort,
                                          .runs = t->runs,
                                          .values = t->values,
                                          .cares = t->cares}};
    for (uint32_t at = 0; at < DOMAIN; t->search.count++) {
        uint32_t length = 1 + random_below(random, random_below(random, 3) ? 12 : 60);
        length =
            t->search.count + 1 == COUNT_OF(t->runs) || at + length > DOMAIN ? DOMAIN - at : length;
        t->runs[t->search.count] = (struct outcome){
            base + at, base + at + length - 1,
            block_return(&bench->shaper, 1 + random_below(random, 3)), length == 1, base + at};
        at += length;
    }
    for (uint32_t at = random_below(random, 3);
         at < DOMAIN && t->search.care_count < COUNT_OF(t->cares);) {
        uint32_t last = at + random_below(random, 30);
        last = last < DOMAIN ? last : DOMAIN - 1;
        t->cares[t->search.care_count++] = (struct value_range){base + at, base + last};
        at = last + 2 + random_below(random, 9);
    }
    for (uint32_t i = 0; i < DOMAIN; i++) {
        bool occurs = false;
        for (size_t k = 0; k < t->search.care_count; k++)
            occurs |= t->cares[k].first <= base + i && base + i <= t->cares[k].last;
        if (occurs)
            t->values[t->search.value_count++] =
                (struct weighted_value){base + i, random_below(random, 100) / 1000.0};
    }
    search_begin(&t->search);
}

/* What an offer does with each run, value by value. */
static void expect_offer(const struct table_search *t, size_t column)
{
    const struct search *search = &t->search;
    const struct offer *offer = &search->offers[column];
    double path = 0;
    for (size_t run = 0; run < search->count; run++) {
        uint32_t wrong = 0;
        for (size_t i = search->value_before[run]; i < search->value_before[run + 1]; i++) {
            uint32_t value = search->values[i].value & offer->mask;
            wrong += leaf_of(offer->block, value) != search->runs[run].target;
            path += search->values[i].weight *
                    (tree_depth(&number, offer->block, value) +
                     search->effort->jump * half_jumps_to(offer->block, value) / 2);
        }
        uint32_t said = search->sums.mismatches[(run + 1) * search->sums.columns + column] -
                        search->sums.mismatches[run * search->sums.columns + column];

        if (wrong <= OFFER_MISMATCHES_MOST)
            assert_int_equal(said, wrong);
        else
            assert_true(said > OFFER_MISMATCHES_MOST);
        assert_true(fabs(search->sums.path[(run + 1) * search->sums.columns + column] - path) <
                    1e-9);
    }
}

/* Where an offer serves an interval, the block that is built of it does the right thing there. */
static unsigned expect_built(struct table_search *t, size_t column)
{
    struct search *search = &t->search;
    unsigned built = 0;
    for (size_t first = 0; first + 1 < search->count; first += 3) {
        size_t last = first + 1;
        uint32_t wrong = search->sums.mismatches[(last + 1) * search->sums.columns + column] -
                         search->sums.mismatches[first * search->sums.columns + column];
        if (wrong > OFFER_MISMATCHES_MOST)
            continue;
        const struct block *block = offer_build(search, &search->offers[column], first, last);
        built++;
        for (size_t i = search->value_before[first]; i < search->value_before[last + 1]; i++) {
            size_t run = i < search->value_before[last] ? first : last;
            const struct block *at = block;
            uint32_t value = search->values[i].value;
            while (block_is_inner(at, &number)) {
                bool masks = at->kind == BLOCK_MASK;
                bool yes = masks || block_holds(at, value);
                value &= masks ? at->constant : 0xffffffffu;
                at = yes ? at->yes : at->no;
            }
            assert_ptr_equal(at, search->runs[run].target);
        }
    }
    return built;
}

/* With what is known of small values, masked or not, and with walks above them. */
static void test_offers_do_what_they_say(void **state)
{
    struct random random = random_seed(17);
    unsigned offers = 0, built = 0;
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct fixture fixture = {.arena = arena_new()};
        struct bench bench;
        struct leaf_rows rows;
        static struct table_search t;
        struct block *trees[12];
        open_bench(&fixture, &bench, 0);
        bench.effort.jump = round % 2 ? 3 : 0;
        open_search(&t, &bench, fixture.arena, &random, round % 4 < 2 ? 0 : X32_BIT);
        leaf_rows_open(&rows);
        t.search.leaf_rows = &rows;
        for (size_t i = 0; i < COUNT_OF(trees); i++)
            trees[i] = random_tree(&bench, &random, 5);
        offers_make(&t.search, trees, COUNT_OF(trees));
        for (size_t i = 0; i < t.search.offer_count; i++) {
            expect_offer(&t, i);
            built += expect_built(&t, i);
        }
        offers += (unsigned)t.search.offer_count;
        leaf_rows_close(&rows);
        arena_free(fixture.arena);
    }
    assert_true(offers > 100);
    assert_true(built > 100);
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
                                       TEST(test_costs_behind_a_mask),
                                       TEST(test_one_way_goes_on_to_a_test),
                                       TEST(test_offers_do_what_they_say),
                                       TEST(test_polishing_keeps_the_meaning)};
    return RUN_TESTS(tests);
}
