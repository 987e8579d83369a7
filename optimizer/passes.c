/* The table of passes over the DAG.
 *
 * By construction, whatever a pass does (dag.c): neighbouring edges of one child are one edge, a
 * switch of one child is that child, and equal nodes are one node, so that a check which several
 * rules or several calls have in common is emitted once. */
#include "optimizer/pass.h"

static const struct pass passes[] = {
    {
        .name = "canonical",
        .does = "masks without bits that decide nothing; masks of the highest bits as intervals",
        .needs = "nothing",
        .keeps = "the order of the fields",
        .terminates = "one step for each node, children first",
        .always = true,
        .run = pass_canonical,
    },
    {
        .name = "implied",
        .does = "leaves out tests that tests of the same word above them have settled, and edges "
                "that they make impossible",
        .needs = "nothing; more is seen when canonical came before",
        .keeps = "the order of the fields",
        .terminates = "each step goes one variable down, and a budget of steps bounds the whole",
        .always = true,
        .run = pass_implied,
    },
    {
        .name = "settled",
        .does = "switches of one word whose possible ways all lead to one node",
        .needs = "nothing",
        .keeps = "the order of the fields",
        .terminates = "a budget of steps for each node, children first",
        .always = true,
        .run = pass_settled,
    },
    {
        .name = "masks",
        .does = "sets of many values that one mask test decides as a switch on the masked word",
        .needs = "nothing",
        .keeps = "the order of the fields",
        .terminates = "one step for each node, children first",
        .run = pass_masks,
    },
    {
        .name = "order",
        .does = "the order of the arguments' words in which most tests are shared",
        .needs = "nothing",
        .keeps = "arch and nr in front",
        .terminates = "each step that is taken has fewer tests",
        .run = pass_order,
    },
};

const struct pass *pass_table(size_t *count)
{
    *count = COUNT_OF(passes);
    return passes;
}

/* ---- how large a DAG's program will be ------------------------------------------------------ */

static bool leaf_of_most_values(const struct dag_node *node, const struct dag_node *child,
                                uint64_t *most)
{
    uint64_t values = 0;
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        if (node->edges[i].child == child)
            values += (uint64_t)node->edges[i].last - first + 1;
        first = node->edges[i].last + 1;
    }
    bool more = values > *most;
    if (more)
        *most = values;
    return more;
}

/* As a chain that ends with the outcome of most values: one test for each single value, one for
 * each bound of a range. */
static size_t switch_tests(const struct dag_node *node)
{
    const struct dag_node *rest = NULL;
    uint64_t most = 0;
    size_t tests = 1; /* the load */
    for (uint32_t i = 0; i < node->edge_count && i < 8; i++) {
        if (node->edges[i].child != rest && leaf_of_most_values(node, node->edges[i].child, &most))
            rest = node->edges[i].child;
    }
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t last = node->edges[i].last;
        bool one_bound =
            i == 0 || i + 1 == node->edge_count || first == dag_value_floor(last, node->mask);
        if (node->edges[i].child != rest)
            tests += one_bound ? 1 : 2;
        first = last + 1;
    }
    return tests;
}

size_t dag_tests(struct arena *arena, const struct dag_node *root)
{
    size_t count, tests = 0;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    for (size_t i = 0; i < count; i++) {
        const struct dag_node *node = nodes[i];
        bool cacheable = node->field == FIELD_NR || node->field == FIELD_ARCH;
        if (node->kind == DAG_SWITCH)
            tests += cacheable ? node->edge_count : switch_tests(node);
        else if (node->kind == DAG_COMPARE)
            tests += 4;
    }
    return tests;
}

/* ---- running them --------------------------------------------------------------------------- */

bool pass_rewrite(struct pass_state *state, pass_node *rewrite)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(state->arena, state->root, &count);
    const struct dag_node **made =
        NEW_ARRAY(state->arena, const struct dag_node *, (size_t)state->root->id + 1);
    for (size_t i = 0; i < count; i++) {
        const struct dag_node *node = nodes[i];
        struct dag_edge *edges = NEW_ARRAY(state->arena, struct dag_edge, node->edge_count);
        bool same = true;
        for (uint32_t j = 0; j < node->edge_count; j++) {
            const struct dag_node *child = made[node->edges[j].child->id];
            edges[j] = (struct dag_edge){node->edges[j].last, child};
            same = same && child == node->edges[j].child;
        }
        if (node->free) {
            made[node->id] = same ? node : dag_choose_free(state->dag, node, edges);
            if (!made[node->id])
                return false;
            continue;
        }
        if (!same && node->kind == DAG_SWITCH)
            node = dag_choose(state->dag, node->field, node->mask, edges, node->edge_count);
        else if (!same)
            node = dag_compare(state->dag, node->comparison, node->a, node->b, edges[0].child,
                               edges[1].child);
        made[nodes[i]->id] = node ? rewrite(state, node) : NULL;
        if (!made[nodes[i]->id])
            return false;
    }
    bool changed = made[state->root->id] != state->root;
    state->root = made[state->root->id];
    return changed;
}

void pass_apply(const struct pass *pass, struct pass_state *state)
{
    struct pass_state made = *state;
    if (!pass->run(&made) || dag_limit_reached(made.dag) != DAG_WITHIN_LIMITS)
        return;
    if (dag_tests(state->arena, made.root) <= dag_tests(state->arena, state->root))
        *state = made;
}

void optimize_dag(struct arena *arena, enum optimization level, struct dag **dag,
                  const struct dag_node **root)
{
    struct pass_state state = {.arena = arena, .dag = *dag, .root = *root};
    for (size_t i = 0; i < COUNT_OF(passes); i++)
        if (level != OPTIMIZE_0 || passes[i].always)
            pass_apply(&passes[i], &state);
    *dag = state.dag;
    *root = state.root;
}
