/* Conditions on arch and nr over a class: decided on the whole class where possible, else the place
 * where to cut.
 *
 * What is understood exactly is a comparison of the word, or of the word & mask, with a constant.
 * Anything else is cut down to single numbers when the range is short, and left to the terms when
 * it is long. */
#include "verifier/internal.h"

#define PIECES_MOST 4096u   /* more pieces than this are not worth a cut by mask */
#define ENUMERATE_MOST 256u /* ranges this short are cut to single numbers for odd conditions */
#define DEPTH_MOST 8u       /* of connectives: conditions share parts, and each is looked at anew */

struct class class_new(struct prover *prover, struct range arch, struct range nr)
{
    struct class class = {.arch = arch, .nr = nr, .cut_field = FIELD_COUNT};
    class.arch_term =
        is_single(arch) ? word_constant(prover, arch.first) : prover->words[FIELD_ARCH];
    class.nr_term = is_single(nr) ? word_constant(prover, nr.first) : prover->words[FIELD_NR];
    return class;
}

const struct term *class_word(struct prover *prover, const struct class *class, enum field field)
{
    if (field == FIELD_NR)
        return class->nr_term;
    return field == FIELD_ARCH ? class->arch_term : prover->words[field];
}

struct judgement {
    enum decision_kind kind;
    uint32_t cut;
};

static struct judgement decided(bool yes)
{
    return (struct judgement){yes ? DECIDED_YES : DECIDED_NO, 0};
}

static struct judgement cut_at(uint32_t cut)
{
    return (struct judgement){DECISION_NEEDS_CUT, cut};
}

static const struct judgement open_decision = {DECISION_OPEN, 0};

/* Members are first..last: is the whole range inside, outside, or where does it cross? */
static struct judgement decide_interval(struct range range, uint64_t first, uint64_t last)
{
    if (first > last || range.last < first || range.first > last)
        return decided(false);
    if (range.first < first)
        return cut_at((uint32_t)first);
    return range.last <= last ? decided(true) : cut_at((uint32_t)last + 1);
}

static uint32_t free_bits(struct range range)
{
    uint32_t differing = range.first ^ range.last;
    for (unsigned shift = 1; shift < 32; shift *= 2)
        differing |= differing >> shift;
    return differing;
}

/* The largest block of aligned numbers on which `mask` keeps a (possibly empty) top part of the
 * free bits: there word & mask never falls as the word grows. */
static uint32_t monotone_block(uint32_t mask, uint32_t free)
{
    uint32_t block = 0;
    for (uint32_t candidate = 1; candidate; candidate = candidate << 1 | 1) {
        uint32_t dropped = ~mask & candidate;
        if (!(dropped & (dropped + 1)))
            block = candidate;
        if (candidate >= free)
            break;
    }
    return block & free;
}

/* Members: the words of the range whose masked value lies in first..last. */
static struct judgement decide_masked(struct range range, uint32_t mask, uint64_t first,
                                      uint64_t last)
{
    uint32_t free = free_bits(range);
    uint32_t block = monotone_block(mask, free);
    if (block != free) {
        if ((range.last - range.first) / ((uint64_t)block + 1) > PIECES_MOST)
            return open_decision;
        return cut_at(range.last & ~(free >> 1));
    }
    /* In the block, word & mask = base | (the block's bits & mask), and rises with the word. */
    uint64_t low = range.first & ~free & mask;
    uint64_t step = (free & ~mask) + UINT64_C(1); /* that many words share a masked value */
    if (last < low)
        return decided(false);
    uint64_t base = range.first & ~free;
    uint64_t from = first <= low ? 0 : (first - low + step - 1) / step * step;
    uint64_t to = (last - low) / step * step + step - 1;
    return decide_interval(range, base + from, base + to > UINT32_MAX ? UINT32_MAX : base + to);
}

/* A comparison of the variable, perhaps masked, with a constant. */
static struct judgement decide_comparison(const struct term *condition, struct range range)
{
    const struct term *left = condition->children[0], *right = condition->children[1];
    bool is_equal = condition->kind == TERM_EQUAL;
    if ((!is_equal && condition->kind != TERM_UNSIGNED_LESS) || !term_is_constant(right))
        return open_decision;
    uint64_t first = is_equal ? right->value : 0;
    uint64_t last = is_equal ? right->value : right->value - 1; /* x < c has c > 1 */
    if (left->kind == TERM_VARIABLE)
        return decide_interval(range, first, last);
    if (left->kind == TERM_BIT_AND && left->children[0]->kind == TERM_VARIABLE &&
        term_is_constant(left->children[1]))
        return decide_masked(range, (uint32_t)left->children[1]->value, first, last);
    return open_decision;
}

static struct judgement decide_in_range(const struct term *condition, struct range range,
                                        unsigned depth);

/* `absorbing` decides alone: no for and, yes for or. */
static struct judgement decide_connective(const struct term *condition, struct range range,
                                          unsigned depth)
{
    enum decision_kind absorbing = condition->kind == TERM_AND ? DECIDED_NO : DECIDED_YES;
    struct judgement a = decide_in_range(condition->children[0], range, depth + 1);
    if (a.kind == absorbing)
        return a;
    struct judgement b = decide_in_range(condition->children[1], range, depth + 1);
    if (b.kind == absorbing || a.kind == DECIDED_NO || a.kind == DECIDED_YES)
        return b;
    return a.kind == DECISION_NEEDS_CUT ? a : b.kind == DECISION_NEEDS_CUT ? b : a;
}

static struct judgement decide_in_range(const struct term *condition, struct range range,
                                        unsigned depth)
{
    if (term_is_constant(condition))
        return decided(condition->value);
    if (depth > DEPTH_MOST)
        return open_decision;
    if (condition->kind == TERM_AND || condition->kind == TERM_OR)
        return decide_connective(condition, range, depth);
    if (condition->kind == TERM_NOT) {
        struct judgement d = decide_in_range(condition->children[0], range, depth + 1);
        if (d.kind == DECIDED_NO || d.kind == DECIDED_YES)
            return decided(d.kind == DECIDED_NO);
        return d;
    }
    return decide_comparison(condition, range);
}

static struct judgement decide_word(struct prover *prover, const struct term *condition,
                                    enum field field, struct range range)
{
    if (is_single(range)) {
        uint64_t values[FIELD_COUNT] = {0};
        values[field] = range.first;
        if (condition->has_apply)
            return open_decision;
        return decided(term_evaluate(prover->arena, condition, values, FIELD_COUNT));
    }
    struct judgement decision = decide_in_range(condition, range, 0);
    if (decision.kind == DECISION_OPEN && range.last - range.first < ENUMERATE_MOST)
        return cut_at(range.first + (range.last - range.first) / 2 + 1);
    return decision;
}

enum decision_kind class_decide(struct prover *prover, struct class *class,
                                const struct term *condition)
{
    if (term_is_constant(condition))
        return condition->value ? DECIDED_YES : DECIDED_NO;
    bool on_nr = condition->uses == BIT_NR, on_arch = condition->uses == BIT_ARCH;
    if (class->whole || (!on_nr && !on_arch))
        return DECISION_OPEN;
    enum field field = on_nr ? FIELD_NR : FIELD_ARCH;
    struct judgement decision =
        decide_word(prover, condition, field, on_nr ? class->nr : class->arch);
    if (decision.kind == DECISION_NEEDS_CUT) {
        class->cut_field = field;
        class->cut = decision.cut;
    }
    return decision.kind;
}

const struct term *class_choose(struct prover *prover, struct class *class,
                                const struct term *condition, const struct term *yes,
                                const struct term *no)
{
    switch (class_decide(prover, class, condition)) {
    case DECIDED_YES:
        return yes;
    case DECIDED_NO:
        return no;
    case DECISION_NEEDS_CUT:
        return NULL;
    default:
        return term_if(prover->terms, condition, yes, no);
    }
}
