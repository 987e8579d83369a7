/* The cheapest way to tell the values of a small table apart, by exhaustive search: written apart
 * from the optimizer, to hold it against.
 *
 * What is searched: all programs of two-way tests of one word with constants (JEQ, JGE, JGT, JSET)
 * that send every value of the domain where the table wants it. A program is a directed graph
 * without cycles: a test may be entered from several places. Its cost is that of optimizer/cost.h:
 *
 *     tests + lambda * (sum over the values: weight * (tests executed + jump * jumps taken))
 *
 * in which a test that is entered from several places counts once. Where the table sends values is
 * no cost: those blocks stand in the program anyway.
 *
 * Every value takes one path, so the sets of values that enter the tests of a program that is
 * finished from the top down to some line are disjoint. That makes the search finite and small: a
 * state is a collection of disjoint sets, each of which enters a test that is still to be chosen.
 * A step chooses one of them that nothing else will enter, and its test; what comes out on either
 * side is done, or enters a new test, or joins one of the collection. A test that is entered by a
 * set costs 1 + lambda * (weight of the set), whatever comes before or after, and the jumps of its
 * two sides: to a return of the table's one jumps, and to a test that something led to before; of
 * sides that go on to a test of their own one needs no jump; a test of bits that holds always takes
 * one. */
#ifndef TESTS_OPTIMIZER_EXHAUSTIVE_H
#define TESTS_OPTIMIZER_EXHAUSTIVE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VALUES 8u /* of the domain; a set of them is the bits of an unsigned */
#define SETS (1u << VALUES)
#define ALL (SETS - 1)
#define PENDING_MOST (VALUES / 2) /* a set of one value needs no test */
#define STATE_SLOTS (1u << 15)

/* What the tests make of the domain: every way that some test parts it in, once. */
struct partings {
    uint32_t base; /* the domain is base .. base + VALUES - 1 */
    unsigned count;
    unsigned yes[64];
    bool plain[64];  /* some test other than JSET does it */
    bool set[64][2]; /* a JSET does it that holds for the values of yes (1), for the others (0) */
};

struct exhaustive {
    const struct partings *partings;
    double lambda, jump;
    bool uniform[SETS];
    double weight[SETS];
    double path[SETS]; /* lambda * (executed + jump * jumps), at least, in any program */
    double tree[SETS]; /* the cheapest tree */
    uint32_t stamp;
    struct state {
        uint32_t key, stamp;
        bool exact;   /* the cheapest way on costs that */
        double least; /* no way on is cheaper */
    } states[STATE_SLOTS];
};

static void add_parting(struct partings *p, unsigned yes, bool is_set)
{
    bool contrary = yes & 1; /* a test and its contrary are one */
    yes = contrary ? ALL & ~yes : yes;
    if (!yes)
        return;
    unsigned i = 0;
    while (i < p->count && p->yes[i] != yes)
        i++;
    if (i == p->count)
        p->yes[p->count++] = yes;
    *(is_set ? &p->set[i][!contrary] : &p->plain[i]) = true;
}

static struct partings partings_of(uint32_t base)
{
    struct partings p = {.base = base};
    for (uint32_t constant = 0; constant < 64; constant++) {
        unsigned equal = 0, greater = 0, greater_equal = 0, set = 0;
        for (unsigned i = 0; i < VALUES; i++) {
            equal |= (unsigned)(base + i == constant) << i;
            greater |= (unsigned)(base + i > constant) << i;
            greater_equal |= (unsigned)(base + i >= constant) << i;
            set |= (unsigned)(((base + i) & constant) != 0) << i;
        }
        add_parting(&p, equal, false);
        add_parting(&p, greater, false);
        add_parting(&p, greater_equal, false);
        add_parting(&p, set, true);
    }
    return p;
}

/* lambda * jump * the jumps at a test of yes and no, whose sides end or not. */
static double jumps_of(const struct exhaustive *e, unsigned parting, unsigned yes, bool yes_ends,
                       unsigned no, bool no_ends)
{
    double both = e->weight[yes] + e->weight[no], least = INFINITY;
    const struct partings *p = e->partings;
    if (e->jump == 0)
        return 0;
    if (p->plain[parting])
        least = both - fmax(yes_ends ? 0 : e->weight[yes], no_ends ? 0 : e->weight[no]);
    if (p->set[parting][1])
        least = fmin(least, no_ends ? both : e->weight[yes]);
    if (p->set[parting][0])
        least = fmin(least, yes_ends ? both : e->weight[no]);
    return e->lambda * e->jump * least;
}

/* Subsets come before the sets that have them. */
static void exhaustive_begin(struct exhaustive *e, const struct partings *partings,
                             const unsigned *targets, const double *weights, double lambda)
{
    e->partings = partings;
    e->lambda = lambda;
    e->stamp++;
    for (unsigned set = 1; set <= ALL; set++) {
        unsigned first = (unsigned)__builtin_ctz(set), rest = set & (set - 1);
        e->weight[set] = e->weight[rest] + weights[first];
        e->uniform[set] =
            !rest || (e->uniform[rest] && targets[first] == targets[__builtin_ctz(rest)]);
        e->path[set] = e->tree[set] = e->uniform[set] ? 0 : INFINITY;
        if (e->uniform[set])
            continue;
        double best_path = INFINITY, best_tree = INFINITY;
        for (unsigned i = 0; i < partings->count; i++) {
            unsigned yes = set & partings->yes[i], no = set & ~yes;
            if (!yes || !no)
                continue;
            /* Of a set that holds this one neither side may end. */
            best_path =
                fmin(best_path, e->path[yes] + e->path[no] + jumps_of(e, i, yes, false, no, false));
            best_tree =
                fmin(best_tree, e->tree[yes] + e->tree[no] +
                                    jumps_of(e, i, yes, e->uniform[yes], no, e->uniform[no]));
        }
        e->path[set] = best_path + lambda * e->weight[set];
        e->tree[set] = best_tree + 1 + lambda * e->weight[set];
    }
}

/* ---- programs with shared tests ----------------------------------------------------------------
 */

struct pending {
    uint8_t sets[PENDING_MOST + 1]; /* falling */
    unsigned count;
};

static void pending_add(struct pending *pending, unsigned set)
{
    unsigned at = pending->count++;
    for (; at && pending->sets[at - 1] < set; at--)
        pending->sets[at] = pending->sets[at - 1];
    pending->sets[at] = (uint8_t)set;
}

static unsigned pending_take(struct pending *pending, unsigned at)
{
    unsigned set = pending->sets[at];
    pending->count--;
    memmove(&pending->sets[at], &pending->sets[at + 1], pending->count - at);
    return set;
}

static struct state *state_of(struct exhaustive *e, const struct pending *pending)
{
    uint32_t key = 0;
    double least = pending->count;
    for (unsigned i = 0; i < pending->count; i++) {
        key = key << 8 | pending->sets[i];
        least += e->path[pending->sets[i]];
    }
    uint32_t slot = key * UINT32_C(0x9e3779b1) >> 17;
    while (e->states[slot].stamp == e->stamp && e->states[slot].key != key)
        slot = (slot + 1) & (STATE_SLOTS - 1);
    if (e->states[slot].stamp != e->stamp)
        e->states[slot] = (struct state){.key = key, .stamp = e->stamp, .least = least};
    return &e->states[slot];
}

static double cheapest_on(struct exhaustive *e, const struct pending *pending, double below);

enum { DONE = -2, NEW = -1 }; /* else: joins the set of this number */

/* After a test whose sides go there. */
static struct pending with_sides(const struct pending *rest, unsigned yes, int yes_to, unsigned no,
                                 int no_to)
{
    struct pending next = {.count = 0};
    for (unsigned i = 0; i < rest->count; i++) {
        unsigned set = rest->sets[i];
        set |= (int)i == yes_to ? yes : 0;
        set |= (int)i == no_to ? no : 0;
        pending_add(&next, set);
    }
    if (yes_to == NEW)
        pending_add(&next, yes);
    if (no_to == NEW)
        pending_add(&next, no);
    return next;
}

/* The cheapest way on after one test of `set`, when `rest` waits beside it. */
static double cheapest_sides(struct exhaustive *e, const struct pending *rest, unsigned parting,
                             unsigned yes, unsigned no, double below)
{
    double best = INFINITY;
    int yes_first = e->uniform[yes] ? DONE : NEW,
        yes_last = e->uniform[yes] ? DONE : (int)rest->count - 1;
    int no_first = e->uniform[no] ? DONE : NEW,
        no_last = e->uniform[no] ? DONE : (int)rest->count - 1;
    for (int yes_to = yes_first; yes_to <= yes_last; yes_to++) {
        for (int no_to = no_first; no_to <= no_last; no_to++) {
            if (yes_to >= 0 && yes_to == no_to)
                continue; /* no test at all */
            struct pending next = with_sides(rest, yes, yes_to, no, no_to);
            double jumps = jumps_of(e, parting, yes, yes_to != NEW, no, no_to != NEW);
            double cost = jumps + cheapest_on(e, &next, fmin(best, below) - jumps);
            best = fmin(best, cost);
        }
    }
    return best;
}

/* The cheapest way on from a state, when one is cheaper than `below`; else infinity. Every step
 * costs 1 and more: as deep as `below` says. */
static double cheapest_on(struct exhaustive *e, const struct pending *pending, double below)
{
    if (!pending->count)
        return below > 0 ? 0 : INFINITY;
    struct state *state = state_of(e, pending);
    if (state->least >= below)
        return INFINITY;
    if (state->exact)
        return state->least;
    double best = INFINITY;
    for (unsigned i = 0; i < pending->count; i++) {
        struct pending rest = *pending;
        unsigned set = pending_take(&rest, i);
        double here = 1 + e->lambda * e->weight[set];
        for (unsigned k = 0; k < e->partings->count; k++) {
            unsigned yes = set & e->partings->yes[k], no = set & ~yes;
            if (!yes || !no)
                continue;
            double on = cheapest_sides(e, &rest, k, yes, no, fmin(best, below) - here);
            best = fmin(best, here + on);
        }
    }
    state->exact = best < below;
    state->least = state->exact ? best : below;
    return best < below ? best : INFINITY;
}

/* The cost of the cheapest program that is cheaper than `below`, else infinity. */
static double exhaustive_below(struct exhaustive *e, double below)
{
    struct pending all = {.sets = {ALL}, .count = 1};
    return e->uniform[ALL] ? 0 : cheapest_on(e, &all, below);
}

#endif
