#include "abi/abi.h"
#include "unit/support.h"

static void field_offsets_are_the_kernels(void **state)
{
    (void)state;
    assert_int_equal(field_offset(FIELD_NR, true), 0);
    assert_int_equal(field_offset(FIELD_ARCH, true), 4);
    assert_int_equal(field_offset(FIELD_IP_LO, false), 8);
    assert_int_equal(field_offset(FIELD_IP_LO, true), 12);
    assert_int_equal(field_offset(field_arg_lo(5), false), 56);
    assert_int_equal(field_offset(field_arg_hi(5), true), 56);
    for (int field = 0; field < FIELD_COUNT; field++)
        for (int big = 0; big < 2; big++)
            assert_int_equal(field_at(field_offset((enum field)field, big), big), field);
}

static void fields_are_words_of_the_input(void **state)
{
    (void)state;
    struct input input = {0};
    for (int field = 0; field < FIELD_COUNT; field++)
        input_set_field(&input, (enum field)field, 0xabc00000u + (uint32_t)field);
    for (int field = 0; field < FIELD_COUNT; field++)
        assert_int_equal(input_field(&input, (enum field)field), 0xabc00000u + (uint32_t)field);
    assert_int_equal(input.args[2], 0xabc00009abc00008ull);
    assert_int_equal(input.ip, 0xabc00003abc00002ull);
    assert_string_equal(field_name(FIELD_ARG2_HI), "hi32(arg2)");
}

static void verdicts_print_as_the_language_reads_them(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t word;
        const char *text;
    } rows[] = {
        {0x7fff0000, "allow"},
        {0x7fff0001, "ret(0x7fff0001)"},
        {0x00050001, "errno(EPERM)"},
        {0x00050026, "errno(ENOSYS)"},
        {0x0005000b, "errno(EAGAIN)"},
        {0x00050000, "errno(0)"},
        {0x00050fff, "errno(4095)"},
        {0x00051000, "ret(0x00051000)"},
        {0x00030007, "trap(7)"},
        {0x7ff0ffff, "trace(65535)"},
        {0x7fc00000, "notify"},
        {0x7fc00001, "ret(0x7fc00001)"},
        {0x7ffc0000, "log"},
        {0, "kill_thread"},
        {1, "ret(0x00000001)"},
        {0x80000000, "kill_process"},
        {0x12345678, "ret(0x12345678)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out = buffer_new(f->arena);
        verdict_print(&out, rows[i].word, ABI_NONE);
        assert_string_equal(buffer_string(&out), rows[i].text);
    }
    struct buffer out = buffer_new(f->arena);
    verdict_print(&out, 0x00050059, ABI_MIPS);
    assert_string_equal(buffer_string(&out), "errno(ENOSYS)");
}

static void unknown_words_kill_the_process(void **state)
{
    (void)state;
    bool known = true;
    assert_int_equal(action_of_word(0x12340000, &known)->action, ACTION_KILL_PROCESS);
    assert_false(known);
    assert_int_equal(action_of_word(0x00050026, &known)->action, ACTION_ERRNO);
    assert_true(known);
    for (int action = 0; action < ACTION_COUNT; action++) {
        const struct action_info *info = action_get((enum action)action);
        assert_int_equal(info->action, action);
        assert_ptr_equal(action_by_name(info->name), info);
        assert_ptr_equal(action_of_word(info->word, NULL), info);
        if (action > 0)
            assert_true((int32_t)info->word > (int32_t)action_get((enum action)(action - 1))->word);
    }
}

static void the_strictest_word_of_a_stack_wins(void **state)
{
    (void)state;
    uint32_t tie[] = {0x00050002, 0x00050001, 0x7fff0000};
    uint32_t kill[] = {0, 0x80000001, 0x00030000};
    uint32_t allow[] = {0x7fff0007};
    uint32_t unknown[] = {0x7fff0000, 0x00060000, 0x7ffc0000};
    uint32_t above[] = {0x7fffffff, 0x7fff1234};
    assert_int_equal(verdict_combine(tie, 3), 0x00050002);
    assert_int_equal(verdict_combine(kill, 3), 0x80000001);
    assert_int_equal(verdict_combine(allow, 1), 0x7fff0000);
    assert_int_equal(verdict_combine(unknown, 3), 0x00060000);
    assert_int_equal(verdict_combine(above, 2), 0x7fff0000);
    assert_int_equal(verdict_combine(NULL, 0), 0x7fff0000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(field_offsets_are_the_kernels),
        TEST(fields_are_words_of_the_input),
        TEST(verdicts_print_as_the_language_reads_them),
        TEST(unknown_words_kill_the_process),
        TEST(the_strictest_word_of_a_stack_wins),
    };
    return RUN_TESTS(tests);
}
