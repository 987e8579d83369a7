#include "lang/import/comparison.h"

/* What a comparison looks at, on one ABI. */
struct compared {
    unsigned bits; /* 0: the call has no such argument, and the kernel reads nothing */
    const char
        *text; /* "arg0"; "u64(arg1)" and "lo32(arg1)" where the language has no typed form */
    const char *order_text; /* the same for < <= > >=: unsigned */
    uint64_t ones;          /* the largest value */
    bool is_pointer;
    unsigned read; /* bits of it that the kernel reads: more than `bits` for halves */
};

static uint64_t ones(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* Small numbers are counts and enumerations, large ones are masks. */
static const char *number_text(struct arena *arena, uint64_t value)
{
    return value < 4096 ? arena_printf(arena, "%llu", (unsigned long long)value)
                        : arena_printf(arena, "0x%llx", (unsigned long long)value);
}

static struct compared raw_subject(struct arena *arena, unsigned index, unsigned bits,
                                   bool is_pointer)
{
    const char *text = arena_printf(arena, bits == 32 ? "lo32(arg%u)" : "u64(arg%u)", index);
    return (struct compared){bits, text, text, ones(bits), is_pointer, bits};
}

static struct compared typed_subject(struct arena *arena, unsigned index,
                                     const struct argument *argument)
{
    const char *text = arena_printf(arena, "arg%u", index);
    const char *order = argument->is_signed ? arena_printf(arena, "(%s & 0x%llx)", text,
                                                           (unsigned long long)ones(argument->bits))
                                            : text;
    return (struct compared){argument->bits,       text,  order,
                             ones(argument->bits), false, argument->bits};
}

static struct compared low_half(struct arena *arena, unsigned index, unsigned read, bool is_pointer)
{
    struct compared half = raw_subject(arena, index, 32, is_pointer);
    half.read = read;
    return half;
}

static struct compared subject_of(struct arena *arena, const struct import_comparison *c,
                                  const struct import_view *view)
{
    unsigned word = abi_get(view->abi)->word_bits;
    if (view->call->argument_count == ARGUMENTS_UNKNOWN)
        return c->bits < word ? low_half(arena, c->index, word, false)
                              : raw_subject(arena, c->index, word, false);
    if (c->index >= view->call->argument_count)
        return (struct compared){0, NULL, NULL, 0, false, 0};
    const struct argument *argument = &view->call->arguments[c->index];
    if (c->bits < argument->bits)
        return low_half(arena, c->index, argument->bits, argument->is_pointer);
    return argument->is_pointer ? raw_subject(arena, c->index, argument->bits, true)
                                : typed_subject(arena, c->index, argument);
}

static bool is_half(const struct compared *subject)
{
    return subject->read > subject->bits;
}

/* Whether bits `from` - 1 to `to` - 1 of the value are all one, and those above are zero. */
static bool is_extended(uint64_t value, unsigned from, unsigned to)
{
    return from <= to && value >> (from - 1) == ones(to) >> (from - 1);
}

/* A value of so many bits at the subject's width. False when it is neither in range nor a sign
 * extension of what is: to all the bits, or to the 32 of which a caller's registers make no more.
 */
static bool narrow(const struct compared *subject, unsigned bits, uint64_t *value)
{
    if (*value <= subject->ones)
        return true;
    bool extended = subject->bits && (is_extended(*value, subject->bits, bits) ||
                                      (bits > 32 && is_extended(*value, subject->bits, 32)));
    *value &= subject->ones;
    return extended;
}

/* ---- one comparison
 * --------------------------------------------------------------------------------------- */

struct builder {
    struct arena *arena;
    const struct compared *subject;
    struct import_condition condition;
};

static void fixed(struct builder *b, bool holds)
{
    b->condition = (struct import_condition){.outcome = holds ? IMPORT_ALWAYS : IMPORT_NEVER};
}

static void compare(struct builder *b, const char *left, const char *symbol, uint64_t value)
{
    b->condition = (struct import_condition){
        .outcome = IMPORT_SOMETIMES,
        .text = arena_printf(b->arena, "%s %s %s", left, symbol, number_text(b->arena, value))};
}

static void equal(struct builder *b, uint64_t value)
{
    compare(b, b->subject->text, "==", value);
    b->condition.equal_operand = b->subject->text;
    b->condition.equal_value = number_text(b->arena, value);
}

/* argument < value, for values that may lie one past the range. */
static void below(struct builder *b, uint64_t value, bool inclusive)
{
    uint64_t most = b->subject->ones;
    if (inclusive ? value >= most : value > most)
        fixed(b, true);
    else if (!inclusive && value == 0)
        fixed(b, false);
    else
        compare(b, b->subject->order_text, inclusive ? "<=" : "<", value);
}

static void above(struct builder *b, uint64_t value, bool inclusive)
{
    uint64_t most = b->subject->ones;
    if (inclusive ? value > most : value >= most)
        fixed(b, false);
    else if (inclusive && value == 0)
        fixed(b, true);
    else
        compare(b, b->subject->order_text, inclusive ? ">=" : ">", value);
}

/* The mask's bits above the width have nothing to look at; the value's must then be what a sign
 * extension puts there, or nothing. */
static void masked(struct builder *b, uint64_t mask, uint64_t value)
{
    uint64_t most = b->subject->ones;
    value &= mask; /* as libseccomp does; remark_dropped_bits says so */
    uint64_t high_mask = mask & ~most, high_value = value & ~most;
    bool high_fits = !high_value || (high_value == high_mask && (value & (most ^ (most >> 1))));
    mask &= most;
    value &= most;
    if (!high_fits)
        fixed(b, false);
    else if (!mask)
        fixed(b, true);
    else if (mask == most)
        equal(b, value);
    else
        compare(b,
                arena_printf(b->arena, "(%s & %s)", b->subject->text, number_text(b->arena, mask)),
                "==", value);
}

static void build(struct builder *b, const struct import_comparison *c)
{
    uint64_t value = c->value;
    bool fits = c->operator== IMPORT_MASKED_EQ || narrow(b->subject, c->bits, &value);
    switch (c->operator) {
    case IMPORT_EQ:
    case IMPORT_NE:
        if (!fits || (!b->subject->bits && value))
            fixed(b, c->operator== IMPORT_NE);
        else if (!b->subject->bits)
            fixed(b, c->operator== IMPORT_EQ);
        else if (c->operator== IMPORT_EQ)
            equal(b, value);
        else
            compare(b, b->subject->text, "!=", value);
        return;
    case IMPORT_LT:
    case IMPORT_LE:
        below(b, fits ? value : c->value, c->operator== IMPORT_LE);
        return;
    case IMPORT_GE:
    case IMPORT_GT:
        above(b, fits ? value : c->value, c->operator== IMPORT_GE);
        return;
    case IMPORT_MASKED_EQ:
        masked(b, c->value, c->value_two);
        return;
    }
}

/* A pointer that is compared with 0 has a typed form, and it is the only one. */
static void type_null_comparison(struct arena *arena, const struct import_comparison *c,
                                 struct compared *subject)
{
    if (subject->is_pointer && !is_half(subject) && c->value == 0 &&
        (c->operator== IMPORT_EQ || c->operator== IMPORT_NE)) {
        subject->text = arena_printf(arena, "arg%u", c->index);
        subject->is_pointer = false;
    }
}

static struct import_condition build_on(struct arena *arena, const struct import_comparison *c,
                                        const struct import_view *view, struct compared *subject)
{
    *subject = subject_of(arena, c, view);
    type_null_comparison(arena, c, subject);
    struct builder b = {arena, subject, {0}};
    build(&b, c);
    return b.condition;
}

static void remark_dropped_bits(const struct import_comparison *c, struct diagnostics *diagnostics)
{
    if (c->operator== IMPORT_MASKED_EQ &&(c->value_two & ~c->value))
        report_warning(diagnostics, c->span,
                       "valueTwo has bits outside the mask; they are dropped, as libseccomp does");
}

static void remark(const struct import_comparison *c, const struct import_view *view,
                   const struct compared *subject, enum import_outcome outcome,
                   enum severity severity, struct diagnostics *diagnostics)
{
    const char *abi = abi_get(view->abi)->name, *call = view->call->name;
    remark_dropped_bits(c, diagnostics);
    if (!subject->bits)
        report(
            diagnostics, SEVERITY_WARNING, c->span,
            "%s has no argument %u on %s, where the kernel ignores that register: it is taken as "
            "0, so there this decides for every call alike",
            call, c->index, abi);
    else if (outcome != IMPORT_SOMETIMES && is_half(subject))
        report(diagnostics, severity, c->span, "%s true of the low %u bits of argument %u of %s",
               outcome == IMPORT_ALWAYS ? "always" : "never", subject->bits, c->index, call);
    else if (outcome != IMPORT_SOMETIMES)
        report(diagnostics, severity, c->span, "%s true: %s has %u bits in argument %u of %s",
               outcome == IMPORT_ALWAYS ? "always" : "never", abi, subject->bits, c->index, call);
    else if (is_half(subject))
        report(diagnostics, severity, c->span,
               "looks at the low %u bits of argument %u of %s, of which the kernel reads %u: what "
               "stands above them is not looked at",
               subject->bits, c->index, call, subject->read);
    else if (subject->is_pointer)
        report(diagnostics, severity, c->span,
               "argument %u of %s is a pointer: what it points to can change after the check",
               c->index, call);
}

static void remark_difference(struct arena *arena, const struct import_comparison *c,
                              const struct import_view *view, const struct compared *subject,
                              enum import_outcome outcome, const struct import_view *first,
                              struct diagnostics *diagnostics)
{
    struct compared there;
    enum import_outcome before = build_on(arena, c, first, &there).outcome;
    if (before != outcome || !there.bits != !subject->bits ||
        there.is_pointer != subject->is_pointer || is_half(&there) != is_half(subject))
        remark(c, view, subject, outcome, SEVERITY_NOTE, diagnostics);
}

/* ---- all comparisons of an entry
 * ----------------------------------------------------------------------------- */

struct import_condition import_condition(struct arena *arena,
                                         const struct import_comparisons *comparisons,
                                         const struct import_view *view,
                                         const struct import_view *first,
                                         struct diagnostics *diagnostics)
{
    struct import_condition whole = {.outcome = IMPORT_ALWAYS};
    for (size_t i = 0; i < comparisons->count; i++) {
        const struct import_comparison *c = &comparisons->items[i];
        struct compared subject;
        struct import_condition part = build_on(arena, c, view, &subject);
        if (first)
            remark_difference(arena, c, view, &subject, part.outcome, first, diagnostics);
        else
            remark(c, view, &subject, part.outcome, SEVERITY_WARNING, diagnostics);
        if (whole.outcome == IMPORT_NEVER || part.outcome == IMPORT_ALWAYS)
            continue;
        if (part.outcome == IMPORT_NEVER || whole.outcome == IMPORT_ALWAYS)
            whole = part;
        else
            whole = (struct import_condition){
                .outcome = IMPORT_SOMETIMES,
                .text = arena_printf(arena, "%s && %s", whole.text, part.text),
                .conjunction = true};
    }
    return whole;
}
