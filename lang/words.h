/* The language's words, and what a word means by its place (words.c). */
#ifndef LANG_WORDS_H
#define LANG_WORDS_H

#include "lang/parse.h"

/* The token kind of a word, NAME when it is none of the language's. Fills the token's value for
 * actions. */
int word_kind(const char *word, union token_value *value);
bool word_starts_statement(const char *word);
/* The nearest word that may start a statement, or the nearest action; NULL when none is near. */
const char *nearest_word(const char *word, bool statement);
bool token_starts_line(const struct token *token);

#endif
