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

struct wrong_value {
    uint32_t value;
    size_t run;
};

struct walk {
    const struct search *search;
    const struct offer *offer;
    uint32_t *mismatches; /* by run */
    double *path;
    double jump;
    uint32_t shift; /* what the mask took from the values */
    size_t run;     /* the run that the next value is in: values are visited rising */
    size_t at;      /* the first value that weighs and is not below the next one */
    unsigned steps;
    bool lists; /* what is wrong, too */
    VECTOR(struct wrong_value) wrong;
};

static void note_mismatch(struct walk *walk, size_t run, uint32_t first, uint32_t last)
{
    uint32_t *sum = &walk->mismatches[run];
    if (last - first >= OFFER_MISMATCHES_MOST || *sum + (last - first) >= OFFER_MISMATCHES_MOST) {
        *sum = OFFER_NEVER;
        return;
    }
    *sum += last - first + 1;
    for (uint32_t value = first; walk->lists && value <= last && value >= first; value++)
        vector_push(walk->search->arena, &walk->wrong, (struct wrong_value){value, run});
}

static void note_path(struct walk *walk, size_t run, uint32_t first, uint32_t last, double depth)
{
    const struct search *search = walk->search;
    const struct weighted_value *values = search->values;
    size_t end = search->value_before[search->count];
    while (walk->at < end && values[walk->at].value < first)
        walk->at++;
    size_t begin = walk->at;
    while (walk->at < end && values[walk->at].value <= last)
        walk->at++;
    walk->path[run] += depth * (search->value_weights[walk->at] - search->value_weights[begin]);
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
        depth += 1 + walk->jump * half_jumps(block, side) / 2;
        block = side ? block->yes : block->no;
    }
    arrive(walk, first, last, block, depth);
}

/* ---- what small values come to is known -------------------------------------------------------
 */

/* Values that can occur, all in one run, below LEAF_VALUES once the mask is off them. */
struct piece {
    uint32_t first, last, shift; /* shift: what the mask took */
    size_t run;
    size_t begin, end; /* those that weigh, among the search's */
};

/* The values that can occur. */
struct survey {
    uint32_t mask;
    VECTOR(struct piece) pieces;
    VECTOR(struct value_range) rest; /* to be visited */
};

/* first..last, in one quarter, whole or not. */
static void add_pieces(struct survey *survey, const struct search *search, uint32_t first,
                       uint32_t last)
{
    size_t run = 0;
    while (search->runs[run].last < first)
        run++;
    for (; first <= last; run++) {
        uint32_t end = search->runs[run].last < last ? search->runs[run].last : last;
        size_t begin = search->value_before[run];
        while (begin < search->value_before[run + 1] && search->values[begin].value < first)
            begin++;
        struct piece piece = {.first = first & survey->mask,
                              .last = end & survey->mask,
                              .shift = first & ~survey->mask,
                              .run = run,
                              .begin = begin,
                              .end = begin};
        while (piece.end < search->value_before[run + 1] && search->values[piece.end].value <= end)
            piece.end++;
        vector_push(search->arena, &survey->pieces, piece);
        first = end + 1;
    }
}

/* A quarter of all values at a time: the mask then takes the same bit from all of them. */
static void add_care(struct survey *survey, const struct search *search, uint32_t lowest,
                     uint32_t highest)
{
    for (uint32_t quarter = lowest >> 30; quarter <= highest >> 30; quarter++) {
        uint32_t first = quarter << 30, last = first | 0x3fffffffu;
        first = first > lowest ? first : lowest;
        last = last < highest ? last : highest;
        if (search->leaf_rows && (first & survey->mask) < LEAF_VALUES) {
            uint32_t most = (first & ~survey->mask) + LEAF_VALUES - 1;
            add_pieces(survey, search, first, last < most ? last : most);
            if (last <= most)
                continue;
            first = most + 1;
        }
        vector_push(search->arena, &survey->rest, (struct value_range){first, last});
    }
}

static struct survey survey_of(const struct search *search, uint32_t mask)
{
    struct survey survey = {.mask = mask};
    if (!search->cares)
        add_care(&survey, search, search->runs[0].first, search->runs[search->count - 1].last);
    for (size_t i = 0; i < search->care_count; i++)
        add_care(&survey, search, search->cares[i].first, search->cares[i].last);
    return survey;
}

/* Of the values of a piece that weigh, those from `begin` on that are no more than `last`. */
static size_t end_of_values(const struct walk *walk, const struct piece *piece, size_t begin,
                            uint32_t last)
{
    if (last == piece->last)
        return piece->end;
    while (begin < piece->end && walk->search->values[begin].value <= (last | piece->shift))
        begin++;
    return begin;
}

static void look_up(struct walk *walk, const struct survey *survey,
                    const struct leaf_segment *segments)
{
    const struct search *search = walk->search;
    const struct leaf_segment *segment = segments;
    for (size_t i = 0; i < survey->pieces.count; i++) {
        const struct piece *piece = &survey->pieces.items[i];
        const struct block *target = search->runs[piece->run].target;
        if (i && piece->first <= survey->pieces.items[i - 1].last)
            segment = segments; /* another quarter begins */
        while (segment->last < piece->first)
            segment++;
        size_t begin = piece->begin;
        double path = 0;
        for (uint32_t first = piece->first;; segment++) {
            uint32_t last = segment->last < piece->last ? segment->last : piece->last;
            if (segment->leaf != target)
                note_mismatch(walk, piece->run, first | piece->shift, last | piece->shift);
            size_t end = end_of_values(walk, piece, begin, last);
            path += (segment->depth + walk->jump * segment->jumps / 2) *
                    (search->value_weights[end] - search->value_weights[begin]);
            begin = end;
            if (last == piece->last)
                break;
            first = last + 1;
        }
        walk->path[piece->run] += path;
    }
}

/* ---- offers -----------------------------------------------------------------------------------
 */

static void visit_all(struct walk *walk, const struct survey *survey)
{
    const struct search *search = walk->search;
    const struct offer *offer = walk->offer;
    for (size_t i = 0; i < search->count; i++) {
        walk->mismatches[i] = 0;
        walk->path[i] = 0;
    }
    if (offer->row)
        look_up(walk, survey, offer->row->segments);
    for (size_t i = 0; i < survey->rest.count; i++) {
        struct value_range range = survey->rest.items[i];
        walk->shift = range.first & ~offer->mask;
        visit(walk, offer->block, range.first & offer->mask, range.last & offer->mask, 0);
    }
}

static struct walk walk_of(const struct search *search, const struct offer *offer)
{
    return (struct walk){.search = search,
                         .offer = offer,
                         .jump = search->effort->jump,
                         .at = search->value_before[0],
                         .mismatches = search->sums.mismatches_now,
                         .path = search->sums.path_now};
}

/* Neighbours that it serves both. */
static bool is_useful(const struct walk *walk)
{
    for (size_t run = 1; run < walk->search->count; run++) {
        if (walk->mismatches[run - 1] + walk->mismatches[run] <= 1)
            return true;
    }
    return false;
}

static void add_sums(struct search *search, const struct walk *walk)
{
    size_t columns = search->sums.columns;
    uint32_t *mismatches = &search->sums.mismatches[search->offer_count];
    double *path = &search->sums.path[search->offer_count];
    uint32_t wrong = 0;
    double executed = 0;
    for (size_t run = 0; run < search->count; run++) {
        wrong += walk->mismatches[run];
        executed += walk->path[run];
        mismatches[(run + 1) * columns] = wrong;
        path[(run + 1) * columns] = executed;
    }
    search->offer_count++;
}

static void add_offer(struct search *search, struct block *block, const struct survey *survey)
{
    struct offer *offer = &search->offers[search->offer_count];
    *offer = (struct offer){.block = block, .mask = survey->mask};
    if (search->leaf_rows)
        offer->row = leaf_row_of(search->leaf_rows, search->tested, block);
    struct walk walk = walk_of(search, offer);
    visit_all(&walk, survey);
    if (is_useful(&walk))
        add_sums(search, &walk);
}

void offers_make(struct search *search, struct block *const *blocks, size_t count)
{
    bool doubled =
        is_whole_number(search->tested) && search->runs[search->count - 1].last >= X32_BIT;
    size_t most = doubled ? count * 2 : count;
    struct survey plain = survey_of(search, 0xffffffffu), masked = survey_of(search, X32_MASK);
    search->offers = NEW_ARRAY(search->arena, struct offer, most);
    search->offer_count = 0;
    search->sums = (struct offer_sums){
        .columns = most,
        .mismatches = NEW_ARRAY(search->arena, uint32_t, (search->count + 1) * most),
        .path = NEW_ARRAY(search->arena, double, (search->count + 1) * most),
        .mismatches_now = NEW_ARRAY(search->arena, uint32_t, search->count),
        .path_now = NEW_ARRAY(search->arena, double, search->count)};
    for (size_t i = 0; i < count; i++) {
        if (!block_tests(blocks[i], search->tested))
            continue;
        add_offer(search, blocks[i], &plain);
        if (doubled)
            add_offer(search, blocks[i], &masked);
    }
}

/* ---- blocks from offers -----------------------------------------------------------------------
 */

/* Those of the runs first..last, rising: no more than an offer may have that is taken. */
static size_t wrong_values(const struct search *search, const struct offer *offer, size_t first,
                           size_t last, struct wrong_value *wrong)
{
    struct walk walk = walk_of(search, offer);
    struct survey survey = survey_of(search, offer->mask);
    size_t count = 0;
    walk.lists = true;
    visit_all(&walk, &survey);
    for (size_t i = 0; i < walk.wrong.count && count < OFFER_MISMATCHES_MOST; i++) {
        struct wrong_value one = walk.wrong.items[i];
        if (one.run < first || one.run > last)
            continue;
        size_t place = count++;
        for (; place && wrong[place - 1].value > one.value; place--)
            wrong[place] = wrong[place - 1];
        wrong[place] = one;
    }
    return count;
}

struct block *offer_build(struct search *search, const struct offer *offer, size_t first,
                          size_t last)
{
    struct block *block = offer->block;
    struct wrong_value wrong[OFFER_MISMATCHES_MOST];
    size_t count = wrong_values(search, offer, first, last, wrong);
    if (offer->mask != 0xffffffffu)
        block = block_mask(search->shaper, search->tested, offer->mask, block);
    for (size_t i = 0; i < count; i++)
        block = block_test(search->shaper, search->tested, TEST_EQUAL, wrong[i].value,
                           search->runs[wrong[i].run].target, block);
    return block;
}
