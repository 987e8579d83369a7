/* The best tree for a short interval, mask tests included.
 *
 * A window has at most 64 values: a set of them is one word. A tree of at most `mask_tests` tests
 * is searched exhaustively: JSET with every mask over the bits in which the values differ, JEQ with
 * every value, JGE at every boundary between runs (in short windows inside of runs as well). Tests
 * that tell the same values apart are tried once. The last test of every branch is not searched but
 * computed: of all masks that are clear in the values of one target, the largest is set in most
 * others.
 *
 * JSET leaves A as it is, and the kernel's emulator follows it: the pair stays cacheable. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/switch.h"

#define MASK_BITS_MOST 9u
#define TARGETS_MOST 8u
#define TESTS_MOST (2 * WINDOW_SPAN + (1u << MASK_BITS_MOST))
#define OFFERS_MOST 512u
#define TEST_SLOTS 2048u /* twice as many at least, a power of two */

struct window_test {
    uint64_t yes; /* the window's values for which it holds */
    enum test_operation test;
    uint32_t constant;
};

/* A test that stands. */
struct window_offer {
    struct block *block;
    uint8_t depths[WINDOW_SPAN]; /* its tests on the way there, by value of the window ... */
    uint8_t jumps[WINDOW_SPAN];  /* ... and half jumps */
};

struct window {
    struct search *search;
    bool leans;    /* on blocks that stand */
    uint32_t base; /* value of bit 0 */
    unsigned span;
    double lambda, jump; /* of an executed instruction, of a taken jump */
    struct block *targets[TARGETS_MOST];
    uint64_t sets[TARGETS_MOST]; /* values by target */
    unsigned target_count;
    uint8_t target_of[WINDOW_SPAN];
    uint64_t leading; /* values whose target can be the next instruction */
    const struct window_tree *leaves[TARGETS_MOST];
    uint64_t cares;      /* values that can occur */
    uint64_t boundaries; /* values at which a run begins */
    unsigned bits;
    uint64_t columns[32];           /* by bit of the value: values that have it set */
    size_t test_count, offer_count; /* no test: they are not noted yet */
    /* From here on: not cleared from window to window. */
    struct window_test tests[TESTS_MOST];
    uint16_t test_slots[TEST_SLOTS];                  /* open addressing: index + 1 */
    uint64_t agreeing[OFFERS_MOST / 64][WINDOW_SPAN]; /* by value: the offers, 64 a word, that send
                                                         it where it goes */
    struct window_offer offers[OFFERS_MOST];
    double weights[16][16]; /* of the values in each four bits of a set */
};

/* Bits from `first` on, below `end`: at least one of 64. */
static uint64_t bits_between(unsigned first, unsigned end)
{
    return UINT64_MAX >> (64 - (end - first)) << first;
}

/* ---- the window -------------------------------------------------------------------------------
 */

static void note_cares(struct window *window)
{
    const struct search *search = window->search;
    uint32_t top = window->base + (window->span - 1);
    window->cares = search->cares ? 0 : bits_between(0, window->span);
    for (size_t i = 0; i < search->care_count && search->cares[i].first <= top; i++) {
        struct value_range range = search->cares[i];
        if (range.last < window->base)
            continue;
        range.first = range.first > window->base ? range.first : window->base;
        range.last = range.last < top ? range.last : top;
        window->cares |= bits_between(range.first - window->base, range.last - window->base + 1);
    }
}

static bool note_targets(struct window *window, size_t first, size_t last)
{
    const struct outcome *runs = window->search->runs;
    for (size_t i = first; i <= last; i++) {
        unsigned target = 0;
        while (target < window->target_count && window->targets[target] != runs[i].target)
            target++;
        if (target == TARGETS_MOST)
            return false;
        if (target == window->target_count)
            window->targets[window->target_count++] = runs[i].target;
        unsigned begin = runs[i].first - window->base, end = runs[i].last - window->base + 1;
        window->boundaries |= (uint64_t)1 << begin;
        window->sets[target] |= bits_between(begin, end);
        window->leading |= block_leads_on(runs[i].target) ? bits_between(begin, end) : 0;
        memset(&window->target_of[begin], (int)target, end - begin);
    }
    return true;
}

static void note_weights(struct window *window, size_t first, size_t last)
{
    const struct search *search = window->search;
    double weights[WINDOW_SPAN] = {0};
    for (size_t i = search->value_before[first]; i < search->value_before[last + 1]; i++)
        weights[search->values[i].value - window->base] += search->values[i].weight;
    for (unsigned part = 0; part * 4 < window->span; part++) {
        double *sums = window->weights[part];
        for (unsigned bit = 4; bit-- > 0;) /* sets whose lowest bit it is */
            for (unsigned set = 1u << bit; set < 16; set += 2u << bit)
                sums[set] = sums[set - (1u << bit)] + weights[part * 4 + bit];
    }
}

static double set_weight(const struct window *window, uint64_t set)
{
    double sum = 0;
    for (unsigned part = 0; set; part++, set >>= 4)
        sum += window->weights[part][set & 15];
    return sum;
}

/* Of tests that tell the values that can occur apart in the same way the first is kept. */
static void add_test(struct window *window, uint64_t yes, enum test_operation test,
                     uint32_t constant)
{
    yes &= window->cares;
    if (!yes || yes == window->cares)
        return;
    uint64_t no = window->cares & ~yes, same = yes < no ? yes : no;
    size_t slot = (size_t)((same * 0x9e3779b97f4a7c15u) >> 32) % TEST_SLOTS;
    for (; window->test_slots[slot]; slot = (slot + 1) % TEST_SLOTS) {
        uint64_t known = window->tests[window->test_slots[slot] - 1].yes;
        if (known == yes || known == no)
            return;
    }
    window->tests[window->test_count++] = (struct window_test){yes, test, constant};
    window->test_slots[slot] = (uint16_t)window->test_count;
}

/* The values from `base` on that have a bit set; each bit's groups of equal values begin at
 * multiples of their size. */
static uint64_t column_of(const struct window *window, unsigned bit)
{
    uint64_t column = 0;
    uint32_t size = 1u << bit;
    for (unsigned at = 0, end; at < window->span; at = end) {
        uint32_t value = window->base + at;
        uint32_t left = size - (value & (size - 1));
        end = left < window->span - at ? at + left : window->span;
        if (value & size)
            column |= bits_between(at, end);
    }
    return column;
}

/* The bits in which values of the window differ. False: too many. */
static bool note_bits(struct window *window)
{
    uint32_t differ = window->base ^ (window->base + (window->span - 1));
    window->bits = 32 - (unsigned)__builtin_clz(differ);
    if (window->bits > MASK_BITS_MOST)
        return false;
    for (unsigned bit = 0; bit < window->bits; bit++)
        window->columns[bit] = column_of(window, bit);
    return true;
}

/* A value from the inside of a long run is rarely worth a test of its own. */
static bool beside_boundary(const struct window *window, unsigned at)
{
    bool begins = at == 0 || window->boundaries >> at & 1;
    bool ends = at + 1 == window->span || window->boundaries >> (at + 1) & 1;
    return begins && ends;
}

/* Bits that are clear in all values that can occur, set in all, or the same as a lower bit, make no
 * test that smaller masks do not make. */
static unsigned bits_that_tell(const struct window *window, unsigned *told)
{
    unsigned count = 0;
    for (unsigned bit = 0; bit < window->bits; bit++) {
        uint64_t column = window->columns[bit] & window->cares;
        bool tells = column && column != window->cares;
        for (unsigned i = 0; i < count && tells; i++)
            tells = column != (window->columns[told[i]] & window->cares);
        if (tells)
            told[count++] = bit;
    }
    return count;
}

static void note_tests(struct window *window)
{
    memset(window->test_slots, 0, sizeof window->test_slots);
    bool whole = window->span <= WINDOW_SPAN_EXHAUSTED;
    bool all = window->search->cares || whole;
    for (unsigned at = 1; at < window->span; at++) {
        if (whole || window->boundaries >> at & 1)
            add_test(window, bits_between(at, 64), TEST_GREATER_EQUAL, window->base + at);
    }
    unsigned told[MASK_BITS_MOST], count = bits_that_tell(window, told);
    uint32_t masks[1u << MASK_BITS_MOST];  /* by choice of these bits */
    uint64_t masked[1u << MASK_BITS_MOST]; /* the values that have one of them */
    masks[0] = 0;
    masked[0] = 0;
    for (uint32_t chosen = 1; chosen < 1u << count; chosen++) {
        unsigned bit = told[__builtin_ctz(chosen)];
        uint32_t rest = chosen & (chosen - 1);
        masks[chosen] = masks[rest] | 1u << bit;
        masked[chosen] = masked[rest] | window->columns[bit];
        add_test(window, masked[chosen], TEST_SET, masks[chosen]);
    }
    for (unsigned at = 0; at < window->span; at++) {
        if (all || beside_boundary(window, at))
            add_test(window, (uint64_t)1 << at, TEST_EQUAL, window->base + at);
    }
}

/* ---- trees --------------------------------------------------------------------------------------
 */

static uint64_t set_of(const struct window *window, uint64_t set)
{
    return window->sets[window->target_of[__builtin_ctzll(set)]];
}

static bool uniform(const struct window *window, uint64_t set)
{
    return (set & ~set_of(window, set)) == 0;
}

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
    if (compares(window, part, a, b))
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
    if (with_a == a)
        return masks(part, a, mask_a);
    if (compares(window, part, b, a))
        return true;
    return with_b == b && masks(part, b, mask_b);
}

static double test_cost(const struct window *window, struct part *part)
{
    return 1 + window->lambda * weight_of(window, part);
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

/* ---- blocks that stand ------------------------------------------------------------------------
 */

/* Of the values that lead to one target only the test is none. */
static bool tells_apart(const struct window *window, uint64_t set)
{
    return set && (set & ~window->sets[window->target_of[__builtin_ctzll(set)]]);
}

/* Where a segment ends in the window. */
static unsigned end_of(const struct window *window, const struct leaf_segment *segment)
{
    unsigned end = segment->last + 1u - window->base;
    return end < window->span ? end : window->span;
}

/* The values of the window that a block sends where they go; `segment` is where its first value is.
 */
static uint64_t agreement(const struct window *window, const struct leaf_segment *segment)
{
    uint64_t agrees = 0;
    for (unsigned at = 0, end; at < window->span; at = end, segment++) {
        end = end_of(window, segment);
        for (unsigned target = 0; target < window->target_count; target++) {
            if (window->targets[target] == segment->leaf)
                agrees |= window->sets[target] & bits_between(at, end);
        }
    }
    return agrees & window->cares;
}

static void note_ways(const struct window *window, const struct leaf_segment *segment,
                      struct window_offer *offer)
{
    for (unsigned at = 0, end; at < window->span; at = end, segment++) {
        end = end_of(window, segment);
        memset(&offer->depths[at], segment->depth, end - at);
        memset(&offer->jumps[at], segment->jumps, end - at);
    }
}

/* The offers that do the right thing with values of more than one target. */
static void note_offers(struct window *window)
{
    struct search *search = window->search;
    search->shaper->work += search->offer_count * window->span / 8;
    window->offer_count = 0;
    for (size_t i = 0; i < OFFERS_MOST && i < search->offer_count; i += 64)
        memset(window->agreeing[i / 64], 0, window->span * sizeof window->agreeing[0][0]);
    for (size_t i = 0; i < search->offer_count && window->offer_count < OFFERS_MOST; i++) {
        if (search->offers[i].mask != 0xffffffffu)
            continue;
        const struct leaf_segment *segment = leaf_segment_at(search->offers[i].row, window->base);
        uint64_t agrees = agreement(window, segment);
        if (!tells_apart(window, agrees))
            continue;
        struct window_offer *offer = &window->offers[window->offer_count];
        offer->block = search->offers[i].block;
        note_ways(window, segment, offer);
        for (uint64_t set = agrees; set; set &= set - 1)
            window->agreeing[window->offer_count / 64][__builtin_ctzll(set)] |=
                (uint64_t)1 << window->offer_count % 64;
        window->offer_count++;
    }
}

static double path_cost(const struct window *window, const struct window_offer *offer, uint64_t set)
{
    double executed = 0, jumps = 0;
    for (; set; set &= set - 1) {
        unsigned at = (unsigned)__builtin_ctzll(set);
        double weight = window->weights[at / 4][1u << at % 4];
        executed += offer->depths[at] * weight;
        jumps += offer->jumps[at] * weight;
    }
    return window->lambda * executed + window->jump * jumps / 2;
}

/* Of 64 offers those that send all values of a set where they go. */
static uint64_t agreeing_on(const struct window *window, size_t word, uint64_t set)
{
    uint64_t offers = UINT64_MAX;
    for (; set && offers; set &= set - 1)
        offers &= window->agreeing[word][__builtin_ctzll(set)];
    return offers;
}

/* The block with the cheapest way through for a part: it adds no test. */
static void seek_standing(const struct window *window, struct part *part)
{
    part->sought = true;
    part->standing = INFINITY;
    for (size_t i = 0; i < window->offer_count; i += 64) {
        uint64_t serve = agreeing_on(window, i / 64, part->set);
        for (; serve; serve &= serve - 1) {
            const struct window_offer *offer = &window->offers[i + (size_t)__builtin_ctzll(serve)];
            double cost = path_cost(window, offer, part->set);
            if (cost < part->standing) {
                part->standing = cost;
                part->block = offer->block;
            }
        }
    }
}

static double take_standing(struct window *window, struct part *part, double limit,
                            const struct window_tree **tree)
{
    const struct search *search = window->search;
    search->shaper->work += window->offer_count / 4;
    if (!part->sought)
        seek_standing(window, part);
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

/* ---- trees of several tests -------------------------------------------------------------------
 */

static double find_by_tests(struct window *window, struct part *part, unsigned tests, double limit,
                            const struct window_tree **tree);

/* The cheapest tree of at most `tests` tests below `limit`, else infinity. */
static double find(struct window *window, struct part *part, unsigned tests, double limit,
                   const struct window_tree **tree)
{
    if (part->uniform) {
        *tree = leaf(window, part->set);
        return 0;
    }
    double best = window->leans ? take_standing(window, part, limit, tree) : INFINITY;
    limit = best < limit ? best : limit;
    if (!tests)
        return best;
    double made = take_one(window, part, limit, tree);
    if (made < 0)
        made = tests > 1 ? find_by_tests(window, part, tests, limit, tree) : INFINITY;
    return made < best ? made : best;
}

/* What a part costs at least. */
static double least_cost(const struct window *window, struct part *part)
{
    return window->leans || part->uniform ? 0 : test_cost(window, part);
}

/* Both sides of a test, `tests` left for them together. */
static double find_sides(struct window *window, struct part *yes, struct part *no, unsigned tests,
                         double limit, const struct window_tree **yes_tree,
                         const struct window_tree **no_tree)
{
    unsigned yes_least = !yes->uniform, no_least = !no->uniform;
    unsigned yes_most = yes_least ? tests - no_least : 0;
    if (window->leans) {
        yes_least = no_least = 0;
        yes_most = yes->uniform ? 0 : tests;
    }
    double least_no = least_cost(window, no);
    if (yes_least + no_least > tests || least_cost(window, yes) + least_no >= limit)
        return INFINITY;
    double best = INFINITY;
    for (unsigned yes_tests = yes_least; yes_tests <= yes_most; yes_tests++) {
        const struct window_tree *y = NULL, *n = NULL;
        unsigned no_tests = tests - yes_tests;
        double cost = find(window, yes, yes_tests, limit - least_no, &y);
        if (cost >= limit - least_no)
            continue;
        cost += find(window, no, no_tests, limit - cost, &n);
        if (cost >= limit)
            continue;
        best = limit = cost;
        *yes_tree = y;
        *no_tree = n;
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
        note_tests(window);
    window->search->shaper->work += window->test_count;
    for (size_t i = 0; i < window->test_count; i++) {
        const struct window_test *test = &window->tests[i];
        if (!(part->set & test->yes) || !(part->set & ~test->yes))
            continue;
        struct part yes = part_of(window, part->set & test->yes);
        struct part no = part_of(window, part->set & ~test->yes);
        if (!window->leans && tests == 2 && !yes.uniform && !no.uniform)
            continue;
        const struct window_tree *yes_tree = NULL, *no_tree = NULL;
        double above = here + jump_cost(window, test->test, &yes, &no);
        double cost =
            above + find_sides(window, &yes, &no, tests - 1, limit - above, &yes_tree, &no_tree);
        if (cost >= limit)
            continue;
        best = limit = cost;
        *tree = node(window, test->test, test->constant, yes_tree, no_tree);
    }
    return best;
}

/* ---- answers that are kept
 * ------------------------------------------------------------------------ */

static uint32_t hash_runs(const struct outcome *runs, size_t count)
{
    uint32_t hash = 0x9e3779b9u;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ runs[i].first) * 0x85ebca6bu;
        hash = (hash ^ runs[i].target->id) * 0xc2b2ae35u;
        hash ^= hash >> 15;
    }
    return (hash ^ runs[count - 1].last) * 0x85ebca6bu;
}

static bool same_runs(const struct outcome *a, const struct outcome *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].first != b[i].first || a[i].last != b[i].last || a[i].target != b[i].target)
            return false;
    }
    return true;
}

static size_t answer_slot(const struct windows *windows, const struct outcome *runs, size_t count,
                          double weight)
{
    size_t mask = windows->slots.count - 1;
    size_t slot = hash_runs(runs, count) & mask;
    for (; windows->slots.items[slot]; slot = (slot + 1) & mask) {
        const struct window_answer *answer =
            &windows->answers.items[windows->slots.items[slot] - 1];
        if (answer->count == count && fabs(answer->weight - weight) < 1e-12 &&
            same_runs(answer->runs, runs, count))
            break;
    }
    return slot;
}

static void make_room(struct windows *windows)
{
    if (windows->answers.count * 2 < windows->slots.count)
        return;
    size_t capacity = windows->slots.count ? windows->slots.count * 2 : 1024;
    windows->slots.items = NEW_ARRAY(windows->arena, uint32_t, capacity);
    windows->slots.count = windows->slots.capacity = capacity;
    for (size_t i = 0; i < windows->answers.count; i++) {
        const struct window_answer *answer = &windows->answers.items[i];
        size_t slot = answer_slot(windows, answer->runs, answer->count, answer->weight);
        windows->slots.items[slot] = (uint32_t)i + 1;
    }
}

/* ---- the search
 * ----------------------------------------------------------------------------------- */

static double solve(struct search *search, size_t first, size_t last, unsigned tests, double limit,
                    const struct window_tree **tree)
{
    struct windows *windows = search->windows;
    if (!windows->workspace)
        windows->workspace = NEW(windows->arena, struct window);
    struct window *window = windows->workspace;
    memset(window, 0, offsetof(struct window, tests));
    window->search = search;
    window->lambda = search->effort->lambda;
    window->jump = search->effort->lambda * search->effort->jump;
    window->base = search->runs[first].first;
    window->span = search->runs[last].last - window->base + 1;
    if (!note_targets(window, first, last) || !note_bits(window))
        return INFINITY;
    note_cares(window);
    note_weights(window, first, last);
    window->leans = search->windows_lean && search->offer_count &&
                    window->base + (window->span - 1) < LEAF_VALUES;
    if (window->leans)
        note_offers(window);
    window->leans = window->leans && window->offer_count;
    struct part all = part_of(window, window->cares);
    return find(window, &all, tests, limit, tree);
}

const struct window_tree *window_find(struct search *search, size_t first, size_t last,
                                      unsigned tests, double limit, double *cost)
{
    struct windows *windows = search->windows;
    const struct outcome *runs = &search->runs[first];
    size_t count = last - first + 1;
    double weight = search_weight(search, first, last);
    if (search->windows_lean) {
        const struct window_tree *tree = NULL;
        *cost = solve(search, first, last, tests, limit, &tree);
        return *cost < limit ? tree : NULL;
    }
    make_room(windows);
    size_t slot = answer_slot(windows, runs, count, weight);
    if (windows->slots.items[slot]) {
        const struct window_answer *known = &windows->answers.items[windows->slots.items[slot] - 1];
        *cost = known->cost;
        if (known->tests >= tests && (known->tree || known->limit >= limit))
            return known->tree;
    }
    struct window_answer answer = {
        .count = count, .weight = weight, .tests = tests, .limit = limit};
    answer.runs = arena_copy(windows->arena, runs, count * sizeof *runs);
    answer.cost = solve(search, first, last, tests, limit, &answer.tree);
    if (windows->slots.items[slot]) {
        windows->answers.items[windows->slots.items[slot] - 1] = answer;
    } else {
        vector_push(windows->arena, &windows->answers, answer);
        windows->slots.items[slot] = (uint32_t)windows->answers.count;
    }
    *cost = answer.cost;
    return answer.tree;
}

/* Recursive, as deep as the tree: mask_tests. */
struct block *window_build(struct search *search, const struct window_tree *tree)
{
    if (tree->target)
        return tree->target;
    struct block *yes = window_build(search, tree->yes);
    struct block *no = window_build(search, tree->no);
    return block_test(search->shaper, search->tested, tree->test, tree->constant, yes, no);
}
