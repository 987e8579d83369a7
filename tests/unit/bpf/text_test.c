#include <dirent.h>

#include "unit/bpf/programs.h"

static const struct source *text_source(struct fixture *f, const char *text)
{
    return source_from_text(f->arena, "x", text, strlen(text));
}

/* Every format gives back the same instructions, and is known by its content. */
static void assert_round_trips(const struct program *program)
{
    static const enum format formats[] = {FORMAT_RAW_LITTLE, FORMAT_RAW_BIG, FORMAT_C,
                                          FORMAT_DECIMAL,    FORMAT_JSON,    FORMAT_ASSEMBLY};
    bool accepted = check_program(program).rule == CHECK_ACCEPTED;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct buffer out = buffer_new(arena);
        struct program back;
        program_encode(&out, arena, program, formats[i], 0);
        const struct source *source = source_from_text(arena, "x", buffer_string(&out), out.length);
        result r = program_decode(arena, source, formats[i], &diagnostics, &back);
        if (failed(r) || !same_code(program, &back)) {
            diagnostics_print(&diagnostics, stderr);
            fail_msg("%s does not give the program back:\n%s", format_name(formats[i]),
                     i < 2 ? "" : buffer_string(&out));
        }
        if ((accepted || i > 1) && format_detect(source) != formats[i])
            fail_msg("%s is taken for %s:\n%s", format_name(formats[i]),
                     format_name(format_detect(source)), i < 2 ? "" : buffer_string(&out));
        arena_free(arena);
    }
}

static void accepted_programs_round_trip(void **state)
{
    struct fixture *f = *state;
    struct random random = random_seed(1);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct program program = random_program(&random, f->arena, 2);
        program.big_endian = i % 2;
        accepted += check_program(&program).rule == CHECK_ACCEPTED;
        assert_round_trips(&program);
    }
    assert_true(accepted > 500);
}

static void spoiled_programs_round_trip(void **state)
{
    struct fixture *f = *state;
    struct random random = random_seed(2);
    for (unsigned i = 0; i < 1500; i++) {
        struct program program = random_program(&random, f->arena, 40);
        program.big_endian = i % 2;
        assert_round_trips(&program);
    }
}

static void corpus_round_trips(void **state)
{
    struct fixture *f = *state;
    DIR *directory = opendir("../shared/corpus/blobs");
    if (!directory) {
        print_message("skipped: no corpus beside the repository\n");
        skip();
    }
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const struct source *source;
        struct program program;
        if (entry->d_name[0] == '.')
            continue;
        char *path = arena_printf(f->arena, "../shared/corpus/blobs/%s", entry->d_name);
        assert_true(worked(file_read(f->arena, path, &f->diagnostics, &source)));
        assert_int_equal(format_detect(source), FORMAT_RAW_LITTLE);
        assert_true(
            worked(program_decode(f->arena, source, FORMAT_RAW_LITTLE, &f->diagnostics, &program)));
        assert_round_trips(&program);
        count++;
    }
    closedir(directory);
    assert_true(count > 0);
}

static void names_fields_calls_and_actions(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0x80000000),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 257, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x00050001),
        BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
    };
    struct program program = {.code = code, .length = COUNT_OF(code)};
    struct buffer out = buffer_new(f->arena);
    disassemble(&out, f->arena, &program, 0);
    assert_string_equal(buffer_string(&out),
                        "   0:        ld arch\n"
                        "   1:        jeq #0xc000003e, l3, l2        ; AUDIT_ARCH_X86_64\n"
                        "   2: l2:    ret kill_process\n"
                        "   3: l3:    ld nr\n"
                        "   4:        jeq #0x101, l5, l8             ; openat (x86_64)\n"
                        "   5: l5:    ld hi32(arg0)\n"
                        "   6:        jset #0x3, l7, l8\n"
                        "   7: l7:    ret errno(EPERM)\n"
                        "   8: l8:    ret allow\n");
}

/* What is left when a token was ruled out, and where two paths meet. */
static void names_follow_the_paths(void **state)
{
    struct fixture *f = *state;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 2, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20, 3, 1),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20, 0, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 20, 0, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct program program = {.code = code, .length = COUNT_OF(code)};
    struct buffer out = buffer_new(f->arena);
    disassemble(&out, f->arena, &program,
                ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_I386) | ABI_BIT(ABI_X32));
    assert_string_equal(
        buffer_string(&out),
        "   0:        ld arch\n"
        "   1:        jeq #0xc000003e, l4, l2        ; AUDIT_ARCH_X86_64\n"
        "   2: l2:    ld nr\n"
        "   3:        jeq #0x14, l7, l5              ; getpid (i386)\n"
        "   4: l4:    ld nr\n"
        "   5: l5:    jge #0x40000000, l7, l6        ; x32's bit\n"
        "   6: l6:    jeq #0x14, l7, l7              ; writev (x86_64), getpid (i386)\n"
        "   7: l7:    and #0xff\n"
        "   8:        jeq #0x14, l9, l9\n"
        "   9: l9:    ret kill_thread\n");
}

static struct program assemble_text(struct fixture *f, const char *text)
{
    struct program program = {0};
    result r = assemble(f->arena, text_source(f, text), false, &f->diagnostics, &program);
    if (failed(r))
        diagnostics_print(&f->diagnostics, stderr);
    assert_true(worked(r));
    return program;
}

static void reads_what_people_write(void **state)
{
    struct fixture *f = *state;
    struct program program = assemble_text(f, "# a comment\n"
                                              "ld [4]               ; arch\n"
                                              "jne #AUDIT_ARCH_X86_64, bad\n"
                                              "ld nr\n"
                                              "jeq #__NR_openat, good\n"
                                              "jlt #3, good, bad\n"
                                              "good: ret allow\n"
                                              "bad:\n"
                                              "  ret #0x80000000\n");
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 257, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 3, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
        BPF_STMT(BPF_RET | BPF_K, 0x80000000),
    };
    struct program expected = {.code = code, .length = COUNT_OF(code)};
    assert_true(same_code(&program, &expected));
}

/* Mutations of a disassembly: an answer or a report, never a crash. */
static void damaged_text_is_reported(void **state)
{
    (void)state;
    struct random random = random_seed(6);
    for (unsigned i = 0; i < 1500; i++) {
        struct arena *arena = arena_new();
        struct diagnostics diagnostics = diagnostics_new(arena);
        struct program program = random_program(&random, arena, 10);
        struct buffer out = buffer_new(arena);
        disassemble(&out, arena, &program, 0);
        for (unsigned k = 1 + random_below(&random, 8); k > 0; k--)
            out.bytes[random_below(&random, (uint32_t)out.length)] =
                random_below(&random, 2) ? (char)random_u64(&random)
                                         : "(){}[]~,;:0x#-.\n"[random_below(&random, 16)];
        const struct source *source = source_from_text(arena, "x", out.bytes, out.length);
        result r = assemble(arena, source, false, &diagnostics, &program);
        assert_int_equal(failed(r), diagnostics.errors > 0);
        arena_free(arena);
    }
}

static void fields_follow_the_byte_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(assemble_text(f, "ld lo32(arg1)\nret a").code[0].k, 24);
    assert_int_equal(assemble_text(f, ".big_endian\nld lo32(arg1)\nret a").code[0].k, 28);
}

/* Each row: a text, and line, column and a part of the message of its first mistake. */
static const struct mistake {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *message;
    size_t errors;
} mistakes[] = {
    {"ret allow\nfoo #1\n", 2, 1, "no instruction `foo`", 1},
    {"jeq #1, here\nret allow\n", 1, 9, "no label `here`", 1},
    {"back: ld nr\nja back\nret allow\n", 2, 4, "only go forward", 1},
    {"ja end\nret allow\nend:\n", 1, 4, "behind the last", 1},
    {"ret alow\nret errno(EFOO)\n", 1, 5, "unknown action", 2},
    {"ld lo32(arg6)\nret a\n", 1, 4, "no such operand", 1},
    {"ld [66]\nret a\n", 1, 4, "multiple of 4", 1},
    {"st M[16]\nret a\n", 1, 4, "M[15]", 1},
    {"div #0\nret a\n", 1, 5, "divisor is 0", 1},
    {"lsh #32\nret a\n", 1, 5, "shift", 1},
    {"mod #3\nret a\n", 1, 1, "seccomp does not allow", 1},
    {"tax #3\nret a\n", 1, 5, "end here", 1},
    {"st x\nret a\n", 1, 4, "no such operand", 1},
    {"ret #0x100000000\n", 1, 6, "the value is from", 1},
    {"ret trap(65536)\n", 1, 10, "data is from", 1},
    {"a: ret a\na: ret a\n", 2, 1, "stands twice", 1},
    {"jeq #1\nret a\n", 1, 7, "expected `,`", 1},
    {"ret a\n.big_endian\n", 2, 2, "ahead of all", 1},
    {"; nothing\n", 1, 1, "no instructions", 1},
    {".raw 1, 2\nret a", 1, 10, "expected a value", 1},
    {"ret allow extra\n", 1, 11, "end here", 1},
    {"jeq #__NR_read, l\nl: ret a", 1, 6, "AUDIT_ARCH_", 1},
};

static void every_mistake_has_its_place(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        struct diagnostics diagnostics = diagnostics_new(f->arena);
        const struct source *source = text_source(f, m->text);
        struct program program;
        assert_true(failed(assemble(f->arena, source, false, &diagnostics, &program)));
        struct position at = source_position(source, diagnostics.first->span.begin);
        if (diagnostics.errors != m->errors || at.line != m->line || at.column != m->column ||
            !strstr(diagnostics.first->message, m->message)) {
            diagnostics_print(&diagnostics, stderr);
            fail_msg("%s: expected %u:%u: %s", m->text, m->line, m->column, m->message);
        }
    }
}

static void jumps_of_more_than_255_are_refused(void **state)
{
    struct fixture *f = *state;
    for (unsigned distance = 255; distance <= 256; distance++) {
        struct buffer text = buffer_new(f->arena);
        struct diagnostics diagnostics = diagnostics_new(f->arena);
        struct program program;
        buffer_text(&text, "jeq #1, far\n");
        for (unsigned i = 0; i < distance; i++)
            buffer_text(&text, "neg\n");
        buffer_text(&text, "far: ret a\n");
        result r =
            assemble(f->arena, text_source(f, buffer_string(&text)), false, &diagnostics, &program);
        assert_int_equal(worked(r), distance == 255);
        if (failed(r))
            assert_non_null(strstr(diagnostics.first->message, "256 instructions ahead"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepted_programs_round_trip), TEST(spoiled_programs_round_trip),
        TEST(corpus_round_trips),           TEST(names_fields_calls_and_actions),
        TEST(names_follow_the_paths),       TEST(reads_what_people_write),
        TEST(damaged_text_is_reported),     TEST(fields_follow_the_byte_order),
        TEST(every_mistake_has_its_place),  TEST(jumps_of_more_than_255_are_refused),
    };
    return RUN_TESTS(tests);
}
