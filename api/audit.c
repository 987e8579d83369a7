#include "api/bpfproof.h"

static const struct side *side_of(struct arena *arena, const struct filter *filter)
{
    struct side side = filter_side(filter);
    return arena_copy(arena, &side, sizeof side);
}

/* What is run: a policy's program, or the stack. */
static const struct side *programs_of(struct arena *arena, const struct filter *filter)
{
    struct side *side = NEW(arena, struct side);
    *side = (struct side){
        .name = filter->name, .programs = filter->programs, .program_count = filter->program_count};
    return side;
}

static result same_machine(const struct filter *filter, const struct filter *other,
                           struct diagnostics *diagnostics)
{
    if (!other || filter->big_endian == other->big_endian)
        return SUCCESS;
    report_error(diagnostics, NO_SPAN, "%s is for a %s-endian machine, %s is not", filter->name,
                 filter->big_endian ? "big" : "little", other->name);
    return FAILURE(ERROR_INPUT);
}

result audit_filter(struct arena *arena, const struct filter *filter, const struct filter *policy,
                    const struct filter *against, abi_set abis, struct deadline deadline,
                    struct diagnostics *diagnostics, struct audit *audit)
{
    result r = same_machine(filter, policy, diagnostics);
    if (worked(r))
        r = same_machine(filter, against, diagnostics);
    if (failed(r))
        return r;
    struct audit_request request = {.side = programs_of(arena, filter),
                                    .policy = policy ? side_of(arena, policy) : NULL,
                                    .against = against ? side_of(arena, against) : NULL,
                                    .declared = abis ? abis : filter->declared,
                                    .declared_is_exact = abis || policy || filter->policy,
                                    .limits = {.deadline = deadline}};
    if (!abis && policy && policy->policy)
        request.declared = policy->declared;
    *audit = audit_side(arena, &request);
    return SUCCESS;
}
