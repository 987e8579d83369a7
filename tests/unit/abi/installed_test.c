/* The tables against what this machine has: the headers of linux-libc-dev (and of its cross
 * packages, where they are installed), libc's errno, and the running kernel's own signatures. What
 * is not there is skipped. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/loop.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/abi.h"
#include "unit/support.h"

/* ---- numbers ---- */

#define NEWEST 471u /* of the common numbers in the tables */

struct number_file {
    enum abi_id abi;
    const char *path;
    uint32_t base; /* where the file's numbers are relative */
};

static const struct number_file number_files[] = {
    {ABI_X86_64, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 0},
    {ABI_I386, "/usr/include/x86_64-linux-gnu/asm/unistd_32.h", 0},
    {ABI_X32, "/usr/include/x86_64-linux-gnu/asm/unistd_x32.h", X32_BIT},
    {ABI_ARM, "/usr/arm-linux-gnueabi/include/asm/unistd-eabi.h", 0},
    {ABI_S390X, "/usr/s390x-linux-gnu/include/asm/unistd_64.h", 0},
    {ABI_S390, "/usr/s390x-linux-gnu/include/asm/unistd_32.h", 0},
    {ABI_PPC64LE, "/usr/powerpc64le-linux-gnu/include/asm/unistd_64.h", 0},
    {ABI_PPC64, "/usr/powerpc64-linux-gnu/include/asm/unistd_64.h", 0},
    {ABI_PPC, "/usr/powerpc-linux-gnu/include/asm/unistd_32.h", 0},
    {ABI_MIPS, "/usr/mips-linux-gnu/include/asm/unistd_o32.h", 4000},
    {ABI_MIPSEL, "/usr/mipsel-linux-gnu/include/asm/unistd_o32.h", 4000},
    {ABI_MIPS64, "/usr/mips64-linux-gnuabi64/include/asm/unistd_n64.h", 5000},
    {ABI_MIPSN32, "/usr/mips64-linux-gnuabin32/include/asm/unistd_n32.h", 6000},
    {ABI_PARISC, "/usr/hppa-linux-gnu/include/asm/unistd_32.h", 0},
    {ABI_M68K, "/usr/m68k-linux-gnu/include/asm/unistd_32.h", 0},
    {ABI_SH, "/usr/sh4-linux-gnu/include/asm/unistd_32.h", 0},
};

/* "#define __NR_name 12", "... (__NR_Linux + 12)", "... (__X32_SYSCALL_BIT + 12)". */
static bool parse_number(const char *line, char name[64], uint32_t *number)
{
    unsigned value = 0;
    if (sscanf(line, "#define __NR_%63[a-z0-9_] (%*[A-Za-z0-9_] + %u)", name, &value) != 2 &&
        sscanf(line, "#define __NR_%63[a-z0-9_] %u", name, &value) != 2)
        return false;
    *number = value;
    return true;
}

static unsigned check_numbers(const struct number_file *source, FILE *file)
{
    char line[256], name[64];
    uint32_t number = 0;
    unsigned checked = 0;
    while (fgets(line, sizeof line, file)) {
        if (!parse_number(line, name, &number))
            continue;
        const struct syscall_entry *entry = abi_syscall(source->abi, name);
        if (!entry && number > NEWEST)
            continue; /* headers newer than the tables */
        if (!entry || entry->nr != source->base + number)
            print_message("# %s: %s is %u\n", source->path, name, source->base + number);
        assert_non_null(entry);
        assert_int_equal(entry->nr, source->base + number);
        checked++;
    }
    return checked;
}

static void numbers_are_the_headers(void **state)
{
    (void)state;
    unsigned files = 0;
    for (size_t i = 0; i < COUNT_OF(number_files); i++) {
        FILE *file = fopen(number_files[i].path, "r");
        if (!file)
            continue;
        unsigned checked = check_numbers(&number_files[i], file);
        fclose(file);
        assert_true(checked > 300);
        files++;
    }
    print_message("# %u of %zu unistd headers are installed\n", files, COUNT_OF(number_files));
    if (files == 0)
        skip();
}

/* ---- constants ---- */

struct constant_row {
    const char *name;
    long long value;
};

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, (long long)(name)                                                                   \
    }

/* clang-format off */
static const struct constant_row constant_rows[] = {
    ROW(O_CREAT), ROW(O_DIRECT), ROW(O_DIRECTORY), ROW(O_NOFOLLOW), ROW(O_CLOEXEC),
    ROW(O_TMPFILE), ROW(O_PATH), ROW(O_SYNC), ROW(O_ACCMODE), ROW(AT_FDCWD), ROW(AT_EMPTY_PATH),
    ROW(F_DUPFD_CLOEXEC), ROW(F_GETLK), ROW(F_SETOWN), ROW(F_ADD_SEALS), ROW(PROT_EXEC),
    ROW(MAP_FIXED), ROW(MAP_ANONYMOUS), ROW(MAP_STACK), ROW(MADV_DONTNEED), ROW(MADV_FREE),
    ROW(MCL_FUTURE), ROW(CLONE_NEWUSER), ROW(CLONE_THREAD), ROW(SCHED_FIFO), ROW(AF_UNIX),
    ROW(AF_NETLINK), ROW(AF_VSOCK), ROW(SOCK_STREAM), ROW(SOCK_DGRAM), ROW(SOCK_CLOEXEC),
    ROW(SOCK_NONBLOCK), ROW(SOL_SOCKET), ROW(SO_REUSEADDR), ROW(SO_PEERCRED), ROW(MSG_NOSIGNAL),
    ROW(MSG_DONTWAIT), ROW(TCGETS), ROW(TIOCSTI), ROW(TIOCGWINSZ), ROW(TIOCSCTTY), ROW(FIONREAD),
    ROW(FIOCLEX), ROW(SIOCGIFCONF), ROW(TUNSETIFF), ROW(LOOP_CTL_GET_FREE),
    ROW(PR_SET_NO_NEW_PRIVS), ROW(PR_CAPBSET_DROP), ROW(PR_SET_VMA), ROW(PTRACE_TRACEME),
    ROW(PTRACE_SEIZE), ROW(PTRACE_O_TRACESECCOMP), ROW(BPF_PROG_LOAD), ROW(BPF_MAP_CREATE),
    ROW(KEYCTL_JOIN_SESSION_KEYRING), ROW(SECCOMP_SET_MODE_FILTER),
    ROW(SECCOMP_FILTER_FLAG_TSYNC), ROW(MS_BIND), ROW(MS_REC), ROW(MNT_DETACH),
    ROW(EPOLL_CTL_ADD), ROW(EPOLL_CLOEXEC), ROW(FUTEX_WAIT_PRIVATE), ROW(FUTEX_CMP_REQUEUE_PI),
    ROW(RESOLVE_BENEATH), ROW(SIGKILL), ROW(SIGCHLD), ROW(SIG_BLOCK), ROW(S_IFIFO), ROW(S_ISUID),
    ROW(WNOHANG), ROW(R_OK), ROW(SEEK_END),
};
/* clang-format on */

static void constants_are_the_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(constant_rows); i++) {
        int64_t value = 0;
        if (!abi_constant(abi_native(), constant_rows[i].name, &value))
            print_message("# %s is missing\n", constant_rows[i].name);
        assert_true(abi_constant(abi_native(), constant_rows[i].name, &value));
        assert_int_equal(value, constant_rows[i].value);
    }
}

static void errno_names_are_libc_s(void **state)
{
    (void)state;
    for (unsigned value = 1; value < 134; value++) {
        const char *libc = strerrorname_np((int)value);
        const char *ours = abi_errno_name(abi_native(), value);
        assert_true((libc == NULL) == (ours == NULL));
        uint16_t back = 0;
        if (libc)
            assert_true(abi_errno(abi_native(), libc, &back) && back == value);
    }
}

/* ---- arguments: the running kernel's tracefs ---- */

#if defined(__x86_64__) && !defined(__ILP32__)

/* Calls whose entry function has another name. */
static const char *const entry_names[][2] = {
    {"stat", "newstat"},   {"fstat", "newfstat"}, {"lstat", "newlstat"},
    {"uname", "newuname"}, {"umount2", "umount"}, {"sendfile", "sendfile64"},
};

static const char *entry_name(const char *call)
{
    for (size_t i = 0; i < COUNT_OF(entry_names); i++)
        if (strcmp(entry_names[i][0], call) == 0)
            return entry_names[i][1];
    return call;
}

/* Copies a C type without blanks and without "const". */
static void squeeze(char *out, const char *type)
{
    for (; *type; type++) {
        if (strncmp(type, "const ", 6) == 0 || strcmp(type, "const") == 0)
            type += 4;
        else if (*type != ' ')
            *out++ = *type;
    }
    *out = '\0';
}

/* "\tfield:const char * filename;\toffset..." into type and name; false for other lines. */
static bool parse_field(const char *line, char type[128], char name[64])
{
    char text[192];
    if (sscanf(line, "\tfield:%191[^;];", text) != 1)
        return false;
    char *last = strrchr(text, ' ');
    if (!last || strlen(last) > 63 || last - text > 127)
        return false;
    snprintf(name, 64, "%s", last + 1);
    *last = '\0';
    squeeze(type, text);
    return true;
}

static unsigned compare_fields(const struct syscall_entry *entry, FILE *format)
{
    char line[256], type[128], name[64], ours[128];
    unsigned place = 0, wrong = 0;
    bool ours_begin = false;
    while (fgets(line, sizeof line, format)) {
        if (!parse_field(line, type, name))
            continue;
        if (!ours_begin) {
            ours_begin = strcmp(name, "__syscall_nr") == 0;
            continue;
        }
        const struct argument *argument = &entry->arguments[place++];
        squeeze(ours, place <= entry->argument_count ? argument->type : "nothing");
        if (strcmp(ours, type) == 0 && strcmp(argument->kernel_name, name) == 0)
            continue;
        printf("# %s, place %u: the kernel has %s %s, the table %s\n", entry->name, place - 1, type,
               name, ours);
        wrong++;
    }
    return wrong + (place != entry->argument_count);
}

/* In a child: 0 when all agree, 1 when not, 77 when there is no tracefs. */
static int compare_all(const char *root)
{
    size_t count = 0;
    const struct syscall_entry *entries = abi_syscalls(ABI_X86_64, &count);
    unsigned compared = 0, wrong = 0;
    for (size_t i = 0; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/events/syscalls/sys_enter_%s/format", root,
                 entry_name(entries[i].name));
        FILE *format = fopen(path, "r");
        if (!format || entries[i].argument_count == ARGUMENTS_UNKNOWN) {
            if (format)
                fclose(format);
            continue;
        }
        wrong += compare_fields(&entries[i], format) != 0;
        fclose(format);
        compared++;
    }
    printf("# %u calls compared with the kernel's signatures, %u differ\n", compared, wrong);
    fflush(stdout);
    /* Another kernel may have renamed a few. */
    return compared == 0 ? 77 : wrong > 8;
}

static int compare_in_own_namespace(void)
{
    if (access("/sys/kernel/tracing/events/syscalls", R_OK) == 0)
        return compare_all("/sys/kernel/tracing");
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", "/mnt", "tracefs", 0, NULL))
        return 77;
    return compare_all("/mnt");
}

static void arguments_are_the_kernel_s(void **state)
{
    (void)state;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(compare_in_own_namespace());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("# no tracefs with syscall events here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#else

static void arguments_are_the_kernel_s(void **state)
{
    (void)state;
    print_message("# only for x86_64\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_the_headers),
        TEST(constants_are_the_headers),
        TEST(errno_names_are_libc_s),
        TEST(arguments_are_the_kernel_s),
    };
    return RUN_TESTS(tests);
}
