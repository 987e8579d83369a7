/* Terms as SMT-LIB 2.6, one definition per term that has parts, so that sharing stays sharing. */
#include "smt/internal.h"

static const char *const function_names[APPLY_COUNT] = {
    [APPLY_SHIFT_RIGHT] = "shift_right_beyond",
    [APPLY_SHIFT_LEFT] = "shift_left_beyond",
};

static const char *const operator_names[TERM_KIND_COUNT] = {
    [TERM_NOT] = "not",
    [TERM_AND] = "and",
    [TERM_OR] = "or",
    [TERM_EQUAL] = "=",
    [TERM_UNSIGNED_LESS] = "bvult",
    [TERM_UNSIGNED_LESS_EQUAL] = "bvule",
    [TERM_SIGNED_LESS] = "bvslt",
    [TERM_SIGNED_LESS_EQUAL] = "bvsle",
    [TERM_IF] = "ite",
    [TERM_BIT_NOT] = "bvnot",
    [TERM_NEGATE] = "bvneg",
    [TERM_ADD] = "bvadd",
    [TERM_SUB] = "bvsub",
    [TERM_MUL] = "bvmul",
    [TERM_UNSIGNED_DIV] = "bvudiv",
    [TERM_BIT_AND] = "bvand",
    [TERM_BIT_OR] = "bvor",
    [TERM_BIT_XOR] = "bvxor",
    [TERM_SHIFT_LEFT] = "bvshl",
    [TERM_SHIFT_RIGHT] = "bvlshr",
    [TERM_CONCAT] = "concat",
};

static void print_sort(struct buffer *out, unsigned bits)
{
    if (bits == 1)
        buffer_text(out, "Bool");
    else
        buffer_printf(out, "(_ BitVec %u)", bits);
}

/* How a term is referred to: by value, by its variable's name, or by the name of its definition. */
static void print_reference(struct buffer *out, const struct term_order *order,
                            const struct term *term)
{
    if (term->kind == TERM_VARIABLE)
        buffer_printf(out, "|%s|", term->name);
    else if (term->kind != TERM_CONSTANT)
        buffer_printf(out, "t%u", (unsigned)order_index(order, term));
    else if (term->bits == 1)
        buffer_text(out, term->value ? "true" : "false");
    else
        buffer_printf(out, "(_ bv%llu %u)", (unsigned long long)term->value, term->bits);
}

static void print_operator(struct buffer *out, const struct term *term)
{
    if (term->kind == TERM_EXTRACT)
        buffer_printf(out, "(_ extract %u %u)", (unsigned)term->value + term->bits - 1,
                      (unsigned)term->value);
    else if (term->kind == TERM_APPLY)
        buffer_text(out, function_names[term->value]);
    else
        buffer_text(out, operator_names[term->kind]);
}

static void print_definition(struct buffer *out, const struct term_order *order,
                             const struct term *term)
{
    if (term->kind == TERM_CONSTANT)
        return;
    if (term->kind == TERM_VARIABLE) {
        buffer_printf(out, "(declare-const |%s| ", term->name);
        print_sort(out, term->bits);
        buffer_text(out, ")\n");
        return;
    }
    buffer_printf(out, "(define-fun t%u () ", (unsigned)order_index(order, term));
    print_sort(out, term->bits);
    buffer_text(out, " (");
    print_operator(out, term);
    for (unsigned i = 0; i < term->child_count; i++) {
        buffer_text(out, " ");
        print_reference(out, order, term->children[i]);
    }
    buffer_text(out, "))\n");
}

static void print_comment(struct buffer *out, const char *comment)
{
    while (comment && *comment) {
        size_t length = strcspn(comment, "\n");
        buffer_printf(out, "; %.*s\n", (int)length, comment);
        comment += length + (comment[length] == '\n');
    }
}

void term_print_smt2(struct buffer *out, struct arena *arena, const struct term *question,
                     const char *comment, bool expect_unsat)
{
    struct term_order order = term_order(arena, question);
    print_comment(out, comment);
    buffer_printf(out, "(reset)\n(set-info :smt-lib-version 2.6)\n(set-info :status %s)\n(set-logic %s)\n",
                  expect_unsat ? "unsat" : "unknown", question->has_apply ? "QF_UFBV" : "QF_BV");
    for (unsigned i = 0; i < APPLY_COUNT && question->has_apply; i++)
        buffer_printf(out, "(declare-fun %s ((_ BitVec 32) (_ BitVec 32)) (_ BitVec 32))\n",
                      function_names[i]);
    for (size_t i = 0; i < order.count; i++)
        print_definition(out, &order, order.items[i]);
    buffer_text(out, "(assert ");
    print_reference(out, &order, question);
    buffer_text(out, ")\n(check-sat)\n");
}
