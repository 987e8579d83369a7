/* Random programs and inputs for the campaigns. Everything follows from the seed. */
#ifndef TESTS_CAMPAIGNS_GENERATE_H
#define TESTS_CAMPAIGNS_GENERATE_H

#include <dirent.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "sim/sim.h"

#define DRAFT_MOST (PROGRAM_MOST + 16u)
#define MEMORY_SLOTS 16u

/* A program under construction, with room for one that is too long. */
struct draft {
    struct sock_filter code[DRAFT_MOST];
    uint32_t length;
};

static inline struct program draft_program(struct draft *draft, const char *name)
{
    return (struct program){.name = name, .code = draft->code, .length = draft->length};
}

static inline bool one_in(struct random *random, uint32_t many)
{
    return random_below(random, many) == 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static inline uint32_t random_word(struct random *random)
{
    static const uint32_t edges[] = {
        0,          1,          2,          31,         32,         0x7f,       0x80,
        0xff,       0xffff,     0x10000,    0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000,
        0x80000001, 0xfffffffe, 0xffffffff, 0xc000003e, 0x40000003, 0xc00000b7, 0xfffff000,
    };
    switch (random_below(random, 4)) {
    case 0:
        return (uint32_t)random_u64(random);
    case 1:
        return random_below(random, 600); /* like a call's number */
    case 2:
        return 1u << random_below(random, 32);
    default:
        return edges[random_below(random, COUNT_OF(edges))];
    }
}

/* What a filter returns: known actions with and without data, rarely something else. */
static inline uint32_t random_verdict(struct random *random)
{
    if (one_in(random, 12))
        return random_word(random);
    const struct action_info *action = action_get((enum action)random_below(random, ACTION_COUNT));
    return action->word |
           (one_in(random, 3) ? random_below(random, 0x10000) : random_below(random, 40));
}

/* ---- programs that the kernel takes -------------------------------------------------------- */

/* What is known while a program is written front to back, as check_load_and_stores sees it. */
struct writer {
    struct random *random;
    struct draft *draft;
    uint16_t stored[DRAFT_MOST]; /* slots stored on every path that jumps here */
    uint16_t valid;
};

static inline uint32_t pick_stored_slot(struct writer *writer)
{
    uint32_t slot = random_below(writer->random, MEMORY_SLOTS);
    while (!(writer->valid & 1u << slot))
        slot = (slot + 1) % MEMORY_SLOTS;
    return slot;
}

/* How far to jump, mostly near, with `room` instructions behind the next one. */
static inline uint32_t pick_distance(struct random *random, uint32_t room, uint32_t most)
{
    uint32_t reach = one_in(random, 4) ? most : 8;
    if (reach > most)
        reach = most;
    return random_below(random, (room < reach ? room : reach) + 1);
}

static inline void write_jump(struct writer *writer, struct sock_filter *at,
                              enum operation operation, uint32_t index, uint32_t room)
{
    uint16_t *stored = &writer->stored[index + 1];
    if (operation == OP_JUMP) {
        at->k = pick_distance(writer->random, room, 4096);
        stored[at->k] &= writer->valid;
    } else {
        at->jt = (uint8_t)pick_distance(writer->random, room, 255);
        at->jf =
            (uint8_t)(one_in(writer->random, 2) ? 0 : pick_distance(writer->random, room, 255));
        if (one_in(writer->random, 3)) {
            uint8_t taken = at->jt;
            at->jt = at->jf;
            at->jf = taken;
        }
        stored[at->jt] &= writer->valid;
        stored[at->jf] &= writer->valid;
    }
    writer->valid = 0xffff;
}

static inline uint32_t write_constant(struct writer *writer, const struct instruction_info *info)
{
    struct random *random = writer->random;
    switch (info->operation) {
    case OP_LOAD_FIELD:
        return 4 * (one_in(random, 3) ? random_below(random, 2) : random_below(random, 16));
    case OP_STORE:
    case OP_STORE_X:
        return random_below(random, MEMORY_SLOTS);
    case OP_LOAD_MEMORY:
    case OP_LOAD_X_MEMORY:
        return pick_stored_slot(writer);
    case OP_SHIFT_LEFT:
    case OP_SHIFT_RIGHT:
        return info->operand_is_x ? random_word(random) : random_below(random, 32);
    case OP_RETURN:
        return random_verdict(random);
    case OP_DIV:
        return random_word(random) | 1;
    default:
        return random_word(random);
    }
}

/* Loads, compares and returns are what filters are made of: they come more often than the rest. */
static inline const struct instruction_info *pick_instruction(struct random *random)
{
    static const uint16_t frequent[] = {0x20, 0x20, 0x15, 0x15, 0x25, 0x35, 0x45, 0x06, 0x54};
    if (one_in(random, 2))
        return instruction_info(frequent[random_below(random, COUNT_OF(frequent))]);
    size_t count;
    const struct instruction_info *table = instruction_table(&count);
    return &table[random_below(random, (uint32_t)count)];
}

static inline bool fits(const struct writer *writer, const struct instruction_info *info)
{
    enum operation operation = info->operation;
    bool loads_memory = operation == OP_LOAD_MEMORY || operation == OP_LOAD_X_MEMORY;
    if (loads_memory && writer->valid == 0)
        return false;
    return !is_return(operation) || one_in(writer->random, 8);
}

static inline void write_instruction(struct writer *writer, uint32_t index, uint32_t last)
{
    const struct instruction_info *info = pick_instruction(writer->random);
    writer->valid &= writer->stored[index];
    while (!fits(writer, info))
        info = pick_instruction(writer->random);
    struct sock_filter *at = &writer->draft->code[index];
    *at = (struct sock_filter){.code = info->code};
    at->k = write_constant(writer, info);
    if (info->operation == OP_STORE || info->operation == OP_STORE_X)
        writer->valid |= (uint16_t)(1u << at->k);
    if (info->operation == OP_JUMP || is_conditional(info->operation))
        write_jump(writer, at, info->operation, index, last - index - 1);
}

static inline uint32_t pick_length(struct random *random)
{
    switch (random_below(random, 60)) {
    case 0:
        return 1 + random_below(random, 1000);
    case 1:
    case 2:
        return 1 + random_below(random, 300);
    default:
        return 1 + random_below(random, 40);
    }
}

/* Appends `length` instructions that end in a return; every jump stays among them. */
static inline void draft_append_valid(struct random *random, struct draft *draft, uint32_t length)
{
    struct writer writer = {.random = random, .draft = draft};
    uint32_t last = draft->length + length - 1;
    memset(writer.stored, 0xff, sizeof writer.stored);
    for (uint32_t i = draft->length; i < last; i++)
        write_instruction(&writer, i, last);
    draft->code[last] = one_in(random, 4)
                            ? (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0)
                            : (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, random_verdict(random));
    draft->length = last + 1;
}

static inline void draft_valid(struct random *random, struct draft *draft)
{
    draft->length = 0;
    draft_append_valid(random, draft, pick_length(random));
}

/* ---- programs that it may not take --------------------------------------------------------- */

static inline uint16_t random_code(struct random *random)
{
    static const uint16_t sockets_only[] = {0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x94, 0x9c, 0x0e};
    switch (random_below(random, 6)) {
    case 0:
        return (uint16_t)random_u64(random);
    case 1:
        return (uint16_t)random_below(random, 256);
    case 2:
        return sockets_only[random_below(random, COUNT_OF(sockets_only))];
    default:
        return pick_instruction(random)->code;
    }
}

static inline void mutate_field(struct random *random, struct sock_filter *at, uint32_t left)
{
    switch (random_below(random, 8)) {
    case 0:
        at->code = random_code(random);
        break;
    case 6: /* a slot that may not have been stored */
        at->code = one_in(random, 2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM;
        at->k = random_below(random, MEMORY_SLOTS + 1);
        break;
    case 7: /* a divisor or shift at the edge */
        at->code = (uint16_t)(BPF_ALU | (one_in(random, 2)   ? BPF_DIV
                                         : one_in(random, 2) ? BPF_LSH
                                                             : BPF_RSH));
        at->k = one_in(random, 2) ? 0 : 31 + random_below(random, 2);
        break;
    case 1:
        at->code ^= (uint16_t)(1u << random_below(random, 16));
        break;
    case 2:
        at->jt = (uint8_t)(one_in(random, 2) ? random_u64(random) : left - random_below(random, 4));
        break;
    case 3:
        at->jf = (uint8_t)(one_in(random, 2) ? random_u64(random) : left - random_below(random, 4));
        break;
    case 4:
        at->k = one_in(random, 2) ? random_word(random) : left - random_below(random, 4);
        break;
    default:
        at->k = random_below(random, 70);
        break;
    }
}

static inline void mutate_shape(struct random *random, struct draft *draft)
{
    uint32_t at = random_below(random, draft->length);
    switch (random_below(random, 4)) {
    case 0: /* cut the end off, perhaps all of it */
        draft->length = at;
        break;
    case 1: /* leave one out */
        memmove(&draft->code[at], &draft->code[at + 1],
                (draft->length - at - 1) * sizeof draft->code[0]);
        draft->length--;
        break;
    case 2: { /* swap two */
        uint32_t other = random_below(random, draft->length);
        struct sock_filter kept = draft->code[at];
        draft->code[at] = draft->code[other];
        draft->code[other] = kept;
        break;
    }
    default: /* grow to about the longest that is allowed */
        if (!one_in(random, 20))
            break;
        for (uint32_t most = PROGRAM_MOST - 2 + random_below(random, 5); draft->length < most;)
            draft->code[draft->length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
        break;
    }
}

/* One or two small changes, which an admission check must get exactly right. */
static inline void draft_mutate(struct random *random, struct draft *draft)
{
    uint32_t changes = 1 + random_below(random, 2);
    for (uint32_t i = 0; i < changes && draft->length > 0; i++) {
        uint32_t at = random_below(random, draft->length);
        if (one_in(random, 6))
            mutate_shape(random, draft);
        else
            mutate_field(random, &draft->code[at], draft->length - at);
    }
}

static inline void draft_random(struct random *random, struct draft *draft)
{
    draft->length = random_below(random, 24);
    for (uint32_t i = 0; i < draft->length; i++)
        draft->code[i] = (struct sock_filter){
            .code = random_code(random),
            .jt = (uint8_t)random_below(random, one_in(random, 4) ? 256 : 6),
            .jf = (uint8_t)random_below(random, one_in(random, 4) ? 256 : 6),
            .k = one_in(random, 2) ? random_below(random, 20) : random_word(random),
        };
    if (draft->length > 0 && !one_in(random, 4))
        draft->code[draft->length - 1].code = BPF_RET | BPF_K;
}

/* ---- filters that others wrote -------------------------------------------------------------- */

struct corpus {
    VECTOR(struct program) programs;
};

/* Reads the raw little-endian filters in the directory that BPFPROOF_CORPUS names, if it names one.
 */
static inline void corpus_read(struct arena *arena, struct corpus *corpus)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const char *directory = getenv("BPFPROOF_CORPUS");
    DIR *open = directory ? opendir(directory) : NULL;
    for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open)) {
        const struct source *source;
        const char *path = arena_printf(arena, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] == '.' || failed(file_read(arena, path, &diagnostics, &source)))
            continue;
        size_t length = source->length / sizeof(struct sock_filter);
        if (length == 0 || length > PROGRAM_MOST || source->length % sizeof(struct sock_filter))
            continue;
        vector_push(arena, &corpus->programs,
                    (struct program){.name = path,
                                     .code = arena_copy(arena, source->text, source->length),
                                     .length = (uint32_t)length});
    }
    if (open)
        (void)closedir(open);
    if (corpus->programs.count > 0)
        printf("# with %zu filters of %s\n", corpus->programs.count, directory);
}

/* ---- inputs -------------------------------------------------------------------------------- */

/* A constant of the program or its neighbour: where verdicts change. */
static inline uint32_t near_constant(struct random *random, const struct program *program)
{
    const struct sock_filter *at = &program->code[random_below(random, program->length)];
    switch (random_below(random, 5)) {
    case 0:
        return random_word(random);
    case 1:
        return at->k + 1;
    case 2:
        return at->k - 1;
    case 3:
        return at->k | (uint32_t)random_u64(random);
    default:
        return at->k;
    }
}

static inline struct input random_input(struct random *random, const struct program *program)
{
    struct input input = {0};
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        if (!one_in(random, 4))
            input_set_field(&input, (enum field)field, near_constant(random, program));
    return input;
}

/* ---- size of a campaign -------------------------------------------------------------------- */

struct campaign {
    uint64_t count;
    uint64_t seed;
};

/* Arguments: [COUNT] [SEED]. Without a count: all of it when BPFPROOF_SCALE is "full", else a
 * tenth. */
static inline struct campaign campaign_from(int argc, char **argv, uint64_t full)
{
    const char *scale = getenv("BPFPROOF_SCALE");
    bool all = scale && strcmp(scale, "full") == 0;
    struct campaign campaign = {.count = all ? full : full / 10, .seed = 1};
    if (argc > 1)
        campaign.count = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        campaign.seed = strtoull(argv[2], NULL, 0);
    return campaign;
}

static inline void print_program(const struct program *program)
{
    for (uint32_t i = 0; i < program->length; i++)
        printf("#   { 0x%02x, %u, %u, 0x%08x },\n", program->code[i].code, program->code[i].jt,
               program->code[i].jf, program->code[i].k);
}

#endif
