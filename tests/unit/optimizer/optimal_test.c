/* Small switches against exhaustive search: nothing built from the same tests is cheaper. */
#include <math.h>

#include "tests/unit/support.h"

#include "optimizer/switch.h"

#define VALUES 8u /* of the domain; a set of them is the bits of an unsigned */
#define ALL ((1u << VALUES) - 1)

/* The cheapest tree for every set of values, under one table. */
struct exhaustive {
    const unsigned *targets; /* by value */
    const double *weights;
    double lambda;
    double best[1u << VALUES]; /* < 0: not known */
};

static bool uniform(const struct exhaustive *e, unsigned set)
{
    unsigned first = (unsigned)__builtin_ctz(set);
    for (unsigned value = first; value < VALUES; value++) {
        if ((set >> value & 1) && e->targets[value] != e->targets[first])
            return false;
    }
    return true;
}

/* What every test makes of the domain. */
static unsigned yes_side(unsigned kind, unsigned constant)
{
    unsigned side = 0;
    for (unsigned value = 0; value < VALUES; value++) {
        bool holds = kind == 0   ? value == constant
                     : kind == 1 ? value >= constant
                                 : (value & constant) != 0;
        side |= (unsigned)holds << value;
    }
    return side;
}

static double cheapest(struct exhaustive *e, unsigned set)
{
    if (uniform(e, set))
        return 0;
    if (e->best[set] >= 0)
        return e->best[set];
    double weight = 0, best = INFINITY;
    for (unsigned value = 0; value < VALUES; value++)
        weight += (set >> value & 1) ? e->weights[value] : 0;
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned constant = kind ? 1 : 0; constant < VALUES; constant++) {
            unsigned yes = set & yes_side(kind, constant), no = set & ~yes;
            if (!yes || !no)
                continue;
            double cost = cheapest(e, yes) + cheapest(e, no);
            best = cost < best ? cost : best;
        }
    }
    return e->best[set] = best + 1 + e->lambda * weight;
}

struct small {
    unsigned targets[VALUES];
    double weights[VALUES];
};

/* What the optimizer makes of the table, and that it is right. */
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
    for (uint32_t value = 0; value < VALUES; value++) {
        struct block *target = block_return(&shaper, small->targets[value]);
        values[value] = (struct weighted_value){value, small->weights[value]};
        if (count && outcomes[count - 1].target == target)
            outcomes[count - 1].last = value;
        else
            outcomes[count++] = (struct outcome){.first = value, .last = value, .target = target};
    }
    struct block *root = shape_switch(&shaper, &tested, outcomes, count, values, VALUES);
    for (uint32_t value = 0; value < VALUES; value++) {
        const struct block *block = root;
        while (block->kind == BLOCK_TEST)
            block = block_holds(block, value) ? block->yes : block->no;
        assert_int_equal(block->word, small->targets[value]);
    }
    shaper.standing.count = 0;
    return tree_cost(&shaper, &tested, root, values, VALUES);
}

static unsigned runs_of(const struct small *small)
{
    unsigned runs = 1;
    for (unsigned value = 1; value < VALUES; value++)
        runs += small->targets[value] != small->targets[value - 1];
    return runs;
}

static void expect_optimal(const struct small *small, const struct effort *effort)
{
    struct arena *arena = arena_new();
    struct exhaustive *e = NEW(arena, struct exhaustive);
    e->targets = small->targets;
    e->weights = small->weights;
    e->lambda = effort->lambda;
    for (unsigned set = 0; set <= ALL; set++)
        e->best[set] = -1;
    double least = cheapest(e, ALL);
    double ours = optimized(arena, small, effort);
    if (ours > least + 1e-6)
        fail_msg("targets %u%u%u%u%u%u%u%u, lambda %g: %g, but %g is possible", small->targets[0],
                 small->targets[1], small->targets[2], small->targets[3], small->targets[4],
                 small->targets[5], small->targets[6], small->targets[7], effort->lambda, ours,
                 least);
    arena_free(arena);
}

/* Every table over two answers and up to seven intervals; weights even, or very uneven. */
static void every_table(enum optimization level)
{
    static const double lambdas[] = {0.05, 1, 15};
    struct random random = random_seed(7);
    for (unsigned table = 0; table <= ALL; table++) {
        struct small small;
        for (unsigned value = 0; value < VALUES; value++) {
            small.targets[value] = table >> value & 1;
            small.weights[value] = 1.0 / VALUES;
        }
        if (runs_of(&small) > 7)
            continue;
        for (size_t i = 0; i < COUNT_OF(lambdas); i++) {
            struct effort effort = effort_of(level);
            effort.lambda = lambdas[i];
            expect_optimal(&small, &effort);
        }
        for (unsigned value = 0; value < VALUES; value++)
            small.weights[value] = random_below(&random, 1000) / 4000.0;
        struct effort effort = effort_of(level);
        expect_optimal(&small, &effort);
    }
}

static void test_nothing_is_cheaper_at_2(void **state)
{
    (void)state;
    every_table(OPTIMIZE_2);
}

static void test_nothing_is_cheaper_at_3(void **state)
{
    (void)state;
    every_table(OPTIMIZE_3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing_is_cheaper_at_2),
                                       TEST(test_nothing_is_cheaper_at_3)};
    return RUN_TESTS(tests);
}
