/* OCI and Docker seccomp profiles to policy text. */
#include "lang/import/oci_multiplexers.h"
#include "lang/import/oci_rules.h"
#include "lang/import/policy_text.h"

struct writer {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct oci_target *target;
    const char *file; /* the last part of its name, printable */
    struct buffer *out;
};

static const char *action_text(const struct writer *w, uint32_t word)
{
    return import_action_text(w->arena, word, w->target->abis, w->target->abi_count);
}

/* ---- header
 * ----------------------------------------------------------------------------------------------------
 */

static void write_origin(struct writer *w, size_t capability_count)
{
    buffer_printf(w->out, "# Made from %s, an OCI seccomp profile,\n# for a container on %s, ",
                  w->file, abi_get(w->target->arch)->name);
    if (w->target->kernel_major || w->target->kernel_minor)
        buffer_printf(w->out, "Linux %u.%u, ", w->target->kernel_major, w->target->kernel_minor);
    else
        buffer_text(w->out, "the newest kernel, ");
    buffer_text(w->out, capability_count ? "with" : "without capabilities");
    for (size_t i = 0; i < capability_count; i++)
        buffer_printf(w->out, "%s %s", i ? "," : "",
                      import_printable(w->arena, w->target->capabilities[i]));
    buffer_text(w->out, ".\n");
}

static void write_header(struct writer *w, const struct oci_profile *profile)
{
    write_origin(w, w->target->capability_count);
    buffer_printf(w->out, "policy %s\n\nabi ", import_policy_name(w->arena, w->file));
    for (size_t i = 0; i < w->target->abi_count; i++)
        buffer_printf(w->out, "%s%s", i ? ", " : "", abi_get(w->target->abis[i])->name);
    buffer_printf(w->out, "\nforeign kill_thread\ndefault %s\n",
                  action_text(w, profile->default_word));
}

/* ---- comments: why the entry is here
 * ------------------------------------------------------------------------------ */

static void join(struct writer *w, struct buffer *line, const char *intro,
                 const struct import_texts *texts)
{
    if (!texts->count)
        return;
    buffer_printf(line, "%s%s", line->length ? "; " : "", intro);
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(line, "%s %s", i ? "," : "",
                      import_printable(w->arena, texts->items[i].text));
}

static void join_kernel(struct buffer *line, const char *intro, const struct oci_filter *filter)
{
    if (filter->has_kernel)
        buffer_printf(line, "%s%s %u.%u", line->length ? "; " : "", intro, filter->kernel_major,
                      filter->kernel_minor);
}

static void write_comments(struct writer *w, const struct oci_entry *entry)
{
    struct buffer why = buffer_new(w->arena);
    join(w, &why, "with", &entry->includes.capabilities);
    join(w, &why, "without", &entry->excludes.capabilities);
    join(w, &why, "on", &entry->includes.arches);
    join(w, &why, "not on", &entry->excludes.arches);
    join_kernel(&why, "from kernel", &entry->includes);
    join_kernel(&why, "before kernel", &entry->excludes);
    if (entry->comment)
        buffer_printf(w->out, "# %s\n", import_printable(w->arena, entry->comment));
    if (why.length)
        buffer_printf(w->out, "# %s\n", buffer_string(&why));
}

/* ---- rules
 * -----------------------------------------------------------------------------------------------------------
 */

struct alternatives {
    struct import_condition *items;
    size_t count;
    bool always; /* one of them holds whatever the arguments are */
};

static bool all_equal_one_operand(const struct alternatives *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (!a->items[i].equal_operand ||
            strcmp(a->items[i].equal_operand, a->items[0].equal_operand))
            return false;
    return a->count > 1;
}

static bool value_repeats(const struct alternatives *a, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!strcmp(a->items[i].equal_value, a->items[at].equal_value))
            return true;
    return false;
}

static void put_alternatives(struct buffer *out, const struct alternatives *a)
{
    if (all_equal_one_operand(a)) {
        buffer_printf(out, "%s in {", a->items[0].equal_operand);
        for (size_t i = 0; i < a->count; i++)
            if (!value_repeats(a, i))
                buffer_printf(out, "%s %s", i ? "," : "", a->items[i].equal_value);
        buffer_text(out, " }");
        return;
    }
    for (size_t i = 0; i < a->count; i++) {
        bool grouped = a->items[i].conjunction && a->count > 1;
        buffer_printf(out, "%s%s%s%s", i ? " || " : "", grouped ? "(" : "", a->items[i].text,
                      grouped ? ")" : "");
    }
}

/* The alternatives of a run of entries with one action, from `*at` on, which moves past the run. */
static struct alternatives run_of(struct writer *w, const struct oci_chain *chain, size_t *at,
                                  const struct import_view *view, const struct import_view *first)
{
    struct alternatives a = {NEW_ARRAY(w->arena, struct import_condition, chain->count - *at), 0,
                             false};
    uint32_t word = chain->entries[*at]->word;
    for (; *at < chain->count && chain->entries[*at]->word == word; ++*at) {
        struct import_condition condition = import_condition(
            w->arena, &chain->entries[*at]->comparisons, view, first, w->diagnostics);
        if (import_contradicts_itself(&chain->entries[*at]->comparisons))
            continue;
        a.always = a.always || condition.outcome == IMPORT_ALWAYS;
        if (condition.outcome == IMPORT_SOMETIMES)
            a.items[a.count++] = condition;
    }
    return a;
}

/* A chain's rules on one ABI, a line each; after a rule without condition the rest is never
 * reached. */
static const char *chain_text(struct writer *w, const struct oci_chain *chain,
                              const struct import_view *view, const struct import_view *first)
{
    struct buffer text = buffer_new(w->arena);
    for (size_t at = 0; at < chain->count;) {
        const char *action = action_text(w, chain->entries[at]->word);
        struct alternatives a = run_of(w, chain, &at, view, first);
        if (a.always) {
            buffer_printf(&text, "%s %s\n", action, chain->call);
            break;
        }
        if (!a.count)
            continue;
        buffer_printf(&text, "%s %s(", action, chain->call);
        put_alternatives(&text, &a);
        buffer_text(&text, ")\n");
    }
    return buffer_string(&text);
}

static void write_indented(struct writer *w, const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n") + 1;
        buffer_printf(w->out, "    %.*s", (int)length, lines);
        lines += length;
    }
}

/* A block for the ABI at `i` and for those after it that have the same rules, which are then done.
 */
static void write_block(struct writer *w, const char **texts, size_t i)
{
    buffer_printf(w->out, "on %s", abi_get(w->target->abis[i])->name);
    for (size_t j = i + 1; j < w->target->abi_count; j++) {
        if (!texts[j] || strcmp(texts[i], texts[j]))
            continue;
        buffer_printf(w->out, ", %s", abi_get(w->target->abis[j])->name);
        texts[j] = NULL;
    }
    buffer_text(w->out, " {\n");
    write_indented(w, texts[i]);
    buffer_text(w->out, "}\n");
}

/* One rule for all ABIs where they agree; else a block for each group that does. */
static void write_chain(struct writer *w, const struct oci_chain *chain)
{
    const char *texts[ABI_COUNT] = {NULL};
    struct import_view first = {ABI_NONE, NULL};
    const char *first_text = NULL;
    bool alike = true;
    for (size_t i = 0; i < w->target->abi_count; i++) {
        struct import_view view = {w->target->abis[i],
                                   abi_syscall(w->target->abis[i], chain->call)};
        if (!view.call)
            continue;
        texts[i] = chain_text(w, chain, &view, first_text ? &first : NULL);
        alike = alike && (!first_text || !strcmp(first_text, texts[i]));
        if (!first_text) {
            first = view;
            first_text = texts[i];
        }
    }
    if (alike) {
        buffer_text(w->out, first_text ? first_text : "");
        return;
    }
    for (size_t i = 0; i < w->target->abi_count; i++)
        if (texts[i] && *texts[i])
            write_block(w, texts, i);
}

static bool has_comments(const struct oci_entry *entry)
{
    const struct oci_filter *in = &entry->includes, *out = &entry->excludes;
    return entry->comment || in->capabilities.count || in->arches.count || in->has_kernel ||
           out->capabilities.count || out->arches.count || out->has_kernel;
}

/* Old files have one entry for each call: neighbours that only name calls, for one action, become
 * one list. */
static size_t merge_neighbours(struct writer *w, struct oci_statement *statements, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct oci_statement *next = &statements[i];
        struct oci_statement *last = kept ? &statements[kept - 1] : NULL;
        if (!next->calls.count && !next->chains.count)
            continue;
        bool mergeable = last && !last->chains.count && !next->chains.count &&
                         !has_comments(last->entry) && !has_comments(next->entry) &&
                         last->entry->word == next->entry->word;
        if (!mergeable)
            statements[kept++] = *next;
        else
            for (size_t c = 0; c < next->calls.count; c++)
                vector_push(w->arena, &last->calls, next->calls.items[c]);
    }
    return kept;
}

/* Rules of a line each stand together; what has a comment stands apart. Conditions that never hold
 * leave nothing. */
static void write_statements(struct writer *w, struct oci_statement *statements, size_t count)
{
    struct buffer *whole = w->out;
    bool apart = true;
    for (size_t i = 0; i < count; i++) {
        const struct oci_statement *statement = &statements[i];
        struct buffer rules = buffer_new(w->arena);
        w->out = &rules;
        if (statement->calls.count)
            import_write_calls(w->out, action_text(w, statement->entry->word),
                               (const struct import_text *const *)statement->calls.items,
                               statement->calls.count);
        for (size_t c = 0; c < statement->chains.count; c++)
            write_chain(w, &statement->chains.items[c]);
        w->out = whole;
        if (!rules.length)
            continue;
        bool set_off = statement->calls.count > 1 || has_comments(statement->entry);
        if (apart || set_off)
            buffer_text(w->out, "\n");
        write_comments(w, statement->entry);
        buffer_text(w->out, buffer_string(&rules));
        apart = set_off;
    }
}

static void report_contradictions(const struct oci_statement *statements, size_t count,
                                  struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < count; i++)
        if (import_contradicts_itself(&statements[i].entry->comparisons))
            report_warning(diagnostics, statements[i].entry->span,
                           "no call satisfies all the conditions of this entry");
}

static struct oci_target target_of(const struct import_options *options)
{
    return (struct oci_target){
        .arch = options->arch == ABI_NONE ? abi_native() : options->arch,
        .kernel_major = options->kernel_major,
        .kernel_minor = options->kernel_minor,
        .capabilities = options->capabilities,
        .capability_count = options->capability_count,
    };
}

static result read_profile(struct arena *arena, const struct source *source,
                           struct diagnostics *diagnostics, struct oci_target *target,
                           struct oci_profile *profile)
{
    struct json_node *root;
    result r = json_document(arena, source, diagnostics, &root);
    if (worked(r))
        r = oci_profile_read(arena, root, target->arch, diagnostics, profile);
    if (worked(r))
        r = oci_target_abis(profile, diagnostics, target);
    return r;
}

result import_oci(struct arena *arena, const struct source *source,
                  const struct import_options *options, struct diagnostics *diagnostics,
                  struct buffer *policy_text)
{
    struct oci_profile profile;
    struct oci_statement *statements;
    size_t count;
    struct oci_target target = target_of(options);
    oci_held_remarks(&target, diagnostics);
    result r = read_profile(arena, source, diagnostics, &target, &profile);
    if (worked(r))
        r = oci_rules(arena, &profile, &target, diagnostics, &statements, &count);
    if (failed(r))
        return r;
    report_contradictions(statements, count, diagnostics);
    oci_multiplexer_remarks(&profile, &target, diagnostics);

    *policy_text = buffer_new(arena);
    struct writer w = {arena, diagnostics, &target, import_file_name(arena, source), policy_text};
    write_header(&w, &profile);
    write_statements(&w, statements, merge_neighbours(&w, statements, count));
    import_write_canonically(arena, policy_text);
    return SUCCESS;
}
