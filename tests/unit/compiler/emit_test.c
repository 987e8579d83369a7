/* Emission: random graphs of blocks and random words, against their direct execution. */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "sim/sim.h"
#include "tests/unit/compiler/policies.h"

/* ---- blocks, executed ----------------------------------------------------------------------- */

static uint32_t accumulator_value(const struct block *block, const struct input *input)
{
    bool ignored = false;
    if (block->accumulator == ACCUMULATOR_WORD)
        return word_value(block->value, input, &ignored);
    return input_field(input, block->field) & block->mask;
}

static bool test_holds(const struct block *block, const struct input *input)
{
    bool ignored = false;
    uint32_t a = accumulator_value(block, input);
    uint32_t b = block->operand ? word_value(block->operand, input, &ignored) : block->constant;
    switch (block->test) {
    case TEST_EQUAL:
        return a == b;
    case TEST_GREATER:
        return a > b;
    case TEST_GREATER_EQUAL:
        return a >= b;
    default:
        return (a & b) != 0;
    }
}

static uint32_t run_blocks(const struct block *block, const struct input *input)
{
    while (block->kind == BLOCK_TEST)
        block = test_holds(block, input) ? block->yes : block->no;
    return block->kind == BLOCK_RETURN ? block->word : accumulator_value(block, input);
}

/* ---- random blocks -------------------------------------------------------------------------- */

/* Few fields and masks that hold each other, so that edges often bring what a block needs, or
 * nearly. */
static void random_accumulator(struct random *random, struct block *block,
                               const struct word *const *words, uint32_t word_count)
{
    static const uint32_t masks[] = {0xffffffff, 0xffffffff, 0xffffffff, 0xff,
                                     0x0f,       0xf0,       0x3,        0xffff0000};
    static const enum field fields[] = {FIELD_NR, FIELD_NR, FIELD_ARG0_LO};
    if (random_below(random, 6) == 0) {
        block->accumulator = ACCUMULATOR_WORD;
        block->value = words[random_below(random, word_count)];
        return;
    }
    block->accumulator = ACCUMULATOR_FIELD;
    block->field = fields[random_below(random, COUNT_OF(fields))];
    block->mask = masks[random_below(random, COUNT_OF(masks))];
}

static void random_block(struct random *random, struct block *blocks, uint32_t id,
                         const struct word *const *words, uint32_t word_count)
{
    struct block *block = &blocks[id];
    block->id = id;
    if (id < 4) {
        block->kind = id == 3 ? BLOCK_RETURN_A : BLOCK_RETURN;
        block->word = id;
        if (id == 3)
            random_accumulator(random, block, words, word_count);
        return;
    }
    block->kind = BLOCK_TEST;
    random_accumulator(random, block, words, word_count);
    block->test = (enum test_operation)random_below(random, TEST_SET + 1);
    block->constant = random_word(random) & (random_below(random, 2) ? 0xff : 0xffffffff);
    if (random_below(random, 10) == 0)
        block->operand = words[random_below(random, word_count)];
    /* Neighbours mostly, so that the graph is deep. */
    uint32_t near = id < 10 ? id : 6;
    uint32_t yes = id - 1 - random_below(random, near), no;
    do
        no = random_below(random, 3) ? id - 1 - random_below(random, near)
                                     : random_below(random, id);
    while (no == yes);
    block->yes = &blocks[yes];
    block->no = &blocks[no];
    block->weight = random_below(random, 4);
    block->weight_yes = block->weight * random_below(random, 5) / 4;
}

static const struct word **random_words(struct arena *arena, struct random *random, uint32_t count)
{
    /* Emission takes interned words only: those that folding leaves. */
    struct dag *dag = dag_new(arena, false, 1000);
    const struct word **words = NEW_ARRAY(arena, const struct word *, count);
    for (uint32_t i = 0; i < count;) {
        const struct dag_node *node = dag_return(dag, random_expression(arena, random, 3));
        if (node->kind == DAG_RETURN)
            words[i++] = node->value;
    }
    return words;
}

static struct input near_input(struct random *random)
{
    struct input input = {.nr = random_word(random), .arch = random_word(random)};
    input.ip = random_register(random);
    for (unsigned i = 0; i < COUNT_OF(input.args); i++)
        input.args[i] = random_register(random);
    if (random_below(random, 2))
        input.nr &= 0xff;
    return input;
}

static void emit_or_fail(struct arena *arena, const struct block *entry, bool big_endian,
                         struct program *program)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    assert_true(worked(emit_program(arena, entry, big_endian, "test", &diagnostics, program)));
    const char *broken = code_check(arena, program);
    if (broken)
        fail_msg("%s", broken);
}

static void test_random_blocks(void **state)
{
    struct random random = random_seed(5);
    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct arena *arena = arena_new();
        const struct word **words = random_words(arena, &random, 4);
        uint32_t count = 5 + random_below(&random, i % 100 == 0 ? 600 : 40);
        struct block *blocks = NEW_ARRAY(arena, struct block, count);
        for (uint32_t id = 0; id < count; id++)
            random_block(&random, blocks, id, words, 4);
        struct program program;
        emit_or_fail(arena, &blocks[count - 1], i % 2, &program);
        for (int j = 0; j < 60; j++) {
            struct input input = near_input(&random);
            struct run run = interpret(&program, &input, NULL, 0);
            assert_false(run.divided_by_zero);
            assert_int_equal(run.word, run_blocks(&blocks[count - 1], &input));
        }
        arena_free(arena);
    }
}

/* ---- what A holds --------------------------------------------------------------------------- */

static struct block return_block(uint32_t id)
{
    return (struct block){.kind = BLOCK_RETURN, .id = id, .word = id};
}

static struct block field_test(uint32_t id, uint32_t mask, enum test_operation test,
                               uint32_t constant, struct block *yes, struct block *no)
{
    return (struct block){.kind = BLOCK_TEST,
                          .id = id,
                          .accumulator = ACCUMULATOR_FIELD,
                          .field = FIELD_ARG0_LO,
                          .mask = mask,
                          .test = test,
                          .constant = constant,
                          .yes = yes,
                          .no = no};
}

static uint32_t count_code(const struct program *program, uint16_t code)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->length; i++)
        count += program->code[i].code == code;
    return count;
}

/* A value that is there is not loaded again, a wider one is masked, a bit test leaves it. */
static void test_loads_only_where_needed(void **state)
{
    struct fixture *fixture = *state;
    struct block blocks[8];
    struct program program;
    for (uint32_t i = 0; i < 4; i++)
        blocks[i] = return_block(i);
    blocks[4] = field_test(4, 0xff, TEST_EQUAL, 3, &blocks[0], &blocks[1]);
    blocks[5] = field_test(5, 0xffffffff, TEST_SET, 0x100, &blocks[2], &blocks[4]);
    blocks[6] = field_test(6, 0xffffffff, TEST_EQUAL, 7, &blocks[3], &blocks[5]);
    emit_or_fail(fixture->arena, &blocks[6], false, &program);
    assert_int_equal(count_code(&program, BPF_LD | BPF_W | BPF_ABS), 1);
    assert_int_equal(count_code(&program, BPF_ALU | BPF_AND | BPF_K), 1);

    /* After the mask, bits within it can still be tested, but the whole word is gone. */
    blocks[4] = field_test(4, 0xffffffff, TEST_EQUAL, 3, &blocks[0], &blocks[1]);
    blocks[5] = field_test(5, 0xffffffff, TEST_SET, 0x10, &blocks[2], &blocks[4]);
    blocks[6] = field_test(6, 0xff, TEST_EQUAL, 7, &blocks[3], &blocks[5]);
    emit_or_fail(fixture->arena, &blocks[6], false, &program);
    assert_int_equal(count_code(&program, BPF_LD | BPF_W | BPF_ABS), 2);
}

/* One edge into the block has the value and one has not: the first jumps past the load. */
static void test_edges_enter_where_they_may(void **state)
{
    struct fixture *fixture = *state;
    struct block blocks[8];
    struct program program;
    for (uint32_t i = 0; i < 4; i++)
        blocks[i] = return_block(i);
    blocks[4] = field_test(4, 0xffffffff, TEST_EQUAL, 3, &blocks[0], &blocks[1]);
    blocks[5] = field_test(5, 0xffffffff, TEST_EQUAL, 7, &blocks[2], &blocks[4]);
    blocks[6] = field_test(6, 0xffffffff, TEST_EQUAL, 9, &blocks[4], &blocks[5]);
    blocks[6].field = FIELD_ARG1_LO;
    emit_or_fail(fixture->arena, &blocks[6], false, &program);
    uint32_t trace[16];
    struct input past = {.args = {3, 1}}, straight = {.args = {3, 9}};
    struct run run = interpret(&program, &past, trace, COUNT_OF(trace));
    assert_int_equal(run.word, 0);
    assert_int_equal(run.executed, 6); /* two loads, three tests, the return */
    assert_int_equal(interpret(&program, &straight, trace, COUNT_OF(trace)).executed, 5);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void expect_word(struct arena *arena, struct random *random, const struct word *word)
{
    struct block block = {.kind = BLOCK_RETURN_A, .accumulator = ACCUMULATOR_WORD, .value = word};
    bool big_endian = random_below(random, 2);
    struct program program;
    emit_or_fail(arena, &block, big_endian, &program);
    for (int i = 0; i < 30; i++) {
        struct input input = near_input(random);
        bool unknown = false;
        struct run run = interpret(&program, &input, NULL, 0);
        assert_false(run.divided_by_zero);
        assert_int_equal(run.word, word_value(word, &input, &unknown));
    }
}

static void test_random_words(void **state)
{
    struct random random = random_seed(6);
    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct arena *arena = arena_new();
        struct dag *dag = dag_new(arena, false, 1000);
        const struct word *word = random_expression(arena, &random, 2 + random_below(&random, 6));
        const struct dag_node *node = dag_return(dag, word);
        if (node->kind == DAG_RETURN)
            expect_word(arena, &random, node->value);
        for (int j = 0; j < 20; j++) { /* folding keeps the value */
            struct input input = near_input(&random);
            bool unknown = false;
            uint32_t value = word_value(word, &input, &unknown);
            if (node->kind == DAG_VERDICT && !unknown)
                assert_int_equal(node->word, value);
        }
        arena_free(arena);
    }
}

/* Every operator over fields, `levels` deep on one side or on both. */
static const struct word *tower(struct arena *arena, unsigned levels, bool left, bool right)
{
    struct word *word = NEW(arena, struct word);
    if (!levels) {
        *word = (struct word){.operator= WORD_FIELD, .field = FIELD_ARG0_LO};
        return word;
    }
    static const enum word_operator operators[] = {WORD_SUB, WORD_DIV, WORD_ADD, WORD_XOR};
    word->operator= operators[levels % COUNT_OF(operators)];
    word->left = tower(arena, left ? levels - 1 : 0, left, right);
    word->right = tower(arena, right ? levels - 1 : 0, left, right);
    return word;
}

static void test_towers(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(8);
    expect_word(fixture->arena, &random, tower(fixture->arena, 150, true, false));
    expect_word(fixture->arena, &random, tower(fixture->arena, 150, false, true));
    expect_word(fixture->arena, &random, tower(fixture->arena, 8, true, true));
}

static void test_word_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct block block = {.kind = BLOCK_RETURN_A, .accumulator = ACCUMULATOR_WORD};
    struct program program;
    block.value = tower(fixture->arena, 13, true, true);
    result r = emit_program(fixture->arena, &block, false, "test", &fixture->diagnostics, &program);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_int_equal(fixture->diagnostics.errors, 1);
    /* One node used twice on each of 150 levels: 2^150 as a tree. */
    struct word *word = NEW(fixture->arena, struct word);
    *word = (struct word){.operator= WORD_FIELD };
    for (int i = 0; i < 150; i++) {
        struct word *next = NEW(fixture->arena, struct word);
        *next = (struct word){.operator= WORD_MUL, .left = word, .right = word};
        word = next;
    }
    block.value = word;
    r = emit_program(fixture->arena, &block, false, "test", &fixture->diagnostics, &program);
    assert_int_equal(r.error, ERROR_LIMIT);
}

/* ---- layout --------------------------------------------------------------------------------- */

/* 6 leads to 5 or 4, each of them to two returns. */
static void two_levels(struct block blocks[7])
{
    for (uint32_t i = 0; i < 4; i++)
        blocks[i] = return_block(i);
    blocks[4] = field_test(4, 0xffffffff, TEST_EQUAL, 3, &blocks[0], &blocks[1]);
    blocks[5] = field_test(5, 0xffffffff, TEST_EQUAL, 7, &blocks[2], &blocks[3]);
    blocks[6] = field_test(6, 0xffffffff, TEST_GREATER, 5, &blocks[5], &blocks[4]);
}

static void test_layout_without_weights(void **state)
{
    struct fixture *fixture = *state;
    struct block blocks[7];
    size_t count;
    two_levels(blocks);
    assert_null(layout_by_weight(fixture->arena, &blocks[6], &count));
    const struct block **order = layout_blocks(fixture->arena, &blocks[6], &count);
    assert_int_equal(count, 7);
    assert_ptr_equal(order[0], &blocks[6]);
    assert_ptr_equal(order[1], &blocks[4]);
}

static void test_heavy_edges_fall_through(void **state)
{
    struct fixture *fixture = *state;
    struct block blocks[7];
    size_t count;
    two_levels(blocks);
    blocks[6].weight = 3;
    blocks[6].weight_yes = 2;
    blocks[5].weight = 2;
    blocks[4].weight = 1;
    const struct block **order = layout_by_weight(fixture->arena, &blocks[6], &count);
    assert_int_equal(count, 7);
    assert_ptr_equal(order[0], &blocks[6]);
    assert_ptr_equal(order[1], &blocks[5]);
    blocks[6].weight_yes = 1;
    order = layout_by_weight(fixture->arena, &blocks[6], &count);
    assert_ptr_equal(order[1], &blocks[4]);
    /* "Any bit set" is no better off for being the next instruction. */
    blocks[6].weight_yes = 2;
    blocks[6].test = TEST_SET;
    order = layout_by_weight(fixture->arena, &blocks[6], &count);
    assert_ptr_equal(order[1], &blocks[4]);
}

/* The heaviest return is the first in the program, and right behind the test that leads there most.
 */
static void test_heaviest_return_comes_first(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t heavy = 0; heavy < 4; heavy++) {
        struct block blocks[7];
        struct program program;
        two_levels(blocks);
        struct block *above = &blocks[heavy < 2 ? 4 : 5];
        blocks[6].weight = above->weight = blocks[heavy].weight = 1;
        blocks[6].weight_yes = heavy < 2 ? 0 : 1;
        above->weight_yes = heavy % 2 ? 0 : 1;
        emit_or_fail(fixture->arena, &blocks[6], false, &program);
        uint32_t at = 0;
        while (BPF_CLASS(program.code[at].code) != BPF_RET)
            at++;
        assert_int_equal(program.code[at].k, heavy);
        assert_int_equal(program.code[at - 1].k, above->constant);
        assert_int_equal(heavy % 2 ? program.code[at - 1].jf : program.code[at - 1].jt, 0);
    }
}

/* Of the tests that are jumped to and lead to the heaviest return, the one that does so most is the
 * last before it. */
static void test_heaviest_way_into_the_return(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned turn = 0; turn < 2; turn++) {
        struct block blocks[8];
        size_t count;
        for (uint32_t i = 0; i < 3; i++)
            blocks[i] = return_block(i);
        for (uint32_t i = 3; i < 6; i++) {
            blocks[i] = field_test(i, 0xffffffff, TEST_EQUAL, i, &blocks[0], &blocks[1 + i % 2]);
            blocks[i].weight = i == 5 ? 0.5 : i - 3 == turn ? 0.3 : 0.2;
            blocks[i].weight_yes = blocks[i].weight;
        }
        blocks[6] = field_test(6, 0xffffffff, TEST_EQUAL, 6, &blocks[3], &blocks[5]);
        blocks[6].weight = blocks[3].weight + blocks[5].weight;
        blocks[6].weight_yes = blocks[3].weight;
        blocks[7] = field_test(7, 0xffffffff, TEST_EQUAL, 7, &blocks[4], &blocks[6]);
        blocks[7].weight = blocks[0].weight = 1;
        blocks[7].weight_yes = blocks[4].weight;
        const struct block **order = layout_by_weight(fixture->arena, &blocks[7], &count);
        assert_int_equal(count, 8);
        assert_ptr_equal(order[4], &blocks[3 + turn]);
        assert_ptr_equal(order[5], &blocks[0]);
    }
}

/* Where more calls go on into the return than have to jump for it, the test in front of the return
 * is jumped to, and what its other side leads to stands behind the return. */
static void test_a_row_in_front_of_the_return(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned turn = 0; turn < 3; turn++) {
        bool copies = turn != 2; /* else the other side leads to the return as well */
        struct block blocks[9];
        size_t count;
        for (uint32_t i = 0; i < 4; i++)
            blocks[i] = return_block(i);
        struct block *first = &blocks[0], *again = &blocks[3];
        struct block *side = &blocks[4], *row = &blocks[5], *rest = &blocks[6], *top = &blocks[7];
        *side = field_test(4, 0xffffffff, TEST_EQUAL, 4, copies ? again : first, &blocks[1]);
        *row = field_test(5, 0xffffffff, TEST_EQUAL, 5, side, first);
        *rest = field_test(6, 0xffffffff, TEST_EQUAL, 6, first, &blocks[2]);
        *top = field_test(7, 0xffffffff, TEST_EQUAL, 7, row, rest);
        top->weight = 1;
        top->weight_yes = row->weight = turn == 1 ? 0.9 : 0.6;
        rest->weight = top->weight - row->weight;
        rest->weight_yes = rest->weight / 2;
        first->weight = row->weight + rest->weight_yes;
        blocks[2].weight = rest->weight - rest->weight_yes;
        const struct block **order = layout_by_weight(fixture->arena, top, &count);
        assert_int_equal(count, copies ? 8 : 7);
        size_t at = 0;
        while (order[at] != first)
            at++;
        assert_ptr_equal(order[0], top);
        assert_ptr_equal(order[1], copies ? rest : row);
        if (copies) {
            assert_ptr_equal(order[2], row);
            assert_int_equal(at, 3);
        }
    }
}

/* Whatever the weights: all blocks, each before its targets. */
static void test_random_layouts(void **state)
{
    (void)state;
    struct random random = random_seed(7);
    for (int i = 0; i < 1000; i++) {
        struct arena *arena = arena_new();
        const struct word **words = random_words(arena, &random, 4);
        uint32_t block_count = 5 + random_below(&random, i % 50 == 0 ? 900 : 60);
        struct block *blocks = NEW_ARRAY(arena, struct block, block_count);
        for (uint32_t id = 0; id < block_count; id++)
            random_block(&random, blocks, id, words, 4);
        const struct block *entry = &blocks[block_count - 1];
        size_t count, count_weighed;
        const struct block **plain = layout_blocks(arena, entry, &count);
        const struct block **weighed = layout_by_weight(arena, entry, &count_weighed);
        assert_true((weighed != NULL) == (entry->weight > 0));
        size_t *place = NEW_ARRAY(arena, size_t, block_count);
        for (size_t j = 0; weighed && j < count; j++) {
            assert_int_equal(place[weighed[j]->id], 0);
            place[weighed[j]->id] = j + 1;
        }
        for (size_t j = 0; weighed && j < count; j++) {
            assert_true(place[plain[j]->id] > 0);
            if (block_leads_on(plain[j])) {
                assert_true(place[plain[j]->yes->id] > place[plain[j]->id]);
                assert_true(place[plain[j]->no->id] > place[plain[j]->id]);
            }
        }
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_blocks),
        TEST(test_loads_only_where_needed),
        TEST(test_edges_enter_where_they_may),
        TEST(test_random_words),
        TEST(test_towers),
        TEST(test_word_too_large),
        TEST(test_layout_without_weights),
        TEST(test_heavy_edges_fall_through),
        TEST(test_heaviest_return_comes_first),
        TEST(test_heaviest_way_into_the_return),
        TEST(test_a_row_in_front_of_the_return),
        TEST(test_random_layouts),
    };
    return RUN_TESTS(tests);
}
