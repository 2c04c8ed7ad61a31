/*
 * test_mbgcnbd.c
 *		Buyers by the clock: reference values (test/oracle/mbgcnbd.py says what they are
 *		from), k = 1 against mbg/nbd, simulated customers, derivatives, and fits.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fitting.h"
#include "families/erlang.h"
#include "families/registry.h"
#include "oracle.h"

/* Fails where the relative error of a value exceeds the tolerance. */
static void
Close(const char *what, double actual, double expected, double tolerance)
{
	if (!(RelativeError(actual, expected) <= tolerance))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* ---- reference values ---- */

/* Of large numbers and of logs a few units are rounding. */
#define TOLERANCE 1e-11

/* Asserts that all quantities agree with a row of reference values. */
static void
CheckRow(const Oracle *row)
{
	const ClvFamily *family = &clv_mbgcnbd;
	double param[] = {Value(row, "k"), Value(row, "r"), Value(row, "alpha"), Value(row, "a"),
					  Value(row, "b")};
	double x = Value(row, "x");
	double t_x = Value(row, "t_x");
	double T = Value(row, "T");
	double t = Value(row, "t");
	double n = Value(row, "n");
	double delta = Value(row, "delta");
	struct
	{
		const char *column;
		double value;
	} answers[] = {
		{"palive", exp(family->ln_p_alive(param, x, t_x, T))},
		{"ln_palive", family->ln_p_alive(param, x, t_x, T)},
		{"cet", clv_expected_given(family, param, x, t_x, T, t)},
		{"expect", family->expected(param, t)},
		{"pmf", family->probability(param, n, t)},
		{"cpmf", clv_probability_given(family, param, x, t_x, T, n, t)},
		{"dert", clv_discounted_given(family, param, x, t_x, T, delta, INFINITY)},
		{"det_t", clv_discounted_given(family, param, x, t_x, T, delta, t)},
	};
	double loglik = family->log_likelihood(param, x, t_x, T);

	assert_true(fabs(loglik - Value(row, "loglik")) <=
				TOLERANCE * fmax(1, fabs(Value(row, "loglik"))));
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
	{
		double error = RelativeError(answers[i].value, Value(row, answers[i].column));

		if (!(error <= TOLERANCE))
			fail_msg("row %d, %s: %s is %.17g, off by %.2g", row->row, row->values[0],
					 answers[i].column, answers[i].value, error);
	}
}

static void
every_quantity_is_the_reference(void **state)
{
	Oracle oracle = {.file = fopen("test/oracle/mbgcnbd.csv", "r")};

	assert_non_null(oracle.file);
	oracle.columns =
		ReadFields(oracle.file, oracle.header, sizeof(oracle.header), oracle.names, ORACLE_COLUMNS);
	while (NextRow(&oracle))
		CheckRow(&oracle);
	assert_true(oracle.row > 60);
}

/* ---- the density itself ---- */

/* Of one customer's purchase times, given their rate and dropout: the model's assumptions,
 * literally. */
static double
Density(const double *param, int x, const double *gap, double silent, double rate, double p)
{
	double density = 1;
	double none = 0;

	for (int i = 0; i < x; i++)
		density *= (1 - p) * pow(rate, param[0]) * pow(gap[i], param[0] - 1) * exp(-rate * gap[i]) /
				   tgamma(param[0]);
	for (int j = 0; j < param[0]; j++)
		none += pow(rate * silent, j) / tgamma(j + 1) * exp(-rate * silent);
	return density * (p + (1 - p) * none);
}

/* Mixed over both by equal steps in ln rate and the log-odds of p. */
static void
likelihoods_are_densities(void **state)
{
	static const double gap[] = {2.5, 4.75, 3};

	for (int k = 1; k <= 5; k++)
	{
		for (int x = 0; x <= 3; x++)
		{
			double param[] = {k, 1.7, 2, 2.1, 3.2};
			double t_x = 0;
			double litt = 0;
			double sum = 0;
			double mass = 0;

			for (int i = 0; i < x; i++)
			{
				t_x += gap[i];
				litt += log(gap[i]);
			}
			for (double u = -30; u < 6; u += 0.1)
			{
				for (double v = -20; v < 20; v += 0.1)
				{
					double p = 1 / (1 + exp(-v));
					double weight = exp(param[1] * u - param[2] * exp(u)) * pow(p, param[3]) *
									pow(1 - p, param[4]);

					sum += weight * Density(param, x, gap, 5, exp(u), p);
					mass += weight;
				}
			}
			Close("ln L",
				  clv_mbgcnbd.log_likelihood(param, x, t_x, t_x + 5) +
					  clv_mbgcnbd_constant(k, x, litt),
				  log(sum / mass), 1e-11);
		}
	}
}

/* ---- k = 1 ---- */

static const double shapes[][5] = {
	{1, 0.52, 6.18, 0.89, 1.61}, {1, 0.25, 4.4, 0.8, 2.4}, {1, 5, 20, 1, 1},
	{1, 0.01, 1, 0.01, 30},      {1, 40, 800, 3, 0.2},
};

static void
one_event_to_a_purchase_is_mbgnbd(void **state)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		const double *param = shapes[i];
		const double *without_k = param + 1;

		for (int x = 0; x < 200; x = 3 * x + 1)
		{
			double t_x = x == 0 ? 0 : 30.5;
			ClvTerm term;

			clv_mbgcnbd.cell(param, x, t_x, 39, NAN, &term);
			Close("ln L", term.ln, clv_mbgnbd.log_likelihood(without_k, x, t_x, 39), 1e-12);
			Close("ln L", clv_mbgcnbd.log_likelihood(param, x, t_x, 39),
				  clv_mbgnbd.log_likelihood(without_k, x, t_x, 39), 1e-12);
			Close("P(alive)", clv_mbgcnbd.ln_p_alive(param, x, t_x, 39),
				  clv_mbgnbd.ln_p_alive(without_k, x, t_x, 39), 1e-12);
			Close("E", clv_expected_given(&clv_mbgcnbd, param, x, t_x, 39, 52),
				  clv_expected_given(&clv_mbgnbd, without_k, x, t_x, 39, 52), 1e-12);
			Close("P(2)", clv_probability_given(&clv_mbgcnbd, param, x, t_x, 39, 2, 52),
				  clv_probability_given(&clv_mbgnbd, without_k, x, t_x, 39, 2, 52), 1e-12);
			Close("DERT", clv_discounted_given(&clv_mbgcnbd, param, x, t_x, 39, .01, INFINITY),
				  clv_discounted_given(&clv_mbgnbd, without_k, x, t_x, 39, .01, INFINITY), 1e-12);
			Close("alive", LnPAliveAhead(&clv_mbgcnbd, param, x, t_x, 39, 10),
				  LnPAliveAhead(&clv_mbgnbd, without_k, x, t_x, 39, 10), 1e-12);
		}
		for (double t = 0; t < 1e5; t = 3 * t + 0.1)
		{
			double p[50];
			double q[50];

			Close("E", clv_mbgcnbd.expected(param, t), clv_mbgnbd.expected(without_k, t), 1e-12);
			Close("survival", clv_mbgcnbd.survival(param, t), clv_mbgnbd.survival(without_k, t),
				  1e-12);
			Close("until", clv_mbgcnbd.discounted(param, .1, t),
				  clv_mbgnbd.discounted(without_k, .1, t), 1e-12);
			clv_mbgcnbd.probabilities(param, t, 50, p);
			clv_mbgnbd.probabilities(without_k, t, 50, q);
			for (int n = 0; n < 50; n++)
			{
				Close("P(n)", p[n], q[n], 1e-12);
				Close("P(n)", clv_mbgcnbd.probability(param, n, t),
					  clv_mbgnbd.probability(without_k, n, t), 1e-12);
			}
		}
	}
}

/* The ways that k > 1 takes, with k = 1. */
static void
so_it_is_by_events(void **state)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
	{
		const double *without_k = shapes[i] + 1;
		ClvErlang customer;

		clv_erlang_init(&customer, 1, without_k[0], without_k[1], without_k[2], without_k[3], 3);
		Close("DERT", clv_erlang_discounted(&customer, .01, INFINITY),
			  clv_bgnbd.discounted(without_k, .01, INFINITY), TOLERANCE);
		for (double t = 0; t < 1e7; t = 3 * t + 0.1)
		{
			Close("E", clv_erlang_expected(&customer, t), clv_bgnbd.expected(without_k, t),
				  TOLERANCE);
			Close("survival", clv_erlang_survival(&customer, t), clv_bgnbd.survival(without_k, t),
				  TOLERANCE);
			if (t < 200 || t > 1e5)
				Close("until", clv_erlang_discounted(&customer, .003, t),
					  clv_bgnbd.discounted(without_k, .003, t), TOLERANCE);
			for (int n = 0; n < 300; n = 3 * n + 1)
				Close("P(n)", clv_erlang_probability(&customer, n, t),
					  clv_bgnbd.probability(without_k, n, t), TOLERANCE);
		}
	}
}

/* ---- what must be so ---- */

static const ClvFuture futures[] = {
	{.family = &clv_mbgcnbd, .param = {2, 0.8, 6, 0.9, 1.6}},
	{.family = &clv_mbgcnbd, .param = {3, 1.4, 9, 0.5, 3}},
	{.family = &clv_mbgcnbd, .param = {8, 2, 1.5, 0.7, 4}},
	{.family = &clv_mbgcnbd, .param = {5, 0.01, 0.3, 0.1, 0.02}},
	{.family = &clv_mbgcnbd_known, .param = {4, 40, 60, 2, 12, 5}},
	{.family = &clv_mbgcnbd_known, .param = {2, 900, 70, 1.1, 400, 0.1}},
	{.family = &clv_mbgcnbd_known, .param = {32, 70, 9, 1, 40, 4}},
};

#define FUTURES (sizeof(futures) / sizeof(futures[0]))

/* Sums over events and over dropout meet without a step, and one by one as all at once. */
static void
distributions_agree_with_their_means(void **state)
{
	static double p[4096];

	for (size_t i = 0; i < FUTURES; i++)
	{
		const ClvFamily *family = futures[i].family;
		const double *param = futures[i].param;

		for (double t = 0.01; t < 200; t *= 3)
		{
			double sum = 0;
			double mean = 0;

			family->probabilities(param, t, 4096, p);
			for (int n = 0; n < 4096; n++)
			{
				assert_true(p[n] >= 0 && p[n] <= 1);
				sum += p[n];
				mean += n * p[n];
				if (n < 40)
					Close("P(n)", family->probability(param, n, t), p[n], TOLERANCE);
			}
			if (family->probability(param, 4096, t) > 1e-20)
				continue;
			Close("sum", sum, 1, 1e-12);
			Close("mean", family->expected(param, t), mean, TOLERANCE);
		}
	}
}

static void
quantities_rise_and_fall(void **state)
{
	for (size_t i = 0; i < FUTURES; i++)
	{
		const ClvFamily *family = futures[i].family;
		const double *param = futures[i].param;
		double expected = 0;
		double survival = 1;
		double discounted = 0;
		double last = 0;
		double limit = family->discounted(param, 0.01, INFINITY);

		for (double t = 1e-6; t < 1e9; t *= 1.7)
		{
			double now = family->expected(param, t);

			assert_true(now >= expected * (1 - 1e-13));
			expected = now;
			now = family->survival(param, t);
			if (!(now >= 0 && now <= survival * (1 + 1e-12)))
				fail_msg("survival %zu: %.17g after %.17g at %g", i, now, survival, t);
			survival = now;
			if (i > 4 || t < last * 8 || t > 1e5)
				continue;
			last = t;
			now = family->discounted(param, 0.01, t);
			if (!(now >= discounted * (1 - 1e-13) && now <= limit * (1 + 1e-12)))
				fail_msg("discounted %zu: %.17g after %.17g, at most %.17g at %g", i, now,
						 discounted, limit, t);
			discounted = now;
		}
		if (i <= 4)
			Close("in the end", discounted, limit, 1e-11);
		assert_true(family->expected(param, 0) == 0 && family->probability(param, 1, 0) == 0);
		Close("no interest", family->discounted(param, 1e-18, 50), family->expected(param, 50),
			  1e-12);
		if (family->discounted(param, 0, INFINITY) < 100)
			Close("for ever", family->discounted(param, 1e-12, INFINITY),
				  family->discounted(param, 0, INFINITY), 1e-2);
	}
}

/* P(alive) falls with the time since the last purchase, faster the more regular the customer was.
 */
static void
clocks_tell_sooner(void **state)
{
	double before = 0;

	for (int k = 1; k <= 8; k++)
	{
		double param[] = {k, 20, 20.0 / k, 1, 4};
		double now = clv_mbgcnbd.ln_p_alive(param, 10, 10, 13);

		assert_true(now < before);
		before = now;
		assert_true(fabs(exp(clv_mbgcnbd.ln_p_alive(param, 10, 10, 10)) - 14.0 / 15) < 1e-14);
		for (double T = 10, last = 0; T < 1e8; T = 10 + 2 * (T - 10) + 1e-3)
		{
			double ln = clv_mbgcnbd.ln_p_alive(param, 10, 10, T);

			assert_true(ln <= last && isfinite(ln));
			last = ln;
		}
	}
}

/* ---- simulated customers ---- */

/* One customer until T, and how many more purchases until T + t; litt: sum of ln gaps. */
static ClvCell
DrawRegular(Chance *chance, const double *param, double T, double t, int *later, bool *alive,
			double *litt)
{
	double rate = Gamma(chance, param[1]) / param[2];
	double p = Beta(chance, param[3], param[4]);
	ClvCell cell = {.T = T, .count = 1};
	double now = 0;

	*later = 0;
	*alive = Uniform(chance) >= p;
	for (bool here = *alive; here;)
	{
		double gap = Gamma(chance, param[0]) / rate;

		now += gap;
		if (now > T + t)
			break;
		here = Uniform(chance) >= p;
		if (now <= T)
		{
			cell.x++;
			cell.t_x = now;
			*litt += log(gap);
			*alive = here;
		}
		else
			*later += 1;
	}
	return cell;
}

#define CROWD 20000

static void
customers_do_as_foretold(void **state)
{
	static const double param[] = {3, 1.4, 9, 0.5, 3};
	Chance chance = 7;
	double sum[4] = {0};
	double square[4] = {0};

	for (int i = 0; i < CROWD; i++)
	{
		double T = 5 + 60 * Uniform(&chance);
		double litt = 0;
		int later;
		bool alive;
		ClvCell cell = DrawRegular(&chance, param, T, 8, &later, &alive, &litt);
		double off[4] = {
			cell.x - clv_mbgcnbd.expected(param, T),
			alive - exp(clv_mbgcnbd.ln_p_alive(param, cell.x, cell.t_x, T)),
			later - clv_expected_given(&clv_mbgcnbd, param, cell.x, cell.t_x, T, 8),
			(later == 1) - clv_probability_given(&clv_mbgcnbd, param, cell.x, cell.t_x, T, 1, 8),
		};

		for (int j = 0; j < 4; j++)
		{
			sum[j] += off[j];
			square[j] += off[j] * off[j];
		}
	}
	for (int j = 0; j < 4; j++)
	{
		if (!(fabs(sum[j]) < 4 * sqrt(square[j])))
			fail_msg("%d is %g standard errors off", j, sum[j] / sqrt(square[j]));
	}
}

/* The truth is found, and of all k that one. */
static void
fits_find_the_parameters_and_k(void **state)
{
	static const double truth[] = {3, 1.4, 4, 0.8, 3};
	size_t n = 8000;
	ClvCell *cells = malloc(n * sizeof(ClvCell));
	Chance chance = 11;
	double litt = 0;
	double sum_x = 0;
	double best = -INFINITY;
	int best_k = 0;

	for (size_t i = 0; i < n; i++)
	{
		int later;
		bool alive;

		cells[i] = DrawRegular(&chance, truth, 20 + floor(50 * Uniform(&chance)), 0, &later, &alive,
							   &litt);
		sum_x += cells[i].x;
	}
	for (int k = 1; k <= 6; k++)
	{
		double fixed[] = {k, NAN, NAN, NAN, NAN};
		ClvFitControl control = {.fixed = fixed};
		ClvFitReport report;
		double total;

		assert_int_equal(FitCells(&clv_mbgcnbd, cells, n, &control, &report), CLV_OK);
		assert_true(report.param[0] == k && report.gradient_norm < 1e-6);
		total = report.log_likelihood + clv_mbgcnbd_constant(k, sum_x, litt);
		if (total > best)
			best_k = k;
		best = fmax(total, best);
		if (k == 3)
		{
			report.covariance[0] = 1; /* k is not estimated, but right */
			WithinErrors(&clv_mbgcnbd, &report, truth, 4);
		}
		if (k == 1)
		{
			ClvFitReport mbgnbd;

			assert_int_equal(FitCells(&clv_mbgnbd, cells, n, NULL, &mbgnbd), CLV_OK);
			Close("ln L", report.log_likelihood, mbgnbd.log_likelihood, 1e-12);
			for (int i = 0; i < 4; i++)
				Close("a parameter", report.param[i + 1], mbgnbd.param[i], 1e-7);
		}
	}
	assert_int_equal(best_k, 3);
	free(cells);
}

/* k stays where it is: derivatives are by the others. */
typedef struct At
{
	ClvCellTable *engine;
	double k;
} At;

/* An Evaluator: the log-likelihood of cells. */
static void
EvaluateAt(void *data, const double *param, ClvQuadratic *quadratic)
{
	const At *at = data;
	double all[] = {at->k, param[0], param[1], param[2], param[3]};
	ClvQuadratic whole;

	clv_cells_evaluate(at->engine, all, &whole);
	quadratic->value = whole.value;
	for (int i = 0; i < 4; i++)
	{
		quadratic->gradient[i] = whole.gradient[i + 1];
		for (int j = 0; j <= i; j++)
			quadratic->hessian[CLV_AT(i, j)] = whole.hessian[CLV_AT(i + 1, j + 1)];
	}
}

static void
derivatives_are_the_functions_own(void **state)
{
	size_t n = 300;
	ClvCell cells[300];
	Chance chance = 3;

	for (int k = 1; k <= 32; k = k < 4 ? k + 1 : 2 * k)
	{
		for (int i = 0; i < 4; i++)
		{
			double param[] = {k, 0.3 + 3 * Uniform(&chance), 2 + 20 * Uniform(&chance),
							  0.2 + 2 * Uniform(&chance), 0.2 + 9 * Uniform(&chance)};
			ClvPoll poll = {0};
			ClvCellTable engine = {.family = &clv_mbgcnbd, .cells = cells, .n = n, .poll = &poll};
			ClvArena arena = {malloc(clv_fit_cells_workspace(&clv_mbgcnbd, n)), 0};
			ClvQuadratic at;
			double direct = 0;

			for (size_t c = 0; c < n; c++)
			{
				double truth[] = {1 + i, 1, 5, 0.5, 3};
				double litt = 0;
				int later;
				bool alive;

				cells[c] =
					DrawRegular(&chance, truth, 40 * Uniform(&chance), 0, &later, &alive, &litt);
				direct += clv_mbgcnbd.log_likelihood(param, cells[c].x, cells[c].t_x, cells[c].T);
			}
			clv_cell_table_lay_out(&engine, &arena, n);
			assert_true(clv_cells_sort(&engine));
			clv_cells_index(&engine);
			clv_cells_evaluate(&engine, param, &at);
			Close("ln L", at.value, direct, 1e-12);
			CheckDerivatives(4, param + 1, EvaluateAt, &(At){&engine, k});
			free(arena.base);
		}
	}
}

/* The peer chose k = 1 on CDNOW. Its expectations of newcomers lose digits from t = 39 on. */
static void
the_peer_agrees(void **state)
{
	static const char *const names[] = {"k", "r", "alpha", "a", "b"};
	double param[5] = {0};
	Oracle oracle;

	if (!OpenOracle(&oracle, "oracles/mbgcnbd_btydplus_cdnow-39w_params.csv"))
		skip();
	while (NextRow(&oracle))
	{
		for (int i = 0; i < 5; i++)
		{
			if (strcmp(oracle.values[5], names[i]) == 0)
				param[i] = atof(oracle.values[6]);
		}
	}
	assert_true(OpenOracle(&oracle, "oracles/mbgcnbd_btydplus_cdnow-39w_customers.csv"));
	while (NextRow(&oracle))
	{
		double x = Value(&oracle, "x");
		double t_x = Value(&oracle, "t_x");
		double T = Value(&oracle, "T");

		Close("P(alive)", exp(clv_mbgcnbd.ln_p_alive(param, x, t_x, T)), Value(&oracle, "palive"),
			  1e-8);
		Close("E", clv_expected_given(&clv_mbgcnbd, param, x, t_x, T, 39), Value(&oracle, "cet_39"),
			  1e-8);
	}
	assert_true(OpenOracle(&oracle, "oracles/mbgcnbd_btydplus_cdnow-39w_expectation.csv"));
	while (NextRow(&oracle))
	{
		if (Value(&oracle, "t") < 40)
			Close("E(t)", clv_mbgcnbd.expected(param, Value(&oracle, "t")),
				  Value(&oracle, "expectation"), 1e-6);
	}
}

/* No sum of probabilities is beyond 1 by rounding. */
static void
probabilities_are_no_more_than_one(void **state)
{
	static const double param[] = {32, 521.97182204356466, 521.97182204356466, 1, 1};
	double p[10];
	ClvFuture future;

	clv_given_alive(&clv_mbgcnbd, param, 1, 0, 1, &future);
	clv_future_probabilities(&future, 1, 10, p);
	for (int n = 0; n < 10; n++)
		assert_true(p[n] >= 0 && p[n] <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_quantity_is_the_reference),
		cmocka_unit_test(likelihoods_are_densities),
		cmocka_unit_test(one_event_to_a_purchase_is_mbgnbd),
		cmocka_unit_test(so_it_is_by_events),
		cmocka_unit_test(distributions_agree_with_their_means),
		cmocka_unit_test(quantities_rise_and_fall),
		cmocka_unit_test(clocks_tell_sooner),
		cmocka_unit_test(customers_do_as_foretold),
		cmocka_unit_test(fits_find_the_parameters_and_k),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(the_peer_agrees),
		cmocka_unit_test(probabilities_are_no_more_than_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
