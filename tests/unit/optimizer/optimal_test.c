/* Small switches against exhaustive search (exhaustive.h): nothing is cheaper that is built of the
 * same tests, as a tree or with tests that are entered from several places.
 *
 * All switches of a domain of eight values that have two to seven intervals: every way to cut it,
 * with every number of different outcomes, up to what the outcomes are called. Weighed evenly and
 * unevenly (seeded), with the lambda of -O2 and the lambda of -Os. */
#include "tests/unit/support.h"

#include "optimizer/switch.h"
#include "tests/unit/optimizer/exhaustive.h"

#define RUNS_MOST 7u
#define TABLES 3262u /* Bell(8) partitions, less those of 8 intervals, less the one of 1 */
#define NO_MORE_THAN 1e-6

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

static void expect_targets(const struct small *small, const struct block *root)
{
    for (unsigned i = 0; i < VALUES; i++) {
        const struct block *block = root;
        while (block->kind == BLOCK_TEST)
            block = block_holds(block, small->base + i) ? block->yes : block->no;
        assert_int_equal(block->word, small->targets[i]);
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
    struct outcome outcomes[VALUES];
    struct weighted_value values[VALUES];
    size_t count = 0;
    for (unsigned i = 0; i < VALUES; i++) {
        uint32_t value = small->base + i;
        struct block *target = block_return(&shaper, small->targets[i]);
        values[i] = (struct weighted_value){value, small->weights[i]};
        if (count && outcomes[count - 1].target == target)
            outcomes[count - 1].last = value;
        else
            outcomes[count++] = (struct outcome){value, value, target};
    }
    struct block *root = shape_switch(&shaper, &tested, outcomes, count, values, VALUES);
    expect_targets(small, root);
    shaper.standing.count = 0; /* what was made counts */
    return tree_cost(&shaper, &tested, root, values, VALUES);
}

static void expect_optimal(struct exhaustive *e, const struct partings *partings,
                           const struct small *small, const struct effort *effort)
{
    struct arena *arena = arena_new();
    double ours = optimized(arena, small, effort);
    exhaustive_begin(e, partings, small->targets, small->weights, effort->lambda);
    double tree = e->tree[ALL], least = exhaustive_below(e, ours - NO_MORE_THAN);
    const unsigned *t = small->targets;
    if (fmin(tree, least) < ours - NO_MORE_THAN)
        fail_msg("%u.. to %u%u%u%u%u%u%u%u, lambda %g: %g, but %g as a tree, %g with shared tests",
                 small->base, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], effort->lambda, ours,
                 tree, least);
    arena_free(arena);
}

/* Every table evenly weighed, and in one of the other ways; those start the domain in other places
 * too, where the bits of the values lie differently. */
static void every_table(enum optimization level)
{
    static const uint32_t bases[] = {0, 5, 29};
    static struct exhaustive e;
    struct partings partings[COUNT_OF(bases)];
    struct random random = random_seed(7);
    struct effort effort = effort_of(level);
    struct small small = {.base = 0};
    unsigned tables = 0;
    effort.work = 0; /* no tries with costs that are off: what is found is found without them */
    for (size_t i = 0; i < COUNT_OF(bases); i++)
        partings[i] = partings_of(bases[i]);
    while (next_table(&small)) {
        if (runs_of(&small) > RUNS_MOST)
            continue;
        unsigned where = tables / (WEIGHINGS - 1) % COUNT_OF(bases);
        small.base = bases[0];
        weigh(&small, EVEN, &random);
        expect_optimal(&e, &partings[0], &small, &effort);
        small.base = bases[where];
        weigh(&small, UNEVEN + tables % (WEIGHINGS - 1), &random);
        expect_optimal(&e, &partings[where], &small, &effort);
        tables++;
    }
    assert_int_equal(tables, TABLES);
}

static void test_nothing_is_cheaper_at_2(void **state)
{
    (void)state;
    every_table(OPTIMIZE_2);
}

static void test_nothing_is_cheaper_for_size(void **state)
{
    (void)state;
    every_table(OPTIMIZE_SIZE);
}

/* ---- the search that this rests on ---------------------------------------------------------- */

struct by_hand {
    const struct partings *partings;
    const struct exhaustive *e; /* its weights */
    double best[SETS]; /* by the values that end in outcome 1; of programs of three tests */
};

/* A program of three tests: `a` first, then `b`, then `c`. A side goes to outcome 0 or 1 or to a
 * later test. */
static void try_program(struct by_hand *h, const unsigned *yes, const unsigned *to, unsigned tests)
{
    unsigned reach[3] = {ALL, 0, 0}, ones = 0;
    double cost = tests;
    for (unsigned i = 0; i < tests; i++) {
        cost += h->e->lambda * h->e->weight[reach[i]];
        for (unsigned side = 0; side < 2; side++) {
            unsigned set = reach[i] & (side ? yes[i] : ~yes[i]), target = to[2 * i + side];
            if (target >= 2)
                reach[target - 2] |= set;
            else if (target)
                ones |= set;
        }
    }
    h->best[ones] = fmin(h->best[ones], cost);
}

/* Targets from `at` on; test i may go to the outcomes (0, 1) and to test j > i (2 + j). */
static void try_targets(struct by_hand *h, const unsigned *yes, unsigned *to, unsigned at,
                        unsigned tests)
{
    if (at == 2 * tests) {
        try_program(h, yes, to, tests);
        return;
    }
    for (to[at] = 0; to[at] < 2 + tests; to[at]++) {
        if (to[at] < 2 || to[at] - 2 > at / 2)
            try_targets(h, yes, to, at + 1, tests);
    }
}

static void try_programs(struct by_hand *h)
{
    unsigned yes[3], to[6];
    for (unsigned i = 0; i < h->partings->count; i++) {
        yes[0] = h->partings->yes[i];
        try_targets(h, yes, to, 0, 1);
        for (unsigned j = 0; j < h->partings->count; j++) {
            yes[1] = h->partings->yes[j];
            try_targets(h, yes, to, 0, 2);
            for (unsigned k = 0; k < h->partings->count; k++) {
                yes[2] = h->partings->yes[k];
                try_targets(h, yes, to, 0, 3);
            }
        }
    }
}

/* All programs of up to three tests, one after the other, sharing and all. With a small lambda the
 * cheapest has the fewest tests, so where three are enough both must agree; else four are needed.
 */
static void test_the_search_misses_nothing(void **state)
{
    (void)state;
    static struct exhaustive e;
    struct partings partings = partings_of(0);
    struct by_hand h = {.partings = &partings, .e = &e};
    struct small small = {.base = 0};
    struct random random = random_seed(3);
    weigh(&small, UNEVEN, &random);
    exhaustive_begin(&e, &partings, small.targets, small.weights, 0.05);
    for (unsigned set = 0; set <= ALL; set++)
        h.best[set] = INFINITY;
    try_programs(&h);
    unsigned enough = 0;
    for (unsigned ones = 1; ones < ALL; ones++) {
        for (unsigned i = 0; i < VALUES; i++)
            small.targets[i] = ones >> i & 1;
        exhaustive_begin(&e, &partings, small.targets, small.weights, 0.05);
        double least = exhaustive_below(&e, INFINITY);
        bool three = h.best[ones] < INFINITY;
        enough += three;
        assert_true(three ? fabs(least - h.best[ones]) < NO_MORE_THAN : least >= 4);
    }
    assert_in_range(enough, 100, ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_the_search_misses_nothing),
                                       TEST(test_nothing_is_cheaper_at_2),
                                       TEST(test_nothing_is_cheaper_for_size)};
    return RUN_TESTS(tests);
}
