/*
 * beta_mean.c
 *		Expectations over a beta distribution, by the trapezoid rule.
 *
 * In y = ln(p / (1 - p)) the beta density is e^(a y) / (1 + e^y)^(a+b): analytic around the
 * whole line and falling exponentially at both ends. For such functions equal steps are best:
 * their error is the Fourier transform at eta = 2 pi / step, here |Gamma(a + i eta) Gamma(b - i
 * eta)|, so that a step can be chosen from a and b beforehand.
 *
 * The ends are long when a or b is small (a = 0.001 would need 40,000 units). But far out p^a
 * kernel(p) is p^a times a polynomial in p, and the sum of a power of p over equal steps is a
 * geometric series. So each side stops where p (or 1 - p) is small against the kernel's scale,
 * and the rest is summed in closed form, through the last three terms.
 *
 * The weights are normalised by their own sum: no beta function is needed, and
 * whatever error the density has is common to both sums.
 */
#include "math/beta_mean.h"

#include <math.h>

#include "math/poll.h"

/* The part of a sum that may be neglected, and minus its ln, less a margin. */
#define NEGLIGIBLE 1e-17
#define DIGITS 35.0

/* No y lies farther out: e^-FARTHEST is the smallest normal double, nearly. */
#define FARTHEST 700.0

/* A density this narrow, relative to its mean, is a point: the error is of second order. */
#define POINT 1e-9

/* One end stops at e^-DEPTH of the scale: the polynomial left out is of third order. */
#define DEPTH 11.5

/* -ln |Gamma(s + i eta) / Gamma(s)|, nearly */
static double
Decay(double s, double eta)
{
	double ratio = eta / s;

	if (s <= 0.5)
		return eta * atan(ratio); /* the square may overflow, and nothing times infinity is NaN */
	return eta * atan(ratio) - 0.5 * (s - 0.5) * log1p(ratio * ratio);
}

/* The step of the trapezoid rule for Beta(a, b). */
static double
Step(double a, double b)
{
	/* where both are large, Decay is a square: from 14 Newton's method would first step far beyond
	 */
	double eta = fmax(14, sqrt(2 * DIGITS / (1 / a + 1 / b)));

	/* Newton's method, whose iterates fall after the first: Decay is convex in eta */
	for (int i = 0; i < 6; i++)
	{
		double missing = DIGITS - Decay(a, eta) - Decay(b, eta);

		eta += missing / (atan(eta / a) + atan(eta / b));
		if (fabs(missing) < 1)
			break;
	}
	return 6.2831853071795864769 / eta;
}

/*
 * The sum of v[-1], v[-2] ... where v continues v[0], v[1], v[2] as
 * x^power (c0 + c1 x + c2 x^2), x falling by e^-step from one to the next.
 */
static double
Beyond(const double *v, double power, double step)
{
	double rho = exp(step);
	double shrink = exp(-power * step);
	double g0 = v[0];
	double g1 = v[1] * shrink;
	double g2 = v[2] * shrink * shrink;
	double d1 = (g1 - g0) / (rho - 1);
	double d2 = (g2 - g1) / (rho * (rho - 1));
	double c2 = (d2 - d1) / (rho * rho - 1);
	double c1 = d1 - c2 * (1 + rho);
	double c0 = g0 - c1 - c2;

	return c0 / expm1(power * step) + c1 / expm1((power + 1) * step) +
		   c2 / expm1((power + 2) * step);
}

double
clv_beta_mean(double a, double b, ClvKernel kernel, const double *arg, double left, double right,
			  double power)
{
	double mode = log(a / b);
	double peak = -a * log1p(b / a) - b * log1p(a / b);
	double step = Step(a, b + power);
	double sum = 0;
	double mass = 0;

	/* without a finite start and a positive step the loop would not end */
	if (!isfinite(mode) || !(step > 0))
		return NAN;
	if (step < POINT * (1 + fabs(mode)))
		return kernel(a / (a + b), arg);
	for (int side = -1; side <= 1; side += 2)
	{
		double end = side * fmin(log(1 + a + b + (side < 0 ? left : right)) + DEPTH, FARTHEST);
		double terms[3] = {0, 0, 0};
		double weights[3] = {0, 0, 0};
		int n = 0;

		/* from the mode leftwards, then from the node after it rightwards */
		for (double y = side < 0 ? mode : mode + step;; y += side * step)
		{
			double e = exp(-fabs(y));
			double l = log1p(e);
			double p = (y < 0 ? e : 1) / (1 + e);
			double weight = exp(a * (fmin(y, 0) - l) + b * (fmin(-y, 0) - l) - peak);
			double term = weight * kernel(p, arg);

			terms[2] = terms[1];
			terms[1] = terms[0];
			terms[0] = term;
			weights[2] = weights[1];
			weights[1] = weights[0];
			weights[0] = weight;
			sum += term;
			mass += weight;
			if (isnan(term) || isnan(weight))
				return NAN;
			clv_poll(&clv_family_poll, 8);
			if (++n < 3)
				continue;
			if (term <= NEGLIGIBLE * sum && weight <= NEGLIGIBLE * mass && term <= terms[1])
				break;
			if (side * (y - end) > 0)
			{
				sum += Beyond(terms, side < 0 ? a : b, step);
				mass += Beyond(weights, side < 0 ? a : b, step);
				break;
			}
		}
	}
	return sum / mass;
}
