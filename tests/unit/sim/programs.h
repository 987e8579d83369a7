/* Programs as literals, for the tests of this room. */
#ifndef TESTS_UNIT_SIM_PROGRAMS_H
#define TESTS_UNIT_SIM_PROGRAMS_H

#include <linux/seccomp.h>

#include "sim/sim.h"

#define PROGRAM(...)                                                                               \
    ((struct program){                                                                             \
        .name = "test",                                                                            \
        .code = (struct sock_filter[]){__VA_ARGS__},                                               \
        .length = sizeof(struct sock_filter[]){__VA_ARGS__} / sizeof(struct sock_filter),          \
    })
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD_NR LOAD(0)
#define LOAD_ARCH LOAD(4)
#define LOAD_A(value) BPF_STMT(BPF_LD | BPF_IMM, value)
#define LOAD_X(value) BPF_STMT(BPF_LDX | BPF_IMM, value)
#define EQUAL(value, jt, jf) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, jt, jf)
#define RET(word) BPF_STMT(BPF_RET | BPF_K, word)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)
#define ALLOW RET(SECCOMP_RET_ALLOW)

#endif
