/* Conditions to DAGs of the verdicts 1 and 0. */
#include "compiler/lower_internal.h"

typedef VECTOR(struct dag_edge) edge_list;

#define WORD_LAST 0xffffffffull

/* ---- membership ----------------------------------------------------------------------------- */

/* The two words under an operand, and the bits of each that count. */
struct words {
    enum field low, high;
    uint32_t low_mask, high_mask; /* 0: this word does not count */
};

/* Which bits of `value` = (register >> shift) & ones(bits) & mask come from which word. */
static struct words operand_words(const struct operand *operand)
{
    uint64_t bits = operand->bits >= 64 ? UINT64_MAX : (1ull << operand->bits) - 1;
    uint64_t mask = operand->mask & bits;
    if (operand->subject == SUBJECT_NR)
        return (struct words){.low = FIELD_NR, .low_mask = (uint32_t)mask};
    if (operand->subject == SUBJECT_ARCH)
        return (struct words){.low = FIELD_ARCH, .low_mask = (uint32_t)mask};
    unsigned argument = operand->subject - SUBJECT_ARG0;
    bool ip = operand->subject == SUBJECT_IP;
    enum field low = ip ? FIELD_IP_LO : field_arg_lo(argument);
    enum field high = ip ? FIELD_IP_HI : field_arg_hi(argument);
    if (operand->shift == 32)
        return (struct words){.low = high, .low_mask = (uint32_t)mask};
    return (struct words){
        .low = low, .high = high, .low_mask = (uint32_t)mask, .high_mask = (uint32_t)(mask >> 32)};
}

static void add_edge(struct arena *arena, edge_list *edges, uint32_t last,
                     const struct dag_node *child)
{
    vector_push(arena, edges, (struct dag_edge){.last = last, .child = child});
}

/* The low word's switch for one value of the high word: of the intervals from `index` on, what lies
 * in [base, base + 2^32). A word that does not count has the value 0. */
static const struct dag_node *low_switch(struct arena *arena, struct dag *dag,
                                         const struct words *words,
                                         const struct condition *condition, size_t index,
                                         uint64_t base)
{
    const struct dag_node *in = dag_verdict(dag, 1), *out = dag_verdict(dag, 0);
    const struct interval *intervals = condition->intervals;
    edge_list edges = {0};
    for (size_t i = index; i < condition->interval_count; i++) {
        if (intervals[i].first > (base | WORD_LAST))
            break;
        if (intervals[i].last < base)
            continue;
        if (intervals[i].first > base)
            add_edge(arena, &edges, (uint32_t)(intervals[i].first - base - 1), out);
        uint64_t last = intervals[i].last - base;
        add_edge(arena, &edges, last > WORD_LAST ? 0xffffffffu : (uint32_t)last, in);
        if (last >= WORD_LAST)
            break;
    }
    if (!edges.count || edges.items[edges.count - 1].last != 0xffffffffu)
        add_edge(arena, &edges, 0xffffffffu, out);
    return dag_switch(dag, words->low, words->low_mask, edges.items, (uint32_t)edges.count);
}

/* 64 bits: walks the values of the high word from 0 up, in steps as long as every low word has the
 * same answer; where an interval begins or ends inside, that one high word gets a switch on the low
 * one. */
static const struct dag_node *member_of_two(struct arena *arena, struct dag *dag,
                                            const struct words *words,
                                            const struct condition *condition)
{
    const struct dag_node *in = dag_verdict(dag, 1), *out = dag_verdict(dag, 0);
    const struct interval *intervals = condition->intervals;
    edge_list edges = {0};
    size_t i = 0;
    for (uint64_t high = 0; high <= WORD_LAST;) {
        uint64_t base = high << 32, last = high;
        const struct dag_node *child = out;
        while (i < condition->interval_count && intervals[i].last < base)
            i++;
        if (i == condition->interval_count) {
            last = WORD_LAST;
        } else if (intervals[i].first > (base | WORD_LAST)) {
            last = (intervals[i].first >> 32) - 1;
        } else if (intervals[i].first <= base && intervals[i].last >= (base | WORD_LAST)) {
            bool whole = (intervals[i].last & WORD_LAST) == WORD_LAST;
            last = (intervals[i].last >> 32) - (whole ? 0 : 1);
            child = in;
        } else {
            child = low_switch(arena, dag, words, condition, i, base);
        }
        add_edge(arena, &edges, (uint32_t)last, child);
        high = last + 1;
    }
    return dag_switch(dag, words->high, words->high_mask, edges.items, (uint32_t)edges.count);
}

static const struct dag_node *member(struct arena *arena, struct dag *dag,
                                     const struct condition *condition)
{
    struct words words = operand_words(&condition->operand);
    if (!words.high_mask)
        return low_switch(arena, dag, &words, condition, 0, 0);
    return member_of_two(arena, dag, &words, condition);
}

/* ---- boolean structure ---------------------------------------------------------------------- */

/* Work in progress on one condition: how many of its operands are on the value stack. */
struct step {
    const struct condition *condition;
    unsigned done;
};

struct machine {
    struct arena *arena;
    struct dag *dag;
    VECTOR(struct step) steps;
    VECTOR(const struct dag_node *) values;
};

static void push_value(struct machine *machine, const struct dag_node *value)
{
    vector_push(machine->arena, &machine->values, value);
}

static const struct dag_node *pop_value(struct machine *machine)
{
    return machine->values.items[--machine->values.count];
}

static const struct dag_node *leaf(struct machine *machine, const struct condition *condition)
{
    struct dag *dag = machine->dag;
    if (condition->kind == CONDITION_MEMBER)
        return member(machine->arena, dag, condition);
    if (condition->kind == CONDITION_COMPARE)
        return dag_compare(dag, condition->comparison, condition->a, condition->b,
                           dag_verdict(dag, 1), dag_verdict(dag, 0));
    return dag_verdict(dag, condition->kind == CONDITION_TRUE);
}

static void combine(struct machine *machine, enum condition_kind kind)
{
    struct dag *dag = machine->dag;
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    const struct dag_node *last = pop_value(machine);
    if (kind == CONDITION_NOT) {
        push_value(machine, dag_if(dag, last, no, yes));
        return;
    }
    const struct dag_node *first = pop_value(machine);
    push_value(machine, kind == CONDITION_AND ? dag_if(dag, first, last, no)
                                              : dag_if(dag, first, yes, last));
}

static unsigned operand_count(enum condition_kind kind)
{
    return kind == CONDITION_AND || kind == CONDITION_OR ? 2 : kind == CONDITION_NOT ? 1 : 0;
}

/* With a stack of its own, not the C stack: a long chain of || is as deep as it is long. */
const struct dag_node *lower_condition(struct arena *arena, struct dag *dag,
                                       const struct condition *condition)
{
    struct machine machine = {.arena = arena, .dag = dag};
    vector_push(arena, &machine.steps, (struct step){.condition = condition});
    while (machine.steps.count) {
        struct step *step = &machine.steps.items[machine.steps.count - 1];
        const struct condition *current = step->condition;
        unsigned operands = operand_count(current->kind);
        if (step->done < operands) {
            const struct condition *next = step->done++ ? current->right : current->left;
            vector_push(arena, &machine.steps, (struct step){.condition = next});
            continue;
        }
        machine.steps.count--;
        if (operands)
            combine(&machine, current->kind);
        else
            push_value(&machine, leaf(&machine, current));
    }
    return pop_value(&machine);
}
