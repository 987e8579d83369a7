/* Jump relaxation: the placed program does what the items say, and every offset fits. */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "sim/sim.h"

/* ---- the items, executed -------------------------------------------------------------------- */

struct outcome_of_items {
    uint32_t word;
    uint32_t executed; /* without JA, which relaxation may leave out */
};

static uint32_t item_target(uint32_t index, uint32_t target)
{
    return target == NEXT_ITEM ? index + 1 : target;
}

/* Loads of nr, AND, JEQ, JSET, JA, RET K, RET A are all that the tests make. */
static struct outcome_of_items run_items(const struct item *items, uint32_t nr)
{
    struct outcome_of_items outcome = {0};
    uint32_t index = 0, a = 0;
    for (;;) {
        const struct item *item = &items[index];
        uint32_t k = item->instruction.k;
        outcome.executed++;
        switch (item->instruction.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            a = nr;
            index++;
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= k;
            index++;
            break;
        case BPF_JMP | BPF_JA:
            outcome.executed--;
            index = item_target(index, item->yes);
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            index = item_target(index, a == k ? item->yes : item->no);
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            index = item_target(index, (a & k) != 0 ? item->yes : item->no);
            break;
        case BPF_RET | BPF_K:
            outcome.word = k;
            return outcome;
        default:
            assert_int_equal(item->instruction.code, BPF_RET | BPF_A);
            outcome.word = a;
            return outcome;
        }
    }
}

/* ---- random items --------------------------------------------------------------------------- */

static struct item statement(uint16_t code, uint32_t k)
{
    return (struct item){.instruction = BPF_STMT(code, k), .yes = NEXT_ITEM, .no = NEXT_ITEM};
}

/* A jump beyond what 8 bits reach more often than not. */
static uint32_t random_target(struct random *random, uint32_t index, uint32_t count)
{
    uint32_t left = count - 1 - index;
    switch (random_below(random, 4)) {
    case 0:
        return NEXT_ITEM;
    case 1: /* around the bound */
        return left < 260 ? index + 1 + random_below(random, left)
                          : index + 250 + random_below(random, 10);
    case 2:
        return count - 1 - random_below(random, left < 5 ? left : 5);
    default:
        return index + 1 + random_below(random, left);
    }
}

static struct item random_item(struct random *random, uint32_t index, uint32_t count)
{
    struct item item;
    switch (random_below(random, 12)) {
    case 0:
        return statement(BPF_LD | BPF_W | BPF_ABS, 0);
    case 1:
        return statement(BPF_ALU | BPF_AND | BPF_K, random_below(random, 2) ? 0xffu : ~0x3u);
    case 2:
        item = statement(BPF_JMP | BPF_JA, 0);
        item.yes = random_target(random, index, count);
        return item;
    case 3:
        return statement(random_below(random, 3) ? BPF_RET | BPF_K : BPF_RET | BPF_A, 100 + index);
    default:
        item = statement(BPF_JMP | (random_below(random, 2) ? BPF_JEQ : BPF_JSET) | BPF_K,
                         random_below(random, 2) ? random_below(random, 16)
                                                 : 1u << random_below(random, 32));
        item.yes = random_target(random, index, count);
        do
            item.no = random_target(random, index, count);
        while (item_target(index, item.no) == item_target(index, item.yes) && count - index > 2);
        return item;
    }
}

static struct item *random_items(struct arena *arena, struct random *random, uint32_t count)
{
    struct item *items = NEW_ARRAY(arena, struct item, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = i == 0           ? statement(BPF_LD | BPF_W | BPF_ABS, 0)
                   : i + 5 >= count ? statement(BPF_RET | BPF_K, i)
                                    : random_item(random, i, count);
    return items;
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Executed instructions that are no JA, and how many of them were. */
static uint32_t without_always(const struct program *program, const uint32_t *trace,
                               uint32_t executed, uint32_t *always)
{
    *always = 0;
    for (uint32_t i = 0; i < executed; i++) {
        if (program->code[trace[i]].code == (BPF_JMP | BPF_JA))
            ++*always;
    }
    return executed - *always;
}

static void expect_same_run(const struct program *program, const struct item *items, uint32_t nr)
{
    uint32_t trace[PROGRAM_MOST], always;
    struct input input = {.nr = nr};
    struct run run = interpret(program, &input, trace, COUNT_OF(trace));
    struct outcome_of_items meant = run_items(items, nr);
    assert_int_equal(run.word, meant.word);
    uint32_t executed = without_always(program, trace, run.executed, &always);
    assert_int_equal(executed, meant.executed);
    /* Each jump takes one JA at most. */
    assert_true(always <= executed);
}

static void test_random_items(void **state)
{
    struct random random = random_seed(7);
    unsigned placed = 0;
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        uint32_t count =
            i < 100 ? 8 + random_below(&random, 30) : 200 + random_below(&random, 3300);
        const struct item *items = random_items(arena, &random, count);
        struct program program;
        if (worked(relax_jumps(arena, items, count, false, "items", &diagnostics, &program))) {
            placed++;
            assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
            for (int j = 0; j < 40; j++)
                expect_same_run(&program, items,
                                random_below(&random, 2) ? random_below(&random, 16)
                                                         : (uint32_t)random_u64(&random));
        }
        arena_free(arena);
    }
    assert_true(placed > 200);
}

/* A ladder: number i jumps to return i, which lies behind all the tests. */
static struct item *ladder(struct arena *arena, uint32_t rungs, bool add, uint32_t *count)
{
    *count = 1 + rungs + 1 + rungs * (add ? 2 : 1);
    struct item *items = NEW_ARRAY(arena, struct item, *count);
    items[0] = statement(BPF_LD | BPF_W | BPF_ABS, 0);
    for (uint32_t i = 0; i < rungs; i++) {
        items[1 + i] = statement(BPF_JMP | BPF_JEQ | BPF_K, i);
        uint32_t target = 1 + rungs + 1 + i * (add ? 2 : 1);
        items[1 + i].yes = target;
        if (add)
            items[target++] = statement(BPF_ALU | BPF_AND | BPF_K, 0xffff);
        items[target] = statement(add ? BPF_RET | BPF_A : BPF_RET | BPF_K, 1000 + i);
    }
    items[1 + rungs] = statement(BPF_RET | BPF_K, 9);
    return items;
}

/* Returns come to the jumps: no instruction more, and no JA. */
static void test_returns_cost_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count;
    const struct item *items = ladder(fixture->arena, 1500, false, &count);
    struct program program;
    assert_true(worked(relax_jumps(fixture->arena, items, count, false, "ladder",
                                   &fixture->diagnostics, &program)));
    assert_null(code_check(fixture->arena, &program));
    assert_int_equal(program.length, count);
    for (uint32_t nr = 0; nr < 1501; nr++)
        expect_same_run(&program, items, nr);
}

/* What does not return gets one JA each. */
static void test_far_code_gets_a_jump(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count;
    const struct item *items = ladder(fixture->arena, 1000, true, &count);
    struct program program;
    assert_true(worked(relax_jumps(fixture->arena, items, count, false, "ladder",
                                   &fixture->diagnostics, &program)));
    assert_null(code_check(fixture->arena, &program));
    assert_true(program.length > count + 800 && program.length <= count + 1000);
    for (uint32_t nr = 0; nr < 1001; nr++)
        expect_same_run(&program, items, nr);
}

/* Exactly 255 instructions between jump and target fit; 256 do not. */
static void test_the_bound(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t between = 254; between <= 256; between++) {
        uint32_t count = between + 6;
        struct item *items = NEW_ARRAY(fixture->arena, struct item, count);
        struct program program;
        items[0] = statement(BPF_LD | BPF_W | BPF_ABS, 0);
        items[1] = statement(BPF_JMP | BPF_JEQ | BPF_K, 5);
        items[1].yes = 2 + between;
        for (uint32_t i = 2; i < count; i++)
            items[i] = statement(BPF_ALU | BPF_AND | BPF_K, 0xff);
        items[1 + between] = statement(BPF_RET | BPF_K, 1);
        items[count - 1] = statement(BPF_RET | BPF_A, 0);
        assert_true(worked(relax_jumps(fixture->arena, items, count, false, "bound",
                                       &fixture->diagnostics, &program)));
        assert_null(code_check(fixture->arena, &program));
        assert_int_equal(program.length, between <= 255 ? count : count + 1);
        expect_same_run(&program, items, 5);
        expect_same_run(&program, items, 6);
    }
}

/* One target is too far, and what stands in for it moves the other one, at the bound, away. */
static void test_both_targets_at_the_bound(void **state)
{
    struct fixture *fixture = *state;
    for (int swapped = 0; swapped < 2; swapped++) {
        uint32_t count = 400;
        struct item *items = NEW_ARRAY(fixture->arena, struct item, count);
        struct program program;
        for (uint32_t i = 0; i < count; i++)
            items[i] = statement(BPF_ALU | BPF_AND | BPF_K, 0xff);
        items[0] = statement(BPF_LD | BPF_W | BPF_ABS, 0);
        items[1] = statement(BPF_JMP | BPF_JEQ | BPF_K, 5);
        items[1].yes = swapped ? 300 : 2 + 255;
        items[1].no = swapped ? 2 + 255 : 300;
        /* Makes what follows reachable. */
        items[2 + 254] = statement(BPF_RET | BPF_K, 1);
        items[299] = statement(BPF_RET | BPF_K, 2);
        items[count - 1] = statement(BPF_RET | BPF_A, 0);
        assert_true(worked(relax_jumps(fixture->arena, items, count, false, "bounds",
                                       &fixture->diagnostics, &program)));
        assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
        assert_int_equal(program.length, count + 2);
        expect_same_run(&program, items, 5);
        expect_same_run(&program, items, 6);
    }
}

/* A JA that goes nowhere, or to a return, is not in the program; jumps to it go where it goes. */
static void test_needless_jumps(void **state)
{
    struct fixture *fixture = *state;
    struct item items[] = {
        statement(BPF_LD | BPF_W | BPF_ABS, 0),
        statement(BPF_JMP | BPF_JA, 0),
        statement(BPF_JMP | BPF_JEQ | BPF_K, 5),
        statement(BPF_JMP | BPF_JA, 0),
        statement(BPF_ALU | BPF_AND | BPF_K, 0xff),
        statement(BPF_JMP | BPF_JA, 0),
        statement(BPF_RET | BPF_A, 0),
    };
    struct program program;
    items[2].no = 4;
    items[3].yes = 6;
    items[5].yes = 6;
    assert_true(worked(relax_jumps(fixture->arena, items, COUNT_OF(items), false, "needless",
                                   &fixture->diagnostics, &program)));
    assert_null(code_check(fixture->arena, &program));
    assert_int_equal(program.length, 5);
    expect_same_run(&program, items, 5);
    expect_same_run(&program, items, 0x106);
}

/* In a small program returns stay where they are, but not those that only JA leads to, whose place
 * the return takes itself. */
static void test_returns_stay(void **state)
{
    struct fixture *fixture = *state;
    struct item items[] = {
        statement(BPF_LD | BPF_W | BPF_ABS, 0),  statement(BPF_JMP | BPF_JEQ | BPF_K, 7),
        statement(BPF_ALU | BPF_AND | BPF_K, 3), statement(BPF_JMP | BPF_JA, 0),
        statement(BPF_JMP | BPF_JEQ | BPF_K, 9), statement(BPF_RET | BPF_K, 1),
        statement(BPF_RET | BPF_K, 2),           statement(BPF_RET | BPF_K, 3)};
    struct program program;
    items[1].no = 4;
    items[3].yes = 6;
    items[4].yes = 7;
    assert_true(worked(relax_jumps(fixture->arena, items, COUNT_OF(items), false, "test",
                                   &fixture->diagnostics, &program)));
    const char *broken = code_check(fixture->arena, &program);
    if (broken)
        fail_msg("%s", broken);
    static const uint32_t words[] = {2, 1, 3};
    uint32_t returns = 0;
    for (uint32_t i = 0; i < program.length; i++) {
        if (BPF_CLASS(program.code[i].code) != BPF_RET)
            continue;
        assert_true(returns < COUNT_OF(words));
        assert_int_equal(program.code[i].k, words[returns++]);
    }
    assert_int_equal(returns, COUNT_OF(words));
}

static void test_too_long(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count;
    const struct item *items = ladder(fixture->arena, 2048, false, &count);
    struct program program;
    result r =
        relax_jumps(fixture->arena, items, count, false, "long", &fixture->diagnostics, &program);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_string_equal(fixture->diagnostics.first->message,
                        "compiled, it has 4098 instructions; the kernel takes 4096");
    items = ladder(fixture->arena, 2047, false, &count);
    assert_true(worked(
        relax_jumps(fixture->arena, items, count, false, "long", &fixture->diagnostics, &program)));
    assert_int_equal(program.length, PROGRAM_MOST);
}

static void test_one_return(void **state)
{
    struct fixture *fixture = *state;
    struct item item = statement(BPF_RET | BPF_K, 3);
    struct program program;
    assert_true(worked(
        relax_jumps(fixture->arena, &item, 1, true, "one", &fixture->diagnostics, &program)));
    assert_int_equal(program.length, 1);
    assert_true(program.big_endian);
    assert_null(code_check(fixture->arena, &program));
}

/* What code_check is for. */
static void test_broken_code_is_seen(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter detour[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
        BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 1)};
    struct sock_filter unreachable[] = {BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_filter one_target[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0),
                                       BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_filter nowhere[] = {BPF_STMT(BPF_JMP | BPF_JA, 0), BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_filter refused[] = {BPF_STMT(BPF_JMP | BPF_JA, 7), BPF_STMT(BPF_RET | BPF_K, 0)};
    const struct program broken[] = {
        {.code = detour, .length = COUNT_OF(detour)},
        {.code = unreachable, .length = COUNT_OF(unreachable)},
        {.code = one_target, .length = COUNT_OF(one_target)},
        {.code = nowhere, .length = COUNT_OF(nowhere)},
        {.code = refused, .length = COUNT_OF(refused)},
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_non_null(code_check(fixture->arena, &broken[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_items),
        TEST(test_returns_cost_nothing),
        TEST(test_far_code_gets_a_jump),
        TEST(test_the_bound),
        TEST(test_both_targets_at_the_bound),
        TEST(test_needless_jumps),
        TEST(test_returns_stay),
        TEST(test_too_long),
        TEST(test_one_return),
        TEST(test_broken_code_is_seen),
    };
    return RUN_TESTS(tests);
}
