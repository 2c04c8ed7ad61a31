/*
 * random.h
 *		Random numbers that are the same for a seed on every processor and version.
 *
 * The words come from a counter-based generator in integer arithmetic, Philox4x32-10: they are a
 * function of seed, subject, stream and number, so that what is drawn for one customer does not
 * depend on other customers. The distributions take additions, multiplications, divisions and
 * square roots of doubles alone, which IEEE 754 rounds in one way; logarithm and exponential are
 * made of these here, as those of the C library differ in the last bit from one to the next.
 *
 * Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11.
 */
#ifndef CLV_RANDOM_H
#define CLV_RANDOM_H

#include <stdint.h>

/* A stream of random words. */
typedef struct ClvRandom
{
	uint32_t key[2];
	uint32_t counter[4]; /* block, stream, subject */
	uint32_t word[4];    /* of the block before that of the counter */
	int used;            /* how many of them are */
} ClvRandom;

/* The four words of a block: ten rounds over the counter under the key. */
extern void clv_philox(const uint32_t *key, const uint32_t *counter, uint32_t *word);

/* Sets *random to the start of a stream of a subject; streams of 2^33 numbers do not overlap. */
extern void clv_random_start(ClvRandom *random, uint64_t seed, uint64_t subject, uint32_t stream);

/* A multiple of 2^-53, plus 2^-54: uniform in (0, 1). */
extern double clv_random_uniform(ClvRandom *random);

/* Exponential with mean 1; positive. */
extern double clv_random_exponential(ClvRandom *random);

/* Standard normal. */
extern double clv_random_normal(ClvRandom *random);

/* The logarithm of a gamma distributed number with rate 1: of small shapes the number underflows.
 */
extern double clv_random_ln_gamma(ClvRandom *random, double shape);

/* Gamma distributed with rate 1; 0 where it is below any double. */
extern double clv_random_gamma(ClvRandom *random, double shape);

/* Beta distributed; 0 or 1 where no double lies between. */
extern double clv_random_beta(ClvRandom *random, double a, double b);

/* ---- functions of which every bit is the same everywhere; some units of the last place ---- */

/* ln x of a positive number, which may be infinite */
extern double clv_same_ln(double x);

/* e^x */
extern double clv_same_exp(double x);

/* ln(1 + x) for x >= 0, and e^x - 1 for any x, accurate also where x is small */
extern double clv_same_log1p(double x);
extern double clv_same_expm1(double x);

#endif /* CLV_RANDOM_H */
