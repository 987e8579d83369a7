/* How many seeded rounds a test makes. The sanitizers look at memory, not at meaning, and make
 * everything five times as slow: a fifth of the rounds under them. */
#ifndef TESTS_SAMPLES_H
#define TESTS_SAMPLES_H

#ifdef __SANITIZE_ADDRESS__
#define SAMPLES(rounds) (((rounds) + 4) / 5)
#else
#define SAMPLES(rounds) (rounds)
#endif

#endif
