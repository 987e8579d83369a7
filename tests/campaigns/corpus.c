/* Filters that others wrote, optimized: each must be proved equal to what it was, be no longer,
 * execute no more per call that counts, and lose no call that the kernel caches. Reads every raw
 * filter of the directories that BPFPROOF_CORPUS names, separated by colons, for the newest kernel
 * and for one that runs filters for every call, and prints what became of each.
 */
#include <dirent.h>
#include <stdlib.h>

#include "api/bpfproof.h"

struct tally {
    unsigned kernel_major, kernel_minor;
    unsigned filters, wrong, longer, slower, lost, kept;
    long double sizes, paths; /* products of the ratios */
    double slowest_ms;
};

/* The n-th root of a product of n ratios, by bisection. */
static double root_of(long double product, unsigned n)
{
    long double low = 0, high = product > 1 ? product : 1;
    for (unsigned step = 0; step < 100; step++) {
        long double middle = (low + high) / 2, power = 1;
        for (unsigned i = 0; i < n; i++)
            power *= middle;
        if (power < product)
            low = middle;
        else
            high = middle;
    }
    return (double)high;
}

static void weigh(const struct optimized *o, uint32_t lost, struct tally *tally)
{
    tally->longer += o->after.instructions > o->before.instructions;
    tally->slower += o->cost_after > o->cost_before + 1e-9;
    tally->lost += lost > 0;
    tally->kept += o->kept_original;
    tally->sizes *= (long double)o->after.instructions / o->before.instructions;
    tally->paths *= (long double)o->cost_after / o->cost_before;
}

static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void judge(struct arena *arena, const struct program *before, struct tally *tally)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct optimized o;
    struct compile_options options = {.level = OPTIMIZE_2,
                                      .kernel_major = tally->kernel_major,
                                      .kernel_minor = tally->kernel_minor};
    tally->filters++;
    if (failed(optimize_program(arena, before, blob_declared(before, 1), &options, &diagnostics,
                                &o)) ||
        o.proof.verdict != PROVED) {
        tally->wrong++;
        printf("# wrong: %s is %s: %s\n", before->name, verdict_name(o.proof.verdict),
               o.why ? o.why : "-");
        return;
    }
    double ms = (double)o.optimize_ns / 1e6;
    uint32_t lost = cached_lost(before, &o.program);
    weigh(&o, lost, tally);
    if (ms > tally->slowest_ms)
        tally->slowest_ms = ms;
    printf("# %-44s %4u %4u %.3f  expected %6.2f %6.2f  weighted %6.2f %6.2f least %5.2f  worst "
           "%3u %3u  lost %u  %5.1f ms, proof %.1f ms%s\n",
           short_name(before->name), o.before.instructions, o.after.instructions,
           (double)o.after.instructions / o.before.instructions, o.before.expected,
           o.after.expected, o.cost_before, o.cost_after, o.lower_bound, o.before.worst,
           o.after.worst, lost, ms, (double)o.proof.ns / 1e6, o.kept_original ? "  kept" : "");
}

static void read_and_judge(const char *path, struct tally *tally)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source;
    struct program program;
    if (worked(file_read(arena, path, &diagnostics, &source)) &&
        worked(program_decode(arena, source, FORMAT_RAW_LITTLE, &diagnostics, &program)) &&
        check_program(&program).rule == CHECK_ACCEPTED)
        judge(arena, &program, tally);
    arena_free(arena);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void judge_directory(struct arena *arena, const char *directory, struct tally *tally)
{
    struct dirent **names;
    int count = scandir(directory, &names, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        read_and_judge(arena_printf(arena, "%s/%s", directory, names[i]->d_name), tally);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static void judge_all(struct arena *arena, const char *directories, struct tally *tally)
{
    while (*directories) {
        size_t length = strcspn(directories, ":");
        judge_directory(arena, arena_string(arena, directories, length), tally);
        directories += length;
        directories += *directories == ':';
    }
}

/* The test's result, by its number. */
static bool report_tally(unsigned number, const struct tally *tally, const char *kernel)
{
    printf("# for %s, %u filters: instructions x %.3f, expected path x %.3f (geometric means); %u "
           "longer, %u with a longer expected path, %u lost cached calls, %u kept as they were; "
           "slowest %.1f ms\n",
           kernel, tally->filters, root_of(tally->sizes, tally->filters - tally->wrong),
           root_of(tally->paths, tally->filters - tally->wrong), tally->longer, tally->slower,
           tally->lost, tally->kept, tally->slowest_ms);
    bool good = !tally->wrong && !tally->longer && !tally->slower && !tally->lost;
    printf("%sok %u - %u filters optimized for %s are equal and in nothing worse, %u wrong\n",
           good ? "" : "not ", number, tally->filters, kernel, tally->wrong);
    return good;
}

int main(void)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } kernels[] = {{"the newest kernel", 0, 0}, {"Linux 5.4", 5, 4}};
    const char *directories = getenv("BPFPROOF_CORPUS");
    bool good = true;
    printf("1..%zu\n", COUNT_OF(kernels));
    for (unsigned i = 0; i < COUNT_OF(kernels); i++) {
        struct tally tally = {.kernel_major = kernels[i].major,
                              .kernel_minor = kernels[i].minor,
                              .sizes = 1,
                              .paths = 1};
        struct arena *arena = arena_new();
        judge_all(arena, directories ? directories : "", &tally);
        arena_free(arena);
        if (tally.filters)
            good = report_tally(i + 1, &tally, kernels[i].name) && good;
        else
            printf("ok %u - filters optimized for %s are equal and in nothing worse # SKIP %s\n",
                   i + 1, kernels[i].name,
                   directories ? "BPFPROOF_CORPUS names no filters" : "no BPFPROOF_CORPUS");
    }
    return !good;
}
