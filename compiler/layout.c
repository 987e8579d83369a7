/* Layout without weights: the order of blocks in the program. Reverse post-order of a depth-first
 * walk, so that every block comes before its targets. */
#include "compiler/compiler.h"

struct visit {
    const struct block *block;
    unsigned done; /* targets that have been visited */
};

const struct block **layout_blocks(struct arena *arena, const struct block *entry, size_t *count)
{
    bool *seen = NEW_ARRAY(arena, bool, (size_t)entry->id + 1);
    VECTOR(struct visit) stack = {0};
    VECTOR(const struct block *) order = {0};
    seen[entry->id] = true;
    vector_push(arena, &stack, (struct visit){.block = entry});
    while (stack.count) {
        struct visit *top = &stack.items[stack.count - 1];
        if (!block_leads_on(top->block) || top->done == 2) {
            vector_push(arena, &order, top->block);
            stack.count--;
            continue;
        }
        const struct block *next = top->done++ == 0 ? top->block->yes : top->block->no;
        if (seen[next->id])
            continue;
        seen[next->id] = true;
        vector_push(arena, &stack, (struct visit){.block = next});
    }
    for (size_t i = 0; i < order.count / 2; i++) {
        const struct block *swap = order.items[i];
        order.items[i] = order.items[order.count - 1 - i];
        order.items[order.count - 1 - i] = swap;
    }
    *count = order.count;
    return order.items;
}
