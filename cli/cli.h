/* cli: the command line. main.c finds the command in the table (commands.c); options.c reads
 * options with argp, all of them from one table, so that an option means the same everywhere; each
 * command is a file of its own. Diagnostics go to standard error, results to standard output.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "api/bpfproof.h"

enum exit_code {
    EXIT_HOLDS = 0,   /* holds, or done */
    EXIT_REFUTED = 1, /* refuted, refused by check, findings */
    EXIT_USAGE = 2,   /* usage, malformed input, I/O error */
    EXIT_UNKNOWN = 3, /* a limit was reached */
};

/* Every option of every command; a command's row says which of them it takes. */
enum option_key {
    KEY_OUTPUT,
    KEY_FORMAT,
    KEY_LEVEL,
    KEY_ABI,
    KEY_KERNEL,
    KEY_PROFILE,
    KEY_LAMBDA,
    KEY_ACCEPT,
    KEY_STATS,
    KEY_DUMP,
    KEY_PROOF,
    KEY_EMIT_SMT2,
    KEY_AGAINST,
    KEY_AT_MOST,
    KEY_ASSERT,
    KEY_POLICY,
    KEY_VECTORS,
    KEY_ARGS,
    KEY_CAP,
    KEY_ARCH,
    KEY_THREAD,
    KEY_FROM,
    KEY_BIG_ENDIAN,
    KEY_INSTALL,
    KEY_METHOD,
    KEY_CALL,
    KEY_SECONDS,
    KEY_SAME,
    KEY_PID,
    KEY_JSON,
    KEY_TIMEOUT,
    KEY_COUNT
};
#define KEY_BIT(key) ((uint64_t)1 << (key))
#define KEYS_COMMON (KEY_BIT(KEY_JSON) | KEY_BIT(KEY_TIMEOUT))

/* So that no input can keep the prover busy for ever. */
#define TIMEOUT_DEFAULT 60.0

struct options {
    const char *output;
    enum format format, from; /* FORMAT_UNKNOWN: not given */
    enum optimization level;
    abi_set abis;
    unsigned kernel_major, kernel_minor; /* 0.0: newest */
    bool accept_arch, accept_width;
    bool stats, whole_proof, at_most, big_endian, install, json;
    unsigned dump;
    const char *profile, *emit_smt2, *against, *assertions, *vectors, *args_of;
    const char *policy, *accepted; /* of audit */
    VECTOR(const char *) capabilities;
    enum abi_id arch;
    const char *thread; /* --thread */
    unsigned methods;                   /* bits of enum bench_method; 0: what is possible */
    VECTOR(const char *) calls;         /* --call, as written */
    double seconds, same_limit, lambda; /* 0: not given */
    pid_t pid;                          /* --pid; 0: not given */
    double timeout;                     /* seconds, 0 = none; TIMEOUT_DEFAULT when not given */
    bool timeout_given;
    char **arguments; /* what is no option */
    int argument_count;
};

/* One run of the program. */
struct context {
    struct arena *arena;
    struct diagnostics diagnostics;
    struct options options;
    struct deadline deadline;
    const struct command *command;
    json_t *json; /* the one object of --json; what a command puts there is printed by finish() */
};

struct command {
    const char *name;
    const char *arguments; /* "POLICY" */
    const char *summary;   /* one line */
    const char *help;      /* the example and what to know; printed by --help */
    uint64_t keys;
    int least, most; /* arguments; most -1: any number */
    enum exit_code (*run)(struct context *context);
};

const struct command *command_table(size_t *count);
const struct command *command_find(const char *name);

/* Fills context->options. False: a usage error was printed, or with --json reported. `done` is set
 * after --help. */
bool options_parse(struct context *context, int argc, char **argv, bool *done);

/* ---- what commands share (common.c)
 * ----------------------------------------------------------------------- */

struct load_options load_options_of(const struct context *context);
struct proof_options proof_options_of(struct context *context, struct buffer *smt2,
                                      abi_set declared);
/* Loads argument `index` as a FILTER. */
MUST_USE result load_argument(struct context *context, int index, struct filter *filter);
/* Which exit code a failure has. */
enum exit_code exit_of(result r);
enum exit_code exit_of_verdict(enum verdict verdict);
/* Writes --output (standard output when absent). */
MUST_USE result write_output(struct context *context, const void *bytes, size_t length);
/* A program, in --format, for ABIs `declared`, to --output. */
MUST_USE result write_program(struct context *context, const struct program *program,
                              abi_set declared);
MUST_USE result load_profile(struct context *context, const char *path, abi_set declared,
                             struct profile *profile);
MUST_USE result write_smt2(struct context *context, struct buffer *smt2);
/* The call of an input, as text, and as the object that --json has for counterexamples. */
const char *call_text(struct context *context, const struct input *input, abi_set declared,
                      bool big_endian);
const char *verdict_text(struct context *context, uint32_t word, const struct input *input,
                         bool big_endian);
json_t *json_input(struct context *context, const struct input *input, abi_set declared,
                   bool big_endian);
json_t *json_counterexample(struct context *context, const struct counterexample *counterexample,
                            abi_set declared, bool big_endian);
/* The ABI of a CALL without a prefix: this machine's when it is declared, else the first that is.
 */
enum abi_id default_abi(abi_set declared);
void set_text(struct context *context, const char *key, const char *value);
double milliseconds(uint64_t ns);
/* One line a goal; the array for --json. */
void print_goals(struct context *context, FILE *out, const struct goal_result *goals, size_t count,
                 abi_set declared, bool big_endian);
json_t *json_goals(struct context *context, const struct goal_result *goals, size_t count,
                   abi_set declared, bool big_endian);

/* "x86_64, i386", and the same as an array. */
const char *abi_names_of(struct arena *arena, abi_set abis);
json_t *json_abis(abi_set abis);

/* Sizes, paths and cached calls, before or after. */
json_t *json_figures(const struct figures *figures, abi_set declared);

/* ---- the commands, one file each
 * ---------------------------------------------------------------------------- */

enum exit_code run_compile(struct context *context);
enum exit_code run_fmt(struct context *context);
enum exit_code run_verify(struct context *context);
enum exit_code run_check(struct context *context);
enum exit_code run_audit(struct context *context);
enum exit_code run_optimize(struct context *context);
enum exit_code run_merge(struct context *context);
enum exit_code run_diff(struct context *context);
enum exit_code run_decompile(struct context *context);
enum exit_code run_disasm(struct context *context);
enum exit_code run_asm(struct context *context);
enum exit_code run_simulate(struct context *context);
enum exit_code run_explain(struct context *context);
enum exit_code run_import(struct context *context);
enum exit_code run_run(struct context *context);
enum exit_code run_bench(struct context *context);
enum exit_code run_dump(struct context *context);

#endif
