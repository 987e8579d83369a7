/* Lifting: where a state leads, by running the program on it up to the tests that it does not
 * settle.
 *
 * All tests of one variable that follow each other are taken together: ranges of its values go
 * through the program and are cut where tests cut them. A chain of `jeq #n` would cut a range once
 * per link, and each piece would walk the rest of the chain. So the "no" way of such a test keeps
 * the whole range, n included, and the "yes" way is laid over it afterwards: among the targets of
 * one number the one found last is right, since a frame is run only after all that came after it
 * on the stack, which is all that its "no" way led to. */
#include <stdlib.h>

#include "compiler/lift_internal.h"

#define JUNCTIONS_MOST ((size_t)1 << 16)
#define REGIONS_MOST ((size_t)1 << 20)
#define STEPS_MOST ((size_t)1 << 24)

/* A state with the values of the variable for which it is reached. */
struct frame {
    struct lift_state state;
    struct value_range values;
};

/* One value's target. */
struct point {
    uint32_t value;
    uint32_t order;
    struct lift_target target;
};

struct exploration {
    struct lift *lift;
    enum field field;
    uint32_t mask;
    VECTOR(struct frame) frames;
    VECTOR(struct lift_region) spans; /* disjoint */
    VECTOR(struct point) points;
};

void lift_fail(struct lift *lift, const char *what)
{
    if (!lift->too_large)
        lift->too_large = what;
}

bool lift_failed(const struct lift *lift)
{
    return lift->too_large || dag_out_of_time(lift->dag) ||
           dag_limit_reached(lift->dag) != DAG_WITHIN_LIMITS;
}

/* ---- junctions ------------------------------------------------------------------------------ */

/* Forgets what nothing reads any more. */
static void forget(struct lift *lift, struct lift_state *state)
{
    uint32_t uses = lift->loads[state->pc];
    for (unsigned place = 0; place < PLACE_COUNT; place++) {
        if (!(lift->live[state->pc] & 1u << place))
            state->places[place] = NULL;
        else if (state->places[place] != LARGE_WORD)
            uses |= lift_word_facts(lift, state->places[place])->uses;
    }
    for (unsigned field = 0; field < KNOWN_FIELDS; field++) {
        if (!(uses & 1u << field))
            state->known[field] = ALL_VALUES;
    }
}

static uint32_t hash_state(const struct lift_state *state)
{
    uint32_t hash = hash_mix(0x11, state->pc);
    for (unsigned place = 0; place < PLACE_COUNT; place++)
        if (state->places[place])
            hash = hash_mix(hash, dag_word_id(state->places[place]) * PLACE_COUNT + place);
    for (unsigned field = 0; field < KNOWN_FIELDS; field++)
        hash = hash_mix(hash_mix(hash, state->known[field].first), state->known[field].last);
    return hash;
}

static bool same_state(const struct lift_state *a, const struct lift_state *b)
{
    bool same = a->pc == b->pc;
    for (unsigned place = 0; place < PLACE_COUNT && same; place++)
        same = a->places[place] == b->places[place];
    for (unsigned field = 0; field < KNOWN_FIELDS && same; field++)
        same = a->known[field].first == b->known[field].first &&
               a->known[field].last == b->known[field].last;
    return same;
}

uint32_t lift_junction(struct lift *lift, struct lift_state state)
{
    forget(lift, &state);
    uint32_t hash = hash_state(&state);
    size_t probe = 0;
    for (uint32_t i = index_first(&lift->junction_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&lift->junction_index, hash, &probe)) {
        if (same_state(&lift->junctions.items[i].state, &state))
            return i;
    }
    if (lift->junctions.count >= JUNCTIONS_MOST)
        lift_fail(lift, "its paths bring too many different words to one place");
    uint32_t made = (uint32_t)lift->junctions.count;
    index_add(lift->arena, &lift->junction_index, hash, made);
    vector_push(lift->arena, &lift->junctions,
                (struct junction){.state = state, .next = lift->junction_at[state.pc]});
    lift->junction_at[state.pc] = made;
    return made;
}

/* ---- running -------------------------------------------------------------------------------- */

static const struct dag_node *leaf_at(struct lift *lift, const struct lift_state *state)
{
    if (state->pc == lift->program->length)
        return dag_verdict(lift->dag, 0);
    const struct sock_filter *f = &lift->program->code[state->pc];
    if (instruction_info(f->code)->operation == OP_RETURN)
        return dag_verdict(lift->dag, f->k);
    if (state->places[PLACE_A] != LARGE_WORD)
        return dag_return(lift->dag, state->places[PLACE_A]);
    lift_fail(lift, "it returns a word that is too long when written out");
    return NULL;
}

/* Goes on to the next test that is not settled: true. False: the path ends at `leaf`, or a limit
 * was reached. */
static bool run(struct lift *lift, struct lift_state *state, struct lift_test *test,
                const struct dag_node **leaf)
{
    *leaf = NULL;
    while (!lift_failed(lift)) {
        if (++lift->steps > STEPS_MOST)
            lift_fail(lift, "it has too many paths");
        const struct sock_filter *f = &lift->program->code[state->pc];
        if (state->pc == lift->program->length || is_return(instruction_info(f->code)->operation)) {
            *leaf = leaf_at(lift, state);
            return false;
        }
        if (!lift_is_test(f)) {
            lift_step(lift, state);
            continue;
        }
        lift_next_test(lift, state, test);
        if (lift_failed(lift))
            return false;
        if (test->kind != TEST_DECIDED)
            return true;
        lift_take(lift, state, test->in);
    }
    return false;
}

/* ---- the values of one variable ------------------------------------------------------------- */

static void found(struct exploration *e, const struct frame *frame, struct lift_target target)
{
    struct arena *arena = e->lift->arena;
    if (is_single(frame->values))
        vector_push(arena, &e->points,
                    ((struct point){frame->values.first, (uint32_t)e->points.count, target}));
    else
        vector_push(arena, &e->spans, ((struct lift_region){frame->values, target}));
    if (e->points.count + e->spans.count > REGIONS_MOST)
        lift_fail(e->lift, "it tells too many values apart");
}

/* Now only these values; a place that holds the variable becomes a constant when there is one. */
static void narrow(struct exploration *e, struct frame *frame, struct value_range values)
{
    frame->values = values;
    if (e->mask != 0xffffffffu)
        return;
    if (e->field < KNOWN_FIELDS)
        frame->state.known[e->field] = values;
    if (!is_single(values))
        return;
    for (unsigned place = 0; place < PLACE_COUNT; place++)
        frame->state.places[place] =
            lift_substitute(e->lift, frame->state.places[place], e->field, values.first);
}

static void push_way(struct exploration *e, const struct frame *frame, uint32_t way,
                     struct value_range values)
{
    struct frame part = *frame;
    lift_take(e->lift, &part.state, way);
    narrow(e, &part, values);
    vector_push(e->lift->arena, &e->frames, part);
}

/* The upper part waits at the same test, the lower one goes on. */
static void cut_frame(struct exploration *e, struct frame *frame, uint32_t cut)
{
    struct frame upper = *frame;
    narrow(e, &upper, (struct value_range){cut, frame->values.last});
    vector_push(e->lift->arena, &e->frames, upper);
    narrow(e, frame, (struct value_range){frame->values.first, cut - 1});
}

static void go_through_test(struct exploration *e, struct frame *frame,
                            const struct lift_test *test)
{
    struct value_range values = frame->values, in = test->values;
    if (in.first > values.last || in.last < values.first) {
        lift_take(e->lift, &frame->state, test->out);
    } else if (in.first <= values.first && in.last >= values.last) {
        lift_take(e->lift, &frame->state, test->in);
    } else if (is_single(in) && in.first > values.first && in.last < values.last) {
        push_way(e, frame, test->in, in);
        lift_take(e->lift, &frame->state, test->out);
    } else {
        cut_frame(e, frame, in.first > values.first ? in.first : in.last + 1);
    }
}

static void run_frame(struct exploration *e, struct frame frame)
{
    struct lift_test test;
    const struct dag_node *leaf;
    while (run(e->lift, &frame.state, &test, &leaf)) {
        if (test.kind != TEST_OF_VALUES || test.field != e->field || test.mask != e->mask) {
            uint32_t junction = lift_junction(e->lift, frame.state);
            found(e, &frame, (struct lift_target){.junction = junction});
            return;
        }
        go_through_test(e, &frame, &test);
    }
    found(e, &frame, (struct lift_target){.leaf = leaf});
}

static int by_first(const void *a, const void *b)
{
    const struct lift_region *x = a, *y = b;
    return (x->values.first > y->values.first) - (x->values.first < y->values.first);
}

/* By value, the one found last first. */
static int by_value(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? 1 : -1;
    return (x->order < y->order) - (x->order > y->order);
}

static void add_region(struct lift *lift, size_t base, uint32_t first, uint32_t last,
                       struct lift_target target)
{
    struct lift_region *below =
        lift->regions.count > base ? &lift->regions.items[lift->regions.count - 1] : NULL;
    if (below && below->target.leaf == target.leaf && below->target.junction == target.junction)
        below->values.last = last;
    else
        vector_push(lift->arena, &lift->regions,
                    ((struct lift_region){.values = {first, last}, .target = target}));
}

/* Lays the points over the spans. Every value of `all` is in one of the two. */
static void collect(struct exploration *e, struct value_range all)
{
    size_t base = e->lift->regions.count, span = 0, point = 0;
    if (e->spans.count)
        qsort(e->spans.items, e->spans.count, sizeof *e->spans.items, by_first);
    if (e->points.count)
        qsort(e->points.items, e->points.count, sizeof *e->points.items, by_value);
    for (uint64_t at = all.first; at <= all.last;) {
        while (point < e->points.count && e->points.items[point].value < at)
            point++;
        while (span < e->spans.count && e->spans.items[span].values.last < at)
            span++;
        uint64_t next = point < e->points.count ? e->points.items[point].value : UINT64_MAX;
        uint32_t last = (uint32_t)at;
        if (next == at) {
            add_region(e->lift, base, last, last, e->points.items[point].target);
        } else {
            const struct lift_region *below = &e->spans.items[span];
            last = next <= below->values.last ? (uint32_t)next - 1 : below->values.last;
            add_region(e->lift, base, (uint32_t)at, last, below->target);
        }
        at = (uint64_t)last + 1;
    }
}

static void explore_values(struct lift *lift, uint32_t number, const struct lift_state *state,
                           const struct lift_test *test)
{
    struct exploration e = {.lift = lift, .field = test->field, .mask = test->mask};
    struct value_range all = {0, test->mask};
    if (test->mask == 0xffffffffu && test->field < KNOWN_FIELDS)
        all = state->known[test->field];
    vector_push(lift->arena, &e.frames, ((struct frame){.state = *state, .values = all}));
    while (e.frames.count && !lift_failed(lift))
        run_frame(&e, e.frames.items[--e.frames.count]);
    if (lift_failed(lift))
        return;
    size_t base = lift->regions.count;
    collect(&e, all);
    struct junction *junction = &lift->junctions.items[number];
    junction->kind = JUNCTION_REGIONS;
    junction->field = test->field;
    junction->mask = test->mask;
    junction->first_region = base;
    junction->region_count = lift->regions.count - base;
}

static void explore_condition(struct lift *lift, uint32_t number, const struct lift_state *state,
                              const struct lift_test *test)
{
    struct lift_state yes = *state, no = *state;
    lift_take(lift, &yes, test->in);
    lift_take(lift, &no, test->out);
    struct lift_target in = {.junction = lift_junction(lift, yes)};
    struct lift_target out = {.junction = lift_junction(lift, no)};
    struct junction *junction = &lift->junctions.items[number];
    junction->kind = JUNCTION_CONDITION;
    junction->condition = dag_compare(lift->dag, test->comparison, test->a, test->b,
                                      dag_verdict(lift->dag, 1), dag_verdict(lift->dag, 0));
    junction->yes = in;
    junction->no = out;
}

void lift_explore(struct lift *lift, uint32_t junction)
{
    struct lift_state state = lift->junctions.items[junction].state;
    struct lift_test test;
    const struct dag_node *leaf;
    if (!run(lift, &state, &test, &leaf))
        lift->junctions.items[junction].node = leaf;
    else if (test.kind == TEST_OF_VALUES)
        explore_values(lift, junction, &state, &test);
    else
        explore_condition(lift, junction, &state, &test);
}
