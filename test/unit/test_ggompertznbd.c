/*
 * test_ggompertznbd.c
 *		ggompertz/nbd: every reference value, what must hold for any parameters, fits
 *		against what is published, and its two limits, pareto/nbd and overflow.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lifetimes.h"

#define GGOMPERTZ (&clv_ggompertznbd)
#define PARETO (&clv_paretonbd)

static const double shapes[][CLV_MAX_PARAMS] = {
	{0.579, 12.64, 0.0448, 0.1746, 0.1294},
	{0.553, 10.58, 0.0002, 0.603, 0.0026},
	{30.5, 49, 0.05, 0.4, 2},
	{2, 3, 0.1, 1, 1},
	{1, 5, 0.7, 0.3, 4000},
	{0.02, 100, 1e-9, 0.05, 1e-7},
	{40, 1, 3, 12, 1e5},
	{0.3, 0.02, 0.02, 30, 3},
};

static const Lives lives = {GGOMPERTZ, shapes, sizeof(shapes) / sizeof(shapes[0])};

static void
all_reference_values(void **state)
{
	ReferenceTable(GGOMPERTZ, "oracles/mp_ggomnbd.csv", REFERENCE_TOLERANCE);
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
		{{0.55, 1e-6, 0.02, 0.6, 0.3}, 1e6, 52, 1.2078046420004635e-7},
		{{0.55, 1e-6, 0.02, 0.6, 0.3}, 2147483647, 1000, 5.3130830081279192e-14},
		{{40, 1e-6, 0.02, 0.6, 30}, 1e9, 300, 1.6785644312103196e-11},
		{{0.55, 10.6, 1e-9, 0.5, 0.3}, 1e8, 1e10, 1.3233039803629771e-9},
		{{0.579, 12.64, 0.0448, 0.1746, 0.1294}, 2e9, 52, 0},
	};

	ManyPurchasesAreExact(GGOMPERTZ, many, sizeof(many) / sizeof(many[0]));
}

static void
far_blocks_agree(void **state)
{
	static const double many[] = {300, 2, 0.02, 0.6, 0.3};

	FarBlocksAgree(GGOMPERTZ, many, 18.1);
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

/* ---- the limits ---- */

/* beta = 1: every customer's life is exponential with the rate s b. */
static void
beta_one_is_one_hazard_for_all(void **state)
{
	const double param[] = {0.8, 6, 0.05, 2, 1};

	for (double t = 0.01; t < 500; t *= 3)
	{
		AssertRelative("survival", GGOMPERTZ->survival(param, t), exp(-0.1 * t), 1e-13);
		AssertRelative("expected", GGOMPERTZ->expected(param, t), 0.8 / 6 * -expm1(-0.1 * t) / 0.1,
					   1e-13);
		AssertRelative("discounted", GGOMPERTZ->discounted(param, 0.03, t),
					   0.8 / 6 * -expm1(-0.13 * t) / 0.13, 1e-13);
	}
	AssertRelative("lifetime", GGOMPERTZ->discounted(param, 0, INFINITY), 0.8 / 6 / 0.1, 1e-13);
}

static void
small_b_is_pareto(void **state)
{
	const double pareto[] = {0.553, 10.58, 0.606, 11.67};

	for (double b = 1e-6; b > 1e-14; b /= 10)
	{
		const double param[] = {0.553, 10.58, b, 0.606, 11.67 * b};
		double near = 1e4 * b; /* of what differs, in the times below */

		for (int x = 0; x < 300; x = 3 * x + 1)
		{
			AssertRelative("ln L", GGOMPERTZ->log_likelihood(param, x, x > 0 ? 30 : 0, 39),
						   PARETO->log_likelihood(pareto, x, x > 0 ? 30 : 0, 39), near + 1e-12);
			AssertRelative("ln P(alive)", GGOMPERTZ->ln_p_alive(param, x, x > 0 ? 30 : 0, 39),
						   PARETO->ln_p_alive(pareto, x, x > 0 ? 30 : 0, 39), near + 1e-12);
			AssertRelative("P(n)", GGOMPERTZ->probability(param, x, 39),
						   PARETO->probability(pareto, x, 39), near + 1e-11);
		}
		AssertRelative("expected", GGOMPERTZ->expected(param, 52), PARETO->expected(pareto, 52),
					   near + 1e-13);
	}
}

/* e^(bT) is beyond any double: P(alive) is 0, by a number that has a logarithm. */
static void
trap_exponentials_beyond_doubles(void **state)
{
	const double param[] = {0.5, 10, 3, 0.7, 5};
	ClvFuture future = {0};

	for (double T = 250; T < 1e7; T *= 7)
	{
		double ln = GGOMPERTZ->ln_p_alive(param, 4, 20, T);

		assert_true(isfinite(ln) && ln < -0.7 * 3 * (T - 30));
		assert_true(isfinite(GGOMPERTZ->log_likelihood(param, 4, 20, T)));
		GGOMPERTZ->given_alive(param, 4, T, &future);
		AssertRelative("aged", future.param[4], 1, 1e-15);
		assert_true(GGOMPERTZ->expected(future.param, 100) > 0);
	}
}

/* ---- fits ---- */

/*
 * The peer stopped before the maximum, 5e-4 below in log-likelihood, which leaves its
 * parameters 2 % of a standard error away from ours.
 */
static void
peer_on_all_of_cdnow(void **state)
{
	static const double param[] = {0.579493603039, 12.6534746149, 0.0450713207115, 0.173773968938,
								   0.128141019481};
	Shop shop;
	ClvFitReport report;

	if (!LoadLog("data/cdnow_log_sample.csv", 2, DayNumber(1998, 6, 30), &shop))
		skip();
	assert_int_equal(FitCells(GGOMPERTZ, shop.cells, shop.n, NULL, &report), CLV_OK);
	assert_true(report.gradient_norm < 1e-8);
	assert_true(report.log_likelihood >= -17133.1146774);
	for (int i = 0; i < 5; i++)
		assert_true(fabs(report.param[i] - param[i]) < 0.05 * StandardError(&report, i));
	ShopFree(&shop);
}

/* No ageing is to be seen: b goes to 0, and pareto/nbd is what is left. */
static void
Collapses(const char *log, int date_column, long as_of, double peer)
{
	Shop shop;
	ClvFitReport report;
	ClvFitReport pareto;

	if (!LoadLog(log, date_column, as_of, &shop))
		skip();
	assert_int_equal(FitCells(PARETO, shop.cells, shop.n, NULL, &pareto), CLV_OK);
	assert_int_equal(FitCells(GGOMPERTZ, shop.cells, shop.n, NULL, &report), CLV_DEGENERATE);
	assert_true(report.degenerate_param == 2 || report.degenerate_param == 4);
	assert_true(fabs(report.log_likelihood - pareto.log_likelihood) < 1e-6);
	assert_true(report.log_likelihood >= peer);
	for (int i = 0; i < 2; i++)
		assert_true(fabs(report.param[i] / pareto.param[i] - 1) < 1e-4);
	assert_true(fabs(report.param[3] / pareto.param[2] - 1) < 1e-4);
	assert_true(fabs(report.param[4] / report.param[2] / pareto.param[3] - 1) < 1e-4);
	ShopFree(&shop);
}

static void
collapse_to_pareto_is_said(void **state)
{
	Collapses("data/cdnow_log_sample.csv", 2, DayNumber(1997, 9, 30), -9594.97626936);
	Collapses("data/apparel_log.csv", 1, DayNumber(2006, 12, 31), -5848.09792551);
}

/*
 * Shops small and large, of many customers who leave at once, of some, of almost none, and of
 * customers who buy all at the same rate, so that r runs away: the families that contain pareto/nbd
 * end nowhere below it, alone or told where it ended, by more than their formulas differ in
 * rounding.
 */
static void
nowhere_below_what_is_contained(void **state)
{
	static const double worlds[][4] = {{.4, 20, .05, 2}, {2, 30, .002, 5}, {.3, 6, 8, 20},
									   {5, 90, 1, 1},    {.8, 3, .2, .8},  {1e5, 3e6, .3, .1}};
	const ClvFamily *families[] = {&clv_ggompertznbd, &clv_paretonbd_cor};

	for (int shop = 0; shop < 24; shop++)
	{
		size_t n = 30 + 30 * (size_t) shop;
		ClvCell *cells = malloc(n * sizeof(ClvCell));
		ClvFitReport pareto;
		Chance chance = 100 + (uint64_t) shop;

		for (size_t i = 0; i < n; i++)
			cells[i] = DrawCustomer(&chance, worlds[shop % 6], shop % 2,
									nearbyint(7 * (20 + 60 * Uniform(&chance))) / 7, 1 / 7.0);
		FitCells(&clv_paretonbd, cells, n, NULL, &pareto);
		for (int k = 0; k < 2; k++)
		{
			ClvFitReport alone;
			ClvFitReport told;
			ClvFitControl control = {.contained = &pareto, .contained_status = CLV_OK};

			FitCells(families[k], cells, n, NULL, &alone);
			FitCells(families[k], cells, n, &control, &told);
			SameBits(families[k], &alone, &told);
			if (!(alone.log_likelihood >=
				  pareto.log_likelihood - 1e-13 * fabs(pareto.log_likelihood)))
				fail_msg("shop %d: %s at %.17g is below pareto/nbd at %.17g", shop,
						 families[k]->name, alone.log_likelihood, pareto.log_likelihood);
		}
		free(cells);
	}
}

static void
recovers_simulated_parameters(void **state)
{
	RecoversParameters(GGOMPERTZ, (const double[]){0.8, 6, 0.08, 0.4, 2}, 30000, 61);
	RecoversParameters(GGOMPERTZ, (const double[]){2, 8, 0.05, 0.2, 0.2}, 30000, 62);
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
		cmocka_unit_test(expectations_rise_to_their_limit),
		cmocka_unit_test(expectations_are_integrals),
		cmocka_unit_test(updating_is_consistent),
		cmocka_unit_test(p_alive_falls_with_time_since_the_last_purchase),
		cmocka_unit_test(quantiles_are_the_smallest_counts),
		cmocka_unit_test(terms_add_up),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(beta_one_is_one_hazard_for_all),
		cmocka_unit_test(small_b_is_pareto),
		cmocka_unit_test(trap_exponentials_beyond_doubles),
		cmocka_unit_test(peer_on_all_of_cdnow),
		cmocka_unit_test(collapse_to_pareto_is_said),
		cmocka_unit_test(nowhere_below_what_is_contained),
		cmocka_unit_test(recovers_simulated_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
