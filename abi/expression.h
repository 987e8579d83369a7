/* Constant expressions as C writes them, for calls (abi/calls.c) and for programs as text (bpf/).
 * Values are exact integers of more than 64 bits; what fits where is the caller's business. */
#ifndef ABI_EXPRESSION_H
#define ABI_EXPRESSION_H

#include "abi/abi.h"

__extension__ typedef __int128 exact; /* results are kept between -2^64 and 2^64 */

/* A place in a text that is read from left to right, and where the text ends. Blanks, and comments
 * as in C, are skipped before every piece. */
struct scanner {
    const struct source *source;
    size_t at;
    size_t end;
    struct diagnostics *diagnostics;
};

struct scanner scanner_over(const struct source *source, struct diagnostics *diagnostics);
void scan_blanks(struct scanner *scanner);
/* The next byte that is no blank, 0 at the end; not taken. */
char scan_peek(struct scanner *scanner);
/* Takes `text` when it comes next. */
bool scan_text(struct scanner *scanner, const char *text);
/* Takes a name ([A-Za-z_][A-Za-z0-9_]*) when one comes next. */
bool scan_name(struct scanner *scanner, struct span *name);
/* Takes `word` when it is the whole next name. */
bool scan_word(struct scanner *scanner, const char *word);
bool span_is(struct span span, const char *text);
/* Takes a number: decimal, 0x, or octal with a leading 0; C's suffixes u and l are taken with it. */
MUST_USE result scan_number(struct scanner *scanner, uint64_t *value);
/* Reports `message` at what comes next, naming it; returns ERROR_INPUT. */
MUST_USE result scan_fail(struct scanner *scanner, const char *message);
MUST_USE result scan_fail_at(struct scanner *scanner, struct span span, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Takes `text`, or reports that it was expected. */
MUST_USE result scan_expect(struct scanner *scanner, const char *text);
struct span scan_from(const struct scanner *scanner, size_t begin);

/* What gives names their values. `name` may read on (offsetof(...)); it reports its failures. */
struct names {
    result (*value)(struct names *names, struct scanner *scanner, struct span name, exact *value);
};

/* | ^ & << >> + - * and unary ~ - +, parentheses, numbers, names; C's precedence. */
MUST_USE result expression_read(struct scanner *scanner, struct names *names, exact *value);

#endif
