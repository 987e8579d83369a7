/* optimizer: the choice of shape. Today: the simplest strategy, balanced dispatch.
 *
 * select_shape turns each switch of the DAG into two-way tests. A pair (arch, nr) that always
 * allows stays cacheable by the kernel: tests of nr and arch use nothing but JEQ, JGT, JGE, JSET
 * with constants and AND K.
 */
#ifndef OPTIMIZER_OPTIMIZER_H
#define OPTIMIZER_OPTIMIZER_H

#include "compiler/compiler.h"

enum optimization { OPTIMIZE_0, OPTIMIZE_1, OPTIMIZE_2, OPTIMIZE_3, OPTIMIZE_SIZE };

struct shape_options {
    enum optimization level;
};

/* Blocks for the DAG below `root`; shared nodes become shared blocks. */
MUST_USE result select_shape(struct arena *arena, const struct dag *dag,
                             const struct dag_node *root, const struct shape_options *options,
                             struct diagnostics *diagnostics, struct block **entry);
/* --dump=select */
void blocks_print(struct buffer *out, struct arena *arena, const struct block *entry);

#endif
