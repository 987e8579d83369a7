#include <math.h>
#include <stdlib.h>

#include "sim/bench.h"

/* Rounds, quantiles, and the question whether the machine was quiet enough: the first filter runs
 * twice, and a run in which it differs from itself is thrown away. */

#define ROUNDS_LEAST 3u
#define ROUNDS_MOST 2000u
#define SAMPLES_MOST ((size_t)4 << 20)
#define ATTEMPTS 3u /* of half the time, a quarter, a quarter */

/* Of one whole call; the program alone is less noisy, and an installation a thousand times longer.
 */
#define SAME_LIMIT_NS 0.3
#define SAME_LIMIT_ALONE_NS 0.1
#define SAME_LIMIT_INSTALL 0.05

const char *bench_method_name(enum bench_method method)
{
    static const char *const names[] = {
        [BENCH_KERNEL] = "kernel", [BENCH_ALONE] = "alone", [BENCH_INSTALL] = "install"};
    return method < BENCH_METHOD_COUNT ? names[method] : NULL;
}

const char *bench_kind_name(enum bench_kind kind)
{
    static const char *const names[] = {
        [BENCH_GIVEN] = "given",     [BENCH_ALLOWED] = "allowed",
        [BENCH_CHECKED] = "checked", [BENCH_CHECKED_DENIED] = "checked and denied",
        [BENCH_DENIED] = "denied",   [BENCH_OUTSIDE] = "outside the table"};
    return kind < BENCH_KIND_COUNT ? names[kind] : NULL;
}

const char *bench_group_name(enum bench_group group)
{
    static const char *const names[] = {[BENCH_GROUP_PERMITTED] = "argument-checked and permitted",
                                        [BENCH_GROUP_CHECKED] = "argument-checked",
                                        [BENCH_GROUP_DENIED] = "denied",
                                        [BENCH_GROUP_BOTH] = "both"};
    return group < BENCH_GROUP_COUNT ? names[group] : NULL;
}

/* ---- rounds --------------------------------------------------------------------------------- */

struct samples {
    double *ns; /* [(variant * rows + row) * most + i] */
    uint32_t *counts;
    uint32_t most;
};

static uint32_t phases_of(const struct engine *engine)
{
    return engine->phases ? engine->phases : 1;
}

static struct samples samples_new(struct arena *arena, const struct engine *engine)
{
    size_t cells = engine->variants * engine->rows;
    size_t most = SAMPLES_MOST / cells;
    if (most > ROUNDS_MOST)
        most = ROUNDS_MOST;
    if (most < ROUNDS_LEAST * phases_of(engine))
        most = ROUNDS_LEAST * phases_of(engine);
    return (struct samples){.ns = NEW_ARRAY(arena, double, cells *most),
                            .counts = NEW_ARRAY(arena, uint32_t, cells),
                            .most = (uint32_t)most};
}

static void shuffle(size_t *order, size_t count, struct random *random)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = random_below(random, (uint32_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

static void keep(struct samples *samples, const struct engine *engine, size_t variant,
                 const uint64_t *ticks, double ns)
{
    for (size_t row = 0; row < engine->rows; row++) {
        size_t cell = variant * engine->rows + row;
        if (ticks[row] && samples->counts[cell] < samples->most)
            samples->ns[cell * samples->most + samples->counts[cell]++] =
                (double)ticks[row] * ns / engine->batch;
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of each phase, then their mean. */
static struct quantiles quantiles_of(const double *ns, uint32_t count, uint32_t phases,
                                     double *scratch)
{
    struct quantiles mean = {0};
    if (phases > count)
        phases = count;
    for (uint32_t phase = 0; phase < phases; phase++) {
        uint32_t taken = 0;
        for (uint32_t i = phase; i < count; i += phases)
            scratch[taken++] = ns[i];
        qsort(scratch, taken, sizeof *scratch, compare);
        mean.min += scratch[0] / phases;
        mean.p10 += scratch[(taken - 1) / 10] / phases;
        mean.median += scratch[taken / 2] / phases;
    }
    return mean;
}

bool engine_run(const struct engine *engine, struct tick_clock clock, double seconds,
                struct random *random, struct quantiles *table, uint32_t *rounds)
{
    struct arena *scratch = arena_new();
    struct samples samples = samples_new(scratch, engine);
    size_t *order = NEW_ARRAY(scratch, size_t, engine->variants);
    uint64_t *ticks = NEW_ARRAY(scratch, uint64_t, engine->rows);
    struct deadline deadline = deadline_in(seconds);
    bool going = true;
    for (*rounds = 0; going && *rounds < samples.most; ++*rounds) {
        if (*rounds >= ROUNDS_LEAST * phases_of(engine) && deadline_passed(deadline))
            break;
        shuffle(order, engine->variants, random);
        for (size_t i = 0; i < engine->variants && going; i++) {
            memset(ticks, 0, engine->rows * sizeof *ticks);
            going = engine->turn(engine->self, order[i], ticks);
            keep(&samples, engine, order[i], ticks, clock.ns);
        }
    }
    double *one_phase = NEW_ARRAY(scratch, double, samples.most);
    for (size_t cell = 0; cell < engine->variants * engine->rows; cell++)
        table[cell] = quantiles_of(samples.ns + cell * samples.most, samples.counts[cell],
                                   phases_of(engine), one_phase);
    arena_free(scratch);
    return going;
}

/* ---- attempts -------------------------------------------------------------------------------- */

size_t variant_again(const struct bench *bench)
{
    return VARIANT_STACK(bench->request->stack_count);
}

struct sameness {
    double mean, worst, limit;
};

static double difference(const struct bench *bench, const struct engine *engine,
                         const struct quantiles *table, size_t row)
{
    const struct quantiles *first = &table[VARIANT_STACK(0) * engine->rows + row];
    const struct quantiles *again = &table[variant_again(bench) * engine->rows + row];
    return first->p10 > 0 && again->p10 > 0 ? fabs(first->p10 - again->p10) : -1;
}

static struct sameness sameness_of(const struct bench *bench, const struct engine *engine,
                                   const struct quantiles *table)
{
    struct sameness same = {.limit = bench->request->same_limit_ns};
    size_t rows = 0;
    for (size_t row = 0; row < engine->rows; row++) {
        double differs = difference(bench, engine, table, row);
        if (differs < 0)
            continue;
        rows++;
        same.mean += differs;
        same.worst = differs > same.worst ? differs : same.worst;
    }
    same.mean = rows ? same.mean / (double)rows : 0;
    const double own[] = {[BENCH_KERNEL] = SAME_LIMIT_NS,
                          [BENCH_ALONE] = SAME_LIMIT_ALONE_NS,
                          [BENCH_INSTALL] =
                              table[VARIANT_STACK(0) * engine->rows].p10 * SAME_LIMIT_INSTALL};
    if (!(same.limit > 0))
        same.limit = own[bench->request->method];
    return same;
}

/* Runs until one is quiet, at most ATTEMPTS times; figures of different runs are never mixed. */
result bench_attempts(struct bench *bench, const struct engine *engine, struct quantiles **table)
{
    struct bench_report *report = bench->report;
    size_t cells = engine->variants * engine->rows;
    struct quantiles *now = NEW_ARRAY(bench->arena, struct quantiles, cells);
    *table = NEW_ARRAY(bench->arena, struct quantiles, cells);
    report->noisy = true;
    while (report->noisy && report->attempts < ATTEMPTS) {
        uint32_t rounds;
        double part = report->attempts == 0 ? 0.5 : 0.25;
        double seconds = bench->request->seconds * part;
        if (!engine_run(engine, bench->clock, seconds, &bench->random, now, &rounds))
            return FAILURE(ERROR_IO);
        struct sameness same = sameness_of(bench, engine, now);
        report->noisy = same.mean > same.limit;
        if (report->attempts++ == 0 || same.mean < report->same_ns) {
            memcpy(*table, now, cells * sizeof **table);
            report->rounds = rounds;
            report->same_ns = same.mean;
            report->same_worst_ns = same.worst;
            report->same_limit_ns = same.limit;
        }
    }
    for (size_t row = 0; row < engine->rows; row++) {
        double differs = difference(bench, engine, *table, row);
        report->rows[row].same_ns = differs < 0 ? 0 : differs;
    }
    return SUCCESS;
}

/* ---- the report -------------------------------------------------------------------------------
 */

void bench_fill(struct bench *bench, const struct engine *engine, const struct quantiles *table,
                size_t row, size_t stack, double control)
{
    struct bench_cell *cells = bench->report->rows[row].cells;
    struct bench_cell *cell = &cells[stack];
    const struct quantiles *q = &table[VARIANT_STACK(stack) * engine->rows + row];
    if (cell->skipped)
        return;
    if (!(q->p10 - control > 0)) {
        cell->skipped = "not to be told from an empty function";
        return;
    }
    cell->min_ns = q->min - control;
    cell->p10_ns = q->p10 - control;
    cell->median_ns = q->median - control;
    cell->ratio = cells[0].skipped ? 0 : cell->p10_ns / cells[0].p10_ns;
}

static void describe_cell(enum bench_method method, const struct bench_stack *stack,
                          const struct bench_call *call, struct bench_cell *cell)
{
    cell->cached = call->input_count > 0;
    for (size_t i = 0; i < call->input_count; i++) {
        struct input input = input_as_made(method, &call->inputs[i]);
        struct stack_run run = interpret_stack(stack->programs, stack->count, &input);
        if (i == 0)
            cell->word = run.word;
        cell->executed += (double)run.executed / (double)call->input_count;
        cell->cached = cell->cached && stack_caches(stack, &input);
    }
}

static void open_report(struct bench *bench)
{
    const struct bench_request *request = bench->request;
    struct bench_report *report = bench->report;
    *report = (struct bench_report){.method = request->method,
                                    .row_count = request->call_count,
                                    .stack_count = request->stack_count,
                                    .tsc = bench->clock.tsc,
                                    .cpu = cpu_choose(&bench->cpus)};
    report->rows = NEW_ARRAY(bench->arena, struct bench_row, request->call_count);
    for (size_t i = 0; i < request->call_count; i++) {
        report->rows[i].call = &request->calls[i];
        report->rows[i].cells = NEW_ARRAY(bench->arena, struct bench_cell, request->stack_count);
        for (size_t j = 0; j < request->stack_count; j++)
            describe_cell(request->method, &request->stacks[j], &request->calls[i],
                          &report->rows[i].cells[j]);
    }
}

static bool belongs(enum bench_kind kind, enum bench_kind group)
{
    return group == BENCH_GIVEN ? kind > BENCH_ALLOWED : kind == group;
}

/* The n-th root of the product of the ratios. */
static void geometric_means(struct arena *arena, struct bench_report *report)
{
    size_t stacks = report->stack_count;
    report->geometric_mean = NEW_ARRAY(arena, double, BENCH_KIND_COUNT *stacks);
    for (size_t group = 0; group < BENCH_KIND_COUNT; group++)
        for (size_t stack = 0; stack < stacks; stack++) {
            double sum = 0;
            size_t count = 0;
            for (size_t i = 0; i < report->row_count; i++) {
                const struct bench_row *row = &report->rows[i];
                double ratio = row->cells[stack].ratio;
                if (row->call->input_count != 1 || !(ratio > 0) ||
                    !belongs(row->call->kind, (enum bench_kind)group))
                    continue;
                sum += log(ratio);
                count++;
            }
            report->geometric_mean[group * stacks + stack] = count ? exp(sum / (double)count) : 0;
        }
}

/* ---- groups ---------------------------------------------------------------------------------- */

#define KIND(name) (1u << BENCH_##name)

static bool in_group(const struct bench_call *call, enum bench_group group)
{
    static const unsigned kinds[] = {[BENCH_GROUP_PERMITTED] = KIND(CHECKED),
                                     [BENCH_GROUP_CHECKED] = KIND(CHECKED) | KIND(CHECKED_DENIED),
                                     [BENCH_GROUP_DENIED] = KIND(DENIED) | KIND(OUTSIDE),
                                     [BENCH_GROUP_BOTH] = KIND(CHECKED) | KIND(CHECKED_DENIED) |
                                                          KIND(DENIED) | KIND(OUTSIDE)};
    return call->input_count == 1 && (kinds[group] >> call->kind & 1u);
}

/* Whether two filters are compared by a call. Alone it must be one that the kernel runs both for;
 * as a whole, for one of them. */
static bool compares(const struct bench_request *request, const struct bench_cell *first,
                     const struct bench_cell *other)
{
    if (!request->remembers)
        return true;
    bool alone = request->method == BENCH_ALONE;
    return alone ? !first->cached && !other->cached : !first->cached || !other->cached;
}

static struct bench_mean group_mean(const struct bench_request *request,
                                    const struct bench_report *report, enum bench_group group,
                                    size_t stack)
{
    struct bench_mean mean = {0};
    double sum = 0, sum_ratio = 0;
    for (size_t i = 0; i < report->row_count; i++) {
        const struct bench_cell *cell = &report->rows[i].cells[stack];
        if (!in_group(report->rows[i].call, group) || !(cell->ratio > 0) ||
            !compares(request, &report->rows[i].cells[0], cell))
            continue;
        sum += log(cell->p10_ns);
        sum_ratio -= log(cell->ratio);
        mean.calls++;
    }
    if (mean.calls) {
        mean.ns = exp(sum / (double)mean.calls);
        mean.ratio = exp(sum_ratio / (double)mean.calls);
    }
    return mean;
}

static void group_means(struct arena *arena, const struct bench_request *request,
                        struct bench_report *report)
{
    report->means = NEW_ARRAY(arena, struct bench_mean, BENCH_GROUP_COUNT * report->stack_count);
    for (size_t group = 0; group < BENCH_GROUP_COUNT; group++)
        for (size_t stack = 0; stack < report->stack_count; stack++)
            report->means[group * report->stack_count + stack] =
                group_mean(request, report, (enum bench_group)group, stack);
}

result bench_run(struct arena *arena, const struct bench_request *request,
                 struct diagnostics *diagnostics, struct bench_report *out)
{
    static result (*const methods[])(struct bench * bench) = {[BENCH_KERNEL] = bench_kernel,
                                                              [BENCH_ALONE] = bench_alone,
                                                              [BENCH_INSTALL] = bench_install};
    struct bench bench = {.arena = arena,
                          .request = request,
                          .diagnostics = diagnostics,
                          .report = out,
                          .clock = tick_clock_open(),
                          .random = random_seed(request->seed)};
    open_report(&bench);
    if (request->stack_count == 0 || request->call_count == 0) {
        report_error(diagnostics, NO_SPAN, "there is no call to measure");
        return FAILURE(ERROR_INPUT);
    }
    result r = methods[request->method](&bench);
    if (out->cpu >= 0)
        (void)sched_setaffinity(0, sizeof bench.cpus, &bench.cpus);
    if (failed(r))
        return r;
    geometric_means(arena, out);
    group_means(arena, request, out);
    return SUCCESS;
}

const char *bench_unavailable(struct arena *arena, enum bench_method method,
                              const struct bench_stack *stacks, size_t stack_count)
{
    const char *reason = NULL;
    if (method != BENCH_ALONE) {
        (void)kernel_available(&reason);
        return reason;
    }
    for (size_t i = 0; i < stack_count; i++)
        for (size_t j = 0; j < stacks[i].count; j++) {
            struct diagnostics scratch = diagnostics_new(arena);
            struct jit *jit;
            if (failed(jit_open(arena, &stacks[i].programs[j], &scratch, &jit)))
                return scratch.first ? scratch.first->message : "no JIT image";
            jit_close(jit);
        }
    return NULL;
}
