/*
 * fuzz_random.c
 *		libFuzzer: random numbers of any seed and shape, and the functions that they are made of.
 *
 * Numbers are in their ranges, the same again for the same seed, and the functions are those of
 * the C library but for rounding.
 */
#include "fuzz.h"

#include "math/random.h"

/* Whether two numbers are the same but for rounding, or are no normal numbers. */
static int
Near(double a, double b)
{
	return a == b || fabs(a - b) <= 1e-13 * fabs(b) || fabs(b) < 1e-300;
}

void
Check(Bytes *bytes)
{
	uint64_t seed = NextWord(bytes);
	uint64_t subject = NextWord(bytes);
	uint32_t stream = (uint32_t) NextWord(bytes);
	double decades = Next(bytes) % 2 ? 300 : 6;
	double a = NextScale(bytes, decades);
	double b = NextScale(bytes, decades);
	double number = 750 * (2 * NextShare(bytes) - 1);
	ClvRandom random;
	ClvRandom again;
	double first;

	clv_random_start(&random, seed, subject, stream);
	again = random;
	first = clv_random_uniform(&random);
	Require(first > 0 && first < 1 && first == clv_random_uniform(&again));
	for (int i = 0; i < 4; i++)
	{
		double normal = clv_random_normal(&random);
		double gamma = clv_random_gamma(&random, a);
		double ln_gamma = clv_random_ln_gamma(&random, b);
		double beta = clv_random_beta(&random, a, b);

		Require(isfinite(normal) && fabs(normal) < 40);
		Require(clv_random_exponential(&random) > 0);
		Require(gamma >= 0 && isfinite(gamma));
		Require(!isnan(ln_gamma) && ln_gamma < INFINITY);
		Require(beta >= 0 && beta <= 1);
	}
	Require(Near(clv_same_exp(number), exp(number)));
	Require(Near(clv_same_expm1(number), expm1(number)));
	Require(Near(clv_same_log1p(a), log1p(a)));
	Require(fabs(clv_same_ln(a) - log(a)) <= 1e-13 * fmax(1, fabs(log(a))));
}
