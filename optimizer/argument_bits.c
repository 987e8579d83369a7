/* Dense irregular sets: words of 32 values, each one test of 1 << (A & 31) against the set's bits.
 */
#include "optimizer/argument.h"

/* A word is two bounds at most, AND, TAX, LD, LSH and JSET: worth it from here on. Words behind
 * each other share their bounds. */
#define WORTH_TESTS 8u
#define WORTH_TESTS_OF_MANY 6u
#define WORD_VALUES 32u

/* 1 << (field & 31): one pointer for each field, as blocks need it. */
static const struct word *bit_of(struct shaper *shaper, enum field field)
{
    const struct word **known = &shaper->arguments->bits[field];
    if (*known)
        return *known;
    struct word *parts = NEW_ARRAY(shaper->arena, struct word, 5);
    parts[0] = (struct word){.operator= WORD_FIELD, .field = field};
    parts[1] = (struct word){.operator= WORD_CONSTANT, .constant = WORD_VALUES - 1};
    parts[2] = (struct word){.operator= WORD_AND, .left = &parts[0], .right = &parts[1]};
    parts[3] = (struct word){.operator= WORD_CONSTANT, .constant = 1};
    parts[4] = (struct word){.operator= WORD_SHIFT_LEFT, .left = &parts[3], .right = &parts[2]};
    *known = &parts[4];
    return *known;
}

/* Values close to each other, all of one target, and what they take in a chain. */
struct cluster {
    size_t end; /* the outcome behind it */
    uint32_t first, last;
    size_t tests;
    struct block *target;
};

/* Takes outcomes from number `from` on that lie within a word's width behind the one
 * before, the whole within `widest`. */
static struct cluster cluster_at(const struct outcome_list *list, size_t from,
                                 const struct block *rest, uint32_t widest)
{
    const struct outcome *start = &list->items[from];
    struct cluster cluster = {0, start->first, start->first, 0, start->target};
    for (size_t i = from; i < list->count; i++) {
        const struct outcome *one = &list->items[i];
        if (one->target == rest)
            continue;
        bool near = i == from || one->first - cluster.last <= WORD_VALUES;
        if (one->target != cluster.target || !near || one->last - cluster.first >= widest)
            break;
        cluster.last = one->last;
        cluster.tests += is_single(one) ? 1 : 2;
        cluster.end = i + 1;
    }
    return cluster;
}

static bool is_dense(const struct cluster *cluster)
{
    size_t words = (cluster->last - cluster->first) / WORD_VALUES + 1;
    size_t worth = words == 1 ? WORTH_TESTS : words * WORTH_TESTS_OF_MANY;
    return cluster->end > 0 && cluster->tests >= worth;
}

static struct block *word_block(struct shaper *shaper, const struct tested *tested,
                                const struct outcome_list *list, uint32_t first, uint32_t last,
                                struct block *target, struct block *rest)
{
    uint32_t set = 0;
    for (uint32_t value = first; value - first <= last - first; value++) {
        if (outcomes_target(list, value) == target)
            set |= 1u << (value & (WORD_VALUES - 1));
        if (value == 0xffffffffu)
            break;
    }
    if (!set)
        return rest;
    struct tested bit = {.accumulator = ACCUMULATOR_WORD, .value = bit_of(shaper, tested->field)};
    return block_test(shaper, &bit, TEST_SET, set, target, rest);
}

static void cluster_to_words(struct shaper *shaper, const struct tested *tested,
                             const struct outcome_list *list, const struct cluster *cluster,
                             struct block *rest, struct outcome_list *words)
{
    uint32_t first = cluster->first, left = cluster->last - cluster->first;
    for (;;) {
        uint32_t last = left < WORD_VALUES ? cluster->last : first + (WORD_VALUES - 1);
        struct block *block = word_block(shaper, tested, list, first, last, cluster->target, rest);
        *words = outcomes_assign(shaper->arena, words, first, last, block);
        if (left < WORD_VALUES)
            return;
        left -= WORD_VALUES;
        first += WORD_VALUES;
    }
}

/* The widest cluster that is dense, else the word that begins here. */
static const uint32_t widths[] = {1024, 256, 128, 64, WORD_VALUES};

bool outcomes_to_bit_tests(struct shaper *shaper, const struct tested *tested,
                           const struct outcome_list *list, struct outcome_list *words)
{
    struct block *rest = outcomes_rest(list);
    bool found = false;
    *words = *list;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].target == rest)
            continue;
        for (size_t width = 0; width < COUNT_OF(widths); width++) {
            struct cluster cluster = cluster_at(list, i, rest, widths[width]);
            if (!is_dense(&cluster))
                continue;
            cluster_to_words(shaper, tested, list, &cluster, rest, words);
            found = true;
            i = cluster.end - 1;
            break;
        }
    }
    return found;
}
