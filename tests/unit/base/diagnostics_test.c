#include "unit/support.h"

#include <stdlib.h>

static const char *printed(struct fixture *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diagnostics_print(&f->diagnostics, out);
    fclose(out);
    const char *copy = arena_string(f->arena, text, size);
    free(text);
    return copy;
}

static void shows_line_and_caret(void **state)
{
    struct fixture *f = *state;
    const char *text = "one\n\ttwo three\n";
    const struct source *source = source_from_text(f->arena, "a.policy", text, strlen(text));
    struct span span = {source, 9, 14};
    report_error(&f->diagnostics, span, "no such thing: %d", 7);
    report_note(&f->diagnostics, (struct span){source, 0, 3}, "first seen here");
    assert_string_equal(printed(f), "a.policy:2:6: error: no such thing: 7\n"
                                    "    \ttwo three\n"
                                    "    \t    ^~~~~\n"
                                    "a.policy:1:1: note: first seen here\n"
                                    "    one\n"
                                    "    ^~~\n");
}

static void keeps_one_of_equal_reports(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        report_error(&f->diagnostics, NO_SPAN, "again");
        report_note(&f->diagnostics, NO_SPAN, "because");
    }
    assert_int_equal(f->diagnostics.errors, 1);
    assert_string_equal(printed(f), "bpfproof: error: again\nbpfproof: note: because\n");
}

static void hides_what_a_terminal_must_not_get(void **state)
{
    struct fixture *f = *state;
    const char text[] = "a\x1b[31mb";
    const struct source *source = source_from_text(f->arena, "x", text, sizeof text - 1);
    report_error(&f->diagnostics, (struct span){source, 0, 1}, "bad \x07 text");
    assert_string_equal(printed(f), "x:1:1: error: bad \\x07 text\n"
                                    "    a\\x1b[31mb\n"
                                    "    ^\n");
}

/* C1 controls as UTF-8 and as bytes, no UTF-8 at all, a mark that turns the order around; and
 * letters that stay. The name comes from outside, too. */
static void hides_what_is_no_printable_utf8(void **state)
{
    struct fixture *f = *state;
    const char text[] = "\xc2\x9b"
                        "2J \x9b \xc3 \xe2\x80\xae \xed\xa0\x80 \xc3\xa9!";
    const struct source *source = source_from_text(f->arena, "na\x1bme", text, sizeof text - 1);
    uint32_t last = sizeof text - 2;
    report_error(&f->diagnostics, (struct span){source, last, last + 1}, "\xff and \xc3\xa9");
    assert_string_equal(printed(f),
                        "na\\x1bme:1:20: error: \\xff and \xc3\xa9\n"
                        "    \\xc2\\x9b2J \\x9b \\xc3 \\xe2\\x80\\xae \\xed\\xa0\\x80 \xc3\xa9!\n"
                        "                                                    ^\n");
}

static void a_place_in_a_long_line_cuts_no_character(void **state)
{
    struct fixture *f = *state;
    struct buffer text = buffer_new(f->arena);
    for (int i = 0; i < 400; i++)
        buffer_text(&text, "\xc3\xa9");
    const struct source *source = source_from_text(f->arena, "x", text.bytes, text.length);
    for (uint32_t begin = 396; begin < 404; begin += 2)
        report_error(&f->diagnostics, (struct span){source, begin, begin + 2}, "here");
    assert_int_equal(f->diagnostics.errors, 4);
    assert_null(strchr(printed(f), '\\'));
}

static void a_binary_source_has_offsets(void **state)
{
    struct fixture *f = *state;
    const char text[] = "ab\0\ncd";
    const struct source *source =
        source_as_bytes(f->arena, source_from_text(f->arena, "x.bpf", text, sizeof text - 1));
    report_error(&f->diagnostics, (struct span){source, 4, 6}, "too many");
    assert_string_equal(printed(f), "x.bpf: byte 4: error: too many\n");
    json_t *array = json_diagnostics(&f->diagnostics), *one = json_array_get(array, 0);
    assert_int_equal(json_integer_value(json_object_get(one, "byte")), 4);
    assert_null(json_object_get(one, "line"));
    json_decref(array);
}

static void json_hides_what_it_would_not_escape(void **state)
{
    struct fixture *f = *state;
    report_error(&f->diagnostics, NO_SPAN, "\x1b \x7f \xc2\x9b \xff \xc3\xa9");
    json_t *array = json_diagnostics(&f->diagnostics);
    const char *text = json_string_value(json_object_get(json_array_get(array, 0), "message"));
    assert_string_equal(text,
                        "\x1b \\x7f \\xc2\\x9b \\xff \xc3\xa9"); /* ESC: \u001b when written */
    json_decref(array);
}

static void a_place_past_the_end_is_the_end(void **state)
{
    struct fixture *f = *state;
    const struct source *source = source_from_text(f->arena, "x", "ab", 2);
    report_error(&f->diagnostics, (struct span){source, 100, 200}, "unexpected end");
    assert_string_equal(printed(f), "x:1:3: error: unexpected end\n    ab\n      ^\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shows_line_and_caret),
        TEST(keeps_one_of_equal_reports),
        TEST(hides_what_a_terminal_must_not_get),
        TEST(hides_what_is_no_printable_utf8),
        TEST(a_place_in_a_long_line_cuts_no_character),
        TEST(a_binary_source_has_offsets),
        TEST(json_hides_what_it_would_not_escape),
        TEST(a_place_past_the_end_is_the_end),
    };
    return RUN_TESTS(tests);
}
