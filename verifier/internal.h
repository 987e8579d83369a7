/* What the files of verifier/ share.
 *
 * A question has two `behaviour`s: what the left and the right side return, as terms over the 16
 * words of the input. A behaviour can be asked for its residues on a class of inputs (partition),
 * or for one term over everything (whole). A `property` says which pairs of returned words are bad.
 */
#ifndef VERIFIER_INTERNAL_H
#define VERIFIER_INTERNAL_H

#include "verifier/verifier.h"

#define BIT_NR (UINT32_C(1) << FIELD_NR)
#define BIT_ARCH (UINT32_C(1) << FIELD_ARCH)
#define ACTION_BITS 0xffff0000u /* SECCOMP_RET_ACTION_FULL */

struct range {
    uint32_t first, last; /* closed */
};

#define EVERYTHING ((struct range){0, UINT32_MAX})

static inline bool is_single(struct range range)
{
    return range.first == range.last;
}

/* ---- one proof (prover.c) ---------------------------------------------------------------------
 */

struct pair_memo;
struct dead_ends;

struct prover {
    struct arena *arena; /* of this proof only */
    struct terms *terms;
    struct solver *solver;
    const struct proof_options *options;
    const struct term *words[FIELD_COUNT]; /* the input: variable number = enum field */
    uint64_t start_ns;
    struct deadline deadline;
    bool big_endian;
    const char *trouble; /* why the proof cannot be finished; NULL while it can */
    bool stopped;        /* nothing more can be found out, not even a counterexample */
    uint64_t steps;      /* instructions executed symbolically */
    uint64_t walked;     /* assumptions and terms looked at in walks */
    uint64_t walk_most;  /* no walk goes on past so many; 0: no limit */
    bool whole;          /* one query over everything is being put */
    bool too_fine;       /* the partition was given up: too many steps or classes */
    struct proof proof;  /* as far as it is known; `verdict` REFUTED ends the search */
    struct pair_memo *memo;
    struct dead_ends *dead_ends; /* find_value.c; NULL until it is needed */
    uint64_t emitted;            /* obligations printed as SMT-LIB */
};

struct prover *prover_open(const struct proof_options *options, bool big_endian);
/* Fills in the verdict and the figures, and frees everything. */
struct proof prover_close(struct prover *prover);
/* Notes why the proof cannot be finished (the first reason is kept); always false. */
bool give_up(struct prover *prover, const char *why);
/* The same, and ends the search for counterexamples. */
bool stop(struct prover *prover, const char *why);
/* True when time is up; notes it. */
bool out_of_time(struct prover *prover);
/* Counts a step of symbolic execution; true when time is up or the partition has taken too many. */
bool out_of_steps(struct prover *prover);
const struct term *word_constant(struct prover *prover, uint32_t value);
const struct term *word_equals(struct prover *prover, const struct term *word, uint32_t value);
const struct term *word_below(struct prover *prover, const struct term *word, uint64_t bound);
/* first <= word <= last */
const struct term *word_within(struct prover *prover, const struct term *word, struct range range);
/* The term with words replaced: `replacements` has FIELD_COUNT entries, NULL = as it is. */
const struct term *substitute(struct prover *prover, const struct term *term,
                              const struct term *const *replacements);
/* The same; and of every choice whose condition `decide` knows (1 true, -1 false), that side only.
 */
struct choices {
    const struct term *const *replacements;
    int (*decide)(void *data, const struct term *condition);
    void *data;
    size_t looked_at; /* terms: what it took */
};
const struct term *decide_choices(struct prover *prover, const struct term *term,
                                  struct choices *choices);

/* ---- classes (class.c) ---------------------------------------------------------------------- */

/* The inputs whose arch and nr lie in two ranges; and what an execution over them wants to have
 * cut. */
struct class
{
    struct range arch, nr;
    const struct term *arch_term, *nr_term; /* constants when the range is single */
    enum field cut_field; /* FIELD_NR, FIELD_ARCH; FIELD_COUNT: no cut is wanted */
    uint32_t cut;         /* the first value of the upper part */
    bool whole;           /* nothing is decided and nothing cut */
};

struct class class_new(struct prover *prover, struct range arch, struct range nr);
const struct term *class_word(struct prover *prover, const struct class *class, enum field field);

enum decision_kind { DECIDED_NO, DECIDED_YES, DECISION_NEEDS_CUT, DECISION_OPEN };
/* What a condition is on all inputs of the class. OPEN: depends on more than nr and arch, or on
 * them in a way that cutting would not settle. NEEDS_CUT sets cut_field and cut. */
enum decision_kind class_decide(struct prover *prover, struct class *class,
                                const struct term *condition);
/* if `condition` then `yes` else `no`, decided where the class decides it; NULL: a cut is wanted,
 * or trouble. */
const struct term *class_choose(struct prover *prover, struct class *class,
                                const struct term *condition, const struct term *yes,
                                const struct term *no);

/* ---- behaviours ----------------------------------------------------------------------------- */

/* Under one range of arch: what is returned for each range of numbers. Sorted, covering 0..2^32-1.
 */
struct residue_run {
    struct range nr;
    const struct term *residue;
};

struct residue_runs {
    struct residue_run *items;
    size_t count, capacity;
};

void runs_push(struct prover *prover, struct residue_runs *runs, struct range nr,
               const struct term *residue);

/* Whether every number is covered and nothing is amiss: a proof over part of the numbers would be
 * none. */
bool runs_complete(struct prover *prover, const struct residue_runs *runs);

enum runs_outcome { RUNS_DONE, RUNS_CUT_ARCH, RUNS_TROUBLE };

/* Residues over a range on which only conditions make a difference: `make` gives the term of a
 * class, or NULL with a cut wanted. */
typedef const struct term *(*make_residue)(struct prover *prover, struct class *class,
                                           const void *data);
enum runs_outcome refine_runs(struct prover *prover, struct class *outer, struct range nr,
                              make_residue make, const void *data, struct residue_runs *runs);
/* Asks for a cut of arch until the token of each of these ABIs is a class of its own. */
bool wants_token_apart(struct class *class, abi_set abis);

struct behaviour {
    void *self;
    /* `class` comes with the full range of numbers; on RUNS_CUT_ARCH it says where to cut. */
    enum runs_outcome (*runs)(struct prover *prover, void *self, struct class *class,
                              struct residue_runs *runs);
    /* NULL in trouble. */
    const struct term *(*whole)(struct prover *prover, void *self);
};

bool side_is_big_endian(const struct side *side);
bool side_behaviour(struct prover *prover, const struct side *side,
                    struct behaviour *behaviour); /* stack.c */
struct behaviour policy_behaviour(struct prover *prover,
                                  const struct policy *policy); /* policy.c */

/* ---- symbolic execution (program.c, machine.c, residue.c, dispatch.c, join.c) --------------- */

enum { REGISTER_A = 16, REGISTER_X = 17, REGISTER_COUNT = 18 }; /* 0..15: scratch memory */

struct decoded {
    enum operation operation;
    bool operand_is_x;
    enum field field; /* OP_LOAD_FIELD */
    uint32_t k;
    uint32_t yes, no;          /* targets of jumps; JUMP: yes. Else: the next instruction */
    uint32_t live;             /* registers whose value on entry matters: bit n for register n */
    bool reads_nr, reads_arch; /* somewhere from here on */
    bool may_end; /* DIV X, which ends the program when X is 0; also a shift by X in an executor
                     that watches */
};

struct machine {
    const struct term *registers[REGISTER_COUNT]; /* NULL: unset or of no consequence */
};

struct node;

/* One program of a side, prepared. */
struct executor {
    const struct program *program;
    struct decoded *code;
    uint32_t length;
    struct node **nodes; /* residue.c: hash table by instruction and state */
    size_t node_buckets; /* a power of two */
    size_t node_count;
    uint32_t stamp;
    uint32_t ended; /* what it returns when an instruction ends it: 0 */
};

struct executor *executor_new(struct prover *prover, const struct program *program);
/* One that is watched: what it returns is `ended` where it divides by zero, and also where it
 * shifts by 32 or more. */
struct executor *executor_watching(struct prover *prover, const struct program *program,
                                   uint32_t ended);
struct machine machine_start(struct prover *prover);
/* Executes an instruction that is neither a jump nor a return. Division by X: as if X were not 0.
 */
void machine_step(struct prover *prover, const struct class *class,
                  const struct decoded *instruction, struct machine *machine);
/* The condition of a conditional jump, or of the program ending here (may_end). */
const struct term *machine_condition(struct prover *prover, const struct decoded *instruction,
                                     const struct machine *machine);

/* What the program returns from `pc` on in this state; NULL: a cut is wanted, or trouble. */
const struct term *residue_from(struct prover *prover, struct executor *executor,
                                struct class *class, uint32_t pc, const struct machine *machine);
/* The same from the start, with states joined where paths meet: never more terms than a constant
 * times the length. */
const struct term *execute_joined(struct prover *prover, struct executor *executor,
                                  const struct class *class);
/* Residues by number, under class->arch. */
enum runs_outcome dispatch_runs(struct prover *prover, struct executor *executor,
                                struct class *class, struct residue_runs *runs);

/* The behaviour of one executor. */
struct behaviour executor_behaviour(struct prover *prover, struct executor *executor); /* stack.c */

/* ---- what a C caller's registers hold (width.c) -------------------------------------------------
 */

/* Replaces the words of one argument of a call by what they hold when a C caller fills the
 * register: the bits that the kernel ignores are copies of the sign, or 0. Leaves an argument of
 * which nothing is ignored. `replacements` has FIELD_COUNT entries. */
void honest_argument(struct prover *prover, enum abi_id abi, const struct syscall_entry *entry,
                     unsigned index, const struct term **replacements);

/* ---- policies (condition.c) ----------------------------------------------------------------- */

/* if `condition` then `yes` else `no`; NULL: a cut is wanted, or trouble. */
const struct term *condition_choose(struct prover *prover, struct class *class,
                                    const struct condition *condition, const struct term *yes,
                                    const struct term *no);
const struct term *word_term(struct prover *prover, const struct class *class,
                             const struct word *word);

/* ---- questions (partition.c, pair.c, walk.c, property.c) ------------------------------------ */

/* Which returned words, left and right, are a violation. */
struct property {
    const void *data;
    bool same_is_good; /* equal words never are bad */
    bool (*is_bad)(const void *data, uint32_t left, uint32_t right);
    const struct term *(*bad_term)(struct prover *prover, const void *data, const struct term *left,
                                   const struct term *right);
    /* Runs the sides on a concrete input; whether it shows the violation. Fills words and `other`.
     */
    bool (*replay)(const void *data, struct counterexample *example, bool *implementation_defined);
};

/* One class and the two residues on it. */
struct obligation {
    struct range arch, nr;
    const struct term *left, *right;
    const struct property *property;
};

/* Decides it: folded, by walking, or by the solver; a violation that replays ends the proof as
 * REFUTED. */
void settle(struct prover *prover, const struct obligation *obligation);

enum walk_result { WALK_GOOD, WALK_WITNESS, WALK_LIMIT };
/* Walks both residues together under what the conditions so far say of each word. WITNESS: `values`
 * is an assignment on which they are bad. */
enum walk_result walk_pair(struct prover *prover, const struct obligation *obligation,
                           uint64_t values[FIELD_COUNT]);

typedef void (*on_class)(struct prover *prover, void *data, struct range arch, struct range nr,
                         const struct term *left, const struct term *right);
/* Cuts nr, and `arch`, until both sides have residues, and hands over each class. */
void partition(struct prover *prover, struct range arch, const struct behaviour *left,
               const struct behaviour *right, on_class visit, void *data);
/* The whole question: partition or one query, as the options say. */
void prove_property(struct prover *prover, const struct behaviour *left,
                    const struct behaviour *right, const struct property *property);

/* Kernel's order: 32-bit signed, unknown actions are KILL_PROCESS. */
int32_t word_rank(uint32_t word);
const struct term *rank_term(struct prover *prover, const struct term *word);
struct input input_of_values(const uint64_t values[FIELD_COUNT]);

#endif
