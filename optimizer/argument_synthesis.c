/* The smallest tree that is right on all samples: exhaustive, as long as there is work left.
 *
 * A state is a set of samples that come to a step, and what of the word A holds. For one more step
 * at a time, every way in which a test can part the samples is tried, each once. A test with a leaf
 * on one side is not tried when another one with a leaf takes the same away and more. The last test
 * of every branch is not searched but computed. What is known of a state is kept; that a state
 * needs more than so many steps stays true when samples are added, since it speaks of these
 * samples. */
#include <stdlib.h>
#include <string.h>

#include "optimizer/argument_split.h"

#define KNOWN_SLOTS 32768u

/* What is known of one state. */
struct synthesis_known {
    struct sample_set set;
    uint32_t mask;
    uint8_t least;           /* steps that it takes */
    unsigned leaves;         /* what `least` supposes: the leaves that there were */
    unsigned round;          /* of `step`: trees of earlier rounds were made for fewer samples */
    const struct step *step; /* of `least` steps; NULL: not found yet */
};

/* Sets that take more steps than `steps`, the index: so does every set that holds one of them. The
 * newest are kept. */
#define CORES_MOST 1024u
#define CORES_FROM 2u
struct synthesis_cores {
    struct sample_set sets[CORES_MOST];
    size_t added;
};

struct synthesis *synthesis_new(struct arena *arena)
{
    struct synthesis *synthesis = NEW(arena, struct synthesis);
    synthesis->arena = arena;
    return synthesis;
}

/* Most switches need nothing of this. */
static void make_tables(struct synthesis *synthesis)
{
    struct arena *arena = synthesis->arena;
    if (synthesis->known)
        return;
    synthesis->known = NEW_ARRAY(arena, struct synthesis_known, KNOWN_SLOTS);
    synthesis->cores = NEW_ARRAY(arena, struct synthesis_cores, STEPS_MOST + 1);
    synthesis->depths = NEW_ARRAY(arena, struct synthesis_depth, STEPS_MOST + 1);
}

static void find_conflicts(struct synthesis *synthesis, unsigned sample)
{
    struct sample_set together = {{0}}, all = {{0}};
    for (unsigned leaf = 0; leaf < synthesis->leaf_count; leaf++) {
        if (samples_have(synthesis->right[leaf], sample))
            together = samples_or(together, synthesis->right[leaf]);
    }
    for (unsigned i = 0; i < synthesis->count; i++)
        samples_add(&all, i);
    synthesis->conflicts[sample] = samples_without(all, together);
}

void synthesis_prepare(struct synthesis *synthesis)
{
    synthesis->round++;
    for (unsigned i = 0; i < synthesis->count; i++) {
        unsigned place = i;
        for (; place && synthesis->values[synthesis->order[place - 1]] > synthesis->values[i];
             place--)
            synthesis->order[place] = synthesis->order[place - 1];
        synthesis->order[place] = (uint8_t)i;
    }
    for (unsigned i = 0; i < synthesis->count; i++)
        find_conflicts(synthesis, i);
    for (unsigned i = 0; i < synthesis->leaf_count; i++)
        synthesis->leaves[i] = (struct step){.kind = STEP_LEAF, .leaf = i};
}

static bool spend(struct synthesis *synthesis, uint64_t work)
{
    synthesis->work = synthesis->work > work ? synthesis->work - work : 0;
    return synthesis->work > 0;
}

/* ---- what is known -------------------------------------------------------------------------- */

/* The place of a state. A place that another state has goes to the new one: nothing is lost but
 * time. */
static struct synthesis_known *known_state(struct synthesis *synthesis, struct sample_set set,
                                           uint32_t mask)
{
    size_t slot = (hash_set(set) ^ (mask * 0x9e3779b1u >> 7)) & (KNOWN_SLOTS - 1);
    struct synthesis_known *known = &synthesis->known[slot];
    if (known->mask != mask || known->leaves != synthesis->shared ||
        !samples_equal(known->set, set))
        *known = (struct synthesis_known){.set = set, .mask = mask, .leaves = synthesis->shared};
    if (known->round != synthesis->round)
        known->step = NULL;
    known->round = synthesis->round;
    return known;
}

/* What has been of use once comes to the front. */
static bool has_core(struct synthesis *synthesis, struct sample_set set, unsigned steps)
{
    struct synthesis_cores *cores = &synthesis->cores[steps];
    size_t count = cores->added < CORES_MOST ? cores->added : CORES_MOST;
    if (synthesis->shared)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct sample_set core = cores->sets[i];
        if (!samples_within(core, set))
            continue;
        cores->sets[i] = cores->sets[i / 2];
        cores->sets[i / 2] = core;
        spend(synthesis, i / 32);
        return true;
    }
    spend(synthesis, count / 32);
    return false;
}

static void add_core(struct synthesis *synthesis, struct sample_set set, unsigned steps)
{
    struct synthesis_cores *cores = &synthesis->cores[steps];
    if (steps >= CORES_FROM && !synthesis->shared)
        cores->sets[cores->added++ % CORES_MOST] = set;
}

/* ---- leaves --------------------------------------------------------------------------------- */

/* Tests that a set takes at least: one less than there are leaves. */
static unsigned least_steps(const struct synthesis *synthesis, struct sample_set set)
{
    unsigned targets = 0;
    if (is_leaf(synthesis, set))
        return 0;
    if (synthesis->leaf_count != synthesis->target_count)
        return 1;
    for (unsigned i = 0; i < synthesis->target_count; i++)
        targets += !samples_empty(samples_and(set, synthesis->right[i]));
    return targets - 1;
}

static const struct step *new_test(struct synthesis *synthesis, uint32_t mask,
                                   enum test_operation test, uint32_t constant,
                                   const struct step *yes, const struct step *no)
{
    struct step *step = NEW(synthesis->arena, struct step);
    *step = (struct step){.kind = STEP_TEST,
                          .size = yes->size + no->size + 1,
                          .mask = mask,
                          .test = test,
                          .constant = constant,
                          .yes = yes,
                          .no = no};
    return step;
}

/* ---- one test ------------------------------------------------------------------------------- */

static const struct step *one_test(struct synthesis *synthesis, struct sample_set set,
                                   uint32_t mask)
{
    for (unsigned i = 0; i < synthesis->leaf_count; i++) {
        for (unsigned j = 0; j < synthesis->leaf_count; j++) {
            struct sample_set yes = samples_without(set, synthesis->right[j]);
            struct sample_set no = samples_without(set, synthesis->right[i]);
            enum test_operation test;
            uint32_t constant;
            if (i == j || !samples_empty(samples_and(yes, no)))
                continue;
            if (test_between(synthesis, yes, no, mask, &test, &constant))
                return new_test(synthesis, mask, test, constant, &synthesis->leaves[i],
                                &synthesis->leaves[j]);
        }
    }
    return NULL;
}

/* ---- the search ----------------------------------------------------------------------------- */

/* Recursive: each level has a step less. */
static const struct step *solve(struct synthesis *synthesis, struct sample_set set, uint32_t mask,
                                unsigned most);

/* `first` is looked at with few steps, the other side with what that leaves. */
static const struct step *solve_split(struct synthesis *synthesis, const struct split *split,
                                      struct sample_set no, uint32_t mask, unsigned size,
                                      unsigned most_first, bool yes_first)
{
    struct sample_set first = yes_first ? split->yes : no, second = yes_first ? no : split->yes;
    const struct step *one = solve(synthesis, first, mask, most_first);
    const struct step *two = one ? solve(synthesis, second, mask, size - 1 - one->size) : NULL;
    return two ? new_test(synthesis, mask, split->test, split->constant, yes_first ? one : two,
                          yes_first ? two : one)
               : NULL;
}

static unsigned least_known(struct synthesis *synthesis, struct sample_set set, uint32_t mask)
{
    unsigned least = least_steps(synthesis, set), known = known_state(synthesis, set, mask)->least;
    return known > least ? known : least;
}

/* One side of a test has half of the steps at most. */
static const struct step *solve_tests(struct synthesis *synthesis, struct sample_set set,
                                      uint32_t mask, unsigned size)
{
    struct synthesis_depth *depth = &synthesis->depths[size];
    const struct step *step = NULL;
    unsigned half = (size - 1) / 2;
    find_splits(synthesis, depth, set, mask);
    find_peels(synthesis, depth, set);
    spend(synthesis, depth->count / 4 + depth->peel_count);
    for (size_t i = 0; i < depth->peel_count && !step; i++) {
        const struct peel *peel = &depth->peels[i];
        bool yes_left = samples_equal(peel->left, peel->split.yes);
        step = solve_split(synthesis, &peel->split, samples_without(set, peel->split.yes), mask,
                           size, 0, !yes_left);
    }
    for (size_t i = 0; size >= 3 && i < depth->count && !step; i++) {
        const struct split *split = &depth->splits[i];
        struct sample_set no = samples_without(set, split->yes);
        if (!spend(synthesis, 1))
            return NULL;
        if (least_known(synthesis, split->yes, mask) + least_known(synthesis, no, mask) >= size)
            continue;
        step = solve_split(synthesis, split, no, mask, size, half, true);
        if (!step)
            step = solve_split(synthesis, split, no, mask, size, half, false);
    }
    return step;
}

/* By set of ignored digits: whether it mixes samples that no leaf takes together. */
static void find_mixed(const struct synthesis *synthesis, struct synthesis_depth *depth,
                       struct sample_set set)
{
    unsigned digits = synthesis->digit_count;
    memset(depth->mixed, 0, sizeof depth->mixed[0] << digits);
    for (unsigned i = samples_next(set, 0); i < SAMPLES_MOST; i = samples_next(set, i + 1)) {
        struct sample_set others = samples_and(set, synthesis->conflicts[i]);
        for (unsigned k = samples_next(others, i + 1); k < SAMPLES_MOST;
             k = samples_next(others, k + 1)) {
            unsigned differ = 0;
            for (unsigned digit = 0; digit < digits; digit++)
                differ |= (unsigned)(((synthesis->values[i] ^ synthesis->values[k]) &
                                      synthesis->digits[digit]) != 0)
                          << digit;
            depth->mixed[differ] = true;
        }
    }
    for (unsigned digit = 0; digit < digits; digit++) {
        for (unsigned ignored = 0; ignored < 1u << digits; ignored++) {
            if (ignored >> digit & 1)
                depth->mixed[ignored] |= depth->mixed[ignored & ~(1u << digit)];
        }
    }
}

static bool ignores_most(const struct synthesis *synthesis, const struct synthesis_depth *depth,
                         unsigned ignored)
{
    for (unsigned digit = 0; digit < synthesis->digit_count; digit++) {
        if (!(ignored >> digit & 1) && !depth->mixed[ignored | 1u << digit])
            return false;
    }
    return ignored && !depth->mixed[ignored];
}

static const struct step *solve_and(struct synthesis *synthesis, struct sample_set set,
                                    unsigned size)
{
    struct synthesis_depth *depth = &synthesis->depths[size];
    find_mixed(synthesis, depth, set);
    spend(synthesis, 8u << synthesis->digit_count >> 4);
    for (unsigned ignored = 1u << synthesis->digit_count; ignored-- > 1;) {
        if (!ignores_most(synthesis, depth, ignored))
            continue;
        uint32_t mask = WHOLE;
        for (unsigned digit = 0; digit < synthesis->digit_count; digit++)
            mask &= ignored >> digit & 1 ? ~synthesis->digits[digit] : WHOLE;
        const struct step *rest = solve(synthesis, set, mask, size - 1);
        if (!rest)
            continue;
        struct step *step = NEW(synthesis->arena, struct step);
        *step = (struct step){.kind = STEP_AND, .size = rest->size + 1, .mask = mask, .yes = rest};
        return step;
    }
    return NULL;
}

static const struct step *solve_with(struct synthesis *synthesis, struct sample_set set,
                                     uint32_t mask, unsigned size)
{
    if (size == 1)
        return one_test(synthesis, set, mask);
    const struct step *step = solve_tests(synthesis, set, mask, size);
    return step || mask != WHOLE || !synthesis->work ? step : solve_and(synthesis, set, size);
}

static const struct step *solve(struct synthesis *synthesis, struct sample_set set, uint32_t mask,
                                unsigned most)
{
    unsigned leaf;
    if (leaf_for(synthesis, set, &leaf))
        return &synthesis->leaves[leaf];
    const struct step *known = known_state(synthesis, set, mask)->step;
    if (known)
        return known->size <= most ? known : NULL;
    for (unsigned size = least_known(synthesis, set, mask); size <= most; size++) {
        if (!spend(synthesis, 1))
            return NULL;
        if (mask == WHOLE && has_core(synthesis, set, size))
            continue;
        const struct step *step = solve_with(synthesis, set, mask, size);
        if (!step && !synthesis->work)
            return NULL;
        if (!step && mask == WHOLE)
            add_core(synthesis, set, size);
        struct synthesis_known *state = known_state(synthesis, set, mask);
        state->least = (uint8_t)(step ? size : size + 1);
        state->step = step;
        if (step)
            return step;
    }
    return NULL;
}

static struct sample_set all_samples(const struct synthesis *synthesis)
{
    struct sample_set all = {{0}};
    for (unsigned i = 0; i < synthesis->count; i++)
        samples_add(&all, i);
    return all;
}

const struct step *synthesis_find(struct synthesis *synthesis, unsigned size)
{
    struct sample_set all = all_samples(synthesis);
    unsigned leaf;
    if (leaf_for(synthesis, all, &leaf))
        return &synthesis->leaves[leaf];
    if (size < 2)
        return size ? one_test(synthesis, all, WHOLE) : NULL;
    make_tables(synthesis);
    return solve(synthesis, all, WHOLE, size < STEPS_MOST ? size : STEPS_MOST);
}

/* ---- one test that several others lead to --------------------------------------------------- */

/* A test, and the samples for which it is right: as good as a leaf. */
struct shared_test {
    struct split split;
    unsigned leaf_yes, leaf_no;
    struct sample_set right;
    unsigned samples;
    size_t number;
};
#define SHARED_TARGETS_MOST 3u

static int compare_shared(const void *a, const void *b)
{
    const struct shared_test *left = a, *right = b;
    if (left->samples != right->samples)
        return left->samples < right->samples ? 1 : -1;
    return (left->number > right->number) - (left->number < right->number);
}

/* All that are right for some samples on either side, those of most samples first. */
static size_t find_shared(struct synthesis *synthesis, struct sample_set all,
                          struct shared_test *tests)
{
    struct synthesis_depth *depth = &synthesis->depths[0];
    size_t count = 0;
    find_splits(synthesis, depth, all, WHOLE);
    for (size_t i = 0; i < depth->count; i++) {
        struct sample_set yes = depth->splits[i].yes, no = samples_without(all, yes);
        for (unsigned pair = 0; pair < synthesis->target_count * synthesis->target_count; pair++) {
            unsigned one = pair / synthesis->target_count, two = pair % synthesis->target_count;
            struct sample_set first = samples_and(yes, synthesis->right[one]);
            struct sample_set second = samples_and(no, synthesis->right[two]);
            if (one == two || samples_empty(first) || samples_empty(second))
                continue;
            struct shared_test test = {depth->splits[i],          one, two,
                                       samples_or(first, second), 0,   count};
            for (unsigned word = 0; word < SAMPLE_WORDS; word++)
                test.samples += (unsigned)__builtin_popcountll(test.right.words[word]);
            tests[count++] = test;
        }
    }
    return count;
}

const struct step *synthesis_find_shared(struct synthesis *synthesis, unsigned size)
{
    struct sample_set all = all_samples(synthesis);
    unsigned leaf = synthesis->leaf_count;
    const struct step *found = NULL;
    if (size < 3 || size > STEPS_MOST || leaf == LEAVES_MOST ||
        synthesis->target_count > SHARED_TARGETS_MOST)
        return NULL; /* two tests lead to it at least */
    make_tables(synthesis);
    if (!synthesis->shared_tests)
        synthesis->shared_tests =
            NEW_ARRAY(synthesis->arena, struct shared_test,
                      SPLITS_MOST * SHARED_TARGETS_MOST * (SHARED_TARGETS_MOST - 1));
    struct shared_test *tests = synthesis->shared_tests;
    size_t count = find_shared(synthesis, all, tests);
    spend(synthesis, count);
    qsort(tests, count, sizeof *tests, compare_shared);
    synthesis->leaf_count++;
    for (size_t i = 0; i < count && !found && spend(synthesis, 8); i++) {
        const struct shared_test *test = &tests[i];
        synthesis->shared = ++synthesis->shared_made;
        synthesis->right[leaf] = test->right;
        synthesis->leaves[leaf] =
            *new_test(synthesis, WHOLE, test->split.test, test->split.constant,
                      &synthesis->leaves[test->leaf_yes], &synthesis->leaves[test->leaf_no]);
        synthesis->leaves[leaf].size = 0;
        found = solve(synthesis, all, WHOLE, size - 1);
    }
    synthesis->shared = 0;
    synthesis->leaf_count--;
    return found;
}
