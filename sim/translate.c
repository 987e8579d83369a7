#include "sim/translate.h"

/* The kernel's bpf_convert_filter, for the instructions of seccomp. The result is what the kernel
 * would make of the filter, but for the start: A and X are set to 0 by moves, since the verifier of
 * bpf(2) does not take `xor` of a register that was never written. */

#define REGISTER_A BPF_REG_0
#define REGISTER_X BPF_REG_7
#define REGISTER_TEMPORARY BPF_REG_2
#define REGISTER_CONTEXT BPF_REG_6
#define MEMORY_SLOTS 16   /* BPF_MEMWORDS */
#define EXPANSION_MOST 5u /* DIV X */
#define PROLOGUE_LENGTH 3u

/* `address`: where each classic instruction begins; filled in the first round, used in the second.
 */
struct translator {
    const struct program *program;
    struct bpf_insn *code;
    uint32_t count;
    uint32_t *address;
    bool *reachable;
};

static void put(struct translator *translator, unsigned code, unsigned target, unsigned source,
                int16_t offset, uint32_t immediate)
{
    translator->code[translator->count++] = (struct bpf_insn){
        .code = (uint8_t)code,
        .dst_reg = target & 15u,
        .src_reg = source & 15u,
        .off = offset,
        .imm = (int32_t)immediate,
    };
}

static void put_exit(struct translator *translator)
{
    put(translator, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A jump to classic instruction `to`; offsets count from the next instruction. In the first round
 * the address is still 0 and the offset means nothing. */
static void put_jump(struct translator *translator, unsigned code, unsigned target, unsigned source,
                     uint32_t immediate, uint32_t to)
{
    int64_t offset = (int64_t)translator->address[to] - translator->count - 1;
    put(translator, code, target, source, (int16_t)offset, immediate);
}

static int16_t slot_offset(uint32_t slot)
{
    return (int16_t)(-4 * (MEMORY_SLOTS - (int)slot));
}

struct opposite {
    enum operation operation;
    unsigned code;     /* eBPF's and classic BPF's common code */
    unsigned opposite; /* 0: none */
};

static const struct opposite opposites[] = {
    {OP_JUMP_EQUAL, BPF_JEQ, BPF_JNE},
    {OP_JUMP_GREATER, BPF_JGT, BPF_JLE},
    {OP_JUMP_GREATER_EQUAL, BPF_JGE, BPF_JLT},
    {OP_JUMP_SET, BPF_JSET, 0},
};

static void put_conditional(struct translator *translator, uint32_t at,
                            const struct instruction_info *info)
{
    const struct sock_filter *classic = &translator->program->code[at];
    const struct opposite *row = &opposites[info->operation - OP_JUMP_EQUAL];
    unsigned form = info->operand_is_x ? BPF_X : BPF_K;
    unsigned source = info->operand_is_x ? REGISTER_X : 0;
    uint32_t immediate = info->operand_is_x ? 0 : classic->k;
    if (immediate > INT32_MAX) { /* immediates are sign-extended to 64 bits */
        put(translator, BPF_ALU | BPF_MOV | BPF_K, REGISTER_TEMPORARY, 0, 0, immediate);
        form = BPF_X;
        source = REGISTER_TEMPORARY;
        immediate = 0;
    }
    bool negate = classic->jf != 0 && classic->jt == 0 && row->opposite;
    uint32_t yes = at + 1 + classic->jt, no = at + 1 + classic->jf;
    put_jump(translator, BPF_JMP | (negate ? row->opposite : row->code) | form, REGISTER_A, source,
             immediate, negate ? no : yes);
    if (classic->jf != 0 && !negate)
        put_jump(translator, BPF_JMP | BPF_JA, 0, 0, 0, no);
}

/* Division by 0 ends a classic program with 0, while eBPF would go on. */
static void put_zero_test(struct translator *translator)
{
    put(translator, BPF_ALU | BPF_MOV | BPF_X, REGISTER_X, REGISTER_X, 0, 0);
    put(translator, BPF_JMP | BPF_JNE | BPF_K, REGISTER_X, 0, 2, 0);
    put(translator, BPF_ALU | BPF_XOR | BPF_X, REGISTER_A, REGISTER_A, 0, 0);
    put_exit(translator);
}

static void put_arithmetic(struct translator *translator, const struct sock_filter *classic,
                           const struct instruction_info *info)
{
    if (info->operation == OP_DIV && info->operand_is_x)
        put_zero_test(translator);
    bool immediate = !info->operand_is_x && info->operation != OP_NEGATE;
    put(translator, classic->code, REGISTER_A, info->operand_is_x ? REGISTER_X : 0, 0,
        immediate ? classic->k : 0);
}

static void put_move(struct translator *translator, const struct sock_filter *classic,
                     enum operation operation)
{
    const unsigned set = BPF_ALU | BPF_MOV | BPF_K, copy = BPF_ALU64 | BPF_MOV | BPF_X;
    const unsigned load = BPF_LDX | BPF_MEM | BPF_W, store = BPF_STX | BPF_MEM | BPF_W;
    int16_t slot = slot_offset(classic->k % MEMORY_SLOTS);
    switch (operation) {
    case OP_LOAD_FIELD:
        put(translator, load, REGISTER_A, REGISTER_CONTEXT, (int16_t)classic->k, 0);
        break;
    case OP_LOAD_LENGTH:
        put(translator, set, REGISTER_A, 0, 0, INPUT_BYTES);
        break;
    case OP_LOAD_X_LENGTH:
        put(translator, set, REGISTER_X, 0, 0, INPUT_BYTES);
        break;
    case OP_LOAD_IMMEDIATE:
        put(translator, set, REGISTER_A, 0, 0, classic->k);
        break;
    case OP_LOAD_X_IMMEDIATE:
        put(translator, set, REGISTER_X, 0, 0, classic->k);
        break;
    case OP_LOAD_MEMORY:
        put(translator, load, REGISTER_A, BPF_REG_10, slot, 0);
        break;
    case OP_LOAD_X_MEMORY:
        put(translator, load, REGISTER_X, BPF_REG_10, slot, 0);
        break;
    case OP_STORE:
        put(translator, store, BPF_REG_10, REGISTER_A, slot, 0);
        break;
    case OP_STORE_X:
        put(translator, store, BPF_REG_10, REGISTER_X, slot, 0);
        break;
    case OP_TAX:
        put(translator, copy, REGISTER_X, REGISTER_A, 0, 0);
        break;
    default: /* OP_TXA */
        put(translator, copy, REGISTER_A, REGISTER_X, 0, 0);
        break;
    }
}

static void put_instruction(struct translator *translator, uint32_t at)
{
    const struct sock_filter *classic = &translator->program->code[at];
    const struct instruction_info *info = instruction_info(classic->code);
    if (info->operation == OP_JUMP) {
        put_jump(translator, BPF_JMP | BPF_JA, 0, 0, 0, at + 1 + classic->k);
    } else if (is_conditional(info->operation)) {
        put_conditional(translator, at, info);
    } else if (is_return(info->operation)) {
        if (info->operation == OP_RETURN)
            put(translator, BPF_ALU | BPF_MOV | BPF_K, REGISTER_A, 0, 0, classic->k);
        put_exit(translator);
    } else if (info->operation >= OP_ADD && info->operation <= OP_NEGATE) {
        put_arithmetic(translator, classic, info);
    } else {
        put_move(translator, classic, info->operation);
    }
}

static void mark_reachable(struct translator *translator)
{
    const struct program *program = translator->program;
    translator->reachable[0] = true;
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *classic = &program->code[i];
        const struct instruction_info *info = instruction_info(classic->code);
        if (!translator->reachable[i] || is_return(info->operation))
            continue;
        if (is_conditional(info->operation)) {
            translator->reachable[i + 1 + classic->jt] = true;
            translator->reachable[i + 1 + classic->jf] = true;
        } else {
            translator->reachable[i + 1 + (info->operation == OP_JUMP ? classic->k : 0)] = true;
        }
    }
}

static void translate_once(struct translator *translator)
{
    translator->count = 0;
    put(translator, BPF_ALU | BPF_MOV | BPF_K, REGISTER_A, 0, 0, 0);
    put(translator, BPF_ALU | BPF_MOV | BPF_K, REGISTER_X, 0, 0, 0);
    put(translator, BPF_ALU64 | BPF_MOV | BPF_X, REGISTER_CONTEXT, BPF_REG_1, 0, 0);
    for (uint32_t i = 0; i < translator->program->length; i++) {
        translator->address[i] = translator->count;
        if (translator->reachable[i])
            put_instruction(translator, i);
    }
}

struct translation translate(struct arena *arena, const struct program *program)
{
    uint32_t length = program->length;
    struct translator translator = {
        .program = program,
        .code = NEW_ARRAY(arena, struct bpf_insn, PROLOGUE_LENGTH + EXPANSION_MOST * length),
        .address = NEW_ARRAY(arena, uint32_t, length),
        .reachable = NEW_ARRAY(arena, bool, length),
    };
    mark_reachable(&translator);
    translate_once(&translator);
    translate_once(&translator);
    return (struct translation){translator.code, translator.count};
}
