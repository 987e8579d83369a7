#include "lang/import/oci_condition.h"

/* What a comparison looks at, on one ABI. */
struct compared {
    unsigned bits; /* 0: the call has no such argument, and the kernel reads nothing */
    const char
        *text; /* "arg0"; "u64(arg1)" and "lo32(arg1)" where the language has no typed form */
    const char *order_text; /* the same for < <= > >=: unsigned */
    uint64_t ones;          /* the largest value */
    bool is_pointer;
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
    return (struct compared){bits, text, text, ones(bits), is_pointer};
}

static struct compared typed_subject(struct arena *arena, unsigned index,
                                     const struct argument *argument)
{
    const char *text = arena_printf(arena, "arg%u", index);
    const char *order = argument->is_signed ? arena_printf(arena, "(%s & 0x%llx)", text,
                                                           (unsigned long long)ones(argument->bits))
                                            : text;
    return (struct compared){argument->bits, text, order, ones(argument->bits), false};
}

static struct compared subject_of(struct arena *arena, const struct oci_comparison *c,
                                  const struct oci_view *view)
{
    unsigned word = abi_get(view->abi)->word_bits;
    if (view->call->argument_count == ARGUMENTS_UNKNOWN)
        return raw_subject(arena, c->index, word, false);
    if (c->index >= view->call->argument_count)
        return (struct compared){0, NULL, NULL, 0, false};
    const struct argument *argument = &view->call->arguments[c->index];
    return argument->is_pointer ? raw_subject(arena, c->index, argument->bits, true)
                                : typed_subject(arena, c->index, argument);
}

/* A value at the subject's width. False when it is neither in range nor a sign extension of what
 * is. */
static bool narrow(const struct compared *subject, uint64_t *value)
{
    if (*value <= subject->ones)
        return true;
    bool extended =
        subject->bits && *value >> (subject->bits - 1) == UINT64_MAX >> (subject->bits - 1);
    *value &= subject->ones;
    return extended;
}

/* ---- one comparison
 * --------------------------------------------------------------------------------------- */

struct builder {
    struct arena *arena;
    const struct compared *subject;
    struct oci_condition condition;
};

static void fixed(struct builder *b, bool holds)
{
    b->condition = (struct oci_condition){.outcome = holds ? OCI_ALWAYS : OCI_NEVER};
}

static void compare(struct builder *b, const char *left, const char *symbol, uint64_t value)
{
    b->condition = (struct oci_condition){
        .outcome = OCI_SOMETIMES,
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

static void build(struct builder *b, const struct oci_comparison *c)
{
    uint64_t value = c->value;
    bool fits = c->operator== OCI_MASKED_EQ || narrow(b->subject, &value);
    switch (c->operator) {
    case OCI_EQ:
    case OCI_NE:
        if (!fits || (!b->subject->bits && value))
            fixed(b, c->operator== OCI_NE);
        else if (!b->subject->bits)
            fixed(b, c->operator== OCI_EQ);
        else if (c->operator== OCI_EQ)
            equal(b, value);
        else
            compare(b, b->subject->text, "!=", value);
        return;
    case OCI_LT:
    case OCI_LE:
        below(b, fits ? value : c->value, c->operator== OCI_LE);
        return;
    case OCI_GE:
    case OCI_GT:
        above(b, fits ? value : c->value, c->operator== OCI_GE);
        return;
    case OCI_MASKED_EQ:
        masked(b, c->value, c->value_two);
        return;
    }
}

/* A pointer that is compared with 0 has a typed form, and it is the only one. */
static void type_null_comparison(struct arena *arena, const struct oci_comparison *c,
                                 struct compared *subject)
{
    if (subject->is_pointer && c->value == 0 && (c->operator== OCI_EQ || c->operator== OCI_NE)) {
        subject->text = arena_printf(arena, "arg%u", c->index);
        subject->is_pointer = false;
    }
}

static struct oci_condition build_on(struct arena *arena, const struct oci_comparison *c,
                                     const struct oci_view *view, struct compared *subject)
{
    *subject = subject_of(arena, c, view);
    type_null_comparison(arena, c, subject);
    struct builder b = {arena, subject, {0}};
    build(&b, c);
    return b.condition;
}

static void remark_dropped_bits(const struct oci_comparison *c, struct diagnostics *diagnostics)
{
    if (c->operator== OCI_MASKED_EQ &&(c->value_two & ~c->value))
        report_warning(diagnostics, c->span,
                       "valueTwo has bits outside the mask; they are dropped, as libseccomp does");
}

static void remark(const struct oci_comparison *c, const struct oci_view *view,
                   const struct compared *subject, enum oci_outcome outcome, enum severity severity,
                   struct diagnostics *diagnostics)
{
    const char *abi = abi_get(view->abi)->name, *call = view->call->name;
    remark_dropped_bits(c, diagnostics);
    if (!subject->bits)
        report(
            diagnostics, SEVERITY_WARNING, c->span,
            "%s has no argument %u on %s, where the kernel ignores that register: it is taken as "
            "0, so there this decides for every call alike",
            call, c->index, abi);
    else if (outcome != OCI_SOMETIMES)
        report(diagnostics, severity, c->span, "%s true: %s has %u bits in argument %u of %s",
               outcome == OCI_ALWAYS ? "always" : "never", abi, subject->bits, c->index, call);
    else if (subject->is_pointer)
        report(diagnostics, severity, c->span,
               "argument %u of %s is a pointer: what it points to can change after the check",
               c->index, call);
}

static void remark_difference(struct arena *arena, const struct oci_comparison *c,
                              const struct oci_view *view, const struct compared *subject,
                              enum oci_outcome outcome, const struct oci_view *first,
                              struct diagnostics *diagnostics)
{
    struct compared there;
    enum oci_outcome before = build_on(arena, c, first, &there).outcome;
    if (before != outcome || !there.bits != !subject->bits ||
        there.is_pointer != subject->is_pointer)
        remark(c, view, subject, outcome, SEVERITY_NOTE, diagnostics);
}

/* ---- all comparisons of an entry
 * ----------------------------------------------------------------------------- */

struct oci_condition oci_condition(struct arena *arena, const struct oci_entry *entry,
                                   const struct oci_view *view, const struct oci_view *first,
                                   struct diagnostics *diagnostics)
{
    struct oci_condition whole = {.outcome = OCI_ALWAYS};
    for (size_t i = 0; i < entry->comparison_count; i++) {
        const struct oci_comparison *c = &entry->comparisons[i];
        struct compared subject;
        struct oci_condition part = build_on(arena, c, view, &subject);
        if (first)
            remark_difference(arena, c, view, &subject, part.outcome, first, diagnostics);
        else
            remark(c, view, &subject, part.outcome, SEVERITY_WARNING, diagnostics);
        if (whole.outcome == OCI_NEVER || part.outcome == OCI_ALWAYS)
            continue;
        if (part.outcome == OCI_NEVER || whole.outcome == OCI_ALWAYS)
            whole = part;
        else
            whole = (struct oci_condition){
                .outcome = OCI_SOMETIMES,
                .text = arena_printf(arena, "%s && %s", whole.text, part.text),
                .conjunction = true};
    }
    return whole;
}
