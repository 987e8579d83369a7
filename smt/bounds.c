/* A word that agrees with all bounds: comparisons of the word under masks with constants.
 *
 * The bits are chosen from the top. As long as the bits so far are those of a bound's constant, the
 * bound is open; the first bit that is not decides it. So all that the bits so far mean for those
 * that follow is which bounds are settled, and a (bit, settled) pair that led nowhere is not tried
 * again. Exact: where nothing is found and no limit was met, no word agrees. */
#include <string.h>

#include "smt/bounds.h"

#define SETTLED_WORDS (BOUNDS_MOST / 64)
#define VISITS_MOST 20000u
#define DEAD_ENDS 4096u /* a power of two */

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

struct search {
    struct dead_ends *dead_ends;
    const struct bounds *bounds;
    unsigned visits;
};

struct dead_ends *dead_ends_new(struct arena *arena)
{
    return NEW(arena, struct dead_ends);
}

/* ---- what must hold ------------------------------------------------------------------------- */

void bounds_fix(struct bounds *bounds, uint32_t mask, uint32_t value)
{
    if ((bounds->value ^ value) & bounds->known & mask)
        bounds->contradict = true;
    bounds->known |= mask;
    bounds->value |= value & mask;
}

void bounds_add(struct bounds *bounds, enum bound_kind kind, uint32_t mask, uint32_t constant)
{
    if (bounds->count == BOUNDS_MOST)
        bounds->full = true;
    else
        bounds->items[bounds->count++] = (struct bound){kind, mask, constant};
}

void bounds_within(struct bounds *bounds, uint32_t mask, uint32_t first, uint32_t last)
{
    if (first == last && first & ~mask)
        bounds->contradict = true;
    else if (first == last)
        bounds_fix(bounds, mask, first);
    if (first == last)
        return;
    if (first)
        bounds_add(bounds, BOUND_NOT_LESS, mask, first);
    if (last != UINT32_MAX)
        bounds_add(bounds, BOUND_LESS, mask, last + 1);
}

/* ---- the search ----------------------------------------------------------------------------- */

static bool is_settled(const struct settled *settled, unsigned bound)
{
    return settled->words[bound / 64] >> (bound % 64) & 1;
}

/* Whether some choice of the lowest `bits` bits makes an open bound hold: each by itself. */
static bool can_hold(const struct search *search, const struct bound *bound, unsigned bits)
{
    uint32_t low = (uint32_t)((UINT64_C(1) << bits) - 1), mask = bound->mask & low;
    uint32_t constant = bound->constant & low;
    uint32_t least = search->bounds->value & mask,
             most = (search->bounds->value | ~search->bounds->known) & mask;
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
static bool choose_bit(const struct search *search, unsigned bit, bool set, struct settled *settled)
{
    for (unsigned i = 0; i < search->bounds->count; i++) {
        const struct bound *bound = &search->bounds->items[i];
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
static bool matters(const struct search *search, unsigned bit, const struct settled *settled)
{
    for (unsigned i = 0; i < search->bounds->count; i++) {
        if (!is_settled(settled, i) && search->bounds->items[i].mask >> bit & 1)
            return true;
    }
    return false;
}

static struct dead_end *dead_end_at(const struct search *search, const struct settled *settled,
                                    unsigned bits)
{
    uint64_t hash = bits + 1;
    for (unsigned i = 0; i < SETTLED_WORDS; i++) {
        hash = (hash ^ settled->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &search->dead_ends->slots[hash & (DEAD_ENDS - 1)];
}

/* Recursive, as deep as there are bits. */
static enum found choose_bits(struct search *search, unsigned bits, const struct settled *settled,
                              uint32_t so_far, uint32_t *value)
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
    bool fixed = search->bounds->known >> bit & 1, fixed_to = search->bounds->value >> bit & 1;
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

enum found bounds_find(struct dead_ends *dead_ends, const struct bounds *bounds, uint32_t *value)
{
    struct search search = {.dead_ends = dead_ends, .bounds = bounds};
    struct settled settled = {{0}};
    if (bounds->contradict)
        return FOUND_NONE;
    if (bounds->full)
        return FOUND_UNSURE;
    dead_ends->stamp++;
    for (unsigned i = 0; i < bounds->count; i++) {
        if (!can_hold(&search, &bounds->items[i], 32))
            return FOUND_NONE;
    }
    return choose_bits(&search, 32, &settled, 0, value);
}
