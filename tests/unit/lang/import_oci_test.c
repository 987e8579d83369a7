/* Profiles of tests/import against the policy text and the diagnostics that stand beside them:
 *   NAME.json      the profile
 *   NAME.args      options, if any: --cap=, --kernel=, --arch= (else x86_64)
 *   NAME.policy    what it must become; absent when it must be refused
 *   NAME.expected  the diagnostics; absent when there must be none
 * BLESS=1 in the environment writes what is found instead of comparing; not under CI.
 */
#include "lang/lang.h"
#include "unit/support.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define DIRECTORY "tests/import"

struct imported {
    bool accepted;
    const char *policy;
    const char *diagnostics;
};

static char *path_of(struct arena *arena, const char *name, const char *suffix)
{
    return arena_printf(arena, DIRECTORY "/%s%s", name, suffix);
}

/* The text of a file; NULL when there is none. */
static const char *read_text(struct fixture *f, const char *path)
{
    const struct source *source;
    if (access(path, R_OK) != 0)
        return NULL;
    assert_true(worked(file_read(f->arena, path, &f->diagnostics, &source)));
    return source->text;
}

static void read_options(struct fixture *f, const char *text, struct import_options *options)
{
    const char **capabilities = NEW_ARRAY(f->arena, const char *, 16);
    *options = (struct import_options){.capabilities = capabilities, .arch = ABI_X86_64};
    if (!text)
        return;
    char *words = arena_string(f->arena, text, strlen(text));
    for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n")) {
        if (!strncmp(word, "--cap=", 6))
            capabilities[options->capability_count++] = word + 6;
        else if (!strncmp(word, "--arch=", 7))
            options->arch = abi_by_name(word + 7)->id;
        else
            assert_int_equal(
                sscanf(word, "--kernel=%u.%u", &options->kernel_major, &options->kernel_minor), 2);
    }
}

static const char *diagnostics_text(struct fixture *f, const struct diagnostics *diagnostics)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    diagnostics_print(diagnostics, out);
    fclose(out);
    const char *copy = arena_string(f->arena, text, length);
    free(text);
    return copy;
}

static struct imported import_file(struct fixture *f, const char *name)
{
    const char *text = read_text(f, path_of(f->arena, name, ".json"));
    assert_non_null(text);
    const struct source *source =
        source_from_text(f->arena, arena_printf(f->arena, "%s.json", name), text, strlen(text));
    struct import_options options;
    read_options(f, read_text(f, path_of(f->arena, name, ".args")), &options);
    struct diagnostics diagnostics = diagnostics_new(f->arena);
    struct buffer policy = buffer_new(f->arena);
    struct imported imported;
    imported.accepted = worked(import_oci(f->arena, source, &options, &diagnostics, &policy));
    imported.policy = imported.accepted ? buffer_string(&policy) : NULL;
    imported.diagnostics = diagnostics.first ? diagnostics_text(f, &diagnostics) : NULL;
    assert_true(imported.accepted == (diagnostics.errors == 0));
    return imported;
}

static void bless(const char *path, const char *found)
{
    if (!found) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(found, file);
    fclose(file);
}

static void compare(struct fixture *f, const char *path, const char *found)
{
    const char *expected = read_text(f, path);
    if (getenv("BLESS") && !getenv("CI")) {
        bless(path, found);
        return;
    }
    if (!expected || !found)
        assert_string_equal(found ? found : "(nothing)", expected ? expected : "(nothing)");
    else
        assert_string_equal(found, expected);
}

/* That `arg2` is register 2, for whoever has prctl(2) in mind, is what the profile says too. */
static bool says_register(const struct diagnostic *diagnostic)
{
    return strstr(diagnostic->message, " is register ") != NULL;
}

/* What is imported is a policy, and reading it finds nothing to warn of that importing it had not.
 */
static void assert_reads(struct fixture *f, const char *text, bool had_warnings)
{
    const struct source *source = source_from_text(f->arena, "imported.policy", text, strlen(text));
    struct diagnostics diagnostics = diagnostics_new(f->arena);
    struct policy *policy;
    bool read = worked(policy_read(f->arena, source, 0, &diagnostics, &policy));
    size_t expected = 0;
    for (const struct diagnostic *d = diagnostics.first; d; d = d->next)
        expected += says_register(d);
    if (!read || (diagnostics.warnings != expected && !had_warnings))
        diagnostics_print(&diagnostics, stderr);
    assert_true(read);
    assert_true(had_warnings || diagnostics.warnings == expected);
}

/* A test's state starts as the profile's name. */
struct profile_test {
    struct fixture *fixture;
    const char *name;
};

static int open_profile(void **state)
{
    const char *name = *state;
    void *fixture;
    fixture_open(&fixture);
    struct profile_test *test = NEW(((struct fixture *)fixture)->arena, struct profile_test);
    *test = (struct profile_test){fixture, name};
    *state = test;
    return 0;
}

static int close_profile(void **state)
{
    void *fixture = ((struct profile_test *)*state)->fixture;
    return fixture_close(&fixture);
}

static void imports_as_expected(void **state)
{
    struct profile_test *test = *state;
    struct fixture *f = test->fixture;
    struct imported imported = import_file(f, test->name);
    compare(f, path_of(f->arena, test->name, ".policy"), imported.policy);
    compare(f, path_of(f->arena, test->name, ".expected"), imported.diagnostics);
    if (imported.accepted)
        assert_reads(f, imported.policy, imported.diagnostics != NULL);
}

static int is_profile(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && !strcmp(entry->d_name + length - 5, ".json");
}

int main(void)
{
    struct dirent **entries;
    int count = scandir(DIRECTORY, &entries, is_profile, alphasort);
    if (count <= 0) {
        printf("Bail out! no profiles in " DIRECTORY "\n");
        return 1;
    }
    struct CMUnitTest *tests = calloc((size_t)count, sizeof *tests);
    for (int i = 0; tests && i < count; i++) {
        char *name = entries[i]->d_name;
        name[strlen(name) - 5] = '\0';
        tests[i] =
            (struct CMUnitTest){name, imports_as_expected, open_profile, close_profile, name};
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failures = _cmocka_run_group_tests("tests", tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(tests);
    return failures;
}
