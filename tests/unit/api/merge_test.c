/* Stacks merged: on every input the one program returns what the kernel makes of the stack. */
#include "tests/unit/support.h"

#include "api/bpfproof.h"
#include "tests/campaigns/generate.h"

#define QUESTION_LIMIT 200000u /* of the solver's own count: the same on every machine */

static const struct compile_options defaults = {.level = OPTIMIZE_2};

static void expect_same(const struct program *programs, size_t count, const struct program *merged,
                        struct random *random)
{
    for (int i = 0; i < 80; i++) {
        struct input input = random_input(random, &programs[random_below(random, (uint32_t)count)]);
        struct stack_run stack = interpret_stack(programs, count, &input);
        struct stack_run one = interpret_stack(merged, 1, &input);
        if (!stack.implementation_defined)
            assert_int_equal(one.word, stack.word);
    }
}

/* RET A, unknown actions and data of all kinds are among what they return. */
static void test_random_stacks(void **state)
{
    struct random random = random_seed(77);
    unsigned merged_count = 0, proved = 0;
    (void)state;
    for (int i = 0; i < 250; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct program programs[3];
        size_t count = 1 + random_below(&random, COUNT_OF(programs));
        for (size_t k = 0; k < count; k++) {
            struct draft *draft = NEW(arena, struct draft);
            draft_valid(&random, draft);
            programs[k] = draft_program(draft, "random");
        }
        struct compile_options options = defaults;
        struct merged merged;
        if (worked(merge_programs(arena, programs, count, 0, &options, &diagnostics, &merged))) {
            merged_count++;
            expect_same(programs, count, &merged.program, &random);
            assert_int_not_equal(merged.proof.verdict, REFUTED);
            proved += merged.proof.verdict == PROVED;
        }
        arena_free(arena);
    }
    assert_true(merged_count >= 240);
    assert_true(proved >= merged_count - merged_count / 50);
}

static struct program returning(struct fixture *fixture, uint32_t word)
{
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, word)};
    return (struct program){
        .name = "constant", .code = arena_copy(fixture->arena, code, sizeof code), .length = 1};
}

static void expect_word(struct fixture *fixture, uint32_t older, uint32_t newer, uint32_t expected)
{
    struct program programs[] = {returning(fixture, older), returning(fixture, newer)};
    struct merged merged;
    assert_true(worked(merge_programs(fixture->arena, programs, 2, ABI_BIT(ABI_X86_64), &defaults,
                                      &fixture->diagnostics, &merged)));
    assert_int_equal(merged.proof.verdict, PROVED);
    struct input input = {0};
    assert_int_equal(interpret(&merged.program, &input, NULL, 0).word, expected);
}

/* seccomp_run_filters: signed order, the newest of equals, an ALLOW's data never leaves. */
static void test_precedence(void **state)
{
    struct fixture *fixture = *state;
    expect_word(fixture, 0x00050001, 0x00050002, 0x00050002);
    expect_word(fixture, 0x00050001, 0x7fff0000, 0x00050001);
    expect_word(fixture, 0x7fff0005, 0x7fff0007, 0x7fff0000);
    expect_word(fixture, 0x80000000, 0x00000000, 0x80000000);
    expect_word(fixture, 0x00000000, 0x80000000, 0x80000000);
    expect_word(fixture, 0x00000000, 0x00030007, 0x00000000);
    expect_word(fixture, 0x7ff00003, 0x7fc00001, 0x7fc00001);
    expect_word(fixture, 0x90000000, 0x00050001, 0x90000000);
    expect_word(fixture, 0x90000000, 0x80000000, 0x80000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_stacks), TEST(test_precedence)};
    return RUN_TESTS(tests);
}
