/* One word of 32 bits, and what is asked of it: bits, and comparisons of parts of it. */
#ifndef SMT_BOUNDS_H
#define SMT_BOUNDS_H

#include "base/base.h"

#define BOUNDS_MOST 256u

enum bound_kind { BOUND_DIFFERENT, BOUND_LESS, BOUND_NOT_LESS };

/* (word & mask) compared with a constant. */
struct bound {
    enum bound_kind kind;
    uint32_t mask, constant;
};

/* All hold together. {0}: nothing is asked. */
struct bounds {
    uint32_t known, value; /* word & known == value */
    struct bound items[BOUNDS_MOST];
    unsigned count;
    bool contradict; /* no word agrees */
    bool full;       /* there was more than there is room for */
};

/* word & mask == value, which has no bit outside of the mask. */
void bounds_fix(struct bounds *bounds, uint32_t mask, uint32_t value);
void bounds_add(struct bounds *bounds, enum bound_kind kind, uint32_t mask, uint32_t constant);
/* first <= (word & mask) <= last */
void bounds_within(struct bounds *bounds, uint32_t mask, uint32_t first, uint32_t last);

enum found { FOUND_NONE, FOUND_VALUE, FOUND_UNSURE };

/* Room for what is remembered while one word is looked for; can be used again. */
struct dead_ends;
struct dead_ends *dead_ends_new(struct arena *arena);

/* The smallest word that agrees. NONE is certain; UNSURE: there is too much to go through. */
enum found bounds_find(struct dead_ends *dead_ends, const struct bounds *bounds, uint32_t *value);

#endif
