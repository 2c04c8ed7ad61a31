/*
 * paretonbd.c
 *		Pareto/NBD: customers leave at a constant individual hazard.
 *
 * While alive a customer buys at random, at an individual rate lambda, and leaves at random, at
 * an individual hazard mu that does not depend on purchases. lambda varies over customers as a
 * gamma distribution with shape r and rate alpha, mu as one with shape s and rate beta,
 * independently of each other. A newcomer is alive at u with probability (beta / (beta + u))^s:
 * the Pareto distribution. Customers alive at u are likely to have a small mu; their residual
 * lifetime is Pareto again, with beta + u.
 *
 * The likelihood and the predictions are in lifetime.c, the fit's terms in lifetime_terms.c.
 *
 * Schmittlein, Morrison & Colombo (1987), Counting your customers: who are they and
 * what will they do next?, Management Science 33(1). Discounting: Fader, Hardie &
 * Lee (2005), RFM and CLV: using iso-value curves, JMR 42(4).
 */
#include <math.h>

#include "math/special.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/pareto_lifetime.h"
#include "families/registry.h"
#include "families/simulate.h"

/* ---- the lifetime distribution ---- */

static const ClvLaw pareto = {
	.family = &clv_paretonbd,
	.nparams = 2,
	.s = PARETO_S,
	.beta = PARETO_BETA,
	.growth = -1,
	.age = clv_pareto_age,
	.cum_hazard = clv_pareto_cum_hazard,
	.hazard = clv_pareto_hazard,
	.stride = clv_pareto_stride,
	.power = clv_pareto_power,
	.jet = clv_pareto_jet,
};

/* ---- the family ---- */

/*
 * Start values: ordinary customers of whom half have left; slow ones who hardly leave; and quick
 * ones who left at once.
 */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double r, s, beta;
	} start[] = {{0.7, 0.7, 0.5}, {0.4, 0.3, 3}, {1.5, 0.4, 0.05}, {2, 0.03, 1e-5}};

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[0] = start[which].r;
	param[1] = start[which].r * 0.6 * moments->T / moments->x;
	param[2] = start[which].s;
	param[3] = start[which].beta * moments->T;
	return true;
}

/* int_0^t (1 + u/beta)^-s du; INFINITY where that diverges. */
static double
ExpectedLifetime(const ClvLifetime *lifetime, double t)
{
	double beta = lifetime->param[PARETO_BETA];
	double e = 1 - lifetime->param[PARETO_S];
	double l = log1p(t / beta);

	if (isinf(t))
		return e < 0 ? beta / -e : INFINITY;
	return e == 0 ? beta * l : beta * expm1(e * l) / e;
}

/* Expected purchases of a newcomer in (0,t]. */
static double
Expected(const double *param, double t)
{
	ClvLifetime lifetime = {{param[2], param[3]}};

	return param[0] / param[1] * ExpectedLifetime(&lifetime, t);
}

/* Discounted expected purchases of a newcomer: E[lambda] times the discounted lifetime. */
static double
Discounted(const double *param, double delta, double t)
{
	ClvLifetime lifetime = {{param[2], param[3]}};
	double discounted;

	if (delta == 0)
		discounted = ExpectedLifetime(&lifetime, t);
	else if (isinf(t))
		discounted = param[3] * clv_expint_scaled(param[2], delta * param[3]);
	else
		discounted = clv_lifetime_discounted(&pareto, &lifetime, delta, t);
	return param[0] / param[1] * discounted;
}

/* Draws a customer: gamma distributed rates of buying and of leaving. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_TIME, .stages = 1};
	traits->buying = clv_random_gamma(random, param[0]) / param[1];
	traits->leaving = clv_random_gamma(random, param[2]) / param[3];
}

CLV_LIFETIME_FORWARDERS(&pareto)
CLV_LIFETIME_FIT_FORWARDERS(&pareto)

static const ClvClocked clocked = CLV_TWO_CLOCKS(&pareto);

const ClvFamily clv_paretonbd = {
	.name = "pareto/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"r", "alpha", "s", "beta"},
	.is_scale = {false, true, false, true},
	.purchase_effect = {0, -1, 0, 0},
	.churn_effect = {0, 0, 0, -1},
	.unit_free = {{"ln_r", CLV_LN_PRODUCT, {1, 0, 0, 0}, false},
				  {"ln_rate", CLV_LN_PRODUCT, {1, -1, 0, 0}, true},
				  {"ln_s", CLV_LN_PRODUCT, {0, 0, 1, 0}, false},
				  {"ln_churn_rate", CLV_LN_PRODUCT, {0, 0, 1, -1}, true}},
	.start = Start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.leaving = Leaving,
	.p_alive = PAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = clv_lifetime_term_common,
	.departed = Departed,
	.alive = Alive,
	.cell = Cell,
	.clocked = &clocked,
};
