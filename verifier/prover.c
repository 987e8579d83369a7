/* One proof: its memory, its limits, its figures. */
#include "verifier/internal.h"

/* A program of 1246 instructions for three ABIs takes 20,000; past this one query over everything
 * is cheaper. */
#define STEPS_MOST 1500000u

struct prover *prover_open(const struct proof_options *options, bool big_endian)
{
    struct arena *arena = arena_new();
    struct prover *prover = NEW(arena, struct prover);
    prover->arena = arena;
    prover->start_ns = clock_ns();
    prover->options = options;
    prover->deadline = options->limits.deadline;
    prover->big_endian = big_endian;
    prover->terms = terms_new(arena);
    prover->solver = solver_new(prover->terms, options->limits);
    prover->proof.verdict = PROVED;
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        prover->words[i] = term_variable(prover->terms, 32, i, field_name((enum field)i));
    return prover;
}

/* What needed no solver, so that a file of obligations never looks as if some were missing. */
static void account(const struct prover *prover)
{
    const struct proof *proof = &prover->proof;
    if (prover->options->smt2)
        buffer_printf(
            prover->options->smt2,
            "; %llu classes of (arch, nr), %llu obligations above; on the other classes both "
            "residues are one term, or constants, or a pair that was met before\n",
            (unsigned long long)proof->classes, (unsigned long long)prover->emitted);
}

struct proof prover_close(struct prover *prover)
{
    account(prover);
    struct proof proof = prover->proof;
    if (proof.verdict != REFUTED && prover->trouble) {
        proof.verdict = UNKNOWN;
        proof.reason = prover->trouble;
    }
    struct solver_statistics statistics = solver_statistics(prover->solver);
    proof.questions = statistics.questions - statistics.folded;
    solver_free(prover->solver);
    proof.ns = clock_ns() - prover->start_ns;
    arena_free(prover->arena);
    return proof;
}

bool give_up(struct prover *prover, const char *why)
{
    if (!prover->trouble)
        prover->trouble = why;
    return false;
}

bool stop(struct prover *prover, const char *why)
{
    prover->stopped = true;
    return give_up(prover, why);
}

bool out_of_time(struct prover *prover)
{
    if (!deadline_passed(prover->deadline))
        return false;
    stop(prover, "the time limit was reached");
    return true;
}

bool out_of_steps(struct prover *prover)
{
    if (++prover->steps > STEPS_MOST) {
        prover->too_fine = true;
        stop(prover, "the partition has too many classes");
        return true;
    }
    return !(prover->steps & 1023) && out_of_time(prover);
}

const struct term *word_constant(struct prover *prover, uint32_t value)
{
    return term_constant(prover->terms, 32, value);
}

const struct term *word_equals(struct prover *prover, const struct term *word, uint32_t value)
{
    return term_binary(prover->terms, TERM_EQUAL, word, word_constant(prover, value));
}

const struct term *word_below(struct prover *prover, const struct term *word, uint64_t bound)
{
    if (bound > UINT32_MAX)
        return term_bool(prover->terms, true);
    return term_binary(prover->terms, TERM_UNSIGNED_LESS, word,
                       word_constant(prover, (uint32_t)bound));
}

const struct term *word_within(struct prover *prover, const struct term *word, struct range range)
{
    if (is_single(range))
        return word_equals(prover, word, range.first);
    const struct term *too_small = word_below(prover, word, range.first);
    const struct term *small_enough = word_below(prover, word, (uint64_t)range.last + 1);
    return term_binary(prover->terms, TERM_AND, term_not(prover->terms, too_small), small_enough);
}

/* ---- substitution --------------------------------------------------------------------------- */

struct rewriting {
    struct prover *prover;
    struct arena *arena; /* of the table */
    const struct term *const *replacements;
    const struct choices *choices;      /* NULL: they stay */
    uint32_t touched;                   /* words that are replaced, as in term.uses */
    const struct term **keys, **values; /* hash table */
    size_t capacity, count;
};

static size_t rewriting_slot(const struct rewriting *r, const struct term *term)
{
    size_t at = (term->id * UINT32_C(0x9e3779b1)) & (r->capacity - 1);
    while (r->keys[at] && r->keys[at] != term)
        at = (at + 1) & (r->capacity - 1);
    return at;
}

static void rewriting_resize(struct rewriting *r, size_t capacity)
{
    struct rewriting old = *r;
    r->capacity = capacity;
    r->keys = NEW_ARRAY(r->arena, const struct term *, capacity);
    r->values = NEW_ARRAY(r->arena, const struct term *, capacity);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i])
            continue;
        size_t at = rewriting_slot(r, old.keys[i]);
        r->keys[at] = old.keys[i];
        r->values[at] = old.values[i];
    }
}

static const struct term *rewritten(const struct rewriting *r, const struct term *term)
{
    return term->uses & r->touched ? r->values[rewriting_slot(r, term)] : term;
}

static void rewriting_set(struct rewriting *r, const struct term *term, const struct term *value)
{
    if (++r->count * 2 > r->capacity)
        rewriting_resize(r, r->capacity * 2);
    size_t at = rewriting_slot(r, term);
    r->keys[at] = term;
    r->values[at] = value;
}

static const struct term *rebuild_choice(const struct rewriting *r, const struct term *condition,
                                         const struct term *yes, const struct term *no)
{
    int decided = r->choices ? r->choices->decide(r->choices->data, condition) : 0;
    if (decided)
        return decided > 0 ? yes : no;
    return term_if(r->prover->terms, condition, yes, no);
}

static const struct term *rebuild(const struct rewriting *r, const struct term *term)
{
    struct terms *terms = r->prover->terms;
    if (term->kind == TERM_VARIABLE)
        return r->replacements[term->value] ? r->replacements[term->value] : term;
    const struct term *a = rewritten(r, term->children[0]);
    const struct term *b = term->child_count > 1 ? rewritten(r, term->children[1]) : NULL;
    switch (term->kind) {
    case TERM_NOT:
    case TERM_BIT_NOT:
    case TERM_NEGATE:
        return term_unary(terms, term->kind, a);
    case TERM_IF:
        return rebuild_choice(r, a, b, rewritten(r, term->children[2]));
    case TERM_EXTRACT:
        return term_extract(terms, a, (unsigned)term->value, term->bits);
    case TERM_APPLY:
        return term_apply(terms, (unsigned)term->value, a, b);
    default:
        return term_binary(terms, term->kind, a, b);
    }
}

struct term_stack {
    const struct term **items;
    size_t count, capacity;
};

static bool push_children(struct rewriting *r, const struct term *term, struct term_stack *stack)
{
    size_t before = stack->count;
    for (unsigned i = 0; i < term->child_count; i++) {
        const struct term *child = term->children[i];
        if (child->uses & r->touched && !rewritten(r, child))
            vector_push(r->arena, stack, child);
    }
    return stack->count > before;
}

static const struct term *rewrite(struct rewriting *r, const struct term *term)
{
    if (!(term->uses & r->touched))
        return term;
    rewriting_resize(r, 64);
    struct term_stack stack = {0};
    vector_push(r->arena, &stack, term);
    while (stack.count) {
        const struct term *top = stack.items[stack.count - 1];
        if (!rewritten(r, top)) {
            if (push_children(r, top, &stack))
                continue;
            rewriting_set(r, top, rebuild(r, top));
        }
        stack.count--;
    }
    return rewritten(r, term);
}

const struct term *substitute(struct prover *prover, const struct term *term,
                              const struct term *const *replacements)
{
    struct rewriting r = {.prover = prover, .arena = prover->arena, .replacements = replacements};
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        r.touched |= replacements[i] ? UINT32_C(1) << i : 0;
    return rewrite(&r, term);
}

const struct term *decide_choices(struct prover *prover, const struct term *term,
                                  struct choices *choices)
{
    struct rewriting r = {.prover = prover,
                          .arena = arena_new(),
                          .replacements = choices->replacements,
                          .choices = choices,
                          .touched = UINT32_MAX};
    const struct term *made = rewrite(&r, term);
    choices->looked_at += r.count;
    arena_free(r.arena);
    return made;
}
