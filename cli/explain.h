/* explain: by the programs (explain_path.c), beside by the policy (explain.c). */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/cli.h"

/* The path through each program with what is known at each instruction; of a stack also what each
 * program says and which of them decides. The verdict is told unless a policy has told it. */
void explain_programs(struct context *context, const struct filter *filter,
                      const struct input *input);

#endif
