/* What of an argument the filter looks at, and what the kernel does. */
#include "verifier/auditor.h"

#define SIGN_BIT 0x80000000u
#define SMALLER_VALUES 64u

static const struct argument *argument_of(const struct fact *fact, unsigned index)
{
    bool known = fact->entry->argument_count <= 6 && index < fact->entry->argument_count;
    return known ? &fact->entry->arguments[index] : NULL;
}

static const char *argument_text(struct auditor *auditor, const struct fact *fact, unsigned index)
{
    const struct argument *a = argument_of(fact, index);
    const char *name = a && a->manual_name ? a->manual_name : a ? a->kernel_name : NULL;
    return name ? name : arena_printf(auditor->arena, "arg%u", index);
}

static const struct term *masked(struct auditor *auditor, const struct term *word, uint32_t mask)
{
    return term_binary(auditor->prover->terms, TERM_BIT_AND, word,
                       word_constant(auditor->prover, mask));
}

static const struct term *with_bits(struct auditor *auditor, const struct term *word, uint32_t bits)
{
    return term_binary(auditor->prover->terms, TERM_BIT_OR, word,
                       word_constant(auditor->prover, bits));
}

static uint32_t word_of(struct auditor *auditor, const struct input *input)
{
    return side_word(auditor->side, input, NULL);
}

/* ---- ignored bits: classes 6 and 8 ------------------------------------------------------------------- */

/* The input with argument `index` as a C caller fills it. */
static uint64_t honest_value(const struct fact *fact, const struct input *input, unsigned index)
{
    return input_visible(input, fact->abi, true).args[index];
}

static uint64_t zeroed_value(const struct input *input, unsigned index, unsigned bits)
{
    return input->args[index] & ((UINT64_C(1) << bits) - 1);
}

/* Permitted, but neither with the ignored bits as a C caller fills them nor with zeroes there: the
 * arguments that it takes to see this are kept, the others are made honest. */
static bool depends_on_ignored(struct auditor *auditor, const struct fact *fact,
                               struct input *input, struct input *honest, unsigned bits,
                               unsigned *which)
{
    struct input zeroed = *input;
    *honest = *input;
    for (unsigned i = 0; i < fact->entry->argument_count; i++) {
        if (argument_of(fact, i)->bits != bits)
            continue;
        struct input less = *input;
        less.args[i] = honest_value(fact, input, i);
        if (word_permits(word_of(auditor, &less)))
            *input = less;
    }
    for (unsigned i = 0; i < fact->entry->argument_count; i++) {
        if (argument_of(fact, i)->bits != bits)
            continue;
        if (input->args[i] != honest_value(fact, input, i))
            *which = i;
        honest->args[i] = honest_value(fact, input, i);
        zeroed.args[i] = zeroed_value(input, i, bits);
    }
    return word_permits(word_of(auditor, input)) && !word_permits(word_of(auditor, honest)) &&
           !word_permits(word_of(auditor, &zeroed));
}

struct replaced {
    const struct term *honest, *zeroed;
    bool any, is_signed;
};

/* The residue with the arguments of this width honest, and with what is ignored 0. */
static struct replaced replace_width(struct auditor *auditor, const struct fact *fact,
                                     unsigned bits)
{
    struct prover *prover = auditor->prover;
    const struct term *honest[FIELD_COUNT] = {NULL}, *zeroed[FIELD_COUNT] = {NULL};
    struct replaced r = {0};
    for (unsigned i = 0; i < fact->entry->argument_count && fact->entry->argument_count <= 6; i++) {
        const struct argument *a = argument_of(fact, i);
        bool looks_up = fact->residue->uses >> field_arg_hi(i) & 1;
        bool looks_low = fact->residue->uses >> field_arg_lo(i) & 1;
        if (a->bits != bits || (!looks_up && (bits == 32 || !looks_low)))
            continue;
        honest_argument(prover, fact->abi, fact->entry, i, honest);
        zeroed[field_arg_hi(i)] = word_constant(prover, 0);
        if (bits < 32)
            zeroed[field_arg_lo(i)] =
                masked(auditor, prover->words[field_arg_lo(i)], (UINT32_C(1) << bits) - 1);
        r.any = true;
        r.is_signed = r.is_signed || a->is_signed;
    }
    if (r.any) {
        r.honest = substitute(prover, fact->residue, honest);
        r.zeroed = substitute(prover, fact->residue, zeroed);
    }
    return r;
}

/* Asks for permitted, and neither honest nor zeroed is. */
static bool find_ignored(struct auditor *auditor, const struct fact *fact,
                         const struct replaced *r, unsigned bits, struct input *input,
                         struct input *honest, unsigned *which)
{
    struct prover *prover = auditor->prover;
    if (ask_call(auditor, fact, fact->residue, r->honest, LEFT_PERMITS_ONLY, input) != ASKED_YES)
        return false;
    if (depends_on_ignored(auditor, fact, input, honest, bits, which))
        return true;
    if (!r->is_signed)
        return false;
    const struct term *one = permits_term(prover, r->honest), *two = permits_term(prover, r->zeroed);
    const struct term *marker =
        term_if(prover->terms, term_binary(prover->terms, TERM_OR, one, two),
                word_constant(prover, 0), word_constant(prover, 1));
    return ask_call(auditor, fact, fact->residue, marker, MARKED_PERMITS, input) == ASKED_YES &&
           depends_on_ignored(auditor, fact, input, honest, bits, which);
}

static void look_at_width(struct auditor *auditor, struct fact *fact, unsigned bits)
{
    if (term_is_constant(fact->residue) || fact->entry->argument_count > 6)
        return;
    struct replaced r = replace_width(auditor, fact, bits);
    struct input honest;
    struct suspicion s = {.call = call_of(fact)};
    unsigned which = 0;
    if (!r.any || !find_ignored(auditor, fact, &r, bits, &s.input, &honest, &which))
        return;
    s.detail = arena_printf(auditor->arena,
                            "%s of %s is %u bits wide to the kernel, but the filter looks at more "
                            "of its register",
                            argument_text(auditor, fact, which), fact->entry->name, bits);
    s.subject = "";
    s.other = &honest;
    s.other_says = "the same call to the kernel";
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
}

static void look_at_upper_half(struct auditor *auditor, struct fact *fact)
{
    look_at_width(auditor, fact, 32);
}

static void look_at_narrow(struct auditor *auditor, struct fact *fact)
{
    look_at_width(auditor, fact, 16);
}

void ask_upper_half(struct auditor *auditor)
{
    for_each_call(auditor, look_at_upper_half);
}

void ask_narrow(struct auditor *auditor)
{
    for_each_call(auditor, look_at_narrow);
}

/* ---- half of a 64-bit argument: class 7 ---------------------------------------------------------------- */

/* A filter that tests flags does not care about bit 31 unless it lists all that are allowed; one that
 * compares a number does. So: permitted, and not with bit 31 set, whether or not bit 0 is. */
static void look_at_low_half(struct auditor *auditor, struct fact *fact)
{
    struct prover *prover = auditor->prover;
    for (unsigned i = 0; i < 6; i++) {
        const struct argument *a = argument_of(fact, i);
        enum field low = field_arg_lo(i), high = field_arg_hi(i);
        if (!a || a->bits != 64 || a->is_pointer || !(fact->honest->uses >> low & 1) ||
            fact->honest->uses >> high & 1 ||
            abi_harmless_bits(fact->abi, fact->entry, i) >> 32 == UINT32_MAX)
            continue;
        struct suspicion s = {.subject = "", .call = call_of(fact)};
        const struct term *large = with_words(auditor, fact->honest, low,
                                              with_bits(auditor, prover->words[low], SIGN_BIT),
                                              low, NULL);
        if (ask_call(auditor, fact, fact->honest, large, LEFT_PERMITS_ONLY, &s.input) != ASKED_YES)
            continue;
        s.input = input_visible(&s.input, fact->abi, true);
        struct input denied = s.input, also = s.input;
        denied.args[i] = (uint32_t)s.input.args[i] | SIGN_BIT;
        also.args[i] = denied.args[i] & ~UINT64_C(1);
        if (word_permits(word_of(auditor, &also)))
            continue;
        s.input.args[i] = (uint32_t)s.input.args[i] | UINT64_C(1) << 32;
        s.detail = arena_printf(auditor->arena,
                                "%s of %s is 64 bits wide, and the filter looks at the lower half",
                                argument_text(auditor, fact, i), fact->entry->name);
        s.other = &denied;
        s.other_says = "other values of the lower half are denied";
        s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
        suspect(auditor, &s);
    }
}

void ask_low_half(struct auditor *auditor)
{
    for_each_call(auditor, look_at_low_half);
}

/* ---- bits that the kernel drops: class 9 ------------------------------------------------------------- */

static void look_at_dropped(struct auditor *auditor, struct fact *fact)
{
    struct prover *prover = auditor->prover;
    for (unsigned i = 0; i < 6 && !term_is_constant(fact->honest); i++) {
        uint64_t dropped = abi_dropped_bits(fact->abi, fact->entry, i);
        if (!dropped || !uses_argument(fact->honest, i))
            continue;
        enum field low = field_arg_lo(i), high = field_arg_hi(i);
        struct suspicion s = {.subject = "", .call = call_of(fact)};
        const struct term *kept =
            with_words(auditor, fact->honest, low,
                       masked(auditor, prover->words[low], ~(uint32_t)dropped), high,
                       masked(auditor, prover->words[high], ~(uint32_t)(dropped >> 32)));
        if (ask_call(auditor, fact, fact->honest, kept, LEFT_PERMITS_ONLY, &s.input) != ASKED_YES)
            continue;
        s.input = input_visible(&s.input, fact->abi, true);
        struct input without = s.input;
        without.args[i] &= ~dropped;
        without = input_visible(&without, fact->abi, true);
        s.detail = arena_printf(auditor->arena,
                                "the kernel drops bits 0x%llx of %s before %s looks at it",
                                (unsigned long long)(s.input.args[i] & dropped),
                                argument_text(auditor, fact, i), fact->entry->name);
        s.other = &without;
        s.other_says = "the same call to the kernel";
        s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
        suspect(auditor, &s);
    }
}

void ask_dropped_bits(struct auditor *auditor)
{
    for_each_call(auditor, look_at_dropped);
}

/* ---- sign: class 10 ------------------------------------------------------------------------------------ */

/* A negative value comes as a C compiler likes: with the upper half all ones or 0. */
static void look_at_extension(struct auditor *auditor, struct fact *fact, unsigned i)
{
    struct prover *prover = auditor->prover;
    enum field low = field_arg_lo(i), high = field_arg_hi(i);
    if (!(fact->residue->uses >> high & 1))
        return;
    const struct term *replacements[FIELD_COUNT] = {NULL};
    for (unsigned other = 0; other < 6; other++)
        if (other != i)
            honest_argument(prover, fact->abi, fact->entry, other, replacements);
    const struct term *base = substitute(prover, fact->residue, replacements);
    const struct term *negative = with_bits(auditor, prover->words[low], SIGN_BIT);
    const struct term *zeroes =
        with_words(auditor, base, low, negative, high, word_constant(prover, 0));
    const struct term *ones =
        with_words(auditor, base, low, negative, high, word_constant(prover, UINT32_MAX));
    struct suspicion s = {.subject = "upper half", .call = call_of(fact)};
    if (ask_call(auditor, fact, zeroes, ones, WORDS_DIFFER, &s.input) != ASKED_YES)
        return;
    s.input = input_visible(&s.input, fact->abi, true);
    s.input.args[i] = (uint32_t)s.input.args[i] | SIGN_BIT;
    struct input extended = s.input;
    extended.args[i] |= (uint64_t)UINT32_MAX << 32;
    s.detail = arena_printf(auditor->arena,
                            "%s of %s is an int: a negative value may come with the upper half 0 "
                            "or all ones, and the filter tells them apart",
                            argument_text(auditor, fact, i), fact->entry->name);
    s.other = &extended;
    s.other_says = "the same call to the kernel";
    s.relation = relation_of(auditor, WORDS_DIFFER);
    suspect(auditor, &s);
}

/* Constants that the word is compared with by order. */
struct thresholds {
    uint32_t items[16];
    size_t count;
};

static void add_threshold(struct thresholds *t, const struct term *term, enum field word)
{
    if (term->kind != TERM_UNSIGNED_LESS && term->kind != TERM_UNSIGNED_LESS_EQUAL)
        return;
    const struct term *a = term->children[0], *b = term->children[1];
    const struct term *constant = term_is_constant(a) ? a : b, *other = constant == a ? b : a;
    if (!term_is_constant(constant) || other->kind != TERM_VARIABLE || other->value != word ||
        t->count == COUNT_OF(t->items))
        return;
    uint64_t above = constant->value +
                     (constant == a ? term->kind == TERM_UNSIGNED_LESS
                                    : term->kind == TERM_UNSIGNED_LESS_EQUAL);
    if (above > 2 && above < SIGN_BIT)
        t->items[t->count++] = (uint32_t)above;
}

static void find_thresholds(struct auditor *auditor, const struct term *residue, enum field word,
                            struct thresholds *found)
{
    struct arena *arena = auditor->prover->arena;
    VECTOR(const struct term *) stack = {0};
    unsigned char *seen =
        NEW_ARRAY(arena, unsigned char, terms_count(auditor->prover->terms) + 1);
    vector_push(arena, &stack, residue);
    while (stack.count) {
        const struct term *term = stack.items[--stack.count];
        if (seen[term->id] || !(term->uses >> word & 1))
            continue;
        seen[term->id] = 1;
        add_threshold(found, term, word);
        for (unsigned i = 0; i < term->child_count; i++)
            vector_push(arena, &stack, term->children[i]);
    }
}

static bool permits_value(struct auditor *auditor, const struct fact *fact, struct input input,
                          unsigned i, uint32_t value)
{
    input.args[i] = value;
    input = input_visible(&input, fact->abi, true);
    return word_permits(word_of(auditor, &input));
}

/* On which side of a threshold calls are permitted; negative values, large without a sign, are on the
 * upper side. */
struct order_case {
    uint32_t permitted, denied; /* steps from the threshold */
    bool upper;
    const char *other;
};

static const struct order_case order_cases[] = {
    {0, UINT32_MAX, true, "smaller values are denied"},
    {UINT32_MAX, 0, false, "a negative value is smaller"},
};

/* All values of one side have one verdict: of those below as many as are looked at, of those above the
 * threshold and both ends of the negative ones. */
static bool is_ordered(struct auditor *auditor, const struct fact *fact, const struct input *input,
                       unsigned i, uint32_t from, bool upper)
{
    for (uint64_t step = 0; step < SMALLER_VALUES; step++) {
        uint32_t value = (uint32_t)((from - 1) * step / (SMALLER_VALUES - 1));
        if (permits_value(auditor, fact, *input, i, value) == upper)
            return false;
    }
    return permits_value(auditor, fact, *input, i, from) == upper &&
           permits_value(auditor, fact, *input, i, SIGN_BIT) == upper &&
           permits_value(auditor, fact, *input, i, UINT32_MAX) == upper;
}

static bool look_at_case(struct auditor *auditor, struct fact *fact, unsigned i, uint32_t from,
                         const struct order_case *c)
{
    struct prover *prover = auditor->prover;
    enum field low = field_arg_lo(i);
    struct suspicion s = {.subject = "order", .call = call_of(fact)};
    const struct term *permitted =
        with_words(auditor, fact->honest, low, word_constant(prover, from + c->permitted), low,
                   NULL);
    const struct term *denied = with_words(auditor, fact->honest, low,
                                           word_constant(prover, from + c->denied), low, NULL);
    if (ask_call(auditor, fact, permitted, denied, LEFT_PERMITS_ONLY, &s.input) != ASKED_YES)
        return false;
    s.input.args[i] = c->upper ? UINT32_MAX : from - 1;
    s.input = input_visible(&s.input, fact->abi, true);
    struct input beside = s.input;
    beside.args[i] = c->upper ? from - 1 : UINT32_MAX;
    beside = input_visible(&beside, fact->abi, true);
    if (!is_ordered(auditor, fact, &s.input, i, from, c->upper))
        return false;
    const char *what = arena_printf(auditor->arena, c->upper ? "permitted from %u up, and so are "
                                                               "negative values, which count as "
                                                               "large"
                                                             : "permitted below %u, and negative "
                                                               "values are denied, because they "
                                                               "count as large",
                                    from);
    s.detail = arena_printf(auditor->arena, "%s of %s is an int: %s",
                            argument_text(auditor, fact, i), fact->entry->name, what);
    s.other = &beside;
    s.other_says = c->other;
    s.relation = relation_of(auditor, LEFT_PERMITS_ONLY);
    suspect(auditor, &s);
    return true;
}

static void look_at_order(struct auditor *auditor, struct fact *fact, unsigned i)
{
    struct thresholds thresholds = {.count = 0};
    find_thresholds(auditor, fact->residue, field_arg_lo(i), &thresholds);
    for (size_t t = 0; t < thresholds.count; t++)
        for (size_t c = 0; c < COUNT_OF(order_cases); c++)
            if (look_at_case(auditor, fact, i, thresholds.items[t], &order_cases[c]))
                return;
}

static void look_at_sign(struct auditor *auditor, struct fact *fact)
{
    for (unsigned i = 0; i < 6 && !term_is_constant(fact->residue); i++) {
        const struct argument *a = argument_of(fact, i);
        if (!a || !a->is_signed || a->bits != 32)
            continue;
        if (abi_get(fact->abi)->word_bits == 64)
            look_at_extension(auditor, fact, i);
        if (fact->residue->uses >> field_arg_lo(i) & 1)
            look_at_order(auditor, fact, i);
    }
}

void ask_sign(struct auditor *auditor)
{
    for_each_call(auditor, look_at_sign);
}

/* ---- pointers: class 18 -------------------------------------------------------------------------------- */

static bool two_free_words(const struct term *residue, enum field taken, enum field found[2])
{
    unsigned count = 0;
    for (unsigned i = FIELD_IP_LO; i < FIELD_COUNT && count < 2; i++)
        if (!(residue->uses >> i & 1) && i != taken && i != taken + 1u)
            found[count++] = (enum field)i;
    return count == 2;
}

static const struct term *not_null(struct auditor *auditor, const struct term *low,
                                   const struct term *high)
{
    struct prover *prover = auditor->prover;
    return term_not(prover->terms, word_equals(prover, term_binary(prover->terms, TERM_BIT_OR, low,
                                                                   high),
                                               0));
}

static void look_at_pointer(struct auditor *auditor, struct fact *fact, unsigned i)
{
    struct prover *prover = auditor->prover;
    enum field low = field_arg_lo(i), high = field_arg_hi(i), other[2];
    if (!uses_argument(fact->honest, i) || !two_free_words(fact->honest, low, other))
        return;
    bool wide = argument_of(fact, i)->bits == 64;
    const struct term *zero = word_constant(prover, 0);
    const struct term *other_high = wide ? prover->words[other[1]] : zero;
    const struct term *there = with_words(auditor, fact->honest, low, prover->words[other[0]], high,
                                          other_high);
    const struct term *both = term_binary(
        prover->terms, TERM_AND,
        not_null(auditor, prover->words[low], wide ? prover->words[high] : zero),
        not_null(auditor, prover->words[other[0]], other_high));
    struct suspicion s = {.subject = "", .call = call_of(fact)};
    if (ask_call(auditor, fact, term_if(prover->terms, both, fact->honest, there), there,
                 WORDS_DIFFER, &s.input) != ASKED_YES)
        return;
    uint64_t value = input_field(&s.input, other[0]) |
                     (wide ? (uint64_t)input_field(&s.input, other[1]) << 32 : 0);
    input_set_field(&s.input, other[0], 0);
    input_set_field(&s.input, other[1], 0);
    s.input = input_visible(&s.input, fact->abi, true);
    struct input elsewhere = s.input;
    elsewhere.args[i] = value;
    s.detail = arena_printf(auditor->arena,
                            "the verdict on %s depends on the address in %s, not on what is there",
                            fact->entry->name, argument_text(auditor, fact, i));
    s.other = &elsewhere;
    s.other_says = "with the same contents at another address";
    s.relation = relation_of(auditor, WORDS_DIFFER);
    suspect(auditor, &s);
}

static void look_at_pointers(struct auditor *auditor, struct fact *fact)
{
    for (unsigned i = 0; i < 6 && !term_is_constant(fact->honest); i++)
        if (argument_of(fact, i) && argument_of(fact, i)->is_pointer)
            look_at_pointer(auditor, fact, i);
}

void ask_pointers(struct auditor *auditor)
{
    for_each_call(auditor, look_at_pointers);
}
