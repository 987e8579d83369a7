/* Tokens as the parser sees them. The words of the language are ordinary names inside parentheses
 * (only `in` stays a word), so the scanner's words are classified here, where nesting is known.
 * After a mistake the parser asks to be taken to the next statement.
 */
#include "lang/words.h"

#include "lang_grammar.h"

/* What is skipped on the line of a mistake most likely belongs to it. */
static void lexical_error(struct parse *parse, struct span span, const char *message)
{
    uint32_t line = source_position(parse->source, span.begin).line;
    if (!parse->skipping || line != source_position(parse->source, parse->last.span.begin).line)
        report_error(parse->diagnostics, span, "%s", message);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* Decimal, 0x hexadecimal, 0b binary, and octal with a leading 0 or 0o, as modes are written. */
static int number_base(const char **digits)
{
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{'x', 16}, {'X', 16}, {'b', 2}, {'B', 2}, {'o', 8}, {'O', 8}};
    const char *text = *digits;
    if (text[0] != '0' || !text[1])
        return 10;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (text[1] == prefixes[i].letter && text[2]) {
            *digits += 2;
            return prefixes[i].base;
        }
    *digits += 1;
    return 8;
}

int token_number(struct parse *parse, struct token *token, const char *text)
{
    const char *digits = text;
    int base = number_base(&digits);
    uint64_t value = 0;
    for (; *digits; digits++) {
        int digit = digit_value(*digits);
        if (digit >= base) {
            lexical_error(parse, token->span,
                          arena_printf(parse->arena, "`%s` is no number", text));
            if (base == 8 && !parse->skipping)
                report_note(parse->diagnostics, NO_SPAN, "a leading 0 makes it octal");
            return GRAMMAR_error;
        }
        if (value > (UINT64_MAX - (unsigned)digit) / (unsigned)base) {
            lexical_error(parse, token->span, "this number does not fit in 64 bits");
            return GRAMMAR_error;
        }
        value = value * (unsigned)base + (unsigned)digit;
    }
    token->value.number.text = arena_string(parse->arena, text, strlen(text));
    token->value.number.value = value;
    return NUMBER;
}

/* A string is a path or a name: nothing in it needs an escape. */
int token_string(struct parse *parse, const struct token *token)
{
    for (uint32_t i = token->span.begin; i < token->span.end; i++) {
        unsigned char c = (unsigned char)token->span.source->text[i];
        if (c < 0x20 || c == 0x7f) {
            lexical_error(parse, token->span, "a control character in a string");
            return GRAMMAR_error;
        }
    }
    return STRING;
}

int token_unclosed_string(struct parse *parse, const struct token *token)
{
    lexical_error(parse, token->span, "this string has no closing quote");
    return GRAMMAR_error;
}

int token_stray(struct parse *parse, const struct token *token)
{
    unsigned char c = (unsigned char)token->span.source->text[token->span.begin];
    if (c == ';')
        lexical_error(parse, token->span, "`;` ends no statement here: leave it out");
    else if (!token->span.begin && has_byte_order_mark(token->span.source))
        lexical_error(parse, token->span, BYTE_ORDER_MARK_TEXT);
    else if (c > 0x20 && c < 0x7f)
        lexical_error(parse, token->span,
                      arena_printf(parse->arena, "`%c` is no mark of the language", c));
    else
        lexical_error(
            parse, token->span,
            arena_printf(parse->arena,
                         "the byte 0x%02x is not part of the language outside comments and strings",
                         c));
    return GRAMMAR_error;
}

/* ---- nesting
 * ---------------------------------------------------------------------------------------------- */

static void open_parenthesis(struct parse *parse, struct span span)
{
    if (parse->parentheses < COUNT_OF(parse->opened))
        parse->opened[parse->parentheses] = span;
    parse->parentheses++;
}

static void open_brace(struct parse *parse, struct span span)
{
    if (parse->expecting_block && !parse->parentheses) {
        parse->expecting_block = false;
        parse->block = true;
        parse->opened_block = span;
        return;
    }
    if (!parse->braces)
        parse->opened_brace = span;
    parse->braces++;
}

static void close_brace(struct parse *parse)
{
    parse->closed_block = !parse->braces && parse->block;
    if (parse->braces)
        parse->braces--;
    else
        parse->block = false;
}

static void follow_nesting(struct parse *parse, const struct token *token)
{
    switch (token->kind) {
    case OPEN:
        open_parenthesis(parse, token->span);
        break;
    case CLOSE:
        if (parse->parentheses)
            parse->parentheses--;
        break;
    case OPEN_BRACE:
        open_brace(parse, token->span);
        break;
    case CLOSE_BRACE:
        close_brace(parse);
        break;
    case ON:
        parse->expecting_block = !parse->block;
        break;
    default:
        break;
    }
}

static const char *spelling(const struct parse *parse, const struct token *token)
{
    const struct span *span = &token->span;
    return arena_string(parse->arena, span->source->text + span->begin, span->end - span->begin);
}

/* A header's word may stand in what a mistake hides: its statement must not be called missing. */
static unsigned spelled_by(const struct parse *parse, const struct token *token)
{
    static const struct {
        const char *word;
        enum lost lost;
    } rows[] = {{"abi", LOST_ABI}, {"default", LOST_DEFAULT}};
    const char *text = parse->source->text + token->span.begin;
    size_t length = token->span.end - token->span.begin;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (length == strlen(rows[i].word) && !memcmp(text, rows[i].word, length))
            return rows[i].lost;
    return 0;
}

static void scan(struct parse *parse, struct token *token)
{
    uint32_t end = (uint32_t)parse->source->length;
    token->kind = parse->ended ? GRAMMAR_EOF : lexer_scan(token, parse->scanner);
    parse->ended = token->kind == GRAMMAR_EOF;
    if (parse->ended) {
        while (end && (unsigned char)parse->source->text[end - 1] <= ' ')
            end--; /* the end is shown where the text ends */
        token->span = (struct span){parse->source, end, end};
        token->is_word = false;
    }
    if (token->is_word)
        parse->spelled |= spelled_by(parse, token);
}

static void classify(const struct parse *parse, struct token *token)
{
    if (token->kind != NAME)
        return;
    union token_value value = token->value;
    int kind = word_kind(token->value.text, &value);
    if (parse->parentheses && kind != IN)
        return;
    token->kind = kind;
    token->value = value;
}

/* The closing brace of a block whose `on` was broken is not the parser's business. */
static bool is_orphan(struct parse *parse, const struct token *token)
{
    if (token->kind != CLOSE_BRACE || parse->braces || !parse->block || !parse->block_is_orphan)
        return false;
    parse->block = parse->block_is_orphan = false;
    return true;
}

static int too_deep(struct parse *parse, const struct token *token)
{
    report_error(parse->diagnostics, token->span, "parentheses are nested more than %d deep",
                 EXPRESSION_DEPTH_MOST);
    return GRAMMAR_error;
}

int token_next(struct parse *parse, struct token *token)
{
    if (parse->has_pending) {
        parse->has_pending = false;
        *token = parse->pending;
    } else {
        do {
            scan(parse, token);
            classify(parse, token);
        } while (is_orphan(parse, token));
    }
    if (token->kind == OPEN && parse->parentheses == EXPRESSION_DEPTH_MOST)
        token->kind = too_deep(parse, token);
    if (token->is_word && token->kind != NAME && word_starts_statement(spelling(parse, token)) &&
        !parse->parentheses)
        parse->statement = token->kind;
    parse->last = *token;
    follow_nesting(parse, token);
    return token->kind;
}

/* ---- after a mistake
 * ------------------------------------------------------------------------------------------ */

/* May a statement start, or the file or the block end, at this token? Outside a block only where a
 * line starts: a word in the middle of one most likely belongs to the mistake. No token is tried
 * twice. */
static bool is_restart(const struct parse *parse, const struct token *token)
{
    bool balanced = !parse->parentheses && !parse->braces;
    if (token->kind == GRAMMAR_EOF)
        return true;
    if (parse->restarts && token->span.begin <= parse->restarted_at)
        return false;
    if (token->is_word && word_starts_statement(spelling(parse, token)))
        return token_starts_line(token) || (parse->block && balanced);
    if (token->is_word) /* some other word where a statement should start: a mistake of its own */
        return balanced && token->span.begin > parse->last.span.begin && token_starts_line(token);
    return token->kind == CLOSE_BRACE && parse->block && balanced;
}

static void restart_at(struct parse *parse, struct token token)
{
    parse->parentheses = parse->braces = 0;
    parse->expecting_block = false;
    if (token.kind == GRAMMAR_EOF && parse->block && !parse->block_is_orphan)
        token.kind = CLOSE_BRACE; /* the one that is missing */
    if (token.is_word) {
        token.kind = NAME;
        token.value.text = spelling(parse, &token);
        classify(parse, &token);
    }
    parse->restarts++;
    parse->restarted_at = token.span.begin;
    parse->pending = token;
    parse->has_pending = true;
}

/* The mistake was found at a brace, whose nesting was followed already. */
static void reconsider_last(struct parse *parse)
{
    const struct token *last = &parse->last;
    if (last->kind == CLOSE_BRACE && parse->closed_block) {
        parse->block = true;
        parse->parentheses = 0;
    } else if (last->kind == OPEN_BRACE && parse->block &&
               parse->opened_block.begin == last->span.begin) {
        parse->block_is_orphan = true;
    }
}

/* What the broken statement may have held. */
static unsigned lost_by(const struct parse *parse)
{
    static const struct {
        int kind;
        unsigned lost;
    } rows[] = {{GROUP, LOST_DEFINITION},
                {CONST, LOST_DEFINITION},
                {INCLUDE, LOST_DEFINITION},
                {ABI, LOST_ABI},
                {DEFAULT, LOST_DEFAULT}};
    const struct token *last = &parse->last;
    if (last->is_word && token_starts_line(last) && !word_starts_statement(spelling(parse, last))) {
        const char *meant = nearest_word(spelling(parse, last), true); /* "grup", "defualt" */
        return !meant || !action_by_name(meant) ? LOST_DEFINITION | LOST_ABI | LOST_DEFAULT : 0;
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (parse->statement == rows[i].kind)
            return rows[i].lost;
    return 0;
}

bool parse_resynchronize(struct parse *parse)
{
    parse->tree->broken = true;
    parse->tree->lost |= lost_by(parse);
    parse->skipping = true;
    reconsider_last(parse);
    struct token token = parse->last;
    if (token.kind == GRAMMAR_EOF && parse->end_restarts++)
        return false;
    while (!is_restart(parse, &token)) {
        scan(parse, &token);
        if (is_orphan(parse, &token) || is_restart(parse, &token))
            continue;
        bool expecting = parse->expecting_block;
        follow_nesting(parse, &token);
        if (expecting && parse->block)
            parse->block_is_orphan = true;
    }
    restart_at(parse, token);
    parse->skipping = false;
    return true;
}

void parse_out_of_stack(struct parse *parse)
{
    report_error(parse->diagnostics, parse->last.span,
                 "this statement is nested too deep to be read");
    parse->tree->broken = true;
}
