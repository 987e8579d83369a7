/* Lowering: conditions and policies against their meaning, sizes, and the diagnostics of what is
 * too large. */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "tests/unit/compiler/policies.h"

#define ALLOW 0x7fff0000u
#define DENY 0x00050001u

/* ---- building policies by hand -------------------------------------------------------------- */

static const struct condition always = {.kind = CONDITION_TRUE};

static struct policy *plain_policy(struct arena *arena, abi_set abis)
{
    struct policy *policy = NEW(arena, struct policy);
    policy->name = "plain";
    policy->abis = abis;
    policy->foreign_word = 0x80000000u;
    policy->views = NEW_ARRAY(arena, struct abi_view, ABI_COUNT);
    for (unsigned abi = 0; abi < ABI_COUNT; abi++) {
        if (abis & ABI_BIT(abi))
            policy->views[policy->view_count++] = (struct abi_view){
                .abi = (enum abi_id)abi, .default_word = DENY, .unknown_word = DENY};
    }
    return policy;
}

static struct condition *member(struct arena *arena, struct operand operand, uint64_t first,
                                uint64_t last)
{
    struct condition *condition = NEW(arena, struct condition);
    struct interval *interval = NEW(arena, struct interval);
    *interval = (struct interval){first, last};
    *condition = (struct condition){
        .kind = CONDITION_MEMBER, .operand = operand, .intervals = interval, .interval_count = 1};
    return condition;
}

static void set_clauses(struct policy *policy, const struct clause *clauses, size_t count)
{
    for (size_t i = 0; i < policy->view_count; i++) {
        policy->views[i].clauses = clauses;
        policy->views[i].clause_count = count;
    }
}

static const struct dag_node *lower_or_fail(struct arena *arena, const struct policy *policy,
                                            struct dag **dag)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct dag_node *root;
    assert_true(worked(lower_policy(arena, policy, &diagnostics, dag, &root)));
    const char *broken = dag_check(*dag, root);
    if (broken)
        fail_msg("%s", broken);
    return root;
}

static void expect_limit(struct fixture *fixture, const struct policy *policy, const char *text)
{
    struct dag *dag;
    const struct dag_node *root;
    result r = lower_policy(fixture->arena, policy, &fixture->diagnostics, &dag, &root);
    assert_int_equal(r.error, ERROR_LIMIT);
    assert_non_null(strstr(fixture->diagnostics.last->message, text));
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_random_policies(void **state)
{
    struct random random = random_seed(99);
    (void)state;
    for (int i = 0; i < 800; i++) {
        struct arena *arena = arena_new();
        const struct policy *policy = random_policy(arena, &random);
        struct dag *dag;
        const struct dag_node *root = lower_or_fail(arena, policy, &dag);
        for (int j = 0; j < 150; j++) {
            struct input input = random_input(&random, policy);
            assert_int_equal(dag_evaluate(root, &input), policy_eval(policy, &input).word);
        }
        arena_free(arena);
    }
}

/* One condition at a time, on inputs at and beside each bound of its intervals. */
static void test_bounds_of_members(void **state)
{
    struct random random = random_seed(100);
    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct arena *arena = arena_new();
        struct condition condition = {.kind = CONDITION_MEMBER};
        random_member(arena, &random, true, &condition);
        struct raw_rule rule = {
            .when = &condition,
            .value = &(const struct word){.operator= WORD_CONSTANT, .constant = ALLOW}};
        struct policy *policy = plain_policy(arena, ABI_BIT(ABI_X86_64));
        policy->raw_rules = &rule;
        policy->raw_rule_count = 1;
        struct dag *dag;
        const struct dag_node *root = lower_or_fail(arena, policy, &dag);
        for (size_t j = 0; j < 2 * condition.interval_count; j++) {
            const struct interval *interval = &condition.intervals[j / 2];
            for (uint64_t delta = 0; delta < 3; delta++) {
                uint64_t value = (j % 2 ? interval->last : interval->first) + delta - 1;
                /* What the mask or the width leaves out is anything. */
                uint64_t garbage = random_u64(&random) & ~condition.operand.mask;
                value = (value ^ garbage) << condition.operand.shift;
                struct input input = {.nr = (uint32_t)value, .arch = (uint32_t)value, .ip = value};
                input.args[0] = input.args[1] = input.args[2] = value;
                assert_int_equal(dag_evaluate(root, &input), policy_eval(policy, &input).word);
            }
        }
        arena_free(arena);
    }
}

/* Plain rules cost nothing: three hundred of them are one switch on nr. */
static void test_plain_rules_are_one_switch(void **state)
{
    struct fixture *fixture = *state;
    struct clause clauses[300];
    for (uint32_t i = 0; i < COUNT_OF(clauses); i++)
        clauses[i] = (struct clause){i, i, i, &always, ALLOW};
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
    set_clauses(policy, clauses, COUNT_OF(clauses));
    struct dag *dag;
    const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
    assert_int_equal(dag_reachable(fixture->arena, root), 5); /* arch, nr, three verdicts */
    assert_true(dag_size(dag) < 10);
}

/* A rule that stands behind one that always matches is not there. */
static void test_first_match_decides(void **state)
{
    struct fixture *fixture = *state;
    struct operand fd = {SUBJECT_ARG0, 0, 32, 0xffffffff};
    const struct clause clauses[] = {
        {0, 3, 3, member(fixture->arena, fd, 5, 5), DENY},
        {1, 0, 9, &always, ALLOW},
        {2, 3, 3, member(fixture->arena, fd, 6, 6), 0x00050002},
    };
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_AARCH64));
    set_clauses(policy, clauses, COUNT_OF(clauses));
    struct dag *dag;
    const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
    struct input input = {.arch = abi_get(ABI_AARCH64)->token, .nr = 3};
    for (uint64_t value = 4; value < 8; value++) {
        input.args[0] = value;
        assert_int_equal(dag_evaluate(root, &input), value == 5 ? DENY : ALLOW);
    }
}

/* The raw layer applies on every token, declared or not, and in its place. */
static void test_raw_rules_apply_everywhere(void **state)
{
    struct fixture *fixture = *state;
    struct operand nr = {SUBJECT_NR, 0, 32, 0xffffffff};
    struct operand arch = {SUBJECT_ARCH, 0, 32, 0x0000ffff};
    const struct word allow = {.operator= WORD_CONSTANT, .constant = ALLOW};
    const struct raw_rule rules[] = {
        {0, member(fixture->arena, nr, 7, 7), &allow},
        {2, member(fixture->arena, arch, 0x1234, 0x1234), &allow},
    };
    const struct clause clauses[] = {{1, 5, 7, &always, DENY}};
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
    set_clauses(policy, clauses, COUNT_OF(clauses));
    policy->raw_rules = rules;
    policy->raw_rule_count = COUNT_OF(rules);
    struct dag *dag;
    const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
    uint32_t token = abi_get(ABI_X86_64)->token;
    const struct {
        uint32_t arch, nr, word;
    } rows[] = {
        {token, 7, ALLOW},   {1, 7, ALLOW},          {token, 6, DENY},
        {1, 6, 0x80000000u}, {0x77771234, 6, ALLOW}, {0x1234, 6, ALLOW},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct input input = {.arch = rows[i].arch, .nr = rows[i].nr};
        assert_int_equal(dag_evaluate(root, &input), rows[i].word);
    }
}

/* Thousands of || and ! are no deeper for us than one. */
static void test_long_chain_of_conditions(void **state)
{
    struct fixture *fixture = *state;
    struct operand fd = {SUBJECT_ARG0, 0, 64, UINT64_MAX};
    const struct condition *chain = member(fixture->arena, fd, 1, 1);
    for (uint64_t i = 1; i < 2000; i++) {
        struct condition *either = NEW(fixture->arena, struct condition);
        *either = (struct condition){
            .kind = CONDITION_OR, .left = chain, .right = member(fixture->arena, fd, 3 * i, 3 * i)};
        chain = either;
    }
    for (int i = 0; i < 50000; i++) {
        struct condition *negated = NEW(fixture->arena, struct condition);
        *negated = (struct condition){.kind = CONDITION_NOT, .left = chain};
        chain = negated;
    }
    const struct clause clause = {0, 1, 1, chain, ALLOW};
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
    set_clauses(policy, &clause, 1);
    struct dag *dag;
    const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
    struct input input = {.arch = abi_get(ABI_X86_64)->token, .nr = 1, .args = {3000}};
    assert_int_equal(dag_evaluate(root, &input), ALLOW);
    input.args[0]++;
    assert_int_equal(dag_evaluate(root, &input), DENY);
}

/* Bit `bit` is set in this argument and in the next. */
static const struct condition *in_both(struct arena *arena, unsigned argument, unsigned bit)
{
    struct operand first = {SUBJECT_ARG0 + argument, 0, 32, 1u << bit};
    struct operand second = {SUBJECT_ARG0 + argument + 1, 0, 32, 1u << bit};
    struct condition *both = NEW(arena, struct condition);
    *both = (struct condition){.kind = CONDITION_AND,
                               .left = member(arena, first, 1u << bit, 1u << bit),
                               .right = member(arena, second, 1u << bit, 1u << bit)};
    return both;
}

static const struct condition *common_bit(struct arena *arena, unsigned argument, unsigned bits)
{
    const struct condition *any = in_both(arena, argument, 0);
    for (unsigned i = 1; i < bits; i++) {
        struct condition *either = NEW(arena, struct condition);
        *either = (struct condition){
            .kind = CONDITION_OR, .left = any, .right = in_both(arena, argument, i)};
        any = either;
    }
    return any;
}

/* Conditions whose diagram doubles with each of them: in one order of the words 2^n nodes. In the
 * order written, two tests each. */
static void test_common_bits_are_tested_in_turn(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned bits = 1; bits <= 32; bits++) {
        const struct clause clauses[] = {
            {0, 1, 1, common_bit(fixture->arena, 0, bits), ALLOW},
            {1, 1, 1, common_bit(fixture->arena, 2, bits), DENY + 7},
        };
        struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
        set_clauses(policy, clauses, COUNT_OF(clauses));
        struct dag *dag;
        const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
        assert_true(dag_reachable(fixture->arena, root) <= 4 * bits + 8);
        struct input input = {.arch = abi_get(ABI_X86_64)->token, .nr = 1};
        for (unsigned i = 0; i < 32; i++) {
            for (unsigned j = 0; j < 32; j++) {
                input.args[0] = input.args[2] = 1u << i;
                input.args[1] = 1u << j;
                input.args[3] = ~0u ^ 1u << j;
                assert_int_equal(dag_evaluate(root, &input), policy_eval(policy, &input).word);
            }
        }
    }
}

/* What the number alone allows is allowed before an argument is looked at, whatever the masks. */
static void test_numbers_come_first(void **state)
{
    struct fixture *fixture = *state;
    struct operand odd = {SUBJECT_NR, 0, 32, 1}, eights = {SUBJECT_NR, 0, 32, 8};
    const struct word allow = {.operator= WORD_CONSTANT, .constant = ALLOW};
    const struct word deny = {.operator= WORD_CONSTANT, .constant = DENY + 1};
    struct condition both = {.kind = CONDITION_AND,
                             .left = common_bit(fixture->arena, 2, 20),
                             .right = member(fixture->arena, eights, 8, 8)};
    const struct raw_rule rules[] = {
        {0, &both, &deny},
        {1, common_bit(fixture->arena, 0, 20), &deny},
        {2, member(fixture->arena, odd, 1, 1), &allow},
    };
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
    policy->raw_rules = rules;
    policy->raw_rule_count = COUNT_OF(rules);
    struct dag *dag;
    const struct dag_node *root = lower_or_fail(fixture->arena, policy, &dag);
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(fixture->arena, root, &count);
    assert_true(count < 500);
    for (size_t i = 0; i < count; i++)
        assert_false(nodes[i]->free && nodes[i]->kind == DAG_SWITCH && nodes[i]->field == FIELD_NR);
}

static void test_too_many_masks(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count = DAG_VARIABLES_MOST + 5;
    struct clause *clauses = NEW_ARRAY(fixture->arena, struct clause, count);
    for (uint32_t i = 0; i < count; i++) {
        struct operand operand = {SUBJECT_ARG0, 0, 32, i + 1};
        clauses[i] =
            (struct clause){i, 1, 1, member(fixture->arena, operand, i + 1, i + 1), ALLOW + i};
    }
    struct policy *policy = plain_policy(fixture->arena, ABI_BIT(ABI_X86_64));
    set_clauses(policy, clauses, count);
    expect_limit(fixture, policy, "different masks and computed comparisons");
}

static void test_same_policy_same_text(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct buffer texts[2];
        struct arena *arenas[2];
        for (int i = 0; i < 2; i++) {
            struct random random = random_seed(seed);
            arenas[i] = arena_new();
            /* Other addresses the second time. */
            arena_alloc(arenas[i], (size_t)i * 100000);
            struct dag *dag;
            const struct dag_node *root =
                lower_or_fail(arenas[i], random_policy(arenas[i], &random), &dag);
            texts[i] = buffer_new(arenas[i]);
            dag_print(&texts[i], arenas[i], root);
        }
        assert_string_equal(buffer_string(&texts[0]), buffer_string(&texts[1]));
        arena_free(arenas[0]);
        arena_free(arenas[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_policies),
        TEST(test_bounds_of_members),
        TEST(test_plain_rules_are_one_switch),
        TEST(test_first_match_decides),
        TEST(test_raw_rules_apply_everywhere),
        TEST(test_long_chain_of_conditions),
        TEST(test_common_bits_are_tested_in_turn),
        TEST(test_numbers_come_first),
        TEST(test_too_many_masks),
        TEST(test_same_policy_same_text),
    };
    return RUN_TESTS(tests);
}
