/*
 * bgbb.c
 *		BG/BB: purchases and dropout with one opportunity a period.
 *
 * At the start of each period a customer leaves for ever with probability theta, and otherwise
 * buys in it with probability p. Both are individual: p is distributed as Beta(alpha, beta)
 * over customers, theta as Beta(gamma, delta). Of n opportunities after the first purchase the
 * customer took x, the last of them the t_x-th. A customer alive for s periods, t_x <= s <= n,
 * did not buy in s - x of them, and left at the next unless s = n:
 *
 *		L = sum over s = t_x .. n of  G(s) W(s)
 *		G(s) = B(alpha + x, beta + s - x) / B(alpha, beta)
 *		W(s) = B(gamma + 1, delta + s) / B(gamma, delta)	for s < n
 *		W(n) = B(gamma, delta + n) / B(gamma, delta)
 *
 * P(alive in period n) is the share of the last term, and a customer alive then is a newcomer
 * of (alpha + x, beta + n - x, gamma, delta + n). The probability of k purchases in m periods
 * is the same sum from s = k, with the C(s, k) orders in which they may come.
 *
 * The terms are positive and each follows from the one before by a ratio, so the sum keeps all
 * digits; the first is taken by logarithms of rising factorials. Differences of lgamma() must
 * be avoided: the search then runs to parameters where only rounding errors are left, which
 * look like a very high likelihood.
 *
 * Purchases are independent of the length of the lifetime, so their expected number is that of
 * the periods survived (sbg.c) times alpha / (alpha + beta).
 *
 * Fader, Hardie & Shang (2010), Customer-base analysis in a discrete-time
 * noncontractual setting, Marketing Science 29(6).
 */
#include <math.h>
#include <string.h>

#include "math/gauss.h"
#include "math/linalg.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"
#include "families/sbg.h"
#include "families/simulate.h"

enum
{
	ALPHA,
	BETA,
	GAMMA,
	DELTA
};

/* ---- the sum over lifetimes ---- */

/* ln of the term s = n: x of s opportunities taken, and alive for s periods. */
static double
LnAlive(const double *param, double x, double s)
{
	return clv_log_beta_rising(param[BETA], param[ALPHA], x) +
		   clv_log_beta_rising(param[ALPHA] + x, param[BETA], s - x) +
		   clv_log_beta_rising(param[GAMMA], param[DELTA], s);
}

/*
 * Where a sum has more terms than these the rest is an integral, over panels, from half a period
 * before the first to half a period before the end, less a 24th of the difference of the slopes
 * there (Euler-Maclaurin formula, at midpoints). A panel reaches half as far again as it starts
 * from zero, but no further than the terms fall by e^8, and the sum ends when they have fallen by
 * e^-46.
 */
#define MOST_TERMS 4096
#define PANEL_GROWTH 1.5
#define PANEL_FALL 8.0
#define NEGLIGIBLE 1e-20

/* ln of the term s = n of a history, relative to that of s = from */
static double
LnLasting(const double *param, double x, double from, double s)
{
	return clv_log_beta_rising(param[ALPHA] + x, param[BETA] + (from - x), s - from) +
		   clv_log_beta_rising(param[GAMMA], param[DELTA] + from, s - from);
}

/* -d/ds ln of the terms s < n */
static double
DecayRate(const double *param, double x, double s)
{
	return (param[ALPHA] + x) / (param[ALPHA] + param[BETA] + s) +
		   (param[GAMMA] + 1) / (param[GAMMA] + param[DELTA] + s);
}

/*
 * The correction by the slopes at both ends of the terms s .. n - 1, as nodes; returns their
 * number.
 */
static int
Ends(double s, double n, ClvGaussNode *nodes)
{
	nodes[0] = (ClvGaussNode){s, 1.0 / 24};
	nodes[1] = (ClvGaussNode){s - 1, -1.0 / 24};
	nodes[2] = (ClvGaussNode){n - 1, 1.0 / 24};
	nodes[3] = (ClvGaussNode){n, -1.0 / 24};
	return 4;
}

/* Sets nodes to those of the next panel and moves *start to its end; returns their number. */
static int
Panel(const double *param, double x, double *start, double end, ClvGaussNode *nodes)
{
	double to =
		fmin(fmin(*start * PANEL_GROWTH, *start + PANEL_FALL / DecayRate(param, x, *start)), end);
	int n = clv_gauss_nodes(&clv_gauss_16, *start, to, nodes);

	*start = to;
	return n;
}

/*
 * The departed terms from s on as an integral, relative to LnAlive(from), as far as they count
 * beside a sum of beside.
 */
static double
Beyond(const double *param, double x, double from, double s, double n, double beside)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int count = Ends(s, n, nodes);
	double start = s - 0.5;
	double sum = 0;

	for (;;)
	{
		double term = 0;

		for (int i = 0; i < count; i++)
		{
			double at = nodes[i].at;

			term = exp(LnLasting(param, x, from, at));
			sum += nodes[i].weight * term * (param[GAMMA] / (param[GAMMA] + param[DELTA] + at));
		}
		if (!(start < n - 0.5) || (start > s && term < NEGLIGIBLE * beside))
			return sum;
		count = Panel(param, x, &start, n - 0.5, nodes);
	}
}

/* ln of sum over s = from .. n - 1 of G(s) W(s), relative to LnAlive(from): the departed */
static double
LnDeparted(const double *param, double x, double from, double n)
{
	double both = param[ALPHA] + param[BETA];
	double ends = param[GAMMA] + param[DELTA];
	double term = 1;
	double sum = 0;
	double s = from;

	for (int i = 0; i < MOST_TERMS && s < n; i++)
	{
		sum += term * (param[GAMMA] / (ends + s));
		term *= (param[BETA] + (s - x)) / (both + s) * ((param[DELTA] + s) / (ends + s));
		s += 1;
	}
	if (s < n && term > NEGLIGIBLE * sum)
		sum += Beyond(param, x, from, s, n, sum);
	return log(sum);
}

/* Terms may grow by the number of orders; above this they are all scaled down. */
#define LARGE 1e200

/* ln of C(s, x) G(s) W(s) as if alive, relative to s = x; s - x need not be whole, if it is large
 */
static double
LnAnyOrder(const double *param, double x, double s)
{
	return LnLasting(param, x, x, s) - clv_log_beta_rising(x, 1, s - x);
}

/* A panel is half as long as the way from x, or so long that the logarithm changes by this. */
#define MOST_CHANGE 3.0

/* The end of the panel that begins at start. */
static double
OrderPanelEnd(const double *param, double x, double start, double end)
{
	double ln = LnAnyOrder(param, x, start);
	double width = fmin((start - x) / 2, end - start);

	for (int i = 0; i < 40; i++)
	{
		double half = LnAnyOrder(param, x, start + width / 2) - ln;
		double all = LnAnyOrder(param, x, start + width) - ln;

		if (fmax(fabs(half), fabs(all - half)) <= MOST_CHANGE)
			break;
		width /= 2;
	}
	return width < end - start ? start + width : end;
}

/* The departed terms from s on as an integral, by its logarithm relative to s = x: see Beyond(). */
static double
LnBeyondInAnyOrder(const double *param, double x, double s, double m)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int count = Ends(s, m, nodes);
	double scale = LnAnyOrder(param, x, s);
	double start = s - 0.5;
	double sum = 0;
	double shift = 0; /* of the scale, which follows terms that grow */

	for (;;)
	{
		double higher;

		for (int i = 0; i < count; i++)
		{
			double at = nodes[i].at;

			sum += nodes[i].weight * exp(LnAnyOrder(param, x, at) - scale - shift) *
				   (param[GAMMA] / (param[GAMMA] + param[DELTA] + at));
		}
		clv_poll(&clv_family_poll, 32 * (size_t) count);
		if (!(start < m - 0.5))
			return scale + shift + log(fmax(sum, 0));
		s = OrderPanelEnd(param, x, start, m - 0.5);
		count = clv_gauss_nodes(&clv_gauss_16, start, s, nodes);
		start = s;
		higher = LnAnyOrder(param, x, s) - scale;
		if (higher > shift)
		{
			sum *= exp(shift - higher);
			shift = higher;
		}
	}
}

/*
 * From s = x + MOST_TERMS on, terms change by no more than this part with each s, and by less and
 * less.
 */
#define SLOW 0.01

/*
 * Whether they do: the slope of the logarithm has parts (beta - 1) / (s - x), (alpha + beta - 1)
 * / s ...
 */
static bool
AreSlow(const double *param)
{
	return param[ALPHA] + param[BETA] + param[GAMMA] + 1 < SLOW * MOST_TERMS;
}

/*
 * ln of sum over s = x .. m of C(s, x) G(s) W(s), relative to LnAlive(x): x of m
 * opportunities taken in any order
 */
static double
LnInAnyOrder(const double *param, double x, double m)
{
	double both = param[ALPHA] + param[BETA];
	double ends = param[GAMMA] + param[DELTA];
	double term = 1;
	double sum = 0;
	double shrunk = 0;
	double last = AreSlow(param) ? fmin(x + MOST_TERMS, m) : m;
	double s = x;

	for (; s < last; s += 1)
	{
		sum += term * (param[GAMMA] / (ends + s));
		term *= (param[BETA] + (s - x)) / (both + s) * ((param[DELTA] + s) / (ends + s)) *
				((s + 1) / (s + 1 - x));
		if (term > LARGE)
		{
			term /= LARGE;
			sum /= LARGE;
			shrunk += 1;
		}
		clv_poll(&clv_family_poll, 1);
	}
	if (s == m)
		return log(sum + term) + shrunk * log(LARGE);
	return clv_log_add(log(sum) + shrunk * log(LARGE),
					   clv_log_add(LnBeyondInAnyOrder(param, x, s, m), LnAnyOrder(param, x, m)));
}

/* ---- histories ---- */

/* Whether a history is possible, as clv_possible(). */
static bool
Possible(double x, double t_x, double T)
{
	return clv_possible(&clv_bgbb, x, t_x, T);
}

/* ln L of a history; -INFINITY where it is impossible. */
static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	if (!Possible(x, t_x, T))
		return -INFINITY;
	if (t_x == T)
		return LnAlive(param, x, T);
	return LnAlive(param, x, t_x) +
		   clv_log_add(LnDeparted(param, x, t_x, T), LnLasting(param, x, t_x, T));
}

/* ln P(alive in period T). */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	if (!Possible(x, t_x, T) || t_x == T)
		return 0;
	return -clv_log1pexp(LnDeparted(param, x, t_x, T) - LnLasting(param, x, t_x, T));
}

/* The newcomer that this customer is, given alive in period T. */
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

/* Discounted expected purchases of a newcomer: the discounted periods survived, times E[p]. */
static double
Discounted(const double *param, double delta, double t)
{
	return param[ALPHA] / (param[ALPHA] + param[BETA]) *
		   clv_sbg_discounted(param[GAMMA], param[DELTA], delta, t);
}

/* Expected purchases of a newcomer in t periods. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* P(a newcomer is alive after t periods). */
static double
Survival(const double *param, double t)
{
	return clv_sbg_survival(param[GAMMA], param[DELTA], t);
}

/* P(n purchases in t periods) of a newcomer. */
static double
Probability(const double *param, double n, double t)
{
	double m = clv_whole_periods(t);

	if (n > m)
		return 0;
	return fmin(exp(LnAlive(param, n, n) + LnInAnyOrder(param, n, m)), 1);
}

/* P(0) .. P(count - 1) purchases in t periods of a newcomer. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	for (int n = 0; n < count; n++)
		p[n] = Probability(param, n, t);
}

/* E[N (N - 1)]: pairs of periods survived, times the probability of a purchase in both. */
static double
Pairs(const double *param, double t)
{
	double both = param[ALPHA] + param[BETA];

	return param[ALPHA] / both * ((param[ALPHA] + 1) / (both + 1)) *
		   clv_sbg_pairs(param[GAMMA], param[DELTA], t);
}

/* ---- the fit ---- */

/*
 * Start values: purchases as if customers were active half of the time, and three distributions
 * of dropout.
 */
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
 * Adds ln of (a)_up (b)_stay / (a + b)_(up + stay) and its derivatives by the logs of a =
 * param[first] and b = param[first + 1].
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

/* Adds the derivatives of ln (b + stay) / (a + b + all), one more factor of b above. */
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

/* The same of the product of AddStay()'s factors over a number of steps, not always whole. */
static void
AddLasting(const double *param, int first, double stay, double all, double steps, ClvTerm *term)
{
	double a = param[first];
	double b = param[first + 1];
	double db = b * clv_digamma_rising(b + stay, steps);
	double dab = clv_digamma_rising(a + b + all, steps);
	double d2ab = clv_trigamma_rising(a + b + all, steps);

	term->gradient[first] -= a * dab;
	term->gradient[first + 1] += db - b * dab;
	term->hessian[CLV_AT(first, first)] -= a * dab + a * a * d2ab;
	term->hessian[CLV_AT(first + 1, first)] -= a * b * d2ab;
	term->hessian[CLV_AT(first + 1, first + 1)] +=
		db - b * dab + b * b * (clv_trigamma_rising(b + stay, steps) - d2ab);
}

/* Adds the derivatives of ln gamma / (gamma + delta + s): leaving after s periods. */
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

/* sum += weight * (1, gradient, hessian + gradient gradient'), of one term of the sum. */
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

/*
 * Sets *term to the derivatives of the term of s relative to that of from, without going through
 * those in between; returns its size.
 */
static double
TermAt(const double *param, double x, double from, double s, ClvTerm *term)
{
	double steps = s - from;

	memset(term, 0, sizeof(*term));
	AddLasting(param, ALPHA, from - x, from, steps, term);
	AddLasting(param, GAMMA, from, from, steps, term);
	return exp(LnLasting(param, x, from, s));
}

/* Beyond(), with derivatives */
static void
AddBeyond(const double *param, double x, double from, double s, double n, ClvTerm *sum)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int count = Ends(s, n, nodes);
	double start = s - 0.5;

	for (;;)
	{
		double weight = 0;

		for (int i = 0; i < count; i++)
		{
			double at = nodes[i].at;
			ClvTerm term;

			weight = TermAt(param, x, from, at, &term);
			AddLeaving(param, at, &term);
			AddWeighted(nodes[i].weight * weight *
							(param[GAMMA] / (param[GAMMA] + param[DELTA] + at)),
						&term, sum);
		}
		if (!(start < n - 0.5) || (start > s && weight < NEGLIGIBLE * sum->ln))
			return;
		count = Panel(param, x, &start, n - 0.5, nodes);
	}
}

/*
 * The sum over lifetimes with derivatives, departed or alive at T > t_x, relative to
 * LnAlive(t_x).
 */
static void
SumLifetimes(const double *param, double x, double t_x, double T, ClvTerm *sum)
{
	ClvTerm term; /* the current term */
	double weight = 1;
	double s = t_x;

	memset(&term, 0, sizeof(term));
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < MOST_TERMS && s < T; i++)
	{
		double both = param[ALPHA] + param[BETA] + s;
		double ends = param[GAMMA] + param[DELTA] + s;
		ClvTerm left = term;

		AddLeaving(param, s, &left);
		AddWeighted(weight * (param[GAMMA] / ends), &left, sum);
		AddStay(param, ALPHA, s - x, s, &term);
		AddStay(param, GAMMA, s, s, &term);
		weight *= (param[BETA] + (s - x)) / both * ((param[DELTA] + s) / ends);
		s += 1;
		clv_poll(&clv_family_poll, 16);
	}
	if (s < T)
	{
		AddBeyond(param, x, t_x, s, T, sum);
		weight = TermAt(param, x, t_x, T, &term);
	}
	AddWeighted(weight, &term, sum);
}

/* ln L of one customer with derivatives; -INFINITY where the history is impossible. */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	ClvTerm sum;

	memset(term, 0, sizeof(*term));
	if (!Possible(x, t_x, T))
	{
		term->ln = -INFINITY;
		return;
	}
	AddRising(param, ALPHA, x, t_x - x, term);
	AddRising(param, GAMMA, 0, t_x, term);
	if (t_x == T)
		return;
	SumLifetimes(param, x, t_x, T, &sum);
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

/* Draws a customer: the probabilities of buying and of leaving in a period. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_PERIOD, .stages = 1};
	traits->buying = clv_random_beta(random, param[ALPHA], param[BETA]);
	traits->leaving = clv_random_beta(random, param[GAMMA], param[DELTA]);
}

const ClvFamily clv_bgbb = {
	.name = "bg/bb",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"alpha", "beta", "gamma", "delta"},
	.unit_free = {{"logit_purchase", CLV_LN_PRODUCT, {1, -1, 0, 0}, false},
				  {"ln_alpha_plus_beta", CLV_LN_SUM, {1, 1, 0, 0}, false},
				  {"logit_dropout", CLV_LN_PRODUCT, {0, 0, 1, -1}, false},
				  {"ln_gamma_plus_delta", CLV_LN_SUM, {0, 0, 1, 1}, false}},
	.clock = CLV_OPPORTUNITIES,
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
	.cell = Cell,
};
