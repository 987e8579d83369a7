/* Two residues walked together: at each choice both ways are taken, under what the choices so far
 * say of each word: an interval, known bits, and every condition that was assumed. Where both sides
 * have come to constants, they are good together, or an input is looked for that takes this path;
 * if the path can have none, it does not count.
 *
 * Sound in one direction only, on purpose: what is known of a word always includes every value that
 * it can have, so GOOD holds; a WITNESS has been evaluated. All else is WALK_LIMIT, and then the
 * solver decides. */
#include "verifier/walk.h"

#define STEPS_MOST 30000u
#define DEPTH_MOST 1500u
#define STEP_WORK 16u         /* in assumptions looked at */
#define CONNECTIVES_MOST 8u   /* deep: conditions share parts, and each is looked at anew */
#define RESOLVED_MOST 400000u /* terms looked at to resolve others, for one pair */

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
    if (w->resolving || w->resolved > RESOLVED_MOST)
        return term;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (w->domains[i].low == w->domains[i].high)
            replacements[i] = word_constant(w->prover, w->domains[i].low);
    }
    w->resolving = true;
    struct choices choices = {.replacements = replacements, .decide = decide, .data = w};
    const struct term *made = decide_choices(w->prover, term, &choices);
    w->resolved += choices.looked_at;
    w->prover->walked += choices.looked_at;
    w->resolving = false;
    return made;
}

static enum truth truth_resolved(struct walker *w, const struct term *condition, unsigned depth)
{
    const struct term *made = depth < CONNECTIVES_MOST ? resolved(w, condition) : condition;
    return made == condition ? UNDECIDED : truth_of(w, made, depth + 1);
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
    return truth_of_comparison(w, &c);
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
    uint64_t left = term_evaluate(w->scratch, o->left, w->values, FIELD_COUNT);
    uint64_t right = term_evaluate(w->scratch, o->right, w->values, FIELD_COUNT);
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
    uint64_t most = w->prover->walk_most;
    w->prover->walked += STEP_WORK;
    if (w->steps++ > STEPS_MOST || depth > DEPTH_MOST || (most && w->prover->walked > most))
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
    struct walker w = {
        .prover = prover, .scratch = arena_new(), .obligation = obligation, .values = values};
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        w.domains[i] = (struct domain){0, UINT32_MAX, 0, 0};
    w.domains[FIELD_ARCH].low = obligation->arch.first;
    w.domains[FIELD_ARCH].high = obligation->arch.last;
    w.domains[FIELD_NR].low = obligation->nr.first;
    w.domains[FIELD_NR].high = obligation->nr.last;
    enum walk_result found = walk(&w, obligation->left, obligation->right, 0);
    arena_free(w.scratch);
    return found;
}
