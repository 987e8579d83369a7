/* The code itself: instructions that never run, operations that machines do differently, calls that
 * the kernel does not cache. */
#include "verifier/auditor.h"

/* Words that are no action: what a watched program returns where it ends in the middle, and what a
 * block returns that is looked for. */
#define ENDED 0xfffe1234u
#define BLOCK_WORD 0xfffd0000u
#define STEPS_MOST 10000000u /* of examples: a fraction of a second */

/* ---- class 28 -------------------------------------------------------------------------------- */

/* A program may compute any word that it returns, and return any constant: with its own returns all
 * 0, only what is put there returns the words above. */
static void silence_returns(struct executor *executor, const struct program *program)
{
    for (uint32_t pc = 0; pc < program->length; pc++) {
        if (!is_return(executor->code[pc].operation))
            continue;
        executor->code[pc].operation = OP_RETURN;
        executor->code[pc].k = 0;
    }
}

/* Why an example that the prover gave does not do what it said, when it runs. */
static const char *not_replayed(const struct term *residue)
{
    return residue->has_apply ? "it depends on shifts by 32 or more, which machines do differently"
                              : "internal: a witness did not replay";
}

/* How far an input comes before instruction `stop`. */
static uint32_t reaches(struct auditor *auditor, const struct program *program,
                        const struct input *input, uint32_t stop)
{
    uint32_t *trace = NEW_ARRAY(auditor->prover->arena, uint32_t, program->length);
    struct run run = interpret(program, input, trace, program->length);
    uint32_t most = 0;
    for (uint32_t i = 0; i < run.executed; i++)
        if (trace[i] < stop && trace[i] > most)
            most = trace[i];
    return most;
}

/* Of all inputs that differ to the filter the one that comes nearest before the dead instruction.
 */
static struct input nearest_input(struct auditor *auditor, const struct member *member,
                                  uint32_t dead)
{
    struct input best = {0};
    uint32_t most = 0;
    for (size_t i = 0; i < member->survey.regions.count; i++) {
        const struct region *region = &member->survey.regions.items[i];
        struct input input = {.arch = region->arch.first, .nr = region->nr.first};
        uint32_t far = reaches(auditor, member->side.programs, &input, dead);
        if (i == 0 || far > most) {
            best = input;
            most = far;
        }
    }
    return best;
}

/* Whether instructions run is found out in two steps. Inputs that differ to the filter are run;
 * what none of them reaches is asked for: every block that was not reached returns a word of its
 * own, and when that word can be returned the block runs, and is a block like the others from then
 * on. When no such word can be returned, all that is left is dead. */
struct reach {
    struct auditor *auditor;
    const struct member *member;
    bool *runs; /* by instruction */
    uint32_t *trace;
    uint64_t steps; /* of examples */
    const struct cfg *cfg;
};

static void run_input(struct reach *reach, const struct input *input)
{
    const struct program *program = reach->member->side.programs;
    struct run run = interpret(program, input, reach->trace, program->length);
    reach->steps += run.executed;
    for (uint32_t i = 0; i < run.executed; i++)
        reach->runs[reach->trace[i]] = true;
}

/* All arguments are what some instruction compares with. */
static void run_constants(struct reach *reach, struct input input)
{
    const struct program *program = reach->member->side.programs;
    for (uint32_t pc = 0; pc < program->length && reach->steps < STEPS_MOST; pc++) {
        if (!is_conditional(instruction_info(program->code[pc].code)->operation))
            continue;
        for (unsigned i = 0; i < COUNT_OF(input.args); i++)
            input.args[i] = program->code[pc].k;
        run_input(reach, &input);
    }
}

static void run_examples(struct reach *reach)
{
    for (size_t i = 0; i < reach->member->survey.regions.count; i++) {
        const struct region *region = &reach->member->survey.regions.items[i];
        struct input input = {.arch = region->arch.first, .nr = region->nr.first};
        run_input(reach, &input);
        if (term_is_constant(region->residue))
            continue;
        run_constants(reach, input);
        memset(input.args, 0xff, sizeof input.args);
        run_input(reach, &input);
    }
}

/* The program with its unreached blocks returning words of their own. */
static struct executor *with_marks(struct reach *reach)
{
    const struct program *program = reach->member->side.programs;
    struct executor *executor = executor_new(reach->auditor->prover, program);
    silence_returns(executor, program);
    for (uint32_t i = 0; i < reach->cfg->count; i++) {
        uint32_t first = reach->cfg->blocks[i].first;
        if (reach->runs[first])
            continue;
        executor->code[first].operation = OP_RETURN;
        executor->code[first].k = BLOCK_WORD + i;
    }
    return executor;
}

/* Blocks whose word stands in a residue. */
static void marks_in(struct reach *reach, const struct term *residue, bool *found)
{
    struct arena *arena = reach->auditor->prover->arena;
    VECTOR(const struct term *) stack = {0};
    unsigned char *seen =
        NEW_ARRAY(arena, unsigned char, terms_count(reach->auditor->prover->terms) + 1);
    vector_push(arena, &stack, residue);
    while (stack.count) {
        const struct term *term = stack.items[--stack.count];
        if (seen[term->id])
            continue;
        seen[term->id] = 1;
        if (term_is_constant(term) && term->value >= BLOCK_WORD &&
            term->value < BLOCK_WORD + reach->cfg->count)
            found[term->value - BLOCK_WORD] = true;
        for (unsigned i = term->kind == TERM_IF; i < term->child_count; i++)
            vector_push(arena, &stack, term->children[i]);
    }
}

/* True when a block was reached that had not been. */
static bool look_at_marks(struct reach *reach, const struct region *region)
{
    struct auditor *auditor = reach->auditor;
    bool *found = NEW_ARRAY(auditor->prover->arena, bool, reach->cfg->count), any = false;
    marks_in(reach, region->residue, found);
    for (uint32_t i = 0; i < reach->cfg->count; i++) {
        uint32_t first = reach->cfg->blocks[i].first;
        struct input input;
        if (!found[i] || reach->runs[first] ||
            audit_ask(auditor, region->arch, region->nr, region->residue, NULL,
                      relation_with(auditor, MARKED_EQUAL, BLOCK_WORD + i), &input) != ASKED_YES)
            continue;
        run_input(reach, &input);
        any = true;
        if (!reach->runs[first])
            leave_open(auditor, not_replayed(region->residue));
        reach->runs[first] = true;
    }
    return any;
}

/* Marks what runs; false when that is not decided for all. */
static bool find_running(struct reach *reach)
{
    struct auditor *auditor = reach->auditor;
    bool again = true;
    run_examples(reach);
    while (again) {
        struct executor *executor = with_marks(reach);
        struct behaviour behaviour = executor_behaviour(auditor->prover, executor);
        struct survey survey = {{0}};
        again = false;
        if (is_late(auditor) || !survey_behaviour(auditor, &behaviour, &survey)) {
            leave_open(auditor, auditor->prover->trouble);
            return false;
        }
        for (size_t i = 0; i < survey.regions.count && !auditor->trouble; i++)
            again |= look_at_marks(reach, &survey.regions.items[i]);
        if (auditor->trouble)
            return false;
    }
    return true;
}

static void look_for_dead(struct auditor *auditor, const struct member *member)
{
    const struct program *program = member->side.programs;
    struct reach reach = {.auditor = auditor, .member = member};
    uint32_t first = program->length, count = 0;
    reach.runs = NEW_ARRAY(auditor->prover->arena, bool, program->length);
    reach.trace = NEW_ARRAY(auditor->prover->arena, uint32_t, program->length);
    reach.cfg = cfg_build(auditor->prover->arena, program);
    if (!member->complete || !find_running(&reach))
        return;
    for (uint32_t i = 0; i < reach.cfg->count; i++) {
        const struct basic_block *block = &reach.cfg->blocks[i];
        if (reach.runs[block->first])
            continue;
        first = first < block->first ? first : block->first;
        count += block->last - block->first + 1;
    }
    if (!count)
        return;
    struct suspicion s = {.subject = "dead code", .side = &member->side};
    s.input = nearest_input(auditor, member, first);
    s.no_call = true;
    s.says = "no call comes nearer to it";
    s.detail = arena_printf(auditor->arena,
                            "%u instruction%s of %s %s never executed, whatever the input; the "
                            "first is %u",
                            count, count == 1 ? "" : "s", member->side.name,
                            count == 1 ? "is" : "are", first);
    suspect(auditor, &s);
}

static bool has_register_operation(const struct program *program)
{
    for (uint32_t pc = 0; pc < program->length; pc++) {
        const struct instruction_info *info = instruction_info(program->code[pc].code);
        if (info->operand_is_x && (info->operation == OP_DIV || info->operation == OP_SHIFT_LEFT ||
                                   info->operation == OP_SHIFT_RIGHT))
            return true;
    }
    return false;
}

static void suspect_end(struct auditor *auditor, const struct member *member, struct input input,
                        const struct term *residue)
{
    struct run run = interpret(member->side.programs, &input, NULL, 0);
    struct suspicion s = {.side = &member->side, .input = input};
    enum abi_id abi = input_abi(&input, member->side.programs->big_endian);
    const struct syscall_entry *entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, input.nr);
    s.call = (struct audit_call){abi, input.nr, entry ? entry->name : NULL, NULL};
    if (run.divided_by_zero) {
        s.subject = "division by zero";
        s.detail = "a register is divided by that can be 0: the program ends there with 0, which "
                   "is kill_thread";
    } else if (run.implementation_defined) {
        s.subject = "wide shift";
        s.detail = "a shift by a register that can be 32 or more: machines do it differently";
    } else {
        leave_open(auditor, not_replayed(residue));
        return;
    }
    suspect(auditor, &s);
}

static void look_for_ends(struct auditor *auditor, const struct member *member)
{
    struct prover *prover = auditor->prover;
    struct executor *watching = executor_watching(prover, member->side.programs, ENDED);
    silence_returns(watching, member->side.programs);
    struct behaviour behaviour = executor_behaviour(prover, watching);
    struct survey survey = {{0}};
    const struct relation *ended = relation_with(auditor, MARKED_EQUAL, ENDED);
    struct input input;
    if (!survey_behaviour(auditor, &behaviour, &survey)) {
        leave_open(auditor, prover->trouble);
        return;
    }
    for (size_t i = 0; i < survey.regions.count; i++) {
        const struct region *region = &survey.regions.items[i];
        if (audit_ask(auditor, region->arch, region->nr, region->residue, NULL, ended, &input) ==
            ASKED_YES)
            suspect_end(auditor, member, input, region->residue);
    }
}

void ask_dead_code(struct auditor *auditor)
{
    struct member *members = audit_members(auditor);
    for (size_t i = 0; i < auditor->side->program_count; i++) {
        if (has_register_operation(members[i].side.programs))
            look_for_ends(auditor, &members[i]);
        look_for_dead(auditor, &members[i]);
    }
}

/* ---- class 29 -------------------------------------------------------------------------------- */

/* The first program of the stack that the kernel cannot cache this call for. */
static const struct program *not_cached(const struct auditor *auditor, uint32_t arch, uint32_t nr)
{
    for (size_t i = 0; i < auditor->side->program_count; i++)
        if (!cache_allows(&auditor->side->programs[i], arch, nr))
            return &auditor->side->programs[i];
    return NULL;
}

/* The instruction on the call's path at which the kernel's emulator gives up. */
static uint32_t gives_up_at(struct auditor *auditor, const struct program *program,
                            const struct input *input)
{
    uint32_t *trace = NEW_ARRAY(auditor->prover->arena, uint32_t, program->length);
    struct run run = interpret(program, input, trace, program->length);
    for (uint32_t i = 0; i < run.executed; i++) {
        const struct sock_filter *at = &program->code[trace[i]];
        const struct instruction_info *info = instruction_info(at->code);
        bool loads_other = info->operation == OP_LOAD_FIELD &&
                           field_at(at->k, program->big_endian) != FIELD_NR &&
                           field_at(at->k, program->big_endian) != FIELD_ARCH;
        if (!info->cacheable || loads_other)
            return trace[i];
    }
    return run.last;
}

static void look_at_cache(struct auditor *auditor, struct fact *fact)
{
    const struct abi *abi = abi_get(fact->abi);
    struct input input = plain_input(fact->abi, fact->entry->nr);
    if (fact->entry->nr >= abi->cache_size)
        return;
    const struct program *program = not_cached(auditor, abi->token, fact->entry->nr);
    if (!program || !word_permits(side_word(auditor->side, &input, NULL)) ||
        ask_call(auditor, fact, fact->residue, NULL, MARKED_NOT_ALLOW, NULL) != ASKED_NO)
        return;
    uint32_t pc = gives_up_at(auditor, program, &input);
    struct buffer text = buffer_new(auditor->arena);
    disassemble_instruction(&text, program, pc);
    struct suspicion s = {.subject = "", .call = call_of(fact), .input = input};
    s.detail = arena_printf(auditor->arena,
                            "permitted whatever its arguments, but the kernel runs the filter for "
                            "it each time: its cache gives up at instruction %u of %s, `%s`",
                            pc, program->name, buffer_string(&text));
    s.relation = relation_of(auditor, MARKED_PERMITS);
    suspect(auditor, &s);
}

void ask_cache(struct auditor *auditor)
{
    for_each_call(auditor, look_at_cache);
}
