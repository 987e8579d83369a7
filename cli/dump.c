#include "cli/cli.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/wait.h>

#include "cli/dump.h"

/* ---- the listing ------------------------------------------------------------------------------
 */

static void print_program(struct context *context, const struct program *program)
{
    enum format format = context->options.format;
    if (context->options.output || format == FORMAT_UNKNOWN)
        return;
    struct buffer text = buffer_new(context->arena);
    program_encode(&text, context->arena, program, format, dump_abis(program));
    fputs(buffer_string(&text), stdout);
}

static void print_installations(struct context *context, const struct dump *dump, uint32_t filter)
{
    for (size_t i = 0; i < dump->installations.count; i++) {
        const struct dump_installation *one = &dump->installations.items[i];
        if (one->filter != filter)
            continue;
        struct buffer flags = buffer_new(context->arena);
        dump_flags_print(&flags, one->flags);
        printf("  installed by %s, process %d thread %d, on top of %u, with %s:%s%s%s\n",
               one->by.command, (int)one->by.process, (int)one->by.thread, one->place,
               abi_get(one->abi)->name, one->call, one->flags ? " " : "", buffer_string(&flags));
    }
}

static bool is_new_process(const struct dump_stack *stack, size_t index)
{
    return index == 0 ||
           stack->threads.items[index].process != stack->threads.items[index - 1].process;
}

static void print_threads(const struct dump_stack *stack)
{
    for (size_t i = 0; i < stack->threads.count; i++) {
        const struct dump_thread *thread = &stack->threads.items[i];
        if (is_new_process(stack, i))
            printf("%s  process %d (%s), threads %d", i ? "\n" : "", (int)thread->process,
                   thread->command, (int)thread->thread);
        else
            printf(" %d", (int)thread->thread);
    }
    printf("\n");
}

static void print_listing(struct context *context, const struct dump *dump)
{
    if (dump->filters.count == 0)
        printf("no filters\n");
    for (size_t i = 0; i < dump->filters.count; i++) {
        printf("filter-%zu: %u instructions\n", i + 1, dump->filters.items[i].length);
        print_installations(context, dump, (uint32_t)i);
        print_program(context, &dump->filters.items[i]);
    }
    for (size_t i = 0, number = 0; i < dump->stacks.count; i++) {
        const struct dump_stack *stack = &dump->stacks.items[i];
        if (stack->count)
            printf("stack-%zu, oldest first:", ++number);
        else
            printf("without a filter:");
        for (size_t j = 0; j < stack->count; j++)
            printf(" filter-%u", stack->filters[j] + 1);
        printf("\n");
        print_threads(stack);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static json_t *json_program(const struct program *program)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        json_t *object = json_object();
        json_object_set_new(object, "code", json_integer(at->code));
        json_object_set_new(object, "jt", json_integer(at->jt));
        json_object_set_new(object, "jf", json_integer(at->jf));
        json_object_set_new(object, "k", json_integer(at->k));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_thread(const struct dump_thread *thread)
{
    json_t *object = json_object();
    json_object_set_new(object, "process", json_integer(thread->process));
    json_object_set_new(object, "thread", json_integer(thread->thread));
    json_object_set_new(object, "command", json_string(thread->command));
    return object;
}

static json_t *json_stack(const struct dump_stack *stack)
{
    json_t *object = json_object(), *filters = json_array(), *threads = json_array();
    for (size_t i = 0; i < stack->count; i++)
        json_array_append_new(filters, json_integer(stack->filters[i] + 1));
    for (size_t i = 0; i < stack->threads.count; i++)
        json_array_append_new(threads, json_thread(&stack->threads.items[i]));
    json_object_set_new(object, "filters", filters);
    json_object_set_new(object, "threads", threads);
    return object;
}

static json_t *json_installation(struct context *context, const struct dump_installation *one)
{
    json_t *object = json_thread(&one->by);
    struct buffer flags = buffer_new(context->arena);
    dump_flags_print(&flags, one->flags);
    json_object_set_new(object, "filter", json_integer(one->filter + 1));
    json_object_set_new(object, "place", json_integer(one->place));
    json_object_set_new(object, "flags", json_string(buffer_string(&flags)));
    json_object_set_new(object, "call", json_string(one->call));
    json_object_set_new(object, "abi", json_string(abi_get(one->abi)->name));
    return object;
}

static void fill_json(struct context *context, const struct dump *dump)
{
    json_t *filters = json_array(), *stacks = json_array(), *installations = json_array();
    for (size_t i = 0; i < dump->filters.count; i++) {
        json_t *object = json_object();
        json_object_set_new(object, "number", json_integer((json_int_t)i + 1));
        json_object_set_new(object, "instructions", json_integer(dump->filters.items[i].length));
        json_object_set_new(object, "program", json_program(&dump->filters.items[i]));
        json_array_append_new(filters, object);
    }
    for (size_t i = 0; i < dump->stacks.count; i++)
        json_array_append_new(stacks, json_stack(&dump->stacks.items[i]));
    for (size_t i = 0; i < dump->installations.count; i++)
        json_array_append_new(installations,
                              json_installation(context, &dump->installations.items[i]));
    json_object_set_new(context->json, "filters", filters);
    json_object_set_new(context->json, "stacks", stacks);
    json_object_set_new(context->json, "installations", installations);
}

/* ---- how the command ended --------------------------------------------------------------------
 */

static void tell_ending(struct context *context, const struct dump_ending *ending)
{
    const char *name = context->options.arguments[0];
    if (!ending->ended) {
        json_object_set_new(context->json, "ended", json_false());
        fprintf(stderr, "%s was let go, and goes on\n", name);
        return;
    }
    json_object_set_new(context->json, "ended", json_true());
    if (WIFSIGNALED(ending->status)) {
        json_object_set_new(context->json, "signal", json_integer(WTERMSIG(ending->status)));
        fprintf(stderr, "%s was ended by signal %d (%s)\n", name, WTERMSIG(ending->status),
                strsignal(WTERMSIG(ending->status)));
        return;
    }
    json_object_set_new(context->json, "status", json_integer(WEXITSTATUS(ending->status)));
    if (WEXITSTATUS(ending->status))
        fprintf(stderr, "%s exited with status %d\n", name, WEXITSTATUS(ending->status));
}

/* ---- the command ------------------------------------------------------------------------------
 */

static bool is_well_asked(struct context *context)
{
    struct options *o = &context->options;
    bool binary = o->format == FORMAT_RAW_LITTLE || o->format == FORMAT_RAW_BIG;
    const char *wrong = NULL;
    if (!o->pid == !o->argument_count)
        wrong = "dump takes --pid N, or -- CMD [ARG...]";
    else if (o->output && !strcmp(o->output, "-"))
        wrong = "filters are written to a directory: -o DIRECTORY";
    else if (binary && !o->output)
        wrong = "filters are written as bytes to a directory only: -o DIRECTORY";
    if (wrong)
        report_error(&context->diagnostics, NO_SPAN, "%s", wrong);
    return !wrong;
}

enum exit_code run_dump(struct context *context)
{
    struct options *o = &context->options;
    struct dump dump;
    struct dump_ending ending = {0};
    if (!is_well_asked(context) || failed(dump_directory_check(context)))
        return EXIT_USAGE;
    result r;
    if (o->pid) {
        r = dump_process(context->arena, o->pid, 0, context->deadline, &context->diagnostics,
                         &dump);
    } else {
        struct dump_request request = {
            .command = o->arguments,
            .output_to_stderr = o->json,
            .deadline = deadline_in(o->timeout_given ? o->timeout : 0),
        };
        r = dump_command(context->arena, &request, &context->diagnostics, &dump, &ending);
        if (worked(r))
            tell_ending(context, &ending);
    }
    if (worked(r))
        r = dump_directory_write(context, &dump);
    if (failed(r))
        return exit_of(r);
    fill_json(context, &dump);
    if (!o->json)
        print_listing(context, &dump);
    return EXIT_HOLDS;
}
