/* No pass changes meaning. Over the examples, and over the filters in the directories that
 * BPFPROOF_CORPUS names: each pass by itself, the table's order with each two neighbours swapped,
 * and seeded orders, every result proved equal to what it came from. And random policies at every
 * level: PROVED, and in agreement with policy_eval when run. Samples; all of it when
 * BPFPROOF_SCALE=full.
 *
 *     passes [POLICIES] [SEED]
 */
#include <dirent.h>
#include <stdlib.h>

#include "api/bpfproof.h"
#include "optimizer/pass.h"
#include "tests/unit/compiler/policies.h"

#define POLICIES 10000u
#define ORDERS 50u
#define INPUTS 40u
#define PROOF_SECONDS 20.0
#define PASSES_MOST 16

struct campaign {
    bool full;
    uint32_t policies;
    uint64_t seed;
    unsigned subjects, sequences, programs, wrong, unknown;
};

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
    campaign->programs++;
    if (proof->verdict == PROVED)
        return;
    if (proof->verdict == UNKNOWN)
        campaign->unknown++;
    else
        campaign->wrong++;
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
    const char *broken = NULL;
    campaign->sequences++;
    if (get_dag(arena, subject, &state)) {
        for (size_t i = 0; i < sequence->count && !broken; i++) {
            passes[sequence->passes[i]].run(&state);
            broken = dag_check(state.dag, state.root);
        }
        if (broken) {
            campaign->wrong++;
            printf("# %s, %s: %s\n", subject->name, sequence_text(arena, sequence), broken);
        } else if (make_program(arena, subject, &state, OPTIMIZE_1, &program) &&
                   !is_known(keep, known, &program)) {
            struct proof proof = prove_same(arena, subject, &program);
            count_proof(&proof, subject->name, sequence_text(arena, sequence), campaign);
        }
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

static void judge_random_policy(struct random *random, struct campaign *campaign)
{
    struct arena *arena = arena_new();
    const struct policy *policy = random_policy(arena, random);
    struct original subject = {.name = "a random policy", .policy = policy};
    static const char *const names[] = {"-O0", "-O1", "-O2", "-O3", "-Os"};
    for (int level = OPTIMIZE_0; level <= OPTIMIZE_SIZE; level++) {
        struct pass_state state;
        struct program program;
        if (!get_dag(arena, &subject, &state))
            break;
        optimize_dag(arena, (enum optimization)level, &state.dag, &state.root);
        if (!make_program(arena, &subject, &state, (enum optimization)level, &program))
            continue;
        struct proof proof = prove_same(arena, &subject, &program);
        count_proof(&proof, subject.name, names[level], campaign);
        if (!agrees(policy, &program, random)) {
            campaign->wrong++;
            printf("# a random policy and its program at %s disagree on a run\n", names[level]);
        }
    }
    arena_free(arena);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void report_part(unsigned number, const char *what, const struct campaign *campaign)
{
    printf("# %s: %u subjects, %u sequences of passes, %u programs proved, %u wrong, %u unknown\n",
           what, campaign->subjects, campaign->sequences,
           campaign->programs - campaign->wrong - campaign->unknown, campaign->wrong,
           campaign->unknown);
    printf("%sok %u - %s\n", campaign->wrong || campaign->unknown ? "not " : "", number, what);
}

int main(int argc, char **argv)
{
    const char *scale = getenv("BPFPROOF_SCALE");
    bool full = scale && !strcmp(scale, "full");
    struct campaign campaign = {.full = full, .policies = full ? POLICIES : POLICIES / 250};
    campaign.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    if (argc > 1)
        campaign.policies = (uint32_t)strtoul(argv[1], NULL, 0);
    struct campaign policies = campaign;
    puts("1..2");
    judge_directory("examples", ".policy", 1, judge_policy_file, &campaign);
    judge_policy_file("tests/data/container-default.policy", &campaign);
    judge_corpus(&campaign);
    report_part(1, "no pass, swap or order of passes changes meaning", &campaign);
    struct random random = random_seed(policies.seed);
    for (uint32_t i = 0; i < policies.policies; i++)
        judge_random_policy(&random, &policies);
    policies.subjects = policies.policies;
    report_part(2, "random policies mean what they say at every level", &policies);
    return campaign.wrong || campaign.unknown || policies.wrong || policies.unknown;
}
