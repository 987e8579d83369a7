/* Switches on arguments that another rule or another call has already: what they agree on is
 * emitted once, and each value on which they differ costs one test in front. */
#include "optimizer/argument.h"

/* More than any chain is worth. */
#define DIFFERENT_MOST 32u

static bool same_subject(const struct tested *a, const struct tested *b)
{
    return a->accumulator == b->accumulator && a->field == b->field && a->mask == b->mask &&
           a->value == b->value;
}

/* Values with different targets; DIFFERENT_MOST or more when there are whole ranges of them. */
static size_t differences(const struct outcome_list *a, const struct outcome_list *b)
{
    size_t i = 0, j = 0, different = 0;
    uint32_t first = 0;
    while (different < DIFFERENT_MOST) {
        const struct outcome *left = &a->items[i], *right = &b->items[j];
        uint32_t last = left->last < right->last ? left->last : right->last;
        if (left->target != right->target)
            different += last - first < 2 ? last - first + 1 : DIFFERENT_MOST;
        if (i + 1 == a->count && j + 1 == b->count)
            return different;
        i += left->last == last && i + 1 < a->count;
        j += right->last == last && j + 1 < b->count;
        first = last + 1;
    }
    return different;
}

const struct shaped_argument *nearest_argument(const struct shaper *shaper,
                                               const struct tested *tested,
                                               const struct outcome_list *list, size_t *different)
{
    const struct shaped_argument *nearest = NULL;
    *different = DIFFERENT_MOST;
    for (size_t i = 0; i < shaper->arguments->shaped.count; i++) {
        const struct shaped_argument *known = &shaper->arguments->shaped.items[i];
        if (!same_subject(&known->tested, tested))
            continue;
        size_t here = differences(&known->outcomes, list);
        if (here < *different) {
            *different = here;
            nearest = known;
        }
    }
    return nearest;
}

void remember_argument(struct shaper *shaper, const struct tested *tested,
                       const struct outcome_list *list, struct block *block)
{
    vector_push(shaper->arena, &shaper->arguments->shaped,
                (struct shaped_argument){.tested = *tested, .outcomes = *list, .block = block});
}
