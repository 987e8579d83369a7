#include "cli/cli.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* With --json the program runs in a child, so that its end can be told. */
static enum exit_code run_and_tell(struct context *context, const struct filter *filter,
                                   char **command)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        report_error(&context->diagnostics, NO_SPAN, "cannot fork: %s", strerror(errno));
        return EXIT_USAGE;
    }
    if (child == 0) {
        if (failed(kernel_exec(filter->programs, filter->program_count, command,
                               &context->diagnostics)))
            diagnostics_print(&context->diagnostics, stderr);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_USAGE;
    if (WIFSIGNALED(status))
        json_object_set_new(context->json, "signal", json_integer(WTERMSIG(status)));
    else
        json_object_set_new(context->json, "status", json_integer(WEXITSTATUS(status)));
    json_int_t instructions = 0;
    for (size_t i = 0; i < filter->program_count; i++)
        instructions += filter->programs[i].length;
    json_object_set_new(context->json, "instructions", json_integer(instructions));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return EXIT_USAGE;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_HOLDS : EXIT_REFUTED;
}

/* A filter for another machine would only kill what it is installed on. */
static bool is_for_this_machine(struct context *context, const struct filter *filter)
{
    const struct abi *native = abi_get(abi_native());
    abi_set served = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abi_get((enum abi_id)id)->kernel == native->kernel)
            served |= ABI_BIT(id);
    bool speaks_of_it = !filter->policy || (filter->declared & served);
    if (filter->big_endian == native->big_endian && speaks_of_it)
        return true;
    report_error(&context->diagnostics, NO_SPAN, "%s is not for this machine (%s)", filter->name,
                 native->name);
    return false;
}

enum exit_code run_run(struct context *context)
{
    struct filter filter;
    struct load_options options = load_options_of(context);
    result r = load_argument(context, 0, &filter);
    if (worked(r))
        r = filter_compile(context->arena, &filter, &options, &context->diagnostics);
    if (failed(r))
        return exit_of(r);
    if (!is_for_this_machine(context, &filter))
        return EXIT_USAGE;
    char **command = context->options.arguments + 1;
    if (context->options.json)
        return run_and_tell(context, &filter, command);
    diagnostics_print(&context->diagnostics, stderr);
    context->diagnostics = diagnostics_new(context->arena);
    fflush(NULL);
    r = kernel_exec(filter.programs, filter.program_count, command, &context->diagnostics);
    return exit_of(r);
}
