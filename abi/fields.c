#include "abi/abi.h"

/* The halves of the 64-bit members stand in the machine's byte order (struct seccomp_data). */

static const char *const names[FIELD_COUNT] = {
    [FIELD_NR] = "nr",
    [FIELD_ARCH] = "arch",
    [FIELD_IP_LO] = "lo32(ip)",
    [FIELD_IP_HI] = "hi32(ip)",
    [FIELD_ARG0_LO] = "lo32(arg0)",
    [FIELD_ARG0_HI] = "hi32(arg0)",
    [FIELD_ARG1_LO] = "lo32(arg1)",
    [FIELD_ARG1_HI] = "hi32(arg1)",
    [FIELD_ARG2_LO] = "lo32(arg2)",
    [FIELD_ARG2_HI] = "hi32(arg2)",
    [FIELD_ARG3_LO] = "lo32(arg3)",
    [FIELD_ARG3_HI] = "hi32(arg3)",
    [FIELD_ARG4_LO] = "lo32(arg4)",
    [FIELD_ARG4_HI] = "hi32(arg4)",
    [FIELD_ARG5_LO] = "lo32(arg5)",
    [FIELD_ARG5_HI] = "hi32(arg5)",
};

/* The 64-bit member that holds a half; `field` is FIELD_IP_LO or later. */
static const uint64_t *member(const struct input *input, enum field field)
{
    return field <= FIELD_IP_HI ? &input->ip : &input->args[(field - FIELD_ARG0_LO) / 2];
}

static bool is_high_half(enum field field)
{
    return field >= FIELD_IP_LO && field % 2 == 1;
}

uint32_t input_field(const struct input *input, enum field field)
{
    if (field == FIELD_NR)
        return input->nr;
    if (field == FIELD_ARCH)
        return input->arch;
    uint64_t whole = *member(input, field);
    return (uint32_t)(is_high_half(field) ? whole >> 32 : whole);
}

void input_set_field(struct input *input, enum field field, uint32_t value)
{
    if (field == FIELD_NR) {
        input->nr = value;
        return;
    }
    if (field == FIELD_ARCH) {
        input->arch = value;
        return;
    }
    uint64_t *whole = field <= FIELD_IP_HI ? &input->ip : &input->args[(field - FIELD_ARG0_LO) / 2];
    if (is_high_half(field))
        *whole = (*whole & 0xffffffffu) | (uint64_t)value << 32;
    else
        *whole = (*whole & ~(uint64_t)0xffffffffu) | value;
}

/* Swapping neighbours is its own inverse, so field_at needs nothing more than field_offset. */
static uint32_t swap_halves(uint32_t word, bool big_endian)
{
    return big_endian && word >= FIELD_IP_LO ? word ^ 1u : word;
}

uint32_t field_offset(enum field field, bool big_endian)
{
    return 4 * swap_halves((uint32_t)field, big_endian);
}

enum field field_at(uint32_t offset, bool big_endian)
{
    return (enum field)swap_halves(offset / 4, big_endian);
}

const char *field_name(enum field field)
{
    return (unsigned)field < FIELD_COUNT ? names[field] : "?";
}
