/* What the files of smt/ share: the table of terms and the meaning of each operator. */
#ifndef SMT_INTERNAL_H
#define SMT_INTERNAL_H

#include "smt/smt.h"

/* Open addressing; at most half full. */
struct terms {
    struct arena *arena;
    const struct term **slots;
    size_t capacity; /* a power of two */
    size_t count;
};

/* The one term of this shape; children are already simplified. */
const struct term *term_intern(struct terms *terms, enum term_kind kind, unsigned bits,
                               uint64_t value, const struct term *const *children,
                               unsigned child_count);

static inline uint64_t ones(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* The value of an operator on values of its children; TERM_APPLY is what x86's shifts do. */
uint64_t operator_value(const struct term *term, const uint64_t *children);

/* Every term below `root`, children before parents, each once; found by `order_index`. */
struct term_order {
    const struct term **items;
    size_t count;
    const struct term **keys; /* hash table: key -> index */
    uint32_t *indices;
    size_t capacity;
};

struct term_order term_order(struct arena *arena, const struct term *root);
uint32_t order_index(const struct term_order *order, const struct term *term);

/* Numbers of the uninterpreted functions. */
enum { APPLY_SHIFT_RIGHT = 0, APPLY_SHIFT_LEFT = 1, APPLY_COUNT };

/* A question that is true wherever `question` is, without divisions, products and unknown
 * functions; `question` itself when it has none (loosen.c). `scratch`: for what is needed on the
 * way. */
const struct term *term_loosened(struct terms *terms, struct arena *scratch,
                                 const struct term *question);

#endif
