/* Passes over the DAG: each keeps its invariants and its meaning. */
#include "tests/unit/support.h"

#include "optimizer/pass.h"
#include "tests/unit/compiler/policies.h"

#define POLICIES 400
#define INPUTS 60

static void check_same(const struct pass *pass, const struct policy *policy,
                       const struct pass_state *before, const struct pass_state *after,
                       struct random *random)
{
    const char *broken = dag_check(after->dag, after->root);
    if (broken)
        fail_msg("after %s: %s", pass->name, broken);
    for (int i = 0; i < INPUTS; i++) {
        struct input input = random_input(random, policy);
        uint32_t was = dag_evaluate(before->root, &input), is = dag_evaluate(after->root, &input);
        if (was != is)
            fail_msg("%s: arch %x nr %x args %llx %llx: %x became %x", pass->name, input.arch,
                     input.nr, (unsigned long long)input.args[0], (unsigned long long)input.args[1],
                     was, is);
    }
}

static void test_each_pass_keeps_the_meaning(void **state)
{
    (void)state;
    struct random random = random_seed(77);
    size_t count;
    const struct pass *passes = pass_table(&count);
    unsigned changed[16] = {0};
    for (int i = 0; i < POLICIES; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct policy *policy = random_policy(arena, &random);
        for (size_t p = 0; p < count; p++) {
            struct pass_state before = {.arena = arena};
            struct dag *dag;
            assert_true(worked(lower_policy(arena, policy, &diagnostics, &dag, &before.root)));
            before.dag = dag;
            struct pass_state after = before;
            if (passes[p].run(&after))
                changed[p]++;
            check_same(&passes[p], policy, &before, &after, &random);
        }
        arena_free(arena);
    }
    for (size_t p = 0; p < count; p++) {
        if (!strcmp(passes[p].name, "masks"))
            continue; /* random sets are not cubes: below */
        if (!changed[p])
            fail_msg("%s changed nothing", passes[p].name);
    }
}

/* ---- what each is for ----------------------------------------------------------------------- */

static const struct pass *pass_named(const char *name)
{
    size_t count;
    const struct pass *passes = pass_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(passes[i].name, name))
            return &passes[i];
    }
    fail_msg("no pass %s", name);
    return NULL;
}

static struct pass_state new_state(struct arena *arena)
{
    return (struct pass_state){.arena = arena, .dag = dag_new(arena, false, 10000)};
}

static const struct dag_node *test_value(struct pass_state *s, enum field field, uint32_t mask,
                                         uint32_t value, const struct dag_node *yes,
                                         const struct dag_node *no)
{
    struct word w = {.operator= WORD_FIELD, .field = field};
    struct word m = {.operator= WORD_CONSTANT, .constant = mask};
    struct word a = {.operator= WORD_AND, .left = &w, .right = &m};
    struct word v = {.operator= WORD_CONSTANT, .constant = value};
    return dag_compare(s->dag, COMPARE_EQUAL, &a, &v, yes, no);
}

static void test_equal_implies_its_bits(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2),
                          *c = dag_verdict(s.dag, 3);
    const struct dag_node *bit = test_value(&s, FIELD_ARG2_LO, 4, 0, a, b);
    s.root = test_value(&s, FIELD_ARG2_LO, 0xffffffffu, 3,
                        test_value(&s, FIELD_ARG2_LO, 4, 0, c, b), bit);
    assert_true(pass_named("implied")->run(&s));
    assert_ptr_equal(s.root->edges[1].child, c);
    assert_ptr_equal(s.root->edges[0].child, bit);
}

/* Where x & 4 alone sends 3 to the same end, x == 3 is no test. */
static void test_bits_do_for_a_value(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2);
    const struct dag_node *bit = test_value(&s, FIELD_ARG2_LO, 4, 0, a, b);
    s.root = test_value(&s, FIELD_ARG2_LO, 0xffffffffu, 3, a, bit);
    assert_ptr_not_equal(s.root, bit);
    assert_true(pass_named("implied")->run(&s));
    assert_ptr_equal(s.root, bit);
}

/* Behind x & 3 == 0, bit 0 is no question. */
static void test_masks_imply_masks(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2),
                          *c = dag_verdict(s.dag, 3);
    const struct dag_node *bit = test_value(&s, FIELD_ARG0_LO, 1, 1, a, b);
    s.root = test_value(&s, FIELD_ARG0_LO, 3, 0, bit, c);
    assert_true(pass_named("implied")->run(&s));
    assert_ptr_equal(dag_child_at(s.root, 0), b);
    assert_ptr_equal(dag_child_at(s.root, 1), c);
}

/* One of both bits, the one clear, the other clear: some of it holds for every word. Without the
 * last it does not. */
static void test_together_no_way_but_one(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2);
    const struct dag_node *one = test_value(&s, FIELD_ARG0_LO, 1, 0, a, b);
    const struct dag_node *either = test_value(&s, FIELD_ARG0_LO, 2, 0, a, one);
    s.root = test_value(&s, FIELD_ARG0_LO, 3, 3, a, either);
    assert_true(pass_named("settled")->run(&s));
    assert_ptr_equal(s.root, a);
    s.root = test_value(&s, FIELD_ARG0_LO, 3, 3, a, test_value(&s, FIELD_ARG0_LO, 2, 0, a, b));
    assert_false(pass_named("settled")->run(&s));
    s.root = test_value(&s, FIELD_ARG0_LO, 7, 3, a, either);
    assert_false(pass_named("settled")->run(&s));
}

static void test_high_masks_are_intervals(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2);
    s.root = test_value(&s, FIELD_ARG0_LO, 0xffff0000u, 0x120000, a, b);
    assert_int_equal(s.root->mask, 0xffff0000u);
    assert_true(pass_named("canonical")->run(&s));
    assert_int_equal(s.root->mask, 0xffffffffu);
    assert_int_equal(s.root->edge_count, 3);
    assert_int_equal(s.root->edges[0].last, 0x11ffff);
    assert_int_equal(s.root->edges[1].last, 0x12ffff);
}

/* All values within 0x1249 with bit 20 set: one test of the other bits. */
static void test_sets_become_masks(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *in = dag_verdict(s.dag, 1), *out = dag_verdict(s.dag, 2);
    struct dag_edge edges[100];
    uint32_t count = 0, free = 0x1249, value = 0;
    do {
        edges[count++] = (struct dag_edge){(0x100000 | value) - 1, out};
        edges[count++] = (struct dag_edge){0x100000 | value, in};
        value = ((value | ~free) + 1) & free;
    } while (value);
    edges[count++] = (struct dag_edge){0xffffffffu, out};
    s.root = dag_switch(s.dag, FIELD_ARG1_LO, 0xffffffffu, edges, count);
    assert_true(pass_named("masks")->run(&s));
    assert_int_equal(s.root->mask, ~free);
    assert_ptr_equal(dag_child_at(s.root, 0x100000), in);
    assert_int_equal(s.root->edge_count, 3);
}

/* What two calls check after different things is there once when it comes last. */
static void test_common_checks_come_last(void **state)
{
    struct fixture *fixture = *state;
    struct pass_state s = new_state(fixture->arena);
    const struct dag_node *a = dag_verdict(s.dag, 1), *b = dag_verdict(s.dag, 2);
    const struct dag_node *checks[2];
    for (uint32_t i = 0; i < 2; i++)
        checks[i] = test_value(&s, FIELD_ARG0_LO, 0xffffffffu, 1,
                               test_value(&s, FIELD_ARG1_LO, 0xffffffffu, 5 + i, a, b), b);
    const struct dag_edge edges[3] = {{7, checks[0]}, {8, checks[1]}, {0xffffffffu, b}};
    s.root = dag_switch(s.dag, FIELD_NR, 0xffffffffu, edges, 3);
    size_t before = dag_tests(s.arena, s.root);
    assert_true(pass_named("order")->run(&s));
    assert_int_equal(dag_tests(s.arena, s.root), before - 2);
    assert_null(dag_check(s.dag, s.root));
    assert_int_equal(s.root->edges[0].child->field, FIELD_ARG1_LO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_pass_keeps_the_meaning), TEST(test_equal_implies_its_bits),
        TEST(test_bits_do_for_a_value),         TEST(test_masks_imply_masks),
        TEST(test_together_no_way_but_one),     TEST(test_high_masks_are_intervals),
        TEST(test_sets_become_masks),           TEST(test_common_checks_come_last),
    };
    return RUN_TESTS(tests);
}
