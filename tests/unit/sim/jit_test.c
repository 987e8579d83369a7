#include "tests/unit/support.h"

#include "sim/image.h"
#include "tests/unit/sim/programs.h"

static const struct input sample = {
    .nr = 0xfffffffe,
    .arch = 0xc000003e,
    .ip = 0x1111111122222222,
    .args = {0x0000000100000002, 0x0000000300000004, 0x0000000500000006, 0x0000000700000008,
             0x000000090000000a, 0x8000000b0000000c},
};

#define ALU_X(operation) BPF_STMT(BPF_ALU | (operation) | BPF_X, 0)
#define ALU_K(operation, value) BPF_STMT(BPF_ALU | (operation) | BPF_K, value)
#define JUMP_K(operation, value, jt, jf) BPF_JUMP(BPF_JMP | (operation) | BPF_K, value, jt, jf)
#define JUMP_X(operation, jt, jf) BPF_JUMP(BPF_JMP | (operation) | BPF_X, 0, jt, jf)
#define TAX BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define TXA BPF_STMT(BPF_MISC | BPF_TXA, 0)

/* The kernel's machine code and the interpreter give the same word; false: no images here. */
static bool same(struct fixture *fixture, const struct program *program)
{
    struct jit *jit;
    if (failed(jit_open(fixture->arena, program, &fixture->diagnostics, &jit)))
        return false;
    struct run run = interpret(program, &sample, NULL, 0);
    assert_int_equal(jit_call(jit, &sample), run.word);
    for (unsigned placement = 0; placement < JIT_PLACEMENTS; placement++)
        assert_int_equal((uint32_t)jit_function_at(jit, placement)(&sample, NULL), run.word);
    jit_close(jit);
    return true;
}

static void test_each_instruction(void **state)
{
    struct fixture *fixture = *state;
    const struct program programs[] = {
        PROGRAM(RET_A),
        PROGRAM(LOAD(60), RET_A),
        PROGRAM(LOAD(20), TAX, LOAD(0), ALU_X(BPF_ADD), RET_A),
        PROGRAM(LOAD(20), TAX, LOAD(0), ALU_X(BPF_SUB), RET_A),
        PROGRAM(LOAD(44), TAX, LOAD(0), ALU_X(BPF_MUL), RET_A),
        PROGRAM(LOAD(24), TAX, LOAD(0), ALU_X(BPF_DIV), RET_A),
        PROGRAM(LOAD_A(7), ALU_X(BPF_DIV), RET(1)),
        PROGRAM(LOAD(40), TAX, LOAD(4), ALU_X(BPF_AND), RET_A),
        PROGRAM(LOAD(40), TAX, LOAD(4), ALU_X(BPF_OR), RET_A),
        PROGRAM(LOAD(40), TAX, LOAD(4), ALU_X(BPF_XOR), RET_A),
        PROGRAM(LOAD(40), TAX, LOAD(4), ALU_X(BPF_LSH), RET_A),
        PROGRAM(LOAD(40), TAX, LOAD(4), ALU_X(BPF_RSH), RET_A),
        PROGRAM(LOAD(0), TAX, LOAD(4), ALU_X(BPF_RSH), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_ADD, 0xffffffff), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_SUB, 0x80000000), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_MUL, 0x10001), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_DIV, 0x80000001), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_AND, 0x12345678), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_OR, 0x80000001), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_XOR, 0xf0000000), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_LSH, 31), RET_A),
        PROGRAM(LOAD(0), ALU_K(BPF_RSH, 31), RET_A),
        PROGRAM(LOAD(0), BPF_STMT(BPF_ALU | BPF_NEG, 0), RET_A),
        PROGRAM(BPF_STMT(BPF_LD | BPF_LEN, 0), RET_A),
        PROGRAM(BPF_STMT(BPF_LDX | BPF_LEN, 0), TXA, RET_A),
        PROGRAM(LOAD(0), BPF_STMT(BPF_ST, 0), LOAD_A(0), BPF_STMT(BPF_LDX | BPF_MEM, 0),
                BPF_STMT(BPF_STX, 15), BPF_STMT(BPF_LD | BPF_MEM, 15), RET_A),
        PROGRAM(LOAD(0), JUMP_K(BPF_JEQ, 0xfffffffe, 0, 1), RET(1), RET(2)),
        PROGRAM(LOAD(0), JUMP_K(BPF_JGT, 0x7fffffff, 1, 0), RET(1), RET(2)),
        PROGRAM(LOAD(0), JUMP_K(BPF_JGE, 0xfffffffe, 1, 2), RET(0), RET(1), RET(2)),
        PROGRAM(LOAD(16), JUMP_K(BPF_JSET, 2, 0, 1), RET(1), RET(2)),
        PROGRAM(LOAD(16), JUMP_K(BPF_JSET, 0x80000001, 0, 1), RET(1), RET(2)),
        PROGRAM(LOAD(16), TAX, LOAD(0), JUMP_X(BPF_JGT, 0, 1), RET(1), RET(2)),
        PROGRAM(LOAD(16), TAX, JUMP_X(BPF_JEQ, 1, 1), RET(1), RET(2)),
        PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 1), RET(9), RET(5)), /* with a dead instruction */
    };
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        assert_int_equal(check_program(&programs[i]).rule, CHECK_ACCEPTED);
        if (!same(fixture, &programs[i])) {
            print_message("# SKIP %s\n", fixture->diagnostics.first->message);
            skip();
        }
    }
}

/* Long jumps, and a program as long as they come. */
/* Each copy begins somewhere else in a cache line, at a multiple of 4 as the kernel's images do. */
static void test_placements(void **state)
{
    struct fixture *fixture = *state;
    const struct program program = PROGRAM(RET(1));
    struct jit *jit;
    if (failed(jit_open(fixture->arena, &program, &fixture->diagnostics, &jit)))
        skip();
    bool seen[64] = {false};
    for (unsigned placement = 0; placement < JIT_PLACEMENTS; placement++) {
        jit_function *function = jit_function_at(jit, placement);
        uintptr_t address;
        memcpy(&address, &function, sizeof address);
        assert_int_equal(address % 4, 0);
        assert_false(seen[address % 64]);
        seen[address % 64] = true;
    }
    jit_close(jit);
}

static void test_longest_program(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter *code = NEW_ARRAY(fixture->arena, struct sock_filter, PROGRAM_MOST);
    for (uint32_t i = 0; i < PROGRAM_MOST; i++)
        code[i] = (struct sock_filter)ALU_K(BPF_ADD, i);
    code[0] = (struct sock_filter)LOAD(0);
    code[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 2000);
    code[PROGRAM_MOST - 1] = (struct sock_filter)RET_A;
    struct program program = {.name = "longest", .code = code, .length = PROGRAM_MOST};
    if (!same(fixture, &program))
        skip();
}

static void test_refuses_what_the_kernel_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct jit *jit;
    struct program bad = PROGRAM(LOAD(0));
    assert_int_equal(jit_open(fixture->arena, &bad, &fixture->diagnostics, &jit).error,
                     ERROR_UNSUPPORTED);
    assert_int_equal(fixture->diagnostics.errors, 1);
}

static void test_image_patch(void **state)
{
    (void)state;
    uint8_t plain[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x31, 0xc0, 0xc9, 0xc3, 0xcc};
    assert_null(image_patch(plain, sizeof plain));
    uint8_t thunk[] = {0x55, 0xc9, 0xe9, 0x10, 0x20, 0x30, 0x40};
    assert_null(image_patch(thunk, sizeof thunk));
    assert_memory_equal(thunk, ((uint8_t[]){0x55, 0xc9, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc}), 7);
    uint8_t inside[] = {0x55, 0xc9, 0xe9, 0xfa, 0xff, 0xff, 0xff};
    assert_null(image_patch(inside, sizeof inside));
    assert_int_equal(inside[2], 0xe9);
    uint8_t call[] = {0x55, 0xe8, 0x10, 0x20, 0x30, 0x40, 0xc9, 0xc3};
    assert_non_null(image_patch(call, sizeof call));
    uint8_t jump[] = {0x55, 0xe9, 0x10, 0x20, 0x30, 0x40, 0xc9, 0xc3};
    assert_non_null(image_patch(jump, sizeof jump));
    uint8_t branch[] = {0xc9, 0x0f, 0x84, 0x10, 0x20, 0x30, 0x40};
    assert_non_null(image_patch(branch, sizeof branch));
    /* an immediate that looks like `leave; jmp` is no jump */
    uint8_t hidden[] = {0xb8, 0xc9, 0xe9, 0x10, 0x20, 0xc3};
    assert_null(image_patch(hidden, sizeof hidden));
    assert_int_equal(hidden[2], 0xe9);
    uint8_t cut[] = {0xb8, 0x00};
    assert_non_null(image_patch(cut, sizeof cut));
    uint8_t unknown[] = {0x0f, 0x05, 0xc3}; /* syscall */
    assert_non_null(image_patch(unknown, sizeof unknown));
}

/* Whatever the bytes are, nothing outside them is read or written, and no jump out of them stays.
 */
static void test_any_bytes(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t frequent[] = {0xc9, 0xe9, 0x0f, 0x48, 0x84, 0xeb, 0xb8, 0xf7, 0x04, 0x25};
    struct random random = random_seed(3);
    for (int round = 0; round < 50000; round++) {
        size_t length = random_below(&random, 24);
        uint8_t *image = arena_alloc(fixture->arena, length);
        for (size_t i = 0; i < length; i++)
            image[i] = random_below(&random, 2) ? frequent[random_below(&random, sizeof frequent)]
                                                : (uint8_t)random_u64(&random);
        if (image_patch(image, length) == NULL)
            assert_null(image_patch(image, length)); /* what was patched needs no more */
    }
}

/* The programs with the longest translations and the longest jumps over them. */
static void test_longest_translation(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter *code = NEW_ARRAY(fixture->arena, struct sock_filter, PROGRAM_MOST);
    for (uint32_t i = 0; i < PROGRAM_MOST; i++)
        code[i] = (struct sock_filter)ALU_X(BPF_DIV);
    code[0] = (struct sock_filter)LOAD_X(1);
    code[1] = (struct sock_filter)LOAD(0);
    code[2] = (struct sock_filter)JUMP_K(BPF_JEQ, 0xfffffffe, 0, 1);
    code[3] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, PROGRAM_MOST - 6);
    code[PROGRAM_MOST - 2] = (struct sock_filter)RET(3);
    code[PROGRAM_MOST - 1] = (struct sock_filter)RET(7);
    struct program program = {.name = "longest", .code = code, .length = PROGRAM_MOST};
    assert_int_equal(interpret(&program, &sample, NULL, 0).word, 3);
    if (!same(fixture, &program))
        skip();
    code[2].k = 0;
    assert_true(same(fixture, &program));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_instruction),    TEST(test_placements),
        TEST(test_longest_program),     TEST(test_refuses_what_the_kernel_refuses),
        TEST(test_image_patch),         TEST(test_any_bytes),
        TEST(test_longest_translation),
    };
    return RUN_TESTS(tests);
}
