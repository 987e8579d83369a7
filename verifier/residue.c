/* What a program returns from a point on, as one term: a walk over (instruction, live state) pairs.
 *
 * Two paths that meet with equal live state share one node, so residues of classes that meet are
 * the same term. A node whose suffix looks at neither nr nor arch is kept for all classes.
 * Terminates: jumps go forward; bounded: past NODES_MOST nodes the class is executed with joins
 * instead (join.c). */
#include "verifier/internal.h"

#define NODES_MOST 60000u
#define NODES_MOST_PER_CLASS 8000u

enum node_state { NODE_NEW, NODE_EXPANDED, NODE_DONE };

struct node {
    struct node *next; /* of the same hash */
    uint32_t pc;
    uint32_t stamp; /* of the class it belongs to; 0: of all */
    enum node_state state;
    struct machine machine;       /* dead registers are NULL */
    const struct term *condition; /* NODE_EXPANDED */
    struct node *yes, *no;        /* yes NULL: the program ends */
    const struct term *result;    /* NODE_DONE */
};

struct search {
    struct prover *prover;
    struct executor *executor;
    struct class *class;
    size_t made;
};

static uint32_t words_used(const struct machine *machine)
{
    uint32_t uses = 0;
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        uses |= machine->registers[i] ? machine->registers[i]->uses : 0;
    return uses;
}

static void drop_dead(struct machine *machine, uint32_t live)
{
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        if (!(live >> i & 1))
            machine->registers[i] = NULL;
}

static bool belongs_to_all(const struct decoded *at, const struct machine *machine)
{
    return !at->reads_nr && !at->reads_arch && !(words_used(machine) & (BIT_NR | BIT_ARCH));
}

static struct node **bucket_of(const struct executor *executor, uint32_t pc,
                               const struct machine *machine)
{
    uint64_t hash = pc;
    for (unsigned i = 0; i < REGISTER_COUNT; i++) {
        uint32_t id = machine->registers[i] ? machine->registers[i]->id : UINT32_MAX;
        hash = (hash ^ id) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &executor->nodes[hash & (executor->node_buckets - 1)];
}

/* NULL when there are too many. */
static struct node *node_at(struct search *search, uint32_t pc, const struct machine *state)
{
    struct executor *executor = search->executor;
    struct machine machine = *state;
    drop_dead(&machine, executor->code[pc].live);
    uint32_t stamp = belongs_to_all(&executor->code[pc], &machine) ? 0 : executor->stamp;
    struct node **bucket = bucket_of(executor, pc, &machine), *stale = NULL;
    for (struct node *node = *bucket; node; node = node->next) {
        bool same = node->pc == pc && memcmp(&node->machine, &machine, sizeof machine) == 0;
        if (same && node->stamp == stamp)
            return node;
        if (same)
            stale = node;
    }
    if (stale) {
        stale->stamp = stamp;
        stale->state = NODE_NEW;
        return stale;
    }
    if (executor->node_count >= NODES_MOST || search->made >= NODES_MOST_PER_CLASS)
        return NULL;
    struct node *node = NEW(search->prover->arena, struct node);
    *node = (struct node){.next = *bucket, .pc = pc, .stamp = stamp};
    node->machine = machine;
    *bucket = node;
    executor->node_count++;
    search->made++;
    return node;
}

static bool finish(struct node *node, const struct term *word)
{
    node->result = word;
    node->state = NODE_DONE;
    return true;
}

/* Where a computed word was found equal to a constant, it is that constant: a policy says 0 where a
 * program returns the divisor that it has just seen to be 0. Words of the input stay: what is known
 * of them is in the conditions, and paths that meet again would no longer share a node. */
static struct machine machine_where_equal(struct prover *prover, const struct decoded *at,
                                          const struct machine *machine)
{
    struct machine equal = *machine;
    const struct term *a = machine->registers[REGISTER_A];
    if (at->operation != OP_JUMP_EQUAL || at->operand_is_x || a->kind == TERM_VARIABLE)
        return equal;
    for (unsigned i = 0; i < REGISTER_COUNT; i++) {
        if (equal.registers[i] == a)
            equal.registers[i] = word_constant(prover, at->k);
    }
    return equal;
}

/* Both ways are possible. False when there are too many nodes: then the node stays as it was. */
static bool fork_at(struct search *search, struct node *node, const struct decoded *at,
                    struct machine *machine)
{
    struct node *yes = NULL;
    if (at->may_end) {
        machine_step(search->prover, search->class, at, machine);
    } else {
        struct machine equal = machine_where_equal(search->prover, at, machine);
        yes = node_at(search, at->yes, &equal);
    }
    struct node *no = node_at(search, at->no, machine);
    if (!no || (!yes && !at->may_end))
        return false;
    node->yes = yes;
    node->no = no;
    node->state = NODE_EXPANDED;
    return true;
}

enum step { STEP_ON, STEP_FORKED, STEP_ENDED, STEP_FAILED };

static enum step step_branch(struct search *search, struct node *node, uint32_t *pc,
                             struct machine *machine)
{
    const struct decoded *at = &search->executor->code[*pc];
    node->condition = machine_condition(search->prover, at, machine);
    switch (class_decide(search->prover, search->class, node->condition)) {
    case DECIDED_YES:
        if (at->may_end) {
            finish(node, word_constant(search->prover, search->executor->ended));
            return STEP_ENDED;
        }
        *pc = at->yes;
        return STEP_ON;
    case DECIDED_NO:
        if (at->may_end)
            machine_step(search->prover, search->class, at, machine);
        *pc = at->no;
        return STEP_ON;
    case DECISION_NEEDS_CUT:
        return STEP_FAILED;
    default:
        return fork_at(search, node, at, machine) ? STEP_FORKED : STEP_FAILED;
    }
}

static enum step step(struct search *search, struct node *node, uint32_t *pc,
                      struct machine *machine)
{
    const struct decoded *at = &search->executor->code[*pc];
    if (out_of_steps(search->prover))
        return STEP_FAILED;
    if (is_return(at->operation)) {
        finish(node, at->operation == OP_RETURN ? word_constant(search->prover, at->k)
                                                : machine->registers[REGISTER_A]);
        return STEP_ENDED;
    }
    if (is_conditional(at->operation) || at->may_end)
        return step_branch(search, node, pc, machine);
    if (at->operation != OP_JUMP)
        machine_step(search->prover, search->class, at, machine);
    *pc = at->yes;
    return STEP_ON;
}

static bool expand(struct search *search, struct node *node)
{
    struct machine machine = node->machine;
    uint32_t pc = node->pc;
    enum step taken;
    do
        taken = step(search, node, &pc, &machine);
    while (taken == STEP_ON);
    return taken != STEP_FAILED;
}

static bool is_done(const struct node *node)
{
    return !node || node->state == NODE_DONE;
}

static void conclude(struct search *search, struct node *node)
{
    const struct term *yes = node->yes
                                 ? node->yes->result
                                 : word_constant(search->prover, search->executor->ended);
    finish(node, term_if(search->prover->terms, node->condition, yes, node->no->result));
}

static const struct term *search_from(struct search *search, struct node *root)
{
    struct arena *arena = search->prover->arena;
    VECTOR(struct node *) stack = {0};
    vector_push(arena, &stack, root);
    while (stack.count) {
        struct node *top = stack.items[stack.count - 1];
        if (top->state == NODE_NEW && !expand(search, top))
            return NULL;
        if (top->state == NODE_EXPANDED && is_done(top->yes) && is_done(top->no))
            conclude(search, top);
        if (top->state == NODE_DONE) {
            stack.count--;
            continue;
        }
        if (!is_done(top->no))
            vector_push(arena, &stack, top->no);
        if (!is_done(top->yes))
            vector_push(arena, &stack, top->yes);
    }
    return root->result;
}

const struct term *residue_from(struct prover *prover, struct executor *executor,
                                struct class *class, uint32_t pc, const struct machine *machine)
{
    struct search search = {.prover = prover, .executor = executor, .class = class};
    executor->stamp++;
    struct node *root = node_at(&search, pc, machine);
    const struct term *residue = root ? search_from(&search, root) : NULL;
    if (residue || class->cut_field != FIELD_COUNT || prover->stopped)
        return residue;
    return execute_joined(prover, executor, class);
}
