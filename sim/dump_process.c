#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "sim/dump.h"

/* The filters that the threads of a running process have.
 *
 * All tracing is done by a thread of our own that ends when it has done its work or given up: when
 * the thread that traces ends, the kernel lets go of everything that it traces, stopped or not
 * (exit_ptrace). So nothing stays stopped, whatever went wrong, and also when we are killed. */

#define STOP_SECONDS 5.0 /* for a thread to come to a stop: one that waits for a disk does not */
#define PASSES_MOST 16   /* over the list of threads, while new ones appear */

struct visit {
    struct dump *dump;
    pid_t process, only;
    struct deadline deadline;
    struct diagnostics *diagnostics;
    VECTOR(pid_t) seen;
    result outcome;
};

enum stop { STOPPED, ENDED, STILL_RUNNING };

static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 200000};
    (void)nanosleep(&moment, NULL);
}

/* `signal` is what the thread was about to get, which it must get from us. */
static enum stop await_stop(struct visit *visit, pid_t thread, int *signal)
{
    struct deadline patience = deadline_in(STOP_SECONDS);
    *signal = 0;
    while (!deadline_passed(patience) && !deadline_passed(visit->deadline)) {
        int status;
        pid_t got = waitpid(thread, &status, __WALL | WNOHANG);
        if (got < 0 && errno != EINTR)
            return ENDED;
        if (got == thread && !WIFSTOPPED(status))
            return ENDED;
        if (got == thread) {
            *signal = status >> 16 ? 0 : WSTOPSIG(status);
            return STOPPED;
        }
        wait_a_moment();
    }
    return STILL_RUNNING;
}

static result cannot_attach(struct visit *visit, pid_t thread, int error)
{
    struct thread_status status;
    if (error == ESRCH || !thread_status(thread, &status) || strchr("ZX", status.state))
        return SUCCESS; /* it has ended since: it is under nothing any more */
    if (status.tracer) {
        report_error(visit->diagnostics, NO_SPAN, "thread %d is traced by process %d already",
                     (int)thread, (int)status.tracer);
        return FAILURE(ERROR_UNSUPPORTED);
    }
    report_error(visit->diagnostics, NO_SPAN, "cannot trace thread %d: %s", (int)thread,
                 strerror(error));
    return FAILURE(ERROR_UNSUPPORTED);
}

/* Attaches without a signal (PTRACE_SEIZE), so that a stopped thread stays as it was. */
static result read_by_tracing(struct visit *visit, pid_t thread, struct filter_list *list)
{
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
        return cannot_attach(visit, thread, errno);
    int signal, error = 0;
    (void)ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
    enum stop stop = await_stop(visit, thread, &signal);
    if (stop == STOPPED) {
        error = kernel_stack(visit->dump, thread, list);
        (void)ptrace(PTRACE_DETACH, thread, NULL, (void *)(uintptr_t)signal);
    } else if (stop == STILL_RUNNING) {
        report_error(visit->diagnostics, NO_SPAN, "thread %d could not be stopped in time",
                     (int)thread);
        return FAILURE(ERROR_LIMIT);
    }
    if (error == 0 || error == ESRCH)
        return SUCCESS;
    report_error(visit->diagnostics, NO_SPAN, "cannot read the filters of thread %d: %s",
                 (int)thread, kernel_stack_error(error));
    return FAILURE(ERROR_UNSUPPORTED);
}

static result read_thread(struct visit *visit, pid_t thread)
{
    struct thread_status status;
    struct filter_list list = {0};
    if (!thread_status(thread, &status) || strchr("ZX", status.state))
        return SUCCESS;
    struct dump_thread which = {visit->process, thread, thread_command(visit->dump->arena, thread)};
    if (status.seccomp == SECCOMP_MODE_STRICT)
        report_warning(visit->diagnostics, NO_SPAN,
                       "thread %d is in seccomp's strict mode, which is no filter", (int)thread);
    if (status.seccomp == SECCOMP_MODE_FILTER || status.seccomp < 0) {
        const char *reason = kernel_stack_unavailable();
        if (reason) {
            report_error(visit->diagnostics, NO_SPAN, "cannot read the filters of process %d: %s",
                         (int)visit->process, reason);
            return FAILURE(ERROR_UNSUPPORTED);
        }
        result r = read_by_tracing(visit, thread, &list);
        if (failed(r))
            return r;
    }
    dump_thread_under(visit->dump, &list, which);
    return SUCCESS;
}

static bool was_seen(const struct visit *visit, pid_t thread)
{
    for (size_t i = 0; i < visit->seen.count; i++)
        if (visit->seen.items[i] == thread)
            return true;
    return false;
}

/* A thread that is made while we read is found in the next pass. */
static bool read_new_threads(struct visit *visit)
{
    size_t count, fresh = 0;
    const pid_t *threads = process_threads(visit->dump->arena, visit->process, &count);
    for (size_t i = 0; i < count && worked(visit->outcome); i++) {
        if (was_seen(visit, threads[i]) || (visit->only && threads[i] != visit->only))
            continue;
        fresh++;
        vector_push(visit->dump->arena, &visit->seen, threads[i]);
        visit->outcome = read_thread(visit, threads[i]);
    }
    return fresh && worked(visit->outcome);
}

static void *read_all(void *argument)
{
    struct visit *visit = argument;
    for (unsigned pass = 0; pass < PASSES_MOST && read_new_threads(visit); pass++)
        ;
    return NULL;
}

static result find_process(struct visit *visit)
{
    struct thread_status status;
    if (visit->process <= 0 || !thread_status(visit->process, &status)) {
        report_error(visit->diagnostics, NO_SPAN, "there is no process %d", (int)visit->process);
        return FAILURE(ERROR_INPUT);
    }
    if (status.process != visit->process) {
        report_error(visit->diagnostics, NO_SPAN, "%d is a thread of process %d",
                     (int)visit->process, (int)status.process);
        return FAILURE(ERROR_INPUT);
    }
    if (visit->only && (!thread_status(visit->only, &status) || status.process != visit->process)) {
        report_error(visit->diagnostics, NO_SPAN, "process %d has no thread %d",
                     (int)visit->process, (int)visit->only);
        return FAILURE(ERROR_INPUT);
    }
    return SUCCESS;
}

result dump_process(struct arena *arena, pid_t process, pid_t thread, struct deadline deadline,
                    struct diagnostics *diagnostics, struct dump *dump)
{
    *dump = (struct dump){.arena = arena};
    struct visit visit = {.dump = dump,
                          .process = process,
                          .only = thread,
                          .deadline = deadline,
                          .diagnostics = diagnostics};
    result r = find_process(&visit);
    if (failed(r))
        return r;
    pthread_t tracer;
    int error = pthread_create(&tracer, NULL, read_all, &visit);
    if (error) {
        report_error(diagnostics, NO_SPAN, "cannot make a thread: %s", strerror(error));
        return FAILURE(ERROR_IO);
    }
    (void)pthread_join(tracer, NULL);
    if (worked(visit.outcome) && dump->stacks.count == 0) {
        report_error(diagnostics, NO_SPAN, "process %d has ended", (int)process);
        return FAILURE(ERROR_INPUT);
    }
    return visit.outcome;
}
