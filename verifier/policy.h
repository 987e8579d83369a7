/* A policy cut into pieces: ranges of numbers under one arch token on which the same rules can
 * match. */
#ifndef VERIFIER_POLICY_H
#define VERIFIER_POLICY_H

#include "verifier/internal.h"

struct sweep;

/* A policy with what has been worked out about it. */
struct rule_map {
    const struct policy *policy;
    struct sweep *sweeps; /* by view */
};

struct piece {
    struct range nr;
    const struct policy *policy;
    const struct clause *clauses; /* of the view */
    const uint32_t *members;      /* the clauses that cover the piece, rising */
    size_t member_count;
    uint32_t otherwise; /* what is returned when no rule matches */
};

struct pieces {
    struct piece *items;
    size_t count, capacity;
};

/* One rule on a piece: a clause, or a raw rule. */
struct rule_step {
    uint32_t rule;
    const struct condition *when;
    const struct word *value; /* raw; NULL: `word` */
    uint32_t word;
};

struct rule_map *rule_map_new(struct prover *prover, const struct policy *policy);
/* Under an arch that is a declared token, or stands for arches that are not. Sorted, covering all
 * numbers. */
void policy_pieces(struct prover *prover, struct rule_map *map, uint32_t arch,
                   struct pieces *pieces);
/* The piece's rules, clauses and raw ones, in their order. */
size_t piece_rules(struct prover *prover, const struct piece *piece, struct rule_step **steps);

#endif
