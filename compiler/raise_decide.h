/* What one call gets, as rules of which the first that holds decides: for raise_*.c. */
#ifndef COMPILER_RAISE_DECIDE_H
#define COMPILER_RAISE_DECIDE_H

#include "compiler/raise.h"

/* Different verdicts that one call may have under different conditions. */
#define OUTCOMES_MOST 24u

struct raised_rule {
    const struct dag_node *leaf;
    const char *condition; /* NULL: the rest */
    const char *numbered;  /* it by arg0 to arg5; NULL when it would lose names or types */
    unsigned places;       /* bits: arguments that it looks at */
    const char *raw;       /* why it is for the raw layer; NULL when it is not */
};

struct raised_call {
    struct raised_rule *rules; /* the last has no condition */
    size_t count;
};

/* Can the word be written as an action? */
bool leaf_has_name(const struct dag_node *leaf);
/* An action as the raw layer writes it: its errno names are the generic ones. */
const char *raw_action_text(struct arena *arena, const struct dag_node *leaf);
/* The rules for a call whose verdict `root` decides. `otherwise`: the verdict that needs no rule,
 * or NULL. `steps`: how much work may go into simplifying; what was done is taken off. NULL, or why
 * it cannot be said at all. */
const char *raise_decide(struct arena *arena, const struct dag_node *root, enum abi_id abi,
                         uint32_t nr, enum raise_way way, const struct dag_node *otherwise,
                         size_t *steps, struct raised_call *call);

#endif
