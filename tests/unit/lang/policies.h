/* Policies in tests: text in, policy out. */
#ifndef TESTS_LANG_POLICIES_H
#define TESTS_LANG_POLICIES_H

#include "lang/lang.h"
#include "tests/unit/support.h"

static inline const struct source *text_source(struct fixture *fixture, const char *text)
{
    return source_from_text(fixture->arena, "tests/data/text.policy", text, strlen(text));
}

static inline bool try_policy(struct fixture *fixture, const char *text, struct policy **policy)
{
    fixture->diagnostics = diagnostics_new(fixture->arena);
    return worked(
        policy_read(fixture->arena, text_source(fixture, text), 0, &fixture->diagnostics, policy));
}

/* Shows why a text was refused, and fails. */
static inline struct policy *read_text(struct fixture *fixture, const char *text)
{
    struct policy *policy = NULL;
    if (!try_policy(fixture, text, &policy)) {
        diagnostics_print(&fixture->diagnostics, stderr);
        fail_msg("refused: %s", text);
    }
    return policy;
}

/* The policy printed, which must parse to an equal one and print the same again. */
static inline const char *round_trip(struct fixture *fixture, const char *text)
{
    struct arena *arena = fixture->arena;
    struct buffer once = buffer_new(arena), twice = buffer_new(arena);
    struct policy *before = read_text(fixture, text), *after;
    struct tree *tree;
    assert_true(
        worked(policy_parse(arena, text_source(fixture, text), &fixture->diagnostics, &tree)));
    policy_print(&once, tree);
    after = read_text(fixture, buffer_string(&once));
    if (!policy_equal(before, after))
        fail_msg("another policy: %s\nprinted: %s", text, buffer_string(&once));
    assert_true(worked(policy_parse(arena, text_source(fixture, buffer_string(&once)),
                                    &fixture->diagnostics, &tree)));
    policy_print(&twice, tree);
    assert_string_equal(buffer_string(&once), buffer_string(&twice));
    return buffer_string(&once);
}

static inline uint32_t verdict_of(const struct policy *policy, enum abi_id abi, const char *call,
                                  const uint64_t *args, size_t count)
{
    const struct syscall_entry *entry = abi_syscall(abi, call);
    assert_non_null(entry);
    struct input input = {.nr = entry->nr, .arch = abi_get(abi)->token};
    for (size_t i = 0; i < count; i++)
        input.args[i] = args[i];
    return policy_eval(policy, &input).word;
}

#define VERDICT(policy, abi, call, ...)                                                            \
    verdict_of((policy), (abi), (call), (const uint64_t[]){__VA_ARGS__},                           \
               COUNT_OF(((const uint64_t[]){__VA_ARGS__})))

#define WORD_ALLOW 0x7fff0000u
#define WORD_KILL 0x80000000u
#define WORD_ERRNO(value) (0x00050000u | (value))

#endif
