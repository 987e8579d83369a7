#include "bpf/symbols.h"

struct symbol {
    const char *name;
    uint32_t value;
};

#define SYMBOL(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct symbol fixed[] = {
    SYMBOL(BPF_LD),
    SYMBOL(BPF_LDX),
    SYMBOL(BPF_ST),
    SYMBOL(BPF_STX),
    SYMBOL(BPF_ALU),
    SYMBOL(BPF_JMP),
    SYMBOL(BPF_RET),
    SYMBOL(BPF_MISC),
    SYMBOL(BPF_W),
    SYMBOL(BPF_H),
    SYMBOL(BPF_B),
    SYMBOL(BPF_IMM),
    SYMBOL(BPF_ABS),
    SYMBOL(BPF_IND),
    SYMBOL(BPF_MEM),
    SYMBOL(BPF_LEN),
    SYMBOL(BPF_MSH),
    SYMBOL(BPF_ADD),
    SYMBOL(BPF_SUB),
    SYMBOL(BPF_MUL),
    SYMBOL(BPF_DIV),
    SYMBOL(BPF_OR),
    SYMBOL(BPF_AND),
    SYMBOL(BPF_LSH),
    SYMBOL(BPF_RSH),
    SYMBOL(BPF_NEG),
    SYMBOL(BPF_MOD),
    SYMBOL(BPF_XOR),
    SYMBOL(BPF_JA),
    SYMBOL(BPF_JEQ),
    SYMBOL(BPF_JGT),
    SYMBOL(BPF_JGE),
    SYMBOL(BPF_JSET),
    SYMBOL(BPF_K),
    SYMBOL(BPF_X),
    SYMBOL(BPF_A),
    SYMBOL(BPF_TAX),
    SYMBOL(BPF_TXA),
    {"SECCOMP_RET_KILL", 0},
    {"SECCOMP_RET_DATA", 0xffff},
    {"SECCOMP_RET_ACTION", 0x7fff0000},
    {"SECCOMP_RET_ACTION_FULL", 0xffff0000},
    {"__X32_SYSCALL_BIT", X32_BIT},
};

static const char *text_of(struct scanner *scanner, struct span span)
{
    return arena_string(scanner->diagnostics->arena, span.source->text + span.begin,
                        span.end - span.begin);
}

static bool fixed_symbol(const char *name, exact *value)
{
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (strcmp(fixed[i].name, name) == 0) {
            *value = fixed[i].value;
            return true;
        }
    for (int action = 0; action < ACTION_COUNT; action++)
        if (strcmp(action_get((enum action)action)->macro, name) == 0) {
            *value = action_get((enum action)action)->word;
            return true;
        }
    return false;
}

/* AUDIT_ARCH_... also says whose names the following ones are. */
static bool token_symbol(struct symbols *symbols, const char *name, exact *value)
{
    for (int id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        if (!abi || strcmp(abi->token_name, name) != 0)
            continue;
        symbols->abi = abi->id;
        *value = abi->token;
        return true;
    }
    return false;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static result number_symbol(struct symbols *symbols, struct scanner *scanner, struct span span,
                            const char *name, exact *value)
{
    if (symbols->abi >= ABI_COUNT)
        return scan_fail_at(scanner, span,
                            "`%s` has another value on each ABI: no AUDIT_ARCH_ name stands before "
                            "it",
                            name);
    const struct syscall_entry *entry = abi_syscall(symbols->abi, name + strlen("__NR_"));
    if (!entry)
        return scan_fail_at(scanner, span, "%s has no `%s`", abi_get(symbols->abi)->name, name);
    *value = entry->nr;
    return SUCCESS;
}

/* offsetof(struct seccomp_data, MEMBER); the name has been taken. */
static result read_offset(struct symbols *symbols, struct scanner *scanner, exact *value)
{
    static const struct {
        const char *member;
        uint32_t offset;
    } members[] = {{"nr", 0}, {"arch", 4}, {"instruction_pointer", 8}, {"args", 16}};
    struct span name;
    uint32_t index;
    result r = scan_expect(scanner, "(");
    if (failed(r))
        return r;
    if (!scan_word(scanner, "struct") || !scan_word(scanner, "seccomp_data"))
        return scan_fail(scanner, "expected `struct seccomp_data` here");
    r = scan_expect(scanner, ",");
    if (failed(r))
        return r;
    if (!scan_name(scanner, &name))
        return scan_fail(scanner, "expected a member of struct seccomp_data here");
    size_t i = 0;
    while (i < COUNT_OF(members) && !span_is(name, members[i].member))
        i++;
    if (i == COUNT_OF(members))
        return scan_fail_at(scanner, name, "struct seccomp_data has no such member");
    *value = members[i].offset;
    if (scan_text(scanner, "[")) {
        r = symbols_read(symbols, scanner, "an argument's index", 0, 5, &index);
        if (failed(r))
            return r;
        *value += 8 * index;
        r = scan_expect(scanner, "]");
    }
    return failed(r) ? r : scan_expect(scanner, ")");
}

static result symbol_value(struct names *names, struct scanner *scanner, struct span span,
                           exact *value)
{
    struct symbols *symbols = (struct symbols *)names;
    const char *name = text_of(scanner, span);
    int64_t constant;
    uint16_t number;
    if (fixed_symbol(name, value) || token_symbol(symbols, name, value))
        return SUCCESS;
    if (strcmp(name, "offsetof") == 0)
        return read_offset(symbols, scanner, value);
    if (starts_with(name, "__NR_"))
        return number_symbol(symbols, scanner, span, name, value);
    if (symbols->abi < ABI_COUNT && abi_constant(symbols->abi, name, &constant)) {
        *value = constant;
        return SUCCESS;
    }
    if (symbols->abi >= ABI_COUNT && generic_errno(name, &number)) {
        *value = number;
        return SUCCESS;
    }
    if (symbols->abi >= ABI_COUNT && abi_constant_anywhere(name))
        return scan_fail_at(scanner, span,
                            "`%s` belongs to an ABI: no AUDIT_ARCH_ name stands before it", name);
    return scan_fail_at(scanner, span, "unknown name `%s`", name);
}

struct symbols symbols_new(void)
{
    return (struct symbols){{symbol_value}, ABI_NONE, 0};
}

result symbols_read(struct symbols *symbols, struct scanner *scanner, const char *what,
                    int64_t least, int64_t most, uint32_t *value)
{
    exact number;
    scan_blanks(scanner);
    size_t begin = scanner->at;
    /* An index inside offsetof may hold another offsetof: a limit, for untrusted text. */
    if (symbols->depth >= 4)
        return scan_fail(scanner, "the expression is nested too deeply");
    symbols->depth++;
    result r = expression_read(scanner, &symbols->names, &number);
    symbols->depth--;
    if (failed(r))
        return r;
    if (number < least || number > most)
        return scan_fail_at(scanner, scan_from(scanner, begin), "%s is from %lld to %lld", what,
                            (long long)least, (long long)most);
    *value = (uint32_t)number;
    return SUCCESS;
}
