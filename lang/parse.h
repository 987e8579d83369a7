/* What the scanner, the parser and parse.c share while one file is read. Nothing else includes it.
 */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/tree.h"

/* Token values. */
struct statement_list {
    struct statement *first, *last;
};
struct item_list {
    struct item *first, *last;
};
struct element_list {
    struct element *first, *last;
};
struct abi_word_list {
    struct abi_word *first, *last;
};

union token_value {
    const char *text;
    struct {
        const char *text;
        uint64_t value;
    } number;
    const struct action_info *action;
    enum operator operator;
};

struct token {
    int kind;
    union token_value value;
    struct span span;
    bool is_word; /* it is spelled as a word, whatever it was taken for */
};

struct parse {
    struct arena *arena;
    const struct source *source;
    struct diagnostics *diagnostics;
    void *scanner;
    uint32_t offset; /* of the scanner */
    struct tree *tree;
    VECTOR(struct span) comments;

    struct token last, pending;
    bool has_pending;
    unsigned parentheses; /* open now */
    unsigned braces;      /* of lists, open now */
    bool block;           /* inside the braces of `on` */
    bool block_is_orphan; /* its `on` was broken: its closing brace is swallowed */
    bool expecting_block; /* between `on` and its brace */
    struct span opened[EXPRESSION_DEPTH_MOST + 2]; /* open parentheses */
    struct span opened_brace, opened_block;
    bool skipping;                   /* after a mistake, up to the next statement */
    int statement;                   /* the kind of the word that started the last statement */
    unsigned spelled;                /* enum lost: words of the header that stand in the text */
    bool closed_block;               /* the last closing brace ended a block */
    bool ended;                      /* the scanner has given the end of the file */
    unsigned restarts, end_restarts; /* after mistakes */
    uint32_t restarted_at;
};

/* The scanner: one token without regard to what stands around it. */
int lexer_scan(struct token *token, void *scanner);
MUST_USE bool lexer_open(struct parse *parse);
int token_number(struct parse *parse, struct token *token, const char *text);
int token_string(struct parse *parse, const struct token *token);
int token_unclosed_string(struct parse *parse, const struct token *token);
int token_stray(struct parse *parse, const struct token *token);
/* The parser's view: words by their place. */
int token_next(struct parse *parse, struct token *token);
/* After a syntax error: skips to where a statement may start. False at an end that cannot be
 * accepted. */
bool parse_resynchronize(struct parse *parse);
void parse_out_of_stack(struct parse *parse);

/* ---- constructors (tree.c)
 * ------------------------------------------------------------------------------------- */

struct expression *make_number(struct parse *parse, struct span span, const char *text,
                               uint64_t value);
struct expression *make_name(struct parse *parse, struct span span, const char *name);
struct expression *make_apply(struct parse *parse, struct span span, const char *name,
                              struct expression *argument);
struct expression *make_unary(struct parse *parse, struct span span, enum operator operator,
                              struct expression * operand);
struct expression *make_chain(struct parse *parse, enum level level, struct expression *left,
                              enum operator operator, struct span operator_span,
                              struct expression *right);
struct expression *make_compare(struct parse *parse, struct expression *left,
                                enum operator operator, struct span operator_span,
                                struct expression *right);
struct expression *make_in(struct parse *parse, struct span span, struct expression *left,
                           struct element *elements, struct expression *name);
struct expression *make_parenthesized(struct span span, struct expression *expression);
struct element *make_element(struct parse *parse, struct span span, struct expression *first,
                             struct expression *last);
struct item *make_item(struct parse *parse, enum item_kind kind, struct span span,
                       struct span name_span, const char *name);
struct statement *make_statement(struct parse *parse, enum statement_kind kind, struct span span);
struct abi_word *make_abi(struct parse *parse, struct span span, const char *name);

#endif
