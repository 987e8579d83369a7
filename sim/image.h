/* image: x86_64 machine code of the kernel's BPF compiler, made callable in user space. Private to
 * sim/. */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include "sim/sim.h"

/* Walks over the whole image. A jump out of it is allowed only where the function returns (kernels
 * that guard against speculation return through a thunk of theirs), and is replaced by a plain
 * return. NULL when the image may be called; else what stands in the way. */
const char *image_patch(uint8_t *image, size_t length);

#endif
