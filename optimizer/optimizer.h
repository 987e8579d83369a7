/* optimizer: the choice of shape.
 *
 * select_shape turns each switch of the DAG into two-way tests. A pair (arch, nr) that always
 * allows stays cacheable by the kernel: tests of nr and arch use nothing but JEQ, JGT, JGE, JSET
 * with constants and AND K.
 */
#ifndef OPTIMIZER_OPTIMIZER_H
#define OPTIMIZER_OPTIMIZER_H

#include "compiler/compiler.h"

enum optimization { OPTIMIZE_0, OPTIMIZE_1, OPTIMIZE_2, OPTIMIZE_3, OPTIMIZE_SIZE };

/* One call and how often it is made, as a share or a count. */
struct weighted_call {
    struct input input;
    double weight;
};

/* Calls that were counted somewhere. */
struct profile {
    struct weighted_call *calls;
    size_t count;
};

struct shape_options {
    enum optimization level;
    abi_set abis;                        /* whose calls count; 0: all that the meaning knows */
    unsigned kernel_major, kernel_minor; /* 0.0: the newest */
    const struct profile *profile;       /* may be NULL */
    double lambda; /* instructions that one executed instruction less per call is worth; 0: the
                      level's own */
};

/* The passes over the DAG (passes.c) that belong to `level`. May give another DAG; one that spent
 * its limits gives what it was. */
void optimize_dag(struct arena *arena, enum optimization level, struct dag **dag,
                  const struct dag_node **root);

/* Blocks for the DAG below `root`; shared nodes become shared blocks. */
MUST_USE result select_shape(struct arena *arena, const struct dag *dag,
                             const struct dag_node *root, const struct shape_options *options,
                             struct diagnostics *diagnostics, struct block **entry);
/* The measure that a level goes by (optimizer/cost.h). */
struct price {
    double lambda; /* instructions that an executed one less is worth */
    double jump;   /* executed instructions that a taken jump less is worth; 0: none */
};
struct price price_of(const struct shape_options *options, const struct dag_node *root);
/* What a program costs that executes so many instructions, and takes so many jumps, per call that
 * counts. */
double cost_at(struct price price, uint32_t instructions, double executed, double jumps);

/* Rewrites a program that check_program accepts, whoever made it, by the rules of peephole.c. The
 * result returns the same on every input. False, and the program itself, when that makes it no
 * shorter. `returns_stay`: equal returns stay apart, one of them is there to be gone on into. */
bool peephole_program(struct arena *arena, const struct program *program, bool returns_stay,
                      struct program *shorter);

/* --dump=select */
void blocks_print(struct buffer *out, struct arena *arena, const struct block *entry);

/* Lines `count call`, calls as call_parse reads them, `abi` for those without a prefix; `#` begins
 * a comment. Every mistake is reported. Calls of ABIs that are not `declared` are not counted, each
 * with a warning. What is counted has a weight above 0 in sum, or there is nothing. */
MUST_USE result profile_read(struct arena *arena, const struct source *source, enum abi_id abi,
                             abi_set declared, struct diagnostics *diagnostics,
                             struct profile *profile);

#endif
