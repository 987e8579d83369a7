#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>

#include "sim/dump.h"

/* A line "Name:\tNUMBER" of /proc/N/status. */
static bool read_line(const char *line, const char *name, int *value)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return false;
    *value = atoi(line + length + 1);
    return true;
}

bool thread_status(pid_t thread, struct thread_status *status)
{
    char path[64], line[256];
    int process = 0, parent = 0, tracer = 0;
    *status = (struct thread_status){.state = '?', .seccomp = -1, .filters = -1};
    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        (void)(sscanf(line, "State: %c", &status->state) == 1 ||
               read_line(line, "Tgid", &process) || read_line(line, "PPid", &parent) ||
               read_line(line, "TracerPid", &tracer) ||
               read_line(line, "Seccomp_filters", &status->filters) ||
               read_line(line, "Seccomp", &status->seccomp));
    }
    fclose(file);
    status->process = process;
    status->parent = parent;
    status->tracer = tracer;
    return process != 0;
}

const char *thread_command(struct arena *arena, pid_t thread)
{
    char path[64], name[64] = "?";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return "?";
    size_t length = fread(name, 1, sizeof name - 1, file);
    fclose(file);
    if (length > 0 && name[length - 1] == '\n')
        length--;
    for (size_t i = 0; i < length; i++)
        if (!isprint((unsigned char)name[i]))
            name[i] = '?';
    return length ? arena_string(arena, name, length) : "?";
}

static int ascending(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

const pid_t *process_threads(struct arena *arena, pid_t process, size_t *count)
{
    VECTOR(pid_t) threads = {0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *directory = opendir(path);
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));)
            if (entry->d_name[0] != '.')
                vector_push(arena, &threads, (pid_t)atoi(entry->d_name));
        closedir(directory);
    }
    if (threads.count)
        qsort(threads.items, threads.count, sizeof *threads.items, ascending);
    *count = threads.count;
    return threads.items;
}
