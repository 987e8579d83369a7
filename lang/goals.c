/* `prove` statements. `never` speaks of every known ABI of the policy's endianness, declared or
 * not; `always` of the declared ones; `on` narrows both.
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

static void add_patterns(struct resolver *resolver, const struct statement *statement,
                         const member_list *members, enum abi_id abi, pattern_list *patterns)
{
    struct goal_action action;
    bool natural = statement->kind == STATEMENT_NEVER;
    if (!resolve_goal_action(resolver, &statement->action, abi, &action))
        return;
    for (size_t i = 0; i < members->count; i++) {
        range_list ranges = {0};
        if (!resolve_member(resolver, &members->items[i], abi, natural, &ranges))
            continue;
        for (size_t k = 0; k < ranges.count; k++) {
            const struct target_range *range = &ranges.items[k];
            if (range->when->kind != CONDITION_FALSE)
                vector_push(
                    resolver->arena, patterns,
                    (struct goal_pattern){abi, range->first, range->last, range->when, action});
        }
    }
}

/* A pattern that cannot be stated on an ABI that nobody asked for by name is left out there, and
 * that is said: the promise is narrower than it looks. */
static void report_left_out(struct resolver *resolver, const struct statement *statement,
                            abi_set left_out, const char *reason)
{
    report_warning(resolver->diagnostics, statement->target->span,
                   "this is not proved on %s, where it cannot be stated",
                   abi_names(resolver->arena, left_out));
    report_note(resolver->diagnostics, NO_SPAN, "the reason: %s", reason);
    report_note(resolver->diagnostics, NO_SPAN, "an `on` block says for which ABIs it is meant");
}

static bool report_problems(struct resolver *resolver, const struct statement *statement,
                            bool narrowed, const pattern_list *patterns)
{
    abi_set strict = narrowed || !patterns->count ? resolver->scope : resolver->abis;
    size_t errors = resolver->diagnostics->errors;
    const char *reason;
    abi_set left_out = problems_report(resolver, strict, &reason);
    if (left_out)
        report_left_out(resolver, statement, left_out, reason);
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
    if (on)
        resolver->scope &= abis_of(on->abis);
    size_t errors = resolver->diagnostics->errors, warnings = resolver->diagnostics->warnings;
    check_target(resolver, statement->target, resolver->scope);
    expand_target(resolver, statement->target, &members);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (resolver->scope & ABI_BIT(id))
            add_patterns(resolver, statement, &members, (enum abi_id)id, &patterns);
    bool fine = report_problems(resolver, statement, on != NULL, &patterns);
    if (!patterns.count && fine && resolver->diagnostics->errors == errors &&
        resolver->diagnostics->warnings == warnings)
        report_warning(resolver->diagnostics, statement->span,
                       "no input satisfies this pattern: nothing is proved");
    add_goal(resolver, statement, never ? GOAL_NEVER : GOAL_ALWAYS, &patterns);
}
