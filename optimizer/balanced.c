/* The simplest shape of a switch: a balanced tree of interval tests, with short chains of equality
 * tests for leaves. */
#include "optimizer/shape.h"

/* Equality tests in a chain before a split is better; the architectures of a policy are always a
 * chain, in front of everything. */
#define CHAIN_MOST 4u
#define ARCH_CHAIN_MOST 16u

/* How many equality tests settle all outcomes but those of `rest`; CHAIN_MOST + 1 or more when one
 * of the others is a range. */
static size_t chain_length(const struct outcome *outcomes, size_t count, const struct block *rest,
                           size_t most)
{
    size_t length = 0;
    for (size_t i = 0; i < count && length <= most; i++) {
        if (outcomes[i].target == rest)
            continue;
        length = outcomes[i].first == outcomes[i].last ? length + 1 : most + 1;
    }
    return length;
}

/* The outcome that the chain ends with: that of a range, which no equality test can settle; else
 * the one that leaves the shortest chain. */
static struct block *chain_end(const struct outcome *outcomes, size_t count, size_t most,
                               size_t *length)
{
    struct block *best = NULL;
    *length = most + 1;
    for (size_t i = 0; i < count; i++) {
        size_t here = chain_length(outcomes, count, outcomes[i].target, most);
        if (here < *length) {
            *length = here;
            best = outcomes[i].target;
        }
    }
    return best;
}

static struct block *chain(struct shaper *shaper, const struct tested *tested,
                           const struct outcome *outcomes, size_t count, struct block *rest)
{
    struct block *block = rest;
    for (size_t i = count; i-- > 0;) {
        if (outcomes[i].target != rest)
            block = block_test(shaper, tested, TEST_EQUAL, outcomes[i].first, outcomes[i].target,
                               block);
    }
    return block;
}

/* Recursive, as deep as the logarithm of `count`. */
struct block *shape_balanced(struct shaper *shaper, const struct tested *tested,
                             const struct outcome *outcomes, size_t count)
{
    if (count == 1)
        return outcomes[0].target;
    size_t most = tested->field == FIELD_ARCH ? ARCH_CHAIN_MOST : CHAIN_MOST;
    if (count <= 2 * most + 1) {
        size_t length;
        struct block *rest = chain_end(outcomes, count, most, &length);
        if (rest && length < count - 1 + (count == 2))
            return chain(shaper, tested, outcomes, count, rest);
    }
    size_t middle = count / 2;
    struct block *above = shape_balanced(shaper, tested, outcomes + middle, count - middle);
    struct block *below = shape_balanced(shaper, tested, outcomes, middle);
    return block_test(shaper, tested, TEST_GREATER_EQUAL, outcomes[middle].first, above, below);
}
