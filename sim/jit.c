#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/image.h"
#include "sim/translate.h"

/* The kernel's own machine code for a program, called here. A filter's image cannot be read back,
 * but that of a program loaded by bpf(2) can: so the filter, translated as the kernel does it, is
 * loaded as a program of type SYSCALL, whose context is plain memory of up to 64 KiB.
 *
 * bpf(2) runs a verifier over it that seccomp does not; what it proves it may use to leave out dead
 * branches, which changes no result. */

struct jit {
    uint8_t *code; /* copies of the image, see copy_at */
    size_t size;
    size_t apart;
};

/* A processor fetches code by lines; where an image begins in one changes what it costs, and the
 * kernel puts images at random multiples of 4 bytes. */
#define LINE 64u
#define PLACEMENT_STEP (LINE / JIT_PLACEMENTS)

#define LOG_BYTES (64u << 10)
#define IMAGE_MOST ((size_t)1 << 20)

static result unsupported(struct diagnostics *diagnostics, const char *name, const char *why)
{
    report_error(diagnostics, NO_SPAN, "no JIT image of %s: %s", name ? name : "the program", why);
    return FAILURE(ERROR_UNSUPPORTED);
}

#if defined(__x86_64__) && !defined(__ILP32__)

static int load(const struct translation *code, char *log, uint32_t log_bytes)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SYSCALL;
    attributes.prog_flags = BPF_F_SLEEPABLE; /* the type asks for it */
    attributes.insns = (uintptr_t)code->code;
    attributes.insn_cnt = code->count;
    attributes.license = (uintptr_t) "GPL";
    attributes.log_buf = (uintptr_t)log;
    attributes.log_size = log_bytes;
    attributes.log_level = log ? 1 : 0;
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

/* The last line but the statistics is where the verifier says what it did not like. */
static const char *verifier_reason(struct arena *arena, const struct translation *code)
{
    char *log = arena_alloc(arena, LOG_BYTES);
    int fd = load(code, log, LOG_BYTES - 1);
    if (fd >= 0)
        (void)close(fd);
    char *end = strstr(log, "\nprocessed ");
    if (end)
        *end = '\0';
    char *line = strrchr(log, '\n');
    return line ? line + 1 : log;
}

static result report_load(struct arena *arena, const struct program *program,
                          const struct translation *code, struct diagnostics *diagnostics)
{
    int error = errno;
    const char *why = strerror(error);
    if (error == EPERM || error == EACCES)
        why = geteuid() == 0 ? arena_printf(arena, "bpf(2) says %s: %s", why,
                                            error == EACCES ? verifier_reason(arena, code) : "")
                             : "bpf(2) needs root";
    else if (error == EINVAL || error == E2BIG)
        why = arena_printf(arena, "the kernel's verifier says: %s", verifier_reason(arena, code));
    return unsupported(diagnostics, program->name, why);
}

static int ask(int fd, struct bpf_prog_info *info)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)fd;
    attributes.info.info_len = sizeof *info;
    attributes.info.info = (uintptr_t)info;
    return (int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof attributes);
}

/* NULL when it worked. */
static const char *read_image(struct arena *arena, int fd, uint8_t **image, size_t *length)
{
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    if (ask(fd, &info) != 0)
        return strerror(errno);
    if (info.jited_prog_len == 0 || info.jited_prog_len > IMAGE_MOST)
        return "the kernel's BPF compiler is off (net.core.bpf_jit_enable)";
    *length = info.jited_prog_len;
    *image = arena_alloc(arena, *length);
    memset(&info, 0, sizeof info);
    info.jited_prog_len = (uint32_t)*length;
    info.jited_prog_insns = (uintptr_t)*image;
    if (ask(fd, &info) != 0)
        return strerror(errno);
    if (info.jited_prog_insns == 0 || info.jited_prog_len != *length)
        return "the kernel does not show it (kernel.kptr_restrict)";
    return NULL;
}

static uint8_t *copy_at(const struct jit *jit, unsigned placement)
{
    return jit->code + placement * (jit->apart + PLACEMENT_STEP);
}

/* NULL when it worked. Memory is never writable and executable at once. */
static const char *map_image(struct jit *jit, const uint8_t *image, size_t length)
{
    jit->apart = (length + 2 * LINE - 1) / LINE * LINE;
    jit->size = JIT_PLACEMENTS * (jit->apart + PLACEMENT_STEP);
    void *code = mmap(NULL, jit->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return strerror(errno);
    jit->code = code;
    for (unsigned placement = 0; placement < JIT_PLACEMENTS; placement++)
        memcpy(copy_at(jit, placement), image, length);
    if (mprotect(code, jit->size, PROT_READ | PROT_EXEC) != 0) {
        const char *why = strerror(errno);
        (void)munmap(code, jit->size);
        return why;
    }
    return NULL;
}

result jit_open(struct arena *arena, const struct program *program, struct diagnostics *diagnostics,
                struct jit **jit)
{
    if (check_program(program).rule != CHECK_ACCEPTED || program->big_endian)
        return unsupported(diagnostics, program->name, "this kernel would not run it");
    struct translation code = translate(arena, program);
    int fd = load(&code, NULL, 0);
    if (fd < 0)
        return report_load(arena, program, &code, diagnostics);
    uint8_t *image;
    size_t length;
    struct jit *opened = NEW(arena, struct jit);
    const char *why = read_image(arena, fd, &image, &length);
    (void)close(fd);
    if (!why)
        why = image_patch(image, length);
    if (!why)
        why = map_image(opened, image, length);
    if (why)
        return unsupported(diagnostics, program->name, why);
    *jit = opened;
    return SUCCESS;
}

jit_function *jit_function_at(const struct jit *jit, unsigned placement)
{
    /* ISO C has no cast from data to code. */
    const uint8_t *code = copy_at(jit, placement % JIT_PLACEMENTS);
    jit_function *function;
    memcpy(&function, &code, sizeof function);
    return function;
}

uint32_t jit_call(const struct jit *jit, const struct input *input)
{
    return (uint32_t)jit_function_at(jit, 0)(input, NULL);
}

#else

result jit_open(struct arena *arena, const struct program *program, struct diagnostics *diagnostics,
                struct jit **jit)
{
    (void)arena;
    (void)jit;
    return unsupported(diagnostics, program->name, "only x86_64 images can be called");
}

static uint64_t no_function(const struct input *input, const void *instructions)
{
    (void)input;
    (void)instructions;
    return 0;
}

jit_function *jit_function_at(const struct jit *jit, unsigned placement)
{
    (void)jit;
    (void)placement;
    return no_function;
}

uint32_t jit_call(const struct jit *jit, const struct input *input)
{
    (void)jit;
    (void)input;
    return 0;
}

#endif

void jit_close(struct jit *jit)
{
    if (jit && jit->code)
        (void)munmap(jit->code, jit->size);
    if (jit)
        jit->code = NULL;
}
