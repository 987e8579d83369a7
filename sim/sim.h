/* sim: running filters concretely. The interpreter (one of two implementations of the machine, the
 * other is verifier/'s symbolic executor), the kernel's constant-action cache, the real kernel in a
 * forked child, and the kernel's own JIT image called in user space.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <sys/types.h>

#include "bpf/bpf.h"

/* ---- interpreter (interpreter.c): one program as bpf_prog_run runs it ---------------------- */

struct run {
    uint32_t word;               /* the return value */
    uint32_t executed;           /* instructions, the return included */
    uint32_t last;               /* the instruction that ended it */
    bool divided_by_zero;        /* DIV X with X = 0: ended with 0 */
    bool implementation_defined; /* a shift by X >= 32 was executed: x86's result (X & 31) was taken
                                  */
};

/* `program` must be accepted by check_program. `trace` (may be NULL) gets the instructions
 * executed, in order, up to `trace_most`. */
struct run interpret(const struct program *program, const struct input *input, uint32_t *trace,
                     size_t trace_most);

/* One executed instruction, and what the registers held before it. */
struct executed_step {
    uint32_t instruction, a, x;
};
/* The same, with the steps in order, up to `most`. */
struct run interpret_steps(const struct program *program, const struct input *input,
                           struct executed_step *steps, size_t most);

/* A stack, oldest first: what the kernel makes of all of them (seccomp_run_filters). */
struct stack_run {
    uint32_t word;
    uint32_t decided_by; /* index of the filter whose word it is; the newest of equals; stack_count:
                            the initial ALLOW */
    uint64_t executed;   /* over all filters */
    bool implementation_defined;
};
struct stack_run interpret_stack(const struct program *programs, size_t count,
                                 const struct input *input);

/* ---- a path, explained (path.c, facts.c) ------------------------------------------------------ */

/* One executed instruction, with what is known at it. A term is what a register holds in terms of
 * the input: `nr`, `lo32(arg2) & 0x3`. One that would be too long to read is named after the
 * instruction that made it: `A at 17`. */
struct path_step {
    uint32_t instruction;
    const char *text;  /* disassembled */
    const char *term;  /* what it loads, computes, stores, compares or returns; NULL: nothing */
    uint32_t value;    /* the term's value on this input */
    const char *name;  /* what the value, or the word, is called: "openat"; NULL: nothing */
    const char *known; /* what the tests before said of the term; NULL: nothing */
    bool is_test;
    const char *relation; /* of a test: "==", ">", ">=", "&" */
    const char *right;    /* of a test: the other side, a constant or a term */
    uint32_t right_value;
    const char *right_name; /* as `name` */
    bool holds;             /* of a test */
    bool was_known;         /* of a test: its outcome follows from the tests before */
    uint32_t next;          /* where it goes on; of a return: itself */
    const char *remark;     /* the whole in words */
};

struct path {
    struct run run;
    struct path_step *steps;
    size_t count;
    /* What the tests of this path say about the input, one sentence a term: every input of which
     * all of these hold takes the same path. */
    const char *const *conditions;
    size_t condition_count;
};

/* `program` must be accepted by check_program. */
struct path path_explain(struct arena *arena, const struct program *program,
                         const struct input *input);

/* ---- the constant-action cache of Linux 5.11 and later (cache.c): seccomp_is_const_allow ---- */

bool cache_allows(const struct program *program, uint32_t arch, uint32_t nr);
/* How many of the ABI's numbers the kernel would cache for this stack: implemented table entries
 * only, so that the figure is a number of calls. 0 for ABIs that are never cached. */
uint32_t cache_count(const struct program *programs, size_t count, const struct abi *abi);

/* ---- the real kernel (kernel.c): a forked child installs and calls ------------------------- */

enum kernel_outcome {
    KERNEL_RETURNED,    /* the call returned; `value` is what the register held */
    KERNEL_KILLED,      /* the thread or process died of SIGSYS */
    KERNEL_TRAPPED,     /* SIGSYS was delivered to a handler; value = si_errno (the data) */
    KERNEL_REFUSED,     /* a filter was not installed; value = errno, 0: an older filter killed the
                           child at it */
    KERNEL_DIED,        /* died of something else; value = signal */
    KERNEL_UNAVAILABLE, /* no seccomp, or no such entry (int 0x80) on this machine */
    KERNEL_BLOCKED,     /* the call had not returned after two seconds; the child was killed */
    KERNEL_EXITED,      /* the call ended the process (exit, execve); value = exit status */
    KERNEL_PERMITTED    /* of kernel_probe: the stack allows, logs, traces or notifies */
};

struct kernel_result {
    enum kernel_outcome outcome;
    int64_t value;
    bool whole_process; /* KERNEL_KILLED: SECCOMP_RET_KILL_PROCESS, as seen on a second thread */
};

enum kernel_entry { ENTRY_NATIVE, ENTRY_INT80 /* i386's, from a 64-bit task */ };

/* True when seccomp filters can be installed here (`reason` says why not otherwise). */
bool kernel_available(const char **reason);
bool kernel_has_int80(void);
/* Would the kernel take this program? Forks; the child installs and leaves without another filtered
 * call. */
struct kernel_result kernel_install(const struct program *program);
/* Installs the stack (oldest first) in a child, makes one call with exactly these registers, and
 * reports. What the stack permits is REALLY DONE, with the caller's privileges: only for calls that
 * can do no harm. Programs for the other byte order are KERNEL_UNAVAILABLE. */
struct kernel_result kernel_call(const struct program *programs, size_t count,
                                 enum kernel_entry entry, uint32_t nr, const uint64_t args[6]);
/* The instruction pointer that filters see on kernel_call's and kernel_probe's call; 0 when
 * unknown. */
uint64_t kernel_call_ip(enum kernel_entry entry);
/* The same without doing the call: kill, trap and errno are seen as they are; allow, log, trace and
 * notify are all KERNEL_PERMITTED. Safe for any call (a witness with reboot or kill in it). x86_64.
 */
struct kernel_result kernel_probe(const struct program *programs, size_t count,
                                  enum kernel_entry entry, uint32_t nr, const uint64_t args[6]);
/* Many programs through the kernel's admission in few forks, for campaigns: accepted[i] is set. */
MUST_USE result kernel_admission(const struct program *programs, size_t count, bool *accepted,
                                 struct diagnostics *diagnostics);
/* Sets no_new_privs (unless privileged), installs the stack and executes argv; returns only on
 * failure. */
MUST_USE result kernel_exec(const struct program *programs, size_t count, char *const argv[],
                            struct diagnostics *diagnostics);

/* ---- the JIT image (jit.c): the kernel's machine code, called in user space ---------------- */

struct jit;

/* Translates as bpf_convert_filter does, loads it as a BPF_PROG_TYPE_SYSCALL program, reads the
 * image back and maps it. Needs root, x86_64 and net.core.bpf_jit_enable=1: else ERROR_UNSUPPORTED
 * with the reason reported. Programs whose image calls into the kernel are refused. */
MUST_USE result jit_open(struct arena *arena, const struct program *program,
                         struct diagnostics *diagnostics, struct jit **jit);
uint32_t jit_call(const struct jit *jit, const struct input *input);
/* The machine code itself: struct input has the layout of struct seccomp_data, and the second
 * argument is ignored. It stands at JIT_PLACEMENTS different places in a cache line. */
#define JIT_PLACEMENTS 16u
typedef uint64_t jit_function(const struct input *input, const void *instructions);
jit_function *jit_function_at(const struct jit *jit, unsigned placement);
void jit_close(struct jit *jit);

/* ---- the filters of processes (dump*.c) ----------------------------------------------------- */

struct dump_thread {
    pid_t process, thread;
    const char *command; /* the thread's name in /proc, printable */
};

/* Threads that have one stack in common. */
struct dump_stack {
    const uint32_t *filters; /* indices into dump.filters, oldest first; none: no filters */
    size_t count;
    VECTOR(struct dump_thread) threads; /* by process and number */
};

/* One installation that was watched. */
struct dump_installation {
    struct dump_thread by;
    uint32_t filter; /* index into dump.filters */
    uint32_t place;  /* how many filters were on the thread's stack before it */
    uint32_t flags;  /* SECCOMP_FILTER_FLAG_ */
    const char *call; /* "seccomp" or "prctl" */
    enum abi_id abi;  /* on which the call was made */
};

struct dump {
    struct arena *arena;
    VECTOR(struct program) filters; /* distinct programs, in the order in which they were found */
    VECTOR(struct dump_stack) stacks; /* distinct */
    VECTOR(struct dump_installation) installations; /* of dump_command, in order */
};

/* Stops the threads of a process one at a time, for as long as it takes to read their filters. A
 * thread without filters is not touched. `thread` 0: all threads. Needs CAP_SYS_ADMIN, a kernel with
 * CONFIG_CHECKPOINT_RESTORE, and that the caller is under no filter itself: else
 * ERROR_UNSUPPORTED. Whatever happens, no thread is left stopped. */
MUST_USE result dump_process(struct arena *arena, pid_t process, pid_t thread,
                             struct deadline deadline, struct diagnostics *diagnostics,
                             struct dump *dump);

struct dump_request {
    char *const *command;     /* argv */
    bool output_to_stderr;    /* the command's standard output */
    struct deadline deadline; /* then the command is let go, and goes on */
};

struct dump_ending {
    bool ended; /* else it was let go */
    int status; /* as waitpid gives it */
};

/* Runs a command and reads each filter that it, its children and all their threads install. The
 * kernel is asked for the filter where it answers, else the caller's memory is read. Returns when
 * all of them have ended; at the deadline, and when the command itself has ended and a signal
 * comes that asks to end, the rest is let go. Needs Linux 5.3. ERROR_IO when the command cannot be
 * started. */
MUST_USE result dump_command(struct arena *arena, const struct dump_request *request,
                             struct diagnostics *diagnostics, struct dump *dump,
                             struct dump_ending *ending);
/* The names of SECCOMP_FILTER_FLAG_ bits: "TSYNC|LOG"; "" for 0. */
void dump_flags_print(struct buffer *out, uint32_t flags);

/* ---- time (bench.c and bench_*.c): filters side by side, on this machine, now ------------------
 */

enum bench_method {
    BENCH_KERNEL,  /* whole calls under the installed filter, one child per filter */
    BENCH_ALONE,   /* the JIT image called in user space, less the same call of an empty function */
    BENCH_INSTALL, /* seccomp(2) itself, a new child each time */
    BENCH_METHOD_COUNT
};
const char *bench_method_name(enum bench_method method);

/* What a call is to the filters that are compared. */
enum bench_kind {
    BENCH_GIVEN,          /* asked for by name */
    BENCH_ALLOWED,        /* permitted by its number alone: what the kernel may cache */
    BENCH_CHECKED,        /* permitted after a look at arguments */
    BENCH_CHECKED_DENIED, /* denied after a look at arguments */
    BENCH_DENIED,         /* denied by its number */
    BENCH_OUTSIDE,        /* a number above the ABI's table */
    BENCH_KIND_COUNT
};
const char *bench_kind_name(enum bench_kind kind);

struct bench_stack {
    const char *name;
    const struct program *programs; /* oldest first; each accepted by check_program */
    size_t count;
};

/* One input again and again, or several in an order that no branch predictor can learn. */
struct bench_call {
    const char *name;
    enum bench_kind kind;
    const struct input *inputs;
    size_t input_count;
};

struct bench_cell {
    const char *skipped; /* why there are no times; NULL: there are */
    uint32_t word;       /* what the stack returns for the first input */
    double executed;     /* mean instructions over the inputs, all programs of the stack */
    bool cached;         /* Linux 5.11 and later never run the programs for these inputs */
    double min_ns, p10_ns, median_ns;
    double ratio; /* of p10_ns to the first filter's; 0: that one was skipped */
};

struct bench_row {
    const struct bench_call *call;
    double control_ns; /* p10 of the same without a filter; of another call where this one
                          must not be made (see control_is_other) */
    bool control_is_other;
    double same_ns;           /* how far the first filter is from itself */
    struct bench_cell *cells; /* one per filter */
};

/* The calls that the program runs for, each on its own, again and again. */
enum bench_group {
    BENCH_GROUP_PERMITTED, /* after a look at arguments */
    BENCH_GROUP_CHECKED,   /* permitted or denied after a look at arguments */
    BENCH_GROUP_DENIED,    /* by number, also outside the table */
    BENCH_GROUP_BOTH,      /* of the last two */
    BENCH_GROUP_COUNT
};

const char *bench_group_name(enum bench_group group);

/* Geometric means over the calls of a group that this filter and the first both have times for. */
struct bench_mean {
    size_t calls;
    double ns;    /* p10 */
    double ratio; /* of the first filter's time to this one's */
};

struct bench_report {
    enum bench_method method;
    struct bench_row *rows;
    size_t row_count;
    size_t stack_count;
    double control_ns; /* kernel: a call without a filter; alone: calls of an empty function;
                          install: the smallest filter. p10 */
    double floor_ns;   /* alone: a program of one instruction, else 0 */
    double same_ns, same_worst_ns, same_limit_ns; /* first filter twice: mean and most over rows */
    bool noisy;                                   /* same_ns was above the limit in every attempt */
    unsigned attempts; /* runs made; the last, or when all were noisy the best, is reported */
    uint32_t rounds;
    int cpu;                /* -1: not bound to one */
    bool tsc;               /* else clock_gettime */
    double *geometric_mean; /* [kind * stack_count + stack]: of the ratios of single calls that this
                               filter and the first both have times for; 0: none. The row
                               BENCH_GIVEN is over checked, denied and outside together. */
    struct bench_mean *means; /* [group * stack_count + stack] */
};

struct bench_request {
    enum bench_method method;
    const struct bench_stack *stacks;
    size_t stack_count;
    const struct bench_call *calls;
    size_t call_count;
    bool remembers; /* the running kernel runs no filter for calls that are cached */
    double seconds; /* for all attempts together */
    double same_limit_ns; /* 0: the method's own */
    uint64_t seed;
};

/* Representative calls, by running the stacks over the ABI's table. For BENCH_KERNEL only calls
 * that can be made. */
struct bench_call *bench_choose(struct arena *arena, enum bench_method method,
                                const struct bench_stack *stacks, size_t stack_count,
                                enum abi_id abi, size_t *count);
/* NULL when the method can be used here for these stacks, else why not. */
const char *bench_unavailable(struct arena *arena, enum bench_method method,
                              const struct bench_stack *stacks, size_t stack_count);
MUST_USE result bench_run(struct arena *arena, const struct bench_request *request,
                          struct diagnostics *diagnostics, struct bench_report *report);

#endif
