/* One atom as a comparison. First what the language calls the bits that it looks at; then the
 * shortest set between what it must hold and what it may.
 */
#include "compiler/raise_syntax.h"

#include "lang/arguments.h"

/* Ranges of at most so many values are written out when they have names. */
#define NAMED_RANGE_MOST 24u

/* ---- which bits
 * ------------------------------------------------------------------------------------ */

static bool has_types(const struct raising *raising)
{
    return !raising->raw && raising->entry && raising->entry->argument_count != ARGUMENTS_UNKNOWN;
}

const struct argument *atom_argument(const struct raising *raising, const struct atom *atom)
{
    if (!has_types(raising) || atom->place >= raising->entry->argument_count)
        return NULL;
    return &raising->entry->arguments[atom->place];
}

static bool only_zero(const struct set *set, uint64_t most)
{
    return set->count == 1 && ((!set->items[0].first && !set->items[0].last) ||
                               (set->items[0].first == 1 && set->items[0].last == most));
}

static struct expression *argument_text(const struct raising *raising, unsigned place)
{
    static const char *const raw_names[] = {
        [PLACE_IP] = "ip", [PLACE_NR] = "nr", [PLACE_ARCH] = "arch"};
    const char *name = NULL;
    if (place >= PLACE_IP)
        return tree_name(raising->arena, raw_names[place]);
    if (!raising->numbered && has_types(raising) && place < raising->entry->argument_count)
        name = argument_name(raising->entry, (int)place);
    return tree_name(raising->arena, name ? name : arena_printf(raising->arena, "arg%u", place));
}

/* The high half as part of the whole. */
static void look_at_whole(struct raising *raising, struct looked *looked)
{
    struct set *sets[2] = {&looked->wanted, &looked->allowed};
    for (int i = 0; i < 2; i++) {
        struct set whole = {0};
        for (size_t j = 0; j < sets[i]->count; j++)
            set_append(raising->arena, &whole, sets[i]->items[j].first << 32,
                       sets[i]->items[j].last << 32 | UINT32_MAX);
        *sets[i] = whole;
    }
    looked->mask <<= 32;
    if (looked->mask == (uint64_t)UINT32_MAX << 32)
        looked->mask = UINT64_MAX;
    looked->bits = 64;
    looked->most = UINT64_MAX;
}

static bool is_aligned(const struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if ((uint32_t)set->items[i].first || (uint32_t)set->items[i].last != UINT32_MAX)
            return false;
    return true;
}

/* The whole as its high half, when the low one does not matter. */
static bool look_at_high(struct raising *raising, struct looked *looked)
{
    struct set *sets[2] = {&looked->wanted, &looked->allowed};
    if (looked->mask != UINT64_MAX || !is_aligned(sets[0]) || !is_aligned(sets[1]))
        return false;
    for (int i = 0; i < 2; i++) {
        struct set high = {0};
        for (size_t j = 0; j < sets[i]->count; j++)
            set_append(raising->arena, &high, sets[i]->items[j].first >> 32,
                       sets[i]->items[j].last >> 32);
        *sets[i] = high;
    }
    looked->mask = looked->most = UINT32_MAX;
    looked->bits = 32;
    return true;
}

/* The register's part by itself. */
static void look_at_register(struct raising *raising, const struct atom *atom,
                             struct looked *looked)
{
    enum view view = atom->view;
    static const char *const views[] = {
        [VIEW_LOW] = "lo32", [VIEW_HIGH] = "hi32", [VIEW_WHOLE] = "u64"};
    looked->is_view = has_types(raising);
    if ((!looked->is_view && atom->view == VIEW_WHOLE) || atom->place > PLACE_IP)
        return;
    if (view == VIEW_WHOLE && look_at_high(raising, looked))
        view = VIEW_HIGH;
    looked->operand = tree_apply(raising->arena, views[view], looked->operand);
}

/* Does the argument's own comparison look at just these bits? `looked` is made to fit it. */
static bool is_named(struct raising *raising, const struct atom *atom, struct looked *looked)
{
    const struct argument *argument = looked->argument;
    if (!argument || raising->registers)
        return false;
    bool full = atom->mask == view_most(atom->view);
    enum view all_of_it = argument->bits == 64 ? VIEW_WHOLE : VIEW_LOW;
    bool pointer_fits = full && atom->view == all_of_it && only_zero(&atom->wanted, looked->most) &&
                        set_equal(&atom->wanted, &atom->allowed);
    if (argument->is_pointer && !pointer_fits)
        return false;
    if (argument->bits == 64 && atom->view == VIEW_HIGH && !argument->is_pointer)
        look_at_whole(raising, looked);
    else if (argument->bits == 64 && atom->view == VIEW_LOW && full)
        return false;
    else if (argument->bits < 64 && atom->view != VIEW_LOW)
        return false;
    else if (argument->bits == 16 && (atom->mask >> 16))
        return false;
    return true;
}

static void look(struct raising *raising, const struct atom *atom, struct looked *looked)
{
    *looked = (struct looked){.operand = argument_text(raising, atom->place),
                              .bits = atom->view == VIEW_WHOLE ? 64 : 32,
                              .mask = atom->mask,
                              .argument = atom_argument(raising, atom),
                              .wanted = atom->wanted,
                              .allowed = atom->allowed,
                              .most = view_most(atom->view)};
    if (!is_named(raising, atom, looked)) {
        look_at_register(raising, atom, looked);
        return;
    }
    if (looked->argument->bits == 16)
        looked->bits = 16;
    else if (looked->argument->bits == 64 && atom->view == VIEW_LOW &&
             __builtin_popcountll(looked->mask) > 16)
        look_at_register(raising, atom, looked); /* says better that the rest is not looked at */
    else
        looked->bits = looked->argument->bits;
    looked->is_signed = looked->argument->is_signed && looked->mask == ones(looked->bits);
}

/* ---- which values
 * ---------------------------------------------------------------------------------- */

/* One way to say the atom: a set, or all but a set. Values are in the order of the type. */
struct form {
    bool negated;
    struct set set;
    double cost;
};

static uint64_t flip_of(const struct looked *looked)
{
    return looked->is_signed ? (uint64_t)1 << (looked->bits - 1) : 0;
}

/* Largest value within the mask not above `value`, 64 bits wide. */
static uint64_t floor_of(uint64_t value, uint64_t mask)
{
    uint64_t outside = value & ~mask;
    if (!outside)
        return value;
    unsigned top = 63u - (unsigned)__builtin_clzll(outside);
    uint64_t below = ((uint64_t)1 << top) - 1;
    return (value & mask & ~below) | (mask & below);
}

/* Joins across gaps that are open, and reaches to an end that is open. */
static struct set fill(struct arena *arena, const struct set *set, const struct set *allowed,
                       uint64_t most, bool down, bool up)
{
    struct set filled = {0};
    for (size_t i = 0; i < set->count; i++) {
        uint64_t first = set->items[i].first, last = set->items[i].last;
        if (i && set_holds(allowed, set->items[i - 1].last, first))
            first = set->items[i - 1].last + 1;
        if (!i && down && first && set_holds(allowed, 0, first))
            first = 0;
        if (i + 1 == set->count && up && last < most && set_holds(allowed, last, most))
            last = most;
        set_append(arena, &filled, first, last);
    }
    return filled;
}

static double form_cost(const struct form *form, const struct looked *looked, uint64_t most)
{
    const struct set *set = &form->set;
    const struct interval *only = set->items;
    double cost = form->negated ? 0.6 : 0;
    uint64_t mask = looked->is_signed ? UINT64_MAX : looked->mask;
    bool masked = looked->mask != ones(looked->bits);
    if (!set->count || (set->count == 1 && only->first == 0 && only->last == most))
        return 100000; /* says nothing: such an atom is none */
    if (set->count == 1 && only->first == floor_of(only->last, mask))
        return !form->negated ? 1 : masked && !only->first ? 0.95 : 1.1; /* some bit is set: != 0 */
    if (set->count == 1 && (only->first == 0 || only->last == most))
        return form->negated ? 1.9 : 1.2;
    for (size_t i = 0; i < set->count; i++)
        cost += set->items[i].first == floor_of(set->items[i].last, mask) ? 0.8 : 1.6;
    return cost + 1;
}

static struct form best_form(struct raising *raising, const struct looked *looked)
{
    struct arena *arena = raising->arena;
    struct form best = {.cost = 1e9};
    uint64_t most =
        looked->bits < 64 && looked->mask <= ones(looked->bits) ? ones(looked->bits) : looked->most;
    struct set domain = set_of(arena, 0, most);
    struct set yes = set_common(arena, &looked->wanted, &domain);
    struct set may = set_common(arena, &looked->allowed, &domain);
    if (looked->is_signed) {
        yes = set_flip(arena, &yes, flip_of(looked), most);
        may = set_flip(arena, &may, flip_of(looked), most);
    }
    struct set sides[2] = {yes, set_complement(arena, &may, most)};
    struct set limits[2] = {may, set_complement(arena, &yes, most)};
    for (int way = 0; way < 8; way++) {
        int side = way & 1;
        struct form form = {.negated = side == 1};
        form.set = fill(arena, &sides[side], &limits[side], most, way & 2, way & 4);
        form.cost = form_cost(&form, looked, most);
        if (form.cost < best.cost)
            best = form;
    }
    return best;
}

/* ---- comparisons
 * ----------------------------------------------------------------------------------- */

struct wording {
    struct raising *raising;
    const struct atom *atom;
    const struct looked *looked;
    const struct context *context;
    struct expression *left;
    uint64_t most;
};

static struct expression *value(const struct wording *wording, uint64_t ordered)
{
    return name_value(wording->raising, wording->atom, wording->looked,
                      ordered ^ flip_of(wording->looked), wording->context);
}

static struct expression *compare(const struct wording *wording, enum operator operator,
                                  uint64_t ordered)
{
    return tree_compare(wording->raising->arena, wording->left, operator,
                        tree_parenthesized(value(wording, ordered)));
}

static struct expression *plain_number(const struct wording *wording, uint64_t ordered)
{
    struct looked nameless = *wording->looked;
    nameless.argument = NULL;
    return name_value(wording->raising, wording->atom, &nameless, ordered ^ flip_of(&nameless),
                      NULL);
}

static struct expression *order(const struct wording *wording, enum operator operator,
                                uint64_t ordered)
{
    return tree_compare(wording->raising->arena, wording->left, operator,
                        tree_parenthesized(plain_number(wording, ordered)));
}

/* Is `a` the rounder number, so that a person would write it? */
static bool is_rounder(uint64_t a, uint64_t b)
{
    return a >= 8 && (!b || __builtin_ctzll(a) > __builtin_ctzll(b) + 2);
}

/* An end of a range as a bound: whichever of <= and < has the rounder number. */
static struct expression *below(const struct wording *wording, uint64_t last)
{
    uint64_t shown = last ^ flip_of(wording->looked), next = (last + 1) ^ flip_of(wording->looked);
    bool minus_one = wording->looked->is_signed && next == 0;
    return minus_one || is_rounder(next, shown) ? order(wording, OPERATOR_LESS, last + 1)
                                                : order(wording, OPERATOR_LESS_EQUAL, last);
}

static struct expression *above(const struct wording *wording, uint64_t first)
{
    uint64_t shown = first ^ flip_of(wording->looked),
             before = (first - 1) ^ flip_of(wording->looked);
    bool small = shown && shown < 8;
    return small || (shown && is_rounder(before, shown))
               ? order(wording, OPERATOR_GREATER, first - 1)
               : order(wording, OPERATOR_GREATER_EQUAL, first);
}

struct element_list {
    struct element *first, *last;
};

static void add_element(struct element_list *list, struct element *element)
{
    if (list->last)
        list->last->next = element;
    else
        list->first = element;
    list->last = element;
}

static bool has_name(const struct wording *wording, uint64_t ordered)
{
    return value_has_name(wording->raising, wording->atom, wording->looked,
                          ordered ^ flip_of(wording->looked), wording->context);
}

/* A short range of which most values have names is a list of them. */
static bool is_written_out(const struct wording *wording, uint64_t first, uint64_t last)
{
    uint64_t named = 0, more = last - first;
    if (more >= NAMED_RANGE_MOST)
        return false;
    for (uint64_t i = 0; i <= more; i++)
        named += has_name(wording, first + i);
    return named * 3 >= (more + 1) * 2;
}

static void add_range(const struct wording *wording, struct element_list *list, uint64_t first,
                      uint64_t last)
{
    struct arena *arena = wording->raising->arena;
    uint64_t mask = wording->looked->is_signed ? UINT64_MAX : wording->looked->mask;
    if (last - first > 1 && !is_written_out(wording, first, last)) {
        add_element(list,
                    tree_element(arena, plain_number(wording, first), plain_number(wording, last)));
        return;
    }
    for (uint64_t i = 0; i <= last - first; i++)
        if (!((first + i) & ~mask))
            add_element(list, tree_element(arena, value(wording, first + i), NULL));
}

static struct expression *in_list(const struct wording *wording, const struct set *set)
{
    struct element_list list = {0};
    uint64_t mask = wording->looked->is_signed ? UINT64_MAX : wording->looked->mask;
    for (size_t i = 0; i < set->count; i++)
        add_range(wording, &list, set->items[i].first, floor_of(set->items[i].last, mask));
    return tree_in(wording->raising->arena, wording->left, list.first);
}

static struct expression *negation(const struct wording *wording, struct expression *inner)
{
    inner->parenthesized = true;
    return tree_unary(wording->raising->arena, OPERATOR_NOT, inner);
}

static struct expression *say(const struct wording *wording, const struct form *form)
{
    const struct set *set = &form->set;
    const struct interval *only = set->items;
    uint64_t mask = wording->looked->is_signed ? UINT64_MAX : wording->looked->mask;
    if (!set->count) /* no atom is so; whoever reads it back will say so */
        return tree_name(wording->raising->arena, "never");
    if (set->count == 1 && only->first == floor_of(only->last, mask))
        return compare(wording, form->negated ? OPERATOR_NOT_EQUAL : OPERATOR_EQUAL, only->first);
    bool short_names =
        set->count == 1 && is_written_out(wording, only->first, floor_of(only->last, mask));
    if (set->count == 1 && !short_names) {
        if (only->first == 0)
            return form->negated ? above(wording, only->last + 1) : below(wording, only->last);
        if (only->last == wording->most)
            return form->negated ? below(wording, only->first - 1) : above(wording, only->first);
    }
    struct expression *list = in_list(wording, set);
    return form->negated ? negation(wording, list) : list;
}

static struct expression *masked(const struct wording *wording)
{
    struct arena *arena = wording->raising->arena;
    struct expression *mask =
        name_mask(wording->raising, wording->atom, wording->looked, wording->context);
    struct expression *chain =
        tree_chain(arena, NULL, LEVEL_AND, OPERATOR_NONE, wording->looked->operand);
    tree_chain(arena, chain, LEVEL_AND, OPERATOR_AND, mask);
    chain->parenthesized = true;
    return chain;
}

/* Of flags, "at most the sum of the lowest" is "none but these". Gives the mask of the others. */
static bool is_no_other_flags(const struct wording *wording, const struct form *form,
                              uint64_t *others)
{
    const struct looked *looked = wording->looked;
    const struct interval *only = form->set.items;
    uint64_t most = wording->most;
    if (form->set.count != 1 || looked->is_signed || looked->mask != ones(looked->bits) ||
        !takes_flags(wording->raising, wording->atom, looked, wording->context))
        return false;
    bool low = form->negated ? only->first && only->last == most : !only->first;
    uint64_t last = form->negated ? only->first - 1 : only->last;
    if (!low || !last || last == most || ((last + 1) & last))
        return false;
    *others = most & ~last;
    return true;
}

struct expression *express_atom(struct raising *raising, const struct atom *atom,
                                const struct context *context)
{
    struct looked looked;
    if (atom->place >= PLACE_COMPARISON)
        return tree_text(raising->arena, 0,
                         atom->wanted.items[0].first ? atom->comparison : atom->negation);
    look(raising, atom, &looked);
    struct form form = best_form(raising, &looked);
    struct wording wording = {.raising = raising,
                              .atom = atom,
                              .looked = &looked,
                              .context = context,
                              .left = looked.operand,
                              .most = looked.bits < 64 ? ones(looked.bits) : UINT64_MAX};
    if (is_no_other_flags(&wording, &form, &looked.mask))
        return tree_compare(raising->arena, masked(&wording), OPERATOR_EQUAL,
                            tree_number(raising->arena, 0));
    if (looked.mask != ones(looked.bits))
        wording.left = masked(&wording);
    return say(&wording, &form);
}

bool atom_is_view(struct raising *raising, const struct atom *atom)
{
    struct looked looked;
    look(raising, atom, &looked);
    return looked.is_view;
}

bool atom_is_negated(struct raising *raising, const struct atom *atom)
{
    struct looked looked;
    if (atom->place >= PLACE_COMPARISON)
        return false;
    look(raising, atom, &looked);
    return best_form(raising, &looked).negated;
}

double atom_cost(struct raising *raising, const struct atom *atom)
{
    struct looked looked;
    if (atom->place >= PLACE_COMPARISON)
        return 4;
    look(raising, atom, &looked);
    double cost = best_form(raising, &looked).cost + 1;
    if (looked.mask != ones(looked.bits))
        cost += 0.7;
    return looked.is_view && !raising->registers ? cost + 1.5 : cost;
}
