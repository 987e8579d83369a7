/* Answers that hold for every call with the same residue: an audit asks the same of hundreds of
 * calls, and where neither the arch nor the number is looked at any more, they have one answer. */
#include "verifier/auditor.h"

struct answer_key {
    const struct term *left, *right;
    enum relation_kind kind;
    uint32_t value;
};

struct answer_row {
    struct answer_key key; /* left NULL: free */
    enum asked asked;
    struct input example; /* of ASKED_YES; arch and nr do not count */
    const char *trouble;  /* of ASKED_UNKNOWN */
};

/* A hash table with open addressing, at most half full. */
struct answers {
    struct answer_row *rows;
    size_t capacity, count;
};

static bool is_same(const struct answer_key *a, const struct answer_key *b)
{
    return a->left == b->left && a->right == b->right && a->kind == b->kind && a->value == b->value;
}

static size_t slot_of(const struct answers *answers, const struct answer_key *key)
{
    uint64_t hash = ((uint64_t)key->left->id << 32 | key->right->id) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= ((uint64_t)key->kind << 32 | key->value) * UINT64_C(0xd6e8feb86659fd93);
    size_t at = (hash >> 20) & (answers->capacity - 1);
    while (answers->rows[at].key.left && !is_same(&answers->rows[at].key, key))
        at = (at + 1) & (answers->capacity - 1);
    return at;
}

static void grow(struct auditor *auditor, struct answers *answers)
{
    struct answers old = *answers;
    answers->capacity = old.capacity ? old.capacity * 2 : 256;
    answers->rows = NEW_ARRAY(auditor->prover->arena, struct answer_row, answers->capacity);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.rows[i].key.left)
            answers->rows[slot_of(answers, &old.rows[i].key)] = old.rows[i];
}

static struct answer_key key_of(const struct obligation *o, const struct relation *relation)
{
    return (struct answer_key){o->left, o->right, relation->kind, relation->value};
}

static bool holds_anywhere(const struct obligation *o)
{
    return !((o->left->uses | o->right->uses) & (BIT_NR | BIT_ARCH));
}

bool recall_answer(struct auditor *auditor, const struct obligation *o,
                   const struct relation *relation, enum asked *asked, struct input *found)
{
    struct answers *answers = auditor->answers;
    if (!answers || !holds_anywhere(o))
        return false;
    struct answer_key key = key_of(o, relation);
    const struct answer_row *row = &answers->rows[slot_of(answers, &key)];
    if (!row->key.left)
        return false;
    *asked = row->asked;
    if (row->asked == ASKED_UNKNOWN)
        leave_open(auditor, row->trouble);
    if (row->asked == ASKED_YES && found) {
        *found = row->example;
        found->arch = o->arch.first;
        found->nr = o->nr.first;
    }
    return true;
}

void note_answer(struct auditor *auditor, const struct obligation *o,
                 const struct relation *relation, enum asked asked, const struct input *example,
                 const char *trouble)
{
    if (!holds_anywhere(o))
        return;
    if (!auditor->answers)
        auditor->answers = NEW(auditor->prover->arena, struct answers);
    struct answers *answers = auditor->answers;
    if (answers->count * 2 >= answers->capacity)
        grow(auditor, answers);
    struct answer_key key = key_of(o, relation);
    struct answer_row *row = &answers->rows[slot_of(answers, &key)];
    answers->count += !row->key.left;
    *row = (struct answer_row){.key = key, .asked = asked, .trouble = trouble};
    if (example)
        row->example = *example;
}
