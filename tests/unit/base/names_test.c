#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/support.h"

/* Each before all that follow it. */
static const char *const ordered[] = {
    "",
    "01",
    "1",
    "2",
    "9",
    "10",
    "10a",
    "99999999999999999998",
    "99999999999999999999",
    "100000000000000000000",
    "a",
    "a-2",
    "a-02.x",
    "a-10",
    "a2b1",
    "a2b3",
    "a10b1",
    "b",
    "x1",
    "x1y",
    "x2",
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ordered); i++)
        for (size_t j = 0; j < COUNT_OF(ordered); j++) {
            int order = name_order(ordered[i], ordered[j]);
            bool right = i < j ? order < 0 : i > j ? order > 0 : order == 0;
            if (!right)
                print_message("# %s and %s: %d\n", ordered[i], ordered[j], order);
            assert_true(right);
        }
}

static void test_directory(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/bpfproof-names.XXXXXX";
    static const char *const made[] = {"x-10", "x-2", ".hidden", "x-1"};
    static const char *const expected[] = {".hidden", "x-1", "x-2", "x-10"};
    const char *const *names;
    size_t count;
    assert_non_null(mkdtemp(path));
    for (size_t i = 0; i < COUNT_OF(made); i++)
        assert_int_equal(mkdir(arena_printf(fixture->arena, "%s/%s", path, made[i]), 0700), 0);
    result r = directory_read(fixture->arena, path, 4, &fixture->diagnostics, &names, &count);
    assert_true(worked(r));
    assert_int_equal(count, COUNT_OF(expected));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names[i], expected[i]);
    assert_true(is_directory(path));
    r = directory_read(fixture->arena, path, 3, &fixture->diagnostics, &names, &count);
    assert_int_equal(r.error, ERROR_INPUT);
    for (size_t i = 0; i < COUNT_OF(made); i++)
        assert_int_equal(rmdir(arena_printf(fixture->arena, "%s/%s", path, made[i])), 0);
    assert_int_equal(rmdir(path), 0);
    r = directory_read(fixture->arena, path, 3, &fixture->diagnostics, &names, &count);
    assert_int_equal(r.error, ERROR_IO);
    assert_false(is_directory(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_order), TEST(test_directory)};
    return RUN_TESTS(tests);
}
