#include "abi/expression.h"

#define DEPTH_MOST 64 /* of parentheses and unary operators */

enum operator{
    OPERATOR_OR,
    OPERATOR_XOR,
    OPERATOR_AND,
    OPERATOR_LEFT,
    OPERATOR_RIGHT,
    OPERATOR_PLUS,
    OPERATOR_MINUS,
    OPERATOR_TIMES,
};

static const struct {
    const char *text;
    enum operator operator;
    unsigned level; /* the higher binds the tighter */
} operators[] = {
    {"|", OPERATOR_OR, 1},    {"^", OPERATOR_XOR, 2},    {"&", OPERATOR_AND, 3},
    {"<<", OPERATOR_LEFT, 4}, {">>", OPERATOR_RIGHT, 4}, {"+", OPERATOR_PLUS, 5},
    {"-", OPERATOR_MINUS, 5}, {"*", OPERATOR_TIMES, 6},
};

struct reader {
    struct scanner *scanner;
    struct names *names;
    unsigned depth;
};

static bool fits(exact value)
{
    const exact most = (exact)1 << 64;
    return value > -most && value < most;
}

/* False when the result has no place in the range of `exact`. */
static bool apply(enum operator operator, exact left, exact right, exact *value)
{
    switch (operator) {
    case OPERATOR_OR:
        *value = left | right;
        break;
    case OPERATOR_XOR:
        *value = left ^ right;
        break;
    case OPERATOR_AND:
        *value = left & right;
        break;
    case OPERATOR_LEFT:
        if (right < 0 || right > 63)
            return false;
        return !__builtin_mul_overflow(left, (exact)1 << right, value) && fits(*value);
    case OPERATOR_RIGHT:
        if (right < 0 || right > 63)
            return false;
        *value = left >> right;
        break;
    case OPERATOR_PLUS:
        *value = left + right;
        break;
    case OPERATOR_MINUS:
        *value = left - right;
        break;
    case OPERATOR_TIMES:
        return !__builtin_mul_overflow(left, right, value) && fits(*value);
    }
    return fits(*value);
}

static result read_binary(struct reader *reader, unsigned level, exact *value);

static result read_primary(struct reader *reader, exact *value)
{
    struct scanner *scanner = reader->scanner;
    struct span name;
    uint64_t number;
    if (scan_text(scanner, "(")) {
        result r = read_binary(reader, 1, value);
        return failed(r) ? r : scan_expect(scanner, ")");
    }
    if (scan_name(scanner, &name))
        return reader->names->value(reader->names, scanner, name, value);
    char next = scan_peek(scanner);
    if (next < '0' || next > '9')
        return scan_fail(scanner, "expected a value here");
    result r = scan_number(scanner, &number);
    *value = number;
    return r;
}

static result read_unary(struct reader *reader, exact *value)
{
    struct scanner *scanner = reader->scanner;
    if (reader->depth >= DEPTH_MOST)
        return scan_fail(scanner, "the expression is nested too deeply");
    reader->depth++;
    result r;
    if (scan_text(scanner, "~")) {
        r = read_unary(reader, value);
        if (worked(r))
            *value = ~*value;
    } else if (scan_text(scanner, "-")) {
        r = read_unary(reader, value);
        if (worked(r))
            *value = -*value;
    } else if (scan_text(scanner, "+")) {
        r = read_unary(reader, value);
    } else {
        r = read_primary(reader, value);
    }
    reader->depth--;
    return r;
}

/* The next binary operator of at least this level; COUNT_OF(operators) when there is none. */
static size_t next_operator(struct scanner *scanner, unsigned level)
{
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        if (operators[i].level >= level && scan_text(scanner, operators[i].text))
            return i;
    return COUNT_OF(operators);
}

static result read_binary(struct reader *reader, unsigned level, exact *value)
{
    scan_blanks(reader->scanner);
    size_t begin = reader->scanner->at;
    result r = read_unary(reader, value);
    while (worked(r)) {
        size_t found = next_operator(reader->scanner, level);
        if (found == COUNT_OF(operators))
            return r;
        exact left = *value, right;
        r = read_binary(reader, operators[found].level + 1, &right);
        if (worked(r) && !apply(operators[found].operator, left, right, value))
            return scan_fail_at(reader->scanner, scan_from(reader->scanner, begin),
                                "the result of `%s` does not fit in 64 bits",
                                operators[found].text);
    }
    return r;
}

result expression_read(struct scanner *scanner, struct names *names, exact *value)
{
    struct reader reader = {scanner, names, 0};
    *value = 0;
    return read_binary(&reader, 1, value);
}
