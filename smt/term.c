/* The hash-consing table: every term is made here, once. */
#include "smt/internal.h"

#define CAPACITY_FIRST 1024u

struct terms *terms_new(struct arena *arena)
{
    struct terms *terms = NEW(arena, struct terms);
    terms->arena = arena;
    terms->capacity = CAPACITY_FIRST;
    terms->slots = NEW_ARRAY(arena, const struct term *, terms->capacity);
    return terms;
}

size_t terms_count(const struct terms *terms)
{
    return terms->count;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_shape(const struct term *term)
{
    uint64_t hash = mix((uint64_t)term->kind << 8 | term->bits, term->value);
    for (unsigned i = 0; i < term->child_count; i++)
        hash = mix(hash, term->children[i]->id);
    return hash;
}

static bool same_shape(const struct term *a, const struct term *b)
{
    return a->kind == b->kind && a->bits == b->bits && a->value == b->value &&
           a->child_count == b->child_count && a->children[0] == b->children[0] &&
           a->children[1] == b->children[1] && a->children[2] == b->children[2];
}

static void grow(struct terms *terms)
{
    size_t capacity = terms->capacity * 2;
    const struct term **slots = NEW_ARRAY(terms->arena, const struct term *, capacity);
    for (size_t i = 0; i < terms->capacity; i++) {
        if (!terms->slots[i])
            continue;
        size_t at = hash_shape(terms->slots[i]) & (capacity - 1);
        while (slots[at])
            at = (at + 1) & (capacity - 1);
        slots[at] = terms->slots[i];
    }
    terms->slots = slots;
    terms->capacity = capacity;
}

static const struct term *intern(struct terms *terms, const struct term *shape)
{
    size_t at = hash_shape(shape) & (terms->capacity - 1);
    for (; terms->slots[at]; at = (at + 1) & (terms->capacity - 1))
        if (same_shape(terms->slots[at], shape))
            return terms->slots[at];
    struct term *term = arena_copy(terms->arena, shape, sizeof *shape);
    term->id = (uint32_t)terms->count++;
    terms->slots[at] = term;
    if (terms->count * 2 > terms->capacity)
        grow(terms);
    return term;
}

const struct term *term_intern(struct terms *terms, enum term_kind kind, unsigned bits,
                               uint64_t value, const struct term *const *children,
                               unsigned child_count)
{
    struct term shape = {.kind = kind, .bits = (uint8_t)bits, .value = value};
    shape.child_count = (uint8_t)child_count;
    shape.has_apply = kind == TERM_APPLY;
    for (unsigned i = 0; i < child_count; i++) {
        shape.children[i] = children[i];
        shape.uses |= children[i]->uses;
        shape.has_apply |= children[i]->has_apply;
    }
    return intern(terms, &shape);
}

const struct term *term_constant(struct terms *terms, unsigned bits, uint64_t value)
{
    return term_intern(terms, TERM_CONSTANT, bits, value & ones(bits), NULL, 0);
}

const struct term *term_bool(struct terms *terms, bool value)
{
    return term_constant(terms, 1, value);
}

const struct term *term_variable(struct terms *terms, unsigned bits, uint32_t number,
                                 const char *name)
{
    struct term shape = {.kind = TERM_VARIABLE, .bits = (uint8_t)bits, .value = number};
    shape.uses = UINT32_C(1) << (number < 31 ? number : 31);
    shape.name = name;
    return intern(terms, &shape);
}

bool term_has_apply(const struct term *term)
{
    return term->has_apply;
}

/* ---- order ---------------------------------------------------------------------------------- */

static size_t slot_of(const struct term_order *order, const struct term *term)
{
    size_t at = (term->id * UINT32_C(0x9e3779b1)) & (order->capacity - 1);
    while (order->keys[at] && order->keys[at] != term)
        at = (at + 1) & (order->capacity - 1);
    return at;
}

static void order_grow(struct arena *arena, struct term_order *order)
{
    order->capacity = order->capacity ? order->capacity * 2 : 64;
    order->keys = NEW_ARRAY(arena, const struct term *, order->capacity);
    order->indices = NEW_ARRAY(arena, uint32_t, order->capacity);
    const struct term **items = NEW_ARRAY(arena, const struct term *, order->capacity / 2);
    if (order->count)
        memcpy(items, order->items, order->count * sizeof *items);
    order->items = items;
    for (size_t i = 0; i < order->count; i++) {
        size_t at = slot_of(order, order->items[i]);
        order->keys[at] = order->items[i];
        order->indices[at] = (uint32_t)i;
    }
}

static bool order_has(const struct term_order *order, const struct term *term)
{
    return order->keys[slot_of(order, term)] != NULL;
}

static void order_add(struct arena *arena, struct term_order *order, const struct term *term)
{
    if ((order->count + 1) * 2 > order->capacity)
        order_grow(arena, order);
    size_t at = slot_of(order, term);
    order->keys[at] = term;
    order->indices[at] = (uint32_t)order->count;
    order->items[order->count++] = term;
}

uint32_t order_index(const struct term_order *order, const struct term *term)
{
    return order->indices[slot_of(order, term)];
}

/* Depth first with a stack of our own: a chain of conditions is thousands deep. */
struct term_order term_order(struct arena *arena, const struct term *root)
{
    struct term_order order = {0};
    VECTOR(const struct term *) stack = {0};
    order_grow(arena, &order);
    vector_push(arena, &stack, root);
    while (stack.count) {
        const struct term *term = stack.items[stack.count - 1];
        size_t waiting = stack.count;
        if (!order_has(&order, term))
            for (unsigned i = 0; i < term->child_count; i++)
                if (!order_has(&order, term->children[i]))
                    vector_push(arena, &stack, term->children[i]);
        if (stack.count > waiting)
            continue;
        stack.count--;
        if (!order_has(&order, term))
            order_add(arena, &order, term);
    }
    return order;
}
