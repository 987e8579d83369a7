/* Stretches of tokens and of numbers that are treated alike. */
#include "compiler/raise_plan.h"

#include <stdlib.h>

/* Stretches that masks may make. */
#define CUTS_MOST 8192u
/* Past this a mask is easier to read than what it makes. */
#define STRETCHES_MOST 256u

struct cuts {
    struct arena *arena;
    VECTOR(uint32_t) lasts; /* where a stretch may end */
    bool too_many;
    size_t plain; /* those that no mask made */
};

static bool tests(const struct dag_node *node, enum field field)
{
    return node->kind == DAG_SWITCH && node->field == field;
}

static void add_cut(struct cuts *cuts, uint32_t last)
{
    if (cuts->lasts.count >= CUTS_MOST)
        cuts->too_many = true;
    else
        vector_push(cuts->arena, &cuts->lasts, last);
}

/* What is left under a mask changes only at multiples of its lowest bit. */
static void cut_mask(struct cuts *cuts, uint32_t mask)
{
    uint64_t step = mask & -mask;
    if ((UINT64_C(1) << 32) / step > CUTS_MOST / 4) {
        cuts->too_many = true;
        return;
    }
    for (uint64_t at = step; at <= UINT64_C(1) << 32; at += step)
        add_cut(cuts, (uint32_t)(at - 1));
}

static void gather_cuts(struct cuts *cuts, const struct dag_node *root, enum field field)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(cuts->arena, root, &count);
    add_cut(cuts, UINT32_MAX);
    for (size_t i = 0; i < count && !cuts->too_many; i++) {
        if (!tests(nodes[i], field))
            continue;
        if (nodes[i]->mask != UINT32_MAX)
            cut_mask(cuts, nodes[i]->mask);
        else
            for (uint32_t j = 0; j < nodes[i]->edge_count; j++, cuts->plain++)
                add_cut(cuts, nodes[i]->edges[j].last);
    }
}

static const struct dag_node *behind(const struct dag_node *node, enum field field, uint32_t value)
{
    while (tests(node, field))
        node = dag_child_at(node, value & node->mask);
    return node;
}

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool stretches_of(struct arena *arena, const struct dag_node *root, enum field field,
                  struct stretches *stretches)
{
    struct cuts cuts = {.arena = arena};
    VECTOR(struct stretch) list = {0};
    gather_cuts(&cuts, root, field);
    if (cuts.too_many)
        return false;
    qsort(cuts.lasts.items, cuts.lasts.count, sizeof *cuts.lasts.items, compare_words);
    uint32_t first = 0;
    for (size_t i = 0; i < cuts.lasts.count; i++) {
        uint32_t last = cuts.lasts.items[i];
        const struct dag_node *child = behind(root, field, last);
        if (i && last == cuts.lasts.items[i - 1])
            continue;
        if (list.count && list.items[list.count - 1].child == child)
            list.items[list.count - 1].last = last;
        else
            vector_push(arena, &list, (struct stretch){first, last, child});
        first = last + 1;
    }
    if (list.count > cuts.plain + STRETCHES_MOST)
        return false;
    *stretches = (struct stretches){list.items, list.count};
    return true;
}

static size_t index_at(const struct stretches *stretches, uint32_t value)
{
    size_t low = 0, high = stretches->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (value <= stretches->items[middle].last)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct dag_node *stretch_at(const struct stretches *stretches, uint32_t value)
{
    return stretches->items[index_at(stretches, value)].child;
}

const struct dag_node *stretch_only(const struct stretches *stretches, uint32_t first,
                                    uint32_t last)
{
    size_t index = index_at(stretches, first);
    return stretches->items[index].last >= last ? stretches->items[index].child : NULL;
}
