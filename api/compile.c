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
    result r = filter_load(arena, goal->filter_path, load, diagnostics, &other);
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

static void dump(const struct compile_options *options, enum dump_stage stage, const char *title)
{
    if (options->dump & stage)
        buffer_printf(options->dump_out, "== %s ==\n", title);
}

static result internal_error(struct diagnostics *diagnostics, const char *stage, const char *what)
{
    report_error(diagnostics, NO_SPAN, "internal error after %s: %s; please report this policy",
                 stage, what);
    return FAILURE(ERROR_UNSUPPORTED);
}

/* Policy to program: lower, select, emit. Each stage's invariants are checked at every compile. */
static result generate(struct arena *arena, const struct policy *policy,
                       const struct compile_options *options, struct diagnostics *diagnostics,
                       struct compiled *compiled)
{
    struct program *program = &compiled->program;
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    struct shape_options shape = {.level = options->level,
                                  .abis = policy->abis,
                                  .kernel_major = options->kernel_major,
                                  .kernel_minor = options->kernel_minor,
                                  .profile = options->profile};

    dump(options, DUMP_POLICY, "policy");
    if (options->dump & DUMP_POLICY)
        policy_dump(options->dump_out, policy);

    result r = lower_policy(arena, policy, diagnostics, &dag, &root);
    if (failed(r))
        return r;
    const char *broken = dag_check(dag, root);
    if (broken)
        return internal_error(diagnostics, "lowering", broken);
    optimize_dag(arena, options->level, &dag, &root);
    broken = dag_check(dag, root);
    if (broken)
        return internal_error(diagnostics, "the passes", broken);
    dump(options, DUMP_DAG, "dag");
    if (options->dump & DUMP_DAG)
        dag_print(options->dump_out, arena, root);

    r = select_shape(arena, dag, root, &shape, diagnostics, &entry);
    if (failed(r))
        return r;
    dump(options, DUMP_SELECT, "select");
    if (options->dump & DUMP_SELECT)
        blocks_print(options->dump_out, arena, entry);

    r = emit_program(arena, entry, policy->big_endian, policy->name, diagnostics, program);
    if (failed(r))
        return r;
    if (options->level != OPTIMIZE_0)
        peephole_program(arena, program, program);
    broken = code_check(arena, program);
    if (broken)
        return internal_error(diagnostics, "emission", broken);
    dump(options, DUMP_LAYOUT, "layout");
    if (options->dump & DUMP_LAYOUT)
        disassemble(options->dump_out, arena, program, policy->abis);
    if (options->figures) {
        uint64_t start = clock_ns();
        struct weights weights = weights_of(arena, dag, root, &shape);
        compiled->expected_cost = program_cost(program, &weights);
        compiled->lower_bound = executed_least(arena, root, &weights);
        compiled->figures_ns = clock_ns() - start;
    }
    return SUCCESS;
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
    uint64_t start = clock_ns();
    result r = generate(arena, policy, options, diagnostics, compiled);
    if (failed(r))
        return r;
    compiled->compile_ns = clock_ns() - start - compiled->figures_ns;
    struct check_result check = check_program(&compiled->program);
    if (check.rule != CHECK_ACCEPTED)
        return internal_error(diagnostics, "emission", check_rule_text(check.rule));

    start = clock_ns();
    r = prove_compiled(arena, options, diagnostics, compiled);
    compiled->proof_ns = clock_ns() - start;
    if (failed(r))
        return r;
    struct proof_options proof = {.limits = {.deadline = options->deadline}};
    report_dead_rules(arena, policy, &proof, diagnostics);
    return SUCCESS;
}
