/* Where tests lead small values in the end.
 *
 * It depends on the test alone, which never changes once it is made: the rows are kept by the
 * test's id for as long as there is room, and the next forest, which shares most of its tests with
 * the one before, need not find them again. */
#include "optimizer/switch.h"

/* Past so many rows all are dropped when the next forest is made (5 KB each). */
#define ROWS_MOST 2048u

static void fill_row(struct leaf_rows *rows, const struct tested *tested, const struct block *block,
                     struct leaf_row *row)
{
    if (block->kind == BLOCK_MASK) { /* what is behind it sees other values */
        for (uint32_t value = 0; value < LEAF_VALUES; value++)
            row->leaves[value] = block;
        return;
    }
    const struct leaf_row *yes =
        block_is_inner(block->yes, tested) ? leaf_row_of(rows, tested, block->yes) : NULL;
    const struct leaf_row *no =
        block_is_inner(block->no, tested) ? leaf_row_of(rows, tested, block->no) : NULL;
    for (uint32_t value = 0; value < LEAF_VALUES; value++) {
        bool holds = block_holds(block, value);
        const struct leaf_row *next = holds ? yes : no;
        row->leaves[value] = next ? next->leaves[value] : holds ? block->yes : block->no;
        unsigned depth = next ? next->depths[value] + 1u : 1;
        row->depths[value] = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX);
    }
}

/* Recursive, as deep as the tests below `block`. */
const struct leaf_row *leaf_row_of(struct leaf_rows *rows, const struct tested *tested,
                                   const struct block *block)
{
    while (rows->by_id.count <= block->id)
        vector_push(rows->ids, &rows->by_id, NULL);
    if (!rows->by_id.items[block->id]) {
        struct leaf_row *row = NEW(rows->arena, struct leaf_row);
        fill_row(rows, tested, block, row);
        rows->by_id.items[block->id] = row;
        rows->count++;
    }
    return rows->by_id.items[block->id];
}

void leaf_rows_open(struct leaf_rows *rows)
{
    *rows = (struct leaf_rows){.arena = arena_new(), .ids = arena_new()};
}

void leaf_rows_make_room(struct leaf_rows *rows)
{
    if (rows->count <= ROWS_MOST)
        return;
    arena_free(rows->arena);
    rows->arena = arena_new();
    rows->count = 0;
    if (rows->by_id.count)
        memset(rows->by_id.items, 0, rows->by_id.count * sizeof *rows->by_id.items);
}

void leaf_rows_close(struct leaf_rows *rows)
{
    arena_free(rows->arena);
    arena_free(rows->ids);
}
