#ifndef LANG_PRINT_CONDITION_H
#define LANG_PRINT_CONDITION_H

#include "lang/lang.h"

/* A word in the raw layer's syntax, in parentheses where it is computed. */
void word_print(struct buffer *out, const struct word *word);

#endif
