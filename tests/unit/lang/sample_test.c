/* The language's own sample, rule by rule. */
#include "tests/unit/lang/policies.h"

#define FOLDER "tests/data/lang/"

static struct policy *sample(struct fixture *fixture)
{
    const struct source *source;
    struct policy *policy;
    assert_true(worked(
        file_read(fixture->arena, FOLDER "webserver.policy", &fixture->diagnostics, &source)));
    bool fine = worked(policy_read(fixture->arena, source, 0, &fixture->diagnostics, &policy));
    if (!fine)
        diagnostics_print(&fixture->diagnostics, stderr);
    assert_true(fine);
    return policy;
}

static void test_header(void **state)
{
    const struct policy *policy = sample(*state);
    assert_string_equal(policy->name, "webserver");
    assert_int_equal(policy->abis, ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_AARCH64));
    assert_int_equal(policy->foreign_word, WORD_KILL);
    assert_int_equal(policy->view_count, 2);
    for (size_t i = 0; i < policy->view_count; i++) {
        assert_int_equal(policy->views[i].default_word, WORD_KILL);
        assert_int_equal(policy->views[i].unknown_word, WORD_ERRNO(38));
    }
    assert_int_equal(policy->goal_count, 2);
}

static void test_plain_calls(void **state)
{
    const struct policy *policy = sample(*state);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "read", 0), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_AARCH64, "epoll_pwait", 0), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "ptrace", 0), WORD_ERRNO(1));
    assert_int_equal(VERDICT(policy, ABI_X86_64, "execve", 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X32, "read", 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_I386, "read", 0), WORD_KILL);
}

static void test_openat_ignores_the_upper_half(void **state)
{
    const struct policy *policy = sample(*state);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "openat", (uint64_t)-100, 1, 0), WORD_ALLOW);
    assert_int_equal(
        VERDICT(policy, ABI_X86_64, "openat", 0x12345678ffffff9c, 1, 0xffffffff00000000),
        WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "openat", 3, 1, 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "openat", (uint64_t)-100, 1, 1), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_AARCH64, "openat", (uint64_t)-100, 1, 0x80000),
                     WORD_ALLOW);
}

static void test_on_and_lists(void **state)
{
    const struct policy *policy = sample(*state);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "mmap", 0, 0, 3), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "mmap", 0, 0, 4), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_AARCH64, "mmap", 0, 0, 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "arch_prctl", 0x1002), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "ioctl", 0, 0x5401), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "ioctl", 0, 0x5413), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "ioctl", 0, 0x5412), WORD_KILL);
}

static void test_and_binds_tighter(void **state)
{
    const struct policy *policy = sample(*state);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "fcntl", 0, 3, 0xffff), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "fcntl", 0, 4, 0xc00), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "fcntl", 0, 4, 0xc01), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "fcntl", 0, 4, 0x100000000), WORD_KILL);
}

static void test_first_rule_decides(void **state)
{
    const struct policy *policy = sample(*state);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "socket", 1), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "socket", 2), WORD_ERRNO(1));
}

static void test_unknown_and_foreign_numbers(void **state)
{
    const struct policy *policy = sample(*state);
    struct input input = {.nr = 5000, .arch = abi_get(ABI_X86_64)->token};
    assert_int_equal(policy_eval(policy, &input).word, WORD_ERRNO(38));
    assert_int_equal(policy_eval(policy, &input).rule, DECIDED_BY_UNKNOWN);
    input.nr = NR_SKIP;
    assert_int_equal(policy_eval(policy, &input).word, WORD_ERRNO(38));
    input.nr = X32_BIT;
    assert_int_equal(policy_eval(policy, &input).rule, DECIDED_BY_FOREIGN);
    input = (struct input){.nr = 0, .arch = 0x1234};
    assert_int_equal(policy_eval(policy, &input).rule, DECIDED_BY_FOREIGN);
    input = (struct input){.nr = 59, .arch = abi_get(ABI_X86_64)->token};
    assert_int_equal(policy_eval(policy, &input).rule, DECIDED_BY_DEFAULT);
}

static void test_goals(void **state)
{
    const struct policy *policy = sample(*state);
    const struct goal *goal = &policy->goals[0];
    assert_int_equal(goal->kind, GOAL_NEVER);
    abi_set seen = 0;
    for (size_t i = 0; i < goal->pattern_count; i++) {
        seen |= ABI_BIT(goal->patterns[i].abi);
        assert_true(goal->patterns[i].action.permit);
    }
    assert_true(seen & ABI_BIT(ABI_I386)); /* declared or not */
    assert_true(seen & ABI_BIT(ABI_X32));
    assert_false(seen & ABI_BIT(ABI_S390X)); /* the other endianness */
    assert_false(policy->goals[1].patterns[0].action.permit);
    assert_int_equal(policy->goals[1].patterns[0].action.action, ACTION_ALLOW);
}

static void test_narrowed(void **state)
{
    struct fixture *fixture = *state;
    const struct source *source;
    struct policy *policy;
    assert_true(worked(
        file_read(fixture->arena, FOLDER "webserver.policy", &fixture->diagnostics, &source)));
    assert_true(worked(
        policy_read(fixture->arena, source, ABI_BIT(ABI_AARCH64), &fixture->diagnostics, &policy)));
    assert_int_equal(policy->abis, ABI_BIT(ABI_AARCH64));
    assert_int_equal(VERDICT(policy, ABI_X86_64, "read", 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_AARCH64, "read", 0), WORD_ALLOW);
    fixture->diagnostics = diagnostics_new(fixture->arena);
    assert_true(failed(
        policy_read(fixture->arena, source, ABI_BIT(ABI_ARM), &fixture->diagnostics, &policy)));
}

static void test_assertions(void **state)
{
    struct fixture *fixture = *state;
    const char *text =
        "const TTY = { TCGETS }\ngroup g = { execve, execveat }\nprove never permit @g\n"
        "on x86_64 { prove always errno(ENOSYS) clone3 }\nprove at_most \"other.bpf+/b.bpf\"\n";
    const struct goal *goals;
    size_t count;
    assert_true(
        worked(assertions_read(fixture->arena, text_source(fixture, text), ABI_BIT(ABI_X86_64),
                               false, &fixture->diagnostics, &goals, &count)));
    assert_int_equal(count, 3);
    assert_int_equal(goals[1].kind, GOAL_ALWAYS);
    assert_int_equal(goals[1].pattern_count, 1);
    assert_true(goals[1].patterns[0].action.has_data);
    assert_int_equal(goals[1].patterns[0].action.data, 38);
    assert_string_equal(goals[2].filter_path, "tests/data/other.bpf+/b.bpf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_header),
        TEST(test_plain_calls),
        TEST(test_openat_ignores_the_upper_half),
        TEST(test_on_and_lists),
        TEST(test_and_binds_tighter),
        TEST(test_first_rule_decides),
        TEST(test_unknown_and_foreign_numbers),
        TEST(test_goals),
        TEST(test_narrowed),
        TEST(test_assertions),
    };
    return RUN_TESTS(tests);
}
