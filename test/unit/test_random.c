/*
 * test_random.c
 *		Random words are those of Philox, numbers have their distributions, and are the same
 *everywhere.
 *
 * Chance is fixed by seeds: a right program passes with nearly all of them, and with these.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "math/random.h"
#include "math/special.h"

#define ROWS(table) (sizeof(table) / sizeof(table[0]))

/* ---- words ---- */

/* Counter, key and block: the known answers that the authors of Philox publish (Random123). */
static const uint32_t blocks[][10] = {
	{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
	{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
	 0xa20bc7c6, 0x6d5451fd},
	{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
	 0x5001e420, 0x24126ea1},
};

static void
words_are_those_of_philox(void **state)
{
	for (size_t i = 0; i < ROWS(blocks); i++)
	{
		uint32_t word[4];

		clv_philox(&blocks[i][4], blocks[i], word);
		assert_memory_equal(word, &blocks[i][6], sizeof(word));
	}
}

/* ---- logarithm and exponential ---- */

static void
logarithm_and_exponential_are_accurate(void **state)
{
	ClvRandom random;

	clv_random_start(&random, 1, 0, 0);
	for (int i = 0; i < 200000; i++)
	{
		double x = ldexp(1 + clv_random_uniform(&random),
						 (int) (2000 * clv_random_uniform(&random)) - 1000);
		double near = 1 + (clv_random_uniform(&random) - 0.5) / 1000;
		double y = 1400 * (clv_random_uniform(&random) - 0.5);
		double small =
			ldexp(clv_random_uniform(&random), (int) (60 * clv_random_uniform(&random)) - 58);

		assert_true(fabs(clv_same_ln(x) - log(x)) <= 1e-15 * fabs(log(x)));
		assert_true(fabs(clv_same_ln(near) - log(near)) <= 1e-15 * fabs(log(near)));
		assert_true(fabs(clv_same_exp(y) - exp(y)) <= 1e-15 * exp(y));
		assert_true(fabs(clv_same_log1p(small) - log1p(small)) <= 1e-15 * log1p(small));
		assert_true(fabs(clv_same_expm1(small) - expm1(small)) <= 1e-15 * expm1(small));
		assert_true(fabs(clv_same_expm1(-small) - expm1(-small)) <= 2e-15 * fabs(expm1(-small)));
	}
	assert_true(clv_same_ln(INFINITY) == INFINITY && clv_same_ln(1) == 0);
	assert_true(clv_same_exp(0) == 1 && clv_same_exp(1000) == INFINITY && clv_same_exp(-1000) == 0);
	assert_true(clv_same_exp(-745) == exp(-745) && clv_same_log1p(INFINITY) == INFINITY);
}

/*
 * Draws by their bits, which are the same on every processor: a change of one changes the
 * customers of every seed.
 */
static void
draws_are_the_same_everywhere(void **state)
{
	const double expected[] = {0x1.de6bb5c139c9ap-3, 0x1.fa2e805e67851p+1, 0x1.20b9b40ae2efcp+0,
							   0x1.04871a0008c9ap-1, 0x1.d8af5a9e42c62p+3, 0x1.816dc99702755p-7};
	ClvRandom random;
	double drawn[6];

	clv_random_start(&random, 20161118, 7, 1);
	drawn[0] = clv_random_uniform(&random);
	drawn[1] = clv_random_exponential(&random);
	drawn[2] = clv_random_normal(&random);
	drawn[3] = clv_random_gamma(&random, 0.25);
	drawn[4] = clv_random_gamma(&random, 12);
	drawn[5] = clv_random_beta(&random, 0.7, 2.5);
	assert_memory_equal(drawn, expected, sizeof(expected));
}

/* ---- distributions ---- */

/* A draw of one shape, and the probability of at most so much. */
typedef struct Law
{
	const char *name;
	double (*draw)(ClvRandom *random, const double *param);
	double (*cdf)(const double *param, double x);
	double param[2];
} Law;

/* P(Gamma(shape) <= x), by its series, or the continued fraction of the other tail. */
static double
GammaCdf(const double *param, double x)
{
	double shape = param[0];
	double front = exp(shape * log(x) - x - lgamma(shape));
	double term = 1 / shape;
	double sum = term;
	double c = 1e300;
	double d;
	double h;

	if (x <= 0)
		return 0;
	if (x < shape + 1)
	{
		for (double k = 1; k < 1e6 && term > 1e-17 * sum; k++)
			sum += term *= x / (shape + k);
		return front * sum;
	}
	d = 1 / (x + 1 - shape);
	h = d;
	for (double k = 1; k < 1e6; k++)
	{
		double an = -k * (k - shape);
		double b = x + 2 * k + 1 - shape;
		double factor;

		d = 1 / (an * d + b);
		c = b + an / c;
		factor = c * d;
		h *= factor;
		if (fabs(factor - 1) < 1e-16)
			break;
	}
	return 1 - front * h;
}

static double
GammaDraw(ClvRandom *random, const double *param)
{
	return clv_random_gamma(random, param[0]);
}

static double
BetaDraw(ClvRandom *random, const double *param)
{
	return clv_random_beta(random, param[0], param[1]);
}

static double
BetaCdf(const double *param, double x)
{
	double lower;
	double upper;

	clv_beta_tails(param[0], param[1], x, 1 - x, &lower, &upper);
	return lower;
}

static double
UniformDraw(ClvRandom *random, const double *param)
{
	return clv_random_uniform(random);
}

static double
UniformCdf(const double *param, double x)
{
	return x;
}

static double
ExponentialDraw(ClvRandom *random, const double *param)
{
	return clv_random_exponential(random);
}

static double
ExponentialCdf(const double *param, double x)
{
	return -expm1(-x);
}

static double
NormalDraw(ClvRandom *random, const double *param)
{
	return clv_random_normal(random);
}

static double
NormalCdf(const double *param, double x)
{
	return erfc(-x / sqrt(2)) / 2;
}

static const Law laws[] = {
	{"uniform", UniformDraw, UniformCdf, {0, 0}},
	{"exponential", ExponentialDraw, ExponentialCdf, {0, 0}},
	{"normal", NormalDraw, NormalCdf, {0, 0}},
	{"gamma", GammaDraw, GammaCdf, {0.05, 0}},
	{"gamma", GammaDraw, GammaCdf, {0.7, 0}},
	{"gamma", GammaDraw, GammaCdf, {1, 0}},
	{"gamma", GammaDraw, GammaCdf, {3.3, 0}},
	{"gamma", GammaDraw, GammaCdf, {400, 0}},
	{"beta", BetaDraw, BetaCdf, {0.05, 0.02}},
	{"beta", BetaDraw, BetaCdf, {0.8, 2.4}},
	{"beta", BetaDraw, BetaCdf, {30, 5}},
};

/* The order of doubles for qsort. */
static int
CompareDoubles(const void *left, const void *right)
{
	double a = *(const double *) left;
	double b = *(const double *) right;

	return (a > b) - (a < b);
}

#define DRAWS 100000

/* The distance of Kolmogorov and Smirnov times the root of n exceeds 2.2 once in 8,000 times. */
static void
draws_have_their_distributions(void **state)
{
	static double drawn[DRAWS];

	for (size_t i = 0; i < ROWS(laws); i++)
	{
		for (uint64_t seed = 1; seed <= 4; seed++)
		{
			ClvRandom random;
			double distance = 0;

			clv_random_start(&random, seed, i, 3);
			for (int k = 0; k < DRAWS; k++)
				drawn[k] = laws[i].draw(&random, laws[i].param);
			qsort(drawn, DRAWS, sizeof(double), CompareDoubles);
			for (int k = 0; k < DRAWS; k++)
			{
				double p = laws[i].cdf(laws[i].param, drawn[k]);

				/* the smallest doubles, and those next to 1, represent more than their own value */
				if (drawn[k] < 1e-300 || 1 - drawn[k] == 0)
					continue;
				distance = fmax(distance, fmax(fabs(p - (double) k / DRAWS),
											   fabs(p - (double) (k + 1) / DRAWS)));
			}
			if (!(distance * sqrt(DRAWS) < 2.2))
				fail_msg("%s(%g, %g), seed %d: %g", laws[i].name, laws[i].param[0],
						 laws[i].param[1], (int) seed, distance * sqrt(DRAWS));
		}
	}
}

/* Shapes beyond all sense neither hang nor give NaN. */
static void
shapes_at_the_limits(void **state)
{
	const double shape[] = {1e-300, 1e-20, 1e-3, 1e10, 1e11, 1e20, 1e300};
	ClvRandom random;

	clv_random_start(&random, 5, 0, 0);
	for (size_t i = 0; i < ROWS(shape); i++)
	{
		for (size_t k = 0; k < ROWS(shape); k++)
		{
			double p = clv_random_beta(&random, shape[i], shape[k]);

			assert_true(p >= 0 && p <= 1);
		}
		assert_true(clv_random_gamma(&random, shape[i]) >= 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_philox),
		cmocka_unit_test(logarithm_and_exponential_are_accurate),
		cmocka_unit_test(draws_are_the_same_everywhere),
		cmocka_unit_test(draws_have_their_distributions),
		cmocka_unit_test(shapes_at_the_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
