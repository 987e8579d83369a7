/* How tests part samples: what argument_synthesis.c needs of argument_split.c. */
#ifndef OPTIMIZER_ARGUMENT_SPLIT_H
#define OPTIMIZER_ARGUMENT_SPLIT_H

#include "optimizer/argument_search.h"

#define SPLITS_MOST (2 * SAMPLES_MOST + (1u << DIGITS_MOST))
#define SPLIT_SLOTS 4096u /* twice as many at least, a power of two */

/* One way in which a test parts the samples. */
struct split {
    struct sample_set yes;
    enum test_operation test;
    uint32_t constant;
};

/* A split with a leaf on one side, and what is left. */
struct peel {
    struct split split;
    struct sample_set left;
};

/* What one step of the search needs, by the steps that are left. */
struct synthesis_depth {
    struct split splits[SPLITS_MOST];
    size_t count;
    struct peel peels[SPLITS_MOST];
    size_t peel_count;
    uint16_t slots[SPLIT_SLOTS]; /* open addressing: index + 1 */
    struct sample_set unions[1u << DIGITS_MOST];
    uint32_t masks[1u << DIGITS_MOST];
    bool mixed[1u << DIGITS_MOST]; /* by set of ignored digits */
};

static inline uint64_t hash_set(struct sample_set set)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < SAMPLE_WORDS; i++)
        hash = (hash ^ set.words[i]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* A leaf that is right for all of the set. */
bool leaf_for(const struct synthesis *synthesis, struct sample_set set, unsigned *leaf);
static inline bool is_leaf(const struct synthesis *synthesis, struct sample_set set)
{
    unsigned leaf;
    return leaf_for(synthesis, set, &leaf);
}

/* A test of word & mask that holds for all of `yes` and none of `no`; both have samples. */
bool test_between(const struct synthesis *synthesis, struct sample_set yes, struct sample_set no,
                  uint32_t mask, enum test_operation *test, uint32_t *constant);
/* All ways to part the set by a test of word & mask. */
void find_splits(const struct synthesis *synthesis, struct synthesis_depth *depth,
                 struct sample_set set, uint32_t mask);
/* Takes those with a leaf out of the splits. */
void find_peels(const struct synthesis *synthesis, struct synthesis_depth *depth,
                struct sample_set set);

#endif
