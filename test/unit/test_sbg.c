/*
 * test_sbg.c
 *		sbg: every reference value, the published cohorts, and lives that never end.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discrete.h"
#include "math/special.h"
#include "families/sbg.h"

#define SBG (&clv_sbg)

static const double shapes[][2] = {
	{0.668, 3.806}, {0.704, 1.182}, {1, 1},      {1 + 1e-12, 5}, {0.001, 0.001}, {1000, 0.001},
	{0.001, 1000},  {1000, 1000},   {2.5, 1e-6}, {1e6, 1e6},     {40, 3},        {1, 1e5},
};
#define SHAPES ((int) (sizeof(shapes) / sizeof(shapes[0])))

/* ---- reference values ---- */

static void
all_reference_values(void **state)
{
	Oracle o;

	if (!OpenOracle(&o, "oracles/mp_sbg.csv"))
		skip();
	while (NextRow(&o))
	{
		double param[] = {Value(&o, "alpha"), Value(&o, "beta")};
		double t = Value(&o, "t");
		double d = Value(&o, "d");
		const Column columns[] = {
			{"pmf", SBG->probability(param, t - 1, t)},
			{"surv", SBG->survival(param, t)},
			{"retention", SBG->retention(param, t)},
			{"erem", clv_expected_given(SBG, param, t, t, t, Value(&o, "m"))},
			{"derl_after", SBG->residual(param, t, d, false)},
			{"derl_before", SBG->residual(param, t, d, true)},
			{"derl_after", clv_discounted_given(SBG, param, t, t, t, log1p(d), INFINITY)},
		};

		AgreeWithRow(&o, columns, sizeof(columns) / sizeof(columns[0]));
		AssertLog("ll_churn", SBG->log_likelihood(param, t - 1, t - 1, t), Value(&o, "ll_churn"),
				  REFERENCE_TOLERANCE);
		AssertLog("ll_surv", SBG->log_likelihood(param, t, t, t), Value(&o, "ll_surv"),
				  REFERENCE_TOLERANCE);
	}
	assert_int_equal(o.row, 61);
}

/* ---- what holds for any parameters ---- */

static void
probabilities_sum_to_one_and_their_mean_is_expected(void **state)
{
	static double p[130];

	for (int i = 0; i < SHAPES; i++)
	{
		for (int t = 0; t < 130; t += 1 + t)
		{
			double sum = 0;
			double mean = 0;

			SBG->probabilities(shapes[i], t, 130, p);
			for (int n = 129; n >= 0; n--)
			{
				AssertRelative("alone", SBG->probability(shapes[i], n, t), p[n], 1e-12);
				sum += p[n];
				mean += n * p[n];
			}
			AssertRelative("sum", sum, 1, 1e-13);
			AssertRelative("mean", SBG->expected(shapes[i], t), mean, 1e-12);
		}
	}
}

static void
survival_is_a_product_of_retentions(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		double survival = 1;
		double before = 0;

		for (int t = 1; t < 200; t++)
		{
			double retention = SBG->retention(shapes[i], t);

			survival *= retention;
			assert_true(retention >= before);
			AssertRelative("survival", SBG->survival(shapes[i], t), survival, 1e-12);
			before = retention;
		}
	}
}

/*
 * A renewal more: made with the chance of retention and paid now, and then what is left
 * after it, a period later.
 */
static void
lifetimes_follow_from_the_next_renewal(void **state)
{
	static const double rates[] = {1e-9, 1e-4, 0.01, 0.1, 2};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			double d = rates[j];

			for (int t = 1; t < 20; t += 6)
			{
				double retention = SBG->retention(shapes[i], t);
				double before = SBG->residual(shapes[i], t, d, true);

				AssertRelative("before", before,
							   retention * (1 + SBG->residual(shapes[i], t, d, false)), 1e-12);
				AssertRelative("after", SBG->residual(shapes[i], t, d, false),
							   SBG->residual(shapes[i], t + 1, d, true) / (1 + d), 1e-12);
			}
		}
	}
}

/*
 * Sums are added up to 256 periods and integrated beyond: for alpha = 1 both are
 * beta (psi(beta + m + 1) - psi(beta + 1)), and where all customers are alike, geometric.
 */
static void
long_sums_have_closed_forms(void **state)
{
	for (double m = 1; m < 1e12; m = floor(m * 3.3) + 1)
	{
		for (double beta = 1e-3; beta < 1e5; beta *= 9)
		{
			const double param[] = {1, beta};

			AssertRelative("harmonic", SBG->expected(param, m),
						   beta * clv_digamma_rising(beta + 1, m), 1e-12);
		}
	}
	for (double m = 1; m < 1e7; m = floor(m * 3.3) + 1)
	{
		const double param[] = {1e-4 * 1e13, (1 - 1e-4) * 1e13};
		double kept = log1p(-1e-4);

		AssertRelative("geometric", SBG->expected(param, m), (1 - 1e-4) * -expm1(m * kept) / 1e-4,
					   1e-7);
	}
}

/* Nothing shows where the one way to add up takes over from the other. */
static void
expectations_rise_one_survival_at_a_time(void **state)
{
	static const double deltas[] = {0, 1e-12, 1e-5, 0.01};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 4; j++)
		{
			double before = SBG->discounted(shapes[i], deltas[j], 239);
			double limit = SBG->discounted(shapes[i], deltas[j], INFINITY);

			for (int t = 240; t < 300; t++)
			{
				double now = SBG->discounted(shapes[i], deltas[j], t);
				double step = exp(-deltas[j] * t) * SBG->survival(shapes[i], t);

				assert_true(fabs(now - before - step) <= 1e-13 * now);
				assert_true(now <= limit * (1 + 1e-13));
				before = now;
			}
		}
	}
}

static void
endless_lives_are_infinite(void **state)
{
	assert_true(isinf(SBG->discounted(shapes[0], 0, INFINITY)));
	assert_true(isinf(SBG->residual(shapes[2], 3, 0, true)));
	assert_true(isfinite(SBG->discounted(shapes[3], 0, INFINITY)));
	assert_true(SBG->discounted(shapes[2], 1e-300, INFINITY) > 600);

	/* but not of the departed */
	assert_true(clv_discounted_given(SBG, shapes[0], 2, 2, 5, 0, INFINITY) == 0);
	assert_true(clv_expected_given(SBG, shapes[0], 2, 2, 5, 10) == 0);
	assert_true(clv_probability_given(SBG, shapes[0], 2, 2, 5, 0, 10) == 1);
	assert_true(SBG->ln_p_alive(shapes[0], 2, 2, 5) == -INFINITY);
}

static void
derivatives_are_the_functions_own(void **state)
{
	static const double try[][2] = {{0.668, 3.806}, {30, 2}, {0.01, 0.2}, {5, 700}};

	for (int i = 0; i < 4; i++)
	{
		for (int t = 0; t < 60; t = 2 * t + 1)
		{
			Customer stays = {SBG, t, t, t, NAN};
			Customer leaves = {SBG, t, t, t + 3, NAN};

			if (t > 0)
				CheckDerivatives(2, try[i], EvaluateCustomer, &stays);
			CheckDerivatives(2, try[i], EvaluateCustomer, &leaves);
		}
	}
}

/* ---- histories that cannot be ---- */

static void
impossible_histories_have_no_likelihood(void **state)
{
	static const double bad[][3] = {{1, 2, 3},   {0.5, 0.5, 1},   {3, 3, 2},   {-1, -1, 2},
									{1, 1, 1.5}, {NAN, NAN, NAN}, {1, 1, NAN}, {2, 2, INFINITY}};

	for (int i = 0; i < 8; i++)
	{
		ClvTerm term;

		assert_false(clv_possible(SBG, bad[i][0], bad[i][1], bad[i][2]));
		assert_true(SBG->log_likelihood(shapes[0], bad[i][0], bad[i][1], bad[i][2]) == -INFINITY);
		SBG->cell(shapes[0], bad[i][0], bad[i][1], bad[i][2], NAN, &term);
		assert_true(term.ln == -INFINITY);
	}
}

static void
extremes_make_sense(void **state)
{
	static const double times[] = {0, 1, 17, 1e4, 1e9};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			for (int k = 0; k < 5; k++)
			{
				MakesSense(SBG, shapes[i], times[j], times[j], times[j], times[k]);
				MakesSense(SBG, shapes[i], times[j], times[j], times[j] + 1, times[k]);
			}
		}
	}
}

/* ---- fits ---- */

#define YEARS 7

/* A published cohort of 1,000 by year; returns false where it is not there. */
static int
Cohort(int column, ClvCell *cells)
{
	FILE *file = OpenShared("data/sbg_survivors.csv");
	char line[256];
	char *field[8];
	double before = 0;

	if (file == NULL)
		return 0;
	ReadFields(file, line, sizeof(line), field, 8);
	for (int year = 0; year <= YEARS; year++)
	{
		double left;

		assert_int_equal(ReadFields(file, line, sizeof(line), field, 8), 3);
		left = atof(field[column]);
		if (year > 0)
			cells[year - 1] =
				(ClvCell){.x = year - 1, .t_x = year - 1, .T = YEARS, .count = before - left};
		before = left;
	}
	cells[YEARS] = (ClvCell){.x = YEARS, .t_x = YEARS, .T = YEARS, .count = before};
	fclose(file);
	return 1;
}

/* Fader & Hardie 2007, seven years of renewals, to the digits printed */
static void
published_cohorts(void **state)
{
	static const double printed[][2] = {{0.668, 3.806}, {0.704, 1.182}};

	for (int i = 0; i < 2; i++)
	{
		ClvCell cells[YEARS + 1];
		ClvFitReport report;

		if (!Cohort(i + 1, cells))
			skip();
		AtTheMaximum(FitCells(SBG, cells, YEARS + 1, NULL, &report), &report);
		assert_true(fabs(report.param[0] - printed[i][0]) < 5e-4);
		assert_true(fabs(report.param[1] - printed[i][1]) < 5e-4);
		assert_true(report.iterations < 20);
	}
}

/* A cohort whose survivors follow the model exactly is fitted by what it follows. */
static void
exact_cohorts_give_their_parameters_back(void **state)
{
	for (int i = 0; i < 3; i++)
	{
		const double truth[][2] = {{0.9, 2}, {3, 40}, {0.2, 0.05}};
		ClvCell cells[21];
		ClvFitReport report;

		for (int t = 0; t <= 20; t++)
			cells[t] = (ClvCell){
				.x = t, .t_x = t, .T = 20, .count = 1e6 * SBG->probability(truth[i], t, 20)};
		AtTheMaximum(FitCells(SBG, cells, 21, NULL, &report), &report);
		AssertRelative("alpha", report.param[0], truth[i][0], 1e-7);
		AssertRelative("beta", report.param[1], truth[i][1], 1e-7);
	}
}

/* One retention rate for all is the border of the model; no churn is another. */
static void
borders_are_reported(void **state)
{
	ClvCell cells[11];
	ClvFitReport report;

	for (int t = 0; t < 11; t++)
		cells[t] =
			(ClvCell){.x = t, .t_x = t, .T = 10, .count = 1e5 * pow(0.7, t) * (t < 10 ? 0.3 : 1)};
	assert_int_equal(FitCells(SBG, cells, 11, NULL, &report), CLV_DEGENERATE);
	for (int t = 0; t < 11; t++)
		cells[t] = (ClvCell){.x = t, .t_x = t, .T = t, .count = 50};
	assert_int_not_equal(FitCells(SBG, cells, 11, NULL, &report), CLV_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values),
		cmocka_unit_test(probabilities_sum_to_one_and_their_mean_is_expected),
		cmocka_unit_test(survival_is_a_product_of_retentions),
		cmocka_unit_test(lifetimes_follow_from_the_next_renewal),
		cmocka_unit_test(long_sums_have_closed_forms),
		cmocka_unit_test(expectations_rise_one_survival_at_a_time),
		cmocka_unit_test(endless_lives_are_infinite),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(impossible_histories_have_no_likelihood),
		cmocka_unit_test(extremes_make_sense),
		cmocka_unit_test(published_cohorts),
		cmocka_unit_test(exact_cohorts_give_their_parameters_back),
		cmocka_unit_test(borders_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
