/* Jump relaxation. A conditional jump reaches 255 instructions; JA reaches everything.
 *
 * The code is placed from its end to its beginning. What lies behind an instruction is then final
 * when the instruction is placed, distances included, because nothing is ever inserted behind: one
 * pass decides everything, and it ends because there are finitely many items and each
 * conditional jump adds at most two instructions. A target that is too far gets a stand-in right
 * behind the jump, where nothing falls into it: a copy of the target when that returns, else a JA
 * to it. The nearest stand-in within reach is used again, so that a path gets longer by one JA at
 * most.
 *
 * In a program where some jump may be too far, a return that is only jumped to has no place of its
 * own: its stand-ins are its places. Nor has a JA anywhere: jumps to it go where it goes. */
#include "compiler/compiler.h"

#define REACH_MOST 255u
#define NOT_PLACED 0xffffffffu

/* Positions are counted from the end of the program: the last instruction has 0. */
struct relaxation {
    struct arena *arena;
    const struct item *items;
    uint32_t count;
    uint32_t *goal;    /* by item: itself, or where a JA leads in the end */
    uint32_t *placed;  /* by item */
    uint32_t *nearest; /* by item: the item itself or its stand-in that was placed last */
    bool *wanted;      /* by item: some conditional jump leads there */
    VECTOR(struct sock_filter) code; /* backwards */
};

static bool returns(const struct sock_filter *instruction)
{
    return BPF_CLASS(instruction->code) == BPF_RET;
}

static bool jumps_always(const struct sock_filter *instruction)
{
    return instruction->code == (BPF_JMP | BPF_JA);
}

static bool jumps_on_condition(const struct sock_filter *instruction)
{
    return BPF_CLASS(instruction->code) == BPF_JMP && !jumps_always(instruction);
}

/* Instructions skipped by a jump that is placed at `from`. */
static uint32_t distance(uint32_t from, uint32_t to)
{
    return from - to - 1;
}

static uint32_t next_position(const struct relaxation *relaxation)
{
    return (uint32_t)relaxation->code.count;
}

static uint32_t place(struct relaxation *relaxation, struct sock_filter instruction)
{
    vector_push(relaxation->arena, &relaxation->code, instruction);
    return (uint32_t)relaxation->code.count - 1;
}

/* Whether something goes on into item `index` without a jump, or begins the program there. */
static bool is_entered(const struct relaxation *relaxation, uint32_t index)
{
    if (index == 0)
        return true;
    const struct sock_filter *before = &relaxation->items[index - 1].instruction;
    return BPF_CLASS(before->code) != BPF_JMP && !returns(before);
}

static uint32_t target_item(const struct relaxation *relaxation, uint32_t index, uint32_t target)
{
    return relaxation->goal[target == NEXT_ITEM ? index + 1 : target];
}

/* A jump that will be placed `inserted` instructions above the next position. */
static bool reaches(const struct relaxation *relaxation, uint32_t target, uint32_t inserted)
{
    uint32_t nearest = relaxation->nearest[target];
    return nearest != NOT_PLACED &&
           distance(next_position(relaxation) + inserted, nearest) <= REACH_MOST;
}

static void add_stand_in(struct relaxation *relaxation, uint32_t target)
{
    struct sock_filter copy = relaxation->items[target].instruction;
    if (!returns(&copy)) {
        copy = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0);
        copy.k = distance(next_position(relaxation), relaxation->placed[target]);
    }
    relaxation->nearest[target] = place(relaxation, copy);
}

static void place_conditional(struct relaxation *relaxation, uint32_t index)
{
    const struct item *item = &relaxation->items[index];
    uint32_t yes = target_item(relaxation, index, item->yes);
    uint32_t no = target_item(relaxation, index, item->no);
    /* A stand-in for one target moves the other one away, so look again after it. */
    bool yes_stays = reaches(relaxation, yes, 0), no_stays = reaches(relaxation, no, 0);
    if (yes_stays && !no_stays)
        yes_stays = reaches(relaxation, yes, 1);
    else if (no_stays && !yes_stays)
        no_stays = reaches(relaxation, no, 1);
    /* Of two stand-ins the one whose target comes first in the layout is nearer. */
    bool yes_nearer = yes < no;
    if (!no_stays && yes_nearer)
        add_stand_in(relaxation, no);
    if (!yes_stays && yes != no)
        add_stand_in(relaxation, yes);
    if (!no_stays && !yes_nearer)
        add_stand_in(relaxation, no);
    struct sock_filter instruction = item->instruction;
    uint32_t here = next_position(relaxation);
    instruction.jt = (uint8_t)distance(here, relaxation->nearest[yes]);
    instruction.jf = (uint8_t)distance(here, relaxation->nearest[no]);
    relaxation->placed[index] = relaxation->nearest[index] = place(relaxation, instruction);
}

/* Reached from the item before it. */
static void place_always(struct relaxation *relaxation, uint32_t index)
{
    uint32_t target = relaxation->goal[index];
    struct sock_filter instruction = relaxation->items[target].instruction;
    if (!returns(&instruction)) {
        instruction = relaxation->items[index].instruction;
        instruction.k = distance(next_position(relaxation), relaxation->placed[target]);
        if (instruction.k == 0)
            return;
    }
    place(relaxation, instruction);
}

static void place_item(struct relaxation *relaxation, uint32_t index)
{
    const struct sock_filter *instruction = &relaxation->items[index].instruction;
    bool stays =
        returns(instruction) && relaxation->wanted[index] && relaxation->count <= REACH_MOST;
    bool moves = jumps_always(instruction) || returns(instruction);
    if (moves && !stays && !is_entered(relaxation, index))
        return;
    if (jumps_on_condition(instruction))
        place_conditional(relaxation, index);
    else if (jumps_always(instruction))
        place_always(relaxation, index);
    else
        relaxation->placed[index] = relaxation->nearest[index] = place(relaxation, *instruction);
}

static void prepare(struct relaxation *relaxation)
{
    uint32_t count = relaxation->count;
    relaxation->goal = NEW_ARRAY(relaxation->arena, uint32_t, count);
    relaxation->placed = NEW_ARRAY(relaxation->arena, uint32_t, count);
    relaxation->nearest = NEW_ARRAY(relaxation->arena, uint32_t, count);
    relaxation->wanted = NEW_ARRAY(relaxation->arena, bool, count);
    for (uint32_t i = count; i-- > 0;) {
        const struct item *item = &relaxation->items[i];
        relaxation->placed[i] = relaxation->nearest[i] = NOT_PLACED;
        relaxation->goal[i] = i;
        if (jumps_always(&item->instruction))
            relaxation->goal[i] = target_item(relaxation, i, item->yes);
        if (jumps_on_condition(&item->instruction)) {
            relaxation->wanted[target_item(relaxation, i, item->yes)] = true;
            relaxation->wanted[target_item(relaxation, i, item->no)] = true;
        }
    }
}

result relax_jumps(struct arena *arena, const struct item *items, uint32_t count, bool big_endian,
                   const char *name, struct diagnostics *diagnostics, struct program *program)
{
    struct relaxation relaxation = {.arena = arena, .items = items, .count = count};
    prepare(&relaxation);
    for (uint32_t i = count; i-- > 0;)
        place_item(&relaxation, i);
    if (relaxation.code.count > PROGRAM_MOST) {
        report_error(diagnostics, NO_SPAN,
                     "compiled, it has %zu instructions; the kernel takes %u",
                     relaxation.code.count, PROGRAM_MOST);
        return FAILURE(ERROR_LIMIT);
    }
    uint32_t length = (uint32_t)relaxation.code.count;
    *program = (struct program){.name = name,
                                .code = NEW_ARRAY(arena, struct sock_filter, length),
                                .length = length,
                                .big_endian = big_endian};
    for (uint32_t i = 0; i < length; i++)
        program->code[i] = relaxation.code.items[length - 1 - i];
    return SUCCESS;
}
