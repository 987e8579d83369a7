/* What is printed parses to the same policy, and printing it again changes nothing. */
#include "tests/unit/lang/policies.h"

#include <glob.h>

static void test_canonical_form(void **state)
{
    const char *untidy =
        "# top\n\n\n\npolicy   \"my web-server\"   # name\nabi x86_64,\n  # why\n   aarch64\n"
        "default kill_process # d\nunknown errno( ENOSYS )\nconst X={1,2, # two\n # three\n 3..4 "
        "}\n"
        "group g = { read , write # rw\n , # after\n close,\n}\nallow @g allow { openat, statx } # "
        "both\n"
        "on x86_64 { # inside\n allow fcntl(cmd==F_GETFL)\n\n\n # last\n}\n"
        "allow sched_setscheduler(policy == 3 # within\n && pid != 0)\n# end";
    const char *tidy =
        "# top\n\npolicy \"my web-server\"  # name\n# why\nabi x86_64, aarch64\n"
        "default kill_process  # d\nunknown errno(ENOSYS)\nconst X = {\n    1, 2,  # two\n    # "
        "three\n"
        "    3..4\n}\ngroup g = {\n    read, write,  # rw\n    # after\n    close\n}\nallow @g\n"
        "allow { openat, statx }  # both\non x86_64 {  # inside\n    allow fcntl(cmd == "
        "F_GETFL)\n\n"
        "    # last\n}\n# within\nallow sched_setscheduler(policy == 3 && pid != 0)\n# end\n";
    assert_string_equal(round_trip(*state, untidy), tidy);
}

static void test_long_lines_are_broken(void **state)
{
    struct fixture *fixture = *state;
    struct buffer text = buffer_new(fixture->arena);
    buffer_text(&text, "abi x86_64\ndefault kill_process\nallow { read");
    for (unsigned i = 0; i < 60; i++)
        buffer_text(&text, ", write, close");
    buffer_text(&text, " }(arg0 == 1 || arg0 == 2)\nallow close(fd == 1");
    for (unsigned i = 0; i < 60; i++)
        buffer_printf(&text, " || fd == %u", i);
    buffer_text(&text, ")\nallow close(fd in { 1");
    for (unsigned i = 0; i < 60; i++)
        buffer_printf(&text, ", %u", 2 * i);
    buffer_text(&text, " })\n");
    const char *printed = round_trip(fixture, buffer_string(&text));
    for (const char *line = printed; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
}

static void test_every_kind_of_statement(void **state)
{
    round_trip(
        *state,
        "policy p abi x86_64, x32, i386 foreign log default errno(38) unknown trap(0x12)\n"
        "const A = -1 const B = ~(O_CLOEXEC | 1 << 3) ^ 5 - 2 + 1 & 0xff const L = { A, 1..3, B }\n"
        "group g = { read, nr 5, nr 7..9(arg0 == 1), @h(arg0 != 9), write(fd in L) } group h = { "
        "close }\n"
        "notify @g log @h(fd > 3) kill_thread nr -1 kill_process nr 0x40000000..0x7fffffff\n"
        "trace(5) { openat, close }(arg0 != 1)\n"
        "on x86_64, i386 { default allow unknown errno(ENOSYS) allow ioctl(!(cmd in { TCGETS })) "
        "}\n"
        "raw allow raw ret(0x7fff0001) if nr == 5 || !(arch != 3 && ip < 5)\n"
        "raw ret(lo32(arg0) * 2 / (nr - 1) << 3 | ~hi32(ip)) if (lo32(arg1) ^ 5) >= -nr\n"
        "prove never permit execve prove always errno(ENOSYS) { clone3, openat2 }(arg0 == 0)\n"
        "prove never errno @g prove at_most \"x+y.bpf\"\n");
}

static void test_files(void **state)
{
    static const char *const patterns[] = {"tests/data/lang/*.policy", "examples/*.policy"};
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    unsigned count = 0;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        glob_t files = {0};
        glob(patterns[i], 0, NULL, &files);
        for (size_t k = 0; k < files.gl_pathc; k++) {
            const struct source *source, *again;
            struct tree *tree;
            struct policy *before, *after;
            struct buffer text = buffer_new(arena);
            assert_true(
                worked(file_read(arena, files.gl_pathv[k], &fixture->diagnostics, &source)));
            if (failed(policy_read(arena, source, 0, &fixture->diagnostics, &before)))
                continue; /* a part, without a header */
            assert_true(worked(policy_parse(arena, source, &fixture->diagnostics, &tree)));
            policy_print(&text, tree);
            again = source_from_text(arena, source->name, buffer_string(&text), text.length);
            assert_true(worked(policy_read(arena, again, 0, &fixture->diagnostics, &after)));
            assert_true(policy_equal(before, after));
            count++;
        }
        globfree(&files);
    }
    assert_true(count > 0);
}

/* The comparison of policies must see a difference, or round trips prove nothing. */
static void test_differences_are_seen(void **state)
{
    static const char *const bodies[] = {
        "allow read",
        "allow read(fd == 1)",
        "allow read(fd == 2)",
        "allow read(fd != 1)",
        "log read",
        "errno(1) read",
        "errno(2) read",
        "allow write",
        "allow read allow write",
        "raw allow if nr == 0",
        "raw allow if nr == 1",
        "raw ret(lo32(arg0)) if nr == 0",
        "raw ret(hi32(arg0)) if nr == 0",
        "prove never permit read",
        "prove never allow read",
        "on x86_64 { default log }",
        "unknown log",
        "foreign log",
        "prove at_most \"a\"",
        "prove at_most \"b\"",
    };
    struct fixture *fixture = *state;
    const struct policy *policies[COUNT_OF(bodies)];
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        policies[i] =
            read_text(fixture, arena_printf(fixture->arena,
                                            "abi x86_64\ndefault kill_process\n%s\n", bodies[i]));
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        for (size_t k = 0; k < COUNT_OF(bodies); k++)
            if (policy_equal(policies[i], policies[k]) != (i == k))
                fail_msg("%s and %s", bodies[i], bodies[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_canonical_form),          TEST(test_long_lines_are_broken),
        TEST(test_every_kind_of_statement), TEST(test_files),
        TEST(test_differences_are_seen),
    };
    return RUN_TESTS(tests);
}
