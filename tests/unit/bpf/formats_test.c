#include "unit/bpf/programs.h"

static const struct source *text_source(struct fixture *f, const char *text)
{
    return source_from_text(f->arena, "x", text, strlen(text));
}

static const struct sock_filter small[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0x00050001),
    BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
};

/* All of them the program above. */
static const struct spelling {
    enum format format;
    const char *text;
} spellings[] = {
    {FORMAT_C, "{ 0x20, 0, 0, 0x00000004 },\n{ 0x15, 0, 1, 0xc000003e },\n"
               "{ 0x06, 0, 0, 0x00050001 },\n{ 0x06, 0, 0, 0x7fff0000 },\n"},
    {FORMAT_C, "static const struct sock_filter code[4] = {\n  {32,0,0,4}, {21,0,1,3221225534u},\n"
               "  {6,0,0,327681}, /* EPERM */ {6,0,0,2147418112} };\n"},
    {FORMAT_C,
     "#include <linux/filter.h>\n"
     "struct sock_filter filter[] = {\n"
     "    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)), // the arch\n"
     "    BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, AUDIT_ARCH_X86_64, 0, 1),\n"
     "    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),\n"
     "    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),\n"
     "};\n"},
    {FORMAT_C, "{ .code = 0x20, .jt = 0, .jf = 0, .k = (16 + 8 * 1) >> 1 & ~0x8, },\n"
               "{ 0x15, 0, 1, 0xc000003e }, { 6, 0, 0, 0x50001 }, { 6, 0, 0, 0x7fff0000 }"},
    {FORMAT_DECIMAL, "4\n32 0 0 4\n21 0 1 3221225534\n6 0 0 327681\n6 0 0 2147418112\n"},
    {FORMAT_DECIMAL, "4,32 0 0 4,21 0 1 3221225534,6 0 0 327681,6 0 0 2147418112,\n"},
    {FORMAT_JSON, "[[32,0,0,4],[21,0,1,3221225534],[6,0,0,327681],[6,0,0,2147418112]]"},
    {FORMAT_JSON, " [{\"code\":32,\"jt\":0,\"jf\":0,\"k\":4},[21,0,1,3221225534],\n"
                  "{\"k\":327681,\"jt\":0,\"jf\":0,\"code\":6},[6,0,0,2147418112]]"},
    {FORMAT_ASSEMBLY, "; arch first\n ld arch\n jne #0xc000003e, good\n ret errno(EPERM)\n"
                      "good: ret allow\n"},
};

static void all_spellings_are_one_program(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        const struct source *source = text_source(f, spellings[i].text);
        struct program program;
        enum format format = format_detect(source);
        if (format != spellings[i].format)
            fail_msg("taken for %s: %s", format_name(format), spellings[i].text);
        if (failed(program_decode(f->arena, source, format, &f->diagnostics, &program))) {
            diagnostics_print(&f->diagnostics, stderr);
            fail_msg("not read: %s", spellings[i].text);
        }
        assert_int_equal(program.length, COUNT_OF(small));
        assert_memory_equal(program.code, small, sizeof small);
        assert_false(program.big_endian);
    }
}

static const struct mistake {
    enum format format;
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *message;
} mistakes[] = {
    {FORMAT_RAW_LITTLE, "", 1, 1, "empty"},
    {FORMAT_RAW_BIG, "123456789", 1, 9, "multiple of 8"},
    {FORMAT_C, "{ 0x20, 0, 0 },", 1, 14, "expected `,`"},
    {FORMAT_C, "{ 0x20, 256, 0, 0 },", 1, 9, "jt is from 0 to 255"},
    {FORMAT_C, "{ 0x10000, 0, 0, 0 },", 1, 3, "code is from"},
    {FORMAT_C, "{ 0x20, 0, 0, 0x100000000 },", 1, 15, "k is from"},
    {FORMAT_C, "{ 6, 0, 0, 0 },\nfoo", 2, 1, "expected an instruction"},
    {FORMAT_C, "struct sock_filter x[] = { { 6, 0, 0, 0 } }; int y;", 1, 46, "end here"},
    {FORMAT_C, "struct sock_filter x[] = { { 6, 0, 0, 0 }", 1, 42, "expected `}`"},
    {FORMAT_C, "struct sock_filter x[] = { };", 1, 1, "no instructions"},
    {FORMAT_C, "{ BPF_LDY, 0, 0, 0 }", 1, 3, "unknown name `BPF_LDY`"},
    {FORMAT_C, "BPF_STMT(BPF_RET, __NR_read)", 1, 19, "no AUDIT_ARCH_"},
    {FORMAT_C, "BPF_STMT(BPF_RET, offsetof(struct seccomp_data, args[6]))", 1, 54, "index is from"},
    {FORMAT_DECIMAL, "2\n6 0 0 0\n", 3, 1, "2 instructions were announced, 1 are here"},
    {FORMAT_DECIMAL, "1\n6 0 0 0\n6", 3, 1, "end here"},
    {FORMAT_DECIMAL, "1\n6 0 0 4294967296\n", 2, 7, "k is at most"},
    {FORMAT_DECIMAL, "0\n", 1, 1, "no instructions"},
    {FORMAT_DECIMAL, "99999999\n", 1, 1, "at most 65536"},
    {FORMAT_JSON, "[]", 1, 1, "at least one"},
    {FORMAT_JSON, "{\"a\": 1}", 1, 1, "array of instructions"},
    {FORMAT_JSON, "[[6,0,0,0],\n [6,0,0]]", 2, 2, "an instruction is"},
    {FORMAT_JSON, "[[6,0,0,-1]]", 1, 9, "k is an integer from 0 to 4294967295"},
    {FORMAT_JSON, "[{\"code\":6,\"jt\":0,\"jf\":\"0\",\"k\":0}]", 1, 24, "jf is an integer"},
    {FORMAT_JSON, "[{\"code\":6,\"jt\":0,\"jf\":0,\"k\":0,\"x\":0}]", 1, 2, "nothing else"},
    {FORMAT_DOT, "digraph {}", 1, 1, "no program"},
    {FORMAT_UNKNOWN, "abi x86_64", 1, 1, "no program"},
};

static void every_mistake_has_its_place(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        struct diagnostics diagnostics = diagnostics_new(f->arena);
        const struct source *source = text_source(f, m->text);
        struct program program;
        result r = program_decode(f->arena, source, m->format, &diagnostics, &program);
        if (worked(r))
            fail_msg("read without complaint: %s", m->text);
        struct position at = source_position(source, diagnostics.first->span.begin);
        if (at.line != m->line || at.column != m->column ||
            !strstr(diagnostics.first->message, m->message)) {
            diagnostics_print(&diagnostics, stderr);
            fail_msg("%s: expected %u:%u: %s", m->text, m->line, m->column, m->message);
        }
    }
}

static void policies_are_no_blobs(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "",
        "\n# only a remark\n",
        "# The network side.\npolicy webserver\nabi x86_64\n",
        "abi x86_64\ndefault allow\n",
        "prove never permit execve\n",
        "allow { read, write }",
        "raw ret(0x5) if arch == 3\n",
        "{ \"defaultAction\": \"SCMP_ACT_ERRNO\" }",
        "read: 1\nwrite: 1\n",
        "on x86_64 { allow read }",
        "trap(3) open",
        "const X = { 1, 2 }",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (format_detect(text_source(f, texts[i])) != FORMAT_UNKNOWN)
            fail_msg("taken for %s: %s", format_name(format_detect(text_source(f, texts[i]))),
                     texts[i]);
}

static void byte_order_of_text_follows_the_token(void **state)
{
    struct fixture *f = *state;
    struct program program;
    const char *text = "{ 0x20, 0, 0, 4 }, { 0x15, 0, 0, 0x80000016 }, { 6, 0, 0, 0 }";
    assert_true(worked(
        program_decode(f->arena, text_source(f, text), FORMAT_C, &f->diagnostics, &program)));
    assert_true(program.big_endian);
}

static void formats_have_names(void **state)
{
    (void)state;
    for (int format = 0; format < FORMAT_COUNT; format++)
        assert_int_equal(format_by_name(format_name((enum format)format), false), format);
    assert_int_equal(format_by_name("bin", false), FORMAT_RAW_LITTLE);
    assert_int_equal(format_by_name("bin", true), FORMAT_RAW_BIG);
    assert_int_equal(format_by_name("elf", false), FORMAT_UNKNOWN);
}

/* Mutations of good texts: an answer or a report, never a crash. */
static void damaged_files_are_reported(void **state)
{
    (void)state;
    struct random random = random_seed(4);
    for (unsigned i = 0; i < 6000; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        const struct spelling *spelling =
            &spellings[random_below(&random, (uint32_t)COUNT_OF(spellings))];
        size_t length = strlen(spelling->text);
        char *text = arena_string(arena, spelling->text, length);
        for (unsigned k = random_below(&random, 4); k > 0; k--)
            text[random_below(&random, (uint32_t)length)] =
                random_below(&random, 2) ? (char)random_u64(&random)
                                         : "(){}[]#,;:0x~-\""[random_below(&random, 15)];
        if (random_below(&random, 4) == 0)
            length = random_below(&random, (uint32_t)length);
        const struct source *source = source_from_text(arena, "x", text, length);
        struct program program;
        (void)format_detect(source);
        result r = program_decode(arena, source, spelling->format, &diagnostics, &program);
        assert_int_equal(failed(r), diagnostics.errors > 0);
        arena_free(arena);
    }
}

static void graphs_name_blocks_and_edges(void **state)
{
    struct fixture *f = *state;
    struct sock_filter *code = arena_copy(f->arena, small, sizeof small);
    struct program program = {.code = code, .length = COUNT_OF(small)};
    struct buffer out = buffer_new(f->arena);
    program_encode(&out, f->arena, &program, FORMAT_DOT, 0);
    const char *text = buffer_string(&out);
    assert_non_null(strstr(text, "b0 -> b1 [label=\"yes\"]"));
    assert_non_null(strstr(text, "b0 -> b2 [label=\"no\"]"));
    assert_non_null(strstr(text, "AUDIT_ARCH_X86_64"));
    program.length = 2;
    out = buffer_new(f->arena);
    program_encode(&out, f->arena, &program, FORMAT_DOT, 0);
    assert_non_null(strstr(buffer_string(&out), "refused"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_spellings_are_one_program),
        TEST(every_mistake_has_its_place),
        TEST(policies_are_no_blobs),
        TEST(byte_order_of_text_follows_the_token),
        TEST(formats_have_names),
        TEST(damaged_files_are_reported),
        TEST(graphs_name_blocks_and_edges),
    };
    return RUN_TESTS(tests);
}
