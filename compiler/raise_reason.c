/* Why a rule is raw: all that is ever said. docs/DECOMPILE.md explains each; a test holds it to it.
 */
#include "compiler/raise.h"

const char *raw_reason_text(enum raw_reason reason)
{
    static const char *const texts[RAW_REASON_COUNT] = {
        [RAW_POINTER] = "it looks at the instruction pointer",
        [RAW_COMPUTES] = "it computes with words of the input",
        [RAW_RETURNS] = "it returns a computed word",
        [RAW_NO_ACTION] = "is no action's word: the kernel kills the process",
        [RAW_OTHER_TOKENS] = "it tests these numbers under other tokens too",
        [RAW_NUMBER_BITS] = "it tests bits of the number that make no ranges",
        [RAW_TOKEN] = "it computes with the token",
        [RAW_UNPROVED] = "the typed rules could not be proved equal",
    };
    return texts[reason];
}
