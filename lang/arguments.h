/* The left side of a comparison: which bits of which register, and as what they count. */
#ifndef LANG_ARGUMENTS_H
#define LANG_ARGUMENTS_H

#include "lang/resolve.h"

struct looked_at {
    struct operand operand;
    bool is_signed;     /* the order of its values */
    bool is_pointer;    /* compared with 0 only */
    bool views_pointer; /* a view of a pointer's register: may be compared, with a warning */
    const struct expression *expression;
    const struct expression *view; /* u64(), lo32() or hi32(), when it is one */
};

/* The place of an argument by arg0..arg5, its kernel name or its manual name, in this order: argN
 * is always the register of that place, although prctl(2) calls register 1 `arg2`. The kernel's
 * place wins over the manual's, which may describe a wrapper. -1: no such argument. */
int argument_index(const struct syscall_entry *entry, const char *name);
/* A name that argument_index() takes back to this place, the manual's for preference; NULL when
 * there is none. */
const char *argument_name(const struct syscall_entry *entry, int index);
/* arg0..arg5 as a register's number, -1 for anything else. */
int register_index(const char *name);
/* Does an argument occur in it? On the right side of a comparison a constant's name is a constant.
 */
bool mentions_argument(const struct place_of_condition *place, const struct expression *expression,
                       bool on_left);
/* False when it cannot be compared: reported. */
bool resolve_left_side(const struct place_of_condition *place, const struct expression *expression,
                       struct looked_at *looked_at);
void unknown_argument(const struct place_of_condition *place, const struct expression *use);

#endif
