/*
 * test_paretonbd_cor.c
 *		Rates that are correlated: reference values (test/oracle/paretonbdcor.py says what
 *		they are from), the sum of four pareto/nbd, what must hold for any parameters,
 *		derivatives, and fits, most of which end at a limit of m.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "families/clocks.h"
#include "lifetimes.h"

#define TIED (&clv_paretonbd_cor)
#define PARETO (&clv_paretonbd)
#define M 4

/* Weeks, days and years of CDNOW; and rates so large that e^-lambda says much. */
static const double shapes[][CLV_MAX_PARAMS] = {
	{0.53, 9.85, 0.49, 9.17, 21},    {0.53, 9.85, 0.49, 9.17, -1.1},
	{0.55, 73, 0.58, 78, 135},       {0.53, 0.19, 0.31, 0.12, 2.9},
	{2.5, 0.8, 1.5, 0.6, -1.2},      {1.4, 0.9, 0.8, 0.8, 1.5},
	{30.5, 49, 0.6, 50, 0.9},        {2, 3, 1, 3, 2.8},
	{0.02, 100, 0.05, 30, -0.9},     {5, 200, 30, 20, 1},
	{0.553, 10.58, 0.606, 11.67, 0},
};

static const Lives lives = {TIED, shapes, sizeof(shapes) / sizeof(shapes[0])};

/* ---- reference values ---- */

/* Relative errors stay below 2e-14, also where the unit is an hour of lives of years. */
static void
every_quantity_is_the_reference(void **state)
{
	Oracle oracle = {.file = fopen("test/oracle/paretonbdcor.csv", "r")};

	assert_non_null(oracle.file);
	oracle.columns =
		ReadFields(oracle.file, oracle.header, sizeof(oracle.header), oracle.names, ORACLE_COLUMNS);
	while (NextRow(&oracle))
		ReferenceRow(TIED, &oracle, REFERENCE_TOLERANCE);
	assert_true(oracle.row > 55);
}

/* Without a tie there is nothing but pareto/nbd, to the bit. */
static void
m_of_zero_is_paretonbd(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		double param[CLV_MAX_PARAMS];
		double p[2][50];

		memcpy(param, shapes[i], sizeof(param));
		param[M] = 0;
		for (int x = 0; x < 200; x = 3 * x + 1)
		{
			assert_true(TIED->log_likelihood(param, x, 20, 39) ==
						PARETO->log_likelihood(param, x, 20, 39));
			assert_true(TIED->ln_p_alive(param, x, 20, 39) == PARETO->ln_p_alive(param, x, 20, 39));
			assert_true(clv_expected_given(TIED, param, x, 20, 39, 52) ==
						clv_expected_given(PARETO, param, x, 20, 39, 52));
			assert_true(clv_probability_given(TIED, param, x, 20, 39, x, 52) ==
						clv_probability_given(PARETO, param, x, 20, 39, x, 52));
			assert_true(TIED->discounted(param, 0.01, x) == PARETO->discounted(param, 0.01, x));
			assert_true(TIED->survival(param, x) == PARETO->survival(param, x));
		}
		TIED->probabilities(param, 30, 50, p[0]);
		PARETO->probabilities(param, 30, 50, p[1]);
		assert_memory_equal(p[0], p[1], sizeof(p[0]));
	}
}

/* ---- the sum of four pareto/nbd that it is ---- */

typedef struct Four
{
	double weight[4];
	double param[4][4];
} Four;

/* The four products of gamma densities that Sarmanov's density is a sum of, with their weights. */
static Four
Multiply(const double *param)
{
	double c = exp(-param[0] * log1p(1 / param[1]));
	double d = exp(-param[2] * log1p(1 / param[3]));
	Four four;

	for (int k = 0; k < 4; k++)
	{
		four.weight[k] = param[M] * c * d * (k == 1 || k == 2 ? -1 : 1) + (k == 0);
		memcpy(four.param[k], param, sizeof(four.param[k]));
		four.param[k][1] += k & 1;
		four.param[k][3] += k >> 1;
	}
	return four;
}

/* Digits are lost in the sum, not in what is tested: shapes[2] has weights of 130. */
static void
likelihood_is_a_sum_of_four(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		Four four = Multiply(shapes[i]);

		for (int x = 0; x < 30; x = 3 * x + 1)
		{
			double whole = 0;
			double alive = 0;
			double one = PARETO->log_likelihood(shapes[i], x, 11, 39);

			for (int k = 0; k < 4; k++)
			{
				double ln = PARETO->log_likelihood(four.param[k], x, 11, 39);

				whole += four.weight[k] * exp(ln - one);
				alive +=
					four.weight[k] * exp(ln - one + PARETO->ln_p_alive(four.param[k], x, 11, 39));
			}
			AssertRelative("L", TIED->log_likelihood(shapes[i], x, 11, 39), one + log(whole),
						   1e-11);
			if (alive > 1e-6)
				AssertRelative("P(alive)", exp(TIED->ln_p_alive(shapes[i], x, 11, 39)),
							   alive / whole, 1e-9);
		}
	}
}

/* E[lambda mu] from the four; Sarmanov's correlation is what is reported. */
static void
correlation_is_that_of_the_rates(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		const double *param = shapes[i];
		Four four = Multiply(param);
		double covariance = -param[0] / param[1] * param[2] / param[3];
		double gradient[CLV_MAX_PARAMS];
		double unused[CLV_MAX_PARAMS];
		double rho = TIED->derived(param, gradient, NULL);

		for (int k = 0; k < 4; k++)
			covariance +=
				four.weight[k] * param[0] / four.param[k][1] * param[2] / four.param[k][3];
		assert_true(fabs(rho - covariance / (sqrt(param[0] * param[2]) / (param[1] * param[3]))) <=
					1e-10);
		for (int k = 0; k <= M; k++)
		{
			double moved[2][CLV_MAX_PARAMS];
			double h = 1e-4;

			for (int side = 0; side < 2; side++)
			{
				memcpy(moved[side], param, sizeof(moved[side]));
				moved[side][k] = clv_moved(TIED->transform[k], param[k], side ? h : -h);
			}
			assert_true(fabs((TIED->derived(moved[1], unused, NULL) -
							  TIED->derived(moved[0], unused, NULL)) /
								 (2 * h) -
							 gradient[k]) < 1e-7);
		}
	}
}

/* ---- limits ---- */

static void
limits_are_where_the_density_vanishes(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		double param[CLV_MAX_PARAMS];
		double c = exp(-shapes[i][0] * log1p(1 / shapes[i][1]));
		double d = exp(-shapes[i][2] * log1p(1 / shapes[i][3]));
		double limit[2];
		ClvTerm barrier;

		memcpy(param, shapes[i], sizeof(param));
		TIED->limits(param, &limit[0], &limit[1]);
		assert_true(limit[0] < -1 && limit[1] > 1);
		assert_true(param[M] > limit[0] && param[M] < limit[1]);
		for (int side = 0; side < 2; side++)
		{
			double least = INFINITY;

			for (int one = 0; one < 2; one++)
			{
				for (int two = 0; two < 2; two++)
					least = fmin(least, 1 + limit[side] * (one - c) * (two - d));
			}
			assert_true(fabs(least) < 1e-12);
			param[M] = limit[side] * (1 - 1e-9);
			TIED->log_barrier(param, &barrier);
			assert_true(isfinite(barrier.ln));
			param[M] = limit[side] * (1 + 1e-9);
			TIED->log_barrier(param, &barrier);
			assert_true(barrier.ln == -INFINITY);
		}
		param[M] = 0;
		TIED->log_barrier(param, &barrier);
		assert_true(barrier.ln == 0);
	}
}

/* ---- what must hold for any parameters ---- */

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
		{{0.55, 10.6, 0.6, 11.7, 1.5}, 1000, 1e5, 6.1160270836848679e-6},
		{{0.55, 10.6, 0.6, 11.7, 1.5}, 1e8, 1e10, 6.1248345845423851e-14},
		{{0.55, 10.6, 0.6, 11.7, 1.5}, 2147483647, 1e11, 4.7601917604029625e-16},
	};

	ManyPurchasesAreExact(TIED, many, sizeof(many) / sizeof(many[0]));
}

static void
far_blocks_agree(void **state)
{
	static const double many[] = {300, 2, 0.6, 11.7, 0.1};

	FarBlocksAgree(TIED, many, 18.1);
}

static void
expectations_rise_to_their_limit(void **state)
{
	ExpectationsRise(&lives);
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

/* What was known after 50 and is known after 70; what happens to those who are known. */
static void
updating_is_consistent(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		const double *param = shapes[i];
		double p[MANY];
		double sum = 0;
		double mean = 0;
		ClvFuture future = {0};

		AssertRelative("P(0)",
					   TIED->probability(param, 0, 50) *
						   clv_probability_given(TIED, param, 0, 0, 50, 0, 20),
					   TIED->probability(param, 0, 70), 1e-11);
		AssertRelative("P(alive)", LnPAliveAhead(TIED, param, 0, 0, 20, 30),
					   log(clv_expected_given(TIED, param, 0, 0, 20, 0) +
						   exp(LnPAliveAhead(TIED, param, 0, 0, 20, 30))),
					   1e-11);
		TIED->given_alive(param, 3, 50, &future);
		assert_true(future.family->survival(future.param, 0) == 1);
		future.family->probabilities(future.param, 8, MANY, p);
		for (int n = MANY - 1; n >= 0; n--)
		{
			assert_true(p[n] >= 0 && p[n] <= 1);
			sum += p[n];
			mean += n * p[n];
		}
		AssertRelative("sum", sum, 1, 1e-12);
		AssertRelative("mean", mean, future.family->expected(future.param, 8), 1e-11);
		for (int n = 0; n < 40; n += 3)
			AssertRelative("P(n)", p[n], future.family->probability(future.param, n, 8), 1e-9);
	}
}

/* At the limits, and in the corners of what can be known, nothing is beyond its range. */
static void
nothing_is_beyond_its_range(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		double param[CLV_MAX_PARAMS];
		double limit[2];

		memcpy(param, shapes[i], sizeof(param));
		TIED->limits(param, &limit[0], &limit[1]);
		for (int k = 0; k < 48; k++)
		{
			static const double ages[] = {0, 1e-3, 30, 1e9};
			double x = k / 16 * 40;
			double T = ages[k / 4 % 4];
			double t_x = x > 0 ? T : 0;
			double t = ages[k % 4];

			param[M] = limit[k % 2];
			assert_true(isfinite(TIED->log_likelihood(param, x, t_x, T)));
			assert_true(TIED->ln_p_alive(param, x, t_x, T) <= 0);
			assert_true(clv_expected_given(TIED, param, x, t_x, T, t) >= 0);
			assert_true(clv_discounted_given(TIED, param, x, t_x, T, 0.01, INFINITY) >= 0);
			for (int n = 0; n < 3; n++)
			{
				double p = clv_probability_given(TIED, param, x, t_x, T, n, t);

				assert_true(p >= 0 && p <= 1);
			}
		}
	}
}

/* ---- derivatives ---- */

/* By asinh m, since differences after the first four move their variable itself, not its logarithm.
 */
static void
EvaluateCorrelated(void *data, const double *point, ClvQuadratic *at)
{
	double param[CLV_MAX_PARAMS];

	memcpy(param, point, sizeof(param));
	param[M] = sinh(point[M]);
	clv_cells_evaluate(data, param, at);
}

/* An Evaluator: the log barrier of m. */
static void
EvaluateBarrier(void *data, const double *point, ClvQuadratic *at)
{
	double param[CLV_MAX_PARAMS];
	ClvTerm barrier;

	memcpy(param, point, sizeof(param));
	param[M] = sinh(point[M]);
	TIED->log_barrier(param, &barrier);
	at->value = barrier.ln;
	memcpy(at->gradient, barrier.gradient, sizeof(barrier.gradient));
	memcpy(at->hessian, barrier.hessian, sizeof(barrier.hessian));
}

static void
derivatives_are_the_functions_own(void **state)
{
	for (int i = 0; i < lives.n; i++)
	{
		size_t n = 400;
		ClvCell *cells = DrawLives(PARETO, shapes[0], n, i % 2 / 7.0, 3 + i);
		ClvPoll poll = {0};
		ClvCellTable engine = {.family = TIED, .cells = cells, .n = n, .poll = &poll};
		ClvArena arena = {malloc(clv_fit_cells_workspace(TIED, n)), 0};
		ClvQuadratic at;
		double point[CLV_MAX_PARAMS];
		double direct = 0;

		memcpy(point, shapes[i], sizeof(point));
		point[M] *= 0.8;
		for (size_t k = 0; k < n; k++)
			direct += TIED->log_likelihood(point, cells[k].x, cells[k].t_x, cells[k].T);
		clv_cell_table_lay_out(&engine, &arena, n);
		assert_true(clv_cells_sort(&engine));
		clv_cells_index(&engine);
		clv_cells_evaluate(&engine, point, &at);
		AssertRelative("ln L of all", at.value, direct, 1e-12);
		point[M] = asinh(point[M]);
		CheckPoint(5, 4, point, EvaluateCorrelated, &engine);
		CheckPoint(5, 4, point, EvaluateBarrier, NULL);
		free(arena.base);
		free(cells);
	}
}

/* ---- fits ---- */

/* Rates by rejection from independent ones: the density is at most so many times theirs. */
static void
DrawRates(Chance *chance, const double *param, double *lambda, double *mu)
{
	double c = exp(-param[0] * log1p(1 / param[1]));
	double d = exp(-param[2] * log1p(1 / param[3]));
	double most = 1 + fabs(param[M]);

	do
	{
		*lambda = Gamma(chance, param[0]) / param[1];
		*mu = Gamma(chance, param[2]) / param[3];
	} while (Uniform(chance) * most > 1 + param[M] * (exp(-*lambda) - c) * (exp(-*mu) - d));
}

/* Simulated customers with correlated rates, as an array that the caller frees. */
static ClvCell *
DrawCorrelated(const double *param, size_t n, Chance chance)
{
	ClvCell *cells = malloc(n * sizeof(ClvCell));

	for (size_t i = 0; i < n; i++)
	{
		double lambda;
		double mu;

		DrawRates(&chance, param, &lambda, &mu);
		cells[i] =
			DrawLife(&chance, lambda, Exponential(&chance) / mu, 1 + 9 * Uniform(&chance), 0);
	}
	return cells;
}

/* Under the sanitizers every fit takes five times as long: there the few stand for the many. */
#ifdef __SANITIZE_ADDRESS__
enum
{
	SHOPS = 3,
	STARTS = 1
};
#else
enum
{
	SHOPS = 6,
	STARTS = 4
};
#endif

/* Few, and so many that a sample goes ahead. */
static void
recovers_simulated_parameters(void **state)
{
	static const double truth[][CLV_MAX_PARAMS] = {
		{1.4, 0.9, 0.8, 0.8, 2}, {1.4, 0.9, 0.8, 0.8, -2.5}, {1.4, 0.9, 0.8, 0.8, 0}};

	for (int i = 0; i < SHOPS; i++)
	{
		size_t n = i < 3 ? 12000 : 40000;
		const double *param = truth[i % 3];
		ClvCell *cells = DrawCorrelated(param, n, 61 + i);
		ClvFitReport report;
		ClvFitReport alone;

		assert_int_equal(FitCells(TIED, cells, n, NULL, &report), CLV_OK);
		assert_int_equal(FitCells(PARETO, cells, n, NULL, &alone), CLV_OK);
		assert_true(report.has_covariance && report.gradient_norm < 1e-8);
		for (int k = 0; k <= M; k++)
		{
			double off = clv_searched(TIED->transform[k], report.param[k]) -
						 clv_searched(TIED->transform[k], param[k]);

			assert_true(fabs(off) < 4 * sqrt(report.covariance[CLV_AT(k, k)]));
		}
		/* chi-squared of one degree where m is 0, and far from that elsewhere */
		if (param[M] == 0)
			assert_in_range((long) (report.log_likelihood - alone.log_likelihood + 1e-9), 0, 7);
		else
			assert_true(report.log_likelihood > alone.log_likelihood + 5);
		free(cells);
	}
}

/* Our own, found from several places; each is a limit, in cdnow's weeks two at once. */
static void
shops_are_at_the_limit(void **state)
{
	static const struct
	{
		const char *log;
		int column;
		long year;
		double unit;
		double height;
	} shops[] = {{"data/cdnow_log_sample.csv", 2, 1997, 1, -9591.6657594},
				 {"data/cdnow_log_sample.csv", 2, 1997, 30.4375 / 7, -5975.2360158},
				 {"data/apparel_log.csv", 1, 2006, 1, -5848.0264263}};

	for (int i = 0; i < 3; i++)
	{
		long as_of = shops[i].year == 1997 ? DayNumber(1997, 9, 30) : DayNumber(2006, 12, 31);
		ClvFitReport report;
		ClvFitReport again;
		double low;
		double high;
		Shop shop;

		if (!LoadLog(shops[i].log, shops[i].column, as_of, &shop))
			skip();
		for (size_t k = 0; k < shop.n; k++)
		{
			shop.cells[k].t_x /= shops[i].unit;
			shop.cells[k].T /= shops[i].unit;
		}
		assert_int_equal(FitCells(TIED, shop.cells, shop.n, NULL, &report), CLV_DEGENERATE);
		assert_int_equal(report.degenerate_param, M);
		assert_true(fabs(report.log_likelihood - shops[i].height) < 1e-6);
		TIED->limits(report.param, &low, &high);
		assert_true(report.param[M] < high && report.param[M] > 0.999999 * high);
		/* no point within the limits is higher: from elsewhere the same is found */
		for (int k = 0; k < STARTS; k++)
		{
			double start[] = {k & 1 ? 3 : 0.2, 5 / shops[i].unit, 1.5, 40 / shops[i].unit,
							  k & 2 ? -0.9 : 0.9};
			ClvFitControl control = {.start = start};

			assert_int_equal(FitCells(TIED, shop.cells, shop.n, &control, &again), CLV_DEGENERATE);
			assert_true(fabs(again.log_likelihood - shops[i].height) < 1e-6);
		}
		ShopFree(&shop);
	}
}

/* Neither is a limit, where a year is the unit. */
static void
the_apparel_shop_by_the_year(void **state)
{
	ClvFitReport report;
	ClvFitReport alone;
	Shop shop;

	if (!LoadLog("data/apparel_log.csv", 1, DayNumber(2006, 12, 31), &shop))
		skip();
	for (size_t k = 0; k < shop.n; k++)
	{
		shop.cells[k].t_x /= 365.25 / 7;
		shop.cells[k].T /= 365.25 / 7;
	}
	assert_int_equal(FitCells(TIED, shop.cells, shop.n, NULL, &report), CLV_OK);
	assert_int_equal(FitCells(PARETO, shop.cells, shop.n, NULL, &alone), CLV_OK);
	assert_true(report.gradient_norm < 1e-8);
	assert_true(report.log_likelihood > alone.log_likelihood);
	ShopFree(&shop);
}

/* With m = 0 the likelihood is that of pareto/nbd, also where E[e^-lambda] is below any double. */
static void
nothing_is_lost_below_any_double(void **state)
{
	static const double param[] = {583182.56529936998, 1, 1, 1, 0};
	double p[3];
	double alone[3];
	ClvTerm tied;
	ClvTerm free;

	TIED->cell(param, 1, 0, 1, NAN, &tied);
	PARETO->cell(param, 1, 0, 1, NAN, &free);
	assert_true(fabs(tied.ln - free.ln) < 1e-9 * fabs(free.ln));
	for (int i = 0; i < PARETO->nparams; i++)
		assert_true(fabs(tied.gradient[i] - free.gradient[i]) < 1e-9 * fabs(free.gradient[i]));
	TIED->alive(param, 1, &(double){1}, 1, &tied);
	PARETO->alive(param, 1, &(double){1}, 1, &free);
	assert_true(fabs(tied.ln - free.ln) < 1e-9 * fabs(free.ln));
	TIED->probabilities(param, 1e-5, 3, p);
	PARETO->probabilities(param, 1e-5, 3, alone);
	for (int n = 0; n < 3; n++)
		assert_true(fabs(p[n] - alone[n]) < 1e-9 * alone[n]);
}

/* m may go as far as 1 / E[e^-lambda], whose square no double holds. */
static void
derivatives_by_a_large_m_are_numbers(void **state)
{
	static const double param[] = {522.8, 1, 269030, 0.003, 3.25e156};
	ClvTerm term;
	double low;
	double high;

	TIED->limits(param, &low, &high);
	assert_true(param[4] < high);
	TIED->cell(param, 0, 0, 0, NAN, &term);
	assert_true(term.ln == 0);
	for (int i = 0; i < TIED->nparams; i++)
		assert_true(term.gradient[i] == 0);
}

/* The four means of which a likelihood by the calendar consists can be e^1000 times each other. */
static void
calendars_hold_what_doubles_do_not(void **state)
{
	static const double param[] = {87.7, 0.00244, 36.7, 0.00334, 1e91};
	const double x = 1665, t_x = 4460, T = 6536;
	static const double effects[] = {0, 0};
	ClvStretch stretch;
	ClvClocks clocks = {1, &stretch, 1, &(double){1}};
	ClvTerm plain;
	ClvWideTerm term;

	clv_clocks_set(&stretch, 1, &(double){0}, clocks.z, 1, effects);
	TIED->cell(param, x, t_x, T, NAN, &plain);
	assert_true(fabs(TIED->clocked->log_likelihood(TIED, param, x, &clocks, t_x, T) - plain.ln) <
				1e-6);
	TIED->clocked->term(TIED, param, x, &clocks, t_x, T, &term);
	assert_true(fabs(term.ln - plain.ln) < 1e-6);
	for (int i = 0; i < TIED->nparams; i++)
		assert_true(fabs(term.gradient[i] - plain.gradient[i]) < 1e-6 * fabs(plain.gradient[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_quantity_is_the_reference),
		cmocka_unit_test(m_of_zero_is_paretonbd),
		cmocka_unit_test(likelihood_is_a_sum_of_four),
		cmocka_unit_test(correlation_is_that_of_the_rates),
		cmocka_unit_test(limits_are_where_the_density_vanishes),
		cmocka_unit_test(probabilities_sum_to_one),
		cmocka_unit_test(recurrence_agrees_with_single_probabilities),
		cmocka_unit_test(many_purchases_are_exact),
		cmocka_unit_test(far_blocks_agree),
		cmocka_unit_test(expectations_rise_to_their_limit),
		cmocka_unit_test(p_alive_falls_with_time_since_the_last_purchase),
		cmocka_unit_test(quantiles_are_the_smallest_counts),
		cmocka_unit_test(updating_is_consistent),
		cmocka_unit_test(nothing_is_beyond_its_range),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(recovers_simulated_parameters),
		cmocka_unit_test(shops_are_at_the_limit),
		cmocka_unit_test(the_apparel_shop_by_the_year),
		cmocka_unit_test(nothing_is_lost_below_any_double),
		cmocka_unit_test(derivatives_by_a_large_m_are_numbers),
		cmocka_unit_test(calendars_hold_what_doubles_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
