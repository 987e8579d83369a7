#include "bpf/text.h"

#define NAMED_MOST 3 /* system calls that one number is shown as */
#define COMMENT_COLUMN 44

/* Which members of an instruction its text shows; the others must be 0 for it to read back. */
static bool shows_k(enum operand_form form)
{
    return form == OPERAND_FIELD || form == OPERAND_IMMEDIATE || form == OPERAND_MEMORY ||
           form == OPERAND_LABEL || form == OPERAND_VERDICT;
}

bool has_mnemonic(const struct program *program, uint32_t index)
{
    const struct sock_filter *at = &program->code[index];
    const struct instruction_info *info = instruction_info(at->code);
    if (!info || operand_problem(info, at->k))
        return false;
    uint32_t behind = program->length - index - 1;
    if (is_conditional(info->operation))
        return at->jt < behind && at->jf < behind && (!info->operand_is_x || at->k == 0);
    if (at->jt != 0 || at->jf != 0)
        return false;
    if (info->operation == OP_JUMP)
        return at->k < behind;
    return shows_k(operand_form(info)) || at->k == 0;
}

static void print_verdict(struct buffer *out, uint32_t word)
{
    size_t before = out->length;
    verdict_print(out, word, ABI_NONE);
    if (strncmp(buffer_string(out) + before, "ret(", 4) != 0)
        return;
    out->length = before;
    buffer_printf(out, "#0x%08x", word);
}

static void print_operand(struct buffer *out, const struct program *program, uint32_t index)
{
    const struct sock_filter *at = &program->code[index];
    switch (operand_form(instruction_info(at->code))) {
    case OPERAND_NONE:
        break;
    case OPERAND_FIELD:
        buffer_printf(out, " %s", field_name(field_at(at->k, program->big_endian)));
        break;
    case OPERAND_LENGTH:
        buffer_text(out, " len");
        break;
    case OPERAND_IMMEDIATE:
        buffer_printf(out, " #0x%x", at->k);
        break;
    case OPERAND_MEMORY:
        buffer_printf(out, " M[%u]", at->k);
        break;
    case OPERAND_X:
        buffer_text(out, " x");
        break;
    case OPERAND_LABEL:
        buffer_printf(out, " l%u", index + 1 + at->k);
        break;
    case OPERAND_VERDICT:
        buffer_text(out, " ");
        print_verdict(out, at->k);
        break;
    case OPERAND_A:
        buffer_text(out, " a");
        break;
    }
}

void disassemble_instruction(struct buffer *out, const struct program *program, uint32_t index)
{
    const struct sock_filter *at = &program->code[index];
    const struct instruction_info *info = instruction_info(at->code);
    if (!has_mnemonic(program, index)) {
        buffer_printf(out, ".raw 0x%02x, %u, %u, 0x%08x", at->code, at->jt, at->jf, at->k);
        return;
    }
    buffer_text(out, info->mnemonic);
    print_operand(out, program, index);
    if (is_conditional(info->operation))
        buffer_printf(out, ", l%u, l%u", index + 1 + at->jt, index + 1 + at->jf);
}

static void print_calls(struct buffer *out, abi_set abis, uint32_t nr)
{
    const struct syscall_entry *entries[NAMED_MOST];
    enum abi_id ids[NAMED_MOST];
    unsigned count = 0;
    for (int id = 0; id < ABI_COUNT; id++) {
        const struct syscall_entry *entry =
            abis & ABI_BIT(id) ? abi_syscall_at((enum abi_id)id, nr) : NULL;
        if (!entry)
            continue;
        if (count == NAMED_MOST)
            return;
        entries[count] = entry;
        ids[count++] = (enum abi_id)id;
    }
    for (unsigned i = 0; i < count; i++)
        buffer_printf(out, "%s%s (%s)", i ? ", " : "", entries[i]->name, abi_get(ids[i])->name);
}

static void print_token(struct buffer *out, uint32_t token, bool big_endian)
{
    abi_set named = abi_with_token(token, big_endian);
    if (named)
        buffer_text(out, abi_get((enum abi_id)__builtin_ctz(named))->token_name);
}

/* A number's errno name where the ABI at hand calls it something else than most do. */
static void print_own_errno(struct buffer *out, uint32_t word, abi_set abis)
{
    if (!abis || (abis & (abis - 1)))
        return;
    struct buffer own = buffer_new(out->arena);
    struct buffer generic = buffer_new(out->arena);
    verdict_print(&own, word, (enum abi_id)__builtin_ctz(abis));
    verdict_print(&generic, word, ABI_NONE);
    if (strcmp(buffer_string(&own), buffer_string(&generic)) != 0)
        buffer_text(out, buffer_string(&own));
}

void print_comment(struct buffer *out, const struct program *program, uint32_t index,
                   const struct knowledge *known)
{
    const struct sock_filter *at = &program->code[index];
    const struct instruction_info *info = instruction_info(at->code);
    if (!has_mnemonic(program, index)) {
        buffer_text(out, info ? info->mnemonic : check_rule_text(CHECK_OPCODE));
        return;
    }
    if (!known->reached) {
        buffer_text(out, "never reached");
        return;
    }
    bool compares = is_conditional(info->operation) && !info->operand_is_x;
    if (compares && known->accumulator == A_ARCH)
        print_token(out, at->k, program->big_endian);
    else if (compares && known->accumulator == A_NR && at->k == X32_BIT)
        buffer_text(out, "x32's bit");
    else if (compares && known->accumulator == A_NR)
        print_calls(out, known->abis, at->k);
    else if (info->operation == OP_RETURN)
        print_own_errno(out, at->k, known->abis);
}

static void mark_target(bool *targets, const struct program *program, uint64_t target)
{
    if (target < program->length)
        targets[target] = true;
}

/* The instructions that need a label; those that .raw lines jump to get one too, for the reader. */
static const bool *find_targets(struct arena *arena, const struct program *program)
{
    bool *targets = NEW_ARRAY(arena, bool, program->length);
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        const struct instruction_info *info = instruction_info(at->code);
        if (info && info->operation == OP_JUMP) {
            mark_target(targets, program, (uint64_t)i + 1 + at->k);
        } else if (info && is_conditional(info->operation)) {
            mark_target(targets, program, (uint64_t)i + 1 + at->jt);
            mark_target(targets, program, (uint64_t)i + 1 + at->jf);
        }
    }
    return targets;
}

static void print_line(struct buffer *out, const struct program *program, uint32_t index,
                       bool is_target, const struct knowledge *known)
{
    char label[16] = "";
    if (is_target)
        snprintf(label, sizeof label, "l%u:", index);
    size_t begin = out->length;
    buffer_printf(out, "%4u: %-6s ", index, label);
    disassemble_instruction(out, program, index);
    struct buffer comment = buffer_new(out->arena);
    print_comment(&comment, program, index, known);
    if (comment.length > 0) {
        size_t width = out->length - begin;
        int spaces = width < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - width) : 1;
        buffer_printf(out, "%*s; %s", spaces, "", buffer_string(&comment));
    }
    buffer_text(out, "\n");
}

void disassemble(struct buffer *out, struct arena *arena, const struct program *program,
                 abi_set declared)
{
    const struct knowledge *known = knowledge_build(arena, program, declared);
    const bool *targets = find_targets(arena, program);
    if (program->big_endian)
        buffer_text(out, ".big_endian\n");
    for (uint32_t i = 0; i < program->length; i++)
        print_line(out, program, i, targets[i], &known[i]);
}
