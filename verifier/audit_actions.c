/* Which words are returned, and where. */
#include "verifier/auditor.h"

struct reaching {
    const struct relation *relation;
    const char *detail;
    const char *subject;
    const struct side *side;
    bool pointers_only; /* calls that take a pointer */
};

static bool takes_pointer(const struct syscall_entry *entry)
{
    for (unsigned i = 0; entry && entry->argument_count <= 6 && i < entry->argument_count; i++)
        if (entry->arguments[i].is_pointer)
            return true;
    return false;
}

static void report_call(struct auditor *auditor, const struct reaching *reaching,
                        const struct input *input, struct audit_call call)
{
    struct suspicion s = {.subject = reaching->subject,
                          .detail = reaching->detail,
                          .call = call,
                          .side = reaching->side,
                          .input = *input,
                          .relation = reaching->relation};
    suspect(auditor, &s);
}

static struct range common(struct range a, struct range b)
{
    return (struct range){a.first > b.first ? a.first : b.first, a.last < b.last ? a.last : b.last};
}

static enum asked ask_part(struct auditor *auditor, const struct reaching *reaching,
                           struct range arch, struct range nr, const struct term *residue,
                           struct input *input)
{
    return audit_ask(auditor, arch, nr, residue, NULL, reaching->relation, input);
}

/* One ABI's share of a region. */
static void reach_calls(struct auditor *auditor, const struct reaching *reaching, enum abi_id abi,
                        const struct region *region)
{
    struct range part = common(region->nr, numbers_of(abi));
    uint32_t token = abi_get(abi)->token;
    struct range arch = {token, token};
    struct input input;
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    bool by_number = region->residue->uses & BIT_NR;
    if (part.first > part.last ||
        ask_part(auditor, reaching, arch, part, region->residue, &input) != ASKED_YES)
        return;
    input.arch = token;
    uint32_t number = input.nr;
    const struct syscall_entry *there = abi_syscall_at(abi, number);
    if (!(there && there->implemented) && !reaching->pointers_only)
        report_call(auditor, reaching, &input,
                    (struct audit_call){abi, number, there ? there->name : NULL, NULL});
    for (size_t i = 0; i < count; i++) {
        const struct syscall_entry *entry = &table[i];
        struct range one = {entry->nr, entry->nr};
        if (entry->nr < part.first || entry->nr > part.last || !entry->implemented ||
            (reaching->pointers_only && !takes_pointer(entry)) || (by_number && is_late(auditor)))
            continue;
        if (by_number &&
            ask_part(auditor, reaching, arch, one, region->residue, &input) != ASKED_YES)
            continue;
        input.arch = token;
        input.nr = entry->nr;
        report_call(auditor, reaching, &input,
                    (struct audit_call){abi, entry->nr, entry->name, NULL});
    }
}

/* What is none of the declared ABIs': one entry for all of it. */
static void reach_rest(struct auditor *auditor, const struct reaching *reaching,
                       const struct region *region)
{
    struct input input;
    if (reaching->pointers_only ||
        ask_part(auditor, reaching, region->arch, region->nr, region->residue, &input) != ASKED_YES)
        return;
    report_call(auditor, reaching, &input, (struct audit_call){ABI_NONE, 0, NULL, NULL});
}

static bool is_ours(const struct auditor *auditor, const struct region *region, enum abi_id abi)
{
    uint32_t token = abi_get(abi)->token;
    return is_declared(auditor, abi) && region->arch.first <= token && region->arch.last >= token;
}

static void reach(struct auditor *auditor, const struct reaching *reaching,
                  const struct survey *survey)
{
    for (size_t i = 0; i < survey->regions.count; i++) {
        const struct region *region = &survey->regions.items[i];
        bool foreign = true;
        for (unsigned abi = 0; abi < ABI_COUNT; abi++) {
            if (!is_ours(auditor, region, (enum abi_id)abi))
                continue;
            reach_calls(auditor, reaching, (enum abi_id)abi, region);
            struct range left = common(region->nr, numbers_of((enum abi_id)abi));
            foreign = foreign && (left.first != region->nr.first || left.last != region->nr.last);
        }
        if (foreign)
            reach_rest(auditor, reaching, region);
    }
}

void ask_notify(struct auditor *auditor)
{
    struct reaching reaching = {.subject = "", .pointers_only = true};
    reaching.relation = relation_of(auditor, MARKED_NOTIFY);
    reaching.detail = "a supervisor decides on calls that take pointers";
    reach(auditor, &reaching, &auditor->survey);
}

void ask_trap_or_trace(struct auditor *auditor)
{
    struct reaching reaching = {.subject = ""};
    reaching.relation = relation_of(auditor, MARKED_TRAP_OR_TRACE);
    reaching.detail = "the denial is a signal or a question to a tracer";
    reach(auditor, &reaching, &auditor->survey);
}

void ask_kill_thread(struct auditor *auditor)
{
    struct reaching reaching = {.subject = ""};
    reaching.relation = relation_of(auditor, MARKED_KILL_THREAD);
    reaching.detail = "the denial ends the calling thread and leaves the others running";
    reach(auditor, &reaching, &auditor->survey);
}

/* Of each program by itself: a stack hides the data of an ALLOW, and stricter words. */
void ask_defects(struct auditor *auditor)
{
    struct member *members = audit_members(auditor);
    for (size_t i = 0; i < auditor->side->program_count; i++) {
        struct reaching reaching = {.subject = "", .side = &members[i].side};
        reaching.relation = relation_of(auditor, MARKED_DEFECT);
        reaching.detail = "a word is returned that the kernel does not take as it looks";
        if (members[i].complete)
            reach(auditor, &reaching, &members[i].survey);
    }
}
