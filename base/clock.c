#include "base/base.h"

#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct deadline deadline_in(double seconds)
{
    if (!(seconds > 0) || seconds > 1e9)
        return (struct deadline){0};
    return (struct deadline){clock_ns() + (uint64_t)(seconds * 1e9) + 1};
}

bool deadline_passed(struct deadline deadline)
{
    return deadline.at_ns && clock_ns() >= deadline.at_ns;
}

uint32_t deadline_left_ms(struct deadline deadline)
{
    if (!deadline.at_ns)
        return UINT32_MAX;
    uint64_t now = clock_ns();
    if (now >= deadline.at_ns)
        return 0;
    uint64_t left = (deadline.at_ns - now) / 1000000u;
    if (left == 0)
        return 1;
    return left >= UINT32_MAX ? UINT32_MAX - 1 : (uint32_t)left;
}
