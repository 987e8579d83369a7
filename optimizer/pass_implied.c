/* Pass: implied-test elimination.
 *
 * Tests of one word follow each other on a path: first of the whole, then of parts of it. Behind
 * x == 5 the test x & 4 is settled; behind x <= 3 no value of x & 6 above 2 can be. Values that
 * cannot be are no edge's own: they go where their neighbours go, which merges these. And where
 * x & 4 alone would send the value 5 to the same end, x == 5 need not be asked. */
#include "optimizer/pass.h"

#define INTERVALS_MOST 16u
#define STEPS_PER_NODE 16u

/* What is known of the word of `field` on a path: it lies in one of the intervals, and has these
 * bits. */
struct facts {
    enum field field;
    struct {
        uint32_t first, last;
    } intervals[INTERVALS_MOST];
    uint32_t count;
    uint32_t known, bits;
};

struct implied {
    struct pass_state *state;
    size_t steps;
};

/* ---- can a value be? ------------------------------------------------------------------------ */

/* The largest value that is not above `limit`, has the bits `fixed` and any of the bits `free`;
 * false when there is none. Above its highest bit that differs from the limit's it equals the
 * limit, and below it has all it may: the lowest such bit that can be gives the largest value. */
static bool largest_of_form(uint32_t fixed, uint32_t free, uint32_t limit, uint32_t *value)
{
    uint32_t may = fixed | free;
    if ((limit & ~may) == 0 && (fixed & ~limit) == 0) {
        *value = limit;
        return true;
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t one = 1u << bit, above = bit == 31 ? 0 : 0xffffffffu << (bit + 1);
        if (!(limit & one) || (fixed & one) || (limit & above & ~may) || (fixed & above & ~limit))
            continue;
        *value = (limit & above) | (may & (one - 1));
        return true;
    }
    return false;
}

/* Whether (x & mask) can lie in first..last for an x whose bits outside `low` are those of
 * `prefix`: an aligned block of values. */
static bool block_can_be(const struct facts *facts, uint32_t prefix, uint32_t low, uint32_t mask,
                         uint32_t first, uint32_t last)
{
    if ((prefix ^ facts->bits) & facts->known & ~low)
        return false;
    uint32_t fixed = (prefix | (facts->bits & low)) & mask;
    uint32_t free = low & ~facts->known & mask;
    uint32_t value;
    return largest_of_form(fixed, free, last, &value) && value >= first;
}

/* Cuts the interval into aligned blocks, 62 at most. */
static bool interval_can_be(const struct facts *facts, uint32_t from, uint32_t to, uint32_t mask,
                            uint32_t first, uint32_t last)
{
    for (;;) {
        uint32_t low = 0;
        while (low != 0xffffffffu && !(from & (low * 2 + 1)) && to - from >= low * 2 + 1)
            low = low * 2 + 1;
        if (block_can_be(facts, from, low, mask, first, last))
            return true;
        if (to - from <= low)
            return false;
        from += low + 1;
    }
}

static bool can_be(const struct facts *facts, uint32_t mask, uint32_t first, uint32_t last)
{
    for (uint32_t i = 0; i < facts->count; i++) {
        if (interval_can_be(facts, facts->intervals[i].first, facts->intervals[i].last, mask, first,
                            last))
            return true;
    }
    return false;
}

/* ---- below a test --------------------------------------------------------------------------- */

/* The bits that all masked values of first..last have in common. */
static struct facts below_edge(const struct facts *facts, uint32_t mask, uint32_t first,
                               uint32_t last)
{
    struct facts below = *facts;
    uint32_t differ = first ^ last;
    uint32_t common = mask & (differ ? ~(0xffffffffu >> __builtin_clz(differ)) : 0xffffffffu);
    below.known |= common;
    below.bits |= first & common;
    return below;
}

static const struct dag_node *simplify(struct implied *implied, const struct dag_node *node,
                                       const struct facts *facts);

/* The children under the facts; NULL for edges that cannot be. */
static bool simplify_edges(struct implied *implied, const struct dag_node *node,
                           const struct facts *facts, struct dag_edge *edges)
{
    uint32_t first = 0;
    bool same = true;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t last = dag_value_floor(node->edges[i].last, node->mask);
        edges[i] = (struct dag_edge){.last = node->edges[i].last};
        if (can_be(facts, node->mask, first, last)) {
            struct facts below = below_edge(facts, node->mask, first, last);
            edges[i].child = simplify(implied, node->edges[i].child, &below);
        }
        same = same && edges[i].child == node->edges[i].child;
        first = node->edges[i].last + 1;
    }
    return same;
}

static void fill_impossible(struct dag_edge *edges, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (!edges[i].child)
            edges[i].child = edges[i - 1].child;
    }
    for (uint32_t i = count; i-- > 1;) {
        if (!edges[i - 1].child)
            edges[i - 1].child = edges[i].child;
    }
}

/* Recursive, as deep as there are masks of one field on a path. */
static const struct dag_node *simplify(struct implied *implied, const struct dag_node *node,
                                       const struct facts *facts)
{
    if (node->kind != DAG_SWITCH || node->free || node->field != facts->field ||
        implied->steps == 0)
        return node;
    implied->steps--;
    struct dag_edge *edges = NEW_ARRAY(implied->state->arena, struct dag_edge, node->edge_count);
    if (simplify_edges(implied, node, facts, edges))
        return node;
    fill_impossible(edges, node->edge_count);
    const struct dag_node *made =
        dag_switch(implied->state->dag, node->field, node->mask, edges, node->edge_count);
    return made ? made : node;
}

/* ---- a switch and what is below it ---------------------------------------------------------- */

/* All values that lead to `child`: when they are too many intervals, the last goes on to the last
 * value. */
static struct facts facts_of_child(const struct dag_node *node, const struct dag_node *child)
{
    struct facts facts = {.field = node->field};
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t last = node->edges[i].last;
        if (node->edges[i].child == child) {
            if (facts.count == INTERVALS_MOST)
                facts.intervals[INTERVALS_MOST - 1].last = last;
            else {
                facts.intervals[facts.count].first = first;
                facts.intervals[facts.count++].last = last;
            }
        }
        first = last + 1;
    }
    return facts;
}

#define EDGES_COMPARED_MOST 32u

/* Another child of the switch that leads the values of this one to the same end; else itself. */
static const struct dag_node *child_that_does(struct implied *implied, const struct dag_node *node,
                                              const struct dag_node *child)
{
    struct facts facts = facts_of_child(node, child);
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *other = node->edges[i].child;
        if (other != child && other->kind == DAG_SWITCH && other->field == node->field &&
            simplify(implied, other, &facts) == child)
            return other;
    }
    return child;
}

/* A child that takes over is a masked switch, and one that is taken over lies below it: no two take
 * each other's place. */
static const struct dag_node *leave_out_edges(struct implied *implied, const struct dag_node *node)
{
    if (node->edge_count > EDGES_COMPARED_MOST || node->mask != 0xffffffffu)
        return node;
    struct dag_edge *edges = NEW_ARRAY(implied->state->arena, struct dag_edge, node->edge_count);
    for (uint32_t i = 0; i < node->edge_count; i++)
        edges[i] = (struct dag_edge){node->edges[i].last,
                                     child_that_does(implied, node, node->edges[i].child)};
    return dag_switch(implied->state->dag, node->field, node->mask, edges, node->edge_count);
}

static const struct dag_node *simplify_below(struct implied *implied, const struct dag_node *node)
{
    struct dag_edge *edges = NEW_ARRAY(implied->state->arena, struct dag_edge, node->edge_count);
    bool same = true;
    if (node->mask != 0xffffffffu) {
        struct facts all = {.field = node->field, .count = 1};
        all.intervals[0].last = 0xffffffffu;
        return simplify(implied, node, &all);
    }
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        edges[i] = (struct dag_edge){node->edges[i].last, child};
        if (child->kind != DAG_SWITCH || child->field != node->field)
            continue;
        struct facts facts = facts_of_child(node, child);
        edges[i].child = simplify(implied, child, &facts);
        same = same && edges[i].child == child;
    }
    if (same)
        return node;
    return dag_switch(implied->state->dag, node->field, node->mask, edges, node->edge_count);
}

static const struct dag_node *simplify_node(struct pass_state *state, const struct dag_node *node)
{
    struct implied implied = {.state = state, .steps = STEPS_PER_NODE * (node->edge_count + 1)};
    if (node->kind != DAG_SWITCH)
        return node;
    const struct dag_node *left = leave_out_edges(&implied, node);
    return left && left->kind == DAG_SWITCH ? simplify_below(&implied, left) : left;
}

bool pass_implied(struct pass_state *state)
{
    return pass_rewrite(state, simplify_node);
}
