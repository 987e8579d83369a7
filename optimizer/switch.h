/* Lowering one switch: what the strategies share.
 *
 *   switch.c    the table of a switch, and which strategy does it
 *   interval.c  dynamic programming over intervals
 *   window.c    the best tree for a short interval, mask tests included
 *   reuse.c     subtrees that stand already and do for an interval
 *   doubled.c   tables in which the numbers come twice
 *   repair.c    one subtree taken out and found again
 *   exhausted.c tables of eight values, searched to the end
 *   balanced.c  (shape.h) no search at all
 */
#ifndef OPTIMIZER_SWITCH_H
#define OPTIMIZER_SWITCH_H

#include "optimizer/cost.h"
#include "optimizer/shape.h"

/* More runs than this are first split in the middle. */
#define INTERVAL_RUNS_MOST 192u

/* ---- windows (window.c) ---------------------------------------------------------------------- */

/* A window's values fit one word of bits. */
#define WINDOW_SPAN 64u
/* Windows of so few values are searched with every test and as many tests as they can need. */
#define WINDOW_SPAN_EXHAUSTED 8u
#define WINDOW_RUNS_MOST 12u

struct window_tree {
    struct block *target; /* a leaf; NULL: a test */
    enum test_operation test;
    uint32_t constant;
    const struct window_tree *yes, *no;
};

/* What was found for one window, kept because windows are looked at again. */
struct window_answer {
    const struct outcome *runs;
    size_t count;
    unsigned tests;       /* most that were tried */
    double weight, limit; /* nothing below `limit` was found, when there is no tree */
    double cost;
    const struct window_tree *tree;
};

struct windows {
    struct arena *arena;
    struct window *workspace; /* window.c's, for one window at a time */
    VECTOR(struct window_answer) answers;
    VECTOR(uint32_t) slots; /* open addressing: index + 1 */
};

struct run_list {
    struct outcome *items;
    size_t count, capacity;
};

/* ---- one search --------------------------------------------------------------------------------
 */

enum plan_kind { PLAN_TARGET, PLAN_SPLIT, PLAN_CHAIN, PLAN_WINDOW, PLAN_REUSE };

/* How the runs first..last of the search are told apart. */
struct plan {
    enum plan_kind kind;
    double cost;
    uint32_t size; /* tests */
    size_t index;  /* SPLIT: the first run above; CHAIN: a run that the chain ends with; REUSE: the
                      offer */
    const struct window_tree *tree;
};

struct wrong_value {
    uint32_t value;
    size_t run;
};

/* A block that stands, tried against every run of a search. Sums over the runs before an index. */
struct offer {
    struct block *block;
    uint32_t mask;        /* A is ANDed with this first; 0xffffffff: it is not */
    uint32_t *mismatches; /* values that it sends elsewhere; OFFER_NEVER for what is no value */
    double *path;         /* weight times tests executed */
    VECTOR(struct wrong_value) wrong;
    uint64_t agrees;             /* window.c: values of the window that it sends where they go */
    uint8_t depths[WINDOW_SPAN]; /* of these */
};
#define OFFER_NEVER 0x10000u
#define OFFER_MISMATCHES_MOST 6u

struct search {
    struct shaper *shaper;
    struct arena *arena; /* for what the search needs while it lasts */
    const struct tested *tested;
    const struct effort *effort;
    const struct outcome *runs; /* rising, without gaps */
    size_t count;
    const struct weighted_value *values; /* rising; all that weigh, also outside of the runs */
    size_t value_count;
    double *weight_before; /* by run, count + 1 */
    size_t *value_before;  /* by run, count + 1: the first value that is not before it */
    struct windows *windows;
    struct offer *offers;
    size_t offer_count;
    uint64_t repairs_end;         /* of the shaper's work: no repairs past it */
    uint32_t seed;                /* of how far costs are off; 0: they are not */
    struct plan *plans;           /* [first * count + last] */
    VECTOR(struct block *) tried; /* trees before their repairs */
};

static inline double search_weight(const struct search *search, size_t first, size_t last)
{
    return search->weight_before[last + 1] - search->weight_before[first];
}

/* Fills shaper->values (weigh.c). */
void weigh_switches(struct shaper *shaper, const struct dag *dag, const struct dag_node *root);

/* Prepares weight_before and value_before. */
void search_begin(struct search *search);
/* The cheapest tree for all of the runs that the class of shapes holds, and its cost. */
struct block *shape_intervals(struct search *search, double *cost);
/* The cheapest tree of at most `tests` tests for a window below `limit`; NULL: none. The window's
 * values are the runs' and nothing else. */
const struct window_tree *window_find(struct search *search, size_t first, size_t last,
                                      unsigned tests, double limit, double *cost);
struct block *window_build(struct search *search, const struct window_tree *tree);
/* Makes offers of all tests of the search's variable among `blocks`. */
void offers_make(struct search *search, struct block *const *blocks, size_t count);

struct block *offer_build(struct search *search, const struct offer *offer, size_t first,
                          size_t last);

/* The cheapest program of tests for a table of eight values or fewer; what stands is not looked at.
 * NULL: the table is longer, or the search grew too large. */
struct block *shape_exhausted(struct search *search);

/* DP, the hottest values in front, repairs; leans on what stands. */
struct block *search_tree(struct search *search);
/* Adds the tests below `block` to what stands. */
void note_standing(struct shaper *shaper, const struct tested *tested, struct block *block);
/* Whether the table has a part for x32; the tree for such a table (doubled.c). */
bool switch_is_doubled(const struct search *search);
struct block *shape_doubled(struct search *search);

/* What a tree for the switch adds to the program: tests that do not stand yet, and paths. */
double tree_cost(struct shaper *shaper, const struct tested *tested, const struct block *root,
                 const struct weighted_value *values, size_t value_count);
/* One round over all subtrees; true when the tree got cheaper. */
bool repair_tree(struct search *search, struct block **best, double *cost);

/* Whether the test holds for a value. */
static inline bool block_holds(const struct block *block, uint32_t value)
{
    switch (block->test) {
    case TEST_EQUAL:
        return value == block->constant;
    case TEST_GREATER:
        return value > block->constant;
    case TEST_GREATER_EQUAL:
        return value >= block->constant;
    case TEST_SET:
        return (value & block->constant) != 0;
    }
    return false;
}

/* Whether a block is a test of this variable. */
bool block_tests(const struct block *block, const struct tested *tested);

/* The cheapest tree known for a switch, given what stands already. Outcomes as for shape_balanced;
 * `values` rise. */
struct block *shape_switch(struct shaper *shaper, const struct tested *tested,
                           const struct outcome *outcomes, size_t count,
                           const struct weighted_value *values, size_t value_count);

#endif
