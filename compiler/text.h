/* Fields and computed words as the policy language writes them: for dumps. */
#ifndef COMPILER_TEXT_H
#define COMPILER_TEXT_H

#include <inttypes.h>

#include "lang/lang.h"

/* "lo32(arg1)", "(lo32(arg1) & 0x3)". */
void dump_field(struct buffer *out, enum field field, uint32_t mask);
/* Fully parenthesised. */
void dump_word(struct buffer *out, const struct word *word);

#endif
