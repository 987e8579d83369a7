/* The search for tests of an argument: that what it finds means the switch, for all values, that it
 * is as small as is known, and that it is always the same. */
#include "tests/unit/support.h"

#include "optimizer/argument_search.h"
#include "optimizer/switch.h"
#include "smt/smt.h"

#define OUTCOMES_MOST 40u
#define TESTS_MOST 200u

/* One switch on the low word of argument 1. */
struct bench {
    struct arena *arena;
    struct shape_options options;
    struct effort effort;
    struct shaper shaper;
    struct block *targets[6];
    struct outcome outcomes[OUTCOMES_MOST];
    struct outcome_list list;
};

static const struct tested word = {
    .accumulator = ACCUMULATOR_FIELD, .field = FIELD_ARG1_LO, .mask = WHOLE};

static void bench_open(struct bench *bench, struct arena *arena, enum optimization level)
{
    *bench = (struct bench){.arena = arena, .options = {.level = level}};
    bench->effort = effort_of(level);
    bench->shaper =
        (struct shaper){.arena = arena, .options = &bench->options, .effort = &bench->effort};
    for (uint32_t i = 0; i < COUNT_OF(bench->targets); i++)
        bench->targets[i] = block_return(&bench->shaper, 0x00050000u + i);
    bench->list.items = bench->outcomes;
}

/* Rising: from `first` on, target number `target`. */
static void outcome_from(struct bench *bench, uint32_t first, unsigned target)
{
    struct outcome_list *list = &bench->list;
    if (list->count && list->items[list->count - 1].target == bench->targets[target])
        return;
    assert_true(list->count < OUTCOMES_MOST);
    if (list->count)
        list->items[list->count - 1].last = first - 1;
    list->items[list->count++] =
        (struct outcome){.first = first, .last = WHOLE, .target = bench->targets[target]};
}

static struct block *shape(struct bench *bench)
{
    struct node_values values = {0};
    return shape_argument(&bench->shaper, &word, bench->list.items, bench->list.count, &values);
}

/* AND, TAX, LD, LSH and JSET. */
#define BIT_TEST 5u

/* Instructions below `root`: tests, and an AND before each first test of a masked word. */
static unsigned instructions(const struct block *root)
{
    const struct block *found[TESTS_MOST] = {root};
    bool ands[TESTS_MOST] = {root->kind == BLOCK_TEST && root->mask != WHOLE};
    unsigned count = root->kind == BLOCK_TEST, size = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct block *sides[2] = {found[i]->yes, found[i]->no};
        for (unsigned side = 0; side < 2; side++) {
            unsigned place = 0;
            if (sides[side]->kind != BLOCK_TEST)
                continue;
            while (place < count && found[place] != sides[side])
                place++;
            assert_true(place < TESTS_MOST);
            if (place == count)
                found[count++] = sides[side];
            ands[place] |= sides[side]->test != TEST_SET && sides[side]->mask != found[i]->mask;
        }
    }
    for (unsigned i = 0; i < count; i++)
        size += found[i]->accumulator == ACCUMULATOR_WORD ? BIT_TEST : 1u + ands[i];
    return size;
}

/* ---- what a tree means, by the solver ------------------------------------------------------- */

static const struct term *term_of_test(struct terms *terms, const struct block *block,
                                       const struct term *value)
{
    const struct term *mask = term_constant(terms, 32, block->mask);
    const struct term *constant = term_constant(terms, 32, block->constant);
    const struct term *masked = term_binary(terms, TERM_BIT_AND, value, mask);
    if (block->accumulator == ACCUMULATOR_WORD) /* 1 << (value & 31) */
        masked = term_shift(terms, true, term_constant(terms, 32, 1),
                            term_binary(terms, TERM_BIT_AND, value, term_constant(terms, 32, 31)));
    switch (block->test) {
    case TEST_EQUAL:
        return term_binary(terms, TERM_EQUAL, masked, constant);
    case TEST_GREATER:
        return term_binary(terms, TERM_UNSIGNED_LESS, constant, masked);
    case TEST_GREATER_EQUAL:
        return term_binary(terms, TERM_UNSIGNED_LESS_EQUAL, constant, masked);
    case TEST_SET:
        break;
    }
    const struct term *bits = term_binary(terms, TERM_BIT_AND, masked, constant);
    return term_not(terms, term_binary(terms, TERM_EQUAL, bits, term_constant(terms, 32, 0)));
}

static const struct term *term_of_tree(struct terms *terms, const struct block *block,
                                       const struct term *value)
{
    if (block->kind != BLOCK_TEST)
        return term_constant(terms, 32, block->word);
    return term_if(terms, term_of_test(terms, block, value), term_of_tree(terms, block->yes, value),
                   term_of_tree(terms, block->no, value));
}

static const struct term *term_of_list(struct terms *terms, const struct outcome_list *list,
                                       const struct term *value)
{
    const struct term *term = term_constant(terms, 32, list->items[0].target->word);
    for (size_t i = 1; i < list->count; i++) {
        const struct term *first = term_constant(terms, 32, list->items[i].first);
        term = term_if(terms, term_binary(terms, TERM_UNSIGNED_LESS_EQUAL, first, value),
                       term_constant(terms, 32, list->items[i].target->word), term);
    }
    return term;
}

/* Whether some value goes wrong; it is in `value`. */
static bool solver_finds_wrong(const struct bench *bench, const struct block *root, uint64_t *value)
{
    struct terms *terms = terms_new(bench->arena);
    const struct term *variable = term_variable(terms, 32, 0, "value");
    const struct term *same = term_binary(terms, TERM_EQUAL, term_of_tree(terms, root, variable),
                                          term_of_list(terms, &bench->list, variable));
    struct solver *solver = solver_new(terms, (struct limits){.rlimit = 50000000});
    enum answer answer = solver_ask(solver, term_not(terms, same), value, 1, NULL);
    solver_free(solver);
    assert_int_not_equal(answer, ANSWER_UNKNOWN);
    return answer == ANSWER_SAT;
}

static void assert_means_list(const struct bench *bench, const struct block *root)
{
    uint64_t value;
    if (solver_finds_wrong(bench, root, &value))
        fail_msg("%x goes wrong", (unsigned)value);
}

/* ---- sets with known programs --------------------------------------------------------------- */

/* Ranges that go to another target than the rest, until one is empty. `simple` is what they take at
 * -O2, `found` what a program by hand takes. */
struct known_set {
    const char *what;
    struct {
        uint32_t first, last;
        unsigned target;
    } ranges[10];
    unsigned simple, found;
};

static const struct known_set known_sets[] = {
    {"two bits clear of four: JSET", {{1, 3, 1}, {5, 7, 1}, {9, 11, 1}, {13, 15, 1}}, 7, 2},
    {"one bit, within 16 values", {{4, 7, 1}, {12, 15, 1}}, 4, 2},
    {"all of 16 values but three", {{0, 4, 1}, {6, 8, 1}, {10, 11, 1}, {13, 15, 1}}, 6, 4},
    {"a bit or two values",
     {{0, 1, 1}, {4, 5, 1}, {8, 9, 1}, {12, 13, 1}, {0x80, 0x80, 1}, {0x82, 0x82, 1}},
     9,
     4},
    {"the upper half without one value",
     {{0x80000000u, 0x80000004u, 1}, {0x80000006u, WHOLE, 1}},
     3,
     2},
    {"values that differ by a bit above", {{0x10, 0x13, 1}, {0x110, 0x113, 1}}, 4, 3},
};

static void make_known(struct bench *bench, const struct known_set *set)
{
    for (size_t i = 0; i < COUNT_OF(set->ranges) && set->ranges[i].target; i++) {
        if (i == 0 ? set->ranges[i].first != 0
                   : set->ranges[i].first != set->ranges[i - 1].last + 1)
            outcome_from(bench, i ? set->ranges[i - 1].last + 1 : 0, 0);
        outcome_from(bench, set->ranges[i].first, set->ranges[i].target);
        if ((i + 1 == COUNT_OF(set->ranges) || !set->ranges[i + 1].target) &&
            set->ranges[i].last != WHOLE)
            outcome_from(bench, set->ranges[i].last + 1, 0);
    }
}

static void test_known_sets(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(known_sets); i++) {
        const struct known_set *set = &known_sets[i];
        struct bench simple, searched;
        bench_open(&simple, fixture->arena, OPTIMIZE_2);
        bench_open(&searched, fixture->arena, OPTIMIZE_SIZE);
        make_known(&simple, set);
        make_known(&searched, set);
        struct block *plain = shape(&simple), *found = shape(&searched);
        assert_means_list(&simple, plain);
        assert_means_list(&searched, found);
        if (instructions(plain) != set->simple)
            fail_msg("%s: %u at -O2", set->what, instructions(plain));
        if (instructions(found) > set->found)
            fail_msg("%s: %u", set->what, instructions(found));
        assert_int_equal(simple.shaper.arguments->searched, 0);
    }
}

/* ---- small domains, against all trees ------------------------------------------------------- */

/* Values 0..7, and 8..15 for all others: above 7 they go to target 0, whatever they are. */
#define DOMAIN 16u
#define DOMAIN_TESTS 64u

/* The fewest tests for each set of values, by dynamic programming over all sets: JEQ, JGE and JSET
 * with every constant, no AND. */
struct fewest {
    uint16_t tests[DOMAIN_TESTS]; /* the values for which they hold */
    size_t count;
    uint16_t targets[6];
    uint8_t known[1u << DOMAIN]; /* 1 + the fewest; 0: not known */
};

static void fewest_open(struct fewest *fewest, const unsigned *targets)
{
    *fewest = (struct fewest){.count = 0};
    for (unsigned value = 0; value < DOMAIN; value++)
        fewest->targets[value < 8 ? targets[value] : 0] |= (uint16_t)(1u << value);
    for (unsigned constant = 0; constant < DOMAIN; constant++) {
        uint16_t set = 0, above = 0;
        for (unsigned value = 0; value < DOMAIN; value++) {
            set |= (uint16_t)((value & constant ? 1u : 0u) << value);
            above |= (uint16_t)((value >= constant ? 1u : 0u) << value);
        }
        fewest->tests[fewest->count++] = (uint16_t)(1u << constant);
        fewest->tests[fewest->count++] = set;
        fewest->tests[fewest->count++] = above;
    }
}

/* As deep as there are values. */
static unsigned fewest_tests(struct fewest *fewest, uint16_t set)
{
    for (unsigned i = 0; i < COUNT_OF(fewest->targets); i++) {
        if (!(set & ~fewest->targets[i]))
            return 0;
    }
    if (fewest->known[set])
        return fewest->known[set] - 1u;
    unsigned best = DOMAIN;
    for (size_t i = 0; i < fewest->count; i++) {
        uint16_t yes = set & fewest->tests[i], no = set & (uint16_t)~fewest->tests[i];
        if (!yes || !no)
            continue;
        unsigned tests = 1 + fewest_tests(fewest, yes);
        if (tests < best)
            tests += fewest_tests(fewest, no);
        best = tests < best ? tests : best;
    }
    fewest->known[set] = (uint8_t)(best + 1);
    return best;
}

static void test_no_tree_is_smaller(void **state)
{
    struct random random = random_seed(21);
    struct fewest *fewest = malloc(sizeof *fewest);
    unsigned smaller = 0;
    (void)state;
    assert_non_null(fewest);
    for (unsigned i = 0; i < SAMPLES(400u); i++) {
        struct arena *arena = arena_new();
        struct bench bench, simple;
        unsigned targets[8];
        bench_open(&bench, arena, OPTIMIZE_SIZE);
        bench_open(&simple, arena, OPTIMIZE_2);
        for (uint32_t value = 0; value < 8; value++) {
            targets[value] = random_below(&random, 2 + i % 3);
            outcome_from(&bench, value, targets[value]);
            outcome_from(&simple, value, targets[value]);
        }
        outcome_from(&bench, 8, 0);
        outcome_from(&simple, 8, 0);
        if (bench.list.count > 1) {
            struct block *found = shape(&bench);
            unsigned size = instructions(found), plain = instructions(shape(&simple));
            fewest_open(fewest, targets);
            unsigned least = fewest_tests(fewest, 0xffff);
            assert_means_list(&bench, found);
            if (size > least || size > plain)
                fail_msg("set %u: %u instructions, -O2 %u, a tree of %u", i, size, plain, least);
            smaller += size < plain;
        }
        arena_free(arena);
    }
    free(fewest);
    assert_true(smaller > SAMPLES(400u) / 3);
}

/* ---- the look at all values ----------------------------------------------------------------- */

/* A DAG of random tests with constants below 16, or masks of these bits: 16 is as good as any other
 * value above. */
static struct block *random_tree(struct bench *bench, struct random *random)
{
    struct block *made[12] = {bench->targets[0], bench->targets[1], bench->targets[2]};
    unsigned count = 3;
    while (count < 4 + random_below(random, 9)) {
        struct tested tested = word;
        if (random_below(random, 3) == 0)
            tested.mask = random_below(random, 16);
        enum test_operation test = (enum test_operation)random_below(random, 4);
        struct block *yes = made[random_below(random, count)];
        struct block *no = made[random_below(random, count)];
        made[count++] =
            block_test(&bench->shaper, &tested, test, random_below(random, 16), yes, no);
    }
    return made[count - 1];
}

static const struct block *walk(const struct block *block, uint32_t value)
{
    while (block->kind == BLOCK_TEST)
        block = block_holds(block, value & block->mask) ? block->yes : block->no;
    return block;
}

/* Values that stand for all: below 16, and each of them with the lowest, the highest and all of the
 * bits above. */
static bool goes_right(const struct bench *bench, const struct block *root)
{
    static const uint32_t above[] = {0, 0x10, 0x80000000u, 0xfffffff0u};
    for (unsigned i = 0; i < 64; i++) {
        uint32_t value = above[i / 16] | (i % 16);
        if (walk(root, value) != outcomes_target(&bench->list, value))
            return false;
    }
    return true;
}

/* The tree's own outcomes, and of half of the trees one value that it sends elsewhere. */
static void test_the_check_is_exact(void **state)
{
    struct random random = random_seed(22);
    unsigned right = 0, wrong = 0;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct arena *arena = arena_new();
        struct bench bench;
        bench_open(&bench, arena, OPTIMIZE_SIZE);
        struct block *root = random_tree(&bench, &random);
        uint32_t changed = i % 2 ? random_below(&random, 17) : WHOLE;
        for (uint32_t value = 0; value < 17; value++) {
            unsigned target = 0;
            while (bench.targets[target] != walk(root, value))
                target++;
            outcome_from(&bench, value, value == changed ? (target + 1) % 3 : target);
        }
        struct argument_meaning meaning = {FIELD_ARG1_LO, WHOLE, &bench.list};
        uint32_t value = 0;
        enum checked checked = argument_check(arena, root, &meaning, 0x1f, &value);
        bool expected = goes_right(&bench, root);
        if (checked != (expected ? CHECKED_RIGHT : CHECKED_WRONG))
            fail_msg("tree %u: checked %d, expected %d", i, checked, expected);
        if (checked == CHECKED_WRONG)
            assert_ptr_not_equal(walk(root, value), outcomes_target(&bench.list, value));
        right += expected;
        wrong += !expected;
        arena_free(arena);
    }
    assert_true(right > 1000 && wrong > 1000);
}

/* A masked word: bits outside of the mask are anything. */
static void test_masked_words(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    bench_open(&bench, fixture->arena, OPTIMIZE_SIZE);
    struct tested masked = word;
    masked.mask = 0xff;
    bench.outcomes[0] = (struct outcome){.first = 0, .last = 0x0f, .target = bench.targets[0]};
    bench.outcomes[1] = (struct outcome){.first = 0x10, .last = 0xff, .target = bench.targets[1]};
    struct node_values values = {0};
    struct block *root = shape_argument(&bench.shaper, &masked, bench.outcomes, 2, &values);
    assert_int_equal(instructions(root), 1);
    assert_int_equal(root->test, TEST_SET);
    assert_int_equal(root->constant, 0xf0);
}

/* What stands for another switch is used again, with one test in front of it. */
static void test_leans_on_what_stands(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    bench_open(&bench, fixture->arena, OPTIMIZE_SIZE);
    outcome_from(&bench, 0, 0);
    for (uint32_t i = 0; i < 6; i++) {
        outcome_from(&bench, 3 + i * i * 7, 1 + i % 2);
        outcome_from(&bench, 4 + i * i * 7, 0);
    }
    struct block *first = shape(&bench);
    outcome_from(&bench, 0x400, 3);
    struct block *second = shape(&bench);
    assert_means_list(&bench, second);
    assert_ptr_equal(second->yes, bench.targets[3]);
    assert_ptr_equal(second->no, first);
}

/* ---- limits --------------------------------------------------------------------------------- */

/* A switch on which the search takes long. */
static void make_hard(struct bench *bench, struct random *random)
{
    bench->list.count = 0;
    uint32_t first = 0;
    for (unsigned i = 0; i < 15; i++) {
        outcome_from(bench, first, i % 3 == 1 ? 1 : i % 3);
        first += 1 + random_below(random, 30);
    }
}

static bool same_tree(const struct block *a, const struct block *b)
{
    if (a->kind != BLOCK_TEST || b->kind != BLOCK_TEST)
        return a->kind == b->kind && a->word == b->word;
    return a->test == b->test && a->constant == b->constant && a->mask == b->mask &&
           same_tree(a->yes, b->yes) && same_tree(a->no, b->no);
}

/* Equal runs give equal trees, also when the work is spent, and it is spent once. */
static void test_work_is_limited_and_runs_are_equal(void **state)
{
    struct fixture *fixture = *state;
    struct random random[2] = {random_seed(23), random_seed(23)};
    struct bench benches[2];
    bench_open(&benches[0], fixture->arena, OPTIMIZE_3);
    bench_open(&benches[1], fixture->arena, OPTIMIZE_3);
    for (unsigned i = 0; i < 60; i++) {
        struct block *roots[2];
        for (unsigned k = 0; k < 2; k++) {
            make_hard(&benches[k], &random[k]);
            roots[k] = shape(&benches[k]);
        }
        assert_true(same_tree(roots[0], roots[1]));
        assert_means_list(&benches[0], roots[0]);
    }
    uint64_t searched = benches[0].shaper.arguments->searched;
    assert_int_equal(searched, benches[1].shaper.arguments->searched);
    assert_true(searched > WORK_OF_PROGRAM / 4);
    assert_true(searched <= WORK_OF_PROGRAM + 60 * 100);
}

/* The same switch with other targets is not searched again. */
static void test_equal_switches_are_searched_once(void **state)
{
    struct fixture *fixture = *state;
    struct bench bench;
    bench_open(&bench, fixture->arena, OPTIMIZE_SIZE);
    make_known(&bench, &known_sets[2]);
    struct block *first = shape(&bench);
    uint64_t searched = bench.shaper.arguments->searched;
    assert_true(searched > 1000);
    for (size_t i = 0; i < bench.list.count; i++)
        bench.outcomes[i].target =
            bench.targets[bench.outcomes[i].target == bench.targets[0] ? 2 : 3];
    struct block *second = shape(&bench);
    assert_true(bench.shaper.arguments->searched < searched + 100);
    assert_int_equal(instructions(second), instructions(first));
    assert_means_list(&bench, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_known_sets),
        TEST(test_no_tree_is_smaller),
        TEST(test_the_check_is_exact),
        TEST(test_masked_words),
        TEST(test_leans_on_what_stands),
        TEST(test_work_is_limited_and_runs_are_equal),
        TEST(test_equal_switches_are_searched_once),
    };
    return RUN_TESTS(tests);
}
