/* Lists of outcomes of a switch on an argument. */
#include "optimizer/argument.h"

struct block *outcomes_rest(const struct outcome_list *list)
{
    struct block *best = NULL;
    uint64_t most = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct block *target = list->items[i].target;
        if (target == best)
            continue;
        uint64_t values = 0;
        for (size_t j = i; j < list->count; j++) {
            if (list->items[j].target == target)
                values += (uint64_t)list->items[j].last - list->items[j].first + 1;
        }
        if (values > most) {
            most = values;
            best = target;
        }
    }
    return best;
}

static void append(struct outcome_list *list, uint32_t first, uint32_t last, struct block *target)
{
    if (list->count && list->items[list->count - 1].target == target)
        list->items[list->count - 1].last = last;
    else
        list->items[list->count++] =
            (struct outcome){.first = first, .last = last, .target = target};
}

struct outcome_list outcomes_assign(struct arena *arena, const struct outcome_list *list,
                                    uint32_t first, uint32_t last, struct block *target)
{
    struct outcome_list made = {.items = NEW_ARRAY(arena, struct outcome, list->count + 2)};
    for (size_t i = 0; i < list->count; i++) {
        const struct outcome *old = &list->items[i];
        if (old->last < first || old->first > last) {
            append(&made, old->first, old->last, old->target);
            continue;
        }
        uint32_t from = old->first < first ? first : old->first;
        uint32_t to = old->last > last ? last : old->last;
        if (old->first < first)
            append(&made, old->first, first - 1, old->target);
        append(&made, from, to, target);
        if (old->last > last)
            append(&made, last + 1, old->last, old->target);
    }
    return made;
}

struct block *outcomes_target(const struct outcome_list *list, uint32_t value)
{
    size_t low = 0, high = list->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (value <= list->items[middle].last)
            high = middle;
        else
            low = middle + 1;
    }
    return list->items[low].target;
}

size_t outcomes_tests(const struct outcome_list *list, const struct block *rest)
{
    size_t tests = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct outcome *one = &list->items[i];
        if (one->target == rest)
            continue;
        bool at_end = one->first == 0 || one->last == 0xffffffffu;
        tests += is_single(one) || at_end ? 1 : 2;
    }
    return tests;
}
