/* Blocks to machine code.
 *
 * Each block that reads A has up to three entries, one behind the other: load, mask (of a computed
 * word: all that follows its first load), body. An edge
 * enters where what A holds on it makes the rest unnecessary; an entry that no edge uses is not
 * emitted. So A is right on every edge, whatever the others bring, and no value is loaded twice on
 * a path that still has it. */
#include "compiler/emit_internal.h"

/* ---- what A holds --------------------------------------------------------------------------- */

enum holding_kind {
    HOLDS_UNSEEN, /* no edge has been looked at */
    HOLDS_NOTHING,
    HOLDS_FIELD, /* A agrees with `field` on the bits of `mask`; `exact`: the others are 0 */
    HOLDS_WORD,
};

struct holding {
    enum holding_kind kind;
    enum field field;
    uint32_t mask;
    bool exact;
    const struct word *value;
};

static struct holding holding_of_field(enum field field, uint32_t mask)
{
    return (struct holding){.kind = HOLDS_FIELD, .field = field, .mask = mask, .exact = true};
}

/* What is certain where two edges meet. */
static struct holding meet(struct holding a, struct holding b)
{
    if (a.kind == HOLDS_UNSEEN)
        return b;
    if (a.kind == HOLDS_FIELD && b.kind == HOLDS_FIELD && a.field == b.field) {
        a.exact = a.exact && b.exact && a.mask == b.mask;
        a.mask &= b.mask;
        return a;
    }
    bool same_word = a.kind == HOLDS_WORD && b.kind == HOLDS_WORD && a.value == b.value;
    return same_word ? a : (struct holding){.kind = HOLDS_NOTHING};
}

/* ---- entries -------------------------------------------------------------------------------- */

enum entry { ENTRY_LOAD, ENTRY_MASK, ENTRY_BODY, ENTRY_COUNT };

struct place_of_block {
    const struct block *block;
    bool entered[ENTRY_COUNT];
    uint32_t item[ENTRY_COUNT]; /* where the entry is, once emitted */
    struct holding holds;       /* A in the body, over all entries used */
};

/* A jump whose target is not emitted yet. */
struct fixup {
    uint32_t item;
    uint32_t yes_place, no_place;
    enum entry yes_entry, no_entry;
};

struct emitter {
    struct arena *arena;
    struct code code;
    struct place_of_block *places; /* in the order of the layout */
    size_t count;
    uint32_t *place_of; /* by block id */
    VECTOR(struct fixup) fixups;
};

/* Only the constant's bits of A matter to the block. */
static bool tests_bits(const struct block *block)
{
    return block->kind == BLOCK_TEST && block->test == TEST_SET && !block->operand &&
           (block->constant & ~block->mask) == 0;
}

/* The code of a word often begins with the load of a field that A holds already. */
static enum entry entry_of_word(const struct block *block, const struct holding *holding)
{
    enum field field;
    if (holding->kind == HOLDS_WORD && holding->value == block->value)
        return ENTRY_BODY;
    bool whole_field = holding->kind == HOLDS_FIELD && holding->mask == 0xffffffffu;
    return whole_field && word_begins_with_load(block->value, &field) && field == holding->field
               ? ENTRY_MASK
               : ENTRY_LOAD;
}

/* Where an edge on which A holds `holding` enters. */
static enum entry entry_for(const struct block *block, const struct holding *holding)
{
    if (block->accumulator == ACCUMULATOR_ANY)
        return ENTRY_BODY;
    if (block->operand)
        return ENTRY_LOAD; /* X is to be computed, and A is lost with it */
    if (block->accumulator == ACCUMULATOR_WORD)
        return entry_of_word(block, holding);
    if (holding->kind != HOLDS_FIELD || holding->field != block->field)
        return ENTRY_LOAD;
    if (tests_bits(block) && (block->constant & ~holding->mask) == 0)
        return ENTRY_BODY;
    if (holding->mask == block->mask && (holding->exact || holding->mask == 0xffffffffu))
        return ENTRY_BODY;
    return (block->mask & ~holding->mask) == 0 ? ENTRY_MASK : ENTRY_LOAD;
}

/* A in the body after entering there. */
static struct holding holding_after(const struct block *block, enum entry entry,
                                    struct holding holding)
{
    if (entry == ENTRY_BODY)
        return holding;
    if (block->accumulator == ACCUMULATOR_FIELD)
        return holding_of_field(block->field, block->mask);
    return (struct holding){.kind = HOLDS_WORD, .value = block->value};
}

static enum entry enter(struct emitter *emitter, const struct block *block,
                        const struct holding *holding)
{
    struct place_of_block *place = &emitter->places[emitter->place_of[block->id]];
    enum entry entry = entry_for(block, holding);
    place->entered[entry] = true;
    place->holds = meet(place->holds, holding_after(block, entry, *holding));
    return entry;
}

/* ---- code ----------------------------------------------------------------------------------- */

static bool emit_accumulator(struct emitter *emitter, const struct block *block)
{
    struct code *code = &emitter->code;
    if (block->accumulator == ACCUMULATOR_FIELD && !block->operand) {
        code_load_field(code, block->field);
        return true;
    }
    struct word field = {.operator= WORD_FIELD, .field = block->field};
    struct word mask = {.operator= WORD_CONSTANT, .constant = block->mask};
    struct word masked = {.operator= WORD_AND, .left = &field, .right = &mask};
    const struct word *value = block->accumulator == ACCUMULATOR_WORD ? block->value
                               : block->mask == 0xffffffffu           ? &field
                                                                      : &masked;
    if (!word_fits(value) || (block->operand && !word_fits(block->operand)))
        return false;
    return block->operand ? emit_words(code, value, block->operand) : emit_word(code, value);
}

static void emit_test(struct emitter *emitter, const struct place_of_block *place)
{
    static const uint16_t codes[] = {[TEST_EQUAL] = BPF_JEQ,
                                     [TEST_GREATER] = BPF_JGT,
                                     [TEST_GREATER_EQUAL] = BPF_JGE,
                                     [TEST_SET] = BPF_JSET};
    const struct block *block = place->block;
    struct fixup fixup = {.item = code_position(&emitter->code),
                          .yes_place = emitter->place_of[block->yes->id],
                          .no_place = emitter->place_of[block->no->id]};
    fixup.yes_entry = enter(emitter, block->yes, &place->holds);
    fixup.no_entry = enter(emitter, block->no, &place->holds);
    uint16_t source = block->operand ? BPF_X : BPF_K;
    code_add(&emitter->code, BPF_JMP | codes[block->test] | source,
             block->operand ? 0 : block->constant);
    vector_push(emitter->arena, &emitter->fixups, fixup);
}

/* Load and mask, as far as they are entered. */
static bool emit_entries(struct emitter *emitter, struct place_of_block *place)
{
    struct code *code = &emitter->code;
    const struct block *block = place->block;
    bool loads = place->entered[ENTRY_LOAD], masks = loads || place->entered[ENTRY_MASK];
    place->item[ENTRY_LOAD] = code_position(code);
    place->item[ENTRY_MASK] = code_position(code) + (loads ? 1 : 0);
    if (block->accumulator == ACCUMULATOR_WORD && masks) {
        code->holds_field = !loads;
        return emit_accumulator(emitter, block);
    }
    if (loads && !emit_accumulator(emitter, block))
        return false;
    place->item[ENTRY_MASK] = code_position(code);
    if (block->accumulator == ACCUMULATOR_FIELD && !block->operand && block->mask != 0xffffffffu &&
        masks)
        code_add(code, BPF_ALU | BPF_AND | BPF_K, block->mask);
    return true;
}

/* What follows takes what is left in A for the field. The JA is for where `yes` is not the next
 * item; relaxation drops it otherwise. */
static void emit_mask(struct emitter *emitter, const struct place_of_block *place)
{
    const struct block *block = place->block;
    code_add(&emitter->code, BPF_ALU | BPF_AND | BPF_K, block->constant);
    struct fixup fixup = {.item = code_position(&emitter->code),
                          .yes_place = emitter->place_of[block->yes->id],
                          .no_place = emitter->place_of[block->no->id]};
    fixup.yes_entry = fixup.no_entry = enter(emitter, block->yes, &place->holds);
    code_add(&emitter->code, BPF_JMP | BPF_JA, 0);
    vector_push(emitter->arena, &emitter->fixups, fixup);
}

/* All edges into a block come from blocks before it: its entries are known. */
static bool emit_block(struct emitter *emitter, struct place_of_block *place)
{
    struct code *code = &emitter->code;
    const struct block *block = place->block;
    if (!emit_entries(emitter, place))
        return false;
    place->item[ENTRY_BODY] = code_position(code);
    if (block->kind == BLOCK_TEST)
        emit_test(emitter, place);
    else if (block->kind == BLOCK_MASK)
        emit_mask(emitter, place);
    else
        code_add(code, block->kind == BLOCK_RETURN ? BPF_RET | BPF_K : BPF_RET | BPF_A,
                 block->word);
    return true;
}

static void resolve_targets(struct emitter *emitter)
{
    for (size_t i = 0; i < emitter->fixups.count; i++) {
        const struct fixup *fixup = &emitter->fixups.items[i];
        struct item *item = &emitter->code.items.items[fixup->item];
        item->yes = emitter->places[fixup->yes_place].item[fixup->yes_entry];
        item->no = emitter->places[fixup->no_place].item[fixup->no_entry];
    }
}

static void place_blocks(struct emitter *emitter, const struct block *entry,
                         const struct block *const *order, size_t count)
{
    emitter->count = count;
    emitter->places = NEW_ARRAY(emitter->arena, struct place_of_block, count);
    emitter->place_of = NEW_ARRAY(emitter->arena, uint32_t, (size_t)entry->id + 1);
    for (size_t i = 0; i < emitter->count; i++) {
        emitter->places[i].block = order[i];
        emitter->place_of[order[i]->id] = (uint32_t)i;
    }
}

static result emit_in_order(struct arena *arena, const struct block *const *order, size_t count,
                            bool big_endian, const char *name, struct diagnostics *diagnostics,
                            struct program *program)
{
    struct emitter emitter = {.arena = arena, .code = {.arena = arena, .big_endian = big_endian}};
    place_blocks(&emitter, order[0], order, count);
    enter(&emitter, order[0], &(struct holding){.kind = HOLDS_NOTHING});
    for (size_t i = 0; i < emitter.count; i++) {
        if (!emit_block(&emitter, &emitter.places[i])) {
            report_error(diagnostics, NO_SPAN,
                         "an arithmetic expression of the raw layer is too large for a filter of "
                         "%u instructions",
                         PROGRAM_MOST);
            return FAILURE(ERROR_LIMIT);
        }
    }
    resolve_targets(&emitter);
    return relax_jumps(arena, emitter.code.items.items, code_position(&emitter.code), big_endian,
                       name, diagnostics, program);
}

/* The order decides which jumps are too far and need another instruction: size comes first. */
result emit_program(struct arena *arena, const struct block *entry, bool big_endian,
                    const char *name, struct diagnostics *diagnostics, struct program *program)
{
    size_t count;
    const struct block **order = layout_blocks(arena, entry, &count);
    result r = emit_in_order(arena, order, count, big_endian, name, diagnostics, program);
    const struct block **weighed = worked(r) ? layout_by_weight(arena, entry, &count) : NULL;
    struct program faster;
    if (weighed &&
        worked(emit_in_order(arena, weighed, count, big_endian, name, diagnostics, &faster)) &&
        faster.length <= program->length)
        *program = faster;
    return r;
}
