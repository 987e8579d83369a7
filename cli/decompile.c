#include "cli/cli.h"

#include <ctype.h>

struct request {
    struct filter filter;
    struct decompiled decompiled;
    struct buffer smt2;
};

/* The file's name without its ending: a policy has no quotes in its name. */
static const char *policy_name(struct context *context, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    char *name = arena_string(context->arena, base,
                              dot && dot != base ? (size_t)(dot - base) : strlen(base));
    for (char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.@:+", *at))
            *at = '_';
    return *name ? name : "decompiled";
}

static const char *result_text(const struct request *request)
{
    return request->decompiled.proof.verdict == PROVED ? "PROVED" : "UNKNOWN";
}

static void fill_json(struct context *context, const struct request *request)
{
    const struct raised_policy *raised = &request->decompiled.raised;
    bool proved = request->decompiled.proof.verdict == PROVED;
    json_t *json = context->json, *reasons = json_array();
    set_text(context, "result", result_text(request));
    json_object_set_new(json, "instructions", json_integer(request->filter.programs[0].length));
    json_object_set_new(json, "lines", json_integer(proved ? raised->lines : 0));
    json_object_set_new(json, "raw_rules", json_integer((json_int_t)raised->raw_rules));
    for (size_t i = 0; i < raised->reason_count; i++)
        json_array_append_new(reasons, json_string(raised->raw_reasons[i]));
    json_object_set_new(json, "raw_reasons", reasons);
    json_object_set_new(json, "raise_ms", json_real(milliseconds(request->decompiled.raise_ns)));
    json_object_set_new(json, "proof_ms", json_real(milliseconds(request->decompiled.proof.ns)));
    set_text(context, "policy", proved ? raised->text : NULL);
}

static void print_result(const struct request *request)
{
    const struct decompiled *d = &request->decompiled;
    bool proved = d->proof.verdict == PROVED;
    fprintf(stderr, "%s: %u instructions -> %u lines, %s\n", request->filter.name,
            request->filter.programs[0].length, d->raised.lines,
            proved ? "PROVED equal on every input" : "UNKNOWN");
    if (!proved)
        fprintf(stderr, "  no policy was proved equal to it%s%s\nnothing was written\n",
                d->proof.reason ? ": " : "", d->proof.reason ? d->proof.reason : "");
    for (size_t i = 0; proved && i < d->raised.reason_count; i++)
        fprintf(stderr, "  raw: %s\n", d->raised.raw_reasons[i]);
}

static result load_blob(struct context *context, struct filter *filter)
{
    result r = load_argument(context, 0, filter);
    if (failed(r))
        return r;
    if (filter->policy) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s is a policy already; `bpfproof fmt` prints it", filter->name);
        return FAILURE(ERROR_INPUT);
    }
    if (filter->program_count != 1) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s is a stack of %zu filters: `bpfproof merge` makes one of them; or "
                     "decompile them one by one",
                     filter->name, filter->program_count);
        return FAILURE(ERROR_INPUT);
    }
    return SUCCESS;
}

/* With --json, standard output holds the object alone; the policy is in it. */
static result write_policy(struct context *context, const struct decompiled *decompiled)
{
    const char *output = context->options.output;
    if (context->options.json && (!output || !strcmp(output, "-")))
        return SUCCESS;
    return write_output(context, decompiled->raised.text, strlen(decompiled->raised.text));
}

enum exit_code run_decompile(struct context *context)
{
    struct request request = {.smt2 = buffer_new(context->arena)};
    struct options *o = &context->options;
    result r = load_blob(context, &request.filter);
    if (worked(r)) {
        struct decompile_options options = {.declared = request.filter.declared,
                                            .name = policy_name(context, request.filter.name),
                                            .deadline = context->deadline,
                                            .whole_proof = o->whole_proof,
                                            .smt2 = o->emit_smt2 ? &request.smt2 : NULL};
        r = decompile_program(context->arena, &request.filter.programs[0], &options,
                              &context->diagnostics, &request.decompiled);
    }
    if (failed(r)) {
        bool limit = r.error == ERROR_LIMIT;
        set_text(context, "result", limit ? "UNKNOWN" : "ERROR");
        if (limit && !o->json)
            fprintf(stderr, "%s: UNKNOWN\nnothing was written\n", request.filter.name);
        return exit_of(r);
    }
    fill_json(context, &request);
    if (!o->json)
        print_result(&request);
    r = write_smt2(context, &request.smt2);
    if (worked(r) && request.decompiled.proof.verdict == PROVED)
        r = write_policy(context, &request.decompiled);
    if (failed(r))
        return exit_of(r);
    return request.decompiled.proof.verdict == PROVED ? EXIT_HOLDS : EXIT_UNKNOWN;
}
