/* The meaning of terms: the reference for folding and for every model the solver gives. */
#include "smt/internal.h"

static int64_t signed_value(uint64_t value, unsigned bits)
{
    uint64_t sign = UINT64_C(1) << (bits - 1);
    return (int64_t)((value ^ sign) - sign);
}

static uint64_t shift_value(bool left, uint64_t value, uint64_t count, unsigned bits)
{
    if (count >= bits)
        return 0;
    return left ? value << count : value >> count;
}

static uint64_t boolean_value(const struct term *term, const uint64_t *c)
{
    unsigned width = term->children[0]->bits;
    switch (term->kind) {
    case TERM_NOT:
        return !c[0];
    case TERM_AND:
        return c[0] && c[1];
    case TERM_OR:
        return c[0] || c[1];
    case TERM_EQUAL:
        return c[0] == c[1];
    case TERM_UNSIGNED_LESS:
        return c[0] < c[1];
    case TERM_UNSIGNED_LESS_EQUAL:
        return c[0] <= c[1];
    case TERM_SIGNED_LESS:
        return signed_value(c[0], width) < signed_value(c[1], width);
    default: /* TERM_SIGNED_LESS_EQUAL */
        return signed_value(c[0], width) <= signed_value(c[1], width);
    }
}

static uint64_t arithmetic_value(const struct term *term, const uint64_t *c)
{
    switch (term->kind) {
    case TERM_BIT_NOT:
        return ~c[0];
    case TERM_NEGATE:
        return 0 - c[0];
    case TERM_ADD:
        return c[0] + c[1];
    case TERM_SUB:
        return c[0] - c[1];
    case TERM_MUL:
        return c[0] * c[1];
    case TERM_UNSIGNED_DIV:
        return c[1] ? c[0] / c[1] : UINT64_MAX;
    case TERM_BIT_AND:
        return c[0] & c[1];
    case TERM_BIT_OR:
        return c[0] | c[1];
    default: /* TERM_BIT_XOR */
        return c[0] ^ c[1];
    }
}

uint64_t operator_value(const struct term *term, const uint64_t *c)
{
    if (term->kind >= TERM_NOT && term->kind <= TERM_SIGNED_LESS_EQUAL)
        return boolean_value(term, c);
    if (term->kind >= TERM_BIT_NOT && term->kind <= TERM_BIT_XOR)
        return arithmetic_value(term, c) & ones(term->bits);
    switch (term->kind) {
    case TERM_IF:
        return c[0] ? c[1] : c[2];
    case TERM_SHIFT_LEFT:
    case TERM_SHIFT_RIGHT:
        return shift_value(term->kind == TERM_SHIFT_LEFT, c[0], c[1], term->bits) &
               ones(term->bits);
    case TERM_CONCAT:
        return c[0] << term->children[1]->bits | c[1];
    case TERM_EXTRACT:
        return (c[0] >> term->value) & ones(term->bits);
    default: /* TERM_APPLY: x86's shift looks at five bits of the count */
        return shift_value(term->value == APPLY_SHIFT_LEFT, c[0], c[1] & 31, 32) & ones(32);
    }
}

static uint64_t leaf_value(const struct term *term, const uint64_t *values, size_t count)
{
    if (term->kind == TERM_CONSTANT)
        return term->value;
    return (term->value < count ? values[term->value] : 0) & ones(term->bits);
}

uint64_t term_evaluate(struct arena *arena, const struct term *term, const uint64_t *values,
                       size_t count)
{
    struct term_order order = term_order(arena, term);
    uint64_t *results = NEW_ARRAY(arena, uint64_t, order.count);
    for (size_t i = 0; i < order.count; i++) {
        const struct term *item = order.items[i];
        uint64_t children[3] = {0};
        for (unsigned j = 0; j < item->child_count; j++)
            children[j] = results[order_index(&order, item->children[j])];
        results[i] =
            item->child_count ? operator_value(item, children) : leaf_value(item, values, count);
    }
    return results[order.count - 1];
}
