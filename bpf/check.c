#include "bpf/bpf.h"

/* The kernel's admission rules, in its order: first bpf_check_classic over the whole program, then
 * check_load_and_stores, then seccomp_check_filter. The first rule that refuses is the one named.
 */

#define MEMORY_SLOTS 16u                   /* BPF_MEMWORDS */
#define ANCILLARY_FIRST 0xfffff000u        /* SKF_AD_OFF */
#define ANCILLARY_LAST (0xfffff000u + 60u) /* SKF_AD_VLAN_TPID, the newest */

/* What chk_code_allowed knows beyond the rows of the instruction table: classic BPF that only
 * sockets may use. */
static const uint16_t sockets_only[] = {
    BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X, BPF_LD | BPF_H | BPF_ABS,
    BPF_LD | BPF_B | BPF_ABS,  BPF_LD | BPF_W | BPF_IND,  BPF_LD | BPF_H | BPF_IND,
    BPF_LD | BPF_B | BPF_IND,  BPF_LDX | BPF_B | BPF_MSH,
};

static bool is_sockets_only(uint16_t code)
{
    for (size_t i = 0; i < COUNT_OF(sockets_only); i++)
        if (sockets_only[i] == code)
            return true;
    return false;
}

/* A load at an offset from SKF_AD_OFF up must be one of the kernel's ancillary fields. */
static bool is_unknown_ancillary(uint32_t k)
{
    return k >= ANCILLARY_FIRST && (k > ANCILLARY_LAST || k % 4 != 0);
}

static enum check_rule check_sockets_only(const struct sock_filter *at)
{
    if (BPF_CLASS(at->code) == BPF_ALU && BPF_SRC(at->code) == BPF_K && at->k == 0)
        return CHECK_DIVIDE;
    if (BPF_CLASS(at->code) == BPF_LD && BPF_MODE(at->code) == BPF_ABS &&
        is_unknown_ancillary(at->k))
        return CHECK_LOAD_OFFSET;
    return CHECK_ACCEPTED;
}

/* The part of bpf_check_classic that looks at one instruction; `left`: instructions from here on.
 */
static enum check_rule check_classic(const struct sock_filter *at, uint32_t left)
{
    const struct instruction_info *info = instruction_info(at->code);
    if (!info)
        return is_sockets_only(at->code) ? check_sockets_only(at) : CHECK_OPCODE;
    switch (info->operation) {
    case OP_DIV:
        return !info->operand_is_x && at->k == 0 ? CHECK_DIVIDE : CHECK_ACCEPTED;
    case OP_SHIFT_LEFT:
    case OP_SHIFT_RIGHT:
        return !info->operand_is_x && at->k >= 32 ? CHECK_SHIFT : CHECK_ACCEPTED;
    case OP_LOAD_MEMORY:
    case OP_LOAD_X_MEMORY:
    case OP_STORE:
    case OP_STORE_X:
        return at->k >= MEMORY_SLOTS ? CHECK_MEMORY_SLOT : CHECK_ACCEPTED;
    case OP_JUMP:
        return at->k >= left - 1 ? CHECK_JUMP : CHECK_ACCEPTED;
    case OP_LOAD_FIELD:
        return is_unknown_ancillary(at->k) ? CHECK_LOAD_OFFSET : CHECK_ACCEPTED;
    default:
        if (is_conditional(info->operation) && (at->jt + 1u >= left || at->jf + 1u >= left))
            return CHECK_JUMP;
        return CHECK_ACCEPTED;
    }
}

/* check_load_and_stores, literally: `valid` is the set of slots stored on every path that reaches
 * the instruction, met at jump targets. After a jump everything counts as valid until a target says
 * less; after a RET the kernel keeps the set as it is, and so must we. */
static struct check_result check_memory(const struct program *program)
{
    uint16_t masks[PROGRAM_MOST];
    memset(masks, 0xff, program->length * sizeof masks[0]);
    uint16_t valid = 0;
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        const struct instruction_info *info = instruction_info(at->code);
        valid &= masks[i];
        if (!info)
            continue;
        if (info->operation == OP_STORE || info->operation == OP_STORE_X) {
            valid |= (uint16_t)(1u << at->k);
        } else if (info->operation == OP_LOAD_MEMORY || info->operation == OP_LOAD_X_MEMORY) {
            if (!(valid & 1u << at->k))
                return (struct check_result){CHECK_MEMORY_UNSET, i};
        } else if (info->operation == OP_JUMP) {
            masks[i + 1 + at->k] &= valid;
            valid = 0xffff;
        } else if (is_conditional(info->operation)) {
            masks[i + 1 + at->jt] &= valid;
            masks[i + 1 + at->jf] &= valid;
            valid = 0xffff;
        }
    }
    return (struct check_result){CHECK_ACCEPTED, 0};
}

/* The part of seccomp_check_filter that looks at one instruction. */
static enum check_rule check_seccomp(const struct sock_filter *at)
{
    const struct instruction_info *info = instruction_info(at->code);
    if (!info)
        return CHECK_NOT_SECCOMP;
    if (info->operation == OP_LOAD_FIELD && (at->k >= INPUT_BYTES || at->k % 4 != 0))
        return CHECK_LOAD_OFFSET;
    return CHECK_ACCEPTED;
}

static bool ends_in_return(const struct program *program)
{
    uint16_t code = program->code[program->length - 1].code;
    return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
}

struct check_result check_program(const struct program *program)
{
    uint32_t length = program->length;
    if (length == 0 || length > PROGRAM_MOST)
        return (struct check_result){CHECK_LENGTH, length};
    for (uint32_t i = 0; i < length; i++) {
        enum check_rule rule = check_classic(&program->code[i], length - i);
        if (rule != CHECK_ACCEPTED)
            return (struct check_result){rule, i};
    }
    if (!ends_in_return(program))
        return (struct check_result){CHECK_LAST, length - 1};
    struct check_result memory = check_memory(program);
    if (memory.rule != CHECK_ACCEPTED)
        return memory;
    for (uint32_t i = 0; i < length; i++) {
        enum check_rule rule = check_seccomp(&program->code[i]);
        if (rule != CHECK_ACCEPTED)
            return (struct check_result){rule, i};
    }
    return (struct check_result){CHECK_ACCEPTED, 0};
}

static const struct {
    const char *name;
    const char *text;
} rules[CHECK_RULE_COUNT] = {
    [CHECK_ACCEPTED] = {"accepted", "the kernel accepts the program"},
    [CHECK_LENGTH] = {"length", "a program has 1 to 4096 instructions"},
    [CHECK_OPCODE] = {"opcode", "classic BPF has no such instruction"},
    [CHECK_DIVIDE] = {"divide", "the constant divisor is 0"},
    [CHECK_SHIFT] = {"shift", "the constant shift is 32 bits or more"},
    [CHECK_MEMORY_SLOT] = {"memory_slot", "scratch memory has the slots M[0] to M[15]"},
    [CHECK_JUMP] = {"jump", "the jump leaves the program"},
    [CHECK_LAST] = {"last", "the last instruction must be a ret"},
    [CHECK_MEMORY_UNSET] = {"memory_unset",
                            "the scratch memory slot is not stored on every path to this load"},
    [CHECK_LOAD_OFFSET] = {"load_offset", "a load must be at a multiple of 4 below 64, the size of "
                                          "struct seccomp_data"},
    [CHECK_NOT_SECCOMP] = {"not_seccomp",
                           "classic BPF has this instruction, but seccomp does not allow it"},
};

const char *check_rule_name(enum check_rule rule)
{
    return (unsigned)rule < CHECK_RULE_COUNT ? rules[rule].name : "?";
}

const char *check_rule_text(enum check_rule rule)
{
    return (unsigned)rule < CHECK_RULE_COUNT ? rules[rule].text : "?";
}

/* eBPF instructions for one classic instruction (bpf_convert_filter). Compare immediates are signed
 * there, so large ones are first moved to a register; JSET has no opposite to swap its targets. */
static uint32_t converted_length(const struct sock_filter *at)
{
    const struct instruction_info *info = instruction_info(at->code);
    if (!info)
        return 1;
    if (info->operation == OP_RETURN)
        return 2;
    if (info->operation == OP_DIV && info->operand_is_x)
        return 5;
    if (!is_conditional(info->operation))
        return 1;
    uint32_t length = !info->operand_is_x && at->k > 0x7fffffffu ? 2 : 1;
    bool one_jump = at->jf == 0 || (at->jt == 0 && info->operation != OP_JUMP_SET);
    return one_jump ? length : length + 1;
}

uint32_t program_converted_length(const struct program *program)
{
    uint32_t length = 3; /* A = 0, X = 0, the context kept */
    for (uint32_t i = 0; i < program->length; i++)
        length += converted_length(&program->code[i]);
    return length;
}
