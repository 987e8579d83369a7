#include "bpf/formats.h"
#include "bpf/symbols.h"

/* C initializers, as `tcpdump -dd` prints them and as people paste them out of programs:
 *
 *   text    = [ declarator "=" ] list [ ";" ]      list = items, with or without braces around them
 *   item    = "{" code "," jt "," jf "," k "}" | "BPF_STMT" "(" code "," k ")"
 *           | "BPF_JUMP" "(" code "," k "," jt "," jf ")"
 *
 * The four members may carry designators (.code = ...), in this order. Lines that start with # are
 * the preprocessor's and are skipped. */

struct c_reader {
    struct decoder *decoder;
    struct scanner scanner;
    struct symbols symbols;
};

static void skip_directives(struct scanner *scanner)
{
    while (scan_peek(scanner) == '#')
        while (scanner->at < scanner->end && scanner->source->text[scanner->at] != '\n')
            scanner->at++;
}

static result read_member(struct c_reader *reader, const char *name, int64_t least, int64_t most,
                          uint32_t *value)
{
    struct scanner *scanner = &reader->scanner;
    if (scan_text(scanner, ".")) {
        if (!scan_word(scanner, name))
            return scan_fail(scanner, "the members of struct sock_filter are code, jt, jf, k");
        result r = scan_expect(scanner, "=");
        if (failed(r))
            return r;
    }
    return symbols_read(&reader->symbols, scanner, name, least, most, value);
}

struct member {
    const char *name;
    int64_t least;
    int64_t most;
};

static const struct member code_member = {"code", 0, UINT16_MAX};
static const struct member jt_member = {"jt", 0, UINT8_MAX};
static const struct member jf_member = {"jf", 0, UINT8_MAX};
static const struct member k_member = {"k", INT32_MIN, UINT32_MAX};

/* How an item is written: its opening, its members in order, its closing. */
static const struct item_form {
    const char *macro; /* NULL: braces */
    const char *open;
    const char *close;
    const struct member *members[4];
} forms[] = {
    {NULL, "{", "}", {&code_member, &jt_member, &jf_member, &k_member}},
    {"BPF_STMT", "(", ")", {&code_member, &k_member, NULL, NULL}},
    {"BPF_JUMP", "(", ")", {&code_member, &k_member, &jt_member, &jf_member}},
};

static void set_member(struct sock_filter *instruction, const struct member *member, uint32_t value)
{
    if (member == &code_member)
        instruction->code = (uint16_t)value;
    else if (member == &jt_member)
        instruction->jt = (uint8_t)value;
    else if (member == &jf_member)
        instruction->jf = (uint8_t)value;
    else
        instruction->k = value;
}

/* The members of an item, after its opening. */
static result read_members(struct c_reader *reader, const struct item_form *form,
                           struct sock_filter *instruction)
{
    for (size_t i = 0; i < COUNT_OF(form->members) && form->members[i]; i++) {
        const struct member *member = form->members[i];
        uint32_t value;
        result r = i ? scan_expect(&reader->scanner, ",") : SUCCESS;
        if (worked(r))
            r = read_member(reader, member->name, member->least, member->most, &value);
        if (failed(r))
            return r;
        set_member(instruction, member, value);
    }
    if (!form->macro)
        scan_text(&reader->scanner, ",");
    return scan_expect(&reader->scanner, form->close);
}

static result read_item(struct c_reader *reader)
{
    struct scanner *scanner = &reader->scanner;
    struct sock_filter instruction = {0};
    scan_blanks(scanner);
    size_t begin = scanner->at;
    const struct item_form *form = &forms[0];
    for (size_t i = 1; i < COUNT_OF(forms); i++)
        if (scan_word(scanner, forms[i].macro))
            form = &forms[i];
    if (!scan_text(scanner, form->open))
        return scan_fail(scanner, form->macro
                                      ? "expected `(` here"
                                      : "expected an instruction, { code, jt, jf, k }, here");
    result r = read_members(reader, form, &instruction);
    return failed(r) ? r : decoder_push(reader->decoder, instruction, begin, scanner->at);
}

/* `static const struct sock_filter name[] =` and the like: everything up to "=". */
static result skip_declarator(struct scanner *scanner)
{
    struct span name;
    skip_directives(scanner);
    scan_blanks(scanner);
    size_t begin = scanner->at;
    while (scan_name(scanner, &name))
        if (span_is(name, "BPF_STMT") || span_is(name, "BPF_JUMP")) {
            scanner->at = begin;
            return SUCCESS;
        }
    if (scanner->at == begin)
        return SUCCESS;
    if (scan_text(scanner, "[")) {
        while (scan_peek(scanner) != ']' && scanner->at < scanner->end)
            scanner->at++;
        result r = scan_expect(scanner, "]");
        if (failed(r))
            return r;
    }
    return scan_expect(scanner, "=");
}

/* True when the list itself stands in braces: "{" and then an item, not a number. */
static bool takes_list_brace(struct scanner *scanner)
{
    scan_blanks(scanner);
    size_t begin = scanner->at;
    if (!scan_text(scanner, "{"))
        return false;
    skip_directives(scanner);
    char next = scan_peek(scanner);
    size_t inside = scanner->at;
    bool is_list = next == '{' || next == '}' || scan_word(scanner, "BPF_STMT") ||
                   scan_word(scanner, "BPF_JUMP");
    scanner->at = is_list ? inside : begin;
    return is_list;
}

static result read_items(struct c_reader *reader, char closing)
{
    struct scanner *scanner = &reader->scanner;
    for (;;) {
        skip_directives(scanner);
        char next = scan_peek(scanner);
        if (next == closing || (next == ';' && !closing))
            return SUCCESS;
        result r = read_item(reader);
        if (failed(r))
            return r;
        skip_directives(scanner);
        if (!scan_text(scanner, ","))
            return SUCCESS;
    }
}

result decode_c(struct decoder *decoder)
{
    struct c_reader reader = {
        .decoder = decoder,
        .scanner = scanner_over(decoder->source, decoder->diagnostics),
        .symbols = symbols_new(),
    };
    struct scanner *scanner = &reader.scanner;
    result r = skip_declarator(scanner);
    if (failed(r))
        return r;
    bool braces = takes_list_brace(scanner);
    r = read_items(&reader, braces ? '}' : '\0');
    if (worked(r) && braces)
        r = scan_expect(scanner, "}");
    if (failed(r))
        return r;
    scan_text(scanner, ";");
    skip_directives(scanner);
    if (scan_peek(scanner) != '\0' || scanner->at < scanner->end)
        return scan_fail(scanner, "expected the initializer to end here");
    if (decoder->code.count == 0)
        return decoder_fail(decoder, 0, 0, "the initializer has no instructions");
    return SUCCESS;
}

void encode_c(struct buffer *out, struct arena *arena, const struct program *program,
              abi_set declared)
{
    (void)arena, (void)declared;
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        buffer_printf(out, "{ 0x%02x, %u, %u, 0x%08x },\n", at->code, at->jt, at->jf, at->k);
    }
}
