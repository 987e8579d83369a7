/* Inside bpf/: what the assembler, the disassembler and the graph share. */
#ifndef BPF_TEXT_H
#define BPF_TEXT_H

#include "bpf/bpf.h"

/* How an instruction's operand is written. */
enum operand_form {
    OPERAND_NONE,      /* tax */
    OPERAND_FIELD,     /* ld nr, ld [0] */
    OPERAND_LENGTH,    /* ld len */
    OPERAND_IMMEDIATE, /* and #0x3 */
    OPERAND_MEMORY,    /* st M[3] */
    OPERAND_X,         /* and x */
    OPERAND_LABEL,     /* ja l3: the target only */
    OPERAND_VERDICT,   /* ret allow, ret #0x7fff0000 */
    OPERAND_A,         /* ret a */
};

enum operand_form operand_form(const struct instruction_info *info);
/* Why the kernel would refuse this k in this instruction, NULL when it would not: what has a mnemonic
 * is within the rules, everything else is written with .raw. */
const char *operand_problem(const struct instruction_info *info, uint32_t k);

/* What is known before an instruction, over all paths to it. */
struct knowledge {
    bool reached;
    enum { A_OTHER, A_ARCH, A_NR } accumulator;
    abi_set abis; /* that arch and nr, as far as they were compared, leave possible */
};

/* One entry per instruction; any program, also one that the kernel would refuse. */
const struct knowledge *knowledge_build(struct arena *arena, const struct program *program,
                                        abi_set declared);
/* Names for the constants of one instruction: the token, the system call, the errno; nothing when
 * there is nothing to say. */
void print_comment(struct buffer *out, const struct program *program, uint32_t index,
                   const struct knowledge *known);
/* True when `.raw` is not needed to keep every bit of the instruction. */
bool has_mnemonic(const struct program *program, uint32_t index);

#endif
