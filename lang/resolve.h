/* What the resolver's files share. One resolver works on one policy; everything it makes is in the
 * arena.
 *
 * A statement is resolved once for each ABI of its scope. Mistakes are gathered as `problems`, one
 * for each place and kind, with the set of ABIs on which they were met, and reported when the
 * statement is done.
 */
#ifndef LANG_RESOLVE_H
#define LANG_RESOLVE_H

#include "lang/tree.h"

/* Wide enough that no operator on two 64-bit values, signed or not, can overflow. */
__extension__ typedef __int128 exact;
#define EXACT_LEAST (-((exact)1 << 63))
#define EXACT_MOST (((exact)1 << 64) - 1)

static inline uint64_t ones(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* Groups may hold groups this deep. */
#define GROUP_DEPTH_MOST 32u
/* Consts may refer to consts this deep. */
#define CONST_DEPTH_MOST 64u
/* Different mistakes that one statement is searched for: they are looked up one by one. */
#define PROBLEMS_MOST 400u
/* Warnings about names, of which a generated list may have any number. */
#define NAME_WARNINGS_MOST 500u
/* Members that all lists and groups of a policy may come to, over all ABIs, once written out. */
#define MEMBERS_MOST 1000000u

/* ---- definitions (definitions.c)
 * --------------------------------------------------------------------------------- */

enum evaluation { EVALUATION_NONE, EVALUATION_RUNNING, EVALUATION_DONE, EVALUATION_FAILED };

struct definition {
    const struct statement *statement;
    enum evaluation state;                      /* of a group's check for cycles */
    unsigned height;                            /* of a group: nesting below it */
    enum evaluation evaluations[ABI_COUNT + 1]; /* of a const, by ABI; the last: without one */
    exact values[ABI_COUNT + 1];
    struct definition *next;  /* in its bucket */
    struct definition *later; /* in the order of the text */
};

struct definitions {
    struct definition **buckets;
    size_t bucket_count, count;
    struct definition *first, *last;
};

void definitions_add(struct arena *arena, struct definitions *definitions,
                     const struct statement *statement);
struct definition *definitions_find(const struct definitions *definitions, const char *name);
const char *definitions_nearest(const struct definitions *definitions, const char *name);

/* ---- the resolver
 * ------------------------------------------------------------------------------------------------
 */

struct problem_note {
    struct span span;
    const char *text;
};

struct problem {
    enum severity severity;
    struct span span;
    const char *format; /* with the place: its identity */
    const char *message;
    abi_set abis;
    VECTOR(struct problem_note) notes;
};

/* A member of a rule that denies a call, or permits it under a condition: see multiplexer.c. */
struct restriction {
    const struct item *item; /* the first of its name */
    abi_set abis;
};

struct resolver {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct tree *tree;
    abi_set declared; /* by the file */
    abi_set abis;     /* of them, those that are kept */
    bool big_endian;
    bool assertions; /* a file of `prove` statements only */
    bool broken;     /* there were syntax errors */
    unsigned lost;   /* what may have stood in them: enum lost */
    struct definitions consts, groups;

    abi_set scope; /* of the statement at hand */
    VECTOR(struct problem) problems;
    bool problems_dropped; /* there were errors past PROBLEMS_MOST */
    unsigned const_depth;
    size_t members;
    bool members_reported;

    VECTOR(struct clause) clauses[ABI_COUNT];
    VECTOR(struct raw_rule) raw_rules;
    VECTOR(struct rule_info) rules;
    VECTOR(struct goal) goals;
    VECTOR(struct restriction) restrictions;
    struct policy *policy;
};

/* ---- problems (problems.c)
 * ------------------------------------------------------------------------------------------ */

/* Records a mistake met on `abi` (ABI_NONE: on every one). Returns the problem when it is new, to
 * be given notes. */
struct problem *problem(struct resolver *resolver, enum severity severity, struct span span,
                        enum abi_id abi, const char *format, ...) PRINTF_LIKE(5, 6);
#define problem_error(resolver, span, abi, ...)                                                    \
    problem((resolver), SEVERITY_ERROR, (span), (abi), __VA_ARGS__)
#define problem_warning(resolver, span, abi, ...)                                                  \
    problem((resolver), SEVERITY_WARNING, (span), (abi), __VA_ARGS__)
/* NULL is allowed: nothing is noted. */
void problem_note(struct resolver *resolver, struct problem *problem, struct span span,
                  const char *format, ...) PRINTF_LIKE(4, 5);
/* Reports what was noted, but errors only where they concern one of the `strict` ABIs; forgets
 * the rest. */
void problems_report(struct resolver *resolver, abi_set strict);
void problems_flush(struct resolver *resolver);
/* "i386", "i386 and arm", "i386, arm and 3 more" */
const char *abi_names(struct arena *arena, abi_set abis);
/* "`a`, `b` or `c`" */
const char *name_list(struct arena *arena, const char *const *names, size_t count,
                      const char *joiner);
/* Puts what was reported in the order of the text. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* ---- constants (constants.c)
 * ------------------------------------------------------------------------------------------ */

/* The value of a constant expression on an ABI; on ABI_NONE, names must have one value on all
 * declared ABIs. False when it has none: reported. */
bool constant_value(struct resolver *resolver, enum abi_id abi, const struct expression *expression,
                    exact *value);
void unknown_constant(struct resolver *resolver, enum abi_id abi, const struct expression *use);
/* Is it a const of the policy, or a kernel constant anywhere? */
bool constant_exists(const struct resolver *resolver, const char *name);
/* The definition of a const that is a list, when the expression is its bare name. */
const struct statement *constant_list(const struct resolver *resolver,
                                      const struct expression *expression);
/* Takes `count` from what lists may come to; false past the limit: reported once. */
bool members_take(struct resolver *resolver, struct span span, size_t count);
void check_consts(struct resolver *resolver);
const char *exact_text(struct arena *arena, exact value);
/* What an operator makes of two constants; false, reported, where the result is no 64-bit value. */
bool constant_binary(struct resolver *resolver, enum abi_id abi, struct span span,
                     enum operator operator, exact left, exact right, exact *value);

/* ---- conditions (conditions.c, intervals.c)
 * ---------------------------------------------------------------------------- */

/* Where a condition stands. */
struct place_of_condition {
    struct resolver *resolver;
    enum abi_id abi;
    const struct syscall_entry *entry; /* NULL: arguments are raw words */
    const char *call;                  /* as it is written, for messages */
    const struct expression *whole;    /* the rule's condition */
};

const struct condition *condition_true(struct resolver *resolver);
const struct condition *condition_constant(struct resolver *resolver, bool value, struct span span);
const struct condition *condition_not(struct resolver *resolver, const struct condition *operand,
                                      struct span span);
const struct condition *condition_pair(struct resolver *resolver, enum condition_kind kind,
                                       const struct condition *left, const struct condition *right);
/* A balanced tree of && or || over `count` members. */
const struct condition *condition_balanced(struct resolver *resolver, enum condition_kind kind,
                                           const struct condition **members, size_t count);
/* NULL when it is wrong: reported. */
const struct condition *resolve_condition(const struct place_of_condition *place,
                                          const struct expression *expression);

typedef VECTOR(struct interval) interval_list;
void intervals_add(struct resolver *resolver, interval_list *list, uint64_t first, uint64_t last);
/* Sorts, joins and, when asked, complements; the MEMBER over them, or TRUE or FALSE. */
const struct condition *condition_member(struct resolver *resolver, const struct operand *operand,
                                         interval_list *list, bool complement, struct span span);

/* ---- raw layer (raw.c)
 * ---------------------------------------------------------------------------------------------------
 */

const struct condition *resolve_raw_condition(struct resolver *resolver,
                                              const struct expression *expression);
const struct word *resolve_raw_word(struct resolver *resolver, const struct expression *expression);
const struct word *word_of_value(struct resolver *resolver, uint32_t value);

/* ---- targets (targets.c)
 * ---------------------------------------------------------------------------------------------------
 */

/* A member of a target written out: a call or numbers, with the conditions of what it stood in. */
struct condition_link {
    const struct expression *expression;
    const struct condition_link *outer;
};
struct member {
    const struct item *item;
    const struct condition_link *conditions;
};
typedef VECTOR(struct member) member_list;

void check_groups(struct resolver *resolver);
/* Reports names in a statement's target that no ABI has, and those that none of `scope` has. */
void check_target(struct resolver *resolver, const struct item *item, abi_set scope);
void expand_target(struct resolver *resolver, const struct item *item, member_list *members);
/* One member on one ABI. */
struct target_range {
    uint32_t first, last;
    const struct condition *when;
};
typedef VECTOR(struct target_range) range_list;
/* Adds what a member comes to on an ABI; `natural` has numbers go by the ABI's own part of its
 * token's numbers, not by what is declared. False when it is wrong: reported. */
bool resolve_member(struct resolver *resolver, const struct member *member, enum abi_id abi,
                    bool natural, range_list *ranges);

/* ---- actions (actions.c)
 * ----------------------------------------------------------------------------------------------------
 */

/* ABI_NONE: errno names have their generic values. */
bool resolve_action(struct resolver *resolver, const struct action_word *action, enum abi_id abi,
                    uint32_t *word);
bool resolve_goal_action(struct resolver *resolver, const struct action_word *action,
                         enum abi_id abi, struct goal_action *goal);

/* ---- statements
 * ----------------------------------------------------------------------------------------------------------------
 */

void resolve_goal(struct resolver *resolver, const struct statement *statement,
                  const struct statement *on);
/* The ABIs that an `on` names; unknown names are left out (reported by check_abis). */
abi_set abis_of(const struct abi_word *words);
/* Reports unknown and repeated names. */
void check_abis(struct resolver *resolver, const struct abi_word *words);

#endif
