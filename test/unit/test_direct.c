/*
 * test_direct.c
 *		Families without the two terms, with outcomes, fixed parameters and parameters
 *		between 0 and 1: toys whose answers are known.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fitting.h"
#include "families/registry.h"

#define CUSTOMERS 20000

/* ---- mbg/nbd, cell by cell ---- */

/* The log-likelihood of a customer, written as one term instead of three. */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	ClvTerm common;
	ClvTerm departed;
	ClvTerm alive;
	double share;

	assert_true(isnan(outcome));
	clv_mbgnbd.ln_common(param, x, &common);
	clv_mbgnbd.departed(param, x, &t_x, 1, &departed);
	clv_mbgnbd.alive(param, x, &T, 1, &alive);
	share = 1 / (1 + exp(alive.ln - departed.ln));
	term->ln = common.ln + log(exp(departed.ln) + exp(alive.ln));
	for (int i = 0; i < 4; i++)
	{
		term->gradient[i] =
			common.gradient[i] + share * departed.gradient[i] + (1 - share) * alive.gradient[i];
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] =
				common.hessian[CLV_AT(i, j)] + share * departed.hessian[CLV_AT(i, j)] +
				(1 - share) * alive.hessian[CLV_AT(i, j)] +
				share * (1 - share) * (departed.gradient[i] - alive.gradient[i]) *
					(departed.gradient[j] - alive.gradient[j]);
	}
}

/* mbg/nbd whose likelihood is computed by Cell. */
static ClvFamily
Direct(void)
{
	ClvFamily family = clv_mbgnbd;

	family.ln_common = NULL;
	family.departed = NULL;
	family.alive = NULL;
	family.cell = Cell;
	return family;
}

/* Simulated customers and a covariate for each; the caller frees them. */
static ClvCell *
Customers(double *z, uint64_t seed)
{
	static const double truth[] = {.6, 20, 1.2, 3};
	ClvCell *cells = malloc(CUSTOMERS * sizeof(ClvCell));
	Chance chance = seed;

	for (uint32_t i = 0; i < CUSTOMERS; i++)
	{
		cells[i] = DrawCustomer(&chance, truth, 1, floor(10 + 100 * Uniform(&chance)), 1);
		z[i] = floor(10 * Uniform(&chance));
	}
	return cells;
}

static void
cells_give_what_tables_give(void **state)
{
	ClvFamily direct = Direct();
	double *z = malloc(CUSTOMERS * sizeof(double));
	ClvCell *cells = Customers(z, 1);

	for (int ncovariates = 0; ncovariates < 2; ncovariates++)
	{
		ClvGroups groups = {CUSTOMERS, ncovariates, z, NULL};
		ClvFitReport a;
		ClvFitReport b;

		for (uint32_t i = 0; i < CUSTOMERS; i++)
			cells[i].group = i;
		assert_int_equal(FitGroups(&clv_mbgnbd, cells, CUSTOMERS, &groups, NULL, &a), CLV_OK);
		assert_int_equal(FitGroups(&direct, cells, CUSTOMERS, &groups, NULL, &b), CLV_OK);
		assert_true(fabs(a.log_likelihood / b.log_likelihood - 1) < 1e-12);
		for (int i = 0; i < 4; i++)
			assert_true(fabs(a.param[i] / b.param[i] - 1) < 1e-8);
		for (int i = 0; i < 2 * ncovariates; i++)
			assert_true(fabs(a.effect[i] - b.effect[i]) < 1e-8);
		for (int i = 0; i < CLV_TRIANGLE(4 + 2 * ncovariates); i++)
			assert_true(fabs(a.covariance[i] / b.covariance[i] - 1) < 1e-6);
	}
	free(cells);
	free(z);
}

/* ---- parameters that stay where they are ---- */

static void
fixed_parameters_leave_the_search(void **state)
{
	ClvFamily family = clv_mbgnbd;
	double *z = malloc(CUSTOMERS * sizeof(double));
	ClvCell *cells = Customers(z, 2);
	ClvFitReport whole;
	ClvFitReport held;
	ClvFitReport worse;
	ClvFitControl control = {.fixed = whole.param};

	family.transform[1] = CLV_FIXED;
	assert_int_equal(FitCells(&clv_mbgnbd, cells, CUSTOMERS, NULL, &whole), CLV_OK);
	assert_int_equal(FitCells(&family, cells, CUSTOMERS, &control, &held), CLV_OK);
	assert_true(held.param[1] == whole.param[1]);
	for (int i = 0; i < 4; i++)
	{
		/* held at its best value, a parameter leaves the others at theirs, but surer */
		assert_true(fabs(held.param[i] / whole.param[i] - 1) < 1e-6);
		assert_true(held.covariance[CLV_AT(i, i)] < whole.covariance[CLV_AT(i, i)]);
		assert_true(held.covariance[i > 1 ? CLV_AT(i, 1) : CLV_AT(1, i)] == 0);
	}
	control.fixed = (double[]){NAN, 2 * whole.param[1], NAN, NAN};
	assert_int_equal(FitCells(&family, cells, CUSTOMERS, &control, &worse), CLV_OK);
	assert_true(worse.param[1] == 2 * whole.param[1]);
	assert_true(worse.log_likelihood < held.log_likelihood - 1);
	assert_true(worse.gradient_norm < 1e-8);
	free(cells);
	free(z);
}

/* ---- outcomes, and a parameter between 0 and 1 ---- */

/* Of those with x = 0 a share p comes back, of others the odds are w times as good. */
static void
CampaignCell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	double odds = param[0] / (1 - param[0]) * (x > 0 ? param[1] : 1);
	double p = odds / (1 + odds);
	double by[] = {1, x > 0};

	term->ln = outcome * log(p) + (1 - outcome) * log1p(-p);
	for (int i = 0; i < 2; i++)
	{
		term->gradient[i] = (outcome - p) * by[i];
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] = -p * (1 - p) * by[i] * by[j];
	}
}

/* The only start value of the family of campaigns. */
static bool
CampaignStart(const ClvMoments *moments, int which, double *param)
{
	param[0] = 0.9;
	param[1] = 1;
	return which == 0;
}

static const ClvFamily campaign = {
	.name = "campaign",
	.process = CLV_TRANSACTION,
	.nparams = 2,
	.param_names = {"p", "w"},
	.clock = CLV_CAMPAIGNS,
	.transform = {CLV_LOGIT, CLV_LOG},
	.start = CampaignStart,
	.cell = CampaignCell,
};

static void
outcomes_reach_the_family(void **state)
{
	static const double outcome[] = {0, 1};
	ClvGroups groups = {2, 0, NULL, outcome};
	ClvCell cells[] = {{0, 0, 0, 9, 70}, {0, 1, 0, 9, 30}, {3, 0, 4, 9, 20}, {2, 1, 8, 9, 20}};
	ClvFitReport report;

	assert_int_equal(FitGroups(&campaign, cells, 4, &groups, NULL, &report), CLV_OK);
	assert_true(fabs(report.param[0] - 0.3) < 1e-10);
	assert_true(fabs(report.param[1] - 7.0 / 3) < 1e-9);
	/* the variance of the log odds of 30 in 100 */
	assert_true(fabs(report.covariance[0] - (1 / 30.0 + 1 / 70.0)) < 1e-9);
	assert_true(fabs(report.log_likelihood - (30 * log(.3) + 70 * log(.7) + 40 * log(.5))) < 1e-9);

	/* all alike in what came of it; no outcomes; one that is none */
	for (int i = 0; i < 4; i++)
		cells[i].group = 1;
	assert_int_equal(FitGroups(&campaign, cells, 4, &groups, NULL, &report), CLV_NO_DROPOUT_SIGNAL);
	groups.outcome = NULL;
	assert_int_equal(FitGroups(&campaign, cells, 4, &groups, NULL, &report), CLV_BAD_START);
	groups.outcome = (double[]){0, NAN};
	assert_int_equal(FitGroups(&campaign, cells, 4, &groups, NULL, &report), CLV_BAD_START);
}

/* No customer without a purchase came back: p tends to 0, and is named. */
static void
names_the_share_that_vanishes(void **state)
{
	static const double outcome[] = {0, 1};
	ClvGroups groups = {2, 0, NULL, outcome};
	ClvCell cells[] = {{0, 0, 0, 9, 100}, {3, 0, 4, 9, 20}, {2, 1, 8, 9, 20}};
	ClvFitReport report;

	assert_int_equal(FitGroups(&campaign, cells, 3, &groups, NULL, &report), CLV_DEGENERATE);
	assert_in_range(report.degenerate_param, 0, 1);
	assert_true(report.param[0] < 1e-3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_give_what_tables_give),
		cmocka_unit_test(fixed_parameters_leave_the_search),
		cmocka_unit_test(outcomes_reach_the_family),
		cmocka_unit_test(names_the_share_that_vanishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
