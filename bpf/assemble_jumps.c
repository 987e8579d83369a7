#include "bpf/assembler.h"

#include <stdlib.h>

static int by_name(const void *left, const void *right)
{
    const struct label *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->span.begin > b->span.begin) - (a->span.begin < b->span.begin);
}

/* Sorts the labels by name, and reports those that stand twice. */
static result sort_labels(struct assembler *assembler)
{
    result r = SUCCESS;
    size_t count = assembler->labels.count;
    struct label *labels = assembler->labels.items;
    if (count > 1)
        qsort(labels, count, sizeof labels[0], by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(labels[i - 1].name, labels[i].name) != 0)
            continue;
        r = scan_fail_at(&assembler->scanner, labels[i].span, "the label `%s` stands twice",
                         labels[i].name);
        report_note(assembler->decoder.diagnostics, labels[i - 1].span, "it stands here too");
    }
    return r;
}

static int compare_name(const void *name, const void *label)
{
    return strcmp(name, ((const struct label *)label)->name);
}

static const struct label *find_label(const struct assembler *assembler, const char *name)
{
    if (assembler->labels.count == 0)
        return NULL;
    return bsearch(name, assembler->labels.items, assembler->labels.count, sizeof(struct label),
                   compare_name);
}

static result fill_distance(struct assembler *assembler, const struct jump *jump)
{
    struct scanner *scanner = &assembler->scanner;
    struct decoder *decoder = &assembler->decoder;
    const char *name = arena_string(decoder->arena, jump->span.source->text + jump->span.begin,
                                    jump->span.end - jump->span.begin);
    const struct label *label = find_label(assembler, name);
    if (!label)
        return scan_fail_at(scanner, jump->span, "there is no label `%s`", name);
    if (label->target <= jump->from)
        return scan_fail_at(scanner, jump->span, "`%s` is not ahead: jumps only go forward", name);
    if (label->target >= decoder->code.count)
        return scan_fail_at(scanner, jump->span, "`%s` stands behind the last instruction", name);
    uint32_t distance = label->target - jump->from - 1;
    struct sock_filter *at = &decoder->code.items[jump->from];
    if (jump->kind == JUMP_ALWAYS) {
        at->k = distance;
        return SUCCESS;
    }
    if (distance > UINT8_MAX)
        return scan_fail_at(scanner, jump->span,
                            "`%s` is %u instructions ahead, a conditional jump passes over 255 at "
                            "most: put a `ja` in between",
                            name, distance);
    if (jump->kind == JUMP_IF_TRUE)
        at->jt = (uint8_t)distance;
    else
        at->jf = (uint8_t)distance;
    return SUCCESS;
}

result assemble_jumps(struct assembler *assembler)
{
    result all = sort_labels(assembler);
    for (size_t i = 0; i < assembler->jumps.count; i++) {
        result r = fill_distance(assembler, &assembler->jumps.items[i]);
        if (failed(r))
            all = r;
    }
    return all;
}
