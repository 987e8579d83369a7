/* Width safety: the filter sees no more of an argument than the kernel does.
 *
 * Every input has an honest form: the same call with each argument as a C caller fills its register
 * (the ignored bits are copies of the sign, or 0; arguments that the call does not take are 0). Two
 * inputs that are alike for the kernel have the same honest form, so the property holds when no
 * input's word differs from its honest form's. Where they differ, but never towards more
 * permission, ignored bits only deny. */
#include "verifier/internal.h"

struct known_call {
    enum abi_id abi;
    const struct syscall_entry *entry;
};

struct width {
    const struct side *side;
    abi_set declared;
    VECTOR(struct known_call) calls; /* a residue of the marker is an index + 1 */
    struct property differs, loosens;
    enum abi_id abi; /* of the call that is looked at */
    bool found;      /* a difference that does not loosen */
    struct counterexample example;
};

const char *width_verdict_name(enum width_verdict verdict)
{
    static const char *const names[] = {
        [WIDTH_PROVED] = "PROVED",
        [WIDTH_DENIES_ONLY] = "DENIES_ONLY",
        [WIDTH_REFUTED] = "REFUTED",
        [WIDTH_UNKNOWN] = "UNKNOWN",
    };
    return names[verdict];
}

/* ---- the honest form ------------------------------------------------------------------------- */

static const struct term *bits_set(struct prover *prover, const struct term *word, uint32_t mask)
{
    return term_binary(prover->terms, TERM_BIT_AND, word, word_constant(prover, mask));
}

/* All ones where the sign bit of the low word is set, else 0. */
static const struct term *sign_fill(struct prover *prover, const struct term *low, unsigned bits,
                                    uint32_t ones_there)
{
    const struct term *positive =
        word_equals(prover, bits_set(prover, low, UINT32_C(1) << (bits - 1)), 0);
    return term_if(prover->terms, positive, word_constant(prover, 0),
                   word_constant(prover, ones_there));
}

void honest_argument(struct prover *prover, enum abi_id abi, const struct syscall_entry *entry,
                     unsigned index, const struct term **replacements)
{
    const struct argument *argument = &entry->arguments[index];
    enum field low_field = field_arg_lo(index), high_field = field_arg_hi(index);
    const struct term *low = prover->words[low_field];
    unsigned bits = argument->bits;
    if (index >= entry->argument_count)
        bits = 0;
    else if (bits < 1 || bits >= 64)
        return;
    bool fills = bits && argument->is_signed;
    bool wide = abi_get(abi)->word_bits == 64;
    if (bits < 32) {
        uint32_t kept = (UINT32_C(1) << bits) - 1;
        const struct term *value = bits_set(prover, low, kept);
        if (fills)
            value =
                term_binary(prover->terms, TERM_BIT_OR, value, sign_fill(prover, low, bits, ~kept));
        replacements[low_field] = value;
    }
    replacements[high_field] =
        fills && wide ? sign_fill(prover, low, bits, UINT32_MAX) : word_constant(prover, 0);
}

/* Arguments wider than 32 and narrower than 64 bits do not occur. */
static const struct term *honest_form(struct prover *prover, const struct known_call *call,
                                      uint32_t arch, uint32_t nr, const struct term *residue)
{
    const struct term *replacements[FIELD_COUNT] = {NULL};
    for (unsigned i = 0; i < 6; i++)
        honest_argument(prover, call->abi, call->entry, i, replacements);
    replacements[FIELD_ARCH] = word_constant(prover, arch);
    replacements[FIELD_NR] = word_constant(prover, nr);
    return substitute(prover, residue, replacements);
}

/* ---- the known calls
 * ------------------------------------------------------------------------------ */

static void add_calls(struct prover *prover, struct width *width, struct class *class,
                      enum abi_id abi, struct residue_runs *runs)
{
    size_t count;
    const struct syscall_entry *entries = abi_syscalls(abi, &count);
    for (size_t i = 0; i < count; i++) {
        const struct syscall_entry *entry = &entries[i];
        uint64_t next = runs->count ? (uint64_t)runs->items[runs->count - 1].nr.last + 1 : 0;
        if (entry->nr < next || entry->argument_count > 6)
            continue;
        if (entry->nr > next)
            runs_push(prover, runs, (struct range){(uint32_t)next, entry->nr - 1},
                      word_constant(prover, 0));
        vector_push(prover->arena, &width->calls, ((struct known_call){abi, entry}));
        runs_push(prover, runs, (struct range){entry->nr, entry->nr},
                  word_constant(prover, (uint32_t)width->calls.count));
    }
    (void)class;
}

/* The ABIs of one token in the order of their numbers: x32's lie above x86_64's. */
static enum runs_outcome call_runs(struct prover *prover, void *self, struct class *class,
                                   struct residue_runs *runs)
{
    struct width *width = self;
    if (wants_token_apart(class, width->declared))
        return RUNS_CUT_ARCH;
    for (unsigned i = 0; i < ABI_COUNT; i++)
        if (width->declared >> i & 1 && abi_get((enum abi_id)i)->token == class->arch.first &&
            is_single(class->arch))
            add_calls(prover, width, class, (enum abi_id)i, runs);
    uint64_t next = runs->count ? (uint64_t)runs->items[runs->count - 1].nr.last + 1 : 0;
    if (next <= UINT32_MAX)
        runs_push(prover, runs, (struct range){(uint32_t)next, UINT32_MAX},
                  word_constant(prover, 0));
    return RUNS_DONE;
}

/* ---- properties
 * --------------------------------------------------------------------------------------- */

static bool run_honest(const void *data, struct counterexample *example,
                       bool *implementation_defined)
{
    const struct width *width = data;
    bool given = false, honest = false;
    example->other = input_visible(&example->input, width->abi, true);
    example->left = side_word(width->side, &example->input, &given);
    example->right = side_word(width->side, &example->other, &honest);
    *implementation_defined = given || honest;
    return example->left != example->right;
}

static bool run_looser(const void *data, struct counterexample *example,
                       bool *implementation_defined)
{
    run_honest(data, example, implementation_defined);
    return word_rank(example->left) > word_rank(example->right);
}

static bool is_different(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    return left != right;
}

static const struct term *different_term(struct prover *prover, const void *data,
                                         const struct term *left, const struct term *right)
{
    (void)data;
    return term_not(prover->terms, term_binary(prover->terms, TERM_EQUAL, left, right));
}

static bool is_looser(const void *data, uint32_t left, uint32_t right)
{
    (void)data;
    return word_rank(left) > word_rank(right);
}

static const struct term *looser_term(struct prover *prover, const void *data,
                                      const struct term *left, const struct term *right)
{
    (void)data;
    return term_binary(prover->terms, TERM_SIGNED_LESS, rank_term(prover, right),
                       rank_term(prover, left));
}

static void look_at_class(struct prover *prover, void *data, struct range arch, struct range nr,
                          const struct term *left, const struct term *marker)
{
    struct width *width = data;
    if (!marker->value)
        return;
    const struct known_call *call = &width->calls.items[marker->value - 1];
    const struct term *honest = honest_form(prover, call, arch.first, nr.first, left);
    width->abi = call->abi;
    struct obligation obligation = {arch, nr, left, honest, &width->differs};
    settle(prover, &obligation);
    if (prover->proof.verdict != REFUTED)
        return;
    if (!width->found)
        width->example = prover->proof.counterexample;
    width->found = true;
    prover->proof.verdict = PROVED;
    prover->proof.has_counterexample = false;
    obligation.property = &width->loosens;
    settle(prover, &obligation);
}

/* Known calls are under the declared tokens: what the filter does with other tokens, and in how
 * many classes, is nothing here. ABIs of one token are looked at together (call_runs). */
static void look_at_tokens(struct prover *prover, struct width *width,
                           const struct behaviour *behaviour, const struct behaviour *calls)
{
    for (unsigned i = 0; i < ABI_COUNT && prover->proof.verdict != REFUTED; i++) {
        uint32_t token = abi_get((enum abi_id)i)->token;
        bool done = false;
        for (unsigned j = 0; j < i; j++)
            done = done || ((width->declared >> j & 1) && abi_get((enum abi_id)j)->token == token);
        if ((width->declared >> i & 1) && !done)
            partition(prover, (struct range){token, token}, behaviour, calls, look_at_class, width);
    }
}

static struct width_proof conclude(const struct width *width, struct proof proof)
{
    struct width_proof outcome = {WIDTH_PROVED, proof};
    if (proof.verdict == REFUTED)
        outcome.verdict = WIDTH_REFUTED;
    else if (proof.verdict == UNKNOWN)
        outcome.verdict = WIDTH_UNKNOWN;
    else if (width->found)
        outcome.verdict = WIDTH_DENIES_ONLY;
    if (outcome.verdict == WIDTH_DENIES_ONLY) {
        outcome.proof.verdict = REFUTED;
        outcome.proof.has_counterexample = true;
        outcome.proof.counterexample = width->example;
    }
    return outcome;
}

struct width_proof prove_width_safety(struct arena *arena, const struct side *side,
                                      abi_set declared, bool big_endian,
                                      const struct proof_options *options)
{
    (void)arena;
    struct proof_options by_class = *options;
    by_class.whole = false; /* the property is about single calls */
    struct width width = {.side = side, .declared = declared};
    width.differs = (struct property){&width, true, is_different, different_term, run_honest};
    width.loosens = (struct property){&width, true, is_looser, looser_term, run_looser};
    struct prover *prover = prover_open(&by_class, big_endian);
    struct behaviour behaviour, calls = {&width, call_runs, NULL};
    if (side_behaviour(prover, side, &behaviour))
        look_at_tokens(prover, &width, &behaviour, &calls);
    return conclude(&width, prover_close(prover));
}
