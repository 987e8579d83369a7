/* What the importers write: policy text, from words that others chose. */
#ifndef LANG_IMPORT_POLICY_TEXT_H
#define LANG_IMPORT_POLICY_TEXT_H

#include "lang/import/fields.h"

/* The text on one line, UTF-8 and printable: spaces in place of controls, so that none ends a
 * comment or moves a terminal's cursor, and question marks in place of bytes that are no character
 * or hide others. */
const char *import_printable(struct arena *arena, const char *text);

/* The last part of the source's name, printable. */
const char *import_file_name(struct arena *arena, const struct source *source);

/* "moby-default.json" names the policy moby_default. */
const char *import_policy_name(struct arena *arena, const char *file);

/* An action with its data; an errno by name, when the name means this value on all these ABIs (one
 * at least). */
const char *import_action_text(struct arena *arena, uint32_t word, const enum abi_id *abis,
                               size_t abi_count);

/* One rule for these calls (one at least), on one line where they fit. */
void import_write_calls(struct buffer *out, const char *action,
                        const struct import_text *const *calls, size_t count);

/* The whole text in the canonical form, so that formatting an imported policy changes nothing. */
void import_write_canonically(struct arena *arena, struct buffer *text);

#endif
