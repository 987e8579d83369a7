#include "abi/abi.h"

#define ACTION_MASK 0xffff0000u /* SECCOMP_RET_ACTION_FULL */
#define DATA_MASK 0x0000ffffu   /* SECCOMP_RET_DATA */
#define ERRNO_MOST 4095u        /* MAX_ERRNO: the kernel clamps what is larger */

static const struct action_info actions[ACTION_COUNT] = {
    [ACTION_KILL_PROCESS] = {ACTION_KILL_PROCESS, "kill_process", "SECCOMP_RET_KILL_PROCESS",
                             "SCMP_ACT_KILL_PROCESS", 0x80000000u, false, false},
    [ACTION_KILL_THREAD] = {ACTION_KILL_THREAD, "kill_thread", "SECCOMP_RET_KILL_THREAD",
                            "SCMP_ACT_KILL_THREAD", 0x00000000u, false, false},
    [ACTION_TRAP] = {ACTION_TRAP, "trap", "SECCOMP_RET_TRAP", "SCMP_ACT_TRAP", 0x00030000u, true,
                     false},
    [ACTION_ERRNO] = {ACTION_ERRNO, "errno", "SECCOMP_RET_ERRNO", "SCMP_ACT_ERRNO", 0x00050000u,
                      true, false},
    [ACTION_NOTIFY] = {ACTION_NOTIFY, "notify", "SECCOMP_RET_USER_NOTIF", "SCMP_ACT_NOTIFY",
                       0x7fc00000u, false, true},
    [ACTION_TRACE] = {ACTION_TRACE, "trace", "SECCOMP_RET_TRACE", "SCMP_ACT_TRACE", 0x7ff00000u,
                      true, true},
    [ACTION_LOG] = {ACTION_LOG, "log", "SECCOMP_RET_LOG", "SCMP_ACT_LOG", 0x7ffc0000u, false, true},
    [ACTION_ALLOW] = {ACTION_ALLOW, "allow", "SECCOMP_RET_ALLOW", "SCMP_ACT_ALLOW", 0x7fff0000u,
                      false, true},
};

const struct action_info *action_get(enum action action)
{
    return (unsigned)action < ACTION_COUNT ? &actions[action] : NULL;
}

const struct action_info *action_by_name(const char *name)
{
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

const struct action_info *action_of_word(uint32_t word, bool *known)
{
    const struct action_info *found = NULL;
    for (size_t i = 0; i < ACTION_COUNT && !found; i++)
        if (actions[i].word == (word & ACTION_MASK))
            found = &actions[i];
    if (known)
        *known = found != NULL;
    return found ? found : &actions[ACTION_KILL_PROCESS];
}

/* A name is used only where it reads back as the same number. */
static const char *errno_name(enum abi_id abi, uint32_t data)
{
    enum abi_id naming = abi < ABI_COUNT ? abi : ABI_X86_64; /* whose values are asm-generic's */
    const char *name = data ? abi_errno_name(naming, data) : NULL;
    uint16_t value;
    if (!name)
        return NULL;
    bool same = abi < ABI_COUNT ? abi_errno(abi, name, &value) : generic_errno(name, &value);
    return same && value == data ? name : NULL;
}

void verdict_print(struct buffer *out, uint32_t word, enum abi_id abi)
{
    bool known;
    const struct action_info *action = action_of_word(word, &known);
    uint32_t data = word & DATA_MASK;
    bool too_large = action->action == ACTION_ERRNO && data > ERRNO_MOST;
    if (!known || too_large || (data && !action->takes_data)) {
        buffer_printf(out, "ret(0x%08x)", word);
        return;
    }
    buffer_text(out, action->name);
    if (!action->takes_data)
        return;
    const char *name = action->action == ACTION_ERRNO ? errno_name(abi, data) : NULL;
    if (name)
        buffer_printf(out, "(%s)", name);
    else
        buffer_printf(out, "(%u)", data);
}

uint32_t verdict_combine(const uint32_t *newest_first, size_t count)
{
    uint32_t strictest = actions[ACTION_ALLOW].word;
    for (size_t i = 0; i < count; i++)
        if ((int32_t)(newest_first[i] & ACTION_MASK) < (int32_t)(strictest & ACTION_MASK))
            strictest = newest_first[i];
    return strictest;
}
