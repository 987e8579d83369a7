/* Lowering one switch: what the strategies share.
 *
 *   switch.c    the table of a switch, and which strategy does it
 *   interval.c  dynamic programming over intervals
 *   landing.c   the same with one way that goes on into a return
 *   window*.c   the best tree for a short interval, mask tests included (window.h)
 *   reuse.c     subtrees that stand already and do for an interval
 *   tree_cost.c what a tree costs, and all tables together
 *   doubled.c   tables in which the numbers come twice
 *   reach.c     the tests of all tables together: which values reach each of them
 *   leaves.c    where each test leads small values
 *   polish.c    one subtree after the other taken out and found again
 *   exhausted.c tables of eight values, searched to the end
 *   balanced.c  (shape.h) no search at all
 */
#ifndef OPTIMIZER_SWITCH_H
#define OPTIMIZER_SWITCH_H

#include "optimizer/cost.h"
#include "optimizer/shape.h"

/* More runs than this are first split in the middle. */
#define INTERVAL_RUNS_MOST 192u
/* Fewer runs of x32's numbers, or below them, are found like any others. */
#define DOUBLED_RUNS_LEAST 6u

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

/* What was found for one window, kept because windows are looked at again. The prices are no part
 * of what is asked: an answer of a search with others would make a tree dearer, not wrong. */
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
    struct window *workspace; /* of window.h, for one window at a time */
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
    double cost;
    union {
        size_t index; /* SPLIT: the first run above; CHAIN: a run that the chain ends with; REUSE:
                         the offer */
        const struct window_tree *tree; /* WINDOW */
    };
    uint32_t size; /* tests */
    uint8_t kind;  /* enum plan_kind */
    bool follows;  /* it can stand right behind what leads to it */
};

/* A block that stands, tried against every run of a search. */
struct offer {
    struct block *block;
    uint32_t mask;              /* A is ANDed with this first; 0xffffffff: it is not */
    const struct leaf_row *row; /* the block's; NULL where rows are not kept */
};
/* What it does, summed over the runs before an index: a row for each index, a column for each
 * offer, so that an interval is looked at for one offer after the other. */
struct offer_sums {
    size_t columns;
    uint32_t *mismatches;     /* values that are sent elsewhere; OFFER_NEVER for what is no value */
    double *path;             /* weight times tests executed */
    uint32_t *mismatches_now; /* of the offer that is looked at, by run */
    double *path_now;
};
/* Those that agree with an interval on all but a few values, by index. */
struct offers_left {
    uint32_t *offers;
    size_t count;
};
#define OFFER_NEVER 0x10000u
#define OFFER_MISMATCHES_MOST 6u

struct value_range {
    uint32_t first, last;
};

struct leaf_rows;

struct search {
    struct shaper *shaper;
    struct arena *arena; /* for what the search needs while it lasts */
    const struct tested *tested;
    const struct effort *effort;
    const struct outcome *runs; /* rising, without gaps */
    size_t count;
    const struct weighted_value *values; /* rising; all that weigh, also outside of the runs */
    size_t value_count;
    const struct value_range *cares; /* the values that can occur, rising; NULL: all of the runs' */
    size_t care_count;
    double *weight_before; /* by run, count + 1 */
    size_t *value_before;  /* by run, count + 1: the first value that is not before it */
    double *value_weights; /* by value, value_count + 1: of the values before it */
    struct windows *windows;
    struct offer *offers;
    size_t offer_count;
    struct offer_sums sums;
    struct offers_left *offers_left; /* by the first run of the interval */
    struct leaf_rows *leaf_rows;     /* of the offers; NULL: not known */
    bool windows_lean;               /* windows may end in the offers: needs leaf_rows */
    uint32_t seed;                   /* of how far costs are off; 0: they are not */
    struct plan *plans;              /* [first * count + last] */
    double *costs_from;              /* their costs, [first * count + last] ... */
    double *costs_to;                /* ... and [last * count + first] */
};

static inline double search_weight(const struct search *search, size_t first, size_t last)
{
    return search->weight_before[last + 1] - search->weight_before[first];
}

/* Rising, each value once (weigh.c). */
void merge_values(struct arena *arena, struct node_values *values);
/* Fills shaper->values (weigh.c). */
void weigh_switches(struct shaper *shaper, const struct dag *dag, const struct dag_node *root);
/* Fills the weights of the blocks below `entry` (block_weights.c), once the program is chosen. */
void weigh_blocks(struct shaper *shaper, struct block *entry, const struct weights *weights);

/* Prepares weight_before, value_before and value_weights. */
void search_begin(struct search *search);
/* The cheapest tree for all of the runs that the class of shapes holds, and its cost. */
struct block *shape_intervals(struct search *search, double *cost);
/* Of first..last, settled before all that holds it: the same runs come to `plan`. */
static inline struct plan *plan_at(const struct search *search, size_t first, size_t last)
{
    return &search->plans[first * search->count + last];
}
/* The block for a plan that shape_intervals settled. */
struct block *interval_build(struct search *search, size_t first, size_t last);
/* After shape_intervals, and where jumps count: for each of the heaviest returns the cheapest tree
 * of which one way goes on into it (landing.c), and how many there are. */
#define LANDINGS_MOST 2u
size_t shape_landing(struct search *search, struct block *trees[LANDINGS_MOST]);
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

/* DP, the hottest values in front; leans on what stands. */
struct block *search_tree(struct search *search);
/* Adds the tests below `block` to what stands. */
void note_standing(struct shaper *shaper, const struct tested *tested, struct block *block);
/* So many runs below x32's numbers and among them: where little is below there is nothing to lean
 * on. */
static inline bool come_twice(size_t below, size_t above)
{
    return below >= DOUBLED_RUNS_LEAST && above >= DOUBLED_RUNS_LEAST;
}
/* Whether the table has a part for x32; the tree for such a table (doubled.c). */
bool switch_is_doubled(const struct search *search);
/* The tests below `block` again, with `to` in the place of `from`. */
struct block *block_substituted(const struct search *search, struct block *block,
                                const struct block *from, struct block *to);
struct block *shape_doubled(struct search *search);

/* What a tree for the switch adds to the program: tests that do not stand yet, and paths
 * (tree_cost.c). */
double tree_cost(struct shaper *shaper, const struct tested *tested, struct block *root,
                 const struct weighted_value *values, size_t value_count);
/* Tests and ANDs on the way of a value. */
unsigned tree_depth(const struct tested *tested, const struct block *block, uint32_t value);

/* ---- all tables of one word together (reach.c, leaves.c, polish.c) --------------------------- */

/* One switch that has its tree. */
struct table {
    struct block *root;
    const struct weighted_value *values;
    size_t value_count;
};

/* What comes to a test, from whichever table. A is the word, or what an AND on the way left of it.
 */
struct reach {
    VECTOR(struct value_range) ranges; /* rising */
    struct node_values values;
    bool unknown; /* too many ranges */
};

/* Where a test leads the values below LEAF_VALUES in the end, after how many tests and how many
 * half jumps (half_jumps; UINT8_MAX: so many or more). */
#define LEAF_VALUES 512u
/* Values up to `last`, from the segment before it on, that end alike. */
struct leaf_segment {
    const struct block *leaf;
    uint16_t last;
    uint8_t depth, jumps;
};
struct leaf_row {
    const struct leaf_segment *segments; /* the last one ends with LEAF_VALUES - 1 */
    size_t count;
};
/* Those of one word's tests (leaves.c). */
struct leaf_rows {
    struct arena *arena, *ids;
    VECTOR(const struct leaf_row *) by_id; /* by block id; NULL: not asked for yet */
    struct segment_list *list;             /* of the row that is being made */
    size_t count;
};

struct forest {
    struct arena *arena;
    const struct tested *tested;
    struct block **blocks; /* the tests and ANDs of all tables, each before its targets */
    struct reach *reaches; /* by the index of the block */
    uint32_t *index_of;    /* by block id: 1 + the index; 0: not in the forest */
    size_t count;
    uint32_t id_most;
};

void forest_make(struct forest *forest, struct arena *arena, const struct tested *tested,
                 const struct table *tables, size_t count);
/* What the values that come to block `index` are told apart into, values that never come going
 * with their neighbours; false when that is more than a search takes. */
bool forest_runs(const struct forest *forest, size_t index, struct arena *arena,
                 struct run_list *runs);
/* By index: the blocks from which block `index` is reached, itself included. */
bool *forest_above(const struct forest *forest, size_t index, struct arena *arena);
/* By index: the blocks that are reached without going through block `index`. */
bool *forest_without(const struct forest *forest, size_t index, const struct table *tables,
                     size_t count, struct arena *arena);
/* The tables' roots when block `index` is `made`. */
void forest_replace(const struct forest *forest, struct shaper *shaper, size_t index,
                    struct block *made, const struct table *tables, size_t count,
                    struct table *replaced);

void leaf_rows_open(struct leaf_rows *rows);
void leaf_rows_close(struct leaf_rows *rows);
/* For a test or AND of `tested`. Stays until room is made. */
const struct leaf_row *leaf_row_of(struct leaf_rows *rows, const struct tested *tested,
                                   const struct block *block);
/* The segment that a value below LEAF_VALUES is in. */
const struct leaf_segment *leaf_segment_at(const struct leaf_row *row, uint32_t value);
void leaf_rows_make_room(struct leaf_rows *rows);

/* Size and paths of all tables together (tree_cost.c). */
double tables_cost(struct shaper *shaper, const struct tested *tested, const struct table *tables,
                   size_t count, struct leaf_rows *rows);
/* Gives the tables trees that are together no dearer. */
void polish_tables(struct shaper *shaper, const struct tested *tested, struct table *tables,
                   size_t count);

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

/* Where the test goes for every value of first..last: 1 yes, 0 no, -1 both. */
int block_settles(const struct block *block, uint32_t first, uint32_t last);
/* For a test that does not settle first..last: where to cut it (the last value of the lower part),
 * so that after some cuts each part is settled. */
uint32_t block_cut(const struct block *block, uint32_t first);
/* A test of bits tells single values of a range apart; wider ranges are not cut for it. */
#define CUT_RANGE_MOST 256u
/* Whether a block is a test of this variable. */
static inline bool block_tests(const struct block *block, const struct tested *tested)
{
    return block->kind == BLOCK_TEST && !block->operand &&
           block->accumulator == tested->accumulator && block->field == tested->field &&
           block->mask == tested->mask && block->value == tested->value;
}

/* A test or AND that is part of a tree for this variable. */
static inline bool block_is_inner(const struct block *block, const struct tested *tested)
{
    return block->kind == BLOCK_MASK || block_tests(block, tested);
}
/* Whether it is the number, whole. */
static inline bool is_whole_number(const struct tested *tested)
{
    return tested->accumulator == ACCUMULATOR_FIELD && tested->field == FIELD_NR &&
           tested->mask == 0xffffffffu;
}
static inline bool is_number_table(const struct dag_node *node)
{
    return node->kind == DAG_SWITCH && node->field == FIELD_NR && node->mask == 0xffffffffu;
}

/* Of the weight that comes to a test, what leaves it by a jump. One side can be the next
 * instruction, when it leads on; the heavier one is. Returns stand elsewhere. The machine jumps on
 * "any bit set": there is no such test for "none". */
static inline double weight_jumping(enum test_operation test, double yes, bool yes_leads_on,
                                    double no, bool no_leads_on)
{
    if (test == TEST_SET)
        return no_leads_on ? yes : yes + no;
    if (yes_leads_on && no_leads_on)
        return yes < no ? yes : no;
    return yes_leads_on ? no : no_leads_on ? yes : yes + no;
}

/* How often going that way is a jump, in halves, as far as the test itself tells: which side is the
 * heavier one depends on what else comes there. */
static inline unsigned half_jumps(const struct block *block, bool holds)
{
    bool yes = block_leads_on(block->yes), no = block_leads_on(block->no);
    if (block->test == TEST_SET)
        return holds || !no ? 2 : 0;
    return yes && no ? 1 : (holds ? yes : no) ? 0 : 2;
}

/* What a jump costs in the trees of this word. What arguments hold nobody knows, so that one side
 * of their tests is as likely as the other. */
static inline double jump_of(const struct effort *effort, const struct tested *tested)
{
    return is_whole_number(tested) ? effort->jump : 0;
}

/* The cheapest tree known for a switch, given what stands already. Outcomes as for shape_balanced;
 * `values` rise. */
struct block *shape_switch(struct shaper *shaper, const struct tested *tested,
                           const struct outcome *outcomes, size_t count,
                           const struct weighted_value *values, size_t value_count);

#endif
