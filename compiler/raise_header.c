/* The header of a raised policy: which ABIs, and the verdicts that need no rules. */
#include "compiler/raise_plan.h"

#include "lang/place.h"

static bool is_leaf(const struct dag_node *node)
{
    return node && !node->edge_count && leaf_has_name(node);
}

static bool permits(const struct dag_node *leaf)
{
    return leaf->kind == DAG_VERDICT && action_of_word(leaf->word, NULL)->permits;
}

/* ---- votes for a verdict
 * ------------------------------------------------------------------------- */

struct votes {
    struct arena *arena;
    VECTOR(struct vote {
        const struct dag_node *leaf;
        uint64_t count;
    })
    list;
};

static void vote(struct votes *votes, const struct dag_node *leaf, uint64_t count)
{
    if (!is_leaf(leaf))
        return;
    for (size_t i = 0; i < votes->list.count; i++)
        if (votes->list.items[i].leaf == leaf) {
            votes->list.items[i].count += count;
            return;
        }
    vector_push(votes->arena, &votes->list, (struct vote){leaf, count});
}

static const struct dag_node *winner(const struct votes *votes, bool denials_only, uint64_t least)
{
    const struct dag_node *best = NULL;
    uint64_t most = least ? least - 1 : 0;
    for (size_t i = 0; i < votes->list.count; i++) {
        const struct vote *one = &votes->list.items[i];
        if (one->count <= most || (denials_only && permits(one->leaf)))
            continue;
        most = one->count;
        best = one->leaf;
    }
    return best;
}

static uint64_t width(const struct stretch *stretch)
{
    return (uint64_t)stretch->last - stretch->first + 1;
}

/* ---- which ABIs
 * ------------------------------------------------------------------------------------ */

/* What most tokens get; where that depends on the number, what most of these get. */
static void choose_foreign(struct plan *plan)
{
    struct votes votes = {.arena = plan->arena};
    const struct stretch *widest = plan->tokens.items;
    for (size_t i = 1; i < plan->tokens.count; i++)
        if (width(&plan->tokens.items[i]) > width(widest))
            widest = &plan->tokens.items[i];
    plan->elsewhere = widest->child;
    struct stretches numbers;
    if (is_leaf(widest->child))
        plan->foreign = widest->child;
    else if (stretches_of(plan->arena, widest->child, FIELD_NR, &numbers)) {
        for (size_t i = 0; i < numbers.count; i++)
            vote(&votes, numbers.items[i].child, width(&numbers.items[i]));
        plan->foreign = winner(&votes, false, 0);
    }
}

static abi_set same_token(const struct plan *plan, enum abi_id id)
{
    return abi_with_token(abi_get(id)->token, plan->big_endian);
}

static const struct dag_node *behind_token(const struct plan *plan, enum abi_id id)
{
    return stretch_at(&plan->tokens, abi_get(id)->token);
}

/* A token with a treatment of its own needs an ABI to be declared; one without needs none. */
static void choose_abis(struct plan *plan)
{
    bool tests_tokens = plan->tokens.count > 1;
    plan->declared = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (abi_get((enum abi_id)id)->big_endian != plan->big_endian)
            continue;
        bool wanted = plan->options->declared & ABI_BIT(id);
        bool own = behind_token(plan, (enum abi_id)id) != plan->elsewhere;
        abi_set others =
            same_token(plan, (enum abi_id)id) & (plan->declared | plan->options->declared);
        if (tests_tokens ? own && (wanted || !others) : wanted)
            plan->declared |= ABI_BIT(id);
    }
    for (unsigned id = 0; id < ABI_COUNT && !plan->declared; id++)
        if (plan->options->declared & ABI_BIT(id))
            plan->declared = ABI_BIT(id);
}

static bool is_foreign(const struct plan *plan, const struct stretches *numbers, uint32_t first,
                       uint32_t last)
{
    const struct dag_node *only = stretch_only(numbers, first, last);
    return only && only == plan->foreign;
}

/* Numbers that x86_64 and x32 leave to each other are foreign unless both are declared. */
static void choose_x32(struct plan *plan)
{
    struct stretches numbers;
    abi_set both = ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_X32);
    if (!(plan->declared & both) ||
        !stretches_of(plan->arena, behind_token(plan, ABI_X86_64), FIELD_NR, &numbers))
        return;
    bool low = is_foreign(plan, &numbers, 0, X32_BIT - 1);
    bool high = is_foreign(plan, &numbers, X32_BIT, NR_SKIP - 1);
    if (low && high) /* but -1 gets something else */
        return;
    plan->declared &= ~both;
    plan->declared |= low ? ABI_BIT(ABI_X32) : high ? ABI_BIT(ABI_X86_64) : both;
}

/* ---- default and unknown
 * ----------------------------------------------------------------------------- */

static void vote_unknown(const struct raised_abi *abi, const struct nr_range *range,
                         struct votes *votes)
{
    for (size_t i = 0; i < abi->numbers.count; i++) {
        struct stretch part = abi->numbers.items[i];
        if (part.last < range->first || part.first > range->last)
            continue;
        part.first = part.first < range->first ? range->first : part.first;
        part.last = part.last > range->last ? range->last : part.last;
        vote(votes, part.child, width(&part));
    }
}

static void vote_known(const struct raised_abi *abi, enum abi_id id, struct votes *votes)
{
    size_t count;
    const struct syscall_entry *calls = abi_syscalls(id, &count);
    for (size_t i = 0; i < count; i++)
        vote(votes, stretch_at(&abi->numbers, calls[i].nr), 1);
}

/* A filter that denies what it does not know lists what it permits: then the default is the denial
 * that known calls get most often, though more of them may be permitted. */
static void choose_defaults(struct plan *plan, enum abi_id id)
{
    struct raised_abi *abi = &plan->abis[id];
    struct votes known = {.arena = plan->arena}, unknown = {.arena = plan->arena};
    struct nr_range ranges[ABI_RANGES_MOST];
    abi_ranges(id, plan->declared, ranges);
    vote_unknown(abi, &ranges[0], &unknown); /* of x86_64 those near its calls */
    vote_known(abi, id, &known);
    abi->unknown = winner(&unknown, false, 0);
    if (abi->unknown && !permits(abi->unknown))
        abi->otherwise = winner(&known, true, 3);
    if (!abi->otherwise)
        abi->otherwise = winner(&known, false, 0);
    if (!abi->otherwise)
        abi->otherwise = abi->unknown;
    if (!abi->unknown)
        abi->unknown = abi->otherwise;
}

static const struct dag_node *uniform_leaf(const struct plan *plan, enum abi_id id)
{
    const struct raised_abi *abi = &plan->abis[id];
    struct nr_range ranges[ABI_RANGES_MOST];
    size_t count = abi_ranges(id, plan->declared, ranges);
    const struct dag_node *leaf = stretch_only(&abi->numbers, ranges[0].first, ranges[0].last);
    for (size_t i = 1; i < count; i++)
        if (stretch_only(&abi->numbers, ranges[i].first, ranges[i].last) != leaf)
            return NULL;
    return leaf && !leaf->edge_count ? leaf : NULL;
}

static void fill_abi(struct plan *plan, enum abi_id id)
{
    struct raised_abi *abi = &plan->abis[id];
    abi->declared = true;
    abi->root = behind_token(plan, id);
    abi->tangled = !stretches_of(plan->arena, abi->root, FIELD_NR, &abi->numbers);
    if (abi->tangled)
        return;
    choose_defaults(plan, id);
    const struct dag_node *leaf = uniform_leaf(plan, id);
    abi->uniform = leaf != NULL;
    if (leaf)
        abi->otherwise = abi->unknown = leaf;
}

void plan_no_header(struct plan *plan)
{
    plan->whole_is_raw = true;
    plan->declared = plan->options->declared;
}

bool plan_header(struct plan *plan, const struct dag_node *root)
{
    if (!stretches_of(plan->arena, root, FIELD_ARCH, &plan->tokens))
        return false;
    choose_foreign(plan);
    choose_abis(plan);
    choose_x32(plan);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (plan->declared & ABI_BIT(id))
            fill_abi(plan, (enum abi_id)id);
    return true;
}
