#include "sim/child.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "sim/entry.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP                                                                                \
    1 /* si_code of SECCOMP_RET_TRAP: <asm-generic/siginfo.h>, not in the C library's */
#endif

#define STACK_BYTES (64u << 10)

/* One shared mapping per child: the progress and the stacks of what runs beside the caller. */
struct shared {
    struct progress progress;
    _Alignas(64) char witness_stack[STACK_BYTES];
    _Alignas(64) char trap_stack[STACK_BYTES];
};

static struct shared *shared_of(struct progress *progress)
{
    return (struct shared *)((char *)progress - offsetof(struct shared, progress));
}

/* ---- in the child -------------------------------------------------------------------------- */

static void prepare_child(void)
{
    static const int faults[] = {SIGTRAP, SIGSEGV, SIGILL, SIGBUS, SIGFPE};
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        (void)signal(faults[i], SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The witness is outside the filter, which is its creator's alone. When SECCOMP_RET_KILL_THREAD
 * ends the caller the kernel clears caller_alive and wakes us; SECCOMP_RET_KILL_PROCESS ends us
 * too. It leaves by exit(2), of this thread only, so that the caller's own status is what the
 * parent reads. */
static int witness(void *argument)
{
    struct progress *progress = argument;
    volatile uint32_t *alive = &progress->caller_alive;
    atomic_store(&progress->witness_ready, 1);
    while (*alive)
        (void)syscall(SYS_futex, &progress->caller_alive, FUTEX_WAIT, 1, NULL, NULL, 0);
    atomic_store(&progress->witness_survived, 1);
    (void)syscall(SYS_exit, 0);
    return 0;
}

void child_add_witness(struct progress *progress)
{
    struct shared *shared = shared_of(progress);
    sigset_t all, before;
    (void)sigfillset(&all);
    progress->caller_alive = 1;
    (void)syscall(SYS_set_tid_address, &progress->caller_alive);
    /* Signals that are sent to the process are the caller's business. */
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    int made = clone(
        witness, shared->witness_stack + STACK_BYTES,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, progress);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    while (made > 0 && !atomic_load(&progress->witness_ready))
        (void)sched_yield();
}

/* The alternate stack says where the progress is kept: a handler has no argument of its own. */
static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    if (info->si_code != SYS_SECCOMP)
        return;
    char *stack = ((ucontext_t *)context)->uc_stack.ss_sp;
    struct shared *shared = (struct shared *)(stack - offsetof(struct shared, trap_stack));
    uint32_t calling = STAGE_CALLING; /* no other call is ours to report */
    if (atomic_compare_exchange_strong(&shared->progress.stage, &calling, STAGE_TRAPPED))
        shared->progress.value = info->si_errno;
    entry_leave();
}

void child_catch_trap(struct progress *progress)
{
    struct shared *shared = shared_of(progress);
    stack_t stack = {.ss_sp = shared->trap_stack, .ss_size = STACK_BYTES};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigaltstack(&stack, NULL);
    (void)sigaction(SIGSYS, &action, NULL);
    sigset_t trap;
    (void)sigemptyset(&trap);
    (void)sigaddset(&trap, SIGSYS);
    (void)sigprocmask(SIG_UNBLOCK, &trap, NULL);
}

int child_install(const struct program *program)
{
    if (program->length > UINT16_MAX)
        return EINVAL; /* no struct sock_fprog can say so much */
    struct sock_fprog filter = {.len = (uint16_t)program->length, .filter = program->code};
    static const uint64_t no_new_privs[6] = {PR_SET_NO_NEW_PRIVS, 1};
    const uint64_t install[6] = {SECCOMP_SET_MODE_FILTER, 0, (uintptr_t)&filter};
    (void)entry_install(SYS_prctl, no_new_privs);
    return (int)-entry_install(SYS_seccomp, install);
}

/* ---- in the parent ------------------------------------------------------------------------- */

/* Waits on a pidfd where the kernel has it, else looks every millisecond. */
static struct ending await(pid_t pid, double seconds)
{
    struct ending ending = {0};
    struct deadline deadline = deadline_in(seconds);
    struct pollfd poll_on = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    for (;;) {
        pid_t gone = waitpid(pid, &ending.status, WNOHANG);
        ending.lost = gone < 0 && errno != EINTR;
        if (gone == pid || ending.lost)
            break;
        if (deadline_passed(deadline) && !ending.timed_out) {
            ending.timed_out = true;
            (void)kill(pid, SIGKILL);
        }
        uint32_t left = deadline_left_ms(deadline);
        int wait_ms = left > 1000 ? 1000 : (int)left;
        if (poll_on.fd < 0 || wait_ms == 0)
            wait_ms = 1;
        (void)poll(&poll_on, 1, wait_ms);
    }
    if (poll_on.fd >= 0)
        (void)close(poll_on.fd);
    return ending;
}

bool child_run(child_job *job, const void *argument, double seconds, struct progress *progress,
               struct ending *ending)
{
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        prepare_child();
        job(&shared->progress, argument);
        _exit(0);
    }
    int error = errno;
    if (pid > 0) {
        *ending = await(pid, seconds);
        memcpy(progress, &shared->progress, sizeof *progress);
    }
    (void)munmap(shared, sizeof *shared);
    errno = error;
    return pid > 0;
}
