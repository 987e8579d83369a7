/* Profiles: lines `count call`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer/optimizer.h"

#define COUNT_LARGEST 1e18

/* The count in front of a call; `*rest` is the call. False: there is none. */
static bool read_count(const char *line, double *count, const char **rest)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(line, &end, 10);
    if (*line < '0' || *line > '9' || errno || (double)number > COUNT_LARGEST ||
        (*end != ' ' && *end != '\t'))
        return false;
    *count = (double)number;
    *rest = end + strspn(end, " \t");
    return true;
}

/* `futex` counts calls whose arguments nobody looked at. */
static const char *as_call(struct arena *arena, const char *text)
{
    return strchr(text, '(') ? text : arena_printf(arena, "%s()", text);
}

struct profile_reader {
    struct arena *arena;
    const struct source *source;
    abi_set declared;
    enum abi_id abi; /* of calls without a prefix */
    struct diagnostics *diagnostics;
    VECTOR(struct weighted_call) calls;
    double total;
    struct span first; /* the first line that counts */
};

/* A count for an entry that the filter is not for would take its weight from those that it is for.
 */
static void take_call(struct profile_reader *r, struct span line, double count,
                      const struct call *call)
{
    if (call->abi == ABI_NONE || !(r->declared & ABI_BIT(call->abi))) {
        report_warning(r->diagnostics, line, "not counted: the filter is not for %s",
                       call->abi == ABI_NONE ? "calls of no known ABI" : abi_get(call->abi)->name);
        return;
    }
    if (!r->calls.count)
        r->first = line;
    struct weighted_call weighted = {.input = call->input, .weight = count};
    vector_push(r->arena, &r->calls, weighted);
    r->total += count;
}

/* False: it is not a count and a call. */
static bool read_line(struct profile_reader *r, const char *line, struct span span)
{
    const char *text;
    double count;
    struct call call;
    if (!read_count(line, &count, &text) ||
        failed(call_parse(r->arena, as_call(r->arena, text), r->abi, r->diagnostics, &call)))
        return false;
    take_call(r, span, count, &call);
    return true;
}

/* Without the comment and the blanks around it. */
static const char *line_text(struct arena *arena, const char *text, size_t length)
{
    const char *comment = memchr(text, '#', length);
    if (comment)
        length = (size_t)(comment - text);
    while (length && strchr(" \t\r", text[length - 1]))
        length--;
    while (length && strchr(" \t", *text)) {
        text++;
        length--;
    }
    return arena_string(arena, text, length);
}

static void read_lines(struct profile_reader *r)
{
    const struct source *source = r->source;
    for (size_t at = 0; at < source->length;) {
        const char *start = source->text + at;
        const char *newline = memchr(start, '\n', source->length - at);
        size_t length = newline ? (size_t)(newline - start) : source->length - at;
        struct span span = {source, (uint32_t)at, (uint32_t)(at + length)};
        const char *line = line_text(r->arena, start, length);
        if (memchr(start, '\0', length))
            report_error(r->diagnostics, span, "a NUL byte: a profile is text");
        else if (!at && has_byte_order_mark(source))
            report_error(r->diagnostics, span, "%s", BYTE_ORDER_MARK_TEXT);
        else if (*line && !read_line(r, line, span))
            report_error(r->diagnostics, span,
                         "a line of a profile is a count and a call, as in `1200 read`");
        at += length + 1;
    }
}

result profile_read(struct arena *arena, const struct source *source, enum abi_id abi,
                    abi_set declared, struct diagnostics *diagnostics, struct profile *profile)
{
    struct profile_reader r = {.arena = arena,
                               .source = source,
                               .declared = declared,
                               .abi = abi,
                               .diagnostics = diagnostics,
                               .first = NO_SPAN};
    size_t errors = diagnostics->errors;
    read_lines(&r);
    if (diagnostics->errors == errors && r.calls.count && r.total <= 0)
        report_error(diagnostics, r.first, "nothing is counted: every count is 0");
    if (diagnostics->errors == errors && !r.calls.count)
        report_warning(diagnostics, NO_SPAN,
                       "%s counts no call of this filter: it is as without it", source->name);
    *profile = (struct profile){.calls = r.calls.items, .count = r.calls.count};
    return diagnostics->errors == errors ? SUCCESS : FAILURE(ERROR_INPUT);
}
