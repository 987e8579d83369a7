/* Lifting: random programs and odd ones, against the interpreter; limits; what a long chain costs.
 */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "tests/campaigns/generate.h"

#define ALLOW 0x7fff0000u
#define DENY 0x00050001u
#define X86_64 0xc000003eu
#define I386 0x40000003u

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field_offset((field), false))
#define RETURN(word) BPF_STMT(BPF_RET | BPF_K, (word))
#define RETURN_A BPF_STMT(BPF_RET | BPF_A, 0)
#define JUMP(operation, k, jt, jf) BPF_JUMP(BPF_JMP | (operation) | BPF_K, (k), (jt), (jf))
#define JUMP_X(operation, jt, jf) BPF_JUMP(BPF_JMP | (operation) | BPF_X, 0, (jt), (jf))
#define CALCULATE(operation, k) BPF_STMT(BPF_ALU | (operation) | BPF_K, (k))
#define CALCULATE_X(operation) BPF_STMT(BPF_ALU | (operation) | BPF_X, 0)
#define STORE(slot) BPF_STMT(BPF_ST, (slot))
#define FETCH(slot) BPF_STMT(BPF_LD | BPF_MEM, (slot))
#define TAX BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define TXA BPF_STMT(BPF_MISC | BPF_TXA, 0)

/* ---- helpers -------------------------------------------------------------------------------- */

static const struct dag_node *lift_or_fail(struct arena *arena, const struct program *program,
                                           struct dag **dag)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct dag_node *root = NULL;
    *dag = NULL;
    assert_int_equal(check_program(program).rule, CHECK_ACCEPTED);
    if (failed(lift_program(arena, program, &diagnostics, dag, &root))) {
        print_program(program);
        fail_msg("%s", diagnostics.last->message);
    }
    const char *broken = dag_check(*dag, root);
    if (broken) {
        print_program(program);
        fail_msg("%s", broken);
    }
    return root;
}

static void expect_same(const struct program *program, const struct dag_node *root,
                        const struct input *input)
{
    uint32_t word = interpret(program, input, NULL, 0).word;
    if (dag_evaluate(root, input) == word)
        return;
    print_program(program);
    fail_msg("nr 0x%x arch 0x%x args[0] 0x%llx: the program gives 0x%08x, its DAG 0x%08x",
             input->nr, input->arch, (unsigned long long)input->args[0], word,
             dag_evaluate(root, input));
}

/* The program's DAG, after it has been held against the program on values near its constants. */
static const struct dag_node *lift_and_compare(struct arena *arena, const struct program *program,
                                               unsigned inputs)
{
    struct dag *dag;
    struct random random = random_seed(program->length);
    const struct dag_node *root = lift_or_fail(arena, program, &dag);
    for (unsigned i = 0; i < inputs; i++) {
        struct input input = random_input(&random, program);
        expect_same(program, root, &input);
    }
    return root;
}

#define PROGRAM(instructions)                                                                      \
    {                                                                                              \
        .name = "odd", .code = (instructions), .length = COUNT_OF(instructions)                    \
    }

/* ---- random programs ------------------------------------------------------------------------ */

static void test_random_programs(void **state)
{
    struct random random = random_seed(5);
    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct arena *arena = arena_new();
        struct draft *draft = NEW(arena, struct draft);
        draft_valid(&random, draft);
        struct program program = draft_program(draft, "random");
        program.big_endian = i % 4 == 0;
        /* What is really too involved says so; the rest has to be right. */
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct dag *dag = NULL;
        const struct dag_node *root;
        if (draft->length > 60 && failed(lift_program(arena, &program, &diagnostics, &dag, &root)))
            assert_non_null(strstr(diagnostics.last->message, "too involved"));
        else
            lift_and_compare(arena, &program, 60);
        arena_free(arena);
    }
}

/* Few words, few constants, many tests: paths meet, test again what is settled, and test arguments
 * before nr and nr before arch. */
static struct sock_filter random_dense(struct random *random, uint32_t left)
{
    static const uint16_t jumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    static const enum field fields[] = {FIELD_NR, FIELD_NR, FIELD_ARCH, FIELD_ARG0_LO};
    static const uint32_t masks[] = {1, 2, 3, 6, 0xfffffffe, 0xbfffffff, 0x40000000, 5};
    static const struct sock_filter moves[] = {STORE(0), FETCH(0), TAX, TXA};
    uint32_t constant = random_below(random, 6);
    if (one_in(random, 8))
        constant = masks[random_below(random, COUNT_OF(masks))];
    uint32_t reach = left < 12 ? left : 12;
    switch (random_below(random, 12)) {
    case 0:
    case 1:
        return (struct sock_filter)LOAD(fields[random_below(random, COUNT_OF(fields))]);
    case 2:
        return moves[random_below(random, COUNT_OF(moves))];
    case 3:
        return (struct sock_filter)CALCULATE(BPF_AND, masks[random_below(random, 8)]);
    case 4:
        return one_in(random, 3) ? (struct sock_filter)CALCULATE_X(BPF_DIV)
                                 : (struct sock_filter)CALCULATE(BPF_ADD, constant);
    case 5:
        return (struct sock_filter)RETURN(random_below(random, 4));
    default:
        return (struct sock_filter)BPF_JUMP(
            BPF_JMP | jumps[random_below(random, 4)] | (one_in(random, 10) ? BPF_X : BPF_K),
            constant, (uint8_t)random_below(random, reach), (uint8_t)random_below(random, reach));
    }
}

static void test_dense_programs(void **state)
{
    struct random random = random_seed(6);
    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct arena *arena = arena_new();
        struct sock_filter code[64] = {STORE(0)};
        uint32_t length = 4 + random_below(&random, 60);
        for (uint32_t pc = 1; pc + 1 < length; pc++)
            code[pc] = random_dense(&random, length - pc - 1);
        code[length - 1] = (struct sock_filter)RETURN_A;
        struct program program = {.name = "dense", .code = code, .length = length};
        struct dag *dag;
        const struct dag_node *root = lift_or_fail(arena, &program, &dag);
        for (unsigned at = 0; at < 8 * 8 * 8; at++) {
            struct input input = {.nr = at % 8, .arch = at / 8 % 8, .args = {at / 64}};
            expect_same(&program, root, &input);
            input.nr |= 0x40000000;
            expect_same(&program, root, &input);
        }
        arena_free(arena);
    }
}

/* ---- odd programs --------------------------------------------------------------------------- */

static void test_order_is_restored(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_ARG1_LO),
                                 JUMP(BPF_JEQ, 7, 0, 5),
                                 LOAD(FIELD_NR),
                                 JUMP(BPF_JGE, 10, 0, 1),
                                 RETURN(1),
                                 LOAD(FIELD_ARCH),
                                 RETURN_A,
                                 LOAD(FIELD_NR),
                                 JUMP(BPF_JEQ, 3, 0, 2),
                                 LOAD(FIELD_ARCH),
                                 JUMP(BPF_JEQ, X86_64, 1, 0),
                                 RETURN(DENY),
                                 RETURN(ALLOW)};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 500);
    assert_int_equal(root->kind, DAG_SWITCH);
    assert_int_equal(root->field, FIELD_ARCH);
}

/* A test that an earlier one has settled leaves no trace. */
static void test_settled_tests_vanish(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {
        LOAD(FIELD_NR), JUMP(BPF_JGE, 100, 0, 5), LOAD(FIELD_ARG0_LO), JUMP(BPF_JEQ, 1, 0, 1),
        LOAD(FIELD_NR), JUMP(BPF_JGT, 99, 1, 0),  RETURN(0),           RETURN(ALLOW)};
    struct program program = PROGRAM(code);
    code[3] = (struct sock_filter)JUMP(BPF_JEQ, 1, 0, 0);
    code[1] = (struct sock_filter)JUMP(BPF_JGE, 100, 0, 4);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 200);
    assert_int_equal(dag_reachable(fixture->arena, root), 3);
}

static void test_arithmetic_on_nr(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_NR),
                                 JUMP(BPF_JGE, 64, 4, 0),
                                 CALCULATE(BPF_MUL, 3),
                                 CALCULATE(BPF_SUB, 30),
                                 JUMP(BPF_JGT, 60, 0, 1),
                                 RETURN(ALLOW),
                                 RETURN(DENY)};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 500);
    /* So few numbers are answered one by one: nothing is computed, and the kernel can cache it. */
    assert_int_equal(root->kind, DAG_SWITCH);
    assert_int_equal(dag_reachable(fixture->arena, root), 3);
    struct input input = {0};
    for (input.nr = 0; input.nr < 130; input.nr++)
        expect_same(&program, root, &input);
    code[1] = (struct sock_filter)JUMP(BPF_JGE, 6400, 4, 0);
    root = lift_and_compare(fixture->arena, &program, 500);
    for (input.nr = 0; input.nr < 130; input.nr++)
        expect_same(&program, root, &input);
}

/* A mask that leaves out bit 30 of nr: tests of the whole word, as the kernel can cache them. */
static void test_masked_number(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_NR),         CALCULATE(BPF_AND, 0xbfffffff),
                                 JUMP(BPF_JEQ, 3, 1, 0), JUMP(BPF_JGE, 0x80000005, 0, 1),
                                 RETURN(ALLOW),          RETURN(DENY)};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 500);
    assert_int_equal(root->kind, DAG_SWITCH);
    assert_int_equal(root->mask, 0xffffffff);
    assert_int_equal(dag_reachable(fixture->arena, root), 3);
    static const uint32_t numbers[] = {3,          2,          4,          0x40000003,
                                       0x80000003, 0xc0000003, 0x80000004, 0x80000005,
                                       0xc0000004, 0xc0000005, 0xbfffffff};
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        expect_same(&program, root, &(struct input){.nr = numbers[i]});
}

/* The sign bit, the rest above a page: bounds of the whole word, which other bounds meet. */
static void test_topmost_bits(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_ARG0_LO),
                                 JUMP(BPF_JSET, 0x80000000, 4, 0),
                                 JUMP(BPF_JGT, 7, 0, 2),
                                 CALCULATE(BPF_AND, 0xfffff000),
                                 JUMP(BPF_JEQ, 0, 0, 1),
                                 RETURN(ALLOW),
                                 RETURN(DENY)};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 500);
    assert_int_equal(root->mask, 0xffffffff);
    assert_int_equal(dag_reachable(fixture->arena, root), 3);
    static const uint32_t bounds[] = {0x80000000, 8, 0x1000};
    for (uint32_t i = 0; i < 9; i++)
        expect_same(&program, root, &(struct input){.args = {bounds[i / 3] + i % 3 - 1}});
}

static void test_return_a(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_ARG2_LO), CALCULATE(BPF_OR, 0x50000), RETURN_A};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 100);
    assert_int_equal(root->kind, DAG_RETURN);
    struct sock_filter length[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), TAX, CALCULATE_X(BPF_ADD),
                                   RETURN_A};
    struct program constant = PROGRAM(length);
    root = lift_and_compare(fixture->arena, &constant, 1);
    assert_int_equal(root->kind, DAG_VERDICT);
    assert_int_equal(root->word, 128);
}

static void test_scratch_memory(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {
        LOAD(FIELD_ARG0_LO),     STORE(3),     LOAD(FIELD_ARG1_LO),   TAX,
        BPF_STMT(BPF_STX, 15),   FETCH(3),     JUMP_X(BPF_JGT, 0, 2), FETCH(15),
        JUMP(BPF_JSET, 6, 1, 0), RETURN(DENY), RETURN(ALLOW)};
    struct program program = PROGRAM(code);
    lift_and_compare(fixture->arena, &program, 500);
}

/* Divided by 0 the program ends with 0, whatever it would have returned. */
static void test_division(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {
        LOAD(FIELD_ARG0_LO),    TAX,          LOAD(FIELD_ARG1_LO), CALCULATE_X(BPF_DIV),
        JUMP(BPF_JEQ, 2, 0, 1), RETURN(DENY), RETURN(ALLOW)};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 500);
    struct input input = {.args = {0, 7}};
    assert_int_equal(dag_evaluate(root, &input), 0);
    input.args[0] = 3;
    assert_int_equal(dag_evaluate(root, &input), DENY);
    /* A constant 0 in X: nothing behind it is ever run. */
    struct sock_filter always[] = {LOAD(FIELD_NR), CALCULATE_X(BPF_DIV), RETURN(ALLOW)};
    struct program ends = PROGRAM(always);
    root = lift_and_compare(fixture->arena, &ends, 10);
    assert_int_equal(root->kind, DAG_VERDICT);
    assert_int_equal(root->word, 0);
    /* What is divided by itself is 1, or the end. */
    struct sock_filter itself[] = {LOAD(FIELD_NR), TAX, CALCULATE_X(BPF_DIV), RETURN_A};
    struct program one = PROGRAM(itself);
    root = lift_and_compare(fixture->arena, &one, 100);
    input.nr = 0;
    assert_int_equal(dag_evaluate(root, &input), 0);
}

/* By 32 or more nobody knows: it must stay a shift. */
static void test_shifts(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {BPF_STMT(BPF_LDX | BPF_IMM, 40), LOAD(FIELD_ARG0_LO),
                                 CALCULATE_X(BPF_LSH), RETURN_A};
    struct program program = PROGRAM(code);
    const struct dag_node *root = lift_and_compare(fixture->arena, &program, 100);
    assert_int_equal(root->kind, DAG_RETURN);
    assert_int_equal(root->value->operator, WORD_SHIFT_LEFT);
    code[1] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 1);
    root = lift_and_compare(fixture->arena, &program, 1);
    assert_int_equal(root->kind, DAG_RETURN);
    /* Of a known number, too. */
    struct sock_filter known[] = {LOAD(FIELD_NR),
                                  JUMP(BPF_JGE, 50, 3, 0),
                                  TAX,
                                  BPF_STMT(BPF_LD | BPF_IMM, 1),
                                  CALCULATE_X(BPF_LSH),
                                  RETURN_A};
    struct program by_number = PROGRAM(known);
    root = lift_and_compare(fixture->arena, &by_number, 100);
    for (struct input input = {0}; input.nr < 60; input.nr++)
        expect_same(&by_number, root, &input);
}

static void test_big_endian(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20), JUMP(BPF_JEQ, 5, 0, 1),
                                 RETURN(ALLOW), RETURN(DENY)};
    struct program program = PROGRAM(code);
    assert_int_equal(lift_and_compare(fixture->arena, &program, 50)->field, FIELD_ARG0_HI);
    program.big_endian = true;
    assert_int_equal(lift_and_compare(fixture->arena, &program, 50)->field, FIELD_ARG0_LO);
}

/* Several programs in one DAG: equal ones are one node. */
static void test_shared_dag(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[] = {LOAD(FIELD_NR), JUMP(BPF_JEQ, 5, 0, 1), RETURN(ALLOW),
                                 RETURN(DENY)};
    struct sock_filter other[] = {LOAD(FIELD_NR), CALCULATE(BPF_XOR, 0), JUMP(BPF_JEQ, 5, 1, 0),
                                  RETURN(DENY), RETURN(ALLOW)};
    struct program program = PROGRAM(code), same = PROGRAM(other);
    struct dag *dag = NULL;
    const struct dag_node *a, *b;
    assert_true(worked(lift_program(fixture->arena, &program, &fixture->diagnostics, &dag, &a)));
    assert_true(worked(lift_program(fixture->arena, &same, &fixture->diagnostics, &dag, &b)));
    assert_ptr_equal(a, b);
}

/* ---- size ----------------------------------------------------------------------------------- */

/* A chain as long as a program can be, in an order that cuts ranges everywhere. */
static void test_long_chain(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter *code = NEW_ARRAY(fixture->arena, struct sock_filter, PROGRAM_MOST);
    uint32_t links = PROGRAM_MOST / 2 - 1, length = 0;
    code[length++] = (struct sock_filter)LOAD(FIELD_NR);
    for (uint32_t i = 0; i < links; i++) {
        code[length++] = (struct sock_filter)JUMP(BPF_JEQ, i * 1237 % 8192 * 2, 0, 1);
        code[length++] = (struct sock_filter)RETURN(ALLOW + (i & 7));
    }
    code[length++] = (struct sock_filter)RETURN(DENY);
    struct program program = {.name = "chain", .code = code, .length = length};
    struct dag *dag;
    const struct dag_node *root = lift_or_fail(fixture->arena, &program, &dag);
    assert_int_equal(root->edge_count, 2 * links);
    assert_true(dag_size(dag) < 20);
    for (struct input input = {0}; input.nr < 16400; input.nr++)
        expect_same(&program, root, &input);
}

/* Links that look at an argument and go on with the chain when it is not the right one. */
static void test_chain_that_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter *code = NEW_ARRAY(fixture->arena, struct sock_filter, PROGRAM_MOST);
    uint32_t links = PROGRAM_MOST / 5 - 1, length = 0;
    for (uint32_t i = 0; i < links; i++) {
        code[length++] = (struct sock_filter)LOAD(FIELD_NR);
        code[length++] = (struct sock_filter)JUMP(BPF_JEQ, i * 1237 % 8192, 0, 3);
        code[length++] = (struct sock_filter)LOAD(FIELD_ARG0_LO);
        code[length++] = (struct sock_filter)JUMP(BPF_JEQ, i & 3, 0, 1);
        code[length++] = (struct sock_filter)RETURN(ALLOW);
    }
    code[length++] = (struct sock_filter)RETURN(DENY);
    struct program program = {.name = "chain", .code = code, .length = length};
    struct dag *dag;
    const struct dag_node *root = lift_or_fail(fixture->arena, &program, &dag);
    assert_true(dag_size(dag) < 40);
    for (struct input input = {0}; input.nr < 8200; input.nr++) {
        input.args[0] = input.nr & 3;
        expect_same(&program, root, &input);
    }
}

static void expect_limit(struct fixture *fixture, const struct sock_filter *code, uint32_t length,
                         const char *text)
{
    struct program program = {.name = "large",
                              .code = arena_copy(fixture->arena, code, length * sizeof *code),
                              .length = length};
    struct dag *dag = NULL;
    const struct dag_node *root;
    assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
    result r = lift_program(fixture->arena, &program, &fixture->diagnostics, &dag, &root);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_non_null(strstr(fixture->diagnostics.last->message, text));
}

/* A + A, over and over: 2^60 operands when written out. */
static void test_limit_of_words(void **state)
{
    struct sock_filter code[PROGRAM_MOST] = {LOAD(FIELD_ARG0_LO)};
    uint32_t length = 1;
    while (length < 121) {
        code[length++] = (struct sock_filter)TAX;
        code[length++] = (struct sock_filter)CALCULATE_X(BPF_ADD);
    }
    code[length++] = (struct sock_filter)RETURN_A;
    expect_limit(*state, code, length, "written out");
    code[length - 1] = (struct sock_filter)JUMP(BPF_JEQ, 1, 0, 0);
    code[length++] = (struct sock_filter)RETURN(0);
    expect_limit(*state, code, length, "written out");
}

/* 2^60 different words in A, brought to one place. */
static void test_limit_of_states(void **state)
{
    struct sock_filter code[PROGRAM_MOST] = {STORE(1)};
    uint32_t length = 1;
    for (uint32_t i = 0; i < 60; i++) {
        code[length++] = (struct sock_filter)LOAD((enum field)(FIELD_ARG0_LO + i % 12));
        code[length++] = (struct sock_filter)JUMP(BPF_JSET, 1u << (i % 32), 0, 3);
        code[length++] = (struct sock_filter)FETCH(1);
        code[length++] = (struct sock_filter)CALCULATE(BPF_ADD, 1u << (i % 32));
        code[length++] = (struct sock_filter)STORE(1);
    }
    code[length++] = (struct sock_filter)FETCH(1);
    code[length++] = (struct sock_filter)RETURN_A;
    expect_limit(*state, code, length, "too involved");
}

/* Arithmetic that nothing reads costs nothing, however deep. */
static void test_dead_arithmetic(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[PROGRAM_MOST] = {LOAD(FIELD_ARG0_LO)};
    uint32_t length = 1;
    for (; length < 4000; length++)
        code[length] = (struct sock_filter)CALCULATE(length % 2 ? BPF_ADD : BPF_XOR, length);
    code[length++] = (struct sock_filter)RETURN(ALLOW);
    struct program program = {.name = "dead", .code = code, .length = length};
    assert_int_equal(lift_and_compare(fixture->arena, &program, 3)->kind, DAG_VERDICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_programs),
        TEST(test_dense_programs),
        TEST(test_order_is_restored),
        TEST(test_settled_tests_vanish),
        TEST(test_arithmetic_on_nr),
        TEST(test_masked_number),
        TEST(test_topmost_bits),
        TEST(test_return_a),
        TEST(test_scratch_memory),
        TEST(test_division),
        TEST(test_shifts),
        TEST(test_big_endian),
        TEST(test_shared_dag),
        TEST(test_long_chain),
        TEST(test_chain_that_goes_on),
        TEST(test_limit_of_words),
        TEST(test_limit_of_states),
        TEST(test_dead_arithmetic),
    };
    return RUN_TESTS(tests);
}
