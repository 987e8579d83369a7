/* Every way to get a compiled filter wrong in one field: a bit of k, another jt, jf or opcode. Each
 * mutant must be refused by the admission check, REFUTED by the prover with a counterexample that
 * replays, or PROVED and then found equal by a route that shares nothing with the prover: running
 * both programs on every number that matters times boundary arguments. 1,000 seeded mutants; all of
 * them when BPFPROOF_SCALE=full.
 */
#include <stdlib.h>

#include "api/bpfproof.h"

#define SAMPLE 1000u
#define SEED 0x6d7574616e747321u

struct tally {
    unsigned refused, refuted, proved, same, wrong;
};

struct values {
    VECTOR(uint32_t) items;
};

static void add(struct arena *arena, struct values *values, uint32_t value)
{
    for (size_t i = 0; i < values->items.count; i++)
        if (values->items.items[i] == value)
            return;
    vector_push(arena, &values->items, value);
}

/* Constants of both programs with what lies beside them; each bit alone, for masks. */
static void add_constants(struct arena *arena, struct values *values, const struct program *program)
{
    for (uint32_t i = 0; i < program->length; i++) {
        uint32_t k = program->code[i].k;
        if (!is_conditional(instruction_info(program->code[i].code)->operation))
            continue;
        add(arena, values, k - 1);
        add(arena, values, k);
        add(arena, values, k + 1);
        add(arena, values, ~k);
    }
}

static bool same_word(const struct program *a, const struct program *b, const struct input *input)
{
    return interpret(a, input, NULL, 0).word == interpret(b, input, NULL, 0).word;
}

/* Which words a program loads: only those need values. */
static uint32_t fields_loaded(const struct program *program)
{
    uint32_t fields = 0;
    for (uint32_t i = 0; i < program->length; i++)
        if (instruction_info(program->code[i].code)->operation == OP_LOAD_FIELD)
            fields |= 1u << field_at(program->code[i].k, program->big_endian);
    return fields;
}

/* Whether the run loads nothing but nr and arch: then no argument can change it. */
static bool looks_at_arguments(const struct program *program, const struct input *input)
{
    uint32_t trace[PROGRAM_MOST];
    struct run run = interpret(program, input, trace, PROGRAM_MOST);
    for (uint32_t i = 0; i < run.executed; i++) {
        const struct sock_filter *f = &program->code[trace[i]];
        if (instruction_info(f->code)->operation == OP_LOAD_FIELD &&
            field_at(f->k, program->big_endian) > FIELD_ARCH)
            return true;
    }
    return false;
}

/* All values for one word, with a few settings of the others. */
static bool equal_on_words(const struct program *a, const struct program *b, struct input input,
                           const struct values *values, uint32_t fields)
{
    static const uint32_t others[] = {0, 0xffffffffu, 8, 0x20000};
    for (unsigned f = FIELD_IP_LO; f < FIELD_COUNT; f++) {
        if (!(fields & (1u << f)))
            continue;
        for (size_t o = 0; o < COUNT_OF(others); o++) {
            struct input one = input;
            for (unsigned g = FIELD_IP_LO; g < FIELD_COUNT; g++)
                input_set_field(&one, (enum field)g, others[o]);
            for (size_t v = 0; v < values->items.count; v++) {
                input_set_field(&one, (enum field)f, values->items.items[v]);
                if (!same_word(a, b, &one))
                    return false;
            }
            if ((f & 1u) == 0 && (fields & (2u << f)))
                for (size_t v = 0; v < values->items.count; v++) {
                    input_set_field(&one, (enum field)f, values->items.items[v]);
                    input_set_field(&one, (enum field)(f + 1), 0);
                    if (!same_word(a, b, &one))
                        return false;
                }
        }
    }
    return same_word(a, b, &input);
}

static bool equal_by_running(struct arena *arena, const struct program *a, const struct program *b,
                             uint32_t token)
{
    struct values numbers = {{0}}, arches = {{0}}, words = {{0}};
    add_constants(arena, &words, a);
    add_constants(arena, &words, b);
    for (unsigned bit = 0; bit < 32; bit++)
        add(arena, &words, 1u << bit);
    for (uint32_t nr = 0; nr < 600; nr++)
        vector_push(arena, &numbers.items, nr);
    for (size_t i = 0; i < words.items.count; i++)
        add(arena, &numbers, words.items.items[i]);
    for (uint32_t nr = 0; nr < 600; nr += 7)
        add(arena, &numbers, X32_BIT | nr);
    add(arena, &arches, token);
    for (unsigned bit = 0; bit < 32; bit++)
        add(arena, &arches, token ^ (1u << bit));
    add_constants(arena, &arches, b);
    uint32_t fields = fields_loaded(a) | fields_loaded(b);
    for (size_t n = 0; n < numbers.items.count; n++) {
        struct input input = {.nr = numbers.items.items[n], .arch = token};
        bool arguments = looks_at_arguments(a, &input) || looks_at_arguments(b, &input);
        if (arguments ? !equal_on_words(a, b, input, &words, fields) : !same_word(a, b, &input))
            return false;
        for (size_t t = 0; t < arches.items.count; t++) {
            input.arch = arches.items.items[t];
            if (!same_word(a, b, &input))
                return false;
        }
    }
    return true;
}

static void judge(const struct program *original, const struct program *mutant, uint32_t token,
                  struct tally *tally)
{
    if (check_program(mutant).rule != CHECK_ACCEPTED) {
        tally->refused++;
        return;
    }
    struct arena *arena = arena_new();
    struct side left = {.name = "original", .programs = original, .program_count = 1};
    struct side right = {.name = "mutant", .programs = mutant, .program_count = 1};
    struct proof_options options = {.limits = {.deadline = {0}}};
    struct proof proof = prove_equal(arena, &left, &right, &options);
    bool good = false;
    if (proof.verdict == REFUTED) {
        tally->refuted++;
        good =
            proof.has_counterexample && !same_word(original, mutant, &proof.counterexample.input);
    } else if (proof.verdict == PROVED) {
        tally->proved++;
        good = equal_by_running(arena, original, mutant, token);
    }
    if (!good) {
        tally->wrong++;
        printf("# wrong: %s (%s)\n", verdict_name(proof.verdict),
               proof.reason ? proof.reason : "-");
    }
    arena_free(arena);
}

/* ---- mutants by number
 * -------------------------------------------------------------------------------------- */

#define PER_INSTRUCTION(opcodes) (32u + 255u + 255u + (opcodes))

static void mutate(const struct program *original, uint32_t number, struct program *mutant)
{
    size_t opcodes;
    const struct instruction_info *table = instruction_table(&opcodes);
    uint32_t which = number % PER_INSTRUCTION((uint32_t)opcodes);
    struct sock_filter *f = &mutant->code[number / PER_INSTRUCTION((uint32_t)opcodes)];
    memcpy(mutant->code, original->code, original->length * sizeof *original->code);
    if (which < 32)
        f->k ^= 1u << which;
    else if (which < 32 + 255)
        f->jt ^= (uint8_t)(which - 32 + 1);
    else if (which < 32 + 510)
        f->jf ^= (uint8_t)(which - 32 - 255 + 1);
    else
        f->code = table[which - 32 - 510].code;
}

static bool same_code(const struct program *a, const struct program *b)
{
    return !memcmp(a->code, b->code, a->length * sizeof *a->code);
}

static result compile_original(struct arena *arena, struct diagnostics *diagnostics,
                               struct program *program)
{
    const struct source *source;
    struct policy *policy;
    struct compiled compiled;
    struct compile_options options = {.level = OPTIMIZE_2};
    result r = file_read(arena, "tests/data/container-default.policy", diagnostics, &source);
    if (worked(r))
        r = policy_read(arena, source, 0, diagnostics, &policy);
    if (worked(r))
        r = compile_policy(arena, policy, &options, diagnostics, &compiled);
    if (worked(r))
        *program = compiled.program;
    return r;
}

int main(void)
{
    struct arena *arena = arena_new();
    struct diagnostics diagnostics = diagnostics_new(arena);
    struct program original;
    if (failed(compile_original(arena, &diagnostics, &original))) {
        diagnostics_print(&diagnostics, stderr);
        puts("1..1\nnot ok 1 - the policy compiles");
        return 1;
    }
    size_t opcodes;
    instruction_table(&opcodes);
    uint32_t all = original.length * PER_INSTRUCTION((uint32_t)opcodes);
    const char *scale = getenv("BPFPROOF_SCALE");
    bool full = scale && !strcmp(scale, "full");
    uint32_t count = full ? all : SAMPLE;
    struct program mutant = original;
    mutant.code = NEW_ARRAY(arena, struct sock_filter, original.length);
    struct random random = random_seed(SEED);
    struct tally tally = {0};
    for (uint32_t i = 0; i < count; i++) {
        mutate(&original, full ? i : random_below(&random, all), &mutant);
        if (same_code(&original, &mutant))
            tally.same++;
        else
            judge(&original, &mutant, abi_get(ABI_X86_64)->token, &tally);
    }
    printf("1..1\n# %u mutants of %u instructions: %u refused by the check, %u REFUTED and "
           "replayed, %u PROVED and "
           "found equal by running, %u the same code, %u wrong\n",
           count, original.length, tally.refused, tally.refuted, tally.proved, tally.same,
           tally.wrong);
    printf("%sok 1 - every single-field mutant is refused, refuted or equal\n",
           tally.wrong ? "not " : "");
    arena_free(arena);
    return tally.wrong != 0;
}
