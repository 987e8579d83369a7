/* Names of consts and groups. */
#include "lang/resolve.h"

static size_t hash(const char *name)
{
    uint64_t value = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++)
        value = (value ^ (unsigned char)*name) * 0x100000001b3u;
    return (size_t)(value ^ value >> 32);
}

static void rehash(struct arena *arena, struct definitions *definitions)
{
    size_t count = definitions->bucket_count ? definitions->bucket_count * 4 : 64;
    struct definition **buckets = NEW_ARRAY(arena, struct definition *, count);
    for (size_t i = 0; i < definitions->bucket_count; i++)
        for (struct definition *d = definitions->buckets[i], *next; d; d = next) {
            next = d->next;
            struct definition **bucket = &buckets[hash(d->statement->name) % count];
            d->next = *bucket;
            *bucket = d;
        }
    definitions->buckets = buckets;
    definitions->bucket_count = count;
}

void definitions_add(struct arena *arena, struct definitions *definitions,
                     const struct statement *statement)
{
    if (definitions->count >= definitions->bucket_count)
        rehash(arena, definitions);
    struct definition *definition = NEW(arena, struct definition);
    definition->statement = statement;
    struct definition **bucket =
        &definitions->buckets[hash(statement->name) % definitions->bucket_count];
    definition->next = *bucket;
    *bucket = definition;
    definitions->count++;
    if (definitions->last)
        definitions->last->later = definition;
    else
        definitions->first = definition;
    definitions->last = definition;
}

struct definition *definitions_find(const struct definitions *definitions, const char *name)
{
    if (!definitions->bucket_count)
        return NULL;
    struct definition *d = definitions->buckets[hash(name) % definitions->bucket_count];
    while (d && strcmp(d->statement->name, name))
        d = d->next;
    return d;
}

const char *definitions_nearest(const struct definitions *definitions, const char *name)
{
    const char *best = NULL;
    unsigned least = strlen(name) <= 3 ? 2 : 3;
    for (const struct definition *d = definitions->first; d; d = d->later) {
        unsigned distance = name_distance(name, d->statement->name, least - 1);
        if (distance < least) {
            least = distance;
            best = d->statement->name;
        }
    }
    return best;
}
