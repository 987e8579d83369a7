/* Lifting: the words that registers and scratch memory hold. Interned by the DAG; each operation is
 * done once. */
#include "compiler/lift_internal.h"

const struct dag_word lift_large_word = {.word = {.operator= WORD_CONSTANT }, .id = 0xffffffffu};

/* No program has room for a word that is written out longer. */
#define WORD_SIZE_MOST PROGRAM_MOST

/* Operands are interned before what is made of them: facts in the order of ids find theirs. */
const struct word_facts *lift_word_facts(struct lift *lift, const struct word *word)
{
    while (lift->facts.count < lift->dag->words.count) {
        const struct word *next = &lift->dag->words.items[lift->facts.count]->word;
        struct word_facts facts = {.size = 1};
        if (next->operator== WORD_FIELD)
            facts.uses = 1u << next->field;
        facts.shifts = next->operator== WORD_SHIFT_LEFT || next->operator== WORD_SHIFT_RIGHT;
        const struct word *operands[] = {next->left, next->right};
        for (size_t i = 0; i < COUNT_OF(operands); i++) {
            if (!operands[i])
                continue;
            const struct word_facts *operand = &lift->facts.items[dag_word_id(operands[i])];
            facts.uses |= operand->uses;
            facts.size += operand->size;
            facts.shifts = facts.shifts || operand->shifts;
        }
        vector_push(lift->arena, &lift->facts, facts);
    }
    return &lift->facts.items[dag_word_id(word)];
}

const struct word *lift_constant(struct lift *lift, uint32_t value)
{
    return dag_intern(lift->dag, &(struct word){.operator= WORD_CONSTANT, .constant = value});
}

const struct word *lift_field(struct lift *lift, enum field field)
{
    return dag_intern(lift->dag, &(struct word){.operator= WORD_FIELD, .field = field});
}

static const struct word *operate(struct lift *lift, enum word_operator operator,
                                  const struct word * left, const struct word *right)
{
    uint32_t size = lift_word_facts(lift, left)->size;
    size += right ? lift_word_facts(lift, right)->size : 0;
    if (size >= WORD_SIZE_MOST)
        return LARGE_WORD;
    const struct word *word =
        dag_intern(lift->dag, &(struct word){.operator= operator, .left = left, .right = right});
    return word ? word : LARGE_WORD;
}

const struct word *lift_operation(struct lift *lift, enum word_operator operator,
                                  const struct word * left, const struct word *right)
{
    if (left == LARGE_WORD || right == LARGE_WORD)
        return LARGE_WORD;
    struct word_operation wanted = {
        .operator= operator, .left = dag_word_id(left), .right = right ? dag_word_id(right) : 0};
    uint32_t hash = hash_mix(hash_mix((uint32_t) operator+ 1, wanted.left), wanted.right);
    size_t probe = 0;
    for (uint32_t i = index_first(&lift->operation_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&lift->operation_index, hash, &probe)) {
        const struct word_operation *known = &lift->operations.items[i];
        if (known->operator== wanted.operator&& known->left == wanted.left &&
            known->right == wanted.right)
            return known->result;
    }
    wanted.result = operate(lift, operator, left, right);
    index_add(lift->arena, &lift->operation_index, hash, (uint32_t)lift->operations.count);
    vector_push(lift->arena, &lift->operations, wanted);
    return wanted.result;
}

/* Recursive: words are at most EXPRESSION_DEPTH_MOST deep, and WORD_SIZE_MOST large. */
const struct word *lift_substitute(struct lift *lift, const struct word *word, enum field field,
                                   uint32_t value)
{
    if (!word || word == LARGE_WORD || !(lift_word_facts(lift, word)->uses & 1u << field))
        return word;
    if (word->operator== WORD_FIELD)
        return lift_constant(lift, value);
    const struct word *left = lift_substitute(lift, word->left, field, value);
    const struct word *right = lift_substitute(lift, word->right, field, value);
    return lift_operation(lift, word->operator, left, right);
}
