#include "lang/import/document.h"

/* Profiles have some ten thousand bytes, or fifty. */
#define PROFILE_BYTES_MOST ((size_t)4 << 20)

struct builder {
    struct arena *arena;
    const struct source *source;
    uint32_t at; /* next byte of the text, which is known to be JSON */
};

static void skip_space(struct builder *b)
{
    while (b->at < b->source->length && strchr(" \t\r\n", b->source->text[b->at]))
        b->at++;
}

/* Past white space and then the comma or colon, if one stands here. */
static void skip_separator(struct builder *b)
{
    skip_space(b);
    if (b->at < b->source->length && strchr(",:", b->source->text[b->at]))
        b->at++;
    skip_space(b);
}

static struct span skip_string(struct builder *b)
{
    struct span span = {b->source, b->at, 0};
    b->at++;
    while (b->at < b->source->length && b->source->text[b->at] != '"')
        b->at += b->source->text[b->at] == '\\' ? 2 : 1;
    span.end = ++b->at;
    return span;
}

static void skip_word(struct builder *b)
{
    while (b->at < b->source->length && !strchr(",:]} \t\r\n", b->source->text[b->at]))
        b->at++;
}

static void build(struct builder *b, const json_t *value, struct json_node *node);

static void build_array(struct builder *b, const json_t *array, struct json_node *node)
{
    node->kind = KIND_ARRAY;
    node->count = json_array_size(array);
    node->children = NEW_ARRAY(b->arena, struct json_node, node->count);
    b->at++;
    skip_space(b);
    for (size_t i = 0; i < node->count; i++) {
        build(b, json_array_get(array, i), &node->children[i]);
        skip_separator(b);
    }
    b->at++;
}

/* jansson iterates over members in the order in which they were set, which is the text's. */
static void build_object(struct builder *b, json_t *object, struct json_node *node)
{
    node->kind = KIND_OBJECT;
    node->count = json_object_size(object);
    node->children = NEW_ARRAY(b->arena, struct json_node, node->count);
    b->at++;
    skip_space(b);
    struct json_node *child = node->children;
    const char *key;
    json_t *member;
    json_object_foreach(object, key, member)
    {
        child->key = arena_string(b->arena, key, strlen(key));
        child->key_span = skip_string(b);
        skip_separator(b);
        build(b, member, child++);
        skip_separator(b);
    }
    b->at++;
}

static enum json_kind scalar_kind(const json_t *value)
{
    return json_is_number(value) ? KIND_NUMBER : json_is_boolean(value) ? KIND_BOOLEAN : KIND_NULL;
}

/* Recursion is as deep as the text, which jansson has limited to 2048. */
static void build(struct builder *b, const json_t *value, struct json_node *node)
{
    node->span = (struct span){b->source, b->at, 0};
    if (json_is_array(value)) {
        build_array(b, value, node);
    } else if (json_is_object(value)) {
        build_object(b, (json_t *)(uintptr_t)value, node);
    } else if (json_is_string(value)) {
        node->kind = KIND_STRING;
        node->string = arena_string(b->arena, json_string_value(value), json_string_length(value));
        skip_string(b);
    } else {
        node->kind = scalar_kind(value);
        skip_word(b);
    }
    node->span.end = b->at;
}

result json_document(struct arena *arena, const struct source *source,
                     struct diagnostics *diagnostics, struct json_node **root)
{
    if (source->length > PROFILE_BYTES_MOST) {
        report_error(diagnostics, NO_SPAN, "%s: a profile has at most %zu bytes", source->name,
                     PROFILE_BYTES_MOST);
        return FAILURE(ERROR_INPUT);
    }
    json_error_t error;
    /* Integers as reals: the tree takes their digits from the text, and none is too big for a real.
     */
    json_t *value =
        json_loadb(source->text, source->length,
                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    if (!value) {
        /* jansson's position is just past what it read last. */
        uint32_t at = error.position <= 0 ? 0 : (uint32_t)error.position - 1;
        if (at > 0 && at >= source->length)
            at = source->length ? (uint32_t)source->length - 1 : 0;
        report_error(diagnostics, ((struct span){source, at, at + 1}), "not JSON: %s", error.text);
        return FAILURE(ERROR_INPUT);
    }
    struct builder b = {arena, source, 0};
    *root = NEW(arena, struct json_node);
    skip_space(&b);
    build(&b, value, *root);
    json_decref(value);
    return SUCCESS;
}

const struct json_node *json_member(const struct json_node *object, const char *key)
{
    if (!object || object->kind != KIND_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (!strcmp(object->children[i].key, key))
            return object->children[i].kind == KIND_NULL ? NULL : &object->children[i];
    return NULL;
}

bool json_unsigned(const struct json_node *node, uint64_t *value)
{
    if (node->kind != KIND_NUMBER)
        return false;
    uint64_t number = 0;
    for (uint32_t i = node->span.begin; i < node->span.end; i++) {
        unsigned digit = (unsigned char)node->span.source->text[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
    }
    *value = number;
    return true;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"null",     "a boolean", "a number",
                                        "a string", "a list",    "an object"};
    return names[kind];
}
