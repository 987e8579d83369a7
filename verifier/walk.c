/* Two residues walked together: at each choice both ways are taken, under what the choices so far
 * say of each word: an interval, known bits, and every condition that was assumed. Where both sides
 * have come to constants, they are good together, or an input is looked for that takes this path;
 * if the path can have none, it does not count.
 *
 * Sound in one direction only, on purpose: what is known of a word always includes every value that
 * it can have, so GOOD holds; a WITNESS has been evaluated. All else is WALK_LIMIT, and then the
 * solver decides. */
#include "verifier/internal.h"

#define STEPS_MOST 30000u
#define DEPTH_MOST 1500u
#define CONNECTIVES_MOST 8u /* deep: conditions share parts, and each is looked at anew */
#define CANDIDATES_MOST 2048u
#define RESOLVED_MOST 4000u /* terms that are made anew for one pair */

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
    const struct obligation *obligation;
    struct domain domains[FIELD_COUNT];
    VECTOR(signed char) truths; /* by id of the atom; past the end: not decided */
    uint32_t resolved;
    bool resolving; /* conditions that come up are resolved already */
    const struct term
        *open; /* of a choice inside the term last resolved: not decided; NULL: none */
    VECTOR(struct assumption) trail;
    uint64_t steps;
    uint64_t *values;
};

/* ---- atoms ------------------------------------------------------------------------------------
 */

static struct comparison_of read_atom(const struct term *atom)
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

/* ---- conditions -------------------------------------------------------------------------------
 */

static enum truth truth_of(struct walker *w, const struct term *condition, unsigned depth);

static int decide(void *data, const struct term *condition)
{
    struct walker *w = data;
    enum truth truth = truth_of(w, condition, 0);
    if (truth == UNDECIDED && !w->open)
        w->open = condition;
    return truth;
}

/* What the term is on this path, when it is more than a comparison of one word: words that have
 * one value are that value, and choices that are decided are what they choose. */
static const struct term *resolved(struct walker *w, const struct term *term)
{
    const struct term *replacements[FIELD_COUNT] = {NULL};
    w->open = NULL;
    if (w->resolving || w->resolved++ > RESOLVED_MOST)
        return term;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (w->domains[i].low == w->domains[i].high)
            replacements[i] = word_constant(w->prover, w->domains[i].low);
    }
    w->resolving = true;
    const struct term *made = decide_choices(w->prover, term, replacements, decide, w);
    w->resolving = false;
    return made;
}

static enum truth truth_resolved(struct walker *w, const struct term *condition, unsigned depth)
{
    const struct term *made = depth < CONNECTIVES_MOST ? resolved(w, condition) : condition;
    return made == condition ? UNDECIDED : truth_of(w, made, depth + 1);
}

static enum truth truth_assumed(const struct walker *w, const struct term *condition)
{
    return condition->id < w->truths.count ? (enum truth)w->truths.items[condition->id] : UNDECIDED;
}

static enum truth truth_of(struct walker *w, const struct term *condition, unsigned depth)
{
    if (term_is_constant(condition))
        return condition->value ? TRUE_HERE : FALSE_HERE;
    if (truth_assumed(w, condition))
        return truth_assumed(w, condition);
    if (condition->kind == TERM_NOT && depth < CONNECTIVES_MOST)
        return -truth_of(w, condition->children[0], depth + 1);
    if ((condition->kind == TERM_AND || condition->kind == TERM_OR) && depth < CONNECTIVES_MOST) {
        enum truth absorbing = condition->kind == TERM_AND ? FALSE_HERE : TRUE_HERE;
        enum truth a = truth_of(w, condition->children[0], depth + 1);
        enum truth b = a == absorbing ? a : truth_of(w, condition->children[1], depth + 1);
        return a == absorbing || b == absorbing ? absorbing : a == UNDECIDED ? a : b;
    }
    struct comparison_of c = read_atom(condition);
    if (!c.fits)
        return truth_resolved(w, condition, depth);
    enum truth truth = truth_in(&c, w->domains[c.word]);
    return truth || c.mask == UINT32_MAX ? truth : masked_truth(w, &c);
}

/* A part of an undecided condition that is no connective, and undecided itself. Of a comparison
 * with a choice inside, the choice's condition comes first: both sides then come to the same
 * comparison, in whatever order they ask. */
static const struct term *undecided_atom(struct walker *w, const struct term *condition)
{
    for (unsigned depth = 0; depth < CONNECTIVES_MOST; depth++) {
        if (condition->kind == TERM_NOT) {
            condition = condition->children[0];
        } else if (condition->kind == TERM_AND || condition->kind == TERM_OR) {
            bool first = truth_of(w, condition->children[0], 0) == UNDECIDED;
            condition = condition->children[first ? 0 : 1];
        } else {
            const struct term *made = condition;
            if (!read_atom(condition).fits)
                made = resolved(w, condition);
            if (made == condition && !w->open)
                return condition;
            condition = w->open ? w->open : made;
        }
        w->open = NULL;
    }
    return condition;
}

/* ---- assuming ------------------------------------------------------------------------------- */

static bool is_excluded(const struct walker *w, unsigned word, uint32_t value)
{
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

/* Whether what is known of the word now contradicts something that was assumed of it. */
static bool contradicts_trail(const struct walker *w, unsigned word)
{
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word != word)
            continue;
        enum truth truth = truth_in(&a->comparison, w->domains[word]);
        if (truth != UNDECIDED && truth != (a->holds ? TRUE_HERE : FALSE_HERE))
            return true;
    }
    return false;
}

/* False: no input takes this path. The assumption is on the trail either way. */
static bool assume(struct walker *w, const struct term *atom, bool holds)
{
    struct comparison_of c = read_atom(atom);
    unsigned word = c.fits ? c.word : FIELD_COUNT;
    struct assumption assumption = {atom, holds, c, word, {0, 0, 0, 0}};
    if (c.fits)
        assumption.before = w->domains[word];
    vector_push(w->prover->arena, &w->trail, assumption);
    while (w->truths.count <= atom->id)
        vector_push(w->prover->arena, &w->truths, UNDECIDED);
    w->truths.items[atom->id] = holds ? TRUE_HERE : FALSE_HERE;
    if (!c.fits)
        return true;
    struct domain *d = &w->domains[word];
    bool possible = c.is_equal ? refine_equal(d, &c, holds) : refine_less(d, &c, holds);
    uint32_t low, high;
    return possible && tighten(w, word, d) && !contradicts_trail(w, word) &&
           (c.mask == UINT32_MAX || masked_ends(w, &c, &low, &high));
}

static void take_back(struct walker *w)
{
    struct assumption *a = &w->trail.items[--w->trail.count];
    w->truths.items[a->atom->id] = UNDECIDED;
    if (a->word < FIELD_COUNT)
        w->domains[a->word] = a->before;
}

/* ---- an input that takes the path ----------------------------------------------------------- */

static bool agrees(const struct walker *w, unsigned word, uint32_t value)
{
    const struct domain *d = &w->domains[word];
    if (value < d->low || value > d->high || (value ^ d->value) & d->known)
        return false;
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word != word)
            continue;
        struct comparison_of c = a->comparison;
        uint32_t seen = value & c.mask;
        if ((c.is_equal ? seen == c.constant : seen < c.constant) != a->holds)
            return false;
    }
    return true;
}

/* The smallest value from `from` up that has the known bits; false when there is none. */
static bool next_with_bits(const struct domain *d, uint64_t from, uint32_t *found)
{
    for (unsigned tries = 0; tries < 40 && from <= UINT32_MAX; tries++) {
        uint32_t wrong = ((uint32_t)from ^ d->value) & d->known;
        if (!wrong) {
            *found = (uint32_t)from;
            return true;
        }
        uint32_t top = wrong;
        while (top & (top - 1))
            top &= top - 1;
        uint32_t low_bits = top | (top - 1);
        if (d->value & top) /* raise this bit, clear what is below, then set the known ones there */
            from = ((uint32_t)from & ~low_bits) | (d->value & d->known & low_bits);
        else /* it must become 0: carry into a free bit above */
            from = ((uint64_t)((uint32_t)from & ~low_bits) + (uint64_t)low_bits + 1);
    }
    return false;
}

enum found { FOUND_NONE, FOUND_VALUE, FOUND_UNSURE };

/* Bits that a path wants set somewhere in a mask are guessed one after the other. */
static bool guess(const struct walker *w, unsigned word, uint32_t base, uint32_t *value)
{
    for (size_t i = 0; i < w->trail.count; i++) {
        const struct assumption *a = &w->trail.items[i];
        if (a->word != word || a->holds)
            continue;
        struct comparison_of c = a->comparison;
        uint32_t spare = c.mask & ~w->domains[word].known;
        if (!c.is_equal || (base & c.mask) != c.constant || !spare)
            continue;
        base ^= spare & (0 - spare);
    }
    *value = base;
    return agrees(w, word, base);
}

/* Goes through the values that the domain leaves; when all have been seen and none agrees, there is
 * none. */
static enum found find_value(const struct walker *w, unsigned word, uint32_t *value)
{
    const struct domain *d = &w->domains[word];
    uint64_t from = d->low;
    for (unsigned tries = 0; tries < CANDIDATES_MOST; tries++) {
        uint32_t candidate;
        if (from > d->high || !next_with_bits(d, from, &candidate) || candidate > d->high)
            return FOUND_NONE;
        if (agrees(w, word, candidate)) {
            *value = candidate;
            return FOUND_VALUE;
        }
        if (tries == 0 && guess(w, word, candidate, value))
            return FOUND_VALUE;
        from = (uint64_t)candidate + 1;
    }
    uint32_t top = (d->high & ~d->known) | (d->value & d->known);
    if (agrees(w, word, top)) {
        *value = top;
        return FOUND_VALUE;
    }
    return FOUND_UNSURE;
}

/* Both sides at their end, and bad together or not constant. */
static enum walk_result look_for_witness(struct walker *w)
{
    const struct obligation *o = w->obligation;
    bool unsure = false;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        uint32_t value = 0;
        enum found found = find_value(w, i, &value);
        if (found == FOUND_NONE)
            return WALK_GOOD; /* no input takes this path */
        unsure |= found == FOUND_UNSURE;
        w->values[i] = value;
    }
    if (unsure)
        return WALK_LIMIT;
    struct arena *arena = w->prover->arena;
    uint64_t left = term_evaluate(arena, o->left, w->values, FIELD_COUNT);
    uint64_t right = term_evaluate(arena, o->right, w->values, FIELD_COUNT);
    bool bad = o->property->is_bad(o->property->data, (uint32_t)left, (uint32_t)right);
    return bad ? WALK_WITNESS : WALK_LIMIT;
}

/* ---- walking
 * ------------------------------------------------------------------------------------------------
 */

static const struct term *follow(struct walker *w, const struct term *residue)
{
    while (residue->kind == TERM_IF) {
        enum truth truth = truth_of(w, residue->children[0], 0);
        if (truth == UNDECIDED)
            break;
        residue = residue->children[truth == TRUE_HERE ? 1 : 2];
    }
    return residue;
}

/* The condition of a choice inside of what is returned, that is not decided; NULL: none. */
static const struct term *open_choice(struct walker *w, const struct term *left,
                                      const struct term *right)
{
    resolved(w, left);
    if (!w->open)
        resolved(w, right);
    return w->open;
}

static enum walk_result walk_both_ways(struct walker *w, const struct term *condition,
                                       const struct term *left, const struct term *right,
                                       unsigned depth);

static enum walk_result walk(struct walker *w, const struct term *left, const struct term *right,
                             unsigned depth)
{
    const struct property *property = w->obligation->property;
    if (w->steps++ > STEPS_MOST || depth > DEPTH_MOST)
        return WALK_LIMIT;
    if (!(w->steps & 255) && out_of_time(w->prover))
        return WALK_LIMIT;
    left = follow(w, left);
    right = follow(w, right);
    if (left == right && property->same_is_good)
        return WALK_GOOD;
    if (left->kind != TERM_IF && right->kind != TERM_IF) {
        bool both = term_is_constant(left) && term_is_constant(right);
        if (both &&
            !property->is_bad(property->data, (uint32_t)left->value, (uint32_t)right->value))
            return WALK_GOOD;
        if (!both && property->same_is_good && resolved(w, left) == resolved(w, right))
            return WALK_GOOD;
        const struct term *open = both ? NULL : open_choice(w, left, right);
        return open ? walk_both_ways(w, open, left, right, depth) : look_for_witness(w);
    }
    const struct term *choice = left->kind == TERM_IF ? left : right;
    return walk_both_ways(w, choice->children[0], left, right, depth);
}

static enum walk_result walk_both_ways(struct walker *w, const struct term *condition,
                                       const struct term *left, const struct term *right,
                                       unsigned depth)
{
    const struct term *atom = undecided_atom(w, condition);
    for (int way = 0; way < 2; way++) {
        enum walk_result outcome = WALK_GOOD;
        if (assume(w, atom, way == 0))
            outcome = walk(w, left, right, depth + 1);
        take_back(w);
        if (outcome != WALK_GOOD)
            return outcome;
    }
    return WALK_GOOD;
}

enum walk_result walk_pair(struct prover *prover, const struct obligation *obligation,
                           uint64_t values[FIELD_COUNT])
{
    struct walker w = {.prover = prover, .obligation = obligation, .values = values};
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        w.domains[i] = (struct domain){0, UINT32_MAX, 0, 0};
    w.domains[FIELD_ARCH].low = obligation->arch.first;
    w.domains[FIELD_ARCH].high = obligation->arch.last;
    w.domains[FIELD_NR].low = obligation->nr.first;
    w.domains[FIELD_NR].high = obligation->nr.last;
    return walk(&w, obligation->left, obligation->right, 0);
}
