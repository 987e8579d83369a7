/* Policies compiled, then lifted and emitted again: the same meaning, and nothing grows. */
#include "tests/unit/support.h"

#include "api/bpfproof.h"
#include "tests/unit/compiler/policies.h"

/* The program of a policy, without the proofs. */
static bool compile(struct arena *arena, const struct policy *policy, struct program *program)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options shape = {.level = OPTIMIZE_2};
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    return worked(lower_policy(arena, policy, &diagnostics, &dag, &root)) &&
           worked(select_shape(arena, dag, root, &shape, &diagnostics, &entry)) &&
           worked(
               emit_program(arena, entry, policy->big_endian, policy->name, &diagnostics, program));
}

static void test_random_policies(void **state)
{
    struct random random = random_seed(31);
    unsigned proved = 0;
    (void)state;
    for (int i = 0; i < 120; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct policy *policy = random_policy(arena, &random);
        struct program program;
        struct generated made;
        struct compile_options options = {.level = OPTIMIZE_2};
        assert_true(compile(arena, policy, &program));
        assert_true(worked(relift_program(arena, &program, policy->abis, &options, &diagnostics,
                                          &made)));
        struct program again = made.program;
        for (int j = 0; j < 60; j++) {
            struct input input = random_input(&random, policy);
            assert_int_equal(interpret(&again, &input, NULL, 0).word,
                             policy_eval(policy, &input).word);
        }
        struct side compiled = {.name = "program", .programs = &program, .program_count = 1};
        struct side lifted = {.name = "again", .programs = &again, .program_count = 1};
        struct proof_options limited = {.limits = {.rlimit = 200000}};
        struct proof proof = prove_equal(arena, &compiled, &lifted, &limited);
        assert_int_not_equal(proof.verdict, REFUTED);
        proved += proof.verdict == PROVED;
        assert_int_equal(cached_lost(&program, &again), 0);
        arena_free(arena);
    }
    assert_true(proved >= 115);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_policies)};
    return RUN_TESTS(tests);
}
