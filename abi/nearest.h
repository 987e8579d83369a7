/* The names of a table nearest to a misspelled one. */
#ifndef ABI_NEAREST_H
#define ABI_NEAREST_H

#include "base/base.h"

/* Up to `most` names within a distance that a third of `name` allows, the nearest first; among
 * equals the table's order. Returns how many, at most 16. */
size_t nearest_names(const char *name, const char *(*name_at)(size_t index), size_t count,
                     const char **nearest, size_t most);

#endif
