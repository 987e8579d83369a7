#include "lang/arguments.h"

int register_index(const char *name)
{
    bool fits = !strncmp(name, "arg", 3) && name[3] >= '0' && name[3] <= '5' && !name[4];
    return fits ? name[3] - '0' : -1;
}

static bool has_arguments(const struct syscall_entry *entry)
{
    return entry && entry->argument_count != ARGUMENTS_UNKNOWN;
}

/* By its kernel name, then by its manual name. */
static int documented_index(const struct syscall_entry *entry, const char *name)
{
    for (int i = 0; i < entry->argument_count; i++)
        if (entry->arguments[i].kernel_name && !strcmp(entry->arguments[i].kernel_name, name))
            return i;
    for (int i = 0; i < entry->argument_count; i++)
        if (entry->arguments[i].manual_name && !strcmp(entry->arguments[i].manual_name, name))
            return i;
    return -1;
}

int argument_index(const struct syscall_entry *entry, const char *name)
{
    int index = register_index(name);
    if (!has_arguments(entry))
        return index;
    return index < 0 ? documented_index(entry, name) : index < entry->argument_count ? index : -1;
}

const char *argument_name(const struct syscall_entry *entry, int index)
{
    static const char *const numbered[] = {"arg0", "arg1", "arg2", "arg3", "arg4", "arg5"};
    const struct argument *argument = &entry->arguments[index];
    const char *names[] = {argument->manual_name, argument->kernel_name, numbered[index]};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i] && argument_index(entry, names[i]) == index)
            return names[i];
    return NULL;
}

/* ---- argN where the call has a parameter of that name elsewhere
 * ----------------------------------------------------------------------------------------
 */

/* Whose name it is. */
static const char *whose(const struct argument *argument, const char *name)
{
    return argument->manual_name && !strcmp(argument->manual_name, name) ? "manual" : "kernel";
}

static void note_documented(const struct place_of_condition *place, struct problem *p,
                            const char *name)
{
    const struct syscall_entry *entry = place->entry;
    int documented = register_index(name) < 0 ? -1 : documented_index(entry, name);
    if (documented >= 0)
        problem_note(place->resolver, p, NO_SPAN, "the %s's `%s` is register %d: write arg%d",
                     whose(&entry->arguments[documented], name), name, documented, documented);
}

/* prctl(2) calls register 1 `arg2`: whoever read it there may mean another register. */
static void warn_documented_elsewhere(const struct place_of_condition *place,
                                      const struct expression *use, int index)
{
    const struct syscall_entry *entry = place->entry;
    if (!has_arguments(entry) || register_index(use->name) < 0)
        return;
    int documented = documented_index(entry, use->name);
    if (documented < 0 || documented == index)
        return;
    struct problem *p = problem_warning(
        place->resolver, use->span, place->abi,
        "`%s` is register %d here, and not what the %s calls `%s` of `%s`", use->name, index,
        whose(&entry->arguments[documented], use->name), use->name, place->call);
    const struct argument *argument =
        index < entry->argument_count ? &entry->arguments[index] : NULL;
    const char *called = !argument               ? NULL
                         : argument->manual_name ? argument->manual_name
                                                 : argument->kernel_name;
    if (called)
        problem_note(place->resolver, p, NO_SPAN, "the %s calls register %d `%s`",
                     whose(argument, called), index, called);
    note_documented(place, p, use->name);
}

void unknown_argument(const struct place_of_condition *place, const struct expression *use)
{
    struct resolver *resolver = place->resolver;
    const struct syscall_entry *entry = place->entry;
    if (!has_arguments(entry)) {
        struct problem *p =
            problem_error(resolver, use->span, place->abi, "`%s` has no named argument `%s`",
                          place->call, use->name);
        problem_note(resolver, p, NO_SPAN,
                     "its arguments have no types or names here: write arg0 to arg5");
        return;
    }
    struct problem *p = problem_error(resolver, use->span, place->abi, "`%s` has no argument `%s`",
                                      place->call, use->name);
    if (!p)
        return;
    const char *names[6];
    for (int i = 0; i < entry->argument_count; i++)
        names[i] = argument_name(entry, i);
    for (int i = 0; i < entry->argument_count; i++)
        names[i] = names[i] ? names[i] : "(one without a name)";
    if (!entry->argument_count)
        problem_note(resolver, p, NO_SPAN, "it takes no arguments");
    else
        problem_note(resolver, p, NO_SPAN,
                     entry->argument_count == 1 ? "its argument is %s" : "its arguments are %s",
                     name_list(resolver->arena, names, entry->argument_count, "and"));
    note_documented(place, p, use->name);
}

static bool is_view(const char *name)
{
    return !strcmp(name, "u64") || !strcmp(name, "lo32") || !strcmp(name, "hi32");
}

bool mentions_argument(const struct place_of_condition *place, const struct expression *expression,
                       bool on_left)
{
    if (!expression)
        return false;
    if (expression->kind == EXPRESSION_APPLY)
        return true;
    if (expression->kind == EXPRESSION_NAME) {
        bool constant = constant_exists(place->resolver, expression->name);
        return on_left || !constant ? argument_index(place->entry, expression->name) >= 0 : false;
    }
    for (const struct link *link = expression->links; link; link = link->next)
        if (mentions_argument(place, link->operand, on_left))
            return true;
    return mentions_argument(place, expression->left, on_left) ||
           mentions_argument(place, expression->right, on_left);
}

/* ---- a bare argument
 * ------------------------------------------------------------------------------------------------
 */

static bool look_at_argument(const struct place_of_condition *place, const struct expression *use,
                             struct looked_at *looked_at)
{
    int index = argument_index(place->entry, use->name);
    if (index < 0) {
        unknown_argument(place, use);
        return false;
    }
    warn_documented_elsewhere(place, use, index);
    unsigned bits = 64;
    if (has_arguments(place->entry)) {
        const struct argument *argument = &place->entry->arguments[index];
        bits = argument->bits;
        looked_at->is_signed = argument->is_signed;
        looked_at->is_pointer = argument->is_pointer;
    }
    looked_at->operand = (struct operand){SUBJECT_ARG0 + (unsigned)index, 0, bits, ones(bits)};
    return true;
}

/* ---- u64(), lo32(), hi32()
 * -------------------------------------------------------------------------------------------- */

static bool uses_view(const struct expression *expression, const char *view, const char *name)
{
    if (!expression)
        return false;
    if (expression->kind == EXPRESSION_APPLY && !strcmp(expression->name, view) &&
        expression->left->kind == EXPRESSION_NAME && !strcmp(expression->left->name, name))
        return true;
    for (const struct link *link = expression->links; link; link = link->next)
        if (uses_view(link->operand, view, name))
            return true;
    return uses_view(expression->left, view, name) || uses_view(expression->right, view, name);
}

/* A view also reaches the registers behind a call's arguments. */
static int view_index(const struct place_of_condition *place, const struct expression *use)
{
    int index = register_index(use->left->name);
    return index < 0 ? argument_index(place->entry, use->left->name) : index;
}

/* Says so where the bits looked at are not the bits that the kernel uses. `seen`: those looked at,
 * of the register. */
static void warn_view(const struct place_of_condition *place, const struct expression *use,
                      uint64_t seen)
{
    struct resolver *resolver = place->resolver;
    const char *name = use->left->name;
    int index = view_index(place, use);
    if (!has_arguments(place->entry))
        return;
    if (index >= place->entry->argument_count) {
        problem_warning(resolver, use->span, place->abi,
                        "the kernel does not look at this register: `%s` takes fewer arguments",
                        place->call);
        return;
    }
    const struct argument *argument = &place->entry->arguments[index];
    const char *called = argument_name(place->entry, index);
    called = called ? called : name;
    struct problem *p = NULL;
    if (seen & ~ones(argument->bits))
        p = problem_warning(resolver, use->span, place->abi,
                            "the kernel looks only at the low %u bits of `%s`: what a caller "
                            "leaves above them decides here",
                            argument->bits, name);
    else if (seen == UINT32_MAX && argument->bits == 64 && !uses_view(place->whole, "hi32", name))
        p = problem_warning(resolver, use->span, place->abi,
                            "the kernel looks at all 64 bits of `%s`, this at the low half only",
                            name);
    problem_note(resolver, p, NO_SPAN, "`%s` alone is what the kernel sees", called);
}

static bool look_at_view(const struct place_of_condition *place, const struct expression *use,
                         struct looked_at *looked_at)
{
    struct resolver *resolver = place->resolver;
    if (!is_view(use->name)) {
        problem_error(resolver, use->span, place->abi, "`%s` is none of u64, lo32 and hi32",
                      use->name);
        return false;
    }
    if (use->left->kind != EXPRESSION_NAME) {
        problem_error(resolver, use->left->span, place->abi, "%s takes one argument's name",
                      use->name);
        return false;
    }
    int index = view_index(place, use);
    if (index < 0) {
        unknown_argument(place, use->left);
        return false;
    }
    warn_documented_elsewhere(place, use->left, index);
    looked_at->view = use;
    looked_at->views_pointer =
        has_arguments(place->entry) && place->entry->arguments[index].is_pointer;
    unsigned bits = strcmp(use->name, "u64") ? 32 : 64;
    unsigned shift = strcmp(use->name, "hi32") ? 0 : 32;
    looked_at->operand = (struct operand){SUBJECT_ARG0 + (unsigned)index, shift, bits, ones(bits)};
    return true;
}

/* ---- masks
 * --------------------------------------------------------------------------------------------------------------
 */

static bool apply_mask(const struct place_of_condition *place, const struct expression *use,
                       exact mask, struct looked_at *looked_at)
{
    struct resolver *resolver = place->resolver;
    unsigned bits = looked_at->operand.bits;
    if (looked_at->is_pointer) {
        struct problem *p =
            problem_error(resolver, use->span, place->abi,
                          "`%s` of `%s` is a pointer: it may only be compared with 0",
                          expression_text(resolver->arena, looked_at->expression), place->call);
        problem_note(resolver, p, NO_SPAN, "the memory behind it can change after the check");
        return false;
    }
    if (mask < -((exact)1 << (bits - 1)) || mask > (exact)ones(bits)) {
        problem_error(resolver, use->span, place->abi,
                      "the mask %s does not fit in the %u bits of `%s`",
                      exact_text(resolver->arena, mask), bits,
                      expression_text(resolver->arena, looked_at->expression));
        return false;
    }
    looked_at->operand.mask = (uint64_t)mask & ones(bits);
    looked_at->is_signed = false;
    if (!looked_at->operand.mask)
        problem_warning(resolver, use->span, place->abi,
                        "this mask is 0: nothing of the argument is left");
    return true;
}

static bool is_argument(const struct place_of_condition *place, const struct expression *expression)
{
    return mentions_argument(place, expression, true) ||
           (expression->kind == EXPRESSION_NAME &&
            !constant_exists(place->resolver, expression->name));
}

static bool look_at(const struct place_of_condition *place, const struct expression *expression,
                    struct looked_at *looked_at);

static bool look_at_masked(const struct place_of_condition *place, const struct expression *chain,
                           struct looked_at *looked_at)
{
    struct resolver *resolver = place->resolver;
    const struct expression *argument = NULL;
    exact mask = -1; /* every bit */
    for (const struct link *link = chain->links; link; link = link->next) {
        exact value;
        if (is_argument(place, link->operand)) {
            if (argument) {
                problem_error(resolver, link->operand->span, place->abi,
                              "a mask is a constant, and `%s` is another argument",
                              expression_text(resolver->arena, link->operand));
                return false;
            }
            argument = link->operand;
        } else if (!constant_value(resolver, place->abi, link->operand, &value)) {
            return false;
        } else {
            mask &= value;
        }
    }
    return argument && look_at(place, argument, looked_at) &&
           apply_mask(place, chain, mask, looked_at);
}

static bool look_at(const struct place_of_condition *place, const struct expression *expression,
                    struct looked_at *looked_at)
{
    *looked_at = (struct looked_at){.expression = expression};
    if (expression->kind == EXPRESSION_NAME)
        return look_at_argument(place, expression, looked_at);
    if (expression->kind == EXPRESSION_APPLY)
        return look_at_view(place, expression, looked_at);
    if (expression->kind == EXPRESSION_CHAIN && expression->level == LEVEL_AND) {
        bool fine = look_at_masked(place, expression, looked_at);
        looked_at->expression = expression;
        return fine;
    }
    struct problem *p =
        problem_error(place->resolver, expression->span, place->abi,
                      "an argument may be masked with &, and nothing else be done to it");
    problem_note(place->resolver, p, NO_SPAN,
                 "write argument == value, or (argument & mask) == value");
    return false;
}

static void warn_untyped(const struct place_of_condition *place, const struct expression *use,
                         const struct operand *operand)
{
    problem_warning(place->resolver, use->span, place->abi,
                    "the kernel's types for `%s` are not known: `arg%u` is compared as %s, and "
                    "width safety is not claimed for it",
                    place->call, operand->subject - SUBJECT_ARG0,
                    operand->bits == 64 ? "a raw 64-bit register"
                                        : "half of a raw 64-bit register");
}

bool resolve_left_side(const struct place_of_condition *place, const struct expression *expression,
                       struct looked_at *looked_at)
{
    if (!look_at(place, expression, looked_at))
        return false;
    if (!has_arguments(place->entry))
        warn_untyped(place, expression, &looked_at->operand);
    if (looked_at->view)
        warn_view(place, looked_at->view, looked_at->operand.mask << looked_at->operand.shift);
    return true;
}
