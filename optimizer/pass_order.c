/* Pass: the order of the arguments.
 *
 * Equal checks behind each other's different ones are emitted once only when they come last on
 * their paths; and of a 64-bit value the half that many checks have in common should come last too.
 * Each word of an argument is tried at the end of the order, then at its beginning, and stays where
 * fewest tests are left, those that the new order implies not counted. arch and nr stay in front:
 * what they decide alone must be cacheable. */
#include "optimizer/pass.h"

/* Orders are tried by making the whole DAG anew: not for large ones, and not for many words. */
#define NODES_MOST 2000u
#define WORDS_MOST 12u

struct trial {
    struct dag *dag;
    const struct dag_node *root;
    uint8_t *ranks;
    size_t tests;
};

/* Moves `field` behind all others, or right behind nr. */
static void move_field(uint8_t ranks[FIELD_COUNT], enum field field, bool to_end)
{
    uint8_t from = ranks[field], first = 2;
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (to_end ? ranks[i] > from : ranks[i] >= first && ranks[i] < from)
            ranks[i] = (uint8_t)(to_end ? ranks[i] - 1 : ranks[i] + 1);
    }
    ranks[field] = to_end ? FIELD_COUNT - 1 : first;
}

/* With room for what is made on the way: what grows is no improvement. */
static bool try_order(struct pass_state *state, const uint8_t ranks[FIELD_COUNT], size_t nodes,
                      struct trial *best)
{
    struct trial trial = {.ranks = arena_copy(state->arena, ranks, FIELD_COUNT)};
    struct pass_state made = {.arena = state->arena};
    made.dag =
        dag_new_ordered(state->arena, dag_big_endian(state->dag), 16 * nodes + 1000, trial.ranks);
    made.root = dag_import(made.dag, state->arena, state->root);
    if (!made.root)
        return false;
    pass_implied(&made);
    trial.dag = made.dag;
    trial.root = made.root;
    trial.tests = dag_tests(state->arena, trial.root);
    if (trial.tests >= best->tests)
        return false;
    *best = trial;
    return true;
}

static size_t fields_used(const struct dag_node *const *nodes, size_t count,
                          enum field used[FIELD_COUNT])
{
    bool seen[FIELD_COUNT] = {false};
    size_t words = 0;
    seen[FIELD_ARCH] = seen[FIELD_NR] = true;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i]->kind == DAG_SWITCH && !seen[nodes[i]->field]) {
            seen[nodes[i]->field] = true;
            used[words++] = nodes[i]->field;
        }
    }
    return words;
}

/* All words in turn, to the end, then all to the beginning, as long as that helps: each success has
 * fewer tests, so that it ends. */
static void search_orders(struct pass_state *state, const enum field *used, size_t words,
                          size_t nodes, struct trial *best)
{
    size_t failures = 0;
    for (size_t turn = 0; failures < 2 * words; turn = (turn + 1) % (2 * words)) {
        uint8_t ranks[FIELD_COUNT];
        memcpy(ranks, best->ranks, sizeof ranks);
        move_field(ranks, used[turn % words], turn < words);
        failures = try_order(state, ranks, nodes, best) ? 0 : failures + 1;
    }
}

bool pass_order(struct pass_state *state)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(state->arena, state->root, &count);
    enum field used[FIELD_COUNT];
    size_t words = fields_used(nodes, count, used);
    if (words < 2 || words > WORDS_MOST || count > NODES_MOST)
        return false;
    uint8_t ranks[FIELD_COUNT];
    dag_default_ranks(ranks);
    struct trial best = {.ranks = ranks, .tests = dag_tests(state->arena, state->root)};
    search_orders(state, used, words, count, &best);
    if (!best.dag)
        return false;
    state->dag = best.dag;
    state->root = best.root;
    return true;
}
