/* Which returned words an audit looks for. */
#include "verifier/auditor.h"

#define ERRNO_MOST 4095u /* MAX_ERRNO: the kernel clamps what is larger */

bool word_permits(uint32_t word)
{
    enum action action = action_of_word(word, NULL)->action;
    return action == ACTION_ALLOW || action == ACTION_LOG;
}

static bool is_action(uint32_t word, enum action action)
{
    return action_of_word(word, NULL)->action == action;
}

static bool is_defect(uint32_t word)
{
    bool known;
    enum action action = action_of_word(word, &known)->action;
    uint32_t data = word & ~ACTION_BITS;
    return !known || (action == ACTION_ERRNO && (data == 0 || data > ERRNO_MOST)) ||
           (action == ACTION_ALLOW && data != 0);
}

static bool is_other_errno(uint32_t word, uint32_t value)
{
    return is_action(word, ACTION_ERRNO) && (word & ~ACTION_BITS) != value;
}

static bool is_bad(const void *data, uint32_t left, uint32_t right)
{
    const struct relation *relation = data;
    switch (relation->kind) {
    case LEFT_PERMITS_ONLY:
        return word_permits(left) && !word_permits(right);
    case WORDS_DIFFER:
        return left != right;
    case PERMITS_DIFFER:
        return word_permits(left) != word_permits(right);
    case MORE_PERMISSIVE:
        return action_of_word(left, NULL)->permits && word_rank(left) > word_rank(right);
    case LESS_PERMISSIVE:
        return action_of_word(right, NULL)->permits && !action_of_word(left, NULL)->permits;
    case MARKED_PERMITS:
        return right == 1 && word_permits(left);
    case MARKED_DENIES:
        return right == 1 && !word_permits(left);
    case MARKED_NOT_ALLOW:
        return right == 1 && !is_action(left, ACTION_ALLOW);
    case MARKED_NOTIFY:
        return right == 1 && is_action(left, ACTION_NOTIFY);
    case MARKED_TRAP_OR_TRACE:
        return right == 1 && (is_action(left, ACTION_TRAP) || is_action(left, ACTION_TRACE));
    case MARKED_KILL_THREAD:
        return right == 1 && is_action(left, ACTION_KILL_THREAD);
    case MARKED_DEFECT:
        return right == 1 && is_defect(left);
    case MARKED_OTHER_ERRNO:
        return right == 1 && is_other_errno(left, relation->value);
    case MARKED_EQUAL:
        return right == 1 && left == relation->value;
    default:
        return false;
    }
}

/* ---- the same as terms -------------------------------------------------------------------------- */

static const struct term *both(struct prover *prover, const struct term *a, const struct term *b)
{
    return term_binary(prover->terms, TERM_AND, a, b);
}

static const struct term *either(struct prover *prover, const struct term *a, const struct term *b)
{
    return term_binary(prover->terms, TERM_OR, a, b);
}

static const struct term *not(struct prover *prover, const struct term *a)
{
    return term_not(prover->terms, a);
}

static const struct term *action_term(struct prover *prover, const struct term *word,
                                      enum action action)
{
    return word_equals(prover, rank_term(prover, word), action_get(action)->word);
}

const struct term *permits_term(struct prover *prover, const struct term *word)
{
    return either(prover, action_term(prover, word, ACTION_ALLOW),
                  action_term(prover, word, ACTION_LOG));
}

/* allow, log, trace or notify */
static const struct term *any_permission(struct prover *prover, const struct term *word)
{
    const struct term *any = term_bool(prover->terms, false);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        if (action_get((enum action)i)->permits)
            any = either(prover, any, action_term(prover, word, (enum action)i));
    return any;
}

static const struct term *data_of(struct prover *prover, const struct term *word)
{
    return term_binary(prover->terms, TERM_BIT_AND, word, word_constant(prover, ~ACTION_BITS));
}

static const struct term *defect_term(struct prover *prover, const struct term *word)
{
    const struct term *data = data_of(prover, word);
    const struct term *action =
        term_binary(prover->terms, TERM_BIT_AND, word, word_constant(prover, ACTION_BITS));
    const struct term *known = term_bool(prover->terms, false);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        known =
            either(prover, known, word_equals(prover, action, action_get((enum action)i)->word));
    const struct term *no_data = word_equals(prover, data, 0);
    const struct term *bad_errno =
        either(prover, no_data, not(prover, word_below(prover, data, ERRNO_MOST + 1)));
    return either(prover, not(prover, known),
                  either(prover, both(prover, action_term(prover, word, ACTION_ERRNO), bad_errno),
                         both(prover, action_term(prover, word, ACTION_ALLOW),
                              not(prover, no_data))));
}

static const struct term *one_word_term(struct prover *prover, const struct relation *relation,
                                        const struct term *word)
{
    switch (relation->kind) {
    case MARKED_PERMITS:
        return permits_term(prover, word);
    case MARKED_DENIES:
        return not(prover, permits_term(prover, word));
    case MARKED_NOT_ALLOW:
        return not(prover, action_term(prover, word, ACTION_ALLOW));
    case MARKED_NOTIFY:
        return action_term(prover, word, ACTION_NOTIFY);
    case MARKED_TRAP_OR_TRACE:
        return either(prover, action_term(prover, word, ACTION_TRAP),
                      action_term(prover, word, ACTION_TRACE));
    case MARKED_KILL_THREAD:
        return action_term(prover, word, ACTION_KILL_THREAD);
    case MARKED_DEFECT:
        return defect_term(prover, word);
    case MARKED_OTHER_ERRNO:
        return both(prover, action_term(prover, word, ACTION_ERRNO),
                    not(prover, word_equals(prover, data_of(prover, word), relation->value)));
    default: /* MARKED_EQUAL */
        return word_equals(prover, word, relation->value);
    }
}

static const struct term *bad_term(struct prover *prover, const void *data, const struct term *left,
                                   const struct term *right)
{
    const struct relation *relation = data;
    struct terms *terms = prover->terms;
    switch (relation->kind) {
    case LEFT_PERMITS_ONLY:
        return both(prover, permits_term(prover, left), not(prover, permits_term(prover, right)));
    case WORDS_DIFFER:
        return not(prover, term_binary(terms, TERM_EQUAL, left, right));
    case PERMITS_DIFFER:
        return not(prover, term_binary(terms, TERM_EQUAL, permits_term(prover, left),
                                       permits_term(prover, right)));
    case MORE_PERMISSIVE:
        return both(prover, any_permission(prover, left),
                    term_binary(terms, TERM_SIGNED_LESS, rank_term(prover, right),
                                rank_term(prover, left)));
    case LESS_PERMISSIVE:
        return both(prover, any_permission(prover, right),
                    not(prover, any_permission(prover, left)));
    default:
        return both(prover, word_equals(prover, right, 1), one_word_term(prover, relation, left));
    }
}

/* The caller replays: it knows what else has to hold. */
static bool take_as_it_is(const void *data, struct counterexample *example,
                          bool *implementation_defined)
{
    (void)data;
    (void)example;
    (void)implementation_defined;
    return true;
}

const struct relation *relation_with(struct auditor *auditor, enum relation_kind kind,
                                     uint32_t value)
{
    struct relation *relation = NEW(auditor->prover->arena, struct relation);
    bool two = kind < MARKED_PERMITS;
    *relation = (struct relation){.kind = kind, .value = value};
    relation->property = (struct property){relation, two, is_bad, bad_term, take_as_it_is};
    return relation;
}

const struct relation *relation_of(struct auditor *auditor, enum relation_kind kind)
{
    if (!auditor->relations[kind])
        auditor->relations[kind] = relation_with(auditor, kind, 0);
    return auditor->relations[kind];
}
