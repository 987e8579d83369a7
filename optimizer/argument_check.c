/* Whether tests of one word mean a switch, for all 2^32 values: independent of how they were found.
 *
 * The word's bits are read from the top. At each place a test is in one of three states: its masked
 * word is equal to its constant so far, below it or above it (a bit test: nothing found so far, or
 * something). Of the switch, the outcomes that are still possible are an interval. What follows
 * depends on nothing else, so that each combination of states is looked at once for each place. */
#include <string.h>

#include "optimizer/argument_search.h"

/* Two bits of the key for each test. */
#define CHECKED_TESTS_MOST 48u
#define STATES_MOST 40000u
#define STATE_SLOTS 1024u /* at first */

enum test_state { STATE_EQUAL, STATE_BELOW, STATE_ABOVE };

struct checked_test {
    const struct block *block;
    int yes, no; /* an index, or -1 - the target's */
};

struct state {
    uint64_t tests[2];
    uint32_t low, high; /* the outcomes that are possible */
    uint64_t place;     /* bits still to be read, and 1: 0 is no state */
};

struct checker {
    const struct argument_meaning *meaning;
    struct checked_test tests[CHECKED_TESTS_MOST];
    size_t count;
    const struct block *targets[64];
    size_t target_count;
    struct arena *arena;
    struct state *seen; /* open addressing */
    size_t seen_count, slots;
    uint32_t tops;
    bool unknown;
};

/* ---- the tests below a block ---------------------------------------------------------------- */

static bool is_target(const struct argument_meaning *meaning, const struct block *block)
{
    for (size_t i = 0; i < meaning->list->count; i++) {
        if (meaning->list->items[i].target == block)
            return true;
    }
    return false;
}

static int target_index(struct checker *checker, const struct block *block)
{
    for (size_t i = 0; i < checker->target_count; i++) {
        if (checker->targets[i] == block)
            return -1 - (int)i;
    }
    if (checker->target_count == COUNT_OF(checker->targets)) {
        checker->unknown = true;
        return -1;
    }
    checker->targets[checker->target_count++] = block;
    return -(int)checker->target_count;
}

/* A new test is pushed, to be looked at in its turn. */
static int place_of(struct checker *checker, const struct block *block)
{
    bool returns = block->kind == BLOCK_RETURN || block->kind == BLOCK_RETURN_A;
    if (returns || is_target(checker->meaning, block))
        return target_index(checker, block);
    for (size_t i = 0; i < checker->count; i++) {
        if (checker->tests[i].block == block)
            return (int)i;
    }
    bool tests = block->kind == BLOCK_TEST && block->accumulator == ACCUMULATOR_FIELD &&
                 block->field == checker->meaning->field && !block->operand;
    if (!tests || checker->count == CHECKED_TESTS_MOST) {
        checker->unknown = true;
        return -1;
    }
    checker->tests[checker->count++].block = block;
    return (int)checker->count - 1;
}

static void collect(struct checker *checker, const struct block *root)
{
    place_of(checker, root);
    for (size_t i = 0; i < checker->count && !checker->unknown; i++) {
        checker->tests[i].yes = place_of(checker, checker->tests[i].block->yes);
        checker->tests[i].no = place_of(checker, checker->tests[i].block->no);
    }
}

/* ---- states --------------------------------------------------------------------------------- */

static enum test_state state_of(const struct state *state, size_t test)
{
    return (enum test_state)(state->tests[test / 32] >> (test % 32 * 2) & 3);
}

static void state_set(struct state *state, size_t test, enum test_state value)
{
    state->tests[test / 32] |= (uint64_t)value << (test % 32 * 2);
}

static enum test_state compare_bit(bool bit, bool other)
{
    return bit == other ? STATE_EQUAL : bit ? STATE_ABOVE : STATE_BELOW;
}

static enum test_state test_after(const struct block *block, unsigned place, bool bit)
{
    bool masked = bit && (block->mask >> place & 1), constant = block->constant >> place & 1;
    if (block->test == TEST_SET)
        return masked && constant ? STATE_ABOVE : STATE_EQUAL;
    return compare_bit(masked, constant);
}

/* Of the outcomes low..high, those whose values can go on with this bit. All of them but the first
 * begin with the bits that were read. */
static void narrow(const struct argument_meaning *meaning, struct state *state, unsigned place,
                   bool bit)
{
    bool masked = bit && (meaning->mask >> place & 1);
    const struct outcome *items = meaning->list->items;
    while (state->low < state->high &&
           compare_bit(masked, items[state->high].first >> place & 1) == STATE_BELOW)
        state->high--;
    for (uint32_t next = state->low + 1; next <= state->high; next++) {
        if (compare_bit(masked, items[next].first >> place & 1) == STATE_ABOVE)
            state->low = next;
    }
}

static struct state state_after(const struct checker *checker, const struct state *state, bool bit)
{
    struct state after = {.low = state->low, .high = state->high, .place = state->place - 1};
    unsigned place = (unsigned)state->place - 2;
    for (size_t i = 0; i < checker->count; i++) {
        enum test_state now = state_of(state, i);
        state_set(&after, i,
                  now != STATE_EQUAL ? now : test_after(checker->tests[i].block, place, bit));
    }
    narrow(checker->meaning, &after, place, bit);
    return after;
}

/* ---- the end -------------------------------------------------------------------------------- */

static bool holds(const struct block *block, enum test_state state)
{
    switch (block->test) {
    case TEST_EQUAL:
        return state == STATE_EQUAL;
    case TEST_GREATER:
        return state == STATE_ABOVE;
    case TEST_GREATER_EQUAL:
        return state != STATE_BELOW;
    case TEST_SET:
        return state == STATE_ABOVE;
    }
    return false;
}

/* All bits are read: what was equal so far is equal. */
static bool goes_right(const struct checker *checker, const struct block *root,
                       const struct state *state)
{
    const struct block *wanted = checker->meaning->list->items[state->high].target;
    if (!checker->count)
        return root == wanted;
    int at = 0;
    while (at >= 0) {
        const struct checked_test *test = &checker->tests[at];
        at = holds(test->block, state_of(state, (size_t)at)) ? test->yes : test->no;
    }
    return checker->targets[-1 - at] == wanted;
}

static size_t slot_of(const struct checker *checker, const struct state *state)
{
    uint64_t place = (uint64_t)state->low << 40 | (uint64_t)state->high << 8 | state->place;
    uint64_t hash = state->tests[0] * 0x9e3779b97f4a7c15u ^ state->tests[1] * 0xc2b2ae3d27d4eb4fu ^
                    place * 0x165667b19e3779f9u;
    size_t slot = (hash ^ hash >> 31) & (checker->slots - 1);
    while (checker->seen[slot].place && memcmp(&checker->seen[slot], state, sizeof *state))
        slot = (slot + 1) & (checker->slots - 1);
    return slot;
}

static void make_room(struct checker *checker)
{
    if (checker->seen_count * 2 < checker->slots)
        return;
    struct state *old = checker->seen;
    size_t slots = checker->slots;
    checker->slots = slots ? slots * 2 : STATE_SLOTS;
    checker->seen = NEW_ARRAY(checker->arena, struct state, checker->slots);
    for (size_t i = 0; i < slots; i++) {
        if (old[i].place)
            checker->seen[slot_of(checker, &old[i])] = old[i];
    }
}

static bool is_new(struct checker *checker, const struct state *state)
{
    make_room(checker);
    size_t slot = slot_of(checker, state);
    if (checker->seen[slot].place)
        return false;
    checker->unknown = ++checker->seen_count > STATES_MOST;
    checker->seen[slot] = *state;
    return true;
}

/* False: a value that begins with `value`'s upper bits goes wrong, and is `value`. 32 deep. */
static bool all_go_right(struct checker *checker, const struct block *root,
                         const struct state *state, uint32_t *value)
{
    if (checker->unknown || !is_new(checker, state))
        return true;
    if (state->place == 1)
        return goes_right(checker, root, state);
    unsigned place = (unsigned)state->place - 2;
    bool first = place < 31 && !(checker->tops >> place & 1) && (*value >> (place + 1) & 1);
    for (unsigned turn = 0; turn < 2; turn++) {
        bool bit = first != (turn == 1);
        struct state after = state_after(checker, state, bit);
        uint32_t begun = *value | (uint32_t)bit << place;
        if (!all_go_right(checker, root, &after, &begun)) {
            *value = begun;
            return false;
        }
    }
    return true;
}

enum checked argument_check(struct arena *arena, const struct block *root,
                            const struct argument_meaning *meaning, uint32_t tops, uint32_t *wrong)
{
    struct checker *checker = NEW(arena, struct checker);
    checker->arena = arena;
    checker->meaning = meaning;
    checker->tops = tops;
    collect(checker, root);
    if (checker->unknown)
        return CHECKED_UNKNOWN;
    struct state start = {.high = (uint32_t)meaning->list->count - 1, .place = 33};
    uint32_t value = 0;
    if (!all_go_right(checker, root, &start, &value)) {
        if (wrong)
            *wrong = value;
        return CHECKED_WRONG;
    }
    return checker->unknown ? CHECKED_UNKNOWN : CHECKED_RIGHT;
}
