/* The best tree for a short interval, mask tests included.
 *
 * A window has at most 64 values: a set of them is one word. A tree of at most `mask_tests` tests
 * is searched exhaustively: JSET with every mask over the bits in which the values differ, JEQ with
 * every value, JGE at every boundary between runs (in short windows inside of runs as well). Tests
 * that tell the same values apart are tried once. The last test of every branch is not searched but
 * computed: of all masks that are clear in the values of one target, the largest is set in most
 * others. In a window of eight values or fewer trees of any number of tests are searched, and what
 * was found for a set of them is known from then on.
 *
 * JSET leaves A as it is, and the kernel's emulator follows it: the pair stays cacheable. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/window.h"

/* ---- answers that are kept ----------------------------------------------------------------- */

static uint32_t hash_runs(const struct outcome *runs, size_t count)
{
    uint32_t hash = 0x9e3779b9u;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ runs[i].first) * 0x85ebca6bu;
        hash = (hash ^ runs[i].target->id) * 0xc2b2ae35u;
        hash ^= hash >> 15;
    }
    return (hash ^ runs[count - 1].last) * 0x85ebca6bu;
}

static bool same_runs(const struct outcome *a, const struct outcome *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].first != b[i].first || a[i].last != b[i].last || a[i].target != b[i].target)
            return false;
    }
    return true;
}

static size_t answer_slot(const struct windows *windows, const struct outcome *runs, size_t count,
                          double weight)
{
    size_t mask = windows->slots.count - 1;
    size_t slot = hash_runs(runs, count) & mask;
    for (; windows->slots.items[slot]; slot = (slot + 1) & mask) {
        const struct window_answer *answer =
            &windows->answers.items[windows->slots.items[slot] - 1];
        if (answer->count == count && fabs(answer->weight - weight) < 1e-12 &&
            same_runs(answer->runs, runs, count))
            break;
    }
    return slot;
}

static void make_room(struct windows *windows)
{
    if (windows->answers.count * 2 < windows->slots.count)
        return;
    size_t capacity = windows->slots.count ? windows->slots.count * 2 : 1024;
    windows->slots.items = NEW_ARRAY(windows->arena, uint32_t, capacity);
    windows->slots.count = windows->slots.capacity = capacity;
    for (size_t i = 0; i < windows->answers.count; i++) {
        const struct window_answer *answer = &windows->answers.items[i];
        size_t slot = answer_slot(windows, answer->runs, answer->count, answer->weight);
        windows->slots.items[slot] = (uint32_t)i + 1;
    }
}

/* ---- the search ---------------------------------------------------------------------------- */

static double solve(struct search *search, size_t first, size_t last, unsigned tests, double limit,
                    const struct window_tree **tree)
{
    struct windows *windows = search->windows;
    if (!windows->workspace)
        windows->workspace = NEW(windows->arena, struct window);
    struct window *window = windows->workspace;
    memset(window, 0, offsetof(struct window, number));
    window->number++;
    window->search = search;
    window->lambda = search->effort->lambda;
    window->jump = search->effort->lambda * search->effort->jump;
    window->base = search->runs[first].first;
    window->span = search->runs[last].last - window->base + 1;
    if (!window_note_values(window, first, last))
        return INFINITY;
    if (search->windows_lean && search->offer_count &&
        window->base + (window->span - 1) < LEAF_VALUES)
        window_note_offers(window);
    window->leans = window->offer_count > 0;
    return window_search(window, tests, limit, tree);
}

const struct window_tree *window_find(struct search *search, size_t first, size_t last,
                                      unsigned tests, double limit, double *cost)
{
    struct windows *windows = search->windows;
    const struct outcome *runs = &search->runs[first];
    size_t count = last - first + 1;
    double weight = search_weight(search, first, last);
    if (search->windows_lean) {
        const struct window_tree *tree = NULL;
        *cost = solve(search, first, last, tests, limit, &tree);
        return *cost < limit ? tree : NULL;
    }
    make_room(windows);
    size_t slot = answer_slot(windows, runs, count, weight);
    if (windows->slots.items[slot]) {
        const struct window_answer *known = &windows->answers.items[windows->slots.items[slot] - 1];
        *cost = known->cost;
        if (known->tests >= tests && (known->tree || known->limit >= limit))
            return known->tree;
    }
    struct window_answer answer = {
        .count = count, .weight = weight, .tests = tests, .limit = limit};
    answer.runs = arena_copy(windows->arena, runs, count * sizeof *runs);
    answer.cost = solve(search, first, last, tests, limit, &answer.tree);
    if (windows->slots.items[slot]) {
        windows->answers.items[windows->slots.items[slot] - 1] = answer;
    } else {
        vector_push(windows->arena, &windows->answers, answer);
        windows->slots.items[slot] = (uint32_t)windows->answers.count;
    }
    *cost = answer.cost;
    return answer.tree;
}

/* Recursive, as deep as the tree: mask_tests. */
struct block *window_build(struct search *search, const struct window_tree *tree)
{
    if (tree->target)
        return tree->target;
    struct block *yes = window_build(search, tree->yes);
    struct block *no = window_build(search, tree->no);
    return block_test(search->shaper, search->tested, tree->test, tree->constant, yes, no);
}
