#include "cli/explain.h"

#define REMARK_COLUMN 34

/* ---- one program ------------------------------------------------------------------------------
 */

static void set_optional(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

static json_t *json_test(const struct path_step *step)
{
    json_t *object = json_object();
    json_object_set_new(object, "left", json_string(step->term));
    json_object_set_new(object, "relation", json_string(step->relation));
    json_object_set_new(object, "right", json_string(step->right));
    json_object_set_new(object, "right_value", json_hex(step->right_value));
    set_optional(object, "right_name", step->right_name);
    json_object_set_new(object, "holds", json_boolean(step->holds));
    json_object_set_new(object, "was_known", json_boolean(step->was_known));
    return object;
}

static json_t *json_step(const struct path_step *step)
{
    json_t *object = json_object();
    json_object_set_new(object, "instruction", json_integer(step->instruction));
    json_object_set_new(object, "text", json_string(step->text));
    if (step->term) {
        json_object_set_new(object, "term", json_string(step->term));
        json_object_set_new(object, "value", json_hex(step->value));
    }
    set_optional(object, "name", step->name);
    set_optional(object, "known", step->known);
    if (step->is_test)
        json_object_set_new(object, "test", json_test(step));
    json_object_set_new(object, "next",
                        step->next == step->instruction ? json_null() : json_integer(step->next));
    json_object_set_new(object, "remark", json_string(step->remark));
    return object;
}

static json_t *json_path(const struct path *path)
{
    json_t *array = json_array();
    for (size_t i = 0; i < path->count; i++)
        json_array_append_new(array, json_step(&path->steps[i]));
    return array;
}

static json_t *json_conditions(const struct path *path)
{
    json_t *array = json_array();
    for (size_t i = 0; i < path->condition_count; i++)
        json_array_append_new(array, json_string(path->conditions[i]));
    return array;
}

static void print_path(const struct program *program, const struct path *path)
{
    printf("path through %s, %u of %u instructions:\n", program->name, path->run.executed,
           program->length);
    for (size_t i = 0; i < path->count; i++) {
        const struct path_step *step = &path->steps[i];
        printf("  %4u  %-*s ; %s\n", step->instruction, REMARK_COLUMN, step->text, step->remark);
    }
    if (path->condition_count == 0)
        printf("  every call takes this path\n");
    else
        printf("  every call takes this path for which\n");
    for (size_t i = 0; i < path->condition_count; i++)
        printf("    %s\n", path->conditions[i]);
}

/* ---- what a stack makes of its programs' words --------------------------------------------------
 */

static const char *reason_of(struct context *context, const struct filter *filter,
                             const struct stack_run *run, const struct path *paths)
{
    size_t equals = 0;
    if (run->decided_by == filter->program_count)
        return "all of them allow";
    for (size_t i = 0; i < filter->program_count; i++)
        equals += action_of_word(paths[i].run.word, NULL) == action_of_word(run->word, NULL);
    const char *name = action_of_word(run->word, NULL)->name;
    if (equals == 1)
        return arena_printf(context->arena, "no other returns anything as strict as %s", name);
    return arena_printf(context->arena,
                        "nothing is stricter than %s, which %zu of them return; of equal actions "
                        "the newest filter's counts",
                        name, equals);
}

static void explain_decision(struct context *context, const struct filter *filter,
                             const struct input *input, const struct stack_run *run,
                             const struct path *paths)
{
    const char *reason = reason_of(context, filter, run, paths);
    json_object_set_new(context->json, "decided_by", json_integer(run->decided_by));
    set_text(context, "reason", reason);
    if (context->options.json)
        return;
    if (run->decided_by < filter->program_count)
        printf("decided by filter %u of %zu: %s: %s\n", run->decided_by + 1, filter->program_count,
               filter->programs[run->decided_by].name, reason);
    else
        printf("decided by none of the %zu filters: %s\n", filter->program_count, reason);
    for (size_t i = filter->program_count; i-- > 0;)
        printf("  filter %zu%s: %s: %s\n", i + 1,
               i + 1 == filter->program_count ? ", the newest"
               : i == 0                       ? ", the oldest"
                                              : "",
               filter->programs[i].name,
               verdict_text(context, paths[i].run.word, input, filter->big_endian));
}

static json_t *json_program(struct context *context, const struct filter *filter, size_t index,
                            const struct path *path, const struct input *input)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(filter->programs[index].name));
    json_object_set_new(
        object, "verdict",
        json_string(verdict_text(context, path->run.word, input, filter->big_endian)));
    json_object_set_new(object, "word", json_hex(path->run.word));
    json_object_set_new(object, "conditions", json_conditions(path));
    return object;
}

void explain_programs(struct context *context, const struct filter *filter,
                      const struct input *input)
{
    struct stack_run run = interpret_stack(filter->programs, filter->program_count, input);
    struct path *all = NEW_ARRAY(context->arena, struct path, filter->program_count);
    json_t *paths = json_array(), *programs = json_array();
    for (size_t i = 0; i < filter->program_count; i++) {
        all[i] = path_explain(context->arena, &filter->programs[i], input);
        json_array_append_new(paths, json_path(&all[i]));
        json_array_append_new(programs, json_program(context, filter, i, &all[i], input));
    }
    uint32_t word = filter->program_count == 1 ? all[0].run.word : run.word;
    const char *verdict = verdict_text(context, word, input, filter->big_endian);
    if (!filter->policy) {
        set_text(context, "verdict", verdict);
        json_object_set_new(context->json, "word", json_hex(word));
        if (!context->options.json)
            printf("%s: %s\n", call_text(context, input, filter->declared, filter->big_endian),
                   verdict);
    }
    if (filter->program_count > 1)
        explain_decision(context, filter, input, &run, all);
    for (size_t i = 0; i < filter->program_count && !context->options.json; i++)
        print_path(&filter->programs[i], &all[i]);
    json_object_set_new(context->json, "programs", programs);
    json_object_set_new(context->json, "paths", paths);
}
