/* Trees of tests of the number, made by hand or at random, and walks through them. */
#ifndef TESTS_OPTIMIZER_TREES_H
#define TESTS_OPTIMIZER_TREES_H

#include "tests/unit/support.h"

#include "optimizer/switch.h"

struct bench {
    struct shaper shaper;
    struct effort effort;
    struct windows windows;
};

static const struct shape_options options = {.level = OPTIMIZE_3};
static const struct tested number = {
    .accumulator = ACCUMULATOR_FIELD, .field = FIELD_NR, .mask = 0xffffffffu};

static inline void open_bench(struct fixture *fixture, struct bench *bench, uint64_t work)
{
    bench->effort = effort_of(OPTIMIZE_3);
    bench->effort.polish_work = work;
    bench->windows = (struct windows){.arena = fixture->arena};
    bench->shaper = (struct shaper){.arena = fixture->arena,
                                    .options = &options,
                                    .effort = &bench->effort,
                                    .windows = &bench->windows};
}

static inline struct block *test(struct bench *bench, enum test_operation operation,
                                 uint32_t constant, struct block *yes, struct block *no)
{
    return block_test(&bench->shaper, &number, operation, constant, yes, no);
}

static inline const struct block *leaf_of(const struct block *block, uint32_t value)
{
    for (;;) {
        if (block->kind == BLOCK_MASK) {
            value &= block->constant;
            block = block->yes;
        } else if (block_tests(block, &number)) {
            block = block_holds(block, value) ? block->yes : block->no;
        } else {
            return block;
        }
    }
}

static inline struct block *random_tree(struct bench *bench, struct random *random, unsigned depth)
{
    if (depth == 0 || random_below(random, 6) == 0)
        return block_return(&bench->shaper, 1 + random_below(random, 3));
    enum test_operation operation = (enum test_operation)random_below(random, 4);
    struct block *yes = random_tree(bench, random, depth - 1);
    struct block *no = random_tree(bench, random, depth - 1);
    return test(bench, operation, 1 + random_below(random, 120), yes, no);
}

static inline unsigned half_jumps_to(const struct block *block, uint32_t value)
{
    unsigned jumps = 0;
    while (block_tests(block, &number)) {
        bool holds = block_holds(block, value);
        jumps += half_jumps(block, holds);
        block = holds ? block->yes : block->no;
    }
    return jumps;
}

#endif
