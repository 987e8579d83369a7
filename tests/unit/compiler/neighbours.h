/* Policies that differ from a random one in a few places. */
#ifndef TESTS_COMPILER_NEIGHBOURS_H
#define TESTS_COMPILER_NEIGHBOURS_H

#include "tests/unit/compiler/policies.h"

static inline void change_clause(struct arena *arena, struct random *random, struct abi_view *view)
{
    struct clause *clauses =
        arena_copy(arena, view->clauses, view->clause_count * sizeof *view->clauses);
    struct clause *clause = &clauses[random_below(random, (uint32_t)view->clause_count)];
    switch (random_below(random, 4)) {
    case 0:
        clause->word = random_verdict(random);
        break;
    case 1:
        clause->when = random_condition(arena, random, false, random_below(random, 3));
        break;
    case 2:
        clause->last = clause->last < UINT32_MAX ? clause->last + 1 : clause->last;
        break;
    default:
        *clause = clauses[--view->clause_count];
        for (struct clause *at = clause; at + 1 < clauses + view->clause_count; at++)
            at->rule = at[1].rule < at->rule ? at[1].rule : at->rule;
    }
    view->clauses = clauses;
}

/* Two in five are a policy of its own, of the same byte order. */
static inline struct policy *random_neighbour(struct arena *arena, struct random *random,
                                              const struct policy *policy)
{
    struct policy *other = arena_copy(arena, policy, sizeof *policy);
    if (random_below(random, 5) < 2) {
        do
            other = random_policy(arena, random);
        while (other->big_endian != policy->big_endian);
        return other;
    }
    other->views = arena_copy(arena, policy->views, policy->view_count * sizeof *policy->views);
    for (uint32_t edits = 1 + random_below(random, 3); edits; edits--) {
        struct abi_view *view = &other->views[random_below(random, (uint32_t)other->view_count)];
        uint32_t turn = random_below(random, 8);
        if (turn == 0)
            other->foreign_word = random_verdict(random);
        else if (turn == 1)
            view->default_word = random_verdict(random);
        else if (turn == 2)
            view->unknown_word = random_verdict(random);
        else if (view->clause_count)
            change_clause(arena, random, view);
    }
    return other;
}

#endif
