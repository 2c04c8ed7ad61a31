/*
 * clocks.c
 *		Time by the clock of a calendar, and derivatives by the effects that move them.
 *
 * Within a stretch dB/dgamma = sum of A z over the time, and d2B/dgamma2 that of A z z', so that a
 * clock has a number, a vector and a triangle at every time, which add up from stretch to stretch.
 */
#include "families/clocks.h"

#include <math.h>
#include <string.h>

/* Multipliers beyond e^+-LARGEST are taken to be that: no product of clocks overflows. */
#define LARGEST 230.0

/* e^(effect'z) for n covariates, between the limits. */
static double
Multiplier(double (*exponential)(double x), int n, const double *effect, const double *z)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += effect[i] * z[i];
	return exponential(fmin(fmax(sum, -LARGEST), LARGEST));
}

void
clv_clocks_set_by(double (*exponential)(double x), ClvStretch *stretch, int n, const double *from,
				  const double *z, int ncovariates, const double *effect)
{
	for (int i = 0; i < n; i++)
	{
		const double *now = z + (size_t) i * ncovariates;

		clv_stretch_begin(i > 0 ? &stretch[i - 1] : NULL, from[i],
						  Multiplier(exponential, ncovariates, effect, now),
						  Multiplier(exponential, ncovariates, effect + ncovariates, now),
						  &stretch[i]);
	}
}

void
clv_clocks_set(ClvStretch *stretch, int n, const double *from, const double *z, int ncovariates,
			   const double *effect)
{
	clv_clocks_set_by(exp, stretch, n, from, z, ncovariates, effect);
}

/* Where a time would be if stretches were of equal length, as the weeks of a calendar are. */
static int
GuessAt(const ClvClocks *clocks, double t)
{
	double place = t / clocks->stretch[clocks->n - 1].from * (clocks->n - 1);

	return (int) fmin(fmax(0, place), clocks->n - 1);
}

int
clv_clocks_at(const ClvClocks *clocks, double t)
{
	const ClvStretch *stretch = clocks->stretch;
	int low = 0;
	int high = clocks->n;

	if (high > 2)
	{
		int guess = GuessAt(clocks, t);

		/* the first stretch and the last one may be shorter */
		if (guess > 0 && stretch[guess].from > t)
			guess--;
		else if (guess + 1 < high && stretch[guess + 1].from <= t)
			guess++;
		*(stretch[guess].from <= t ? &low : &high) = guess;
		if (low == guess && guess + 1 < high && stretch[guess + 1].from > t)
			high = guess + 1;
	}
	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		if (stretch[middle].from <= t)
			low = middle;
		else
			high = middle;
	}
	return low;
}

double
clv_clocks_until(const ClvClocks *clocks, int stretch, double t)
{
	return stretch + 1 < clocks->n ? fmin(clocks->stretch[stretch + 1].from, t) : t;
}

double
clv_clock_b(const ClvClocks *clocks, double t)
{
	const ClvStretch *stretch = &clocks->stretch[clv_clocks_at(clocks, t)];

	return stretch->b + stretch->a * (t - stretch->from);
}

void
clv_clock_advance(const ClvClocks *clocks, int stretch, double length, ClvClockPoint *point)
{
	const double *z = clocks->z + (size_t) stretch * clocks->ncovariates;
	double b = clocks->stretch[stretch].a * length;

	point->b += b;
	for (int i = 0; i < clocks->ncovariates; i++)
	{
		point->db[i] += b * z[i];
		for (int j = 0; j <= i; j++)
			point->bb[CLV_AT(i, j)] += b * z[i] * z[j];
	}
}

void
clv_clock_point(const ClvClocks *clocks, double t, ClvClockPoint *point)
{
	int last = clv_clocks_at(clocks, t);

	memset(point, 0, sizeof(*point));
	for (int i = 0; i <= last; i++)
		clv_clock_advance(clocks, i, clv_clocks_until(clocks, i, t) - clocks->stretch[i].from,
						  point);
}

void
clv_clock_between(int ncovariates, const ClvClockPoint *from, const ClvClockPoint *to,
				  ClvClockPoint *between)
{
	between->b = fmax(to->b - from->b, 0);
	for (int i = 0; i < ncovariates; i++)
		between->db[i] = to->db[i] - from->db[i];
	for (int i = 0; i < CLV_TRIANGLE(ncovariates); i++)
		between->bb[i] = to->bb[i] - from->bb[i];
}

/* ---- derivatives ---- */

/* The derivatives of a term by one of the two times that follow the parameters, times count. */
static ClvClockSlope
SlopeByTime(const ClvWideTerm *by_times, int nparams, int time, double count)
{
	int row = nparams + time;
	ClvClockSlope slope = {.first = count * by_times->gradient[row],
						   .second = count * by_times->hessian[CLV_AT(row, row)]};

	for (int i = 0; i < nparams; i++)
		slope.mixed[i] = count * by_times->hessian[CLV_AT(row, i)];
	return slope;
}

void
clv_clock_add_times(const ClvWideTerm *by_times, int nparams, int ncovariates, double count,
					const ClvClockPoint *one, const ClvClockPoint *other, ClvWideTerm *sum)
{
	ClvClockSlope slope = SlopeByTime(by_times, nparams, 0, count);
	ClvClockSlope other_slope = SlopeByTime(by_times, nparams, 1, count);
	double both = count * by_times->hessian[CLV_AT(nparams + 1, nparams)];

	sum->ln += count * by_times->ln;
	for (int i = 0; i < nparams; i++)
		sum->gradient[i] += count * by_times->gradient[i];
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		sum->hessian[i] += count * by_times->hessian[i];
	clv_clock_chain(&slope, nparams, nparams, ncovariates, one->db, one->bb, sum);
	clv_clock_chain(&other_slope, nparams, nparams, ncovariates, other->db, other->bb, sum);
	for (int i = 0; i < ncovariates; i++)
		for (int j = 0; j <= i; j++)
			sum->hessian[CLV_AT(nparams + i, nparams + j)] +=
				both * (one->db[i] * other->db[j] + other->db[i] * one->db[j]);
}

void
clv_clock_chain(const ClvClockSlope *slope, int nparams, int at, int ncovariates,
				const double *first, const double *second, ClvWideTerm *term)
{
	for (int i = 0; i < ncovariates; i++)
	{
		double *row = &term->hessian[CLV_AT(at + i, 0)];

		term->gradient[at + i] += slope->first * first[i];
		for (int j = 0; j < nparams; j++)
			row[j] += slope->mixed[j] * first[i];
		for (int j = 0; j <= i; j++)
			row[at + j] +=
				slope->second * first[i] * first[j] + slope->first * second[CLV_AT(i, j)];
	}
}

void
clv_clock_no_purchase(const ClvFamily *family, const double *param, int r, double shape,
					  const ClvClocks *clocks, const ClvClockPoint *point, ClvWideTerm *term)
{
	int alpha = r + 1;
	double each = 1 / (param[alpha] + point->b);
	double share = point->b * each;
	double rest = param[alpha] * each;
	double by_r = -param[r] * log1p(point->b / param[alpha]);
	ClvClockSlope slope = {.first = -shape * each, .second = shape * each * each};

	term->gradient[r] += by_r;
	term->gradient[alpha] += shape * share;
	term->hessian[CLV_AT(r, r)] += by_r;
	term->hessian[CLV_AT(alpha, r)] += param[r] * share;
	term->hessian[CLV_AT(alpha, alpha)] -= shape * share * rest;
	slope.mixed[r] = -param[r] * each;
	slope.mixed[alpha] = shape * rest * each;
	clv_clock_chain(&slope, family->nparams, family->nparams, clocks->ncovariates, point->db,
					point->bb, term);
}

void
clv_widen(const ClvTerm *term, int nparams, int ncovariates, ClvWideTerm *wide)
{
	int n = nparams + 2 * ncovariates;

	wide->ln = term->ln;
	memset(wide->gradient, 0, n * sizeof(double));
	memset(wide->hessian, 0, CLV_TRIANGLE(n) * sizeof(double));
	memcpy(wide->gradient, term->gradient, nparams * sizeof(double));
	memcpy(wide->hessian, term->hessian, CLV_TRIANGLE(nparams) * sizeof(double));
}

void
clv_wide_add(const ClvTerm *term, int nparams, ClvWideTerm *wide)
{
	wide->ln += term->ln;
	for (int i = 0; i < nparams; i++)
		wide->gradient[i] += term->gradient[i];
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		wide->hessian[i] += term->hessian[i];
}

void
clv_mixture_start(ClvMixture *mixture, int n)
{
	mixture->n = n;
	mixture->mass = 0;
	memset(mixture->first, 0, n * sizeof(double));
	memset(mixture->second, 0, CLV_TRIANGLE(n) * sizeof(double));
}

/* Deviations are taken from the derivatives of the first number, as large numbers cancel. */
void
clv_mixture_add(ClvMixture *mixture, double number, const ClvWideTerm *term)
{
	double away[CLV_MAX_DIM];

	if (mixture->mass == 0)
		memcpy(mixture->center, term->gradient, mixture->n * sizeof(double));
	mixture->mass += number;
	for (int i = 0; i < mixture->n; i++)
	{
		away[i] = term->gradient[i] - mixture->center[i];
		mixture->first[i] += number * away[i];
		for (int j = 0; j <= i; j++)
			mixture->second[CLV_AT(i, j)] +=
				number * (term->hessian[CLV_AT(i, j)] + away[i] * away[j]);
	}
}

void
clv_mixture_carry(ClvMixture *mixture, double part)
{
	if (!(mixture->mass > 0))
		return;
	for (int i = 0; i < mixture->n; i++)
	{
		double mean = mixture->first[i] / mixture->mass;

		mixture->center[i] += mean;
		for (int j = 0; j <= i; j++)
			mixture->second[CLV_AT(i, j)] =
				(mixture->second[CLV_AT(i, j)] - mean * mixture->first[j]) * part;
	}
	memset(mixture->first, 0, mixture->n * sizeof(double));
	mixture->mass *= part;
}

void
clv_mixture_finish(const ClvMixture *mixture, ClvWideTerm *term)
{
	double mass = mixture->mass;

	term->ln = log(mass);
	for (int i = 0; i < mixture->n; i++)
	{
		double mean = mass > 0 ? mixture->first[i] / mass : 0;

		term->gradient[i] = mean + (mass > 0 ? mixture->center[i] : 0);
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] =
				mass > 0 ? (mixture->second[CLV_AT(i, j)] - mean * mixture->first[j]) / mass : 0;
	}
}

void
clv_wide_sum(const ClvWideTerm *a, const ClvWideTerm *b, int n, ClvWideTerm *sum)
{
	double largest = fmax(a->ln, b->ln);
	ClvMixture mixture;

	clv_mixture_start(&mixture, n);
	if (a->ln != -INFINITY)
		clv_mixture_add(&mixture, exp(a->ln - largest), a);
	if (b->ln != -INFINITY)
		clv_mixture_add(&mixture, exp(b->ln - largest), b);
	clv_mixture_finish(&mixture, sum);
	sum->ln += largest;
}
