/*
 * bgbb.c
 *		BG/BB: purchases and leaving where there is one opportunity a period.
 *
 * At the start of each period a customer leaves for ever with probability theta,
 * and if he is still there buys in it with probability p. Both are his own: p is
 * distributed as Beta(alpha, beta) over the customers, theta as Beta(gamma, delta).
 * Of n opportunities after the first purchase he took x, the last of them the
 * t_x-th. If he has seen s periods alive, t_x <= s <= n, he let s - x of them pass,
 * and left at the next unless s = n:
 *
 *		L = sum over s = t_x .. n of  G(s) W(s)
 *		G(s) = B(alpha + x, beta + s - x) / B(alpha, beta)
 *		W(s) = B(gamma + 1, delta + s) / B(gamma, delta)	for s < n
 *		W(n) = B(gamma, delta + n) / B(gamma, delta)
 *
 * P(alive in period n) is the share of the last term, and given that he is, he is a
 * newcomer of (alpha + x, beta + n - x, gamma, delta + n). The chance of k purchases
 * in m periods is the same sum from s = k, with the C(s, k) orders in which they
 * may come.
 *
 * The terms are positive and each follows from the one before by a ratio, so the
 * sum keeps all digits; the first is taken by logarithms of rising factorials. What
 * must not be done is to subtract lgamma()s: the search then runs off to where
 * nothing but rounding errors is left, and finds a splendid likelihood there.
 *
 * Purchases are independent of how long a life lasts, so their expected number is
 * that of the periods survived (sbg.c) times alpha / (alpha + beta).
 *
 * Fader, Hardie & Shang (2010), Customer-base analysis in a discrete-time
 * noncontractual setting, Marketing Science 29(6).
 */
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/special.h"
#include "model/registry.h"
#include "model/sbg.h"

enum
{
	ALPHA,
	BETA,
	GAMMA,
	DELTA
};

/* ---- the sum over lives ---- */

/* ln of the term s = n, as if alive: x of s opportunities taken, s periods survived */
static double
LnAlive(const double *param, double x, double s)
{
	return clv_log_beta_rising(param[BETA], param[ALPHA], x) +
		clv_log_beta_rising(param[ALPHA] + x, param[BETA], s - x) +
		clv_log_beta_rising(param[GAMMA], param[DELTA], s);
}

/* Terms may grow by the number of orders; then they are all made smaller. */
#define LARGE 1e200

/*
 * ln of sum over s = from .. n of G(s) W(s), with the orders or without, relative to
 * LnAlive(from); and where not wanted, without the last term.
 */
static double
LnLives(const double *param, double x, double from, double n, bool orders, bool alive)
{
	double both = param[ALPHA] + param[BETA];
	double ends = param[GAMMA] + param[DELTA];
	double term = 1;
	double sum = 0;
	double shrunk = 0;

	for (double s = from; s < n; s += 1)
	{
		sum += term * (param[GAMMA] / (ends + s));
		term *= (param[BETA] + (s - x)) / (both + s) * ((param[DELTA] + s) / (ends + s));
		if (!orders)
			continue;
		term *= (s + 1) / (s + 1 - x);
		if (term > LARGE)
		{
			term /= LARGE;
			sum /= LARGE;
			shrunk += 1;
		}
	}
	return log(alive ? sum + term : sum) + shrunk * log(LARGE);
}

/* ---- histories ---- */

static bool
Possible(double x, double t_x, double T)
{
	return clv_possible(&clv_bgbb, x, t_x, T);
}

static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	if (!Possible(x, t_x, T))
		return -INFINITY;
	return LnAlive(param, x, t_x) + LnLives(param, x, t_x, T, false, true);
}

static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	if (!Possible(x, t_x, T) || t_x == T)
		return 0;
	return -clv_log1pexp(LnLives(param, x, t_x, T, false, false) -
						 clv_log_beta_rising(param[ALPHA] + x, param[BETA] + (t_x - x), T - t_x) -
						 clv_log_beta_rising(param[GAMMA], param[DELTA] + t_x, T - t_x));
}

static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	future->family = &clv_bgbb;
	future->param[ALPHA] = param[ALPHA] + x;
	future->param[BETA] = param[BETA] + (T - x);
	future->param[GAMMA] = param[GAMMA];
	future->param[DELTA] = param[DELTA] + T;
}

/* ---- newcomers ---- */

static double
Discounted(const double *param, double delta, double t)
{
	return param[ALPHA] / (param[ALPHA] + param[BETA]) *
		clv_sbg_discounted(param[GAMMA], param[DELTA], delta, t);
}

static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

static double
Survival(const double *param, double t)
{
	return exp(clv_sbg_ln_survival(param[GAMMA], param[DELTA], t));
}

static double
Probability(const double *param, double n, double t)
{
	double m = clv_whole_periods(t);

	if (n > m)
		return 0;
	return fmin(exp(LnAlive(param, n, n) + LnLives(param, n, n, m, true, true)), 1);
}

static void
Probabilities(const double *param, double t, int count, double *p)
{
	for (int n = 0; n < count; n++)
		p[n] = Probability(param, n, t);
}

/* ---- the fit ---- */

/* Purchases as if customers were there half of the time, and three kinds of leaving. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const double leaving[][2] = {{0.7, 3}, {1, 20}, {0.3, 0.6}};
	double p = fmin(fmax(2 * moments->x / moments->T, 0.02), 0.9);

	if (which >= (int) (sizeof(leaving) / sizeof(leaving[0])))
		return false;
	param[ALPHA] = 2 * p;
	param[BETA] = 2 * (1 - p);
	param[GAMMA] = leaving[which][0];
	param[DELTA] = leaving[which][1];
	return true;
}

/*
 * (a)_up (b)_stay / (a + b)_(up + stay), by the logs of a = param[first] and
 * b = param[first + 1]
 */
static void
AddRising(const double *param, int first, double up, double stay, ClvTerm *term)
{
	double a = param[first];
	double b = param[first + 1];
	double all = up + stay;
	double da = a * clv_digamma_rising(a, up);
	double db = b * clv_digamma_rising(b, stay);
	double dab = clv_digamma_rising(a + b, all);
	double d2ab = clv_trigamma_rising(a + b, all);

	term->ln += clv_log_beta_rising(b, a, up) + clv_log_beta_rising(a + up, b, stay);
	term->gradient[first] += da - a * dab;
	term->gradient[first + 1] += db - b * dab;
	term->hessian[CLV_AT(first, first)] +=
		da - a * dab + a * a * (clv_trigamma_rising(a, up) - d2ab);
	term->hessian[CLV_AT(first + 1, first)] -= a * b * d2ab;
	term->hessian[CLV_AT(first + 1, first + 1)] +=
		db - b * dab + b * b * (clv_trigamma_rising(b, stay) - d2ab);
}

/* (b + stay) / (a + b + all), one factor more of the above's b */
static void
AddStay(const double *param, int first, double stay, double all, ClvTerm *term)
{
	double sum = param[first] + param[first + 1] + all;
	double a = param[first] / sum;
	double b = param[first + 1] / sum;
	double more = param[first + 1] / (param[first + 1] + stay);

	term->gradient[first] -= a;
	term->gradient[first + 1] += more - b;
	term->hessian[CLV_AT(first, first)] -= a * (1 - a);
	term->hessian[CLV_AT(first + 1, first)] += a * b;
	term->hessian[CLV_AT(first + 1, first + 1)] += more * (1 - more) - b * (1 - b);
}

/* gamma / (gamma + delta + s): leaving after s periods */
static void
AddLeaving(const double *param, double s, ClvTerm *term)
{
	double all = param[GAMMA] + param[DELTA] + s;
	double c = param[GAMMA] / all;
	double d = param[DELTA] / all;

	term->gradient[GAMMA] += 1 - c;
	term->gradient[DELTA] -= d;
	term->hessian[CLV_AT(GAMMA, GAMMA)] -= c * (1 - c);
	term->hessian[CLV_AT(DELTA, GAMMA)] += c * d;
	term->hessian[CLV_AT(DELTA, DELTA)] -= d * (1 - d);
}

/* sum += weight * (1, gradient, hessian + gradient gradient'), of one term of the sum of lives */
static void
AddWeighted(double weight, const ClvTerm *term, ClvTerm *sum)
{
	sum->ln += weight;
	for (int i = 0; i <= DELTA; i++)
	{
		double slope = weight * term->gradient[i];

		sum->gradient[i] += slope;
		for (int j = 0; j <= i; j++)
			sum->hessian[CLV_AT(i, j)] +=
				weight * term->hessian[CLV_AT(i, j)] + slope * term->gradient[j];
	}
}

static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	ClvTerm life;				/* the term of the sum that s has come to, relative to the first */
	ClvTerm sum;
	double weight = 1;

	memset(term, 0, sizeof(*term));
	memset(&life, 0, sizeof(life));
	memset(&sum, 0, sizeof(sum));
	if (!Possible(x, t_x, T))
	{
		term->ln = -INFINITY;
		return;
	}
	AddRising(param, ALPHA, x, t_x - x, term);
	AddRising(param, GAMMA, 0, t_x, term);
	if (t_x == T)
		return;
	for (double s = t_x; s < T; s += 1)
	{
		double both = param[ALPHA] + param[BETA] + s;
		double ends = param[GAMMA] + param[DELTA] + s;
		ClvTerm left = life;

		AddLeaving(param, s, &left);
		AddWeighted(weight * (param[GAMMA] / ends), &left, &sum);
		AddStay(param, ALPHA, s - x, s, &life);
		AddStay(param, GAMMA, s, s, &life);
		weight *= (param[BETA] + (s - x)) / both * ((param[DELTA] + s) / ends);
	}
	AddWeighted(weight, &life, &sum);
	term->ln += log(sum.ln);
	for (int i = 0; i <= DELTA; i++)
	{
		double mean = sum.gradient[i] / sum.ln;

		term->gradient[i] += mean;
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] +=
				(sum.hessian[CLV_AT(i, j)] - mean * sum.gradient[j]) / sum.ln;
	}
}

const ClvFamily clv_bgbb = {
	.name = "bg/bb",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"alpha", "beta", "gamma", "delta"},
	.clock = CLV_OPPORTUNITIES,
	.start = Start,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.discounted = Discounted,
	.survival = Survival,
	.cell = Cell,
};
