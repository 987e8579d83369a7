/* Lowering's parts: conditions (lower_condition.c), chains of rules (lower_chain.c) and the policy
 * around them (lower.c). */
#ifndef COMPILER_LOWER_INTERNAL_H
#define COMPILER_LOWER_INTERNAL_H

#include "compiler/compiler.h"

/* ---- conditions ----------------------------------------------------------------------------- */

/* Where a test leads: to an earlier item of the list, or out of the condition. */
#define TARGET_YES 0xffffffffu
#define TARGET_NO 0xfffffffeu

struct test {
    const struct dag_node *atom; /* a DAG of the verdicts 1 and 0, of one word or two */
    uint32_t yes, no;            /* different */
};

/* A condition as tests in the order written, the last one first; each is reached from `entry`. */
struct tests {
    const struct test *items;
    uint32_t count;
    uint32_t entry;  /* a test, or what the condition always is */
    uint32_t fields; /* bits: fields at the roots of atoms */
    size_t cost;     /* of all atoms, see dag_node_cost */
    /* One ordered DAG of 1 and 0 for all of it, or NULL; `tried`: NULL because it is too large. */
    const struct dag_node *ordered;
    bool tried;
};

/* NULL past a limit of the DAG. */
struct tests *lower_condition(struct arena *arena, struct dag *dag,
                              const struct condition *condition);
/* What is left of the tests where the field and mask of `variable`, a switch, are in first..last: a
 * range within one edge of every atom that switches on the same. May be `tests` itself. */
struct tests *tests_restrict(struct arena *arena, struct tests *tests,
                             const struct dag_node *variable, uint32_t first, uint32_t last);
/* Tries once. */
const struct dag_node *tests_ordered(struct arena *arena, struct dag *dag, struct tests *tests);
/* if tests then `yes` else `no`, in the order written. */
const struct dag_node *tests_in_order_written(struct arena *arena, struct dag *dag,
                                              const struct tests *tests, const struct dag_node *yes,
                                              const struct dag_node *no);

/* About how many instructions a node is. */
static inline size_t dag_node_cost(const struct dag_node *node)
{
    if (node->kind == DAG_COMPARE)
        return 4;
    return node->edge_count + (node->edge_count > 2 && node->mask != 0xffffffffu);
}

/* Work for an attempt at what should cost about so much. */
static inline size_t work_for(size_t cost)
{
    return 256 + 16 * cost;
}

/* ---- chains of rules ------------------------------------------------------------------------ */

/* One rule in play: if `when` then `then`, a leaf. */
struct choice {
    struct tests *when;
    const struct dag_node *then;
};

struct chain_marks {
    uint32_t settled, seen; /* numbers of a chain and of a walk */
};

/* What all chains of one DAG know of each other. */
struct chains {
    struct arena *arena;
    struct dag *dag;
    VECTOR(struct chain_marks) marks; /* by node id */
    VECTOR(const struct dag_node *) stack;
    uint32_t chain, walk; /* the last numbers given */
    size_t committed;     /* cost of all chains so far */
    unsigned splits;
};

/* The first choice that holds decides; `base` when none does. The smaller of one ordered DAG and of
 * what keeps the rules, or parts of them, in the order written. NULL past a limit of the DAG. */
const struct dag_node *lower_chain(struct chains *chains, const struct choice *choices,
                                   size_t count, const struct dag_node *base);

#endif
