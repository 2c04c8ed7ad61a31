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

/* Shocks that gain less than this share of what counts at all of some numbers are not looked at
 * any closer: between those numbers the gain is not several times as large. */
#define CLOSER 0.5
#define WIDTH_COARSE 0.05

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
	double ln_sd; /* that was found last, */
	double width; /* so near to the best */
} Series;

/* The numbers at which a maximum is looked for first. */
static const double lasting_step[] = {0.2, 0.4, 0.6, 0.8, 1};
static const double correlation_step[] = {0,    0.2,  0.4,  0.6,
										  0.75, 0.85, 0.92, CLV_SHOCK_CORRELATION};

#define LASTING_STEPS ((int) (sizeof(lasting_step) / sizeof(double)))
#define CORRELATION_STEPS ((int) (sizeof(correlation_step) / sizeof(double)))

/* The likelihood at the logarithm of a standard deviation. */
static double
AtLnSd(Series *series, double ln_sd)
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

/* The largest value of a function that rises and then falls, and where it is, as near as width
 * (Brent 1973, chapter 5). */
static double
Largest(double (*f)(Series *, double), Series *series, double low, double high, double width,
		double *at)
{
	double first = low + (1 - GOLDEN) * (high - low);
	double value = f(series, first);
	Bracket b = {low, high, {first, first, first}, {value, value, value}, 0, 0};

	while (fmax(b.at[0] - b.low, b.high - b.at[0]) > 2 * width)
	{
		double next = b.at[0] + NextMove(&b, width);

		TakeIn(&b, next, f(series, next));
	}
	*at = b.at[0];
	return b.value[0];
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
	found = Largest(f, series, step[where > 0 ? where - 1 : 0],
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
	return Largest(AtLnSd, series, LEAST_LN_SD, MOST_LN_SD, series->width, &series->ln_sd);
}

/* The likelihood at a share that lasts, with the correlation and the standard deviation that suit
 * it best. */
static double
AtLasting(Series *series, double lasting)
{
	double correlation;
	double best;

	series->lasting = lasting;
	best = Peak(AtCorrelation, series, correlation_step, CORRELATION_STEPS, WIDTH_CORRELATION,
				&correlation);
	AtCorrelation(series, correlation);
	return best;
}

/* The largest likelihood at the numbers that are looked at first. */
static double
FirstLook(Series *series)
{
	double best = -INFINITY;

	series->width = WIDTH_COARSE;
	for (int i = 0; i < LASTING_STEPS; i++)
	{
		series->lasting = lasting_step[i];
		for (int j = 0; j < CORRELATION_STEPS; j++)
			best = fmax(best, AtCorrelation(series, correlation_step[j]));
	}
	return best;
}

/* Looks for the three numbers of a shock where one may be told, and sets its evidence. */
static void
Search(Series *series, ClvShock *shock)
{
	double none = clv_shock_likelihood(series->n, series->y, series->v, 0, 0, 0);

	shock->evidence = FirstLook(series) - none;
	if (!(shock->evidence >= CLOSER * CLV_SHOCK_EVIDENCE))
		return;
	series->width = WIDTH_LN_SD;
	shock->evidence =
		Peak(AtLasting, series, lasting_step, LASTING_STEPS, WIDTH_LASTING, &shock->lasting) - none;
	AtLasting(series, shock->lasting);
	shock->correlation = series->correlation;
	shock->sd = exp(series->ln_sd);
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
