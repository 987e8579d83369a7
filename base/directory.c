#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int by_name(const void *a, const void *b)
{
    return name_order(*(const char *const *)a, *(const char *const *)b);
}

result directory_read(struct arena *arena, const char *path, size_t most,
                      struct diagnostics *diagnostics, const char *const **names, size_t *count)
{
    VECTOR(const char *) found = {0};
    DIR *directory = opendir(path);
    int error = errno;
    if (directory) {
        errno = 0;
        for (struct dirent *entry; (entry = readdir(directory)) && found.count <= most;)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                vector_push(arena, &found,
                            arena_string(arena, entry->d_name, strlen(entry->d_name)));
        error = errno;
        closedir(directory);
    }
    if (!directory || error) {
        report_error(diagnostics, NO_SPAN, "cannot read %s: %s", path, strerror(error));
        return FAILURE(ERROR_IO);
    }
    if (found.count > most) {
        report_error(diagnostics, NO_SPAN, "%s has more than %zu files", path, most);
        return FAILURE(ERROR_INPUT);
    }
    if (found.count)
        qsort(found.items, found.count, sizeof *found.items, by_name);
    *names = found.items;
    *count = found.count;
    return SUCCESS;
}
