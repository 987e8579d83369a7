#include "api/bpfproof.h"

/* Calls that may be said in a lower way, one more each round; past them everything is. */
#define EXCEPTIONS_MOST 24u

struct decompiling {
    struct arena *arena;
    const struct program *program;
    const struct decompile_options *options;
    const struct dag *dag;
    const struct dag_node *root;
    enum raise_way way;
    struct deadline deadline; /* of this way: its share of what was left */
    const char *unproved;     /* the text that the time of the way before was not enough for */
    VECTOR(struct raise_exception) exceptions;
};

/* A way that comes to no end must leave time for those below it, which say less and are easier to
 * prove: each has an equal share of what is left. */
static void share_time(struct decompiling *decompiling)
{
    struct deadline whole = decompiling->options->deadline;
    unsigned ways = RAISE_WHOLE - decompiling->way + 1;
    decompiling->deadline = whole;
    if (whole.at_ns && !deadline_passed(whole) && ways > 1)
        decompiling->deadline = deadline_in(deadline_left_ms(whole) / 1e3 / ways);
}

/* Text, and the policy that it reads back as. What the compiler would remark about registers is not
 * for somebody who only reads. */
static result raise_and_read(struct decompiling *decompiling, struct diagnostics *diagnostics,
                             struct decompiled *decompiled)
{
    struct raise_options options = {.name = decompiling->options->name,
                                    .declared = decompiling->options->declared,
                                    .way = decompiling->way,
                                    .deadline = decompiling->deadline,
                                    .exceptions = decompiling->exceptions.items,
                                    .exception_count = decompiling->exceptions.count};
    result r = raise_policy(decompiling->arena, decompiling->dag, decompiling->root, &options,
                            diagnostics, &decompiled->raised);
    if (failed(r))
        return r;
    struct diagnostics remarks = diagnostics_new(decompiling->arena);
    const char *text = decompiled->raised.text;
    const struct source *source =
        source_from_text(decompiling->arena, "<decompiled>", text, strlen(text));
    struct policy *policy;
    r = policy_read(decompiling->arena, source, 0, &remarks, &policy);
    decompiled->policy = policy;
    return r;
}

static void prove(struct decompiling *decompiling, struct decompiled *decompiled)
{
    struct side policy = {.name = "policy", .policy = decompiled->policy};
    struct side program = {.name = "program", .programs = decompiling->program, .program_count = 1};
    struct proof_options proof = {.whole = decompiling->options->whole_proof,
                                  .limits = {.deadline = decompiling->deadline},
                                  .smt2 = decompiling->options->smt2,
                                  .declared = decompiled->policy->abis};
    decompiled->proof = prove_equal(decompiling->arena, &policy, &program, &proof);
}

/* The way in which a call was said last; its place in the list, or the count. */
static size_t find_exception(const struct decompiling *decompiling, const struct input *input)
{
    size_t i = 0;
    while (i < decompiling->exceptions.count &&
           (decompiling->exceptions.items[i].arch != input->arch ||
            decompiling->exceptions.items[i].nr != input->nr))
        i++;
    return i;
}

/* One step down, for the call that differs or for all. False at the bottom. */
static bool step_down(struct decompiling *decompiling, const struct proof *proof)
{
    if (proof->verdict == REFUTED && decompiling->exceptions.count < EXCEPTIONS_MOST) {
        const struct input *input = &proof->counterexample.input;
        size_t i = find_exception(decompiling, input);
        if (i == decompiling->exceptions.count)
            vector_push(decompiling->arena, &decompiling->exceptions,
                        (struct raise_exception){input->arch, input->nr, decompiling->way});
        struct raise_exception *exception = &decompiling->exceptions.items[i];
        if (exception->way < RAISE_RAW) {
            exception->way++;
            return true;
        }
    }
    if (decompiling->way == RAISE_WHOLE)
        return false;
    decompiling->way++;
    share_time(decompiling);
    return true;
}

static result attempt(struct decompiling *decompiling, struct diagnostics *diagnostics,
                      struct decompiled *decompiled)
{
    uint64_t start = clock_ns();
    result r = raise_and_read(decompiling, diagnostics, decompiled);
    decompiled->raise_ns += clock_ns() - start;
    decompiled->way = decompiling->way;
    decompiled->exceptions = decompiling->exceptions.count;
    if (failed(r))
        return r;
    const char *text = decompiled->raised.text;
    bool again = decompiling->unproved && !strcmp(decompiling->unproved, text);
    if (!again || decompiling->way == RAISE_WHOLE)
        prove(decompiling, decompiled);
    decompiling->unproved = decompiled->proof.verdict == UNKNOWN ? text : NULL;
    return r;
}

result decompile_program(struct arena *arena, const struct program *program,
                         const struct decompile_options *options, struct diagnostics *diagnostics,
                         struct decompiled *decompiled)
{
    struct decompiling decompiling = {.arena = arena, .program = program, .options = options};
    struct dag *dag = NULL;
    struct check_result check = check_program(program);
    *decompiled = (struct decompiled){.proof = {.verdict = UNKNOWN}};
    if (check.rule != CHECK_ACCEPTED) {
        report_error(diagnostics, NO_SPAN,
                     "%s: the kernel would refuse this program: instruction %u: %s", program->name,
                     check.instruction, check_rule_text(check.rule));
        return FAILURE(ERROR_INPUT);
    }
    uint64_t start = clock_ns();
    result r = lift_program(arena, program, diagnostics, &dag, &decompiling.root);
    if (failed(r))
        return r;
    optimize_dag(arena, OPTIMIZE_1, &dag, &decompiling.root); /* fewer tests are easier to read */
    decompiled->raise_ns = clock_ns() - start;
    decompiling.dag = dag;
    share_time(&decompiling);
    for (;;) {
        struct diagnostics limits = diagnostics_new(arena);
        r = attempt(&decompiling, &limits, decompiled);
        if (worked(r) && decompiled->proof.verdict == PROVED)
            return SUCCESS;
        bool late = deadline_passed(options->deadline);
        if (failed(r))
            decompiled->proof = (struct proof){.verdict = UNKNOWN};
        if (late || !step_down(&decompiling, &decompiled->proof)) {
            if (failed(r))
                report_error(diagnostics, NO_SPAN, "%s",
                             limits.last ? limits.last->message : "the text cannot be read back");
            return failed(r) ? FAILURE(ERROR_LIMIT) : SUCCESS;
        }
    }
}
