/* Execution with joins: every instruction once, in program order, on the state in which all paths
 * to it meet.
 *
 * A state is a condition and registers; where two meet, the registers become choices by the
 * condition of one of them. The terms grow with the length of the program, never with the number of
 * its paths. */
#include "verifier/internal.h"

struct joined {
    const struct term *condition; /* NULL: not reached */
    struct machine machine;
};

struct joining {
    struct prover *prover;
    const struct class *class;
    const struct executor *executor;
    struct joined *at; /* by instruction */
    const struct term *result;
};

static void arrive(struct joining *j, uint32_t pc, const struct term *condition,
                   const struct machine *machine)
{
    struct terms *terms = j->prover->terms;
    struct joined *here = &j->at[pc];
    if (term_is_false(condition))
        return;
    if (!here->condition) {
        here->condition = condition;
        here->machine = *machine;
        return;
    }
    uint32_t live = j->executor->code[pc].live;
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        if (live >> i & 1)
            here->machine.registers[i] =
                term_if(terms, condition, machine->registers[i], here->machine.registers[i]);
    here->condition = term_binary(terms, TERM_OR, here->condition, condition);
}

static void end(struct joining *j, const struct term *condition, const struct term *word)
{
    j->result = j->result ? term_if(j->prover->terms, condition, word, j->result) : word;
}

static void branch(struct joining *j, const struct decoded *d, struct joined *here)
{
    struct terms *terms = j->prover->terms;
    const struct term *condition = machine_condition(j->prover, d, &here->machine);
    const struct term *yes = term_binary(terms, TERM_AND, here->condition, condition);
    const struct term *no =
        term_binary(terms, TERM_AND, here->condition, term_not(terms, condition));
    if (d->may_end) {
        if (!term_is_false(yes))
            end(j, yes, word_constant(j->prover, j->executor->ended));
        machine_step(j->prover, j->class, d, &here->machine);
    } else {
        arrive(j, d->yes, yes, &here->machine);
    }
    arrive(j, d->no, no, &here->machine);
}

static void execute(struct joining *j, uint32_t pc)
{
    const struct decoded *d = &j->executor->code[pc];
    struct joined *here = &j->at[pc];
    if (d->operation == OP_RETURN) {
        end(j, here->condition, word_constant(j->prover, d->k));
    } else if (d->operation == OP_RETURN_A) {
        end(j, here->condition, here->machine.registers[REGISTER_A]);
    } else if (is_conditional(d->operation) || d->may_end) {
        branch(j, d, here);
    } else {
        if (d->operation != OP_JUMP)
            machine_step(j->prover, j->class, d, &here->machine);
        arrive(j, d->yes, here->condition, &here->machine);
    }
}

const struct term *execute_joined(struct prover *prover, struct executor *executor,
                                  const struct class *class)
{
    struct joining j = {.prover = prover, .class = class, .executor = executor};
    struct machine start = machine_start(prover);
    j.at = NEW_ARRAY(prover->arena, struct joined, executor->length);
    arrive(&j, 0, term_bool(prover->terms, true), &start);
    for (uint32_t pc = 0; pc < executor->length; pc++) {
        if (out_of_steps(prover))
            return NULL;
        if (j.at[pc].condition)
            execute(&j, pc);
    }
    return j.result;
}
