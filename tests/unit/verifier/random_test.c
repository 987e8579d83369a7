/* Random programs against their mutants and against each other: whatever a proof says must agree
 * with what running the programs shows, and the three ways to prove must agree among themselves. */
#include "unit/verifier/filters.h"

#define INPUTS 400

struct count {
    unsigned proved, refuted, unknown;
};

static bool differs_on_edges(struct random *random, const struct side *a, const struct side *b)
{
    for (unsigned i = 0; i < INPUTS; i++) {
        const struct side *from = random_below(random, 2) ? a : b;
        struct input input = edge_input(random, &from->programs[0]);
        bool beyond = false, also = false;
        uint32_t left = side_word(a, &input, &beyond), right = side_word(b, &input, &also);
        if (left != right && !beyond && !also)
            return true;
    }
    return false;
}

static void check_proof(const struct proof *proof, const struct side *a, const struct side *b,
                        bool differs, struct count *count)
{
    if (proof->verdict == PROVED) {
        assert_false(differs);
        count->proved++;
    } else if (proof->verdict == REFUTED) {
        const struct counterexample *example = &proof->counterexample;
        assert_true(proof->has_counterexample);
        assert_int_equal(side_word(a, &example->input, NULL), example->left);
        assert_int_equal(side_word(b, &example->input, NULL), example->right);
        assert_int_not_equal(example->left, example->right);
        count->refuted++;
    } else {
        assert_non_null(proof->reason);
        assert_null(strstr(proof->reason, "internal"));
        count->unknown++;
    }
}

static void check_pair(struct arena *arena, struct random *random, const struct side *a,
                       const struct side *b, bool with_whole, struct count *count)
{
    struct proof_options options = options_in(30);
    bool differs = differs_on_edges(random, a, b);
    struct proof by_classes = prove_equal(arena, a, b, &options);
    check_proof(&by_classes, a, b, differs, count);
    if (!with_whole)
        return;
    struct count ignored = {0};
    options.solver_only = true;
    struct proof by_solver = prove_equal(arena, a, b, &options);
    check_proof(&by_solver, a, b, differs, &ignored);
    options.whole = true;
    struct proof at_once = prove_equal(arena, a, b, &options);
    check_proof(&at_once, a, b, differs, &ignored);
    if (by_classes.verdict != UNKNOWN && at_once.verdict != UNKNOWN)
        assert_int_equal(by_classes.verdict, at_once.verdict);
    if (by_classes.verdict != UNKNOWN && by_solver.verdict != UNKNOWN)
        assert_int_equal(by_classes.verdict, by_solver.verdict);
}

static struct count campaign(uint64_t seed, unsigned rounds, bool odd, bool with_whole)
{
    struct random random = random_seed(seed);
    struct count count = {0};
    for (unsigned i = 0; i < rounds; i++) {
        struct arena *arena = arena_new();
        struct program first = random_program(arena, &random, odd);
        struct program second = mutated(arena, &random, &first);
        if (i % 4 == 3)
            second = mutated(arena, &random, &second);
        struct side a = {"first", NULL, &first, 1}, b = {"second", NULL, &second, 1};
        check_pair(arena, &random, &a, &b, with_whole, &count);
        arena_free(arena);
    }
    return count;
}

static void plain_programs(void **state)
{
    (void)state;
    struct count count = campaign(1, 4000, false, false);
    assert_true(count.proved > 400);
    assert_true(count.refuted > 400);
    assert_int_equal(count.unknown, 0);
}

static void odd_programs(void **state)
{
    (void)state;
    struct count count = campaign(2, 3000, true, false);
    assert_true(count.proved > 300);
    assert_true(count.refuted > 300);
    assert_true(count.unknown < 100);
}

static void three_ways_agree(void **state)
{
    (void)state;
    campaign(3, 120, false, true);
    campaign(4, 120, true, true);
}

/* The combined word of a stack against the interpreter's, and stacks against themselves in pieces.
 */
static void stacks_of_random_programs(void **state)
{
    (void)state;
    struct random random = random_seed(5);
    unsigned proved = 0, refuted = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        struct program programs[3], others[3];
        for (unsigned j = 0; j < 3; j++)
            others[j] = programs[j] = random_program(arena, &random, i % 3 == 0);
        for (unsigned j = 0; i % 4 && j < 6; j++)
            others[j % 3] = mutated(arena, &random, &others[j % 3]);
        struct side a = {"a", NULL, programs, 3}, b = {"b", NULL, others, 3};
        struct proof_options options = options_in(30);
        options.whole = i % 8 == 7;
        struct proof proof = prove_equal(arena, &a, &b, &options);
        struct count count = {0};
        check_proof(&proof, &a, &b, differs_on_edges(&random, &a, &b), &count);
        proved += count.proved;
        refuted += count.refuted;
        struct proof at_most = prove_at_most(arena, &a, &b, &options);
        if (proof.verdict == PROVED)
            assert_int_equal(at_most.verdict, PROVED);
        arena_free(arena);
    }
    assert_true(proved > 60);
    assert_true(refuted > 10);
}

/* ---- masked words, with every value looked at ----------------------------------------------- */

#define MASKED_BITS 0x80410013u /* far apart: most constants lie between two values */
#define MASKED_VALUES (1u << 6)
#define MASKED_TESTS 7u

/* The n-th of the values that have no other bits. */
static uint32_t masked_value(uint32_t n)
{
    uint32_t value = 0;
    for (uint32_t left = MASKED_BITS; left; left &= left - 1, n >>= 1)
        value |= n & 1 ? left & (0u - left) : 0;
    return value;
}

/* Tests one after the other: the first that holds decides. Every one is a load, AND, jump, return.
 */
static struct program masked_program(struct arena *arena, struct random *random)
{
    static const uint16_t operations[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JGE, BPF_JSET};
    uint32_t length = 4 * MASKED_TESTS + 1;
    struct sock_filter *code = NEW_ARRAY(arena, struct sock_filter, length);
    uint32_t masks[2] = {masked_value(random_below(random, MASKED_VALUES)),
                         masked_value(random_below(random, MASKED_VALUES))};
    for (uint32_t i = 0; i < MASKED_TESTS; i++) {
        struct sock_filter *at = code + 4 * i;
        uint16_t operation = operations[random_below(random, COUNT_OF(operations))];
        uint32_t constant = masked_value(random_below(random, MASKED_VALUES));
        at[0] = (struct sock_filter)LD_ARG(0);
        at[1] = (struct sock_filter)ALU(BPF_AND, masks[random_below(random, 2)]);
        at[2] = (struct sock_filter)JUMP_IF(operation, constant, 0, 1);
        at[3] = (struct sock_filter)RET(random_verdict(random));
    }
    code[length - 1] = (struct sock_filter)RET(random_verdict(random));
    return (struct program){.name = "masked", .code = code, .length = length};
}

/* Other constants and the other comparison, of which some say the same: between two values that the
 * mask leaves there is room. */
static struct program rewritten(struct arena *arena, struct random *random,
                                const struct program *program)
{
    struct program other = *program;
    other.code = arena_copy(arena, program->code, program->length * sizeof *program->code);
    for (uint32_t i = 0; i < MASKED_TESTS; i++) {
        struct sock_filter *jump = &other.code[4 * i + 2];
        if (random_below(random, 2) || BPF_OP(jump->code) == BPF_JSET)
            continue;
        if (BPF_OP(jump->code) == BPF_JGE && jump->k)
            *jump = (struct sock_filter)JUMP_IF(BPF_JGT, jump->k - 1, 0, 1);
        else if (random_below(random, 3))
            jump->k += random_below(random, 2) ? 1 : UINT32_MAX;
        else
            jump->k = masked_value(random_below(random, MASKED_VALUES));
    }
    return other;
}

static bool differs_on_values(const struct program *a, const struct program *b)
{
    for (uint32_t n = 0; n < MASKED_VALUES; n++) {
        struct input input = {.args = {masked_value(n)}};
        if (interpret(a, &input, NULL, 0).word != interpret(b, &input, NULL, 0).word)
            return true;
    }
    return false;
}

/* Here the truth is known, and every such question is one that the walk can settle. */
static void masked_words(void **state)
{
    (void)state;
    struct random random = random_seed(6);
    unsigned equal = 0, asked = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct arena *arena = arena_new();
        struct program first = masked_program(arena, &random);
        struct program second = rewritten(arena, &random, &first);
        struct side a = {"first", NULL, &first, 1}, b = {"second", NULL, &second, 1};
        struct proof_options options = options_in(30);
        struct proof proof = prove_equal(arena, &a, &b, &options);
        bool differs = differs_on_values(&first, &second);
        assert_int_equal(proof.verdict, differs ? REFUTED : PROVED);
        equal += !differs;
        asked += proof.questions != 0;
        arena_free(arena);
    }
    assert_in_range(equal, 500, 2500);
    assert_in_range(asked, 0, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_programs),   TEST(odd_programs),
        TEST(three_ways_agree), TEST(stacks_of_random_programs),
        TEST(masked_words),
    };
    return RUN_TESTS(tests);
}
