/* What a policy returns, as residues by number under one arch token, or as one term. Written from
 * the meaning of the language (the first rule that matches decides), apart from lang/evaluate.c and
 * the compiler's lowering. */
#include "verifier/policy.h"

/* The rules from the last back to the first. */
static const struct term *piece_term(struct prover *prover, struct class *class, const void *data)
{
    const struct piece *piece = data;
    struct rule_step *steps;
    size_t count = piece_rules(prover, piece, &steps);
    const struct term *otherwise = word_constant(prover, piece->otherwise);
    for (size_t i = count; i-- > 0 && otherwise;) {
        const struct term *word = steps[i].value ? word_term(prover, class, steps[i].value)
                                                 : word_constant(prover, steps[i].word);
        otherwise = word ? condition_choose(prover, class, steps[i].when, word, otherwise) : NULL;
    }
    return otherwise;
}

static enum runs_outcome policy_class_runs(struct prover *prover, void *self, struct class *class,
                                           struct residue_runs *runs)
{
    struct rule_map *map = self;
    struct pieces pieces = {0};
    enum runs_outcome outcome = RUNS_DONE;
    if (wants_token_apart(class, map->policy->abis))
        return RUNS_CUT_ARCH;
    policy_pieces(prover, map, class->arch.first, &pieces);
    for (size_t i = 0; i < pieces.count && outcome == RUNS_DONE; i++)
        outcome =
            refine_runs(prover, class, pieces.items[i].nr, piece_term, &pieces.items[i], runs);
    return outcome;
}

/* ---- everything at once --------------------------------------------------------------------- */

/* What is returned where no rule matches, under one token. */
static const struct term *whole_defaults(struct prover *prover, const struct policy *policy,
                                         const struct nr_run *places, size_t count)
{
    const struct term *otherwise = NULL;
    for (size_t i = count; i-- > 0;) {
        const struct place *place = &places[i].place;
        const struct abi_view *view = policy_view(policy, place->abi);
        uint32_t word = !view          ? policy->foreign_word
                        : place->known ? view->default_word
                                       : view->unknown_word;
        const struct term *here = word_constant(prover, word);
        const struct term *up_to =
            word_below(prover, prover->words[FIELD_NR], (uint64_t)places[i].last + 1);
        otherwise = otherwise ? term_if(prover->terms, up_to, here, otherwise) : here;
    }
    return otherwise;
}

/* Whether an input falls to the view: its token, and a number that policy_runs gives to it. */
static const struct term *whole_place(struct prover *prover, const struct policy *policy,
                                      enum abi_id abi)
{
    struct nr_run *places;
    size_t count;
    uint32_t token = abi_get(abi)->token;
    policy_runs(prover->arena, policy, token, &places, &count);
    const struct term *inside = term_bool(prover->terms, false);
    for (size_t i = 0; i < count; i++) {
        struct range nr = {places[i].first, places[i].last};
        if (places[i].place.abi != abi)
            continue;
        while (i + 1 < count && places[i + 1].place.abi == abi)
            nr.last = places[++i].last;
        inside = term_binary(prover->terms, TERM_OR, inside,
                             word_within(prover, prover->words[FIELD_NR], nr));
    }
    return term_binary(prover->terms, TERM_AND,
                       word_equals(prover, prover->words[FIELD_ARCH], token), inside);
}

static const struct term *whole_clause(struct prover *prover, struct class *class,
                                       const struct clause *clause, const struct term *place,
                                       const struct term *otherwise)
{
    struct range numbers = {clause->first, clause->last};
    if (clause->first > clause->last)
        return otherwise;
    const struct term *applies = term_binary(prover->terms, TERM_AND, place,
                                             word_within(prover, prover->words[FIELD_NR], numbers));
    const struct term *chosen = condition_choose(prover, class, clause->when,
                                                 word_constant(prover, clause->word), otherwise);
    return chosen ? term_if(prover->terms, applies, chosen, otherwise) : NULL;
}

struct cursor {
    const struct clause *clauses;
    size_t left;
    const struct term *place;
};

/* Undoes rule after rule from the last to the first, over all views and the raw rules at once. */
static const struct term *whole_rules(struct prover *prover, const struct policy *policy,
                                      struct cursor *cursors, const struct term *otherwise)
{
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    class.whole = true;
    size_t raw = policy->raw_rule_count;
    uint64_t end = raw ? (uint64_t)policy->raw_rules[raw - 1].rule + 1 : 0;
    for (size_t v = 0; v < policy->view_count; v++)
        if (cursors[v].left && cursors[v].clauses[cursors[v].left - 1].rule >= end)
            end = (uint64_t)cursors[v].clauses[cursors[v].left - 1].rule + 1;
    for (uint64_t rule = end; rule-- > 0 && otherwise;) {
        if (out_of_time(prover))
            return NULL;
        for (size_t v = 0; v < policy->view_count; v++)
            while (otherwise && cursors[v].left &&
                   cursors[v].clauses[cursors[v].left - 1].rule == rule)
                otherwise = whole_clause(prover, &class, &cursors[v].clauses[--cursors[v].left],
                                         cursors[v].place, otherwise);
        while (otherwise && raw && policy->raw_rules[raw - 1].rule == rule) {
            const struct raw_rule *r = &policy->raw_rules[--raw];
            const struct term *value = word_term(prover, &class, r->value);
            otherwise = value ? condition_choose(prover, &class, r->when, value, otherwise) : NULL;
        }
    }
    return otherwise;
}

static const struct term *policy_whole(struct prover *prover, void *self)
{
    const struct policy *policy = ((struct rule_map *)self)->policy;
    struct cursor *cursors = NEW_ARRAY(prover->arena, struct cursor, policy->view_count + 1);
    const struct term *otherwise = word_constant(prover, policy->foreign_word);
    for (size_t v = 0; v < policy->view_count; v++) {
        const struct abi_view *view = &policy->views[v];
        struct nr_run *places;
        size_t count;
        uint32_t token = abi_get(view->abi)->token;
        policy_runs(prover->arena, policy, token, &places, &count);
        const struct term *under_token = whole_defaults(prover, policy, places, count);
        otherwise = term_if(prover->terms, word_equals(prover, prover->words[FIELD_ARCH], token),
                            under_token, otherwise);
        cursors[v] = (struct cursor){view->clauses, view->clause_count,
                                     whole_place(prover, policy, view->abi)};
    }
    return whole_rules(prover, policy, cursors, otherwise);
}

struct behaviour policy_behaviour(struct prover *prover, const struct policy *policy)
{
    return (struct behaviour){rule_map_new(prover, policy), policy_class_runs, policy_whole};
}
