/* child: a job in a forked process that tells through shared memory how far it came, since under a
 * filter it may not even be allowed to exit. Private to sim/.
 */
#ifndef SIM_CHILD_H
#define SIM_CHILD_H

#include <stdatomic.h>

#include "sim/sim.h"

enum stage {
    STAGE_STARTED,
    STAGE_INSTALLING,
    STAGE_REFUSED, /* value = errno */
    STAGE_CALLING,
    STAGE_RETURNED, /* value */
    STAGE_TRAPPED   /* value = si_errno */
};

/* Written by the child, read by the parent once the child is gone. */
struct progress {
    _Atomic uint32_t stage;
    int64_t value;
    uint32_t caller_alive; /* a futex: the kernel clears it when the calling thread is gone */
    _Atomic uint32_t witness_ready;
    _Atomic uint32_t witness_survived;
};

struct ending {
    int status; /* as waitpid gives it */
    bool timed_out;
    bool lost; /* somebody else took the status (SIGCHLD is ignored) */
};

/* What runs in the child: only async-signal-safe calls, no allocation. When it returns the child
 * ends with exit status 0. */
typedef void child_job(struct progress *progress, const void *argument);

#define CHILD_SECONDS 2.0

/* Forks, runs `job`, waits for at most `seconds` (0: for ever), kills what is left. False when no
 * process could be made, errno tells why. The child has no core dumps, dies with its parent, and
 * has the default handlers for faults. */
bool child_run(child_job *job, const void *argument, double seconds, struct progress *progress,
               struct ending *ending);

/* Of the child: makes a second, unfiltered thread that outlives the caller, if only the caller is
 * killed. */
void child_add_witness(struct progress *progress);
/* Of the child: SIGSYS sent by SECCOMP_RET_TRAP ends it with STAGE_TRAPPED. */
void child_catch_trap(struct progress *progress);
/* Of the child: 0, or the errno with which the kernel refused. Sets no_new_privs. */
int child_install(const struct program *program);

#endif
