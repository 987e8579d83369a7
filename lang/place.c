/* Where an input falls: which ABI's view decides, or foreign. The one place that knows x32's bit
 * and -1. */
#include "lang/place.h"

/* What becomes of each quarter of the numbers under the token that x86_64 and x32 share, and of -1.
 */
struct place policy_place(const struct policy *policy, uint32_t arch, uint32_t nr)
{
    abi_set abis = abi_with_token(arch, policy->big_endian) & policy->abis;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (abis & ABI_BIT(id)) {
            struct nr_range parts[ABI_RANGES_MOST];
            size_t count = abi_ranges((enum abi_id)id, policy->abis, parts);
            for (size_t i = 0; i < count; i++)
                if (nr >= parts[i].first && nr <= parts[i].last)
                    return (struct place){(enum abi_id)id,
                                          abi_syscall_at((enum abi_id)id, nr) != NULL};
        }
    return (struct place){ABI_NONE, false};
}

size_t abi_ranges(enum abi_id abi, abi_set declared, struct nr_range *ranges)
{
    const uint32_t x32_last = 0x7fffffffu;
    if (abi == ABI_X86_64) {
        ranges[0] = (struct nr_range){0, X32_BIT - 1};
        ranges[1] =
            (struct nr_range){declared & ABI_BIT(ABI_X32) ? x32_last + 1 : NR_SKIP, UINT32_MAX};
        return 2;
    }
    ranges[0] = (struct nr_range){0, UINT32_MAX};
    if (abi == ABI_X32)
        ranges[0] =
            (struct nr_range){X32_BIT, declared & ABI_BIT(ABI_X86_64) ? x32_last : UINT32_MAX};
    return 1;
}

const struct abi_view *policy_view(const struct policy *policy, enum abi_id abi)
{
    for (size_t i = 0; i < policy->view_count; i++)
        if (policy->views[i].abi == abi)
            return &policy->views[i];
    return NULL;
}

/* ---- runs
 * ----------------------------------------------------------------------------------------------------------
 */

struct run_list {
    struct arena *arena;
    const struct policy *policy;
    uint32_t arch;
    VECTOR(struct nr_run) runs;
};

/* Adds numbers up to and with `last`, all placed as `last` is. */
static void add_run(struct run_list *list, uint32_t last)
{
    struct place place = policy_place(list->policy, list->arch, last);
    struct nr_run *before = list->runs.count ? &list->runs.items[list->runs.count - 1] : NULL;
    if (before && before->place.abi == place.abi && before->place.known == place.known)
        before->last = last;
    else
        vector_push(list->arena, &list->runs,
                    (struct nr_run){before ? before->last + 1 : 0, last, place});
}

/* A number before which the place may change: ends the run below it. */
static void cut_below(struct run_list *list, uint32_t nr)
{
    uint32_t done = list->runs.count ? list->runs.items[list->runs.count - 1].last : 0;
    if (nr && (!list->runs.count || nr - 1 > done))
        add_run(list, nr - 1);
}

static void cut_table(struct run_list *list, enum abi_id abi, uint32_t first, uint32_t last)
{
    size_t count;
    const struct syscall_entry *entries = abi_syscalls(abi, &count);
    for (size_t i = 0; i < count; i++)
        if (entries[i].nr >= first && entries[i].nr <= last) {
            cut_below(list, entries[i].nr);
            add_run(list, entries[i].nr);
        }
}

/* Quarters, and -1 by itself, are cut first; within each the tables of the ABIs are. */
void policy_runs(struct arena *arena, const struct policy *policy, uint32_t arch,
                 struct nr_run **runs, size_t *count)
{
    static const struct nr_range parts[] = {
        {0, 0x3fffffffu}, {X32_BIT, 0x7fffffffu}, {0x80000000u, NR_SKIP - 1}, {NR_SKIP, NR_SKIP}};
    struct run_list list = {.arena = arena, .policy = policy, .arch = arch};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        enum abi_id abi = policy_place(policy, arch, parts[i].first).abi;
        if (abi != ABI_NONE)
            cut_table(&list, abi, parts[i].first, parts[i].last);
        add_run(&list, parts[i].last);
    }
    *runs = list.runs.items;
    *count = list.runs.count;
}
