/* The decision DAG: an input that ends where one wants it.
 *
 * Paths are walked from the smallest values up. After each test its field gets a value that suits
 * all tests of it so far; a path on which none is found is left at once. A number of steps bounds
 * the walk. What is not found may exist all the same. */
#include "compiler/dag_internal.h"

#define STEPS_MOST 20000u
#define REPAIRS_MOST 64u

/* (field & mask) lies in first..last. */
struct wanted {
    uint32_t mask, first, last;
};

struct finding {
    struct arena *arena;
    uint32_t word;
    struct input *input;
    VECTOR(struct wanted) wants[FIELD_COUNT]; /* of the path */
    unsigned steps;
};

static const struct wanted *broken_want(const struct wanted *wants, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t part = value & wants[i].mask;
        if (part < wants[i].first || part > wants[i].last)
            return &wants[i];
    }
    return NULL;
}

/* From `value` upwards: bits that are too small are raised to the least that will do; where they
 * are too large, the lowest bit above them goes up. */
static bool repair(const struct wanted *wants, size_t count, uint32_t value, uint32_t *repaired)
{
    for (unsigned i = 0; i < REPAIRS_MOST; i++) {
        const struct wanted *broken = broken_want(wants, count, value);
        *repaired = value;
        if (!broken)
            return true;
        uint32_t next = value;
        if ((value & broken->mask) > broken->last) {
            next = (value | (0xffffffffu >> __builtin_clz(broken->mask))) + 1;
            if (!next)
                return false;
        }
        value = (next & ~broken->mask) | broken->first;
    }
    return false;
}

static bool settle_field(struct finding *f, enum field field)
{
    const struct wanted *wants = f->wants[field].items;
    size_t count = f->wants[field].count;
    uint32_t value;
    bool settled = repair(wants, count, 0, &value);
    for (size_t i = 0; i < count && !settled; i++)
        settled = repair(wants, count, wants[i].first, &value) ||
                  repair(wants, count, wants[i].last, &value) ||
                  repair(wants, count, wants[i].last | ~wants[i].mask, &value);
    if (settled)
        input_set_field(f->input, field, value);
    return settled;
}

/* Recursive, as deep as there are variables. */
static bool find(struct finding *f, const struct dag_node *node)
{
    if (++f->steps > STEPS_MOST)
        return false;
    if (node->kind != DAG_SWITCH) /* comparisons come last: all words have their values */
        return dag_evaluate(node, f->input) == f->word;
    uint32_t first = 0;
    uint32_t before = input_field(f->input, node->field);
    bool found = false;
    for (uint32_t i = 0; i < node->edge_count && !found; i++) {
        uint32_t last = dag_value_floor(node->edges[i].last, node->mask);
        vector_push(f->arena, &f->wants[node->field], (struct wanted){node->mask, first, last});
        first = node->edges[i].last + 1;
        found = settle_field(f, node->field) && find(f, node->edges[i].child);
        f->wants[node->field].count--;
    }
    if (!found)
        input_set_field(f->input, node->field, before);
    return found;
}

bool dag_find(struct arena *arena, const struct dag_node *root, uint32_t word,
              const struct dag_class *class, struct input *input)
{
    struct finding f = {.arena = arena, .word = word, .input = input};
    *input = (struct input){.arch = class->arch_first, .nr = class->nr_first};
    vector_push(arena, &f.wants[FIELD_ARCH],
                (struct wanted){0xffffffffu, class->arch_first, class->arch_last});
    vector_push(arena, &f.wants[FIELD_NR],
                (struct wanted){0xffffffffu, class->nr_first, class->nr_last});
    return find(&f, root);
}
