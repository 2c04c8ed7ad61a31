/*
 * lifetimes.h
 *		What must hold for every family whose customers live until they die, whatever
 *		the law of life and the parameters.
 */
#ifndef CLV_TEST_LIVES_H
#define CLV_TEST_LIVES_H

#include <math.h>

#include "fitting.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"
#include "reference.h"

/* A family and parameters to try it with: usual ones, and extreme ones. */
typedef struct Lives
{
	const ClvFamily *family;
	const double (*shapes)[CLV_MAX_PARAMS];
	int n;
} Lives;

/* Fails where the relative error of a value exceeds the tolerance. */
static inline void
AssertRelative(const char *what, double actual, double expected, double tolerance)
{
	if (!(RelativeError(actual, expected) <= tolerance))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* For a poll that only counts. */
static inline void
CountCall(void *arg)
{
	++*(int *) arg;
}

/* ---- reference values ---- */

/*
 * All 60 rows, hard ones included. Relative errors stay below 3e-13 in every column
 * (1e-12 is the aim); the margin is for other libms.
 */
#define REFERENCE_TOLERANCE 1e-12

/* ---- properties ---- */

#define MANY 4096

/* Those for whom a table of MANY counts holds everything. */
static inline void
ProbabilitiesSumToOne(const Lives *lives)
{
	static double p[MANY];

	for (int i = 0; i < lives->n; i++)
	{
		const double *param = lives->shapes[i];
		double t = fmin(60, 300 * param[1] / param[0]);
		double spread = 1 + t / param[1]; /* purchases of a quick customer: mean x this */
		double sum = 0;
		double mean = 0;

		if (spread * (40 + 300 / param[0]) > MANY)
			continue;
		lives->family->probabilities(param, t, MANY, p);
		for (int n = MANY - 1; n >= 0; n--)
		{
			assert_true(p[n] >= 0 && p[n] <= 1);
			sum += p[n];
			mean += n * p[n];
		}
		AssertRelative("sum", sum, 1, 1e-12);
		AssertRelative("mean", mean, lives->family->expected(param, t), 1e-11);
	}
}

/*
 * Each probability by itself and by recurrence: other panels, other logarithms. The
 * recurrence is for quantiles, and its panels are the same for all counts: far out in
 * the tails a few digits are lost.
 */
static inline void
RecurrenceAgrees(const Lives *lives)
{
	static double p[600];
	static const double times[] = {0, 1e-6, 0.7, 52, 1000};

	for (int i = 0; i < lives->n; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			const double *param = lives->shapes[i];

			lives->family->probabilities(param, times[j], 600, p);
			for (int n = 0; n < 600; n += n < 20 ? 1 : 29)
			{
				double single = lives->family->probability(param, n, times[j]);

				assert_true(single >= 0 && single <= 1);
				if (!(fabs(p[n] - single) <= 1e-9 * single + 1e-18))
					fail_msg("%s %d at %g: P(%d) is %.17g in a row, %.17g alone",
							 lives->family->name, i, times[j], n, p[n], single);
			}
		}
	}
}

/* What mpmath says at 40 digits, as the mixture of negative binomials over lives. */
typedef struct ManyPurchases
{
	double param[CLV_MAX_PARAMS];
	double n;
	double t;
	double p;
} ManyPurchases;

/* n as large as an integer can be costs what a small one does, and no digit. */
static inline void
ManyPurchasesAreExact(const ClvFamily *family, const ManyPurchases *many, int rows)
{
	static int calls;

	for (int i = 0; i < rows; i++)
	{
		calls = 0;
		clv_family_poll = (ClvPoll){CountCall, &calls, 0};
		AssertRelative("P(n)", family->probability(many[i].param, many[i].n, many[i].t), many[i].p,
					   1e-12);
		clv_family_poll = (ClvPoll){NULL, NULL, 0};
		if (calls > 20)
			fail_msg("P(%g) polls %d times", many[i].n, calls);
	}
}

/*
 * Shapes so large that P(0) is below any double, in a block: the bells of single counts,
 * and of lives.
 */
static inline void
FarBlocksAgree(const ClvFamily *family, const double *param, double t)
{
	static double p[MANY];
	double sum = 0;

	family->probabilities(param, t, MANY, p);
	for (int n = 0; n < MANY; n++)
		sum += p[n];
	AssertRelative("sum", sum, 1, 1e-10);
	for (int n = 0; n < MANY; n += 37)
	{
		double single = family->probability(param, n, t);

		if (!(fabs(p[n] - single) <= 1e-11 * single + 1e-280))
			fail_msg("%s at %g: P(%d) is %.17g in a row, %.17g alone", family->name, t, n, p[n],
					 single);
	}
}

/* Asserts that expected purchases rise with time, towards the limit without an end. */
static inline void
ExpectationsRise(const Lives *lives)
{
	static const double deltas[] = {0, 1e-9, 0.002, 0.3};

	for (int i = 0; i < lives->n; i++)
	{
		const double *param = lives->shapes[i];

		for (int j = 0; j < 4; j++)
		{
			double limit = lives->family->discounted(param, deltas[j], INFINITY);
			double before = 0;

			for (double t = 1e-4; t < 1e7; t *= 1.2)
			{
				double now = lives->family->discounted(param, deltas[j], t);

				assert_true(now >= before * (1 - 1e-13));
				if (!(now <= limit * (1 + 1e-13)))
					fail_msg("%s %d: %.17g until %g, %.17g for ever, at %g", lives->family->name, i,
							 now, t, limit, deltas[j]);
				before = now;
			}
		}
		for (double t = 0.01; t < 1e5; t *= 7)
		{
			double expected = lives->family->expected(param, t);

			AssertRelative("no rate", lives->family->discounted(param, 0, t), expected, 1e-15);
			AssertRelative("a rate of 1e-18", lives->family->discounted(param, 1e-18, t), expected,
						   1e-12);
		}
		assert_true(lives->family->expected(param, 0) == 0);
		assert_true(lives->family->discounted(param, 0.1, 0) == 0);
	}
}

/* The derivative of the discounted expectation is r/alpha e^(-delta t) S(t): by differences. */
static inline void
ExpectationsAreIntegrals(const Lives *lives)
{
	for (int i = 0; i < lives->n; i++)
	{
		const double *param = lives->shapes[i];

		for (double t = 0.1; t < 300; t *= 3)
		{
			double h = 1e-4 * t;
			double delta = 0.01;
			double slope = (lives->family->discounted(param, delta, t + h) -
							lives->family->discounted(param, delta, t - h)) /
						   (2 * h);
			double truth =
				param[0] / param[1] * exp(-delta * t) * lives->family->survival(param, t);

			/* where the curve is flat, differences see rounding */
			if (truth * t > 1e-3 * lives->family->discounted(param, delta, t))
				AssertRelative("slope", slope, truth, 1e-4);
		}
	}
}

/* The probabilities of survival and of no purchase multiply over one step as over two. */
static inline void
UpdatingIsConsistent(const Lives *lives)
{
	for (int i = 0; i < lives->n; i++)
	{
		const ClvFamily *family = lives->family;
		const double *param = lives->shapes[i];
		ClvFuture future = {0};
		double before = 1;

		family->given_alive(param, 0, 50, &future);
		assert_ptr_equal(future.family, family);
		if (family->survival(param, 70) > 1e-290)
			AssertRelative("survival",
						   family->survival(param, 50) * family->survival(future.param, 20),
						   family->survival(param, 70), 1e-11);
		AssertRelative("P(0)",
					   family->probability(param, 0, 50) *
						   clv_probability_given(family, param, 0, 0, 50, 0, 20),
					   family->probability(param, 0, 70), 1e-11);
		assert_true(family->survival(param, 0) == 1);
		for (double t = 0; t < 1e6; t = t * 2 + 0.01)
		{
			double now = family->survival(param, t);

			assert_true(now >= 0 && now <= before);
			before = now;
		}
	}
}

/* P(alive) falls while nothing happens, from 1 at the last purchase. */
static inline void
PAliveFallsWithTime(const Lives *lives)
{
	for (int i = 0; i < lives->n; i++)
	{
		for (int x = 0; x <= 3000; x = 3 * x + 1)
		{
			double t_x = x > 0 ? 20 : 0;
			double before = 0;

			assert_true(lives->family->ln_p_alive(lives->shapes[i], x, t_x, t_x) == 0);
			for (double wait = 1e-12; wait < 1e6; wait *= 1.7)
			{
				double now = lives->family->ln_p_alive(lives->shapes[i], x, t_x, t_x + wait);

				assert_true(now <= before && isfinite(now));
				before = now;
			}
		}
	}
}

/* Asserts that a quantile is the smallest count whose cumulative probability reaches it. */
static inline void
QuantilesAreTheSmallestCounts(const Lives *lives)
{
	static const double levels[] = {0, 0.05, 0.5, 0.9, 0.99, 0.999999};
	static double p[600];

	for (int i = 0; i < 3; i++)
	{
		const ClvFamily *family = lives->family;
		ClvFuture future = {0};

		family->given_alive(lives->shapes[i], 3, 20, &future);
		for (int j = 0; j < 6; j++)
		{
			int n = clv_quantile_given(&future, 0.7, 52, levels[j], 600, p);
			double below = 0.3;

			for (int k = 0; k < n; k++)
				below += 0.7 * future.family->probability(future.param, k, 52);
			assert_true(n >= 0);
			assert_true(n == 0 || below < levels[j]);
			assert_true(below + 0.7 * future.family->probability(future.param, n, 52) >= levels[j]);
		}
		assert_int_equal(clv_quantile_given(&future, 0, 52, 0.999, 600, p), 0);
	}
}

/* ---- the terms of the fit ---- */

#define TIMES 200

/* A long row is integrated at some points only, and its terms come from polynomials. */
static inline void
SameTerm(const ClvFamily *family, const ClvTerm *alone, const ClvTerm *in_row)
{
	int n = family->nparams;

	assert_true(fabs(alone->ln - in_row->ln) <= 1e-12 * fmax(1, fabs(alone->ln)));
	for (int i = 0; i < n; i++)
		assert_true(fabs(alone->gradient[i] - in_row->gradient[i]) <=
					1e-10 * fmax(1, fabs(alone->gradient[i])));
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		assert_true(fabs(alone->hessian[i] - in_row->hessian[i]) <=
					1e-8 * fmax(1, fabs(alone->hessian[i])));
}

/*
 * At any time the two terms add up to the probabilities of no purchase and of survival, and the
 * terms of two times to the likelihood; in a long row as in a row of one.
 */
static inline void
TermsAddUp(const Lives *lives)
{
	static const double steps[] = {1e-9, 0.01, 1 / 7.0, 30};
	static ClvTerm departed[TIMES];
	static ClvTerm alive[TIMES];
	double t[TIMES];
	ClvTerm common;
	ClvTerm alone;

	for (int i = 0; i < lives->n; i++)
	{
		const ClvFamily *family = lives->family;
		const double *param = lives->shapes[i];

		for (int k = 0; k < 16; k++)
		{
			double x = k / 4 == 0 ? 0 : pow(10, k / 4 - 1) + 1;

			for (int j = 0; j < TIMES; j++)
				t[j] = j * steps[k % 4];
			family->ln_common(param, x, &common);
			family->departed(param, x, t, TIMES, departed);
			family->alive(param, x, t, TIMES, alive);
			for (int j = 0; j < TIMES; j += 13)
			{
				double unseen = -(param[0] + x) * log1p(t[j] / param[1]);
				double survived = log(family->survival(param, t[j]));
				double both = clv_log_add(departed[j].ln, alive[j].ln);
				int last = j + (TIMES - 1 - j) / 2;
				double ln = common.ln + clv_log_add(departed[j].ln, alive[last].ln);
				double direct = family->log_likelihood(param, x, t[j], t[last]);

				if (survived > -700 &&
					!(fabs(both - unseen - survived) <= 1e-12 * fmax(1, fabs(both))))
					fail_msg("%s %d: %.17g at %g for x = %g, not %.17g", family->name, i, both,
							 t[j], x, unseen + survived);
				if (!(fabs(ln - direct) <= 1e-12 * fmax(fabs(common.ln), fmax(1, fabs(direct)))))
					fail_msg("%s %d: ln L is %.17g for x = %g, not %.17g", family->name, i, ln, x,
							 direct);
			}
			for (int j = 0; j < TIMES; j += 13)
			{
				family->departed(param, x, &t[j], 1, &alone);
				SameTerm(family, &alone, &departed[j]);
				family->alive(param, x, &t[j], 1, &alone);
				SameTerm(family, &alone, &alive[j]);
			}
		}
	}
}

/* A customer of age T who buys at rate and dies at death; grid > 0: times are multiples of it. */
static inline ClvCell
DrawLife(Chance *chance, double rate, double death, double T, double grid)
{
	ClvCell cell = {.T = T, .count = 1};
	double t = 0;

	for (;;)
	{
		t += Exponential(chance) / rate;
		if (!(t <= T && t <= death))
			break;
		cell.x++;
		cell.t_x = t;
	}
	if (grid > 0)
		cell.t_x = fmin(T, grid * nearbyint(cell.t_x / grid));
	return cell;
}

/* ... whose death is the quantile of the family's own survival. */
static inline double
DrawDeath(Chance *chance, const ClvFamily *family, const double *param)
{
	double level = Uniform(chance);
	double low = 0;
	double high = 1;

	while (family->survival(param, high) > level && high < 1e9)
		high *= 2;
	for (int i = 0; i < 60; i++)
	{
		double middle = (low + high) / 2;

		if (family->survival(param, middle) > level)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Simulated customers of a family, as an array that the caller frees. */
static inline ClvCell *
DrawLives(const ClvFamily *family, const double *param, size_t n, double grid, Chance chance)
{
	ClvCell *cells = malloc(n * sizeof(ClvCell));

	for (size_t i = 0; i < n; i++)
	{
		double T = 4 + 100 * Uniform(&chance);
		double rate = Gamma(&chance, param[0]) / param[1];

		T = grid > 0 ? grid * nearbyint(T / grid) : T;
		cells[i] = DrawLife(&chance, rate, DrawDeath(&chance, family, param), T, grid);
	}
	return cells;
}

/* Derivatives against differences, times on a grid of days and anywhere. */
static inline void
DerivativesAreTheFunctionsOwn(const Lives *lives)
{
	for (int i = 0; i < lives->n; i++)
	{
		size_t n = 500;
		ClvCell *cells = DrawLives(lives->family, lives->shapes[0], n, i % 2 / 7.0, 3 + i);

		CheckEngine(lives->family, cells, n, lives->shapes[i]);
		free(cells);
	}
}

/* Asserts that a fit of simulated customers recovers the parameters within its errors. */
static inline void
RecoversParameters(const ClvFamily *family, const double *truth, size_t n, Chance chance)
{
	ClvCell *cells = DrawLives(family, truth, n, 0, chance);
	ClvFitReport report;

	assert_int_equal(FitCells(family, cells, n, NULL, &report), CLV_OK);
	assert_true(report.gradient_norm < 1e-8);
	WithinErrors(family, &report, truth, 4);
	free(cells);
}

#endif /* CLV_TEST_LIVES_H */
