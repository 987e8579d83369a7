#include "abi/expression.h"

/* Reading calls as text:
 *
 *   call   = [ abi ":" | "arch" "(" value ")" ":" ] name [ "(" [ values ] [ ";" values ] ")" ]
 *            [ "@" value ] [ "=" anything ]
 *   name   = a system call, or "nr" with the number as its first value
 *   value  = a constant expression, or text that strace shows for what a pointer points to
 *
 * Values after ";" stand in the registers behind the call's own parameters, which the kernel
 * ignores but a filter sees. What follows "=" is the result in strace's output. */

#define CALL_ARGUMENTS 6u
#define POINTED_TO 0x1000u /* the address for a "string", a {struct} or an [array] */
#define NEAREST_MOST 3u

struct call_reader {
    struct names names; /* first, so that the callback finds the rest */
    struct scanner scanner;
    enum abi_id abi;
    bool is_number; /* nr(...) */
    const struct syscall_entry *entry;
    unsigned count; /* of registers filled so far */
    struct call *call;
};

/* "; did you mean `a`, `b`?" or nothing. */
static const char *suggestion(struct arena *arena, const char **nearest, size_t count)
{
    struct buffer text = buffer_new(arena);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s`%s`", i ? ", " : "; did you mean ", nearest[i]);
    if (count)
        buffer_text(&text, "?");
    return buffer_string(&text);
}

static char *span_text(struct arena *arena, struct span span)
{
    return arena_string(arena, span.source->text + span.begin, span.end - span.begin);
}

static result constant_value(struct names *names, struct scanner *scanner, struct span span,
                             exact *value)
{
    const struct call_reader *reader = (const struct call_reader *)names;
    struct arena *arena = scanner->diagnostics->arena;
    const char *name = span_text(arena, span);
    const char *nearest[NEAREST_MOST];
    int64_t number = 0;
    bool is_known = reader->abi < ABI_COUNT && abi_constant(reader->abi, name, &number);
    *value = number;
    if (is_known || strcmp(name, "NULL") == 0)
        return SUCCESS;
    if (reader->abi >= ABI_COUNT)
        return scan_fail_at(scanner, span, "`%s` has no value on an unknown architecture", name);
    if (abi_constant_anywhere(name))
        return scan_fail_at(scanner, span, "the constant `%s` does not exist on %s", name,
                            abi_get(reader->abi)->name);
    size_t count = abi_nearest_constants(name, nearest, NEAREST_MOST);
    return scan_fail_at(scanner, span, "unknown constant `%s`%s", name,
                        suggestion(arena, nearest, count));
}

/* Skips a quoted string, with the "..." that strace puts after one it has cut. */
static result skip_string(struct scanner *scanner)
{
    size_t begin = scanner->at++;
    const char *text = scanner->source->text;
    while (scanner->at < scanner->end && text[scanner->at] != '"')
        scanner->at += text[scanner->at] == '\\' ? 2 : 1;
    if (scanner->at >= scanner->end) {
        scanner->at = scanner->end;
        return scan_fail_at(scanner, scan_from(scanner, begin), "the string is never closed");
    }
    scanner->at++;
    scan_text(scanner, "...");
    return SUCCESS;
}

/* Skips {...} or [...], by counting brackets. */
static result skip_brackets(struct scanner *scanner)
{
    size_t begin = scanner->at;
    size_t depth = 0;
    do {
        char c = scan_peek(scanner);
        if (c == '\0' && scanner->at >= scanner->end)
            return scan_fail_at(scanner, scan_from(scanner, begin), "the bracket is never closed");
        if (c == '"') {
            result r = skip_string(scanner);
            if (failed(r))
                return r;
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        scanner->at++;
    } while (depth > 0);
    return SUCCESS;
}

static unsigned word_bits(enum abi_id abi)
{
    return abi < ABI_COUNT ? abi_get(abi)->word_bits : 64;
}

/* Positive values stand in the register as they are written, all 64 bits of them, on every ABI;
 * negative ones are extended to the word, as a C caller's are. */
static result to_register(struct scanner *scanner, struct span span, exact value, unsigned bits,
                          uint64_t *word)
{
    if (value > (exact)UINT64_MAX || value < -((exact)1 << (bits - 1)))
        return scan_fail_at(scanner, span, "the value does not fit in a register of %u bits", bits);
    *word = (uint64_t)value;
    if (value < 0 && bits < 64)
        *word &= ((uint64_t)1 << bits) - 1;
    return SUCCESS;
}

static result read_value(struct call_reader *reader, unsigned bits, uint64_t *word)
{
    struct scanner *scanner = &reader->scanner;
    char next = scan_peek(scanner);
    *word = POINTED_TO;
    if (next == '"')
        return skip_string(scanner);
    if (next == '{' || next == '[')
        return skip_brackets(scanner);
    size_t begin = scanner->at;
    exact value;
    result r = expression_read(scanner, &reader->names, &value);
    if (failed(r))
        return r;
    return to_register(scanner, scan_from(scanner, begin), value, bits, word);
}

static result read_word32(struct call_reader *reader, const char *what, uint32_t *word)
{
    scan_blanks(&reader->scanner);
    size_t begin = reader->scanner.at;
    exact value;
    result r = expression_read(&reader->scanner, &reader->names, &value);
    if (failed(r))
        return r;
    if (value > (exact)UINT32_MAX || value < (exact)INT32_MIN)
        return scan_fail_at(&reader->scanner, scan_from(&reader->scanner, begin),
                            "%s has 32 bits, this value does not fit", what);
    *word = (uint32_t)value;
    return SUCCESS;
}

/* How many registers the call's own parameters fill. */
static unsigned parameter_count(const struct syscall_entry *entry)
{
    bool is_known = entry && entry->argument_count <= CALL_ARGUMENTS;
    return is_known ? entry->argument_count : CALL_ARGUMENTS;
}

/* The register that the first written argument fills. */
static unsigned first_register(const struct call_reader *reader)
{
    bool is_named = reader->entry && reader->entry->argument_count <= CALL_ARGUMENTS;
    return is_named ? abi_get(reader->abi)->first_argument : 0;
}

static result read_values(struct call_reader *reader, unsigned most)
{
    struct scanner *scanner = &reader->scanner;
    do {
        scan_blanks(scanner);
        size_t begin = scanner->at;
        uint64_t word;
        result r = read_value(reader, word_bits(reader->abi), &word);
        if (failed(r))
            return r;
        if (reader->count >= most) {
            unsigned takes = most - first_register(reader);
            r = scan_fail_at(scanner, scan_from(scanner, begin), "%s takes %u argument%s",
                             reader->entry ? reader->entry->name : "a call", takes,
                             takes == 1 ? "" : "s");
            if (most < CALL_ARGUMENTS)
                report_note(scanner->diagnostics, NO_SPAN,
                            "registers that the kernel ignores are written after `;`");
            return r;
        }
        reader->call->input.args[reader->count++] = word;
    } while (scan_text(scanner, ","));
    return SUCCESS;
}

static result read_arguments(struct call_reader *reader)
{
    struct scanner *scanner = &reader->scanner;
    unsigned parameters = parameter_count(reader->entry);
    reader->count = first_register(reader);
    if (reader->is_number) {
        result r = read_word32(reader, "a system call's number", &reader->call->input.nr);
        if (failed(r))
            return r;
        if (scan_text(scanner, ")"))
            return SUCCESS;
        r = scan_expect(scanner, ",");
        if (failed(r))
            return r;
    }
    char next = scan_peek(scanner);
    if (next != ')' && next != ';') {
        result r = read_values(reader, parameters);
        if (failed(r))
            return r;
    }
    if (scan_text(scanner, ";")) {
        reader->count = parameters;
        result r = read_values(reader, CALL_ARGUMENTS);
        if (failed(r))
            return r;
    }
    return scan_expect(scanner, ")");
}

static result unknown_call(struct call_reader *reader, struct span span, const char *name)
{
    struct scanner *scanner = &reader->scanner;
    struct arena *arena = scanner->diagnostics->arena;
    const char *nearest[NEAREST_MOST];
    if (reader->abi >= ABI_COUNT)
        return scan_fail_at(scanner, span,
                            "on an architecture by its token, write nr(NUMBER, ...)");
    const char *abi = abi_get(reader->abi)->name;
    if (abi_syscall_anywhere(name))
        return scan_fail_at(scanner, span, "%s has no system call `%s`", abi, name);
    size_t count = abi_nearest_syscalls(name, nearest, NEAREST_MOST);
    return scan_fail_at(scanner, span, "unknown system call `%s`%s", name,
                        suggestion(arena, nearest, count));
}

static result find_call(struct call_reader *reader, struct span span)
{
    const char *name = span_text(reader->scanner.diagnostics->arena, span);
    reader->is_number = strcmp(name, "nr") == 0;
    if (reader->is_number)
        return SUCCESS;
    if (reader->abi < ABI_COUNT)
        reader->entry = abi_syscall(reader->abi, name);
    if (!reader->entry)
        return unknown_call(reader, span, name);
    reader->call->input.nr = reader->entry->nr;
    return SUCCESS;
}

/* arch(0x40000003): any token; the ABI is one that has it. */
static result read_token(struct call_reader *reader)
{
    uint32_t token;
    result r = read_word32(reader, "an architecture token", &token);
    if (failed(r))
        return r;
    struct input probe = {.arch = token};
    enum abi_id little = input_abi(&probe, false);
    reader->abi = little != ABI_NONE ? little : input_abi(&probe, true);
    reader->call->input.arch = token;
    r = scan_expect(&reader->scanner, ")");
    return failed(r) ? r : scan_expect(&reader->scanner, ":");
}

static result read_abi(struct call_reader *reader, struct span span)
{
    const char *name = span_text(reader->scanner.diagnostics->arena, span);
    const struct abi *abi = abi_by_name(name);
    if (!abi)
        return scan_fail_at(&reader->scanner, span, "unknown ABI `%s`", name);
    reader->abi = abi->id;
    reader->call->input.arch = abi->token;
    return SUCCESS;
}

/* The optional prefix; leaves the call's name in `name`. */
static result read_prefix(struct call_reader *reader, struct span *name)
{
    struct scanner *scanner = &reader->scanner;
    if (!scan_name(scanner, name))
        return scan_fail(scanner, "expected a system call here");
    result r = SUCCESS;
    if (span_is(*name, "arch") && scan_text(scanner, "("))
        r = read_token(reader);
    else if (scan_text(scanner, ":"))
        r = read_abi(reader, *name);
    else
        return SUCCESS;
    if (worked(r) && !scan_name(scanner, name))
        return scan_fail(scanner, "expected a system call here");
    return r;
}

static result read_suffix(struct call_reader *reader)
{
    struct scanner *scanner = &reader->scanner;
    if (scan_text(scanner, "@")) {
        result r = read_value(reader, 64, &reader->call->input.ip);
        if (failed(r))
            return r;
    }
    char next = scan_peek(scanner);
    if (next == '=' || scanner->at >= scanner->end)
        return SUCCESS;
    return scan_fail(scanner, "expected the call to end here");
}

/* `getpid` alone is `getpid()`; nr needs its number. */
static result read_call(struct call_reader *reader)
{
    struct span name;
    result r = read_prefix(reader, &name);
    if (worked(r))
        r = find_call(reader, name);
    if (failed(r))
        return r;
    if (first_register(reader))
        reader->call->input.args[0] = reader->call->input.nr;
    if (scan_text(&reader->scanner, "("))
        r = read_arguments(reader);
    else if (reader->is_number)
        r = scan_expect(&reader->scanner, "(");
    return failed(r) ? r : read_suffix(reader);
}

result call_parse(struct arena *arena, const char *text, enum abi_id abi,
                  struct diagnostics *diagnostics, struct call *call)
{
    const struct source *source = source_from_text(arena, "<call>", text, strlen(text));
    struct call_reader reader = {
        .names = {constant_value},
        .scanner = scanner_over(source, diagnostics),
        .abi = abi,
        .call = call,
    };
    *call = (struct call){.abi = abi};
    if (abi < ABI_COUNT)
        call->input.arch = abi_get(abi)->token;
    result r = read_call(&reader);
    if (failed(r))
        return r;
    /* A raw number decides for itself whether x86_64's token means x32. */
    bool big_endian = reader.abi < ABI_COUNT && abi_get(reader.abi)->big_endian;
    call->abi = reader.is_number ? input_abi(&call->input, big_endian) : reader.abi;
    return SUCCESS;
}
