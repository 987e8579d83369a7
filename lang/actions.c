/* Actions to return words. */
#include "lang/resolve.h"

#define ERRNO_MOST 4095u /* MAX_ERRNO: what is above is returned as this */
#define DATA_MOST 0xffffu

static bool errno_value(struct resolver *resolver, const struct expression *use, enum abi_id abi,
                        exact *value)
{
    uint16_t number;
    bool own = use->kind == EXPRESSION_NAME && !definitions_find(&resolver->consts, use->name);
    if (own && (abi == ABI_NONE ? generic_errno(use->name, &number)
                                : abi_errno(abi, use->name, &number))) {
        *value = number;
        return true;
    }
    if (own && !abi_constant_anywhere(use->name) && !generic_errno(use->name, &number)) {
        const char *nearest[3];
        struct problem *p =
            problem_error(resolver, use->span, abi, "`%s` is no error number's name", use->name);
        size_t count = p ? abi_nearest_constants(use->name, nearest, COUNT_OF(nearest)) : 0;
        if (count)
            problem_note(resolver, p, NO_SPAN, "did you mean %s?",
                         name_list(resolver->arena, nearest, count, "or"));
        return false;
    }
    return constant_value(resolver, abi, use, value);
}

static bool data_value(struct resolver *resolver, const struct action_word *action, enum abi_id abi,
                       uint16_t *data)
{
    bool is_errno = action->info->action == ACTION_ERRNO;
    exact value;
    if (!action->info->takes_data) {
        struct problem *p =
            problem_error(resolver, action->span, abi, "%s takes no number", action->info->name);
        problem_note(resolver, p, NO_SPAN, "write %s alone", action->info->name);
        return false;
    }
    if (!(is_errno ? errno_value(resolver, action->data, abi, &value)
                   : constant_value(resolver, abi, action->data, &value)))
        return false;
    if (value < 0 || value > (is_errno ? ERRNO_MOST : DATA_MOST)) {
        problem_error(resolver, action->data->span, abi, "%s takes a number from 0 to %u",
                      action->info->name, is_errno ? ERRNO_MOST : DATA_MOST);
        return false;
    }
    *data = (uint16_t)value;
    return true;
}

bool resolve_action(struct resolver *resolver, const struct action_word *action, enum abi_id abi,
                    uint32_t *word)
{
    uint16_t data = 0;
    if (!action->data && action->info->takes_data) {
        struct problem *p =
            problem_error(resolver, action->span, abi, "%s needs a number", action->info->name);
        problem_note(resolver, p, NO_SPAN, "write %s",
                     action->info->action == ACTION_ERRNO
                         ? "errno(EPERM), or another error's name"
                         : arena_printf(resolver->arena, "%s(0)", action->info->name));
        return false;
    }
    if (action->data && !data_value(resolver, action, abi, &data))
        return false;
    if (action->info->action == ACTION_ERRNO && data == 0)
        problem_warning(resolver, action->span, abi,
                        "errno(0) skips the call and tells the program that it succeeded");
    *word = action->info->word | data;
    return true;
}

bool resolve_goal_action(struct resolver *resolver, const struct action_word *action,
                         enum abi_id abi, struct goal_action *goal)
{
    *goal = (struct goal_action){.permit = action->permit};
    if (action->permit)
        return true;
    goal->action = action->info->action;
    goal->has_data = action->data != NULL;
    return !action->data || data_value(resolver, action, abi, &goal->data);
}
