/* A policy by number: which rules can match under one arch token, for each range of numbers on
 * which they are the same. */
#include "verifier/policy.h"

#include <stdlib.h>

/* The numbers of one view between two places where a clause begins or ends. */
struct segment {
    struct range nr;
    size_t first, count; /* of `members`: indices of clauses, rising */
};

struct sweep {
    bool made;
    VECTOR(struct segment) segments; /* sorted; gaps: no clause */
    VECTOR(uint32_t) members;
};

/* ---- clauses by number ------------------------------------------------------------------------
 */

struct edge {
    uint64_t at;
    uint32_t clause;
    bool begins;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->at != y->at)
        return x->at > y->at ? 1 : -1;
    return (x->clause > y->clause) - (x->clause < y->clause);
}

struct active {
    uint32_t *items;
    size_t count, capacity;
};

static void activate(struct prover *prover, struct active *active, uint32_t clause)
{
    vector_push(prover->arena, active, clause);
    size_t at = active->count - 1;
    for (; at > 0 && active->items[at - 1] > clause; at--)
        active->items[at] = active->items[at - 1];
    active->items[at] = clause;
}

static void deactivate(struct active *active, uint32_t clause)
{
    size_t at = 0;
    while (at < active->count && active->items[at] != clause)
        at++;
    if (at == active->count)
        return;
    memmove(&active->items[at], &active->items[at + 1],
            (active->count - at - 1) * sizeof *active->items);
    active->count--;
}

static void add_segment(struct prover *prover, struct sweep *sweep, const struct active *active,
                        uint64_t first, uint64_t end)
{
    if (!active->count || first == end)
        return;
    struct segment segment = {.nr = {(uint32_t)first, (uint32_t)(end - 1)}};
    segment.first = sweep->members.count;
    segment.count = active->count;
    for (size_t i = 0; i < active->count; i++)
        vector_push(prover->arena, &sweep->members, active->items[i]);
    vector_push(prover->arena, &sweep->segments, segment);
}

static void sweep_clauses(struct prover *prover, const struct abi_view *view, struct sweep *sweep)
{
    struct edge *edges = NEW_ARRAY(prover->arena, struct edge, 2 * view->clause_count);
    size_t count = 0;
    for (uint32_t i = 0; i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (clause->first > clause->last || clause->when->kind == CONDITION_FALSE)
            continue;
        edges[count++] = (struct edge){clause->first, i, true};
        edges[count++] = (struct edge){(uint64_t)clause->last + 1, i, false};
    }
    if (count)
        qsort(edges, count, sizeof *edges, by_place);
    struct active active = {0};
    uint64_t from = 0;
    for (size_t i = 0; i < count; i++) {
        if (edges[i].at > from)
            add_segment(prover, sweep, &active, from, edges[i].at);
        from = edges[i].at;
        if (edges[i].begins)
            activate(prover, &active, edges[i].clause);
        else
            deactivate(&active, edges[i].clause);
    }
}

/* ---- pieces --------------------------------------------------------------------------------- */

struct rule_map *rule_map_new(struct prover *prover, const struct policy *policy)
{
    struct rule_map *map = NEW(prover->arena, struct rule_map);
    map->policy = policy;
    map->sweeps = NEW_ARRAY(prover->arena, struct sweep, policy->view_count + 1);
    return map;
}

bool wants_token_apart(struct class *class, abi_set abis)
{
    if (is_single(class->arch))
        return false;
    for (unsigned i = 0; i < ABI_COUNT; i++) {
        uint32_t token = abi_get((enum abi_id)i)->token;
        if (!(abis >> i & 1) || token < class->arch.first || token > class->arch.last)
            continue;
        class->cut_field = FIELD_ARCH;
        class->cut = token > class->arch.first ? token : token + 1;
        return true;
    }
    return false;
}

static void add_piece(struct prover *prover, struct pieces *pieces, struct range nr,
                      const struct piece *like, const uint32_t *members, size_t count)
{
    struct piece piece = *like;
    piece.nr = nr;
    piece.members = members;
    piece.member_count = count;
    vector_push(prover->arena, pieces, piece);
}

/* The first segment that does not end before `nr`. */
static size_t first_segment(const struct sweep *sweep, uint32_t nr)
{
    size_t low = 0, high = sweep->segments.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sweep->segments.items[middle].nr.last < nr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One run of numbers that falls to one view: its segments, and the gaps between them. */
static void view_pieces(struct prover *prover, const struct sweep *sweep, struct range run,
                        const struct piece *like, struct pieces *pieces)
{
    uint64_t at = run.first;
    for (size_t i = first_segment(sweep, run.first); at <= run.last; i++) {
        const struct segment *segment =
            i < sweep->segments.count ? &sweep->segments.items[i] : NULL;
        bool inside = segment && segment->nr.first <= run.last;
        uint64_t begin = inside ? segment->nr.first : (uint64_t)run.last + 1;
        if (begin > at)
            add_piece(prover, pieces, (struct range){(uint32_t)at, (uint32_t)(begin - 1)}, like,
                      NULL, 0);
        if (!inside)
            return;
        at = begin > at ? begin : at;
        struct range part = {(uint32_t)at,
                             segment->nr.last < run.last ? segment->nr.last : run.last};
        add_piece(prover, pieces, part, like, sweep->members.items + segment->first,
                  segment->count);
        at = (uint64_t)part.last + 1;
    }
}

void policy_pieces(struct prover *prover, struct rule_map *map, uint32_t arch,
                   struct pieces *pieces)
{
    const struct policy *policy = map->policy;
    struct nr_run *places;
    size_t count;
    policy_runs(prover->arena, policy, arch, &places, &count);
    for (size_t i = 0; i < count; i++) {
        struct range run = {places[i].first, places[i].last};
        const struct abi_view *view = policy_view(policy, places[i].place.abi);
        struct piece like = {.policy = policy, .otherwise = policy->foreign_word};
        if (!view) {
            add_piece(prover, pieces, run, &like, NULL, 0);
            continue;
        }
        like.clauses = view->clauses;
        like.otherwise = places[i].place.known ? view->default_word : view->unknown_word;
        struct sweep *sweep = &map->sweeps[view - policy->views];
        if (!sweep->made)
            sweep_clauses(prover, view, sweep);
        sweep->made = true;
        view_pieces(prover, sweep, run, &like, pieces);
    }
}

size_t piece_rules(struct prover *prover, const struct piece *piece, struct rule_step **steps)
{
    const struct policy *policy = piece->policy;
    size_t clause = 0, raw = 0, count = 0;
    *steps =
        NEW_ARRAY(prover->arena, struct rule_step, piece->member_count + policy->raw_rule_count);
    while (clause < piece->member_count || raw < policy->raw_rule_count) {
        const struct clause *c =
            clause < piece->member_count ? &piece->clauses[piece->members[clause]] : NULL;
        const struct raw_rule *r = raw < policy->raw_rule_count ? &policy->raw_rules[raw] : NULL;
        if (c && (!r || c->rule <= r->rule)) {
            (*steps)[count++] = (struct rule_step){c->rule, c->when, NULL, c->word};
            clause++;
        } else {
            (*steps)[count++] = (struct rule_step){r->rule, r->when, r->value, 0};
            raw++;
        }
    }
    return count;
}
