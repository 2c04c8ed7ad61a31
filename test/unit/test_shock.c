/*
 * test_shock.c
 *		The common shock of all customers. Reference values are those of test/oracle/shock.py: dense
 *		matrices, a search that knows no gradient, and sums over a fine grid.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "math/shock.h"

#define WEEKS 26
#define DRIFTING 40

static const double actual[WEEKS] = {41, 48, 53, 45, 40, 28, 26, 29, 33, 42, 36, 43, 48,
									 40, 35, 23, 21, 24, 28, 37, 31, 38, 43, 35, 30, 18};

/* Asserts that both are the same to so many parts of the second, or of 1 where it is smaller. */
static void
AssertNear(double value, double reference, double parts)
{
	assert_true(fabs(value - reference) <= parts * fmax(fabs(reference), 1));
}

/* The expectation of a week. */
static double
Expected(int week)
{
	return 40 - week / 2.0;
}

static void
likelihoods(void **state)
{
	double y[WEEKS];
	double v[WEEKS];

	for (int t = 0; t < WEEKS; t++)
	{
		y[t] = actual[t] / Expected(t) - 1;
		v[t] = 1 / Expected(t);
	}
	AssertNear(clv_shock_likelihood(WEEKS, y, v, 0.2, 1, 0.5), 24.219280936682248, 1e-14);
	AssertNear(clv_shock_likelihood(WEEKS, y, v, 0.05, 1, 0), 18.84321651642731, 1e-14);
	AssertNear(clv_shock_likelihood(WEEKS, y, v, 0.5, 1, 0.9), 22.78294630857032, 1e-14);
	AssertNear(clv_shock_likelihood(WEEKS, y, v, 0.3, 0.4, 0.9), 20.047073465351298, 1e-14);
	AssertNear(clv_shock_likelihood(WEEKS, y, v, 0, 0, 0), 17.989248930954648, 1e-14);
}

static void
maximum(void **state)
{
	double expected[WEEKS + 3] = {0, 0.5};
	double counts[WEEKS + 3] = {7, 0};
	double work[2 * (WEEKS + 3)];
	ClvShock shock;

	/* weeks in which nothing is expected are left out at both ends */
	for (int t = 0; t < WEEKS; t++)
	{
		counts[t + 2] = actual[t];
		expected[t + 2] = Expected(t);
	}
	counts[WEEKS + 2] = 5;
	expected[WEEKS + 2] = 0.25;
	shock = clv_shock_estimate(WEEKS + 3, counts, expected, work);
	assert_int_equal(shock.periods, WEEKS);
	AssertNear(shock.sd, 0.3035496010908067, 5e-5);
	AssertNear(shock.lasting, 0.81330279600062, 1e-5);
	AssertNear(shock.correlation, 0.934405323590134, 1e-8);
	AssertNear(shock.evidence, 6.52921742867, 1e-3);
}

/* Counts that are off by something slow and by something quick: only a part of the variance lasts. */
static void
drifting(void **state)
{
	static const double counts[DRIFTING] = {
		70,  88,  106, 124, 81,  99,  117, 135, 157, 175, 193, 150, 168, 186,
		204, 161, 179, 197, 154, 172, 190, 208, 165, 183, 201, 154, 111, 129,
		147, 104, 122, 140, 158, 115, 133, 151, 108, 126, 144, 162};
	double expected[DRIFTING];
	double work[2 * DRIFTING];
	ClvShock shock;

	for (int t = 0; t < DRIFTING; t++)
		expected[t] = 120 + t;
	shock = clv_shock_estimate(DRIFTING, counts, expected, work);
	AssertNear(shock.sd, 0.37138582136160486, 1e-6);
	AssertNear(shock.lasting, 0.9326439992135649, 1e-6);
	AssertNear(shock.correlation, 0.9501725245638453, 1e-7);
	AssertNear(shock.evidence, 137.300766617, 1e-3);
}

/* Counts that are what is expected tell no shock; too few weeks tell nothing. */
static void
none(void **state)
{
	double expected[WEEKS];
	double counts[WEEKS];
	double work[2 * WEEKS];
	ClvShock shock;

	for (int t = 0; t < WEEKS; t++)
	{
		expected[t] = Expected(t);
		counts[t] = expected[t] + (t % 2 == 0 ? 5 : -5);
	}
	shock = clv_shock_estimate(WEEKS, counts, expected, work);
	assert_int_equal(shock.periods, WEEKS);
	assert_true(shock.sd == 0 && shock.correlation == 0);
	assert_true(clv_shock_variance(&shock, 0, 4) == 0);
	shock = clv_shock_estimate(CLV_SHOCK_LEAST - 1, actual, expected, work);
	assert_int_equal(shock.periods, CLV_SHOCK_LEAST - 1);
	assert_true(shock.sd == 0 && shock.evidence == 0);
	shock = clv_shock_estimate(0, actual, expected, work);
	assert_int_equal(shock.periods, 0);
}

/* Counts a billion times what is expected, whose likelihoods no double holds: a large shock. */
static void
huge(void **state)
{
	double expected[WEEKS];
	double counts[WEEKS];
	double work[2 * WEEKS];
	ClvShock shock;

	for (int t = 0; t < WEEKS; t++)
	{
		expected[t] = Expected(t);
		counts[t] = actual[t] * (t % 3 == 0 ? 1e9 : 1e6);
	}
	shock = clv_shock_estimate(WEEKS, counts, expected, work);
	assert_true(shock.sd > 2 && isfinite(shock.sd));
	assert_true(shock.lasting >= 0 && shock.lasting <= 1);
	assert_true(isfinite(clv_shock_variance(&shock, 0, 4)));
}

/* A shock with an sd of 0.25 and a correlation of 0.8 of its lasting part, and the past of it. */
static ClvShock
AllOf(double lasting)
{
	ClvShock shock = {WEEKS, 0.25, lasting, 0.8, 10, 0, 0};
	double total = 0;

	for (int i = 0; i < WEEKS; i++)
	{
		total += Expected(i);
		shock.link += Expected(i) * lasting * pow(0.8, WEEKS - 1 - i);
		for (int j = 0; j < WEEKS; j++)
			shock.past += Expected(i) * Expected(j) * (i == j ? 1 : lasting * pow(0.8, abs(i - j)));
	}
	shock.link /= total;
	shock.past /= total * total;
	return shock;
}

/* The variance of a total to come, with the past that the estimate gives at these numbers. */
static void
variances(void **state)
{
	ClvShock shock = AllOf(1);

	AssertNear(clv_shock_variance(&shock, 0, 1), 0.063857245956935343, 1e-14);
	AssertNear(clv_shock_variance(&shock, 0, 4), 0.054117058793115672, 1e-14);
	AssertNear(clv_shock_variance(&shock, 0, 26), 0.032832020232286112, 1e-14);
	shock = AllOf(0.3);
	AssertNear(clv_shock_variance(&shock, 0, 1), 0.064610640073880223, 1e-14);
	AssertNear(clv_shock_variance(&shock, 0, 4), 0.028876083924734322, 1e-14);
	AssertNear(clv_shock_variance(&shock, 0, 26), 0.013235764664177761, 1e-14);
	/* within a week the shock is one */
	assert_true(clv_shock_variance(&shock, 0, 0.5) == clv_shock_variance(&shock, 0, 1));
	/* far ahead nothing links it with the past */
	AssertNear(clv_shock_variance(&shock, 500, 1), 0.0625 * (1 + shock.past), 1e-14);
}

/* past and link are those of the definition, with weights as the expectations. */
static void
past(void **state)
{
	double expected[WEEKS];
	double work[2 * WEEKS];
	double sum = 0;
	double link = 0;
	double total = 0;
	ClvShock shock;

	for (int t = 0; t < WEEKS; t++)
		expected[t] = Expected(t);
	shock = clv_shock_estimate(WEEKS, actual, expected, work);
	for (int i = 0; i < WEEKS; i++)
	{
		total += expected[i];
		link += expected[i] * shock.lasting * pow(shock.correlation, WEEKS - 1 - i);
		for (int j = 0; j < WEEKS; j++)
			sum += expected[i] * expected[j] *
				   (i == j ? 1 : shock.lasting * pow(shock.correlation, abs(i - j)));
	}
	AssertNear(shock.past, sum / (total * total), 1e-14);
	AssertNear(shock.link, link / total, 1e-14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(likelihoods), cmocka_unit_test(maximum), cmocka_unit_test(drifting),
		cmocka_unit_test(none),        cmocka_unit_test(huge),    cmocka_unit_test(variances),
		cmocka_unit_test(past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
