#include "sim/entry.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static void leave_politely(void)
{
    static const uint64_t no_arguments[6] = {0};
    (void)entry_install(SYS_exit_group, no_arguments);
}

#if defined(__x86_64__) && !defined(__ILP32__)

/* Written in assembly so that no register is the compiler's to choose, and so that the address
 * behind each entering instruction, which is what seccomp_data.instruction_pointer holds, has a
 * name.
 *
 * int64_t NAME(uint32_t nr, const uint64_t args[6]): edi, rsi. The i386 entry takes ebx, ecx, edx,
 * esi, edi, ebp; the kernel shows filters all 64 bits of them. It may clear r8 to r11. */
#define NATIVE_ENTRY(name)                                                                         \
    __asm__(".text\n"                                                                              \
            ".hidden " name "\n"                                                                   \
            ".globl " name "\n"                                                                    \
            ".type " name ", @function\n" name ":\n"                                               \
            "    movl %edi, %eax\n"                                                                \
            "    movq 0(%rsi), %rdi\n"                                                             \
            "    movq 16(%rsi), %rdx\n"                                                            \
            "    movq 24(%rsi), %r10\n"                                                            \
            "    movq 32(%rsi), %r8\n"                                                             \
            "    movq 40(%rsi), %r9\n"                                                             \
            "    movq 8(%rsi), %rsi\n"                                                             \
            "    syscall\n"                                                                        \
            ".hidden " name "_end\n"                                                               \
            ".globl " name "_end\n" name "_end:\n"                                                 \
            "    ret\n"                                                                            \
            ".size " name ", . - " name "\n")

NATIVE_ENTRY("sim_enter_native");
NATIVE_ENTRY("sim_enter_install");

__asm__(".text\n"
        ".hidden sim_enter_int80\n"
        ".globl sim_enter_int80\n"
        ".type sim_enter_int80, @function\n"
        "sim_enter_int80:\n"
        "    pushq %rbx\n"
        "    pushq %rbp\n"
        "    movl %edi, %eax\n"
        "    movq 0(%rsi), %rbx\n"
        "    movq 8(%rsi), %rcx\n"
        "    movq 16(%rsi), %rdx\n"
        "    movq 32(%rsi), %rdi\n"
        "    movq 40(%rsi), %rbp\n"
        "    movq 24(%rsi), %rsi\n"
        "    int $0x80\n"
        ".hidden sim_enter_int80_end\n"
        ".globl sim_enter_int80_end\n"
        "sim_enter_int80_end:\n"
        "    popq %rbp\n"
        "    popq %rbx\n"
        "    ret\n"
        ".size sim_enter_int80, . - sim_enter_int80\n");

int64_t sim_enter_native(uint32_t nr, const uint64_t args[6]);
int64_t sim_enter_install(uint32_t nr, const uint64_t args[6]);
int64_t sim_enter_int80(uint32_t nr, const uint64_t args[6]);
extern const char sim_enter_native_end[], sim_enter_install_end[], sim_enter_int80_end[];

bool entry_exists(enum kernel_entry entry)
{
    return entry == ENTRY_NATIVE || entry == ENTRY_INT80;
}

int64_t entry_call(enum kernel_entry entry, uint32_t nr, const uint64_t args[6])
{
    return entry == ENTRY_INT80 ? sim_enter_int80(nr, args) : sim_enter_native(nr, args);
}

int64_t entry_install(uint32_t nr, const uint64_t args[6])
{
    return sim_enter_install(nr, args);
}

uint64_t entry_ip(enum kernel_entry entry)
{
    return (uintptr_t)(entry == ENTRY_INT80 ? sim_enter_int80_end : sim_enter_native_end);
}

uint64_t entry_install_ip(void)
{
    return (uintptr_t)sim_enter_install_end;
}

void entry_leave(void)
{
    leave_politely();
    for (;;)
        __asm__ volatile("int3");
}

#else

bool entry_exists(enum kernel_entry entry)
{
    return entry == ENTRY_NATIVE;
}

int64_t entry_call(enum kernel_entry entry, uint32_t nr, const uint64_t args[6])
{
    (void)entry;
    long value = syscall((long)(int32_t)nr, args[0], args[1], args[2], args[3], args[4], args[5]);
    return value == -1 ? -(int64_t)errno : value;
}

int64_t entry_install(uint32_t nr, const uint64_t args[6])
{
    return entry_call(ENTRY_NATIVE, nr, args);
}

uint64_t entry_ip(enum kernel_entry entry)
{
    (void)entry;
    return 0;
}

uint64_t entry_install_ip(void)
{
    return 0;
}

void entry_leave(void)
{
    leave_politely();
    for (;;)
        __builtin_trap();
}

#endif
