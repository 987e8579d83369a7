/* Lowering's two halves: conditions (lower_condition.c) and the policy around them (lower.c). */
#ifndef COMPILER_LOWER_INTERNAL_H
#define COMPILER_LOWER_INTERNAL_H

#include "compiler/compiler.h"

/* The condition as a DAG of the verdicts 1 and 0; NULL past a limit of the DAG. */
const struct dag_node *lower_condition(struct arena *arena, struct dag *dag,
                                       const struct condition *condition);

#endif
