/*
 * gammagamma.c
 *		Gamma/gamma: the value of purchases.
 *
 * The values of a customer's purchases are gamma distributed with shape p and an individual
 * rate nu; nu varies over customers as a gamma distribution with shape q and rate gamma. The
 * values do not depend on the number of purchases: the diagnostics of a fit show the
 * correlation, which this assumes to be 0.
 *
 * The mean m of x purchases, x m = s, has the density
 *
 *	1/(m B(p x, q)) (gamma/(gamma+s))^q (s/(gamma+s))^(p x)
 *
 * and given it nu ~ Gamma(p x + q, gamma + s). So the further purchases of a customer have the
 * same distribution, at q' = p x + q and gamma' = gamma + s.
 *
 * Covariates multiply the scale: gamma of a customer is that of all times e^(effect'z). Amounts are
 * proportional to gamma, so that those of the customer are multiplied by the same factor.
 *
 * Colombo & Jiang (1999), A stochastic RFM model, Journal of Interactive
 * Marketing 13(3); Fader, Hardie & Lee (2005), RFM and CLV: using iso-value
 * curves for customer base analysis, Journal of Marketing Research 42(4).
 */
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/special.h"
#include "math/sum.h"
#include "families/registry.h"
#include "families/simulate.h"

enum
{
	P,
	Q,
	GAMMA
};

/* ln density of the mean of x purchases; 0 for x = 0, -INFINITY unless the mean is positive. */
static double
SpendLogLikelihood(const double *param, double x, double mean)
{
	double ratio = x * mean / param[GAMMA];

	if (x <= 0)
		return 0;
	if (!(mean > 0))
		return -INFINITY; /* the model has positive amounts only */
	return clv_ln_beta_kernel(param[P] * x, param[Q], 1 / (1 + 1 / ratio), 1 / (1 + ratio)) -
		   log(mean);
}

/* E[value of a purchase], INFINITY where the tail of 1/nu is too thick for a mean: q' <= 1. */
static double
ExpectedSpend(const double *param, double x, double mean)
{
	double excess = param[P] * x + (param[Q] - 1);

	if (!(excess > 0))
		return INFINITY;
	return param[P] * (param[GAMMA] + x * mean) / excess;
}

/* E[1/nu^2], which exists for q' > 2, times what p gamma distributed purchases share. */
static void
SpendSquares(const double *param, double x, double mean, double *square, double *product)
{
	double q = param[P] * x + param[Q];
	double rate = param[GAMMA] + x * mean;
	double inverse = q > 2 ? rate / (q - 1) * (rate / (q - 2)) : INFINITY;

	*square = param[P] * (param[P] + 1) * inverse;
	*product = param[P] * param[P] * inverse;
}

/* With p, q', gamma' the sum S of n purchases has S/(S + gamma') ~ Beta(p n, q'). */
static double
SpendCdf(const double *param, double x, double mean, double n, double s)
{
	double rate = param[GAMMA] + x * mean;
	double below;
	double above;

	if (!(s >= 0))
		return 0;
	if (n <= 0 || isinf(s))
		return 1;
	clv_beta_tails(param[P] * n, param[P] * x + param[Q], s / (s + rate), rate / (s + rate), &below,
				   &above);
	return below;
}

/*
 * Sums over the rows of one x. With u = gamma/(gamma+s), the logs that the density needs are
 * those of u and 1-u; they are summed as products.
 */
typedef struct RowSums
{
	ClvLogProduct ln_u;
	ClvLogProduct ln_rest; /* of 1-u */
	ClvLogProduct ln_mean;
	double u;
	double u_rest; /* of u (1-u) */
} RowSums;

/* Adds n rows of one x to the sums. */
static void
AddRows(double gamma, double x, const ClvSpendRow *rows, size_t n, RowSums *sums)
{
	for (size_t i = 0; i < n; i++)
	{
		double s = x * rows[i].mean;
		double inverse = 1 / (gamma + s);
		double u = gamma * inverse;
		double rest = s * inverse;

		clv_log_product_add(&sums->ln_u, u);
		clv_log_product_add(&sums->ln_rest, rest);
		clv_log_product_add(&sums->ln_mean, rows[i].mean);
		sums->u += u;
		sums->u_rest += u * rest;
	}
}

/*
 * Derivatives by the logs of p, q and gamma. With P = p x: ln u falls by 1-u when
 * ln gamma rises by 1, and ln (1-u) by u.
 */
static void
SpendTerms(const double *param, double x, const ClvSpendRow *rows, size_t n, ClvTerm *sum)
{
	double shape = param[P] * x;
	double q = param[Q];
	double both = shape + q;
	double more = clv_digamma_rising(shape, q); /* psi(p x + q) - psi(p x) */
	double curve = clv_trigamma(both);
	RowSums sums = {.ln_u = {1, 0}, .ln_rest = {1, 0}, .ln_mean = {1, 0}};
	double ln_u;
	double ln_rest;
	double dp;
	double dq;

	AddRows(param[GAMMA], x, rows, n, &sums);
	ln_u = clv_log_product_value(&sums.ln_u);
	ln_rest = clv_log_product_value(&sums.ln_rest);
	dp = shape * (n * more + ln_rest);
	dq = q * (n * clv_digamma_rising(q, shape) + ln_u);

	memset(sum, 0, sizeof(*sum));
	sum->ln =
		q * ln_u + shape * ln_rest - n * clv_lbeta(shape, q) - clv_log_product_value(&sums.ln_mean);
	sum->gradient[P] = dp;
	sum->gradient[Q] = dq;
	sum->gradient[GAMMA] = n * q - both * sums.u;
	sum->hessian[CLV_AT(P, P)] = dp + shape * shape * n * clv_trigamma_rising(shape, q);
	sum->hessian[CLV_AT(Q, P)] = shape * q * n * curve;
	sum->hessian[CLV_AT(Q, Q)] = dq + q * q * n * clv_trigamma_rising(q, shape);
	sum->hessian[CLV_AT(GAMMA, P)] = -shape * sums.u;
	sum->hessian[CLV_AT(GAMMA, Q)] = q * (n - sums.u);
	sum->hessian[CLV_AT(GAMMA, GAMMA)] = -both * sums.u_rest;
}

/* Start values: typical ones of shops, and extremes; gamma gives the observed mean. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double p, q;
	} start[] = {{3, 3}, {0.5, 20}, {20, 1.5}};

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[P] = start[which].p;
	param[Q] = start[which].q;
	param[GAMMA] = moments->spend * (param[Q] - 1) / param[P];
	return true;
}

/* Draws a customer: the rate that the values of their purchases have. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.shape = param[P]};
	traits->scale = clv_random_gamma(random, param[Q]) / param[GAMMA];
}

const ClvFamily clv_gammagamma = {
	.name = "gamma/gamma",
	.process = CLV_SPEND,
	.nparams = 3,
	.param_names = {"p", "q", "gamma"},
	.is_scale = {[GAMMA] = true},
	.purchase_effect = {[GAMMA] = 1}, /* on the value of purchases */
	.unit_free = {{"ln_p", CLV_LN_PRODUCT, {1, 0, 0}, false},
				  {"ln_q", CLV_LN_PRODUCT, {0, 1, 0}, false},
				  {"ln_mean_spend", CLV_LN_MEAN, {1, -1, 1}, false}},
	.start = Start,
	.draw = Draw,
	.spend_terms = SpendTerms,
	.spend_log_likelihood = SpendLogLikelihood,
	.expected_spend = ExpectedSpend,
	.spend_cdf = SpendCdf,
	.spend_squares = SpendSquares,
};
