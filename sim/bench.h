/* bench: what the ways of measuring share. Private to sim/.
 *
 * Every way is an engine: it has variants (no filter, each stack, the first stack again) that take
 * turns, and a turn gives one time for each row. The turns of a round come in a new order each
 * round, so that whatever drifts on the machine hits all variants alike.
 */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include <sched.h>

#include "sim/sim.h"

#define BATCH 500u  /* calls in one sample */
#define WARM_UP 32u /* calls before a sample, not timed */
#define VARIANT_CONTROL 0u
#define VARIANT_STACK(index) ((index) + 1u)

/* ---- the clock (clock.c) ------------------------------------------------------------------- */

struct tick_clock {
    bool tsc;
    double ns; /* per tick */
};

/* Takes 20 ms where it has to be calibrated. */
struct tick_clock tick_clock_open(void);

#if defined(__x86_64__)
/* No earlier instruction is still under way, no later one has begun. */
static inline uint64_t tsc_begin(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t tsc_end(void)
{
    uint32_t low, high, cpu;
    __asm__ volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high), "=c"(cpu)::"memory");
    return (uint64_t)high << 32 | low;
}
#else
static inline uint64_t tsc_begin(void)
{
    return 0;
}

static inline uint64_t tsc_end(void)
{
    return 0;
}
#endif

static inline uint64_t ticks_begin(bool tsc)
{
    return tsc ? tsc_begin() : clock_ns();
}

static inline uint64_t ticks_end(bool tsc)
{
    return tsc ? tsc_end() : clock_ns();
}

/* ---- the processor (bench_cpu.c) ------------------------------------------------------------ */

/* The last processor that this process may use, and the set it had; -1: unknown. */
int cpu_choose(cpu_set_t *before);
void cpu_bind(int cpu);
/* All of `before` but `cpu`, if anything is left. */
void cpu_avoid(int cpu, const cpu_set_t *before);

/* ---- engines (bench.c) ---------------------------------------------------------------------- */

struct engine {
    void *self;
    size_t variants, rows;
    uint32_t batch;  /* calls in each time */
    uint32_t phases; /* the rounds take turns with so many ways of measuring; 0: one */
    /* Adds ticks[row] for one turn; 0: none. False: it cannot go on, and has been reported. */
    bool (*turn)(void *self, size_t variant, uint64_t *ticks);
};

struct quantiles {
    double min, p10, median;
};

/* Measures for `seconds`, at least three rounds of each phase. `table` gets variants * rows, each
 * the mean over the phases. False: see turn. */
bool engine_run(const struct engine *engine, struct tick_clock clock, double seconds,
                struct random *random, struct quantiles *table, uint32_t *rounds);

/* One of these per method; each opens, hands its engine to bench_attempts, and closes again. */
struct bench {
    struct arena *arena;
    const struct bench_request *request;
    struct diagnostics *diagnostics;
    struct bench_report *report;
    struct tick_clock clock;
    struct random random;
    cpu_set_t cpus;
};

result bench_attempts(struct bench *bench, const struct engine *engine, struct quantiles **table);
result bench_kernel(struct bench *bench);
result bench_alone(struct bench *bench);
result bench_install(struct bench *bench);

/* Fills a row's cell from the quantiles, less `control`. */
void bench_fill(struct bench *bench, const struct engine *engine, const struct quantiles *table,
                size_t row, size_t stack, double control);
size_t variant_again(const struct bench *bench);

/* ---- calls (bench_calls.c) ------------------------------------------------------------------- */

/* True when the kernel does nothing for this call but refuse it or return a number. */
bool call_is_harmless(const struct input *input, enum abi_id abi);
bool stack_caches(const struct bench_stack *stack, const struct input *input);
/* With the address that a real call comes from, where none was asked for. */
struct input input_as_made(enum bench_method method, const struct input *input);
/* A number that no table of this ABI has, of now or the near future. */
uint32_t number_outside(enum abi_id abi);

#endif
