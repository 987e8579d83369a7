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

/* ---- over the calls that count -------------------------------------------------------------- */

/* Where x86 kernels end the function; other returns jump there. */
static uint32_t first_return(const struct program *program)
{
    uint32_t pc = 0;
    while (!is_return(instruction_info(program->code[pc].code)->operation))
        pc++;
    return pc;
}

/* Whether an executed instruction, which the one at `next` followed, was left by a jump. */
static bool jumps_from(const struct program *program, uint32_t pc, uint32_t next)
{
    const struct sock_filter *f = &program->code[pc];
    enum operation operation = instruction_info(f->code)->operation;
    if (!is_conditional(operation))
        return operation == OP_JUMP && f->k != 0; /* else there is no code for it */
    /* There is no machine instruction that jumps on "no bit set": two jumps stand for it, as they
     * do where neither side is the next instruction, and one of them is taken. */
    bool inverts = operation != OP_JUMP_SET;
    bool one_jump = f->jf == 0 || (f->jt == 0 && inverts);
    return !one_jump || next != pc + 1;
}

struct path_means program_paths(const struct program *program, const struct weights *weights)
{
    uint32_t path[PROGRAM_MOST], end = first_return(program);
    struct path_means means = {0};
    for (size_t i = 0; i < weights->count; i++) {
        const struct weighted_call *call = &weights->calls[i];
        uint32_t executed = interpret(program, &call->input, path, PROGRAM_MOST).executed;
        uint32_t jumps = path[executed - 1] != end;
        for (uint32_t k = 0; k + 1 < executed; k++)
            jumps += jumps_from(program, path[k], path[k + 1]);
        means.executed += call->weight * executed;
        means.jumps += call->weight * jumps;
    }
    return means;
}

bool paths_of_stack(struct arena *arena, const struct program *programs, size_t count,
                    abi_set declared, unsigned kernel_major, unsigned kernel_minor,
                    struct path_means *means)
{
    struct shape_options shape = {.level = OPTIMIZE_2,
                                  .abis = declared,
                                  .kernel_major = kernel_major,
                                  .kernel_minor = kernel_minor};
    struct diagnostics limits = diagnostics_new(arena);
    struct dag *dag = NULL;
    const struct dag_node *root;
    if (failed(lift_stack(arena, programs, count, &limits, &dag, &root)))
        return false;
    optimize_dag(arena, shape.level, &dag, &root); /* tests that others imply: what always allows */
    struct weights weights = weights_of(arena, dag, root, &shape);
    *means = (struct path_means){0};
    for (size_t i = 0; i < count; i++) {
        struct path_means own = program_paths(&programs[i], &weights);
        means->executed += own.executed;
        means->jumps += own.jumps;
    }
    return true;
}
