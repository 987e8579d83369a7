/* Switches on arguments: what the files argument_*.c share. No path here can be cached by the
 * kernel any more, so that every instruction is allowed.
 *
 * A switch is a list of outcomes, rising and covering all 2^32 values; neighbours have different
 * targets. One target is the rest: the one of most values, where a chain ends. */
#ifndef OPTIMIZER_ARGUMENT_H
#define OPTIMIZER_ARGUMENT_H

#include "optimizer/shape.h"

struct outcome_list {
    struct outcome *items;
    size_t count;
};

/* A switch shaped before, to be used again where another one is nearly the same. */
struct shaped_argument {
    struct tested tested;
    struct outcome_list outcomes;
    struct block *block;
};

struct argument_answer;

struct argument_memory {
    VECTOR(struct shaped_argument) shaped;
    const struct word *bits[FIELD_COUNT];     /* 1 << (field & 31), once it was needed */
    uint64_t searched;                        /* work that argument_search.c has spent */
    VECTOR(struct argument_answer *) answers; /* argument_search.c */
};

/* ---- argument.c ----------------------------------------------------------------------------- */

/* The switch on a word of an argument or of ip in the shape that costs least. `values`: what counts
 * of it, as far as that is known. Call it for switches
 * of few outcomes first: larger ones then end in them. */
struct block *shape_argument(struct shaper *shaper, const struct tested *tested,
                             const struct outcome *outcomes, size_t count,
                             const struct node_values *values);

/* ---- argument_order.c ----------------------------------------------------------------------- */

/* Sorts nodes that are in the order of their ids. */
void order_for_reuse(struct arena *arena, const struct dag_node **nodes, size_t count);

/* ---- argument_list.c ------------------------------------------------------------------------ */

/* The target of most values. */
struct block *outcomes_rest(const struct outcome_list *list);
/* A copy in which neighbours of one target are one, and values first..last go to `target`. */
struct outcome_list outcomes_assign(struct arena *arena, const struct outcome_list *list,
                                    uint32_t first, uint32_t last, struct block *target);
struct block *outcomes_target(const struct outcome_list *list, uint32_t value);
/* Tests that a chain needs, about: one for a single value, one for each bound of a range. */
size_t outcomes_tests(const struct outcome_list *list, const struct block *rest);
/* One value, which is not the whole range. */
static inline bool is_single(const struct outcome *outcome)
{
    return outcome->first == outcome->last;
}

/* ---- argument_cube.c ------------------------------------------------------------------------ */

/* All values within the bits of `mask` go to `target`: one JSET of ~mask settles them, and A stays
 * whole. */
struct zero_cube {
    uint32_t mask;
    struct block *target;
};

/* The cube whose removal saves most tests; false when none saves any. Its values go to `rest` in
 * `left`: they are settled, and `rest` makes the list shortest. */
bool best_zero_cube(struct arena *arena, const struct outcome_list *list, struct block *rest,
                    struct zero_cube *cube, struct outcome_list *left);
/* The bits that are best ignored: single values that differ in them only, all with one target, are
 * one value of the masked word. 0 when AND and what it leaves would not be fewer tests. */
uint32_t best_ignored_bits(const struct outcome_list *list, const struct block *rest);
/* All values that equal `value` but for the bits of `ignored` are single and go where it goes. */
bool coset_is_single(const struct outcome_list *list, const struct block *rest, uint32_t value,
                     uint32_t ignored);

/* ---- argument_bits.c ------------------------------------------------------------------------ */

/* Replaces dense irregular parts by words of 32 values, each one bit test; false when there is
 * none. A word tests 1 << (A & 31), so that any run of 32 values will do and no shift is out of
 * range. */
bool outcomes_to_bit_tests(struct shaper *shaper, const struct tested *tested,
                           const struct outcome_list *list, struct outcome_list *words);

/* ---- argument_reuse.c ----------------------------------------------------------------------- */

/* The switch shaped before that differs on the fewest values, and on how many; NULL: none is
 * close. */
const struct shaped_argument *nearest_argument(const struct shaper *shaper,
                                               const struct tested *tested,
                                               const struct outcome_list *list, size_t *different);
void remember_argument(struct shaper *shaper, const struct tested *tested,
                       const struct outcome_list *list, struct block *block);

#endif
