/*
 * random.c
 *		Philox4x32-10, and draws from it that no library's last bit decides.
 */
#include "math/random.h"

#include <math.h>

/* ---- words ---- */

/* Multipliers of the rounds, and what the key grows by. */
#define MULTIPLIER_0 UINT64_C(0xD2511F53)
#define MULTIPLIER_1 UINT64_C(0xCD9E8D57)
#define WEYL_0 UINT32_C(0x9E3779B9)
#define WEYL_1 UINT32_C(0xBB67AE85)
#define ROUNDS 10

void
clv_philox(const uint32_t *key, const uint32_t *counter, uint32_t *word)
{
	uint32_t a = counter[0];
	uint32_t b = counter[1];
	uint32_t c = counter[2];
	uint32_t d = counter[3];
	uint32_t k0 = key[0];
	uint32_t k1 = key[1];

	for (int i = 0; i < ROUNDS; i++)
	{
		uint64_t p0 = MULTIPLIER_0 * a;
		uint64_t p1 = MULTIPLIER_1 * c;

		a = (uint32_t) (p1 >> 32) ^ b ^ k0;
		b = (uint32_t) p1;
		c = (uint32_t) (p0 >> 32) ^ d ^ k1;
		d = (uint32_t) p0;
		k0 += WEYL_0;
		k1 += WEYL_1;
	}
	word[0] = a;
	word[1] = b;
	word[2] = c;
	word[3] = d;
}

void
clv_random_start(ClvRandom *random, uint64_t seed, uint64_t subject, uint32_t stream)
{
	random->key[0] = (uint32_t) seed;
	random->key[1] = (uint32_t) (seed >> 32);
	random->counter[0] = 0;
	random->counter[1] = stream;
	random->counter[2] = (uint32_t) subject;
	random->counter[3] = (uint32_t) (subject >> 32);
	random->used = 4;
}

/* The next 64 bits. */
static uint64_t
Next(ClvRandom *random)
{
	uint64_t bits;

	if (random->used == 4)
	{
		clv_philox(random->key, random->counter, random->word);
		random->counter[0]++;
		random->used = 0;
	}
	bits = (uint64_t) random->word[random->used + 1] << 32 | random->word[random->used];
	random->used += 2;
	return bits;
}

/* ---- logarithm and exponential ---- */

#define LN2_HIGH 6.93147180369123816490e-01 /* ln 2 to 33 bits, and the rest */
#define LN2_LOW 1.90821492927058770002e-10
#define LOG2_E 1.44269504088896338700

/*
 * With x = 2^e m, m between the square roots of 1/2 and 2, and s = (m - 1) / (m + 1): ln m is
 * 2 (s + s^3/3 + s^5/5 + ...), of which |s| < .172 leaves 2^-58 after the term of s^21.
 */
double
clv_same_ln(double x)
{
	int e;
	double m;
	double s;
	double square;
	double sum = 0;

	if (isinf(x))
		return x;
	m = frexp(x, &e);
	if (m < 0.70710678118654752)
	{
		m *= 2;
		e--;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (int k = 21; k >= 3; k -= 2)
		sum = square * (sum + 1.0 / k);
	return e * LN2_HIGH + (2 * s + (2 * s * sum + e * LN2_LOW));
}

/* e^r by its series, |r| <= ln(2) / 2, of which the term of r^15 is below 2^-62. */
static double
ExpSeries(double r)
{
	double sum = 1;

	for (int k = 14; k >= 2; k--)
		sum = 1 + sum * r / k;
	return 1 + sum * r;
}

double
clv_same_exp(double x)
{
	double n;

	if (x > 710)
		return INFINITY;
	if (x < -746)
		return 0;
	n = floor(x * LOG2_E + 0.5);
	return ldexp(ExpSeries(x - n * LN2_HIGH - n * LN2_LOW), (int) n);
}

/* What 1 + x has lost in rounding is made up for by the slope of the logarithm (Kahan). */
double
clv_same_log1p(double x)
{
	double rounded = 1 + x;

	if (rounded == 1 || isinf(rounded))
		return x;
	return clv_same_ln(rounded) * (x / (rounded - 1));
}

double
clv_same_expm1(double x)
{
	double sum = 1;

	if (fabs(x) > 0.25)
		return clv_same_exp(x) - 1;
	for (int k = 14; k >= 2; k--)
		sum = 1 + sum * x / k;
	return sum * x;
}

/* ---- distributions ---- */

double
clv_random_uniform(ClvRandom *random)
{
	return ((double) (Next(random) >> 11) + 0.5) / 9007199254740992.0;
}

double
clv_random_exponential(ClvRandom *random)
{
	return -clv_same_ln(clv_random_uniform(random));
}

/* Marsaglia's polar method: a point of the unit disc gives two normal numbers, of which one is
 * taken. */
double
clv_random_normal(ClvRandom *random)
{
	for (;;)
	{
		double x = 2 * clv_random_uniform(random) - 1;
		double y = 2 * clv_random_uniform(random) - 1;
		double square = x * x + y * y;

		if (square < 1 && square > 0)
			return x * sqrt(-2 * clv_same_ln(square) / square);
	}
}

/* Of larger shapes rejections are rarer than 1 in 10^10, and their rule is all rounding. */
#define NO_REJECTION 1e10

/*
 * Marsaglia & Tsang (2000), A simple method for generating gamma variables, ACM TOMS 26(3): the
 * cube of a normal number is kept with the probability that makes it exact. Of shapes below 1 it
 * is that of shape + 1, times the power 1/shape of a uniform number.
 */
double
clv_random_ln_gamma(ClvRandom *random, double shape)
{
	double boost = shape < 1 ? clv_same_ln(clv_random_uniform(random)) / shape : 0;
	double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
	double width = 1 / sqrt(9 * d);

	for (;;)
	{
		double x = clv_random_normal(random);
		double root = 1 + width * x;
		double v = root * root * root;
		double ln_v;

		if (root <= 0)
			continue;
		ln_v = clv_same_ln(v);
		if (d > NO_REJECTION ||
			clv_same_ln(clv_random_uniform(random)) < x * x / 2 + (d - d * v + d * ln_v))
			return boost + clv_same_ln(d) + ln_v;
	}
}

double
clv_random_gamma(ClvRandom *random, double shape)
{
	return clv_same_exp(clv_random_ln_gamma(random, shape));
}

double
clv_random_beta(ClvRandom *random, double a, double b)
{
	double x = clv_random_ln_gamma(random, a);
	double y = clv_random_ln_gamma(random, b);

	return 1 / (1 + clv_same_exp(y - x));
}
