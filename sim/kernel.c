#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sim/child.h"
#include "sim/entry.h"

/* What the running kernel makes of filters and of one call under them. */

#define I386_GETPID 20u

struct call_job {
    const struct program *programs;
    size_t count;
    enum kernel_entry entry;
    uint32_t nr;
    const uint64_t *args;
    bool call;                   /* false: install only */
    const struct program *guard; /* installed before all others, or NULL */
    bool witness;                /* a second thread looks on */
};

static bool host_is_big_endian(void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

/* Runs in the child. */
static bool install_all(struct progress *progress, const struct program *programs, size_t count)
{
    atomic_store(&progress->stage, STAGE_INSTALLING);
    for (size_t i = 0; i < count; i++) {
        int error = child_install(&programs[i]);
        if (error) {
            progress->value = error;
            atomic_store(&progress->stage, STAGE_REFUSED);
            return false;
        }
    }
    return true;
}

/* Runs in the child. A call that makes a second process comes back twice: the first to come back
 * reports. */
static void install_and_call(struct progress *progress, const void *argument)
{
    const struct call_job *job = argument;
    if (job->witness)
        child_add_witness(progress);
    child_catch_trap(progress);
    if (job->guard && child_install(job->guard) != 0)
        entry_leave();
    if (!install_all(progress, job->programs, job->count))
        entry_leave();
    atomic_store(&progress->stage, STAGE_CALLING);
    int64_t value = job->call ? entry_call(job->entry, job->nr, job->args) : 0;
    uint32_t calling = STAGE_CALLING;
    if (atomic_compare_exchange_strong(&progress->stage, &calling, STAGE_RETURNED))
        progress->value = value;
    entry_leave();
}

/* The child ended inside the call. */
static struct kernel_result judge_ending(struct ending ending)
{
    struct kernel_result got = {0};
    if (ending.lost) {
        got.outcome = KERNEL_UNAVAILABLE;
    } else if (ending.timed_out) {
        got.outcome = KERNEL_BLOCKED;
    } else if (WIFEXITED(ending.status)) {
        got.outcome = KERNEL_EXITED;
        got.value = WEXITSTATUS(ending.status);
    } else if (WTERMSIG(ending.status) == SIGSYS) {
        got.outcome = KERNEL_KILLED;
        got.whole_process = true;
    } else {
        got.outcome = KERNEL_DIED;
        got.value = WTERMSIG(ending.status);
    }
    return got;
}

static struct kernel_result judge(const struct progress *progress, struct ending ending)
{
    uint32_t stage = progress->stage;
    switch (stage) {
    case STAGE_RETURNED:
        return (struct kernel_result){.outcome = KERNEL_RETURNED, .value = progress->value};
    case STAGE_TRAPPED:
        return (struct kernel_result){.outcome = KERNEL_TRAPPED, .value = progress->value};
    case STAGE_REFUSED:
        return (struct kernel_result){.outcome = KERNEL_REFUSED, .value = progress->value};
    case STAGE_CALLING:
        return judge_ending(ending);
    case STAGE_STARTED:
        return (struct kernel_result){.outcome = KERNEL_UNAVAILABLE};
    default: /* an older filter of the stack ended the installation of a newer one */
        if (ending.timed_out || ending.lost)
            return (struct kernel_result){.outcome = KERNEL_UNAVAILABLE};
        return (struct kernel_result){.outcome = KERNEL_REFUSED};
    }
}

static struct kernel_result run_once(const struct call_job *job, struct progress *progress)
{
    struct ending ending;
    if (!child_run(install_and_call, job, CHILD_SECONDS, progress, &ending))
        return (struct kernel_result){.outcome = KERNEL_UNAVAILABLE, .value = errno};
    return judge(progress, ending);
}

/* When the caller alone is gone, killed or by exit(2), then the witness was the last, and its
 * status is the process's. So that is done once more with nobody else there. */
static struct kernel_result run_job(struct call_job *job)
{
    struct progress progress = {0};
    job->witness = job->call;
    struct kernel_result got = run_once(job, &progress);
    if (progress.stage == STAGE_CALLING && progress.witness_survived) {
        job->witness = false;
        got = run_once(job, &progress);
        got.whole_process = false;
    } else if (got.outcome == KERNEL_KILLED && !progress.witness_ready) {
        got.outcome = KERNEL_UNAVAILABLE; /* no thread could be made to see who was killed */
    }
    if (got.outcome == KERNEL_REFUSED && got.value == ENOSYS)
        got.outcome = KERNEL_UNAVAILABLE;
    /* Without the gate the instruction itself faults. */
    if (job->entry == ENTRY_INT80 && got.outcome == KERNEL_DIED && got.value == SIGSEGV)
        got.outcome = KERNEL_UNAVAILABLE;
    return got;
}

bool kernel_available(const char **reason)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct program program = {.name = "allow", .code = allow, .length = COUNT_OF(allow)};
    struct kernel_result got = kernel_install(&program);
    const char *why = NULL;
    if (got.outcome == KERNEL_UNAVAILABLE)
        why = got.value == ENOSYS ? "this kernel has no seccomp" : "no process could be made";
    else if (got.outcome != KERNEL_RETURNED)
        why = "seccomp(2) is not permitted here";
    if (reason)
        *reason = why;
    return why == NULL;
}

bool kernel_has_int80(void)
{
    static const uint64_t no_arguments[6] = {0};
    return kernel_call(NULL, 0, ENTRY_INT80, I386_GETPID, no_arguments).outcome == KERNEL_RETURNED;
}

struct kernel_result kernel_install(const struct program *program)
{
    return run_job(&(struct call_job){.programs = program, .count = 1});
}

static bool runs_here(const struct program *programs, size_t count, enum kernel_entry entry)
{
    for (size_t i = 0; i < count; i++)
        if (programs[i].big_endian != host_is_big_endian())
            return false;
    return entry_exists(entry);
}

struct kernel_result kernel_call(const struct program *programs, size_t count,
                                 enum kernel_entry entry, uint32_t nr, const uint64_t args[6])
{
    if (!runs_here(programs, count, entry))
        return (struct kernel_result){.outcome = KERNEL_UNAVAILABLE};
    struct call_job job = {programs, count, entry, nr, args, .call = true};
    return run_job(&job);
}

uint64_t kernel_call_ip(enum kernel_entry entry)
{
    return entry_ip(entry);
}

/* ---- probing ------------------------------------------------------------------------------- */

#define ERRNO_MOST 4095u

/* Under an older filter that answers every call but the installation with errno `marker`. Between
 * equal actions the newest filter's data counts, so each errno of the stack itself is still seen,
 * and of what the stack permits nothing is done. */
static struct kernel_result probe(struct call_job call, uint16_t marker)
{
    uint64_t ip = entry_install_ip();
    uint32_t low = field_offset(FIELD_IP_LO, false), high = field_offset(FIELD_IP_HI, false);
    struct sock_filter guard[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | marker),
    };
    const struct program program = {.name = "guard", .code = guard, .length = COUNT_OF(guard)};
    call.guard = &program;
    struct kernel_result got = run_job(&call);
    if (got.outcome == KERNEL_RETURNED && got.value == -(int64_t)marker)
        got.outcome = KERNEL_PERMITTED;
    return got;
}

struct kernel_result kernel_probe(const struct program *programs, size_t count,
                                  enum kernel_entry entry, uint32_t nr, const uint64_t args[6])
{
    if (!runs_here(programs, count, entry) || entry_install_ip() == 0)
        return (struct kernel_result){.outcome = KERNEL_UNAVAILABLE};
    struct call_job call = {programs, count, entry, nr, args, .call = true};
    struct kernel_result got = probe(call, ERRNO_MOST);
    if (got.outcome == KERNEL_PERMITTED) /* or the stack's own errno happens to be the marker */
        got = probe(call, ERRNO_MOST - 1);
    return got;
}
