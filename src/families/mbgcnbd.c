/*
 * mbgcnbd.c
 *		MBG/CNBD-k: regular purchases, and beta-geometric dropout after every purchase.
 *
 * The time between two purchases of a customer is not exponential but Erlang-k: a purchase is
 * every k-th event of a Poisson process with an individual rate lambda, so that the customer
 * buys lambda / k times per time unit, and the more regularly the larger k is. lambda ~
 * Gamma(r, rate alpha). After each purchase, the first one included, the customer leaves with
 * probability p ~ Beta(a, b). k is a whole number and stays fixed in a fit; k = 1 is mbg/nbd.
 *
 * Let g_i be the times between purchases, R = r + k x and u = T - t_x. Given lambda and p,
 * the density of the g_i is the product of
 *
 *		lambda^k g_i^(k-1) e^(-lambda g_i) / (k-1)!
 *
 * times (1-p)^(x+1) sum_{j<k} (lambda u)^j/j! e^(-lambda u) if the customer is alive and fewer
 * than k events have come since, or p (1-p)^x if the customer left after the last purchase. The
 * g_i alone appear in a constant only, which clv_mbgcnbd_constant() gives for whole data;
 * without it,
 *
 *	L = (r)_kx alpha^r [ B(a, b+x+1)/B(a,b) (alpha+T)^-R S  +  B(a+1, b+x)/B(a,b) (alpha+t_x)^-R ]
 *	S = sum_{j<k} (R)_j/j! (u / (alpha + T))^j
 *
 * P(alive) is the first term's share. Given alive at T, j of the k events to the next
 * purchase have come already with a probability proportional to the j-th term of S, and
 * lambda ~ Gamma(R + j, alpha + T): a customer of erlang.c, and of bg/nbd if k = 1.
 *
 * Derivatives are by the logarithms. Those of ln S are moments of j and of
 * psi(R + j) - psi(R) under the stages' weights.
 *
 * Platzer & Reutterer (2016), Ticking away the moments: timing regularity helps to better
 * predict customer activity, Marketing Science 35(5).
 */
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/special.h"
#include "families/beta_geometric.h"
#include "families/beta_geometric_terms.h"
#include "families/clocks.h"
#include "families/erlang.h"
#include "families/likelihood.h"
#include "families/registry.h"

enum
{
	K,
	R,
	ALPHA,
	A,
	B,
	SINCE_LAST /* time since the last purchase; only of the future of a known customer */
};

#define IMMEDIATE 1

/* k, limited to its range. */
static int
Stages(const double *param)
{
	return (int) fmin(fmax(param[K], 1), CLV_MOST_STAGES);
}

double
clv_mbgcnbd_constant(double k, double sum_x, double litt)
{
	return (k - 1) * litt - sum_x * clv_lgamma(k);
}

/* ---- histories ---- */

/* The state of a customer, given no purchase between t_x and T. */
typedef struct Inactivity
{
	double shape;                   /* r + k x */
	double ln;                      /* ln P(fewer than k events since the last purchase) */
	double odds;                    /* ln of the odds of having left */
	double weight[CLV_MOST_STAGES]; /* of the stages, given alive */
} Inactivity;

/* The probabilities of no purchase in the time since t_x. */
static Inactivity
SinceLast(const double *param, double x, double t_x, double silent)
{
	Inactivity inactivity = {.shape = param[R] + Stages(param) * x};
	double ln_sum = clv_erlang_stages(Stages(param), inactivity.shape,
									  silent / (param[ALPHA] + t_x + silent), inactivity.weight);

	inactivity.ln = fmin(ln_sum - inactivity.shape * log1p(silent / (param[ALPHA] + t_x)), 0);
	inactivity.odds = log(param[A] / (param[B] + x)) - inactivity.ln;
	return inactivity;
}

/* ln P(alive at T). */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return -clv_log1pexp(SinceLast(param, x, t_x, T - t_x).odds);
}

/* ln of the sum of the two outcomes, alive or left, from the larger of them. */
static double
LnOutcomes(const double *param, double x, const Inactivity *inactivity)
{
	return inactivity->odds > 0 ? log(param[A] / (param[B] + x)) + clv_log1pexp(-inactivity->odds)
								: inactivity->ln + clv_log1pexp(inactivity->odds);
}

/* ln L of a history. */
static double
LnLikelihood(const double *param, double x, double t_x, const Inactivity *inactivity)
{
	double events = inactivity->shape - param[R];

	return clv_log_rising(param[R], events) - events * log(param[ALPHA] + t_x) -
		   param[R] * log1p(t_x / param[ALPHA]) +
		   clv_log_beta_rising(param[A], param[B], x + IMMEDIATE) +
		   LnOutcomes(param, x, inactivity);
}

/* The log-likelihood of a history, without clv_mbgcnbd_constant(). */
static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	Inactivity inactivity = SinceLast(param, x, t_x, T - t_x);

	return LnLikelihood(param, x, t_x, &inactivity);
}

/* The newcomer that this customer is, given alive at T: of bg/nbd if k = 1. */
static void
GivenAliveSince(const double *param, double x, double t_x, double T, ClvFuture *future)
{
	if (Stages(param) == 1)
	{
		clv_bg_given_alive(param + R, x, T, IMMEDIATE, future);
		return;
	}
	future->family = &clv_mbgcnbd_known;
	future->param[K] = param[K];
	future->param[R] = param[R] + Stages(param) * x;
	future->param[ALPHA] = param[ALPHA] + T;
	future->param[A] = param[A];
	future->param[B] = param[B] + x + IMMEDIATE;
	future->param[SINCE_LAST] = T - t_x;
}

/* ---- newcomers: they may leave at time 0, the time of the last purchase ---- */

/* P(a newcomer stays after the first purchase). */
static double
SurvivesFirst(const double *param)
{
	return param[B] / (param[A] + param[B]);
}

/* A newcomer who stays after the first purchase. */
static ClvErlang
Newcomer(const double *param)
{
	ClvErlang customer;

	clv_erlang_init(&customer, Stages(param), param[R], param[ALPHA], param[A],
					param[B] + IMMEDIATE, 0);
	return customer;
}

/* Discounted expected purchases of a newcomer in (0,t]. */
static double
Discounted(const double *param, double delta, double t)
{
	ClvErlang customer = Newcomer(param);

	if (customer.k == 1)
		return clv_bg_discounted(param + R, delta, t, IMMEDIATE);
	return SurvivesFirst(param) * clv_erlang_discounted(&customer, delta, t);
}

/* Expected purchases of a newcomer in (0,t]. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* P(a newcomer is alive at t). */
static double
Survival(const double *param, double t)
{
	ClvErlang customer = Newcomer(param);

	if (customer.k == 1)
		return clv_bg_survival(param + R, t, IMMEDIATE);
	return SurvivesFirst(param) * clv_erlang_survival(&customer, t);
}

/* P(n purchases in (0,t]) of a newcomer. */
static double
Probability(const double *param, double n, double t)
{
	ClvErlang customer = Newcomer(param);
	double survives = SurvivesFirst(param);

	if (customer.k == 1)
		return clv_bg_probability(param + R, n, t, IMMEDIATE);
	return survives * clv_erlang_probability(&customer, n, t) + (n == 0 ? 1 - survives : 0);
}

/* P(0) .. P(count - 1) purchases in (0,t] of a newcomer. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	ClvErlang customer = Newcomer(param);
	double survives = SurvivesFirst(param);

	if (customer.k == 1)
	{
		clv_bg_probabilities(param + R, t, count, p, IMMEDIATE);
		return;
	}
	clv_erlang_probabilities(&customer, t, count, p);
	for (int n = 0; n < count; n++)
		p[n] = survives * p[n] + (n == 0 ? 1 - survives : 0);
}

/* ---- the fit ---- */

/* Start values: those of mbg/nbd, with k events to a purchase. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	if (!(param[K] >= 1))
		param[K] = 2;
	if (!clv_bg_start(moments, which, param + R))
		return false;
	param[ALPHA] /= Stages(param);
	return true;
}

/*
 * Adds the derivatives of all factors but the two outcomes: functions of x alone, and (1 +
 * t_x/alpha)^-R.
 */
static void
AddCommon(const double *param, double x, double t_x, double shape, ClvTerm *term)
{
	double r = param[R];
	double a = param[A];
	double b = param[B];
	double alpha = param[ALPHA];
	double n = x + IMMEDIATE;
	double events = shape - r;
	double growth = log1p(t_x / alpha);
	double share = t_x / (alpha + t_x);
	double dr = r * clv_digamma_rising(r, events) - r * growth;
	double db = b * clv_digamma_rising(b, n);
	double dab = clv_digamma_rising(a + b, n);
	double d2ab = clv_trigamma_rising(a + b, n);

	term->gradient[R] += dr;
	term->gradient[ALPHA] += shape * share - events;
	term->gradient[A] -= a * dab;
	term->gradient[B] += db - b * dab;
	term->hessian[CLV_AT(R, R)] += dr + r * r * clv_trigamma_rising(r, events);
	term->hessian[CLV_AT(ALPHA, R)] += r * share;
	term->hessian[CLV_AT(ALPHA, ALPHA)] -= shape * share * (alpha / (alpha + t_x));
	term->hessian[CLV_AT(A, A)] -= a * dab + a * a * d2ab;
	term->hessian[CLV_AT(B, A)] -= a * b * d2ab;
	term->hessian[CLV_AT(B, B)] += db - b * dab + b * b * (clv_trigamma_rising(b, n) - d2ab);
}

/*
 * Sets *term to ln P(no purchase since t_x) and its derivatives: S by the moments of the stages,
 * and (1 + u/(alpha + t_x))^-R.
 */
static void
InactivityTerm(const double *param, const Inactivity *inactivity, double t_x, double T,
			   ClvTerm *term)
{
	double alpha = param[ALPHA];
	double r = param[R];
	double rest = alpha / (alpha + T); /* - d ln z / d ln alpha */
	double start = alpha / (alpha + t_x);
	double slope = 0; /* psi(R + j) - psi(R), by j */
	double curve = 0;
	double j1 = 0, j2 = 0, s1 = 0, s2 = 0, js = 0, c1 = 0;
	double drift = start * (T - t_x) / (alpha + T); /* by ln alpha, of -ln(1 + u/(alpha+t_x)) */
	double dr;

	memset(term, 0, sizeof(*term));
	for (int j = 0; j < Stages(param); j++)
	{
		double w = inactivity->weight[j];
		double next = 1 / (inactivity->shape + j);

		j1 += w * j;
		s1 += w * slope;
		c1 += w * curve;
		slope += next;
		curve -= next * next;
	}
	slope = 0;
	for (int j = 0; j < Stages(param); j++)
	{
		double w = inactivity->weight[j];

		j2 += w * (j - j1) * (j - j1);
		s2 += w * (slope - s1) * (slope - s1);
		js += w * (j - j1) * (slope - s1);
		slope += 1 / (inactivity->shape + j);
	}
	dr = r * (s1 - log1p((T - t_x) / (alpha + t_x)));
	term->ln = inactivity->ln;
	term->gradient[R] = dr;
	term->gradient[ALPHA] = inactivity->shape * drift - rest * j1;
	term->hessian[CLV_AT(R, R)] = dr + r * r * (s2 + c1);
	term->hessian[CLV_AT(ALPHA, R)] = r * (drift - rest * js);
	term->hessian[CLV_AT(ALPHA, ALPHA)] =
		inactivity->shape * drift * (1 - start - rest) + rest * rest * j2 - rest * (1 - rest) * j1;
}

/* Sets *term to the derivatives of a / (b + x), for leaving after the last purchase. */
static void
LeavingTerm(const double *param, double x, ClvTerm *term)
{
	double share = param[B] / (param[B] + x);

	memset(term, 0, sizeof(*term));
	term->gradient[A] = 1;
	term->gradient[B] = -share;
	term->hessian[CLV_AT(B, B)] = -share * (x / (param[B] + x));
}

/* ln L of one customer with derivatives. */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	Inactivity inactivity = SinceLast(param, x, t_x, T - t_x);
	double dead = exp(-clv_log1pexp(-inactivity.odds));
	double alive = exp(-clv_log1pexp(inactivity.odds));
	ClvTerm stays;
	ClvTerm leaves;

	memset(term, 0, sizeof(*term));
	term->ln = LnLikelihood(param, x, t_x, &inactivity);
	AddCommon(param, x, t_x, inactivity.shape, term);
	InactivityTerm(param, &inactivity, t_x, T, &stays);
	LeavingTerm(param, x, &leaves);
	for (int i = R; i <= B; i++)
	{
		term->gradient[i] += alive * stays.gradient[i] + dead * leaves.gradient[i];
		for (int j = R; j <= i; j++)
			term->hessian[CLV_AT(i, j)] += alive * stays.hessian[CLV_AT(i, j)] +
										   dead * leaves.hessian[CLV_AT(i, j)] +
										   alive * dead * (stays.gradient[i] - leaves.gradient[i]) *
											   (stays.gradient[j] - leaves.gradient[j]);
	}
}

/* ---- the fit by the calendar ---- */

/* The places behind the parameters of derivatives by times: t_x, and the time since then. */
enum
{
	LAST = B + 1,
	SILENT
};

/* ln of all factors of L but the outcomes, at t_x = 0, where they depend on x alone. */
static void
LnCommon(const double *param, double x, ClvTerm *term)
{
	double events = Stages(param) * x;

	memset(term, 0, sizeof(*term));
	term->ln = clv_log_rising(param[R], events) - events * log(param[ALPHA]) +
			   clv_log_beta_rising(param[A], param[B], x + IMMEDIATE);
	AddCommon(param, x, 0, param[R] + events, term);
}

/*
 * Adds ln (1 + t/alpha)^-shape, t being the sum of the times in the places from LAST on to the last
 * one, and its derivatives.
 */
static void
AddNoPurchase(const double *param, double shape, double t, int last, ClvWideTerm *term)
{
	double r = param[R];
	double each = 1 / (param[ALPHA] + t);
	double share = t * each;
	double rest = param[ALPHA] * each;
	double by_r = -r * log1p(t / param[ALPHA]);

	term->gradient[R] += by_r;
	term->gradient[ALPHA] += shape * share;
	term->hessian[CLV_AT(R, R)] += by_r;
	term->hessian[CLV_AT(ALPHA, R)] += r * share;
	term->hessian[CLV_AT(ALPHA, ALPHA)] -= shape * share * rest;
	for (int i = LAST; i <= last; i++)
	{
		term->gradient[i] -= shape * each;
		term->hessian[CLV_AT(i, R)] -= r * each;
		term->hessian[CLV_AT(i, ALPHA)] += shape * rest * each;
		for (int j = LAST; j <= i; j++)
			term->hessian[CLV_AT(i, j)] += shape * each * each;
	}
}

/*
 * Adds ln S to a term without any: with f, s and m its derivatives by ln z, twice, and by ln z and
 * ln r, ln z = ln silent - ln(alpha + t_x + silent).
 */
static void
AddStages(const double *param, const Inactivity *inactivity, double t_x, double silent,
		  ClvWideTerm *term)
{
	double each = 1 / (param[ALPHA] + t_x + silent);
	double rest = param[ALPHA] * each;
	double since = silent > 0 ? 1 / silent : 0;
	double j1 = 0, j2 = 0, s1 = 0, s2 = 0, js = 0, c1 = 0;
	double slope = 0; /* psi(shape + j) - psi(shape), by j */
	double curve = 0;
	double f, s, m;

	for (int j = 0; j < Stages(param); j++)
	{
		double w = inactivity->weight[j];
		double next = 1 / (inactivity->shape + j);

		j1 += w * j;
		j2 += w * j * j;
		s1 += w * slope;
		s2 += w * slope * slope;
		js += w * j * slope;
		c1 += w * curve;
		slope += next;
		curve -= next * next;
	}
	f = j1;
	s = j2 - j1 * j1;
	m = param[R] * (js - j1 * s1);
	term->gradient[R] += param[R] * s1;
	term->gradient[ALPHA] -= f * rest;
	term->gradient[LAST] -= f * each;
	term->gradient[SILENT] += f * (since - each);
	term->hessian[CLV_AT(R, R)] += param[R] * s1 + param[R] * param[R] * (s2 - s1 * s1 + c1);
	term->hessian[CLV_AT(ALPHA, R)] -= m * rest;
	term->hessian[CLV_AT(ALPHA, ALPHA)] += s * rest * rest - f * rest * (1 - rest);
	term->hessian[CLV_AT(LAST, R)] -= m * each;
	term->hessian[CLV_AT(LAST, ALPHA)] += (s + f) * rest * each;
	term->hessian[CLV_AT(LAST, LAST)] += (s + f) * each * each;
	term->hessian[CLV_AT(SILENT, R)] += m * (since - each);
	term->hessian[CLV_AT(SILENT, ALPHA)] += rest * (f * each - s * (since - each));
	term->hessian[CLV_AT(SILENT, LAST)] += each * (f * each - s * (since - each));
	term->hessian[CLV_AT(SILENT, SILENT)] +=
		(s - f) * since * since + each * ((s + f) * each - 2 * s * since);
}

/* ln L less LnCommon by t_x and the time since then, with derivatives. */
static void
ByTimes(const ClvFamily *family, const double *param, double x, double t_x, double silent,
		ClvWideTerm *term)
{
	static const ClvTerm nothing = {0};
	Inactivity inactivity = SinceLast(param, x, t_x, silent);
	ClvMixture mixture;
	ClvWideTerm outcome;
	ClvTerm leaves;

	clv_mixture_start(&mixture, SILENT + 1);
	clv_widen(&nothing, family->nparams, 1, &outcome);
	AddStages(param, &inactivity, t_x, silent, &outcome);
	AddNoPurchase(param, inactivity.shape, t_x + silent, SILENT, &outcome);
	clv_mixture_add(&mixture, exp(-clv_log1pexp(inactivity.odds)), &outcome);
	LeavingTerm(param, x, &leaves);
	clv_widen(&leaves, family->nparams, 1, &outcome);
	AddNoPurchase(param, inactivity.shape, t_x, LAST, &outcome);
	clv_mixture_add(&mixture, exp(-clv_log1pexp(-inactivity.odds)), &outcome);
	clv_mixture_finish(&mixture, term);
	term->ln = LnOutcomes(param, x, &inactivity) - inactivity.shape * log1p(t_x / param[ALPHA]);
}

static const ClvClocked clocked =
	CLV_ONE_CLOCK(.term = clv_one_clock_term_by_times, .by_times = ByTimes);

/* Draws a customer of mbg/nbd whose purchases are every k-th event. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	clv_bg_draw(param + R, random, traits, 1);
	traits->stages = Stages(param);
}

const ClvFamily clv_mbgcnbd = {
	.name = "mbg/cnbd-k",
	.process = CLV_TRANSACTION,
	.nparams = 5,
	.param_names = {"k", "r", "alpha", "a", "b"},
	.is_scale = {false, false, true, false, false},
	.transform = {CLV_FIXED, CLV_LOG, CLV_LOG, CLV_LOG, CLV_LOG},
	.most = {CLV_MOST_STAGES},
	.purchase_effect = {0, 0, -1, 0, 0},
	.churn_effect = {0, 0, 0, 1, 1},
	.unit_free = {{"ln_r", CLV_LN_PRODUCT, {0, 1, 0, 0, 0}, false},
				  {"ln_rate", CLV_LN_PRODUCT, {-1, 1, -1, 0, 0}, true},
				  {"logit_dropout", CLV_LN_PRODUCT, {0, 0, 0, 1, -1}, false},
				  {"ln_a_plus_b", CLV_LN_SUM, {0, 0, 0, 1, 1}, false}},
	.start = Start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.given_alive_since = GivenAliveSince,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = LnCommon,
	.cell = Cell,
	.clocked = &clocked,
	.stages = Stages,
};

/* ---- the future of known customers, some time after the last purchase ---- */

/* A known customer. */
static ClvErlang
Known(const double *param)
{
	ClvErlang customer;

	clv_erlang_init(&customer, Stages(param), param[R], param[ALPHA], param[A], param[B],
					param[SINCE_LAST]);
	return customer;
}

/* Discounted expected purchases in (0,t]. */
static double
KnownDiscounted(const double *param, double delta, double t)
{
	ClvErlang customer = Known(param);

	return clv_erlang_discounted(&customer, delta, t);
}

/* Expected purchases in (0,t]. */
static double
KnownExpected(const double *param, double t)
{
	return KnownDiscounted(param, 0, t);
}

/* P(alive at t). */
static double
KnownSurvival(const double *param, double t)
{
	ClvErlang customer = Known(param);

	return clv_erlang_survival(&customer, t);
}

/* P(n purchases in (0,t]). */
static double
KnownProbability(const double *param, double n, double t)
{
	ClvErlang customer = Known(param);

	return clv_erlang_probability(&customer, n, t);
}

/* P(0) .. P(count - 1) purchases in (0,t]. */
static void
KnownProbabilities(const double *param, double t, int count, double *p)
{
	ClvErlang customer = Known(param);

	clv_erlang_probabilities(&customer, t, count, p);
}

/* The future of known customers. Users cannot choose it: it is not in the registry. */
const ClvFamily clv_mbgcnbd_known = {
	.name = "mbg/cnbd-k, known",
	.process = CLV_TRANSACTION,
	.nparams = 6,
	.param_names = {"k", "r", "alpha", "a", "b", "silent"},
	.is_scale = {false, false, true, false, false, true},
	.expected = KnownExpected,
	.probability = KnownProbability,
	.probabilities = KnownProbabilities,
	.discounted = KnownDiscounted,
	.survival = KnownSurvival,
	.clocked = &clocked,
	.stages = Stages,
};
