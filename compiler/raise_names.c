/* What values and masks are called: by the constants that the argument takes, on the ABI at hand.
 */
#include "compiler/raise_syntax.h"

#include "lang/arguments.h"

/* One row of names, with the values that they have here. */
struct naming {
    struct raising *raising;
    const struct argument_constants *row;
    uint64_t all;   /* bits of the operand */
    uint64_t field; /* FIELD: its mask; FLAGS: 0; VALUES: all */
};

static bool constant_bits(const struct naming *naming, const char *name, uint64_t *value)
{
    int64_t exact_value;
    if (!abi_constant(naming->raising->abi, name, &exact_value))
        return false;
    *value = (uint64_t)exact_value & naming->all;
    /* a value that the operand cannot have, cut off, would be another one */
    return exact_value < 0 || (uint64_t)exact_value == *value;
}

/* ---- which rows count
 * ---------------------------------------------------------------------------- */

static bool context_says(const struct raising *raising, const struct context *context,
                         const char *parameter, const char *constant)
{
    int place = argument_index(raising->entry, parameter);
    int64_t wanted;
    if (place < 0 || !abi_constant(raising->abi, constant, &wanted))
        return false;
    for (; context; context = context->outer) {
        uint64_t mask, value;
        if (context->atom->place == (unsigned)place && atom_single(context->atom, &mask, &value) &&
            (mask & UINT32_MAX) == UINT32_MAX && value == ((uint64_t)wanted & mask))
            return true;
    }
    return false;
}

static uint64_t field_mask(const struct naming *naming)
{
    uint64_t mask = 0;
    if (naming->row->kind == CONSTANTS_VALUES)
        return naming->all;
    if (naming->row->kind == CONSTANTS_FLAGS)
        return 0;
    if (!constant_bits(naming, naming->row->field, &mask))
        mask = strtoull(naming->row->field, NULL, 0);
    return mask;
}

/* The next row that speaks of what `atom` looks at. */
static bool next_naming(struct raising *raising, const struct atom *atom,
                        const struct looked *looked, const struct context *context, size_t *next,
                        struct naming *naming)
{
    if (!looked->argument || atom->view == VIEW_HIGH)
        return false;
    for (;;) {
        const struct argument_constants *row =
            abi_argument_constants(raising->entry->name, looked->argument, next);
        if (!row)
            return false;
        if (row->when && !context_says(raising, context, row->when, row->equals))
            continue;
        *naming = (struct naming){.raising = raising, .row = row, .all = ones(looked->bits)};
        naming->field = field_mask(naming);
        return true;
    }
}

/* ---- names for bits
 * -------------------------------------------------------------------------------- */

static struct expression *add_name(struct raising *raising, struct expression *sum,
                                   const char *name)
{
    struct expression *one = tree_name(raising->arena, name);
    if (!sum)
        return one;
    if (sum->kind != EXPRESSION_CHAIN)
        sum = tree_chain(raising->arena, NULL, LEVEL_OR, OPERATOR_NONE, sum);
    return tree_chain(raising->arena, sum, LEVEL_OR, OPERATOR_OR, one);
}

/* The first name with just this value. */
static const char *exact_name(const struct naming *naming, uint64_t value)
{
    for (size_t i = 0; i < naming->row->count; i++) {
        uint64_t bits;
        if (constant_bits(naming, naming->row->names[i], &bits) && bits == value)
            return naming->row->names[i];
    }
    return NULL;
}

/* The flag within `left` that has most bits. */
static const char *largest_flag(const struct naming *naming, uint64_t left, uint64_t *flag)
{
    const char *best = NULL;
    *flag = 0;
    for (size_t i = 0; i < naming->row->count; i++) {
        uint64_t bits;
        if (!constant_bits(naming, naming->row->names[i], &bits) || !bits || (bits & ~left) ||
            (bits & naming->field))
            continue;
        if (__builtin_popcountll(bits) > __builtin_popcountll(*flag)) {
            best = naming->row->names[i];
            *flag = bits;
        }
    }
    return best;
}

/* The flags of `value`, largest first, added to `sum`; NULL when a bit has no name. */
static struct expression *sum_of_flags(const struct naming *naming, struct expression *sum,
                                       uint64_t value)
{
    while (value) {
        uint64_t flag;
        const char *name = largest_flag(naming, value, &flag);
        if (!name)
            return NULL;
        sum = add_name(naming->raising, sum, name);
        value &= ~flag;
    }
    return sum;
}

/* The part of a value that the field holds. `seen`: the bits that are looked at. */
static bool name_field(const struct naming *naming, uint64_t value, uint64_t seen,
                       struct expression **sum)
{
    uint64_t field = naming->field;
    *sum = NULL;
    if (!field || (seen & field) != field)
        return !(value & field);
    const char *name = exact_name(naming, value & field);
    if (name)
        *sum = tree_name(naming->raising->arena, name);
    return name || !(value & field);
}

/* 0 has a name where all that is looked at is the field, or a few flags beside it: under a mask of
 * all but some flags it says that there are no others. */
static bool zero_is_named(const struct naming *naming, uint64_t seen)
{
    if ((seen & naming->all) == naming->all)
        return true;
    return naming->field && (seen & naming->field) == naming->field &&
           (__builtin_popcountll(seen & ~naming->field) <= 4 || exact_name(naming, seen));
}

static struct expression *value_names(const struct naming *naming, uint64_t value, uint64_t seen)
{
    struct expression *sum;
    bool flags_only = naming->row->kind == CONSTANTS_FIELD && value && !(value & naming->field);
    const char *name = value || zero_is_named(naming, seen) ? exact_name(naming, value) : NULL;
    if (name && !flags_only)
        return tree_name(naming->raising->arena, name);
    if (naming->row->kind == CONSTANTS_VALUES || !value || !name_field(naming, value, seen, &sum))
        return NULL;
    return sum_of_flags(naming, sum, value & ~naming->field);
}

static struct expression *add_number(struct raising *raising, struct expression *sum,
                                     uint64_t value)
{
    return add_name(raising, sum,
                    arena_printf(raising->arena, "0x%llx", (unsigned long long)value));
}

/* Adds the names of a field's bits, of which a mask has some only; gives those without a name. */
static uint64_t name_single_bits(const struct naming *naming, struct expression **sum,
                                 uint64_t mask)
{
    uint64_t nameless = 0;
    for (uint64_t rest = mask; rest; rest &= rest - 1) {
        const char *name = exact_name(naming, rest & -rest);
        if (name)
            *sum = add_name(naming->raising, *sum, name);
        else
            nameless |= rest & -rest;
    }
    return nameless;
}

/* The flags of a mask, and one number for bits that have no name, when most of it has. */
static struct expression *mask_flags(const struct naming *naming, struct expression *sum,
                                     uint64_t mask)
{
    uint64_t nameless = name_single_bits(naming, &sum, mask & naming->field);
    uint64_t left = mask & ~naming->field, flag;
    for (const char *name; (name = largest_flag(naming, left, &flag)); left &= ~flag)
        sum = add_name(naming->raising, sum, name);
    nameless |= left;
    if (nameless && __builtin_popcountll(nameless) * 3 > __builtin_popcountll(mask))
        return NULL;
    return sum && nameless ? add_number(naming->raising, sum, nameless) : sum;
}

static struct expression *mask_names(const struct naming *naming, uint64_t mask)
{
    struct expression *sum = NULL;
    if (naming->row->kind == CONSTANTS_VALUES)
        return NULL;
    const char *name = exact_name(naming, mask);
    if (name)
        return tree_name(naming->raising->arena, name);
    uint64_t field = mask & naming->field;
    if (field && field == naming->field) {
        name = exact_name(naming, field);
        sum = name ? tree_name(naming->raising->arena, name)
                   : add_number(naming->raising, NULL, field);
        mask &= ~field;
    }
    return mask ? mask_flags(naming, sum, mask) : sum;
}

/* ---- numbers
 * --------------------------------------------------------------------------------------- */

static bool is_mode(const struct argument *argument)
{
    return argument && argument->type && !strcmp(argument->type, "umode_t");
}

static struct expression *number(struct raising *raising, const struct atom *atom,
                                 const struct looked *looked, uint64_t value, bool bits)
{
    struct arena *arena = raising->arena;
    uint32_t token = (uint32_t)value;
    abi_set abis = abi_with_token(token, false) | abi_with_token(token, true);
    if (atom->place == PLACE_ARCH && abis)
        return tree_name(arena, abi_get((enum abi_id)__builtin_ctz(abis))->token_name);
    if (is_mode(looked->argument) && value)
        return tree_text(arena, value, arena_printf(arena, "0o%llo", (unsigned long long)value));
    if ((bits || (looked->argument && looked->argument->is_pointer)) && value > 9)
        return tree_text(arena, value, arena_printf(arena, "0x%llx", (unsigned long long)value));
    return tree_number(arena, value);
}

static struct expression *signed_number(struct raising *raising, const struct atom *atom,
                                        const struct looked *looked, uint64_t value)
{
    uint64_t half = (uint64_t)1 << (looked->bits - 1);
    if (looked->is_signed && value < 1000000) /* a pid, a descriptor */
        return tree_text(raising->arena, value,
                         arena_printf(raising->arena, "%llu", (unsigned long long)value));
    if (!looked->is_signed || value < half)
        return number(raising, atom, looked, value, looked->mask != ones(looked->bits));
    return tree_unary(raising->arena, OPERATOR_NEGATE,
                      tree_number(raising->arena, (ones(looked->bits) - value) + 1));
}

bool takes_flags(struct raising *raising, const struct atom *atom, const struct looked *looked,
                 const struct context *context)
{
    struct naming naming;
    for (size_t next = 0; next_naming(raising, atom, looked, context, &next, &naming);)
        if (naming.row->kind == CONSTANTS_FLAGS)
            return true;
    return false;
}

bool value_has_name(struct raising *raising, const struct atom *atom, const struct looked *looked,
                    uint64_t value, const struct context *context)
{
    struct naming naming;
    for (size_t next = 0; next_naming(raising, atom, looked, context, &next, &naming);)
        if (value_names(&naming, value, looked->mask))
            return true;
    return false;
}

struct expression *name_value(struct raising *raising, const struct atom *atom,
                              const struct looked *looked, uint64_t value,
                              const struct context *context)
{
    struct naming naming;
    bool flags = false;
    for (size_t next = 0; next_naming(raising, atom, looked, context, &next, &naming);) {
        struct expression *names = value_names(&naming, value, looked->mask);
        if (names)
            return names;
        flags |= naming.row->kind != CONSTANTS_VALUES || value > UINT16_MAX;
    }
    return flags && !looked->is_signed ? number(raising, atom, looked, value, true)
                                       : signed_number(raising, atom, looked, value);
}

static struct expression *complement(struct raising *raising, struct expression *names)
{
    return tree_unary(raising->arena, OPERATOR_COMPLEMENT, tree_parenthesized(names));
}

struct expression *name_mask(struct raising *raising, const struct atom *atom,
                             const struct looked *looked, const struct context *context)
{
    struct naming naming;
    uint64_t mask = looked->mask, all = ones(looked->bits), rest = all & ~mask;
    bool may_be_turned = mask >> (looked->bits - 1); /* else ~ would not fit the argument */
    bool mostly = __builtin_popcountll(mask) * 2 > (int)looked->bits;
    for (size_t next = 0; next_naming(raising, atom, looked, context, &next, &naming);) {
        struct expression *names = mask_names(&naming, mask);
        if (names && (!mostly || names->kind == EXPRESSION_NAME))
            return tree_parenthesized(names);
        names = may_be_turned ? mask_names(&naming, rest) : NULL;
        if (names)
            return complement(raising, names);
    }
    if (mostly && may_be_turned && !raising->raw)
        return complement(raising, number(raising, atom, looked, rest, true));
    return number(raising, atom, looked, mask, true);
}
