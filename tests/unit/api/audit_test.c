/* The audit: every class names the mistake and not its repair, each finding's witness is run again
 * here, and filters that are meant well give no alarm. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/bpfproof.h"

#define PAIRS "tests/audit/"
#define CLASSES 29u

/* ---- loading --------------------------------------------------------------------------------- */

static abi_set abis_of(struct fixture *f, const char *list)
{
    abi_set abis = 0;
    while (*list) {
        size_t length = strcspn(list, ",");
        const struct abi *abi = abi_by_name(arena_string(f->arena, list, length));
        assert_non_null(abi);
        abis |= ABI_BIT(abi->id);
        list += length;
        list += *list == ',';
    }
    return abis;
}

static struct filter load(struct fixture *f, const char *path, abi_set abis)
{
    struct filter filter;
    struct load_options options = {.abis = abis, .format = FORMAT_UNKNOWN, .inspect = true};
    result r = filter_load(f->arena, path, &options, &f->diagnostics, &filter);
    if (failed(r))
        diagnostics_print(&f->diagnostics, stderr);
    assert_true(worked(r));
    return filter;
}

static void compile(struct fixture *f, struct filter *filter)
{
    struct load_options options = {.inspect = true};
    assert_true(worked(filter_compile(f->arena, filter, &options, &f->diagnostics)));
}

static struct audit audit(struct fixture *f, const struct filter *filter,
                          const struct filter *policy, const struct filter *against, abi_set abis)
{
    struct audit found;
    assert_true(worked(audit_filter(f->arena, filter, policy, against, abis, (struct deadline){0},
                                    &f->diagnostics, &found)));
    return found;
}

static unsigned count_of(const struct audit *audit, unsigned number)
{
    unsigned count = 0;
    for (size_t i = 0; i < audit->finding_count; i++)
        count += audit->findings[i].property->number == number;
    return count;
}

static unsigned bypasses(const struct audit *audit)
{
    unsigned count = 0;
    for (size_t i = 0; i < audit->finding_count; i++) {
        if (audit->findings[i].property->severity != AUDIT_BYPASS)
            continue;
        print_message("bypass %u: %s\n", audit->findings[i].property->number,
                      audit->findings[i].detail);
        count++;
    }
    return count;
}

/* ---- every witness shows what its finding says ----------------------------------------------- */

static uint32_t run(const struct side *side, const struct input *input)
{
    if (side->program_count == 1)
        return interpret(&side->programs[0], input, NULL, 0).word;
    return interpret_stack(side->programs, side->program_count, input).word;
}

static bool permits(uint32_t word)
{
    enum action action = action_of_word(word, NULL)->action;
    return action == ACTION_ALLOW || action == ACTION_LOG;
}

static void check_bypass(const struct audit_finding *finding)
{
    const struct input *input = &finding->witness.input, *other = &finding->other.input;
    unsigned number = finding->property->number;
    if (number == 11 || number == 12) /* these are about another filter's word */
        return;
    assert_true(permits(finding->witness.word));
    assert_true(!finding->has_other || !permits(finding->other.word));
    if (number != 6 && number != 8)
        return;
    enum abi_id abi = input_abi(input, finding->side->programs[0].big_endian);
    struct input seen = input_visible(input, abi, true), also = input_visible(other, abi, true);
    assert_memory_equal(&seen, &also, sizeof seen); /* one call to the kernel */
}

static void check_witnesses(const struct audit *audit)
{
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct audit_finding *finding = &audit->findings[i];
        assert_int_equal(run(finding->side, &finding->witness.input), finding->witness.word);
        if (finding->has_other)
            assert_int_equal(run(finding->side, &finding->other.input), finding->other.word);
        assert_true(finding->call_count > 0 || finding->property->number == 28);
        assert_true(finding->detail && *finding->detail);
        if (finding->property->severity == AUDIT_BYPASS)
            check_bypass(finding);
        if (i > 0)
            assert_true(finding[-1].property->severity <= finding->property->severity);
    }
}

/* ---- the table of pairs ---------------------------------------------------------------------- */

struct row {
    unsigned number;
    const char *bad, *good;
    abi_set abis;
    const char *beside;
};

static struct audit audit_row(struct fixture *f, const struct row *row, const char *path)
{
    struct filter filter = load(f, path, row->abis), beside = {.name = NULL};
    const char *equals = strchr(row->beside, '=');
    bool policy = equals && !strncmp(row->beside, "policy", 6);
    compile(f, &filter);
    if (equals)
        beside = load(f, arena_printf(f->arena, PAIRS "%s", equals + 1), row->abis);
    struct audit found =
        audit(f, &filter, policy ? &beside : NULL, equals && !policy ? &beside : NULL, row->abis);
    assert_int_equal(found.unknown_count, 0);
    check_witnesses(&found);
    return found;
}

static void check_row(struct fixture *f, const struct row *row)
{
    struct audit bad = audit_row(f, row, arena_printf(f->arena, PAIRS "%s", row->bad));
    if (!count_of(&bad, row->number))
        fail_msg("%s: class %u is not named", row->bad, row->number);
    struct audit good = audit_row(f, row, arena_printf(f->arena, PAIRS "%s", row->good));
    if (count_of(&good, row->number))
        fail_msg("%s: class %u is named after the repair", row->good, row->number);
    if (bypasses(&good))
        fail_msg("%s: a clean filter has a bypass", row->good);
}

static struct row read_row(struct fixture *f, char *line)
{
    char *cells[5], *rest = line;
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        cells[i] = strsep(&rest, "\t");
        assert_non_null(cells[i]);
    }
    return (struct row){(unsigned)strtoul(cells[0], NULL, 10), cells[1], cells[2],
                        abis_of(f, cells[3]), cells[4]};
}

static void mistakes_are_named_and_repairs_are_not(void **state)
{
    struct fixture *f = *state;
    const struct source *source;
    bool seen[CLASSES + 1] = {false};
    assert_true(worked(file_read(f->arena, PAIRS "pairs.tsv", &f->diagnostics, &source)));
    char *text = arena_string(f->arena, source->text, source->length), *line;
    while ((line = strsep(&text, "\n"))) {
        if (*line == '#' || !*line || !strncmp(line, "class", 5))
            continue;
        struct row row = read_row(f, line);
        assert_true(row.number >= 1 && row.number <= CLASSES);
        check_row(f, &row);
        seen[row.number] = true;
    }
    for (unsigned number = 1; number <= CLASSES; number++)
        if (!seen[number])
            fail_msg("no pair for class %u", number);
}

static void properties_are_a_table_of_all_classes(void **state)
{
    size_t count;
    const struct audit_property *properties = audit_properties(&count);
    (void)state;
    assert_int_equal(count, CLASSES);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(properties[i].number, i + 1);
        assert_ptr_equal(audit_property_named(properties[i].id), &properties[i]);
        assert_true(*properties[i].statement && *properties[i].why && *properties[i].fix);
    }
    assert_ptr_equal(audit_property_named("17"), &properties[16]);
    assert_null(audit_property_named("17x"));
    assert_null(audit_property_named("30"));
    assert_null(audit_property_named(""));
}

/* ---- families -------------------------------------------------------------------------------- */

/* A misspelled parameter or constant would silently switch a row off. */
static void families_resolve_somewhere(void **state)
{
    size_t count;
    const struct family *families = abi_families(&count);
    (void)state;
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        const struct call_reference *const *way = families[i].ways;
        for (const struct call_reference *list = families[i].calls; list; list = *way++)
            for (; list->name; list++) {
                bool parameter = !list->parameter, value = !list->value;
                for (unsigned id = 0; id < ABI_COUNT; id++) {
                    const struct syscall_entry *entry = abi_syscall((enum abi_id)id, list->name);
                    uint64_t number;
                    parameter = parameter || (entry && abi_parameter(entry, list->parameter) >= 0);
                    value = value || abi_reference_value((enum abi_id)id, list, &number);
                }
                if (!parameter || !value || !abi_syscall_anywhere(list->name))
                    fail_msg("%s: %s(%s=%s)", families[i].name, list->name,
                             list->parameter ? list->parameter : "",
                             list->value ? list->value : "");
            }
    }
}

static void dropped_bits_leave_what_the_kernel_uses(void **state)
{
    (void)state;
    const struct syscall_entry *open = abi_syscall(ABI_X86_64, "open");
    const struct syscall_entry *mmap = abi_syscall(ABI_X86_64, "mmap");
    const struct syscall_entry *mprotect = abi_syscall(ABI_X86_64, "mprotect");
    uint64_t flags = abi_dropped_bits(ABI_X86_64, open, 1);
    assert_int_equal(flags & (0x3 | 0100 | 02000000 | 0x8000), 0);
    assert_int_not_equal(flags & 0x80000000u, 0);
    assert_int_equal(flags >> 32, 0); /* an int: wider bits are another class */
    assert_int_equal(abi_dropped_bits(ABI_X86_64, open, 0), 0);
    assert_int_equal(abi_dropped_bits(ABI_X86_64, mmap, 2) & 0x7, 0);
    assert_int_equal(abi_dropped_bits(ABI_X86_64, mmap, 2) >> 32, UINT32_MAX);
    assert_int_equal(abi_dropped_bits(ABI_X86_64, mprotect, 2), 0);
    assert_int_equal(abi_harmless_bits(ABI_X86_64, mprotect, 2) >> 32, UINT32_MAX);
}

/* ---- filters that are meant well ------------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && !strcmp(name + length - tail, end);
}

static void examples_have_no_bypass(void **state)
{
    struct fixture *f = *state;
    DIR *directory = opendir("examples");
    unsigned examples = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!ends_in(entry->d_name, ".policy"))
            continue;
        struct filter policy = load(f, arena_printf(f->arena, "examples/%s", entry->d_name), 0);
        struct filter filter = policy;
        compile(f, &filter);
        struct audit found = audit(f, &filter, &policy, NULL, 0);
        check_witnesses(&found);
        assert_int_equal(found.unknown_count, 0);
        assert_int_equal(bypasses(&found), 0);
        examples++;
    }
    closedir(directory);
    assert_true(examples >= 8);
}

static struct program assemble_text(struct fixture *f, const char *text)
{
    struct program program;
    const struct source *source = source_from_text(f->arena, "<text>", text, strlen(text));
    assert_true(worked(assemble(f->arena, source, false, &f->diagnostics, &program)));
    return program;
}

/* A program per ABI, each of which permits everything of the others: alone it is open, together
 * they are closed. */
static void programs_per_abi_are_one_filter(void **state)
{
    struct fixture *f = *state;
    const char *const texts[] = {
        "ld arch\njeq #AUDIT_ARCH_I386, a, ok\na: ld nr\njeq #__NR_reboot, no\nok: ret allow\n"
        "no: ret errno(EPERM)\n",
        "ld arch\njeq #AUDIT_ARCH_X86_64, a, ok\na: ld nr\njge #0x40000000, b, ok\n"
        "b: jeq #0x400000a9, no\nok: ret allow\nno: ret errno(EPERM)\n",
        "ld arch\njeq #AUDIT_ARCH_X86_64, a, ok\na: ld nr\njge #0x40000000, ok\n"
        "jeq #__NR_reboot, no\nok: ret allow\nno: ret errno(EPERM)\n"};
    struct program programs[3];
    for (size_t i = 0; i < 3; i++) {
        programs[i] = assemble_text(f, texts[i]);
        struct filter alone = {.name = "alone", .programs = &programs[i], .program_count = 1};
        alone.declared = blob_declared(alone.programs, 1);
        struct audit found = audit(f, &alone, NULL, NULL, 0);
        check_witnesses(&found);
        assert_int_equal(count_of(&found, 1), 1);
    }
    struct filter stack = {.name = "stack", .programs = programs, .program_count = 3};
    stack.declared = blob_declared(programs, 3);
    struct audit found = audit(f, &stack, NULL, NULL, 0);
    check_witnesses(&found);
    for (unsigned number = 1; number <= 5; number++)
        assert_int_equal(count_of(&found, number), number == 3 ? count_of(&found, 3) : 0);
    assert_int_equal(bypasses(&found), 0);
    /* Without the one for i386 the call is open there. */
    stack.programs = programs + 1;
    stack.program_count = 2;
    stack.declared = blob_declared(stack.programs, 2);
    found = audit(f, &stack, NULL, NULL, 0);
    check_witnesses(&found);
    assert_int_equal(count_of(&found, 1), 0);
    assert_int_equal(count_of(&found, 4), 1);
}

static void nothing_is_found_in_a_filter_that_permits_everything(void **state)
{
    struct fixture *f = *state;
    struct program program = assemble_text(f, "ret allow\n");
    struct filter filter = {.name = "all", .programs = &program, .program_count = 1};
    struct audit found = audit(f, &filter, NULL, NULL, ABI_BIT(ABI_X86_64));
    assert_int_equal(found.finding_count, 0);
    assert_int_equal(found.unknown_count, 0);
    assert_int_equal(found.asked, CLASSES - 3);
}

static void no_time_is_unknown_and_not_clean(void **state)
{
    struct fixture *f = *state;
    struct program program = assemble_text(
        f, "ld nr\njeq #0, yes\nld lo32(arg0)\ntax\nld lo32(arg1)\nmul x\njeq #77, yes, no\n"
           "yes: ret allow\nno: ret errno(1)\n");
    struct filter filter = {.name = "odd", .programs = &program, .program_count = 1};
    struct audit found;
    assert_true(worked(audit_filter(f->arena, &filter, NULL, NULL, ABI_BIT(ABI_X86_64),
                                    (struct deadline){1}, &f->diagnostics, &found)));
    assert_int_equal(found.finding_count, 0);
    assert_int_equal(found.unknown_count, CLASSES - 3);
    for (size_t i = 0; i < found.unknown_count; i++)
        assert_non_null(found.unknown[i].reason);
}

/* ---- filters that others made ---------------------------------------------------------------- */

/* The first directory that BPFPROOF_CORPUS names; NULL: none. */
static const char *corpus(struct fixture *f)
{
    const char *named = getenv("BPFPROOF_CORPUS");
    if (!named || !*named)
        return NULL;
    return arena_string(f->arena, named, strcspn(named, ":"));
}

static struct audit audit_blob(struct fixture *f, const char *path)
{
    struct filter filter = load(f, path, 0);
    struct audit found = audit(f, &filter, NULL, NULL, 0);
    check_witnesses(&found);
    for (size_t i = 0; i < found.unknown_count; i++)
        print_message("%s: class %u: %s\n", path, found.unknown[i].property->number,
                      found.unknown[i].reason);
    assert_int_equal(found.unknown_count, 0);
    return found;
}

static void corpus_is_decided_and_witnesses_replay(void **state)
{
    struct fixture *f = *state;
    if (!corpus(f)) {
        print_message("skipped: no BPFPROOF_CORPUS\n");
        skip();
    }
    DIR *directory = opendir(corpus(f));
    assert_non_null(directory);
    uint64_t ns = 0;
    unsigned blobs = 0, findings = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!ends_in(entry->d_name, ".bpf"))
            continue;
        struct audit found =
            audit_blob(f, arena_printf(f->arena, "%s/%s", corpus(f), entry->d_name));
        ns += found.ns;
        blobs++;
        findings += (unsigned)found.finding_count;
    }
    closedir(directory);
    print_message("%u blobs, %u findings, %.1f s\n", blobs, findings, (double)ns / 1e9);
    assert_true(blobs > 0);
}

static const char *stack_argument(struct fixture *f, char *names)
{
    struct buffer argument = buffer_new(f->arena);
    for (char *name; (name = strsep(&names, " "));)
        buffer_printf(&argument, "%s%s/%s", argument.length ? "+" : "", corpus(f), name);
    return buffer_string(&argument);
}

/* STACKS.tsv beside the blobs: a name, a tab, file names. */
static void stacks_are_decided(void **state)
{
    struct fixture *f = *state;
    const char *directory = corpus(f);
    const char *path = directory ? arena_printf(f->arena, "%s/../STACKS.tsv", directory) : NULL;
    const struct source *source;
    if (!path || access(path, R_OK) != 0) {
        print_message("skipped: no STACKS.tsv beside the directory of BPFPROOF_CORPUS\n");
        skip();
    }
    assert_true(worked(file_read(f->arena, path, &f->diagnostics, &source)));
    char *text = arena_string(f->arena, source->text, source->length), *line;
    while ((line = strsep(&text, "\n"))) {
        char *name = strsep(&line, "\t");
        if (!line || !strcmp(name, "run"))
            continue;
        struct audit found = audit_blob(f, stack_argument(f, line));
        if (strncmp(name, "systemd", 7)) /* these have a program per ABI */
            continue;
        assert_int_equal(count_of(&found, 1), 0);
        assert_int_equal(count_of(&found, 2), 0);
        assert_int_equal(count_of(&found, 4), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mistakes_are_named_and_repairs_are_not),
        TEST(properties_are_a_table_of_all_classes),
        TEST(families_resolve_somewhere),
        TEST(dropped_bits_leave_what_the_kernel_uses),
        TEST(examples_have_no_bypass),
        TEST(programs_per_abi_are_one_filter),
        TEST(nothing_is_found_in_a_filter_that_permits_everything),
        TEST(no_time_is_unknown_and_not_clean),
        TEST(corpus_is_decided_and_witnesses_replay),
        TEST(stacks_are_decided),
    };
    return RUN_TESTS(tests);
}
