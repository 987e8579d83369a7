/* The canonical form of a file (`fmt`): one space where one may be, four to indent, lines of at
 * most 100 columns where they can be broken, one empty line where there were some. What is printed
 * parses to the same policy, and printing that changes nothing.
 *
 * Comments keep their places: on lines of their own before a statement or a list's member, or
 * behind it. A comment inside anything else moves up before its statement.
 */
#include "lang/print_tree.h"

#define COLUMNS 100u
#define INDENT 4u

struct printer {
    struct buffer *out;
    const struct tree *tree;
    size_t comment; /* the next one to print */
    uint32_t end;   /* of what was printed last, in the source */
    bool fresh;     /* nothing was printed yet in this block */
};

/* ---- lines
 * ------------------------------------------------------------------------------------------------------
 */

static void start_line(struct printer *printer, unsigned indent)
{
    buffer_printf(printer->out, "%*s", (int)indent, "");
}

/* Columns of a text, a UTF-8 sequence counting as one. */
static size_t width(const char *text, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* Puts text with marks from `column` on, breaking at marks where the next piece would not fit;
 * `room` columns must stay free behind the last piece. Returns the column reached. */
static size_t fill(struct printer *printer, const char *text, size_t column, unsigned indent,
                   size_t room)
{
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, MARK_BREAK), columns = width(text, length);
        bool last = !text[length];
        if (!first && column + 1 + columns + (last ? room : 0) > COLUMNS) {
            buffer_text(printer->out, "\n");
            start_line(printer, indent);
            column = indent;
        } else if (!first) {
            buffer_text(printer->out, " ");
            column++;
        }
        buffer_put(printer->out, text, length);
        column += columns;
        text += length + !last;
        first = false;
    }
    return column;
}

/* ---- comments
 * -------------------------------------------------------------------------------------------------------
 */

static const struct span *next_comment(const struct printer *printer, uint32_t before)
{
    if (printer->comment >= printer->tree->comment_count)
        return NULL;
    const struct span *comment = &printer->tree->comments[printer->comment];
    return comment->begin < before ? comment : NULL;
}

static bool on_one_line(const struct printer *printer, uint32_t from, uint32_t to)
{
    return to >= from && !memchr(printer->tree->source->text + from, '\n', to - from);
}

static void put_comment(struct printer *printer, const struct span *comment)
{
    const char *text = printer->tree->source->text + comment->begin;
    size_t length = comment->end - comment->begin;
    while (length && (unsigned char)text[length - 1] <= ' ')
        length--;
    buffer_put(printer->out, text, length);
    printer->comment++;
}

/* An empty line is kept where the source has one between what was printed last and `begin`. */
static void keep_empty_line(struct printer *printer, uint32_t begin)
{
    const char *text = printer->tree->source->text;
    bool line = false, empty = false; /* since the last line's end nothing stood but blanks */
    for (uint32_t i = printer->end; i < begin; i++) {
        empty |= line && text[i] == '\n';
        line = text[i] == '\n' || (line && (unsigned char)text[i] <= ' ');
    }
    if (!printer->fresh && empty)
        buffer_text(printer->out, "\n");
    printer->fresh = false;
}

/* Comments before `before`, on lines of their own. */
static void put_comments_above(struct printer *printer, uint32_t before, unsigned indent)
{
    for (const struct span *comment; (comment = next_comment(printer, before));) {
        keep_empty_line(printer, comment->begin);
        start_line(printer, indent);
        printer->end = comment->end;
        put_comment(printer, comment);
        buffer_text(printer->out, "\n");
    }
}

/* The comment behind what ended at `end`, when it stands on its line and before `before`. */
static void put_comment_behind(struct printer *printer, uint32_t end, uint32_t before)
{
    const struct span *comment = next_comment(printer, before);
    if (!comment || !on_one_line(printer, end, comment->begin))
        return;
    buffer_text(printer->out, "  ");
    printer->end = comment->end;
    put_comment(printer, comment);
}

/* ---- lists
 * -------------------------------------------------------------------------------------------------------------
 */

/* The members of a list in braces: of a target or a group, or of a const. */
struct list {
    const struct item *items;
    const struct element *elements;
    struct span span; /* its braces */
};

static bool has_list(const struct statement *s, struct list *list)
{
    *list = (struct list){NULL, s->elements, s->list_span};
    if (s->target && s->target->kind == ITEM_LIST)
        *list = (struct list){s->target->items, NULL, s->target->name_span};
    return list->items || list->elements;
}

static void put_member(struct buffer *out, struct list *list, struct span *span)
{
    if (list->items) {
        *span = list->items->span;
        put_item(out, list->items);
        list->items = list->items->next;
    } else {
        *span = list->elements->span;
        put_element(out, list->elements);
        list->elements = list->elements->next;
    }
}

static void put_list_flat(struct buffer *out, struct list list)
{
    struct span span;
    buffer_text(out, "{ ");
    while (list.items || list.elements) {
        put_member(out, &list, &span);
        buffer_text(out, list.items || list.elements ? "," MARK_BREAK : " }");
    }
}

/* Where the next member begins, or the list ends. */
static uint32_t next_begin(const struct list *list)
{
    return list->items      ? list->items->span.begin
           : list->elements ? list->elements->span.begin
                            : list->span.end - 1;
}

static void put_list_broken(struct printer *printer, struct list list, unsigned indent)
{
    size_t column = 0; /* 0: at the start of a line */
    buffer_text(printer->out, "{\n");
    while (list.items || list.elements) {
        struct buffer text = buffer_new(printer->out->arena);
        struct span span;
        if (next_comment(printer, next_begin(&list))) {
            buffer_text(printer->out, column ? "\n" : "");
            column = 0;
            printer->fresh = true;
            put_comments_above(printer, next_begin(&list), indent + INDENT);
        }
        put_member(&text, &list, &span);
        buffer_text(&text, list.items || list.elements ? "," : "");
        size_t columns = width(buffer_string(&text), text.length);
        if (column && column + 1 + columns > COLUMNS) {
            buffer_text(printer->out, "\n");
            column = 0;
        }
        if (!column)
            start_line(printer, indent + INDENT);
        else
            buffer_text(printer->out, " ");
        column = fill(printer, buffer_string(&text), column ? column + 1 : indent + INDENT,
                      indent + 2 * INDENT, 0);
        size_t before = printer->comment;
        put_comment_behind(printer, span.end, next_begin(&list));
        if (printer->comment != before) {
            buffer_text(printer->out, "\n");
            column = 0;
        }
    }
    buffer_text(printer->out, column ? "\n" : "");
    printer->fresh = true;
    put_comments_above(printer, list.span.end, indent + INDENT);
    start_line(printer, indent);
    buffer_text(printer->out, "}");
}

/* ---- statements
 * -----------------------------------------------------------------------------------------------------------
 */

static bool within_members(struct list list, const struct span *comment)
{
    for (const struct item *item = list.items; item; item = item->next)
        if (comment->begin >= item->span.begin && comment->begin < item->span.end)
            return true;
    for (const struct element *element = list.elements; element; element = element->next)
        if (comment->begin >= element->span.begin && comment->begin < element->span.end)
            return true;
    return false;
}

/* Can every comment inside the statement be kept between the members of its list? */
static bool comments_fit_list(const struct printer *printer, const struct statement *s,
                              const struct list *list)
{
    for (size_t i = printer->comment; i < printer->tree->comment_count; i++) {
        const struct span *comment = &printer->tree->comments[i];
        if (comment->begin >= s->span.end)
            break;
        if (comment->begin < list->span.begin || comment->begin >= list->span.end ||
            within_members(*list, comment))
            return false;
    }
    return true;
}

static void put_plain(struct printer *printer, const struct statement *s, unsigned indent)
{
    struct buffer text = buffer_new(printer->out->arena);
    put_statement_head(&text, s);
    if (s->target)
        put_item(&text, s->target);
    fill(printer, buffer_string(&text), indent, indent + INDENT, 0);
}

static void put_with_list(struct printer *printer, const struct statement *s,
                          const struct list *list, unsigned indent)
{
    struct buffer head = buffer_new(printer->out->arena), flat = head, rest = head;
    put_statement_head(&head, s);
    put_list_flat(&flat, *list);
    if (s->target)
        put_item_condition(&rest, s->target);
    /* what stands behind a list that fits a line may be broken itself */
    size_t first = strcspn(buffer_string(&rest), MARK_BREAK);
    size_t columns = indent + width(buffer_string(&head), head.length) +
                     width(buffer_string(&flat), flat.length) + width(buffer_string(&rest), first);
    bool broken = columns > COLUMNS || next_comment(printer, s->span.end);
    size_t column = fill(printer, buffer_string(&head), indent, indent + INDENT, 0);
    if (broken) {
        put_list_broken(printer, *list, indent);
        column = indent + 1;
    } else {
        column = fill(printer, buffer_string(&flat), column, indent + INDENT, 0);
    }
    fill(printer, buffer_string(&rest), column, indent + INDENT, 0);
}

static void put_statements(struct printer *printer, const struct statement *statements,
                           uint32_t end, unsigned indent);

static void put_block(struct printer *printer, const struct statement *on, unsigned indent)
{
    put_plain(printer, on, indent);
    buffer_text(printer->out, " {");
    const char *text = on->span.source->text;
    uint32_t first = on->block ? on->block->span.begin : on->span.end;
    uint32_t brace = on->name_span.end;
    while (brace < first && text[brace] != '{' && text[brace] != '#')
        brace++;
    put_comment_behind(printer, brace, first);
    buffer_text(printer->out, "\n");
    printer->fresh = true;
    printer->end = brace;
    put_statements(printer, on->block, on->span.end, indent + INDENT);
    start_line(printer, indent);
    buffer_text(printer->out, "}");
}

static void put_statement(struct printer *printer, const struct statement *s, unsigned indent)
{
    struct list list;
    bool listed = has_list(s, &list);
    uint32_t above = s->span.begin;
    if (s->kind == STATEMENT_ON)
        above = s->name_span.end;
    else if (!listed || !comments_fit_list(printer, s, &list))
        above = s->span.end;
    put_comments_above(printer, above, indent);
    keep_empty_line(printer, s->span.begin);
    start_line(printer, indent);
    printer->end = s->span.end;
    if (s->kind == STATEMENT_ON)
        put_block(printer, s, indent);
    else if (listed)
        put_with_list(printer, s, &list, indent);
    else
        put_plain(printer, s, indent);
    printer->end = s->span.end;
    printer->fresh = false;
}

/* `end`: of the block, or of the file. */
static void put_statements(struct printer *printer, const struct statement *statements,
                           uint32_t end, unsigned indent)
{
    for (const struct statement *s = statements; s; s = s->next) {
        put_statement(printer, s, indent);
        put_comment_behind(printer, s->span.end, s->next ? s->next->span.begin : end);
        buffer_text(printer->out, "\n");
    }
    put_comments_above(printer, end, indent);
}

void policy_print(struct buffer *out, const struct tree *tree)
{
    struct printer printer = {.out = out, .tree = tree, .fresh = true};
    put_statements(&printer, tree->statements, (uint32_t)tree->source->length, 0);
}
