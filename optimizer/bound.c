/* A lower bound on the instructions that any program of this meaning executes per weighted call.
 *
 * Whatever the program: a path ends with a return. If for the call's number another arch gets
 * another answer, the path has loaded arch and looked at it: two instructions at least. If under
 * the call's arch another number does, the path has loaded nr and looked at it.
 *
 * A path with one look at nr ends in one side of one comparison with a constant, and all numbers on
 * that side get the same answer. Under one arch there is at most one such side, or one comparison
 * is the whole table and a look is enough for all. So else the share of calls whose path has one
 * look is at most M, the weight of the heaviest side of that kind, and all others take two looks or
 * more: together at least 2 W - M for calls of weight W. M is found over the numbers below 512, of
 * which every side's part must have one answer; what weighs above is counted to M in full. Both
 * make M too large rather than too small.
 *
 * What is returned may be computed: then a load can be enough, and only loads are counted.
 *
 * The bound is about looks, not about what a word computed from both arch and nr might tell: such a
 * word takes as many instructions to compute as the looks that it saves. */
#include "optimizer/cost.h"

#define NUMBERS 512u

struct numbers {
    uint32_t answers[NUMBERS]; /* to calls whose arguments are 0 */
    double weights[NUMBERS];
    double above; /* weight of larger numbers */
};

static bool no_arguments(const struct input *input)
{
    uint64_t all = input->ip;
    for (unsigned i = 0; i < COUNT_OF(input->args); i++)
        all |= input->args[i];
    return all == 0;
}

static uint32_t answer(const struct dag_node *root, uint32_t arch, uint32_t nr)
{
    struct input input = {.nr = nr, .arch = arch};
    return dag_evaluate(root, &input);
}

static bool comparison_holds(enum test_operation test, uint32_t constant, uint32_t nr)
{
    switch (test) {
    case TEST_EQUAL:
        return nr == constant;
    case TEST_SET:
        return (nr & constant) != 0;
    default:
        return nr >= constant;
    }
}

/* The weight of the numbers on one side of a comparison; -1 when they do not all get one answer. */
static double side_weight(const struct numbers *numbers, enum test_operation test,
                          uint32_t constant, bool yes)
{
    uint32_t first = 0;
    bool any = false;
    double weight = 0;
    for (uint32_t nr = 0; nr < NUMBERS; nr++) {
        if (comparison_holds(test, constant, nr) != yes)
            continue;
        if (any && numbers->answers[nr] != first)
            return -1;
        any = true;
        first = numbers->answers[nr];
        weight += numbers->weights[nr];
    }
    return weight;
}

/* The most that one look can be enough for. */
static double heaviest_side(const struct numbers *numbers)
{
    static const enum test_operation tests[] = {TEST_EQUAL, TEST_GREATER_EQUAL, TEST_SET};
    double most = 0;
    for (size_t k = 0; k < COUNT_OF(tests); k++) {
        for (uint32_t constant = 0; constant < NUMBERS; constant++) {
            double yes = side_weight(numbers, tests[k], constant, true);
            double no = side_weight(numbers, tests[k], constant, false);
            double both = yes >= 0 && no >= 0 ? yes + no : yes > no ? yes : no;
            most = both > most ? both : most;
        }
    }
    return most + numbers->above;
}

/* Looks at nr by the calls of one arch. */
static double looks_under(struct arena *arena, const struct weights *weights, uint32_t arch,
                          const struct dag_node *root, bool computes)
{
    struct numbers *numbers = NEW(arena, struct numbers);
    double sum = 0;
    bool matters = false;
    for (uint32_t nr = 0; nr < NUMBERS; nr++) {
        numbers->answers[nr] = answer(root, arch, nr);
        matters = matters || numbers->answers[nr] != numbers->answers[0];
    }
    if (!matters)
        return 0;
    for (size_t i = 0; i < weights->count; i++) {
        const struct weighted_call *call = &weights->calls[i];
        if (call->input.arch != arch || !no_arguments(&call->input))
            continue;
        sum += call->weight;
        if (call->input.nr < NUMBERS)
            numbers->weights[call->input.nr] += call->weight;
        else
            numbers->above += call->weight;
    }
    if (computes)
        return sum;
    double looks = 2 * sum - heaviest_side(numbers);
    return sum + (looks > sum ? looks : sum); /* the load, and the looks */
}

static bool arch_matters(const struct dag_node *root, uint32_t nr)
{
    if (root->kind != DAG_SWITCH || root->field != FIELD_ARCH || root->mask != 0xffffffffu)
        return false;
    uint32_t first = answer(root, root->edges[0].last, nr);
    for (uint32_t i = 1; i < root->edge_count; i++) {
        if (answer(root, root->edges[i].last, nr) != first)
            return true;
    }
    return false;
}

static bool arch_seen(const struct weights *weights, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        if (weights->calls[i].input.arch == weights->calls[before].input.arch)
            return true;
    }
    return false;
}

static bool computes_a_return(struct arena *arena, const struct dag_node *root)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    for (size_t i = 0; i < count; i++) {
        if (nodes[i]->kind == DAG_RETURN)
            return true;
    }
    return false;
}

double executed_least(struct arena *arena, const struct dag_node *root,
                      const struct weights *weights)
{
    double least = 0;
    bool computes = computes_a_return(arena, root);
    for (size_t i = 0; i < weights->count; i++) {
        const struct weighted_call *call = &weights->calls[i];
        bool looks = no_arguments(&call->input) && arch_matters(root, call->input.nr);
        least += call->weight * (!looks ? 1 : computes ? 2 : 3);
        if (!arch_seen(weights, i))
            least += looks_under(arena, weights, call->input.arch, root, computes);
    }
    return least;
}
