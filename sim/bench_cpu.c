#include "sim/bench.h"

/* Caches and branch predictors belong to a processor: what is compared runs on one. */

int cpu_choose(cpu_set_t *before)
{
    if (sched_getaffinity(0, sizeof *before, before) != 0)
        return -1;
    for (int cpu = CPU_SETSIZE; cpu-- > 0;)
        if (CPU_ISSET(cpu, before))
            return cpu;
    return -1;
}

void cpu_bind(int cpu)
{
    cpu_set_t one;
    if (cpu < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

void cpu_avoid(int cpu, const cpu_set_t *before)
{
    cpu_set_t others = *before;
    if (cpu < 0)
        return;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) > 0)
        (void)sched_setaffinity(0, sizeof others, &others);
}
