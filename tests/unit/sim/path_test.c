#include "tests/unit/support.h"

#include "tests/unit/sim/programs.h"

#define TOKEN_X86_64 0xc000003eu
#define NR_OPENAT 257u
#define OTHER(code) BPF_STMT(code, 0)

static struct path explain(struct fixture *fixture, const struct program *program,
                           const struct input *input)
{
    assert_int_equal(check_program(program).rule, CHECK_ACCEPTED);
    return path_explain(fixture->arena, program, input);
}

static const struct input openat = {
    .nr = NR_OPENAT, .arch = TOKEN_X86_64, .args = {0xffffff9c, 0x1000, 0x80002}};

static void test_what_is_known(void **state)
{
    struct program program =
        PROGRAM(LOAD_ARCH, EQUAL(TOKEN_X86_64, 1, 0), RET(0), LOAD_NR,
                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x3c, 1, 0), RET(0), EQUAL(0x20, 0, 1), RET(0),
                LOAD(field_offset(FIELD_ARG2_LO, false)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 3),
                EQUAL(2, 0, 1), RET(SECCOMP_RET_ERRNO | 13), ALLOW);
    struct path path = explain(*state, &program, &openat);
    static const char *const remarks[] = {
        "A = arch = 0xc000003e (AUDIT_ARCH_X86_64)",
        "arch = 0xc000003e (AUDIT_ARCH_X86_64), equal: to 3",
        "A = nr = 257 (openat)",
        "nr = 257 (openat), so not below 60 (exit): to 6",
        "nr = 257 (openat), so not 32 (dup): to 8; as was known: nr >= 0x3c",
        "A = lo32(arg2) = 0x80002 (flags)",
        "A = lo32(arg2) & 0x3 = 0x2",
        "lo32(arg2) & 0x3 = 0x2, equal: to 11",
        "returns errno(EACCES)",
    };
    static const char *const conditions[] = {"arch == 0xc000003e", "nr >= 0x3c",
                                             "(lo32(arg2) & 0x3) == 0x2"};
    assert_int_equal(path.count, COUNT_OF(remarks));
    for (size_t i = 0; i < COUNT_OF(remarks); i++)
        assert_string_equal(path.steps[i].remark, remarks[i]);
    assert_int_equal(path.condition_count, COUNT_OF(conditions));
    for (size_t i = 0; i < COUNT_OF(conditions); i++)
        assert_string_equal(path.conditions[i], conditions[i]);
    assert_true(path.steps[4].was_known && !path.steps[4].holds && path.steps[4].next == 8);
    assert_string_equal(path.steps[3].relation, ">=");
    assert_false(path.steps[3].was_known);
}

static void test_the_upper_half_of_an_int_is_ignored(void **state)
{
    struct program program = PROGRAM(LOAD(field_offset(FIELD_ARG0_HI, false)), ALLOW);
    struct path path = explain(*state, &program, &openat);
    assert_string_equal(path.steps[0].remark,
                        "A = hi32(arg0) = 0x0 (upper half of dirfd, which the kernel ignores)");
    struct program pointer = PROGRAM(LOAD(field_offset(FIELD_ARG1_HI, false)), ALLOW);
    path = explain(*state, &pointer, &openat);
    assert_string_equal(path.steps[0].remark, "A = hi32(arg1) = 0x0 (upper half of pathname)");
}

/* Registers and memory are followed; constants are folded. */
static void test_terms_move(void **state)
{
    struct program program = PROGRAM(
        LOAD_NR, BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_IMM, 7), OTHER(BPF_MISC | BPF_TAX),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_LD | BPF_MEM, 3),
        OTHER(BPF_ALU | BPF_NEG), BPF_STMT(BPF_LDX | BPF_MEM, 3),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 0), OTHER(BPF_MISC | BPF_TXA), RET_A);
    struct path path = explain(*state, &program, &openat);
    static const char *const remarks[] = {
        "A = nr = 257 (openat)",
        "M[3] = nr = 257 (openat)",
        "A = 0x7",
        "X = 0x7",
        "A = 0xe",
        "A = nr = 257 (openat)",
        "A = -nr = 0xfffffeff",
        "X = nr = 257 (openat)",
        "-nr = 0xfffffeff, so above nr = 0x101: to 9 either way",
        "A = nr = 257 (openat)",
        "returns nr = 0x101: ret(0x00000101)",
    };
    assert_int_equal(path.count, COUNT_OF(remarks));
    for (size_t i = 0; i + 1 < COUNT_OF(remarks); i++)
        assert_string_equal(path.steps[i].remark, remarks[i]);
    assert_memory_equal(path.steps[10].remark, "returns nr = 0x101: ", 20);
    assert_int_equal(path.condition_count, 1);
    assert_string_equal(path.conditions[0], "(-nr > nr)");
}

/* A = A + X, X = A, again and again: the term doubles each time. */
static void test_a_long_term_gets_a_name(void **state)
{
    struct sock_filter code[4000];
    for (size_t i = 0; i < COUNT_OF(code); i++)
        code[i] = i % 2 ? (struct sock_filter)OTHER(BPF_ALU | BPF_ADD | BPF_X)
                        : (struct sock_filter)OTHER(BPF_MISC | BPF_TAX);
    code[0] = (struct sock_filter)LOAD_NR;
    code[COUNT_OF(code) - 1] = (struct sock_filter)RET_A;
    struct program program = {.name = "doubling", .code = code, .length = COUNT_OF(code)};
    struct path path = explain(*state, &program, &openat);
    assert_int_equal(path.count, COUNT_OF(code));
    for (size_t i = 0; i < path.count; i++)
        assert_true(strlen(path.steps[i].remark) < 300);
    assert_non_null(strstr(path.steps[path.count - 2].remark, "A at "));
}

static void test_division_by_zero(void **state)
{
    struct program program = PROGRAM(LOAD_NR, BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOW);
    struct path path = explain(*state, &program, &openat);
    assert_int_equal(path.count, 2);
    assert_string_equal(path.steps[1].remark,
                        "divides by X = 0: the kernel ends the program with 0, kill_thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_known),    TEST(test_the_upper_half_of_an_int_is_ignored),
        TEST(test_terms_move),       TEST(test_a_long_term_gets_a_name),
        TEST(test_division_by_zero),
    };
    return RUN_TESTS(tests);
}
