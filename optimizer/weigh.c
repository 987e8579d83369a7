/* Which values count at which switch of the DAG. */
#include <stdlib.h>
#include <string.h>

#include "optimizer/switch.h"

/* More are sorted. */
#define RUNS_MERGED_MOST 8u

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

/* Values that rise from `begin` on: where they end. */
static size_t end_of_run(const struct node_values *values, size_t begin)
{
    size_t end = begin + 1;
    while (end < values->count && values->items[end - 1].value < values->items[end].value)
        end++;
    return end < values->count ? end : values->count;
}

/* items[0..middle) and items[middle..end), each rising, become one; how many are left. */
static size_t merge_two(struct arena *arena, struct weighted_value *items, size_t middle,
                        size_t end)
{
    struct weighted_value *low = arena_copy(arena, items, middle * sizeof *items);
    size_t i = 0, k = middle, used = 0;
    while (i < middle || k < end) {
        if (k == end || (i < middle && low[i].value < items[k].value)) {
            items[used++] = low[i++];
        } else if (i == middle || low[i].value > items[k].value) {
            items[used++] = items[k++];
        } else {
            low[i].weight += items[k++].weight;
            items[used++] = low[i++];
        }
    }
    return used;
}

static void sort_values(struct node_values *values)
{
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

/* What comes from a few places comes in as many rising runs. */
void merge_values(struct arena *arena, struct node_values *values)
{
    unsigned runs = 0;
    for (size_t at = 0; at < values->count && runs <= RUNS_MERGED_MOST; runs++)
        at = end_of_run(values, at);
    if (runs < 2)
        return;
    if (runs > RUNS_MERGED_MOST) {
        sort_values(values);
        return;
    }
    size_t used = end_of_run(values, 0);
    for (size_t begin = used, end; begin < values->count; begin = end) {
        end = end_of_run(values, begin);
        memmove(&values->items[used], &values->items[begin], (end - begin) * sizeof *values->items);
        used = merge_two(arena, values->items, used, used + (end - begin));
    }
    values->count = used;
}

void weigh_switches(struct shaper *shaper, const struct dag *dag, const struct dag_node *root)
{
    struct weights weights = weights_of(shaper->arena, dag, root, shaper->options);
    shaper->values = NEW_ARRAY(shaper->arena, struct node_values, dag_size(dag));
    for (size_t i = 0; i < weights.count; i++)
        weigh_call(shaper, root, &weights.calls[i]);
    for (size_t i = 0; i < dag_size(dag); i++)
        merge_values(shaper->arena, &shaper->values[i]);
}
