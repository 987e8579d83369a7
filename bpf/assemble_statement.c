#include "bpf/assembler.h"

/* Statements:
 *
 *   .raw code, jt, jf, k        any instruction at all
 *   .big_endian .little_endian  the layout of the input, ahead of all instructions
 *   mnemonic [operand] [, label [, label]]
 *
 * Operands: nr, arch, lo32(arg0), ..., [offset], M[slot], #value, len, x, a, and verdicts. */

/* Words that stand for another mnemonic; inverted ones swap the two labels. */
static const struct alias {
    const char *name;
    const char *mnemonic;
    bool inverted;
} aliases[] = {
    {"jmp", "ja", false},  {"ldi", "ld", false}, {"ldxi", "ldx", false}, {"jne", "jeq", true},
    {"jneq", "jeq", true}, {"jlt", "jge", true}, {"jle", "jgt", true},
};

static const char *const not_in_seccomp[] = {"mod", "ldh", "ldb", "ldxb"};

struct operand {
    enum operand_form form;
    uint32_t k;
    struct span span;
};

static result read_k(struct assembler *assembler, struct operand *operand)
{
    return symbols_read(&assembler->symbols, &assembler->scanner, "the value", INT32_MIN,
                        UINT32_MAX, &operand->k);
}

static result read_bracketed(struct assembler *assembler, enum operand_form form,
                             struct operand *operand)
{
    operand->form = form;
    result r = read_k(assembler, operand);
    return failed(r) ? r : scan_expect(&assembler->scanner, "]");
}

/* nr, arch, lo32(...), hi32(...): `name` is the part before the parenthesis. */
static result read_field(struct assembler *assembler, struct span name, struct operand *operand)
{
    struct scanner *scanner = &assembler->scanner;
    struct span inner;
    char text[32];
    int length = (int)(name.end - name.begin);
    snprintf(text, sizeof text, "%.*s", length, name.source->text + name.begin);
    if (scan_text(scanner, "(")) {
        if (!scan_name(scanner, &inner))
            return scan_fail(scanner, "expected arg0 to arg5 or ip here");
        snprintf(text, sizeof text, "%.*s(%.*s)", length, name.source->text + name.begin,
                 (int)(inner.end - inner.begin), inner.source->text + inner.begin);
        result r = scan_expect(scanner, ")");
        if (failed(r))
            return r;
    }
    operand->form = OPERAND_FIELD;
    for (int field = 0; field < FIELD_COUNT; field++)
        if (strcmp(field_name((enum field)field), text) == 0) {
            operand->k = field_offset((enum field)field, assembler->big_endian);
            return SUCCESS;
        }
    return scan_fail_at(scanner, name,
                        "no such operand: fields are nr, arch, lo32(arg0), hi32(arg0), ..., "
                        "lo32(ip), hi32(ip)");
}

/* errno(EPERM), allow, ...: `name` has been taken. */
static result read_verdict(struct assembler *assembler, struct span name, struct operand *operand)
{
    struct scanner *scanner = &assembler->scanner;
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)(name.end - name.begin),
             name.source->text + name.begin);
    const struct action_info *action = action_by_name(text);
    uint32_t data = 0;
    if (!action)
        return scan_fail_at(scanner, name,
                            "unknown action: allow, log, notify, trace(N), trap(N), errno(N), "
                            "kill_thread, kill_process, or #word");
    if (action->takes_data) {
        result r = scan_expect(scanner, "(");
        if (worked(r))
            r = symbols_read(&assembler->symbols, scanner, "an action's data", 0, UINT16_MAX,
                             &data);
        if (worked(r))
            r = scan_expect(scanner, ")");
        if (failed(r))
            return r;
    }
    operand->form = OPERAND_VERDICT;
    operand->k = action->word | data;
    return SUCCESS;
}

static result read_operand(struct assembler *assembler, bool is_return, struct operand *operand)
{
    struct scanner *scanner = &assembler->scanner;
    struct span name;
    if (scan_text(scanner, "#")) {
        operand->form = is_return ? OPERAND_VERDICT : OPERAND_IMMEDIATE;
        if (scan_word(scanner, "len")) {
            operand->form = OPERAND_LENGTH;
            return SUCCESS;
        }
        return read_k(assembler, operand);
    }
    if (scan_text(scanner, "["))
        return read_bracketed(assembler, OPERAND_FIELD, operand);
    bool is_register = scan_text(scanner, "%");
    if (!scan_name(scanner, &name))
        return scan_fail(scanner, "expected an operand here");
    if (span_is(name, "x") || span_is(name, "a")) {
        operand->form = span_is(name, "x") ? OPERAND_X : OPERAND_A;
        return SUCCESS;
    }
    if (is_register)
        return scan_fail_at(scanner, name, "the registers are a and x");
    if (span_is(name, "len")) {
        operand->form = OPERAND_LENGTH;
        return SUCCESS;
    }
    if (span_is(name, "M") && scan_text(scanner, "["))
        return read_bracketed(assembler, OPERAND_MEMORY, operand);
    return is_return ? read_verdict(assembler, name, operand)
                     : read_field(assembler, name, operand);
}

static const struct instruction_info *find_row(const char *mnemonic, const enum operand_form *form)
{
    size_t count;
    const struct instruction_info *table = instruction_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].mnemonic, mnemonic) == 0 && (!form || operand_form(&table[i]) == *form))
            return &table[i];
    return NULL;
}

static result read_label(struct assembler *assembler, int kind, uint32_t from)
{
    struct scanner *scanner = &assembler->scanner;
    struct jump jump = {.kind = kind, .from = from};
    if (!scan_name(scanner, &jump.span))
        return scan_fail(scanner, "expected a label here");
    vector_push(assembler->decoder.arena, &assembler->jumps, jump);
    return SUCCESS;
}

/* The labels behind a comparison; without a second one, the next instruction is meant. */
static result read_labels(struct assembler *assembler, bool inverted, uint32_t from)
{
    struct scanner *scanner = &assembler->scanner;
    result r = scan_expect(scanner, ",");
    if (worked(r))
        r = read_label(assembler, inverted ? JUMP_IF_FALSE : JUMP_IF_TRUE, from);
    if (failed(r) || !scan_text(scanner, ","))
        return r;
    return read_label(assembler, inverted ? JUMP_IF_TRUE : JUMP_IF_FALSE, from);
}

static const struct alias *find_alias(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (span_is(name, aliases[i].name))
            return &aliases[i];
    return NULL;
}

static result unknown_mnemonic(struct assembler *assembler, struct span name)
{
    int length = (int)(name.end - name.begin);
    const char *text = name.source->text + name.begin;
    for (size_t i = 0; i < COUNT_OF(not_in_seccomp); i++)
        if (span_is(name, not_in_seccomp[i]))
            return scan_fail_at(&assembler->scanner, name, "seccomp does not allow `%.*s`", length,
                                text);
    return scan_fail_at(&assembler->scanner, name, "there is no instruction `%.*s`",
                        length > 40 ? 40 : length, text);
}

/* The row for a mnemonic and what follows it; reads the operand. */
static result select_row(struct assembler *assembler, struct span name, const char *mnemonic,
                         struct operand *operand, const struct instruction_info **info)
{
    struct scanner *scanner = &assembler->scanner;
    const struct instruction_info *any = find_row(mnemonic, NULL);
    if (!any)
        return unknown_mnemonic(assembler, name);
    operand->form = operand_form(any);
    scan_blanks(scanner);
    size_t begin = scanner->at;
    if (operand->form != OPERAND_NONE && operand->form != OPERAND_LABEL) {
        result r = read_operand(assembler, any->operation == OP_RETURN, operand);
        if (failed(r))
            return r;
    }
    operand->span = scan_from(scanner, begin);
    *info = find_row(mnemonic, &operand->form);
    if (!*info)
        return scan_fail_at(scanner, operand->span, "`%s` takes no such operand", mnemonic);
    const char *problem = operand_problem(*info, operand->k);
    if (problem)
        return scan_fail_at(scanner, operand->span, "%s", problem);
    return SUCCESS;
}

static result assemble_instruction(struct assembler *assembler, struct span name)
{
    const struct alias *alias = find_alias(name);
    const char *mnemonic =
        alias ? alias->mnemonic
              : arena_string(assembler->decoder.arena, name.source->text + name.begin,
                             name.end - name.begin);
    struct operand operand = {0};
    const struct instruction_info *info = NULL;
    uint32_t index = (uint32_t)assembler->decoder.code.count;
    result selected = select_row(assembler, name, mnemonic, &operand, &info);
    /* A wrong line holds its place, so that the distances of the others stay right. */
    struct sock_filter instruction = {.code = info ? info->code : 0, .k = operand.k};
    result r = decoder_push(&assembler->decoder, instruction, name.begin, name.end);
    if (failed(selected) || failed(r))
        return failed(selected) ? selected : r;
    if (info->operation == OP_JUMP)
        return read_label(assembler, JUMP_ALWAYS, index);
    if (is_conditional(info->operation))
        return read_labels(assembler, alias && alias->inverted, index);
    return SUCCESS;
}

static result assemble_raw(struct assembler *assembler, struct span name)
{
    static const struct {
        const char *name;
        int64_t least;
        int64_t most;
    } members[] = {{"code", 0, UINT16_MAX},
                   {"jt", 0, UINT8_MAX},
                   {"jf", 0, UINT8_MAX},
                   {"k", INT32_MIN, UINT32_MAX}};
    uint32_t values[COUNT_OF(members)] = {0};
    result r = SUCCESS;
    for (size_t i = 0; i < COUNT_OF(members) && worked(r); i++) {
        if (i)
            scan_text(&assembler->scanner, ",");
        r = symbols_read(&assembler->symbols, &assembler->scanner, members[i].name,
                         members[i].least, members[i].most, &values[i]);
    }
    struct sock_filter instruction = {(uint16_t)values[0], (uint8_t)values[1], (uint8_t)values[2],
                                      values[3]};
    result pushed = decoder_push(&assembler->decoder, instruction, name.begin, name.end);
    return failed(r) ? r : pushed;
}

static result assemble_directive(struct assembler *assembler)
{
    struct scanner *scanner = &assembler->scanner;
    struct span name;
    if (!scan_name(scanner, &name))
        return scan_fail(scanner, "expected a directive here");
    if (span_is(name, "raw"))
        return assemble_raw(assembler, name);
    bool big = span_is(name, "big_endian");
    if (!big && !span_is(name, "little_endian"))
        return scan_fail_at(scanner, name,
                            "the directives are .raw, .big_endian and .little_endian");
    if (assembler->decoder.code.count > 0)
        return scan_fail_at(scanner, name, "the byte order is said ahead of all instructions");
    assembler->big_endian = big;
    return SUCCESS;
}

result assemble_statement(struct assembler *assembler)
{
    struct span name;
    if (scan_text(&assembler->scanner, "."))
        return assemble_directive(assembler);
    if (!scan_name(&assembler->scanner, &name))
        return scan_fail(&assembler->scanner, "expected an instruction here");
    return assemble_instruction(assembler, name);
}
