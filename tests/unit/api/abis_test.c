/* The same policy on every ABI: compiled, proved, and run with that ABI's own numbers, constants
 * and endianness. */
#include "unit/support.h"

#include "api/bpfproof.h"

static const char body[] = "foreign kill_process\n"
                           "default errno(EACCES)\n"
                           "unknown errno(ENOSYS)\n"
                           "allow { read, write, exit_group }\n"
                           "allow openat(dirfd == AT_FDCWD && (flags & O_ACCMODE) == O_RDONLY)\n"
                           "trap(7) fcntl(fd < 0)\n"
                           "allow fcntl(cmd in { F_GETFL, F_SETFL } && (arg & ~O_NONBLOCK) == 0)\n"
                           "errno(EPERM) { kexec_load }(arg0 >= 0x1000)\n"
                           "prove never permit execve\n"
                           "prove always allow read\n"
                           "prove never allow openat((flags & O_ACCMODE) != O_RDONLY)\n";

static struct compiled compile(struct fixture *f, const char *abi)
{
    const char *text = arena_printf(f->arena, "policy same\nabi %s\n%s", abi, body);
    const struct source *source = source_from_text(f->arena, abi, text, strlen(text));
    struct policy *policy;
    struct compiled compiled = {.verdict = UNKNOWN};
    struct compile_options options = {.level = OPTIMIZE_2};
    bool good = worked(policy_read(f->arena, source, 0, &f->diagnostics, &policy)) &&
                worked(compile_policy(f->arena, policy, &options, &f->diagnostics, &compiled));
    if (!good) {
        diagnostics_print(&f->diagnostics, stderr);
        fail();
    }
    return compiled;
}

static uint32_t run_text(struct fixture *f, const struct compiled *c, const struct abi *abi,
                         const char *text)
{
    struct call call;
    if (failed(call_parse(f->arena, text, abi->id, &f->diagnostics, &call))) {
        diagnostics_print(&f->diagnostics, stderr);
        fail();
    }
    assert_int_equal(call.input.arch, abi->token);
    uint32_t word = interpret(&c->program, &call.input, NULL, 0).word;
    assert_int_equal(word, policy_eval(c->policy, &call.input).word);
    return word;
}

static uint32_t errno_word(const struct abi *abi, const char *name)
{
    uint16_t value = 0;
    assert_true(abi_errno(abi->id, name, &value));
    return action_get(ACTION_ERRNO)->word | value;
}

static void check_calls(struct fixture *f, const struct compiled *c, const struct abi *abi)
{
    const uint32_t allow = action_get(ACTION_ALLOW)->word, trap = action_get(ACTION_TRAP)->word | 7;
    assert_int_equal(run_text(f, c, abi, "read(0, 0x1000, 1)"), allow);
    assert_int_equal(run_text(f, c, abi, "openat(AT_FDCWD, 0x1000, O_RDONLY|O_CLOEXEC)"), allow);
    assert_int_equal(run_text(f, c, abi, "openat(AT_FDCWD, 0x1000, O_RDWR)"),
                     errno_word(abi, "EACCES"));
    assert_int_equal(run_text(f, c, abi, "openat(3, 0x1000, O_RDONLY)"), errno_word(abi, "EACCES"));
    assert_int_equal(run_text(f, c, abi, "nr(0x3ffffff)"),
                     abi->id == ABI_X32 ? action_get(ACTION_KILL_PROCESS)->word
                                        : errno_word(abi, "ENOSYS"));
    if (abi_syscall(abi->id, "fcntl")) {
        const struct argument *fd = &abi_syscall(abi->id, "fcntl")->arguments[0];
        assert_int_equal(run_text(f, c, abi, "fcntl(3, F_SETFL, O_NONBLOCK)"), allow);
        assert_int_equal(run_text(f, c, abi, "fcntl(3, F_SETFL, O_DIRECT)"),
                         errno_word(abi, "EACCES"));
        if (fd->is_signed)
            assert_int_equal(run_text(f, c, abi, "fcntl(-1, F_GETFL, 0)"), trap);
    }
    assert_int_equal(run_text(f, c, abi, "execve(0, 0, 0)"), errno_word(abi, "EACCES"));
}

/* Garbage in the half that the kernel ignores, and values beside the boundaries: policy and program
 * agree. */
static void check_random(struct fixture *f, const struct compiled *c, const struct abi *abi)
{
    static const uint32_t interesting[] = {
        0, 1, 2, 3, 4, 0x800, 0x7fffffff, 0x80000000, 0xffffff9c, 0xffffffff, 0xfff, 0x1000};
    struct random random = random_seed(abi->id);
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi->id, &count);
    (void)f;
    for (unsigned i = 0; i < 3000; i++) {
        struct input input = {.arch = abi->token,
                              .nr = table[random_below(&random, (uint32_t)count)].nr};
        if (i % 7 == 0)
            input.arch = (uint32_t)random_u64(&random);
        if (i % 5 == 0)
            input.nr = abi_syscall(abi->id, i % 2 ? "openat" : "exit_group")->nr;
        for (unsigned a = 0; a < 6; a++) {
            input_set_field(&input, field_arg_lo(a),
                            interesting[random_below(&random, COUNT_OF(interesting))]);
            input_set_field(&input, field_arg_hi(a),
                            interesting[random_below(&random, COUNT_OF(interesting))]);
        }
        assert_int_equal(interpret(&c->program, &input, NULL, 0).word,
                         policy_eval(c->policy, &input).word);
    }
}

static void every_abi(void **state)
{
    struct fixture *f = *state;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        struct compiled c = compile(f, abi->name);
        if (c.verdict != PROVED || c.width.verdict != WIDTH_PROVED)
            fail_msg("%s: %s, width safety %s (%s)", abi->name, verdict_name(c.verdict),
                     width_verdict_name(c.width.verdict),
                     c.width.proof.reason ? c.width.proof.reason : "-");
        assert_int_equal(c.program.big_endian, abi->big_endian);
        check_calls(f, &c, abi);
        check_random(f, &c, abi);
        assert_int_equal(cache_count(&c.program, 1, abi), abi->cache_size ? 3 : 0);
    }
}

static void all_of_one_endianness_together(void **state)
{
    struct fixture *f = *state;
    for (unsigned big = 0; big < 2; big++) {
        struct buffer list = buffer_new(f->arena);
        for (unsigned id = 0; id < ABI_COUNT; id++)
            if (abi_get((enum abi_id)id)->big_endian == big)
                buffer_printf(&list, "%s%s", list.length ? ", " : "",
                              abi_get((enum abi_id)id)->name);
        struct compiled c = compile(f, buffer_string(&list));
        assert_int_equal(c.verdict, PROVED);
        assert_int_equal(c.width.verdict, WIDTH_PROVED);
    }
}

static void raw_word_from_ip_and_argument(void **state)
{
    struct fixture *f = *state;
    static const char *const abis[] = {"x86_64", "s390x"};
    for (size_t i = 0; i < COUNT_OF(abis); i++) {
        const char *text = arena_printf(
            f->arena,
            "policy computed\nabi %s\ndefault kill_process\n"
            "raw ret(((lo32(ip) >> 12) ^ (lo32(arg1) * 3)) & 0xffff | 0x50000) if hi32(arg0) != 0\n"
            "raw ret(lo32(arg2) / lo32(arg3) + hi32(ip)) if lo32(arg0) == 7\n",
            abis[i]);
        const struct source *source = source_from_text(f->arena, "raw", text, strlen(text));
        struct policy *policy;
        struct compiled c;
        struct compile_options options = {
            .level = OPTIMIZE_2, .accept_arch = true, .accept_width = true};
        if (failed(policy_read(f->arena, source, 0, &f->diagnostics, &policy)) ||
            failed(compile_policy(f->arena, policy, &options, &f->diagnostics, &c))) {
            diagnostics_print(&f->diagnostics, stderr);
            fail();
        }
        assert_int_equal(c.proof.verdict, PROVED);
        struct input input = {.ip = 0x7fff12345678, .args = {0x100000000u, 0xabcdef, 0, 0, 0, 0}};
        uint32_t expected = (((0x12345678u >> 12) ^ (0xabcdefu * 3)) & 0xffff) | 0x50000;
        assert_int_equal(interpret(&c.program, &input, NULL, 0).word, expected);
        assert_int_equal(policy_eval(policy, &input).word, expected);
        input = (struct input){.ip = 0x500000000, .args = {7, 0, 100, 7, 0, 0}};
        assert_int_equal(interpret(&c.program, &input, NULL, 0).word, 100 / 7 + 5);
        input.args[3] = 0;
        assert_int_equal(interpret(&c.program, &input, NULL, 0).word, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_abi),
        TEST(all_of_one_endianness_together),
        TEST(raw_word_from_ip_and_argument),
    };
    return RUN_TESTS(tests);
}
