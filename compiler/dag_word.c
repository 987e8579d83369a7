/* The decision DAG: computed words made unique and folded, and comparisons of them.
 *
 * Folding keeps the meaning of language.md's raw layer: modulo 2^32, x / 0 = 0, and a shift by 32
 * or more is an unknown function of both operands, which nothing may be folded out of. */
#include "compiler/dag_internal.h"

static bool is_constant(const struct word *word, uint32_t value)
{
    return word->operator== WORD_CONSTANT && word->constant == value;
}

static bool is_commutative(enum word_operator operator)
{
    return operator== WORD_ADD || operator== WORD_MUL || operator== WORD_AND || operator==
        WORD_OR ||
        operator== WORD_XOR;
}

/* The one word with this operator and these interned operands. */
static const struct word *unique_word(struct dag *dag, const struct word *wanted)
{
    uint32_t hash = hash_mix((uint32_t)wanted->operator+ 1, wanted->constant);
    hash = hash_mix(hash, (uint32_t)wanted->field);
    hash = hash_mix(hash, wanted->left ? dag_word_id(wanted->left) + 1 : 0);
    hash = hash_mix(hash, wanted->right ? dag_word_id(wanted->right) + 1 : 0);
    size_t probe = 0;
    for (uint32_t i = index_first(&dag->word_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&dag->word_index, hash, &probe)) {
        const struct word *word = &dag->words.items[i]->word;
        if (word->operator== wanted->operator&& word->constant == wanted->constant &&
            word->field == wanted->field && word->left == wanted->left &&
            word->right == wanted->right)
            return word;
    }
    struct dag_word *made = NEW(dag->arena, struct dag_word);
    made->word = *wanted;
    made->id = (uint32_t)dag->words.count;
    index_add(dag->arena, &dag->word_index, hash, made->id);
    vector_push(dag->arena, &dag->words, made);
    return &made->word;
}

static const struct word *constant_word(struct dag *dag, uint32_t value)
{
    return unique_word(dag, &(struct word){.operator= WORD_CONSTANT, .constant = value});
}

/* Two constants; false for a shift by 32 or more. */
static bool fold_constants(enum word_operator operator, uint32_t a, uint32_t b, uint32_t *value)
{
    bool shifts = operator== WORD_SHIFT_LEFT || operator== WORD_SHIFT_RIGHT;
    if (shifts && b >= 32)
        return false;
    switch (operator) {
    case WORD_ADD:
        *value = a + b;
        return true;
    case WORD_SUB:
        *value = a - b;
        return true;
    case WORD_MUL:
        *value = a * b;
        return true;
    case WORD_DIV:
        *value = b ? a / b : 0;
        return true;
    case WORD_AND:
        *value = a & b;
        return true;
    case WORD_OR:
        *value = a | b;
        return true;
    case WORD_XOR:
        *value = a ^ b;
        return true;
    case WORD_SHIFT_LEFT:
        *value = a << b;
        return true;
    case WORD_SHIFT_RIGHT:
        *value = a >> b;
        return true;
    default:
        return false;
    }
}

/* Operations that a constant on the right makes trivial: the left operand, or a constant. NULL when
 * it is neither. */
static const struct word *fold_right(struct dag *dag, enum word_operator operator,
                                     const struct word * left, uint32_t right)
{
    bool keeps_zero = operator== WORD_ADD || operator== WORD_SUB || operator== WORD_OR || operator==
        WORD_XOR ||
        operator== WORD_SHIFT_LEFT ||
        operator== WORD_SHIFT_RIGHT;
    bool absorbs_zero = operator== WORD_MUL || operator== WORD_DIV || operator== WORD_AND;
    if (right == 0 && keeps_zero)
        return left;
    if (right == 0 && absorbs_zero)
        return constant_word(dag, 0);
    if (right == 1 && (operator== WORD_MUL || operator== WORD_DIV))
        return left;
    if (right == 0xffffffffu && operator== WORD_AND)
        return left;
    return NULL;
}

static const struct word *make_word(struct dag *dag, enum word_operator operator,
                                    const struct word * left, const struct word *right)
{
    if (is_commutative(operator) && left->operator== WORD_CONSTANT) {
        const struct word *swap = left;
        left = right;
        right = swap;
    }
    if (right->operator== WORD_CONSTANT) {
        uint32_t value;
        if (left->operator== WORD_CONSTANT &&
            fold_constants(operator, left->constant, right->constant, &value))
            return constant_word(dag, value);
        const struct word *folded = fold_right(dag, operator, left, right->constant);
        if (folded)
            return folded;
        if (operator== WORD_AND && left->operator== WORD_AND && left->right->operator==
            WORD_CONSTANT)
            return make_word(dag, WORD_AND, left->left,
                             constant_word(dag, left->right->constant & right->constant));
    }
    return unique_word(dag, &(struct word){.operator= operator, .left = left, .right = right});
}

static const struct word *intern(struct dag *dag, const struct word *word, unsigned depth)
{
    if (depth > EXPRESSION_DEPTH_MOST)
        return NULL;
    if (word->operator== WORD_CONSTANT)
        return constant_word(dag, word->constant);
    if (word->operator== WORD_FIELD)
        return unique_word(dag, &(struct word){.operator= WORD_FIELD, .field = word->field});
    const struct word *left = intern(dag, word->left, depth + 1);
    if (!left)
        return NULL;
    if (word->operator== WORD_NEGATE) {
        if (left->operator== WORD_CONSTANT)
            return constant_word(dag, 0 - left->constant);
        return unique_word(dag, &(struct word){.operator= WORD_NEGATE, .left = left});
    }
    const struct word *right = intern(dag, word->right, depth + 1);
    return right ? make_word(dag, word->operator, left, right) : NULL;
}

const struct word *dag_intern(struct dag *dag, const struct word *word)
{
    return intern(dag, word, 0);
}

/* ---- comparisons ---------------------------------------------------------------------------- */

/* One row a comparison: the same with equal and greater only, operands or answers exchanged. */
struct canonical {
    enum comparison comparison;
    bool exchange_operands, exchange_answers;
};

static const struct canonical canonical_forms[] = {
    [COMPARE_EQUAL] = {COMPARE_EQUAL, false, false},
    [COMPARE_NOT_EQUAL] = {COMPARE_EQUAL, false, true},
    [COMPARE_LESS] = {COMPARE_GREATER, true, false},
    [COMPARE_LESS_EQUAL] = {COMPARE_GREATER_EQUAL, true, false},
    [COMPARE_GREATER] = {COMPARE_GREATER, false, false},
    [COMPARE_GREATER_EQUAL] = {COMPARE_GREATER_EQUAL, false, false},
};

/* c > b is !(b >= c), c >= b is !(b > c): constants belong on the right, where the machine has
 * them. */
static void constant_to_the_right(struct canonical *form, const struct word **a,
                                  const struct word **b)
{
    const struct word *swap = *a;
    bool exchange = (*a)->operator== WORD_CONSTANT;
    if (form->comparison == COMPARE_EQUAL)
        exchange =
            exchange || ((*b)->operator!= WORD_CONSTANT && dag_word_id(*b) < dag_word_id(*a));
    if (!exchange)
        return;
    *a = *b;
    *b = swap;
    if (form->comparison == COMPARE_EQUAL)
        return;
    form->comparison =
        form->comparison == COMPARE_GREATER ? COMPARE_GREATER_EQUAL : COMPARE_GREATER;
    form->exchange_answers = !form->exchange_answers;
}

static bool holds(enum comparison comparison, uint32_t a, uint32_t b)
{
    return comparison == COMPARE_EQUAL ? a == b : comparison == COMPARE_GREATER ? a > b : a >= b;
}

/* field & mask against a constant, as a switch. */
static const struct dag_node *compare_field(struct dag *dag, enum comparison comparison,
                                            enum field field, uint32_t mask, uint32_t constant)
{
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    if (comparison == COMPARE_GREATER && constant == 0xffffffffu)
        return no;
    if (comparison == COMPARE_EQUAL && (constant & ~mask) != 0)
        return no;
    uint32_t first = constant + (comparison == COMPARE_GREATER);
    uint32_t last = comparison == COMPARE_EQUAL ? constant : 0xffffffffu;
    struct dag_edge edges[3];
    uint32_t count = 0;
    if (first)
        edges[count++] = (struct dag_edge){.last = first - 1, .child = no};
    edges[count++] = (struct dag_edge){.last = last, .child = yes};
    if (last != 0xffffffffu)
        edges[count++] = (struct dag_edge){.last = 0xffffffffu, .child = no};
    return dag_switch(dag, field, mask, edges, count);
}

/* The place of a comparison among the variables, a new one when it was never made; false past the
 * limit. */
static bool comparison_variable(struct dag *dag, const struct dag_comparison *wanted,
                                uint32_t *variable)
{
    uint32_t hash = hash_mix((uint32_t)wanted->comparison + 1, dag_word_id(wanted->a));
    hash = hash_mix(hash, dag_word_id(wanted->b));
    size_t probe = 0;
    for (uint32_t i = index_first(&dag->comparison_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&dag->comparison_index, hash, &probe)) {
        const struct dag_comparison *known = &dag->comparisons.items[i];
        *variable = i;
        if (known->comparison == wanted->comparison && known->a == wanted->a &&
            known->b == wanted->b)
            return true;
    }
    if (dag->switch_variables.count + dag->comparisons.count >= DAG_VARIABLES_MOST)
        return false;
    *variable = (uint32_t)dag->comparisons.count;
    index_add(dag->arena, &dag->comparison_index, hash, *variable);
    vector_push(dag->arena, &dag->comparisons, *wanted);
    return true;
}

/* Canonical operands to a condition: a DAG of 1 and 0. */
static const struct dag_node *condition(struct dag *dag, enum comparison comparison,
                                        const struct word *a, const struct word *b)
{
    if (a == b && a->operator!= WORD_CONSTANT)
        return dag_verdict(dag, comparison != COMPARE_GREATER);
    if (b->operator== WORD_CONSTANT) {
        if (a->operator== WORD_CONSTANT)
            return dag_verdict(dag, holds(comparison, a->constant, b->constant));
        if (a->operator== WORD_FIELD)
            return compare_field(dag, comparison, a->field, 0xffffffffu, b->constant);
        if (a->operator== WORD_AND && a->left->operator== WORD_FIELD && a->right->operator==
            WORD_CONSTANT)
            return compare_field(dag, comparison, a->left->field, a->right->constant, b->constant);
        if (comparison == COMPARE_GREATER_EQUAL && is_constant(b, 0))
            return dag_verdict(dag, 1);
    }
    uint32_t variable;
    struct dag_comparison made = {.comparison = comparison, .a = a, .b = b};
    if (!comparison_variable(dag, &made, &variable))
        return dag_fail(dag, DAG_TOO_MANY_VARIABLES);
    return dag_compare_node(dag, variable, dag_verdict(dag, 1), dag_verdict(dag, 0));
}

const struct dag_node *dag_compare(struct dag *dag, enum comparison comparison,
                                   const struct word *a, const struct word *b,
                                   const struct dag_node *yes, const struct dag_node *no)
{
    struct canonical form = canonical_forms[comparison];
    const struct word *first = dag_intern(dag, form.exchange_operands ? b : a);
    const struct word *second = dag_intern(dag, form.exchange_operands ? a : b);
    if (!first || !second)
        return dag_fail(dag, DAG_WORD_TOO_DEEP);
    constant_to_the_right(&form, &first, &second);
    const struct dag_node *test = condition(dag, form.comparison, first, second);
    return form.exchange_answers ? dag_if(dag, test, no, yes) : dag_if(dag, test, yes, no);
}
