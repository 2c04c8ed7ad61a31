/*
 * test_gammagamma.c
 *		gamma/gamma: densities and expectations against 50-digit values, and fits.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fitting.h"
#include "families/registry.h"
#include "families/spend_likelihood.h"

#define GG (&clv_gammagamma)

/* Whether a value is within a relative distance of the exact one. */
static bool
Near(double value, double exact, double relative)
{
	return value == exact || fabs(value - exact) <= relative * fabs(exact);
}

static void
all_reference_values(void **state)
{
	FILE *file = OpenShared("oracles/mp_gg.csv");
	char line[1024];
	char *field[16];
	int rows = 0;

	if (file == NULL)
		skip();
	assert_int_equal(ReadFields(file, line, sizeof(line), field, 16), 10);
	while (ReadFields(file, line, sizeof(line), field, 16) == 10)
	{
		double param[] = {atof(field[2]), atof(field[3]), atof(field[4])};
		double x = atof(field[5]);
		double mean = atof(field[6]);
		double ln = GG->spend_log_likelihood(param, x, mean);
		double exact = atof(field[7]);
		double spend = GG->expected_spend(param, x, mean);
		double population = GG->expected_spend(param, 0, 0);

		if (!(fabs(ln - exact) <= 1e-12 * fmax(1, fabs(exact))))
			fail_msg("row %s: log-likelihood %.17g, not %.17g", field[0], ln, exact);
		if (!Near(spend, atof(field[8]), 1e-12))
			fail_msg("row %s: expected spend %.17g, not %s", field[0], spend, field[8]);
		if (!Near(population, atof(field[9]), 1e-12))
			fail_msg("row %s: population mean %.17g, not %s", field[0], population, field[9]);
		rows++;
	}
	fclose(file);
	assert_int_equal(rows, 60);
}

static void
no_mean_is_infinite_never_negative(void **state)
{
	double param[] = {0.1, 0.5, 15};

	assert_true(GG->expected_spend(param, 0, 0) == INFINITY);
	assert_true(GG->expected_spend(param, 5, 20) == INFINITY); /* p x + q = 1 */
	assert_true(GG->expected_spend(param, 6, 20) > 0);
}

static void
borders_of_the_density(void **state)
{
	double param[] = {6.25, 3.74, 15.44};

	assert_true(GG->spend_log_likelihood(param, 0, 0) == 0);
	assert_true(GG->spend_log_likelihood(param, 3, 0) == -INFINITY);
	assert_true(GG->spend_log_likelihood(param, 3, -1) == -INFINITY);
	assert_false(isnan(GG->spend_log_likelihood(param, 3, 1e308)));
	assert_false(isnan(GG->spend_log_likelihood(param, 3, 1e-308)));
}

/* The density over all means is 1: Simpson's rule over ln mean. */
static void
density_adds_up(void **state)
{
	static const double params[][3] = {{6.25, 3.74, 15.44}, {0.7, 1.1, 40}, {30, 2, 1}};

	for (int k = 0; k < 3; k++)
	{
		for (int x = 1; x <= 9; x += 4)
		{
			double sum = 0;
			int n = 40000;
			double h = 100.0 / n;

			for (int i = 0; i <= n; i++)
			{
				double ln = -50 + h * i;
				double weight = i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2;

				sum += weight * h / 3 * exp(GG->spend_log_likelihood(params[k], x, exp(ln)) + ln);
			}
			assert_true(fabs(sum - 1) < 1e-9);
		}
	}
}

/*
 * The distribution of a further purchase is the density's at q' and gamma', and
 * its mean is the expected spend.
 */
static void
spend_cdf_is_a_distribution(void **state)
{
	double param[] = {6.25, 3.74, 15.44};
	double posterior[] = {6.25, 6.25 * 2 + 3.74, 15.44 + 2 * 22.345};
	double mean = 0;
	double before = 0;
	double h = 0.001;

	if (GG->spend_cdf == NULL)
		skip();
	for (double s = 0; s < 4000; s += s < 400 ? 0.25 : 4)
	{
		double cdf = GG->spend_cdf(param, 2, 22.345, 1, s);
		double slope = (GG->spend_cdf(param, 2, 22.345, 1, s + h) -
						GG->spend_cdf(param, 2, 22.345, 1, s - h)) /
					   (2 * h);

		assert_true(cdf >= before && cdf <= 1);
		if (s > 1)
			assert_true(fabs(slope - exp(GG->spend_log_likelihood(posterior, 1, s))) < 1e-8);
		before = cdf;
		mean += (1 - cdf) * (s < 400 ? 0.25 : 4) * (s == 0 ? 0.5 : 1);
	}
	assert_true(Near(mean, GG->expected_spend(param, 2, 22.345), 1e-3));
	assert_true(GG->spend_cdf(param, 2, 22.345, 1, INFINITY) == 1);
	assert_true(GG->spend_cdf(param, 2, 22.345, 1, 0) == 0);
	assert_true(GG->spend_cdf(param, 2, 22.345, 0, 0) == 1);
	assert_true(GG->spend_cdf(param, 2, 22.345, 0, -1) == 0);
}

/* ---- fits ---- */

static void
published_cdnow_sample(void **state)
{
	Shop shop;
	ClvFitReport report;

	if (!LoadLog("data/cdnow_log_sample.csv", 2, DayNumber(1997, 9, 30), &shop))
		skip();
	assert_int_equal(shop.nrows, 946);
	assert_int_equal(FitSpend(GG, shop.rows, shop.nrows, NULL, &report), CLV_OK);
	assert_true(fabs(report.log_likelihood - -4055.92) < 0.005);
	assert_true(fabs(report.param[0] - 6.249) < 0.001);
	assert_true(fabs(report.param[1] - 3.744) < 0.001);
	assert_true(fabs(report.param[2] - 15.444) < 0.001);
	AgreesWithPeer(GG, &report, "oracles/gg_btyd_cdnow-39w_params.csv");
	AgreesWithPeer(GG, &report, "oracles/gg-rmfirst_cdnow-39w_params.csv");
	ShopFree(&shop);
}

static void
cdnow_master_against_peer(void **state)
{
	Shop shop;
	ClvFitReport report;

	if (!LoadLog("data/cdnow_log_full.csv", 1, DayNumber(1997, 9, 30), &shop))
		skip();
	assert_int_equal(FitSpend(GG, shop.rows, shop.nrows, NULL, &report), CLV_OK);
	AgreesWithPeer(GG, &report, "oracles/gg-rmfirst_cdnow-master-39w_params.csv");
	ShopFree(&shop);
}

#define BUYERS 20000

/* Simulated spend of customers, as an array that the caller frees. */
static ClvSpendRow *
SimulatedBuyers(const double *param, size_t n)
{
	ClvSpendRow *rows = malloc(n * sizeof(*rows));
	Chance chance = 2024;

	for (size_t i = 0; i < n; i++)
		rows[i] = DrawSpend(&chance, param, 1 + (int) (9 * pow(Uniform(&chance), 3)));
	return rows;
}

/* An Evaluator: the log-likelihood of spend. */
static void
Evaluate(void *data, const double *param, ClvQuadratic *at)
{
	clv_spend_rows_evaluate(data, param, at);
}

static void
derivatives_are_the_functions_own(void **state)
{
	static const double truth[] = {6, 4, 15};
	static const double points[][3] = {{6, 4, 15}, {0.3, 1.2, 200}, {40, 0.5, 1}};
	ClvSpendRow *rows = SimulatedBuyers(truth, 500);
	ClvSpendRow scratch[500];
	ClvPoll poll = {0};
	ClvSpendRows spend = {GG, rows, 500, &poll, NULL};

	assert_true(clv_spend_rows_sort(&spend, scratch));
	for (int k = 0; k < 3; k++)
	{
		ClvQuadratic at;
		double direct = 0;

		clv_spend_rows_evaluate(&spend, points[k], &at);
		for (int i = 0; i < 500; i++)
			direct += GG->spend_log_likelihood(points[k], rows[i].x, rows[i].mean);
		assert_true(Near(at.value, direct, 1e-12));
		CheckDerivatives(3, points[k], Evaluate, &spend);
	}
	free(rows);
}

static void
recovers_simulated_parameters(void **state)
{
	static const double truth[][3] = {{6, 4, 15}, {1.5, 2.2, 60}, {25, 8, 5}};

	for (int k = 0; k < 3; k++)
	{
		ClvSpendRow *rows = SimulatedBuyers(truth[k], BUYERS);
		ClvFitReport report;

		assert_int_equal(FitSpend(GG, rows, BUYERS, NULL, &report), CLV_OK);
		assert_true(report.gradient_norm < 1e-8);
		assert_true(report.customers == BUYERS);
		WithinErrors(GG, &report, truth[k], 4);
		free(rows);
	}
}

static void
order_changes_no_bit(void **state)
{
	static const double truth[] = {6, 4, 15};
	ClvSpendRow *rows = SimulatedBuyers(truth, BUYERS);
	ClvFitReport report;
	ClvFitReport shuffled;
	Chance chance = 5;

	FitSpend(GG, rows, BUYERS, NULL, &report);
	for (size_t i = BUYERS - 1; i > 0; i--)
	{
		size_t j = (size_t) (Uniform(&chance) * (double) (i + 1));
		ClvSpendRow row = rows[i];

		rows[i] = rows[j];
		rows[j] = row;
	}
	FitSpend(GG, rows, BUYERS, NULL, &shuffled);
	SameBits(GG, &report, &shuffled);
	free(rows);
}

static void
the_unit_of_money_is_free(void **state)
{
	static const double truth[] = {6, 4, 15};
	ClvSpendRow *rows = SimulatedBuyers(truth, BUYERS);
	ClvFitReport report;
	ClvFitReport small;

	FitSpend(GG, rows, BUYERS, NULL, &report);
	for (size_t i = 0; i < BUYERS; i++)
		rows[i].mean *= 1e-6;
	assert_int_equal(FitSpend(GG, rows, BUYERS, NULL, &small), CLV_OK);
	assert_true(Near(small.param[0], report.param[0], 1e-9));
	assert_true(Near(small.param[1], report.param[1], 1e-9));
	assert_true(Near(small.param[2] * 1e6, report.param[2], 1e-9));
	free(rows);
}

static void
says_what_is_wrong(void **state)
{
	ClvSpendRow rows[200];
	ClvFitReport report;

	for (int i = 0; i < 200; i++)
		rows[i] = (ClvSpendRow){10, 2, 0};
	assert_int_equal(FitSpend(GG, rows, 0, NULL, &report), CLV_TOO_FEW);
	assert_int_equal(FitSpend(GG, rows, 1, NULL, &report), CLV_TOO_FEW);
	assert_int_equal(FitSpend(GG, rows, 3, NULL, &report), CLV_TOO_FEW);
	assert_int_equal(FitSpend(GG, rows, 200, NULL, &report), CLV_NO_DROPOUT_SIGNAL);

	/* customers who differ by nothing but a trifle: the shapes run away */
	for (int i = 0; i < 200; i++)
		rows[i] = (ClvSpendRow){10 + 1e-9 * (i % 7), 1 + i % 3, 0};
	assert_int_equal(FitSpend(GG, rows, 200, NULL, &report), CLV_DEGENERATE);
	assert_true(report.iterations <= 40);

	/* one dearer customer, or two prices: where there is no maximum, that is found soon */
	for (int kind = 0; kind < 2; kind++)
	{
		for (int i = 0; i < 200; i++)
			rows[i] = (ClvSpendRow){kind == 0 ? (i == 0 ? 10.01 : 10) : (i % 5 < 2 ? 9.99 : 19.99),
									1 + i % 3, 0};
		assert_int_not_equal(FitSpend(GG, rows, 200, NULL, &report), CLV_NOT_CONVERGED);
		assert_true(report.iterations <= 40);
	}

	rows[7].mean = NAN;
	assert_int_equal(FitSpend(GG, rows, 200, NULL, &report), CLV_BAD_START);
	rows[7].mean = -3;
	assert_int_equal(FitSpend(GG, rows, 200, NULL, &report), CLV_BAD_START);
}

#define GROUPS 40

/* Covariates of the groups, two numbers each. */
static void
GroupCovariates(double *z)
{
	for (int g = 0; g < GROUPS; g++)
	{
		z[2 * g] = g % 2;
		z[2 * g + 1] = 1000 + g % 7;
	}
}

/* Buyers in groups, whose amounts are multiplied by e^(effect'z), the second of z less 1003. */
static ClvSpendRow *
GroupedBuyers(const double *param, const double *effect, const double *z, size_t n)
{
	ClvSpendRow *rows = SimulatedBuyers(param, n);

	for (size_t i = 0; i < n; i++)
	{
		uint32_t g = rows[i].group = (uint32_t) (i * 17 % GROUPS);

		rows[i].mean *= exp(effect[0] * z[2 * g] + effect[1] * (z[2 * g + 1] - 1003));
	}
	return rows;
}

static void
derivatives_by_effects_are_the_functions_own(void **state)
{
	static const double truth[] = {6, 4, 15};
	static const double effect[] = {0.4, -0.1};
	static const double points[][7] = {{6, 4, 15, 0, 0}, {2, 1.5, 40, 0.3, -0.2}};
	double z[2 * GROUPS];
	ClvSpendRow *rows;
	ClvSpendRow scratch[500];
	ClvPoll poll = {0};
	ClvCovariates covariates = {.n = 2, .z = z, .mean = {0.5, 1003}, .row = {2, 0.1, 0.5}};
	ClvSpendRows spend = {GG, NULL, 500, &poll, &covariates};

	GroupCovariates(z);
	rows = spend.rows = GroupedBuyers(truth, effect, z, 500);
	assert_true(clv_spend_rows_sort(&spend, scratch));
	for (int k = 0; k < 2; k++)
	{
		const double *point = points[k];
		ClvQuadratic at;
		double direct = 0;

		clv_spend_rows_evaluate(&spend, point, &at);
		for (int i = 0; i < 500; i++)
		{
			double w[2];
			double param[3] = {point[0], point[1], point[2]};

			clv_covariates_of(&covariates, rows[i].group, w);
			param[2] *= exp(point[3] * w[0] + point[4] * w[1]);
			direct += GG->spend_log_likelihood(param, rows[i].x, rows[i].mean);
		}
		assert_true(Near(at.value, direct, 1e-12));
		for (int i = 3; i < 5; i++)
		{
			double moved[2][7];
			ClvQuadratic off[2];

			for (int side = 0; side < 2; side++)
			{
				memcpy(moved[side], point, sizeof(moved[side]));
				moved[side][i] += side == 0 ? 1e-5 : -1e-5;
				clv_spend_rows_evaluate(&spend, moved[side], &off[side]);
			}
			assert_true(Near((off[0].value - off[1].value) / 2e-5, at.gradient[i], 1e-5));
			for (int j = 0; j <= i; j++)
				assert_true(Near((off[0].gradient[j] - off[1].gradient[j]) / 2e-5,
								 at.hessian[CLV_AT(i, j)], 1e-5));
		}
	}
	free(rows);
}

static void
recovers_simulated_effects(void **state)
{
	static const double truth[] = {6, 4, 15};
	static const double effect[] = {0.4, -0.1};
	static const double none[] = {0, 0};
	double z[2 * GROUPS];
	ClvGroups groups = {GROUPS, 2, z, NULL};
	ClvFitControl control = {0};
	void *workspace = malloc(clv_fit_spend_workspace(GG, BUYERS, GROUPS));

	GroupCovariates(z);
	for (int zero = 0; zero < 2; zero++)
	{
		ClvSpendRow *rows = GroupedBuyers(truth, zero ? none : effect, z, BUYERS);
		ClvFitReport alike;
		ClvFitReport report;

		FitSpend(GG, rows, BUYERS, NULL, &alike);
		assert_int_equal(clv_fit_spend(GG, rows, BUYERS, &groups, &control, workspace, &report),
						 CLV_OK);
		assert_int_equal(report.neffects, 4);
		assert_true(report.log_likelihood >= alike.log_likelihood);
		assert_true(report.effect[2] == 0 && report.effect[3] == 0);
		for (int j = 0; j < 2; j++)
			assert_true(fabs(report.effect[j] - (zero ? 0 : effect[j])) <
						3 * sqrt(report.covariance[CLV_AT(3 + j, 3 + j)]));
		free(rows);
	}
	z[1] = NAN;
	{
		ClvSpendRow *rows = GroupedBuyers(truth, none, z, 500);
		ClvFitReport report;

		for (int i = 0; i < 500; i++)
			rows[i].mean = 5 + i % 3;
		assert_int_equal(clv_fit_spend(GG, rows, 500, &groups, &control, workspace, &report),
						 CLV_BAD_START);
		z[1] = 1000;
		for (int g = 0; g < GROUPS; g++)
			z[2 * g] = 3 * z[2 * g + 1] + 1;
		assert_int_equal(clv_fit_spend(GG, rows, 500, &groups, &control, workspace, &report),
						 CLV_COLLINEAR);
		assert_int_equal(report.degenerate_param, 3 + 1);
		free(rows);
	}
	free(workspace);
}

static void
penalty_draws_shapes_towards_one(void **state)
{
	static const double truth[] = {6, 4, 15};
	ClvSpendRow *rows = SimulatedBuyers(truth, BUYERS);
	ClvFitControl control = {.shape_penalty = 0.1};
	ClvFitReport free_fit;
	ClvFitReport drawn;

	FitSpend(GG, rows, BUYERS, NULL, &free_fit);
	assert_int_equal(FitSpend(GG, rows, BUYERS, &control, &drawn), CLV_OK);
	assert_true(drawn.param[0] < free_fit.param[0] && drawn.param[0] > 1);
	assert_true(drawn.param[1] < free_fit.param[1]);
	assert_true(drawn.log_likelihood < free_fit.log_likelihood);
	free(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values),
		cmocka_unit_test(no_mean_is_infinite_never_negative),
		cmocka_unit_test(borders_of_the_density),
		cmocka_unit_test(density_adds_up),
		cmocka_unit_test(spend_cdf_is_a_distribution),
		cmocka_unit_test(published_cdnow_sample),
		cmocka_unit_test(cdnow_master_against_peer),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(recovers_simulated_parameters),
		cmocka_unit_test(order_changes_no_bit),
		cmocka_unit_test(the_unit_of_money_is_free),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(derivatives_by_effects_are_the_functions_own),
		cmocka_unit_test(recovers_simulated_effects),
		cmocka_unit_test(penalty_draws_shapes_towards_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
