#include "api/bpfproof.h"

enum verdict worse_verdict(enum verdict a, enum verdict b)
{
    if (a == REFUTED || b == REFUTED)
        return REFUTED;
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : PROVED;
}

/* ---- goals
 * ------------------------------------------------------------------------------------------- */

static result prove_at_most_goal(struct arena *arena, const struct side *side,
                                 const struct goal *goal, const struct proof_options *proof,
                                 const struct load_options *load, struct diagnostics *diagnostics,
                                 struct proof *out)
{
    struct filter other;
    struct load_options options = *load;
    options.files_only = true;
    result r = filter_load(arena, goal->filter_path, &options, diagnostics, &other);
    if (failed(r)) {
        report_note(diagnostics, goal->span, "named here");
        return r;
    }
    struct side right = filter_side(&other);
    *out = prove_at_most(arena, side, &right, proof);
    return SUCCESS;
}

result prove_goals(struct arena *arena, const struct side *side, const struct goal *goals,
                   size_t count, const struct proof_options *proof, const struct load_options *load,
                   struct diagnostics *diagnostics, struct goal_result **results,
                   enum verdict *verdict)
{
    *results = NEW_ARRAY(arena, struct goal_result, count);
    for (size_t i = 0; i < count; i++) {
        struct goal_result *one = &(*results)[i];
        one->goal = &goals[i];
        if (goals[i].kind == GOAL_AT_MOST) {
            result r =
                prove_at_most_goal(arena, side, &goals[i], proof, load, diagnostics, &one->proof);
            if (failed(r))
                return r;
        } else {
            one->proof = prove_goal(arena, side, &goals[i], proof, &one->vacuous);
        }
        if (one->vacuous &&
            goals[i].pattern_count) /* without patterns: said when it was resolved */
            report_warning(diagnostics, goals[i].span,
                           "no input satisfies this pattern, so the statement says nothing");
        *verdict = worse_verdict(*verdict, one->proof.verdict);
    }
    return SUCCESS;
}

/* ---- the pipeline
 * --------------------------------------------------------------------------------------- */

/* Policy to program: lower, then as every DAG. */
static result generate(struct arena *arena, const struct policy *policy,
                       const struct compile_options *options, struct diagnostics *diagnostics,
                       struct generated *generated)
{
    struct dag *dag;
    const struct dag_node *root;
    struct generate_options generate = {.compile = options,
                                        .name = policy->name,
                                        .made_by = "lowering",
                                        .abis = policy->abis,
                                        .big_endian = policy->big_endian};
    if (options->dump & DUMP_POLICY) {
        buffer_text(options->dump_out, "== policy ==\n");
        policy_dump(options->dump_out, policy);
    }
    result r = lower_policy(arena, policy, diagnostics, &dag, &root);
    return failed(r) ? r : generate_program(arena, dag, root, &generate, diagnostics, generated);
}

static abi_set abis_of_endianness(bool big_endian)
{
    abi_set set = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abi_get((enum abi_id)id)->big_endian == big_endian)
            set |= ABI_BIT(id);
    return set;
}

static enum verdict accept_width(enum width_verdict width, bool accepted)
{
    if (width == WIDTH_UNKNOWN)
        return UNKNOWN;
    return width == WIDTH_REFUTED && !accepted ? REFUTED : PROVED;
}

/* The proofs are about the program; its equality with the policy comes first. */
static result prove_compiled(struct arena *arena, const struct compile_options *options,
                             struct diagnostics *diagnostics, struct compiled *compiled)
{
    const struct policy *policy = compiled->policy;
    struct proof_options proof = {.whole = options->whole_proof,
                                  .limits = {.deadline = options->deadline},
                                  .smt2 = options->smt2,
                                  .declared = policy->abis};
    struct load_options load = {
        .format = FORMAT_UNKNOWN, .deadline = options->deadline, .depth = options->depth};
    struct side meaning = {.name = policy->name, .policy = policy};
    struct side program = {.name = "program", .programs = &compiled->program, .program_count = 1};

    compiled->proof = prove_equal(arena, &meaning, &program, &proof);
    compiled->arch_isolation =
        prove_arch_isolation(arena, &program, policy->abis, policy->big_endian, &proof);
    /* raw rules reach ABIs that are not declared */
    abi_set known = abis_of_endianness(policy->big_endian);
    compiled->width = prove_width_safety(arena, &program, known, policy->big_endian, &proof);
    enum verdict verdict = compiled->proof.verdict;
    if (!(compiled->arch_isolation.verdict == REFUTED && options->accept_arch))
        verdict = worse_verdict(verdict, compiled->arch_isolation.verdict);
    verdict = worse_verdict(verdict, accept_width(compiled->width.verdict, options->accept_width));

    compiled->goal_count = policy->goal_count;
    result r = prove_goals(arena, &program, policy->goals, policy->goal_count, &proof, &load,
                           diagnostics, &compiled->goals, &verdict);
    compiled->verdict = verdict;
    return r;
}

result compile_policy(struct arena *arena, const struct policy *policy,
                      const struct compile_options *options, struct diagnostics *diagnostics,
                      struct compiled *compiled)
{
    *compiled = (struct compiled){.policy = policy, .verdict = UNKNOWN};
    struct generated generated;
    uint64_t start = clock_ns();
    result r = generate(arena, policy, options, diagnostics, &generated);
    if (failed(r))
        return r;
    compiled->compile_ns = clock_ns() - start - generated.figures_ns;
    compiled->program = generated.program;
    compiled->expected_cost = generated.expected_cost;
    compiled->expected_jumps = generated.expected_jumps;
    compiled->lower_bound = generated.lower_bound;

    start = clock_ns();
    r = prove_compiled(arena, options, diagnostics, compiled);
    compiled->proof_ns = clock_ns() - start;
    if (failed(r))
        return r;
    struct proof_options proof = {.limits = {.deadline = options->deadline}};
    compiled->dead_rules = report_dead_rules(policy, &proof, diagnostics);
    return SUCCESS;
}
