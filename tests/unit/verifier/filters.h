/* What the verifier's tests share: programs written down, random ones, and inputs that sit on their
 * edges. */
#ifndef TESTS_FILTERS_H
#define TESTS_FILTERS_H

#include <stdlib.h>
#include <unistd.h>

#include "unit/support.h"
#include "verifier/verifier.h"

#define ALLOW 0x7fff0000u
#define KILL 0x80000000u
#define ERRNO(n) (0x00050000u | (n))
#define TOKEN_X86_64 0xc000003eu
#define TOKEN_I386 0x40000003u

#define LD(offset)                                                                                 \
    {                                                                                              \
        BPF_LD | BPF_W | BPF_ABS, 0, 0, (offset)                                                   \
    }
#define LD_NR LD(0)
#define LD_ARCH LD(4)
#define LD_ARG(n) LD(16 + 8 * (n))
#define LD_ARG_HIGH(n) LD(20 + 8 * (n))
#define ALU(op, k)                                                                                 \
    {                                                                                              \
        BPF_ALU | (op) | BPF_K, 0, 0, (k)                                                          \
    }
#define ALU_X(op)                                                                                  \
    {                                                                                              \
        BPF_ALU | (op) | BPF_X, 0, 0, 0                                                            \
    }
#define JUMP_IF(op, k, yes, no)                                                                    \
    {                                                                                              \
        BPF_JMP | (op) | BPF_K, (yes), (no), (k)                                                   \
    }
#define JUMP_IF_X(op, yes, no)                                                                     \
    {                                                                                              \
        BPF_JMP | (op) | BPF_X, (yes), (no), 0                                                     \
    }
#define RET(k)                                                                                     \
    {                                                                                              \
        BPF_RET | BPF_K, 0, 0, (k)                                                                 \
    }
#define RET_A                                                                                      \
    {                                                                                              \
        BPF_RET | BPF_A, 0, 0, 0                                                                   \
    }
#define TAX                                                                                        \
    {                                                                                              \
        BPF_MISC | BPF_TAX, 0, 0, 0                                                                \
    }
#define TXA                                                                                        \
    {                                                                                              \
        BPF_MISC | BPF_TXA, 0, 0, 0                                                                \
    }
#define LD_IMM(k)                                                                                  \
    {                                                                                              \
        BPF_LD | BPF_IMM, 0, 0, (k)                                                                \
    }
#define LDX_IMM(k)                                                                                 \
    {                                                                                              \
        BPF_LDX | BPF_IMM, 0, 0, (k)                                                               \
    }
#define ST(k)                                                                                      \
    {                                                                                              \
        BPF_ST, 0, 0, (k)                                                                          \
    }
#define LD_MEM(k)                                                                                  \
    {                                                                                              \
        BPF_LD | BPF_MEM, 0, 0, (k)                                                                \
    }

#define PROGRAM(variable, ...)                                                                     \
    struct sock_filter variable##_code[] = {__VA_ARGS__};                                          \
    const struct program variable##_program = {#variable, variable##_code,                         \
                                               COUNT_OF(variable##_code), false};                  \
    const struct side variable = {#variable, NULL, &variable##_program, 1};                        \
    assert_int_equal(check_program(&variable##_program).rule, CHECK_ACCEPTED)

static inline struct proof_options options_in(double seconds)
{
    return (struct proof_options){.limits = {.deadline = deadline_in(seconds)}};
}

static inline struct side side_of_policy(const struct policy *policy)
{
    return (struct side){.name = "policy", .policy = policy};
}

/* ---- random programs ------------------------------------------------------------------------- */

struct making {
    struct random random;
    struct sock_filter code[64];
    uint32_t length;
    bool odd; /* arithmetic, memory, X, RET A */
};

static inline uint32_t pick(struct random *random, const uint32_t *from, size_t count)
{
    return from[random_below(random, (uint32_t)count)];
}

static inline uint32_t random_constant(struct random *random)
{
    static const uint32_t some[] = {
        0,         1,          2,          3,          4,          7,          8,
        16,        0x40000000, 0x40000001, 0x80000000, 0xffffffff, 0x7fffffff, TOKEN_X86_64,
        TOKEN_I386};
    return pick(random, some, COUNT_OF(some));
}

static inline uint32_t random_verdict(struct random *random)
{
    static const uint32_t some[] = {ALLOW, KILL, ERRNO(1), 0};
    return pick(random, some, COUNT_OF(some));
}

static inline struct sock_filter random_load(struct making *m)
{
    static const uint32_t offsets[] = {0, 0, 0, 4, 4, 16, 16, 20, 24, 28, 8};
    return (struct sock_filter)LD(pick(&m->random, offsets, COUNT_OF(offsets)));
}

static inline struct sock_filter random_odd(struct making *m)
{
    static const uint16_t operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR,
                                          BPF_XOR, BPF_LSH, BPF_RSH, BPF_DIV};
    uint16_t operation = operations[random_below(&m->random, COUNT_OF(operations))];
    uint32_t constant = random_below(&m->random, 5);
    switch (random_below(&m->random, 9)) {
    case 0:
        return (struct sock_filter)TAX;
    case 1:
        return (struct sock_filter)TXA;
    case 2:
        return (struct sock_filter)ST(random_below(&m->random, 2));
    case 3:
        return (struct sock_filter)LD_MEM(random_below(&m->random, 2));
    case 4:
        return (struct sock_filter)LDX_IMM(random_below(&m->random, 40));
    case 5:
        return (struct sock_filter)ALU_X(operation);
    case 6:
        return (struct sock_filter){BPF_ALU | BPF_NEG, 0, 0, 0};
    case 7:
        return (struct sock_filter)LD_IMM(random_constant(&m->random));
    default:
        return (struct sock_filter)ALU(operation, operation == BPF_DIV && !constant ? 1 : constant);
    }
}

static inline struct sock_filter random_jump(struct making *m, uint32_t left)
{
    static const uint16_t operations[] = {BPF_JEQ, BPF_JEQ, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    uint16_t operation = operations[random_below(&m->random, COUNT_OF(operations))];
    uint8_t yes = (uint8_t)random_below(&m->random, left),
            no = (uint8_t)random_below(&m->random, left);
    if (m->odd && random_below(&m->random, 8) == 0)
        return (struct sock_filter)JUMP_IF_X(operation, yes, no);
    return (struct sock_filter)JUMP_IF(operation, random_constant(&m->random), yes, no);
}

static inline struct sock_filter random_instruction(struct making *m, uint32_t left)
{
    uint32_t kind = random_below(&m->random, 20);
    if (kind < 5)
        return random_load(m);
    if (kind < 13 && left > 1)
        return random_jump(m, left < 12 ? left : 12);
    if (kind == 13)
        return (struct sock_filter)ALU(BPF_AND, random_constant(&m->random));
    if (kind == 14 && m->odd)
        return (struct sock_filter)RET_A;
    if (kind < 17 && m->odd)
        return random_odd(m);
    if (kind < 18 && left > 1)
        return random_jump(m, left < 4 ? left : 4);
    return (struct sock_filter)RET(random_verdict(&m->random));
}

/* A program that the kernel accepts. */
static inline struct program random_program(struct arena *arena, struct random *random, bool odd)
{
    struct making m = {.random = *random, .odd = odd};
    struct program program = {.name = "random"};
    do {
        m.length = 4 + random_below(&m.random, odd ? 22 : 32);
        for (uint32_t i = 0; i + 1 < m.length; i++)
            m.code[i] = i == 0 ? random_load(&m) : random_instruction(&m, m.length - i - 1);
        m.code[m.length - 1] = (struct sock_filter)RET(random_verdict(&m.random));
        program.code = m.code;
        program.length = m.length;
    } while (check_program(&program).rule != CHECK_ACCEPTED);
    program.code = arena_copy(arena, m.code, m.length * sizeof *m.code);
    *random = m.random;
    return program;
}

/* The same with one field of one instruction changed; still accepted. */
static inline struct program mutated(struct arena *arena, struct random *random,
                                     const struct program *program)
{
    struct program mutant = *program;
    do {
        mutant.code = arena_copy(arena, program->code, program->length * sizeof *program->code);
        struct sock_filter *at = &mutant.code[random_below(random, program->length)];
        switch (random_below(random, 5)) {
        case 0:
            at->k += random_below(random, 2) ? 1 : UINT32_MAX;
            break;
        case 1:
            at->k = random_constant(random);
            break;
        case 2:
            at->jt = (uint8_t)random_below(random, 6);
            break;
        case 3:
            at->jf = (uint8_t)random_below(random, 6);
            break;
        default:
            at->code ^= (uint16_t)(1u << (3 + random_below(random, 5)));
            break;
        }
    } while (check_program(&mutant).rule != CHECK_ACCEPTED);
    return mutant;
}

/* ---- inputs on the edges of programs
 * -------------------------------------------------------------- */

static inline uint32_t edge_word(struct random *random, const struct program *program)
{
    uint32_t k = program->code[random_below(random, program->length)].k;
    switch (random_below(random, 6)) {
    case 0:
        return k + 1;
    case 1:
        return k - 1;
    case 2:
        return k ^ (UINT32_C(1) << random_below(random, 32));
    case 3:
        return random_constant(random);
    case 4:
        return (uint32_t)random_u64(random);
    default:
        return k;
    }
}

static inline struct input edge_input(struct random *random, const struct program *program)
{
    struct input input = {0};
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        if (random_below(random, 4))
            input_set_field(&input, (enum field)field, edge_word(random, program));
    if (random_below(random, 2))
        input.arch = random_below(random, 2) ? TOKEN_X86_64 : TOKEN_I386;
    return input;
}

#endif
