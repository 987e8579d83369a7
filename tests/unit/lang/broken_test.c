/* Every tests/broken/NAME.policy gives exactly the diagnostics in NAME.expected. NAME says what is
 * wrong; names that start with `warning-` are accepted, with remarks; those that start with
 * `assertions-` are read as such files. With BPFPROOF_BLESS set the expectations are written anew;
 * not where CI is set.
 */
#include "lang/lang.h"
#include "tests/unit/support.h"

#include <glob.h>
#include <stdlib.h>

#define FOLDER "tests/broken/"

static bool starts(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

/* The diagnostics as printed, without the folder in front of the files' names. */
static char *printed(struct arena *arena, const struct diagnostics *diagnostics)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    assert_non_null(out);
    diagnostics_print(diagnostics, out);
    fclose(out);
    struct buffer text = buffer_new(arena);
    for (const char *at = bytes; *at;) {
        size_t skipped = starts(at, FOLDER) ? strlen(FOLDER) : 0;
        at += skipped;
        if (!skipped)
            buffer_put(&text, at++, 1);
    }
    free(bytes);
    return arena_string(arena, buffer_string(&text), text.length);
}

static bool read_policy(struct fixture *fixture, const struct source *source)
{
    struct arena *arena = fixture->arena;
    struct policy *policy;
    const struct goal *goals;
    size_t count;
    if (starts(source->name, FOLDER "assertions-"))
        return worked(assertions_read(arena, source, ABI_BIT(ABI_X86_64), false,
                                      &fixture->diagnostics, &goals, &count));
    return worked(policy_read(arena, source, 0, &fixture->diagnostics, &policy));
}

/* The first line that differs, and fails. */
static void show_difference(const char *path, const char *expected, const char *got)
{
    size_t same = 0, start = 0;
    for (; expected[same] && expected[same] == got[same]; same++)
        if (expected[same] == '\n')
            start = same + 1;
    fail_msg("%s: expected\n%.*s\nbut got\n%.*s", path, (int)strcspn(expected + start, "\n"),
             expected + start, (int)strcspn(got + start, "\n"), got + start);
}

static void test_file(void **state)
{
    const char *path = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *fixture = opened;
    struct arena *arena = fixture->arena;
    const struct source *source, *expected;
    assert_true(worked(file_read(arena, path, &fixture->diagnostics, &source)));
    bool accepted = read_policy(fixture, source);
    const char *got = printed(arena, &fixture->diagnostics);
    const char *expectation =
        arena_printf(arena, "%.*s.expected", (int)(strlen(path) - strlen(".policy")), path);
    if (getenv("BPFPROOF_BLESS") && !getenv("CI")) {
        assert_true(worked(file_write(expectation, got, strlen(got), &fixture->diagnostics)));
    } else {
        assert_true(worked(file_read(arena, expectation, &fixture->diagnostics, &expected)));
        if (strcmp(expected->text, got))
            show_difference(path, expected->text, got);
    }
    assert_int_equal(accepted, starts(path, FOLDER "warning-"));
    assert_true(fixture->diagnostics.errors + fixture->diagnostics.warnings > 0);
    fixture_close(&opened);
}

int main(void)
{
    glob_t files;
    if (glob(FOLDER "*.policy", 0, NULL, &files) || files.gl_pathc < 30)
        return 1;
    struct CMUnitTest *tests = calloc(files.gl_pathc, sizeof *tests);
    if (!tests)
        return 1;
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){files.gl_pathv[i], test_file, NULL, NULL, files.gl_pathv[i]};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failures = _cmocka_run_group_tests("broken", tests, files.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&files);
    return failures;
}
