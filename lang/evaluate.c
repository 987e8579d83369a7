/* What a policy means, as plainly as it can be said: the first rule that matches decides. Every
 * proof is a proof about this.
 */
#include "lang/lang.h"

uint64_t operand_value(const struct operand *operand, const struct input *input)
{
    uint64_t value;
    if (operand->subject == SUBJECT_NR)
        value = input->nr;
    else if (operand->subject == SUBJECT_ARCH)
        value = input->arch;
    else if (operand->subject == SUBJECT_IP)
        value = input->ip;
    else
        value = input->args[operand->subject - SUBJECT_ARG0];
    value >>= operand->shift;
    if (operand->bits < 64)
        value &= ((uint64_t)1 << operand->bits) - 1;
    return value & operand->mask;
}

/* By 32 or more the result is the machine's own; x86's is taken, which looks at five bits of the
 * count. */
static uint32_t shift_value(bool left, uint32_t value, uint32_t count, bool *implementation_defined)
{
    if (count >= 32)
        *implementation_defined = true;
    return left ? value << (count & 31) : value >> (count & 31);
}

uint32_t word_value(const struct word *word, const struct input *input,
                    bool *implementation_defined)
{
    if (word->operator== WORD_CONSTANT)
        return word->constant;
    if (word->operator== WORD_FIELD)
        return input_field(input, word->field);
    uint32_t a = word_value(word->left, input, implementation_defined);
    if (word->operator== WORD_NEGATE)
        return 0 - a;
    uint32_t b = word_value(word->right, input, implementation_defined);
    switch (word->operator) {
    case WORD_ADD:
        return a + b;
    case WORD_SUB:
        return a - b;
    case WORD_MUL:
        return a * b;
    case WORD_DIV:
        return b ? a / b : 0;
    case WORD_AND:
        return a & b;
    case WORD_OR:
        return a | b;
    case WORD_XOR:
        return a ^ b;
    case WORD_SHIFT_LEFT:
        return shift_value(true, a, b, implementation_defined);
    default:
        return shift_value(false, a, b, implementation_defined);
    }
}

static bool is_member(const struct condition *condition, uint64_t value)
{
    for (size_t i = 0; i < condition->interval_count; i++)
        if (value >= condition->intervals[i].first && value <= condition->intervals[i].last)
            return true;
    return false;
}

static bool compare(enum comparison comparison, uint32_t a, uint32_t b)
{
    switch (comparison) {
    case COMPARE_EQUAL:
        return a == b;
    case COMPARE_NOT_EQUAL:
        return a != b;
    case COMPARE_LESS:
        return a < b;
    case COMPARE_LESS_EQUAL:
        return a <= b;
    case COMPARE_GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

bool condition_holds(const struct condition *condition, const struct input *input,
                     bool *implementation_defined)
{
    switch (condition->kind) {
    case CONDITION_TRUE:
        return true;
    case CONDITION_FALSE:
        return false;
    case CONDITION_NOT:
        return !condition_holds(condition->left, input, implementation_defined);
    case CONDITION_AND:
        return condition_holds(condition->left, input, implementation_defined) &&
               condition_holds(condition->right, input, implementation_defined);
    case CONDITION_OR:
        return condition_holds(condition->left, input, implementation_defined) ||
               condition_holds(condition->right, input, implementation_defined);
    case CONDITION_MEMBER:
        return is_member(condition, operand_value(&condition->operand, input));
    default:
        return compare(condition->comparison,
                       word_value(condition->a, input, implementation_defined),
                       word_value(condition->b, input, implementation_defined));
    }
}

/* The first clause that matches; NULL when none does. */
static const struct clause *first_clause(const struct abi_view *view, const struct input *input,
                                         bool *implementation_defined)
{
    for (size_t i = 0; i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (input->nr >= clause->first && input->nr <= clause->last &&
            condition_holds(clause->when, input, implementation_defined))
            return clause;
    }
    return NULL;
}

/* The same of the raw rules that stand before rule `end`. */
static const struct raw_rule *first_raw_rule(const struct policy *policy, const struct input *input,
                                             uint32_t end, bool *implementation_defined)
{
    for (size_t i = 0; i < policy->raw_rule_count && policy->raw_rules[i].rule < end; i++)
        if (condition_holds(policy->raw_rules[i].when, input, implementation_defined))
            return &policy->raw_rules[i];
    return NULL;
}

struct decision policy_eval(const struct policy *policy, const struct input *input)
{
    struct decision decision = {policy->foreign_word, DECIDED_BY_FOREIGN, false};
    struct place place = policy_place(policy, input->arch, input->nr);
    const struct abi_view *view = place.abi == ABI_NONE ? NULL : policy_view(policy, place.abi);
    const struct clause *clause =
        view ? first_clause(view, input, &decision.implementation_defined) : NULL;
    uint32_t end = clause ? clause->rule : UINT32_MAX;
    const struct raw_rule *raw =
        first_raw_rule(policy, input, end, &decision.implementation_defined);
    if (raw) {
        decision.rule = raw->rule;
        decision.word = word_value(raw->value, input, &decision.implementation_defined);
    } else if (clause) {
        decision.rule = clause->rule;
        decision.word = clause->word;
    } else if (view) {
        decision.rule = place.known ? DECIDED_BY_DEFAULT : DECIDED_BY_UNKNOWN;
        decision.word = place.known ? view->default_word : view->unknown_word;
    }
    return decision;
}
