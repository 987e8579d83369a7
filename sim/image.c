#include "sim/image.h"

/* The lengths of the instructions that the kernel's x86 BPF compiler emits for programs without
 * calls. An opcode that is not in the table stops the walk: better no image than a wrong jump. */

enum {
    MODRM = 1 << 0,
    BYTE = 1 << 1,       /* an 8-bit immediate */
    WORD = 1 << 2,       /* a 32-bit immediate, or displacement of a jump */
    RELATIVE = 1 << 3,   /* the immediate is where a jump or call goes */
    GROUP_TEST = 1 << 4, /* f7: /0 and /1 have an immediate, the others not */
    WIDE_MOVE = 1 << 5,  /* b8+r: 64-bit immediate under REX.W */
    LEAVES = 1 << 6      /* e9: may leave the image after `leave` */
};

struct opcode {
    uint8_t first, last; /* inclusive */
    uint8_t form;
};

static const struct opcode one_byte[] = {
    {0x01, 0x01, MODRM},
    {0x03, 0x03, MODRM},
    {0x05, 0x05, WORD},
    {0x09, 0x09, MODRM},
    {0x0b, 0x0b, MODRM},
    {0x0d, 0x0d, WORD},
    {0x21, 0x21, MODRM},
    {0x23, 0x23, MODRM},
    {0x25, 0x25, WORD},
    {0x29, 0x29, MODRM},
    {0x2b, 0x2b, MODRM},
    {0x2d, 0x2d, WORD},
    {0x31, 0x31, MODRM},
    {0x33, 0x33, MODRM},
    {0x35, 0x35, WORD},
    {0x39, 0x39, MODRM},
    {0x3b, 0x3b, MODRM},
    {0x3d, 0x3d, WORD},
    {0x50, 0x5f, 0},
    {0x63, 0x63, MODRM},
    {0x69, 0x69, MODRM | WORD},
    {0x6b, 0x6b, MODRM | BYTE},
    {0x70, 0x7f, BYTE | RELATIVE},
    {0x81, 0x81, MODRM | WORD},
    {0x83, 0x83, MODRM | BYTE},
    {0x85, 0x85, MODRM},
    {0x87, 0x87, MODRM},
    {0x89, 0x89, MODRM},
    {0x8b, 0x8b, MODRM},
    {0x90, 0x90, 0},
    {0xb8, 0xbf, WORD | WIDE_MOVE},
    {0xc1, 0xc1, MODRM | BYTE},
    {0xc3, 0xc3, 0},
    {0xc7, 0xc7, MODRM | WORD},
    {0xc9, 0xc9, 0},
    {0xcc, 0xcc, 0},
    {0xd1, 0xd1, MODRM},
    {0xd3, 0xd3, MODRM},
    {0xe8, 0xe8, WORD | RELATIVE},
    {0xe9, 0xe9, WORD | RELATIVE | LEAVES},
    {0xeb, 0xeb, BYTE | RELATIVE},
    {0xf7, 0xf7, MODRM | GROUP_TEST},
};

static const struct opcode two_bytes[] = {
    /* after 0f */
    {0x1e, 0x1f, MODRM}, /* endbr64, nop */
    {0x80, 0x8f, WORD | RELATIVE},
    {0xaf, 0xaf, MODRM},
    {0xb6, 0xb7, MODRM},
};

static const struct opcode vex[] = {
    {0xf7, 0xf7, MODRM}, /* shlx, shrx */
};

struct reader {
    const uint8_t *image;
    size_t length;
    size_t at;
    bool ended; /* read past the end */
};

static uint8_t next(struct reader *reader)
{
    if (reader->at >= reader->length) {
        reader->ended = true;
        return 0;
    }
    return reader->image[reader->at++];
}

static void pass_over(struct reader *reader, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        (void)next(reader);
}

static const struct opcode *find(const struct opcode *table, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= table[i].first && code <= table[i].last)
            return &table[i];
    return NULL;
}

/* The operand that ModRM describes; returns its middle field. */
static unsigned pass_over_modrm(struct reader *reader)
{
    uint8_t modrm = next(reader);
    unsigned mod = modrm >> 6, rm = modrm & 7u;
    if (mod == 3)
        return modrm >> 3 & 7u;
    bool no_base = mod == 0 && rm == 5;
    if (rm == 4)
        no_base = (next(reader) & 7u) == 5 && mod == 0;
    pass_over(reader, mod == 1 ? 1 : mod == 2 || no_base ? 4 : 0);
    return modrm >> 3 & 7u;
}

struct instruction {
    const struct opcode *opcode; /* NULL: unknown */
    int64_t target;              /* of RELATIVE: offset into the image */
};

static int64_t read_immediate(struct reader *reader, unsigned form, bool wide)
{
    if (form & BYTE)
        return (int8_t)next(reader);
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 8)
        value |= (uint32_t)next(reader) << shift;
    if ((form & WIDE_MOVE) && wide)
        pass_over(reader, 4);
    return (int32_t)value;
}

static const struct opcode *read_opcode(struct reader *reader, bool *wide)
{
    uint8_t code = next(reader);
    while (code == 0x66 || code == 0xf3 || code == 0x2e) /* prefixes of nops and endbr64 */
        code = next(reader);
    if ((code & 0xf0u) == 0x40) { /* REX */
        *wide = (code & 8u) != 0;
        code = next(reader);
    }
    if (code == 0xc4) {
        pass_over(reader, 2);
        return find(vex, COUNT_OF(vex), next(reader));
    }
    if (code == 0x0f)
        return find(two_bytes, COUNT_OF(two_bytes), next(reader));
    return find(one_byte, COUNT_OF(one_byte), code);
}

static struct instruction read_instruction(struct reader *reader)
{
    struct instruction read = {0};
    bool wide = false;
    read.opcode = read_opcode(reader, &wide);
    if (!read.opcode)
        return read;
    unsigned form = read.opcode->form;
    unsigned middle = form & MODRM ? pass_over_modrm(reader) : 0;
    if ((form & GROUP_TEST) && middle < 2)
        form |= WORD;
    if (form & (BYTE | WORD)) {
        int64_t value = read_immediate(reader, form, wide);
        read.target = (int64_t)reader->at + value;
    }
    return read;
}

const char *image_patch(uint8_t *image, size_t length)
{
    struct reader reader = {.image = image, .length = length};
    bool after_leave = false;
    while (reader.at < length) {
        size_t start = reader.at;
        struct instruction read = read_instruction(&reader);
        if (!read.opcode)
            return "the image has an instruction that is not known here";
        if (reader.ended)
            return "the image ends inside an instruction";
        bool outside = read.target < 0 || read.target >= (int64_t)length;
        if ((read.opcode->form & RELATIVE) && outside) {
            if (!(read.opcode->form & LEAVES) || !after_leave)
                return "the image calls into the kernel";
            image[start] = 0xc3;                                    /* ret */
            memset(image + start + 1, 0xcc, reader.at - start - 1); /* int3 */
        }
        after_leave = image[start] == 0xc9 && reader.at == start + 1;
    }
    return NULL;
}
