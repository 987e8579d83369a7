#include "lang/import/oci_multiplexers.h"

/* <linux/net.h> SYS_SOCKET.. and <linux/ipc.h> SEMOP..: what each of the two can do. */
static const struct {
    const char *name, *multiplexer;
} multiplexed[] = {
    {"socket", "socketcall"},
    {"bind", "socketcall"},
    {"connect", "socketcall"},
    {"listen", "socketcall"},
    {"accept", "socketcall"},
    {"accept4", "socketcall"},
    {"getsockname", "socketcall"},
    {"getpeername", "socketcall"},
    {"socketpair", "socketcall"},
    {"send", "socketcall"},
    {"recv", "socketcall"},
    {"sendto", "socketcall"},
    {"recvfrom", "socketcall"},
    {"shutdown", "socketcall"},
    {"setsockopt", "socketcall"},
    {"getsockopt", "socketcall"},
    {"sendmsg", "socketcall"},
    {"recvmsg", "socketcall"},
    {"recvmmsg", "socketcall"},
    {"sendmmsg", "socketcall"},
    {"semop", "ipc"},
    {"semtimedop", "ipc"},
    {"semget", "ipc"},
    {"semctl", "ipc"},
    {"msgsnd", "ipc"},
    {"msgrcv", "ipc"},
    {"msgget", "ipc"},
    {"msgctl", "ipc"},
    {"shmat", "ipc"},
    {"shmdt", "ipc"},
    {"shmget", "ipc"},
    {"shmctl", "ipc"},
};

static const char *multiplexer_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(multiplexed); i++)
        if (!strcmp(multiplexed[i].name, name))
            return multiplexed[i].multiplexer;
    return NULL;
}

static bool entry_names(const struct oci_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->names.count; i++)
        if (!strcmp(entry->names.items[i].text, name))
            return true;
    return false;
}

static bool is_decided(const struct oci_profile *profile, const struct oci_target *target,
                       const char *name)
{
    for (size_t i = 0; i < profile->entry_count; i++)
        if (oci_entry_applies(target, &profile->entries[i]) &&
            entry_names(&profile->entries[i], name))
            return true;
    return false;
}

/* The first of the served ABIs that has the call; NULL: none has. */
static const struct abi *abi_with(const struct oci_target *target, const char *name)
{
    for (size_t i = 0; i < target->abi_count; i++)
        if (abi_syscall(target->abis[i], name))
            return abi_get(target->abis[i]);
    return NULL;
}

/* The first call in the profile that `multiplexer` reaches and that is permitted. */
static const struct import_text *first_member(const struct oci_profile *profile,
                                              const struct oci_target *target,
                                              const char *multiplexer)
{
    for (size_t i = 0; i < profile->entry_count; i++) {
        const struct oci_entry *entry = &profile->entries[i];
        if (!action_of_word(entry->word, NULL)->permits || !oci_entry_applies(target, entry))
            continue;
        for (size_t n = 0; n < entry->names.count; n++) {
            const char *reached_by = multiplexer_of(entry->names.items[n].text);
            if (reached_by && !strcmp(reached_by, multiplexer))
                return &entry->names.items[n];
        }
    }
    return NULL;
}

void oci_multiplexer_remarks(const struct oci_profile *profile, const struct oci_target *target,
                             struct diagnostics *diagnostics)
{
    static const char *const names[] = {"socketcall", "ipc"};
    if (action_of_word(profile->default_word, NULL)->permits)
        return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct abi *abi = abi_with(target, names[i]);
        const struct import_text *member = abi ? first_member(profile, target, names[i]) : NULL;
        if (member && !is_decided(profile, target, names[i]))
            report_remark(diagnostics, member->span,
                          "on %s programs may reach %s through %s, which is not named here and "
                          "gets the default action",
                          abi->name, member->text, names[i]);
    }
}
