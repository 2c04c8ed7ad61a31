/*
 * test_beta_geometric.c
 *		bg/nbd and mbg/nbd: every reference value, what must hold for any
 *		parameters, and the places where other implementations return rubbish.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "math/special.h"
#include "families/beta_geometric.h"
#include "families/registry.h"
#include "reference.h"

#define BG (&clv_bgnbd)
#define MBG (&clv_mbgnbd)

/* The CDNOW sample's parameters, and ones that are far from anybody's. */
static const double cdnow[] = {0.243, 4.414, 0.793, 2.426};

static const double shapes[][4] = {
	{0.243, 4.414, 0.793, 2.426},
	{0.525, 6.183, 0.891, 1.614},
	{3.243, 43, 0.793, 5.426},
	{50.2, 44, 0.8, 52.4},
	{2000, 150, 1, 2000},
	{0.001, 1000, 0.03, 0.02},
	{1000, 0.001, 1000, 1000},
	{12, 3, 0.25, 0.75},
	{40, 10, 0.001, 0.5},
	{0.9, 0.01, 1 + 1e-12, 0.1},
	{7, 200, 30, 0.2},
	{0.05, 1, 0.4, 900},
};
#define SHAPES ((int) (sizeof(shapes) / sizeof(shapes[0])))

/* Fails where the relative error of a value exceeds the tolerance. */
static void
assert_relative(const char *what, double actual, double expected, double tolerance)
{
	if (!(RelativeError(actual, expected) <= tolerance))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* ---- reference values ---- */

/*
 * All 60 rows, hard ones included. Relative errors stay below 7e-14 in every
 * column (1e-12 is the aim); the margin is for other libms.
 */
#define REFERENCE_TOLERANCE 5e-13

static void
all_reference_values_bg(void **state)
{
	ReferenceTable(BG, "oracles/mp_bgnbd.csv", REFERENCE_TOLERANCE);
}

static void
all_reference_values_mbg(void **state)
{
	ReferenceTable(MBG, "oracles/mp_mbgnbd.csv", REFERENCE_TOLERANCE);
}

/* Fader, Hardie & Lee's example on CDNOW, to the digits that their parameters carry */
static void
published_customer(void **state)
{
	assert_true(fabs(exp(BG->ln_p_alive(cdnow, 2, 30.43, 38.86)) - 0.7266) < 5e-5);
	assert_true(fabs(clv_expected_given(BG, cdnow, 2, 30.43, 38.86, 39) - 1.226) < 5e-5);
}

/* r = a = b = 1: the purchase rate is 1 / (1 + s), and everything has a closed form. */
static void
closed_forms(void **state)
{
	const double param[] = {1, 2, 1, 1};

	for (double t = 1e-6; t < 1e8; t *= 3.7)
	{
		double tau = t / 2;

		assert_relative("expected", BG->expected(param, t), log1p(tau), 1e-13);
		assert_relative("survival", BG->survival(param, t), log1p(tau) / tau, 1e-13);
	}
	for (double delta = 1e-8; delta < 1e3; delta *= 3.7)
		assert_relative("lifetime", BG->discounted(param, delta, INFINITY),
						clv_expint_scaled(1, 2 * delta), 1e-13);
}

/* ---- what holds for any parameters ---- */

#define MANY 4096

static void
probabilities_sum_to_one_and_their_mean_is_expected(void **state)
{
	static double p[MANY];
	const double param[][4] = {{0.243, 4.414, 0.793, 2.426},
							   {3.2, 43, 0.8, 5.4},
							   {50, 44, 0.8, 52},
							   {900, 150, 1, 900},
							   {12, 30, 0.25, 0.75}};

	for (int i = 0; i < 5; i++)
	{
		for (int immediate = 0; immediate < 2; immediate++)
		{
			double t = 60;
			double sum = 0;
			double mean = 0;

			clv_bg_probabilities(param[i], t, MANY, p, immediate);
			for (int n = MANY - 1; n >= 0; n--)
			{
				assert_true(p[n] >= 0 && p[n] <= 1);
				sum += p[n];
				mean += n * p[n];
			}
			assert_relative("sum", sum, 1, 1e-13);
			assert_relative("mean", mean, clv_bg_expected(param[i], t, immediate), 1e-12);
		}
	}
}

/* Each probability by itself and by recurrence, to n = 4096 and 1e-300 */
static void
recurrence_agrees_with_single_probabilities(void **state)
{
	static double p[MANY];
	static const double times[] = {0, 1e-6, 0.7, 52, 1000, 1e6};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 6; j++)
		{
			int immediate = (i + j) % 2;

			clv_bg_probabilities(shapes[i], times[j], MANY, p, immediate);
			for (int n = 0; n < MANY; n += n < 300 ? 1 : 97)
			{
				double single = clv_bg_probability(shapes[i], n, times[j], immediate);

				assert_true(single >= 0 && single <= 1);
				if (single > 1e-300)
					assert_relative("probability", p[n], single, 1e-12);
			}
		}
	}
}

/* Both methods take turns along t and delta: neither a step down nor a jump shows. */
static void
expectations_rise_smoothly(void **state)
{
	static const double deltas[] = {0, 1e-9, 0.002, 0.3};

	for (int i = 0; i < SHAPES; i++)
	{
		for (int j = 0; j < 4; j++)
		{
			double before = 0;
			double limit = BG->discounted(shapes[i], deltas[j], INFINITY);

			for (double t = 1e-4; t < 1e7; t *= 1.03)
			{
				double now = BG->discounted(shapes[i], deltas[j], t);

				assert_true(now >= before * (1 - 2e-13));
				assert_true(now <= limit * (1 + 2e-13));
				assert_relative("a step of 1e-9",
								BG->discounted(shapes[i], deltas[j], t * (1 + 1e-9)), now, 1.01e-9);
				before = now;
			}
		}
	}
}

static void
discounting_by_nothing_is_expecting(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		for (double t = 0.01; t < 1e5; t *= 7)
		{
			double expected = MBG->expected(shapes[i], t);

			assert_true(MBG->discounted(shapes[i], 0, t) == expected);
			assert_relative("a rate of 1e-18", MBG->discounted(shapes[i], 1e-18, t), expected,
							3e-13);
		}
	}
	assert_true(BG->discounted(cdnow, 0, INFINITY) == INFINITY);
	assert_relative("finite lifetime", BG->discounted(shapes[10], 0, INFINITY),
					BG->expected(shapes[10], 1e16), 1e-12);
	assert_relative("far horizon", BG->discounted(cdnow, 0.01, 1e5),
					BG->discounted(cdnow, 0.01, INFINITY), 1e-14);
}

/* D(t) = e^(-delta t) E(t) + delta int_0^t e^(-delta u) E(u) du, by Simpson's rule */
static void
discounting_agrees_with_expectations_along_time(void **state)
{
	const double delta = 0.01;
	const double t = 80;
	const int steps = 400;

	for (int i = 0; i < SHAPES; i++)
	{
		double sum = 0;

		if (shapes[i][1] < 1)
			continue; /* too steep for equal steps */
		for (int k = 0; k <= steps; k++)
		{
			double u = t * k / steps;
			double weight = k == 0 || k == steps ? 1 : k % 2 == 1 ? 4 : 2;

			sum += weight * exp(-delta * u) * BG->expected(shapes[i], u);
		}
		assert_relative("discounted", BG->discounted(shapes[i], delta, t),
						exp(-delta * t) * BG->expected(shapes[i], t) + delta * sum * t / steps / 3,
						1e-6);
	}
}

/* No purchase in (0, T + t] is none in (0, T], and then, given that, none in (T, T + t]. */
static void
updating_is_consistent(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		const ClvFamily *family = i % 2 == 0 ? BG : MBG;
		double at_once = family->probability(shapes[i], 0, 70);
		double in_steps = family->probability(shapes[i], 0, 50) *
						  clv_probability_given(family, shapes[i], 0, 0, 50, 0, 20);

		assert_relative("P(0)", in_steps, at_once, 1e-12);
	}
}

static void
survival_falls_from_one(void **state)
{
	for (int i = 0; i < SHAPES; i++)
	{
		double before = 1;

		for (double t = 0; t < 1e6; t = t * 2 + 0.01)
		{
			double now = BG->survival(shapes[i], t);

			assert_true(now >= 0 && now <= before * (1 + 1e-13));
			assert_relative("mbg", MBG->survival(shapes[i], 0),
							shapes[i][3] / (shapes[i][2] + shapes[i][3]), 1e-13);
			before = now;
		}
	}
}

static void
quantiles_are_the_smallest_counts(void **state)
{
	static const double levels[] = {0, 0.05, 0.5, 0.9, 0.99, 0.999999};
	static double p[MANY];

	for (int i = 0; i < 4; i++)
	{
		ClvFuture future = {0};

		BG->given_alive(shapes[i], 3, 20, &future);
		for (int j = 0; j < 6; j++)
		{
			double p_alive = 0.7;
			int n = clv_quantile_given(&future, p_alive, 52, levels[j], MANY, p);
			double below = 1 - p_alive;

			for (int k = 0; k < n; k++)
				below += p_alive * BG->probability(future.param, k, 52);
			assert_true(n >= 0);
			assert_true(n == 0 || below < levels[j]);
			assert_true(below + p_alive * BG->probability(future.param, n, 52) >= levels[j]);
		}
		assert_int_equal(clv_quantile_given(&future, 0, 52, 0.999, MANY, p), 0);
		assert_int_equal(clv_quantile_given(&future, 1, 52, 0.999999, 1, p), -1);
	}

	/* thousands of counts, and fewer than the quantile is */
	{
		const double param[] = {3000, 1, 0.001, 5000};
		const ClvFuture future = {.family = BG, .param = {3000, 1, 0.001, 5000}};
		int n = clv_quantile_given(&future, 1, 1, 0.5, MANY, p);

		assert_true(fabs(n / BG->expected(param, 1) - 1) < 0.02);
		assert_int_equal(clv_quantile_given(&future, 1, 1, 0.5, n + 1, p), n);
		assert_int_equal(clv_quantile_given(&future, 1, 1, 0.5, n, p), -1);
	}
}

/* ---- where others return rubbish ---- */

static void
trap_a_is_one_or_nearly(void **state)
{
	static const double away[] = {1e-12, 1e-9, 1e-6};

	for (double t = 0.1; t < 1e6; t *= 10)
	{
		double at[] = {0.5, 3, 1, 2};
		double exact = BG->expected(at, t);
		double lifetime = BG->discounted(at, 0.01, INFINITY);

		for (int i = 0; i < 3; i++)
		{
			double above[] = {0.5, 3, 1 + away[i], 2};
			double below[] = {0.5, 3, 1 - away[i], 2};

			/* E moves by a few units of ln t per unit of a */
			assert_relative("above", BG->expected(above, t), exact, 10 * away[i] + 1e-13);
			assert_relative("below", BG->expected(below, t), exact, 10 * away[i] + 1e-13);
			assert_relative("lifetime", BG->discounted(above, 0.01, INFINITY), lifetime,
							10 * away[i] + 1e-13);
		}
	}
	assert_true(BG->discounted((const double[]){0.5, 3, 1, 2}, 0, INFINITY) == INFINITY);
	assert_true(isfinite(BG->discounted((const double[]){0.5, 3, 1 + 1e-12, 2}, 0, INFINITY)));
}

/* a + b - 1 is a factor of the textbook's formula, and 0 or negative here. */
static void
trap_a_plus_b_not_above_one(void **state)
{
	for (double b = 0.01; b < 1; b += 0.01)
	{
		const double below[] = {0.8, 5, 0.3, b};
		const double above[] = {0.8, 5, 0.3, b + 1e-9};
		double value = clv_expected_given(BG, below, 0, 0, 30, 52);

		assert_true(value > 0 && isfinite(value));
		assert_relative("next to it", clv_expected_given(BG, above, 0, 0, 30, 52), value, 1e-7);
	}
}

/* (alpha + T)^-(r + x) is below any double; logarithms are not. */
static void
trap_powers_beyond_doubles(void **state)
{
	const double param[] = {1.5, 0.01, 0.8, 2.4};
	const double x = 3000;
	const double T = 5000;

	for (double t_x = 4990; t_x <= T; t_x += 2)
	{
		double survived = clv_lbeta(0.8, 2.4 + x) - clv_lbeta(0.8, 2.4);
		double dead = clv_lbeta(1.8, 2.4 + x - 1) - clv_lbeta(0.8, 2.4);
		double terms =
			clv_log_add(survived - (1.5 + x) * log(0.01 + T), dead - (1.5 + x) * log(0.01 + t_x));
		double ln = BG->log_likelihood(param, x, t_x, T);

		assert_true((1.5 + x) * log((0.01 + T) / 0.01) > 745);
		assert_relative("ln L", ln, clv_log_rising(1.5, x) + 1.5 * log(0.01) + terms, 1e-12);
		assert_relative("ln P(alive)", BG->ln_p_alive(param, x, t_x, T),
						survived - (1.5 + x) * log(0.01 + T) - terms, 1e-7);
	}
}

static void
trap_counts_beyond_170(void **state)
{
	const double param[] = {300, 10, 0.01, 5};
	double sum = 0;

	for (double n = 0; n < 3000; n += 1)
	{
		double p = BG->probability(param, n, 10);

		assert_true(p >= 0 && p <= 1);
		sum += p;
	}
	assert_relative("sum", sum, 1, 1e-13);
	assert_true(BG->probability(param, 171, 10) > 0);
}

/* z -> 1 in 2F1: horizons of a trillion times alpha, against the limit for a > 1 */
static void
trap_z_near_one(void **state)
{
	const double param[] = {0.5, 1e-3, 3, 2};

	for (double t = 1e3; t <= 1e9; t *= 1e3)
		assert_true(BG->expected(param, t) < 2);
	assert_relative("limit", BG->expected(param, 1e30), 2, 1e-13);
	assert_relative("infinity", BG->expected(param, INFINITY), 2, 1e-15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_reference_values_bg),
		cmocka_unit_test(all_reference_values_mbg),
		cmocka_unit_test(published_customer),
		cmocka_unit_test(closed_forms),
		cmocka_unit_test(probabilities_sum_to_one_and_their_mean_is_expected),
		cmocka_unit_test(recurrence_agrees_with_single_probabilities),
		cmocka_unit_test(expectations_rise_smoothly),
		cmocka_unit_test(discounting_by_nothing_is_expecting),
		cmocka_unit_test(discounting_agrees_with_expectations_along_time),
		cmocka_unit_test(updating_is_consistent),
		cmocka_unit_test(survival_falls_from_one),
		cmocka_unit_test(quantiles_are_the_smallest_counts),
		cmocka_unit_test(trap_a_is_one_or_nearly),
		cmocka_unit_test(trap_a_plus_b_not_above_one),
		cmocka_unit_test(trap_powers_beyond_doubles),
		cmocka_unit_test(trap_counts_beyond_170),
		cmocka_unit_test(trap_z_near_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
