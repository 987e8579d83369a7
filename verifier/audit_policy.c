/* What a filter should be: a policy, or the filter that it was made from. */
#include "verifier/auditor.h"

struct pair {
    struct range arch, nr;
    const struct term *left, *right;
};

struct pairs {
    struct prover *prover;
    VECTOR(struct pair) items;
};

static void keep_pair(struct prover *prover, void *data, struct range arch, struct range nr,
                      const struct term *left, const struct term *right)
{
    struct pairs *pairs = data;
    if (left != right)
        vector_push(prover->arena, &pairs->items, ((struct pair){arch, nr, left, right}));
}

/* The classes of (arch, nr) on which both are not the same term. */
static bool pair_up(struct auditor *auditor, const struct side *other, struct pairs *pairs)
{
    struct prover *prover = auditor->prover;
    struct behaviour left, right;
    pairs->prover = prover;
    prover->trouble = NULL;
    prover->steps = 0;
    if (side_behaviour(prover, auditor->side, &left) && side_behaviour(prover, other, &right))
        partition(prover, EVERYTHING, &left, &right, keep_pair, pairs);
    if (prover->trouble && prover->too_fine) {
        prover->trouble = NULL;
        prover->stopped = prover->too_fine = false;
        prover->steps = 0;
        pairs->items.count = 0;
        const struct term *a = left.whole(prover, left.self);
        const struct term *b = a ? right.whole(prover, right.self) : NULL;
        if (b)
            keep_pair(prover, pairs, EVERYTHING, EVERYTHING, a, b);
        else
            prover->trouble = "a limit was reached";
    }
    if (prover->trouble)
        leave_open(auditor, prover->trouble);
    return !prover->trouble;
}

static uint32_t other_word(const struct side *other, const struct input *input)
{
    return side_word(other, input, NULL);
}

static const char *word_text(struct auditor *auditor, uint32_t word, const struct input *input)
{
    struct buffer text = buffer_new(auditor->arena);
    verdict_print(&text, word, input_abi(input, side_is_big_endian(auditor->side)));
    return buffer_string(&text);
}

/* The witness is run by the filter, and by the policy or the other filter as well. */
static void suspect_deviation(struct auditor *auditor, const struct side *other,
                              const struct relation *relation, const struct input *input,
                              const char *subject, const char *what)
{
    enum abi_id abi = input_abi(input, side_is_big_endian(auditor->side));
    const struct syscall_entry *entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, input->nr);
    uint32_t ours = side_word(auditor->side, input, NULL), theirs = other_word(other, input);
    struct suspicion s = {.subject = subject, .input = *input};
    if (!relation->property.is_bad(relation, ours, theirs)) {
        leave_open(auditor, "internal: a witness did not replay");
        return;
    }
    s.call = (struct audit_call){abi, input->nr, entry ? entry->name : NULL, NULL};
    s.detail = arena_printf(auditor->arena, "%s: %s says %s", what, other->name,
                            word_text(auditor, theirs, input));
    suspect(auditor, &s);
}

/* ---- by name --------------------------------------------------------------------------------- */

typedef void (*visit_pair)(struct auditor *auditor, const struct side *other, enum abi_id abi,
                           const struct syscall_entry *entry, const struct pair *pair);

/* Each known call of any ABI whose token the class has. */
static void by_name(struct auditor *auditor, const struct side *other, const struct pair *pair,
                    visit_pair visit)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        size_t count;
        const struct syscall_entry *table = abi_syscalls(abi->id, &count);
        if (pair->arch.first > abi->token || pair->arch.last < abi->token ||
            abi->big_endian != side_is_big_endian(auditor->side))
            continue;
        for (size_t i = 0; i < count; i++)
            if (table[i].nr >= pair->nr.first && table[i].nr <= pair->nr.last && !is_late(auditor))
                visit(auditor, other, abi->id, &table[i], pair);
    }
}

static const struct term *at_call(struct auditor *auditor, enum abi_id abi,
                                  const struct syscall_entry *entry, const struct term *residue)
{
    return with_words(auditor, residue, FIELD_ARCH,
                      word_constant(auditor->prover, abi_get(abi)->token), FIELD_NR,
                      word_constant(auditor->prover, entry->nr));
}

static bool ask_entry(struct auditor *auditor, enum abi_id abi, const struct syscall_entry *entry,
                      const struct term *left, const struct term *right, enum relation_kind kind,
                      struct input *input)
{
    struct fact fact = {.abi = abi, .entry = entry};
    return ask_call(auditor, &fact, left, right, kind, input) == ASKED_YES;
}

#define MORE_TEXT "permits more than it should"
#define LESS_TEXT "denies what it should permit"

static void compare_call(struct auditor *auditor, const struct side *policy, enum abi_id abi,
                         const struct syscall_entry *entry, const struct pair *pair)
{
    const struct term *left = at_call(auditor, abi, entry, pair->left);
    const struct term *right = at_call(auditor, abi, entry, pair->right);
    struct input input;
    if (ask_entry(auditor, abi, entry, left, right, MORE_PERMISSIVE, &input))
        suspect_deviation(auditor, policy, relation_of(auditor, MORE_PERMISSIVE), &input, "more",
                          MORE_TEXT);
    if (!is_declared(auditor, abi))
        return;
    left = honest_residue(auditor, abi, entry, left);
    right = honest_residue(auditor, abi, entry, right);
    if (!ask_entry(auditor, abi, entry, left, right, LESS_PERMISSIVE, &input))
        return;
    input = input_visible(&input, abi, true);
    suspect_deviation(auditor, policy, relation_of(auditor, LESS_PERMISSIVE), &input, "less",
                      LESS_TEXT);
}

/* Numbers without a call, and other architectures: one witness a class. */
static void compare_class(struct auditor *auditor, const struct side *policy,
                          const struct pair *pair)
{
    static const struct {
        enum relation_kind kind;
        const char *subject, *text;
    } rows[] = {{MORE_PERMISSIVE, "more", MORE_TEXT}, {LESS_PERMISSIVE, "less", LESS_TEXT}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct input input;
        const struct relation *relation = relation_of(auditor, rows[i].kind);
        if (audit_ask(auditor, pair->arch, pair->nr, pair->left, pair->right, relation, &input) !=
            ASKED_YES)
            continue;
        enum abi_id abi = input_abi(&input, side_is_big_endian(auditor->side));
        if (rows[i].kind == LESS_PERMISSIVE && abi != ABI_NONE && abi_syscall_at(abi, input.nr))
            continue; /* by_name asks it of honest registers */
        suspect_deviation(auditor, policy, relation, &input, rows[i].subject, rows[i].text);
    }
}

void ask_policy(struct auditor *auditor)
{
    const struct side *policy = auditor->request->policy;
    struct pairs pairs = {0};
    if (!pair_up(auditor, policy, &pairs))
        return;
    for (size_t i = 0; i < pairs.items.count; i++) {
        by_name(auditor, policy, &pairs.items.items[i], compare_call);
        compare_class(auditor, policy, &pairs.items.items[i]);
    }
}

/* ---- a denial that never happens: class 26 --------------------------------------------------- */

/* A rule denies some of this call, or permits it under a condition only. */
static bool states_a_denial(const struct policy *policy, enum abi_id abi, uint32_t nr)
{
    const struct abi_view *view = policy_view(policy, abi);
    for (size_t i = 0; view && i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (nr < clause->first || nr > clause->last)
            continue;
        if (!action_of_word(clause->word, NULL)->permits || clause->when->kind != CONDITION_TRUE)
            return true;
    }
    return false;
}

static void look_for_lost_denial(struct auditor *auditor, const struct side *other, enum abi_id abi,
                                 const struct syscall_entry *entry, const struct pair *pair)
{
    struct input input;
    if (!is_declared(auditor, abi) || !states_a_denial(other->policy, abi, entry->nr))
        return;
    const struct term *left =
        honest_residue(auditor, abi, entry, at_call(auditor, abi, entry, pair->left));
    const struct term *right =
        honest_residue(auditor, abi, entry, at_call(auditor, abi, entry, pair->right));
    if (ask_entry(auditor, abi, entry, left, NULL, MARKED_DENIES, NULL) ||
        !ask_entry(auditor, abi, entry, left, right, LEFT_PERMITS_ONLY, &input))
        return;
    input = input_visible(&input, abi, true);
    suspect_deviation(auditor, other, relation_of(auditor, LEFT_PERMITS_ONLY), &input, "",
                      arena_printf(auditor->arena,
                                   "a rule denies %s, or permits it under a condition, and the "
                                   "filter never denies it",
                                   entry->name));
}

void ask_unsatisfiable(struct auditor *auditor)
{
    const struct side *policy = auditor->request->policy;
    struct pairs pairs = {0};
    if (!policy->policy || !pair_up(auditor, policy, &pairs))
        return;
    for (size_t i = 0; i < pairs.items.count; i++)
        by_name(auditor, policy, &pairs.items.items[i], look_for_lost_denial);
}

/* ---- the filter that it was made from: class 12 ---------------------------------------------- */

static void compare_exactly(struct auditor *auditor, const struct side *other, enum abi_id abi,
                            const struct syscall_entry *entry, const struct pair *pair)
{
    struct input input;
    if (ask_entry(auditor, abi, entry, at_call(auditor, abi, entry, pair->left),
                  at_call(auditor, abi, entry, pair->right), WORDS_DIFFER, &input))
        suspect_deviation(auditor, other, relation_of(auditor, WORDS_DIFFER), &input, "",
                          "returns another word");
}

void ask_other(struct auditor *auditor)
{
    const struct side *other = auditor->request->against;
    struct pairs pairs = {0};
    if (!pair_up(auditor, other, &pairs))
        return;
    for (size_t i = 0; i < pairs.items.count; i++) {
        const struct pair *pair = &pairs.items.items[i];
        struct input input;
        by_name(auditor, other, pair, compare_exactly);
        if (audit_ask(auditor, pair->arch, pair->nr, pair->left, pair->right,
                      relation_of(auditor, WORDS_DIFFER), &input) == ASKED_YES)
            suspect_deviation(auditor, other, relation_of(auditor, WORDS_DIFFER), &input, "",
                              "returns another word");
    }
}

/* ---- another ABI's numbers: class 4 with a policy -------------------------------------------- */

static void look_for_other_numbers(struct auditor *auditor, const struct side *other,
                                   enum abi_id abi, const struct syscall_entry *entry,
                                   const struct pair *pair)
{
    const struct term *left = at_call(auditor, abi, entry, pair->left), *right;
    struct input input;
    right = at_call(auditor, abi, entry, pair->right);
    if (!is_declared(auditor, abi) ||
        !ask_entry(auditor, abi, entry, left, right, MORE_PERMISSIVE, &input))
        return;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *stranger = abi_get((enum abi_id)id);
        struct input there = {.arch = stranger->token, .nr = entry->nr};
        const struct syscall_entry *meant = abi_syscall_at(stranger->id, entry->nr);
        if (stranger->token == abi_get(abi)->token || !is_declared(auditor, stranger->id) ||
            !meant || !strcmp(meant->name, entry->name) || !word_permits(other_word(other, &there)))
            continue;
        suspect_deviation(
            auditor, other, relation_of(auditor, MORE_PERMISSIVE), &input, stranger->name,
            arena_printf(auditor->arena,
                         "number %u is %s on %s and %s on %s, and is permitted on "
                         "both",
                         entry->nr, entry->name, abi_get(abi)->name, meant->name, stranger->name));
    }
}

void ask_other_numbers(struct auditor *auditor)
{
    const struct side *policy = auditor->request->policy;
    struct pairs pairs = {0};
    if (!policy || !pair_up(auditor, policy, &pairs))
        return;
    for (size_t i = 0; i < pairs.items.count; i++)
        by_name(auditor, policy, &pairs.items.items[i], look_for_other_numbers);
}
