/* Conditions from sets of values, and their combination. */
#include "lang/resolve.h"

#include <stdlib.h>

const struct condition *condition_constant(struct resolver *resolver, bool value, struct span span)
{
    struct condition *condition = NEW(resolver->arena, struct condition);
    condition->kind = value ? CONDITION_TRUE : CONDITION_FALSE;
    condition->span = span;
    return condition;
}

const struct condition *condition_true(struct resolver *resolver)
{
    return condition_constant(resolver, true, NO_SPAN);
}

static bool is_constant(const struct condition *condition)
{
    return condition->kind == CONDITION_TRUE || condition->kind == CONDITION_FALSE;
}

const struct condition *condition_not(struct resolver *resolver, const struct condition *operand,
                                      struct span span)
{
    if (is_constant(operand))
        return condition_constant(resolver, operand->kind == CONDITION_FALSE, span);
    if (operand->kind == CONDITION_NOT)
        return operand->left;
    struct condition *condition = NEW(resolver->arena, struct condition);
    condition->kind = CONDITION_NOT;
    condition->left = operand;
    condition->span = span;
    return condition;
}

const struct condition *condition_pair(struct resolver *resolver, enum condition_kind kind,
                                       const struct condition *left, const struct condition *right)
{
    enum condition_kind neutral = kind == CONDITION_AND ? CONDITION_TRUE : CONDITION_FALSE;
    if (left->kind == neutral)
        return right;
    if (right->kind == neutral)
        return left;
    if (is_constant(left))
        return left;
    if (is_constant(right))
        return right;
    struct condition *condition = NEW(resolver->arena, struct condition);
    condition->kind = kind;
    condition->left = left;
    condition->right = right;
    condition->span = span_join(left->span, right->span);
    return condition;
}

const struct condition *condition_balanced(struct resolver *resolver, enum condition_kind kind,
                                           const struct condition **members, size_t count)
{
    while (count > 1) { /* pairs neighbours, level by level */
        size_t half = 0;
        for (size_t i = 0; i + 1 < count; i += 2)
            members[half++] = condition_pair(resolver, kind, members[i], members[i + 1]);
        if (count % 2)
            members[half++] = members[count - 1];
        count = half;
    }
    return members[0];
}

/* ---- members
 * ----------------------------------------------------------------------------------------------------
 */

void intervals_add(struct resolver *resolver, interval_list *list, uint64_t first, uint64_t last)
{
    vector_push(resolver->arena, list, (struct interval){first, last});
}

static int compare_intervals(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void sort_and_join(interval_list *list)
{
    if (!list->count)
        return;
    qsort(list->items, list->count, sizeof *list->items, compare_intervals);
    size_t kept = 0;
    for (size_t i = 1; i < list->count; i++) {
        struct interval *before = &list->items[kept];
        const struct interval *next = &list->items[i];
        if (before->last == UINT64_MAX || next->first <= before->last + 1) {
            if (next->last > before->last)
                before->last = next->last;
        } else {
            list->items[++kept] = *next;
        }
    }
    list->count = kept + 1;
}

/* Of sorted, disjoint, not adjacent intervals within 0..most. */
static interval_list complement_of(struct resolver *resolver, const interval_list *list,
                                   uint64_t most)
{
    interval_list gaps = {0};
    uint64_t from = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].first > from)
            intervals_add(resolver, &gaps, from, list->items[i].first - 1);
        if (list->items[i].last >= most)
            return gaps;
        from = list->items[i].last + 1;
    }
    intervals_add(resolver, &gaps, from, most);
    return gaps;
}

const struct condition *condition_member(struct resolver *resolver, const struct operand *operand,
                                         interval_list *list, bool complement, struct span span)
{
    uint64_t most = ones(operand->bits);
    sort_and_join(list);
    interval_list wanted = complement ? complement_of(resolver, list, most) : *list;
    if (!wanted.count)
        return condition_constant(resolver, false, span);
    if (wanted.count == 1 && wanted.items[0].first == 0 && wanted.items[0].last == most)
        return condition_constant(resolver, true, span);
    struct condition *condition = NEW(resolver->arena, struct condition);
    condition->kind = CONDITION_MEMBER;
    condition->operand = *operand;
    condition->intervals = wanted.items;
    condition->interval_count = wanted.count;
    condition->span = span;
    return condition;
}
