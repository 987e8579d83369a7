/* The choice of shape: what its files share. blocks.c makes blocks, balanced.c turns one switch
 * into tests, select.c walks the DAG. */
#ifndef OPTIMIZER_SHAPE_H
#define OPTIMIZER_SHAPE_H

#include "optimizer/optimizer.h"

/* More than any program has instructions. Past it no block is made, and any is given. */
#define BLOCK_MOST (PROGRAM_MOST * 16u)

struct windows;
struct effort;
struct weighted_value {
    uint32_t value;
    double weight;
};
struct node_values {
    struct weighted_value *items;
    size_t count, capacity;
};

/* Blocks are unique: equal ones are the same pointer, so that equal tails are shared. */
struct shaper {
    struct arena *arena;
    const struct shape_options *options;
    VECTOR(struct block *) blocks; /* by id */
    uint32_t *slots;               /* open addressing: id + 1 */
    size_t capacity;
    struct block **by_node;            /* by node id; NULL: not reached */
    struct argument_memory *arguments; /* argument.h; NULL until an argument is switched on */
    const struct effort *effort;
    struct node_values *values;      /* by node id: which values of its switch count how much */
    VECTOR(struct block *) standing; /* tests of fields that are part of the program */
    uint64_t work;                   /* steps that searches have taken */
    uint64_t runs;                   /* of the switches that were searched */
    unsigned number_tables;          /* of them, those of numbers */
    struct windows *windows;         /* what window.c remembers */
    bool full;                       /* BLOCK_MOST was reached: the blocks are no good any more */
};

/* What A must hold for the tests of one switch. */
struct tested {
    enum accumulator_kind accumulator;
    enum field field;
    uint32_t mask;
    const struct word *value;
};

/* One outcome of a switch: values first..last (that can occur: one when both are equal) go to
 * `target`. */
struct outcome {
    uint32_t first, last;
    struct block *target;
    bool lone;     /* of all these values only one can occur: */
    uint32_t only; /* this one */
};

static inline bool outcome_is_single(const struct outcome *outcome)
{
    return outcome->lone || outcome->first == outcome->last;
}

/* The value of a single one. */
static inline uint32_t outcome_value(const struct outcome *outcome)
{
    return outcome->lone ? outcome->only : outcome->first;
}

struct block *block_return(struct shaper *shaper, uint32_t word);
struct block *block_return_value(struct shaper *shaper, const struct word *value);
/* A second one of the same word, which stays apart from the first. */
struct block *block_return_again(struct shaper *shaper, uint32_t word);
/* A return that is like no other, for what is to be put in its place. */
struct block *block_placeholder(struct shaper *shaper);
/* Gives the target itself when both are the same. */
struct block *block_test(struct shaper *shaper, const struct tested *tested,
                         enum test_operation test, uint32_t constant, struct block *yes,
                         struct block *no);
/* `target` is entered with A & mask for the word. */
struct block *block_mask(struct shaper *shaper, const struct tested *tested, uint32_t mask,
                         struct block *target);
struct block *block_compare(struct shaper *shaper, const struct dag_node *node, struct block *yes,
                            struct block *no);
/* A field, a masked field, or what is to be computed. */
struct tested tested_word(const struct word *word);

/* Balanced dispatch over outcomes in rising order that cover every value that can occur. */
struct block *shape_balanced(struct shaper *shaper, const struct tested *tested,
                             const struct outcome *outcomes, size_t count);

#endif
