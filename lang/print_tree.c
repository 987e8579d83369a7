/* Syntax as text, on one line with marks where it may be broken (layout.c). */
#include "lang/print_tree.h"

static const struct {
    const char *text;
} operators[OPERATOR_COUNT] = {
    [OPERATOR_NONE] = {""},
    [OPERATOR_NOT] = {"!"},
    [OPERATOR_NEGATE] = {"-"},
    [OPERATOR_COMPLEMENT] = {"~"},
    [OPERATOR_OR_ELSE] = {"||"},
    [OPERATOR_AND_ALSO] = {"&&"},
    [OPERATOR_OR] = {"|"},
    [OPERATOR_XOR] = {"^"},
    [OPERATOR_AND] = {"&"},
    [OPERATOR_SHIFT_LEFT] = {"<<"},
    [OPERATOR_SHIFT_RIGHT] = {">>"},
    [OPERATOR_ADD] = {"+"},
    [OPERATOR_SUB] = {"-"},
    [OPERATOR_MUL] = {"*"},
    [OPERATOR_DIV] = {"/"},
    [OPERATOR_EQUAL] = {"=="},
    [OPERATOR_NOT_EQUAL] = {"!="},
    [OPERATOR_LESS] = {"<"},
    [OPERATOR_LESS_EQUAL] = {"<="},
    [OPERATOR_GREATER] = {">"},
    [OPERATOR_GREATER_EQUAL] = {">="},
};

const char *operator_text(enum operator operator)
{
    return operators[operator].text;
}

/* ---- expressions
 * ------------------------------------------------------------------------------------------------
 */

static void put_elements(struct buffer *out, const struct element *elements)
{
    buffer_text(out, "{ ");
    for (const struct element *element = elements; element; element = element->next) {
        put_element(out, element);
        if (element->next)
            buffer_text(out, "," MARK_BREAK);
    }
    buffer_text(out, " }");
}

static void put_chain(struct buffer *out, const struct expression *chain)
{
    const char *space = chain->level <= LEVEL_OR ? MARK_BREAK : " ";
    for (const struct link *link = chain->links; link; link = link->next) {
        if (link->operator!= OPERATOR_NONE)
            buffer_printf(out, " %s%s", operator_text(link->operator), space);
        put_expression(out, link->operand);
    }
}

static void put_bare(struct buffer *out, const struct expression *expression)
{
    switch (expression->kind) {
    case EXPRESSION_NUMBER:
    case EXPRESSION_NAME:
        buffer_text(out, expression->name);
        break;
    case EXPRESSION_APPLY:
        buffer_printf(out, "%s(", expression->name);
        put_expression(out, expression->left);
        buffer_text(out, ")");
        break;
    case EXPRESSION_UNARY:
        buffer_text(out, operator_text(expression->operator));
        put_expression(out, expression->left);
        break;
    case EXPRESSION_CHAIN:
        put_chain(out, expression);
        break;
    case EXPRESSION_COMPARE:
        put_expression(out, expression->left);
        buffer_printf(out, " %s ", operator_text(expression->operator));
        put_expression(out, expression->right);
        break;
    case EXPRESSION_IN:
        put_expression(out, expression->left);
        buffer_text(out, " in ");
        if (expression->right)
            put_expression(out, expression->right);
        else
            put_elements(out, expression->elements);
        break;
    }
}

void put_expression(struct buffer *out, const struct expression *expression)
{
    if (expression->parenthesized)
        buffer_text(out, "(");
    put_bare(out, expression);
    if (expression->parenthesized)
        buffer_text(out, ")");
}

void put_element(struct buffer *out, const struct element *element)
{
    put_expression(out, element->first);
    if (!element->last)
        return;
    buffer_text(out, "..");
    put_expression(out, element->last);
}

/* ---- targets and actions
 * ------------------------------------------------------------------------------------------- */

void put_item_condition(struct buffer *out, const struct item *item)
{
    if (!item->condition)
        return;
    buffer_text(out, "(");
    put_expression(out, item->condition);
    buffer_text(out, ")");
}

static void put_numbers(struct buffer *out, const struct item *item)
{
    buffer_text(out, "nr ");
    put_expression(out, item->first);
    if (item->last == item->first)
        return;
    buffer_text(out, "..");
    put_expression(out, item->last);
}

void put_item(struct buffer *out, const struct item *item)
{
    if (item->kind == ITEM_NUMBERS)
        put_numbers(out, item);
    else if (item->kind == ITEM_GROUP)
        buffer_printf(out, "@%s", item->name);
    else if (item->kind == ITEM_CALL)
        buffer_text(out, item->name);
    for (const struct item *inner = item->items; inner; inner = inner->next) {
        buffer_text(out, inner == item->items ? "{ " : "," MARK_BREAK);
        put_item(out, inner);
        if (!inner->next)
            buffer_text(out, " }");
    }
    put_item_condition(out, item);
}

void put_action(struct buffer *out, const struct action_word *action)
{
    buffer_text(out, action->ret ? "ret" : action->permit ? "permit" : action->info->name);
    if (!action->data)
        return;
    buffer_text(out, "(");
    put_expression(out, action->data);
    buffer_text(out, ")");
}

void put_abis(struct buffer *out, const struct abi_word *words)
{
    for (; words; words = words->next)
        buffer_printf(out, "%s%s", words->name, words->next ? "," MARK_BREAK : "");
}

/* ---- statements
 * -------------------------------------------------------------------------------------------------------
 */

void put_statement_head(struct buffer *out, const struct statement *s)
{
    static const char *const words[STATEMENT_COUNT] = {
        [STATEMENT_POLICY] = "policy ",
        [STATEMENT_ABI] = "abi ",
        [STATEMENT_FOREIGN] = "foreign ",
        [STATEMENT_DEFAULT] = "default ",
        [STATEMENT_UNKNOWN] = "unknown ",
        [STATEMENT_INCLUDE] = "include ",
        [STATEMENT_CONST] = "const ",
        [STATEMENT_GROUP] = "group ",
        [STATEMENT_ON] = "on ",
        [STATEMENT_RULE] = "",
        [STATEMENT_RAW] = "raw ",
        [STATEMENT_NEVER] = "prove never ",
        [STATEMENT_ALWAYS] = "prove always ",
        [STATEMENT_AT_MOST] = "prove at_most ",
    };
    bool quoted = s->quoted || s->kind == STATEMENT_INCLUDE || s->kind == STATEMENT_AT_MOST;
    buffer_text(out, words[s->kind]);
    if (s->name)
        buffer_printf(out, quoted ? "\"%s\"" : "%s", s->name);
    if (s->kind == STATEMENT_CONST || s->kind == STATEMENT_GROUP)
        buffer_text(out, " = ");
    put_abis(out, s->abis);
    if (s->action.info || s->action.ret || s->action.permit) {
        put_action(out, &s->action);
        if (s->target)
            buffer_text(out, " ");
    }
    if (s->value) {
        buffer_text(out, s->kind == STATEMENT_RAW ? " if " : "");
        put_expression(out, s->value);
    }
}

static const char *without_marks(struct buffer *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (text->bytes[i] == MARK_BREAK[0])
            text->bytes[i] = ' ';
    return buffer_string(text);
}

const char *statement_text(struct arena *arena, const struct statement *statement)
{
    struct buffer text = buffer_new(arena);
    put_statement_head(&text, statement);
    if (statement->target)
        put_item(&text, statement->target);
    else if (statement->elements)
        put_elements(&text, statement->elements);
    return without_marks(&text);
}

const char *expression_text(struct arena *arena, const struct expression *expression)
{
    struct buffer text = buffer_new(arena);
    put_bare(&text, expression);
    return without_marks(&text);
}
