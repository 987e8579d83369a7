#include "lang/words.h"

#include "lang_grammar.h"

static const struct word_row {
    const char *text;
    int kind;
    bool starts_statement;
} rows[] = {
    {"policy", POLICY, true},    {"abi", ABI, true},         {"foreign", FOREIGN, true},
    {"default", DEFAULT, true},  {"unknown", UNKNOWN, true}, {"include", INCLUDE, true},
    {"const", CONST, true},      {"group", GROUP, true},     {"on", ON, true},
    {"raw", RAW, true},          {"prove", PROVE, true},     {"if", IF, false},
    {"ret", RET, false},         {"never", NEVER, false},    {"always", ALWAYS, false},
    {"at_most", AT_MOST, false}, {"permit", PERMIT, false},  {"nr", NR, false},
    {"in", IN, false},
};

static const struct word_row *word_row(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (!strcmp(rows[i].text, word))
            return &rows[i];
    return NULL;
}

int word_kind(const char *word, union token_value *value)
{
    const struct word_row *row = word_row(word);
    if (row)
        return row->kind;
    const struct action_info *action = action_by_name(word);
    if (!action)
        return NAME;
    value->action = action;
    return ACTION;
}

bool word_starts_statement(const char *word)
{
    const struct word_row *row = word_row(word);
    return row ? row->starts_statement : action_by_name(word) != NULL;
}

static void consider(const char *word, const char *candidate, const char **best, unsigned *distance)
{
    unsigned limit = strlen(word) <= 3 ? 1 : 2;
    unsigned d = name_distance(word, candidate, limit);
    if (d <= limit && d < *distance) {
        *best = candidate;
        *distance = d;
    }
}

const char *nearest_word(const char *word, bool statement)
{
    const char *best = NULL;
    unsigned distance = UINT32_MAX;
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        consider(word, action_get((enum action)i)->name, &best, &distance);
    for (size_t i = 0; statement && i < COUNT_OF(rows); i++)
        if (rows[i].starts_statement)
            consider(word, rows[i].text, &best, &distance);
    return best;
}

bool token_starts_line(const struct token *token)
{
    const char *text = token->span.source->text;
    for (uint32_t i = token->span.begin; i-- > 0 && text[i] != '\n';)
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    return true;
}
