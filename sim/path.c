#include "sim/facts.h"

/* One input's way through a program, in words. The interpreter has run it; here the registers are
 * followed once more, as terms over the input. */

#define MEMORY_SLOTS 16u
#define TERM_MOST 72u  /* characters; so that A = A + A again and again stays short */
#define KNOWN_SHOWN 4u /* values that the sentence on what is known lists */

/* What a register holds. */
struct term {
    const char *text;
    bool is_constant;
    bool is_compound; /* needs parentheses inside another term */
    bool is_field;
    enum field field; /* of is_field */
};

struct walk {
    struct arena *arena;
    const struct program *program;
    const struct input *input;
    const struct executed_step *steps;
    struct run run;
    enum abi_id abi; /* the input's; ABI_NONE */
    struct term a, x, memory[MEMORY_SLOTS];
    struct facts facts;
    VECTOR(const char *) conditions; /* between two terms, of which there are no facts */
    struct path_step *out;
};

/* ---- names -------------------------------------------------------------------------------------
 */

static const char *call_name(const struct walk *walk, uint32_t nr)
{
    const struct syscall_entry *entry =
        walk->abi == ABI_NONE ? NULL : abi_syscall_at(walk->abi, nr);
    return entry ? entry->name : nr == X32_BIT ? "x32's bit" : NULL;
}

static const char *token_name(const struct walk *walk, uint32_t token)
{
    abi_set named = abi_with_token(token, walk->program->big_endian);
    return named ? abi_get((enum abi_id)__builtin_ctz(named))->token_name : NULL;
}

/* What a constant is called that a term is compared with, or has as its value. */
static const char *value_name(const struct walk *walk, const struct term *term, uint32_t value)
{
    if (!term->is_field)
        return NULL;
    return term->field == FIELD_NR     ? call_name(walk, value)
           : term->field == FIELD_ARCH ? token_name(walk, value)
                                       : NULL;
}

/* "flags", "upper half of length", "upper half of domain, which the kernel ignores". */
static const char *argument_name(const struct walk *walk, enum field field)
{
    const struct syscall_entry *call =
        walk->abi == ABI_NONE ? NULL : abi_syscall_at(walk->abi, walk->input->nr);
    if (field < FIELD_ARG0_LO || !call || call->argument_count == ARGUMENTS_UNKNOWN)
        return NULL;
    const struct argument *argument = &call->arguments[(field - FIELD_ARG0_LO) / 2];
    const char *name = argument->manual_name ? argument->manual_name : argument->kernel_name;
    if (!name)
        return NULL;
    if ((field - FIELD_ARG0_LO) % 2 == 0)
        return name;
    return arena_printf(walk->arena, "upper half of %s%s", name,
                        argument->bits && argument->bits <= 32 ? ", which the kernel ignores" : "");
}

static const char *value_text(const struct walk *walk, const struct term *term, uint32_t value)
{
    bool is_number = term->is_field && term->field == FIELD_NR && value < 0x10000;
    const char *name = value_name(walk, term, value);
    return arena_printf(walk->arena, is_number ? "%u%s%s%s" : "0x%x%s%s%s", value, name ? " (" : "",
                        name ? name : "", name ? ")" : "");
}

/* ---- terms --------------------------------------------------------------------------------------
 */

static struct term constant_term(const struct walk *walk, uint32_t value)
{
    return (struct term){.text = arena_printf(walk->arena, "0x%x", value), .is_constant = true};
}

static struct term field_term(enum field field)
{
    return (struct term){.text = field_name(field), .is_field = true, .field = field};
}

static const char *operator_of(enum operation operation)
{
    static const char *const operators[OP_COUNT] = {
        [OP_ADD] = "+",         [OP_SUB] = "-",          [OP_MUL] = "*",
        [OP_DIV] = "/",         [OP_AND] = "&",          [OP_OR] = "|",
        [OP_XOR] = "^",         [OP_SHIFT_LEFT] = "<<",  [OP_SHIFT_RIGHT] = ">>",
        [OP_JUMP_EQUAL] = "==", [OP_JUMP_GREATER] = ">", [OP_JUMP_GREATER_EQUAL] = ">=",
        [OP_JUMP_SET] = "&",
    };
    return operators[operation];
}

static struct term long_term(const struct walk *walk, uint32_t instruction)
{
    return (struct term){.text = arena_printf(walk->arena, "A at %u", instruction),
                         .is_compound = true};
}

static struct term result_term(const struct walk *walk, enum operation operation,
                               const struct term *left, const struct term *right,
                               uint32_t instruction, uint32_t value)
{
    if (left->is_constant && (operation == OP_NEGATE || right->is_constant))
        return constant_term(walk, value);
    size_t length = strlen(left->text) + (operation == OP_NEGATE ? 0 : strlen(right->text));
    if (length > TERM_MOST)
        return long_term(walk, instruction);
    const char *l = left->is_compound ? "(" : "", *m = left->is_compound ? ")" : "";
    const char *r = right->is_compound ? "(" : "", *s = right->is_compound ? ")" : "";
    const char *text = operation == OP_NEGATE
                           ? arena_printf(walk->arena, "-%s%s%s", l, left->text, m)
                           : arena_printf(walk->arena, "%s%s%s %s %s%s%s", l, left->text, m,
                                          operator_of(operation), r, right->text, s);
    return (struct term){.text = text, .is_compound = true};
}

/* ---- instructions that move or compute
 * ----------------------------------------------------------- */

static const char *known_text(const struct walk *walk, const struct term *term)
{
    const struct fact *fact = term->is_constant ? NULL : facts_about(&walk->facts, term->text);
    return fact ? fact_text(walk->arena, fact, KNOWN_SHOWN) : NULL;
}

/* "A = lo32(arg2) = 0x80000 (flags); before: ..." */
static void tell_value(struct walk *walk, const char *target, const struct term *term,
                       uint32_t value)
{
    struct path_step *out = walk->out;
    const char *named = term->is_field ? argument_name(walk, term->field) : NULL;
    out->term = term->text;
    out->value = value;
    out->name = named ? named : value_name(walk, term, value);
    out->known = known_text(walk, term);
    struct buffer text = buffer_new(walk->arena);
    buffer_printf(&text, "%s = ", target);
    if (!term->is_constant)
        buffer_printf(&text, "%s = ", term->text);
    buffer_text(&text, value_text(walk, term, value));
    if (named)
        buffer_printf(&text, " (%s)", named);
    if (out->known)
        buffer_printf(&text, "; known: %s", out->known);
    out->remark = buffer_string(&text);
}

static void compute(struct walk *walk, const struct instruction_info *info, uint32_t index,
                    const struct executed_step *now, const struct executed_step *next)
{
    const struct sock_filter *at = &walk->program->code[index];
    struct term constant = constant_term(walk, at->k);
    const struct term *right = info->operand_is_x ? &walk->x : &constant;
    uint32_t operand = info->operand_is_x ? now->x : at->k;
    bool is_shift = info->operation == OP_SHIFT_LEFT || info->operation == OP_SHIFT_RIGHT;
    walk->a = result_term(walk, info->operation, &walk->a, right, index, next->a);
    tell_value(walk, "A", &walk->a, next->a);
    if (is_shift && operand > 31)
        walk->out->remark =
            arena_printf(walk->arena, "%s; a shift by 32 or more: machines differ, this is x86's",
                         walk->out->remark);
}

static struct term *slot_of(struct walk *walk, uint32_t k)
{
    return &walk->memory[k % MEMORY_SLOTS];
}

static void move(struct walk *walk, enum operation operation, uint32_t k,
                 const struct executed_step *now, const struct executed_step *next)
{
    const char *slot = arena_printf(walk->arena, "M[%u]", k);
    switch (operation) {
    case OP_LOAD_FIELD:
        walk->a = field_term(field_at(k, walk->program->big_endian));
        break;
    case OP_LOAD_LENGTH:
    case OP_LOAD_IMMEDIATE:
        walk->a = constant_term(walk, next->a);
        break;
    case OP_LOAD_X_LENGTH:
    case OP_LOAD_X_IMMEDIATE:
        walk->x = constant_term(walk, next->x);
        break;
    case OP_LOAD_MEMORY:
        walk->a = *slot_of(walk, k);
        break;
    case OP_LOAD_X_MEMORY:
        walk->x = *slot_of(walk, k);
        break;
    case OP_STORE:
        *slot_of(walk, k) = walk->a;
        tell_value(walk, slot, &walk->a, now->a);
        return;
    case OP_STORE_X:
        *slot_of(walk, k) = walk->x;
        tell_value(walk, slot, &walk->x, now->x);
        return;
    case OP_TAX:
        walk->x = walk->a;
        break;
    default:
        walk->a = walk->x; /* OP_TXA */
    }
    bool to_x = operation == OP_LOAD_X_LENGTH || operation == OP_LOAD_X_IMMEDIATE ||
                operation == OP_LOAD_X_MEMORY || operation == OP_TAX;
    tell_value(walk, to_x ? "X" : "A", to_x ? &walk->x : &walk->a, to_x ? next->x : next->a);
}

/* ---- tests
 * ----------------------------------------------------------------------------------------- */

static const char *phrase(enum operation test, bool holds)
{
    static const char *const phrases[OP_COUNT][2] = {
        [OP_JUMP_EQUAL] = {"so not", "so it is"},
        [OP_JUMP_GREATER] = {"so not above", "so above"},
        [OP_JUMP_GREATER_EQUAL] = {"so below", "so not below"},
        [OP_JUMP_SET] = {"so without a bit of", "so with a bit of"},
    };
    return phrases[test][holds];
}

/* The facts are about one side when the other is a constant. */
static void learn(struct walk *walk, const struct instruction_info *info, const struct term *right)
{
    struct path_step *out = walk->out;
    if (walk->a.is_constant && right->is_constant) {
        out->was_known = true;
        return;
    }
    if (!right->is_constant) {
        bool is_mask = info->operation == OP_JUMP_SET;
        struct buffer text = buffer_new(walk->arena);
        buffer_printf(&text, "%s(%s %s %s)%s", out->holds || is_mask ? "" : "not ", out->term,
                      out->relation, out->right,
                      !is_mask     ? ""
                      : out->holds ? " != 0"
                                   : " == 0");
        vector_push(walk->arena, &walk->conditions, buffer_string(&text));
        return;
    }
    const struct fact *fact = facts_about(&walk->facts, walk->a.text);
    out->known = known_text(walk, &walk->a);
    out->was_known = fact_decides(fact, info->operation, out->right_value) != OUTCOME_OPEN;
    facts_add(&walk->facts, walk->a.text, info->operation, out->right_value, out->holds);
}

static bool holds(enum operation test, uint32_t a, uint32_t operand)
{
    switch (test) {
    case OP_JUMP_EQUAL:
        return a == operand;
    case OP_JUMP_GREATER:
        return a > operand;
    case OP_JUMP_GREATER_EQUAL:
        return a >= operand;
    default:
        return (a & operand) != 0;
    }
}

/* "nr = 257 (openat), so not below 0x3c: to 5; known before: nr <= 0x166" */
static void describe_test(struct walk *walk, const struct term *right, enum operation operation,
                          bool either_way)
{
    struct path_step *out = walk->out;
    struct buffer text = buffer_new(walk->arena);
    if (!walk->a.is_constant)
        buffer_printf(&text, "%s = ", out->term);
    buffer_text(&text, value_text(walk, &walk->a, out->value));
    if (operation == OP_JUMP_EQUAL && out->holds && right->is_constant) {
        buffer_text(&text, ", equal");
    } else {
        buffer_printf(&text, ", %s ", phrase(operation, out->holds));
        if (!right->is_constant)
            buffer_printf(&text, "%s = ", out->right);
        buffer_text(&text, value_text(walk, &walk->a, out->right_value));
    }
    buffer_printf(&text, ": to %u%s", out->next, either_way ? " either way" : "");
    if (out->known)
        buffer_printf(&text, "; %s: %s", out->was_known ? "as was known" : "known before",
                      out->known);
    out->remark = buffer_string(&text);
}

static void test(struct walk *walk, const struct instruction_info *info, uint32_t index,
                 const struct executed_step *now, const struct executed_step *next)
{
    const struct sock_filter *at = &walk->program->code[index];
    struct path_step *out = walk->out;
    struct term constant = constant_term(walk, at->k);
    const struct term *right = info->operand_is_x ? &walk->x : &constant;
    out->is_test = true;
    out->term = walk->a.text;
    out->value = now->a;
    out->name = value_name(walk, &walk->a, now->a);
    out->relation = operator_of(info->operation);
    out->right = right->text;
    out->right_value = info->operand_is_x ? now->x : at->k;
    out->right_name = value_name(walk, &walk->a, out->right_value);
    out->holds = holds(info->operation, now->a, out->right_value);
    out->next = next->instruction;
    learn(walk, info, right);
    describe_test(walk, right, info->operation, at->jt == at->jf);
}

/* ---- ends
 * -------------------------------------------------------------------------------------------- */

static void end(struct walk *walk, const struct instruction_info *info,
                const struct executed_step *now)
{
    struct path_step *out = walk->out;
    struct buffer verdict = buffer_new(walk->arena);
    out->next = now->instruction;
    out->value = walk->run.word;
    verdict_print(&verdict, walk->run.word, walk->abi);
    out->name = buffer_string(&verdict);
    if (info->operation == OP_RETURN_A) {
        out->term = walk->a.text;
        out->remark =
            arena_printf(walk->arena, "returns %s = 0x%x: %s", out->term, out->value, out->name);
    } else if (info->operation == OP_RETURN) {
        out->remark = arena_printf(walk->arena, "returns %s", out->name);
    } else {
        out->remark = arena_printf(
            walk->arena, "divides by X%s%s = 0: the kernel ends the program with 0, %s",
            walk->x.is_constant ? "" : " = ", walk->x.is_constant ? "" : walk->x.text, out->name);
    }
}

/* ---- the walk
 * ------------------------------------------------------------------------------------------ */

static void explain_step(struct walk *walk, uint32_t i)
{
    const struct executed_step *now = &walk->steps[i], *next = now + 1;
    const struct sock_filter *at = &walk->program->code[now->instruction];
    const struct instruction_info *info = instruction_info(at->code);
    struct buffer text = buffer_new(walk->arena);
    disassemble_instruction(&text, walk->program, now->instruction);
    *walk->out = (struct path_step){.instruction = now->instruction, .text = buffer_string(&text)};
    if (i + 1 == walk->run.executed) {
        end(walk, info, now);
        return;
    }
    walk->out->next = next->instruction;
    if (is_conditional(info->operation))
        test(walk, info, now->instruction, now, next);
    else if (info->operation == OP_JUMP)
        walk->out->remark = arena_printf(walk->arena, "to %u", next->instruction);
    else if (info->operation >= OP_ADD && info->operation <= OP_NEGATE)
        compute(walk, info, now->instruction, now, next);
    else
        move(walk, info->operation, at->k, now, next);
}

static void list_conditions(struct walk *walk, struct path *path)
{
    VECTOR(const char *) all = {0};
    for (size_t i = 0; i < walk->facts.items.count; i++) {
        const char *text = fact_text(walk->arena, &walk->facts.items.items[i], SIZE_MAX);
        if (text)
            vector_push(walk->arena, &all, text);
    }
    for (size_t i = 0; i < walk->conditions.count; i++)
        vector_push(walk->arena, &all, walk->conditions.items[i]);
    path->conditions = all.items;
    path->condition_count = all.count;
}

struct path path_explain(struct arena *arena, const struct program *program,
                         const struct input *input)
{
    struct executed_step *steps = NEW_ARRAY(arena, struct executed_step, PROGRAM_MOST);
    struct walk walk = {
        .arena = arena,
        .program = program,
        .input = input,
        .steps = steps,
        .run = interpret_steps(program, input, steps, PROGRAM_MOST),
        .abi = input_abi(input, program->big_endian),
        .facts = {.arena = arena},
    };
    struct path path = {.run = walk.run, .count = walk.run.executed};
    path.steps = NEW_ARRAY(arena, struct path_step, path.count);
    walk.a = walk.x = constant_term(&walk, 0);
    for (size_t i = 0; i < MEMORY_SLOTS; i++)
        walk.memory[i] = walk.a; /* never seen: an accepted program stores before it loads */
    for (uint32_t i = 0; i < path.count; i++) {
        walk.out = &path.steps[i];
        explain_step(&walk, i);
    }
    list_conditions(&walk, &path);
    return path;
}
