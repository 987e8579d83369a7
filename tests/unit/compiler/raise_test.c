/* Raising: conditions that come back as they were written, and random ones that mean the same. */
#include "tests/unit/support.h"

#include "compiler/lower_internal.h"
#include "compiler/raise.h"
#include "tests/unit/compiler/policies.h"
#include "verifier/verifier.h"

/* ---- a condition through the DAG and back -------------------------------------------------------
 */

static const struct policy *read_policy(struct arena *arena, const char *text)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source = source_from_text(arena, "test.policy", text, strlen(text));
    struct policy *policy = NULL;
    if (failed(policy_read(arena, source, 0, &diagnostics, &policy))) {
        diagnostics_print(&diagnostics, stderr);
        fail_msg("not a policy:\n%s", text);
    }
    return policy;
}

/* What `call(condition)` comes to on `abi`. */
static const struct condition *read_condition(struct arena *arena, const char *abi,
                                              const char *call, const char *condition)
{
    const char *text =
        arena_printf(arena, "policy t\nabi %s\nforeign errno(1)\ndefault errno(1)\nallow %s(%s)\n",
                     abi, call, condition);
    const struct policy *policy = read_policy(arena, text);
    assert_int_equal(policy->views[0].clause_count, 1);
    return policy->views[0].clauses[0].when;
}

static const struct dag_node *condition_dag(struct arena *arena, const struct condition *condition)
{
    struct dag *dag = dag_new(arena, false, 1 << 16);
    struct tests *tests = lower_condition(arena, dag, condition);
    const struct dag_node *root = tests ? tests_ordered(arena, dag, tests) : NULL;
    if (!root)
        fail_msg("the condition makes no DAG");
    return root;
}

static const char *there_and_back(struct arena *arena, const char *abi_name, const char *call,
                                  const char *text, bool registers)
{
    enum abi_id abi = abi_by_name(abi_name)->id;
    const struct dag_node *root = condition_dag(arena, read_condition(arena, abi_name, call, text));
    struct raised raised = raise_condition(arena, root, abi, abi_syscall(abi, call)->nr, registers);
    if (!raised.condition)
        return raised.always ? "always" : raised.never ? "never" : raised.reason;
    return raised.condition;
}

static const struct {
    const char *abi, *call, *text, *back; /* back: NULL when it comes back as it is */
} rows[] = {
    /* names, width and sign */
    {"x86_64", "openat", "dirfd == AT_FDCWD", NULL},
    {"x86_64", "openat", "dirfd != -100", "dirfd != AT_FDCWD"},
    {"x86_64", "close", "fd == 0xffffffff", NULL},
    {"x86_64", "setpriority", "prio >= -5", NULL},
    {"x86_64", "setpriority", "prio < 0", NULL},
    {"x86_64", "setpriority", "prio >= 0", NULL},
    {"x86_64", "setpriority", "prio in { -5..5 }", NULL},
    {"x86_64", "setpriority", "prio > 3", NULL},
    {"x86_64", "setpriority", "!(prio in { 3..7 })", NULL},
    {"x86_64", "kill", "pid == -1 && sig == SIGTERM", NULL},
    {"x86_64", "munmap", "length <= 0x12345", NULL},
    {"x86_64", "munmap", "length <= 4095", "length < 4096"},
    {"x86_64", "munmap", "length > 0x10000000", NULL},
    {"x86_64", "munmap", "length == 0x100000001", NULL},
    {"x86_64", "munmap", "length != 0", NULL},
    {"x86_64", "lseek", "offset < 0", NULL},
    {"x86_64", "lseek", "offset >= -4096 && whence <= SEEK_END",
     "offset >= -4096 && whence in { SEEK_SET, SEEK_CUR, SEEK_END }"},
    {"x86_64", "rt_sigaction", "act == 0", NULL},
    {"x86_64", "rt_sigaction", "act != 0", NULL},
    {"i386", "rt_sigaction", "act != 0", NULL},
    {"x86_64", "fchmod", "(mode & (S_ISUID | S_ISGID)) == 0", NULL},
    {"x86_64", "fchmod", "mode == 0o644", NULL},
    {"i386", "munmap", "length < 4096", NULL},
    /* constants, by argument */
    {"x86_64", "openat", "(flags & O_ACCMODE) == O_RDONLY", NULL},
    {"x86_64", "openat", "(flags & (O_CREAT | O_TRUNC)) == 0", NULL},
    {"x86_64", "openat", "(flags & O_CREAT) != 0", NULL},
    {"x86_64", "openat", "flags == (O_RDONLY | O_CLOEXEC)", NULL},
    {"x86_64", "openat", "(flags & ~(O_ACCMODE | O_CLOEXEC)) == 0", NULL},
    {"aarch64", "openat", "(flags & O_DIRECT) != 0", NULL},
    {"x86_64", "openat", "(flags & (O_ACCMODE | O_CREAT)) == (O_WRONLY | O_CREAT)", NULL},
    {"x86_64", "mmap", "(prot & PROT_EXEC) == 0", NULL},
    {"x86_64", "mmap", "prot == (PROT_READ | PROT_EXEC)", NULL},
    {"x86_64", "mmap", "prot == PROT_NONE", NULL},
    {"x86_64", "mmap", "(prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC)", NULL},
    {"x86_64", "mmap", "(flags & MAP_TYPE) == MAP_PRIVATE && (prot & PROT_EXEC) == 0",
     "(prot & PROT_EXEC) == 0 && (flags & MAP_TYPE) == MAP_PRIVATE"},
    {"x86_64", "socket", "domain in { AF_UNIX, AF_INET, AF_INET6 }", NULL},
    {"x86_64", "socket", "domain == AF_UNIX && (type & 0xf) == SOCK_STREAM", NULL},
    {"x86_64", "socket", "domain == AF_NETLINK && protocol == NETLINK_ROUTE", NULL},
    {"x86_64", "socket", "!(domain in { AF_PACKET, AF_VSOCK })", NULL},
    {"x86_64", "socket", "type == (SOCK_STREAM | SOCK_CLOEXEC)", NULL},
    {"x86_64", "ioctl", "request in { TCGETS, TIOCGWINSZ }", NULL},
    {"mips64el", "ioctl", "request in { TCGETS, TIOCGWINSZ }", NULL},
    {"x86_64", "ioctl", "request in { 0x5600..0x56ff }", NULL},
    {"x86_64", "fcntl", "cmd in { F_DUPFD, F_GETFD, F_SETFD, F_GETFL }", NULL},
    {"x86_64", "fcntl", "cmd == F_GETFL || cmd == F_SETFL && (arg & ~(O_APPEND | O_NONBLOCK)) == 0",
     NULL},
    {"x86_64", "fcntl", "cmd == F_SETFD && arg == FD_CLOEXEC", NULL},
    {"x86_64", "clone", "(flags & (CLONE_NEWNS | CLONE_NEWUSER)) == 0", NULL},
    {"x86_64", "clone", "flags == (SIGCHLD | CLONE_VM | CLONE_VFORK)", NULL},
    {"x86_64", "prctl", "option == PR_SET_NAME", NULL},
    {"x86_64", "prctl", "!(option in { PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS })", NULL},
    {"x86_64", "prctl", "option == PR_SET_DUMPABLE && arg1 < 2",
     "option == PR_SET_DUMPABLE && arg1 <= 1"},
    {"x86_64", "arch_prctl", "code == ARCH_SET_FS", NULL},
    {"x86_64", "ptrace", "request == PTRACE_TRACEME", NULL},
    {"x86_64", "futex", "(futex_op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) == FUTEX_WAIT",
     "(futex_op & FUTEX_CMD_MASK) == FUTEX_WAIT"},
    {"x86_64", "personality", "persona in { PER_LINUX, PER_LINUX32, 0xffffffff }", NULL},
    {"x86_64", "madvise", "advice == MADV_DONTNEED", NULL},
    /* registers, where the filter looks at what the kernel does not */
    {"x86_64", "close", "u64(fd) == 1", NULL},
    {"x86_64", "close", "hi32(fd) != 0", NULL},
    {"x86_64", "socket", "u64(domain) == AF_UNIX", NULL},
    {"x86_64", "openat", "u64(dirfd) == AT_FDCWD", NULL},
    {"x86_64", "munmap", "lo32(length) == 4096", NULL},
    {"x86_64", "unlink", "u64(pathname) == 0x1000", NULL},
    {"x86_64", "clone", "u64(flags) == 17", "u64(flags) == SIGCHLD"},
    {"x86_64", "openat", "(u64(flags) & ~(O_CREAT | O_EXCL)) == 0", NULL},
    {"x86_64", "close", "u64(arg3) == 7", NULL},
    {"x86_64", "munmap", "length <= 0xffffffff", "length < 0x100000000"},
    {"x86_64", "mmap", "(lo32(prot) & ~(PROT_READ | PROT_WRITE)) == 0", NULL},
    {"x86_64", "munmap", "hi32(length) == 1 && lo32(length) > 5",
     "length in { 0x100000006..0x1ffffffff }"},
    {"x86_64", "set_thread_area", "arg0 == 0", NULL},
    {"x86_64", "set_thread_area", "lo32(arg0) == 0", NULL},
    /* put together as a person would */
    {"x86_64", "socket", "domain == AF_INET || domain == AF_INET6",
     "domain in { AF_INET, AF_INET6 }"},
    {"x86_64", "socket", "!(domain == AF_INET && type == SOCK_RAW)",
     "domain != AF_INET || type != SOCK_RAW"},
    {"x86_64", "fchmod", "(mode & S_ISUID) == 0 && (mode & S_ISGID) == 0",
     "(mode & (S_ISUID | S_ISGID)) == 0"},
    {"x86_64", "fchmod", "(mode & S_ISUID) != 0 || (mode & S_ISGID) != 0",
     "(mode & (S_ISUID | S_ISGID)) != 0"},
    {"x86_64", "socket", "domain == AF_UNIX && protocol == 0 || domain == AF_INET && protocol == 0",
     "domain in { AF_UNIX, AF_INET } && protocol == 0"},
    {"x86_64", "socket",
     "domain == AF_UNIX || protocol == 0 && (domain == AF_INET || type == SOCK_RAW)", NULL},
    {"x86_64", "kcmp", "pid1 == 1 && pid2 == 2 || idx1 == 3",
     "idx1 == 3 || pid1 == 1 && pid2 == 2"},
};

static void comes_back_as_written(void **state)
{
    struct fixture *fixture = *state;
    unsigned wrong = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *back =
            there_and_back(fixture->arena, rows[i].abi, rows[i].call, rows[i].text, false);
        const char *wanted = rows[i].back ? rows[i].back : rows[i].text;
        if (strcmp(back, wanted)) {
            print_error("%s %s(%s): wanted %s, got %s\n", rows[i].abi, rows[i].call, rows[i].text,
                        wanted, back);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---- what cannot be said, or need not be ------------------------------------------------------
 */

static void says_always_never_and_why_not(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct dag *dag = dag_new(arena, false, 1 << 16);
    const struct dag_node *yes = dag_verdict(dag, RAISE_YES), *no = dag_verdict(dag, RAISE_NO);
    const struct dag_node *any = dag_verdict(dag, RAISE_ANY);
    uint32_t close = abi_syscall(ABI_X86_64, "close")->nr;
    assert_true(raise_condition(arena, yes, ABI_X86_64, close, false).always);
    assert_true(raise_condition(arena, no, ABI_X86_64, close, false).never);
    const struct dag_edge ip[] = {{7, yes}, {UINT32_MAX, no}};
    const struct dag_node *root = dag_switch(dag, FIELD_IP_LO, UINT32_MAX, ip, 2);
    struct raised raised = raise_condition(arena, root, ABI_X86_64, close, false);
    assert_null(raised.condition);
    assert_non_null(strstr(raised.reason, "instruction pointer"));
    struct word a = {.operator= WORD_FIELD, .field = FIELD_ARG0_LO};
    struct word b = {.operator= WORD_FIELD, .field = FIELD_ARG1_LO};
    root = dag_compare(dag, COMPARE_GREATER, &a, &b, yes, no);
    raised = raise_condition(arena, root, ABI_X86_64, close, false);
    assert_non_null(strstr(raised.reason, "computes"));
    /* where the high half is sign or zero, and anything else is open, the type says it all */
    const struct dag_edge low[] = {{2, no}, {3, yes}, {UINT32_MAX, no}};
    const struct dag_edge negative[] = {{0x7fffffff, any}, {UINT32_MAX, no}};
    const struct dag_edge high[] = {
        {0, dag_switch(dag, FIELD_ARG0_LO, UINT32_MAX, low, 3)},
        {UINT32_MAX - 1, any},
        {UINT32_MAX, dag_switch(dag, FIELD_ARG0_LO, UINT32_MAX, negative, 2)}};
    root = dag_switch(dag, FIELD_ARG0_HI, UINT32_MAX, high, 3);
    raised = raise_condition(arena, root, ABI_X86_64, close, false);
    assert_string_equal(raised.condition, "fd == 3");
    raised = raise_condition(arena, root, ABI_X86_64, close, true);
    assert_string_equal(raised.condition, "lo32(fd) == 3");
}

/* ---- random conditions and policies -------------------------------------------------------------
 */

static const struct call_of {
    enum abi_id abi;
    const char *name;
} calls[] = {
    {ABI_X86_64, "openat"}, {ABI_X86_64, "mmap"},   {ABI_X86_64, "setpriority"},
    {ABI_X86_64, "prctl"},  {ABI_X86_64, "fchmod"}, {ABI_I386, "openat"},
    {ABI_AARCH64, "clone"}, {ABI_X86_64, "unlink"}, {ABI_X86_64, "set_thread_area"},
};

static struct input random_call(struct random *random, enum abi_id abi, uint32_t nr)
{
    struct input input = {.nr = nr, .arch = abi_get(abi)->token};
    for (unsigned i = 0; i < COUNT_OF(input.args); i++)
        input.args[i] = random_register(random);
    return input;
}

static void random_conditions_mean_the_same(void **state)
{
    struct fixture *fixture = *state;
    unsigned said = 0;
    for (uint64_t seed = 0; seed < SAMPLES(1500u); seed++) {
        struct arena *arena = arena_new();
        struct random random = random_seed(seed);
        const struct call_of *call = &calls[random_below(&random, COUNT_OF(calls))];
        uint32_t nr = abi_syscall(call->abi, call->name)->nr;
        const struct condition *condition =
            random_condition(arena, &random, false, random_below(&random, 4));
        const struct dag_node *root = condition_dag(arena, condition);
        struct raised raised = raise_condition(arena, root, call->abi, nr, seed % 5 == 0);
        const struct condition *back = NULL;
        if (raised.condition)
            back = read_condition(arena, abi_get(call->abi)->name, call->name, raised.condition);
        said += raised.condition || raised.always || raised.never;
        for (unsigned i = 0; i < 60 && !raised.reason; i++) {
            struct input input = random_call(&random, call->abi, nr);
            bool undefined = false, wanted = dag_evaluate(root, &input) == 1;
            bool got = back ? condition_holds(back, &input, &undefined) : raised.always;
            if (got != wanted)
                fail_msg("seed %u: %s(%s)", (unsigned)seed, call->name,
                         raised.condition ? raised.condition : "");
        }
        arena_free(arena);
    }
    (void)fixture;
    assert_true(said > SAMPLES(1450u));
}

static void expect_equal(struct arena *arena, const struct policy *a, const struct policy *b,
                         const char *text, unsigned seed)
{
    struct side left = {.name = "policy", .policy = a}, right = {.name = "raised", .policy = b};
    struct proof_options options = {.limits = {.deadline = deadline_in(20)}};
    struct proof proof = prove_equal(arena, &left, &right, &options);
    if (proof.verdict == REFUTED)
        fail_msg("seed %u: nr 0x%x arch 0x%x: 0x%08x is raised to 0x%08x:\n%s", seed,
                 proof.counterexample.input.nr, proof.counterexample.input.arch,
                 proof.counterexample.left, proof.counterexample.right, text);
    assert_int_equal(proof.verdict, PROVED);
}

/* Where rules for one ABI, for several, for numbers and for tokens meet. */
static const char *const policies[] = {
    /* a number between two others keeps `unknown` */
    "abi x86_64\ndefault allow\nunknown errno(1)\nallow { nr 340, nr 342 }",
    "abi x86_64\ndefault errno(1)\nallow { nr 340, nr 342 }\nallow read",
    /* rules of two ABIs come before one's numbers */
    "abi x86_64, i386, x32\ndefault errno(1)\nunknown errno(38)\n"
    "on x86_64 { allow socket(u64(arg0) == 1) }\non i386, x32 { allow socket(domain == 1) }\n"
    "on i386 { errno(1) nr 222..415 }\nallow { read, write }",
    /* an errno's name is another number on mips */
    "abi s390x, mips64\nforeign errno(38)\ndefault errno(38)",
    "abi s390x, mips64\nforeign errno(ENOSYS)\ndefault errno(ENOSYS)\nallow read",
    "abi mips64el, x86_64\ndefault errno(89)\nunknown errno(38)\nerrno(EDEADLK) { read, open }",
    /* x86_64 and x32 by halves */
    "abi x86_64, x32\nforeign allow\ndefault allow\non x32 { trap(1) nr 0x40000000..0x7fffffff }",
    "abi x86_64, x32\nforeign allow\ndefault allow\non x86_64 { trap(1) { nr 7, execve } }",
    "abi x32\nforeign allow\ndefault allow\nerrno(1) socket",
    "abi x86_64\nforeign allow\ndefault allow\nunknown trap(9)",
    "abi x86_64, x32\ndefault errno(1)\non x86_64 { allow nr 0xffffffff }",
    /* all of one ABI, and words without a name, for all of one or for a call */
    "abi x86_64, i386\ndefault errno(1)\non i386 { trap(3) nr 0..0xffffffff }\nallow read",
    "abi x86_64, i386\ndefault errno(1)\nraw ret(1) if arch == AUDIT_ARCH_I386\nallow read",
    ("abi x86_64, i386\ndefault errno(1)\nraw ret(1) if arch == AUDIT_ARCH_I386 && nr == 5\n"
     "raw ret(7) if arch == AUDIT_ARCH_X86_64 && nr == 0 && lo32(arg0) == 3\nallow { read, open }"),
    /* other tokens */
    "abi x86_64\nforeign allow\ndefault allow\nraw trap(1) if nr == 5",
    "abi x86_64\nforeign allow\ndefault allow\nraw trap(1) if arch == 7 && lo32(arg0) > 3",
    "abi x86_64\nforeign allow\ndefault allow\nraw trap(1) if (arch & 0x101) == 0x100",
    "abi x86_64\nforeign allow\ndefault allow\nraw trap(1) if (nr & 5) == 4",
    "abi aarch64_be, s390x\ndefault errno(1)\nallow { read, munmap(arg1 == 0) }",
    "abi x86_64\nforeign errno(1)\ndefault errno(1)\nraw ret(1)",
};

static void expect_equal(struct arena *arena, const struct policy *a, const struct policy *b,
                         const char *text, unsigned seed);

static void written_policies_are_equal(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(policies); i++)
        for (unsigned way = RAISE_NAMED; way <= RAISE_WHOLE; way++) {
            struct arena *arena = arena_new();
            struct diagnostics diagnostics = diagnostics_new(arena);
            const struct policy *policy =
                read_policy(arena, arena_printf(arena, "policy t\n%s\n", policies[i]));
            struct dag *dag;
            const struct dag_node *root;
            struct raised_policy raised;
            struct raise_options options = {
                .name = "raised", .declared = policy->abis, .way = (enum raise_way)way};
            assert_true(worked(lower_policy(arena, policy, &diagnostics, &dag, &root)));
            assert_true(worked(raise_policy(arena, dag, root, &options, &diagnostics, &raised)));
            expect_equal(arena, policy, read_policy(arena, raised.text), raised.text, i);
            arena_free(arena);
        }
}

static void random_policies_are_equal(void **state)
{
    unsigned said = 0, tried = 0;
    (void)state;
    for (unsigned seed = 0; seed < SAMPLES(400u); seed++) {
        struct arena *arena = arena_new();
        struct random random = random_seed(seed);
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct policy *policy = random_policy(arena, &random);
        struct dag *dag;
        const struct dag_node *root;
        struct raised_policy raised;
        struct raise_options options = {
            .name = "raised", .declared = policy->abis, .way = (enum raise_way)(seed % 7 % 4)};
        /* computed words take the solver long: they have a test of their own */
        if (policy->raw_rule_count == 0 &&
            worked(lower_policy(arena, policy, &diagnostics, &dag, &root))) {
            tried++;
            if (worked(raise_policy(arena, dag, root, &options, &diagnostics, &raised))) {
                said++;
                expect_equal(arena, policy, read_policy(arena, raised.text), raised.text, seed);
            }
        }
        arena_free(arena);
    }
    assert_true(tried > SAMPLES(400u) / 4);
    assert_int_equal(said, tried);
}

/* docs/DECOMPILE.md has a row for each reason, word for word, and no other. */
static void reasons_are_in_the_document(void **state)
{
    struct fixture *f = *state;
    const struct source *document;
    assert_true(worked(file_read(f->arena, "docs/DECOMPILE.md", &f->diagnostics, &document)));
    const char *at = strstr(document->text, "\n| reason | because |\n|---|---|\n");
    assert_non_null(at);
    at = strstr(at, "|---|---|\n") + strlen("|---|---|\n");
    unsigned reasons = 0;
    for (; *at == '|'; reasons++) {
        const char *end = strstr(at, " | ");
        assert_non_null(end);
        const char *reason = arena_string(f->arena, at + 2, (size_t)(end - at - 2));
        unsigned found = 0;
        for (unsigned i = 0; i < RAW_REASON_COUNT; i++) {
            const char *text = raw_reason_text((enum raw_reason)i);
            const char *said =
                i == RAW_NO_ACTION ? arena_printf(f->arena, "0x00000001 %s", text) : text;
            found += !strcmp(reason, said);
        }
        if (found != 1)
            fail_msg("%s: no rule is raw for this reason", reason);
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(reasons, RAW_REASON_COUNT);
}

/* The raw layer: the same verdict on inputs near the bounds. */
static void random_raw_policies_agree(void **state)
{
    unsigned said = 0;
    (void)state;
    for (unsigned seed = 1000; seed < 1000 + SAMPLES(400u); seed++) {
        struct arena *arena = arena_new();
        struct random random = random_seed(seed);
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct policy *policy = random_policy(arena, &random);
        struct dag *dag;
        const struct dag_node *root;
        struct raised_policy raised;
        struct raise_options options = {.name = "raised", .declared = policy->abis};
        bool fine = policy->raw_rule_count &&
                    worked(lower_policy(arena, policy, &diagnostics, &dag, &root)) &&
                    worked(raise_policy(arena, dag, root, &options, &diagnostics, &raised));
        /* no text has a shift by 32 or more, whose result nobody knows */
        struct policy *back = NULL;
        fine =
            fine && worked(policy_read(
                        arena, source_from_text(arena, "raised", raised.text, strlen(raised.text)),
                        0, &diagnostics, &back));
        said += fine;
        for (unsigned i = 0; i < 100 && fine; i++) {
            struct input input = random_input(&random, policy);
            struct decision wanted = policy_eval(policy, &input), got = policy_eval(back, &input);
            if (wanted.word != got.word && !wanted.implementation_defined &&
                !got.implementation_defined)
                fail_msg("seed %u: nr 0x%x: 0x%08x is raised to 0x%08x:\n%s", seed, input.nr,
                         wanted.word, got.word, raised.text);
        }
        arena_free(arena);
    }
    assert_true(said > SAMPLES(400u) / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back_as_written),           TEST(says_always_never_and_why_not),
        TEST(random_conditions_mean_the_same), TEST(written_policies_are_equal),
        TEST(random_policies_are_equal),       TEST(reasons_are_in_the_document),
        TEST(random_raw_policies_agree),
    };
    return RUN_TESTS(tests);
}
