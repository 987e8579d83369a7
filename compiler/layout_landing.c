/* Which return comes first, and which way goes on into it. The first return has no jump to the end
 * of the function, and a test that stands in front of it goes on into it where all others jump.
 * Nothing that leads to that return may come later: the tests in front of it are a row whose other
 * sides can stand behind it. Where a row begins in the middle of a chain, what leads to it jumps,
 * and its other side may go on instead. */
#include "compiler/layout_internal.h"

/* What parting a chain has to gain at least. */
#define GAIN_LEAST 1e-9

/* What an edge gains that leads to the next instruction. */
static double gained(const struct block *block, unsigned side)
{
    double worth = edge_worth(block, side);
    return worth > 0 ? worth : 0;
}

/* Past so many blocks it is taken for granted that some way leads to the return. */
#define BESIDE_MOST 8u

static bool stands_behind(const struct block *block, const struct block *wanted, unsigned *left)
{
    if (!block_leads_on(block))
        return block != wanted;
    if (!*left)
        return false;
    --*left;
    return stands_behind(block->yes, wanted, left) && stands_behind(block->no, wanted, left);
}

bool layout_is_beside(const struct block *block, const struct block *wanted)
{
    unsigned left = BESIDE_MOST;
    return block == wanted || stands_behind(block, wanted, &left);
}

/* What goes from a block right into the return, less what goes on to the block behind it now. */
static double worth_landing(const struct chains *chains, size_t last, const struct block *wanted)
{
    const struct block *block = chains->blocks[last];
    double most = 0, now = 0;
    if (!block_leads_on(block) || block->kind == BLOCK_MASK)
        return 0;
    for (unsigned side = 0; side < 2; side++) {
        const struct block *to = layout_target(block, side);
        bool lands = to == wanted && layout_is_beside(layout_target(block, !side), wanted);
        double worth = gained(block, side);
        if (lands && worth > most)
            most = worth;
        else if (chains->next[last] != NO_BLOCK && chains->blocks[chains->next[last]] == to)
            now = worth;
    }
    return most - now;
}

/* The side that does not lead to the next block of the chain. */
static unsigned other_side(const struct chains *chains, size_t block)
{
    const struct block *next = chains->blocks[chains->next[block]];
    return layout_target(chains->blocks[block], 0) == next;
}

/* What is lost when the way to a block is a jump and the other side of the test goes on. */
static double worth_lost(const struct chains *chains, size_t block)
{
    size_t before = chains->before[block];
    if (before == NO_BLOCK)
        return 0;
    unsigned other = other_side(chains, before);
    const struct block *test = chains->blocks[before], *to = layout_target(test, other);
    size_t at = chains->index_of[to->id];
    bool goes_on = block_leads_on(to) && chains->before[at] == NO_BLOCK && at != block;
    return gained(test, !other) - (goes_on ? gained(test, other) : 0);
}

/* Whether the block in front, if there is one, can be part of the row. */
static bool row_goes_up(const struct chains *chains, size_t block, const struct block *wanted)
{
    size_t before = chains->before[block];
    return before != NO_BLOCK && chains->blocks[before]->kind != BLOCK_MASK &&
           layout_is_beside(layout_target(chains->blocks[before], other_side(chains, before)),
                            wanted);
}

/* A row of tests in front of a return. */
struct row {
    double gain;
    size_t begin, end; /* blocks; NO_BLOCK: there is none */
};

/* The best of those that end with the block, and in the return. */
static void find_row(const struct chains *chains, size_t end, const struct block *wanted,
                     struct row *best)
{
    double landing = worth_landing(chains, end, wanted);
    for (size_t block = end; landing > 0; block = chains->before[block]) {
        bool parts = chains->before[block] != NO_BLOCK || chains->next[end] != NO_BLOCK;
        double gain = landing - worth_lost(chains, block) - (parts ? GAIN_LEAST : 0);
        if (gain > best->gain)
            *best = (struct row){gain, block, end};
        if (!row_goes_up(chains, block, wanted))
            break;
    }
}

/* Makes a row a chain of its own. */
static void part_row(struct chains *chains, const struct row *row)
{
    if (chains->next[row->end] != NO_BLOCK)
        chains_part(chains, chains->next[row->end]);
    size_t before = chains->before[row->begin];
    if (before == NO_BLOCK)
        return;
    unsigned other = other_side(chains, before);
    const struct block *to = layout_target(chains->blocks[before], other);
    chains_part(chains, row->begin);
    if (block_leads_on(to) && gained(chains->blocks[before], other) > 0)
        chains_join(chains, before, chains->index_of[to->id]);
}

size_t chains_land(struct chains *chains)
{
    struct row *rows = NEW_ARRAY(chains->arena, struct row, chains->count); /* by the return */
    for (size_t i = 0; i < chains->count; i++)
        rows[i] = (struct row){.begin = NO_BLOCK, .end = NO_BLOCK};
    for (size_t end = 0; end < chains->count; end++) {
        const struct block *block = chains->blocks[end];
        for (unsigned side = 0; block_leads_on(block) && side < 2; side++) {
            const struct block *to = layout_target(block, side);
            if (!block_leads_on(to))
                find_row(chains, end, to, &rows[chains->index_of[to->id]]);
        }
    }
    size_t first = NO_BLOCK;
    double most = -1;
    for (size_t i = 0; i < chains->count; i++) {
        const struct block *block = chains->blocks[i];
        if (!block_leads_on(block) && block->weight + rows[i].gain > most) {
            most = block->weight + rows[i].gain;
            first = i;
        }
    }
    if (first != NO_BLOCK && rows[first].begin != NO_BLOCK)
        part_row(chains, &rows[first]);
    return first;
}
