/* Which ABI an input falls to, and that runs say the same as policy_place. */
#include "tests/unit/lang/policies.h"

static const struct row {
    const char *abis;
    uint32_t nr;
    enum abi_id abi;
    bool known;
} rows[] = {
    {"x86_64", 0, ABI_X86_64, true},
    {"x86_64", 5000, ABI_X86_64, false},
    {"x86_64", 0x3fffffff, ABI_X86_64, false},
    {"x86_64", 0x40000000, ABI_NONE, false},
    {"x86_64", 0x7fffffff, ABI_NONE, false},
    {"x86_64", 0x80000000, ABI_NONE, false},
    {"x86_64", 0xfffffffe, ABI_NONE, false},
    {"x86_64", 0xffffffff, ABI_X86_64, false},
    {"x86_64, x32", 0, ABI_X86_64, true},
    {"x86_64, x32", 0x40000000, ABI_X32, true},
    {"x86_64, x32", 0x400003e7, ABI_X32, false},
    {"x86_64, x32", 0x7fffffff, ABI_X32, false},
    {"x86_64, x32", 0x80000000, ABI_X86_64, false},
    {"x86_64, x32", 0xffffffff, ABI_X86_64, false},
    {"x32", 0, ABI_NONE, false},
    {"x32", 0x3fffffff, ABI_NONE, false},
    {"x32", 0x40000000, ABI_X32, true},
    {"x32", 0x80000000, ABI_X32, false},
    {"x32", 0xffffffff, ABI_X32, false},
    {"aarch64", 0, ABI_NONE, false},
};

static const struct policy *policy_for(struct fixture *fixture, const char *abis)
{
    return read_text(fixture, arena_printf(fixture->arena, "abi %s\ndefault kill_process\n", abis));
}

static void test_places_under_the_shared_token(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct place place =
            policy_place(policy_for(*state, rows[i].abis), abi_get(ABI_X86_64)->token, rows[i].nr);
        if (place.abi != rows[i].abi || place.known != rows[i].known)
            fail_msg("%s: %#x is %d %d", rows[i].abis, rows[i].nr, (int)place.abi, place.known);
    }
}

static void check_runs(struct fixture *fixture, const struct policy *policy, uint32_t arch)
{
    struct nr_run *runs;
    size_t count;
    policy_runs(fixture->arena, policy, arch, &runs, &count);
    assert_true(count > 0);
    assert_int_equal(runs[0].first, 0);
    assert_int_equal(runs[count - 1].last, UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        const uint32_t probes[] = {runs[i].first, runs[i].last,
                                   runs[i].first + (runs[i].last - runs[i].first) / 2};
        assert_true(runs[i].first <= runs[i].last);
        if (i)
            assert_int_equal(runs[i].first, runs[i - 1].last + 1);
        for (size_t k = 0; k < COUNT_OF(probes); k++) {
            struct place place = policy_place(policy, arch, probes[k]);
            assert_int_equal(place.abi, runs[i].place.abi);
            assert_int_equal(place.known, runs[i].place.known);
        }
    }
}

/* Every number of every table lies in a run that knows it: no run hides one. */
static void check_tables(struct fixture *fixture, const struct policy *policy, enum abi_id abi)
{
    struct nr_run *runs;
    size_t count, entries, run = 0;
    policy_runs(fixture->arena, policy, abi_get(abi)->token, &runs, &count);
    const struct syscall_entry *table = abi_syscalls(abi, &entries);
    for (size_t i = 0; i < entries; i++) {
        while (runs[run].last < table[i].nr)
            run++;
        assert_int_equal(runs[run].place.abi, abi);
        assert_true(runs[run].place.known);
    }
}

static void test_runs(void **state)
{
    static const char *const sets[] = {"x86_64", "x32", "x86_64, x32",
                                       "x86_64, i386, aarch64, arm, mipsel, mips64el",
                                       "s390x, mips, ppc64, sheb"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        const struct policy *policy = policy_for(fixture, sets[i]);
        for (unsigned id = 0; id < ABI_COUNT; id++) {
            check_runs(fixture, policy, abi_get((enum abi_id)id)->token);
            if (policy->abis & ABI_BIT(id))
                check_tables(fixture, policy, (enum abi_id)id);
        }
        check_runs(fixture, policy, 0x1234);
    }
}

/* Number rules are cut to the ABI's own numbers, so that they never reach what is foreign. */
static void test_number_rules(void **state)
{
    struct fixture *fixture = *state;
    const struct policy *policy =
        read_text(fixture, "abi x86_64\ndefault kill_process\nallow nr 0..0xffffffff\n");
    struct input input = {.nr = 0x40000000, .arch = abi_get(ABI_X86_64)->token};
    assert_int_equal(policy->views[0].clause_count, 2);
    assert_int_equal(policy->views[0].clauses[0].last, 0x3fffffff);
    assert_int_equal(policy->views[0].clauses[1].first, NR_SKIP);
    assert_int_equal(policy_eval(policy, &input).rule, DECIDED_BY_FOREIGN);
    input.nr = NR_SKIP;
    assert_int_equal(policy_eval(policy, &input).word, WORD_ALLOW);
    input.nr = 0x3fffffff;
    assert_int_equal(policy_eval(policy, &input).word, WORD_ALLOW);
    policy = read_text(
        fixture,
        "abi x86_64, x32\ndefault kill_process\nallow nr 0x40000001\nlog nr 1\ntrap(1) nr -1\n");
    input.nr = 0x40000001;
    assert_int_equal(policy_eval(policy, &input).word, WORD_ALLOW);
    input.nr = 1;
    assert_int_equal(policy_eval(policy, &input).word, 0x7ffc0000);
    input.nr = NR_SKIP;
    assert_int_equal(policy_eval(policy, &input).word, 0x00030001);
}

static void test_settings_of_an_abi(void **state)
{
    struct fixture *fixture = *state;
    const struct policy *policy =
        read_text(fixture, "abi x86_64, i386\ndefault kill_process\nforeign errno(EDEADLK)\n"
                           "on i386 { default errno(EPERM) unknown errno(ENOSYS) }\n");
    assert_int_equal(policy->views[0].default_word, WORD_KILL);
    assert_int_equal(policy->views[0].unknown_word, WORD_KILL);
    assert_int_equal(policy->views[1].default_word, WORD_ERRNO(1));
    assert_int_equal(policy->views[1].unknown_word, WORD_ERRNO(38));
    assert_int_equal(policy->foreign_word, WORD_ERRNO(35));
    policy = read_text(fixture, "abi x86_64, i386\ndefault kill_process\nunknown log\n"
                                "on i386 { unknown errno(ENOSYS) }\non x86_64 { default allow }\n");
    assert_int_equal(policy->views[0].default_word, WORD_ALLOW);
    assert_int_equal(policy->views[0].unknown_word, 0x7ffc0000);
    assert_int_equal(policy->views[1].unknown_word, WORD_ERRNO(38));
    policy = read_text(fixture, "abi mips\ndefault errno(EDEADLK)\nforeign errno(EDEADLK)\n");
    assert_int_equal(policy->views[0].default_word, WORD_ERRNO(45)); /* mips has its own numbers */
    assert_int_equal(policy->foreign_word, WORD_ERRNO(35));
    assert_string_equal(policy->name, "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_places_under_the_shared_token),
        TEST(test_runs),
        TEST(test_number_rules),
        TEST(test_settings_of_an_abi),
    };
    return RUN_TESTS(tests);
}
