#include "bpf/bpf.h"

/* The opcodes that seccomp_check_filter lets through, sorted by code:
 * code, operation, mnemonic, operand is X, the constant-action emulator follows it. */
#define INSTRUCTIONS(ROW)                                                                          \
    ROW(0x00, LOAD_IMMEDIATE, "ld", false, false)                                                  \
    ROW(0x01, LOAD_X_IMMEDIATE, "ldx", false, false)                                               \
    ROW(0x02, STORE, "st", false, false)                                                           \
    ROW(0x03, STORE_X, "stx", false, false)                                                        \
    ROW(0x04, ADD, "add", false, false)                                                            \
    ROW(0x05, JUMP, "ja", false, true)                                                             \
    ROW(0x06, RETURN, "ret", false, true)                                                          \
    ROW(0x07, TAX, "tax", false, false)                                                            \
    ROW(0x0c, ADD, "add", true, false)                                                             \
    ROW(0x14, SUB, "sub", false, false)                                                            \
    ROW(0x15, JUMP_EQUAL, "jeq", false, true)                                                      \
    ROW(0x16, RETURN_A, "ret", false, false)                                                       \
    ROW(0x1c, SUB, "sub", true, false)                                                             \
    ROW(0x1d, JUMP_EQUAL, "jeq", true, false)                                                      \
    ROW(0x20, LOAD_FIELD, "ld", false, true)                                                       \
    ROW(0x24, MUL, "mul", false, false)                                                            \
    ROW(0x25, JUMP_GREATER, "jgt", false, true)                                                    \
    ROW(0x2c, MUL, "mul", true, false)                                                             \
    ROW(0x2d, JUMP_GREATER, "jgt", true, false)                                                    \
    ROW(0x34, DIV, "div", false, false)                                                            \
    ROW(0x35, JUMP_GREATER_EQUAL, "jge", false, true)                                              \
    ROW(0x3c, DIV, "div", true, false)                                                             \
    ROW(0x3d, JUMP_GREATER_EQUAL, "jge", true, false)                                              \
    ROW(0x44, OR, "or", false, false)                                                              \
    ROW(0x45, JUMP_SET, "jset", false, true)                                                       \
    ROW(0x4c, OR, "or", true, false)                                                               \
    ROW(0x4d, JUMP_SET, "jset", true, false)                                                       \
    ROW(0x54, AND, "and", false, true)                                                             \
    ROW(0x5c, AND, "and", true, false)                                                             \
    ROW(0x60, LOAD_MEMORY, "ld", false, false)                                                     \
    ROW(0x61, LOAD_X_MEMORY, "ldx", false, false)                                                  \
    ROW(0x64, SHIFT_LEFT, "lsh", false, false)                                                     \
    ROW(0x6c, SHIFT_LEFT, "lsh", true, false)                                                      \
    ROW(0x74, SHIFT_RIGHT, "rsh", false, false)                                                    \
    ROW(0x7c, SHIFT_RIGHT, "rsh", true, false)                                                     \
    ROW(0x80, LOAD_LENGTH, "ld", false, false)                                                     \
    ROW(0x81, LOAD_X_LENGTH, "ldx", false, false)                                                  \
    ROW(0x84, NEGATE, "neg", false, false)                                                         \
    ROW(0x87, TXA, "txa", false, false)                                                            \
    ROW(0xa4, XOR, "xor", false, false)                                                            \
    ROW(0xac, XOR, "xor", true, false)

#define AS_NUMBER(code, operation, mnemonic, x, cached) ROW_##code,
#define AS_INFO(code, operation, mnemonic, x, cached) {code, OP_##operation, mnemonic, x, cached},
#define AS_INDEX(code, operation, mnemonic, x, cached) [code] = ROW_##code + 1,

enum { INSTRUCTIONS(AS_NUMBER) ROW_COUNT };

static const struct instruction_info table[ROW_COUNT] = {INSTRUCTIONS(AS_INFO)};

/* By code: row + 1; 0 where there is no such instruction. */
static const uint8_t index_by_code[256] = {INSTRUCTIONS(AS_INDEX)};

const struct instruction_info *instruction_info(uint16_t code)
{
    unsigned row = code < COUNT_OF(index_by_code) ? index_by_code[code] : 0;
    return row ? &table[row - 1] : NULL;
}

const struct instruction_info *instruction_table(size_t *count)
{
    *count = COUNT_OF(table);
    return table;
}
