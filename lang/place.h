/* Which numbers under an ABI's token are the ABI's (place.c). */
#ifndef LANG_PLACE_H
#define LANG_PLACE_H

#include "lang/lang.h"

struct nr_range {
    uint32_t first, last;
};
#define ABI_RANGES_MOST 2

/* The numbers that are `abi`'s where `declared` are declared (language: "ABIs"); returns how many
 * ranges. With both of x86_64 and x32 in `declared` each gets its own part. */
size_t abi_ranges(enum abi_id abi, abi_set declared, struct nr_range *ranges);

#endif
