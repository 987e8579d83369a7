#include "cli/cli.h"

#include <unistd.h>

enum exit_code run_asm(struct context *context)
{
    struct options *o = &context->options;
    const struct source *source;
    struct program program;
    result r = file_read(context->arena, o->arguments[0], &context->diagnostics, &source);
    if (worked(r))
        r = assemble(context->arena, source, o->big_endian, &context->diagnostics, &program);
    if (failed(r))
        return exit_of(r);
    struct check_result check = check_program(&program);
    if (check.rule != CHECK_ACCEPTED)
        report_warning(&context->diagnostics, NO_SPAN,
                       "the kernel would refuse this program: instruction %u: %s",
                       check.instruction, check_rule_text(check.rule));
    enum format format =
        o->format == FORMAT_UNKNOWN ? format_by_name("bin", o->big_endian) : o->format;
    bool to_stdout = !o->output || !strcmp(o->output, "-");
    json_object_set_new(context->json, "instructions", json_integer(program.length));
    json_object_set_new(context->json, "accepted", json_boolean(check.rule == CHECK_ACCEPTED));
    if (o->json && to_stdout)
        return EXIT_HOLDS;
    if (!o->output && isatty(STDOUT_FILENO) &&
        (format == FORMAT_RAW_LITTLE || format == FORMAT_RAW_BIG)) {
        report_error(&context->diagnostics, NO_SPAN,
                     "not writing a binary to a terminal; use -o FILE or -f c");
        return EXIT_USAGE;
    }
    struct buffer bytes = buffer_new(context->arena);
    program_encode(&bytes, context->arena, &program, format, 0);
    return exit_of(write_output(context, buffer_string(&bytes), bytes.length));
}
