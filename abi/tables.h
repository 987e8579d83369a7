/* The shape of the constants that abi/generate.py makes from abi/data. Only for the files of this
 * room.
 *
 * Names are numbered in strcmp order, so an id is found by binary search and a table by id is an
 * array. Nothing is computed at run time. */
#ifndef ABI_TABLES_H
#define ABI_TABLES_H

#include "abi/abi.h"

/* One call name. */
struct name_entry {
    const char *name;
    abi_set abis; /* that have it */
};

struct abi_table {
    const struct syscall_entry *entries; /* by number */
    size_t count;
    const uint16_t *by_name; /* [name id]: 1 + index into entries, 0 when this ABI lacks the name */
};

/* A constant has one value row per distinct value: [first, first of the next constant). */
struct constant_name {
    const char *name;
    uint32_t first;
    bool is_errno; /* of asm/errno.h: EPOLLIN is none */
};

struct constant_value {
    int64_t value;
    abi_set abis; /* where it is this value */
};

struct errno_name {
    uint16_t value;
    const char *name; /* the one that messages use */
};

/* Sorted by value. */
struct errno_table {
    const struct errno_name *names;
    size_t count;
};

/* An argument of which only some bits mean something. */
struct kept_bits {
    bool dropped; /* the kernel drops the rest; else it is harmless */
    const char *call, *parameter;
    const char *kept; /* constants and numbers, separated by commas */
    abi_set abis;
    const char *source;
};

extern const struct abi abi_list[ABI_COUNT];
extern const struct name_entry syscall_names[];
extern const size_t syscall_name_count;
extern const struct abi_table abi_tables[ABI_COUNT];
/* One more than constant_name_count: the last has no name and bounds the values of the one before.
 */
extern const struct constant_name constant_names[];
extern const size_t constant_name_count;
extern const struct constant_value constant_values[];
extern const struct errno_table errno_tables[ABI_COUNT];
extern const struct family family_list[];
extern const size_t family_count;
extern const struct kept_bits kept_bits_list[];
extern const size_t kept_bits_count;

extern const struct argument_constants argument_constants[];
extern const size_t argument_constants_count;

/* Whether some ABI's asm/errno.h has this name (constants.c). */
bool constant_is_errno(const char *name);

#endif
