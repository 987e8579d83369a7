/* What the files of the layout by weight share. Private to the room. */
#ifndef COMPILER_LAYOUT_INTERNAL_H
#define COMPILER_LAYOUT_INTERNAL_H

#include <math.h>

#include "compiler/compiler.h"

#define NO_BLOCK SIZE_MAX

/* Blocks that stand behind each other. All by index into `blocks`, which is the order without
 * weights. */
struct chains {
    struct arena *arena;
    const struct block **blocks;
    size_t count;
    size_t *index_of; /* by block id */
    size_t *head;     /* of the chain that the block is in */
    size_t *next, *before;
    bool *seen;
    size_t *stack;
};

/* Side 0: what the test does not hold for, and the way of a block without a test. */
static inline const struct block *layout_target(const struct block *block, unsigned side)
{
    return side == 0 ? block->no : block->yes;
}

/* What it is worth that the edge leads to the next instruction. */
static inline double edge_worth(const struct block *block, unsigned side)
{
    if (block->kind == BLOCK_MASK)
        return INFINITY; /* else it takes a JA */
    if (side == 0)
        return block->weight - block->weight_yes;
    /* The machine jumps on "any bit set"; there is no such test for "none". */
    return block->test == TEST_SET ? -1 : block->weight_yes;
}

/* Puts the chain that begins with `to` behind the one that ends with `from`, if both do and all
 * jumps can still go forward. */
void chains_join(struct chains *chains, size_t from, size_t to);
/* Parts a chain in front of a block. */
void chains_part(struct chains *chains, size_t block);
/* The return that shall come first (layout_landing.c): the most calls come there or need not jump
 * to it. Parts a chain, if that lets more calls go on into it than it makes jump. */
size_t chains_land(struct chains *chains);

#endif
