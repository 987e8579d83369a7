#include "base/base.h"

struct diagnostics diagnostics_new(struct arena *arena)
{
    return (struct diagnostics){.arena = arena};
}

static bool same_span(struct span a, struct span b)
{
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

static bool already_reported(const struct diagnostics *diagnostics, enum severity severity,
                             struct span span, const char *message)
{
    for (const struct diagnostic *d = diagnostics->first; d; d = d->next)
        if (d->severity == severity && same_span(d->span, span) && !strcmp(d->message, message))
            return true;
    return false;
}

static struct diagnostic *make(struct arena *arena, enum severity severity, struct span span,
                               const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *message = arena_alloc(arena, length < 0 ? 1 : (size_t)length + 1);
    if (length >= 0)
        vsnprintf(message, (size_t)length + 1, format, again);
    va_end(again);
    struct diagnostic *d = NEW(arena, struct diagnostic);
    *d = (struct diagnostic){.severity = severity, .span = span, .message = message};
    return d;
}

static size_t *count_of(struct diagnostics *diagnostics, enum severity severity)
{
    if (severity == SEVERITY_ERROR)
        return &diagnostics->errors;
    return severity == SEVERITY_WARNING ? &diagnostics->warnings : &diagnostics->remarks;
}

void report(struct diagnostics *diagnostics, enum severity severity, struct span span,
            const char *format, ...)
{
    size_t *count = count_of(diagnostics, severity);
    diagnostics->last_is_dropped = *count >= DIAGNOSTICS_MOST;
    if (diagnostics->last_is_dropped) {
        ++*count;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    struct diagnostic *d = make(diagnostics->arena, severity, span, format, arguments);
    va_end(arguments);
    diagnostics->last_is_dropped = already_reported(diagnostics, severity, span, d->message);
    if (diagnostics->last_is_dropped)
        return;
    ++*count;
    if (diagnostics->last)
        diagnostics->last->next = d;
    else
        diagnostics->first = d;
    diagnostics->last = d;
}

void report_note(struct diagnostics *diagnostics, struct span span, const char *format, ...)
{
    if (diagnostics->last_is_dropped || !diagnostics->last)
        return;
    va_list arguments;
    va_start(arguments, format);
    struct diagnostic *note = make(diagnostics->arena, SEVERITY_NOTE, span, format, arguments);
    va_end(arguments);
    struct diagnostic **end = &diagnostics->last->notes;
    while (*end)
        end = &(*end)->next;
    *end = note;
}

static const char *severity_name(enum severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

#define ESCAPED_COLUMNS 4u /* \x1b */

/* Bytes that are shown together: a character, or one byte that is escaped. */
static size_t shown_together(const char *text, size_t length, bool *escaped)
{
    unsigned printable = *text == '\t' ? 1 : printable_length(text, length);
    *escaped = printable == 0;
    return printable ? printable : 1;
}

/* Tabs stay, so that the caret line can copy them. */
static void print_clean(FILE *out, const char *text, size_t length)
{
    bool escaped;
    for (size_t i = 0, bytes; i < length; i += bytes) {
        bytes = shown_together(text + i, length - i, &escaped);
        if (escaped)
            fprintf(out, "\\x%02x", (unsigned char)text[i]);
        else
            fwrite(text + i, 1, bytes, out);
    }
}

static void print_text(FILE *out, const char *text)
{
    print_clean(out, text, strlen(text));
}

#define LINE_SHOWN_MOST 240u

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The part of the line around the place; no character is cut in two. */
static void part_of_line(const struct span *span, uint32_t start, uint32_t *from, uint32_t *to)
{
    const struct source *source = span->source;
    *from = start;
    if (span->begin - start > LINE_SHOWN_MOST / 2)
        *from = span->begin - LINE_SHOWN_MOST / 2;
    while (*from > start && *from < span->begin && continues(source->text[*from]))
        ++*from;
    *to = *from;
    while (*to < source->length && source->text[*to] != '\n' && *to - *from < LINE_SHOWN_MOST)
        ++*to;
    for (int i = 0; i < 3 && *to<source->length && * to> span->begin + 1; i++)
        *to -= continues(source->text[*to]);
}

/* As wide as the text is shown: `first` for the first column, `rest` for the others. */
static void print_under(FILE *out, const char *text, size_t length, char first, char rest)
{
    bool escaped;
    for (size_t i = 0, bytes; i < length; i += bytes) {
        bytes = shown_together(text + i, length - i, &escaped);
        for (unsigned column = 0; column < (escaped ? ESCAPED_COLUMNS : 1); column++)
            fputc(i || column ? rest : first, out);
    }
}

static void print_line_and_caret(const struct span *span, struct position at, FILE *out)
{
    const char *text = span->source->text;
    uint32_t from, to;
    part_of_line(span, span->source->lines[at.line - 1], &from, &to);
    fputs("    ", out);
    print_clean(out, text + from, to - from);
    fputs("\n    ", out);
    while (from < span->begin) {
        uint32_t end = from;
        while (end < span->begin && text[end] != '\t')
            end++;
        print_under(out, text + from, end - from, ' ', ' ');
        if (end < span->begin)
            fputc('\t', out);
        from = end + (end < span->begin);
    }
    uint32_t end = span->end < to ? span->end : to;
    if (end > span->begin)
        print_under(out, text + span->begin, end - span->begin, '^', '~');
    else
        fputc('^', out);
    fputc('\n', out);
}

static void print_message(const struct diagnostic *d, FILE *out)
{
    fprintf(out, ": %s: ", severity_name(d->severity));
    print_text(out, d->message);
    fputc('\n', out);
}

static void print_at(const struct diagnostic *d, FILE *out)
{
    const struct source *source = d->span.source;
    uint32_t begin = d->span.begin > source->length ? (uint32_t)source->length : d->span.begin;
    print_text(out, source->name);
    if (source->binary) {
        fprintf(out, ": byte %u", begin);
        print_message(d, out);
        return;
    }
    struct span span = {source, begin, d->span.end};
    struct position at = source_position(source, begin);
    fprintf(out, ":%u:%u", at.line, at.column);
    print_message(d, out);
    print_line_and_caret(&span, at, out);
}

void diagnostic_print(const struct diagnostic *d, FILE *out)
{
    if (d->span.source) {
        print_at(d, out);
    } else {
        fputs("bpfproof", out);
        print_message(d, out);
    }
    for (const struct diagnostic *note = d->notes; note; note = note->next)
        diagnostic_print(note, out);
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *out)
{
    size_t shown = 0;
    for (const struct diagnostic *d = diagnostics->first; d; d = d->next) {
        diagnostic_print(d, out);
        shown++;
    }
    size_t all = diagnostics->errors + diagnostics->warnings + diagnostics->remarks;
    if (all > shown)
        fprintf(out, "bpfproof: %zu more like these are not shown\n", all - shown);
}
