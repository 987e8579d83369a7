/* Lifting: what the files lift*.c share. */
#ifndef COMPILER_LIFT_INTERNAL_H
#define COMPILER_LIFT_INTERNAL_H

#include "compiler/dag_internal.h"

/* Where the machine keeps a word. */
enum place_of_word { PLACE_A, PLACE_X, PLACE_MEMORY, PLACE_COUNT = PLACE_MEMORY + 16 };

/* Values first..last, both included. */
struct value_range {
    uint32_t first, last;
};
#define ALL_VALUES ((struct value_range){0, 0xffffffffu})

static inline bool is_single(struct value_range range)
{
    return range.first == range.last;
}

/* A path's state is told apart by what it has found out about these words: FIELD_NR, FIELD_ARCH. */
#define KNOWN_FIELDS 2u
_Static_assert(FIELD_NR < KNOWN_FIELDS && FIELD_ARCH < KNOWN_FIELDS, "nr and arch come first");

/* The machine before instruction `pc`. One behind the last instruction stands for the end that a
 * division by 0 brings: it returns 0. */
struct lift_state {
    uint32_t pc;
    const struct word *places[PLACE_COUNT]; /* interned; NULL: nothing reads it any more */
    struct value_range known[KNOWN_FIELDS];
};

/* What is known of an interned word, by its id. */
struct word_facts {
    uint32_t uses; /* bit per field */
    uint32_t size; /* operators and operands, written out as a tree */
    bool shifts;   /* has an operator that constants need not fold */
};

/* Where a path goes: a leaf, or a junction by number. */
struct lift_target {
    const struct dag_node *leaf;
    uint32_t junction;
};

struct lift_region {
    struct value_range values;
    struct lift_target target;
};

enum junction_kind { JUNCTION_LEAF, JUNCTION_REGIONS, JUNCTION_CONDITION };

/* A state from which a path's continuation is worked out, once. */
struct junction {
    struct lift_state state;
    uint32_t next; /* the next one at the same instruction, NO_JUNCTION */
    enum junction_kind kind;
    enum field field; /* REGIONS: of (field & mask) */
    uint32_t mask;
    size_t first_region, region_count;
    const struct dag_node *condition; /* CONDITION: of 1 and 0 */
    struct lift_target yes, no;
    const struct dag_node *node; /* the answer; LEAF has it at once */
};
#define NO_JUNCTION 0xffffffffu

/* One result of an operator, by the ids of its operands. */
struct word_operation {
    enum word_operator operator;
    uint32_t left, right;
    const struct word *result;
};

struct lift {
    struct arena *arena;
    const struct program *program;
    struct dag *dag;
    const uint32_t *live;  /* by instruction: bit per place that is read from there on */
    const uint32_t *loads; /* by instruction: bit per field that is loaded from there on */
    const char *too_large; /* what there is too much of; NULL: nothing so far */
    size_t steps;

    VECTOR(struct word_facts) facts;
    VECTOR(struct word_operation) operations;
    struct index_table operation_index;
    VECTOR(struct junction) junctions;
    struct index_table junction_index;
    uint32_t *junction_at; /* by instruction: the first of a list */
    VECTOR(struct lift_region) regions;
};

/* A test that a state is about to make: `first`..`last` of (field & mask) take the `in` way. */
enum test_kind {
    TEST_DECIDED,   /* takes `in` */
    TEST_OF_VALUES, /* of (field & mask) */
    TEST_OF_WORDS,  /* a comparison that takes `in` when it holds */
};

/* A way out of a test; one behind the last instruction: the program returns 0. */
struct lift_test {
    enum test_kind kind;
    enum field field;
    uint32_t mask;
    struct value_range values;
    enum comparison comparison;
    const struct word *a, *b;
    uint32_t in, out; /* instructions */
};

/* ---- facts about the program (lift_facts.c) ------------------------------------------------- */

void lift_facts(struct lift *lift);

/* ---- words (lift_word.c) -------------------------------------------------------------------- */

/* Stands for every word that is too large to be written out in a program. */
extern const struct dag_word lift_large_word;
#define LARGE_WORD (&lift_large_word.word)

const struct word *lift_constant(struct lift *lift, uint32_t value);
const struct word *lift_field(struct lift *lift, enum field field);
/* Operands interned or LARGE_WORD; `right` NULL for a negation. */
const struct word *lift_operation(struct lift *lift, enum word_operator operator,
                                  const struct word * left, const struct word *right);
/* The word where `field` has the value. */
const struct word *lift_substitute(struct lift *lift, const struct word *word, enum field field,
                                   uint32_t value);
const struct word_facts *lift_word_facts(struct lift *lift, const struct word *word);

/* ---- the machine, one step at a time (lift_step.c) ------------------------------------------ */

/* An instruction that neither jumps conditionally nor returns; not a division that may end the
 * program. */
void lift_step(struct lift *lift, struct lift_state *state);
/* Whether the instruction decides where to go: a conditional jump, or a division by X. */
bool lift_is_test(const struct sock_filter *instruction);
/* The test that `state` is at. */
void lift_next_test(struct lift *lift, const struct lift_state *state, struct lift_test *test);
/* Goes one way. */
void lift_take(struct lift *lift, struct lift_state *state, uint32_t to);

/* ---- paths (lift_walk.c) -------------------------------------------------------------------- */

void lift_fail(struct lift *lift, const char *what);
bool lift_failed(const struct lift *lift);
/* The junction with this state, made if there is none. */
uint32_t lift_junction(struct lift *lift, struct lift_state state);
/* Finds out where the junction goes. */
void lift_explore(struct lift *lift, uint32_t junction);

#endif
