#include "bpf/assembler.h"

/* Assembly is read line by line:
 *
 *   line = [ number ":" ] { label ":" } [ statement ] [ ";" comment ]
 *
 * A line that starts with # is a comment too. A mistake spoils its line only. */

static size_t line_end(const struct source *source, size_t line)
{
    return line + 1 < source->line_count ? source->lines[line + 1] : source->length;
}

/* Restricts the scanner to a line without its comment. */
static void enter_line(struct assembler *assembler, size_t line)
{
    const struct source *source = assembler->decoder.source;
    struct scanner *scanner = &assembler->scanner;
    scanner->at = source->lines[line];
    size_t end = line_end(source, line);
    const char *comment = memchr(source->text + scanner->at, ';', end - scanner->at);
    scanner->end = comment ? (size_t)(comment - source->text) : end;
    /* A mistake at the end of a line is shown there, not at the next line's start. */
    while (scanner->end > scanner->at && (unsigned char)source->text[scanner->end - 1] <= ' ')
        scanner->end--;
    if (scan_peek(scanner) == '#')
        scanner->at = scanner->end;
}

static bool at_end(struct scanner *scanner)
{
    scan_blanks(scanner);
    return scanner->at >= scanner->end;
}

static result skip_number(struct scanner *scanner)
{
    uint64_t number;
    char next = scan_peek(scanner);
    if (next < '0' || next > '9')
        return SUCCESS;
    result r = scan_number(scanner, &number);
    return failed(r) ? r : scan_expect(scanner, ":");
}

static void take_labels(struct assembler *assembler)
{
    struct scanner *scanner = &assembler->scanner;
    struct arena *arena = assembler->decoder.arena;
    struct span name;
    for (;;) {
        scan_blanks(scanner);
        size_t before = scanner->at;
        if (!scan_name(scanner, &name) || !scan_text(scanner, ":")) {
            scanner->at = before;
            return;
        }
        struct label label = {
            .name = arena_string(arena, name.source->text + name.begin, name.end - name.begin),
            .span = name,
            .target = (uint32_t)assembler->decoder.code.count,
        };
        vector_push(arena, &assembler->labels, label);
    }
}

static result assemble_line(struct assembler *assembler)
{
    struct scanner *scanner = &assembler->scanner;
    result r = skip_number(scanner);
    if (failed(r))
        return r;
    take_labels(assembler);
    if (at_end(scanner))
        return SUCCESS;
    r = assemble_statement(assembler);
    if (worked(r) && !at_end(scanner))
        r = scan_fail(scanner, "expected the line to end here");
    return r;
}

static result assemble_lines(struct assembler *assembler)
{
    const struct source *source = assembler->decoder.source;
    result all = SUCCESS;
    for (size_t line = 0; line < source->line_count; line++) {
        enter_line(assembler, line);
        if (at_end(&assembler->scanner))
            continue;
        result r = assemble_line(assembler);
        if (failed(r))
            all = r;
        if (failed(r) && assembler->decoder.code.count >= DECODE_MOST)
            return r;
    }
    return all;
}

result assemble(struct arena *arena, const struct source *source, bool big_endian,
                struct diagnostics *diagnostics, struct program *program)
{
    struct assembler assembler = {
        .decoder = {.arena = arena, .source = source, .diagnostics = diagnostics},
        .symbols = symbols_new(),
        .scanner = scanner_over(source, diagnostics),
        .big_endian = big_endian,
    };
    result lines = assemble_lines(&assembler);
    if (worked(lines) && assembler.decoder.code.count == 0)
        return decoder_fail(&assembler.decoder, 0, 0, "the text has no instructions");
    result jumps = assemble_jumps(&assembler);
    if (failed(lines))
        return lines;
    *program = (struct program){
        .name = source->name,
        .code = assembler.decoder.code.items,
        .length = (uint32_t)assembler.decoder.code.count,
        .big_endian = assembler.big_endian,
    };
    return jumps;
}
