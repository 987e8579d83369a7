/* diff: classes of tokens and numbers as calls with names. */
#include <stdlib.h>

#include "api/bpfproof.h"
#include "lang/print_condition.h"

/* Differences of one place that are the same but for the token and the number. */
struct group {
    enum abi_id abi; /* ABI_NONE: foreign */
    const struct dag_node *when, *left, *right;
    VECTOR(size_t) members; /* of the list */
};

struct named {
    struct difference difference;
    uint32_t kind, nr; /* for the order: names, numbers, foreign */
};

struct naming {
    struct diff_state *state;
    struct policy places;
    VECTOR(struct group) groups;
    VECTOR(struct named) named;
};

enum { KIND_CALL, KIND_UNKNOWN, KIND_FOREIGN };

/* ---- one difference
 * -------------------------------------------------------------------------------- */

static const char *leaf_text(struct naming *naming, const struct dag_node *leaf, enum abi_id abi)
{
    struct buffer text = buffer_new(naming->state->arena);
    if (leaf->kind == DAG_VERDICT) {
        verdict_print(&text, leaf->word, abi);
    } else {
        buffer_text(&text, "ret(");
        word_print(&text, leaf->value);
        buffer_text(&text, ")");
    }
    return buffer_string(&text);
}

static void add(struct naming *naming, size_t index, enum abi_id abi, unsigned kind,
                const char *call)
{
    struct diff_state *state = naming->state;
    const struct dag_difference *found = &state->found.list.items[index];
    if (naming->named.count && diff_out_of_time(state))
        return; /* a condition takes its time to be put into words */
    struct difference difference = {
        .abi = abi,
        .call = call,
        .known = kind == KIND_CALL,
        .when = diff_when(state, found->when, abi, found->class.nr_first),
        .left = leaf_text(naming, found->left, abi),
        .right = leaf_text(naming, found->right, abi),
        .left_elsewhere = found->left_elsewhere,
        .right_elsewhere = found->right_elsewhere,
        .witness = state->witnesses[index],
    };
    vector_push(state->arena, &naming->named,
                (struct named){difference, kind, found->class.nr_first});
}

/* ---- groups
 * ---------------------------------------------------------------------------------------- */

static struct group *group_of(struct naming *naming, const struct dag_difference *d,
                              enum abi_id abi)
{
    for (size_t i = 0; i < naming->groups.count; i++) {
        struct group *group = &naming->groups.items[i];
        if (group->abi == abi && group->when == d->when && group->left == d->left &&
            group->right == d->right)
            return group;
    }
    struct group made = {.abi = abi, .when = d->when, .left = d->left, .right = d->right};
    vector_push(naming->state->arena, &naming->groups, made);
    return &naming->groups.items[naming->groups.count - 1];
}

static const char *range_text(struct arena *arena, const char *word, uint32_t first, uint32_t last)
{
    const char *begin = arena_printf(arena, first < X32_BIT ? "%s %u" : "%s 0x%x", word, first);
    if (first == last)
        return begin;
    return arena_printf(arena, last < X32_BIT ? "%s..%u" : "%s..0x%x", begin, last);
}

static const struct dag_class *class_of(const struct naming *naming, const struct group *group,
                                        size_t member)
{
    return &naming->state->found.list.items[group->members.items[member]].class;
}

/* How many unknown numbers a place has under one token. */
static uint64_t numbers_of(struct naming *naming, uint32_t token, enum abi_id abi)
{
    struct nr_run *runs;
    size_t count;
    uint64_t sum = 0;
    policy_runs(naming->state->arena, &naming->places, token, &runs, &count);
    for (size_t i = 0; i < count; i++)
        if (runs[i].place.abi == abi && !runs[i].place.known)
            sum += (uint64_t)runs[i].last - runs[i].first + 1;
    return sum;
}

struct range {
    uint32_t first, last;
    size_t member; /* of the group: the first in it */
};

typedef VECTOR(struct range) range_list;

static void add_range(struct naming *naming, range_list *ranges, uint32_t first, uint32_t last,
                      size_t member)
{
    struct range *before = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
    if (before && before->last + 1 == first)
        before->last = last;
    else
        vector_push(naming->state->arena, ranges, (struct range){first, last, member});
}

static range_list ranges_of(struct naming *naming, const struct group *group)
{
    range_list ranges = {0};
    for (size_t i = 0; i < group->members.count; i++) {
        const struct dag_class *class = class_of(naming, group, i);
        add_range(naming, &ranges, class->nr_first, class->nr_last, group->members.items[i]);
    }
    return ranges;
}

/* The ABI's unknown numbers that are in none of the ranges. */
static range_list missing_from(struct naming *naming, const range_list *ranges, enum abi_id abi)
{
    range_list missing = {0};
    struct nr_run *runs;
    size_t count, at = 0;
    policy_runs(naming->state->arena, &naming->places, abi_get(abi)->token, &runs, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = runs[i].first;
        if (runs[i].place.abi != abi || runs[i].place.known)
            continue;
        for (; at < ranges->count && ranges->items[at].first <= runs[i].last; at++) {
            if (ranges->items[at].first > from)
                add_range(naming, &missing, (uint32_t)from, ranges->items[at].first - 1, 0);
            from = (uint64_t)ranges->items[at].last + 1;
        }
        if (from <= runs[i].last)
            add_range(naming, &missing, (uint32_t)from, runs[i].last, 0);
    }
    return missing;
}

/* "unknown numbers but nr 500..510" */
static const char *all_but(struct naming *naming, const range_list *missing)
{
    struct buffer text = buffer_new(naming->state->arena);
    buffer_text(&text, "unknown numbers");
    for (size_t i = 0; i < missing->count; i++)
        buffer_printf(&text, "%s%s",
                      i                    ? ", "
                      : missing->count > 1 ? " but { "
                                           : " but ",
                      range_text(naming->state->arena, "nr", missing->items[i].first,
                                 missing->items[i].last));
    buffer_text(&text, missing->count > 1 ? " }" : "");
    return buffer_string(&text);
}

static void name_unknown(struct naming *naming, const struct group *group)
{
    range_list ranges = ranges_of(naming, group);
    range_list missing = missing_from(naming, &ranges, group->abi);
    uint64_t covered = 0;
    for (size_t i = 0; i < ranges.count; i++)
        covered += (uint64_t)ranges.items[i].last - ranges.items[i].first + 1;
    bool most = covered > numbers_of(naming, abi_get(group->abi)->token, group->abi) / 2;
    if (most && missing.count < ranges.count) {
        add(naming, group->members.items[0], group->abi, KIND_UNKNOWN, all_but(naming, &missing));
        return;
    }
    for (size_t i = 0; i < ranges.count; i++)
        add(naming, ranges.items[i].member, group->abi, KIND_UNKNOWN,
            range_text(naming->state->arena, "nr", ranges.items[i].first, ranges.items[i].last));
}

/* ---- what no declared ABI has
 * ---------------------------------------------------------------------- */

static bool is_declared_token(const struct naming *naming, uint32_t token)
{
    return (abi_with_token(token, naming->state->big_endian) & naming->state->declared) != 0;
}

/* All foreign inputs: tokens times numbers, modulo 2^64, which is never reached. */
static uint64_t foreign_inputs(struct naming *naming)
{
    uint64_t sum = 0;
    abi_set done = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        uint32_t token = abi_get((enum abi_id)id)->token;
        if (!(naming->state->declared & ABI_BIT(id)) || (done & ABI_BIT(id)))
            continue;
        done |= abi_with_token(token, naming->state->big_endian);
        sum += numbers_of(naming, token, ABI_NONE) - (UINT64_C(1) << 32);
    }
    return sum;
}

static uint64_t tokens_of(const struct dag_class *class)
{
    return (uint64_t) class->arch_last - class->arch_first + 1;
}

static const char *token_text(struct naming *naming, uint32_t first, uint32_t last)
{
    struct arena *arena = naming->state->arena;
    abi_set abis = first == last ? abi_with_token(first, naming->state->big_endian) : 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abis & ABI_BIT(id))
            return abi_get((enum abi_id)id)->name;
    if (first == last)
        return arena_printf(arena, "arch 0x%x", first);
    return arena_printf(arena, "arch 0x%x..0x%x", first, last);
}

static const char *foreign_text(struct naming *naming, const struct dag_class *class, bool all)
{
    struct arena *arena = naming->state->arena;
    const char *token = all ? NULL : token_text(naming, class->arch_first, class->arch_last);
    if (class->nr_first == 0 && class->nr_last == UINT32_MAX)
        return all ? "every other arch" : token;
    const char *numbers = range_text(arena, "nr", class->nr_first, class->nr_last);
    return all ? numbers : arena_printf(arena, "%s %s", token, numbers);
}

/* The same numbers under every token that is not declared: said once. */
static void name_numbers(struct naming *naming, const struct group *group, size_t first,
                         bool *named, uint64_t undeclared)
{
    const struct dag_class *class = class_of(naming, group, first);
    VECTOR(size_t) same = {0};
    uint64_t tokens = 0;
    for (size_t i = first; i < group->members.count; i++) {
        const struct dag_class *other = class_of(naming, group, i);
        if (named[i] || other->nr_first != class->nr_first || other->nr_last != class->nr_last ||
            is_declared_token(naming, other->arch_first) !=
                is_declared_token(naming, class->arch_first))
            continue;
        vector_push(naming->state->arena, &same, i);
        named[i] = true;
        tokens += tokens_of(other);
    }
    bool all = tokens == undeclared && !is_declared_token(naming, class->arch_first);
    for (size_t i = 0; i < (all ? 1 : same.count); i++) {
        const struct dag_class *other = class_of(naming, group, same.items[i]);
        add(naming, group->members.items[same.items[i]], ABI_NONE, KIND_FOREIGN,
            foreign_text(naming, other, all));
    }
}

static void name_foreign(struct naming *naming, const struct group *group)
{
    uint64_t inputs = 0, undeclared = UINT64_C(1) << 32;
    abi_set done = 0;
    for (size_t i = 0; i < group->members.count; i++) {
        const struct dag_class *class = class_of(naming, group, i);
        inputs += tokens_of(class) * ((uint64_t) class->nr_last - class->nr_first + 1);
    }
    if (inputs == foreign_inputs(naming)) {
        add(naming, group->members.items[0], ABI_NONE, KIND_FOREIGN, "every call");
        return;
    }
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if ((naming->state->declared & ABI_BIT(id)) && !(done & ABI_BIT(id))) {
            done |= abi_with_token(abi_get((enum abi_id)id)->token, naming->state->big_endian);
            undeclared--;
        }
    bool *named = NEW_ARRAY(naming->state->arena, bool, group->members.count);
    for (size_t i = 0; i < group->members.count; i++)
        if (!named[i])
            name_numbers(naming, group, i, named, undeclared);
}

/* ---- the list
 * -------------------------------------------------------------------------------------- */

static void sort_out(struct naming *naming, size_t index)
{
    const struct dag_difference *difference = &naming->state->found.list.items[index];
    const struct dag_class *class = &difference->class;
    struct place place = {ABI_NONE, false};
    if (class->arch_first == class->arch_last)
        place = policy_place(&naming->places, class->arch_first, class->nr_first);
    if (place.known)
        add(naming, index, place.abi, KIND_CALL, abi_syscall_at(place.abi, class->nr_first)->name);
    else
        vector_push(naming->state->arena, &group_of(naming, difference, place.abi)->members, index);
}

static int compare_named(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    if (left->difference.abi != right->difference.abi)
        return left->difference.abi < right->difference.abi ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->nr != right->nr)
        return left->nr < right->nr ? -1 : 1;
    int calls = strcmp(left->difference.call, right->difference.call);
    if (calls)
        return calls;
    return strcmp(left->difference.when ? left->difference.when : "",
                  right->difference.when ? right->difference.when : "");
}

void diff_name_calls(struct diff_state *state, struct diff *diff)
{
    struct naming naming = {.state = state,
                            .places = {.abis = state->declared, .big_endian = state->big_endian}};
    for (size_t i = 0; i < state->found.list.count; i++)
        sort_out(&naming, i);
    for (size_t i = 0; i < naming.groups.count; i++) {
        if (naming.groups.items[i].abi == ABI_NONE)
            name_foreign(&naming, &naming.groups.items[i]);
        else
            name_unknown(&naming, &naming.groups.items[i]);
    }
    if (naming.named.count)
        qsort(naming.named.items, naming.named.count, sizeof *naming.named.items, compare_named);
    diff->differences = NEW_ARRAY(state->arena, struct difference, naming.named.count);
    diff->count = naming.named.count;
    for (size_t i = 0; i < naming.named.count; i++)
        diff->differences[i] = naming.named.items[i].difference;
}
