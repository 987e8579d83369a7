#include "abi/expression.h"

#define SHOWN_MOST 24 /* bytes of the text that a message repeats */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool continues_name(char c)
{
    return starts_name(c) || is_digit(c);
}

struct scanner scanner_over(const struct source *source, struct diagnostics *diagnostics)
{
    return (struct scanner){source, 0, source->length, diagnostics};
}

static char byte_at(const struct scanner *scanner, size_t offset)
{
    return offset < scanner->end ? scanner->source->text[offset] : '\0';
}

/* The end of the comment that begins here; `at` when there is none, or when it is never closed. */
static size_t comment_end(const struct scanner *scanner, size_t at)
{
    if (byte_at(scanner, at) != '/')
        return at;
    if (byte_at(scanner, at + 1) == '/') {
        while (at < scanner->end && byte_at(scanner, at) != '\n')
            at++;
        return at;
    }
    if (byte_at(scanner, at + 1) != '*')
        return at;
    for (size_t i = at + 2; i + 1 < scanner->end; i++)
        if (byte_at(scanner, i) == '*' && byte_at(scanner, i + 1) == '/')
            return i + 2;
    return at;
}

void scan_blanks(struct scanner *scanner)
{
    for (;;) {
        while (scanner->at < scanner->end && is_blank(byte_at(scanner, scanner->at)))
            scanner->at++;
        size_t after = comment_end(scanner, scanner->at);
        if (after == scanner->at)
            return;
        scanner->at = after;
    }
}

char scan_peek(struct scanner *scanner)
{
    scan_blanks(scanner);
    return byte_at(scanner, scanner->at);
}

bool scan_text(struct scanner *scanner, const char *text)
{
    size_t length = strlen(text);
    scan_blanks(scanner);
    if (length > scanner->end - scanner->at ||
        memcmp(scanner->source->text + scanner->at, text, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

struct span scan_from(const struct scanner *scanner, size_t begin)
{
    return (struct span){scanner->source, (uint32_t)begin, (uint32_t)scanner->at};
}

bool scan_name(struct scanner *scanner, struct span *name)
{
    if (!starts_name(scan_peek(scanner)))
        return false;
    size_t begin = scanner->at;
    while (continues_name(byte_at(scanner, scanner->at)))
        scanner->at++;
    *name = scan_from(scanner, begin);
    return true;
}

bool span_is(struct span span, const char *text)
{
    size_t length = span.end - span.begin;
    return strlen(text) == length && memcmp(span.source->text + span.begin, text, length) == 0;
}

bool scan_word(struct scanner *scanner, const char *word)
{
    struct span name;
    scan_blanks(scanner);
    size_t before = scanner->at;
    if (scan_name(scanner, &name) && span_is(name, word))
        return true;
    scanner->at = before;
    return false;
}

result scan_fail_at(struct scanner *scanner, struct span span, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report_error(scanner->diagnostics, span, "%s", message);
    return FAILURE(ERROR_INPUT);
}

/* What comes next, for a message: a whole name or number, else one byte. */
static struct span next_piece(struct scanner *scanner)
{
    scan_blanks(scanner);
    size_t end = scanner->at;
    while (continues_name(byte_at(scanner, end)))
        end++;
    if (end == scanner->at && end < scanner->end)
        end++;
    return (struct span){scanner->source, (uint32_t)scanner->at, (uint32_t)end};
}

result scan_fail(struct scanner *scanner, const char *message)
{
    struct span piece = next_piece(scanner);
    int length = (int)(piece.end - piece.begin);
    if (length == 0)
        return scan_fail_at(scanner, piece, "%s, but the text ends here", message);
    unsigned char first = (unsigned char)piece.source->text[piece.begin];
    if (first < ' ' || first > '~')
        return scan_fail_at(scanner, piece, "%s, not the byte 0x%02x", message, first);
    return scan_fail_at(scanner, piece, "%s, not `%.*s%s`", message,
                        length > SHOWN_MOST ? SHOWN_MOST : length, piece.source->text + piece.begin,
                        length > SHOWN_MOST ? "..." : "");
}

result scan_expect(struct scanner *scanner, const char *text)
{
    char message[64];
    if (scan_text(scanner, text))
        return SUCCESS;
    snprintf(message, sizeof message, "expected `%s` here", text);
    return scan_fail(scanner, message);
}

static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A' + 10);
    return 16;
}

static unsigned scan_base(struct scanner *scanner)
{
    if (byte_at(scanner, scanner->at) != '0')
        return 10;
    char second = byte_at(scanner, scanner->at + 1);
    if (second == 'x' || second == 'X') {
        scanner->at += 2;
        return 16;
    }
    return 8;
}

static void scan_suffix(struct scanner *scanner)
{
    char c = byte_at(scanner, scanner->at);
    for (unsigned i = 0; i < 3 && (c == 'u' || c == 'U' || c == 'l' || c == 'L'); i++)
        c = byte_at(scanner, ++scanner->at);
}

result scan_number(struct scanner *scanner, uint64_t *value)
{
    if (!is_digit(scan_peek(scanner)))
        return scan_fail(scanner, "expected a number here");
    struct span piece = next_piece(scanner);
    unsigned base = scan_base(scanner);
    size_t first = scanner->at;
    bool too_large = false;
    *value = 0;
    for (unsigned digit; (digit = digit_value(byte_at(scanner, scanner->at))) < base; scanner->at++)
        too_large |= __builtin_mul_overflow(*value, (uint64_t)base, value) ||
                     __builtin_add_overflow(*value, (uint64_t)digit, value);
    bool empty = scanner->at == first;
    scan_suffix(scanner);
    if (empty || continues_name(byte_at(scanner, scanner->at)))
        return scan_fail_at(scanner, piece, "`%.*s` is not a number",
                            (int)(piece.end - piece.begin > 64 ? 64 : piece.end - piece.begin),
                            piece.source->text + piece.begin);
    if (too_large)
        return scan_fail_at(scanner, piece, "the number has more than 64 bits");
    return SUCCESS;
}
