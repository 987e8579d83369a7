#include "base/base.h"

#include <stdlib.h>

/* Chunks of doubling size, up to CHUNK_MOST; a larger request gets a chunk of its own. Under
 * AddressSanitizer every allocation is a chunk, so that an overrun is seen. */
#define CHUNK_FIRST ((size_t)16 << 10)
#define CHUNK_MOST ((size_t)1 << 20)
#define ALIGNMENT _Alignof(max_align_t)

#if defined(__SANITIZE_ADDRESS__)
#define EVERY_ALLOCATION_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVERY_ALLOCATION_APART 1
#endif
#endif
#ifndef EVERY_ALLOCATION_APART
#define EVERY_ALLOCATION_APART 0
#endif

struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *chunks; /* the newest first; only it is filled further */
    size_t next_size;
    size_t used;
};

static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "out of memory (%zu bytes)\n", bytes);
    abort();
}

static void (*memory_failure)(size_t bytes) = out_of_memory;

void memory_on_failure(void (*handler)(size_t bytes))
{
    memory_failure = handler;
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        memory_failure(size);
        abort();
    }
    return memory;
}

struct arena *arena_new(void)
{
    struct arena *arena = allocate(sizeof *arena);
    arena->next_size = CHUNK_FIRST;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(arena);
}

void arena_clear(struct arena *arena)
{
    struct chunk *kept = EVERY_ALLOCATION_APART ? NULL : arena->chunks;
    for (struct chunk *chunk = kept ? kept->next : arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    if (kept) {
        memset(kept->bytes, 0, kept->used);
        kept->used = 0;
        kept->next = NULL;
    }
    arena->chunks = kept;
    arena->used = 0;
}

static struct chunk *add_chunk(struct arena *arena, size_t size)
{
    size_t room = size;
    if (!EVERY_ALLOCATION_APART && size < arena->next_size) {
        room = arena->next_size;
        if (arena->next_size < CHUNK_MOST)
            arena->next_size *= 2;
    }
    if (room > SIZE_MAX - sizeof(struct chunk)) {
        memory_failure(room);
        abort();
    }
    struct chunk *chunk = allocate(sizeof *chunk + room);
    chunk->size = room;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

static size_t rounded_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        memory_failure(size);
        abort();
    }
    size_t rounded = EVERY_ALLOCATION_APART ? size : rounded_up(size);
    struct chunk *chunk = arena->chunks;
    if (!chunk || EVERY_ALLOCATION_APART || chunk->size - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    void *memory = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        memory_failure(SIZE_MAX);
        abort();
    }
    return arena_alloc(arena, count * size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_string(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return arena_string(arena, "", 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

/* Makes `memory`, of `size` bytes, so much larger where it is. False: it is not the newest
 * allocation, or its chunk has no room. */
static bool extend(struct arena *arena, const void *memory, size_t size, size_t more)
{
    struct chunk *chunk = arena->chunks;
    if (EVERY_ALLOCATION_APART || !chunk || !size || more > chunk->size - chunk->used)
        return false;
    if ((const unsigned char *)memory + rounded_up(size) != chunk->bytes + chunk->used)
        return false;
    size_t added = rounded_up(size + more) - rounded_up(size);
    if (added > chunk->size - chunk->used)
        return false;
    chunk->used += added;
    arena->used += added;
    return true;
}

void *vector_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (extend(arena, items, *capacity * size, (wanted - *capacity) * size)) {
        *capacity = wanted;
        return items;
    }
    void *grown = arena_array(arena, wanted, size);
    if (count)
        memcpy(grown, items, count * size);
    *capacity = wanted;
    return grown;
}
