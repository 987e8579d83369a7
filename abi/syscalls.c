#include "abi/nearest.h"
#include "abi/tables.h"

/* Index into syscall_names, or syscall_name_count. */
static size_t name_id(const char *name)
{
    size_t low = 0, high = syscall_name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(syscall_names[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return syscall_name_count;
}

const struct syscall_entry *abi_syscall(enum abi_id abi, const char *name)
{
    size_t id = name_id(name);
    if ((unsigned)abi >= ABI_COUNT || id == syscall_name_count)
        return NULL;
    const struct abi_table *table = &abi_tables[abi];
    uint16_t place = table->by_name[id];
    return place ? &table->entries[place - 1] : NULL;
}

const struct syscall_entry *abi_syscall_at(enum abi_id abi, uint32_t nr)
{
    if ((unsigned)abi >= ABI_COUNT)
        return NULL;
    const struct abi_table *table = &abi_tables[abi];
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->entries[middle].nr == nr)
            return &table->entries[middle];
        if (table->entries[middle].nr < nr)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct syscall_entry *abi_syscalls(enum abi_id abi, size_t *count)
{
    if ((unsigned)abi >= ABI_COUNT) {
        *count = 0;
        return NULL;
    }
    *count = abi_tables[abi].count;
    return abi_tables[abi].entries;
}

abi_set abi_syscall_anywhere(const char *name)
{
    size_t id = name_id(name);
    return id == syscall_name_count ? 0 : syscall_names[id].abis;
}

static const char *syscall_name_at(size_t index)
{
    return syscall_names[index].name;
}

size_t abi_nearest_syscalls(const char *name, const char **nearest, size_t most)
{
    return nearest_names(name, syscall_name_at, syscall_name_count, nearest, most);
}
