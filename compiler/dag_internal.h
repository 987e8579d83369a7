/* The decision DAG's own tables: for the files dag*.c only. */
#ifndef COMPILER_DAG_INTERNAL_H
#define COMPILER_DAG_INTERNAL_H

#include "compiler/compiler.h"

/* Open addressing over numbers: slots hold index + 1 into an array that its owner keeps, 0 is free.
 * Hashes are made of values and ids, never of addresses, so that every run is the same. */
struct index_table {
    uint32_t *slots;
    uint32_t *hashes; /* beside the slots: growing needs no rehash */
    size_t capacity;  /* a power of two */
    size_t count;
};

/* An interned word. The word comes first: a pointer to it is a pointer to this. */
struct dag_word {
    struct word word;
    uint32_t id;
};

struct dag_comparison {
    enum comparison comparison;
    const struct word *a, *b;
};

struct dag_switch_variable {
    enum field field;
    uint32_t mask;
};

/* One result of dag_if, by ids. */
struct dag_if_result {
    uint32_t condition, yes, no;
    bool in_front;
    const struct dag_node *result;
};

struct dag {
    struct arena *arena;
    bool big_endian;
    const uint8_t *ranks; /* by field; NULL: the default ones */
    enum dag_limit limit;
    size_t node_most, edge_most, step_most;
    size_t edges_used, steps;
    size_t work, attempt_end; /* edges that dag_if looked at; 0: no attempt */
    bool in_front;            /* dag_if_in_front is at work */
    struct deadline deadline; /* none: not set */
    unsigned ticks;           /* questions for the time so far */

    VECTOR(const struct dag_node *) nodes; /* by id */
    struct index_table node_index;
    VECTOR(const struct dag_word *) words; /* by id */
    struct index_table word_index;
    VECTOR(struct dag_comparison) comparisons; /* by variable */
    struct index_table comparison_index;
    VECTOR(struct dag_switch_variable) switch_variables;
    struct index_table switch_variable_index;
    VECTOR(struct dag_if_result) results;
    struct index_table result_index;
    /* Edges of switches under construction, as a stack: dag_if is recursive. */
    VECTOR(struct dag_edge) scratch;
};

static inline uint32_t hash_mix(uint32_t hash, uint32_t value)
{
    uint64_t product = (uint64_t)(hash ^ value) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(product ^ (product >> 32));
}

/* Finding: `probe` starts as index_first(hash) and goes on with index_next until it gives
 * INDEX_FREE; the caller compares its own entries. */
#define INDEX_FREE 0xffffffffu
uint32_t index_first(const struct index_table *table, uint32_t hash, size_t *probe);
uint32_t index_next(const struct index_table *table, uint32_t hash, size_t *probe);
void index_add(struct arena *arena, struct index_table *table, uint32_t hash, uint32_t index);

static inline uint32_t dag_word_id(const struct word *word)
{
    return ((const struct dag_word *)(const void *)word)->id;
}

static inline bool is_verdict(const struct dag_node *node, uint32_t word)
{
    return node->kind == DAG_VERDICT && node->word == word;
}

/* Says why, once, and gives NULL. */
const struct dag_node *dag_fail(struct dag *dag, enum dag_limit limit);
bool dag_same_node(const struct dag_node *a, const struct dag_node *b);
/* The word, folded and unique; NULL past EXPRESSION_DEPTH_MOST. */
const struct word *dag_intern(struct dag *dag, const struct word *word);
/* dag_switch over the edges that lie on the scratch stack from `base` up; takes them off it. */
const struct dag_node *dag_switch_scratch(struct dag *dag, enum field field, uint32_t mask,
                                          size_t base);
/* A comparison that folding has left over: yes and no come after `variable`. */
const struct dag_node *dag_compare_node(struct dag *dag, uint32_t variable,
                                        const struct dag_node *yes, const struct dag_node *no);

#endif
