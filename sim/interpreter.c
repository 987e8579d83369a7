#include "sim/sim.h"

/* One program run concretely, instruction by instruction, as the kernel runs it: bpf_prog_run over
 * struct seccomp_data, classic BPF's A and X starting at 0. All arithmetic is on 32 bits, unsigned.
 *
 * check_program() guarantees that no access below leaves its array and that a RET is reached. The
 * masks and the bound of the loop keep an unaccepted program harmless as well: it ends with word 0.
 */

#define MEMORY_SLOTS 16u /* BPF_MEMWORDS */
#define SHIFT_MASK 31u

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t memory[MEMORY_SLOTS];
};

/* The word at byte `offset` of struct seccomp_data; the halves of 64-bit members stand in the byte
 * order of the machine. */
static uint32_t load_word(const struct input *input, uint32_t offset, bool big_endian)
{
    unsigned word = offset / 4 % FIELD_COUNT;
    if (word < FIELD_IP_LO)
        return word == FIELD_NR ? input->nr : input->arch;
    bool high = (word % 2 == 1) != big_endian;
    uint64_t whole = word <= FIELD_IP_HI ? input->ip : input->args[(word - FIELD_ARG0_LO) / 2];
    return (uint32_t)(high ? whole >> 32 : whole);
}

static bool condition(enum operation operation, uint32_t a, uint32_t operand)
{
    switch (operation) {
    case OP_JUMP_EQUAL:
        return a == operand;
    case OP_JUMP_GREATER:
        return a > operand;
    case OP_JUMP_GREATER_EQUAL:
        return a >= operand;
    default:
        return (a & operand) != 0;
    }
}

static uint32_t quotient(uint32_t a, uint32_t operand, struct run *run)
{
    if (operand == 0)
        run->divided_by_zero = true;
    return operand == 0 ? 0 : a / operand;
}

/* JITs differ on a shift by 32 or more; this is x86's result. */
static uint32_t shift_count(uint32_t operand, struct run *run)
{
    if (operand > SHIFT_MASK)
        run->implementation_defined = true;
    return operand & SHIFT_MASK;
}

static uint32_t arithmetic(enum operation operation, uint32_t a, uint32_t operand, struct run *run)
{
    switch (operation) {
    case OP_ADD:
        return a + operand;
    case OP_SUB:
        return a - operand;
    case OP_MUL:
        return a * operand;
    case OP_DIV:
        return quotient(a, operand, run);
    case OP_AND:
        return a & operand;
    case OP_OR:
        return a | operand;
    case OP_XOR:
        return a ^ operand;
    case OP_SHIFT_LEFT:
        return a << shift_count(operand, run);
    case OP_SHIFT_RIGHT:
        return a >> shift_count(operand, run);
    default:
        return 0u - a; /* OP_NEGATE */
    }
}

/* Everything that moves a word between A, X, scratch memory and the input. */
static void move(struct machine *machine, enum operation operation, uint32_t k)
{
    uint32_t *slot = &machine->memory[k % MEMORY_SLOTS];
    switch (operation) {
    case OP_LOAD_LENGTH:
        machine->a = INPUT_BYTES;
        break;
    case OP_LOAD_X_LENGTH:
        machine->x = INPUT_BYTES;
        break;
    case OP_LOAD_IMMEDIATE:
        machine->a = k;
        break;
    case OP_LOAD_X_IMMEDIATE:
        machine->x = k;
        break;
    case OP_LOAD_MEMORY:
        machine->a = *slot;
        break;
    case OP_LOAD_X_MEMORY:
        machine->x = *slot;
        break;
    case OP_STORE:
        *slot = machine->a;
        break;
    case OP_STORE_X:
        *slot = machine->x;
        break;
    case OP_TAX:
        machine->x = machine->a;
        break;
    default:
        machine->a = machine->x; /* OP_TXA */
        break;
    }
}

static bool is_arithmetic(enum operation operation)
{
    return operation >= OP_ADD && operation <= OP_NEGATE;
}

/* How far to skip after the instruction that every one is followed by. */
static uint32_t skip(const struct sock_filter *at, const struct instruction_info *info,
                     const struct machine *machine)
{
    if (info->operation == OP_JUMP)
        return at->k;
    uint32_t operand = info->operand_is_x ? machine->x : at->k;
    return condition(info->operation, machine->a, operand) ? at->jt : at->jf;
}

/* Where the steps go: both may be NULL. */
struct record {
    uint32_t *trace;
    struct executed_step *steps;
    size_t most;
};

static void record_step(const struct record *record, uint32_t executed, uint32_t pc,
                        const struct machine *machine)
{
    if (executed >= record->most)
        return;
    if (record->trace)
        record->trace[executed] = pc;
    if (record->steps)
        record->steps[executed] = (struct executed_step){pc, machine->a, machine->x};
}

static struct run run_recorded(const struct program *program, const struct input *input,
                               const struct record *record)
{
    struct run run = {0};
    struct machine machine = {0};
    for (uint64_t pc = 0; pc < program->length; pc++) {
        const struct sock_filter *at = &program->code[pc];
        const struct instruction_info *info = instruction_info(at->code);
        record_step(record, run.executed, (uint32_t)pc, &machine);
        run.executed++;
        run.last = (uint32_t)pc;
        if (!info || is_return(info->operation)) {
            run.word = !info ? 0 : info->operation == OP_RETURN ? at->k : machine.a;
            return run;
        }
        if (info->operation == OP_LOAD_FIELD)
            machine.a = load_word(input, at->k, program->big_endian);
        else if (info->operation == OP_JUMP || is_conditional(info->operation))
            pc += skip(at, info, &machine);
        else if (is_arithmetic(info->operation))
            machine.a = arithmetic(info->operation, machine.a,
                                   info->operand_is_x ? machine.x : at->k, &run);
        else
            move(&machine, info->operation, at->k);
        if (run.divided_by_zero)
            return run; /* the kernel's conversion puts `exit` with 0 there */
    }
    return run;
}

struct run interpret(const struct program *program, const struct input *input, uint32_t *trace,
                     size_t trace_most)
{
    return run_recorded(program, input, &(struct record){.trace = trace, .most = trace_most});
}

struct run interpret_steps(const struct program *program, const struct input *input,
                           struct executed_step *steps, size_t most)
{
    return run_recorded(program, input, &(struct record){.steps = steps, .most = most});
}

/* seccomp_run_filters compares actions as signed numbers: KILL_PROCESS is the least. */
static int32_t strictness(uint32_t word)
{
    return (int32_t)(word & 0xffff0000u); /* SECCOMP_RET_ACTION_FULL */
}

struct stack_run interpret_stack(const struct program *programs, size_t count,
                                 const struct input *input)
{
    struct stack_run stack = {
        .word = action_get(ACTION_ALLOW)->word,
        .decided_by = (uint32_t)count,
    };
    for (size_t i = count; i-- > 0;) {
        struct run run = interpret(&programs[i], input, NULL, 0);
        stack.executed += run.executed;
        stack.implementation_defined |= run.implementation_defined;
        if (strictness(run.word) < strictness(stack.word)) {
            stack.word = run.word;
            stack.decided_by = (uint32_t)i;
        }
    }
    return stack;
}
