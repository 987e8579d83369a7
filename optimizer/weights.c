/* Which calls count, and how much. */
#include "optimizer/cost.h"

/* ---- what the meaning says about one (arch, nr) --------------------------------------------- */

enum call_class {
    CALL_REMEMBERED, /* always allowed, and the kernel remembers it */
    CALL_PERMITTED,  /* permitted, or permitted with some arguments */
    CALL_DENIED,
    CALL_UNKNOWN, /* no number of the ABI's table */
    CALL_FOREIGN, /* no ABI that counts */
    CALL_CLASS_COUNT
};

/* Shares of the classes when nobody has counted. A filter is there to let a program work: what it
 * permits is what is called. On kernels that remember, what reaches the filter is permitted calls
 * with arguments to look at and denied calls; denied numbers are far more, so that each weighs
 * less. The shares are those with which both kinds came out fast, measured (make bench). The
 * remembered ones have a share because the same filter may run on an older kernel. */
static const double shares_forgetful[CALL_CLASS_COUNT] = {
    [CALL_PERMITTED] = 0.98, [CALL_DENIED] = 0.015, [CALL_UNKNOWN] = 0.004, [CALL_FOREIGN] = 0.001};
static const double shares_remembering[CALL_CLASS_COUNT] = {[CALL_REMEMBERED] = 0.05,
                                                            [CALL_PERMITTED] = 0.32,
                                                            [CALL_DENIED] = 0.58,
                                                            [CALL_UNKNOWN] = 0.04,
                                                            [CALL_FOREIGN] = 0.01};
/* With a profile: the share of what was counted, and the rest as without one. */
#define PROFILE_SHARE 0.98

/* How often a call comes through this ABI's entry. Compatibility entries are there for the odd old
 * program. */
static double abi_share(const struct abi *abi)
{
    if (abi->id == ABI_X32)
        return 0.002;
    return abi->kernel == abi->id ? 1.0 : 0.02;
}

#define ALLOW_WORD 0x7fff0000u

struct weighing {
    struct arena *arena;
    const struct dag_node *root;
    bool *permits; /* by node id: some verdict below it permits */
    bool remembers;
    const double *shares; /* of the classes */
    VECTOR(struct weighted_call) calls;
    VECTOR(enum call_class) classes;
};

static bool word_permits(uint32_t word)
{
    return action_of_word(word, NULL)->permits;
}

/* Children have smaller ids and come first. */
static void find_permits(struct weighing *weighing, const struct dag *dag)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(weighing->arena, weighing->root, &count);
    weighing->permits = NEW_ARRAY(weighing->arena, bool, dag_size(dag));
    for (size_t i = 0; i < count; i++) {
        const struct dag_node *node = nodes[i];
        bool permits =
            node->kind == DAG_RETURN || (node->kind == DAG_VERDICT && word_permits(node->word));
        for (uint32_t edge = 0; edge < node->edge_count; edge++)
            permits = permits || weighing->permits[node->edges[edge].child->id];
        weighing->permits[node->id] = permits;
    }
}

/* Where (arch, nr) alone leads. */
static const struct dag_node *after_number(const struct dag_node *node, const struct input *input)
{
    while (node->kind == DAG_SWITCH && (node->field == FIELD_NR || node->field == FIELD_ARCH))
        node = dag_child_at(node, input_field(input, node->field) & node->mask);
    return node;
}

static enum call_class class_of(const struct weighing *weighing, const struct abi *abi,
                                const struct input *input)
{
    const struct dag_node *node = after_number(weighing->root, input);
    if (!weighing->permits[node->id])
        return CALL_DENIED;
    bool always = node->kind == DAG_VERDICT && node->word == ALLOW_WORD;
    return weighing->remembers && always && input->nr < abi->cache_size ? CALL_REMEMBERED
                                                                        : CALL_PERMITTED;
}

static void add_call(struct weighing *weighing, uint32_t arch, uint32_t nr, enum call_class class,
                     double weight)
{
    struct weighted_call call = {.input = {.nr = nr, .arch = arch}, .weight = weight};
    vector_push(weighing->arena, &weighing->calls, call);
    vector_push(weighing->arena, &weighing->classes, class);
}

/* ---- the calls of one ABI ------------------------------------------------------------------- */

static bool permits_any(const struct weighing *weighing, const struct abi *abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi->id, &count);
    for (size_t i = 0; i < count; i++) {
        struct input input = {.nr = table[i].nr, .arch = abi->token};
        if (class_of(weighing, abi, &input) != CALL_DENIED)
            return true;
    }
    return false;
}

static void add_abi(struct weighing *weighing, const struct abi *abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi->id, &count);
    double share = abi_share(abi);
    for (size_t i = 0; i < count; i++) {
        struct input input = {.nr = table[i].nr, .arch = abi->token};
        if (table[i].implemented)
            add_call(weighing, abi->token, table[i].nr, class_of(weighing, abi, &input), share);
    }
    if (count) {
        add_call(weighing, abi->token, table[count - 1].nr + 16, CALL_UNKNOWN, share);
        add_call(weighing, abi->token, NR_SKIP, CALL_UNKNOWN, share / 4);
    }
}

/* What add_abi adds for these, and a foreign call. */
static size_t calls_most(abi_set abis)
{
    size_t most = 1;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        size_t count = 0;
        if (abis & ABI_BIT(id))
            abi_syscalls((enum abi_id)id, &count);
        most += count ? count + 2 : 0;
    }
    return most;
}

/* The declared ABIs that may do anything; all of them when none may. */
static abi_set abis_that_count(const struct weighing *weighing, abi_set declared, bool big_endian)
{
    abi_set permitted = 0, all = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        if (abi->big_endian != big_endian || (declared && !(declared & ABI_BIT(id))))
            continue;
        all |= ABI_BIT(id);
        if (permits_any(weighing, abi))
            permitted |= ABI_BIT(id);
    }
    return permitted ? permitted : all;
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* Every class gets its share; the share of an empty class goes to the others. */
static void give_shares(struct weighing *weighing, double total)
{
    const double *shares = weighing->shares;
    double sums[CALL_CLASS_COUNT] = {0};
    double given = 0;
    for (size_t i = 0; i < weighing->calls.count; i++)
        sums[weighing->classes.items[i]] += weighing->calls.items[i].weight;
    for (unsigned class = 0; class < CALL_CLASS_COUNT; class ++)
        given += sums[class] > 0 ? shares[class] : 0;
    for (size_t i = 0; i < weighing->calls.count; i++) {
        enum call_class class = weighing->classes.items[i];
        weighing->calls.items[i].weight *= total * shares[class] / (sums[class] * given);
    }
}

/* Counted calls that the kernel would remember count as little as others of that kind. */
static void add_profile(struct weighing *weighing, const struct profile *profile, bool big_endian,
                        double share)
{
    double *counts = NEW_ARRAY(weighing->arena, double, profile->count);
    double sum = 0;
    for (size_t i = 0; i < profile->count; i++) {
        const struct input *input = &profile->calls[i].input;
        enum abi_id id = input_abi(input, big_endian);
        counts[i] = profile->calls[i].weight;
        if (id != ABI_NONE && class_of(weighing, abi_get(id), input) == CALL_REMEMBERED)
            counts[i] *= weighing->shares[CALL_REMEMBERED];
        sum += counts[i];
    }
    for (size_t i = 0; i < profile->count && sum > 0; i++) {
        struct weighted_call call = {profile->calls[i].input, share * counts[i] / sum};
        vector_push(weighing->arena, &weighing->calls, call);
    }
}

bool kernel_remembers(const struct shape_options *options)
{
    unsigned major = options->kernel_major, minor = options->kernel_minor;
    bool newest = !major && !minor;
    return newest || major > 5 || (major == 5 && minor >= 11);
}

/* For so many more. */
static void make_room(struct weighing *weighing, size_t count)
{
    weighing->calls.items = NEW_ARRAY(weighing->arena, struct weighted_call, count);
    weighing->classes.items = NEW_ARRAY(weighing->arena, enum call_class, count);
    weighing->calls.capacity = weighing->classes.capacity = count;
}

static struct weights weigh(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                            const struct shape_options *options, const double *shares)
{
    struct weighing weighing = {
        .arena = arena, .root = root, .remembers = kernel_remembers(options), .shares = shares};
    bool big_endian = dag_big_endian(dag);
    find_permits(&weighing, dag);
    abi_set counting = abis_that_count(&weighing, options->abis, big_endian);
    bool counted = options->profile && options->profile->count;
    make_room(&weighing, calls_most(counting) + (counted ? options->profile->count : 0));
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (counting & ABI_BIT(id))
            add_abi(&weighing, abi_get((enum abi_id)id));
    }
    add_call(&weighing, 0, 0, CALL_FOREIGN, 1);
    give_shares(&weighing, counted ? 1 - PROFILE_SHARE : 1);
    if (counted)
        add_profile(&weighing, options->profile, big_endian, PROFILE_SHARE);
    return (struct weights){.calls = weighing.calls.items, .count = weighing.calls.count};
}

struct weights weights_of(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                          const struct shape_options *options)
{
    return weigh(arena, dag, root, options,
                 kernel_remembers(options) ? shares_remembering : shares_forgetful);
}

struct weights executions_of(struct arena *arena, const struct dag *dag,
                             const struct dag_node *root, const struct shape_options *options)
{
    double shares[CALL_CLASS_COUNT];
    memcpy(shares, kernel_remembers(options) ? shares_remembering : shares_forgetful,
           sizeof shares);
    shares[CALL_REMEMBERED] = 0;
    return weigh(arena, dag, root, options, shares);
}
