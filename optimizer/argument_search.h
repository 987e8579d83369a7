/* The search for the cheapest tests of one argument: what argument_search.c, argument_synthesis.c
 * and argument_check.c share.
 *
 * argument_search.c keeps a set of samples, values of the word. argument_synthesis.c finds the
 * smallest tree that is right on the samples. argument_check.c looks at all 2^32 values; a value on
 * which the tree is wrong becomes a sample. No tree of a size on the samples means no tree of that
 * size at all, since the samples are some of the values (within the class of trees that is looked
 * at, below). */
#ifndef OPTIMIZER_ARGUMENT_SEARCH_H
#define OPTIMIZER_ARGUMENT_SEARCH_H

#include "optimizer/argument.h"

/* ---- sets of samples ------------------------------------------------------------------------ */

#define SAMPLES_MOST 128u
#define SAMPLE_WORDS (SAMPLES_MOST / 64)

struct sample_set {
    uint64_t words[SAMPLE_WORDS];
};

static inline struct sample_set samples_and(struct sample_set a, struct sample_set b)
{
    for (unsigned i = 0; i < SAMPLE_WORDS; i++)
        a.words[i] &= b.words[i];
    return a;
}

static inline struct sample_set samples_or(struct sample_set a, struct sample_set b)
{
    for (unsigned i = 0; i < SAMPLE_WORDS; i++)
        a.words[i] |= b.words[i];
    return a;
}

static inline struct sample_set samples_without(struct sample_set a, struct sample_set b)
{
    for (unsigned i = 0; i < SAMPLE_WORDS; i++)
        a.words[i] &= ~b.words[i];
    return a;
}

static inline bool samples_empty(struct sample_set a)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < SAMPLE_WORDS; i++)
        any |= a.words[i];
    return !any;
}

static inline bool samples_within(struct sample_set a, struct sample_set b)
{
    return samples_empty(samples_without(a, b));
}

static inline bool samples_equal(struct sample_set a, struct sample_set b)
{
    return samples_within(a, b) && samples_within(b, a);
}

static inline bool samples_have(struct sample_set a, unsigned sample)
{
    return a.words[sample / 64] >> (sample % 64) & 1;
}

static inline void samples_add(struct sample_set *a, unsigned sample)
{
    a->words[sample / 64] |= (uint64_t)1 << (sample % 64);
}

/* The first sample from number `from` on; SAMPLES_MOST when there is none. */
static inline unsigned samples_next(struct sample_set a, unsigned from)
{
    for (unsigned word = from / 64; word < SAMPLE_WORDS; word++) {
        uint64_t bits = a.words[word];
        if (word == from / 64)
            bits &= UINT64_MAX << (from % 64);
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return SAMPLES_MOST;
}

/* ---- argument_synthesis.c ------------------------------------------------------------------- */

/* A leaf is a target, or a block that stands already and is right for some values. */
#define LEAVES_MOST 12u
/* The bits of the word, in runs of neighbours that no value of interest tells apart. */
#define DIGITS_MOST 10u
#define STEPS_MOST 9u
#define WHOLE 0xffffffffu /* the mask of all bits */

enum step_kind { STEP_LEAF, STEP_TEST, STEP_AND };

struct step {
    enum step_kind kind;
    unsigned size; /* tests and ANDs of the whole tree */
    unsigned leaf; /* LEAF */
    uint32_t mask; /* TEST: what of the word A holds; AND: what it will hold */
    enum test_operation test;
    uint32_t constant;
    const struct step *yes, *no; /* AND: `yes` */
};

struct synthesis_known;
struct synthesis_cores;
struct shared_test;
struct synthesis_depth;

/* What is looked at: trees of JEQ, JGE and JSET with every constant, and on a path at most one AND.
 * When synthesis_find says that there is none, then there is none
 *  - without AND, or with nothing but JEQ behind it. Of the masks of an AND only those are tried
 *    that ignore as many bits as they can without mixing samples of different leaves: behind them
 *    JEQ needs the fewest tests; JGE and JSET may do with less behind another mask;
 *  - as long as every sample has all bits of a digit or none. With more digits than DIGITS_MOST the
 *    upper ones are one, and some sets of bits are not tried.
 * Trees in which several tests lead to one are looked for by synthesis_find_shared, a few of them.
 */
struct synthesis {
    struct arena *arena;
    uint32_t values[SAMPLES_MOST];
    unsigned count;
    uint8_t order[SAMPLES_MOST];          /* rising values */
    struct sample_set right[LEAVES_MOST]; /* the samples for which the leaf is right */
    unsigned leaf_count;
    unsigned target_count; /* the first leaves: each sample is right in one of them */
    struct step leaves[LEAVES_MOST];
    struct sample_set conflicts[SAMPLES_MOST]; /* samples that no leaf takes together with this */
    uint32_t digits[DIGITS_MOST];
    unsigned digit_count;
    const uint32_t *boundaries; /* where JGE is best put, rising */
    size_t boundary_count;
    uint64_t work; /* steps left; 0: the search has stopped and proves nothing */
    unsigned round;
    unsigned shared, shared_made; /* the number of the shared test; 0: there is none */
    struct synthesis_known *known;
    struct synthesis_cores *cores;
    struct shared_test *shared_tests;
    struct synthesis_depth *depths;
};

struct synthesis *synthesis_new(struct arena *arena);
/* After samples or digits were added. */
void synthesis_prepare(struct synthesis *synthesis);
/* The smallest tree for all samples of at most `size` steps. NULL: there is none, or work is 0. */
const struct step *synthesis_find(struct synthesis *synthesis, unsigned size);

/* A tree of at most `size` steps with a test in it that several others lead to: it is in the tree
 * more than once, and counted once, but not in the `size` of the result. NULL as above. */
const struct step *synthesis_find_shared(struct synthesis *synthesis, unsigned size);

/* ---- argument_check.c ----------------------------------------------------------------------- */

enum checked { CHECKED_RIGHT, CHECKED_WRONG, CHECKED_UNKNOWN };

/* What a tree must do: values & mask go to the target of `list`. */
struct argument_meaning {
    enum field field;
    uint32_t mask;
    const struct outcome_list *list;
};

/* Whether the tests below `root` send each of the 2^32 values to its target. `wrong` (may be NULL)
 * is a value that goes elsewhere; where there is a choice, one whose bits are equal within the
 * runs of neighbours that begin at the bits of `tops`. UNKNOWN: a block that is no test of the
 * field with a constant and no return, or too many. */
enum checked argument_check(struct arena *arena, const struct block *root,
                            const struct argument_meaning *meaning, uint32_t tops, uint32_t *wrong);

/* ---- argument_search.c ---------------------------------------------------------------------- */

/* For all switches of a program together, in steps of the search: a million take about a tenth of a
 * second. */
#define WORK_OF_PROGRAM 6000000u

/* `shape`, or a tree for the same switch that costs less. `values`: what counts here, by weight.
 * Only at -O3 and -Os. */
struct block *search_argument(struct shaper *shaper, const struct tested *tested,
                              const struct outcome_list *list, struct block *shape,
                              const struct node_values *values);

#endif
