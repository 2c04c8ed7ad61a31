/*
 * special.c
 *		The gamma function and its relatives, by their logarithms.
 *
 * All functions use two expansions. Beyond STIRLING_FROM, Stirling's asymptotic
 * series is exact to the last bit with seven terms (DLMF 5.11.1, 5.11.2). Around 2,
 * Gamma has the Taylor series
 *
 *		ln Gamma(2 + e) = (1 - gamma) e + sum_{k>=2} (-1)^k (zeta(k) - 1) e^k / k
 *
 * (DLMF 5.7.3), whose terms fall faster than 4^-k for |e| <= 1/2; it keeps its relative
 * accuracy through the zero at 2, and log1p() carries that to the one at 1. Between the two,
 * Gamma(x + 1) = x Gamma(x) moves an argument into the range of one of them.
 */
#include "math/special.h"

#include <math.h>

#define STIRLING_FROM 10.0
#define HALF_LN_2PI 0.91893853320467274178

/* (-1)^k (zeta(k) - 1) / k for k = 2, 3 ... */
static const double zeta_terms[] = {
	0.32246703342411321824,    -0.067352301053198095133,   0.020580808427784547879,
	-0.0073855510286739852663, 0.0028905103307415232858,   -0.0011927539117032609771,
	0.00050966952474304242234, -0.00022315475845357937976, 0.000099457512781808533715,
	-0.0000449262367381331417, 0.000020507212775670691553, -9.439488275268395904e-6,
	4.3748667899074878042e-6,  -2.0392157538013662368e-6,  9.5514121304074198329e-7,
	-4.4924691987645660433e-7, 2.1207184805554665869e-7,   -1.0043224823968099609e-7,
	4.7698101693639805658e-8,  -2.271109460894316491e-8,   1.0838659214896954091e-8,
	-5.1834750419700466551e-9, 2.4836745438024783172e-9,   -1.1921401405860912074e-9,
};
#define ZETA_TERMS ((int) (sizeof(zeta_terms) / sizeof(zeta_terms[0])))

/* ln Gamma(2 + e), |e| <= 1/2; even and odd terms apart, to halve the chain of dependent steps. */
static double
LogGammaNear2(double e)
{
	double e2 = e * e;
	double even = zeta_terms[ZETA_TERMS - 2];
	double odd = zeta_terms[ZETA_TERMS - 1];

	for (int k = ZETA_TERMS - 4; k >= 0; k -= 2)
	{
		even = even * e2 + zeta_terms[k];
		odd = odd * e2 + zeta_terms[k + 1];
	}
	return e * (0.42278433509846713939 + e * (even + e * odd));
}

/* The remainder of Stirling's formula, x >= 10. */
static double
StirlingRest(double x)
{
	double y = 1 / (x * x);

	return (1.0 / 12 -
			y * (1.0 / 360 -
				 y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 - y * (691.0 / 360360 -
																			y * (1.0 / 156))))))) /
		   x;
}

double
clv_lgamma1p(double e)
{
	return e > 0.5 ? LogGammaNear2(e - 1) : LogGammaNear2(e) - log1p(e);
}

double
clv_lgamma(double x)
{
	double product = 1;

	if (x >= STIRLING_FROM)
		return isinf(x) ? x : (x - 0.5) * log(x) - x + HALF_LN_2PI + StirlingRest(x);
	if (x < 0.5)
		return clv_lgamma1p(x) - log(x);
	if (x < 1.5)
		return clv_lgamma1p(x - 1);
	while (x > 2.5)
	{
		x -= 1;
		product *= x;
	}
	return log(product) + LogGammaNear2(x - 2);
}

/* psi(x) - ln x, x >= 10 */
static double
DigammaRest(double x)
{
	double y = 1 / (x * x);

	return -0.5 / x -
		   y * (1.0 / 12 -
				y * (1.0 / 120 -
					 y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 -
																			 y * (1.0 / 12)))))));
}

/* psi'(x) - 1/x - 1/(2 x^2), x >= 10 */
static double
TrigammaRest(double x)
{
	double y = 1 / (x * x);

	return y / x *
		   (1.0 / 6 - y * (1.0 / 30 -
						   y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 -
																				y * (7.0 / 6)))))));
}

double
clv_trigamma(double x)
{
	double shift = 0;

	for (; x < STIRLING_FROM; x += 1)
		shift += 1 / (x * x);
	return shift + (TrigammaRest(x) + 0.5 / (x * x) + 1 / x);
}

double
clv_lbeta(double a, double b)
{
	double small = fmin(a, b);
	double large = fmax(a, b);

	return clv_lgamma(small) - clv_log_rising(large, small);
}

double
clv_stirling_rest(double x)
{
	if (x >= STIRLING_FROM)
		return StirlingRest(x);
	return clv_lgamma(x) - ((x - 0.5) * log(x) - x + HALF_LN_2PI);
}

/*
 * Rising factorials. Few factors are multiplied out. Otherwise both ends are
 * moved beyond STIRLING_FROM, where the difference of Stirling's leading terms
 * is written with log1p(n / a).
 */
#define FEW_FACTORS 16.0

/* Whether n is a small whole number, so that the factors are multiplied one by one. */
static int
FewFactors(double a, double n)
{
	return n <= FEW_FACTORS && n == floor(n) && a < 1e15;
}

double
clv_log_rising(double a, double n)
{
	double low = 1;
	double high = 1;
	double moved = 0;

	if (n == 0)
		return 0;
	if (FewFactors(a, n))
	{
		for (double j = 0; j < n; j += 1)
			low *= a + j;
		return log(low);
	}
	for (; a < STIRLING_FROM; a += 1)
	{
		/* ratios near 1 keep their logarithms only one by one */
		if (n < 1)
			moved += log1p(n / a);
		low *= a;
		high *= a + n;
	}
	if (n >= 1)
		moved = log(high) - log(low);
	return (a - 0.5) * log1p(n / a) + n * (log(a + n) - 1) +
		   (StirlingRest(a + n) - StirlingRest(a)) - moved;
}

/*
 * The difference of two rising factorials, Gamma(b+n) / Gamma(b) over
 * Gamma(c+n) / Gamma(c) with c = a + b. With both ends beyond STIRLING_FROM the
 * leading terms collect into three logarithms near those of the result.
 */
double
clv_log_beta_rising(double a, double b, double n)
{
	double c = a + b;
	double product = 1;
	double moved = 0;

	if (n == 1)
		return -log1p(a / b);
	if (n <= FEW_FACTORS && n == floor(n))
	{
		double sum = 0;

		for (double j = 0; j < n; j += 1)
		{
			product *= (b + j) / (c + j);
			if (product < 1e-150)
			{
				sum += log(product);
				product = 1;
			}
		}
		return sum + log(product);
	}
	for (; b < STIRLING_FROM; b += 1, c += 1)
	{
		/* of a small fraction, ratios near 1 keep their logarithms only one by one */
		if (n < 1)
			moved += log1p(n / (c + n) * (a / b));
		else
			product *= (b / (b + n)) * ((c + n) / c);
	}
	return (b - 0.5) * log1p(n / (c + n) * (a / b)) + n * log1p(-a / (c + n)) - a * log1p(n / c) +
		   (StirlingRest(b + n) - StirlingRest(b)) - (StirlingRest(c + n) - StirlingRest(c)) +
		   (n < 1 ? -moved : log(product));
}

double
clv_digamma_rising(double a, double n)
{
	double sum = 0;

	if (FewFactors(a, n))
	{
		for (double j = 0; j < n; j += 1)
			sum += 1 / (a + j);
		return sum;
	}
	for (; a < STIRLING_FROM; a += 1)
		sum += n / (a * (a + n));
	return sum + log1p(n / a) + (DigammaRest(a + n) - DigammaRest(a));
}

double
clv_trigamma_rising(double a, double n)
{
	double sum = 0;

	if (FewFactors(a, n))
	{
		for (double j = 0; j < n; j += 1)
			sum -= 1 / ((a + j) * (a + j));
		return sum;
	}
	for (; a < STIRLING_FROM; a += 1)
		sum -= n * (2 * a + n) / (a * a * (a + n) * (a + n));
	return sum - n / (a * (a + n)) * (1 + 0.5 * (1 / a + 1 / (a + n))) +
		   (TrigammaRest(a + n) - TrigammaRest(a));
}

double
clv_log1pexp(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double
clv_log_add(double a, double b)
{
	if (a < b)
	{
		double larger = b;

		b = a;
		a = larger;
	}
	return isinf(b) ? a : a + log1p(exp(b - a));
}

double
clv_exp_less(double a, double b)
{
	/* from the larger one, as the smaller one may be 0 in doubles */
	return a > b ? -exp(a) * expm1(b - a) : exp(b) * expm1(a - b);
}
