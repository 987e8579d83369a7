#include "abi/nearest.h"
#include "abi/tables.h"

/* Index into constant_names, or constant_name_count. */
static size_t constant_id(const char *name)
{
    size_t low = 0, high = constant_name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(constant_names[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return constant_name_count;
}

bool abi_constant(enum abi_id abi, const char *name, int64_t *value)
{
    size_t id = constant_id(name);
    if ((unsigned)abi >= ABI_COUNT || id == constant_name_count)
        return false;
    for (uint32_t i = constant_names[id].first; i < constant_names[id + 1].first; i++) {
        if (constant_values[i].abis & ABI_BIT(abi)) {
            *value = constant_values[i].value;
            return true;
        }
    }
    return false;
}

abi_set abi_constant_anywhere(const char *name)
{
    size_t id = constant_id(name);
    abi_set abis = 0;
    if (id == constant_name_count)
        return 0;
    for (uint32_t i = constant_names[id].first; i < constant_names[id + 1].first; i++)
        abis |= constant_values[i].abis;
    return abis;
}

bool constant_is_errno(const char *name)
{
    size_t id = constant_id(name);
    return id != constant_name_count && constant_names[id].is_errno;
}

static const char *constant_name_at(size_t index)
{
    return constant_names[index].name;
}

size_t abi_nearest_constants(const char *name, const char **nearest, size_t most)
{
    return nearest_names(name, constant_name_at, constant_name_count, nearest, most);
}
