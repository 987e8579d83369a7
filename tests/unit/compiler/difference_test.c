/* Differences of two DAGs: each input on which they return different words is in exactly one, and
 * no other input is in any. */
#include "tests/unit/support.h"

#include "compiler/compiler.h"
#include "tests/unit/compiler/neighbours.h"

#define NODE_MOST ((size_t)1 << 22)

static const struct dag_node *root_in(struct arena *arena, struct dag *dag,
                                      const struct policy *policy)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct dag *own;
    const struct dag_node *root;
    if (failed(lower_policy(arena, policy, &diagnostics, &own, &root)))
        return NULL;
    return dag_import(dag, arena, root);
}

static bool in_class(const struct dag_class *class, const struct input *input)
{
    return input->arch >= class->arch_first && input->arch <= class->arch_last &&
           input->nr >= class->nr_first && input->nr <= class->nr_last;
}

static void check_input(const struct dag_differences *found, const struct policy *const sides[2],
                        const struct input *input, unsigned *differing)
{
    struct decision left = policy_eval(sides[0], input), right = policy_eval(sides[1], input);
    if (left.implementation_defined || right.implementation_defined)
        return;
    unsigned members = 0;
    for (size_t i = 0; i < found->list.count; i++) {
        const struct dag_difference *d = &found->list.items[i];
        if (!in_class(&d->class, input) || !dag_evaluate(d->when, input))
            continue;
        members++;
        assert_int_equal(dag_evaluate(d->left, input), left.word);
        assert_int_equal(dag_evaluate(d->right, input), right.word);
    }
    assert_int_equal(members, left.word != right.word);
    *differing += members;
}

/* The list as one DAG says the same as its parts. */
static void check_where(struct arena *arena, struct dag *dag, const struct dag_differences *found,
                        const struct input *input)
{
    size_t count = found->list.count;
    size_t *all = NEW_ARRAY(arena, size_t, count);
    for (size_t i = 0; i < count; i++)
        all[i] = i;
    const struct dag_node *where = dag_where(arena, dag, found->list.items, all, count);
    assert_non_null(where);
    assert_null(dag_check(dag, where));
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any = any || (in_class(&found->list.items[i].class, input) &&
                      dag_evaluate(found->list.items[i].when, input));
    assert_int_equal(dag_evaluate(where, input), any);
}

static void check_found(struct arena *arena, const struct dag_differences *found, unsigned *missed)
{
    for (size_t i = 0; i < found->list.count; i++) {
        const struct dag_difference *d = &found->list.items[i];
        struct input input;
        if (!dag_find(arena, d->when, 1, &d->class, &input)) {
            (*missed)++;
            continue;
        }
        assert_true(in_class(&d->class, &input));
        assert_int_equal(dag_evaluate(d->when, &input), 1);
    }
}

static void test_random_pairs(void **state)
{
    struct random random = random_seed(4711);
    unsigned differing = 0, same = 0, missed = 0, listed = 0;
    (void)state;
    for (int i = 0; i < 400; i++) {
        struct arena *arena = arena_new();
        const struct policy *left = random_policy(arena, &random);
        const struct policy *right = random_neighbour(arena, &random, left);
        const struct policy *const sides[2] = {left, right};
        struct dag *dag = dag_new(arena, left->big_endian, NODE_MOST);
        const struct dag_node *roots[2] = {root_in(arena, dag, left), root_in(arena, dag, right)};
        assert_true(roots[0] && roots[1]);
        struct dag_differences found;
        dag_differences(arena, dag, roots[0], roots[1], left->abis | right->abis, &found);
        assert_true(found.complete);
        for (size_t j = 0; j < found.list.count; j++)
            assert_null(dag_check(dag, found.list.items[j].when));
        for (int j = 0; j < 150; j++) {
            struct input input = random_input(&random, sides[j % 2]);
            check_input(&found, sides, &input, &differing);
            if (j < 4)
                check_where(arena, dag, &found, &input);
        }
        check_found(arena, &found, &missed);
        listed += (unsigned)found.list.count;
        same += found.list.count == 0;
        arena_free(arena);
    }
    assert_true(differing > 5000);
    assert_true(same > 5 && same < 200);
    assert_true(missed * 5 < listed); /* comparisons of computed words, mostly */
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_pairs)};
    return RUN_TESTS(tests);
}
