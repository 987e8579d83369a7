#include "api/bpfproof.h"

#include <sys/stat.h>
#include <unistd.h>

static result load_program(struct arena *arena, const struct source *source, enum format format,
                           const struct load_options *options, struct diagnostics *diagnostics,
                           struct program *program)
{
    result r = program_decode(arena, source, format, diagnostics, program);
    if (failed(r) || options->any_program)
        return r;
    struct check_result check = check_program(program);
    if (check.rule == CHECK_ACCEPTED)
        return SUCCESS;
    report_error(diagnostics, NO_SPAN,
                 "%s: the kernel would refuse this program (%s): instruction %u: %s", source->name,
                 check_rule_name(check.rule), check.instruction, check_rule_text(check.rule));
    return FAILURE(ERROR_INPUT);
}

static result load_one(struct arena *arena, const char *path, const struct load_options *options,
                       struct diagnostics *diagnostics, struct filter *filter)
{
    const struct source *source;
    result r = file_read(arena, path, diagnostics, &source);
    if (failed(r))
        return r;
    *filter = (struct filter){.name = source->name, .source = source};
    if (source->length == 0) {
        report_error(diagnostics, NO_SPAN, "%s is empty: neither a policy nor a program",
                     source->name);
        return FAILURE(ERROR_INPUT);
    }
    enum format format = options->format;
    if (format == FORMAT_UNKNOWN)
        format = format_detect(source);
    if (format == FORMAT_UNKNOWN) {
        struct tree *tree = NULL;
        struct policy *policy = NULL;
        r = policy_parse(arena, source, diagnostics, &tree);
        if (worked(r))
            r = policy_resolve(arena, tree, options->abis, diagnostics, &policy);
        if (failed(r))
            return r;
        filter->tree = tree;
        filter->policy = policy;
        filter->declared = policy->abis;
        filter->big_endian = policy->big_endian;
        return SUCCESS;
    }
    struct program *program = NEW(arena, struct program);
    r = load_program(arena, source, format, options, diagnostics, program);
    if (failed(r))
        return r;
    filter->programs = program;
    filter->program_count = 1;
    filter->big_endian = program->big_endian;
    return SUCCESS;
}

static bool are_accepted(const struct program *programs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (check_program(&programs[i]).rule != CHECK_ACCEPTED)
            return false;
    return count > 0;
}

/* The endianness that the programs' own blobs have is how they were written; what counts is the
 * machine they run on: the declared ABIs say, when they are given. */
static result settle_endianness(struct filter *filter, const struct load_options *options,
                                struct diagnostics *diagnostics)
{
    filter->big_endian = filter->programs[0].big_endian;
    for (size_t i = 1; i < filter->program_count; i++)
        if (filter->programs[i].big_endian != filter->big_endian) {
            report_error(diagnostics, NO_SPAN,
                         "%s: the programs of one stack are of different endianness", filter->name);
            return FAILURE(ERROR_INPUT);
        }
    if (options->abis) {
        for (unsigned id = 0; id < ABI_COUNT; id++)
            if (options->abis & ABI_BIT(id))
                filter->big_endian = abi_get((enum abi_id)id)->big_endian;
        for (size_t i = 0; i < filter->program_count; i++)
            filter->programs[i].big_endian = filter->big_endian;
        filter->declared = options->abis;
        return SUCCESS;
    }
    if (are_accepted(filter->programs, filter->program_count))
        filter->declared = blob_declared(filter->programs, filter->program_count);
    return SUCCESS;
}

/* ---- stacks ---------------------------------------------------------------------------------- */

struct stack_builder {
    struct arena *arena;
    const struct load_options *options;
    struct diagnostics *diagnostics;
    VECTOR(struct program) programs;
};

static result append_file(struct stack_builder *stack, const char *path)
{
    struct filter member;
    result r = load_one(stack->arena, path, stack->options, stack->diagnostics, &member);
    if (worked(r))
        r = filter_compile(stack->arena, &member, stack->options, stack->diagnostics);
    if (worked(r))
        vector_push(stack->arena, &stack->programs, member.programs[0]);
    return r;
}

static result append_blob(struct stack_builder *stack, const char *path)
{
    const struct source *source;
    struct program program;
    struct stat status;
    bool found = stat(path, &status) == 0;
    if (!found || !S_ISREG(status.st_mode)) { /* a pipe would not even open */
        report_error(
            stack->diagnostics, NO_SPAN,
            found && S_ISDIR(status.st_mode)
                ? "%s is a directory inside of a directory; name the one that is the stack"
                : "%s is no file; a directory that is a stack holds blobs and nothing else",
            path);
        return FAILURE(ERROR_INPUT);
    }
    result r = file_read(stack->arena, path, stack->diagnostics, &source);
    if (failed(r))
        return r;
    enum format format = stack->options->format;
    if (format == FORMAT_UNKNOWN)
        format = format_detect(source);
    if (format == FORMAT_UNKNOWN) {
        report_error(stack->diagnostics, NO_SPAN,
                     "%s is no blob; a directory that is a stack "
                     "holds blobs and nothing else",
                     path);
        return FAILURE(ERROR_INPUT);
    }
    r = load_program(stack->arena, source, format, stack->options, stack->diagnostics, &program);
    if (worked(r))
        vector_push(stack->arena, &stack->programs, program);
    return r;
}

static result append_directory(struct stack_builder *stack, const char *path)
{
    const char *const *names;
    size_t count;
    result r = directory_read(stack->arena, path, STACK_MOST, stack->diagnostics, &names, &count);
    if (worked(r) && count == 0) {
        report_error(stack->diagnostics, NO_SPAN, "%s is an empty directory: there is no stack",
                     path);
        return FAILURE(ERROR_INPUT);
    }
    for (size_t i = 0; i < count && worked(r); i++)
        r = append_blob(stack, arena_printf(stack->arena, "%s/%s", path, names[i]));
    return r;
}

#define PROCESS_PREFIX "pid:"

static bool is_process(const char *argument)
{
    return !strncmp(argument, PROCESS_PREFIX, strlen(PROCESS_PREFIX));
}

/* "pid:N" or "pid:N/THREAD". */
static bool read_process(const char *argument, pid_t *process, pid_t *thread)
{
    unsigned numbers[2] = {0};
    int end = 0;
    const char *text = argument + strlen(PROCESS_PREFIX);
    if (strspn(text, "0123456789/") != strlen(text) || strlen(text) > 21)
        return false;
    if (sscanf(text, "%9u%n", &numbers[0], &end) == 1 && text[end] == '/') {
        text += end + 1;
        if (sscanf(text, "%9u%n", &numbers[1], &end) != 1 || numbers[1] == 0)
            return false;
    }
    *process = (pid_t)numbers[0];
    *thread = (pid_t)numbers[1];
    return numbers[0] && text[end] == '\0';
}

static result refuse_different_stacks(struct stack_builder *stack, pid_t process,
                                      const struct dump *dump)
{
    report_error(stack->diagnostics, NO_SPAN,
                 "the threads of process %d are under different filters; name one of them: "
                 "pid:%d/THREAD",
                 (int)process, (int)process);
    for (size_t i = 0; i < dump->stacks.count; i++) {
        const struct dump_stack *one = &dump->stacks.items[i];
        struct buffer threads = buffer_new(stack->arena);
        for (size_t j = 0; j < one->threads.count; j++)
            buffer_printf(&threads, " %d", (int)one->threads.items[j].thread);
        report_note(stack->diagnostics, NO_SPAN, "under %zu filter%s:%s", one->count,
                    one->count == 1 ? "" : "s", buffer_string(&threads));
    }
    return FAILURE(ERROR_INPUT);
}

static result append_process(struct stack_builder *stack, const char *argument)
{
    pid_t process, thread;
    struct dump dump;
    if (stack->options->files_only || !read_process(argument, &process, &thread)) {
        report_error(
            stack->diagnostics, NO_SPAN,
            stack->options->files_only
                ? "%s: a policy cannot name a process; ./%s is a file"
                : "%s: a process is pid:N, one of its threads pid:N/THREAD; ./%s is a file",
            argument, argument);
        return FAILURE(ERROR_INPUT);
    }
    result r = dump_process(stack->arena, process, thread, stack->options->deadline,
                            stack->diagnostics, &dump);
    if (failed(r))
        return r;
    if (dump.stacks.count > 1)
        return refuse_different_stacks(stack, process, &dump);
    const struct dump_stack *found = &dump.stacks.items[0];
    if (found->count == 0) {
        report_error(stack->diagnostics, NO_SPAN, "process %d has no seccomp filter", (int)process);
        return FAILURE(ERROR_INPUT);
    }
    for (size_t i = 0; i < found->count; i++) {
        struct program program = dump.filters.items[found->filters[i]];
        program.name = arena_printf(stack->arena, "%s#%zu", argument, i + 1);
        vector_push(stack->arena, &stack->programs, program);
    }
    return SUCCESS;
}

static result append_member(struct stack_builder *stack, const char *argument)
{
    if (is_process(argument))
        return append_process(stack, argument);
    if (is_directory(argument))
        return append_directory(stack, argument);
    return append_file(stack, argument);
}

static result load_stack(struct stack_builder *stack, const char *argument)
{
    for (const char *at = argument;; at++) {
        size_t length = strcspn(at, "+");
        if (length == 0) {
            report_error(stack->diagnostics, NO_SPAN, "%s: an empty name in a stack", argument);
            return FAILURE(ERROR_INPUT);
        }
        result r = append_member(stack, arena_string(stack->arena, at, length));
        if (worked(r) && stack->programs.count > STACK_MOST) {
            report_error(stack->diagnostics, NO_SPAN, "%s: more than %u filters", argument,
                         STACK_MOST);
            return FAILURE(ERROR_INPUT);
        }
        if (failed(r))
            return r;
        at += length;
        if (!*at)
            return SUCCESS;
    }
}

result filter_load(struct arena *arena, const char *argument, const struct load_options *options,
                   struct diagnostics *diagnostics, struct filter *filter)
{
    struct stack_builder stack = {arena, options, diagnostics, {0}};
    bool exists = access(argument, F_OK) == 0 && !is_process(argument);
    result r = SUCCESS;
    *filter = (struct filter){.name = arena_string(arena, argument, strlen(argument))};
    if (is_directory(argument) && exists)
        r = append_directory(&stack, argument);
    else if (is_process(argument) || (strchr(argument, '+') && !exists))
        r = load_stack(&stack, argument);
    else
        r = load_one(arena, argument, options, diagnostics, filter);
    if (failed(r) || filter->policy)
        return r;
    if (stack.programs.count) {
        filter->programs = stack.programs.items;
        filter->program_count = stack.programs.count;
    }
    return settle_endianness(filter, options, diagnostics);
}

result filter_compile(struct arena *arena, struct filter *filter,
                      const struct load_options *options, struct diagnostics *diagnostics)
{
    if (!filter->policy)
        return SUCCESS;
    if (options->depth >= COMPILE_DEPTH_MOST) {
        report_error(diagnostics, NO_SPAN, "%s: policies refer to each other more than %u deep",
                     filter->name, COMPILE_DEPTH_MOST);
        return FAILURE(ERROR_INPUT);
    }
    struct compile_options compile = {.level = OPTIMIZE_2,
                                      .deadline = options->deadline,
                                      .accept_arch = options->accept_arch,
                                      .accept_width = options->accept_width,
                                      .depth = options->depth + 1};
    struct compiled compiled;
    result r = compile_policy(arena, filter->policy, &compile, diagnostics, &compiled);
    if (failed(r))
        return r;
    enum verdict verdict = options->inspect ? compiled.proof.verdict : compiled.verdict;
    if (verdict != PROVED) {
        report_error(diagnostics, NO_SPAN,
                     "%s is not proved, so it is not used; `bpfproof compile` says what is wrong",
                     filter->name);
        return FAILURE(verdict == UNKNOWN ? ERROR_LIMIT : ERROR_INPUT);
    }
    if (compiled.verdict != PROVED)
        report_warning(diagnostics, NO_SPAN,
                       "`bpfproof compile` would not write %s: not all proofs hold", filter->name);
    filter->programs = arena_copy(arena, &compiled.program, sizeof compiled.program);
    filter->program_count = 1;
    return SUCCESS;
}

struct side filter_side(const struct filter *filter)
{
    return (struct side){.name = filter->name,
                         .policy = filter->policy,
                         .programs = filter->policy ? NULL : filter->programs,
                         .program_count = filter->policy ? 0 : filter->program_count};
}
