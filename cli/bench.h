/* bench: what its two files share. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli/cli.h"

/* What is compared, and what became of it. */
struct contest {
    struct context *context;
    struct filter *filters;
    struct bench_stack *stacks;
    struct figures
        *figures; /* of a stack: summed; the pairs are those that all its programs allow */
    struct path_means *paths;            /* expected on the running kernel (optimizer/cost.h) ... */
    bool *paths_known;                   /* ... where that could be found out */
    unsigned kernel_major, kernel_minor; /* the running one */
    size_t count;
    enum abi_id abi;
    json_t *methods;
    const struct bench_report *reports[BENCH_METHOD_COUNT]; /* NULL: not measured */
};

int bench_name_width(const struct contest *c);

/* bench_table.c: all methods in one table, one line a filter. */
void bench_table_print(const struct contest *c);
json_t *bench_table_json(const struct contest *c);

#endif
