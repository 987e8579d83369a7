/* One audit in progress: the survey of the filter, questions about it, and what was found. */
#include "verifier/auditor.h"

#include <stdlib.h>

#define UNKNOWN_ABOVE 100u /* that far above an ABI's table no kernel has a call yet */
#define TERMS_EASY 20000u  /* a filter with more terms is tried with samples first */
#define SAMPLES 8u
#define COMMON_MOST 511u /* x32's own calls begin above; new calls of x86_64 and x32 come below */

/* ---- survey -------------------------------------------------------------------------------------
 */

static enum runs_outcome nothing_runs(struct prover *prover, void *self, struct class *class,
                                      struct residue_runs *runs)
{
    (void)self;
    (void)class;
    runs_push(prover, runs, EVERYTHING, word_constant(prover, 0));
    return RUNS_DONE;
}

struct keeping {
    struct arena *arena;
    struct survey *survey;
};

static void keep_region(struct prover *prover, void *data, struct range arch, struct range nr,
                        const struct term *left, const struct term *right)
{
    (void)prover;
    (void)right;
    struct keeping *keeping = data;
    vector_push(keeping->arena, &keeping->survey->regions, ((struct region){arch, nr, left}));
}

static int by_place(const void *a, const void *b)
{
    const struct region *x = a, *y = b;
    if (x->arch.first != y->arch.first)
        return x->arch.first > y->arch.first ? 1 : -1;
    return (x->nr.first > y->nr.first) - (x->nr.first < y->nr.first);
}

bool survey_behaviour(struct auditor *auditor, const struct behaviour *behaviour,
                      struct survey *survey)
{
    struct prover *prover = auditor->prover;
    struct behaviour nothing = {NULL, nothing_runs, NULL};
    struct keeping keeping = {prover->arena, survey};
    prover->steps = 0;
    prover->trouble = NULL;
    partition(prover, EVERYTHING, behaviour, &nothing, keep_region, &keeping);
    if (!prover->trouble) {
        qsort(survey->regions.items, survey->regions.count, sizeof *survey->regions.items,
              by_place);
        return true;
    }
    if (!prover->too_fine) /* time is up */
        return false;
    /* Odd things are done to nr or arch: one region that holds everything. */
    prover->trouble = NULL;
    prover->stopped = prover->too_fine = false;
    prover->steps = 0;
    const struct term *whole = behaviour->whole(prover, behaviour->self);
    survey->regions.count = 0;
    if (whole)
        vector_push(prover->arena, &survey->regions,
                    ((struct region){EVERYTHING, EVERYTHING, whole}));
    return whole != NULL;
}

const struct region *region_at(const struct survey *survey, uint32_t arch, uint32_t nr)
{
    size_t low = 0, high = survey->regions.count;
    while (low + 1 < high) { /* the last one that does not begin behind (arch, nr) */
        size_t middle = low + (high - low) / 2;
        const struct region *region = &survey->regions.items[middle];
        bool behind =
            region->arch.first > arch || (region->arch.last >= arch && region->nr.first > nr);
        if (behind)
            high = middle;
        else
            low = middle;
    }
    return &survey->regions.items[low];
}

const struct term *residue_at(struct auditor *auditor, const struct survey *survey, uint32_t arch,
                              uint32_t nr)
{
    const struct term *replacements[FIELD_COUNT] = {NULL};
    replacements[FIELD_ARCH] = word_constant(auditor->prover, arch);
    replacements[FIELD_NR] = word_constant(auditor->prover, nr);
    return substitute(auditor->prover, region_at(survey, arch, nr)->residue, replacements);
}

bool is_same_kernel(enum abi_id a, enum abi_id b)
{
    return abi_get(a)->kernel == abi_get(b)->kernel;
}

/* By the kernel of a declared ABI. */
static bool is_served(const struct auditor *auditor, enum abi_id abi)
{
    for (unsigned id = 0; id < ABI_COUNT; id++)
        if (is_declared(auditor, (enum abi_id)id) && is_same_kernel((enum abi_id)id, abi))
            return true;
    return false;
}

static bool restricts_abi(struct auditor *auditor, const struct survey *survey, enum abi_id abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    for (size_t i = 0; i < count; i++) {
        const struct term *residue = residue_at(auditor, survey, abi_get(abi)->token, table[i].nr);
        if (!term_is_constant(residue) || !word_permits((uint32_t)residue->value))
            return true;
    }
    return false;
}

struct member *audit_members(struct auditor *auditor)
{
    if (auditor->members)
        return auditor->members;
    struct prover *prover = auditor->prover;
    size_t count = auditor->side->program_count;
    auditor->members =
        NEW_ARRAY(auditor->arena, struct member, count); /* findings keep the sides */
    for (size_t i = 0; i < count; i++) {
        struct member *member = &auditor->members[i];
        const struct program *program = &auditor->side->programs[i];
        member->side =
            (struct side){.name = program->name, .programs = program, .program_count = 1};
        member->executor = executor_new(prover, program);
        struct behaviour behaviour = executor_behaviour(prover, member->executor);
        member->complete = survey_behaviour(auditor, &behaviour, &member->survey);
        if (!member->complete)
            leave_open(auditor, prover->trouble);
        for (unsigned abi = 0; abi < ABI_COUNT && member->complete; abi++)
            if (abi_get((enum abi_id)abi)->big_endian == program->big_endian &&
                is_served(auditor, (enum abi_id)abi) &&
                restricts_abi(auditor, &member->survey, (enum abi_id)abi))
                member->restricts |= ABI_BIT(abi);
    }
    return auditor->members;
}

bool has_program_per_abi(struct auditor *auditor)
{
    struct member *members = audit_members(auditor);
    abi_set all = 0;
    bool apart = auditor->side->program_count > 1;
    for (size_t i = 0; i < auditor->side->program_count && apart; i++) {
        abi_set one = members[i].restricts;
        apart = members[i].complete && !(one & (one - 1));
        all |= one;
    }
    return apart && (all & (all - 1));
}

bool is_within_reach(struct auditor *auditor, enum abi_id abi)
{
    return is_declared(auditor, abi) || (is_served(auditor, abi) && has_program_per_abi(auditor));
}

/* ---- questions ----------------------------------------------------------------------------------
 */

void leave_open(struct auditor *auditor, const char *why)
{
    if (!auditor->trouble)
        auditor->trouble = why ? why : "a limit was reached";
}

bool is_late(struct auditor *auditor)
{
    if (!deadline_passed(auditor->prover->deadline))
        return false;
    leave_open(auditor, "the time limit was reached");
    return true;
}

/* A few inputs of the class, before the solver has to look at a large filter. */
static bool try_samples(struct auditor *auditor, const struct obligation *o, struct input *found)
{
    struct prover *prover = auditor->prover;
    if (terms_count(prover->terms) < TERMS_EASY)
        return false;
    struct arena *scratch = arena_new();
    struct random random = random_seed(o->left->id);
    bool yes = false;
    for (unsigned i = 0; i < SAMPLES && !yes; i++) {
        uint64_t values[FIELD_COUNT] = {0};
        for (unsigned word = 0; word < FIELD_COUNT; word++)
            values[word] = i == 0 ? 0 : i == 1 ? UINT32_MAX : (uint32_t)random_u64(&random);
        values[FIELD_ARCH] = o->arch.first;
        values[FIELD_NR] = o->nr.first;
        uint32_t left = (uint32_t)term_evaluate(scratch, o->left, values, FIELD_COUNT);
        uint32_t right = (uint32_t)term_evaluate(scratch, o->right, values, FIELD_COUNT);
        yes = o->property->is_bad(o->property->data, left, right);
        if (yes)
            *found = input_of_values(values);
    }
    arena_free(scratch);
    return yes;
}

static enum asked settle_question(struct auditor *auditor, const struct obligation *o,
                                  struct input *example)
{
    struct prover *prover = auditor->prover;
    if (try_samples(auditor, o, example))
        return ASKED_YES;
    prover->trouble = NULL;
    prover->proof.verdict = PROVED;
    settle(prover, o);
    bool yes = prover->proof.verdict == REFUTED;
    if (yes)
        *example = prover->proof.counterexample.input;
    prover->proof.verdict = PROVED;
    prover->proof.has_counterexample = false;
    return yes ? ASKED_YES : prover->trouble ? ASKED_UNKNOWN : ASKED_NO;
}

enum asked audit_ask(struct auditor *auditor, struct range arch, struct range nr,
                     const struct term *left, const struct term *right,
                     const struct relation *relation, struct input *found)
{
    struct prover *prover = auditor->prover;
    struct obligation obligation = {arch, nr, left, right ? right : word_constant(prover, 1),
                                    &relation->property};
    bool constant = term_is_constant(obligation.left) && term_is_constant(obligation.right);
    struct input example = {.arch = arch.first, .nr = nr.first};
    enum asked asked;
    if (!constant && recall_answer(auditor, &obligation, relation, &asked, found))
        return asked;
    if (!constant && is_late(auditor))
        return ASKED_UNKNOWN;
    asked = settle_question(auditor, &obligation, &example);
    if (asked == ASKED_YES && found)
        *found = example;
    if (asked == ASKED_UNKNOWN)
        leave_open(auditor, prover->trouble);
    /* What time alone left open may be decided with more of it. */
    if (!constant && (asked != ASKED_UNKNOWN || !deadline_passed(prover->deadline)))
        note_answer(auditor, &obligation, relation, asked, &example, prover->trouble);
    prover->trouble = NULL;
    return asked;
}

enum asked ask_call(struct auditor *auditor, const struct fact *fact, const struct term *left,
                    const struct term *right, enum relation_kind kind, struct input *found)
{
    uint32_t arch = abi_get(fact->abi)->token, nr = fact->entry->nr;
    enum asked asked = audit_ask(auditor, (struct range){arch, arch}, (struct range){nr, nr}, left,
                                 right, relation_of(auditor, kind), found);
    if (asked == ASKED_YES && found) {
        found->arch = arch;
        found->nr = nr;
    }
    return asked;
}

/* ---- calls --------------------------------------------------------------------------------------
 */

bool uses_argument(const struct term *residue, unsigned argument)
{
    return residue->uses >> field_arg_lo(argument) & 3;
}

const struct term *honest_residue(struct auditor *auditor, enum abi_id abi,
                                  const struct syscall_entry *entry, const struct term *residue)
{
    if (entry->argument_count > 6 || term_is_constant(residue))
        return residue;
    const struct term *replacements[FIELD_COUNT] = {NULL};
    for (unsigned i = 0; i < 6; i++)
        honest_argument(auditor->prover, abi, entry, i, replacements);
    return substitute(auditor->prover, residue, replacements);
}

const struct term *with_words(struct auditor *auditor, const struct term *residue, enum field field,
                              const struct term *word, enum field field2, const struct term *word2)
{
    const struct term *replacements[FIELD_COUNT] = {NULL};
    replacements[field] = word;
    if (word2)
        replacements[field2] = word2;
    return substitute(auditor->prover, residue, replacements);
}

struct fact *fact_of(struct auditor *auditor, enum abi_id abi, const struct syscall_entry *entry)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    if (!auditor->facts[abi])
        auditor->facts[abi] = NEW_ARRAY(auditor->prover->arena, struct fact, count + 1);
    struct fact *fact = &auditor->facts[abi][entry - table];
    if (fact->entry)
        return fact;
    fact->abi = abi;
    fact->entry = entry;
    fact->residue = residue_at(auditor, &auditor->survey, abi_get(abi)->token, entry->nr);
    fact->honest = honest_residue(auditor, abi, entry, fact->residue);
    return fact;
}

struct fact *fact_named(struct auditor *auditor, enum abi_id abi, const char *name)
{
    const struct syscall_entry *entry = abi_syscall(abi, name);
    return entry && entry->implemented ? fact_of(auditor, abi, entry) : NULL;
}

static bool example(struct auditor *auditor, struct fact *fact, enum relation_kind kind,
                    struct input *input)
{
    enum asked asked = ask_call(auditor, fact, fact->honest, NULL, kind, input);
    if (asked != ASKED_YES)
        return false;
    *input = input_visible(input, fact->abi, true);
    return true;
}

enum stance stance_of(struct auditor *auditor, struct fact *fact)
{
    if (fact->judged)
        return fact->stance;
    const char *before = auditor->trouble;
    auditor->trouble = NULL;
    fact->has_permitted = example(auditor, fact, MARKED_PERMITS, &fact->permitted);
    fact->has_denied = example(auditor, fact, MARKED_DENIES, &fact->denied);
    if (fact->has_permitted && fact->has_denied)
        fact->stance = STANCE_DEPENDS;
    else if (!auditor->trouble)
        fact->stance = fact->has_permitted ? STANCE_PERMITS : STANCE_DENIES;
    fact->judged = fact->stance != STANCE_UNKNOWN;
    if (fact->has_denied)
        fact->denied_word = side_word(auditor->side, &fact->denied, NULL);
    if (fact->judged || before)
        auditor->trouble = before;
    return fact->stance;
}

struct fact fact_with(struct auditor *auditor, const struct fact *fact, unsigned argument,
                      uint64_t value)
{
    struct prover *prover = auditor->prover;
    struct fact part = {.abi = fact->abi, .entry = fact->entry};
    part.residue = with_words(auditor, fact->residue, field_arg_lo(argument),
                              word_constant(prover, (uint32_t)value), field_arg_hi(argument),
                              word_constant(prover, (uint32_t)(value >> 32)));
    part.honest = honest_residue(auditor, fact->abi, fact->entry, part.residue);
    return part;
}

bool is_declared(const struct auditor *auditor, enum abi_id abi)
{
    return auditor->declared >> abi & 1;
}

struct range numbers_of(enum abi_id abi)
{
    if (abi == ABI_X86_64)
        return (struct range){0, X32_BIT - 1};
    if (abi == ABI_X32)
        return (struct range){X32_BIT, 2 * X32_BIT - 1};
    return (struct range){0, NR_SKIP - 1};
}

uint32_t newest_number(enum abi_id abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    uint32_t base = abi == ABI_X32 ? X32_BIT : 0, most = base;
    for (size_t i = 0; i < count; i++)
        if (table[i].nr > most && (!base || table[i].nr - base <= COMMON_MOST))
            most = table[i].nr;
    return most;
}

uint32_t unknown_number(enum abi_id abi)
{
    uint32_t number = newest_number(abi) + UNKNOWN_ABOVE;
    bool in_x32s_own = abi == ABI_X32 && number - X32_BIT > COMMON_MOST;
    return in_x32s_own ? X32_BIT + COMMON_MOST : number;
}

struct input plain_input(enum abi_id abi, uint32_t nr)
{
    return (struct input){.arch = abi_get(abi)->token, .nr = nr};
}

bool permits_by_default(struct auditor *auditor, enum abi_id abi)
{
    struct input input = plain_input(abi, unknown_number(abi));
    return word_permits(side_word(auditor->side, &input, NULL));
}

bool denies_anything(struct auditor *auditor, enum abi_id abi)
{
    size_t count;
    const struct syscall_entry *table = abi_syscalls(abi, &count);
    if (!permits_by_default(auditor, abi))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (!table[i].implemented || is_late(auditor))
            continue;
        enum stance stance = stance_of(auditor, fact_of(auditor, abi, &table[i]));
        if (stance == STANCE_DENIES || stance == STANCE_DEPENDS)
            return true;
    }
    return false;
}

/* ENOSYS sends programs to an older call; it says nothing about what may be done. */
bool is_security_denial(enum abi_id abi, uint32_t word)
{
    uint16_t no_such_call = 0;
    bool has = abi_errno(abi, "ENOSYS", &no_such_call);
    return !has || word != (action_get(ACTION_ERRNO)->word | no_such_call);
}

void for_each_call(struct auditor *auditor, visit_call visit)
{
    for (unsigned abi = 0; abi < ABI_COUNT; abi++) {
        size_t count;
        const struct syscall_entry *table = abi_syscalls((enum abi_id)abi, &count);
        for (size_t i = 0; i < count && is_declared(auditor, (enum abi_id)abi); i++)
            if (table[i].implemented && !is_late(auditor))
                visit(auditor, fact_of(auditor, (enum abi_id)abi, &table[i]));
    }
}

/* ---- findings -----------------------------------------------------------------------------------
 */

struct audit_call call_of(const struct fact *fact)
{
    return (struct audit_call){fact->abi, fact->entry->nr, fact->entry->name, NULL};
}

static struct audit_finding *finding_of(struct auditor *auditor, const char *subject)
{
    for (size_t i = 0; i < auditor->findings.count; i++) {
        struct audit_finding *finding = &auditor->findings.items[i];
        if (finding->property == auditor->asking && !strcmp(finding->subject, subject))
            return finding;
    }
    return NULL;
}

static void add_call(struct auditor *auditor, struct audit_finding *finding, struct audit_call call)
{
    for (size_t i = 0; i < finding->call_count; i++)
        if (finding->calls[i].abi == call.abi && finding->calls[i].nr == call.nr)
            return;
    if (finding->call_count == finding->call_capacity)
        finding->calls = vector_grow(auditor->arena, finding->calls, finding->call_count,
                                     &finding->call_capacity, sizeof *finding->calls);
    finding->calls[finding->call_count++] = call;
}

static struct audit_witness replay(const struct side *side, const struct input *input,
                                   const char *says)
{
    struct audit_witness witness = {.input = *input, .says = says};
    witness.word = side_word(side, input, &witness.implementation_defined);
    return witness;
}

void suspect(struct auditor *auditor, const struct suspicion *s)
{
    struct audit_finding fresh = {.property = auditor->asking,
                                  .subject = s->subject ? s->subject : "",
                                  .detail = s->detail,
                                  .side = s->side ? s->side : auditor->side};
    fresh.witness = replay(fresh.side, &s->input, s->says);
    fresh.has_other = s->other != NULL;
    if (s->other)
        fresh.other = replay(fresh.side, s->other, s->other_says);
    if (s->relation) {
        const struct property *property = &s->relation->property;
        if (!property->is_bad(property->data, fresh.witness.word,
                              s->other ? fresh.other.word : 1)) {
            leave_open(auditor, fresh.witness.implementation_defined
                                    ? "it depends on shifts by 32 or more, which machines do "
                                      "differently"
                                    : "internal: a witness did not replay");
            return;
        }
    }
    struct audit_finding *known = finding_of(auditor, fresh.subject);
    if (!known) {
        vector_push(auditor->arena, &auditor->findings, fresh);
        known = &auditor->findings.items[auditor->findings.count - 1];
    } else if (s->preferred) {
        known->witness = fresh.witness;
        known->other = fresh.other;
        known->has_other = fresh.has_other;
        known->side = fresh.side;
        known->detail = fresh.detail;
    }
    if (!s->no_call)
        add_call(auditor, known, s->call);
}
