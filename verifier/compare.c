/* Equality and at-most of two sides. */
#include "verifier/internal.h"

struct sides {
    const struct side *left, *right;
};

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
        [PROVED] = "PROVED", [REFUTED] = "REFUTED", [UNKNOWN] = "UNKNOWN"};
    return names[verdict];
}

/* ---- rank: the kernel's order of actions --------------------------------------------------------
 */

int32_t word_rank(uint32_t word)
{
    return (int32_t)action_of_word(word, NULL)->word;
}

/* The action's word; what is no action is KILL_PROCESS. */
const struct term *rank_term(struct prover *prover, const struct term *word)
{
    struct terms *terms = prover->terms;
    const struct term *action =
        term_binary(terms, TERM_BIT_AND, word, word_constant(prover, ACTION_BITS));
    const struct term *known = term_bool(terms, false);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        known = term_binary(terms, TERM_OR, known,
                            word_equals(prover, action, action_get((enum action)i)->word));
    uint32_t strictest = action_get(ACTION_KILL_PROCESS)->word;
    return term_if(terms, known, action, word_constant(prover, strictest));
}

/* ---- properties ----------------------------------------------------------------------------- */

static void run_both(const struct sides *sides, struct counterexample *example,
                     bool *implementation_defined)
{
    bool left = false, right = false;
    example->left = side_word(sides->left, &example->input, &left);
    example->right = side_word(sides->right, &example->input, &right);
    *implementation_defined = left || right;
}

static bool words_differ(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    return left != right;
}

static const struct term *words_differ_term(struct prover *prover, const void *data,
                                            const struct term *left, const struct term *right)
{
    (void)data;
    return term_not(prover->terms, term_binary(prover->terms, TERM_EQUAL, left, right));
}

static bool replay_differ(const void *data, struct counterexample *example,
                          bool *implementation_defined)
{
    run_both(data, example, implementation_defined);
    return example->left != example->right;
}

static bool is_more_permissive(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    return word_rank(left) > word_rank(right);
}

static const struct term *more_permissive_term(struct prover *prover, const void *data,
                                               const struct term *left, const struct term *right)
{
    (void)data;
    return term_binary(prover->terms, TERM_SIGNED_LESS, rank_term(prover, right),
                       rank_term(prover, left));
}

static bool replay_more_permissive(const void *data, struct counterexample *example,
                                   bool *implementation_defined)
{
    run_both(data, example, implementation_defined);
    return is_more_permissive(NULL, example->left, example->right);
}

/* ---- the two questions ---------------------------------------------------------------------- */

static struct proof compare(struct arena *arena, const struct side *left, const struct side *right,
                            const struct property *property, const struct proof_options *options)
{
    (void)arena; /* a proof brings its own memory and hands back plain values */
    struct prover *prover = prover_open(options, side_is_big_endian(left));
    struct behaviour first, second;
    if (side_behaviour(prover, left, &first) && side_behaviour(prover, right, &second))
        prove_property(prover, &first, &second, property);
    return prover_close(prover);
}

struct proof prove_equal(struct arena *arena, const struct side *left, const struct side *right,
                         const struct proof_options *options)
{
    const struct sides sides = {left, right};
    const struct property property = {&sides, true, words_differ, words_differ_term, replay_differ};
    return compare(arena, left, right, &property, options);
}

struct proof prove_at_most(struct arena *arena, const struct side *left, const struct side *right,
                           const struct proof_options *options)
{
    const struct sides sides = {left, right};
    const struct property property = {&sides, true, is_more_permissive, more_permissive_term,
                                      replay_more_permissive};
    return compare(arena, left, right, &property, options);
}
