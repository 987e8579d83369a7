#ifndef LANG_MULTIPLEXER_H
#define LANG_MULTIPLEXER_H

#include "lang/resolve.h"

/* Remembers a rule's member that restricts a call which a multiplexer reaches. */
void note_restriction(struct resolver *resolver, const struct action_word *action,
                      const struct member *member, abi_set scope);
/* Warns of the remembered ones that a permitted multiplexer undoes. */
void warn_multiplexers(struct resolver *resolver, const struct policy *policy);

#endif
