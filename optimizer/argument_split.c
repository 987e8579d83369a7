/* The ways in which one test can part a set of samples: JEQ with each value, JGE between each two
 * of them, JSET with every set of digits. Those that part the set in the same way are one. */
#include <string.h>

#include "optimizer/argument_split.h"

bool leaf_for(const struct synthesis *synthesis, struct sample_set set, unsigned *leaf)
{
    for (unsigned i = 0; i < synthesis->leaf_count; i++) {
        if (samples_within(set, synthesis->right[i])) {
            *leaf = i;
            return true;
        }
    }
    return false;
}

/* A constant for JGE between two values: where an outcome begins, else as round as can be. */
static uint32_t bound_between(const struct synthesis *synthesis, uint32_t below, uint32_t above)
{
    for (size_t i = 0; i < synthesis->boundary_count; i++) {
        if (synthesis->boundaries[i] > below && synthesis->boundaries[i] <= above)
            return synthesis->boundaries[i];
    }
    unsigned differ = 31u - (unsigned)__builtin_clz(below ^ above);
    return above & ~((1u << differ) - 1);
}

/* ---- one test, computed --------------------------------------------------------------------- */

struct extent {
    uint32_t least, most, bits;
};

static struct extent extent_of(const struct synthesis *synthesis, struct sample_set set,
                               uint32_t mask)
{
    struct extent extent = {.least = WHOLE};
    for (unsigned i = samples_next(set, 0); i < SAMPLES_MOST; i = samples_next(set, i + 1)) {
        uint32_t value = synthesis->values[i] & mask;
        extent.least = value < extent.least ? value : extent.least;
        extent.most = value > extent.most ? value : extent.most;
        extent.bits |= value;
    }
    return extent;
}

static bool any_is(const struct synthesis *synthesis, struct sample_set set, uint32_t mask,
                   uint32_t value)
{
    for (unsigned i = samples_next(set, 0); i < SAMPLES_MOST; i = samples_next(set, i + 1)) {
        if ((synthesis->values[i] & mask) == value)
            return true;
    }
    return false;
}

static bool all_hit(const struct synthesis *synthesis, struct sample_set set, uint32_t bits)
{
    for (unsigned i = samples_next(set, 0); i < SAMPLES_MOST; i = samples_next(set, i + 1)) {
        if (!(synthesis->values[i] & bits))
            return false;
    }
    return true;
}

bool test_between(const struct synthesis *synthesis, struct sample_set yes, struct sample_set no,
                  uint32_t mask, enum test_operation *test, uint32_t *constant)
{
    struct extent in = extent_of(synthesis, yes, mask), out = extent_of(synthesis, no, mask);
    uint32_t bits = in.bits & ~out.bits;
    if (in.least == in.most && !any_is(synthesis, no, mask, in.least)) {
        *test = TEST_EQUAL;
        *constant = in.least;
        return true;
    }
    if (bits && all_hit(synthesis, yes, bits)) {
        *test = TEST_SET;
        *constant = bits;
        return true;
    }
    if (in.least > out.most) {
        *test = TEST_GREATER_EQUAL;
        *constant = bound_between(synthesis, out.most, in.least);
        return true;
    }
    return false;
}

/* ---- the ways to part a set ----------------------------------------------------------------- */

/* Once for each way, whichever side is `yes`. */
static void add_split(struct synthesis_depth *depth, struct sample_set set, struct sample_set yes,
                      enum test_operation test, uint32_t constant)
{
    struct sample_set no = samples_without(set, yes);
    if (samples_empty(yes) || samples_empty(no))
        return;
    struct sample_set first = samples_have(yes, samples_next(set, 0)) ? yes : no;
    size_t slot = hash_set(first) & (SPLIT_SLOTS - 1);
    for (; depth->slots[slot]; slot = (slot + 1) & (SPLIT_SLOTS - 1)) {
        struct sample_set other = depth->splits[depth->slots[slot] - 1].yes;
        if (samples_equal(other, yes) || samples_equal(other, no))
            return;
    }
    depth->splits[depth->count++] = (struct split){.yes = yes, .test = test, .constant = constant};
    depth->slots[slot] = (uint16_t)depth->count;
}

/* The samples of a set, rising by what A holds of them. */
static unsigned sort_masked(const struct synthesis *synthesis, struct sample_set set, uint32_t mask,
                            uint8_t *sorted)
{
    unsigned count = 0;
    for (unsigned i = 0; i < synthesis->count; i++) {
        if (samples_have(set, synthesis->order[i]))
            sorted[count++] = synthesis->order[i];
    }
    for (unsigned i = 1; mask != WHOLE && i < count; i++) {
        uint8_t sample = sorted[i];
        unsigned place = i;
        for (; place &&
               (synthesis->values[sorted[place - 1]] & mask) > (synthesis->values[sample] & mask);
             place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = sample;
    }
    return count;
}

static void split_by_value(const struct synthesis *synthesis, struct synthesis_depth *depth,
                           struct sample_set set, uint32_t mask)
{
    uint8_t sorted[SAMPLES_MOST];
    unsigned count = sort_masked(synthesis, set, mask, sorted);
    struct sample_set above = set;
    for (unsigned i = 0; i < count;) {
        uint32_t value = synthesis->values[sorted[i]] & mask;
        struct sample_set same = {{0}};
        if (i)
            add_split(depth, set, above, TEST_GREATER_EQUAL,
                      bound_between(synthesis, synthesis->values[sorted[i - 1]] & mask, value));
        for (; i < count && (synthesis->values[sorted[i]] & mask) == value; i++)
            samples_add(&same, sorted[i]);
        add_split(depth, set, same, TEST_EQUAL, value);
        above = samples_without(above, same);
    }
}

/* Digits whose samples are the same are one. */
static unsigned columns_of(const struct synthesis *synthesis, struct sample_set set, uint32_t mask,
                           struct sample_set *columns, uint32_t *bits)
{
    unsigned count = 0;
    for (unsigned digit = 0; digit < synthesis->digit_count; digit++) {
        struct sample_set column = {{0}};
        uint32_t within = synthesis->digits[digit] & mask;
        for (unsigned i = samples_next(set, 0); within && i < SAMPLES_MOST;
             i = samples_next(set, i + 1)) {
            if (synthesis->values[i] & within)
                samples_add(&column, i);
        }
        if (samples_empty(column))
            continue;
        unsigned same = 0;
        while (same < count && !samples_equal(columns[same], column))
            same++;
        columns[same] = column;
        bits[same] = (same == count ? 0 : bits[same]) | within;
        count += same == count;
    }
    return count;
}

static void split_by_bits(const struct synthesis *synthesis, struct synthesis_depth *depth,
                          struct sample_set set, uint32_t mask)
{
    struct sample_set columns[DIGITS_MOST];
    uint32_t bits[DIGITS_MOST];
    unsigned count = columns_of(synthesis, set, mask, columns, bits);
    depth->unions[0] = (struct sample_set){{0}};
    depth->masks[0] = 0;
    for (unsigned i = 1; i < 1u << count; i++) {
        unsigned column = (unsigned)__builtin_ctz(i);
        depth->unions[i] = samples_or(depth->unions[i & (i - 1)], columns[column]);
        depth->masks[i] = depth->masks[i & (i - 1)] | bits[column];
        add_split(depth, set, depth->unions[i], TEST_SET, depth->masks[i]);
    }
}

/* What is left after `peel` must not hold all of what is left after another one. */
static void add_peel(struct synthesis_depth *depth, const struct peel *peel)
{
    size_t kept = 0;
    for (size_t i = 0; i < depth->peel_count; i++) {
        if (samples_within(depth->peels[i].left, peel->left))
            return;
    }
    for (size_t i = 0; i < depth->peel_count; i++) {
        if (!samples_within(peel->left, depth->peels[i].left))
            depth->peels[kept++] = depth->peels[i];
    }
    depth->peels[kept++] = *peel;
    depth->peel_count = kept;
}

void find_splits(const struct synthesis *synthesis, struct synthesis_depth *depth,
                 struct sample_set set, uint32_t mask)
{
    depth->count = 0;
    memset(depth->slots, 0, sizeof depth->slots);
    split_by_value(synthesis, depth, set, mask);
    split_by_bits(synthesis, depth, set, mask);
}

void find_peels(const struct synthesis *synthesis, struct synthesis_depth *depth,
                struct sample_set set)
{
    size_t kept = 0;
    depth->peel_count = 0;
    for (size_t i = 0; i < depth->count; i++) {
        struct split split = depth->splits[i];
        struct sample_set no = samples_without(set, split.yes);
        bool leaf_yes = is_leaf(synthesis, split.yes);
        if (leaf_yes || is_leaf(synthesis, no))
            add_peel(depth, &(struct peel){split, leaf_yes ? no : split.yes});
        else
            depth->splits[kept++] = split;
    }
    depth->count = kept;
}
