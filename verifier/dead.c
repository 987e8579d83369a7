/* Rules that can never decide: on no input does the rule match while every rule before it does not.
 *
 * Most rules are seen to be alive at a glance (an unconditional rule that is the first on its
 * number); terms are made only for those that share a number with earlier conditions. A rule is
 * called dead only when that is proved. */
#include "verifier/policy.h"

#define SHADOWS_MOST 8u

enum life { LIFE_UNSEEN, LIFE_ALIVE, LIFE_UNCLEAR, LIFE_DEAD };

struct coroner {
    struct prover *prover;
    const struct policy *policy;
    struct rule_map *map;
    enum life *lives; /* by rule */
    uint32_t looking; /* second pass: the dead rule whose shadows are looked for */
    bool *shadows;    /* by rule */
    bool second_pass;
};

/* ---- is there such an input -------------------------------------------------------------------
 */

static bool is_one(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    (void)right;
    return left == 1;
}

static const struct term *is_one_term(struct prover *prover, const void *data,
                                      const struct term *left, const struct term *right)
{
    (void)data;
    (void)right;
    return word_equals(prover, left, 1);
}

static bool always_replays(const void *data, struct counterexample *example,
                           bool *implementation_defined)
{
    (void)data;
    (void)example;
    (void)implementation_defined;
    return true;
}

enum satisfiable { NO_INPUT, SOME_INPUT, CANNOT_TELL };

static enum satisfiable satisfiable(struct prover *prover, const struct term *marker,
                                    struct range arch, struct range nr)
{
    static const struct property one = {NULL, false, is_one, is_one_term, always_replays};
    const char *trouble = prover->trouble;
    prover->trouble = NULL;
    prover->proof.verdict = PROVED;
    if (marker) {
        struct obligation obligation = {arch, nr, marker, word_constant(prover, 0), &one};
        settle(prover, &obligation);
    }
    enum satisfiable found = prover->proof.verdict == REFUTED ? SOME_INPUT : NO_INPUT;
    if (!marker || (found == NO_INPUT && prover->trouble))
        found = CANNOT_TELL;
    prover->proof.verdict = PROVED;
    prover->trouble = trouble;
    return found;
}

/* 1 where steps[index] matches and, with `also`, steps[also] too, and no step before `stop` does.
 */
static const struct term *marker_of(struct prover *prover, const struct rule_step *steps,
                                    size_t stop, size_t index, const struct condition *also)
{
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    class.whole = true;
    const struct term *no = word_constant(prover, 0);
    const struct term *marker =
        condition_choose(prover, &class, steps[index].when, word_constant(prover, 1), no);
    if (marker && also)
        marker = condition_choose(prover, &class, also, marker, no);
    for (size_t i = stop; i-- > 0 && marker;)
        marker = condition_choose(prover, &class, steps[i].when, no, marker);
    return marker;
}

/* ---- one piece
 * ------------------------------------------------------------------------------------- */

static void examine(struct coroner *c, struct range arch, const struct piece *piece)
{
    struct rule_step *steps;
    size_t count = piece_rules(c->prover, piece, &steps);
    bool plain = true; /* no condition so far */
    for (size_t i = 0; i < count; i++) {
        enum life *life = &c->lives[steps[i].rule];
        bool always = steps[i].when->kind == CONDITION_TRUE;
        if (*life != LIFE_ALIVE && plain && always)
            *life = LIFE_ALIVE;
        if (*life != LIFE_ALIVE) {
            const struct term *marker = marker_of(c->prover, steps, i, i, NULL);
            switch (satisfiable(c->prover, marker, arch, piece->nr)) {
            case SOME_INPUT:
                *life = LIFE_ALIVE;
                break;
            case CANNOT_TELL:
                *life = LIFE_UNCLEAR;
                break;
            default:
                *life = *life == LIFE_UNSEEN ? LIFE_DEAD : *life;
                break;
            }
        }
        plain = false;
        if (!always)
            continue;
        for (size_t rest = i + 1; rest < count; rest++)
            if (c->lives[steps[rest].rule] == LIFE_UNSEEN)
                c->lives[steps[rest].rule] = LIFE_DEAD;
        return;
    }
}

/* Which rules decide what the dead one matches, on this piece. */
static void find_shadows(struct coroner *c, struct range arch, const struct piece *piece)
{
    struct rule_step *steps;
    size_t count = piece_rules(c->prover, piece, &steps), index = 0;
    while (index < count && steps[index].rule != c->looking)
        index++;
    for (size_t i = 0; i < index && index < count; i++) {
        if (!c->shadows[steps[i].rule]) {
            const struct term *marker = marker_of(c->prover, steps, i, i, steps[index].when);
            if (satisfiable(c->prover, marker, arch, piece->nr) == SOME_INPUT)
                c->shadows[steps[i].rule] = true;
        }
        if (steps[i].when->kind == CONDITION_TRUE)
            return;
    }
}

/* ---- all pieces
 * ---------------------------------------------------------------------------------------- */

static void visit_arch(struct coroner *c, struct range arch)
{
    struct pieces pieces = {0};
    policy_pieces(c->prover, c->map, arch.first, &pieces);
    for (size_t i = 0; i < pieces.count && !out_of_time(c->prover); i++) {
        const struct piece *piece = &pieces.items[i];
        if (!piece->member_count && !c->policy->raw_rule_count)
            continue;
        if (c->second_pass)
            find_shadows(c, arch, piece);
        else
            examine(c, arch, piece);
    }
}

static void visit_all(struct coroner *c)
{
    uint32_t from = 0;
    while (true) {
        struct class class = class_new(c->prover, (struct range){from, UINT32_MAX}, EVERYTHING);
        while (wants_token_apart(&class, c->policy->abis))
            class.arch.last = class.cut - 1;
        visit_arch(c, class.arch);
        if (class.arch.last == UINT32_MAX)
            return;
        from = class.arch.last + 1;
    }
}

/* Rules that are on no piece: their conditions are never true, or their numbers are no declared
 * ABI's. Rules that no declared ABI has a call for are another matter, and reported when names are
 * resolved. */
static void bury_unseen(struct coroner *c)
{
    const struct policy *policy = c->policy;
    for (size_t v = 0; v < policy->view_count; v++)
        for (size_t i = 0; i < policy->views[v].clause_count; i++) {
            enum life *life = &c->lives[policy->views[v].clauses[i].rule];
            *life = *life == LIFE_UNSEEN ? LIFE_DEAD : *life;
        }
}

static void report_one(struct coroner *c, uint32_t rule, struct diagnostics *diagnostics)
{
    const struct policy *policy = c->policy;
    memset(c->shadows, 0, policy->rule_count * sizeof *c->shadows);
    c->looking = rule;
    c->second_pass = true;
    visit_all(c);
    report_warning(diagnostics, policy->rules[rule].span,
                   "this rule can never decide: whatever it matches is decided before it");
    unsigned noted = 0;
    for (uint32_t i = 0; i < rule && noted < SHADOWS_MOST; i++) {
        if (!c->shadows[i])
            continue;
        report_note(diagnostics, policy->rules[i].span, "this rule decides it: %s",
                    policy->rules[i].text);
        noted++;
    }
}

void report_dead_rules(struct arena *arena, const struct policy *policy,
                       const struct proof_options *options, struct diagnostics *diagnostics)
{
    (void)arena;
    struct proof_options quiet = *options;
    quiet.smt2 = NULL;
    quiet.whole = false;
    if (policy->rule_count == 0)
        return;
    struct coroner c = {.policy = policy, .prover = prover_open(&quiet, policy->big_endian)};
    c.map = rule_map_new(c.prover, policy);
    c.lives = NEW_ARRAY(c.prover->arena, enum life, policy->rule_count);
    c.shadows = NEW_ARRAY(c.prover->arena, bool, policy->rule_count);
    visit_all(&c);
    bury_unseen(&c);
    bool complete = !out_of_time(c.prover);
    for (uint32_t rule = 0; rule < policy->rule_count && complete; rule++)
        if (c.lives[rule] == LIFE_DEAD)
            report_one(&c, rule, diagnostics);
    prover_close(c.prover);
}
