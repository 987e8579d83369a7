#include "lang/import/document.h"
#include "unit/support.h"

static const struct source *source_of(struct fixture *f, const char *text)
{
    return source_from_text(f->arena, "x.json", text, strlen(text));
}

static struct json_node *parse(struct fixture *f, const char *text)
{
    struct json_node *root = NULL;
    assert_true(worked(json_document(f->arena, source_of(f, text), &f->diagnostics, &root)));
    return root;
}

static void assert_refused(struct fixture *f, const char *text, uint32_t at)
{
    struct json_node *root;
    struct diagnostics diagnostics = diagnostics_new(f->arena);
    assert_true(failed(json_document(f->arena, source_of(f, text), &diagnostics, &root)));
    assert_int_equal(diagnostics.errors, 1);
    assert_int_equal(diagnostics.first->span.begin, at);
}

/* Every node's text, written out depth first: each value must be at its own place. */
static void collect(const struct json_node *node, struct buffer *out)
{
    if (node->key)
        buffer_printf(out, "%s=", node->key);
    buffer_put(out, node->span.source->text + node->span.begin, node->span.end - node->span.begin);
    buffer_text(out, ";");
    for (size_t i = 0; i < node->count; i++)
        collect(&node->children[i], out);
}

static void assert_places(struct fixture *f, const char *text, const char *expected)
{
    struct buffer out = buffer_new(f->arena);
    collect(parse(f, text), &out);
    assert_string_equal(buffer_string(&out), expected);
}

static void every_value_knows_its_place(void **state)
{
    struct fixture *f = *state;
    assert_places(f, " [ 1 ,\"a\" , [ ] ,{ }, null,true ] ",
                  "[ 1 ,\"a\" , [ ] ,{ }, null,true ];1;\"a\";[ ];{ };null;true;");
    assert_places(f, "{\"b\":{\"a\":-1.5e3},\"a\":[[0]]}",
                  "{\"b\":{\"a\":-1.5e3},\"a\":[[0]]};b={\"a\":-1.5e3};a=-1.5e3;a=[[0]];[0];0;");
    assert_places(f, "[\"]\\\"\\\\\",\"\\\\\" ,2]",
                  "[\"]\\\"\\\\\",\"\\\\\" ,2];\"]\\\"\\\\\";\"\\\\\";2;");
    assert_places(f, "\n7\n", "7;");
}

static void members_go_by_name_and_null_is_absent(void **state)
{
    struct fixture *f = *state;
    struct json_node *root = parse(f, "{\"a\": 1, \"b\": null, \"\\u0063\": \"x\\u00e9\"}");
    assert_int_equal(json_member(root, "a")->kind, KIND_NUMBER);
    assert_null(json_member(root, "b"));
    assert_string_equal(json_member(root, "c")->string, "x\xc3\xa9");
    assert_int_equal(json_member(root, "c")->key_span.begin, 20);
    assert_null(json_member(root, "d"));
    assert_null(json_member(json_member(root, "a"), "a"));
    assert_null(json_member(NULL, "a"));
}

static void integers_are_exact_up_to_64_bits(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        bool is_integer;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"9007199254740993", true, 9007199254740993u}, /* 2^53 + 1: no double */
        {"9223372036854775808", true, (uint64_t)1 << 63},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"-1", false, 0},
        {"-0", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t value = 0;
        assert_int_equal(json_unsigned(parse(f, rows[i].text), &value), rows[i].is_integer);
        if (rows[i].is_integer)
            assert_true(value == rows[i].value);
    }
}

static void broken_texts_are_refused_at_their_place(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "", 0);
    assert_refused(f, "[1, 2", 4);
    assert_refused(f, "[1,]", 3);
    assert_refused(f, "{\"a\": 1, \"a\": 2}", 11);
    assert_refused(f, "[1] 2", 4);
    assert_refused(f, "[\"\\u0000\"]", 8);
    assert_refused(f, "[\"\x80\"]", 1);
}

static void depth_is_limited(void **state)
{
    struct fixture *f = *state;
    enum { DEPTH = 100000 };
    char *text = arena_alloc(f->arena, DEPTH + 1);
    memset(text, '[', DEPTH);
    assert_refused(f, text, 2048);
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    text[2000] = '\0';
    assert_int_equal(parse(f, text)->count, 1);
}

static void length_is_limited(void **state)
{
    struct fixture *f = *state;
    size_t most = (size_t)4 << 20;
    char *text = arena_alloc(f->arena, most + 2);
    memset(text, ' ', most + 1);
    memcpy(text, "[]", 2);
    text[most] = '\0';
    assert_int_equal(parse(f, text)->kind, KIND_ARRAY);
    text[most] = ' ';
    text[most + 1] = '\0';
    assert_refused(f, text, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_value_knows_its_place),
        TEST(members_go_by_name_and_null_is_absent),
        TEST(integers_are_exact_up_to_64_bits),
        TEST(broken_texts_are_refused_at_their_place),
        TEST(depth_is_limited),
        TEST(length_is_limited),
    };
    return RUN_TESTS(tests);
}
