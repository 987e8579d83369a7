/* The decision DAG: where two of them return different words.
 *
 * The inputs are cut into classes by token and number, so finely that a switch on the whole of
 * either has one answer within a class. What is left below is compared: for every two leaves that
 * differ, the condition under which the one DAG ends in the first and the other in the second. */
#include <stdlib.h>

#include "compiler/dag_internal.h"

/* Edges that dag_if may look at for one class. */
#define CLASS_WORK ((size_t)1 << 20)

enum { MENTIONS_NUMBER = 1, HAS_FREE = 2 };

typedef VECTOR(uint32_t) bounds; /* the last values of intervals but the topmost */

/* What was found out of two nodes: differences [first, first + count) of the list, which lack their
 * class. */
struct compared {
    const struct dag_node *left, *right;
    size_t first, count;
    bool done;
};

struct comparing {
    struct arena *arena;
    struct dag *dag;
    struct policy places; /* for policy_runs: the ABIs that count, and nothing else */
    struct dag_differences *out;
    VECTOR(uint8_t) marks; /* by node */
    VECTOR(struct compared) known;
    struct index_table known_index;
    VECTOR(struct dag_difference) found;
};

/* ---- what is below a node ---------------------------------------------------------------------- */

static bool word_mentions(const struct word *word, enum field field)
{
    if (!word || word->operator== WORD_CONSTANT)
        return false;
    if (word->operator== WORD_FIELD)
        return word->field == field;
    return word_mentions(word->left, field) || word_mentions(word->right, field);
}

static bool mentions_number(const struct dag_node *node)
{
    static const enum field numbers[] = {FIELD_ARCH, FIELD_NR};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if ((node->kind == DAG_SWITCH && node->field == numbers[i]) ||
            word_mentions(node->value, numbers[i]) || word_mentions(node->a, numbers[i]) ||
            word_mentions(node->b, numbers[i]))
            return true;
    }
    return false;
}

/* Nodes are marked in the order in which they were made: children come first. */
static uint8_t marks_of(struct comparing *c, const struct dag_node *wanted)
{
    while (c->marks.count <= wanted->id) {
        const struct dag_node *node = c->dag->nodes.items[c->marks.count];
        unsigned marks = (mentions_number(node) ? MENTIONS_NUMBER : 0u) |
                         (node->free ? HAS_FREE : 0u);
        for (uint32_t i = 0; i < node->edge_count; i++)
            marks |= c->marks.items[node->edges[i].child->id];
        vector_push(c->arena, &c->marks, (uint8_t)marks);
    }
    return c->marks.items[wanted->id];
}

/* ---- a node within a class --------------------------------------------------------------------- */

/* Whether all of first..last take one edge of a switch on the whole of a field. */
static bool one_edge(const struct dag_node *node, uint32_t first, uint32_t last)
{
    for (uint32_t i = 0; i < node->edge_count; i++) {
        if (first <= node->edges[i].last)
            return node->mask == 0xffffffffu && last <= node->edges[i].last;
    }
    return false;
}

/* Whether the class takes one edge of the switch, that of `value`. */
static bool decides(const struct dag_node *node, const struct dag_class *class, uint32_t *value)
{
    bool arch = node->field == FIELD_ARCH;
    if (node->kind != DAG_SWITCH || (!arch && node->field != FIELD_NR))
        return false;
    uint32_t first = arch ? class->arch_first : class->nr_first;
    uint32_t last = arch ? class->arch_last : class->nr_last;
    *value = first & node->mask;
    return first == last || one_edge(node, first, last);
}

/* Whether the class settles the word: it is computed from single numbers only. */
static bool is_settled(const struct word *word, const struct dag_class *class)
{
    if (!word || word->operator== WORD_CONSTANT)
        return true;
    if (word->operator!= WORD_FIELD)
        return is_settled(word->left, class) && is_settled(word->right, class);
    return (word->field == FIELD_ARCH && class->arch_first == class->arch_last) ||
           (word->field == FIELD_NR && class->nr_first == class->nr_last);
}

/* The word, or the constant that it is within the class. Words that are only partly settled stay as
 * they are: every number would make another of them. */
static struct word word_within(const struct word *word, const struct dag_class *class)
{
    const struct input input = {.arch = class->arch_first, .nr = class->nr_first};
    bool undefined = false; /* a shift without a defined result: stays too */
    uint32_t value = is_settled(word, class) ? word_value(word, &input, &undefined) : 0;
    if (undefined || !is_settled(word, class))
        return *word;
    return (struct word){.operator= WORD_CONSTANT, .constant = value};
}

/* `made` has the children's. */
static const struct dag_node *node_within(struct comparing *c, struct arena *scratch,
                                          const struct dag_node *node,
                                          const struct dag_class *class,
                                          const struct dag_node *const *made)
{
    uint32_t value;
    if (node->kind == DAG_VERDICT)
        return node;
    if (node->kind == DAG_RETURN) {
        struct word returned = word_within(node->value, class);
        return dag_return(c->dag, &returned);
    }
    if (node->kind == DAG_COMPARE) {
        struct word a = word_within(node->a, class), b = word_within(node->b, class);
        return dag_compare(c->dag, node->comparison, &a, &b, made[node->edges[0].child->id],
                           made[node->edges[1].child->id]);
    }
    if (decides(node, class, &value))
        return made[dag_child_at(node, value)->id];
    struct dag_edge *edges = NEW_ARRAY(scratch, struct dag_edge, node->edge_count);
    for (uint32_t i = 0; i < node->edge_count; i++)
        edges[i] = (struct dag_edge){node->edges[i].last, made[node->edges[i].child->id]};
    return dag_choose(c->dag, node->field, node->mask, edges, node->edge_count);
}

/* Made again without what the class decides, and with nothing free. NULL: too involved. */
static const struct dag_node *rebuild(struct comparing *c, const struct dag_node *root,
                                      const struct dag_class *class)
{
    struct arena *scratch = arena_new();
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(scratch, root, &count);
    const struct dag_node **made =
        NEW_ARRAY(scratch, const struct dag_node *, (size_t)root->id + 1);
    bool within = true;
    for (size_t i = 0; i < count && within; i++) {
        made[nodes[i]->id] = node_within(c, scratch, nodes[i], class, made);
        within = made[nodes[i]->id] != NULL;
    }
    const struct dag_node *answer = within ? made[root->id] : NULL;
    arena_free(scratch);
    return answer;
}

static const struct dag_node *descend(const struct dag_node *node, const struct dag_class *class)
{
    uint32_t value;
    while (decides(node, class, &value))
        node = dag_child_at(node, value);
    return node;
}

/* ---- two nodes --------------------------------------------------------------------------------- */

/* The leaves of a DAG in which nothing is free, and for each the condition that leads there. */
struct endings {
    const struct dag_node **leaves;
    const struct dag_node **when;
    size_t count;
};

static const struct dag_node *leads_there(struct dag *dag, const struct dag_node *node,
                                          const struct dag_node *const *made)
{
    if (node->kind == DAG_COMPARE)
        return dag_compare_node(dag, node->variable, made[node->edges[0].child->id],
                                made[node->edges[1].child->id]);
    size_t base = dag->scratch.count;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        struct dag_edge edge = {node->edges[i].last, made[node->edges[i].child->id]};
        vector_push(dag->arena, &dag->scratch, edge);
    }
    return dag_switch_scratch(dag, node->field, node->mask, base);
}

/* False past a limit. */
static bool find_endings(struct comparing *c, struct arena *scratch, const struct dag_node *root,
                         struct endings *endings)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(scratch, root, &count);
    const struct dag_node **made =
        NEW_ARRAY(scratch, const struct dag_node *, (size_t)root->id + 1);
    *endings = (struct endings){NEW_ARRAY(scratch, const struct dag_node *, count),
                                NEW_ARRAY(scratch, const struct dag_node *, count), 0};
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i]->edge_count)
            endings->leaves[endings->count++] = nodes[i];
    }
    for (size_t leaf = 0; leaf < endings->count; leaf++) {
        for (size_t i = 0; i < count; i++) {
            const struct dag_node *node = nodes[i];
            made[node->id] = node->edge_count
                                 ? leads_there(c->dag, node, made)
                                 : dag_verdict(c->dag, node == endings->leaves[leaf]);
            if (!made[node->id])
                return false;
        }
        endings->when[leaf] = made[root->id];
    }
    return true;
}

/* Of two computed words the same input may give the same. */
static const struct dag_node *words_differ(struct comparing *c, const struct dag_node *left,
                                           const struct dag_node *right)
{
    struct word words[2] = {{.operator= WORD_CONSTANT, .constant = left->word},
                            {.operator= WORD_CONSTANT, .constant = right->word}};
    if (left->kind == DAG_VERDICT && right->kind == DAG_VERDICT)
        return dag_verdict(c->dag, left->word != right->word);
    return dag_compare(c->dag, COMPARE_NOT_EQUAL,
                       left->kind == DAG_RETURN ? left->value : &words[0],
                       right->kind == DAG_RETURN ? right->value : &words[1],
                       dag_verdict(c->dag, 1), dag_verdict(c->dag, 0));
}

static bool add_pair(struct comparing *c, const struct endings *left, size_t i,
                     const struct endings *right, size_t j)
{
    const struct dag_node *no = dag_verdict(c->dag, 0);
    const struct dag_node *when = dag_if(c->dag, left->when[i], right->when[j], no);
    when = dag_if(c->dag, words_differ(c, left->leaves[i], right->leaves[j]), when, no);
    if (when && !is_verdict(when, 0))
        vector_push(c->arena, &c->found,
                    (struct dag_difference){.left = left->leaves[i],
                                            .right = right->leaves[j],
                                            .when = when,
                                            .left_elsewhere = left->when[i] != when,
                                            .right_elsewhere = right->when[j] != when});
    return when != NULL;
}

static bool compare_nodes(struct comparing *c, struct compared *compared)
{
    struct arena *scratch = arena_new();
    struct endings left, right;
    bool done = find_endings(c, scratch, compared->left, &left) &&
                find_endings(c, scratch, compared->right, &right);
    compared->first = c->found.count;
    for (size_t i = 0; done && i < left.count; i++) {
        for (size_t j = 0; done && j < right.count; j++)
            done = left.leaves[i] == right.leaves[j] || add_pair(c, &left, i, &right, j);
    }
    arena_free(scratch);
    compared->count = c->found.count - compared->first;
    return done;
}

static const struct compared *known_pair(struct comparing *c, uint32_t hash,
                                         const struct dag_node *left, const struct dag_node *right)
{
    size_t probe = 0;
    for (uint32_t i = index_first(&c->known_index, hash, &probe); i != INDEX_FREE;
         i = index_next(&c->known_index, hash, &probe)) {
        if (c->known.items[i].left == left && c->known.items[i].right == right)
            return &c->known.items[i];
    }
    return NULL;
}

/* Once for every two nodes, whatever the number of classes that have them. */
static const struct compared *compare_once(struct comparing *c, const struct dag_node *left,
                                           const struct dag_node *right)
{
    uint32_t hash = hash_mix(hash_mix(0x2b, left->id), right->id);
    const struct compared *known = known_pair(c, hash, left, right);
    if (known)
        return known;
    struct compared made = {.left = left, .right = right};
    made.done = compare_nodes(c, &made);
    index_add(c->arena, &c->known_index, hash, (uint32_t)c->known.count);
    vector_push(c->arena, &c->known, made);
    return &c->known.items[c->known.count - 1];
}

/* ---- classes ----------------------------------------------------------------------------------- */

static bool compare_within(struct comparing *c, const struct dag_node *left,
                           const struct dag_node *right, const struct dag_class *class,
                           const struct compared **compared)
{
    if ((marks_of(c, left) & (MENTIONS_NUMBER | HAS_FREE)) != 0)
        left = rebuild(c, left, class);
    if (left && (marks_of(c, right) & (MENTIONS_NUMBER | HAS_FREE)) != 0)
        right = rebuild(c, right, class);
    *compared = NULL;
    if (left && right && left != right)
        *compared = compare_once(c, left, right);
    return left && right && (left == right || (*compared)->done);
}

static void compare_class(struct comparing *c, const struct dag_node *left,
                          const struct dag_node *right, const struct dag_class *class)
{
    const struct compared *compared = NULL;
    left = descend(left, class);
    right = descend(right, class);
    if (left == right || dag_out_of_time(c->dag) || c->dag->limit != DAG_WITHIN_LIMITS)
        return;
    bool begun = dag_attempt_begins(c->dag, CLASS_WORK);
    bool done = begun && compare_within(c, left, right, class, &compared);
    if ((begun && !dag_attempt_ends(c->dag)) || !done) {
        c->out->skipped++;
        c->out->first_skipped = c->out->skipped == 1 ? *class : c->out->first_skipped;
        return;
    }
    for (size_t i = 0; compared && i < compared->count; i++) {
        struct dag_difference difference = c->found.items[compared->first + i];
        difference.class = *class;
        difference.tests_number = (marks_of(c, difference.when) & MENTIONS_NUMBER) != 0;
        vector_push(c->arena, &c->out->list, difference);
    }
}

static void cut_around(struct comparing *c, bounds *cuts, uint32_t first, uint32_t last)
{
    if (first)
        vector_push(c->arena, cuts, first - 1);
    if (last != UINT32_MAX)
        vector_push(c->arena, cuts, last);
}

static void cut_at_switches(struct comparing *c, bounds *cuts, const struct dag_node *root,
                            enum field field)
{
    if (!(marks_of(c, root) & MENTIONS_NUMBER))
        return;
    struct arena *scratch = arena_new();
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(scratch, root, &count);
    for (size_t i = 0; i < count; i++) {
        bool whole = nodes[i]->kind == DAG_SWITCH && nodes[i]->field == field &&
                     nodes[i]->mask == 0xffffffffu;
        for (uint32_t j = 0; whole && j + 1 < nodes[i]->edge_count; j++)
            vector_push(c->arena, cuts, nodes[i]->edges[j].last);
    }
    arena_free(scratch);
}

static int compare_bounds(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void sort_bounds(struct comparing *c, bounds *cuts)
{
    size_t kept = 0;
    vector_push(c->arena, cuts, UINT32_MAX);
    qsort(cuts->items, cuts->count, sizeof *cuts->items, compare_bounds);
    for (size_t i = 0; i < cuts->count; i++) {
        if (!kept || cuts->items[kept - 1] != cuts->items[i])
            cuts->items[kept++] = cuts->items[i];
    }
    cuts->count = kept;
}

/* Known numbers are apart from each other. */
static void cut_run(struct comparing *c, bounds *cuts, const struct nr_run *run)
{
    cut_around(c, cuts, run->first, run->last);
    for (uint32_t nr = run->first; run->place.known && nr < run->last; nr++)
        vector_push(c->arena, cuts, nr);
}

static void compare_numbers(struct comparing *c, const struct dag_node *left,
                            const struct dag_node *right, struct dag_class class)
{
    bounds cuts = {0};
    left = descend(left, &class);
    right = descend(right, &class);
    if (left == right)
        return;
    cut_at_switches(c, &cuts, left, FIELD_NR);
    cut_at_switches(c, &cuts, right, FIELD_NR);
    if (class.arch_first == class.arch_last) {
        struct nr_run *runs;
        size_t count;
        policy_runs(c->arena, &c->places, class.arch_first, &runs, &count);
        for (size_t i = 0; i < count; i++)
            cut_run(c, &cuts, &runs[i]);
    }
    sort_bounds(c, &cuts);
    class.nr_first = 0;
    for (size_t i = 0; i < cuts.count; i++) {
        class.nr_last = cuts.items[i];
        compare_class(c, left, right, &class);
        class.nr_first = class.nr_last + 1;
    }
}

void dag_differences(struct arena *arena, struct dag *dag, const struct dag_node *left,
                     const struct dag_node *right, abi_set abis, struct dag_differences *out)
{
    struct comparing c = {.arena = arena, .dag = dag, .out = out};
    bounds cuts = {0};
    *out = (struct dag_differences){0};
    c.places = (struct policy){.abis = abis, .big_endian = dag->big_endian};
    cut_at_switches(&c, &cuts, left, FIELD_ARCH);
    cut_at_switches(&c, &cuts, right, FIELD_ARCH);
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        uint32_t token = abi_get((enum abi_id)id)->token;
        if (abis & ABI_BIT(id))
            cut_around(&c, &cuts, token, token);
    }
    sort_bounds(&c, &cuts);
    struct dag_class class = {.nr_first = 0, .nr_last = UINT32_MAX};
    for (size_t i = 0; i < cuts.count; i++) {
        class.arch_last = cuts.items[i];
        compare_numbers(&c, left, right, class);
        class.arch_first = class.arch_last + 1;
    }
    out->complete = !out->skipped && dag->limit == DAG_WITHIN_LIMITS;
}

/* ---- back to a DAG ----------------------------------------------------------------------------- */

static const struct dag_node *any_of(struct dag *dag, const struct dag_difference *list,
                                     const size_t *chosen, size_t count)
{
    const struct dag_node *yes = dag_verdict(dag, 1), *any = dag_verdict(dag, 0);
    for (size_t i = 0; i < count; i++)
        any = dag_if(dag, list[chosen[i]].when, yes, any);
    return any;
}

static bool same_class(const struct dag_class *a, const struct dag_class *b, bool with_numbers)
{
    return a->arch_first == b->arch_first && a->arch_last == b->arch_last &&
           (!with_numbers || (a->nr_first == b->nr_first && a->nr_last == b->nr_last));
}

/* An edge for first..last, and one that leads to `no` for what is missing before it. */
static uint32_t add_edge(struct dag_edge *edges, uint32_t count, uint32_t first, uint32_t last,
                         const struct dag_node *child, const struct dag_node *no)
{
    if (first && (!count || edges[count - 1].last != first - 1))
        edges[count++] = (struct dag_edge){first - 1, no};
    edges[count++] = (struct dag_edge){last, child};
    return count;
}

static const struct dag_node *choose_all(struct dag *dag, enum field field, struct dag_edge *edges,
                                         uint32_t count, const struct dag_node *no)
{
    if (!count)
        return no;
    if (edges[count - 1].last != UINT32_MAX)
        edges[count++] = (struct dag_edge){UINT32_MAX, no};
    return dag_choose(dag, field, 0xffffffffu, edges, count);
}

const struct dag_node *dag_where(struct arena *arena, struct dag *dag,
                                 const struct dag_difference *list, const size_t *chosen,
                                 size_t count)
{
    const struct dag_node *no = dag_verdict(dag, 0);
    struct dag_edge *tokens = NEW_ARRAY(arena, struct dag_edge, 2 * count + 1);
    struct dag_edge *numbers = NEW_ARRAY(arena, struct dag_edge, 2 * count + 1);
    uint32_t token_count = 0;
    for (size_t i = 0; i < count;) {
        const struct dag_class *token = &list[chosen[i]].class;
        uint32_t number_count = 0;
        while (i < count && same_class(token, &list[chosen[i]].class, false)) {
            const struct dag_class *class = &list[chosen[i]].class;
            size_t end = i + 1;
            while (end < count && same_class(class, &list[chosen[end]].class, true))
                end++;
            number_count = add_edge(numbers, number_count, class->nr_first, class->nr_last,
                                    any_of(dag, list, chosen + i, end - i), no);
            i = end;
        }
        token_count = add_edge(tokens, token_count, token->arch_first, token->arch_last,
                               choose_all(dag, FIELD_NR, numbers, number_count, no), no);
    }
    return choose_all(dag, FIELD_ARCH, tokens, token_count, no);
}
