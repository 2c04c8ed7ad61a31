/*
 * sbg.c
 *		sbg: contracts that are renewed, or not, once a period.
 *
 * At each renewal a customer leaves with a probability theta of his own, and the
 * thetas of all customers are distributed as Beta(alpha, beta). Nobody's theta
 * changes, and yet the retention rate of a cohort rises from year to year, for
 * those with a high theta go first. With B the beta function,
 *
 *		S(t) = P(t renewals made)		= B(alpha, beta + t) / B(alpha, beta)
 *		P(leaves at the t-th renewal)	= B(alpha + 1, beta + t - 1) / B(alpha, beta)
 *		retention at the t-th renewal	= (beta + t - 1) / (alpha + beta + t - 1)
 *
 * and one who has made t renewals is a newcomer of (alpha, beta + t). A history
 * has x = t_x renewals made of T possible ones: he who has made fewer has left.
 *
 * Expected renewals to come, discounted at d a period, are
 *
 *		D = sum over k = 1 .. m of S(k) (1 + d)^-k
 *		  = E[(1 - theta) (1 - ((1 - theta) / (1 + d))^m) / (d + theta)].
 *
 * The textbook's closed forms divide by alpha - 1, or take a 2F1 that needs
 * thousands of terms as d vanishes. Here the sum is added up as far as it is
 * short, and where it is long the mean over theta is taken (beta_mean.c), whose
 * cost does not depend on m or d. All terms are positive in both.
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

enum
{
	ALPHA,
	BETA
};

/* ---- lives ---- */

double
clv_sbg_ln_survival(double alpha, double beta, double t)
{
	return clv_log_beta_rising(alpha, beta, clv_whole_periods(t));
}

/* Longer sums are cheaper as a mean over theta. */
#define MAX_TERMS 256
#define CHECK_EVERY 16

/* A horizon at which less than e^-40 of the value is left has no end. */
#define PERPETUAL_FROM 40.0

/* The sum, where it has few terms or few that count. */
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
			/* all that follows, if nobody left any more, or if nothing were discounted */
			double rest = fmin(1 / expm1(delta), alpha > 1 ? (beta + k) / (alpha - 1) : INFINITY);

			if (term * rest < 0.1 * DBL_EPSILON * *sum)
				return true;
		}
	}
	return false;
}

/* arg = d, delta, m */
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
 * E[S (S - 1)] = sum over k = 2 .. m of 2 (k - 1) P(S >= k), S being the renewals made until
 * t: as long as that is, which is a horizon of whole periods.
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

/* ---- what family.h asks ---- */

static bool
Possible(double x, double t_x, double T)
{
	return clv_possible(&clv_sbg, x, t_x, T);
}

static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	double ln;

	if (!Possible(x, t_x, T))
		return -INFINITY;
	ln = clv_log_beta_rising(param[ALPHA], param[BETA], t_x);
	return t_x < T ? ln - log1p((param[BETA] + t_x) / param[ALPHA]) : ln;
}

static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return t_x < T ? -INFINITY : 0;
}

static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	future->family = &clv_sbg;
	future->param[ALPHA] = param[ALPHA];
	future->param[BETA] = param[BETA] + T;
}

static double
Discounted(const double *param, double delta, double t)
{
	return clv_sbg_discounted(param[ALPHA], param[BETA], delta, t);
}

static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

static double
Survival(const double *param, double t)
{
	return exp(clv_sbg_ln_survival(param[ALPHA], param[BETA], t));
}

/* n renewals: he leaves at the next one, unless there is no next one within t */
static double
Probability(const double *param, double n, double t)
{
	double m = clv_whole_periods(t);

	if (n > m)
		return 0;
	return Survival(param, n) *
		(n < m ? param[ALPHA] / (param[ALPHA] + param[BETA] + n) : 1);
}

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

static double
Pairs(const double *param, double t)
{
	return clv_sbg_pairs(param[ALPHA], param[BETA], t);
}

static double
Retention(const double *param, double t)
{
	double before = fmax(clv_whole_periods(t) - 1, 0);

	return (param[BETA] + before) / (param[ALPHA] + param[BETA] + before);
}

static double
Residual(const double *param, double t, double rate, bool before)
{
	double made = clv_whole_periods(t);

	if (before)
		made = fmax(made - 1, 0);
	return (before ? 1 + rate : 1) *
		clv_sbg_discounted(param[ALPHA], param[BETA] + made, log1p(rate), INFINITY);
}

/* ---- the fit ---- */

/* As if half of the customers had left, more or less alike in their theta. */
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

/* -ln(alpha + beta + t), which enters with every customer who left */
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
	term->hessian[CLV_AT(BETA, BETA)] =
		db - b * dab + b * b * (clv_trigamma_rising(b, t_x) - d2ab);
	if (t_x < T)
		AddLeaving(param, t_x, term);
}

const ClvFamily clv_sbg = {
	.name = "sbg",
	.process = CLV_TRANSACTION,
	.nparams = 2,
	.param_names = {"alpha", "beta"},
	.clock = CLV_RENEWALS,
	.churn_effect = {1, 0},
	.start = Start,
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
	.cell = Cell,
};
