/* Conditions and words of a policy as terms. A condition becomes a choice between two
 * continuations, so that it has the shape that a program's branches have. Written apart from
 * lang/evaluate.c, which replays what is found. */
#include "verifier/internal.h"

/* The language's own limit is EXPRESSION_DEPTH_MOST; this one only keeps the stack from harm. */
#define DEPTH_MOST (4 * EXPRESSION_DEPTH_MOST)

struct choosing {
    struct prover *prover;
    struct class *class;
};

/* ---- words ------------------------------------------------------------------------------------
 */

static const struct term *word_at(struct prover *prover, const struct class *class,
                                  const struct word *word, unsigned depth);

static const struct term *divided(struct prover *prover, const struct term *a, const struct term *b)
{
    return term_if(prover->terms, word_equals(prover, b, 0), word_constant(prover, 0),
                   term_binary(prover->terms, TERM_UNSIGNED_DIV, a, b));
}

static const struct term *operated(struct prover *prover, enum word_operator operator,
                                   const struct term * a, const struct term *b)
{
    static const enum term_kind kinds[] = {
        [WORD_ADD] = TERM_ADD,     [WORD_SUB] = TERM_SUB,   [WORD_MUL] = TERM_MUL,
        [WORD_AND] = TERM_BIT_AND, [WORD_OR] = TERM_BIT_OR, [WORD_XOR] = TERM_BIT_XOR,
    };
    if (operator== WORD_DIV)
        return divided(prover, a, b);
    if (operator== WORD_SHIFT_LEFT || operator== WORD_SHIFT_RIGHT)
        return term_shift(prover->terms, operator== WORD_SHIFT_LEFT, a, b);
    return term_binary(prover->terms, kinds[operator], a, b);
}

static const struct term *word_at(struct prover *prover, const struct class *class,
                                  const struct word *word, unsigned depth)
{
    if (depth > DEPTH_MOST) {
        give_up(prover, "an expression is nested too deeply");
        return NULL;
    }
    if (word->operator== WORD_CONSTANT)
        return word_constant(prover, word->constant);
    if (word->operator== WORD_FIELD)
        return class_word(prover, class, word->field);
    const struct term *a = word_at(prover, class, word->left, depth + 1);
    if (!a || word->operator== WORD_NEGATE)
        return a ? term_unary(prover->terms, TERM_NEGATE, a) : NULL;
    const struct term *b = word_at(prover, class, word->right, depth + 1);
    return b ? operated(prover, word->operator, a, b) : NULL;
}

const struct term *word_term(struct prover *prover, const struct class *class,
                             const struct word *word)
{
    return word_at(prover, class, word, 0);
}

/* ---- membership of one word ---------------------------------------------------------------------
 */

/* The intervals rise, so what lies below one of them and was in none before is in none at all. */
static const struct term *choose_word(struct choosing *c, const struct term *word,
                                      const struct interval *intervals, size_t count,
                                      const struct term *yes, const struct term *no)
{
    const struct term *chosen = no;
    for (size_t i = count; i-- > 0 && chosen;) {
        uint64_t first = intervals[i].first, last = intervals[i].last;
        if (first > UINT32_MAX)
            continue;
        if (first == last) {
            const struct term *is = word_equals(c->prover, word, (uint32_t)first);
            chosen = class_choose(c->prover, c->class, is, yes, chosen);
            continue;
        }
        const struct term *not_above = word_below(c->prover, word, last + 1);
        chosen = class_choose(c->prover, c->class, not_above, yes, chosen);
        if (chosen) {
            const struct term *below = word_below(c->prover, word, first);
            chosen = class_choose(c->prover, c->class, below, no, chosen);
        }
    }
    return chosen;
}

/* The same for the whole of nr or arch, whose range is known: decided, or the lowest place where
 * the range crosses an end. One interval is looked at, where asking of each would cost as many cuts
 * as there are intervals for each part of the range. */
static const struct term *choose_number(struct choosing *c, enum field field,
                                        const struct interval *intervals, size_t count,
                                        const struct term *yes, const struct term *no)
{
    const struct range range = field == FIELD_NR ? c->class->nr : c->class->arch;
    size_t low = 0, high = count;
    while (low < high) { /* to the first that does not end below the range */
        size_t middle = low + (high - low) / 2;
        if (intervals[middle].last < range.first)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || intervals[low].first > range.last)
        return no;
    bool inside = intervals[low].first <= range.first;
    if (inside && intervals[low].last >= range.last)
        return yes;
    c->class->cut_field = field;
    c->class->cut = (uint32_t)(inside ? intervals[low].last + 1 : intervals[low].first);
    return NULL;
}

/* ---- membership of a register: high word, then low word ------------------------------------- */

/* One run of high words, with the low words that belong to it. */
struct high_run {
    uint64_t first, last;
    bool full; /* every low word */
    VECTOR(struct interval) lows;
};

struct high_runs {
    struct high_run *items;
    size_t count, capacity;
};

static void add_high(struct prover *prover, struct high_runs *runs, uint64_t first, uint64_t last,
                     struct interval low)
{
    bool full = low.first == 0 && low.last == UINT32_MAX;
    struct high_run *newest = runs->count ? &runs->items[runs->count - 1] : NULL;
    if (first > last)
        return;
    if (newest && newest->last == first && !newest->full && first == last && !full) {
        vector_push(prover->arena, &newest->lows, low);
        return;
    }
    struct high_run run = {.first = first, .last = last, .full = full};
    vector_push(prover->arena, &run.lows, low);
    vector_push(prover->arena, runs, run);
}

static void add_interval(struct prover *prover, struct high_runs *runs, struct interval interval)
{
    uint64_t first_high = interval.first >> 32, last_high = interval.last >> 32;
    struct interval low = {interval.first & UINT32_MAX, interval.last & UINT32_MAX};
    struct interval full = {0, UINT32_MAX};
    if (first_high == last_high) {
        add_high(prover, runs, first_high, last_high, low);
        return;
    }
    if (low.first) {
        struct interval upper = {low.first, UINT32_MAX};
        add_high(prover, runs, first_high, first_high, upper);
        first_high++;
    }
    bool ends_inside = low.last != UINT32_MAX;
    add_high(prover, runs, first_high, ends_inside ? last_high - 1 : last_high, full);
    if (ends_inside) {
        struct interval lower = {0, low.last};
        add_high(prover, runs, last_high, last_high, lower);
    }
}

static const struct term *choose_register(struct choosing *c, const struct term *high,
                                          const struct term *low, const struct condition *condition,
                                          const struct term *yes, const struct term *no)
{
    struct high_runs runs = {0};
    for (size_t i = 0; i < condition->interval_count; i++)
        add_interval(c->prover, &runs, condition->intervals[i]);
    const struct term *chosen = no;
    for (size_t i = runs.count; i-- > 0 && chosen;) {
        const struct high_run *run = &runs.items[i];
        const struct term *inside =
            run->full ? yes : choose_word(c, low, run->lows.items, run->lows.count, yes, no);
        const struct interval highs = {run->first, run->last};
        const struct term *rest = chosen;
        if (!inside)
            return NULL;
        if (run->first == run->last) {
            const struct term *is = word_equals(c->prover, high, (uint32_t)run->first);
            chosen = class_choose(c->prover, c->class, is, inside, rest);
            continue;
        }
        const struct term *not_above = word_below(c->prover, high, highs.last + 1);
        const struct term *below = word_below(c->prover, high, highs.first);
        chosen = class_choose(c->prover, c->class, not_above, inside, rest);
        if (chosen)
            chosen = class_choose(c->prover, c->class, below, no, chosen);
    }
    return chosen;
}

static const struct term *masked(struct prover *prover, const struct term *word, uint32_t mask)
{
    return term_binary(prover->terms, TERM_BIT_AND, word, word_constant(prover, mask));
}

static enum field low_field(unsigned subject)
{
    if (subject == SUBJECT_NR)
        return FIELD_NR;
    if (subject == SUBJECT_ARCH)
        return FIELD_ARCH;
    return subject == SUBJECT_IP ? FIELD_IP_LO : field_arg_lo(subject - SUBJECT_ARG0);
}

static const struct term *choose_member(struct choosing *c, const struct condition *condition,
                                        const struct term *yes, const struct term *no)
{
    const struct operand *operand = &condition->operand;
    bool is_register = operand->subject != SUBJECT_NR && operand->subject != SUBJECT_ARCH;
    enum field low = low_field(operand->subject);
    bool shift_fits =
        operand->shift == 0 || (operand->shift == 32 && operand->bits <= 32 && is_register);
    if (!shift_fits || operand->subject > SUBJECT_ARG0 + 5 || operand->bits > 64) {
        give_up(c->prover, "an operand has no form that the prover knows");
        return NULL;
    }
    uint64_t mask = operand->mask;
    if (operand->bits < 64)
        mask &= (UINT64_C(1) << operand->bits) - 1;
    if (!is_register && mask == UINT32_MAX && !c->class->whole && !operand->shift)
        return choose_number(c, low, condition->intervals, condition->interval_count, yes, no);
    enum field field = operand->shift ? (enum field)(low + 1) : low;
    const struct term *word =
        masked(c->prover, class_word(c->prover, c->class, field), (uint32_t)mask);
    if (operand->bits <= 32 || !is_register)
        return choose_word(c, word, condition->intervals, condition->interval_count, yes, no);
    const struct term *high = masked(c->prover, c->prover->words[low + 1], (uint32_t)(mask >> 32));
    return choose_register(c, high, word, condition, yes, no);
}

/* ---- conditions ----------------------------------------------------------------------------- */

static const struct term *choose_compare(struct choosing *c, const struct condition *condition,
                                         const struct term *yes, const struct term *no)
{
    struct terms *terms = c->prover->terms;
    const struct term *a = word_term(c->prover, c->class, condition->a);
    const struct term *b = word_term(c->prover, c->class, condition->b);
    if (!a || !b)
        return NULL;
    const struct term *holds = NULL;
    switch (condition->comparison) {
    case COMPARE_EQUAL:
    case COMPARE_NOT_EQUAL:
        holds = term_binary(terms, TERM_EQUAL, a, b);
        break;
    case COMPARE_LESS:
    case COMPARE_GREATER_EQUAL:
        holds = term_binary(terms, TERM_UNSIGNED_LESS, a, b);
        break;
    default: /* COMPARE_GREATER, COMPARE_LESS_EQUAL */
        holds = term_binary(terms, TERM_UNSIGNED_LESS, b, a);
        break;
    }
    bool negated = condition->comparison == COMPARE_NOT_EQUAL ||
                   condition->comparison == COMPARE_GREATER_EQUAL ||
                   condition->comparison == COMPARE_LESS_EQUAL;
    return class_choose(c->prover, c->class, holds, negated ? no : yes, negated ? yes : no);
}

static const struct term *choose(struct choosing *c, const struct condition *condition,
                                 const struct term *yes, const struct term *no, unsigned depth)
{
    const struct term *inner;
    if (depth > DEPTH_MOST) {
        give_up(c->prover, "a condition is nested too deeply");
        return NULL;
    }
    switch (condition->kind) {
    case CONDITION_TRUE:
        return yes;
    case CONDITION_FALSE:
        return no;
    case CONDITION_NOT:
        return choose(c, condition->left, no, yes, depth + 1);
    case CONDITION_AND:
        inner = choose(c, condition->right, yes, no, depth + 1);
        return inner ? choose(c, condition->left, inner, no, depth + 1) : NULL;
    case CONDITION_OR:
        inner = choose(c, condition->right, yes, no, depth + 1);
        return inner ? choose(c, condition->left, yes, inner, depth + 1) : NULL;
    case CONDITION_MEMBER:
        return choose_member(c, condition, yes, no);
    default: /* CONDITION_COMPARE */
        return choose_compare(c, condition, yes, no);
    }
}

const struct term *condition_choose(struct prover *prover, struct class *class,
                                    const struct condition *condition, const struct term *yes,
                                    const struct term *no)
{
    struct choosing choosing = {prover, class};
    return choose(&choosing, condition, yes, no, 0);
}
