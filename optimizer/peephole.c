/* Peephole: what is left to gain in a finished program, also in one from elsewhere.
 *
 * The program becomes items with symbolic targets. Rules rewrite them until none applies; jump
 * relaxation makes a program of them again. Jumps go forward, so that what is certain of A before
 * each item is found in one walk. It ends: every rewrite takes an item away, makes a conditional
 * jump unconditional, or moves a target forward. */
#include <stdlib.h>

#include "optimizer/optimizer.h"

/* What is certain of A before an item, or on an edge. */
struct certain {
    bool reached;
    bool holds; /* the word of `field` */
    enum field field;
    uint32_t least, most;
};

struct peephole {
    struct arena *arena;
    bool big_endian;
    bool returns_stay; /* equal returns stay apart */
    struct item *items;
    struct certain *before; /* by item */
    uint32_t count;
};

typedef uint32_t rule_run(struct peephole *peephole); /* how many rewrites it made */

static enum operation operation_of(const struct item *item)
{
    return instruction_info(item->instruction.code)->operation;
}

/* ---- what is certain ------------------------------------------------------------------------ */

static struct certain nothing_certain(void)
{
    return (struct certain){.reached = true, .most = 0xffffffffu};
}

static void meet(struct certain *into, const struct certain *other)
{
    if (!into->reached) {
        *into = *other;
        return;
    }
    into->holds = into->holds && other->holds && into->field == other->field;
    if (other->least < into->least)
        into->least = other->least;
    if (other->most > into->most)
        into->most = other->most;
}

/* A behind an item that does not jump. */
static struct certain behind(const struct peephole *peephole, uint32_t index)
{
    const struct item *item = &peephole->items[index];
    struct certain certain = nothing_certain();
    switch (operation_of(item)) {
    case OP_LOAD_FIELD:
        certain.holds = true;
        certain.field = field_at(item->instruction.k, peephole->big_endian);
        if (peephole->before[index].holds && peephole->before[index].field == certain.field)
            return peephole->before[index];
        return certain;
    case OP_LOAD_IMMEDIATE:
        certain.least = certain.most = item->instruction.k;
        return certain;
    case OP_AND:
        if (BPF_SRC(item->instruction.code) == BPF_K)
            certain.most = item->instruction.k;
        return certain;
    case OP_STORE:
    case OP_STORE_X:
    case OP_TAX:
    case OP_LOAD_X_LENGTH:
    case OP_LOAD_X_IMMEDIATE:
    case OP_LOAD_X_MEMORY:
        return peephole->before[index];
    default:
        return certain;
    }
}

/* Whether a comparison with a constant can come out as `holds` for some value of least..most. */
static bool can_be(enum operation operation, uint32_t k, uint32_t least, uint32_t most, bool holds)
{
    if (operation == OP_JUMP_GREATER && k == 0xffffffffu)
        return !holds;
    uint32_t from = operation == OP_JUMP_GREATER ? k + 1 : k;
    if (operation == OP_JUMP_EQUAL)
        return holds ? least <= k && k <= most : least != k || most != k;
    if (operation != OP_JUMP_SET)
        return holds ? most >= from : least < from;
    if (least == most)
        return holds == ((least & k) != 0);
    /* Bits above the highest of `most` are 0. */
    uint32_t may = most ? 0xffffffffu >> __builtin_clz(most) : 0;
    return !holds || (k & may) != 0;
}

static bool compares_constant(const struct item *item)
{
    return is_conditional(operation_of(item)) && BPF_SRC(item->instruction.code) == BPF_K;
}

/* A on an edge out of a conditional jump, after the comparison came out as `holds`. */
static struct certain on_edge(const struct peephole *peephole, uint32_t index, bool holds)
{
    struct certain certain = peephole->before[index];
    const struct item *item = &peephole->items[index];
    uint32_t k = item->instruction.k;
    if (!compares_constant(item))
        return certain;
    enum operation operation = operation_of(item);
    uint32_t least = 0, most = 0xffffffffu;
    if (operation == OP_JUMP_EQUAL && holds)
        least = most = k;
    else if (operation == OP_JUMP_EQUAL && certain.least == k && k != 0xffffffffu)
        least = k + 1;
    else if (operation == OP_JUMP_EQUAL && certain.most == k && k != 0)
        most = k - 1;
    else if (operation == OP_JUMP_GREATER_EQUAL && (holds || k != 0))
        *(holds ? &least : &most) = holds ? k : k - 1;
    else if (operation == OP_JUMP_GREATER && (!holds || k != 0xffffffffu))
        *(holds ? &least : &most) = holds ? k + 1 : k;
    /* An edge that cannot be taken says nothing. */
    if (least > certain.most || most < certain.least)
        return certain;
    if (least > certain.least)
        certain.least = least;
    if (most < certain.most)
        certain.most = most;
    return certain;
}

static void find_certain(struct peephole *peephole)
{
    memset(peephole->before, 0, peephole->count * sizeof *peephole->before);
    peephole->before[0] = (struct certain){.reached = true}; /* A is 0 */
    for (uint32_t i = 0; i < peephole->count; i++) {
        const struct item *item = &peephole->items[i];
        if (!peephole->before[i].reached || is_return(operation_of(item)))
            continue;
        if (is_conditional(operation_of(item))) {
            struct certain yes = on_edge(peephole, i, true), no = on_edge(peephole, i, false);
            meet(&peephole->before[item->yes], &yes);
            meet(&peephole->before[item->no], &no);
        } else if (operation_of(item) == OP_JUMP) {
            meet(&peephole->before[item->yes], &peephole->before[i]);
        } else {
            struct certain next = behind(peephole, i);
            meet(&peephole->before[i + 1], &next);
        }
    }
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* Where an edge on which `certain` holds can go straight, one step further; else `target`. */
static uint32_t straight(const struct peephole *peephole, uint32_t target,
                         const struct certain *certain)
{
    const struct item *item = &peephole->items[target];
    enum operation operation = operation_of(item);
    uint32_t k = item->instruction.k;
    if (operation == OP_JUMP)
        return item->yes;
    if (operation == OP_LOAD_FIELD && certain->holds &&
        certain->field == field_at(k, peephole->big_endian))
        return target + 1;
    if (!compares_constant(item))
        return target;
    if (!can_be(operation, k, certain->least, certain->most, false))
        return item->yes;
    return can_be(operation, k, certain->least, certain->most, true) ? target : item->no;
}

static uint32_t follow(const struct peephole *peephole, uint32_t target,
                       const struct certain *certain)
{
    for (uint32_t next; (next = straight(peephole, target, certain)) != target;)
        target = next;
    return target;
}

static uint32_t move_target(uint32_t *target, uint32_t to)
{
    uint32_t moved = *target != to;
    *target = to;
    return moved;
}

static uint32_t thread_jumps(struct peephole *peephole)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < peephole->count; i++) {
        struct item *item = &peephole->items[i];
        bool conditional = is_conditional(operation_of(item));
        if (!peephole->before[i].reached || (!conditional && operation_of(item) != OP_JUMP))
            continue;
        struct certain yes = on_edge(peephole, i, true), no = on_edge(peephole, i, false);
        made += move_target(&item->yes, follow(peephole, item->yes, &yes));
        if (conditional)
            made += move_target(&item->no, follow(peephole, item->no, &no));
    }
    return made;
}

static void make_jump(struct item *item, uint32_t target)
{
    item->instruction = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0);
    item->yes = item->no = target;
}

static uint32_t settle_comparisons(struct peephole *peephole)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < peephole->count; i++) {
        struct item *item = &peephole->items[i];
        const struct certain *certain = &peephole->before[i];
        if (!certain->reached || !is_conditional(operation_of(item)))
            continue;
        uint32_t target = item->yes == item->no ? item->yes : i;
        if (target == i && compares_constant(item))
            target = straight(peephole, i, certain);
        if (target == i)
            continue;
        make_jump(item, target);
        made++;
    }
    return made;
}

static uint32_t leave_out_loads(struct peephole *peephole)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < peephole->count; i++) {
        struct item *item = &peephole->items[i];
        const struct certain *certain = &peephole->before[i];
        if (!certain->reached || operation_of(item) != OP_LOAD_FIELD || !certain->holds ||
            certain->field != field_at(item->instruction.k, peephole->big_endian))
            continue;
        make_jump(item, i + 1);
        made++;
    }
    return made;
}

static bool continue_alike(const struct peephole *peephole, uint32_t a, uint32_t b,
                           const uint32_t *same)
{
    const struct item *left = &peephole->items[a], *right = &peephole->items[b];
    enum operation operation = operation_of(left);
    if (left->instruction.code != right->instruction.code ||
        left->instruction.k != right->instruction.k)
        return false;
    if (is_return(operation))
        return true;
    if (is_conditional(operation))
        return same[left->yes] == same[right->yes] && same[left->no] == same[right->no];
    return operation != OP_JUMP && same[a + 1] == same[b + 1];
}

#define COMPARED_MOST 64u

/* Items that do the same and go on the same: jumps to the earlier go to the later. */
static uint32_t merge_tails(struct peephole *peephole)
{
    uint32_t *same = NEW_ARRAY(peephole->arena, uint32_t, peephole->count), made = 0;
    for (uint32_t i = peephole->count; i-- > 0;) {
        same[i] = i;
        for (uint32_t j = i + 1; j < peephole->count && same[i] == i; j++) {
            bool returns = is_return(operation_of(&peephole->items[i]));
            bool near = returns ? !peephole->returns_stay : j - i < COMPARED_MOST;
            if (near && same[j] == j && continue_alike(peephole, i, j, same))
                same[i] = j;
        }
    }
    for (uint32_t i = 0; i < peephole->count; i++) {
        struct item *item = &peephole->items[i];
        bool conditional = is_conditional(operation_of(item));
        if (conditional || operation_of(item) == OP_JUMP)
            made += move_target(&item->yes, same[item->yes]);
        if (conditional)
            made += move_target(&item->no, same[item->no]);
    }
    return made;
}

static bool goes_nowhere(const struct peephole *peephole, uint32_t index)
{
    const struct item *item = &peephole->items[index];
    return operation_of(item) == OP_JUMP && item->yes == index + 1;
}

/* Takes away what is not reached, and jumps to what follows them. */
static uint32_t take_away(struct peephole *peephole)
{
    uint32_t *place = NEW_ARRAY(peephole->arena, uint32_t, peephole->count + 1), kept = 0;
    for (uint32_t i = 0; i < peephole->count; i++) {
        place[i] = kept;
        kept += peephole->before[i].reached && !goes_nowhere(peephole, i);
    }
    uint32_t gone = peephole->count - kept;
    for (uint32_t i = 0, to = 0; i < peephole->count; i++) {
        struct item item = peephole->items[i];
        if (!peephole->before[i].reached || goes_nowhere(peephole, i))
            continue;
        bool jumps = BPF_CLASS(item.instruction.code) == BPF_JMP;
        item.yes = jumps ? place[item.yes] : NEXT_ITEM;
        item.no = is_conditional(operation_of(&item)) ? place[item.no] : NEXT_ITEM;
        peephole->items[to++] = item;
    }
    peephole->count = kept;
    return gone;
}

static const struct rule {
    const char *name;
    const char *reason;
    rule_run *run;
} rules[] = {
    {"jump threading",
     "an edge goes straight where a JA, a load of what A holds or a comparison that what is "
     "certain "
     "on it settles would lead it",
     thread_jumps},
    {"settled comparisons",
     "a comparison that comes out the same for all that A can be, or leads to one place, is none",
     settle_comparisons},
    {"redundant loads", "A holds the word already, whichever way it was reached", leave_out_loads},
    {"equal tails",
     "what does the same and goes on the same is there once; returns of one value first of all",
     merge_tails},
    {"dead code", "what is never reached, and a JA to what follows, do nothing", take_away},
};

/* ---- the whole ------------------------------------------------------------------------------ */

static void read_items(struct peephole *peephole, const struct program *program)
{
    peephole->count = program->length;
    peephole->items = NEW_ARRAY(peephole->arena, struct item, program->length);
    peephole->before = NEW_ARRAY(peephole->arena, struct certain, program->length + 1);
    for (uint32_t i = 0; i < program->length; i++) {
        struct item *item = &peephole->items[i];
        *item = (struct item){program->code[i], NEXT_ITEM, NEXT_ITEM};
        if (is_conditional(operation_of(item))) {
            item->yes = i + 1 + item->instruction.jt;
            item->no = i + 1 + item->instruction.jf;
        } else if (operation_of(item) == OP_JUMP) {
            item->yes = i + 1 + item->instruction.k;
        }
    }
}

static uint32_t run_rules(struct peephole *peephole)
{
    uint32_t made = 0;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        find_certain(peephole);
        made += rules[i].run(peephole);
    }
    return made;
}

bool peephole_program(struct arena *arena, const struct program *program, bool returns_stay,
                      struct program *shorter)
{
    struct peephole peephole = {
        .arena = arena, .big_endian = program->big_endian, .returns_stay = returns_stay};
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct program made;
    *shorter = *program;
    read_items(&peephole, program);
    while (run_rules(&peephole))
        ;
    if (failed(relax_jumps(arena, peephole.items, peephole.count, program->big_endian,
                           program->name, &diagnostics, &made)) ||
        made.length >= program->length || check_program(&made).rule != CHECK_ACCEPTED)
        return false;
    *shorter = made;
    return true;
}
