#include "sim/bench.h"

/* Which calls are worth measuring, and which can be made a million times without doing anything. */

#define TABLE_MARGIN 1000u /* above the highest number */
#define MIXTURE_MOST 64u
#define SINGLES_MOST 48u /* of a kind, in user space */
#define KERNEL_MOST 3u   /* of a kind, in the kernel */
#define VARIATIONS_MOST 12u

/* ---- harmless calls
 * ------------------------------------------------------------------------------ */

#define MINUS_ONE 0xffffffffu

/* A call that fails at its first check, or only reads a number, when the arguments of `fixed` have
 * these values; the others are free. */
static const struct harmless {
    const char *name;
    unsigned fixed; /* bit n: argument n */
    uint64_t args[6];
} harmless_calls[] = {
    {"getppid", 0, {0}},
    {"getpid", 0, {0}},
    {"gettid", 0, {0}},
    {"getuid", 0, {0}},
    {"geteuid", 0, {0}},
    {"getgid", 0, {0}},
    {"getegid", 0, {0}},
    {"personality", 1, {MINUS_ONE}}, /* reads */
    {"fcntl", 1, {MINUS_ONE}},       /* EBADF */
    {"ioctl", 1, {MINUS_ONE}},       /* EBADF */
    {"setsockopt", 1, {MINUS_ONE}},  /* EBADF */
    {"getsockopt", 1, {MINUS_ONE}},  /* EBADF */
    {"close", 1, {MINUS_ONE}},       /* EBADF */
    {"lseek", 1, {MINUS_ONE}},       /* EBADF */
    {"socket", 2, {0, MINUS_ONE}},   /* EINVAL: flags in the type */
    {"socket", 3, {1, MINUS_ONE}},   /* the same, for who asks for a domain */
    {"socket", 3, {2, MINUS_ONE}},
    {"openat", 2, {MINUS_ONE, 0}},              /* EFAULT */
    {"mprotect", 1, {1}},                       /* EINVAL: no page begins there */
    {"madvise", 1, {1}},                        /* the same */
    {"mmap", 0x1a, {0, 0, 0, 0x22, MINUS_ONE}}, /* EINVAL: no length; private, anonymous */
    {"mmap", 0x1a, {0, 0, 1, 0x22, MINUS_ONE}},
    {"prctl", 1, {3}}, /* PR_GET_DUMPABLE */
};

static bool same_value(uint64_t is, uint64_t wanted)
{
    return is == wanted || (wanted == MINUS_ONE && is == UINT64_MAX);
}

static bool matches(const struct harmless *row, const char *name, const struct input *input)
{
    bool same = !strcmp(row->name, name);
    for (unsigned i = 0; i < 6; i++)
        same = same && (!(row->fixed >> i & 1u) || same_value(input->args[i], row->args[i]));
    return same;
}

uint32_t number_outside(enum abi_id abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    return count ? table[count - 1].nr + TABLE_MARGIN : TABLE_MARGIN;
}

bool call_is_harmless(const struct input *input, enum abi_id abi)
{
    if (input->arch != abi_get(abi)->token)
        return false;
    const struct syscall_entry *entry = abi_syscall_at(abi, input->nr);
    if (!entry)
        return input->nr == number_outside(abi);
    for (size_t i = 0; i < COUNT_OF(harmless_calls); i++)
        if (matches(&harmless_calls[i], entry->name, input))
            return true;
    return false;
}

struct input input_as_made(enum bench_method method, const struct input *input)
{
    struct input made = *input;
    if (method == BENCH_KERNEL && made.ip == 0)
        made.ip = kernel_call_ip(ENTRY_NATIVE);
    return made;
}

/* ---- what filters do with an input
 * ------------------------------------------------------------------ */

bool stack_caches(const struct bench_stack *stack, const struct input *input)
{
    enum abi_id id = input_abi(input, stack->count && stack->programs[0].big_endian);
    if (id == ABI_NONE || input->nr >= abi_get(id)->cache_size)
        return false;
    for (size_t i = 0; i < stack->count; i++)
        if (!cache_allows(&stack->programs[i], input->arch, input->nr))
            return false;
    return true;
}

struct inputs {
    struct input *items;
    size_t count, capacity;
};

struct chooser {
    struct arena *arena;
    const struct bench_stack *stacks;
    size_t stack_count;
    uint64_t ip;
    const struct abi *abi;
    uint32_t *trace; /* PROGRAM_MOST */
    VECTOR(struct bench_call) calls;
    struct inputs found[BENCH_KIND_COUNT];
    struct inputs harmless[BENCH_KIND_COUNT];
};

static bool is_argument(const struct sock_filter *at)
{
    const struct instruction_info *info = instruction_info(at->code);
    return info && info->operation == OP_LOAD_FIELD && at->k >= 16; /* behind nr, arch and ip */
}

static bool looks_at_arguments(struct chooser *chooser, const struct bench_stack *stack,
                               const struct input *input)
{
    for (size_t i = 0; i < stack->count; i++) {
        struct run run = interpret(&stack->programs[i], input, chooser->trace, PROGRAM_MOST);
        for (uint32_t j = 0; j < run.executed; j++)
            if (is_argument(&stack->programs[i].code[chooser->trace[j]]))
                return true;
    }
    return false;
}

/* False: the filters do not agree on what to do, so it would compare different things. */
static bool classify(struct chooser *chooser, const struct input *input, enum bench_kind *kind)
{
    bool permits = false, checked = false;
    for (size_t i = 0; i < chooser->stack_count; i++) {
        const struct bench_stack *stack = &chooser->stacks[i];
        uint32_t word = interpret_stack(stack->programs, stack->count, input).word;
        bool this_permits = action_of_word(word, NULL)->permits;
        if (i > 0 && this_permits != permits)
            return false;
        permits = this_permits;
        checked = checked || looks_at_arguments(chooser, stack, input);
    }
    if (permits)
        *kind = checked ? BENCH_CHECKED : BENCH_ALLOWED;
    else
        *kind = checked ? BENCH_CHECKED_DENIED : BENCH_DENIED;
    return true;
}

/* ---- inputs on which the argument checks come out differently
 * ----------------------------------------- */

/* The value of the tested word that sends the test the other way, as near as one step can. */
static uint32_t other_way(enum operation operation, uint32_t value, uint32_t k)
{
    switch (operation) {
    case OP_JUMP_EQUAL:
        return value == k ? k + 1 : k;
    case OP_JUMP_GREATER:
        return value > k ? k : k + 1;
    case OP_JUMP_GREATER_EQUAL:
        return value >= k ? k - 1 : k;
    default:
        return value & k ? value & ~k : value | k;
    }
}

/* For each test of an argument word on the input's path, the input that turns it. */
static size_t turn_tests(struct chooser *chooser, const struct program *program,
                         const struct input *input, struct input *variations, size_t most)
{
    struct run run = interpret(program, input, chooser->trace, PROGRAM_MOST);
    const struct sock_filter *loaded = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < run.executed && count < most; i++) {
        const struct sock_filter *at = &program->code[chooser->trace[i]];
        const struct instruction_info *info = instruction_info(at->code);
        if (info && info->operation == OP_LOAD_FIELD)
            loaded = is_argument(at) ? at : NULL;
        if (!info || !is_conditional(info->operation) || info->operand_is_x || !loaded)
            continue;
        enum field field = field_at(loaded->k, program->big_endian);
        uint32_t value = input_field(input, field);
        variations[count] = *input;
        input_set_field(&variations[count++], field, other_way(info->operation, value, at->k));
    }
    return count;
}

static void keep_input(struct chooser *chooser, struct inputs *inputs, const struct input *input)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (!memcmp(&inputs->items[i], input, sizeof *input))
            return;
    vector_push(chooser->arena, inputs, *input);
}

/* Of `start` and what its tests lead to: one input of each kind. With `harmless_only`, inputs that
 * are not are left alone. */
static void explore(struct chooser *chooser, struct input start, bool harmless_only,
                    struct inputs *found)
{
    struct input queue[VARIATIONS_MOST] = {start};
    bool seen[BENCH_KIND_COUNT] = {false};
    size_t count = 1;
    for (size_t at = 0; at < count; at++) {
        enum bench_kind kind;
        if (harmless_only && !call_is_harmless(&queue[at], chooser->abi->id))
            continue;
        if (classify(chooser, &queue[at], &kind) && !seen[kind]) {
            seen[kind] = true;
            keep_input(chooser, &found[kind], &queue[at]);
        }
        for (size_t i = 0; i < chooser->stack_count && at < VARIATIONS_MOST / 2; i++)
            for (size_t j = 0; j < chooser->stacks[i].count; j++)
                count += turn_tests(chooser, &chooser->stacks[i].programs[j], &queue[at],
                                    queue + count, VARIATIONS_MOST - count);
    }
}

static void explore_table(struct chooser *chooser)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(chooser->abi->id, &count);
    for (size_t i = 0; i < count; i++)
        if (table[i].implemented)
            explore(
                chooser,
                (struct input){.nr = table[i].nr, .arch = chooser->abi->token, .ip = chooser->ip},
                false, chooser->found);
    struct input outside = {
        .nr = number_outside(chooser->abi->id), .arch = chooser->abi->token, .ip = chooser->ip};
    keep_input(chooser, &chooser->found[BENCH_OUTSIDE], &outside);
}

static void explore_harmless(struct chooser *chooser)
{
    for (size_t i = 0; i < COUNT_OF(harmless_calls); i++) {
        const struct syscall_entry *entry = abi_syscall(chooser->abi->id, harmless_calls[i].name);
        struct input input = {.arch = chooser->abi->token, .ip = chooser->ip};
        if (!entry)
            continue;
        input.nr = entry->nr;
        memcpy(input.args, harmless_calls[i].args, sizeof input.args);
        explore(chooser, input, true, chooser->harmless);
    }
}

/* ---- the choice
 * ------------------------------------------------------------------------------------------ */

static const char *input_name(struct chooser *chooser, const struct input *input)
{
    struct buffer text = buffer_new(chooser->arena);
    struct input plain = *input;
    plain.ip = 0;
    call_print(&text, &plain, ABI_BIT(chooser->abi->id), chooser->abi->big_endian);
    return buffer_string(&text);
}

static void add_single(struct chooser *chooser, enum bench_kind kind, const struct input *input)
{
    vector_push(chooser->arena, &chooser->calls,
                (struct bench_call){.name = input_name(chooser, input),
                                    .kind = kind,
                                    .inputs = arena_copy(chooser->arena, input, sizeof *input),
                                    .input_count = 1});
}

/* Evenly over the table: neighbours in number are neighbours in the program. */
static void add_spread(struct chooser *chooser, enum bench_kind kind, const struct inputs *inputs,
                       size_t most)
{
    size_t take = inputs->count < most ? inputs->count : most;
    for (size_t i = 0; i < take; i++)
        add_single(chooser, kind, &inputs->items[i * inputs->count / take]);
}

static void add_mixture(struct chooser *chooser, const char *name, const enum bench_kind *classes,
                        size_t class_count)
{
    VECTOR(struct input) inputs = {0};
    for (size_t i = 0; i < class_count; i++) {
        size_t count = chooser->found[classes[i]].count;
        size_t take = count < MIXTURE_MOST ? count : MIXTURE_MOST;
        for (size_t j = 0; j < take; j++)
            vector_push(chooser->arena, &inputs,
                        chooser->found[classes[i]].items[j * count / take]);
    }
    if (inputs.count < 2)
        return;
    vector_push(chooser->arena, &chooser->calls,
                (struct bench_call){
                    .name = arena_printf(chooser->arena, "%s, shuffled (%zu)", name, inputs.count),
                    .kind = classes[0],
                    .inputs = inputs.items,
                    .input_count = inputs.count});
}

static void choose_alone(struct chooser *chooser)
{
    static const enum bench_kind checked[] = {BENCH_CHECKED, BENCH_CHECKED_DENIED};
    static const enum bench_kind denied[] = {BENCH_DENIED};
    static const enum bench_kind all[] = {BENCH_CHECKED, BENCH_CHECKED_DENIED, BENCH_DENIED};
    add_mixture(chooser, "argument-checked calls", checked, COUNT_OF(checked));
    add_mixture(chooser, "denied calls", denied, COUNT_OF(denied));
    add_mixture(chooser, "both", all, COUNT_OF(all));
    for (size_t kind = BENCH_ALLOWED; kind < BENCH_KIND_COUNT; kind++)
        add_spread(chooser, (enum bench_kind)kind, &chooser->found[kind],
                   kind == BENCH_ALLOWED ? 1 : SINGLES_MOST);
}

static bool returns_errno_everywhere(const struct chooser *chooser, const struct input *input)
{
    for (size_t i = 0; i < chooser->stack_count; i++) {
        const struct bench_stack *stack = &chooser->stacks[i];
        uint32_t word = interpret_stack(stack->programs, stack->count, input).word;
        if (action_of_word(word, NULL)->action != ACTION_ERRNO)
            return false;
    }
    return true;
}

/* Inputs of the kind that all filters deny with an errno; failing that, the kind's first, so that
 * the table shows why it has no times. */
static void add_denied(struct chooser *chooser, enum bench_kind kind)
{
    const struct inputs *all = &chooser->found[kind];
    struct inputs good = {0};
    for (size_t i = 0; i < all->count; i++)
        if (returns_errno_everywhere(chooser, &all->items[i]))
            keep_input(chooser, &good, &all->items[i]);
    if (good.count)
        add_spread(chooser, kind, &good, KERNEL_MOST);
    else
        add_spread(chooser, kind, all, 1);
}

/* Those that the first filter is run for, where there are any: another one may look at arguments
 * that the first does not. */
static struct inputs run_by_first(struct chooser *chooser, const struct inputs *all)
{
    struct inputs good = {0};
    for (size_t i = 0; i < all->count; i++)
        if (!stack_caches(&chooser->stacks[0], &all->items[i]))
            keep_input(chooser, &good, &all->items[i]);
    return good.count ? good : *all;
}

static void choose_kernel(struct chooser *chooser)
{
    struct inputs checked = run_by_first(chooser, &chooser->harmless[BENCH_CHECKED]);
    add_spread(chooser, BENCH_ALLOWED, &chooser->harmless[BENCH_ALLOWED], 1);
    add_spread(chooser, BENCH_CHECKED, &checked, KERNEL_MOST);
    add_denied(chooser, BENCH_CHECKED_DENIED);
    add_denied(chooser, BENCH_DENIED);
    add_spread(chooser, BENCH_OUTSIDE, &chooser->found[BENCH_OUTSIDE], 1);
}

struct bench_call *bench_choose(struct arena *arena, enum bench_method method,
                                const struct bench_stack *stacks, size_t stack_count,
                                enum abi_id abi, size_t *count)
{
    struct chooser chooser = {.arena = arena,
                              .stacks = stacks,
                              .stack_count = stack_count,
                              .ip = method == BENCH_KERNEL ? kernel_call_ip(ENTRY_NATIVE) : 0,
                              .abi = abi_get(abi),
                              .trace = NEW_ARRAY(arena, uint32_t, PROGRAM_MOST)};
    if (method != BENCH_INSTALL)
        explore_table(&chooser);
    if (method == BENCH_KERNEL)
        explore_harmless(&chooser);
    if (method == BENCH_KERNEL)
        choose_kernel(&chooser);
    else if (method == BENCH_ALONE)
        choose_alone(&chooser);
    else
        vector_push(arena, &chooser.calls,
                    (struct bench_call){.name = "seccomp(2)", .kind = BENCH_GIVEN});
    *count = chooser.calls.count;
    return chooser.calls.items;
}
