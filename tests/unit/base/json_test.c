#include "unit/support.h"

static struct span place(struct fixture *f, const char *text, const char *pointer, bool key)
{
    const struct source *source = source_from_text(f->arena, "x.json", text, strlen(text));
    return json_place(source, pointer, key);
}

static void assert_text(struct span span, const char *expected)
{
    assert_non_null(span.source);
    assert_int_equal(span.end - span.begin, strlen(expected));
    assert_memory_equal(span.source->text + span.begin, expected, strlen(expected));
}

static void finds_values_and_keys(void **state)
{
    struct fixture *f = *state;
    const char *text = "{ \"a\": [1, {\"b/c\": \"x\\\"y\"}, [3 ,4]], \"d\" : true }";
    assert_text(place(f, text, "/a/0", false), "1");
    assert_text(place(f, text, "/a/1/b~1c", false), "\"x\\\"y\"");
    assert_text(place(f, text, "/a/1/b~1c", true), "\"b/c\"");
    assert_text(place(f, text, "/a/2", false), "[3 ,4]");
    assert_text(place(f, text, "/d", false), "true");
    assert_text(place(f, text, "/d", true), "\"d\"");
    assert_text(place(f, text, "", false), text);
    assert_null(place(f, text, "/a/3", false).source);
    assert_null(place(f, text, "/e", false).source);
    assert_null(place(f, text, "/d/0", false).source);
}

static void reports_the_place_of_an_error(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\n  \"a\": tru\n}";
    const struct source *source = source_from_text(f->arena, "x.json", text, strlen(text));
    json_t *value;
    assert_true(failed(json_parse(source, &f->diagnostics, &value)));
    assert_int_equal(f->diagnostics.errors, 1);
    assert_int_equal(source_position(source, f->diagnostics.first->span.begin).line, 2);
}

static void refuses_duplicate_keys(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\"a\": 1, \"a\": 2}";
    const struct source *source = source_from_text(f->arena, "x.json", text, strlen(text));
    json_t *value;
    assert_true(failed(json_parse(source, &f->diagnostics, &value)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_values_and_keys),
        TEST(reports_the_place_of_an_error),
        TEST(refuses_duplicate_keys),
    };
    return RUN_TESTS(tests);
}
