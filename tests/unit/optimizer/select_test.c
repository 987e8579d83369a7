/* The whole way from a policy to its program, against the meaning of the policy. */
#include "tests/unit/support.h"

#include "optimizer/optimizer.h"
#include "sim/sim.h"
#include "tests/unit/compiler/policies.h"

#define POLICIES 1500
#define INPUTS 150

static const struct program *compile(struct arena *arena, const struct policy *policy)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options options = {OPTIMIZE_0};
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
    for (int i = 0; i < POLICIES; i++) {
        struct arena *arena = arena_new();
        const struct policy *policy = random_policy(arena, &random);
        const struct program *program = compile(arena, policy);
        for (int j = 0; j < INPUTS; j++) {
            struct input input = random_input(&random, policy);
            expect_same(policy, program, &input);
        }
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_policies)};
    return RUN_TESTS(tests);
}
