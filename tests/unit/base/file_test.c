#include "unit/support.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *in_directory(struct fixture *f, const char *name)
{
    char *directory = arena_printf(f->arena, "/tmp/bpfproof-file-test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    return arena_printf(f->arena, "%s/%s", directory, name);
}

static void remove_with_directory(struct fixture *f, const char *path)
{
    unlink(path);
    char *directory = arena_string(f->arena, path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(rmdir(directory), 0); /* fails when a temporary file was left behind */
}

static void assert_holds(struct fixture *f, const char *path, const char *text)
{
    const struct source *source;
    assert_true(worked(file_read(f->arena, path, &f->diagnostics, &source)));
    assert_string_equal(source->text, text);
}

static void writes_and_replaces(void **state)
{
    struct fixture *f = *state;
    const char *path = in_directory(f, "out");
    assert_true(worked(file_write(path, "one", 3, &f->diagnostics)));
    assert_holds(f, path, "one");
    chmod(path, 0640);
    assert_true(worked(file_write(path, "three", 5, &f->diagnostics)));
    assert_holds(f, path, "three");
    struct stat status;
    stat(path, &status);
    assert_int_equal(status.st_mode & 0777, 0640);
    remove_with_directory(f, path);
}

static void follows_a_symbolic_link(void **state)
{
    struct fixture *f = *state;
    const char *path = in_directory(f, "target");
    const char *link = arena_printf(f->arena, "%s-link", path);
    assert_true(worked(file_write(path, "a", 1, &f->diagnostics)));
    assert_int_equal(symlink(path, link), 0);
    assert_true(worked(file_write(link, "b", 1, &f->diagnostics)));
    assert_holds(f, path, "b");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    unlink(link);
    remove_with_directory(f, path);
}

/* A limit on the size of files stands for a full disk. */
static void a_failed_write_keeps_the_old_file(void **state)
{
    struct fixture *f = *state;
    const char *path = in_directory(f, "out");
    assert_true(worked(file_write(path, "old", 3, &f->diagnostics)));
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char bytes[1000] = {0};
    result r = file_write(path, bytes, sizeof bytes, &f->diagnostics);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(r.error, ERROR_IO);
    assert_holds(f, path, "old");
    remove_with_directory(f, path);
}

static void says_why_it_cannot_read(void **state)
{
    struct fixture *f = *state;
    const struct source *source;
    assert_int_equal(file_read(f->arena, "/nonexistent/x", &f->diagnostics, &source).error,
                     ERROR_IO);
    assert_int_equal(file_read(f->arena, "/tmp", &f->diagnostics, &source).error, ERROR_IO);
    assert_int_equal(f->diagnostics.errors, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_and_replaces),
        TEST(follows_a_symbolic_link),
        TEST(a_failed_write_keeps_the_old_file),
        TEST(says_why_it_cannot_read),
    };
    return RUN_TESTS(tests);
}
