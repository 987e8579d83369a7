#include "cli/cli.h"

enum exit_code run_fmt(struct context *context)
{
    const struct source *source;
    struct tree *tree;
    result r =
        file_read(context->arena, context->options.arguments[0], &context->diagnostics, &source);
    if (worked(r))
        r = policy_parse(context->arena, source, &context->diagnostics, &tree);
    if (failed(r))
        return exit_of(r);
    struct buffer text = buffer_new(context->arena);
    policy_print(&text, tree);
    if (context->options.json) {
        set_text(context, "policy", buffer_string(&text));
        if (!context->options.output || !strcmp(context->options.output, "-"))
            return EXIT_HOLDS;
    }
    return exit_of(write_output(context, buffer_string(&text), text.length));
}
