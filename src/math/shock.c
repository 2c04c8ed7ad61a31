/*
 * shock.c
 *		See shock.h.
 */
#include "math/shock.h"

#include <math.h>
#include <stdbool.h>

#define LEAST_LN_SD (-5.0)
#define MOST_LN_SD 1.0
#define GOLDEN 0.6180339887498949

/* How narrow the place of a maximum is made: the finer, the more is looked for within it. */
#define WIDTH_LN_SD 1e-5
#define WIDTH_CORRELATION 1e-4
#define WIDTH_LASTING 1e-4

/* A gain of the likelihood that is rounding alone. */
#define NO_GAIN 1e-9

/* The sampling variance of a period that tells nothing. */
#define NO_WEIGHT 1e12

/* So many variances are multiplied before their logarithm is taken. */
#define FACTORS 8

double
clv_shock_likelihood(int n, const double *y, const double *v, double sd, double lasting,
					 double correlation)
{
	double passing = sd * sd * (1 - lasting);
	double stationary = sd * sd * lasting;
	double variance = stationary; /* of the part that lasts, given the periods before */
	double of_y = 0;              /* its expectation given them, with m = 0 */
	double of_one = 0;            /* the same of a series of ones */
	double yy = 0;
	double y1 = 0;
	double ones = 0;
	double ln_det = 0;
	double det = 1;

	for (int t = 0; t < n; t++)
	{
		double total = variance + passing + v[t];
		double weight = 1 / total;
		double gain = variance * weight;
		double a = y[t] - of_y;
		double b = 1 - of_one;

		det *= total;
		if (t % FACTORS == FACTORS - 1 || t == n - 1)
		{
			ln_det += log(det);
			det = 1;
		}
		yy += a * a * weight;
		y1 += a * b * weight;
		ones += b * b * weight;
		of_y = correlation * (of_y + gain * a);
		of_one = correlation * (of_one + gain * b);
		variance = correlation * correlation * variance * (1 - gain) +
				   stationary * (1 - correlation * correlation);
	}
	return -0.5 * (ln_det + log(ones) + yy - y1 * y1 / ones);
}

/* What is maximised: periods, and what is held while the standard deviation is looked for. */
typedef struct Series
{
	int n;
	const double *y;
	const double *v;
	double lasting;
	double correlation;
	double ln_sd; /* that was found last */
} Series;

/* The likelihood at the logarithm of a standard deviation. */
static double
AtLnSd(Series *series, double ln_sd)
{
	return clv_shock_likelihood(series->n, series->y, series->v, exp(ln_sd), series->lasting,
								series->correlation);
}

/* The largest value of a function that rises and then falls, and where it is, as near as width
 * (golden section). */
static double
Golden(double (*f)(Series *, double), Series *series, double low, double high, double width,
	   double *at)
{
	double one = high - GOLDEN * (high - low);
	double other = low + GOLDEN * (high - low);
	double f_one = f(series, one);
	double f_other = f(series, other);

	while (high - low > width)
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

/* The largest value of a function at the rising steps of its range (of several, the first) and
 * between those next to it, and where it is. */
static double
Peak(double (*f)(Series *, double), Series *series, const double *step, int steps, double width,
	 double *at)
{
	double best = f(series, step[0]);
	int where = 0;
	double found;

	for (int i = 1; i < steps; i++)
	{
		double next = f(series, step[i]);

		if (next > best + NO_GAIN)
		{
			best = next;
			where = i;
		}
	}
	found = Golden(f, series, step[where > 0 ? where - 1 : 0],
				   step[where < steps - 1 ? where + 1 : where], width, at);
	if (!(found > best + NO_GAIN))
	{
		*at = step[where];
		found = best;
	}
	return found;
}

/* The likelihood at a correlation of the part that lasts, with the standard deviation that suits it
 * best. */
static double
AtCorrelation(Series *series, double correlation)
{
	series->correlation = correlation;
	return Golden(AtLnSd, series, LEAST_LN_SD, MOST_LN_SD, WIDTH_LN_SD, &series->ln_sd);
}

/* The likelihood at a share that lasts, with the correlation and the standard deviation that suit
 * it best. */
static double
AtLasting(Series *series, double lasting)
{
	static const double step[] = {0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.92, CLV_SHOCK_CORRELATION};
	double correlation;
	double best;

	series->lasting = lasting;
	best = Peak(AtCorrelation, series, step, (int) (sizeof(step) / sizeof(step[0])),
				WIDTH_CORRELATION, &correlation);
	AtCorrelation(series, correlation);
	return best;
}

/* Looks for the three numbers of a shock, and sets its evidence. */
static void
Search(Series *series, ClvShock *shock)
{
	static const double step[] = {0.2, 0.4, 0.6, 0.8, 1};
	double best = Peak(AtLasting, series, step, (int) (sizeof(step) / sizeof(step[0])),
					   WIDTH_LASTING, &shock->lasting);

	AtLasting(series, shock->lasting);
	shock->correlation = series->correlation;
	shock->sd = exp(series->ln_sd);
	shock->evidence = best - clv_shock_likelihood(series->n, series->y, series->v, 0, 0, 0);
}

/* Sets the variance of the mean shock of the past, and its covariance with the part of the last one
 * that lasts. */
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
		sum += weight * weight + 2 * weight * shock->lasting * before;
		before += weight;
		total += weight;
	}
	shock->past = sum / (total * total);
	shock->link = shock->lasting * before / total;
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
	series = (Series){n, y, v, 0, 0, 0};
	Search(&series, &shock);
	if (!(shock.evidence >= CLV_SHOCK_EVIDENCE))
		shock.sd = shock.lasting = shock.correlation = 0;
	if (shock.correlation == 0) /* nothing lasts */
		shock.lasting = 0;
	SetPast(&shock, n, expected);
	return shock;
}

double
clv_shock_variance(const ClvShock *shock, double gap, double periods)
{
	double rho = shock->correlation;
	double n = fmax(periods, 1); /* within a period the shock is one */
	double decay = pow(rho, n);
	double passing = (1 - shock->lasting) / n;
	double lasting =
		shock->lasting * (n * (1 - rho * rho) - 2 * rho * (1 - decay)) / pow(n * (1 - rho), 2);
	double common = shock->link * pow(rho, gap) * rho * (1 - decay) / ((1 - rho) * n);

	return shock->sd * shock->sd * fmax(passing + lasting + shock->past - 2 * common, 0);
}
