#include "base/base.h"

const struct source *source_from_text(struct arena *arena, const char *name, const char *text,
                                      size_t length)
{
    struct source *source = NEW(arena, struct source);
    source->name = arena_string(arena, name, strlen(name));
    source->text = arena_string(arena, text, length);
    source->length = length;
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    uint32_t *starts = NEW_ARRAY(arena, uint32_t, lines);
    size_t line = 1;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n')
            starts[line++] = (uint32_t)(i + 1);
    source->lines = starts;
    source->line_count = lines;
    return source;
}

const struct source *source_as_bytes(struct arena *arena, const struct source *source)
{
    struct source *bytes = arena_copy(arena, source, sizeof *source);
    bytes->binary = true;
    return bytes;
}

struct position source_position(const struct source *source, uint32_t offset)
{
    size_t low = 0, high = source->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (struct position){(uint32_t)low + 1, offset - source->lines[low] + 1};
}

struct span span_join(struct span a, struct span b)
{
    if (a.source != b.source)
        return a.source ? a : b;
    if (b.begin < a.begin)
        a.begin = b.begin;
    if (b.end > a.end)
        a.end = b.end;
    return a;
}
