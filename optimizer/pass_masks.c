/* Pass: value sets to masks.
 *
 * A switch of two outcomes on an argument, one of them all values that agree on some bits and take
 * any value in the others, becomes a switch on these bits. Small sets are left to the choice of
 * shape, which can mix mask tests with others. */
#include "optimizer/pass.h"

#define EDGES_LEAST 17u

/* Every value `v` with (v & mask) == value. */
struct value_cube {
    uint32_t mask, value;
};

static bool edges_are_cube(const struct dag_node *node, const struct dag_node *child,
                           struct value_cube *cube)
{
    uint32_t in_all = 0xffffffffu, in_any = 0, first = 0;
    uint64_t values = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t last = node->edges[i].last;
        if (node->edges[i].child == child) {
            /* Below the highest bit in which the ends differ, all bits vary. */
            uint32_t differ = first ^ last;
            uint32_t vary = differ ? 0xffffffffu >> __builtin_clz(differ) : 0;
            in_all &= first & ~vary;
            in_any |= last | vary;
            values += (uint64_t)last - first + 1;
        }
        first = last + 1;
    }
    cube->mask = ~(in_all ^ in_any);
    cube->value = in_all;
    /* The set lies within the cube: it is the cube when it is as large. */
    return values == 1ull << __builtin_popcount(~cube->mask) && cube->mask;
}

static const struct dag_node *other_child(const struct dag_node *node)
{
    const struct dag_node *other = NULL;
    for (uint32_t i = 1; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        if (child == node->edges[0].child)
            continue;
        if (other && other != child)
            return NULL;
        other = child;
    }
    return other;
}

static const struct dag_node *masked_switch(struct pass_state *state, const struct dag_node *node)
{
    if (node->kind != DAG_SWITCH || node->mask != 0xffffffffu || node->field == FIELD_NR ||
        node->field == FIELD_ARCH || node->edge_count < EDGES_LEAST)
        return node;
    const struct dag_node *children[2] = {node->edges[0].child, other_child(node)};
    for (unsigned i = 0; children[1] && i < 2; i++) {
        struct value_cube cube;
        if (!edges_are_cube(node, children[i], &cube))
            continue;
        const struct dag_node *in = children[i], *out = children[1 - i];
        uint32_t below = cube.value - 1;
        const struct dag_edge edges[3] = {{below, out}, {cube.value, in}, {0xffffffffu, out}};
        uint32_t skip = cube.value == 0;
        return dag_choose(state->dag, node->field, cube.mask, edges + skip, 3 - skip);
    }
    return node;
}

bool pass_masks(struct pass_state *state)
{
    return pass_rewrite(state, masked_switch);
}
