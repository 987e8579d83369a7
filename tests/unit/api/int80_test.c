/* i386's entry into a 64-bit task: what a filter without its arch check lets through, on the real
 * kernel. */
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/bpfproof.h"

/* 39 is getpid on x86_64, and mkdir on i386. */
#define NUMBER 39u

static const char policy_text[] = "policy only_getpid\n"
                                  "abi x86_64\n"
                                  "foreign errno(ELOOP)\n"
                                  "default kill_process\n"
                                  "allow { getpid, exit_group, exit, rt_sigreturn }\n";

static struct compiled compile(struct fixture *f)
{
    const struct source *source =
        source_from_text(f->arena, "test", policy_text, sizeof policy_text - 1);
    struct policy *policy;
    struct compiled compiled = {.verdict = UNKNOWN};
    struct compile_options options = {.level = OPTIMIZE_2};
    assert_true(worked(policy_read(f->arena, source, 0, &f->diagnostics, &policy)));
    assert_true(worked(compile_policy(f->arena, policy, &options, &f->diagnostics, &compiled)));
    assert_int_equal(compiled.verdict, PROVED);
    return compiled;
}

/* Every comparison with the arch token goes the way of equality. */
static struct program cut_arch_check(struct fixture *f, const struct program *program)
{
    struct program cut = *program;
    unsigned found = 0;
    cut.code = arena_copy(f->arena, program->code, program->length * sizeof *program->code);
    for (uint32_t i = 0; i < cut.length; i++)
        if (cut.code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) &&
            cut.code[i].k == abi_get(ABI_X86_64)->token) {
            cut.code[i] = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, cut.code[i].jt};
            found++;
        }
    assert_int_equal(found, 1);
    assert_int_equal(check_program(&cut).rule, CHECK_ACCEPTED);
    return cut;
}

static void need_int80(void)
{
    const char *reason;
    if (!kernel_available(&reason) || !kernel_has_int80()) {
        print_message("# SKIP no seccomp filters or no int $0x80 here\n");
        skip();
    }
}

static void foreign_gets_what_the_policy_says(void **state)
{
    struct fixture *f = *state;
    need_int80();
    struct compiled compiled = compile(f);
    const uint64_t none[6] = {0};
    struct kernel_result r = kernel_call(&compiled.program, 1, ENTRY_INT80, NUMBER, none);
    assert_int_equal(r.outcome, KERNEL_RETURNED);
    assert_int_equal(r.value, -ELOOP);
    r = kernel_call(&compiled.program, 1, ENTRY_NATIVE, NUMBER, none);
    assert_int_equal(r.outcome, KERNEL_RETURNED);
    assert_true(r.value > 0);
}

static void the_prover_catches_the_cut(void **state)
{
    struct fixture *f = *state;
    struct compiled compiled = compile(f);
    struct program cut = cut_arch_check(f, &compiled.program);
    struct side policy = {.name = "policy", .policy = compiled.policy};
    struct side program = {.name = "cut", .programs = &cut, .program_count = 1};
    struct proof_options options = {.declared = compiled.policy->abis};
    struct proof equal = prove_equal(f->arena, &policy, &program, &options);
    assert_int_equal(equal.verdict, REFUTED);
    assert_true(equal.has_counterexample);
    assert_int_not_equal(equal.counterexample.input.arch, abi_get(ABI_X86_64)->token);
    struct proof isolation =
        prove_arch_isolation(f->arena, &program, compiled.policy->abis, false, &options);
    assert_int_equal(isolation.verdict, REFUTED);
}

static void what_would_have_got_through(void **state)
{
    struct fixture *f = *state;
    need_int80();
    struct compiled compiled = compile(f);
    struct program cut = cut_arch_check(f, &compiled.program);
    char directory[] = "/tmp/bpfproof-int80.XXXXXX";
    assert_non_null(mkdtemp(directory));
    /* i386 has 32-bit pointers */
    char *path =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (path == MAP_FAILED) {
        rmdir(directory);
        print_message("# SKIP no memory below 4 GiB\n");
        skip();
    }
    snprintf(path, 4096, "%s/made", directory);
    const uint64_t args[6] = {(uint64_t)(uintptr_t)path, 0700};

    struct kernel_result guarded = kernel_call(&compiled.program, 1, ENTRY_INT80, NUMBER, args);
    assert_int_equal(guarded.value, -ELOOP);
    struct stat status;
    assert_int_equal(stat(path, &status), -1);

    struct kernel_result open = kernel_call(&cut, 1, ENTRY_INT80, NUMBER, args);
    assert_int_equal(open.outcome, KERNEL_RETURNED);
    assert_int_equal(open.value, 0);
    assert_int_equal(stat(path, &status),
                     0); /* a filter that permits only getpid let a directory be made */
    assert_int_equal(rmdir(path), 0);
    munmap(path, 4096);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(foreign_gets_what_the_policy_says),
        TEST(the_prover_catches_the_cut),
        TEST(what_would_have_got_through),
    };
    return RUN_TESTS(tests);
}
