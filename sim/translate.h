/* translate: classic BPF to eBPF, as the kernel does before it compiles a filter. Private to sim/.
 */
#ifndef SIM_TRANSLATE_H
#define SIM_TRANSLATE_H

#include <linux/bpf.h>

#include "sim/sim.h"

struct translation {
    struct bpf_insn *code;
    uint32_t count;
};

/* `program` must be accepted by check_program. Instructions that nothing jumps to are left out: the
 * verifier of bpf(2) refuses them. */
struct translation translate(struct arena *arena, const struct program *program);

#endif
