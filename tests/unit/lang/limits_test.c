/* Input made to be hard: long, deep, exponential, or torn. Nothing crashes, and nothing takes long.
 */
#include "tests/unit/lang/policies.h"

#include <stdlib.h>

#define HEADER "abi x86_64\ndefault kill_process\n"

static unsigned depth_of_word(const struct word *word)
{
    unsigned left = word->left ? depth_of_word(word->left) : 0,
             right = word->right ? depth_of_word(word->right) : 0;
    return 1 + (left > right ? left : right);
}

static unsigned depth_of(const struct condition *condition)
{
    unsigned left = condition->left ? depth_of(condition->left) : 0;
    unsigned right = condition->right ? depth_of(condition->right) : 0;
    if (condition->kind == CONDITION_COMPARE) {
        left = depth_of_word(condition->a);
        right = depth_of_word(condition->b);
    }
    return 1 + (left > right ? left : right);
}

static const char *repeated(struct arena *arena, const char *before, const char *part,
                            unsigned count, const char *after)
{
    struct buffer text = buffer_new(arena);
    buffer_text(&text, before);
    for (unsigned i = 0; i < count; i++)
        buffer_text(&text, part);
    buffer_text(&text, after);
    return buffer_string(&text);
}

static void test_long_chains_are_balanced(void **state)
{
    struct fixture *fixture = *state;
    static const char *const chains[][2] = {
        {"allow close(fd == 1", " || fd == 3"},  {"allow close(fd != 1", " && fd != 3"},
        {"raw allow if nr == 1", " || nr == 3"}, {"raw allow if (lo32(arg0)", " + nr - 1"},
        {"raw allow if (lo32(arg0)", " | nr"},
    };
    for (size_t i = 0; i < COUNT_OF(chains); i++) {
        const char *end = i == 3 || i == 4 ? ") == 7\n" : i == 2 ? "\n" : ")\n";
        const char *start = arena_printf(fixture->arena, HEADER "%s", chains[i][0]);
        const char *text = repeated(fixture->arena, start, chains[i][1], 20000, end);
        const struct policy *policy = read_text(fixture, text);
        const struct condition *condition =
            policy->raw_rule_count ? policy->raw_rules[0].when : policy->views[0].clauses[0].when;
        assert_true(depth_of(condition) <= 20);
    }
}

static void test_chains_that_cannot_be_balanced(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy;
    const char *long_one =
        repeated(fixture->arena, HEADER "raw allow if (nr", " / 3", 20000, ") == 7\n");
    const char *short_one =
        repeated(fixture->arena, HEADER "raw allow if (nr", " / 3", 150, ") == 7\n");
    assert_false(try_policy(fixture, long_one, &policy));
    policy = read_text(fixture, short_one);
    assert_true(depth_of(policy->raw_rules[0].when) <= EXPRESSION_DEPTH_MOST);
}

static void test_nesting(void **state)
{
    static const struct {
        const char *open, *middle, *close;
        unsigned count;
        bool fine;
    } rows[] = {
        {"(", "fd == 1", ")", 190, true},
        {"(", "fd == 1", ")", 100000, false},
        {"!(", "fd == 1", ")", 190, true},
        {"!(", "fd == 1", ")", 250, false},
        {"!", "(fd == 1)", "", 190, true},
        {"!", "(fd == 1)", "", 1000000, false},
        {"fd == 1 && (fd == 2 || (", "fd == 3", "))", 70, true},
        {"fd == 1 && (fd == 2 || (", "fd == 3", "))", 5000, false},
        {"fd == (~(", "3", "))", 1, true},
        {"fd in { ", "1", " }", 300, false},
        {"u64(", "fd", ")", 5000, false},
        {"fd == -", "1", "", 1, true},
        {"fd ==", " -1", "", 1, true},
        {"-", "1", "", 100000, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *opened;
        fixture_open(&opened);
        struct fixture *fixture = opened;
        struct policy *policy;
        const char *text = repeated(fixture->arena, HEADER "allow close(", rows[i].open,
                                    rows[i].count, rows[i].middle);
        text = repeated(fixture->arena, text, rows[i].close, rows[i].count, ")\nallow read\n");
        bool fine = try_policy(fixture, text, &policy);
        if (fine != rows[i].fine)
            fail_msg("%s repeated %u times: %d", rows[i].open, rows[i].count, fine);
        assert_true(fixture->diagnostics.errors <= 1);
        fixture_close(&opened);
    }
    (void)state;
}

/* Groups and consts that double at each step. */
static void test_doubling(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy;
    struct buffer groups = buffer_new(fixture->arena), consts = groups, lists = groups;
    buffer_text(&groups, HEADER "group g0 = { read, read }\n");
    buffer_text(&consts, HEADER "const C0 = 1\n");
    buffer_text(&lists, HEADER "const L0 = { 1 }\n");
    for (unsigned i = 1; i < 30; i++) {
        buffer_printf(&groups, "group g%u = { @g%u, @g%u }\n", i, i - 1, i - 1);
        buffer_printf(&consts, "const C%u = C%u | C%u\n", i, i - 1, i - 1);
        buffer_printf(&lists, "const L%u = { L%u, L%u }\n", i, i - 1, i - 1);
    }
    buffer_text(&groups, "allow @g29\nallow @g28\n");
    buffer_text(&consts, "allow close(fd == C29)\n");
    buffer_text(&lists, "allow close(fd in L29)\n");
    assert_false(try_policy(fixture, buffer_string(&groups), &policy));
    assert_int_equal(fixture->diagnostics.errors, 1);
    assert_false(try_policy(fixture, buffer_string(&lists), &policy));
    assert_int_equal(fixture->diagnostics.errors, 1);
    read_text(fixture, buffer_string(&consts));
}

static void test_deep_groups_and_consts(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy;
    for (int forward = 0; forward < 2; forward++) {
        struct buffer text = buffer_new(fixture->arena);
        buffer_text(&text, HEADER);
        for (int i = 0; i < 3000; i++) {
            int n = forward ? i : 2999 - i;
            if (n)
                buffer_printf(&text,
                              "group g%d = { @g%d }\nconst c%d = c%d + 1\nconst l%d = { l%d }\n", n,
                              n - 1, n, n - 1, n, n - 1);
            else
                buffer_text(&text, "group g0 = { read }\nconst c0 = 1\nconst l0 = { 1 }\n");
        }
        buffer_text(&text, "allow @g2999\nallow close(fd == c2999 || fd in l2999)\n");
        assert_false(try_policy(fixture, buffer_string(&text), &policy));
    }
    const char *fine = HEADER "group a = { read }\ngroup b = { @a }\nallow @b\n";
    read_text(fixture, fine);
}

static void test_many_mistakes(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy;
    const char *text = repeated(fixture->arena, HEADER,
                                "allow wrong_name(nothing ==)\ndeny x\nallow nocall\n", 3000, "");
    assert_false(try_policy(fixture, text, &policy));
    assert_int_equal(fixture->diagnostics.errors, 9000);
}

/* Mistakes past the number that one statement is searched for still make the policy fail. */
static void test_many_mistakes_in_one_statement(void **state)
{
    struct fixture *fixture = *state;
    struct policy *policy;
    struct buffer text = buffer_new(fixture->arena);
    buffer_text(&text, HEADER "allow close(fd == 1");
    for (unsigned i = 0; i < 20000; i++)
        buffer_printf(&text, " || fd == NO_SUCH_%u", i);
    buffer_text(&text, ")\n");
    assert_false(try_policy(fixture, buffer_string(&text), &policy));
    assert_true(fixture->diagnostics.errors > DIAGNOSTICS_MOST);
}

/* ---- torn policies
 * --------------------------------------------------------------------------------------------------
 */

static const char *const whole =
    "policy \"p\" # c\nabi x86_64, i386, x32\nforeign kill_thread\ndefault errno(EPERM)\nunknown "
    "errno(38)\n"
    "const T = { TCGETS, 1..3, -1 }\nconst V = 0x5 | O_EXCL << 1\ngroup g = { read, @h, nr 5..7, "
    "ioctl(cmd in T) }\n"
    "group h = { write(fd == 1) }\non x86_64 { allow mmap((prot & PROT_EXEC) == 0) default log }\n"
    "allow @g(arg0 != 0)\nallow { open, close }\ntrap(7) socket(!(domain in { AF_UNIX, 5..9 }) || "
    "type == V)\n"
    "raw ret(lo32(arg0) * 3 / (nr - 1)) if (hi32(ip) ^ 7) >= ~arch && arg1 <= 5\n"
    "allow prctl(arg2 in { -5..5, 0x80000000..0xffffffff } && hi32(arg5) == 0)\n"
    "allow listns((arg0 & 7) in { -1..3 })\nallow openat(u64(arg1) == 5 || mode in { -2..9 })\n"
    "raw allow if nr in { 1, 2..3 }\nprove never permit { execve, @g }\n"
    "on i386 { prove always errno(EPERM) ptrace(u64(arg1) == 0) }\nprove at_most \"x\"\n";

static void tear(struct random *random, char *text, size_t *length)
{
    static const char marks[] = "(){}!&|=<>@,.~-+*/^\"#\n 0aArn\x80";
    size_t at = random_below(random, (uint32_t)*length);
    size_t other = random_below(random, (uint32_t)*length), size = random_below(random, 12);
    switch (random_below(random, 4)) {
    case 0:
        text[at] = marks[random_below(random, sizeof marks)];
        break;
    case 1: /* takes some out */
        size = size > *length - at ? *length - at : size;
        memmove(text + at, text + at + size, *length - at - size);
        *length -= size;
        break;
    case 2: /* copies some over */
        size = size > *length - at ? *length - at : size;
        size = size > *length - other ? *length - other : size;
        memmove(text + at, text + other, size);
        break;
    default:
        text[at] = (char)random_below(random, 256);
        break;
    }
    if (!*length)
        text[(*length)++] = 'a';
}

static void check_torn(struct fixture *fixture, const char *text, size_t length)
{
    struct arena *arena = fixture->arena;
    const struct source *source = source_from_text(arena, "tests/data/torn.policy", text, length);
    struct policy *policy;
    struct tree *tree;
    char *shown = NULL;
    size_t shown_length = 0;
    bool parsed = worked(policy_parse(arena, source, &fixture->diagnostics, &tree));
    bool fine = worked(policy_resolve(arena, tree, 0, &fixture->diagnostics, &policy)) && parsed;
    assert_true(fine || fixture->diagnostics.errors);
    FILE *out = open_memstream(&shown, &shown_length);
    diagnostics_print(&fixture->diagnostics, out);
    fclose(out);
    free(shown);
    struct buffer printed = buffer_new(arena), again = printed;
    policy_print(&printed, tree);
    if (!fine)
        return;
    struct policy *after;
    source =
        source_from_text(arena, "tests/data/torn.policy", buffer_string(&printed), printed.length);
    assert_true(worked(policy_parse(arena, source, &fixture->diagnostics, &tree)));
    assert_true(worked(policy_resolve(arena, tree, 0, &fixture->diagnostics, &after)));
    if (!policy_equal(policy, after))
        fail_msg("another policy:\n%.*s\nprinted:\n%s", (int)length, text, buffer_string(&printed));
    policy_print(&again, tree);
    assert_string_equal(buffer_string(&printed), buffer_string(&again));
    policy_dump(&again, policy);
}

static void test_torn_policies(void **state)
{
    const char *rounds_wanted = getenv("BPFPROOF_TORN"), *seed = getenv("BPFPROOF_SEED");
    unsigned rounds = rounds_wanted ? (unsigned)strtoul(rounds_wanted, NULL, 10) : 1500;
    round_trip(*state, whole);
    struct random random = random_seed(seed ? strtoul(seed, NULL, 10) : 7);
    for (unsigned round = 0; round < rounds; round++) {
        void *opened;
        fixture_open(&opened);
        char text[4096];
        size_t length = strlen(whole);
        memcpy(text, whole, length);
        for (unsigned times = 1 + random_below(&random, 4); times; times--)
            tear(&random, text, &length);
        check_torn(opened, text, length);
        fixture_close(&opened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_long_chains_are_balanced),
        TEST(test_chains_that_cannot_be_balanced),
        cmocka_unit_test(test_nesting),
        TEST(test_doubling),
        TEST(test_deep_groups_and_consts),
        TEST(test_many_mistakes),
        TEST(test_many_mistakes_in_one_statement),
        TEST(test_torn_policies),
    };
    return RUN_TESTS(tests);
}
