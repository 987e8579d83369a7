#include "api/bpfproof.h"

/* Constants that a program compares with the arch word: a forward pass over "A may hold arch". */
static abi_set tokens_compared(const struct program *program, bool big_endian)
{
    bool *holds_arch = NULL;
    struct arena *arena = arena_new();
    holds_arch = NEW_ARRAY(arena, bool, program->length + 1);
    abi_set found = 0;
    bool now = false;
    for (uint32_t pc = 0; pc < program->length; pc++) {
        const struct sock_filter *f = &program->code[pc];
        const struct instruction_info *info = instruction_info(f->code);
        now = now || holds_arch[pc];
        switch (info->operation) {
        case OP_LOAD_FIELD:
            now = field_at(f->k, big_endian) == FIELD_ARCH;
            break;
        case OP_JUMP:
            holds_arch[pc + 1 + f->k] |= now;
            now = false;
            break;
        case OP_JUMP_EQUAL:
        case OP_JUMP_GREATER:
        case OP_JUMP_GREATER_EQUAL:
        case OP_JUMP_SET:
            if (now && !info->operand_is_x && info->operation == OP_JUMP_EQUAL)
                found |= abi_with_token(f->k, big_endian);
            holds_arch[pc + 1 + f->jt] |= now;
            holds_arch[pc + 1 + f->jf] |= now;
            now = false;
            break;
        case OP_RETURN:
        case OP_RETURN_A:
            now = false;
            break;
        case OP_STORE:
        case OP_STORE_X:
        case OP_TAX:
        case OP_LOAD_X_IMMEDIATE:
        case OP_LOAD_X_LENGTH:
        case OP_LOAD_X_MEMORY:
            break; /* A stays */
        default:
            now = false;
        }
    }
    arena_free(arena);
    return found;
}

static bool permits(const struct program *programs, size_t count, uint32_t nr)
{
    struct input input = {.nr = nr, .arch = abi_get(ABI_X32)->token};
    return action_of_word(interpret_stack(programs, count, &input).word, NULL)->permits;
}

/* Permits some but not all numbers with bit 30: it knows that x32 exists. */
static bool speaks_of_x32(const struct program *programs, size_t count)
{
    size_t calls;
    const struct syscall_entry *table = abi_syscalls(ABI_X32, &calls);
    bool some = false, all = permits(programs, count, X32_BIT | 0x3fffffffu);
    for (size_t i = 0; i < calls; i++) {
        bool one = permits(programs, count, table[i].nr);
        some |= one;
        all &= one;
    }
    return some && !all;
}

abi_set blob_declared(const struct program *programs, size_t count)
{
    abi_set declared = 0;
    for (size_t i = 0; i < count; i++)
        declared |= tokens_compared(&programs[i], programs[i].big_endian);
    if (!declared)
        return ABI_BIT(abi_native());
    if ((declared & ABI_BIT(ABI_X32)) && !speaks_of_x32(programs, count))
        declared &= ~ABI_BIT(ABI_X32);
    return declared;
}
