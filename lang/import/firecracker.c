/* Profiles of Firecracker and of the seccompiler crate to policy text. */
#include "lang/import/firecracker_profile.h"
#include "lang/import/policy_text.h"

/* Calls that nobody knows are reported one by one up to here. */
#define UNKNOWN_CALLS_MOST 20
#define THREADS_SHOWN_MOST 20

/* What becomes of a rule. */
enum fate {
    FATE_WRITTEN,
    FATE_UNKNOWN, /* nobody knows its call */
    FATE_COVERED, /* a rule without conditions says as much */
    FATE_NEVER    /* no call satisfies it */
};

struct placed_rule {
    const struct firecracker_rule *rule;
    const struct syscall_entry *call; /* of a rule that is not UNKNOWN */
    enum fate fate;
    const char *condition; /* NULL: every call matches */
};

/* The first rules of a call that let every one of it match; NULL: none. */
struct decided {
    const struct placed_rule *bare;  /* it has no conditions */
    const struct placed_rule *alone; /* it is bare, or its conditions always hold */
};

struct import {
    struct arena *arena;
    struct diagnostics *diagnostics;
    enum abi_id abi;
    const struct firecracker_filter *filter;
    struct placed_rule *rules; /* as many as the filter has, in its order */
    struct decided *decided;   /* by the call's place in the ABI's table */
    size_t unknown;
};

/* ---- which filter
 * ------------------------------------------------------------------------------------ */

static void list_threads(struct arena *arena, const struct firecracker_profile *profile,
                         struct diagnostics *diagnostics)
{
    struct buffer names = buffer_new(arena);
    for (size_t i = 0; i < profile->filter_count && i < THREADS_SHOWN_MOST; i++)
        buffer_printf(&names, "%s `%s`", i ? "," : "",
                      import_printable(arena, profile->filters[i].thread.text));
    if (profile->filter_count > THREADS_SHOWN_MOST)
        buffer_printf(&names, " and %zu more", profile->filter_count - THREADS_SHOWN_MOST);
    report_note(diagnostics, NO_SPAN, "it has filters for:%s", buffer_string(&names));
}

static const struct firecracker_filter *choose(struct arena *arena, const struct source *source,
                                               const struct firecracker_profile *profile,
                                               const char *thread, struct diagnostics *diagnostics)
{
    if (!thread && profile->filter_count == 1)
        return &profile->filters[0];
    for (size_t i = 0; thread && i < profile->filter_count; i++)
        if (!strcmp(profile->filters[i].thread.text, thread))
            return &profile->filters[i];
    if (thread)
        report_error(diagnostics, NO_SPAN, "%s: no filter for thread `%s`", source->name, thread);
    else
        report_error(diagnostics, NO_SPAN,
                     "%s has a filter for each of %zu threads: --thread says which", source->name,
                     profile->filter_count);
    list_threads(arena, profile, diagnostics);
    return NULL;
}

/* ---- what becomes of each rule
 * ----------------------------------------------------------------------- */

static bool permits(const struct import *i)
{
    enum action match = action_of_word(i->filter->match_word, NULL)->action;
    return match == ACTION_ALLOW || match == ACTION_LOG;
}

/* To leave out a call of which a rule says more than the rest of the filter is a hole; to leave out
 * one that it permits is none. */
static void report_unknown(struct import *i, const struct firecracker_rule *rule)
{
    if (i->unknown++ >= UNKNOWN_CALLS_MOST)
        return;
    if (permits(i))
        report_remark(i->diagnostics, rule->call.span, "unknown call \"%s\", left out",
                      rule->call.text);
    else
        report_warning(i->diagnostics, rule->call.span,
                       "unknown call \"%s\", left out: it gets what numbers without a name get",
                       rule->call.text);
}

static void find_call(struct import *i, struct placed_rule *placed)
{
    const struct firecracker_rule *rule = placed->rule;
    placed->call = abi_syscall(i->abi, rule->call.text);
    if (placed->call)
        return;
    placed->fate = FATE_UNKNOWN;
    if (!abi_syscall_anywhere(rule->call.text))
        report_unknown(i, rule);
}

/* A profile is for one machine, all its filters are. */
static result check_machine(const struct firecracker_profile *profile, enum abi_id abi,
                            struct diagnostics *diagnostics)
{
    size_t before = diagnostics->errors;
    for (size_t f = 0; f < profile->filter_count; f++) {
        for (size_t r = 0; r < profile->filters[f].rule_count; r++) {
            const struct import_text *call = &profile->filters[f].rules[r].call;
            if (!abi_syscall(abi, call->text) && abi_syscall_anywhere(call->text))
                report_error(diagnostics, call->span, "%s is no call of %s", call->text,
                             abi_get(abi)->name);
        }
    }
    if (diagnostics->errors == before)
        return SUCCESS;
    report_note(diagnostics, NO_SPAN, "a profile is for one machine; --arch says for which");
    return FAILURE(ERROR_INPUT);
}

static void find_condition(struct import *i, struct placed_rule *placed)
{
    const struct firecracker_rule *rule = placed->rule;
    struct import_view view = {i->abi, placed->call};
    if (!rule->comparisons.count)
        return;
    struct import_condition condition =
        import_condition(i->arena, &rule->comparisons, &view, NULL, i->diagnostics);
    bool contradicts = import_contradicts_itself(&rule->comparisons);
    if (contradicts)
        report_warning(i->diagnostics, rule->span,
                       "no call satisfies all the conditions of this entry");
    if (contradicts || condition.outcome == IMPORT_NEVER)
        placed->fate = FATE_NEVER;
    else if (condition.outcome == IMPORT_SOMETIMES)
        placed->condition = condition.text;
}

static struct decided *decided_of(const struct import *i, const struct placed_rule *placed)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(i->abi, &count);
    return &i->decided[abi_syscall_at(i->abi, placed->call->nr) - table];
}

static void decide(const struct import *i, const struct placed_rule *placed)
{
    struct decided *decided = decided_of(i, placed);
    if (!placed->rule->comparisons.count && !decided->bare)
        decided->bare = placed;
    if (placed->fate == FATE_WRITTEN && !placed->condition && !decided->alone)
        decided->alone = placed;
}

/* The format's text says that any rule that matches is enough. Its own compiler drops a rule
 * without conditions where the call has rules with some, be they such as never hold; those that go
 * through libseccomp do as the text says. */
static void cover(struct import *i, struct placed_rule *placed)
{
    const struct decided *decided = decided_of(i, placed);
    const struct placed_rule *alone = decided->bare ? decided->bare : decided->alone;
    bool is_written = placed->fate == FATE_WRITTEN;
    if (is_written && decided->alone && decided->alone != placed)
        placed->fate = FATE_COVERED;
    if (!placed->rule->comparisons.count || !alone || alone == placed ||
        (!decided->bare && !is_written))
        return;
    report_warning(i->diagnostics, placed->rule->span,
                   "these conditions decide nothing: another entry lets every %s match",
                   placed->rule->call.text);
    report_note(i->diagnostics, alone->rule->span, "%s",
                decided->bare
                    ? "that entry; seccompiler itself drops it, and lets the conditions decide"
                    : "that entry");
}

static void place_rules(struct import *i)
{
    size_t calls;
    (void)abi_syscalls(i->abi, &calls);
    i->rules = NEW_ARRAY(i->arena, struct placed_rule, i->filter->rule_count);
    i->decided = NEW_ARRAY(i->arena, struct decided, calls);
    for (size_t r = 0; r < i->filter->rule_count; r++) {
        struct placed_rule *placed = &i->rules[r];
        placed->rule = &i->filter->rules[r];
        find_call(i, placed);
        if (placed->fate == FATE_WRITTEN)
            find_condition(i, placed);
        if (placed->call)
            decide(i, placed);
    }
    for (size_t r = 0; r < i->filter->rule_count; r++)
        if (i->rules[r].call)
            cover(i, &i->rules[r]);
    if (i->unknown > UNKNOWN_CALLS_MOST)
        report(i->diagnostics, permits(i) ? SEVERITY_NOTE : SEVERITY_WARNING, NO_SPAN,
               "%zu more unknown calls, left out", i->unknown - UNKNOWN_CALLS_MOST);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

static const char *action_text(const struct import *i, uint32_t word)
{
    return import_action_text(i->arena, word, &i->abi, 1);
}

static void write_header(const struct import *i, const struct source *source, struct buffer *out)
{
    const char *file = import_file_name(i->arena, source);
    const char *thread = import_printable(i->arena, i->filter->thread.text);
    const char *stem = arena_printf(i->arena, "%.*s_%s", (int)strcspn(file, "."), file, thread);
    buffer_printf(out, "# Made from %s, a seccompiler profile: its filter \"%s\", on %s.\n", file,
                  thread, abi_get(i->abi)->name);
    buffer_printf(out, "policy %s\n\nabi %s\nforeign kill_process\ndefault %s\n",
                  import_policy_name(i->arena, stem), abi_get(i->abi)->name,
                  action_text(i, i->filter->mismatch_word));
}

/* What the arguments' own comments say, as a comment behind the rule. */
static void write_argument_comments(const struct import *i, const struct firecracker_rule *rule,
                                    struct buffer *out)
{
    const char *before = "  # ";
    for (size_t c = 0; c < rule->comparisons.count; c++) {
        if (!rule->comments[c])
            continue;
        buffer_printf(out, "%s%s", before, import_printable(i->arena, rule->comments[c]));
        before = ", ";
    }
}

static void write_rule(const struct import *i, const struct placed_rule *placed, struct buffer *out)
{
    buffer_printf(out, "%s %s", action_text(i, i->filter->match_word), placed->rule->call.text);
    if (placed->condition)
        buffer_printf(out, "(%s)", placed->condition);
    write_argument_comments(i, placed->rule, out);
    buffer_text(out, "\n");
}

static bool is_bare(const struct placed_rule *placed)
{
    return !placed->rule->comparisons.count && !placed->rule->comment;
}

/* Rules with a comment, and lists, stand apart; what else is about the call before stands with it.
 */
static void write_rules(const struct import *i, const struct placed_rule **rules, size_t count,
                        struct buffer *out)
{
    const struct import_text **calls = NEW_ARRAY(i->arena, const struct import_text *, count);
    const char *last = NULL; /* the call that a paragraph is about; NULL: of several */
    bool apart = true;
    for (size_t r = 0; r < count;) {
        const struct placed_rule *placed = rules[r];
        size_t bare = 0;
        while (r + bare < count && is_bare(rules[r + bare])) {
            calls[bare] = &rules[r + bare]->rule->call;
            bare++;
        }
        bool same_call = last && !strcmp(last, placed->rule->call.text);
        if (bare > 1 || placed->rule->comment || (apart && !same_call))
            buffer_text(out, "\n");
        if (placed->rule->comment)
            buffer_printf(out, "# %s\n", import_printable(i->arena, placed->rule->comment));
        if (bare)
            import_write_calls(out, action_text(i, i->filter->match_word), calls, bare);
        else
            write_rule(i, placed, out);
        apart = bare > 1 || placed->rule->comment || (apart && same_call);
        last = bare > 1 ? NULL : placed->rule->call.text;
        r += bare ? bare : 1;
    }
}

static void write_policy(const struct import *i, const struct source *source, struct buffer *out)
{
    const struct placed_rule **written =
        NEW_ARRAY(i->arena, const struct placed_rule *, i->filter->rule_count);
    size_t count = 0;
    for (size_t r = 0; r < i->filter->rule_count; r++)
        if (i->rules[r].fate == FATE_WRITTEN)
            written[count++] = &i->rules[r];
    write_header(i, source, out);
    write_rules(i, written, count, out);
    import_write_canonically(i->arena, out);
}

result import_firecracker(struct arena *arena, const struct source *source,
                          const struct import_options *options, struct diagnostics *diagnostics,
                          struct buffer *policy_text)
{
    struct json_node *root;
    struct firecracker_profile profile;
    struct import i = {.arena = arena,
                       .diagnostics = diagnostics,
                       .abi = options->arch == ABI_NONE ? abi_native() : options->arch};
    result r = json_document(arena, source, diagnostics, &root);
    if (worked(r))
        r = firecracker_profile_read(arena, root, diagnostics, &profile);
    if (worked(r))
        r = check_machine(&profile, i.abi, diagnostics);
    if (failed(r))
        return r;
    i.filter = choose(arena, source, &profile, options->thread, diagnostics);
    if (!i.filter)
        return FAILURE(ERROR_INPUT);
    place_rules(&i);
    *policy_text = buffer_new(arena);
    write_policy(&i, source, policy_text);
    return SUCCESS;
}
