/*
 * lifetime_curve.c
 *		The terms of the life families at many times, from those at a few.
 *
 * Where survival is in powers of time, all that is singular in a term as a function of
 * the time u lies on the negative axis: at -alpha, at -beta and between. Over
 *
 *	v = ln(c + u),   c = min(alpha, beta)
 *
 * that is at least pi away from the real axis, however long customers have been watched.
 * Nor has a term a zero there, whose logarithm would be singular: but for silence,
 * survival and a factor rho = (alpha + u) / (beta + u) it is a mean of (1 + rho y)^-1 over
 * y > 0 (DLMF 15.6.1), the imaginary part of which vanishes with that of rho only. So its
 * logarithm and all derivatives are as good as polynomials of v, of a degree that grows
 * with the logarithm of the longest time: thirty points make up for two years of days.
 * Silence is left out of them, and put back at each time: where r has run away it is R in the
 * millions times a small logarithm, and any other function of that size would take the digits.
 *
 * That is measured, too: the last coefficients say whether the points were enough. Where
 * they were not, or where times are not many more than points, each time has its own
 * integral.
 */
#include <math.h>
#include <string.h>

#include "math/chebyshev.h"
#include "math/linalg.h"
#include "families/lifetime.h"

/* An integral takes as long as the terms of so many times by interpolation. */
#define WORTH 3

/* Such a part of the first coefficient is left in the last one, or less. */
#define TAIL 1e-17

/* More than these parts of the largest coefficient, or of 1, in the last are not rounding. */
#define ROUNDING 1e-13
#define NOTHING 1e-14

/* The numbers of a term, and how many groups of functions they are. */
#define NUMBERS(nparams) (1 + (nparams) + CLV_TRIANGLE(nparams))
#define GROUPS(nparams) ((NUMBERS(nparams) + CLV_CHEBYSHEV_WIDTH - 1) / CLV_CHEBYSHEV_WIDTH)
#define MOST_GROUPS GROUPS(CLV_MAX_PARAMS)

/* Terms at a few points of v, and the polynomials through them. */
typedef struct Curve
{
	int nparams;
	int npoints;
	double first; /* time */
	double away;  /* its c + u */
	double half;  /* of the span of v, which is counted from there */
	double R;	  /* silence is (alpha + u)^-R */
	double age;	  /* alpha + first */
	ClvChebyshevRow row[MOST_GROUPS][CLV_CHEBYSHEV_MOST];
} Curve;

/* How many points a stretch of twice this half takes, with nothing singular within pi of it. */
static int
Points(double half)
{
	return (int) fmin(CLV_CHEBYSHEV_MOST + 1, 2 - log(TAIL) / asinh(M_PI / half));
}

/* -ln of the silence from the first time until u */
static double
Silence(const Curve *curve, double u)
{
	return curve->R * log1p((u - curve->first) / curve->age);
}

static void
SetPoint(Curve *curve, int point, double u, const ClvTerm *term)
{
	int n = curve->nparams;
	double number[MOST_GROUPS * CLV_CHEBYSHEV_WIDTH] = {term->ln + Silence(curve, u)};

	memcpy(number + 1, term->gradient, n * sizeof(double));
	memcpy(number + 1 + n, term->hessian, CLV_TRIANGLE(n) * sizeof(double));
	for (int g = 0; g < GROUPS(n); g++)
		memcpy(&curve->row[g][point], number + g * CLV_CHEBYSHEV_WIDTH, sizeof(ClvChebyshevRow));
}

static void
ReadOff(const Curve *curve, double u, ClvTerm *term)
{
	int n = curve->nparams;
	double v = log1p((u - curve->first) / curve->away);
	double number[MOST_GROUPS * CLV_CHEBYSHEV_WIDTH];

	for (int g = 0; g < GROUPS(n); g++)
	{
		ClvChebyshevRow value =
			clv_chebyshev_value(curve->npoints, curve->row[g], v / curve->half - 1);

		memcpy(number + g * CLV_CHEBYSHEV_WIDTH, &value, sizeof(value));
	}
	term->ln = number[0] - Silence(curve, u);
	memcpy(term->gradient, number + 1, n * sizeof(double));
	memcpy(term->hessian, number + 1 + n, CLV_TRIANGLE(n) * sizeof(double));
}

/* False where the last coefficients are not small, or where anything is not finite. */
static bool
IsExact(const ClvChebyshevRow *coefficients, int n)
{
	for (int i = 0; i < CLV_CHEBYSHEV_WIDTH; i++)
	{
		double largest = 0;
		double last = fabs(coefficients[n - 1].of[i]) + fabs(coefficients[n - 2].of[i]);

		for (int k = 0; k < n; k++)
			largest = fmax(largest, fabs(coefficients[k].of[i]));
		if (!(last <= ROUNDING * largest + NOTHING))
			return false;
	}
	return true;
}

/* False where it is not exact. */
static bool
Draw(Curve *curve, const ClvLaw *law, const double *param, double x, bool departed)
{
	double at[CLV_CHEBYSHEV_MOST];
	double u[CLV_CHEBYSHEV_MOST];
	ClvTerm terms[CLV_CHEBYSHEV_MOST];

	clv_chebyshev_points(curve->npoints, at);
	for (int k = 0; k < curve->npoints; k++)
		u[k] = curve->first + curve->away * expm1(curve->half * (1 + at[k]));
	clv_life_integrals(law, param, x, u, curve->npoints, departed, terms);
	for (int k = 0; k < curve->npoints; k++)
		SetPoint(curve, k, u[k], &terms[k]);
	for (int g = 0; g < GROUPS(curve->nparams); g++)
	{
		ClvChebyshevRow values[CLV_CHEBYSHEV_MOST];

		memcpy(values, curve->row[g], curve->npoints * sizeof(ClvChebyshevRow));
		clv_chebyshev_fit(curve->npoints, values, curve->row[g]);
		if (!IsExact(curve->row[g], curve->npoints))
			return false;
	}
	return true;
}

/* Between the first and the last time; a law that is not in powers has no curve. */
static bool
LayOut(Curve *curve, const ClvLaw *law, const double *param, double x, const double *t, size_t n)
{
	ClvLife newborn = {{0}};

	if (law->power == NULL || n < 2 * WORTH)
		return false;
	memcpy(newborn.param, param + 2, law->nparams * sizeof(double));
	curve->nparams = 2 + law->nparams;
	curve->first = t[0];
	curve->away = t[0] + fmin(param[1], law->stride(&newborn, 0) / CLV_STRIDE);
	curve->half = log1p((t[n - 1] - t[0]) / curve->away) / 2;
	curve->R = param[0] + x;
	curve->age = param[1] + t[0];
	curve->npoints = Points(curve->half);
	return curve->half > 0 && curve->npoints <= CLV_CHEBYSHEV_MOST &&
		   n >= WORTH * (size_t) curve->npoints;
}

void
clv_life_terms(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
			   bool departed, ClvTerm *terms)
{
	Curve curve;

	if (!LayOut(&curve, law, param, x, t, n) || !Draw(&curve, law, param, x, departed))
	{
		clv_life_integrals(law, param, x, t, n, departed, terms);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ReadOff(&curve, t[i], &terms[i]);
}
