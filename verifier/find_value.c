/* A value of one word that takes a path: all that was assumed of it there. */
#include "verifier/walk.h"

static void collect(struct bounds *bounds, const struct walker *w, unsigned word)
{
    const struct domain *d = &w->domains[word];
    bounds_fix(bounds, d->known, d->value);
    bounds_within(bounds, UINT32_MAX, d->low, d->high);
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        const struct comparison_of *c = &a->comparison;
        if (a->word != word)
            continue;
        if (c->is_equal && a->holds)
            bounds_within(bounds, c->mask, c->constant, c->constant);
        else
            bounds_add(bounds,
                       c->is_equal ? BOUND_DIFFERENT
                       : a->holds  ? BOUND_LESS
                                   : BOUND_NOT_LESS,
                       c->mask, c->constant);
    }
}

/* Whether the least value that the range leaves agrees with everything: most often it does, however
 * much was assumed. */
static bool least_agrees(const struct walker *w, unsigned word)
{
    const struct domain *d = &w->domains[word];
    if ((d->low ^ d->value) & d->known)
        return false;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        const struct comparison_of *c = &a->comparison;
        uint32_t masked = d->low & c->mask;
        if (a->word == word &&
            a->holds != (c->is_equal ? masked == c->constant : masked < c->constant))
            return false;
    }
    return true;
}

enum found find_value(const struct walker *w, unsigned word, uint32_t *value)
{
    struct bounds bounds = {0};
    struct prover *prover = w->prover;
    if (least_agrees(w, word)) {
        *value = w->domains[word].low;
        return FOUND_VALUE;
    }
    if (!prover->dead_ends)
        prover->dead_ends = dead_ends_new(prover->arena);
    collect(&bounds, w, word);
    return bounds_find(prover->dead_ends, &bounds, value);
}
