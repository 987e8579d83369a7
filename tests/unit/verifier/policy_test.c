/* What is proved about policies: goals, isolation, width safety, rules that never decide. */
#include "unit/verifier/policies.h"

#define HEAD "abi x86_64\ndefault errno(EPERM)\n"

static struct proof_options usual(void)
{
    return options_in(20);
}

/* ---- equality ------------------------------------------------------------------------------ */

static enum verdict equal_policies(struct fixture *f, const char *a, const char *b)
{
    struct side left = side_of_policy(policy_of(f, a)), right = side_of_policy(policy_of(f, b));
    struct proof_options options = usual();
    struct proof proof = prove_equal(f->arena, &left, &right, &options);
    options.whole = true;
    assert_int_equal(prove_equal(f->arena, &left, &right, &options).verdict, proof.verdict);
    options.whole = false;
    options.solver_only = true;
    assert_int_equal(prove_equal(f->arena, &left, &right, &options).verdict, proof.verdict);
    return proof.verdict;
}

static void the_same_said_differently(void **state)
{
    assert_int_equal(equal_policies(*state, HEAD "allow read(fd == 1 || fd == 2)",
                                    HEAD "allow read(fd in { 1..2 })"),
                     PROVED);
    assert_int_equal(equal_policies(*state, HEAD "allow read(fd == 1 || fd == 2)",
                                    HEAD "allow read(fd in { 1..3 })"),
                     REFUTED);
    assert_int_equal(equal_policies(*state, HEAD "allow nr 0..3",
                                    HEAD "allow { read, write } allow { open, close }"),
                     PROVED);
    assert_int_equal(equal_policies(*state, HEAD "allow lseek(offset < 0)",
                                    HEAD "allow lseek(hi32(arg1) >= 0x80000000)"),
                     PROVED);
    assert_int_equal(equal_policies(*state, HEAD "allow pread64(count >= 0x100000005)",
                                    HEAD
                                    "errno(EPERM) pread64(count <= 0x100000004) allow pread64"),
                     PROVED);
    assert_int_equal(equal_policies(*state, HEAD "allow pread64(count >= 0x100000005)",
                                    HEAD
                                    "errno(EPERM) pread64(count <= 0x100000005) allow pread64"),
                     REFUTED);
    assert_int_equal(equal_policies(*state, HEAD "raw allow if arch == 0xc000003e && nr == 0",
                                    HEAD "allow read"),
                     PROVED);
    assert_int_equal(equal_policies(*state, HEAD "raw allow if nr == 0", HEAD "allow read"),
                     REFUTED);
    assert_int_equal(equal_policies(*state, HEAD "raw allow if nr * 2 == 2 && arch == 0xc000003e",
                                    HEAD
                                    "raw allow if (nr & 0x7fffffff) == 1 && arch == 0xc000003e"),
                     PROVED);
}

static void every_policy_equals_itself_and_no_other(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(many_policies); i++)
        for (size_t j = 0; j < COUNT_OF(many_policies); j++)
            assert_int_equal(equal_policies(f, many_policies[i], many_policies[j]),
                             i == j ? PROVED : REFUTED);
}

/* ---- goals ----------------------------------------------------------------------------------- */

struct goal_row {
    const char *text; /* one goal */
    enum verdict verdict;
    bool vacuous;
};

static const struct goal_row goal_rows[] = {
    {HEAD "allow read prove never permit write", PROVED, false},
    {HEAD "allow { read, write } prove never permit write", REFUTED, false},
    {HEAD "log write prove never permit write", REFUTED, false},
    {HEAD "log write prove never allow write", PROVED, false},
    {HEAD "allow write(fd == 1) prove never permit write(fd != 1)", PROVED, false},
    {HEAD "allow write(fd <= 2) prove never permit write(fd != 1)", REFUTED, false},
    {HEAD "prove always errno(EPERM) write", PROVED, false},
    {HEAD "prove always errno(EACCES) write", REFUTED, false},
    {HEAD "prove always errno write", PROVED, false},
    {HEAD "prove never errno(EACCES) write", PROVED, false},
    {HEAD "prove never errno write", REFUTED, false},
    {HEAD "prove never permit { read, write }", PROVED, false},
    {HEAD "allow { read, write(fd == 1) } prove always allow { read, write }", REFUTED, false},
    {HEAD "allow write prove never permit write(fd < 3 && fd > 5)", PROVED, true},
    {HEAD "raw allow if arch == 0x40000003 prove never permit open", REFUTED, false},
    {"abi x86_64, i386\ndefault errno(EPERM)\nallow write prove always allow write", PROVED, false},
    {"abi x86_64, i386\ndefault errno(EPERM)\non x86_64 { allow write } prove always allow write",
     REFUTED, false},
    {HEAD "raw ret(0x00051fff) if nr == 1 prove always errno(4095) write", PROVED, false},
    {HEAD "raw ret(0x12345678) if nr == 1 prove always kill_process write", PROVED, false},
};

static void goals_hold_or_are_refuted(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(goal_rows); i++) {
        const struct goal_row *row = &goal_rows[i];
        const struct policy *policy = policy_of(f, row->text);
        struct side side = side_of_policy(policy);
        assert_int_equal(policy->goal_count, 1);
        for (unsigned way = 0; way < 3; way++) {
            struct proof_options options = usual();
            options.whole = way == 1;
            options.solver_only = way == 2;
            bool vacuous;
            struct proof proof = prove_goal(f->arena, &side, &policy->goals[0], &options, &vacuous);
            if (proof.verdict != row->verdict || vacuous != row->vacuous)
                print_error("%s: %s %d (%s)\n", row->text, verdict_name(proof.verdict), vacuous,
                            proof.reason ? proof.reason : "");
            assert_int_equal(proof.verdict, row->verdict);
            assert_int_equal(vacuous, row->vacuous);
            assert_int_equal(proof.has_counterexample, row->verdict == REFUTED);
        }
    }
}

/* ---- isolation
 * ----------------------------------------------------------------------------------- */

struct isolation_row {
    const char *text;
    abi_set declared; /* 0: the policy's */
    enum verdict verdict;
};

static const struct isolation_row isolation_rows[] = {
    {HEAD "allow { read, write }", 0, PROVED},
    {HEAD "foreign allow", 0, REFUTED},
    {HEAD "foreign trace(1)", 0, REFUTED},
    {HEAD "foreign errno(EPERM)", 0, PROVED},
    {HEAD "raw allow if nr == 5", 0, REFUTED},
    {HEAD "raw allow if nr == 5 && arch == 0xc000003e", 0, PROVED},
    {HEAD "raw allow if nr == 0x40000005 && arch == 0xc000003e", 0, REFUTED},
    {HEAD "unknown allow", 0, PROVED}, /* -1 is unknown, not foreign */
    {"abi x86_64, x32\ndefault allow", 0, PROVED},
    {"abi x86_64, x32\ndefault allow", ABI_BIT(ABI_X86_64), REFUTED},
    {"abi x86_64, x32\ndefault allow", ABI_BIT(ABI_X32), REFUTED},
    {"abi x32\ndefault allow\nunknown allow", ABI_BIT(ABI_X32), PROVED},
    {"abi x86_64, i386\ndefault allow", ABI_BIT(ABI_X86_64), REFUTED},
};

static void outside_the_declared_abis(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(isolation_rows); i++) {
        const struct isolation_row *row = &isolation_rows[i];
        const struct policy *policy = policy_of(f, row->text);
        struct side side = side_of_policy(policy);
        abi_set declared = row->declared ? row->declared : policy->abis;
        for (unsigned whole = 0; whole < 2; whole++) {
            struct proof_options options = usual();
            options.whole = whole;
            struct proof proof = prove_arch_isolation(f->arena, &side, declared, false, &options);
            if (proof.verdict != row->verdict)
                print_error("%s: %s\n", row->text, verdict_name(proof.verdict));
            assert_int_equal(proof.verdict, row->verdict);
        }
    }
}

/* ---- width
 * ------------------------------------------------------------------------------------------ */

struct width_row {
    const char *text;
    enum width_verdict verdict;
};

static const struct width_row width_rows[] = {
    {HEAD "allow write(fd == 1)", WIDTH_PROVED},
    {HEAD "allow openat(dirfd == AT_FDCWD)", WIDTH_PROVED},
    {HEAD "allow lseek(offset < 0)", WIDTH_PROVED},
    {HEAD "allow write(u64(arg0) == 1)", WIDTH_DENIES_ONLY},
    {HEAD "errno(EACCES) write(u64(arg0) == 1) allow write", WIDTH_REFUTED},
    {HEAD "errno(EACCES) write(u64(arg0) == 1) errno(ENOSYS) write", WIDTH_DENIES_ONLY},
    {HEAD "allow fchmod(lo32(arg1) == 0644)", WIDTH_DENIES_ONLY},
    {HEAD "errno(EACCES) fchmod(lo32(arg1) == 0644) allow fchmod", WIDTH_REFUTED},
    {HEAD "allow fchmod(mode == 0644)", WIDTH_PROVED},
    {HEAD "allow openat(u64(arg0) == 0xffffffffffffff9c)",
     WIDTH_DENIES_ONLY}, /* as a C caller fills it */
    {HEAD "allow openat(u64(arg0) == 0xffffff9c)",
     WIDTH_REFUTED}, /* only for registers that no C caller makes */
    {HEAD "raw allow if arg0 == 0 && nr == 39 && arch == 0xc000003e",
     WIDTH_DENIES_ONLY}, /* takes no arguments */
    {HEAD "raw errno(EACCES) if arg5 == 0 && nr == 39\nallow getpid", WIDTH_REFUTED},
    {HEAD "allow lseek(hi32(arg1) == 5)", WIDTH_PROVED}, /* 64 bits wide: nothing is ignored */
    {HEAD "raw allow if hi32(arg0) == 0 && nr == 600 && arch == 0xc000003e",
     WIDTH_PROVED}, /* unknown */
    {"abi i386\ndefault errno(1)\nallow openat(u64(arg0) == 0xffffff9c)", WIDTH_DENIES_ONLY},
    {"abi i386\ndefault errno(1)\nallow write(hi32(arg0) == 0)", WIDTH_DENIES_ONLY},
    {"abi i386\ndefault errno(1)\nallow write(hi32(arg0) != 0)", WIDTH_REFUTED},
    {HEAD "raw allow if lo32(ip) == 0 && nr == 1 && arch == 0xc000003e", WIDTH_PROVED},
};

static void ignored_bits(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(width_rows); i++) {
        const struct width_row *row = &width_rows[i];
        const struct policy *policy = policy_of(f, row->text);
        struct side side = side_of_policy(policy);
        struct proof_options options = usual();
        for (unsigned way = 0; way < 2; way++) {
            options.solver_only = way == 1;
            struct width_proof width =
                prove_width_safety(f->arena, &side, policy->abis, false, &options);
            if (width.verdict != row->verdict)
                print_error("%s: %s\n", row->text, width_verdict_name(width.verdict));
            assert_int_equal(width.verdict, row->verdict);
            if (width.verdict == WIDTH_PROVED)
                continue;
            const struct counterexample *example = &width.proof.counterexample;
            uint32_t given = side_word(&side, &example->input, NULL);
            uint32_t honest = side_word(&side, &example->other, NULL);
            assert_int_not_equal(given, honest);
            enum abi_id abi = input_abi(&example->input, false);
            struct input a = input_visible(&example->input, abi, false);
            struct input b = input_visible(&example->other, abi, false);
            assert_memory_equal(&a, &b, sizeof a);
        }
    }
}

/* ---- dead rules
 * ----------------------------------------------------------------------------------------- */

struct dead_row {
    const char *text;
    unsigned dead, shadows;
};

static const struct dead_row dead_rows[] = {
    {HEAD "allow read\nallow write", 0, 0},
    {HEAD "allow read\nerrno(EACCES) read", 1, 1},
    {HEAD "allow read(fd == 1)\nerrno(EACCES) read", 0, 0},
    {HEAD "allow read(fd < 5)\nallow read(fd >= 5)\nerrno(EACCES) read", 1, 2},
    {HEAD "allow read(fd < 5)\nallow read(fd > 5)\nerrno(EACCES) read", 0, 0},
    {HEAD "allow read(fd in { 1..9 })\nlog write\nerrno(EACCES) read(fd == 3)", 1, 1},
    {HEAD "allow nr 0..100\nerrno(EACCES) { read, write }", 1, 1},
    {HEAD "allow nr 0..100\nerrno(EACCES) { read, mseal }", 0, 0},
    {HEAD "raw allow if arch == 0xc000003e\nallow read", 1, 1},
    {HEAD "raw allow if nr < 1\nallow read\nallow write", 1, 1},
    {HEAD "allow read\nraw log if nr == 0 && arch == 0xc000003e", 1, 1},
    {HEAD "allow read\nraw log if nr == 0", 0, 0},
    {HEAD
     "allow read((count & 0xf0) == 0x10)\nallow read((count & 0xf0) != 0x10)\nlog read(fd == 7)",
     1, 2},
    {"abi x86_64, i386\ndefault errno(1)\non x86_64 { allow read }\nlog read", 0, 0},
    {"abi x86_64, i386\ndefault errno(1)\non x86_64 { allow read }\non i386 { allow read }\nlog "
     "read",
     1, 2},
};

static void rules_that_never_decide(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(dead_rows); i++) {
        const struct dead_row *row = &dead_rows[i];
        const struct policy *policy = policy_of(f, row->text);
        struct proof_options options = usual();
        struct diagnostics found = diagnostics_new(f->arena);
        report_dead_rules(policy, &options, &found);
        unsigned shadows = 0;
        for (const struct diagnostic *d = found.first; d; d = d->next)
            for (const struct diagnostic *note = d->notes; note; note = note->next)
                shadows++;
        if (found.warnings != row->dead || shadows != row->shadows) {
            print_error("%s: %zu dead, %u shadows\n", row->text, found.warnings, shadows);
            diagnostics_print(&found, stderr);
        }
        assert_int_equal(found.warnings, row->dead);
        assert_int_equal(shadows, row->shadows);
    }
}

static const char *many_rules(struct fixture *f, const char *format, unsigned count)
{
    struct buffer text = buffer_new(f->arena);
    buffer_text(&text, HEAD);
    for (unsigned i = 0; i < count; i++) {
        buffer_printf(&text, format, i % 3, 7919 * i, 99991 + 2 * i);
        buffer_text(&text, "\n");
    }
    return buffer_string(&text);
}

/* A thousand rules about one call, the last of them dead: each adds its own terms, no more. */
static void dead_among_many_rules(void **state)
{
    struct fixture *f = *state;
    const char *text = many_rules(f, "allow ioctl(arg%u == %u)", 1000);
    text = arena_printf(f->arena, "%slog ioctl(arg0 == 0)\n", text);
    const struct policy *policy = policy_of(f, text);
    struct proof_options options = usual();
    struct diagnostics found = diagnostics_new(f->arena);
    struct dead_rules dead = report_dead_rules(policy, &options, &found);
    assert_int_equal(dead.found, 1);
    assert_int_equal(dead.unsettled, 0);
    assert_int_equal(found.warnings, 1);
    assert_int_equal(dead.questions, 0);
    assert_true(dead.memory < (size_t)16 << 20);
}

/* Products that the solver cannot multiply out: it is asked a fixed number of times, and of the
 * rules that are left nothing is said. */
static void hard_rules_are_left_alone(void **state)
{
    struct fixture *f = *state;
    const char *text = many_rules(f,
                                  "raw allow if lo32(arg%u) * lo32(arg3) == %u && lo32(arg3) * "
                                  "lo32(arg4) * lo32(arg5) == %u",
                                  300);
    const struct policy *policy = policy_of(f, text);
    struct proof_options options = usual();
    struct diagnostics found = diagnostics_new(f->arena);
    struct dead_rules dead = report_dead_rules(policy, &options, &found);
    assert_true(dead.unsettled > 0);
    assert_true(dead.questions <= 16);
    assert_int_equal(dead.found, 0);
    assert_int_equal(found.warnings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_said_differently),
        TEST(every_policy_equals_itself_and_no_other),
        TEST(goals_hold_or_are_refuted),
        TEST(outside_the_declared_abis),
        TEST(ignored_bits),
        TEST(rules_that_never_decide),
        TEST(dead_among_many_rules),
        TEST(hard_rules_are_left_alone),
    };
    return RUN_TESTS(tests);
}
