/* Blocks that stand, and what they do with the values of a window. */
#include <math.h>
#include <string.h>

#include "optimizer/window.h"

/* Of the values that lead to one target only the test is none. */
static bool tells_apart(const struct window *window, uint64_t set)
{
    return set && !uniform(window, set);
}

/* Where a segment ends in the window. */
static unsigned end_of(const struct window *window, const struct leaf_segment *segment)
{
    unsigned end = segment->last + 1u - window->base;
    return end < window->span ? end : window->span;
}

/* The values of the window that a block sends where they go; `segment` is where its first value is.
 */
static uint64_t agreement(const struct window *window, const struct leaf_segment *segment)
{
    uint64_t agrees = 0;
    for (unsigned at = 0, end; at < window->span; at = end, segment++) {
        end = end_of(window, segment);
        for (unsigned target = 0; target < window->target_count; target++) {
            if (window->targets[target] == segment->leaf)
                agrees |= window->sets[target] & bits_between(at, end);
        }
    }
    return agrees & window->cares;
}

static void note_ways(const struct window *window, const struct leaf_segment *segment,
                      struct window_offer *offer)
{
    for (unsigned at = 0, end; at < window->span; at = end, segment++) {
        end = end_of(window, segment);
        memset(&offer->depths[at], segment->depth, end - at);
        memset(&offer->jumps[at], segment->jumps, end - at);
    }
}

void window_note_offers(struct window *window)
{
    struct search *search = window->search;
    search->shaper->work += search->offer_count * window->span / 8;
    for (size_t i = 0; i < OFFERS_MOST && i < search->offer_count; i += 64)
        memset(window->agreeing[i / 64], 0, window->span * sizeof window->agreeing[0][0]);
    for (size_t i = 0; i < search->offer_count && window->offer_count < OFFERS_MOST; i++) {
        if (search->offers[i].mask != 0xffffffffu)
            continue;
        const struct leaf_segment *segment = leaf_segment_at(search->offers[i].row, window->base);
        uint64_t agrees = agreement(window, segment);
        if (!tells_apart(window, agrees))
            continue;
        struct window_offer *offer = &window->offers[window->offer_count];
        offer->block = search->offers[i].block;
        note_ways(window, segment, offer);
        for (uint64_t set = agrees; set; set &= set - 1)
            window->agreeing[window->offer_count / 64][__builtin_ctzll(set)] |=
                (uint64_t)1 << window->offer_count % 64;
        window->offer_count++;
    }
}

static double path_cost(const struct window *window, const struct window_offer *offer, uint64_t set)
{
    double executed = 0, jumps = 0;
    for (; set; set &= set - 1) {
        unsigned at = (unsigned)__builtin_ctzll(set);
        double weight = window->weights[at / 4][1u << at % 4];
        executed += offer->depths[at] * weight;
        jumps += offer->jumps[at] * weight;
    }
    return window->lambda * executed + window->jump * jumps / 2;
}

/* Of 64 offers those that send all values of a set where they go. */
static uint64_t agreeing_on(const struct window *window, size_t word, uint64_t set)
{
    uint64_t offers = UINT64_MAX;
    for (; set && offers; set &= set - 1)
        offers &= window->agreeing[word][__builtin_ctzll(set)];
    return offers;
}

double window_standing(const struct window *window, uint64_t set, struct block **block)
{
    double least = INFINITY;
    for (size_t i = 0; i < window->offer_count; i += 64) {
        uint64_t serve = agreeing_on(window, i / 64, set);
        for (; serve; serve &= serve - 1) {
            const struct window_offer *offer = &window->offers[i + (size_t)__builtin_ctzll(serve)];
            double cost = path_cost(window, offer, set);
            if (cost < least) {
                least = cost;
                *block = offer->block;
            }
        }
    }
    return least;
}
