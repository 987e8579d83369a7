/* dump: what the two ways of finding filters share. Private to sim/. */
#ifndef SIM_DUMP_H
#define SIM_DUMP_H

#include "sim/sim.h"

/* ---- what /proc tells of a thread (dump_status.c) ------------------------------------------- */

struct thread_status {
    char state;            /* 'R', 'S', 'D', 'T', 't', 'Z', ... */
    pid_t process, parent; /* Tgid, PPid */
    pid_t tracer;          /* 0: nobody */
    int seccomp;           /* SECCOMP_MODE_; -1: the kernel does not say */
    int filters;           /* how many; -1: the kernel does not say (before 5.9) */
};

/* False when there is no such thread. Takes a thread's id as well as a process's. */
bool thread_status(pid_t thread, struct thread_status *status);
/* The thread's name, with '?' for what cannot be printed; "?" when it is gone. */
const char *thread_command(struct arena *arena, pid_t thread);
/* The threads of a process, ascending; none when it is gone. */
const pid_t *process_threads(struct arena *arena, pid_t process, size_t *count);

/* ---- what was found (dump_record.c) --------------------------------------------------------- */

struct filter_list {
    uint32_t *items; /* indices into dump.filters, oldest first */
    size_t count, capacity;
};

/* The index of a program with these instructions, which is added where there is none. Copies. */
uint32_t dump_filter(struct dump *dump, const struct sock_filter *code, uint32_t length);
/* Notes that the thread has this stack. */
void dump_thread_under(struct dump *dump, const struct filter_list *list,
                       struct dump_thread thread);
/* By process and thread, not by when they ended. */
void dump_sort_threads(struct dump *dump);
void filter_list_copy(struct arena *arena, struct filter_list *to, const struct filter_list *from);

/* ---- what the kernel tells of a stopped tracee (dump_kernel.c) ------------------------------ */

/* The whole stack of a thread that this thread traces and that is stopped. 0, or the errno with
 * which the kernel refused. */
int kernel_stack(struct dump *dump, pid_t thread, struct filter_list *list);
/* Why kernel_stack could not work for this process, NULL when it could. */
const char *kernel_stack_unavailable(void);
/* The sentence for an errno of kernel_stack. */
const char *kernel_stack_error(int error);

/* ---- installations (dump_install.c) ---------------------------------------------------------- */

/* A call that installs a filter, as it was entered. */
struct attempt {
    const char *call; /* NULL: no such call */
    enum abi_id abi;
    uint32_t flags;
    uint64_t program;         /* address of the struct sock_fprog */
    struct sock_filter *code; /* NULL: could not be read */
    uint32_t length;
};

/* Reads what a thread that stands at a system call's entry is about to install. */
struct attempt attempt_read(struct arena *arena, pid_t thread, uint32_t arch, uint64_t nr,
                            const uint64_t args[6]);
/* The instructions have not changed since. */
bool attempt_is_unchanged(struct arena *arena, pid_t thread, const struct attempt *attempt);
/* Whether the value with which the call came back says that the filter was installed. */
bool attempt_succeeded(const struct attempt *attempt, int64_t value, bool is_error);

#endif
