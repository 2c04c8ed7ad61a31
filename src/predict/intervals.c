/*
 * intervals.c
 *		Predictive quantiles: the distribution of purchases and spend, not their expectation.
 *
 * The number of purchases has a discrete distribution, which the family gives in
 * one recurrence; its quantile is the smallest number reached with at least that
 * probability. The spend of k purchases has a continuous one, so the spend of the
 * horizon is a mixture of these with an atom at zero, where the customer is dead
 * or does not buy. Its quantile is the root of a monotone function.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "miscadmin.h"

/* The mixture is truncated where the counts left out cannot change a digit of its quantiles. */
#define TAIL 1e-11

/* Counts are computed in blocks of growing size; more than the last is an error, not a long search.
 */
#define COUNTS_FIRST 64
#define COUNTS_LAST (1 << 18)

/* By a calendar, where each count takes longer, blocks begin with this one and double. */
#define COUNTS_BY_CALENDAR 8

/* A second moment may leave out this much probability, and this much of itself. */
#define SECOND_UNSEEN 1e-6
#define SECOND_REST 1e-9

/* Relative width at which a root is found; P(spend <= s) is no better known. */
#define ROOT_WIDTH 1e-11
#define ROOT_STEPS 200

/* Raises the error of a quantile that lies beyond the largest number of purchases computed. */
static pg_attribute_noreturn() void TooManyPurchases(void)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("quantiles beyond %d purchases are not computed", COUNTS_LAST),
					errhint("Check that the parameters of the model are in its time unit.")));
}

double
clv_count_quantile(const ClvFuture *future, double p_alive, double horizon, double level)
{
	int first = future->clocks != NULL ? COUNTS_BY_CALENDAR : COUNTS_FIRST;

	if (1 - p_alive >= level) /* those who have left buy nothing */
		return 0;
	for (int n = first; n <= COUNTS_LAST && horizon > 0; n *= n < COUNTS_FIRST ? 2 : 4)
	{
		double *p = palloc(n * sizeof(double));
		int quantile;

		CHECK_FOR_INTERRUPTS();
		quantile = clv_quantile_given(future, p_alive, horizon, level, n, p);
		pfree(p);
		if (quantile >= 0)
			return quantile;
	}
	if (horizon > 0)
		TooManyPurchases();
	return 0;
}

/*
 * From the expectation of pairs, where the family has it; else summed until almost all probability
 * is included and the rest of the tail, taken as geometric, is negligible.
 */
double
clv_second_moment(const ClvFuture *future, double horizon)
{
	double pairs;

	if (horizon == 0)
		return 0;
	pairs = clv_future_pairs(future, horizon);
	if (!isnan(pairs))
		return pairs + clv_future_expected(future, horizon);
	for (int n = COUNTS_FIRST; n <= COUNTS_LAST; n *= 4)
	{
		double *p = palloc(n * sizeof(double));
		double seen = 0;
		double moment = 0;
		double ratio;
		double rest;

		CHECK_FOR_INTERRUPTS();
		clv_future_probabilities(future, horizon, n, p);
		for (int k = 0; k < n; k++)
		{
			seen += p[k];
			moment += (double) k * k * p[k];
		}
		ratio = p[n - 2] > 0 ? p[n - 1] / p[n - 2] : 0;
		rest = (double) n * n * p[n - 1] * ratio / (1 - ratio);
		pfree(p);
		if (1 - seen < SECOND_UNSEEN && ratio < 1 && rest <= SECOND_REST * moment)
			return moment;
	}
	return INFINITY;
}

/* The distribution of one customer's spend in the horizon. */
typedef struct Mixture
{
	const ClvModelPart *spend;
	const ClvCustomer *customer;
	double *p; /* p[k]: k purchases, alive */
	int counts;
	double atom; /* P(no purchase), the dead included */
} Mixture;

/* Fills in the probabilities of all counts until the rest is below TAIL; first: of CLV_COUNTS. */
static void
Counts(Mixture *mixture, const ClvFuture *future, double p_alive, double horizon,
	   const double *first)
{
	for (int n = CLV_COUNTS;; n *= 4)
	{
		double sum = 0;
		int last;

		CHECK_FOR_INTERRUPTS();
		mixture->p = palloc(n * sizeof(double));
		if (n == CLV_COUNTS)
			memcpy(mixture->p, first, n * sizeof(double));
		else
			clv_future_probabilities(future, horizon, n, mixture->p);
		for (last = 0; last < n && 1 - sum > TAIL; last++)
			sum += mixture->p[last];
		if (last < n)
		{
			mixture->counts = last;
			break;
		}
		if (n >= COUNTS_LAST)
			TooManyPurchases();
		pfree(mixture->p);
	}
	for (int k = 0; k < mixture->counts; k++)
		mixture->p[k] *= p_alive;
	mixture->atom = 1 - p_alive + mixture->p[0];
}

/* The quantile of the count: times the mean spend, it is the start value of the search. */
static int
CountQuantile(const Mixture *mixture, double level)
{
	double sum = mixture->atom;
	int k = 1;

	while (k < mixture->counts && (sum += mixture->p[k]) < level)
		k++;
	return k;
}

/* P(spend <= s) - level, for s = e^ln_s */
static double
Excess(const Mixture *mixture, double ln_s, double level)
{
	const ClvModelPart *spend = mixture->spend;
	const ClvCustomer *customer = mixture->customer;
	double s = exp(ln_s);
	double sum = mixture->atom;

	for (int k = 1; k < mixture->counts; k++)
	{
		CHECK_FOR_INTERRUPTS();
		if (mixture->p[k] > 0)
			sum += mixture->p[k] *
				   spend->family->spend_cdf(spend->param, customer->spend_x, customer->mean, k, s);
	}
	return sum - level;
}

/*
 * The ln(s) at which P(spend <= s) is the level, by the Illinois rule: regula falsi that halves the
 * weight of an end which stayed twice, and so does not stall. Takes 8 to 15 evaluations.
 */
static double
Root(const Mixture *mixture, double level, double start)
{
	double a = start;
	double fa = Excess(mixture, a, level);
	double b = a;
	double fb = fa;
	int last = 0; /* the end that moved last: -1 a, 1 b */

	/* e^700 is beyond any amount of money: the quantile of a level that close to 1 is infinite */
	for (double step = 0.25; fa > 0 && a > -700; step *= 2)
	{
		b = a;
		fb = fa;
		a -= step;
		fa = Excess(mixture, a, level);
	}
	for (double step = 0.25; fb < 0; step *= 2)
	{
		if (b > 700)
			return INFINITY;
		a = b;
		fa = fb;
		b += step;
		fb = Excess(mixture, b, level);
	}

	for (int i = 0; i < ROOT_STEPS && b - a > ROOT_WIDTH && fa < 0 && fb > 0; i++)
	{
		double c = b - fb * (b - a) / (fb - fa);
		double fc;
		int moved;

		if (!(c > a && c < b))
			c = a + (b - a) / 2;
		if (c <= a || c >= b)
			break;
		CHECK_FOR_INTERRUPTS();
		fc = Excess(mixture, c, level);
		moved = fc < 0 ? -1 : 1;
		if (moved < 0)
		{
			a = c;
			fa = fc;
			if (moved == last)
				fb /= 2;
		}
		else
		{
			b = c;
			fb = fc;
			if (moved == last)
				fa /= 2;
		}
		last = moved;
	}
	return fa >= 0 ? a : b;
}

void
clv_spend_quantiles(const ClvModel *fitted, const ClvCustomer *customer, const ClvFuture *future,
					double p_alive, double horizon, const double *counts, int n,
					const double *levels, double *quantiles)
{
	Mixture mixture = {.spend = &fitted->spend, .customer = customer};
	double mean = clv_spend_of(fitted, customer);

	for (int i = 0; i < n; i++)
		quantiles[i] = 0;
	if (horizon == 0 || !isfinite(mean))
		return;
	Counts(&mixture, future, p_alive, horizon, counts);
	for (int i = 0; i < n; i++)
		if (levels[i] > mixture.atom)
			quantiles[i] =
				exp(Root(&mixture, levels[i], log(mean * CountQuantile(&mixture, levels[i]))));
	pfree(mixture.p);
}
