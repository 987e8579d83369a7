/* Which numbers of which arch are permitted: other architectures, x32, numbers without a call, -1.
 */
#include "verifier/auditor.h"

/* Numbers that are x32's own; kernels before 5.4 dispatched them without x32's bit as well. */
#define X32_OWN ((struct range){512, 547})

static struct audit_call number_of(enum abi_id abi, uint32_t nr)
{
    const struct syscall_entry *entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, nr);
    return (struct audit_call){abi, nr, entry ? entry->name : NULL, NULL};
}

/* Permitted for some registers, whoever fills them. */
static bool may_permit(struct auditor *auditor, uint32_t arch, struct range nr,
                       const struct term *residue, struct input *input)
{
    struct range archs = {arch, arch};
    if (term_is_constant(residue)) {
        *input = (struct input){.arch = arch, .nr = nr.first};
        return word_permits((uint32_t)residue->value);
    }
    return audit_ask(auditor, archs, nr, residue, NULL, relation_of(auditor, MARKED_PERMITS),
                     input) == ASKED_YES;
}

static bool call_may_permit(struct auditor *auditor, enum abi_id abi, uint32_t nr,
                            struct input *input)
{
    uint32_t arch = abi_get(abi)->token;
    const struct term *residue = residue_at(auditor, &auditor->survey, arch, nr);
    bool permits = may_permit(auditor, arch, (struct range){nr, nr}, residue, input);
    input->arch = arch;
    input->nr = nr;
    return permits;
}

/* Some call of this name on a declared ABI is not simply permitted. */
static bool is_denied_elsewhere(struct auditor *auditor, enum abi_id except, const char *name,
                                struct input *denied)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id abi = (enum abi_id)id;
        if (abi == except || !is_declared(auditor, abi) || !is_same_kernel(abi, except))
            continue;
        struct fact *fact = fact_named(auditor, abi, name);
        enum stance stance = fact ? stance_of(auditor, fact) : STANCE_UNKNOWN;
        if (stance == STANCE_DENIES || stance == STANCE_DEPENDS) {
            *denied = fact->denied;
            return true;
        }
    }
    return false;
}

/* A lone program that permits everything of an ABI may be one of a stack, with another for that
 * ABI. */
static const char *companion_hint(struct auditor *auditor, enum abi_id abi)
{
    if (auditor->side->program_count > 1)
        return "";
    struct member *members = audit_members(auditor);
    if (!members[0].complete || members[0].restricts & ABI_BIT(abi))
        return "";
    return arena_printf(auditor->arena,
                        ". This program permits all of %s: if another one of the same stack is "
                        "about %s, audit them together, as A+B",
                        abi_get(abi)->name, abi_get(abi)->name);
}

/* The numbers of `abi`, which nobody declared, are permitted. */
static void suspect_abi(struct auditor *auditor, enum abi_id abi, const char *detail)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    const struct abi *facts = abi_get(abi);
    struct suspicion s = {.subject = facts->name, .detail = detail};
    bool preferred = false;
    s.relation = relation_of(auditor, MARKED_PERMITS);
    for (size_t i = 0; i <= count; i++) {
        bool last = i == count; /* a number that no table has, after all calls */
        uint32_t nr = last ? unknown_number(abi) : table[i].nr;
        struct input denied;
        if ((!last && !table[i].implemented) || is_late(auditor) ||
            !call_may_permit(auditor, abi, nr, &s.input))
            continue;
        s.call = number_of(abi, nr);
        bool better = s.call.name && is_denied_elsewhere(auditor, abi, s.call.name, &denied);
        s.preferred = better && !preferred;
        preferred = preferred || better;
        suspect(auditor, &s);
    }
}

void ask_arch_unchecked(struct auditor *auditor)
{
    if (has_program_per_abi(auditor)) /* then what differs is told call by call: ask_names_differ */
        return;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        const struct abi *abi = abi_get((enum abi_id)id);
        bool declared_token = abi->id == ABI_X32; /* x86_64 stands for both */
        bool denied = false;
        for (unsigned other = 0; other < ABI_COUNT; other++) {
            const struct abi *ours = abi_get((enum abi_id)other);
            if (!is_declared(auditor, ours->id))
                continue;
            declared_token = declared_token || ours->token == abi->token;
            denied =
                denied || (is_same_kernel(ours->id, abi->id) && denies_anything(auditor, ours->id));
        }
        if (!declared_token && denied)
            suspect_abi(auditor, abi->id,
                        arena_printf(auditor->arena,
                                     "a process may enter by %s's numbers, which the filter is not "
                                     "about, and is permitted%s",
                                     abi->name, companion_hint(auditor, abi->id)));
    }
}

void ask_x32(struct auditor *auditor)
{
    if (has_program_per_abi(auditor))
        return;
    if (!is_declared(auditor, ABI_X86_64) || is_declared(auditor, ABI_X32) ||
        !denies_anything(auditor, ABI_X86_64))
        return;
    suspect_abi(auditor, ABI_X32,
                arena_printf(auditor->arena,
                             "numbers with bit 30 are x32's on a kernel that has it, and are "
                             "permitted%s",
                             companion_hint(auditor, ABI_X32)));
}

/* ---- x32 on old kernels ---------------------------------------------------------------------- */

static void suspect_loophole(struct auditor *auditor, uint32_t nr, const char *name,
                             const char *detail, enum abi_id by_default)
{
    struct input denied;
    struct suspicion s = {.subject = nr & X32_BIT ? "with bit 30" : "without bit 30",
                          .detail = detail};
    struct fact *direct = fact_named(auditor, ABI_X86_64, name);
    bool restricted = direct && stance_of(auditor, direct) != STANCE_PERMITS;
    if (!call_may_permit(auditor, ABI_X86_64, nr, &s.input) ||
        (!restricted && permits_by_default(auditor, by_default)))
        return;
    denied = direct ? direct->denied : s.input;
    s.relation = relation_of(auditor, restricted ? LEFT_PERMITS_ONLY : MARKED_PERMITS);
    s.call = (struct audit_call){nr & X32_BIT ? ABI_X32 : ABI_X86_64, nr, NULL, name};
    s.other = restricted ? &denied : NULL;
    s.other_says = "the call itself";
    suspect(auditor, &s);
}

void ask_x32_loopholes(struct auditor *auditor)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(ABI_X86_64, &count);
    if (!is_declared(auditor, ABI_X86_64))
        return;
    for (uint32_t nr = X32_OWN.first; nr <= X32_OWN.last; nr++) {
        const struct syscall_entry *entry = abi_syscall_at(ABI_X32, nr | X32_BIT);
        if (entry && !is_late(auditor))
            suspect_loophole(auditor, nr, entry->name,
                             "numbers 512 to 547 without x32's bit were x32's calls before 5.4",
                             ABI_X86_64);
    }
    for (size_t i = 0; i < count && is_declared(auditor, ABI_X32); i++)
        if (table[i].implemented && !is_late(auditor) &&
            !abi_syscall_at(ABI_X32, table[i].nr | X32_BIT))
            suspect_loophole(auditor, table[i].nr | X32_BIT, table[i].name,
                             "x86_64's own numbers with x32's bit were x86_64's calls before 5.4",
                             ABI_X32);
}

/* ---- names that differ between ABIs ---------------------------------------------------------- */

static void suspect_name(struct auditor *auditor, const struct fact *fact, const struct fact *same)
{
    const char *here = abi_get(fact->abi)->name, *there = abi_get(same->abi)->name;
    const char *hint = companion_hint(auditor, same->abi);
    struct suspicion s = {.subject = there, .call = call_of(same)};
    if (fact->stance == STANCE_DENIES) {
        s.detail =
            arena_printf(auditor->arena, "denied on %s, permitted on %s%s", here, there, hint);
    } else {
        s.subject = arena_printf(auditor->arena, "%s, by arguments", there);
        s.detail = arena_printf(auditor->arena,
                                "restricted by its arguments on %s, permitted with any on %s%s",
                                here, there, hint);
    }
    s.input = same->permitted;
    s.other = &fact->denied;
    s.other_says = "the same call by the other ABI";
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
}

/* A call that is denied on purpose or restricted by its arguments on one ABI, and simply permitted
 * by the same name on another that the same kernel serves. */
static void compare_names(struct auditor *auditor, struct fact *fact)
{
    bool by_default = permits_by_default(auditor, fact->abi);
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id other = (enum abi_id)id;
        if (other == fact->abi || !is_within_reach(auditor, other) ||
            !is_same_kernel(other, fact->abi))
            continue;
        struct fact *same = fact_named(auditor, other, fact->entry->name);
        if (!same || stance_of(auditor, same) != STANCE_PERMITS)
            continue;
        enum stance stance = stance_of(auditor, fact);
        bool on_purpose = stance == STANCE_DEPENDS || (stance == STANCE_DENIES && by_default);
        if (by_default && permits_by_default(auditor, other) &&
            is_reached_by_multiplexer(auditor, other, fact->entry->name))
            continue; /* ask_multiplexers tells of both */
        if (on_purpose && is_security_denial(fact->abi, fact->denied_word))
            suspect_name(auditor, fact, same);
    }
}

/* Both ABIs' numbers are treated alike although they are different calls. */
static bool same_by_number(struct auditor *auditor, enum abi_id a, enum abi_id b)
{
    size_t count, special = 0;
    const struct syscall_entry *table = abi_syscalls(a, &count);
    for (size_t i = 0; i < count && !is_late(auditor); i++) {
        const struct term *x =
            residue_at(auditor, &auditor->survey, abi_get(a)->token, table[i].nr);
        const struct term *y =
            residue_at(auditor, &auditor->survey, abi_get(b)->token, table[i].nr);
        if (x != y)
            return false;
        special += x != residue_at(auditor, &auditor->survey, abi_get(a)->token, unknown_number(a));
    }
    return special > 0;
}

static void compare_numbers(struct auditor *auditor, enum abi_id a, enum abi_id b)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(b, &count);
    if (!same_by_number(auditor, a, b))
        return;
    for (size_t i = 0; i < count; i++) {
        bool looks = table[i].implemented && !is_late(auditor);
        struct fact *here = looks ? fact_of(auditor, b, &table[i]) : NULL;
        struct fact *there = here ? fact_named(auditor, a, table[i].name) : NULL;
        if (!there || there->entry->nr == table[i].nr ||
            stance_of(auditor, here) != STANCE_PERMITS ||
            stance_of(auditor, there) == STANCE_PERMITS)
            continue;
        struct suspicion s = {.subject = abi_get(b)->name, .call = call_of(here)};
        s.detail = arena_printf(auditor->arena,
                                "the same numbers are permitted on %s and on %s, where they are "
                                "other calls",
                                abi_get(a)->name, abi_get(b)->name);
        s.input = here->permitted;
        s.other = &there->denied;
        s.other_says = "the same call by the other ABI";
        s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
        suspect(auditor, &s);
    }
}

void ask_names_differ(struct auditor *auditor)
{
    if (auditor->request->policy) {
        ask_other_numbers(auditor);
        return;
    }
    for_each_call(auditor, compare_names);
    for (unsigned a = 0; a < ABI_COUNT; a++)
        for (unsigned b = 0; b < ABI_COUNT; b++) {
            const struct abi *first = abi_get((enum abi_id)a), *second = abi_get((enum abi_id)b);
            if (a != b && is_declared(auditor, first->id) && is_declared(auditor, second->id) &&
                first->token != second->token && is_same_kernel(first->id, second->id))
                compare_numbers(auditor, first->id, second->id);
        }
}

/* ---- numbers without a call ------------------------------------------------------------------ */

/* The first number of the range that the ABI's table does not have; false: all are calls. */
static bool first_without_call(enum abi_id abi, struct range nr, uint32_t *found)
{
    for (uint64_t at = nr.first; at <= nr.last; at++) {
        bool x32s = abi == ABI_X86_64 && at >= X32_OWN.first && at <= X32_OWN.last;
        if (abi_syscall_at(abi, (uint32_t)at) || x32s)
            continue;
        *found = (uint32_t)at;
        return true;
    }
    return false;
}

/* Visits the parts of the survey that are this ABI's. */
typedef void (*visit_part)(struct auditor *auditor, enum abi_id abi, struct range nr,
                           const struct term *residue);

static void for_each_part(struct auditor *auditor, visit_part visit)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id abi = (enum abi_id)id;
        struct range ours = numbers_of(abi);
        uint32_t token = abi_get(abi)->token;
        for (size_t i = 0; i < auditor->survey.regions.count && is_declared(auditor, abi); i++) {
            const struct region *r = &auditor->survey.regions.items[i];
            struct range part = {r->nr.first > ours.first ? r->nr.first : ours.first,
                                 r->nr.last < ours.last ? r->nr.last : ours.last};
            if (r->arch.first > token || r->arch.last < token || part.first > part.last)
                continue;
            visit(auditor, abi, part, r->residue);
        }
    }
}

static void look_for_open_number(struct auditor *auditor, enum abi_id abi, struct range nr,
                                 const struct term *residue)
{
    struct suspicion s = {.subject = "", .relation = relation_of(auditor, MARKED_PERMITS)};
    uint32_t arch = abi_get(abi)->token, number;
    if (!first_without_call(abi, nr, &number) || !denies_anything(auditor, abi))
        return;
    nr.first = number;
    if (!may_permit(auditor, arch, nr, residue, &s.input))
        return;
    s.input.arch = arch;
    if (!(residue->uses & BIT_NR))
        s.input.nr = number;             /* what holds for one of the range holds for all */
    if (abi_syscall_at(abi, s.input.nr)) /* the example of a residue that computes with nr */
        return;
    s.detail =
        permits_by_default(auditor, abi)
            ? "what the filter does not list is permitted, so a newer kernel's calls are too"
            : "numbers that no call has are permitted, although the filter denies by default";
    s.call = number_of(abi, s.input.nr);
    for (size_t i = 0; i < auditor->findings.count; i++) /* one number an ABI is enough */
        if (auditor->findings.items[i].property == auditor->asking)
            for (size_t j = 0; j < auditor->findings.items[i].call_count; j++)
                if (auditor->findings.items[i].calls[j].abi == abi)
                    return;
    suspect(auditor, &s);
}

/* The number that shows it best. */
static void look_above_table(struct auditor *auditor, enum abi_id abi)
{
    uint32_t nr = unknown_number(abi);
    look_for_open_number(auditor, abi, (struct range){nr, nr},
                         residue_at(auditor, &auditor->survey, abi_get(abi)->token, nr));
}

void ask_fails_open(struct auditor *auditor)
{
    for (unsigned abi = 0; abi < ABI_COUNT; abi++)
        if (is_declared(auditor, (enum abi_id)abi))
            look_above_table(auditor, (enum abi_id)abi);
    for_each_part(auditor, look_for_open_number);
}

/* Between the newest call and the next numbers that a kernel will give away. */
static void look_above_newest(struct auditor *auditor, enum abi_id abi, struct range nr,
                              const struct term *residue)
{
    uint32_t arch = abi_get(abi)->token, last = unknown_number(abi);
    uint16_t no_such_call;
    struct suspicion s = {.subject = ""};
    if (nr.first <= newest_number(abi))
        nr.first = newest_number(abi) + 1;
    nr.last = nr.last < last ? nr.last : last;
    if (nr.first > nr.last || !abi_errno(abi, "ENOSYS", &no_such_call))
        return;
    s.relation = relation_with(auditor, MARKED_OTHER_ERRNO, no_such_call);
    if (audit_ask(auditor, (struct range){arch, arch}, nr, residue, NULL, s.relation, &s.input) !=
        ASKED_YES)
        return;
    s.input.arch = arch;
    s.detail = "a number above all known calls gets an errno that is not ENOSYS";
    s.call = number_of(abi, s.input.nr);
    suspect(auditor, &s);
}

void ask_newer_calls(struct auditor *auditor)
{
    for_each_part(auditor, look_above_newest);
}

void ask_minus_one(struct auditor *auditor)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id abi = (enum abi_id)id;
        struct suspicion s = {.subject = "", .relation = relation_of(auditor, MARKED_PERMITS)};
        if (!is_declared(auditor, abi) || abi == ABI_X32 || !denies_anything(auditor, abi) ||
            !call_may_permit(auditor, abi, NR_SKIP, &s.input))
            continue;
        s.detail = "nr -1 is permitted";
        s.call = number_of(abi, NR_SKIP);
        suspect(auditor, &s);
    }
}
