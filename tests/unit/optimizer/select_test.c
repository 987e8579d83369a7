/* The whole way from a policy to its program, against the meaning of the policy. */
#include "tests/unit/support.h"

#include <math.h>

#include "optimizer/cost.h"
#include "sim/sim.h"
#include "tests/unit/compiler/policies.h"
#include "tests/unit/samples.h"

#define POLICIES 1500
#define INPUTS 150

static const struct program *compile_at(struct arena *arena, const struct policy *policy,
                                        enum optimization level, unsigned kernel_major)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options options = {.level = level, .kernel_major = kernel_major};
    struct program *program = NEW(arena, struct program);
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    assert_true(worked(lower_policy(arena, policy, &diagnostics, &dag, &root)));
    const char *broken = dag_check(dag, root);
    if (broken)
        fail_msg("%s", broken);
    assert_true(worked(select_shape(arena, dag, root, &options, &diagnostics, &entry)));
    assert_true(worked(
        emit_program(arena, entry, policy->big_endian, policy->name, &diagnostics, program)));
    broken = code_check(arena, program);
    if (broken)
        fail_msg("%s", broken);
    return program;
}

static const struct program *compile(struct arena *arena, const struct policy *policy)
{
    return compile_at(arena, policy, OPTIMIZE_0, 0);
}

/* Every level in turn; those that search long come rarely. */
static enum optimization level_of(int turn)
{
    if (turn % 100 == 99)
        return turn % 200 == 99 ? OPTIMIZE_3 : OPTIMIZE_SIZE;
    return (enum optimization)(turn % 3);
}

/* The newest and one that runs the filter for every call, each with all levels. */
static unsigned kernel_of(int turn)
{
    return turn / 3 % 2 ? 4 : 0;
}

static void expect_same(const struct policy *policy, const struct program *program,
                        const struct input *input)
{
    struct decision meant = policy_eval(policy, input);
    struct run run = interpret(program, input, NULL, 0);
    if (run.divided_by_zero || run.word != meant.word)
        fail_msg("arch %x nr %x ip %llx args %llx %llx %llx: rule %x gives %x, program %x",
                 input->arch, input->nr, (unsigned long long)input->ip,
                 (unsigned long long)input->args[0], (unsigned long long)input->args[1],
                 (unsigned long long)input->args[2], meant.rule, meant.word, run.word);
}

static void test_random_policies(void **state)
{
    (void)state;
    struct random random = random_seed(20240811);
    for (int i = 0; i < SAMPLES(POLICIES); i++) {
        struct arena *arena = arena_new();
        const struct policy *policy = random_policy(arena, &random);
        const struct program *program = compile_at(arena, policy, level_of(i), kernel_of(i));
        for (int j = 0; j < INPUTS; j++) {
            struct input input = random_input(&random, policy);
            expect_same(policy, program, &input);
        }
        arena_free(arena);
    }
}

/* ---- the kernel's cache --------------------------------------------------------------------- */

/* A call that the policy allows whatever its arguments: the first clause that may match always
 * does. */
static bool always_allowed(const struct abi_view *view, bool known, uint32_t nr)
{
    for (size_t i = 0; i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (nr < clause->first || nr > clause->last || clause->when->kind == CONDITION_FALSE)
            continue;
        return clause->when->kind == CONDITION_TRUE && clause->word == 0x7fff0000;
    }
    return (known ? view->default_word : view->unknown_word) == 0x7fff0000;
}

/* Raw rules may look at anything first: policies without them. */
static void test_allowed_calls_stay_cacheable(void **state)
{
    struct random random = random_seed(31);
    unsigned cached = 0;
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        struct policy *policy = random_policy(arena, &random);
        policy->raw_rule_count = 0;
        const struct program *program = compile_at(arena, policy, level_of(i), kernel_of(i));
        for (size_t j = 0; j < policy->view_count; j++) {
            const struct abi_view *view = &policy->views[j];
            const struct abi *abi = abi_get(view->abi);
            for (uint32_t nr = 0; nr < abi->cache_size; nr += nr < 16 ? 1 : 7) {
                struct place place = policy_place(policy, abi->token, nr);
                if (place.abi != view->abi || !always_allowed(view, place.known, nr))
                    continue;
                cached++;
                assert_true(cache_allows(program, abi->token, nr));
            }
        }
        arena_free(arena);
    }
    assert_true(cached > 1000);
}

/* ---- shapes --------------------------------------------------------------------------------- */

static const struct condition always = {.kind = CONDITION_TRUE};

static struct policy *listed(struct arena *arena, const uint32_t *numbers, size_t count)
{
    struct policy *policy = NEW(arena, struct policy);
    struct clause *clauses = NEW_ARRAY(arena, struct clause, count);
    for (size_t i = 0; i < count; i++)
        clauses[i] = (struct clause){(uint32_t)i, numbers[i], numbers[i], &always, 0x7fff0000u};
    policy->views = NEW(arena, struct abi_view);
    *policy->views = (struct abi_view){.abi = ABI_X86_64,
                                       .clauses = clauses,
                                       .clause_count = count,
                                       .default_word = 0x50001,
                                       .unknown_word = 0x50001};
    policy->view_count = 1;
    policy->name = "listed";
    policy->abis = ABI_BIT(ABI_X86_64);
    policy->foreign_word = 0x50001;
    return policy;
}

/* n numbers far apart take n tests and a few splits; no path is longer than the logarithm. */
static void test_dispatch_is_balanced(void **state)
{
    struct fixture *fixture = *state;
    uint32_t numbers[128];
    for (uint32_t i = 0; i < COUNT_OF(numbers); i++)
        numbers[i] = 2 * i;
    const struct program *program =
        compile(fixture->arena, listed(fixture->arena, numbers, COUNT_OF(numbers)));
    assert_true(program->length <= 128 + 128 / 3 + 8);
    for (uint32_t nr = 0; nr < 300; nr++) {
        struct input input = {.arch = abi_get(ABI_X86_64)->token, .nr = nr};
        struct run run = interpret(program, &input, NULL, 0);
        assert_int_equal(run.word, nr % 2 == 0 && nr < 256 ? 0x7fff0000 : 0x50001);
        assert_true(run.executed <= 4 + 6 + 4);
    }
}

static void test_too_large_for_a_program(void **state)
{
    struct fixture *fixture = *state;
    static uint32_t numbers[5000];
    for (uint32_t i = 0; i < COUNT_OF(numbers); i++)
        numbers[i] = 3 * i;
    const struct policy *policy = listed(fixture->arena, numbers, COUNT_OF(numbers));
    struct shape_options options = {.level = OPTIMIZE_0};
    struct program program;
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    struct diagnostics *diagnostics = &fixture->diagnostics;
    assert_true(worked(lower_policy(fixture->arena, policy, diagnostics, &dag, &root)));
    assert_true(worked(select_shape(fixture->arena, dag, root, &options, diagnostics, &entry)));
    result r = emit_program(fixture->arena, entry, false, "large", diagnostics, &program);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_non_null(strstr(diagnostics->first->message, "instructions; the kernel takes 4096"));
}

/* Far too large: given up before emission, without a block for each of the tests. */
static void test_far_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 100000);
    uint32_t count = 400000;
    struct dag_edge *edges = NEW_ARRAY(fixture->arena, struct dag_edge, count);
    for (uint32_t i = 0; i < count; i++)
        edges[i] = (struct dag_edge){5 * i, dag_verdict(dag, i % 3)};
    const struct dag_node *root = dag_switch(dag, FIELD_NR, 0xffffffff, edges, count);
    struct shape_options options = {.level = OPTIMIZE_0};
    struct block *entry;
    result r = select_shape(fixture->arena, dag, root, &options, &fixture->diagnostics, &entry);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_string_equal(fixture->diagnostics.first->message,
                        "compiled, it has more than 65536 instructions; the kernel takes 4096");
}

/* The largest that fits: jumps of every length. */
static void test_nearly_full_program(void **state)
{
    struct fixture *fixture = *state;
    static uint32_t numbers[2900];
    for (uint32_t i = 0; i < COUNT_OF(numbers); i++)
        numbers[i] = 3 * i;
    const struct policy *policy = listed(fixture->arena, numbers, COUNT_OF(numbers));
    const struct program *program = compile(fixture->arena, policy);
    assert_true(program->length > 3500);
    for (uint32_t nr = 0; nr < 3 * COUNT_OF(numbers) + 3; nr++) {
        struct input input = {.arch = abi_get(ABI_X86_64)->token, .nr = nr};
        expect_same(policy, program, &input);
    }
}

/* Bits of a mask against 0: one JSET, and A keeps the word for the next test. */
static void test_bit_tests(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 100);
    const struct dag_node *allow = dag_verdict(dag, 0x7fff0000), *deny = dag_verdict(dag, 0x50001);
    const struct dag_edge bits[] = {{0, allow}, {0xffffffff, deny}};
    const struct dag_node *inner = dag_switch(dag, FIELD_ARG2_LO, 0x6, bits, 2);
    const struct dag_edge values[] = {{9, inner}, {0xffffffff, deny}};
    const struct dag_node *root = dag_switch(dag, FIELD_ARG2_LO, 0xffffffff, values, 2);
    struct shape_options options = {.level = OPTIMIZE_0};
    struct block *entry;
    struct program program;
    assert_true(
        worked(select_shape(fixture->arena, dag, root, &options, &fixture->diagnostics, &entry)));
    struct buffer out = buffer_new(fixture->arena);
    blocks_print(&out, fixture->arena, entry);
    assert_string_equal(buffer_string(&out),
                        "b1: lo32(arg2) >= 0xa ? errno(EPERM) : b2\n"
                        "b2: lo32(arg2) has any of 0x6 ? errno(EPERM) : allow\n");
    assert_true(
        worked(emit_program(fixture->arena, entry, true, "bits", &fixture->diagnostics, &program)));
    assert_int_equal(program.length, 5);
    assert_int_equal(program.code[0].k, field_offset(FIELD_ARG2_LO, true));
}

/* ---- weights of blocks ------------------------------------------------------------------------
 */

/* Whatever comes into a block came over its edges, and all that begins ends in returns. */
static void expect_flow(struct arena *arena, const struct block *entry)
{
    size_t count;
    const struct block **order = layout_blocks(arena, entry, &count);
    double *comes = NEW_ARRAY(arena, double, (size_t)entry->id + 1);
    double returned = 0;
    comes[entry->id] = entry->weight;
    for (size_t i = 0; i < count; i++) {
        const struct block *block = order[i];
        assert_true(fabs(comes[block->id] - block->weight) < 1e-9);
        assert_true(block->weight_yes > -1e-9 && block->weight_yes < block->weight + 1e-9);
        if (!block_leads_on(block)) {
            returned += block->weight;
            continue;
        }
        comes[block->yes->id] += block->weight_yes;
        comes[block->no->id] += block->weight - block->weight_yes;
    }
    assert_true(fabs(returned - 1) < 1e-9);
}

static struct block *shape_of(struct arena *arena, const struct policy *policy,
                              const struct shape_options *options)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    assert_true(worked(lower_policy(arena, policy, &diagnostics, &dag, &root)));
    assert_true(worked(select_shape(arena, dag, root, options, &diagnostics, &entry)));
    return entry;
}

static void test_weights_flow(void **state)
{
    (void)state;
    struct random random = random_seed(31);
    for (int i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        struct shape_options options = {.level = (enum optimization)(i % 3),
                                        .kernel_major = i % 2 ? 5 : 0};
        expect_flow(arena, shape_of(arena, random_policy(arena, &random), &options));
        arena_free(arena);
    }
}

/* The same policy gives the same program, wherever it lies in memory. */
static void test_same_policy_same_program(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        const struct program *programs[2];
        struct arena *arenas[2];
        for (int i = 0; i < 2; i++) {
            struct random random = random_seed(seed);
            arenas[i] = arena_new();
            arena_alloc(arenas[i], (size_t)i * 77777);
            programs[i] = compile(arenas[i], random_policy(arenas[i], &random));
        }
        assert_int_equal(programs[0]->length, programs[1]->length);
        assert_memory_equal(programs[0]->code, programs[1]->code,
                            programs[0]->length * sizeof *programs[0]->code);
        arena_free(arenas[0]);
        arena_free(arenas[1]);
    }
}

/* A table of `runs` runs below x32's numbers and `above` of them, that is like no other. */
static const struct dag_node *number_table(struct dag *dag, uint32_t runs, uint32_t above,
                                           uint32_t word)
{
    struct dag_edge edges[64];
    uint32_t count = 0;
    for (uint32_t i = 0; i < runs; i++)
        edges[count++] = (struct dag_edge){10 * i + 5, dag_verdict(dag, i % 2 ? 0x7fff0000 : word)};
    edges[count++] = (struct dag_edge){X32_BIT - 1, dag_verdict(dag, word)};
    for (uint32_t i = 1; i < above; i++)
        edges[count++] =
            (struct dag_edge){X32_BIT + 10 * i, dag_verdict(dag, i % 2 ? 0x7fff0000 : word)};
    edges[count++] = (struct dag_edge){0xffffffff, dag_verdict(dag, word)};
    return dag_switch(dag, FIELD_NR, 0xffffffff, edges, count);
}

/* One table, two, and one of them for x32 as well. */
static void test_lambda_is_for_each_table(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 1000);
    const struct dag_node *one = number_table(dag, 9, 0, 0x50001);
    const struct dag_node *another = number_table(dag, 11, 0, 0x50002);
    const struct dag_node *doubled = number_table(dag, 13, 9, 0x50003);
    struct dag_edge two_edges[] = {{0x40000003, another}, {0xffffffff, one}};
    struct dag_edge three_edges[] = {{0x40000003, another}, {0xffffffff, doubled}};
    const struct dag_node *two = dag_switch(dag, FIELD_ARCH, 0xffffffff, two_edges, 2);
    const struct dag_node *three = dag_switch(dag, FIELD_ARCH, 0xffffffff, three_edges, 2);
    struct shape_options every = {.level = OPTIMIZE_2, .kernel_major = 5, .kernel_minor = 4};
    struct shape_options newest = {.level = OPTIMIZE_2};
    struct shape_options size = {.level = OPTIMIZE_SIZE, .kernel_major = 5, .kernel_minor = 4};
    struct shape_options given = {
        .level = OPTIMIZE_2, .kernel_major = 5, .kernel_minor = 4, .lambda = 7};
    double lambda = effort_of(OPTIMIZE_2).lambda;
    assert_true(effort_for(&every, one).lambda == lambda);
    assert_true(effort_for(&every, one).speed_first == 0);
    assert_true(effort_for(&every, two).lambda == 2 * lambda);
    assert_true(effort_for(&every, two).speed_first > 1);
    assert_true(effort_for(&every, three).lambda == 3 * lambda);
    assert_true(effort_for(&newest, three).lambda == lambda);
    assert_true(effort_for(&newest, three).speed_first == 0);
    assert_true(effort_for(&size, three).lambda == effort_of(OPTIMIZE_SIZE).lambda);
    assert_true(effort_for(&given, three).lambda == 7);
}

static uint32_t length_of(struct fixture *fixture, const struct dag *dag,
                          const struct dag_node *root)
{
    struct shape_options options = {.level = OPTIMIZE_2};
    struct diagnostics *diagnostics = &fixture->diagnostics;
    struct program program;
    struct block *entry;
    assert_true(worked(select_shape(fixture->arena, dag, root, &options, diagnostics, &entry)));
    assert_true(worked(emit_program(fixture->arena, entry, false, "shape", diagnostics, &program)));
    return program.length;
}

/* Sixteen numbers of which two bits decide, one after the other: ld nr, where they begin and end,
 * two mask tests, three returns. */
static void test_bits_decide_a_window(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 1000);
    const struct dag_node *allow = dag_verdict(dag, 0x7fff0000), *deny = dag_verdict(dag, 0x50001);
    const struct dag_node *other = dag_verdict(dag, 0x50002);
    struct dag_edge edges[18];
    uint32_t count = 0;
    edges[count++] = (struct dag_edge){63, deny};
    for (uint32_t nr = 64; nr < 80; nr++)
        edges[count++] = (struct dag_edge){nr, nr & 4 ? deny : nr & 1 ? other : allow};
    edges[count++] = (struct dag_edge){0xffffffff, deny};
    assert_int_equal(length_of(fixture, dag, dag_switch(dag, FIELD_NR, 0xffffffff, edges, count)),
                     8);
}

/* The second table is the first one below a number, and denies above it: that is one test more, and
 * what tells the tables apart. */
static void test_what_stands_serves_again(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 1000);
    const struct dag_node *allow = dag_verdict(dag, 0x7fff0000), *deny = dag_verdict(dag, 0x50001);
    struct dag_edge edges[2][40], tables[2];
    uint32_t counts[2] = {0, 0};
    for (uint32_t i = 0, end = 0; i < 30; i++) {
        end += 7 + i * i % 11;
        edges[0][counts[0]++] = (struct dag_edge){end, i % 2 ? allow : deny};
        if (i < 24)
            edges[1][counts[1]++] = (struct dag_edge){end, i % 2 ? allow : deny};
    }
    for (unsigned table = 0; table < 2; table++) {
        edges[table][counts[table]++] = (struct dag_edge){0xffffffff, deny};
        tables[table] =
            (struct dag_edge){table ? 0xffffffff : 0x40000003,
                              dag_switch(dag, FIELD_NR, 0xffffffff, edges[table], counts[table])};
    }
    uint32_t one = length_of(fixture, dag, tables[0].child);
    uint32_t both = length_of(fixture, dag, dag_switch(dag, FIELD_ARCH, 0xffffffff, tables, 2));
    assert_true(both <= one + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_policies),
        TEST(test_allowed_calls_stay_cacheable),
        TEST(test_dispatch_is_balanced),
        TEST(test_too_large_for_a_program),
        TEST(test_far_too_large),
        TEST(test_nearly_full_program),
        TEST(test_bit_tests),
        TEST(test_weights_flow),
        TEST(test_same_policy_same_program),
        TEST(test_lambda_is_for_each_table),
        TEST(test_bits_decide_a_window),
        TEST(test_what_stands_serves_again),
    };
    return RUN_TESTS(tests);
}
