#include "abi/nearest.h"

#define FARTHEST 4u
#define NEAREST_MOST 16u

static unsigned allowed_distance(const char *name)
{
    size_t allowed = strlen(name) / 3 + 1;
    return allowed > FARTHEST ? FARTHEST : (unsigned)allowed;
}

/* Puts a name behind those that are as near; the last one falls out when there are `most`. */
static size_t insert(const char *name, unsigned distance, const char **nearest, unsigned *distances,
                     size_t found, size_t most)
{
    size_t place = found < most ? found : most - 1;
    while (place > 0 && distances[place - 1] > distance) {
        nearest[place] = nearest[place - 1];
        distances[place] = distances[place - 1];
        place--;
    }
    nearest[place] = name;
    distances[place] = distance;
    return found < most ? found + 1 : most;
}

size_t nearest_names(const char *name, const char *(*name_at)(size_t index), size_t count,
                     const char **nearest, size_t most)
{
    unsigned distances[NEAREST_MOST] = {0};
    unsigned allowed = allowed_distance(name);
    size_t found = 0;
    if (most > NEAREST_MOST)
        most = NEAREST_MOST;
    for (size_t i = 0; i < count && most > 0; i++) {
        unsigned distance = name_distance(name, name_at(i), allowed);
        if (distance > allowed)
            continue;
        found = insert(name_at(i), distance, nearest, distances, found, most);
        if (found < most)
            continue;
        if (distances[most - 1] == 0)
            break;
        allowed = distances[most - 1] - 1; /* only what is nearer than the last can displace it */
    }
    return found;
}
