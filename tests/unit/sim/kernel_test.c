#include "tests/unit/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sim/programs.h"

#define ABOVE_THE_TABLE 999999u
#define ARCH_I386 0x40000003u

static const uint64_t none[6] = {0};

#define NEEDS_KERNEL()                                                                             \
    do {                                                                                           \
        const char *reason;                                                                        \
        if (!kernel_available(&reason)) {                                                          \
            print_message("# SKIP %s\n", reason);                                                  \
            skip();                                                                                \
        }                                                                                          \
    } while (0)
#define NEEDS_INT80()                                                                              \
    do {                                                                                           \
        NEEDS_KERNEL();                                                                            \
        if (!kernel_has_int80()) {                                                                 \
            print_message("# SKIP no int 0x80\n");                                                 \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

struct action_row {
    uint32_t word;
    enum kernel_outcome called;
    int64_t value;
    bool whole_process;
    enum kernel_outcome probed;
};

/* What a call above the table, which does nothing, comes to under each action. */
static const struct action_row action_rows[] = {
    {SECCOMP_RET_ALLOW, KERNEL_RETURNED, -ENOSYS, false, KERNEL_PERMITTED},
    {SECCOMP_RET_ALLOW | 7, KERNEL_RETURNED, -ENOSYS, false, KERNEL_PERMITTED},
    {SECCOMP_RET_LOG, KERNEL_RETURNED, -ENOSYS, false, KERNEL_PERMITTED},
    {SECCOMP_RET_TRACE | 7, KERNEL_RETURNED, -ENOSYS, false, KERNEL_PERMITTED},
    {SECCOMP_RET_USER_NOTIF, KERNEL_RETURNED, -ENOSYS, false, KERNEL_PERMITTED},
    {SECCOMP_RET_ERRNO | 1, KERNEL_RETURNED, -1, false, KERNEL_RETURNED},
    {SECCOMP_RET_ERRNO | 0, KERNEL_RETURNED, 0, false, KERNEL_RETURNED},
    {SECCOMP_RET_ERRNO | 4094, KERNEL_RETURNED, -4094, false, KERNEL_RETURNED},
    {SECCOMP_RET_ERRNO | 4095, KERNEL_RETURNED, -4095, false, KERNEL_RETURNED},
    {SECCOMP_RET_ERRNO | 0xffff, KERNEL_RETURNED, -4095, false, KERNEL_RETURNED},
    {SECCOMP_RET_TRAP | 0, KERNEL_TRAPPED, 0, false, KERNEL_TRAPPED},
    {SECCOMP_RET_TRAP | 0xffff, KERNEL_TRAPPED, 0xffff, false, KERNEL_TRAPPED},
    {SECCOMP_RET_KILL_THREAD, KERNEL_KILLED, 0, false, KERNEL_KILLED},
    {SECCOMP_RET_KILL_PROCESS, KERNEL_KILLED, 0, true, KERNEL_KILLED},
    {0x00010000, KERNEL_KILLED, 0, true, KERNEL_KILLED}, /* no action has this number */
};

static void test_each_action(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    for (size_t i = 0; i < COUNT_OF(action_rows); i++) {
        const struct action_row *row = &action_rows[i];
        /* Everything but the one call is denied in another way than the one that is expected. */
        struct program program = PROGRAM(LOAD_NR, EQUAL(ABOVE_THE_TABLE, 0, 1), RET(row->word),
                                         RET(SECCOMP_RET_ERRNO | 77));
        struct kernel_result called = kernel_call(&program, 1, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
        assert_int_equal(called.outcome, row->called);
        assert_int_equal(called.value, row->value);
        assert_int_equal(called.whole_process, row->whole_process);
        struct kernel_result probed =
            kernel_probe(&program, 1, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
        if (probed.outcome == KERNEL_UNAVAILABLE)
            continue;
        assert_int_equal(probed.outcome, row->probed);
        if (row->probed != KERNEL_PERMITTED)
            assert_int_equal(probed.value, row->value);
        assert_int_equal(probed.whole_process, row->whole_process);
    }
}

static void test_real_calls_are_made(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW);
    struct kernel_result got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_getppid, none);
    assert_int_equal(got.outcome, KERNEL_RETURNED);
    assert_int_equal(got.value, getpid());
    got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_exit_group, (uint64_t[6]){5});
    assert_int_equal(got.outcome, KERNEL_EXITED);
    assert_int_equal(got.value, 5);
    got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_exit, (uint64_t[6]){6});
    assert_int_equal(got.outcome, KERNEL_EXITED);
    assert_int_equal(got.value, 6);
}

/* The second process that comes back from the call reports nothing and ends. */
static void test_calls_that_return_twice(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW);
    const uint64_t as_fork[6] = {SIGCHLD};
    struct kernel_result got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_clone, as_fork);
    assert_int_equal(got.outcome, KERNEL_RETURNED);
    assert_true(got.value >= 0);
}

static void test_calls_that_end_badly(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW);
    /* there is no signal to return from: what lies on the stack makes no frame */
    struct kernel_result got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_rt_sigreturn, none);
    assert_int_equal(got.outcome, KERNEL_DIED);
    assert_int_equal(got.value, SIGSEGV);
}

/* With SIGCHLD ignored the kernel throws statuses away: then nothing may be made up. */
static void test_lost_status(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW), kill = PROGRAM(RET(0));
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    struct kernel_result returned = kernel_call(&allow, 1, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
    struct kernel_result killed = kernel_call(&kill, 1, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
    (void)signal(SIGCHLD, before);
    assert_int_equal(returned.outcome, KERNEL_RETURNED);
    assert_int_equal(killed.outcome, KERNEL_UNAVAILABLE);
}

static void test_probed_calls_are_not_made(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW);
    struct kernel_result got =
        kernel_probe(&allow, 1, ENTRY_NATIVE, SYS_exit_group, (uint64_t[6]){5});
    if (got.outcome == KERNEL_UNAVAILABLE)
        skip();
    assert_int_equal(got.outcome, KERNEL_PERMITTED);
}

static void test_a_call_that_blocks_is_ended(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program allow = PROGRAM(ALLOW);
    /* ppoll of nothing, for ever: every architecture has it */
    struct kernel_result got = kernel_call(&allow, 1, ENTRY_NATIVE, SYS_ppoll, none);
    assert_int_equal(got.outcome, KERNEL_BLOCKED);
}

/* All six registers arrive whole: one filter per half, which permits nothing else. */
static void test_registers_arrive(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    const uint64_t args[6] = {0x1111111122222222, 0x3333333344444444, 0x5555555566666666,
                              0x7777777788888888, 0x99999999aaaaaaaa, 0xbbbbbbbbcccccccc};
    struct input input = {.nr = ABOVE_THE_TABLE};
    memcpy(input.args, args, sizeof args);
    for (unsigned word = FIELD_ARG0_LO; word < FIELD_COUNT; word++) {
        enum field field = (enum field)word;
        struct program program =
            PROGRAM(LOAD(field_offset(field, false)), EQUAL(input_field(&input, field), 0, 1),
                    RET(SECCOMP_RET_ERRNO | 33), ALLOW);
        struct kernel_result got = kernel_call(&program, 1, ENTRY_NATIVE, ABOVE_THE_TABLE, args);
        assert_int_equal(got.value, -33);
        if (kernel_has_int80())
            assert_int_equal(kernel_call(&program, 1, ENTRY_INT80, ABOVE_THE_TABLE, args).value,
                             -33);
    }
}

static void test_instruction_pointer_is_known(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    for (int entry = ENTRY_NATIVE; entry <= ENTRY_INT80; entry++) {
        uint64_t ip = kernel_call_ip((enum kernel_entry)entry);
        if (ip == 0 || (entry == ENTRY_INT80 && !kernel_has_int80()))
            continue;
        struct program program =
            PROGRAM(LOAD(8), EQUAL((uint32_t)ip, 0, 3), LOAD(12), EQUAL((uint32_t)(ip >> 32), 0, 1),
                    RET(SECCOMP_RET_ERRNO | 33), ALLOW);
        struct kernel_result got =
            kernel_call(&program, 1, (enum kernel_entry)entry, ABOVE_THE_TABLE, none);
        assert_int_equal(got.value, -33);
    }
}

static void test_int80_shows_the_other_arch(void **state)
{
    (void)state;
    NEEDS_INT80();
    struct program program =
        PROGRAM(LOAD_ARCH, EQUAL(ARCH_I386, 0, 1), RET(SECCOMP_RET_ERRNO | 33), ALLOW);
    assert_int_equal(kernel_call(&program, 1, ENTRY_INT80, 20, none).value, -33);
    assert_int_equal(kernel_call(&program, 1, ENTRY_NATIVE, SYS_getppid, none).value, getpid());
}

static void test_stack_order(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program one =
        PROGRAM(LOAD_NR, EQUAL(ABOVE_THE_TABLE, 0, 1), RET(SECCOMP_RET_ERRNO | 1), ALLOW);
    struct program two =
        PROGRAM(LOAD_NR, EQUAL(ABOVE_THE_TABLE, 0, 1), RET(SECCOMP_RET_ERRNO | 2), ALLOW);
    struct program stack[] = {one, two};
    assert_int_equal(kernel_call(stack, 2, ENTRY_NATIVE, ABOVE_THE_TABLE, none).value, -2);
}

/* The older filter denies the installation of the newer. */
static void test_stack_that_cannot_be_installed(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    struct program kill =
        PROGRAM(LOAD_NR, EQUAL(SYS_seccomp, 0, 1), RET(SECCOMP_RET_KILL_PROCESS), ALLOW);
    struct program deny =
        PROGRAM(LOAD_NR, EQUAL(SYS_seccomp, 0, 1), RET(SECCOMP_RET_ERRNO | 9), ALLOW);
    struct program allow = PROGRAM(ALLOW);
    struct kernel_result got =
        kernel_call((struct program[]){kill, allow}, 2, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
    assert_int_equal(got.outcome, KERNEL_REFUSED);
    assert_int_equal(got.value, 0);
    got = kernel_call((struct program[]){deny, allow}, 2, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
    assert_int_equal(got.outcome, KERNEL_REFUSED);
    assert_int_equal(got.value, 9);
}

static void test_other_byte_order_is_not_run(void **state)
{
    (void)state;
    struct program program = PROGRAM(ALLOW);
    program.big_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    assert_int_equal(kernel_call(&program, 1, ENTRY_NATIVE, SYS_getppid, none).outcome,
                     KERNEL_UNAVAILABLE);
}

static struct sock_filter long_code[PROGRAM_MOST + 1];

static void make_long(void)
{
    for (size_t i = 0; i < COUNT_OF(long_code); i++)
        long_code[i] = (struct sock_filter)ALLOW;
}

#define TAX BPF_STMT(BPF_MISC | BPF_TAX, 0)

/* One program per rule, both sides of it where there is a boundary. */
static void test_admission(void **state)
{
    struct fixture *fixture = *state;
    NEEDS_KERNEL();
    make_long();
    const struct program programs[] = {
        PROGRAM(ALLOW),
        {.name = "empty", .code = long_code, .length = 0},
        {.name = "longest", .code = long_code, .length = PROGRAM_MOST},
        {.name = "too long", .code = long_code, .length = PROGRAM_MOST + 1},
        {.name = "longer than can be said", .code = long_code, .length = 65537},
        PROGRAM(BPF_STMT(BPF_RET | BPF_X, 0)),
        PROGRAM(BPF_STMT(0x0100 | BPF_RET, 0)),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_DIV, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_DIV, 1), ALLOW),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_LSH, 31), ALLOW),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_LSH, 32), ALLOW),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_RSH, 32), ALLOW),
        PROGRAM(BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LD | BPF_MEM, 15), ALLOW),
        PROGRAM(BPF_STMT(BPF_ST, 16), ALLOW),
        PROGRAM(BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW),
        PROGRAM(EQUAL(0, 0, 1), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW),
        PROGRAM(EQUAL(0, 0, 1), BPF_STMT(BPF_ST, 0), ALLOW, BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW),
        PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), ALLOW),
        PROGRAM(EQUAL(0, 0, 1), ALLOW),
        PROGRAM(EQUAL(0, 255, 0), ALLOW),
        PROGRAM(LOAD(0)),
        PROGRAM(LOAD(60), ALLOW),
        PROGRAM(LOAD(64), ALLOW),
        PROGRAM(LOAD(2), ALLOW),
        PROGRAM(LOAD(0xfffff000), ALLOW),
        PROGRAM(LOAD(0xffffffff), ALLOW),
        PROGRAM(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOW),
        PROGRAM(BPF_STMT(BPF_ALU | BPF_MOD, 3), ALLOW),
        PROGRAM(TAX, ALLOW),
        PROGRAM(RET_A),
        PROGRAM(BPF_STMT(BPF_LD | BPF_LEN, 0), BPF_STMT(BPF_LDX | BPF_LEN, 0), RET_A),
    };
    bool accepted[COUNT_OF(programs)];
    size_t yes = 0;
    assert_true(
        worked(kernel_admission(programs, COUNT_OF(programs), accepted, &fixture->diagnostics)));
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        bool expected = check_program(&programs[i]).rule == CHECK_ACCEPTED;
        if (accepted[i] != expected)
            print_message("# program %zu\n", i);
        assert_int_equal(accepted[i], expected);
        struct kernel_result alone = kernel_install(&programs[i]);
        assert_int_equal(alone.outcome, expected ? KERNEL_RETURNED : KERNEL_REFUSED);
        assert_int_equal(alone.value, expected ? 0 : EINVAL);
        yes += accepted[i];
    }
    assert_int_equal(yes, 10);
}

/* How many of these the kernel stacks up, by its limit over converted lengths. */
static size_t stack_most(const struct program *program)
{
    uint32_t length = program_converted_length(program);
    return (STACK_LENGTH_MOST - length) / (length + 4) + 1;
}

static void test_stack_length(void **state)
{
    struct fixture *fixture = *state;
    NEEDS_KERNEL();
    struct sock_filter code[] = {
        LOAD_NR,
        EQUAL(ABOVE_THE_TABLE, 0, 1),
        RET(SECCOMP_RET_ERRNO | 5),
        EQUAL(0xfffffff0, 1, 2),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80000000, 0, 1),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
        ALLOW,
    };
    struct sock_filter *longer = NEW_ARRAY(fixture->arena, struct sock_filter, 1000);
    for (size_t i = 0; i < 1000; i++)
        longer[i] = code[i < 4 ? 0 : 4 + (i - 4) % 3 % 2];
    longer[0] = (struct sock_filter)LOAD_NR;
    longer[1] = (struct sock_filter)EQUAL(ABOVE_THE_TABLE, 1, 0);
    longer[2] = (struct sock_filter)ALLOW;
    longer[3] = (struct sock_filter)LOAD_X(1);
    longer[999] = longer[998] = (struct sock_filter)RET(SECCOMP_RET_ERRNO | 5);
    const struct program shapes[] = {
        {.name = "short", .code = code, .length = COUNT_OF(code)},
        {.name = "long", .code = longer, .length = 1000},
    };
    for (size_t shape = 0; shape < COUNT_OF(shapes); shape++) {
        size_t most = stack_most(&shapes[shape]);
        struct program *stack = NEW_ARRAY(fixture->arena, struct program, most + 1);
        for (size_t i = 0; i <= most; i++)
            stack[i] = shapes[shape];
        struct kernel_result fits = kernel_call(stack, most, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
        assert_int_equal(fits.outcome, KERNEL_RETURNED);
        assert_int_equal(fits.value, -5);
        struct kernel_result exceeds =
            kernel_call(stack, most + 1, ENTRY_NATIVE, ABOVE_THE_TABLE, none);
        assert_int_equal(exceeds.outcome, KERNEL_REFUSED);
        assert_int_equal(exceeds.value, ENOMEM);
    }
}

/* kernel_exec in a process of its own; its exit status. */
static int exec_status(const struct program *program, char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        _exit(failed(kernel_exec(program, 1, argv, &diagnostics)) ? 99 : 98);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_exec(void **state)
{
    (void)state;
    NEEDS_KERNEL();
    char shell[] = "sh", dash_c[] = "-c", text[] = "kill -0 $$ 2>/dev/null && exit 7; exit 8";
    char *const argv[] = {shell, dash_c, text, NULL};
    char absent_name[] = "/nonexistent/program";
    char *const absent[] = {absent_name, NULL};
    struct program allow = PROGRAM(ALLOW);
    struct program no_kill =
        PROGRAM(LOAD_NR, EQUAL(SYS_kill, 0, 1), RET(SECCOMP_RET_ERRNO | EPERM), ALLOW);
    struct program bad = PROGRAM(LOAD_NR);
    assert_int_equal(exec_status(&allow, argv), 7);
    assert_int_equal(exec_status(&no_kill, argv), 8);
    assert_int_equal(exec_status(&bad, argv), 99);
    assert_int_equal(exec_status(&allow, absent), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_action),
        TEST(test_real_calls_are_made),
        TEST(test_calls_that_return_twice),
        TEST(test_calls_that_end_badly),
        TEST(test_lost_status),
        TEST(test_probed_calls_are_not_made),
        TEST(test_a_call_that_blocks_is_ended),
        TEST(test_registers_arrive),
        TEST(test_instruction_pointer_is_known),
        TEST(test_int80_shows_the_other_arch),
        TEST(test_stack_order),
        TEST(test_stack_that_cannot_be_installed),
        TEST(test_other_byte_order_is_not_run),
        TEST(test_admission),
        TEST(test_stack_length),
        TEST(test_exec),
    };
    return RUN_TESTS(tests);
}
