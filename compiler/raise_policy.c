/* A whole policy: the plan, its text, and that text in canonical form. */
#include "compiler/raise_plan.h"

/* Steps of merging for all calls together; past them conditions are said as they stand in the DAG.
 */
#define STEPS_MOST 5000000u

static const char *leaf_text(struct plan *plan, const struct dag_node *leaf, enum abi_id abi)
{
    struct buffer text = buffer_new(plan->arena);
    if (!leaf || !leaf_has_name(leaf)) /* raw rules say it then */
        return "kill_process";
    verdict_print(&text, leaf->word, abi);
    return buffer_string(&text);
}

/* ---- the header
 * --------------------------------------------------------------------------------------- */

/* The ABI whose defaults stand in the header: the first that has rules. */
static enum abi_id leading_abi(const struct plan *plan)
{
    enum abi_id first = ABI_NONE;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(plan->declared & ABI_BIT(id)))
            continue;
        if (!plan->abis[id].uniform)
            return (enum abi_id)id;
        first = first == ABI_NONE ? (enum abi_id)id : first;
    }
    return first;
}

static void write_settings(struct plan *plan, struct buffer *out, enum abi_id id)
{
    const struct raised_abi *abi = &plan->abis[id];
    const char *otherwise = leaf_text(plan, abi->otherwise, id);
    const char *unknown = leaf_text(plan, abi->unknown, id);
    buffer_printf(out, "default %s\n", otherwise);
    if (strcmp(otherwise, unknown))
        buffer_printf(out, "unknown %s\n", unknown);
}

static bool has_registers(const struct plan *plan)
{
    static const char *const views[] = {"u64(", "lo32(", "hi32("};
    for (size_t i = 0; i < plan->lines.count; i++)
        for (size_t j = 0; j < COUNT_OF(views); j++) {
            const struct line *line = &plan->lines.items[i];
            if (!line->raw && line->condition && strstr(line->condition, views[j]))
                return true;
        }
    return false;
}

static void write_header(struct plan *plan, struct buffer *out)
{
    const char *joiner = "abi ";
    if (has_registers(plan))
        buffer_text(out,
                    "# u64(), lo32() and hi32() are registers: there the filter looks at other "
                    "bits than the kernel uses.\n");
    buffer_printf(out, "policy \"%s\"\n\n", plan->options->name);
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (plan->declared & ABI_BIT(id)) {
            buffer_printf(out, "%s%s", joiner, abi_get((enum abi_id)id)->name);
            joiner = ", ";
        }
    buffer_printf(out, "\nforeign %s\n", leaf_text(plan, plan->foreign, ABI_NONE));
    write_settings(plan, out, leading_abi(plan));
    buffer_text(out, "\n");
}

/* ABIs whose defaults are others. Those that one rule decides have no use for them. */
static void write_other_settings(struct plan *plan, struct buffer *out)
{
    enum abi_id leading = leading_abi(plan);
    struct buffer usual = buffer_new(plan->arena);
    write_settings(plan, &usual, leading);
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        struct buffer own = buffer_new(plan->arena);
        if (!plan->abis[id].declared || plan->abis[id].uniform)
            continue;
        write_settings(plan, &own, (enum abi_id)id);
        if (!strcmp(buffer_string(&usual), buffer_string(&own)))
            continue;
        if (plan->abis[id].otherwise == plan->abis[id].unknown) /* may not be the header's */
            buffer_printf(&own, "unknown %s\n",
                          leaf_text(plan, plan->abis[id].unknown, (enum abi_id)id));
        buffer_printf(out, "on %s {\n%s}\n\n", abi_get((enum abi_id)id)->name, buffer_string(&own));
    }
}

/* ---- the text
 * ----------------------------------------------------------------------------------------- */

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 0;
    while (*text) {
        size_t length = strcspn(text, "\n"), blanks = strspn(text, " ");
        lines += blanks < length && text[blanks] != '#';
        text += length + (text[length] == '\n');
    }
    return lines;
}

/* The printer's form, which has the lines that a person can read. */
static result canonical(struct arena *arena, struct buffer *draft, struct diagnostics *diagnostics,
                        struct raised_policy *raised)
{
    const struct source *source =
        source_from_text(arena, "<raised>", buffer_string(draft), draft->length);
    struct tree *tree = NULL;
    result r = policy_parse(arena, source, diagnostics, &tree);
    if (failed(r))
        return r;
    struct buffer text = buffer_new(arena);
    policy_print(&text, tree);
    raised->text = buffer_string(&text);
    raised->lines = count_lines(raised->text);
    return SUCCESS;
}

result raise_policy(struct arena *arena, const struct dag *dag, const struct dag_node *root,
                    const struct raise_options *options, struct diagnostics *diagnostics,
                    struct raised_policy *raised)
{
    struct plan plan = {.arena = arena,
                        .options = options,
                        .big_endian = dag_big_endian(dag),
                        .root = root,
                        .steps = STEPS_MOST};
    struct buffer draft = buffer_new(arena);
    if (options->way == RAISE_WHOLE || !plan_header(&plan, root))
        plan_no_header(&plan);
    const char *why = plan_lines(&plan);
    if (why) {
        report_error(diagnostics, NO_SPAN, "%s cannot be written as a policy: %s", options->name,
                     why);
        return FAILURE(ERROR_LIMIT);
    }
    write_header(&plan, &draft);
    write_other_settings(&plan, &draft);
    write_rules(&plan, &draft);
    raised->raw_rules = plan.raw_rules;
    raised->raw_reasons = plan.reasons.items;
    raised->reason_count = plan.reasons.count;
    return canonical(arena, &draft, diagnostics, raised);
}
