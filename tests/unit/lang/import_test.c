/* Profiles of tests/import/FORMAT against the policy text and the diagnostics that stand beside
 * them:
 *   NAME.json      the profile
 *   NAME.args      options, if any: --cap=, --kernel=, --arch= (else x86_64), --thread=
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
#define TESTS_MOST 400

typedef result importer(struct arena *arena, const struct source *source,
                        const struct import_options *options, struct diagnostics *diagnostics,
                        struct buffer *policy_text);

static const struct format {
    const char *name; /* and its directory's */
    importer *import;
} formats[] = {
    {"oci", import_oci},
    {"firecracker", import_firecracker},
};

struct imported {
    bool accepted;
    const char *policy;
    const char *diagnostics;
};

/* A test's state starts as one of these. */
struct profile {
    const struct format *format;
    const char *name;
};

static char *path_of(struct arena *arena, const struct profile *profile, const char *suffix)
{
    return arena_printf(arena, DIRECTORY "/%s/%s%s", profile->format->name, profile->name, suffix);
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
        else if (!strncmp(word, "--thread=", 9))
            options->thread = word + 9;
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

static struct imported import_file(struct fixture *f, const struct profile *profile)
{
    const char *text = read_text(f, path_of(f->arena, profile, ".json"));
    assert_non_null(text);
    const struct source *source = source_from_text(
        f->arena, arena_printf(f->arena, "%s.json", profile->name), text, strlen(text));
    struct import_options options;
    read_options(f, read_text(f, path_of(f->arena, profile, ".args")), &options);
    struct diagnostics diagnostics = diagnostics_new(f->arena);
    struct buffer policy = buffer_new(f->arena);
    struct imported imported;
    imported.accepted =
        worked(profile->format->import(f->arena, source, &options, &diagnostics, &policy));
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

struct profile_test {
    struct fixture *fixture;
    const struct profile *profile;
};

static int open_profile(void **state)
{
    const struct profile *profile = *state;
    void *fixture;
    fixture_open(&fixture);
    struct profile_test *test = NEW(((struct fixture *)fixture)->arena, struct profile_test);
    *test = (struct profile_test){fixture, profile};
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
    struct imported imported = import_file(f, test->profile);
    compare(f, path_of(f->arena, test->profile, ".policy"), imported.policy);
    compare(f, path_of(f->arena, test->profile, ".expected"), imported.diagnostics);
    if (imported.accepted)
        assert_reads(f, imported.policy, imported.diagnostics != NULL);
}

static int is_profile(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && !strcmp(entry->d_name + length - 5, ".json");
}

struct tests {
    struct CMUnitTest items[TESTS_MOST];
    struct profile profiles[TESTS_MOST];
    char names[TESTS_MOST][300];
    size_t count;
};

/* False: none, or more than there is room for. */
static bool add_profiles(struct tests *tests, const struct format *format)
{
    char directory[64];
    struct dirent **entries;
    snprintf(directory, sizeof directory, DIRECTORY "/%s", format->name);
    int count = scandir(directory, &entries, is_profile, alphasort);
    bool fits = count > 0 && tests->count + (size_t)count <= TESTS_MOST;
    for (int i = 0; i < count; i++) {
        size_t at = tests->count;
        if (fits) {
            char *name = tests->names[at];
            snprintf(name, sizeof tests->names[at], "%s: %.*s", format->name,
                     (int)strlen(entries[i]->d_name) - 5, entries[i]->d_name);
            tests->profiles[at] = (struct profile){format, name + strlen(format->name) + 2};
            tests->items[at] = (struct CMUnitTest){name, imports_as_expected, open_profile,
                                                   close_profile, &tests->profiles[at]};
            tests->count++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return fits;
}

int main(void)
{
    static struct tests tests;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (!add_profiles(&tests, &formats[i])) {
            printf("Bail out! no profiles, or too many, in " DIRECTORY "/%s\n", formats[i].name);
            return 1;
        }
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return _cmocka_run_group_tests("tests", tests.items, tests.count, NULL, NULL);
}
