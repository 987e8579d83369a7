/* Memory that is given all at once and taken back all at once. */
#include "tests/unit/support.h"

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

/* What was written before is not seen after, whether it fits the kept chunk or not. */
static void test_clear(void **state)
{
    struct random random = random_seed(3);
    struct arena *arena = arena_new();
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        unsigned count = random_below(&random, 60);
        for (unsigned i = 0; i < count; i++) {
            size_t size = random_below(&random, random_below(&random, 10) ? 500 : 200000);
            unsigned char *bytes = arena_alloc(arena, size);
            assert_true(is_zero(bytes, size));
            memset(bytes, 0xa5, size);
        }
        arena_clear(arena);
    }
    arena_free(arena);
}

static void test_clear_without_use(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    arena_clear(arena);
    assert_true(is_zero(arena_alloc(arena, 100), 100));
    arena_clear(arena);
    arena_clear(arena);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_clear), TEST(test_clear_without_use)};
    return RUN_TESTS(tests);
}
