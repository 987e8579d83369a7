#include "cli/cli.h"

struct request {
    struct filter filter;
    struct optimized optimized;
    struct profile profile;
    struct buffer smt2, dump;
};

/* What is written is always proved: where nothing better was found it is the program itself. */
static enum verdict verdict_of(const struct optimized *optimized)
{
    return optimized->nothing_made ? PROVED : optimized->proof.verdict;
}

static json_t *json_with_cost(const struct figures *figures, double cost, double jumps,
                              abi_set declared)
{
    json_t *object = json_figures(figures, declared);
    json_object_set_new(object, "expected_cost", cost > 0 ? json_real(cost) : json_null());
    json_object_set_new(object, "expected_jumps", cost > 0 ? json_real(jumps) : json_null());
    return object;
}

static void fill_json(struct context *context, const struct request *request)
{
    const struct optimized *o = &request->optimized;
    abi_set declared = request->filter.declared;
    json_t *json = context->json;
    set_text(context, "result", verdict_name(verdict_of(o)));
    json_object_set_new(json, "before",
                        json_with_cost(&o->before, o->cost_before, o->jumps_before, declared));
    json_object_set_new(json, "after",
                        json_with_cost(&o->after, o->cost_after, o->jumps_after, declared));
    json_object_set_new(json, "kept_original", json_boolean(o->kept_original));
    if (o->why)
        set_text(context, "why", o->why);
    json_object_set_new(json, "lower_bound",
                        o->nothing_made ? json_null() : json_real(o->lower_bound));
    json_object_set_new(json, "optimize_ms", json_real(milliseconds(o->optimize_ns)));
    json_object_set_new(json, "proof_ms", json_real(milliseconds(o->proof.ns)));
}

static void print_stats(const struct request *request)
{
    const struct optimized *o = &request->optimized;
    fprintf(stderr, "  optimized in %.2f ms, proved in %.2f ms\n", milliseconds(o->optimize_ns),
            milliseconds(o->proof.ns));
    if (!o->nothing_made)
        fprintf(stderr,
                "  executed per call that counts: mean %.2f -> %.2f; at least %.2f; jumps taken "
                "%.2f -> %.2f\n",
                o->cost_before, o->cost_after, o->lower_bound, o->jumps_before, o->jumps_after);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (request->filter.declared & ABI_BIT(id))
            fprintf(stderr,
                    "  %s: executed per permitted call: mean %.2f -> %.2f; named calls cached by "
                    "the kernel: "
                    "%u -> %u\n",
                    abi_get((enum abi_id)id)->name, o->before.expected_of[id],
                    o->after.expected_of[id], o->before.cached[id], o->after.cached[id]);
}

static void print_result(struct context *context, const struct request *request)
{
    const struct optimized *o = &request->optimized;
    fprintf(stderr, "%s: %u instructions -> %u, longest path %u -> %u, %s\n", request->filter.name,
            o->before.instructions, o->after.instructions, o->before.worst, o->after.worst,
            o->kept_original && verdict_of(o) == PROVED ? "kept as it is"
                                                        : verdict_name(verdict_of(o)));
    if (o->kept_original)
        fprintf(stderr, "  %s\n", o->why);
    if (verdict_of(o) == REFUTED)
        fputs("  this is a mistake of bpfproof; please report this program\n", stderr);
    if (context->options.stats)
        print_stats(request);
    if (verdict_of(o) != PROVED)
        fputs("nothing was written\n", stderr);
}

static result load_blob(struct context *context, struct filter *filter)
{
    result r = load_argument(context, 0, filter);
    if (failed(r))
        return r;
    if (filter->policy) {
        report_error(&context->diagnostics, NO_SPAN, "%s is a policy, not a blob: compile it",
                     filter->name);
        return FAILURE(ERROR_INPUT);
    }
    if (filter->program_count != 1) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s is a stack of %zu filters: optimize them one by one", filter->name,
                     filter->program_count);
        return FAILURE(ERROR_INPUT);
    }
    return SUCCESS;
}

static result load_and_optimize(struct context *context, struct request *request)
{
    struct options *o = &context->options;
    result r = load_blob(context, &request->filter);
    if (failed(r))
        return r;
    abi_set declared = request->filter.declared;
    if (o->profile) {
        r = load_profile(context, o->profile, declared, &request->profile);
        if (failed(r))
            return r;
    }
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
    r = optimize_program(context->arena, &request->filter.programs[0], declared, &options,
                         &context->diagnostics, &request->optimized);
    fputs(buffer_string(&request->dump), stderr);
    return r;
}

enum exit_code run_optimize(struct context *context)
{
    struct request request = {.smt2 = buffer_new(context->arena),
                              .dump = buffer_new(context->arena)};
    result r = load_and_optimize(context, &request);
    if (failed(r)) {
        set_text(context, "result", r.error == ERROR_LIMIT ? "UNKNOWN" : "ERROR");
        return exit_of(r);
    }
    enum verdict verdict = verdict_of(&request.optimized);
    fill_json(context, &request);
    if (!context->options.json)
        print_result(context, &request);
    r = write_smt2(context, &request.smt2);
    if (worked(r) && verdict == PROVED)
        r = write_program(context, &request.optimized.program, request.filter.declared);
    return failed(r) ? exit_of(r) : exit_of_verdict(verdict);
}
