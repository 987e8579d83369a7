/* The decision DAG: nodes of one made again in another, whose order of the fields may differ. */
#include "compiler/dag_internal.h"

/* The children's variables all come after the switch's: then the switch itself can be made. */
static bool in_order(const struct dag *dag, enum field field, uint32_t mask,
                     const struct dag_edge *edges, uint32_t count)
{
    struct dag_node variable = {.kind = DAG_SWITCH, .field = field, .mask = mask};
    variable.rank = dag->ranks ? (uint8_t)(dag->ranks[field] + 1) : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (dag_variable_order(edges[i].child) <= dag_variable_order(&variable))
            return false;
    }
    return true;
}

static bool all_made(const struct dag_edge *edges, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!edges[i].child)
            return false;
    }
    return true;
}

/* The values whose edges lead to `child`, as a condition. */
static const struct dag_node *leads_to(struct dag *dag, enum field field, uint32_t mask,
                                       const struct dag_edge *edges, uint32_t count,
                                       const struct dag_node *child)
{
    const struct dag_node *verdicts[2] = {dag_verdict(dag, 0), dag_verdict(dag, 1)};
    size_t base = dag->scratch.count;
    for (uint32_t i = 0; i < count; i++) {
        struct dag_edge edge = {.last = edges[i].last, .child = verdicts[edges[i].child == child]};
        vector_push(dag->arena, &dag->scratch, edge);
    }
    return dag_switch_scratch(dag, field, mask, base);
}

static bool had_before(const struct dag_edge *edges, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (edges[i].child == edges[index].child)
            return true;
    }
    return false;
}

const struct dag_node *dag_choose(struct dag *dag, enum field field, uint32_t mask,
                                  const struct dag_edge *edges, uint32_t count)
{
    if (!all_made(edges, count))
        return NULL;
    if (in_order(dag, field, mask, edges, count))
        return dag_switch(dag, field, mask, edges, count);
    const struct dag_node *made = edges[0].child;
    for (uint32_t i = 1; i < count && made; i++) {
        const struct dag_node *child = edges[i].child;
        if (!had_before(edges, i))
            made = dag_if(dag, leads_to(dag, field, mask, edges, count, child), child, made);
    }
    return made;
}

/* A free child counts as a leaf: then any order of the variables is the DAG's order. */
const struct dag_node *dag_choose_free(struct dag *dag, const struct dag_node *node,
                                       const struct dag_edge *edges)
{
    size_t base = dag->scratch.count;
    for (uint32_t i = 0; i < node->edge_count; i++)
        vector_push(
            dag->arena, &dag->scratch,
            (struct dag_edge){.last = edges[i].last, .child = dag_free(dag, edges[i].child)});
    if (node->kind == DAG_SWITCH)
        return dag_free(dag, dag_switch_scratch(dag, node->field, node->mask, base));
    const struct dag_edge *sides = dag->scratch.items + base;
    const struct dag_node *yes = sides[0].child, *no = sides[1].child;
    dag->scratch.count = base;
    return dag_free(dag, dag_compare(dag, node->comparison, node->a, node->b, yes, no));
}

static const struct dag_node *import_edges(struct dag *dag, struct arena *arena,
                                           const struct dag_node *node,
                                           const struct dag_node *const *made)
{
    struct dag_edge *edges = NEW_ARRAY(arena, struct dag_edge, node->edge_count);
    for (uint32_t i = 0; i < node->edge_count; i++)
        edges[i] = (struct dag_edge){node->edges[i].last, made[node->edges[i].child->id]};
    if (node->free)
        return dag_choose_free(dag, node, edges);
    return dag_choose(dag, node->field, node->mask, edges, node->edge_count);
}

const struct dag_node *dag_import(struct dag *dag, struct arena *arena, const struct dag_node *root)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    const struct dag_node **made = NEW_ARRAY(arena, const struct dag_node *, (size_t)root->id + 1);
    for (size_t i = 0; i < count && dag->limit == DAG_WITHIN_LIMITS; i++) {
        const struct dag_node *node = nodes[i];
        if (node->kind == DAG_VERDICT)
            made[node->id] = dag_verdict(dag, node->word);
        else if (node->kind == DAG_RETURN)
            made[node->id] = dag_return(dag, node->value);
        else if (node->kind == DAG_SWITCH || node->free)
            made[node->id] = import_edges(dag, arena, node, made);
        else
            made[node->id] =
                dag_compare(dag, node->comparison, node->a, node->b, made[node->edges[0].child->id],
                            made[node->edges[1].child->id]);
    }
    return dag->limit == DAG_WITHIN_LIMITS ? made[root->id] : NULL;
}
