/* Passes over the DAG: what their files share. A pass is a row of the table in passes.c and a file
 * pass_NAME.c. */
#ifndef OPTIMIZER_PASS_H
#define OPTIMIZER_PASS_H

#include "optimizer/optimizer.h"

struct dead_ends;

/* What a pass works on and replaces. `root` belongs to `dag`. */
struct pass_state {
    struct arena *arena;
    struct dag *dag;
    const struct dag_node *root;
    struct dead_ends *dead_ends; /* pass_settled.c; NULL until it is needed */
};

/* Gives the DAG another form of the same meaning. False: it is left as it was, because there was
 * nothing to do or a limit of the DAG was reached (the DAG is then spent, see dag_limit_reached,
 * and the caller goes on with a copy). */
typedef bool pass_run(struct pass_state *state);

struct pass {
    const char *name;
    const char *does;
    const char *needs; /* of the DAG before it, besides what dag_check wants */
    const char *keeps;
    const char *terminates;
    bool always; /* at -O0 too: a call that always allows must be seen to, for the kernel's cache */
    pass_run *run;
};

/* The passes in the order in which they gain most. Every other order is allowed too: each needs
 * what dag_check checks, and keeps it. */
const struct pass *pass_table(size_t *count);

/* Runs one pass; what it makes stays only where dag_tests says that it is no larger. */
void pass_apply(const struct pass *pass, struct pass_state *state);

/* About the tests and loads of argument switches that the DAG below `root` needs. */
size_t dag_tests(struct arena *arena, const struct dag_node *root);

/* Makes every node anew, children first, as `rewrite` wants it: it gets a node whose children are
 * done, and gives what to have instead, NULL past a limit. Free nodes only get the new children.
 * False when nothing changed. */
typedef const struct dag_node *pass_node(struct pass_state *state, const struct dag_node *node);
bool pass_rewrite(struct pass_state *state, pass_node *rewrite);

pass_run pass_canonical, pass_implied, pass_settled, pass_masks, pass_order;

#endif
