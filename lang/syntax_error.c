#include "lang/syntax_error.h"

#include "lang/words.h"

void syntax_error_expect(struct syntax_error *error, const struct expectation *expectation)
{
    error->classes[expectation->class] = true;
    if (expectation->class == EXPECT_OTHER && error->other_count < COUNT_OF(error->others))
        error->others[error->other_count++] = expectation->text;
}

/* What could have stood there, the most telling first. */
static size_t expected_phrases(const struct syntax_error *error, const char **phrases)
{
    const bool *classes = error->classes;
    size_t count = 0;
    bool value = classes[EXPECT_NUMBER] && classes[EXPECT_OPEN];
    bool target = classes[EXPECT_AT] && classes[EXPECT_NAME];
    for (size_t i = 0; i < error->other_count; i++)
        if (!target || strcmp(error->others[i], "`{`"))
            phrases[count++] = error->others[i];
    if (value)
        phrases[count++] = "a value";
    else if (target)
        phrases[count++] = "a call, { list }, @group or `nr`";
    else if (classes[EXPECT_NAME])
        phrases[count++] = "a name";
    if (!value && classes[EXPECT_NUMBER])
        phrases[count++] = "a number";
    if (classes[EXPECT_ACTION] && !classes[EXPECT_STATEMENT])
        phrases[count++] = "an action";
    if (classes[EXPECT_COMPARISON])
        phrases[count++] = "a comparison";
    else if (classes[EXPECT_OPERATOR])
        phrases[count++] = "an operator";
    if (classes[EXPECT_STATEMENT])
        phrases[count++] = "a new statement";
    return count;
}

static const char *expected_text(const struct syntax_error *error, struct arena *arena)
{
    const char *phrases[COUNT_OF(error->others) + 8];
    size_t count = expected_phrases(error, phrases);
    struct buffer text = buffer_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_text(&text, i + 1 == count ? " or " : ", ");
        buffer_text(&text, phrases[i]);
    }
    return buffer_string(&text);
}

/* Only the end of the file has no bytes. */
static bool is_end(const struct token *token)
{
    return token->span.begin == token->span.end;
}

static const char *found_text(const struct token *token, struct arena *arena)
{
    const struct span *span = &token->span;
    if (is_end(token))
        return "the end of the file";
    const char *text =
        arena_string(arena, span->source->text + span->begin, span->end - span->begin);
    return text[0] == '"' ? text : arena_printf(arena, "`%s`", text);
}

static bool note_word(struct parse *parse, const char *word, const char *wrong, const char *right)
{
    if (strcmp(word, wrong))
        return false;
    report_note(parse->diagnostics, NO_SPAN, "write %s", right);
    return true;
}

/* Words of other languages for what this one has. */
static void note_foreign_word(struct parse *parse, const char *word)
{
    static const struct {
        const char *wrong, *right;
    } words[] = {
        {"and", "`&&`"},
        {"or", "`||`"},
        {"not", "`!(...)`"},
        {"deny", "an action such as errno(EPERM) or kill_process"},
        {"block", "an action such as errno(EPERM) or kill_process"},
        {"kill", "kill_process or kill_thread"},
        {"arch", "`abi x86_64, ...`"},
        {"else", "`default ACTION`"},
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (note_word(parse, word, words[i].wrong, words[i].right))
            return;
}

static void note_nearest_word(struct parse *parse, const char *word, bool statement)
{
    const char *nearest = nearest_word(word, statement);
    if (nearest)
        report_note(parse->diagnostics, NO_SPAN, "did you mean `%s`?", nearest);
    else
        note_foreign_word(parse, word);
}

static void note_mark(struct parse *parse, const char *found, const struct syntax_error *error)
{
    static const struct {
        const char *found;
        enum expectation_class expected;
        const char *note;
    } rows[] = {
        {"`=`", EXPECT_COMPARISON, "equality is written `==`"},
        {"`,`", EXPECT_OPERATOR, "conditions are joined with `&&` or `||`"},
        {"`)`", EXPECT_NUMBER, "a call without a condition has no parentheses"},
        {"`<`", EXPECT_OPERATOR, "comparisons are joined with `&&`: 0 <= fd && fd < 3"},
        {"`==`", EXPECT_OPERATOR, "comparisons are joined with `&&`"},
        {"`|`", EXPECT_OPERATOR, "conditions are joined with `||`"},
    };
    bool empty = parse->last.span.begin && parse->source->text[parse->last.span.begin - 1] == '(';
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!strcmp(found, rows[i].found) && error->classes[rows[i].expected] &&
            (strcmp(found, "`)`") || empty))
            report_note(parse->diagnostics, NO_SPAN, "%s", rows[i].note);
}

static void note_open(struct parse *parse)
{
    if (parse->parentheses && parse->parentheses <= EXPRESSION_DEPTH_MOST)
        report_note(parse->diagnostics, parse->opened[parse->parentheses - 1],
                    "this parenthesis is not closed");
    else if (parse->braces)
        report_note(parse->diagnostics, parse->opened_brace, "this brace is not closed");
}

static bool is_language_word(const char *word)
{
    union token_value value;
    return word_kind(word, &value) != word_kind("", &value);
}

void syntax_error_report(const struct syntax_error *error)
{
    struct parse *parse = error->parse;
    const struct token *token = &parse->last;
    const char *found = found_text(token, parse->arena);
    const char *word =
        token->is_word ? arena_string(parse->arena, token->span.source->text + token->span.begin,
                                      token->span.end - token->span.begin)
                       : NULL;
    bool statement = error->classes[EXPECT_STATEMENT];
    bool end = is_end(token);
    bool at_start = token_starts_line(token);
    if (end && parse->block && !parse->parentheses && !parse->braces) {
        report_error(parse->diagnostics, token->span, "the file ends inside an `on` block");
        report_note(parse->diagnostics, parse->opened_block, "this brace is not closed");
        return;
    }
    if (word && statement && at_start && !word_starts_statement(word)) {
        report_error(parse->diagnostics, token->span, "%s starts no statement", found);
        note_nearest_word(parse, word, true);
        return;
    }
    report_error(parse->diagnostics, token->span,
                 end ? "%s comes too early; expected %s" : "unexpected %s; expected %s", found,
                 expected_text(error, parse->arena));
    if (end || (word && at_start && word_starts_statement(word)))
        note_open(parse);
    else if (word && error->classes[EXPECT_NAME] && is_language_word(word))
        report_note(parse->diagnostics, NO_SPAN,
                    "`%s` is a word of the language: choose another name", word);
    else if (word && error->classes[EXPECT_ACTION])
        note_nearest_word(parse, word, false);
    else if (word)
        note_foreign_word(parse, word);
    else
        note_mark(parse, found, error);
}
