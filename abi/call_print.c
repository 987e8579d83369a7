#include "abi/abi.h"

/* Printing inputs as calls, and what the kernel sees of them. */

#define CALL_ARGUMENTS 6u

/* The candidate that bit 30 chooses between x86_64 and x32 (do_syscall_64, do_syscall_x32: numbers
 * with the top bits 01 are x32's). */
static abi_set dispatched(const struct input *input, bool big_endian)
{
    abi_set candidates = abi_with_token(input->arch, big_endian);
    abi_set both = ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_X32);
    if ((candidates & both) != both)
        return candidates;
    return candidates & ~ABI_BIT(input->nr >> 30 == 1 ? ABI_X86_64 : ABI_X32);
}

static enum abi_id first_of(abi_set set)
{
    return set ? (enum abi_id)__builtin_ctz(set) : ABI_NONE;
}

enum abi_id input_abi(const struct input *input, bool big_endian)
{
    return first_of(dispatched(input, big_endian));
}

/* The low `bits` of a register; sign-extended to the word when asked for. */
static uint64_t low_bits(uint64_t word, unsigned bits, bool extend, unsigned word_bits)
{
    uint64_t mask = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
    uint64_t value = word & mask;
    if (extend && value >> (bits - 1) & 1)
        value |= ~mask;
    if (word_bits < 64)
        value &= ((uint64_t)1 << word_bits) - 1;
    return value;
}

struct input input_visible(const struct input *input, enum abi_id abi, bool as_c_caller)
{
    struct input visible = *input;
    const struct syscall_entry *entry = abi < ABI_COUNT ? abi_syscall_at(abi, input->nr) : NULL;
    if (!entry || entry->argument_count > CALL_ARGUMENTS)
        return visible;
    for (unsigned i = 0; i < CALL_ARGUMENTS; i++) {
        const struct argument *argument = &entry->arguments[i];
        if (i >= entry->argument_count)
            visible.args[i] = 0;
        else if (argument->bits >= 1 && argument->bits <= 64)
            visible.args[i] = low_bits(input->args[i], argument->bits,
                                       as_c_caller && argument->is_signed, abi_get(abi)->word_bits);
    }
    return visible;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* An argument that stands for a directory may be AT_FDCWD. */
static bool is_current_directory(const struct argument *argument, enum abi_id abi, int64_t value)
{
    int64_t current;
    return argument->kernel_name && ends_with(argument->kernel_name, "dfd") &&
           abi_constant(abi, "AT_FDCWD", &current) && current == value;
}

/* True when the register holds a negative value of this type as call_parse would fill it. */
static bool is_negative(const struct argument *argument, unsigned word_bits, uint64_t word,
                        int64_t *value)
{
    if (!argument->is_signed || argument->is_pointer)
        return false;
    if (word_bits == 32 && word >> 32 != 0)
        return false;
    *value = word_bits == 32 ? (int32_t)(uint32_t)word : (int64_t)word;
    bool is_wide = argument->declared_bits > 32;
    return *value < 0 && *value >= (is_wide ? -4096 : INT32_MIN);
}

static void print_number(struct buffer *out, uint64_t word)
{
    buffer_printf(out, word < 10 ? "%llu" : "0x%llx", (unsigned long long)word);
}

static void print_argument(struct buffer *out, const struct argument *argument,
                           const struct abi *abi, uint64_t word)
{
    int64_t value;
    if (is_negative(argument, abi->word_bits, word, &value)) {
        if (is_current_directory(argument, abi->id, value))
            buffer_text(out, "AT_FDCWD");
        else
            buffer_printf(out, "%lld", (long long)value);
    } else if (argument->is_pointer && word == 0) {
        buffer_text(out, "NULL");
    } else {
        print_number(out, word);
    }
}

/* Registers from `first` to the last that is not 0, each after `separator`, then after ", ". */
static void print_registers(struct buffer *out, const struct input *input, unsigned first,
                            const char *separator)
{
    unsigned end = CALL_ARGUMENTS;
    while (end > first && input->args[end - 1] == 0)
        end--;
    for (unsigned i = first; i < end; i++) {
        buffer_text(out, i == first ? separator : ", ");
        print_number(out, input->args[i]);
    }
}

static void print_named(struct buffer *out, const struct input *input, const struct abi *abi,
                        const struct syscall_entry *entry)
{
    buffer_printf(out, "%s:%s(", abi->name, entry->name);
    if (entry->argument_count > CALL_ARGUMENTS) {
        print_registers(out, input, 0, "");
        return;
    }
    for (unsigned i = abi->first_argument; i < entry->argument_count; i++) {
        buffer_text(out, i > abi->first_argument ? ", " : "");
        print_argument(out, &entry->arguments[i], abi, input->args[i]);
    }
    print_registers(out, input, entry->argument_count, "; ");
}

static void print_numbered(struct buffer *out, const struct input *input, const struct abi *abi)
{
    if (abi)
        buffer_printf(out, "%s:nr(", abi->name);
    else
        buffer_printf(out, "arch(0x%08x):nr(", input->arch);
    if (input->nr == NR_SKIP)
        buffer_text(out, "-1");
    else
        buffer_printf(out, input->nr >= X32_BIT ? "0x%x" : "%u", input->nr);
    print_registers(out, input, 0, ", ");
}

void call_print(struct buffer *out, const struct input *input, abi_set declared, bool big_endian)
{
    abi_set candidates = dispatched(input, big_endian);
    enum abi_id id = first_of(candidates & declared ? candidates & declared : candidates);
    const struct abi *abi = id < ABI_COUNT ? abi_get(id) : NULL;
    const struct syscall_entry *entry = abi ? abi_syscall_at(id, input->nr) : NULL;
    /* Only a name that reads back as this number will do: a table may hold a name twice. */
    if (entry && abi_syscall(id, entry->name) != entry)
        entry = NULL;
    /* A register that no caller can set, and that holds something else here, is shown as it is. */
    if (entry && abi->first_argument && entry->argument_count <= CALL_ARGUMENTS && input->args[0] != input->nr)
        entry = NULL;
    if (entry)
        print_named(out, input, abi, entry);
    else
        print_numbered(out, input, abi);
    buffer_text(out, ")");
    if (input->ip)
        buffer_printf(out, "@0x%llx", (unsigned long long)input->ip);
}
