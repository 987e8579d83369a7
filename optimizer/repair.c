/* One subtree taken out and found again.
 *
 * The dynamic program does not know, while it compares trees, which of their parts will be shared.
 * Afterwards it does: for every subtree that is reached by intervals alone, the rest of the tree
 * stands, and a new subtree that leans on it may be cheaper. A block above the subtree cannot serve
 * it, it would lead back to it. Every replacement that is kept makes the tree cheaper, by at least
 * a fixed amount: it ends. */
#include "optimizer/switch.h"

#define DEPTH_MOST 64u
#define GAIN_LEAST 1e-6

/* A way down from the root to one block. */
struct way {
    const struct block *blocks[DEPTH_MOST];
    bool sides[DEPTH_MOST]; /* yes */
    size_t depth;
    uint32_t first, last; /* values that get there, without the peeled ones */
    uint32_t peeled[DEPTH_MOST];
    size_t peeled_count;
};

struct repair {
    struct search *search;
    struct arena *arena;
    struct block **best;
    double *cost;
    bool improved;
};

/* ---- the runs of a way
 * --------------------------------------------------------------------------- */

static bool is_peeled(const struct way *way, uint32_t value)
{
    for (size_t i = 0; i < way->peeled_count; i++) {
        if (way->peeled[i] == value)
            return true;
    }
    return false;
}

static void add_run(struct arena *arena, struct run_list *list, uint32_t first, uint32_t last,
                    struct block *target)
{
    if (list->count && list->items[list->count - 1].target == target)
        list->items[list->count - 1].last = last;
    else
        vector_push(arena, list, (struct outcome){first, last, target});
}

/* What gets there: a peeled value that is a run of its own goes with its neighbour. */
static struct run_list runs_of(const struct repair *repair, const struct way *way)
{
    const struct search *search = repair->search;
    struct run_list list = {0};
    uint32_t next = way->first;
    for (size_t i = 0; i < search->count; i++) {
        const struct outcome *run = &search->runs[i];
        uint32_t first = run->first > next ? run->first : next;
        uint32_t last = run->last < way->last ? run->last : way->last;
        if (first > last || run->last < way->first)
            continue;
        while (first < last && is_peeled(way, last))
            last--;
        while (first < last && is_peeled(way, first))
            first++;
        if (first == last && is_peeled(way, first))
            continue;
        add_run(repair->arena, &list, list.count ? list.items[list.count - 1].last + 1 : way->first,
                last, run->target);
    }
    if (list.count)
        list.items[list.count - 1].last = way->last;
    return list;
}

static void values_of(const struct repair *repair, const struct way *way, struct search *sub)
{
    const struct search *search = repair->search;
    struct weighted_value *values =
        NEW_ARRAY(repair->arena, struct weighted_value, search->value_count);
    for (size_t i = 0; i < search->value_count; i++) {
        uint32_t value = search->values[i].value;
        if (value >= way->first && value <= way->last && !is_peeled(way, value))
            values[sub->value_count++] = search->values[i];
    }
    sub->values = values;
}

/* ---- what else stands
 * ------------------------------------------------------------------------------ */

struct standing {
    struct block **items;
    size_t count, capacity;
};

static void collect(const struct repair *repair, struct block *block, bool *seen,
                    const struct way *way, struct standing *standing)
{
    bool masks = block->kind == BLOCK_MASK;
    if (seen[block->id] || (!masks && !block_tests(block, repair->search->tested)))
        return;
    seen[block->id] = true;
    bool above = false;
    const struct block *parent = way->blocks[way->depth - 1];
    for (size_t i = 0; i < way->depth; i++)
        above = above || way->blocks[i] == block;
    if (!above)
        vector_push(repair->arena, standing, block);
    if (block != parent || !way->sides[way->depth - 1])
        collect(repair, block->yes, seen, way, standing);
    if (!masks && (block != parent || way->sides[way->depth - 1]))
        collect(repair, block->no, seen, way, standing);
}

/* The rest of the tree, and what stood before it. */
static struct standing rest_of(const struct repair *repair, const struct way *way)
{
    struct shaper *shaper = repair->search->shaper;
    bool *seen = NEW_ARRAY(repair->arena, bool, shaper->blocks.count);
    struct standing standing = {0};
    collect(repair, *repair->best, seen, way, &standing);
    for (size_t i = 0; i < shaper->standing.count; i++) {
        if (!seen[shaper->standing.items[i]->id])
            vector_push(repair->arena, &standing, shaper->standing.items[i]);
    }
    return standing;
}

/* ---- one replacement
 * ------------------------------------------------------------------------------ */

static struct block *with_replaced(const struct repair *repair, const struct way *way,
                                   struct block *block)
{
    struct shaper *shaper = repair->search->shaper;
    for (size_t i = way->depth; i-- > 0;) {
        const struct block *parent = way->blocks[i];
        block = block_test(shaper, repair->search->tested, parent->test, parent->constant,
                           way->sides[i] ? block : parent->yes, way->sides[i] ? parent->no : block);
    }
    return block;
}

static void replace(struct repair *repair, const struct way *way)
{
    const struct search *search = repair->search;
    struct run_list runs = runs_of(repair, way);
    if (runs.count < 2 || search->shaper->full || search->shaper->work > search->repairs_end)
        return;
    struct search sub = {.shaper = search->shaper,
                         .arena = repair->arena,
                         .tested = search->tested,
                         .effort = search->effort,
                         .runs = runs.items,
                         .count = runs.count,
                         .windows = search->windows};
    values_of(repair, way, &sub);
    search_begin(&sub);
    struct standing rest = rest_of(repair, way);
    offers_make(&sub, rest.items, rest.count);
    double cost;
    struct block *root = with_replaced(repair, way, shape_intervals(&sub, &cost));
    cost = tree_cost(search->shaper, search->tested, root, search->values, search->value_count);
    if (cost < *repair->cost - GAIN_LEAST) {
        *repair->cost = cost;
        *repair->best = root;
        repair->improved = true;
    }
}

/* ---- all of them
 * ------------------------------------------------------------------------------------ */

static unsigned entries_of(const struct repair *repair, const struct block *block,
                           const struct block *wanted, bool *seen)
{
    if (block->kind != BLOCK_MASK && !block_tests(block, repair->search->tested))
        return 0;
    if (seen[block->id])
        return 0;
    seen[block->id] = true;
    unsigned entries = (block->yes == wanted) + (block->kind != BLOCK_MASK && block->no == wanted);
    entries += entries_of(repair, block->yes, wanted, seen);
    return block->kind == BLOCK_MASK ? entries
                                     : entries + entries_of(repair, block->no, wanted, seen);
}

static bool shared(const struct repair *repair, const struct block *block)
{
    bool *seen = NEW_ARRAY(repair->arena, bool, repair->search->shaper->blocks.count);
    return entries_of(repair, *repair->best, block, seen) > 1;
}

/* The way into one side of its last block. False: no interval. */
static bool enter_side(struct way *way, const struct block *block, bool yes)
{
    way->blocks[way->depth] = block;
    way->sides[way->depth++] = yes;
    switch (block->test) {
    case TEST_EQUAL:
        if (yes)
            return false;
        way->peeled[way->peeled_count++] = block->constant;
        return true;
    case TEST_GREATER:
        if (yes)
            way->first = block->constant + 1;
        else
            way->last = block->constant;
        return true;
    case TEST_GREATER_EQUAL:
        if (yes)
            way->first = block->constant;
        else
            way->last = block->constant - 1;
        return true;
    case TEST_SET:
        return false;
    }
    return false;
}

typedef VECTOR(struct way) way_list;

static void find_ways(const struct repair *repair, const struct block *block, const struct way *way,
                      way_list *ways)
{
    if (!block_tests(block, repair->search->tested) || way->depth + 1 >= DEPTH_MOST)
        return;
    if (way->depth)
        vector_push(repair->arena, ways, *way);
    if (way->depth && shared(repair, block))
        return;
    for (unsigned yes = 0; yes < 2; yes++) {
        struct way below = *way;
        if (enter_side(&below, block, yes))
            find_ways(repair, yes ? block->yes : block->no, &below, ways);
    }
}

/* Whether the way is still one: nothing above was replaced. */
static bool still_there(const struct repair *repair, const struct way *way)
{
    const struct block *block = *repair->best;
    for (size_t i = 0; i < way->depth; i++) {
        if (block != way->blocks[i])
            return false;
        block = way->sides[i] ? block->yes : block->no;
    }
    return true;
}

bool repair_tree(struct search *search, struct block **best, double *cost)
{
    struct repair repair = {.search = search, .arena = arena_new(), .best = best, .cost = cost};
    struct way root = {.first = search->runs[0].first,
                       .last = search->runs[search->count - 1].last};
    way_list ways = {0};
    find_ways(&repair, *best, &root, &ways);
    for (size_t i = 0; i < ways.count; i++) {
        if (still_there(&repair, &ways.items[i]))
            replace(&repair, &ways.items[i]);
    }
    arena_free(repair.arena);
    return repair.improved;
}
