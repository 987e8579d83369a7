/* Policies from text, for the verifier's tests. */
#ifndef TESTS_VERIFIER_POLICIES_H
#define TESTS_VERIFIER_POLICIES_H

#include "unit/verifier/filters.h"

static inline const struct policy *policy_of(struct fixture *f, const char *text)
{
    struct policy *policy = NULL;
    const struct source *source = source_from_text(f->arena, "<test>", text, strlen(text));
    struct diagnostics found = diagnostics_new(f->arena);
    bool read = worked(policy_read(f->arena, source, 0, &found, &policy));
    if (!read)
        diagnostics_print(&found, stderr);
    assert_true(read);
    return policy;
}

/* Texts with every kind of condition, for all that is checked on many inputs. */
static const char *const many_policies[] = {
    "abi x86_64\ndefault kill_process\nallow { read, write }\nallow openat((flags & O_ACCMODE) == "
    "O_RDONLY)\n",
    "abi x86_64, x32, i386\ndefault errno(EPERM)\nunknown errno(ENOSYS)\nforeign kill_thread\n"
    "allow read(fd >= 0 && fd < 3)\nallow write(fd in { 1, 2, 10..20 })\nerrno(EACCES) write\n"
    "allow nr 0..7\ntrap(9) nr 300..0x40000010\non i386 { allow close default trap(1) }\n",
    "abi x86_64\ndefault kill_process\nunknown errno(ENOSYS)\n"
    "allow mmap(length in { 0..0xfff, 0x100000000..0x1ffffffff, 0x300000005 })\n"
    "allow lseek(offset < 0)\nallow lseek(offset > 0x7fffffffff)\nallow fchmod(mode == 0644)\n"
    "allow pwrite64((offset & 0xff000000ff) == 0x1000000002 || count != 7)\n",
    "abi x86_64, i386\ndefault kill_process\n"
    "raw errno(EACCES) if nr >= 0x40000000 && nr != 0xffffffff\n"
    "raw ret(0x00050016) if lo32(ip) == 0 || (nr & 0x81) == 0x80\n"
    "raw ret(lo32(arg0) * 3 / (nr - 1)) if (hi32(ip) ^ 7) >= ~arch && arg1 <= 5\n"
    "allow read\nraw trap(3) if arg5 in { 1, -1 }\nallow write(fd == 1)\n"
    "raw log if arch == AUDIT_ARCH_S390X || 7 >= nr\nraw ret(lo32(arg1) + nr) if (arch & 0xff) == "
    "0x3e\n",
    "abi x32\ndefault errno(1)\nallow { read, getpid }\nallow ioctl(arg1 == 5 || !(arg1 != 7 && "
    "arg1 != 9))\n",
    "abi aarch64\ndefault log\nallow read(u64(arg0) == 3)\nkill_thread read(hi32(arg0) != 0)\n"
    "allow write(lo32(arg0) in { 4, 5 })\nraw kill_process if nr == 0 || nr == 64\n",
};

#endif
