#include "cli/cli.h"

static void print_counterexample(struct context *context, const struct side *left,
                                 const struct side *right, const struct counterexample *c,
                                 abi_set declared, bool big_endian)
{
    printf("  counterexample: %s\n", call_text(context, &c->input, declared, big_endian));
    printf("    arch 0x%08x, nr 0x%x (%d)", c->input.arch, c->input.nr, (int)c->input.nr);
    for (size_t i = 0; i < 6; i++)
        printf("%s0x%llx", i ? ", " : ", args ", (unsigned long long)c->input.args[i]);
    printf("\n    %s returns %s (0x%08x)\n", left->name,
           verdict_text(context, c->left, &c->input, big_endian), c->left);
    printf("    %s returns %s (0x%08x)\n", right->name,
           verdict_text(context, c->right, &c->input, big_endian), c->right);
}

static void fill_json(struct context *context, const struct proof *proof, abi_set declared,
                      bool big_endian)
{
    set_text(context, "result", verdict_name(proof->verdict));
    json_object_set_new(context->json, "proof_ms", json_real(milliseconds(proof->ns)));
    json_object_set_new(context->json, "classes", json_integer((json_int_t)proof->classes));
    json_object_set_new(context->json, "solver_questions",
                        json_integer((json_int_t)proof->questions));
    if (proof->verdict != PROVED && proof->reason)
        set_text(context, "reason", proof->reason);
    if (proof->verdict == REFUTED && proof->has_counterexample)
        json_object_set_new(
            context->json, "counterexample",
            json_counterexample(context, &proof->counterexample, declared, big_endian));
}

static enum exit_code verify_against(struct context *context, const struct filter *filter)
{
    struct filter other;
    struct load_options load = load_options_of(context);
    result r =
        filter_load(context->arena, context->options.against, &load, &context->diagnostics, &other);
    if (failed(r))
        return exit_of(r);
    if (filter->big_endian != other.big_endian) {
        report_error(&context->diagnostics, NO_SPAN, "%s is for a %s-endian machine, %s is not",
                     filter->name, filter->big_endian ? "big" : "little", other.name);
        return EXIT_USAGE;
    }
    abi_set declared = filter->declared | other.declared;
    struct buffer smt2 = buffer_new(context->arena);
    struct proof_options options =
        proof_options_of(context, context->options.emit_smt2 ? &smt2 : NULL, declared);
    struct side left = filter_side(filter), right = filter_side(&other);
    struct proof proof = context->options.at_most
                             ? prove_at_most(context->arena, &left, &right, &options)
                             : prove_equal(context->arena, &left, &right, &options);
    r = write_smt2(context, &smt2);
    if (failed(r))
        return exit_of(r);
    fill_json(context, &proof, declared, filter->big_endian);
    if (!context->options.json) {
        static const char *const relation[2][3] = {
            [0] = {[PROVED] = "equal", [REFUTED] = "different", [UNKNOWN] = "not decided"},
            [1] = {[PROVED] = "nowhere more permissive",
                   [REFUTED] = "more permissive",
                   [UNKNOWN] = "not decided"}};
        printf("%s: %s and %s: %s (%.2f ms, %llu classes, %llu questions for the solver)\n",
               verdict_name(proof.verdict), left.name, right.name,
               relation[context->options.at_most][proof.verdict], milliseconds(proof.ns),
               (unsigned long long)proof.classes, (unsigned long long)proof.questions);
        if (proof.verdict == REFUTED && proof.has_counterexample)
            print_counterexample(context, &left, &right, &proof.counterexample, declared,
                                 filter->big_endian);
        if (proof.verdict == UNKNOWN && proof.reason)
            printf("  %s\n", proof.reason);
    }
    return exit_of_verdict(proof.verdict);
}

static result load_goals(struct context *context, const struct filter *filter,
                         const struct goal **goals, size_t *count)
{
    if (!context->options.assertions) {
        *goals = filter->policy ? filter->policy->goals : NULL;
        *count = filter->policy ? filter->policy->goal_count : 0;
        if (*count)
            return SUCCESS;
        report_error(
            &context->diagnostics, NO_SPAN,
            filter->policy
                ? "%s has no `prove` statement; say what to prove with --against or --assert"
                : "%s is a blob; say what to prove with --against or --assert",
            filter->name);
        return FAILURE(ERROR_INPUT);
    }
    const struct source *source;
    result r =
        file_read(context->arena, context->options.assertions, &context->diagnostics, &source);
    if (failed(r))
        return r;
    r = assertions_read(context->arena, source, filter->declared, filter->big_endian,
                        &context->diagnostics, goals, count);
    if (worked(r) && *count == 0) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s has no `prove` statement: nothing would be proved", source->name);
        return FAILURE(ERROR_INPUT);
    }
    return r;
}

/* For a blob: which ABIs `prove always` without `on` is about. */
static void tell_abis(struct context *context, const struct filter *filter)
{
    json_object_set_new(context->json, "abis", json_abis(filter->declared));
    if (!context->options.json && !filter->policy)
        printf("%s: about %s%s\n", filter->name, abi_names_of(context->arena, filter->declared),
               context->options.abis ? "" : " (the tokens that it compares; --abi names others)");
}

static enum exit_code verify_goals(struct context *context, const struct filter *filter)
{
    const struct goal *goals;
    size_t count;
    result r = load_goals(context, filter, &goals, &count);
    if (failed(r))
        return exit_of(r);
    struct buffer smt2 = buffer_new(context->arena);
    struct proof_options proof =
        proof_options_of(context, context->options.emit_smt2 ? &smt2 : NULL, filter->declared);
    struct load_options load = {.format = FORMAT_UNKNOWN, .deadline = context->deadline};
    struct side side = filter_side(filter);
    struct goal_result *results;
    enum verdict verdict = PROVED;
    uint64_t start = clock_ns();
    r = prove_goals(context->arena, &side, goals, count, &proof, &load, &context->diagnostics,
                    &results, &verdict);
    if (worked(r))
        r = write_smt2(context, &smt2);
    if (failed(r))
        return exit_of(r);
    tell_abis(context, filter);
    set_text(context, "result", verdict_name(verdict));
    json_object_set_new(context->json, "proof_ms", json_real(milliseconds(clock_ns() - start)));
    json_object_set_new(context->json, "assertions",
                        json_goals(context, results, count, filter->declared, filter->big_endian));
    for (size_t i = 0; i < count; i++)
        if (results[i].proof.verdict == REFUTED && results[i].proof.has_counterexample &&
            !json_object_get(context->json, "counterexample"))
            json_object_set_new(context->json, "counterexample",
                                json_counterexample(context, &results[i].proof.counterexample,
                                                    filter->declared, filter->big_endian));
    if (!context->options.json)
        print_goals(context, stdout, results, count, filter->declared, filter->big_endian);
    return exit_of_verdict(verdict);
}

enum exit_code run_verify(struct context *context)
{
    struct options *o = &context->options;
    if (o->against && o->assertions) {
        report_error(&context->diagnostics, NO_SPAN,
                     "--against and --assert are two questions: ask one at a time");
        return EXIT_USAGE;
    }
    if (o->at_most && !o->against) {
        report_error(&context->diagnostics, NO_SPAN, "--at-most needs --against FILTER");
        return EXIT_USAGE;
    }
    struct filter filter;
    result r = load_argument(context, 0, &filter);
    if (failed(r))
        return exit_of(r);
    return o->against ? verify_against(context, &filter) : verify_goals(context, &filter);
}
