/* The plan of a raised policy: for the files raise_space.c, raise_header.c, raise_items.c,
 * raise_rules.c and raise_policy.c. */
#ifndef COMPILER_RAISE_PLAN_H
#define COMPILER_RAISE_PLAN_H

#include "compiler/raise_decide.h"

/* ---- which numbers get what (raise_space.c) ----------------------------------------------------
 */

/* Values of one word, all with the same DAG behind them. */
struct stretch {
    uint32_t first, last;
    const struct dag_node *child;
};

/* Sorted, covering 0..2^32-1, neighbours different. */
struct stretches {
    struct stretch *items;
    size_t count;
};

/* By `field`, arch or nr, whose tests stand at the top of `root`. False where they are masks that
 * make too many stretches. */
bool stretches_of(struct arena *arena, const struct dag_node *root, enum field field,
                  struct stretches *stretches);
const struct dag_node *stretch_at(const struct stretches *stretches, uint32_t value);
/* The one child that all of first..last have; NULL when they differ. */
const struct dag_node *stretch_only(const struct stretches *stretches, uint32_t first,
                                    uint32_t last);

/* ---- the header (raise_header.c)
 * ------------------------------------------------------------------ */

/* What one declared ABI gets. */
struct raised_abi {
    bool declared;
    bool uniform;                /* all its numbers get `otherwise`: it needs one rule only */
    bool tangled;                /* its numbers cannot be told apart by ranges: raw rules only */
    const struct dag_node *root; /* behind its token */
    struct stretches numbers;
    const struct dag_node *otherwise, *unknown; /* the leaves of default and of unknown */
};

struct plan {
    struct arena *arena;
    const struct raise_options *options;
    bool big_endian;
    struct stretches tokens;
    bool whole_is_raw; /* one set of raw rules for all tokens, and nothing else */
    const struct dag_node *root;
    const struct dag_node *elsewhere; /* behind most tokens */
    const struct dag_node *foreign;   /* the leaf of `foreign`; NULL: kill_process */
    abi_set declared;
    struct raised_abi abis[ABI_COUNT];
    VECTOR(struct line) lines;
    size_t calls;
    size_t steps;                 /* left for raise_decide */
    VECTOR(const char *) reasons; /* for raw rules: different ones */
    size_t raw_rules;             /* that were written */
};

/* Settles which ABIs are declared, and default, unknown and foreign. False when arch is not tested
 * by value. */
bool plan_header(struct plan *plan, const struct dag_node *root);
void plan_no_header(struct plan *plan);

/* ---- rules, one for each target (raise_items.c) -------------------------------------------------
 */

/* A rule for one target. Lines of one call keep their order; those of different calls never match
 * the same input. */
struct line {
    size_t call;
    abi_set scope;                    /* 0: all declared */
    const char *action;               /* as text */
    unsigned rank;                    /* of actions, for sorting */
    const char *condition, *numbered; /* NULL: none */
    const char *name;                 /* of the call; NULL: numbers */
    uint32_t first, last;             /* numbers, of raw rules too */
    const char *raw;                  /* NULL, or why it is raw */
    const char *where;                /* of a raw rule: which tokens; "" for all */
    bool any_number;                  /* of a raw rule: nr is in the condition */
};

/* NULL, or why it cannot be said. */
const char *plan_lines(struct plan *plan);
void plan_reason(struct plan *plan, const char *reason);

/* ---- rules of many targets, as text (raise_rules.c)
 * ------------------------------------------------ */

void write_rules(struct plan *plan, struct buffer *out);

#endif
