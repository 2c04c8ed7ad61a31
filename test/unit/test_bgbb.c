/*
 * test_bgbb.c
 *		bg/bb: every reference value, all histories there are, and the published
 *		donations.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discrete.h"
#include "math/special.h"

#define BB (&clv_bgbb)

static const double donations[] = {1.20350708053, 0.74976667776, 0.656756817145, 2.78388732533};

static const double shapes[][4] = {
	{1.204, 0.75, 0.657, 2.783}, {1.2, 4, 0.8, 9},         {1000, 0.001, 1000, 0.001},
	{0.001, 0.001, 0.001, 1000}, {1000, 1000, 1000, 1000}, {0.05, 30, 1, 0.1},
	{40, 0.1, 1 + 1e-12, 0.5},   {1e6, 1e-6, 1e-6, 1e6},   {3, 5, 0.02, 0.03},
};
#define SHAPES ((int) (sizeof(shapes) / sizeof(shapes[0])))

/* P(alive) at a time ahead, of bg/bb. */
static double
PAliveAhead(const double *param, double x, double t_x, double n, double ahead)
{
	return exp(LnPAliveAhead(BB, param, x, t_x, n, ahead));
}

/* ---- reference values ---- */

static void
all_reference_values(void **state)
{
	Oracle o;

	if (!OpenOracle(&o, "oracles/mp_bgbb.csv"))
		skip();
	while (NextRow(&o))
	{
		double param[] = {Value(&o, "alpha"), Value(&o, "beta"), Value(&o, "gamma"),
						  Value(&o, "delta")};
		double x = Value(&o, "x");
		double t_x = Value(&o, "t_x");
		double n = Value(&o, "n");
		double m = Value(&o, "m");
		double k = Value(&o, "k");
		const Column columns[] = {
			{"palive_n", exp(BB->ln_p_alive(param, x, t_x, n))},
			{"palive_n1", PAliveAhead(param, x, t_x, n, 1)},
			{"cet", clv_expected_given(BB, param, x, t_x, n, m)},
			{"expect", BB->expected(param, m)},
			{"pmf", BB->probability(param, k, m)},
			{"cpmf", clv_probability_given(BB, param, x, t_x, n, k, m)},
			{"dert", clv_discounted_given(BB, param, x, t_x, n, log1p(Value(&o, "d")), INFINITY)},
		};

		AgreeWithRow(&o, columns, sizeof(columns) / sizeof(columns[0]));
		AssertLog("loglik", BB->log_likelihood(param, x, t_x, n), Value(&o, "loglik"),
				  REFERENCE_TOLERANCE);
	}
	assert_int_equal(o.row, 61);
}

/*
 * alpha 1.2, beta 4, gamma .8, delta 9, worked out by filtering strings of zeros and ones
 * on a grid of p and theta, to the digits written down
 */
static void
filtered_strings(void **state)
{
	static const double rows[][7] = {
		{0, 0, 12, 0.369618607631, 0.264432700121, 0.0177717731039, 0.180356778971},
		{2, 9, 12, 0.00149549783166, 0.821613999777, 0.147248935313, 1.49435531979},
		{5, 12, 12, 5.00424941726e-05, 1, 0.347237038617, 3.52393390678},
	};

	for (int i = 0; i < 3; i++)
	{
		double x = rows[i][0];
		double t_x = rows[i][1];
		double n = rows[i][2];

		AssertRelative("likelihood", exp(BB->log_likelihood(shapes[1], x, t_x, n)), rows[i][3],
					   1e-11);
		AssertRelative("alive", exp(BB->ln_p_alive(shapes[1], x, t_x, n)), rows[i][4], 1e-11);
		AssertRelative("next", clv_expected_given(BB, shapes[1], x, t_x, n, 1), rows[i][5], 1e-11);
		AssertRelative("in twelve", clv_expected_given(BB, shapes[1], x, t_x, n, 12), rows[i][6],
					   1e-11);
	}
}

/*
 * Customers all alike, p = 1/4 and theta = .06: likelihood, P(alive), next period, 24 of
 * them, and discounted at 1 %. Shapes of 1e9 are off by about 1e-9.
 */
static void
customers_all_alike(void **state)
{
	static const double rows[][8] = {
		{0, 0, 0, 1, 1, 0.235, 3.02954109463, 2.75828281316},
		{0, 0, 12, 0.215399062934, 0.0699883241001, 0.0164472561635, 0.212032504005,
		 0.193047591487},
		{2, 7, 12, 0.00329054694871, 0.509048078985, 0.119626298562, 1.54218207443, 1.40409856734},
		{3, 12, 12, 0.000558348867684, 1, 0.235, 3.02954109463, 2.75828281316},
	};
	const double param[] = {0.25e9, 0.75e9, 0.06e9, 0.94e9};

	for (int i = 0; i < 4; i++)
	{
		double x = rows[i][0];
		double t_x = rows[i][1];
		double n = rows[i][2];

		AssertRelative("likelihood", exp(BB->log_likelihood(param, x, t_x, n)), rows[i][3], 1e-6);
		AssertRelative("alive", exp(BB->ln_p_alive(param, x, t_x, n)), rows[i][4], 1e-6);
		AssertRelative("next", clv_expected_given(BB, param, x, t_x, n, 1), rows[i][5], 1e-6);
		AssertRelative("in 24", clv_expected_given(BB, param, x, t_x, n, 24), rows[i][6], 1e-6);
		AssertRelative("discounted", clv_discounted_given(BB, param, x, t_x, n, log(1.01), 24),
					   rows[i][7], 1e-6);
	}
}

/* R's BTYD at its own parameters; its P(alive) is that of one period ahead. */
static void
peer_customers(void **state)
{
	FILE *file = OpenShared("oracles/bgbb_btyd_donations_customers.csv");
	char line[512];
	char *field[16];
	int rows = 0;

	if (file == NULL)
		skip();
	ReadFields(file, line, sizeof(line), field, 16);
	while (ReadFields(file, line, sizeof(line), field, 16) == 12)
	{
		double x = atof(field[0]);
		double t_x = atof(field[1]);
		double n = atof(field[2]);

		AssertRelative("palive", PAliveAhead(donations, x, t_x, n, 1), atof(field[5]), 1e-9);
		AssertRelative("cet_5", clv_expected_given(BB, donations, x, t_x, n, 5), atof(field[6]),
					   1e-9);
		AssertRelative("cet_1", clv_expected_given(BB, donations, x, t_x, n, 1), atof(field[7]),
					   1e-9);
		AssertRelative("dert", clv_discounted_given(BB, donations, x, t_x, n, log(1.1), INFINITY),
					   atof(field[8]), 1e-9);
		AssertRelative("loglik", BB->log_likelihood(donations, x, t_x, n), atof(field[11]), 1e-9);
		rows++;
	}
	fclose(file);
	assert_int_equal(rows, 22);
}

/* ---- what holds for any parameters ---- */

/* How many strings of n periods have x purchases, the last one in period t_x */
static double
Orders(double x, double t_x)
{
	return x == 0 ? 1 : round(exp(clv_lgamma(t_x) - clv_lgamma(x) - clv_lgamma(t_x - x + 1)));
}

static void
all_histories_together_are_certain(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		for (int n = 0; n <= 24; n += 6)
		{
			double sum = exp(BB->log_likelihood(shapes[i], 0, 0, n));
			double mean = 0;
			double later = sum * clv_expected_given(BB, shapes[i], 0, 0, n, 10);

			for (int t_x = 1; t_x <= n; t_x++)
			{
				for (int x = 1; x <= t_x; x++)
				{
					double p = Orders(x, t_x) * exp(BB->log_likelihood(shapes[i], x, t_x, n));

					sum += p;
					mean += x * p;
					later += p * clv_expected_given(BB, shapes[i], x, t_x, n, 10);
				}
			}
			AssertRelative("sum", sum, 1, 1e-12);
			AssertRelative("mean", mean, BB->expected(shapes[i], n), 1e-11);
			AssertRelative("later", mean + later, BB->expected(shapes[i], n + 10), 1e-11);
		}
	}
}

static void
probabilities_sum_to_one_and_their_mean_is_expected(void **state)
{
	static double p[260];
	static const int horizons[] = {0, 1, 12, 60, 250};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			double sum = 0;
			double mean = 0;

			BB->probabilities(shapes[i], horizons[j], 260, p);
			for (int n = 259; n >= 0; n--)
			{
				assert_true(p[n] >= 0 && p[n] <= 1 && (n <= horizons[j] || p[n] == 0));
				AssertRelative("alone", BB->probability(shapes[i], n, horizons[j]), p[n], 1e-12);
				sum += p[n];
				mean += n * p[n];
			}
			AssertRelative("sum", sum, 1, 1e-12);
			AssertRelative("mean", mean, BB->expected(shapes[i], horizons[j]), 1e-11);
		}
	}
}

/* A period more: a purchase in it or none, which is what was expected of it. */
static void
a_period_more_is_consistent(void **state)
{
	static const int histories[][3] = {{0, 0, 0}, {0, 0, 5}, {3, 4, 9}, {7, 20, 20}, {1, 80, 300}};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			double x = histories[j][0];
			double t_x = histories[j][1];
			double n = histories[j][2];
			double now = BB->log_likelihood(shapes[i], x, t_x, n);
			double bought = exp(BB->log_likelihood(shapes[i], x + 1, n + 1, n + 1) - now);
			double silent = exp(BB->log_likelihood(shapes[i], x, t_x, n + 1) - now);

			AssertRelative("next", clv_expected_given(BB, shapes[i], x, t_x, n, 1), bought, 1e-11);
			AssertRelative("one", clv_probability_given(BB, shapes[i], x, t_x, n, 1, 1), bought,
						   1e-11);
			AssertRelative("none", clv_probability_given(BB, shapes[i], x, t_x, n, 0, 1), silent,
						   1e-11);
			AssertRelative("both", bought + silent, 1, 1e-11);
		}
	}
}

static void
derivatives_are_the_functions_own(void **state)
{
	static const double try[][4] = {
		{1.204, 0.75, 0.657, 2.783}, {0.3, 6, 1, 0.4}, {20, 3, 0.05, 0.1}, {4, 90, 30, 400}};
	static const int histories[][3] = {{0, 0, 1}, {0, 0, 40},   {3, 4, 9},
									   {7, 9, 9}, {12, 12, 12}, {5, 30, 150}};

	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < 6; j++)
		{
			Customer customer = {BB, histories[j][0], histories[j][1], histories[j][2], NAN};

			CheckDerivatives(4, try[i], EvaluateCustomer, &customer);
		}
	}
}

static void
the_two_likelihoods_are_one(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		for (int n = 0; n < 400; n = 3 * n + 1)
		{
			for (int t_x = 0; t_x <= n; t_x += 1 + n / 7)
			{
				double x = (t_x + 1) / 2;
				ClvTerm term;

				BB->cell(shapes[i], x, t_x, n, NAN, &term);
				AssertLog("cell", term.ln, BB->log_likelihood(shapes[i], x, t_x, n), 1e-13);
			}
		}
	}
}

/* ---- traps ---- */

/*
 * A likelihood that is floored, as R's at 1e-15 a term, goes wrong where a history of
 * many periods has a smaller one than that; here the reference is a string of 200 periods
 * filtered by hand: customers all alike but for a few digits.
 */
static void
many_opportunities(void **state)
{
	const double size = 1e10;
	const double p = 0.4;
	const double theta = 0.01;
	const double param[] = {p * size, (1 - p) * size, theta * size, (1 - theta) * size};
	double stay = (1 - p) * (1 - theta);
	double silent = pow(stay, 100);
	double ln = 40 * log(p) + 60 * log1p(-p) + 100 * log1p(-theta) +
				log(silent + theta * (1 - silent) / (1 - stay));

	assert_true(ln < -60);
	AssertRelative("loglik", BB->log_likelihood(param, 40, 100, 200), ln, 1e-7);

	/* thousands, and far below any double */
	assert_true(isfinite(BB->log_likelihood(donations, 1, 5000, 20000)));
	assert_true(isfinite(BB->log_likelihood(shapes[2], 0, 0, 20000)));
	assert_true(BB->ln_p_alive(shapes[4], 0, 0, 20000) < -745);
	assert_true(isfinite(BB->ln_p_alive(shapes[4], 0, 0, 20000)));
}

/* The sum over lives, term by term in more digits, and derivatives of it by differences */
static void
long_times_since_the_last_purchase(void **state)
{
	static const int histories[][3] = {
		{0, 0, 4097}, {0, 0, 30000}, {3, 40, 9000}, {0, 0, 300000}, {2500, 6000, 40000}};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			double x = histories[j][0];
			double t_x = histories[j][1];
			double n = histories[j][2];
			const double *p = shapes[i];
			long double term = 1;
			long double sum = 0;
			double first = BB->log_likelihood(p, x, t_x, t_x);
			ClvTerm cell;

			for (int s = t_x; s < n; s++)
			{
				sum += term * (p[2] / (p[2] + p[3] + s));
				term *= (p[1] + (s - x)) / ((long double) p[0] + p[1] + s) *
						((p[3] + s) / ((long double) p[2] + p[3] + s));
			}
			AssertRelative("lives", exp(BB->log_likelihood(p, x, t_x, n) - first), sum + term,
						   2e-11);
			if (term > 1e-300L)
				AssertRelative("alive", exp(BB->ln_p_alive(p, x, t_x, n)), term / (sum + term),
							   2e-11);
			BB->cell(p, x, t_x, n, NAN, &cell);
			AssertLog("cell", cell.ln, BB->log_likelihood(p, x, t_x, n), 1e-12);
		}
	}
	for (int j = 0; j < 5; j++)
	{
		Customer customer = {BB, histories[j][0], histories[j][1], histories[j][2], NAN};

		CheckDerivatives(4, shapes[0], EvaluateCustomer, &customer);
	}
	for (double n = 1e6; n < 1e15; n *= 10)
	{
		for (int i = 0; i < SHAPES; i++)
		{
			double bought = clv_expected_given(BB, shapes[i], 3, 900, n, 1);
			ClvTerm cell;

			assert_true(bought >= 0 && bought < 1);
			BB->cell(shapes[i], 3, 900, n, NAN, &cell);
			assert_true(isfinite(cell.ln) && isfinite(cell.hessian[0]));
		}
	}
}

/* One chance in 1e600 that becomes many: the orders must not overflow before it does. */
static void
many_orders(void **state)
{
	const double param[] = {5e5, 5e5, 1e-6, 1e6};
	double sum = 0;

	for (int n = 1800; n <= 2200; n++)
		sum += BB->probability(param, n, 4000);
	AssertRelative("sum", sum, 1, 1e-8);
	assert_true(BB->probability(param, 4000, 4000) == 0);
}

static void
impossible_histories_have_no_likelihood(void **state)
{
	static const double bad[][3] = {{3, 2, 6},        {1, 0, 6},
									{0, 2, 6},        {1, 1.5, 6},
									{1, 1, 6.5},      {2, 7, 6},
									{-1, 1, 6},       {0.5, 1, 6},
									{1, -1, 6},       {NAN, 1, 6},
									{1, NAN, 6},      {1, 1, NAN},
									{1, 1, INFINITY}, {INFINITY, INFINITY, INFINITY}};

	for (int i = 0; i < 14; i++)
	{
		ClvTerm term;

		assert_false(clv_possible(BB, bad[i][0], bad[i][1], bad[i][2]));
		assert_true(BB->log_likelihood(donations, bad[i][0], bad[i][1], bad[i][2]) == -INFINITY);
		assert_false(isnan(BB->ln_p_alive(donations, bad[i][0], bad[i][1], bad[i][2])));
		BB->cell(donations, bad[i][0], bad[i][1], bad[i][2], NAN, &term);
		assert_true(term.ln == -INFINITY);
	}
}

static void
extremes_make_sense(void **state)
{
	static const double histories[][3] = {{0, 0, 0},    {0, 0, 1},          {1, 1, 1},
										  {0, 0, 3000}, {2000, 3000, 3000}, {1, 1, 2000}};
	static const double horizons[] = {0, 0.5, 1, 52, 5000};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 6; j++)
		{
			const double *h = histories[j];

			assert_true(clv_possible(BB, h[0], h[1], h[2]));
			assert_true(BB->log_likelihood(shapes[i], h[0], h[1], h[2]) <= 0);
			for (int k = 0; k < 5; k++)
				MakesSense(BB, shapes[i], h[0], h[1], h[2], horizons[k]);
		}
	}
}

/* ---- fits ---- */

#define CELLS 64

/* Reads the published donations into cells; their number, or 0 where the file is not there. */
static size_t
Donations(ClvCell *cells)
{
	FILE *file = OpenShared("data/donations_bgbb.csv");
	char line[256];
	char *field[8];
	size_t n = 0;

	if (file == NULL)
		return 0;
	ReadFields(file, line, sizeof(line), field, 8);
	while (ReadFields(file, line, sizeof(line), field, 8) == 5)
	{
		assert_true(n < CELLS);
		cells[n++] = (ClvCell){.x = atoi(field[0]),
							   .t_x = atof(field[1]),
							   .T = atof(field[2]),
							   .count = atof(field[3])};
	}
	fclose(file);
	return n;
}

/* Fader, Hardie & Shang 2010, 11,104 donors over six years, to the digits printed */
static void
published_donations(void **state)
{
	static const double printed[] = {1.204, 0.750, 0.657, 2.783};
	ClvCell cells[CELLS];
	size_t n = Donations(cells);
	ClvFitReport report;

	if (n == 0)
		skip();
	assert_int_equal(n, 22);
	AtTheMaximum(FitCells(BB, cells, n, NULL, &report), &report);
	assert_true(report.customers == 11104);
	assert_true(fabs(report.log_likelihood + 33225.58) < 0.005);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(report.param[i] - printed[i]) < 1.5e-3);
	AgreesWithPeer(BB, &report, "oracles/bgbb_btyd_donations_params.csv");
}

static void
far_starts_reach_the_same_maximum(void **state)
{
	static const double starts[][4] = {
		{100, 100, 100, 100}, {0.01, 0.01, 0.01, 0.01}, {1, 1000, 50, 0.1}, {30, 0.1, 0.1, 300}};
	ClvCell cells[CELLS];
	size_t n = Donations(cells);

	if (n == 0)
		skip();
	for (int i = 0; i < 4; i++)
	{
		ClvFitControl control = {.start = starts[i]};
		ClvFitReport report;

		AtTheMaximum(FitCells(BB, cells, n, &control, &report), &report);
		assert_true(fabs(report.log_likelihood + 33225.5812852) < 1e-4);
	}
}

/* Every history there is, as often as the model says. */
static void
exact_customers_give_their_parameters_back(void **state)
{
	static const double truth[][4] = {{1.2, 0.75, 0.66, 2.8}, {0.5, 8, 1.5, 12}, {4, 3, 0.3, 5}};
	static ClvCell cells[200];

	for (int i = 0; i < 3; i++)
	{
		size_t n = 0;
		ClvFitReport report;

		for (int t_x = 0; t_x <= 15; t_x++)
		{
			for (int x = t_x > 0; x <= t_x; x++)
				cells[n++] = (ClvCell){.x = x,
									   .t_x = t_x,
									   .T = 15,
									   .count = 1e7 * Orders(x, t_x) *
												exp(BB->log_likelihood(truth[i], x, t_x, 15))};
		}
		AtTheMaximum(FitCells(BB, cells, n, NULL, &report), &report);
		for (int k = 0; k < 4; k++)
			AssertRelative("parameter", report.param[k], truth[i][k], 1e-5);
	}
}

/*
 * The blood donors by month leave all at the same small rate: gamma and delta run to the
 * border, which is said, and the likelihood is the border's. (Rows with more donations
 * than months have their months stretched.)
 */
static void
blood_donors_run_to_the_border(void **state)
{
	FILE *file = OpenShared("data/transfusion.csv");
	static ClvCell cells[748];
	char line[256];
	char *field[8];
	size_t n = 0;
	ClvFitReport report;

	if (file == NULL)
		skip();
	ReadFields(file, line, sizeof(line), field, 8);
	while (ReadFields(file, line, sizeof(line), field, 8) == 5)
	{
		double silent = atof(field[0]);
		double x = atof(field[1]) - 1;
		double t_x = fmax(atof(field[3]) - silent, x);

		if (x == 0)
		{
			silent += t_x;
			t_x = 0;
		}
		cells[n++] = (ClvCell){.x = (int32_t) x, .t_x = t_x, .T = t_x + silent, .count = 1};
	}
	fclose(file);
	assert_int_equal(n, 748);
	assert_int_equal(FitCells(BB, cells, n, NULL, &report), CLV_DEGENERATE);
	assert_true(report.log_likelihood >= -9522.03);
	assert_true(report.log_likelihood < -9522.01);
	assert_true(report.degenerate_param == 2 || report.degenerate_param == 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values),
		cmocka_unit_test(filtered_strings),
		cmocka_unit_test(customers_all_alike),
		cmocka_unit_test(peer_customers),
		cmocka_unit_test(all_histories_together_are_certain),
		cmocka_unit_test(probabilities_sum_to_one_and_their_mean_is_expected),
		cmocka_unit_test(a_period_more_is_consistent),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(the_two_likelihoods_are_one),
		cmocka_unit_test(many_opportunities),
		cmocka_unit_test(long_times_since_the_last_purchase),
		cmocka_unit_test(many_orders),
		cmocka_unit_test(impossible_histories_have_no_likelihood),
		cmocka_unit_test(extremes_make_sense),
		cmocka_unit_test(published_donations),
		cmocka_unit_test(far_starts_reach_the_same_maximum),
		cmocka_unit_test(exact_customers_give_their_parameters_back),
		cmocka_unit_test(blood_donors_run_to_the_border),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
