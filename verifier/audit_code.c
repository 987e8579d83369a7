/* The code itself: instructions that never run, operations that machines do differently, calls that
 * the kernel does not cache. */
#include "verifier/auditor.h"

#define ENDED 0xfffe1234u /* no action: what a watched program returns where it ends in the middle */

/* ---- class 28 ------------------------------------------------------------------------------------------ */

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

/* Of all inputs that differ to the filter the one that comes nearest before the dead instruction. */
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

static void look_for_dead(struct auditor *auditor, const struct member *member)
{
    const struct executor *executor = member->executor;
    uint32_t first = executor->length, count = 0;
    for (uint32_t pc = 0; pc < executor->length; pc++)
        if (!executor->code[pc].visited) {
            first = first < pc ? first : pc;
            count++;
        }
    if (!count || !member->complete)
        return;
    struct suspicion s = {.subject = "dead code", .side = &member->side};
    s.input = nearest_input(auditor, member, first);
    s.call = (struct audit_call){ABI_NONE, 0, NULL};
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

static void suspect_end(struct auditor *auditor, const struct member *member, struct input input)
{
    struct run run = interpret(member->side.programs, &input, NULL, 0);
    struct suspicion s = {.side = &member->side, .input = input};
    enum abi_id abi = input_abi(&input, member->side.programs->big_endian);
    const struct syscall_entry *entry = abi == ABI_NONE ? NULL : abi_syscall_at(abi, input.nr);
    s.call = (struct audit_call){abi, input.nr, entry ? entry->name : NULL};
    if (run.divided_by_zero) {
        s.subject = "division by zero";
        s.detail = "a register is divided by that can be 0: the program ends there with 0, which "
                   "is kill_thread";
    } else if (run.implementation_defined) {
        s.subject = "wide shift";
        s.detail = "a shift by a register that can be 32 or more: machines do it differently";
    } else {
        leave_open(auditor, "internal: a witness did not replay");
        return;
    }
    suspect(auditor, &s);
}

static void look_for_ends(struct auditor *auditor, const struct member *member)
{
    struct prover *prover = auditor->prover;
    struct executor *watching = executor_watching(prover, member->side.programs, ENDED);
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
            suspect_end(auditor, member, input);
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

/* ---- class 29 ------------------------------------------------------------------------------------------ */

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
