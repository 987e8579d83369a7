/* Several filters as one: what the kernel makes of the verdicts of a stack.
 *
 * It runs the filters from the newest to the oldest and begins with a plain ALLOW; a verdict takes
 * the place of the one before when its action, as a signed number, is smaller, so that among equal
 * actions the newest filter's data counts (seccomp_run_filters, kernel/seccomp.c). */
#include "compiler/compiler.h"

#define ACTION_BITS 0xffff0000u
#define SIGN_BIT 0x80000000u

struct combination {
    struct arena *arena;
    struct dag *dag;
    const struct dag_node *newer; /* a leaf */
};

typedef const struct dag_node *leaf_map(const struct combination *combination,
                                        const struct dag_node *leaf);

static bool is_leaf(const struct dag_node *node)
{
    return node->kind == DAG_VERDICT || node->kind == DAG_RETURN;
}

/* What `root` says, with other leaves. */
static const struct dag_node *map_leaves(const struct combination *combination,
                                         const struct dag_node *root, leaf_map *map)
{
    size_t count;
    struct dag *dag = combination->dag;
    const struct dag_node **nodes = dag_nodes_below(combination->arena, root, &count);
    const struct dag_node **made =
        NEW_ARRAY(combination->arena, const struct dag_node *, (size_t)root->id + 1);
    for (size_t i = 0; i < count; i++) {
        const struct dag_node *node = nodes[i];
        if (is_leaf(node)) {
            made[node->id] = map(combination, node);
        } else {
            struct dag_edge *edges =
                NEW_ARRAY(combination->arena, struct dag_edge, node->edge_count);
            for (uint32_t j = 0; j < node->edge_count; j++)
                edges[j] = (struct dag_edge){node->edges[j].last, made[node->edges[j].child->id]};
            made[node->id] = node->kind == DAG_SWITCH
                                 ? dag_choose(dag, node->field, node->mask, edges, node->edge_count)
                                 : dag_compare(dag, node->comparison, node->a, node->b,
                                               edges[0].child, edges[1].child);
        }
        if (!made[node->id])
            return NULL;
    }
    return made[root->id];
}

/* ---- which of two verdicts ----------------------------------------------------------------------
 */

static const struct word *constant_word(struct arena *arena, uint32_t constant)
{
    struct word word = {.operator= WORD_CONSTANT, .constant = constant};
    return arena_copy(arena, &word, sizeof word);
}

static const struct word *pair_word(struct arena *arena, enum word_operator operator,
                                    const struct word * left, uint32_t right)
{
    struct word word = {.operator= operator, .left = left, .right = constant_word(arena, right)};
    return arena_copy(arena, &word, sizeof word);
}

/* The action as an unsigned number in the kernel's order. */
static const struct word *rank_of(struct arena *arena, const struct dag_node *leaf)
{
    const struct word *value =
        leaf->kind == DAG_VERDICT ? constant_word(arena, leaf->word) : leaf->value;
    return pair_word(arena, WORD_XOR, pair_word(arena, WORD_AND, value, ACTION_BITS), SIGN_BIT);
}

/* The older verdict where it is stricter, else the newer. */
static const struct dag_node *stricter(const struct combination *combination,
                                       const struct dag_node *older)
{
    const struct dag_node *newer = combination->newer;
    if (newer->kind == DAG_VERDICT && older->kind == DAG_VERDICT)
        return (int32_t)(older->word & ACTION_BITS) < (int32_t)(newer->word & ACTION_BITS) ? older
                                                                                           : newer;
    return dag_compare(combination->dag, COMPARE_LESS, rank_of(combination->arena, older),
                       rank_of(combination->arena, newer), older, newer);
}

static const struct dag_node *is_newer(const struct combination *combination,
                                       const struct dag_node *leaf)
{
    return dag_verdict(combination->dag, leaf == combination->newer);
}

const struct dag_node *dag_combine(struct dag *dag, struct arena *arena,
                                   const struct dag_node *newer, const struct dag_node *older)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, newer, &count);
    const struct dag_node *combined = newer;
    for (size_t i = 0; i < count && combined; i++) {
        if (!is_leaf(nodes[i]))
            continue;
        struct combination combination = {.arena = arena, .dag = dag, .newer = nodes[i]};
        const struct dag_node *here = map_leaves(&combination, newer, is_newer);
        const struct dag_node *then = map_leaves(&combination, older, stricter);
        combined = dag_if(dag, here, then, combined);
    }
    return combined;
}
