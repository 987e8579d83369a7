/* Formulas over atoms, kept short: what is about one register's part becomes one atom, tests of
 * several bits one test, and a factor that parts share stands once. */
#include "compiler/raise_internal.h"

/* Chains longer than this are left as they are: comparing all pairs would take too long. */
#define FACTORED_MOST 64u

uint64_t view_most(enum view view)
{
    return view == VIEW_WHOLE ? UINT64_MAX : UINT32_MAX;
}

const struct formula *formula_constant(struct arena *arena, bool value)
{
    struct formula *formula = NEW(arena, struct formula);
    formula->kind = value ? FORMULA_ALWAYS : FORMULA_NEVER;
    return formula;
}

const struct formula *formula_atom(struct arena *arena, const struct atom *atom)
{
    if (!atom->wanted.count)
        return formula_constant(arena, false);
    if (set_holds(&atom->allowed, 0, view_most(atom->view)))
        return formula_constant(arena, true);
    struct formula *formula = NEW(arena, struct formula);
    formula->kind = FORMULA_ATOM;
    formula->atom = *atom;
    formula->size = 1;
    return formula;
}

static bool same_part(const struct atom *a, const struct atom *b)
{
    return a->place == b->place && a->view == b->view && a->mask == b->mask;
}

bool formula_equal(const struct formula *a, const struct formula *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->count != b->count || a->size != b->size)
        return false;
    if (a->kind == FORMULA_ATOM)
        return same_part(&a->atom, &b->atom) && set_equal(&a->atom.wanted, &b->atom.wanted) &&
               set_equal(&a->atom.allowed, &b->atom.allowed);
    for (size_t i = 0; i < a->count; i++)
        if (!formula_equal(a->parts[i], b->parts[i]))
            return false;
    return true;
}

/* ---- several tests of bits as one -------------------------------------------------------------
 */

/* The values from `value` up to the next one within the mask. */
static uint64_t last_of(uint64_t value, uint64_t mask, uint64_t most)
{
    return ((((value | ~mask) + 1) & mask) - 1) & most;
}

static bool set_is_single(const struct set *set, uint64_t mask, uint64_t most)
{
    return set->count == 1 && set->items[0].last <= last_of(set->items[0].first, mask, most);
}

/* The set as "these bits of the register are these". */
static bool bits_single(const struct atom *atom, const struct set *set, uint64_t *mask,
                        uint64_t *value)
{
    unsigned shift = atom->view == VIEW_HIGH ? 32 : 0;
    if (set->count != 1)
        return false;
    *mask = atom->mask << shift;
    *value = set->items[0].first << shift;
    if (set_is_single(set, atom->mask, view_most(atom->view)))
        return true;
    *mask = (uint64_t)UINT32_MAX << 32; /* the low half is any */
    return atom->view == VIEW_WHOLE && atom->mask == UINT64_MAX && !(*value & UINT32_MAX) &&
           set->items[0].last == (*value | UINT32_MAX);
}

bool atom_single(const struct atom *atom, uint64_t *mask, uint64_t *value)
{
    return bits_single(atom, &atom->wanted, mask, value);
}

/* A mask over both halves reads well only when it leaves few bits out. */
static bool worth_joining(uint64_t a, uint64_t b)
{
    uint64_t mask = a | b;
    bool across = (mask >> 32) && (uint32_t)mask && ((a >> 32 == 0) != (b >> 32 == 0));
    return !across || __builtin_popcountll(mask & UINT32_MAX) > 16;
}

/* Of two atoms that hold only where some bits have some value (negated: do not), the one that says
 * both. */
static bool join_bits(struct arena *arena, const struct atom *a, const struct atom *b, bool negated,
                      struct atom *joined)
{
    uint64_t masks[2], values[2];
    const struct atom *atoms[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        struct set set = atoms[i]->wanted;
        if (negated)
            set = set_complement(arena, &atoms[i]->allowed, view_most(atoms[i]->view));
        if (!bits_single(atoms[i], &set, &masks[i], &values[i]))
            return false;
    }
    if (a->place != b->place || ((values[0] ^ values[1]) & masks[0] & masks[1]) ||
        !worth_joining(masks[0], masks[1]))
        return false;
    uint64_t mask = masks[0] | masks[1], value = values[0] | values[1];
    *joined = (struct atom){.place = a->place, .view = VIEW_WHOLE, .mask = mask};
    if (!(mask >> 32))
        joined->view = VIEW_LOW;
    else if (!(uint32_t)mask) {
        joined->view = VIEW_HIGH;
        joined->mask >>= 32;
        value >>= 32;
    }
    uint64_t most = view_most(joined->view);
    joined->wanted = set_of(arena, value, last_of(value, joined->mask, most));
    if (negated)
        joined->wanted = set_complement(arena, &joined->wanted, most);
    joined->allowed = joined->wanted;
    return true;
}

/* Two parts of a chain as one, when that is shorter. NULL when not. */
static const struct formula *join(struct arena *arena, enum formula_kind kind,
                                  const struct formula *a, const struct formula *b)
{
    struct atom joined = a->atom;
    if (formula_equal(a, b))
        return a;
    if (a->kind != FORMULA_ATOM || b->kind != FORMULA_ATOM)
        return NULL;
    if (same_part(&a->atom, &b->atom)) {
        bool both = kind == FORMULA_AND;
        joined.wanted = both ? set_common(arena, &a->atom.wanted, &b->atom.wanted)
                             : set_union(arena, &a->atom.wanted, &b->atom.wanted);
        joined.allowed = both ? set_common(arena, &a->atom.allowed, &b->atom.allowed)
                              : set_union(arena, &a->atom.allowed, &b->atom.allowed);
    } else if (!join_bits(arena, &a->atom, &b->atom, kind == FORMULA_OR, &joined)) {
        return NULL;
    }
    return formula_atom(arena, &joined);
}

/* ---- chains ------------------------------------------------------------------------------------
 */

typedef VECTOR(const struct formula *) part_list;

static enum formula_kind absorbing(enum formula_kind kind)
{
    return kind == FORMULA_AND ? FORMULA_NEVER : FORMULA_ALWAYS;
}

static enum formula_kind neutral(enum formula_kind kind)
{
    return kind == FORMULA_AND ? FORMULA_ALWAYS : FORMULA_NEVER;
}

/* Adds one part, joined with those that are there. False: the whole is settled. */
static bool add_part(struct arena *arena, enum formula_kind kind, part_list *list,
                     const struct formula *part)
{
    for (bool again = true; again && list->count <= FACTORED_MOST;) {
        again = false;
        for (size_t i = 0; i < list->count && !again; i++) {
            const struct formula *one = join(arena, kind, list->items[i], part);
            if (!one)
                continue;
            list->items[i] = list->items[--list->count];
            part = one;
            again = part->kind == FORMULA_ATOM;
            if (!again)
                break;
        }
        if (part->kind == absorbing(kind))
            return false;
        if (part->kind == neutral(kind))
            return true;
    }
    vector_push(arena, list, part);
    return true;
}

static bool flatten(struct arena *arena, enum formula_kind kind, const struct formula *const *parts,
                    size_t count, part_list *list)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i]->kind == absorbing(kind))
            return false;
        if (parts[i]->kind == neutral(kind))
            continue;
        bool inner = parts[i]->kind == kind;
        if (inner ? !flatten(arena, kind, parts[i]->parts, parts[i]->count, list)
                  : !add_part(arena, kind, list, parts[i]))
            return false;
    }
    return true;
}

static const struct formula *make_chain(struct arena *arena, enum formula_kind kind,
                                        const part_list *list)
{
    if (!list->count)
        return formula_constant(arena, kind == FORMULA_AND);
    if (list->count == 1)
        return list->items[0];
    struct formula *chain = NEW(arena, struct formula);
    chain->kind = kind;
    chain->parts = list->items;
    chain->count = list->count;
    for (size_t i = 0; i < list->count; i++)
        chain->size += list->items[i]->size;
    if (chain->size > FORMULA_MOST)
        chain->size = FORMULA_MOST + 1;
    return chain;
}

/* ---- common factors ----------------------------------------------------------------------------
 */

static bool has_factor(const struct formula *part, enum formula_kind inner,
                       const struct formula *factor)
{
    if (part->kind != inner)
        return formula_equal(part, factor);
    for (size_t i = 0; i < part->count; i++)
        if (formula_equal(part->parts[i], factor))
            return true;
    return false;
}

static size_t parts_with(const part_list *list, enum formula_kind inner,
                         const struct formula *factor)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += has_factor(list->items[i], inner, factor);
    return count;
}

/* The factor that most parts share, two at least. */
static const struct formula *best_factor(const part_list *list, enum formula_kind inner)
{
    const struct formula *best = NULL;
    size_t most = 1;
    for (size_t i = 0; i < list->count; i++) {
        const struct formula *part = list->items[i];
        size_t count = part->kind == inner ? part->count : 1;
        for (size_t j = 0; j < count; j++) {
            const struct formula *factor = part->kind == inner ? part->parts[j] : part;
            size_t with = parts_with(list, inner, factor);
            if (with > most) {
                most = with;
                best = factor;
            }
        }
    }
    return best;
}

static const struct formula *without_factor(struct arena *arena, const struct formula *part,
                                            enum formula_kind inner, const struct formula *factor)
{
    part_list rest = {0};
    for (size_t i = 0; part->kind == inner && i < part->count; i++)
        if (!formula_equal(part->parts[i], factor))
            vector_push(arena, &rest, part->parts[i]);
    return make_chain(arena, inner, &rest);
}

/* A && B || A && C || D: A && (B || C) || D. */
static const struct formula *take_out(struct arena *arena, enum formula_kind kind,
                                      enum formula_kind inner, const part_list *list,
                                      const struct formula *factor)
{
    part_list with = {0}, kept = {0};
    for (size_t i = 0; i < list->count; i++) {
        bool has = has_factor(list->items[i], inner, factor);
        if (has)
            vector_push(arena, &with, without_factor(arena, list->items[i], inner, factor));
        else
            vector_push(arena, &kept, list->items[i]);
    }
    const struct formula *rest = formula_chain(arena, kind, with.items, with.count);
    vector_push(arena, &kept, formula_pair(arena, inner, factor, rest));
    return formula_chain(arena, kind, kept.items, kept.count);
}

const struct formula *formula_chain(struct arena *arena, enum formula_kind kind,
                                    const struct formula *const *parts, size_t count)
{
    part_list list = {0};
    enum formula_kind inner = kind == FORMULA_AND ? FORMULA_OR : FORMULA_AND;
    if (!flatten(arena, kind, parts, count, &list))
        return formula_constant(arena, kind == FORMULA_OR);
    const struct formula *factor =
        list.count > 1 && list.count <= FACTORED_MOST ? best_factor(&list, inner) : NULL;
    return factor ? take_out(arena, kind, inner, &list, factor) : make_chain(arena, kind, &list);
}

const struct formula *formula_pair(struct arena *arena, enum formula_kind kind,
                                   const struct formula *a, const struct formula *b)
{
    const struct formula *parts[2] = {a, b};
    return formula_chain(arena, kind, parts, 2);
}
