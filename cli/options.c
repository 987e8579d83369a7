#include "cli/usage.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* ---- readers: one per kind of value; NULL when it is good, else what is wrong ---------------- */

static const char *read_format(const char *text, enum format *format)
{
    *format = format_by_name(text, false);
    return *format == FORMAT_UNKNOWN
               ? "no such format (bin, bin-le, bin-be, c, asm, decimal, json, dot)"
               : NULL;
}

static const char *read_level(const char *text, struct options *options)
{
    static const char levels[] = "0123s";
    const char *found = *text && !text[1] ? strchr(levels, *text) : NULL;
    if (!found)
        return "the levels are -O0, -O1, -O2, -O3 and -Os";
    options->level = (enum optimization)(found - levels);
    return NULL;
}

static const char *read_abis(struct arena *arena, const char *text, struct options *options)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        const struct abi *abi = abi_by_name(arena_string(arena, text, length));
        if (!abi)
            return "no such ABI (x86_64, i386, x32, arm, aarch64, riscv64, ...), separated by "
                   "commas";
        options->abis |= ABI_BIT(abi->id);
        text += length;
        text += *text == ',';
    }
    return options->abis ? NULL : "an empty list of ABIs";
}

/* Digits, and no more than `most`; `*text` is then what follows them. */
static bool read_decimal(const char **text, unsigned most, unsigned *value)
{
    const char *start = *text;
    for (*value = 0; **text >= '0' && **text <= '9'; ++*text) {
        *value = *value * 10 + (unsigned)(**text - '0');
        if (*value > most)
            return false;
    }
    return *text > start;
}

static const char *read_kernel(const char *text, struct options *options)
{
    if (!read_decimal(&text, 999, &options->kernel_major) || *text++ != '.' ||
        !read_decimal(&text, 9999, &options->kernel_minor) || *text)
        return "a kernel version is two numbers, as in 5.4";
    return NULL;
}

static const char *read_words(const char *text, const char *const *words, size_t count,
                              unsigned *bits)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        size_t i = 0;
        while (i < count && (strlen(words[i]) != length || strncmp(words[i], text, length)))
            i++;
        if (i == count)
            return "unknown word in the list";
        *bits |= 1u << i;
        text += length;
        text += *text == ',';
    }
    return *bits ? NULL : "an empty list";
}

static const char *read_accept(const char *text, struct options *options)
{
    static const char *const words[] = {"arch", "width"};
    unsigned bits = 0;
    if (read_words(text, words, COUNT_OF(words), &bits))
        return "what can be accepted is arch and width, separated by commas";
    options->accept_arch = options->accept_arch || (bits & 1u);
    options->accept_width = options->accept_width || (bits & 2u);
    return NULL;
}

static const char *read_dump(const char *text, struct options *options)
{
    static const char *const words[] = {"policy", "dag", "select", "layout"};
    if (read_words(text, words, COUNT_OF(words), &options->dump))
        return "the stages are policy, dag, select and layout, separated by commas";
    return NULL;
}

static const char *read_proof(const char *text, struct options *options)
{
    options->whole_proof = !strcmp(text, "whole");
    return options->whole_proof || !strcmp(text, "partition")
               ? NULL
               : "the methods are partition and whole";
}

static const char *read_timeout(const char *text, struct options *options)
{
    char *end;
    errno = 0;
    options->timeout = strtod(text, &end);
    if (errno || end == text || *end || !(options->timeout >= 0) || options->timeout > 1e9)
        return "a number of seconds up to 1e9 is needed, 0 for no limit";
    options->timeout_given = true;
    return NULL;
}

static const char *read_positive(const char *text, double *value, const char *wrong)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return !errno && end != text && !*end && *value > 0 && *value <= 1e6 ? NULL : wrong;
}

static const char *read_method(const char *text, struct options *options)
{
    unsigned methods = !strcmp(text, "all") ? (1u << BENCH_METHOD_COUNT) - 1 : 0;
    for (unsigned method = 0; method < BENCH_METHOD_COUNT; method++)
        if (!strcmp(text, bench_method_name((enum bench_method)method)))
            methods = 1u << method;
    options->methods |= methods;
    return methods ? NULL : "the methods are kernel, alone, install and all";
}

static const char *read_pid(const char *text, struct options *options)
{
    char *end;
    errno = 0;
    long pid = strtol(text, &end, 10);
    options->pid = (pid_t)pid;
    return !errno && end != text && !*end && pid > 0 && pid <= INT_MAX
               ? NULL
               : "the number of a process is needed";
}

static const char *read_capabilities(struct arena *arena, const char *text, struct options *options)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        vector_push(arena, &options->capabilities, arena_string(arena, text, length));
        text += length;
        text += *text == ',';
    }
    return NULL;
}

static const char *read_arch(const char *text, struct options *options)
{
    const struct abi *abi = abi_by_name(text);
    if (!abi)
        return "no such ABI";
    options->arch = abi->id;
    return NULL;
}

static const char *read_accepted(struct context *context, const char *text, struct options *options)
{
    if (context->command->run != run_audit)
        return read_accept(text, options);
    if (!*text)
        return "no class is named: they are 1 to 29, or an id that a finding shows";
    /* classes, which the command looks up; several options add up */
    const char *before = options->accepted;
    options->accepted = before ? arena_printf(context->arena, "%s,%s", before, text) : text;
    return NULL;
}

/* Options that are kept as they are written, and those that are on or off: where. */
struct plain_option {
    enum option_key key;
    size_t offset; /* in struct options */
};

static const struct plain_option texts[] = {
    {KEY_OUTPUT, offsetof(struct options, output)},
    {KEY_PROFILE, offsetof(struct options, profile)},
    {KEY_EMIT_SMT2, offsetof(struct options, emit_smt2)},
    {KEY_AGAINST, offsetof(struct options, against)},
    {KEY_POLICY, offsetof(struct options, policy)},
    {KEY_ASSERT, offsetof(struct options, assertions)},
    {KEY_VECTORS, offsetof(struct options, vectors)},
    {KEY_ARGS, offsetof(struct options, args_of)},
};

static const struct plain_option flags[] = {
    {KEY_STATS, offsetof(struct options, stats)},
    {KEY_AT_MOST, offsetof(struct options, at_most)},
    {KEY_BIG_ENDIAN, offsetof(struct options, big_endian)},
    {KEY_INSTALL, offsetof(struct options, install)},
    {KEY_JSON, offsetof(struct options, json)},
};

static bool read_plain(enum option_key key, const char *text, struct options *options)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i].key == key) {
            memcpy((char *)options + texts[i].offset, &text, sizeof text);
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (flags[i].key == key) {
            memcpy((char *)options + flags[i].offset, &(bool){true}, sizeof(bool));
            return true;
        }
    }
    return false;
}

static const char *read_option(struct context *context, enum option_key key, const char *text)
{
    struct options *o = &context->options;
    if (read_plain(key, text, o))
        return NULL;
    switch (key) {
    case KEY_FORMAT:
        return read_format(text, &o->format);
    case KEY_FROM:
        return read_format(text, &o->from);
    case KEY_LEVEL:
        return read_level(text, o);
    case KEY_ABI:
        return read_abis(context->arena, text, o);
    case KEY_KERNEL:
        return read_kernel(text, o);
    case KEY_ACCEPT:
        return read_accepted(context, text, o);
    case KEY_DUMP:
        return read_dump(text, o);
    case KEY_PROOF:
        return read_proof(text, o);
    case KEY_CAP:
        return read_capabilities(context->arena, text, o);
    case KEY_ARCH:
        return read_arch(text, o);
    case KEY_THREAD:
        o->thread = text;
        return NULL;
    case KEY_TIMEOUT:
        return read_timeout(text, o);
    case KEY_SECONDS:
        return read_positive(text, &o->seconds,
                             "a number of seconds above 0 and up to 1e6 is needed");
    case KEY_SAME:
        return read_positive(text, &o->same_limit,
                             "a number of nanoseconds above 0 and up to 1e6 is needed");
    case KEY_LAMBDA:
        return read_positive(text, &o->lambda, "a number above 0 and up to 1e6 is needed");
    case KEY_METHOD:
        return read_method(text, o);
    case KEY_PID:
        return read_pid(text, o);
    case KEY_CALL:
        vector_push(context->arena, &o->calls, text);
        return NULL;
    default:
        return "unknown option";
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct option_row rows[] = {
    {KEY_OUTPUT, "output", 'o', "FILE",
     "write the result to FILE (- or absent: standard output; of dump: a DIRECTORY)"},
    {KEY_FORMAT, "format", 'f', "FORMAT",
     "write bin (default), bin-le, bin-be, c, asm, decimal, json or dot"},
    {KEY_FROM, "from", 'F', "FORMAT", "read blobs in this format instead of finding it out"},
    {KEY_LEVEL, "optimize", 'O', "LEVEL", "-O0, -O1, -O2 (default), -O3 or -Os"},
    {KEY_ABI, "abi", 'a', "LIST",
     "only these of the policy's ABIs; for a blob: the ABIs it is for"},
    {KEY_KERNEL, "kernel", 'k', "X.Y", "the kernel it is for (default: the newest)"},
    {KEY_PROFILE, "profile", 'p', "FILE",
     "which calls count: lines `count call`, as in `1200 read`"},
    {KEY_LAMBDA, "lambda", 0, "N",
     "instructions that one executed instruction less per call is worth (default 15; -Os 0.05)"},
    {KEY_ACCEPT, "accept", 0, "LIST",
     "go on although this is REFUTED: arch, width; of audit: these classes, by number or id, do "
     "not "
     "count"},
    {KEY_STATS, "stats", 's', NULL,
     "print size, path lengths, and how many calls that have a name the kernel caches"},
    {KEY_DUMP, "dump", 0, "STAGES", "print stages on standard error: policy, dag, select, layout"},
    {KEY_PROOF, "proof", 0, "METHOD", "partition (default), or whole: one query over everything"},
    {KEY_EMIT_SMT2, "emit-smt2", 0, "FILE", "write the proof obligations as SMT-LIB 2.6"},
    {KEY_AGAINST, "against", 'A', "FILTER", "the other filter"},
    {KEY_AT_MOST, "at-most", 0, NULL, "nowhere more permissive, instead of equal"},
    {KEY_POLICY, "policy", 0, "FILE", "what the filter should be"},
    {KEY_ASSERT, "assert", 0, "FILE", "prove the statements in FILE"},
    {KEY_VECTORS, "vectors", 0, "FILE", "test vectors, one a line"},
    {KEY_ARGS, "args", 0, "NAME", "list the arguments of a system call"},
    {KEY_CAP, "cap", 0, "LIST", "capabilities that the container holds (oci; default: none)"},
    {KEY_ARCH, "arch", 0, "ABI",
     "the profile's ABI; oci: the container's, with its sub-architectures (default: this machine's)"},
    {KEY_THREAD, "thread", 0, "NAME", "whose filter, of a file with several (firecracker)"},
    {KEY_BIG_ENDIAN, "big-endian", 0, NULL, "fields are those of a big-endian machine"},
    {KEY_INSTALL, "install", 0, NULL, "ask the running kernel too"},
    {KEY_METHOD, "method", 'm', "METHOD",
     "kernel (whole calls), alone (machine code only), install, or all; more than one may be "
     "given"},
    {KEY_CALL, "call", 'c', "CALL",
     "measure this call instead of some that the filters suggest; more than one may be given"},
    {KEY_SECONDS, "seconds", 'S', "SECONDS",
     "how long to measure, all methods together (default 3)"},
    {KEY_SAME, "same", 0, "NS",
     "how far the first filter may be from itself (default 0.3 ns a call, 5% of an installation)"},
    {KEY_PID, "pid", 'P', "N", "a running process"},
    {KEY_JSON, "json", 'j', NULL, "print one JSON object on standard output"},
    {KEY_TIMEOUT, "timeout", 't', "SECONDS",
     "give up proving (UNKNOWN) after so long (default: 60, of audit 8; 0: never)"},
};

const struct option_row *option_rows(size_t *count)
{
    *count = COUNT_OF(rows);
    return rows;
}

const struct option_row *option_of_letter(char letter)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].letter && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

#define KEY_BASE 0x1000

static int argp_key(const struct option_row *row)
{
    return row->letter ? row->letter : KEY_BASE + (int)row->key;
}

static const struct option_row *row_of(int key)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (argp_key(&rows[i]) == key)
            return &rows[i];
    return NULL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct context *context = state->input;
    struct options *options = &context->options;
    const struct command *command = context->command;
    if (key == ARGP_KEY_ARGS) {
        options->arguments = state->argv + state->next;
        options->argument_count = state->argc - state->next;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN; /* hands all of the rest over at ARGP_KEY_ARGS */
    if (key == ARGP_KEY_END) {
        int count = options->argument_count;
        bool few = count < command->least, many = command->most >= 0 && count > command->most;
        if (few)
            usage_error(context, state, "%s is missing", command->arguments);
        if (many)
            usage_error(context, state, "too many arguments: %s",
                        options->arguments[command->most]);
        return few || many ? EINVAL : 0;
    }
    if (key == ARGP_KEY_ERROR && (state->flags & ARGP_NO_ERRS) && !context->diagnostics.errors)
        usage_explain(context, state);
    const struct option_row *row = row_of(key);
    if (!row)
        return ARGP_ERR_UNKNOWN;
    const char *wrong = read_option(context, row->key, argument);
    if (wrong)
        usage_error(context, state, "--%s=%s: %s", row->name, argument, wrong);
    return wrong ? EINVAL : 0;
}

/* `run` stops at the first argument that is no option of ours behind the filter: the rest is the
 * command's. */
bool options_parse(struct context *context, int argc, char **argv, bool *done)
{
    const struct command *command = context->command;
    struct argp_option *table = NEW_ARRAY(context->arena, struct argp_option, COUNT_OF(rows) + 1);
    size_t used = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (command->keys & KEY_BIT(rows[i].key))
            table[used++] = (struct argp_option){.name = rows[i].name,
                                                 .key = argp_key(&rows[i]),
                                                 .arg = rows[i].argument,
                                                 .doc = rows[i].help};
    char *doc = arena_printf(context->arena, "bpfproof %s: %s\v%s", command->name, command->summary,
                             command->help);
    struct argp argp = {
        .options = table, .parser = parse, .args_doc = command->arguments, .doc = doc};
    context->options = (struct options){.format = FORMAT_UNKNOWN,
                                        .from = FORMAT_UNKNOWN,
                                        .level = OPTIMIZE_2,
                                        .arch = ABI_NONE,
                                        .timeout = TIMEOUT_DEFAULT};
    char *name = argv[0];
    argv[0] = arena_printf(context->arena, "bpfproof %s", command->name);
    *done = false;
    bool json = usage_wants_json(argc, argv);
    error_t error = argp_parse(&argp, argc, argv, json ? ARGP_NO_ERRS : 0, NULL, context);
    context->options.json |= error && json;
    argv[0] = name;
    return error == 0;
}
