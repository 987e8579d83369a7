/* Programs written down: each shows one thing that a proof must get right. */
#include "unit/verifier/filters.h"

static enum verdict equal(struct fixture *f, const struct side *a, const struct side *b)
{
    struct proof_options options = options_in(20);
    struct proof proof = prove_equal(f->arena, a, b, &options);
    options.whole = true;
    struct proof at_once = prove_equal(f->arena, a, b, &options);
    assert_int_equal(proof.verdict, at_once.verdict);
    options.whole = false;
    options.solver_only = true;
    assert_int_equal(prove_equal(f->arena, a, b, &options).verdict, proof.verdict);
    if (proof.verdict == REFUTED)
        assert_int_not_equal(side_word(a, &proof.counterexample.input, NULL),
                             side_word(b, &proof.counterexample.input, NULL));
    return proof.verdict;
}

static void different_shapes_of_one_meaning(void **state)
{
    PROGRAM(chain, LD_NR, JUMP_IF(BPF_JEQ, 3, 3, 0), JUMP_IF(BPF_JEQ, 4, 2, 0),
            JUMP_IF(BPF_JEQ, 5, 1, 0), RET(KILL), RET(ALLOW));
    PROGRAM(interval, LD_NR, JUMP_IF(BPF_JGE, 3, 0, 1), JUMP_IF(BPF_JGT, 5, 0, 1), RET(KILL),
            RET(ALLOW));
    PROGRAM(off_by_one, LD_NR, JUMP_IF(BPF_JGE, 3, 0, 1), JUMP_IF(BPF_JGT, 6, 0, 1), RET(KILL),
            RET(ALLOW));
    assert_int_equal(equal(*state, &chain, &interval), PROVED);
    assert_int_equal(equal(*state, &chain, &off_by_one), REFUTED);
}

static void bits_of_the_number(void **state)
{
    PROGRAM(by_bit, LD_NR, JUMP_IF(BPF_JSET, 0x40000000, 0, 1), RET(KILL), RET(ALLOW));
    PROGRAM(by_mask, LD_NR, ALU(BPF_AND, 0x40000000), JUMP_IF(BPF_JEQ, 0, 1, 0), RET(KILL),
            RET(ALLOW));
    PROGRAM(by_order, LD_NR, JUMP_IF(BPF_JGE, 0x40000000, 0, 1), RET(KILL), RET(ALLOW));
    assert_int_equal(equal(*state, &by_bit, &by_mask), PROVED);
    assert_int_equal(equal(*state, &by_bit, &by_order), REFUTED); /* from 2^31 up they differ */
    PROGRAM(low_bit, LD_NR, JUMP_IF(BPF_JSET, 1, 0, 1), RET(KILL), RET(ALLOW));
    PROGRAM(by_division, LD_NR, ALU(BPF_DIV, 2), ALU(BPF_MUL, 2), TAX, LD_NR,
            JUMP_IF_X(BPF_JEQ, 0, 1), RET(ALLOW), RET(KILL));
    assert_int_equal(equal(*state, &low_bit, &by_division), PROVED);
    PROGRAM(shared, LD_NR, ALU(BPF_AND, 0xbfffffff), JUMP_IF(BPF_JEQ, 7, 0, 1), RET(ALLOW),
            RET(KILL));
    PROGRAM(apart, LD_NR, JUMP_IF(BPF_JEQ, 7, 1, 0), JUMP_IF(BPF_JEQ, 0x40000007, 0, 1), RET(ALLOW),
            RET(KILL));
    assert_int_equal(equal(*state, &shared, &apart), PROVED);
}

static void arithmetic_on_the_number(void **state)
{
    PROGRAM(moved, LD_NR, ALU(BPF_SUB, 100), JUMP_IF(BPF_JGT, 10, 1, 0), RET(ALLOW), RET(KILL));
    PROGRAM(plain, LD_NR, JUMP_IF(BPF_JGE, 100, 0, 1), JUMP_IF(BPF_JGT, 110, 0, 1), RET(KILL),
            RET(ALLOW));
    assert_int_equal(equal(*state, &moved, &plain), PROVED);
    PROGRAM(table, LD_NR, JUMP_IF(BPF_JGT, 31, 5, 0), TAX, LD_IMM(0x00000900), ALU_X(BPF_RSH),
            JUMP_IF(BPF_JSET, 1, 0, 1), RET(ALLOW), RET(KILL));
    PROGRAM(chain, LD_NR, JUMP_IF(BPF_JEQ, 8, 1, 0), JUMP_IF(BPF_JEQ, 11, 0, 1), RET(ALLOW),
            RET(KILL));
    assert_int_equal(equal(*state, &table, &chain), PROVED);
}

static void what_the_arch_decides(void **state)
{
    PROGRAM(one, LD_ARCH, JUMP_IF(BPF_JEQ, TOKEN_X86_64, 1, 0), RET(KILL), LD_NR,
            JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ALLOW), RET(ERRNO(1)));
    PROGRAM(other, LD_NR, JUMP_IF(BPF_JEQ, 1, 3, 0), LD_ARCH, JUMP_IF(BPF_JEQ, TOKEN_X86_64, 0, 4),
            RET(ERRNO(1)), LD_ARCH, JUMP_IF(BPF_JEQ, TOKEN_X86_64, 0, 1), RET(ALLOW), RET(KILL));
    assert_int_equal(equal(*state, &one, &other), PROVED);
    PROGRAM(any_64, LD_ARCH, JUMP_IF(BPF_JSET, 0x80000000, 1, 0), RET(KILL), LD_NR,
            JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ALLOW), RET(ERRNO(1)));
    assert_int_equal(equal(*state, &one, &any_64), REFUTED);
}

static void arguments_and_paths_that_no_input_takes(void **state)
{
    PROGRAM(straight, LD_ARG(0), JUMP_IF(BPF_JGT, 10, 1, 0), RET(ALLOW), RET(KILL));
    PROGRAM(impossible, LD_ARG(0), JUMP_IF(BPF_JGT, 10, 0, 2), JUMP_IF(BPF_JEQ, 5, 1, 0), RET(KILL),
            RET(ALLOW));
    assert_int_equal(equal(*state, &straight, &impossible), PROVED);
    /* {0, 8, 0x20000, 0x20008} is one test of the other bits. */
    PROGRAM(set, LD_ARG(0), JUMP_IF(BPF_JEQ, 0, 4, 0), JUMP_IF(BPF_JEQ, 8, 3, 0),
            JUMP_IF(BPF_JEQ, 0x20000, 2, 0), JUMP_IF(BPF_JEQ, 0x20008, 1, 0), RET(KILL),
            RET(ALLOW));
    PROGRAM(cube, LD_ARG(0), JUMP_IF(BPF_JSET, ~0x20008u, 0, 1), RET(KILL), RET(ALLOW));
    PROGRAM(larger_cube, LD_ARG(0), JUMP_IF(BPF_JSET, ~0x20018u, 0, 1), RET(KILL), RET(ALLOW));
    assert_int_equal(equal(*state, &set, &cube), PROVED);
    assert_int_equal(equal(*state, &set, &larger_cube), REFUTED);
}

static void returning_a(void **state)
{
    PROGRAM(masked, LD_ARG(1), ALU(BPF_AND, 0xffff), ALU(BPF_OR, 0x50000), RET_A);
    PROGRAM(added, LD_ARG(1), ALU(BPF_AND, 0xffff), ALU(BPF_ADD, 0x50000), RET_A);
    PROGRAM(wider, LD_ARG(1), ALU(BPF_AND, 0x1ffff), ALU(BPF_ADD, 0x50000), RET_A);
    assert_int_equal(equal(*state, &masked, &added), PROVED);
    assert_int_equal(equal(*state, &masked, &wider), REFUTED);
    PROGRAM(the_number, LD_NR, RET_A);
    PROGRAM(the_arch, LD_ARCH, RET_A);
    assert_int_equal(equal(*state, &the_number, &the_number), PROVED);
    assert_int_equal(equal(*state, &the_number, &the_arch), REFUTED);
}

static void division_by_zero_kills_the_thread(void **state)
{
    PROGRAM(divides, LD_ARG(0), TAX, LD_IMM(100), ALU_X(BPF_DIV), RET(ALLOW));
    PROGRAM(checks, LD_ARG(0), JUMP_IF(BPF_JEQ, 0, 0, 1), RET(0), RET(ALLOW));
    PROGRAM(always, RET(ALLOW));
    assert_int_equal(equal(*state, &divides, &checks), PROVED);
    assert_int_equal(equal(*state, &divides, &always), REFUTED);
    PROGRAM(by_number, LD_NR, TAX, LD_IMM(100), ALU_X(BPF_DIV), RET(ALLOW));
    PROGRAM(number_check, LD_NR, JUMP_IF(BPF_JEQ, 0, 0, 1), RET(0), RET(ALLOW));
    assert_int_equal(equal(*state, &by_number, &number_check), PROVED);
}

static void scratch_memory(void **state)
{
    PROGRAM(kept, LD_ARG(0), ST(3), LD_NR, JUMP_IF(BPF_JEQ, 1, 0, 3), LD_MEM(3),
            JUMP_IF(BPF_JEQ, 9, 0, 1), RET(ALLOW), RET(KILL));
    PROGRAM(again, LD_NR, JUMP_IF(BPF_JEQ, 1, 0, 3), LD_ARG(0), JUMP_IF(BPF_JEQ, 9, 0, 1),
            RET(ALLOW), RET(KILL));
    assert_int_equal(equal(*state, &kept, &again), PROVED);
}

/* Beyond 31 machines differ: the same shift is the same, another one is not known to differ. */
static void shifts_beyond_the_word(void **state)
{
    struct fixture *f = *state;
    PROGRAM(shifts, LD_NR, LDX_IMM(33), ALU_X(BPF_LSH), RET_A);
    PROGRAM(shifts_too, LDX_IMM(33), LD_NR, ALU_X(BPF_LSH), RET_A);
    assert_int_equal(equal(f, &shifts, &shifts_too), PROVED);
    PROGRAM(zero, RET(0));
    struct proof_options options = options_in(20);
    struct proof proof = prove_equal(f->arena, &shifts, &zero, &options);
    assert_int_not_equal(proof.verdict, PROVED);
    if (proof.verdict == REFUTED) /* on x86, where it was run; and it says so */
        assert_non_null(proof.reason);
    PROGRAM(right, LD_NR, LDX_IMM(33), ALU_X(BPF_RSH), RET_A);
    PROGRAM(x86, LD_NR, ALU(BPF_RSH, 1), RET_A);
    assert_int_not_equal(prove_equal(f->arena, &right, &x86, &options).verdict, PROVED);
    options.whole = true;
    assert_int_not_equal(prove_equal(f->arena, &right, &x86, &options).verdict, PROVED);
}

static void stacks_take_the_strictest_and_newest(void **state)
{
    struct fixture *f = *state;
    PROGRAM(first, LD_NR, JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ERRNO(1)), RET(ALLOW | 7));
    PROGRAM(second, LD_NR, JUMP_IF(BPF_JGT, 1, 1, 0), RET(ERRNO(2)), RET(ALLOW));
    assert_int_equal(equal(f, &first, &second), REFUTED);
    const struct program both[] = {first_program, second_program};
    const struct program reversed[] = {second_program, first_program};
    const struct side stack = {"stack", NULL, both, 2}, turned = {"turned", NULL, reversed, 2};
    PROGRAM(merged, LD_NR, JUMP_IF(BPF_JGT, 1, 1, 0), RET(ERRNO(2)), RET(ALLOW));
    PROGRAM(other, LD_NR, JUMP_IF(BPF_JEQ, 1, 2, 0), JUMP_IF(BPF_JGT, 1, 2, 0), RET(ERRNO(2)),
            RET(ERRNO(1)), RET(ALLOW));
    assert_int_equal(equal(f, &stack, &merged), PROVED);
    assert_int_equal(equal(f, &turned, &other), PROVED);
    assert_int_equal(equal(f, &stack, &turned), REFUTED);
    /* Alone, a program's word is its own, data of ALLOW included. */
    PROGRAM(plain, LD_NR, JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ERRNO(1)), RET(ALLOW));
    assert_int_equal(equal(f, &first, &plain), REFUTED);
}

static void at_most_goes_by_the_kernels_order(void **state)
{
    struct fixture *f = *state;
    struct proof_options options = options_in(20);
    PROGRAM(kill, RET(KILL));
    PROGRAM(thread, RET(0));
    PROGRAM(unknown_action, RET(0x12340000));
    PROGRAM(open, RET(ALLOW));
    PROGRAM(logs, RET(0x7ffc0000));
    PROGRAM(error, RET(ERRNO(1)));
    PROGRAM(error_2, RET(ERRNO(2)));
    const struct side *rising[] = {&kill, &thread, &error, &logs, &open};
    for (unsigned whole = 0; whole < 2; whole++) {
        options.whole = whole;
        for (size_t i = 0; i < COUNT_OF(rising); i++)
            for (size_t j = 0; j < COUNT_OF(rising); j++)
                assert_int_equal(prove_at_most(f->arena, rising[i], rising[j], &options).verdict,
                                 i <= j ? PROVED : REFUTED);
        assert_int_equal(prove_at_most(f->arena, &unknown_action, &kill, &options).verdict, PROVED);
        assert_int_equal(prove_at_most(f->arena, &thread, &unknown_action, &options).verdict,
                         REFUTED);
        assert_int_equal(prove_at_most(f->arena, &error_2, &error, &options).verdict, PROVED);
    }
    PROGRAM(some, LD_ARG(0), JUMP_IF(BPF_JSET, 0xfffffff8, 0, 1), RET(KILL), RET(ALLOW));
    PROGRAM(fewer, LD_ARG(0), JUMP_IF(BPF_JGT, 5, 0, 1), RET(KILL), RET(ALLOW));
    assert_int_equal(prove_at_most(f->arena, &fewer, &some, &options).verdict, PROVED);
    assert_int_equal(prove_at_most(f->arena, &some, &fewer, &options).verdict, REFUTED);
}

static void limits_are_their_own_verdict(void **state)
{
    struct fixture *f = *state;
    struct proof_options options = {.limits = {.deadline = {1}}};
    PROGRAM(a, LD_ARG(0), TAX, LD_ARG(1), ALU_X(BPF_MUL), JUMP_IF(BPF_JEQ, 1234567, 0, 1),
            RET(ALLOW), RET(KILL));
    PROGRAM(b, LD_ARG(1), TAX, LD_ARG(0), ALU_X(BPF_MUL), JUMP_IF(BPF_JEQ, 1234568, 0, 1),
            RET(ALLOW), RET(KILL));
    struct proof proof = prove_equal(f->arena, &a, &b, &options);
    assert_int_equal(proof.verdict, UNKNOWN);
    assert_non_null(proof.reason);
    PROGRAM(product, LD_ARG(0), TAX, LD_ARG(1), ALU_X(BPF_MUL), JUMP_IF(BPF_JEQ, 1000000007, 0, 1),
            RET(ALLOW), RET(KILL));
    PROGRAM(turned, RET(KILL));
    options = options_in(0);
    options.limits.rlimit = 1;
    proof = prove_equal(f->arena, &product, &turned, &options);
    assert_int_equal(proof.verdict, UNKNOWN);
    assert_non_null(proof.reason);
    assert_true(proof.questions > 0);
}

static void sides_that_cannot_be_compared(void **state)
{
    struct fixture *f = *state;
    struct proof_options options = options_in(5);
    PROGRAM(little, LD_NR, RET_A);
    struct program big_program = little_program;
    big_program.big_endian = true;
    const struct side big = {"big", NULL, &big_program, 1};
    assert_int_equal(prove_equal(f->arena, &little, &big, &options).verdict, UNKNOWN);
    struct sock_filter broken_code[] = {LD_NR};
    const struct program broken_program = {"broken", broken_code, 1, false};
    const struct side broken = {"broken", NULL, &broken_program, 1};
    assert_int_equal(prove_equal(f->arena, &little, &broken, &options).verdict, UNKNOWN);
    assert_int_equal(prove_equal(f->arena, &broken, &broken, &options).verdict, UNKNOWN);
}

/* Halves of a register lie the other way round. */
static void big_endian_programs(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[] = {LD(20), JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ALLOW), RET(KILL)};
    struct sock_filter other[] = {LD(16), JUMP_IF(BPF_JEQ, 1, 0, 1), RET(ALLOW), RET(KILL)};
    const struct program programs[] = {{"a", code, 4, true}, {"b", other, 4, true}};
    const struct side a = {"a", NULL, &programs[0], 1}, b = {"b", NULL, &programs[1], 1};
    assert_int_equal(equal(f, &a, &a), PROVED);
    assert_int_equal(equal(f, &a, &b), REFUTED);
    struct proof_options options = options_in(5);
    struct proof proof = prove_equal(f->arena, &a, &b, &options);
    bool low_is_one = (uint32_t)proof.counterexample.input.args[0] == 1;
    assert_int_equal(proof.counterexample.left, low_is_one ? ALLOW : KILL);
}

/* 2^24 paths, all states different: joins keep it small. */
static void many_paths(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[200], turned[200];
    uint32_t length = 0;
    code[length++] = (struct sock_filter)LDX_IMM(0);
    for (unsigned i = 0; i < 24; i++) {
        code[length++] = (struct sock_filter)LD_ARG(i % 6);
        code[length++] = (struct sock_filter)JUMP_IF(BPF_JSET, 1u << (i / 6), 0, 3);
        code[length++] = (struct sock_filter)TXA;
        code[length++] = (struct sock_filter)ALU(BPF_ADD, 1u << i);
        code[length++] = (struct sock_filter)TAX;
    }
    code[length++] = (struct sock_filter)TXA;
    memcpy(turned, code, sizeof code);
    code[length] = (struct sock_filter)JUMP_IF(BPF_JEQ, 77, 0, 1);
    turned[length++] = (struct sock_filter)JUMP_IF(BPF_JEQ, 78, 0, 1);
    turned[length] = code[length] = (struct sock_filter)RET(ALLOW);
    length++;
    turned[length] = code[length] = (struct sock_filter)RET(KILL);
    length++;
    const struct program programs[] = {{"a", code, length, false}, {"b", turned, length, false}};
    const struct side a = {"a", NULL, &programs[0], 1}, b = {"b", NULL, &programs[1], 1};
    assert_int_equal(check_program(&programs[0]).rule, CHECK_ACCEPTED);
    struct proof_options options = options_in(30);
    assert_int_equal(prove_equal(f->arena, &a, &a, &options).verdict, PROVED);
    assert_int_equal(prove_equal(f->arena, &a, &b, &options).verdict, REFUTED);
}

/* Too many classes of the number: the proof goes on as one query over everything. */
static void numbers_cut_too_finely(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[2048] = {LD_NR}, other[2048];
    uint32_t length = 1;
    for (; length < 2044; length += 2) {
        code[length] = (struct sock_filter)JUMP_IF(BPF_JSET, length * 2654435761u, 0, 1);
        code[length + 1] = (struct sock_filter)JUMP_IF(BPF_JEQ, length, 1, 0);
    }
    for (; length < 2048; length++)
        code[length] = (struct sock_filter)RET(length % 3 ? ALLOW : KILL);
    memcpy(other, code, sizeof code);
    other[2047].k = ERRNO(1);
    const struct program programs[] = {{"a", code, length, false}, {"b", other, length, false}};
    const struct side a = {"a", NULL, &programs[0], 1}, b = {"b", NULL, &programs[1], 1};
    assert_int_equal(check_program(&programs[0]).rule, CHECK_ACCEPTED);
    struct proof_options options = options_in(60);
    assert_int_equal(prove_equal(f->arena, &a, &a, &options).verdict, PROVED);
    struct proof proof = prove_equal(f->arena, &a, &b, &options);
    options.whole = true;
    assert_int_equal(prove_equal(f->arena, &a, &b, &options).verdict, proof.verdict);
    assert_int_not_equal(proof.verdict, UNKNOWN);
}

/* Another solver must come to the same answers. */
static void scripts_for_other_solvers(void **state)
{
    struct fixture *f = *state;
    PROGRAM(set, LD_ARG(0), JUMP_IF(BPF_JEQ, 0, 2, 0), JUMP_IF(BPF_JEQ, 8, 1, 0), RET(KILL),
            RET(ALLOW));
    PROGRAM(cube, LD_ARG(0), JUMP_IF(BPF_JSET, ~8u, 0, 1), RET(KILL), RET(ALLOW));
    struct buffer text = buffer_new(f->arena);
    struct proof_options options = options_in(20);
    options.smt2 = &text;
    assert_int_equal(prove_equal(f->arena, &set, &cube, &options).verdict, PROVED);
    options.whole = true;
    assert_int_equal(prove_equal(f->arena, &set, &cube, &options).verdict, PROVED);
    assert_non_null(strstr(buffer_string(&text), "(check-sat)"));
    if (system("command -v z3 >/dev/null 2>&1") != 0) {
        print_message("no z3 program here: the scripts were not run\n");
        skip();
    }
    char path[] = "/tmp/bpfproof-smt2-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text.bytes, text.length), text.length);
    close(file);
    char command[96];
    snprintf(command, sizeof command, "z3 %s", path);
    FILE *answers = popen(command, "r");
    char line[64];
    unsigned count = 0;
    while (fgets(line, sizeof line, answers)) {
        assert_string_equal(line, "unsat\n");
        count++;
    }
    pclose(answers);
    unlink(path);
    assert_int_equal(count, 2);
}

/* A computed word that was found equal to a constant is that constant; what else is at hand is not.
 */
static void equal_to_a_constant(void **state)
{
    struct fixture *f = *state;
    PROGRAM(word, LD_ARG(0), ALU(BPF_ADD, 1), JUMP_IF(BPF_JEQ, 5, 0, 1), RET_A, RET(KILL));
    PROGRAM(constant, LD_ARG(0), JUMP_IF(BPF_JEQ, 4, 0, 1), RET(5), RET(KILL));
    struct proof_options options = options_in(30);
    struct proof proof = prove_equal(f->arena, &word, &constant, &options);
    assert_int_equal(proof.verdict, PROVED);
    assert_int_equal(proof.questions, 0);
    PROGRAM(other, LD_ARG(1), ST(0), LD_ARG(0), ALU(BPF_ADD, 1), JUMP_IF(BPF_JEQ, 5, 0, 2),
            LD_MEM(0), JUMP_IF(BPF_JEQ, 7, 1, 0), RET(KILL), RET(ALLOW));
    PROGRAM(never, LD_ARG(1), ST(0), LD_ARG(0), ALU(BPF_ADD, 1), JUMP_IF(BPF_JEQ, 5, 0, 0),
            RET(KILL));
    proof = prove_equal(f->arena, &other, &never, &options);
    assert_int_equal(proof.verdict, REFUTED);
    assert_int_equal((uint32_t)proof.counterexample.input.args[0], 4);
    assert_int_equal((uint32_t)proof.counterexample.input.args[1], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(different_shapes_of_one_meaning),
        TEST(bits_of_the_number),
        TEST(arithmetic_on_the_number),
        TEST(what_the_arch_decides),
        TEST(arguments_and_paths_that_no_input_takes),
        TEST(returning_a),
        TEST(division_by_zero_kills_the_thread),
        TEST(scratch_memory),
        TEST(shifts_beyond_the_word),
        TEST(stacks_take_the_strictest_and_newest),
        TEST(at_most_goes_by_the_kernels_order),
        TEST(limits_are_their_own_verdict),
        TEST(sides_that_cannot_be_compared),
        TEST(big_endian_programs),
        TEST(many_paths),
        TEST(numbers_cut_too_finely),
        TEST(scripts_for_other_solvers),
        TEST(equal_to_a_constant),
    };
    return RUN_TESTS(tests);
}
