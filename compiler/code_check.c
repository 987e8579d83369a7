/* The invariants of emitted code. */
#include "compiler/compiler.h"

static bool is_always(const struct sock_filter *instruction)
{
    return instruction->code == (BPF_JMP | BPF_JA);
}

static bool is_jump(const struct sock_filter *instruction)
{
    return BPF_CLASS(instruction->code) == BPF_JMP;
}

/* Jumps go forward only: one walk reaches everything. */
static bool all_reachable(struct arena *arena, const struct program *program)
{
    bool *reached = NEW_ARRAY(arena, bool, (size_t)program->length + 1);
    reached[0] = true;
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *instruction = &program->code[i];
        if (!reached[i])
            return false;
        if (is_always(instruction)) {
            reached[i + 1 + instruction->k] = true;
        } else if (is_jump(instruction)) {
            reached[i + 1 + instruction->jt] = true;
            reached[i + 1 + instruction->jf] = true;
        } else if (BPF_CLASS(instruction->code) != BPF_RET) {
            reached[i + 1] = true;
        }
    }
    return true;
}

/* A conditional jump to a JA whose own target is within reach. */
static bool detours(const struct program *program, uint32_t from, uint32_t offset)
{
    uint32_t to = from + 1 + offset;
    return is_always(&program->code[to]) && (uint64_t)offset + 1 + program->code[to].k <= UINT8_MAX;
}

static const char *check_jump(const struct program *program, uint32_t index)
{
    const struct sock_filter *jump = &program->code[index];
    if (is_always(jump)) {
        if (jump->k == 0)
            return "a jump goes to the next instruction";
        return is_always(&program->code[index + 1 + jump->k]) ? "a jump goes to a jump" : NULL;
    }
    if (jump->jt == jump->jf)
        return "a conditional jump has one target only";
    if (detours(program, index, jump->jt) || detours(program, index, jump->jf))
        return "a conditional jump takes a detour";
    return NULL;
}

const char *code_check(struct arena *arena, const struct program *program)
{
    struct check_result check = check_program(program);
    if (check.rule != CHECK_ACCEPTED)
        return arena_printf(arena, "instruction %u: %s", check.instruction,
                            check_rule_text(check.rule));
    if (!all_reachable(arena, program))
        return "an instruction cannot be reached";
    for (uint32_t i = 0; i < program->length; i++) {
        const char *broken = is_jump(&program->code[i]) ? check_jump(program, i) : NULL;
        if (broken)
            return arena_printf(arena, "instruction %u: %s", i, broken);
    }
    return NULL;
}
