#include "smt/smt.h"
#include "unit/support.h"

#define VARIABLES 4
#define DEPTH 5

/* A random term, with its value computed beside it by plain C: constructors must not change
 * meaning. */
struct pair {
    const struct term *term;
    uint64_t value;
};

struct maker {
    struct terms *terms;
    struct random random;
    uint64_t values[VARIABLES];
};

static uint64_t interesting(struct random *random)
{
    static const uint32_t words[] = {0,          1,          2,          5,
                                     31,         32,         33,         0xff,
                                     0x10000,    0x7fffffff, 0x80000000, 0x80000001,
                                     0xfffffffe, 0xffffffff, 0xffff0000, 0x00fffff0};
    return random_below(random, 4) ? words[random_below(random, COUNT_OF(words))]
                                   : (uint32_t)random_u64(random);
}

static struct pair make_word(struct maker *m, unsigned depth);

static struct pair make_relation(struct maker *m, unsigned depth)
{
    struct pair a = make_word(m, depth), b = make_word(m, depth);
    struct {
        enum term_kind kind;
        bool value;
    } kinds[] = {
        {TERM_EQUAL, a.value == b.value},
        {TERM_UNSIGNED_LESS, a.value < b.value},
        {TERM_UNSIGNED_LESS_EQUAL, a.value <= b.value},
        {TERM_SIGNED_LESS, (int32_t)a.value < (int32_t)b.value},
        {TERM_SIGNED_LESS_EQUAL, (int32_t)a.value <= (int32_t)b.value},
    };
    unsigned pick = random_below(&m->random, COUNT_OF(kinds));
    return (struct pair){term_binary(m->terms, kinds[pick].kind, a.term, b.term),
                         kinds[pick].value};
}

static struct pair make_bool(struct maker *m, unsigned depth)
{
    if (depth == 0 || random_below(&m->random, 3) == 0)
        return make_relation(m, depth ? depth - 1 : 0);
    struct pair a = make_bool(m, depth - 1), b = make_bool(m, depth - 1),
                c = make_bool(m, depth - 1);
    switch (random_below(&m->random, 5)) {
    case 0:
        return (struct pair){term_not(m->terms, a.term), !a.value};
    case 1:
        return (struct pair){term_binary(m->terms, TERM_AND, a.term, b.term), a.value && b.value};
    case 2:
        return (struct pair){term_binary(m->terms, TERM_OR, a.term, b.term), a.value || b.value};
    case 3:
        return (struct pair){term_binary(m->terms, TERM_EQUAL, a.term, b.term), a.value == b.value};
    default:
        return (struct pair){term_if(m->terms, a.term, b.term, c.term),
                             a.value ? b.value : c.value};
    }
}

static struct pair make_wide(struct maker *m, unsigned depth)
{
    struct pair a = make_word(m, depth), b = make_word(m, depth);
    return (struct pair){term_binary(m->terms, TERM_CONCAT, a.term, b.term),
                         a.value << 32 | b.value};
}

static struct pair make_leaf(struct maker *m)
{
    uint32_t number = random_below(&m->random, VARIABLES);
    static const char *const names[VARIABLES] = {"a", "b", "c", "d"};
    if (random_below(&m->random, 3))
        return (struct pair){term_variable(m->terms, 32, number, names[number]), m->values[number]};
    uint64_t value = interesting(&m->random);
    return (struct pair){term_constant(m->terms, 32, value), value};
}

static uint32_t x86_shift(bool left, uint32_t a, uint32_t b)
{
    return left ? a << (b & 31) : a >> (b & 31);
}

static struct pair make_operation(struct maker *m, struct pair a, struct pair b)
{
    uint32_t x = (uint32_t)a.value, y = (uint32_t)b.value;
    struct {
        enum term_kind kind;
        uint32_t value;
    } kinds[] = {
        {TERM_ADD, x + y},
        {TERM_SUB, x - y},
        {TERM_MUL, x * y},
        {TERM_UNSIGNED_DIV, y ? x / y : 0xffffffffu},
        {TERM_BIT_AND, x & y},
        {TERM_BIT_OR, x | y},
        {TERM_BIT_XOR, x ^ y},
        {TERM_SHIFT_LEFT, y < 32 ? x << y : 0},
        {TERM_SHIFT_RIGHT, y < 32 ? x >> y : 0},
    };
    unsigned pick = random_below(&m->random, COUNT_OF(kinds));
    return (struct pair){term_binary(m->terms, kinds[pick].kind, a.term, b.term),
                         kinds[pick].value};
}

static struct pair make_part(struct maker *m, unsigned depth)
{
    struct pair wide = make_wide(m, depth);
    unsigned low = random_below(&m->random, 33);
    return (struct pair){term_extract(m->terms, wide.term, low, 32), (uint32_t)(wide.value >> low)};
}

static struct pair make_word(struct maker *m, unsigned depth)
{
    if (depth == 0)
        return make_leaf(m);
    struct pair a = make_word(m, depth - 1), b = make_word(m, depth - 1);
    switch (random_below(&m->random, 7)) {
    case 0: {
        struct pair c = make_bool(m, depth - 1);
        return (struct pair){term_if(m->terms, c.term, a.term, b.term),
                             c.value ? a.value : b.value};
    }
    case 1:
        return (struct pair){term_unary(m->terms, TERM_BIT_NOT, a.term), (uint32_t)~a.value};
    case 2:
        return (struct pair){term_unary(m->terms, TERM_NEGATE, a.term), (uint32_t)(0 - a.value)};
    case 3: {
        bool left = random_below(&m->random, 2);
        return (struct pair){term_shift(m->terms, left, a.term, b.term),
                             x86_shift(left, (uint32_t)a.value, (uint32_t)b.value)};
    }
    case 4:
        return make_part(m, depth - 1);
    default:
        return make_operation(m, a, b);
    }
}

static struct maker maker_new(struct arena *arena, uint64_t seed)
{
    struct maker m = {terms_new(arena), random_seed(seed), {0}};
    for (unsigned i = 0; i < VARIABLES; i++)
        m.values[i] = interesting(&m.random);
    return m;
}

static void constructors_keep_the_meaning(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1500; seed++) {
        struct arena *arena = arena_new();
        struct maker m = maker_new(arena, seed);
        struct pair p = make_word(&m, seed % DEPTH), q = make_bool(&m, seed % DEPTH);
        assert_int_equal(term_evaluate(arena, p.term, m.values, VARIABLES), p.value);
        assert_int_equal(term_evaluate(arena, q.term, m.values, VARIABLES), q.value);
        arena_free(arena);
    }
}

/* The values of all variables, as one condition. */
static const struct term *pinned(struct maker *m)
{
    static const char *const names[VARIABLES] = {"a", "b", "c", "d"};
    const struct term *all = term_bool(m->terms, true);
    for (unsigned i = 0; i < VARIABLES; i++) {
        const struct term *variable = term_variable(m->terms, 32, i, names[i]);
        const struct term *value = term_constant(m->terms, 32, m->values[i]);
        all = term_binary(m->terms, TERM_AND, all,
                          term_binary(m->terms, TERM_EQUAL, variable, value));
    }
    return all;
}

static void the_solver_means_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 120; seed++) {
        struct arena *arena = arena_new();
        struct maker m = maker_new(arena, seed);
        struct pair p = make_word(&m, 1 + seed % 3);
        const struct term *same =
            term_binary(m.terms, TERM_EQUAL, p.term, term_constant(m.terms, 32, p.value));
        const struct term *differs =
            term_binary(m.terms, TERM_AND, pinned(&m), term_not(m.terms, same));
        struct solver *solver = solver_new(m.terms, (struct limits){.deadline = deadline_in(20)});
        uint64_t found[VARIABLES];
        const char *reason = NULL;
        enum answer answer = solver_ask(solver, differs, found, VARIABLES, &reason);
        if (term_has_apply(p.term))
            assert_int_not_equal(answer, ANSWER_SAT);
        else
            assert_int_equal(answer, ANSWER_UNSAT);
        answer = solver_ask(solver, same, found, VARIABLES, &reason);
        if (!term_has_apply(p.term))
            assert_int_equal(answer, ANSWER_SAT);
        if (answer == ANSWER_SAT)
            assert_int_equal(term_evaluate(arena, same, found, VARIABLES), 1);
        solver_free(solver);
        arena_free(arena);
    }
}

/* Divisions and products are left open at first (loosen.c); that may never make a question
 * impossible that an assignment makes true. */
static void what_holds_is_never_denied(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct arena *arena = arena_new();
        struct maker m = maker_new(arena, seed);
        struct pair p = make_word(&m, 2 + seed % 3);
        const struct term *same =
            term_binary(m.terms, TERM_EQUAL, p.term, term_constant(m.terms, 32, p.value));
        const struct term *holds = term_binary(m.terms, TERM_AND, pinned(&m), same);
        struct solver *solver = solver_new(m.terms, (struct limits){.deadline = deadline_in(20)});
        uint64_t found[VARIABLES];
        assert_int_not_equal(solver_ask(solver, holds, found, VARIABLES, NULL), ANSWER_UNSAT);
        assert_int_equal(solver_statistics(solver).questions, 1);
        solver_free(solver);
        arena_free(arena);
    }
}

/* A quotient and products of values at which they do something of their own. */
static void operations_are_what_they_are(void **state)
{
    (void)state;
    static const uint32_t some[] = {0, 1, 2, 7, 0xffffffff};
    for (unsigned i = 0; i < COUNT_OF(some) * COUNT_OF(some); i++) {
        struct arena *arena = arena_new();
        struct maker m = {.terms = terms_new(arena)};
        uint32_t x = some[i / COUNT_OF(some)], y = some[i % COUNT_OF(some)];
        m.values[0] = m.values[3] = x;
        m.values[1] = m.values[2] = y;
        const struct term *v[VARIABLES];
        for (unsigned j = 0; j < VARIABLES; j++)
            v[j] = term_variable(m.terms, 32, j, "v");
        const struct term *parts[] = {
            term_binary(m.terms, TERM_EQUAL, term_binary(m.terms, TERM_MUL, v[1], v[1]),
                        term_constant(m.terms, 32, y * y)),
            term_binary(m.terms, TERM_EQUAL, term_binary(m.terms, TERM_UNSIGNED_DIV, v[0], v[1]),
                        term_constant(m.terms, 32, y ? x / y : 0xffffffffu)),
            term_binary(m.terms, TERM_EQUAL, term_binary(m.terms, TERM_MUL, v[0], v[1]),
                        term_constant(m.terms, 32, x * y)),
            term_binary(m.terms, TERM_EQUAL, term_binary(m.terms, TERM_MUL, v[2], v[3]),
                        term_constant(m.terms, 32, x * y)),
            term_binary(m.terms, TERM_EQUAL, term_binary(m.terms, TERM_MUL, v[0], v[0]),
                        term_constant(m.terms, 32, x * x)),
        };
        const struct term *holds = pinned(&m);
        for (size_t j = 0; j < COUNT_OF(parts); j++)
            holds = term_binary(m.terms, TERM_AND, holds, parts[j]);
        struct solver *solver = solver_new(m.terms, (struct limits){.deadline = deadline_in(20)});
        uint64_t found[VARIABLES];
        assert_int_equal(solver_ask(solver, holds, found, VARIABLES, NULL), ANSWER_SAT);
        solver_free(solver);
        arena_free(arena);
    }
}

/* The two unknown functions are two: a left shift may differ from a right shift. */
static void unknown_functions_are_kept_apart(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x"), *y = term_variable(t, 32, 1, "y");
    const struct term *differ = term_not(
        t, term_binary(t, TERM_EQUAL, term_shift(t, true, x, y), term_shift(t, false, x, y)));
    const struct term *beyond = term_binary(
        t, TERM_AND, differ, term_binary(t, TERM_UNSIGNED_LESS, term_constant(t, 32, 40), y));
    struct solver *solver = solver_new(t, (struct limits){.deadline = deadline_in(20)});
    uint64_t found[2];
    assert_int_not_equal(solver_ask(solver, beyond, found, 2, NULL), ANSWER_UNSAT);
    solver_free(solver);
}

/* (x / y) * z on both sides, with a choice inside of one: hopeless as circuits, and settled in no
 * time when the quotient is left open. */
static void quotients_on_both_sides_are_settled(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x"), *y = term_variable(t, 32, 1, "y");
    const struct term *z = term_variable(t, 32, 2, "z"), *zero = term_constant(t, 32, 0);
    const struct term *quotient = term_binary(t, TERM_UNSIGNED_DIV, x, y);
    const struct term *is_zero = term_binary(t, TERM_EQUAL, y, zero);
    const struct term *inside = term_binary(t, TERM_MUL, term_if(t, is_zero, zero, quotient), z);
    const struct term *outside = term_if(t, is_zero, zero, term_binary(t, TERM_MUL, quotient, z));
    const struct term *differ = term_not(t, term_binary(t, TERM_EQUAL, inside, outside));
    struct solver *solver = solver_new(t, (struct limits){.deadline = deadline_in(60)});
    uint64_t values[3];
    const char *reason = NULL;
    assert_int_equal(solver_ask(solver, differ, values, 3, &reason), ANSWER_UNSAT);
    /* And what is wrong about it is found out, with the real quotient. */
    const struct term *sum = term_binary(t, TERM_ADD, quotient, term_constant(t, 32, 1));
    const struct term *wrong = term_binary(t, TERM_EQUAL, sum, zero);
    assert_int_equal(solver_ask(solver, wrong, values, 3, &reason), ANSWER_SAT);
    assert_int_equal(term_evaluate(f->arena, wrong, values, 3), 1);
    solver_free(solver);
}

static void equal_shapes_are_one_term(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x");
    const struct term *five = term_constant(t, 32, 5), *six = term_constant(t, 32, 6);
    const struct term *at_most_five = term_binary(t, TERM_UNSIGNED_LESS_EQUAL, x, five);
    assert_ptr_equal(at_most_five, term_binary(t, TERM_UNSIGNED_LESS, x, six));
    assert_ptr_equal(term_not(t, at_most_five), term_binary(t, TERM_UNSIGNED_LESS, five, x));
    const struct term *high = term_binary(t, TERM_BIT_AND, x, term_constant(t, 32, 0xffff0000));
    assert_ptr_equal(term_binary(t, TERM_EQUAL, high, term_constant(t, 32, 0)),
                     term_binary(t, TERM_UNSIGNED_LESS, x, term_constant(t, 32, 0x10000)));
    assert_true(term_is_false(term_binary(t, TERM_EQUAL, high, five)));
    assert_ptr_equal(term_if(t, term_not(t, at_most_five), five, six),
                     term_if(t, at_most_five, six, five));
    assert_int_equal(at_most_five->uses, 1);
}

static void shifts_beyond_are_unknown_but_equal(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x"), *y = term_variable(t, 32, 1, "y");
    const struct term *forty = term_constant(t, 32, 40);
    assert_ptr_equal(term_shift(t, true, x, y), term_shift(t, true, x, y));
    assert_ptr_not_equal(term_shift(t, true, x, forty), term_shift(t, false, x, forty));
    assert_true(term_has_apply(term_shift(t, true, term_constant(t, 32, 1), forty)));
    assert_false(term_has_apply(term_shift(t, true, x, term_constant(t, 32, 31))));
    struct solver *solver = solver_new(t, (struct limits){0});
    uint64_t values[2];
    const char *reason = NULL;
    const struct term *zero = term_constant(t, 32, 0);
    const struct term *lost =
        term_binary(t, TERM_EQUAL, term_shift(t, true, term_constant(t, 32, 1), forty), zero);
    assert_int_equal(solver_ask(solver, lost, values, 2, &reason), ANSWER_UNKNOWN);
    assert_non_null(strstr(reason, "machines do differently"));
    solver_free(solver);
}

static void limits_give_unknown(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 64, 0, "x"), *y = term_variable(t, 64, 1, "y");
    const struct term *one = term_constant(t, 64, 1);
    const struct term *product = term_binary(t, TERM_MUL, x, y);
    const struct term *question = term_binary(
        t, TERM_AND,
        term_binary(t, TERM_EQUAL, product, term_constant(t, 64, UINT64_C(0xfffffffb0000000b))),
        term_binary(t, TERM_AND, term_binary(t, TERM_UNSIGNED_LESS, one, x),
                    term_binary(t, TERM_UNSIGNED_LESS, one, y)));
    uint64_t values[2];
    const char *reason = NULL;
    struct solver *limited = solver_new(t, (struct limits){.rlimit = 1000});
    assert_int_equal(solver_ask(limited, question, values, 2, &reason), ANSWER_UNKNOWN);
    assert_non_null(reason);
    solver_free(limited);
    struct solver *late = solver_new(t, (struct limits){.deadline = {1}});
    reason = NULL;
    assert_int_equal(solver_ask(late, question, values, 2, &reason), ANSWER_UNKNOWN);
    assert_non_null(strstr(reason, "time limit"));
    solver_free(late);
}

/* Z3 does not look at its clock while it makes circuits: too many are not begun. */
static void what_time_cannot_hold_is_not_begun(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x"), *y = term_variable(t, 32, 1, "y");
    const struct term *value = x;
    for (unsigned i = 0; i < 100; i++)
        value = term_binary(t, TERM_UNSIGNED_DIV, term_binary(t, TERM_ADD, value, x),
                            term_binary(t, TERM_ADD, y, term_constant(t, 32, i)));
    const struct term *question = term_binary(t, TERM_EQUAL, value, term_constant(t, 32, 77));
    uint64_t values[2];
    const char *reason = NULL;
    struct solver *solver = solver_new(t, (struct limits){.deadline = deadline_in(1)});
    assert_int_equal(solver_ask(solver, question, values, 2, &reason), ANSWER_UNKNOWN);
    assert_non_null(strstr(reason, "too many products and quotients"));
    solver_free(solver);
    /* without a deadline, or with few of them, it is asked */
    solver = solver_new(t, (struct limits){0});
    question = term_binary(t, TERM_EQUAL, term_binary(t, TERM_UNSIGNED_DIV, x, y),
                           term_constant(t, 32, 77));
    assert_int_equal(solver_ask(solver, question, values, 2, &reason), ANSWER_SAT);
    solver_free(solver);
}

/* As deep as the longest program, and more: nothing may recurse. */
static void depth_is_no_limit(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "x");
    const struct term *chain = x, *sum = x;
    for (uint32_t i = 0; i < 100000; i++) {
        const struct term *constant = term_constant(t, 32, i * 7 + 3);
        chain = term_if(t, term_binary(t, TERM_EQUAL, x, constant), term_constant(t, 32, i), chain);
        sum = term_binary(t, i % 2 ? TERM_ADD : TERM_BIT_XOR, sum, constant);
    }
    uint64_t value = 3 + 7 * 5;
    assert_int_equal(term_evaluate(f->arena, chain, &value, 1), 5);
    const struct term *question = term_binary(t, TERM_EQUAL, sum, term_constant(t, 32, 12345));
    struct buffer out = buffer_new(f->arena);
    term_print_smt2(&out, f->arena, term_binary(t, TERM_EQUAL, chain, sum), "deep", false);
    assert_non_null(strstr(buffer_string(&out), "(check-sat)"));
    assert_int_equal(question->children[0] == x, true);
}

static void scripts_stand_alone(void **state)
{
    struct fixture *f = *state;
    struct terms *t = terms_new(f->arena);
    const struct term *x = term_variable(t, 32, 0, "lo32(arg0)"), *y = term_variable(t, 32, 1, "y");
    const struct term *less = term_binary(t, TERM_UNSIGNED_LESS, x, y);
    const struct term *more = term_binary(t, TERM_UNSIGNED_LESS, y, x);
    const struct term *question = term_binary(t, TERM_AND, less, more);
    struct buffer out = buffer_new(f->arena);
    term_print_smt2(&out, f->arena, question, "two lines\nof comment", true);
    assert_string_equal(
        buffer_string(&out),
        "; two lines\n; of comment\n"
        "(reset)\n(set-info :smt-lib-version 2.6)\n(set-info :status unsat)\n(set-logic QF_BV)\n"
        "(declare-const |lo32(arg0)| (_ BitVec 32))\n"
        "(declare-const |y| (_ BitVec 32))\n"
        "(define-fun t2 () Bool (bvult |y| |lo32(arg0)|))\n"
        "(define-fun t3 () Bool (bvult |lo32(arg0)| |y|))\n"
        "(define-fun t4 () Bool (and t3 t2))\n"
        "(assert t4)\n(check-sat)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(constructors_keep_the_meaning),
        TEST(the_solver_means_the_same),
        TEST(what_holds_is_never_denied),
        TEST(quotients_on_both_sides_are_settled),
        TEST(operations_are_what_they_are),
        TEST(unknown_functions_are_kept_apart),
        TEST(equal_shapes_are_one_term),
        TEST(shifts_beyond_are_unknown_but_equal),
        TEST(limits_give_unknown),
        TEST(what_time_cannot_hold_is_not_begun),
        TEST(depth_is_no_limit),
        TEST(scripts_stand_alone),
    };
    return RUN_TESTS(tests);
}
