/* A table of eight values or fewer, searched to the end, tests that are entered from several places
 * included.
 *
 * From the top of a program down to any line, the sets of values that cross the line into tests are
 * disjoint: each value takes one way. So a program is made of steps on a collection of disjoint
 * sets that wait for a test. A step takes one of them out, for good, and tests it; either side has
 * come to its target, waits as a new set, or joins one that waits, whose test is then shared. A
 * step costs 1 + lambda * weight of its set, and the jumps of its test. The cheapest way on from a
 * collection is kept; what cannot be below what is known is not followed. */
#include <math.h>

#include "optimizer/switch.h"

#define SPAN_MOST 8u
#define WAITING_MOST (SPAN_MOST / 2) /* a set of one value needs no test */
#define TESTS_MOST 64u
#define SLOTS (1u << 14)
#define STATES_MOST (SLOTS / 2)

enum { TO_TARGET = -2, TO_NEW = -1 }; /* else the set that waits under this number */

struct short_test {
    uint8_t yes;
    enum test_operation test;
    uint32_t constant;
};

struct step {
    uint8_t set, test;
    int8_t yes_to, no_to;
};

/* Sets in falling order. */
struct waiting {
    uint8_t sets[WAITING_MOST + 1];
    uint8_t count;
};

struct ways_on {
    uint32_t key; /* the sets, a byte each; 0: the slot is free */
    bool known;   /* `least` is what the best step comes to */
    struct step step;
    double least; /* no way on is cheaper */
};

struct short_table {
    struct search *search;
    uint32_t base;
    unsigned span;
    unsigned all; /* the values that can occur: a masked word has no others */
    struct block *targets[SPAN_MOST];
    bool uniform[1u << SPAN_MOST];
    double jump; /* lambda * what a jump costs */
    double weight[1u << SPAN_MOST];
    double cost[1u << SPAN_MOST];  /* of one test of the set, its jumps apart */
    double paths[1u << SPAN_MOST]; /* lambda * (executed, and its jumps), at least */
    double trees[1u << SPAN_MOST]; /* of the cheapest tree: a program is no dearer */
    struct short_test tests[TESTS_MOST];
    size_t test_count;
    struct ways_on *states;
    size_t state_count;
};

/* ---- the table ------------------------------------------------------------------------------ */

static void add_test(struct short_table *table, enum test_operation test, uint32_t constant)
{
    struct block block = {.test = test, .constant = constant};
    unsigned yes = 0, all = table->all;
    for (unsigned at = 0; at < table->span; at++)
        yes |= (unsigned)block_holds(&block, table->base + at) << at & all;
    for (size_t i = 0; i < table->test_count; i++) {
        const struct short_test *known = &table->tests[i];
        bool contrary = known->yes == (all & ~yes);
        bool jumps_elsewhere = table->jump > 0 && test == TEST_SET && known->test == TEST_SET;
        if (known->yes == yes || (contrary && !jumps_elsewhere))
            return;
    }
    if (yes && yes != all && table->test_count < TESTS_MOST)
        table->tests[table->test_count++] = (struct short_test){(uint8_t)yes, test, constant};
}

/* Masks: above the lowest three bits a short table has one carry at most, so the bits there either
 * rise with it or fall with it, and one of each says it all. Bits that all values have are of no
 * use. */
static void add_tests(struct short_table *table)
{
    uint32_t top = table->base + table->span - 1;
    uint32_t rises = top & ~table->base & ~7u, falls = table->base & ~top & ~7u;
    uint32_t bits[] = {1, 2, 4, rises & (0u - rises), falls & (0u - falls)};
    for (unsigned at = 0; at < table->span; at++) {
        add_test(table, TEST_GREATER_EQUAL, table->base + at);
        add_test(table, TEST_EQUAL, table->base + at);
    }
    for (unsigned chosen = 1; chosen < 1u << COUNT_OF(bits); chosen++) {
        uint32_t mask = 0;
        for (unsigned bit = 0; bit < COUNT_OF(bits); bit++)
            mask |= chosen >> bit & 1 ? bits[bit] : 0;
        add_test(table, TEST_SET, mask);
    }
}

static void note_targets(struct short_table *table)
{
    const struct search *search = table->search;
    bool masked = search->tested->accumulator == ACCUMULATOR_FIELD;
    for (size_t i = 0; i < search->count; i++) {
        for (uint32_t value = search->runs[i].first;
             value - table->base < table->span && value <= search->runs[i].last; value++) {
            bool occurs = !masked || !(value & ~search->tested->mask);
            table->targets[value - table->base] = search->runs[i].target;
            table->all |= (unsigned)occurs << (value - table->base);
        }
    }
}

static void note_weights(const struct short_table *table, double *weights)
{
    const struct search *search = table->search;
    for (size_t i = 0; i < search->value_count; i++) {
        if (search->values[i].value - table->base < table->span)
            weights[search->values[i].value - table->base] += search->values[i].weight;
    }
}

/* Whether where a side goes can be the next instruction: what waits already has another place. */
static bool can_follow(const struct short_table *table, unsigned set, int to)
{
    return to == TO_NEW || (to == TO_TARGET && block_leads_on(table->targets[__builtin_ctz(set)]));
}

static double jumps(const struct short_table *table, size_t test, unsigned yes, int yes_to,
                    unsigned no, int no_to)
{
    if (table->jump == 0)
        return 0;
    return table->jump * weight_jumping(table->tests[test].test, table->weight[yes],
                                        can_follow(table, yes, yes_to), table->weight[no],
                                        can_follow(table, no, no_to));
}

static int as_tree(const struct short_table *table, unsigned set)
{
    return table->uniform[set] ? TO_TARGET : TO_NEW;
}

/* The same of a set that holds this one, at least: there both sides may lead on. */
static double jumps_least(const struct short_table *table, size_t test, unsigned yes, unsigned no)
{
    return table->jump * weight_jumping(table->tests[test].test, table->weight[yes], true,
                                        table->weight[no], true);
}

/* Subsets come before the sets that have them. */
static void note_sets(struct short_table *table)
{
    double weights[SPAN_MOST] = {0}, lambda = table->search->effort->lambda;
    note_weights(table, weights);
    for (unsigned set = 1; set <= table->all; set++) {
        if (set & ~table->all)
            continue;
        unsigned first = (unsigned)__builtin_ctz(set), rest = set & (set - 1);
        table->weight[set] = table->weight[rest] + weights[first];
        table->cost[set] = 1 + lambda * table->weight[set];
        table->uniform[set] =
            !rest ||
            (table->uniform[rest] && table->targets[first] == table->targets[__builtin_ctz(rest)]);
        double path = INFINITY, tree = INFINITY;
        for (size_t i = 0; i < table->test_count && !table->uniform[set]; i++) {
            unsigned yes = set & table->tests[i].yes, no = set & ~yes;
            if (!yes || !no)
                continue;
            path =
                fmin(path, table->paths[yes] + table->paths[no] + jumps_least(table, i, yes, no));
            tree =
                fmin(tree, table->trees[yes] + table->trees[no] +
                               jumps(table, i, yes, as_tree(table, yes), no, as_tree(table, no)));
        }
        table->paths[set] = table->uniform[set] ? 0 : path + table->cost[set] - 1;
        table->trees[set] = table->uniform[set] ? 0 : tree + table->cost[set];
    }
}

/* ---- the search ----------------------------------------------------------------------------- */

static void waiting_add(struct waiting *waiting, unsigned set)
{
    unsigned at = waiting->count++;
    for (; at && waiting->sets[at - 1] < set; at--)
        waiting->sets[at] = waiting->sets[at - 1];
    waiting->sets[at] = (uint8_t)set;
}

static struct waiting without(const struct waiting *waiting, unsigned set)
{
    struct waiting rest = {.count = 0};
    for (unsigned i = 0; i < waiting->count; i++) {
        if (waiting->sets[i] != set)
            rest.sets[rest.count++] = waiting->sets[i];
    }
    return rest;
}

/* What waits after a step on `rest`, out of which its set was taken. */
static struct waiting after(const struct short_table *table, const struct waiting *rest,
                            const struct step *step)
{
    struct waiting next = {.count = 0};
    unsigned yes = step->set & table->tests[step->test].yes, no = step->set & ~yes;
    for (int i = 0; i < rest->count; i++)
        waiting_add(&next,
                    rest->sets[i] | (i == step->yes_to ? yes : 0) | (i == step->no_to ? no : 0));
    if (step->yes_to == TO_NEW)
        waiting_add(&next, yes);
    if (step->no_to == TO_NEW)
        waiting_add(&next, no);
    return next;
}

/* NULL: there are too many. */
static struct ways_on *ways_on(struct short_table *table, const struct waiting *waiting)
{
    uint32_t key = 0;
    double least = waiting->count;
    for (unsigned i = 0; i < waiting->count; i++) {
        key = key << 8 | waiting->sets[i];
        least += table->paths[waiting->sets[i]];
    }
    uint32_t slot = key * 0x9e3779b1u >> 18;
    while (table->states[slot].key && table->states[slot].key != key)
        slot = (slot + 1) & (SLOTS - 1);
    if (!table->states[slot].key) {
        if (table->state_count == STATES_MOST)
            return NULL;
        table->state_count++;
        table->states[slot] = (struct ways_on){.key = key, .least = least};
    }
    return &table->states[slot];
}

static double search_on(struct short_table *table, const struct waiting *waiting, double below);

/* Every way in which the sides of one test can go on; the best one is left in `best`. */
static void try_sides(struct short_table *table, const struct waiting *rest, struct step step,
                      struct step *best, double *least)
{
    unsigned yes = step.set & table->tests[step.test].yes, no = step.set & ~yes;
    int yes_from = table->uniform[yes] ? TO_TARGET : TO_NEW;
    int no_from = table->uniform[no] ? TO_TARGET : TO_NEW;
    int last = rest->count - 1;
    for (int yes_to = yes_from; yes_to == yes_from || (yes_from == TO_NEW && yes_to <= last);
         yes_to++) {
        for (int no_to = no_from; no_to == no_from || (no_from == TO_NEW && no_to <= last);
             no_to++) {
            if (yes_to >= 0 && yes_to == no_to)
                continue; /* that is no test */
            step.yes_to = (int8_t)yes_to;
            step.no_to = (int8_t)no_to;
            struct waiting next = after(table, rest, &step);
            double here = table->cost[step.set] + jumps(table, step.test, yes, yes_to, no, no_to);
            double cost = here + search_on(table, &next, *least - here);
            if (cost < *least) {
                *least = cost;
                *best = step;
            }
        }
    }
}

/* The cheapest way on, when it is below `below`; else infinity. Recursive, no deeper than `below`:
 * every step costs 1 and more. */
static double search_on(struct short_table *table, const struct waiting *waiting, double below)
{
    if (!waiting->count)
        return below > 0 ? 0 : INFINITY;
    struct ways_on *state = ways_on(table, waiting);
    if (!state || state->least >= below)
        return INFINITY;
    if (state->known)
        return state->least;
    struct step best;
    double least = below;
    table->search->shaper->work += table->test_count;
    for (unsigned i = 0; i < waiting->count; i++) {
        struct waiting rest = without(waiting, waiting->sets[i]);
        for (size_t k = 0; k < table->test_count; k++) {
            struct step step = {.set = waiting->sets[i], .test = (uint8_t)k};
            if ((step.set & table->tests[k].yes) && (step.set & ~table->tests[k].yes))
                try_sides(table, &rest, step, &best, &least);
        }
    }
    state->known = least < below;
    state->least = least;
    if (!state->known)
        return INFINITY;
    state->step = best;
    return least;
}

/* ---- the program ---------------------------------------------------------------------------- */

/* Where a set has come to: the block of its test, when the set of that test has it all. */
static struct block *block_at(const struct short_table *table, unsigned set,
                              struct block *const *blocks, const struct waiting *next)
{
    if (table->uniform[set])
        return table->targets[__builtin_ctz(set)];
    for (unsigned i = 0; i < next->count; i++) {
        if ((next->sets[i] & set) == set)
            return blocks[i];
    }
    return NULL;
}

/* The blocks of all sets that wait, the last ones first. Recursive, as deep as there are steps. */
static void build_on(struct short_table *table, const struct waiting *waiting,
                     struct block **blocks)
{
    if (!waiting->count)
        return;
    const struct step *step = &ways_on(table, waiting)->step;
    const struct short_test *test = &table->tests[step->test];
    struct waiting rest = without(waiting, step->set), next = after(table, &rest, step);
    struct block *made[WAITING_MOST + 1];
    build_on(table, &next, made);
    for (unsigned i = 0; i < waiting->count; i++) {
        unsigned set = waiting->sets[i], yes = set & test->yes, no = set & ~yes;
        blocks[i] = set != step->set
                        ? block_at(table, set, made, &next)
                        : block_test(table->search->shaper, table->search->tested, test->test,
                                     test->constant, block_at(table, yes, made, &next),
                                     block_at(table, no, made, &next));
    }
}

struct block *shape_exhausted(struct search *search)
{
    uint32_t base = search->runs[0].first;
    uint32_t span_less_one = search->runs[search->count - 1].last - base;
    if (span_less_one >= SPAN_MOST || search->count < 2)
        return NULL;
    struct short_table *table = NEW(search->arena, struct short_table);
    table->search = search;
    table->base = base;
    table->span = span_less_one + 1;
    table->jump = search->effort->lambda * search->effort->jump;
    table->states = NEW_ARRAY(search->arena, struct ways_on, SLOTS);
    note_targets(table);
    add_tests(table);
    note_sets(table);
    struct waiting all = {.sets = {(uint8_t)table->all}, .count = 1};
    struct block *root;
    double below = table->trees[table->all] + 1e-6;
    if (!table->all || table->uniform[table->all] || search_on(table, &all, below) >= below)
        return NULL;
    build_on(table, &all, &root);
    return root;
}
