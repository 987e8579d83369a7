/* What is known on a path, and the value that takes it, against every value there is: words of
 * eight bits that lie somewhere among the 32, compared with constants, masked or whole. */
#include "unit/support.h"

#include "verifier/walk.h"

#define ROUNDS 10000u
#define WORD FIELD_ARG0_LO
#define BITS 8u

struct asked {
    const struct term *term;
    bool holds;
};

struct taken {
    uint32_t bits[BITS]; /* the bits that there are, rising */
    struct asked asked[32];
    unsigned count;
};

/* The number's bits, put where the word has its own. */
static uint32_t spread(const struct taken *path, uint32_t number)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < BITS; i++)
        word |= number >> i & 1 ? path->bits[i] : 0;
    return word;
}

static void choose_bits(struct taken *path, struct random *random)
{
    uint32_t all = 0;
    while (__builtin_popcount(all) < (int)BITS)
        all |= 1u << random_below(random, 32);
    for (unsigned i = 0; i < BITS; i++, all &= all - 1)
        path->bits[i] = all & (0u - all);
}

static const struct term *random_comparison(struct prover *prover, const struct taken *path,
                                            struct random *random)
{
    uint32_t constant = spread(path, random_below(random, 256)) + (random_below(random, 6) == 0);
    const struct term *word = prover->words[WORD];
    if (random_below(random, 4))
        word = term_binary(prover->terms, TERM_BIT_AND, word,
                           word_constant(prover, spread(path, random_below(random, 256))));
    return random_below(random, 2) ? word_equals(prover, word, constant)
                                   : word_below(prover, word, constant);
}

static bool takes_path(struct arena *arena, const struct taken *path, uint32_t value)
{
    uint64_t values[FIELD_COUNT] = {0};
    values[WORD] = value;
    for (unsigned i = 0; i < path->count; i++) {
        if (term_evaluate(arena, path->asked[i].term, values, FIELD_COUNT) != path->asked[i].holds)
            return false;
    }
    return true;
}

/* False: no value. */
static bool first_value(struct arena *arena, const struct taken *path, uint32_t *value)
{
    for (uint32_t number = 0; number < 256; number++) {
        *value = spread(path, number);
        if (takes_path(arena, path, *value))
            return true;
    }
    return false;
}

static void judge(struct prover *prover, struct random *random, unsigned seen[3])
{
    struct walker walker = {.prover = prover, .scratch = prover->arena};
    struct taken path = {.count = 0};
    bool possible = true;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        walker.domains[i] = (struct domain){0, UINT32_MAX, 0, 0};
    choose_bits(&path, random);
    path.asked[path.count++] =
        (struct asked){word_equals(prover,
                                   term_binary(prover->terms, TERM_BIT_AND, prover->words[WORD],
                                               word_constant(prover, ~spread(&path, 255))),
                                   0),
                       true};
    for (unsigned wanted = 1 + random_below(random, 30); path.count < wanted;)
        path.asked[path.count++] =
            (struct asked){random_comparison(prover, &path, random), random_below(random, 3) == 0};
    for (unsigned i = 0; i < path.count && possible; i++) {
        if (term_is_constant(path.asked[i].term))
            possible = path.asked[i].term->value == path.asked[i].holds;
        else
            possible = assume(&walker, path.asked[i].term, path.asked[i].holds);
    }
    uint32_t expected, value = 0;
    struct arena *arena = arena_new();
    bool any = first_value(arena, &path, &expected);
    arena_free(arena);
    enum found found = possible ? find_value(&walker, WORD, &value) : FOUND_NONE;
    seen[found]++;
    assert_int_equal(found, any ? FOUND_VALUE : FOUND_NONE);
    if (any)
        assert_int_equal(value, expected);
}

static void every_path_of_eight_bits(void **state)
{
    (void)state;
    const struct proof_options options = {.limits = {.deadline = deadline_in(0)}};
    struct random random = random_seed(8);
    unsigned seen[3] = {0};
    for (unsigned round = 0; round < ROUNDS / 1000; round++) {
        struct prover *prover = prover_open(&options, false);
        for (unsigned i = 0; i < 1000; i++)
            judge(prover, &random, seen);
        prover_close(prover);
    }
    assert_true(seen[FOUND_VALUE] > ROUNDS / 10 && seen[FOUND_NONE] > ROUNDS / 10);
    assert_int_equal(seen[FOUND_UNSURE], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(every_path_of_eight_bits)};
    return RUN_TESTS(tests);
}
