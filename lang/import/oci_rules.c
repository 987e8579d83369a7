#include "lang/import/oci_rules.h"

#include <stdlib.h>

static bool same_conditions(const struct oci_entry *a, const struct oci_entry *b)
{
    if (a->comparisons.count != b->comparisons.count)
        return false;
    for (size_t i = 0; i < a->comparisons.count; i++) {
        const struct import_comparison *x = &a->comparisons.items[i], *y = &b->comparisons.items[i];
        if (x->index != y->index || x->operator!= y->operator|| x->value != y->value ||
                                    x->value_two != y->value_two)
            return false;
    }
    return true;
}

/* ---- occurrences: a name in an entry
 * ------------------------------------------------------------------------ */

struct occurrence {
    const struct import_text *name;
    size_t statement; /* index */
    const struct oci_entry *entry;
};

struct occurrences {
    struct occurrence *items;
    size_t count, capacity;
};

/* By name, then in the order of the profile: names of one entry lie in one array. */
static int compare_occurrences(const void *a, const void *b)
{
    const struct occurrence *x = a, *y = b;
    int order = strcmp(x->name->text, y->name->text);
    if (order)
        return order;
    if (x->statement != y->statement)
        return x->statement < y->statement ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static abi_set served(const struct oci_target *target)
{
    abi_set set = 0;
    for (size_t i = 0; i < target->abi_count; i++)
        set |= ABI_BIT(target->abis[i]);
    return set;
}

struct gathering {
    struct arena *arena;
    const struct oci_profile *profile;
    const struct oci_target *target;
    struct diagnostics *diagnostics;
    struct oci_statement *statements;
    size_t statement_count;
    struct occurrences occurrences;
    size_t unknown_names; /* met so far */
    size_t work_left;     /* pairs of comparisons that may still be looked at for overlaps */
};

/* Names that exist nowhere, one note each up to here. */
#define UNKNOWN_NAMES_MOST 100
/* Enough for every profile that a person wrote; one that a machine made may have thousands of
 * entries a call. */
#define OVERLAP_WORK_MOST ((size_t)20000000)

/* Whether no call satisfies both entries, as far as single arguments show it. */
static bool entries_contradict(struct gathering *g, const struct oci_entry *a,
                               const struct oci_entry *b)
{
    size_t work = a->comparisons.count * b->comparisons.count;
    if (work > g->work_left) {
        report_remark(g->diagnostics, NO_SPAN,
                      "too many conditions to look for entries that overlap");
        return true;
    }
    g->work_left -= work;
    for (size_t i = 0; i < a->comparisons.count; i++)
        for (size_t j = 0; j < b->comparisons.count; j++)
            if (import_contradict(&a->comparisons.items[i], &b->comparisons.items[j]))
                return true;
    return false;
}

/* A call that none of the served ABIs has is left out without a word: profiles list all machines'
 * calls. */
static void gather_name(struct gathering *g, const struct import_text *name, size_t statement)
{
    abi_set anywhere = abi_syscall_anywhere(name->text);
    if (!anywhere && g->unknown_names++ < UNKNOWN_NAMES_MOST)
        report_remark(g->diagnostics, name->span, "unknown call \"%s\", left out", name->text);
    if (anywhere & served(g->target))
        vector_push(g->arena, &g->occurrences,
                    (struct occurrence){name, statement, g->statements[statement].entry});
}

static void gather(struct gathering *g)
{
    g->statements = NEW_ARRAY(g->arena, struct oci_statement, g->profile->entry_count);
    for (size_t i = 0; i < g->profile->entry_count; i++) {
        const struct oci_entry *entry = &g->profile->entries[i];
        oci_filter_remarks(&entry->includes, g->diagnostics);
        oci_filter_remarks(&entry->excludes, g->diagnostics);
        if (!oci_entry_applies(g->target, entry))
            continue;
        g->statements[g->statement_count].entry = entry;
        for (size_t n = 0; n < entry->names.count; n++)
            gather_name(g, &entry->names.items[n], g->statement_count);
        g->statement_count++;
    }
    if (g->unknown_names > UNKNOWN_NAMES_MOST)
        report_remark(g->diagnostics, NO_SPAN, "%zu more unknown calls, left out",
                      g->unknown_names - UNKNOWN_NAMES_MOST);
    if (g->occurrences.count)
        qsort(g->occurrences.items, g->occurrences.count, sizeof *g->occurrences.items,
              compare_occurrences);
}

/* ---- deciding one call
 * ---------------------------------------------------------------------------------------- */

static bool is_skipped(const struct gathering *g, const struct occurrence *o)
{
    return o->entry->word == g->profile->default_word;
}

static const struct occurrence *find_unconditional(const struct gathering *g,
                                                   const struct occurrence *o, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!o[i].entry->comparisons.count && !is_skipped(g, &o[i]))
            return &o[i];
    return NULL;
}

static void report_loser(struct gathering *g, const struct occurrence *loser,
                         const struct occurrence *winner, const char *why)
{
    report_warning(g->diagnostics, loser->name->span, "this entry does not decide %s: %s",
                   loser->name->text, why);
    report_note(g->diagnostics, winner->name->span, "the entry that does");
}

/* Entries that the reader may take to matter and that the runtimes drop. A default action after the
 * last entry that decides loses nothing. */
static void report_skipped(struct gathering *g, const struct occurrence *o, size_t count,
                           const struct occurrence *winner)
{
    for (size_t i = 0; i < count; i++)
        if (is_skipped(g, &o[i]) && &o[i] < winner &&
            !entries_contradict(g, o[i].entry, winner->entry))
            report_loser(g, &o[i], winner, "runtimes skip entries with the default action");
}

static void decide_alone(struct gathering *g, const struct occurrence *o, size_t count,
                         const struct occurrence *winner)
{
    vector_push(g->arena, &g->statements[winner->statement].calls, winner->name);
    for (size_t i = 0; i < count; i++)
        if (!is_skipped(g, &o[i]) && o[i].entry->word != winner->entry->word)
            report_loser(g, &o[i], winner,
                         o[i].entry->comparisons.count
                             ? "the runtimes let an entry without conditions win"
                             : "the runtimes let the first entry without conditions win");
    report_skipped(g, o, count, winner);
}

static bool in_chain(const struct oci_chain *chain, const struct oci_entry *entry)
{
    for (size_t i = 0; i < chain->count; i++)
        if (chain->entries[i]->word == entry->word && same_conditions(chain->entries[i], entry))
            return true;
    return false;
}

static void report_overlaps(struct gathering *g, const struct occurrence *o, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_skipped(g, &o[i]) || o[i].entry->word == o[at].entry->word ||
            entries_contradict(g, o[i].entry, o[at].entry))
            continue;
        report_warning(g->diagnostics, o[at].name->span,
                       "two entries with different actions for %s can match the same call; here "
                       "the first decides",
                       o[at].name->text);
        report_note(g->diagnostics, o[i].name->span, "the first of them");
        return;
    }
}

static void decide_by_conditions(struct gathering *g, const struct occurrence *o, size_t count)
{
    struct oci_chain chain = {o->name->text, NEW_ARRAY(g->arena, const struct oci_entry *, count),
                              0};
    const struct occurrence *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (is_skipped(g, &o[i]) || in_chain(&chain, o[i].entry))
            continue;
        first = first ? first : &o[i];
        report_skipped(g, o, i, &o[i]);
        report_overlaps(g, o, i);
        chain.entries[chain.count++] = o[i].entry;
    }
    if (first)
        vector_push(g->arena, &g->statements[first->statement].chains, chain);
}

static int by_place(const void *a, const void *b)
{
    const struct import_text *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void decide(struct gathering *g, const struct occurrence *o, size_t count)
{
    const struct occurrence *winner = find_unconditional(g, o, count);
    if (winner)
        decide_alone(g, o, count, winner);
    else if (count > OCI_CHAIN_MOST)
        report_error(g->diagnostics, o[OCI_CHAIN_MOST].name->span, "more than %d entries for %s",
                     OCI_CHAIN_MOST, o->name->text);
    else
        decide_by_conditions(g, o, count);
}

result oci_rules(struct arena *arena, const struct oci_profile *profile,
                 const struct oci_target *target, struct diagnostics *diagnostics,
                 struct oci_statement **statements, size_t *count)
{
    struct gathering g = {.arena = arena,
                          .profile = profile,
                          .target = target,
                          .diagnostics = diagnostics,
                          .work_left = OVERLAP_WORK_MOST};
    size_t before = diagnostics->errors;
    gather(&g);
    for (size_t begin = 0, end; begin < g.occurrences.count; begin = end) {
        const struct occurrence *o = &g.occurrences.items[begin];
        for (end = begin + 1; end < g.occurrences.count; end++)
            if (strcmp(g.occurrences.items[end].name->text, o->name->text))
                break;
        decide(&g, o, end - begin);
    }
    /* Calls were decided in the order of their names; the profile's own order is the one to print.
     */
    for (size_t i = 0; i < g.statement_count; i++)
        if (g.statements[i].calls.count)
            qsort(g.statements[i].calls.items, g.statements[i].calls.count,
                  sizeof(const struct import_text *), by_place);
    *statements = g.statements;
    *count = g.statement_count;
    return diagnostics->errors == before ? SUCCESS : FAILURE(ERROR_INPUT);
}
