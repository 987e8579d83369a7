/* What unit tests share: cmocka, and one arena with diagnostics per test. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "unit/samples.h"

struct fixture {
    struct arena *arena;
    struct diagnostics diagnostics;
};

static inline int fixture_open(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = NEW(arena, struct fixture);
    fixture->arena = arena;
    fixture->diagnostics = diagnostics_new(arena);
    *state = fixture;
    return 0;
}

static inline int fixture_close(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_open, fixture_close)

/* One group per program, as TAP. */
#define RUN_TESTS(tests)                                                                           \
    (cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests(tests, NULL, NULL))

#endif
