/*
 * paretonbd.c
 *		Pareto/NBD: customers leave at a constant hazard of their own.
 *
 * While he is with us a customer buys at random, at a rate lambda of his own; he
 * leaves at random too, at a hazard mu of his own that buying does not touch. The
 * lambda differ between customers as a gamma distribution with shape r and rate
 * alpha, the mu as one with shape s and rate beta, independently of each other. A
 * customer of whom nothing but that is known is still there at u with probability
 * (beta / (beta + u))^s: Pareto's law. He who has lasted for u is likely to be one
 * of small mu; what he has before him is Pareto again, with beta + u.
 *
 * The likelihood and the predictions are in lifetime.c, the fit's terms in lifetime_terms.c.
 *
 * Schmittlein, Morrison & Colombo (1987), Counting your customers: who are they and
 * what will they do next?, Management Science 33(1). Discounting: Fader, Hardie &
 * Lee (2005), RFM and CLV: using iso-value curves, JMR 42(4).
 */
#include <math.h>

#include "math/special.h"
#include "families/lifetime.h"
#include "families/pareto_lifetime.h"
#include "families/registry.h"

/* ---- the law of life ---- */

static const ClvLaw pareto = {
	.family = &clv_paretonbd,
	.nparams = 2,
	.age = clv_pareto_age,
	.cum_hazard = clv_pareto_cum_hazard,
	.hazard = clv_pareto_hazard,
	.stride = clv_pareto_stride,
	.power = clv_pareto_power,
	.jet = clv_pareto_jet,
};

/* ---- the family ---- */

/*
 * Ordinary customers of whom half are gone by now; slow ones who hardly leave; and
 * quick ones who left at once.
 */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double r, s, beta;
	} guess[] = {{0.7, 0.7, 0.5}, {0.4, 0.3, 3}, {1.5, 0.4, 0.05}, {2, 0.03, 1e-5}};

	if (which >= (int) (sizeof(guess) / sizeof(guess[0])))
		return false;
	param[0] = guess[which].r;
	param[1] = guess[which].r * 0.6 * moments->T / moments->x;
	param[2] = guess[which].s;
	param[3] = guess[which].beta * moments->T;
	return true;
}

/* int_0^t (1 + u/beta)^-s du */
static double
Years(const ClvLife *life, double t)
{
	double beta = life->param[PARETO_BETA];
	double e = 1 - life->param[PARETO_S];
	double l = log1p(t / beta);

	if (isinf(t))
		return e < 0 ? beta / -e : INFINITY;
	return e == 0 ? beta * l : beta * expm1(e * l) / e;
}

static double
Expected(const double *param, double t)
{
	ClvLife life = {{param[2], param[3]}};

	return param[0] / param[1] * Years(&life, t);
}

static double
Discounted(const double *param, double delta, double t)
{
	ClvLife life = {{param[2], param[3]}};
	double years;

	if (delta == 0)
		years = Years(&life, t);
	else if (isinf(t))
		years = param[3] * clv_expint_scaled(param[2], delta * param[3]);
	else
		years = clv_life_years(&pareto, &life, delta, t);
	return param[0] / param[1] * years;
}

CLV_LIFE_FORWARDERS(&pareto)
CLV_LIFE_FIT_FORWARDERS(&pareto)

const ClvFamily clv_paretonbd = {
	.name = "pareto/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"r", "alpha", "s", "beta"},
	.is_scale = {false, true, false, true},
	.purchase_effect = {0, -1, 0, 0},
	.churn_effect = {0, 0, 0, -1},
	.start = Start,
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
	.ln_common = clv_life_term_common,
	.departed = Departed,
	.alive = Alive,
	.cell = Cell,
};
