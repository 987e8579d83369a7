#include "sim/bench.h"

/* The program alone: the kernel's machine code for it, called from a loop here. Calls follow each
 * other without a fence between, as the first instructions of a filter overlap with the kernel's
 * entry. What is subtracted is the same loop with a function that does nothing: what is left is
 * what the program adds, its own entry and end included. The rounds go through all the places in a
 * cache line where the kernel may put an image. */

#define ORDER_LENGTH 65536u /* far longer than a predictor's history */

struct alone {
    struct bench *bench;
    struct jit ***jits; /* [stack][program] */
    struct jit **again; /* of stack 0, loaded a second time */
    struct jit *smallest;
    const uint16_t **orders; /* by row; a single input's is all zero */
    uint32_t *rounds;        /* by variant: turns that it had, which tells the placement */
    uint32_t at;             /* moves on, so that no batch begins as another did */
};

static uint64_t call_nothing(const struct input *input, const void *instructions)
{
    __asm__ volatile("" ::"r"(input), "r"(instructions) : "memory");
    return 0;
}

/* Empty functions and images are called through the same kind of pointer. */
static void run_inputs(jit_function *volatile *function, const struct bench_call *call,
                       const uint16_t *order, uint32_t at, uint32_t count)
{
    jit_function *target = *function;
    const struct input *inputs = call->inputs;
    for (uint32_t i = 0; i < count; i++)
        (void)target(&inputs[order[(at + i) % ORDER_LENGTH]], NULL);
}

static uint64_t time_inputs(struct alone *alone, jit_function *function,
                            const struct bench_call *call, const uint16_t *order)
{
    bool tsc = alone->bench->clock.tsc;
    jit_function *volatile target = function;
    run_inputs(&target, call, order, alone->at, WARM_UP);
    alone->at += WARM_UP;
    uint64_t begin = ticks_begin(tsc);
    run_inputs(&target, call, order, alone->at, BATCH);
    uint64_t end = ticks_end(tsc);
    alone->at += BATCH;
    return end > begin ? end - begin : 1;
}

static uint64_t time_variant(struct alone *alone, size_t variant, size_t row, unsigned placement)
{
    const struct bench_request *request = alone->bench->request;
    const struct bench_call *call = &request->calls[row];
    const uint16_t *order = alone->orders[row];
    size_t again = variant_again(alone->bench);
    if (variant == VARIANT_CONTROL)
        return time_inputs(alone, call_nothing, call, order);
    if (variant > again)
        return time_inputs(alone, jit_function_at(alone->smallest, placement), call, order);
    size_t stack = variant == again ? 0 : variant - 1;
    struct jit **jits = variant == again ? alone->again : alone->jits[stack];
    uint64_t sum = 0;
    for (size_t i = request->stacks[stack].count; i-- > 0;)
        sum += time_inputs(alone, jit_function_at(jits[i], placement), call, order);
    return sum;
}

static bool turn(void *self, size_t variant, uint64_t *ticks)
{
    struct alone *alone = self;
    unsigned placement = alone->rounds[variant]++ % JIT_PLACEMENTS;
    for (size_t row = 0; row < alone->bench->request->call_count; row++)
        ticks[row] = time_variant(alone, variant, row, placement);
    return true;
}

/* ---- opening and closing ----------------------------------------------------------------------
 */

static result open_stack(struct bench *bench, const struct bench_stack *stack, struct jit ***jits)
{
    *jits = NEW_ARRAY(bench->arena, struct jit *, stack->count);
    for (size_t i = 0; i < stack->count; i++) {
        result r = jit_open(bench->arena, &stack->programs[i], bench->diagnostics, &(*jits)[i]);
        if (failed(r))
            return r;
    }
    return SUCCESS;
}

static result open_all(struct alone *alone)
{
    struct bench *bench = alone->bench;
    const struct bench_request *request = bench->request;
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, action_get(ACTION_ALLOW)->word)};
    struct program smallest = {.name = "ret allow", .code = allow, .length = COUNT_OF(allow)};
    alone->jits = NEW_ARRAY(bench->arena, struct jit **, request->stack_count);
    result r = jit_open(bench->arena, &smallest, bench->diagnostics, &alone->smallest);
    for (size_t i = 0; i < request->stack_count && worked(r); i++)
        r = open_stack(bench, &request->stacks[i], &alone->jits[i]);
    return worked(r) ? open_stack(bench, &request->stacks[0], &alone->again) : r;
}

static void close_stack(struct jit **jits, size_t count)
{
    for (size_t i = 0; jits && i < count; i++)
        jit_close(jits[i]);
}

static void close_all(struct alone *alone)
{
    const struct bench_request *request = alone->bench->request;
    jit_close(alone->smallest);
    for (size_t i = 0; i < request->stack_count; i++)
        close_stack(alone->jits[i], request->stacks[i].count);
    close_stack(alone->again, request->stacks[0].count);
}

static void choose_orders(struct alone *alone)
{
    struct bench *bench = alone->bench;
    const struct bench_request *request = bench->request;
    alone->orders = NEW_ARRAY(bench->arena, const uint16_t *, request->call_count);
    const uint16_t *single = NEW_ARRAY(bench->arena, uint16_t, ORDER_LENGTH);
    for (size_t row = 0; row < request->call_count; row++) {
        size_t inputs = request->calls[row].input_count;
        alone->orders[row] = single;
        if (inputs < 2)
            continue;
        uint16_t *order = NEW_ARRAY(bench->arena, uint16_t, ORDER_LENGTH);
        for (size_t i = 0; i < ORDER_LENGTH; i++)
            order[i] = (uint16_t)random_below(&bench->random, (uint32_t)inputs);
        alone->orders[row] = order;
    }
}

static void fill(struct bench *bench, const struct engine *engine, const struct quantiles *table)
{
    struct bench_report *report = bench->report;
    size_t smallest = variant_again(bench) + 1;
    report->control_ns = table[0].p10;
    report->floor_ns = table[smallest * engine->rows].p10 - table[0].p10;
    for (size_t row = 0; row < engine->rows; row++) {
        report->rows[row].control_ns = table[row].p10;
        for (size_t stack = 0; stack < report->stack_count; stack++)
            bench_fill(bench, engine, table, row, stack,
                       table[row].p10 * (double)bench->request->stacks[stack].count);
    }
}

result bench_alone(struct bench *bench)
{
    struct alone alone = {.bench = bench};
    struct engine engine = {.self = &alone,
                            .variants = variant_again(bench) + 2,
                            .rows = bench->request->call_count,
                            .batch = BATCH,
                            .phases = JIT_PLACEMENTS,
                            .turn = turn};
    struct quantiles *table;
    result r = open_all(&alone);
    choose_orders(&alone);
    alone.rounds = NEW_ARRAY(bench->arena, uint32_t, engine.variants);
    cpu_bind(bench->report->cpu);
    if (worked(r))
        r = bench_attempts(bench, &engine, &table);
    if (worked(r))
        fill(bench, &engine, table);
    close_all(&alone);
    return r;
}
