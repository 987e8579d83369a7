/* Where tests lead small values in the end.
 *
 * It depends on the test alone, which never changes once it is made: the rows are kept by the
 * test's id for as long as there is room, and the next forest, which shares most of its tests with
 * the one before, need not find them again. */
#include "optimizer/switch.h"

/* Past so many rows all are dropped when the next forest is made (a KB or two each). */
#define ROWS_MOST 2048u

static uint8_t sum_most(unsigned a, unsigned b)
{
    return (uint8_t)(a + b < UINT8_MAX ? a + b : UINT8_MAX);
}

struct segment_list {
    struct leaf_segment segments[LEAF_VALUES];
    size_t count;
};

/* Neighbours of one kind are one. */
static void add_segment(struct segment_list *list, struct leaf_segment segment)
{
    struct leaf_segment *before = list->count ? &list->segments[list->count - 1] : NULL;
    if (before && before->leaf == segment.leaf && before->depth == segment.depth &&
        before->jumps == segment.jumps)
        before->last = segment.last;
    else
        list->segments[list->count++] = segment;
}

/* One side of a test. */
struct side {
    const struct block *block;
    const struct leaf_segment *segments; /* the next one; NULL: the block is a leaf */
    unsigned jumps;
};

static struct side side_of(struct leaf_rows *rows, const struct tested *tested,
                           const struct block *block, bool yes)
{
    const struct block *next = yes ? block->yes : block->no;
    const struct leaf_segment *segments =
        block_is_inner(next, tested) ? leaf_row_of(rows, tested, next)->segments : NULL;
    return (struct side){.block = next, .segments = segments, .jumps = half_jumps(block, yes)};
}

/* The values up to `last` from where the list ends, which go that way. */
static void add_side(struct segment_list *list, struct side *side, uint32_t first, uint32_t last)
{
    struct leaf_segment leaf = {side->block, (uint16_t)last, 1, (uint8_t)side->jumps};
    if (!side->segments) {
        add_segment(list, leaf);
        return;
    }
    while (side->segments->last < first)
        side->segments++;
    for (;; side->segments++) {
        struct leaf_segment segment = *side->segments;
        bool ends = segment.last >= last;
        segment.last = ends ? (uint16_t)last : segment.last;
        segment.depth = sum_most(segment.depth, 1);
        segment.jumps = sum_most(segment.jumps, side->jumps);
        add_segment(list, segment);
        if (ends)
            return;
    }
}

static void find_segments(const struct block *block, struct side yes, struct side no,
                          struct segment_list *list)
{
    for (uint32_t first = 0, last; first < LEAF_VALUES; first = last + 1) {
        last = LEAF_VALUES - 1;
        if (block_settles(block, first, last) < 0) {
            uint32_t end = block_cut(block, first);
            last = end < last ? end : last;
        }
        add_side(list, block_holds(block, first) ? &yes : &no, first, last);
    }
}

static const struct leaf_row *keep_row(struct leaf_rows *rows, const struct leaf_segment *segments,
                                       size_t count)
{
    struct leaf_row row = {arena_copy(rows->arena, segments, count * sizeof *segments), count};
    rows->count++;
    return arena_copy(rows->arena, &row, sizeof row);
}

/* Rows of a test's two sides are asked for, and made, before its own. */
static const struct leaf_row *make_row(struct leaf_rows *rows, const struct tested *tested,
                                       const struct block *block)
{
    if (block->kind == BLOCK_MASK) { /* what is behind it sees other values */
        struct leaf_segment all = {block, LEAF_VALUES - 1, 0, 0};
        return keep_row(rows, &all, 1);
    }
    struct side yes = side_of(rows, tested, block, true), no = side_of(rows, tested, block, false);
    if (!rows->list)
        rows->list = NEW(rows->ids, struct segment_list);
    rows->list->count = 0;
    find_segments(block, yes, no, rows->list);
    return keep_row(rows, rows->list->segments, rows->list->count);
}

static const struct leaf_row **slot_of(struct leaf_rows *rows, const struct block *block)
{
    while (rows->by_id.count <= block->id)
        vector_push(rows->ids, &rows->by_id, NULL);
    return &rows->by_id.items[block->id];
}

/* Recursive, as deep as the tests below `block`. */
const struct leaf_row *leaf_row_of(struct leaf_rows *rows, const struct tested *tested,
                                   const struct block *block)
{
    const struct leaf_row *row = *slot_of(rows, block);
    if (!row) {
        row = make_row(rows, tested, block);
        *slot_of(rows, block) = row;
    }
    return row;
}

const struct leaf_segment *leaf_segment_at(const struct leaf_row *row, uint32_t value)
{
    size_t low = 0, high = row->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (row->segments[middle].last < value)
            low = middle + 1;
        else
            high = middle;
    }
    return &row->segments[low];
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
