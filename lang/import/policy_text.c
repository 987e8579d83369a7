#include "lang/import/policy_text.h"

#include <ctype.h>

#define LINE_WIDTH 100

const char *import_printable(struct arena *arena, const char *text)
{
    char *clean = arena_string(arena, text, strlen(text));
    size_t left = strlen(clean);
    for (char *c = clean; left;) {
        unsigned length = printable_length(c, left);
        if (!length) {
            *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : '?';
            length = 1;
        }
        c += length;
        left -= length;
    }
    return clean;
}

const char *import_file_name(struct arena *arena, const struct source *source)
{
    const char *slash = strrchr(source->name, '/');
    return import_printable(arena, slash && slash[1] ? slash + 1 : source->name);
}

/* Words that stand at the start of a statement name no policy. */
static bool is_statement_word(const char *name)
{
    static const char *const words[] = {
        "policy", "abi",     "foreign", "default", "unknown",     "include",     "const",
        "group",  "on",      "prove",   "raw",     "nr",          "allow",       "log",
        "notify", "trace",   "trap",    "errno",   "ret",         "in",          "never",
        "always", "at_most", "permit",  "if",      "kill_thread", "kill_process"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (!strcmp(words[i], name))
            return true;
    return false;
}

const char *import_policy_name(struct arena *arena, const char *file)
{
    size_t length = strcspn(file, ".");
    char *name = arena_printf(arena, "%.*s", (int)(length < 64 ? length : 64), file);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80)
            *c = '_';
    if (!isalpha((unsigned char)*name) || is_statement_word(name))
        name = arena_printf(arena, "profile_%s", *name == '_' ? name + 1 : name);
    return name;
}

/* An errno by name, when the name means this value on all these ABIs. */
static const char *errno_text(struct arena *arena, uint32_t value, const enum abi_id *abis,
                              size_t abi_count)
{
    const char *name = abi_errno_name(abis[0], value);
    for (size_t i = 0; name && i < abi_count; i++) {
        uint16_t here;
        if (!abi_errno(abis[i], name, &here) || here != value)
            name = NULL;
    }
    return name ? name : arena_printf(arena, "%u", value);
}

const char *import_action_text(struct arena *arena, uint32_t word, const enum abi_id *abis,
                               size_t abi_count)
{
    const struct action_info *info = action_of_word(word, NULL);
    uint32_t data = word & 0xffff;
    if (!info->takes_data)
        return info->name;
    const char *text = info->action == ACTION_ERRNO ? errno_text(arena, data, abis, abi_count)
                                                    : arena_printf(arena, "%u", data);
    return arena_printf(arena, "%s(%s)", info->name, text);
}

static void write_list(struct buffer *out, const char *action,
                       const struct import_text *const *calls, size_t count)
{
    size_t column = 0;
    buffer_printf(out, "%s {\n", action);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        size_t width = strlen(calls[i]->text) + !last;
        if (column && column + 1 + width > LINE_WIDTH) {
            buffer_text(out, "\n");
            column = 0;
        }
        buffer_printf(out, "%s%s%s", column ? " " : "    ", calls[i]->text, last ? "" : ",");
        column += width + (column ? 1 : 4);
    }
    buffer_text(out, "\n}\n");
}

void import_write_calls(struct buffer *out, const char *action,
                        const struct import_text *const *calls, size_t count)
{
    size_t width = strlen(action) + 4;
    for (size_t i = 0; i < count; i++)
        width += strlen(calls[i]->text) + 2;
    if (count == 1) {
        buffer_printf(out, "%s %s\n", action, calls[0]->text);
    } else if (width > LINE_WIDTH) {
        write_list(out, action, calls, count);
    } else {
        buffer_printf(out, "%s {", action);
        for (size_t i = 0; i < count; i++)
            buffer_printf(out, "%s %s", i ? "," : "", calls[i]->text);
        buffer_text(out, " }\n");
    }
}

void import_write_canonically(struct arena *arena, struct buffer *text)
{
    struct diagnostics diagnostics = diagnostics_new(arena);
    const struct source *source =
        source_from_text(arena, "imported", buffer_string(text), text->length);
    struct tree *tree;
    if (failed(policy_parse(arena, source, &diagnostics, &tree)))
        return;
    *text = buffer_new(arena);
    policy_print(text, tree);
}
