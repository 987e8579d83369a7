/* Rules that can never decide: on no input does the rule match while every rule before it does not.
 *
 * Most rules are seen to be alive at a glance (an unconditional rule that is the first on its
 * number); terms are made only for those that share a number with earlier conditions. A rule is
 * called dead only when that is proved.
 *
 * The warning is a courtesy, so what it may cost is bounded, in counts and not in time: past that
 * nothing more is asked, and rules that are not known to be alive or dead are left alone. */
#include "verifier/policy.h"

#define SHADOWS_MOST 8u

/* What may be spent on all rules together, and on one question to the solver. */
#define WALKED_MOST UINT64_C(300000000)
#define QUESTIONS_MOST 100u
#define UNANSWERED_MOST 8u /* of these: when so many came to nothing, the others will, too */
#define QUESTION_RLIMIT 100000u
#define TERMS_MOST 500000u
#define MEMORY_MOST ((size_t)96 << 20)
/* Rules seen on all pieces together. */
#define RULES_SEEN_MOST UINT64_C(4000000)

enum life { LIFE_UNSEEN, LIFE_ALIVE, LIFE_UNCLEAR, LIFE_DEAD };

/* The pieces under one range of arch. */
struct arch_pieces {
    struct range arch;
    struct pieces pieces;
};

struct coroner {
    struct prover *prover;
    const struct policy *policy;
    VECTOR(struct arch_pieces) archs;
    enum life *lives; /* by rule */
    bool *shadows;    /* by rule: of the dead rule that is looked at */
    uint64_t seen;    /* rules, on all pieces so far */
    unsigned unanswered;
};

static bool may_ask(const struct coroner *c)
{
    struct prover *prover = c->prover;
    struct solver_statistics asked = solver_statistics(prover->solver);
    return c->unanswered < UNANSWERED_MOST && prover->walked < WALKED_MOST &&
           asked.questions - asked.folded < QUESTIONS_MOST &&
           terms_count(prover->terms) < TERMS_MOST && arena_used(prover->arena) < MEMORY_MOST;
}

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

static enum satisfiable satisfiable(struct coroner *c, const struct term *marker, struct range arch,
                                    struct range nr)
{
    struct prover *prover = c->prover;
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
    c->unanswered += found == CANNOT_TELL;
    prover->proof.verdict = PROVED;
    prover->trouble = trouble;
    return found;
}

/* 1 where the condition holds and `free` is 1. The newest condition comes first, so that each rule
 * adds its own terms to those of the rules before it, and no more. NULL: cannot be said. */
static const struct term *where_also(struct prover *prover, const struct condition *when,
                                     const struct term *free)
{
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    class.whole = true;
    return free ? condition_choose(prover, &class, when, free, word_constant(prover, 0)) : NULL;
}

/* 1 where `free` is 1 and the condition does not hold. */
static const struct term *where_not(struct prover *prover, const struct condition *when,
                                    const struct term *free)
{
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    class.whole = true;
    return free ? condition_choose(prover, &class, when, word_constant(prover, 0), free) : NULL;
}

/* ---- one piece
 * ------------------------------------------------------------------------------------- */

static enum life life_on(struct coroner *c, const struct term *marker, struct range arch,
                         const struct piece *piece)
{
    static const enum life lives[] = {
        [NO_INPUT] = LIFE_DEAD, [SOME_INPUT] = LIFE_ALIVE, [CANNOT_TELL] = LIFE_UNCLEAR};
    return may_ask(c) ? lives[satisfiable(c, marker, arch, piece->nr)] : LIFE_UNCLEAR;
}

/* Alive on one piece is alive; dead is dead on all of them. */
static void note_life(enum life *life, enum life here)
{
    if (*life == LIFE_UNSEEN || here == LIFE_ALIVE || (here == LIFE_UNCLEAR && *life == LIFE_DEAD))
        *life = *life == LIFE_ALIVE ? LIFE_ALIVE : here;
}

static void examine(struct coroner *c, struct range arch, const struct piece *piece)
{
    struct rule_step *steps;
    size_t count = piece_rules(c->prover, piece, &steps);
    const struct term *free = word_constant(c->prover, 1);
    bool decided = false; /* by a rule without a condition, for all that follow */
    c->seen += count;
    for (size_t i = 0; i < count; i++) {
        enum life *life = &c->lives[steps[i].rule];
        const struct condition *when = steps[i].when;
        bool always = when->kind == CONDITION_TRUE;
        if (decided)
            note_life(life, LIFE_DEAD);
        else if (*life != LIFE_ALIVE && i == 0 && always)
            note_life(life, LIFE_ALIVE);
        else if (*life != LIFE_ALIVE)
            note_life(life, life_on(c, where_also(c->prover, when, free), arch, piece));
        decided = decided || always;
        free = decided || !may_ask(c) ? NULL : where_not(c->prover, when, free);
    }
}

/* Whether a clause of the rule covers the piece. Members and the rules of clauses rise. */
static bool has_clause_of(const struct piece *piece, uint32_t rule)
{
    size_t low = 0, high = piece->member_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (piece->clauses[piece->members[middle]].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return low < piece->member_count && piece->clauses[piece->members[low]].rule == rule;
}

/* Which rules decide what the dead one matches, on this piece. */
static void find_shadows(struct coroner *c, struct range arch, const struct piece *piece,
                         uint32_t dead)
{
    struct rule_step *steps;
    if (!piece->policy->raw_rule_count && !has_clause_of(piece, dead))
        return;
    size_t count = piece_rules(c->prover, piece, &steps), index = 0;
    const struct term *free = word_constant(c->prover, 1);
    while (index < count && steps[index].rule != dead)
        index++;
    c->seen += count;
    for (size_t i = 0; i < index && index < count && may_ask(c); i++) {
        const struct condition *when = steps[i].when;
        if (!c->shadows[steps[i].rule]) {
            const struct term *here = where_also(c->prover, when, free);
            const struct term *marker = where_also(c->prover, steps[index].when, here);
            if (satisfiable(c, marker, arch, piece->nr) == SOME_INPUT)
                c->shadows[steps[i].rule] = true;
        }
        if (when->kind == CONDITION_TRUE)
            return;
        free = where_not(c->prover, when, free);
    }
}

/* ---- all pieces
 * ---------------------------------------------------------------------------------------- */

static void cut_policy(struct coroner *c)
{
    struct rule_map *map = rule_map_new(c->prover, c->policy);
    uint32_t from = 0;
    while (true) {
        struct class class = class_new(c->prover, (struct range){from, UINT32_MAX}, EVERYTHING);
        while (wants_token_apart(&class, c->policy->abis))
            class.arch.last = class.cut - 1;
        struct arch_pieces cut = {.arch = class.arch};
        policy_pieces(c->prover, map, class.arch.first, &cut.pieces);
        vector_push(c->prover->arena, &c->archs, cut);
        if (class.arch.last == UINT32_MAX)
            return;
        from = class.arch.last + 1;
    }
}

/* Examines each, or looks on each for the shadows of the rule `*dead`. False: there was no time or
 * there were too many to see them all. */
static bool visit_all(struct coroner *c, const uint32_t *dead)
{
    for (size_t a = 0; a < c->archs.count; a++) {
        const struct arch_pieces *cut = &c->archs.items[a];
        for (size_t i = 0; i < cut->pieces.count; i++) {
            const struct piece *piece = &cut->pieces.items[i];
            if (c->seen > RULES_SEEN_MOST || out_of_time(c->prover))
                return false;
            if (!piece->member_count && !c->policy->raw_rule_count)
                continue;
            if (dead)
                find_shadows(c, cut->arch, piece, *dead);
            else
                examine(c, cut->arch, piece);
        }
    }
    return true;
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
    (void)visit_all(c, &rule); /* fewer notes when it is not all of them */
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

static void report_all(struct coroner *c, struct diagnostics *diagnostics, struct dead_rules *out)
{
    bool complete = visit_all(c, NULL);
    if (complete)
        bury_unseen(c);
    for (uint32_t rule = 0; rule < c->policy->rule_count; rule++) {
        bool dead = c->lives[rule] == LIFE_DEAD;
        if (dead && complete) {
            report_one(c, rule, diagnostics);
            out->found++;
        } else if (dead || c->lives[rule] == LIFE_UNCLEAR ||
                   (c->lives[rule] == LIFE_UNSEEN && !complete)) {
            out->unsettled++;
        }
    }
}

struct dead_rules report_dead_rules(const struct policy *policy,
                                    const struct proof_options *options,
                                    struct diagnostics *diagnostics)
{
    struct proof_options quiet = *options;
    struct dead_rules found = {0};
    quiet.smt2 = NULL;
    quiet.whole = false;
    quiet.limits.rlimit = QUESTION_RLIMIT;
    if (policy->rule_count == 0)
        return found;
    struct coroner c = {.policy = policy, .prover = prover_open(&quiet, policy->big_endian)};
    c.prover->walk_most = WALKED_MOST;
    c.lives = NEW_ARRAY(c.prover->arena, enum life, policy->rule_count);
    c.shadows = NEW_ARRAY(c.prover->arena, bool, policy->rule_count);
    cut_policy(&c);
    report_all(&c, diagnostics, &found);
    found.memory = arena_used(c.prover->arena);
    struct proof proof = prover_close(c.prover);
    found.ns = proof.ns;
    found.questions = proof.questions;
    return found;
}
