#include "bpf/formats.h"
#include "bpf/raw.h"

#define ARCH_OFFSET 4u

struct format_row {
    const char *name;
    result (*decode)(struct decoder *decoder);
    void (*encode)(struct buffer *out, struct arena *arena, const struct program *program,
                   abi_set declared);
};

static void encode_assembly(struct buffer *out, struct arena *arena, const struct program *program,
                            abi_set declared)
{
    disassemble(out, arena, program, declared);
}

/* FORMAT_ASSEMBLY is read by assemble(); FORMAT_DOT is not read at all. */
static const struct format_row formats[FORMAT_COUNT] = {
    [FORMAT_RAW_LITTLE] = {"bin-le", decode_raw_little, encode_raw_little},
    [FORMAT_RAW_BIG] = {"bin-be", decode_raw_big, encode_raw_big},
    [FORMAT_C] = {"c", decode_c, encode_c},
    [FORMAT_DECIMAL] = {"decimal", decode_decimal, encode_decimal},
    [FORMAT_JSON] = {"json", decode_json, encode_json},
    [FORMAT_ASSEMBLY] = {"asm", NULL, encode_assembly},
    [FORMAT_DOT] = {"dot", NULL, encode_dot},
};

const char *format_name(enum format format)
{
    return (unsigned)format < FORMAT_COUNT ? formats[format].name : "?";
}

enum format format_by_name(const char *name, bool big_endian)
{
    if (strcmp(name, "bin") == 0)
        return big_endian ? FORMAT_RAW_BIG : FORMAT_RAW_LITTLE;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(formats[i].name, name) == 0)
            return (enum format)i;
    return FORMAT_UNKNOWN;
}

struct span decoder_span(const struct decoder *decoder, size_t begin, size_t end)
{
    return (struct span){decoder->source, (uint32_t)begin, (uint32_t)end};
}

result decoder_fail(struct decoder *decoder, size_t begin, size_t end, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report_error(decoder->diagnostics, decoder_span(decoder, begin, end), "%s", message);
    return FAILURE(ERROR_INPUT);
}

result decoder_push(struct decoder *decoder, struct sock_filter instruction, size_t begin,
                    size_t end)
{
    if (decoder->code.count >= DECODE_MOST)
        return decoder_fail(decoder, begin, end, "more than %u instructions", DECODE_MOST);
    vector_push(decoder->arena, &decoder->code, instruction);
    return SUCCESS;
}

bool guess_big_endian(const struct program *program)
{
    bool in_arch = false;
    bool big = false;
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        if (at->code == (BPF_LD | BPF_W | BPF_ABS))
            in_arch = at->k == ARCH_OFFSET;
        if (!in_arch || at->code != (BPF_JMP | BPF_JEQ | BPF_K))
            continue;
        if (abi_with_token(at->k, false))
            return false;
        big = big || abi_with_token(at->k, true);
    }
    return big;
}

result program_decode(struct arena *arena, const struct source *source, enum format format,
                      struct diagnostics *diagnostics, struct program *program)
{
    struct decoder decoder = {.arena = arena, .source = source, .diagnostics = diagnostics};
    if (format == FORMAT_ASSEMBLY)
        return assemble(arena, source, false, diagnostics, program);
    if ((unsigned)format >= FORMAT_COUNT || !formats[format].decode)
        return decoder_fail(&decoder, 0, 0, "this is no program in a format that can be read");
    result r = formats[format].decode(&decoder);
    if (failed(r))
        return r;
    *program = (struct program){
        .name = source->name,
        .code = decoder.code.items,
        .length = (uint32_t)decoder.code.count,
    };
    bool raw = format == FORMAT_RAW_LITTLE || format == FORMAT_RAW_BIG;
    program->big_endian = raw ? format == FORMAT_RAW_BIG : guess_big_endian(program);
    return SUCCESS;
}

void program_encode(struct buffer *out, struct arena *arena, const struct program *program,
                    enum format format, abi_set declared)
{
    if ((unsigned)format < FORMAT_COUNT)
        formats[format].encode(out, arena, program, declared);
}
