/* Lifting: any program that the kernel takes, to a decision DAG.
 *
 * Symbolic execution, memoised: a junction is an instruction together with what can still matter
 * there (the words in A, X and scratch memory that are read later, the range of nr and of arch when
 * they are looked at again). All jumps go forward, so that junctions are explored in the order of
 * their instructions and answered in the opposite order, without recursion.
 *
 * Tests come in the program's order and leave in the DAG's: where a switch's children test what has
 * to stand above it, dag_if puts the tests in their places. */
#include "compiler/lift_internal.h"

/* As much as a policy may need. */
#define NODE_MOST ((size_t)1 << 18)

/* A switch under construction; its regions lie in the lift's. */
struct switching {
    struct lift *lift;
    enum field field;
    uint32_t mask;
    uint64_t order;
    const struct lift_region *regions;
};

static const struct dag_node *target_node(const struct lift *lift, struct lift_target target)
{
    return target.leaf ? target.leaf : lift->junctions.items[target.junction].node;
}

/* The child's own edges within the region, when the child is a switch of the same variable. */
static void add_edges(const struct switching *s, const struct lift_region *region,
                      const struct dag_node *child)
{
    struct dag *dag = s->lift->dag;
    if (dag_variable_order(child) != s->order) {
        vector_push(dag->arena, &dag->scratch,
                    ((struct dag_edge){.last = region->values.last, .child = child}));
        return;
    }
    for (uint32_t i = 0; i < child->edge_count; i++) {
        uint32_t last = child->edges[i].last;
        if (last < region->values.first)
            continue;
        bool ends = last >= region->values.last;
        vector_push(dag->arena, &dag->scratch,
                    ((struct dag_edge){.last = ends ? region->values.last : last,
                                       .child = child->edges[i].child}));
        if (ends)
            return;
    }
}

static bool in_order(const struct switching *s, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct dag_node *child = target_node(s->lift, s->regions[i].target);
        if (dag_variable_order(child) < s->order)
            return false;
    }
    return true;
}

/* Values outside the regions cannot occur, and go where their neighbours go. */
static const struct dag_node *plain_switch(const struct switching *s, size_t first, size_t count)
{
    struct dag *dag = s->lift->dag;
    size_t base = dag->scratch.count;
    for (size_t i = first; i < first + count; i++)
        add_edges(s, &s->regions[i], target_node(s->lift, s->regions[i].target));
    dag->scratch.items[dag->scratch.count - 1].last = 0xffffffffu;
    return dag_switch_scratch(dag, s->field, s->mask, base);
}

/* Halves the regions until none in a part has a child that tests what belongs above; as deep as the
 * logarithm of their number. */
static const struct dag_node *make_switch(const struct switching *s, size_t first, size_t count)
{
    if (count == 1)
        return target_node(s->lift, s->regions[first].target);
    if (in_order(s, first, count))
        return plain_switch(s, first, count);
    struct dag *dag = s->lift->dag;
    size_t half = count / 2;
    const struct dag_edge edges[2] = {
        {.last = s->regions[first + half - 1].values.last, .child = dag_verdict(dag, 1)},
        {.last = 0xffffffffu, .child = dag_verdict(dag, 0)}};
    const struct dag_node *low = make_switch(s, first, half);
    const struct dag_node *high = make_switch(s, first + half, count - half);
    return dag_if(dag, dag_switch(dag, s->field, s->mask, edges, 2), low, high);
}

static const struct dag_node *answer(struct lift *lift, const struct junction *junction)
{
    if (junction->kind == JUNCTION_LEAF)
        return junction->node;
    if (junction->kind == JUNCTION_CONDITION)
        return dag_if(lift->dag, junction->condition, target_node(lift, junction->yes),
                      target_node(lift, junction->no));
    const struct dag_node variable = {
        .kind = DAG_SWITCH, .field = junction->field, .mask = junction->mask};
    struct switching s = {.lift = lift,
                          .field = junction->field,
                          .mask = junction->mask,
                          .order = dag_variable_order(&variable),
                          .regions = lift->regions.items + junction->first_region};
    return make_switch(&s, 0, junction->region_count);
}

static const struct dag_node *lift_from(struct lift *lift, const struct lift_state *start)
{
    uint32_t length = lift->program->length;
    uint32_t root = lift_junction(lift, *start);
    for (uint32_t pc = 0; pc <= length; pc++) {
        for (uint32_t i = lift->junction_at[pc]; i != NO_JUNCTION && !lift_failed(lift);
             i = lift->junctions.items[i].next)
            lift_explore(lift, i);
    }
    for (uint32_t pc = length + 1; pc-- > 0;) {
        for (uint32_t i = lift->junction_at[pc]; i != NO_JUNCTION && !lift_failed(lift);
             i = lift->junctions.items[i].next)
            lift->junctions.items[i].node = answer(lift, &lift->junctions.items[i]);
    }
    return lift_failed(lift) ? NULL : lift->junctions.items[root].node;
}

static const char *limit_text(const struct lift *lift)
{
    if (lift->too_large)
        return lift->too_large;
    switch (dag_limit_reached(lift->dag)) {
    case DAG_TOO_MANY_VARIABLES:
        return "it looks at too many different masks and computed comparisons";
    case DAG_WORD_TOO_DEEP:
        return "its arithmetic nests too deeply";
    case DAG_OUT_OF_TIME:
        return "the time limit was reached";
    default:
        return "its decisions need too many different tests";
    }
}

result lift_program(struct arena *arena, const struct program *program,
                    struct diagnostics *diagnostics, struct dag **dag, const struct dag_node **root)
{
    if (!*dag)
        *dag = dag_new(arena, program->big_endian, NODE_MOST);
    struct lift lift = {.arena = arena, .program = program, .dag = *dag};
    lift_facts(&lift);
    lift.junction_at = NEW_ARRAY(arena, uint32_t, program->length + 1);
    memset(lift.junction_at, 0xff, (program->length + 1) * sizeof *lift.junction_at);
    struct lift_state start = {.known = {ALL_VALUES, ALL_VALUES}};
    for (unsigned place = 0; place < PLACE_COUNT; place++)
        start.places[place] = lift_constant(&lift, 0);
    *root = lift_from(&lift, &start);
    if (*root)
        return SUCCESS;
    report_error(diagnostics, NO_SPAN, "%s: the program is too involved to be lifted: %s",
                 program->name, limit_text(&lift));
    return FAILURE(ERROR_LIMIT);
}
