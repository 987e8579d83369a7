/* Syntax made of formulas: for the files raise_tree.c, raise_atom.c, raise_names.c and
 * raise_express.c. */
#ifndef COMPILER_RAISE_SYNTAX_H
#define COMPILER_RAISE_SYNTAX_H

#include "compiler/raise_internal.h"
#include "lang/tree.h"

/* ---- from formula to syntax (raise_atom.c, raise_names.c) -------------------- */

/* What of a register an atom looks at, as the language says it. */
struct looked {
    struct expression *operand; /* without mask */
    unsigned bits;              /* of the operand */
    uint64_t mask;
    bool is_signed;
    bool is_view;                    /* u64(), lo32() or hi32() of a typed argument */
    const struct argument *argument; /* NULL: without a type */
    struct set wanted, allowed;
    uint64_t most;
};

struct expression *express_atom(struct raising *raising, const struct atom *atom,
                                const struct context *context);
bool atom_is_view(struct raising *raising, const struct atom *atom);
bool atom_is_negated(struct raising *raising, const struct atom *atom);
double atom_cost(struct raising *raising, const struct atom *atom);
/* A value of looked->bits bits under its mask; a mask. Never NULL. `several`: it may need
 * parentheses. */
struct expression *name_value(struct raising *raising, const struct atom *atom,
                              const struct looked *looked, uint64_t value,
                              const struct context *context);
struct expression *name_mask(struct raising *raising, const struct atom *atom,
                             const struct looked *looked, const struct context *context);
/* Is the argument a sum of flags? */
bool takes_flags(struct raising *raising, const struct atom *atom, const struct looked *looked,
                 const struct context *context);
/* Is this value a name, and no number? */
bool value_has_name(struct raising *raising, const struct atom *atom, const struct looked *looked,
                    uint64_t value, const struct context *context);

/* ---- syntax (raise_tree.c) ---------------------------------------------------------------------
 */

struct expression *tree_name(struct arena *arena, const char *name);
struct expression *tree_number(struct arena *arena, uint64_t value);
struct expression *tree_text(struct arena *arena, uint64_t value, const char *text);
struct expression *tree_unary(struct arena *arena, enum operator operator,
                              struct expression * operand);
struct expression *tree_apply(struct arena *arena, const char *name, struct expression *operand);
struct expression *tree_compare(struct arena *arena, struct expression *left,
                                enum operator operator, struct expression * right);
struct expression *tree_in(struct arena *arena, struct expression *left, struct element *elements);
struct element *tree_element(struct arena *arena, struct expression *first,
                             struct expression *last);
/* Adds an operand to a chain, which NULL begins. */
struct expression *tree_chain(struct arena *arena, struct expression *chain, enum level level,
                              enum operator operator, struct expression * operand);
/* In parentheses, where an operator between two operands is the outermost. */
struct expression *tree_parenthesized(struct expression *expression);

#endif
