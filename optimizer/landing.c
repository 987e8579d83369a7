/* One way that goes on into a return.
 *
 * Jumps go forward, so that returns stand behind what leads to them, and all ways into a return are
 * jumps but one: the test right in front of it can go on. The more calls do, the better. The tests
 * that end there are a row (a tail), and nothing that the other sides of them lead to may stand
 * between: these are other returns, or trees behind the return that have a copy of it. The row is
 * jumped to from some test above it, the other side of which goes on. Layout makes the order from
 * that (compiler/layout_landing.c).
 *
 * Two more dynamic programs over the same intervals: the cheapest tail, and the cheapest tree that
 * has a tail somewhere, made of the trees that interval.c found and one tail. */
#include <math.h>

#include "optimizer/switch.h"

enum turn { TURN_NONE, TURN_BELOW, TURN_ABOVE }; /* which side of a split the tail is on */

struct landed {
    double cost;    /* INFINITY: there is none */
    uint32_t above; /* the split: the first run above */
    uint8_t turn;   /* enum turn; TURN_NONE: no split, the return itself */
    bool is_tail;   /* what is on that side is a tail, and is jumped to */
};

struct landing {
    struct search *search;
    const struct block *target;   /* the return */
    uint32_t *reaching;           /* by run, count + 1: runs before it that go there */
    uint32_t *leading;            /* the same of those whose target is no return */
    struct landed *tails, *trees; /* [first * count + last] */
};

static struct landed *at(const struct landing *landing, struct landed *of, size_t first,
                         size_t last)
{
    return &of[first * landing->search->count + last];
}

/* lambda times what passes a test of all of first..last and jumps with the weight of a part. */
static double passing(const struct search *search, size_t first, size_t last, double jumping)
{
    return search->effort->lambda *
           (search_weight(search, first, last) + search->effort->jump * jumping);
}

static void take(struct landed *best, struct landed other)
{
    if (other.cost < best->cost - 1e-9)
        *best = other;
}

/* ---- tails ---------------------------------------------------------------------------------- */

/* What the other side of a tail's test costs; INFINITY: it cannot stand behind the return. */
static double cost_beside(const struct landing *landing, size_t first, size_t last)
{
    const struct plan *plan = plan_at(landing->search, first, last);
    if (landing->leading[last + 1] > landing->leading[first])
        return INFINITY;
    bool copies = plan->follows && landing->reaching[last + 1] > landing->reaching[first];
    return plan->cost + (copies ? 1 : 0);
}

static void find_tail(struct landing *landing, size_t first, size_t last)
{
    const struct search *search = landing->search;
    struct landed best = {.cost = INFINITY};
    if (landing->reaching[last + 1] - landing->reaching[first] == last + 1 - first)
        best.cost = 0;
    for (size_t above = first + 1; above <= last; above++) {
        double below = 1 + cost_beside(landing, above, last) +
                       passing(search, first, last, search_weight(search, above, last)) +
                       at(landing, landing->tails, first, above - 1)->cost;
        take(&best, (struct landed){below, (uint32_t)above, TURN_BELOW, true});
        double up = 1 + cost_beside(landing, first, above - 1) +
                    passing(search, first, last, search_weight(search, first, above - 1)) +
                    at(landing, landing->tails, above, last)->cost;
        take(&best, (struct landed){up, (uint32_t)above, TURN_ABOVE, true});
    }
    *at(landing, landing->tails, first, last) = best;
}

static struct block *build_beside(struct landing *landing, size_t first, size_t last)
{
    struct search *search = landing->search;
    struct block *block = interval_build(search, first, last);
    if (!block_leads_on(block) || landing->reaching[last + 1] == landing->reaching[first])
        return block;
    struct block *again = block_return_again(search->shaper, landing->target->word);
    return block_substituted(search, block, landing->target, again);
}

static struct block *split(struct search *search, size_t above, struct block *high,
                           struct block *low)
{
    return block_test(search->shaper, search->tested, TEST_GREATER_EQUAL, search->runs[above].first,
                      high, low);
}

/* Recursive, as deep as the tail is long. */
static struct block *build_tail(struct landing *landing, size_t first, size_t last)
{
    struct search *search = landing->search;
    const struct landed *tail = at(landing, landing->tails, first, last);
    if (tail->turn == TURN_NONE)
        return search->runs[first].target;
    if (tail->turn == TURN_BELOW)
        return split(search, tail->above, build_beside(landing, tail->above, last),
                     build_tail(landing, first, tail->above - 1));
    return split(search, tail->above, build_tail(landing, tail->above, last),
                 build_beside(landing, first, tail->above - 1));
}

/* ---- trees ---------------------------------------------------------------------------------- */

/* The tail, or the tree that has it, on one side of the split at `above`. */
static void try_split(struct landing *landing, size_t first, size_t above, size_t last,
                      enum turn turn, struct landed *best)
{
    const struct search *search = landing->search;
    bool up = turn == TURN_ABOVE;
    size_t from = up ? above : first, to = up ? last : above - 1;
    const struct plan *other =
        up ? plan_at(search, first, above - 1) : plan_at(search, above, last);
    double weight = search_weight(search, from, to);
    double beside = search_weight(search, first, last) - weight;
    double tree = 1 + other->cost + at(landing, landing->trees, from, to)->cost +
                  passing(search, first, last,
                          weight_jumping(TEST_GREATER_EQUAL, weight, true, beside, other->follows));
    take(best, (struct landed){tree, (uint32_t)above, (uint8_t)turn, false});
    if (!other->follows)
        return;
    double tail = 1 + other->cost + at(landing, landing->tails, from, to)->cost +
                  passing(search, first, last, weight);
    take(best, (struct landed){tail, (uint32_t)above, (uint8_t)turn, true});
}

static void find_tree(struct landing *landing, size_t first, size_t last)
{
    struct landed best = {.cost = INFINITY};
    for (size_t above = first + 1; above <= last; above++) {
        try_split(landing, first, above, last, TURN_BELOW, &best);
        try_split(landing, first, above, last, TURN_ABOVE, &best);
    }
    *at(landing, landing->trees, first, last) = best;
}

/* Recursive, as deep as the tree. */
static struct block *build_tree(struct landing *landing, size_t first, size_t last)
{
    struct search *search = landing->search;
    const struct landed *tree = at(landing, landing->trees, first, last);
    bool up = tree->turn == TURN_ABOVE;
    size_t from = up ? tree->above : first, to = up ? last : tree->above - 1;
    struct block *here =
        tree->is_tail ? build_tail(landing, from, to) : build_tree(landing, from, to);
    return up ? split(search, tree->above, here, interval_build(search, first, tree->above - 1))
              : split(search, tree->above, interval_build(search, tree->above, last), here);
}

static struct block *shape_into(struct search *search, const struct block *target)
{
    size_t count = search->count;
    struct landing landing = {.search = search,
                              .target = target,
                              .reaching = NEW_ARRAY(search->arena, uint32_t, count + 1),
                              .leading = NEW_ARRAY(search->arena, uint32_t, count + 1),
                              .tails = NEW_ARRAY(search->arena, struct landed, count * count),
                              .trees = NEW_ARRAY(search->arena, struct landed, count * count)};
    for (size_t i = 0; i < count; i++) {
        const struct block *to = search->runs[i].target;
        landing.reaching[i + 1] = landing.reaching[i] + (to == target);
        landing.leading[i + 1] = landing.leading[i] + block_leads_on(to);
    }
    search->shaper->work += count * count * count / 2;
    for (size_t length = 1; length <= count; length++) {
        for (size_t first = 0; first + length <= count; first++) {
            find_tail(&landing, first, first + length - 1);
            find_tree(&landing, first, first + length - 1);
        }
    }
    bool found = at(&landing, landing.trees, 0, count - 1)->cost < INFINITY;
    return found ? build_tree(&landing, 0, count - 1) : NULL;
}

/* ---- the return ----------------------------------------------------------------------------- */

/* The weight that goes to the target of run `index`; 0: it is no return (a placeholder is none), or
 * an earlier run's. */
static double weight_to(const struct search *search, size_t index)
{
    const struct block *target = search->runs[index].target;
    double sum = 0;
    if (target->kind != BLOCK_RETURN || target->field == FIELD_COUNT)
        return 0;
    for (size_t i = 0; i < search->count; i++) {
        if (search->runs[i].target != target)
            continue;
        if (i < index)
            return 0;
        sum += search_weight(search, i, i);
    }
    return sum;
}

size_t shape_landing(struct search *search, struct block *trees[LANDINGS_MOST])
{
    const struct block *targets[LANDINGS_MOST];
    double weights[LANDINGS_MOST];
    size_t count = 0, made = 0;
    for (size_t i = 0; i < search->count && search->effort->jump > 0; i++) {
        double weight = weight_to(search, i);
        size_t place = count < LANDINGS_MOST ? count++ : LANDINGS_MOST;
        for (; place > 0 && weight > weights[place - 1]; place--) {
            if (place == LANDINGS_MOST)
                continue;
            targets[place] = targets[place - 1];
            weights[place] = weights[place - 1];
        }
        if (place == LANDINGS_MOST)
            continue;
        targets[place] = search->runs[i].target;
        weights[place] = weight;
    }
    for (size_t i = 0; i < count; i++) {
        struct block *tree = weights[i] > 0 ? shape_into(search, targets[i]) : NULL;
        if (tree)
            trees[made++] = tree;
    }
    return made;
}
