/* The choice of shape: each node of the DAG becomes one block or a tree of them. */
#include <string.h>

#include "optimizer/argument.h"
#include "optimizer/switch.h"

static struct block *child_block(const struct shaper *shaper, const struct dag_edge *edge)
{
    return shaper->by_node[edge->child->id];
}

/* Two outcomes, none of the mask's bits set against any: a bit test, which leaves A whole. */
static bool is_bit_test(const struct dag_node *node)
{
    return node->mask != 0xffffffffu && node->edge_count == 2 &&
           dag_value_floor(node->edges[0].last, node->mask) == 0;
}

static struct block *select_switch(struct shaper *shaper, const struct dag_node *node)
{
    struct tested tested = {
        .accumulator = ACCUMULATOR_FIELD, .field = node->field, .mask = node->mask};
    if (is_bit_test(node)) {
        tested.mask = 0xffffffffu;
        return block_test(shaper, &tested, TEST_SET, node->mask,
                          child_block(shaper, &node->edges[1]),
                          child_block(shaper, &node->edges[0]));
    }
    struct outcome *outcomes = NEW_ARRAY(shaper->arena, struct outcome, node->edge_count);
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        outcomes[i].first = first;
        outcomes[i].last = dag_value_floor(node->edges[i].last, node->mask);
        outcomes[i].target = child_block(shaper, &node->edges[i]);
        first = node->edges[i].last + 1;
    }
    if (shaper->options->level != OPTIMIZE_0 && node->field != FIELD_NR &&
        node->field != FIELD_ARCH)
        return shape_argument(shaper, &tested, outcomes, node->edge_count,
                              &shaper->values[node->id]);
    const struct node_values *values = &shaper->values[node->id];
    return shape_switch(shaper, &tested, outcomes, node->edge_count, values->items, values->count);
}

static struct block *select_node(struct shaper *shaper, const struct dag_node *node)
{
    switch (node->kind) {
    case DAG_VERDICT:
        return block_return(shaper, node->word);
    case DAG_RETURN:
        return block_return_value(shaper, node->value);
    case DAG_SWITCH:
        return select_switch(shaper, node);
    case DAG_COMPARE:
        return block_compare(shaper, node, child_block(shaper, &node->edges[0]),
                             child_block(shaper, &node->edges[1]));
    }
    return NULL;
}

static unsigned stage_of(const struct dag_node *node)
{
    if (node->kind == DAG_SWITCH && node->field == FIELD_ARCH)
        return 2;
    return is_number_table(node);
}

static double node_weight(const struct shaper *shaper, const struct dag_node *node)
{
    const struct node_values *values = &shaper->values[node->id];
    double sum = 0;
    for (size_t i = 0; i < values->count; i++)
        sum += values->items[i].weight;
    return sum;
}

/* The tables of numbers come behind all that they lead to, in front of what leads to them, and the
 * heaviest first: it gets the tree that is best for it, and the others lean on that. */
static void order_tables(const struct shaper *shaper, const struct dag_node **nodes, size_t count)
{
    const struct dag_node **ordered = NEW_ARRAY(shaper->arena, const struct dag_node *, count);
    size_t used = 0;
    for (unsigned stage = 0; stage < 3; stage++) {
        size_t begin = used;
        for (size_t i = 0; i < count; i++) {
            if (stage_of(nodes[i]) != stage)
                continue;
            size_t place = used++;
            double weight = node_weight(shaper, nodes[i]);
            for (; stage == 1 && place > begin && node_weight(shaper, ordered[place - 1]) < weight;
                 place--)
                ordered[place] = ordered[place - 1];
            ordered[place] = nodes[i];
        }
    }
    memcpy(nodes, ordered, count * sizeof *nodes);
}

/* arch above the tables of numbers, and these above everything else: so it is unless rules look at
 * numbers behind arguments and keep that order. Then the tables are made as they come, and are left
 * as they are. */
static bool is_staged(const struct dag_node **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned stage = stage_of(nodes[i]);
        for (uint32_t j = 0; j < nodes[i]->edge_count; j++) {
            unsigned below = stage_of(nodes[i]->edges[j].child);
            if (below > stage || (below == stage && stage == 1))
                return false;
        }
    }
    return true;
}

/* The tables of numbers have their trees, and nothing leads to them yet. */
static void polish_numbers(struct shaper *shaper, const struct dag_node **nodes, size_t count)
{
    struct tested number = {
        .accumulator = ACCUMULATOR_FIELD, .field = FIELD_NR, .mask = 0xffffffffu};
    struct table *tables = NEW_ARRAY(shaper->arena, struct table, count);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct node_values *values = &shaper->values[nodes[i]->id];
        if (is_number_table(nodes[i]))
            tables[used++] =
                (struct table){shaper->by_node[nodes[i]->id], values->items, values->count};
    }
    if (used && !shaper->full && shaper->effort->polish_work)
        polish_tables(shaper, &number, tables, used);
    for (size_t i = 0, k = 0; i < count; i++) {
        if (is_number_table(nodes[i]))
            shaper->by_node[nodes[i]->id] = tables[k++].root;
    }
}

/* Every child has its block when its parents need it. */
static void select_nodes(struct shaper *shaper, const struct dag *dag, const struct dag_node *root)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(shaper->arena, root, &count);
    shaper->by_node = NEW_ARRAY(shaper->arena, struct block *, dag_size(dag));
    order_for_reuse(shaper->arena, nodes, count);
    bool staged = is_staged(nodes, count);
    if (staged)
        order_tables(shaper, nodes, count);
    for (size_t i = 0; i < count && !shaper->full; i++) {
        if (staged && i && stage_of(nodes[i]) == 2 && stage_of(nodes[i - 1]) != 2)
            polish_numbers(shaper, nodes, i);
        shaper->by_node[nodes[i]->id] = select_node(shaper, nodes[i]);
    }
    if (staged && count && stage_of(nodes[count - 1]) != 2)
        polish_numbers(shaper, nodes, count);
}

result select_shape(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                    const struct shape_options *options, struct diagnostics *diagnostics,
                    struct block **entry)
{
    struct effort effort = effort_for(options, root);
    struct windows windows = {.arena = arena_new()};
    struct shaper shaper = {
        .arena = arena, .options = options, .effort = &effort, .windows = &windows};
    weigh_switches(&shaper, dag, root);
    select_nodes(&shaper, dag, root);
    arena_free(windows.arena);
    if (shaper.full) {
        report_error(diagnostics, NO_SPAN,
                     "compiled, it has more than %u instructions; the kernel takes %u", BLOCK_MOST,
                     PROGRAM_MOST);
        return FAILURE(ERROR_LIMIT);
    }
    *entry = shaper.by_node[root->id];
    struct weights runs = executions_of(arena, dag, root, options);
    weigh_blocks(&shaper, *entry, &runs);
    return SUCCESS;
}
