/* What is known on the way through two residues (walk.c): of every word an interval and bits, and
 * the conditions that were assumed, kept so that they can be taken back. */
#ifndef VERIFIER_WALK_H
#define VERIFIER_WALK_H

#include "smt/bounds.h"
#include "verifier/internal.h"

enum truth { FALSE_HERE = -1, UNDECIDED = 0, TRUE_HERE = 1 };

/* What a word can be: low <= x <= high and x & known == value. */
struct domain {
    uint32_t low, high, known, value;
};

/* (word & mask) compared with a constant. */
struct comparison_of {
    bool fits;
    bool is_equal; /* else: less */
    unsigned word;
    uint32_t mask, constant;
};

struct assumption {
    const struct term *atom;
    bool holds;
    struct comparison_of comparison;
    unsigned word;        /* FIELD_COUNT: not about one word, nothing to restore */
    struct domain before; /* of that word */
};

struct walker {
    struct prover *prover;
    struct arena *scratch; /* of this walk */
    const struct obligation *obligation;
    struct domain domains[FIELD_COUNT];
    VECTOR(signed char) truths; /* by id of the atom; past the end: not decided */
    uint64_t resolved;          /* terms that were looked at to resolve others */
    bool resolving;             /* conditions that come up are resolved already */
    const struct term *open;    /* of a choice in the term last resolved: not decided; NULL: none */
    VECTOR(struct assumption) trail;
    uint64_t steps;
    uint64_t *values;
};

/* ---- known.c ----------------------------------------------------------------------------------
 */

struct comparison_of read_atom(const struct term *atom);
/* What a comparison that fits is on this path. */
enum truth truth_of_comparison(const struct walker *walker, const struct comparison_of *comparison);
enum truth truth_assumed(const struct walker *walker, const struct term *condition);
/* False: no input takes this path. The assumption is on the trail either way. */
bool assume(struct walker *walker, const struct term *atom, bool holds);
void take_back(struct walker *walker);

/* ---- find_value.c ---------------------------------------------------------------------------- */

/* The smallest value of the word that agrees with everything that was assumed of it. NONE is
 * certain; UNSURE: too much was assumed to go through it all. */
enum found find_value(const struct walker *walker, unsigned word, uint32_t *value);

#endif
