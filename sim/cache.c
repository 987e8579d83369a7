#include "sim/sim.h"

/* The constant-action cache of Linux 5.11 and later. At installation the kernel runs a tiny
 * emulator, seccomp_is_const_allow, for every pair (arch, nr) of its native and its compat table.
 * For a pair that it calls constant ALLOW the program is never run again. The emulator knows only
 * A, and gives up at the first instruction of the path that it does not know. */

enum step { STEP_ON, STEP_GIVE_UP, STEP_ALLOW };

static bool holds(enum operation operation, uint32_t a, uint32_t k)
{
    switch (operation) {
    case OP_JUMP_EQUAL:
        return a == k;
    case OP_JUMP_GREATER:
        return a > k;
    case OP_JUMP_GREATER_EQUAL:
        return a >= k;
    default:
        return (a & k) != 0;
    }
}

/* Arguments and ip are no constants of the pair; nr and arch stand at 0 and 4 in either byte order.
 */
static enum step load(uint32_t offset, uint32_t arch, uint32_t nr, uint32_t *a)
{
    if (offset != field_offset(FIELD_NR, false) && offset != field_offset(FIELD_ARCH, false))
        return STEP_GIVE_UP;
    *a = offset == field_offset(FIELD_NR, false) ? nr : arch;
    return STEP_ON;
}

bool cache_allows(const struct program *program, uint32_t arch, uint32_t nr)
{
    uint32_t a = 0;
    enum step step = STEP_ON;
    for (uint64_t pc = 0; pc < program->length && step == STEP_ON; pc++) {
        const struct sock_filter *at = &program->code[pc];
        const struct instruction_info *info = instruction_info(at->code);
        if (!info || !info->cacheable)
            return false;
        if (info->operation == OP_LOAD_FIELD)
            step = load(at->k, arch, nr, &a);
        else if (info->operation == OP_AND)
            a &= at->k;
        else if (info->operation == OP_JUMP)
            pc += at->k;
        else if (is_conditional(info->operation))
            pc += holds(info->operation, a, at->k) ? at->jt : at->jf;
        else /* OP_RETURN: ALLOW with data, and LOG, are not constant ALLOW */
            step = at->k == action_get(ACTION_ALLOW)->word ? STEP_ALLOW : STEP_GIVE_UP;
    }
    return step == STEP_ALLOW;
}

/* seccomp_cache_prepare starts from the older filters' bitmap: a stack caches what all of it
 * allows. */
static bool stack_allows(const struct program *programs, size_t count, uint32_t arch, uint32_t nr)
{
    for (size_t i = 0; i < count; i++)
        if (!cache_allows(&programs[i], arch, nr))
            return false;
    return true;
}

uint32_t cache_count(const struct program *programs, size_t count, const struct abi *abi)
{
    uint32_t cached = 0;
    size_t entries;
    const struct syscall_entry *table = abi_syscalls(abi->id, &entries);
    for (size_t i = 0; i < entries; i++)
        if (table[i].implemented && table[i].nr < abi->cache_size)
            cached += stack_allows(programs, count, abi->token, table[i].nr);
    return cached;
}
