/* Targets: groups written out, calls and numbers looked up. */
#include "lang/place.h"
#include "lang/resolve.h"

/* ---- names
 * -------------------------------------------------------------------------------------------------------
 */

/* Names near to it are looked for only where they will be shown. */
static bool will_be_shown(const struct resolver *resolver)
{
    return resolver->diagnostics->errors <= DIAGNOSTICS_MOST;
}

static void unknown_call(struct resolver *resolver, const struct item *item)
{
    const char *nearest[3];
    report_error(resolver->diagnostics, item->name_span, "no ABI has a system call `%s`",
                 item->name);
    if (!will_be_shown(resolver))
        return;
    size_t count = abi_nearest_syscalls(item->name, nearest, COUNT_OF(nearest));
    if (definitions_find(&resolver->groups, item->name))
        report_note(resolver->diagnostics, NO_SPAN, "the group of that name is written `@%s`",
                    item->name);
    else if (count)
        report_note(resolver->diagnostics, NO_SPAN, "did you mean %s?",
                    name_list(resolver->arena, nearest, count, "or"));
}

static void unknown_group(struct resolver *resolver, const struct item *item)
{
    if (resolver->lost & LOST_DEFINITION)
        return;
    report_error(resolver->diagnostics, item->name_span, "there is no group `%s`", item->name);
    if (!will_be_shown(resolver))
        return;
    const char *nearest = definitions_nearest(&resolver->groups, item->name);
    if (nearest)
        report_note(resolver->diagnostics, NO_SPAN, "did you mean `@%s`?", nearest);
    else if (abi_syscall_anywhere(item->name))
        report_note(resolver->diagnostics, NO_SPAN, "the call of that name is written `%s`",
                    item->name);
    else
        report_note(resolver->diagnostics, NO_SPAN, "define it: group %s = { ... }", item->name);
}

static void check_call(struct resolver *resolver, const struct item *item, abi_set scope)
{
    abi_set anywhere = abi_syscall_anywhere(item->name);
    if (!anywhere)
        unknown_call(resolver, item);
    else if (scope && !(anywhere & scope) && resolver->diagnostics->warnings < NAME_WARNINGS_MOST)
        report_warning(resolver->diagnostics, item->name_span,
                       "`%s` does not exist on %s: nothing comes of it here", item->name,
                       abi_names(resolver->arena, scope));
}

void check_target(struct resolver *resolver, const struct item *item, abi_set scope)
{
    if (item->kind == ITEM_CALL)
        check_call(resolver, item, scope);
    else if (item->kind == ITEM_GROUP && !definitions_find(&resolver->groups, item->name))
        unknown_group(resolver, item);
    for (const struct item *inner = item->items; inner; inner = inner->next)
        check_target(resolver, inner, scope);
}

/* ---- groups
 * ------------------------------------------------------------------------------------------------------------
 */

static void check_group(struct resolver *resolver, struct definition *group, unsigned depth);

static void check_inner(struct resolver *resolver, struct definition *group,
                        const struct item *item, unsigned depth)
{
    struct definition *inner = definitions_find(&resolver->groups, item->name);
    if (!inner)
        return;
    if (inner->state == EVALUATION_RUNNING) {
        report_error(resolver->diagnostics, item->name_span, "the group `%s` holds itself",
                     item->name);
        report_note(resolver->diagnostics, inner->statement->name_span,
                    "it is defined here; leave one of the two out");
        group->state = EVALUATION_FAILED;
        return;
    }
    check_group(resolver, inner, depth + 1);
    if (inner->height >= group->height)
        group->height = inner->height + 1;
    if (inner->state == EVALUATION_FAILED) {
        group->state = EVALUATION_FAILED;
    } else if (group->height > GROUP_DEPTH_MOST || depth >= GROUP_DEPTH_MOST) {
        report_error(resolver->diagnostics, item->name_span, "groups are nested more than %u deep",
                     GROUP_DEPTH_MOST);
        group->state = EVALUATION_FAILED;
    }
}

static void check_group(struct resolver *resolver, struct definition *group, unsigned depth)
{
    if (group->state != EVALUATION_NONE || depth > GROUP_DEPTH_MOST)
        return;
    group->state = EVALUATION_RUNNING;
    for (const struct item *item = group->statement->target->items; item; item = item->next)
        if (item->kind == ITEM_GROUP && group->state == EVALUATION_RUNNING)
            check_inner(resolver, group, item, depth);
    if (group->state == EVALUATION_RUNNING)
        group->state = EVALUATION_DONE;
}

void check_groups(struct resolver *resolver)
{
    for (struct definition *d = resolver->groups.first; d; d = d->later) {
        check_group(resolver, d, 0);
        check_target(resolver, d->statement->target, resolver->declared);
    }
}

/* ---- written out
 * ----------------------------------------------------------------------------------------------------------
 */

static void expand(struct resolver *resolver, const struct item *item,
                   const struct condition_link *outer, unsigned depth, member_list *members)
{
    const struct condition_link *conditions = outer;
    if (item->condition) {
        struct condition_link *link = NEW(resolver->arena, struct condition_link);
        *link = (struct condition_link){item->condition, outer};
        conditions = link;
    }
    const struct item *inner = item->items;
    if (item->kind == ITEM_GROUP) {
        const struct definition *group = definitions_find(&resolver->groups, item->name);
        if (!group || group->state != EVALUATION_DONE || depth > GROUP_DEPTH_MOST)
            return;
        inner = group->statement->target->items;
    } else if (item->kind != ITEM_LIST) {
        if (members_take(resolver, item->span, 1))
            vector_push(resolver->arena, members, (struct member){item, conditions});
        return;
    }
    for (; inner && !resolver->members_reported; inner = inner->next)
        expand(resolver, inner, conditions, depth + 1, members);
}

void expand_target(struct resolver *resolver, const struct item *item, member_list *members)
{
    expand(resolver, item, NULL, 0, members);
}

/* ---- one member on one ABI
 * ---------------------------------------------------------------------------------------------------
 */

static const struct condition *member_condition(const struct place_of_condition *place,
                                                const struct condition_link *links)
{
    struct resolver *resolver = place->resolver;
    VECTOR(const struct condition *) parts = {0};
    bool fine = true;
    unsigned depth = 0, count = 0;
    for (const struct condition_link *link = links; link; link = link->outer) {
        struct place_of_condition inner = *place;
        inner.whole = link->expression;
        const struct condition *part = resolve_condition(&inner, link->expression);
        fine &= part != NULL;
        vector_push(resolver->arena, &parts, part);
        depth = link->expression->depth > depth ? link->expression->depth : depth;
        count++;
    }
    if (!fine)
        return NULL;
    if (!count)
        return condition_true(resolver);
    if (depth + (count > 1 ? count : 0) > EXPRESSION_DEPTH_MOST) {
        problem_error(resolver, links->expression->span, place->abi,
                      "with the conditions around it, this is nested more than %d deep",
                      EXPRESSION_DEPTH_MOST);
        return NULL;
    }
    return condition_balanced(resolver, CONDITION_AND, parts.items, count);
}

static bool number(struct resolver *resolver, const struct expression *use, uint32_t *nr)
{
    exact value;
    if (!constant_value(resolver, ABI_NONE, use, &value))
        return false;
    if (value < INT32_MIN || value > UINT32_MAX) {
        problem_error(resolver, use->span, ABI_NONE, "a system call's number has 32 bits");
        return false;
    }
    *nr = (uint32_t)value;
    return true;
}

/* Numbers of other ABIs under the same token are left out, so that the ranges may be used as they
 * are. */
static void add_numbers(struct resolver *resolver, uint32_t first, uint32_t last, enum abi_id abi,
                        bool natural, const struct condition *when, range_list *ranges)
{
    struct nr_range parts[ABI_RANGES_MOST];
    abi_set beside = natural ? ABI_BIT(ABI_X86_64) | ABI_BIT(ABI_X32) : resolver->abis;
    size_t count = abi_ranges(abi, beside, parts);
    for (size_t i = 0; i < count; i++) {
        uint32_t from = first > parts[i].first ? first : parts[i].first;
        uint32_t to = last < parts[i].last ? last : parts[i].last;
        if (from <= to)
            vector_push(resolver->arena, ranges, (struct target_range){from, to, when});
    }
}

static const char *numbers_text(struct arena *arena, uint32_t first, uint32_t last)
{
    return first == last ? arena_printf(arena, "nr %u", first)
                         : arena_printf(arena, "nr %u..%u", first, last);
}

static bool resolve_numbers(struct resolver *resolver, const struct member *member, enum abi_id abi,
                            bool natural, range_list *ranges)
{
    const struct item *item = member->item;
    uint32_t first, last;
    if (!number(resolver, item->first, &first) || !number(resolver, item->last, &last))
        return false;
    if (first > last) {
        problem_error(resolver, item->span, ABI_NONE,
                      "this range is empty: its first number is above its last");
        return false;
    }
    const struct syscall_entry *entry = first == last ? abi_syscall_at(abi, first) : NULL;
    struct place_of_condition place = {
        resolver, abi, entry, entry ? entry->name : numbers_text(resolver->arena, first, last),
        NULL};
    const struct condition *when = member_condition(&place, member->conditions);
    if (when)
        add_numbers(resolver, first, last, abi, natural, when, ranges);
    return when != NULL;
}

bool resolve_member(struct resolver *resolver, const struct member *member, enum abi_id abi,
                    bool natural, range_list *ranges)
{
    if (!members_take(resolver, member->item->span, 1))
        return false;
    if (member->item->kind == ITEM_NUMBERS)
        return resolve_numbers(resolver, member, abi, natural, ranges);
    const struct syscall_entry *entry = abi_syscall(abi, member->item->name);
    if (!entry)
        return true; /* not on this ABI */
    struct place_of_condition place = {resolver, abi, entry, entry->name, NULL};
    const struct condition *when = member_condition(&place, member->conditions);
    if (when)
        vector_push(resolver->arena, ranges, (struct target_range){entry->nr, entry->nr, when});
    return when != NULL;
}
