#include "tests/unit/support.h"

#include "bpf/bpf.h"

/* All 65536 opcodes, in a program that suits those that seccomp admits: as bytes through decoding,
 * admission and text. */

#define OPERAND 4u /* a slot that is stored, an offset, a divisor, a shift, a jump: good for all   \
                    */
#define BYTES 64u

static const uint16_t admitted[] = {
    0x00, 0x01, 0x20, 0x60, 0x61, 0x80, 0x81,                   /* ld and ldx: imm, abs, mem, len */
    0x02, 0x03, 0x07, 0x87,                                     /* st, stx, tax, txa */
    0x06, 0x16,                                                 /* ret k, ret a */
    0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d,       /* ja and the tests */
    0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, /* add to or */
    0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0xa4, 0xac,       /* and, shifts, neg, xor */
};

static bool is_admitted(uint32_t code)
{
    for (size_t i = 0; i < COUNT_OF(admitted); i++)
        if (admitted[i] == code)
            return true;
    return false;
}

static void put(unsigned char *at, uint32_t code, uint32_t k)
{
    at[0] = (unsigned char)code;
    at[1] = (unsigned char)(code >> 8);
    for (unsigned i = 0; i < 4; i++)
        at[4 + i] = (unsigned char)(k >> 8 * i);
}

static struct program decode(struct arena *arena, struct diagnostics *diagnostics, uint32_t code)
{
    unsigned char bytes[BYTES] = {0};
    struct program program;
    put(bytes, BPF_ST, OPERAND);
    put(bytes + 8, code, OPERAND);
    for (unsigned at = 16; at < BYTES; at += 8)
        put(bytes + at, BPF_RET | BPF_K, 0x7fff0000);
    const struct source *source = source_from_text(arena, "test", (const char *)bytes, BYTES);
    assert_true(worked(program_decode(arena, source, FORMAT_RAW_LITTLE, diagnostics, &program)));
    assert_int_equal(program.length, BYTES / 8);
    assert_int_equal(program.code[1].code, code);
    return program;
}

static void test_every_opcode(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= UINT16_MAX; code++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct program program = decode(arena, &diagnostics, code), again;
        struct check_result check = check_program(&program);
        if (is_admitted(code))
            assert_int_equal(check.rule, CHECK_ACCEPTED);
        else
            assert_true(check.rule == CHECK_OPCODE || check.rule == CHECK_NOT_SECCOMP);
        if (!is_admitted(code))
            assert_int_equal(check.instruction, 1);
        struct buffer text = buffer_new(arena);
        disassemble(&text, arena, &program, 0);
        const struct source *source =
            source_from_text(arena, "text", buffer_string(&text), text.length);
        assert_true(worked(assemble(arena, source, false, &diagnostics, &again)));
        assert_int_equal(again.length, program.length);
        assert_memory_equal(again.code, program.code, BYTES);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_every_opcode)};
    return RUN_TESTS(tests);
}
