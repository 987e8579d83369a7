#include "base/base.h"

#include <stdlib.h>

result json_parse(const struct source *source, struct diagnostics *diagnostics, json_t **value)
{
    json_error_t error;
    *value =
        json_loadb(source->text, source->length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*value)
        return SUCCESS;
    uint32_t at = error.position < 0 ? 0 : (uint32_t)error.position;
    if (at > 0 && at >= source->length)
        at = source->length ? (uint32_t)source->length - 1 : 0;
    struct span place = {source, at, at + 1};
    report_error(diagnostics, place, "not JSON: %s", error.text);
    return FAILURE(ERROR_INPUT);
}

/* ---- places: a walk over text that is known to be JSON
 * --------------------------------------------- */

struct walk {
    const char *text;
    uint32_t at;
    uint32_t length;
};

static void skip_space(struct walk *w)
{
    while (w->at < w->length && strchr(" \t\r\n", w->text[w->at]))
        w->at++;
}

static void skip_string(struct walk *w)
{
    w->at++;
    while (w->at < w->length && w->text[w->at] != '"')
        w->at += w->text[w->at] == '\\' ? 2 : 1;
    w->at++;
}

/* Brackets are counted, not recursed into: depth costs nothing. */
static void skip_value(struct walk *w)
{
    unsigned depth = 0;
    do {
        skip_space(w);
        char c = w->at < w->length ? w->text[w->at] : '\0';
        if (c == '"') {
            skip_string(w);
        } else if (c == '{' || c == '[') {
            depth++;
            w->at++;
        } else if (c == '}' || c == ']') {
            depth--;
            w->at++;
        } else if (c == ',' || c == ':') {
            w->at++;
        } else {
            while (w->at < w->length && !strchr(",:]} \t\r\n", w->text[w->at]))
                w->at++;
        }
    } while (depth && w->at < w->length);
}

/* Whether the string at `at` (with its quotes) is the pointer's token, unescaped. */
static bool key_is(const struct walk *w, const char *token, size_t length)
{
    struct walk end = *w;
    skip_string(&end);
    json_error_t error;
    json_t *key = json_loadb(w->text + w->at, end.at - w->at, JSON_DECODE_ANY, &error);
    bool same =
        key && json_string_length(key) == length && !memcmp(json_string_value(key), token, length);
    json_decref(key);
    return same;
}

static bool enter_member(struct walk *w, const char *token, size_t length, struct span *key)
{
    w->at++;
    for (;;) {
        skip_space(w);
        if (w->at >= w->length || w->text[w->at] != '"')
            return false;
        bool found = key_is(w, token, length);
        key->begin = w->at;
        skip_string(w);
        key->end = w->at;
        skip_space(w);
        w->at++; /* the colon */
        skip_space(w);
        if (found)
            return true;
        skip_value(w);
        skip_space(w);
        if (w->at < w->length && w->text[w->at] == ',')
            w->at++;
    }
}

static bool enter_element(struct walk *w, const char *token)
{
    unsigned long index = strtoul(token, NULL, 10);
    w->at++;
    for (;; index--) {
        skip_space(w);
        if (w->at >= w->length || w->text[w->at] == ']')
            return false;
        if (index == 0)
            return true;
        skip_value(w);
        skip_space(w);
        if (w->at < w->length && w->text[w->at] == ',')
            w->at++;
    }
}

static size_t unescape_token(const char *pointer, size_t length, char *token, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        char c = pointer[i];
        if (c == '~' && i + 1 < length)
            c = pointer[++i] == '1' ? '/' : '~';
        token[used++] = c;
    }
    token[used] = '\0';
    return used;
}

struct span json_place(const struct source *source, const char *pointer, bool key)
{
    struct walk w = {source->text, 0, (uint32_t)source->length};
    struct span member = {source, 0, 0};
    skip_space(&w);
    while (*pointer == '/') {
        size_t length = strcspn(++pointer, "/");
        char token[512];
        size_t used = unescape_token(pointer, length, token, sizeof token);
        pointer += length;
        char c = w.at < w.length ? w.text[w.at] : '\0';
        if (c == '{' ? !enter_member(&w, token, used, &member)
                     : c != '[' || !enter_element(&w, token))
            return NO_SPAN;
    }
    if (key && member.end)
        return member;
    struct span value = {source, w.at, 0};
    skip_value(&w);
    value.end = w.at;
    return value;
}

/* ---- out
 * -----------------------------------------------------------------------------------------------
 */

static int put(const char *bytes, size_t length, void *data)
{
    buffer_put(data, bytes, length);
    return 0;
}

result json_write(struct arena *arena, const json_t *value, struct buffer *out)
{
    *out = buffer_new(arena);
    if (json_dump_callback(value, put, out,
                           JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY |
                               JSON_REAL_PRECISION(9)))
        return FAILURE(ERROR_LIMIT);
    buffer_text(out, "\n");
    return SUCCESS;
}

json_t *json_hex(uint64_t value)
{
    return json_sprintf("0x%llx", (unsigned long long)value);
}

/* Text that may hold anything: what JSON does not escape by itself, and is not printable, is
 * written as diagnostics are. */
static json_t *json_text(const char *text)
{
    size_t length = strlen(text), used = 0;
    char *clean = malloc(4 * length + 1);
    if (!clean)
        return json_null();
    for (size_t i = 0, bytes; i < length; i += bytes) {
        unsigned char byte = (unsigned char)text[i];
        bytes = byte < 0x20 ? 1 : printable_length(text + i, length - i);
        if (bytes)
            memcpy(clean + used, text + i, bytes);
        used += bytes ? bytes : (size_t)sprintf(clean + used, "\\x%02x", byte);
        bytes += !bytes;
    }
    json_t *value = json_stringn(clean, used);
    free(clean);
    return value;
}

static json_t *json_diagnostic(const struct diagnostic *d)
{
    static const char *const names[] = {"note", "warning", "error"};
    json_t *object = json_object();
    json_object_set_new(object, "severity", json_string(names[d->severity]));
    if (d->span.source) {
        json_object_set_new(object, "file", json_text(d->span.source->name));
        if (d->span.source->binary) {
            json_object_set_new(object, "byte", json_integer(d->span.begin));
        } else {
            struct position at = source_position(d->span.source, d->span.begin);
            json_object_set_new(object, "line", json_integer(at.line));
            json_object_set_new(object, "column", json_integer(at.column));
        }
    }
    json_object_set_new(object, "message", json_text(d->message));
    if (d->notes) {
        json_t *notes = json_array();
        for (const struct diagnostic *note = d->notes; note; note = note->next)
            json_array_append_new(notes, json_diagnostic(note));
        json_object_set_new(object, "notes", notes);
    }
    return object;
}

json_t *json_diagnostics(const struct diagnostics *diagnostics)
{
    json_t *array = json_array();
    for (const struct diagnostic *d = diagnostics->first; d; d = d->next)
        json_array_append_new(array, json_diagnostic(d));
    return array;
}
