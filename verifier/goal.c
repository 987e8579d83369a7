/* `prove never` and `prove always`: the side's word against a marker, which is 1 on the inputs that
 * the statement is about and 0 elsewhere. Patterns that ask for the same action are proved
 * together. */
#include "verifier/internal.h"

#include <stdlib.h>

#define ERRNO_MOST 4095u /* MAX_ERRNO: the kernel clamps what is larger */

struct group {
    const struct side *side;
    enum goal_kind kind;
    struct goal_action action;
    bool widened; /* goal_pattern.widened, of all of them */
    const struct goal_pattern **patterns;
    size_t count;
    abi_set abis;
};

/* ---- the action of a word -------------------------------------------------------------------- */

static uint32_t effective_data(enum action action, uint32_t word)
{
    uint32_t data = word & ~ACTION_BITS;
    return action == ACTION_ERRNO && data > ERRNO_MOST ? ERRNO_MOST : data;
}

static bool action_matches(const struct goal_action *wanted, uint32_t word)
{
    const struct action_info *info = action_of_word(word, NULL);
    if (wanted->permit)
        return info->permits;
    if (info->action != wanted->action)
        return false;
    return !wanted->has_data || effective_data(info->action, word) == wanted->data;
}

static const struct term *is_action(struct prover *prover, const struct term *word,
                                    enum action action)
{
    return word_equals(prover, rank_term(prover, word), action_get(action)->word);
}

static const struct term *data_term(struct prover *prover, enum action action,
                                    const struct term *word)
{
    const struct term *data =
        term_binary(prover->terms, TERM_BIT_AND, word, word_constant(prover, ~ACTION_BITS));
    if (action != ACTION_ERRNO)
        return data;
    return term_if(prover->terms, word_below(prover, data, ERRNO_MOST), data,
                   word_constant(prover, ERRNO_MOST));
}

static const struct term *action_matches_term(struct prover *prover,
                                              const struct goal_action *wanted,
                                              const struct term *word)
{
    struct terms *terms = prover->terms;
    const struct term *matches = term_bool(terms, false);
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        bool counts = wanted->permit ? action_get((enum action)i)->permits : i == wanted->action;
        if (counts)
            matches = term_binary(terms, TERM_OR, matches, is_action(prover, word, (enum action)i));
    }
    if (wanted->permit || !wanted->has_data)
        return matches;
    const struct term *data = data_term(prover, wanted->action, word);
    return term_binary(terms, TERM_AND, matches, word_equals(prover, data, wanted->data));
}

/* ---- the marker
 * ---------------------------------------------------------------------------------- */

static uint32_t token_of(const struct goal_pattern *pattern)
{
    return abi_get(pattern->abi)->token;
}

/* The patterns that cover one range of numbers under one token. */
struct covering {
    const struct group *group;
    uint32_t arch;
    struct range nr;
};

static bool covers(const struct goal_pattern *pattern, const struct covering *c)
{
    return token_of(pattern) == c->arch && pattern->first <= c->nr.first &&
           pattern->last >= c->nr.last;
}

static const struct term *covering_term(struct prover *prover, struct class *class,
                                        const void *data)
{
    const struct covering *c = data;
    const struct term *marker = word_constant(prover, 0);
    for (size_t i = 0; i < c->group->count && marker; i++)
        if (covers(c->group->patterns[i], c))
            marker = condition_choose(prover, class, c->group->patterns[i]->when,
                                      word_constant(prover, 1), marker);
    return marker;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The places where the set of covering patterns may change. */
static size_t bounds_of(struct prover *prover, const struct group *group, uint32_t arch,
                        uint64_t **bounds)
{
    size_t count = 0;
    *bounds = NEW_ARRAY(prover->arena, uint64_t, 2 * group->count + 2);
    (*bounds)[count++] = 0;
    (*bounds)[count++] = (uint64_t)UINT32_MAX + 1;
    for (size_t i = 0; i < group->count; i++) {
        const struct goal_pattern *pattern = group->patterns[i];
        if (token_of(pattern) != arch || pattern->first > pattern->last)
            continue;
        (*bounds)[count++] = pattern->first;
        (*bounds)[count++] = (uint64_t)pattern->last + 1;
    }
    qsort(*bounds, count, sizeof **bounds, by_value);
    return count;
}

static enum runs_outcome marker_runs(struct prover *prover, void *self, struct class *class,
                                     struct residue_runs *runs)
{
    const struct group *group = self;
    uint64_t *bounds;
    if (wants_token_apart(class, group->abis))
        return RUNS_CUT_ARCH;
    size_t count = bounds_of(prover, group, class->arch.first, &bounds);
    enum runs_outcome outcome = RUNS_DONE;
    for (size_t i = 0; i + 1 < count && outcome == RUNS_DONE; i++) {
        if (bounds[i] == bounds[i + 1])
            continue;
        struct range nr = {(uint32_t)bounds[i], (uint32_t)(bounds[i + 1] - 1)};
        struct covering covering = {group, class->arch.first, nr};
        outcome = refine_runs(prover, class, nr, covering_term, &covering, runs);
    }
    return outcome;
}

static const struct term *marker_whole(struct prover *prover, void *self)
{
    const struct group *group = self;
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    const struct term *marker = word_constant(prover, 0);
    class.whole = true;
    for (size_t i = 0; i < group->count && marker; i++) {
        const struct goal_pattern *pattern = group->patterns[i];
        if (pattern->first > pattern->last)
            continue;
        const struct term *arch = word_equals(prover, prover->words[FIELD_ARCH], token_of(pattern));
        const struct term *nr = word_within(prover, prover->words[FIELD_NR],
                                            (struct range){pattern->first, pattern->last});
        const struct term *chosen =
            condition_choose(prover, &class, pattern->when, word_constant(prover, 1), marker);
        marker = chosen ? term_if(prover->terms, term_binary(prover->terms, TERM_AND, arch, nr),
                                  chosen, marker)
                        : NULL;
    }
    return marker;
}

/* ---- properties
 * -------------------------------------------------------------------------------------- */

static bool goal_is_bad(const void *data, uint32_t word, uint32_t marker)
{
    const struct group *group = data;
    return marker && action_matches(&group->action, word) == (group->kind == GOAL_NEVER);
}

static const struct term *goal_bad_term(struct prover *prover, const void *data,
                                        const struct term *word, const struct term *marker)
{
    const struct group *group = data;
    const struct term *matches = action_matches_term(prover, &group->action, word);
    if (group->kind == GOAL_ALWAYS)
        matches = term_not(prover->terms, matches);
    return term_binary(prover->terms, TERM_AND, word_equals(prover, marker, 1), matches);
}

static bool is_concerned(const struct group *group, const struct input *input,
                         bool *implementation_defined)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct goal_pattern *pattern = group->patterns[i];
        if (token_of(pattern) == input->arch && input->nr >= pattern->first &&
            input->nr <= pattern->last &&
            condition_holds(pattern->when, input, implementation_defined))
            return true;
    }
    return false;
}

static bool replay_goal(const void *data, struct counterexample *example,
                        bool *implementation_defined)
{
    const struct group *group = data;
    bool in_pattern = false;
    example->left = example->right =
        side_word(group->side, &example->input, implementation_defined);
    bool concerned = is_concerned(group, &example->input, &in_pattern);
    *implementation_defined |= in_pattern;
    return goal_is_bad(group, example->left, concerned);
}

static bool marker_is_set(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    return left || right;
}

static const struct term *marker_set_term(struct prover *prover, const void *data,
                                          const struct term *left, const struct term *right)
{
    (void)data;
    (void)right;
    return word_equals(prover, left, 1);
}

static bool replay_marker(const void *data, struct counterexample *example,
                          bool *implementation_defined)
{
    return is_concerned(data, &example->input, implementation_defined);
}

/* ---- the question
 * ---------------------------------------------------------------------------------------- */

static struct proof prove_group(struct group *group, const struct proof_options *options)
{
    const struct property property = {group, false, goal_is_bad, goal_bad_term, replay_goal};
    struct prover *prover = prover_open(options, side_is_big_endian(group->side));
    struct behaviour side, marker = {group, marker_runs, marker_whole};
    if (side_behaviour(prover, group->side, &side))
        prove_property(prover, &side, &marker, &property);
    return prover_close(prover);
}

/* Does any input satisfy a pattern of the group? UNKNOWN counts as yes: the warning is for what is
 * certain. */
static bool is_vacuous(struct group *group, const struct proof_options *options)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->patterns[i]->when->kind == CONDITION_TRUE &&
            group->patterns[i]->first <= group->patterns[i]->last)
            return false;
    struct proof_options quiet = *options;
    quiet.smt2 = NULL;
    const struct property property = {group, false, marker_is_set, marker_set_term, replay_marker};
    struct prover *prover = prover_open(&quiet, side_is_big_endian(group->side));
    struct behaviour marker = {group, marker_runs, marker_whole};
    prove_property(prover, &marker, &marker, &property);
    return prover_close(prover).verdict == PROVED;
}

static bool same_action(const struct goal_action *a, const struct goal_action *b)
{
    return a->permit == b->permit && (a->permit || a->action == b->action) &&
           a->has_data == b->has_data && (!a->has_data || a->data == b->data);
}

/* Takes the patterns out of `left` that ask for what its first one asks for. */
static struct group take_group(struct arena *arena, const struct side *side,
                               const struct goal *goal, const struct goal_pattern **left,
                               size_t *left_count)
{
    struct group group = {
        .side = side, .kind = goal->kind, .action = left[0]->action, .widened = left[0]->widened};
    size_t kept = 0, count = *left_count;
    group.patterns = NEW_ARRAY(arena, const struct goal_pattern *, count);
    for (size_t i = 0; i < count; i++) {
        if (left[i]->widened == group.widened && same_action(&left[i]->action, &group.action)) {
            group.patterns[group.count++] = left[i];
            group.abis |= ABI_BIT(left[i]->abi);
        } else {
            left[kept++] = left[i];
        }
    }
    *left_count = kept;
    return group;
}

/* REFUTED before UNKNOWN before PROVED; figures add up. */
static void add_proof(struct proof *all, const struct proof *one)
{
    struct proof sum = *all;
    if (one->verdict == REFUTED || (one->verdict == UNKNOWN && all->verdict == PROVED))
        sum = *one;
    sum.ns = all->ns + one->ns;
    sum.classes = all->classes + one->classes;
    sum.folded = all->folded + one->folded;
    sum.questions = all->questions + one->questions;
    *all = sum;
}

/* A widened pattern says more than the statement: what refutes it need not refute the statement. */
static struct proof judge_widened(struct arena *arena, const struct group *group,
                                  struct proof proof)
{
    if (proof.verdict != REFUTED)
        return proof;
    const struct input *input = &proof.counterexample.input;
    enum abi_id abi = ABI_NONE;
    for (size_t i = 0; i < group->count; i++)
        if (token_of(group->patterns[i]) == input->arch && group->patterns[i]->first <= input->nr &&
            group->patterns[i]->last >= input->nr)
            abi = group->patterns[i]->abi;
    const struct syscall_entry *entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, input->nr);
    proof.verdict = UNKNOWN;
    proof.has_counterexample = false;
    proof.reason = arena_printf(
        arena, "it cannot be stated for %s on %s, and the filter does not exclude that call there",
        entry ? entry->name : "the call", abi == ABI_NONE ? "that ABI" : abi_get(abi)->name);
    return proof;
}

struct proof prove_goal(struct arena *arena, const struct side *side, const struct goal *goal,
                        const struct proof_options *options, bool *vacuous)
{
    struct proof all = {.verdict = PROVED};
    bool any = false;
    size_t count = goal->pattern_count;
    if (goal->kind == GOAL_AT_MOST)
        return (struct proof){.verdict = UNKNOWN,
                              .reason = "at_most is a question about two filters"};
    const struct goal_pattern **left = NEW_ARRAY(arena, const struct goal_pattern *, count + 1);
    for (size_t i = 0; i < count; i++)
        left[i] = &goal->patterns[i];
    while (count && all.verdict != REFUTED) {
        struct group group = take_group(arena, side, goal, left, &count);
        struct proof one = prove_group(&group, options);
        if (group.widened)
            one = judge_widened(arena, &group, one);
        add_proof(&all, &one);
        if (!group.widened)
            any |= one.verdict == REFUTED || (vacuous && !any && !is_vacuous(&group, options));
    }
    if (vacuous)
        *vacuous = !any;
    return all;
}
