/* The properties: a row per class of mistake. P(s) is "the verdict on s is allow or log"; e are the
 * arguments as the kernel sees them. */
#include "verifier/auditor.h"

#include <stdlib.h>

#define SHARE 5u               /* a property gets so much of the time that is left */
#define QUESTION_MOST 1000000u /* of the solver's own count, for one question */
#define NOTHING AUDIT_NEEDS_NOTHING

static const struct audit_property properties[] = {
    {1, "arch-unchecked", "another architecture's entry is open", AUDIT_BYPASS, NOTHING,
     "exists s: arch is not declared, the declared ABIs' kernel serves it, and P(s)",
     "The kernel serves more than one ABI, and any process may enter by any of them: on x86_64 by "
     "int 0x80. The numbers there are other calls, which the filter never meant.",
     "Compare arch first, and kill the process where it is none of those that the filter is about.",
     ask_arch_unchecked},
    {2, "x32-open", "x32's numbers are permitted", AUDIT_BYPASS, NOTHING,
     "exists s: arch = AUDIT_ARCH_X86_64, bit 30 of nr is set, nr != -1, x32 is not declared, P(s)",
     "A kernel with CONFIG_X86_X32_ABI takes a number with bit 30 as the same call of x32, under "
     "x86_64's arch token.",
     "Deny every number from 0x40000000 up, or give x32's numbers the same rules.", ask_x32},
    {3, "x32-loopholes", "old kernels take other numbers for x32's calls", AUDIT_FRAGILE, NOTHING,
     "exists s: arch = AUDIT_ARCH_X86_64, P(s), and 512 <= nr <= 547, or nr = bit 30 + n where "
     "only "
     "x86_64 has n",
     "Kernels before 5.4 with CONFIG_X86_X32_ABI dispatched x32's own calls (512 to 547) without "
     "bit "
     "30 as well, and x86_64's own numbers with it.",
     "Deny 512 to 547, and with bit 30 every number that x32 does not have.", ask_x32_loopholes},
    {4, "names-differ", "a call is denied on one ABI and permitted on another", AUDIT_BYPASS,
     NOTHING,
     "exists s, s': the same call on two declared ABIs of one kernel, denied on purpose or "
     "restricted "
     "by its arguments on one, and P(s') whatever the arguments on the other"
     " (with a policy: P(s) by the number that the policy permits on the other ABI)",
     "The process chooses by which ABI it enters. A number means another call under another ABI.",
     "Write the rules by name and give each ABI its own numbers.", ask_names_differ},
    {5, "multiplexer", "a multiplexer reaches a denied call", AUDIT_BYPASS, NOTHING,
     "exists s: nr is socketcall or ipc, P(s), and the member that it names is denied or "
     "restricted",
     "socketcall and ipc do what their members do; socketcall's arguments are in memory, where a "
     "filter cannot read them.",
     "Deny socketcall and ipc with ENOSYS, so that programs use the direct calls.",
     ask_multiplexers},
    {6, "upper-half", "32-bit arguments are compared as 64 bits", AUDIT_BYPASS, NOTHING,
     "exists s: P(s), and not P(s with the ignored upper half of a 32-bit argument cleared)",
     "The kernel takes the lower 32 bits of the register and drops the rest, so the same call is "
     "denied or permitted as the caller likes.",
     "Compare the lower half only.", ask_upper_half},
    {7, "low-half", "half of a 64-bit argument is compared", AUDIT_BYPASS, NOTHING,
     "exists s: P(s), F depends on the lower half of a 64-bit argument as a number, and not on the "
     "upper half",
     "The kernel uses all 64 bits: with a bit set in the upper half the value is another one than "
     "the filter has compared.",
     "Compare both halves.", ask_low_half},
    {8, "narrow", "16-bit arguments are compared as more", AUDIT_BYPASS, NOTHING,
     "exists s: P(s), and not P(s with bits 16 and up of a umode_t cleared)",
     "The kernel takes the lower 16 bits of a mode and drops the rest.",
     "Mask the argument with 0xffff before comparing.", ask_narrow},
    {9, "dropped-bits", "bits that the kernel drops decide", AUDIT_BYPASS, NOTHING,
     "exists s, m: P(a | m), not P(a), m within the bits that the kernel drops",
     "The kernel drops the bits before it looks at the argument: the same call is permitted with "
     "them and denied without.",
     "Test the bits that matter by a mask, not the whole argument for equality.", ask_dropped_bits},
    {10, "sign", "signed arguments are compared as unsigned", AUDIT_ROBUSTNESS, NOTHING,
     "exists s: an int argument is negative and F(upper half 0) != F(upper half all ones); or "
     "everything from some value up is permitted, negative values included",
     "An int comes sign-extended or zero-extended as the compiler likes, and the kernel sees the "
     "same value. cBPF has unsigned comparisons only.",
     "Compare the lower half; for an order, treat 0x80000000 and up apart.", ask_sign},
    {11, "not-the-policy", "the filter is not the policy", AUDIT_BYPASS, AUDIT_NEEDS_POLICY,
     "exists s: P(s) and the policy does not permit (abi, name, e); or, with registers as a C "
     "caller "
     "fills them, the policy permits and not P(s)",
     "The kernel runs the filter, not the policy it was made from.",
     "Make the filter again with a compiler that proves its result, and report the miscompilation.",
     ask_policy},
    {12, "changed-meaning", "the filter is not the one it was made from", AUDIT_BYPASS,
     AUDIT_NEEDS_OTHER, "exists s: F(s) != F_original(s)",
     "The kernel runs the filter as it is now.",
     "Use the original, or an optimizer that proves its result.", ask_other},
    {13, "clone-order", "clone's flags are looked for in the wrong argument", AUDIT_BYPASS, NOTHING,
     "exists s: nr is clone, F depends on the stack's argument and not on the flags' argument",
     "clone's flags are the first argument on most ABIs and the second on s390 and s390x.",
     "Look at the argument that holds the flags on this ABI.", ask_clone_order},
    {14, "struct-twin", "a call that takes a struct goes around a restriction", AUDIT_BYPASS,
     NOTHING,
     "exists s: flags are restricted on a call, and P(s) for the one that takes them in a struct",
     "A filter sees the address of the struct and not what is in it.",
     "Deny the newer call with ENOSYS, so that programs use the older one.", ask_twins},
    {15, "sibling", "another call does what is denied", AUDIT_BYPASS, NOTHING,
     "exists s, s' of calls with the same effect: s denied on purpose, P(s')",
     "The kernel has more than one call for the same thing.",
     "Give all calls of the family the same rule.", ask_siblings},
    {16, "io-uring", "io_uring does what is denied", AUDIT_BYPASS, NOTHING,
     "exists s: nr is io_uring_setup, P(s), and a call whose operation a ring has is denied",
     "Operations of a ring are no system calls: the filter never sees them.",
     "Deny io_uring_setup, io_uring_enter and io_uring_register with ENOSYS.", ask_io_uring},
    {17, "fails-open", "numbers that no call has are permitted", AUDIT_FRAGILE, NOTHING,
     "exists s: nr is in no table, P(s)",
     "A newer kernel gives these numbers to new calls, which may do what the filter denies today.",
     "Deny by default (with ENOSYS for numbers above the newest call), or see to the list with "
     "every kernel.",
     ask_fails_open},
    {18, "pointer", "an address is compared", AUDIT_FRAGILE, NOTHING,
     "exists s, s' that differ in a pointer, neither null: F(s) != F(s')",
     "The kernel reads what is at the address after the filter has run; the memory can change in "
     "between, or be mapped elsewhere.",
     "Do not compare pointers, except with null.", ask_pointers},
    {19, "ptrace", "ptrace is permitted", AUDIT_FRAGILE, NOTHING, "exists s: nr is ptrace, P(s)",
     "Before 4.8 a tracer could change a call after the filter had permitted it.",
     "Deny ptrace, or require 4.8.", ask_ptrace},
    {20, "notify-pointers", "a supervisor decides on calls that take pointers", AUDIT_FRAGILE,
     NOTHING, "exists s: the verdict is notify, and the call takes a pointer",
     "When the supervisor lets the call go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE), the kernel reads "
     "the memory again, and another thread may have changed it.",
     "Let the supervisor do the work itself, or deny; never decide by what a pointer points to.",
     ask_notify},
    {21, "trap-or-trace", "the denial is trap or trace", AUDIT_FRAGILE, NOTHING,
     "exists s: the verdict is trap or trace",
     "trap is a signal that a handler may answer with any result; trace asks a tracer, and without "
     "one is ENOSYS.",
     "Deny with errno or kill_process where nothing needs the signal or the tracer.",
     ask_trap_or_trace},
    {22, "return-word", "a word is returned that means something else", AUDIT_ROBUSTNESS, NOTHING,
     "exists s: F(s) has no known action; or is errno with data 0 or above 4095; or is allow with "
     "data",
     "An unknown action kills the process; errno(0) skips the call and returns success; an errno "
     "above 4095 is 4095; an allow with data is never cached.",
     "Return one of the actions, errno with 1 to 4095, and allow without data.", ask_defects},
    {23, "eperm-for-new", "newer calls get an errno that is not ENOSYS", AUDIT_ROBUSTNESS, NOTHING,
     "exists s: nr above the newest known call, the verdict is errno other than ENOSYS",
     "A libc tries a new call and goes back to the older one when it gets ENOSYS; with another "
     "errno it gives up.",
     "Answer numbers above the newest call with ENOSYS.", ask_newer_calls},
    {24, "minus-one", "number -1 is permitted", AUDIT_FRAGILE, NOTHING, "exists s: nr = -1, P(s)",
     "-1 is what a tracer sets to skip a call; it reaches the filter as any number does.",
     "Deny -1 as other unknown numbers.", ask_minus_one},
    {25, "kill-thread", "kill_thread is returned", AUDIT_FRAGILE, NOTHING,
     "exists s: the verdict is kill_thread",
     "Only the calling thread ends. The others go on, perhaps with its locks held.",
     "Use kill_process (4.14 and later).", ask_kill_thread},
    {26, "lost-denial", "a denial of the policy never happens", AUDIT_BYPASS, AUDIT_NEEDS_POLICY,
     "a rule of the policy denies some of a call, and for no s of that call does F deny",
     "Rules that a generator combines by `or` permit everything together.",
     "Make one rule of the conditions of one call, and compare the result with the policy.",
     ask_unsatisfiable},
    {27, "personality", "any personality may be set", AUDIT_FRAGILE, NOTHING,
     "exists s: nr is personality, e0 not in {0, 8, 0x20000, 0x20008, 0xffffffff}, P(s)",
     "Personalities switch off address space randomization, make readable memory executable, and "
     "bring back old behaviour that little else tests.",
     "Permit these five values only.", ask_personality},
    {28, "code", "dead code, or operations that machines do differently", AUDIT_ROBUSTNESS, NOTHING,
     "some instruction is executed for no s; or exists s: a register that is 0 divides, or a shift "
     "by a register is by 32 or more",
     "Dead code hides what was meant. A division by zero ends the program with kill_thread. The "
     "result of a wide shift depends on the machine.",
     "Take out what is dead; test a register before dividing or shifting by it.", ask_dead_code},
    {29, "not-cached", "always permitted, and not cached", AUDIT_PERFORMANCE, NOTHING,
     "exists (arch, nr): F is allow whatever the arguments, and the kernel's emulator cannot tell",
     "Linux 5.11 and later do not run the filter for calls that it always allows, if they can tell "
     "from loads of nr and arch, comparisons with constants, and plain allow.",
     "Decide such calls before anything else is loaded or computed.", ask_cache},
};

const char *audit_severity_name(enum audit_severity severity)
{
    static const char *const names[AUDIT_SEVERITY_COUNT] = {"bypass", "fragile", "robustness",
                                                            "performance"};
    return names[severity];
}

const struct audit_property *audit_properties(size_t *count)
{
    *count = COUNT_OF(properties);
    return properties;
}

const struct audit_property *audit_property_named(const char *name)
{
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    for (size_t i = 0; i < COUNT_OF(properties); i++)
        if (!strcmp(properties[i].id, name) ||
            (end != name && !*end && properties[i].number == number))
            return &properties[i];
    return NULL;
}

/* ---- one audit ------------------------------------------------------------------------------- */

static bool is_asked(const struct audit_request *request, const struct audit_property *property)
{
    if (property->needs == AUDIT_NEEDS_POLICY)
        return request->policy != NULL;
    return property->needs == AUDIT_NEEDS_NOTHING || request->against != NULL;
}

/* Tells x32's numbers apart: then the filter is about x32, whatever tokens it compares. */
static bool speaks_of_x32(struct auditor *auditor)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(ABI_X32, &count);
    uint32_t token = abi_get(ABI_X32)->token;
    const struct term *other =
        residue_at(auditor, &auditor->survey, token, unknown_number(ABI_X32));
    for (size_t i = 0; i < count; i++)
        if (residue_at(auditor, &auditor->survey, token, table[i].nr) != other)
            return true;
    return false;
}

static void leave_all_open(struct audit *audit, struct auditor *auditor, const char *why)
{
    audit->unknown = NEW_ARRAY(auditor->arena, struct audit_unknown, COUNT_OF(properties));
    for (size_t i = 0; i < COUNT_OF(properties); i++)
        if (is_asked(auditor->request, &properties[i]))
            audit->unknown[audit->unknown_count++] = (struct audit_unknown){&properties[i], why};
}

static int by_severity(const void *a, const void *b)
{
    const struct audit_finding *x = a, *y = b;
    if (x->property->severity != y->property->severity)
        return x->property->severity > y->property->severity ? 1 : -1;
    if (x->property->number != y->property->number)
        return x->property->number > y->property->number ? 1 : -1;
    return strcmp(x->subject, y->subject);
}

/* No property may take all of the time from those after it. */
static struct deadline share_of(struct deadline all)
{
    uint64_t now = clock_ns();
    if (!all.at_ns || all.at_ns <= now)
        return all;
    return (struct deadline){now + (all.at_ns - now) / SHARE};
}

static void ask_all(struct auditor *auditor, struct audit *audit)
{
    struct deadline all = auditor->prover->deadline;
    audit->unknown = NEW_ARRAY(auditor->arena, struct audit_unknown, COUNT_OF(properties));
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        if (!is_asked(auditor->request, &properties[i]))
            continue;
        auditor->asking = &properties[i];
        auditor->trouble = NULL;
        auditor->prover->deadline = share_of(all);
        auditor->prover->stopped = false;
        if (!is_late(auditor))
            properties[i].ask(auditor);
        audit->asked++;
        if (auditor->trouble)
            audit->unknown[audit->unknown_count++] =
                (struct audit_unknown){&properties[i], auditor->trouble};
    }
}

/* Not the ABIs of which that is not certain. */
static abi_set unrestricted_abis(struct auditor *auditor)
{
    abi_set found = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (is_declared(auditor, (enum abi_id)id) && !denies_anything(auditor, (enum abi_id)id))
            found |= ABI_BIT(id);
    }
    return is_late(auditor) || auditor->trouble ? 0 : found;
}

struct audit audit_side(struct arena *arena, const struct audit_request *request)
{
    struct proof_options options = {.limits = request->limits, .declared = request->declared};
    if (!options.limits.rlimit)
        options.limits.rlimit = QUESTION_MOST;
    struct prover *prover = prover_open(&options, side_is_big_endian(request->side));
    struct auditor *auditor = NEW(prover->arena, struct auditor);
    struct audit audit = {0};
    struct behaviour behaviour;
    *auditor = (struct auditor){.arena = arena, .prover = prover, .request = request};
    auditor->side = request->side;
    auditor->declared = request->declared;
    if (side_behaviour(prover, request->side, &behaviour) &&
        survey_behaviour(auditor, &behaviour, &auditor->survey)) {
        if (!request->declared_is_exact && is_declared(auditor, ABI_X86_64) &&
            speaks_of_x32(auditor))
            auditor->declared |= ABI_BIT(ABI_X32);
        ask_all(auditor, &audit);
        audit.unrestricted = unrestricted_abis(auditor);
    } else {
        leave_all_open(&audit, auditor, prover->trouble);
    }
    audit.declared = auditor->declared;
    audit.findings = auditor->findings.items;
    audit.finding_count = auditor->findings.count;
    if (audit.finding_count)
        qsort(audit.findings, audit.finding_count, sizeof *audit.findings, by_severity);
    struct proof figures = prover_close(prover);
    audit.ns = figures.ns;
    audit.questions = figures.questions;
    return audit;
}
