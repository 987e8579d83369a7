/* A tree to a policy: header, definitions, then the rules in their order, each for every ABI of its
 * scope. */
#include "lang/resolve.h"

#include "lang/multiplexer.h"

/* What a policy's header says, each statement at most once. */
struct header {
    const struct statement *policy, *abi, *foreign, *default_, *unknown;
    const struct statement *defaults[ABI_COUNT], *unknowns[ABI_COUNT]; /* of `on` blocks */
};

/* ---- ABIs
 * -----------------------------------------------------------------------------------------------------------
 */

abi_set abis_of(const struct abi_word *words)
{
    abi_set set = 0;
    for (; words; words = words->next) {
        const struct abi *abi = abi_by_name(words->name);
        if (abi)
            set |= ABI_BIT(abi->id);
    }
    return set;
}

static const char *nearest_abi(const char *name)
{
    static const struct {
        const char *other, *name;
    } others[] = {{"amd64", "x86_64"}, {"x64", "x86_64"},        {"arm64", "aarch64"},
                  {"x86", "i386"},     {"i686", "i386"},         {"ia32", "i386"},
                  {"armhf", "arm"},    {"mips64n32", "mipsn32"}, {"native", "x86_64"}};
    const char *best = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (!strcmp(others[i].other, name))
            return others[i].name;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        unsigned distance = name_distance(name, abi_get((enum abi_id)id)->name, 2);
        if (distance < least) {
            least = distance;
            best = abi_get((enum abi_id)id)->name;
        }
    }
    return best;
}

void check_abis(struct resolver *resolver, const struct abi_word *words)
{
    abi_set seen = 0;
    for (; words; words = words->next) {
        const struct abi *abi = abi_by_name(words->name);
        if (!abi) {
            const char *nearest = nearest_abi(words->name);
            report_error(resolver->diagnostics, words->span, "there is no ABI `%s`", words->name);
            if (nearest)
                report_note(resolver->diagnostics, NO_SPAN, "did you mean `%s`?", nearest);
        } else if (seen & ABI_BIT(abi->id)) {
            report_warning(resolver->diagnostics, words->span, "`%s` is named twice", words->name);
        }
        seen |= abi ? ABI_BIT(abi->id) : 0;
    }
}

static void check_endianness(struct resolver *resolver, const struct abi_word *words)
{
    const struct abi *first = NULL;
    for (; words; words = words->next) {
        const struct abi *abi = abi_by_name(words->name);
        if (!abi)
            continue;
        if (first && abi->big_endian != first->big_endian) {
            report_error(resolver->diagnostics, words->span,
                         "`%s` is %s-endian and `%s` is not: one filter serves one "
                         "endianness",
                         abi->name, abi->big_endian ? "big" : "little", first->name);
            report_note(resolver->diagnostics, NO_SPAN, "compile one filter for each endianness");
            return;
        }
        first = first ? first : abi;
    }
}

/* ---- definitions and the header
 * ---------------------------------------------------------------------------------------- */

static void define(struct resolver *resolver, struct definitions *definitions,
                   const struct statement *statement)
{
    const struct definition *before = definitions_find(definitions, statement->name);
    if (!before) {
        definitions_add(resolver->arena, definitions, statement);
        return;
    }
    report_error(resolver->diagnostics, statement->name_span, "`%s` is defined twice",
                 statement->name);
    report_note(resolver->diagnostics, before->statement->name_span, "it was defined here first");
}

static void set_once(struct resolver *resolver, const struct statement **place,
                     const struct statement *statement)
{
    if (!*place) {
        *place = statement;
        return;
    }
    report_error(resolver->diagnostics, statement->span, "this is set twice");
    report_note(resolver->diagnostics, (*place)->span, "it was set here first");
}

static const struct statement **header_place(struct header *header,
                                             const struct statement *statement)
{
    switch (statement->kind) {
    case STATEMENT_POLICY:
        return &header->policy;
    case STATEMENT_ABI:
        return &header->abi;
    case STATEMENT_FOREIGN:
        return &header->foreign;
    case STATEMENT_DEFAULT:
        return &header->default_;
    case STATEMENT_UNKNOWN:
        return &header->unknown;
    default:
        return NULL;
    }
}

static void read_settings_of_block(struct resolver *resolver, struct header *header,
                                   const struct statement *on)
{
    abi_set abis = abis_of(on->abis);
    for (const struct statement *s = on->block; s; s = s->next)
        for (unsigned id = 0; id < ABI_COUNT; id++) {
            if (!(abis & ABI_BIT(id)))
                continue;
            if (s->kind == STATEMENT_DEFAULT)
                set_once(resolver, &header->defaults[id], s);
            if (s->kind == STATEMENT_UNKNOWN)
                set_once(resolver, &header->unknowns[id], s);
        }
}

static void check_block(struct resolver *resolver, const struct statement *on, bool included)
{
    static const char *const reasons[STATEMENT_COUNT] = {
        [STATEMENT_POLICY] = "a policy's name belongs at the top",
        [STATEMENT_ABI] = "ABIs are declared at the top",
        [STATEMENT_FOREIGN] =
            "`foreign` is about inputs of no declared ABI, and belongs at the top",
        [STATEMENT_INCLUDE] = "`include` cannot stand in an `on` block",
        [STATEMENT_CONST] = "a const holds on every ABI, and is defined outside of `on`",
        [STATEMENT_GROUP] = "a group holds on every ABI, and is defined outside of `on`",
        [STATEMENT_ON] = "`on` blocks cannot be nested",
        [STATEMENT_RAW] = "`raw` is a rule over every input, and stands outside of `on`",
    };
    for (const struct statement *s = on->block; s; s = s->next) {
        struct span span = s->kind == STATEMENT_ON ? s->name_span : s->span;
        bool setting = s->kind == STATEMENT_DEFAULT || s->kind == STATEMENT_UNKNOWN;
        if (reasons[s->kind])
            report_error(resolver->diagnostics, span, "%s", reasons[s->kind]);
        else if (setting && (included || resolver->assertions))
            report_error(resolver->diagnostics, span,
                         included ? "an included file has no header: it cannot set this"
                                  : "a file of assertions sets nothing");
    }
}

static void check_kind(struct resolver *resolver, const struct statement *s, bool included)
{
    static const char *const names[STATEMENT_COUNT] = {
        [STATEMENT_POLICY] = "policy",   [STATEMENT_ABI] = "abi",
        [STATEMENT_FOREIGN] = "foreign", [STATEMENT_DEFAULT] = "default",
        [STATEMENT_UNKNOWN] = "unknown",
    };
    if (included && names[s->kind]) {
        report_error(resolver->diagnostics, s->span,
                     "an included file has no header: `%s` belongs to the policy "
                     "that includes it",
                     names[s->kind]);
    } else if (resolver->assertions &&
               (names[s->kind] || s->kind == STATEMENT_RULE || s->kind == STATEMENT_RAW)) {
        report_error(resolver->diagnostics, s->span,
                     "a file of assertions holds `prove` statements, groups and consts: "
                     "no header and no rules");
    }
}

/* First walk: everything that may be used before it is defined. */
static void read_definitions(struct resolver *resolver, const struct tree *tree,
                             struct header *header, bool included)
{
    for (const struct statement *s = tree->statements; s; s = s->next) {
        const struct statement **place = header_place(header, s);
        check_kind(resolver, s, included);
        if (place && !included)
            set_once(resolver, place, s);
        else if (s->kind == STATEMENT_CONST)
            define(resolver, &resolver->consts, s);
        else if (s->kind == STATEMENT_GROUP)
            define(resolver, &resolver->groups, s);
        else if (s->kind == STATEMENT_INCLUDE && s->included)
            read_definitions(resolver, s->included, header, true);
        if (s->kind == STATEMENT_ABI || s->kind == STATEMENT_ON)
            check_abis(resolver, s->abis);
        if (s->kind == STATEMENT_ON) {
            check_block(resolver, s, included);
            read_settings_of_block(resolver, header, s);
        }
    }
}

/* ---- rules
 * -----------------------------------------------------------------------------------------------------------------
 */

static uint32_t add_rule(struct resolver *resolver, const struct statement *statement)
{
    uint32_t rule = (uint32_t)resolver->rules.count;
    vector_push(resolver->arena, &resolver->rules,
                (struct rule_info){statement->span, statement_text(resolver->arena, statement)});
    return rule;
}

/* The clauses of one member on every ABI of the scope; returns how many. */
static size_t add_clauses(struct resolver *resolver, uint32_t rule, const struct member *member,
                          const uint32_t *words, bool *fine)
{
    size_t count = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        range_list ranges = {0};
        if (!(resolver->scope & ABI_BIT(id)))
            continue;
        *fine &= resolve_member(resolver, member, (enum abi_id)id, false, &ranges);
        count += ranges.count;
        for (size_t i = 0; i < ranges.count; i++)
            if (ranges.items[i].when->kind != CONDITION_FALSE)
                vector_push(resolver->arena, &resolver->clauses[id],
                            (struct clause){rule, ranges.items[i].first, ranges.items[i].last,
                                            ranges.items[i].when, words[id]});
    }
    return count;
}

static void warn_unreached_numbers(struct resolver *resolver, const struct member *member)
{
    struct problem *p =
        problem_warning(resolver, member->item->name_span, ABI_NONE,
                        "no declared ABI here has these numbers: nothing comes of it");
    if (resolver->scope & (ABI_BIT(ABI_X32) | ABI_BIT(ABI_X86_64)))
        problem_note(resolver, p, NO_SPAN,
                     "x32's numbers have bit 30 set: 0x40000000 and up; x86_64's have not");
}

static void resolve_members(struct resolver *resolver, const struct statement *statement,
                            const struct statement *on, uint32_t rule, const uint32_t *words)
{
    member_list members = {0};
    size_t errors = resolver->diagnostics->errors, warnings = resolver->diagnostics->warnings,
           total = 0;
    bool fine = true;
    check_target(resolver, statement->target,
                 on ? abis_of(on->abis) & resolver->declared : resolver->declared);
    expand_target(resolver, statement->target, &members);
    for (size_t i = 0; i < members.count; i++) {
        const struct member *member = &members.items[i];
        size_t count = add_clauses(resolver, rule, member, words, &fine);
        total += count;
        if (!count && fine && member->item->kind == ITEM_NUMBERS)
            warn_unreached_numbers(resolver, member);
        note_restriction(resolver, &statement->action, member, resolver->scope);
    }
    problems_flush(resolver);
    if (members.count && !total && fine && errors == resolver->diagnostics->errors &&
        warnings == resolver->diagnostics->warnings && !resolver->broken &&
        resolver->abis == resolver->declared)
        report_warning(resolver->diagnostics, statement->span,
                       "nothing in this rule exists on %s: it never applies",
                       abi_names(resolver->arena, resolver->scope));
}

static void resolve_rule(struct resolver *resolver, const struct statement *statement,
                         const struct statement *on)
{
    uint32_t words[ABI_COUNT] = {0}, rule = add_rule(resolver, statement);
    resolver->scope = resolver->abis & (on ? abis_of(on->abis) : resolver->abis);
    if (!resolver->scope) { /* its names are still checked */
        check_target(resolver, statement->target, 0);
        return;
    }
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (resolver->scope & ABI_BIT(id))
            resolve_action(resolver, &statement->action, (enum abi_id)id, &words[id]);
    resolve_members(resolver, statement, on, rule, words);
}

static void resolve_raw_rule(struct resolver *resolver, const struct statement *statement)
{
    uint32_t rule = add_rule(resolver, statement), word = 0;
    resolver->scope = resolver->declared;
    const struct condition *when = statement->value
                                       ? resolve_raw_condition(resolver, statement->value)
                                       : condition_true(resolver);
    const struct word *value = NULL;
    if (statement->action.ret)
        value = resolve_raw_word(resolver, statement->action.data);
    else if (resolve_action(resolver, &statement->action, ABI_NONE, &word))
        value = word_of_value(resolver, word);
    problems_flush(resolver);
    if (when && value)
        vector_push(resolver->arena, &resolver->raw_rules, (struct raw_rule){rule, when, value});
}

static void resolve_statement(struct resolver *resolver, const struct statement *statement,
                              const struct statement *on)
{
    switch (statement->kind) {
    case STATEMENT_RULE:
        resolve_rule(resolver, statement, on);
        break;
    case STATEMENT_RAW:
        resolve_raw_rule(resolver, statement);
        break;
    case STATEMENT_NEVER:
    case STATEMENT_ALWAYS:
    case STATEMENT_AT_MOST:
        resolve_goal(resolver, statement, on);
        break;
    default:
        break;
    }
}

/* A block none of whose ABIs is declared: in a shared file that is its purpose, in the policy
 * itself a slip. */
static void warn_undeclared_block(struct resolver *resolver, const struct statement *on)
{
    abi_set abis = abis_of(on->abis);
    bool rules = false;
    for (const struct statement *s = on->block; s; s = s->next)
        rules |= s->kind == STATEMENT_RULE || s->kind == STATEMENT_DEFAULT ||
                 s->kind == STATEMENT_UNKNOWN;
    if (abis && rules && !(abis & resolver->declared))
        report_warning(resolver->diagnostics, on->name_span,
                       "%s is not declared: nothing comes of this block",
                       abi_names(resolver->arena, abis));
}

/* Second walk. */
static void resolve_statements(struct resolver *resolver, const struct tree *tree, bool included)
{
    for (const struct statement *s = tree->statements; s; s = s->next) {
        if (s->kind == STATEMENT_INCLUDE && s->included) {
            resolve_statements(resolver, s->included, true);
        } else if (s->kind == STATEMENT_ON) {
            if (!included)
                warn_undeclared_block(resolver, s);
            for (const struct statement *inner = s->block; inner; inner = inner->next)
                if (inner->kind != STATEMENT_RAW)
                    resolve_statement(resolver, inner, s);
        } else {
            resolve_statement(resolver, s, NULL);
        }
    }
}

/* ---- settings
 * --------------------------------------------------------------------------------------------------------------
 */

static uint32_t setting_word(struct resolver *resolver, const struct statement *statement,
                             enum abi_id abi)
{
    uint32_t word = action_get(ACTION_KILL_PROCESS)->word;
    if (statement)
        resolve_action(resolver, &statement->action, abi, &word);
    return word;
}

static const struct statement *first_of(const struct statement *a, const struct statement *b,
                                        const struct statement *c)
{
    return a ? a : b ? b : c;
}

static void make_views(struct resolver *resolver, const struct header *header)
{
    struct policy *policy = resolver->policy;
    policy->views = NEW_ARRAY(resolver->arena, struct abi_view, ABI_COUNT);
    resolver->scope = resolver->abis;
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        if (!(resolver->abis & ABI_BIT(id)))
            continue;
        const struct statement *known = first_of(header->defaults[id], header->default_, NULL);
        const struct statement *unknown = first_of(header->unknowns[id], header->unknown, known);
        policy->views[policy->view_count++] = (struct abi_view){
            .abi = (enum abi_id)id,
            .clauses = resolver->clauses[id].items,
            .clause_count = resolver->clauses[id].count,
            .default_word = setting_word(resolver, known, (enum abi_id)id),
            .unknown_word = setting_word(resolver, unknown, (enum abi_id)id),
        };
    }
    policy->foreign_word = setting_word(resolver, header->foreign, ABI_NONE);
    problems_flush(resolver);
}

static const char *name_from_path(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path,
               *dot = strrchr(base, '.');
    return arena_string(arena, base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

static void check_default(struct resolver *resolver, const struct header *header)
{
    abi_set without = 0;
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if ((resolver->declared & ABI_BIT(id)) && !header->default_ && !header->defaults[id])
            without |= ABI_BIT(id);
    if (!without || resolver->lost & LOST_DEFAULT)
        return;
    report_error(resolver->diagnostics, header->abi->span,
                 "`default` is missing: what a known call gets that no rule "
                 "matches");
    report_note(resolver->diagnostics, NO_SPAN,
                "write default errno(EPERM), or default kill_process");
}

static bool read_header(struct resolver *resolver, struct header *header, abi_set narrow)
{
    struct span top = {resolver->tree->source, 0, 0};
    if (!header->abi) {
        if (!(resolver->lost & LOST_ABI)) {
            report_error(resolver->diagnostics, top,
                         "`abi` is missing: which system call interfaces the policy is for");
            report_note(resolver->diagnostics, NO_SPAN, "write abi x86_64, or a list");
        }
        return false;
    }
    check_endianness(resolver, header->abi->abis);
    resolver->declared = abis_of(header->abi->abis);
    resolver->abis = narrow ? resolver->declared & narrow : resolver->declared;
    if (!resolver->declared)
        return false;
    check_default(resolver, header);
    if (!resolver->abis)
        report_error(resolver->diagnostics, header->abi->span, "the policy does not declare %s",
                     abi_names(resolver->arena, narrow));
    for (unsigned id = ABI_COUNT; id-- > 0;)
        if (resolver->abis & ABI_BIT(id))
            resolver->big_endian = abi_get((enum abi_id)id)->big_endian;
    return resolver->abis != 0;
}

static void fill_policy(struct resolver *resolver, const struct header *header)
{
    struct policy *policy = resolver->policy;
    policy->name = header->policy ? header->policy->name
                                  : name_from_path(resolver->arena, resolver->tree->source->name);
    policy->abis = resolver->abis;
    policy->big_endian = resolver->big_endian;
    policy->raw_rules = resolver->raw_rules.items;
    policy->raw_rule_count = resolver->raw_rules.count;
    policy->rules = resolver->rules.items;
    policy->rule_count = resolver->rules.count;
    policy->goals = resolver->goals.items;
    policy->goal_count = resolver->goals.count;
    policy->header_span = header->abi->span;
    policy->foreign_span = header->foreign ? header->foreign->span : header->abi->span;
    make_views(resolver, header);
}

static struct resolver *new_resolver(struct arena *arena, const struct tree *tree,
                                     struct diagnostics *diagnostics)
{
    struct resolver *resolver = NEW(arena, struct resolver);
    resolver->arena = arena;
    resolver->diagnostics = diagnostics;
    resolver->tree = tree;
    resolver->broken = tree->broken;
    resolver->lost = tree->lost;
    return resolver;
}

result policy_resolve(struct arena *arena, const struct tree *tree, abi_set narrow,
                      struct diagnostics *diagnostics, struct policy **policy)
{
    size_t errors = diagnostics->errors;
    struct header header = {.abi = NULL};
    struct resolver *resolver = new_resolver(arena, tree, diagnostics);
    resolver->policy = NEW(arena, struct policy);
    read_definitions(resolver, tree, &header, false);
    if (read_header(resolver, &header, narrow)) {
        resolver->scope = resolver->declared;
        check_consts(resolver);
        check_groups(resolver);
        resolve_statements(resolver, tree, false);
        fill_policy(resolver, &header);
        if (diagnostics->errors == errors)
            warn_multiplexers(resolver, resolver->policy);
    }
    diagnostics_sort(diagnostics);
    *policy = resolver->policy;
    return diagnostics->errors > errors || tree->broken ? FAILURE(ERROR_INPUT) : SUCCESS;
}

result policy_read(struct arena *arena, const struct source *source, abi_set narrow,
                   struct diagnostics *diagnostics, struct policy **policy)
{
    struct tree *tree;
    result parsed = policy_parse(arena, source, diagnostics, &tree);
    result resolved = policy_resolve(arena, tree, narrow, diagnostics, policy);
    return failed(parsed) ? parsed : resolved;
}

result assertions_read(struct arena *arena, const struct source *source, abi_set declared,
                       bool big_endian, struct diagnostics *diagnostics, const struct goal **goals,
                       size_t *count)
{
    size_t errors = diagnostics->errors;
    struct header header = {.abi = NULL};
    struct tree *tree;
    result parsed = policy_parse(arena, source, diagnostics, &tree);
    struct resolver *resolver = new_resolver(arena, tree, diagnostics);
    resolver->assertions = true;
    resolver->declared = resolver->abis = resolver->scope = declared;
    resolver->big_endian = big_endian;
    read_definitions(resolver, tree, &header, false);
    check_consts(resolver);
    check_groups(resolver);
    resolve_statements(resolver, tree, false);
    diagnostics_sort(diagnostics);
    *goals = resolver->goals.items;
    *count = resolver->goals.count;
    if (failed(parsed))
        return parsed;
    return diagnostics->errors > errors ? FAILURE(ERROR_INPUT) : SUCCESS;
}
