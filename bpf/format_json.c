#include "bpf/formats.h"

/* An array of instructions: objects with the four keys, or arrays of the four numbers. */

static const struct {
    const char *key;
    json_int_t most;
} members[] = {{"code", UINT16_MAX}, {"jt", UINT8_MAX}, {"jf", UINT8_MAX}, {"k", UINT32_MAX}};

#define MEMBER_COUNT COUNT_OF(members)

static result fail_at(struct decoder *decoder, const char *pointer, const char *message)
{
    report_error(decoder->diagnostics, json_place(decoder->source, pointer, false), "%s", message);
    return FAILURE(ERROR_INPUT);
}

static result read_member(struct decoder *decoder, size_t index, size_t member, const json_t *value,
                          bool by_key, uint32_t *number)
{
    char pointer[64];
    json_int_t read = json_is_integer(value) ? json_integer_value(value) : -1;
    *number = (uint32_t)read;
    if (read >= 0 && read <= members[member].most)
        return SUCCESS;
    if (by_key)
        snprintf(pointer, sizeof pointer, "/%zu/%s", index, members[member].key);
    else
        snprintf(pointer, sizeof pointer, "/%zu/%zu", index, member);
    return fail_at(decoder, pointer,
                   arena_printf(decoder->arena, "%s is an integer from 0 to %lld",
                                members[member].key, (long long)members[member].most));
}

static result read_instruction(struct decoder *decoder, size_t index, const json_t *item)
{
    uint32_t numbers[MEMBER_COUNT];
    char pointer[32];
    bool by_key = json_is_object(item);
    size_t size = by_key ? json_object_size(item) : json_array_size(item);
    snprintf(pointer, sizeof pointer, "/%zu", index);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const json_t *value =
            by_key ? json_object_get(item, members[i].key) : json_array_get(item, i);
        if (!value || size != MEMBER_COUNT)
            return fail_at(decoder, pointer,
                           "an instruction is {\"code\", \"jt\", \"jf\", \"k\"} or "
                           "[code, jt, jf, k], with nothing else in it");
        result r = read_member(decoder, index, i, value, by_key, &numbers[i]);
        if (failed(r))
            return r;
    }
    struct sock_filter instruction = {(uint16_t)numbers[0], (uint8_t)numbers[1],
                                      (uint8_t)numbers[2], numbers[3]};
    return decoder_push(decoder, instruction, 0, 0);
}

static result read_array(struct decoder *decoder, const json_t *array)
{
    if (!json_is_array(array) || json_array_size(array) == 0)
        return fail_at(decoder, "", "a program is an array of instructions, at least one");
    for (size_t i = 0; i < json_array_size(array); i++) {
        result r = read_instruction(decoder, i, json_array_get(array, i));
        if (failed(r))
            return r;
    }
    return SUCCESS;
}

result decode_json(struct decoder *decoder)
{
    json_t *value;
    result r = json_parse(decoder->source, decoder->diagnostics, &value);
    if (failed(r))
        return r;
    r = read_array(decoder, value);
    json_decref(value);
    return r;
}

void encode_json(struct buffer *out, struct arena *arena, const struct program *program,
                 abi_set declared)
{
    (void)arena, (void)declared;
    buffer_text(out, "[");
    for (uint32_t i = 0; i < program->length; i++) {
        const struct sock_filter *at = &program->code[i];
        buffer_printf(out, "%s\n  {\"code\": %u, \"jt\": %u, \"jf\": %u, \"k\": %u}", i ? "," : "",
                      at->code, at->jt, at->jf, at->k);
    }
    buffer_text(out, "\n]\n");
}
