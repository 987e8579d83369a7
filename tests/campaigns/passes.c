/* No pass changes meaning. Over the examples, and over the filters in the directories that
 * BPFPROOF_CORPUS names: each pass by itself, the table's order with each two neighbours swapped,
 * and seeded orders, every result proved equal to what it came from. (The table permits every
 * order, see optimizer/pass.h.) And random policies at every level: PROVED, and in agreement with
 * policy_eval when run. Samples; all of it when BPFPROOF_SCALE=full, with lines on standard error
 * that say how far it is. What cannot be read, lifted or made into a program counts as wrong, and a
 * proof that comes to no end as a failure.
 *
 *     passes [POLICIES] [SEED] [FIRST]
 *
 * A random policy has a number: `passes 1 SEED NUMBER` looks at that one alone.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/bpfproof.h"
#include "optimizer/pass.h"
#include "tests/unit/compiler/policies.h"
#include "tests/unit/samples.h"

#define POLICIES 10000u
#define ORDERS 50u
#define INPUTS 40u
#define PROOF_SECONDS 20.0
#define PASSES_MOST 16
#define POLICIES_A_LINE 500u /* of progress */

struct campaign {
    bool full;
    uint32_t policies, first;
    uint64_t seed, start_ns;
    unsigned subjects, sequences, proved, wrong, unknown, runs;
};

static void say_progress(const struct campaign *campaign, const char *what)
{
    double seconds = (double)(clock_ns() - campaign->start_ns) / 1e9;
    if (campaign->full)
        fprintf(stderr, "# %5.0f s: %s: %u proved, %u wrong, %u unknown\n", seconds, what,
                campaign->proved, campaign->wrong, campaign->unknown);
}

static void count_wrong(struct campaign *campaign, const char *subject, const char *what,
                        const char *why)
{
    campaign->wrong++;
    printf("# %s, %s: %s\n", subject, what, why);
}

/* What is optimized: a policy, or a filter that others wrote. */
struct original {
    const char *name;
    const struct policy *policy;
    const struct program *program;
};

static struct proof prove_same(struct arena *arena, const struct original *subject,
                               const struct program *made)
{
    struct side left = {.name = subject->name, .policy = subject->policy};
    struct side right = {.name = "made", .programs = made, .program_count = 1};
    struct proof_options options = {.limits = {.deadline = deadline_in(PROOF_SECONDS)}};
    if (subject->program) {
        left.programs = subject->program;
        left.program_count = 1;
    }
    return prove_equal(arena, &left, &right, &options);
}

static void count_proof(const struct proof *proof, const char *subject, const char *what,
                        struct campaign *campaign)
{
    *(proof->verdict == PROVED    ? &campaign->proved
      : proof->verdict == UNKNOWN ? &campaign->unknown
                                  : &campaign->wrong) += 1;
    if (proof->verdict == PROVED)
        return;
    printf("# %s, %s: %s: %s\n", subject, what, verdict_name(proof->verdict),
           proof->reason ? proof->reason : "-");
}

/* ---- sequences of passes -------------------------------------------------------------------- */

struct sequence {
    uint8_t passes[PASSES_MOST];
    size_t count;
};

static const char *sequence_text(struct arena *arena, const struct sequence *sequence)
{
    size_t count;
    const struct pass *passes = pass_table(&count);
    struct buffer text = buffer_new(arena);
    for (size_t i = 0; i < sequence->count; i++)
        buffer_printf(&text, "%s%s", i ? " " : "", passes[sequence->passes[i]].name);
    return buffer_string(&text);
}

static bool get_dag(struct arena *arena, const struct original *subject, struct pass_state *state)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    *state = (struct pass_state){.arena = arena};
    result r = subject->program
                   ? lift_program(arena, subject->program, &diagnostics, &state->dag, &state->root)
                   : lower_policy(arena, subject->policy, &diagnostics, &state->dag, &state->root);
    return worked(r);
}

static bool make_program(struct arena *arena, const struct original *subject,
                         const struct pass_state *state, enum optimization level,
                         struct program *program)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options options = {.level = level};
    struct block *entry;
    bool big_endian = subject->program ? subject->program->big_endian : subject->policy->big_endian;
    return worked(select_shape(arena, state->dag, state->root, &options, &diagnostics, &entry)) &&
           worked(emit_program(arena, entry, big_endian, "made", &diagnostics, program));
}

/* Programs made of the subject before: most sequences give one of a few. */
typedef VECTOR(struct program) programs_known;

static bool is_known(struct arena *arena, programs_known *known, const struct program *program)
{
    size_t bytes = program->length * sizeof *program->code;
    for (size_t i = 0; i < known->count; i++) {
        if (known->items[i].length == program->length &&
            !memcmp(known->items[i].code, program->code, bytes))
            return true;
    }
    struct program copy = *program;
    copy.code = arena_copy(arena, program->code, bytes);
    vector_push(arena, known, copy);
    return false;
}

static void judge_sequence(struct arena *keep, const struct original *subject,
                           const struct sequence *sequence, programs_known *known,
                           struct campaign *campaign)
{
    struct arena *arena = arena_new();
    size_t count;
    const struct pass *passes = pass_table(&count);
    struct pass_state state;
    struct program program;
    const char *text = sequence_text(arena, sequence), *broken = NULL;
    bool made = get_dag(arena, subject, &state);
    campaign->sequences++;
    for (size_t i = 0; made && i < sequence->count && !broken; i++) {
        passes[sequence->passes[i]].run(&state);
        broken = dag_check(state.dag, state.root);
    }
    made = made && !broken && make_program(arena, subject, &state, OPTIMIZE_1, &program);
    if (!made) {
        count_wrong(campaign, subject->name, text, broken ? broken : "no program");
    } else if (!is_known(keep, known, &program)) {
        struct proof proof = prove_same(arena, subject, &program);
        count_proof(&proof, subject->name, text, campaign);
    }
    arena_free(arena);
}

static void judge_subject(const struct original *subject, struct campaign *campaign)
{
    struct arena *arena = arena_new();
    struct random random = random_seed(campaign->seed);
    programs_known known = {0};
    struct sequence all = {0};
    pass_table(&all.count);
    campaign->subjects++;
    for (uint8_t i = 0; i < all.count; i++) {
        struct sequence one = {.passes = {i}, .count = 1};
        judge_sequence(arena, subject, &one, &known, campaign);
        all.passes[i] = i;
    }
    judge_sequence(arena, subject, &all, &known, campaign);
    for (size_t i = 0; i + 1 < all.count; i++) {
        struct sequence swapped = all;
        swapped.passes[i] = all.passes[i + 1];
        swapped.passes[i + 1] = all.passes[i];
        judge_sequence(arena, subject, &swapped, &known, campaign);
    }
    for (unsigned i = 0; i < (campaign->full ? ORDERS : ORDERS / 10); i++) {
        struct sequence order = {.count = all.count + random_below(&random, 4)};
        for (size_t j = 0; j < order.count; j++)
            order.passes[j] = (uint8_t)random_below(&random, (uint32_t)all.count);
        judge_sequence(arena, subject, &order, &known, campaign);
    }
    say_progress(campaign, subject->name);
    arena_free(arena);
}

/* ---- where subjects come from --------------------------------------------------------------- */

static void judge_policy_file(const char *path, struct campaign *campaign)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source;
    struct policy *policy;
    if (worked(file_read(arena, path, &diagnostics, &source)) &&
        worked(policy_read(arena, source, 0, &diagnostics, &policy)))
        judge_subject(&(struct original){.name = path, .policy = policy}, campaign);
    else
        count_wrong(campaign, path, "reading it", diagnostics.first->message);
    arena_free(arena);
}

static void judge_filter_file(const char *path, struct campaign *campaign)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source;
    struct program program;
    if (worked(file_read(arena, path, &diagnostics, &source)) &&
        worked(program_decode(arena, source, FORMAT_RAW_LITTLE, &diagnostics, &program)) &&
        check_program(&program).rule == CHECK_ACCEPTED)
        judge_subject(&(struct original){.name = path, .program = &program}, campaign);
    else
        count_wrong(campaign, path, "reading it", "no program that the kernel takes");
    arena_free(arena);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every `step`-th file of the directory. */
static void judge_directory(const char *directory, const char *suffix, int step,
                            void (*judge)(const char *, struct campaign *),
                            struct campaign *campaign)
{
    struct dirent **names;
    int count = scandir(directory, &names, is_visible, alphasort);
    struct arena *arena = arena_new();
    for (int i = 0; i < count; i++) {
        const char *found = strstr(names[i]->d_name, suffix);
        if (i % step == 0 && found && found[strlen(suffix)] == '\0')
            judge(arena_printf(arena, "%s/%s", directory, names[i]->d_name), campaign);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    arena_free(arena);
}

static void judge_corpus(struct campaign *campaign)
{
    const char *directories = getenv("BPFPROOF_CORPUS");
    struct arena *arena = arena_new();
    if (!directories || !*directories)
        puts("# BPFPROOF_CORPUS is not set: the examples alone");
    while (directories && *directories) {
        size_t length = strcspn(directories, ":");
        judge_directory(arena_string(arena, directories, length), ".bpf", campaign->full ? 1 : 8,
                        judge_filter_file, campaign);
        directories += length;
        directories += *directories == ':';
    }
    arena_free(arena);
}

/* ---- random policies ------------------------------------------------------------------------ */

static bool agrees(const struct policy *policy, const struct program *program,
                   struct random *random)
{
    for (unsigned i = 0; i < INPUTS; i++) {
        struct input input = random_input(random, policy);
        struct run run = interpret(program, &input, NULL, 0);
        if (run.divided_by_zero || run.word != policy_eval(policy, &input).word)
            return false;
    }
    return true;
}

static void judge_level(struct arena *arena, const struct original *subject,
                        enum optimization level, struct random *random, struct campaign *campaign)
{
    static const char *const names[] = {"-O0", "-O1", "-O2", "-O3", "-Os"};
    struct pass_state state;
    struct program program;
    bool made = get_dag(arena, subject, &state);
    if (made)
        optimize_dag(arena, level, &state.dag, &state.root);
    if (!made || !make_program(arena, subject, &state, level, &program)) {
        count_wrong(campaign, subject->name, names[level], "no program");
        return;
    }
    struct proof proof = prove_same(arena, subject, &program);
    count_proof(&proof, subject->name, names[level], campaign);
    campaign->runs += INPUTS;
    if (!agrees(subject->policy, &program, random))
        count_wrong(campaign, subject->name, names[level], "a run says something else");
}

/* Every policy has a seed of its own, so that one can be looked at alone. */
static void judge_random_policy(uint32_t number, struct campaign *campaign)
{
    struct arena *arena = arena_new();
    struct random random = random_seed(campaign->seed * 1000003 + number);
    struct original subject = {.policy = random_policy(arena, &random)};
    subject.name =
        arena_printf(arena, "random policy %" PRIu32 " of seed %" PRIu64, number, campaign->seed);
    for (int level = OPTIMIZE_0; level <= OPTIMIZE_SIZE; level++)
        judge_level(arena, &subject, (enum optimization)level, &random, campaign);
    campaign->subjects++;
    if (campaign->subjects % POLICIES_A_LINE == 0)
        say_progress(campaign, subject.name);
    arena_free(arena);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void report_part(unsigned number, const char *what, const struct campaign *campaign)
{
    printf("# %s: %u subjects, %u sequences of passes, %u programs proved, %u wrong, %u unknown",
           what, campaign->subjects, campaign->sequences, campaign->proved, campaign->wrong,
           campaign->unknown);
    if (campaign->runs)
        printf("; %u runs", campaign->runs);
    printf("; %.0f s\n", (double)(clock_ns() - campaign->start_ns) / 1e9);
    printf("%sok %u - %s\n", campaign->wrong || campaign->unknown ? "not " : "", number, what);
}

static void judge_passes(struct campaign *campaign)
{
    judge_directory("examples", ".policy", 1, judge_policy_file, campaign);
    judge_policy_file("tests/data/container-default.policy", campaign);
    judge_corpus(campaign);
    report_part(1, "no pass, swap or order of passes changes meaning", campaign);
}

/* Of seed 1; their proofs, or the search for their programs, once came to no end. They are part of
 * every run of that seed; under the sanitizers, which make them last, the first two are. */
static const uint32_t long_once[] = {283, 386, 453, 519, 600, 637, 736, 9256, 9442};

/* Every `jobs`-th policy, from number `job` of them on. */
static void judge_share(uint32_t job, uint32_t jobs, struct campaign *campaign)
{
    uint32_t end = campaign->first + campaign->policies;
    for (uint32_t i = campaign->first + job; i < end; i += jobs)
        judge_random_policy(i, campaign);
    for (size_t i = job; campaign->seed == 1 && i < SAMPLES(COUNT_OF(long_once)); i += jobs)
        if (long_once[i] < campaign->first || long_once[i] >= end)
            judge_random_policy(long_once[i], campaign);
}

/* The share in a process of its own, which writes its counts to the pipe. */
static void start_share(uint32_t job, uint32_t jobs, const struct campaign *campaign, int to)
{
    fflush(stdout);
    if (fork())
        return; /* where there is no process, its share does not arrive */
    struct campaign share = *campaign;
    judge_share(job, jobs, &share);
    _exit(write(to, &share, sizeof share) != (ssize_t)sizeof share);
}

static void add_share(struct campaign *campaign, const struct campaign *share)
{
    campaign->subjects += share->subjects;
    campaign->proved += share->proved;
    campaign->wrong += share->wrong;
    campaign->unknown += share->unknown;
    campaign->runs += share->runs;
}

/* One after the other in a sample; all of it on all processors. */
static void judge_policies(struct campaign *campaign)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t jobs = campaign->full && processors > 1 ? (uint32_t)processors : 0, arrived = 0;
    int ends[2];
    if (!jobs || pipe(ends)) {
        judge_share(0, 1, campaign);
    } else {
        struct campaign share;
        for (uint32_t job = 0; job < jobs; job++)
            start_share(job, jobs, campaign, ends[1]);
        close(ends[1]);
        for (; read(ends[0], &share, sizeof share) == (ssize_t)sizeof share; arrived++)
            add_share(campaign, &share);
        while (wait(NULL) > 0)
            ;
        if (arrived != jobs)
            count_wrong(campaign, "random policies", "a process", "it ended before its policies");
    }
    report_part(2, "random policies mean what they say at every level", campaign);
}

int main(int argc, char **argv)
{
    const char *scale = getenv("BPFPROOF_SCALE");
    bool full = scale && !strcmp(scale, "full");
    struct campaign passes = {
        .full = full, .policies = full ? POLICIES : SAMPLES(POLICIES / 500), .seed = 1};
    setlinebuf(stdout);
    if (argc > 1)
        passes.policies = (uint32_t)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        passes.seed = strtoull(argv[2], NULL, 0);
    if (argc > 3)
        passes.first = (uint32_t)strtoul(argv[3], NULL, 0);
    struct campaign policies = passes;
    puts("1..2");
    passes.start_ns = clock_ns();
    judge_passes(&passes);
    policies.start_ns = clock_ns();
    judge_policies(&policies);
    return passes.wrong || passes.unknown || policies.wrong || policies.unknown;
}
