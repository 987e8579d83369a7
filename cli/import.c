#include "cli/cli.h"

typedef result importer(struct arena *arena, const struct source *source,
                        const struct import_options *options, struct diagnostics *diagnostics,
                        struct buffer *policy_text);

struct profile_format {
    const char *name;
    importer *import;
    bool has_threads;    /* --thread */
    bool for_containers; /* --cap, --kernel */
};

static const struct profile_format formats[] = {
    {"oci", import_oci, false, true},
    {"firecracker", import_firecracker, true, false},
};

static const struct profile_format *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

/* An option that would say nothing is a mistake. */
static bool check_options(struct context *context, const struct profile_format *format)
{
    const struct options *o = &context->options;
    const char *useless = !format->for_containers && o->capabilities.count ? "--cap"
                          : !format->for_containers && (o->kernel_major || o->kernel_minor)
                              ? "--kernel"
                          : !format->has_threads && o->thread ? "--thread"
                                                              : NULL;
    if (useless)
        report_error(&context->diagnostics, NO_SPAN, "%s says nothing about a profile of %s",
                     useless, format->name);
    return !useless;
}

enum exit_code run_import(struct context *context)
{
    struct options *o = &context->options;
    const struct profile_format *format = find(o->arguments[0]);
    if (!format) {
        report_error(&context->diagnostics, NO_SPAN,
                     "no such format `%s`; there are: oci, firecracker", o->arguments[0]);
        return EXIT_USAGE;
    }
    if (!check_options(context, format))
        return EXIT_USAGE;
    struct import_options options = {.capabilities = o->capabilities.items,
                                     .capability_count = o->capabilities.count,
                                     .kernel_major = o->kernel_major,
                                     .kernel_minor = o->kernel_minor,
                                     .arch = o->arch,
                                     .thread = o->thread};
    const struct source *source;
    struct buffer text = buffer_new(context->arena);
    result r = file_read(context->arena, o->arguments[1], &context->diagnostics, &source);
    if (worked(r))
        r = format->import(context->arena, source, &options, &context->diagnostics, &text);
    if (failed(r))
        return exit_of(r);
    if (o->json) {
        set_text(context, "policy", buffer_string(&text));
        if (!o->output || !strcmp(o->output, "-"))
            return EXIT_HOLDS;
    }
    return exit_of(write_output(context, buffer_string(&text), text.length));
}
