#include "base/base.h"

struct sequence {
    unsigned length;  /* bytes */
    uint32_t least;   /* what needs as many */
    uint32_t leading; /* bits of the first byte */
};

static bool sequence_begins(unsigned char first, struct sequence *sequence)
{
    if (first < 0x80)
        *sequence = (struct sequence){1, 0, first};
    else if (first >= 0xc2 && first <= 0xdf)
        *sequence = (struct sequence){2, 0x80, first & 0x1fu};
    else if (first >= 0xe0 && first <= 0xef)
        *sequence = (struct sequence){3, 0x800, first & 0x0fu};
    else if (first >= 0xf0 && first <= 0xf4)
        *sequence = (struct sequence){4, 0x10000, first & 0x07u};
    else
        return false;
    return true;
}

/* Controls, what is no character, and what makes a terminal show text in another order than it
 * stands in, or not at all. */
static bool is_hidden(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},           {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x200b, 0x200f},       {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff},
        {0xfeff, 0xfeff},       {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff},
        {0x110000, 0xffffffff},
    };
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

unsigned printable_length(const char *text, size_t length)
{
    struct sequence sequence;
    if (!length || !sequence_begins((unsigned char)text[0], &sequence) || sequence.length > length)
        return 0;
    uint32_t character = sequence.leading;
    for (unsigned i = 1; i < sequence.length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (next & 0x3fu);
    }
    return character < sequence.least || is_hidden(character) ? 0 : sequence.length;
}
