/* Arch isolation: what lies outside the declared ABIs is not permitted. */
#include "verifier/internal.h"

struct isolation {
    const struct side *side;
    abi_set declared;
};

/* Under a declared token, the numbers that still belong to nobody: on the token that x86_64 and x32
 * share, the other's. -1, with which a tracer skips a call, is x86_64's too. */
static bool foreign_numbers(uint32_t token, abi_set declared, struct range *foreign)
{
    bool x86_64 = declared & ABI_BIT(ABI_X86_64), x32 = declared & ABI_BIT(ABI_X32);
    if (token != abi_get(ABI_X86_64)->token || x86_64 == x32)
        return false;
    *foreign = x86_64 ? (struct range){X32_BIT, NR_SKIP - 1} : (struct range){0, X32_BIT - 1};
    return true;
}

static bool is_declared_token(uint32_t token, abi_set declared)
{
    for (unsigned i = 0; i < ABI_COUNT; i++)
        if (declared >> i & 1 && abi_get((enum abi_id)i)->token == token)
            return true;
    return false;
}

static enum runs_outcome foreign_runs(struct prover *prover, void *self, struct class *class,
                                      struct residue_runs *runs)
{
    const struct isolation *isolation = self;
    const struct term *ours = word_constant(prover, 0), *theirs = word_constant(prover, 1);
    struct range foreign;
    if (wants_token_apart(class, isolation->declared))
        return RUNS_CUT_ARCH;
    if (!is_declared_token(class->arch.first, isolation->declared)) {
        runs_push(prover, runs, EVERYTHING, theirs);
        return RUNS_DONE;
    }
    if (!foreign_numbers(class->arch.first, isolation->declared, &foreign)) {
        runs_push(prover, runs, EVERYTHING, ours);
        return RUNS_DONE;
    }
    if (foreign.first)
        runs_push(prover, runs, (struct range){0, foreign.first - 1}, ours);
    runs_push(prover, runs, foreign, theirs);
    runs_push(prover, runs, (struct range){foreign.last + 1, UINT32_MAX}, ours);
    return RUNS_DONE;
}

static const struct term *foreign_whole(struct prover *prover, void *self)
{
    const struct isolation *isolation = self;
    struct terms *terms = prover->terms;
    const struct term *marker = word_constant(prover, 1);
    for (unsigned i = 0; i < ABI_COUNT; i++) {
        uint32_t token = abi_get((enum abi_id)i)->token;
        struct range foreign;
        if (!(isolation->declared >> i & 1))
            continue;
        const struct term *inside = word_constant(prover, 0);
        if (foreign_numbers(token, isolation->declared, &foreign))
            inside = term_if(terms, word_within(prover, prover->words[FIELD_NR], foreign),
                             word_constant(prover, 1), inside);
        marker =
            term_if(terms, word_equals(prover, prover->words[FIELD_ARCH], token), inside, marker);
    }
    return marker;
}

static bool permits_foreign(const void *data, uint32_t word, uint32_t marker)
{
    (void)data;
    return marker && action_of_word(word, NULL)->permits;
}

static const struct term *permits_foreign_term(struct prover *prover, const void *data,
                                               const struct term *word, const struct term *marker)
{
    (void)data;
    struct terms *terms = prover->terms;
    const struct term *rank = rank_term(prover, word), *permits = term_bool(terms, false);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        if (action_get((enum action)i)->permits)
            permits = term_binary(terms, TERM_OR, permits,
                                  word_equals(prover, rank, action_get((enum action)i)->word));
    return term_binary(terms, TERM_AND, word_equals(prover, marker, 1), permits);
}

static bool replay_foreign(const void *data, struct counterexample *example,
                           bool *implementation_defined)
{
    const struct isolation *isolation = data;
    const struct input *input = &example->input;
    struct range foreign;
    bool is_foreign = !is_declared_token(input->arch, isolation->declared);
    if (!is_foreign && foreign_numbers(input->arch, isolation->declared, &foreign))
        is_foreign = input->nr >= foreign.first && input->nr <= foreign.last;
    example->left = example->right = side_word(isolation->side, input, implementation_defined);
    return permits_foreign(NULL, example->left, is_foreign);
}

struct proof prove_arch_isolation(struct arena *arena, const struct side *side, abi_set declared,
                                  bool big_endian, const struct proof_options *options)
{
    (void)arena;
    struct isolation isolation = {side, declared};
    const struct property property = {&isolation, false, permits_foreign, permits_foreign_term,
                                      replay_foreign};
    struct prover *prover = prover_open(options, big_endian);
    struct behaviour behaviour, marker = {&isolation, foreign_runs, foreign_whole};
    if (side_behaviour(prover, side, &behaviour))
        prove_property(prover, &behaviour, &marker, &property);
    return prover_close(prover);
}
