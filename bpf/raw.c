#include "bpf/raw.h"

#define INSTRUCTION_BYTES 8u

static uint32_t read_number(const unsigned char *bytes, unsigned count, bool big_endian)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < count; i++)
        number = number << 8 | bytes[big_endian ? i : count - 1 - i];
    return number;
}

static void put_number(struct buffer *out, uint32_t number, unsigned count, bool big_endian)
{
    unsigned char bytes[4];
    for (unsigned i = 0; i < count; i++)
        bytes[big_endian ? count - 1 - i : i] = (unsigned char)(number >> 8 * i);
    buffer_put(out, bytes, count);
}

static struct sock_filter read_instruction(const unsigned char *bytes, bool big_endian)
{
    return (struct sock_filter){
        .code = (uint16_t)read_number(bytes, 2, big_endian),
        .jt = bytes[2],
        .jf = bytes[3],
        .k = read_number(bytes + 4, 4, big_endian),
    };
}

struct program raw_read(struct arena *arena, const struct source *source, bool big_endian,
                        size_t most)
{
    size_t count = source->length / INSTRUCTION_BYTES;
    if (count > most)
        count = most;
    struct program program = {
        .name = source->name, .length = (uint32_t)count, .big_endian = big_endian};
    program.code = NEW_ARRAY(arena, struct sock_filter, count);
    const unsigned char *bytes = (const unsigned char *)source->text;
    for (size_t i = 0; i < count; i++)
        program.code[i] = read_instruction(bytes + i * INSTRUCTION_BYTES, big_endian);
    return program;
}

/* Instructions that seccomp admits, by opcode alone. */
static size_t count_known(const struct program *program)
{
    size_t known = 0;
    for (uint32_t i = 0; i < program->length; i++)
        known += instruction_info(program->code[i].code) != NULL;
    return known;
}

bool raw_is_big_endian(const struct source *source)
{
    struct arena *arena = arena_new();
    struct program little = raw_read(arena, source, false, DECODE_MOST);
    struct program big = raw_read(arena, source, true, DECODE_MOST);
    bool little_accepted = check_program(&little).rule == CHECK_ACCEPTED;
    bool big_accepted = check_program(&big).rule == CHECK_ACCEPTED;
    bool is_big =
        little_accepted != big_accepted ? big_accepted : count_known(&big) > count_known(&little);
    arena_free(arena);
    return is_big;
}

static result decode_raw(struct decoder *decoder, bool big_endian)
{
    const struct source *source = source_as_bytes(decoder->arena, decoder->source);
    decoder->source = source;
    size_t spare = source->length % INSTRUCTION_BYTES;
    if (source->length == 0)
        return decoder_fail(decoder, 0, 0, "the blob is empty");
    if (spare != 0)
        return decoder_fail(decoder, source->length - spare, source->length,
                            "a raw blob is a multiple of 8 bytes, this one has %zu: %zu too many",
                            source->length, spare);
    if (source->length / INSTRUCTION_BYTES > DECODE_MOST)
        return decoder_fail(decoder, 0, 0, "%zu instructions: at most %u are read",
                            source->length / INSTRUCTION_BYTES, DECODE_MOST);
    struct program program = raw_read(decoder->arena, source, big_endian, DECODE_MOST);
    decoder->code.items = program.code;
    decoder->code.count = program.length;
    return SUCCESS;
}

result decode_raw_little(struct decoder *decoder)
{
    return decode_raw(decoder, false);
}

result decode_raw_big(struct decoder *decoder)
{
    return decode_raw(decoder, true);
}

static void encode_raw(struct buffer *out, const struct program *program, bool big_endian)
{
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        put_number(out, at->code, 2, big_endian);
        put_number(out, at->jt, 1, big_endian);
        put_number(out, at->jf, 1, big_endian);
        put_number(out, at->k, 4, big_endian);
    }
}

void encode_raw_little(struct buffer *out, struct arena *arena, const struct program *program,
                       abi_set declared)
{
    (void)arena, (void)declared;
    encode_raw(out, program, false);
}

void encode_raw_big(struct buffer *out, struct arena *arena, const struct program *program,
                    abi_set declared)
{
    (void)arena, (void)declared;
    encode_raw(out, program, true);
}
