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

/* Short-circuit code is made from the last test to the first: each is told where to go. */
struct job {
    const struct condition *condition;
    uint32_t yes, no;
    /* The right operand of this is done, and begins at the machine's entry: the left one is next.
     */
    bool right_is_done;
};

struct machine {
    struct arena *arena;
    VECTOR(struct job) jobs;
    VECTOR(const struct condition *) leaves; /* beside the tests */
    VECTOR(struct test) tests;
    uint32_t entry; /* of what was done last */
};

static void add_job(struct machine *machine, const struct condition *condition, uint32_t yes,
                    uint32_t no)
{
    vector_push(machine->arena, &machine->jobs,
                (struct job){.condition = condition, .yes = yes, .no = no});
}

static void add_leaf(struct machine *machine, const struct job *job)
{
    if (job->condition->kind == CONDITION_TRUE || job->condition->kind == CONDITION_FALSE) {
        machine->entry = job->condition->kind == CONDITION_TRUE ? job->yes : job->no;
        return;
    }
    machine->entry = (uint32_t)machine->tests.count;
    vector_push(machine->arena, &machine->tests, (struct test){.yes = job->yes, .no = job->no});
    vector_push(machine->arena, &machine->leaves, job->condition);
}

static void do_job(struct machine *machine)
{
    struct job job = machine->jobs.items[--machine->jobs.count];
    const struct condition *condition = job.condition;
    if (condition->kind == CONDITION_NOT) {
        add_job(machine, condition->left, job.no, job.yes);
    } else if (condition->kind != CONDITION_AND && condition->kind != CONDITION_OR) {
        add_leaf(machine, &job);
    } else if (!job.right_is_done) {
        job.right_is_done = true;
        vector_push(machine->arena, &machine->jobs, job);
        add_job(machine, condition->right, job.yes, job.no);
    } else if (condition->kind == CONDITION_AND) {
        add_job(machine, condition->left, machine->entry, job.no);
    } else {
        add_job(machine, condition->left, job.yes, machine->entry);
    }
}

static const struct dag_node *lower_leaf(struct arena *arena, struct dag *dag,
                                         const struct condition *condition)
{
    if (condition->kind == CONDITION_MEMBER)
        return member(arena, dag, condition);
    return dag_compare(dag, condition->comparison, condition->a, condition->b, dag_verdict(dag, 1),
                       dag_verdict(dag, 0));
}

/* ---- lists of tests ------------------------------------------------------------------------- */

/* Where `target` leads once the same atom has been `holds`. */
static uint32_t past_same_atom(const struct test *tests, const struct dag_node *atom,
                               uint32_t target, bool holds)
{
    while (target < TARGET_NO && tests[target].atom == atom)
        target = holds ? tests[target].yes : tests[target].no;
    return target;
}

/* Takes out tests that are settled or change nothing. What each was becomes, in `become`, what
 * stands for it. */
static void settle_tests(struct test *tests, uint32_t count, uint32_t *become)
{
    for (uint32_t i = 0; i < count; i++) {
        struct test *test = &tests[i];
        uint32_t yes = test->yes < TARGET_NO ? become[test->yes] : test->yes;
        uint32_t no = test->no < TARGET_NO ? become[test->no] : test->no;
        test->yes = past_same_atom(tests, test->atom, yes, true);
        test->no = past_same_atom(tests, test->atom, no, false);
        become[i] = i;
        if (test->atom->kind == DAG_VERDICT)
            become[i] = test->atom->word ? test->yes : test->no;
        else if (test->yes == test->no)
            become[i] = test->yes;
    }
}

static uint32_t moved(const uint32_t *place, uint32_t target)
{
    return target < TARGET_NO ? place[target] : target;
}

/* The list of what is reached from `entry`; takes the items. */
static struct tests *make_tests(struct arena *arena, struct test *items, uint32_t count,
                                uint32_t entry)
{
    struct tests *tests = NEW(arena, struct tests);
    uint32_t *place = NEW_ARRAY(arena, uint32_t, (size_t)count + 1);
    bool *reached = NEW_ARRAY(arena, bool, (size_t)count + 1);
    settle_tests(items, count, place);
    entry = moved(place, entry);
    if (entry < TARGET_NO)
        reached[entry] = true;
    for (uint32_t i = count; i-- > 0;) {
        if (reached[i] && items[i].yes < TARGET_NO)
            reached[items[i].yes] = true;
        if (reached[i] && items[i].no < TARGET_NO)
            reached[items[i].no] = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!reached[i])
            continue;
        struct test test = items[i];
        place[i] = tests->count;
        test.yes = moved(place, test.yes);
        test.no = moved(place, test.no);
        items[tests->count++] = test;
        if (test.atom->kind == DAG_SWITCH)
            tests->fields |= 1u << test.atom->field;
        for (uint32_t edge = 0; edge < test.atom->edge_count; edge++)
            tests->cost += dag_node_cost(test.atom->edges[edge].child);
        tests->cost += dag_node_cost(test.atom);
    }
    tests->items = items;
    tests->entry = moved(place, entry);
    return tests;
}

/* With a stack of its own, not the C stack: a long chain of || is as deep as it is long. */
struct tests *lower_condition(struct arena *arena, struct dag *dag,
                              const struct condition *condition)
{
    struct machine machine = {.arena = arena};
    add_job(&machine, condition, TARGET_YES, TARGET_NO);
    while (machine.jobs.count)
        do_job(&machine);
    uint32_t count = (uint32_t)machine.tests.count;
    for (uint32_t i = count; i-- > 0;) {
        machine.tests.items[i].atom = lower_leaf(arena, dag, machine.leaves.items[i]);
        if (!machine.tests.items[i].atom)
            return NULL;
    }
    return make_tests(arena, machine.tests.items, count, machine.entry);
}

/* ---- restriction ---------------------------------------------------------------------------- */

/* The bits that all values of first..last have in common. */
static uint32_t common_bits(uint32_t first, uint32_t last)
{
    uint32_t differ = first ^ last;
    return differ ? ~(0xffffffffu >> __builtin_clz(differ)) : 0xffffffffu;
}

/* Masked switches stay where the range does not settle them. */
static const struct dag_node *restrict_node(const struct dag_node *node, enum field field,
                                            uint32_t mask, uint32_t first, uint32_t last)
{
    uint32_t settled = mask & common_bits(first, last);
    while (node->kind == DAG_SWITCH && node->field == field &&
           (node->mask == mask || (node->mask & ~settled) == 0))
        node = dag_child_at(node, first & node->mask);
    return node;
}

struct tests *tests_restrict(struct arena *arena, struct tests *tests,
                             const struct dag_node *variable, uint32_t first, uint32_t last)
{
    enum field field = variable->field;
    if (!(tests->fields & 1u << field))
        return tests;
    struct test *items = arena_copy(arena, tests->items, tests->count * sizeof *items);
    for (uint32_t i = 0; i < tests->count; i++)
        items[i].atom = restrict_node(items[i].atom, field, variable->mask, first, last);
    struct tests *left = make_tests(arena, items, tests->count, tests->entry);
    if (tests->ordered) {
        left->ordered = restrict_node(tests->ordered, field, variable->mask, first, last);
        if (left->ordered->kind == DAG_VERDICT)
            left->entry = left->ordered->word ? TARGET_YES : TARGET_NO;
    }
    return left;
}

/* ---- tests to DAGs -------------------------------------------------------------------------- */

static const struct dag_node *node_of(const struct dag_node *const *nodes, uint32_t target,
                                      const struct dag_node *yes, const struct dag_node *no)
{
    return target == TARGET_YES ? yes : target == TARGET_NO ? no : nodes[target];
}

const struct dag_node *tests_ordered(struct arena *arena, struct dag *dag, struct tests *tests)
{
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    if (tests->ordered || tests->tried)
        return tests->ordered;
    const struct dag_node **nodes = NEW_ARRAY(arena, const struct dag_node *, tests->count);
    bool worked = true;
    for (uint32_t i = 0; i < tests->count && worked; i++) {
        const struct test *test = &tests->items[i];
        worked = dag_attempt_begins(dag, work_for(tests->cost));
        if (!worked)
            break;
        nodes[i] = dag_if(dag, test->atom, node_of(nodes, test->yes, yes, no),
                          node_of(nodes, test->no, yes, no));
        worked = dag_attempt_ends(dag);
    }
    tests->tried = true;
    if (worked)
        tests->ordered = node_of(nodes, tests->entry, yes, no);
    return tests->ordered;
}

struct references {
    uint32_t *of_test;
    uint32_t yes, no;
};

static struct references count_references(struct arena *arena, const struct tests *tests)
{
    struct references references = {.of_test = NEW_ARRAY(arena, uint32_t, tests->count)};
    for (uint32_t i = 0; i < tests->count; i++) {
        const uint32_t targets[] = {tests->items[i].yes, tests->items[i].no};
        for (unsigned side = 0; side < COUNT_OF(targets); side++) {
            if (targets[side] < TARGET_NO)
                references.of_test[targets[side]]++;
            references.yes += targets[side] == TARGET_YES;
            references.no += targets[side] == TARGET_NO;
        }
    }
    return references;
}

/* What several tests lead to is free, so that none of them takes it into its own switch and leaves
 * the others with a second copy. */
const struct dag_node *tests_in_order_written(struct arena *arena, struct dag *dag,
                                              const struct tests *tests, const struct dag_node *yes,
                                              const struct dag_node *no)
{
    const struct dag_node **nodes = NEW_ARRAY(arena, const struct dag_node *, tests->count);
    struct references references = count_references(arena, tests);
    yes = references.yes > 1 ? dag_free(dag, yes) : yes;
    no = references.no > 1 ? dag_free(dag, no) : no;
    for (uint32_t i = 0; i < tests->count; i++) {
        const struct test *test = &tests->items[i];
        nodes[i] = dag_if_in_front(dag, test->atom, node_of(nodes, test->yes, yes, no),
                                   node_of(nodes, test->no, yes, no));
        if (nodes[i] && references.of_test[i] > 1)
            nodes[i] = dag_free(dag, nodes[i]);
    }
    return node_of(nodes, tests->entry, yes, no);
}
