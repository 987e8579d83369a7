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

static struct shape_options shape_of(const struct generate_options *options)
{
    const struct compile_options *compile = options->compile;
    return (struct shape_options){.level = compile->level,
                                  .abis = options->abis,
                                  .kernel_major = compile->kernel_major,
                                  .kernel_minor = compile->kernel_minor,
                                  .profile = compile->profile,
                                  .lambda = compile->lambda};
}

/* ---- one shape ------------------------------------------------------------------------------ */

struct attempt {
    struct dag *dag; /* after the passes */
    const struct dag_node *root;
    struct program program;
    struct diagnostics diagnostics;
    struct buffer dumped;
    result r;
};

static result make_program(struct arena *arena, const struct generate_options *options,
                           struct attempt *attempt)
{
    const struct compile_options *compile = options->compile;
    struct diagnostics *diagnostics = &attempt->diagnostics;
    struct program *program = &attempt->program;
    struct shape_options shape = shape_of(options);
    struct block *entry;
    optimize_dag(arena, compile->level, &attempt->dag, &attempt->root);
    const char *broken = dag_check(attempt->dag, attempt->root);
    if (broken)
        return internal_error(diagnostics, options->name, "the passes", broken);
    dump(compile, DUMP_DAG, "dag");
    if (compile->dump & DUMP_DAG)
        dag_print(compile->dump_out, arena, attempt->root);

    result r = select_shape(arena, attempt->dag, attempt->root, &shape, diagnostics, &entry);
    if (failed(r))
        return r;
    dump(compile, DUMP_SELECT, "select");
    if (compile->dump & DUMP_SELECT)
        blocks_print(compile->dump_out, arena, entry);

    r = emit_program(arena, entry, options->big_endian, options->name, diagnostics, program);
    if (failed(r))
        return r;
    if (compile->level != OPTIMIZE_0)
        /* Blocks are unique. In a program that all jumps reach the end of, a return that is there
         * twice is one that calls go on into, and its copy (optimizer/landing.c). */
        peephole_program(arena, program, program->length <= UINT8_MAX, program);
    broken = code_check(arena, program);
    if (broken)
        return internal_error(diagnostics, options->name, "emission", broken);
    dump(compile, DUMP_LAYOUT, "layout");
    if (compile->dump & DUMP_LAYOUT)
        disassemble(compile->dump_out, arena, program, options->abis);
    return SUCCESS;
}

/* ---- the best of several -------------------------------------------------------------------- */

/* A search may miss what a search for something else finds. These levels have the time to try
 * another one's, and give the better by their own measure. */
static const struct {
    enum optimization level, also;
} also_tried[] = {{OPTIMIZE_3, OPTIMIZE_2}, {OPTIMIZE_SIZE, OPTIMIZE_3}};

static void try_level(struct arena *arena, struct dag *dag, const struct dag_node *root,
                      const struct generate_options *options, enum optimization level,
                      struct attempt *attempt)
{
    struct compile_options compile = *options->compile;
    struct generate_options other = *options;
    *attempt = (struct attempt){.dag = dag, .root = root};
    attempt->diagnostics = diagnostics_new(arena);
    attempt->dumped = buffer_new(arena);
    compile.level = level;
    compile.dump_out = &attempt->dumped;
    other.compile = &compile;
    attempt->r = make_program(arena, &other, attempt);
}

static bool is_better(struct arena *arena, const struct generate_options *options,
                      const struct attempt *other, const struct attempt *best)
{
    const struct program *a = &other->program, *b = &best->program;
    struct shape_options shape = shape_of(options);
    struct weights weights = weights_of(arena, best->dag, best->root, &shape);
    struct path_means of_a = program_paths(a, &weights), of_b = program_paths(b, &weights);
    struct price price = price_of(&shape, best->root);
    double cost_a = cost_at(price, a->length, of_a.executed, of_a.jumps);
    double cost_b = cost_at(price, b->length, of_b.executed, of_b.jumps);
    bool by_size = shape.level == OPTIMIZE_SIZE && shape.lambda <= 0;
    return by_size && a->length != b->length ? a->length < b->length : cost_a < cost_b - 1e-9;
}

static void choose(struct arena *arena, struct dag *dag, const struct dag_node *root,
                   const struct generate_options *options, struct attempt *best)
{
    enum optimization level = options->compile->level;
    struct attempt other;
    try_level(arena, dag, root, options, level, best);
    if (options->this_level_only)
        return;
    for (size_t i = 0; i < COUNT_OF(also_tried); i++) {
        if (also_tried[i].level != level)
            continue;
        try_level(arena, dag, root, options, also_tried[i].also, &other);
        if (worked(other.r) && (failed(best->r) || is_better(arena, options, &other, best)))
            *best = other;
    }
    if (best->r.error != ERROR_LIMIT || level == OPTIMIZE_SIZE)
        return;
    try_level(arena, dag, root, options, OPTIMIZE_SIZE, &other); /* too long: as short as can be */
    if (worked(other.r))
        *best = other;
}

static void weigh_program(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                          const struct generate_options *options, struct generated *generated)
{
    uint64_t start = clock_ns();
    struct shape_options shape = shape_of(options);
    generated->weights = weights_of(arena, dag, root, &shape);
    struct path_means means = program_paths(&generated->program, &generated->weights);
    generated->expected_cost = means.executed;
    generated->expected_jumps = means.jumps;
    generated->price = price_of(&shape, root);
    generated->lower_bound = executed_least(arena, root, &generated->weights);
    generated->figures_ns = clock_ns() - start;
}

result generate_program(struct arena *arena, struct dag *dag, const struct dag_node *root,
                        const struct generate_options *options, struct diagnostics *diagnostics,
                        struct generated *generated)
{
    *generated = (struct generated){0};
    const char *broken = dag_check(dag, root);
    if (broken)
        return internal_error(diagnostics, options->name, options->made_by, broken);
    struct attempt best;
    choose(arena, dag, root, options, &best);
    for (const struct diagnostic *d = best.diagnostics.first; d; d = d->next)
        report(diagnostics, d->severity, d->span, "%s", d->message);
    if (failed(best.r))
        return best.r;
    generated->program = best.program;
    if (options->compile->dump)
        buffer_printf(options->compile->dump_out, "%s", buffer_string(&best.dumped));
    if (options->compile->figures)
        weigh_program(arena, best.dag, best.root, options, generated);
    return SUCCESS;
}
