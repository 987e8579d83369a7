/* Fields and computed words as text. */
#include "compiler/text.h"

void dump_field(struct buffer *out, enum field field, uint32_t mask)
{
    if (mask == 0xffffffffu)
        buffer_text(out, field_name(field));
    else
        buffer_printf(out, "(%s & 0x%" PRIx32 ")", field_name(field), mask);
}

static const char *const operator_signs[] = {
    [WORD_ADD] = "+", [WORD_SUB] = "-",         [WORD_MUL] = "*",
    [WORD_DIV] = "/", [WORD_AND] = "&",         [WORD_OR] = "|",
    [WORD_XOR] = "^", [WORD_SHIFT_LEFT] = "<<", [WORD_SHIFT_RIGHT] = ">>",
};

/* Recursive: words are at most EXPRESSION_DEPTH_MOST deep. */
void dump_word(struct buffer *out, const struct word *word)
{
    switch (word->operator) {
    case WORD_CONSTANT:
        buffer_printf(out, "0x%" PRIx32, word->constant);
        return;
    case WORD_FIELD:
        buffer_text(out, field_name(word->field));
        return;
    case WORD_NEGATE:
        buffer_text(out, "-");
        dump_word(out, word->left);
        return;
    default:
        buffer_text(out, "(");
        dump_word(out, word->left);
        buffer_printf(out, " %s ", operator_signs[word->operator]);
        dump_word(out, word->right);
        buffer_text(out, ")");
    }
}
