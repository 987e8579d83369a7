/* The decision DAG: its invariants checked, its meaning executed, its nodes listed. */
#include "compiler/dag_internal.h"

/* Ids are smaller below a node, so that marking from the root's down reaches everything in one
 * walk; no recursion. */
const struct dag_node **dag_nodes_below(struct arena *arena, const struct dag_node *root,
                                        size_t *count)
{
    const struct dag_node **by_id = NEW_ARRAY(arena, const struct dag_node *, (size_t)root->id + 1);
    by_id[root->id] = root;
    for (size_t id = (size_t)root->id + 1; id-- > 0;) {
        const struct dag_node *node = by_id[id];
        for (uint32_t i = 0; node && i < node->edge_count; i++) {
            const struct dag_node *child = node->edges[i].child;
            if (child->id < id)
                by_id[child->id] = child;
        }
    }
    size_t kept = 0;
    for (size_t id = 0; id <= root->id; id++) {
        if (by_id[id])
            by_id[kept++] = by_id[id];
    }
    *count = kept;
    return by_id;
}

size_t dag_reachable(struct arena *arena, const struct dag_node *root)
{
    size_t count;
    dag_nodes_below(arena, root, &count);
    return count;
}

static bool compare_holds(const struct dag_node *node, const struct input *input)
{
    bool ignored = false;
    uint32_t a = word_value(node->a, input, &ignored), b = word_value(node->b, input, &ignored);
    if (node->comparison == COMPARE_EQUAL)
        return a == b;
    return node->comparison == COMPARE_GREATER ? a > b : a >= b;
}

uint32_t dag_evaluate(const struct dag_node *root, const struct input *input)
{
    const struct dag_node *node = root;
    while (node->edge_count) {
        if (node->kind == DAG_SWITCH)
            node = dag_child_at(node, input_field(input, node->field) & node->mask);
        else
            node = node->edges[compare_holds(node, input) ? 0 : 1].child;
    }
    bool ignored = false;
    return node->kind == DAG_VERDICT ? node->word : word_value(node->value, input, &ignored);
}

/* ---- invariants ----------------------------------------------------------------------------- */

static const char *check_switch(const struct dag_node *node)
{
    if (node->mask == 0)
        return "a switch looks at no bit";
    if (node->edge_count < 2)
        return "a switch has one child only";
    if (node->edges[node->edge_count - 1].last != 0xffffffffu)
        return "a switch does not cover every value";
    for (uint32_t i = 1; i < node->edge_count; i++) {
        const struct dag_edge *below = &node->edges[i - 1];
        if (node->edges[i].last <= below->last)
            return "a switch's edges do not rise";
        if (node->edges[i].child == below->child)
            return "neighbouring edges have the same child";
        if (((below->last + 1) & ~node->mask) != 0)
            return "an edge of a masked switch begins with a value that cannot occur";
    }
    return NULL;
}

static const char *check_compare(const struct dag *dag, const struct dag_node *node)
{
    if (node->edge_count != 2 || node->edges[0].child == node->edges[1].child)
        return "a comparison does not have two children";
    if (node->variable >= dag->comparisons.count)
        return "a comparison is not among the variables";
    const struct dag_comparison *known = &dag->comparisons.items[node->variable];
    if (known->comparison != node->comparison || known->a != node->a || known->b != node->b)
        return "a comparison differs from its variable";
    if (node->comparison != COMPARE_EQUAL && node->comparison != COMPARE_GREATER &&
        node->comparison != COMPARE_GREATER_EQUAL)
        return "a comparison is not in canonical form";
    return node->a->operator== WORD_CONSTANT ? "a comparison has its constant on the left" : NULL;
}

static const char *check_leaf(const struct dag_node *node)
{
    if (node->edge_count)
        return "a leaf has children";
    if (node->free)
        return "a leaf is free";
    if (node->kind == DAG_RETURN && (!node->value || node->value->operator== WORD_CONSTANT))
        return "a computed return is constant";
    return NULL;
}

static const char *check_node(const struct dag *dag, const struct dag_node *node)
{
    if (node->id >= dag->nodes.count || dag->nodes.items[node->id] != node)
        return "a node is not in the DAG's table";
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        if (!child || child->id >= node->id)
            return "a child's id is not smaller";
        if (!node->free && dag_variable_order(child) <= dag_variable_order(node))
            return "the variables do not rise";
    }
    if (node->kind == DAG_SWITCH)
        return check_switch(node);
    return node->kind == DAG_COMPARE ? check_compare(dag, node) : check_leaf(node);
}

/* Two nodes with the same content would both pass check_node: compare every pair of equal hash. */
static const char *check_unique(const struct dag *dag)
{
    const struct index_table *table = &dag->node_index;
    if (table->count != dag->nodes.count)
        return "the node table has lost a node";
    for (size_t slot = 0; slot < table->capacity; slot++) {
        if (!table->slots[slot])
            continue;
        const struct dag_node *node = dag->nodes.items[table->slots[slot] - 1];
        size_t probe = 0;
        uint32_t found = index_first(table, table->hashes[slot], &probe);
        for (; found != INDEX_FREE; found = index_next(table, table->hashes[slot], &probe)) {
            const struct dag_node *other = dag->nodes.items[found];
            if (other != node && dag_same_node(other, node))
                return "two nodes are equal";
        }
    }
    return NULL;
}

const char *dag_check(const struct dag *dag, const struct dag_node *root)
{
    if (!root || root->id >= dag->nodes.count || dag->nodes.items[root->id] != root)
        return "the root is not in the DAG's table";
    size_t count;
    struct arena *arena = arena_new();
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    const char *broken = check_unique(dag);
    for (size_t i = 0; i < count && !broken; i++)
        broken = check_node(dag, nodes[i]);
    arena_free(arena);
    return broken;
}
