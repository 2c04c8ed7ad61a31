/*
 * test_simulate.c
 *		Simulated customers have the distributions of their family, by a calendar too, and fits find
 *		their parameters.
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

#include "families/registry.h"
#include "families/simulate.h"
#include "fitting.h"

#define ROWS(table) (sizeof(table) / sizeof(table[0]))

/* A family, its parameters, and a time. */
typedef struct World
{
	const char *family;
	double param[CLV_MAX_PARAMS];
	double T;
} World;

static const World worlds[] = {
	{"mbg/nbd", {0.52, 6.2, 0.9, 1.6}, 39},
	{"bg/nbd", {0.25, 4.4, 0.8, 2.4}, 39},
	{"mbg/cnbd-k", {3, 2, 4.5, 0.6, 3}, 20},
	{"pareto/nbd", {0.55, 10.6, 0.6, 11.7}, 52},
	{"pareto/nbd/cor", {0.55, 1.6, 0.6, 1.7, 5.2}, 20},
	{"pareto/nbd/cor", {0.55, 1.6, 0.6, 1.7, -1.6}, 20},
	{"ggompertz/nbd", {0.58, 12.6, 0.045, 0.17, 0.13}, 78},
	{"ggompertz/nbd", {1.5, 3, 0.2, 0.8, 4}, 20},
	{"bg/bb", {1.2, 0.75, 0.66, 2.8}, 6},
	{"sbg", {0.67, 3.8}, 7},
	{"bdw", {0.5, 3, 1.4}, 7},
};

/* Purchases of a customer until T; the last time into *t_x. */
static int
Live(const ClvFamily *family, const double *param, const ClvClocks *clocks, double T, uint64_t seed,
	 uint64_t customer, double *t_x)
{
	ClvRandom random;
	ClvTraits traits;
	ClvLife life;
	int n = 0;
	double t;

	clv_random_start(&random, seed, customer, 0);
	family->draw(param, &random, &traits);
	clv_life_start(&life, &traits, clocks, &random, T);
	for (*t_x = 0; isfinite(t = clv_life_next(&life)); n++)
	{
		assert_true(t >= *t_x && t <= T);
		*t_x = t;
	}
	return n;
}

#define CUSTOMERS 50000
#define FITTED 20000
#define CELLS 24

/*
 * The counts of simulated customers against their probabilities: chi-square, of those counts that
 * at least 5 customers are expected to have; standardised by Wilson and Hilferty.
 */
static void
CompareCounts(const char *name, const int *count, const double *p)
{
	double chi = 0;
	double rest = CUSTOMERS;
	int seen = CUSTOMERS;
	int freedom = 0;
	double z;

	for (int n = 0; n < CELLS; n++)
	{
		double expected = CUSTOMERS * p[n];

		if (expected < 5 || rest - expected < 5)
		{
			assert_true(expected >= 5 || count[n] < 30);
			continue;
		}
		chi += (count[n] - expected) * (count[n] - expected) / expected;
		rest -= expected;
		seen -= count[n];
		freedom++;
	}
	chi += rest > 5 ? (seen - rest) * (seen - rest) / rest : 0;
	z = (pow(chi / freedom, 1.0 / 3) - 1 + 2.0 / 9 / freedom) / sqrt(2.0 / 9 / freedom);
	if (!(freedom > 2 && z < 3.7))
		fail_msg("%s: chi-square %g of %d counts, z = %g", name, chi, freedom, z);
}

static void
counts_have_their_probabilities(void **state)
{
	for (size_t i = 0; i < ROWS(worlds); i++)
	{
		const World *world = &worlds[i];
		const ClvFamily *family = clv_family(world->family);
		double p[CELLS];

		for (int n = 0; n < CELLS; n++)
			p[n] = family->clock == CLV_CONTINUOUS || n <= world->T
					   ? family->probability(world->param, n, world->T)
					   : 0;
		for (uint64_t seed = 1; seed <= 2; seed++)
		{
			int count[CELLS] = {0};

			for (int k = 0; k < CUSTOMERS; k++)
			{
				double t_x;
				int n = Live(family, world->param, NULL, world->T, seed, k, &t_x);

				if (n < CELLS)
					count[n]++;
			}
			CompareCounts(world->family, count, p);
		}
	}
}

/* Rates that follow a calendar of four stretches, for buying and for leaving. */
static void
counts_follow_a_calendar(void **state)
{
	const double from[] = {0, 3.5, 9, 15};
	const double z[] = {0, 1, -1, 2};

	for (size_t i = 0; i < ROWS(worlds); i++)
	{
		const World *world = &worlds[i];
		const ClvFamily *family = clv_family(world->family);
		double effect[] = {0.6, 0.4};
		ClvStretch stretch[4];
		ClvClocks clocks = {4, stretch, 1, z};
		double p[CELLS];

		if (family->clocked == NULL)
			continue;
		if (family->clocked->law == NULL)
			effect[1] = 0;
		clv_clocks_set_same(stretch, 4, from, z, 1, effect);
		for (int n = 0; n < CELLS; n++)
			p[n] = family->clocked->probability(family, world->param, &clocks, n, world->T);
		for (uint64_t seed = 1; seed <= 2; seed++)
		{
			int count[CELLS] = {0};

			for (int k = 0; k < CUSTOMERS; k++)
			{
				double t_x;
				int n = Live(family, world->param, &clocks, world->T, seed, k, &t_x);

				if (n < CELLS)
					count[n]++;
			}
			CompareCounts(world->family, count, p);
		}
	}
}

/* Clocks that begin later show what the first ones do, less what these showed then. */
static void
clocks_that_begin_later(void **state)
{
	const double from[] = {0, 3.5, 9, 15};
	const double z[] = {0, 1, -1, 2};
	const double effect[] = {0.6, 0.4};
	const double since[] = {0, 2, 3.5, 8.75, 15, 40};
	ClvStretch stretch[4];
	ClvStretch plain[4];
	ClvClocks clocks = {4, stretch, 1, z};

	clv_clocks_set_same(stretch, 4, from, z, 1, effect);
	clv_clocks_set(plain, 4, from, z, 1, effect);
	for (size_t i = 0; i < ROWS(since); i++)
	{
		ClvStretch shifted[4];
		ClvClocks later = {clv_clocks_later(stretch, 4, since[i], shifted), shifted, 0, NULL};

		assert_true(shifted[0].from == 0 && shifted[0].b == 0);
		for (double t = 0; t < 20; t += 0.25)
		{
			double b = clv_clock_b(&clocks, since[i] + t) - clv_clock_b(&clocks, since[i]);

			assert_true(fabs(clv_clock_b(&later, t) - b) <= 1e-13 * (1 + b));
			assert_true(later.stretch[clv_clocks_at(&later, t)].c ==
						stretch[clv_clocks_at(&clocks, since[i] + t)].c);
		}
	}
	for (int i = 0; i < 4; i++)
		assert_true(fabs(stretch[i].b - plain[i].b) <= 1e-14 * plain[i].b &&
					fabs(stretch[i].c - plain[i].c) <= 1e-15 * plain[i].c);
}

/*
 * A fit of simulated customers, whose times are not rounded, finds the parameters: minus twice the
 * logarithm of the ratio of likelihoods has the chi-square distribution, of 5 degrees of freedom at
 * most, and exceeds 20.5 once in 1,000 times; and each parameter alone is as near as its standard
 * error says.
 */
static void
fits_find_the_parameters(void **state)
{
	for (size_t i = 0; i < ROWS(worlds); i++)
	{
		const World *world = &worlds[i];
		const ClvFamily *family = clv_family(world->family);
		ClvCell *cells = malloc(FITTED * sizeof(ClvCell));
		ClvFitReport report = {0};
		ClvFitControl control = {.fixed = world->param};
		double truth = 0;

		for (int k = 0; k < FITTED; k++)
		{
			double T =
				family->clock == CLV_CONTINUOUS ? world->T * (1 + k % 16) / 8 : world->T - k % 3;
			double t_x;
			int n = Live(family, world->param, NULL, T, 11, k, &t_x);

			if (family->clock == CLV_RENEWALS)
				T = fmin(T, t_x + 1);
			cells[k] = (ClvCell){n, 0, t_x, T, 1};
			truth += family->log_likelihood(world->param, n, t_x, T);
		}
		assert_int_equal(FitCells(family, cells, FITTED, &control, &report), CLV_OK);
		if (!(2 * (report.log_likelihood - truth) < 20.5))
			fail_msg("%s: the maximum is %g above the truth", world->family,
					 report.log_likelihood - truth);
		for (int k = 0; k < family->nparams; k++)
		{
			double error = sqrt(report.covariance[CLV_AT(k, k)]);
			double distance = clv_searched(family->transform[k], report.param[k]) -
							  clv_searched(family->transform[k], world->param[k]);

			if (!(fabs(distance) <= 3.3 * error))
				fail_msg("%s: %s is %g, not %g", world->family, family->param_names[k],
						 report.param[k], world->param[k]);
		}
		free(cells);
	}
}

/* So it is with the values of purchases. */
static void
fits_find_the_values_of_purchases(void **state)
{
	const double param[] = {6.25, 3.74, 15.44};
	ClvSpendRow *rows = malloc(FITTED * sizeof(ClvSpendRow));
	ClvFitReport report = {0};
	double truth = 0;

	for (int k = 0; k < FITTED; k++)
	{
		int x = 1 + k % 5;
		ClvRandom random;
		ClvTraits traits;
		double sum = 0;

		clv_random_start(&random, 3, k, 1);
		clv_gammagamma.draw(param, &random, &traits);
		for (int i = 0; i < x; i++)
			sum += clv_draw_amount(&traits, &random);
		rows[k] = (ClvSpendRow){sum / x, x, 0};
		truth += clv_gammagamma.spend_log_likelihood(param, x, sum / x);
	}
	assert_int_equal(FitSpend(&clv_gammagamma, rows, FITTED, NULL, &report), CLV_OK);
	if (!(2 * (report.log_likelihood - truth) < 16.3))
		fail_msg("the maximum is %g above the truth", report.log_likelihood - truth);
	free(rows);
}

/* Of a customer whose values are below any double as well as their rate: none is NaN. */
static void
values_below_any_double_are_zero(void **state)
{
	static const double param[] = {1e-6, 3e-6, 1};
	ClvRandom random;
	ClvTraits traits;
	int unknown = 0;

	for (int k = 0; k < 100; k++)
	{
		clv_random_start(&random, 5, k, 1);
		clv_gammagamma.draw(param, &random, &traits);
		unknown += traits.scale == 0;
		assert_true(clv_draw_amount(&traits, &random) >= 0);
	}
	assert_true(unknown > 90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_have_their_probabilities),
		cmocka_unit_test(counts_follow_a_calendar),
		cmocka_unit_test(clocks_that_begin_later),
		cmocka_unit_test(fits_find_the_parameters),
		cmocka_unit_test(fits_find_the_values_of_purchases),
		cmocka_unit_test(values_below_any_double_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
