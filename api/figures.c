#include "api/bpfproof.h"

/* Longest path by instruction count, backwards over the program: all jumps go forward. */
static uint32_t longest_path(struct arena *arena, const struct program *program)
{
    uint32_t *longest = NEW_ARRAY(arena, uint32_t, program->length + 1);
    for (uint32_t pc = program->length; pc-- > 0;) {
        const struct sock_filter *f = &program->code[pc];
        enum operation operation = instruction_info(f->code)->operation;
        uint32_t after = 0;
        if (operation == OP_JUMP) {
            after = longest[pc + 1 + f->k];
        } else if (is_conditional(operation)) {
            uint32_t yes = longest[pc + 1 + f->jt], no = longest[pc + 1 + f->jf];
            after = yes > no ? yes : no;
        } else if (!is_return(operation)) {
            after = longest[pc + 1];
        }
        longest[pc] = after + 1;
    }
    return longest[0];
}

/* Means over the calls of one ABI that are permitted. */
static void count_calls(const struct program *programs, size_t count, enum abi_id id,
                        struct figures *figures, uint64_t *calls, uint64_t *executed)
{
    uint64_t abi_calls = 0, abi_executed = 0;
    size_t entries;
    const struct syscall_entry *table = abi_syscalls(id, &entries);
    for (size_t i = 0; i < entries; i++) {
        struct input input = {.nr = table[i].nr, .arch = abi_get(id)->token};
        struct stack_run run = interpret_stack(programs, count, &input);
        if (!table[i].implemented || !action_of_word(run.word, NULL)->permits)
            continue;
        abi_calls++;
        abi_executed += run.executed;
    }
    if (abi_calls)
        figures->expected_of[id] = (double)abi_executed / (double)abi_calls;
    *calls += abi_calls;
    *executed += abi_executed;
}

struct figures figures_of_stack(struct arena *arena, const struct program *programs, size_t count,
                                abi_set declared)
{
    struct figures figures = {0};
    uint64_t calls = 0, executed = 0;
    for (size_t i = 0; i < count; i++) {
        figures.instructions += programs[i].length;
        figures.worst += longest_path(arena, &programs[i]);
    }
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(declared & ABI_BIT(id)))
            continue;
        figures.cached[id] = cache_count(programs, count, abi_get((enum abi_id)id));
        count_calls(programs, count, (enum abi_id)id, &figures, &calls, &executed);
    }
    figures.expected = calls ? (double)executed / (double)calls : 0;
    return figures;
}

struct figures program_figures(struct arena *arena, const struct program *program, abi_set declared)
{
    return figures_of_stack(arena, program, 1, declared);
}

double program_cost(const struct program *program, const struct weights *weights)
{
    double executed = 0;
    for (size_t i = 0; i < weights->count; i++)
        executed += weights->calls[i].weight *
                    interpret(program, &weights->calls[i].input, NULL, 0).executed;
    return executed;
}

double expected_cost_of_stack(struct arena *arena, const struct program *programs, size_t count,
                              abi_set declared, unsigned kernel_major, unsigned kernel_minor)
{
    struct shape_options shape = {.level = OPTIMIZE_2,
                                  .abis = declared,
                                  .kernel_major = kernel_major,
                                  .kernel_minor = kernel_minor};
    struct diagnostics limits = diagnostics_new(arena);
    struct dag *dag = NULL;
    const struct dag_node *root;
    if (failed(lift_stack(arena, programs, count, &limits, &dag, &root)))
        return -1;
    optimize_dag(arena, shape.level, &dag, &root); /* tests that others imply: what always allows */
    struct weights weights = weights_of(arena, dag, root, &shape);
    double cost = 0;
    for (size_t i = 0; i < count; i++)
        cost += program_cost(&programs[i], &weights);
    return cost;
}
