/* Lifting: what each instruction does to a state, and what its tests ask. */
#include "compiler/lift_internal.h"

/* How many pieces a range of nr or arch is cut into, to make a masked test one of the whole word.
 */
#define PIECES_MOST 64u
/* How many values of nr or arch a computed test is answered for, one by one. */
#define VALUES_MOST 256u

static const enum word_operator word_operators[OP_COUNT] = {
    [OP_ADD] = WORD_ADD,
    [OP_SUB] = WORD_SUB,
    [OP_MUL] = WORD_MUL,
    [OP_DIV] = WORD_DIV,
    [OP_AND] = WORD_AND,
    [OP_OR] = WORD_OR,
    [OP_XOR] = WORD_XOR,
    [OP_SHIFT_LEFT] = WORD_SHIFT_LEFT,
    [OP_SHIFT_RIGHT] = WORD_SHIFT_RIGHT,
};

bool lift_is_test(const struct sock_filter *instruction)
{
    const struct instruction_info *info = instruction_info(instruction->code);
    return is_conditional(info->operation) || (info->operation == OP_DIV && info->operand_is_x);
}

static const struct word *load(struct lift *lift, const struct lift_state *state, uint32_t offset)
{
    enum field field = field_at(offset, lift->program->big_endian);
    if (field < KNOWN_FIELDS && is_single(state->known[field]))
        return lift_constant(lift, state->known[field].first);
    return lift_field(lift, field);
}

static const struct word *operand_of(struct lift *lift, const struct lift_state *state)
{
    const struct sock_filter *f = &lift->program->code[state->pc];
    return instruction_info(f->code)->operand_is_x ? state->places[PLACE_X]
                                                   : lift_constant(lift, f->k);
}

static void calculate(struct lift *lift, struct lift_state *state, enum operation operation)
{
    const struct word **a = &state->places[PLACE_A];
    if (operation == OP_NEGATE)
        *a = lift_operation(lift, WORD_NEGATE, *a, NULL);
    else
        *a = lift_operation(lift, word_operators[operation], *a, operand_of(lift, state));
}

void lift_step(struct lift *lift, struct lift_state *state)
{
    const struct sock_filter *f = &lift->program->code[state->pc];
    enum operation operation = instruction_info(f->code)->operation;
    const struct word **a = &state->places[PLACE_A], **x = &state->places[PLACE_X];
    const struct word **slot = &state->places[PLACE_MEMORY + (f->k & 15u)];
    switch (operation) {
    case OP_LOAD_FIELD:
        *a = load(lift, state, f->k);
        break;
    case OP_LOAD_LENGTH:
        *a = lift_constant(lift, INPUT_BYTES);
        break;
    case OP_LOAD_X_LENGTH:
        *x = lift_constant(lift, INPUT_BYTES);
        break;
    case OP_LOAD_IMMEDIATE:
        *a = lift_constant(lift, f->k);
        break;
    case OP_LOAD_X_IMMEDIATE:
        *x = lift_constant(lift, f->k);
        break;
    case OP_LOAD_MEMORY:
        *a = *slot;
        break;
    case OP_LOAD_X_MEMORY:
        *x = *slot;
        break;
    case OP_STORE:
        *slot = *a;
        break;
    case OP_STORE_X:
        *slot = *x;
        break;
    case OP_TAX:
        *x = *a;
        break;
    case OP_TXA:
        *a = *x;
        break;
    case OP_JUMP:
        state->pc += f->k;
        break;
    default:
        calculate(lift, state, operation);
        break;
    }
    state->pc++;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void decide(struct lift_test *test, bool holds)
{
    test->kind = TEST_DECIDED;
    test->in = holds ? test->in : test->out;
}

static void exchange_ways(struct lift_test *test)
{
    uint32_t in = test->in;
    test->in = test->out;
    test->out = in;
}

/* Both ways lead back to the same test, which then knows on which side of `cut` the word is. */
static void cut_first(struct lift_test *test, const struct lift_state *state, enum field field,
                      uint32_t cut)
{
    test->kind = TEST_OF_VALUES;
    test->field = field;
    test->mask = 0xffffffffu;
    test->values = (struct value_range){cut, 0xffffffffu};
    test->in = test->out = state->pc;
}

static void test_range(struct lift_test *test, struct value_range possible)
{
    if (test->values.first > possible.last || test->values.last < possible.first)
        decide(test, false);
    else if (test->values.first <= possible.first && test->values.last >= possible.last)
        decide(test, true);
}

/* nr or arch under a mask. The range of the whole word falls into aligned pieces within which the
 * mask takes either all of the low bits or none: a single piece makes the test one of the whole
 * word. */
static void test_known_masked(struct lift_test *test, const struct lift_state *state)
{
    struct value_range known = state->known[test->field];
    uint32_t mask = test->mask;
    bool takes_low = mask & 1;
    unsigned low_bits = (unsigned)__builtin_ctz(takes_low ? ~mask : mask);
    uint32_t low = (1u << low_bits) - 1;
    uint32_t piece = known.first >> low_bits, last_piece = known.last >> low_bits;
    if (piece != last_piece) {
        if (last_piece - piece < PIECES_MOST)
            cut_first(test, state, test->field, (piece + 1) << low_bits);
        return;
    }
    uint32_t base = known.first & ~low, masked = base & mask;
    struct value_range possible = {masked, takes_low ? masked + low : masked};
    test_range(test, possible);
    if (test->kind == TEST_DECIDED)
        return;
    uint32_t first = test->values.first > masked ? test->values.first : masked;
    uint32_t last = test->values.last < possible.last ? test->values.last : possible.last;
    test->values = (struct value_range){first - masked + base, last - masked + base};
    test->mask = 0xffffffffu;
    test_range(test, known);
}

/* The topmost bits, from the lowest or up to the highest value, are a bound on the whole word:
 * (word & 0x80000000) != 0 is word >= 0x80000000. */
static void unmask_topmost(struct lift_test *test)
{
    uint32_t low = ~test->mask;
    bool from_end = test->values.first == 0 || test->values.last >= test->mask;
    if ((low & (low + 1)) || (test->values.first & low) || !from_end)
        return;
    test->values.last |= low;
    test->mask = 0xffffffffu;
}

/* (field & mask) in test->values? */
static void test_values(struct lift_test *test, const struct lift_state *state)
{
    test->kind = TEST_OF_VALUES;
    unmask_topmost(test);
    if (is_single(test->values) && (test->values.first & ~test->mask)) {
        decide(test, false);
        return;
    }
    test_range(test, (struct value_range){0, test->mask});
    if (test->kind == TEST_DECIDED || test->field >= KNOWN_FIELDS)
        return;
    if (test->mask == 0xffffffffu)
        test_range(test, state->known[test->field]);
    else
        test_known_masked(test, state);
}

/* Words that are computed from nr alone, or arch alone, when there are few values of it. */
static bool cut_to_values(struct lift *lift, struct lift_test *test, const struct lift_state *state)
{
    const struct word_facts *a = lift_word_facts(lift, test->a);
    bool shifts = a->shifts;
    uint32_t uses = a->uses;
    const struct word_facts *b = lift_word_facts(lift, test->b);
    shifts = shifts || b->shifts;
    uses |= b->uses;
    for (unsigned field = 0; field < KNOWN_FIELDS && !shifts; field++) {
        struct value_range known = state->known[field];
        if (uses != 1u << field || known.last - known.first >= VALUES_MOST)
            continue;
        cut_first(test, state, (enum field)field, known.first + 1);
        return true;
    }
    return false;
}

static bool compare_constants(enum comparison comparison, uint32_t a, uint32_t b)
{
    return comparison == COMPARE_EQUAL ? a == b : comparison == COMPARE_GREATER ? a > b : a >= b;
}

/* A field, masked or not, against a constant. False: it is none. */
static bool test_field(struct lift_test *test, const struct lift_state *state)
{
    bool masks = test->a->operator== WORD_AND && test->a->right->operator== WORD_CONSTANT;
    const struct word *field = masks ? test->a->left : test->a;
    if (field->operator!= WORD_FIELD)
        return false;
    uint32_t constant = test->b->constant;
    test->field = field->field;
    test->mask = masks ? test->a->right->constant : 0xffffffffu;
    if (test->comparison == COMPARE_EQUAL) {
        test->values = (struct value_range){constant, constant};
    } else if (test->comparison == COMPARE_GREATER && constant == 0xffffffffu) {
        decide(test, false);
        return true;
    } else {
        bool greater = test->comparison == COMPARE_GREATER;
        test->values = (struct value_range){constant + greater, 0xffffffffu};
    }
    test_values(test, state);
    return true;
}

/* c > b is !(b >= c), c >= b is !(b > c). */
static void constant_to_the_right(struct lift_test *test)
{
    const struct word *constant = test->a;
    if (constant->operator!= WORD_CONSTANT || test->b->operator== WORD_CONSTANT)
        return;
    test->a = test->b;
    test->b = constant;
    if (test->comparison == COMPARE_EQUAL)
        return;
    test->comparison =
        test->comparison == COMPARE_GREATER ? COMPARE_GREATER_EQUAL : COMPARE_GREATER;
    exchange_ways(test);
}

static void test_words(struct lift *lift, const struct lift_state *state, struct lift_test *test)
{
    if (test->a == LARGE_WORD || test->b == LARGE_WORD) {
        lift_fail(lift, "its arithmetic nests too deeply, or is too long when written out");
        return;
    }
    constant_to_the_right(test);
    if (test->a == test->b) {
        decide(test, test->comparison != COMPARE_GREATER);
        return;
    }
    if (test->b->operator== WORD_CONSTANT) {
        if (test->a->operator== WORD_CONSTANT) {
            decide(test, compare_constants(test->comparison, test->a->constant, test->b->constant));
            return;
        }
        if (test_field(test, state))
            return;
    }
    if (!cut_to_values(lift, test, state))
        test->kind = TEST_OF_WORDS;
}

void lift_next_test(struct lift *lift, const struct lift_state *state, struct lift_test *test)
{
    const struct sock_filter *f = &lift->program->code[state->pc];
    enum operation operation = instruction_info(f->code)->operation;
    *test = (struct lift_test){.comparison = COMPARE_EQUAL,
                               .a = state->places[PLACE_A],
                               .b = operand_of(lift, state),
                               .in = state->pc + 1 + f->jt,
                               .out = state->pc + 1 + f->jf};
    if (operation == OP_JUMP_GREATER)
        test->comparison = COMPARE_GREATER;
    if (operation == OP_JUMP_GREATER_EQUAL)
        test->comparison = COMPARE_GREATER_EQUAL;
    if (operation == OP_JUMP_SET) {
        test->a = lift_operation(lift, WORD_AND, test->a, test->b);
        test->b = lift_constant(lift, 0);
        exchange_ways(test);
    }
    if (operation == OP_DIV) {
        test->a = test->b;
        test->b = lift_constant(lift, 0);
        test->in = lift->program->length;
        test->out = state->pc + 1;
    }
    test_words(lift, state, test);
}

void lift_take(struct lift *lift, struct lift_state *state, uint32_t to)
{
    bool divides = instruction_info(lift->program->code[state->pc].code)->operation == OP_DIV;
    if (divides && to == state->pc + 1)
        calculate(lift, state, OP_DIV);
    state->pc = to;
}
