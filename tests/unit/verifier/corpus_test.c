/* Filters that other tools made, where they are at hand: pairs with a known answer, and mutants of
 * every one. */
#include <dirent.h>

#include "unit/verifier/filters.h"

#define BENCH "../shared/bench/"
#define BLOBS "../shared/corpus/blobs/"

static bool at_hand(const char *path)
{
    if (access(path, R_OK) == 0)
        return true;
    print_message("%s is not here: skipped\n", path);
    return false;
}

static struct side load(struct fixture *f, const char *path)
{
    struct side side = {.name = path};
    const struct source *source;
    size_t length = strlen(path);
    assert_true(worked(file_read(f->arena, path, &f->diagnostics, &source)));
    if (length > 7 && strcmp(path + length - 7, ".policy") == 0) {
        struct policy *policy;
        assert_true(worked(policy_read(f->arena, source, 0, &f->diagnostics, &policy)));
        side.policy = policy;
        return side;
    }
    struct program *program = NEW(f->arena, struct program);
    assert_true(
        worked(program_decode(f->arena, source, FORMAT_RAW_LITTLE, &f->diagnostics, program)));
    side.programs = program;
    side.program_count = 1;
    return side;
}

struct pair_row {
    const char *left, *right;
    enum verdict verdict;
};

static const struct pair_row pairs[] = {
    {BENCH "docker291.policy", BENCH "peers/docker291-libseccomp1.bpf", PROVED},
    {BENCH "docker291.policy", BENCH "peers/docker291-libseccomp2.bpf", PROVED},
    {BENCH "docker291.policy", BENCH "peers/docker291-kafel.bpf", REFUTED},
    {BENCH "docker291.policy", BENCH "peers/docker291-minijail.bpf", REFUTED},
    {BENCH "docker291.policy", BENCH "peers/docker291-minijail-frequency.bpf", REFUTED},
    {BENCH "docker291.policy", BENCH "peers/docker291-seccompiler.bpf", REFUTED},
    {BENCH "peers/docker291-libseccomp1.bpf", BENCH "peers/docker291-libseccomp2.bpf", PROVED},
    {BLOBS "docker-crun.bpf", BLOBS "docker-libseccomp-o2.bpf", PROVED},
    {BLOBS "podman-crun.bpf", BLOBS "podman-runc.bpf", PROVED},
    {BLOBS "docker-crun.bpf", BLOBS "docker-runc.bpf", REFUTED},
};

static void known_answers(void **state)
{
    struct fixture *f = *state;
    if (!at_hand(pairs[0].left) || !at_hand(BLOBS "docker-crun.bpf"))
        skip();
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct side left = load(f, pairs[i].left), right = load(f, pairs[i].right);
        for (unsigned whole = 0; whole < 2; whole++) {
            struct proof_options options = options_in(120);
            options.whole = whole;
            struct proof proof = prove_equal(f->arena, &left, &right, &options);
            assert_int_equal(proof.verdict, pairs[i].verdict);
            if (proof.verdict != REFUTED)
                continue;
            uint32_t a = side_word(&left, &proof.counterexample.input, NULL);
            assert_int_not_equal(a, side_word(&right, &proof.counterexample.input, NULL));
            assert_int_equal(a, proof.counterexample.left);
        }
    }
}

/* What a filter and its mutant return on inputs at their edges. */
static bool differ_on_edges(struct random *random, const struct side *a, const struct side *b)
{
    for (unsigned i = 0; i < 60; i++) {
        struct input input = edge_input(random, &a->programs[0]);
        if (side_word(a, &input, NULL) != side_word(b, &input, NULL))
            return true;
    }
    return false;
}

static void check_blob(struct fixture *f, struct random *random, const char *path)
{
    struct side original = load(f, path);
    struct proof_options options = options_in(30);
    assert_int_equal(prove_equal(f->arena, &original, &original, &options).verdict, PROVED);
    for (unsigned i = 0; i < 6; i++) {
        struct program program = mutated(f->arena, random, &original.programs[0]);
        struct side mutant = {"mutant", NULL, &program, 1};
        struct proof proof = prove_equal(f->arena, &original, &mutant, &options);
        if (proof.verdict == UNKNOWN)
            print_error("%s: %s\n", path, proof.reason);
        assert_int_not_equal(proof.verdict, UNKNOWN);
        if (proof.verdict == PROVED)
            assert_false(differ_on_edges(random, &original, &mutant));
        options.solver_only = true;
        assert_int_equal(prove_equal(f->arena, &original, &mutant, &options).verdict,
                         proof.verdict);
        options.solver_only = false;
    }
}

static void mutants_of_every_filter(void **state)
{
    struct fixture *f = *state;
    if (!at_hand(BLOBS))
        skip();
    struct random random = random_seed(4242);
    DIR *folder = opendir(BLOBS);
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".bpf") != 0)
            continue;
        struct fixture one = {.arena = arena_new()};
        one.diagnostics = diagnostics_new(one.arena);
        check_blob(&one, &random, arena_printf(one.arena, BLOBS "%s", entry->d_name));
        arena_free(one.arena);
        count++;
    }
    closedir(folder);
    assert_true(count > 0);
    (void)f;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known_answers),
        TEST(mutants_of_every_filter),
    };
    return RUN_TESTS(tests);
}
