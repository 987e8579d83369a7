/* The verdicts of one call, put in the order in which their conditions are easiest to say: what an
 * earlier rule has decided, a later one need not exclude. All orders of a few are tried. */
#include "compiler/raise_decide.h"

#include "compiler/raise_internal.h"
#include "lang/print_condition.h"

#define NODES_MOST 60000u
/* So many verdicts have all their orders tried; more are taken the cheapest first. */
#define ORDERED_MOST 4u
/* Calls whose conditions have more edges have their verdicts in any order. */
#define EDGES_MOST 600u
#define RULE_COST 1.5

struct outcome {
    const struct dag_node *leaf; /* or what is left to be decided: struct deciding's `rest` */
    bool has_name;
};

/* The condition of one outcome when some others are decided already. */
struct part {
    bool tried;
    const struct formula *formula;
    bool raw;
    double cost;
};

struct deciding {
    struct arena *arena;
    const struct dag_node *const *nodes; /* of the call, children first */
    size_t node_count, edge_count;
    bool free; /* some of them: then nothing is merged */
    struct outcome outcomes[OUTCOMES_MOST];
    unsigned count;
    enum abi_id abi;
    uint32_t nr;
    enum raise_way way;
    size_t *steps;
    const struct dag_node *otherwise;
    const struct dag_node *rest; /* a node at which others go on deciding; the last outcome */
    const struct context *known; /* what earlier rules have left */
    const char *raw;             /* why all of it is raw */
    struct part *parts;          /* by outcome and set of the decided, when there are few */
};

bool leaf_has_name(const struct dag_node *leaf)
{
    if (leaf->kind != DAG_VERDICT)
        return false;
    bool known;
    const struct action_info *action = action_of_word(leaf->word, &known);
    uint32_t data = leaf->word - action->word;
    uint32_t most = action->action == ACTION_ERRNO ? 4095 : UINT16_MAX;
    return known && data <= (action->takes_data ? most : 0);
}

const char *raw_action_text(struct arena *arena, const struct dag_node *leaf)
{
    struct buffer text = buffer_new(arena);
    if (leaf->kind == DAG_VERDICT) {
        verdict_print(&text, leaf->word, ABI_NONE);
    } else {
        buffer_text(&text, "ret(");
        word_print(&text, leaf->value);
        buffer_text(&text, ")");
    }
    return buffer_string(&text);
}

/* ---- a DAG of yes, no and any -------------------------------------------------------------------
 */

static uint32_t word_for(const struct deciding *deciding, const struct dag_node *leaf,
                         unsigned wanted, unsigned decided)
{
    for (unsigned i = 0; i < deciding->count; i++)
        if (deciding->outcomes[i].leaf == leaf)
            return i == wanted ? RAISE_YES : decided >> i & 1 ? RAISE_ANY : RAISE_NO;
    return RAISE_NO;
}

static const struct dag_node *copy_test(struct dag *dag, struct arena *arena,
                                        const struct dag_node *node,
                                        const struct dag_node *const *made)
{
    struct dag_edge *edges = NEW_ARRAY(arena, struct dag_edge, node->edge_count);
    for (uint32_t i = 0; i < node->edge_count; i++)
        edges[i] = (struct dag_edge){node->edges[i].last, made[node->edges[i].child->id]};
    if (node->kind == DAG_COMPARE)
        return dag_compare(dag, node->comparison, node->a, node->b, edges[0].child, edges[1].child);
    return care_reduce(dag_choose(dag, node->field, node->mask, edges, node->edge_count));
}

/* Made in `dag`; NULL past its limits. */
static const struct dag_node *question(const struct deciding *deciding, struct dag *dag,
                                       unsigned wanted, unsigned decided)
{
    const struct dag_node *root = deciding->nodes[deciding->node_count - 1];
    const struct dag_node **made =
        NEW_ARRAY(deciding->arena, const struct dag_node *, (size_t)root->id + 1);
    for (size_t i = 0; i < deciding->node_count; i++) {
        const struct dag_node *node = deciding->nodes[i];
        made[node->id] = node->edge_count && node != deciding->rest
                             ? copy_test(dag, deciding->arena, node, made)
                             : dag_verdict(dag, word_for(deciding, node, wanted, decided));
        if (!made[node->id])
            return NULL;
    }
    return made[root->id];
}

/* ---- conditions
 * ---------------------------------------------------------------------------------- */

static struct raising raising_for(const struct deciding *deciding, struct dag *dag, bool raw)
{
    struct raising raising = raw ? raising_raw(deciding->arena, dag)
                                 : raising_new(deciding->arena, dag, deciding->abi, deciding->nr,
                                               deciding->way == RAISE_REGISTERS);
    raising.known = deciding->known;
    raising.pool = deciding->steps;
    if (deciding->free)
        raising.steps = 0;
    return raising;
}

static void try_part(struct deciding *deciding, unsigned wanted, unsigned decided,
                     struct part *part)
{
    struct dag *dag =
        dag_new(deciding->arena, deciding->abi != ABI_NONE && abi_get(deciding->abi)->big_endian,
                NODES_MOST);
    const struct dag_node *node = question(deciding, dag, wanted, decided);
    part->tried = true;
    part->raw = deciding->raw || !deciding->outcomes[wanted].has_name;
    struct raising raising = raising_for(deciding, dag, part->raw);
    part->formula = raise_build(&raising, node);
    if (part->formula && part->formula->kind > FORMULA_ALWAYS)
        part->cost = formula_cost(&raising, part->formula) + (part->raw ? 10 : 0);
    if (!part->formula)
        part->cost = 1e9;
}

static struct part *part_of(struct deciding *deciding, unsigned wanted, unsigned decided)
{
    struct part *part = deciding->count <= ORDERED_MOST
                            ? &deciding->parts[wanted << ORDERED_MOST | decided]
                            : NEW(deciding->arena, struct part);
    if (!part->tried)
        try_part(deciding, wanted, decided, part);
    return part;
}

/* ---- orders
 * -------------------------------------------------------------------------------------- */

struct order {
    unsigned items[OUTCOMES_MOST];
    double cost;
};

static double cost_of_rest(const struct deciding *deciding, unsigned last)
{
    const struct outcome *outcome = &deciding->outcomes[last];
    if (outcome->leaf == deciding->rest)
        return 0;
    bool permits = outcome->has_name && action_of_word(outcome->leaf->word, NULL)->permits;
    if (permits && outcome->leaf != deciding->otherwise)
        return RULE_COST + 1; /* what is permitted is better said than left over */
    return outcome->leaf == deciding->otherwise ? 0 : outcome->has_name ? RULE_COST : 10;
}

static void search(struct deciding *deciding, struct order *now, unsigned depth, unsigned decided,
                   struct order *best)
{
    if (now->cost >= best->cost)
        return;
    for (unsigned i = 0; i < deciding->count; i++) {
        double cost = now->cost;
        bool too_early =
            deciding->outcomes[i].leaf == deciding->rest && depth + 1 < deciding->count;
        if ((decided >> i & 1) || too_early)
            continue;
        now->items[depth] = i;
        if (depth + 1 == deciding->count) {
            now->cost += cost_of_rest(deciding, i);
            if (now->cost < best->cost)
                *best = *now;
        } else {
            now->cost += RULE_COST + part_of(deciding, i, decided)->cost;
            search(deciding, now, depth + 1, decided | 1u << i, best);
        }
        now->cost = cost;
    }
}

static unsigned last_outcome(const struct deciding *deciding)
{
    for (unsigned i = 0; i < deciding->count && !deciding->rest; i++)
        if (deciding->outcomes[i].leaf == deciding->otherwise)
            return i;
    return deciding->count - 1;
}

/* As they come; for what is too large to try anything. */
static void take_any(const struct deciding *deciding, struct order *order)
{
    unsigned last = last_outcome(deciding), depth = 0;
    for (unsigned i = 0; i < deciding->count; i++)
        if (i != last)
            order->items[depth++] = i;
    order->items[depth] = last;
    order->cost = 1000;
}

/* The verdict that needs no rule comes last, and the cheapest of what is left first. */
static void take_cheapest(struct deciding *deciding, struct order *order)
{
    unsigned decided = 0, last = last_outcome(deciding);
    order->cost = cost_of_rest(deciding, last);
    for (unsigned depth = 0; depth + 1 < deciding->count; depth++) {
        double least = 1e18;
        for (unsigned i = 0; i < deciding->count; i++) {
            if (i == last || (decided >> i & 1))
                continue;
            double cost = part_of(deciding, i, decided)->cost;
            if (cost < least) {
                least = cost;
                order->items[depth] = i;
            }
        }
        decided |= 1u << order->items[depth];
        order->cost += RULE_COST + least;
    }
    order->items[deciding->count - 1] = last;
}

/* ---- rules
 * --------------------------------------------------------------------------------------- */

/* prctl's manual counts its arguments from 1: there argN would mislead. */
static bool may_be_numbered(const struct deciding *deciding)
{
    const struct syscall_entry *entry =
        deciding->abi == ABI_NONE ? NULL : abi_syscall_at(deciding->abi, deciding->nr);
    if (!entry || entry->argument_count == ARGUMENTS_UNKNOWN)
        return false;
    for (unsigned i = 0; i < entry->argument_count; i++) {
        const char *names[] = {entry->arguments[i].kernel_name, entry->arguments[i].manual_name};
        for (size_t j = 0; j < COUNT_OF(names); j++)
            if (names[j] && !strncmp(names[j], "arg", 3))
                return false;
    }
    return true;
}

static bool fill_rule(struct deciding *deciding, unsigned wanted, unsigned decided,
                      struct raised_rule *rule)
{
    struct part *part = part_of(deciding, wanted, decided);
    if (!part->formula)
        return false;
    if (part->formula->kind == FORMULA_NEVER)
        return true; /* no rule */
    struct raising raising = raising_for(deciding, NULL, part->raw);
    rule->leaf = deciding->outcomes[wanted].leaf;
    if (part->raw)
        rule->raw = deciding->raw ? deciding->raw : "";
    if (part->formula->kind == FORMULA_ALWAYS)
        return true;
    rule->condition = formula_text(&raising, part->formula);
    rule->places = formula_places(part->formula);
    if (!part->raw && may_be_numbered(deciding) && formula_is_views(&raising, part->formula)) {
        raising.numbered = true;
        rule->numbered = formula_text(&raising, part->formula);
    }
    return true;
}

static bool fill_rules(struct deciding *deciding, const struct order *order,
                       struct raised_call *call)
{
    unsigned decided = 0;
    call->rules = NEW_ARRAY(deciding->arena, struct raised_rule, deciding->count);
    call->count = 0;
    for (unsigned i = 0; i < deciding->count; i++) {
        unsigned wanted = order->items[i];
        struct raised_rule *rule = &call->rules[call->count];
        const struct outcome *outcome = &deciding->outcomes[wanted];
        if (outcome->leaf == deciding->rest)
            break;
        if (i + 1 == deciding->count) {
            rule->leaf = outcome->leaf;
            rule->raw = deciding->raw ? deciding->raw : outcome->has_name ? NULL : "";
        } else if (!fill_rule(deciding, wanted, decided, rule)) {
            return false;
        }
        decided |= 1u << wanted;
        call->count += rule->leaf != NULL;
        if (rule->leaf && !rule->condition)
            break;
    }
    return true;
}

/* ---- what is decided at one register, and what is left
 * ------------------------------------------------- */

static bool add_outcome(struct deciding *deciding, const struct dag_node *node)
{
    for (unsigned i = 0; i < deciding->count; i++)
        if (deciding->outcomes[i].leaf == node)
            return true;
    if (deciding->count == OUTCOMES_MOST)
        return false;
    bool leaf = !node->edge_count;
    deciding->outcomes[deciding->count++] = (struct outcome){node, leaf && leaf_has_name(node)};
    return true;
}

/* The leaves, and `rest`, that are reached without passing it. False: too many. */
static bool gather(struct deciding *deciding)
{
    const struct dag_node *root = deciding->nodes[deciding->node_count - 1];
    bool *reached = NEW_ARRAY(deciding->arena, bool, (size_t)root->id + 1);
    reached[root->id] = true;
    for (size_t i = deciding->node_count; i-- > 0;) {
        const struct dag_node *node = deciding->nodes[i];
        deciding->free |= node->free;
        deciding->edge_count += node->edge_count;
        if (!reached[node->id] || node == deciding->rest)
            continue;
        if (!node->edge_count && !add_outcome(deciding, node))
            return false;
        for (uint32_t j = 0; j < node->edge_count; j++)
            reached[node->edges[j].child->id] = true;
    }
    return !deciding->rest || add_outcome(deciding, deciding->rest);
}

static int register_of(const struct dag_node *node)
{
    return node->kind != DAG_SWITCH || node->field < FIELD_ARG0_LO
               ? -1
               : (int)(node->field - FIELD_ARG0_LO) / 2;
}

/* The one node on other registers to which all tests of the first one lead; NULL. */
static const struct dag_node *node_behind(const struct deciding *deciding)
{
    const struct dag_node *root = deciding->nodes[deciding->node_count - 1], *found = NULL;
    bool *reached = NEW_ARRAY(deciding->arena, bool, (size_t)root->id + 1);
    reached[root->id] = true;
    for (size_t i = deciding->node_count; i-- > 0;) {
        const struct dag_node *node = deciding->nodes[i];
        if (!reached[node->id] || !node->edge_count)
            continue;
        if (register_of(node) != register_of(root) || register_of(root) < 0) {
            if (found)
                return NULL;
            found = node;
            continue;
        }
        for (uint32_t j = 0; j < node->edge_count; j++)
            reached[node->edges[j].child->id] = true;
    }
    return found == root ? NULL : found;
}

/* ---- all of it
 * ------------------------------------------------------------------------------------------- */

static struct deciding start(const struct deciding *model, const struct dag_node *root,
                             const struct dag_node *rest)
{
    struct deciding deciding = *model;
    deciding.count = 0;
    deciding.free = false;
    deciding.edge_count = 0;
    deciding.rest = rest;
    deciding.nodes = dag_nodes_below(model->arena, root, &deciding.node_count);
    deciding.parts = NEW_ARRAY(model->arena, struct part, (size_t)ORDERED_MOST << ORDERED_MOST);
    return deciding;
}

/* The best order of its outcomes; its cost, or 1e9. */
static double decide_at_once(struct deciding *deciding, struct raised_call *call)
{
    struct order now = {0}, best = {.cost = 1e9};
    if (!gather(deciding))
        return 1e9;
    if (deciding->edge_count > EDGES_MOST)
        take_any(deciding, &best);
    else if (deciding->count <= ORDERED_MOST)
        search(deciding, &now, 0, 0, &best);
    else
        take_cheapest(deciding, &best);
    return best.cost < 1e9 && fill_rules(deciding, &best, call) ? best.cost : 1e9;
}

static void append(struct arena *arena, struct raised_call *call, const struct raised_call *more)
{
    struct raised_rule *rules = NEW_ARRAY(arena, struct raised_rule, call->count + more->count);
    if (call->count)
        memcpy(rules, call->rules, call->count * sizeof *rules);
    memcpy(rules + call->count, more->rules, more->count * sizeof *rules);
    call->rules = rules;
    call->count += more->count;
}

/* A value that the first register must have for anything to be left. */
static void add_known(struct deciding *model, struct deciding *first)
{
    const struct part *part = part_of(first, first->count - 1, 0);
    struct context *known = NEW(model->arena, struct context);
    if (!part->formula || part->formula->kind != FORMULA_ATOM)
        return;
    *known = (struct context){&part->formula->atom, model->known};
    model->known = known;
}

/* Each verdict in one rule; or the tests of the first register by themselves, then those of the
 * others, when that is easier to read. As deep as there are registers. */
static double decide(const struct deciding *model, const struct dag_node *root,
                     struct raised_call *call)
{
    struct deciding whole = start(model, root, NULL);
    double cost = decide_at_once(&whole, call);
    const struct dag_node *rest = node_behind(&whole);
    if (!rest)
        return cost;
    struct deciding first = start(model, root, rest);
    struct raised_call apart, others;
    double apart_cost = decide_at_once(&first, &apart);
    if (apart_cost >= cost)
        return cost;
    struct deciding behind = *model;
    add_known(&behind, &first);
    apart_cost += decide(&behind, rest, &others);
    if (apart_cost >= cost)
        return cost;
    append(model->arena, &apart, &others);
    *call = apart;
    return apart_cost;
}

/* Why the typed layer cannot say it. */
static const char *untyped_reason(struct arena *arena, const struct dag_node *root)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    for (size_t i = 0; i < count; i++) {
        if (nodes[i]->kind == DAG_COMPARE || nodes[i]->kind == DAG_RETURN)
            return raw_reason_text(RAW_COMPUTES);
        if (nodes[i]->kind == DAG_SWITCH &&
            (nodes[i]->field == FIELD_IP_LO || nodes[i]->field == FIELD_IP_HI))
            return raw_reason_text(RAW_POINTER);
    }
    return NULL;
}

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_string(arena, text, strlen(text)) : NULL;
}

static void keep(struct arena *arena, const struct raised_call *made, struct raised_call *call)
{
    call->count = made->count;
    call->rules = arena_copy(arena, made->rules, made->count * sizeof *made->rules);
    for (size_t i = 0; i < call->count; i++) {
        call->rules[i].condition = copy(arena, made->rules[i].condition);
        call->rules[i].numbered = copy(arena, made->rules[i].numbered);
    }
}

/* The orders that were tried are forgotten with an arena of their own. */
const char *raise_decide(struct arena *arena, const struct dag_node *root, enum abi_id abi,
                         uint32_t nr, enum raise_way way, const struct dag_node *otherwise,
                         size_t *steps, struct raised_call *call)
{
    struct arena *scratch = arena_new();
    struct raised_call made;
    struct deciding model = {
        .arena = scratch, .abi = abi, .nr = nr, .way = way, .steps = steps, .otherwise = otherwise};
    model.raw = way == RAISE_RAW ? raw_reason_text(RAW_UNPROVED) : untyped_reason(scratch, root);
    bool said = decide(&model, root, &made) < 1e9;
    if (said)
        keep(arena, &made, call);
    arena_free(scratch);
    return said ? NULL : "the conditions of a call have too many cases";
}
