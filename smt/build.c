/* Constructors: sorts are checked, constants folded, identities applied. What is canonical after
 * this:
 *  - constants stand on the right; commutative operands are in order of creation;
 *  - only TERM_UNSIGNED_LESS and TERM_SIGNED_LESS are left of the four order relations, and an
 * unsigned one against a constant reads `x < c` with 1 < c < all ones;
 *  - a condition of TERM_IF is never a negation. */
#include "smt/internal.h"

#include <stdlib.h>

static const struct term *make1(struct terms *terms, enum term_kind kind, unsigned bits,
                                const struct term *a)
{
    return term_intern(terms, kind, bits, 0, &a, 1);
}

static const struct term *make2(struct terms *terms, enum term_kind kind, unsigned bits,
                                const struct term *a, const struct term *b)
{
    const struct term *children[2] = {a, b};
    return term_intern(terms, kind, bits, 0, children, 2);
}

static bool is_value(const struct term *term, uint64_t value)
{
    return term->kind == TERM_CONSTANT && term->value == value;
}

static bool is_single_bit(uint64_t value)
{
    return value && !(value & (value - 1));
}

/* A sort that does not fit is a bug of the caller, never of an input. */
static void require(bool fits)
{
    if (!fits)
        abort();
}

static bool is_relation(enum term_kind kind)
{
    return kind >= TERM_EQUAL && kind <= TERM_SIGNED_LESS_EQUAL;
}

static unsigned result_bits(enum term_kind kind, const struct term *a, const struct term *b)
{
    if (kind == TERM_CONCAT)
        return (unsigned)a->bits + b->bits;
    return is_relation(kind) ? 1 : a->bits;
}

static const struct term *folded(struct terms *terms, enum term_kind kind, const struct term *a,
                                 const struct term *b)
{
    struct term shape = {.kind = kind, .bits = (uint8_t)result_bits(kind, a, b ? b : a)};
    shape.children[0] = a;
    shape.children[1] = b;
    uint64_t values[3] = {a->value, b ? b->value : 0, 0};
    return term_constant(terms, shape.bits, operator_value(&shape, values));
}

/* ---- Boolean ----------------------------------------------------------------------------------
 */

const struct term *term_not(struct terms *terms, const struct term *a)
{
    require(a->bits == 1);
    if (term_is_constant(a))
        return term_bool(terms, !a->value);
    if (a->kind == TERM_NOT)
        return a->children[0];
    return make1(terms, TERM_NOT, 1, a);
}

static bool are_opposite(const struct term *a, const struct term *b)
{
    return (a->kind == TERM_NOT && a->children[0] == b) ||
           (b->kind == TERM_NOT && b->children[0] == a);
}

/* (p and c) or (p and not c) is p, and so with and for or: what is left where two branches meet. */
static const struct term *resolved(enum term_kind kind, const struct term *a, const struct term *b)
{
    enum term_kind inner = kind == TERM_AND ? TERM_OR : TERM_AND;
    if (a->kind != inner || b->kind != inner)
        return NULL;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 2; j++)
            if (a->children[i] == b->children[j] &&
                are_opposite(a->children[1 - i], b->children[1 - j]))
                return a->children[i];
    return NULL;
}

/* `neutral` is what changes nothing: true for and, false for or. */
static const struct term *make_connective(struct terms *terms, enum term_kind kind,
                                          const struct term *a, const struct term *b)
{
    bool neutral = kind == TERM_AND;
    if (term_is_constant(a))
        return (a->value != 0) == neutral ? b : a;
    if (term_is_constant(b))
        return (b->value != 0) == neutral ? a : b;
    if (a == b)
        return a;
    if (are_opposite(a, b))
        return term_bool(terms, !neutral);
    const struct term *simpler = resolved(kind, a, b);
    return simpler ? simpler : make2(terms, kind, 1, a, b);
}

/* ---- relations ----------------------------------------------------------------------------------
 */

static const struct term *relate(struct terms *terms, enum term_kind kind, const struct term *a,
                                 const struct term *b)
{
    return term_binary(terms, kind, a, b);
}

/* if(c, k1, k2) R k, with three constants, is c, its negation, or a constant. */
static const struct term *relate_choice(struct terms *terms, enum term_kind kind,
                                        const struct term *a, const struct term *b)
{
    return term_if(terms, a->children[0], relate(terms, kind, a->children[1], b),
                   relate(terms, kind, a->children[2], b));
}

static bool is_constant_choice(const struct term *term)
{
    return term->kind == TERM_IF && term_is_constant(term->children[1]) &&
           term_is_constant(term->children[2]);
}

/* (x & m) == c */
static const struct term *equal_masked(struct terms *terms, const struct term *a,
                                       const struct term *b)
{
    const struct term *x = a->children[0];
    uint64_t mask = a->children[1]->value;
    uint64_t all = ones(a->bits);
    if (b->value & ~mask)
        return term_bool(terms, false);
    if (is_single_bit(mask) && b->value)
        return term_not(terms, relate(terms, TERM_EQUAL, a, term_constant(terms, a->bits, 0)));
    uint64_t low = ~mask & all;
    bool is_high_mask = !(low & (low + 1));
    if (is_high_mask && b->value == 0)
        return relate(terms, TERM_UNSIGNED_LESS, x, term_constant(terms, a->bits, low + 1));
    if (is_high_mask && b->value == mask)
        return term_not(terms, relate(terms, TERM_UNSIGNED_LESS, x, b));
    return make2(terms, TERM_EQUAL, 1, a, b);
}

static const struct term *equal_halves(struct terms *terms, const struct term *a,
                                       const struct term *b)
{
    unsigned low_bits = a->children[1]->bits;
    const struct term *high = term_constant(terms, a->children[0]->bits, b->value >> low_bits);
    const struct term *low = term_constant(terms, low_bits, b->value);
    return term_binary(terms, TERM_AND, relate(terms, TERM_EQUAL, a->children[0], high),
                       relate(terms, TERM_EQUAL, a->children[1], low));
}

/* What adds or flips a constant moves to the other side; a loop, since such chains are as long as a
 * program. */
static void move_constants(struct terms *terms, const struct term **a, const struct term **b)
{
    for (; (*a)->kind == TERM_ADD || (*a)->kind == TERM_BIT_XOR; *a = (*a)->children[0]) {
        if (!term_is_constant((*a)->children[1]))
            return;
        uint64_t moved = (*a)->children[1]->value;
        uint64_t value = (*a)->kind == TERM_ADD ? (*b)->value - moved : (*b)->value ^ moved;
        *b = term_constant(terms, (*b)->bits, value);
    }
}

static const struct term *equal_constant(struct terms *terms, const struct term *a,
                                         const struct term *b)
{
    if (a->bits == 1)
        return b->value ? a : term_not(terms, a);
    move_constants(terms, &a, &b);
    if (is_constant_choice(a))
        return relate_choice(terms, TERM_EQUAL, a, b);
    if (a->kind == TERM_CONCAT)
        return equal_halves(terms, a, b);
    if (a->kind == TERM_BIT_AND && term_is_constant(a->children[1]))
        return equal_masked(terms, a, b);
    return make2(terms, TERM_EQUAL, 1, a, b);
}

static const struct term *make_equal(struct terms *terms, const struct term *a,
                                     const struct term *b)
{
    if (a == b)
        return term_bool(terms, true);
    if (term_is_constant(a)) {
        const struct term *swap = a;
        a = b;
        b = swap;
    }
    if (term_is_constant(b))
        return equal_constant(terms, a, b);
    return a->id < b->id ? make2(terms, TERM_EQUAL, 1, a, b) : make2(terms, TERM_EQUAL, 1, b, a);
}

/* x < c */
static const struct term *less_than_constant(struct terms *terms, const struct term *a,
                                             const struct term *b)
{
    uint64_t all = ones(a->bits);
    if (b->value == 0)
        return term_bool(terms, false);
    if (b->value == 1)
        return relate(terms, TERM_EQUAL, a, term_constant(terms, a->bits, 0));
    if (b->value == all)
        return term_not(terms, relate(terms, TERM_EQUAL, a, b));
    if (is_constant_choice(a))
        return relate_choice(terms, TERM_UNSIGNED_LESS, a, b);
    if (a->kind == TERM_BIT_AND && term_is_constant(a->children[1]) &&
        a->children[1]->value < b->value)
        return term_bool(terms, true);
    return make2(terms, TERM_UNSIGNED_LESS, 1, a, b);
}

static const struct term *make_less(struct terms *terms, const struct term *a, const struct term *b)
{
    if (a == b)
        return term_bool(terms, false);
    if (term_is_constant(b))
        return less_than_constant(terms, a, b);
    if (!term_is_constant(a))
        return make2(terms, TERM_UNSIGNED_LESS, 1, a, b);
    if (a->value == ones(a->bits))
        return term_bool(terms, false);
    return term_not(
        terms, relate(terms, TERM_UNSIGNED_LESS, b, term_constant(terms, a->bits, a->value + 1)));
}

static const struct term *make_relation(struct terms *terms, enum term_kind kind,
                                        const struct term *a, const struct term *b)
{
    switch (kind) {
    case TERM_EQUAL:
        return make_equal(terms, a, b);
    case TERM_UNSIGNED_LESS:
        return make_less(terms, a, b);
    case TERM_UNSIGNED_LESS_EQUAL:
        return term_not(terms, make_less(terms, b, a));
    case TERM_SIGNED_LESS:
        return a == b ? term_bool(terms, false) : make2(terms, kind, 1, a, b);
    default: /* TERM_SIGNED_LESS_EQUAL */
        return term_not(terms, relate(terms, TERM_SIGNED_LESS, b, a));
    }
}

/* ---- bit-vectors
 * ---------------------------------------------------------------------------------- */

static bool is_commutative(enum term_kind kind)
{
    return kind == TERM_ADD || kind == TERM_MUL || kind == TERM_BIT_AND || kind == TERM_BIT_OR ||
           kind == TERM_BIT_XOR;
}

/* (x op c1) op c2 */
static const struct term *make_associated(struct terms *terms, enum term_kind kind,
                                          const struct term *a, const struct term *b)
{
    const struct term *constant = folded(terms, kind, a->children[1], b);
    return term_binary(terms, kind, a->children[0], constant);
}

static const struct term *with_constant(struct terms *terms, enum term_kind kind,
                                        const struct term *a, const struct term *b)
{
    bool is_zero = b->value == 0;
    bool is_ones = b->value == ones(a->bits);
    if (is_zero && (kind == TERM_BIT_AND || kind == TERM_MUL))
        return b;
    if (is_zero && kind != TERM_UNSIGNED_DIV)
        return a; /* add, sub, or, xor, shifts */
    if (is_ones && (kind == TERM_BIT_AND || kind == TERM_BIT_OR))
        return kind == TERM_BIT_AND ? a : b;
    if (is_value(b, 1) && (kind == TERM_MUL || kind == TERM_UNSIGNED_DIV))
        return a;
    if (kind == TERM_SUB)
        return term_binary(terms, TERM_ADD, a, term_constant(terms, a->bits, 0 - b->value));
    if (is_constant_choice(a))
        return term_if(terms, a->children[0], folded(terms, kind, a->children[1], b),
                       folded(terms, kind, a->children[2], b));
    if (is_commutative(kind) && a->kind == kind && term_is_constant(a->children[1]))
        return make_associated(terms, kind, a, b);
    return make2(terms, kind, a->bits, a, b);
}

static const struct term *make_arithmetic(struct terms *terms, enum term_kind kind,
                                          const struct term *a, const struct term *b)
{
    if (is_commutative(kind) && (term_is_constant(a) || (!term_is_constant(b) && a->id > b->id))) {
        const struct term *swap = a;
        a = b;
        b = swap;
    }
    if (term_is_constant(b))
        return with_constant(terms, kind, a, b);
    if (a == b && (kind == TERM_BIT_AND || kind == TERM_BIT_OR))
        return a;
    if (a == b && (kind == TERM_BIT_XOR || kind == TERM_SUB))
        return term_constant(terms, a->bits, 0);
    return make2(terms, kind, a->bits, a, b);
}

const struct term *term_binary(struct terms *terms, enum term_kind kind, const struct term *a,
                               const struct term *b)
{
    if (kind == TERM_CONCAT) {
        require(a->bits > 1 && b->bits > 1 && a->bits + b->bits <= 64);
        if (term_is_constant(a) && term_is_constant(b))
            return folded(terms, kind, a, b);
        return make2(terms, kind, (unsigned)a->bits + b->bits, a, b);
    }
    bool is_boolean = kind == TERM_AND || kind == TERM_OR;
    bool is_arithmetic = (kind >= TERM_ADD && kind <= TERM_SHIFT_RIGHT);
    require(a->bits == b->bits && (is_boolean || is_relation(kind) || is_arithmetic));
    require(is_boolean ? a->bits == 1 : a->bits > 1 || kind == TERM_EQUAL);
    if (term_is_constant(a) && term_is_constant(b))
        return folded(terms, kind, a, b);
    if (is_boolean)
        return make_connective(terms, kind, a, b);
    return is_relation(kind) ? make_relation(terms, kind, a, b)
                             : make_arithmetic(terms, kind, a, b);
}

const struct term *term_unary(struct terms *terms, enum term_kind kind, const struct term *a)
{
    if (kind == TERM_NOT)
        return term_not(terms, a);
    require((kind == TERM_BIT_NOT || kind == TERM_NEGATE) && a->bits > 1);
    if (term_is_constant(a))
        return folded(terms, kind, a, NULL);
    if (a->kind == kind)
        return a->children[0];
    return make1(terms, kind, a->bits, a);
}

/* ---- choice, parts, shifts
 * ---------------------------------------------------------------------------- */

static const struct term *choose_boolean(struct terms *terms, const struct term *condition,
                                         const struct term *yes, const struct term *no)
{
    if (term_is_constant(yes))
        return yes->value ? term_binary(terms, TERM_OR, condition, no)
                          : term_binary(terms, TERM_AND, term_not(terms, condition), no);
    if (term_is_constant(no))
        return no->value ? term_binary(terms, TERM_OR, term_not(terms, condition), yes)
                         : term_binary(terms, TERM_AND, condition, yes);
    return NULL;
}

const struct term *term_if(struct terms *terms, const struct term *condition,
                           const struct term *yes, const struct term *no)
{
    require(condition->bits == 1 && yes->bits == no->bits);
    if (term_is_constant(condition))
        return condition->value ? yes : no;
    if (condition->kind == TERM_NOT)
        return term_if(terms, condition->children[0], no, yes);
    if (yes->kind == TERM_IF && yes->children[0] == condition)
        yes = yes->children[1];
    if (no->kind == TERM_IF && no->children[0] == condition)
        no = no->children[2];
    if (yes == no)
        return yes;
    const struct term *boolean = yes->bits == 1 ? choose_boolean(terms, condition, yes, no) : NULL;
    if (boolean)
        return boolean;
    const struct term *children[3] = {condition, yes, no};
    return term_intern(terms, TERM_IF, yes->bits, 0, children, 3);
}

const struct term *term_extract(struct terms *terms, const struct term *a, unsigned low,
                                unsigned bits)
{
    require(a->bits > 1 && bits > 1 && low + bits <= a->bits);
    if (bits == a->bits)
        return a;
    if (term_is_constant(a))
        return term_constant(terms, bits, a->value >> low);
    if (a->kind == TERM_EXTRACT)
        return term_extract(terms, a->children[0], low + (unsigned)a->value, bits);
    if (a->kind == TERM_CONCAT && low + bits <= a->children[1]->bits)
        return term_extract(terms, a->children[1], low, bits);
    if (a->kind == TERM_CONCAT && low >= a->children[1]->bits)
        return term_extract(terms, a->children[0], low - a->children[1]->bits, bits);
    return term_intern(terms, TERM_EXTRACT, bits, low, &a, 1);
}

const struct term *term_apply(struct terms *terms, unsigned function, const struct term *a,
                              const struct term *b)
{
    require(function < APPLY_COUNT && a->bits == 32 && b->bits == 32);
    const struct term *children[2] = {a, b};
    return term_intern(terms, TERM_APPLY, 32, function, children, 2);
}

const struct term *term_shift(struct terms *terms, bool left, const struct term *a,
                              const struct term *b)
{
    require(a->bits == 32 && b->bits == 32);
    enum term_kind kind = left ? TERM_SHIFT_LEFT : TERM_SHIFT_RIGHT;
    const struct term *within =
        term_binary(terms, TERM_UNSIGNED_LESS, b, term_constant(terms, 32, 32));
    if (term_is_true(within))
        return term_binary(terms, kind, a, b);
    const struct term *beyond = term_apply(terms, left ? APPLY_SHIFT_LEFT : APPLY_SHIFT_RIGHT, a, b);
    return term_is_false(within) ? beyond
                                 : term_if(terms, within, term_binary(terms, kind, a, b), beyond);
}
