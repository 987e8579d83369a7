/* Resolved conditions in the policy language. */
#include "lang/print_condition.h"

#include "lang/arguments.h"

struct conditions_printer {
    struct buffer *out;
    enum abi_id abi;
    const struct syscall_entry *entry; /* NULL: raw registers */
};

/* ---- numbers and words
 * ------------------------------------------------------------------------------------------ */

static void put_value(struct buffer *out, exact value)
{
    if (value < 0)
        buffer_printf(out, "-%llu", (unsigned long long)-value);
    else
        buffer_printf(out, value < 10000 ? "%llu" : "0x%llx", (unsigned long long)value);
}

void word_print(struct buffer *out, const struct word *word)
{
    static const char *const operators[] = {
        [WORD_ADD] = "+", [WORD_SUB] = "-",         [WORD_MUL] = "*",
        [WORD_DIV] = "/", [WORD_AND] = "&",         [WORD_OR] = "|",
        [WORD_XOR] = "^", [WORD_SHIFT_LEFT] = "<<", [WORD_SHIFT_RIGHT] = ">>",
    };
    if (word->operator== WORD_CONSTANT) {
        buffer_printf(out, "0x%x", word->constant);
    } else if (word->operator== WORD_FIELD) {
        buffer_text(out, field_name(word->field));
    } else if (word->operator== WORD_NEGATE) {
        buffer_text(out, "(-");
        word_print(out, word->left);
        buffer_text(out, ")");
    } else {
        buffer_text(out, "(");
        word_print(out, word->left);
        buffer_printf(out, " %s ", operators[word->operator]);
        word_print(out, word->right);
        buffer_text(out, ")");
    }
}

/* ---- operands
 * -------------------------------------------------------------------------------------------------------
 */

static const struct argument *argument_of(const struct conditions_printer *printer,
                                          const struct operand *operand)
{
    const struct syscall_entry *entry = printer->entry;
    if (!entry || entry->argument_count == ARGUMENTS_UNKNOWN || operand->subject < SUBJECT_ARG0 ||
        operand->subject - SUBJECT_ARG0 >= entry->argument_count)
        return NULL;
    return &entry->arguments[operand->subject - SUBJECT_ARG0];
}

static bool only_zero(const struct condition *member)
{
    const struct interval *first = member->intervals;
    bool zero = member->interval_count == 1 && !first->first && !first->last;
    bool not_zero = member->interval_count == 1 && first->first == 1 &&
                    first->last == ones(member->operand.bits);
    return member->operand.mask == ones(member->operand.bits) && (zero || not_zero);
}

/* The argument's name, when the operand is just what the argument is; its view of the register
 * otherwise. */
static const char *plain_name(const struct conditions_printer *printer,
                              const struct condition *member)
{
    const struct operand *operand = &member->operand;
    const struct argument *argument = argument_of(printer, operand);
    if (!argument || operand->shift || operand->bits != argument->bits ||
        (argument->is_pointer && !only_zero(member)))
        return NULL;
    return argument_name(printer->entry, (int)(operand->subject - SUBJECT_ARG0));
}

static const char *register_text(const struct conditions_printer *printer,
                                 const struct operand *operand, struct arena *arena)
{
    if (operand->subject == SUBJECT_NR)
        return "nr";
    if (operand->subject == SUBJECT_ARCH)
        return "arch";
    const char *name = operand->subject == SUBJECT_IP
                           ? "ip"
                           : arena_printf(arena, "arg%u", operand->subject - SUBJECT_ARG0);
    bool typed = printer->entry && printer->entry->argument_count != ARGUMENTS_UNKNOWN;
    if (operand->bits == 64)
        return typed ? arena_printf(arena, "u64(%s)", name) : name;
    return arena_printf(arena, "%s(%s)", operand->shift ? "hi32" : "lo32", name);
}

static void put_operand(const struct conditions_printer *printer, const struct condition *member,
                        const char *name)
{
    const struct operand *operand = &member->operand;
    uint64_t mask = operand->mask & ones(operand->bits);
    unsigned shown_bits = name || operand->bits >= 32 ? operand->bits : 32;
    if (!name)
        name = register_text(printer, operand, printer->out->arena);
    if (mask == ones(shown_bits))
        buffer_text(printer->out, name);
    else
        buffer_printf(printer->out, "(%s & 0x%llx)", name, (unsigned long long)mask);
}

/* ---- members
 * -----------------------------------------------------------------------------------------------------------
 */

struct range {
    exact first, last;
};

struct ranges {
    struct range *items;
    size_t count;
    exact least, most; /* of the type */
};

/* The intervals in the order of the argument's type: for a signed one the upper half comes first,
 * as negative. */
static struct ranges ranges_of(struct arena *arena, const struct condition *member, bool is_signed)
{
    exact half = (exact)1 << (member->operand.bits - 1);
    struct ranges ranges = {.items =
                                NEW_ARRAY(arena, struct range, 2 * member->interval_count + 2)};
    ranges.least = is_signed ? -half : 0;
    ranges.most = is_signed ? half - 1 : (exact)ones(member->operand.bits);
    for (unsigned negative = is_signed; negative < 2; negative--) {
        exact from = negative ? half : 0, to = negative ? 2 * half - 1 : ranges.most,
              shift = negative ? 2 * half : 0;
        for (size_t i = 0; i < member->interval_count; i++) {
            exact first = member->intervals[i].first, last = member->intervals[i].last;
            first = first < from ? from : first;
            last = last > to ? to : last;
            if (first > last)
                continue;
            struct range *before = ranges.count ? &ranges.items[ranges.count - 1] : NULL;
            if (before && before->last + 1 == first - shift)
                before->last = last - shift;
            else
                ranges.items[ranges.count++] = (struct range){first - shift, last - shift};
        }
        if (!negative)
            break;
    }
    return ranges;
}

static struct ranges gaps_of(struct arena *arena, const struct ranges *ranges)
{
    struct ranges gaps = {NEW_ARRAY(arena, struct range, ranges->count + 1), 0, ranges->least,
                          ranges->most};
    exact from = ranges->least;
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->items[i].first > from)
            gaps.items[gaps.count++] = (struct range){from, ranges->items[i].first - 1};
        from = ranges->items[i].last + 1;
    }
    if (from <= ranges->most)
        gaps.items[gaps.count++] = (struct range){from, ranges->most};
    return gaps;
}

static bool is_single(const struct ranges *ranges)
{
    return ranges->count == 1 && ranges->items[0].first == ranges->items[0].last;
}

static void put_set(struct buffer *out, const struct ranges *ranges)
{
    buffer_text(out, " in { ");
    for (size_t i = 0; i < ranges->count; i++) {
        buffer_text(out, i ? ", " : "");
        put_value(out, ranges->items[i].first);
        if (ranges->items[i].first == ranges->items[i].last)
            continue;
        buffer_text(out, "..");
        put_value(out, ranges->items[i].last);
    }
    buffer_text(out, " }");
}

static void put_comparison(const struct conditions_printer *printer, const struct condition *member,
                           const char *name, const char *operator, exact value)
{
    put_operand(printer, member, name);
    buffer_printf(printer->out, " %s ", operator);
    put_value(printer->out, value);
}

static void put_member(const struct conditions_printer *printer, const struct condition *member)
{
    const char *name = plain_name(printer, member);
    const struct argument *argument = argument_of(printer, &member->operand);
    bool whole = member->operand.mask == ones(member->operand.bits);
    struct arena *arena = printer->out->arena;
    struct ranges ranges = ranges_of(arena, member, name && whole && argument->is_signed);
    struct ranges gaps = gaps_of(arena, &ranges);
    const struct range *first = ranges.items;
    if (is_single(&ranges)) {
        put_comparison(printer, member, name, "==", first->first);
    } else if (is_single(&gaps)) {
        put_comparison(printer, member, name, "!=", gaps.items[0].first);
    } else if (ranges.count == 1 && first->first == ranges.least) {
        put_comparison(printer, member, name, "<=", first->last);
    } else if (ranges.count == 1 && first->last == ranges.most) {
        put_comparison(printer, member, name, ">=", first->first);
    } else {
        bool negated = gaps.count < ranges.count;
        buffer_text(printer->out, negated ? "!(" : "");
        put_operand(printer, member, name);
        put_set(printer->out, negated ? &gaps : &ranges);
        buffer_text(printer->out, negated ? ")" : "");
    }
}

/* ---- conditions
 * -----------------------------------------------------------------------------------------------------------
 */

static void put_condition(const struct conditions_printer *printer,
                          const struct condition *condition);

static void put_side(const struct conditions_printer *printer, const struct condition *side,
                     enum condition_kind around)
{
    bool parentheses = side->kind == CONDITION_OR && around == CONDITION_AND;
    buffer_text(printer->out, parentheses ? "(" : "");
    put_condition(printer, side);
    buffer_text(printer->out, parentheses ? ")" : "");
}

static void put_condition(const struct conditions_printer *printer,
                          const struct condition *condition)
{
    static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};
    struct buffer *out = printer->out;
    switch (condition->kind) {
    case CONDITION_TRUE:
        buffer_text(out, "true");
        break;
    case CONDITION_FALSE:
        buffer_text(out, "false");
        break;
    case CONDITION_NOT:
        buffer_text(out, "!(");
        put_condition(printer, condition->left);
        buffer_text(out, ")");
        break;
    case CONDITION_AND:
    case CONDITION_OR:
        put_side(printer, condition->left, condition->kind);
        buffer_text(out, condition->kind == CONDITION_AND ? " && " : " || ");
        put_side(printer, condition->right, condition->kind);
        break;
    case CONDITION_MEMBER:
        put_member(printer, condition);
        break;
    case CONDITION_COMPARE:
        word_print(out, condition->a);
        buffer_printf(out, " %s ", comparisons[condition->comparison]);
        word_print(out, condition->b);
        break;
    }
}

void condition_print(struct buffer *out, const struct condition *condition, enum abi_id abi,
                     uint32_t nr)
{
    struct conditions_printer printer = {out, abi,
                                         abi == ABI_NONE ? NULL : abi_syscall_at(abi, nr)};
    put_condition(&printer, condition);
}
