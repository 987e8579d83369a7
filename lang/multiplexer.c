/* socketcall and ipc reach other calls by a number in their first argument. A rule that restricts
 * such a call says less than it seems where the multiplexer is permitted.
 */
#include "lang/multiplexer.h"

/* A call that a multiplexer reaches. */
struct way {
    const char *name, *multiplexer;
    uint32_t number; /* of the call, in the multiplexer's first argument */
};

static bool way_to(const char *name, struct way *way)
{
    size_t count;
    const struct family *families = abi_families(&count);
    for (size_t i = 0; i < count; i++) {
        const struct family *family = &families[i];
        uint64_t number;
        if (family->kind != FAMILY_MULTIPLEXER || strcmp(family->calls->name, name) ||
            !abi_reference_value(ABI_I386, family->ways[0], &number))
            continue;
        *way = (struct way){name, family->ways[0]->name, (uint32_t)number};
        return true;
    }
    return false;
}

/* The decision on the multiplexer called for this member, whatever its other arguments; true when
 * it permits. */
static bool permitted_through(const struct policy *policy, enum abi_id abi, const struct way *way,
                              struct decision *decision)
{
    const struct syscall_entry *entry = abi_syscall(abi, way->multiplexer);
    if (!entry || !(policy->abis & ABI_BIT(abi)))
        return false;
    struct input input = {.nr = entry->nr, .arch = abi_get(abi)->token, .args = {way->number}};
    *decision = policy_eval(policy, &input);
    return action_of_word(decision->word, NULL)->permits;
}

static void warn(struct resolver *resolver, const struct restriction *restriction,
                 const struct way *way, abi_set abis, uint32_t rule)
{
    report_warning(resolver->diagnostics, restriction->item->name_span,
                   "`%s` is restricted here, but %s reaches it through `%s`, which is permitted",
                   way->name, abi_names(resolver->arena, abis), way->multiplexer);
    if (rule < resolver->rules.count)
        report_note(resolver->diagnostics, resolver->rules.items[rule].span,
                    "`%s` is permitted here", way->multiplexer);
    report_note(resolver->diagnostics, NO_SPAN,
                "deny `%s` too, with errno(ENOSYS) so that programs use the direct call",
                way->multiplexer);
}

void warn_multiplexers(struct resolver *resolver, const struct policy *policy)
{
    for (size_t i = 0; i < resolver->restrictions.count; i++) {
        const struct restriction *restriction = &resolver->restrictions.items[i];
        struct way way;
        struct decision decision, shown = {.rule = DECIDED_BY_DEFAULT};
        abi_set abis = 0;
        if (!way_to(restriction->item->name, &way))
            continue;
        for (unsigned id = 0; id < ABI_COUNT; id++)
            if ((restriction->abis & ABI_BIT(id)) &&
                permitted_through(policy, (enum abi_id)id, &way, &decision)) {
                abis |= ABI_BIT(id);
                shown = decision;
            }
        if (abis)
            warn(resolver, restriction, &way, abis, shown.rule);
    }
}

void note_restriction(struct resolver *resolver, const struct action_word *action,
                      const struct member *member, abi_set scope)
{
    struct way way;
    if (member->item->kind != ITEM_CALL || !way_to(member->item->name, &way))
        return;
    if (action->info->permits && !member->conditions)
        return;
    for (size_t i = 0; i < resolver->restrictions.count; i++)
        if (!strcmp(resolver->restrictions.items[i].item->name, member->item->name)) {
            resolver->restrictions.items[i].abis |= scope;
            return;
        }
    vector_push(resolver->arena, &resolver->restrictions,
                (struct restriction){member->item, scope});
}
