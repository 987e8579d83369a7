/* The decision DAG: if-then-else of three DAGs, by Shannon expansion on the first variable of the
 * three. Needs, keeps: order and reduction. Terminates: every step goes below one variable at
 * least, and a budget of steps bounds the whole. */
#include "compiler/dag_internal.h"

enum { CONDITION, YES, NO, OPERANDS };

static uint32_t hash_operands(const struct dag *dag,
                              const struct dag_node *const operands[OPERANDS])
{
    uint32_t hash = hash_mix(0x1f, operands[CONDITION]->id);
    hash = hash_mix(hash, operands[YES]->id);
    return hash_mix(hash, operands[NO]->id) ^ dag->in_front;
}

static const struct dag_node *known_result(const struct dag *dag, uint32_t hash,
                                           const struct dag_node *const operands[OPERANDS])
{
    size_t probe = 0;
    for (uint32_t i = index_first(&dag->result_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&dag->result_index, hash, &probe)) {
        const struct dag_if_result *known = &dag->results.items[i];
        if (known->condition == operands[CONDITION]->id && known->yes == operands[YES]->id &&
            known->no == operands[NO]->id && known->in_front == dag->in_front)
            return known->result;
    }
    return NULL;
}

static void remember(struct dag *dag, uint32_t hash,
                     const struct dag_node *const operands[OPERANDS], const struct dag_node *answer)
{
    index_add(dag->arena, &dag->result_index, hash, (uint32_t)dag->results.count);
    vector_push(dag->arena, &dag->results,
                (struct dag_if_result){.condition = operands[CONDITION]->id,
                                       .yes = operands[YES]->id,
                                       .no = operands[NO]->id,
                                       .in_front = dag->in_front,
                                       .result = answer});
}

/* The operand whose variable comes first. */
static const struct dag_node *first_of(const struct dag_node *const operands[OPERANDS])
{
    const struct dag_node *first = operands[CONDITION];
    for (int i = YES; i < OPERANDS; i++) {
        if (dag_variable_order(operands[i]) < dag_variable_order(first))
            first = operands[i];
    }
    return first;
}

static const struct dag_node *expand(struct dag *dag,
                                     const struct dag_node *const operands[OPERANDS]);

/* Walks the edges of all operands that switch on this variable side by side. */
static const struct dag_node *expand_switch(struct dag *dag,
                                            const struct dag_node *const operands[OPERANDS],
                                            const struct dag_node *first)
{
    size_t base = dag->scratch.count;
    uint64_t variable = dag_variable_order(first);
    uint32_t at[OPERANDS] = {0};
    uint32_t last = 0;
    do {
        const struct dag_node *part[OPERANDS];
        last = 0xffffffffu;
        for (int i = 0; i < OPERANDS; i++) {
            part[i] = operands[i];
            if (dag_variable_order(operands[i]) != variable)
                continue;
            part[i] = operands[i]->edges[at[i]].child;
            if (operands[i]->edges[at[i]].last < last)
                last = operands[i]->edges[at[i]].last;
        }
        const struct dag_node *child = expand(dag, part);
        if (!child) {
            dag->scratch.count = base;
            return NULL;
        }
        vector_push(dag->arena, &dag->scratch, (struct dag_edge){.last = last, .child = child});
        for (int i = 0; i < OPERANDS; i++) {
            if (dag_variable_order(operands[i]) == variable &&
                operands[i]->edges[at[i]].last == last)
                at[i]++;
        }
    } while (last != 0xffffffffu);
    return dag_switch_scratch(dag, first->field, first->mask, base);
}

static const struct dag_node *expand_compare(struct dag *dag,
                                             const struct dag_node *const operands[OPERANDS],
                                             const struct dag_node *first)
{
    const struct dag_node *results[2];
    for (int side = 0; side < 2; side++) {
        const struct dag_node *part[OPERANDS];
        for (int i = 0; i < OPERANDS; i++) {
            bool tests =
                operands[i]->kind == DAG_COMPARE && operands[i]->variable == first->variable;
            part[i] = tests ? operands[i]->edges[side].child : operands[i];
        }
        results[side] = expand(dag, part);
    }
    return dag_compare_node(dag, first->variable, results[0], results[1]);
}

/* What is to be tested before the condition's own variable is not to be looked into. */
static void free_operands(struct dag *dag, const struct dag_node *operands[OPERANDS])
{
    for (int i = YES; i < OPERANDS; i++) {
        if (dag_variable_order(operands[i]) < dag_variable_order(operands[CONDITION]))
            operands[i] = dag_free(dag, operands[i]);
    }
}

static const struct dag_node *expand_first(struct dag *dag,
                                           const struct dag_node *const operands[OPERANDS])
{
    uint32_t hash = hash_operands(dag, operands);
    const struct dag_node *answer = known_result(dag, hash, operands);
    if (answer)
        return answer;
    const struct dag_node *first = first_of(operands);
    answer = first->kind == DAG_SWITCH ? expand_switch(dag, operands, first)
                                       : expand_compare(dag, operands, first);
    if (answer)
        remember(dag, hash, operands, answer);
    return answer;
}

static const struct dag_node *expand(struct dag *dag, const struct dag_node *const given[OPERANDS])
{
    const struct dag_node *operands[OPERANDS] = {given[CONDITION], given[YES], given[NO]};
    if (++dag->work > dag->attempt_end && dag->attempt_end)
        return dag_fail(dag, DAG_ATTEMPT_OVER);
    if (dag_out_of_time(dag))
        return NULL;
    if (operands[CONDITION]->kind == DAG_VERDICT)
        return operands[CONDITION]->word ? operands[YES] : operands[NO];
    if (operands[YES] == operands[NO])
        return operands[YES];
    if (is_verdict(operands[YES], 1) && is_verdict(operands[NO], 0))
        return operands[CONDITION];
    if (++dag->steps > dag->step_most)
        return dag_fail(dag, DAG_TOO_MANY_NODES);
    if (dag->in_front)
        free_operands(dag, operands);
    return operands[YES] && operands[NO] ? expand_first(dag, operands) : NULL;
}

const struct dag_node *dag_if(struct dag *dag, const struct dag_node *condition,
                              const struct dag_node *yes, const struct dag_node *no)
{
    if (!condition || !yes || !no || dag->limit != DAG_WITHIN_LIMITS)
        return NULL;
    return expand(dag, (const struct dag_node *const[OPERANDS]){condition, yes, no});
}

const struct dag_node *dag_if_in_front(struct dag *dag, const struct dag_node *condition,
                                       const struct dag_node *yes, const struct dag_node *no)
{
    dag->in_front = true;
    const struct dag_node *answer = dag_if(dag, condition, yes, no);
    dag->in_front = false;
    return answer;
}
