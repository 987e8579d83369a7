#include "api/bpfproof.h"

result lift_stack(struct arena *arena, const struct program *programs, size_t count,
                  struct diagnostics *diagnostics, struct dag **dag, const struct dag_node **root)
{
    const struct dag_node *older;
    *root = NULL;
    for (size_t i = count; i-- > 0;) {
        result r = lift_program(arena, &programs[i], diagnostics, dag, &older);
        if (failed(r))
            return r;
        if (!*root && count > 1)
            *root = dag_verdict(*dag, action_get(ACTION_ALLOW)->word);
        *root = count > 1 ? dag_combine(*dag, arena, *root, older) : older;
        if (!*root) {
            report_error(diagnostics, NO_SPAN,
                         "%s: together with the filters after it, its decisions need too many "
                         "different tests",
                         programs[i].name);
            return FAILURE(ERROR_LIMIT);
        }
    }
    return SUCCESS;
}

result merge_programs(struct arena *arena, const struct program *programs, size_t count,
                      abi_set declared, const struct compile_options *options,
                      struct diagnostics *diagnostics, struct merged *merged)
{
    struct dag *dag = NULL;
    const struct dag_node *root;
    struct generated generated;
    struct generate_options generate = {.compile = options,
                                        .name = "merged",
                                        .made_by = "combining",
                                        .abis = declared,
                                        .big_endian = programs[0].big_endian};
    *merged = (struct merged){.proof = {.verdict = UNKNOWN}};
    uint64_t start = clock_ns();
    result r = lift_stack(arena, programs, count, diagnostics, &dag, &root);
    if (worked(r))
        r = generate_program(arena, dag, root, &generate, diagnostics, &generated);
    if (failed(r))
        return r;
    merged->merge_ns = clock_ns() - start - generated.figures_ns;
    merged->program = generated.program;
    struct side left = {.name = "stack", .programs = programs, .program_count = count};
    struct side right = {.name = "merged", .programs = &merged->program, .program_count = 1};
    struct proof_options proof = {.whole = options->whole_proof,
                                  .limits = {.deadline = options->deadline},
                                  .smt2 = options->smt2,
                                  .declared = declared};
    merged->proof = prove_equal(arena, &left, &right, &proof);
    merged->before = figures_of_stack(arena, programs, count, declared);
    merged->after = program_figures(arena, &merged->program, declared);
    return SUCCESS;
}
