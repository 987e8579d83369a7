/* Pass: switches that settle nothing.
 *
 * Tests of one word under different masks can together leave no way but one: of x & 1, x & 2 and
 * (x & 3) == 3 some hold for every x. No test settles another one there, so that pass "implied"
 * sees nothing. Here each way through the switches of one word is followed with all that it asks
 * of the word, and is real only when some word agrees with it. A switch whose real ways all lead to
 * one node is that node. */
#include "optimizer/pass.h"
#include "smt/bounds.h"

#define STEPS_MOST 1024u /* of one switch */
#define DEPTH_MOST 64u   /* masks of one field on a path */

struct settling {
    struct dead_ends *dead_ends;
    const struct dag_node *end; /* of the ways so far; NULL: none yet */
    uint32_t steps;
};

static bool goes_on(const struct dag_node *child, const struct dag_node *node)
{
    return child->kind == DAG_SWITCH && !child->free && child->field == node->field;
}

/* Whether all ways below the node lead to one end. */
static bool has_one_end(struct settling *settling, const struct dag_node *node,
                        const struct bounds *bounds, unsigned depth)
{
    uint32_t first = 0, value;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        struct bounds way = *bounds;
        bounds_within(&way, node->mask, first, dag_value_floor(node->edges[i].last, node->mask));
        first = node->edges[i].last + 1;
        if (child == settling->end)
            continue;
        if (settling->steps++ == STEPS_MOST || depth == DEPTH_MOST)
            return false;
        if (bounds_find(settling->dead_ends, &way, &value) == FOUND_NONE)
            continue;
        if (goes_on(child, node)) {
            if (!has_one_end(settling, child, &way, depth + 1))
                return false;
        } else if (settling->end) {
            return false;
        } else {
            settling->end = child;
        }
    }
    return true;
}

static const struct dag_node *leave_out(struct pass_state *state, const struct dag_node *node)
{
    bool more = false;
    if (node->kind != DAG_SWITCH)
        return node;
    for (uint32_t i = 0; i < node->edge_count; i++)
        more |= goes_on(node->edges[i].child, node);
    if (!more) /* every edge is some word's */
        return node;
    if (!state->dead_ends)
        state->dead_ends = dead_ends_new(state->arena);
    struct settling settling = {.dead_ends = state->dead_ends};
    bool one = has_one_end(&settling, node, &(struct bounds){0}, 0);
    return one && settling.end ? settling.end : node;
}

bool pass_settled(struct pass_state *state)
{
    return pass_rewrite(state, leave_out);
}
