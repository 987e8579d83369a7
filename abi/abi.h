/* abi: facts about Linux's system call interfaces, and calls as text.
 *
 * The facts live in abi/data/ (one table per kind, tab-separated, each row with its source) and become C at build
 * time (abi/generate.py). abi/collect/ holds the scripts that made the tables from the kernel's and
 * Debian's files. Nothing here knows about programs or policies.
 */
#ifndef ABI_ABI_H
#define ABI_ABI_H

#include "base/base.h"

/* ---- the input of a filter --------------------------------------------------------------------- */

/* What the kernel shows a filter: struct seccomp_data of <linux/seccomp.h>, same layout, nr unsigned. */
struct input {
    uint32_t nr;
    uint32_t arch;
    uint64_t ip;
    uint64_t args[6];
};

/* The 16 words of the input by meaning, so independent of endianness. */
enum field {
    FIELD_NR,
    FIELD_ARCH,
    FIELD_IP_LO,
    FIELD_IP_HI,
    FIELD_ARG0_LO,
    FIELD_ARG0_HI,
    FIELD_ARG1_LO,
    FIELD_ARG1_HI,
    FIELD_ARG2_LO,
    FIELD_ARG2_HI,
    FIELD_ARG3_LO,
    FIELD_ARG3_HI,
    FIELD_ARG4_LO,
    FIELD_ARG4_HI,
    FIELD_ARG5_LO,
    FIELD_ARG5_HI,
    FIELD_COUNT
};

#define INPUT_BYTES 64u

static inline enum field field_arg_lo(unsigned arg)
{
    return (enum field)(FIELD_ARG0_LO + 2 * arg);
}

static inline enum field field_arg_hi(unsigned arg)
{
    return (enum field)(FIELD_ARG0_HI + 2 * arg);
}

uint32_t input_field(const struct input *input, enum field field);
void input_set_field(struct input *input, enum field field, uint32_t value);
/* Byte offset (a multiple of 4, below 64) of a field, and back. */
uint32_t field_offset(enum field field, bool big_endian);
enum field field_at(uint32_t offset, bool big_endian);
/* "nr", "arch", "lo32(ip)", "hi32(arg3)", ... : as the policy language writes them. */
const char *field_name(enum field field);

/* ---- ABIs ------------------------------------------------------------------------------------------ */

enum abi_id {
    ABI_X86_64,
    ABI_I386,
    ABI_X32,
    ABI_ARM,
    ABI_ARMEB,
    ABI_AARCH64,
    ABI_AARCH64_BE,
    ABI_RISCV64,
    ABI_RISCV32,
    ABI_LOONGARCH64,
    ABI_S390X,
    ABI_S390,
    ABI_PPC64,
    ABI_PPC64LE,
    ABI_PPC,
    ABI_MIPS,
    ABI_MIPSEL,
    ABI_MIPS64,
    ABI_MIPS64EL,
    ABI_MIPSN32,
    ABI_MIPSN32EL,
    ABI_PARISC,
    ABI_PARISC64,
    ABI_M68K,
    ABI_SH,
    ABI_SHEB,
    ABI_COUNT,
    ABI_NONE = ABI_COUNT
};

typedef uint32_t abi_set; /* bit i: ABI i */
#define ABI_BIT(id) ((abi_set)1 << (id))

#define X32_BIT 0x40000000u
#define NR_SKIP 0xffffffffu /* -1: with which a tracer skips a call */

struct abi {
    enum abi_id id;
    const char *name;       /* the one name used everywhere */
    const char *token_name; /* "AUDIT_ARCH_X86_64" */
    uint32_t token;
    unsigned word_bits; /* width of long and of pointers in an argument: 32 or 64; x32, n32: 64 */
    bool big_endian;
    /* What the constant-action cache of Linux 5.11 and later knows (seccomp_cache_prepare): the kernel this
     * ABI's tasks run on caches this ABI's numbers below `cache_size`; 0 = never cached. */
    uint32_t cache_size;
    enum abi_id kernel;     /* the 64-bit ABI whose kernel usually serves it (i386: x86_64), else itself */
    /* The register in which a call's first parameter stands: 1 on m68k, whose register 0 shows orig_d0, the number
     * (syscall_get_arguments); else 0. Parameters keep their register's place in syscall_entry.arguments. */
    unsigned first_argument;
    const char *oci_name;   /* SCMP_ARCH_..., NULL where libseccomp has none */
};

const struct abi *abi_get(enum abi_id id);
/* NULL when there is none; aliases (amd64, arm64, ...) are not names. */
const struct abi *abi_by_name(const char *name);
const struct abi *abi_by_oci_name(const char *name);
enum abi_id abi_native(void); /* of this program's build */
/* All ABIs whose input carries this token, in this endianness. */
abi_set abi_with_token(uint32_t token, bool big_endian);

/* ---- system calls ------------------------------------------------------------------------------------ */

/* One parameter as this ABI's kernel entry sees it. */
struct argument {
    const char *kernel_name; /* "dfd"; NULL when unknown */
    const char *manual_name; /* "dirfd"; NULL when the manual has none for this place */
    const char *type;        /* "int", "const char *" ... ; NULL when unknown */
    uint8_t declared_bits;   /* of the C type on this ABI: 16, 32 or 64 */
    uint8_t bits;            /* that the kernel really uses: declared, narrowed by the unconditional rows */
    bool is_signed;
    bool is_pointer;
};

#define ARGUMENTS_UNKNOWN 0xff

struct syscall_entry {
    const char *name;
    uint32_t nr;      /* as it stands in seccomp_data.nr: x32's bit and mips' base included */
    bool implemented; /* false: in the table, but ENOSYS */
    uint8_t argument_count; /* 0..6 or ARGUMENTS_UNKNOWN: then arguments are raw 64-bit words */
    /* Six places, always: those past argument_count are zero. */
    const struct argument *arguments;
};

const struct syscall_entry *abi_syscall(enum abi_id abi, const char *name); /* NULL: not on this ABI */
const struct syscall_entry *abi_syscall_at(enum abi_id abi, uint32_t nr);   /* NULL: not in its table */
/* The ABI's table, sorted by number. */
const struct syscall_entry *abi_syscalls(enum abi_id abi, size_t *count);
/* ABIs that have a call of this name; 0: exists nowhere. */
abi_set abi_syscall_anywhere(const char *name);
/* Up to `most` names nearest to a misspelled one, the nearest first; returns how many. */
size_t abi_nearest_syscalls(const char *name, const char **nearest, size_t most);

/* ---- calls that do the same (families.c) ------------------------------------------------------------------ */

/* A call, or a part of one: with a parameter, as far as a filter looks at it; with a value too, the
 * call with this value there. Lists end with one whose name is NULL. */
struct call_reference {
    const char *name, *parameter, *value;
};

enum family_kind {
    FAMILY_EQUAL,       /* each of `calls` does what the others do, and so does each way */
    FAMILY_STRONGER,    /* each way can do what each of `calls` does */
    FAMILY_TWIN,        /* the same, with what filters look at in a struct */
    FAMILY_MULTIPLEXER, /* the way reaches the call by a number */
    FAMILY_IO_URING     /* an operation of a ring does what any one of `calls` does */
};

struct family {
    enum family_kind kind;
    const char *name; /* "open a file" */
    const struct call_reference *calls;
    const struct call_reference *const *ways; /* ends with NULL; the calls of one way are needed together */
    abi_set abis;                             /* where it is so */
    const char *why, *source;
};

const struct family *abi_families(size_t *count);
/* The register in which a parameter of this kernel or manual name stands; -1: it has none. */
int abi_parameter(const struct syscall_entry *entry, const char *name);
/* The value of a reference (a constant's name or a number) on an ABI. */
bool abi_reference_value(enum abi_id abi, const struct call_reference *reference, uint64_t *value);
/* Bits of an argument that the kernel drops before it looks at it: 0 where none are known. */
uint64_t abi_dropped_bits(enum abi_id abi, const struct syscall_entry *entry, unsigned argument);
/* The same, and those that a filter need not look at because the kernel refuses them. */
uint64_t abi_harmless_bits(enum abi_id abi, const struct syscall_entry *entry, unsigned argument);

/* ---- named constants -------------------------------------------------------------------------------------- */

/* The value of a kernel constant (O_RDONLY, TIOCSTI, PROT_EXEC, EPERM, ...) on an ABI, an exact integer:
 * negative values (AT_FDCWD) are sign-extended. False when it does not exist there. */
bool abi_constant(enum abi_id abi, const char *name, int64_t *value);
abi_set abi_constant_anywhere(const char *name);
size_t abi_nearest_constants(const char *name, const char **nearest, size_t most);
/* What an argument's values are called. */
enum constants_kind {
    CONSTANTS_VALUES, /* it is one of them */
    CONSTANTS_FLAGS,  /* it is a sum of them */
    CONSTANTS_FIELD,  /* its bits under `field` hold one of them, the others are a sum of them */
};

/* A row of abi/data/argument_constants.tsv for one call. */
struct argument_constants {
    const char *call, *parameter; /* the kernel's name, or the manual's */
    const char *when, *equals;    /* only where this other argument equals this constant; NULL: always */
    enum constants_kind kind;
    const char *field; /* FIELD: its mask, a constant's name or a number */
    const char *const *names; /* of several with one value the first is the usual one */
    size_t count;
};

/* The rows about one argument; `next` is where to go on, 0 at first. NULL: no more. */
const struct argument_constants *abi_argument_constants(const char *call, const struct argument *argument,
                                                        size_t *next);
/* errno by name (E...) and back; NULL / false when unknown. The back way prefers EAGAIN over EWOULDBLOCK. */
bool abi_errno(enum abi_id abi, const char *name, uint16_t *value);
const char *abi_errno_name(enum abi_id abi, uint32_t value);
bool generic_errno(const char *name, uint16_t *value); /* asm-generic's value, for `foreign` */

/* ---- actions ------------------------------------------------------------------------------------------------ */

/* Rank: the kernel's order, the smaller the stricter. */
enum action {
    ACTION_KILL_PROCESS,
    ACTION_KILL_THREAD,
    ACTION_TRAP,
    ACTION_ERRNO,
    ACTION_NOTIFY,
    ACTION_TRACE,
    ACTION_LOG,
    ACTION_ALLOW,
    ACTION_COUNT
};

struct action_info {
    enum action action;
    const char *name;       /* "errno": the policy language's word */
    const char *macro;      /* "SECCOMP_RET_ERRNO" */
    const char *oci_name;   /* "SCMP_ACT_ERRNO" */
    uint32_t word;          /* with data 0 */
    bool takes_data;        /* errno, trap, trace */
    bool permits;           /* allow, log, trace, notify: language.md's `permit` */
};

const struct action_info *action_get(enum action action);
const struct action_info *action_by_name(const char *name); /* NULL when there is none */
/* What the kernel does with a returned word: an unknown action is KILL_PROCESS (seccomp_run_filters,
 * __seccomp_filter). `known` may be NULL. */
const struct action_info *action_of_word(uint32_t word, bool *known);
/* "allow", "errno(EPERM)", "trap(7)", "kill_thread", "ret(0x12345678)" for what has no other name.
 * Parses back in the policy language. `abi` names errno values; ABI_NONE: generic names. */
void verdict_print(struct buffer *out, uint32_t word, enum abi_id abi);
/* The word a stack returns, from its members' words, newest filter first (seccomp_run_filters). */
uint32_t verdict_combine(const uint32_t *newest_first, size_t count);

/* ---- calls as text ---------------------------------------------------------------------------------------------- */

/* A concrete call: openat(AT_FDCWD, 0x1000, O_RDONLY), i386:getpid(), x86_64:nr(435, 1, 2). */
struct call {
    enum abi_id abi; /* ABI_NONE when the token is no ABI's */
    struct input input;
};

/* Reads one call; registers are filled as a C caller fills them: signed values sign-extended to the
 * word, upper halves zero on 32-bit ABIs; missing arguments are 0. `abi` is for a call without a prefix.
 * Also `arch(0xTOKEN):nr(...)`, and a suffix `@0xIP` for the instruction pointer. Positive numbers stand
 * in the register as written, all 64 bits of them, whatever the argument's width. Text for what a
 * pointer points to ("...", {...}, [...]) is some address that is not 0; NULL is 0. Registers behind the
 * call's parameters follow a `;`: close(3; 7). strace's result, `= 3`, is ignored. */
MUST_USE result call_parse(struct arena *arena, const char *text, enum abi_id abi,
                           struct diagnostics *diagnostics, struct call *call);
/* Prints an input as strace would, so that call_parse gives the same input back. `declared` decides
 * which ABI's name an ambiguous token gets (x32 by bit 30). Always with the ABI in front. */
void call_print(struct buffer *out, const struct input *input, abi_set declared, bool big_endian);
/* The ABI that the kernel would dispatch this (arch, nr) on; x32: top bits 01 (so -1 is x86_64's).
 * ABI_NONE: no such token. */
enum abi_id input_abi(const struct input *input, bool big_endian);
/* The input with every argument bit zeroed that the kernel ignores on this call (sign-extended
 * again to the word where the argument is signed, when `as_c_caller`). Unchanged where the number is not
 * in the table, or its arguments are unknown: nothing is claimed about widths there. */
struct input input_visible(const struct input *input, enum abi_id abi, bool as_c_caller);

#endif
