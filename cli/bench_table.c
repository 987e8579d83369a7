#include "cli/bench.h"

/* ---- one filter's figures
 * ----------------------------------------------------------------------------------- */

static uint32_t cached_pairs(const struct figures *figures)
{
    uint32_t sum = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        sum += figures->cached[id];
    return sum;
}

/* No calls: not measured, or nothing to compare. */
static struct bench_mean mean_of(const struct contest *c, enum bench_method method,
                                 enum bench_group group, size_t stack)
{
    const struct bench_report *report = c->reports[method];
    return report ? report->means[group * c->count + stack] : (struct bench_mean){0};
}

static struct bench_mean installation(const struct contest *c, size_t stack)
{
    const struct bench_report *report = c->reports[BENCH_INSTALL];
    const struct bench_cell *cell = report ? &report->rows[0].cells[stack] : NULL;
    if (!cell || !(cell->ratio > 0))
        return (struct bench_mean){0};
    return (struct bench_mean){.calls = 1, .ns = cell->p10_ns, .ratio = 1 / cell->ratio};
}

/* ---- as JSON
 * ----------------------------------------------------------------------------------- */

static json_t *mean_json(const struct bench_mean *mean)
{
    json_t *object = json_object();
    json_object_set_new(object, "calls", json_integer((json_int_t)mean->calls));
    json_object_set_new(object, "ns", mean->calls ? json_real(mean->ns) : json_null());
    json_object_set_new(object, "first_to_this",
                        mean->calls ? json_real(mean->ratio) : json_null());
    return object;
}

static json_t *groups_json(const struct contest *c, enum bench_method method, size_t stack)
{
    json_t *object = json_object();
    for (unsigned group = 0; group < BENCH_GROUP_COUNT; group++) {
        struct bench_mean mean = mean_of(c, method, (enum bench_group)group, stack);
        json_object_set_new(object, bench_group_name((enum bench_group)group), mean_json(&mean));
    }
    return object;
}

json_t *bench_table_json(const struct contest *c)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->count; i++) {
        const struct figures *figures = &c->figures[i];
        json_t *object = json_object();
        json_object_set_new(object, "name", json_string(c->stacks[i].name));
        json_object_set_new(object, "instructions", json_integer(figures->instructions));
        json_object_set_new(object, "expected", json_real(figures->expected));
        json_object_set_new(object, "expected_cost",
                            c->paths_known[i] ? json_real(c->paths[i].executed) : json_null());
        json_object_set_new(object, "expected_jumps",
                            c->paths_known[i] ? json_real(c->paths[i].jumps) : json_null());
        json_object_set_new(object, "worst", json_integer(figures->worst));
        json_object_set_new(object, "cached", json_integer(cached_pairs(figures)));
        if (c->reports[BENCH_ALONE])
            json_object_set_new(object, "alone", groups_json(c, BENCH_ALONE, i));
        if (c->reports[BENCH_KERNEL])
            json_object_set_new(object, "kernel", groups_json(c, BENCH_KERNEL, i));
        if (c->reports[BENCH_INSTALL]) {
            struct bench_mean mean = installation(c, i);
            json_object_set_new(object, "install", mean_json(&mean));
        }
        json_array_append_new(array, object);
    }
    return array;
}

/* ---- for a person
 * ----------------------------------------------------------------------------------- */

static const enum bench_group alone_groups[] = {BENCH_GROUP_CHECKED, BENCH_GROUP_DENIED,
                                                BENCH_GROUP_BOTH};
static const enum bench_group kernel_groups[] = {BENCH_GROUP_PERMITTED, BENCH_GROUP_DENIED};

static void print_number(const struct bench_mean *mean, int width, int digits, double value)
{
    if (mean->calls)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "-");
}

static void print_head(int width)
{
    printf("\n%-*s %12s %20s %7s | %-20s %-20s | %-15s %-13s | %-14s\n", width, "", "", "path",
           "cached", "program alone, ns", "  ratio", "whole call, ns", "  ratio", "install");
    printf("%-*s %12s %8s %5s %5s %7s |", width, "filter", "instructions", "expected", "jumps",
           "worst", "pairs");
    printf(" %6s %6s %6s  %6s %6s %6s |", "args", "denied", "both", "args", "denied", "both");
    printf(" %7s %7s  %6s %6s | %7s %6s\n", "args", "denied", "args", "denied", "us", "ratio");
}

static void print_line(const struct contest *c, size_t stack, int width)
{
    const struct figures *figures = &c->figures[stack];
    printf("%-*s %12u", width, c->stacks[stack].name, figures->instructions);
    if (c->paths_known[stack])
        printf(" %8.2f %5.2f", c->paths[stack].executed, c->paths[stack].jumps);
    else
        printf(" %8s %5s", "-", "-");
    printf(" %5u %7u |", figures->worst, cached_pairs(figures));
    struct bench_mean alone[COUNT_OF(alone_groups)], kernel[COUNT_OF(kernel_groups)];
    for (size_t i = 0; i < COUNT_OF(alone_groups); i++) {
        alone[i] = mean_of(c, BENCH_ALONE, alone_groups[i], stack);
        print_number(&alone[i], 6, 2, alone[i].ns);
    }
    putchar(' ');
    for (size_t i = 0; i < COUNT_OF(alone_groups); i++)
        print_number(&alone[i], 6, 2, alone[i].ratio);
    printf(" |");
    for (size_t i = 0; i < COUNT_OF(kernel_groups); i++) {
        kernel[i] = mean_of(c, BENCH_KERNEL, kernel_groups[i], stack);
        print_number(&kernel[i], 7, 1, kernel[i].ns);
    }
    putchar(' ');
    for (size_t i = 0; i < COUNT_OF(kernel_groups); i++)
        print_number(&kernel[i], 6, 2, kernel[i].ratio);
    struct bench_mean install = installation(c, stack);
    printf(" |");
    print_number(&install, 7, 1, install.ns / 1000);
    print_number(&install, 6, 2, install.ratio);
    putchar('\n');
}

void bench_table_print(const struct contest *c)
{
    int width = bench_name_width(c);
    print_head(width);
    for (size_t i = 0; i < c->count; i++)
        print_line(c, i, width);
    printf(
        "(ratio: the time of %s to this filter's, below 1 it is faster; means are geometric, over "
        "the\n"
        "p10 of calls made again and again that both have times for and are run for. args: "
        "argument-checked, of whole\n"
        "calls the permitted ones; denied: by number; expected: instructions executed per call "
        "that "
        "counts\n"
        "on this kernel, the mean by the weights of docs/OPTIMIZER.md, as `optimize --json` has "
        "it; "
        "jumps:\n"
        "how many the machine code takes on these ways; worst: instructions of any call; pairs: "
        "(arch, nr)\n"
        "of named calls that kernels remember)\n",
        c->stacks[0].name);
}
