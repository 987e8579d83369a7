/* Small switches against exhaustive search (exhaustive.h): nothing is cheaper that is built of the
 * same tests, as a tree or with tests that are entered from several places.
 *
 * All switches of a domain of eight values that have two to seven intervals: every way to cut it,
 * with every number of different outcomes, up to what the outcomes are called. Weighed evenly and
 * unevenly (seeded), with the lambda of -O2 and that of -Os; a sample also with jumps in the cost
 * (all of them: BPFPROOF_SCALE=full). */
#include "tests/unit/support.h"

#include "optimizer/switch.h"
#include "tests/unit/optimizer/exhaustive.h"

#define RUNS_MOST 7u
#define TABLES 3262u /* Bell(8) partitions, less those of 8 intervals, less the one of 1 */
#define NO_MORE_THAN 1e-6
#define SAMPLED 8u /* one table in so many with jumps, which take ten times as long to search */

struct small {
    uint32_t base; /* the first value */
    unsigned targets[VALUES];
    double weights[VALUES];
};

/* ---- every table ---------------------------------------------------------------------------- */

static unsigned runs_of(const struct small *small)
{
    unsigned runs = 1;
    for (unsigned i = 1; i < VALUES; i++)
        runs += small->targets[i] != small->targets[i - 1];
    return runs;
}

/* The next one in which every outcome is at most one more than those before it: each partition of
 * the values once. False after the last. */
static bool next_table(struct small *small)
{
    for (unsigned i = VALUES; i-- > 1;) {
        unsigned most = 0;
        for (unsigned j = 0; j < i; j++)
            most = small->targets[j] > most ? small->targets[j] : most;
        if (small->targets[i] <= most) {
            small->targets[i]++;
            memset(&small->targets[i + 1], 0, (VALUES - 1 - i) * sizeof *small->targets);
            return true;
        }
    }
    return false;
}

enum { EVEN, UNEVEN, ONE_IN_FRONT, FALLING, WEIGHINGS };

/* Shares, as of all calls together. */
static void weigh(struct small *small, unsigned weighing, struct random *random)
{
    double sum = 0;
    unsigned front = random_below(random, VALUES);
    for (unsigned i = 0; i < VALUES; i++) {
        const double weights[WEIGHINGS] = {
            [EVEN] = 1,
            [UNEVEN] = random_below(random, 1000),
            [ONE_IN_FRONT] = i == front ? 1000 : random_below(random, 2),
            [FALLING] = 1.0 / (1u << random_below(random, 12)),
        };
        sum += small->weights[i] = weights[weighing];
    }
    for (unsigned i = 0; i < VALUES && sum > 0; i++)
        small->weights[i] /= sum;
}

/* ---- what the optimizer makes of one -------------------------------------------------------- */

static void expect_targets(const struct small *small, const struct tested *tested,
                           struct block *const *targets, const struct block *root)
{
    for (unsigned i = 0; i < VALUES; i++) {
        const struct block *block = root;
        while (block_tests(block, tested))
            block = block_holds(block, small->base + i) ? block->yes : block->no;
        assert_ptr_equal(block, targets[small->targets[i]]);
    }
}

static double optimized(struct arena *arena, const struct small *small, const struct effort *effort)
{
    struct shape_options options = {.level = OPTIMIZE_2};
    struct windows windows = {.arena = arena};
    struct shaper shaper = {
        .arena = arena, .options = &options, .effort = effort, .windows = &windows};
    struct tested tested = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_NR, .mask = 0xffffffffu};
    struct block *targets[VALUES];
    struct outcome outcomes[VALUES];
    struct weighted_value values[VALUES];
    size_t count = 0;
    for (unsigned i = 0; i < VALUES; i++) {
        uint32_t value = small->base + i;
        struct block *target = block_return(&shaper, small->targets[i]);
        targets[small->targets[i]] = target;
        values[i] = (struct weighted_value){value, small->weights[i]};
        if (count && outcomes[count - 1].target == target)
            outcomes[count - 1].last = value;
        else
            outcomes[count++] = (struct outcome){.first = value, .last = value, .target = target};
    }
    struct block *root = shape_switch(&shaper, &tested, outcomes, count, values, VALUES);
    expect_targets(small, &tested, targets, root);
    shaper.standing.count = 0; /* what was made counts */
    struct effort measured = *effort;
    measured.jumps_first = false; /* what stands in front of which return is not searched here */
    shaper.effort = &measured;
    return tree_cost(&shaper, &tested, root, values, VALUES);
}

static void expect_optimal(struct exhaustive *e, const struct partings *partings,
                           const struct small *small, const struct effort *effort)
{
    struct arena *arena = arena_new();
    double ours = optimized(arena, small, effort);
    e->jump = effort->jump;
    exhaustive_begin(e, partings, small->targets, small->weights, effort->lambda);
    double tree = e->tree[ALL], least = exhaustive_below(e, ours - NO_MORE_THAN);
    const unsigned *t = small->targets;
    if (fmin(tree, least) < ours - NO_MORE_THAN)
        fail_msg("%u.. to %u%u%u%u%u%u%u%u, lambda %g, jump %g: %g, but %g as a tree, %g with "
                 "shared tests",
                 small->base, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], effort->lambda,
                 effort->jump, ours, tree, least);
    arena_free(arena);
}

/* Every table evenly weighed, and in one of the other ways; those start the domain in other places
 * too, where the bits of the values lie differently. */
static void every_table(enum optimization level, double jump, unsigned step)
{
    static const uint32_t bases[] = {0, 5, 29};
    static struct exhaustive e;
    struct partings partings[COUNT_OF(bases)];
    struct random random = random_seed(7);
    struct effort effort = effort_of(level);
    effort.jump = jump;
    effort.jumps_first = jump > 0;
    struct small small = {.base = 0};
    unsigned tables = 0;
    for (size_t i = 0; i < COUNT_OF(bases); i++)
        partings[i] = partings_of(bases[i]);
    while (next_table(&small)) {
        if (runs_of(&small) > RUNS_MOST)
            continue;
        if (tables++ % step)
            continue;
        unsigned where = tables / (WEIGHINGS - 1) % COUNT_OF(bases);
        small.base = bases[0];
        weigh(&small, EVEN, &random);
        expect_optimal(&e, &partings[0], &small, &effort);
        small.base = bases[where];
        weigh(&small, UNEVEN + tables % (WEIGHINGS - 1), &random);
        expect_optimal(&e, &partings[where], &small, &effort);
    }
    assert_int_equal(tables, TABLES);
}

static void test_nothing_is_cheaper_at_2(void **state)
{
    (void)state;
    every_table(OPTIMIZE_2, 0, 1);
}

static void test_nothing_is_cheaper_with_jumps(void **state)
{
    (void)state;
    const char *scale = getenv("BPFPROOF_SCALE");
    bool all = scale && strcmp(scale, "full") == 0;
    every_table(OPTIMIZE_2, 3, all ? 1 : SAMPLED);
}

static void test_nothing_is_cheaper_for_size(void **state)
{
    (void)state;
    every_table(OPTIMIZE_SIZE, 0, 1);
}

/* Of a masked word only some values occur: the others lie in no outcome, or do not count. */
static void test_values_that_cannot_occur(void **state)
{
    (void)state;
    static const uint32_t values[] = {0, 1, 4, 5};
    struct effort effort = effort_of(OPTIMIZE_2);
    struct tested tested = {.accumulator = ACCUMULATOR_FIELD, .field = FIELD_NR, .mask = 5};
    for (unsigned table = 0; table < 1u << 8; table++) {
        struct arena *arena = arena_new();
        struct shape_options options = {.level = OPTIMIZE_2};
        struct windows windows = {.arena = arena};
        struct shaper shaper = {
            .arena = arena, .options = &options, .effort = &effort, .windows = &windows};
        struct outcome outcomes[4];
        size_t count = 0;
        for (unsigned i = 0; i < 4; i++) {
            struct block *target = block_return(&shaper, table >> 2 * i & 3);
            if (!count || outcomes[count - 1].target != target)
                outcomes[count++] =
                    (struct outcome){.first = values[i], .last = values[i], .target = target};
            outcomes[count - 1].last = values[i];
        }
        const struct block *root = shape_switch(&shaper, &tested, outcomes, count, NULL, 0);
        for (unsigned i = 0; i < 4; i++) {
            const struct block *block = root;
            while (block->kind == BLOCK_TEST)
                block = block_holds(block, values[i]) ? block->yes : block->no;
            assert_int_equal(block->word, table >> 2 * i & 3);
        }
        arena_free(arena);
    }
}

/* ---- the search that this rests on ---------------------------------------------------------- */

#define OUTCOMES 3u

struct by_hand {
    const struct partings *partings;
    const struct exhaustive *e; /* its weights */
    double best[SETS][SETS];    /* by the values that end in outcome 1, and in outcome 2 */
    unsigned yes[3], to[3][2];  /* of the tests: their parting, where its sides go */
};

/* A program of so many tests, the first one on top. */
static void try_program(struct by_hand *h, unsigned tests)
{
    unsigned reach[3] = {ALL, 0, 0}, ends[OUTCOMES] = {0};
    double weight = 0;
    for (unsigned i = 0; i < tests; i++) {
        weight += h->e->weight[reach[i]];
        for (unsigned side = 0; side < 2; side++) {
            unsigned set = reach[i] & (side ? h->yes[i] : ~h->yes[i]), to = h->to[i][side];
            *(to < OUTCOMES ? &ends[to] : &reach[to - OUTCOMES]) |= set;
        }
    }
    double *best = &h->best[ends[1]][ends[2]], cost = tests + h->e->lambda * weight;
    *best = cost < *best ? cost : *best;
}

/* Sides of the test `at` and those after it: to an outcome, or to a later test. */
static void try_sides(struct by_hand *h, unsigned at, unsigned tests)
{
    if (at == tests) {
        try_program(h, tests);
        return;
    }
    for (unsigned yes = 0; yes < OUTCOMES + tests; yes++) {
        for (unsigned no = 0; no < OUTCOMES + tests; no++) {
            bool forward =
                (yes < OUTCOMES || yes - OUTCOMES > at) && (no < OUTCOMES || no - OUTCOMES > at);
            if (!forward || yes == no)
                continue;
            h->to[at][true] = yes;
            h->to[at][false] = no;
            try_sides(h, at + 1, tests);
        }
    }
}

static void try_programs(struct by_hand *h, unsigned at)
{
    for (unsigned i = 0; at < 3 && i < h->partings->count; i++) {
        h->yes[at] = h->partings->yes[i];
        try_sides(h, 0, at + 1);
        try_programs(h, at + 1);
    }
}

/* All programs of up to three tests and three outcomes, one after the other. With a small lambda
 * the cheapest has the fewest tests: where three are enough both agree, else four are needed. Some
 * tables are among them for which three are enough only because one of them is shared. */
static void test_the_search_misses_nothing(void **state)
{
    (void)state;
    static struct exhaustive e;
    static struct by_hand h;
    struct partings partings = partings_of(0);
    struct small small = {.base = 0};
    struct random random = random_seed(3);
    unsigned enough = 0, shared = 0;
    h.partings = &partings;
    h.e = &e;
    weigh(&small, UNEVEN, &random);
    exhaustive_begin(&e, &partings, small.targets, small.weights, 0.05);
    for (unsigned i = 0; i < SETS * SETS; i++)
        h.best[i / SETS][i % SETS] = INFINITY;
    try_programs(&h, 0);
    while (next_table(&small)) {
        unsigned ends[VALUES] = {0}, outcomes = 0;
        for (unsigned i = 0; i < VALUES; i++) {
            ends[small.targets[i]] |= 1u << i;
            outcomes = small.targets[i] >= outcomes ? small.targets[i] + 1 : outcomes;
        }
        if (outcomes > OUTCOMES)
            continue;
        exhaustive_begin(&e, &partings, small.targets, small.weights, 0.05);
        double least = exhaustive_below(&e, e.tree[ALL] + 1), three = h.best[ends[1]][ends[2]];
        assert_true(three < INFINITY ? fabs(least - three) < NO_MORE_THAN : least >= 4);
        enough += three < INFINITY;
        shared += three < INFINITY && e.tree[ALL] >= 4;
    }
    assert_in_range(enough, 200, TABLES);
    assert_in_range(shared, 1, TABLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_search_misses_nothing), TEST(test_nothing_is_cheaper_at_2),
        TEST(test_nothing_is_cheaper_with_jumps), TEST(test_nothing_is_cheaper_for_size),
        TEST(test_values_that_cannot_occur)};
    return RUN_TESTS(tests);
}
