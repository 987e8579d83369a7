#include "abi/abi.h"
#include "unit/support.h"

static bool parse(struct fixture *f, const char *text, enum abi_id abi, struct call *call)
{
    struct diagnostics diagnostics = diagnostics_new(f->arena);
    result r = call_parse(f->arena, text, abi, &diagnostics, call);
    return worked(r);
}

static const struct row {
    const char *text;
    enum abi_id abi; /* that the call is read for, and the one it must have */
    enum abi_id expected;
    uint32_t nr;
    uint64_t args[6];
} rows[] = {
    {"openat(AT_FDCWD, 0x1000, O_RDONLY)", ABI_X86_64, ABI_X86_64, 257, {-100ull, 0x1000, 0}},
    {"i386:getpid()", ABI_X86_64, ABI_I386, 20, {0}},
    {"getpid", ABI_X86_64, ABI_X86_64, 39, {0}},
    {"x86_64:nr(435, 1, 2)", ABI_NONE, ABI_X86_64, 435, {1, 2}},
    {"nr(-1)", ABI_X86_64, ABI_X86_64, 0xffffffff, {0}},
    {"x86_64:nr(0x40000001)", ABI_NONE, ABI_X32, 0x40000001, {0}},
    {"i386:openat(AT_FDCWD, NULL, 0)", ABI_X86_64, ABI_I386, 295, {0xffffff9c}},
    {"openat(0xffffff9c)", ABI_X86_64, ABI_X86_64, 257, {0xffffff9c}},
    {"i386:close(0xdeadbeef00000003)", ABI_X86_64, ABI_I386, 6, {0xdeadbeef00000003}},
    {"close(-1)", ABI_X86_64, ABI_X86_64, 3, {-1ull}},
    {"write(1, \"a\\\"b)\"..., 5) = 5", ABI_X86_64, ABI_X86_64, 1, {1, 0x1000, 5}},
    {"fstat(3, {st_mode=S_IFREG|0644, \"}\", [1, 2]}) = 0", ABI_X86_64, ABI_X86_64, 5, {3, 0x1000}},
    {"openat(3, NULL, O_WRONLY|O_CREAT | O_CLOEXEC, 0666)",
     ABI_X86_64,
     ABI_X86_64,
     257,
     {3, 0, 02000101, 0666}},
    {"close(~0x3)", ABI_X86_64, ABI_X86_64, 3, {-4ull}},
    {"close((1 << 4) + 2 * 3 - 1 ^ 1)", ABI_X86_64, ABI_X86_64, 3, {20}},
    {"close(3; 7, 8)", ABI_X86_64, ABI_X86_64, 3, {3, 7, 8}},
    {"close(; 7)", ABI_X86_64, ABI_X86_64, 3, {0, 7}},
    {"close(3 /* stdin */)", ABI_X86_64, ABI_X86_64, 3, {3}},
    {"arch(0xc000003e):nr(5, 6)", ABI_NONE, ABI_X86_64, 5, {6}},
    {"arch(0x12345678):nr(5, 6)", ABI_X86_64, ABI_NONE, 5, {6}},
};

static void reads_calls(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct call call;
        const struct row *row = &rows[i];
        if (failed(call_parse(f->arena, row->text, row->abi, &f->diagnostics, &call))) {
            diagnostics_print(&f->diagnostics, stderr);
            fail_msg("not read: %s", row->text);
        }
        if (call.abi != row->expected || call.input.nr != row->nr ||
            memcmp(call.input.args, row->args, sizeof row->args) != 0) {
            struct buffer out = buffer_new(f->arena);
            call_print(&out, &call.input, 0, false);
            fail_msg("%s was read as %s", row->text, buffer_string(&out));
        }
    }
}

static void reads_the_instruction_pointer(void **state)
{
    struct call call;
    assert_true(parse(*state, "getpid()@0x7fff12345678", ABI_X86_64, &call));
    assert_int_equal(call.input.ip, 0x7fff12345678);
}

static const struct {
    const char *text;
    const char *message;
} mistakes[] = {
    {"opnat(1)", "did you mean `openat`"},
    {"close(1, 2)", "close takes 1 argument"},
    {"nr(1, 1, 2, 3, 4, 5, 6, 7)", "takes 6 arguments"},
    {"close(O_RDNLY)", "did you mean"},
    {"close(1", "expected `)`"},
    {"close(1) x", "expected the call to end"},
    {"close(0x10000000000000000)", "more than 64 bits"},
    {"close(-0x8000000000000001)", "does not fit"},
    {"i386:close(-0x80000001)", "does not fit"},
    {"nr(0x100000000)", "32 bits"},
    {"z80:close(1)", "unknown ABI `z80`"},
    {"i386:arch_prctll()", "did you mean"},
    {"aarch64:open(1)", "aarch64 has no system call `open`"},
    {"close(08)", "not a number"},
    {"close(\"abc)", "never closed"},
    {"close({1, 2)", "never closed"},
    {"close(1 << 64)", "does not fit in 64 bits"},
    {"", "expected a system call"},
    {"nr", "expected `(`"},
    {"arch(5):close(1)", "nr(NUMBER"},
    {"close(1,)", "expected a value"},
};

static void every_mistake_is_named(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        struct diagnostics diagnostics = diagnostics_new(f->arena);
        struct call call;
        result r = call_parse(f->arena, mistakes[i].text, ABI_X86_64, &diagnostics, &call);
        if (worked(r) || !strstr(diagnostics.first->message, mistakes[i].message)) {
            diagnostics_print(&diagnostics, stderr);
            fail_msg("%s: expected: %s", mistakes[i].text, mistakes[i].message);
        }
    }
}

static void deep_nesting_is_an_error(void **state)
{
    struct fixture *f = *state;
    enum { DEPTH = 100000 };
    struct call call;
    char *text = arena_alloc(f->arena, DEPTH + 10);
    memcpy(text, "close(", 6);
    memset(text + 6, '(', DEPTH);
    assert_false(parse(f, text, ABI_X86_64, &call));
    memset(text + 6, '~', DEPTH);
    assert_false(parse(f, text, ABI_X86_64, &call));
    memset(text + 6, '[', DEPTH);
    assert_false(parse(f, text, ABI_X86_64, &call));
}

/* Mutations of good calls: an answer or a report, never a crash. */
static void damaged_calls_are_reported(void **state)
{
    (void)state;
    struct random random = random_seed(5);
    for (unsigned i = 0; i < 6000; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct row *row = &rows[random_below(&random, (uint32_t)COUNT_OF(rows))];
        size_t length = strlen(row->text);
        char *text = arena_string(arena, row->text, length);
        for (unsigned k = random_below(&random, 4); k > 0; k--)
            text[random_below(&random, (uint32_t)length)] =
                random_below(&random, 2) ? (char)random_u64(&random)
                                         : "(){}[]~,;:0x@-\"\\"[random_below(&random, 16)];
        struct call call;
        result r = call_parse(arena, text, ABI_X86_64, &diagnostics, &call);
        assert_int_equal(failed(r), diagnostics.errors > 0);
        arena_free(arena);
    }
}

static void prints_as_strace_does(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "x86_64:openat(AT_FDCWD, 0x1000, 0, 0)",
        "i386:getpid()",
        "x86_64:nr(-1)",
        "x86_64:openat(-5000, NULL, 0, 0)",
        "i386:openat(-5000, NULL, 0, 0)",
        "x86_64:openat(0xffffec78, NULL, 0, 0)",
        "x86_64:openat(0xffffffff7fffffff, NULL, 0, 0)",
        "i386:openat(0xffffffffffffec78, NULL, 0, 0)",
        "x86_64:close(3; 7)",
        "x86_64:nr(9999, 1, 2)",
        "arch(0x12345678):nr(5, 6)@0x7000",
        "i386:openat(AT_FDCWD, NULL, 0, 0)",
        "x86_64:mmap(0, 0x1000, 3, 0x22, 0xffffffffffffffff, 0)",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct call call;
        struct buffer out = buffer_new(f->arena);
        assert_true(parse(f, texts[i], ABI_NONE, &call));
        call_print(&out, &call.input, 0, false);
        assert_string_equal(buffer_string(&out), texts[i]);
    }
}

static uint64_t random_register(struct random *random)
{
    switch (random_below(random, 6)) {
    case 0:
        return random_below(random, 20);
    case 1:
        return (uint64_t) - (int64_t)random_below(random, 5000);
    case 2:
        return (uint32_t) - (int32_t)random_below(random, 5000);
    case 3:
        return (uint32_t)random_u64(random);
    case 4:
        return 0;
    default:
        return random_u64(random);
    }
}

static struct input random_input(struct random *random, const struct abi *abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi->id, &count);
    struct input input = {.arch = abi->token, .ip = random_register(random)};
    if (count && random_below(random, 8))
        input.nr = table[random_below(random, (uint32_t)count)].nr;
    else
        input.nr = (uint32_t)random_register(random);
    for (unsigned i = 0; i < 6; i++)
        input.args[i] = random_register(random);
    return input;
}

/* Whatever the input, on every ABI, and whatever ABI the reader would take by itself. */
static void what_is_printed_reads_back(void **state)
{
    (void)state;
    struct random random = random_seed(3);
    for (int id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        for (unsigned i = 0; i < 1500; i++) {
            struct input input = random_input(&random, abi);
            struct buffer out = buffer_new(arena);
            struct call call;
            abi_set declared = (abi_set)random_u64(&random) & (ABI_BIT(ABI_COUNT) - 1);
            call_print(&out, &input, declared, abi->big_endian);
            result r = call_parse(arena, buffer_string(&out), ABI_I386, &diagnostics, &call);
            if (failed(r) || memcmp(&call.input, &input, sizeof input) != 0) {
                diagnostics_print(&diagnostics, stderr);
                fail_msg("%s does not read back", buffer_string(&out));
            }
        }
        arena_free(arena);
    }
}

static void bit_30_tells_x32(void **state)
{
    (void)state;
    uint32_t token = abi_get(ABI_X86_64)->token;
    assert_int_equal(input_abi(&(struct input){.arch = token, .nr = 0}, false), ABI_X86_64);
    assert_int_equal(input_abi(&(struct input){.arch = token, .nr = X32_BIT}, false), ABI_X32);
    assert_int_equal(input_abi(&(struct input){.arch = token, .nr = 0x7fffffff}, false), ABI_X32);
    assert_int_equal(input_abi(&(struct input){.arch = token, .nr = NR_SKIP}, false), ABI_X86_64);
    assert_int_equal(input_abi(&(struct input){.arch = token, .nr = 0x80000000}, false),
                     ABI_X86_64);
    assert_int_equal(input_abi(&(struct input){.arch = token}, true), ABI_NONE);
    assert_int_equal(input_abi(&(struct input){.arch = 5}, false), ABI_NONE);
}

static void ignored_bits_are_zeroed(void **state)
{
    (void)state;
    struct input input = {.nr = 257, .arch = abi_get(ABI_X86_64)->token};
    memset(input.args, 0xff, sizeof input.args);
    input.args[0] = 0x12345678ffffff9cull;
    input.args[3] = 0xffffffffffff1234ull;
    struct input visible = input_visible(&input, ABI_X86_64, false);
    assert_int_equal(visible.args[0], 0xffffff9c);
    assert_int_equal(visible.args[1], UINT64_MAX);
    assert_int_equal(visible.args[2], 0xffffffff);
    assert_int_equal(visible.args[3], 0x1234);
    assert_int_equal(visible.args[4], 0);
    assert_int_equal(visible.args[5], 0);
    visible = input_visible(&input, ABI_X86_64, true);
    assert_int_equal(visible.args[0], 0xffffffffffffff9cull);
    assert_int_equal(visible.args[3], 0x1234);
    input.nr = 295;
    input.arch = abi_get(ABI_I386)->token;
    visible = input_visible(&input, ABI_I386, true);
    assert_int_equal(visible.args[0], 0xffffff9c);
    assert_int_equal(visible.args[1], 0xffffffff);
    input.nr = 100000;
    visible = input_visible(&input, ABI_I386, true);
    assert_memory_equal(&visible, &input, sizeof input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_calls),
        TEST(reads_the_instruction_pointer),
        TEST(every_mistake_is_named),
        TEST(deep_nesting_is_an_error),
        TEST(damaged_calls_are_reported),
        TEST(prints_as_strace_does),
        TEST(what_is_printed_reads_back),
        TEST(bit_30_tells_x32),
        TEST(ignored_bits_are_zeroed),
    };
    return RUN_TESTS(tests);
}
