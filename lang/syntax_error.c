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

static const char *found_text(const struct token *token, struct arena *arena)
{
    const struct span *span = &token->span;
    if (span->begin >= span->source->length)
        return "the end of the file";
    const char *text = arena_string(arena, span->source->text + span->begin, span->end - span->begin);
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
        {"and", "`&&`"},          {"or", "`||`"},           {"not", "`!(...)`"},
        {"deny", "an action such as errno(EPERM) or kill_process"},
        {"block", "an action such as errno(EPERM) or kill_process"},
        {"kill", "kill_process or kill_thread"},            {"arch", "`abi x86_64, ...`"},
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

static void note_open(struct parse *parse)
{
    if (parse->parentheses && parse->parentheses <= EXPRESSION_DEPTH_MOST)
        report_note(parse->diagnostics, parse->opened[parse->parentheses - 1],
                    "this parenthesis is not closed");
    else if (parse->braces)
        report_note(parse->diagnostics, parse->opened_brace, "this brace is not closed");
}

void syntax_error_report(const struct syntax_error *error)
{
    struct parse *parse = error->parse;
    const struct token *token = &parse->last;
    const char *found = found_text(token, parse->arena);
    const char *word = token->is_word ? arena_string(parse->arena, token->span.source->text + token->span.begin,
                                                     token->span.end - token->span.begin)
                                      : NULL;
    bool statement = error->classes[EXPECT_STATEMENT];
    bool end = token->span.begin >= token->span.source->length;
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
    report_error(parse->diagnostics, token->span, "unexpected %s; expected %s", found,
                 expected_text(error, parse->arena));
    if (end || (word && at_start && word_starts_statement(word)))
        note_open(parse);
    else if (word && error->classes[EXPECT_ACTION])
        note_nearest_word(parse, word, false);
    else if (word)
        note_foreign_word(parse, word);
    else if (!strcmp(found, "`=`") && error->classes[EXPECT_COMPARISON])
        report_note(parse->diagnostics, NO_SPAN, "equality is written `==`");
}
