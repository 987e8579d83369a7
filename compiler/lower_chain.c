/* Chains of rules to DAGs: which part of the DAG's order, and which of the order written.
 *
 * In the DAG's order each path tests a word once, and rules that look at the same word share the
 * test. But where rules look at several words each, what is left of all of them must be remembered
 * until its word's turn comes, and the DAG can double with every rule. In the order written a rule
 * costs what its tests cost. So the chain is folded from its last rule to its first, in the DAG's
 * order as long as that is no dearer; then what has been made becomes free, one leaf for the rules
 * in front of it. */
#include "compiler/lower_internal.h"

#include <stdlib.h>

/* ---- what a DAG costs ----------------------------------------------------------------------- */

#define COMMITTED 0xffffffffu

static struct chain_marks *marks_of(struct chains *chains, const struct dag_node *node)
{
    while (chains->marks.count <= node->id)
        vector_push(chains->arena, &chains->marks, (struct chain_marks){0});
    return &chains->marks.items[node->id];
}

/* A walk over what is below `root` and neither committed nor settled in this chain; each node met
 * gets `settled`, unless that is 0. The cost of them all, or the first sum above `most`. */
static size_t walk(struct chains *chains, const struct dag_node *root, size_t most,
                   uint32_t settled)
{
    size_t cost = 0;
    chains->walk++;
    chains->stack.count = 0;
    vector_push(chains->arena, &chains->stack, root);
    while (chains->stack.count && cost <= most) {
        const struct dag_node *node = chains->stack.items[--chains->stack.count];
        struct chain_marks *marks = marks_of(chains, node);
        if (marks->seen == chains->walk || marks->settled == COMMITTED ||
            marks->settled == chains->chain)
            continue;
        marks->seen = chains->walk;
        if (settled)
            marks->settled = settled;
        cost += dag_node_cost(node);
        for (uint32_t i = 0; i < node->edge_count; i++) {
            if (node->edges[i].child->edge_count)
                vector_push(chains->arena, &chains->stack, node->edges[i].child);
        }
    }
    return cost;
}

static size_t cost_of(struct chains *chains, const struct dag_node *root)
{
    return walk(chains, root, SIZE_MAX, 0);
}

/* ---- one chain, word by word or rule by rule ------------------------------------------------ */

/* All of it in the DAG's order; NULL when that takes too much. */
static const struct dag_node *fold_ordered(struct chains *chains, const struct choice *choices,
                                           size_t count, const struct dag_node *base)
{
    const struct dag_node *node = base;
    size_t cost = 0;
    for (size_t i = count; i-- > 0;) {
        cost += choices[i].when->cost;
        const struct dag_node *when = tests_ordered(chains->arena, chains->dag, choices[i].when);
        if (!when || !dag_attempt_begins(chains->dag, work_for(cost)))
            return NULL;
        node = dag_if(chains->dag, when, choices[i].then, node);
        if (!dag_attempt_ends(chains->dag))
            return NULL;
    }
    return node;
}

/* One rule in the DAG's order in front of `node`; NULL when that takes too much. */
static const struct dag_node *add_ordered(struct chains *chains, const struct choice *choice,
                                          const struct dag_node *node, size_t cost)
{
    const struct dag_node *when = tests_ordered(chains->arena, chains->dag, choice->when);
    if (!when || !dag_attempt_begins(chains->dag, work_for(cost)))
        return NULL;
    const struct dag_node *made = dag_if(chains->dag, when, choice->then, node);
    return dag_attempt_ends(chains->dag) ? made : NULL;
}

/* One rule in front of `node`, which stays as it is: its condition as one ordered DAG, or test by
 * test. */
static const struct dag_node *add_in_front(struct chains *chains, const struct choice *choice,
                                           const struct dag_node *node)
{
    const struct dag_node *written =
        tests_in_order_written(chains->arena, chains->dag, choice->when, choice->then, node);
    if (!choice->when->ordered || !written)
        return written;
    const struct dag_node *ordered =
        dag_if(chains->dag, choice->when->ordered, choice->then, dag_free(chains->dag, node));
    if (!ordered || cost_of(chains, written) < cost_of(chains, ordered))
        return written;
    return ordered;
}

/* The cheaper way for each rule, from the last to the first. `*pure`: everything is in order. */
static const struct dag_node *fold_cheapest(struct chains *chains, const struct choice *choices,
                                            size_t count, const struct dag_node *base, bool *pure)
{
    const struct dag_node *node = base;
    size_t cost = 0; /* of what is not settled */
    *pure = true;
    for (size_t i = count; i-- > 0;) {
        size_t bound = cost + choices[i].when->cost;
        const struct dag_node *ordered = add_ordered(chains, &choices[i], node, bound);
        size_t ordered_cost = ordered ? walk(chains, ordered, bound * 4, 0) : SIZE_MAX;
        if (ordered_cost <= bound) {
            node = ordered;
            cost = ordered_cost;
            continue;
        }
        const struct dag_node *front = add_in_front(chains, &choices[i], node);
        if (!front)
            return NULL;
        size_t front_cost = cost_of(chains, front);
        if (ordered_cost <= front_cost) {
            node = ordered;
            cost = ordered_cost;
            continue;
        }
        *pure = false;
        walk(chains, dag_free(chains->dag, node), SIZE_MAX, chains->chain);
        node = front;
        cost = cost_of(chains, node);
    }
    return node;
}

/* A program this large cannot afford to be faster. */
#define COST_TIGHT 2000u

/* An ordered DAG tests no word twice: it may be a little larger. */
static bool is_worth(const struct chains *chains, size_t ordered, size_t other)
{
    return ordered <= other + (chains->committed < COST_TIGHT ? other / 4 : 0);
}

static const struct dag_node *fold(struct chains *chains, const struct choice *choices,
                                   size_t count, const struct dag_node *base, bool *pure)
{
    chains->chain++;
    const struct dag_node *cheapest = fold_cheapest(chains, choices, count, base, pure);
    if (!cheapest || *pure)
        return cheapest;
    chains->chain++;
    const struct dag_node *ordered = fold_ordered(chains, choices, count, base);
    if (!ordered)
        return cheapest;
    *pure = is_worth(chains, cost_of(chains, ordered), cost_of(chains, cheapest));
    return *pure ? ordered : cheapest;
}

/* ---- arch and nr first ---------------------------------------------------------------------- */

/* More parts than that are not worth it. */
#define SPLITS_MOST 128u
/* What a call costs that the kernel remembers is worth some code. */
#define SPLIT_TIMES 3u

typedef VECTOR(uint32_t) number_list;

/* The first of the tests of arch and nr that the choices make, in the DAG's order; or NULL. */
static const struct dag_node *first_head(const struct choice *choices, size_t count)
{
    const uint32_t heads = 1u << FIELD_ARCH | 1u << FIELD_NR;
    const struct dag_node *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct tests *when = choices[i].when;
        for (uint32_t j = 0; (when->fields & heads) && j < when->count; j++) {
            const struct dag_node *atom = when->items[j].atom;
            if (atom->kind == DAG_SWITCH && (heads & 1u << atom->field) &&
                (!first || dag_variable_order(atom) < dag_variable_order(first)))
                first = atom;
        }
    }
    return first;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Where some choice tells values of the variable apart: the last value of each range but the
 * topmost, rising, some several times. */
static number_list cuts_of(struct chains *chains, const struct choice *choices, size_t count,
                           const struct dag_node *variable)
{
    number_list cuts = {0};
    uint64_t order = dag_variable_order(variable);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < choices[i].when->count; j++) {
            const struct dag_node *atom = choices[i].when->items[j].atom;
            for (uint32_t k = 0; dag_variable_order(atom) == order && k + 1 < atom->edge_count; k++)
                vector_push(chains->arena, &cuts, atom->edges[k].last);
        }
    }
    qsort(cuts.items, cuts.count, sizeof *cuts.items, compare_numbers);
    return cuts;
}

static const struct dag_node *split(struct chains *chains, const struct choice *choices,
                                    size_t count, const struct dag_node *base);

static const struct dag_node *split_part(struct chains *chains, const struct choice *choices,
                                         size_t count, const struct dag_node *base,
                                         const struct dag_node *variable, uint32_t first,
                                         uint32_t last)
{
    struct choice *left = NEW_ARRAY(chains->arena, struct choice, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct tests *when = tests_restrict(chains->arena, choices[i].when, variable, first, last);
        if (when->entry == TARGET_YES) {
            base = choices[i].then;
            break;
        }
        if (when->entry != TARGET_NO)
            left[kept++] = (struct choice){.when = when, .then = choices[i].then};
    }
    return split(chains, left, kept, base);
}

/* Switches on arch and nr, each of their ranges a chain of its own: the pairs that are allowed
 * whatever the arguments are stay so before an argument is loaded. NULL when there are too many.
 * Recursive, as deep as there are parts. */
static const struct dag_node *split(struct chains *chains, const struct choice *choices,
                                    size_t count, const struct dag_node *base)
{
    bool pure;
    const struct dag_node *variable = first_head(choices, count);
    if (!variable)
        return fold(chains, choices, count, base, &pure);
    number_list cuts = cuts_of(chains, choices, count, variable);
    VECTOR(struct dag_edge) edges = {0};
    uint32_t first = 0;
    for (size_t i = 0; i <= cuts.count; i++) {
        uint32_t last = i < cuts.count ? cuts.items[i] : 0xffffffffu;
        if (i && last < first)
            continue;
        if (++chains->splits > SPLITS_MOST)
            return NULL;
        const struct dag_node *child =
            split_part(chains, choices, count, base, variable, first, last);
        if (!child)
            return NULL;
        vector_push(chains->arena, &edges, (struct dag_edge){.last = last, .child = child});
        first = last + 1;
    }
    return dag_switch(chains->dag, variable->field, variable->mask, edges.items,
                      (uint32_t)edges.count);
}

const struct dag_node *lower_chain(struct chains *chains, const struct choice *choices,
                                   size_t count, const struct dag_node *base)
{
    bool pure;
    const struct dag_node *node = fold(chains, choices, count, base, &pure);
    if (node && !pure && first_head(choices, count)) {
        chains->splits = 0;
        const struct dag_node *parts = split(chains, choices, count, base);
        chains->chain++;
        size_t most = cost_of(chains, node) * (chains->committed < COST_TIGHT ? SPLIT_TIMES : 1);
        if (parts && cost_of(chains, parts) <= most)
            node = parts;
    }
    if (node)
        chains->committed += walk(chains, node, SIZE_MAX, COMMITTED);
    return node;
}
