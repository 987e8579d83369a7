#include "abi/tables.h"

const struct abi *abi_get(enum abi_id id)
{
    return (unsigned)id < ABI_COUNT ? &abi_list[id] : NULL;
}

const struct abi *abi_by_name(const char *name)
{
    for (size_t i = 0; i < ABI_COUNT; i++)
        if (strcmp(abi_list[i].name, name) == 0)
            return &abi_list[i];
    return NULL;
}

const struct abi *abi_by_oci_name(const char *name)
{
    for (size_t i = 0; i < ABI_COUNT; i++)
        if (abi_list[i].oci_name && strcmp(abi_list[i].oci_name, name) == 0)
            return &abi_list[i];
    return NULL;
}

abi_set abi_with_token(uint32_t token, bool big_endian)
{
    abi_set found = 0;
    for (unsigned i = 0; i < ABI_COUNT; i++)
        if (abi_list[i].token == token && abi_list[i].big_endian == big_endian)
            found |= ABI_BIT(i);
    return found;
}
