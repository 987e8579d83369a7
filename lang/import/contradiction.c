#include "lang/import/comparison.h"

static bool satisfied(const struct import_comparison *c, uint64_t value)
{
    switch (c->operator) {
    case IMPORT_NE:
        return value != c->value;
    case IMPORT_LT:
        return value < c->value;
    case IMPORT_LE:
        return value <= c->value;
    case IMPORT_EQ:
        return value == c->value;
    case IMPORT_GE:
        return value >= c->value;
    case IMPORT_GT:
        return value > c->value;
    case IMPORT_MASKED_EQ:
        return (value & c->value) == (c->value_two & c->value);
    }
    return false;
}

/* The values that an order comparison lets through; false for the others, and when there are none.
 */
static bool range_of(const struct import_comparison *c, struct interval *range)
{
    *range = (struct interval){0, UINT64_MAX};
    if (c->operator== IMPORT_LT && c->value)
        range->last = c->value - 1;
    else if (c->operator== IMPORT_LE)
        range->last = c->value;
    else if (c->operator== IMPORT_GE)
        range->first = c->value;
    else if (c->operator== IMPORT_GT && c->value<UINT64_MAX)
        range->first = c->value + 1;
    else
        return false;
    return true;
}

bool import_contradict(const struct import_comparison *a, const struct import_comparison *b)
{
    struct interval range_a, range_b;
    if (a->index != b->index || a->bits != b->bits)
        return false;
    if (a->operator== IMPORT_EQ)
        return !satisfied(b, a->value);
    if (b->operator== IMPORT_EQ)
        return !satisfied(a, b->value);
    if (a->operator== IMPORT_MASKED_EQ && b->operator== IMPORT_MASKED_EQ)
        return ((a->value_two ^ b->value_two) & a->value & b->value) != 0;
    return range_of(a, &range_a) && range_of(b, &range_b) &&
           (range_a.last < range_b.first || range_b.last < range_a.first);
}

bool import_contradicts_itself(const struct import_comparisons *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < i; j++)
            if (import_contradict(&all->items[i], &all->items[j]))
                return true;
    return false;
}
