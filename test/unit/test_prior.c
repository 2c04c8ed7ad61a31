/*
 * test_prior.c
 *		Unit-free quantities and priors: derivatives, inverses, and what a prior does not change.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "families/prior.h"
#include "families/registry.h"
#include "math/linalg.h"

#define STEP 1e-5
#define YEAR 52.2

/* Sets *param to some parameters of the family that it may have; seed: which. */
static void
SomeParameters(const ClvFamily *family, int seed, double *param)
{
	for (int i = 0; i < family->nparams; i++)
	{
		double value = 0.4 + 0.3 * ((seed * 5 + i * 7) % 11);

		if (family->transform[i] == CLV_LOGIT)
			value /= 5;
		else if (family->transform[i] == CLV_ASINH)
			value = 0.01;
		else if (family->transform[i] == CLV_FIXED)
			value = 1 + seed % 3;
		else if (family->process == CLV_SPEND)
			value += 1; /* the mean exists */
		param[i] = value;
	}
}

/* Asserts that two numbers agree to so many units of 1. */
static void
Agree(double value, double expected, double tolerance)
{
	assert_true(fabs(value - expected) <= tolerance * (1 + fabs(expected)));
}

/* Asserts that derivatives by parameter i are those of the values around. */
static void
DerivativesBy(const ClvFamily *family, const double *param, int i)
{
	double moved[CLV_MAX_PARAMS];
	ClvUnitFreeAt at;
	ClvUnitFreeAt up;
	ClvUnitFreeAt down;

	clv_unit_free(family, YEAR, param, &at);
	memcpy(moved, param, sizeof(moved));
	moved[i] = clv_moved(family->transform[i], param[i], STEP);
	clv_unit_free(family, YEAR, moved, &up);
	moved[i] = clv_moved(family->transform[i], param[i], -STEP);
	clv_unit_free(family, YEAR, moved, &down);
	for (int k = 0; k < clv_unit_free_count(family); k++)
	{
		Agree(at.gradient[k][i], (up.value[k] - down.value[k]) / (2 * STEP), 1e-8);
		for (int j = 0; j < family->nparams; j++)
			Agree(at.hessian[k][i > j ? CLV_AT(i, j) : CLV_AT(j, i)],
				  (up.gradient[k][j] - down.gradient[k][j]) / (2 * STEP), 1e-8);
	}
}

static void
derivatives_are_those_of_the_values(void **state)
{
	const ClvFamily *family;

	for (int f = 0; (family = clv_family_at(f)) != NULL; f++)
	{
		for (int seed = 0; seed < 11 && clv_unit_free_count(family) > 0; seed++)
		{
			double param[CLV_MAX_PARAMS];

			SomeParameters(family, seed, param);
			for (int i = 0; i < family->nparams; i++)
			{
				if (family->transform[i] != CLV_FIXED)
					DerivativesBy(family, param, i);
			}
		}
	}
}

static void
parameters_come_back_from_their_quantities(void **state)
{
	const ClvFamily *family;

	for (int f = 0; (family = clv_family_at(f)) != NULL; f++)
	{
		for (int seed = 0; seed < 11 && clv_unit_free_count(family) > 0; seed++)
		{
			double param[CLV_MAX_PARAMS];
			double back[CLV_MAX_PARAMS];
			ClvUnitFreeAt at;

			SomeParameters(family, seed, param);
			memcpy(back, param, sizeof(back));
			clv_unit_free(family, YEAR, param, &at);
			assert_true(clv_unit_free_inverse(family, YEAR, at.value, back));
			for (int i = 0; i < family->nparams; i++)
				Agree(back[i], param[i], 1e-10);
		}
	}
}

/* A quantity that does not exist, the mean of spend with q < 1, has no parameters. */
static void
what_does_not_exist_is_not_found(void **state)
{
	const double value[] = {1, -0.1, 3};
	const double param[] = {2, 0.9, 15};
	double back[CLV_MAX_PARAMS] = {1, 1, 1};
	ClvUnitFreeAt at;

	clv_unit_free(&clv_gammagamma, 1, param, &at);
	assert_false(isfinite(at.value[2]));
	assert_false(clv_unit_free_inverse(&clv_gammagamma, 1, value, back));
}

/* Nor has a correlation so small that no m within its limits is told from another. */
static void
what_is_beyond_limits_is_not_found(void **state)
{
	const double param[] = {416, 0.7, 1.1, 134, 0.97};
	double back[CLV_MAX_PARAMS];
	ClvUnitFreeAt at;

	clv_unit_free(&clv_paretonbd_cor, YEAR, param, &at);
	assert_false(clv_unit_free_inverse(&clv_paretonbd_cor, YEAR, at.value, back));
}

/* Rates a year are the same in any unit of time. */
static void
units_do_not_matter(void **state)
{
	const double weeks[] = {0.5, 6, 0.8, 1.7};
	const double days[] = {0.5, 42, 0.8, 1.7};
	ClvUnitFreeAt one;
	ClvUnitFreeAt other;

	clv_unit_free(&clv_mbgnbd, 365.25 / 7, weeks, &one);
	clv_unit_free(&clv_mbgnbd, 365.25, days, &other);
	for (int k = 0; k < 4; k++)
		Agree(one.value[k], other.value[k], 1e-15);
	Agree(one.value[1], log(0.5 / 6 * 365.25 / 7), 1e-15);
}

/* The distance is 0 at the mean, and its derivatives are those of its values. */
static void
distances_have_their_derivatives(void **state)
{
	ClvPrior prior = {.year = YEAR,
					  .proper = true,
					  .mean = {-0.5, 1, -0.8, 0.9},
					  .precision = {4, 1, 9, -1, 2, 5, 0, 0.5, -0.5, 3}};
	double param[CLV_MAX_PARAMS] = {0.7, 5, 1.1, 2.4};
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];

	(void) clv_prior_distance(&prior, &clv_mbgnbd, param, gradient, hessian, NULL);
	for (int i = 0; i < 4; i++)
	{
		double up_gradient[CLV_MAX_PARAMS];
		double down_gradient[CLV_MAX_PARAMS];
		double unused[CLV_MAX_HESSIAN];
		double moved[CLV_MAX_PARAMS];
		double up;
		double down;

		memcpy(moved, param, sizeof(moved));
		moved[i] = param[i] * exp(STEP);
		up = clv_prior_distance(&prior, &clv_mbgnbd, moved, up_gradient, unused, NULL);
		moved[i] = param[i] * exp(-STEP);
		down = clv_prior_distance(&prior, &clv_mbgnbd, moved, down_gradient, unused, NULL);
		Agree(gradient[i], (up - down) / (2 * STEP), 1e-7);
		for (int j = 0; j < 4; j++)
			Agree(hessian[i > j ? CLV_AT(i, j) : CLV_AT(j, i)],
				  (up_gradient[j] - down_gradient[j]) / (2 * STEP), 1e-7);
	}
	assert_true(clv_unit_free_inverse(&clv_mbgnbd, YEAR, prior.mean, param));
	assert_true(clv_prior_distance(&prior, &clv_mbgnbd, param, gradient, hessian, NULL) < 1e-20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derivatives_are_those_of_the_values),
		cmocka_unit_test(parameters_come_back_from_their_quantities),
		cmocka_unit_test(what_does_not_exist_is_not_found),
		cmocka_unit_test(what_is_beyond_limits_is_not_found),
		cmocka_unit_test(units_do_not_matter),
		cmocka_unit_test(distances_have_their_derivatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
