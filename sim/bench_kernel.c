#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/bench.h"
#include "sim/child.h"
#include "sim/entry.h"

/* Whole calls under the installed filter. Each variant is a child of its own that lives for the
 * whole run, so that a filter is installed once and its code stays where it is. Under its filter a
 * child may not be able to wait for anything, so it never asks the kernel for that: it is stopped
 * and continued from outside, and finds its turn in shared memory. */

#define TURN_SECONDS 2.0
#define LOOK_AGAIN_NS 20000L

enum lane_state { LANE_STARTING, LANE_READY, LANE_REFUSED };

/* One child. What it writes, the parent reads when `done` equals `asked`. */
struct lane {
    _Atomic uint32_t asked, done, state;
    int32_t error;
    pid_t pid;
    const struct bench_stack *stack; /* NULL: no filter */
    uint64_t ticks[];
};

struct kernel_bench {
    struct bench *bench;
    struct lane **lanes; /* by variant */
    size_t lane_bytes;
    bool *made;     /* [stack * rows + row]: the calls that this stack's child makes */
    bool *harmless; /* [row]: even without a filter */
    struct input outside;
    pid_t parent;
};

/* ---- in the child ------------------------------------------------------------------------------
 */

static uint64_t time_calls(const struct input *inputs, size_t count, bool tsc)
{
    size_t at = 0;
    uint64_t begin = 0;
    for (uint32_t i = 0; i < WARM_UP + BATCH; i++) {
        if (i == WARM_UP)
            begin = ticks_begin(tsc);
        (void)entry_call(ENTRY_NATIVE, inputs[at].nr, inputs[at].args);
        at = at + 1 < count ? at + 1 : 0;
    }
    uint64_t end = ticks_end(tsc);
    return end > begin ? end - begin : 1;
}

static void take_turn(const struct kernel_bench *kernel, size_t variant, struct lane *lane)
{
    const struct bench_request *request = kernel->bench->request;
    size_t stack = variant == variant_again(kernel->bench) ? 0 : variant - 1;
    bool tsc = kernel->bench->clock.tsc;
    for (size_t row = 0; row < request->call_count; row++) {
        const struct bench_call *call = &request->calls[row];
        lane->ticks[row] = 0;
        if (variant == VARIANT_CONTROL && !kernel->harmless[row])
            lane->ticks[row] = time_calls(&kernel->outside, 1, tsc);
        else if (variant == VARIANT_CONTROL || kernel->made[stack * request->call_count + row])
            lane->ticks[row] = time_calls(call->inputs, call->input_count, tsc);
    }
}

static bool install(const struct bench_stack *stack, struct lane *lane)
{
    for (size_t i = 0; stack && i < stack->count; i++) {
        lane->error = child_install(&stack->programs[i]);
        if (lane->error)
            return false;
    }
    return true;
}

/* Never returns. */
static void live(const struct kernel_bench *kernel, size_t variant, struct lane *lane)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getppid() != kernel->parent)
        entry_leave(); /* it died before we asked to die with it */
    cpu_bind(kernel->bench->report->cpu);
    if (!install(lane->stack, lane)) {
        atomic_store(&lane->state, LANE_REFUSED);
        entry_leave();
    }
    atomic_store(&lane->state, LANE_READY);
    for (uint32_t turn = 0;;) {
        uint32_t asked = atomic_load(&lane->asked);
        if (asked == turn)
            continue; /* about to be stopped */
        take_turn(kernel, variant, lane);
        turn = asked;
        atomic_store(&lane->done, turn);
    }
}

/* ---- in the parent
 * ------------------------------------------------------------------------------- */

static const char *lane_name(const struct lane *lane)
{
    return lane->stack ? lane->stack->name : "the child without a filter";
}

static bool lane_gone(struct lane *lane)
{
    int status;
    pid_t gone = waitpid(lane->pid, &status, WNOHANG);
    if (gone == lane->pid || (gone < 0 && errno != EINTR))
        lane->pid = 0;
    return lane->pid == 0;
}

static bool wait_until(struct lane *lane, const _Atomic uint32_t *what, uint32_t value)
{
    struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
    struct deadline deadline = deadline_in(TURN_SECONDS);
    while (atomic_load(what) != value) {
        if (lane_gone(lane) || deadline_passed(deadline))
            return atomic_load(what) == value;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static bool turn(void *self, size_t variant, uint64_t *ticks)
{
    struct kernel_bench *kernel = self;
    struct lane *lane = kernel->lanes[variant];
    if (atomic_load(&lane->state) == LANE_REFUSED)
        return true;
    uint32_t number = atomic_load(&lane->asked) + 1;
    atomic_store(&lane->asked, number);
    (void)kill(lane->pid, SIGCONT);
    bool done = wait_until(lane, &lane->done, number);
    if (lane->pid)
        (void)kill(lane->pid, SIGSTOP);
    if (!done) {
        report_error(kernel->bench->diagnostics, NO_SPAN, "%s %s", lane_name(lane),
                     lane->pid ? "did not come back from a call"
                               : "ended at a call that should have returned");
        return false;
    }
    memcpy(ticks, lane->ticks, kernel->bench->request->call_count * sizeof *ticks);
    return true;
}

static result start(struct kernel_bench *kernel, size_t variant)
{
    struct bench *bench = kernel->bench;
    struct lane *lane =
        mmap(NULL, kernel->lane_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (lane == MAP_FAILED) {
        report_error(bench->diagnostics, NO_SPAN, "no memory for a child: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    kernel->lanes[variant] = lane;
    if (variant != VARIANT_CONTROL)
        lane->stack = &bench->request->stacks[variant == variant_again(bench) ? 0 : variant - 1];
    pid_t pid = fork();
    if (pid == 0)
        live(kernel, variant, lane);
    lane->pid = pid > 0 ? pid : 0;
    if (pid < 0) {
        report_error(bench->diagnostics, NO_SPAN, "no process could be made: %s", strerror(errno));
        return FAILURE(ERROR_IO);
    }
    bool ready = wait_until(lane, &lane->state, LANE_READY);
    if (lane->pid)
        (void)kill(lane->pid, SIGSTOP);
    if (ready)
        return SUCCESS;
    if (!lane->stack || atomic_load(&lane->state) != LANE_REFUSED) {
        report_error(bench->diagnostics, NO_SPAN, "%s was lost before it began", lane_name(lane));
        return FAILURE(ERROR_IO);
    }
    size_t stack = (size_t)(lane->stack - bench->request->stacks);
    for (size_t row = 0; row < bench->request->call_count; row++)
        bench->report->rows[row].cells[stack].skipped =
            arena_printf(bench->arena, "the kernel does not install it: %s", strerror(lane->error));
    return SUCCESS;
}

static void end_all(struct kernel_bench *kernel)
{
    for (size_t i = 0; i <= variant_again(kernel->bench); i++) {
        struct lane *lane = kernel->lanes[i];
        if (!lane)
            continue;
        if (lane->pid) {
            (void)kill(lane->pid, SIGKILL);
            while (waitpid(lane->pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        }
        (void)munmap(lane, kernel->lane_bytes);
    }
}

/* ---- which calls may be made
 * ----------------------------------------------------------------------- */

/* Is it really denied? What the kernel lets through would be done. */
static bool denied_by_kernel(const struct bench_stack *stack, const struct input *input)
{
    struct kernel_result got =
        kernel_probe(stack->programs, stack->count, ENTRY_NATIVE, input->nr, input->args);
    return got.outcome == KERNEL_RETURNED;
}

/* NULL: it may be made again and again. */
static const char *obstacle(const struct bench_stack *stack, const struct input *input)
{
    if (input->arch != abi_get(abi_native())->token)
        return "it is not a call of this machine's own ABI";
    if (input->ip != kernel_call_ip(ENTRY_NATIVE))
        return "it cannot be made from that address";
    uint32_t word = interpret_stack(stack->programs, stack->count, input).word;
    enum action action = action_of_word(word, NULL)->action;
    if (action == ACTION_KILL_PROCESS || action == ACTION_KILL_THREAD)
        return "the filter kills";
    if (action != ACTION_ALLOW && action != ACTION_ERRNO)
        return "neither allowed nor denied with an errno";
    if (call_is_harmless(input, abi_native()))
        return NULL;
    if (action == ACTION_ALLOW)
        return "it would really be done";
    return denied_by_kernel(stack, input) ? NULL : "the kernel does not confirm that it is denied";
}

static const char *first_obstacle(const struct bench_stack *stack, const struct bench_call *call)
{
    const char *why = NULL;
    for (size_t i = 0; i < call->input_count && !why; i++) {
        struct input input = input_as_made(BENCH_KERNEL, &call->inputs[i]);
        why = obstacle(stack, &input);
    }
    return why;
}

static void decide_calls(struct kernel_bench *kernel)
{
    struct bench *bench = kernel->bench;
    const struct bench_request *request = bench->request;
    size_t rows = request->call_count;
    kernel->made = NEW_ARRAY(bench->arena, bool, request->stack_count *rows);
    kernel->harmless = NEW_ARRAY(bench->arena, bool, rows);
    kernel->outside = (struct input){.nr = number_outside(abi_native())};
    for (size_t row = 0; row < rows; row++) {
        const struct bench_call *call = &request->calls[row];
        kernel->harmless[row] = true;
        for (size_t i = 0; i < call->input_count; i++)
            kernel->harmless[row] &= call_is_harmless(&call->inputs[i], abi_native());
        bench->report->rows[row].control_is_other = !kernel->harmless[row];
        for (size_t stack = 0; stack < request->stack_count; stack++) {
            const char *why = first_obstacle(&request->stacks[stack], call);
            bench->report->rows[row].cells[stack].skipped = why;
            kernel->made[stack * rows + row] = why == NULL;
        }
    }
}

static void fill(struct bench *bench, const struct engine *engine, const struct quantiles *table)
{
    struct bench_report *report = bench->report;
    for (size_t row = 0; row < engine->rows; row++) {
        report->rows[row].control_ns = table[row].p10;
        if (report->control_ns == 0 || table[row].p10 < report->control_ns)
            report->control_ns = table[row].p10;
        for (size_t stack = 0; stack < report->stack_count; stack++)
            bench_fill(bench, engine, table, row, stack, 0);
    }
}

result bench_kernel(struct bench *bench)
{
    size_t rows = bench->request->call_count;
    struct kernel_bench kernel = {.bench = bench, .parent = getpid()};
    struct engine engine = {.self = &kernel,
                            .variants = variant_again(bench) + 1,
                            .rows = rows,
                            .batch = BATCH,
                            .turn = turn};
    kernel.lane_bytes = sizeof(struct lane) + rows * sizeof(uint64_t);
    kernel.lanes = NEW_ARRAY(bench->arena, struct lane *, engine.variants);
    decide_calls(&kernel);
    cpu_avoid(bench->report->cpu, &bench->cpus);
    struct quantiles *table;
    result r = SUCCESS;
    for (size_t variant = 0; variant < engine.variants && worked(r); variant++)
        r = start(&kernel, variant);
    if (worked(r))
        r = bench_attempts(bench, &engine, &table);
    end_all(&kernel);
    if (worked(r))
        fill(bench, &engine, table);
    return r;
}
