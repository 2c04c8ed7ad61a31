/*
 * test_bdw.c
 *		bdw: reference values (test/oracle/bdw.py says what they are made of), the published
 *cohorts, and sbg within it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discrete.h"

#define BDW (&clv_bdw)
#define SBG (&clv_sbg)

static const double shapes[][3] = {
	{0.668, 3.806, 1},   {0.704, 1.182, 1.3}, {1, 1, 0.7},      {0.26, 0.58, 1.59},
	{0.001, 0.001, 0.5}, {1000, 0.001, 2},    {0.001, 1000, 3}, {1000, 1000, 0.2},
	{2.5, 1e-6, 1.1},    {1e6, 1e6, 0.9},     {40, 3, 0.02},    {1, 1e5, 6},
	{3, 1e12, 40},       {0.7, 2, 1e-6},      {5, 5, 300},
};
#define SHAPES ((int) (sizeof(shapes) / sizeof(shapes[0])))

/* ---- reference values ---- */

static void
all_reference_values(void **state)
{
	Oracle o = {.file = fopen("test/oracle/bdw.csv", "r")};

	assert_non_null(o.file);
	o.columns = ReadFields(o.file, o.header, sizeof(o.header), o.names, ORACLE_COLUMNS);
	while (NextRow(&o))
	{
		double param[] = {Value(&o, "alpha"), Value(&o, "beta"), Value(&o, "c")};
		double t = Value(&o, "t");
		double m = Value(&o, "m");
		double d = Value(&o, "d");
		ClvFuture future;
		int n = param[2] == 1 ? 2 : 1;

		for (int i = 0; i < n; i++)
		{
			const ClvFamily *family = i == 0 ? BDW : SBG;

			clv_given_alive(family, param, t, t, t, &future);

			const Column columns[] = {
				{"surv", family->survival(param, t)},
				{"pmf", family->probability(param, t, t + 1)},
				{"retention", family->retention(param, t + 1)},
				{"retention", clv_future_survival(&future, 1)},
				{"erem", clv_expected_given(family, param, t, t, t, m)},
				{"pairs", clv_future_pairs(&future, m)},
				{"derl_after", family->residual(param, t, d, false)},
				{"derl_after", clv_discounted_given(family, param, t, t, t, log1p(d), INFINITY)},
				{"derl_before", family->residual(param, t, d, true)},
				{"elasticity", family->elasticity(param, t, d, false)},
				{"elasticity", family->elasticity(param, t + 1, d, true)},
			};

			for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++)
			{
				double expected = Value(&o, columns[k].name);

				if (strcmp(columns[k].name, "derl_before") == 0 && t == 0)
					continue;
				if (m == 1 && strcmp(columns[k].name, "pairs") == 0)
					assert_true(columns[k].value == 0);
				else
					AssertRelative(columns[k].name, columns[k].value, expected, 1e-12);
			}
			AssertLog("ll_churn", family->log_likelihood(param, t, t, t + 1), Value(&o, "ll_churn"),
					  1e-12);
			AssertLog("ll_surv", family->log_likelihood(param, t, t, t), Value(&o, "ll_surv"),
					  1e-12);
		}
	}
	assert_int_equal(o.row, 41);
}

/* ---- what holds for any parameters ---- */

/* With c = 1 everything is that of sbg. */
static void
sbg_is_bdw_with_c_of_one(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		const double param[] = {shapes[i][0], shapes[i][1], 1};

		for (int t = 0; t < 5000; t = 3 * t + 1)
		{
			for (double d = 0; d < 3; d = 20 * d + 1e-7)
			{
				AssertRelative("residual", BDW->residual(param, t, d, false),
							   SBG->residual(param, t, d, false), 1e-11);
				AssertRelative("elasticity", BDW->elasticity(param, t, d, false),
							   SBG->elasticity(param, t, d, false), 1e-9);
			}
			AssertRelative("survival", BDW->survival(param, t), SBG->survival(param, t), 1e-12);
			AssertRelative("expected", BDW->expected(param, t), SBG->expected(param, t), 1e-11);
			AssertRelative("pairs", BDW->pairs(param, t), SBG->pairs(param, t), 1e-11);
		}
	}
}

static void
probabilities_sum_to_one_and_their_moments_are_expected(void **state)
{
	static double p[1200];

	for (int i = 0; i < SHAPES; i++)
	{
		for (int made = 0; made < 40; made = 3 * made + 1)
		{
			for (int t = 0; t < 1200; t += 1 + t)
			{
				double sum = 0;
				double mean = 0;
				double pairs = 0;
				ClvFuture future;

				clv_given_alive(BDW, shapes[i], made, made, made, &future);
				clv_future_probabilities(&future, t, 1200, p);
				for (int n = 1199; n >= 0; n--)
				{
					sum += p[n];
					mean += n * p[n];
					pairs += n * (n - 1.0) * p[n];
				}
				AssertRelative("sum", sum, 1, 1e-12);
				assert_true(fabs(clv_future_expected(&future, t) - mean) <= 1e-12 * (1 + mean));
				assert_true(fabs(clv_future_pairs(&future, t) - pairs) <= 1e-12 * (1 + pairs));
			}
		}
	}
}

/* A renewal more: made with the probability of retention, and then what is left after it. */
static void
lifetimes_follow_from_the_next_renewal(void **state)
{
	static const double rates[] = {1e-9, 1e-4, 0.01, 0.1, 2};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			double d = rates[j];

			for (int t = 1; t < 2000; t = 5 * t)
			{
				double retention = BDW->retention(shapes[i], t);
				double before = BDW->residual(shapes[i], t, d, true);

				AssertRelative("before", before,
							   retention * (1 + BDW->residual(shapes[i], t, d, false)), 1e-11);
			}
		}
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
			double before = BDW->discounted(shapes[i], deltas[j], 59);
			double limit = BDW->discounted(shapes[i], deltas[j], INFINITY);

			for (int t = 60; t < 700; t++)
			{
				double now = BDW->discounted(shapes[i], deltas[j], t);
				double step = exp(-deltas[j] * t) * BDW->survival(shapes[i], t);

				assert_true(fabs(now - before - step) <= 3e-13 * (now + 1e-300));
				assert_true(now <= limit * (1 + 3e-13));
				before = now;
			}
		}
	}
}

static void
endless_lives_are_infinite(void **state)
{
	static const double edge[] = {2, 5, 0.5};
	static const double inside[] = {2.1, 5, 0.5};

	assert_true(isinf(BDW->discounted(edge, 0, INFINITY)));
	assert_true(isfinite(BDW->discounted(inside, 0, INFINITY)));
	assert_true(isinf(BDW->elasticity(inside, 3, 0, false)));
	assert_true(isfinite(BDW->elasticity(inside, 3, 1e-9, false)));
	assert_true(isinf(SBG->elasticity(edge, 3, 0, false)));

	/* but not of the departed */
	assert_true(clv_discounted_given(BDW, edge, 2, 2, 5, 0, INFINITY) == 0);
	assert_true(clv_expected_given(BDW, edge, 2, 2, 5, 10) == 0);
	assert_true(clv_probability_given(BDW, edge, 2, 2, 5, 0, 10) == 1);
	assert_true(BDW->ln_p_alive(edge, 2, 2, 5) == -INFINITY);
}

static void
derivatives_are_the_functions_own(void **state)
{
	static const double try[][3] = {
		{0.668, 3.806, 1}, {30, 2, 0.8}, {0.01, 0.2, 1.7}, {5, 700, 2.3}, {0.5, 1, 0.1}};

	for (int i = 0; i < 5; i++)
	{
		for (int t = 0; t < 60; t = 2 * t + 1)
		{
			Customer stays = {BDW, t, t, t, NAN};
			Customer leaves = {BDW, t, t, t + 3, NAN};

			if (t > 0)
				CheckDerivatives(3, try[i], EvaluateCustomer, &stays);
			CheckDerivatives(3, try[i], EvaluateCustomer, &leaves);
		}
	}
}

static void
impossible_histories_have_no_likelihood(void **state)
{
	static const double bad[][3] = {{1, 2, 3},   {0.5, 0.5, 1},   {3, 3, 2},   {-1, -1, 2},
									{1, 1, 1.5}, {NAN, NAN, NAN}, {1, 1, NAN}, {2, 2, INFINITY}};

	for (int i = 0; i < 8; i++)
	{
		ClvTerm term;

		assert_false(clv_possible(BDW, bad[i][0], bad[i][1], bad[i][2]));
		assert_true(BDW->log_likelihood(shapes[0], bad[i][0], bad[i][1], bad[i][2]) == -INFINITY);
		BDW->cell(shapes[0], bad[i][0], bad[i][1], bad[i][2], NAN, &term);
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
				MakesSense(BDW, shapes[i], times[j], times[j], times[j], times[k]);
				MakesSense(BDW, shapes[i], times[j], times[j], times[j] + 1, times[k]);
			}
		}
	}
}

/* ---- fits ---- */

/* The cells of a cohort of so many survivors after 0, 1 ... last renewals. */
static void
Cohort(const double *survivors, int last, ClvCell *cells)
{
	for (int t = 0; t < last; t++)
		cells[t] = (ClvCell){.x = t, .t_x = t, .T = last, .count = survivors[t] - survivors[t + 1]};
	cells[last] = (ClvCell){.x = last, .t_x = last, .T = last, .count = survivors[last]};
}

/* A cohort, and what an independent search found to be the maximum (test/oracle/bdw_fits.py). */
typedef struct Fit
{
	const double *survivors;
	int years;
	double param[3];
	double error[3];
	double ln;
} Fit;

static const double regular[] = {1000, 631, 468, 382, 326, 289, 262, 241};
static const double high_end[] = {1000, 869, 743, 653, 593, 551, 517, 491};

static const Fit fits[] = {
	{regular,
	 4,
	 {0.52302931290884, 0.89428265891033, 1.196398711359},
	 {0.3090380647, 0.524819761, 0.3740861476},
	 -1401.38305167862},
	{high_end,
	 4,
	 {0.25933573151117, 1.7225514880867, 1.5843615150229},
	 {0.120169291, 0.7769416441, 0.353023297},
	 -1222.74931824082},
	{regular,
	 7,
	 {0.45561398937164, 0.77932550838796, 1.2834512857833},
	 {0.1670414275, 0.2827099174, 0.2980950712},
	 -1679.60283290718},
	{high_end,
	 7,
	 {0.21425333928085, 1.4265748748601, 1.7235648487445},
	 {0.05957970644, 0.3814086147, 0.3010432817},
	 -1605.31421321419},
};

/* Fader, Hardie, Liu, Davin & Steenburgh 2018 fit them to four years of renewals, and to seven. */
static void
published_cohorts(void **state)
{
	for (int i = 0; i < (int) (sizeof(fits) / sizeof(fits[0])); i++)
	{
		const Fit *fit = &fits[i];
		ClvCell cells[8];
		ClvFitReport report;
		ClvFitReport within;

		Cohort(fit->survivors, fit->years, cells);
		AtTheMaximum(FitCells(BDW, cells, fit->years + 1, NULL, &report), &report);
		for (int k = 0; k < 3; k++)
		{
			AssertRelative("parameter", report.param[k], fit->param[k], 1e-6);
			AssertRelative("standard error", StandardError(&report, k), fit->error[k], 1e-5);
		}
		AssertRelative("log-likelihood", report.log_likelihood, fit->ln, 1e-12);
		AtTheMaximum(FitCells(SBG, cells, fit->years + 1, NULL, &within), &within);
		assert_true(report.log_likelihood >= within.log_likelihood);
	}
}

/* A cohort whose survivors follow the model exactly is fitted by what it follows. */
static void
exact_cohorts_give_their_parameters_back(void **state)
{
	static const double truth[][3] = {{0.9, 2, 1}, {3, 40, 1.7}, {0.2, 0.5, 2.4}, {2, 9, 0.6}};

	for (int i = 0; i < 4; i++)
	{
		ClvCell cells[21];
		ClvFitReport report;

		for (int t = 0; t <= 20; t++)
			cells[t] = (ClvCell){
				.x = t, .t_x = t, .T = 20, .count = 1e6 * BDW->probability(truth[i], t, 20)};
		AtTheMaximum(FitCells(BDW, cells, 21, NULL, &report), &report);
		for (int k = 0; k < 3; k++)
			AssertRelative("parameter", report.param[k], truth[i][k], 1e-6);
	}
}

/* Customers who do not differ are the border of the model; the fit is never below sbg's. */
static void
borders_are_reported(void **state)
{
	ClvCell cells[11];
	ClvFitReport report;
	ClvFitReport within;

	for (int t = 0; t < 11; t++)
		cells[t] =
			(ClvCell){.x = t, .t_x = t, .T = 10, .count = 1e5 * pow(0.7, t) * (t < 10 ? 0.3 : 1)};
	(void) FitCells(SBG, cells, 11, NULL, &within);
	assert_int_equal(FitCells(BDW, cells, 11, NULL, &report), CLV_DEGENERATE);
	assert_true(report.log_likelihood >= within.log_likelihood - 1e-6);
	for (int t = 0; t < 11; t++)
		cells[t] = (ClvCell){.x = t, .t_x = t, .T = t, .count = 50};
	assert_int_not_equal(FitCells(BDW, cells, 11, NULL, &report), CLV_OK);
}

/* Where no renewal to come has a probability that a double can hold, it is that of the first. */
static void
elasticity_of_renewals_below_any_double(void **state)
{
	static const double param[] = {1, 1e-4, 583182};

	assert_true(BDW->residual(param, 1, 0, false) == 0);
	assert_true(BDW->elasticity(param, 1, 0, false) == 1);
	assert_true(BDW->elasticity(param, 2, 0.1, true) == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values),
		cmocka_unit_test(sbg_is_bdw_with_c_of_one),
		cmocka_unit_test(probabilities_sum_to_one_and_their_moments_are_expected),
		cmocka_unit_test(lifetimes_follow_from_the_next_renewal),
		cmocka_unit_test(expectations_rise_one_survival_at_a_time),
		cmocka_unit_test(endless_lives_are_infinite),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(impossible_histories_have_no_likelihood),
		cmocka_unit_test(extremes_make_sense),
		cmocka_unit_test(published_cohorts),
		cmocka_unit_test(exact_cohorts_give_their_parameters_back),
		cmocka_unit_test(borders_are_reported),
		cmocka_unit_test(elasticity_of_renewals_below_any_double),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
