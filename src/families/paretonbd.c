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
#include <float.h>
#include <math.h>

#include "math/special.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/pareto_lifetime.h"
#include "families/registry.h"
#include "families/simulate.h"

/* ---- the lifetime distribution ---- */

/*
 * The series below is taken while the density falls by no more than e^-MOST_DROP, and up to this
 * relative length, half of it where the density falls by all of that.
 */
#define MOST_DROP 1.0
#define MOST_SHARE 0.125
#define MOST_TERMS 20

static const double reciprocal[MOST_TERMS + 2] = {
	0,        1.0,      1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,
	1.0 / 8,  1.0 / 9,  1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15,
	1.0 / 16, 1.0 / 17, 1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21,
};

/*
 * With z = length u, p = length / age and q = length / beta, the density of dying at z is q s g(u),
 * and g = (1 + p u)^-R (1 + q u)^-(s+1) satisfies
 *
 *		(1 + p u) (1 + q u) g' = -[R p (1 + q u) + (s + 1) q (1 + p u)] g
 *
 * so that the coefficients of its power series follow from each other. Their signs alternate, and
 * the sum of what is taken off is no more than what g falls by, of which there is little.
 */
static double
DyingSoon(const ClvLifetime *lifetime, double R, double age, double length)
{
	double s = lifetime->param[PARETO_S];
	double p = length / age;
	double q = length / lifetime->param[PARETO_BETA];
	double slope = R * p + (s + 1) * q;
	double before = 0;
	double coefficient = 1;
	double sum = 1;

	if (!(slope <= MOST_DROP && fmax(p, q) * fmax(1, 2 * slope) <= MOST_SHARE))
		return NAN;
	for (int n = 0; n < MOST_TERMS; n++)
	{
		double next = -((slope + (p + q) * n) * coefficient + p * q * (R + s + n) * before) *
					  reciprocal[n + 1];

		before = coefficient;
		coefficient = next;
		next *= reciprocal[n + 2];
		sum += next;
		if (fabs(next) < DBL_EPSILON / 8 * sum)
			break;
	}
	return q * s * sum;
}

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
	.dying_soon = DyingSoon,
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
