#include "bpf/formats.h"
#include "bpf/text.h"

/* The control-flow graph for graphviz: a node per basic block, its instructions left-justified. */

static void print_escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_text(out, "\\");
        buffer_put(out, text, 1);
    }
}

static void print_block(struct buffer *out, const struct program *program, uint32_t number,
                        const struct basic_block *block, const struct knowledge *known)
{
    buffer_printf(out, "    b%u [%slabel=\"", number,
                  block->reachable ? "" : "style=dashed, tooltip=\"never reached\", ");
    for (uint32_t i = block->first; i <= block->last; i++) {
        struct buffer line = buffer_new(out->arena);
        struct buffer comment = buffer_new(out->arena);
        buffer_printf(&line, "%u: ", i);
        disassemble_instruction(&line, program, i);
        print_comment(&comment, program, i, &known[i]);
        if (comment.length > 0 && known[i].reached)
            buffer_printf(&line, "  ; %s", buffer_string(&comment));
        print_escaped(out, buffer_string(&line));
        buffer_text(out, "\\l");
    }
    buffer_text(out, "\"];\n");
}

static void print_edges(struct buffer *out, uint32_t number, const struct basic_block *block)
{
    static const char *const labels[] = {"yes", "no"};
    for (unsigned i = 0; i < block->successor_count; i++) {
        buffer_printf(out, "    b%u -> b%u", number, block->successors[i]);
        if (block->successor_count == 2)
            buffer_printf(out, " [label=\"%s\"]", labels[i]);
        buffer_text(out, ";\n");
    }
}

/* Without the kernel's guarantees there is no graph: the reason stands in its place. */
static void print_refusal(struct buffer *out, struct check_result check)
{
    buffer_printf(out, "    refused [label=\"instruction %u: ", check.instruction);
    print_escaped(out, check_rule_text(check.rule));
    buffer_text(out, "\"];\n");
}

void encode_dot(struct buffer *out, struct arena *arena, const struct program *program,
                abi_set declared)
{
    struct check_result check = check_program(program);
    buffer_text(out, "digraph filter {\n    node [shape=box, fontname=monospace];\n");
    if (check.rule != CHECK_ACCEPTED) {
        print_refusal(out, check);
    } else {
        const struct cfg *cfg = cfg_build(arena, program);
        const struct knowledge *known = knowledge_build(arena, program, declared);
        for (uint32_t i = 0; i < cfg->count; i++)
            print_block(out, program, i, &cfg->blocks[i], known);
        for (uint32_t i = 0; i < cfg->count; i++)
            print_edges(out, i, &cfg->blocks[i]);
    }
    buffer_text(out, "}\n");
}
