#include "abi/expression.h"
#include "bpf/formats.h"

/* `tcpdump -ddd`: the number of instructions, then code, jt, jf and k of each, in decimal, a line
 * each. Commas may stand between instructions, as iptables' bpf match has them. */

static result read_bounded(struct scanner *scanner, const char *what, uint64_t most,
                           uint64_t *number)
{
    scan_blanks(scanner);
    size_t begin = scanner->at;
    result r = scan_number(scanner, number);
    if (failed(r) || *number <= most)
        return r;
    return scan_fail_at(scanner, scan_from(scanner, begin), "%s is at most %llu", what,
                        (unsigned long long)most);
}

static result read_line(struct decoder *decoder, struct scanner *scanner)
{
    uint64_t code, jt, jf, k;
    scan_text(scanner, ",");
    scan_blanks(scanner);
    size_t begin = scanner->at;
    result r = read_bounded(scanner, "code", UINT16_MAX, &code);
    if (worked(r))
        r = read_bounded(scanner, "jt", UINT8_MAX, &jt);
    if (worked(r))
        r = read_bounded(scanner, "jf", UINT8_MAX, &jf);
    if (worked(r))
        r = read_bounded(scanner, "k", UINT32_MAX, &k);
    if (failed(r))
        return r;
    struct sock_filter instruction = {(uint16_t)code, (uint8_t)jt, (uint8_t)jf, (uint32_t)k};
    return decoder_push(decoder, instruction, begin, scanner->at);
}

result decode_decimal(struct decoder *decoder)
{
    struct scanner scanner = scanner_over(decoder->source, decoder->diagnostics);
    uint64_t count;
    result r = read_bounded(&scanner, "the number of instructions", DECODE_MOST, &count);
    if (failed(r))
        return r;
    if (count == 0)
        return decoder_fail(decoder, 0, scanner.at, "the program has no instructions");
    for (uint64_t i = 0; i < count; i++) {
        if (scan_peek(&scanner) == '\0' && scanner.at >= scanner.end)
            return decoder_fail(decoder, scanner.at, scanner.at,
                                "%llu instructions were announced, %llu are here",
                                (unsigned long long)count, (unsigned long long)i);
        r = read_line(decoder, &scanner);
        if (failed(r))
            return r;
    }
    scan_text(&scanner, ",");
    if (scan_peek(&scanner) != '\0' || scanner.at < scanner.end)
        return scan_fail(&scanner, "expected the program to end here");
    return SUCCESS;
}

void encode_decimal(struct buffer *out, struct arena *arena, const struct program *program,
                    abi_set declared)
{
    (void)arena, (void)declared;
    buffer_printf(out, "%u\n", program->length);
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        buffer_printf(out, "%u %u %u %u\n", at->code, at->jt, at->jf, at->k);
    }
}
