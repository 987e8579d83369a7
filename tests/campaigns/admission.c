/* The admission check against the kernel's, over generated programs: valid ones, mutated ones, and
 * random ones. Prints how many met each verdict. BPFPROOF_CORPUS may name a directory of raw
 * filters: their mutants take part as well.
 *
 *     admission [COUNT] [SEED]
 */
#include "tests/campaigns/generate.h"

#define FULL 200000u
#define BATCH 5000u
#define SHOWN_MOST 5u

struct tally {
    uint64_t by_rule[CHECK_RULE_COUNT];
    uint64_t programs;
    uint64_t disagreements;
};

static void generate(struct random *random, const struct corpus *corpus, struct draft *draft)
{
    uint32_t kind = random_below(random, 10);
    if (kind < 2) {
        draft_random(random, draft);
        return;
    }
    if (kind < 4 && corpus->programs.count > 0) {
        const struct program *from =
            &corpus->programs.items[random_below(random, (uint32_t)corpus->programs.count)];
        draft->length = from->length;
        memcpy(draft->code, from->code, from->length * sizeof draft->code[0]);
    } else {
        draft_valid(random, draft);
    }
    if (kind < 8)
        draft_mutate(random, draft);
}

static void compare(const struct program *program, bool accepted, struct tally *tally)
{
    struct check_result check = check_program(program);
    tally->programs++;
    tally->by_rule[check.rule]++;
    if ((check.rule == CHECK_ACCEPTED) == accepted)
        return;
    if (tally->disagreements++ >= SHOWN_MOST)
        return;
    printf("# the kernel %s what the check says is: %s, instruction %u\n",
           accepted ? "accepts" : "refuses", check_rule_name(check.rule), check.instruction);
    print_program(program);
}

static result run_batch(struct random *random, const struct corpus *corpus, uint64_t count,
                        struct diagnostics *diagnostics, struct tally *tally)
{
    struct arena *arena = arena_new();
    struct program *programs = NEW_ARRAY(arena, struct program, count);
    bool *accepted = NEW_ARRAY(arena, bool, count);
    struct draft *draft = NEW(arena, struct draft);
    for (uint64_t i = 0; i < count; i++) {
        generate(random, corpus, draft);
        programs[i] = draft_program(draft, "generated");
        programs[i].code = arena_copy(arena, draft->code, draft->length * sizeof draft->code[0]);
    }
    result done = kernel_admission(programs, count, accepted, diagnostics);
    for (uint64_t i = 0; i < count && worked(done); i++)
        compare(&programs[i], accepted[i], tally);
    arena_free(arena);
    return done;
}

static void print_tally(const struct tally *tally, const struct campaign *campaign)
{
    printf("# %llu programs, seed %llu\n", (unsigned long long)tally->programs,
           (unsigned long long)campaign->seed);
    for (int rule = 0; rule < CHECK_RULE_COUNT; rule++)
        printf("# %10llu %s\n", (unsigned long long)tally->by_rule[rule],
               check_rule_name((enum check_rule)rule));
    printf("# %10llu disagreements with the kernel\n", (unsigned long long)tally->disagreements);
}

/* A rule that was never met was not tested. */
static bool every_rule_met(const struct tally *tally)
{
    for (int rule = 0; rule < CHECK_RULE_COUNT; rule++)
        if (tally->by_rule[rule] == 0)
            return false;
    return true;
}

static result run(const struct campaign *campaign, struct tally *tally)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct random random = random_seed(campaign->seed);
    struct corpus corpus = {0};
    result done = SUCCESS;
    corpus_read(arena, &corpus);
    while (tally->programs < campaign->count && worked(done)) {
        uint64_t left = campaign->count - tally->programs;
        done = run_batch(&random, &corpus, left < BATCH ? left : BATCH, &diagnostics, tally);
    }
    diagnostics_print(&diagnostics, stderr);
    arena_free(arena);
    return done;
}

int main(int argc, char **argv)
{
    struct campaign campaign = campaign_from(argc, argv, FULL);
    struct tally tally = {0};
    const char *reason;
    printf("1..2\n");
    if (!kernel_available(&reason)) {
        printf("ok 1 - the admission check agrees with the kernel # SKIP %s\n", reason);
        printf("ok 2 - every rule was met # SKIP %s\n", reason);
        return 0;
    }
    bool agreed = worked(run(&campaign, &tally)) && tally.disagreements == 0;
    print_tally(&tally, &campaign);
    bool met = every_rule_met(&tally);
    printf("%sok 1 - the admission check agrees with the kernel\n", agreed ? "" : "not ");
    printf("%sok 2 - every rule was met\n", met ? "" : "not ");
    return agreed && met ? 0 : 1;
}
