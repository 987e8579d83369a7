/* Nodes of the syntax tree. */
#include "lang/parse.h"

static struct expression *make(struct parse *parse, enum expression_kind kind, struct span span)
{
    struct expression *expression = NEW(parse->arena, struct expression);
    expression->kind = kind;
    expression->span = span;
    expression->depth = 1;
    return expression;
}

/* Past the limit the expression is replaced by a leaf, so that whoever walks the tree may recurse.
 */
static struct expression *limited(struct parse *parse, struct expression *expression)
{
    if (expression->depth <= EXPRESSION_DEPTH_MOST || expression->broken)
        return expression;
    report_error(parse->diagnostics, expression->span,
                 "this expression is nested more than %d deep", EXPRESSION_DEPTH_MOST);
    parse->tree->broken = true;
    struct expression *leaf = make_number(parse, expression->span, "0", 0);
    leaf->broken = true;
    return leaf;
}

struct expression *make_number(struct parse *parse, struct span span, const char *text,
                               uint64_t value)
{
    struct expression *expression = make(parse, EXPRESSION_NUMBER, span);
    expression->name = text;
    expression->number = value;
    return expression;
}

struct expression *make_name(struct parse *parse, struct span span, const char *name)
{
    struct expression *expression = make(parse, EXPRESSION_NAME, span);
    expression->name = name;
    return expression;
}

struct expression *make_apply(struct parse *parse, struct span span, const char *name,
                              struct expression *argument)
{
    if (argument->broken)
        return argument;
    struct expression *expression = make(parse, EXPRESSION_APPLY, span);
    expression->name = name;
    expression->left = argument;
    expression->depth = argument->depth + 1;
    return limited(parse, expression);
}

struct expression *make_unary(struct parse *parse, struct span span, enum operator operator,
                              struct expression * operand)
{
    if (operand->broken)
        return operand;
    struct expression *expression = make(parse, EXPRESSION_UNARY, span);
    expression->operator= operator;
    expression->left = operand;
    expression->depth = operand->depth + 1;
    return limited(parse, expression);
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned chain_depth(const struct expression *chain, unsigned deepest)
{
    if (chain->level == LEVEL_SHIFT || chain->level == LEVEL_PRODUCT) /* these cannot be balanced */
        return deepest + (unsigned)(chain->link_count > EXPRESSION_DEPTH_MOST
                                        ? EXPRESSION_DEPTH_MOST
                                        : chain->link_count);
    unsigned levels = 0;
    while (((size_t)1 << levels) < chain->link_count)
        levels++;
    return deepest + levels + (chain->level == LEVEL_SUM);
}

static void add_link(struct parse *parse, struct expression *chain, enum operator operator,
                     struct expression * operand)
{
    struct link *link = NEW(parse->arena, struct link);
    link->operator= operator;
    link->operand = operand;
    if (chain->last_link)
        chain->last_link->next = link;
    else
        chain->links = link;
    chain->last_link = link;
    chain->link_count++;
    chain->deepest = larger(chain->deepest, operand->depth);
    chain->depth = chain_depth(chain, chain->deepest);
}

struct expression *make_chain(struct parse *parse, enum level level, struct expression *left,
                              enum operator operator, struct span operator_span,
                              struct expression *right)
{
    struct expression *chain = left;
    if (left->broken || right->broken)
        return left->broken ? left : right;
    if (left->kind != EXPRESSION_CHAIN || left->level != level || left->parenthesized) {
        chain = make(parse, EXPRESSION_CHAIN, left->span);
        chain->level = level;
        chain->operator_span = operator_span;
        add_link(parse, chain, OPERATOR_NONE, left);
    }
    add_link(parse, chain, operator, right);
    chain->span = span_join(chain->span, right->span);
    return limited(parse, chain);
}

struct expression *make_compare(struct parse *parse, struct expression *left,
                                enum operator operator, struct span operator_span,
                                struct expression *right)
{
    if (left->broken || right->broken)
        return left->broken ? left : right;
    struct expression *expression =
        make(parse, EXPRESSION_COMPARE, span_join(left->span, right->span));
    expression->operator= operator;
    expression->operator_span = operator_span;
    expression->left = left;
    expression->right = right;
    expression->depth = larger(left->depth, right->depth) + 1;
    return limited(parse, expression);
}

struct expression *make_in(struct parse *parse, struct span span, struct expression *left,
                           struct element *elements, struct expression *name)
{
    if (left->broken)
        return left;
    struct expression *expression = make(parse, EXPRESSION_IN, span);
    expression->left = left;
    expression->right = name;
    expression->elements = elements;
    expression->depth = left->depth + 1;
    for (const struct element *element = elements; element; element = element->next) {
        expression->depth = larger(expression->depth, element->first->depth + 1);
        if (element->last)
            expression->depth = larger(expression->depth, element->last->depth + 1);
    }
    return limited(parse, expression);
}

struct expression *make_parenthesized(struct span span, struct expression *expression)
{
    expression->parenthesized = true;
    expression->span = span;
    return expression;
}

struct element *make_element(struct parse *parse, struct span span, struct expression *first,
                             struct expression *last)
{
    struct element *element = NEW(parse->arena, struct element);
    *element = (struct element){.span = span, .first = first, .last = last};
    return element;
}

struct item *make_item(struct parse *parse, enum item_kind kind, struct span span,
                       struct span name_span, const char *name)
{
    struct item *item = NEW(parse->arena, struct item);
    *item = (struct item){.kind = kind, .span = span, .name_span = name_span, .name = name};
    return item;
}

struct statement *make_statement(struct parse *parse, enum statement_kind kind, struct span span)
{
    struct statement *statement = NEW(parse->arena, struct statement);
    statement->kind = kind;
    statement->span = span;
    return statement;
}

struct abi_word *make_abi(struct parse *parse, struct span span, const char *name)
{
    struct abi_word *word = NEW(parse->arena, struct abi_word);
    *word = (struct abi_word){.name = name, .span = span};
    return word;
}
