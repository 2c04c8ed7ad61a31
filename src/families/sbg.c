/*
 * sbg.c
 *		sBG: contracts with one renewal decision a period.
 *
 * At each renewal a customer leaves with an individual probability theta, which is distributed
 * as Beta(alpha, beta) over customers. No theta changes, but the retention rate of a cohort
 * increases from year to year, because customers with a high theta leave first. With B the beta
 * function,
 *
 *		S(t) = P(t renewals made)		= B(alpha, beta + t) / B(alpha, beta)
 *		P(leaves at the t-th renewal)	= B(alpha + 1, beta + t - 1) / B(alpha, beta)
 *		retention at the t-th renewal	= (beta + t - 1) / (alpha + beta + t - 1)
 *
 * and a customer who has made t renewals is a newcomer of (alpha, beta + t). A history has x =
 * t_x renewals made of T possible ones: customers with fewer have left.
 *
 * Expected renewals to come, discounted at d a period, are
 *
 *		D = sum over k = 1 .. m of S(k) (1 + d)^-k
 *		  = E[(1 - theta) (1 - ((1 - theta) / (1 + d))^m) / (d + theta)].
 *
 * The textbook's closed forms divide by alpha - 1, or take a 2F1 that needs thousands of terms
 * as d vanishes. Here short sums are added term by term, and where they are long the mean over
 * theta is taken (beta_mean.c), whose cost does not depend on m or d. All terms are positive in
 * both.
 *
 * Fader & Hardie (2007), How to project customer retention, Journal of Interactive
 * Marketing 21(1); Fader & Hardie (2010), Customer-base valuation in a contractual
 * setting: the perils of ignoring heterogeneity, Marketing Science 29(1).
 */
#include "families/sbg.h"

#include <float.h>
#include <string.h>

#include "math/beta_mean.h"
#include "math/linalg.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"
#include "families/simulate.h"

enum
{
	ALPHA,
	BETA
};

/* ---- lifetimes ---- */

double
clv_sbg_ln_survival(double alpha, double beta, double t)
{
	return clv_log_beta_rising(alpha, beta, clv_whole_periods(t));
}

/* Longer sums are cheaper as a mean over theta. */
#define MAX_TERMS 256
#define CHECK_EVERY 16

/* A horizon at which less than e^-40 of the value is left is treated as infinite. */
#define PERPETUAL_FROM 40.0

/* Sets *sum to the sum term by term; false where it has too many that count. */
static bool
ByTerms(double alpha, double beta, double delta, double m, double *sum)
{
	double v = exp(-delta);
	double term = 1;

	*sum = 0;
	for (int k = 1; k <= MAX_TERMS; k++)
	{
		term *= v * ((beta + (k - 1)) / (alpha + beta + (k - 1)));
		*sum += term;
		if (k >= m)
			return true;
		if (k % CHECK_EVERY == 0)
		{
			/* bounds of the remaining terms: no customer leaves, or nothing is discounted */
			double rest = fmin(1 / expm1(delta), alpha > 1 ? (beta + k) / (alpha - 1) : INFINITY);

			if (term * rest < 0.1 * DBL_EPSILON * *sum)
				return true;
		}
	}
	return false;
}

/* The discounted renewals given theta, without the factor 1 - theta; arg = d, delta, m. */
static double
RenewalKernel(double theta, const double *arg)
{
	double made = isinf(arg[2]) ? 1 : -expm1(arg[2] * (log1p(-theta) - arg[1]));

	return made / (arg[0] + theta);
}

double
clv_sbg_discounted(double alpha, double beta, double delta, double t)
{
	double m = isinf(t) ? t : clv_whole_periods(t);
	double arg[3] = {expm1(delta), delta, m};
	double sum;

	if (m < 1)
		return 0;
	if (isinf(m) && delta == 0)
		return alpha > 1 ? beta / (alpha - 1) : INFINITY;
	if (ByTerms(alpha, beta, delta, m, &sum))
		return sum;
	if (m * delta > PERPETUAL_FROM)
		arg[2] = m = INFINITY;
	/* the factor 1 - theta makes one beta distribution of another */
	return beta / (alpha + beta) *
		   clv_beta_mean(alpha, beta + 1, RenewalKernel, arg, isinf(m) ? 1 / arg[0] : m, 1,
						 isinf(m) ? 1 : fmin(m, 1000));
}

/*
 * E[S (S - 1)] = sum over k = 2 .. m of 2 (k - 1) P(S >= k), S being the renewals made until t;
 * it takes m steps, the whole periods of the horizon.
 */
double
clv_sbg_pairs(double alpha, double beta, double t)
{
	double m = clv_whole_periods(t);
	double term = beta / (alpha + beta);
	double sum = 0;

	for (double k = 2; k <= m && term > 0; k += 1)
	{
		term *= (beta + (k - 1)) / (alpha + beta + (k - 1));
		sum += 2 * (k - 1) * term;
		clv_poll(&clv_family_poll, 1);
	}
	return sum;
}

/* ---- the functions of family.h ---- */

/* Whether a history is possible, as clv_possible(). */
static bool
Possible(double x, double t_x, double T)
{
	return clv_possible(&clv_sbg, x, t_x, T);
}

/* ln L of a history; -INFINITY where it is impossible. */
static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	double ln;

	if (!Possible(x, t_x, T))
		return -INFINITY;
	ln = clv_log_beta_rising(param[ALPHA], param[BETA], t_x);
	return t_x < T ? ln - log1p((param[BETA] + t_x) / param[ALPHA]) : ln;
}

/* 0 for customers who have made all renewals, else -INFINITY. */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return t_x < T ? -INFINITY : 0;
}

/* The newcomer that a customer with T renewals is. */
static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	future->family = &clv_sbg;
	future->param[ALPHA] = param[ALPHA];
	future->param[BETA] = param[BETA] + T;
}

/* Discounted expected renewals of a newcomer in t periods. */
static double
Discounted(const double *param, double delta, double t)
{
	return clv_sbg_discounted(param[ALPHA], param[BETA], delta, t);
}

/* Expected renewals of a newcomer in t periods. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* P(t renewals made) of a newcomer. */
static double
Survival(const double *param, double t)
{
	return clv_sbg_survival(param[ALPHA], param[BETA], t);
}

/* P(n renewals in t periods): the customer leaves at the next one, unless that is after t. */
static double
Probability(const double *param, double n, double t)
{
	double m = clv_whole_periods(t);

	if (n > m)
		return 0;
	return Survival(param, n) * (n < m ? param[ALPHA] / (param[ALPHA] + param[BETA] + n) : 1);
}

/* P(0) .. P(count - 1) renewals in t periods. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	double m = clv_whole_periods(t);
	double survival = 1;

	for (int n = 0; n < count; n++)
	{
		double all = param[ALPHA] + param[BETA] + n;

		p[n] = n > m ? 0 : n == m ? survival : survival * (param[ALPHA] / all);
		survival *= (param[BETA] + n) / all;
	}
}

/* E[N (N - 1)] of the renewals N in t periods. */
static double
Pairs(const double *param, double t)
{
	return clv_sbg_pairs(param[ALPHA], param[BETA], t);
}

/* The share of customers with t - 1 renewals who make the t-th. */
static double
Retention(const double *param, double t)
{
	double before = fmax(clv_whole_periods(t) - 1, 0);

	return (param[BETA] + before) / (param[ALPHA] + param[BETA] + before);
}

/* Expected renewals to come after t, or before the t-th, discounted at rate per period. */
static double
Residual(const double *param, double t, double rate, bool before)
{
	double made = clv_whole_periods(t);

	if (before)
		made = fmax(made - 1, 0);
	return (before ? 1 + rate : 1) *
		   clv_sbg_discounted(param[ALPHA], param[BETA] + made, log1p(rate), INFINITY);
}

/* The square of what a renewal is discounted by, without the factor 1 - theta; arg = d. */
static double
RankKernel(double theta, const double *arg)
{
	return 1 / ((arg[0] + theta) * (arg[0] + theta));
}

/* The same not squared. */
static double
OnceKernel(double theta, const double *arg)
{
	return 1 / (arg[0] + theta);
}

/*
 * With each 1 - theta higher by a part e, S(k) is higher by k e: the elasticity is sum of k S(k)
 * v^k over sum of S(k) v^k, the mean of (1 + d) / (d + theta)^2 over that of 1 / (d + theta) for
 * theta ~ Beta(alpha, beta + 1) (Fader & Hardie 2010, equation 8).
 */
static double
Elasticity(const double *param, double t, double rate, bool before)
{
	double a = param[ALPHA];
	double b = param[BETA] + fmax(clv_whole_periods(t) - (before ? 1 : 0), 0) + 1;

	if (rate == 0)
		return a > 2 ? (a + b - 2) / (a - 2) : INFINITY;
	return (1 + rate) * clv_beta_mean(a, b, RankKernel, &rate, 1 / rate, 1, 2) /
		   clv_beta_mean(a, b, OnceKernel, &rate, 1 / rate, 1, 1);
}

/* ---- the fit ---- */

/* Start values: half of the customers have left; theta varies less or more. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const double alpha[] = {0.7, 3, 0.2};

	if (which >= (int) (sizeof(alpha) / sizeof(alpha[0])))
		return false;
	param[ALPHA] = alpha[which];
	param[BETA] = alpha[which] * fmin(fmax(2 * moments->x, 0.05), 1000);
	return true;
}

/*
 * Adds ln of alpha / (alpha + beta + t), for customers who left after t renewals, and its
 * derivatives.
 */
static void
AddLeaving(const double *param, double t, ClvTerm *term)
{
	double all = param[ALPHA] + param[BETA] + t;
	double a = param[ALPHA] / all;
	double b = param[BETA] / all;

	term->ln -= log1p((param[BETA] + t) / param[ALPHA]);
	term->gradient[ALPHA] += (param[BETA] + t) / all;
	term->gradient[BETA] -= b;
	term->hessian[CLV_AT(ALPHA, ALPHA)] -= a * ((param[BETA] + t) / all);
	term->hessian[CLV_AT(BETA, ALPHA)] += a * b;
	term->hessian[CLV_AT(BETA, BETA)] -= b * ((param[ALPHA] + t) / all);
}

/* ln L of one customer with derivatives; -INFINITY where the history is impossible. */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	double a = param[ALPHA];
	double b = param[BETA];
	double db = b * clv_digamma_rising(b, t_x);
	double dab = clv_digamma_rising(a + b, t_x);
	double d2ab = clv_trigamma_rising(a + b, t_x);

	memset(term, 0, sizeof(*term));
	if (!Possible(x, t_x, T))
	{
		term->ln = -INFINITY;
		return;
	}
	term->ln = clv_log_beta_rising(a, b, t_x);
	term->gradient[ALPHA] = -a * dab;
	term->gradient[BETA] = db - b * dab;
	term->hessian[CLV_AT(ALPHA, ALPHA)] = -a * dab - a * a * d2ab;
	term->hessian[CLV_AT(BETA, ALPHA)] = -a * b * d2ab;
	term->hessian[CLV_AT(BETA, BETA)] = db - b * dab + b * b * (clv_trigamma_rising(b, t_x) - d2ab);
	if (t_x < T)
		AddLeaving(param, t_x, term);
}

/* Draws a customer: the probability of leaving at a renewal. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_PERIOD, .stages = 1, .buying = 1};
	traits->leaving = clv_random_beta(random, param[ALPHA], param[BETA]);
}

const ClvFamily clv_sbg = {
	.name = "sbg",
	.process = CLV_TRANSACTION,
	.nparams = 2,
	.param_names = {"alpha", "beta"},
	.unit_free = {{"logit_churn", CLV_LN_PRODUCT, {1, -1}, false},
				  {"ln_alpha_plus_beta", CLV_LN_SUM, {1, 1}, false}},
	.clock = CLV_RENEWALS,
	.churn_effect = {1, 0},
	.start = Start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.retention = Retention,
	.residual = Residual,
	.elasticity = Elasticity,
	.cell = Cell,
};
