/* The decision DAG as text, for --dump=dag: one node a paragraph, parents before children; leaves
 * stand where they are used. Nodes are numbered from the root, so that the text depends on the
 * policy only. What is below a free node is not in the DAG's order. */
#include "compiler/compiler.h"
#include "compiler/text.h"

struct printer {
    struct buffer *out;
    uint32_t *number_of; /* by id; 0: not met */
};

static void print_target(struct printer *printer, const struct dag_node *node)
{
    if (node->kind == DAG_VERDICT) {
        verdict_print(printer->out, node->word, ABI_NONE);
    } else if (node->kind == DAG_RETURN) {
        buffer_text(printer->out, "ret(");
        dump_word(printer->out, node->value);
        buffer_text(printer->out, ")");
    } else {
        buffer_printf(printer->out, "n%u", printer->number_of[node->id]);
    }
}

static void print_switch(struct printer *printer, const struct dag_node *node)
{
    dump_field(printer->out, node->field, node->mask);
    buffer_text(printer->out, "\n");
    uint32_t first = 0;
    for (uint32_t i = 0; i < node->edge_count; i++) {
        uint32_t last = dag_value_floor(node->edges[i].last, node->mask);
        if (first == last)
            buffer_printf(printer->out, "    0x%" PRIx32 " -> ", first);
        else
            buffer_printf(printer->out, "    0x%" PRIx32 "..0x%" PRIx32 " -> ", first, last);
        print_target(printer, node->edges[i].child);
        buffer_text(printer->out, "\n");
        first = node->edges[i].last + 1;
    }
}

static void print_compare(struct printer *printer, const struct dag_node *node)
{
    static const char *const signs[] = {
        [COMPARE_EQUAL] = "==", [COMPARE_GREATER] = ">", [COMPARE_GREATER_EQUAL] = ">="};
    dump_word(printer->out, node->a);
    buffer_printf(printer->out, " %s ", signs[node->comparison]);
    dump_word(printer->out, node->b);
    buffer_text(printer->out, "\n    yes -> ");
    print_target(printer, node->edges[0].child);
    buffer_text(printer->out, "\n    no -> ");
    print_target(printer, node->edges[1].child);
    buffer_text(printer->out, "\n");
}

void dag_print(struct buffer *out, struct arena *arena, const struct dag_node *root)
{
    size_t count;
    const struct dag_node **nodes = dag_nodes_below(arena, root, &count);
    struct printer printer = {.out = out,
                              .number_of = NEW_ARRAY(arena, uint32_t, (size_t)root->id + 1)};
    uint32_t next = 0;
    for (size_t i = count; i-- > 0;) {
        if (nodes[i]->edge_count)
            printer.number_of[nodes[i]->id] = ++next;
    }
    if (!next) {
        print_target(&printer, root);
        buffer_text(out, "\n");
    }
    for (size_t i = count; i-- > 0;) {
        const struct dag_node *node = nodes[i];
        if (!node->edge_count)
            continue;
        buffer_printf(out, node->free ? "n%u, free: " : "n%u: ", printer.number_of[node->id]);
        if (node->kind == DAG_SWITCH)
            print_switch(&printer, node);
        else
            print_compare(&printer, node);
    }
}
