/* What a policy returns, as residues by number under one arch token, or as one term. Written from
 * the meaning of the language (the first rule that matches decides), apart from lang/evaluate.c and
 * the compiler's lowering. */
#include "verifier/internal.h"

#include <stdlib.h>

/* The numbers of one view between two places where a clause begins or ends. */
struct segment {
    struct range nr;
    size_t first, count; /* of `members`: indices of clauses, rising */
};

struct sweep {
    VECTOR(struct segment) segments; /* sorted; gaps: no clause */
    VECTOR(uint32_t) members;
};

struct meaning {
    const struct policy *policy;
    struct sweep *sweeps; /* by view; made when first asked for */
    bool *swept;
};

/* ---- clauses by number ------------------------------------------------------------------------
 */

struct edge {
    uint64_t at;
    uint32_t clause;
    bool begins;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->at != y->at)
        return x->at > y->at ? 1 : -1;
    return (x->clause > y->clause) - (x->clause < y->clause);
}

struct active {
    uint32_t *items;
    size_t count, capacity;
};

static void activate(struct prover *prover, struct active *active, uint32_t clause)
{
    vector_push(prover->arena, active, clause);
    size_t at = active->count - 1;
    for (; at > 0 && active->items[at - 1] > clause; at--)
        active->items[at] = active->items[at - 1];
    active->items[at] = clause;
}

static void deactivate(struct active *active, uint32_t clause)
{
    size_t at = 0;
    while (at < active->count && active->items[at] != clause)
        at++;
    if (at == active->count)
        return;
    memmove(&active->items[at], &active->items[at + 1],
            (active->count - at - 1) * sizeof *active->items);
    active->count--;
}

static void add_segment(struct prover *prover, struct sweep *sweep, const struct active *active,
                        uint64_t first, uint64_t end)
{
    if (!active->count || first == end)
        return;
    struct segment segment = {.nr = {(uint32_t)first, (uint32_t)(end - 1)}};
    segment.first = sweep->members.count;
    segment.count = active->count;
    for (size_t i = 0; i < active->count; i++)
        vector_push(prover->arena, &sweep->members, active->items[i]);
    vector_push(prover->arena, &sweep->segments, segment);
}

static void sweep_clauses(struct prover *prover, const struct abi_view *view, struct sweep *sweep)
{
    struct edge *edges = NEW_ARRAY(prover->arena, struct edge, 2 * view->clause_count);
    size_t count = 0;
    for (uint32_t i = 0; i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (clause->first > clause->last || clause->when->kind == CONDITION_FALSE)
            continue;
        edges[count++] = (struct edge){clause->first, i, true};
        edges[count++] = (struct edge){(uint64_t)clause->last + 1, i, false};
    }
    if (count)
        qsort(edges, count, sizeof *edges, by_place);
    struct active active = {0};
    uint64_t from = 0;
    for (size_t i = 0; i < count; i++) {
        if (edges[i].at > from)
            add_segment(prover, sweep, &active, from, edges[i].at);
        from = edges[i].at;
        if (edges[i].begins)
            activate(prover, &active, edges[i].clause);
        else
            deactivate(&active, edges[i].clause);
    }
}

static const struct sweep *sweep_of(struct prover *prover, struct meaning *meaning,
                                    const struct abi_view *view)
{
    size_t index = (size_t)(view - meaning->policy->views);
    if (!meaning->swept[index])
        sweep_clauses(prover, view, &meaning->sweeps[index]);
    meaning->swept[index] = true;
    return &meaning->sweeps[index];
}

/* ---- the rules of one segment
 * --------------------------------------------------------------------- */

/* Clauses and raw rules, in the order of the rules. */
struct chain {
    const struct policy *policy;
    const struct clause *clauses;
    const uint32_t *members;
    size_t member_count;
    uint32_t otherwise;
};

/* The chain from the last rule back to the first. */
static const struct term *chain_term(struct prover *prover, struct class *class,
                                     const struct chain *chain)
{
    const struct policy *policy = chain->policy;
    const struct term *otherwise = word_constant(prover, chain->otherwise);
    size_t clause = chain->member_count, raw = policy->raw_rule_count;
    while (otherwise && (clause || raw)) {
        const struct clause *c = clause ? &chain->clauses[chain->members[clause - 1]] : NULL;
        const struct raw_rule *r = raw ? &policy->raw_rules[raw - 1] : NULL;
        if (c && (!r || c->rule > r->rule)) {
            otherwise =
                condition_choose(prover, class, c->when, word_constant(prover, c->word), otherwise);
            clause--;
            continue;
        }
        const struct term *value = word_term(prover, class, r->value);
        otherwise = value ? condition_choose(prover, class, r->when, value, otherwise) : NULL;
        raw--;
    }
    return otherwise;
}

/* Residues over a range in which only conditions may make a difference; cut where those ask for it.
 */
static enum runs_outcome chain_runs(struct prover *prover, struct class *outer, struct range nr,
                                    const struct chain *chain, struct residue_runs *runs)
{
    while (true) {
        struct class class = class_new(prover, outer->arch, nr);
        struct range part = nr;
        const struct term *residue = NULL;
        while (!(residue = chain_term(prover, &class, chain))) {
            if (class.cut_field != FIELD_NR || out_of_time(prover)) {
                outer->cut_field = class.cut_field;
                outer->cut = class.cut;
                return class.cut_field == FIELD_ARCH ? RUNS_CUT_ARCH : RUNS_TROUBLE;
            }
            part.last = class.cut - 1;
            class = class_new(prover, outer->arch, part);
        }
        runs_push(prover, runs, part, residue);
        if (part.last == nr.last)
            return RUNS_DONE;
        nr.first = part.last + 1;
    }
}

/* ---- one token
 * --------------------------------------------------------------------------------------- */

static enum runs_outcome plain_runs(struct prover *prover, struct class *class, struct range nr,
                                    const struct policy *policy, uint32_t word,
                                    struct residue_runs *runs)
{
    struct chain chain = {.policy = policy, .otherwise = word};
    return chain_runs(prover, class, nr, &chain, runs);
}

/* One run of numbers that falls to one view: its segments, and the gaps between them. */
static enum runs_outcome view_runs(struct prover *prover, struct meaning *meaning,
                                   struct class *class, const struct nr_run *run,
                                   struct residue_runs *runs)
{
    const struct abi_view *view = policy_view(meaning->policy, run->place.abi);
    const struct sweep *sweep = sweep_of(prover, meaning, view);
    uint32_t otherwise = run->place.known ? view->default_word : view->unknown_word;
    uint64_t at = run->first;
    size_t low = 0, high = sweep->segments.count;
    while (low < high) { /* the first segment that does not end before the run */
        size_t middle = (low + high) / 2;
        if (sweep->segments.items[middle].nr.last < run->first)
            low = middle + 1;
        else
            high = middle;
    }
    enum runs_outcome outcome = RUNS_DONE;
    for (size_t i = low; outcome == RUNS_DONE && at <= run->last; i++) {
        const struct segment *segment =
            i < sweep->segments.count ? &sweep->segments.items[i] : NULL;
        uint64_t begin =
            segment && segment->nr.first <= run->last ? segment->nr.first : (uint64_t)run->last + 1;
        if (begin > at) {
            struct range gap = {(uint32_t)at, (uint32_t)(begin - 1)};
            outcome = plain_runs(prover, class, gap, meaning->policy, otherwise, runs);
            at = begin;
        }
        if (outcome != RUNS_DONE || at > run->last)
            break;
        struct range part = {(uint32_t)at,
                             segment->nr.last < run->last ? segment->nr.last : run->last};
        struct chain chain = {meaning->policy, view->clauses, sweep->members.items + segment->first,
                              segment->count, otherwise};
        outcome = chain_runs(prover, class, part, &chain, runs);
        at = (uint64_t)part.last + 1;
    }
    return outcome;
}

/* Tokens of declared ABIs are classes of their own. */
static bool wants_token_apart(const struct policy *policy, struct class *class)
{
    if (is_single(class->arch))
        return false;
    for (unsigned i = 0; i < ABI_COUNT; i++) {
        uint32_t token = abi_get((enum abi_id)i)->token;
        if (!(policy->abis >> i & 1) || token < class->arch.first || token > class->arch.last)
            continue;
        class->cut_field = FIELD_ARCH;
        class->cut = token > class->arch.first ? token : token + 1;
        return true;
    }
    return false;
}

static enum runs_outcome policy_class_runs(struct prover *prover, void *self, struct class *class,
                                           struct residue_runs *runs)
{
    struct meaning *meaning = self;
    const struct policy *policy = meaning->policy;
    if (wants_token_apart(policy, class))
        return RUNS_CUT_ARCH;
    struct nr_run *places;
    size_t count;
    policy_runs(prover->arena, policy, class->arch.first, &places, &count);
    enum runs_outcome outcome = RUNS_DONE;
    for (size_t i = 0; i < count && outcome == RUNS_DONE; i++) {
        struct range nr = {places[i].first, places[i].last};
        outcome = places[i].place.abi == ABI_NONE
                      ? plain_runs(prover, class, nr, policy, policy->foreign_word, runs)
                      : view_runs(prover, meaning, class, &places[i], runs);
    }
    return outcome;
}

/* ---- everything at once
 * ---------------------------------------------------------------------------------- */

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
    const struct policy *policy = ((struct meaning *)self)->policy;
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
    struct meaning *meaning = NEW(prover->arena, struct meaning);
    meaning->policy = policy;
    meaning->sweeps = NEW_ARRAY(prover->arena, struct sweep, policy->view_count + 1);
    meaning->swept = NEW_ARRAY(prover->arena, bool, policy->view_count + 1);
    return (struct behaviour){meaning, policy_class_runs, policy_whole};
}
