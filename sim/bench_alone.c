#include "sim/bench.h"

/* The program alone: the kernel's machine code for it, called from a loop here. Calls follow each
 * other without a fence between, as the first instructions of a filter overlap with the kernel's
 * entry. What the loop itself costs is measured with a function that does nothing, and subtracted.
 */

#define ORDER_LENGTH 4096u /* far longer than a predictor's history */

typedef uint32_t filter_call(const struct jit *jit, const struct input *input);

struct alone {
    struct bench *bench;
    struct jit ***jits; /* [stack][program] */
    struct jit **again; /* of stack 0, loaded a second time */
    struct jit *smallest;
    uint16_t *order;
    uint32_t at; /* moves on, so that no batch begins as another did */
};

/* The loop must call through the same kind of pointer for both. */
static uint32_t call_nothing(const struct jit *jit, const struct input *input)
{
    __asm__ volatile("" ::"r"(jit), "r"(input) : "memory");
    return 0;
}

static void run_inputs(filter_call *volatile *function, const struct jit *jit,
                       const struct bench_call *call, const uint16_t *order, uint32_t at,
                       uint32_t count)
{
    filter_call *target = *function;
    const struct input *inputs = call->inputs;
    for (uint32_t i = 0; i < count; i++)
        (void)target(jit, &inputs[order[(at + i) % ORDER_LENGTH]]);
}

static uint64_t time_inputs(struct alone *alone, filter_call *function, const struct jit *jit,
                            const struct bench_call *call, const uint16_t *order)
{
    bool tsc = alone->bench->clock.tsc;
    filter_call *volatile target = function;
    run_inputs(&target, jit, call, order, alone->at, WARM_UP);
    alone->at += WARM_UP;
    uint64_t begin = ticks_begin(tsc);
    run_inputs(&target, jit, call, order, alone->at, BATCH);
    uint64_t end = ticks_end(tsc);
    alone->at += BATCH;
    return end > begin ? end - begin : 1;
}

static uint64_t time_variant(struct alone *alone, size_t variant, const struct bench_call *call,
                             const uint16_t *order)
{
    const struct bench_request *request = alone->bench->request;
    size_t again = variant_again(alone->bench);
    if (variant == VARIANT_CONTROL)
        return time_inputs(alone, call_nothing, NULL, call, order);
    if (variant > again)
        return time_inputs(alone, jit_call, alone->smallest, call, order);
    size_t stack = variant == again ? 0 : variant - 1;
    struct jit **jits = variant == again ? alone->again : alone->jits[stack];
    uint64_t sum = 0;
    for (size_t i = request->stacks[stack].count; i-- > 0;)
        sum += time_inputs(alone, jit_call, jits[i], call, order);
    return sum;
}

static bool turn(void *self, size_t variant, uint64_t *ticks)
{
    struct alone *alone = self;
    const struct bench_request *request = alone->bench->request;
    for (size_t row = 0; row < request->call_count; row++)
        ticks[row] =
            time_variant(alone, variant, &request->calls[row], alone->order + row * ORDER_LENGTH);
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

static void choose_order(struct alone *alone)
{
    const struct bench_request *request = alone->bench->request;
    alone->order = NEW_ARRAY(alone->bench->arena, uint16_t, request->call_count * ORDER_LENGTH);
    for (size_t row = 0; row < request->call_count; row++)
        for (size_t i = 0; i < ORDER_LENGTH; i++)
            alone->order[row * ORDER_LENGTH + i] = (uint16_t)random_below(
                &alone->bench->random, (uint32_t)request->calls[row].input_count);
}

static void fill(struct bench *bench, const struct engine *engine, const struct quantiles *table)
{
    struct bench_report *report = bench->report;
    size_t smallest = variant_again(bench) + 1;
    report->control_ns = table[0].p10;
    report->floor_ns = table[smallest * engine->rows].p10 - table[0].min;
    for (size_t row = 0; row < engine->rows; row++) {
        report->rows[row].control_ns = table[row].p10;
        for (size_t stack = 0; stack < report->stack_count; stack++)
            bench_fill(bench, engine, table, row, stack,
                       table[row].min * (double)bench->request->stacks[stack].count);
    }
}

result bench_alone(struct bench *bench)
{
    struct alone alone = {.bench = bench};
    struct engine engine = {.self = &alone,
                            .variants = variant_again(bench) + 2,
                            .rows = bench->request->call_count,
                            .batch = BATCH,
                            .turn = turn};
    struct quantiles *table;
    result r = open_all(&alone);
    choose_order(&alone);
    cpu_bind(bench->report->cpu);
    if (worked(r))
        r = bench_attempts(bench, &engine, &table);
    if (worked(r))
        fill(bench, &engine, table);
    close_all(&alone);
    return r;
}
