/* What is known of words on a path: intervals, bits, ends of masked words. What is known always
 * includes every value that the word can have there. */
#include "verifier/walk.h"

/* ---- atoms ------------------------------------------------------------------------------------
 */

struct comparison_of read_atom(const struct term *atom)
{
    struct comparison_of c = {.is_equal = atom->kind == TERM_EQUAL, .mask = UINT32_MAX};
    if (!c.is_equal && atom->kind != TERM_UNSIGNED_LESS)
        return c;
    const struct term *left = atom->children[0], *right = atom->children[1];
    if (!term_is_constant(right) || right->bits != 32)
        return c;
    if (left->kind == TERM_BIT_AND && term_is_constant(left->children[1])) {
        c.mask = (uint32_t)left->children[1]->value;
        left = left->children[0];
    }
    c.fits = left->kind == TERM_VARIABLE && left->value < FIELD_COUNT;
    c.word = c.fits ? (unsigned)left->value : FIELD_COUNT;
    c.constant = (uint32_t)right->value;
    return c;
}

/* Known bits, those that the interval fixes included. */
static struct domain sharpened(struct domain d)
{
    uint32_t differing = d.low ^ d.high;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        differing |= differing >> shift;
    uint32_t prefix = ~differing;
    d.value = (d.value & d.known) | (d.low & prefix & ~d.known);
    d.known |= prefix;
    return d;
}

static enum truth truth_in(const struct comparison_of *c, struct domain domain)
{
    struct domain d = sharpened(domain);
    uint32_t least = d.value & c->mask, most = (d.value | ~d.known) & c->mask;
    if (c->mask == UINT32_MAX) {
        least = least > d.low ? least : d.low;
        most = most < d.high ? most : d.high;
    }
    if (!c->is_equal)
        return most < c->constant ? TRUE_HERE : least >= c->constant ? FALSE_HERE : UNDECIDED;
    bool conflict = (d.value ^ c->constant) & d.known & c->mask;
    if (conflict || c->constant < least || c->constant > most)
        return FALSE_HERE;
    return least == most && least == c->constant ? TRUE_HERE : UNDECIDED;
}

/* ---- masked words ------------------------------------------------------------------------------
 */

/* The smallest value from `from` up without bits outside of the mask; false when there is none. */
static bool masked_from(uint32_t from, uint32_t mask, uint32_t *value)
{
    uint32_t outside = from & ~mask;
    *value = from;
    if (!outside)
        return true;
    uint32_t above = outside;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        above |= above >> shift;
    uint32_t raised = mask & ~from & ~above; /* bits that can be raised to get past `from` */
    raised &= 0u - raised;
    *value = raised | (from & ~(raised - 1) & mask);
    return raised != 0;
}

/* The largest value up to `to` without bits outside of the mask. */
static uint32_t masked_to(uint32_t to, uint32_t mask)
{
    uint32_t below = to & ~mask;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        below |= below >> shift;
    return below ? (to & ~below) | (mask & (below >> 1)) : to;
}

static bool is_masked_excluded(const struct walker *w, const struct comparison_of *c,
                               uint32_t value)
{
    w->prover->walked += w->trail.count;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word == c->word && !a->holds && a->comparison.is_equal &&
            a->comparison.mask == c->mask && a->comparison.constant == value)
            return true;
    }
    return false;
}

/* Between which ends the trail leaves (word & mask); false: nowhere. */
static bool masked_ends(const struct walker *w, const struct comparison_of *c, uint32_t *low,
                        uint32_t *high)
{
    const struct domain d = sharpened(w->domains[c->word]);
    *low = d.value & c->mask;
    *high = (d.value | ~d.known) & c->mask;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word != c->word || a->comparison.is_equal || a->comparison.mask != c->mask)
            continue;
        uint32_t constant = a->comparison.constant;
        if (a->holds && !constant)
            return false;
        if (a->holds && *high >= constant)
            *high = constant - 1;
        if (!a->holds && *low < constant)
            *low = constant;
    }
    for (;;) {
        if (!masked_from(*low, c->mask, low))
            return false;
        *high = masked_to(*high, c->mask);
        if (*low > *high)
            return false;
        bool first = is_masked_excluded(w, c, *low), last = is_masked_excluded(w, c, *high);
        if (!first && !last)
            return true;
        if (*low == *high)
            return false;
        *low += first;
        *high -= last;
    }
}

static enum truth masked_truth(const struct walker *w, const struct comparison_of *c)
{
    uint32_t low, high;
    if (!masked_ends(w, c, &low, &high))
        return UNDECIDED; /* no input gets here: anything is true, and is found out elsewhere */
    if (!c->is_equal)
        return high < c->constant ? TRUE_HERE : low >= c->constant ? FALSE_HERE : UNDECIDED;
    if (c->constant < low || c->constant > high || c->constant & ~c->mask)
        return FALSE_HERE;
    return low == high ? TRUE_HERE : UNDECIDED;
}

enum truth truth_of_comparison(const struct walker *w, const struct comparison_of *c)
{
    enum truth truth = truth_in(c, w->domains[c->word]);
    return truth || c->mask == UINT32_MAX ? truth : masked_truth(w, c);
}

enum truth truth_assumed(const struct walker *w, const struct term *condition)
{
    return condition->id < w->truths.count ? (enum truth)w->truths.items[condition->id] : UNDECIDED;
}

/* ---- assuming ------------------------------------------------------------------------------- */

static bool is_excluded(const struct walker *w, unsigned word, uint32_t value)
{
    w->prover->walked += w->trail.count;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word != word || a->holds || a->atom->kind != TERM_EQUAL)
            continue;
        if (a->atom->children[0]->kind == TERM_VARIABLE && a->atom->children[1]->value == value)
            return true;
    }
    return false;
}

/* Takes excluded values off both ends; false when none is left. */
static bool tighten(const struct walker *w, unsigned word, struct domain *d)
{
    while (d->low < d->high && is_excluded(w, word, d->low))
        d->low++;
    while (d->low < d->high && is_excluded(w, word, d->high))
        d->high--;
    if (d->low != d->high)
        return d->low < d->high;
    return !is_excluded(w, word, d->low) && !((d->value ^ d->low) & d->known);
}

static bool learn_bits(struct domain *d, uint32_t mask, uint32_t value)
{
    if ((d->value ^ value) & d->known & mask)
        return false;
    d->known |= mask;
    d->value |= value & mask;
    return true;
}

static bool refine_equal(struct domain *d, const struct comparison_of *c, bool holds)
{
    if (holds && c->mask == UINT32_MAX) {
        if (c->constant < d->low || c->constant > d->high)
            return false;
        d->low = d->high = c->constant;
    }
    if (holds)
        return learn_bits(d, c->mask, c->constant);
    uint32_t unknown = c->mask & ~d->known;
    bool rest_agrees = !((d->value ^ c->constant) & d->known & c->mask);
    if (rest_agrees && unknown && !(unknown & (unknown - 1)))
        return learn_bits(d, unknown, ~c->constant);
    return unknown || !rest_agrees;
}

/* Of masked words only the ends are understood: the least and the most that the known bits leave.
 */
static bool refine_masked_less(struct domain *d, const struct comparison_of *c, bool holds)
{
    uint32_t unknown = c->mask & ~d->known;
    uint32_t least = d->value & c->mask, most = least | unknown;
    uint32_t lowest = unknown & (0u - unknown);
    if (holds ? least >= c->constant : most < c->constant)
        return false;
    if (!holds && most == c->constant)
        return learn_bits(d, unknown, unknown);
    if (holds && unknown && (uint64_t)least + lowest >= c->constant)
        return learn_bits(d, unknown, 0);
    return true;
}

static bool refine_less(struct domain *d, const struct comparison_of *c, bool holds)
{
    if (c->mask != UINT32_MAX)
        return refine_masked_less(d, c, holds);
    if (holds && d->high >= c->constant)
        d->high = c->constant - 1;
    if (!holds && d->low < c->constant)
        d->low = c->constant;
    return d->low <= d->high;
}

static bool contradicts(const struct walker *w, const struct assumption *a)
{
    enum truth truth = truth_in(&a->comparison, w->domains[a->word]);
    return truth != UNDECIDED && truth != (a->holds ? TRUE_HERE : FALSE_HERE);
}

/* Whether what is known of the word now contradicts something that was assumed of it. */
static bool contradicts_trail(const struct walker *w, unsigned word)
{
    w->prover->walked += w->trail.count;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word == word && contradicts(w, a))
            return true;
    }
    return false;
}

/* Draws from the newest assumption what it says of its word; false: nothing is left. What was
 * assumed before is gone through again only where it can matter: when the word's domain has
 * changed, or one of its ends was taken. */
static bool draw(struct walker *w, const struct assumption *a)
{
    const struct comparison_of *c = &a->comparison;
    struct domain *d = &w->domains[a->word];
    bool possible = c->is_equal ? refine_equal(d, c, a->holds) : refine_less(d, c, a->holds);
    if (!possible)
        return false;
    bool takes_end = c->is_equal && !a->holds && c->mask == UINT32_MAX &&
                     (c->constant == d->low || c->constant == d->high);
    if (takes_end || memcmp(d, &a->before, sizeof *d))
        return tighten(w, a->word, d) && !contradicts_trail(w, a->word);
    return !contradicts(w, a);
}

bool assume(struct walker *w, const struct term *atom, bool holds)
{
    struct comparison_of c = read_atom(atom);
    unsigned word = c.fits ? c.word : FIELD_COUNT;
    struct assumption assumption = {atom, holds, c, word, {0, 0, 0, 0}};
    if (c.fits)
        assumption.before = w->domains[word];
    vector_push(w->scratch, &w->trail, assumption);
    while (w->truths.count <= atom->id)
        vector_push(w->scratch, &w->truths, UNDECIDED);
    w->truths.items[atom->id] = holds ? TRUE_HERE : FALSE_HERE;
    if (!c.fits)
        return true;
    uint32_t low, high;
    return draw(w, &assumption) && (c.mask == UINT32_MAX || masked_ends(w, &c, &low, &high));
}

void take_back(struct walker *w)
{
    struct assumption *a = &w->trail.items[--w->trail.count];
    w->truths.items[a->atom->id] = UNDECIDED;
    if (a->word < FIELD_COUNT)
        w->domains[a->word] = a->before;
}
