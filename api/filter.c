#include "api/bpfproof.h"

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
                 "%s: the kernel would refuse this program: instruction %u: %s", source->name,
                 check.instruction, check_rule_text(check.rule));
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

/* The endianness that the programs' own blobs have is how they were written; what counts is the
 * machine they run on: the declared ABIs say, when they are given. */
static result settle_endianness(struct filter *filter, const struct load_options *options,
                                struct diagnostics *diagnostics)
{
    for (size_t i = 1; i < filter->program_count; i++)
        if (filter->programs[i].big_endian != filter->programs[0].big_endian) {
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
    if (filter->program_count && check_program(&filter->programs[0]).rule == CHECK_ACCEPTED)
        filter->declared = blob_declared(filter->programs, filter->program_count);
    return SUCCESS;
}

static result append_member(struct arena *arena, const char *path,
                            const struct load_options *options, struct diagnostics *diagnostics,
                            struct filter *stack)
{
    struct filter member;
    result r = load_one(arena, path, options, diagnostics, &member);
    if (worked(r))
        r = filter_compile(arena, &member, options, diagnostics);
    if (failed(r))
        return r;
    struct program *programs = NEW_ARRAY(arena, struct program, stack->program_count + 1);
    if (stack->program_count)
        memcpy(programs, stack->programs, stack->program_count * sizeof *programs);
    programs[stack->program_count++] = member.programs[0];
    stack->programs = programs;
    stack->big_endian = member.big_endian;
    return SUCCESS;
}

static result load_stack(struct arena *arena, const char *argument,
                         const struct load_options *options, struct diagnostics *diagnostics,
                         struct filter *filter)
{
    *filter = (struct filter){.name = arena_string(arena, argument, strlen(argument))};
    for (const char *at = argument;; at++) {
        size_t length = strcspn(at, "+");
        if (length == 0) {
            report_error(diagnostics, NO_SPAN, "%s: an empty name in a stack", argument);
            return FAILURE(ERROR_INPUT);
        }
        result r =
            append_member(arena, arena_string(arena, at, length), options, diagnostics, filter);
        if (failed(r))
            return r;
        at += length;
        if (!*at)
            break;
    }
    return settle_endianness(filter, options, diagnostics);
}

result filter_load(struct arena *arena, const char *argument, const struct load_options *options,
                   struct diagnostics *diagnostics, struct filter *filter)
{
    if (strchr(argument, '+') && access(argument, F_OK) != 0)
        return load_stack(arena, argument, options, diagnostics, filter);
    result r = load_one(arena, argument, options, diagnostics, filter);
    if (failed(r) || filter->policy)
        return r;
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
