/* Calls that do the same thing in different ways, and bits that the kernel drops. */
#include <stdlib.h>

#include "abi/tables.h"

const struct family *abi_families(size_t *count)
{
    *count = family_count;
    return family_list;
}

static bool is_called(const struct argument *argument, const char *name)
{
    return (argument->kernel_name && !strcmp(argument->kernel_name, name)) ||
           (argument->manual_name && !strcmp(argument->manual_name, name));
}

int abi_parameter(const struct syscall_entry *entry, const char *name)
{
    if (entry->argument_count > 6)
        return -1;
    for (int i = 0; i < entry->argument_count; i++)
        if (is_called(&entry->arguments[i], name))
            return i;
    return -1;
}

static bool value_of(enum abi_id abi, const char *text, size_t length, uint64_t *value)
{
    char name[64];
    int64_t constant;
    if (length >= sizeof name)
        return false;
    memcpy(name, text, length);
    name[length] = 0;
    if (name[0] >= '0' && name[0] <= '9') {
        *value = strtoull(name, NULL, 0);
        return true;
    }
    bool found = abi_constant(abi, name, &constant);
    *value = found ? (uint64_t)constant : 0;
    return found;
}

bool abi_reference_value(enum abi_id abi, const struct call_reference *reference, uint64_t *value)
{
    return reference->value && value_of(abi, reference->value, strlen(reference->value), value);
}

static uint64_t kept_by(enum abi_id abi, const struct kept_bits *row)
{
    uint64_t kept = 0, value;
    for (const char *text = row->kept; *text;) {
        size_t length = strcspn(text, ",");
        if (value_of(abi, text, length, &value))
            kept |= value;
        text += length;
        text += *text == ',';
    }
    return kept;
}

static uint64_t ignored_bits(enum abi_id abi, const struct syscall_entry *entry, unsigned argument,
                             bool dropped_only)
{
    if (argument >= entry->argument_count || entry->argument_count > 6)
        return 0;
    const struct argument *place = &entry->arguments[argument];
    uint64_t visible = place->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << place->bits) - 1;
    for (size_t i = 0; i < kept_bits_count; i++) {
        const struct kept_bits *row = &kept_bits_list[i];
        if ((row->dropped || !dropped_only) && (row->abis & ABI_BIT(abi)) &&
            !strcmp(row->call, entry->name) && is_called(place, row->parameter))
            return ~kept_by(abi, row) & visible;
    }
    return 0;
}

uint64_t abi_dropped_bits(enum abi_id abi, const struct syscall_entry *entry, unsigned argument)
{
    return ignored_bits(abi, entry, argument, true);
}

uint64_t abi_harmless_bits(enum abi_id abi, const struct syscall_entry *entry, unsigned argument)
{
    return ignored_bits(abi, entry, argument, false);
}
