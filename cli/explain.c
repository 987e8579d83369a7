#include "cli/explain.h"

/* ---- --args: what a call's arguments are called
 * --------------------------------------------------------- */

static json_t *argument_json(const struct argument *argument)
{
    json_t *object = json_object();
    json_object_set_new(object, "manual",
                        argument->manual_name ? json_string(argument->manual_name) : json_null());
    json_object_set_new(object, "kernel",
                        argument->kernel_name ? json_string(argument->kernel_name) : json_null());
    json_object_set_new(object, "type", argument->type ? json_string(argument->type) : json_null());
    json_object_set_new(object, "bits", json_integer(argument->bits));
    json_object_set_new(object, "signed", json_boolean(argument->is_signed));
    json_object_set_new(object, "pointer", json_boolean(argument->is_pointer));
    return object;
}

static void print_argument(unsigned index, const struct argument *argument)
{
    const char *manual = argument->manual_name, *kernel = argument->kernel_name;
    printf("  arg%u  %-16s %-16s %-28s %2u bits%s%s\n", index, manual ? manual : "-",
           kernel ? kernel : "-", argument->type ? argument->type : "-", argument->bits,
           argument->is_pointer  ? ", pointer"
           : argument->is_signed ? ", signed"
                                 : "",
           argument->bits < argument->declared_bits ? ", narrower than declared" : "");
}

static bool same_arguments(const struct syscall_entry *a, const struct syscall_entry *b)
{
    if (a->argument_count != b->argument_count)
        return false;
    for (unsigned i = 0; a->argument_count != ARGUMENTS_UNKNOWN && i < a->argument_count; i++) {
        const struct argument *x = &a->arguments[i], *y = &b->arguments[i];
        if (x->bits != y->bits || x->is_signed != y->is_signed || x->is_pointer != y->is_pointer ||
            strcmp(x->kernel_name ? x->kernel_name : "", y->kernel_name ? y->kernel_name : "") ||
            strcmp(x->type ? x->type : "", y->type ? y->type : ""))
            return false;
    }
    return true;
}

static void print_prototype(const char *abis, const struct syscall_entry *call)
{
    printf("%s (%s)%s\n", call->name, abis,
           call->implemented ? "" : ", not implemented by the kernel");
    if (call->argument_count == ARGUMENTS_UNKNOWN)
        printf("  argument types are not known: arg0..arg5 are raw 64-bit words\n");
    else if (call->argument_count == 0)
        printf("  no arguments\n");
    for (unsigned i = 0; call->argument_count != ARGUMENTS_UNKNOWN && i < call->argument_count; i++)
        print_argument(i, &call->arguments[i]);
}

static void add_json(struct context *context, const char *abi, const struct syscall_entry *call)
{
    json_t *object = json_object();
    json_object_set_new(object, "nr", json_integer(call->nr));
    json_object_set_new(object, "implemented", json_boolean(call->implemented));
    json_t *array = json_array();
    for (unsigned i = 0; call->argument_count != ARGUMENTS_UNKNOWN && i < call->argument_count; i++)
        json_array_append_new(array, argument_json(&call->arguments[i]));
    json_object_set_new(object, "arguments",
                        call->argument_count == ARGUMENTS_UNKNOWN ? json_null() : array);
    if (call->argument_count == ARGUMENTS_UNKNOWN)
        json_decref(array);
    json_object_set_new(context->json, abi, object);
}

static enum exit_code explain_arguments(struct context *context)
{
    const char *name = context->options.args_of;
    abi_set all = abi_syscall_anywhere(name);
    if (context->options.abis)
        all &= context->options.abis;
    if (!all) {
        const char *nearest[3];
        size_t count = abi_nearest_syscalls(name, nearest, COUNT_OF(nearest));
        report_error(&context->diagnostics, NO_SPAN, "no system call `%s`%s", name,
                     context->options.abis ? " on these ABIs" : "");
        for (size_t i = 0; i < count; i++)
            report_note(&context->diagnostics, NO_SPAN, "did you mean `%s`?", nearest[i]);
        return EXIT_USAGE;
    }
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(all & ABI_BIT(id)))
            continue;
        const struct syscall_entry *call = abi_syscall((enum abi_id)id, name);
        struct buffer names = buffer_new(context->arena);
        for (unsigned other = id; other < ABI_COUNT; other++) {
            const struct syscall_entry *same = abi_syscall((enum abi_id)other, name);
            if (!(all & ABI_BIT(other)) || !same_arguments(call, same))
                continue;
            all &= ~ABI_BIT(other);
            buffer_printf(&names, "%s%s", names.length ? ", " : "",
                          abi_get((enum abi_id)other)->name);
            add_json(context, abi_get((enum abi_id)other)->name, same);
        }
        if (!context->options.json)
            print_prototype(buffer_string(&names), call);
    }
    return EXIT_HOLDS;
}

/* ---- by the policy
 * ------------------------------------------------------------------------------------------ */

static void print_place(const struct span *span)
{
    if (!span->source)
        return;
    struct position at = source_position(span->source, span->begin);
    printf("  %s:%u:%u\n", span->source->name, at.line, at.column);
}

/* Rules that are about this number but whose condition the call does not meet. */
static void print_passed_over(struct context *context, const struct policy *policy,
                              const struct input *input, uint32_t decided)
{
    struct place place = policy_place(policy, input->arch, input->nr);
    const struct abi_view *view = place.abi == ABI_NONE ? NULL : policy_view(policy, place.abi);
    for (size_t i = 0; view && i < view->clause_count; i++) {
        const struct clause *clause = &view->clauses[i];
        if (clause->rule >= decided || input->nr < clause->first || input->nr > clause->last)
            continue;
        struct buffer condition = buffer_new(context->arena);
        condition_print(&condition, clause->when, view->abi, input->nr);
        printf("  before it, not met: %s\n    because not %s\n", policy->rules[clause->rule].text,
               buffer_string(&condition));
    }
}

static void explain_policy(struct context *context, const struct policy *policy,
                           const struct input *input)
{
    struct decision decision = policy_eval(policy, input);
    const char *verdict = verdict_text(context, decision.word, input, policy->big_endian);
    const char *text;
    struct span span = NO_SPAN;
    bool by_rule = decision.rule < policy->rule_count;
    if (by_rule) {
        text = policy->rules[decision.rule].text;
        span = policy->rules[decision.rule].span;
    } else if (decision.rule == DECIDED_BY_FOREIGN) {
        text = "foreign: no declared ABI has this arch and number";
        span = policy->foreign_span;
    } else if (decision.rule == DECIDED_BY_UNKNOWN) {
        text = "unknown: the ABI's table does not have this number";
    } else {
        text = "default: no rule matches";
    }
    set_text(context, "verdict", verdict);
    json_object_set_new(context->json, "word", json_hex(decision.word));
    set_text(context, "rule", text);
    if (span.source) {
        struct position at = source_position(span.source, span.begin);
        set_text(context, "file", span.source->name);
        json_object_set_new(context->json, "line", json_integer(at.line));
    }
    if (context->options.json)
        return;
    printf("%s: %s\nby the rule: %s\n", call_text(context, input, policy->abis, policy->big_endian),
           verdict, text);
    print_place(&span);
    print_passed_over(context, policy, input, by_rule ? decision.rule : UINT32_MAX);
}

/* ---- the command
 * ------------------------------------------------------------------------------------------- */

enum exit_code run_explain(struct context *context)
{
    struct options *o = &context->options;
    if (o->args_of && o->argument_count == 0)
        return explain_arguments(context);
    if (o->argument_count != 2 || o->args_of) {
        report_error(&context->diagnostics, NO_SPAN,
                     "explain takes FILTER and CALL, or --args NAME alone");
        return EXIT_USAGE;
    }
    struct filter filter;
    struct call call;
    struct load_options options = load_options_of(context);
    options.inspect = true;
    result r = load_argument(context, 0, &filter);
    if (worked(r))
        r = filter_compile(context->arena, &filter, &options, &context->diagnostics);
    if (failed(r))
        return exit_of(r);
    r = call_parse(context->arena, o->arguments[1], default_abi(filter.declared),
                   &context->diagnostics, &call);
    if (failed(r))
        return exit_of(r);
    json_object_set_new(context->json, "input",
                        json_input(context, &call.input, filter.declared, filter.big_endian));
    if (filter.policy)
        explain_policy(context, filter.policy, &call.input);
    explain_programs(context, &filter, &call.input);
    return EXIT_HOLDS;
}
