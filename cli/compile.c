#include "cli/cli.h"

struct request {
    const struct source *source;
    struct compiled compiled;
    struct figures figures;
    struct profile profile;
    struct buffer smt2, dump;
};

static json_t *json_cached(const struct request *request)
{
    json_t *object = json_object();
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (request->compiled.policy->abis & ABI_BIT(id))
            json_object_set_new(object, abi_get((enum abi_id)id)->name,
                                json_integer(request->figures.cached[id]));
    return object;
}

static void set_proof(struct context *context, const char *key, const struct proof *proof,
                      const struct policy *policy)
{
    char *reason = arena_printf(context->arena, "%s_reason", key);
    char *example = arena_printf(context->arena, "%s_counterexample", key);
    if (proof->verdict != PROVED && proof->reason)
        set_text(context, reason, proof->reason);
    if (proof->verdict == REFUTED && proof->has_counterexample)
        json_object_set_new(
            context->json, example,
            json_counterexample(context, &proof->counterexample, policy->abis, policy->big_endian));
}

static void fill_json(struct context *context, const struct request *request)
{
    const struct compiled *c = &request->compiled;
    json_t *json = context->json;
    json_object_set_new(json, "instructions", json_integer(c->program.length));
    set_text(context, "proof", verdict_name(c->proof.verdict));
    json_object_set_new(json, "proof_ms", json_real(milliseconds(c->proof.ns)));
    set_text(context, "arch_isolation", verdict_name(c->arch_isolation.verdict));
    set_text(context, "width_safety", width_verdict_name(c->width.verdict));
    set_proof(context, "proof", &c->proof, c->policy);
    set_proof(context, "arch_isolation", &c->arch_isolation, c->policy);
    set_proof(context, "width_safety", &c->width.proof, c->policy);
    json_object_set_new(
        json, "assertions",
        json_goals(context, c->goals, c->goal_count, c->policy->abis, c->policy->big_endian));
    set_text(context, "result", verdict_name(c->verdict));
    json_object_set_new(json, "cached", json_cached(request));
    json_object_set_new(json, "expected", json_real(request->figures.expected));
    json_object_set_new(json, "expected_cost", json_real(c->expected_cost));
    json_object_set_new(json, "expected_jumps", json_real(c->expected_jumps));
    json_object_set_new(json, "lower_bound", json_real(c->lower_bound));
    json_object_set_new(json, "worst", json_integer(request->figures.worst));
    json_object_set_new(json, "compile_ms", json_real(milliseconds(c->compile_ns)));
    json_object_set_new(json, "all_proofs_ms", json_real(milliseconds(c->proof_ns)));
    json_object_set_new(json, "dead_rules_ms", json_real(milliseconds(c->dead_rules.ns)));
    json_object_set_new(json, "dead_rules", json_integer((json_int_t)c->dead_rules.found));
    json_object_set_new(json, "unsettled_rules", json_integer((json_int_t)c->dead_rules.unsettled));
    json_object_set_new(json, "classes", json_integer((json_int_t)c->proof.classes));
    json_object_set_new(json, "solver_questions", json_integer((json_int_t)c->proof.questions));
}

static void print_failure(struct context *context, const struct policy *policy, const char *what,
                          const char *verdict, const struct proof *proof, bool two_inputs)
{
    fprintf(stderr, "%s: %s\n", what, verdict);
    if (proof->reason)
        fprintf(stderr, "  %s\n", proof->reason);
    if (!proof->has_counterexample)
        return;
    const struct counterexample *c = &proof->counterexample;
    fprintf(stderr, "  %s gets %s\n",
            call_text(context, &c->input, policy->abis, policy->big_endian),
            verdict_text(context, two_inputs ? c->left : c->right, &c->input, policy->big_endian));
    if (two_inputs)
        fprintf(stderr, "  %s gets %s, and is the same call for the kernel\n",
                call_text(context, &c->other, policy->abis, policy->big_endian),
                verdict_text(context, c->right, &c->other, policy->big_endian));
}

static void print_verdicts(struct context *context, const struct request *request)
{
    const struct compiled *c = &request->compiled;
    const struct policy *policy = c->policy;
    fprintf(stderr, "%s: %u instructions, %s; arch isolation %s, width safety %s (%.1f ms)\n",
            policy->name, c->program.length, verdict_name(c->proof.verdict),
            verdict_name(c->arch_isolation.verdict), width_verdict_name(c->width.verdict),
            milliseconds(c->proof_ns));
    if (c->proof.verdict != PROVED)
        print_failure(context, policy, "the program against the policy",
                      verdict_name(c->proof.verdict), &c->proof, false);
    if (c->arch_isolation.verdict != PROVED)
        print_failure(context, policy, "arch isolation", verdict_name(c->arch_isolation.verdict),
                      &c->arch_isolation, false);
    if (c->width.verdict != WIDTH_PROVED)
        print_failure(context, policy, "width safety", width_verdict_name(c->width.verdict),
                      &c->width.proof, true);
    print_goals(context, stderr, c->goals, c->goal_count, policy->abis, policy->big_endian);
    if (c->verdict != PROVED)
        fputs("nothing was written\n", stderr);
}

static void print_stats(const struct request *request)
{
    const struct compiled *c = &request->compiled;
    fprintf(stderr,
            "  compile %.2f ms, proofs %.2f ms: %llu classes, %llu questions for the solver\n",
            milliseconds(c->compile_ns), milliseconds(c->proof_ns),
            (unsigned long long)c->proof.classes, (unsigned long long)c->proof.questions);
    fprintf(stderr, "  rules that can never decide: %zu, looked for in %.2f ms",
            c->dead_rules.found, milliseconds(c->dead_rules.ns));
    if (c->dead_rules.unsettled)
        fprintf(stderr, "; not settled in the work allowed: %zu", c->dead_rules.unsettled);
    fputc('\n', stderr);
    fprintf(stderr, "  executed per permitted call: mean %.2f, longest path %u\n",
            request->figures.expected, request->figures.worst);
    fprintf(stderr,
            "  executed per call that counts: mean %.2f; at least %.2f in any program, gap %.2f; "
            "jumps taken %.2f\n",
            c->expected_cost, c->lower_bound, c->expected_cost - c->lower_bound, c->expected_jumps);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (c->policy->abis & ABI_BIT(id))
            fprintf(stderr, "  %s: %u named calls cached by the kernel (5.11 and later)\n",
                    abi_get((enum abi_id)id)->name, request->figures.cached[id]);
}

static result load_and_compile(struct context *context, struct request *request)
{
    struct options *o = &context->options;
    struct policy *policy;
    result r = file_read(context->arena, o->arguments[0], &context->diagnostics, &request->source);
    if (failed(r))
        return r;
    if (format_detect(request->source) != FORMAT_UNKNOWN) {
        report_error(&context->diagnostics, NO_SPAN, "%s is a blob, not a policy",
                     request->source->name);
        return FAILURE(ERROR_INPUT);
    }
    r = policy_read(context->arena, request->source, o->abis, &context->diagnostics, &policy);
    if (failed(r))
        return r;
    if (o->profile) {
        r = load_profile(context, o->profile, policy->abis, &request->profile);
        if (failed(r))
            return r;
    }
    struct compile_options options = {.abis = o->abis,
                                      .level = o->level,
                                      .kernel_major = o->kernel_major,
                                      .kernel_minor = o->kernel_minor,
                                      .figures = o->stats || o->json,
                                      .profile = o->profile ? &request->profile : NULL,
                                      .lambda = o->lambda,
                                      .deadline = context->deadline,
                                      .whole_proof = o->whole_proof,
                                      .accept_arch = o->accept_arch,
                                      .accept_width = o->accept_width,
                                      .smt2 = o->emit_smt2 ? &request->smt2 : NULL,
                                      .dump = o->dump,
                                      .dump_out = &request->dump};
    r = compile_policy(context->arena, policy, &options, &context->diagnostics, &request->compiled);
    fputs(buffer_string(&request->dump), stderr);
    return r;
}

enum exit_code run_compile(struct context *context)
{
    struct request request = {.smt2 = buffer_new(context->arena),
                              .dump = buffer_new(context->arena)};
    result r = load_and_compile(context, &request);
    if (failed(r)) {
        set_text(context, "result", r.error == ERROR_LIMIT ? "UNKNOWN" : "ERROR");
        return exit_of(r);
    }
    const struct compiled *c = &request.compiled;
    request.figures = program_figures(context->arena, &c->program, c->policy->abis);
    fill_json(context, &request);
    if (!context->options.json)
        print_verdicts(context, &request);
    if (!context->options.json && context->options.stats)
        print_stats(&request);
    r = write_smt2(context, &request.smt2);
    if (worked(r) && c->verdict == PROVED)
        r = write_program(context, &c->program, c->policy->abis);
    return failed(r) ? exit_of(r) : exit_of_verdict(c->verdict);
}
