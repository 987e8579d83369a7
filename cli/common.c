#include "cli/cli.h"

#include <unistd.h>

struct load_options load_options_of(const struct context *context)
{
    return (struct load_options){.abis = context->options.abis,
                                 .format = context->options.from,
                                 .accept_arch = context->options.accept_arch,
                                 .accept_width = context->options.accept_width,
                                 .deadline = context->deadline};
}

struct proof_options proof_options_of(struct context *context, struct buffer *smt2,
                                      abi_set declared)
{
    return (struct proof_options){.whole = context->options.whole_proof,
                                  .limits = {.deadline = context->deadline},
                                  .smt2 = smt2,
                                  .declared = declared};
}

result load_argument(struct context *context, int index, struct filter *filter)
{
    struct load_options options = load_options_of(context);
    return filter_load(context->arena, context->options.arguments[index], &options,
                       &context->diagnostics, filter);
}

enum exit_code exit_of(result r)
{
    if (worked(r))
        return EXIT_HOLDS;
    return r.error == ERROR_LIMIT ? EXIT_UNKNOWN : EXIT_USAGE;
}

enum exit_code exit_of_verdict(enum verdict verdict)
{
    static const enum exit_code codes[] = {
        [PROVED] = EXIT_HOLDS, [REFUTED] = EXIT_REFUTED, [UNKNOWN] = EXIT_UNKNOWN};
    return codes[verdict];
}

result write_output(struct context *context, const void *bytes, size_t length)
{
    const char *path = context->options.output;
    if (!path || !strcmp(path, "-")) {
        path = "-";
        if (fflush(stdout) != 0) {
            report_error(&context->diagnostics, NO_SPAN, "cannot write <stdout>");
            return FAILURE(ERROR_IO);
        }
    }
    return file_write(path, bytes, length, &context->diagnostics);
}

result write_smt2(struct context *context, struct buffer *smt2)
{
    if (!context->options.emit_smt2)
        return SUCCESS;
    return file_write(context->options.emit_smt2, buffer_string(smt2), smt2->length,
                      &context->diagnostics);
}

/* As bytes a program is never printed on a terminal; with --json, standard output holds the object
 * alone. */
result write_program(struct context *context, const struct program *program, abi_set declared)
{
    const char *output = context->options.output;
    if (context->options.json && (!output || !strcmp(output, "-")))
        return SUCCESS;
    enum format format = context->options.format;
    if (format == FORMAT_UNKNOWN)
        format = format_by_name("bin", program->big_endian);
    bool binary = format == FORMAT_RAW_LITTLE || format == FORMAT_RAW_BIG;
    if (!output && binary && isatty(STDOUT_FILENO)) {
        report_error(&context->diagnostics, NO_SPAN,
                     "not writing a binary to a terminal; use -o FILE or -f asm");
        return FAILURE(ERROR_INPUT);
    }
    struct buffer bytes = buffer_new(context->arena);
    program_encode(&bytes, context->arena, program, format, declared);
    return write_output(context, buffer_string(&bytes), bytes.length);
}

result load_profile(struct context *context, const char *path, abi_set declared,
                    struct profile *profile)
{
    const struct source *source;
    result r = file_read(context->arena, path, &context->diagnostics, &source);
    if (failed(r))
        return r;
    return profile_read(context->arena, source, default_abi(declared), declared,
                        &context->diagnostics, profile);
}

const char *call_text(struct context *context, const struct input *input, abi_set declared,
                      bool big_endian)
{
    struct buffer text = buffer_new(context->arena);
    call_print(&text, input, declared, big_endian);
    return buffer_string(&text);
}

const char *verdict_text(struct context *context, uint32_t word, const struct input *input,
                         bool big_endian)
{
    struct buffer text = buffer_new(context->arena);
    verdict_print(&text, word, input_abi(input, big_endian));
    return buffer_string(&text);
}

json_t *json_input(struct context *context, const struct input *input, abi_set declared,
                   bool big_endian)
{
    json_t *object = json_object();
    json_object_set_new(object, "arch", json_hex(input->arch));
    json_object_set_new(object, "nr", json_integer((int32_t)input->nr));
    json_t *args = json_array();
    for (size_t i = 0; i < 6; i++)
        json_array_append_new(args, json_hex(input->args[i]));
    json_object_set_new(object, "args", args);
    json_object_set_new(object, "ip", json_hex(input->ip));
    json_object_set_new(object, "call",
                        json_string(call_text(context, input, declared, big_endian)));
    return object;
}

json_t *json_counterexample(struct context *context, const struct counterexample *c,
                            abi_set declared, bool big_endian)
{
    json_t *object = json_input(context, &c->input, declared, big_endian);
    json_object_set_new(object, "left",
                        json_string(verdict_text(context, c->left, &c->input, big_endian)));
    json_object_set_new(object, "right",
                        json_string(verdict_text(context, c->right, &c->other, big_endian)));
    json_object_set_new(object, "left_word", json_hex(c->left));
    json_object_set_new(object, "right_word", json_hex(c->right));
    if (memcmp(&c->input, &c->other, sizeof c->input))
        json_object_set_new(object, "other", json_input(context, &c->other, declared, big_endian));
    return object;
}

void set_text(struct context *context, const char *key, const char *value)
{
    json_object_set_new(context->json, key, json_string(value));
}

double milliseconds(uint64_t ns)
{
    return (double)(ns / 1000) / 1000.0;
}

void print_goals(struct context *context, FILE *out, const struct goal_result *goals, size_t count,
                 abi_set declared, bool big_endian)
{
    for (size_t i = 0; i < count; i++) {
        const struct goal_result *g = &goals[i];
        fprintf(out, "%s: %s\n", verdict_name(g->proof.verdict), g->goal->text);
        if (g->proof.verdict == REFUTED && g->proof.has_counterexample) {
            const struct counterexample *c = &g->proof.counterexample;
            fprintf(out, "  counterexample: %s\n",
                    call_text(context, &c->input, declared, big_endian));
            fprintf(out, "  gets %s\n", verdict_text(context, c->left, &c->input, big_endian));
        } else if (g->proof.verdict == UNKNOWN && g->proof.reason) {
            fprintf(out, "  %s\n", g->proof.reason);
        }
    }
}

json_t *json_goals(struct context *context, const struct goal_result *goals, size_t count,
                   abi_set declared, bool big_endian)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct proof *proof = &goals[i].proof;
        json_t *object = json_object();
        json_object_set_new(object, "statement", json_string(goals[i].goal->text));
        json_object_set_new(object, "result", json_string(verdict_name(proof->verdict)));
        json_object_set_new(object, "vacuous", json_boolean(goals[i].vacuous));
        json_object_set_new(object, "ms", json_real(milliseconds(proof->ns)));
        if (proof->verdict == REFUTED && proof->has_counterexample)
            json_object_set_new(
                object, "counterexample",
                json_counterexample(context, &proof->counterexample, declared, big_endian));
        if (proof->reason)
            json_object_set_new(object, "reason", json_string(proof->reason));
        json_array_append_new(array, object);
    }
    return array;
}

const char *abi_names_of(struct arena *arena, abi_set abis)
{
    struct buffer names = buffer_new(arena);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abis >> id & 1)
            buffer_printf(&names, "%s%s", names.length ? ", " : "", abi_get((enum abi_id)id)->name);
    return buffer_string(&names);
}

json_t *json_abis(abi_set abis)
{
    json_t *names = json_array();
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abis >> id & 1)
            json_array_append_new(names, json_string(abi_get((enum abi_id)id)->name));
    return names;
}

json_t *json_figures(const struct figures *figures, abi_set declared)
{
    json_t *object = json_object();
    json_t *cached = json_object(), *expected = json_object();
    json_object_set_new(object, "instructions", json_integer(figures->instructions));
    json_object_set_new(object, "expected", json_real(figures->expected));
    json_object_set_new(object, "worst", json_integer(figures->worst));
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(declared & ABI_BIT(id)))
            continue;
        const char *name = abi_get((enum abi_id)id)->name;
        json_object_set_new(cached, name, json_integer(figures->cached[id]));
        json_object_set_new(expected, name, json_real(figures->expected_of[id]));
    }
    json_object_set_new(object, "cached", cached);
    json_object_set_new(object, "expected_of", expected);
    return object;
}

enum abi_id default_abi(abi_set declared)
{
    if (declared & ABI_BIT(abi_native()))
        return abi_native();
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (declared & ABI_BIT(id))
            return (enum abi_id)id;
    return abi_native();
}
