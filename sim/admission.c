#include <errno.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "sim/child.h"
#include "sim/entry.h"

/* Many programs through the kernel's admission in one process.
 *
 * An accepted filter would bind the process that asked. So each is offered together with the wish
 * for a listener, in a process that may open no file: seccomp_set_mode_filter first prepares the
 * filter (and says EINVAL when it is not admitted), then looks for a free descriptor (EMFILE), and
 * only then would it attach. Kernels before 5.0 know no listeners: there a process is made for each
 * program. */

struct admission_job {
    const struct program *programs;
    size_t count;
    bool *accepted; /* shared memory */
};

static int offer(const struct program *program)
{
    if (program->length > UINT16_MAX)
        return EINVAL;
    struct sock_fprog filter = {.len = (uint16_t)program->length, .filter = program->code};
    const uint64_t args[6] = {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                              (uintptr_t)&filter};
    return (int)-entry_install(SYS_seccomp, args);
}

static bool offers_work(void)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    return offer(&(struct program){.code = allow, .length = COUNT_OF(allow)}) == EMFILE;
}

/* Runs in the child; reports how many it did, and the errno that stopped it. */
static void offer_all(struct progress *progress, const void *argument)
{
    const struct admission_job *job = argument;
    const struct rlimit none = {0, 0};
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (setrlimit(RLIMIT_NOFILE, &none) != 0 || !offers_work())
        return;
    atomic_store(&progress->stage, STAGE_CALLING);
    for (size_t i = 0; i < job->count; i++) {
        int error = offer(&job->programs[i]);
        job->accepted[i] = error == EMFILE;
        if (error != EMFILE && error != EINVAL) {
            progress->value = error;
            atomic_store(&progress->stage, STAGE_REFUSED);
            return;
        }
    }
    atomic_store(&progress->stage, STAGE_RETURNED);
}

static result one_by_one(const struct program *programs, size_t count, bool *accepted,
                         struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < count; i++) {
        struct kernel_result got = kernel_install(&programs[i]);
        accepted[i] = got.outcome == KERNEL_RETURNED;
        if (accepted[i] || (got.outcome == KERNEL_REFUSED && got.value == EINVAL))
            continue;
        report_error(diagnostics, NO_SPAN, "seccomp(2) gave no verdict on %s", programs[i].name);
        return FAILURE(ERROR_UNSUPPORTED);
    }
    return SUCCESS;
}

static result run_offers(const struct admission_job *job, struct diagnostics *diagnostics)
{
    struct progress progress;
    struct ending ending;
    if (!child_run(offer_all, job, 0, &progress, &ending)) {
        report_error(diagnostics, NO_SPAN, "no process could be made: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    if (progress.stage == STAGE_STARTED)
        return one_by_one(job->programs, job->count, job->accepted, diagnostics);
    if (progress.stage == STAGE_RETURNED)
        return SUCCESS;
    report_error(diagnostics, NO_SPAN, "seccomp(2) gave no verdict: %s",
                 progress.stage == STAGE_REFUSED ? strerror((int)progress.value)
                                                 : "the child died");
    return FAILURE(ERROR_IO);
}

result kernel_admission(const struct program *programs, size_t count, bool *accepted,
                        struct diagnostics *diagnostics)
{
    if (count == 0)
        return SUCCESS;
    bool *shared = mmap(NULL, count * sizeof *shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        report_error(diagnostics, NO_SPAN, "no memory to share: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    struct admission_job job = {programs, count, shared};
    result done = run_offers(&job, diagnostics);
    if (worked(done))
        memcpy(accepted, shared, count * sizeof *accepted);
    (void)munmap(shared, count * sizeof *shared);
    return done;
}
