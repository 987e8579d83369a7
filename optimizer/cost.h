/* What a shape costs: which calls count how much (weights.c, profile.c), and what one knob makes of
 * size and time.
 *
 * The cost of a program is
 *
 *     instructions + lambda * (instructions executed per call + jump * jumps taken, in the mean)
 *
 * A jump that is taken costs as much as three instructions that are not (docs/OPTIMIZER.md). Jumps
 * are counted in the tables of numbers, for kernels that remember: there the few calls that are
 * left come again and again. Before 5.11 all permitted calls come, in any order, and each test is
 * one that may be mispredicted: what counts is how many there are.
 *
 * The mean is over weighted calls; all weights together are 1. From Linux 5.11 on the kernel
 * remembers the pairs (arch, nr) that are always allowed and never runs the filter for them: what
 * is left has most of the weight, and the remembered ones, which are many, little each (not
 * nothing: the same filter may run on an older kernel). Before 5.11 every permitted call counts. */
#ifndef OPTIMIZER_COST_H
#define OPTIMIZER_COST_H

#include "optimizer/optimizer.h"

struct weights {
    struct weighted_call *calls;
    size_t count;
};

/* What was counted is surer than a guess, and worth more instructions. */
#define PROFILE_FACTOR 2.0

/* The knobs of a level. */
struct effort {
    double lambda;    /* instructions that one executed instruction less is worth */
    double jump;      /* executed instructions that a taken jump less is worth, in tables of
                         numbers; 0: they are not counted */
    bool jumps_first; /* in the first trees, too: tables that share tests jump into them, which
                         only polishing sees */
    bool programs_intervals; /* dynamic programming; else balanced dispatch */
    unsigned mask_tests;  /* most tests of a window that mask tests may be in; 0: no mask tests */
    bool reuses;          /* subtrees that stand already */
    double noise;         /* how far costs of tries are off, at most */
    uint64_t polish_work; /* steps to spend on taking out subtrees and finding them again */
    size_t runs_often;    /* runs of the subtrees that are mostly taken */
    double threshold;     /* what may be dearer for a while, at first; 0: nothing */
    double speed_first;   /* factor on lambda for the trees that polishing starts with; 0: none.
                             Polishing finds what can be shared, and makes a fast tree short rather
                             than a short one fast */
};
struct effort effort_of(enum optimization level);
/* For the first tree of a table that leans on one that stands. Where polishing begins with fast
 * trees it finds their windows, too: looking for them twice takes most of the time and gives no
 * more. */
struct effort effort_to_lean(const struct effort *effort);
/* With the profile and the lambda that were asked for, for the meaning below `root`. */
struct effort effort_for(const struct shape_options *options, const struct dag_node *root);

/* Whether calls that are always allowed never run the filter (Linux 5.11; no version: the newest).
 */
bool kernel_remembers(const struct shape_options *options);

/* The calls that count for a policy or program whose meaning is `root`. */
struct weights weights_of(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                          const struct shape_options *options);

/* The same without what the kernel remembers: the calls that the program really runs for. */
struct weights executions_of(struct arena *arena, const struct dag *dag,
                             const struct dag_node *root, const struct shape_options *options);

/* A lower bound on the mean of executed instructions over `weights` (bound.c). */
double executed_least(struct arena *arena, const struct dag_node *root,
                      const struct weights *weights);

#endif
