#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/dump.h"

/* A command and all that comes of it, followed from system call to system call.
 *
 * PTRACE_O_EXITKILL is not set: when this process dies the kernel lets go of what it traced, and
 * the command goes on by itself, as the child of any program that died would. */

#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define HELD_SECONDS 1.0 /* how long a new thread waits for word from the one that made it */
#define LET_GO_SECONDS 1.0

struct tracee {
    struct dump_thread who;
    bool known; /* the thread that made it has told; until then it is held at its first stop */
    bool held;
    int held_stop; /* the signal of a group stop that it is held in, else 0 */
    uint64_t held_at;
    struct filter_list stack;
    struct attempt attempt; /* the installation that it is inside of */
};

struct watch {
    struct dump *dump;
    struct diagnostics *diagnostics;
    VECTOR(struct tracee) tracees; /* alive */
    pid_t command;
    struct dump_ending *ending;
    bool letting_go;
    struct deadline deadline;
    const char *no_kernel; /* why the caller's memory is read instead */
};

static const unsigned long follow_options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                            PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                                            PTRACE_O_TRACEEXEC;

static void *as_data(long value)
{
    return (void *)(intptr_t)value;
}

/* ---- the tracees -------------------------------------------------------------------------------
 */

static struct tracee *find(struct watch *watch, pid_t thread)
{
    for (size_t i = 0; i < watch->tracees.count; i++)
        if (watch->tracees.items[i].who.thread == thread)
            return &watch->tracees.items[i];
    return NULL;
}

static struct tracee *find_or_add(struct watch *watch, pid_t thread)
{
    struct tracee *tracee = find(watch, thread);
    if (tracee)
        return tracee;
    struct thread_status status;
    pid_t process = thread_status(thread, &status) ? status.process : thread;
    struct tracee fresh = {.who = {process, thread, "?"}};
    vector_push(watch->dump->arena, &watch->tracees, fresh);
    return &watch->tracees.items[watch->tracees.count - 1];
}

static void learn_name(struct watch *watch, struct tracee *tracee)
{
    tracee->who.command = thread_command(watch->dump->arena, tracee->who.thread);
}

/* What it was under is noted when it ends, or is let go. */
static void forget(struct watch *watch, struct tracee *tracee)
{
    if (tracee->stack.count)
        dump_thread_under(watch->dump, &tracee->stack, tracee->who);
    *tracee = watch->tracees.items[--watch->tracees.count];
}

/* ---- going on -----------------------------------------------------------------------------------
 */

/* Lets a stopped thread go on, with the signal that it is about to get; a thread in a group stop
 * stays in it. */
static void go_on(struct watch *watch, struct tracee *tracee, int signal, bool group_stop)
{
    pid_t thread = tracee->who.thread;
    if (watch->letting_go) {
        (void)ptrace(PTRACE_DETACH, thread, NULL, as_data(group_stop ? 0 : signal));
        forget(watch, tracee);
    } else if (group_stop) {
        (void)ptrace(PTRACE_LISTEN, thread, NULL, NULL);
    } else {
        (void)ptrace(PTRACE_SYSCALL, thread, NULL, as_data(signal));
    }
}

static void release(struct watch *watch, struct tracee *tracee)
{
    tracee->known = true;
    if (!tracee->held)
        return;
    tracee->held = false;
    go_on(watch, tracee, 0, tracee->held_stop != 0);
}

static void inherit(struct watch *watch, struct tracee *child, const struct tracee *parent)
{
    filter_list_copy(watch->dump->arena, &child->stack, &parent->stack);
    child->who.command = parent->who.command;
}

/* The thread that made this one was killed before it could tell: its process, or the parent's, must
 * do; where the kernel answers, it knows best. */
static void release_orphan(struct watch *watch, struct tracee *tracee)
{
    struct thread_status status;
    const struct tracee *relative = NULL;
    if (thread_status(tracee->who.thread, &status)) {
        pid_t process = status.process == tracee->who.thread ? status.parent : tracee->who.process;
        for (size_t i = 0; i < watch->tracees.count; i++)
            if (watch->tracees.items[i].who.process == process &&
                &watch->tracees.items[i] != tracee)
                relative = &watch->tracees.items[i];
    }
    if (relative)
        inherit(watch, tracee, relative);
    struct filter_list list;
    if (!watch->no_kernel && kernel_stack(watch->dump, tracee->who.thread, &list) == 0)
        tracee->stack = list;
    learn_name(watch, tracee);
    release(watch, tracee);
}

static void release_orphans(struct watch *watch)
{
    for (size_t i = 0; i < watch->tracees.count;) {
        size_t before = watch->tracees.count;
        struct tracee *tracee = &watch->tracees.items[i];
        if (tracee->held &&
            (watch->letting_go || clock_ns() - tracee->held_at > (uint64_t)(HELD_SECONDS * 1e9)))
            release_orphan(watch, tracee);
        if (watch->tracees.count == before)
            i++;
    }
}

static bool holds_any(const struct watch *watch)
{
    for (size_t i = 0; i < watch->tracees.count; i++)
        if (watch->tracees.items[i].held)
            return true;
    return false;
}

/* ---- installations
 * ------------------------------------------------------------------------------- */

/* Another thread may write to the program while the kernel copies it. */
static void add_from_memory(struct watch *watch, struct tracee *tracee)
{
    const struct attempt *attempt = &tracee->attempt;
    if (!attempt->code) {
        report_error(watch->diagnostics, NO_SPAN,
                     "thread %d (%s) installed a filter that could not be read from its memory",
                     (int)tracee->who.thread, tracee->who.command);
        return;
    }
    if (!attempt_is_unchanged(watch->dump->arena, tracee->who.thread, attempt))
        report_warning(watch->diagnostics, NO_SPAN,
                       "thread %d (%s): the program in memory was changed while it was installed, "
                       "so what the kernel has may be something else",
                       (int)tracee->who.thread, tracee->who.command);
    uint32_t filter = dump_filter(watch->dump, attempt->code, attempt->length);
    vector_push(watch->dump->arena, &tracee->stack, filter);
}

static bool add_from_kernel(struct watch *watch, struct tracee *tracee)
{
    struct filter_list list;
    if (watch->no_kernel)
        return false;
    int error = kernel_stack(watch->dump, tracee->who.thread, &list);
    if (error) {
        watch->no_kernel = kernel_stack_error(error);
        return false;
    }
    tracee->stack = list;
    return true;
}

/* TSYNC puts all threads of the process under the caller's stack. */
static void synchronize(struct watch *watch, const struct tracee *caller)
{
    for (size_t i = 0; i < watch->tracees.count; i++) {
        struct tracee *other = &watch->tracees.items[i];
        if (other != caller && other->who.process == caller->who.process)
            filter_list_copy(watch->dump->arena, &other->stack, &caller->stack);
    }
}

static void note_installation(struct watch *watch, struct tracee *tracee)
{
    size_t before = tracee->stack.count;
    learn_name(watch, tracee);
    if (!add_from_kernel(watch, tracee))
        add_from_memory(watch, tracee);
    if (tracee->attempt.flags & SECCOMP_FILTER_FLAG_TSYNC)
        synchronize(watch, tracee);
    if (tracee->stack.count == before)
        return;
    struct dump_installation installation = {
        .by = tracee->who,
        .filter = tracee->stack.items[tracee->stack.count - 1],
        .place = (uint32_t)tracee->stack.count - 1,
        .flags = tracee->attempt.flags,
        .call = tracee->attempt.call,
        .abi = tracee->attempt.abi,
    };
    vector_push(watch->dump->arena, &watch->dump->installations, installation);
}

static void let_go(struct watch *watch);

static void at_system_call(struct watch *watch, struct tracee *tracee)
{
    struct __ptrace_syscall_info info;
    pid_t thread = tracee->who.thread;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, as_data(sizeof info), &info) <= 0) {
        if (errno == ESRCH)
            return;
        report_error(watch->diagnostics, NO_SPAN,
                     "this kernel does not tell what a system call is (PTRACE_GET_SYSCALL_INFO, "
                     "Linux 5.3): %s",
                     strerror(errno));
        let_go(watch);
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        uint64_t args[6];
        for (size_t i = 0; i < COUNT_OF(args); i++)
            args[i] = info.entry.args[i];
        tracee->attempt = attempt_read(watch->dump->arena, thread, info.arch, info.entry.nr, args);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->attempt.call) {
        if (attempt_succeeded(&tracee->attempt, info.exit.rval, info.exit.is_error))
            note_installation(watch, tracee);
        tracee->attempt.call = NULL;
    }
}

/* ---- stops
 * --------------------------------------------------------------------------------------- */

static void on_new_thread(struct watch *watch, pid_t parent, pid_t thread)
{
    struct tracee *child = find_or_add(watch, thread);
    inherit(watch, child, find(watch, parent));
    release(watch, child);
}

/* The thread that executes takes the process's id; the others are gone without a word. */
static void on_exec(struct watch *watch, pid_t thread, pid_t former)
{
    struct tracee *before = find(watch, former);
    if (former != thread && before) {
        struct filter_list stack = before->stack;
        *before = watch->tracees.items[--watch->tracees.count];
        struct tracee *leader = find_or_add(watch, thread);
        leader->stack = stack;
        leader->known = true;
    }
    struct tracee *tracee = find_or_add(watch, thread);
    tracee->attempt.call = NULL;
    learn_name(watch, tracee);
}

static void on_first_stop(struct tracee *tracee, int group_stop)
{
    tracee->held = true;
    tracee->held_stop = group_stop;
    tracee->held_at = clock_ns();
}

static void on_stop(struct watch *watch, pid_t thread, int status)
{
    struct tracee *tracee = find_or_add(watch, thread);
    int event = status >> 16, signal = WSTOPSIG(status);
    unsigned long message = 0;
    if (event && event != PTRACE_EVENT_STOP)
        (void)ptrace(PTRACE_GETEVENTMSG, thread, NULL, &message);
    bool group_stop = event == PTRACE_EVENT_STOP && signal != SIGTRAP;
    if (!tracee->known) {
        on_first_stop(tracee, group_stop ? signal : 0);
        return;
    }
    if (event == PTRACE_EVENT_EXEC)
        on_exec(watch, thread, (pid_t)message);
    else if (event && event != PTRACE_EVENT_STOP && message)
        on_new_thread(watch, thread, (pid_t)message);
    else if (!event && signal == SYSCALL_STOP)
        at_system_call(watch, tracee);
    tracee = find_or_add(watch, thread); /* they move when one is added */
    tracee->known = true;
    go_on(watch, tracee, event || signal == SYSCALL_STOP ? 0 : signal, group_stop);
}

static void on_end(struct watch *watch, pid_t thread, int status)
{
    struct tracee *tracee = find(watch, thread);
    if (tracee)
        forget(watch, tracee);
    if (thread != watch->command)
        return;
    watch->ending->ended = true;
    watch->ending->status = status;
}

/* False when nothing is left to wait for. */
static bool handle_all(struct watch *watch)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
        if (thread == 0)
            return true;
        if (thread < 0 && errno == EINTR)
            continue;
        if (thread < 0)
            return false;
        if (WIFSTOPPED(status))
            on_stop(watch, thread, status);
        else
            on_end(watch, thread, status);
    }
}

/* ---- the end
 * ------------------------------------------------------------------------------------- */

/* A thread can be let go only where it is stopped. */
static void let_go(struct watch *watch)
{
    if (watch->letting_go)
        return;
    watch->letting_go = true;
    watch->deadline = deadline_in(LET_GO_SECONDS);
    for (size_t i = 0; i < watch->tracees.count; i++)
        (void)ptrace(PTRACE_INTERRUPT, watch->tracees.items[i].who.thread, NULL, NULL);
}

/* A signal from a terminal reaches the command as well; one that was sent to us alone is handed on.
 */
static void on_signal(struct watch *watch, const siginfo_t *info)
{
    if (watch->ending->ended)
        let_go(watch);
    else if (info->si_code <= 0)
        (void)kill(watch->command, info->si_signo);
}

static void wait_for_news(struct watch *watch, const sigset_t *signals)
{
    uint32_t left = deadline_left_ms(watch->deadline);
    uint32_t most = holds_any(watch) ? 100 : 10000; /* the longer only in case that one is missed */
    if (left > most)
        left = most;
    struct timespec patience = {left / 1000, (long)(left % 1000) * 1000000};
    siginfo_t info;
    int got = sigtimedwait(signals, &info, &patience);
    if (got > 0 && got != SIGCHLD)
        on_signal(watch, &info);
}

static void follow(struct watch *watch, const sigset_t *signals)
{
    while (handle_all(watch)) {
        if (watch->letting_go && (watch->tracees.count == 0 || deadline_passed(watch->deadline)))
            break;
        if (deadline_passed(watch->deadline))
            let_go(watch);
        release_orphans(watch);
        wait_for_news(watch, signals);
    }
    while (watch->tracees.count)
        forget(watch, &watch->tracees.items[watch->tracees.count - 1]);
    dump_sort_threads(watch->dump);
}

/* ---- the beginning
 * -------------------------------------------------------------------------------- */

/* Runs in the child, which waits until it is traced. */
static _Noreturn void execute(const struct dump_request *request, int channel, const sigset_t *mask)
{
    char byte;
    if (read(channel, &byte, 1) != 1)
        _exit(127); /* nobody is there any more */
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    if (!request->output_to_stderr || dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        (void)execvp(request->command[0], request->command);
    int error = errno;
    (void)!write(channel, &error, sizeof error);
    _exit(127);
}

static result start(struct watch *watch, const struct dump_request *request, int channel[2],
                    const sigset_t *mask)
{
    fflush(NULL);
    watch->command = fork();
    if (watch->command == 0)
        execute(request, channel[1], mask);
    (void)close(channel[1]);
    if (watch->command < 0) {
        report_error(watch->diagnostics, NO_SPAN, "cannot fork: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    if (ptrace(PTRACE_SEIZE, watch->command, NULL, as_data((long)follow_options)) != 0) {
        report_error(watch->diagnostics, NO_SPAN, "cannot trace %s: %s", request->command[0],
                     strerror(errno));
        (void)kill(watch->command, SIGKILL);
        (void)waitpid(watch->command, NULL, 0);
        return FAILURE(ERROR_UNSUPPORTED);
    }
    struct tracee *first = find_or_add(watch, watch->command);
    first->known = true;
    learn_name(watch, first);
    /* Its system calls are seen from the stop that this asks for. */
    (void)ptrace(PTRACE_INTERRUPT, watch->command, NULL, NULL);
    (void)!write(channel[0], "", 1);
    return SUCCESS;
}

static result run_and_follow(struct watch *watch, const struct dump_request *request,
                             const sigset_t *signals, const sigset_t *mask)
{
    int channel[2], error = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) {
        report_error(watch->diagnostics, NO_SPAN, "cannot make a socket: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    result r = start(watch, request, channel, mask);
    if (worked(r))
        follow(watch, signals);
    if (worked(r) && recv(channel[0], &error, sizeof error, MSG_DONTWAIT) == sizeof error) {
        report_error(watch->diagnostics, NO_SPAN, "cannot execute %s: %s", request->command[0],
                     strerror(error));
        r = FAILURE(ERROR_IO);
    }
    (void)close(channel[0]);
    return r;
}

static void tell_own_filters(struct watch *watch)
{
    struct thread_status status;
    if (thread_status(getpid(), &status) && status.seccomp == SECCOMP_MODE_FILTER)
        report_warning(watch->diagnostics, NO_SPAN,
                       "bpfproof itself runs under seccomp filters; the command begins under them "
                       "too, and they are not shown");
}

result dump_command(struct arena *arena, const struct dump_request *request,
                    struct diagnostics *diagnostics, struct dump *dump, struct dump_ending *ending)
{
    static const int handed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    *dump = (struct dump){.arena = arena};
    *ending = (struct dump_ending){0};
    struct watch watch = {.dump = dump,
                          .diagnostics = diagnostics,
                          .ending = ending,
                          .deadline = request->deadline,
                          .no_kernel = kernel_stack_unavailable()};
    sigset_t signals, before;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    for (size_t i = 0; i < COUNT_OF(handed_on); i++)
        (void)sigaddset(&signals, handed_on[i]);
    void (*on_child)(int) = signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    tell_own_filters(&watch);
    result r = run_and_follow(&watch, request, &signals, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)signal(SIGCHLD, on_child);
    return worked(r) && diagnostics->errors ? FAILURE(ERROR_UNSUPPORTED) : r;
}
