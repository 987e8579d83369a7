/* The terms that stand for policies and programs, evaluated on concrete inputs, against the two
 * interpreters: every residue on inputs of its class, and the term over everything. */
#include "unit/verifier/policies.h"
#include "verifier/internal.h"

#define INPUTS_PER_CLASS 12
#define CLASSES_LOOKED_AT 400

struct looking {
    struct random random;
    const struct side *side;
    const struct program *edges; /* constants that matter */
    uint64_t classes;
};

static uint32_t in_range(struct random *random, struct range range)
{
    uint64_t size = (uint64_t)range.last - range.first + 1;
    switch (random_below(random, 4)) {
    case 0:
        return range.first;
    case 1:
        return range.last;
    case 2:
        return range.first + (uint32_t)(size > 4 ? random_below(random, 4) : 0);
    default:
        return range.first + (uint32_t)(random_u64(random) % size);
    }
}

static void compare_on(struct prover *prover, struct looking *looking, const struct term *term,
                       const struct input *input)
{
    uint64_t values[FIELD_COUNT];
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        values[i] = input_field(input, (enum field)i);
    uint64_t symbolic = term_evaluate(prover->arena, term, values, FIELD_COUNT);
    assert_int_equal(symbolic, side_word(looking->side, input, NULL));
}

static void look(struct prover *prover, void *data, struct range arch, struct range nr,
                 const struct term *left, const struct term *right)
{
    struct looking *looking = data;
    assert_ptr_equal(left, right); /* the same side twice */
    if (looking->classes++ > CLASSES_LOOKED_AT && random_below(&looking->random, 20))
        return;
    for (unsigned i = 0; i < INPUTS_PER_CLASS; i++) {
        struct input input = edge_input(&looking->random, looking->edges);
        input.arch = in_range(&looking->random, arch);
        input.nr = in_range(&looking->random, nr);
        compare_on(prover, looking, left, &input);
    }
}

/* Every class, then the one term. */
static void check_side(const struct side *side, const struct program *edges, uint64_t seed)
{
    struct proof_options options = options_in(60);
    struct prover *prover = prover_open(&options, false);
    struct looking looking = {random_seed(seed), side, edges, 0};
    struct behaviour behaviour;
    assert_true(side_behaviour(prover, side, &behaviour));
    partition(prover, EVERYTHING, &behaviour, &behaviour, look, &looking);
    assert_null(prover->trouble);
    const struct term *whole = behaviour.whole(prover, behaviour.self);
    assert_non_null(whole);
    for (unsigned i = 0; i < 300; i++) {
        struct input input = edge_input(&looking.random, edges);
        compare_on(prover, &looking, whole, &input);
    }
    prover_close(prover);
}

/* Constants on whose edges policies are tried: a program of no other use. */
static const struct sock_filter edge_code[] = {
    RET(0),
    RET(1),
    RET(2),
    RET(3),
    RET(7),
    RET(8),
    RET(9),
    RET(10),
    RET(20),
    RET(64),
    RET(0x80),
    RET(0x81),
    RET(0644),
    RET(0x10644),
    RET(0xfff),
    RET(300),
    RET(0x40000000),
    RET(0x40000010),
    RET(0x40000027),
    RET(0x7fffffff),
    RET(0x80000000),
    RET(0xff),
    RET(0x10),
    RET(5),
    RET(0x01000002),
    RET(0x1000002),
    RET(0xc00000b7),
    RET(0x80000016),
    RET(TOKEN_X86_64),
    RET(TOKEN_I386),
};

static void policies_mean_what_policy_eval_says(void **state)
{
    struct fixture *f = *state;
    struct sock_filter *code = arena_copy(f->arena, edge_code, sizeof edge_code);
    const struct program edges = {"edges", code, COUNT_OF(edge_code), false};
    for (size_t i = 0; i < COUNT_OF(many_policies); i++) {
        struct side side = side_of_policy(policy_of(f, many_policies[i]));
        check_side(&side, &edges, i);
    }
}

static void programs_do_what_the_interpreter_does(void **state)
{
    (void)state;
    struct random random = random_seed(77);
    for (unsigned i = 0; i < 500; i++) {
        struct arena *arena = arena_new();
        struct program program = random_program(arena, &random, i % 2);
        struct side side = {"random", NULL, &program, 1};
        check_side(&side, &program, i);
        arena_free(arena);
    }
}

static void stacks_do_what_the_kernel_does(void **state)
{
    (void)state;
    struct random random = random_seed(78);
    for (unsigned i = 0; i < 200; i++) {
        struct arena *arena = arena_new();
        struct program programs[4];
        for (unsigned j = 0; j < 4; j++)
            programs[j] = random_program(arena, &random, i % 2);
        struct side side = {"random", NULL, programs, 2 + i % 3};
        check_side(&side, &programs[0], i);
        arena_free(arena);
    }
}

/* Joins are the way out when a program has too many states; they must mean the same as residues. */
static void joins_do_what_the_interpreter_does(void **state)
{
    (void)state;
    struct random random = random_seed(79);
    for (unsigned i = 0; i < 300; i++) {
        struct arena *arena = arena_new();
        struct program program = random_program(arena, &random, true);
        struct side side = {"random", NULL, &program, 1};
        struct proof_options options = options_in(60);
        struct prover *prover = prover_open(&options, false);
        struct looking looking = {random_seed(i), &side, &program, 0};
        struct executor *executor = executor_new(prover, &program);
        for (unsigned j = 0; j < 20; j++) {
            struct input input = edge_input(&random, &program);
            struct range arch = {input.arch, input.arch}, nr = {input.nr, input.nr};
            struct class class = class_new(prover, arch, j % 2 ? nr : EVERYTHING);
            compare_on(prover, &looking, execute_joined(prover, executor, &class), &input);
        }
        prover_close(prover);
        arena_free(arena);
    }
}

/* Whatever is decided about a range of numbers must hold on each of them, and cuts must lie inside.
 */
static void decisions_hold_on_the_whole_range(void **state)
{
    (void)state;
    struct proof_options options = options_in(60);
    struct prover *prover = prover_open(&options, false);
    struct terms *terms = prover->terms;
    struct random random = random_seed(80);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t base =
            random_below(&random, 3) ? random_below(&random, 64) : random_constant(&random);
        struct range nr = {base, base};
        nr.last = base + random_below(&random, 40) < base ? base : base + random_below(&random, 40);
        const struct term *word = prover->words[FIELD_NR];
        uint32_t mask = random_below(&random, 64) | (random_below(&random, 2) ? 0xffffffc0u : 0);
        if (random_below(&random, 2))
            word = term_binary(terms, TERM_BIT_AND, word, word_constant(prover, mask));
        uint32_t constant = base + random_below(&random, 50) - 5;
        const struct term *condition = random_below(&random, 2)
                                           ? word_equals(prover, word, constant)
                                           : word_below(prover, word, constant);
        if (random_below(&random, 2))
            condition = term_not(terms, condition);
        if (nr.last < nr.first)
            continue;
        struct class class = class_new(prover, EVERYTHING, nr);
        enum decision_kind kind = class_decide(prover, &class, condition);
        if (kind == DECISION_NEEDS_CUT) {
            assert_int_equal(class.cut_field, FIELD_NR);
            assert_true(class.cut > nr.first && class.cut <= nr.last);
        }
        for (uint64_t n = nr.first; n <= nr.last && kind <= DECIDED_YES; n++) {
            uint64_t values[FIELD_COUNT] = {[FIELD_NR] = n};
            assert_int_equal(term_evaluate(prover->arena, condition, values, FIELD_COUNT),
                             kind == DECIDED_YES);
        }
    }
    prover_close(prover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(policies_mean_what_policy_eval_says), TEST(programs_do_what_the_interpreter_does),
        TEST(stacks_do_what_the_kernel_does),      TEST(joins_do_what_the_interpreter_does),
        TEST(decisions_hold_on_the_whole_range),
    };
    return RUN_TESTS(tests);
}
