#include "bpf/text.h"

/* A forward pass over all paths: jumps go forward, so one pass sees every instruction after
 * everything that leads to it. */

static abi_set all_abis(bool big_endian, abi_set declared)
{
    abi_set all = 0;
    for (int id = 0; id < ABI_COUNT; id++)
        if (abi_get((enum abi_id)id)->big_endian == big_endian)
            all |= ABI_BIT(id);
    return all & declared ? all & declared : all;
}

/* True for a comparison of nr that tells x32's numbers from x86_64's. */
static bool splits_x32(const struct instruction_info *info, uint32_t k)
{
    if (info->operation == OP_JUMP_GREATER)
        return k == X32_BIT - 1;
    return (info->operation == OP_JUMP_GREATER_EQUAL || info->operation == OP_JUMP_SET) &&
           k == X32_BIT;
}

static abi_set without(abi_set abis, abi_set removed)
{
    return abis & ~removed;
}

/* What a conditional jump with a constant leaves possible on its two edges. */
static void split(const struct program *program, const struct instruction_info *info, uint32_t k,
                  const struct knowledge *before, abi_set *taken, abi_set *not_taken)
{
    *taken = *not_taken = before->abis;
    if (info->operand_is_x)
        return;
    if (before->accumulator == A_ARCH && info->operation == OP_JUMP_EQUAL) {
        abi_set named = abi_with_token(k, program->big_endian);
        *taken = before->abis & named;
        *not_taken = without(before->abis, named);
    } else if (before->accumulator == A_NR && splits_x32(info, k)) {
        *taken = without(before->abis, ABI_BIT(ABI_X86_64));
        *not_taken = without(before->abis, ABI_BIT(ABI_X32));
    }
}

static void flow(struct knowledge *known, const struct program *program, uint64_t target,
                 struct knowledge state)
{
    if (target >= program->length)
        return;
    struct knowledge *there = &known[target];
    if (!there->reached) {
        *there = state;
        return;
    }
    if (there->accumulator != state.accumulator)
        there->accumulator = A_OTHER;
    there->abis |= state.abis;
}

static bool keeps_accumulator(enum operation operation)
{
    return operation == OP_STORE || operation == OP_STORE_X || operation == OP_TAX ||
           operation == OP_LOAD_X_IMMEDIATE || operation == OP_LOAD_X_LENGTH ||
           operation == OP_LOAD_X_MEMORY;
}

static void step(struct knowledge *known, const struct program *program, uint32_t i)
{
    const struct sock_filter *at = &program->code[i];
    const struct instruction_info *info = instruction_info(at->code);
    struct knowledge after = known[i];
    if (!info || is_return(info->operation))
        return;
    if (info->operation == OP_JUMP) {
        flow(known, program, (uint64_t)i + 1 + at->k, after);
        return;
    }
    if (is_conditional(info->operation)) {
        abi_set not_taken;
        split(program, info, at->k, &known[i], &after.abis, &not_taken);
        flow(known, program, (uint64_t)i + 1 + at->jt, after);
        after.abis = not_taken;
        flow(known, program, (uint64_t)i + 1 + at->jf, after);
        return;
    }
    if (info->operation == OP_LOAD_FIELD && at->k < INPUT_BYTES) {
        enum field field = field_at(at->k, program->big_endian);
        after.accumulator = field == FIELD_NR ? A_NR : field == FIELD_ARCH ? A_ARCH : A_OTHER;
    } else if (!keeps_accumulator(info->operation)) {
        after.accumulator = A_OTHER;
    }
    flow(known, program, (uint64_t)i + 1, after);
}

const struct knowledge *knowledge_build(struct arena *arena, const struct program *program,
                                        abi_set declared)
{
    struct knowledge *known = NEW_ARRAY(arena, struct knowledge, program->length);
    if (program->length == 0)
        return known;
    known[0] = (struct knowledge){true, A_OTHER, all_abis(program->big_endian, declared)};
    for (uint32_t i = 0; i < program->length; i++)
        if (known[i].reached)
            step(known, program, i);
    return known;
}
