#include "api/bpfproof.h"

/* As many as two filters of the most instructions may need, and what comparing them adds. */
#define NODE_MOST ((size_t)1 << 22)

void diff_give_up(struct diff_state *state, const char *reason)
{
    if (!state->reason)
        state->reason = reason;
}

bool diff_out_of_time(struct diff_state *state)
{
    if (!deadline_passed(state->options->proof.limits.deadline))
        return false;
    diff_give_up(state, "the time limit was reached");
    return true;
}

/* ---- meanings
 * -------------------------------------------------------------------------------------- */

/* NULL, and noted, when it is too involved. */
static const struct dag_node *meaning_of(struct diff_state *state, const struct side *side)
{
    struct diagnostics limits = diagnostics_new(state->arena);
    struct dag *own = state->dag;
    const struct dag_node *root = NULL;
    result r = side->policy ? lower_policy(state->arena, side->policy, &limits, &own, &root)
                            : lift_stack(state->arena, side->programs, side->program_count, &limits,
                                         &own, &root);
    if (worked(r) && side->policy)
        root = dag_import(state->dag, state->arena, root);
    if (failed(r) || !root)
        diff_give_up(state, failed(r) && limits.last
                                ? limits.last->message
                                : "the two filters together need too many different tests");
    return failed(r) ? NULL : root;
}

static bool find_differences(struct diff_state *state)
{
    state->dag = dag_new(state->arena, state->big_endian, NODE_MOST);
    dag_set_deadline(state->dag, state->options->proof.limits.deadline);
    state->left_root = meaning_of(state, &state->left);
    state->right_root = state->left_root ? meaning_of(state, &state->right) : NULL;
    if (!state->left_root || !state->right_root)
        return false;
    dag_differences(state->arena, state->dag, state->left_root, state->right_root, state->declared,
                    &state->found);
    if (diff_out_of_time(state))
        return true; /* what was found until then */
    if (!state->found.complete) {
        const struct dag_class *class = &state->found.first_skipped;
        diff_give_up(state, arena_printf(state->arena,
                                         "some calls are too involved to be compared in full (the "
                                         "first: arch 0x%x, nr %d)",
                                         class->arch_first, (int)class->nr_first));
    }
    return true;
}

/* ---- proofs
 * ---------------------------------------------------------------------------------------- */

/* Nobody runs these programs: the level that takes the least time is the best, unless a program of
 * it is longer than the kernel takes. What -O2 searches it searches to the end, whatever the
 * deadline: it has to be far. */
static const struct {
    enum optimization level;
    uint32_t left_ms; /* at least */
} tries[] = {{OPTIMIZE_0, 1}, {OPTIMIZE_1, 1}, {OPTIMIZE_2, 15000}};

static result generate(struct diff_state *state, const struct dag_node *root, const char *name,
                       enum optimization level, struct diagnostics *limits,
                       struct generated *generated)
{
    struct compile_options compile = {.level = level};
    struct generate_options options = {.compile = &compile,
                                       .name = name,
                                       .made_by = "comparing",
                                       .this_level_only = true,
                                       .abis = state->declared,
                                       .big_endian = state->big_endian};
    return generate_program(state->arena, state->dag, root, &options, limits, generated);
}

bool diff_program(struct diff_state *state, const struct dag_node *root, const char *name,
                  struct program *program)
{
    struct diagnostics limits = diagnostics_new(state->arena);
    result r = FAILURE(ERROR_LIMIT);
    if (diff_out_of_time(state))
        return false;
    for (size_t i = 0; root && r.error == ERROR_LIMIT && i < COUNT_OF(tries); i++) {
        struct generated generated;
        if (deadline_left_ms(state->options->proof.limits.deadline) < tries[i].left_ms)
            break;
        r = generate(state, root, name, tries[i].level, &limits, &generated);
        if (worked(r))
            *program = generated.program;
    }
    if (failed(r) && !diff_out_of_time(state))
        diff_give_up(state, r.error != ERROR_LIMIT && limits.last
                                ? limits.last->message
                                : "the differences need too many tests to be proved complete");
    return worked(r);
}

/* `root`, but where a difference is, what the other side returns there. */
static const struct dag_node *patched(struct diff_state *state, const struct dag_node *root,
                                      bool with_right)
{
    const struct dag_difference *list = state->found.list.items;
    size_t count = state->found.list.count;
    size_t *chosen = NEW_ARRAY(state->arena, size_t, count);
    bool *done = NEW_ARRAY(state->arena, bool, count);
    for (size_t i = 0; i < count && root; i++) {
        const struct dag_node *leaf = with_right ? list[i].right : list[i].left;
        size_t chosen_count = 0;
        for (size_t j = i; j < count && !done[i]; j++) {
            if ((with_right ? list[j].right : list[j].left) == leaf)
                chosen[chosen_count++] = j;
        }
        for (size_t j = 0; j < chosen_count; j++)
            done[chosen[j]] = j > 0;
        if (chosen_count)
            root =
                dag_if(state->dag, dag_where(state->arena, state->dag, list, chosen, chosen_count),
                       leaf, root);
    }
    return root;
}

/* Kills where a difference is, and allows everything else. */
static const struct dag_node *marker(struct diff_state *state)
{
    size_t count = state->found.list.count;
    size_t *all = NEW_ARRAY(state->arena, size_t, count);
    for (size_t i = 0; i < count; i++)
        all[i] = i;
    return dag_if(state->dag,
                  dag_where(state->arena, state->dag, state->found.list.items, all, count),
                  dag_verdict(state->dag, action_get(ACTION_KILL_PROCESS)->word),
                  dag_verdict(state->dag, action_get(ACTION_ALLOW)->word));
}

static bool proved(struct diff_state *state, const struct side *left, const struct side *right,
                   const char *what)
{
    struct proof proof = prove_equal(state->arena, left, right, &state->options->proof);
    if (proof.verdict != PROVED)
        diff_give_up(state,
                     proof.verdict == UNKNOWN && proof.reason
                         ? arena_printf(state->arena, "%s was not proved: %s", what, proof.reason)
                         : arena_printf(state->arena, "%s does not hold", what));
    return proof.verdict == PROVED;
}

/* Three proofs that trust nothing of how the differences were found:
 *  - the left side, but where a difference is, with what is stated of the right, is the right side;
 *  - the same the other way round;
 *  - each under a newer filter that kills where a difference is, and allows everything else, both
 *    are equal: there they return the same. (Of what it allows a stack keeps no data; so does the
 *    kernel.) */
static bool prove_complete(struct diff_state *state)
{
    enum { LEFT, RIGHT, MARKER };
    struct program programs[3];
    if (!diff_program(state, patched(state, state->right_root, false), "left", &programs[LEFT]) ||
        !diff_program(state, patched(state, state->left_root, true), "right", &programs[RIGHT]) ||
        !diff_program(state, marker(state), "differences", &programs[MARKER]))
        return false;
    struct side left = {.name = "left", .programs = &programs[LEFT], .program_count = 1};
    struct side right = {.name = "right", .programs = &programs[RIGHT], .program_count = 1};
    struct program under[2][2] = {{programs[LEFT], programs[MARKER]},
                                  {programs[RIGHT], programs[MARKER]}};
    struct side rest[2] = {{.name = "left", .programs = under[LEFT], .program_count = 2},
                           {.name = "right", .programs = under[RIGHT], .program_count = 2}};
    return proved(state, &left, &state->left, "what the first filter returns") &&
           proved(state, &right, &state->right, "what the second filter returns") &&
           proved(state, &rest[0], &rest[1], "that there is no other difference");
}

/* ---- the pipeline
 * ---------------------------------------------------------------------------------- */

void diff_filters(struct arena *arena, const struct filter *left, const struct filter *right,
                  const struct diff_options *options, struct diff *diff)
{
    struct diff_state state = {.arena = arena,
                               .options = options,
                               .left = filter_side(left),
                               .right = filter_side(right),
                               .declared = left->declared | right->declared,
                               .big_endian = left->big_endian};
    uint64_t start = clock_ns();
    *diff = (struct diff){.verdict = UNKNOWN};
    diff->equal = prove_equal(arena, &state.left, &state.right, &options->proof);
    if (diff->equal.verdict == PROVED) {
        diff->verdict = PROVED;
        diff->complete = true;
    } else if (find_differences(&state)) {
        diff_find_witnesses(&state);
        diff_name_calls(&state, diff);
        if (state.found.list.count == 0)
            diff_give_up(&state, diff->equal.reason ? diff->equal.reason
                                                    : "no difference was found, and equality is "
                                                      "not proved");
        diff->complete = !state.reason && prove_complete(&state);
    }
    /* both are of calls that were run on the two sides */
    if (diff->equal.verdict == REFUTED || diff->count)
        diff->verdict = REFUTED;
    diff->reason = state.reason;
    diff->ns = clock_ns() - start;
}
