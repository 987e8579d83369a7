/* diff: an input for every difference, run on both sides. */
#include "api/bpfproof.h"

enum seen { SEEN, NEVER, NOT_KNOWN };

static uint32_t leaf_word(const struct dag_node *leaf, const struct input *input)
{
    return dag_evaluate(leaf, input);
}

/* Whether the input shows what the difference says. Fills in the words. */
static bool replays(const struct diff_state *state, const struct dag_difference *difference,
                    struct counterexample *witness)
{
    bool undefined = false;
    witness->other = witness->input;
    witness->left = side_word(&state->left, &witness->input, &undefined);
    witness->right = side_word(&state->right, &witness->input, &undefined);
    return !undefined && witness->left != witness->right &&
           witness->left == leaf_word(difference->left, &witness->input) &&
           witness->right == leaf_word(difference->right, &witness->input);
}

/* Asks the prover: a program of the condition against one that never says yes. */
static enum seen ask(struct diff_state *state, size_t index, struct counterexample *witness)
{
    struct program programs[2];
    const struct dag_node *where =
        dag_where(state->arena, state->dag, state->found.list.items, &index, 1);
    if (!diff_program(state, where, "condition", &programs[0]) ||
        !diff_program(state, dag_verdict(state->dag, 0), "never", &programs[1]))
        return NOT_KNOWN;
    struct side sides[2] = {{.name = "condition", .programs = &programs[0], .program_count = 1},
                            {.name = "never", .programs = &programs[1], .program_count = 1}};
    struct proof proof = prove_equal(state->arena, &sides[0], &sides[1], &state->options->proof);
    if (proof.verdict == REFUTED && proof.has_counterexample)
        witness->input = proof.counterexample.input;
    return proof.verdict == PROVED ? NEVER : proof.has_counterexample ? SEEN : NOT_KNOWN;
}

/* What was found out of one condition; it is the same in every class when it tests no number. */
struct asked {
    const struct dag_node *when;
    enum seen seen;
    struct input input;
};

struct witnesses {
    struct diff_state *state;
    VECTOR(struct asked) asked;
};

static const struct asked *asked_before(const struct witnesses *witnesses,
                                        const struct dag_difference *difference)
{
    for (size_t i = 0; i < witnesses->asked.count && !difference->tests_number; i++)
        if (witnesses->asked.items[i].when == difference->when)
            return &witnesses->asked.items[i];
    return NULL;
}

static enum seen ask_once(struct witnesses *witnesses, size_t index, struct counterexample *witness)
{
    struct diff_state *state = witnesses->state;
    const struct dag_difference *difference = &state->found.list.items[index];
    const struct asked *before = asked_before(witnesses, difference);
    if (before) {
        witness->input = before->input;
        witness->input.arch = difference->class.arch_first;
        witness->input.nr = difference->class.nr_first;
        return before->seen;
    }
    struct asked asked = {.when = difference->when, .seen = ask(state, index, witness)};
    asked.input = witness->input;
    if (!difference->tests_number)
        vector_push(state->arena, &witnesses->asked, asked);
    return asked.seen;
}

static enum seen look(struct witnesses *witnesses, size_t index, struct counterexample *witness)
{
    struct diff_state *state = witnesses->state;
    const struct dag_difference *difference = &state->found.list.items[index];
    if (dag_find(state->arena, difference->when, 1, &difference->class, &witness->input) &&
        replays(state, difference, witness))
        return SEEN;
    enum seen seen = ask_once(witnesses, index, witness);
    return seen == SEEN && !replays(state, difference, witness) ? NOT_KNOWN : seen;
}

void diff_find_witnesses(struct diff_state *state)
{
    struct witnesses witnesses = {.state = state};
    size_t count = state->found.list.count, kept = 0;
    state->witnesses = NEW_ARRAY(state->arena, struct counterexample, count);
    for (size_t i = 0; i < count; i++) {
        enum seen seen = deadline_passed(state->options->proof.limits.deadline)
                             ? NOT_KNOWN
                             : look(&witnesses, i, &state->witnesses[kept]);
        if (seen == NOT_KNOWN)
            diff_give_up(state, "for some differences that may exist no call was found");
        if (seen == SEEN)
            state->found.list.items[kept++] = state->found.list.items[i];
    }
    state->found.list.count = kept;
}
