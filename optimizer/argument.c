/* The shape of a switch on an argument: bit tests where it is dense and irregular, else a chain to
 * far targets with mask tests in it, else a tree. */
#include "optimizer/argument_search.h"

/* Random members of a sparse set run faster down a chain than down a tree, whose branches the
 * processor cannot predict; past this many the walk itself is slower. At -Os it is the shortest
 * whatever their number. */
#define CHAIN_MOST 64u

/* A chain: mask tests, then single values, then what is left over, each in front of the next. */
struct plan {
    struct outcome_list list; /* what no cube has settled */
    struct block *rest;
    VECTOR(struct zero_cube) cubes;
    uint32_t ignored; /* of the masked values at the end; 0: none */
};

static void settle_cubes(struct shaper *shaper, struct plan *plan)
{
    struct zero_cube cube;
    struct outcome_list left;
    while (best_zero_cube(shaper->arena, &plan->list, plan->rest, &cube, &left)) {
        vector_push(shaper->arena, &plan->cubes, cube);
        plan->list = left;
    }
}

static size_t plan_tests(const struct plan *plan)
{
    return plan->cubes.count + outcomes_tests(&plan->list, plan->rest);
}

static size_t single_values(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->list.count; i++)
        count += plan->list.items[i].target != plan->rest && is_single(&plan->list.items[i]);
    return count;
}

/* The end of the chain: masked values, behind which A is whole no more. */
static struct block *masked_chain(struct shaper *shaper, const struct tested *tested,
                                  const struct plan *plan, struct block *end)
{
    struct tested masked = *tested;
    struct block *block = end;
    masked.mask = ~plan->ignored;
    for (size_t i = plan->list.count; plan->ignored && i-- > 0;) {
        const struct outcome *one = &plan->list.items[i];
        if (is_single(one) && !(one->first & plan->ignored) &&
            coset_is_single(&plan->list, plan->rest, one->first, plan->ignored))
            block = block_test(shaper, &masked, TEST_EQUAL, one->first, one->target, block);
    }
    return block;
}

/* Ranges, once the single values are settled. */
static struct block *range_tree(struct shaper *shaper, const struct tested *tested,
                                const struct plan *plan)
{
    struct outcome_list ranges = plan->list;
    for (size_t i = 0; i < plan->list.count; i++) {
        const struct outcome *one = &plan->list.items[i];
        if (is_single(one) && one->target != plan->rest)
            ranges = outcomes_assign(shaper->arena, &ranges, one->first, one->first, plan->rest);
    }
    return shape_balanced(shaper, tested, ranges.items, ranges.count);
}

static struct block *chain(struct shaper *shaper, const struct tested *tested,
                           const struct plan *plan)
{
    struct block *block = masked_chain(shaper, tested, plan, range_tree(shaper, tested, plan));
    for (size_t i = plan->list.count; i-- > 0;) {
        const struct outcome *one = &plan->list.items[i];
        if (one->target == plan->rest || !is_single(one) ||
            (plan->ignored && coset_is_single(&plan->list, plan->rest, one->first, plan->ignored)))
            continue;
        block = block_test(shaper, tested, TEST_EQUAL, one->first, one->target, block);
    }
    for (size_t i = plan->cubes.count; i-- > 0;)
        block = block_test(shaper, tested, TEST_SET, ~plan->cubes.items[i].mask, block,
                           plan->cubes.items[i].target);
    return block;
}

/* In front of a switch shaped before: the values on which this one differs. */
static struct block *in_front_of(struct shaper *shaper, const struct tested *tested,
                                 const struct outcome_list *list,
                                 const struct shaped_argument *known)
{
    struct block *block = known->block;
    uint32_t first = 0;
    for (size_t i = 0, k = 0; i < list->count;) {
        const struct outcome *here = &list->items[i], *there = &known->outcomes.items[k];
        uint32_t last = here->last < there->last ? here->last : there->last;
        for (uint32_t value = first; here->target != there->target && value - first <= last - first;
             value++) {
            block = block_test(shaper, tested, TEST_EQUAL, value, here->target, block);
            if (value == 0xffffffffu)
                break;
        }
        i += here->last == last;
        k += there->last == last;
        first = last + 1;
    }
    return block;
}

static struct block *shape_whole(struct shaper *shaper, const struct tested *tested,
                                 const struct outcome_list *list)
{
    struct outcome_list words;
    if (outcomes_to_bit_tests(shaper, tested, list, &words))
        return shape_balanced(shaper, tested, words.items, words.count);
    struct plan plan = {.list = *list, .rest = outcomes_rest(list)};
    settle_cubes(shaper, &plan);
    size_t different;
    const struct shaped_argument *known = nearest_argument(shaper, tested, list, &different);
    if (known && different < plan_tests(&plan))
        return in_front_of(shaper, tested, list, known);
    if (single_values(&plan) > CHAIN_MOST && shaper->options->level != OPTIMIZE_SIZE)
        return shape_balanced(shaper, tested, list->items, list->count);
    plan.ignored = best_ignored_bits(&plan.list, plan.rest);
    return chain(shaper, tested, &plan);
}

struct block *shape_argument(struct shaper *shaper, const struct tested *tested,
                             const struct outcome *outcomes, size_t count,
                             const struct node_values *values)
{
    if (tested->accumulator != ACCUMULATOR_FIELD || count < 2)
        return shape_balanced(shaper, tested, outcomes, count);
    struct outcome_list list = {.count = count};
    list.items = arena_copy(shaper->arena, outcomes, count * sizeof *outcomes);
    if (!shaper->arguments)
        shaper->arguments = NEW(shaper->arena, struct argument_memory);
    if (tested->mask != 0xffffffffu) {
        struct block *balanced = shape_balanced(shaper, tested, outcomes, count);
        return search_argument(shaper, tested, &list, balanced, values);
    }
    struct block *block = shape_whole(shaper, tested, &list);
    block = search_argument(shaper, tested, &list, block, values);
    remember_argument(shaper, tested, &list, block);
    return block;
}
