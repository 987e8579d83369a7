#ifndef OPTIMIZER_WINDOW_H
#define OPTIMIZER_WINDOW_H

/* What the files of the window search share (window.c says what a window is):
 *   window_values.c    its values, their targets and weights, and the tests that tell them apart
 *   window_standing.c  tests of the program that stand already and do the right thing with some
 *   window_tree.c      the exhaustive search of trees
 *   window.c           one window from end to end, and the answers that are kept */
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

/* What is known of a set of values of a short window. */
struct window_known {
    uint64_t window; /* by number: else it is of another one, and nothing is known */
    bool found;      /* there is a tree, and none is cheaper */
    double cost;     /* found: the tree's; else what any tree costs at least */
    const struct window_tree *tree;
};

/* A set of its values is a word: bit 0 stands for `base`. */
struct window {
    struct search *search;
    bool leans;    /* on blocks that stand */
    bool is_short; /* of so few values that its tests are never too few */
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
    uint64_t columns[MASK_BITS_MOST]; /* by bit of the value: values that have it set */
    size_t test_count, offer_count;   /* no test: they are not noted yet */
    /* From here on: not cleared from window to window. */
    uint64_t number;
    struct window_known known[1u << WINDOW_SPAN_EXHAUSTED]; /* by set */
    struct window_test tests[TESTS_MOST];
    uint16_t test_slots[TEST_SLOTS];                  /* open addressing: index + 1 */
    uint64_t agreeing[OFFERS_MOST / 64][WINDOW_SPAN]; /* by value: the offers, 64 a word, that send
                                                         it where it goes */
    struct window_offer offers[OFFERS_MOST];
    double weights[16][16]; /* of the values in each four bits of a set */
};

/* Bits from `first` on, below `end`: at least one of 64. */
static inline uint64_t bits_between(unsigned first, unsigned end)
{
    return UINT64_MAX >> (64 - (end - first)) << first;
}

static inline double set_weight(const struct window *window, uint64_t set)
{
    double sum = 0;
    for (unsigned part = 0; set; part++, set >>= 4)
        sum += window->weights[part][set & 15];
    return sum;
}

/* The values of the target of the lowest value of a set. */
static inline uint64_t set_of(const struct window *window, uint64_t set)
{
    return window->sets[window->target_of[__builtin_ctzll(set)]];
}

/* Whether all values of a set, not empty, have one target. */
static inline bool uniform(const struct window *window, uint64_t set)
{
    return (set & ~set_of(window, set)) == 0;
}

/* Fills the window for the runs first..last of its search, but for tests and offers. False: too
 * many targets or bits. */
bool window_note_values(struct window *window, size_t first, size_t last);
void window_note_tests(struct window *window);
/* The search's offers that do the right thing with values of more than one target. */
void window_note_offers(struct window *window);
/* What the cheapest way through a block that stands costs for a set, and the block; INFINITY: none
 * does the right thing with all of it. */
double window_standing(const struct window *window, uint64_t set, struct block **block);
/* The cheapest tree of at most `tests` tests for the values that can occur below `limit`, else
 * infinity. */
double window_search(struct window *window, unsigned tests, double limit,
                     const struct window_tree **tree);

#endif
