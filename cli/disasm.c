#include "cli/cli.h"

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
    struct buffer text = buffer_new(context->arena);
    for (size_t i = 0; i < filter.program_count; i++) {
        if (filter.program_count > 1 && format == FORMAT_ASSEMBLY)
            buffer_printf(&text, "; %s\n", filter.programs[i].name);
        program_encode(&text, context->arena, &filter.programs[i], format, filter.declared);
    }
    if (context->options.json) {
        set_text(context, "text", buffer_string(&text));
        json_object_set_new(context->json, "instructions", json_integer(filter.programs[0].length));
        if (!context->options.output || !strcmp(context->options.output, "-"))
            return EXIT_HOLDS;
    }
    return exit_of(write_output(context, buffer_string(&text), text.length));
}
