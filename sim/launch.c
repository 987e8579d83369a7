#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/sim.h"

/* Starting a program under filters. */

static int install(const struct program *program)
{
    struct sock_fprog filter = {.len = (uint16_t)program->length, .filter = program->code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : errno;
}

/* The kernel wants no_new_privs of everyone without CAP_SYS_ADMIN; with the capability it is not
 * set, so that programs which gain privileges go on working. */
static int install_as_permitted(const struct program *program)
{
    if (program->length > UINT16_MAX)
        return EINVAL;
    int error = install(program);
    if (error != EACCES)
        return error;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return errno;
    return install(program);
}

result kernel_exec(const struct program *programs, size_t count, char *const argv[],
                   struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < count; i++) {
        int error = install_as_permitted(&programs[i]);
        if (error) {
            report_error(diagnostics, NO_SPAN, "the kernel did not install %s: %s",
                         programs[i].name, strerror(error));
            return FAILURE(error == EINVAL ? ERROR_INPUT : ERROR_IO);
        }
    }
    /* What is ignored stays so over an exec, and bpfproof ignores it for its own output's sake. */
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execvp(argv[0], argv);
    report_error(diagnostics, NO_SPAN, "cannot execute %s: %s", argv[0], strerror(errno));
    return FAILURE(ERROR_IO);
}
