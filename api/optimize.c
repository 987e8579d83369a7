#include "api/bpfproof.h"

result relift_program(struct arena *arena, const struct program *before, abi_set declared,
                      const struct compile_options *options, struct diagnostics *diagnostics,
                      struct generated *after)
{
    struct dag *dag = NULL;
    const struct dag_node *root;
    struct generate_options generate = {.compile = options,
                                        .name = before->name,
                                        .made_by = "lifting",
                                        .abis = declared,
                                        .big_endian = before->big_endian};
    result r = lift_program(arena, before, diagnostics, &dag, &root);
    return failed(r) ? r : generate_program(arena, dag, root, &generate, diagnostics, after);
}

static bool loses(const struct program *before, const struct program *after, uint32_t arch,
                  uint32_t nr)
{
    return cache_allows(before, arch, nr) && !cache_allows(after, arch, nr);
}

/* The kernel remembers numbers, not names: those in the gaps of its table too, and those of calls
 * that it does not implement. A newer kernel's table is longer by some. */
#define NEWER_CALLS_MOST 128u

uint32_t cached_lost(const struct program *before, const struct program *after)
{
    uint32_t lost = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        if (abi->big_endian != before->big_endian || !abi->cache_size)
            continue;
        for (uint32_t nr = 0; nr < abi->cache_size + NEWER_CALLS_MOST; nr++)
            lost += loses(before, after, abi->token, nr);
    }
    return lost;
}

/* Sums of a thousand weights differ by their rounding, and the costs of whole programs more. */
#define EXECUTED_SLACK 1e-9
#define COST_SLACK 1e-6

/* What programs of one meaning are compared by. */
struct measure {
    struct weights weights;
    struct price price;
};

/* What the new program saves by the measure. */
static double saving(const struct optimized *optimized, struct price price)
{
    return cost_at(price, optimized->before.instructions, optimized->cost_before,
                   optimized->jumps_before) -
           cost_at(price, optimized->after.instructions, optimized->cost_after,
                   optimized->jumps_after);
}

/* What speaks against `program`; NULL: it means the same, and is in nothing worse. */
static const char *objection(struct arena *arena, const struct program *before,
                             const struct program *program, struct price price,
                             const struct optimized *optimized)
{
    if (optimized->proof.verdict != PROVED)
        return arena_printf(arena, "the new program was not proved equal: %s",
                            optimized->proof.reason ? optimized->proof.reason
                                                    : verdict_name(optimized->proof.verdict));
    if (optimized->after.instructions > optimized->before.instructions)
        return "the new program has more instructions";
    if (optimized->cost_after > optimized->cost_before + EXECUTED_SLACK)
        return "the new program executes more in the mean";
    if (saving(optimized, price) < -COST_SLACK)
        return "the new program takes more jumps, which cost more than it saves";
    if (cached_lost(before, program))
        return "the kernel would cache fewer calls of the new program";
    return NULL;
}

static void keep_original(struct optimized *optimized, const char *why)
{
    optimized->kept_original = true;
    optimized->why = why;
    optimized->after = optimized->before;
    optimized->cost_after = optimized->cost_before;
    optimized->jumps_after = optimized->jumps_before;
}

static void prove_and_weigh(struct arena *arena, const struct program *before,
                            const struct program *program, abi_set declared,
                            const struct measure *measure, const struct compile_options *options,
                            struct optimized *optimized)
{
    struct side left = {.name = before->name, .programs = before, .program_count = 1};
    struct side right = {.name = "optimized", .programs = program, .program_count = 1};
    struct proof_options proof = {.whole = options->whole_proof,
                                  .limits = {.deadline = options->deadline},
                                  .smt2 = options->smt2,
                                  .declared = declared};
    optimized->proof = prove_equal(arena, &left, &right, &proof);
    optimized->after = program_figures(arena, program, declared);
    struct path_means old = program_paths(before, &measure->weights);
    struct path_means new = program_paths(program, &measure->weights);
    optimized->cost_before = old.executed;
    optimized->jumps_before = old.jumps;
    optimized->cost_after = new.executed;
    optimized->jumps_after = new.jumps;
    const char *why = objection(arena, before, program, measure->price, optimized);
    optimized->as_good = !why && saving(optimized, measure->price) <= COST_SLACK;
    if (optimized->as_good)
        why = "the new program is no better";
    if (why)
        keep_original(optimized, why);
    else
        optimized->program = *program;
}

/* Takes the program when it is better than what there is. */
static void try_program(struct arena *arena, const struct program *before,
                        const struct program *program, abi_set declared,
                        const struct measure *measure, const struct compile_options *options,
                        struct optimized *optimized)
{
    struct optimized tried = *optimized;
    tried.kept_original = false;
    tried.why = NULL;
    prove_and_weigh(arena, before, program, declared, measure, options, &tried);
    if (!tried.kept_original)
        *optimized = tried;
}

static void try_options(struct arena *arena, const struct program *before, abi_set declared,
                        const struct measure *measure, const struct compile_options *other,
                        const struct compile_options *options, struct optimized *optimized)
{
    struct compile_options quiet = *other;
    struct diagnostics limits = diagnostics_new(arena);
    struct generated made;
    quiet.dump = 0;
    uint64_t start = clock_ns();
    result r = relift_program(arena, before, declared, &quiet, &limits, &made);
    optimized->optimize_ns += clock_ns() - start;
    if (worked(r))
        try_program(arena, before, &made.program, declared, measure, options, optimized);
}

/* The old program with what the peephole finds in it. */
static void try_peephole(struct arena *arena, const struct program *before, abi_set declared,
                         const struct measure *measure, const struct compile_options *options,
                         struct optimized *optimized)
{
    struct program program;
    if (peephole_program(arena, before, false, &program))
        try_program(arena, before, &program, declared, measure, options, optimized);
}

/* Not where nothing was made or proved: what is too involved for that may take the solver forever.
 * Nor where the old program is as good as the new one, nor when the time is over: nothing more
 * would be proved. */
static bool worth_another(const struct optimized *optimized, const struct compile_options *options)
{
    return optimized->kept_original && !optimized->as_good && optimized->proof.verdict == PROVED &&
           options->level != OPTIMIZE_0 && !deadline_passed(options->deadline);
}

/* Where a program that is a little longer and faster was made: shorter ones, and at last one that
 * is as short as can be. */
static void try_shorter(struct arena *arena, const struct program *before, abi_set declared,
                        const struct measure *measure, const struct compile_options *options,
                        struct optimized *optimized)
{
    static const double parts[] = {0.75, 0.5, 0.25, 0.125};
    struct compile_options shorter = *options;
    for (size_t i = 0; i < COUNT_OF(parts) && worth_another(optimized, options); i++) {
        shorter.lambda = measure->price.lambda * parts[i];
        try_options(arena, before, declared, measure, &shorter, options, optimized);
    }
    shorter.lambda = options->lambda;
    shorter.level = OPTIMIZE_SIZE;
    if (worth_another(optimized, options))
        try_options(arena, before, declared, measure, &shorter, options, optimized);
}

result optimize_program(struct arena *arena, const struct program *before, abi_set declared,
                        const struct compile_options *options, struct diagnostics *diagnostics,
                        struct optimized *optimized)
{
    *optimized = (struct optimized){.program = *before, .proof = {.verdict = UNKNOWN}};
    struct check_result check = check_program(before);
    if (check.rule != CHECK_ACCEPTED) {
        report_error(diagnostics, NO_SPAN,
                     "%s: the kernel would refuse this program: instruction %u: %s", before->name,
                     check.instruction, check_rule_text(check.rule));
        return FAILURE(ERROR_INPUT);
    }
    optimized->before = program_figures(arena, before, declared);
    struct generated made;
    struct compile_options shape = *options;
    shape.figures = true;
    struct diagnostics limits = diagnostics_new(arena);
    uint64_t start = clock_ns();
    result r = relift_program(arena, before, declared, &shape, &limits, &made);
    optimized->optimize_ns = clock_ns() - start;
    if (failed(r)) {
        keep_original(optimized, limits.last->message);
        optimized->nothing_made = true;
        return SUCCESS;
    }
    optimized->optimize_ns -= made.figures_ns;
    optimized->lower_bound = made.lower_bound;
    struct measure measure = {.weights = made.weights, .price = made.price};
    prove_and_weigh(arena, before, &made.program, declared, &measure, options, optimized);
    if (worth_another(optimized, options) && options->level != OPTIMIZE_SIZE)
        try_shorter(arena, before, declared, &measure, options, optimized);
    if (worth_another(optimized, options))
        try_peephole(arena, before, declared, &measure, options, optimized);
    return SUCCESS;
}
