/* A file and what it includes, to trees. A file that is included twice is read once: its second
 * copy could decide nothing, since the first rule that matches decides.
 */
#include "lang/parse.h"

#include "lang_grammar.h"

#include <stdlib.h>

#define INCLUDE_DEPTH_MOST 32u

/* The files being read, outermost first. */
struct chain {
    const struct chain *outer;
    const char *identity; /* real path */
    const struct source *source;
    struct span include; /* the statement that led here; NO_SPAN for the first */
    unsigned depth;
};

struct reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    VECTOR(const char *) seen; /* identities of the files read */
};

static const char *real_path(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = arena_string(arena, real ? real : path, strlen(real ? real : path));
    free(real);
    return copy;
}

const char *path_beside(struct arena *arena, const struct source *source, const char *path)
{
    const char *slash = strrchr(source->name, '/');
    if (path[0] == '/' || !slash || source->name[0] == '<')
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - source->name), source->name, path);
}

static struct tree *parse_text(struct reader *reader, const struct source *source)
{
    struct parse *parse = NEW(reader->arena, struct parse);
    parse->arena = reader->arena;
    parse->source = source;
    parse->diagnostics = reader->diagnostics;
    parse->tree = NEW(reader->arena, struct tree);
    parse->tree->source = source;
    if (!lexer_open(parse) || grammar_parse(parse)) {
        parse->tree->broken = true; /* and without statements */
        parse->tree->lost = LOST_DEFINITION | LOST_ABI | LOST_DEFAULT;
    } else if (parse->tree->broken) {
        parse->tree->lost |= parse->spelled;
    }
    parse->tree->comments = parse->comments.items;
    parse->tree->comment_count = parse->comments.count;
    return parse->tree;
}

static struct tree *read_tree(struct reader *reader, const struct source *source,
                              const struct chain *outer, struct span include);

static void note_chain(struct reader *reader, const struct chain *chain)
{
    for (; chain && chain->include.source; chain = chain->outer)
        report_note(reader->diagnostics, chain->include, "%s is included here",
                    chain->source->name);
}

static bool may_include(struct reader *reader, const struct statement *statement,
                        const struct chain *chain, const char *identity)
{
    for (const struct chain *c = chain; c; c = c->outer)
        if (!strcmp(c->identity, identity)) {
            report_error(reader->diagnostics, statement->name_span, "\"%s\" includes itself",
                         statement->name);
            note_chain(reader, chain);
            return false;
        }
    if (chain->depth >= INCLUDE_DEPTH_MOST) {
        report_error(reader->diagnostics, statement->name_span,
                     "files are included more than %u deep", INCLUDE_DEPTH_MOST);
        note_chain(reader, chain);
        return false;
    }
    return true;
}

static bool seen_before(struct reader *reader, const char *identity)
{
    for (size_t i = 0; i < reader->seen.count; i++)
        if (!strcmp(reader->seen.items[i], identity))
            return true;
    vector_push(reader->arena, &reader->seen, identity);
    return false;
}

static void include(struct reader *reader, struct statement *statement, const struct chain *chain,
                    struct tree *tree)
{
    const char *path = path_beside(reader->arena, chain->source, statement->name);
    const char *identity = real_path(reader->arena, path);
    if (!may_include(reader, statement, chain, identity) || seen_before(reader, identity))
        return;
    struct diagnostics reasons = diagnostics_new(reader->arena);
    const struct source *source;
    if (!strcmp(path, "-") || failed(file_read(reader->arena, path, &reasons, &source))) {
        report_error(reader->diagnostics, statement->name_span, "\"%s\" cannot be included: %s",
                     statement->name, reasons.first ? reasons.first->message : "it is no file");
        tree->lost |= LOST_DEFINITION;
        note_chain(reader, chain);
        return;
    }
    statement->included = read_tree(reader, source, chain, statement->name_span);
}

static struct tree *read_tree(struct reader *reader, const struct source *source,
                              const struct chain *outer, struct span include_span)
{
    struct tree *tree = parse_text(reader, source);
    struct chain chain = {.outer = outer,
                          .identity = real_path(reader->arena, source->name),
                          .source = source,
                          .include = include_span,
                          .depth = outer ? outer->depth + 1 : 0};
    for (struct statement *s = tree->statements; s; s = s->next)
        if (s->kind == STATEMENT_INCLUDE) {
            include(reader, s, &chain, tree);
            tree->broken |= s->included && s->included->broken;
            tree->lost |= s->included ? s->included->lost & LOST_DEFINITION : 0;
        }
    return tree;
}

/* Offsets in spans and in the scanner are 32 bits. */
#define SOURCE_MOST ((size_t)1 << 30)

result policy_parse(struct arena *arena, const struct source *source,
                    struct diagnostics *diagnostics, struct tree **tree)
{
    size_t errors = diagnostics->errors;
    struct reader reader = {.arena = arena, .diagnostics = diagnostics};
    *tree = NEW(arena, struct tree);
    (*tree)->source = source;
    if (source->length > SOURCE_MOST) {
        report_error(diagnostics, NO_SPAN, "%s is too long for a policy", source->name);
        return FAILURE(ERROR_LIMIT);
    }
    vector_push(arena, &reader.seen, real_path(arena, source->name));
    *tree = read_tree(&reader, source, NULL, NO_SPAN);
    return diagnostics->errors > errors ? FAILURE(ERROR_INPUT) : SUCCESS;
}
