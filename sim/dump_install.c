#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "sim/dump.h"

/* Calls that install a filter, and the program that they name in the caller's memory. */

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1ul << 4)
#endif

#define WORD sizeof(long)

/* ---- the caller's memory ----------------------------------------------------------------------
 */

/* Whole aligned words by PTRACE_PEEKDATA, which a tracer is never refused. */
static bool read_memory(pid_t thread, uint64_t address, void *bytes, size_t length)
{
    char *to = bytes;
    while (length) {
        uint64_t base = address - address % WORD;
        size_t skip = address - base, take = WORD - skip < length ? WORD - skip : length;
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, thread, (void *)(uintptr_t)base, NULL);
        if (errno)
            return false;
        memcpy(to, (const char *)&word + skip, take);
        to += take;
        address += take;
        length -= take;
    }
    return true;
}

/* The size of a pointer in a struct that the ABI's calls are given: x32 and n32 have long registers
 * and short pointers. */
static bool has_short_pointers(enum abi_id abi)
{
    return abi_get(abi)->word_bits == 32 || abi == ABI_X32 || abi == ABI_MIPSN32 ||
           abi == ABI_MIPSN32EL;
}

/* struct sock_fprog or compat_sock_fprog: a 16-bit length, and a pointer at its own alignment. */
static bool read_fprog(pid_t thread, const struct attempt *attempt, uint16_t *length,
                       uint64_t *address)
{
    bool is_short = has_short_pointers(attempt->abi);
    uint32_t short_pointer = 0;
    if (!read_memory(thread, attempt->program, length, sizeof *length))
        return false;
    if (!is_short)
        return read_memory(thread, attempt->program + 8, address, sizeof *address);
    bool got = read_memory(thread, attempt->program + 4, &short_pointer, sizeof short_pointer);
    *address = short_pointer;
    return got;
}

static struct sock_filter *read_code(struct arena *arena, pid_t thread,
                                     const struct attempt *attempt, uint32_t *length)
{
    uint16_t count;
    uint64_t address;
    if (!read_fprog(thread, attempt, &count, &address) || count == 0 || count > PROGRAM_MOST)
        return NULL;
    struct sock_filter *code = NEW_ARRAY(arena, struct sock_filter, count);
    if (!read_memory(thread, address, code, count * sizeof *code))
        return NULL;
    *length = count;
    return code;
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static uint64_t register_of(enum abi_id abi, uint64_t value)
{
    return abi_get(abi)->word_bits == 32 ? (uint32_t)value : value;
}

struct attempt attempt_read(struct arena *arena, pid_t thread, uint32_t arch, uint64_t nr,
                            const uint64_t args[6])
{
    struct input input = {.nr = (uint32_t)nr, .arch = arch};
    struct attempt attempt = {.abi = input_abi(&input, abi_get(abi_native())->big_endian)};
    const struct syscall_entry *entry =
        attempt.abi == ABI_NONE ? NULL : abi_syscall_at(attempt.abi, input.nr);
    if (!entry)
        return attempt;
    const uint64_t *parameters = args + abi_get(attempt.abi)->first_argument;
    uint32_t operation = (uint32_t)parameters[0];
    if (operation == SECCOMP_SET_MODE_FILTER && !strcmp(entry->name, "seccomp")) {
        attempt.call = "seccomp";
        attempt.flags = (uint32_t)parameters[1];
    } else if (operation == PR_SET_SECCOMP && !strcmp(entry->name, "prctl") &&
               register_of(attempt.abi, parameters[1]) == SECCOMP_MODE_FILTER) {
        attempt.call = "prctl";
    }
    if (!attempt.call)
        return attempt;
    attempt.program = register_of(attempt.abi, parameters[2]);
    attempt.code = read_code(arena, thread, &attempt, &attempt.length);
    return attempt;
}

bool attempt_is_unchanged(struct arena *arena, pid_t thread, const struct attempt *attempt)
{
    uint32_t length = 0;
    const struct sock_filter *code = read_code(arena, thread, attempt, &length);
    return code && length == attempt->length && !memcmp(code, attempt->code, length * sizeof *code);
}

/* With a listener the file descriptor comes back; a positive number without one is the thread that
 * TSYNC could not change. */
bool attempt_succeeded(const struct attempt *attempt, int64_t value, bool is_error)
{
    if (is_error || value < 0)
        return false;
    return value == 0 || (attempt->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}
