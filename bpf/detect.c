#include "abi/expression.h"
#include "bpf/bpf.h"
#include "bpf/raw.h"

/* Which format a file has, by its content alone. */

static bool is_mnemonic(struct span name)
{
    static const char *const others[] = {"jmp", "ldi", "ldxi", "jne", "jneq", "jlt", "jle"};
    size_t count;
    const struct instruction_info *table = instruction_table(&count);
    for (size_t i = 0; i < count; i++)
        if (span_is(name, table[i].mnemonic))
            return true;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (span_is(name, others[i]))
            return true;
    return false;
}

/* Skips lines that are comments in assembly or directives in C. */
static void skip_remarks(struct scanner *scanner)
{
    for (char next = scan_peek(scanner); next == '#' || next == ';'; next = scan_peek(scanner))
        while (scanner->at < scanner->end && scanner->source->text[scanner->at] != '\n')
            scanner->at++;
}

/* Digits, blanks and commas only: `12: ret allow` is assembly. */
static bool is_decimal(struct scanner scanner)
{
    while (scanner.at < scanner.end) {
        char c = scanner.source->text[scanner.at++];
        if (!(c >= '0' && c <= '9') && c != ',' && c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return false;
    }
    return true;
}

static bool is_assembly(struct scanner scanner)
{
    struct span name;
    char next = scan_peek(&scanner);
    if (next == '.')
        return true;
    if (next >= '0' && next <= '9') {
        while (scan_peek(&scanner) >= '0' && scan_peek(&scanner) <= '9')
            scanner.at++;
        return scan_text(&scanner, ":");
    }
    /* A label: what is behind it must be an instruction. */
    while (scan_name(&scanner, &name)) {
        if (!scan_text(&scanner, ":"))
            return is_mnemonic(name);
        skip_remarks(&scanner);
    }
    return false;
}

/* `{ 0x20, ...`, `{ { 0x20`, `{ .code`, a macro, or a declaration of struct sock_filter. */
static bool is_c(struct scanner scanner)
{
    struct span name;
    while (scan_text(&scanner, "{"))
        skip_remarks(&scanner);
    char next = scan_peek(&scanner);
    if (scanner.at > 0 && ((next >= '0' && next <= '9') || next == '.'))
        return true;
    while (scan_name(&scanner, &name))
        if (span_is(name, "sock_filter") || span_is(name, "BPF_STMT") ||
            span_is(name, "BPF_JUMP") || span_is(name, "BPF_LD"))
            return true;
    return false;
}

enum format format_detect(const struct source *source)
{
    struct scanner scanner = scanner_over(source, NULL);
    if (memchr(source->text, '\0', source->length))
        return raw_is_big_endian(source) ? FORMAT_RAW_BIG : FORMAT_RAW_LITTLE;
    skip_remarks(&scanner);
    char next = scan_peek(&scanner);
    if (next == '\0')
        return FORMAT_UNKNOWN;
    if (next == '[')
        return FORMAT_JSON;
    if (next >= '0' && next <= '9' && is_decimal(scanner))
        return FORMAT_DECIMAL;
    if (is_assembly(scanner))
        return FORMAT_ASSEMBLY;
    return is_c(scanner) ? FORMAT_C : FORMAT_UNKNOWN;
}
