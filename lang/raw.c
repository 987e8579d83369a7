/* The raw layer: conditions and words over the input itself. Everything is unsigned. A 64-bit
 * register (ip, arg0 to arg5) can be masked and compared with constants; arithmetic, and
 * comparisons of two computed values, are over 32-bit words (arch, nr and the halves lo32() and
 * hi32()), modulo 2^32, with x / 0 = 0: what the machine has. Between the constants of a word, too:
 * -8 >> 1 is 0x7ffffffc there. A name has the value that all declared ABIs give it; AUDIT_ARCH_...
 * names are the arch tokens.
 */
#include "lang/arguments.h"

const struct word *word_of_value(struct resolver *resolver, uint32_t value)
{
    struct word *word = NEW(resolver->arena, struct word);
    word->operator= WORD_CONSTANT;
    word->constant = value;
    return word;
}

/* ---- fields
 * -------------------------------------------------------------------------------------------------------
 */

/* The subject of a register's name; -1 for anything else. */
static int register_subject(const struct expression *expression)
{
    if (expression->kind != EXPRESSION_NAME)
        return -1;
    if (!strcmp(expression->name, "ip"))
        return SUBJECT_IP;
    int index = register_index(expression->name);
    return index < 0 ? -1 : SUBJECT_ARG0 + index;
}

static bool is_field(const struct expression *e)
{
    return e->kind == EXPRESSION_APPLY || register_subject(e) >= 0 ||
           (e->kind == EXPRESSION_NAME && (!strcmp(e->name, "arch") || !strcmp(e->name, "nr")));
}

static bool mentions_field(const struct expression *e)
{
    if (!e)
        return false;
    if (is_field(e))
        return true;
    for (const struct link *link = e->links; link; link = link->next)
        if (mentions_field(link->operand))
            return true;
    return mentions_field(e->left) || mentions_field(e->right);
}

static const struct word *field_word(struct resolver *resolver, enum field field)
{
    struct word *word = NEW(resolver->arena, struct word);
    word->operator= WORD_FIELD;
    word->field = field;
    return word;
}

static const struct word *half_word(struct resolver *resolver, const struct expression *use)
{
    bool high = !strcmp(use->name, "hi32");
    int subject = register_subject(use->left);
    if (!high && strcmp(use->name, "lo32")) {
        problem_error(resolver, use->span, ABI_NONE, "`%s` is none of lo32 and hi32", use->name);
        return NULL;
    }
    if (subject < 0) {
        problem_error(resolver, use->left->span, ABI_NONE, "%s takes ip or one of arg0 to arg5",
                      use->name);
        return NULL;
    }
    if (subject == SUBJECT_IP)
        return field_word(resolver, high ? FIELD_IP_HI : FIELD_IP_LO);
    unsigned arg = (unsigned)subject - SUBJECT_ARG0;
    return field_word(resolver, high ? field_arg_hi(arg) : field_arg_lo(arg));
}

/* ---- words
 * --------------------------------------------------------------------------------------------------------------
 */

static bool fold(enum word_operator operator, uint32_t a, uint32_t b, uint32_t *value)
{
    struct word left = {.operator= WORD_CONSTANT, .constant = a},
                right = {.operator= WORD_CONSTANT, .constant = b};
    struct word word = {.operator= operator, .left = & left, .right = &right};
    bool implementation_defined = false;
    static const struct input none;
    *value = word_value(&word, &none, &implementation_defined);
    return !implementation_defined;
}

static const struct word *word_binary(struct resolver *resolver, enum word_operator operator,
                                      const struct word * left, const struct word *right)
{
    uint32_t value;
    if (!left || !right)
        return NULL;
    if (left->operator== WORD_CONSTANT && right->operator== WORD_CONSTANT &&
        fold(operator, left->constant, right->constant, &value))
        return word_of_value(resolver, value);
    struct word *word = NEW(resolver->arena, struct word);
    word->operator= operator;
    word->left = left;
    word->right = right;
    return word;
}

static enum word_operator word_operator_of(enum operator operator)
{
    switch (operator) {
    case OPERATOR_OR:
        return WORD_OR;
    case OPERATOR_XOR:
        return WORD_XOR;
    case OPERATOR_AND:
        return WORD_AND;
    case OPERATOR_SHIFT_LEFT:
        return WORD_SHIFT_LEFT;
    case OPERATOR_SHIFT_RIGHT:
        return WORD_SHIFT_RIGHT;
    case OPERATOR_SUB:
        return WORD_SUB;
    case OPERATOR_MUL:
        return WORD_MUL;
    case OPERATOR_DIV:
        return WORD_DIV;
    default:
        return WORD_ADD;
    }
}

static const struct word *balanced_words(struct resolver *resolver, enum word_operator operator,
                                         const struct word ** words, size_t count)
{
    while (count > 1) {
        size_t half = 0;
        for (size_t i = 0; i + 1 < count; i += 2)
            words[half++] = word_binary(resolver, operator, words[i], words[i + 1]);
        if (count % 2)
            words[half++] = words[count - 1];
        count = half;
    }
    return count ? words[0] : NULL;
}

/* a + b - c + d is (a + b + d) - c, which can be balanced. */
static const struct word *sum_word(struct resolver *resolver, const struct expression *chain)
{
    const struct word **terms[2];
    size_t counts[2] = {0, 0};
    bool fine = true;
    for (unsigned i = 0; i < 2; i++)
        terms[i] = NEW_ARRAY(resolver->arena, const struct word *, chain->link_count);
    for (const struct link *link = chain->links; link; link = link->next) {
        unsigned minus = link->operator== OPERATOR_SUB;
        const struct word *word = resolve_raw_word(resolver, link->operand);
        terms[minus][counts[minus]++] = word;
        fine &= word != NULL;
    }
    if (!fine)
        return NULL;
    const struct word *plus = balanced_words(resolver, WORD_ADD, terms[0], counts[0]);
    const struct word *minus = balanced_words(resolver, WORD_ADD, terms[1], counts[1]);
    return minus ? word_binary(resolver, WORD_SUB, plus, minus) : plus;
}

static const struct word *chain_word(struct resolver *resolver, const struct expression *chain)
{
    if (chain->level == LEVEL_SUM)
        return sum_word(resolver, chain);
    bool in_order = chain->level == LEVEL_SHIFT || chain->level == LEVEL_PRODUCT;
    const struct word **words = NEW_ARRAY(resolver->arena, const struct word *, chain->link_count);
    const struct word *word = NULL;
    size_t count = 0;
    bool fine = true;
    for (const struct link *link = chain->links; link; link = link->next) {
        const struct word *operand = resolve_raw_word(resolver, link->operand);
        fine &= operand != NULL;
        words[count++] = operand;
        if (in_order)
            word = count == 1
                       ? operand
                       : word_binary(resolver, word_operator_of(link->operator), word, operand);
    }
    if (!fine)
        return NULL;
    return in_order ? word
                    : balanced_words(resolver, word_operator_of(chain->links->next->operator),
                                     words, count);
}

static const struct word *unary_word(struct resolver *resolver, const struct expression *use)
{
    const struct word *operand = resolve_raw_word(resolver, use->left);
    if (!operand)
        return NULL;
    if (use->operator== OPERATOR_COMPLEMENT)
        return word_binary(resolver, WORD_XOR, operand, word_of_value(resolver, UINT32_MAX));
    if (operand->operator== WORD_CONSTANT)
        return word_of_value(resolver, 0 - operand->constant);
    struct word *word = NEW(resolver->arena, struct word);
    word->operator= WORD_NEGATE;
    word->left = operand;
    return word;
}

static const struct word *constant_word(struct resolver *resolver, const struct expression *use)
{
    exact value;
    if (!constant_value(resolver, ABI_NONE, use, &value))
        return NULL;
    if (value < INT32_MIN || value > UINT32_MAX) {
        problem_error(resolver, use->span, ABI_NONE, "%s does not fit in a word of 32 bits",
                      exact_text(resolver->arena, value));
        return NULL;
    }
    return word_of_value(resolver, (uint32_t)value);
}

const struct word *resolve_raw_word(struct resolver *resolver, const struct expression *use)
{
    bool leaf = use->kind == EXPRESSION_NUMBER || use->kind == EXPRESSION_NAME;
    if (leaf && !is_field(use))
        return constant_word(resolver, use);
    if (register_subject(use) >= 0) {
        struct problem *p =
            problem_error(resolver, use->span, ABI_NONE,
                          "`%s` has 64 bits, and arithmetic is over words of 32", use->name);
        problem_note(resolver, p, NO_SPAN, "write lo32(%s) or hi32(%s)", use->name, use->name);
        return NULL;
    }
    if (use->kind == EXPRESSION_NAME)
        return field_word(resolver, strcmp(use->name, "nr") ? FIELD_ARCH : FIELD_NR);
    if (use->kind == EXPRESSION_APPLY)
        return half_word(resolver, use);
    if (use->kind == EXPRESSION_UNARY && use->operator!= OPERATOR_NOT)
        return unary_word(resolver, use);
    if (use->kind == EXPRESSION_CHAIN && use->level > LEVEL_AND_ALSO)
        return chain_word(resolver, use);
    problem_error(resolver, use->span, ABI_NONE,
                  "a number is needed here, and this is a condition");
    return NULL;
}

/* ---- comparisons
 * ----------------------------------------------------------------------------------------------------------
 */

/* One side of a comparison: a register of 64 bits with a mask, a word that is a field with a mask,
 * or any word. */
struct side {
    bool is_operand;
    struct operand operand;
    const struct word *word; /* NULL for 64 bits */
};

static struct operand field_operand(enum field field)
{
    struct operand operand = {.bits = 32, .mask = UINT32_MAX};
    if (field == FIELD_NR || field == FIELD_ARCH) {
        operand.subject = field == FIELD_NR ? SUBJECT_NR : SUBJECT_ARCH;
        return operand;
    }
    unsigned half = (unsigned)field - FIELD_IP_LO;
    operand.subject = SUBJECT_IP + half / 2;
    operand.shift = half % 2 * 32;
    return operand;
}

static void word_side(const struct word *word, struct side *side)
{
    side->word = word;
    if (word->operator== WORD_FIELD) {
        side->is_operand = true;
        side->operand = field_operand(word->field);
    }
    if (word->operator!= WORD_AND)
        return;
    const struct word *field = word->left, *mask = word->right;
    if (field->operator== WORD_CONSTANT) {
        field = word->right;
        mask = word->left;
    }
    if (field->operator== WORD_FIELD && mask->operator== WORD_CONSTANT) {
        side->is_operand = true;
        side->operand = field_operand(field->field);
        side->operand.mask = mask->constant;
    }
}

/* The 64-bit register in `use`, alone or in a chain of & with constants; NULL when it is something
 * else. */
static const struct expression *wide_register(const struct expression *use)
{
    if (register_subject(use) >= 0)
        return use;
    if (use->kind != EXPRESSION_CHAIN || use->level != LEVEL_AND)
        return NULL;
    const struct expression *found = NULL;
    for (const struct link *link = use->links; link; link = link->next) {
        if (!mentions_field(link->operand))
            continue;
        if (found || register_subject(link->operand) < 0)
            return NULL;
        found = link->operand;
    }
    return found;
}

static bool wide_side(struct resolver *resolver, const struct expression *use,
                      const struct expression *wide, struct side *side)
{
    exact mask = -1;
    for (const struct link *link = use == wide ? NULL : use->links; link; link = link->next) {
        exact value;
        if (link->operand == wide)
            continue;
        if (!constant_value(resolver, ABI_NONE, link->operand, &value))
            return false;
        mask &= value;
    }
    side->is_operand = true;
    side->operand = (struct operand){(unsigned)register_subject(wide), 0, 64, (uint64_t)mask};
    return true;
}

static bool resolve_side(struct resolver *resolver, const struct expression *use, struct side *side)
{
    *side = (struct side){.is_operand = false};
    const struct expression *wide = wide_register(use);
    if (wide)
        return wide_side(resolver, use, wide, side);
    const struct word *word = resolve_raw_word(resolver, use);
    if (word)
        word_side(word, side);
    return word != NULL;
}

static enum comparison comparison_of(enum operator operator)
{
    return (enum comparison)(operator- OPERATOR_EQUAL);
}

static const struct condition *compare_words(struct resolver *resolver, enum comparison comparison,
                                             const struct word *a, const struct word *b,
                                             struct span span)
{
    struct condition *condition = NEW(resolver->arena, struct condition);
    condition->kind = CONDITION_COMPARE;
    condition->comparison = comparison;
    condition->a = a;
    condition->b = b;
    condition->span = span;
    static const struct input none;
    bool implementation_defined;
    if (a->operator== WORD_CONSTANT && b->operator== WORD_CONSTANT)
        return condition_constant(resolver,
                                  condition_holds(condition, &none, &implementation_defined), span);
    return condition;
}

static bool constant_of_word(struct resolver *resolver, const struct expression *use,
                             uint64_t *value)
{
    const struct word *word = resolve_raw_word(resolver, use);
    if (word && word->operator!= WORD_CONSTANT)
        problem_error(resolver, use->span, ABI_NONE,
                      mentions_field(use) ? "a constant is needed here"
                                          : "a word is shifted by 32 or more");
    if (!word || word->operator!= WORD_CONSTANT)
        return false;
    *value = word->constant;
    return true;
}

static bool constant_bits(struct resolver *resolver, const struct expression *use, unsigned bits,
                          uint64_t *value)
{
    exact number;
    if (bits == 32)
        return constant_of_word(resolver, use, value);
    if (!constant_value(resolver, ABI_NONE, use, &number))
        return false;
    if (number < -((exact)1 << (bits - 1)) || number > (exact)ones(bits)) {
        problem_error(resolver, use->span, ABI_NONE, "%s does not fit in %u bits",
                      exact_text(resolver->arena, number), bits);
        return false;
    }
    *value = (uint64_t)number & ones(bits);
    return true;
}

/* Three comparisons are the other three's complements. */
static const struct condition *compare_operand(struct resolver *resolver,
                                               const struct operand *operand,
                                               enum comparison comparison, uint64_t value,
                                               struct span span)
{
    interval_list list = {0};
    bool complement = comparison == COMPARE_NOT_EQUAL || comparison == COMPARE_GREATER_EQUAL ||
                      comparison == COMPARE_LESS_EQUAL;
    if (comparison == COMPARE_EQUAL || comparison == COMPARE_NOT_EQUAL)
        intervals_add(resolver, &list, value, value);
    else if ((comparison == COMPARE_LESS || comparison == COMPARE_GREATER_EQUAL) && value)
        intervals_add(resolver, &list, 0, value - 1);
    else if ((comparison == COMPARE_GREATER || comparison == COMPARE_LESS_EQUAL) &&
             value < ones(operand->bits))
        intervals_add(resolver, &list, value + 1, ones(operand->bits));
    return condition_member(resolver, operand, &list, complement, span);
}

static enum comparison turned(enum comparison comparison)
{
    static const enum comparison turned[] = {COMPARE_EQUAL,   COMPARE_NOT_EQUAL,
                                             COMPARE_GREATER, COMPARE_GREATER_EQUAL,
                                             COMPARE_LESS,    COMPARE_LESS_EQUAL};
    return turned[comparison];
}

static bool needs_parentheses(const struct expression *side)
{
    return side->kind == EXPRESSION_CHAIN && !side->parenthesized && side->level <= LEVEL_AND &&
           mentions_field(side);
}

static bool has_raw_shape(struct resolver *resolver, const struct expression *use)
{
    const struct expression *bare =
        needs_parentheses(use->left)                                       ? use->left
        : use->kind == EXPRESSION_COMPARE && needs_parentheses(use->right) ? use->right
                                                                           : NULL;
    if (!bare)
        return true;
    struct problem *p =
        problem_error(resolver, bare->span, ABI_NONE,
                      "`%s` beside a comparison needs parentheses: it reads differently in C",
                      operator_text(bare->links->next->operator));
    problem_note(resolver, p, NO_SPAN, "write (%s)", expression_text(resolver->arena, bare));
    return false;
}

static const struct condition *resolve_raw_compare(struct resolver *resolver,
                                                   const struct expression *use)
{
    const struct expression *a = use->left, *b = use->right;
    enum comparison comparison = comparison_of(use->operator);
    struct side left, right;
    uint64_t value;
    if (!has_raw_shape(resolver, use))
        return NULL;
    if (!mentions_field(a) && mentions_field(b)) {
        a = use->right;
        b = use->left;
        comparison = turned(comparison);
    }
    if (!resolve_side(resolver, a, &left))
        return NULL;
    if (left.is_operand && !mentions_field(b)) {
        if (!constant_bits(resolver, b, left.operand.bits, &value))
            return NULL;
        return compare_operand(resolver, &left.operand, comparison, value, use->span);
    }
    if (!resolve_side(resolver, b, &right))
        return NULL;
    if (!left.word || !right.word) {
        struct problem *p =
            problem_error(resolver, use->span, ABI_NONE,
                          "a register of 64 bits can be compared with a constant only");
        problem_note(resolver, p, NO_SPAN, "compare its halves lo32() and hi32()");
        return NULL;
    }
    return compare_words(resolver, comparison, left.word, right.word, use->span);
}

/* ---- in
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool raw_elements(struct resolver *resolver, const struct element *elements, unsigned bits,
                         unsigned depth, interval_list *list)
{
    bool fine = true;
    for (const struct element *element = elements; element; element = element->next) {
        const struct statement *inner =
            element->last ? NULL : constant_list(resolver, element->first);
        uint64_t first, last;
        if (!members_take(resolver, element->span, 1))
            return false;
        if (inner) {
            fine &= depth < CONST_DEPTH_MOST &&
                    raw_elements(resolver, inner->elements, bits, depth + 1, list);
            continue;
        }
        bool known = constant_bits(resolver, element->first, bits, &first);
        last = first;
        if (known && element->last)
            known = constant_bits(resolver, element->last, bits, &last);
        if (known && first > last) {
            problem_error(resolver, element->span, ABI_NONE,
                          "this range is empty: its first value is above its last");
            known = false;
        }
        if (known)
            intervals_add(resolver, list, first, last);
        fine &= known;
    }
    return fine;
}

static const struct condition *word_in(struct resolver *resolver, const struct word *word,
                                       const interval_list *list, struct span span)
{
    if (!list->count)
        return condition_constant(resolver, false, span);
    const struct condition **members =
        NEW_ARRAY(resolver->arena, const struct condition *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct word *first = word_of_value(resolver, (uint32_t)list->items[i].first);
        const struct word *last = word_of_value(resolver, (uint32_t)list->items[i].last);
        bool single = list->items[i].first == list->items[i].last;
        members[i] = compare_words(resolver, single ? COMPARE_EQUAL : COMPARE_GREATER_EQUAL, word,
                                   first, span);
        if (!single)
            members[i] =
                condition_pair(resolver, CONDITION_AND, members[i],
                               compare_words(resolver, COMPARE_LESS_EQUAL, word, last, span));
    }
    return condition_balanced(resolver, CONDITION_OR, members, list->count);
}

static const struct condition *resolve_raw_in(struct resolver *resolver,
                                              const struct expression *use)
{
    struct side left;
    interval_list list = {0};
    if (!has_raw_shape(resolver, use) || !resolve_side(resolver, use->left, &left))
        return NULL;
    unsigned bits = left.is_operand ? left.operand.bits : 32;
    struct element single = {.span = use->span, .first = use->right};
    if (!raw_elements(resolver, use->right ? &single : use->elements, bits, 0, &list))
        return NULL;
    return left.is_operand ? condition_member(resolver, &left.operand, &list, false, use->span)
                           : word_in(resolver, left.word, &list, use->span);
}

/* ---- conditions
 * ------------------------------------------------------------------------------------------------------------
 */

static const struct condition *resolve_raw_chain(struct resolver *resolver,
                                                 const struct expression *chain)
{
    const struct condition **members =
        NEW_ARRAY(resolver->arena, const struct condition *, chain->link_count);
    size_t count = 0;
    for (const struct link *link = chain->links; link; link = link->next) {
        members[count] = resolve_raw_condition(resolver, link->operand);
        count += members[count] != NULL;
    }
    if (count < chain->link_count)
        return NULL;
    return condition_balanced(
        resolver, chain->level == LEVEL_OR_ELSE ? CONDITION_OR : CONDITION_AND, members, count);
}

const struct condition *resolve_raw_condition(struct resolver *resolver,
                                              const struct expression *use)
{
    if (use->kind == EXPRESSION_COMPARE)
        return resolve_raw_compare(resolver, use);
    if (use->kind == EXPRESSION_IN)
        return resolve_raw_in(resolver, use);
    if (use->kind == EXPRESSION_CHAIN && use->level <= LEVEL_AND_ALSO)
        return resolve_raw_chain(resolver, use);
    if (use->kind == EXPRESSION_UNARY && use->operator== OPERATOR_NOT) {
        const struct condition *operand = resolve_raw_condition(resolver, use->left);
        return operand ? condition_not(resolver, operand, use->span) : NULL;
    }
    problem_error(resolver, use->span, ABI_NONE, "a condition compares: `%s` is only a value",
                  expression_text(resolver->arena, use));
    return NULL;
}
