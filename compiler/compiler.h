/* compiler: the decision DAG, from the policy (lower) and to machine code (emit); jump relaxation.
 *
 * None of it is trusted: api/ has every program proved against its policy by verifier/.
 */
#ifndef COMPILER_COMPILER_H
#define COMPILER_COMPILER_H

#include "bpf/bpf.h"
#include "lang/lang.h"

/* ---- the decision DAG (dag.c) ------------------------------------------------------------------------------- */

enum dag_kind {
    DAG_VERDICT, /* return `word` */
    DAG_RETURN,  /* return the value of `value`: RET A */
    DAG_SWITCH,  /* on (field & mask): edges in rising order, covering 0..2^32-1 */
    DAG_COMPARE, /* two computed words: edges[0].child when it holds, edges[1].child when not */
};

struct dag_edge {
    uint32_t last; /* the edge covers from the one before's last + 1 (the first from 0) up to here */
    const struct dag_node *child;
};

/* Hash-consed: in one DAG equal nodes are the same pointer. Invariants (dag_check):
 *  - ordered: on every path the variables rise strictly in the order dag_variable_order: arch, nr, then by (field, mask),
 *    then comparisons by id of creation;
 *  - reduced: neighbouring edges of a switch have different children; no switch has one child only;
 *  - a switch's edges end with last = 0xffffffff; of a masked one, values outside the mask cannot occur and
 *    belong to the edge below them. */
struct dag_node {
    enum dag_kind kind;
    uint32_t id;   /* children have smaller ids */
    uint32_t word; /* VERDICT */
    uint32_t rule; /* VERDICT, RETURN: none; kept in `origin` of the DAG, since equal verdicts are one node */
    const struct word *value; /* RETURN */
    enum field field; /* SWITCH */
    uint32_t mask;    /* SWITCH: 0xffffffff = the whole field */
    enum comparison comparison; /* COMPARE: EQUAL, GREATER or GREATER_EQUAL only */
    const struct word *a, *b;   /* COMPARE */
    uint32_t variable;          /* COMPARE: its place among the comparisons */
    const struct dag_edge *edges;
    uint32_t edge_count;
};

struct dag; /* the hash-consing tables, in an arena */

struct dag *dag_new(struct arena *arena, bool big_endian, size_t node_most);
size_t dag_size(const struct dag *dag);
bool dag_big_endian(const struct dag *dag);
/* Past `node_most` nodes constructors return NULL and go on returning NULL; callers hand it upwards. */
const struct dag_node *dag_verdict(struct dag *dag, uint32_t word);
const struct dag_node *dag_return(struct dag *dag, const struct word *value);
/* Merges equal neighbours; gives the child itself when all are equal. */
const struct dag_node *dag_switch(struct dag *dag, enum field field, uint32_t mask, const struct dag_edge *edges,
                                  uint32_t count);
const struct dag_node *dag_compare(struct dag *dag, enum comparison comparison, const struct word *a,
                                   const struct word *b, const struct dag_node *yes, const struct dag_node *no);
/* if `condition` then `yes` else `no`, where condition is a DAG whose verdicts are the words 1 and 0. Keeps order. */
const struct dag_node *dag_if(struct dag *dag, const struct dag_node *condition, const struct dag_node *yes,
                              const struct dag_node *no);
/* The word a DAG returns: for tests and debug builds. */
uint32_t dag_evaluate(const struct dag_node *root, const struct input *input);
/* NULL when every invariant holds below `root`, else what is broken. */
const char *dag_check(const struct dag *dag, const struct dag_node *root);
void dag_print(struct buffer *out, struct arena *arena, const struct dag_node *root); /* --dump=dag */
size_t dag_reachable(struct arena *arena, const struct dag_node *root); /* nodes */

/* ---- lower (lower.c): policy to DAG ----------------------------------------------------------------------------- */

MUST_USE result lower_policy(struct arena *arena, const struct policy *policy, struct diagnostics *diagnostics,
                             struct dag **dag, const struct dag_node **root);

/* ---- selected code (code.c): what the choice of shape hands to emission ------------------------------------------- */

/* A tree or DAG of two-way tests and returns; hash-consed blocks may be shared. */
enum test_operation { TEST_EQUAL, TEST_GREATER, TEST_GREATER_EQUAL, TEST_SET };

/* What must be in A before the block's own operation. */
enum accumulator_kind {
    ACCUMULATOR_ANY,    /* the block does not read A */
    ACCUMULATOR_FIELD,  /* the word of `field` & `mask` */
    ACCUMULATOR_WORD,   /* a computed word */
};

enum block_kind { BLOCK_RETURN, BLOCK_RETURN_A, BLOCK_TEST };

struct block {
    enum block_kind kind;
    uint32_t id;
    uint32_t word;                     /* RETURN */
    enum accumulator_kind accumulator; /* what A must hold */
    enum field field;
    uint32_t mask;
    const struct word *value;          /* ACCUMULATOR_WORD */
    enum test_operation test;          /* TEST */
    uint32_t constant;                 /* TEST against a constant ... */
    const struct word *operand;        /* ... or, when not NULL, against this computed word in X */
    struct block *yes, *no;            /* TEST */
    double weight;                     /* expected executions per call, for layout; 0 when unknown */
};

/* ---- emit (emit.c): blocks to machine code ------------------------------------------------------------------------- */

/* Loads only where the accumulator does not hold the right value on EVERY incoming edge. Paths that test only nr
 * and arch use only instructions that the kernel's cache emulator follows. */
MUST_USE result emit_program(struct arena *arena, struct block *entry, bool big_endian, const char *name,
                             struct diagnostics *diagnostics, struct program *program);

/* ---- relaxation (relax.c): 8-bit conditional jumps that are too far -------------------------------------------------- */

/* Straight code with symbolic targets: `yes` and `no` are indices of items (no_target for the next). */
struct item {
    struct sock_filter instruction;
    uint32_t yes, no; /* conditional jumps; JA: yes. Indices into the items, always forward */
};
#define NEXT_ITEM 0xffffffffu

/* Duplicates a RET, or puts a JA trampoline right behind a jump, until every offset fits. Terminates: it only inserts, and
 * each insertion settles one edge for good. ERROR_LIMIT when the program would pass 4096 instructions. */
MUST_USE result relax_jumps(struct arena *arena, const struct item *items, uint32_t count, bool big_endian,
                            const char *name, struct diagnostics *diagnostics, struct program *program);

/* The invariants of emitted code: accepted by check_program, every instruction reachable, no jump to a jump that could go
 * straight. NULL or what is broken. */
const char *code_check(struct arena *arena, const struct program *program);

#endif
