/* What the files raise_*.c share: a condition as a formula over sets of values, between the DAG and
 * the syntax tree. */
#ifndef COMPILER_RAISE_INTERNAL_H
#define COMPILER_RAISE_INTERNAL_H

#include "lang/lang.h"

/* No more of compiler.h than these: its items are not those of lang/tree.h. */
struct dag;
struct dag_node;

#define RAISE_NO 0u
#define RAISE_YES 1u
#define RAISE_ANY 2u

/* ---- sets of values (raise_set.c) ------------------------------------------------------------ */

/* Closed intervals: sorted, disjoint, not adjacent. */
struct set {
    struct interval *items;
    size_t count;
};

struct set set_of(struct arena *arena, uint64_t first, uint64_t last);
/* Intervals in rising order may be added at the end; neighbours become one. */
void set_append(struct arena *arena, struct set *set, uint64_t first, uint64_t last);
struct set set_union(struct arena *arena, const struct set *a, const struct set *b);
struct set set_common(struct arena *arena, const struct set *a, const struct set *b);
/* Of 0..most. */
struct set set_complement(struct arena *arena, const struct set *set, uint64_t most);
bool set_equal(const struct set *a, const struct set *b);
bool set_holds(const struct set *set, uint64_t first, uint64_t last);
/* The same values in another numbering: each is xored with `flip`, a power of two that halves the
 * range: so that signed ones are in order. */
struct set set_flip(struct arena *arena, const struct set *set, uint64_t flip, uint64_t most);

/* ---- formulas (raise_formula.c) -------------------------------------------------------------- */

enum view { VIEW_LOW, VIEW_HIGH, VIEW_WHOLE };

/* Where an atom looks: arguments 0 to 5, then what only the raw layer can test. */
enum {
    PLACE_IP = 6,
    PLACE_NR,
    PLACE_ARCH,
    PLACE_COMPARISON /* and up: by variable; 1: it holds */
};

/* A register's part, masked, in a set that holds `wanted` and nothing but `allowed`: what lies
 * between is whatever is shorter to say. Of a masked part a value's interval goes on up to the next
 * value within the mask, as the edges of a DAG's switch do. */
struct atom {
    unsigned place;
    enum view view;
    uint64_t mask; /* of the part */
    struct set wanted, allowed;
    const char *comparison; /* PLACE_COMPARISON: its text when it holds, and when not */
    const char *negation;
};

enum formula_kind { FORMULA_NEVER, FORMULA_ALWAYS, FORMULA_ATOM, FORMULA_AND, FORMULA_OR };

struct formula {
    enum formula_kind kind;
    struct atom atom;
    const struct formula *const *parts; /* AND, OR: two at least */
    size_t count;
    size_t size; /* of atoms below */
};

/* No formula is larger. */
#define FORMULA_MOST 600u

uint64_t view_most(enum view view);
const struct formula *formula_constant(struct arena *arena, bool value);
const struct formula *formula_atom(struct arena *arena, const struct atom *atom);
/* Flattens, joins what is about one register, takes out common factors. `kind`: AND or OR. */
const struct formula *formula_chain(struct arena *arena, enum formula_kind kind,
                                    const struct formula *const *parts, size_t count);
const struct formula *formula_pair(struct arena *arena, enum formula_kind kind,
                                   const struct formula *a, const struct formula *b);
bool formula_equal(const struct formula *a, const struct formula *b);

/* ---- DAGs of the words RAISE_NO, RAISE_YES and RAISE_ANY (raise_care.c) -----------------------
 */

/* One condition at work. */
struct context;
struct raising {
    struct arena *arena;
    struct dag *dag;
    enum abi_id abi;
    const struct syscall_entry *entry; /* NULL: not in the table */
    bool registers;                    /* u64(), lo32() and hi32() only */
    bool numbered;                     /* and these of arg0 to arg5 */
    bool raw;                    /* for the raw layer, which has no types but can test everything */
    const struct context *known; /* what holds wherever the condition is asked */
    size_t steps;                /* that raise_care may still take */
    size_t *pool;                /* and that all conditions together may; NULL: any number */
    const char *reason;
    VECTOR(const struct formula *) formulas; /* by node id */
};

/* A DAG that agrees with both wherever they are not RAISE_ANY; NULL when there is none (or when it
 * would be too much work to find). */
const struct dag_node *care_merge(struct raising *raising, const struct dag_node *a,
                                  const struct dag_node *b);
/* What is left of `node`, a switch on some bits of `field`, where the field is in first..last. */
const struct dag_node *care_narrow(const struct dag_node *node, enum field field, uint32_t first,
                                   uint32_t last);
/* The same, without a test of a whole field where tests of its bits behind it say all that it does.
 */
const struct dag_node *care_reduce(const struct dag_node *node);
/* `node` with RAISE_ANY where `given` is `word`. */
const struct dag_node *care_except(struct raising *raising, const struct dag_node *node,
                                   const struct dag_node *given, uint32_t word);
/* Wherever a is YES, b is. `open`: wherever a may be YES, b may be; for what is open in a formula
 * comes out either way. */
bool care_implies(struct raising *raising, const struct dag_node *a, const struct dag_node *b,
                  bool open);

/* ---- from DAG to formula (raise_build.c) ------------------------------------------------------
 */

struct raising raising_new(struct arena *arena, struct dag *dag, enum abi_id abi, uint32_t nr,
                           bool registers);
struct raising raising_raw(struct arena *arena, struct dag *dag);
/* NULL with raising->reason. `node` is of raising->dag. */
const struct formula *raise_build(struct raising *raising, const struct dag_node *node);

/* Atoms that hold where an atom stands. */
struct context {
    const struct atom *atom;
    const struct context *outer;
};

/* ---- from formula to text (raise_express.c, raise_atom.c) --------------------------------------
 */

const char *formula_text(struct raising *raising, const struct formula *formula);
/* Are all arguments seen as registers only? */
bool formula_is_views(struct raising *raising, const struct formula *formula);
/* Bits: the arguments that it looks at. */
unsigned formula_places(const struct formula *formula);
/* How hard it is to read; smaller is better. */
double formula_cost(struct raising *raising, const struct formula *formula);
/* The argument that `atom` looks at; NULL where the register is no argument with a type. */
const struct argument *atom_argument(const struct raising *raising, const struct atom *atom);
/* Does the atom say that these bits of the register are this value, and no more? */
bool atom_single(const struct atom *atom, uint64_t *mask, uint64_t *value);

#endif
