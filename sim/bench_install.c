#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sim/bench.h"
#include "sim/child.h"
#include "sim/entry.h"

/* How long seccomp(2) takes: checking, compiling, and emulating the program for every number. Each
 * time is of a child that has no filter of ours yet: a second filter is only emulated for what the
 * first left cached. The control is a filter of one instruction. */

struct installing {
    struct bench *bench;
    struct bench_stack smallest;
};

struct install_job {
    const struct bench_stack *stack;
    int cpu;
    bool tsc;
};

/* Brings the program into this process's page tables and the processor's caches. */
static void touch(const struct program *program)
{
    const volatile struct sock_filter *code = program->code;
    for (uint32_t i = 0; i < program->length; i++)
        (void)code[i].k;
}

/* Runs in the child. */
static void install_timed(struct progress *progress, const void *argument)
{
    const struct install_job *job = argument;
    static const uint64_t no_new_privs[6] = {PR_SET_NO_NEW_PRIVS, 1};
    static const uint64_t no_operation[6] = {UINT32_MAX};
    cpu_bind(job->cpu);
    (void)entry_install(SYS_prctl, no_new_privs);
    (void)entry_install(SYS_seccomp, no_operation);
    for (size_t i = 0; i < job->stack->count; i++) {
        const struct program *program = &job->stack->programs[i];
        struct sock_fprog filter = {.len = (uint16_t)program->length, .filter = program->code};
        const uint64_t install[6] = {SECCOMP_SET_MODE_FILTER, 0, (uintptr_t)&filter};
        touch(program);
        uint64_t begin = ticks_begin(job->tsc);
        int64_t refused = entry_install(SYS_seccomp, install);
        uint64_t end = ticks_end(job->tsc);
        if (refused) {
            progress->value = -refused;
            atomic_store(&progress->stage, STAGE_REFUSED);
            entry_leave();
        }
        progress->value += (int64_t)(end - begin);
    }
    atomic_store(&progress->stage, STAGE_RETURNED);
    entry_leave();
}

/* NULL when it worked. */
static const char *install_once(const struct bench *bench, const struct bench_stack *stack,
                                uint64_t *ticks)
{
    struct install_job job = {stack, bench->report->cpu, bench->clock.tsc};
    struct progress progress = {0};
    struct ending ending;
    if (!child_run(install_timed, &job, CHILD_SECONDS, &progress, &ending))
        return "no process could be made";
    if (progress.stage == STAGE_REFUSED)
        return strerror((int)progress.value);
    if (progress.stage != STAGE_RETURNED)
        return "the child was lost";
    *ticks = progress.value > 0 ? (uint64_t)progress.value : 1;
    return NULL;
}

static bool turn(void *self, size_t variant, uint64_t *ticks)
{
    struct installing *installing = self;
    struct bench *bench = installing->bench;
    size_t index = variant == variant_again(bench) ? 0 : variant - 1;
    bool control = variant == VARIANT_CONTROL;
    if (!control && bench->report->rows[0].cells[index].skipped)
        return true;
    const struct bench_stack *stack =
        control ? &installing->smallest : &bench->request->stacks[index];
    const char *why = install_once(bench, stack, ticks);
    if (why)
        report_error(bench->diagnostics, NO_SPAN, "%s was not installed: %s", stack->name, why);
    return why == NULL;
}

/* A stack may be one that cannot be installed: its older filters deny seccomp(2). */
static void try_all(struct bench *bench)
{
    for (size_t i = 0; i < bench->request->stack_count; i++) {
        uint64_t ticks;
        const char *why = install_once(bench, &bench->request->stacks[i], &ticks);
        if (why)
            bench->report->rows[0].cells[i].skipped =
                arena_printf(bench->arena, "the kernel does not install it: %s", why);
    }
}

result bench_install(struct bench *bench)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct program smallest = {.name = "ret allow", .code = allow, .length = COUNT_OF(allow)};
    struct installing installing = {.bench = bench, .smallest = {"ret allow", &smallest, 1}};
    struct bench_report *report = bench->report;
    struct engine engine = {.self = &installing,
                            .variants = variant_again(bench) + 1,
                            .rows = 1,
                            .batch = 1,
                            .turn = turn};
    struct quantiles *table;
    report->row_count = 1;
    cpu_avoid(report->cpu, &bench->cpus);
    try_all(bench);
    result r = bench_attempts(bench, &engine, &table);
    if (failed(r))
        return r;
    report->control_ns = report->rows[0].control_ns = table[VARIANT_CONTROL].p10;
    for (size_t stack = 0; stack < report->stack_count; stack++)
        bench_fill(bench, &engine, table, 0, stack, 0);
    return SUCCESS;
}
