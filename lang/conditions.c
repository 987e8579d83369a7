/* Conditions over typed arguments: every comparison becomes membership of the argument's bits in a
 * set of unsigned intervals, so that width and sign are settled here and nowhere else.
 */
#include "lang/arguments.h"

/* A value for ==, !=, in and masks: from -2^(w-1) to 2^w - 1. */
static bool fits_bits(const struct place_of_condition *place, const struct looked_at *looked_at,
                      const struct expression *use, exact value)
{
    struct resolver *resolver = place->resolver;
    unsigned width = looked_at->operand.bits;
    if (value < -((exact)1 << (width - 1)) || value > (exact)ones(width)) {
        const char *name = expression_text(resolver->arena, looked_at->expression);
        struct problem *p =
            problem_error(resolver, use->span, place->abi, "%s does not fit in the %u bits of `%s`",
                          exact_text(resolver->arena, value), width, name);
        problem_note(resolver, p, NO_SPAN, "values from %s to %s fit",
                     exact_text(resolver->arena, -((exact)1 << (width - 1))),
                     exact_text(resolver->arena, (exact)ones(width)));
        return false;
    }
    return true;
}

/* The same, taken modulo 2^w. */
static bool as_bits(const struct place_of_condition *place, const struct looked_at *looked_at,
                    const struct expression *use, exact value, uint64_t *bits)
{
    struct resolver *resolver = place->resolver;
    if (!fits_bits(place, looked_at, use, value))
        return false;
    *bits = (uint64_t)value & ones(looked_at->operand.bits);
    if (*bits & ~looked_at->operand.mask)
        problem_warning(resolver, use->span, place->abi,
                        "%s has bits outside the mask: `%s` never equals it",
                        exact_text(resolver->arena, value),
                        expression_text(resolver->arena, looked_at->expression));
    return true;
}

static exact type_least(const struct looked_at *looked_at)
{
    return looked_at->is_signed ? -((exact)1 << (looked_at->operand.bits - 1)) : 0;
}

static exact type_most(const struct looked_at *looked_at)
{
    return looked_at->is_signed ? ((exact)1 << (looked_at->operand.bits - 1)) - 1
                                : (exact)ones(looked_at->operand.bits);
}

/* A value for an order comparison: it must lie in the type's range. */
static bool in_type(const struct place_of_condition *place, const struct looked_at *looked_at,
                    const struct expression *use, exact value)
{
    struct resolver *resolver = place->resolver;
    exact least = type_least(looked_at), most = type_most(looked_at);
    if (value >= least && value <= most)
        return true;
    struct problem *p =
        problem_error(resolver, use->span, place->abi, "%s lies outside the range of `%s`",
                      exact_text(resolver->arena, value),
                      expression_text(resolver->arena, looked_at->expression));
    problem_note(resolver, p, NO_SPAN, "it is %u bits %s: from %s to %s", looked_at->operand.bits,
                 looked_at->is_signed ? "and signed" : "and unsigned",
                 exact_text(resolver->arena, least), exact_text(resolver->arena, most));
    return false;
}

/* The values first..last, each modulo 2^w: what passes the last of the unsigned ones goes on at 0.
 */
static void add_range(struct resolver *resolver, const struct looked_at *looked_at, exact first,
                      exact last, interval_list *list)
{
    uint64_t all = ones(looked_at->operand.bits);
    uint64_t from = (uint64_t)first & all, to = (uint64_t)last & all;
    if (first > last)
        return;
    if (last - first >= (exact)all) {
        intervals_add(resolver, list, 0, all);
    } else if (from <= to) {
        intervals_add(resolver, list, from, to);
    } else {
        intervals_add(resolver, list, from, all);
        intervals_add(resolver, list, 0, to);
    }
}

/* ---- orders and equality
 * -------------------------------------------------------------------------------------------- */

static void add_order(struct resolver *resolver, const struct looked_at *looked_at,
                      enum operator operator, exact value, interval_list *list)
{
    exact least = type_least(looked_at), most = type_most(looked_at);
    switch (operator) {
    case OPERATOR_LESS:
        add_range(resolver, looked_at, least, value - 1, list);
        break;
    case OPERATOR_LESS_EQUAL:
        add_range(resolver, looked_at, least, value, list);
        break;
    case OPERATOR_GREATER:
        add_range(resolver, looked_at, value + 1, most, list);
        break;
    default:
        add_range(resolver, looked_at, value, most, list);
        break;
    }
}

static void warn_constant(const struct place_of_condition *place, const struct expression *use,
                          const struct condition *condition)
{
    if (condition->kind == CONDITION_TRUE || condition->kind == CONDITION_FALSE)
        problem_warning(place->resolver, use->span, place->abi, "`%s` %s holds",
                        expression_text(place->resolver->arena, use),
                        condition->kind == CONDITION_TRUE ? "always" : "never");
}

static void warn_pointer_view(const struct place_of_condition *place,
                              const struct looked_at *looked_at)
{
    struct resolver *resolver = place->resolver;
    struct problem *p = problem_warning(
        resolver, looked_at->view->span, place->abi,
        "`%s` of `%s` is a pointer: its address says nothing about the memory there, which can "
        "change after the check",
        looked_at->view->left->name, place->call);
    problem_note(resolver, p, NO_SPAN, "only whether it is 0 is worth a comparison");
}

/* What is compared with a value; `equality` with it, or with a list that holds it. */
static bool pointer_may(const struct place_of_condition *place, const struct looked_at *looked_at,
                        const struct expression *use, bool equality, exact value)
{
    bool whole = looked_at->operand.mask == ones(looked_at->operand.bits);
    if (looked_at->views_pointer && !(equality && value == 0 && whole))
        warn_pointer_view(place, looked_at);
    if (!looked_at->is_pointer || (equality && value == 0))
        return true;
    struct resolver *resolver = place->resolver;
    struct problem *p =
        problem_error(resolver, use->span, place->abi,
                      "`%s` of `%s` is a pointer: it may only be compared with 0",
                      expression_text(resolver->arena, looked_at->expression), place->call);
    problem_note(resolver, p, NO_SPAN, "the memory behind it can change after the check");
    return false;
}

static const struct condition *compare_with(const struct place_of_condition *place,
                                            const struct expression *use,
                                            const struct looked_at *looked_at, exact value)
{
    struct resolver *resolver = place->resolver;
    bool equality = use->operator== OPERATOR_EQUAL || use->operator== OPERATOR_NOT_EQUAL;
    interval_list list = {0};
    if (!pointer_may(place, looked_at, use, equality, value))
        return NULL;
    if (equality) {
        uint64_t bits;
        if (!as_bits(place, looked_at, use->right, value, &bits))
            return NULL;
        intervals_add(resolver, &list, bits, bits);
        return condition_member(resolver, &looked_at->operand, &list,
                                use->operator== OPERATOR_NOT_EQUAL, use->span);
    }
    if (!in_type(place, looked_at, use->right, value))
        return NULL;
    add_order(resolver, looked_at, use->operator, value, &list);
    const struct condition *condition =
        condition_member(resolver, &looked_at->operand, &list, false, use->span);
    warn_constant(place, use, condition);
    return condition;
}

/* ---- lists
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool add_elements(const struct place_of_condition *place, const struct looked_at *looked_at,
                         const struct element *elements, unsigned depth, interval_list *list);

static bool add_one(const struct place_of_condition *place, const struct looked_at *looked_at,
                    const struct expression *use, unsigned depth, interval_list *list)
{
    const struct statement *inner = constant_list(place->resolver, use);
    if (inner)
        return depth < CONST_DEPTH_MOST &&
               add_elements(place, looked_at, inner->elements, depth + 1, list);
    exact value;
    uint64_t bits;
    if (!constant_value(place->resolver, place->abi, use, &value) ||
        !pointer_may(place, looked_at, use, true, value) ||
        !as_bits(place, looked_at, use, value, &bits))
        return false;
    intervals_add(place->resolver, list, bits, bits);
    return true;
}

static bool add_element(const struct place_of_condition *place, const struct looked_at *looked_at,
                        const struct element *element, unsigned depth, interval_list *list)
{
    struct resolver *resolver = place->resolver;
    exact first, last;
    if (!members_take(resolver, element->span, 1))
        return false;
    if (!element->last)
        return add_one(place, looked_at, element->first, depth, list);
    bool known = constant_value(resolver, place->abi, element->first, &first);
    known &= constant_value(resolver, place->abi, element->last, &last);
    if (!known || !pointer_may(place, looked_at, element->first, false, first))
        return false;
    bool fits = fits_bits(place, looked_at, element->first, first);
    fits &= fits_bits(place, looked_at, element->last, last);
    if (fits && first > last) {
        struct problem *p = problem_error(resolver, element->span, place->abi,
                                          "this range is empty: its first value is above its last");
        problem_note(resolver, p, NO_SPAN, "write %s..%s",
                     expression_text(resolver->arena, element->last),
                     expression_text(resolver->arena, element->first));
        return false;
    }
    if (fits)
        add_range(resolver, looked_at, first, last, list);
    return fits;
}

static bool add_elements(const struct place_of_condition *place, const struct looked_at *looked_at,
                         const struct element *elements, unsigned depth, interval_list *list)
{
    bool fine = true;
    for (const struct element *element = elements; element; element = element->next)
        fine &= add_element(place, looked_at, element, depth, list);
    return fine;
}

static const struct condition *resolve_in(const struct place_of_condition *place,
                                          const struct expression *use,
                                          const struct looked_at *looked_at)
{
    interval_list list = {0};
    bool fine = use->right ? add_one(place, looked_at, use->right, 0, &list)
                           : add_elements(place, looked_at, use->elements, 0, &list);
    if (!fine)
        return NULL;
    const struct condition *condition =
        condition_member(place->resolver, &looked_at->operand, &list, false, use->span);
    warn_constant(place, use, condition);
    return condition;
}

/* ---- comparisons
 * -------------------------------------------------------------------------------------------------------------
 */

static enum operator mirrored(enum operator operator)
{
    switch (operator) {
    case OPERATOR_LESS:
        return OPERATOR_GREATER;
    case OPERATOR_LESS_EQUAL:
        return OPERATOR_GREATER_EQUAL;
    case OPERATOR_GREATER:
        return OPERATOR_LESS;
    case OPERATOR_GREATER_EQUAL:
        return OPERATOR_LESS_EQUAL;
    default:
        return operator;
    }
}

static const char *in_parentheses(struct resolver *resolver, const struct expression *expression)
{
    bool chain = expression->kind == EXPRESSION_CHAIN;
    return arena_printf(resolver->arena, chain ? "(%s)" : "%s",
                        expression_text(resolver->arena, expression));
}

/* The shapes that look right to somebody who thinks in C. */
static bool has_right_shape(const struct place_of_condition *place, const struct expression *use)
{
    struct resolver *resolver = place->resolver;
    const struct expression *left = use->left;
    const char *right = use->right ? in_parentheses(resolver, use->right) : "{ ... }";
    const char *operator= use->kind == EXPRESSION_IN ? "in" : operator_text(use->operator);
    if (left->kind == EXPRESSION_UNARY && left->operator== OPERATOR_NOT) {
        struct problem *p = problem_error(resolver, left->span, place->abi,
                                          "`!` turns a condition round, not an argument");
        problem_note(resolver, p, NO_SPAN, "write !(%s %s %s)",
                     expression_text(resolver->arena, left->left), operator, right);
        return false;
    }
    if (left->kind == EXPRESSION_CHAIN && left->level == LEVEL_AND && !left->parenthesized &&
        mentions_argument(place, left, true)) {
        struct problem *p =
            problem_error(resolver, use->span, place->abi,
                          "`&` beside `%s` needs parentheses: it reads differently in C", operator);
        problem_note(resolver, p, NO_SPAN, "write %s %s %s",
                     in_parentheses(resolver, left), operator, right);
        return false;
    }
    return true;
}

/* An argument on the right, or none at all. */
static bool has_argument_on_left(const struct place_of_condition *place,
                                 const struct expression *use)
{
    struct resolver *resolver = place->resolver;
    bool left = mentions_argument(place, use->left, true);
    bool right = use->kind == EXPRESSION_COMPARE && mentions_argument(place, use->right, false);
    if (left && right) {
        struct problem *p = problem_error(resolver, use->span, place->abi,
                                          "two arguments cannot be compared with one another");
        problem_note(resolver, p, NO_SPAN,
                     "compare each with a constant; `raw` can compare 32-bit halves of registers");
    } else if (right) {
        struct problem *p = problem_error(resolver, use->span, place->abi,
                                          "the argument stands on the left of a comparison");
        problem_note(resolver, p, NO_SPAN, "write %s %s %s", in_parentheses(resolver, use->right),
                     operator_text(mirrored(use->operator)),
                     expression_text(resolver->arena, use->left));
    } else {
        return true;
    }
    return false;
}

static bool looks_constant(const char *name)
{
    bool upper = false;
    for (; *name; name++) {
        if (*name >= 'a' && *name <= 'z')
            return false;
        upper |= *name >= 'A' && *name <= 'Z';
    }
    return upper;
}

/* Names in `expression` that are neither arguments nor constants. */
static bool report_unknown_names(const struct place_of_condition *place,
                                 const struct expression *expression)
{
    if (!expression)
        return false;
    if (expression->kind == EXPRESSION_NAME && argument_index(place->entry, expression->name) < 0 &&
        !constant_exists(place->resolver, expression->name)) {
        if (looks_constant(expression->name))
            unknown_constant(place->resolver, place->abi, expression);
        else
            unknown_argument(place, expression);
        return true;
    }
    for (const struct link *link = expression->links; link; link = link->next)
        if (report_unknown_names(place, link->operand))
            return true;
    return expression->kind != EXPRESSION_APPLY && (report_unknown_names(place, expression->left) ||
                                                    report_unknown_names(place, expression->right));
}

static const struct condition *resolve_comparison(const struct place_of_condition *place,
                                                  const struct expression *use)
{
    struct looked_at looked_at;
    exact value;
    if (report_unknown_names(place, use->left) || !has_right_shape(place, use) ||
        !has_argument_on_left(place, use))
        return NULL;
    if (!mentions_argument(place, use->left, true)) {
        problem_error(place->resolver, use->span, place->abi,
                      "no argument of `%s` is compared here", place->call);
        return NULL;
    }
    if (!resolve_left_side(place, use->left, &looked_at))
        return NULL;
    if (use->kind == EXPRESSION_IN)
        return resolve_in(place, use, &looked_at);
    if (!constant_value(place->resolver, place->abi, use->right, &value))
        return NULL;
    return compare_with(place, use, &looked_at, value);
}

/* ---- combinations
 * ----------------------------------------------------------------------------------------------------------
 */

static const struct condition *resolve_chain(const struct place_of_condition *place,
                                             const struct expression *chain)
{
    struct resolver *resolver = place->resolver;
    const struct condition **members =
        NEW_ARRAY(resolver->arena, const struct condition *, chain->link_count);
    size_t count = 0;
    for (const struct link *link = chain->links; link; link = link->next) {
        members[count] = resolve_condition(place, link->operand);
        count += members[count] != NULL;
    }
    if (count < chain->link_count)
        return NULL;
    enum condition_kind kind = chain->level == LEVEL_OR_ELSE ? CONDITION_OR : CONDITION_AND;
    return condition_balanced(resolver, kind, members, count);
}

static const struct condition *no_comparison(const struct place_of_condition *place,
                                             const struct expression *use)
{
    struct resolver *resolver = place->resolver;
    if (report_unknown_names(place, use))
        return NULL;
    struct problem *p =
        problem_error(resolver, use->span, place->abi, "a condition compares: `%s` is only a value",
                      expression_text(resolver->arena, use));
    if (mentions_argument(place, use, true))
        problem_note(resolver, p, NO_SPAN, "write %s != 0", in_parentheses(resolver, use));
    return NULL;
}

static const struct condition *resolve_not(const struct place_of_condition *place,
                                           const struct expression *use)
{
    const struct expression *inner = use->left;
    bool condition = inner->kind == EXPRESSION_COMPARE || inner->kind == EXPRESSION_IN ||
                     (inner->kind == EXPRESSION_UNARY && inner->operator== OPERATOR_NOT) ||
                     (inner->kind == EXPRESSION_CHAIN && inner->level <= LEVEL_AND_ALSO);
    if (!condition) {
        struct resolver *resolver = place->resolver;
        if (report_unknown_names(place, inner))
            return NULL;
        struct problem *p = problem_error(resolver, use->span, place->abi,
                                          "`!` turns a condition round, not an argument");
        problem_note(resolver, p, NO_SPAN, "write %s == 0", in_parentheses(resolver, inner));
        return NULL;
    }
    const struct condition *operand = resolve_condition(place, inner);
    return operand ? condition_not(place->resolver, operand, use->span) : NULL;
}

const struct condition *resolve_condition(const struct place_of_condition *place,
                                          const struct expression *expression)
{
    if (expression->broken)
        return NULL;
    switch (expression->kind) {
    case EXPRESSION_COMPARE:
    case EXPRESSION_IN:
        return resolve_comparison(place, expression);
    case EXPRESSION_CHAIN:
        if (expression->level <= LEVEL_AND_ALSO)
            return resolve_chain(place, expression);
        break;
    case EXPRESSION_UNARY:
        if (expression->operator== OPERATOR_NOT)
            return resolve_not(place, expression);
        break;
    default:
        break;
    }
    return no_comparison(place, expression);
}
