#include "abi/tables.h"

static bool is_called(const struct argument *argument, const char *name)
{
    return (argument->kernel_name && !strcmp(argument->kernel_name, name)) ||
           (argument->manual_name && !strcmp(argument->manual_name, name));
}

const struct argument_constants *
abi_argument_constants(const char *call, const struct argument *argument, size_t *next)
{
    while (*next < argument_constants_count) {
        const struct argument_constants *row = &argument_constants[(*next)++];
        if (!strcmp(row->call, call) && is_called(argument, row->parameter))
            return row;
    }
    return NULL;
}
