/* One condition, from its DAG to syntax. */
#include "compiler/raise.h"
#include "compiler/raise_internal.h"

#define NODES_MOST 100000u

static bool is_open(const struct dag_node *root)
{
    return root->kind == DAG_VERDICT && root->word == RAISE_ANY;
}

struct raised raise_condition(struct arena *arena, const struct dag_node *root, enum abi_id abi,
                              uint32_t nr, bool registers)
{
    bool big_endian = abi != ABI_NONE && abi_get(abi)->big_endian;
    struct dag *dag = dag_new(arena, big_endian, NODES_MOST);
    const struct dag_node *own = dag_import(dag, arena, root);
    struct raising raising = raising_new(arena, dag, abi, nr, registers);
    const struct formula *formula = own ? raise_build(&raising, own) : NULL;
    if (!formula)
        return (struct raised){.reason = raising.reason ? raising.reason : "it has too many cases"};
    if (formula->kind == FORMULA_NEVER || is_open(own))
        return (struct raised){.never = true};
    if (formula->kind == FORMULA_ALWAYS)
        return (struct raised){.always = true};
    return (struct raised){.condition = formula_text(&raising, formula)};
}
