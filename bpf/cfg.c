#include "bpf/bpf.h"

static uint32_t target_of(const struct program *program, uint32_t at, bool taken)
{
    const struct sock_filter *jump = &program->code[at];
    if (BPF_OP(jump->code) == BPF_JA)
        return at + 1 + jump->k;
    return at + 1 + (taken ? jump->jt : jump->jf);
}

static bool is_jump(const struct sock_filter *instruction)
{
    return BPF_CLASS(instruction->code) == BPF_JMP;
}

static bool ends_block(const struct sock_filter *instruction)
{
    return is_jump(instruction) || BPF_CLASS(instruction->code) == BPF_RET;
}

/* leader[i]: a block begins at instruction i. Returns how many there are. */
static uint32_t find_leaders(const struct program *program, bool *leader)
{
    leader[0] = true;
    for (uint32_t i = 0; i < program->length; i++) {
        if (is_jump(&program->code[i])) {
            leader[target_of(program, i, true)] = true;
            leader[target_of(program, i, false)] = true;
        }
        if (ends_block(&program->code[i]) && i + 1 < program->length)
            leader[i + 1] = true;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->length; i++)
        count += leader[i];
    return count;
}

static void link_block(const struct program *program, const struct cfg *cfg,
                       struct basic_block *block)
{
    const struct sock_filter *end = &program->code[block->last];
    if (BPF_CLASS(end->code) == BPF_RET)
        return;
    if (!is_jump(end)) {
        block->successors[block->successor_count++] = cfg->block_of[block->last + 1];
        return;
    }
    block->successors[block->successor_count++] =
        cfg->block_of[target_of(program, block->last, true)];
    if (BPF_OP(end->code) != BPF_JA)
        block->successors[block->successor_count++] =
            cfg->block_of[target_of(program, block->last, false)];
}

/* One pass is enough: every edge goes to a later block. */
static void mark_reachable(struct cfg *cfg)
{
    cfg->blocks[0].reachable = true;
    for (uint32_t i = 0; i < cfg->count; i++)
        for (unsigned s = 0; cfg->blocks[i].reachable && s < cfg->blocks[i].successor_count; s++)
            cfg->blocks[cfg->blocks[i].successors[s]].reachable = true;
}

struct cfg *cfg_build(struct arena *arena, const struct program *program)
{
    struct cfg *cfg = NEW(arena, struct cfg);
    bool *leader = NEW_ARRAY(arena, bool, program->length);
    cfg->count = find_leaders(program, leader);
    cfg->blocks = NEW_ARRAY(arena, struct basic_block, cfg->count);
    cfg->block_of = NEW_ARRAY(arena, uint32_t, program->length);
    uint32_t block = 0;
    for (uint32_t i = 0; i < program->length; i++) {
        if (leader[i] && i > 0)
            block++;
        if (leader[i])
            cfg->blocks[block].first = i;
        cfg->blocks[block].last = i;
        cfg->block_of[i] = block;
    }
    for (uint32_t i = 0; i < cfg->count; i++)
        link_block(program, cfg, &cfg->blocks[i]);
    mark_reachable(cfg);
    return cfg;
}
