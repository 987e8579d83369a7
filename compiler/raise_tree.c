/* Syntax that nobody wrote. Places in a text it has none. */
#include "compiler/raise_syntax.h"

static struct expression *make(struct arena *arena, enum expression_kind kind)
{
    struct expression *expression = NEW(arena, struct expression);
    expression->kind = kind;
    return expression;
}

struct expression *tree_name(struct arena *arena, const char *name)
{
    struct expression *expression = make(arena, EXPRESSION_NAME);
    expression->name = name;
    return expression;
}

struct expression *tree_text(struct arena *arena, uint64_t value, const char *text)
{
    struct expression *expression = make(arena, EXPRESSION_NUMBER);
    expression->number = value;
    expression->name = text;
    return expression;
}

struct expression *tree_number(struct arena *arena, uint64_t value)
{
    return tree_text(arena, value,
                     value < 10000 ? arena_printf(arena, "%llu", (unsigned long long)value)
                                   : arena_printf(arena, "0x%llx", (unsigned long long)value));
}

struct expression *tree_unary(struct arena *arena, enum operator operator,
                              struct expression * operand)
{
    struct expression *expression = make(arena, EXPRESSION_UNARY);
    expression->operator= operator;
    expression->left = operand;
    return expression;
}

struct expression *tree_apply(struct arena *arena, const char *name, struct expression *operand)
{
    struct expression *expression = make(arena, EXPRESSION_APPLY);
    expression->name = name;
    expression->left = operand;
    return expression;
}

struct expression *tree_compare(struct arena *arena, struct expression *left,
                                enum operator operator, struct expression * right)
{
    struct expression *expression = make(arena, EXPRESSION_COMPARE);
    expression->left = left;
    expression->operator= operator;
    expression->right = right;
    return expression;
}

struct expression *tree_in(struct arena *arena, struct expression *left, struct element *elements)
{
    struct expression *expression = make(arena, EXPRESSION_IN);
    expression->left = left;
    expression->elements = elements;
    return expression;
}

struct element *tree_element(struct arena *arena, struct expression *first, struct expression *last)
{
    struct element *element = NEW(arena, struct element);
    element->first = first;
    element->last = last;
    return element;
}

struct expression *tree_chain(struct arena *arena, struct expression *chain, enum level level,
                              enum operator operator, struct expression * operand)
{
    struct link *link = NEW(arena, struct link);
    link->operand = operand;
    if (!chain) {
        chain = make(arena, EXPRESSION_CHAIN);
        chain->level = level;
        chain->links = link;
    } else {
        link->operator= operator;
        chain->last_link->next = link;
    }
    chain->last_link = link;
    chain->link_count++;
    return chain;
}

struct expression *tree_parenthesized(struct expression *expression)
{
    expression->parenthesized =
        expression->kind != EXPRESSION_NAME && expression->kind != EXPRESSION_NUMBER &&
        expression->kind != EXPRESSION_UNARY && expression->kind != EXPRESSION_APPLY;
    return expression;
}
