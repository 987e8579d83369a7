#include "tests/unit/support.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/campaigns/generate.h"
#include "tests/unit/sim/programs.h"

#define ARCH 0xc000003eu
#define NR 110u

/* Paths on which call NR of ARCH is allowed whatever its arguments; does the kernel see that? */
struct row {
    const char *what;
    struct sock_filter code[8];
    uint32_t length;
    bool cached;
};

#define CODE(...)                                                                                  \
    {__VA_ARGS__}, sizeof(struct sock_filter[]){__VA_ARGS__} / sizeof(struct sock_filter)
#define STMT(code, k) BPF_STMT(code, k)
#define JUMP(operation, k, jt, jf) BPF_JUMP(BPF_JMP | (operation), k, jt, jf)

static const struct row rows[] = {
    {"ret", CODE(ALLOW), true},
    {"nr", CODE(LOAD_NR, EQUAL(NR, 0, 1), ALLOW, RET(0)), true},
    {"arch", CODE(LOAD_ARCH, EQUAL(ARCH, 0, 1), ALLOW, RET(0)), true},
    {"ja", CODE(STMT(BPF_JMP | BPF_JA, 1), RET(0), ALLOW), true},
    {"jge", CODE(LOAD_NR, JUMP(BPF_JGE | BPF_K, NR, 0, 1), ALLOW, RET(0)), true},
    {"jgt", CODE(LOAD_NR, JUMP(BPF_JGT | BPF_K, NR, 1, 0), ALLOW, RET(0)), true},
    {"jset", CODE(LOAD_NR, JUMP(BPF_JSET | BPF_K, NR, 0, 1), ALLOW, RET(0)), true},
    {"and",
     CODE(LOAD_NR, STMT(BPF_ALU | BPF_AND | BPF_K, 0x0f), EQUAL(NR & 0x0f, 0, 1), ALLOW, RET(0)),
     true},
    {"unknown instructions off the path",
     CODE(LOAD_NR, EQUAL(NR, 1, 0), STMT(BPF_MISC | BPF_TAX, 0), ALLOW), true},
    {"argument", CODE(LOAD(16), ALLOW), false},
    {"instruction pointer", CODE(LOAD(8), ALLOW), false},
    {"high half of an argument", CODE(LOAD(60), ALLOW), false},
    {"tax", CODE(STMT(BPF_MISC | BPF_TAX, 0), ALLOW), false},
    {"txa", CODE(STMT(BPF_MISC | BPF_TXA, 0), ALLOW), false},
    {"ld imm", CODE(LOAD_A(1), ALLOW), false},
    {"ldx imm", CODE(LOAD_X(1), ALLOW), false},
    {"ld len", CODE(STMT(BPF_LD | BPF_W | BPF_LEN, 0), ALLOW), false},
    {"ldx len", CODE(STMT(BPF_LDX | BPF_W | BPF_LEN, 0), ALLOW), false},
    {"st", CODE(STMT(BPF_ST, 0), ALLOW), false},
    {"stx", CODE(STMT(BPF_STX, 0), ALLOW), false},
    {"add", CODE(STMT(BPF_ALU | BPF_ADD | BPF_K, 0), ALLOW), false},
    {"or", CODE(STMT(BPF_ALU | BPF_OR | BPF_K, 0), ALLOW), false},
    {"xor", CODE(STMT(BPF_ALU | BPF_XOR | BPF_K, 0), ALLOW), false},
    {"lsh", CODE(STMT(BPF_ALU | BPF_LSH | BPF_K, 0), ALLOW), false},
    {"rsh", CODE(STMT(BPF_ALU | BPF_RSH | BPF_K, 0), ALLOW), false},
    {"sub", CODE(STMT(BPF_ALU | BPF_SUB | BPF_K, 0), ALLOW), false},
    {"mul", CODE(STMT(BPF_ALU | BPF_MUL | BPF_K, 1), ALLOW), false},
    {"div", CODE(STMT(BPF_ALU | BPF_DIV | BPF_K, 1), ALLOW), false},
    {"neg", CODE(STMT(BPF_ALU | BPF_NEG, 0), ALLOW), false},
    {"and x", CODE(STMT(BPF_ALU | BPF_AND | BPF_X, 0), ALLOW), false},
    {"compare with x", CODE(JUMP(BPF_JEQ | BPF_X, 0, 0, 0), ALLOW), false},
    {"ret a", CODE(LOAD_A(SECCOMP_RET_ALLOW), RET_A), false},
    {"allow with data", CODE(RET(SECCOMP_RET_ALLOW | 1)), false},
    {"log", CODE(RET(SECCOMP_RET_LOG)), false},
};

static struct program program_of(const struct row *row, struct sock_filter *code)
{
    memcpy(code, row->code, row->length * sizeof code[0]);
    return (struct program){.name = row->what, .code = code, .length = row->length};
}

static void test_each_instruction(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sock_filter code[COUNT_OF(rows[i].code)];
        struct program program = program_of(&rows[i], code);
        assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
        if (cache_allows(&program, ARCH, NR) != rows[i].cached)
            print_message("# %s\n", rows[i].what);
        assert_int_equal(cache_allows(&program, ARCH, NR), rows[i].cached);
    }
}

static void test_denied_calls_are_not_cached(void **state)
{
    (void)state;
    for (int action = 0; action < ACTION_ALLOW; action++) {
        struct program program = PROGRAM(RET(action_get((enum action)action)->word));
        assert_false(cache_allows(&program, ARCH, NR));
    }
    struct program off_the_end = PROGRAM(LOAD_NR);
    struct program far = PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), ALLOW);
    assert_false(cache_allows(&off_the_end, ARCH, NR));
    assert_false(cache_allows(&far, ARCH, NR));
}

static void test_other_pairs(void **state)
{
    (void)state;
    struct program one = PROGRAM(LOAD_NR, EQUAL(NR, 0, 1), ALLOW, RET(0));
    assert_true(cache_allows(&one, 0, NR));
    assert_false(cache_allows(&one, ARCH, NR + 1));
    struct program native =
        PROGRAM(LOAD_ARCH, EQUAL(ARCH, 0, 1), ALLOW, RET(SECCOMP_RET_ALLOW | 1));
    assert_true(cache_allows(&native, ARCH, 0));
    assert_false(cache_allows(&native, ARCH + 1, 0));
}

static uint32_t count_of(const struct program *programs, size_t count, enum abi_id abi)
{
    return cache_count(programs, count, abi_get(abi));
}

static void test_counts(void **state)
{
    (void)state;
    struct program all = PROGRAM(ALLOW);
    struct program one = PROGRAM(LOAD_NR, EQUAL(NR, 0, 1), ALLOW, RET(0));
    struct program none = PROGRAM(LOAD(16), ALLOW);
    assert_in_range(count_of(&all, 1, ABI_X86_64), 300, 470);
    assert_in_range(count_of(&all, 1, ABI_I386), 300, 470);
    assert_int_equal(count_of(&one, 1, ABI_X86_64), 1);
    assert_int_equal(count_of(&none, 1, ABI_X86_64), 0);
    /* a stack caches what all of it allows */
    struct program stack[] = {all, one, all};
    assert_int_equal(count_of(stack, 3, ABI_X86_64), 1);
    struct program blind[] = {all, none};
    assert_int_equal(count_of(blind, 2, ABI_X86_64), 0);
    /* x32 numbers are past the end of the table, mips has no table */
    assert_int_equal(count_of(&all, 1, ABI_X32), 0);
    assert_int_equal(count_of(&all, 1, ABI_MIPS), 0);
    assert_in_range(count_of(&all, 1, ABI_AARCH64), 250, 470);
}

static void allow_often(struct random *random, struct draft *draft)
{
    for (uint32_t i = 0; i < draft->length; i++)
        if (BPF_CLASS(draft->code[i].code) == BPF_RET && one_in(random, 2))
            draft->code[i] = (struct sock_filter)ALLOW;
}

/* What is cached is never run again, so it must be what a run would give, for any argument. */
static void test_cached_means_allowed(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(5);
    struct draft *draft = NEW(fixture->arena, struct draft);
    uint32_t cached = 0;
    for (int i = 0; i < 20000; i++) {
        draft_valid(&random, draft);
        allow_often(&random, draft);
        struct program program = draft_program(draft, "generated");
        struct input input = random_input(&random, &program);
        if (!cache_allows(&program, input.arch, input.nr))
            continue;
        cached++;
        for (int j = 0; j < 10; j++) {
            struct input other = random_input(&random, &program);
            other.arch = input.arch;
            other.nr = input.nr;
            assert_int_equal(interpret(&program, &other, NULL, 0).word, SECCOMP_RET_ALLOW);
        }
    }
    assert_true(cached > 100);
}

/* ---- the running kernel's cache, by the time that a call takes ----------------------------- */

#define PADDING 3000u /* instructions of about a third of a nanosecond */
#define TRIES 10
#define ROUNDS 60
#define CALLS 20

/* Runs in a child: nanoseconds for CALLS calls of getppid, the least of many rounds. */
static uint64_t time_calls(void)
{
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = clock_ns();
        for (int i = 0; i < CALLS; i++)
            (void)syscall(SYS_getppid);
        uint64_t taken = clock_ns() - before;
        least = taken < least ? taken : least;
    }
    return least;
}

/* 0 when it could not be measured. */
static uint64_t time_under(const struct program *program)
{
    uint64_t *least =
        mmap(NULL, sizeof *least, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(least, MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        struct sock_fprog filter = {.len = (uint16_t)program->length, .filter = program->code};
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
            *least = time_calls();
        _exit(0);
    }
    int status;
    (void)waitpid(pid, &status, 0);
    uint64_t taken = *least;
    (void)munmap(least, sizeof *least);
    return taken;
}

/* A case behind a long but cacheable prefix, so that running the program takes many times as long
 * as looking into the cache. */
static uint64_t time_row(const struct row *row, struct sock_filter *code)
{
    code[0] = (struct sock_filter)LOAD_NR;
    for (uint32_t i = 1; i < PADDING; i++)
        code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffffff);
    memcpy(code + PADDING, row->code, row->length * sizeof code[0]);
    struct program program = {.name = row->what, .code = code, .length = PADDING + row->length};
    return time_under(&program);
}

static bool kernel_has_cache(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return false;
    return major > 5 || (major == 5 && minor >= 11);
}

static void test_the_kernel_caches_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter *code = NEW_ARRAY(fixture->arena, struct sock_filter, PROGRAM_MOST);
    const struct row cached = {"cached", CODE(ALLOW), true};
    const struct row run = {"run", CODE(LOAD(16), ALLOW), false};
    uint64_t fast = time_row(&cached, code), slow = time_row(&run, code);
    if (SYS_getppid != NR || !kernel_has_cache() || fast == 0 || slow < 3 * fast) {
        print_message("# SKIP the cache cannot be told from the program here\n");
        skip();
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t taken = time_row(&rows[i], code);
        /* A busy machine makes it longer, never shorter. */
        for (int again = 0; again < TRIES && rows[i].cached && taken >= (fast + slow) / 2; again++)
            taken = time_row(&rows[i], code);
        if ((taken < (fast + slow) / 2) != rows[i].cached)
            print_message("# %s: %llu ns; cached %llu, run %llu\n", rows[i].what,
                          (unsigned long long)taken / CALLS, (unsigned long long)fast / CALLS,
                          (unsigned long long)slow / CALLS);
        assert_int_equal(taken < (fast + slow) / 2, rows[i].cached);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_instruction),     TEST(test_denied_calls_are_not_cached),
        TEST(test_other_pairs),          TEST(test_counts),
        TEST(test_cached_means_allowed), TEST(test_the_kernel_caches_the_same),
    };
    return RUN_TESTS(tests);
}
