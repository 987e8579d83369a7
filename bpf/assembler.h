/* Inside bpf/: the assembler's state, between its two halves: statements and jumps. */
#ifndef BPF_ASSEMBLER_H
#define BPF_ASSEMBLER_H

#include "bpf/formats.h"
#include "bpf/symbols.h"
#include "bpf/text.h"

struct label {
    const char *name;
    struct span span;
    uint32_t target; /* the instruction that follows it */
};

/* A place in an instruction that waits for a label's distance. */
struct jump {
    enum { JUMP_ALWAYS, JUMP_IF_TRUE, JUMP_IF_FALSE } kind;
    uint32_t from;
    struct span span; /* of the label's name */
};

struct assembler {
    struct decoder decoder;
    struct symbols symbols;
    struct scanner scanner; /* over one line */
    bool big_endian;
    VECTOR(struct label) labels;
    VECTOR(struct jump) jumps;
};

/* Takes one statement: a directive, or an instruction, which it adds to the program. */
MUST_USE result assemble_statement(struct assembler *assembler);
/* Fills in all distances; reports every jump that has none. */
MUST_USE result assemble_jumps(struct assembler *assembler);

#endif
