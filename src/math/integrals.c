/*
 * integrals.c
 *		The incomplete beta function and the exponential integral.
 */
#include "math/special.h"

#include <float.h>
#include <math.h>

#define MAX_STEPS 100000

/* x ln(x / m) - x + m >= 0, exact also for x near m (Loader 2000) */
static double
Deviance(double x, double m)
{
	double		d = x - m;

	if (x <= 0)
		return m;
	if (fabs(d) < 0.1 * (x + m))
	{
		double		v = d / (x + m);
		double		s = d * v;
		double		power = 2 * x * v;
		double		v2 = v * v;

		for (int k = 1; k < 1000; k++)
		{
			double		before = s;

			power *= v2;
			s += power / (2 * k + 1);
			if (s == before)
				break;
		}
		return s;
	}
	return x * log(x / m) - d;
}

/* ln Gamma(a) - (a - 1/2) ln a + a - ln(2 pi) / 2, any a > 0 */
static double
StirlingError(double a)
{
	return clv_lgamma(a) - ((a - 0.5) * log(a) - a + 0.91893853320467274178);
}

double
clv_ln_beta_kernel(double a, double b, double x, double y)
{
	double		n = a + b;

	if (fmin(a, b) < 10)
		return a * log(x) + b * log(y) - clv_lbeta(a, b);

	/* both large: x^a y^b against its maximum, and Stirling for the rest */
	return -Deviance(a, n * x) - Deviance(b, n * y) +
		0.5 * log(a * (b / n) / 6.2831853071795864769) +
		StirlingError(n) - StirlingError(a) - StirlingError(b);
}

/* The continued fraction of I_x(a,b) / kernel, x below the mean (DLMF 8.17.22), by Lentz. */
static double
BetaFraction(double a, double b, double x)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		h;

	if (fabs(d) < DBL_MIN)
		d = DBL_MIN;
	d = 1 / d;
	h = d;
	for (int m = 1; m < MAX_STEPS; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		factor;

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		h *= d * c;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) < 2 * DBL_EPSILON)
			break;
	}
	return h / a;
}

void
clv_beta_tails(double a, double b, double x, double y, double *lower, double *upper)
{
	double		kernel;

	if (x <= 0 || y <= 0)
	{
		*lower = x <= 0 ? 0 : 1;
		*upper = 1 - *lower;
		return;
	}
	kernel = exp(clv_ln_beta_kernel(a, b, x, y));
	if (x * (a + b + 2) < a + 1)
	{
		*lower = kernel * BetaFraction(a, b, x);
		*upper = 1 - *lower;
	}
	else
	{
		*upper = kernel * BetaFraction(b, a, y);
		*lower = 1 - *upper;
	}
}

/*
 * The continued fraction DLMF 8.19.17 by Lentz; quick unless both s and w are small.
 */
static double
ExpintFraction(double s, double w)
{
	double		b = w + s;
	double		c = 1e300;
	double		d = 1 / b;
	double		h = d;

	for (int k = 1; k < MAX_STEPS; k++)
	{
		double		a = -k * (s - 1 + k);
		double		factor;

		b += 2;
		d = 1 / (a * d + b);
		c = b + a / c;
		factor = c * d;
		h *= factor;
		if (fabs(factor - 1) < 2 * DBL_EPSILON)
			break;
	}
	return h;
}

/*
 * w < 1: with s = 1 - e, |e| <= 1/2,
 *
 *		E_s(w) = (Gamma(1 + e) w^-e - 1) / e - sum_{k>=1} (-w)^k / ((e + k) k!)
 *
 * whose first term is the limit at e = 0 when written with expm1(); then upwards
 * by s E_{s+1} = e^-w - w E_s, which loses nothing for w < s.
 */
static double
ExpintSeries(double s, double w)
{
	double		steps = floor(s - 0.5);
	double		base = s - steps;
	double		e = 1 - base;
	double		ln_gamma = clv_lgamma(1 + e);
	double		ln_w = log(w);
	double		x = ln_gamma - e * ln_w;
	double		term = 1;
	double		sum = fabs(e) < 1e-9 ? -0.57721566490153286061 - ln_w : expm1(x) / e;

	for (int k = 1; k < 40; k++)
	{
		term *= -w / k;
		sum -= term / (e + k);
		if (fabs(term) < DBL_EPSILON * 0.1)
			break;
	}
	sum *= exp(w);
	for (; base < s - 0.5; base += 1)
		sum = (1 - w * sum) / base;
	return sum;
}

double
clv_expint_scaled(double s, double w)
{
	return w < 1 && s < 40 ? ExpintSeries(s, w) : ExpintFraction(s, w);
}
