/*
 * rfmtc.c
 *		RFMTC: responses to the next campaign, from recency, frequency and tenure.
 *
 * In the letters of marketing R is the time since the last purchase, F the number of purchases
 * with the first one, T the time since the first one, counted in campaigns one time unit apart;
 * here x = F - 1, t_x = T - R. An active customer responds to a campaign with probability
 *
 *		P = g F / (T - R + b)
 *
 * where b shrinks estimates from few purchases, and g is the lift of this campaign over the
 * average one. At each campaign, from the last response on, a customer leaves with probability
 * Q, the same for all. So
 *
 *		P(response to the next)	= (1 - Q)^(R+1) P
 *		E[responses to L of them]	= (1 - Q)^R P (1 - Q) (1 - (1 - Q)^L) / Q.
 *
 * The lift g belongs to the next campaign. Horizons of more than one campaign use g = 1.
 *
 * As published, P exceeds one for good customers. 'rfmtc' limits it to one, before any
 * multiplication: with the published coefficients that ranks better, and the result is a
 * probability. 'rfmtc/unclamped' is the formula as published.
 *
 * The model does not describe how histories arise, so it has no likelihood of them: it is
 * fitted to the responses, 0 or 1, to a later campaign, by their Bernoulli likelihood. Its
 * authors sort the customers by the predicted value, smooth the responses over neighbours and
 * minimise squares; that objective jumps wherever two customers change places, needs a global
 * search, and predicts no better. The fit always limits P to one, for only a probability has a
 * likelihood, and rounds the corner there: otherwise the likelihood would have a kink where P
 * of a customer is exactly one.
 *
 * Q is a coefficient of this fit. It is not the rate at which customers leave, for the time
 * since the last purchase enters with it whatever a customer's P is.
 *
 * Yeh, Yang & Ting (2009), Knowledge discovery on RFM model using Bernoulli
 * sequence, Expert Systems with Applications 36(3).
 */
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"
#include "families/sbg.h"

enum
{
	Q,
	G,
	B
};

/* ---- an active customer's future ---- */

/* The parameters of a future: Q as before, P for the next campaign, and P for later ones. */
enum
{
	NEXT = 1,
	LATER
};

/* P over a number of campaigns. */
static double
ResponseProbability(const double *future, double campaigns)
{
	return campaigns <= 1 ? future[NEXT] : future[LATER];
}

/* P(active after t campaigns). */
static double
FutureSurvival(const double *future, double t)
{
	return exp(clv_whole_periods(t) * log1p(-future[Q]));
}

/* Discounted responses: sum over k = 1 .. t of ((1 - Q) e^-delta)^k P. */
static double
FutureDiscounted(const double *future, double delta, double t)
{
	double campaigns = isinf(t) ? t : clv_whole_periods(t);
	double ln_kept = log1p(-future[Q]) - delta;

	if (campaigns < 1)
		return 0;
	return ResponseProbability(future, campaigns) * exp(ln_kept) *
		   (isinf(campaigns) ? 1 : -expm1(campaigns * ln_kept)) / -expm1(ln_kept);
}

/* Expected responses to t campaigns. */
static double
FutureExpected(const double *future, double t)
{
	return FutureDiscounted(future, 0, t);
}

/* P(n responses) of a customer who is active for all of a number of campaigns. */
static double
ResponsesProbability(double n, double campaigns, double p)
{
	double none = campaigns - n;

	if (n == 0)
		return exp(campaigns * log1p(-p));
	if (none == 0)
		return exp(campaigns * log(p));
	return exp(clv_ln_beta_kernel(n, none, p, 1 - p)) * (campaigns / n / none);
}

/*
 * P(n responses to t campaigns), over the number of campaigns k for which the customer is active:
 * sum over k = n .. t of C(k, n) P^n (1 - P)^(k - n) (1 - Q)^k, times Q for k < t. With ends = 1
 * - (1 - P) (1 - Q), the probability that a campaign gets a response or is the last, the terms k
 * < t are the tail of a negative binomial.
 */
static double
FutureProbability(const double *future, double n, double t)
{
	double campaigns = clv_whole_periods(t);
	double q = future[Q];
	double p = fmin(ResponseProbability(future, campaigns), 1);
	double ends = q + p * (1 - q);
	double ended = 0;
	double beyond;

	if (n > campaigns)
		return 0;
	if (n < campaigns)
		clv_beta_tails(n + 1, campaigns - n, ends, (1 - p) * (1 - q), &ended, &beyond);
	ended *= q / ends * (n > 0 ? exp(n * log(p * (1 - q) / ends)) : 1);
	return fmin(ended + exp(campaigns * log1p(-q)) * ResponsesProbability(n, campaigns, p), 1);
}

/* P(0) .. P(count - 1) responses to t campaigns. */
static void
FutureProbabilities(const double *future, double t, int count, double *p)
{
	for (int n = 0; n < count; n++)
	{
		p[n] = FutureProbability(future, n, t);
		clv_poll(&clv_family_poll, 16);
	}
}

/* E[N (N - 1)] of the responses: P^2 sum over k = 2 .. t of 2 (k - 1) (1 - Q)^k. */
static double
FuturePairs(const double *future, double t)
{
	double campaigns = clv_whole_periods(t);
	double p = fmin(ResponseProbability(future, campaigns), 1);
	double kept = 1 - future[Q];
	double term = kept;
	double sum = 0;

	for (double k = 2; k <= campaigns && term > 0; k += 1)
	{
		term *= kept;
		sum += 2 * (k - 1) * term;
		clv_poll(&clv_family_poll, 1);
	}
	return p * p * sum;
}

/* The future of active customers; users cannot choose it. */
static const ClvFamily campaigns = {
	.name = "rfmtc, active",
	.process = CLV_TRANSACTION,
	.nparams = 3,
	.param_names = {"Q", "next", "later"},
	.clock = CLV_CAMPAIGNS,
	.expected = FutureExpected,
	.probability = FutureProbability,
	.probabilities = FutureProbabilities,
	.pairs = FuturePairs,
	.discounted = FutureDiscounted,
	.survival = FutureSurvival,
};

/* ---- customers ---- */

/* Sets *future to that of an active customer, P being at most limit. */
static void
Future(const double *param, double x, double t_x, double limit, ClvFuture *future)
{
	double average = (x + 1) / (t_x + param[B]);

	future->family = &campaigns;
	future->param[Q] = param[Q];
	future->param[NEXT] = fmin(param[G] * average, limit);
	future->param[LATER] = fmin(average, limit);
}

/* The future of a customer, given active at T. */
static void
GivenAlive(const double *param, double x, double t_x, double T, ClvFuture *future)
{
	Future(param, x, t_x, 1, future);
}

/* The same, with P as published. */
static void
GivenAliveUnclamped(const double *param, double x, double t_x, double T, ClvFuture *future)
{
	Future(param, x, t_x, INFINITY, future);
}

/* ln P(active at T) = R ln(1 - Q). */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return (T - t_x) * log1p(-param[Q]);
}

/* The future of a newcomer, a customer right after the first purchase. */
static ClvFuture
Newcomer(const double *param, double limit)
{
	ClvFuture future;

	Future(param, 0, 0, limit, &future);
	return future;
}

/* Expected responses of a newcomer to t campaigns. */
static double
Expected(const double *param, double t)
{
	ClvFuture future = Newcomer(param, 1);

	return FutureExpected(future.param, t);
}

/* The same, with P as published. */
static double
ExpectedUnclamped(const double *param, double t)
{
	ClvFuture future = Newcomer(param, INFINITY);

	return FutureExpected(future.param, t);
}

/* Discounted expected responses of a newcomer to t campaigns. */
static double
Discounted(const double *param, double delta, double t)
{
	ClvFuture future = Newcomer(param, 1);

	return FutureDiscounted(future.param, delta, t);
}

/* The same, with P as published. */
static double
DiscountedUnclamped(const double *param, double delta, double t)
{
	ClvFuture future = Newcomer(param, INFINITY);

	return FutureDiscounted(future.param, delta, t);
}

/* P(n responses to t campaigns) of a newcomer. */
static double
Probability(const double *param, double n, double t)
{
	ClvFuture future = Newcomer(param, 1);

	return FutureProbability(future.param, n, t);
}

/* P(0) .. P(count - 1) responses to t campaigns of a newcomer. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	ClvFuture future = Newcomer(param, 1);

	FutureProbabilities(future.param, t, count, p);
}

/* ---- the fit ---- */

/* Start values: b is about the time between purchases. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const double start[][3] = {{0.08, 2, 1.2}, {0.02, 1, 0.5}, {0.2, 3, 2}};
	double gap = moments->t_x > 0 ? moments->t_x / moments->x : moments->T;

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[Q] = start[which][0];
	param[G] = start[which][1];
	param[B] = start[which][2] * gap;
	return true;
}

/* Where ln P is within this of 0 the corner is rounded. */
#define CORNER 0.1

/*
 * min(y, 0) with a round corner: the slope falls from 1 to 0 as the smooth step
 * 1 - 3 u^2 + 2 u^3, u = 0 .. 1 across the corner.
 */
static double
RoundMin(double y, double *slope, double *bend)
{
	double u = (y + CORNER) / (2 * CORNER);

	*bend = 0;
	*slope = u <= 0 ? 1 : 0;
	if (u <= 0 || u >= 1)
		return u <= 0 ? y : 0;
	*slope = 1 - u * u * (3 - 2 * u);
	*bend = -6 * u * (1 - u) / (2 * CORNER);
	return CORNER * (2 * u * (1 - u * u * (1 - u / 2)) - 1);
}

/* ln(1 - e^z), z < 0 */
static double
LnComplement(double z)
{
	return z < -0.7 ? log1p(-exp(z)) : log(-expm1(z));
}

/*
 * ln L of one outcome with derivatives: with z = ln P(response to the next), that of a response
 * is z, of none ln(1 - e^z).
 */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	double campaigns = T - t_x + 1;
	double share = param[B] / (t_x + param[B]);
	double slope;
	double bend;
	double z = campaigns * log1p(-param[Q]) +
			   RoundMin(log(param[G] * (x + 1) / (t_x + param[B])), &slope, &bend);
	double dz[3] = {-campaigns * param[Q], slope, -slope * share};
	double odds = -1 / expm1(-z);
	double first = outcome > 0 ? 1 : odds;
	double second = outcome > 0 ? 0 : odds * (1 - odds);

	memset(term, 0, sizeof(*term));
	if (!clv_possible(&clv_rfmtc, x, t_x, T) || !(outcome == 0 || outcome == 1))
	{
		term->ln = -INFINITY;
		return;
	}
	term->ln = outcome > 0 ? z : LnComplement(z);
	for (int i = Q; i <= B; i++)
	{
		term->gradient[i] = first * dz[i];
		for (int j = Q; j <= i; j++)
			term->hessian[CLV_AT(i, j)] = second * dz[i] * dz[j];
	}
	term->hessian[CLV_AT(Q, Q)] -= first * campaigns * param[Q] * (1 - param[Q]);
	term->hessian[CLV_AT(G, G)] += first * bend;
	term->hessian[CLV_AT(B, G)] -= first * bend * share;
	term->hessian[CLV_AT(B, B)] += first * (bend * share * share - slope * share * (1 - share));
}

/* The members that both families have in common. */
#define RFMTC                                                                                      \
	.process = CLV_TRANSACTION, .nparams = 3, .param_names = {"Q", "g", "b"},                      \
	.is_scale = {false, false, true}, .clock = CLV_CAMPAIGNS,                                      \
	.unit_free = {{"logit_Q", CLV_LN_PRODUCT, {1, 0, 0}, false},                                   \
				  {"ln_g", CLV_LN_PRODUCT, {0, 1, 0}, false},                                      \
				  {"ln_b", CLV_LN_PRODUCT, {0, 0, 1}, false}},                                     \
	.transform = {CLV_LOGIT, CLV_LOG, CLV_LOG}, .start = Start, .ln_p_alive = LnPAlive,            \
	.probability = Probability, .probabilities = Probabilities, .survival = FutureSurvival,        \
	.cell = Cell

const ClvFamily clv_rfmtc = {
	.name = "rfmtc",
	.given_alive_since = GivenAlive,
	.expected = Expected,
	.discounted = Discounted,
	RFMTC,
};

const ClvFamily clv_rfmtc_unclamped = {
	.name = "rfmtc/unclamped",
	.given_alive_since = GivenAliveUnclamped,
	.expected = ExpectedUnclamped,
	.discounted = DiscountedUnclamped,
	RFMTC,
};
