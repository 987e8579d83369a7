/* Dense irregular sets: words of 32 values, each one test of 1 << (A & 31) against the set's bits.
 */
#include "optimizer/argument.h"

/* A word is two bounds, AND, TAX, LD, LSH and JSET, and never more: worth it from here on. */
#define WORTH_TESTS 8u
#define WORD_VALUES 32u

/* 1 << (field & 31): one pointer for each field, as blocks need it. */
static const struct word *bit_of(struct shaper *shaper, enum field field)
{
    const struct word **known = &shaper->arguments->bits[field];
    if (*known)
        return *known;
    struct word *parts = NEW_ARRAY(shaper->arena, struct word, 5);
    parts[0] = (struct word){.operator= WORD_FIELD, .field = field};
    parts[1] = (struct word){.operator= WORD_CONSTANT, .constant = WORD_VALUES - 1};
    parts[2] = (struct word){.operator= WORD_AND, .left = &parts[0], .right = &parts[1]};
    parts[3] = (struct word){.operator= WORD_CONSTANT, .constant = 1};
    parts[4] = (struct word){.operator= WORD_SHIFT_LEFT, .left = &parts[3], .right = &parts[2]};
    *known = &parts[4];
    return *known;
}

/* The part of the list that begins at `first` and has 32 values, or goes up to the last value. */
static size_t tests_in_word(const struct outcome_list *list, size_t from, uint32_t last,
                            const struct block *rest, struct block **target)
{
    size_t tests = 0;
    *target = NULL;
    for (size_t i = from; i < list->count && list->items[i].first <= last; i++) {
        const struct outcome *one = &list->items[i];
        if (one->target == rest)
            continue;
        if (*target && *target != one->target)
            return 0; /* one bit has two outcomes only */
        *target = one->target;
        tests += is_single(one) ? 1 : 2;
    }
    return tests;
}

static struct block *word_block(struct shaper *shaper, const struct tested *tested,
                                const struct outcome_list *list, uint32_t first, uint32_t last,
                                struct block *target, struct block *rest)
{
    uint32_t set = 0;
    for (uint32_t value = first; value - first <= last - first; value++) {
        if (outcomes_target(list, value) == target)
            set |= 1u << (value & (WORD_VALUES - 1));
        if (value == 0xffffffffu)
            break;
    }
    struct tested bit = {.accumulator = ACCUMULATOR_WORD, .value = bit_of(shaper, tested->field)};
    return block_test(shaper, &bit, TEST_SET, set, target, rest);
}

bool outcomes_to_bit_tests(struct shaper *shaper, const struct tested *tested,
                           const struct outcome_list *list, struct outcome_list *words)
{
    struct block *rest = outcomes_rest(list);
    bool found = false;
    *words = *list;
    for (size_t i = 0; i < list->count; i++) {
        uint32_t first = list->items[i].first;
        if (list->items[i].target == rest || !is_single(&list->items[i]))
            continue;
        uint32_t last =
            first > 0xffffffffu - (WORD_VALUES - 1) ? 0xffffffffu : first + (WORD_VALUES - 1);
        struct block *target;
        if (tests_in_word(list, i, last, rest, &target) < WORTH_TESTS)
            continue;
        struct block *block = word_block(shaper, tested, list, first, last, target, rest);
        *words = outcomes_assign(shaper->arena, words, first, last, block);
        found = true;
        while (i + 1 < list->count && list->items[i + 1].first <= last)
            i++;
    }
    return found;
}
