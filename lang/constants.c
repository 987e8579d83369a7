/* Constant expressions: exact integers, names with each ABI's own value. */
#include "lang/resolve.h"

const char *exact_text(struct arena *arena, exact value)
{
    bool negative = value < 0;
    exact magnitude = negative ? -value : value;
    unsigned long long low = (unsigned long long)magnitude;
    if (magnitude > EXACT_MOST) /* a value about to be refused */
        return negative ? "a number below -2^64" : "a number above 2^64";
    return arena_printf(arena, negative || low < 4096 ? "%s%llu" : "%s0x%llx", negative ? "-" : "",
                        low);
}

bool members_take(struct resolver *resolver, struct span span, size_t count)
{
    resolver->members += count;
    if (resolver->members <= MEMBERS_MOST)
        return true;
    if (!resolver->members_reported)
        report_error(resolver->diagnostics, span,
                     "the lists and groups of this policy come to more than %u members",
                     MEMBERS_MOST);
    resolver->members_reported = true;
    return false;
}

bool constant_exists(const struct resolver *resolver, const char *name)
{
    return definitions_find(&resolver->consts, name) || abi_constant_anywhere(name);
}

const struct statement *constant_list(const struct resolver *resolver,
                                      const struct expression *expression)
{
    if (expression->kind != EXPRESSION_NAME)
        return NULL;
    const struct definition *definition = definitions_find(&resolver->consts, expression->name);
    return definition && definition->statement->elements ? definition->statement : NULL;
}

/* ---- names
 * ----------------------------------------------------------------------------------------------------------
 */

static bool const_value(struct resolver *resolver, enum abi_id abi, const struct expression *use,
                        struct definition *definition, exact *value)
{
    const struct statement *statement = definition->statement;
    if (statement->elements) {
        struct problem *p = problem_error(
            resolver, use->span, abi, "`%s` is a list, and one value is needed here", use->name);
        problem_note(resolver, p, NO_SPAN, "write `in %s` to compare with each of its members",
                     use->name);
        return false;
    }
    enum evaluation *state = &definition->evaluations[abi];
    if (*state == EVALUATION_RUNNING || resolver->const_depth >= CONST_DEPTH_MOST) {
        problem_error(resolver, statement->name_span, abi,
                      *state == EVALUATION_RUNNING ? "the const `%s` is defined by itself"
                                                   : "the const `%s` stands on too many others",
                      statement->name);
        return false;
    }
    if (*state == EVALUATION_NONE) {
        *state = EVALUATION_RUNNING;
        resolver->const_depth++;
        bool known = constant_value(resolver, abi, statement->value, &definition->values[abi]);
        resolver->const_depth--;
        *state = known ? EVALUATION_DONE : EVALUATION_NONE; /* each use says why it has none */
    }
    *value = definition->values[abi];
    return *state == EVALUATION_DONE;
}

/* In the raw layer a name must mean one number, whatever the input's ABI. */
static bool common_value(struct resolver *resolver, const struct expression *use, exact *value)
{
    bool found = false;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        int64_t one;
        if (!(resolver->declared & ABI_BIT(id)))
            continue;
        if (!abi_constant((enum abi_id)id, use->name, &one) || (found && one != *value)) {
            problem_error(resolver, use->span, ABI_NONE,
                          "`%s` has no value that all declared ABIs share; write the number",
                          use->name);
            return false;
        }
        *value = one;
        found = true;
    }
    return found;
}

static bool token_value(const char *name, exact *value)
{
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (!strcmp(abi_get((enum abi_id)id)->token_name, name)) {
            *value = abi_get((enum abi_id)id)->token;
            return true;
        }
    return false;
}

void unknown_constant(struct resolver *resolver, enum abi_id abi, const struct expression *use)
{
    const char *nearest[3];
    if (resolver->lost & LOST_DEFINITION)
        return;
    struct problem *p = problem_error(resolver, use->span, abi, "`%s` is no constant", use->name);
    if (!p)
        return;
    nearest[0] = definitions_nearest(&resolver->consts, use->name);
    size_t count = nearest[0] ? 1 : abi_nearest_constants(use->name, nearest, COUNT_OF(nearest));
    if (!strcmp(use->name, "NULL"))
        problem_note(resolver, p, NO_SPAN, "write 0");
    else if (count)
        problem_note(resolver, p, NO_SPAN, "did you mean %s?",
                     name_list(resolver->arena, nearest, count, "or"));
}

static bool name_value(struct resolver *resolver, enum abi_id abi, const struct expression *use,
                       exact *value)
{
    struct definition *definition = definitions_find(&resolver->consts, use->name);
    if (definition)
        return const_value(resolver, abi, use, definition, value);
    if (abi == ABI_NONE && token_value(use->name, value))
        return true;
    if (!abi_constant_anywhere(use->name)) {
        unknown_constant(resolver, abi, use);
        return false;
    }
    if (abi == ABI_NONE)
        return common_value(resolver, use, value);
    int64_t own;
    if (!abi_constant(abi, use->name, &own)) {
        struct problem *p =
            problem_error(resolver, use->span, abi, "there is no constant `%s` here", use->name);
        problem_note(resolver, p, NO_SPAN, "it exists on %s",
                     abi_names(resolver->arena, abi_constant_anywhere(use->name)));
        return false;
    }
    *value = own;
    return true;
}

/* ---- operators
 * --------------------------------------------------------------------------------------------------------
 */

static bool in_range(struct resolver *resolver, enum abi_id abi, struct span span, exact value)
{
    if (value >= EXACT_LEAST && value <= EXACT_MOST)
        return true;
    problem_error(resolver, span, abi, "the value of this expression does not fit in 64 bits");
    return false;
}

static bool shifted(struct resolver *resolver, enum abi_id abi, struct span span, exact left,
                    exact right, bool to_left, exact *value)
{
    if (right < 0 || right > 63) {
        problem_error(resolver, span, abi,
                      "a constant is shifted by %s: the count must be from 0 to 63",
                      exact_text(resolver->arena, right));
        return false;
    }
    if (!to_left) {
        *value = left >> (int)right;
        return true;
    }
    exact limit = (exact)1 << (64 - (int)right); /* so that the product cannot pass 128 bits */
    if (left >= limit || left < -limit)
        return in_range(resolver, abi, span, EXACT_MOST + 1);
    *value = left * ((exact)1 << (int)right);
    return true;
}

bool constant_binary(struct resolver *resolver, enum abi_id abi, struct span span,
                     enum operator operator, exact left, exact right, exact *value)
{
    switch (operator) {
    case OPERATOR_OR:
        *value = left | right;
        break;
    case OPERATOR_XOR:
        *value = left ^ right;
        break;
    case OPERATOR_AND:
        *value = left & right;
        break;
    case OPERATOR_ADD:
        *value = left + right;
        break;
    case OPERATOR_SUB:
        *value = left - right;
        break;
    case OPERATOR_SHIFT_LEFT:
    case OPERATOR_SHIFT_RIGHT:
        if (!shifted(resolver, abi, span, left, right, operator== OPERATOR_SHIFT_LEFT, value))
            return false;
        break;
    default:
        problem_error(resolver, span, abi,
                      "constants have the operators & | ^ ~ << >> + and -, not `%s`",
                      operator_text(operator));
        return false;
    }
    return in_range(resolver, abi, span, *value);
}

static bool chain_value(struct resolver *resolver, enum abi_id abi, const struct expression *chain,
                        exact *value)
{
    if (!constant_value(resolver, abi, chain->links->operand, value))
        return false;
    for (const struct link *link = chain->links->next; link; link = link->next) {
        exact right;
        if (!constant_value(resolver, abi, link->operand, &right) ||
            !constant_binary(resolver, abi, chain->span, link->operator, * value, right, value))
            return false;
    }
    return true;
}

bool constant_value(struct resolver *resolver, enum abi_id abi, const struct expression *expression,
                    exact *value)
{
    if (expression->broken)
        return false;
    switch (expression->kind) {
    case EXPRESSION_NUMBER:
        *value = expression->number;
        return true;
    case EXPRESSION_NAME:
        return name_value(resolver, abi, expression, value);
    case EXPRESSION_CHAIN:
        if (expression->level <= LEVEL_AND_ALSO)
            break;
        return chain_value(resolver, abi, expression, value);
    case EXPRESSION_UNARY:
        if (expression->operator== OPERATOR_NOT)
            break;
        if (!constant_value(resolver, abi, expression->left, value))
            return false;
        *value = expression->operator== OPERATOR_NEGATE ? -*value : ~* value;
        return in_range(resolver, abi, expression->span, *value);
    default:
        break;
    }
    problem_error(resolver, expression->span, abi, "a constant is needed here");
    return false;
}

/* ---- the consts of a policy
 * -------------------------------------------------------------------------------------------- */

/* Every name in a const must mean something somewhere, also where the const is not used. */
static void check_names(struct resolver *resolver, const struct expression *expression)
{
    if (!expression)
        return;
    if (expression->kind == EXPRESSION_NAME && !constant_exists(resolver, expression->name))
        unknown_constant(resolver, ABI_NONE, expression);
    check_names(resolver, expression->left);
    check_names(resolver, expression->right);
    for (const struct link *link = expression->links; link; link = link->next)
        check_names(resolver, link->operand);
}

/* A list's cycle would have no end: lists are walked with a limit of depth. */
static void check_list(struct resolver *resolver, struct definition *definition, unsigned depth)
{
    const struct statement *statement = definition->statement;
    if (definition->state == EVALUATION_RUNNING || depth > CONST_DEPTH_MOST) {
        problem_error(resolver, statement->name_span, ABI_NONE,
                      definition->state == EVALUATION_RUNNING ? "the const `%s` holds itself"
                                                              : "the const `%s` is nested too deep",
                      statement->name);
        definition->state = EVALUATION_FAILED;
        return;
    }
    if (definition->state != EVALUATION_NONE)
        return;
    definition->state = EVALUATION_RUNNING;
    definition->height = depth;
    for (const struct element *element = statement->elements; element; element = element->next) {
        if (element->first->kind != EXPRESSION_NAME)
            continue;
        struct definition *inner = definitions_find(&resolver->consts, element->first->name);
        if (inner && inner->statement->elements)
            check_list(resolver, inner, depth + 1);
        if (inner && inner->state == EVALUATION_FAILED)
            definition->state = EVALUATION_FAILED;
    }
    if (definition->state == EVALUATION_RUNNING)
        definition->state = EVALUATION_DONE;
}

static void check_const(struct resolver *resolver, struct definition *definition)
{
    const struct statement *statement = definition->statement;
    if (abi_constant_anywhere(statement->name)) {
        struct problem *p = problem_error(
            resolver, statement->name_span, ABI_NONE,
            "`%s` is a constant of the kernel and cannot be redefined", statement->name);
        problem_note(resolver, p, NO_SPAN, "choose another name");
    }
    check_names(resolver, statement->value);
    for (const struct element *element = statement->elements; element; element = element->next) {
        check_names(resolver, element->first);
        check_names(resolver, element->last);
    }
    if (statement->elements)
        check_list(resolver, definition, 0);
}

void check_consts(struct resolver *resolver)
{
    for (struct definition *d = resolver->consts.first; d; d = d->later)
        check_const(resolver, d);
    problems_flush(resolver);
}
