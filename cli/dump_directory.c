#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/dump.h"

static result io_error(struct context *context, const char *doing, const char *path)
{
    report_error(&context->diagnostics, NO_SPAN, "cannot %s %s: %s", doing, path, strerror(errno));
    return FAILURE(ERROR_IO);
}

result dump_directory_check(struct context *context)
{
    const char *path = context->options.output;
    const char *const *names;
    size_t count;
    struct stat status;
    if (!path || (stat(path, &status) != 0 && errno == ENOENT))
        return SUCCESS;
    result r =
        directory_read(context->arena, path, SIZE_MAX - 1, &context->diagnostics, &names, &count);
    if (failed(r) || count == 0)
        return r;
    report_error(&context->diagnostics, NO_SPAN, "%s is not empty", path);
    return FAILURE(ERROR_INPUT);
}

abi_set dump_abis(const struct program *program)
{
    return check_program(program).rule == CHECK_ACCEPTED ? blob_declared(program, 1) : 0;
}

static enum format format_of(const struct context *context)
{
    enum format format = context->options.format;
    return format == FORMAT_UNKNOWN ? format_by_name("bin", abi_get(abi_native())->big_endian)
                                    : format;
}

static const char *ending_of(enum format format)
{
    return format == FORMAT_RAW_LITTLE || format == FORMAT_RAW_BIG ? "bpf" : format_name(format);
}

static result write_filters(struct context *context, const struct dump *dump, const char *directory)
{
    enum format format = format_of(context);
    result r = SUCCESS;
    for (size_t i = 0; i < dump->filters.count && worked(r); i++) {
        const struct program *program = &dump->filters.items[i];
        struct buffer bytes = buffer_new(context->arena);
        program_encode(&bytes, context->arena, program, format, dump_abis(program));
        r = file_write(
            arena_printf(context->arena, "%s/filter-%zu.%s", directory, i + 1, ending_of(format)),
            buffer_string(&bytes), bytes.length, &context->diagnostics);
    }
    return r;
}

/* One after another, each once: then the files of the directory, in order, are the stack. */
static bool is_all_filters(const struct dump *dump, const struct dump_stack *stack)
{
    if (stack->count != dump->filters.count)
        return false;
    for (size_t i = 0; i < stack->count; i++)
        if (stack->filters[i] != i)
            return false;
    return true;
}

/* Threads without filters have no directory. */
static bool is_one_stack(const struct dump *dump)
{
    size_t count = 0;
    bool all = true;
    for (size_t i = 0; i < dump->stacks.count; i++) {
        const struct dump_stack *stack = &dump->stacks.items[i];
        count += stack->count != 0;
        all = all && (stack->count == 0 || is_all_filters(dump, stack));
    }
    return all && count <= 1;
}

static result write_stack(struct context *context, const struct dump_stack *stack,
                          const char *directory)
{
    const char *ending = ending_of(format_of(context));
    if (mkdir(directory, 0777) != 0)
        return io_error(context, "make", directory);
    for (size_t i = 0; i < stack->count; i++) {
        const char *to =
            arena_printf(context->arena, "../filter-%u.%s", stack->filters[i] + 1, ending);
        const char *from = arena_printf(context->arena, "%s/%zu.%s", directory, i + 1, ending);
        if (symlink(to, from) != 0)
            return io_error(context, "make", from);
    }
    return SUCCESS;
}

static result write_stacks(struct context *context, const struct dump *dump, const char *directory)
{
    result r = SUCCESS;
    for (size_t i = 0, number = 0; i < dump->stacks.count && worked(r); i++)
        if (dump->stacks.items[i].count)
            r = write_stack(context, &dump->stacks.items[i],
                            arena_printf(context->arena, "%s/stack-%zu", directory, ++number));
    return r;
}

/* Only what write_filters and write_stacks made: at most one level of directories. */
static void remove_all(struct context *context, const char *directory)
{
    const char *const *names;
    size_t count;
    if (failed(directory_read(context->arena, directory, SIZE_MAX - 1, &context->diagnostics,
                              &names, &count)))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(context->arena, "%s/%s", directory, names[i]);
        struct stat status;
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
            remove_all(context, path);
        else
            (void)unlink(path);
    }
    (void)rmdir(directory);
}

static result fill_and_rename(struct context *context, const struct dump *dump,
                              const char *temporary, const char *path)
{
    result r = write_filters(context, dump, temporary);
    if (worked(r) && !is_one_stack(dump))
        r = write_stacks(context, dump, temporary);
    mode_t mask = umask(0);
    (void)umask(mask);
    if (worked(r) && (chmod(temporary, 0777 & ~mask) != 0 || rename(temporary, path) != 0))
        r = io_error(context, "write", path);
    return r;
}

result dump_directory_write(struct context *context, const struct dump *dump)
{
    const char *path = context->options.output;
    if (!path)
        return SUCCESS;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    path = arena_string(context->arena, path, length);
    char *temporary = arena_printf(context->arena, "%s.XXXXXX", path);
    if (!mkdtemp(temporary))
        return io_error(context, "make a directory beside", path);
    result r = fill_and_rename(context, dump, temporary, path);
    if (failed(r))
        remove_all(context, temporary);
    return r;
}
