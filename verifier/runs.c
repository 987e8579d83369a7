/* Lists of residues by number. */
#include "verifier/internal.h"

void runs_push(struct prover *prover, struct residue_runs *runs, struct range nr,
               const struct term *residue)
{
    struct residue_run *last = runs->count ? &runs->items[runs->count - 1] : NULL;
    if (nr.first != (last ? last->nr.last + 1 : 0))
        stop(prover, "internal: numbers are missing");
    if (last && last->residue == residue)
        last->nr.last = nr.last;
    else
        vector_push(prover->arena, runs, ((struct residue_run){nr, residue}));
}

bool runs_complete(struct prover *prover, const struct residue_runs *runs)
{
    if (runs->count && runs->items[runs->count - 1].nr.last == UINT32_MAX && !prover->stopped)
        return true;
    return stop(prover, "internal: numbers are missing");
}

enum runs_outcome refine_runs(struct prover *prover, struct class *outer, struct range nr,
                              make_residue make, const void *data, struct residue_runs *runs)
{
    while (true) {
        struct range part = nr;
        struct class class = class_new(prover, outer->arch, part);
        const struct term *residue;
        while (!(residue = make(prover, &class, data))) {
            if (class.cut_field != FIELD_NR || out_of_time(prover)) {
                outer->cut_field = class.cut_field;
                outer->cut = class.cut;
                return class.cut_field == FIELD_ARCH ? RUNS_CUT_ARCH : RUNS_TROUBLE;
            }
            part.last = class.cut - 1;
            class = class_new(prover, outer->arch, part);
        }
        runs_push(prover, runs, part, residue);
        if (part.last == nr.last)
            return RUNS_DONE;
        nr.first = part.last + 1;
    }
}
