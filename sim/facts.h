/* facts: what the tests along one path say about terms. Private to sim/. */
#ifndef SIM_FACTS_H
#define SIM_FACTS_H

#include "sim/sim.h"

/* Of one term: an interval without some values, bits that are clear, masks of which a bit is set.
 */
struct fact {
    const char *term;
    uint32_t low, high;
    uint32_t clear;
    VECTOR(uint32_t) excluded;
    VECTOR(uint32_t) some_bit;
};

struct facts {
    struct arena *arena;
    VECTOR(struct fact) items; /* in the order of their first test */
};

enum outcome { OUTCOME_OPEN, OUTCOME_FALSE, OUTCOME_TRUE };

/* NULL: nothing is known of it. */
const struct fact *facts_about(const struct facts *facts, const char *term);
/* Whether a test of the term with a constant is decided by what is known. */
enum outcome fact_decides(const struct fact *fact, enum operation test, uint32_t constant);
/* The test was made, and came out so. */
void facts_add(struct facts *facts, const char *term, enum operation test, uint32_t constant,
               bool holds);
/* "0x3c <= nr <= 0x166 and not 0x65": more than `most` values that it is not are only
 * counted, and so are masks above `most`. NULL when every value is possible. */
const char *fact_text(struct arena *arena, const struct fact *fact, size_t most);

#endif
