/* The interpreter against the kernel: against its JIT image of the same program, called in user
 * space, and against real calls under installed filters. BPFPROOF_CORPUS may name a directory of
 * raw filters: they take part as well.
 *
 *     oracle [PAIRS] [SEED]
 */
#include <errno.h>

#include "tests/campaigns/generate.h"

#define FULL 2000000u       /* pairs of program and input */
#define INPUTS_EACH 100u    /* pairs per program */
#define PAIRS_PER_CALL 200u /* so many pairs for one real call */
#define SHOWN_MOST 5u
#define STACK_MOST 3u

struct tally {
    uint64_t programs;
    uint64_t refused; /* by the verifier of bpf(2) */
    uint64_t pairs;
    uint64_t executed;    /* instructions over all pairs */
    uint64_t wide_shifts; /* pairs in which the interpreter took x86's result */
    uint64_t divisions_by_zero;
    uint64_t calls;
    uint64_t calls_by_action[ACTION_COUNT];
    uint64_t disagreements;
};

static void print_input(const struct input *input)
{
    printf("#   nr 0x%x arch 0x%x ip 0x%llx", input->nr, input->arch,
           (unsigned long long)input->ip);
    for (size_t i = 0; i < COUNT_OF(input->args); i++)
        printf(" 0x%llx", (unsigned long long)input->args[i]);
    printf("\n");
}

/* ---- against the JIT image ----------------------------------------------------------------- */

static void compare_image(const struct program *program, const struct jit *jit,
                          const struct input *input, struct tally *tally)
{
    struct run run = interpret(program, input, NULL, 0);
    uint32_t word = jit_call(jit, input);
    tally->pairs++;
    tally->executed += run.executed;
    tally->wide_shifts += run.implementation_defined;
    tally->divisions_by_zero += run.divided_by_zero;
    if (word == run.word || tally->disagreements++ >= SHOWN_MOST)
        return;
    printf("# interpreter 0x%08x, image 0x%08x\n", run.word, word);
    print_input(input);
    print_program(program);
}

static void run_program(struct arena *arena, struct random *random, const struct program *program,
                        struct tally *tally)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct jit *jit;
    if (failed(jit_open(arena, program, &diagnostics, &jit))) {
        if (tally->refused++ < SHOWN_MOST)
            printf("# %s\n", diagnostics.first->message);
        return;
    }
    tally->programs++;
    for (uint32_t i = 0; i < INPUTS_EACH; i++) {
        struct input input = random_input(random, program);
        compare_image(program, jit, &input, tally);
    }
    jit_close(jit);
}

/* A machine without images refuses the simplest program. */
static bool images_available(struct arena *arena, const char **reason)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct jit *jit;
    if (failed(jit_open(arena, &(struct program){.name = "allow", .code = allow, .length = 1},
                        &diagnostics, &jit))) {
        *reason = diagnostics.first->message;
        return false;
    }
    jit_close(jit);
    return true;
}

static void run_corpus(struct random *random, struct tally *tally)
{
    struct arena *arena = arena_new();
    struct corpus corpus = {0};
    corpus_read(arena, &corpus);
    for (size_t i = 0; i < corpus.programs.count; i++)
        run_program(arena, random, &corpus.programs.items[i], tally);
    arena_free(arena);
}

static void run_images(const struct campaign *campaign, struct tally *tally)
{
    struct random random = random_seed(campaign->seed);
    run_corpus(&random, tally);
    while (tally->pairs < campaign->count && tally->refused <= 100 + tally->programs) {
        struct arena *arena = arena_new();
        struct draft *draft = NEW(arena, struct draft);
        draft_valid(&random, draft);
        struct program program = draft_program(draft, "generated");
        run_program(arena, &random, &program, tally);
        arena_free(arena);
    }
}

/* ---- against real calls -------------------------------------------------------------------- */

#define FREE_CALL 100000u /* numbers from here on do nothing but give ENOSYS */

/* Lets everything pass that is no call of ours, so that stacks can be installed and left. */
static void draft_guarded(struct random *random, struct draft *draft)
{
    draft->code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    draft->code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FREE_CALL, 1, 0);
    draft->code[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    draft->length = 3;
    draft_append_valid(random, draft, 1 + random_below(random, 40));
}

/* What seccomp_run_filters and __seccomp_filter make of a word; the kernel has no action for
 * others. */
static struct kernel_result expect(uint32_t word)
{
    uint32_t data = word & 0xffffu;
    switch (action_of_word(word, NULL)->action) {
    case ACTION_KILL_PROCESS:
        return (struct kernel_result){.outcome = KERNEL_KILLED, .whole_process = true};
    case ACTION_KILL_THREAD:
        return (struct kernel_result){.outcome = KERNEL_KILLED};
    case ACTION_TRAP:
        return (struct kernel_result){.outcome = KERNEL_TRAPPED, .value = data};
    case ACTION_ERRNO:
        return (struct kernel_result){.outcome = KERNEL_RETURNED,
                                      .value = -(int64_t)(data > 4095 ? 4095 : data)};
    default:
        return (struct kernel_result){.outcome = KERNEL_RETURNED, .value = -ENOSYS};
    }
}

/* A call above the table by either entry, with anything in its registers. */
static struct input free_call(struct random *random, const struct program *program,
                              enum kernel_entry entry)
{
    struct input input = random_input(random, program);
    input.arch = abi_get(entry == ENTRY_INT80 ? ABI_I386 : ABI_X86_64)->token;
    input.ip = kernel_call_ip(entry);
    input.nr &= ~X32_BIT;
    if (input.nr < FREE_CALL)
        input.nr += FREE_CALL;
    return input;
}

static bool same_result(struct kernel_result a, struct kernel_result b)
{
    return a.outcome == b.outcome && a.value == b.value && a.whole_process == b.whole_process;
}

static void compare_call(struct arena *arena, struct random *random, enum kernel_entry entry,
                         struct tally *tally)
{
    struct program programs[STACK_MOST];
    size_t count = 1 + random_below(random, STACK_MOST);
    for (size_t i = 0; i < count; i++) {
        struct draft *draft = NEW(arena, struct draft);
        draft_guarded(random, draft);
        programs[i] = draft_program(draft, "generated");
    }
    struct input input = free_call(random, &programs[0], entry);
    struct stack_run run = interpret_stack(programs, count, &input);
    struct kernel_result expected = expect(run.word);
    struct kernel_result got = kernel_call(programs, count, entry, input.nr, input.args);
    tally->calls++;
    tally->calls_by_action[action_of_word(run.word, NULL)->action]++;
    if (same_result(expected, got) || tally->disagreements++ >= SHOWN_MOST)
        return;
    printf("# interpreter 0x%08x; the call: outcome %d, value %lld, whole process %d\n", run.word,
           got.outcome, (long long)got.value, got.whole_process);
    print_input(&input);
    for (size_t i = 0; i < count; i++)
        print_program(&programs[i]);
}

static void run_calls(const struct campaign *campaign, uint64_t count, struct tally *tally)
{
    struct random random = random_seed(campaign->seed + 1);
    bool both = kernel_has_int80();
    printf("# int $0x80: %s\n", both ? "half of the calls" : "not on this machine");
    while (tally->calls < count) {
        struct arena *arena = arena_new();
        bool other = both && one_in(&random, 2);
        compare_call(arena, &random, other ? ENTRY_INT80 : ENTRY_NATIVE, tally);
        arena_free(arena);
    }
}

/* ---- results ------------------------------------------------------------------------------- */

static bool images(struct arena *arena, const struct campaign *campaign)
{
    const char *reason;
    struct tally tally = {0};
    if (!images_available(arena, &reason)) {
        printf("ok 1 - the interpreter agrees with the JIT image # SKIP %s\n", reason);
        return true;
    }
    run_images(campaign, &tally);
    printf("# %llu programs, %llu refused by the verifier of bpf(2); %.1f instructions a pair\n",
           (unsigned long long)tally.programs, (unsigned long long)tally.refused,
           tally.pairs ? (double)tally.executed / (double)tally.pairs : 0.0);
    printf("# %llu pairs, %llu with a shift by 32 or more, %llu divided by 0, %llu disagree\n",
           (unsigned long long)tally.pairs, (unsigned long long)tally.wide_shifts,
           (unsigned long long)tally.divisions_by_zero, (unsigned long long)tally.disagreements);
    bool agreed = tally.pairs >= campaign->count && tally.disagreements == 0;
    printf("%sok 1 - the interpreter agrees with the JIT image\n", agreed ? "" : "not ");
    return agreed;
}

static bool calls(const struct campaign *campaign)
{
    const char *reason = kernel_call_ip(ENTRY_NATIVE) ? NULL : "x86_64 only";
    struct tally tally = {0};
    if (reason || !kernel_available(&reason)) {
        printf("ok 2 - the interpreter agrees with real calls # SKIP %s\n", reason);
        return true;
    }
    run_calls(campaign, (campaign->count + PAIRS_PER_CALL - 1) / PAIRS_PER_CALL, &tally);
    for (int action = 0; action < ACTION_COUNT; action++)
        printf("# %8llu %s\n", (unsigned long long)tally.calls_by_action[action],
               action_get((enum action)action)->name);
    printf("# %llu calls, %llu disagree\n", (unsigned long long)tally.calls,
           (unsigned long long)tally.disagreements);
    printf("%sok 2 - the interpreter agrees with real calls\n", tally.disagreements ? "not " : "");
    return tally.disagreements == 0;
}

int main(int argc, char **argv)
{
    struct campaign campaign = campaign_from(argc, argv, FULL);
    struct arena *arena = arena_new();
    printf("1..2\n# seed %llu\n", (unsigned long long)campaign.seed);
    bool agreed = images(arena, &campaign);
    agreed = calls(&campaign) && agreed;
    arena_free(arena);
    return agreed ? 0 : 1;
}
