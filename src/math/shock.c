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

/* How near to its best value the logarithm of the standard deviation is found, and at a first look.
 */
#define WIDTH 0.005
#define WIDTH_COARSE 0.05

/* The grid: shares that last from 1/SHARES to 1, and correlations in equal steps of Fisher's z from
 * 0 on. A first look takes every second share and every third correlation. */
#define SHARES 10
#define CORRELATIONS 24
#define COARSE_SHARES 2
#define COARSE_CORRELATIONS 3

/* Shocks that gain less than this share of what counts at a first look are not looked at any
 * closer. */
#define CLOSER 0.5

/* Where the likelihood is less than the best by so much it has no weight. */
#define NEGLIGIBLE 12

/* The curvature over the logarithm of the standard deviation is a difference over STEP; the
 * integral over it is a sum of STEPS steps to either side of the maximum, each of at most
 * MOST_STEP. */
#define STEP 0.15
#define STEPS 8
#define MOST_STEP 0.4

/* The periods over which the numbers of the shock give the average variance. */
#define HALF_YEAR 26

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

/* Periods, and what is held while the standard deviation is looked for. */
typedef struct Series
{
	int n;
	const double *y;
	const double *v;
	double lasting;
	double correlation;
} Series;

/* The likelihood at the logarithm of a standard deviation. */
static double
AtLnSd(const Series *series, double ln_sd)
{
	return clv_shock_likelihood(series->n, series->y, series->v, exp(ln_sd), series->lasting,
								series->correlation);
}

/* A range that holds a maximum, the best three points in it, the best first, and the last two moves
 * from the best. */
typedef struct Bracket
{
	double low;
	double high;
	double at[3];
	double value[3];
	double move;
	double before;
} Bracket;

/*
 * The next move from the best point: to the top of the parabola through all three where that is
 * within the range and moves shrink, else a golden section of the longer side; no less than width.
 */
static double
NextMove(Bracket *b, double width)
{
	double one = b->at[0] - b->at[1];
	double other = b->at[0] - b->at[2];
	double r = one * (b->value[0] - b->value[2]);
	double q = other * (b->value[0] - b->value[1]);
	double top = (other * q - one * r) / (2 * (r - q));
	double before = b->before;
	double left = b->low - b->at[0];
	double right = b->high - b->at[0];

	b->before = b->move;
	if (fabs(before) > width && fabs(top) < fabs(before) / 2 && top > left && top < right)
		b->move = top - left < width || right - top < width ? copysign(width, left + right) : top;
	else
	{
		b->before = left + right > 0 ? right : left;
		b->move = (1 - GOLDEN) * b->before;
	}
	return fabs(b->move) >= width ? b->move : copysign(width, b->move);
}

/* Takes a point in, and narrows the range. */
static void
TakeIn(Bracket *b, double at, double value)
{
	bool better = value >= b->value[0];
	double outer = better ? b->at[0] : at;
	int place = better ? 0 : value >= b->value[1] || b->at[1] == b->at[0] ? 1 : 2;

	if (outer < (better ? at : b->at[0]))
		b->low = outer;
	else
		b->high = outer;
	if (place == 2 && value < b->value[2] && b->at[2] != b->at[0] && b->at[2] != b->at[1])
		return;
	for (int i = 2; i > place; i--)
	{
		b->at[i] = b->at[i - 1];
		b->value[i] = b->value[i - 1];
	}
	b->at[place] = at;
	b->value[place] = value;
}

/* The largest likelihood over the standard deviation, and the logarithm where it is, as near as
 * width (Brent 1973, chapter 5). */
static double
Largest(const Series *series, double width, double *at)
{
	double first = LEAST_LN_SD + (1 - GOLDEN) * (MOST_LN_SD - LEAST_LN_SD);
	double value = AtLnSd(series, first);
	Bracket b = {LEAST_LN_SD, MOST_LN_SD, {first, first, first}, {value, value, value}, 0, 0};

	while (fmax(b.at[0] - b.low, b.high - b.at[0]) > 2 * width)
	{
		double next = b.at[0] + NextMove(&b, width);

		TakeIn(&b, next, AtLnSd(series, next));
	}
	*at = b.at[0];
	return b.value[0];
}

/* Sets the series to a place of the grid. */
static void
Place(Series *series, int share, int correlation)
{
	series->lasting = (double) share / SHARES;
	series->correlation = tanh(atanh(CLV_SHOCK_CORRELATION) * correlation / (CORRELATIONS - 1));
}

/* The largest likelihood at the places of a coarse grid. */
static double
FirstLook(Series *series)
{
	double best = -INFINITY;
	double ln_sd;

	for (int i = SHARES; i > 0; i -= COARSE_SHARES)
		for (int j = CORRELATIONS - 1; j >= 0; j -= COARSE_CORRELATIONS)
		{
			Place(series, i, j);
			best = fmax(best, Largest(series, WIDTH_COARSE, &ln_sd));
		}
	return best;
}

/* The largest likelihood at each place of the grid, and where it is. */
typedef struct Grid
{
	double value[SHARES][CORRELATIONS];
	double ln_sd[SHARES][CORRELATIONS];
	double best; /* of all */
} Grid;

/* Fills the grid. */
static void
LookCloser(Series *series, Grid *grid)
{
	grid->best = -INFINITY;
	for (int i = 0; i < SHARES; i++)
		for (int j = 0; j < CORRELATIONS; j++)
		{
			Place(series, i + 1, j);
			grid->value[i][j] = Largest(series, WIDTH, &grid->ln_sd[i][j]);
			grid->best = fmax(grid->best, grid->value[i][j]);
		}
}

/* Averages over what the periods leave open, but for their weight, which is relative to that of the
 * point with the largest one: no likelihood is too large or too small for a double. */
typedef struct Averages
{
	double ln_largest;
	double weight;
	double variance; /* of a period */
	double next;     /* covariance of a period and the next */
	double mean;     /* variance of the mean of half a year, but for that of its periods alone */
} Averages;

/* The part of the variance of a mean of half a year, relative to that of a period, that comes from
 * correlations between its periods. */
static double
OfMean(double correlation)
{
	double sum = 0;

	for (int k = HALF_YEAR - 1; k > 0; k--)
		sum = correlation * (sum + (HALF_YEAR - k));
	return 2 * sum / (HALF_YEAR * HALF_YEAR);
}

/* Adds a point, given the logarithms of its weight and of its standard deviation. */
static void
AddPoint(const Series *series, double ln_weight, double ln_sd, Averages *sums)
{
	double largest = fmax(sums->ln_largest, ln_weight);
	double before = exp(sums->ln_largest - largest);
	double weight = exp(ln_weight - largest);
	double variance = weight * exp(2 * ln_sd);
	double lasting = variance * series->lasting;

	sums->ln_largest = largest;
	sums->weight = sums->weight * before + weight;
	sums->variance = sums->variance * before + variance;
	sums->next = sums->next * before + lasting * series->correlation;
	sums->mean = sums->mean * before + lasting * OfMean(series->correlation);
}

/*
 * Adds a place of the grid, integrated over the standard deviation, which is as likely everywhere:
 * by the trapezoidal rule over its logarithm, whose steps are the standard deviation of that.
 */
static void
AddPlace(const Series *series, double value, double ln_sd, double ends, Averages *sums)
{
	double fall = 2 * value - AtLnSd(series, ln_sd + STEP) - AtLnSd(series, ln_sd - STEP);
	double step = fmin(STEP / sqrt(fmax(fall, STEP * STEP)), MOST_STEP);

	for (int i = -STEPS; i <= STEPS; i++)
	{
		double at = ln_sd + i * step;

		AddPoint(series, AtLnSd(series, at) + at + log(ends * step), at, sums);
	}
}

/* The averages over the grid: shares and Fisher's z of correlations have the same weight
 * everywhere. */
static Averages
Average(Series *series, const Grid *grid)
{
	Averages sums = {.ln_largest = -INFINITY};

	for (int i = 0; i < SHARES; i++)
		for (int j = 0; j < CORRELATIONS; j++)
		{
			double ends = (i == SHARES - 1 ? 0.5 : 1) * (j == 0 || j == CORRELATIONS - 1 ? 0.5 : 1);

			if (grid->value[i][j] < grid->best - NEGLIGIBLE)
				continue;
			Place(series, i + 1, j);
			AddPlace(series, grid->value[i][j], grid->ln_sd[i][j], ends, &sums);
		}
	return sums;
}

/* Sets the numbers of the shock that has these averages. */
static void
SetNumbers(const Averages *sums, ClvShock *shock)
{
	double low = 0;
	double high = CLV_SHOCK_CORRELATION;

	for (int i = 0; i < 60; i++)
	{
		double middle = (low + high) / 2;

		if (OfMean(middle) * sums->next < sums->mean * middle)
			low = middle;
		else
			high = middle;
	}
	shock->sd = sqrt(sums->variance / sums->weight);
	shock->correlation = high;
	shock->lasting = fmin(sums->next / (sums->variance * high), 1);
}

/* Looks for a shock, and sets its evidence and, where that counts, its numbers. */
static void
Search(Series *series, ClvShock *shock)
{
	double none = clv_shock_likelihood(series->n, series->y, series->v, 0, 0, 0);
	Averages sums;
	Grid grid;

	shock->evidence = FirstLook(series) - none;
	if (!(shock->evidence >= CLOSER * CLV_SHOCK_EVIDENCE))
		return;
	LookCloser(series, &grid);
	shock->evidence = grid.best - none;
	if (!(shock->evidence >= CLV_SHOCK_EVIDENCE))
		return;
	sums = Average(series, &grid);
	SetNumbers(&sums, shock);
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
	series = (Series){.n = n, .y = y, .v = v};
	Search(&series, &shock);
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
