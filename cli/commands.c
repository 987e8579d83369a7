#include "cli/cli.h"

#define KEYS(...) (KEYS_COMMON | __VA_ARGS__)
#define K(key) KEY_BIT(KEY_##key)

static const struct command commands[] = {
    {"compile", "POLICY", "compile a policy to cBPF and prove the result",
     "Writes the program only when it is PROVED equal to the policy on every input, cannot be "
     "entered through another "
     "ABI's numbers, looks at no bit that the kernel ignores, and every `prove` statement "
     "holds.\n\n"
     "Example:\n  bpfproof compile server.policy -o server.bpf --stats",
     KEYS(K(OUTPUT) | K(FORMAT) | K(LEVEL) | K(ABI) | K(KERNEL) | K(PROFILE) | K(LAMBDA) |
          K(ACCEPT) | K(STATS) | K(DUMP) | K(PROOF) | K(EMIT_SMT2)),
     1, 1, run_compile},
    {"fmt", "POLICY", "print a policy in canonical form",
     "Example:\n  bpfproof fmt server.policy -o server.policy", KEYS(K(OUTPUT)), 1, 1, run_fmt},
    {"verify", "FILTER", "prove two filters equal, one at most as permissive, or assertions",
     "A FILTER is a policy or a blob, told apart by content; FILTER+FILTER is a stack, oldest "
     "first, and so is a directory of blobs; pid:N is what a running process is under. Without "
     "--against, "
     "proves the `prove` statements of a policy, or those of --assert FILE about any filter.\n\n"
     "Examples:\n  bpfproof verify server.policy --against vendor.bpf\n  bpfproof verify "
     "vendor.bpf --assert rules.prove",
     KEYS(K(AGAINST) | K(AT_MOST) | K(ASSERT) | K(ABI) | K(PROOF) | K(EMIT_SMT2) | K(FROM)), 1, 1,
     run_verify},
    {"audit", "FILTER", "look for known mistakes, each with a call that shows it",
     "Asks 29 questions about a policy's program, a blob or a stack: other entries of the kernel, "
     "widths of arguments, calls that do the same, words, code. Each finding has a witness that "
     "was "
     "run, the instructions that decide it, and how to repair it. --policy FILE says what the "
     "filter should be, --against FILTER what it was made from. Exit status 0: no findings, or "
     "accepted ones only; 1: findings; 3: no findings, but something was not decided. "
     "docs/AUDIT.md lists the classes.\n\n"
     "Examples:\n  bpfproof audit vendor.bpf\n"
     "  bpfproof audit older.bpf+newer.bpf --abi x86_64,i386\n"
     "  bpfproof audit server.bpf --policy server.policy --accept 23,minus-one",
     KEYS(K(POLICY) | K(AGAINST) | K(ABI) | K(ACCEPT) | K(FROM)), 1, 1, run_audit},
    {"check", "BLOB", "would the kernel take it",
     "Applies the kernel's admission rules and names the rule and the instruction that break them, "
     "for each program of a stack, and the limit on the stack's length. "
     "With --install, the "
     "running kernel is asked too.\n\nExample:\n  bpfproof check vendor.bpf",
     KEYS(K(FROM) | K(INSTALL)), 1, 1, run_check},
    {"optimize", "BLOB", "a smaller, faster, equal blob",
     "Lifts the program to its meaning, emits it again in the best shape and proves both equal. "
     "What is written never has more instructions than before, never executes more of them in the "
     "mean over the calls that count, never costs more by the measure that counts jumps too, and "
     "never loses a call that the kernel caches; where nothing better is found it is the program "
     "itself. A single call may take a longer path.\n\n"
     "Example:\n  bpfproof optimize vendor.bpf -o smaller.bpf --stats",
     KEYS(K(OUTPUT) | K(FORMAT) | K(LEVEL) | K(ABI) | K(KERNEL) | K(PROFILE) | K(LAMBDA) |
          K(STATS) | K(DUMP) | K(PROOF) | K(EMIT_SMT2) | K(FROM)),
     1, 1, run_optimize},
    {"merge", "FILTER...", "one filter for a stack",
     "Makes one program of what the kernel makes of all the filters together, oldest first, and "
     "proves both equal: the strictest action wins, and among equal ones the newest filter's "
     "data. Running one program costs less than running several.\n\n"
     "Example:\n  bpfproof merge first.bpf second.bpf third.bpf -o one.bpf",
     KEYS(K(OUTPUT) | K(FORMAT) | K(LEVEL) | K(ABI) | K(KERNEL) | K(PROFILE) | K(LAMBDA) |
          K(STATS) | K(DUMP) | K(PROOF) | K(EMIT_SMT2) | K(FROM)),
     1, -1, run_merge},
    {"diff", "A B", "every difference in meaning between two filters",
     "A and B are policies, blobs or stacks. Each difference is stated in the policy language, "
     "with "
     "a call that shows it, replayed on both. Differences are disjoint, and the list is proved "
     "complete; what is the same over many calls is one row. \"No difference\" is said only when "
     "it is PROVED. Where the list cannot be completed, the result is still REFUTED when a call "
     "was "
     "seen on which they differ, and it is said that there may be more. With --json there is one "
     "object for each call, and `complete`.\n\n"
     "Example:\n  bpfproof diff released.policy vendor.bpf",
     KEYS(K(ABI) | K(PROOF) | K(FROM)), 2, 2, run_diff},
    {"decompile", "BLOB", "a readable policy, proved equal to the blob",
     "Names, types and constants where a comparison by name means just what the blob tests; "
     "u64(), lo32() and hi32() of a register where it looks at other bits than the kernel; `raw` "
     "rules, with the reason, for what nothing else says. The text is read back and proved equal "
     "on every input before it is written.\n\n"
     "`bpfproof compile` takes the policy. It refuses what the blob does wrong: a blob that lets "
     "other ABIs in needs --accept=arch there, one that depends on bits that the kernel ignores "
     "--accept=width.\n\n"
     "Example:\n  bpfproof decompile vendor.bpf -o vendor.policy",
     KEYS(K(OUTPUT) | K(ABI) | K(PROOF) | K(EMIT_SMT2) | K(FROM)), 1, 1, run_decompile},
    {"disasm", "FILTER", "print the machine code as text",
     "A policy is compiled first. The text goes back through `bpfproof asm`.\n\nExample:\n  "
     "bpfproof disasm vendor.bpf",
     KEYS(K(OUTPUT) | K(FORMAT) | K(ABI) | K(FROM)), 1, 1, run_disasm},
    {"asm", "TEXT", "assemble text to a blob",
     "Example:\n  bpfproof disasm vendor.bpf | bpfproof asm - -o same.bpf",
     KEYS(K(OUTPUT) | K(FORMAT) | K(BIG_ENDIAN)), 1, 1, run_asm},
    {"simulate", "FILTER [CALL...]", "run calls through a filter, concretely",
     "A CALL is written as strace prints it, with names and constants. With --vectors, each line "
     "of FILE is `arch nr a0 a1 a2 "
     "a3 a4 a5 verdict`, separated by tabs; lines that disagree are printed.\n\n"
     "Example:\n  bpfproof simulate server.policy 'openat(AT_FDCWD, 0x1000, O_RDONLY)' "
     "'i386:getpid()'",
     KEYS(K(VECTORS) | K(ABI) | K(FROM)), 1, -1, run_simulate},
    {"explain", "FILTER CALL", "which rule or instruction decides a call, and the path to it",
     "Of a policy, the rule and its place. Of programs, the path: each instruction with what A "
     "holds, why a test went as it did, and what the tests before had told; then which calls take "
     "the same path. Of a stack, each filter's word, and which of them the kernel follows.\n\n"
     "With --args NAME and no FILTER, lists the arguments that a call has on each ABI.\n\n"
     "Examples:\n  bpfproof explain server.policy 'socket(AF_UNIX, SOCK_STREAM, 0)'\n  bpfproof "
     "explain --args openat",
     KEYS(K(ARGS) | K(ABI) | K(FROM)), 0, 2, run_explain},
    {"import", "FORMAT FILE", "read another policy format (oci, firecracker) into a policy",
     "FORMAT oci is Docker's and the OCI runtime specification's seccomp profile; firecracker is "
     "that of Firecracker and of the seccompiler crate, in which --thread chooses a filter.\n\n"
     "Examples:\n  bpfproof import oci profile.json --cap CAP_SYS_ADMIN --kernel 6.1 -o "
     "profile.policy\n  bpfproof import firecracker vmm.json --thread vcpu --arch aarch64 -o "
     "vcpu.policy",
     KEYS(K(OUTPUT) | K(CAP) | K(KERNEL) | K(ARCH) | K(THREAD)), 2, 2, run_import},
    {"dump", "--pid N | -- CMD [ARG...]",
     "the filters of a process, or those that a command installs",
     "With --pid, reads the filters of all threads of a running process; the kernel shows them to "
     "CAP_SYS_ADMIN only. Each thread is stopped for a moment. With a command, runs it and watches "
     "it and all that it starts, with or without privileges, until all have ended; each filter is "
     "read as it is installed. How the command ended is reported, and is not this program's exit "
     "status; --timeout SECONDS lets it go after so long, and it goes on.\n\n"
     "Prints a listing. With -o DIRECTORY, which must not exist or be empty, writes each distinct "
     "filter to it as filter-1, filter-2, ... in the order in which they were found. Where these "
     "are one stack the directory is a FILTER; else there is a directory stack-1, stack-2, ... for "
     "each. With --json the command's standard output goes to standard error.\n\n"
     "Examples:\n  bpfproof dump --pid 4711 -o filters\n  bpfproof dump -o filters -- ./server",
     KEYS(K(PID) | K(OUTPUT) | K(FORMAT)), 0, -1, run_dump},
    {"run", "FILTER -- CMD [ARG...]", "start a program under a filter",
     "A policy is compiled and proved first; a program that is not proved is not installed.\n\n"
     "Example:\n  bpfproof run server.policy -- ./server --port 8080",
     KEYS(K(ABI) | K(FROM) | K(ACCEPT)), 2, -1, run_run},
    {"bench", "FILTER...", "latency side by side",
     "Measures the filters in turns, in one run on one processor: whole calls under the installed "
     "filter (kernel), the kernel's machine code for it called in user space (alone; needs root), "
     "and seccomp(2) itself (install). The first filter takes part twice; a run in which it "
     "differs from itself is thrown away. Of the calls that a filter permits, only those are made "
     "that do nothing. Alone is what the machine code adds to calls of an empty function, in the "
     "mean over the places in a cache line where the kernel may put it. Ratios of single calls are "
     "of p10, to the first filter. The table at the end has a line for each filter; there a ratio "
     "is the first filter's time to this one's, the geometric mean over single calls; the expected "
     "path is the mean by the weights of the cost model for the running kernel (expected_cost of "
     "optimize --json).\n\n"
     "Example:\n  bpfproof bench server.policy vendor.bpf --call 'close(-1)' --seconds 5",
     KEYS(K(METHOD) | K(CALL) | K(SECONDS) | K(SAME) | K(ABI) | K(FROM)), 1, -1, run_bench},
};

const struct command *command_table(size_t *count)
{
    *count = COUNT_OF(commands);
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}
