/* A question with its divisions and products left open.
 *
 * Circuits for x / y and x * y are what a solver of bit-vectors loses its time in, and most
 * questions do not turn on what a quotient is: the same one stands on both sides. Here every
 * distinct division, product and application of an unknown function becomes a variable of its own.
 * What is kept of them: equal operands give equal results; and what 0 and 1 do.
 *
 * Every assignment that makes the question true makes the looser one true, with each new variable
 * as what it stands for. So when the looser one cannot be true, neither can the question. The other
 * way round nothing follows. */
#include "smt/internal.h"

/* Past so many, pairs are not held together: there would be too many of them. Looser still. */
#define HELD_TOGETHER_MOST 24u

struct opened {
    const struct term *shape;        /* with its operands already loosened */
    const struct term *stands_there; /* the variable */
};

struct loosening {
    struct terms *terms;
    struct arena *scratch;
    struct term_order order;
    const struct term **made; /* by the place in the order */
    VECTOR(struct opened) opened;
};

static bool is_hard(const struct term *term)
{
    return term->kind == TERM_UNSIGNED_DIV || term->kind == TERM_MUL || term->kind == TERM_APPLY;
}

static const struct term *rebuild(const struct loosening *l, const struct term *term)
{
    struct terms *terms = l->terms;
    const struct term *c[3] = {NULL, NULL, NULL};
    for (unsigned i = 0; i < term->child_count; i++)
        c[i] = l->made[order_index(&l->order, term->children[i])];
    switch (term->kind) {
    case TERM_CONSTANT:
    case TERM_VARIABLE:
        return term;
    case TERM_NOT:
    case TERM_BIT_NOT:
    case TERM_NEGATE:
        return term_unary(terms, term->kind, c[0]);
    case TERM_IF:
        return term_if(terms, c[0], c[1], c[2]);
    case TERM_EXTRACT:
        return term_extract(terms, c[0], (unsigned)term->value, term->bits);
    case TERM_APPLY:
        return term_apply(terms, (unsigned)term->value, c[0], c[1]);
    default:
        return term_binary(terms, term->kind, c[0], c[1]);
    }
}

static const struct term *variable_for(struct loosening *l, const struct term *shape)
{
    for (size_t i = 0; i < l->opened.count; i++) {
        if (l->opened.items[i].shape == shape)
            return l->opened.items[i].stands_there;
    }
    uint32_t number = VARIABLE_OWN_FIRST + (uint32_t)l->opened.count;
    struct opened opened = {shape, term_variable(l->terms, shape->bits, number, "open")};
    vector_push(l->scratch, &l->opened, opened);
    return opened.stands_there;
}

static bool are_alike(const struct term *a, const struct term *b)
{
    return a->kind == b->kind && a->bits == b->bits && a->value == b->value;
}

static const struct term *both(struct terms *terms, const struct term *a, const struct term *b)
{
    return term_binary(terms, TERM_AND, a, b);
}

static const struct term *implies(struct terms *terms, const struct term *condition,
                                  const struct term *conclusion)
{
    return term_binary(terms, TERM_OR, term_not(terms, condition), conclusion);
}

/* Equal operands, equal results; `crosswise`: the one's left operand with the other's right one. */
static const struct term *held_together(struct terms *terms, const struct opened *a,
                                        const struct opened *b, bool crosswise)
{
    const struct term *same = term_binary(terms, TERM_EQUAL, a->stands_there, b->stands_there);
    for (unsigned i = 0; i < 2; i++)
        same = implies(terms,
                       term_binary(terms, TERM_EQUAL, a->shape->children[i],
                                   b->shape->children[crosswise ? 1 - i : i]),
                       same);
    return same;
}

/* What holds when an operand is `value`. */
static const struct term *known_at(const struct loosening *l, const struct opened *o,
                                   unsigned operand, uint64_t value, const struct term *gives)
{
    unsigned bits = o->shape->bits;
    const struct term *is_value = term_binary(l->terms, TERM_EQUAL, o->shape->children[operand],
                                              term_constant(l->terms, bits, value));
    return implies(l->terms, is_value, term_binary(l->terms, TERM_EQUAL, o->stands_there, gives));
}

static const struct term *with_units(const struct loosening *l, const struct opened *o,
                                     const struct term *question)
{
    unsigned bits = o->shape->bits;
    const struct term *zero = term_constant(l->terms, bits, 0);
    const struct term *const *c = o->shape->children;
    bool product = o->shape->kind == TERM_MUL;
    const struct term *facts[] = {
        product ? known_at(l, o, 0, 0, zero) : term_bool(l->terms, true),
        product ? known_at(l, o, 0, 1, c[1]) : term_bool(l->terms, true),
        known_at(l, o, 1, 0, product ? zero : term_constant(l->terms, bits, ones(bits))),
        known_at(l, o, 1, 1, c[0]),
    };
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        question = both(l->terms, question, facts[i]);
    return question;
}

static const struct term *with_pairs(const struct loosening *l, const struct term *question)
{
    if (l->opened.count > HELD_TOGETHER_MOST)
        return question;
    for (size_t i = 0; i < l->opened.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct opened *a = &l->opened.items[i], *b = &l->opened.items[j];
            if (!are_alike(a->shape, b->shape))
                continue;
            question = both(l->terms, question, held_together(l->terms, a, b, false));
            if (a->shape->kind == TERM_MUL)
                question = both(l->terms, question, held_together(l->terms, a, b, true));
        }
    }
    return question;
}

const struct term *term_loosened(struct terms *terms, struct arena *scratch,
                                 const struct term *question)
{
    struct loosening l = {
        .terms = terms, .scratch = scratch, .order = term_order(scratch, question)};
    l.made = NEW_ARRAY(scratch, const struct term *, l.order.count);
    for (size_t i = 0; i < l.order.count; i++) {
        const struct term *made = rebuild(&l, l.order.items[i]);
        l.made[i] = is_hard(made) ? variable_for(&l, made) : made;
    }
    const struct term *loose = with_pairs(&l, l.made[l.order.count - 1]);
    for (size_t i = 0; i < l.opened.count; i++) {
        if (l.opened.items[i].shape->kind != TERM_APPLY)
            loose = with_units(&l, &l.opened.items[i], loose);
    }
    return loose;
}
