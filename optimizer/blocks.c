/* Blocks: made unique, and printed. */
#include <inttypes.h>

#include "compiler/text.h"
#include "optimizer/shape.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

/* Of values and ids. A computed word is one pointer, but addresses must not decide anything: its
 * operator does for the hash. */
static uint64_t hash_block(const struct block *block)
{
    uint64_t hash = mix((uint64_t)block->kind + 1, block->word);
    hash = mix(hash, (uint64_t)block->accumulator << 32 | block->mask);
    hash = mix(hash, (uint64_t)block->field << 32 | block->constant);
    hash = mix(hash, block->value ? (uint64_t)block->value->operator + 1 : 0);
    hash = mix(hash, (uint64_t)block->test << 1 | (block->operand ? 1 : 0));
    if (block->yes)
        hash = mix(hash, (uint64_t)block->yes->id << 32 | block->no->id);
    return hash;
}

static bool same_block(const struct block *a, const struct block *b)
{
    return a->kind == b->kind && a->word == b->word && a->accumulator == b->accumulator &&
           a->field == b->field && a->mask == b->mask && a->value == b->value &&
           a->test == b->test && a->constant == b->constant && a->operand == b->operand &&
           a->yes == b->yes && a->no == b->no;
}

static size_t free_slot(const struct shaper *shaper, const struct block *wanted)
{
    size_t slot = hash_block(wanted) & (shaper->capacity - 1);
    while (shaper->slots[slot] &&
           !same_block(shaper->blocks.items[shaper->slots[slot] - 1], wanted))
        slot = (slot + 1) & (shaper->capacity - 1);
    return slot;
}

static void make_room(struct shaper *shaper)
{
    if (shaper->blocks.count * 2 < shaper->capacity)
        return;
    shaper->capacity = shaper->capacity ? shaper->capacity * 2 : 256;
    shaper->slots = NEW_ARRAY(shaper->arena, uint32_t, shaper->capacity);
    for (size_t i = 0; i < shaper->blocks.count; i++)
        shaper->slots[free_slot(shaper, shaper->blocks.items[i])] = (uint32_t)i + 1;
}

static struct block *unique_block(struct shaper *shaper, const struct block *wanted)
{
    make_room(shaper);
    size_t slot = free_slot(shaper, wanted);
    if (shaper->slots[slot])
        return shaper->blocks.items[shaper->slots[slot] - 1];
    if (shaper->blocks.count == BLOCK_MOST) {
        shaper->full = true;
        return shaper->blocks.items[0];
    }
    struct block *block = arena_copy(shaper->arena, wanted, sizeof *wanted);
    block->id = (uint32_t)shaper->blocks.count;
    vector_push(shaper->arena, &shaper->blocks, block);
    shaper->slots[slot] = (uint32_t)shaper->blocks.count;
    return block;
}

struct block *block_return(struct shaper *shaper, uint32_t word)
{
    return unique_block(shaper, &(struct block){.kind = BLOCK_RETURN, .word = word});
}

struct block *block_return_again(struct shaper *shaper, uint32_t word)
{
    struct block block = {.kind = BLOCK_RETURN, .word = word, .constant = 1}; /* the first has 0 */
    return unique_block(shaper, &block);
}

struct block *block_placeholder(struct shaper *shaper)
{
    struct block *block = NEW(shaper->arena, struct block);
    block->id = (uint32_t)shaper->blocks.count;
    block->word = block->id;
    block->field = FIELD_COUNT; /* of no return that is made */
    vector_push(shaper->arena, &shaper->blocks, block);
    return block;
}

struct tested tested_word(const struct word *word)
{
    if (word->operator== WORD_FIELD)
        return (struct tested){
            .accumulator = ACCUMULATOR_FIELD, .field = word->field, .mask = 0xffffffffu};
    if (word->operator== WORD_AND && word->left->operator== WORD_FIELD && word->right->operator==
        WORD_CONSTANT)
        return (struct tested){.accumulator = ACCUMULATOR_FIELD,
                               .field = word->left->field,
                               .mask = word->right->constant};
    return (struct tested){.accumulator = ACCUMULATOR_WORD, .value = word};
}

static struct block with_tested(enum block_kind kind, const struct tested *tested)
{
    return (struct block){.kind = kind,
                          .accumulator = tested->accumulator,
                          .field = tested->field,
                          .mask = tested->mask,
                          .value = tested->value};
}

struct block *block_return_value(struct shaper *shaper, const struct word *value)
{
    struct tested tested = tested_word(value);
    struct block block = with_tested(BLOCK_RETURN_A, &tested);
    return unique_block(shaper, &block);
}

struct block *block_test(struct shaper *shaper, const struct tested *tested,
                         enum test_operation test, uint32_t constant, struct block *yes,
                         struct block *no)
{
    if (yes == no)
        return yes;
    struct block block = with_tested(BLOCK_TEST, tested);
    block.test = test;
    block.constant = constant;
    block.yes = yes;
    block.no = no;
    return unique_block(shaper, &block);
}

struct block *block_mask(struct shaper *shaper, const struct tested *tested, uint32_t mask,
                         struct block *target)
{
    struct block block = with_tested(BLOCK_MASK, tested);
    block.constant = mask;
    block.yes = block.no = target;
    return unique_block(shaper, &block);
}

struct block *block_compare(struct shaper *shaper, const struct dag_node *node, struct block *yes,
                            struct block *no)
{
    static const enum test_operation tests[] = {[COMPARE_EQUAL] = TEST_EQUAL,
                                                [COMPARE_GREATER] = TEST_GREATER,
                                                [COMPARE_GREATER_EQUAL] = TEST_GREATER_EQUAL};
    struct tested tested = tested_word(node->a);
    enum test_operation test = tests[node->comparison];
    if (node->b->operator== WORD_CONSTANT)
        return block_test(shaper, &tested, test, node->b->constant, yes, no);
    if (yes == no)
        return yes;
    struct block block = with_tested(BLOCK_TEST, &tested);
    block.test = test;
    block.operand = node->b;
    block.yes = yes;
    block.no = no;
    return unique_block(shaper, &block);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void print_subject(struct buffer *out, const struct block *block)
{
    if (block->accumulator == ACCUMULATOR_WORD)
        dump_word(out, block->value);
    else
        dump_field(out, block->field, block->mask);
}

static void print_target(struct buffer *out, const struct block *block, const uint32_t *numbers)
{
    if (block->kind == BLOCK_RETURN) {
        verdict_print(out, block->word, ABI_NONE);
    } else if (block->kind == BLOCK_RETURN_A) {
        buffer_text(out, "ret(");
        print_subject(out, block);
        buffer_text(out, ")");
    } else {
        buffer_printf(out, "b%" PRIu32, numbers[block->id]);
    }
}

static void print_test(struct buffer *out, const struct block *block, const uint32_t *numbers)
{
    static const char *const signs[] = {[TEST_EQUAL] = "==",
                                        [TEST_GREATER] = ">",
                                        [TEST_GREATER_EQUAL] = ">=",
                                        [TEST_SET] = "has any of"};
    buffer_printf(out, "b%" PRIu32 ": ", numbers[block->id]);
    print_subject(out, block);
    buffer_printf(out, " %s ", signs[block->test]);
    if (block->operand)
        dump_word(out, block->operand);
    else
        buffer_printf(out, "0x%" PRIx32, block->constant);
    buffer_text(out, " ? ");
    print_target(out, block->yes, numbers);
    buffer_text(out, " : ");
    print_target(out, block->no, numbers);
    buffer_text(out, "\n");
}

static void print_mask(struct buffer *out, const struct block *block, const uint32_t *numbers)
{
    buffer_printf(out, "b%" PRIu32 ": ", numbers[block->id]);
    print_subject(out, block);
    buffer_printf(out, " becomes itself & 0x%" PRIx32 ", ", block->constant);
    print_target(out, block->yes, numbers);
    buffer_text(out, "\n");
}

/* One test a line, in the order of the layout; returns stand where they are used. */
void blocks_print(struct buffer *out, struct arena *arena, const struct block *entry)
{
    size_t count;
    const struct block **order = layout_blocks(arena, entry, &count);
    uint32_t *numbers = NEW_ARRAY(arena, uint32_t, (size_t)entry->id + 1);
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (order[i]->yes)
            numbers[order[i]->id] = ++next;
    }
    if (!next) {
        print_target(out, entry, numbers);
        buffer_text(out, "\n");
    }
    for (size_t i = 0; i < count; i++) {
        if (order[i]->kind == BLOCK_TEST)
            print_test(out, order[i], numbers);
        if (order[i]->kind == BLOCK_MASK)
            print_mask(out, order[i], numbers);
    }
}
