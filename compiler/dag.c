/* The decision DAG: hash-consing and constructors. */
#include "compiler/dag_internal.h"

/* ---- index tables --------------------------------------------------------------------------- */

uint32_t index_next(const struct index_table *table, uint32_t hash, size_t *probe)
{
    for (; table->slots[*probe]; *probe = (*probe + 1) & (table->capacity - 1)) {
        if (table->hashes[*probe] == hash) {
            uint32_t index = table->slots[*probe] - 1;
            *probe = (*probe + 1) & (table->capacity - 1);
            return index;
        }
    }
    return INDEX_FREE;
}

uint32_t index_first(const struct index_table *table, uint32_t hash, size_t *probe)
{
    if (!table->capacity)
        return INDEX_FREE;
    *probe = hash & (table->capacity - 1);
    return index_next(table, hash, probe);
}

static void index_put(struct index_table *table, uint32_t hash, uint32_t slot)
{
    size_t probe = hash & (table->capacity - 1);
    while (table->slots[probe])
        probe = (probe + 1) & (table->capacity - 1);
    table->slots[probe] = slot;
    table->hashes[probe] = hash;
}

void index_add(struct arena *arena, struct index_table *table, uint32_t hash, uint32_t index)
{
    if (table->count * 2 >= table->capacity) {
        struct index_table bigger = {.capacity = table->capacity ? table->capacity * 2 : 64,
                                     .count = table->count};
        bigger.slots = NEW_ARRAY(arena, uint32_t, bigger.capacity);
        bigger.hashes = NEW_ARRAY(arena, uint32_t, bigger.capacity);
        for (size_t i = 0; i < table->capacity; i++) {
            if (table->slots[i])
                index_put(&bigger, table->hashes[i], table->slots[i]);
        }
        *table = bigger;
    }
    index_put(table, hash, index + 1);
    table->count++;
}

/* ---- the DAG -------------------------------------------------------------------------------- */

/* What belongs to one node of the budget: a policy of one huge set has few nodes and many edges. */
#define EDGES_PER_NODE 16
#define STEPS_PER_NODE 64

struct dag *dag_new(struct arena *arena, bool big_endian, size_t node_most)
{
    return dag_new_ordered(arena, big_endian, node_most, NULL);
}

struct dag *dag_new_ordered(struct arena *arena, bool big_endian, size_t node_most,
                            const uint8_t *ranks)
{
    struct dag *dag = NEW(arena, struct dag);
    dag->ranks = ranks;
    dag->arena = arena;
    dag->big_endian = big_endian;
    dag->node_most = node_most;
    dag->edge_most = node_most * EDGES_PER_NODE;
    dag->step_most = node_most * STEPS_PER_NODE;
    return dag;
}

size_t dag_size(const struct dag *dag)
{
    return dag->nodes.count;
}

bool dag_big_endian(const struct dag *dag)
{
    return dag->big_endian;
}

enum dag_limit dag_limit_reached(const struct dag *dag)
{
    return dag->limit;
}

const struct dag_node *dag_fail(struct dag *dag, enum dag_limit limit)
{
    if (dag->limit == DAG_WITHIN_LIMITS)
        dag->limit = limit;
    return NULL;
}

void dag_set_deadline(struct dag *dag, struct deadline deadline)
{
    dag->deadline = deadline;
}

#define TICKS_PER_LOOK 256u

bool dag_out_of_time(struct dag *dag)
{
    if (dag->deadline.at_ns && dag->ticks++ % TICKS_PER_LOOK == 0 && deadline_passed(dag->deadline))
        dag_fail(dag, DAG_OUT_OF_TIME);
    return dag->limit == DAG_OUT_OF_TIME;
}

/* arch and nr first, so that what they decide alone stays in the reach of the kernel's cache. */
static const uint8_t field_rank[FIELD_COUNT] = {
    [FIELD_ARCH] = 0,     [FIELD_NR] = 1,       [FIELD_ARG0_HI] = 2,  [FIELD_ARG0_LO] = 3,
    [FIELD_ARG1_HI] = 4,  [FIELD_ARG1_LO] = 5,  [FIELD_ARG2_HI] = 6,  [FIELD_ARG2_LO] = 7,
    [FIELD_ARG3_HI] = 8,  [FIELD_ARG3_LO] = 9,  [FIELD_ARG4_HI] = 10, [FIELD_ARG4_LO] = 11,
    [FIELD_ARG5_HI] = 12, [FIELD_ARG5_LO] = 13, [FIELD_IP_HI] = 14,   [FIELD_IP_LO] = 15,
};

void dag_default_ranks(uint8_t ranks[FIELD_COUNT])
{
    memcpy(ranks, field_rank, sizeof field_rank);
}

static uint64_t rank_of(const struct dag_node *node)
{
    return node->rank ? node->rank - 1u : field_rank[node->field];
}

uint64_t dag_variable_order(const struct dag_node *node)
{
    if (node->free)
        return UINT64_MAX;
    if (node->kind == DAG_SWITCH)
        return rank_of(node) << 32 | (uint32_t)~node->mask;
    if (node->kind == DAG_COMPARE)
        return (uint64_t)FIELD_COUNT << 32 | node->variable;
    return UINT64_MAX;
}

uint32_t dag_value_floor(uint32_t value, uint32_t mask)
{
    uint32_t outside = value & ~mask;
    if (!outside)
        return value;
    /* Below the highest bit that cannot be set, all bits of the mask can. */
    uint32_t below = 0xffffffffu >> __builtin_clz(outside);
    return (value & mask & ~below) | (mask & below);
}

static uint32_t hash_node(const struct dag_node *node)
{
    uint32_t hash = hash_mix((uint32_t)node->kind + 1, node->word);
    hash = hash_mix(hash, node->value ? dag_word_id(node->value) + 1 : 0);
    hash = hash_mix(hash, (uint32_t)node->field * FIELD_COUNT + node->variable);
    hash = hash_mix(hash, node->free);
    hash = hash_mix(hash, node->mask);
    for (uint32_t i = 0; i < node->edge_count; i++) {
        hash = hash_mix(hash, node->edges[i].last);
        hash = hash_mix(hash, node->edges[i].child->id);
    }
    return hash;
}

static bool same_edges(const struct dag_node *a, const struct dag_node *b)
{
    if (a->edge_count != b->edge_count)
        return false;
    for (uint32_t i = 0; i < a->edge_count; i++) {
        if (a->edges[i].last != b->edges[i].last || a->edges[i].child != b->edges[i].child)
            return false;
    }
    return true;
}

bool dag_same_node(const struct dag_node *a, const struct dag_node *b)
{
    return a->kind == b->kind && a->word == b->word && a->value == b->value &&
           a->field == b->field && a->mask == b->mask && a->variable == b->variable &&
           a->free == b->free && same_edges(a, b);
}

/* The one node that equals `wanted`, made if there is none; its edges are copied. */
static const struct dag_node *unique_node(struct dag *dag, const struct dag_node *wanted)
{
    if (dag_out_of_time(dag) || dag->limit != DAG_WITHIN_LIMITS)
        return NULL;
    uint32_t hash = hash_node(wanted);
    size_t probe = 0;
    for (uint32_t i = index_first(&dag->node_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&dag->node_index, hash, &probe)) {
        if (dag_same_node(dag->nodes.items[i], wanted))
            return dag->nodes.items[i];
    }
    if (dag->nodes.count >= dag->node_most || dag->edges_used + wanted->edge_count > dag->edge_most)
        return dag_fail(dag, DAG_TOO_MANY_NODES);
    struct dag_node *node = arena_copy(dag->arena, wanted, sizeof *wanted);
    node->id = (uint32_t)dag->nodes.count;
    if (wanted->edge_count)
        node->edges =
            arena_copy(dag->arena, wanted->edges, wanted->edge_count * sizeof *wanted->edges);
    dag->edges_used += wanted->edge_count;
    index_add(dag->arena, &dag->node_index, hash, node->id);
    vector_push(dag->arena, &dag->nodes, node);
    return node;
}

const struct dag_node *dag_verdict(struct dag *dag, uint32_t word)
{
    return unique_node(dag, &(struct dag_node){.kind = DAG_VERDICT, .word = word});
}

const struct dag_node *dag_free(struct dag *dag, const struct dag_node *node)
{
    if (!node || node->free || !node->edge_count)
        return node;
    struct dag_node wanted = *node;
    wanted.free = true;
    return unique_node(dag, &wanted);
}

const struct dag_node *dag_return(struct dag *dag, const struct word *value)
{
    const struct word *folded = dag_intern(dag, value);
    if (!folded)
        return dag_fail(dag, DAG_WORD_TOO_DEEP);
    if (folded->operator== WORD_CONSTANT)
        return dag_verdict(dag, folded->constant);
    return unique_node(dag, &(struct dag_node){.kind = DAG_RETURN, .value = folded});
}

/* Counts a (field, mask) the first time it is seen; false past the limit. */
static bool know_variable(struct dag *dag, enum field field, uint32_t mask)
{
    uint32_t hash = hash_mix((uint32_t)field + 1, mask);
    size_t probe = 0;
    for (uint32_t i = index_first(&dag->switch_variable_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&dag->switch_variable_index, hash, &probe)) {
        const struct dag_switch_variable *known = &dag->switch_variables.items[i];
        if (known->field == field && known->mask == mask)
            return true;
    }
    if (dag->switch_variables.count + dag->comparisons.count >= DAG_VARIABLES_MOST)
        return false;
    index_add(dag->arena, &dag->switch_variable_index, hash, (uint32_t)dag->switch_variables.count);
    vector_push(dag->arena, &dag->switch_variables,
                (struct dag_switch_variable){.field = field, .mask = mask});
    return true;
}

/* Makes the edges on the scratch stack from `base` up canonical, in place: those that no possible
 * value takes go, each ends right below the first value of the next, neighbours of equal child
 * become one. False when a child is NULL. */
static bool canonical_edges(struct dag *dag, uint32_t mask, size_t base)
{
    struct dag_edge *edges = dag->scratch.items + base;
    size_t count = dag->scratch.count - base, kept = 0;
    uint32_t reached = 0;
    for (size_t i = 0; i < count; i++) {
        if (!edges[i].child)
            return false;
        uint32_t last = i + 1 == count ? mask : dag_value_floor(edges[i].last, mask);
        if (i && last <= reached)
            continue;
        reached = last;
        if (kept && edges[kept - 1].child == edges[i].child)
            kept--;
        /* The next value within the mask, less one; past the last value this is 2^32 - 1. */
        edges[kept++] =
            (struct dag_edge){.last = (((last | ~mask) + 1) & mask) - 1, .child = edges[i].child};
    }
    dag->scratch.count = base + kept;
    return true;
}

const struct dag_node *dag_switch_scratch(struct dag *dag, enum field field, uint32_t mask,
                                          size_t base)
{
    const struct dag_node *node = NULL;
    if (dag->limit == DAG_WITHIN_LIMITS && dag->scratch.count > base &&
        canonical_edges(dag, mask, base)) {
        struct dag_node wanted = {.kind = DAG_SWITCH,
                                  .field = field,
                                  .mask = mask,
                                  .rank = dag->ranks ? (uint8_t)(dag->ranks[field] + 1) : 0,
                                  .edges = dag->scratch.items + base,
                                  .edge_count = (uint32_t)(dag->scratch.count - base)};
        if (wanted.edge_count == 1)
            node = wanted.edges[0].child;
        else if (!know_variable(dag, field, mask))
            node = dag_fail(dag, DAG_TOO_MANY_VARIABLES);
        else
            node = unique_node(dag, &wanted);
    }
    dag->scratch.count = base;
    return node;
}

const struct dag_node *dag_switch(struct dag *dag, enum field field, uint32_t mask,
                                  const struct dag_edge *edges, uint32_t count)
{
    size_t base = dag->scratch.count;
    for (uint32_t i = 0; i < count; i++)
        vector_push(dag->arena, &dag->scratch, edges[i]);
    return dag_switch_scratch(dag, field, mask, base);
}

const struct dag_node *dag_compare_node(struct dag *dag, uint32_t variable,
                                        const struct dag_node *yes, const struct dag_node *no)
{
    if (!yes || !no || yes == no)
        return yes && no ? yes : NULL;
    const struct dag_comparison *comparison = &dag->comparisons.items[variable];
    const struct dag_edge edges[2] = {{.last = 0, .child = yes}, {.last = 1, .child = no}};
    return unique_node(dag, &(struct dag_node){.kind = DAG_COMPARE,
                                               .comparison = comparison->comparison,
                                               .a = comparison->a,
                                               .b = comparison->b,
                                               .variable = variable,
                                               .edges = edges,
                                               .edge_count = 2});
}

const struct dag_node *dag_child_at(const struct dag_node *node, uint32_t value)
{
    uint32_t low = 0, high = node->edge_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (value <= node->edges[middle].last)
            high = middle;
        else
            low = middle + 1;
    }
    return node->edges[low].child;
}

/* ---- attempts ------------------------------------------------------------------------------- */

/* No node and no edge is made without work: an attempt never reaches another limit, and half of the
 * room is left for what must be made. */
bool dag_attempt_begins(struct dag *dag, size_t work)
{
    if (dag->limit != DAG_WITHIN_LIMITS || dag->nodes.count + work >= dag->node_most / 2 ||
        dag->edges_used + work >= dag->edge_most / 2 || dag->steps + work >= dag->step_most / 2)
        return false;
    dag->attempt_end = dag->work + work;
    return true;
}

bool dag_attempt_ends(struct dag *dag)
{
    dag->attempt_end = 0;
    if (dag->limit != DAG_ATTEMPT_OVER)
        return dag->limit == DAG_WITHIN_LIMITS;
    dag->limit = DAG_WITHIN_LIMITS;
    return false;
}
