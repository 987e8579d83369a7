#include "tests/unit/support.h"

#include "sim/facts.h"

/* A term of small values and constants near both ends, so that all of them can be tried. */

#define VALUES 64u
#define TESTS_MOST 12u

static const enum operation operations[] = {OP_JUMP_EQUAL, OP_JUMP_GREATER, OP_JUMP_GREATER_EQUAL,
                                            OP_JUMP_SET};

static uint32_t value_at(uint32_t index)
{
    return index < VALUES / 2 ? index : UINT32_MAX - (VALUES - 1 - index);
}

static bool meets(enum operation operation, uint32_t value, uint32_t constant)
{
    return operation == OP_JUMP_EQUAL           ? value == constant
           : operation == OP_JUMP_GREATER       ? value > constant
           : operation == OP_JUMP_GREATER_EQUAL ? value >= constant
                                                : (value & constant) != 0;
}

/* What the fact says of one value: possible when the equality with it is not known to be false. */
static bool is_possible(const struct fact *fact, uint32_t value)
{
    return fact_decides(fact, OP_JUMP_EQUAL, value) != OUTCOME_FALSE;
}

static uint32_t random_constant(struct random *random, enum operation operation)
{
    uint32_t constant = value_at(random_below(random, VALUES));
    return operation == OP_JUMP_SET ? constant | (1u << random_below(random, 32)) : constant;
}

/* Every test of a path, as one real value makes it: exactly the values that would have made all of
 * them alike are possible, and what is called decided is so for each of them. */
static void test_exactly_the_values_of_the_path_are_possible(void **state)
{
    struct fixture *fixture = *state;
    struct random random = random_seed(7);
    size_t decided = 0, open = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct facts facts = {.arena = fixture->arena};
        bool alike[VALUES];
        memset(alike, true, sizeof alike);
        uint32_t real = value_at(random_below(&random, VALUES));
        for (unsigned i = 0; i < TESTS_MOST; i++) {
            enum operation operation = operations[random_below(&random, COUNT_OF(operations))];
            uint32_t constant = random_constant(&random, operation);
            bool holds = meets(operation, real, constant);
            enum outcome outcome = fact_decides(facts_about(&facts, "t"), operation, constant);
            if (outcome != OUTCOME_OPEN)
                assert_int_equal(outcome == OUTCOME_TRUE, holds);
            for (uint32_t v = 0; v < VALUES; v++) {
                if (outcome != OUTCOME_OPEN && alike[v])
                    assert_int_equal(meets(operation, value_at(v), constant), holds);
                alike[v] = alike[v] && meets(operation, value_at(v), constant) == holds;
            }
            decided += outcome != OUTCOME_OPEN;
            open += outcome == OUTCOME_OPEN;
            facts_add(&facts, "t", operation, constant, holds);
            for (uint32_t v = 0; v < VALUES; v++)
                assert_int_equal(is_possible(facts_about(&facts, "t"), value_at(v)), alike[v]);
        }
    }
    assert_true(decided > 1000 && open > 1000);
}

static void test_terms_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct facts facts = {.arena = fixture->arena};
    facts_add(&facts, "nr", OP_JUMP_GREATER_EQUAL, 0x3c, true);
    facts_add(&facts, "arch", OP_JUMP_EQUAL, 5, false);
    assert_null(facts_about(&facts, "lo32(arg0)"));
    assert_int_equal(fact_decides(facts_about(&facts, "nr"), OP_JUMP_GREATER, 0x3b), OUTCOME_TRUE);
    assert_int_equal(fact_decides(facts_about(&facts, "arch"), OP_JUMP_EQUAL, 5), OUTCOME_FALSE);
    assert_int_equal(fact_decides(NULL, OP_JUMP_EQUAL, 5), OUTCOME_OPEN);
}

static const char *text_of(struct fixture *fixture, const struct facts *facts, size_t most)
{
    return fact_text(fixture->arena, facts_about(facts, "nr"), most);
}

static void test_text(void **state)
{
    struct fixture *fixture = *state;
    struct facts facts = {.arena = fixture->arena};
    facts_add(&facts, "nr", OP_JUMP_GREATER_EQUAL, 0, true);
    assert_null(text_of(fixture, &facts, 4));
    for (uint32_t value = 0x50; value < 0x55; value++)
        facts_add(&facts, "nr", OP_JUMP_EQUAL, value, false);
    assert_string_equal(text_of(fixture, &facts, 5), "nr: not 0x50, 0x51, 0x52, 0x53, 0x54");
    assert_string_equal(text_of(fixture, &facts, 4), "nr: not 5 values");
    facts_add(&facts, "nr", OP_JUMP_GREATER_EQUAL, 0x52, true);
    facts_add(&facts, "nr", OP_JUMP_GREATER, 0x166, false);
    assert_string_equal(text_of(fixture, &facts, 4), "0x55 <= nr <= 0x166");
    for (uint32_t value = 0x60; value < 0x63; value++)
        facts_add(&facts, "nr", OP_JUMP_EQUAL, value, false);
    facts_add(&facts, "nr", OP_JUMP_SET, 0x8, false);
    facts_add(&facts, "nr", OP_JUMP_SET, 0x101, true);
    assert_string_equal(text_of(fixture, &facts, 2),
                        "0x55 <= nr <= 0x166 and not 3 values, no bit of 0x8 set, a bit of 0x101 set");
    facts_add(&facts, "nr", OP_JUMP_EQUAL, 0x101, true);
    assert_string_equal(text_of(fixture, &facts, 4), "nr == 0x101");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exactly_the_values_of_the_path_are_possible),
        TEST(test_terms_are_told_apart),
        TEST(test_text),
    };
    return RUN_TESTS(tests);
}
