/* diff: conditions as text. */
#include "api/bpfproof.h"

static const struct condition *member(struct arena *arena, const struct dag_node *node,
                                      uint32_t first, uint32_t last)
{
    struct condition *c = NEW(arena, struct condition);
    struct interval *interval = NEW(arena, struct interval);
    *interval = (struct interval){first, last};
    unsigned subject = SUBJECT_NR, shift = 0;
    if (node->field == FIELD_ARCH)
        subject = SUBJECT_ARCH;
    else if (node->field >= FIELD_ARG0_LO)
        subject = SUBJECT_ARG0 + (node->field - FIELD_ARG0_LO) / 2;
    else if (node->field != FIELD_NR)
        subject = SUBJECT_IP;
    if (node->field >= FIELD_IP_LO)
        shift = (node->field - FIELD_IP_LO) % 2 ? 32 : 0;
    *c = (struct condition){.kind = CONDITION_MEMBER,
                            .operand = {subject, shift, 32, node->mask},
                            .intervals = interval,
                            .interval_count = 1};
    return c;
}

static const struct condition *both(struct arena *arena, enum condition_kind kind,
                                    const struct condition *a, const struct condition *b)
{
    if (!a || !b)
        return a ? a : b;
    struct condition *c = NEW(arena, struct condition);
    *c = (struct condition){.kind = kind, .left = a, .right = b};
    return c;
}

static const struct condition *any(struct arena *arena, const struct dag_node *node,
                                   const struct condition *so_far,
                                   const struct condition *result)
{
    if (node->kind == DAG_VERDICT)
        return node->word ? both(arena, CONDITION_OR, result, so_far) : result;
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct condition *test;
        if (node->kind == DAG_SWITCH) {
            test = member(arena, node, first, dag_value_floor(node->edges[i].last, node->mask));
            first = node->edges[i].last + 1;
        } else {
            struct condition *c = NEW(arena, struct condition);
            *c = (struct condition){.kind = CONDITION_COMPARE,
                                    .comparison = node->comparison,
                                    .a = node->a,
                                    .b = node->b};
            test = c;
            if (i) {
                struct condition *n = NEW(arena, struct condition);
                *n = (struct condition){.kind = CONDITION_NOT, .left = c};
                test = n;
            }
        }
        result = any(arena, node->edges[i].child, both(arena, CONDITION_AND, so_far, test), result);
    }
    return result;
}

const char *diff_when(struct diff_state *state, const struct dag_node *when, enum abi_id abi,
                      uint32_t nr)
{
    if (when->kind == DAG_VERDICT)
        return NULL;
    struct buffer text = buffer_new(state->arena);
    condition_print(&text, any(state->arena, when, NULL, NULL), abi, nr);
    return buffer_string(&text);
}
