/* Do two policies have the same parts? Not whether they mean the same: that is a proof's business.
 */
#include "lang/lang.h"

static bool equal_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool equal_words(const struct word *a, const struct word *b)
{
    if (!a || !b || a->operator!= b->operator)
        return a == b;
    if (a->operator== WORD_CONSTANT)
        return a->constant == b->constant;
    if (a->operator== WORD_FIELD)
        return a->field == b->field;
    return equal_words(a->left, b->left) && equal_words(a->right, b->right);
}

static bool equal_members(const struct condition *a, const struct condition *b)
{
    const struct operand *p = &a->operand, *q = &b->operand;
    if (p->subject != q->subject || p->shift != q->shift || p->bits != q->bits ||
        p->mask != q->mask || a->interval_count != b->interval_count)
        return false;
    for (size_t i = 0; i < a->interval_count; i++)
        if (a->intervals[i].first != b->intervals[i].first ||
            a->intervals[i].last != b->intervals[i].last)
            return false;
    return true;
}

static bool equal_conditions(const struct condition *a, const struct condition *b)
{
    if (!a || !b || a->kind != b->kind)
        return a == b;
    if (a->kind == CONDITION_MEMBER)
        return equal_members(a, b);
    if (a->kind == CONDITION_COMPARE)
        return a->comparison == b->comparison && equal_words(a->a, b->a) && equal_words(a->b, b->b);
    return equal_conditions(a->left, b->left) && equal_conditions(a->right, b->right);
}

static bool equal_views(const struct abi_view *a, const struct abi_view *b)
{
    if (a->abi != b->abi || a->default_word != b->default_word ||
        a->unknown_word != b->unknown_word || a->clause_count != b->clause_count)
        return false;
    for (size_t i = 0; i < a->clause_count; i++) {
        const struct clause *x = &a->clauses[i], *y = &b->clauses[i];
        if (x->rule != y->rule || x->first != y->first || x->last != y->last ||
            x->word != y->word || !equal_conditions(x->when, y->when))
            return false;
    }
    return true;
}

static bool equal_actions(const struct goal_action *a, const struct goal_action *b)
{
    return a->permit == b->permit && a->action == b->action && a->has_data == b->has_data &&
           a->data == b->data;
}

static bool equal_goals(const struct goal *a, const struct goal *b)
{
    if (a->kind != b->kind || a->pattern_count != b->pattern_count ||
        !equal_text(a->filter_path, b->filter_path))
        return false;
    for (size_t i = 0; i < a->pattern_count; i++) {
        const struct goal_pattern *x = &a->patterns[i], *y = &b->patterns[i];
        if (x->abi != y->abi || x->first != y->first || x->last != y->last ||
            !equal_actions(&x->action, &y->action) || !equal_conditions(x->when, y->when))
            return false;
    }
    return true;
}

static bool equal_raw_rules(const struct policy *a, const struct policy *b)
{
    if (a->raw_rule_count != b->raw_rule_count)
        return false;
    for (size_t i = 0; i < a->raw_rule_count; i++) {
        const struct raw_rule *x = &a->raw_rules[i], *y = &b->raw_rules[i];
        if (x->rule != y->rule || !equal_conditions(x->when, y->when) ||
            !equal_words(x->value, y->value))
            return false;
    }
    return true;
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
    if (!equal_text(a->name, b->name) || a->abis != b->abis || a->view_count != b->view_count ||
        a->foreign_word != b->foreign_word || a->rule_count != b->rule_count ||
        a->goal_count != b->goal_count || !equal_raw_rules(a, b))
        return false;
    for (size_t i = 0; i < a->view_count; i++)
        if (!equal_views(&a->views[i], &b->views[i]))
            return false;
    for (size_t i = 0; i < a->goal_count; i++)
        if (!equal_goals(&a->goals[i], &b->goals[i]))
            return false;
    return true;
}
