/* A value of one word that agrees with a path: with a range, bits, and comparisons of masked words.
 *
 * The bits are chosen from the top. As long as the bits so far are those of a comparison's
 * constant, the comparison is open; the first bit that is not decides it. So all that the bits so
 * far mean for those that follow is which comparisons are settled, and a (bit, settled) pair that
 * led nowhere is not tried again. Exact: where nothing is found and no limit was met, no value
 * agrees. */
#include <string.h>

#include "verifier/walk.h"

#define BOUNDS_MOST 256u
#define SETTLED_WORDS (BOUNDS_MOST / 64)
#define VISITS_MOST 20000u
#define DEAD_ENDS 4096u /* a power of two */

enum bound_kind { BOUND_DIFFERENT, BOUND_LESS, BOUND_NOT_LESS };

/* (value & mask) compared with a constant. */
struct bound {
    enum bound_kind kind;
    uint32_t mask, constant;
};

struct settled {
    uint64_t words[SETTLED_WORDS]; /* by bound */
};

struct dead_end {
    struct settled settled;
    uint32_t stamp;
    uint8_t bits; /* that were left to choose */
};

/* The slots of older searches count as free. */
struct dead_ends {
    uint32_t stamp;
    struct dead_end slots[DEAD_ENDS];
};

struct value_search {
    struct dead_ends *dead_ends;
    uint32_t known, value; /* bits that are fixed */
    struct bound bounds[BOUNDS_MOST];
    unsigned count;
    unsigned visits;
};

/* ---- what must hold ------------------------------------------------------------------------- */

/* False: nothing can agree. */
static bool fix_bits(struct value_search *search, uint32_t mask, uint32_t value)
{
    if ((search->value ^ value) & search->known & mask)
        return false;
    search->known |= mask;
    search->value |= value & mask;
    return true;
}

static bool add_bound(struct value_search *search, enum bound_kind kind, uint32_t mask,
                      uint32_t constant)
{
    if (search->count == BOUNDS_MOST)
        return false;
    search->bounds[search->count++] = (struct bound){kind, mask, constant};
    return true;
}

/* What was assumed of the word. NONE: it contradicts itself; UNSURE: there is no room for it. */
static enum found collect(struct value_search *search, const struct walker *w, unsigned word)
{
    const struct domain *d = &w->domains[word];
    bool fits = true;
    if (!fix_bits(search, d->known, d->value))
        return FOUND_NONE;
    if (d->low)
        fits = add_bound(search, BOUND_NOT_LESS, UINT32_MAX, d->low);
    if (d->high != UINT32_MAX)
        fits = fits && add_bound(search, BOUND_LESS, UINT32_MAX, d->high + 1);
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        const struct comparison_of *c = &a->comparison;
        if (a->word != word)
            continue;
        if (c->is_equal && a->holds) {
            if (c->constant & ~c->mask || !fix_bits(search, c->mask, c->constant))
                return FOUND_NONE;
            continue;
        }
        enum bound_kind kind = c->is_equal ? BOUND_DIFFERENT
                               : a->holds  ? BOUND_LESS
                                           : BOUND_NOT_LESS;
        fits = fits && add_bound(search, kind, c->mask, c->constant);
    }
    return fits ? FOUND_VALUE : FOUND_UNSURE;
}

/* ---- the search ----------------------------------------------------------------------------- */

static bool is_settled(const struct settled *settled, unsigned bound)
{
    return settled->words[bound / 64] >> (bound % 64) & 1;
}

/* Whether some choice of the lowest `bits` bits makes an open bound hold: each by itself. */
static bool can_hold(const struct value_search *search, const struct bound *bound, unsigned bits)
{
    uint32_t low = (uint32_t)((UINT64_C(1) << bits) - 1), mask = bound->mask & low;
    uint32_t constant = bound->constant & low;
    uint32_t least = search->value & mask, most = (search->value | ~search->known) & mask;
    switch (bound->kind) {
    case BOUND_DIFFERENT:
        return least != most || least != constant;
    case BOUND_LESS:
        return least < constant;
    default:
        return most >= constant;
    }
}

/* Settles what the bit decides; false: a bound is broken, or can no longer be kept. */
static bool choose_bit(const struct value_search *search, unsigned bit, bool set,
                       struct settled *settled)
{
    for (unsigned i = 0; i < search->count; i++) {
        const struct bound *bound = &search->bounds[i];
        bool seen = set && bound->mask >> bit & 1, wanted = bound->constant >> bit & 1;
        if (is_settled(settled, i))
            continue;
        if (seen == wanted) {
            if (!can_hold(search, bound, bit))
                return false;
            continue;
        }
        if ((bound->kind == BOUND_LESS && seen) || (bound->kind == BOUND_NOT_LESS && !seen))
            return false;
        settled->words[i / 64] |= UINT64_C(1) << (i % 64);
    }
    return true;
}

/* Whether an open bound looks at the bit. */
static bool matters(const struct value_search *search, unsigned bit, const struct settled *settled)
{
    for (unsigned i = 0; i < search->count; i++) {
        if (!is_settled(settled, i) && search->bounds[i].mask >> bit & 1)
            return true;
    }
    return false;
}

static struct dead_end *dead_end_at(const struct value_search *search,
                                    const struct settled *settled, unsigned bits)
{
    uint64_t hash = bits + 1;
    for (unsigned i = 0; i < SETTLED_WORDS; i++) {
        hash = (hash ^ settled->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &search->dead_ends->slots[hash & (DEAD_ENDS - 1)];
}

/* Recursive, as deep as there are bits. */
static enum found choose_bits(struct value_search *search, unsigned bits,
                              const struct settled *settled, uint32_t so_far, uint32_t *value)
{
    if (!bits) {
        *value = so_far;
        return FOUND_VALUE; /* what is open is NOT_LESS and equal, else can_hold had said no */
    }
    if (search->visits++ == VISITS_MOST)
        return FOUND_UNSURE;
    struct dead_end *dead = dead_end_at(search, settled, bits);
    if (dead->stamp == search->dead_ends->stamp && dead->bits == bits &&
        !memcmp(&dead->settled, settled, sizeof *settled))
        return FOUND_NONE;
    unsigned bit = bits - 1;
    bool fixed = search->known >> bit & 1, fixed_to = search->value >> bit & 1;
    bool both = !fixed && matters(search, bit, settled);
    for (unsigned way = 0; way <= both; way++) {
        bool set = fixed ? fixed_to : way;
        struct settled next = *settled;
        if (!choose_bit(search, bit, set, &next))
            continue;
        enum found found = choose_bits(search, bit, &next, so_far | (uint32_t)set << bit, value);
        if (found != FOUND_NONE)
            return found;
    }
    *dead = (struct dead_end){*settled, search->dead_ends->stamp, (uint8_t)bits};
    return FOUND_NONE;
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
    struct prover *prover = w->prover;
    if (least_agrees(w, word)) {
        *value = w->domains[word].low;
        return FOUND_VALUE;
    }
    if (!prover->dead_ends)
        prover->dead_ends = NEW(prover->arena, struct dead_ends);
    prover->dead_ends->stamp++;
    struct value_search search = {.dead_ends = prover->dead_ends};
    struct settled settled = {{0}};
    enum found collected = collect(&search, w, word);
    for (unsigned i = 0; i < search.count && collected == FOUND_VALUE; i++) {
        if (!can_hold(&search, &search.bounds[i], 32))
            collected = FOUND_NONE;
    }
    return collected == FOUND_VALUE ? choose_bits(&search, 32, &settled, 0, value) : collected;
}
