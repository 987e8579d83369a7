/* Sets of single values that one mask test decides. */
#include "optimizer/argument.h"

/* 2^8 values at most are looked at for one cube, and switches of at most this many outcomes. */
#define CUBE_BITS_MOST 8
#define CUBE_OUTCOMES_MOST 256u

/* ---- all values within a mask --------------------------------------------------------------- */

/* The next value within `mask` after `value`; 0 after the last. */
static uint32_t next_within(uint32_t value, uint32_t mask)
{
    return ((value | ~mask) + 1) & mask;
}

static bool all_within_go_to(const struct outcome_list *list, uint32_t mask,
                             const struct block *target)
{
    uint32_t value = 0;
    do {
        if (outcomes_target(list, value) != target)
            return false;
        value = next_within(value, mask);
    } while (value);
    return true;
}

static struct outcome_list without_cube(struct arena *arena, const struct outcome_list *list,
                                        uint32_t mask, struct block *rest)
{
    struct outcome_list left = *list;
    uint32_t value = 0;
    do {
        left = outcomes_assign(arena, &left, value, value, rest);
        value = next_within(value, mask);
    } while (value);
    return left;
}

/* The largest value of a cube is its mask: the candidates are the values themselves, and the last
 * ones of ranges. */
bool best_zero_cube(struct arena *arena, const struct outcome_list *list, struct block *rest,
                    struct zero_cube *cube, struct outcome_list *left)
{
    size_t fewest = outcomes_tests(list, rest) - 1;
    bool found = false;
    if (list->count > CUBE_OUTCOMES_MOST || list->items[0].target == rest)
        return false; /* 0 is in every cube */
    for (size_t i = 0; i < list->count; i++) {
        uint32_t mask = list->items[i].last;
        struct block *target = list->items[i].target;
        if (target != list->items[0].target || mask == 0 ||
            __builtin_popcount(mask) > CUBE_BITS_MOST || !all_within_go_to(list, mask, target))
            continue;
        struct outcome_list now = without_cube(arena, list, mask, rest);
        size_t tests = outcomes_tests(&now, rest);
        if (tests >= fewest)
            continue;
        fewest = tests;
        *cube = (struct zero_cube){mask, target};
        *left = now;
        found = true;
    }
    return found;
}

/* ---- values that differ in ignored bits only ------------------------------------------------ */

static bool single_to(const struct outcome_list *list, uint32_t value, const struct block *target)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].first == value)
            return is_single(&list->items[i]) && list->items[i].target == target;
    }
    return false;
}

bool coset_is_single(const struct outcome_list *list, const struct block *rest, uint32_t value,
                     uint32_t ignored)
{
    const struct block *target = outcomes_target(list, value);
    uint32_t bits = 0;
    if (target == rest)
        return false;
    do {
        if (!single_to(list, (value & ~ignored) | bits, target))
            return false;
        bits = next_within(bits, ignored);
    } while (bits);
    return true;
}

/* Tests saved by ignoring these bits, AND itself not counted. */
static size_t saved_by(const struct outcome_list *list, const struct block *rest, uint32_t ignored)
{
    size_t members = 0;
    for (size_t i = 0; i < list->count; i++)
        members += is_single(&list->items[i]) &&
                   coset_is_single(list, rest, list->items[i].first, ignored);
    return members - (members >> __builtin_popcount(ignored));
}

#define IGNORED_BITS_MOST 3
#define IGNORED_OUTCOMES_MOST 64u

uint32_t best_ignored_bits(const struct outcome_list *list, const struct block *rest)
{
    uint32_t best = 0;
    size_t most = 1;
    if (list->count > IGNORED_OUTCOMES_MOST)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (list->items[i].target != list->items[j].target || list->items[i].target == rest)
                continue;
            uint32_t ignored = list->items[i].first ^ list->items[j].first;
            if (__builtin_popcount(ignored) > IGNORED_BITS_MOST)
                continue;
            size_t saved = saved_by(list, rest, ignored);
            if (saved > most) {
                most = saved;
                best = ignored;
            }
        }
    }
    return best;
}
