/* What a side returns: a policy, a program, or the kernel's combination of several
 * (seccomp_run_filters). */
#include "verifier/internal.h"

#define COMBINE_DEPTH_MOST 800u
#define COMBINED_MOST 200000u

struct combined {
    const struct term *so_far, *next, *result;
};

struct stack {
    struct executor **executors; /* the newest first: the order in which the kernel runs them */
    size_t count;
    struct combined *memo; /* hash table */
    size_t memo_capacity, memo_count;
};

/* ---- the kernel's rule ------------------------------------------------------------------------
 */

static int32_t strictness(uint64_t word)
{
    return (int32_t)((uint32_t)word & ACTION_BITS);
}

static const struct term *combine_plainly(struct prover *prover, const struct term *so_far,
                                          const struct term *next)
{
    struct terms *terms = prover->terms;
    const struct term *mask = word_constant(prover, ACTION_BITS);
    const struct term *stricter =
        term_binary(terms, TERM_SIGNED_LESS, term_binary(terms, TERM_BIT_AND, next, mask),
                    term_binary(terms, TERM_BIT_AND, so_far, mask));
    return term_if(terms, stricter, next, so_far);
}

static struct combined *memo_slot(struct stack *stack, const struct term *so_far,
                                  const struct term *next)
{
    uint64_t hash = ((uint64_t)so_far->id << 32 | next->id) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (hash >> 20) & (stack->memo_capacity - 1);
    while (stack->memo[at].result &&
           (stack->memo[at].so_far != so_far || stack->memo[at].next != next))
        at = (at + 1) & (stack->memo_capacity - 1);
    return &stack->memo[at];
}

static void memo_reserve(struct prover *prover, struct stack *stack)
{
    if (stack->memo_count * 2 < stack->memo_capacity)
        return;
    struct stack old = *stack;
    stack->memo_capacity = old.memo_capacity ? old.memo_capacity * 2 : 256;
    stack->memo = NEW_ARRAY(prover->arena, struct combined, stack->memo_capacity);
    for (size_t i = 0; i < old.memo_capacity; i++)
        if (old.memo[i].result)
            *memo_slot(stack, old.memo[i].so_far, old.memo[i].next) = old.memo[i];
}

/* Goes down both choices, so that the result is again choices over constants wherever the members
 * are. */
static const struct term *combine(struct prover *prover, struct stack *stack,
                                  const struct term *so_far, const struct term *next,
                                  unsigned depth)
{
    if (term_is_constant(so_far) && term_is_constant(next))
        return strictness(next->value) < strictness(so_far->value) ? next : so_far;
    bool choice = so_far->kind == TERM_IF || next->kind == TERM_IF;
    if (!choice || depth > COMBINE_DEPTH_MOST || stack->memo_count > COMBINED_MOST)
        return combine_plainly(prover, so_far, next);
    memo_reserve(prover, stack);
    struct combined *known = memo_slot(stack, so_far, next);
    if (known->result)
        return known->result;
    const struct term *condition =
        so_far->kind == TERM_IF ? so_far->children[0] : next->children[0];
    const struct term *branches[2];
    for (unsigned way = 0; way < 2; way++) {
        bool left = so_far->kind == TERM_IF && so_far->children[0] == condition;
        bool right = next->kind == TERM_IF && next->children[0] == condition;
        branches[way] = combine(prover, stack, left ? so_far->children[1 + way] : so_far,
                                right ? next->children[1 + way] : next, depth + 1);
    }
    const struct term *combined = term_if(prover->terms, condition, branches[0], branches[1]);
    memo_reserve(prover, stack);
    *memo_slot(stack, so_far, next) = (struct combined){so_far, next, combined};
    stack->memo_count++;
    return combined;
}

/* ---- residues ------------------------------------------------------------------------------- */

static void merge_runs(struct prover *prover, struct stack *stack, struct residue_runs *so_far,
                       const struct residue_runs *next)
{
    struct residue_runs merged = {0};
    size_t i = 0, j = 0;
    for (uint64_t at = 0; at <= UINT32_MAX;) {
        const struct residue_run *a = &so_far->items[i], *b = &next->items[j];
        struct range part = {(uint32_t)at, a->nr.last < b->nr.last ? a->nr.last : b->nr.last};
        runs_push(prover, &merged, part, combine(prover, stack, a->residue, b->residue, 0));
        i += a->nr.last == part.last;
        j += b->nr.last == part.last;
        at = (uint64_t)part.last + 1;
    }
    *so_far = merged;
}

static const struct term *plain_allow(struct prover *prover)
{
    return word_constant(prover, action_get(ACTION_ALLOW)->word);
}

static enum runs_outcome stack_runs(struct prover *prover, void *self, struct class *class,
                                    struct residue_runs *runs)
{
    struct stack *stack = self;
    if (stack->count == 1)
        return dispatch_runs(prover, stack->executors[0], class, runs);
    runs_push(prover, runs, EVERYTHING, plain_allow(prover));
    for (size_t i = 0; i < stack->count; i++) {
        struct residue_runs next = {0};
        enum runs_outcome outcome = dispatch_runs(prover, stack->executors[i], class, &next);
        if (outcome != RUNS_DONE)
            return outcome;
        merge_runs(prover, stack, runs, &next);
    }
    return RUNS_DONE;
}

static const struct term *stack_whole(struct prover *prover, void *self)
{
    struct stack *stack = self;
    struct class class = class_new(prover, EVERYTHING, EVERYTHING);
    class.whole = true;
    if (stack->count == 1)
        return execute_joined(prover, stack->executors[0], &class);
    const struct term *combined = plain_allow(prover);
    for (size_t i = 0; i < stack->count; i++) {
        const struct term *next = execute_joined(prover, stack->executors[i], &class);
        if (!next)
            return NULL;
        combined = combine_plainly(prover, combined, next);
    }
    return combined;
}

struct behaviour executor_behaviour(struct prover *prover, struct executor *executor)
{
    struct stack *stack = NEW(prover->arena, struct stack);
    stack->count = 1;
    stack->executors = NEW_ARRAY(prover->arena, struct executor *, 1);
    stack->executors[0] = executor;
    return (struct behaviour){stack, stack_runs, stack_whole};
}

bool side_is_big_endian(const struct side *side)
{
    if (side->policy)
        return side->policy->big_endian;
    return side->program_count && side->programs[0].big_endian;
}

bool side_behaviour(struct prover *prover, const struct side *side, struct behaviour *behaviour)
{
    if (side->policy) {
        *behaviour = policy_behaviour(prover, side->policy);
        return side->policy->big_endian == prover->big_endian ||
               give_up(prover, "the sides differ in endianness");
    }
    struct stack *stack = NEW(prover->arena, struct stack);
    stack->count = side->program_count;
    stack->executors = NEW_ARRAY(prover->arena, struct executor *, side->program_count);
    for (size_t i = 0; i < side->program_count; i++) {
        const struct program *program = &side->programs[side->program_count - 1 - i];
        if (program->big_endian != prover->big_endian)
            return give_up(prover, "the sides differ in endianness");
        stack->executors[i] = executor_new(prover, program);
        if (!stack->executors[i])
            return false;
    }
    *behaviour = (struct behaviour){stack, stack_runs, stack_whole};
    return true;
}

uint32_t side_word(const struct side *side, const struct input *input, bool *implementation_defined)
{
    bool beyond;
    uint32_t word;
    if (side->policy) {
        struct decision decision = policy_eval(side->policy, input);
        word = decision.word;
        beyond = decision.implementation_defined;
    } else if (side->program_count == 1) {
        struct run run = interpret(&side->programs[0], input, NULL, 0);
        word = run.word;
        beyond = run.implementation_defined;
    } else {
        struct stack_run run = interpret_stack(side->programs, side->program_count, input);
        word = run.word;
        beyond = run.implementation_defined;
    }
    if (implementation_defined)
        *implementation_defined = beyond;
    return word;
}
