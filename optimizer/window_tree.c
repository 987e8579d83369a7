/* The exhaustive search of trees for the values of a window. */
#include <math.h>

#include "optimizer/window.h"

/* One leaf per target is enough. */
static const struct window_tree *leaf(struct window *window, uint64_t set)
{
    unsigned target = window->target_of[__builtin_ctzll(set)];
    if (!window->leaves[target]) {
        struct window_tree tree = {.target = window->targets[target]};
        window->leaves[target] = arena_copy(window->search->windows->arena, &tree, sizeof tree);
    }
    return window->leaves[target];
}

static const struct window_tree *node(struct window *window, enum test_operation test,
                                      uint32_t constant, const struct window_tree *yes,
                                      const struct window_tree *no)
{
    struct window_tree tree = {.test = test, .constant = constant, .yes = yes, .no = no};
    return arena_copy(window->search->windows->arena, &tree, sizeof tree);
}

/* ---- parts, and trees of one test or none -------------------------------------------------- */

/* Values that come to the same place of a tree. What is asked for again and again is found once. */
struct part {
    uint64_t set;
    bool uniform;       /* of one target */
    bool sought, tried; /* `standing`, `one` */
    double weight;      /* negative: not asked for yet */
    double standing;    /* what the best block that stands costs; INFINITY: none does */
    struct block *block;
    double one; /* what one test costs, where one is enough; negative: it is not */
    uint64_t yes;
    enum test_operation test;
    uint32_t constant;
};

static struct part part_of(const struct window *window, uint64_t set)
{
    return (struct part){.set = set, .uniform = uniform(window, set), .weight = -1};
}

static double weight_of(const struct window *window, struct part *part)
{
    if (part->weight < 0)
        part->weight = set_weight(window, part->set);
    return part->weight;
}

/* Whether what a part comes to can be the next instruction. */
static bool leads_on(const struct window *window, const struct part *part)
{
    return !part->uniform || (window->leading & part->set);
}

static double jump_cost(const struct window *window, enum test_operation test, struct part *yes,
                        struct part *no)
{
    if (window->jump == 0)
        return 0;
    return window->jump * weight_jumping(test, weight_of(window, yes), leads_on(window, yes),
                                         weight_of(window, no), leads_on(window, no));
}

/* One test, JEQ or JGE, with `yes` on its yes side and `no` on its other side. */
static bool compares(const struct window *window, struct part *part, uint64_t yes, uint64_t no)
{
    bool equal = (yes & (yes - 1)) == 0;
    if (!equal && 63 - __builtin_clzll(no) >= __builtin_ctzll(yes))
        return false;
    part->test = equal ? TEST_EQUAL : TEST_GREATER_EQUAL;
    part->constant = window->base + (uint32_t)__builtin_ctzll(yes);
    part->yes = yes;
    return true;
}

/* One JSET. */
static bool masks(struct part *part, uint64_t yes, uint32_t mask)
{
    part->test = TEST_SET;
    part->constant = mask;
    part->yes = yes;
    return true;
}

/* The one test for a part of two targets. */
static bool find_one(const struct window *window, struct part *part)
{
    uint64_t a = part->set & set_of(window, part->set), b = part->set & ~a;
    if (!uniform(window, b))
        return false;
    if (compares(window, part, a, b) || compares(window, part, b, a))
        return true;
    uint32_t mask_a = 0, mask_b = 0; /* bits that are clear on the other side */
    uint64_t with_a = 0, with_b = 0; /* values that have one of them */
    for (unsigned bit = 0; bit < window->bits; bit++) {
        uint64_t column = window->columns[bit], of_a = column & a, of_b = column & b;
        mask_a |= (uint32_t)!of_b << bit;
        mask_b |= (uint32_t)!of_a << bit;
        with_a |= of_b ? 0 : of_a;
        with_b |= of_a ? 0 : of_b;
    }
    bool a_holds = with_a == a, b_holds = with_b == b;
    if (a_holds && b_holds) {
        struct part of_a = part_of(window, a), of_b = part_of(window, b);
        a_holds =
            jump_cost(window, TEST_SET, &of_a, &of_b) <= jump_cost(window, TEST_SET, &of_b, &of_a);
    }
    if (a_holds)
        return masks(part, a, mask_a);
    return b_holds && masks(part, b, mask_b);
}

static double test_cost(const struct window *window, struct part *part)
{
    return 1 + window->lambda * weight_of(window, part);
}

/* The block with the cheapest way through for a part: it adds no test. */
static double take_standing(struct window *window, struct part *part, double limit,
                            const struct window_tree **tree)
{
    const struct search *search = window->search;
    search->shaper->work += window->offer_count / 4;
    if (!part->sought) {
        part->standing = window_standing(window, part->set, &part->block);
        part->sought = true;
    }
    if (part->standing >= limit)
        return INFINITY;
    struct window_tree leads = {.target = part->block};
    *tree = arena_copy(search->windows->arena, &leads, sizeof leads);
    return part->standing;
}

static void try_one(const struct window *window, struct part *part)
{
    part->tried = true;
    part->one = -1;
    if (!find_one(window, part))
        return;
    struct part yes = part_of(window, part->yes), no = part_of(window, part->set & ~part->yes);
    part->one = test_cost(window, part) + jump_cost(window, part->test, &yes, &no);
}

/* The tree of one test, where one is enough: nothing is cheaper. Negative: it is not. */
static double take_one(struct window *window, struct part *part, double limit,
                       const struct window_tree **tree)
{
    if (!part->tried)
        try_one(window, part);
    if (part->one < 0)
        return -1;
    if (part->one >= limit)
        return INFINITY;
    *tree = node(window, part->test, part->constant, leaf(window, part->yes),
                 leaf(window, part->set & ~part->yes));
    return part->one;
}

/* ---- trees of several tests ---------------------------------------------------------------- */

/* In a short window tests are never too few: a set has one cheapest tree, whatever is above it. */
static struct window_known *known_of(struct window *window, uint64_t set)
{
    struct window_known *known = &window->known[set];
    if (known->window != window->number)
        *known = (struct window_known){.window = window->number};
    return known;
}

/* What a part costs at least. */
static double least_cost(struct window *window, struct part *part)
{
    if (part->uniform)
        return 0;
    double least = window->leans ? 0 : test_cost(window, part);
    double known = window->is_short ? known_of(window, part->set)->cost : 0;
    return known > least ? known : least;
}

static double find_by_tests(struct window *window, struct part *part, unsigned tests, double limit,
                            const struct window_tree **tree);

static double find_new(struct window *window, struct part *part, unsigned tests, double limit,
                       const struct window_tree **tree)
{
    double best = window->leans ? take_standing(window, part, limit, tree) : INFINITY;
    limit = best < limit ? best : limit;
    if (!tests)
        return best;
    double made = take_one(window, part, limit, tree);
    if (made < 0)
        made = tests > 1 ? find_by_tests(window, part, tests, limit, tree) : INFINITY;
    return made < best ? made : best;
}

/* The cheapest tree of at most `tests` tests, in a short window of any tests, below `limit`, else
 * infinity. */
static double find(struct window *window, struct part *part, unsigned tests, double limit,
                   const struct window_tree **tree)
{
    if (part->uniform) {
        *tree = leaf(window, part->set);
        return 0;
    }
    if (!window->is_short)
        return find_new(window, part, tests, limit, tree);
    struct window_known *known = known_of(window, part->set);
    if (!known->found && known->cost < limit) {
        double cost = find_new(window, part, WINDOW_SPAN_EXHAUSTED - 1, limit, &known->tree);
        known->found = cost < limit;
        known->cost = known->found ? cost : limit;
    }
    *tree = known->tree;
    return known->found && known->cost < limit ? known->cost : INFINITY;
}

struct sides {
    struct part yes, no;
    const struct window_tree *yes_tree, *no_tree;
};

static double find_both(struct window *window, struct sides *sides, unsigned yes_tests,
                        unsigned no_tests, double limit)
{
    const struct window_tree *yes_tree = NULL, *no_tree = NULL;
    double least_no = least_cost(window, &sides->no);
    double cost = find(window, &sides->yes, yes_tests, limit - least_no, &yes_tree);
    if (cost >= limit - least_no)
        return INFINITY;
    cost += find(window, &sides->no, no_tests, limit - cost, &no_tree);
    if (cost >= limit)
        return INFINITY;
    sides->yes_tree = yes_tree;
    sides->no_tree = no_tree;
    return cost;
}

/* Both sides of a test, `tests` left for them together. */
static double find_sides(struct window *window, struct sides *sides, unsigned tests, double limit)
{
    unsigned yes_least = !sides->yes.uniform, no_least = !sides->no.uniform;
    unsigned yes_most = yes_least ? tests - no_least : 0;
    if (window->leans) {
        yes_least = no_least = 0;
        yes_most = sides->yes.uniform ? 0 : tests;
    }
    if (yes_least + no_least > tests ||
        least_cost(window, &sides->yes) + least_cost(window, &sides->no) >= limit)
        return INFINITY;
    if (window->is_short)
        return find_both(window, sides, tests, tests, limit);
    double best = INFINITY;
    for (unsigned yes_tests = yes_least; yes_tests <= yes_most; yes_tests++) {
        double cost = find_both(window, sides, yes_tests, tests - yes_tests, limit);
        if (cost < limit)
            best = limit = cost;
    }
    return best;
}

/* A tree of more than one test. Recursive, as deep as there are tests. */
static double find_by_tests(struct window *window, struct part *part, unsigned tests, double limit,
                            const struct window_tree **tree)
{
    double best = INFINITY, here = test_cost(window, part);
    if (here >= limit)
        return best;
    if (!window->test_count)
        window_note_tests(window);
    window->search->shaper->work += window->test_count;
    for (size_t i = 0; i < window->test_count; i++) {
        const struct window_test *test = &window->tests[i];
        if (!(part->set & test->yes) || !(part->set & ~test->yes))
            continue;
        struct sides sides = {.yes = part_of(window, part->set & test->yes),
                              .no = part_of(window, part->set & ~test->yes)};
        if (!window->leans && tests == 2 && !sides.yes.uniform && !sides.no.uniform)
            continue;
        double above = here + jump_cost(window, test->test, &sides.yes, &sides.no);
        double cost = above + find_sides(window, &sides, tests - 1, limit - above);
        if (cost >= limit)
            continue;
        best = limit = cost;
        *tree = node(window, test->test, test->constant, sides.yes_tree, sides.no_tree);
    }
    return best;
}

double window_search(struct window *window, unsigned tests, double limit,
                     const struct window_tree **tree)
{
    struct part all = part_of(window, window->cares);
    window->is_short = window->span <= WINDOW_SPAN_EXHAUSTED && tests + 1 >= window->span;
    return find(window, &all, tests, limit, tree);
}
