/* Usage errors. Without --json argp says them in its way, and ends the program. With --json they
 * are reported like all other errors, so that the object on standard output has them: argp is then
 * told to be silent, and what it found wrong is found again here. */
#include "cli/usage.h"

#include <argp.h>
#include <stdlib.h>

/* ---- is an object wanted ----------------------------------------------------------------------
 */

/* Letters behind one dash, up to the first that takes an argument. */
static bool has_letter(const char *word, char wanted)
{
    for (const char *at = word + 1; *at; at++) {
        const struct option_row *row = option_of_letter(*at);
        if (*at == wanted)
            return true;
        if (row && row->argument)
            return false;
    }
    return false;
}

/* As getopt has it: the name may be cut short. */
static bool names(const char *word, const char *name)
{
    size_t length = strcspn(word + 2, "=");
    return length && !strncmp(word + 2, name, length);
}

static bool asks_for(int argc, char **argv, const char *name, char letter)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
        if (argv[i][0] == '-' && argv[i][1] == '-'
                ? names(argv[i], name)
                : argv[i][0] == '-' && has_letter(argv[i], letter))
            return true;
    }
    return false;
}

bool usage_wants_json(int argc, char **argv)
{
    bool help = asks_for(argc, argv, "help", '?') || asks_for(argc, argv, "usage", '?');
    return !help && asks_for(argc, argv, "json", 'j');
}

/* ---- errors that are ours
 * -------------------------------------------------------------------------- */

void usage_error(struct context *context, struct argp_state *state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (state->flags & ARGP_NO_ERRS)
        report_error(&context->diagnostics, NO_SPAN, "%s", text);
    else
        argp_error(state, "%s", text);
}

/* ---- errors that getopt finds
 * ---------------------------------------------------------------------- */

static bool takes(const struct command *command, const struct option_row *row)
{
    return row && command->keys & KEY_BIT(row->key);
}

/* What is wrong with --NAME or --NAME=VALUE; NULL: nothing. */
static const char *wrong_with_name(struct context *context, const char *word, bool is_last)
{
    size_t length = strcspn(word + 2, "="), count;
    const struct option_row *rows = option_rows(&count), *found = NULL;
    unsigned matches = 0;
    for (size_t i = 0; i < count; i++) {
        if (!takes(context->command, &rows[i]) || strncmp(rows[i].name, word + 2, length))
            continue;
        found = &rows[i];
        matches++;
        if (strlen(found->name) == length) {
            matches = 1;
            break;
        }
    }
    if (matches != 1)
        return matches ? "is the beginning of more than one option"
                       : "is no option of this command";
    bool has_value = word[2 + length] == '=';
    if (!found->argument)
        return has_value ? "takes no value" : NULL;
    return is_last && !has_value ? "needs a value" : NULL;
}

static const char *wrong_with_letters(struct context *context, const char *word, bool is_last)
{
    for (const char *at = word + 1; *at; at++) {
        const struct option_row *row = option_of_letter(*at);
        if (!takes(context->command, row))
            return "is no option of this command";
        if (row->argument)
            return !at[1] && is_last ? "needs a value" : NULL;
    }
    return NULL;
}

/* The word that getopt stopped at, or the one before: it goes on past a word when it has seen all
 * of it. */
void usage_explain(struct context *context, const struct argp_state *state)
{
    for (int i = state->next; i >= state->next - 1 && i > 0; i--) {
        const char *word = i < state->argc ? state->argv[i] : "";
        bool is_last = i == state->argc - 1;
        const char *wrong = NULL;
        if (word[0] == '-' && word[1] == '-' && word[2])
            wrong = wrong_with_name(context, word, is_last);
        else if (word[0] == '-' && word[1] && word[1] != '-')
            wrong = wrong_with_letters(context, word, is_last);
        if (wrong) {
            report_error(&context->diagnostics, NO_SPAN, "%s %s", word, wrong);
            return;
        }
    }
    report_error(&context->diagnostics, NO_SPAN, "the options cannot be read");
}
