/* The rules of a raised policy, one for each target; what all declared ABIs share once. */
#include "compiler/raise_plan.h"

#include "compiler/raise_internal.h"
#include "lang/place.h"

#include <stdlib.h>

static const char *const time_limit = "the time limit was reached";

void plan_reason(struct plan *plan, const char *reason)
{
    for (size_t i = 0; i < plan->reasons.count; i++)
        if (!strcmp(plan->reasons.items[i], reason))
            return;
    vector_push(plan->arena, &plan->reasons, reason);
}

static const char *action_text(struct plan *plan, const struct dag_node *leaf, enum abi_id abi)
{
    struct buffer text = buffer_new(plan->arena);
    verdict_print(&text, leaf->word, abi);
    return buffer_string(&text);
}

/* From the most permissive action to the strictest. */
static unsigned rank_of(const struct dag_node *leaf)
{
    if (leaf->kind != DAG_VERDICT)
        return UINT32_MAX;
    const struct action_info *action = action_of_word(leaf->word, NULL);
    return (unsigned)(ACTION_COUNT - action->action) << 16 | (leaf->word & 0xffff);
}

static enum raise_way way_of(const struct plan *plan, enum abi_id abi, uint32_t nr)
{
    const struct raise_options *options = plan->options;
    for (size_t i = options->exception_count; i-- > 0;)
        if (options->exceptions[i].arch == abi_get(abi)->token && options->exceptions[i].nr == nr)
            return options->exceptions[i].way > options->way ? options->exceptions[i].way
                                                             : options->way;
    return options->way;
}

/* ---- raw rules
 * ------------------------------------------------------------------------------------- */

static const char *set_text(struct plan *plan, unsigned place, const struct set *set)
{
    struct raising raising = raising_raw(plan->arena, NULL);
    struct atom atom = {
        .place = place, .view = VIEW_LOW, .mask = UINT32_MAX, .wanted = *set, .allowed = *set};
    const struct formula *formula = formula_atom(plan->arena, &atom);
    return formula->kind == FORMULA_ATOM ? formula_text(&raising, formula) : "";
}

static const char *token_text(struct plan *plan, enum abi_id abi)
{
    struct set token = set_of(plan->arena, abi_get(abi)->token, abi_get(abi)->token);
    return set_text(plan, PLACE_ARCH, &token);
}

/* Why a rule is raw, for a person. */
static const char *reason_of(struct plan *plan, const struct raised_rule *rule, const char *reason)
{
    if (reason)
        return reason;
    if (*rule->raw)
        return rule->raw;
    if (rule->leaf->kind == DAG_RETURN)
        return raw_reason_text(RAW_RETURNS);
    return arena_printf(plan->arena, "0x%08x %s", rule->leaf->word, raw_reason_text(RAW_NO_ACTION));
}

/* Rules of the raw layer for numbers under some tokens. `reason`: instead of each rule's own. */
static void add_raw_rule(struct plan *plan, size_t call, const struct raised_rule *rule,
                         const char *where, const struct line *target, const char *reason)
{
    struct line line = *target;
    line.call = call;
    line.action = raw_action_text(plan->arena, rule->leaf);
    line.rank = rank_of(rule->leaf);
    line.condition = rule->condition;
    line.raw = reason_of(plan, rule, reason);
    line.where = where;
    line.scope = 0;
    plan_reason(plan, line.raw);
    vector_push(plan->arena, &plan->lines, line);
}

static const char *raw_call(struct plan *plan, const struct dag_node *child, const char *where,
                            const struct line *target, const struct dag_node *otherwise,
                            const char *reason)
{
    struct raised_call call;
    if (deadline_passed(plan->options->deadline))
        return time_limit;
    const char *why =
        raise_decide(plan->arena, child, ABI_NONE, 0, RAISE_RAW, otherwise, &plan->steps, &call);
    size_t number = plan->calls++;
    for (size_t i = 0; !why && i < call.count; i++)
        if (call.rules[i].condition || call.rules[i].leaf != otherwise)
            add_raw_rule(plan, number, &call.rules[i], where, target, reason);
    return why;
}

/* ---- other tokens
 * ---------------------------------------------------------------------------------- */

static struct set tokens_declared(struct plan *plan)
{
    struct set tokens = {0};
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (plan->declared & ABI_BIT(id)) {
            uint32_t token = abi_get((enum abi_id)id)->token;
            struct set one = set_of(plan->arena, token, token);
            tokens = set_union(plan->arena, &tokens, &one);
        }
    return tokens;
}

/* Tokens with the same child that no declared ABI has. */
static struct set tokens_of(struct plan *plan, const struct dag_node *child)
{
    struct set tokens = {0}, declared = tokens_declared(plan);
    for (size_t i = 0; i < plan->tokens.count; i++)
        if (plan->tokens.items[i].child == child)
            set_append(plan->arena, &tokens, plan->tokens.items[i].first,
                       plan->tokens.items[i].last);
    struct set others = set_complement(plan->arena, &declared, UINT32_MAX);
    return set_common(plan->arena, &tokens, &others);
}

static bool is_first_with_child(const struct plan *plan, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (plan->tokens.items[i].child == plan->tokens.items[index].child)
            return false;
    return true;
}

static const char *foreign_numbers(struct plan *plan, const struct dag_node *child,
                                   const char *where)
{
    const char *reason = raw_reason_text(RAW_OTHER_TOKENS);
    struct stretches numbers;
    struct line all = {.last = UINT32_MAX, .any_number = true};
    if (!stretches_of(plan->arena, child, FIELD_NR, &numbers))
        return raw_call(plan, child, where, &all, plan->foreign, reason);
    const char *why = NULL;
    for (size_t i = 0; i < numbers.count && !why; i++) {
        struct line some = {.first = numbers.items[i].first, .last = numbers.items[i].last};
        if (numbers.items[i].child != plan->foreign)
            why = raw_call(plan, numbers.items[i].child, where, &some, plan->foreign, reason);
    }
    return why;
}

static const char *other_tokens(struct plan *plan)
{
    const char *why = NULL;
    for (size_t i = 0; i < plan->tokens.count && !why; i++) {
        const struct dag_node *child = plan->tokens.items[i].child;
        if (child == plan->foreign || !is_first_with_child(plan, i))
            continue;
        struct set tokens = tokens_of(plan, child);
        if (tokens.count)
            why = foreign_numbers(plan, child, set_text(plan, PLACE_ARCH, &tokens));
    }
    return why;
}

/* ---- calls that have a name
 * -------------------------------------------------------------------------- */

/* One name on one ABI. */
struct named {
    const struct syscall_entry *entry;
    enum abi_id abi;
    struct raised_call call;
    const char **actions; /* of its rules */
};

typedef VECTOR(struct named) named_list;

static const char *decide_named(struct plan *plan, enum abi_id id,
                                const struct syscall_entry *entry, struct named *named)
{
    const struct raised_abi *abi = &plan->abis[id];
    *named = (struct named){.entry = entry, .abi = id};
    const char *why =
        raise_decide(plan->arena, stretch_at(&abi->numbers, entry->nr), id, entry->nr,
                     way_of(plan, id, entry->nr), abi->otherwise, &plan->steps, &named->call);
    if (why)
        return why;
    struct raised_call *call = &named->call;
    if (call->count && !call->rules[call->count - 1].condition &&
        call->rules[call->count - 1].leaf == abi->otherwise)
        call->count--;
    named->actions = NEW_ARRAY(plan->arena, const char *, call->count);
    for (size_t i = 0; i < call->count; i++)
        named->actions[i] = call->rules[i].raw ? raw_action_text(plan->arena, call->rules[i].leaf)
                                               : action_text(plan, call->rules[i].leaf, id);
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Raw rules name their token: they are never the same on two ABIs. */
static bool same_rules(const struct named *a, const struct named *b)
{
    if (a->call.count != b->call.count)
        return false;
    for (size_t i = 0; i < a->call.count; i++) {
        const struct raised_rule *x = &a->call.rules[i], *y = &b->call.rules[i];
        if (x->raw || y->raw || strcmp(a->actions[i], b->actions[i]) ||
            !same_text(x->condition, y->condition) || !same_text(x->numbered, y->numbered))
            return false;
    }
    return true;
}

/* An ABI whose numbers are all decided at the top may share a rule if the rule makes sense there.
 */
static bool same_arguments(const struct named *named, const struct syscall_entry *other)
{
    unsigned places = 0;
    for (size_t i = 0; i < named->call.count; i++)
        places |= named->call.rules[i].places;
    for (unsigned i = 0; i < 6; i++) {
        const struct argument *a = &named->entry->arguments[i], *b = &other->arguments[i];
        if ((places >> i & 1) &&
            (!same_text(a->kernel_name, b->kernel_name) || a->bits != b->bits ||
             a->is_signed != b->is_signed || a->is_pointer != b->is_pointer ||
             named->entry->argument_count != other->argument_count))
            return false;
    }
    return true;
}

/* 0 when the rules may stand for all declared ABIs, else `shared`. */
static abi_set scope_of(const struct plan *plan, const struct named *named, abi_set shared)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(plan->declared & ABI_BIT(id)) || (shared & ABI_BIT(id)))
            continue;
        const struct syscall_entry *other = abi_syscall((enum abi_id)id, named->entry->name);
        bool decided = plan->abis[id].uniform && leaf_has_name(plan->abis[id].otherwise);
        if (other && !(decided && same_arguments(named, other)))
            return shared;
    }
    return 0;
}

static const char *raw_reason(struct plan *plan, const struct raised_call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->rules[i].raw)
            return reason_of(plan, &call->rules[i], NULL);
    return NULL;
}

/* Raw rules stand outside of `on`: there all rules of a call are, so that they keep their order. */
static void add_named(struct plan *plan, const struct named *named, abi_set scope)
{
    const char *reason = scope ? raw_reason(plan, &named->call) : NULL;
    const struct raised_abi *abi = &plan->abis[named->abi];
    struct line target = {
        .name = named->entry->name, .first = named->entry->nr, .last = named->entry->nr};
    if (reason) {
        raw_call(plan, stretch_at(&abi->numbers, named->entry->nr), token_text(plan, named->abi),
                 &target, abi->otherwise, reason);
        return;
    }
    size_t call = plan->calls++;
    for (size_t i = 0; i < named->call.count; i++) {
        const struct raised_rule *rule = &named->call.rules[i];
        struct line line = {.call = call,
                            .scope = scope,
                            .action = named->actions[i],
                            .rank = rank_of(rule->leaf),
                            .condition = rule->condition,
                            .numbered = rule->numbered,
                            .name = named->entry->name,
                            .first = named->entry->nr,
                            .last = named->entry->nr};
        if (rule->raw)
            add_raw_rule(plan, call, rule, token_text(plan, named->abi), &line, NULL);
        else
            vector_push(plan->arena, &plan->lines, line);
    }
}

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->entry->name, y->entry->name);
    return order ? order : (x->abi > y->abi) - (x->abi < y->abi);
}

/* The rules of one name on several ABIs: those that agree, once. */
static void add_name(struct plan *plan, const struct named *same, size_t count)
{
    abi_set done = 0;
    for (size_t i = 0; i < count; i++) {
        abi_set shared = ABI_BIT(same[i].abi);
        if (done & shared)
            continue;
        for (size_t j = i + 1; j < count; j++)
            if (same_rules(&same[i], &same[j]))
                shared |= ABI_BIT(same[j].abi);
        done |= shared;
        add_named(plan, &same[i], scope_of(plan, &same[i], shared));
    }
}

static const char *known_calls(struct plan *plan)
{
    named_list all = {0};
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct raised_abi *abi = &plan->abis[id];
        size_t count;
        const struct syscall_entry *calls = abi_syscalls((enum abi_id)id, &count);
        if (!abi->declared || abi->uniform || abi->tangled)
            continue;
        for (size_t i = 0; i < count; i++) {
            struct named named;
            if (deadline_passed(plan->options->deadline))
                return time_limit;
            const char *why = decide_named(plan, (enum abi_id)id, &calls[i], &named);
            if (why)
                return why;
            vector_push(plan->arena, &all, named);
        }
    }
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, compare_named);
    for (size_t i = 0, count; i < all.count; i += count) {
        for (count = 1; i + count < all.count &&
                        !strcmp(all.items[i].entry->name, all.items[i + count].entry->name);)
            count++;
        add_name(plan, &all.items[i], count);
    }
    return NULL;
}

/* ---- numbers that have none
 * ---------------------------------------------------------------------------- */

/* Numbers of one ABI without a name, all with one child. */
struct gap {
    uint32_t first, last;
    const struct dag_node *child;
};

typedef VECTOR(struct gap) gap_list;

static void add_gap(struct plan *plan, const struct raised_abi *abi, gap_list *gaps, uint32_t first,
                    uint32_t last)
{
    for (size_t i = 0; i < abi->numbers.count; i++) {
        struct stretch part = abi->numbers.items[i];
        if (part.last < first || part.first > last || part.child == abi->unknown)
            continue;
        struct gap gap = {part.first < first ? first : part.first,
                          part.last > last ? last : part.last, part.child};
        vector_push(plan->arena, gaps, gap);
    }
}

static gap_list gaps_of(struct plan *plan, enum abi_id id)
{
    struct nr_range ranges[ABI_RANGES_MOST];
    size_t range_count = abi_ranges(id, plan->declared, ranges), count;
    const struct syscall_entry *calls = abi_syscalls(id, &count);
    gap_list gaps = {0};
    for (size_t i = 0; i < range_count; i++) {
        uint64_t from = ranges[i].first;
        for (size_t j = 0; j < count; j++) {
            if (calls[j].nr < from || calls[j].nr > ranges[i].last)
                continue;
            if (calls[j].nr > from)
                add_gap(plan, &plan->abis[id], &gaps, (uint32_t)from, calls[j].nr - 1);
            from = (uint64_t)calls[j].nr + 1;
        }
        if (from <= ranges[i].last)
            add_gap(plan, &plan->abis[id], &gaps, (uint32_t)from, ranges[i].last);
    }
    return gaps;
}

/* May one rule for numbers go on over the calls between two gaps? It stands behind all others: only
 * the default would be taken from them. */
static bool reaches_over(const struct plan *plan, enum abi_id id, const struct gap *a,
                         const struct gap *b)
{
    const struct raised_abi *abi = &plan->abis[id];
    if (a->child != b->child || a->child->edge_count)
        return false;
    for (uint32_t nr = a->last + 1; nr < b->first; nr++)
        if (!abi_syscall_at(id, nr)) /* gets `unknown` */
            return false;
        else if (a->child != abi->otherwise && stretch_at(&abi->numbers, nr)->edge_count)
            return false;
        else if (stretch_at(&abi->numbers, nr) == abi->otherwise && a->child != abi->otherwise)
            return false;
    return true;
}

static const char *add_gap_rules(struct plan *plan, enum abi_id id, const struct gap *gap,
                                 abi_set scope)
{
    struct raised_call call;
    struct line target = {.first = gap->first, .last = gap->last};
    const char *why =
        raise_decide(plan->arena, gap->child, id, gap->first, way_of(plan, id, gap->first),
                     plan->abis[id].unknown, &plan->steps, &call);
    if (!why && scope && raw_reason(plan, &call))
        return raw_call(plan, gap->child, token_text(plan, id), &target, plan->abis[id].unknown,
                        raw_reason(plan, &call));
    size_t number = plan->calls++;
    for (size_t i = 0; !why && i < call.count; i++) {
        const struct raised_rule *rule = &call.rules[i];
        struct line line = {.call = number,
                            .scope = scope,
                            .rank = rank_of(rule->leaf),
                            .condition = rule->condition,
                            .first = gap->first,
                            .last = gap->last};
        if (!rule->condition && rule->leaf == plan->abis[id].unknown)
            break;
        if (rule->raw) {
            add_raw_rule(plan, number, rule, token_text(plan, id), &line, NULL);
        } else {
            line.action = action_text(plan, rule->leaf, id);
            vector_push(plan->arena, &plan->lines, line);
        }
    }
    return why;
}

static const char *unknown_numbers(struct plan *plan, enum abi_id id)
{
    gap_list gaps = gaps_of(plan, id);
    abi_set scope = plan->declared == ABI_BIT(id) ? 0 : ABI_BIT(id);
    const char *why = NULL;
    for (size_t i = 0, next; i < gaps.count && !why; i = next) {
        struct gap gap = gaps.items[i];
        for (next = i + 1; next < gaps.count && gap.last < gaps.items[next].first &&
                           gaps.items[next].first - gap.last < 4096 && leaf_has_name(gap.child) &&
                           reaches_over(plan, id, &gap, &gaps.items[next]);
             next++)
            gap.last = gaps.items[next].last;
        why = add_gap_rules(plan, id, &gap, scope);
    }
    return why;
}

/* ---- ABIs
 * ------------------------------------------------------------------------------------------------
 */

/* Is what this one gets not just what the header says of all? An errno's name may mean another
 * number on another ABI. */
static bool others_differ(struct plan *plan, enum abi_id id)
{
    const struct dag_node *leaf = plan->abis[id].otherwise;
    for (unsigned other = 0; other < ABI_COUNT; other++)
        if (plan->abis[other].declared && other != (unsigned)id &&
            (!plan->abis[other].uniform || plan->abis[other].otherwise != leaf ||
             strcmp(action_text(plan, leaf, id), action_text(plan, leaf, (enum abi_id)other))))
            return true;
    return false;
}

/* One rule for all its numbers, before all others; none where it is the only ABI. */
static void uniform_numbers(struct plan *plan, enum abi_id id)
{
    struct nr_range ranges[ABI_RANGES_MOST];
    size_t count = abi_ranges(id, plan->declared, ranges);
    const struct dag_node *leaf = plan->abis[id].otherwise;
    struct raised_rule raw = {.leaf = leaf, .raw = ""};
    for (size_t i = 0; i < count && !leaf_has_name(leaf); i++) {
        struct line target = {.first = ranges[i].first, .last = ranges[i].last};
        add_raw_rule(plan, plan->calls++, &raw, token_text(plan, id), &target, NULL);
    }
    for (size_t i = 0; i < count && leaf_has_name(leaf) && others_differ(plan, id); i++) {
        struct line line = {.call = plan->calls++,
                            .scope = ABI_BIT(id),
                            .action = action_text(plan, leaf, id),
                            .rank = rank_of(leaf),
                            .first = ranges[i].first,
                            .last = ranges[i].last};
        vector_push(plan->arena, &plan->lines, line);
    }
}

static const char *tangled_numbers(struct plan *plan, enum abi_id id)
{
    struct line all = {.last = UINT32_MAX, .any_number = true};
    for (unsigned other = 0; other < (unsigned)id; other++)
        if (plan->abis[other].declared && abi_get((enum abi_id)other)->token == abi_get(id)->token)
            return NULL;
    return raw_call(plan, plan->abis[id].root, token_text(plan, id), &all, NULL,
                    raw_reason_text(RAW_NUMBER_BITS));
}

const char *plan_lines(struct plan *plan)
{
    struct line all = {.last = UINT32_MAX, .any_number = true};
    if (plan->whole_is_raw)
        return raw_call(
            plan, plan->root, "", &all, NULL,
            raw_reason_text(plan->options->way == RAISE_WHOLE ? RAW_UNPROVED : RAW_TOKEN));
    const char *why = other_tokens(plan);
    for (unsigned id = 0; id < ABI_COUNT && !why; id++) {
        const struct raised_abi *abi = &plan->abis[id];
        if (abi->declared && abi->uniform)
            uniform_numbers(plan, (enum abi_id)id);
        if (abi->declared && abi->tangled)
            why = tangled_numbers(plan, (enum abi_id)id);
    }
    if (!why)
        why = known_calls(plan);
    for (unsigned id = 0; id < ABI_COUNT && !why; id++) {
        const struct raised_abi *abi = &plan->abis[id];
        if (abi->declared && !abi->uniform && !abi->tangled)
            why = unknown_numbers(plan, (enum abi_id)id);
    }
    return why;
}
