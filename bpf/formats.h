/* Inside bpf/: one reader and one writer per blob format, behind the table of formats.c. */
#ifndef BPF_FORMATS_H
#define BPF_FORMATS_H

#include "bpf/bpf.h"

/* Blobs longer than this are not read at all: sixteen times what the kernel takes. */
#define DECODE_MOST (16u * PROGRAM_MOST)

/* The instructions that a reader has collected, and where to complain. */
struct decoder {
    struct arena *arena;
    const struct source *source;
    struct diagnostics *diagnostics;
    VECTOR(struct sock_filter) code;
};

struct span decoder_span(const struct decoder *decoder, size_t begin, size_t end);
/* Reports at bytes begin..end of the source and returns ERROR_INPUT. */
MUST_USE result decoder_fail(struct decoder *decoder, size_t begin, size_t end, const char *format,
                             ...) PRINTF_LIKE(4, 5);
/* Adds one instruction; an error once there are more than DECODE_MOST. */
MUST_USE result decoder_push(struct decoder *decoder, struct sock_filter instruction, size_t begin,
                             size_t end);

MUST_USE result decode_c(struct decoder *decoder);
MUST_USE result decode_decimal(struct decoder *decoder);
MUST_USE result decode_json(struct decoder *decoder);
void encode_c(struct buffer *out, struct arena *arena, const struct program *program,
              abi_set declared);
void encode_decimal(struct buffer *out, struct arena *arena, const struct program *program,
                    abi_set declared);
void encode_json(struct buffer *out, struct arena *arena, const struct program *program,
                 abi_set declared);
void encode_dot(struct buffer *out, struct arena *arena, const struct program *program,
                abi_set declared);

/* Text does not say for which machine it is: big-endian when the tokens compared with belong to
 * big-endian ABIs only. */
bool guess_big_endian(const struct program *program);

#endif
