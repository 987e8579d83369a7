/* The places, widths and names of arguments where ABIs differ. */
#include "abi/abi.h"
#include "unit/support.h"

/* The places of a call as "name:bits[s][*]", narrowed ones as "name:declared>bits". */
static const char *places(struct fixture *fixture, enum abi_id abi, const char *name)
{
    struct buffer out = buffer_new(fixture->arena);
    const struct syscall_entry *entry = abi_syscall(abi, name);
    if (!entry)
        return "absent";
    if (entry->argument_count == ARGUMENTS_UNKNOWN)
        return "unknown";
    for (unsigned i = 0; i < entry->argument_count; i++) {
        const struct argument *argument = &entry->arguments[i];
        buffer_printf(&out, "%s%s:", i ? " " : "", argument->kernel_name);
        if (argument->bits != argument->declared_bits)
            buffer_printf(&out, "%u>", argument->declared_bits);
        buffer_printf(&out, "%u%s%s", argument->bits, argument->is_signed ? "s" : "",
                      argument->is_pointer ? "*" : "");
    }
    return buffer_string(&out);
}

struct row {
    enum abi_id abi;
    const char *name;
    const char *places;
};

static const struct row rows[] = {
    {ABI_X86_64, "openat", "dfd:32s filename:64* flags:32s mode:16"},
    {ABI_I386, "openat", "dfd:32s filename:32* flags:32s mode:16"},
    {ABI_X86_64, "getpid", ""},
    /* narrower in effect than declared */
    {ABI_X86_64, "clone", "clone_flags:64>32 newsp:64 parent_tidptr:64* child_tidptr:64* tls:64"},
    {ABI_X86_64, "mmap", "addr:64 len:64 prot:64 flags:64 fd:64>32 off:64"},
    {ABI_AARCH64, "readv", "fd:64>32 vec:64* vlen:64"},
    {ABI_X86_64, "preadv2", "fd:64>32 vec:64* vlen:64 pos_l:64 pos_h:64 flags:32s"},
    {ABI_X86_64, "ptrace", "request:64s pid:64>32s addr:64 data:64"},
    /* depends on the command: stays */
    {ABI_X86_64, "fcntl", "fd:32 cmd:32 arg:64"},
    {ABI_X86_64, "ioctl", "fd:32 cmd:32 arg:64"},
    /* the order of clone */
    {ABI_AARCH64, "clone", "clone_flags:64>32 newsp:64 parent_tidptr:64* tls:64 child_tidptr:64*"},
    {ABI_LOONGARCH64, "clone",
     "clone_flags:64>32 newsp:64 parent_tidptr:64* child_tidptr:64* tls:64"},
    {ABI_S390X, "clone", "newsp:64 clone_flags:64>32 parent_tidptr:64* child_tidptr:64* tls:64"},
    {ABI_I386, "clone", "clone_flags:32 newsp:32 parent_tidptr:32* tls_val:32 child_tidptr:32*"},
    {ABI_MIPS, "clone", "clone_flags:32 newsp:32 parent_tidptr:32* tls:32 child_tidptr:32*"},
    {ABI_SH, "clone", "clone_flags:32 newsp:32 parent_tidptr:32* child_tidptr:32* tls:32"},
    /* 64-bit values in two registers: padding where pairs are aligned, halves by byte order */
    {ABI_X86_64, "pread64", "fd:32 buf:64* count:64 pos:64s"},
    {ABI_I386, "pread64", "fd:32 ubuf:32* count:32 poslo:32 poshi:32"},
    {ABI_ARM, "pread64", "fd:32 buf:32* count:32 unused:32 pos_low:32 pos_high:32"},
    {ABI_ARMEB, "pread64", "fd:32 buf:32* count:32 unused:32 pos_high:32 pos_low:32"},
    {ABI_PPC, "pread64", "fd:32 buf:32* count:32 unused:32 pos_high:32 pos_low:32"},
    {ABI_MIPSEL, "pwrite64", "fd:32 buf:32* count:32 unused:32 pos_low:32 pos_high:32"},
    {ABI_S390, "pread64", "fd:32 buf:32* count:32 pos_high:32 pos_low:32"},
    {ABI_RISCV32, "pread64", "fd:32 buf:32* count:32 pos_low:32 pos_high:32"},
    {ABI_SH, "pread64", "fd:32 buf:32* count:32 dummy:32s pos_low:32 pos_high:32"},
    {ABI_X32, "pread64", "fd:32 buf:64* count:64 pos:64s"},
    {ABI_ARM, "ftruncate64", "fd:32 unused:32 length_low:32 length_high:32"},
    {ABI_PARISC, "ftruncate64", "fd:32 high:32 low:32"},
    {ABI_ARM, "arm_fadvise64_64",
     "fd:32s advice:32s offset_low:32 offset_high:32 len_low:32 len_high:32"},
    {ABI_PPC, "fadvise64_64",
     "fd:32s advice:32s offset_high:32 offset_low:32 len_high:32 len_low:32"},
    {ABI_S390, "fadvise64_64", "args:32*"},
    {ABI_MIPS, "readahead", "fd:32s unused:32 offset_high:32 offset_low:32 count:32"},
    {ABI_ARM, "fallocate", "fd:32s mode:32s offset_low:32 offset_high:32 len_low:32 len_high:32"},
    {ABI_I386, "fanotify_mark",
     "fanotify_fd:32s flags:32 mask_low:32 mask_high:32 dfd:32s pathname:32*"},
    {ABI_ARM, "_llseek", "fd:32 offset_high:32 offset_low:32 result:32* whence:32"},
    /* a struct in memory */
    {ABI_I386, "mmap", "arg:32*"},
    {ABI_I386, "select", "arg:32*"},
    {ABI_S390X, "mmap", "arg:64*"},
    {ABI_I386, "mmap2", "addr:32 len:32 prot:32 flags:32 fd:32 pgoff:32"},
    /* multiplexers */
    {ABI_I386, "socketcall", "call:32s args:32*"},
    {ABI_I386, "ipc", "call:32 first:32s second:32s third:32 ptr:32* fifth:32"},
    {ABI_S390X, "ipc", "call:32 first:32s second:64 third:64 ptr:64*"},
    /* compat entries of ABIs that otherwise see whole registers */
    {ABI_X32, "ioctl", "fd:32 cmd:32 arg:32"},
    {ABI_X32, "munmap", "addr:64 len:64"},
    {ABI_MIPSN32, "ptrace", "request:32s pid:32s addr:32s data:32s"},
    {ABI_MIPSN32, "munmap", "addr:64 len:64"},
    /* 16-bit user ids where the table has the 32-bit ones under other names */
    {ABI_I386, "setuid", "uid:16"},
    {ABI_I386, "setuid32", "uid:32"},
    {ABI_PPC, "setuid", "uid:32"},
    /* the three-parameter form of an old call */
    {ABI_I386, "sigsuspend", "unused1:32s unused2:32s mask:32"},
    {ABI_PPC, "sigsuspend", "mask:32"},
    /* seccomp shows orig_d0 in front on m68k, and five of the parameters */
    {ABI_M68K, "openat", "orig_d0:32 dfd:32s filename:32* flags:32s mode:16"},
    {ABI_M68K, "mmap2", "orig_d0:32 addr:32 len:32 prot:32 flags:32 fd:32"},
    /* nothing is known, nothing is claimed */
    {ABI_X86_64, "tuxcall", "unknown"},
    {ABI_MIPS, "syscall", "unknown"},
};

static void places_by_abi(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(places(*state, rows[i].abi, rows[i].name), rows[i].places);
}

static const char *manual(enum abi_id abi, const char *name, unsigned place)
{
    const char *found = abi_syscall(abi, name)->arguments[place].manual_name;
    return found ? found : "none";
}

static void manual_names(void **state)
{
    (void)state;
    assert_string_equal(manual(ABI_X86_64, "openat", 0), "dirfd");
    assert_string_equal(manual(ABI_X86_64, "openat", 1), "pathname");
    assert_string_equal(manual(ABI_X86_64, "openat", 2), "flags");
    assert_string_equal(manual(ABI_X86_64, "openat", 3), "mode");
    assert_string_equal(manual(ABI_X86_64, "ioctl", 1), "request");
    assert_string_equal(manual(ABI_X86_64, "socket", 0), "domain");
    assert_string_equal(manual(ABI_X86_64, "pread64", 3), "offset");
    assert_string_equal(manual(ABI_X86_64, "clone", 0), "flags");
    assert_string_equal(manual(ABI_S390X, "clone", 1), "flags");
    assert_string_equal(manual(ABI_AARCH64, "clone", 3), "tls");
    assert_string_equal(manual(ABI_I386, "clone", 3), "tls");
    assert_string_equal(manual(ABI_X86_64, "futex", 1), "futex_op");
    assert_string_equal(manual(ABI_I386, "futex_time64", 1), "futex_op");
    assert_string_equal(manual(ABI_X86_64, "preadv", 3), "offset");
    /* halves and padding have none, what follows them keeps its own */
    assert_string_equal(manual(ABI_I386, "pread64", 3), "none");
    assert_string_equal(manual(ABI_ARM, "pread64", 3), "none");
    assert_string_equal(manual(ABI_ARM, "pread64", 4), "none");
    assert_string_equal(manual(ABI_ARM, "preadv", 3), "none");
    assert_string_equal(manual(ABI_I386, "fadvise64", 4), "advice");
    assert_string_equal(manual(ABI_I386, "mmap", 0), "none");
    /* the wrapper's third parameter is not the call's */
    assert_string_equal(manual(ABI_X86_64, "signalfd4", 1), "mask");
    assert_string_equal(manual(ABI_X86_64, "signalfd4", 2), "none");
    assert_string_equal(manual(ABI_I386, "signalfd", 2), "none");
}

/* A name that leads to two places would be looked up at one of them. */
static void one_place_for_a_name(void **state)
{
    (void)state;
    for (unsigned abi = 0; abi < ABI_COUNT; abi++) {
        size_t count;
        const struct syscall_entry *entries = abi_syscalls((enum abi_id)abi, &count);
        for (size_t k = 0; k < count; k++)
            for (unsigned i = 0; i < 6; i++)
                for (unsigned j = 0; j < 6; j++) {
                    const char *name = entries[k].arguments[i].manual_name;
                    const char *kernel = entries[k].arguments[j].kernel_name;
                    if (i != j && name && kernel && !strcmp(name, kernel))
                        fail_msg("%s of %s stands at %u and %u", name, entries[k].name, i, j);
                }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(places_by_abi), TEST(manual_names),
                                       TEST(one_place_for_a_name)};
    return RUN_TESTS(tests);
}
