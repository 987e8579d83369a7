/* `prove` statements. `never` speaks of every known ABI of the policy's endianness, declared or
 * not; `always` of the declared ones; `on` names the ABIs that are meant, declared or not.
 */
#include "lang/resolve.h"

typedef VECTOR(struct goal_pattern) pattern_list;

static abi_set known_abis(bool big_endian)
{
    abi_set set = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abi_get((enum abi_id)id)->big_endian == big_endian)
            set |= ABI_BIT(id);
    return set;
}

/* Every call of the name, when its condition cannot be stated on an ABI that nobody asked for. */
static void add_widened(struct resolver *resolver, const struct member *member, enum abi_id abi,
                        struct goal_action action, pattern_list *patterns)
{
    const struct syscall_entry *entry =
        member->item->kind == ITEM_NUMBERS ? NULL : abi_syscall(abi, member->item->name);
    if (entry)
        vector_push(resolver->arena, patterns,
                    (struct goal_pattern){abi, entry->nr, entry->nr, condition_true(resolver),
                                          action, true});
}

static void add_patterns(struct resolver *resolver, const struct statement *statement,
                         const member_list *members, enum abi_id abi, bool may_widen,
                         pattern_list *patterns)
{
    struct goal_action action;
    bool natural = statement->kind == STATEMENT_NEVER;
    if (!resolve_goal_action(resolver, &statement->action, abi, &action))
        return;
    for (size_t i = 0; i < members->count; i++) {
        range_list ranges = {0};
        if (!resolve_member(resolver, &members->items[i], abi, natural, &ranges)) {
            if (may_widen)
                add_widened(resolver, &members->items[i], abi, action, patterns);
            continue;
        }
        for (size_t k = 0; k < ranges.count; k++) {
            const struct target_range *range = &ranges.items[k];
            if (range->when->kind != CONDITION_FALSE)
                vector_push(resolver->arena, patterns,
                            (struct goal_pattern){abi, range->first, range->last, range->when,
                                                  action, false});
        }
    }
}

static bool any_stated(const pattern_list *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (!patterns->items[i].widened)
            return true;
    return false;
}

/* What is wrong on ABIs that were asked for; elsewhere the pattern has been widened. */
static bool report_problems(struct resolver *resolver, bool narrowed, const pattern_list *patterns)
{
    abi_set strict = narrowed || !any_stated(patterns) ? resolver->scope : resolver->abis;
    size_t errors = resolver->diagnostics->errors;
    problems_report(resolver, strict);
    return resolver->diagnostics->errors == errors;
}

/* FILTER+FILTER is a stack: each of its paths is resolved. */
static const char *stack_beside(struct arena *arena, const struct source *source, const char *stack)
{
    struct buffer paths = buffer_new(arena);
    for (const char *part = stack;;) {
        size_t length = strcspn(part, "+");
        buffer_text(&paths, path_beside(arena, source, arena_string(arena, part, length)));
        if (!part[length])
            return buffer_string(&paths);
        buffer_text(&paths, "+");
        part += length + 1;
    }
}

static void add_goal(struct resolver *resolver, const struct statement *statement,
                     enum goal_kind kind, const pattern_list *patterns)
{
    struct goal goal = {.kind = kind,
                        .patterns = patterns->items,
                        .pattern_count = patterns->count,
                        .span = statement->span,
                        .text = statement_text(resolver->arena, statement)};
    if (kind == GOAL_AT_MOST)
        goal.filter_path = stack_beside(resolver->arena, statement->span.source, statement->name);
    vector_push(resolver->arena, &resolver->goals, goal);
}

static void resolve_at_most(struct resolver *resolver, const struct statement *statement,
                            const struct statement *on)
{
    pattern_list none = {0};
    if (on)
        report_error(resolver->diagnostics, statement->span,
                     "`prove at_most` speaks of every input and cannot be narrowed by `on`");
    add_goal(resolver, statement, GOAL_AT_MOST, &none);
}

void resolve_goal(struct resolver *resolver, const struct statement *statement,
                  const struct statement *on)
{
    pattern_list patterns = {0};
    member_list members = {0};
    bool never = statement->kind == STATEMENT_NEVER;
    if (statement->kind == STATEMENT_AT_MOST) {
        resolve_at_most(resolver, statement, on);
        return;
    }
    resolver->scope = never ? known_abis(resolver->big_endian) : resolver->abis;
    if (on) /* ABIs that are named are meant, declared or not */
        resolver->scope = known_abis(resolver->big_endian) & abis_of(on->abis);
    size_t errors = resolver->diagnostics->errors, warnings = resolver->diagnostics->warnings;
    check_target(resolver, statement->target, resolver->scope);
    expand_target(resolver, statement->target, &members);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (resolver->scope & ABI_BIT(id))
            add_patterns(resolver, statement, &members, (enum abi_id)id,
                         never && !on && !(resolver->abis & ABI_BIT(id)), &patterns);
    bool fine = report_problems(resolver, on != NULL, &patterns);
    if (!patterns.count && fine && resolver->diagnostics->errors == errors &&
        resolver->diagnostics->warnings == warnings)
        report_warning(resolver->diagnostics, statement->span,
                       "no input satisfies this pattern: nothing is proved");
    add_goal(resolver, statement, never ? GOAL_NEVER : GOAL_ALWAYS, &patterns);
}
