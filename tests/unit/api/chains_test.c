/* Rules that look at several arguments each: programs about as long as their rules, and proved. */
#include "tests/unit/support.h"

#include "api/bpfproof.h"

static const struct policy *read_policy(struct arena *arena, const char *text)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source = source_from_text(arena, "chain.policy", text, strlen(text));
    struct policy *policy;
    if (failed(policy_read(arena, source, 0, &diagnostics, &policy)))
        fail_msg("%s\n%s", diagnostics.last->message, text);
    return policy;
}

static uint32_t proved_length(const char *text)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct compile_options options = {
        .level = OPTIMIZE_2, .accept_arch = true, .accept_width = true};
    struct compiled compiled;
    result r = compile_policy(arena, read_policy(arena, text), &options, &diagnostics, &compiled);
    if (failed(r))
        fail_msg("%s\n%s", diagnostics.last->message, text);
    assert_int_equal(compiled.proof.verdict, PROVED);
    uint32_t length = compiled.program.length;
    arena_free(arena);
    return length;
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static void test_rules_on_three_arguments(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned rules = 1; rules <= 19; rules += 9) {
        struct buffer text = buffer_new(fixture->arena);
        buffer_printf(&text, "policy p\nabi x86_64\ndefault allow\n");
        for (unsigned i = 0; i < rules; i++)
            buffer_printf(&text,
                          "errno(%u) mmap((prot & %u) != 0 && (flags & %u) != 0 && length > %u)\n",
                          i + 1, 1u << i, 2u << i, 100 * i + 5);
        assert_true(proved_length(buffer_string(&text)) <= 10 * rules + 10);
    }
}

static void test_terms_on_two_arguments(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned terms = 1; terms <= 16; terms += 5) {
        struct buffer text = buffer_new(fixture->arena);
        buffer_printf(&text, "policy p\nabi s390x\ndefault kill_process\nallow openat(");
        for (unsigned i = 0; i < terms; i++)
            buffer_printf(&text, "%s(flags & %u) != 0 && (mode & %u) != 0", i ? " || " : "",
                          1u << i, 1u << i);
        buffer_printf(&text, ")\n");
        assert_true(proved_length(buffer_string(&text)) <= 4 * terms + 20);
    }
}

static void test_raw_rules(void **state)
{
    struct fixture *fixture = *state;
    static const char *const abis[] = {"x86_64", "s390x"};
    for (unsigned abi = 0; abi < COUNT_OF(abis); abi++) {
        struct buffer text = buffer_new(fixture->arena);
        buffer_printf(&text, "policy p\nabi %s\ndefault kill_process\n", abis[abi]);
        for (unsigned i = 0; i < 10; i++)
            buffer_printf(&text,
                          "raw errno(%u) if (arg0 & %u) != 0 && (arg1 & %u) != 0 && arg2 > %u\n",
                          i + 1, 1u << i, 2u << i, 1000 * i);
        buffer_printf(&text, "allow { read, write }\n");
        assert_true(proved_length(buffer_string(&text)) <= 2 * 100 + 20);
    }
}

/* Every number with a rule of its own in front of the same rules: these stand once. */
static void test_common_end_stands_once(void **state)
{
    struct fixture *fixture = *state;
    struct buffer text = buffer_new(fixture->arena);
    buffer_printf(&text, "policy p\nabi x86_64\ndefault kill_process\n");
    for (unsigned i = 0; i < 40; i++)
        buffer_printf(&text, "raw errno(%u) if nr == %u && arg0 == %u\n", i + 1, i, i * 7);
    for (unsigned i = 0; i < 20; i++)
        buffer_printf(&text, "raw errno(%u) if lo32(arg0) == %u && lo32(arg1) == %u\n", i + 50,
                      i * 3, i);
    assert_true(proved_length(buffer_string(&text)) <= 40 * 7 + 20 * 6 + 20);
}

/* ---- meaning -------------------------------------------------------------------------------- */

static void random_term(struct random *random, struct buffer *text)
{
    static const char *const signs[] = {"==", "!=", "<", ">="};
    unsigned argument = random_below(random, 4);
    if (random_below(random, 4) == 0)
        buffer_printf(text, "arg%u %s %u", argument, signs[random_below(random, COUNT_OF(signs))],
                      random_below(random, 16));
    else
        buffer_printf(text, "(lo32(arg%u) & %u) %s %u", argument, 1 + random_below(random, 15),
                      random_below(random, 3) ? "!=" : "==", random_below(random, 8));
}

static void random_rules(struct random *random, struct buffer *text)
{
    unsigned rules = 2 + random_below(random, 12);
    for (unsigned i = 0; i < rules; i++) {
        buffer_printf(text, "raw errno(%u) if ", i + 1);
        if (random_below(random, 3) == 0)
            buffer_printf(text, "(nr & %u) == %u && ", 1 + random_below(random, 7),
                          random_below(random, 4));
        unsigned terms = 1 + random_below(random, 5);
        for (unsigned j = 0; j < terms; j++) {
            buffer_printf(text, "%s", !j ? "" : random_below(random, 2) ? " && " : " || ");
            buffer_printf(text, random_below(random, 4) ? "(" : "!(");
            random_term(random, text);
            buffer_printf(text, ")");
        }
        buffer_printf(text, "\n");
    }
}

static struct input small_input(struct random *random, const struct policy *policy)
{
    struct input input = {.arch = abi_get(policy->views[0].abi)->token,
                          .nr = random_below(random, 16)};
    for (unsigned i = 0; i < 4; i++) {
        input.args[i] = random_below(random, 16);
        if (random_below(random, 6) == 0)
            input.args[i] |= (uint64_t)random_below(random, 2) << 32;
    }
    if (random_below(random, 8) == 0)
        input.arch = 1;
    return input;
}

static bool compile(struct arena *arena, const struct policy *policy, struct program *program,
                    bool *has_free)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct shape_options shape = {.level = OPTIMIZE_2};
    struct dag *dag;
    const struct dag_node *root;
    struct block *entry;
    size_t count;
    if (failed(lower_policy(arena, policy, &diagnostics, &dag, &root)) || dag_check(dag, root))
        return false;
    optimize_dag(arena, OPTIMIZE_2, &dag, &root);
    if (dag_check(dag, root))
        return false;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    for (size_t i = 0; i < count; i++)
        *has_free = *has_free || nodes[i]->free;
    return worked(select_shape(arena, dag, root, &shape, &diagnostics, &entry)) &&
           worked(emit_program(arena, entry, policy->big_endian, "chain", &diagnostics, program));
}

static void test_random_rules(void **state)
{
    struct random random = random_seed(41);
    unsigned proved = 0, with_free = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct arena *arena = arena_new();
        struct buffer text = buffer_new(arena);
        buffer_printf(&text, "policy p\nabi %s\ndefault allow\n", i % 3 ? "x86_64" : "s390x");
        random_rules(&random, &text);
        const struct policy *policy = read_policy(arena, buffer_string(&text));
        struct program program;
        bool has_free = false;
        if (!compile(arena, policy, &program, &has_free))
            fail_msg("%s", buffer_string(&text));
        with_free += has_free;
        for (int j = 0; j < 200; j++) {
            struct input input = small_input(&random, policy);
            assert_int_equal(interpret(&program, &input, NULL, 0).word,
                             policy_eval(policy, &input).word);
        }
        struct side meaning = {.name = "policy", .policy = policy};
        struct side compiled = {.name = "program", .programs = &program, .program_count = 1};
        struct proof_options limited = {.limits = {.rlimit = 50000}};
        struct proof proof = prove_equal(arena, &meaning, &compiled, &limited);
        assert_int_not_equal(proof.verdict, REFUTED);
        proved += proof.verdict == PROVED;
        arena_free(arena);
    }
    assert_true(with_free >= 8);
    assert_true(proved >= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rules_on_three_arguments),
        TEST(test_terms_on_two_arguments),
        TEST(test_raw_rules),
        TEST(test_common_end_stands_once),
        TEST(test_random_rules),
    };
    return RUN_TESTS(tests);
}
