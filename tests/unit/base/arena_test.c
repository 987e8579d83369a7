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

/* Vectors that grow by turns, with other memory between, keep what is theirs; what is given after
 * them is zeroed and nobody else's. */
static void test_vectors_grow(void **state)
{
    struct random random = random_seed(5);
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct arena *arena = arena_new();
        VECTOR(uint32_t) vectors[3] = {0};
        for (unsigned i = 0; i < 20000; i++) {
            unsigned which = random_below(&random, 50) ? round % COUNT_OF(vectors)
                                                       : random_below(&random, COUNT_OF(vectors));
            uint32_t item = (uint32_t)vectors[which].count * 3 + which;
            vector_push(arena, &vectors[which], item);
            if (random_below(&random, 500))
                continue;
            size_t size = random_below(&random, 100);
            unsigned char *bytes = arena_alloc(arena, size);
            assert_true(is_zero(bytes, size));
            memset(bytes, 0xa5, size);
        }
        for (unsigned which = 0; which < COUNT_OF(vectors); which++)
            for (size_t i = 0; i < vectors[which].count; i++)
                assert_int_equal(vectors[which].items[i], i * 3 + which);
        arena_free(arena);
    }
}

/* A vector that nothing comes in the way of stays where it is. */
static void test_growing_moves_nothing(void **state)
{
    struct arena *arena = arena_new();
    VECTOR(uint64_t) vector = {0};
    (void)state;
    vector_push(arena, &vector, 1);
    const uint64_t *items = vector.items;
    for (unsigned i = 0; i < 500; i++)
        vector_push(arena, &vector, i);
#if !defined(__SANITIZE_ADDRESS__)
    assert_ptr_equal(items, vector.items);
    assert_true(arena_used(arena) < 2 * 512 * sizeof *items);
#else
    (void)items;
#endif
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_clear), TEST(test_clear_without_use),
                                       TEST(test_vectors_grow), TEST(test_growing_moves_nothing)};
    return RUN_TESTS(tests);
}
