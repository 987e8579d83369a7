/* The left side of a comparison: which bits of which register, and as what they count. */
#ifndef LANG_ARGUMENTS_H
#define LANG_ARGUMENTS_H

#include "lang/resolve.h"

struct looked_at {
    struct operand operand;
    bool is_signed;  /* the order of its values */
    bool is_pointer; /* compared with 0 only */
    const struct expression *expression;
    const struct expression *view; /* u64(), lo32() or hi32(), when it is one */
};

/* The place of an argument by its kernel name, its manual name or arg0..arg5, in this order. The
 * kernel's place wins where the two differ, since the manual may describe a wrapper (signalfd4's
 * flags); prctl's `arg2` is its second argument for both. -1: no such argument. */
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
