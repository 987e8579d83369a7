/* Sets of values, as sorted intervals. */
#include "compiler/raise_internal.h"

struct set set_of(struct arena *arena, uint64_t first, uint64_t last)
{
    struct set set = {NEW(arena, struct interval), 1};
    set.items[0] = (struct interval){first, last};
    return set;
}

void set_append(struct arena *arena, struct set *set, uint64_t first, uint64_t last)
{
    if (set->count && set->items[set->count - 1].last + 1 >= first) {
        if (last > set->items[set->count - 1].last)
            set->items[set->count - 1].last = last;
        return;
    }
    if ((set->count & (set->count - 1)) == 0) { /* grows by doubling */
        struct interval *items = NEW_ARRAY(arena, struct interval, 2 * set->count + 1);
        if (set->count)
            memcpy(items, set->items, set->count * sizeof *items);
        set->items = items;
    }
    set->items[set->count++] = (struct interval){first, last};
}

struct set set_union(struct arena *arena, const struct set *a, const struct set *b)
{
    struct set set = {0};
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        bool from_a = j == b->count || (i < a->count && a->items[i].first <= b->items[j].first);
        const struct interval *next = from_a ? &a->items[i++] : &b->items[j++];
        if (set.count && set.items[set.count - 1].last == UINT64_MAX)
            break;
        set_append(arena, &set, next->first, next->last);
    }
    return set;
}

struct set set_common(struct arena *arena, const struct set *a, const struct set *b)
{
    struct set set = {0};
    size_t i = 0, j = 0;
    while (i < a->count && j < b->count) {
        uint64_t first =
            a->items[i].first > b->items[j].first ? a->items[i].first : b->items[j].first;
        uint64_t last = a->items[i].last < b->items[j].last ? a->items[i].last : b->items[j].last;
        if (first <= last)
            set_append(arena, &set, first, last);
        if (a->items[i].last < b->items[j].last)
            i++;
        else
            j++;
    }
    return set;
}

struct set set_complement(struct arena *arena, const struct set *set, uint64_t most)
{
    struct set gaps = {0};
    uint64_t from = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].first > from)
            set_append(arena, &gaps, from, set->items[i].first - 1);
        if (set->items[i].last >= most)
            return gaps;
        from = set->items[i].last + 1;
    }
    set_append(arena, &gaps, from, most);
    return gaps;
}

bool set_equal(const struct set *a, const struct set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].first != b->items[i].first || a->items[i].last != b->items[i].last)
            return false;
    return true;
}

bool set_holds(const struct set *set, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].first <= first && last <= set->items[i].last)
            return true;
    return false;
}

struct set set_flip(struct arena *arena, const struct set *set, uint64_t flip, uint64_t most)
{
    struct set low = set_of(arena, 0, flip - 1), high = set_of(arena, flip, most);
    struct set halves[2] = {set_common(arena, set, &high), set_common(arena, set, &low)};
    struct set flipped = {0};
    for (int half = 0; half < 2; half++)
        for (size_t i = 0; i < halves[half].count; i++)
            set_append(arena, &flipped, halves[half].items[i].first ^ flip,
                       halves[half].items[i].last ^ flip);
    return flipped;
}
