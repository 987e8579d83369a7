#include "cli/cli.h"

#define CALLS_SHOWN 8u      /* in text; --json has them all */
#define SECONDS_DEFAULT 8.0 /* real filters take a tenth; one made to be hard gets no more */
#define TESTS_SHOWN 6u      /* of a path, from its end */

/* ---- --accept -------------------------------------------------------------------------------- */

static const char *next_class(struct context *context, const char **text)
{
    size_t length = strcspn(*text, ",");
    const char *word = arena_string(context->arena, *text, length);
    *text += length;
    *text += **text == ',';
    return word;
}

static bool check_accepted(struct context *context)
{
    const char *text = context->options.accepted;
    while (text && *text) {
        const char *word = next_class(context, &text);
        if (audit_property_named(word))
            continue;
        report_error(&context->diagnostics, NO_SPAN,
                     "--accept: no class `%s`: they are 1 to 29, or an id that a finding shows",
                     word);
        return false;
    }
    return true;
}

static bool is_accepted(struct context *context, const struct audit_property *property)
{
    const char *text = context->options.accepted;
    while (text && *text)
        if (audit_property_named(next_class(context, &text)) == property)
            return true;
    return false;
}

/* ---- the path -------------------------------------------------------------------------------- */

struct passed_path {
    const struct program *program;
    uint32_t *trace;
    struct run run;
    bool decides;
};

static struct passed_path path_through(struct context *context, const struct side *side,
                                       size_t index, const struct input *input)
{
    struct passed_path path = {.program = &side->programs[index]};
    path.trace = NEW_ARRAY(context->arena, uint32_t, path.program->length);
    path.run = interpret(path.program, input, path.trace, path.program->length);
    struct stack_run stack = interpret_stack(side->programs, side->program_count, input);
    path.decides = side->program_count == 1 || stack.decided_by == index;
    return path;
}

static const char *instruction_text(struct context *context, const struct program *program,
                                    uint32_t pc)
{
    struct buffer text = buffer_new(context->arena);
    disassemble_instruction(&text, program, pc);
    return buffer_string(&text);
}

static json_t *json_path(struct context *context, const struct side *side,
                         const struct input *input)
{
    json_t *programs = json_array();
    for (size_t i = 0; i < side->program_count; i++) {
        struct passed_path path = path_through(context, side, i, input);
        json_t *object = json_object(), *steps = json_array();
        json_object_set_new(object, "program", json_string(path.program->name));
        json_object_set_new(object, "decides", json_boolean(path.decides));
        json_object_set_new(object, "word", json_hex(path.run.word));
        for (uint32_t at = 0; at < path.run.executed; at++)
            json_array_append_new(
                steps, json_pack("{s:i, s:s}", "instruction", (int)path.trace[at], "text",
                                 instruction_text(context, path.program, path.trace[at])));
        json_object_set_new(object, "path", steps);
        json_array_append_new(programs, object);
    }
    return programs;
}

/* A comparison that was made and did not hold says little where a chain has many. */
static bool is_passed(const struct passed_path *path, uint32_t at)
{
    uint32_t pc = path->trace[at];
    const struct sock_filter *f = &path->program->code[pc];
    const struct instruction_info *info = instruction_info(f->code);
    return info->operation == OP_JUMP_EQUAL && at + 1 < path->run.executed &&
           path->trace[at + 1] == pc + 1 + f->jf;
}

static void print_path(struct context *context, const struct passed_path *path)
{
    uint32_t passed = 0;
    for (uint32_t at = 0; at < path->run.executed; at++) {
        bool last = at + TESTS_SHOWN >= path->run.executed;
        if (!last && is_passed(path, at)) {
            passed++;
            continue;
        }
        if (passed)
            printf("          ... %u comparison%s not met\n", passed, passed == 1 ? "" : "s");
        passed = 0;
        printf("    %4u  %s\n", path->trace[at],
               instruction_text(context, path->program, path->trace[at]));
    }
}

static void print_paths(struct context *context, const struct side *side, const struct input *input)
{
    for (size_t i = 0; i < side->program_count; i++) {
        struct passed_path path = path_through(context, side, i, input);
        if (side->program_count > 1 && !path.decides)
            continue;
        printf("  decided at instruction %u of %s:\n", path.run.last, path.program->name);
        print_path(context, &path);
    }
    if (side->program_count < 2)
        return;
    struct stack_run run = interpret_stack(side->programs, side->program_count, input);
    for (size_t i = 0; i < side->program_count && run.decided_by == side->program_count; i++) {
        struct passed_path path = path_through(context, side, i, input);
        printf("  %s: allow at instruction %u\n", path.program->name, path.run.last);
    }
}

/* ---- findings -------------------------------------------------------------------------------- */

static const char *audit_call_text(struct context *context, const struct audit_call *call)
{
    if (call->abi == ABI_NONE)
        return "numbers of other ABIs";
    const char *abi = abi_get(call->abi)->name;
    if (call->name)
        return arena_printf(context->arena, "%s:%s", abi, call->name);
    const char *number = arena_printf(context->arena, "%d", (int)call->nr);
    if (call->nr >= X32_BIT && call->nr != NR_SKIP)
        number = arena_printf(context->arena, "0x%x", call->nr);
    return arena_printf(context->arena, "%s:nr(%s)%s%s", abi, number, call->was ? " was " : "",
                        call->was ? call->was : "");
}

static json_t *json_witness(struct context *context, const struct audit_witness *witness,
                            const struct audit *audit, bool big_endian)
{
    json_t *object = json_input(context, &witness->input, audit->declared, big_endian);
    json_object_set_new(
        object, "verdict",
        json_string(verdict_text(context, witness->word, &witness->input, big_endian)));
    json_object_set_new(object, "word", json_hex(witness->word));
    if (witness->says)
        json_object_set_new(object, "says", json_string(witness->says));
    return object;
}

static json_t *json_finding(struct context *context, const struct audit *audit,
                            const struct audit_finding *finding, bool big_endian)
{
    const struct audit_property *property = finding->property;
    json_t *object = json_object(), *calls = json_array();
    json_object_set_new(object, "class", json_integer(property->number));
    json_object_set_new(object, "id", json_string(property->id));
    json_object_set_new(object, "severity", json_string(audit_severity_name(property->severity)));
    json_object_set_new(object, "title", json_string(property->title));
    json_object_set_new(object, "subject", json_string(finding->subject));
    json_object_set_new(object, "detail", json_string(finding->detail));
    for (size_t i = 0; i < finding->call_count; i++)
        json_array_append_new(calls, json_string(audit_call_text(context, &finding->calls[i])));
    json_object_set_new(object, "calls", calls);
    json_object_set_new(object, "witness",
                        json_witness(context, &finding->witness, audit, big_endian));
    if (finding->has_other)
        json_object_set_new(object, "other",
                            json_witness(context, &finding->other, audit, big_endian));
    json_object_set_new(object, "verdict",
                        json_string(verdict_text(context, finding->witness.word,
                                                 &finding->witness.input, big_endian)));
    json_object_set_new(object, "statement", json_string(property->statement));
    json_object_set_new(object, "explanation", json_string(property->why));
    json_object_set_new(object, "fix", json_string(property->fix));
    json_object_set_new(object, "accepted", json_boolean(is_accepted(context, property)));
    json_object_set_new(object, "replayed_on", json_string(finding->side->name));
    json_object_set_new(object, "path", json_path(context, finding->side, &finding->witness.input));
    return object;
}

/* Folds long text at spaces. */
static void print_folded(const char *label, const char *text)
{
    size_t column = (size_t)printf("  %s: ", label), indent = column;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column + length > 100 && column > indent) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        }
        printf("%.*s", (int)length, text);
        column += length;
        text += length;
        if (*text == ' ') {
            putchar(' ');
            column++;
            text++;
        }
    }
    putchar('\n');
}

static void print_witness(struct context *context, const char *label,
                          const struct audit_witness *witness, const struct audit *audit,
                          bool big_endian)
{
    printf("  %s: %s gets %s%s%s%s\n", label,
           call_text(context, &witness->input, audit->declared, big_endian),
           verdict_text(context, witness->word, &witness->input, big_endian),
           witness->says ? " (" : "", witness->says ? witness->says : "", witness->says ? ")" : "");
}

static void print_finding(struct context *context, const struct audit *audit,
                          const struct audit_finding *finding, bool big_endian)
{
    const struct audit_property *property = finding->property;
    struct buffer calls = buffer_new(context->arena);
    printf("\n%s: %s (class %u, %s)%s\n", audit_severity_name(property->severity), property->title,
           property->number, property->id, is_accepted(context, property) ? ", accepted" : "");
    print_folded("found", finding->detail);
    for (size_t i = 0; i < finding->call_count && i < CALLS_SHOWN; i++)
        buffer_printf(&calls, "%s%s", i ? ", " : "", audit_call_text(context, &finding->calls[i]));
    if (finding->call_count > CALLS_SHOWN)
        buffer_printf(&calls, " and %zu more", finding->call_count - CALLS_SHOWN);
    if (finding->call_count)
        print_folded("calls", buffer_string(&calls));
    print_witness(context, "witness", &finding->witness, audit, big_endian);
    if (finding->has_other)
        print_witness(context, "beside", &finding->other, audit, big_endian);
    print_paths(context, finding->side, &finding->witness.input);
    print_folded("why", property->why);
    print_folded("repair", property->fix);
}

static void print_summary(const struct audit *audit, size_t accepted)
{
    size_t counts[AUDIT_SEVERITY_COUNT] = {0}, all;
    audit_properties(&all);
    for (size_t i = 0; i < audit->finding_count; i++)
        counts[audit->findings[i].property->severity]++;
    printf("\n%zu finding%s", audit->finding_count, audit->finding_count == 1 ? "" : "s");
    const char *before = ": ";
    for (unsigned severity = 0; severity < AUDIT_SEVERITY_COUNT; severity++) {
        if (!counts[severity])
            continue;
        printf("%s%zu %s", before, counts[severity],
               audit_severity_name((enum audit_severity)severity));
        before = ", ";
    }
    if (accepted)
        printf(" (%zu accepted)", accepted);
    printf("; %u of %zu classes asked, %zu not decided (%.0f ms)\n", audit->asked, all,
           audit->unknown_count, milliseconds(audit->ns));
}

static void print_audit(struct context *context, const struct filter *filter,
                        const struct audit *audit, size_t accepted)
{
    printf("%s: about %s%s\n", filter->name, abi_names_of(context->arena, audit->declared),
           context->options.abis || context->options.policy || filter->policy
               ? ""
               : " (by the tokens that it compares, or this machine's; --abi says otherwise)");
    if (audit->unrestricted)
        printf(
            "  it denies no call of %s: there is nothing to go around, and what lies beside is not "
            "asked\n",
            abi_names_of(context->arena, audit->unrestricted));
    for (size_t i = 0; i < audit->finding_count; i++)
        print_finding(context, audit, &audit->findings[i], filter->big_endian);
    for (size_t i = 0; i < audit->unknown_count; i++)
        printf("\nUNKNOWN: %s (class %u, %s): %s\n", audit->unknown[i].property->title,
               audit->unknown[i].property->number, audit->unknown[i].property->id,
               audit->unknown[i].reason);
    print_summary(audit, accepted);
}

static void fill_json(struct context *context, const struct filter *filter,
                      const struct audit *audit)
{
    json_t *findings = json_array(), *unknown = json_array();
    for (size_t i = 0; i < audit->finding_count; i++)
        json_array_append_new(
            findings, json_finding(context, audit, &audit->findings[i], filter->big_endian));
    for (size_t i = 0; i < audit->unknown_count; i++)
        json_array_append_new(unknown, json_pack("{s:i, s:s, s:s}", "class",
                                                 (int)audit->unknown[i].property->number, "id",
                                                 audit->unknown[i].property->id, "reason",
                                                 audit->unknown[i].reason));
    json_object_set_new(context->json, "abis", json_abis(audit->declared));
    json_object_set_new(context->json, "denies_nothing_of", json_abis(audit->unrestricted));
    json_object_set_new(context->json, "findings", findings);
    json_object_set_new(context->json, "unknown", unknown);
    json_object_set_new(context->json, "asked", json_integer(audit->asked));
    json_object_set_new(context->json, "audit_ms", json_real(milliseconds(audit->ns)));
    json_object_set_new(context->json, "solver_questions",
                        json_integer((json_int_t)audit->questions));
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Loads a file beside the filter; `argument` NULL: none was given. */
static result load_beside(struct context *context, const char *argument, struct filter *filter,
                          const struct filter **loaded)
{
    struct load_options load = load_options_of(context);
    *loaded = NULL;
    if (!argument)
        return SUCCESS;
    load.format = FORMAT_UNKNOWN;
    result r = filter_load(context->arena, argument, &load, &context->diagnostics, filter);
    if (worked(r))
        *loaded = filter;
    return r;
}

static result load_all(struct context *context, struct filter *filter, struct filter *policy_filter,
                       struct filter *against_filter, const struct filter **policy,
                       const struct filter **against)
{
    struct load_options load = load_options_of(context);
    load.inspect = true; /* a finding is what this is for, not an error */
    result r = load_argument(context, 0, filter);
    if (worked(r))
        r = filter_compile(context->arena, filter, &load, &context->diagnostics);
    if (worked(r))
        r = load_beside(context, context->options.policy, policy_filter, policy);
    if (worked(r))
        r = load_beside(context, context->options.against, against_filter, against);
    if (worked(r) && *policy && !(*policy)->policy) {
        report_error(&context->diagnostics, NO_SPAN,
                     "%s is a blob; --policy wants a policy, and --against compares with a blob",
                     (*policy)->name);
        r = FAILURE(ERROR_INPUT);
    }
    return r;
}

enum exit_code run_audit(struct context *context)
{
    struct filter filter, policy_filter, against_filter;
    const struct filter *policy, *against;
    struct audit audit;
    if (!check_accepted(context))
        return EXIT_USAGE;
    if (!context->options.timeout_given)
        context->deadline = deadline_in(SECONDS_DEFAULT);
    result r = load_all(context, &filter, &policy_filter, &against_filter, &policy, &against);
    if (worked(r))
        r = audit_filter(context->arena, &filter, policy, against, context->options.abis,
                         context->deadline, &context->diagnostics, &audit);
    if (failed(r))
        return exit_of(r);
    size_t accepted = 0;
    for (size_t i = 0; i < audit.finding_count; i++)
        accepted += is_accepted(context, audit.findings[i].property);
    bool findings = accepted < audit.finding_count;
    set_text(context, "result", findings ? "FINDINGS" : audit.unknown_count ? "UNKNOWN" : "CLEAN");
    if (context->options.json)
        fill_json(context, &filter, &audit);
    else
        print_audit(context, &filter, &audit, accepted);
    return findings ? EXIT_REFUTED : audit.unknown_count ? EXIT_UNKNOWN : EXIT_HOLDS;
}
