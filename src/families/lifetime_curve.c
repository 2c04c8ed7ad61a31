/*
 * lifetime_curve.c
 *		The likelihood terms of the lifetime families at many times, from those at a few.
 *
 * Where survival is a power of time, all that is singular in a term as a function of the time u
 * lies on the negative axis: at -alpha, at -beta and between. Over
 *
 *	v = ln(c + u),   c = min(alpha, beta)
 *
 * the singularities are at least pi away from the real axis, however long customers have been
 * observed. Nor has a term a zero there, whose logarithm would be singular: apart from the
 * probability of no purchase, survival and a factor rho = (alpha + u) / (beta + u) it is a mean
 * of (1 + rho y)^-1 over y > 0 (DLMF 15.6.1), the imaginary part of which vanishes with that of
 * rho only. So its logarithm and all derivatives are as good as polynomials of v, of a degree
 * that grows with the logarithm of the longest time: thirty points replace two years of days.
 * The probability of no purchase is divided out, and multiplied again at each time: where r has
 * run away it is R in the millions times a small logarithm, and any other function of that size
 * would lose the digits.
 *
 * This is checked: the last coefficients show whether the points were enough. Where they were
 * not, or where there are not many more times than points, each time has an integral of its
 * own.
 */
#include <math.h>
#include <string.h>

#include "math/chebyshev.h"
#include "math/linalg.h"
#include "families/lifetime.h"

/* One integral costs as much as interpolation at this many times. */
#define BREAK_EVEN 3

/* The last coefficient is at most this part of the first. */
#define TAIL 1e-17

/*
 * Last coefficients above these parts of the largest, plus this absolute amount, are not rounding
 * errors.
 */
#define ROUNDING 1e-13
#define ABSOLUTE_ROUNDING 1e-14

/* The numbers of a term, and how many groups of functions they are. */
#define NUMBERS(nparams) (1 + (nparams) + CLV_TRIANGLE(nparams))
#define GROUPS(nparams) ((NUMBERS(nparams) + CLV_CHEBYSHEV_WIDTH - 1) / CLV_CHEBYSHEV_WIDTH)
#define MOST_GROUPS GROUPS(CLV_MAX_PARAMS)

/* Terms at a few points of v, and the polynomials through them. */
typedef struct Curve
{
	int nparams;
	int npoints;
	double first;  /* time */
	double offset; /* c + u at the first time */
	double half;   /* of the range of v, which is counted from the first time */
	double R;      /* the probability of no purchase is (alpha + u)^-R */
	double age;    /* alpha + first */
	ClvChebyshevRow row[MOST_GROUPS][CLV_CHEBYSHEV_MOST];
} Curve;

/* The number of points for a range of twice this half, with nothing singular within pi of it. */
static int
Points(double half)
{
	return (int) fmin(CLV_CHEBYSHEV_MOST + 1, 2 - log(TAIL) / asinh(M_PI / half));
}

/* -ln of the probability of no purchase from the first time until u. */
static double
NoPurchaseLoss(const Curve *curve, double u)
{
	return curve->R * log1p((u - curve->first) / curve->age);
}

/*
 * Stores the term at time u as a point. The probability of no purchase, which is steep where
 * purchases are many, is not left to polynomials.
 */
static void
SetPoint(Curve *curve, int point, double u, const ClvTerm *term)
{
	int n = curve->nparams;
	double number[MOST_GROUPS * CLV_CHEBYSHEV_WIDTH] = {term->ln + NoPurchaseLoss(curve, u)};

	memcpy(number + 1, term->gradient, n * sizeof(double));
	memcpy(number + 1 + n, term->hessian, CLV_TRIANGLE(n) * sizeof(double));
	for (int g = 0; g < GROUPS(n); g++)
		memcpy(&curve->row[g][point], number + g * CLV_CHEBYSHEV_WIDTH, sizeof(ClvChebyshevRow));
}

/* Sets *term to the interpolated term at time u. */
static void
Evaluate(const Curve *curve, double u, ClvTerm *term)
{
	int n = curve->nparams;
	double v = log1p((u - curve->first) / curve->offset);
	double number[MOST_GROUPS * CLV_CHEBYSHEV_WIDTH];

	for (int g = 0; g < GROUPS(n); g++)
	{
		ClvChebyshevRow value =
			clv_chebyshev_value(curve->npoints, curve->row[g], v / curve->half - 1);

		memcpy(number + g * CLV_CHEBYSHEV_WIDTH, &value, sizeof(value));
	}
	term->ln = number[0] - NoPurchaseLoss(curve, u);
	memcpy(term->gradient, number + 1, n * sizeof(double));
	memcpy(term->hessian, number + 1 + n, CLV_TRIANGLE(n) * sizeof(double));
}

/* Whether the last coefficients are small: false too where anything is not finite. */
static bool
IsExact(const ClvChebyshevRow *coefficients, int n)
{
	for (int i = 0; i < CLV_CHEBYSHEV_WIDTH; i++)
	{
		double largest = 0;
		double last = fabs(coefficients[n - 1].of[i]) + fabs(coefficients[n - 2].of[i]);

		for (int k = 0; k < n; k++)
			largest = fmax(largest, fabs(coefficients[k].of[i]));
		if (!(last <= ROUNDING * largest + ABSOLUTE_ROUNDING))
			return false;
	}
	return true;
}

/*
 * Computes the terms at the points and their coefficients. False where interpolation is not
 * exact.
 */
static bool
Interpolate(Curve *curve, const ClvLaw *law, const double *param, double x, bool departed)
{
	double at[CLV_CHEBYSHEV_MOST];
	double u[CLV_CHEBYSHEV_MOST];
	ClvTerm terms[CLV_CHEBYSHEV_MOST];

	clv_chebyshev_points(curve->npoints, at);
	for (int k = 0; k < curve->npoints; k++)
		u[k] = curve->first + curve->offset * expm1(curve->half * (1 + at[k]));
	clv_lifetime_integrals(law, param, x, u, curve->npoints, departed, terms);
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

/*
 * Sets the range and number of points for n ascending times. False where interpolation does not
 * pay, or survival is no power of time.
 */
static bool
InitCurve(Curve *curve, const ClvLaw *law, const double *param, double x, const double *t, size_t n)
{
	ClvLifetime newcomer = {{0}};

	if (law->power == NULL || n < 2 * BREAK_EVEN)
		return false;
	memcpy(newcomer.param, param + 2, law->nparams * sizeof(double));
	curve->nparams = 2 + law->nparams;
	curve->first = t[0];
	curve->offset = t[0] + fmin(param[1], law->stride(&newcomer, 0) / CLV_STRIDE);
	curve->half = log1p((t[n - 1] - t[0]) / curve->offset) / 2;
	curve->R = param[0] + x;
	curve->age = param[1] + t[0];
	curve->npoints = Points(curve->half);
	return curve->half > 0 && curve->npoints <= CLV_CHEBYSHEV_MOST &&
		   n >= BREAK_EVEN * (size_t) curve->npoints;
}

void
clv_lifetime_terms(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
				   bool departed, ClvTerm *terms)
{
	Curve curve;

	if (!InitCurve(&curve, law, param, x, t, n) || !Interpolate(&curve, law, param, x, departed))
	{
		clv_lifetime_integrals(law, param, x, t, n, departed, terms);
		return;
	}
	for (size_t i = 0; i < n; i++)
		Evaluate(&curve, t[i], &terms[i]);
}
