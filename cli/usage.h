/* Usage errors, and the table of options that they are explained by. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "cli/cli.h"

struct argp_state;

/* ---- options.c */

struct option_row {
    enum option_key key;
    const char *name;
    char letter; /* 0: none */
    const char *argument;
    const char *help;
};

const struct option_row *option_rows(size_t *count);
const struct option_row *option_of_letter(char letter); /* NULL: none has it */

/* ---- usage.c */

/* Whether --json is among the arguments (not behind `--`), and help is not. */
bool usage_wants_json(int argc, char **argv);
/* Says what is wrong: as argp does, which ends the program, or as a diagnostic where argp is
 * silent.
 */
void usage_error(struct context *context, struct argp_state *state, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Reports which option getopt did not take, where argp is silent. */
void usage_explain(struct context *context, const struct argp_state *state);

#endif
