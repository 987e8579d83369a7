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

/* Bytes a terminal must not be sent are shown as '?'; tabs stay, so that the caret line can copy
 * them. */
static void print_clean(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        fputc(c == '\t' || (c >= 0x20 && c != 0x7f) ? c : '?', out);
    }
}

#define LINE_SHOWN_MOST 240u

static void print_line_and_caret(const struct span *span, struct position at, FILE *out)
{
    const struct source *source = span->source;
    uint32_t start = source->lines[at.line - 1];
    uint32_t end = start;
    while (end < source->length && source->text[end] != '\n')
        end++;
    uint32_t from = start;
    if (span->begin - start > LINE_SHOWN_MOST / 2)
        from = span->begin - LINE_SHOWN_MOST / 2;
    uint32_t shown = end - from > LINE_SHOWN_MOST ? LINE_SHOWN_MOST : end - from;
    fputs("    ", out);
    print_clean(out, source->text + from, shown);
    fputs("\n    ", out);
    for (uint32_t i = from; i < span->begin; i++) {
        unsigned char c = (unsigned char)source->text[i];
        if ((c & 0xc0) != 0x80) /* one column for each UTF-8 sequence */
            fputc(c == '\t' ? '\t' : ' ', out);
    }
    fputc('^', out);
    for (uint32_t i = span->begin + 1; i < span->end && i < from + shown; i++)
        if (((unsigned char)source->text[i] & 0xc0) != 0x80)
            fputc('~', out);
    fputc('\n', out);
}

void diagnostic_print(const struct diagnostic *d, FILE *out)
{
    const struct source *source = d->span.source;
    if (!source) {
        fprintf(out, "bpfproof: %s: ", severity_name(d->severity));
        print_clean(out, d->message, strlen(d->message));
        fputc('\n', out);
    } else {
        uint32_t begin = d->span.begin;
        if (begin > source->length)
            begin = (uint32_t)source->length;
        struct span span = {source, begin, d->span.end};
        struct position at = source_position(source, begin);
        fprintf(out, "%s:%u:%u: %s: ", source->name, at.line, at.column,
                severity_name(d->severity));
        print_clean(out, d->message, strlen(d->message));
        fputc('\n', out);
        print_line_and_caret(&span, at, out);
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
