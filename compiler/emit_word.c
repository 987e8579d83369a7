/* Computed words to machine code: A, X and the scratch memory.
 *
 * Of two operands, the one that needs more scratch slots is computed first (Sethi and Ullman,
 * 1970), the right one when both need the same. A tree that needs n slots has 2^n leaves at least,
 * so that 16 slots do for everything that fits a program.
 *
 * A division by 0 gives 0 in a policy, but ends the program on the machine: each division by what
 * is no constant jumps past itself when the divisor, still in A, is 0, and A is the result already.
 */
#include "compiler/emit_internal.h"

#define SLOTS 16u

uint32_t code_position(const struct code *code)
{
    return (uint32_t)code->items.count;
}

void code_add(struct code *code, uint16_t operation, uint32_t constant)
{
    vector_push(code->arena, &code->items,
                (struct item){.instruction = BPF_STMT(operation, constant),
                              .yes = NEXT_ITEM,
                              .no = NEXT_ITEM});
}

void code_load_field(struct code *code, enum field field)
{
    bool held = code->holds_field;
    code->holds_field = false;
    if (!held)
        code_add(code, BPF_LD | BPF_W | BPF_ABS, field_offset(field, code->big_endian));
}

size_t word_size(const struct word *word, size_t most)
{
    size_t size = 1;
    if (most > size && word->left)
        size += word_size(word->left, most - size);
    if (most > size && word->right)
        size += word_size(word->right, most - size);
    return size;
}

static const uint16_t operation_codes[] = {
    [WORD_ADD] = BPF_ADD, [WORD_SUB] = BPF_SUB,        [WORD_MUL] = BPF_MUL,
    [WORD_DIV] = BPF_DIV, [WORD_AND] = BPF_AND,        [WORD_OR] = BPF_OR,
    [WORD_XOR] = BPF_XOR, [WORD_SHIFT_LEFT] = BPF_LSH, [WORD_SHIFT_RIGHT] = BPF_RSH,
};

/* The machine has the operation with this constant (bpf_check_classic refuses some). */
static bool takes_constant(const struct word *word)
{
    if (word->right->operator!= WORD_CONSTANT)
        return false;
    bool shifts = word->operator== WORD_SHIFT_LEFT || word->operator== WORD_SHIFT_RIGHT;
    return shifts ? word->right->constant < 32
                  : word->operator!= WORD_DIV || word->right->constant != 0;
}

/* Computed in A alone: X keeps what it holds. */
static bool leaves_x(const struct word *word)
{
    for (; word->left; word = word->left) {
        if (word->right && !takes_constant(word))
            return false;
    }
    return true;
}

/* How a pair is computed: which operand first, and where it waits for the other one. */
struct pair_plan {
    bool left_first;
    bool in_memory; /* else in X */
    unsigned slots;
};

static unsigned slots_needed(const struct word *word);

static struct pair_plan plan_pair(const struct word *left, const struct word *right)
{
    unsigned of_left = slots_needed(left), of_right = slots_needed(right);
    if (leaves_x(left))
        return (struct pair_plan){.slots = of_right};
    unsigned right_first = of_right > of_left + 1 ? of_right : of_left + 1;
    unsigned left_first = of_left > of_right + 1 ? of_left : of_right + 1;
    bool swap = left_first < right_first;
    return (struct pair_plan){
        .left_first = swap, .in_memory = true, .slots = swap ? left_first : right_first};
}

static unsigned slots_needed(const struct word *word)
{
    if (!word->left)
        return 0;
    if (!word->right || takes_constant(word))
        return slots_needed(word->left);
    return plan_pair(word->left, word->right).slots;
}

static bool emit_into_a(struct code *code, const struct word *word, unsigned slot);

/* Behind the code that has left a divisor in A: a jump to where the operation ends when that is 0.
 * Gives its position in `guard`, to be completed there; nothing when `guard` is NULL. */
static void guard_divisor(struct code *code, uint32_t *guard)
{
    if (!guard)
        return;
    *guard = code_position(code);
    code_add(code, BPF_JMP | BPF_JEQ | BPF_K, 0);
}

static bool left_then_right(struct code *code, const struct word *left, const struct word *right,
                            unsigned slot, uint32_t *guard)
{
    if (!emit_into_a(code, left, slot))
        return false;
    code_add(code, BPF_ST, slot);
    if (!emit_into_a(code, right, slot + 1))
        return false;
    guard_divisor(code, guard);
    code_add(code, BPF_MISC | BPF_TAX, 0);
    code_add(code, BPF_LD | BPF_MEM, slot);
    return true;
}

static bool right_then_left(struct code *code, const struct word *left, const struct word *right,
                            unsigned slot, bool in_memory, uint32_t *guard)
{
    if (!emit_into_a(code, right, slot))
        return false;
    guard_divisor(code, guard);
    if (!in_memory) {
        code_add(code, BPF_MISC | BPF_TAX, 0);
        return emit_into_a(code, left, slot);
    }
    code_add(code, BPF_ST, slot);
    if (!emit_into_a(code, left, slot + 1))
        return false;
    code_add(code, BPF_LDX | BPF_MEM, slot);
    return true;
}

/* A = left, X = right. `guard`: see guard_divisor. */
static bool emit_pair(struct code *code, const struct word *left, const struct word *right,
                      unsigned slot, uint32_t *guard)
{
    struct pair_plan plan = plan_pair(left, right);
    if (slot + plan.slots > SLOTS)
        return false;
    return plan.left_first ? left_then_right(code, left, right, slot, guard)
                           : right_then_left(code, left, right, slot, plan.in_memory, guard);
}

static bool emit_binary(struct code *code, const struct word *word, unsigned slot)
{
    uint16_t operation = operation_codes[word->operator];
    if (takes_constant(word)) {
        if (!emit_into_a(code, word->left, slot))
            return false;
        code_add(code, BPF_ALU | operation | BPF_K, word->right->constant);
        return true;
    }
    if (word->right->operator== WORD_CONSTANT) {
        if (!emit_into_a(code, word->left, slot))
            return false;
        code_add(code, BPF_LDX | BPF_IMM, word->right->constant);
        code_add(code, BPF_ALU | operation | BPF_X, 0);
        return true;
    }
    uint32_t guard = NEXT_ITEM;
    if (!emit_pair(code, word->left, word->right, slot, word->operator== WORD_DIV ? &guard : NULL))
        return false;
    code_add(code, BPF_ALU | operation | BPF_X, 0);
    if (guard != NEXT_ITEM)
        code->items.items[guard].yes = code_position(code);
    return true;
}

/* Recursive: words are at most EXPRESSION_DEPTH_MOST deep. Slots below `slot` are in use. */
static bool emit_into_a(struct code *code, const struct word *word, unsigned slot)
{
    if (word->operator== WORD_CONSTANT) {
        code_add(code, BPF_LD | BPF_IMM, word->constant);
        return true;
    }
    if (word->operator== WORD_FIELD) {
        code_load_field(code, word->field);
        return true;
    }
    if (word->operator!= WORD_NEGATE)
        return emit_binary(code, word, slot);
    if (!emit_into_a(code, word->left, slot))
        return false;
    code_add(code, BPF_ALU | BPF_NEG, 0);
    return true;
}

bool word_begins_with_load(const struct word *word, enum field *field)
{
    while (word->left) {
        bool alone = !word->right || word->right->operator== WORD_CONSTANT;
        bool left_first = alone || plan_pair(word->left, word->right).left_first;
        word = left_first ? word->left : word->right;
    }
    *field = word->field;
    return word->operator== WORD_FIELD;
}

bool emit_word(struct code *code, const struct word *word)
{
    return emit_into_a(code, word, 0);
}

bool emit_words(struct code *code, const struct word *a, const struct word *x)
{
    return emit_pair(code, a, x, 0, NULL);
}
