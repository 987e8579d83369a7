/* DAGs that leave some inputs open: what two of them agree on. Each walks both side by side in the
 * order of the DAG; a budget of steps bounds the whole, and when it is used up the answer is the
 * careful one. */
#include "compiler/raise.h"
#include "compiler/raise_internal.h"

static bool is_word(const struct dag_node *node, uint32_t word)
{
    return node->kind == DAG_VERDICT && node->word == word;
}

typedef const struct dag_node *(*care_step)(struct raising *raising, const struct dag_node *a,
                                            const struct dag_node *b, uint32_t word);

/* What is left of `node`, a switch on some bits of `field`, where the field is in first..last. */
const struct dag_node *care_narrow(const struct dag_node *node, enum field field, uint32_t first,
                                   uint32_t last)
{
    uint32_t open = first ^ last; /* bits that may be either, and all below them */
    for (unsigned shift = 1; shift < 32; shift *= 2)
        open |= open >> shift;
    while (node->kind == DAG_SWITCH && node->field == field) {
        uint32_t least = first & ~open & node->mask;
        const struct dag_node *child = dag_child_at(node, least);
        for (uint32_t i = 0; i < node->edge_count; i++)
            if (node->edges[i].last >= least && node->edges[i].child != child &&
                (!i || node->edges[i - 1].last < (least | (open & node->mask))))
                return node;
        node = child;
    }
    return node;
}

/* Does `bits`, which tests some bits of the field, say all that the full switch does? */
static bool says_all(const struct dag_node *full, const struct dag_node *bits)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < full->edge_count; i++) {
        const struct dag_node *child = full->edges[i].child;
        const struct dag_node *there = care_narrow(bits, full->field, first, full->edges[i].last);
        bool open = is_word(child, RAISE_ANY);
        if (!open && child != bits &&
            there != care_narrow(child, full->field, first, full->edges[i].last))
            return false;
        first = full->edges[i].last + 1;
    }
    return true;
}

const struct dag_node *care_reduce(const struct dag_node *node)
{
    if (!node || node->free || node->kind != DAG_SWITCH || node->mask != UINT32_MAX)
        return node;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        if (child->kind == DAG_SWITCH && child->field == node->field && says_all(node, child))
            return child;
    }
    return node;
}

/* The two below their first variable, edge by edge. NULL as soon as one pair gives NULL. */
static const struct dag_node *side_by_side(struct raising *raising, const struct dag_node *a,
                                           const struct dag_node *b, uint32_t word, care_step step)
{
    uint64_t order_a = dag_variable_order(a), order_b = dag_variable_order(b);
    const struct dag_node *first = order_a <= order_b ? a : b;
    bool in_a = order_a <= order_b, in_b = order_b <= order_a;
    VECTOR(struct dag_edge) edges = {0};
    bool whole = first->kind == DAG_SWITCH && first->mask == UINT32_MAX;
    uint32_t i = 0, j = 0, last, from = 0;
    do {
        last = first->kind == DAG_COMPARE ? 1 : UINT32_MAX;
        if (in_a)
            last = a->edges[i].last;
        if (in_b && b->edges[j].last < last)
            last = b->edges[j].last;
        const struct dag_node *left = in_a ? a->edges[i].child : a;
        const struct dag_node *right = in_b ? b->edges[j].child : b;
        if (whole) {
            left = care_narrow(left, first->field, from, last);
            right = care_narrow(right, first->field, from, last);
        }
        from = last + 1;
        const struct dag_node *child = step(raising, left, right, word);
        if (!child)
            return NULL;
        vector_push(raising->arena, &edges, (struct dag_edge){.last = last, .child = child});
        i += in_a && a->edges[i].last == last;
        j += in_b && b->edges[j].last == last;
    } while (last != UINT32_MAX && !(first->kind == DAG_COMPARE && last == 1));
    if (first->kind == DAG_COMPARE)
        return dag_compare(raising->dag, first->comparison, first->a, first->b,
                           edges.items[0].child, edges.items[1].child);
    return care_reduce(
        dag_switch(raising->dag, first->field, first->mask, edges.items, (uint32_t)edges.count));
}

static bool step_taken(struct raising *raising)
{
    if (!raising->steps || (raising->pool && !*raising->pool))
        return false;
    if (raising->pool)
        --*raising->pool;
    raising->steps--;
    return true;
}

static const struct dag_node *merge(struct raising *raising, const struct dag_node *a,
                                    const struct dag_node *b, uint32_t word)
{
    if (a == b || is_word(b, RAISE_ANY))
        return a;
    if (is_word(a, RAISE_ANY))
        return b;
    if ((a->kind == DAG_VERDICT && b->kind == DAG_VERDICT) || !step_taken(raising))
        return NULL;
    return side_by_side(raising, a, b, word, merge);
}

const struct dag_node *care_merge(struct raising *raising, const struct dag_node *a,
                                  const struct dag_node *b)
{
    return merge(raising, a, b, 0);
}

static const struct dag_node *except(struct raising *raising, const struct dag_node *node,
                                     const struct dag_node *given, uint32_t word)
{
    if (is_word(given, word))
        return dag_verdict(raising->dag, RAISE_ANY);
    if (given->kind == DAG_VERDICT || is_word(node, RAISE_ANY))
        return node;
    if (!step_taken(raising))
        return node;
    return side_by_side(raising, node, given, word, except);
}

const struct dag_node *care_except(struct raising *raising, const struct dag_node *node,
                                   const struct dag_node *given, uint32_t word)
{
    const struct dag_node *rest = except(raising, node, given, word);
    return rest ? rest : node;
}

/* Some node unless there is an input at which one counts and the other does not. `open`: what is
 * open counts too. */
static const struct dag_node *no_conflict(struct raising *raising, const struct dag_node *a,
                                          const struct dag_node *b, uint32_t open)
{
    bool none_in_a = is_word(a, RAISE_NO) || (!open && is_word(a, RAISE_ANY));
    bool all_in_b = is_word(b, RAISE_YES) || (open && is_word(b, RAISE_ANY));
    if (a == b || none_in_a || all_in_b)
        return dag_verdict(raising->dag, RAISE_ANY);
    if ((a->kind == DAG_VERDICT && b->kind == DAG_VERDICT) || !step_taken(raising))
        return NULL;
    return side_by_side(raising, a, b, open, no_conflict);
}

bool care_implies(struct raising *raising, const struct dag_node *a, const struct dag_node *b,
                  bool open)
{
    return no_conflict(raising, a, b, open) != NULL;
}
