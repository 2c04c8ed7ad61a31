/*
 * shock.c
 *		See shock.h.
 */
#include "math/shock.h"

#include <math.h>
#include <stdbool.h>

#define MOST_CORRELATION 0.98
#define LEAST_LN_SD (-7.0)
#define MOST_LN_SD 2.0
#define GOLDEN 0.6180339887498949
#define HALVINGS 48

/* The sampling variance of a period that tells nothing. */
#define NO_WEIGHT 1e12

double
clv_shock_likelihood(int n, const double *y, const double *v, double sd, double correlation)
{
	double stationary = sd * sd;
	double variance = stationary; /* of the shock, given the periods before */
	double of_y = 0;              /* its expectation given them, with m = 0 */
	double of_one = 0;            /* the same of a series of ones */
	double yy = 0;
	double y1 = 0;
	double ones = 0;
	double ln_det = 0;

	for (int t = 0; t < n; t++)
	{
		double total = variance + v[t];
		double gain = variance / total;
		double a = y[t] - of_y;
		double b = 1 - of_one;

		ln_det += log(total);
		yy += a * a / total;
		y1 += a * b / total;
		ones += b * b / total;
		of_y = correlation * (of_y + gain * a);
		of_one = correlation * (of_one + gain * b);
		variance = correlation * correlation * variance * (1 - gain) +
				   stationary * (1 - correlation * correlation);
	}
	return -0.5 * (ln_det + log(ones) + yy - y1 * y1 / ones);
}

/* What is maximised: periods, and the correlation while the standard deviation is looked for. */
typedef struct Series
{
	int n;
	const double *y;
	const double *v;
	double correlation;
} Series;

/* The likelihood at the logarithm of a standard deviation. */
static double
AtLnSd(Series *series, double ln_sd)
{
	return clv_shock_likelihood(series->n, series->y, series->v, exp(ln_sd), series->correlation);
}

/* The largest value of a function that rises and then falls, and where it is (golden section). */
static double
Golden(double (*f)(Series *, double), Series *series, double low, double high, double *at)
{
	double one = high - GOLDEN * (high - low);
	double other = low + GOLDEN * (high - low);
	double f_one = f(series, one);
	double f_other = f(series, other);

	for (int i = 0; i < HALVINGS; i++)
	{
		if (f_one >= f_other)
		{
			high = other;
			other = one;
			f_other = f_one;
			one = high - GOLDEN * (high - low);
			f_one = f(series, one);
		}
		else
		{
			low = one;
			one = other;
			f_one = f_other;
			other = low + GOLDEN * (high - low);
			f_other = f(series, other);
		}
	}
	*at = f_one >= f_other ? one : other;
	return fmax(f_one, f_other);
}

/* The likelihood at a correlation, with the standard deviation that suits it best. */
static double
AtCorrelation(Series *series, double correlation)
{
	double ln_sd;

	series->correlation = correlation;
	return Golden(AtLnSd, series, LEAST_LN_SD, MOST_LN_SD, &ln_sd);
}

/* Sets the variance of the mean shock of the past, and its covariance with the last one. */
static void
SetPast(ClvShock *shock, int n, const double *expected)
{
	double before = 0; /* the weighted sum of the shocks before, as seen from this period */
	double sum = 0;
	double total = 0;

	for (int t = 0; t < n; t++)
	{
		double weight = expected[t] >= 1 ? expected[t] : 0;

		before *= shock->correlation;
		sum += weight * weight + 2 * weight * before;
		before += weight;
		total += weight;
	}
	shock->past = sum / (total * total);
	shock->link = before / total;
}

/* Looks for the correlation in steps, then around the best of them, and for both numbers there. */
static void
Search(Series *series, ClvShock *shock)
{
	static const double step[] = {0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.92, MOST_CORRELATION};
	int last = (int) (sizeof(step) / sizeof(step[0])) - 1;
	double best = AtCorrelation(series, step[0]);
	double found;
	double ln_sd;
	int at = 0;

	for (int i = 1; i <= last; i++)
	{
		double next = AtCorrelation(series, step[i]);

		if (next > best)
		{
			best = next;
			at = i;
		}
	}
	found = Golden(AtCorrelation, series, step[at > 0 ? at - 1 : 0],
				   step[at < last ? at + 1 : last], &shock->correlation);
	if (best > found) /* at an end of the range */
		shock->correlation = step[at];
	series->correlation = shock->correlation;
	shock->evidence = Golden(AtLnSd, series, LEAST_LN_SD, MOST_LN_SD, &ln_sd) -
					  clv_shock_likelihood(series->n, series->y, series->v, 0, 0);
	shock->sd = exp(ln_sd);
}

ClvShock
clv_shock_estimate(int n, const double *actual, const double *expected, double *work)
{
	ClvShock shock = {0};
	double *y = work;
	double *v = work + n;
	Series series;

	while (n > 0 && !(expected[n - 1] >= 1))
		n--;
	while (n > 0 && (!(expected[0] >= 1) || n > CLV_SHOCK_MOST))
	{
		actual++;
		expected++;
		n--;
	}
	shock.periods = n;
	if (n < CLV_SHOCK_LEAST)
		return shock;
	for (int t = 0; t < n; t++)
	{
		bool known = expected[t] >= 1;

		y[t] = known ? actual[t] / expected[t] - 1 : 0;
		v[t] = known ? 1 / expected[t] : NO_WEIGHT;
	}
	series = (Series){n, y, v, 0};
	Search(&series, &shock);
	if (!(shock.evidence >= CLV_SHOCK_EVIDENCE))
		shock.sd = shock.correlation = 0;
	SetPast(&shock, n, expected);
	return shock;
}

double
clv_shock_variance(const ClvShock *shock, double gap, double periods)
{
	double rho = shock->correlation;
	double n = fmax(periods, 1); /* within a period the shock is one */
	double decay = pow(rho, n);
	double future = (n * (1 - rho * rho) - 2 * rho * (1 - decay)) / pow(n * (1 - rho), 2);
	double common = shock->link * pow(rho, gap) * rho * (1 - decay) / ((1 - rho) * n);

	return shock->sd * shock->sd * fmax(future + shock->past - 2 * common, 0);
}
