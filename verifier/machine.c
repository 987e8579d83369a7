/* The machine, symbolically: one instruction on a state of terms. Written from the kernel's rules
 * for classic BPF, apart from sim/'s interpreter, so that the two check each other. */
#include "verifier/internal.h"

#define BIT(n) (UINT32_C(1) << (n))
#define BIT_A BIT(REGISTER_A)
#define BIT_X BIT(REGISTER_X)

static struct decoded decode(const struct program *program, uint32_t pc)
{
    const struct sock_filter *instruction = &program->code[pc];
    const struct instruction_info *info = instruction_info(instruction->code);
    struct decoded decoded = {.operation = info->operation, .operand_is_x = info->operand_is_x};
    decoded.k = instruction->k;
    decoded.yes = decoded.no = pc + 1;
    decoded.may_end = info->operation == OP_DIV && info->operand_is_x;
    if (info->operation == OP_LOAD_FIELD)
        decoded.field = field_at(instruction->k, program->big_endian);
    if (info->operation == OP_JUMP)
        decoded.yes = pc + 1 + instruction->k;
    if (is_conditional(info->operation)) {
        decoded.yes = pc + 1 + instruction->jt;
        decoded.no = pc + 1 + instruction->jf;
    }
    return decoded;
}

/* Registers that an operation reads and writes, apart from an operand in X. */
struct effect {
    uint32_t reads, writes;
};

static struct effect effect_of(const struct decoded *d)
{
    switch (d->operation) {
    case OP_LOAD_FIELD:
    case OP_LOAD_LENGTH:
    case OP_LOAD_IMMEDIATE:
        return (struct effect){0, BIT_A};
    case OP_LOAD_X_LENGTH:
    case OP_LOAD_X_IMMEDIATE:
        return (struct effect){0, BIT_X};
    case OP_LOAD_MEMORY:
        return (struct effect){BIT(d->k), BIT_A};
    case OP_LOAD_X_MEMORY:
        return (struct effect){BIT(d->k), BIT_X};
    case OP_STORE:
        return (struct effect){BIT_A, BIT(d->k)};
    case OP_STORE_X:
        return (struct effect){BIT_X, BIT(d->k)};
    case OP_TAX:
        return (struct effect){BIT_A, BIT_X};
    case OP_TXA:
        return (struct effect){BIT_X, BIT_A};
    case OP_JUMP:
    case OP_RETURN:
        return (struct effect){0, 0};
    case OP_RETURN_A:
    case OP_JUMP_EQUAL:
    case OP_JUMP_GREATER:
    case OP_JUMP_GREATER_EQUAL:
    case OP_JUMP_SET:
        return (struct effect){BIT_A, 0};
    default: /* arithmetic */
        return (struct effect){BIT_A, BIT_A};
    }
}

/* Backwards: every jump goes forward, so one pass suffices. */
static void analyse(struct decoded *code, uint32_t length)
{
    for (uint32_t pc = length; pc-- > 0;) {
        struct decoded *d = &code[pc];
        struct effect effect = effect_of(d);
        uint32_t live = 0;
        if (!is_return(d->operation)) {
            const struct decoded *yes = &code[d->yes], *no = &code[d->no];
            bool both = is_conditional(d->operation);
            live = yes->live | (both ? no->live : 0);
            d->reads_nr = yes->reads_nr || (both && no->reads_nr);
            d->reads_arch = yes->reads_arch || (both && no->reads_arch);
        }
        d->reads_nr |= d->operation == OP_LOAD_FIELD && d->field == FIELD_NR;
        d->reads_arch |= d->operation == OP_LOAD_FIELD && d->field == FIELD_ARCH;
        d->live = (live & ~effect.writes) | effect.reads | (d->operand_is_x ? BIT_X : 0);
    }
}

struct executor *executor_new(struct prover *prover, const struct program *program)
{
    struct check_result check = check_program(program);
    if (check.rule != CHECK_ACCEPTED) {
        give_up(prover, "a program is not one that the kernel accepts");
        return NULL;
    }
    struct executor *executor = NEW(prover->arena, struct executor);
    executor->program = program;
    executor->length = program->length;
    executor->code = NEW_ARRAY(prover->arena, struct decoded, program->length);
    executor->node_buckets = 64;
    while (executor->node_buckets < 4 * program->length)
        executor->node_buckets *= 2;
    executor->nodes = NEW_ARRAY(prover->arena, struct node *, executor->node_buckets);
    for (uint32_t pc = 0; pc < program->length; pc++)
        executor->code[pc] = decode(program, pc);
    analyse(executor->code, executor->length);
    return executor;
}

struct executor *executor_watching(struct prover *prover, const struct program *program,
                                   uint32_t ended)
{
    struct executor *executor = executor_new(prover, program);
    if (!executor)
        return NULL;
    executor->ended = ended;
    for (uint32_t pc = 0; pc < program->length; pc++) {
        struct decoded *d = &executor->code[pc];
        bool shifts = d->operation == OP_SHIFT_LEFT || d->operation == OP_SHIFT_RIGHT;
        d->may_end = d->may_end || (shifts && d->operand_is_x);
    }
    return executor;
}

struct machine machine_start(struct prover *prover)
{
    struct machine machine = {{NULL}};
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        machine.registers[i] = word_constant(prover, 0);
    return machine;
}

static const struct term *operand(struct prover *prover, const struct decoded *d,
                                  const struct machine *machine)
{
    return d->operand_is_x ? machine->registers[REGISTER_X] : word_constant(prover, d->k);
}

static const struct term *arithmetic(struct prover *prover, const struct decoded *d,
                                     const struct machine *machine)
{
    static const enum term_kind kinds[OP_COUNT] = {
        [OP_ADD] = TERM_ADD,          [OP_SUB] = TERM_SUB,     [OP_MUL] = TERM_MUL,
        [OP_DIV] = TERM_UNSIGNED_DIV, [OP_AND] = TERM_BIT_AND, [OP_OR] = TERM_BIT_OR,
        [OP_XOR] = TERM_BIT_XOR,
    };
    const struct term *a = machine->registers[REGISTER_A];
    if (d->operation == OP_NEGATE)
        return term_unary(prover->terms, TERM_NEGATE, a);
    const struct term *b = operand(prover, d, machine);
    if (d->operation == OP_SHIFT_LEFT || d->operation == OP_SHIFT_RIGHT)
        return term_shift(prover->terms, d->operation == OP_SHIFT_LEFT, a, b);
    return term_binary(prover->terms, kinds[d->operation], a, b);
}

void machine_step(struct prover *prover, const struct class *class, const struct decoded *d,
                  struct machine *machine)
{
    const struct term **r = machine->registers;
    switch (d->operation) {
    case OP_LOAD_FIELD:
        r[REGISTER_A] = class_word(prover, class, d->field);
        break;
    case OP_LOAD_LENGTH:
        r[REGISTER_A] = word_constant(prover, INPUT_BYTES);
        break;
    case OP_LOAD_X_LENGTH:
        r[REGISTER_X] = word_constant(prover, INPUT_BYTES);
        break;
    case OP_LOAD_IMMEDIATE:
        r[REGISTER_A] = word_constant(prover, d->k);
        break;
    case OP_LOAD_X_IMMEDIATE:
        r[REGISTER_X] = word_constant(prover, d->k);
        break;
    case OP_LOAD_MEMORY:
        r[REGISTER_A] = r[d->k];
        break;
    case OP_LOAD_X_MEMORY:
        r[REGISTER_X] = r[d->k];
        break;
    case OP_STORE:
        r[d->k] = r[REGISTER_A];
        break;
    case OP_STORE_X:
        r[d->k] = r[REGISTER_X];
        break;
    case OP_TAX:
        r[REGISTER_X] = r[REGISTER_A];
        break;
    case OP_TXA:
        r[REGISTER_A] = r[REGISTER_X];
        break;
    default:
        r[REGISTER_A] = arithmetic(prover, d, machine);
        break;
    }
}

const struct term *machine_condition(struct prover *prover, const struct decoded *d,
                                     const struct machine *machine)
{
    struct terms *terms = prover->terms;
    if (d->may_end && d->operation == OP_DIV)
        return word_equals(prover, machine->registers[REGISTER_X], 0);
    if (d->may_end)
        return term_not(terms, word_below(prover, machine->registers[REGISTER_X], 32));
    const struct term *a = machine->registers[REGISTER_A], *b = operand(prover, d, machine);
    switch (d->operation) {
    case OP_JUMP_EQUAL:
        return term_binary(terms, TERM_EQUAL, a, b);
    case OP_JUMP_GREATER:
        return term_binary(terms, TERM_UNSIGNED_LESS, b, a);
    case OP_JUMP_GREATER_EQUAL:
        return term_binary(terms, TERM_UNSIGNED_LESS_EQUAL, b, a);
    default: /* OP_JUMP_SET */
        return term_not(terms, word_equals(prover, term_binary(terms, TERM_BIT_AND, a, b), 0));
    }
}
