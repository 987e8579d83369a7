/* A cheaper tree for a switch on an argument, by search: samples, the smallest tree for them, a
 * look at all values, the value on which it is wrong as one more sample, and so on. It ends with a
 * tree that is right, or with the certainty that none is smaller than the one there is, or without
 * work. Nothing is timed, so that the result is the same everywhere. */
#include "optimizer/argument_search.h"
#include "optimizer/switch.h"

/* One search gets this part of the work that is left. */
#define WORK_SHARE 3u
/* Blocks that are looked at for what stands. */
#define BLOCKS_A_WORK 8u
/* Smaller switches only. */
#define OUTCOMES_MOST 40u
#define TARGETS_MOST 6u
/* What is larger than this will not come down to STEPS_MOST. */
#define SIZE_MOST 24u

/* Cheaper by less than this is not cheaper. */
#define SLACK 1e-9
/* A part of the work of one search goes to trees that share a test. */
#define WORK_FOR_SHARED 100000u

struct argument_search {
    struct shaper *shaper;
    struct arena *arena; /* for what dies with the search */
    const struct tested *tested;
    const struct outcome_list *list;
    struct argument_meaning meaning;
    struct synthesis *synthesis;
    struct block *leaves[LEAVES_MOST];
    bool *standing; /* by block id */
    const struct node_values *values;
    uint64_t shared_work;
};

/* ---- what a tree costs ---------------------------------------------------------------------- */

static bool is_target(const struct argument_search *search, const struct block *block)
{
    for (size_t i = 0; i < search->list->count; i++) {
        if (search->list->items[i].target == block)
            return true;
    }
    return false;
}

static bool is_test(const struct argument_search *search, const struct block *block)
{
    return block->kind == BLOCK_TEST && block->accumulator == ACCUMULATOR_FIELD &&
           block->field == search->tested->field && !block->operand;
}

/* A test of 1 << (word & 31), of argument_bits.c: AND, TAX, LD, LSH and JSET. */
#define BIT_TEST_SIZE 5u
static bool is_bit_test(const struct argument_search *search, const struct block *block)
{
    return block->kind == BLOCK_TEST && block->accumulator == ACCUMULATOR_WORD &&
           block->value == search->shaper->arguments->bits[search->tested->field];
}

/* Where A holds `holds` of the word: an AND in front of the test. */
static unsigned ands_before(const struct block *block, uint32_t holds)
{
    bool bits = block->test == TEST_SET && !(block->constant & ~block->mask);
    return block->mask != holds && !bits;
}

/* The sides of a block that is part of the tree: tests of the tree are `seen`, and `ands` where an
 * AND comes in front. What stands or is a target and finds A masked has to load the word again. */
static void see_sides(const struct argument_search *search, const struct block *block, bool *seen,
                      bool *ands)
{
    const struct block *sides[2] = {block->yes, block->no};
    for (unsigned side = 0; block->yes && side < 2; side++) {
        const struct block *next = sides[side];
        bool goes_on = !is_target(search, next) && !search->standing[next->id];
        seen[next->id] |= goes_on;
        if (is_test(search, block) && is_test(search, next) && (goes_on || block->mask != WHOLE))
            ands[next->id] |= ands_before(next, block->mask);
    }
}

/* Instructions below `root` that do not stand already. Children have smaller ids. */
static unsigned tree_size(const struct argument_search *search, const struct block *root)
{
    size_t count = (size_t)root->id + 1;
    bool *seen = NEW_ARRAY(search->arena, bool, count),
         *ands = NEW_ARRAY(search->arena, bool, count);
    unsigned size = 0;
    seen[root->id] = !is_target(search, root) && !search->standing[root->id];
    ands[root->id] = seen[root->id] && is_test(search, root) && ands_before(root, WHOLE);
    for (size_t i = count; i-- > 0;) {
        const struct block *block = search->shaper->blocks.items[i];
        size += ands[i];
        if (!seen[i])
            continue;
        size += is_bit_test(search, block) ? BIT_TEST_SIZE : 1;
        see_sides(search, block, seen, ands);
    }
    return size;
}

/* Instructions on the way of one value; where it ends is `end` (may be NULL). */
static unsigned walk(const struct argument_search *search, const struct block *block,
                     uint32_t value, const struct block **end)
{
    uint32_t holds = WHOLE;
    unsigned steps = 0;
    while (!is_target(search, block)) {
        bool bit = is_bit_test(search, block);
        if (!bit && !is_test(search, block))
            break;
        unsigned ands = bit ? BIT_TEST_SIZE - 1 : ands_before(block, holds);
        steps += 1 + ands;
        holds = ands ? block->mask : holds;
        uint32_t tested = bit ? (uint32_t)1 << (value & 31) : value & block->mask;
        block = block_holds(block, tested) ? block->yes : block->no;
    }
    if (end)
        *end = block;
    return steps;
}

struct tree_cost {
    double known; /* with what is known to count */
    double even;  /* with every outcome as often as the others */
};

static struct tree_cost tree_cost_of(const struct argument_search *search, const struct block *root)
{
    double weight = 0, known = 0, even = 0, size = tree_size(search, root);
    double lambda = search->shaper->effort->lambda;
    for (size_t i = 0; i < search->values->count; i++) {
        const struct weighted_value *one = &search->values->items[i];
        weight += one->weight;
        known += one->weight * walk(search, root, one->value, NULL);
    }
    for (size_t i = 0; i < search->list->count; i++)
        even += walk(search, root, search->list->items[i].first, NULL);
    even *= weight / (double)search->list->count;
    return (struct tree_cost){size + lambda * known, size + lambda * even};
}

/* Values of arguments are counted in a profile only. Without one the calls that count have
 * arguments of 0: no worse for these, and better in the mean. */
static bool is_cheaper(const struct argument_search *search, struct tree_cost a, struct tree_cost b)
{
    if (search->shaper->options->profile)
        return a.known < b.known - SLACK;
    return a.known < b.known + SLACK && a.even < b.even - SLACK;
}

/* ---- what stands ---------------------------------------------------------------------------- */

static void find_standing(struct argument_search *search)
{
    const struct argument_memory *memory = search->shaper->arguments;
    size_t count = search->shaper->blocks.count;
    search->standing = NEW_ARRAY(search->arena, bool, count);
    for (size_t i = 0; i < memory->shaped.count; i++)
        search->standing[memory->shaped.items[i].block->id] = true;
    for (size_t i = count; i-- > 0;) {
        const struct block *block = search->shaper->blocks.items[i];
        if (search->standing[i] && block->yes)
            search->standing[block->yes->id] = search->standing[block->no->id] = true;
    }
}

/* Where a block that stands sends a value; NULL: not to a target of this switch. */
static const struct block *sends_to(const struct argument_search *search, const struct block *block,
                                    uint32_t value)
{
    walk(search, block, value, &block);
    return is_target(search, block) ? block : NULL;
}

/* Outcomes whose ends it is right for. More than one target among them, or it is a target. */
static unsigned worth_of(const struct argument_search *search, const struct block *block)
{
    unsigned right = 0;
    const struct block *first = NULL;
    bool several = false;
    for (size_t i = 0; i < search->list->count; i++) {
        const struct outcome *one = &search->list->items[i];
        if (sends_to(search, block, one->first) != one->target ||
            sends_to(search, block, one->last) != one->target)
            continue;
        right++;
        several = several || (first && first != one->target);
        first = one->target;
    }
    return several ? right : 0;
}

/* The best of what stands become leaves: those that agree on most outcomes. */
static void find_offers(struct argument_search *search)
{
    struct synthesis *synthesis = search->synthesis;
    size_t count = search->shaper->blocks.count;
    unsigned *worths = NEW_ARRAY(search->arena, unsigned, count);
    bool *bits = NEW_ARRAY(search->arena, bool, count); /* argument_check does not know these */
    for (size_t i = 0; i < count; i++) {
        struct block *block = search->shaper->blocks.items[i];
        bits[i] = is_bit_test(search, block) ||
                  (block->yes && (bits[block->yes->id] || bits[block->no->id]));
        if (search->standing[i] && is_test(search, block) && !is_target(search, block) && !bits[i])
            worths[i] = worth_of(search, block);
    }
    while (synthesis->leaf_count < LEAVES_MOST) {
        size_t best = 0;
        for (size_t i = 0; i < count; i++)
            best = worths[i] > worths[best] ? i : best;
        if (!count || !worths[best])
            return;
        worths[best] = 0;
        search->leaves[synthesis->leaf_count++] = search->shaper->blocks.items[best];
    }
}

/* ---- samples and digits --------------------------------------------------------------------- */

static bool add_sample(struct argument_search *search, uint32_t value)
{
    struct synthesis *synthesis = search->synthesis;
    const struct block *wanted = outcomes_target(search->list, value & search->meaning.mask);
    for (unsigned i = 0; i < synthesis->count; i++) {
        if (synthesis->values[i] == value)
            return true;
    }
    if (synthesis->count == SAMPLES_MOST)
        return false;
    unsigned sample = synthesis->count++;
    synthesis->values[sample] = value;
    for (unsigned leaf = 0; leaf < synthesis->leaf_count; leaf++) {
        if (sends_to(search, search->leaves[leaf], value) == wanted)
            samples_add(&synthesis->right[leaf], sample);
    }
    return true;
}

/* Runs of neighbouring bits that begin at the bits of `tops`. Where there are too many, the upper
 * ones are one: then fewer trees are looked at than there are. */
static void set_digits(struct synthesis *synthesis, uint32_t tops)
{
    while (__builtin_popcount(tops) >= (int)DIGITS_MOST)
        tops &= ~(1u << (31 - __builtin_clz(tops)));
    synthesis->digit_count = 0;
    for (unsigned bit = 32; bit-- > 0;) {
        if (bit == 31 || tops >> bit & 1)
            synthesis->digits[synthesis->digit_count++] = 0;
        synthesis->digits[synthesis->digit_count - 1] |= (uint32_t)1 << bit;
    }
}

/* A digit begins where a bit is not as the one above it in some value. */
static uint32_t tops_of(uint32_t value)
{
    return value ^ value >> 1;
}

/* Neighbouring bits that are the same in all values at which an outcome begins are one digit: no
 * comparison tells them apart. */
static uint32_t first_tops(const struct argument_search *search)
{
    uint32_t differ = tops_of(search->meaning.mask);
    for (size_t i = 0; i < search->list->count; i++)
        differ |= tops_of(search->list->items[i].first);
    return differ & 0x7fffffffu;
}

/* The ends of all outcomes, and each digit alone. */
static bool first_samples(struct argument_search *search)
{
    bool added = true;
    for (size_t i = 0; i < search->list->count; i++)
        added = added && add_sample(search, search->list->items[i].first);
    for (unsigned i = 0; i < search->synthesis->digit_count; i++)
        added = added && add_sample(search, search->synthesis->digits[i]);
    return added;
}

/* ---- steps to blocks ------------------------------------------------------------------------ */

/* As deep as there are steps. */
static struct block *build(struct shaper *shaper, const struct argument_search *search,
                           const struct step *step)
{
    if (step->kind == STEP_LEAF)
        return search->leaves[step->leaf];
    if (step->kind == STEP_AND)
        return build(shaper, search, step->yes);
    struct tested tested = *search->tested;
    tested.mask = step->mask;
    struct block *yes = build(shaper, search, step->yes);
    return block_test(shaper, &tested, step->test, step->constant, yes,
                      build(shaper, search, step->no));
}

/* ---- the search ----------------------------------------------------------------------------- */

/* As deep as there are steps. */
static const struct step *copy_steps(struct arena *arena, const struct step *step)
{
    struct step *copy = arena_copy(arena, step, sizeof *step);
    if (step->yes)
        copy->yes = copy_steps(arena, step->yes);
    if (step->no)
        copy->no = copy_steps(arena, step->no);
    return copy;
}

/* With a limit of its own: most switches have no use for it. */
static const struct step *find_shared(struct argument_search *search, unsigned most)
{
    struct synthesis *synthesis = search->synthesis;
    uint64_t work = synthesis->work < search->shared_work ? synthesis->work : search->shared_work;
    uint64_t kept = synthesis->work - work;
    synthesis->work = work;
    const struct step *step = work ? synthesis_find_shared(synthesis, most) : NULL;
    search->shared_work -= work - synthesis->work;
    synthesis->work += kept;
    return step;
}

/* The smallest tree of at most `most` steps that is right; NULL: none, or none was found. */
static const struct step *find_right(struct argument_search *search, unsigned most)
{
    struct synthesis *synthesis = search->synthesis;
    const struct step *best = NULL;
    uint32_t tops = first_tops(search), wrong = 0;
    set_digits(synthesis, tops);
    if (!first_samples(search))
        return NULL;
    for (;;) {
        synthesis_prepare(synthesis);
        const struct step *step = synthesis_find(synthesis, most);
        unsigned size = step ? step->size : 0;
        if (!step && (step = find_shared(search, most)))
            size = step->size + 1;
        if (!step)
            return best;
        struct shaper scratch = {.arena = search->arena, .options = search->shaper->options};
        enum checked checked = argument_check(search->arena, build(&scratch, search, step),
                                              &search->meaning, tops, &wrong);
        if (checked == CHECKED_RIGHT) {
            best = copy_steps(search->arena, step);
            if (!size) /* nothing is smaller than what stands already */
                return best;
            most = size - 1;
            continue;
        }
        unsigned count = synthesis->count;
        tops |= tops_of(wrong) & 0x7fffffffu;
        set_digits(synthesis, tops);
        if (checked == CHECKED_UNKNOWN || !add_sample(search, wrong) || synthesis->count == count)
            return best;
    }
}

static bool find_targets(struct argument_search *search)
{
    struct synthesis *synthesis = search->synthesis;
    for (size_t i = 0; i < search->list->count; i++) {
        struct block *target = search->list->items[i].target;
        unsigned known = 0;
        while (known < synthesis->leaf_count && search->leaves[known] != target)
            known++;
        if (known < synthesis->leaf_count)
            continue;
        if (known == TARGETS_MOST)
            return false;
        search->leaves[synthesis->leaf_count++] = target;
    }
    synthesis->target_count = synthesis->leaf_count;
    return true;
}

static void find_boundaries(struct argument_search *search)
{
    uint32_t *boundaries = NEW_ARRAY(search->arena, uint32_t, search->list->count);
    for (size_t i = 1; i < search->list->count; i++)
        boundaries[i - 1] = search->list->items[i].first;
    search->synthesis->boundaries = boundaries;
    search->synthesis->boundary_count = search->list->count - 1;
}

/* The work of one search, which leaves something for the next ones. */
static uint64_t take_work(struct argument_memory *memory)
{
    uint64_t left = memory->searched < WORK_OF_PROGRAM ? WORK_OF_PROGRAM - memory->searched : 0;
    return left / WORK_SHARE;
}

/* ---- switches that come again ---------------------------------------------------------------- */

/* What was found for the same values and as many targets, without anything that stood. */
struct argument_answer {
    uint32_t mask;
    const uint32_t *firsts; /* where each outcome begins, and the number of its target */
    const uint8_t *leaves;
    size_t count;
    unsigned most; /* no larger tree was looked for */
    const struct step *step;
};

static unsigned leaf_of(const struct argument_search *search, const struct block *target)
{
    unsigned leaf = 0;
    while (search->leaves[leaf] != target)
        leaf++;
    return leaf;
}

static bool answers(const struct argument_search *search, const struct argument_answer *answer,
                    unsigned most)
{
    if (answer->mask != search->meaning.mask || answer->count != search->list->count ||
        answer->most != most)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        const struct outcome *one = &search->list->items[i];
        if (answer->firsts[i] != one->first || answer->leaves[i] != leaf_of(search, one->target))
            return false;
    }
    return true;
}

static void remember_answer(const struct argument_search *search, unsigned most,
                            const struct step *step)
{
    struct arena *arena = search->shaper->arena;
    size_t count = search->list->count;
    uint32_t *firsts = NEW_ARRAY(arena, uint32_t, count);
    uint8_t *leaves = NEW_ARRAY(arena, uint8_t, count);
    for (size_t i = 0; i < count; i++) {
        firsts[i] = search->list->items[i].first;
        leaves[i] = (uint8_t)leaf_of(search, search->list->items[i].target);
    }
    struct argument_answer *answer = NEW(arena, struct argument_answer);
    *answer = (struct argument_answer){
        search->meaning.mask, firsts, leaves, count, most, step ? copy_steps(arena, step) : NULL};
    vector_push(arena, &search->shaper->arguments->answers, answer);
}

/* The answer of an equal switch, or a search of its own. */
static const struct step *find_answer(struct argument_search *search, unsigned most, uint64_t work)
{
    struct argument_memory *memory = search->shaper->arguments;
    struct synthesis *synthesis = search->synthesis;
    bool leans = synthesis->leaf_count > synthesis->target_count;
    for (size_t i = 0; i < memory->answers.count && !leans; i++) {
        if (answers(search, memory->answers.items[i], most))
            return memory->answers.items[i]->step;
    }
    synthesis->work = work;
    const struct step *step = find_right(search, most);
    memory->searched += work - synthesis->work;
    if (!leans)
        remember_answer(search, most, step);
    return step;
}

/* ---- one switch ------------------------------------------------------------------------------ */

static struct block *search_smaller(struct argument_search *search, struct block *shape)
{
    struct argument_memory *memory = search->shaper->arguments;
    uint64_t work = take_work(memory);
    if (!work)
        return shape;
    find_standing(search);
    memory->searched += search->shaper->blocks.count / BLOCKS_A_WORK;
    unsigned size = tree_size(search, shape);
    search->synthesis = synthesis_new(search->arena);
    if (size < 2 || size > SIZE_MOST || !find_targets(search))
        return shape;
    find_offers(search);
    find_boundaries(search);
    unsigned most = size - 1 < STEPS_MOST ? size - 1 : STEPS_MOST;
    const struct step *step = find_answer(search, most, work);
    if (!step)
        return shape;
    struct block *found = build(search->shaper, search, step);
    if (argument_check(search->arena, found, &search->meaning, 0, NULL) != CHECKED_RIGHT)
        return shape;
    find_standing(search); /* the same blocks, among more */
    bool cheaper = is_cheaper(search, tree_cost_of(search, found), tree_cost_of(search, shape));
    return cheaper ? found : shape;
}

struct block *search_argument(struct shaper *shaper, const struct tested *tested,
                              const struct outcome_list *list, struct block *shape,
                              const struct node_values *values)
{
    bool searches = shaper->options->level == OPTIMIZE_3 || shaper->options->level == OPTIMIZE_SIZE;
    if (!searches || shaper->full || list->count > OUTCOMES_MOST)
        return shape;
    struct argument_search search = {
        .shaper = shaper,
        .arena = arena_new(),
        .tested = tested,
        .list = list,
        .meaning = {.field = tested->field, .mask = tested->mask, .list = list},
        .values = values,
        .shared_work = WORK_FOR_SHARED};
    struct block *found = search_smaller(&search, shape);
    arena_free(search.arena);
    return found;
}
