#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/dump.h"

/* PTRACE_SECCOMP_GET_FILTER (seccomp_get_filter in kernel/seccomp.c): index 0 is the oldest filter;
 * without a buffer the length is all that is told. */
static int read_filter(struct dump *dump, pid_t thread, unsigned long index, uint32_t *filter)
{
    long length = ptrace(PTRACE_SECCOMP_GET_FILTER, thread, index, NULL);
    if (length < 0)
        return errno;
    struct sock_filter *code = NEW_ARRAY(dump->arena, struct sock_filter, (size_t)length);
    if (ptrace(PTRACE_SECCOMP_GET_FILTER, thread, index, code) != length)
        return errno ? errno : EIO;
    *filter = dump_filter(dump, code, (uint32_t)length);
    return 0;
}

int kernel_stack(struct dump *dump, pid_t thread, struct filter_list *list)
{
    *list = (struct filter_list){0};
    for (unsigned long index = 0;; index++) {
        uint32_t filter = 0;
        int error = read_filter(dump, thread, index, &filter);
        if (error == ENOENT)
            return 0;
        if (error)
            return error;
        vector_push(dump->arena, list, filter);
    }
}

static bool has_sys_admin(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, data) != 0)
        return true; /* then the kernel itself will say */
    return data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

const char *kernel_stack_unavailable(void)
{
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0)
        return "bpfproof itself runs under a seccomp filter, and the kernel shows filters only to "
               "a "
               "process that is under none";
    if (!has_sys_admin())
        return "the kernel shows the filters of a process only to one with CAP_SYS_ADMIN";
    return NULL;
}

const char *kernel_stack_error(int error)
{
    switch (error) {
    case EACCES:
        return "the kernel shows filters only to a process with CAP_SYS_ADMIN in the first user "
               "namespace";
    case EMEDIUMTYPE:
        return "one of the filters is no classic BPF";
    case EINVAL:
    case EIO:
        return "this kernel cannot show filters (it has no CONFIG_CHECKPOINT_RESTORE)";
    default:
        return strerror(error);
    }
}
