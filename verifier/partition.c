/* Partition of (arch, nr) into classes on which both sides have a residue. arch is cut first,
 * wherever a side asks for it; under one range of arch each side gives its residues by number, and
 * the two lists are laid together. */
#include "verifier/internal.h"

#define ARCHES_MOST 20000u

struct waiting {
    struct range arch;
    bool has_left; /* the left side's residues hold on any part of a range that they hold on */
    struct residue_runs left;
};

struct work {
    struct waiting *items;
    size_t count, capacity;
    size_t made;
};

static void lay_together(struct prover *prover, struct range arch, const struct residue_runs *left,
                         const struct residue_runs *right, on_class visit, void *data)
{
    size_t i = 0, j = 0;
    for (uint64_t at = 0; at <= UINT32_MAX && prover->proof.verdict != REFUTED;) {
        const struct residue_run *a = &left->items[i], *b = &right->items[j];
        struct range nr = {(uint32_t)at, a->nr.last < b->nr.last ? a->nr.last : b->nr.last};
        prover->proof.classes++;
        visit(prover, data, arch, nr, a->residue, b->residue);
        i += a->nr.last == nr.last;
        j += b->nr.last == nr.last;
        at = (uint64_t)nr.last + 1;
    }
}

static void cut_arch(struct prover *prover, struct work *work, struct waiting item, uint32_t cut)
{
    struct waiting upper = item;
    upper.arch.first = cut;
    item.arch.last = cut - 1;
    vector_push(prover->arena, work, upper);
    vector_push(prover->arena, work, item);
    work->made++;
}

/* False in trouble. */
static bool next_arch(struct prover *prover, struct work *work, struct waiting item,
                      const struct behaviour *left, const struct behaviour *right, on_class visit,
                      void *data)
{
    struct class class = class_new(prover, item.arch, EVERYTHING);
    enum runs_outcome outcome = RUNS_DONE;
    struct residue_runs other = {0};
    if (!item.has_left) {
        item.left = (struct residue_runs){0};
        outcome = left->runs(prover, left->self, &class, &item.left);
        item.has_left = outcome == RUNS_DONE;
    }
    if (outcome == RUNS_DONE)
        outcome = right->runs(prover, right->self, &class, &other);
    if (outcome == RUNS_DONE &&
        (!runs_complete(prover, &item.left) || !runs_complete(prover, &other)))
        outcome = RUNS_TROUBLE;
    if (outcome == RUNS_DONE)
        lay_together(prover, item.arch, &item.left, &other, visit, data);
    else if (outcome == RUNS_CUT_ARCH)
        cut_arch(prover, work, item, class.cut);
    return outcome != RUNS_TROUBLE;
}

void partition(struct prover *prover, struct range arch, const struct behaviour *left,
               const struct behaviour *right, on_class visit, void *data)
{
    struct work work = {0};
    vector_push(prover->arena, &work, ((struct waiting){.arch = arch}));
    while (work.count && prover->proof.verdict != REFUTED) {
        struct waiting item = work.items[--work.count];
        if (out_of_time(prover))
            return;
        if (work.made > ARCHES_MOST) {
            prover->too_fine = true;
            stop(prover, "the partition has too many classes");
            return;
        }
        if (!next_arch(prover, &work, item, left, right, visit, data)) {
            give_up(prover, "internal: no residue");
            return;
        }
    }
}

/* ---- a property over all inputs ------------------------------------------------------------- */

static void settle_class(struct prover *prover, void *data, struct range arch, struct range nr,
                         const struct term *left, const struct term *right)
{
    struct obligation obligation = {arch, nr, left, right, data};
    settle(prover, &obligation);
}

static void prove_whole(struct prover *prover, const struct behaviour *left,
                        const struct behaviour *right, const struct property *property)
{
    prover->whole = true;
    prover->steps = 0;
    const struct term *a = left->whole(prover, left->self);
    const struct term *b = a ? right->whole(prover, right->self) : NULL;
    if (!a || !b) {
        give_up(prover, "internal: no term");
        return;
    }
    prover->proof.classes = 1;
    struct obligation obligation = {EVERYTHING, EVERYTHING, a, b, property};
    settle(prover, &obligation);
}

void prove_property(struct prover *prover, const struct behaviour *left,
                    const struct behaviour *right, const struct property *property)
{
    struct property copy = *property;
    if (!prover->options->whole)
        partition(prover, EVERYTHING, left, right, settle_class, &copy);
    bool falls_back = prover->too_fine && prover->proof.verdict != REFUTED;
    if (falls_back) { /* odd things are done to nr or arch: one query over everything */
        prover->trouble = NULL;
        prover->stopped = false;
    }
    if (prover->options->whole || falls_back)
        prove_whole(prover, left, right, property);
}
