/* The one file that knows Z3. Its answers are used with care: a model is evaluated by our own
 * term_evaluate before it counts, and everything that is not clearly sat or unsat is UNKNOWN. */
#include "smt/internal.h"

#include <z3.h>
#include <z3_version.h>

#define CELLS_PER_MS 8u /* of a circuit, while Z3 makes it and takes it away: what was measured */
#define QUESTION_MOST_MS 0xfffffffeu /* Z3's timeout is 32 bits; all ones is "never" */

struct solver {
    struct terms *terms;
    struct limits limits;
    struct solver_statistics statistics;
    struct arena *scratch;   /* of the question that is being asked */
    Z3_context context;      /* NULL until the first question that needs it */
    Z3_solver bits;          /* for pure bit-vectors: an order of magnitude faster on them */
    Z3_solver functions_too; /* for questions with TERM_APPLY */
    Z3_solver z3;            /* the one in use */
    VECTOR(Z3_ast) asts;     /* by the id of the term; NULL: not translated yet */
    Z3_func_decl functions[APPLY_COUNT];
};

struct solver *solver_new(struct terms *terms, struct limits limits)
{
    struct solver *solver = NEW(terms->arena, struct solver);
    solver->terms = terms;
    solver->limits = limits;
    return solver;
}

/* Z3's default handler ends the process. Errors are looked for after each question instead. */
static void ignore_error(Z3_context context, Z3_error_code code)
{
    (void)context;
    (void)code;
}

static void declare_functions(struct solver *solver)
{
    static const char *const names[APPLY_COUNT] = {"shift_right_beyond", "shift_left_beyond"};
    Z3_sort word = Z3_mk_bv_sort(solver->context, 32);
    Z3_sort domain[2] = {word, word};
    for (unsigned i = 0; i < APPLY_COUNT; i++) {
        Z3_symbol symbol = Z3_mk_string_symbol(solver->context, names[i]);
        solver->functions[i] = Z3_mk_func_decl(solver->context, symbol, 2, domain, word);
        Z3_inc_ref(solver->context, Z3_func_decl_to_ast(solver->context, solver->functions[i]));
    }
}

static bool open_solvers(struct solver *solver)
{
    Z3_context context = solver->context;
    declare_functions(solver);
    solver->bits = Z3_mk_solver_for_logic(context, Z3_mk_string_symbol(context, "QF_BV"));
    if (solver->bits)
        Z3_solver_inc_ref(context, solver->bits);
    solver->functions_too = Z3_mk_simple_solver(context);
    if (solver->functions_too)
        Z3_solver_inc_ref(context, solver->functions_too);
    return solver->bits && solver->functions_too;
}

static bool open_z3(struct solver *solver)
{
    if (solver->context)
        return solver->bits && solver->functions_too;
    if (solver->limits.memory_mb) {
        char text[24];
        snprintf(text, sizeof text, "%u", solver->limits.memory_mb);
        Z3_global_param_set("memory_max_size", text); /* of the whole process: Z3 has no other */
    }
    Z3_config config = Z3_mk_config();
    solver->context = Z3_mk_context_rc(config);
    Z3_del_config(config);
    if (!solver->context)
        return false;
    Z3_set_error_handler(solver->context, ignore_error);
    return open_solvers(solver);
}

void solver_free(struct solver *solver)
{
    if (!solver || !solver->context)
        return;
    for (size_t i = 0; i < solver->asts.count; i++)
        if (solver->asts.items[i])
            Z3_dec_ref(solver->context, solver->asts.items[i]);
    for (unsigned i = 0; i < APPLY_COUNT; i++)
        Z3_dec_ref(solver->context, Z3_func_decl_to_ast(solver->context, solver->functions[i]));
    if (solver->bits)
        Z3_solver_dec_ref(solver->context, solver->bits);
    if (solver->functions_too)
        Z3_solver_dec_ref(solver->context, solver->functions_too);
    Z3_del_context(solver->context);
    solver->context = NULL;
    solver->bits = solver->functions_too = solver->z3 = NULL;
}

/* ---- translation ------------------------------------------------------------------------------
 */

typedef Z3_ast (*make_two)(Z3_context context, Z3_ast a, Z3_ast b);

static const make_two makers[TERM_KIND_COUNT] = {
    [TERM_EQUAL] = Z3_mk_eq,
    [TERM_UNSIGNED_LESS] = Z3_mk_bvult,
    [TERM_UNSIGNED_LESS_EQUAL] = Z3_mk_bvule,
    [TERM_SIGNED_LESS] = Z3_mk_bvslt,
    [TERM_SIGNED_LESS_EQUAL] = Z3_mk_bvsle,
    [TERM_ADD] = Z3_mk_bvadd,
    [TERM_SUB] = Z3_mk_bvsub,
    [TERM_MUL] = Z3_mk_bvmul,
    [TERM_UNSIGNED_DIV] = Z3_mk_bvudiv,
    [TERM_BIT_AND] = Z3_mk_bvand,
    [TERM_BIT_OR] = Z3_mk_bvor,
    [TERM_BIT_XOR] = Z3_mk_bvxor,
    [TERM_SHIFT_LEFT] = Z3_mk_bvshl,
    [TERM_SHIFT_RIGHT] = Z3_mk_bvlshr,
    [TERM_CONCAT] = Z3_mk_concat,
};

static Z3_sort sort_of(Z3_context context, unsigned bits)
{
    return bits == 1 ? Z3_mk_bool_sort(context) : Z3_mk_bv_sort(context, bits);
}

static Z3_ast translate_constant(Z3_context context, const struct term *term)
{
    if (term->bits == 1)
        return term->value ? Z3_mk_true(context) : Z3_mk_false(context);
    return Z3_mk_unsigned_int64(context, term->value, sort_of(context, term->bits));
}

static Z3_ast translate_operator(struct solver *solver, const struct term *term, Z3_ast *c)
{
    Z3_context context = solver->context;
    switch (term->kind) {
    case TERM_NOT:
        return Z3_mk_not(context, c[0]);
    case TERM_AND:
        return Z3_mk_and(context, 2, c);
    case TERM_OR:
        return Z3_mk_or(context, 2, c);
    case TERM_IF:
        return Z3_mk_ite(context, c[0], c[1], c[2]);
    case TERM_BIT_NOT:
        return Z3_mk_bvnot(context, c[0]);
    case TERM_NEGATE:
        return Z3_mk_bvneg(context, c[0]);
    case TERM_EXTRACT:
        return Z3_mk_extract(context, (unsigned)term->value + term->bits - 1, (unsigned)term->value,
                             c[0]);
    case TERM_APPLY:
        return Z3_mk_app(context, solver->functions[term->value], 2, c);
    default:
        return makers[term->kind](context, c[0], c[1]);
    }
}

static Z3_ast translate_one(struct solver *solver, const struct term *term)
{
    Z3_context context = solver->context;
    if (term->kind == TERM_CONSTANT)
        return translate_constant(context, term);
    if (term->kind == TERM_VARIABLE)
        return Z3_mk_const(context, Z3_mk_int_symbol(context, (int)(term->value << 7 | term->bits)),
                           sort_of(context, term->bits));
    Z3_ast children[3] = {NULL, NULL, NULL};
    for (unsigned i = 0; i < term->child_count; i++)
        children[i] = solver->asts.items[term->children[i]->id];
    return translate_operator(solver, term, children);
}

/* NULL when Z3 refused (memory). */
static Z3_ast translate(struct solver *solver, const struct term_order *order)
{
    while (solver->asts.count < solver->terms->count)
        vector_push(solver->terms->arena, &solver->asts, NULL);
    for (size_t i = 0; i < order->count; i++) {
        const struct term *term = order->items[i];
        if (solver->asts.items[term->id])
            continue;
        Z3_ast ast = translate_one(solver, term);
        if (!ast || Z3_get_error_code(solver->context) != Z3_OK)
            return NULL;
        Z3_inc_ref(solver->context, ast);
        solver->asts.items[term->id] = ast;
    }
    return solver->asts.items[order->items[order->count - 1]->id];
}

/* ---- questions ------------------------------------------------------------------------------- */

static void set_limits(struct solver *solver, uint32_t left)
{
    Z3_context context = solver->context;
    Z3_params params = Z3_mk_params(context);
    Z3_params_inc_ref(context, params);
    if (left < QUESTION_MOST_MS)
        Z3_params_set_uint(context, params, Z3_mk_string_symbol(context, "timeout"), left);
    if (solver->limits.rlimit && solver->limits.rlimit <= UINT32_MAX)
        Z3_params_set_uint(context, params, Z3_mk_string_symbol(context, "rlimit"),
                           (unsigned)solver->limits.rlimit);
    Z3_solver_set_params(context, solver->z3, params);
    Z3_params_dec_ref(context, params);
}

static bool read_variable(struct solver *solver, Z3_model model, const struct term *variable,
                          uint64_t *value)
{
    Z3_ast ast = NULL;
    if (!Z3_model_eval(solver->context, model, solver->asts.items[variable->id], true, &ast) ||
        !ast)
        return false;
    if (variable->bits == 1) {
        *value = Z3_get_bool_value(solver->context, ast) == Z3_L_TRUE;
        return true;
    }
    return Z3_get_numeral_uint64(solver->context, ast, value);
}

static bool read_model(struct solver *solver, const struct term_order *order, uint64_t *values,
                       size_t count)
{
    Z3_model model = Z3_solver_get_model(solver->context, solver->z3);
    if (!model)
        return false;
    Z3_model_inc_ref(solver->context, model);
    memset(values, 0, count * sizeof *values);
    bool complete = true;
    for (size_t i = 0; i < order->count && complete; i++) {
        const struct term *term = order->items[i];
        if (term->kind != TERM_VARIABLE)
            continue;
        complete = term->value < count && read_variable(solver, model, term, &values[term->value]);
    }
    Z3_model_dec_ref(solver->context, model);
    return complete;
}

/* A model counts when the question holds under it by our own evaluation. */
static enum answer confirm(struct solver *solver, const struct term_order *order,
                           const struct term *question, uint64_t *values, size_t count,
                           const char **reason)
{
    if (!read_model(solver, order, values, count)) {
        *reason = "the solver gave no model";
        return ANSWER_UNKNOWN;
    }
    if (term_evaluate(solver->scratch, question, values, count))
        return ANSWER_SAT;
    *reason = question->has_apply
                  ? "it depends on shifts by 32 or more, which machines do differently"
                  : "the solver's model does not hold";
    return ANSWER_UNKNOWN;
}

static const char *unknown_reason(const struct solver *solver)
{
    if (deadline_passed(solver->limits.deadline))
        return "the time limit was reached in the solver";
    const char *text = Z3_solver_get_reason_unknown(solver->context, solver->z3);
    if (text && (strstr(text, "timeout") || strstr(text, "cancel")))
        return "the solver's time or resource limit was reached";
    if (text && (strstr(text, "resource") || strstr(text, "rlimit")))
        return "the solver's resource limit was reached";
    if (text && strstr(text, "memory"))
        return "the solver's memory limit was reached";
    return "the solver gave up";
}

/* Whether Z3 says that the looser question, without what is hard for it, cannot be true. It gets
 * half of the time that is left. */
static bool is_settled_loosely(struct solver *solver, const struct term *question)
{
    const struct term *loose = term_loosened(solver->terms, solver->scratch, question);
    if (loose == question || term_is_constant(loose))
        return loose != question && !loose->value;
    struct term_order order = term_order(solver->scratch, loose);
    Z3_ast ast = translate(solver, &order);
    if (!ast)
        return false;
    uint32_t left = deadline_left_ms(solver->limits.deadline);
    solver->z3 = solver->bits;
    set_limits(solver, left < QUESTION_MOST_MS ? left / 2 + 1 : left);
    Z3_solver_assert(solver->context, solver->z3, ast);
    Z3_lbool found = Z3_solver_check(solver->context, solver->z3);
    bool settled = Z3_get_error_code(solver->context) == Z3_OK && found == Z3_L_FALSE;
    Z3_solver_reset(solver->context, solver->z3);
    return settled;
}

/* Products and quotients of two unknowns are circuits of so many bits by as many, and Z3 does not
 * look at its clock while it makes them: what would keep it busy beyond the deadline is not begun.
 */
static bool is_too_large(const struct solver *solver, const struct term_order *order)
{
    uint64_t cells = 0;
    for (size_t i = 0; i < order->count; i++) {
        const struct term *term = order->items[i];
        bool product = term->kind == TERM_MUL && !term_is_constant(term->children[0]) &&
                       !term_is_constant(term->children[1]);
        bool quotient = term->kind == TERM_UNSIGNED_DIV && !term_is_constant(term->children[1]);
        if (product || quotient)
            cells += (uint64_t)term->bits * term->bits;
    }
    return cells / CELLS_PER_MS > deadline_left_ms(solver->limits.deadline);
}

static enum answer ask_z3(struct solver *solver, const struct term *question, uint64_t *values,
                          size_t count, const char **reason)
{
    if (!open_z3(solver)) {
        *reason = "the solver did not start";
        return ANSWER_UNKNOWN;
    }
    if (is_settled_loosely(solver, question))
        return ANSWER_UNSAT;
    solver->z3 = question->has_apply ? solver->functions_too : solver->bits;
    struct term_order order = term_order(solver->scratch, question);
    if (is_too_large(solver, &order)) {
        *reason = "there are too many products and quotients for the time that is left";
        return ANSWER_UNKNOWN;
    }
    Z3_ast ast = translate(solver, &order);
    if (!ast) {
        *reason = "the solver refused the question (memory)";
        return ANSWER_UNKNOWN;
    }
    set_limits(solver, deadline_left_ms(solver->limits.deadline));
    Z3_solver_assert(solver->context, solver->z3, ast);
    Z3_lbool found = Z3_solver_check(solver->context, solver->z3);
    enum answer answer = ANSWER_UNKNOWN;
    if (Z3_get_error_code(solver->context) != Z3_OK || found == Z3_L_UNDEF)
        *reason = unknown_reason(solver);
    else if (found == Z3_L_FALSE)
        answer = ANSWER_UNSAT;
    else
        answer = confirm(solver, &order, question, values, count, reason);
    Z3_solver_reset(solver->context, solver->z3); /* not push and pop: those turn the tactics off */
    return answer;
}

enum answer solver_ask(struct solver *solver, const struct term *question, uint64_t *values,
                       size_t count, const char **reason)
{
    const char *ignored;
    const char **why = reason ? reason : &ignored;
    solver->statistics.questions++;
    if (term_is_constant(question)) {
        solver->statistics.folded++;
        memset(values, 0, count * sizeof *values);
        return question->value ? ANSWER_SAT : ANSWER_UNSAT;
    }
    if (deadline_passed(solver->limits.deadline)) {
        *why = "the time limit was reached";
        return ANSWER_UNKNOWN;
    }
    uint64_t start = clock_ns();
    solver->scratch = arena_new();
    enum answer answer = ask_z3(solver, question, values, count, why);
    arena_free(solver->scratch);
    solver->scratch = NULL;
    solver->statistics.z3_ns += clock_ns() - start;
    return answer;
}

struct solver_statistics solver_statistics(const struct solver *solver)
{
    return solver->statistics;
}

const char *solver_version(void)
{
    return "Z3 " Z3_FULL_VERSION;
}
