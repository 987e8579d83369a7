/* Filters that others wrote, lifted and emitted again: each must be proved equal to what it was.
 * Reads every raw filter of the directories that BPFPROOF_CORPUS names, separated by colons, and
 * prints what became of each one's size, expected path and cached calls, before any comparison with
 * the original that a user would get.
 */
#include <dirent.h>
#include <stdlib.h>

#include "api/bpfproof.h"

struct tally {
    unsigned filters, wrong, longer, slower, lost;
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

static void weigh(const struct figures *before, const struct figures *after, double cost_before,
                  double cost_after, uint32_t lost, struct tally *tally)
{
    tally->longer += after->instructions > before->instructions;
    tally->slower += cost_after > cost_before + 1e-9;
    tally->lost += lost > 0;
    tally->sizes *= (long double)after->instructions / before->instructions;
    tally->paths *= (long double)cost_after / cost_before;
}

static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void judge(struct arena *arena, const struct program *before, struct tally *tally)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct generated made;
    abi_set declared = blob_declared(before, 1);
    struct compile_options options = {.level = OPTIMIZE_2, .figures = true};
    tally->filters++;
    uint64_t start = clock_ns();
    if (failed(relift_program(arena, before, declared, &options, &diagnostics, &made))) {
        tally->wrong++;
        printf("# wrong: %s\n", diagnostics.last->message);
        return;
    }
    double ms = (double)(clock_ns() - start - made.figures_ns) / 1e6;
    struct program after = made.program;
    struct side left = {.name = "before", .programs = before, .program_count = 1};
    struct side right = {.name = "after", .programs = &after, .program_count = 1};
    struct proof proof = prove_equal(arena, &left, &right, &(struct proof_options){0});
    if (proof.verdict != PROVED) {
        tally->wrong++;
        printf("# wrong: %s is %s: %s\n", before->name, verdict_name(proof.verdict),
               proof.reason ? proof.reason : "-");
        return;
    }
    struct figures old = program_figures(arena, before, declared);
    struct figures new = program_figures(arena, &after, declared);
    uint32_t lost = cached_lost(before, &after);
    double cost = program_cost(before, &made.weights);
    weigh(&old, &new, cost, made.expected_cost, lost, tally);
    if (ms > tally->slowest_ms)
        tally->slowest_ms = ms;
    printf("# %-44s %4u %4u %.3f  expected %6.2f %6.2f  weighted %6.2f %6.2f least %5.2f  worst "
           "%3u %3u  lost %u  %5.1f ms, proof %.1f ms\n",
           short_name(before->name), old.instructions, new.instructions,
           (double)new.instructions / old.instructions, old.expected, new.expected, cost,
           made.expected_cost, made.lower_bound, old.worst, new.worst, lost, ms,
           (double)proof.ns / 1e6);
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

int main(void)
{
    const char *directories = getenv("BPFPROOF_CORPUS");
    struct tally tally = {.sizes = 1, .paths = 1};
    struct arena *arena = arena_new();
    puts("1..1");
    judge_all(arena, directories ? directories : "", &tally);
    arena_free(arena);
    if (!tally.filters) {
        printf("ok 1 - filters lifted and emitted again are equal # SKIP %s\n",
               directories ? "BPFPROOF_CORPUS names no filters" : "no BPFPROOF_CORPUS");
        return 0;
    }
    printf(
        "# %u filters: instructions x %.3f, expected path x %.3f (geometric means); %u longer, %u "
        "with a longer expected path, %u lost cached calls; slowest %.1f ms\n",
        tally.filters, root_of(tally.sizes, tally.filters - tally.wrong),
        root_of(tally.paths, tally.filters - tally.wrong), tally.longer, tally.slower, tally.lost,
        tally.slowest_ms);
    printf("%sok 1 - %u filters lifted and emitted again are equal, %u wrong\n",
           tally.wrong ? "not " : "", tally.filters, tally.wrong);
    return tally.wrong != 0;
}
