/* Calls that do what another call does, and calls that are dangerous by themselves. What is
 * permitted is compared with what is denied on purpose: a filter that denies by default and does
 * not list a newer call has not denied the older one. */
#include "verifier/auditor.h"

static const struct family *families(size_t *count)
{
    return abi_families(count);
}

/* What a reference names on an ABI; false: the ABI has no such call, parameter or constant. */
static bool reference_fact(struct auditor *auditor, enum abi_id abi,
                           const struct call_reference *reference, struct fact *fact)
{
    uint64_t value;
    struct fact *whole = fact_named(auditor, abi, reference->name);
    if (!whole)
        return false;
    if (!reference->value) {
        stance_of(auditor, whole);
        *fact = *whole;
        return true;
    }
    int argument = abi_parameter(whole->entry, reference->parameter);
    if (argument < 0 || !abi_reference_value(abi, reference, &value))
        return false;
    *fact = fact_with(auditor, whole, (unsigned)argument, (uint32_t)value);
    stance_of(auditor, fact);
    struct input *examples[] = {&fact->permitted, &fact->denied};
    for (size_t i = 0; i < COUNT_OF(examples); i++)
        examples[i]->args[argument] = (uint32_t)value;
    return true;
}

/* Denied by more than not being listed. */
static bool is_denied_on_purpose(struct auditor *auditor, enum abi_id abi,
                                 const struct family *family,
                                 const struct call_reference *reference, struct fact *fact)
{
    if (!reference_fact(auditor, abi, reference, fact))
        return false;
    if (fact->stance == STANCE_DENIES) {
        struct fact *whole = fact_named(auditor, abi, reference->name);
        bool singled_out = reference->value && stance_of(auditor, whole) == STANCE_DEPENDS;
        return (singled_out || permits_by_default(auditor, abi)) &&
               is_security_denial(abi, fact->denied_word);
    }
    if (fact->stance != STANCE_DEPENDS || reference->value)
        return false; /* with this value it may be had by the call itself */
    if (family->kind == FAMILY_MULTIPLEXER)
        return true;
    int argument = reference->parameter ? abi_parameter(fact->entry, reference->parameter) : -1;
    return argument >= 0 && uses_argument(fact->honest, (unsigned)argument);
}

/* All calls of a way are permitted; `fact` is the last one. */
static bool is_open(struct auditor *auditor, enum abi_id abi, const struct family *family,
                    const struct call_reference *way, struct fact *fact)
{
    for (; way->name; way++) {
        if (!reference_fact(auditor, abi, way, fact))
            return false;
        bool enough = fact->stance == STANCE_PERMITS ||
                      (family->kind == FAMILY_MULTIPLEXER && fact->stance == STANCE_DEPENDS);
        if (!enough)
            return false;
    }
    return true;
}

static const char *way_text(struct auditor *auditor, const struct call_reference *way)
{
    struct buffer text = buffer_new(auditor->arena);
    for (; way->name; way++) {
        buffer_printf(&text, "%s%s", text.length ? " and " : "", way->name);
        if (way->value)
            buffer_printf(&text, "(%s=%s)", way->parameter, way->value);
    }
    return buffer_string(&text);
}

/* The call that is denied or restricted, by its own number on the ABI of the other way; NULL: that
 * is the same ABI, or not simply permitted there. */
static struct fact *direct_call(struct auditor *auditor, const struct fact *denied,
                                const struct fact *open)
{
    struct fact *direct =
        denied->abi == open->abi ? NULL : fact_named(auditor, open->abi, denied->entry->name);
    return direct && stance_of(auditor, direct) == STANCE_PERMITS ? direct : NULL;
}

static void suspect_way(struct auditor *auditor, const struct family *family,
                        const struct call_reference *denied_reference, const struct fact *denied,
                        const struct call_reference *way, const struct fact *open)
{
    struct suspicion s = {.subject = family->name, .call = call_of(open)};
    const char *how = denied->stance == STANCE_DENIES ? "denied" : "restricted by its arguments";
    const char *what = denied->entry->name;
    if (denied_reference->value)
        what = arena_printf(auditor->arena, "%s(%s=%s)", what, denied_reference->parameter,
                            denied_reference->value);
    if (denied->abi != open->abi)
        how = arena_printf(auditor->arena, "%s on %s", how, abi_get(denied->abi)->name);
    struct fact *direct = direct_call(auditor, denied, open);
    s.detail = arena_printf(auditor->arena, "%s is %s, but %s %s permitted%s: %s", what, how,
                            way_text(auditor, way), way[1].name ? "are" : "is",
                            direct ? ", and so is the call itself" : "", family->why);
    s.input = open->permitted;
    s.other = &denied->denied;
    s.other_says = "what the filter denies";
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
    if (!direct)
        return;
    s.call = call_of(direct);
    s.input = direct->permitted;
    suspect(auditor, &s);
}

/* Every way that is open although this call is denied. */
static void try_ways(struct auditor *auditor, enum abi_id abi, const struct family *family,
                     const struct call_reference *denied_reference, const struct fact *denied)
{
    struct fact open;
    for (size_t i = 0; family->ways[i]; i++)
        if (is_open(auditor, abi, family, family->ways[i], &open))
            suspect_way(auditor, family, denied_reference, denied, family->ways[i], &open);
    for (const struct call_reference *same = family->calls;
         family->kind == FAMILY_EQUAL && same->name; same++) {
        const struct call_reference alone[2] = {{same->name, NULL, NULL}, {NULL, NULL, NULL}};
        if (strcmp(same->name, denied_reference->name) &&
            is_open(auditor, abi, family, alone, &open))
            suspect_way(auditor, family, denied_reference, denied, alone, &open);
    }
}

static void ask_families(struct auditor *auditor, unsigned kinds)
{
    size_t count;
    const struct family *list = families(&count);
    for (size_t i = 0; i < count; i++) {
        const struct family *family = &list[i];
        for (unsigned id = 0; id < ABI_COUNT; id++) {
            enum abi_id abi = (enum abi_id)id;
            struct fact denied;
            if (!(kinds >> family->kind & 1) || is_late(auditor) || !is_declared(auditor, abi) ||
                !(family->abis & ABI_BIT(abi)))
                continue;
            for (const struct call_reference *call = family->calls; call->name; call++)
                if (is_denied_on_purpose(auditor, abi, family, call, &denied))
                    try_ways(auditor, abi, family, call, &denied);
        }
    }
}

void ask_siblings(struct auditor *auditor)
{
    ask_families(auditor, 1u << FAMILY_EQUAL | 1u << FAMILY_STRONGER);
}

void ask_twins(struct auditor *auditor)
{
    ask_families(auditor, 1u << FAMILY_TWIN);
}

/* ---- multiplexers ---------------------------------------------------------------------------- */

/* A member restricted on an ABI that has no multiplexer, while the process may enter by one that
 * has. */
static void try_other_abis(struct auditor *auditor, enum abi_id abi, const struct family *family)
{
    struct fact here, denied;
    if (!is_within_reach(auditor, abi) || !permits_by_default(auditor, abi))
        return;
    bool restricted_here = is_declared(auditor, abi) &&
                           is_denied_on_purpose(auditor, abi, family, family->calls, &here);
    for (unsigned id = 0; id < ABI_COUNT && !restricted_here; id++) {
        enum abi_id other = (enum abi_id)id;
        if (other != abi && is_declared(auditor, other) && is_same_kernel(other, abi) &&
            permits_by_default(auditor, other) &&
            is_denied_on_purpose(auditor, other, family, family->calls, &denied))
            try_ways(auditor, abi, family, family->calls, &denied);
    }
}

void ask_multiplexers(struct auditor *auditor)
{
    size_t count;
    const struct family *list = families(&count);
    ask_families(auditor, 1u << FAMILY_MULTIPLEXER);
    for (size_t i = 0; i < count; i++) {
        const struct family *family = &list[i];
        for (unsigned id = 0; id < ABI_COUNT && family->kind == FAMILY_MULTIPLEXER; id++) {
            enum abi_id abi = (enum abi_id)id;
            struct fact denied;
            if (is_late(auditor))
                return;
            try_other_abis(auditor, abi, family);
            if (!is_declared(auditor, abi) || permits_by_default(auditor, abi) ||
                !reference_fact(auditor, abi, family->calls, &denied) ||
                denied.stance != STANCE_DENIES)
                continue; /* what is not listed is denied, and the multiplexer does it */
            try_ways(auditor, abi, family, family->calls, &denied);
        }
    }
}

bool is_reached_by_multiplexer(struct auditor *auditor, enum abi_id abi, const char *name)
{
    size_t count;
    const struct family *list = families(&count);
    struct fact open;
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == FAMILY_MULTIPLEXER && !strcmp(list[i].calls->name, name) &&
            is_open(auditor, abi, &list[i], list[i].ways[0], &open))
            return true;
    return false;
}

/* ---- io_uring -------------------------------------------------------------------------------- */

/* The operation's effect is not to be had by any call that does the same. */
static bool operation_is_denied(struct auditor *auditor, enum abi_id abi,
                                const struct family *operation, struct fact *denied)
{
    bool any = false;
    for (const struct call_reference *call = operation->calls; call->name; call++) {
        struct fact fact;
        if (!reference_fact(auditor, abi, call, &fact))
            continue;
        if (fact.stance == STANCE_PERMITS || fact.stance == STANCE_UNKNOWN)
            return false;
        bool on_purpose = !permits_by_default(auditor, abi) || fact.stance == STANCE_DEPENDS ||
                          is_security_denial(abi, fact.denied_word);
        if (on_purpose && !any) {
            *denied = fact;
            any = true;
        }
    }
    return any;
}

static void ask_ring(struct auditor *auditor, enum abi_id abi, const struct family *operation)
{
    struct fact setup, denied;
    const struct call_reference *way = operation->ways[0];
    if (!reference_fact(auditor, abi, way, &setup) || !setup.has_permitted ||
        !operation_is_denied(auditor, abi, operation, &denied))
        return;
    struct suspicion s = {.subject = "", .call = call_of(&denied)};
    s.detail =
        arena_printf(auditor->arena, "%s is permitted: a ring does %s, which the filter %s",
                     way->name, denied.entry->name,
                     denied.stance == STANCE_DENIES ? "denies" : "restricts by its arguments");
    s.input = setup.permitted;
    s.other = &denied.denied;
    s.other_says = "what the filter denies";
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
}

void ask_io_uring(struct auditor *auditor)
{
    size_t count;
    const struct family *list = families(&count);
    for (size_t i = 0; i < count; i++)
        for (unsigned id = 0; id < ABI_COUNT && list[i].kind == FAMILY_IO_URING; id++)
            if (is_declared(auditor, (enum abi_id)id) && !is_late(auditor))
                ask_ring(auditor, (enum abi_id)id, &list[i]);
}

/* ---- single calls ---------------------------------------------------------------------------- */

/* clone's flags are its second argument on some ABIs and its first on the others. */
static void look_at_clone(struct auditor *auditor, enum abi_id abi)
{
    struct fact *clone = is_declared(auditor, abi) ? fact_named(auditor, abi, "clone") : NULL;
    int flags = clone ? abi_parameter(clone->entry, "clone_flags") : -1;
    int stack = clone ? abi_parameter(clone->entry, "newsp") : -1;
    int64_t new_user;
    if (flags < 0 || stack < 0 || !abi_constant(abi, "CLONE_NEWUSER", &new_user) ||
        uses_argument(clone->honest, (unsigned)flags) ||
        !uses_argument(clone->honest, (unsigned)stack) ||
        stance_of(auditor, clone) != STANCE_DEPENDS)
        return;
    struct suspicion s = {.subject = "", .call = call_of(clone), .input = clone->permitted};
    s.input.args[flags] |= (uint64_t)new_user;
    s.detail = arena_printf(auditor->arena,
                            "on %s clone's flags are argument %d, and the filter looks at argument "
                            "%d, which is the stack",
                            abi_get(abi)->name, flags, stack);
    s.other = &clone->denied;
    s.other_says = "denied for its stack, whatever its flags";
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
}

void ask_clone_order(struct auditor *auditor)
{
    for (unsigned id = 0; id < ABI_COUNT; id++)
        look_at_clone(auditor, (enum abi_id)id);
}

void ask_ptrace(struct auditor *auditor)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id abi = (enum abi_id)id;
        struct fact *fact = is_declared(auditor, abi) ? fact_named(auditor, abi, "ptrace") : NULL;
        if (!fact || (stance_of(auditor, fact) != STANCE_PERMITS && !fact->has_permitted) ||
            !denies_anything(auditor, abi))
            continue;
        struct suspicion s = {.subject = "", .call = call_of(fact), .input = fact->permitted};
        s.detail = "ptrace is permitted: on kernels before 4.8 a tracer goes around any filter";
        s.relation = relation_of(auditor, MARKED_PERMITS);
        suspect(auditor, &s);
    }
}

#define PERSONALITY_QUERY 0xffffffffu /* personality(2): asks, changes nothing */

/* 1 where the persona is none of the harmless ones: Linux, 32 bits, an old release's name, a query.
 */
static const struct term *unusual_persona(struct auditor *auditor, enum abi_id abi)
{
    struct prover *prover = auditor->prover;
    const struct term *persona = prover->words[FIELD_ARG0_LO], *zero = word_constant(prover, 0);
    int64_t linux_ = 0, linux32 = 0, old_name = 0;
    abi_constant(abi, "PER_LINUX", &linux_);
    abi_constant(abi, "PER_LINUX32", &linux32);
    abi_constant(abi, "UNAME26", &old_name);
    const uint32_t harmless[] = {(uint32_t)linux_, (uint32_t)linux32, (uint32_t)(linux_ | old_name),
                                 (uint32_t)(linux32 | old_name), PERSONALITY_QUERY};
    const struct term *marker = word_constant(prover, 1);
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        marker = term_if(prover->terms, word_equals(prover, persona, harmless[i]), zero, marker);
    return marker;
}

void ask_personality(struct auditor *auditor)
{
    for (unsigned id = 0; id < ABI_COUNT; id++) {
        enum abi_id abi = (enum abi_id)id;
        struct fact *fact =
            is_declared(auditor, abi) ? fact_named(auditor, abi, "personality") : NULL;
        struct suspicion s = {.subject = ""};
        if (!fact || !denies_anything(auditor, abi) || fact->entry->argument_count != 1 ||
            ask_call(auditor, fact, fact->honest, unusual_persona(auditor, abi), MARKED_PERMITS,
                     &s.input) != ASKED_YES)
            continue;
        s.input = input_visible(&s.input, abi, true);
        s.call = call_of(fact);
        s.detail = "personality is permitted with more than the harmless values";
        s.relation = relation_of(auditor, MARKED_PERMITS);
        suspect(auditor, &s);
    }
}
