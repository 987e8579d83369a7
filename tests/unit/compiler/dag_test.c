/* The decision DAG: uniqueness, canonical edges, if-then-else, limits, and the checker itself. */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "tests/unit/compiler/policies.h"

#define WHOLE 0xffffffffu

static struct dag *small_dag(void **state)
{
    return dag_new(((struct fixture *)*state)->arena, false, 100000);
}

static void expect_good(const struct dag *dag, const struct dag_node *root)
{
    const char *broken = dag_check(dag, root);
    if (broken)
        fail_msg("%s", broken);
}

static const struct dag_node *in_range(struct dag *dag, enum field field, uint32_t mask,
                                       uint32_t first, uint32_t last)
{
    struct dag_edge edges[3];
    uint32_t count = 0;
    if (first)
        edges[count++] = (struct dag_edge){first - 1, dag_verdict(dag, 0)};
    edges[count++] = (struct dag_edge){last, dag_verdict(dag, 1)};
    if (last != WHOLE)
        edges[count++] = (struct dag_edge){WHOLE, dag_verdict(dag, 0)};
    return dag_switch(dag, field, mask, edges, count);
}

static void test_nodes_are_unique(void **state)
{
    struct dag *dag = small_dag(state);
    assert_ptr_equal(dag_verdict(dag, 7), dag_verdict(dag, 7));
    assert_ptr_not_equal(dag_verdict(dag, 7), dag_verdict(dag, 8));
    const struct dag_node *a = in_range(dag, FIELD_NR, WHOLE, 3, 5);
    assert_ptr_equal(a, in_range(dag, FIELD_NR, WHOLE, 3, 5));
    assert_ptr_not_equal(a, in_range(dag, FIELD_ARCH, WHOLE, 3, 5));
    assert_ptr_not_equal(a, in_range(dag, FIELD_NR, 0xff, 3, 5));
    expect_good(dag, a);
}

static void test_equal_neighbours_merge(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *one = dag_verdict(dag, 1), *two = dag_verdict(dag, 2);
    const struct dag_edge edges[] = {{4, one}, {9, one}, {20, two}, {WHOLE, two}};
    const struct dag_node *node = dag_switch(dag, FIELD_NR, WHOLE, edges, COUNT_OF(edges));
    assert_int_equal(node->edge_count, 2);
    assert_int_equal(node->edges[0].last, 9);
    const struct dag_edge same[] = {{4, one}, {WHOLE, one}};
    assert_ptr_equal(dag_switch(dag, FIELD_NR, WHOLE, same, COUNT_OF(same)), one);
}

/* Of a masked field, only values within the mask count. */
static void test_masked_edges_are_canonical(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *a = in_range(dag, FIELD_ARG0_LO, 0x0c, 4, 4);
    assert_ptr_equal(a, in_range(dag, FIELD_ARG0_LO, 0x0c, 1, 7));
    assert_int_equal(a->edges[0].last, 3);
    assert_int_equal(a->edges[1].last, 7);
    /* 5..7 cannot occur, 12 is the last value that can. */
    assert_ptr_equal(in_range(dag, FIELD_ARG0_LO, 0x0c, 5, 7), dag_verdict(dag, 0));
    assert_ptr_equal(in_range(dag, FIELD_ARG0_LO, 0x0c, 9, 12),
                     in_range(dag, FIELD_ARG0_LO, 0x0c, 12, WHOLE));
    assert_ptr_equal(in_range(dag, FIELD_ARG0_LO, 0, 0, 0), dag_verdict(dag, 1));
    assert_ptr_equal(in_range(dag, FIELD_ARG0_LO, 0, 1, WHOLE), dag_verdict(dag, 0));
    expect_good(dag, a);
}

static void test_value_floor(void **state)
{
    (void)state;
    struct random random = random_seed(3);
    for (int i = 0; i < 2000; i++) {
        uint32_t mask = random_below(&random, 256), value = random_below(&random, 300);
        uint32_t best = 0;
        for (uint32_t candidate = 0; candidate <= value; candidate++) {
            if ((candidate & ~mask) == 0)
                best = candidate;
        }
        assert_int_equal(dag_value_floor(value, mask), best);
    }
    assert_int_equal(dag_value_floor(WHOLE, 0x80000001u), 0x80000001u);
    assert_int_equal(dag_value_floor(0x7fffffffu, 0x80000001u), 1);
}

/* if-then-else of random conditions is what C's ?: says, and equal functions of one shape are one
 * node. */
static void test_if_is_a_choice(void **state)
{
    struct random random = random_seed(11);
    (void)state;
    for (int i = 0; i < 400; i++) {
        struct arena *arena = arena_new();
        struct dag *dag = dag_new(arena, false, 100000);
        const struct dag_node *parts[3];
        for (int j = 0; j < 3; j++) {
            uint32_t mask = random_below(&random, 2) ? WHOLE : random_word(&random);
            uint32_t a = random_word(&random), b = random_word(&random);
            parts[j] = in_range(dag, (enum field)random_below(&random, 4), mask, a < b ? a : b,
                                a < b ? b : a);
            if (random_below(&random, 2))
                parts[j] = dag_compare(dag, (enum comparison)random_below(&random, 6),
                                       random_expression(arena, &random, 2),
                                       random_expression(arena, &random, 2), parts[j],
                                       dag_verdict(dag, random_below(&random, 2)));
        }
        const struct dag_node *choice = dag_if(dag, parts[0], parts[1], parts[2]);
        expect_good(dag, choice);
        assert_ptr_equal(choice, dag_if(dag, parts[0], parts[1], parts[2]));
        for (int j = 0; j < 100; j++) {
            struct input input = {.nr = random_word(&random), .arch = random_word(&random)};
            input.ip = random_register(&random);
            input.args[0] = random_register(&random);
            uint32_t meant = dag_evaluate(parts[0], &input) ? dag_evaluate(parts[1], &input)
                                                            : dag_evaluate(parts[2], &input);
            assert_int_equal(dag_evaluate(choice, &input), meant);
        }
        arena_free(arena);
    }
}

/* Excluded middle and double negation come out as one node. */
static void test_equal_functions_meet(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    const struct dag_node *a = in_range(dag, FIELD_ARG0_LO, WHOLE, 3, 5);
    const struct dag_node *b = in_range(dag, FIELD_ARG1_LO, 0xf0, 0x10, 0x20);
    const struct dag_node *not_a = dag_if(dag, a, no, yes);
    assert_ptr_equal(dag_if(dag, not_a, no, yes), a);
    assert_ptr_equal(dag_if(dag, a, yes, not_a), yes);
    assert_ptr_equal(dag_if(dag, a, b, no), dag_if(dag, b, a, no));
}

/* ---- words ---------------------------------------------------------------------------------- */

static struct word field_word(enum field field)
{
    return (struct word){.operator= WORD_FIELD, .field = field};
}

static struct word constant_of(uint32_t value)
{
    return (struct word){.operator= WORD_CONSTANT, .constant = value};
}

static void test_comparisons_become_switches(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    struct word field = field_word(FIELD_ARG0_LO), nine = constant_of(9), mask = constant_of(0xff);
    struct word masked = {.operator= WORD_AND, .left = &mask, .right = &field};
    assert_ptr_equal(dag_compare(dag, COMPARE_LESS, &field, &nine, yes, no),
                     in_range(dag, FIELD_ARG0_LO, WHOLE, 0, 8));
    assert_ptr_equal(dag_compare(dag, COMPARE_LESS, &nine, &field, yes, no),
                     in_range(dag, FIELD_ARG0_LO, WHOLE, 10, WHOLE));
    assert_ptr_equal(dag_compare(dag, COMPARE_GREATER_EQUAL, &nine, &masked, yes, no),
                     in_range(dag, FIELD_ARG0_LO, 0xff, 0, 9));
    assert_ptr_equal(dag_compare(dag, COMPARE_NOT_EQUAL, &nine, &masked, no, yes),
                     in_range(dag, FIELD_ARG0_LO, 0xff, 9, 9));
    assert_ptr_equal(dag_compare(dag, COMPARE_EQUAL, &field, &field, yes, no), yes);
    assert_ptr_equal(dag_compare(dag, COMPARE_LESS, &masked, &masked, yes, no), no);
}

static void test_words_fold(void **state)
{
    struct dag *dag = small_dag(state);
    struct word field = field_word(FIELD_NR), zero = constant_of(0), forty = constant_of(40);
    struct word nine = constant_of(9);
    struct word quotient = {.operator= WORD_DIV, .left = &nine, .right = &zero};
    assert_ptr_equal(dag_return(dag, &quotient), dag_verdict(dag, 0));
    struct word sum = {.operator= WORD_ADD, .left = &nine, .right = &forty};
    assert_ptr_equal(dag_return(dag, &sum), dag_verdict(dag, 49));
    /* Nobody knows what these are: not even 0 << X. */
    struct word far = {.operator= WORD_SHIFT_LEFT, .left = &nine, .right = &forty};
    assert_int_equal(dag_return(dag, &far)->kind, DAG_RETURN);
    struct word unknown = {.operator= WORD_SHIFT_RIGHT, .left = &zero, .right = &field};
    assert_int_equal(dag_return(dag, &unknown)->kind, DAG_RETURN);
    struct word nothing = {.operator= WORD_AND, .left = &unknown, .right = &zero};
    assert_ptr_equal(dag_return(dag, &nothing), dag_verdict(dag, 0));
}

/* ---- limits --------------------------------------------------------------------------------- */

static void test_node_limit(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = dag_new(fixture->arena, false, 10);
    uint32_t word = 0;
    while (dag_verdict(dag, word))
        word++;
    assert_int_equal(word, 10);
    assert_int_equal(dag_limit_reached(dag), DAG_TOO_MANY_NODES);
    assert_null(dag_verdict(dag, 0));
    assert_null(dag_if(dag, NULL, NULL, NULL));
}

static void test_variable_limit(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *any = dag_verdict(dag, 0), *yes = dag_verdict(dag, 1);
    uint32_t masks = 0;
    while (any && masks < DAG_VARIABLES_MOST + 10) {
        masks++;
        any = dag_if(dag, in_range(dag, FIELD_ARG0_LO, masks << 8, 1u << 8, WHOLE), yes, any);
    }
    assert_null(any);
    assert_int_equal(dag_limit_reached(dag), DAG_TOO_MANY_VARIABLES);
    assert_int_equal(masks, DAG_VARIABLES_MOST + 1);
}

static void test_deadline(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *yes = dag_verdict(dag, 1), *no = dag_verdict(dag, 0);
    const struct dag_node *when = in_range(dag, FIELD_NR, WHOLE, 3, 5);
    struct deadline later = deadline_in(3600), past = {1};
    dag_set_deadline(dag, later);
    for (uint32_t i = 0; i < 2000; i++)
        assert_non_null(dag_if(dag, when, dag_verdict(dag, i + 2), no));
    dag_set_deadline(dag, past);
    uint32_t made = 0;
    while (made < 2000 && dag_if(dag, when, no, yes))
        made++;
    assert_true(made < 2000);
    assert_int_equal(dag_limit_reached(dag), DAG_OUT_OF_TIME);
    assert_null(dag_verdict(dag, 0));
}

static void test_deep_words(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = small_dag(state);
    struct word *word = NEW(fixture->arena, struct word);
    *word = field_word(FIELD_NR);
    for (int i = 0; i < 100000; i++) {
        struct word *next = NEW(fixture->arena, struct word);
        *next = (struct word){.operator= WORD_NEGATE, .left = word};
        word = next;
    }
    assert_null(dag_return(dag, word));
    assert_int_equal(dag_limit_reached(dag), DAG_WORD_TOO_DEEP);
}

/* ---- the checker ---------------------------------------------------------------------------- */

/* Breaks one thing of a good node at a time. */
static void test_broken_nodes_are_seen(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *good = in_range(dag, FIELD_NR, WHOLE, 3, 5);
    const struct dag_node *below = in_range(dag, FIELD_ARG0_LO, 0xf0, 0x10, 0x20);
    expect_good(dag, good);
    struct dag_node *node = (struct dag_node *)(uintptr_t)good;
    struct dag_edge *edges = (struct dag_edge *)(uintptr_t)good->edges;
    const struct dag_edge kept[] = {edges[0], edges[1], edges[2]};

    edges[0].last = 5;
    assert_non_null(dag_check(dag, good));
    edges[0] = kept[0];
    edges[2].last = 7;
    assert_non_null(dag_check(dag, good));
    edges[2] = kept[2];
    edges[1].child = edges[0].child;
    assert_non_null(dag_check(dag, good));
    edges[1].child = good;
    assert_non_null(dag_check(dag, good));
    edges[1].child = below; /* younger than its parent */
    assert_non_null(dag_check(dag, good));
    edges[1] = kept[1];
    node->mask = 0xf0;
    assert_non_null(dag_check(dag, good));
    node->mask = WHOLE;
    node->edge_count = 1;
    assert_non_null(dag_check(dag, good));
    node->edge_count = 3;
    expect_good(dag, good);
    struct dag_node copy = *good;
    assert_non_null(dag_check(dag, &copy));
}

static void test_broken_order_is_seen(void **state)
{
    struct dag *dag = small_dag(state);
    const struct dag_node *arch = in_range(dag, FIELD_ARCH, WHOLE, 3, 5);
    const struct dag_edge edges[] = {{9, arch}, {WHOLE, dag_verdict(dag, 0)}};
    assert_string_equal(dag_check(dag, dag_switch(dag, FIELD_NR, WHOLE, edges, 2)),
                        "the variables do not rise");
}

static void test_print(void **state)
{
    struct fixture *fixture = *state;
    struct dag *dag = small_dag(state);
    struct word high = field_word(FIELD_ARG0_HI), low = field_word(FIELD_ARG1_LO);
    const struct dag_node *test = dag_compare(dag, COMPARE_LESS, &high, &low,
                                              dag_verdict(dag, 0x7fff0000), dag_return(dag, &low));
    const struct dag_node *root =
        dag_if(dag, in_range(dag, FIELD_NR, 0x0f, 3, 5), test, dag_verdict(dag, 0x50001));
    struct buffer out = buffer_new(fixture->arena);
    dag_print(&out, fixture->arena, root);
    assert_string_equal(buffer_string(&out), "n1: (nr & 0xf)\n"
                                             "    0x0..0x2 -> errno(EPERM)\n"
                                             "    0x3..0x5 -> n2\n"
                                             "    0x6..0xf -> errno(EPERM)\n"
                                             "n2: lo32(arg1) > hi32(arg0)\n"
                                             "    yes -> allow\n"
                                             "    no -> ret(lo32(arg1))\n");
    assert_int_equal(dag_reachable(fixture->arena, root), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nodes_are_unique),
        TEST(test_equal_neighbours_merge),
        TEST(test_masked_edges_are_canonical),
        TEST(test_value_floor),
        TEST(test_if_is_a_choice),
        TEST(test_equal_functions_meet),
        TEST(test_comparisons_become_switches),
        TEST(test_words_fold),
        TEST(test_node_limit),
        TEST(test_variable_limit),
        TEST(test_deadline),
        TEST(test_deep_words),
        TEST(test_broken_nodes_are_seen),
        TEST(test_broken_order_is_seen),
        TEST(test_print),
    };
    return RUN_TESTS(tests);
}
