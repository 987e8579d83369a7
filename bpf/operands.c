#include "bpf/text.h"

static const enum operand_form forms[OP_COUNT] = {
    [OP_LOAD_FIELD] = OPERAND_FIELD,
    [OP_LOAD_LENGTH] = OPERAND_LENGTH,
    [OP_LOAD_X_LENGTH] = OPERAND_LENGTH,
    [OP_LOAD_IMMEDIATE] = OPERAND_IMMEDIATE,
    [OP_LOAD_X_IMMEDIATE] = OPERAND_IMMEDIATE,
    [OP_LOAD_MEMORY] = OPERAND_MEMORY,
    [OP_LOAD_X_MEMORY] = OPERAND_MEMORY,
    [OP_STORE] = OPERAND_MEMORY,
    [OP_STORE_X] = OPERAND_MEMORY,
    [OP_ADD] = OPERAND_IMMEDIATE,
    [OP_SUB] = OPERAND_IMMEDIATE,
    [OP_MUL] = OPERAND_IMMEDIATE,
    [OP_DIV] = OPERAND_IMMEDIATE,
    [OP_AND] = OPERAND_IMMEDIATE,
    [OP_OR] = OPERAND_IMMEDIATE,
    [OP_XOR] = OPERAND_IMMEDIATE,
    [OP_SHIFT_LEFT] = OPERAND_IMMEDIATE,
    [OP_SHIFT_RIGHT] = OPERAND_IMMEDIATE,
    [OP_NEGATE] = OPERAND_NONE,
    [OP_JUMP] = OPERAND_LABEL,
    [OP_JUMP_EQUAL] = OPERAND_IMMEDIATE,
    [OP_JUMP_GREATER] = OPERAND_IMMEDIATE,
    [OP_JUMP_GREATER_EQUAL] = OPERAND_IMMEDIATE,
    [OP_JUMP_SET] = OPERAND_IMMEDIATE,
    [OP_RETURN] = OPERAND_VERDICT,
    [OP_RETURN_A] = OPERAND_A,
    [OP_TAX] = OPERAND_NONE,
    [OP_TXA] = OPERAND_NONE,
};

enum operand_form operand_form(const struct instruction_info *info)
{
    return info->operand_is_x ? OPERAND_X : forms[info->operation];
}

const char *operand_problem(const struct instruction_info *info, uint32_t k)
{
    enum operand_form form = operand_form(info);
    bool shifts = info->operation == OP_SHIFT_LEFT || info->operation == OP_SHIFT_RIGHT;
    if (form == OPERAND_FIELD && (k >= INPUT_BYTES || k % 4 != 0))
        return check_rule_text(CHECK_LOAD_OFFSET);
    if (form == OPERAND_MEMORY && k >= BPF_MEMWORDS)
        return check_rule_text(CHECK_MEMORY_SLOT);
    if (form == OPERAND_IMMEDIATE && info->operation == OP_DIV && k == 0)
        return check_rule_text(CHECK_DIVIDE);
    if (form == OPERAND_IMMEDIATE && shifts && k >= 32)
        return check_rule_text(CHECK_SHIFT);
    return NULL;
}
