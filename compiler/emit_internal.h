/* Emission's two halves: blocks (emit.c) and computed words (emit_word.c). */
#ifndef COMPILER_EMIT_INTERNAL_H
#define COMPILER_EMIT_INTERNAL_H

#include "compiler/compiler.h"

struct code {
    struct arena *arena;
    bool big_endian;
    bool holds_field; /* A holds the field that is loaded next: no load */
    VECTOR(struct item) items;
};

uint32_t code_position(const struct code *code); /* of the next item */
void code_add(struct code *code, uint16_t operation, uint32_t constant);
void code_load_field(struct code *code, enum field field);

/* Nodes of the word's tree, at most `most`: what shares parts in memory is counted as often as it
 * would be computed. */
size_t word_size(const struct word *word, size_t most);
/* Words that could fit a program: the callers below may only be given these. */
static inline bool word_fits(const struct word *word)
{
    return word_size(word, PROGRAM_MOST) < PROGRAM_MOST;
}

/* Whether the word's code begins with the load of a field, and of which. */
bool word_begins_with_load(const struct word *word, enum field *field);
/* Code that leaves the word's value in A, and A's in A with X's in X. Everything else in X and in
 * the scratch memory may be lost. False when 16 scratch slots are not enough. */
bool emit_word(struct code *code, const struct word *word);
bool emit_words(struct code *code, const struct word *a, const struct word *x);

#endif
