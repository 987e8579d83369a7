/* The message for a token that cannot stand where it stands. */
#ifndef LANG_SYNTAX_ERROR_H
#define LANG_SYNTAX_ERROR_H

#include "lang/parse.h"

enum expectation_class {
    EXPECT_MARK, /* not worth naming */
    EXPECT_END,
    EXPECT_NAME,
    EXPECT_NUMBER,
    EXPECT_OPEN,
    EXPECT_AT,
    EXPECT_NR,
    EXPECT_ACTION,
    EXPECT_STATEMENT,
    EXPECT_OPERATOR,
    EXPECT_COMPARISON,
    EXPECT_OTHER,
    EXPECTATION_CLASSES
};

struct expectation {
    enum expectation_class class;
    const char *text;
};

struct syntax_error {
    struct parse *parse;
    bool classes[EXPECTATION_CLASSES];
    const char *others[16];
    size_t other_count;
};

void syntax_error_expect(struct syntax_error *error, const struct expectation *expectation);
void syntax_error_report(const struct syntax_error *error);

#endif
