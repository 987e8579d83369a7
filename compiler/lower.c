/* The policy to a decision DAG.
 *
 * The space of (arch, nr) is cut into classes within which the same rules are in play: at the runs
 * of the ABIs' tables, at the clauses' bounds and where conditions of the raw layer look at arch or
 * nr. Each class gets the chain of its rules (lower_chain.c); equal chains meet in the memory of
 * dag_if, so that hundreds of plain rules cost nothing. Switches on nr, and one on arch, put the
 * classes together. */
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/lower_internal.h"

/* A program of 4096 instructions has no more tests than that; the rest is room for what falls away
 * while rules are combined. */
#define NODE_MOST ((size_t)1 << 18)

typedef VECTOR(struct choice) choice_list;
typedef VECTOR(struct dag_edge) edge_list;
typedef VECTOR(uint32_t) number_list;

/* The clauses of one view that are in play while the numbers rise. */
struct sweep {
    const struct abi_view *view;
    struct tests **conditions; /* by clause; NULL: not lowered yet */
    uint32_t *by_first;        /* clauses by rising `first` */
    size_t next;               /* in by_first */
    number_list active;        /* clauses, rising: the order of the rules */
};

struct lowering {
    struct arena *arena;
    const struct policy *policy;
    struct dag *dag;
    /* Of the raw rules: over all inputs, and what is left of them under one arch token. */
    struct tests **raw_conditions, **raw_here;
    const struct dag_node **raw_values;
    struct sweep *sweeps; /* by view */
    choice_list choices;
    struct chains chains;
};

static bool given_up(const struct lowering *lowering)
{
    return dag_limit_reached(lowering->dag) != DAG_WITHIN_LIMITS;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void sort_unique(number_list *list)
{
    if (!list->count)
        return;
    qsort(list->items, list->count, sizeof *list->items, compare_numbers);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (list->items[i] != list->items[kept - 1])
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* A class ends at `last` (or before it): the next begins behind it. */
static void cut_behind(struct arena *arena, number_list *cuts, uint32_t last)
{
    if (last != 0xffffffffu)
        vector_push(arena, cuts, last);
}

static void cut_before(struct arena *arena, number_list *cuts, uint32_t first)
{
    if (first)
        vector_push(arena, cuts, first - 1);
}

/* ---- the raw layer under one class ---------------------------------------------------------- */

/* What is left where `field` is in first..last, a range that lies between two cuts. */
static struct tests *restrict_field(struct lowering *lowering, struct tests *tests,
                                    enum field field, uint32_t first, uint32_t last)
{
    const struct dag_node variable = {.kind = DAG_SWITCH, .field = field, .mask = 0xffffffffu};
    return tests_restrict(lowering->arena, tests, &variable, first, last);
}

static void cut_at_edges(struct arena *arena, number_list *cuts, const struct tests *tests,
                         enum field field)
{
    for (uint32_t i = 0; (tests->fields & 1u << field) && i < tests->count; i++) {
        const struct dag_node *atom = tests->items[i].atom;
        if (atom->kind != DAG_SWITCH || atom->field != field || atom->mask != 0xffffffffu)
            continue;
        for (uint32_t edge = 0; edge < atom->edge_count; edge++)
            cut_behind(arena, cuts, atom->edges[edge].last);
    }
}

/* ---- chains of rules ------------------------------------------------------------------------ */

/* Adds a rule to the chain; true when no later rule can be reached. */
static bool add_choice(struct lowering *lowering, struct tests *when, const struct dag_node *then)
{
    if (when->entry != TARGET_NO)
        vector_push(lowering->arena, &lowering->choices,
                    (struct choice){.when = when, .then = then});
    return when->entry == TARGET_YES;
}

/* The chain's DAG; `base` where no rule holds. */
static const struct dag_node *fold_choices(struct lowering *lowering, const struct dag_node *base)
{
    size_t count = lowering->choices.count;
    lowering->choices.count = 0;
    if (given_up(lowering))
        return NULL;
    if (count && lowering->choices.items[count - 1].when->entry == TARGET_YES)
        base = lowering->choices.items[--count].then;
    return lower_chain(&lowering->chains, lowering->choices.items, count, base);
}

static struct tests *clause_condition(struct lowering *lowering, struct sweep *sweep,
                                      uint32_t clause)
{
    struct tests **known = &sweep->conditions[clause];
    if (!*known)
        *known = lower_condition(lowering->arena, lowering->dag, sweep->view->clauses[clause].when);
    return *known;
}

/* The rules in play in one class, clauses and raw rules in the policy's order, up to the first that
 * always matches. */
static void gather_choices(struct lowering *lowering, struct sweep *sweep, uint32_t first,
                           uint32_t last)
{
    const struct policy *policy = lowering->policy;
    size_t raw = 0, active = 0, active_count = sweep ? sweep->active.count : 0;
    while (!given_up(lowering) && (active < active_count || raw < policy->raw_rule_count)) {
        const struct clause *clause =
            active < active_count ? &sweep->view->clauses[sweep->active.items[active]] : NULL;
        struct tests *when;
        const struct dag_node *then;
        if (raw < policy->raw_rule_count &&
            (!clause || policy->raw_rules[raw].rule < clause->rule)) {
            when = restrict_field(lowering, lowering->raw_here[raw], FIELD_NR, first, last);
            then = lowering->raw_values[raw++];
        } else {
            when = clause_condition(lowering, sweep, sweep->active.items[active++]);
            then = dag_verdict(lowering->dag, clause->word);
        }
        if (!when || add_choice(lowering, when, then))
            return;
    }
}

/* ---- one arch token ------------------------------------------------------------------------- */

static void sweep_start(struct sweep *sweep)
{
    sweep->next = 0;
    sweep->active.count = 0;
}

/* Into the sorted list. */
static void sweep_insert(struct arena *arena, struct sweep *sweep, uint32_t clause)
{
    vector_push(arena, &sweep->active, clause);
    size_t at = sweep->active.count - 1;
    for (; at > 0 && sweep->active.items[at - 1] > clause; at--)
        sweep->active.items[at] = sweep->active.items[at - 1];
    sweep->active.items[at] = clause;
}

/* Goes up to the class that begins with `first`. */
static void sweep_to(struct arena *arena, struct sweep *sweep, uint32_t first)
{
    const struct clause *clauses = sweep->view->clauses;
    size_t kept = 0;
    for (size_t i = 0; i < sweep->active.count; i++) {
        if (clauses[sweep->active.items[i]].last >= first)
            sweep->active.items[kept++] = sweep->active.items[i];
    }
    sweep->active.count = kept;
    for (; sweep->next < sweep->view->clause_count; sweep->next++) {
        uint32_t clause = sweep->by_first[sweep->next];
        if (clauses[clause].first > first)
            break;
        if (clauses[clause].last >= first)
            sweep_insert(arena, sweep, clause);
    }
}

static struct sweep *sweep_of(struct lowering *lowering, enum abi_id abi)
{
    for (size_t i = 0; abi != ABI_NONE && i < lowering->policy->view_count; i++) {
        if (lowering->sweeps[i].view->abi == abi)
            return &lowering->sweeps[i];
    }
    return NULL;
}

static uint32_t base_word(const struct lowering *lowering, const struct sweep *sweep,
                          const struct place *place)
{
    if (!sweep)
        return lowering->policy->foreign_word;
    return place->known ? sweep->view->default_word : sweep->view->unknown_word;
}

/* Where classes of numbers end under `token`: the last value of each but the topmost. */
static number_list number_cuts(struct lowering *lowering, const struct nr_run *runs, size_t count)
{
    number_list cuts = {0};
    abi_set done = 0;
    for (size_t i = 0; i < count; i++) {
        cut_behind(lowering->arena, &cuts, runs[i].last);
        struct sweep *sweep = sweep_of(lowering, runs[i].place.abi);
        if (!sweep || (done & ABI_BIT(sweep->view->abi)))
            continue;
        done |= ABI_BIT(sweep->view->abi);
        sweep_start(sweep);
        for (size_t j = 0; j < sweep->view->clause_count; j++) {
            cut_before(lowering->arena, &cuts, sweep->view->clauses[j].first);
            cut_behind(lowering->arena, &cuts, sweep->view->clauses[j].last);
        }
    }
    for (size_t i = 0; i < lowering->policy->raw_rule_count; i++)
        cut_at_edges(lowering->arena, &cuts, lowering->raw_here[i], FIELD_NR);
    sort_unique(&cuts);
    return cuts;
}

static void restrict_raw(struct lowering *lowering, uint32_t first, uint32_t last)
{
    for (size_t i = 0; i < lowering->policy->raw_rule_count; i++)
        lowering->raw_here[i] =
            restrict_field(lowering, lowering->raw_conditions[i], FIELD_ARCH, first, last);
}

/* The DAG under the token of a declared ABI. */
static const struct dag_node *lower_token(struct lowering *lowering, uint32_t token)
{
    restrict_raw(lowering, token, token);
    struct nr_run *runs;
    size_t run_count, run = 0;
    policy_runs(lowering->arena, lowering->policy, token, &runs, &run_count);
    number_list cuts = number_cuts(lowering, runs, run_count);
    edge_list edges = {0};
    uint32_t first = 0;
    for (size_t i = 0; i <= cuts.count && !given_up(lowering); i++) {
        uint32_t last = i < cuts.count ? cuts.items[i] : 0xffffffffu;
        while (run + 1 < run_count && runs[run].last < first)
            run++;
        struct sweep *sweep = sweep_of(lowering, runs[run].place.abi);
        if (sweep)
            sweep_to(lowering->arena, sweep, first);
        gather_choices(lowering, sweep, first, last);
        uint32_t word = base_word(lowering, sweep, &runs[run].place);
        const struct dag_node *child = fold_choices(lowering, dag_verdict(lowering->dag, word));
        vector_push(lowering->arena, &edges, (struct dag_edge){.last = last, .child = child});
        first = last + 1;
    }
    return dag_switch(lowering->dag, FIELD_NR, 0xffffffffu, edges.items, (uint32_t)edges.count);
}

/* The DAG under tokens first..last, of no declared ABI: raw rules, then `foreign`. */
static const struct dag_node *lower_foreign(struct lowering *lowering, uint32_t first,
                                            uint32_t last)
{
    restrict_raw(lowering, first, last);
    for (size_t i = 0; i < lowering->policy->raw_rule_count; i++) {
        if (add_choice(lowering, lowering->raw_here[i], lowering->raw_values[i]))
            break;
    }
    return fold_choices(lowering, dag_verdict(lowering->dag, lowering->policy->foreign_word));
}

/* ---- the policy ----------------------------------------------------------------------------- */

static bool is_declared_token(const struct policy *policy, uint32_t token)
{
    for (size_t i = 0; i < policy->view_count; i++) {
        if (abi_get(policy->views[i].abi)->token == token)
            return true;
    }
    return false;
}

static const struct dag_node *lower_tokens(struct lowering *lowering)
{
    const struct policy *policy = lowering->policy;
    number_list cuts = {0};
    for (size_t i = 0; i < policy->view_count; i++) {
        uint32_t token = abi_get(policy->views[i].abi)->token;
        cut_before(lowering->arena, &cuts, token);
        cut_behind(lowering->arena, &cuts, token);
    }
    for (size_t i = 0; i < policy->raw_rule_count; i++)
        cut_at_edges(lowering->arena, &cuts, lowering->raw_conditions[i], FIELD_ARCH);
    sort_unique(&cuts);
    edge_list edges = {0};
    uint32_t first = 0;
    for (size_t i = 0; i <= cuts.count && !given_up(lowering); i++) {
        uint32_t last = i < cuts.count ? cuts.items[i] : 0xffffffffu;
        const struct dag_node *child = first == last && is_declared_token(policy, first)
                                           ? lower_token(lowering, first)
                                           : lower_foreign(lowering, first, last);
        vector_push(lowering->arena, &edges, (struct dag_edge){.last = last, .child = child});
        first = last + 1;
    }
    return dag_switch(lowering->dag, FIELD_ARCH, 0xffffffffu, edges.items, (uint32_t)edges.count);
}

/* False past a limit. */
static bool lower_raw_rules(struct lowering *lowering)
{
    size_t count = lowering->policy->raw_rule_count;
    lowering->raw_conditions = NEW_ARRAY(lowering->arena, struct tests *, count);
    lowering->raw_here = NEW_ARRAY(lowering->arena, struct tests *, count);
    lowering->raw_values = NEW_ARRAY(lowering->arena, const struct dag_node *, count);
    for (size_t i = 0; i < count && !given_up(lowering); i++) {
        const struct raw_rule *rule = &lowering->policy->raw_rules[i];
        lowering->raw_conditions[i] = lower_condition(lowering->arena, lowering->dag, rule->when);
        lowering->raw_values[i] = dag_return(lowering->dag, rule->value);
        if (lowering->raw_conditions[i])
            tests_ordered(lowering->arena, lowering->dag, lowering->raw_conditions[i]);
    }
    return !given_up(lowering);
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void prepare_sweeps(struct lowering *lowering)
{
    const struct policy *policy = lowering->policy;
    lowering->sweeps = NEW_ARRAY(lowering->arena, struct sweep, policy->view_count);
    for (size_t i = 0; i < policy->view_count; i++) {
        const struct abi_view *view = &policy->views[i];
        struct sweep *sweep = &lowering->sweeps[i];
        uint64_t *keys = NEW_ARRAY(lowering->arena, uint64_t, view->clause_count);
        sweep->view = view;
        sweep->conditions = NEW_ARRAY(lowering->arena, struct tests *, view->clause_count);
        sweep->by_first = NEW_ARRAY(lowering->arena, uint32_t, view->clause_count);
        for (size_t j = 0; j < view->clause_count; j++)
            keys[j] = (uint64_t)view->clauses[j].first << 32 | j;
        qsort(keys, view->clause_count, sizeof *keys, compare_keys);
        for (size_t j = 0; j < view->clause_count; j++)
            sweep->by_first[j] = (uint32_t)keys[j];
    }
}

static void report_limit(const struct lowering *lowering, struct diagnostics *diagnostics)
{
    struct span span = lowering->policy->header_span;
    switch (dag_limit_reached(lowering->dag)) {
    case DAG_TOO_MANY_VARIABLES:
        report_error(diagnostics, span,
                     "the policy is too large: its conditions look at more than %u different masks "
                     "and computed comparisons",
                     DAG_VARIABLES_MOST);
        break;
    case DAG_WORD_TOO_DEEP:
        report_error(diagnostics, span, "the policy nests arithmetic deeper than %d operators",
                     EXPRESSION_DEPTH_MOST);
        break;
    default:
        report_error(diagnostics, span,
                     "the policy is too large: found no way to make its decisions within the %u "
                     "instructions of a filter, neither word by word nor in the order its rules "
                     "are written",
                     PROGRAM_MOST);
    }
}

result lower_policy(struct arena *arena, const struct policy *policy,
                    struct diagnostics *diagnostics, struct dag **dag, const struct dag_node **root)
{
    struct lowering lowering = {.arena = arena, .policy = policy};
    lowering.dag = dag_new(arena, policy->big_endian, NODE_MOST);
    *dag = lowering.dag;
    lowering.chains = (struct chains){.arena = arena, .dag = lowering.dag};
    prepare_sweeps(&lowering);
    *root = lower_raw_rules(&lowering) ? lower_tokens(&lowering) : NULL;
    if (!*root) {
        report_limit(&lowering, diagnostics);
        return FAILURE(ERROR_LIMIT);
    }
    return SUCCESS;
}
