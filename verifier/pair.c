/* One obligation: the two residues of a class are not bad together. */
#include "verifier/internal.h"

#include <inttypes.h>

/* Pairs of residues that are good wherever they meet: they mention neither arch nor nr. */
struct pair_memo {
    struct obligation *items; /* hash table; arch and nr do not count */
    size_t capacity, count;
};

static size_t memo_slot(const struct pair_memo *memo, const struct obligation *o)
{
    uint64_t hash = ((uint64_t)o->left->id << 32 | o->right->id) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (hash >> 20) & (memo->capacity - 1);
    for (; memo->items[at].left; at = (at + 1) & (memo->capacity - 1)) {
        const struct obligation *here = &memo->items[at];
        if (here->left == o->left && here->right == o->right && here->property == o->property)
            break;
    }
    return at;
}

static bool is_free_of_class(const struct obligation *o)
{
    return !((o->left->uses | o->right->uses) & (BIT_NR | BIT_ARCH));
}

static bool is_remembered(const struct prover *prover, const struct obligation *o)
{
    const struct pair_memo *memo = prover->memo;
    return memo && is_free_of_class(o) && memo->items[memo_slot(memo, o)].left;
}

static void remember(struct prover *prover, const struct obligation *o)
{
    if (!is_free_of_class(o))
        return;
    struct pair_memo *memo = prover->memo;
    if (!memo || memo->count * 2 >= memo->capacity) {
        struct pair_memo *grown = NEW(prover->arena, struct pair_memo);
        grown->capacity = memo ? memo->capacity * 2 : 256;
        grown->items = NEW_ARRAY(prover->arena, struct obligation, grown->capacity);
        for (size_t i = 0; memo && i < memo->capacity; i++)
            if (memo->items[i].left)
                grown->items[memo_slot(grown, &memo->items[i])] = memo->items[i];
        grown->count = memo ? memo->count : 0;
        prover->memo = memo = grown;
    }
    memo->items[memo_slot(memo, o)] = *o;
    memo->count++;
}

/* ---- violations ----------------------------------------------------------------------------- */

struct input input_of_values(const uint64_t values[FIELD_COUNT])
{
    struct input input = {0};
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        input_set_field(&input, (enum field)i, (uint32_t)values[i]);
    return input;
}

/* Nothing is REFUTED that the sides, run concretely, do not show. */
static void refute(struct prover *prover, const struct obligation *o,
                   const uint64_t values[FIELD_COUNT])
{
    struct counterexample example = {.input = input_of_values(values)};
    example.other = example.input;
    bool implementation_defined = false;
    if (o->property->replay(o->property->data, &example, &implementation_defined)) {
        prover->proof.verdict = REFUTED;
        prover->proof.has_counterexample = true;
        prover->proof.counterexample = example;
        if (implementation_defined)
            prover->proof.reason = "a shift by 32 or more is executed: x86's result was taken";
        return;
    }
    bool depends = o->left->has_apply || o->right->has_apply || implementation_defined;
    give_up(prover, depends ? "it depends on shifts by 32 or more, which machines do differently"
                            : "internal: a counterexample did not replay");
}

/* ---- the solver ----------------------------------------------------------------------------- */

static const struct term *question_of(struct prover *prover, const struct obligation *o)
{
    struct terms *terms = prover->terms;
    const struct term *bad = o->property->bad_term(prover, o->property->data, o->left, o->right);
    const struct term *arch = word_within(prover, prover->words[FIELD_ARCH], o->arch);
    const struct term *nr = word_within(prover, prover->words[FIELD_NR], o->nr);
    if (prover->whole)
        return bad;
    return term_binary(terms, TERM_AND, term_binary(terms, TERM_AND, arch, nr), bad);
}

static void emit(struct prover *prover, const struct obligation *o, const struct term *question,
                 bool expect_unsat)
{
    if (!prover->options->smt2)
        return;
    prover->emitted++;
    char comment[160];
    snprintf(comment, sizeof comment,
             "arch 0x%08" PRIx32 "..0x%08" PRIx32 ", nr 0x%08" PRIx32 "..0x%08" PRIx32
             ": an input on which the two sides are in conflict",
             o->arch.first, o->arch.last, o->nr.first, o->nr.last);
    term_print_smt2(prover->options->smt2, prover->arena, question, comment, expect_unsat);
}

static void ask_solver(struct prover *prover, const struct obligation *o)
{
    const struct term *question = question_of(prover, o);
    uint64_t values[FIELD_COUNT];
    const char *reason = NULL;
    enum answer answer = solver_ask(prover->solver, question, values, FIELD_COUNT, &reason);
    emit(prover, o, question, answer == ANSWER_UNSAT);
    if (answer == ANSWER_UNSAT) {
        remember(prover, o);
        return;
    }
    if (answer == ANSWER_UNKNOWN) {
        give_up(prover, reason);
        return;
    }
    if (term_is_constant(question)) { /* folded to true: any input of the class */
        values[FIELD_ARCH] = o->arch.first;
        values[FIELD_NR] = o->nr.first;
    }
    refute(prover, o, values);
}

/* ---- settling ------------------------------------------------------------------------------- */

static bool settle_constants(struct prover *prover, const struct obligation *o)
{
    if (o->left == o->right && o->property->same_is_good)
        return true;
    if (!term_is_constant(o->left) || !term_is_constant(o->right))
        return false;
    uint64_t values[FIELD_COUNT] = {0};
    values[FIELD_ARCH] = o->arch.first;
    values[FIELD_NR] = o->nr.first;
    if (o->property->is_bad(o->property->data, (uint32_t)o->left->value, (uint32_t)o->right->value))
        refute(prover, o, values);
    return true;
}

/* A residue holds on a longer range than the class when the other side is cut finer: where the
 * class is a single number or token, the word is that. */
static struct obligation narrowed(struct prover *prover, const struct obligation *o)
{
    const struct term *replacements[FIELD_COUNT] = {NULL};
    struct obligation narrow = *o;
    if (is_single(o->nr))
        replacements[FIELD_NR] = word_constant(prover, o->nr.first);
    if (is_single(o->arch))
        replacements[FIELD_ARCH] = word_constant(prover, o->arch.first);
    narrow.left = substitute(prover, o->left, replacements);
    narrow.right = substitute(prover, o->right, replacements);
    return narrow;
}

void settle(struct prover *prover, const struct obligation *whole)
{
    struct obligation narrow = narrowed(prover, whole);
    const struct obligation *o = &narrow;
    prover->proof.folded++;
    if (settle_constants(prover, o) || is_remembered(prover, o) || out_of_time(prover))
        return;
    if (!prover->whole && !prover->options->solver_only) {
        uint64_t values[FIELD_COUNT];
        enum walk_result walked = walk_pair(prover, o, values);
        if (walked == WALK_WITNESS)
            refute(prover, o, values);
        if (walked == WALK_GOOD) {
            remember(prover, o);
            if (prover->options->smt2)
                emit(prover, o, question_of(prover, o), true);
        }
        if (walked != WALK_LIMIT)
            return;
    }
    prover->proof.folded--;
    ask_solver(prover, o);
}
