#include "sim/bench.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

/* Nothing here depends on how fast the machine is. */

/* ---- rounds and attempts, with an engine whose times are known
 * -------------------------------------- */

struct known {
    size_t turns;
    uint64_t again; /* what the first stack's second turn takes more */
    size_t fail_at; /* turn; 0: never */
};

/* Variant v takes 1000 * (v + 1) ticks, plus 0 to 9 that go up with the turns. */
static bool known_turn(void *self, size_t variant, uint64_t *ticks)
{
    struct known *known = self;
    if (++known->turns == known->fail_at)
        return false;
    ticks[0] = 1000 * ((variant == 2 ? 1 : variant) + 1) + (variant == 2 ? known->again : 0);
    ticks[1] = 0;
    return true;
}

static struct engine engine_of(struct known *known)
{
    return (struct engine){
        .self = known, .variants = 3, .rows = 2, .batch = 10, .turn = known_turn};
}

static void quantiles_are_per_call(void **state)
{
    (void)state;
    struct known known = {0};
    struct engine engine = engine_of(&known);
    struct tick_clock clock = {.ns = 0.5};
    struct random random = random_seed(1);
    struct quantiles table[6];
    uint32_t rounds;
    assert_true(engine_run(&engine, clock, 1e-9, &random, table, &rounds));
    assert_int_equal(rounds, 3); /* the least, however little time there is */
    assert_int_equal(known.turns, 9);
    assert_true(table[0].min == 50 && table[0].p10 == 50 && table[0].median == 50);
    assert_true(table[2].min == 100);
    assert_true(table[1].min == 0 && table[3].median == 0); /* rows without times */
}

/* Turns of two phases, the second twice as long: the mean is of both, whatever the quantile. */
static bool phased_turn(void *self, size_t variant, uint64_t *ticks)
{
    size_t *turns = self;
    (void)variant;
    ticks[0] = (*turns)++ % 2 ? 200 : 100;
    return true;
}

static void quantiles_are_means_over_the_phases(void **state)
{
    (void)state;
    size_t turns = 0;
    struct engine engine = {
        .self = &turns, .variants = 1, .rows = 1, .batch = 10, .phases = 2, .turn = phased_turn};
    struct random random = random_seed(1);
    struct quantiles table[1];
    uint32_t rounds;
    assert_true(engine_run(&engine, (struct tick_clock){.ns = 1}, 1e-9, &random, table, &rounds));
    assert_int_equal(rounds, 6); /* three of each */
    assert_true(table[0].min == 15 && table[0].p10 == 15 && table[0].median == 15);
}

static void a_failing_turn_ends_the_run(void **state)
{
    (void)state;
    struct known known = {.fail_at = 4};
    struct engine engine = engine_of(&known);
    struct tick_clock clock = {.ns = 1};
    struct random random = random_seed(1);
    struct quantiles table[6];
    uint32_t rounds;
    assert_false(engine_run(&engine, clock, 10, &random, table, &rounds));
    assert_int_equal(known.turns, 4);
}

static struct bench_report attempt(struct fixture *fixture, uint64_t again)
{
    static struct bench_row rows[2];
    static struct bench_report report;
    struct known known = {.again = again};
    struct engine engine = engine_of(&known);
    struct bench_request request = {
        .method = BENCH_ALONE, .stack_count = 1, .seconds = 1e-9, .same_limit_ns = 0.3};
    report = (struct bench_report){.rows = rows, .row_count = 2, .stack_count = 1};
    struct bench bench = {.arena = fixture->arena,
                          .request = &request,
                          .report = &report,
                          .clock = {.ns = 1},
                          .random = random_seed(2)};
    struct quantiles *table;
    assert_true(worked(bench_attempts(&bench, &engine, &table)));
    return report;
}

static void a_filter_equal_to_itself_is_quiet(void **state)
{
    struct bench_report report = attempt(*state, 2);
    assert_false(report.noisy);
    assert_int_equal(report.attempts, 1);
    assert_true(report.same_ns > 0.19 && report.same_ns < 0.21);
}

static void a_filter_unequal_to_itself_is_noisy_after_some_attempts(void **state)
{
    struct bench_report report = attempt(*state, 4);
    assert_true(report.noisy);
    assert_int_equal(report.attempts, 3);
    assert_true(report.same_ns > 0.39 && report.rows[0].same_ns > 0.39);
    assert_true(report.rows[1].same_ns == 0);
}

/* ---- which calls
 * ----------------------------------------------------------------------------------------- */

static bool harmless(const char *text)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct call call;
    assert_true(worked(call_parse(arena, text, ABI_X86_64, &diagnostics, &call)));
    bool answer = call_is_harmless(&call.input, ABI_X86_64);
    arena_free(arena);
    return answer;
}

static void only_calls_without_effect_are_harmless(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "getppid()", "personality(0xffffffff)", "fcntl(-1, F_SETFL, 3)",
        "close(-1)", "mprotect(1, 4096, 7)",    "nr(1471)"};
    static const char *const no[] = {"personality(0)",  "fcntl(0, F_SETFL, 3)",
                                     "close(2)",        "close(0xfffffffe)",
                                     "kill(-1, 9)",     "exit_group(0)",
                                     "reboot()",        "mprotect(0x1000, 1, 0)",
                                     "socket(2, 1, 0)", "nr(470)",
                                     "i386:iopl(0)",    "x32:getppid()"};
    uint32_t outside = number_outside(ABI_X86_64);
    struct input input = {.nr = outside, .arch = abi_get(ABI_X86_64)->token};
    assert_true(call_is_harmless(&input, ABI_X86_64));
    assert_null(abi_syscall_at(ABI_X86_64, outside));
    for (size_t i = 0; i + 1 < COUNT_OF(yes); i++)
        assert_true(harmless(yes[i]));
    for (size_t i = 0; i < COUNT_OF(no); i++)
        assert_false(harmless(no[i]));
}

/* getppid by number, personality(2) by argument, all else errno 1; i386 killed. */
static struct sock_filter example[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 0, 6),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 110, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 0, 4),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 0, 2),
    BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
    BPF_STMT(BPF_RET | BPF_K, 0x80000000),
    BPF_STMT(BPF_RET | BPF_K, 0x00050001),
};

static const struct bench_call *call_of(const struct bench_call *calls, size_t count,
                                        enum bench_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i].kind == kind && calls[i].input_count == 1)
            return &calls[i];
    return NULL;
}

static void the_choice_has_every_class(void **state)
{
    struct fixture *fixture = *state;
    struct program program = {.name = "example", .code = example, .length = COUNT_OF(example)};
    struct bench_stack stack = {"example", &program, 1};
    assert_int_equal(check_program(&program).rule, CHECK_ACCEPTED);
    for (unsigned method = BENCH_KERNEL; method <= BENCH_ALONE; method++) {
        size_t count;
        const struct bench_call *calls =
            bench_choose(fixture->arena, (enum bench_method)method, &stack, 1, ABI_X86_64, &count);
        const struct bench_call *found[BENCH_KIND_COUNT];
        for (unsigned kind = BENCH_ALLOWED; kind < BENCH_KIND_COUNT; kind++) {
            found[kind] = call_of(calls, count, (enum bench_kind)kind);
            assert_non_null(found[kind]);
        }
        assert_int_equal(found[BENCH_ALLOWED]->inputs[0].nr, 110);
        assert_int_equal(found[BENCH_CHECKED]->inputs[0].nr, 135);
        assert_int_equal(found[BENCH_CHECKED]->inputs[0].args[0], 0xffffffff);
        assert_int_equal(found[BENCH_CHECKED_DENIED]->inputs[0].nr, 135);
        assert_int_equal(found[BENCH_OUTSIDE]->inputs[0].nr, number_outside(ABI_X86_64));
        assert_true(stack_caches(&stack, found[BENCH_ALLOWED]->inputs));
        assert_false(stack_caches(&stack, found[BENCH_CHECKED]->inputs));
    }
}

/* ---- the report ------------------------------------------------------------------------------ */

/* Two filters in user space: the means are those of the rows, and the first's ratio to itself 1. */
static void means_are_over_the_groups(void **state)
{
    struct fixture *fixture = *state;
    struct program program = {.name = "example", .code = example, .length = COUNT_OF(example)};
    struct bench_stack stacks[] = {{"one", &program, 1}, {"two", &program, 1}};
    if (bench_unavailable(fixture->arena, BENCH_ALONE, stacks, 2))
        skip();
    struct bench_request request = {
        .method = BENCH_ALONE, .stacks = stacks, .stack_count = 2, .seconds = 1e-3, .seed = 3};
    request.calls =
        bench_choose(fixture->arena, BENCH_ALONE, stacks, 2, ABI_X86_64, &request.call_count);
    struct bench_report report;
    assert_true(worked(bench_run(fixture->arena, &request, &fixture->diagnostics, &report)));
    double logs[BENCH_GROUP_COUNT] = {0};
    size_t counts[BENCH_GROUP_COUNT] = {0};
    for (size_t i = 0; i < report.row_count; i++) {
        enum bench_kind kind = report.rows[i].call->kind;
        double ratio = report.rows[i].cells[1].ratio;
        if (report.rows[i].call->input_count != 1 || kind == BENCH_ALLOWED || !(ratio > 0))
            continue;
        bool checked = kind == BENCH_CHECKED || kind == BENCH_CHECKED_DENIED;
        enum bench_group group = checked ? BENCH_GROUP_CHECKED : BENCH_GROUP_DENIED;
        logs[group] += log(ratio);
        logs[BENCH_GROUP_BOTH] += log(ratio);
        counts[group]++;
        counts[BENCH_GROUP_BOTH]++;
    }
    assert_true(counts[BENCH_GROUP_BOTH] > 0);
    for (unsigned group = BENCH_GROUP_CHECKED; group < BENCH_GROUP_COUNT; group++) {
        const struct bench_mean *mean = &report.means[group * 2 + 1];
        assert_int_equal(mean->calls, counts[group]);
        if (!counts[group])
            continue;
        double expected = exp(-logs[group] / (double)counts[group]);
        assert_true(fabs(mean->ratio / expected - 1) < 1e-9);
        assert_true(fabs(report.means[group * 2].ratio - 1) < 1e-9);
    }
}

static void the_clock_goes_forward(void **state)
{
    (void)state;
    struct tick_clock clock = tick_clock_open();
    assert_true(clock.ns > 0);
    uint64_t begin = ticks_begin(clock.tsc), end = ticks_end(clock.tsc);
    assert_true(end >= begin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(quantiles_are_per_call),
        TEST(quantiles_are_means_over_the_phases),
        TEST(a_failing_turn_ends_the_run),
        TEST(a_filter_equal_to_itself_is_quiet),
        TEST(a_filter_unequal_to_itself_is_noisy_after_some_attempts),
        TEST(only_calls_without_effect_are_harmless),
        TEST(the_choice_has_every_class),
        TEST(means_are_over_the_groups),
        TEST(the_clock_goes_forward),
    };
    return RUN_TESTS(tests);
}
