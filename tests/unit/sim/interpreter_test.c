#include "tests/unit/support.h"

#include <linux/seccomp.h>

#include "sim/sim.h"

#define PROGRAM(...)                                                                               \
    ((struct program){                                                                             \
        .name = "test",                                                                            \
        .code = (struct sock_filter[]){__VA_ARGS__},                                               \
        .length = sizeof(struct sock_filter[]){__VA_ARGS__} / sizeof(struct sock_filter),          \
    })
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD_X(value) BPF_STMT(BPF_LDX | BPF_IMM, value)
#define LOAD_A(value) BPF_STMT(BPF_LD | BPF_IMM, value)
#define RET(word) BPF_STMT(BPF_RET | BPF_K, word)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)

static const struct input sample = {
    .nr = 0xfffffffe,
    .arch = 0xc000003e,
    .ip = 0x1111111122222222,
    .args = {0x0000000100000002, 0x0000000300000004, 0x0000000500000006, 0x0000000700000008,
             0x000000090000000a, 0x8000000b0000000c},
};

static uint32_t word_of(struct program program)
{
    assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
    return interpret(&program, &sample, NULL, 0).word;
}

/* A row: the result of `a OPERATION operand`, with the operand in the instruction and in X. */
struct row {
    uint16_t operation;
    uint32_t a;
    uint32_t operand;
    uint32_t result;
    bool only_x; /* the constant form is not admitted */
};

static const struct row arithmetic_rows[] = {
    {BPF_ADD, 1, 2, 3, false},
    {BPF_ADD, 0xffffffff, 2, 1, false},
    {BPF_SUB, 1, 2, 0xffffffff, false},
    {BPF_SUB, 0, 0x80000000, 0x80000000, false},
    {BPF_MUL, 0x10001, 0x10001, 0x20001, false},
    {BPF_MUL, 0xffffffff, 0xffffffff, 1, false},
    {BPF_DIV, 7, 2, 3, false},
    {BPF_DIV, 0xffffffff, 0x80000000, 1, false},
    {BPF_DIV, 0x80000000, 0xffffffff, 0, false},
    {BPF_DIV, 7, 0, 0, true},
    {BPF_AND, 0xff00ff00, 0x0ff00ff0, 0x0f000f00, false},
    {BPF_OR, 0xff00ff00, 0x0ff00ff0, 0xfff0fff0, false},
    {BPF_XOR, 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0, false},
    {BPF_LSH, 1, 0, 1, false},
    {BPF_LSH, 3, 31, 0x80000000, false},
    {BPF_LSH, 3, 33, 6, true},
    {BPF_RSH, 0x80000000, 31, 1, false},
    {BPF_RSH, 0x80000000, 32, 0x80000000, true},
    {BPF_RSH, 0xffffffff, 0xffffffff, 1, true},
};

static void test_arithmetic(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(arithmetic_rows); i++) {
        const struct row *row = &arithmetic_rows[i];
        assert_int_equal(word_of(PROGRAM(LOAD_A(row->a), LOAD_X(row->operand),
                                         BPF_STMT(BPF_ALU | row->operation | BPF_X, 0), RET_A)),
                         row->result);
        if (!row->only_x)
            assert_int_equal(
                word_of(PROGRAM(LOAD_A(row->a),
                                BPF_STMT(BPF_ALU | row->operation | BPF_K, row->operand), RET_A)),
                row->result);
    }
    assert_int_equal(word_of(PROGRAM(LOAD_A(1), BPF_STMT(BPF_ALU | BPF_NEG, 0), RET_A)), ~0u);
    assert_int_equal(word_of(PROGRAM(LOAD_A(0), BPF_STMT(BPF_ALU | BPF_NEG, 0), RET_A)), 0);
}

static const struct row condition_rows[] = {
    {BPF_JEQ, 5, 5, 1, false},
    {BPF_JEQ, 5, 6, 0, false},
    {BPF_JGT, 5, 5, 0, false},
    {BPF_JGT, 0x80000000, 0x7fffffff, 1, false},
    {BPF_JGT, 0x7fffffff, ~0u, 0, false},
    {BPF_JGE, 5, 5, 1, false},
    {BPF_JGE, 0x7fffffff, 0x80000000, 0, false},
    {BPF_JGE, 6, 5, 1, false},
    {BPF_JSET, 6, 1, 0, false},
    {BPF_JSET, 6, 4, 1, false},
    {BPF_JSET, 0x80000000, ~0u, 1, false},
    {BPF_JSET, 6, 0, 0, false},
};

static void test_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(condition_rows); i++) {
        const struct row *row = &condition_rows[i];
        assert_int_equal(
            word_of(PROGRAM(LOAD_A(row->a),
                            BPF_JUMP(BPF_JMP | row->operation | BPF_K, row->operand, 1, 0), RET(0),
                            RET(1))),
            row->result);
        assert_int_equal(
            word_of(PROGRAM(LOAD_A(row->a), LOAD_X(row->operand),
                            BPF_JUMP(BPF_JMP | row->operation | BPF_X, ~row->operand, 0, 1), RET(1),
                            RET(0))),
            row->result);
    }
}

static void test_loads(void **state)
{
    (void)state;
    for (uint32_t offset = 0; offset < INPUT_BYTES; offset += 4)
        for (int big = 0; big < 2; big++) {
            struct program program = PROGRAM(LOAD(offset), RET_A);
            program.big_endian = big;
            assert_int_equal(interpret(&program, &sample, NULL, 0).word,
                             input_field(&sample, field_at(offset, big)));
        }
    struct program low = PROGRAM(LOAD(16 + 8 * 5), RET_A);
    assert_int_equal(interpret(&low, &sample, NULL, 0).word, 0x0000000c);
    low.big_endian = true;
    assert_int_equal(interpret(&low, &sample, NULL, 0).word, 0x8000000b);
}

static void test_moves(void **state)
{
    (void)state;
    assert_int_equal(word_of(PROGRAM(RET_A)), 0);
    assert_int_equal(word_of(PROGRAM(LOAD_A(7), BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A)), 0);
    assert_int_equal(word_of(PROGRAM(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A)), 64);
    assert_int_equal(word_of(PROGRAM(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
                                     BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A)),
                     64);
    assert_int_equal(word_of(PROGRAM(LOAD_A(9), BPF_STMT(BPF_MISC | BPF_TAX, 0), LOAD_A(1),
                                     BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A)),
                     9);
    assert_int_equal(
        word_of(PROGRAM(LOAD_A(3), LOAD_X(4), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_STX, 15),
                        BPF_STMT(BPF_LDX | BPF_MEM, 0), BPF_STMT(BPF_LD | BPF_MEM, 15),
                        BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0), RET_A)),
        1);
}

static void test_division_by_zero_ends_the_run(void **state)
{
    (void)state;
    struct program program = PROGRAM(LOAD_A(7), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET(1));
    struct run run = interpret(&program, &sample, NULL, 0);
    assert_int_equal(run.word, 0);
    assert_true(run.divided_by_zero);
    assert_int_equal(run.last, 1);
    assert_int_equal(run.executed, 2);
}

static void test_wide_shift_is_reported(void **state)
{
    (void)state;
    struct program wide =
        PROGRAM(LOAD_A(1), LOAD_X(32), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), RET_A);
    struct program narrow =
        PROGRAM(LOAD_A(1), LOAD_X(31), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), RET_A);
    assert_true(interpret(&wide, &sample, NULL, 0).implementation_defined);
    assert_false(interpret(&narrow, &sample, NULL, 0).implementation_defined);
    assert_true(
        interpret_stack((struct program[]){narrow, wide}, 2, &sample).implementation_defined);
}

static void test_trace(void **state)
{
    (void)state;
    struct program program =
        PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 1), RET(9), LOAD(0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xfffffffe, 1, 0), RET(0), RET(5));
    uint32_t trace[5] = {99, 99, 99, 99, 99};
    struct run run = interpret(&program, &sample, trace, 3);
    assert_int_equal(run.word, 5);
    assert_int_equal(run.executed, 4);
    assert_int_equal(run.last, 5);
    assert_memory_equal(trace, ((uint32_t[]){0, 2, 3, 99, 99}), sizeof trace);
}

static void test_unaccepted_programs_are_harmless(void **state)
{
    (void)state;
    struct program off_the_end = PROGRAM(LOAD_A(7));
    struct program far = PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RET(1));
    struct program slot = PROGRAM(BPF_STMT(BPF_LD | BPF_MEM, 0xffffffff), RET_A);
    struct program field = PROGRAM(LOAD(0xfffffffe), RET(3));
    struct program opcode = PROGRAM(BPF_STMT(0xffff, 0), RET(3));
    struct program empty = {.name = "empty"};
    assert_int_equal(interpret(&off_the_end, &sample, NULL, 0).word, 0);
    assert_int_equal(interpret(&far, &sample, NULL, 0).word, 0);
    assert_int_equal(interpret(&slot, &sample, NULL, 0).word, 0);
    assert_int_equal(interpret(&field, &sample, NULL, 0).word, 3);
    assert_int_equal(interpret(&opcode, &sample, NULL, 0).word, 0);
    assert_int_equal(interpret(&empty, &sample, NULL, 0).executed, 0);
}

struct stack_row {
    uint32_t oldest, middle, newest;
    uint32_t word;
    uint32_t decided_by;
};

static const struct stack_row stack_rows[] = {
    /* the strictest wins wherever it stands; KILL_PROCESS is below KILL_THREAD */
    {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS,
     0},
    {SECCOMP_RET_ALLOW, SECCOMP_RET_TRAP | 3, SECCOMP_RET_ERRNO | 1, SECCOMP_RET_TRAP | 3, 1},
    /* of equals the newest, with its data */
    {SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 2, SECCOMP_RET_ERRNO | 3, SECCOMP_RET_ERRNO | 3, 2},
    {SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 2, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 2, 1},
    /* the data of an ALLOW never leaves a stack */
    {SECCOMP_RET_ALLOW | 1, SECCOMP_RET_ALLOW | 2, SECCOMP_RET_ALLOW | 3, SECCOMP_RET_ALLOW, 3},
    /* unknown actions are compared like any other word */
    {SECCOMP_RET_ERRNO, 0x00010000, SECCOMP_RET_TRAP, 0x00010000, 1},
    {0xffff0000, SECCOMP_RET_KILL_PROCESS, 0x80010000, SECCOMP_RET_KILL_PROCESS, 1},
    {SECCOMP_RET_LOG, SECCOMP_RET_TRACE | 5, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF, 2},
};

static void test_stacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stack_rows); i++) {
        const struct stack_row *row = &stack_rows[i];
        struct program programs[] = {PROGRAM(RET(row->oldest)), PROGRAM(RET(row->middle)),
                                     PROGRAM(RET(row->newest))};
        struct stack_run stack = interpret_stack(programs, 3, &sample);
        assert_int_equal(stack.word, row->word);
        assert_int_equal(stack.decided_by, row->decided_by);
        assert_int_equal(stack.executed, 3);
    }
    struct stack_run none = interpret_stack(NULL, 0, &sample);
    assert_int_equal(none.word, SECCOMP_RET_ALLOW);
    assert_int_equal(none.decided_by, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arithmetic),
        TEST(test_conditions),
        TEST(test_loads),
        TEST(test_moves),
        TEST(test_division_by_zero_ends_the_run),
        TEST(test_wide_shift_is_reported),
        TEST(test_trace),
        TEST(test_unaccepted_programs_are_harmless),
        TEST(test_stacks),
    };
    return RUN_TESTS(tests);
}
