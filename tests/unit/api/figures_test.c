/* The expected path of a program: what it executes, and which jumps its machine code takes. */
#include "tests/unit/support.h"

#include "api/bpfproof.h"

static void expect_paths(const struct program *program, uint32_t nr, double executed, double jumps)
{
    struct weighted_call call = {.input = {.nr = nr}, .weight = 1};
    struct weights weights = {.calls = &call, .count = 1};
    struct path_means means = program_paths(program, &weights);
    if (means.executed != executed || means.jumps != jumps)
        fail_msg("%u: %g executed, %g jumps; not %g, %g", nr, means.executed, means.jumps, executed,
                 jumps);
}

/* Counted by hand: x86 kernels' JIT has one jump for a comparison one side of which follows, two of
 * which one is taken where neither does or where bits are tested and "any" follows, and the end of
 * the function at the first return. */
static void test_jumps_are_those_of_the_machine_code(void **state)
{
    (void)state;
    struct sock_filter code[] = {
        /* 0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 1),
        /* 2 */ BPF_STMT(BPF_RET | BPF_K, 1),
        /* 3 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
        /* 4 */ BPF_STMT(BPF_RET | BPF_K, 2),
        /* 5 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 7, 1, 0),
        /* 6 */ BPF_STMT(BPF_RET | BPF_K, 3),
        /* 7 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 10, 0, 1),
        /* 8 */ BPF_STMT(BPF_JMP | BPF_JA, 2),
        /* 9 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 2, 0),
        /* 10 */ BPF_STMT(BPF_RET | BPF_K, 4),
        /* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12, 1, 2),
        /* 12 */ BPF_STMT(BPF_RET | BPF_K, 5),
        /* 13 */ BPF_STMT(BPF_RET | BPF_K, 6),
        /* 14 */ BPF_STMT(BPF_RET | BPF_K, 7),
    };
    struct program program = {.name = "jumps", .code = code, .length = COUNT_OF(code)};
    assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
    expect_paths(&program, 5, 3, 0);  /* nothing but the first return */
    expect_paths(&program, 1, 4, 3);  /* JEQ, JSET, the return */
    expect_paths(&program, 6, 5, 3);  /* JEQ, JSET; JGT does not; the return */
    expect_paths(&program, 8, 7, 5);  /* JEQ, JSET, JGT, JGE; JSET 4 does not hold; the return */
    expect_paths(&program, 12, 8, 6); /* JEQ, JSET, JGT; JGE holds; JA, JEQ, the return */
    expect_paths(&program, 14, 8, 6); /* the same, but for JEQ's other side */
}

/* A JA to the next instruction is left out of the machine code. */
static void test_a_jump_to_what_follows_is_none(void **state)
{
    (void)state;
    struct sock_filter code[] = {BPF_STMT(BPF_JMP | BPF_JA, 0), BPF_STMT(BPF_JMP | BPF_JA, 1),
                                 BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 2)};
    struct program program = {.name = "ja", .code = code, .length = COUNT_OF(code)};
    expect_paths(&program, 0, 3, 2); /* the second JA, the second return */
}

static void test_means_are_weighed(void **state)
{
    (void)state;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 1),          BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 8, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 2),          BPF_STMT(BPF_RET | BPF_K, 3),
    };
    struct program program = {.name = "weights", .code = code, .length = COUNT_OF(code)};
    struct weighted_call calls[] = {{.input = {.nr = 5}, .weight = 0.25},
                                    {.input = {.nr = 6}, .weight = 0.75}};
    struct weights weights = {.calls = calls, .count = COUNT_OF(calls)};
    struct path_means means = program_paths(&program, &weights);
    assert_true(means.executed == 0.25 * 4 + 0.75 * 3);
    assert_true(means.jumps == 0.25 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_jumps_are_those_of_the_machine_code),
                                       TEST(test_a_jump_to_what_follows_is_none),
                                       TEST(test_means_are_weighed)};
    return RUN_TESTS(tests);
}
