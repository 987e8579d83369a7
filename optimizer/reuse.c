/* Subtrees that stand already.
 *
 * A block that was made for other values, or for another table, serves an interval when it agrees
 * on every value of it: that costs nothing but the path through it. Where it disagrees on a few
 * values, one JEQ each in front of it puts them right. Under AND K a tree made for the numbers of
 * x86_64 serves those of x32, which are the same with one more bit; the kernel's emulator follows
 * AND K, so nothing is lost. */
#include "optimizer/switch.h"

#define X32_MASK (~X32_BIT)
/* A walk over a block's tests that takes more steps than this is given up: no offer. */
#define STEPS_MOST 4096u

int block_settles(const struct block *block, uint32_t first, uint32_t last)
{
    uint32_t differ = first ^ last;
    uint32_t common = differ ? ~(0xffffffffu >> __builtin_clz(differ)) : 0xffffffffu;
    switch (block->test) {
    case TEST_EQUAL:
        return first == last                                       ? first == block->constant
               : block->constant < first || block->constant > last ? 0
                                                                   : -1;
    case TEST_GREATER:
        return first > block->constant ? 1 : last <= block->constant ? 0 : -1;
    case TEST_GREATER_EQUAL:
        return first >= block->constant ? 1 : last < block->constant ? 0 : -1;
    case TEST_SET:
        if (first & common & block->constant)
            return 1;
        return (block->constant & ~common) == 0 ? 0 : -1;
    }
    return -1;
}

uint32_t block_cut(const struct block *block, uint32_t first)
{
    if (block->test == TEST_GREATER)
        return block->constant;
    if (block->test == TEST_GREATER_EQUAL)
        return block->constant - 1;
    if (block->test == TEST_EQUAL)
        return block->constant > first ? block->constant - 1 : block->constant;
    /* The largest aligned group of values that begins at first and that no bit of the constant
     * tells apart; or one that a higher bit settles. */
    uint32_t low = block->constant & (0u - block->constant);
    uint32_t group = first & (0u - first);
    uint32_t size = group && group < low ? group : low;
    return first + size - 1;
}

/* ---- what a block does with a range of values -------------------------------------------------
 */

struct walk {
    const struct search *search;
    struct offer *offer;
    uint32_t *mismatches; /* the offer's columns of the sums */
    double *path;
    double jump;
    uint32_t shift; /* what the mask took from the values */
    size_t run;     /* the run that the next value is in: values are visited rising */
    size_t at;      /* the first value that weighs and is not below the next one */
    unsigned steps;
};

static void note_mismatch(struct walk *walk, size_t run, uint32_t first, uint32_t last)
{
    uint32_t *sum = &walk->mismatches[(run + 1) * walk->search->sums.columns];
    if (last - first >= OFFER_MISMATCHES_MOST || *sum + (last - first) >= OFFER_MISMATCHES_MOST) {
        *sum = OFFER_NEVER;
        return;
    }
    for (uint32_t value = first; value <= last && value >= first; value++) {
        vector_push(walk->search->arena, &walk->offer->wrong, (struct wrong_value){value, run});
        ++*sum;
    }
}

static void note_path(struct walk *walk, size_t run, uint32_t first, uint32_t last, double depth)
{
    const struct search *search = walk->search;
    const struct weighted_value *values = search->values;
    size_t end = search->value_before[search->count];
    while (walk->at < end && values[walk->at].value < first)
        walk->at++;
    for (; walk->at < end && values[walk->at].value <= last; walk->at++)
        walk->path[(run + 1) * search->sums.columns] += depth * values[walk->at].weight;
}

/* The values first..last all come to `target` (NULL: who knows) after `depth` tests, jumps counted
 * in. */
static void arrive(struct walk *walk, uint32_t first, uint32_t last, const struct block *target,
                   double depth)
{
    first |= walk->shift;
    last |= walk->shift;
    const struct outcome *runs = walk->search->runs;
    while (runs[walk->run].last < first)
        walk->run++;
    for (;; walk->run++) {
        uint32_t here_first = first > runs[walk->run].first ? first : runs[walk->run].first;
        uint32_t here_last = last < runs[walk->run].last ? last : runs[walk->run].last;
        if (here_first <= here_last) {
            if (runs[walk->run].target != target)
                note_mismatch(walk, walk->run, here_first, here_last);
            note_path(walk, walk->run, here_first, here_last, depth);
        }
        if (runs[walk->run].last >= last)
            return;
    }
}

/* How often going that way is a jump, as far as the test itself tells: which side is the heavier
 * one depends on what else comes there. */
static double side_jumps(const struct block *block, int side)
{
    bool yes = block_leads_on(block->yes), no = block_leads_on(block->no);
    if (block->test == TEST_SET)
        return side || !no;
    return yes && no ? 0.5 : side ? !yes : !no;
}

/* Recursive, as deep as the block's tests and cuts; given up after STEPS_MOST. */
static void visit(struct walk *walk, const struct block *block, uint32_t first, uint32_t last,
                  double depth)
{
    while (block_tests(block, walk->search->tested)) {
        if (walk->steps++ > STEPS_MOST) {
            block = NULL;
            break;
        }
        int side = block_settles(block, first, last);
        if (side < 0) {
            uint32_t end = block_cut(block, first);
            if (end >= last || (block->test == TEST_SET && last - first > CUT_RANGE_MOST)) {
                block = NULL;
                break;
            }
            visit(walk, block, first, end, depth);
            first = end + 1;
            continue;
        }
        depth += 1 + walk->jump * side_jumps(block, side);
        block = side ? block->yes : block->no;
    }
    arrive(walk, first, last, block, depth);
}

/* ---- offers -----------------------------------------------------------------------------------
 */

/* A quarter of all values at a time: the mask then takes the same bit from all of them. */
static void visit_range(struct walk *walk, uint32_t lowest, uint32_t highest)
{
    const struct offer *offer = walk->offer;
    for (uint32_t quarter = lowest >> 30; quarter <= highest >> 30; quarter++) {
        uint32_t first = quarter << 30, last = first | 0x3fffffffu;
        first = first > lowest ? first : lowest;
        last = last < highest ? last : highest;
        walk->shift = first & ~offer->mask;
        visit(walk, offer->block, first & offer->mask, last & offer->mask, 0);
    }
}

static void visit_all(struct walk *walk)
{
    const struct search *search = walk->search;
    if (!search->cares)
        visit_range(walk, search->runs[0].first, search->runs[search->count - 1].last);
    for (size_t i = 0; i < search->care_count; i++)
        visit_range(walk, search->cares[i].first, search->cares[i].last);
}

static void add_offer(struct search *search, struct block *block, uint32_t mask)
{
    struct offer_sums *sums = &search->sums;
    size_t column = search->offer_count, columns = sums->columns;
    struct offer *offer = &search->offers[column];
    *offer = (struct offer){.block = block, .mask = mask};
    struct walk walk = {.search = search,
                        .offer = offer,
                        .jump = search->effort->jump,
                        .at = search->value_before[0],
                        .mismatches = &sums->mismatches[column],
                        .path = &sums->path[column]};
    for (size_t i = 0; i <= search->count; i++) {
        walk.mismatches[i * columns] = 0;
        walk.path[i * columns] = 0;
    }
    visit_all(&walk);
    bool useful = false;
    for (size_t i = 0; i < search->count; i++) {
        useful = useful ||
                 (i + 1 < search->count &&
                  walk.mismatches[(i + 1) * columns] + walk.mismatches[(i + 2) * columns] <= 1);
        walk.mismatches[(i + 1) * columns] += walk.mismatches[i * columns];
        walk.path[(i + 1) * columns] += walk.path[i * columns];
    }
    search->offer_count += useful;
}

void offers_make(struct search *search, struct block *const *blocks, size_t count)
{
    bool doubled =
        is_whole_number(search->tested) && search->runs[search->count - 1].last >= X32_BIT;
    size_t most = doubled ? count * 2 : count;
    search->offers = NEW_ARRAY(search->arena, struct offer, most);
    search->offer_count = 0;
    search->sums = (struct offer_sums){
        .columns = most,
        .mismatches = NEW_ARRAY(search->arena, uint32_t, (search->count + 1) * most),
        .path = NEW_ARRAY(search->arena, double, (search->count + 1) * most)};
    for (size_t i = 0; i < count; i++) {
        if (!block_tests(blocks[i], search->tested))
            continue;
        add_offer(search, blocks[i], 0xffffffffu);
        if (doubled)
            add_offer(search, blocks[i], X32_MASK);
    }
}

/* ---- blocks from offers -----------------------------------------------------------------------
 */

struct block *offer_build(struct search *search, const struct offer *offer, size_t first,
                          size_t last)
{
    struct block *block = offer->block;
    if (offer->mask != 0xffffffffu)
        block = block_mask(search->shaper, search->tested, offer->mask, block);
    for (size_t i = 0; i < offer->wrong.count; i++) {
        const struct wrong_value *wrong = &offer->wrong.items[i];
        if (wrong->run >= first && wrong->run <= last)
            block = block_test(search->shaper, search->tested, TEST_EQUAL, wrong->value,
                               search->runs[wrong->run].target, block);
    }
    return block;
}
