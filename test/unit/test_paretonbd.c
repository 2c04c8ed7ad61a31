/*
 * test_paretonbd.c
 *		pareto/nbd: every reference value, what must hold for any parameters, fits
 *		against what is published, and the places where others return rubbish.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lifetimes.h"

#define PARETO (&clv_paretonbd)
#define AS_OF DayNumber(1997, 9, 30)

static const double shapes[][CLV_MAX_PARAMS] = {
	{0.553, 10.58, 0.606, 11.67},
	{1.449, 48.64, 0.561, 46.88},
	{30.5, 49, 0.6, 50},
	{2, 3, 1, 3},
	{1, 5, 1 + 1e-12, 0.1},
	{0.02, 100, 0.05, 30},
	{40, 1, 3, 700},
	{0.01, 0.01, 0.02, 1000},
	{5, 200, 30, 0.2},
	{0.9, 0.02, 0.4, 0.02},
	{800, 100, 0.5, 2},
};

/* A rate that all have in common: times by interpolation are those by integrals, to the last
 * digits. */
static void
runaway_rates_keep_their_digits(void **state)
{
	static const double param[] = {1.5e7, 2.6e9, 0.03, 0.04};
	double t[400];
	ClvTerm terms[400];

	for (int i = 0; i < 400; i++)
		t[i] = i * 0.5;
	for (int departed = 0; departed < 2; departed++)
	{
		(departed ? PARETO->departed : PARETO->alive)(param, 1, t, 400, terms);
		for (int i = 0; i < 400; i += 7)
		{
			ClvTerm alone;

			(departed ? PARETO->departed : PARETO->alive)(param, 1, &t[i], 1, &alone);
			assert_true(fabs(terms[i].ln - alone.ln) <= 1e-13 * fmax(1, fabs(alone.ln)));
		}
	}
}

static const Lives lives = {PARETO, shapes, sizeof(shapes) / sizeof(shapes[0])};

static void
all_reference_values(void **state)
{
	ReferenceTable(PARETO, "oracles/mp_pnbd.csv", REFERENCE_TOLERANCE);
}

static void
probabilities_sum_to_one(void **state)
{
	ProbabilitiesSumToOne(&lives);
}

static void
recurrence_agrees_with_single_probabilities(void **state)
{
	RecurrenceAgrees(&lives);
}

static void
many_purchases_are_exact(void **state)
{
	static const ManyPurchases many[] = {
		{{0.55, 10.6, 0.6, 11.7}, 3, 52, 0.050124872866920387},
		{{0.55, 10.6, 0.6, 11.7}, 1000, 1e5, 6.1360052071852778e-6},
		{{0.55, 10.6, 0.6, 11.7}, 1e6, 1e7, 9.8852506802153358e-11},
		{{0.55, 10.6, 0.6, 11.7}, 1e8, 1e10, 6.1451031977329773e-14},
		{{0.55, 10.6, 0.6, 11.7}, 1e9, 1e9, 1.0400448459758581e-18},
		{{0.55, 10.6, 0.6, 11.7}, 2147483647, 1e11, 4.7753010624766311e-16},
		{{1e6, 2e5, 0.6, 11.7}, 2e9, 1e9, 9.0530872226701998e-15},
		{{1e6, 2e5, 0.6, 11.7}, 2147483647, 430000000, 2.7120648209891499e-12},
		{{1e8, 1e-8, 1e-8, 1e8}, 2147483647, 2.1474e-07, 1.6889457667431912e-6},
		{{0.55, 10.6, 0.6, 11.7}, 1e8, 52, 0},
		{{1e300, 1e-300, 1e8, 1e8}, 2147483647, 1e300, 0},
	};

	ManyPurchasesAreExact(PARETO, many, sizeof(many) / sizeof(many[0]));
}

static void
far_blocks_agree(void **state)
{
	static const double many[] = {300, 2, 0.6, 11.7};
	static const double alike[] = {1e6, 1e4, 0.6, 11.7};

	FarBlocksAgree(PARETO, many, 18.1);
	FarBlocksAgree(PARETO, alike, 36);
}

static void
expectations_rise_to_their_limit(void **state)
{
	ExpectationsRise(&lives);
}

static void
expectations_are_integrals(void **state)
{
	ExpectationsAreIntegrals(&lives);
}

static void
updating_is_consistent(void **state)
{
	UpdatingIsConsistent(&lives);
}

static void
p_alive_falls_with_time_since_the_last_purchase(void **state)
{
	PAliveFallsWithTime(&lives);
}

static void
quantiles_are_the_smallest_counts(void **state)
{
	QuantilesAreTheSmallestCounts(&lives);
}

static void
terms_add_up(void **state)
{
	TermsAddUp(&lives);
}

static void
derivatives_are_the_functions_own(void **state)
{
	DerivativesAreTheFunctionsOwn(&lives);
}

/* ---- fits ---- */

/* Fits pareto/nbd to a log; skips the test where it is not there. */
static void
Fit(const char *log, int date_column, long as_of, ClvFitReport *report)
{
	Shop shop;

	if (!LoadLog(log, date_column, as_of, &shop))
		skip();
	assert_int_equal(FitCells(PARETO, shop.cells, shop.n, NULL, report), CLV_OK);
	assert_true(report->gradient_norm < 1e-8);
	ShopFree(&shop);
}

/* Fader, Hardie & Lee (2005), RFM and CLV, table 2 */
static void
published_on_cdnow(void **state)
{
	static const double param[] = {.553, 10.58, .606, 11.67};
	static const double digits[] = {5e-4, 5e-3, 5e-4, 5e-3};
	ClvFitReport report;

	Fit("data/cdnow_log_sample.csv", 2, AS_OF, &report);
	assert_true(fabs(report.log_likelihood + 9594.98) <= 0.005);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(report.param[i] - param[i]) <= digits[i]);
	assert_true(report.iterations <= 12);
}

static void
peers(void **state)
{
	const char *sample = "data/cdnow_log_sample.csv";
	ClvFitReport report;

	Fit(sample, 2, AS_OF, &report);
	AgreesWithPeer(PARETO, &report, "oracles/pnbd_cdnow-39w_params.csv");
	AgreesWithPeer(PARETO, &report, "oracles/pnbd_btyd_cdnow-39w_params.csv");
	Fit(sample, 2, DayNumber(1998, 6, 30), &report);
	AgreesWithPeer(PARETO, &report, "oracles/pnbd_cdnow-full78w_params.csv");
	Fit("data/cdnow_log_full.csv", 1, AS_OF, &report);
	AgreesWithPeer(PARETO, &report, "oracles/pnbd_cdnow-master-39w_params.csv");
	Fit("data/apparel_log.csv", 1, DayNumber(2006, 12, 31), &report);
	AgreesWithPeer(PARETO, &report, "oracles/pnbd_apparel-104w_params.csv");
}

static void
recovers_simulated_parameters(void **state)
{
	RecoversParameters(PARETO, shapes[0], 20000, 51);
	RecoversParameters(PARETO, (const double[]){2, 8, .8, 20}, 20000, 52);
}

/* ---- where others return rubbish ---- */

static void
trap_s_is_one_or_nearly(void **state)
{
	static const double away[] = {1e-15, 1e-12, 1e-9, 1e-6};

	for (double t = 0.1; t < 1e6; t *= 10)
	{
		const double at[] = {0.5, 3, 1, 2};

		AssertRelative("expected", PARETO->expected(at, t), 0.5 / 3 * 2 * log1p(t / 2), 1e-15);
		for (int i = 0; i < 8; i++)
		{
			double shift = i % 2 == 0 ? away[i / 2] : -away[i / 2];
			const double near[] = {0.5, 3, 1 + shift, 2};

			/* E moves by a few units of ln t per unit of s */
			AssertRelative("near", PARETO->expected(near, t), PARETO->expected(at, t),
						   10 * fabs(shift) + 1e-14);
			AssertRelative("lifetime", PARETO->discounted(near, 0.01, INFINITY),
						   PARETO->discounted(at, 0.01, INFINITY), 10 * fabs(shift) + 1e-14);
		}
	}
	assert_true(PARETO->discounted((const double[]){1, 2, 1, 3}, 0, INFINITY) == INFINITY);
	assert_true(PARETO->discounted((const double[]){1, 2, .4, 3}, 0, INFINITY) == INFINITY);
	AssertRelative("finite", PARETO->discounted((const double[]){1, 2, 4, 3}, 0, INFINITY), .5,
				   1e-15);
}

/* The hypergeometric functions' arguments change places where alpha = beta. */
static void
trap_alpha_is_beta_or_nearly(void **state)
{
	static const double away[] = {0, 1e-15, -1e-12, 1e-9, -1e-7};

	for (int x = 0; x < 2000; x = 3 * x + 1)
	{
		const double at[] = {1.2, 7, 0.8, 7};
		double fall = 1.2 + x + 0.8; /* with alpha = beta the integral is a power's */
		double waited = fall * log1p(30 / (7 + 20.0));
		double dead = 0.8 / fall * -expm1(-waited);
		double ln_p_alive = -waited - clv_log_add(-waited, log(dead));

		for (int i = 0; i < 5; i++)
		{
			const double near[] = {1.2, 7 * (1 + away[i]), 0.8, 7};

			AssertRelative("ln P(alive)", PARETO->ln_p_alive(near, x, 20, 50), ln_p_alive,
						   10 * fabs(away[i]) + 1e-13);
		}
		assert_true(isfinite(PARETO->log_likelihood(at, x, 20, 50)));
	}
}

static void
trap_powers_beyond_doubles(void **state)
{
	const double param[] = {1.5, 0.01, 0.8, 20};

	for (double x = 200; x < 20000; x *= 3)
	{
		double before = -INFINITY;

		assert_true((1.5 + x) * log((0.01 + 5000) / 0.01) > 745);
		for (double t_x = 4000; t_x <= 5000; t_x += 50)
		{
			double ln = PARETO->log_likelihood(param, x, t_x, 5000);
			double ln_p_alive = PARETO->ln_p_alive(param, x, t_x, 5000);

			assert_true(isfinite(ln) && isfinite(ln_p_alive) && ln_p_alive <= 0);
			assert_true(ln_p_alive > before);
			before = ln_p_alive;
		}
		assert_true(before == 0);
	}
}

static void
trap_counts_beyond_170(void **state)
{
	const double param[] = {300, 10, 0.5, 20};
	double sum = 0;

	for (double n = 0; n < 600; n += 1)
	{
		double p = PARETO->probability(param, n, 10);

		assert_true(p >= 0 && p <= 1);
		sum += p;
	}
	AssertRelative("sum", sum, 1, 1e-12);
	assert_true(PARETO->probability(param, 171, 10) > 0);
	/* no purchase for so long that P(0 | alive) is below any double */
	assert_true(PARETO->probability(param, 0, 1e6) > 0);
}

static void
trap_far_starts(void **state)
{
	ClvCell *cells = DrawLives(PARETO, shapes[0], 10000, 1 / 7.0, 53);
	ClvFitReport best;

	assert_int_equal(FitCells(PARETO, cells, 10000, NULL, &best), CLV_OK);
	for (int corner = 0; corner < 16; corner++)
	{
		double start[4];
		ClvFitControl control = {.start = start};
		ClvFitReport report;

		for (int i = 0; i < 4; i++)
			start[i] = corner >> i & 1 ? 1e3 : 1e-3;
		assert_int_equal(FitCells(PARETO, cells, 10000, &control, &report), CLV_OK);
		for (int i = 0; i < 4; i++)
			assert_true(fabs(report.param[i] / best.param[i] - 1) < 1e-7);
	}
	free(cells);
}

/*
 * Customers do not differ in their hazards: s and beta grow without bound, and only their
 * ratio is known.
 */
static void
trap_s_and_beta_along_a_ridge(void **state)
{
	size_t n = 20000;
	ClvCell *cells = malloc(n * sizeof(ClvCell));
	Chance chance = 54;
	int degenerate = 0;

	for (int k = 0; k < 4; k++)
	{
		ClvFitReport report;
		ClvStatus status;

		for (size_t i = 0; i < n; i++)
			cells[i] = DrawLife(&chance, Gamma(&chance, 1) / 5, 25 * Exponential(&chance),
								20 + 80 * Uniform(&chance), 0);
		status = FitCells(PARETO, cells, n, NULL, &report);
		assert_true(status == CLV_OK || status == CLV_DEGENERATE);
		if (status == CLV_DEGENERATE)
		{
			degenerate++;
			assert_in_range(report.degenerate_param, 2, 3);
			assert_true(fabs(report.param[3] / report.param[2] / 25 - 1) < 0.1);
		}
	}
	assert_true(degenerate > 0);
	free(cells);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values),
		cmocka_unit_test(probabilities_sum_to_one),
		cmocka_unit_test(recurrence_agrees_with_single_probabilities),
		cmocka_unit_test(many_purchases_are_exact),
		cmocka_unit_test(far_blocks_agree),
		cmocka_unit_test(runaway_rates_keep_their_digits),
		cmocka_unit_test(expectations_rise_to_their_limit),
		cmocka_unit_test(expectations_are_integrals),
		cmocka_unit_test(updating_is_consistent),
		cmocka_unit_test(p_alive_falls_with_time_since_the_last_purchase),
		cmocka_unit_test(quantiles_are_the_smallest_counts),
		cmocka_unit_test(terms_add_up),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(published_on_cdnow),
		cmocka_unit_test(peers),
		cmocka_unit_test(recovers_simulated_parameters),
		cmocka_unit_test(trap_s_is_one_or_nearly),
		cmocka_unit_test(trap_alpha_is_beta_or_nearly),
		cmocka_unit_test(trap_powers_beyond_doubles),
		cmocka_unit_test(trap_counts_beyond_170),
		cmocka_unit_test(trap_far_starts),
		cmocka_unit_test(trap_s_and_beta_along_a_ridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
