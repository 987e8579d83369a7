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
    assert_null(strchr(printed(f), '\x1b'));
    assert_null(strchr(printed(f), '\x07'));
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
        TEST(a_place_past_the_end_is_the_end),
    };
    return RUN_TESTS(tests);
}
