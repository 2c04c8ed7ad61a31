/*
 * integrals.c
 *		The incomplete beta function and the exponential integral.
 */
#include "math/special.h"

#include <float.h>
#include <math.h>

#include "math/poll.h"

#define TWO_PI 6.2831853071795864769

/* Continued fractions converge before this; it only guarantees the end. */
#define MAX_STEPS 100000

/*
 * x ln(x / m) - x + m >= 0, given d = x - m as exactly as the caller can: the decrease of the
 * log of a Poisson or binomial probability away from its mode (Loader 2000).
 */
static double
Deviance(double x, double m, double d)
{
	double v = d / (x + m);
	double sum = d * v;
	double power = 2 * x * v;

	if (fabs(v) > 0.1)
		return x * log(x / m) - d;
	for (int k = 3; k < 50; k += 2)
	{
		double before = sum;

		power *= v * v;
		sum += power / k;
		if (sum == before)
			break;
	}
	return sum;
}

/* ln x, from the smaller of x and 1 - x */
static double
LogShare(double x, double y)
{
	return x < y ? log(x) : log1p(-y);
}

double
clv_ln_beta_kernel(double a, double b, double x, double y)
{
	double n = a + b;
	double d = a * y - b * x;

	if (fmin(a, b) < 10)
		return a * LogShare(x, y) + b * LogShare(y, x) - clv_lbeta(a, b);

	/* both large: the distance from the maximum, and Stirling's formula for its height */
	return clv_stirling_rest(n) - clv_stirling_rest(a) - clv_stirling_rest(b) +
		   0.5 * log(a * (b / n) / TWO_PI) - Deviance(a, n * x, d) - Deviance(b, n * y, -d);
}

/*
 * I_x(a,b) over x^a y^b / B(a,b), for x below the mean: the continued fraction
 * DLMF 8.17.22 from its head, by Lentz's method. About sqrt(max(a, b)) steps.
 */
static double
BetaFraction(double a, double b, double x)
{
	double c = 1;
	double d = 1 / (1 - (a + b) * x / (a + 1));
	double h = d;

	for (double m = 1; m < MAX_STEPS; m += 1)
	{
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double factor;

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		h *= d * c;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) <= DBL_EPSILON)
			break;
		clv_poll(&clv_family_poll, 2);
	}
	return h / a;
}

/*
 * The complement of a tail. Where it is small it has a fraction of its own, on
 * the far side of the mean, unless that would take more than some hundred steps.
 */
static double
OtherTail(double tail, double kernel, double a, double b, double x, double y)
{
	return tail > 0.99 && tail < 1 && y > 1e-4 ? kernel * BetaFraction(a, b, x) : 1 - tail;
}

void
clv_beta_tails(double a, double b, double x, double y, double *lower, double *upper)
{
	double kernel;

	if (x <= 0 || y <= 0)
	{
		*lower = x <= 0 ? 0 : 1;
		*upper = 1 - *lower;
		return;
	}
	kernel = exp(clv_ln_beta_kernel(a, b, x, y));
	if (x * (a + b + 2) < a + 1)
	{
		*lower = fmin(kernel * BetaFraction(a, b, x), 1);
		*upper = OtherTail(*lower, kernel, b, a, y, x);
	}
	else
	{
		*upper = fmin(kernel * BetaFraction(b, a, y), 1);
		*lower = OtherTail(*upper, kernel, a, b, x, y);
	}
}

/*
 * The continued fraction DLMF 8.19.17, as the sum of the increments of its convergents (8.7.6):
 *
 *		sum_{n>=0} (s)_n / ((n + 1)! L_n L_{n+1}),   L_n = L_n^(s-1)(-w),
 *
 * all positive, and the Laguerre polynomials grow at a negative argument, for which their
 * recurrence is stable. It takes about 80 / w steps when s is small, few when s or w is large;
 * no step waits for a division of the one before.
 */
static double
ExpintFraction(double s, double w)
{
	double weight = 1;
	double before = 1;
	double polynomial = s + w;
	double sum = 1 / polynomial;

	for (double n = 1; n < MAX_STEPS; n += 1)
	{
		double part = 1 / (n + 1);
		double next = ((s + w + 2 * n) * polynomial - (s - 1 + n) * before) * part;
		double gain;

		weight *= (s - 1 + n) * part;
		gain = weight / (polynomial * next);
		sum += gain;
		if (!(gain > 0.25 * DBL_EPSILON * sum))
			break;
		clv_poll(&clv_family_poll, 1);
		before = polynomial;
		polynomial = next;
	}
	return sum;
}

/*
 * Small w. With s = 1 - e, -1/2 < e < 1,
 *
 *		E_s(w) = (Gamma(1 + e) w^-e - 1) / e - sum_{k>=1} (-w)^k / ((e + k) k!)
 *
 * where expm1() removes the singularity at e = 0. Larger s follow by s E_{s+1} = e^-w - w E_s,
 * which reduces errors as long as w < s.
 */
static double
ExpintSeries(double s, double w)
{
	double base = s - fmax(0, floor(s - 0.5));
	double e = 1 - base;
	double ln_w = log(w);
	double sum = e == 0 ? -0.57721566490153286061 - ln_w : expm1(clv_lgamma1p(e) - e * ln_w) / e;
	double term = 1;

	for (int k = 1; k < 40; k++)
	{
		term *= -w / k;
		sum -= term / (e + k);
		if (fabs(term) < 0.1 * DBL_EPSILON)
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
	return w < 1.25 && s < 30 ? ExpintSeries(s, w) : ExpintFraction(s, w);
}
