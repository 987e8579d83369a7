/* Numbers that come twice.
 *
 * x32's numbers are those of x86_64 with one more bit, under the same arch. The tree for the lower
 * half is made first; the upper half then leans on it through AND K (reuse.c). Where the halves
 * part is a choice: in front of everything, the whole lower tree can be used again but every call
 * pays for the test; at the far end nobody pays, and what is above the parting cannot be used. Both
 * are made and the cheaper one is taken. */
#include <math.h>

#include "optimizer/switch.h"

/* A copy that is cut where the upper half begins, and the index of its first run. */
static size_t cut_runs(const struct search *search, struct outcome *runs, size_t *upper)
{
    size_t count = 0;
    for (size_t i = 0; i < search->count; i++) {
        struct outcome run = search->runs[i];
        if (run.first < X32_BIT && run.last >= X32_BIT) {
            runs[count] = run;
            runs[count++].last = X32_BIT - 1;
            run.first = X32_BIT;
        }
        if (run.first == X32_BIT)
            *upper = count;
        runs[count++] = run;
    }
    return count;
}

bool switch_is_doubled(const struct search *search)
{
    if (!search->effort->reuses || !is_whole_number(search->tested) || search->runs[0].first)
        return false;
    size_t above = 0, below = 0;
    for (size_t i = 0; i < search->count; i++)
        *(search->runs[i].first >= X32_BIT ? &above : &below) += 1;
    return come_twice(below, above);
}

static struct search half_of(const struct search *search, const struct outcome *runs, size_t count)
{
    struct search half = *search;
    half.runs = runs;
    half.count = count;
    return half;
}

/* ---- a placeholder for the upper half ---------------------------------------------------------
 */

static bool leads_to(const struct tested *tested, const struct block *block,
                     const struct block *wanted)
{
    if (block == wanted)
        return true;
    if (!block_tests(block, tested))
        return false;
    return leads_to(tested, block->yes, wanted) || leads_to(tested, block->no, wanted);
}

struct block *block_substituted(const struct search *search, struct block *block,
                                const struct block *from, struct block *to)
{
    if (block == from)
        return to;
    if (!leads_to(search->tested, block, from))
        return block;
    return block_test(search->shaper, search->tested, block->test, block->constant,
                      block_substituted(search, block->yes, from, to),
                      block_substituted(search, block->no, from, to));
}

/* ---- the two ways -------------------------------------------------------------------------------
 */

/* The upper half, when what is below `low` and does not lead to `above` stands. */
static struct block *upper_half(struct search *search, const struct outcome *runs, size_t count,
                                struct block *low, const struct block *above)
{
    struct shaper *shaper = search->shaper;
    size_t stood = shaper->standing.count;
    note_standing(shaper, search->tested, low);
    size_t kept = stood;
    for (size_t i = stood; i < shaper->standing.count; i++) {
        struct block *block = shaper->standing.items[i];
        if (!above || !leads_to(search->tested, block, above))
            shaper->standing.items[kept++] = block;
    }
    shaper->standing.count = kept;
    struct search half = half_of(search, runs, count);
    struct effort effort = effort_to_lean(search->effort);
    half.effort = &effort;
    struct block *high = search_tree(&half);
    shaper->standing.count = stood;
    return high;
}

static struct block *parted_in_front(struct search *search, const struct outcome *runs,
                                     size_t count, size_t upper)
{
    struct search half = half_of(search, runs, upper);
    struct block *low = search_tree(&half);
    struct block *high = upper_half(search, runs + upper, count - upper, low, NULL);
    return block_test(search->shaper, search->tested, TEST_GREATER_EQUAL, X32_BIT, high, low);
}

static struct block *parted_at_the_end(struct search *search, const struct outcome *runs,
                                       size_t count, size_t upper)
{
    struct block *above = block_placeholder(search->shaper);
    struct outcome *lower = arena_copy(search->arena, runs, (upper + 1) * sizeof *lower);
    lower[upper].target = above;
    lower[upper].last = 0xffffffffu;
    struct search half = half_of(search, lower, upper + 1);
    struct block *low = search_tree(&half);
    struct block *high = upper_half(search, runs + upper, count - upper, low, above);
    return block_substituted(search, low, above, high);
}

struct block *shape_doubled(struct search *search)
{
    struct outcome *runs = NEW_ARRAY(search->arena, struct outcome, search->count + 1);
    size_t upper = 0;
    size_t count = cut_runs(search, runs, &upper);
    struct block *ways[] = {parted_in_front(search, runs, count, upper),
                            parted_at_the_end(search, runs, count, upper)};
    double costs[COUNT_OF(ways)];
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        costs[i] =
            tree_cost(search->shaper, search->tested, ways[i], search->values, search->value_count);
    return costs[0] < costs[1] ? ways[0] : ways[1];
}
