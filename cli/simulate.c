#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>

/* ---- one call
 * --------------------------------------------------------------------------------------- */

/* What the filter returns: of one program its own word, of a stack what the kernel makes of its
 * members' words. */
static uint32_t word_of(const struct filter *filter, const struct input *input,
                        struct stack_run *run)
{
    *run = interpret_stack(filter->programs, filter->program_count, input);
    if (filter->program_count == 1)
        run->word = interpret(&filter->programs[0], input, NULL, 0).word;
    return run->word;
}

/* When the bits that the kernel ignores decide: what the filter says of the call as a C caller
 * would make it. */
static bool ignored_bits_decide(const struct filter *filter, const struct call *call, uint32_t word,
                                uint32_t *honest)
{
    struct input input = input_visible(&call->input, call->abi, true);
    struct stack_run run;
    *honest = word_of(filter, &input, &run);
    return call->abi != ABI_NONE && *honest != word;
}

static bool is_cached(const struct filter *filter, const struct input *input)
{
    enum abi_id id = input_abi(input, filter->big_endian);
    if (id == ABI_NONE || input->nr >= abi_get(id)->cache_size)
        return false;
    for (size_t i = 0; i < filter->program_count; i++)
        if (!cache_allows(&filter->programs[i], input->arch, input->nr))
            return false;
    return true;
}

static json_t *simulate_one(struct context *context, const struct filter *filter,
                            const struct call *call)
{
    struct stack_run run;
    uint32_t word = word_of(filter, &call->input, &run), honest;
    bool cached = is_cached(filter, &call->input);
    const char *text = call_text(context, &call->input, filter->declared, filter->big_endian);
    const char *verdict = verdict_text(context, word, &call->input, filter->big_endian);
    json_t *object = json_input(context, &call->input, filter->declared, filter->big_endian);
    json_object_set_new(object, "verdict", json_string(verdict));
    json_object_set_new(object, "word", json_hex(word));
    json_object_set_new(object, "instructions", json_integer((json_int_t)run.executed));
    json_object_set_new(object, "cached", json_boolean(cached));
    if (filter->program_count > 1)
        json_object_set_new(object, "decided_by", json_integer(run.decided_by));
    if (!context->options.json)
        printf("%s: %s, %llu instructions%s\n", text, verdict, (unsigned long long)run.executed,
               cached ? ", cached by the kernel (5.11 and later)" : "");
    if (run.implementation_defined)
        report_warning(
            &context->diagnostics, NO_SPAN,
            "%s: a shift by 32 or more was executed; machines differ, this is x86's result", text);
    if (ignored_bits_decide(filter, call, word, &honest)) {
        const char *other = verdict_text(context, honest, &call->input, filter->big_endian);
        json_object_set_new(object, "verdict_without_ignored_bits", json_string(other));
        report_warning(
            &context->diagnostics, NO_SPAN,
            "%s: bits that the kernel ignores decide here; without them the verdict is %s", text,
            other);
    }
    return object;
}

/* ---- test vectors
 * ---------------------------------------------------------------------------------------- */

struct vector {
    struct input input;
    uint32_t verdict;
};

static bool read_word(const char *text, int base, uint64_t most, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, base);
    return !errno && end != text && !*end && *value <= most && *text != '-';
}

static bool read_nr(const char *text, uint32_t *nr)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    *nr = (uint32_t)value;
    return !errno && end != text && !*end && value >= INT32_MIN && value <= (long long)UINT32_MAX;
}

static const char *read_fields(char **fields, struct vector *vector)
{
    uint64_t value;
    if (!read_word(fields[0], 16, UINT32_MAX, &value))
        return "arch is a 32-bit hex word";
    vector->input.arch = (uint32_t)value;
    if (!read_nr(fields[1], &vector->input.nr))
        return "nr is a 32-bit number, decimal, negative or hex";
    for (size_t i = 0; i < 6; i++)
        if (!read_word(fields[2 + i], 0, UINT64_MAX, &vector->input.args[i]))
            return "an argument is a 64-bit number";
    if (!read_word(fields[8], 16, UINT32_MAX, &value))
        return "the verdict is a 32-bit hex word";
    vector->verdict = (uint32_t)value;
    return NULL;
}

/* NULL and `used` set: a vector; NULL and not used: an empty line or a comment. */
static const char *read_vector(char *line, struct vector *vector, bool *used)
{
    char *fields[10];
    size_t count = 0;
    line[strcspn(line, "#\r")] = '\0';
    *used = false;
    for (char *rest = line, *field; (field = strsep(&rest, "\t"));) {
        field += strspn(field, " ");
        field[strcspn(field, " ")] = '\0';
        if (!*field && !rest)
            break;
        if (count < COUNT_OF(fields))
            fields[count] = field;
        count++;
    }
    if (count == 0)
        return NULL;
    if (count != 9)
        return "a vector has nine fields: arch nr a0 a1 a2 a3 a4 a5 verdict";
    *used = true;
    *vector = (struct vector){0};
    return read_fields(fields, vector);
}

static void disagree(struct context *context, const struct filter *filter,
                     const struct vector *vector, uint32_t word, size_t line, json_t *failures)
{
    json_t *object = json_input(context, &vector->input, filter->declared, filter->big_endian);
    json_object_set_new(object, "line", json_integer((json_int_t)line));
    json_object_set_new(object, "expected", json_hex(vector->verdict));
    json_object_set_new(object, "word", json_hex(word));
    json_array_append_new(failures, object);
    if (!context->options.json)
        printf("line %zu: %s: %s (0x%08x), not %s (0x%08x)\n", line,
               call_text(context, &vector->input, filter->declared, filter->big_endian),
               verdict_text(context, word, &vector->input, filter->big_endian), word,
               verdict_text(context, vector->verdict, &vector->input, filter->big_endian),
               vector->verdict);
}

static enum exit_code run_vectors(struct context *context, const struct filter *filter)
{
    const struct source *source;
    result r = file_read(context->arena, context->options.vectors, &context->diagnostics, &source);
    if (failed(r))
        return exit_of(r);
    json_t *failures = json_array();
    size_t passed = 0, failed_count = 0;
    for (size_t i = 0; i < source->line_count; i++) {
        uint32_t begin = source->lines[i];
        uint32_t end =
            i + 1 < source->line_count ? source->lines[i + 1] - 1 : (uint32_t)source->length;
        char *line = arena_string(context->arena, source->text + begin, end - begin);
        struct vector vector;
        bool used;
        const char *wrong = read_vector(line, &vector, &used);
        if (wrong)
            report_error(&context->diagnostics, (struct span){source, begin, end}, "%s", wrong);
        if (wrong || !used)
            continue;
        struct stack_run run;
        uint32_t word = word_of(filter, &vector.input, &run);
        passed += word == vector.verdict;
        failed_count += word != vector.verdict;
        if (word != vector.verdict)
            disagree(context, filter, &vector, word, i + 1, failures);
    }
    json_object_set_new(context->json, "passed", json_integer((json_int_t)passed));
    json_object_set_new(context->json, "failed", json_integer((json_int_t)failed_count));
    json_object_set_new(context->json, "failures", failures);
    if (!context->options.json)
        printf("%zu passed, %zu failed\n", passed, failed_count);
    if (context->diagnostics.errors)
        return EXIT_USAGE;
    return failed_count ? EXIT_REFUTED : EXIT_HOLDS;
}

enum exit_code run_simulate(struct context *context)
{
    struct options *o = &context->options;
    struct filter filter;
    struct load_options options = load_options_of(context);
    options.inspect = true;
    if (o->argument_count == 1 && !o->vectors) {
        report_error(&context->diagnostics, NO_SPAN,
                     "nothing to simulate: give a CALL or --vectors FILE");
        return EXIT_USAGE;
    }
    result r = load_argument(context, 0, &filter);
    if (worked(r))
        r = filter_compile(context->arena, &filter, &options, &context->diagnostics);
    if (failed(r))
        return exit_of(r);
    json_t *calls = json_array();
    json_object_set_new(context->json, "calls", calls);
    for (int i = 1; i < o->argument_count; i++) {
        struct call call;
        r = call_parse(context->arena, o->arguments[i], default_abi(filter.declared),
                       &context->diagnostics, &call);
        if (worked(r))
            json_array_append_new(calls, simulate_one(context, &filter, &call));
    }
    if (context->diagnostics.errors)
        return EXIT_USAGE;
    return o->vectors ? run_vectors(context, &filter) : EXIT_HOLDS;
}
