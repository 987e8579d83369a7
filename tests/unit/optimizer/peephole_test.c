/* The peephole: programs before and after, and random ones, which must do the same. */
#include "tests/unit/support.h"

#include "optimizer/optimizer.h"
#include "sim/sim.h"
#include "tests/campaigns/generate.h"

#define PROGRAMS 20000u
#define INPUTS 30u

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define JUMP_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define JUMP_FROM(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, k, yes, no)
#define JUMP_ALWAYS(k) BPF_STMT(BPF_JMP | BPF_JA, k)
#define RETURN(k) BPF_STMT(BPF_RET | BPF_K, k)

static void expect(struct arena *arena, const struct sock_filter *before, uint32_t length,
                   const struct sock_filter *after, uint32_t after_length)
{
    struct program program = {.name = "before", .length = length}, shorter;
    program.code = arena_copy(arena, before, length * sizeof *before);
    assert_true(peephole_program(arena, &program, false, &shorter) == (after_length < length));
    assert_int_equal(shorter.length, after_length);
    assert_memory_equal(shorter.code, after, after_length * sizeof *after);
}

#define EXPECT(before, after) expect(arena, before, COUNT_OF(before), after, COUNT_OF(after))

static void test_jumps_are_threaded(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {LOAD(0),   JUMP_EQUAL(1, 0, 1), JUMP_ALWAYS(1),
                                         RETURN(5), JUMP_ALWAYS(0),      RETURN(6)};
    const struct sock_filter after[] = {LOAD(0), JUMP_EQUAL(1, 1, 0), RETURN(5), RETURN(6)};
    EXPECT(before, after);
}

static void test_loads_that_a_holds(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {
        LOAD(0), JUMP_EQUAL(1, 2, 0), LOAD(0), JUMP_EQUAL(2, 0, 1), RETURN(5), RETURN(6)};
    const struct sock_filter after[] = {LOAD(0), JUMP_EQUAL(1, 1, 0), JUMP_EQUAL(2, 0, 1),
                                        RETURN(5), RETURN(6)};
    EXPECT(before, after);
}

static void test_comparisons_that_are_settled(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {
        LOAD(0),  JUMP_FROM(10, 0, 3), JUMP_EQUAL(5, 2, 0), JUMP_FROM(3, 0, 1), RETURN(6),
        RETURN(7)};
    const struct sock_filter after[] = {LOAD(0), JUMP_FROM(10, 0, 1), RETURN(6), RETURN(7)};
    EXPECT(before, after);
}

static void test_equal_tails(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {LOAD(0),
                                         JUMP_EQUAL(1, 0, 4),
                                         LOAD(16),
                                         JUMP_EQUAL(7, 0, 1),
                                         RETURN(5),
                                         RETURN(6),
                                         JUMP_EQUAL(2, 0, 4),
                                         LOAD(16),
                                         JUMP_EQUAL(7, 0, 1),
                                         RETURN(5),
                                         RETURN(6),
                                         RETURN(8)};
    const struct sock_filter after[] = {LOAD(0),
                                        JUMP_EQUAL(1, 1, 0),
                                        JUMP_EQUAL(2, 0, 4),
                                        LOAD(16),
                                        JUMP_EQUAL(7, 0, 1),
                                        RETURN(5),
                                        RETURN(6),
                                        RETURN(8)};
    EXPECT(before, after);
}

/* Unless they shall stay apart. */
static void test_returns_that_stay(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {LOAD(0),  JUMP_FROM(10, 1, 0),  RETURN(5),
                                         LOAD(0),  JUMP_EQUAL(11, 1, 0), RETURN(6),
                                         RETURN(5)};
    const struct sock_filter apart[] = {
        LOAD(0), JUMP_FROM(10, 1, 0), RETURN(5), JUMP_EQUAL(11, 1, 0), RETURN(6), RETURN(5)};
    const struct sock_filter merged[] = {LOAD(0), JUMP_FROM(10, 0, 2), JUMP_EQUAL(11, 1, 0),
                                         RETURN(6), RETURN(5)};
    struct program program = {.name = "before", .length = COUNT_OF(before)}, shorter;
    program.code = arena_copy(arena, before, sizeof before);
    assert_true(peephole_program(arena, &program, true, &shorter));
    assert_int_equal(shorter.length, COUNT_OF(apart));
    assert_memory_equal(shorter.code, apart, sizeof apart);
    EXPECT(before, merged);
}

static void test_nothing_to_gain(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    const struct sock_filter before[] = {LOAD(0), JUMP_EQUAL(1, 0, 1), RETURN(5), RETURN(6)};
    EXPECT(before, before);
}

static void test_random_programs_do_the_same(void **state)
{
    (void)state;
    struct random random = random_seed(4711);
    struct draft *draft = calloc(1, sizeof *draft);
    unsigned shortened = 0;
    for (unsigned i = 0; i < PROGRAMS; i++) {
        struct arena *arena = arena_new();
        draft_valid(&random, draft);
        struct program program = {.name = "random", .code = draft->code, .length = draft->length};
        struct program shorter;
        shortened += peephole_program(arena, &program, false, &shorter);
        assert_int_equal(check_program(&shorter).rule, CHECK_ACCEPTED);
        for (unsigned j = 0; j < INPUTS; j++) {
            struct input input = random_input(&random, &program);
            struct run was = interpret(&program, &input, NULL, 0);
            struct run is = interpret(&shorter, &input, NULL, 0);
            if (was.word != is.word || was.divided_by_zero != is.divided_by_zero) {
                print_program(&program);
                print_program(&shorter);
                fail_msg("program %u: %x became %x", i, was.word, is.word);
            }
        }
        arena_free(arena);
    }
    free(draft);
    assert_true(shortened > PROGRAMS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jumps_are_threaded),
        TEST(test_loads_that_a_holds),
        TEST(test_comparisons_that_are_settled),
        TEST(test_equal_tails),
        TEST(test_returns_that_stay),
        TEST(test_nothing_to_gain),
        TEST(test_random_programs_do_the_same),
    };
    return RUN_TESTS(tests);
}
