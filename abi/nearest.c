#include "abi/nearest.h"

#define FARTHEST 4u

static unsigned allowed_distance(const char *name)
{
    size_t allowed = strlen(name) / 3 + 1;
    return allowed > FARTHEST ? FARTHEST : (unsigned)allowed;
}

/* Puts all names at exactly `distance` behind the `found` ones. */
static size_t add_at_distance(const char *name, unsigned distance,
                              const char *(*name_at)(size_t index), size_t count,
                              const char **nearest, size_t found, size_t most)
{
    for (size_t i = 0; i < count && found < most; i++)
        if (name_distance(name, name_at(i), distance) == distance)
            nearest[found++] = name_at(i);
    return found;
}

size_t nearest_names(const char *name, const char *(*name_at)(size_t index), size_t count,
                     const char **nearest, size_t most)
{
    size_t found = 0;
    for (unsigned distance = 0; distance <= allowed_distance(name) && found < most; distance++)
        found = add_at_distance(name, distance, name_at, count, nearest, found, most);
    return found;
}
