/* Inside bpf/: what names in C initializers and in assembly stand for. */
#ifndef BPF_SYMBOLS_H
#define BPF_SYMBOLS_H

#include "abi/expression.h"
#include "bpf/bpf.h"

/* BPF_..., SECCOMP_RET_..., AUDIT_ARCH_..., offsetof(struct seccomp_data, ...), and the names that
 * differ between ABIs (__NR_..., O_..., E...): those of the AUDIT_ARCH_ read last. */
struct symbols {
    struct names names; /* first, so that the callback finds the rest */
    enum abi_id abi;    /* ABI_NONE before the first AUDIT_ARCH_ */
    unsigned depth;     /* of expressions within expressions */
};

struct symbols symbols_new(void);
/* An expression whose value must lie in least..most; `what` it is, for the message. */
MUST_USE result symbols_read(struct symbols *symbols, struct scanner *scanner, const char *what,
                             int64_t least, int64_t most, uint32_t *value);

#endif
