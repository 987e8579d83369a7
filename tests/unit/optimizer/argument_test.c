/* Switches on arguments: the shapes that sets of values get, and that they mean the sets. */
#include "tests/unit/support.h"

#include "optimizer/optimizer.h"
#include "sim/sim.h"

#define ALLOW 0x7fff0000u
#define DENY 0x00050001u

/* What arg1 is looked up in; nr 16 only. */
static struct program emit(struct arena *arena, const struct dag_node *root, struct dag *dag)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options options = {.level = OPTIMIZE_2};
    struct block *entry;
    struct program program;
    assert_true(worked(select_shape(arena, dag, root, &options, &diagnostics, &entry)));
    assert_true(worked(emit_program(arena, entry, false, "sets", &diagnostics, &program)));
    const char *broken = code_check(arena, &program);
    if (broken)
        fail_msg("%s", broken);
    return program;
}

static const struct dag_node *set_node(struct dag *dag, struct arena *arena,
                                       const uint32_t *members, size_t count)
{
    struct dag_edge *edges = NEW_ARRAY(arena, struct dag_edge, 2 * count + 1);
    const struct dag_node *in = dag_verdict(dag, ALLOW), *out = dag_verdict(dag, DENY);
    uint32_t made = 0;
    for (size_t i = 0; i < count; i++) {
        if (members[i] && (!i || members[i - 1] + 1 != members[i]))
            edges[made++] = (struct dag_edge){members[i] - 1, out};
        edges[made++] = (struct dag_edge){members[i], in};
    }
    edges[made++] = (struct dag_edge){0xffffffffu, out};
    return dag_switch(dag, FIELD_ARG1_LO, 0xffffffffu, edges, made);
}

static struct program program_of_set(struct arena *arena, const uint32_t *members, size_t count)
{
    struct dag *dag = dag_new(arena, false, 10000);
    const struct dag_edge edges[3] = {{15, dag_verdict(dag, DENY)},
                                      {16, set_node(dag, arena, members, count)},
                                      {0xffffffffu, dag_verdict(dag, DENY)}};
    return emit(arena, dag_switch(dag, FIELD_NR, 0xffffffffu, edges, 3), dag);
}

static bool is_member(const uint32_t *members, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i] == value)
            return true;
    }
    return false;
}

/* Instructions executed behind the load of the argument; checks the verdict. */
static uint32_t executed_after_load(const struct program *program, const uint32_t *members,
                                    size_t count, uint32_t value)
{
    uint32_t trace[PROGRAM_MOST], load = 0;
    struct input input = {.nr = 16};
    input_set_field(&input, FIELD_ARG1_LO, value);
    struct run run = interpret(program, &input, trace, PROGRAM_MOST);
    uint32_t expected = is_member(members, count, value) ? ALLOW : DENY;
    if (run.word != expected)
        fail_msg("%x gives %x", value, run.word);
    for (uint32_t i = 0; i < run.executed; i++) {
        const struct sock_filter *f = &program->code[trace[i]];
        if (f->code == (BPF_LD | BPF_W | BPF_ABS) && field_at(f->k, false) == FIELD_ARG1_LO)
            load = i;
    }
    return run.executed - load - 1;
}

/* `count` members, rising, of the `span` values from `base`. */
static void random_members(struct random *random, uint32_t base, uint32_t span, uint32_t *members,
                           uint32_t count)
{
    uint32_t left = count, made = 0;
    for (uint32_t i = 0; i < span; i++) {
        if (random_below(random, span - i) < left) {
            members[made++] = base + i;
            left--;
        }
    }
    assert_int_equal(made, count);
}

static bool uses_bit_tests(const struct program *program)
{
    for (uint32_t i = 0; i < program->length; i++) {
        if (program->code[i].code == (BPF_ALU | BPF_LSH | BPF_X))
            return true;
    }
    return false;
}

static void test_dense_sets_use_bit_tests(void **state)
{
    static const struct {
        uint32_t count, span;
    } rows[] = {{16, 32}, {24, 64}, {64, 128}};
    struct random random = random_seed(9);
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        uint32_t members[64], count = rows[i % 3].count, span = rows[i % 3].span;
        uint32_t base = (uint32_t)random_u64(&random) & (i & 8 ? 0xffffff80u : 0x7fffffffu);
        random_members(&random, base, span, members, count);
        struct program program = program_of_set(arena, members, count);
        if (!uses_bit_tests(&program))
            fail_msg("%u of %u from %x: no bit test", count, span, base);
        for (uint32_t j = 0; j < count; j++) {
            uint32_t executed = executed_after_load(&program, members, count, members[j]);
            if (executed > 9)
                fail_msg("%u of %u from %x: %u executed for %x", count, span, base, executed,
                         members[j]);
        }
        for (uint32_t j = 0; j < span + 80; j++)
            executed_after_load(&program, members, count, base - 40 + j);
        for (uint32_t j = 0; j < 100; j++)
            executed_after_load(&program, members, count, (uint32_t)random_u64(&random));
        arena_free(arena);
    }
}

/* Far apart: one test each, no path longer than all of them, one target. */
static void test_sparse_sets_are_chains(void **state)
{
    static const uint32_t counts[] = {8, 16, 64};
    struct random random = random_seed(10);
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        struct arena *arena = arena_new();
        uint32_t members[64], count = counts[i % 3];
        for (uint32_t j = 0; j < count; j++)
            members[j] = j * 0x02000000u + (random_below(&random, 0x10000) | 0x155u << (j % 8));
        struct program program = program_of_set(arena, members, count);
        assert_false(uses_bit_tests(&program));
        assert_int_equal(program.length, 2 + 1 + count + 2);
        for (uint32_t j = 0; j < count; j++) {
            executed_after_load(&program, members, count, members[j]);
            executed_after_load(&program, members, count, members[j] + 1);
        }
        arena_free(arena);
    }
}

/* Sets that one mask test decides, with others beside them. */
static void test_mask_tests(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t personality[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
    static const uint32_t futex[] = {0, 1, 0x80, 0x81, 0x89};
    struct program program = program_of_set(fixture->arena, personality, 5);
    assert_int_equal(program.length, 2 + 1 + 2 + 2);
    program = program_of_set(fixture->arena, futex, 5);
    assert_int_equal(program.length, 2 + 1 + 2 + 2);
    struct random random = random_seed(11);
    for (unsigned i = 0; i < 2000; i++) {
        struct arena *arena = arena_new();
        uint32_t members[40], count = 0, bits = random_below(&random, 0x100) * 0x101;
        for (uint32_t value = 0; value < 0x10000 && count < 40; value++) {
            if ((value & ~bits) == 0 ? random_below(&random, 40) : !random_below(&random, 4000))
                members[count++] = value;
        }
        if (count) {
            program = program_of_set(arena, members, count);
            for (uint32_t j = 0; j < count; j++) {
                executed_after_load(&program, members, count, members[j]);
                executed_after_load(&program, members, count,
                                    members[j] ^ (1u << random_below(&random, 32)));
            }
        }
        arena_free(arena);
    }
}

/* Two calls whose sets nearly agree share what they agree on. */
static void test_sets_are_shared(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    uint32_t members[20];
    for (uint32_t i = 0; i < 20; i++)
        members[i] = 0x5400 + i * i * 0x35;
    struct dag *dag = dag_new(arena, false, 1000);
    const struct dag_edge edges[4] = {{15, dag_verdict(dag, DENY)},
                                      {16, set_node(dag, arena, members, 20)},
                                      {17, set_node(dag, arena, members + 2, 18)},
                                      {0xffffffffu, dag_verdict(dag, DENY)}};
    struct program program = emit(arena, dag_switch(dag, FIELD_NR, 0xffffffffu, edges, 4), dag);
    assert_true(program.length <= 3 + 3 + 20 + 2);
    for (uint32_t i = 0; i < 20; i++)
        executed_after_load(&program, members, 20, members[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dense_sets_use_bit_tests),
        TEST(test_sparse_sets_are_chains),
        TEST(test_mask_tests),
        TEST(test_sets_are_shared),
    };
    return RUN_TESTS(tests);
}
