/* base: memory, text, places in text, diagnostics, files, time.
 *
 * Every other room stands on this one. Nothing here knows about seccomp.
 *
 * Conventions of the whole project, set here:
 *  - A function that can fail returns `result`, which must be looked at. The reason for a failure
 *    has already been reported to a `struct diagnostics` when it returns.
 *  - All memory of one compilation comes from one `struct arena` and dies with it.
 *  - Running out of memory is not a result: the handler set by memory_on_failure() is called and
 *    does not return.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- result ------------------------------------------------------------------------------- */

enum error {
    ERROR_NONE,        /* it worked */
    ERROR_INPUT,       /* malformed input or a wrong request; reported */
    ERROR_IO,          /* the operating system refused; reported */
    ERROR_LIMIT,       /* a limit (time, size, memory of the solver) was reached; reported */
    ERROR_UNSUPPORTED, /* this machine or this form of input cannot do it; reported */
};

/* A struct, so that it cannot be confused with an int or a bool. */
typedef struct {
    enum error error;
} result;

#define SUCCESS ((result){ERROR_NONE})
#define FAILURE(why) ((result){(why)})

static inline bool failed(result r)
{
    return r.error != ERROR_NONE;
}

static inline bool worked(result r)
{
    return r.error == ERROR_NONE;
}

/* ---- arena (arena.c) ---------------------------------------------------------------------- */

struct arena;

/* Sets what happens when memory runs out; `handler` must not return. The default aborts. */
void memory_on_failure(void (*handler)(size_t bytes));

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is allowed */
/* Takes back all that it gave, for what comes next; keeps the newest chunk. */
void arena_clear(struct arena *arena);

/* `size` zeroed bytes, aligned for any type. Never NULL. Size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* `count` zeroed elements; the product is checked for overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_string(struct arena *arena, const char *text, size_t length); /* adds a NUL */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
size_t arena_used(const struct arena *arena); /* bytes handed out, for limits and statistics */

#define NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* ---- vector ------------------------------------------------------------------------------- */

/* A growing array in an arena. A zeroed vector is empty. Items move when it grows. */
#define VECTOR(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

void *vector_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);

#define vector_push(arena, vector, ...)                                                            \
    do {                                                                                           \
        if ((vector)->count == (vector)->capacity)                                                 \
            (vector)->items = vector_grow((arena), (vector)->items, (vector)->count,               \
                                          &(vector)->capacity, sizeof *(vector)->items);           \
        (vector)->items[(vector)->count++] = __VA_ARGS__;                                          \
    } while (0)

/* ---- buffer: text or bytes that grow (buffer.c) -------------------------------------------- */

/* Always NUL-terminated after the first put; the NUL is not counted. */
struct buffer {
    struct arena *arena;
    char *bytes;
    size_t length;
    size_t capacity;
};

struct buffer buffer_new(struct arena *arena);
void buffer_put(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
const char *buffer_string(struct buffer *buffer); /* never NULL */

/* ---- text for a terminal (printable.c) ------------------------------------------------------ */

/* Bytes of the UTF-8 character that the text begins with; 0 when it begins with none that may be
 * shown: a control (C1 too), a mark that changes the order of what is shown, or no UTF-8. */
unsigned printable_length(const char *text, size_t length);

/* ---- source text and places in it (source.c) ----------------------------------------------- */

/* One text that was read: a policy, a profile, a call on the command line. Immutable. */
struct source {
    const char *name;      /* as a person would call it: a path, "<stdin>", "<call>" */
    const char *text;      /* NUL-terminated; may hold NUL bytes inside */
    size_t length;         /* bytes, without the final NUL */
    const uint32_t *lines; /* offset of the first byte of each line */
    size_t line_count;     /* at least 1 */
    bool binary;           /* no text: its places are offsets, and nothing of it is shown */
};

/* Whether it begins with the mark that some editors put before UTF-8; what to say of it. */
static inline bool has_byte_order_mark(const struct source *source)
{
    return source->length >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3);
}
#define BYTE_ORDER_MARK_TEXT "the file begins with a UTF-8 byte order mark: save it without"

/* Half-open range of bytes. `source` NULL means "no place". */
struct span {
    const struct source *source;
    uint32_t begin;
    uint32_t end;
};

#define NO_SPAN ((struct span){NULL, 0, 0})

struct position {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in bytes */
};

const struct source *source_from_text(struct arena *arena, const char *name, const char *text,
                                      size_t length);
const struct source *source_as_bytes(struct arena *arena, const struct source *source); /* binary */
struct position source_position(const struct source *source, uint32_t offset);
/* The smallest span that covers both; they must be of one source, else `a` is returned. */
struct span span_join(struct span a, struct span b);

/* ---- diagnostics (diagnostics.c) ------------------------------------------------------------ */

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* One mistake, or one remark. `notes` belong to it and are printed after it. */
struct diagnostic {
    enum severity severity;
    struct span span;
    const char *message;
    struct diagnostic *notes; /* list, oldest first */
    struct diagnostic *next;
};

/* Everything reported so far, oldest first. Reports with the same severity, place and message
 * are kept once. Past DIAGNOSTICS_MOST of one severity only the count grows. */
struct diagnostics {
    struct arena *arena;
    struct diagnostic *first;
    struct diagnostic *last;
    size_t errors;
    size_t warnings;
    size_t remarks;
    bool last_is_dropped; /* notes to a dropped report are dropped too */
};

#define DIAGNOSTICS_MOST 200

struct diagnostics diagnostics_new(struct arena *arena);
/* Messages are sentences without a final full stop, and start with a small letter. */
void report(struct diagnostics *diagnostics, enum severity severity, struct span span,
            const char *format, ...) PRINTF_LIKE(4, 5);
#define report_error(diagnostics, ...) report((diagnostics), SEVERITY_ERROR, __VA_ARGS__)
#define report_warning(diagnostics, ...) report((diagnostics), SEVERITY_WARNING, __VA_ARGS__)
#define report_remark(diagnostics, ...) report((diagnostics), SEVERITY_NOTE, __VA_ARGS__)
/* Adds a note to the newest report: another place that matters, or what to write instead. */
void report_note(struct diagnostics *diagnostics, struct span span, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* name:line:column: error: message, then the source line and a caret line; of a binary source
 * `name: byte N: error: message` alone. What is not printable (printable_length) is written as
 * \xNN, wherever it comes from. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *out);
void diagnostic_print(const struct diagnostic *diagnostic, FILE *out);

/* ---- files (file.c, directory.c) -------------------------------------------------------------------------- */

/* Reads a whole file, "-" for standard input, of at most FILE_MOST bytes. */
#define FILE_MOST ((size_t)64 << 20)
MUST_USE result file_read(struct arena *arena, const char *path, struct diagnostics *diagnostics,
                          const struct source **source);
/* Writes all or nothing: a temporary name beside `path`, then a rename. "-" is standard output.
 * A path that exists and is no regular file (a pipe, /dev/null) is written in place. Keeps the mode
 * of a file that is replaced; a symbolic link is followed. */
MUST_USE result file_write(const char *path, const void *bytes, size_t length,
                           struct diagnostics *diagnostics);
/* The names in a directory in name_order, without "." and "..". More than `most` are an error. */
MUST_USE result directory_read(struct arena *arena, const char *path, size_t most,
                               struct diagnostics *diagnostics, const char *const **names,
                               size_t *count);
bool is_directory(const char *path);

/* ---- JSON (json.c), over jansson ---------------------------------------------------------------
 */

#include <jansson.h>

/* Parses the text of `source`; duplicate keys and trailing text are errors with their place. The
 * caller owns the value (json_decref). */
MUST_USE result json_parse(const struct source *source, struct diagnostics *diagnostics,
                           json_t **value);
/* The place of the value that a JSON pointer (RFC 6901) names in a text that json_parse took;
 * of the member's key, when `key` is set. NO_SPAN when there is none. */
struct span json_place(const struct source *source, const char *pointer, bool key);
/* The value as text with a final newline, keys in the order in which they were set. */
MUST_USE result json_write(struct arena *arena, const json_t *value, struct buffer *out);
/* "0x..." : 64-bit numbers leave us as text, so that no reader rounds them. */
json_t *json_hex(uint64_t value);
/* The diagnostics as an array of {severity, file, line, column, message, notes}; with
 * `byte`, the offset, for line and column of a binary source. */
json_t *json_diagnostics(const struct diagnostics *diagnostics);

/* ---- time (clock.c) ----------------------------------------------------------------------------
 */

/* A moment on the monotonic clock, in nanoseconds; 0 means never. */
struct deadline {
    uint64_t at_ns;
};

uint64_t clock_ns(void);                     /* CLOCK_MONOTONIC */
struct deadline deadline_in(double seconds); /* <= 0 means never */
bool deadline_passed(struct deadline deadline);
/* Milliseconds left, at least 1 while it has not passed; UINT32_MAX for never; 0 once passed. */
uint32_t deadline_left_ms(struct deadline deadline);

/* ---- names (names.c)
 * ----------------------------------------------------------------------------- */

/* Edit distance with transpositions, for "did you mean"; gives up past `most` and returns most + 1.
 */
unsigned name_distance(const char *a, const char *b, unsigned most);
/* As strcmp, but runs of digits count as numbers: x-2 is before x-10. 0 for equal names only. */
int name_order(const char *a, const char *b);

/* ---- random numbers for tests and campaigns (random.c): xoshiro256**, seeded by splitmix64
 * --------- */

struct random {
    uint64_t state[4];
};

struct random random_seed(uint64_t seed);
uint64_t random_u64(struct random *random);
uint32_t random_below(struct random *random, uint32_t bound); /* bound > 0 */

#endif
