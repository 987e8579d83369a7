/* What every table must satisfy, and values that differ between ABIs. */
#include "abi/tables.h"
#include "unit/support.h"

static void abis_are_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ABI_COUNT; i++) {
        const struct abi *abi = abi_get((enum abi_id)i);
        assert_int_equal(abi->id, i);
        assert_ptr_equal(abi_by_name(abi->name), abi);
        assert_true(abi->word_bits == 32 || abi->word_bits == 64);
        assert_true(abi_with_token(abi->token, abi->big_endian) & ABI_BIT(i));
        /* __AUDIT_ARCH_LE says the byte order, but for the big-endian kernels of arm. */
        bool arm = abi->id == ABI_ARMEB || abi->id == ABI_AARCH64_BE;
        assert_true(arm || abi->big_endian == !(abi->token & 0x40000000u));
        assert_int_equal(abi_get(abi->kernel)->big_endian, abi->big_endian);
        if (abi->oci_name)
            assert_ptr_equal(abi_by_oci_name(abi->oci_name), abi);
    }
    assert_null(abi_get(ABI_NONE));
    assert_null(abi_by_name("amd64"));
    assert_null(abi_by_oci_name("SCMP_ARCH_NATIVE"));
}

static void tokens_name_their_abis(void **state)
{
    (void)state;
    assert_int_equal(abi_with_token(0xC000003Eu, false), ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_X32));
    assert_int_equal(abi_with_token(0xC000003Eu, true), 0);
    assert_int_equal(abi_with_token(0x40000003u, false), ABI_BIT(ABI_I386));
    assert_int_equal(abi_with_token(0xC00000B7u, true), ABI_BIT(ABI_AARCH64_BE));
    assert_int_equal(abi_with_token(0x4000002Au, false), ABI_BIT(ABI_SH));
    assert_int_equal(abi_with_token(0x0000002Au, true), ABI_BIT(ABI_SHEB));
    assert_int_equal(abi_with_token(0xE0000008u, false), ABI_BIT(ABI_MIPSN32EL));
    assert_int_equal(abi_with_token(0, false), 0);
}

static void check_argument(const struct argument *argument, const struct abi *abi)
{
    assert_non_null(argument->kernel_name);
    assert_non_null(argument->type);
    assert_true(argument->bits == 16 || argument->bits == 32 || argument->bits == 64);
    assert_true(argument->bits <= argument->declared_bits);
    assert_true(argument->declared_bits <= abi->word_bits);
    if (argument->is_pointer) {
        assert_false(argument->is_signed);
        assert_int_equal(argument->bits, argument->declared_bits);
    }
}

static void check_table(const struct abi *abi)
{
    size_t count = 0;
    const struct syscall_entry *entries = abi_syscalls(abi->id, &count);
    assert_true(count > 300);
    for (size_t i = 0; i < count; i++) {
        const struct syscall_entry *entry = &entries[i];
        assert_true(i == 0 || entries[i - 1].nr < entry->nr);
        assert_ptr_equal(abi_syscall(abi->id, entry->name), entry);
        assert_ptr_equal(abi_syscall_at(abi->id, entry->nr), entry);
        assert_true(abi_syscall_anywhere(entry->name) & ABI_BIT(abi->id));
        assert_true(entry->argument_count <= 6 || entry->argument_count == ARGUMENTS_UNKNOWN);
        for (unsigned k = 0; k < 6; k++) {
            if (entry->argument_count != ARGUMENTS_UNKNOWN && k < entry->argument_count)
                check_argument(&entry->arguments[k], abi);
            else
                assert_null(entry->arguments[k].kernel_name);
        }
    }
}

static void tables_are_sorted_and_typed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ABI_COUNT; i++)
        check_table(abi_get((enum abi_id)i));
}

static void names_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 1; i < syscall_name_count; i++)
        assert_true(strcmp(syscall_names[i - 1].name, syscall_names[i].name) < 0);
    for (size_t i = 1; i < constant_name_count; i++)
        assert_true(strcmp(constant_names[i - 1].name, constant_names[i].name) < 0);
}

static void a_constant_has_one_value_on_an_abi(void **state)
{
    (void)state;
    for (size_t i = 0; i < constant_name_count; i++) {
        abi_set seen = 0;
        for (uint32_t k = constant_names[i].first; k < constant_names[i + 1].first; k++) {
            assert_int_equal(seen & constant_values[k].abis, 0);
            seen |= constant_values[k].abis;
        }
        assert_true(seen != 0 && seen < ABI_BIT(ABI_COUNT));
        assert_int_equal(abi_constant_anywhere(constant_names[i].name), seen);
    }
}

static void every_abi_has_errno_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ABI_COUNT; i++) {
        enum abi_id abi = (enum abi_id)i;
        assert_true(errno_tables[i].count > 120);
        for (size_t k = 0; k < errno_tables[i].count; k++) {
            const struct errno_name *name = &errno_tables[i].names[k];
            uint16_t value = 0;
            assert_true(k == 0 || name[-1].value < name->value);
            assert_true(abi_errno(abi, name->name, &value));
            assert_int_equal(value, name->value);
            assert_string_equal(abi_errno_name(abi, value), name->name);
        }
        assert_string_equal(abi_errno_name(abi, 1), "EPERM");
    }
}

static void errno_values(void **state)
{
    (void)state;
    uint16_t value = 0;
    assert_true(abi_errno(ABI_X86_64, "ENOSYS", &value) && value == 38);
    assert_true(abi_errno(ABI_MIPSEL, "ENOSYS", &value) && value == 89);
    assert_true(abi_errno(ABI_PARISC64, "ENOSYS", &value) && value == 251);
    assert_true(generic_errno("ENOSYS", &value) && value == 38);
    assert_true(abi_errno(ABI_X86_64, "EWOULDBLOCK", &value) && value == 11);
    assert_string_equal(abi_errno_name(ABI_X86_64, 11), "EAGAIN");
    assert_string_equal(abi_errno_name(ABI_NONE, 35), "EDEADLK");
    assert_string_equal(abi_errno_name(ABI_X86_64, 95), "EOPNOTSUPP");
    assert_string_equal(abi_errno_name(ABI_MIPS, 89), "ENOSYS");
    assert_null(abi_errno_name(ABI_X86_64, 4095));
    assert_null(abi_errno_name(ABI_X86_64, 0));
    assert_false(abi_errno(ABI_X86_64, "EPOLLIN", &value));
    assert_false(abi_errno(ABI_X86_64, "EWHATEVER", &value));
    assert_false(generic_errno("EINIT", &value)); /* of mips alone */
}

static void check_number(enum abi_id abi, const char *name, uint32_t nr)
{
    const struct syscall_entry *entry = abi_syscall(abi, name);
    assert_non_null(entry);
    assert_int_equal(entry->nr, nr);
}

static void numbers(void **state)
{
    (void)state;
    check_number(ABI_X86_64, "read", 0);
    check_number(ABI_I386, "read", 3);
    check_number(ABI_X32, "read", X32_BIT);
    check_number(ABI_X32, "execve", X32_BIT | 520);
    check_number(ABI_MIPS, "read", 4003);
    check_number(ABI_MIPS64EL, "read", 5000);
    check_number(ABI_MIPSN32, "read", 6000);
    check_number(ABI_AARCH64_BE, "openat", 56);
    check_number(ABI_ARM, "set_tls", 0x0f0005);
    assert_null(abi_syscall(ABI_X86_64, "socketcall"));
    assert_null(abi_syscall(ABI_AARCH64, "open"));
    assert_null(abi_syscall(ABI_NONE, "read"));
    assert_null(abi_syscall_at(ABI_X86_64, X32_BIT));
    assert_null(abi_syscall_at(ABI_X86_64, NR_SKIP));
    assert_int_equal(abi_syscall_anywhere("opena"), 0);
    assert_int_equal(abi_syscall_anywhere("arch_prctl"),
                     ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_I386) | ABI_BIT(ABI_X32));
    assert_false(abi_syscall(ABI_X86_64, "tuxcall")->implemented);
    assert_true(abi_syscall(ABI_X86_64, "read")->implemented);
}

static void check_constant(enum abi_id abi, const char *name, int64_t expected)
{
    int64_t value = 0;
    assert_true(abi_constant(abi, name, &value));
    assert_int_equal(value, expected);
}

static void constants(void **state)
{
    (void)state;
    int64_t value = 0;
    check_constant(ABI_X86_64, "AT_FDCWD", -100);
    check_constant(ABI_X86_64, "O_DIRECT", 040000);
    check_constant(ABI_ARM, "O_DIRECT", 0200000);
    check_constant(ABI_PPC64LE, "O_DIRECT", 0400000);
    check_constant(ABI_MIPS, "O_DIRECT", 0x8000);
    check_constant(ABI_X86_64, "O_LARGEFILE", 0100000); /* the kernel's, not libc's 0 */
    check_constant(ABI_MIPS64, "O_LARGEFILE", 0x2000);
    check_constant(ABI_PARISC, "SOCK_NONBLOCK", 0x40000000);
    check_constant(ABI_MIPSEL, "SOCK_NONBLOCK", 0x80);
    check_constant(ABI_AARCH64_BE, "SOCK_NONBLOCK", 0x800);
    check_constant(ABI_MIPSEL, "SOCK_STREAM", 2);
    check_constant(ABI_MIPSEL, "SOCK_DGRAM", 1);
    check_constant(ABI_X86_64, "TIOCSTI", 0x5412);
    check_constant(ABI_MIPS, "TIOCSTI", 0x5472);
    check_constant(ABI_PPC, "TCGETS", 0x402c7413);
    check_constant(ABI_PPC, "TIOCGWINSZ", 0x40087468);
    check_constant(ABI_PARISC, "SIGCHLD", 18);
    check_constant(ABI_X86_64, "CLONE_IO", 0x80000000);
    check_constant(ABI_X86_64, "CLONE_CLEAR_SIGHAND", 0x100000000);
    check_constant(ABI_X86_64, "FIONBIO", 0x5421);
    check_constant(ABI_X86_64, "TUNSETIFF", 0x400454ca);
    check_constant(ABI_MIPS, "MAP_ANONYMOUS", 0x800);
    check_constant(ABI_X86_64, "ARCH_SET_FS", 0x1002);
    check_constant(ABI_RISCV32, "AF_NETLINK", 16);
    check_constant(ABI_X86_64, "BLKGETSIZE64", 0x80081272);
    check_constant(ABI_I386, "BLKGETSIZE64", 0x80041272);
    assert_false(abi_constant(ABI_AARCH64, "ARCH_SET_FS", &value));
    assert_false(abi_constant(ABI_X86_64, "O_NOTHING", &value));
    assert_false(abi_constant(ABI_NONE, "O_RDONLY", &value));
    assert_int_equal(abi_constant_anywhere("O_RDONLY"), ABI_BIT(ABI_COUNT) - 1);
}

static void nearest(void **state)
{
    (void)state;
    const char *names[3];
    assert_true(abi_nearest_syscalls("opanat", names, 3) >= 1);
    assert_string_equal(names[0], "openat");
    assert_true(abi_nearest_constants("O_RDONY", names, 1) == 1);
    assert_string_equal(names[0], "O_RDONLY");
    assert_int_equal(abi_nearest_syscalls("qqqqqqqqqqqqqqqqqqqq", names, 3), 0);
    assert_int_equal(abi_nearest_syscalls("open", names, 0), 0);
    assert_int_equal(abi_nearest_syscalls("fstat6", names, 3), 3);
    assert_string_equal(names[0], "fstat"); /* of equally near ones the first in the table */
    assert_string_equal(names[1], "fstat64");
    assert_string_equal(names[2], "fstatfs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(abis_are_complete),
        TEST(tokens_name_their_abis),
        TEST(tables_are_sorted_and_typed),
        TEST(names_are_sorted),
        TEST(a_constant_has_one_value_on_an_abi),
        TEST(every_abi_has_errno_names),
        TEST(errno_values),
        TEST(numbers),
        TEST(constants),
        TEST(nearest),
    };
    return RUN_TESTS(tests);
}
