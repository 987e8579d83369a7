#include "abi/tables.h"

/* x86 takes asm-generic/errno.h as it is, so its table is the generic one. */
#define GENERIC ABI_X86_64

bool abi_errno(enum abi_id abi, const char *name, uint16_t *value)
{
    int64_t constant = 0;
    if (!constant_is_errno(name) || !abi_constant(abi, name, &constant))
        return false;
    *value = (uint16_t)constant;
    return true;
}

const char *abi_errno_name(enum abi_id abi, uint32_t value)
{
    const struct errno_table *table = &errno_tables[(unsigned)abi < ABI_COUNT ? abi : GENERIC];
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->names[middle].value == value)
            return table->names[middle].name;
        if (table->names[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool generic_errno(const char *name, uint16_t *value)
{
    return abi_errno(GENERIC, name, value);
}
