/* Which values count at which switch of the DAG. */
#include <stdlib.h>

#include "optimizer/switch.h"

/* Follows one call through the DAG and leaves its weight at every switch. Comparisons of computed
 * words end the walk: what is behind them weighs nothing here. */
static void weigh_call(struct shaper *shaper, const struct dag_node *node,
                       const struct weighted_call *call)
{
    while (node->kind == DAG_SWITCH) {
        uint32_t value = input_field(&call->input, node->field) & node->mask;
        struct node_values *values = &shaper->values[node->id];
        vector_push(shaper->arena, values, (struct weighted_value){value, call->weight});
        node = dag_child_at(node, value);
    }
}

static int compare_values(const void *a, const void *b)
{
    const struct weighted_value *left = a, *right = b;
    return (left->value > right->value) - (left->value < right->value);
}

static bool rises(const struct node_values *values)
{
    for (size_t i = 1; i < values->count; i++) {
        if (values->items[i].value <= values->items[i - 1].value)
            return false;
    }
    return true;
}

void merge_values(struct node_values *values)
{
    if (!values->count || rises(values))
        return;
    qsort(values->items, values->count, sizeof *values->items, compare_values);
    size_t kept = 0;
    for (size_t i = 1; i < values->count; i++) {
        if (values->items[i].value == values->items[kept].value)
            values->items[kept].weight += values->items[i].weight;
        else
            values->items[++kept] = values->items[i];
    }
    values->count = kept + 1;
}

void weigh_switches(struct shaper *shaper, const struct dag *dag, const struct dag_node *root)
{
    struct weights weights = weights_of(shaper->arena, dag, root, shaper->options);
    shaper->values = NEW_ARRAY(shaper->arena, struct node_values, dag_size(dag));
    for (size_t i = 0; i < weights.count; i++)
        weigh_call(shaper, root, &weights.calls[i]);
    for (size_t i = 0; i < dag_size(dag); i++)
        merge_values(&shaper->values[i]);
}
