#include "sim/facts.h"

static struct fact *find(const struct facts *facts, const char *term)
{
    for (size_t i = 0; i < facts->items.count; i++)
        if (!strcmp(facts->items.items[i].term, term))
            return &facts->items.items[i];
    return NULL;
}

const struct fact *facts_about(const struct facts *facts, const char *term)
{
    return find(facts, term);
}

static bool is_listed(const struct fact *fact, uint32_t value)
{
    for (size_t i = 0; i < fact->excluded.count; i++)
        if (fact->excluded.items[i] == value)
            return true;
    return false;
}

static bool is_excluded(const struct fact *fact, uint32_t value)
{
    if (value < fact->low || value > fact->high || (value & fact->clear))
        return true;
    if (is_listed(fact, value))
        return true;
    for (size_t i = 0; i < fact->some_bit.count; i++)
        if (!(value & fact->some_bit.items[i]))
            return true;
    return false;
}

static enum outcome whether(bool yes, bool no)
{
    return yes ? OUTCOME_TRUE : no ? OUTCOME_FALSE : OUTCOME_OPEN;
}

static enum outcome decides_bits(const struct fact *fact, uint32_t mask)
{
    bool set = fact->low == fact->high && (fact->low & mask);
    for (size_t i = 0; i < fact->some_bit.count; i++)
        set = set || !(fact->some_bit.items[i] & ~fact->clear & ~mask);
    bool none = !(mask & ~fact->clear) || (fact->low == fact->high && !(fact->low & mask));
    return whether(set, none);
}

enum outcome fact_decides(const struct fact *fact, enum operation test, uint32_t constant)
{
    if (!fact)
        return OUTCOME_OPEN;
    switch (test) {
    case OP_JUMP_EQUAL:
        return whether(fact->low == fact->high && fact->low == constant,
                       is_excluded(fact, constant));
    case OP_JUMP_GREATER:
        return whether(fact->low > constant, fact->high <= constant);
    case OP_JUMP_GREATER_EQUAL:
        return whether(fact->low >= constant, fact->high < constant);
    default:
        return decides_bits(fact, constant);
    }
}

/* Values at the ends that were excluded before are outside now. */
static void trim(struct fact *fact)
{
    while (fact->low < fact->high && is_listed(fact, fact->low))
        fact->low++;
    while (fact->low < fact->high && is_listed(fact, fact->high))
        fact->high--;
}

static void raise_low(struct fact *fact, uint32_t low)
{
    if (low > fact->low)
        fact->low = low;
}

static void lower_high(struct fact *fact, uint32_t high)
{
    if (high < fact->high)
        fact->high = high;
}

static void exclude(struct arena *arena, struct fact *fact, uint32_t value)
{
    if (is_excluded(fact, value))
        return;
    if (value == fact->low)
        fact->low++;
    else if (value == fact->high)
        fact->high--;
    else
        vector_push(arena, &fact->excluded, value);
}

/* What came out true of a real value can never make the interval empty, nor step over its ends. */
void facts_add(struct facts *facts, const char *term, enum operation test, uint32_t constant,
               bool holds)
{
    struct fact *fact = find(facts, term);
    if (!fact) {
        struct fact fresh = {.term = term, .high = UINT32_MAX};
        vector_push(facts->arena, &facts->items, fresh);
        fact = &facts->items.items[facts->items.count - 1];
    }
    if (fact_decides(fact, test, constant) != OUTCOME_OPEN)
        return;
    if (test == OP_JUMP_EQUAL && holds)
        fact->low = fact->high = constant;
    else if (test == OP_JUMP_EQUAL)
        exclude(facts->arena, fact, constant);
    else if (test == OP_JUMP_GREATER && holds)
        raise_low(fact, constant + 1);
    else if (test == OP_JUMP_GREATER)
        lower_high(fact, constant);
    else if (test == OP_JUMP_GREATER_EQUAL && holds)
        raise_low(fact, constant);
    else if (test == OP_JUMP_GREATER_EQUAL)
        lower_high(fact, constant - 1);
    else if (holds)
        vector_push(facts->arena, &fact->some_bit, constant);
    else
        fact->clear |= constant;
    trim(fact);
}

static void print_interval(struct buffer *out, const struct fact *fact, const char *term)
{
    if (fact->low > 0 && fact->high < UINT32_MAX)
        buffer_printf(out, "0x%x <= %s <= 0x%x", fact->low, term, fact->high);
    else if (fact->low > 0)
        buffer_printf(out, "%s >= 0x%x", term, fact->low);
    else if (fact->high < UINT32_MAX)
        buffer_printf(out, "%s <= 0x%x", term, fact->high);
}

static void print_excluded(struct buffer *out, const struct fact *fact, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < fact->excluded.count; i++)
        count += fact->excluded.items[i] >= fact->low && fact->excluded.items[i] <= fact->high;
    if (count == 0)
        return;
    buffer_text(out, out->length ? " and not " : "not ");
    if (count > most) {
        buffer_printf(out, "%zu values", count);
        return;
    }
    const char *between = "";
    for (size_t i = 0; i < fact->excluded.count; i++) {
        uint32_t value = fact->excluded.items[i];
        if (value < fact->low || value > fact->high)
            continue;
        buffer_printf(out, "%s0x%x", between, value);
        between = ", ";
    }
}

static void print_bits(struct buffer *out, const struct fact *fact, size_t most)
{
    if (fact->clear)
        buffer_printf(out, "%sno bit of 0x%x set", out->length ? ", " : "", fact->clear);
    for (size_t i = 0; i < fact->some_bit.count && i < most; i++)
        buffer_printf(out, "%sa bit of 0x%x set", out->length ? ", " : "", fact->some_bit.items[i]);
    if (fact->some_bit.count > most)
        buffer_printf(out, ", and of %zu more masks", fact->some_bit.count - most);
}

const char *fact_text(struct arena *arena, const struct fact *fact, size_t most)
{
    struct buffer out = buffer_new(arena);
    const char *term =
        strchr(fact->term, ' ') ? arena_printf(arena, "(%s)", fact->term) : fact->term;
    if (fact->low == fact->high)
        return arena_printf(arena, "%s == 0x%x", term, fact->low);
    print_interval(&out, fact, term);
    print_excluded(&out, fact, most);
    print_bits(&out, fact, most);
    if (fact->low > 0 || fact->high < UINT32_MAX)
        return buffer_string(&out);
    return out.length ? arena_printf(arena, "%s: %s", term, buffer_string(&out)) : NULL;
}
