/* A formula as an expression of the policy language. */
#include "compiler/raise_syntax.h"

static struct expression *express(struct raising *raising, const struct formula *formula,
                                  const struct context *context);

/* Single comparisons first, in the order of the registers; then what is put together. */
static bool comes_before(const struct formula *a, const struct formula *b)
{
    bool simple_a = a->kind == FORMULA_ATOM, simple_b = b->kind == FORMULA_ATOM;
    if (!simple_a || !simple_b)
        return simple_a && !simple_b;
    return a->atom.place < b->atom.place;
}

static const struct formula **sorted_parts(struct arena *arena, const struct formula *chain)
{
    const struct formula **parts = NEW_ARRAY(arena, const struct formula *, chain->count);
    for (size_t i = 0; i < chain->count; i++) {
        size_t at = i;
        for (; at && comes_before(chain->parts[i], parts[at - 1]); at--)
            parts[at] = parts[at - 1];
        parts[at] = chain->parts[i];
    }
    return parts;
}

/* What the other parts of a conjunction say is known in each. */
static const struct context *add_context(struct raising *raising, const struct context *context,
                                         const struct formula *conjunction)
{
    for (size_t i = 0; i < conjunction->count; i++) {
        if (conjunction->parts[i]->kind != FORMULA_ATOM)
            continue;
        struct context *inner = NEW(raising->arena, struct context);
        *inner = (struct context){&conjunction->parts[i]->atom, context};
        context = inner;
    }
    return context;
}

static struct expression *express_chain(struct raising *raising, const struct formula *formula,
                                        const struct context *context)
{
    bool both = formula->kind == FORMULA_AND;
    const struct formula **parts = sorted_parts(raising->arena, formula);
    struct expression *chain = NULL;
    if (both)
        context = add_context(raising, context, formula);
    for (size_t i = 0; i < formula->count; i++) {
        struct expression *part = express(raising, parts[i], context);
        part->parenthesized |= parts[i]->kind == FORMULA_OR;
        chain = tree_chain(raising->arena, chain, both ? LEVEL_AND_ALSO : LEVEL_OR_ELSE,
                           both ? OPERATOR_AND_ALSO : OPERATOR_OR_ELSE, part);
    }
    return chain;
}

static struct expression *express(struct raising *raising, const struct formula *formula,
                                  const struct context *context)
{
    return formula->kind == FORMULA_ATOM ? express_atom(raising, &formula->atom, context)
                                         : express_chain(raising, formula, context);
}

const char *formula_text(struct raising *raising, const struct formula *formula)
{
    return expression_text(raising->arena, express(raising, formula, raising->known));
}

bool formula_is_views(struct raising *raising, const struct formula *formula)
{
    if (formula->kind == FORMULA_ATOM)
        return atom_is_view(raising, &formula->atom);
    for (size_t i = 0; i < formula->count; i++)
        if (!formula_is_views(raising, formula->parts[i]))
            return false;
    return true;
}

unsigned formula_places(const struct formula *formula)
{
    if (formula->kind == FORMULA_ATOM)
        return formula->atom.place < PLACE_IP ? 1u << formula->atom.place : 0;
    unsigned places = 0;
    for (size_t i = 0; i < formula->count; i++)
        places |= formula_places(formula->parts[i]);
    return places;
}

double formula_cost(struct raising *raising, const struct formula *formula)
{
    if (formula->kind == FORMULA_ATOM)
        return atom_cost(raising, &formula->atom);
    double cost = 0;
    for (size_t i = 0; i < formula->count; i++) {
        const struct formula *part = formula->parts[i];
        cost += formula_cost(raising, part);
        if (formula->kind == FORMULA_OR && part->kind == FORMULA_ATOM &&
            atom_is_negated(raising, &part->atom))
            cost += 0.5; /* not this or not that: harder than its opposite */
        if (formula->parts[i]->kind != FORMULA_ATOM)
            cost += 0.3; /* parentheses, or a second level to read */
    }
    return cost;
}
