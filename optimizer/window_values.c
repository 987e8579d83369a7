/* The values of a window, and the tests that tell them apart. */
#include <string.h>

#include "optimizer/window.h"

/* ---- values -------------------------------------------------------------------------------- */

static void note_cares(struct window *window)
{
    const struct search *search = window->search;
    uint32_t top = window->base + (window->span - 1);
    window->cares = search->cares ? 0 : bits_between(0, window->span);
    for (size_t i = 0; i < search->care_count && search->cares[i].first <= top; i++) {
        struct value_range range = search->cares[i];
        if (range.last < window->base)
            continue;
        range.first = range.first > window->base ? range.first : window->base;
        range.last = range.last < top ? range.last : top;
        window->cares |= bits_between(range.first - window->base, range.last - window->base + 1);
    }
}

static bool note_targets(struct window *window, size_t first, size_t last)
{
    const struct outcome *runs = window->search->runs;
    for (size_t i = first; i <= last; i++) {
        unsigned target = 0;
        while (target < window->target_count && window->targets[target] != runs[i].target)
            target++;
        if (target == TARGETS_MOST)
            return false;
        if (target == window->target_count)
            window->targets[window->target_count++] = runs[i].target;
        unsigned begin = runs[i].first - window->base, end = runs[i].last - window->base + 1;
        window->boundaries |= (uint64_t)1 << begin;
        window->sets[target] |= bits_between(begin, end);
        window->leading |= block_leads_on(runs[i].target) ? bits_between(begin, end) : 0;
        memset(&window->target_of[begin], (int)target, end - begin);
    }
    return true;
}

static void note_weights(struct window *window, size_t first, size_t last)
{
    const struct search *search = window->search;
    double weights[WINDOW_SPAN] = {0};
    for (size_t i = search->value_before[first]; i < search->value_before[last + 1]; i++)
        weights[search->values[i].value - window->base] += search->values[i].weight;
    for (unsigned part = 0; part * 4 < window->span; part++) {
        double *sums = window->weights[part];
        for (unsigned bit = 4; bit-- > 0;) /* sets whose lowest bit it is */
            for (unsigned set = 1u << bit; set < 16; set += 2u << bit)
                sums[set] = sums[set - (1u << bit)] + weights[part * 4 + bit];
    }
}

/* The values from `base` on that have a bit set; each bit's groups of equal values begin at
 * multiples of their size. */
static uint64_t column_of(const struct window *window, unsigned bit)
{
    uint64_t column = 0;
    uint32_t size = 1u << bit;
    for (unsigned at = 0, end; at < window->span; at = end) {
        uint32_t value = window->base + at;
        uint32_t left = size - (value & (size - 1));
        end = left < window->span - at ? at + left : window->span;
        if (value & size)
            column |= bits_between(at, end);
    }
    return column;
}

/* The bits in which values of the window differ. False: too many. */
static bool note_bits(struct window *window)
{
    uint32_t differ = window->base ^ (window->base + (window->span - 1));
    window->bits = 32 - (unsigned)__builtin_clz(differ);
    if (window->bits > MASK_BITS_MOST)
        return false;
    for (unsigned bit = 0; bit < window->bits; bit++)
        window->columns[bit] = column_of(window, bit);
    return true;
}

bool window_note_values(struct window *window, size_t first, size_t last)
{
    if (!note_targets(window, first, last) || !note_bits(window))
        return false;
    note_cares(window);
    note_weights(window, first, last);
    return true;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Which side of a mask test holds matters where jumps count; a comparison can be turned round. */
static bool says_no_more(const struct window *window, const struct window_test *known, uint64_t yes)
{
    return known->yes == yes || known->test != TEST_SET || window->jump == 0;
}

/* Of tests that tell the values that can occur apart in the same way the first is kept:
 * comparisons come before masks. */
static void add_test(struct window *window, uint64_t yes, enum test_operation test,
                     uint32_t constant)
{
    yes &= window->cares;
    if (!yes || yes == window->cares)
        return;
    uint64_t no = window->cares & ~yes, same = yes < no ? yes : no;
    size_t slot = (size_t)((same * 0x9e3779b97f4a7c15u) >> 32) % TEST_SLOTS;
    for (; window->test_slots[slot]; slot = (slot + 1) % TEST_SLOTS) {
        const struct window_test *known = &window->tests[window->test_slots[slot] - 1];
        if ((known->yes == yes || known->yes == no) && says_no_more(window, known, yes))
            return;
    }
    window->tests[window->test_count++] = (struct window_test){yes, test, constant};
    window->test_slots[slot] = (uint16_t)window->test_count;
}

/* A value from the inside of a long run is rarely worth a test of its own. */
static bool beside_boundary(const struct window *window, unsigned at)
{
    bool begins = at == 0 || window->boundaries >> at & 1;
    bool ends = at + 1 == window->span || window->boundaries >> (at + 1) & 1;
    return begins && ends;
}

/* Bits that are clear in all values that can occur, set in all, or the same as a lower bit, make no
 * test that smaller masks do not make. */
static unsigned bits_that_tell(const struct window *window, unsigned *told)
{
    unsigned count = 0;
    for (unsigned bit = 0; bit < window->bits; bit++) {
        uint64_t column = window->columns[bit] & window->cares;
        bool tells = column && column != window->cares;
        for (unsigned i = 0; i < count && tells; i++)
            tells = column != (window->columns[told[i]] & window->cares);
        if (tells)
            told[count++] = bit;
    }
    return count;
}

void window_note_tests(struct window *window)
{
    memset(window->test_slots, 0, sizeof window->test_slots);
    bool whole = window->span <= WINDOW_SPAN_EXHAUSTED;
    bool all = window->search->cares || whole;
    for (unsigned at = 1; at < window->span; at++) {
        if (whole || window->boundaries >> at & 1)
            add_test(window, bits_between(at, 64), TEST_GREATER_EQUAL, window->base + at);
    }
    for (unsigned at = 0; at < window->span; at++) {
        if (all || beside_boundary(window, at))
            add_test(window, (uint64_t)1 << at, TEST_EQUAL, window->base + at);
    }
    unsigned told[MASK_BITS_MOST], count = bits_that_tell(window, told);
    uint32_t masks[1u << MASK_BITS_MOST];  /* by choice of these bits */
    uint64_t masked[1u << MASK_BITS_MOST]; /* the values that have one of them */
    masks[0] = 0;
    masked[0] = 0;
    for (uint32_t chosen = 1; chosen < 1u << count; chosen++) {
        unsigned bit = told[__builtin_ctz(chosen)];
        uint32_t rest = chosen & (chosen - 1);
        masks[chosen] = masks[rest] | 1u << bit;
        masked[chosen] = masked[rest] | window->columns[bit];
        add_test(window, masked[chosen], TEST_SET, masks[chosen]);
    }
}
