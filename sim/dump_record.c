#include <linux/seccomp.h>
#include <stdlib.h>

#include "sim/dump.h"

uint32_t dump_filter(struct dump *dump, const struct sock_filter *code, uint32_t length)
{
    for (size_t i = 0; i < dump->filters.count; i++) {
        const struct program *known = &dump->filters.items[i];
        if (known->length == length && !memcmp(known->code, code, length * sizeof *code))
            return (uint32_t)i;
    }
    struct program program = {
        .name = arena_printf(dump->arena, "filter-%zu", dump->filters.count + 1),
        .code = arena_copy(dump->arena, code, length * sizeof *code),
        .length = length,
        .big_endian = abi_get(abi_native())->big_endian,
    };
    vector_push(dump->arena, &dump->filters, program);
    return (uint32_t)dump->filters.count - 1;
}

static struct dump_stack *stack_of(struct dump *dump, const struct filter_list *list)
{
    for (size_t i = 0; i < dump->stacks.count; i++) {
        struct dump_stack *known = &dump->stacks.items[i];
        if (known->count == list->count &&
            (list->count == 0 ||
             !memcmp(known->filters, list->items, list->count * sizeof *list->items)))
            return known;
    }
    struct dump_stack stack = {
        .filters = arena_copy(dump->arena, list->items, list->count * sizeof *list->items),
        .count = list->count,
    };
    vector_push(dump->arena, &dump->stacks, stack);
    return &dump->stacks.items[dump->stacks.count - 1];
}

void dump_thread_under(struct dump *dump, const struct filter_list *list, struct dump_thread thread)
{
    struct dump_stack *stack = stack_of(dump, list);
    vector_push(dump->arena, &stack->threads, thread);
}

static int by_number(const void *a, const void *b)
{
    const struct dump_thread *x = a, *y = b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    return (x->thread > y->thread) - (x->thread < y->thread);
}

void dump_sort_threads(struct dump *dump)
{
    for (size_t i = 0; i < dump->stacks.count; i++) {
        struct dump_stack *stack = &dump->stacks.items[i];
        qsort(stack->threads.items, stack->threads.count, sizeof *stack->threads.items, by_number);
    }
}

void filter_list_copy(struct arena *arena, struct filter_list *to, const struct filter_list *from)
{
    *to = (struct filter_list){0};
    for (size_t i = 0; i < from->count; i++)
        vector_push(arena, to, from->items[i]);
}

void dump_flags_print(struct buffer *out, uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {SECCOMP_FILTER_FLAG_TSYNC, "TSYNC"},
        {SECCOMP_FILTER_FLAG_LOG, "LOG"},
        {SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SPEC_ALLOW"},
        {SECCOMP_FILTER_FLAG_NEW_LISTENER, "NEW_LISTENER"},
        {SECCOMP_FILTER_FLAG_TSYNC_ESRCH, "TSYNC_ESRCH"},
#ifdef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
        {SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "WAIT_KILLABLE_RECV"},
#endif
    };
    const char *between = "";
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!(flags & names[i].bit))
            continue;
        buffer_printf(out, "%s%s", between, names[i].name);
        between = "|";
        flags &= ~names[i].bit;
    }
    if (flags)
        buffer_printf(out, "%s0x%x", between, flags);
}
