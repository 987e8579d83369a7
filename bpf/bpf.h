/* bpf: the machine language. Classic BPF as seccomp takes it: the instruction table, text and blob
 * forms, the kernel's admission rules, the control-flow graph.
 *
 * An instruction is a struct sock_filter (<linux/filter.h>): code, jt, jf, k. Execution lives in sim/.
 */
#ifndef BPF_BPF_H
#define BPF_BPF_H

#include <linux/bpf_common.h>
#include <linux/filter.h>

#include "abi/abi.h"

#define PROGRAM_MOST 4096u /* BPF_MAXINSNS */

/* One program. Immutable once made; `length` may be any number up to what a file held, also 0: only
 * check_program() says whether the kernel would take it. */
struct program {
    const char *name; /* where it came from */
    struct sock_filter *code;
    uint32_t length;
    bool big_endian; /* the layout of seccomp_data on the machine that runs it */
};

/* ---- instruction table (instructions.c) ------------------------------------------------------------- */

enum operation { /* what an instruction does, whatever its operand */
    OP_LOAD_FIELD, /* A = word k of the input */
    OP_LOAD_LENGTH, OP_LOAD_X_LENGTH, /* A, X = 64 */
    OP_LOAD_IMMEDIATE, OP_LOAD_X_IMMEDIATE,
    OP_LOAD_MEMORY, OP_LOAD_X_MEMORY,
    OP_STORE, OP_STORE_X,
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_AND, OP_OR, OP_XOR, OP_SHIFT_LEFT, OP_SHIFT_RIGHT, OP_NEGATE,
    OP_JUMP, OP_JUMP_EQUAL, OP_JUMP_GREATER, OP_JUMP_GREATER_EQUAL, OP_JUMP_SET,
    OP_RETURN, OP_RETURN_A,
    OP_TAX, OP_TXA,
    OP_COUNT
};

/* One row per opcode that seccomp admits (seccomp_check_filter). */
struct instruction_info {
    uint16_t code;
    enum operation operation;
    const char *mnemonic;  /* "ld", "jeq", ... */
    bool operand_is_x;     /* of ALU and conditional jumps: X instead of k */
    bool cacheable;        /* the kernel's constant-action emulator follows it */
};

/* NULL: no instruction that seccomp admits. The full 16-bit code must match. */
const struct instruction_info *instruction_info(uint16_t code);
const struct instruction_info *instruction_table(size_t *count);
static inline bool is_conditional(enum operation op)
{
    return op >= OP_JUMP_EQUAL && op <= OP_JUMP_SET;
}
static inline bool is_return(enum operation op)
{
    return op == OP_RETURN || op == OP_RETURN_A;
}

/* ---- admission (check.c) -------------------------------------------------------------------------------- */

/* The kernel's rules, in the order in which bpf_check_classic and seccomp_check_filter apply them. */
enum check_rule {
    CHECK_ACCEPTED,
    CHECK_LENGTH,        /* 1..4096 instructions */
    CHECK_OPCODE,        /* classic BPF has no such instruction */
    CHECK_DIVIDE,        /* division by constant 0 (DIV|K, MOD|K) */
    CHECK_SHIFT,         /* shift by constant 32 or more */
    CHECK_MEMORY_SLOT,   /* M[k], k >= 16 */
    CHECK_JUMP,          /* target outside the program */
    CHECK_LAST,          /* the last instruction is no RET */
    CHECK_MEMORY_UNSET,  /* a slot is loaded that is not stored on every path (check_load_and_stores) */
    CHECK_LOAD_OFFSET,   /* LD ABS: k >= 64 or not a multiple of 4 */
    CHECK_NOT_SECCOMP,   /* classic BPF, but seccomp does not allow it */
    CHECK_RULE_COUNT
};

struct check_result {
    enum check_rule rule;
    uint32_t instruction; /* where; of CHECK_LENGTH: the length */
};

struct check_result check_program(const struct program *program);
const char *check_rule_name(enum check_rule rule);        /* "jump" */
const char *check_rule_text(enum check_rule rule);        /* one sentence */
/* Length after conversion to eBPF (bpf_convert_filter), as the limit over a stack counts it, for a
 * program that check_program accepts. */
uint32_t program_converted_length(const struct program *program);
#define STACK_LENGTH_MOST 32768u /* MAX_INSNS_PER_PATH: new + sum(previous + 4) */

/* ---- control-flow graph (cfg.c) ------------------------------------------------------------------------------ */

/* Basic blocks of an accepted program in program order, which is a topological order. */
struct basic_block {
    uint32_t first; /* instruction */
    uint32_t last;  /* the terminator, or the last before a leader */
    uint32_t successors[2]; /* block numbers: [0] jump taken or only one, [1] not taken */
    unsigned successor_count;
    bool reachable;
};

struct cfg {
    struct basic_block *blocks;
    uint32_t count;
    uint32_t *block_of; /* by instruction */
};

struct cfg *cfg_build(struct arena *arena, const struct program *program);

/* ---- text (disassembler.c, assembler.c) ----------------------------------------------------------------------- */

/* One instruction a line with number, label, mnemonic, operands, and a comment that names fields, syscalls of
 * the arch known at that point, and actions. `declared`: ABIs to take names from, 0 = any that fit.
 * Takes any program: what has no mnemonic, or bits that its mnemonic does not show, or a jump out of
 * the program, is written `.raw code, jt, jf, k`. assemble() gives back the identical instructions. */
void disassemble(struct buffer *out, struct arena *arena, const struct program *program,
                 abi_set declared);
/* One instruction, without number and label: for traces and diagnostics. Targets are l<number>. */
void disassemble_instruction(struct buffer *out, const struct program *program, uint32_t index);
/* Reads what disassemble prints (numbers optional, comments after ';'), labels, field and action
 * names included. Every mistake is reported. `.big_endian` and `.little_endian` at the top go before
 * `big_endian`. Names whose value depends on the ABI (__NR_openat) are those of the AUDIT_ARCH_ read last. */
MUST_USE result assemble(struct arena *arena, const struct source *source, bool big_endian,
                         struct diagnostics *diagnostics, struct program *program);

/* ---- blobs (formats.c) -------------------------------------------------------------------------------------------- */

enum format {
    FORMAT_RAW_LITTLE, FORMAT_RAW_BIG, /* struct sock_filter, 8 bytes each */
    FORMAT_C,        /* { 0x20, 0, 0, 0x00000004 }, ... */
    FORMAT_DECIMAL,  /* tcpdump -ddd: the count, then four numbers a line */
    FORMAT_JSON,     /* [{"code","jt","jf","k"}, ...] or [[code,jt,jf,k], ...] */
    FORMAT_ASSEMBLY,
    FORMAT_DOT,      /* out only: the control-flow graph for graphviz */
    FORMAT_COUNT,
    FORMAT_UNKNOWN = FORMAT_COUNT
};

const char *format_name(enum format format);
/* "bin" (raw in the given endianness), "c", "asm", "decimal", "json", "dot", "bin-le", "bin-be". */
enum format format_by_name(const char *name, bool big_endian);
/* By content. A NUL byte means raw; raw endianness by which one check_program likes better. Text that is no
 * blob format (a policy) gives FORMAT_UNKNOWN. */
enum format format_detect(const struct source *source);
/* The byte order of a program in text form (C, decimal, JSON) is guessed from the tokens that it
 * compares arch with: big-endian where only big-endian ABIs have them, else little-endian. More than
 * 16 * 4096 instructions are an error in every form. */
MUST_USE result program_decode(struct arena *arena, const struct source *source, enum format format,
                               struct diagnostics *diagnostics, struct program *program);
void program_encode(struct buffer *out, struct arena *arena, const struct program *program,
                    enum format format, abi_set declared);

#endif
