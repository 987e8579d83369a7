#include <time.h>

#include "sim/bench.h"

/* The time stamp counter where it runs evenly, else CLOCK_MONOTONIC. Reading either is no system
 * call, so it works under any filter (the C library reads the clock through the vDSO). */

#if defined(__x86_64__)

#include <cpuid.h>

#define RDTSCP_BIT (1u << 27)       /* CPUID 80000001h EDX */
#define INVARIANT_TSC_BIT (1u << 8) /* CPUID 80000007h EDX */
#define CALIBRATION_NS 20000000L

static bool tsc_is_even(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(0x80000001u, &a, &b, &c, &d) || !(d & RDTSCP_BIT))
        return false;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & INVARIANT_TSC_BIT);
}

struct tick_clock tick_clock_open(void)
{
    struct tick_clock clock = {.tsc = tsc_is_even(), .ns = 1};
    if (!clock.tsc)
        return clock;
    struct timespec pause = {.tv_nsec = CALIBRATION_NS};
    uint64_t ns = clock_ns(), ticks = tsc_begin();
    (void)nanosleep(&pause, NULL);
    ns = clock_ns() - ns;
    ticks = tsc_end() - ticks;
    if (ns == 0 || ticks == 0 || ticks > UINT64_MAX / 2)
        return (struct tick_clock){.ns = 1};
    clock.ns = (double)ns / (double)ticks;
    return clock;
}

#else

struct tick_clock tick_clock_open(void)
{
    return (struct tick_clock){.ns = 1};
}

#endif
