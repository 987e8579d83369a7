/* dump: the directory that the filters are written to. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "cli/cli.h"

/* --output, if given, does not exist or is an empty directory. Asked before a command is run. */
MUST_USE result dump_directory_check(struct context *context);
/* Whose names its text shows. What was read from a command's memory may be anything. */
abi_set dump_abis(const struct program *program);
/* All files or none: a directory of a temporary name beside it is filled and then renamed. */
MUST_USE result dump_directory_write(struct context *context, const struct dump *dump);

#endif
