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

static bool read_line(struct arena *arena, const char *line, enum abi_id abi,
                      struct diagnostics *diagnostics, struct weighted_call *call)
{
    const char *text;
    struct call parsed;
    if (!read_count(line, &call->weight, &text))
        return false;
    if (failed(call_parse(arena, as_call(arena, text), abi, diagnostics, &parsed)))
        return false;
    call->input = parsed.input;
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

result profile_read(struct arena *arena, const struct source *source, enum abi_id abi,
                    struct diagnostics *diagnostics, struct profile *profile)
{
    VECTOR(struct weighted_call) calls = {0};
    size_t errors = diagnostics->errors;
    for (size_t at = 0; at < source->length;) {
        const char *start = source->text + at;
        const char *newline = memchr(start, '\n', source->length - at);
        size_t length = newline ? (size_t)(newline - start) : source->length - at;
        const char *line = line_text(arena, start, length);
        struct weighted_call call;
        if (*line && read_line(arena, line, abi, diagnostics, &call))
            vector_push(arena, &calls, call);
        else if (*line)
            report_error(diagnostics, (struct span){source, (uint32_t)at, (uint32_t)(at + length)},
                         "a line of a profile is a count and a call, as in `1200 read`");
        at += length + 1;
    }
    *profile = (struct profile){.calls = calls.items, .count = calls.count};
    return diagnostics->errors == errors ? SUCCESS : FAILURE(ERROR_INPUT);
}
