/* diff over pairs of random policies: what is listed is what differs, as text, too. */
#include "tests/unit/support.h"

#include "api/bpfproof.h"
#include "tests/unit/compiler/neighbours.h"

#define ALLOW 0x7fff0000u

static struct filter filter_of(const struct policy *policy, const char *name)
{
    return (struct filter){
        .name = name, .policy = policy, .big_endian = policy->big_endian, .declared = policy->abis};
}

static void compare(struct arena *arena, const struct filter *left, const struct filter *right,
                    struct diff *diff)
{
    struct diff_options options = {
        .proof = {.limits = {.rlimit = 2000000}, .declared = left->declared | right->declared}};
    diff_filters(arena, left, right, &options, diff);
}

static void check_witness(const struct policy *left, const struct policy *right,
                          const struct difference *d)
{
    assert_int_equal(policy_eval(left, &d->witness.input).word, d->witness.left);
    assert_int_equal(policy_eval(right, &d->witness.input).word, d->witness.right);
    assert_int_not_equal(d->witness.left, d->witness.right);
    const struct policy both = {.abis = left->abis | right->abis, .big_endian = left->big_endian};
    assert_int_equal(policy_place(&both, d->witness.input.arch, d->witness.input.nr).abi, d->abi);
}

/* ---- conditions read again ----------------------------------------------------------------------
 */

/* A policy that allows the call when the text holds; NULL: the text is none of the language's. */
static const struct policy *read_again(struct arena *arena, const struct difference *d)
{
    const struct input *input = &d->witness.input;
    const char *header = arena_printf(
        arena, "policy again\nabi %s\nforeign errno(1)\ndefault errno(1)\nunknown errno(1)\n",
        abi_get(d->abi)->name);
    const char *call = arena_printf(arena, "%sallow %s%s%s%s", header, d->call, d->when ? "(" : "",
                                    d->when ? d->when : "", d->when ? ")" : "");
    const char *raw = arena_printf(arena, "%sraw allow if arch == 0x%x && nr == 0x%x && (%s)",
                                   header, input->arch, input->nr, d->when ? d->when : "");
    const char *const texts[] = {call, raw};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct policy *policy;
        const struct source *source = source_from_text(arena, "again", texts[i], strlen(texts[i]));
        if (worked(policy_read(arena, source, 0, &diagnostics, &policy)))
            return policy;
    }
    return NULL;
}

/* All differences of the call that stands at `index`, over inputs near its witnesses. */
static bool check_texts(struct arena *arena, struct random *random, const struct policy *left,
                        const struct policy *right, const struct diff *diff, size_t index)
{
    const struct difference *one = &diff->differences[index];
    VECTOR(const struct policy *) again = {0};
    VECTOR(const struct difference *) of = {0};
    for (size_t i = 0; i < diff->count; i++) {
        const struct difference *d = &diff->differences[i];
        if (d->abi != one->abi || strcmp(d->call, one->call) != 0)
            continue;
        const struct policy *policy = read_again(arena, d);
        if (!policy)
            return false;
        assert_int_equal(policy_eval(policy, &d->witness.input).word, ALLOW);
        vector_push(arena, &again, policy);
        vector_push(arena, &of, d);
    }
    for (int i = 0; i < 60; i++) {
        struct input input = of.items[random_below(random, (uint32_t)of.count)]->witness.input;
        for (unsigned arg = 0; arg < 6; arg++)
            if (random_below(random, 2))
                input.args[arg] = random_register(random);
        struct decision a = policy_eval(left, &input), b = policy_eval(right, &input);
        if (a.implementation_defined || b.implementation_defined)
            continue;
        unsigned members = 0;
        for (size_t j = 0; j < again.count; j++)
            members += policy_eval(again.items[j], &input).word == ALLOW;
        assert_int_equal(members, a.word != b.word);
    }
    return true;
}

static void test_random_pairs(void **state)
{
    struct random random = random_seed(8088);
    unsigned complete = 0, texts = 0, unreadable = 0;
    (void)state;
    for (int i = 0; i < 120; i++) {
        struct arena *arena = arena_new();
        const struct policy *left = random_policy(arena, &random);
        const struct policy *right = random_neighbour(arena, &random, left);
        struct filter filters[2] = {filter_of(left, "left"), filter_of(right, "right")};
        struct diff diff;
        compare(arena, &filters[0], &filters[1], &diff);
        for (size_t j = 0; j < diff.count; j++)
            check_witness(left, right, &diff.differences[j]);
        for (int j = 0; j < 30; j++) {
            struct input input = random_input(&random, j % 2 ? left : right);
            if (policy_eval(left, &input).word != policy_eval(right, &input).word)
                assert_int_not_equal(diff.verdict, PROVED);
        }
        assert_true(diff.count == 0 || diff.verdict == REFUTED);
        assert_true(diff.count > 0 || diff.verdict != REFUTED || !diff.complete);
        assert_true(diff.verdict != UNKNOWN || !diff.complete);
        assert_true((diff.reason != NULL) == !diff.complete);
        complete += diff.complete;
        for (int j = 0; j < 10 && diff.complete && diff.count; j++) {
            size_t index = random_below(&random, (uint32_t)diff.count);
            if (!diff.differences[index].known)
                continue;
            bool read = check_texts(arena, &random, left, right, &diff, index);
            texts += read;
            unreadable += !read;
        }
        arena_free(arena);
    }
    print_message("%u %u %u\n", complete, texts, unreadable);
    assert_true(complete >= 100);
    assert_true(texts > 400 && unreadable * 20 < texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_pairs)};
    return RUN_TESTS(tests);
}
