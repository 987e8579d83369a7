/* Inside bpf/: blobs of struct sock_filter, 8 bytes each. */
#ifndef BPF_RAW_H
#define BPF_RAW_H

#include "bpf/formats.h"

MUST_USE result decode_raw_little(struct decoder *decoder);
MUST_USE result decode_raw_big(struct decoder *decoder);
void encode_raw_little(struct buffer *out, struct arena *arena, const struct program *program,
                       abi_set declared);
void encode_raw_big(struct buffer *out, struct arena *arena, const struct program *program,
                    abi_set declared);

/* The whole instructions among the first `most` of a source. */
struct program raw_read(struct arena *arena, const struct source *source, bool big_endian,
                        size_t most);
/* Which byte order makes more of a blob: an accepted program, else the larger number of known
 * opcodes; little-endian when both do as well. */
bool raw_is_big_endian(const struct source *source);

#endif
