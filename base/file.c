#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static result io_error(struct diagnostics *diagnostics, const char *doing, const char *path)
{
    report_error(diagnostics, NO_SPAN, "cannot %s %s: %s", doing, path, strerror(errno));
    return FAILURE(ERROR_IO);
}

static result read_all(struct arena *arena, int fd, const char *name,
                       struct diagnostics *diagnostics, const struct source **source)
{
    struct buffer text = buffer_new(arena);
    char block[65536];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error(diagnostics, "read", name);
        if (got == 0)
            break;
        buffer_put(&text, block, (size_t)got);
        if (text.length > FILE_MOST) {
            report_error(diagnostics, NO_SPAN, "%s is larger than %zu MiB", name, FILE_MOST >> 20);
            return FAILURE(ERROR_INPUT);
        }
    }
    *source = source_from_text(arena, name, buffer_string(&text), text.length);
    return SUCCESS;
}

result file_read(struct arena *arena, const char *path, struct diagnostics *diagnostics,
                 const struct source **source)
{
    if (!strcmp(path, "-"))
        return read_all(arena, STDIN_FILENO, "<stdin>", diagnostics, source);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error(diagnostics, "open", path);
    result r = read_all(arena, fd, path, diagnostics, source);
    close(fd);
    return r;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

static result write_in_place(int fd, const char *path, const void *bytes, size_t length,
                             struct diagnostics *diagnostics)
{
    if (!write_all(fd, bytes, length))
        return io_error(diagnostics, "write", path);
    return SUCCESS;
}

static mode_t mode_for(const char *path, bool *regular)
{
    struct stat status;
    if (stat(path, &status) == 0) {
        *regular = S_ISREG(status.st_mode);
        return status.st_mode & 07777;
    }
    *regular = true;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static result write_and_rename(int fd, const char *temporary, const char *path, mode_t mode,
                               const void *bytes, size_t length, struct diagnostics *diagnostics)
{
    bool good = write_all(fd, bytes, length) && fchmod(fd, mode) == 0;
    int why = errno;
    if (close(fd) != 0 && good) {
        good = false;
        why = errno;
    }
    if (good && rename(temporary, path) == 0)
        return SUCCESS;
    if (good)
        why = errno;
    unlink(temporary);
    errno = why;
    return io_error(diagnostics, "write", path);
}

result file_write(const char *path, const void *bytes, size_t length,
                  struct diagnostics *diagnostics)
{
    if (!strcmp(path, "-"))
        return write_in_place(STDOUT_FILENO, "<stdout>", bytes, length, diagnostics);
    char target[PATH_MAX];
    if (!realpath(path, target)) {
        if (strlen(path) >= sizeof target) {
            errno = ENAMETOOLONG;
            return io_error(diagnostics, "write", path);
        }
        strcpy(target, path);
    }
    bool regular;
    mode_t mode = mode_for(target, &regular);
    if (!regular) {
        int fd = open(target, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return io_error(diagnostics, "open", path);
        result r = write_in_place(fd, path, bytes, length, diagnostics);
        if (close(fd) != 0 && worked(r))
            return io_error(diagnostics, "write", path);
        return r;
    }
    char temporary[PATH_MAX + 16];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", target);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return io_error(diagnostics, "create a file beside", path);
    return write_and_rename(fd, temporary, target, mode, bytes, length, diagnostics);
}
