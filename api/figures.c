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

struct figures program_figures(struct arena *arena, const struct program *program, abi_set declared)
{
    struct figures figures = {.instructions = program->length,
                              .worst = longest_path(arena, program)};
    uint64_t calls = 0, executed = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(declared & ABI_BIT(id)))
            continue;
        const struct abi *abi = abi_get((enum abi_id)id);
        figures.cached[id] = cache_count(program, 1, abi);
        uint64_t abi_calls = 0, abi_executed = 0;
        size_t count;
        const struct syscall_entry *table = abi_syscalls(abi->id, &count);
        for (size_t i = 0; i < count; i++) {
            struct input input = {.nr = table[i].nr, .arch = abi->token};
            struct run run = interpret(program, &input, NULL, 0);
            if (!table[i].implemented || !action_of_word(run.word, NULL)->permits)
                continue;
            abi_calls++;
            abi_executed += run.executed;
        }
        if (abi_calls)
            figures.expected_of[id] = (double)abi_executed / (double)abi_calls;
        calls += abi_calls;
        executed += abi_executed;
    }
    figures.expected = calls ? (double)executed / (double)calls : 0;
    return figures;
}

double program_cost(const struct program *program, const struct weights *weights)
{
    double executed = 0;
    for (size_t i = 0; i < weights->count; i++)
        executed += weights->calls[i].weight *
                    interpret(program, &weights->calls[i].input, NULL, 0).executed;
    return executed;
}
