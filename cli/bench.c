#include "cli/bench.h"

#include <sys/utsname.h>
#include <unistd.h>

#define SECONDS_DEFAULT 3.0
#define FILTERS_MOST 64

/* ---- filters
 * ----------------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Of a stack that is given as a.bpf+...+z.bpf: its first and its last member, and how many there
 * are. */
static const char *short_name(struct contest *c, size_t index)
{
    const struct filter *filter = &c->filters[index];
    struct arena *arena = c->context->arena;
    const char *plus = strchr(filter->name, '+');
    if (filter->program_count < 2)
        return last_part(filter->name);
    if (!plus || access(filter->name, F_OK) == 0)
        return arena_printf(arena, "%s (%zu filters)", last_part(filter->name),
                            filter->program_count);
    const char *first = last_part(arena_string(arena, filter->name, (size_t)(plus - filter->name)));
    const char *last = strrchr(filter->name, '+') + 1;
    return arena_printf(arena, "%s+%s%s (%zu filters)", first, last > plus + 1 ? "...+" : "",
                        last_part(last), filter->program_count);
}

/* The file's name where that tells the filters apart, else the argument as given; the same argument
 * twice is numbered. */
static void choose_names(struct contest *c)
{
    const char **names = NEW_ARRAY(c->context->arena, const char *, c->count);
    for (size_t i = 0; i < c->count; i++)
        names[i] = short_name(c, i);
    for (size_t i = 0; i < c->count; i++) {
        const char *name = names[i];
        size_t copy = 1;
        for (size_t j = 0; j < c->count; j++) {
            if (j != i && !strcmp(names[j], names[i]))
                name = c->filters[i].name;
            copy += j < i && !strcmp(c->filters[j].name, c->filters[i].name);
        }
        c->stacks[i].name = copy > 1 ? arena_printf(c->context->arena, "%s#%zu", name, copy) : name;
    }
}

static struct figures stack_figures(struct contest *c, const struct filter *filter)
{
    struct figures sum = {0};
    for (size_t i = 0; i < filter->program_count; i++) {
        struct figures one =
            program_figures(c->context->arena, &filter->programs[i], filter->declared);
        sum.instructions += one.instructions;
        sum.worst += one.worst;
        sum.expected += one.expected;
    }
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (filter->declared & ABI_BIT(id))
            sum.cached[id] =
                cache_count(filter->programs, filter->program_count, abi_get((enum abi_id)id));
    return sum;
}

static result load_one(struct contest *c, size_t index)
{
    struct context *context = c->context;
    struct load_options options = load_options_of(context);
    options.inspect = true;
    struct filter *filter = &c->filters[index];
    result r = load_argument(context, (int)index, filter);
    if (worked(r))
        r = filter_compile(context->arena, filter, &options, &context->diagnostics);
    if (failed(r))
        return r;
    if (filter->big_endian != abi_get(abi_native())->big_endian) {
        report_error(&context->diagnostics, NO_SPAN, "%s is for machines of the other byte order",
                     filter->name);
        return FAILURE(ERROR_UNSUPPORTED);
    }
    c->stacks[index] =
        (struct bench_stack){.programs = filter->programs, .count = filter->program_count};
    c->figures[index] = stack_figures(c, filter);
    c->paths_known[index] =
        paths_of_stack(context->arena, filter->programs, filter->program_count, filter->declared,
                       c->kernel_major, c->kernel_minor, &c->paths[index]);
    return SUCCESS;
}

/* What remembers calls, and so which of them count, is the kernel that measures. */
static void find_kernel(struct contest *c)
{
    struct utsname host;
    if (uname(&host) != 0 ||
        sscanf(host.release, "%3u.%4u", &c->kernel_major, &c->kernel_minor) != 2)
        c->kernel_major = c->kernel_minor = 0;
}

static result load_all(struct contest *c)
{
    struct context *context = c->context;
    c->count = (size_t)context->options.argument_count;
    if (c->count > FILTERS_MOST) {
        report_error(&context->diagnostics, NO_SPAN, "more than %d filters", FILTERS_MOST);
        return FAILURE(ERROR_INPUT);
    }
    c->filters = NEW_ARRAY(context->arena, struct filter, c->count);
    c->stacks = NEW_ARRAY(context->arena, struct bench_stack, c->count);
    c->figures = NEW_ARRAY(context->arena, struct figures, c->count);
    c->paths = NEW_ARRAY(context->arena, struct path_means, c->count);
    c->paths_known = NEW_ARRAY(context->arena, bool, c->count);
    find_kernel(c);
    for (size_t i = 0; i < c->count; i++) {
        result r = load_one(c, i);
        if (failed(r))
            return r;
    }
    choose_names(c);
    c->abi = default_abi(c->filters[0].declared);
    return SUCCESS;
}

/* ---- calls
 * --------------------------------------------------------------------------------------------- */

/* Those of --call, each on its own; for the program alone, all of them mixed as well. */
static result read_calls(struct contest *c, enum bench_method method, struct bench_call **calls,
                         size_t *count)
{
    struct context *context = c->context;
    size_t given = context->options.calls.count;
    struct input *inputs = NEW_ARRAY(context->arena, struct input, given);
    *calls = NEW_ARRAY(context->arena, struct bench_call, given + 1);
    *count = given;
    for (size_t i = 0; i < given; i++) {
        const char *text = context->options.calls.items[i];
        struct call call;
        result r = call_parse(context->arena, text, c->abi, &context->diagnostics, &call);
        if (failed(r))
            return r;
        inputs[i] = call.input;
        (*calls)[i] =
            (struct bench_call){.name = call_text(context, &inputs[i], c->filters[0].declared,
                                                  c->filters[0].big_endian),
                                .kind = BENCH_GIVEN,
                                .inputs = &inputs[i],
                                .input_count = 1};
    }
    if (method == BENCH_ALONE && given > 1)
        (*calls)[(*count)++] =
            (struct bench_call){.name = arena_printf(context->arena, "all, shuffled (%zu)", given),
                                .kind = BENCH_GIVEN,
                                .inputs = inputs,
                                .input_count = given};
    return SUCCESS;
}

/* ---- what was measured, as JSON
 * -------------------------------------------------------------------------- */

static json_t *nanoseconds(double ns)
{
    return json_real((double)(int64_t)(ns * 1000 + 0.5) / 1000);
}

static json_t *cell_json(struct contest *c, const struct bench_report *report,
                         const struct bench_row *row, size_t stack)
{
    const struct bench_cell *cell = &row->cells[stack];
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(c->stacks[stack].name));
    if (report->method == BENCH_INSTALL) {
        json_object_set_new(object, "instructions", json_integer(c->figures[stack].instructions));
    } else {
        const char *verdict =
            verdict_text(c->context, cell->word, row->call->inputs, c->filters[stack].big_endian);
        if (row->call->input_count == 1)
            json_object_set_new(object, "verdict", json_string(verdict));
        json_object_set_new(object, "instructions", json_real(cell->executed));
        json_object_set_new(object, "cached", json_boolean(cell->cached));
    }
    if (cell->skipped) {
        json_object_set_new(object, "skipped", json_string(cell->skipped));
        return object;
    }
    json_object_set_new(object, "min_ns", nanoseconds(cell->min_ns));
    json_object_set_new(object, "p10_ns", nanoseconds(cell->p10_ns));
    json_object_set_new(object, "median_ns", nanoseconds(cell->median_ns));
    json_object_set_new(object, "ratio", cell->ratio > 0 ? json_real(cell->ratio) : json_null());
    return object;
}

static json_t *row_json(struct contest *c, const struct bench_report *report,
                        const struct bench_row *row)
{
    json_t *object = json_object(), *filters = json_array();
    json_object_set_new(object, "call", json_string(row->call->name));
    json_object_set_new(object, "class", json_string(bench_kind_name(row->call->kind)));
    json_object_set_new(object, "control_ns", nanoseconds(row->control_ns));
    json_object_set_new(object, "control_is_other_call", json_boolean(row->control_is_other));
    json_object_set_new(object, "aa_ns", nanoseconds(row->same_ns));
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(filters, cell_json(c, report, row, i));
    json_object_set_new(object, "filters", filters);
    return object;
}

static json_t *means_json(struct contest *c, const struct bench_report *report)
{
    json_t *array = json_array();
    for (size_t kind = 0; kind < BENCH_KIND_COUNT; kind++)
        for (size_t i = 0; i < c->count; i++) {
            double mean = report->geometric_mean[kind * c->count + i];
            if (mean == 0 || kind == BENCH_ALLOWED)
                continue;
            json_t *object = json_object();
            const char *name =
                kind == BENCH_GIVEN ? "all not cached" : bench_kind_name((enum bench_kind)kind);
            json_object_set_new(object, "class", json_string(name));
            json_object_set_new(object, "name", json_string(c->stacks[i].name));
            json_object_set_new(object, "ratio", json_real(mean));
            json_array_append_new(array, object);
        }
    return array;
}

static void report_json(struct contest *c, const struct bench_report *report, json_t *object)
{
    json_t *calls = json_array();
    json_object_set_new(object, "method", json_string(bench_method_name(report->method)));
    json_object_set_new(object, "control_ns", nanoseconds(report->control_ns));
    if (report->method == BENCH_ALONE)
        json_object_set_new(object, "floor_ns", nanoseconds(report->floor_ns));
    json_object_set_new(object, "aa_ns", nanoseconds(report->same_ns));
    json_object_set_new(object, "aa_worst_ns", nanoseconds(report->same_worst_ns));
    json_object_set_new(object, "aa_limit_ns", nanoseconds(report->same_limit_ns));
    json_object_set_new(object, "noisy", json_boolean(report->noisy));
    json_object_set_new(object, "attempts", json_integer(report->attempts));
    json_object_set_new(object, "rounds", json_integer(report->rounds));
    json_object_set_new(object, "cpu", json_integer(report->cpu));
    json_object_set_new(object, "clock", json_string(report->tsc ? "tsc" : "monotonic"));
    for (size_t i = 0; i < report->row_count; i++)
        json_array_append_new(calls, row_json(c, report, &report->rows[i]));
    json_object_set_new(object, "calls", calls);
    json_object_set_new(object, "geometric_means", means_json(c, report));
}

/* ---- what was measured, for a person
 * ------------------------------------------------------------------------ */

#define ROWS_SHOWN 3u /* of a kind; --json has all */

static void print_head(const struct bench_report *report)
{
    static const char *const what[] = {
        [BENCH_KERNEL] = "whole calls in the kernel; without a filter",
        [BENCH_ALONE] = "the program alone; calls of an empty function, subtracted,",
        [BENCH_INSTALL] = "seccomp(2); a filter of one instruction"};
    printf("\n%s: %s %.1f ns", bench_method_name(report->method), what[report->method],
           report->control_ns);
    if (report->method == BENCH_ALONE)
        printf("; a program of one instruction adds %.2f ns", report->floor_ns);
    printf("\n%u rounds, %s", report->rounds, report->tsc ? "tsc" : "CLOCK_MONOTONIC");
    if (report->cpu >= 0)
        printf(", processor %d", report->cpu);
    printf(", the first filter from itself: %.2f ns (worst %.2f, limit %.2f)%s\n", report->same_ns,
           report->same_worst_ns, report->same_limit_ns, report->noisy ? " NOISY" : "");
}

static void print_cell(struct contest *c, const struct bench_report *report,
                       const struct bench_row *row, size_t stack, int width)
{
    const struct bench_cell *cell = &row->cells[stack];
    printf("  %-*s ", width, c->stacks[stack].name);
    if (cell->skipped) {
        printf("not measured: %s\n", cell->skipped);
        return;
    }
    int digits = report->method == BENCH_ALONE ? 2 : 1;
    printf("%10.*f %10.*f %10.*f ", digits, cell->min_ns, digits, cell->p10_ns, digits,
           cell->median_ns);
    if (cell->ratio > 0)
        printf("%7.2f", cell->ratio);
    else
        printf("%7s", "-");
    if (report->method == BENCH_KERNEL)
        printf(" %8.1f", cell->p10_ns - row->control_ns);
    if (report->method == BENCH_INSTALL)
        printf(" %8u\n", c->figures[stack].instructions);
    else
        printf(" %8.1f%s%s%s\n", cell->executed, row->call->input_count == 1 ? "  " : "",
               row->call->input_count == 1 ? verdict_text(c->context, cell->word, row->call->inputs,
                                                          c->filters[stack].big_endian)
                                           : "",
               cell->cached ? ", cached" : "");
}

static void print_row(struct contest *c, const struct bench_report *report,
                      const struct bench_row *row, int width)
{
    printf("%s (%s)", row->call->name, bench_kind_name(row->call->kind));
    if (report->method == BENCH_KERNEL)
        printf(", without a filter %.1f ns%s", row->control_ns,
               row->control_is_other ? " (another call's)" : "");
    putchar('\n');
    for (size_t i = 0; i < c->count; i++)
        print_cell(c, report, row, i, width);
}

int bench_name_width(const struct contest *c)
{
    size_t width = 16;
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->stacks[i].name) > width)
            width = strlen(c->stacks[i].name);
    return width > 60 ? 60 : (int)width;
}

static void print_report(struct contest *c, const struct bench_report *report)
{
    int width = bench_name_width(c);
    unsigned shown[BENCH_KIND_COUNT] = {0};
    size_t left_out = 0;
    print_head(report);
    printf("  %-*s %10s %10s %10s %7s%s %8s\n", width, "", "min ns", "p10 ns", "median ns", "ratio",
           report->method == BENCH_KERNEL ? "    added" : "",
           report->method == BENCH_INSTALL ? "size" : "executed");
    for (size_t i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        bool single = row->call->kind != BENCH_GIVEN && row->call->input_count == 1;
        if (single && shown[row->call->kind]++ >= ROWS_SHOWN)
            left_out++;
        else
            print_row(c, report, row, width);
    }
    if (left_out)
        printf("(%zu more calls measured: --json has them)\n", left_out);
}

/* ---- the command
 * -----------------------------------------------------------------------------------------------
 */

static result measure(struct contest *c, enum bench_method method, double seconds)
{
    struct context *context = c->context;
    struct shape_options kernel = {.kernel_major = c->kernel_major,
                                   .kernel_minor = c->kernel_minor};
    struct bench_request request = {.method = method,
                                    .remembers = kernel_remembers(&kernel),
                                    .stacks = c->stacks,
                                    .stack_count = c->count,
                                    .seconds = seconds,
                                    .same_limit_ns = context->options.same_limit,
                                    .seed = clock_ns()};
    struct bench_report *measured = NEW(context->arena, struct bench_report);
    struct bench_call *calls;
    result r = SUCCESS;
    if (context->options.calls.count && method != BENCH_INSTALL)
        r = read_calls(c, method, &calls, &request.call_count);
    else
        calls =
            bench_choose(context->arena, method, c->stacks, c->count, c->abi, &request.call_count);
    if (failed(r))
        return r;
    request.calls = calls;
    fflush(NULL);
    r = bench_run(context->arena, &request, &context->diagnostics, measured);
    if (failed(r))
        return r;
    if (measured->noisy)
        report_warning(&context->diagnostics, NO_SPAN,
                       "%s: the machine is too noisy: the first filter differs from itself by %.2f "
                       "ns in %u runs",
                       bench_method_name(method), measured->same_ns, measured->attempts);
    json_t *object = json_object();
    report_json(c, measured, object);
    json_array_append_new(c->methods, object);
    c->reports[method] = measured;
    if (!context->options.json)
        print_report(c, measured);
    return SUCCESS;
}

/* The methods to use; 0: none, and reported. One that was asked for by name must be possible. */
static unsigned choose_methods(struct contest *c)
{
    struct context *context = c->context;
    unsigned asked = context->options.methods, usable = 0;
    for (unsigned method = 0; method < BENCH_METHOD_COUNT; method++) {
        if (asked && !(asked & 1u << method))
            continue;
        const char *name = bench_method_name((enum bench_method)method);
        const char *why =
            bench_unavailable(context->arena, (enum bench_method)method, c->stacks, c->count);
        if (!why)
            usable |= 1u << method;
        else if (asked)
            report_error(&context->diagnostics, NO_SPAN, "%s cannot be measured here: %s", name,
                         why);
        else
            report_remark(&context->diagnostics, NO_SPAN, "%s is not measured: %s", name, why);
    }
    if (!usable && !asked)
        report_error(&context->diagnostics, NO_SPAN, "nothing can be measured on this machine");
    return context->diagnostics.errors ? 0 : usable;
}

static double time_for_each(const struct context *context, unsigned methods)
{
    double seconds = context->options.seconds > 0 ? context->options.seconds : SECONDS_DEFAULT;
    unsigned count = (unsigned)__builtin_popcount(methods);
    return count ? seconds / count : seconds;
}

static void finish_json(struct contest *c)
{
    json_t *first = json_array_get(c->methods, 0);
    struct utsname host;
    json_object_set_new(c->context->json, "filters", bench_table_json(c));
    if (uname(&host) == 0)
        set_text(c->context, "kernel", host.release);
    if (first)
        json_object_update_missing(c->context->json, first);
    json_object_set_new(c->context->json, "methods", c->methods);
}

enum exit_code run_bench(struct context *context)
{
    struct contest c = {.context = context};
    result r = load_all(&c);
    if (failed(r))
        return exit_of(r);
    unsigned methods = choose_methods(&c);
    if (!methods)
        return EXIT_USAGE;
    c.methods = json_array();
    for (unsigned method = 0; method < BENCH_METHOD_COUNT && worked(r); method++)
        if (methods & 1u << method)
            r = measure(&c, (enum bench_method)method, time_for_each(context, methods));
    finish_json(&c);
    if (!context->options.json && worked(r))
        bench_table_print(&c);
    return exit_of(r);
}
