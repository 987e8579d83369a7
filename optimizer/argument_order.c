/* The order in which switches get their shape: children first, and of those as high above the
 * leaves the small ones first, so that a larger set ends in a smaller one and not the other way. */
#include <stdlib.h>

#include "optimizer/argument.h"

struct turn {
    const struct dag_node *node;
    uint32_t height;
};

static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;
    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    if (a->node->edge_count != b->node->edge_count)
        return a->node->edge_count < b->node->edge_count ? -1 : 1;
    return (a->node->id > b->node->id) - (a->node->id < b->node->id);
}

void order_for_reuse(struct arena *arena, const struct dag_node **nodes, size_t count)
{
    if (!count)
        return;
    uint32_t *heights = NEW_ARRAY(arena, uint32_t, (size_t)nodes[count - 1]->id + 1);
    struct turn *turns = NEW_ARRAY(arena, struct turn, count);
    for (size_t i = 0; i < count; i++) {
        const struct dag_node *node = nodes[i];
        for (uint32_t j = 0; j < node->edge_count; j++) {
            uint32_t above = heights[node->edges[j].child->id] + 1;
            if (above > heights[node->id])
                heights[node->id] = above;
        }
        turns[i] = (struct turn){node, heights[node->id]};
    }
    qsort(turns, count, sizeof *turns, compare_turns);
    for (size_t i = 0; i < count; i++)
        nodes[i] = turns[i].node;
}
