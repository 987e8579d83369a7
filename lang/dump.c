/* A resolved policy as text, for --dump=policy: what every ABI gets, after all names and types are
 * settled. */
#include "lang/print_condition.h"

static void put_numbers(struct buffer *out, const struct clause *clause, enum abi_id abi)
{
    const struct syscall_entry *entry = abi_syscall_at(abi, clause->first);
    if (clause->first == clause->last)
        buffer_printf(out, "%u %s", clause->first, entry ? entry->name : "?");
    else
        buffer_printf(out, "%u..%u", clause->first, clause->last);
}

static void put_clause(struct buffer *out, const struct clause *clause, enum abi_id abi)
{
    buffer_printf(out, "    rule %u: ", clause->rule);
    put_numbers(out, clause, abi);
    if (clause->when->kind != CONDITION_TRUE) {
        buffer_text(out, " if ");
        condition_print(out, clause->when, abi, clause->first);
    }
    buffer_text(out, ": ");
    verdict_print(out, clause->word, abi);
    buffer_text(out, "\n");
}

static void put_view(struct buffer *out, const struct abi_view *view)
{
    buffer_printf(out, "abi %s\n", abi_get(view->abi)->name);
    for (size_t i = 0; i < view->clause_count; i++)
        put_clause(out, &view->clauses[i], view->abi);
    buffer_text(out, "    known: ");
    verdict_print(out, view->default_word, view->abi);
    buffer_text(out, "\n    unknown: ");
    verdict_print(out, view->unknown_word, view->abi);
    buffer_text(out, "\n");
}

static void put_raw_rules(struct buffer *out, const struct policy *policy)
{
    for (size_t i = 0; i < policy->raw_rule_count; i++) {
        const struct raw_rule *raw = &policy->raw_rules[i];
        buffer_printf(out, "raw rule %u: if ", raw->rule);
        condition_print(out, raw->when, ABI_NONE, 0);
        buffer_text(out, ": ");
        if (raw->value->operator== WORD_CONSTANT)
            verdict_print(out, raw->value->constant, ABI_NONE);
        else
            word_print(out, raw->value);
        buffer_text(out, "\n");
    }
}

static void put_goal(struct buffer *out, const struct goal *goal)
{
    buffer_printf(out, "%s\n", goal->text);
    for (size_t i = 0; i < goal->pattern_count; i++) {
        const struct goal_pattern *pattern = &goal->patterns[i];
        buffer_printf(out, "    %s %u..%u if ", abi_get(pattern->abi)->name, pattern->first,
                      pattern->last);
        condition_print(out, pattern->when, pattern->abi, pattern->first);
        buffer_text(out, "\n");
    }
}

void policy_dump(struct buffer *out, const struct policy *policy)
{
    buffer_printf(out, "policy %s\n", policy->name);
    for (size_t i = 0; i < policy->rule_count; i++)
        buffer_printf(out, "rule %zu: %s\n", i, policy->rules[i].text);
    for (size_t i = 0; i < policy->view_count; i++)
        put_view(out, &policy->views[i]);
    put_raw_rules(out, policy);
    buffer_text(out, "foreign: ");
    verdict_print(out, policy->foreign_word, ABI_NONE);
    buffer_text(out, "\n");
    for (size_t i = 0; i < policy->goal_count; i++)
        put_goal(out, &policy->goals[i]);
}
