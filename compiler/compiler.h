/* compiler: the decision DAG, from the policy (lower) and to machine code (emit); jump relaxation.
 *
 * None of it is trusted: api/ has every program proved against its policy by verifier/.
 */
#ifndef COMPILER_COMPILER_H
#define COMPILER_COMPILER_H

#include "bpf/bpf.h"
#include "lang/lang.h"

/* ---- the decision DAG (dag*.c) -------------------------------------------------------------- */

enum dag_kind {
    DAG_VERDICT, /* return `word` */
    DAG_RETURN,  /* return the value of `value`: RET A */
    DAG_SWITCH,  /* on (field & mask): edges in rising order, covering 0..2^32-1 */
    DAG_COMPARE, /* two computed words: edges[0].child when it holds, edges[1].child when not */
};

struct dag_edge {
    uint32_t last; /* the edge covers from the one before's last + 1 (the first from 0) to here */
    const struct dag_node *child;
};

/* Hash-consed: in one DAG equal nodes are the same pointer. Invariants (dag_check):
 *  - ordered: from a node to its children the variables rise strictly in the order of
 *    dag_variable_order: arch, nr, then the words of the arguments and of ip, the high word before
 *    the low one; of one field the whole before its masks; then comparisons in the order in which
 *    they were first made. A free node is the exception: its children test anything, and above it
 *    it counts as a leaf, which dag_if never looks below. Some decisions need exponentially many
 *    tests in one order for all paths, and few in another. A DAG of dag_new_ordered has another
 *    order of the fields behind nr;
 *  - reduced: neighbouring edges of a switch have different children; no node has one child only;
 *  - a switch's edges end with last = 0xffffffff. Of a masked one, values outside the mask cannot
 *    occur and belong to the edge below them, so that every edge begins with a value that can;
 *  - words are interned and folded: no operator has constant operands only, a shift apart.
 *
 * Verdicts of equal word are one node whatever rule they come from; which rule decides an input is
 * policy_eval's to say. */
struct dag_node {
    enum dag_kind kind;
    uint32_t id;                /* children have smaller ids */
    uint32_t word;              /* VERDICT */
    const struct word *value;   /* RETURN: no constant */
    enum field field;           /* SWITCH */
    uint32_t mask;              /* SWITCH: 0xffffffff = the whole field; never 0 */
    uint8_t rank;               /* SWITCH: 1 + the field's place in the order; 0: the default one */
    enum comparison comparison; /* COMPARE: EQUAL, GREATER or GREATER_EQUAL only */
    const struct word *a, *b;   /* COMPARE: a is no constant */
    uint32_t variable;          /* COMPARE: its place among the comparisons */
    bool free;                  /* the order does not bind what is below; no leaf is free */
    const struct dag_edge *edges;
    uint32_t edge_count;
};

struct dag; /* the hash-consing tables, in an arena */

/* Why constructors began to return NULL. */
enum dag_limit {
    DAG_WITHIN_LIMITS,
    DAG_TOO_MANY_NODES,     /* node_most, or as many edges or steps of dag_if as belong to it */
    DAG_TOO_MANY_VARIABLES, /* DAG_VARIABLES_MOST: the depth of recursion */
    DAG_WORD_TOO_DEEP,      /* EXPRESSION_DEPTH_MOST */
    DAG_ATTEMPT_OVER,       /* only within an attempt: the work it was given */
    DAG_OUT_OF_TIME,        /* dag_set_deadline */
};

/* Distinct (field, mask) pairs and comparisons: no path is longer. */
#define DAG_VARIABLES_MOST 2000u

struct dag *dag_new(struct arena *arena, bool big_endian, size_t node_most);
/* With an order of its own: `ranks` by field, all different, below FIELD_COUNT, arch 0 and nr 1;
 * they must live as long as the DAG. NULL: the default ones. */
struct dag *dag_new_ordered(struct arena *arena, bool big_endian, size_t node_most,
                            const uint8_t *ranks);
void dag_default_ranks(uint8_t ranks[FIELD_COUNT]);
/* As dag_switch, but the children may test anything: they are put in their place. */
const struct dag_node *dag_choose(struct dag *dag, enum field field, uint32_t mask,
                                  const struct dag_edge *edges, uint32_t count);
/* `node`, which is free, with other children below the same edges: they stay as they are. */
const struct dag_node *dag_choose_free(struct dag *dag, const struct dag_node *node,
                                       const struct dag_edge *edges);
/* Past the deadline constructors return NULL. Without one, nothing here ever looks at a clock. */
void dag_set_deadline(struct dag *dag, struct deadline deadline);
/* Whether it has passed; the clock is read on some calls only. For loops that make few nodes. */
bool dag_out_of_time(struct dag *dag);
/* What `root` means, as nodes of another DAG, whatever its order; NULL past a limit. Free nodes
 * stay free. */
const struct dag_node *dag_import(struct dag *dag, struct arena *arena,
                                  const struct dag_node *root);
size_t dag_size(const struct dag *dag);
bool dag_big_endian(const struct dag *dag);
/* Past a limit constructors return NULL and go on returning NULL; callers hand it upwards. NULL as
 * a child or a condition gives NULL. */
enum dag_limit dag_limit_reached(const struct dag *dag);
const struct dag_node *dag_verdict(struct dag *dag, uint32_t word);
/* A value that folds to a constant gives a verdict. */
const struct dag_node *dag_return(struct dag *dag, const struct word *value);
/* Merges equal neighbours; gives the child itself when all are equal. The children's variables must
 * come after (field, mask). */
const struct dag_node *dag_switch(struct dag *dag, enum field field, uint32_t mask,
                                  const struct dag_edge *edges, uint32_t count);
/* Any comparison; what folds, or compares a masked field with a constant, becomes verdicts or a
 * switch. `yes` and `no` may test anything: they are put in their place by dag_if. */
const struct dag_node *dag_compare(struct dag *dag, enum comparison comparison,
                                   const struct word *a, const struct word *b,
                                   const struct dag_node *yes, const struct dag_node *no);
/* if `condition` then `yes` else `no`, where condition is a DAG whose verdicts are the words 1 and
 * 0, none of it free. Keeps the order. Recursive, as deep as there are variables. */
const struct dag_node *dag_if(struct dag *dag, const struct dag_node *condition,
                              const struct dag_node *yes, const struct dag_node *no);
/* The same with the condition in front: what would have to be tested before it becomes free, and
 * the result is no larger than the three together. */
const struct dag_node *dag_if_in_front(struct dag *dag, const struct dag_node *condition,
                                       const struct dag_node *yes, const struct dag_node *no);
/* The same node, but free. */
const struct dag_node *dag_free(struct dag *dag, const struct dag_node *node);
/* Until dag_attempt_ends, constructors return NULL once dag_if has looked at `work` edges. False
 * when there is too little room left in the DAG to try. */
bool dag_attempt_begins(struct dag *dag, size_t work);
/* False when the work was not enough. Then what was made is useless, and the DAG as good as
 * before. */
bool dag_attempt_ends(struct dag *dag);
/* The edge that (field & mask) = value takes. */
const struct dag_node *dag_child_at(const struct dag_node *node, uint32_t value);
/* Place of a node's variable in the order; leaves come last. */
uint64_t dag_variable_order(const struct dag_node *node);
/* The largest value within `mask` that is not above `value`. */
uint32_t dag_value_floor(uint32_t value, uint32_t mask);
/* The nodes below `root`, itself included, children before parents. */
const struct dag_node **dag_nodes_below(struct arena *arena, const struct dag_node *root,
                                        size_t *count);
/* The word a DAG returns: for tests and debug builds. */
uint32_t dag_evaluate(const struct dag_node *root, const struct input *input);
/* NULL when every invariant holds below `root`, else what is broken. */
const char *dag_check(const struct dag *dag, const struct dag_node *root);
/* --dump=dag */
void dag_print(struct buffer *out, struct arena *arena, const struct dag_node *root);
/* How many nodes there are below `root`, itself included. */
size_t dag_reachable(struct arena *arena, const struct dag_node *root);

/* ---- differences of two DAGs (dag_difference.c) ---------------------------------------------- */

/* Closed ranges of tokens and numbers. */
struct dag_class {
    uint32_t arch_first, arch_last, nr_first, nr_last;
};

/* Within `class`, where `when` returns 1, the one DAG ends in the leaf `left` and the other in
 * `right`, and the two return different words. */
struct dag_difference {
    struct dag_class class;
    const struct dag_node *left, *right;
    /* Verdicts 1 and 0, none of it free, not just 0. Some of its paths may be such that no input
     * takes them. */
    const struct dag_node *when;
    /* It tests arch or nr, too: masked where the class has more than one, or together with other
     * words. */
    bool tests_number;
    /* The side returns the same in other places of the class, too. */
    bool left_elsewhere, right_elsewhere;
};

/* Disjoint; in rising order of arch, then nr. `complete`: every input on which the two differ is in
 * one; else so many classes were too involved. */
struct dag_differences {
    VECTOR(struct dag_difference) list;
    bool complete;
    size_t skipped;
    struct dag_class first_skipped;
};

/* `left` and `right` are of this DAG. A known number of one of `abis` is a class by itself, and so
 * is a run of unknown ones. */
void dag_differences(struct arena *arena, struct dag *dag, const struct dag_node *left,
                     const struct dag_node *right, abi_set abis, struct dag_differences *out);
/* Those of the differences whose places are `chosen`, in rising order, as one DAG of 1 and 0. */
const struct dag_node *dag_where(struct arena *arena, struct dag *dag,
                                 const struct dag_difference *list, const size_t *chosen,
                                 size_t count);

/* An input of the class on which `root`, in which nothing is free, returns `word`; those with small
 * registers are tried first. False: none was found, which proves nothing. (dag_find.c) */
bool dag_find(struct arena *arena, const struct dag_node *root, uint32_t word,
              const struct dag_class *class, struct input *input);

/* ---- lower (lower*.c): policy to DAG -------------------------------------------------------- */

/* The policy's meaning as a DAG that dag_check likes. ERROR_LIMIT when it is too large for any
 * filter: reported with what there is too much of. */
MUST_USE result lower_policy(struct arena *arena, const struct policy *policy,
                             struct diagnostics *diagnostics, struct dag **dag,
                             const struct dag_node **root);

/* ---- lift (lift.c, lift_walk.c, lift_step.c, lift_word.c, lift_facts.c): program to DAG ------ */

/* The meaning of a program that check_program accepts, as a DAG that dag_check likes. `*dag` is
 * NULL, and is made, or a DAG of the program's endianness that the nodes are to be in, so that
 * several programs share one. Divisions by a word that is 0 return 0, LEN is 64, and a shift by 32
 * or more stays an unknown function of both operands. ERROR_LIMIT when paths or arithmetic are too
 * involved: reported with what there is too much of. */
MUST_USE result lift_program(struct arena *arena, const struct program *program,
                             struct diagnostics *diagnostics, struct dag **dag,
                             const struct dag_node **root);

/* ---- combine (combine.c): the verdicts of a stack --------------------------------------------- */

/* What the kernel makes of the verdicts of `newer` and of `older`, nodes of `dag` without free ones:
 * the stricter action, and of equal ones the newer's. Begin with a plain ALLOW for `newer`, then
 * combine with each filter from the newest to the oldest. NULL past a limit. */
const struct dag_node *dag_combine(struct dag *dag, struct arena *arena,
                                   const struct dag_node *newer, const struct dag_node *older);

/* ---- selected code: what the choice of shape hands to emission ------------------------------ */

enum test_operation { TEST_EQUAL, TEST_GREATER, TEST_GREATER_EQUAL, TEST_SET };

/* What must be in A before the block's own operation. */
enum accumulator_kind {
    ACCUMULATOR_ANY,   /* the block does not read A */
    ACCUMULATOR_FIELD, /* the word of `field` & `mask` */
    ACCUMULATOR_WORD,  /* a computed word */
};

enum block_kind { BLOCK_RETURN, BLOCK_RETURN_A, BLOCK_TEST, BLOCK_MASK };

/* MASK: A, which holds the whole of `field`, becomes A & constant; then goes on to `yes` (and `no`
 * is the same). What is behind it tests the field and sees what is left of it; no path from there
 * loads the field again.
 *
 * A DAG of two-way tests and returns: no cycles. A block may be shared; it is emitted once.
 * TEST_SET against a constant reads only the constant's bits: emission takes any A that agrees on
 * these. */
struct block {
    enum block_kind kind;
    uint32_t id;                       /* distinct below one entry; a block's is larger than both of
                                        * its targets' */
    uint32_t word;                     /* RETURN */
    enum accumulator_kind accumulator; /* what A must hold */
    enum field field;
    uint32_t mask;
    const struct word *value;   /* ACCUMULATOR_WORD: interned, equal words are one pointer */
    enum test_operation test;   /* TEST */
    uint32_t constant;          /* TEST against a constant ... */
    const struct word *operand; /* ... or, when not NULL, against this computed word in X */
    struct block *yes, *no;     /* TEST: different */
    double weight;              /* expected executions per call, for layout; 0 when unknown */
    double weight_yes;          /* TEST: of these, those that go to `yes` */
};

static inline bool block_leads_on(const struct block *block)
{
    return block->kind == BLOCK_TEST || block->kind == BLOCK_MASK;
}

/* ---- layout (layout*.c): the order of blocks in the program ---------------------------------- */

/* The blocks below `entry`, the entry first and each before its targets, since every jump goes
 * forward. Weights are not looked at: `no` comes right behind its test, where it can. */
const struct block **layout_blocks(struct arena *arena, const struct block *entry, size_t *count);
/* The same by weight: few jumps are taken on the ways that are gone most. NULL when the blocks have
 * no weights or are too many. */
const struct block **layout_by_weight(struct arena *arena, const struct block *entry,
                                      size_t *count);

/* Whether a block that the test in front of a return leads to on its other side needs no place
 * between: it is that return, or does not lead there and can stand behind it. */
bool layout_is_beside(const struct block *block, const struct block *wanted);

/* ---- emit (emit.c, emit_word.c): blocks to machine code ------------------------------------- */

/* Loads only where the accumulator does not hold the right value on EVERY incoming edge; edges on
 * which it does jump past the load. Paths that test only nr and arch use only instructions that the
 * kernel's cache emulator follows. ERROR_LIMIT when it does not fit a program. */
MUST_USE result emit_program(struct arena *arena, const struct block *entry, bool big_endian,
                             const char *name, struct diagnostics *diagnostics,
                             struct program *program);

/* ---- relaxation (relax.c): 8-bit conditional jumps that are too far ------------------------- */

/* Straight code with symbolic targets. Both targets of a conditional jump, and `yes` of JA, are
 * indices of later items, or NEXT_ITEM. An item that neither jumps nor returns goes on to the next
 * one. The last item is a RET. */
struct item {
    struct sock_filter instruction; /* offsets of jumps: filled in by relax_jumps */
    uint32_t yes, no;
};
#define NEXT_ITEM 0xffffffffu

/* Places the items, duplicating a RET or adding a JA behind a conditional jump where an offset
 * would not fit. Returns are placed where the last jump to them is. ERROR_LIMIT when the program
 * would pass 4096 instructions, with the number it would need. */
MUST_USE result relax_jumps(struct arena *arena, const struct item *items, uint32_t count,
                            bool big_endian, const char *name, struct diagnostics *diagnostics,
                            struct program *program);

/* The invariants of emitted code: accepted by check_program, every instruction reachable, no jump
 * to a jump that could go straight, no jump that goes nowhere. NULL or what is broken. */
const char *code_check(struct arena *arena, const struct program *program);

#endif
