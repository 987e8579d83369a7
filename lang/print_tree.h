/* Pieces of syntax as text (print_tree.c), for the printer. */
#ifndef LANG_PRINT_TREE_H
#define LANG_PRINT_TREE_H

#include "lang/tree.h"

/* A space, or the end of a line. No token holds this byte. */
#define MARK_BREAK "\x01"

void put_expression(struct buffer *out, const struct expression *expression);
void put_element(struct buffer *out, const struct element *element);
void put_item(struct buffer *out, const struct item *item);
void put_item_condition(struct buffer *out, const struct item *item);
void put_action(struct buffer *out, const struct action_word *action);
void put_abis(struct buffer *out, const struct abi_word *words);
/* A statement without its list or target, and an `on` without its block. */
void put_statement_head(struct buffer *out, const struct statement *statement);

#endif
