#include "unit/bpf/programs.h"

#define RETURN_ALLOW BPF_STMT(BPF_RET | BPF_K, 0x7fff0000)
#define LOAD_NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)

/* Each row: a program, the rule that refuses it and where. Every expectation is what a Linux 6
 * kernel's seccomp(2) answers. */
static const struct row {
    enum check_rule rule;
    uint32_t instruction;
    uint32_t length;
    struct sock_filter code[8];
} rows[] = {
    {CHECK_ACCEPTED, 0, 1, {RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 1, {BPF_STMT(BPF_RET | BPF_A, 0)}},
    {CHECK_LENGTH, 0, 0, {{0}}},
    {CHECK_LAST, 0, 1, {LOAD_NR}},
    {CHECK_OPCODE, 0, 1, {BPF_STMT(BPF_RET | BPF_X, 0)}},
    {CHECK_OPCODE, 0, 2, {{0x120, 0, 0, 0}, RETURN_ALLOW}},
    {CHECK_OPCODE, 1, 3, {LOAD_NR, {0xff, 0, 0, 0}, RETURN_ALLOW}},
    {CHECK_DIVIDE, 0, 2, {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN_ALLOW}},
    {CHECK_DIVIDE, 0, 2, {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 2, {BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RETURN_ALLOW}},
    {CHECK_NOT_SECCOMP, 0, 2, {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN_ALLOW}},
    {CHECK_NOT_SECCOMP, 0, 2, {BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0), RETURN_ALLOW}},
    {CHECK_SHIFT, 0, 2, {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 2, {BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 31), RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 2, {BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 99), RETURN_ALLOW}},
    {CHECK_MEMORY_SLOT, 0, 2, {BPF_STMT(BPF_ST, 16), RETURN_ALLOW}},
    {CHECK_MEMORY_SLOT, 0, 2, {BPF_STMT(BPF_LDX | BPF_MEM, 16), RETURN_ALLOW}},
    {CHECK_JUMP, 0, 2, {BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN_ALLOW}},
    {CHECK_JUMP, 0, 2, {BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 2, {BPF_STMT(BPF_JMP | BPF_JA, 0), RETURN_ALLOW}},
    {CHECK_JUMP, 1, 2, {LOAD_NR, BPF_STMT(BPF_JMP | BPF_JA, 0)}},
    {CHECK_JUMP, 0, 2, {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RETURN_ALLOW}},
    {CHECK_JUMP, 0, 2, {BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1), RETURN_ALLOW}},
    {CHECK_LOAD_OFFSET, 0, 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN_ALLOW}},
    {CHECK_LOAD_OFFSET, 0, 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN_ALLOW}},
    {CHECK_LOAD_OFFSET, 0, 2, {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffff000), RETURN_ALLOW}},
    {CHECK_LOAD_OFFSET, 0, 2, {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0xfffff002), RETURN_ALLOW}},
    {CHECK_NOT_SECCOMP, 0, 2, {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RETURN_ALLOW}},
    {CHECK_NOT_SECCOMP, 0, 2, {BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RETURN_ALLOW}},
    {CHECK_NOT_SECCOMP, 0, 2, {BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), RETURN_ALLOW}},
    {CHECK_ACCEPTED, 0, 2, {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 77), RETURN_ALLOW}},
    /* An early rule on a late instruction goes before a late rule on an early one. */
    {CHECK_JUMP,
     1,
     3,
     {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_JMP | BPF_JA, 9), RETURN_ALLOW}},
    {CHECK_JUMP,
     1,
     3,
     {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffff03c), BPF_STMT(BPF_JMP | BPF_JA, 9), RETURN_ALLOW}},
    /* No ancillary field of sockets: refused as early as the opcodes are. */
    {CHECK_LOAD_OFFSET,
     0,
     3,
     {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffff040), BPF_STMT(BPF_JMP | BPF_JA, 9), RETURN_ALLOW}},
    {CHECK_LAST, 1, 2, {BPF_STMT(BPF_LD | BPF_MEM, 0), LOAD_NR}},
    {CHECK_MEMORY_UNSET,
     1,
     3,
     {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_LD | BPF_MEM, 0), RETURN_ALLOW}},
    /* Scratch memory: stored on one of two paths. */
    {CHECK_MEMORY_UNSET,
     2,
     4,
     {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3),
      BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN_ALLOW}},
    {CHECK_ACCEPTED,
     0,
     4,
     {BPF_STMT(BPF_ST, 3), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
      BPF_STMT(BPF_LDX | BPF_MEM, 3), RETURN_ALLOW}},
    /* Dead code behind a jump may load anything; behind a RET it may not: the set is not reset
     * there, but what was stored before the RET still counts. */
    {CHECK_ACCEPTED,
     0,
     3,
     {BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN_ALLOW}},
    {CHECK_MEMORY_UNSET, 1, 3, {RETURN_ALLOW, BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN_ALLOW}},
    {CHECK_ACCEPTED,
     0,
     4,
     {BPF_STMT(BPF_STX, 3), RETURN_ALLOW, BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN_ALLOW}},
    /* The same quirk against a live path: the set of the dead RET's side is met in. */
    {CHECK_MEMORY_UNSET,
     4,
     6,
     {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RETURN_ALLOW, BPF_STMT(BPF_ST, 1), RETURN_ALLOW,
      BPF_STMT(BPF_LD | BPF_MEM, 2), RETURN_ALLOW}},
};

static void the_first_rule_that_refuses_is_named(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sock_filter *code = arena_copy(f->arena, rows[i].code, sizeof rows[i].code);
        struct program program = {.code = code, .length = rows[i].length};
        struct check_result check = check_program(&program);
        if (check.rule != rows[i].rule || check.instruction != rows[i].instruction)
            fail_msg("row %zu: %s at %u, not %s at %u", i, check_rule_name(check.rule),
                     check.instruction, check_rule_name(rows[i].rule), rows[i].instruction);
    }
}

static void length_is_at_most_4096(void **state)
{
    struct fixture *f = *state;
    struct program program = {.length = PROGRAM_MOST + 1};
    program.code = NEW_ARRAY(f->arena, struct sock_filter, program.length);
    for (uint32_t i = 0; i < program.length; i++)
        program.code[i] = (struct sock_filter)RETURN_ALLOW;
    assert_int_equal(check_program(&program).rule, CHECK_LENGTH);
    assert_int_equal(check_program(&program).instruction, PROGRAM_MOST + 1);
    program.length--;
    assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
}

static void every_rule_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int rule = 0; rule < CHECK_RULE_COUNT; rule++) {
        assert_true(strlen(check_rule_name((enum check_rule)rule)) > 3);
        assert_true(strlen(check_rule_text((enum check_rule)rule)) > 10);
    }
}

static void the_table_is_complete_and_sorted(void **state)
{
    (void)state;
    size_t count;
    const struct instruction_info *table = instruction_table(&count);
    assert_int_equal(count, 41);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(instruction_info(table[i].code), &table[i]);
        assert_true(i == 0 || table[i].code > table[i - 1].code);
        assert_null(instruction_info((uint16_t)(table[i].code | 0x100)));
    }
    assert_null(instruction_info(BPF_ALU | BPF_MOD | BPF_K));
}

static uint32_t converted(struct sock_filter at)
{
    struct sock_filter code[] = {at, RETURN_ALLOW, RETURN_ALLOW, RETURN_ALLOW};
    struct program program = {.code = code, .length = COUNT_OF(code)};
    return program_converted_length(&program) - 3 - 6;
}

static void length_after_conversion(void **state)
{
    (void)state;
    assert_int_equal(converted((struct sock_filter)LOAD_NR), 1);
    assert_int_equal(converted((struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0)), 1);
    assert_int_equal(converted((struct sock_filter){BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0}), 5);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1}), 1);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1}), 1);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 1}), 2);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JSET | BPF_K, 0, 1, 1}), 2);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JSET | BPF_K, 0, 0, 1}), 1);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JSET | BPF_K, 1, 2, 1u << 31}),
                     3);
    assert_int_equal(converted((struct sock_filter){BPF_JMP | BPF_JGT | BPF_X, 1, 2, 1u << 31}), 2);
}

static void blocks_are_maximal_and_linked(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[] = {
        LOAD_NR,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0),
        BPF_STMT(BPF_JMP | BPF_JA, 2),
        BPF_STMT(BPF_RET | BPF_A, 0), /* never reached */
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        RETURN_ALLOW,
    };
    struct program program = {.code = code, .length = COUNT_OF(code)};
    struct cfg *cfg = cfg_build(f->arena, &program);
    static const struct basic_block expected[] = {
        {0, 1, {3, 1}, 2, true}, {2, 2, {4, 0}, 1, true}, {3, 3, {0, 0}, 0, false},
        {4, 4, {4, 0}, 1, true}, {5, 5, {0, 0}, 0, true},
    };
    assert_int_equal(cfg->count, COUNT_OF(expected));
    for (uint32_t i = 0; i < cfg->count; i++) {
        const struct basic_block *block = &cfg->blocks[i];
        assert_int_equal(block->first, expected[i].first);
        assert_int_equal(block->last, expected[i].last);
        assert_int_equal(block->successor_count, expected[i].successor_count);
        assert_int_equal(block->successors[0], expected[i].successors[0]);
        assert_int_equal(block->successors[1], expected[i].successors[1]);
        assert_int_equal(block->reachable, expected[i].reachable);
        for (uint32_t at = block->first; at <= block->last; at++)
            assert_int_equal(cfg->block_of[at], i);
    }
}

static void successors_are_later_blocks(void **state)
{
    struct fixture *f = *state;
    struct random random = random_seed(9);
    for (unsigned i = 0; i < 500; i++) {
        struct program program = random_program(&random, f->arena, 0);
        if (check_program(&program).rule != CHECK_ACCEPTED)
            continue;
        struct cfg *cfg = cfg_build(f->arena, &program);
        for (uint32_t b = 0; b < cfg->count; b++)
            for (unsigned s = 0; s < cfg->blocks[b].successor_count; s++)
                assert_in_range(cfg->blocks[b].successors[s], b + 1, cfg->count - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_rule_that_refuses_is_named),
        TEST(length_is_at_most_4096),
        TEST(every_rule_has_a_name_and_a_sentence),
        TEST(the_table_is_complete_and_sorted),
        TEST(length_after_conversion),
        TEST(blocks_are_maximal_and_linked),
        TEST(successors_are_later_blocks),
    };
    return RUN_TESTS(tests);
}
