#include "api/bpfproof.h"

static void dump(const struct compile_options *options, enum dump_stage stage, const char *title)
{
    if (options->dump & stage)
        buffer_printf(options->dump_out, "== %s ==\n", title);
}

static result internal_error(struct diagnostics *diagnostics, const char *name, const char *stage,
                             const char *what)
{
    report_error(diagnostics, NO_SPAN, "%s: internal error after %s: %s; please report this", name,
                 stage, what);
    return FAILURE(ERROR_UNSUPPORTED);
}

static void weigh_program(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                          const struct shape_options *shape, struct generated *generated)
{
    uint64_t start = clock_ns();
    generated->weights = weights_of(arena, dag, root, shape);
    generated->expected_cost = program_cost(&generated->program, &generated->weights);
    generated->lower_bound = executed_least(arena, root, &generated->weights);
    generated->figures_ns = clock_ns() - start;
}

result generate_program(struct arena *arena, struct dag *dag, const struct dag_node *root,
                        const struct generate_options *options, struct diagnostics *diagnostics,
                        struct generated *generated)
{
    const struct compile_options *compile = options->compile;
    struct program *program = &generated->program;
    struct block *entry;
    struct shape_options shape = {.level = compile->level,
                                  .abis = options->abis,
                                  .kernel_major = compile->kernel_major,
                                  .kernel_minor = compile->kernel_minor,
                                  .profile = compile->profile,
                                  .lambda = compile->lambda};

    *generated = (struct generated){0};
    const char *broken = dag_check(dag, root);
    if (broken)
        return internal_error(diagnostics, options->name, options->made_by, broken);
    optimize_dag(arena, compile->level, &dag, &root);
    broken = dag_check(dag, root);
    if (broken)
        return internal_error(diagnostics, options->name, "the passes", broken);
    dump(compile, DUMP_DAG, "dag");
    if (compile->dump & DUMP_DAG)
        dag_print(compile->dump_out, arena, root);

    result r = select_shape(arena, dag, root, &shape, diagnostics, &entry);
    if (failed(r))
        return r;
    dump(compile, DUMP_SELECT, "select");
    if (compile->dump & DUMP_SELECT)
        blocks_print(compile->dump_out, arena, entry);

    r = emit_program(arena, entry, options->big_endian, options->name, diagnostics, program);
    if (failed(r))
        return r;
    if (compile->level != OPTIMIZE_0)
        peephole_program(arena, program, program);
    broken = code_check(arena, program);
    if (broken)
        return internal_error(diagnostics, options->name, "emission", broken);
    dump(compile, DUMP_LAYOUT, "layout");
    if (compile->dump & DUMP_LAYOUT)
        disassemble(compile->dump_out, arena, program, options->abis);
    if (compile->figures)
        weigh_program(arena, dag, root, &shape, generated);
    return SUCCESS;
}
