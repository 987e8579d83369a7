/* The syntax tree: what a policy's text says, before any name is looked up. Made by grammar.y and
 * parse.c, read by the printer and the resolver. All of it lives in the arena; lists are linked in
 * the order of the text.
 */
#ifndef LANG_TREE_H
#define LANG_TREE_H

#include "lang/lang.h"

/* ---- expressions: conditions and arithmetic share one syntax
 * ---------------------------------------------- */

enum expression_kind {
    EXPRESSION_NUMBER,
    EXPRESSION_NAME,
    EXPRESSION_APPLY,   /* name(left): u64, lo32, hi32 */
    EXPRESSION_UNARY,   /* operator left: ! - ~ */
    EXPRESSION_CHAIN,   /* operands of one level: a | b | c, a + b - c */
    EXPRESSION_COMPARE, /* left operator right */
    EXPRESSION_IN,      /* left in { elements }, or left in NAME */
};

enum operator{
    OPERATOR_NONE,
    OPERATOR_NOT,
    OPERATOR_NEGATE,
    OPERATOR_COMPLEMENT,
    OPERATOR_OR_ELSE,  /* || */
    OPERATOR_AND_ALSO, /* && */
    OPERATOR_OR,
    OPERATOR_XOR,
    OPERATOR_AND,
    OPERATOR_SHIFT_LEFT,
    OPERATOR_SHIFT_RIGHT,
    OPERATOR_ADD,
    OPERATOR_SUB,
    OPERATOR_MUL,
    OPERATOR_DIV,
    OPERATOR_EQUAL, /* the comparisons, in the order of enum comparison */
    OPERATOR_NOT_EQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_COUNT
};

/* From the loosest to the tightest. */
enum level {
    LEVEL_OR_ELSE,
    LEVEL_AND_ALSO,
    LEVEL_OR,
    LEVEL_XOR,
    LEVEL_AND,
    LEVEL_SHIFT,
    LEVEL_SUM,
    LEVEL_PRODUCT
};

struct link {
    enum operator operator; /* between the operand before and this one; the first has none */
    struct expression *operand;
    struct link *next;
};

struct expression {
    enum expression_kind kind;
    struct span span; /* with its parentheses */
    bool parenthesized;
    bool broken;      /* a mistake in it was reported already */
    unsigned depth;   /* at least the depth of what it resolves to: balanced chains count log2 */
    const char *name; /* NAME, APPLY; NUMBER: as it was written */
    uint64_t number;
    enum operator operator; /* UNARY, COMPARE */
    struct span operator_span;
    struct expression *left, *right;
    enum level level; /* CHAIN */
    struct link *links, *last_link;
    size_t link_count;
    unsigned deepest;         /* of the links */
    struct element *elements; /* IN with braces; `right` is the name otherwise */
};

/* One value or closed range of a list. */
struct element {
    struct span span;
    struct expression *first, *last; /* last: NULL for one value */
    struct element *next;
};

/* ---- statements
 * --------------------------------------------------------------------------------------------- */

struct action_word {
    struct span span;
    bool ret;    /* ret(EXPRESSION) */
    bool permit; /* of goals */
    const struct action_info *info;
    struct expression *data; /* NULL: none given */
};

enum item_kind { ITEM_CALL, ITEM_GROUP, ITEM_NUMBERS, ITEM_LIST };

struct item {
    enum item_kind kind;
    struct span span, name_span;     /* name_span of a LIST: its braces */
    const char *name;                /* CALL, GROUP */
    struct expression *first, *last; /* NUMBERS */
    struct item *items;              /* LIST */
    struct expression *condition;    /* NULL: none */
    struct item *next;
};

struct abi_word {
    const char *name;
    struct span span;
    struct abi_word *next;
};

enum statement_kind {
    STATEMENT_POLICY,
    STATEMENT_ABI,
    STATEMENT_FOREIGN,
    STATEMENT_DEFAULT,
    STATEMENT_UNKNOWN,
    STATEMENT_INCLUDE,
    STATEMENT_CONST,
    STATEMENT_GROUP,
    STATEMENT_ON,
    STATEMENT_RULE,
    STATEMENT_RAW,
    STATEMENT_NEVER,
    STATEMENT_ALWAYS,
    STATEMENT_AT_MOST,
    STATEMENT_COUNT
};

struct statement {
    enum statement_kind kind;
    struct span span, name_span;
    const char *name;          /* POLICY, CONST, GROUP; INCLUDE and AT_MOST: the path */
    bool quoted;               /* POLICY: the name stood in quotes */
    struct abi_word *abis;     /* ABI, ON */
    struct action_word action; /* settings, RULE, RAW, NEVER, ALWAYS */
    struct item *target;       /* RULE, NEVER, ALWAYS; GROUP: a LIST */
    struct expression *value;  /* CONST of one value; RAW: its condition or NULL */
    struct element *elements;  /* CONST of a list */
    struct span list_span;     /* its braces */
    struct statement *block;   /* ON */
    struct tree *included;     /* INCLUDE: NULL when it was read before or could not be */
    struct statement *next;
};

enum lost { LOST_DEFINITION = 1, LOST_ABI = 2, LOST_DEFAULT = 4 };

/* One file. */
struct tree {
    const struct source *source;
    struct statement *statements;
    const struct span *comments; /* in order, each from '#' up to the end of its line */
    size_t comment_count;
    bool broken;   /* it, or what it includes, had syntax errors */
    unsigned lost; /* enum lost: what may have stood in them, and must not be called missing */
};

/* Text of one statement on one line, for rule_info and diagnostics. */
const char *statement_text(struct arena *arena, const struct statement *statement);
/* An expression as the printer writes it. */
const char *expression_text(struct arena *arena, const struct expression *expression);
/* A path as seen from the file that names it; "<stdin>" and the like stand in the working
 * directory. */
const char *path_beside(struct arena *arena, const struct source *source, const char *path);
const char *operator_text(enum operator operator);

#endif
