/* Random policies of every kind of condition, and inputs that lie near their bounds. */
#ifndef TESTS_COMPILER_POLICIES_H
#define TESTS_COMPILER_POLICIES_H

#include <stdlib.h>

#include "lang/lang.h"

/* Values that programs get wrong: ends of ranges, sign bits, one beside each. */
static const uint32_t edge_words[] = {
    0,          1,          2,          3,          4,          5,          7,
    8,          15,         16,         31,         32,         33,         255,
    0x7fff,     0x8000,     0xffff,     0x10000,    0x3fffffff, 0x40000000, 0x40000001,
    0x40000005, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xfffffffe, 0xffffffff,
};

static inline uint32_t random_word(struct random *random)
{
    uint32_t word = edge_words[random_below(random, COUNT_OF(edge_words))];
    uint32_t turn = random_below(random, 8);
    if (turn == 0)
        return (uint32_t)random_u64(random);
    if (turn == 1)
        return word + random_below(random, 3) - 1;
    return word;
}

static inline uint64_t random_register(struct random *random)
{
    uint64_t low = random_word(random);
    switch (random_below(random, 4)) {
    case 0:
        return low;
    case 1: /* sign-extended */
        return (uint64_t)(int64_t)(int32_t)low;
    default:
        return (uint64_t)random_word(random) << 32 | low;
    }
}

/* ---- conditions ----------------------------------------------------------------------------- */

static inline const struct word *random_expression(struct arena *arena, struct random *random,
                                                   unsigned depth)
{
    struct word *word = NEW(arena, struct word);
    uint32_t turn = depth ? random_below(random, 13) : random_below(random, 3);
    if (turn == 0) {
        word->operator= WORD_CONSTANT;
        word->constant = random_word(random);
    } else if (turn < 3) {
        word->operator= WORD_FIELD;
        word->field = (enum field)random_below(random, FIELD_COUNT);
    } else {
        word->operator=(enum word_operator)(WORD_NEGATE + (turn - 3));
        word->left = random_expression(arena, random, depth - 1);
        if (word->operator!= WORD_NEGATE)
            word->right = random_expression(arena, random, depth - 1);
    }
    return word;
}

static inline int compare_u64(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static inline void random_member(struct arena *arena, struct random *random, bool raw,
                                 struct condition *condition)
{
    static const unsigned widths[] = {16, 32, 32, 64, 64};
    struct operand *operand = &condition->operand;
    unsigned least = raw ? SUBJECT_NR : SUBJECT_ARG0;
    /* Few arguments, so that conditions meet on the same ones. */
    operand->subject = least + random_below(random, raw ? 5 : 2);
    operand->bits = widths[random_below(random, COUNT_OF(widths))];
    if (operand->subject <= SUBJECT_ARCH)
        operand->bits = 32;
    else if (operand->bits == 32 && random_below(random, 4) == 0)
        operand->shift = 32;
    uint64_t ones = operand->bits == 64 ? UINT64_MAX : (1ull << operand->bits) - 1;
    uint32_t turn = random_below(random, 6);
    operand->mask = ones;
    if (turn == 0)
        operand->mask &= random_register(random);
    else if (turn == 1)
        operand->mask &= 1ull << random_below(random, 64);
    else if (turn == 2)
        operand->mask &= random_u64(random);
    uint64_t bounds[8];
    uint32_t count = 2 * random_below(random, 5);
    for (uint32_t i = 0; i < count; i++)
        bounds[i] = random_register(random) & (random_below(random, 3) ? operand->mask : ones);
    qsort(bounds, count, sizeof *bounds, compare_u64);
    struct interval *intervals = NEW_ARRAY(arena, struct interval, count);
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        bool single = random_below(random, 2);
        struct interval next = {bounds[i], single ? bounds[i] : bounds[i + 1]};
        size_t known = condition->interval_count;
        if (!known || (next.first && intervals[known - 1].last < next.first - 1))
            intervals[condition->interval_count++] = next;
    }
    condition->intervals = intervals;
}

static inline const struct condition *random_condition(struct arena *arena, struct random *random,
                                                       bool raw, unsigned depth)
{
    struct condition *condition = NEW(arena, struct condition);
    uint32_t turn = random_below(random, depth ? 12 : 6);
    if (turn == 0) {
        condition->kind = random_below(random, 4) ? CONDITION_TRUE : CONDITION_FALSE;
    } else if (turn == 1 && raw) {
        condition->kind = CONDITION_COMPARE;
        condition->comparison = (enum comparison)random_below(random, COMPARE_GREATER_EQUAL + 1);
        condition->a = random_expression(arena, random, random_below(random, 4));
        condition->b = random_expression(arena, random, random_below(random, 3));
    } else if (turn < 6) {
        condition->kind = CONDITION_MEMBER;
        random_member(arena, random, raw, condition);
    } else {
        condition->kind = turn < 8 ? CONDITION_NOT : turn < 10 ? CONDITION_AND : CONDITION_OR;
        condition->left = random_condition(arena, random, raw, depth - 1);
        if (condition->kind != CONDITION_NOT)
            condition->right = random_condition(arena, random, raw, depth - 1);
    }
    return condition;
}

/* ---- policies ------------------------------------------------------------------------------- */

static const uint32_t verdict_words[] = {0x7fff0000, 0x00050001, 0x00050026, 0x80000000,
                                         0,          0x7ffc0000, 0x7fff0000};

static inline uint32_t random_verdict(struct random *random)
{
    return verdict_words[random_below(random, COUNT_OF(verdict_words))];
}

static inline uint32_t random_number(struct random *random, enum abi_id abi)
{
    uint32_t base = abi == ABI_X32 ? X32_BIT : 0;
    switch (random_below(random, 8)) {
    case 0:
        return random_word(random);
    case 1:
        return base + 330 + random_below(random, 10);
    default:
        return base + random_below(random, 10);
    }
}

static inline abi_set random_abis(struct random *random, bool big_endian)
{
    static const enum abi_id little[] = {ABI_X86_64, ABI_I386, ABI_X32, ABI_AARCH64, ABI_ARM};
    static const enum abi_id big[] = {ABI_S390X, ABI_S390, ABI_PPC64, ABI_MIPS};
    abi_set set = 0;
    uint32_t count = 1 + random_below(random, 3);
    for (uint32_t i = 0; i < count; i++)
        set |= big_endian ? ABI_BIT(big[random_below(random, COUNT_OF(big))])
                          : ABI_BIT(little[random_below(random, COUNT_OF(little))]);
    return set;
}

static inline void random_clauses(struct arena *arena, struct random *random, uint32_t rules,
                                  struct abi_view *view)
{
    struct clause *clauses = NEW_ARRAY(arena, struct clause, rules);
    for (uint32_t rule = 0; rule < rules; rule++) {
        if (random_below(random, 3) == 0)
            continue; /* not on this ABI, or a raw rule */
        struct clause *clause = &clauses[view->clause_count++];
        clause->rule = rule;
        clause->first = clause->last = random_number(random, view->abi);
        if (random_below(random, 4) == 0)
            clause->last = clause->first + random_below(random, 6);
        if (clause->last < clause->first || random_below(random, 40) == 0)
            clause->last = 0xffffffffu;
        clause->when = random_condition(arena, random, false, random_below(random, 3));
        clause->word = random_verdict(random);
    }
    view->clauses = clauses;
    view->default_word = random_verdict(random);
    view->unknown_word = random_verdict(random);
}

static inline void random_raw_rules(struct arena *arena, struct random *random, uint32_t rules,
                                    struct policy *policy)
{
    struct raw_rule *raw = NEW_ARRAY(arena, struct raw_rule, rules);
    for (uint32_t rule = 0; rule < rules; rule++) {
        if (random_below(random, 3))
            continue;
        struct word *value = NEW(arena, struct word);
        *value = (struct word){.operator= WORD_CONSTANT, .constant = random_verdict(random)};
        raw[policy->raw_rule_count++] = (struct raw_rule){
            .rule = rule,
            .when = random_condition(arena, random, true, random_below(random, 3)),
            .value = random_below(random, 4) ? value : random_expression(arena, random, 2)};
    }
    policy->raw_rules = raw;
}

/* Clauses take the even places in the order of the rules, raw rules the odd ones. */
static inline struct policy *random_policy(struct arena *arena, struct random *random)
{
    struct policy *policy = NEW(arena, struct policy);
    policy->name = "random";
    policy->big_endian = random_below(random, 3) == 0;
    policy->abis = random_abis(random, policy->big_endian);
    policy->foreign_word = random_verdict(random);
    policy->views = NEW_ARRAY(arena, struct abi_view, ABI_COUNT);
    uint32_t rules = random_below(random, 14);
    policy->rule_count = 2 * rules;
    for (unsigned abi = 0; abi < ABI_COUNT; abi++) {
        if (!(policy->abis & ABI_BIT(abi)))
            continue;
        struct abi_view *view = &policy->views[policy->view_count++];
        view->abi = (enum abi_id)abi;
        random_clauses(arena, random, rules, view);
    }
    if (random_below(random, 3) == 0)
        random_raw_rules(arena, random, rules < 5 ? rules : 5, policy);
    for (size_t i = 0; i < policy->view_count; i++) {
        struct clause *clauses =
            arena_copy(arena, policy->views[i].clauses,
                       policy->views[i].clause_count * sizeof *policy->views[i].clauses);
        for (size_t j = 0; j < policy->views[i].clause_count; j++)
            clauses[j].rule *= 2;
        policy->views[i].clauses = clauses;
    }
    struct raw_rule *raw =
        arena_copy(arena, policy->raw_rules, policy->raw_rule_count * sizeof *policy->raw_rules);
    for (size_t i = 0; i < policy->raw_rule_count; i++)
        raw[i].rule = raw[i].rule * 2 + 1;
    policy->raw_rules = raw;
    return policy;
}

static inline struct input random_input(struct random *random, const struct policy *policy)
{
    const struct abi_view *view =
        &policy->views[random_below(random, (uint32_t)policy->view_count)];
    struct input input = {.arch = abi_get(view->abi)->token,
                          .nr = random_number(random, view->abi),
                          .ip = random_register(random)};
    if (random_below(random, 12) == 0)
        input.arch = random_below(random, 2) ? random_word(random) : input.arch + 1;
    for (unsigned i = 0; i < COUNT_OF(input.args); i++)
        input.args[i] = random_register(random);
    return input;
}

#endif
