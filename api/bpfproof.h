/* bpfproof: the public face. What a FILTER is and how it is loaded, and the pipelines, each
 * readable from top to bottom in one function: this is the only room that puts the others together.
 */
#ifndef API_BPFPROOF_H
#define API_BPFPROOF_H

#include "compiler/raise.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "verifier/audit.h"
#include "verifier/verifier.h"

/* ---- filters (filter.c)
 * ----------------------------------------------------------------------------- */

/* A FILTER argument, loaded: a policy, or a stack of one or more programs, oldest first. */
struct filter {
    const char *name;
    const struct source *source; /* of a policy */
    const struct tree *tree;     /* of a policy */
    const struct policy *policy; /* NULL: a stack of programs */
    struct program *programs;
    size_t program_count;
    bool big_endian;
    abi_set declared; /* the policy's ABIs; a blob's: blob_declared() */
};

struct load_options {
    abi_set abis;                   /* --abi: narrows a policy, declares a blob; 0 = not given */
    enum format format;             /* FORMAT_UNKNOWN: by content */
    bool accept_arch, accept_width; /* of a policy that is compiled: as in compile_options */
    bool inspect;     /* a policy's program is only looked at: it must equal the policy, no more */
    bool any_program; /* take programs that check_program refuses */
    bool files_only;  /* no pid:N: what is named in a policy or an assertion file */
    struct deadline deadline;
    unsigned depth; /* how many compiles this load is inside of: at_most may name a stack with
                       policies in it */
};

#define COMPILE_DEPTH_MOST 8u

#define STACK_MOST 4096u /* filters; the kernel's own limit comes earlier (STACK_LENGTH_MOST) */

/* `argument` is a file, "-", a directory (the blobs in it, in name_order), pid:N or pid:N/THREAD
 * (what a running process is under), or several of these joined by "+": a stack, oldest first; a
 * policy in a stack is compiled. A path that exists as it stands, plus signs and all, is one file;
 * but pid: is always a process, so that no file can stand in its way. */
MUST_USE result filter_load(struct arena *arena, const char *argument,
                            const struct load_options *options, struct diagnostics *diagnostics,
                            struct filter *filter);
/* A policy becomes its proved program; a stack stays what it is. For commands that run programs. */
MUST_USE result filter_compile(struct arena *arena, struct filter *filter,
                               const struct load_options *options, struct diagnostics *diagnostics);
struct side filter_side(const struct filter *filter);

/* The ABIs a stack of programs is about: those whose token it compares with arch (x32 when it
 * permits some but not all numbers with bit 30), else the host's (declared.c). */
abi_set blob_declared(const struct program *programs, size_t count);

/* ---- compile (compile.c)
 * --------------------------------------------------------------------------------- */

enum dump_stage { DUMP_POLICY = 1, DUMP_DAG = 2, DUMP_SELECT = 4, DUMP_LAYOUT = 8 };

struct compile_options {
    abi_set abis;
    enum optimization level;
    unsigned kernel_major, kernel_minor; /* as in shape_options */
    const struct profile *profile;       /* may be NULL */
    double lambda;                       /* as in shape_options */
    bool figures;                        /* fill expected_cost and lower_bound */
    struct deadline deadline;
    bool whole_proof;
    bool accept_arch, accept_width; /* a REFUTED one does not fail the compile */
    struct buffer *smt2;            /* may be NULL */
    unsigned dump;                  /* enum dump_stage */
    struct buffer *dump_out;
    unsigned depth; /* as in load_options */
};

struct goal_result {
    const struct goal *goal;
    struct proof proof;
    bool vacuous;
};

struct compiled {
    const struct policy *policy;
    struct program program;
    struct proof proof;
    struct proof arch_isolation;
    struct width_proof width;
    struct goal_result *goals;
    size_t goal_count;
    uint64_t compile_ns, proof_ns; /* without proofs and figures; all proofs together */
    struct dead_rules dead_rules;
    /* Mean of executed instructions over the calls that count (optimizer/cost.h): of the program,
     * and of no program of this meaning less. */
    double expected_cost, expected_jumps, lower_bound; /* per call that counts */
    enum verdict verdict; /* of the whole compile, after --accept: only PROVED may be written */
};

/* Worked and verdict PROVED: the program may be used. Worked and another verdict: see which of the
 * proofs; nothing may be written. Failed: a diagnostic says why. */
MUST_USE result compile_policy(struct arena *arena, const struct policy *policy,
                               const struct compile_options *options,
                               struct diagnostics *diagnostics, struct compiled *compiled);
/* All goals of a policy or of an assertion file, at_most included, on one side. Returns the worst
 * verdict. */
MUST_USE result prove_goals(struct arena *arena, const struct side *side, const struct goal *goals,
                            size_t count, const struct proof_options *proof,
                            const struct load_options *load, struct diagnostics *diagnostics,
                            struct goal_result **results, enum verdict *verdict);
enum verdict worse_verdict(enum verdict a, enum verdict b); /* REFUTED, then UNKNOWN, then PROVED */

/* ---- audit (audit.c)
 * ----------------------------------------------------------------------------------- */

/* Looks for the known mistakes (verifier/audit.h) in a filter; one that is a policy must have been
 * compiled. `policy` and `against` may be NULL. `abis`: what --abi said, 0 = nothing; then the
 * policy's ABIs count, else the filter's. */
MUST_USE result audit_filter(struct arena *arena, const struct filter *filter,
                             const struct filter *policy, const struct filter *against,
                             abi_set abis, struct deadline deadline,
                             struct diagnostics *diagnostics, struct audit *audit);

/* ---- figures (figures.c)
 * ----------------------------------------------------------------------------------- */

struct figures {
    uint32_t instructions;
    uint32_t worst;  /* instructions on the longest path through the control-flow graph */
    double expected; /* mean executed over the implemented calls of the declared ABIs that are
                        permitted, all arguments 0 */
    double expected_of[ABI_COUNT]; /* the same over one declared ABI's; 0: it permits none */
    uint32_t cached[ABI_COUNT]; /* number of calls of each declared ABI that the kernel caches: of
                                   those that have a name and are implemented */
};
struct figures program_figures(struct arena *arena, const struct program *program,
                               abi_set declared);
/* Of a stack: all its instructions, the longest paths one after the other, the calls that its
 * combined verdict permits, and those that the kernel caches for all programs. */
struct figures figures_of_stack(struct arena *arena, const struct program *programs, size_t count,
                                abi_set declared);
/* Means over weighted calls. */
struct path_means {
    double executed; /* instructions */
    double
        jumps; /* taken in the machine code that x86 kernels make (do_jit): of conditional jumps,
                  JA, and returns, which jump to the end of the function that the first one has */
};
struct path_means program_paths(const struct program *program, const struct weights *weights);
/* The same of a stack, all its programs run, over the calls that count for what it means
 * (optimizer/cost.h) on that kernel; 0.0: the newest. For one program `executed` is what
 * optimize_program gives as cost_before. False when its meaning is too involved to be found out. */
bool paths_of_stack(struct arena *arena, const struct program *programs, size_t count,
                    abi_set declared, unsigned kernel_major, unsigned kernel_minor,
                    struct path_means *means);

/* ---- generate (generate.c): a decision DAG to a program
 * -------------------------------------------------- */

struct generate_options {
    const struct compile_options *compile; /* level, kernel, profile, figures, dump */
    const char *name;                      /* of the program */
    const char *made_by;                   /* the stage that made the DAG, for internal errors */
    abi_set abis;                          /* whose calls count */
    bool big_endian;
    bool this_level_only; /* else other levels are tried, too, where they may be better */
};

struct generated {
    struct program program;
    struct weights weights; /* with compile->figures, and the rest too: */
    double expected_cost, expected_jumps, lower_bound; /* as in struct compiled */
    struct price price;                                /* that was in force */
    uint64_t figures_ns;                               /* what the figures took */
};

/* Passes, choice of shape, layout and emission, peephole. The invariants of each stage are checked
 * every time: what breaks them is an error, and the program is one that check_program accepts. */
MUST_USE result generate_program(struct arena *arena, struct dag *dag, const struct dag_node *root,
                                 const struct generate_options *options,
                                 struct diagnostics *diagnostics, struct generated *generated);

/* ---- optimize (optimize.c): somebody else's program
 * ---------------------------------------------------------- */

struct optimized {
    struct program program; /* proved equal to the one before, or the one before itself */
    struct proof proof; /* of the new program, also when it was not taken; UNKNOWN without one */
    bool kept_original;
    bool as_good; /* kept_original: the new program is in nothing worse, and in nothing better */
    bool nothing_made; /* no other program, so that there was nothing to prove */
    const char *why;   /* kept_original: what spoke against the new program, or why there is none */
    struct figures before, after;
    /* Mean of executed instructions over the calls that count (optimizer/cost.h): before, after,
     * and of no program of this meaning less; all 0 where the program could not be lifted. */
    double cost_before, cost_after, lower_bound;
    double jumps_before, jumps_after; /* taken per call that counts (struct path_means) */
    uint64_t optimize_ns;             /* all that was tried, without the proofs */
};

/* Decode, lift, optimize, emit, prove. `program` is never anything that is not PROVED equal, has
 * more instructions, executes more of them in the mean over the calls that count, costs more by
 * the measure of the level (optimizer/cost.h: jumps count in it, so it is not enough to be shorter
 * in both), or loses a number that the kernel caches, with a name or without; nor one that is
 * better in nothing. Of the options it takes what the choice of shape takes, deadline, whole_proof
 * and smt2; `declared` stands for their abis. ERROR_INPUT for a program that the kernel would
 * refuse. */
MUST_USE result optimize_program(struct arena *arena, const struct program *before,
                                 abi_set declared, const struct compile_options *options,
                                 struct diagnostics *diagnostics, struct optimized *optimized);
/* ---- merge (merge.c): a stack as one program
 * ----------------------------------------------------------------- */

struct merged {
    struct program program; /* PROVED equal to the stack, or not to be used */
    struct proof proof;
    struct figures before, after; /* instructions and paths before: of all programs together */
    uint64_t merge_ns;            /* without the proof */
};

/* What the kernel makes of a stack of programs, oldest first, as one program: lift each, combine,
 * generate, prove. Of the options it takes what optimize_program takes. ERROR_LIMIT, reported, when
 * the stack is too involved or does not fit one program. */
MUST_USE result merge_programs(struct arena *arena, const struct program *programs, size_t count,
                               abi_set declared, const struct compile_options *options,
                               struct diagnostics *diagnostics, struct merged *merged);
/* A stack's meaning in one DAG (made when `*dag` is NULL), as lift_program gives one program's. */
MUST_USE result lift_stack(struct arena *arena, const struct program *programs, size_t count,
                           struct diagnostics *diagnostics, struct dag **dag,
                           const struct dag_node **root);

/* Lift and generate, without proof and without comparing; for optimize_program and for measuring.
 * `before` must be accepted by check_program, `after` is then accepted too. */
MUST_USE result relift_program(struct arena *arena, const struct program *before, abi_set declared,
                               const struct compile_options *options,
                               struct diagnostics *diagnostics, struct generated *after);
/* Pairs (arch, nr) of any ABI of the program's byte order that the kernel caches for `before` but
 * not for `after`: all numbers of the kernel's table, also those without a name. */
uint32_t cached_lost(const struct program *before, const struct program *after);

/* ---- diff (diff.c, diff_calls.c, diff_witness.c): two filters compared
 * ----------------------------------------- */

/* Calls that the two sides answer differently in one way. */
struct difference {
    enum abi_id abi;          /* ABI_NONE: of no ABI that either side declares */
    const char *call;         /* "openat", "nr 500..510", "unknown numbers", "every call", ... */
    bool known;               /* `call` is a name of the ABI's table */
    const char *when;         /* the condition, in the policy language; NULL: always */
    const char *left, *right; /* what the sides return then, as verdict_print has it */
    /* The side returns the same under other conditions, too. */
    bool left_elsewhere, right_elsewhere;
    struct counterexample witness; /* replayed on both */
};

struct diff_options {
    struct proof_options proof; /* its deadline is that of the whole */
};

struct diff {
    /* PROVED: no difference. REFUTED: they differ, and a call was seen on which they do: each of
     * the list has one, and `equal` may. */
    enum verdict verdict;
    bool complete;      /* proved: what is listed is every difference */
    const char *reason; /* not complete: why; what is listed is true, but there may be more */
    struct difference *differences; /* disjoint; by ABI and number, foreign ones last */
    size_t count;
    struct proof equal; /* of the two sides: has a counterexample even where nothing is listed */
    uint64_t ns;
};

/* Every difference in meaning. Both are of one byte order. Stacks are what the kernel makes of
 * them. */
void diff_filters(struct arena *arena, const struct filter *left, const struct filter *right,
                  const struct diff_options *options, struct diff *diff);

/* What the files of it share. */
struct diff_state {
    struct arena *arena;
    const struct diff_options *options;
    struct side left, right;
    abi_set declared; /* by either */
    bool big_endian;
    struct dag *dag;
    const struct dag_node *left_root, *right_root;
    struct dag_differences found;
    struct counterexample *witnesses; /* of found.list, which has only those that were seen */
    const char *reason;               /* why the answer is not complete; the first one stays */
};
void diff_give_up(struct diff_state *state, const char *reason);
bool diff_out_of_time(struct diff_state *state); /* and noted, when it is */
/* The DAG as a program; false, and noted, when it makes none. */
bool diff_program(struct diff_state *state, const struct dag_node *root, const char *name,
                  struct program *program);
/* Takes differences off the list that no input shows; notes those for which that is not known. */
void diff_find_witnesses(struct diff_state *state);
/* The condition in the policy language, with the argument names of the call; NULL: always true. */
const char *diff_when(struct diff_state *state, const struct dag_node *when, enum abi_id abi,
                      uint32_t nr);
/* The list as calls with names. */
void diff_name_calls(struct diff_state *state, struct diff *diff);

/* ---- decompile (decompile.c): somebody else's program as a policy
 * ---------------------------------------------------------- */

struct decompile_options {
    abi_set declared; /* whose names are used */
    const char *name; /* of the policy */
    struct deadline deadline;
    bool whole_proof;
    struct buffer *smt2; /* may be NULL */
};

struct decompiled {
    const struct policy *policy; /* read back from the text */
    struct raised_policy raised;
    struct proof proof; /* that the two are equal: only PROVED may be written */
    enum raise_way way; /* how most of it is said */
    size_t exceptions;  /* calls that had to be said in a lower way */
    uint64_t raise_ns;  /* without the proof */
};

/* Lift, raise, read the text back, prove it equal to the program. Where it is refuted, the call of
 * the counterexample is said in registers, then in the raw layer. What is not decided in a share of
 * the time is all said in the next of the ways; the last has the program's own tests. ERROR_LIMIT
 * when the program is too involved to be lifted or written; ERROR_INPUT when the kernel would
 * refuse it. */
MUST_USE result decompile_program(struct arena *arena, const struct program *program,
                                  const struct decompile_options *options,
                                  struct diagnostics *diagnostics, struct decompiled *decompiled);

#endif
