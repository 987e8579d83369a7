/* Lifting: what is read from each instruction on. All jumps go forward, so that one pass backwards
 * settles it. States that differ in nothing that is still read are one state. */
#include "compiler/lift_internal.h"

#define BIT_A (1u << PLACE_A)
#define BIT_X (1u << PLACE_X)

/* Which places an instruction reads and which one it sets. */
struct traffic {
    uint32_t reads, sets;
};

static struct traffic traffic_of(const struct sock_filter *f, const struct instruction_info *info)
{
    uint32_t slot = 1u << (PLACE_MEMORY + (f->k & 15u));
    uint32_t operand = info->operand_is_x ? BIT_X : 0;
    switch (info->operation) {
    case OP_LOAD_FIELD:
    case OP_LOAD_LENGTH:
    case OP_LOAD_IMMEDIATE:
        return (struct traffic){0, BIT_A};
    case OP_LOAD_X_LENGTH:
    case OP_LOAD_X_IMMEDIATE:
        return (struct traffic){0, BIT_X};
    case OP_LOAD_MEMORY:
        return (struct traffic){slot, BIT_A};
    case OP_LOAD_X_MEMORY:
        return (struct traffic){slot, BIT_X};
    case OP_STORE:
        return (struct traffic){BIT_A, slot};
    case OP_STORE_X:
        return (struct traffic){BIT_X, slot};
    case OP_TAX:
        return (struct traffic){BIT_A, BIT_X};
    case OP_TXA:
        return (struct traffic){BIT_X, BIT_A};
    case OP_JUMP:
    case OP_RETURN:
        return (struct traffic){0, 0};
    default: /* arithmetic sets what it reads; a comparison or RET A sets nothing */
        return (struct traffic){BIT_A | operand, 0};
    }
}

/* The instructions that may come next, or the one behind the last where there is none. */
static void successors(const struct program *program, uint32_t pc, uint32_t *a, uint32_t *b)
{
    const struct sock_filter *f = &program->code[pc];
    enum operation operation = instruction_info(f->code)->operation;
    if (is_return(operation)) {
        *a = *b = program->length;
    } else if (operation == OP_JUMP) {
        *a = *b = pc + 1 + f->k;
    } else if (is_conditional(operation)) {
        *a = pc + 1 + f->jt;
        *b = pc + 1 + f->jf;
    } else {
        *a = *b = pc + 1;
    }
}

void lift_facts(struct lift *lift)
{
    const struct program *program = lift->program;
    uint32_t *live = NEW_ARRAY(lift->arena, uint32_t, program->length + 1);
    uint32_t *loads = NEW_ARRAY(lift->arena, uint32_t, program->length + 1);
    for (uint32_t pc = program->length; pc-- > 0;) {
        const struct sock_filter *f = &program->code[pc];
        const struct instruction_info *info = instruction_info(f->code);
        struct traffic traffic = traffic_of(f, info);
        uint32_t a, b;
        successors(program, pc, &a, &b);
        live[pc] = ((live[a] | live[b]) & ~traffic.sets) | traffic.reads;
        loads[pc] = loads[a] | loads[b];
        if (info->operation == OP_LOAD_FIELD)
            loads[pc] |= 1u << field_at(f->k, program->big_endian);
    }
    lift->live = live;
    lift->loads = loads;
}
