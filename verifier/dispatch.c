/* Residues of a program by number, under one class of arch: an execution that carries ranges of
 * numbers and cuts them where the program does.
 *
 * A chain of `jeq #n` would cut a range once per link, and each piece would walk the rest of the
 * chain. So the "no" way keeps the whole range, n included, and the "yes" way is painted over it
 * afterwards: spans are disjoint, single numbers lie on top of them, and among those of one number
 * the one painted last is right, because a frame is run only after everything that its "no" way
 * leads to. */
#include "verifier/internal.h"

#include <stdlib.h>

#define PAINTS_MOST 400000u

struct frame {
    uint32_t pc;
    struct range nr;
    struct machine machine;
};

struct paint {
    uint32_t nr;
    uint32_t order;
    const struct term *residue;
};

struct dispatch {
    struct prover *prover;
    struct executor *executor;
    struct class *class; /* only its arch counts; cut requests of arch go here */
    VECTOR(struct frame) frames;
    VECTOR(struct residue_run) spans; /* disjoint */
    VECTOR(struct paint) points;
};

static void paint(struct dispatch *d, const struct frame *frame, const struct term *residue)
{
    struct arena *arena = d->prover->arena;
    if (is_single(frame->nr))
        vector_push(arena, &d->points,
                    ((struct paint){frame->nr.first, (uint32_t)d->points.count, residue}));
    else
        vector_push(arena, &d->spans, ((struct residue_run){frame->nr, residue}));
}

/* Registers that hold the number become constants when only one number is left. */
static void narrow(struct dispatch *d, struct frame *frame, struct range nr)
{
    frame->nr = nr;
    if (!is_single(nr))
        return;
    const struct term *replacements[FIELD_COUNT] = {NULL};
    replacements[FIELD_NR] = word_constant(d->prover, nr.first);
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        if (frame->machine.registers[i])
            frame->machine.registers[i] =
                substitute(d->prover, frame->machine.registers[i], replacements);
}

static void push_narrowed(struct dispatch *d, const struct frame *frame, uint32_t pc,
                          struct range nr)
{
    struct frame part = *frame;
    part.pc = pc;
    narrow(d, &part, nr);
    vector_push(d->prover->arena, &d->frames, part);
}

/* The upper part waits; the lower one goes on at once. */
static void cut_frame(struct dispatch *d, struct frame *frame, uint32_t cut)
{
    push_narrowed(d, frame, frame->pc, (struct range){cut, frame->nr.last});
    narrow(d, frame, (struct range){frame->nr.first, cut - 1});
}

enum going { GOING_ON, GOING_DONE, GOING_FAILED };

static struct class class_of_frame(struct dispatch *d, const struct frame *frame)
{
    return class_new(d->prover, d->class->arch, frame->nr);
}

/* After something asked for a cut: of the frame, or (handed upwards) of arch. */
static enum going take_cut(struct dispatch *d, struct frame *frame, const struct class *class)
{
    if (class->cut_field == FIELD_NR) {
        cut_frame(d, frame, class->cut);
        return GOING_ON;
    }
    d->class->cut_field = class->cut_field;
    d->class->cut = class->cut;
    return GOING_FAILED;
}

static enum going go_symbolic(struct dispatch *d, struct frame *frame)
{
    struct class class = class_of_frame(d, frame);
    const struct term *residue =
        residue_from(d->prover, d->executor, &class, frame->pc, &frame->machine);
    if (!residue)
        return take_cut(d, frame, &class);
    paint(d, frame, residue);
    return GOING_DONE;
}

/* nr == n for one number strictly inside the range. */
static bool is_inner_point(struct prover *prover, const struct term *condition,
                           const struct frame *frame, uint32_t *number)
{
    if (condition->kind != TERM_EQUAL || condition->children[0] != prover->words[FIELD_NR] ||
        !term_is_constant(condition->children[1]))
        return false;
    *number = (uint32_t)condition->children[1]->value;
    return *number > frame->nr.first && *number < frame->nr.last;
}

static enum going go_branch(struct dispatch *d, struct frame *frame, const struct decoded *at)
{
    const struct term *condition = machine_condition(d->prover, at, &frame->machine);
    uint32_t number;
    if (is_inner_point(d->prover, condition, frame, &number)) {
        push_narrowed(d, frame, at->yes, (struct range){number, number});
        frame->pc = at->no;
        return GOING_ON;
    }
    if (!term_is_constant(condition) && condition->uses & ~(BIT_NR | BIT_ARCH))
        return go_symbolic(d, frame);
    struct class class = class_of_frame(d, frame);
    enum decision_kind decision = class_decide(d->prover, &class, condition);
    if (decision == DECISION_OPEN)
        return go_symbolic(d, frame);
    if (decision == DECISION_NEEDS_CUT)
        return take_cut(d, frame, &class);
    frame->pc = decision == DECIDED_YES ? at->yes : at->no;
    return GOING_ON;
}

static enum going go_one(struct dispatch *d, struct frame *frame)
{
    const struct decoded *at = &d->executor->code[frame->pc];
    if (out_of_steps(d->prover))
        return GOING_FAILED;
    if (is_return(at->operation)) {
        paint(d, frame,
              at->operation == OP_RETURN ? word_constant(d->prover, at->k)
                                         : frame->machine.registers[REGISTER_A]);
        return GOING_DONE;
    }
    if (is_conditional(at->operation))
        return go_branch(d, frame, at);
    if (at->may_end)
        return go_symbolic(d, frame);
    if (at->operation != OP_JUMP) {
        struct class class = class_of_frame(d, frame);
        machine_step(d->prover, &class, at, &frame->machine);
    }
    frame->pc = at->yes;
    return GOING_ON;
}

static enum going run_frame(struct dispatch *d, struct frame frame)
{
    enum going going;
    if (out_of_time(d->prover))
        return GOING_FAILED;
    if (d->spans.count + d->points.count + d->frames.count > PAINTS_MOST) {
        d->prover->too_fine = true;
        stop(d->prover, "the partition has too many classes");
        return GOING_FAILED;
    }
    do
        going = go_one(d, &frame);
    while (going == GOING_ON);
    return going;
}

static int by_first(const void *a, const void *b)
{
    const struct residue_run *x = a, *y = b;
    return (x->nr.first > y->nr.first) - (x->nr.first < y->nr.first);
}

/* By number, the last painted first. */
static int by_number(const void *a, const void *b)
{
    const struct paint *x = a, *y = b;
    if (x->nr != y->nr)
        return x->nr > y->nr ? 1 : -1;
    return (x->order < y->order) - (x->order > y->order);
}

/* Lays the points over the spans. Every number is in one of the two; were it not, that would be
 * noted. */
static void collect(struct dispatch *d, struct residue_runs *runs)
{
    if (d->spans.count)
        qsort(d->spans.items, d->spans.count, sizeof *d->spans.items, by_first);
    if (d->points.count)
        qsort(d->points.items, d->points.count, sizeof *d->points.items, by_number);
    size_t span = 0, point = 0;
    for (uint64_t at = 0; at <= UINT32_MAX;) {
        while (point < d->points.count && d->points.items[point].nr < at)
            point++;
        while (span < d->spans.count && d->spans.items[span].nr.last < at)
            span++;
        uint64_t next = point < d->points.count ? d->points.items[point].nr : UINT64_MAX;
        struct range part = {(uint32_t)at, (uint32_t)at};
        if (next == at) {
            runs_push(d->prover, runs, part, d->points.items[point].residue);
        } else {
            if (span >= d->spans.count || d->spans.items[span].nr.first > at) {
                stop(d->prover, "internal: numbers are missing");
                return;
            }
            const struct residue_run *below = &d->spans.items[span];
            part.last = next <= below->nr.last ? (uint32_t)next - 1 : below->nr.last;
            runs_push(d->prover, runs, part, below->residue);
        }
        at = (uint64_t)part.last + 1;
    }
}

enum runs_outcome dispatch_runs(struct prover *prover, struct executor *executor,
                                struct class *class, struct residue_runs *runs)
{
    struct dispatch d = {.prover = prover, .executor = executor, .class = class};
    struct frame start = {.nr = class->nr, .machine = machine_start(prover)};
    vector_push(prover->arena, &d.frames, start);
    while (d.frames.count) {
        struct frame frame = d.frames.items[--d.frames.count];
        if (run_frame(&d, frame) == GOING_FAILED)
            return class->cut_field == FIELD_ARCH ? RUNS_CUT_ARCH : RUNS_TROUBLE;
    }
    collect(&d, runs);
    return runs_complete(prover, runs) ? RUNS_DONE : RUNS_TROUBLE;
}
