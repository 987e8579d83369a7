#include "cli/cli.h"

struct request {
    VECTOR(struct program) programs; /* oldest first */
    abi_set declared;
    struct merged merged;
    struct profile profile;
    struct buffer smt2, dump;
};

static void fill_json(struct context *context, const struct request *request)
{
    const struct merged *m = &request->merged;
    json_t *json = context->json;
    set_text(context, "result", verdict_name(m->proof.verdict));
    if (m->proof.verdict != PROVED && m->proof.reason)
        set_text(context, "reason", m->proof.reason);
    json_object_set_new(json, "filters", json_integer((json_int_t)request->programs.count));
    json_object_set_new(json, "before", json_figures(&m->before, request->declared));
    json_object_set_new(json, "after", json_figures(&m->after, request->declared));
    json_object_set_new(json, "merge_ms", json_real(milliseconds(m->merge_ns)));
    json_object_set_new(json, "proof_ms", json_real(milliseconds(m->proof.ns)));
}

static void print_stats(const struct request *request)
{
    const struct merged *m = &request->merged;
    fprintf(stderr, "  merged in %.2f ms, proved in %.2f ms\n", milliseconds(m->merge_ns),
            milliseconds(m->proof.ns));
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (request->declared & ABI_BIT(id))
            fprintf(stderr,
                    "  %s: executed per permitted call: mean %.2f -> %.2f; named calls cached by "
                    "the kernel: "
                    "%u -> %u\n",
                    abi_get((enum abi_id)id)->name, m->before.expected_of[id],
                    m->after.expected_of[id], m->before.cached[id], m->after.cached[id]);
}

static void print_result(struct context *context, const struct request *request)
{
    const struct merged *m = &request->merged;
    fprintf(stderr, "%zu filters, %u instructions -> 1 filter, %u instructions, %s\n",
            request->programs.count, m->before.instructions, m->after.instructions,
            verdict_name(m->proof.verdict));
    if (m->proof.verdict != PROVED && m->proof.reason)
        fprintf(stderr, "  %s\n", m->proof.reason);
    if (m->proof.verdict == REFUTED)
        fputs("  this is a mistake of bpfproof; please report these filters\n", stderr);
    if (context->options.stats)
        print_stats(request);
    if (m->proof.verdict != PROVED)
        fputs("nothing was written\n", stderr);
}

static result add_filter(struct context *context, int index, struct request *request)
{
    struct filter filter;
    struct load_options options = load_options_of(context);
    result r = load_argument(context, index, &filter);
    if (worked(r))
        r = filter_compile(context->arena, &filter, &options, &context->diagnostics);
    if (failed(r))
        return r;
    for (size_t i = 0; i < filter.program_count; i++) {
        if (request->programs.count &&
            request->programs.items[0].big_endian != filter.programs[i].big_endian) {
            report_error(&context->diagnostics, NO_SPAN,
                         "%s is for a machine of the other byte order", filter.name);
            return FAILURE(ERROR_INPUT);
        }
        vector_push(context->arena, &request->programs, filter.programs[i]);
    }
    request->declared |= filter.declared;
    return SUCCESS;
}

static result load_all(struct context *context, struct request *request)
{
    struct options *o = &context->options;
    for (int i = 0; i < o->argument_count; i++) {
        result r = add_filter(context, i, request);
        if (failed(r))
            return r;
    }
    if (!o->abis)
        request->declared = blob_declared(request->programs.items, request->programs.count);
    return o->profile ? load_profile(context, o->profile, request->declared, &request->profile)
                      : SUCCESS;
}

static result load_and_merge(struct context *context, struct request *request)
{
    struct options *o = &context->options;
    result r = load_all(context, request);
    if (failed(r))
        return r;
    struct compile_options options = {.level = o->level,
                                      .kernel_major = o->kernel_major,
                                      .kernel_minor = o->kernel_minor,
                                      .profile = o->profile ? &request->profile : NULL,
                                      .lambda = o->lambda,
                                      .deadline = context->deadline,
                                      .whole_proof = o->whole_proof,
                                      .smt2 = o->emit_smt2 ? &request->smt2 : NULL,
                                      .dump = o->dump,
                                      .dump_out = &request->dump};
    r = merge_programs(context->arena, request->programs.items, request->programs.count,
                       request->declared, &options, &context->diagnostics, &request->merged);
    fputs(buffer_string(&request->dump), stderr);
    return r;
}

enum exit_code run_merge(struct context *context)
{
    struct request request = {.smt2 = buffer_new(context->arena),
                              .dump = buffer_new(context->arena)};
    result r = load_and_merge(context, &request);
    if (failed(r)) {
        set_text(context, "result", r.error == ERROR_LIMIT ? "UNKNOWN" : "ERROR");
        return exit_of(r);
    }
    enum verdict verdict = request.merged.proof.verdict;
    fill_json(context, &request);
    if (!context->options.json)
        print_result(context, &request);
    r = write_smt2(context, &request.smt2);
    if (worked(r) && verdict == PROVED)
        r = write_program(context, &request.merged.program, request.declared);
    return failed(r) ? exit_of(r) : exit_of_verdict(verdict);
}
