/* Layout by weight. A jump that is taken costs more than going on to the next instruction, so the
 * edges that are used most should lead to the next block. Blocks are joined to chains along the
 * heaviest edges (Pettis and Hansen, 1990), as long as the chains can still be ordered so that all
 * jumps go forward. The chains then come in reverse post-order, but whatever the heaviest return
 * needs comes first, then what the next one needs: x86 kernels give only the first return of a
 * program its own end of the function, and let the others jump to it. */
#include <stdlib.h>

#include "compiler/layout_internal.h"

/* Joining takes time in the square of the blocks. */
#define WEIGHED_MOST 1024u

struct edge {
    double weight;
    size_t from, to;
};

struct edges {
    struct edge *items;
    size_t count, capacity;
};

/* ---- edges ---------------------------------------------------------------------------------- */

static int compare_edges(const void *a, const void *b)
{
    const struct edge *left = a, *right = b;
    if (left->weight != right->weight)
        return left->weight < right->weight ? 1 : -1;
    return (left->from > right->from) - (left->from < right->from);
}

static void collect_edges(struct chains *chains, struct edges *edges)
{
    for (size_t i = 0; i < chains->count; i++) {
        const struct block *block = chains->blocks[i];
        for (unsigned side = 0; block_leads_on(block) && side < 2; side++) {
            struct edge edge = {.weight = edge_worth(block, side),
                                .from = i,
                                .to = chains->index_of[layout_target(block, side)->id]};
            if (block_leads_on(layout_target(block, side)))
                vector_push(chains->arena, edges, edge);
        }
    }
    if (edges->count)
        qsort(edges->items, edges->count, sizeof *edges->items, compare_edges);
}

/* ---- chains --------------------------------------------------------------------------------- */

/* Pushes the heads of the chains that this chain's blocks lead to and that were not seen yet. */
static size_t push_targets(struct chains *chains, size_t head, size_t pushed)
{
    for (size_t i = head; i != NO_BLOCK; i = chains->next[i]) {
        for (unsigned side = 0; block_leads_on(chains->blocks[i]) && side < 2; side++) {
            size_t to = chains->head[chains->index_of[layout_target(chains->blocks[i], side)->id]];
            if (chains->seen[to])
                continue;
            chains->seen[to] = true;
            chains->stack[pushed++] = to;
        }
    }
    return pushed;
}

/* Whether some other chain has to stand between the two. */
static bool something_between(struct chains *chains, size_t first, size_t second)
{
    memset(chains->seen, 0, chains->count * sizeof *chains->seen);
    chains->seen[first] = chains->seen[second] = true;
    size_t pushed = push_targets(chains, first, 0);
    chains->seen[second] = false;
    while (pushed && !chains->seen[second])
        pushed = push_targets(chains, chains->stack[pushed - 1], pushed - 1);
    return chains->seen[second];
}

void chains_join(struct chains *chains, size_t from, size_t to)
{
    size_t first = chains->head[from], second = chains->head[to];
    if (chains->next[from] != NO_BLOCK || chains->before[to] != NO_BLOCK || first == second ||
        something_between(chains, first, second))
        return;
    chains->next[from] = to;
    chains->before[to] = from;
    for (size_t i = to; i != NO_BLOCK; i = chains->next[i])
        chains->head[i] = first;
}

void chains_part(struct chains *chains, size_t block)
{
    chains->next[chains->before[block]] = NO_BLOCK;
    chains->before[block] = NO_BLOCK;
    for (size_t i = block; i != NO_BLOCK; i = chains->next[i])
        chains->head[i] = block;
}

static void open_chains(struct chains *chains, const struct block *entry)
{
    size_t count = chains->count;
    chains->index_of = NEW_ARRAY(chains->arena, size_t, (size_t)entry->id + 1);
    chains->head = NEW_ARRAY(chains->arena, size_t, count);
    chains->next = NEW_ARRAY(chains->arena, size_t, count);
    chains->before = NEW_ARRAY(chains->arena, size_t, count);
    chains->seen = NEW_ARRAY(chains->arena, bool, count);
    chains->stack = NEW_ARRAY(chains->arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        chains->index_of[chains->blocks[i]->id] = i;
        chains->head[i] = i;
        chains->next[i] = chains->before[i] = NO_BLOCK;
    }
}

/* ---- the order of the chains ---------------------------------------------------------------- */

struct ranking {
    struct chains *chains;
    size_t first;   /* the return to come first */
    size_t *rank;   /* by block: the first return that needs it; returns rank by falling weight, but
                       for `first` */
    size_t *waits;  /* by head: edges from chains that are not placed */
    bool *deferred; /* by head: comes right before its return if it can */
};

/* Returns by falling weight, then each block as the first return below it: targets have higher
 * indices. */
static void rank_blocks(struct ranking *ranking)
{
    const struct chains *chains = ranking->chains;
    for (size_t i = 0; i < chains->count; i++) {
        double weight = chains->blocks[i]->weight;
        for (size_t j = 0; j < chains->count && !block_leads_on(chains->blocks[i]); j++) {
            double other = chains->blocks[j]->weight;
            bool heavier = other > weight || (other == weight && j < i);
            heavier = j == ranking->first || (i != ranking->first && heavier);
            ranking->rank[i] += !block_leads_on(chains->blocks[j]) && i != j && heavier;
        }
    }
    for (size_t i = chains->count; i-- > 0;) {
        const struct block *block = chains->blocks[i];
        if (!block_leads_on(block))
            continue;
        size_t yes = ranking->rank[chains->index_of[block->yes->id]];
        size_t no = ranking->rank[chains->index_of[block->no->id]];
        ranking->rank[i] = yes < no ? yes : no;
    }
    for (size_t i = 0; i < chains->count; i++) {
        size_t head = chains->head[i];
        if (ranking->rank[i] < ranking->rank[head])
            ranking->rank[head] = ranking->rank[i];
    }
}

/* How much goes from the end of a chain right into the return of its rank; -1: it leads to more
 * than returns, or the return cannot stand right behind it. */
static double weight_into_return(const struct ranking *ranking, size_t head)
{
    const struct chains *chains = ranking->chains;
    const struct block *last = chains->blocks[head];
    for (size_t i = head; i != NO_BLOCK; i = chains->next[i]) {
        last = chains->blocks[i];
        for (unsigned side = 0; block_leads_on(last) && side < 2; side++) {
            size_t to = chains->index_of[layout_target(last, side)->id];
            if (chains->head[to] != head && block_leads_on(chains->blocks[to]) &&
                ranking->rank[chains->head[to]] == ranking->rank[head])
                return -1;
        }
    }
    double most = -1;
    for (unsigned side = 0; block_leads_on(last) && side < 2; side++) {
        const struct block *to = layout_target(last, side);
        double worth = edge_worth(last, side);
        if (!block_leads_on(to) && ranking->rank[chains->index_of[to->id]] == ranking->rank[head] &&
            worth > most)
            most = worth;
    }
    return most;
}

/* Of each rank, the chain to come last. */
static void defer_heaviest(struct ranking *ranking)
{
    const struct chains *chains = ranking->chains;
    size_t *best = NEW_ARRAY(chains->arena, size_t, chains->count);
    double *most = NEW_ARRAY(chains->arena, double, chains->count);
    for (size_t i = 0; i < chains->count; i++) {
        double weight = chains->head[i] == i ? weight_into_return(ranking, i) : -1;
        if (weight > most[ranking->rank[i]]) {
            most[ranking->rank[i]] = weight;
            best[ranking->rank[i]] = i;
        }
    }
    for (size_t rank = 0; rank < chains->count; rank++)
        if (most[rank] > 0)
            ranking->deferred[best[rank]] = true;
}

static void count_waits(struct ranking *ranking, size_t head, bool placed)
{
    const struct chains *chains = ranking->chains;
    for (size_t i = head; i != NO_BLOCK; i = chains->next[i]) {
        const struct block *block = chains->blocks[i];
        for (unsigned side = 0; block_leads_on(block) && side < 2; side++) {
            size_t to = chains->head[chains->index_of[layout_target(block, side)->id]];
            if (to != head)
                ranking->waits[to] += placed ? (size_t)-1 : 1;
        }
    }
}

static bool comes_before(const struct ranking *ranking, size_t a, size_t b)
{
    if (ranking->rank[a] != ranking->rank[b])
        return ranking->rank[a] < ranking->rank[b];
    if (ranking->deferred[a] != ranking->deferred[b])
        return ranking->deferred[b];
    return a < b;
}

/* The chain that waits for no other and comes before the others of these; always one, for chains
 * have an order. */
static size_t next_chain(const struct ranking *ranking, const bool *placed)
{
    const struct chains *chains = ranking->chains;
    size_t best = NO_BLOCK;
    for (size_t i = 0; i < chains->count; i++) {
        if (chains->head[i] != i || placed[i] || ranking->waits[i])
            continue;
        if (best == NO_BLOCK || comes_before(ranking, i, best))
            best = i;
    }
    return best;
}

static const struct block **place_chains(struct chains *chains, size_t first)
{
    struct ranking ranking = {.chains = chains,
                              .first = first,
                              .rank = NEW_ARRAY(chains->arena, size_t, chains->count),
                              .waits = NEW_ARRAY(chains->arena, size_t, chains->count),
                              .deferred = NEW_ARRAY(chains->arena, bool, chains->count)};
    const struct block **order = NEW_ARRAY(chains->arena, const struct block *, chains->count);
    bool *placed = NEW_ARRAY(chains->arena, bool, chains->count);
    rank_blocks(&ranking);
    defer_heaviest(&ranking);
    for (size_t i = 0; i < chains->count; i++)
        if (chains->head[i] == i)
            count_waits(&ranking, i, false);
    for (size_t used = 0; used < chains->count;) {
        size_t head = next_chain(&ranking, placed);
        placed[head] = true;
        count_waits(&ranking, head, true);
        for (size_t i = head; i != NO_BLOCK; i = chains->next[i])
            order[used++] = chains->blocks[i];
    }
    return order;
}

const struct block **layout_by_weight(struct arena *arena, const struct block *entry, size_t *count)
{
    struct chains chains = {.arena = arena};
    struct edges edges = {0};
    chains.blocks = layout_blocks(arena, entry, &chains.count);
    *count = chains.count;
    if (!(entry->weight > 0) || chains.count > WEIGHED_MOST)
        return NULL;
    open_chains(&chains, entry);
    collect_edges(&chains, &edges);
    for (size_t i = 0; i < edges.count; i++)
        chains_join(&chains, edges.items[i].from, edges.items[i].to);
    return place_chains(&chains, chains_land(&chains));
}
