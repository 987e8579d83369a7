#include "cli/usage.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void usage(FILE *out)
{
    fputs("Usage: bpfproof COMMAND [OPTION...] ARGUMENTS\n"
          "Compiles seccomp policies to classic BPF, proves the result, and verifies filters that "
          "others made.\n\n",
          out);
    size_t count;
    const struct command *table = command_table(&count);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-9s %-26s %s\n", table[i].name, table[i].arguments, table[i].summary);
    fputs("\nFILTER is a policy or a blob (raw, C, decimal, JSON, assembly), told apart by "
          "content; a "
          "stack FILTER+FILTER, oldest first;\na directory of blobs, in order; or pid:N, what a "
          "running "
          "process is under.\n"
          "`bpfproof COMMAND --help` shows a command's options and an example. `-` is standard "
          "input or output.\n"
          "Exit status: 0 holds or done; 1 refuted, refused or findings; 2 usage, malformed input "
          "or I/O error; 3 unknown.\n",
          out);
}

static const char *nearest_command(const char *name)
{
    const char *nearest = NULL;
    unsigned best = 3;
    size_t count;
    const struct command *table = command_table(&count);
    for (size_t i = 0; i < count; i++) {
        unsigned distance = name_distance(name, table[i].name, 2);
        if (distance < best) {
            best = distance;
            nearest = table[i].name;
        }
    }
    return nearest;
}

static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "bpfproof: out of memory (%zu bytes)\n", bytes);
    _exit(EXIT_USAGE);
}

/* Prints what was reported, and the one JSON object. */
static enum exit_code finish(struct context *context, enum exit_code code)
{
    diagnostics_print(&context->diagnostics, stderr);
    if (!context->options.json)
        return code;
    if (code == EXIT_USAGE && !json_object_get(context->json, "result"))
        set_text(context, "result", "ERROR");
    if (context->diagnostics.first)
        json_object_set_new(context->json, "diagnostics", json_diagnostics(&context->diagnostics));
    struct buffer text;
    if (failed(json_write(context->arena, context->json, &text)) ||
        fwrite(text.bytes, 1, text.length, stdout) != text.length) {
        fputs("bpfproof: cannot write the JSON object\n", stderr);
        return EXIT_USAGE;
    }
    return code;
}

static void report_unknown_command(struct context *context, const char *name)
{
    const char *nearest = nearest_command(name);
    report_error(&context->diagnostics, NO_SPAN, "no command `%s`%s%s%s", name,
                 nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
}

/* argv[0] is the command's name; `command` is NULL when there is none of that name. */
static enum exit_code run(const struct command *command, int argc, char **argv)
{
    struct context context = {.arena = arena_new(), .command = command, .json = json_object()};
    context.diagnostics = diagnostics_new(context.arena);
    enum exit_code code = EXIT_USAGE;
    bool done = false;
    if (!command) {
        report_unknown_command(&context, argv[0]);
        context.options.json = usage_wants_json(argc, argv);
        code = finish(&context, code);
        fputs("Try `bpfproof --help`.\n", stderr);
    } else if (options_parse(&context, argc, argv, &done)) {
        context.deadline = deadline_in(context.options.timeout);
        code = done ? EXIT_HOLDS : finish(&context, command->run(&context));
    } else {
        code = finish(&context, code);
    }
    json_decref(context.json);
    arena_free(context.arena);
    return code;
}

int main(int argc, char **argv)
{
    memory_on_failure(out_of_memory);
    argp_err_exit_status = EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error with a message and an exit status */
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        if (argc > 2 && command_find(argv[2])) {
            char help[] = "--help";
            char *arguments[] = {argv[0], help, NULL};
            return (int)run(command_find(argv[2]), 2, arguments);
        }
        usage(stdout);
        return fflush(stdout) == 0 ? EXIT_HOLDS : EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("bpfproof %s (%s)\n", BPFPROOF_VERSION, solver_version());
        return fflush(stdout) == 0 ? EXIT_HOLDS : EXIT_USAGE;
    }
    int code = (int)run(command_find(argv[1]), argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("bpfproof: cannot write to standard output\n", stderr);
        return EXIT_USAGE;
    }
    return code;
}
