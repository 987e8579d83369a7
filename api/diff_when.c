/* diff: conditions as text.
 *
 * A difference's condition comes from two filters that may look at the same word through different
 * masks. Before it is said, the masks are taken apart into the bits that they share and those that
 * they do not, and tests that others settle go. */
#include "api/bpfproof.h"
#include "compiler/raise.h"
#include "optimizer/pass.h"

#define NODE_MOST ((size_t)1 << 14)
#define MASKS_MOST 32u  /* of one field */
#define VALUES_MOST 64u /* of a switch that is taken apart */

/* Disjoint sets of bits; every mask of the field is some of them together. */
struct parts {
    uint32_t masks[MASKS_MOST];
    unsigned count;
};

/* False when there are too many. */
static bool add_mask(struct parts *parts, uint32_t mask)
{
    for (unsigned i = 0, count = parts->count; i < count && mask; i++) {
        uint32_t shared = parts->masks[i] & mask;
        if (!shared)
            continue;
        if (shared != parts->masks[i]) {
            if (parts->count == MASKS_MOST)
                return false;
            parts->masks[parts->count++] = parts->masks[i] & ~mask;
            parts->masks[i] = shared;
        }
        mask &= ~shared;
    }
    if (mask && parts->count == MASKS_MOST)
        return false;
    if (mask)
        parts->masks[parts->count++] = mask;
    return true;
}

static bool find_parts(const struct dag_node *const *nodes, size_t count,
                       struct parts parts[FIELD_COUNT])
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i]->kind == DAG_SWITCH && nodes[i]->mask != UINT32_MAX &&
            !add_mask(&parts[nodes[i]->field], nodes[i]->mask))
            return false;
    return true;
}

static bool is_split(const struct parts *parts, uint32_t mask)
{
    for (unsigned i = 0; i < parts->count; i++)
        if ((parts->masks[i] & mask) != 0 && parts->masks[i] != mask)
            return mask != UINT32_MAX;
    return false;
}

/* Every part has the bits that `value` has there. */
static const struct dag_node *parts_equal(struct dag *dag, enum field field, uint32_t mask,
                                          const struct parts *parts, uint32_t value)
{
    const struct dag_node *no = dag_verdict(dag, 0), *all = dag_verdict(dag, 1);
    for (unsigned i = 0; i < parts->count; i++) {
        uint32_t part = parts->masks[i], wanted = value & part;
        if (!(part & mask))
            continue;
        struct dag_edge edges[3];
        uint32_t count = 0;
        if (wanted)
            edges[count++] = (struct dag_edge){wanted - 1, no};
        edges[count++] = (struct dag_edge){wanted, dag_verdict(dag, 1)};
        if (wanted != part)
            edges[count++] = (struct dag_edge){UINT32_MAX, no};
        edges[count - 1].last = UINT32_MAX;
        all = dag_if(dag, dag_switch(dag, field, part, edges, count), all, no);
    }
    return all;
}

static uint32_t value_after(uint32_t value, uint32_t mask)
{
    return ((value | ~mask) + 1) & mask;
}

/* How many values an edge has; VALUES_MOST + 1: too many to go through. */
static unsigned values_of_edge(const struct dag_node *node, uint32_t edge, uint32_t *first)
{
    uint32_t last = dag_value_floor(node->edges[edge].last, node->mask);
    *first = edge ? node->edges[edge - 1].last + 1 : 0;
    unsigned count = 1;
    for (uint32_t value = *first; value != last && count <= VALUES_MOST; count++)
        value = value_after(value, node->mask);
    return count;
}

/* NULL: it has too many values on more than one side. */
static const struct dag_node *split_switch(struct dag *dag, const struct parts *parts,
                                           const struct dag_node *node,
                                           const struct dag_node *const *made)
{
    uint32_t first, widest = 0;
    unsigned total = 0, most = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        unsigned count = values_of_edge(node, i, &first);
        total += count;
        widest = count > most ? i : widest;
        most = count > most ? count : most;
    }
    if (total - most > VALUES_MOST)
        return NULL;
    const struct dag_node *chosen = made[node->edges[widest].child->id];
    for (uint32_t i = 0; i < node->edge_count; i++) {
        unsigned count = values_of_edge(node, i, &first);
        for (uint32_t value = first; i != widest && count; count--) {
            chosen = dag_if(dag, parts_equal(dag, node->field, node->mask, parts, value),
                            made[node->edges[i].child->id], chosen);
            value = value_after(value, node->mask);
        }
    }
    return chosen;
}

static const struct dag_node *again(struct dag *dag, struct arena *arena, const struct parts *parts,
                                    const struct dag_node *node, const struct dag_node *const *made)
{
    if (node->kind == DAG_VERDICT)
        return dag_verdict(dag, node->word);
    if (node->kind == DAG_COMPARE)
        return dag_compare(dag, node->comparison, node->a, node->b, made[node->edges[0].child->id],
                           made[node->edges[1].child->id]);
    const struct dag_node *split = NULL;
    if (is_split(&parts[node->field], node->mask))
        split = split_switch(dag, &parts[node->field], node, made);
    if (split)
        return split;
    struct dag_edge *edges = NEW_ARRAY(arena, struct dag_edge, node->edge_count);
    for (uint32_t i = 0; i < node->edge_count; i++)
        edges[i] = (struct dag_edge){node->edges[i].last, made[node->edges[i].child->id]};
    return dag_choose(dag, node->field, node->mask, edges, node->edge_count);
}

/* The same condition, easier to say; itself where that is too involved. */
static const struct dag_node *easier(struct arena *arena, bool big_endian,
                                     const struct dag_node *when)
{
    struct parts parts[FIELD_COUNT] = {{{0}, 0}};
    struct dag *dag = dag_new(arena, big_endian, NODE_MOST);
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, when, &count);
    if (!find_parts(nodes, count, parts))
        return when;
    const struct dag_node **made = NEW_ARRAY(arena, const struct dag_node *, (size_t)when->id + 1);
    for (size_t i = 0; i < count && dag_limit_reached(dag) == DAG_WITHIN_LIMITS; i++)
        made[nodes[i]->id] = again(dag, arena, parts, nodes[i], made);
    if (dag_limit_reached(dag) != DAG_WITHIN_LIMITS)
        return when;
    struct pass_state pass = {.arena = arena, .dag = dag, .root = made[when->id]};
    return pass_implied(&pass) && dag_limit_reached(dag) == DAG_WITHIN_LIMITS ? pass.root
                                                                              : made[when->id];
}

/* ---- the raw layer
 * ---------------------------------------------------------------------------------- */

/* What the language only says in `raw` rules: the paths to yes, one by one. */
struct raw {
    struct arena *arena;
    const struct condition *any; /* of the paths so far */
    unsigned paths, steps;
};

#define PATHS_MOST 32u
#define STEPS_MOST 10000u

static const struct condition *joined(struct arena *arena, enum condition_kind kind,
                                      const struct condition *a, const struct condition *b)
{
    struct condition *joined = NEW(arena, struct condition);
    *joined = (struct condition){.kind = kind, .left = a, .right = b};
    return a && b ? joined : a ? a : b;
}

static struct operand operand_of(const struct dag_node *node)
{
    struct operand operand = {.subject = SUBJECT_NR, .bits = 32, .mask = node->mask};
    if (node->field == FIELD_ARCH)
        operand.subject = SUBJECT_ARCH;
    if (node->field < FIELD_IP_LO)
        return operand;
    unsigned place = node->field - FIELD_IP_LO;
    operand.subject = place < 2 ? (unsigned)SUBJECT_IP : SUBJECT_ARG0 + place / 2 - 1;
    operand.shift = place % 2 ? 32 : 0;
    return operand;
}

/* All edges from `edge` on that lead to the same child. */
static const struct condition *edge_condition(struct arena *arena, const struct dag_node *node,
                                              uint32_t edge)
{
    struct condition *test = NEW(arena, struct condition);
    if (node->kind == DAG_COMPARE) {
        *test = (struct condition){
            .kind = CONDITION_COMPARE, .comparison = node->comparison, .a = node->a, .b = node->b};
        struct condition *not = NEW(arena, struct condition);
        *not = (struct condition){.kind = CONDITION_NOT, .left = test};
        return edge ? not : test;
    }
    struct interval *intervals = NEW_ARRAY(arena, struct interval, node->edge_count);
    size_t count = 0;
    for (uint32_t i = edge; i < node->edge_count; i++)
        if (node->edges[i].child == node->edges[edge].child)
            intervals[count++] =
                (struct interval){i ? node->edges[i - 1].last + 1 : 0,
                                  dag_value_floor(node->edges[i].last, node->mask)};
    *test = (struct condition){.kind = CONDITION_MEMBER,
                               .operand = operand_of(node),
                               .intervals = intervals,
                               .interval_count = count};
    return test;
}

static bool is_first_to(const struct dag_node *node, uint32_t edge)
{
    for (uint32_t i = 0; i < edge; i++)
        if (node->edges[i].child == node->edges[edge].child)
            return false;
    return true;
}

/* False: too many paths. As deep as there are variables. */
static bool add_paths(struct raw *raw, const struct dag_node *node, const struct condition *so_far)
{
    if (++raw->steps > STEPS_MOST)
        return false;
    if (node->kind == DAG_VERDICT && node->word) {
        raw->any = joined(raw->arena, CONDITION_OR, raw->any, so_far);
        return ++raw->paths <= PATHS_MOST;
    }
    bool added = true;
    for (uint32_t i = 0; i < node->edge_count && added; i++)
        if (is_first_to(node, i))
            added = add_paths(
                raw, node->edges[i].child,
                joined(raw->arena, CONDITION_AND, so_far, edge_condition(raw->arena, node, i)));
    return added;
}

static void put_raw(struct buffer *out, struct arena *arena, const struct dag_node *when)
{
    struct raw raw = {.arena = arena};
    if (add_paths(&raw, when, NULL) && raw.any)
        condition_print(out, raw.any, ABI_NONE, 0);
    else
        buffer_text(out, "one of more conditions holds than can be listed");
}

/* ---- both
 * ------------------------------------------------------------------------------------------- */

const char *diff_when(struct diff_state *state, const struct dag_node *when, enum abi_id abi,
                      uint32_t nr)
{
    if (when->kind == DAG_VERDICT)
        return NULL;
    struct arena *scratch = arena_new();
    struct buffer text = buffer_new(scratch);
    const struct dag_node *easy = easier(scratch, state->big_endian, when);
    struct raised raised = raise_condition(scratch, easy, abi, nr, false);
    if (raised.condition)
        buffer_text(&text, raised.condition);
    else if (!raised.always)
        put_raw(&text, scratch, easy);
    const char *kept =
        raised.always ? NULL : arena_string(state->arena, buffer_string(&text), text.length);
    arena_free(scratch);
    return kept;
}
