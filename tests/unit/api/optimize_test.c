/* Optimizing programs: what comes out is proved equal, and is the original when it is not better.
 */
#include "tests/unit/support.h"

#include "api/bpfproof.h"
#include "tests/campaigns/generate.h"

#define ALLOW 0x7fff0000u
#define DENY 0x00050001u
#define QUESTION_LIMIT 200000u /* of the solver's own count: the same on every machine */

static const struct compile_options defaults = {.level = OPTIMIZE_2};

static bool same_program(const struct program *a, const struct program *b)
{
    return a->length == b->length && !memcmp(a->code, b->code, a->length * sizeof *a->code);
}

static struct optimized optimize_or_fail(struct fixture *fixture, const struct program *program)
{
    struct optimized optimized;
    result r = optimize_program(fixture->arena, program, blob_declared(program, 1), &defaults,
                                &fixture->diagnostics, &optimized);
    assert_true(worked(r));
    assert_int_equal(check_program(&optimized.program).rule, CHECK_ACCEPTED);
    assert_true(optimized.after.instructions <= optimized.before.instructions);
    assert_true(optimized.cost_after <= optimized.cost_before + 1e-9);
    if (optimized.kept_original) {
        assert_true(same_program(&optimized.program, program));
        assert_non_null(optimized.why);
    } else {
        assert_int_equal(optimized.proof.verdict, PROVED);
        assert_int_equal(cached_lost(program, &optimized.program), 0);
    }
    return optimized;
}

static struct program program_of(struct fixture *fixture, const struct sock_filter *code,
                                 uint32_t length)
{
    return (struct program){.name = "test",
                            .code = arena_copy(fixture->arena, code, length * sizeof *code),
                            .length = length};
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Lifted and emitted again, without the choice of the better one. */
static void test_random_programs(void **state)
{
    struct random random = random_seed(21);
    unsigned proved = 0, emitted = 0;
    (void)state;
    for (int i = 0; i < SAMPLES(700); i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct draft *draft = NEW(arena, struct draft);
        draft_valid(&random, draft);
        struct program before = draft_program(draft, "random");
        struct generated made;
        before.big_endian = i % 3 == 0;
        if (worked(relift_program(arena, &before, blob_declared(&before, 1), &defaults,
                                  &diagnostics, &made))) {
            struct program after = made.program;
            struct side left = {.name = "before", .programs = &before, .program_count = 1};
            struct side right = {.name = "after", .programs = &after, .program_count = 1};
            struct proof_options options = {.limits = {.rlimit = QUESTION_LIMIT}};
            struct proof proof = prove_equal(arena, &left, &right, &options);
            if (proof.verdict == REFUTED)
                print_program(&before);
            assert_int_not_equal(proof.verdict, REFUTED);
            emitted++;
            proved += proof.verdict == PROVED;
            for (int j = 0; j < 40; j++) {
                struct input input = random_input(&random, &before);
                assert_int_equal(interpret(&before, &input, NULL, 0).word,
                                 interpret(&after, &input, NULL, 0).word);
            }
        }
        arena_free(arena);
    }
    assert_true(emitted >= SAMPLES(690));
    assert_true(proved >= emitted - emitted / 100);
}

static void test_a_chain_gets_better(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[210] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    uint32_t length = 1;
    for (uint32_t nr = 0; nr < 100; nr++) {
        code[length++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr + nr / 10, 0, 1);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ALLOW);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, DENY);
    struct program program = program_of(fixture, code, length);
    struct optimized optimized = optimize_or_fail(fixture, &program);
    assert_false(optimized.kept_original);
    assert_true(optimized.after.instructions < 110);
    assert_true(optimized.after.expected < optimized.before.expected / 3);
}

static void test_the_best_stays(void **state)
{
    struct fixture *fixture = *state;
    static const struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, ALLOW)};
    struct program program = program_of(fixture, code, COUNT_OF(code));
    struct optimized optimized = optimize_or_fail(fixture, &program);
    assert_int_equal(optimized.after.instructions, 1);
    assert_true(same_program(&optimized.program, &program));
}

/* A proof that has no time: then nothing changes. */
static void test_unproved_is_not_taken(void **state)
{
    struct fixture *fixture = *state;
    static const struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
                                              BPF_STMT(BPF_MISC | BPF_TAX, 0),
                                              BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
                                              BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
                                              BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 77, 0, 1),
                                              BPF_STMT(BPF_RET | BPF_K, DENY),
                                              BPF_STMT(BPF_RET | BPF_K, ALLOW),
                                              BPF_STMT(BPF_RET | BPF_K, ALLOW)};
    struct program program = program_of(fixture, code, COUNT_OF(code));
    struct compile_options options = {.level = OPTIMIZE_2, .deadline = {.at_ns = 1}};
    struct optimized optimized;
    assert_true(worked(optimize_program(fixture->arena, &program, 0, &options,
                                        &fixture->diagnostics, &optimized)));
    assert_int_equal(optimized.proof.verdict, UNKNOWN);
    assert_true(optimized.kept_original);
    assert_true(same_program(&optimized.program, &program));
    assert_non_null(strstr(optimized.why, "not proved"));
    assert_int_equal(fixture->diagnostics.errors, 0);
}

static void test_too_involved(void **state)
{
    struct fixture *fixture = *state;
    struct sock_filter code[140] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16)};
    uint32_t length = 1;
    while (length < 121) {
        code[length++] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
    struct program program = program_of(fixture, code, length);
    struct optimized optimized = optimize_or_fail(fixture, &program);
    assert_true(optimized.kept_original);
    assert_true(optimized.nothing_made);
    assert_non_null(strstr(optimized.why, "too involved"));
    assert_int_equal(optimized.proof.verdict, UNKNOWN);
    assert_int_equal(fixture->diagnostics.errors, 0);
}

static void test_refused_program(void **state)
{
    struct fixture *fixture = *state;
    static const struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    struct program program = program_of(fixture, code, COUNT_OF(code));
    struct optimized optimized;
    result r =
        optimize_program(fixture->arena, &program, 0, &defaults, &fixture->diagnostics, &optimized);
    assert_int_equal(r.error, ERROR_INPUT);
    assert_int_equal(fixture->diagnostics.errors, 1);
}

/* Figures of the program that is given out, and never worse ones. */
static void test_random_programs_never_get_worse(void **state)
{
    struct random random = random_seed(22);
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct arena *arena = arena_new();
        struct fixture fixture = {.arena = arena, .diagnostics = diagnostics_new(arena)};
        struct draft *draft = NEW(arena, struct draft);
        draft_valid(&random, draft);
        struct program program = draft_program(draft, "random");
        struct optimized optimized = optimize_or_fail(&fixture, &program);
        assert_int_equal(optimized.after.instructions, optimized.program.length);
        arena_free(arena);
    }
}

static void test_lost_calls_are_counted(void **state)
{
    struct fixture *fixture = *state;
    static const struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, ALLOW)};
    static const struct sock_filter computed[] = {BPF_STMT(BPF_LD | BPF_IMM, ALLOW),
                                                  BPF_STMT(BPF_RET | BPF_A, 0)};
    struct program cached = program_of(fixture, all, COUNT_OF(all));
    struct program never = program_of(fixture, computed, COUNT_OF(computed));
    assert_int_equal(cached_lost(&cached, &cached), 0);
    assert_int_equal(cached_lost(&never, &cached), 0);
    assert_true(cached_lost(&cached, &never) > 1000);
    struct optimized optimized = optimize_or_fail(fixture, &never);
    assert_int_equal(optimized.program.length, 1);
}

/* Allows everything; looks at an argument first for one number of x86_64, so that this pair is not
 * cached. */
static struct program allow_but_look_at(struct fixture *fixture, uint32_t nr)
{
    uint32_t token = abi_get(ABI_X86_64)->token;
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, token, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), BPF_STMT(BPF_RET | BPF_K, ALLOW)};
    return program_of(fixture, code, COUNT_OF(code));
}

/* The kernel's bitmap has a bit for every number of its table, with a name or without. */
static void test_lost_numbers_without_a_name_are_counted(void **state)
{
    struct fixture *fixture = *state;
    static const struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, ALLOW)};
    static const uint32_t numbers[] = {0, 400, 462, 463,
                                       475}; /* 400: in a gap; 475: not yet given */
    struct program cached = program_of(fixture, all, COUNT_OF(all));
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct program looks = allow_but_look_at(fixture, numbers[i]);
        assert_int_equal(cached_lost(&cached, &looks), 1);
        assert_int_equal(cached_lost(&looks, &cached), 0);
    }
    struct program beyond = allow_but_look_at(fixture, 0x40000000);
    assert_int_equal(cached_lost(&cached, &beyond), 0); /* x32's numbers are never cached */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_programs),
        TEST(test_a_chain_gets_better),
        TEST(test_the_best_stays),
        TEST(test_unproved_is_not_taken),
        TEST(test_too_involved),
        TEST(test_refused_program),
        TEST(test_random_programs_never_get_worse),
        TEST(test_lost_calls_are_counted),
        TEST(test_lost_numbers_without_a_name_are_counted),
    };
    return RUN_TESTS(tests);
}
