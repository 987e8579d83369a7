#include "cli/cli.h"

static json_t *disassemble_one(struct context *context, const struct filter *filter, size_t index,
                               enum format format, struct buffer *all)
{
    const struct program *program = &filter->programs[index];
    struct buffer text = buffer_new(context->arena);
    program_encode(&text, context->arena, program, format, filter->declared);
    if (filter->program_count > 1)
        buffer_printf(all, "; filter %zu of %zu: %s\n", index + 1, filter->program_count,
                      program->name);
    buffer_put(all, buffer_string(&text), text.length);
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(program->name));
    json_object_set_new(object, "instructions", json_integer(program->length));
    if (filter->program_count > 1)
        json_object_set_new(object, "text", json_string(buffer_string(&text)));
    return object;
}

enum exit_code run_disasm(struct context *context)
{
    struct filter filter;
    struct load_options options = load_options_of(context);
    options.inspect = true;
    options.any_program = true;
    result r = filter_load(context->arena, context->options.arguments[0], &options,
                           &context->diagnostics, &filter);
    if (worked(r))
        r = filter_compile(context->arena, &filter, &options, &context->diagnostics);
    if (failed(r))
        return exit_of(r);
    enum format format =
        context->options.format == FORMAT_UNKNOWN ? FORMAT_ASSEMBLY : context->options.format;
    if (filter.program_count > 1 && format != FORMAT_ASSEMBLY) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s is a stack of %zu filters, which is written as text (-f asm) only",
                     filter.name, filter.program_count);
        return EXIT_USAGE;
    }
    struct buffer text = buffer_new(context->arena);
    json_t *programs = json_array();
    for (size_t i = 0; i < filter.program_count; i++)
        json_array_append_new(programs, disassemble_one(context, &filter, i, format, &text));
    if (filter.program_count > 1)
        json_object_set(context->json, "programs", programs);
    json_decref(programs);
    if (context->options.json) {
        set_text(context, "text", buffer_string(&text));
        json_object_set_new(context->json, "instructions", json_integer(filter.programs[0].length));
        if (!context->options.output || !strcmp(context->options.output, "-"))
            return EXIT_HOLDS;
    }
    return exit_of(write_output(context, buffer_string(&text), text.length));
}
