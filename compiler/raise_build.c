/* From a condition's DAG to a formula.
 *
 * At each switch: first whether it can be left out, since its children agree wherever they have to;
 * then its edges are put together by child, the two halves of a register are seen as one number
 * where their tests make one comparison, and the formula says for which values which child counts.
 */
#include "compiler/raise.h"
#include "compiler/raise_internal.h"
#include "lang/print_condition.h"

#define STEPS_MOST 60000u

struct raising raising_new(struct arena *arena, struct dag *dag, enum abi_id abi, uint32_t nr,
                           bool registers)
{
    return (struct raising){.arena = arena,
                            .dag = dag,
                            .abi = abi,
                            .entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, nr),
                            .registers = registers,
                            .steps = STEPS_MOST};
}

struct raising raising_raw(struct arena *arena, struct dag *dag)
{
    struct raising raising = raising_new(arena, dag, ABI_NONE, 0, true);
    raising.raw = true;
    return raising;
}

/* Values of one part of a register, and what follows them. */
struct branch {
    const struct dag_node *child;
    struct set values;
};

struct choice {
    unsigned place;
    enum view view;
    uint64_t mask;
    const char *comparison, *negation;
    VECTOR(struct branch) branches; /* different children */
};

static void add_values(struct raising *raising, struct choice *choice, const struct dag_node *child,
                       uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < choice->branches.count; i++)
        if (choice->branches.items[i].child == child) {
            set_append(raising->arena, &choice->branches.items[i].values, first, last);
            return;
        }
    vector_push(raising->arena, &choice->branches,
                (struct branch){child, set_of(raising->arena, first, last)});
}

static bool is_high(enum field field)
{
    return field == FIELD_IP_HI || (field >= FIELD_ARG0_LO && (field - FIELD_ARG0_LO) % 2 == 1);
}

static unsigned place_of(enum field field)
{
    if (field >= FIELD_ARG0_LO)
        return (unsigned)(field - FIELD_ARG0_LO) / 2;
    return field == FIELD_NR ? PLACE_NR : field == FIELD_ARCH ? PLACE_ARCH : PLACE_IP;
}

/* ---- halves as one number ----------------------------------------------------------------------
 */

static bool tests_low_half(const struct dag_node *node, unsigned place)
{
    return node->kind == DAG_SWITCH && place_of(node->field) == place && !is_high(node->field) &&
           node->mask == UINT32_MAX;
}

/* Ranges of the high half must not depend on the low one: they would be no ranges of the whole. */
static bool makes_whole(const struct dag_node *node)
{
    if (!is_high(node->field) || node->mask != UINT32_MAX)
        return false;
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        if (first != node->edges[i].last &&
            tests_low_half(node->edges[i].child, place_of(node->field)))
            return false;
        first = node->edges[i].last + 1;
    }
    return true;
}

static void add_whole(struct raising *raising, struct choice *choice, const struct dag_node *node)
{
    uint64_t high = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        uint64_t last = node->edges[i].last;
        if (!tests_low_half(child, choice->place)) {
            add_values(raising, choice, child, high << 32, last << 32 | UINT32_MAX);
        } else {
            uint64_t low = 0;
            for (uint32_t j = 0; j < child->edge_count; j++) {
                add_values(raising, choice, child->edges[j].child, high << 32 | low,
                           high << 32 | child->edges[j].last);
                low = (uint64_t)child->edges[j].last + 1;
            }
        }
        high = last + 1;
    }
}

static const char *comparison_text(struct raising *raising, const struct dag_node *node, bool holds)
{
    static const char *const signs[2][COMPARE_GREATER_EQUAL + 1] = {
        {[COMPARE_EQUAL] = "!=", [COMPARE_GREATER] = "<=", [COMPARE_GREATER_EQUAL] = "<"},
        {[COMPARE_EQUAL] = "==", [COMPARE_GREATER] = ">", [COMPARE_GREATER_EQUAL] = ">="}};
    struct buffer text = buffer_new(raising->arena);
    word_print(&text, node->a);
    buffer_printf(&text, " %s ", signs[holds][node->comparison]);
    word_print(&text, node->b);
    return buffer_string(&text);
}

static struct choice choice_of_comparison(struct raising *raising, const struct dag_node *node)
{
    struct choice choice = {.place = PLACE_COMPARISON + node->variable,
                            .view = VIEW_LOW,
                            .mask = 1,
                            .comparison = comparison_text(raising, node, true),
                            .negation = comparison_text(raising, node, false)};
    add_values(raising, &choice, node->edges[1].child, 0, 0);
    add_values(raising, &choice, node->edges[0].child, 1, UINT32_MAX);
    return choice;
}

static struct choice choice_of(struct raising *raising, const struct dag_node *node)
{
    if (node->kind == DAG_COMPARE)
        return choice_of_comparison(raising, node);
    struct choice choice = {.place = place_of(node->field),
                            .view = is_high(node->field) ? VIEW_HIGH : VIEW_LOW,
                            .mask = node->mask};
    if (makes_whole(node)) {
        choice.view = VIEW_WHOLE;
        choice.mask = UINT64_MAX;
        add_whole(raising, &choice, node);
        return choice;
    }
    uint64_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        add_values(raising, &choice, node->edges[i].child, first, node->edges[i].last);
        first = (uint64_t)node->edges[i].last + 1;
    }
    return choice;
}

/* ---- children that agree ------------------------------------------------------------------------
 */

static bool is_word(const struct dag_node *node, uint32_t word)
{
    return node->kind == DAG_VERDICT && node->word == word;
}

/* One child that does for all edges; NULL when there is none. */
static const struct dag_node *one_for_all(struct raising *raising, const struct dag_node *node)
{
    const struct dag_node *one = node->edges[0].child;
    for (uint32_t i = 1; i < node->edge_count && one; i++)
        one = care_merge(raising, one, node->edges[i].child);
    return one;
}

/* Where it may be any of them, RAISE_ANY stays by itself: the sets of all others may reach over it.
 */
static void merge_branches(struct raising *raising, struct choice *choice)
{
    for (size_t i = 0; i < choice->branches.count; i++) {
        struct branch *a = &choice->branches.items[i];
        for (size_t j = i + 1; j < choice->branches.count;) {
            struct branch *b = &choice->branches.items[j];
            const struct dag_node *one = NULL;
            if (!is_word(a->child, RAISE_ANY) && !is_word(b->child, RAISE_ANY))
                one = care_merge(raising, a->child, b->child);
            if (!one) {
                j++;
                continue;
            }
            a->child = one;
            a->values = set_union(raising->arena, &a->values, &b->values);
            *b = choice->branches.items[--choice->branches.count];
        }
    }
}

/* ---- the formula of a choice
 * --------------------------------------------------------------------- */

static struct set values_of(struct raising *raising, const struct choice *choice, uint32_t word)
{
    struct set set = {0};
    (void)raising;
    for (size_t i = 0; i < choice->branches.count; i++)
        if (is_word(choice->branches.items[i].child, word))
            set = choice->branches.items[i].values;
    return set;
}

static const struct formula *member(struct raising *raising, const struct choice *choice,
                                    const struct set *wanted, const struct set *open)
{
    struct atom atom = {.place = choice->place,
                        .view = choice->view,
                        .mask = choice->mask,
                        .comparison = choice->comparison,
                        .negation = choice->negation,
                        .wanted = *wanted,
                        .allowed = set_union(raising->arena, wanted, open)};
    return formula_atom(raising->arena, &atom);
}

/* Values of `other` at which `child`, that tests bits of the same register, comes to just what
 * `other` has. */
static struct set same_there(struct raising *raising, const struct choice *choice,
                             const struct dag_node *child, const struct branch *other)
{
    struct set same = {0};
    if (choice->place >= PLACE_IP || choice->mask != view_most(choice->view) ||
        choice->view == VIEW_HIGH || child->kind != DAG_SWITCH ||
        child->field != field_arg_lo(choice->place))
        return same;
    for (size_t i = 0; i < other->values.count; i++) {
        uint64_t first = other->values.items[i].first, last = other->values.items[i].last;
        if (first >> 32 == last >> 32 &&
            care_narrow(child, child->field, (uint32_t)first, (uint32_t)last) == other->child)
            set_append(raising->arena, &same, first, last);
    }
    return same;
}

/* Values at which a branch's child may be asked too: it is open there, or the whole holds there
 * anyway, or it comes to the same. */
static struct set open_for(struct raising *raising, const struct choice *choice, size_t index)
{
    struct set open = values_of(raising, choice, RAISE_ANY);
    for (size_t i = 0; i < choice->branches.count; i++) {
        const struct branch *other = &choice->branches.items[i];
        const struct dag_node *child = choice->branches.items[index].child;
        if (i == index || is_word(other->child, RAISE_ANY))
            continue;
        struct set more = same_there(raising, choice, child, other);
        if (care_implies(raising, child, other->child, true))
            more = other->values;
        open = set_union(raising->arena, &open, &more);
    }
    return open;
}

/* A child that implies all others, or that all others imply; an index, or the count. */
static size_t extreme(struct raising *raising, const struct choice *choice, bool least)
{
    for (size_t i = 0; i < choice->branches.count; i++) {
        const struct dag_node *child = choice->branches.items[i].child;
        bool extremal = child->kind != DAG_VERDICT;
        for (size_t j = 0; j < choice->branches.count && extremal; j++) {
            const struct dag_node *other = choice->branches.items[j].child;
            extremal = i == j || is_word(other, RAISE_ANY) ||
                       (least ? care_implies(raising, child, other, true)
                              : care_implies(raising, other, child, false));
        }
        if (extremal)
            return i;
    }
    return choice->branches.count;
}

/* "These values, and what follows them", for all branches but `left_out`; their children only where
 * `given` is not `word`. */
static const struct formula *cases(struct raising *raising, const struct choice *choice,
                                   size_t left_out, const struct dag_node *given, uint32_t word)
{
    const struct formula *all = formula_constant(raising->arena, false);
    for (size_t i = 0; i < choice->branches.count; i++) {
        const struct branch *branch = &choice->branches.items[i];
        if (i == left_out || is_word(branch->child, RAISE_ANY) || is_word(branch->child, RAISE_NO))
            continue;
        const struct dag_node *child = branch->child;
        if (given)
            child = care_except(raising, child, given, word);
        const struct formula *rest = raise_build(raising, child);
        if (!rest)
            return NULL;
        struct set open = open_for(raising, choice, i);
        const struct formula *here = member(raising, choice, &branch->values, &open);
        here = formula_pair(raising->arena, FORMULA_AND, here, rest);
        all = formula_pair(raising->arena, FORMULA_OR, all, here);
    }
    return all;
}

static const struct formula *build_choice(struct raising *raising, const struct choice *choice)
{
    size_t least = extreme(raising, choice, true), most = extreme(raising, choice, false);
    bool has_least = least < choice->branches.count;
    if (!has_least && most == choice->branches.count)
        return cases(raising, choice, choice->branches.count, NULL, 0);
    size_t index = has_least ? least : most;
    const struct branch *branch = &choice->branches.items[index];
    const struct formula *outer = raise_build(raising, branch->child);
    const struct formula *rest =
        cases(raising, choice, index, branch->child, has_least ? RAISE_YES : RAISE_NO);
    if (!outer || !rest)
        return NULL;
    if (has_least)
        return formula_pair(raising->arena, FORMULA_OR, outer, rest);
    /* where the largest child itself counts, it is all that is asked */
    struct set open = open_for(raising, choice, index);
    struct set yes = values_of(raising, choice, RAISE_YES);
    open = set_union(raising->arena, &open, &yes);
    const struct formula *here = member(raising, choice, &branch->values, &open);
    rest = formula_pair(raising->arena, FORMULA_OR, here, rest);
    return formula_pair(raising->arena, FORMULA_AND, outer, rest);
}

/* ---- values that are open
 * ------------------------------------------------------------------------ */

/* `choice` with RAISE_ANY taken as `word`. */
static struct choice settled(struct raising *raising, const struct dag_node *node, uint32_t word)
{
    VECTOR(struct dag_edge) edges = {0};
    const struct dag_node *settling = dag_verdict(raising->dag, word);
    for (uint32_t i = 0; i < node->edge_count; i++) {
        const struct dag_node *child = node->edges[i].child;
        const struct dag_node *one = care_merge(raising, settling, child);
        vector_push(raising->arena, &edges,
                    (struct dag_edge){node->edges[i].last, one ? settling : child});
    }
    const struct dag_node *made =
        dag_switch(raising->dag, node->field, node->mask, edges.items, (uint32_t)edges.count);
    if (made && made->kind == DAG_SWITCH && made->field == node->field)
        return choice_of(raising, made);
    return (struct choice){0};
}

static const struct formula *cheaper(struct raising *raising, const struct formula *a,
                                     const struct formula *b)
{
    if (!a || !b)
        return a ? a : b;
    return formula_cost(raising, b) < formula_cost(raising, a) ? b : a;
}

/* Of a register of 64 bits the high half is asked where that makes the argument's own comparison:
 * what is open there may be settled either way. */
static const struct formula *settle(struct raising *raising, const struct dag_node *node,
                                    const struct formula *formula)
{
    if (node->kind != DAG_SWITCH || !is_high(node->field))
        return formula;
    struct atom atom = {.place = place_of(node->field), .view = VIEW_WHOLE};
    const struct argument *argument = atom_argument(raising, &atom);
    if ((argument && argument->bits < 64))
        return formula;
    for (uint32_t word = RAISE_NO; word <= RAISE_YES; word++) {
        struct choice choice = settled(raising, node, word);
        if (!choice.branches.count)
            continue;
        merge_branches(raising, &choice);
        formula = cheaper(raising, formula, build_choice(raising, &choice));
    }
    return formula;
}

static const struct formula *build_switch(struct raising *raising, const struct dag_node *node)
{
    const struct dag_node *one = one_for_all(raising, node);
    if (one)
        return settle(raising, node, raise_build(raising, one));
    struct choice choice = choice_of(raising, node);
    merge_branches(raising, &choice);
    return settle(raising, node, build_choice(raising, &choice));
}

/* ---- nodes
 * ---------------------------------------------------------------------------------------- */

static const struct formula *give_up(struct raising *raising, const char *reason)
{
    if (!raising->reason)
        raising->reason = reason;
    return NULL;
}

/* What the typed layer cannot say. */
static const char *obstacle(const struct dag_node *node)
{
    if (node->kind == DAG_RETURN)
        return raw_reason_text(RAW_RETURNS);
    if (node->kind == DAG_COMPARE)
        return raw_reason_text(RAW_COMPUTES);
    if (node->kind == DAG_SWITCH && node->field < FIELD_ARG0_LO)
        return node->field == FIELD_IP_LO || node->field == FIELD_IP_HI
                   ? raw_reason_text(RAW_POINTER)
                   : "it looks at the number or the token";
    return NULL;
}

static void remember(struct raising *raising, const struct dag_node *node,
                     const struct formula *formula)
{
    while (raising->formulas.count <= node->id)
        vector_push(raising->arena, &raising->formulas, NULL);
    raising->formulas.items[node->id] = formula;
}

const struct formula *raise_build(struct raising *raising, const struct dag_node *node)
{
    const char *why = node ? NULL : "it needs too many different tests";
    if (node && !raising->raw)
        why = obstacle(node);
    if (why || raising->reason)
        return give_up(raising, why);
    if (node->kind == DAG_VERDICT)
        return formula_constant(raising->arena, node->word == RAISE_YES);
    if (node->id < raising->formulas.count && raising->formulas.items[node->id])
        return raising->formulas.items[node->id];
    const struct formula *formula = build_switch(raising, node);
    if (formula && formula->size > FORMULA_MOST)
        return give_up(raising, "it has too many cases");
    if (formula)
        remember(raising, node, formula);
    return formula;
}
