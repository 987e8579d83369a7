/* How often each block is executed, for the layout: every call that counts is followed through the
 * blocks. Where arguments are tested, nobody knows what they hold; what is argument-checked and
 * called is mostly permitted, so most of the weight goes where something still is. */
#include "optimizer/switch.h"

/* Of a test of which one side may permit and the other only denies. */
#define PERMITTED_SHARE 0.8

struct flow {
    struct shaper *shaper;
    double *unknown; /* by block id: weight of calls that come here with arguments not known */
    bool *permits;   /* by block id: some return below it does */
};

/* Targets have smaller ids and come first. */
static void find_permits(struct flow *flow)
{
    for (size_t id = 0; id < flow->shaper->blocks.count; id++) {
        const struct block *block = flow->shaper->blocks.items[id];
        if (block_leads_on(block))
            flow->permits[id] = flow->permits[block->yes->id] || flow->permits[block->no->id];
        else
            flow->permits[id] =
                block->kind == BLOCK_RETURN_A || action_of_word(block->word, NULL)->permits;
    }
}

/* Whether a call's own values say which way it goes. */
static bool is_settled(const struct block *block, bool arguments)
{
    if (block->accumulator != ACCUMULATOR_FIELD || block->operand)
        return false;
    return arguments || block->field == FIELD_NR || block->field == FIELD_ARCH;
}

static bool names_arguments(const struct input *input)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < COUNT_OF(input->args); i++)
        bits |= input->args[i];
    return bits != 0;
}

static void follow_call(struct flow *flow, struct block *block, const struct weighted_call *call)
{
    bool arguments = names_arguments(&call->input);
    enum field field = FIELD_COUNT;
    uint32_t kept = 0xffffffffu; /* what masks have left of the field */
    while (block_leads_on(block) && is_settled(block, arguments)) {
        block->weight += call->weight;
        if (block->field != field)
            kept = 0xffffffffu;
        field = block->field;
        uint32_t value = input_field(&call->input, field) & block->mask & kept;
        if (block->kind == BLOCK_MASK)
            kept &= block->constant;
        bool yes = block->kind == BLOCK_MASK || block_holds(block, value);
        block->weight_yes += yes ? call->weight : 0;
        block = yes ? block->yes : block->no;
    }
    flow->unknown[block->id] += call->weight;
}

static double share_of_yes(const struct flow *flow, const struct block *block)
{
    bool yes = flow->permits[block->yes->id], no = flow->permits[block->no->id];
    if (block->kind == BLOCK_MASK)
        return 1;
    return yes == no ? 0.5 : yes ? PERMITTED_SHARE : 1 - PERMITTED_SHARE;
}

/* Targets have smaller ids and come last. */
static void spread_unknown(struct flow *flow)
{
    for (size_t id = flow->shaper->blocks.count; id-- > 0;) {
        struct block *block = flow->shaper->blocks.items[id];
        double weight = flow->unknown[id];
        block->weight += weight;
        if (weight == 0 || !block_leads_on(block))
            continue;
        double yes = weight * share_of_yes(flow, block);
        block->weight_yes += yes;
        flow->unknown[block->yes->id] += yes;
        flow->unknown[block->no->id] += weight - yes;
    }
}

void weigh_blocks(struct shaper *shaper, struct block *entry, const struct weights *weights)
{
    struct arena *scratch = arena_new();
    size_t count = shaper->blocks.count;
    struct flow flow = {.shaper = shaper,
                        .unknown = NEW_ARRAY(scratch, double, count),
                        .permits = NEW_ARRAY(scratch, bool, count)};
    find_permits(&flow);
    for (size_t i = 0; i < weights->count; i++)
        follow_call(&flow, entry, &weights->calls[i]);
    spread_unknown(&flow);
    arena_free(scratch);
}
