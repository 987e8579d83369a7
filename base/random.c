#include "base/base.h"

/* Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018. */

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

struct random random_seed(uint64_t seed)
{
    struct random random;
    for (size_t i = 0; i < COUNT_OF(random.state); i++)
        random.state[i] = splitmix64(&seed);
    return random;
}

uint64_t random_u64(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t value = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return value;
}

uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)((random_u64(random) >> 32) * bound >> 32);
}
