/* Random programs for the tests of bpf/. */
#ifndef TESTS_PROGRAMS_H
#define TESTS_PROGRAMS_H

#include "bpf/bpf.h"
#include "unit/support.h"

/* A constant worth meeting: small, a token, a bit mask, or anything. */
static inline uint32_t random_constant(struct random *random)
{
    static const uint32_t notable[] = {0xc000003eu, 0x40000003u, 0x40000000u, 0x7fff0000u,
                                       0x00050001u, 0x80000000u, 0xffffffffu, 0xfffff000u};
    switch (random_below(random, 4)) {
    case 0:
        return random_below(random, 40);
    case 1:
        return notable[random_below(random, COUNT_OF(notable))];
    case 2:
        return 4 * random_below(random, 18);
    default:
        return (uint32_t)random_u64(random);
    }
}

static inline uint8_t random_distance(struct random *random, uint32_t left)
{
    uint32_t most = left < 2 ? 1 : left - 1;
    return (uint8_t)random_below(random, most < 255 ? most : 255);
}

/* One instruction that the kernel takes with `left` instructions from here to the end, but for
 * scratch memory. */
static inline struct sock_filter random_instruction(struct random *random, uint32_t left)
{
    size_t count;
    const struct instruction_info *table = instruction_table(&count);
    const struct instruction_info *info = &table[random_below(random, (uint32_t)count)];
    struct sock_filter at = {.code = info->code, .k = random_constant(random)};
    if (left == 1)
        return (struct sock_filter){BPF_RET | BPF_K, 0, 0, at.k};
    switch (info->operation) {
    case OP_LOAD_FIELD:
        at.k = 4 * random_below(random, 16);
        break;
    case OP_LOAD_MEMORY:
    case OP_LOAD_X_MEMORY:
    case OP_STORE:
    case OP_STORE_X:
        at.k = random_below(random, 16);
        break;
    case OP_DIV:
        at.k = at.k ? at.k : 1;
        break;
    case OP_SHIFT_LEFT:
    case OP_SHIFT_RIGHT:
        at.k %= 32;
        break;
    case OP_JUMP:
        at.k = random_below(random, left - 1);
        break;
    default:
        if (is_conditional(info->operation)) {
            at.jt = random_distance(random, left);
            at.jf = random_distance(random, left);
        }
    }
    return at;
}

/* A program near the kernel's rules; `spoil` in 0..100: how often a field is overwritten blindly.
 */
static inline struct program random_program(struct random *random, struct arena *arena,
                                            uint32_t spoil)
{
    struct program program = {.name = "<random>", .length = 1 + random_below(random, 40)};
    program.code = NEW_ARRAY(arena, struct sock_filter, program.length);
    for (uint32_t i = 0; i < program.length; i++) {
        struct sock_filter *at = &program.code[i];
        *at = random_instruction(random, program.length - i);
        if (random_below(random, 100) >= spoil)
            continue;
        uint64_t noise = random_u64(random);
        switch (random_below(random, 4)) {
        case 0:
            at->code = (uint16_t)(noise % 8 ? noise & 0xff : noise);
            break;
        case 1:
            at->jt = (uint8_t)noise;
            break;
        case 2:
            at->jf = (uint8_t)noise;
            break;
        default:
            at->k = (uint32_t)noise;
        }
    }
    return program;
}

static inline bool same_code(const struct program *a, const struct program *b)
{
    return a->length == b->length && memcmp(a->code, b->code, a->length * sizeof a->code[0]) == 0;
}

#endif
