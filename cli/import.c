#include "cli/cli.h"

typedef result importer(struct arena *arena, const struct source *source,
                        const struct import_options *options, struct diagnostics *diagnostics,
                        struct buffer *policy_text);

static const struct {
    const char *name;
    importer *import;
} importers[] = {
    {"oci", import_oci},
};

static importer *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(importers); i++)
        if (!strcmp(importers[i].name, name))
            return importers[i].import;
    return NULL;
}

enum exit_code run_import(struct context *context)
{
    struct options *o = &context->options;
    importer *import = find(o->arguments[0]);
    if (!import) {
        report_error(&context->diagnostics, NO_SPAN, "no such format `%s`; there is: oci",
                     o->arguments[0]);
        return EXIT_USAGE;
    }
    struct import_options options = {.capabilities = o->capabilities.items,
                                     .capability_count = o->capabilities.count,
                                     .kernel_major = o->kernel_major,
                                     .kernel_minor = o->kernel_minor,
                                     .arch = o->arch};
    const struct source *source;
    struct buffer text = buffer_new(context->arena);
    result r = file_read(context->arena, o->arguments[1], &context->diagnostics, &source);
    if (worked(r))
        r = import(context->arena, source, &options, &context->diagnostics, &text);
    if (failed(r))
        return exit_of(r);
    if (o->json) {
        set_text(context, "policy", buffer_string(&text));
        if (!o->output || !strcmp(o->output, "-"))
            return EXIT_HOLDS;
    }
    return exit_of(write_output(context, buffer_string(&text), text.length));
}
