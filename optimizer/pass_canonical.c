/* Pass: reduction to canonical form.
 *
 * The constructors keep the DAG ordered and reduced, and equal nodes one. What they cannot see: a
 * masked switch whose outcomes do not depend on the mask's lowest bits is one of a smaller mask,
 * and one that looks at the highest bits only is intervals of the whole field. Then it merges with
 * other tests of the field. */
#include "optimizer/pass.h"

/* Without the lowest bits that no edge begins with. */
static uint32_t bits_that_matter(const struct dag_node *node)
{
    uint32_t mask = node->mask;
    while (mask) {
        uint32_t lowest = mask & -mask;
        for (uint32_t i = 0; i + 1 < node->edge_count; i++) {
            if ((node->edges[i].last + 1) & lowest)
                return mask;
        }
        mask &= ~lowest;
    }
    return mask;
}

/* Edges of a masked switch end right below the first value of the next: they are right for the
 * smaller mask and for the whole field too. */
static uint32_t canonical_mask(const struct dag_node *node)
{
    if (node->mask == 0xffffffffu)
        return node->mask;
    uint32_t mask = bits_that_matter(node);
    return mask == 0u - (mask & -mask) ? 0xffffffffu : mask;
}

static const struct dag_node *canonical_switch(struct pass_state *state,
                                               const struct dag_node *node)
{
    if (node->kind != DAG_SWITCH || canonical_mask(node) == node->mask)
        return node;
    return dag_choose(state->dag, node->field, canonical_mask(node), node->edges, node->edge_count);
}

bool pass_canonical(struct pass_state *state)
{
    return pass_rewrite(state, canonical_switch);
}
