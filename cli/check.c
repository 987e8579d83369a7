#include "cli/cli.h"

static void print_check(const struct program *program, struct check_result check)
{
    if (check.rule == CHECK_ACCEPTED) {
        printf("%s: accepted, %u instructions (%u after the kernel's conversion)\n", program->name,
               program->length, program_converted_length(program));
        return;
    }
    printf("%s: refused (%s): %s\n", program->name, check_rule_name(check.rule),
           check_rule_text(check.rule));
    if (check.rule == CHECK_LENGTH)
        return;
    struct arena *arena = arena_new();
    struct buffer text = buffer_new(arena);
    disassemble_instruction(&text, program, check.instruction);
    printf("  instruction %u: %s\n", check.instruction, buffer_string(&text));
    arena_free(arena);
}

static bool ask_kernel(struct context *context, const struct program *program, bool accepted)
{
    const char *reason = "";
    if (!kernel_available(&reason)) {
        report_warning(&context->diagnostics, NO_SPAN, "the kernel was not asked: %s", reason);
        return true;
    }
    struct kernel_result kernel = kernel_install(program);
    bool installed = kernel.outcome != KERNEL_REFUSED && kernel.outcome != KERNEL_UNAVAILABLE;
    json_object_set_new(context->json, "installed", json_boolean(installed));
    if (!context->options.json)
        printf("the running kernel: %s\n", installed ? "installed" : "refused");
    if (installed != accepted)
        report_error(&context->diagnostics, NO_SPAN,
                     "this kernel disagrees with the rules as bpfproof knows them");
    return installed == accepted;
}

static json_t *json_check(const struct program *program, struct check_result check)
{
    bool accepted = check.rule == CHECK_ACCEPTED;
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(program->name));
    json_object_set_new(object, "accepted", json_boolean(accepted));
    json_object_set_new(object, "rule",
                        accepted ? json_null() : json_string(check_rule_name(check.rule)));
    json_object_set_new(object, "instruction",
                        accepted || check.rule == CHECK_LENGTH ? json_null()
                                                               : json_integer(check.instruction));
    json_object_set_new(object, "instructions", json_integer(program->length));
    if (!accepted)
        json_object_set_new(object, "text", json_string(check_rule_text(check.rule)));
    return object;
}

/* The kernel's limit on a stack of filters that are accepted each by itself. */
static bool fits_together(struct context *context, const struct filter *filter)
{
    uint64_t converted = 0;
    for (size_t i = 0; i < filter->program_count; i++)
        converted += program_converted_length(&filter->programs[i]) + (i ? 4 : 0);
    if (converted <= STACK_LENGTH_MOST)
        return true;
    json_object_set_new(context->json, "accepted", json_false());
    set_text(context, "rule", "stack-length");
    if (!context->options.json)
        printf("refused (stack-length): the stack is %llu instructions after conversion; the "
               "kernel takes %u\n",
               (unsigned long long)converted, STACK_LENGTH_MOST);
    return false;
}

enum exit_code run_check(struct context *context)
{
    struct filter filter;
    struct load_options options = load_options_of(context);
    options.any_program = true;
    result r = filter_load(context->arena, context->options.arguments[0], &options,
                           &context->diagnostics, &filter);
    if (failed(r))
        return exit_of(r);
    if (filter.policy) {
        report_error(&context->diagnostics, NO_SPAN, "%s is a policy, not a blob: compile it first",
                     filter.name);
        return EXIT_USAGE;
    }
    bool accepted = true, agrees = true;
    json_t *programs = json_array();
    for (size_t i = 0; i < filter.program_count; i++) {
        struct check_result check = check_program(&filter.programs[i]);
        json_t *object = json_check(&filter.programs[i], check);
        /* The keys of the whole stack are those of the first that is refused. */
        if (accepted)
            json_object_update(context->json, object);
        json_array_append_new(programs, object);
        accepted = accepted && check.rule == CHECK_ACCEPTED;
        if (!context->options.json)
            print_check(&filter.programs[i], check);
        if (context->options.install)
            agrees &= ask_kernel(context, &filter.programs[i], check.rule == CHECK_ACCEPTED);
    }
    if (filter.program_count > 1)
        json_object_set(context->json, "programs", programs);
    json_decref(programs);
    accepted = accepted && fits_together(context, &filter);
    if (!agrees)
        return EXIT_USAGE;
    return accepted ? EXIT_HOLDS : EXIT_REFUTED;
}
