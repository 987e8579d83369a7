#include "lang/resolve.h"

#include <stdlib.h>

static const char *format_text(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(arena, length < 0 ? 1 : (size_t)length + 1);
    if (length >= 0)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

static struct problem *find(struct resolver *resolver, struct span span, const char *format)
{
    for (size_t i = resolver->problems.count; i-- > 0;) {
        struct problem *p = &resolver->problems.items[i];
        if (p->format == format && p->span.source == span.source && p->span.begin == span.begin &&
            p->span.end == span.end)
            return p;
    }
    return NULL;
}

struct problem *problem(struct resolver *resolver, enum severity severity, struct span span,
                        enum abi_id abi, const char *format, ...)
{
    abi_set abis = abi == ABI_NONE ? resolver->scope : ABI_BIT(abi);
    struct problem *known = find(resolver, span, format);
    if (known) {
        known->abis |= abis;
        return NULL;
    }
    if (resolver->problems.count >= PROBLEMS_MOST) {
        resolver->problems_dropped |= severity == SEVERITY_ERROR;
        return NULL;
    }
    va_list arguments;
    va_start(arguments, format);
    struct problem added = {.severity = severity, .span = span, .format = format, .abis = abis};
    added.message = format_text(resolver->arena, format, arguments);
    va_end(arguments);
    vector_push(resolver->arena, &resolver->problems, added);
    return &resolver->problems.items[resolver->problems.count - 1];
}

void problem_note(struct resolver *resolver, struct problem *problem, struct span span,
                  const char *format, ...)
{
    if (!problem)
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *text = format_text(resolver->arena, format, arguments);
    va_end(arguments);
    vector_push(resolver->arena, &problem->notes, (struct problem_note){span, text});
}

#define NAMES_SHOWN 4

const char *abi_names(struct arena *arena, abi_set abis)
{
    struct buffer text = buffer_new(arena);
    int count = __builtin_popcount(abis), shown = 0;
    int most = count <= NAMES_SHOWN + 1 ? count : NAMES_SHOWN;
    for (unsigned id = 0; id < ABI_COUNT && shown < most; id++)
        if (abis & ABI_BIT(id)) {
            if (shown)
                buffer_text(&text, shown + 1 == count ? " and " : ", ");
            buffer_text(&text, abi_get((enum abi_id)id)->name);
            shown++;
        }
    if (shown < count)
        buffer_printf(&text, " and %d more", count - shown);
    return buffer_string(&text);
}

const char *name_list(struct arena *arena, const char *const *names, size_t count,
                      const char *joiner)
{
    struct buffer text = buffer_new(arena);
    for (size_t i = 0; i < count; i++)
        if (i && i + 1 == count)
            buffer_printf(&text, " %s `%s`", joiner, names[i]);
        else
            buffer_printf(&text, "%s`%s`", i ? ", " : "", names[i]);
    return buffer_string(&text);
}

static void report_problem(struct resolver *resolver, const struct problem *p)
{
    abi_set abis = p->abis & resolver->declared ? p->abis & resolver->declared : p->abis;
    abi_set scope = resolver->scope & resolver->declared ? resolver->scope & resolver->declared
                                                         : resolver->scope;
    bool everywhere = (abis & scope) == scope;
    const char *where =
        everywhere ? ""
                   : arena_printf(resolver->arena, " (on %s)", abi_names(resolver->arena, abis));
    report(resolver->diagnostics, p->severity, p->span, "%s%s", p->message, where);
    if (!everywhere && p->severity == SEVERITY_ERROR)
        report_note(resolver->diagnostics, NO_SPAN,
                    "an `on` block can say it for the ABIs where it holds");
    for (size_t i = 0; i < p->notes.count; i++)
        report_note(resolver->diagnostics, p->notes.items[i].span, "%s", p->notes.items[i].text);
}

/* Nothing that was wrong may be forgotten, even where it is not shown. */
static void forget_problems(struct resolver *resolver)
{
    const struct problem *last = &resolver->problems.items[resolver->problems.count - 1];
    if (resolver->problems_dropped)
        report_error(resolver->diagnostics, last->span,
                     "more mistakes in this statement are not shown");
    resolver->problems_dropped = false;
    resolver->problems.count = 0;
}

void problems_report(struct resolver *resolver, abi_set strict)
{
    for (size_t i = 0; i < resolver->problems.count; i++) {
        const struct problem *p = &resolver->problems.items[i];
        if (p->severity != SEVERITY_ERROR || p->abis & strict)
            report_problem(resolver, p);
    }
    if (resolver->problems.count)
        forget_problems(resolver);
}

void problems_flush(struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->problems.count; i++)
        report_problem(resolver, &resolver->problems.items[i]);
    if (resolver->problems.count)
        forget_problems(resolver);
}

/* ---- order
 * ------------------------------------------------------------------------------------------------------
 */

struct placed {
    struct diagnostic *diagnostic;
    size_t source; /* sources in the order of their first report; 0: no place */
    size_t index;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    uint32_t p = x->diagnostic->span.begin, q = y->diagnostic->span.begin;
    if (x->source && p != q)
        return p < q ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static size_t source_rank(const struct placed *placed, size_t count, const struct source *source)
{
    size_t most = 0;
    if (!source)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (placed[i].diagnostic->span.source == source)
            return placed[i].source;
        if (placed[i].source > most)
            most = placed[i].source;
    }
    return most + 1;
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
    size_t count = 0;
    for (struct diagnostic *d = diagnostics->first; d; d = d->next)
        count++;
    if (count < 2)
        return;
    struct placed *placed = NEW_ARRAY(diagnostics->arena, struct placed, count);
    size_t i = 0;
    for (struct diagnostic *d = diagnostics->first; d; d = d->next, i++)
        placed[i] = (struct placed){d, source_rank(placed, i, d->span.source), i};
    qsort(placed, count, sizeof *placed, compare_placed);
    for (i = 0; i + 1 < count; i++)
        placed[i].diagnostic->next = placed[i + 1].diagnostic;
    placed[count - 1].diagnostic->next = NULL;
    diagnostics->first = placed[0].diagnostic;
    diagnostics->last = placed[count - 1].diagnostic;
}
