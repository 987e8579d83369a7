/* Dynamic programming over intervals of equal outcome.
 *
 * For every interval of runs the cheapest of: one target; a split in two by JGE; a chain of JEQ
 * that peels single values off what is one target without them (peeling a value from the inside
 * merges its neighbours, which no split can); a tree with mask tests, when it is short; a block
 * that stands already and agrees. Intervals grow, so that the parts of an interval are settled
 * before it. */
#include <math.h>

#include "optimizer/switch.h"

/* Longer chains are never better than a split somewhere: they cost everything behind them. */
#define PEELED_MOST 12u
/* Costs that differ by less are the same. */
#define COST_LEAST 1e-9

void search_begin(struct search *search)
{
    search->weight_before = NEW_ARRAY(search->arena, double, search->count + 1);
    search->value_before = NEW_ARRAY(search->arena, size_t, search->count + 1);
    search->value_weights = NEW_ARRAY(search->arena, double, search->value_count + 1);
    for (size_t i = 0; i < search->value_count; i++)
        search->value_weights[i + 1] = search->value_weights[i] + search->values[i].weight;
    size_t at = 0;
    double sum = 0;
    while (at < search->value_count && search->values[at].value < search->runs[0].first)
        at++;
    for (size_t i = 0; i < search->count; i++) {
        search->weight_before[i] = sum;
        search->value_before[i] = at;
        while (at < search->value_count && search->values[at].value <= search->runs[i].last)
            sum += search->values[at++].weight;
    }
    search->weight_before[search->count] = sum;
    search->value_before[search->count] = at;
}

static void take_cheaper(struct plan *best, struct plan plan)
{
    if (plan.cost < best->cost - COST_LEAST)
        *best = plan;
}

/* ---- chains -----------------------------------------------------------------------------------
 */

/* The runs of first..last that do not go to `rest`, in falling weight. False when one of them is no
 * single value or there are too many. */
static bool peeled_runs(const struct search *search, size_t first, size_t last,
                        const struct block *rest, size_t *peeled, size_t *count)
{
    *count = 0;
    for (size_t i = first; i <= last; i++) {
        const struct outcome *run = &search->runs[i];
        if (run->target == rest)
            continue;
        if (!outcome_is_single(run) || *count == PEELED_MOST)
            return false;
        size_t place = (*count)++;
        double weight = search_weight(search, i, i);
        for (; place > 0; place--) {
            size_t before = peeled[place - 1];
            if (search_weight(search, before, before) >= weight)
                break;
            peeled[place] = before;
        }
        peeled[place] = i;
    }
    return true;
}

static void try_chain(const struct search *search, size_t first, size_t last, size_t end,
                      struct plan *best)
{
    size_t peeled[PEELED_MOST], count;
    if (!peeled_runs(search, first, last, search->runs[end].target, peeled, &count))
        return;
    double executed = 0, left = search_weight(search, first, last);
    bool rest_leads_on = block_leads_on(search->runs[end].target);
    for (size_t i = 0; i < count; i++) {
        double weight = search_weight(search, peeled[i], peeled[i]);
        executed += left;
        left -= weight;
        executed +=
            search->effort->jump * weight_jumping(TEST_EQUAL, weight,
                                                  block_leads_on(search->runs[peeled[i]].target),
                                                  left, i + 1 < count || rest_leads_on);
    }
    take_cheaper(best, (struct plan){.kind = PLAN_CHAIN,
                                     .cost = (double)count + search->effort->lambda * executed,
                                     .size = (uint32_t)count,
                                     .follows = true,
                                     .index = end});
}

/* The run that a chain could end with: one of more than one value; among single values each target
 * is tried. */
static void try_chains(const struct search *search, size_t first, size_t last, struct plan *best)
{
    for (size_t i = first; i <= last; i++) {
        if (outcome_is_single(&search->runs[i]))
            continue;
        try_chain(search, first, last, i, best);
        return;
    }
    for (size_t i = first; i <= last && i < first + PEELED_MOST; i++)
        try_chain(search, first, last, i, best);
}

/* ---- the other plans ----------------------------------------------------------------------------
 */

/* How far the cost of a split is off: nothing, or a fraction of an instruction. */
static double noise(const struct search *search, size_t first, size_t above, size_t last)
{
    if (!search->seed)
        return 0;
    uint32_t hash = search->seed * 0x9e3779b9u;
    hash = (hash ^ search->runs[first].first) * 0x85ebca6bu;
    hash = (hash ^ hash >> 15 ^ search->runs[above].first) * 0xc2b2ae35u;
    hash = (hash ^ hash >> 13 ^ search->runs[last].last) * 0x27d4eb2fu;
    return search->effort->noise * (double)(hash >> 16) / 65536;
}

/* lambda * the jumps of a split. */
static double split_jumps(const struct search *search, size_t first, size_t above, size_t last)
{
    double jumping = weight_jumping(TEST_GREATER_EQUAL, search_weight(search, above, last),
                                    plan_at(search, above, last)->follows,
                                    search_weight(search, first, above - 1),
                                    plan_at(search, first, above - 1)->follows);
    return search->effort->lambda * search->effort->jump * jumping;
}

/* Of the splits of first..last the first one that is no dearer than the others; its cost without
 * the test itself. */
static size_t cheapest_split(const double *from_first, const double *to_last, size_t first,
                             size_t last, double *cost)
{
    double least = INFINITY, other = INFINITY; /* of every second one */
    size_t above = first + 1;
    for (; above < last; above += 2) {
        double here = from_first[above - 1] + to_last[above];
        double next = from_first[above] + to_last[above + 1];
        least = here < least ? here : least;
        other = next < other ? next : other;
    }
    if (above == last && from_first[above - 1] + to_last[above] < least)
        least = from_first[above - 1] + to_last[above];
    least = other < least ? other : least;
    size_t index = first + 1;
    while (from_first[index - 1] + to_last[index] > least + COST_LEAST)
        index++;
    *cost = least;
    return index;
}

/* The same where more counts than the costs of the two parts. */
static size_t cheapest_of_all(const struct search *search, const double *from_first,
                              const double *to_last, size_t first, size_t last, double *cost)
{
    size_t index = 0;
    double least = INFINITY;
    for (size_t above = first + 1; above <= last; above++) {
        double here = from_first[above - 1] + to_last[above] +
                      split_jumps(search, first, above, last) + noise(search, first, above, last);
        if (here < least - COST_LEAST) {
            least = here;
            index = above;
        }
    }
    *cost = least;
    return index;
}

static void try_splits(const struct search *search, size_t first, size_t last, struct plan *best)
{
    const double *from_first = &search->costs_from[first * search->count];
    const double *to_last = &search->costs_to[last * search->count];
    bool plain = !search->seed && search->effort->jump == 0;
    double cost;
    size_t index = plain ? cheapest_split(from_first, to_last, first, last, &cost)
                         : cheapest_of_all(search, from_first, to_last, first, last, &cost);
    cost += 1 + search->effort->lambda * search_weight(search, first, last);
    uint32_t size = plan_at(search, first, index - 1)->size + plan_at(search, index, last)->size;
    take_cheaper(
        best,
        (struct plan){
            .kind = PLAN_SPLIT, .cost = cost, .size = 1 + size, .follows = true, .index = index});
}

/* Values that an offer sends elsewhere get no fewer when an interval grows: the offers that are
 * left for those that begin at `first` are kept from one to the next. */
static void try_offers(const struct search *search, size_t first, size_t last, struct plan *best)
{
    struct offers_left *left = &search->offers_left[first];
    double lambda = search->effort->lambda, weight = search_weight(search, first, last);
    const struct offer_sums *sums = &search->sums;
    const uint32_t *below = &sums->mismatches[first * sums->columns];
    const uint32_t *up_to = &sums->mismatches[(last + 1) * sums->columns];
    const double *path_below = &sums->path[first * sums->columns];
    const double *path_up_to = &sums->path[(last + 1) * sums->columns];
    double jumping = search->effort->jump * weight;
    size_t kept = 0;
    for (size_t k = 0; k < left->count; k++) {
        uint32_t i = left->offers[k], tests = up_to[i] - below[i];
        if (tests > OFFER_MISMATCHES_MOST)
            continue;
        left->offers[kept++] = i;
        tests += search->offers[i].mask != 0xffffffffu;
        double executed = tests * weight + path_up_to[i] - path_below[i] + (tests ? jumping : 0);
        double cost = tests + lambda * executed;
        take_cheaper(
            best,
            (struct plan){
                .kind = PLAN_REUSE, .cost = cost, .follows = tests > 0, .size = tests, .index = i});
    }
    left->count = kept;
}

static void try_window(struct search *search, size_t first, size_t last, struct plan *best)
{
    if (!search->effort->mask_tests || last - first + 1 > WINDOW_RUNS_MOST || last - first < 1 ||
        search->runs[last].last - search->runs[first].first >= WINDOW_SPAN)
        return;
    /* It has a test at its top, at least: whole blocks that stand were offered already. */
    if (best->cost <= 1 + search->effort->lambda * search_weight(search, first, last) + COST_LEAST)
        return;
    unsigned tests = search->effort->mask_tests;
    if (search->runs[last].last - search->runs[first].first < WINDOW_SPAN_EXHAUSTED)
        tests = WINDOW_SPAN_EXHAUSTED - 1;
    else if (best->size <= tests)
        tests = best->size ? best->size - 1 : 0;
    if (!tests)
        return;
    double cost;
    const struct window_tree *tree = window_find(search, first, last, tests, best->cost, &cost);
    if (tree)
        take_cheaper(
            best,
            (struct plan){
                .kind = PLAN_WINDOW, .cost = cost, .size = tests, .follows = true, .tree = tree});
}

static bool is_uniform(const struct search *search, size_t first, size_t last)
{
    while (first < last && search->runs[first].target == search->runs[last].target)
        first++;
    return first == last;
}

static void find_plan(struct search *search, size_t first, size_t last)
{
    struct plan best = {
        .kind = PLAN_TARGET, .cost = 0, .follows = block_leads_on(search->runs[first].target)};
    if (!is_uniform(search, first, last)) {
        best.cost = INFINITY;
        try_splits(search, first, last, &best);
        try_chains(search, first, last, &best);
        try_offers(search, first, last, &best);
        try_window(search, first, last, &best);
    }
    *plan_at(search, first, last) = best;
    search->costs_from[first * search->count + last] = best.cost;
    search->costs_to[last * search->count + first] = best.cost;
}

/* ---- blocks from plans --------------------------------------------------------------------------
 */

static struct block *build_chain(struct search *search, size_t first, size_t last,
                                 struct block *rest)
{
    size_t peeled[PEELED_MOST], count;
    struct block *block = rest;
    if (!peeled_runs(search, first, last, rest, peeled, &count))
        return NULL;
    while (count-- > 0) {
        const struct outcome *run = &search->runs[peeled[count]];
        block = block_test(search->shaper, search->tested, TEST_EQUAL, outcome_value(run),
                           run->target, block);
    }
    return block;
}

/* Recursive, as deep as the tree; a tree over n runs is no deeper than n. */
struct block *interval_build(struct search *search, size_t first, size_t last)
{
    const struct plan *plan = plan_at(search, first, last);
    if (plan->kind == PLAN_TARGET)
        return search->runs[first].target;
    if (plan->kind == PLAN_CHAIN)
        return build_chain(search, first, last, search->runs[plan->index].target);
    if (plan->kind == PLAN_WINDOW)
        return window_build(search, plan->tree);
    if (plan->kind == PLAN_REUSE)
        return offer_build(search, &search->offers[plan->index], first, last);
    struct block *above = interval_build(search, plan->index, last);
    struct block *below = interval_build(search, first, plan->index - 1);
    return block_test(search->shaper, search->tested, TEST_GREATER_EQUAL,
                      search->runs[plan->index].first, above, below);
}

/* Before the first interval all are left everywhere. */
static void begin_with_all_offers(struct search *search)
{
    search->offers_left = NEW_ARRAY(search->arena, struct offers_left, search->count);
    for (size_t first = 0; first < search->count; first++) {
        struct offers_left *left = &search->offers_left[first];
        left->offers = NEW_ARRAY(search->arena, uint32_t, search->offer_count);
        while (left->count < search->offer_count) {
            left->offers[left->count] = (uint32_t)left->count;
            left->count++;
        }
    }
}

struct block *shape_intervals(struct search *search, double *cost)
{
    search->shaper->work += search->count * search->count * search->count / 6;
    search->plans = NEW_ARRAY(search->arena, struct plan, search->count * search->count);
    search->costs_from = NEW_ARRAY(search->arena, double, search->count * search->count);
    search->costs_to = NEW_ARRAY(search->arena, double, search->count * search->count);
    begin_with_all_offers(search);
    for (size_t length = 1; length <= search->count; length++)
        for (size_t first = 0; first + length <= search->count; first++)
            find_plan(search, first, first + length - 1);
    *cost = plan_at(search, 0, search->count - 1)->cost;
    return interval_build(search, 0, search->count - 1);
}
