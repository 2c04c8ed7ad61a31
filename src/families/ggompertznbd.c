/*
 * ggompertznbd.c
 *		GGompertz/NBD: the hazard of leaving increases with the age of a customer.
 *
 * As in pareto/nbd, purchases come at a gamma distributed rate and lifetimes do not depend on
 * them, but a customer's hazard of leaving is not constant: eta b e^(bu) at the age u
 * (Gompertz), with an individual eta and a b common to all customers. eta varies over customers
 * as a gamma distribution with shape s and rate beta. A newcomer is alive at u with probability
 *
 *		S(u) = (beta / (beta + e^(bu) - 1))^s
 *
 * For beta < 1 the hazard of the population decreases with time, as customers of large eta
 * leave first; for beta > 1 it increases; it tends to s b. The residual lifetime of a customer
 * alive at u has the same distribution, with
 *
 *		beta(u) = beta e^-bu + 1 - e^-bu
 *
 * which tends to 1 and overflows nowhere; the hazard at u is s b / beta(u). For b to
 * 0 with beta/b held, S becomes that of pareto/nbd with rate beta/b.
 *
 * The likelihood and the predictions are in lifetime.c, the fit's terms in lifetime_terms.c.
 *
 * Bemmaor & Glady (2012), Modeling purchasing behavior with sudden "death": a
 * flexible customer lifetime model, Management Science 58(5).
 */
#include <float.h>
#include <math.h>

#include "math/linalg.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/registry.h"
#include "families/simulate.h"

enum
{
	B,
	S,
	BETA
};

/* The smallest b times the length of time that customers were observed. */
#define LEAST_B 1e-14

/* ---- the lifetime distribution ---- */

/* The parameter beta of the residual lifetime at u. */
static double
BetaAt(const ClvLifetime *lifetime, double u)
{
	double e = lifetime->param[B] * u;

	return lifetime->param[BETA] * exp(-e) - expm1(-e);
}

/* The residual lifetime at u, with beta(u). */
static void
Age(const ClvLifetime *lifetime, double u, ClvLifetime *left)
{
	*left = *lifetime;
	left->param[BETA] = BetaAt(lifetime, u);
}

/* s ln(1 + (e^bz - 1)/beta), also where e^bz overflows */
static double
CumHazard(const ClvLifetime *lifetime, double z)
{
	double e = lifetime->param[B] * z;
	double beta = lifetime->param[BETA];
	double ratio = e < 300 ? expm1(e) / beta : INFINITY;

	if (ratio <= DBL_MAX)
		return lifetime->param[S] * log1p(ratio);
	return lifetime->param[S] * (e + log(BetaAt(lifetime, z) / beta));
}

/* The hazard at z, s b / beta(z). */
static double
Hazard(const ClvLifetime *lifetime, double z)
{
	return lifetime->param[S] * lifetime->param[B] / BetaAt(lifetime, z);
}

/*
 * Panel widths: the hazard is singular where e^bz = 1 - beta. Counted from z, with beta(z), that
 * is on the left for beta < 1 and, at the same distance left or right, at the height of pi / b
 * for beta > 1.
 */
static double
Stride(const ClvLifetime *lifetime, double z)
{
	double beta = BetaAt(lifetime, z);
	double b = lifetime->param[B];

	if (beta == 1)
		return INFINITY;
	if (beta < 1)
		return -CLV_STRIDE * log1p(-beta) / b;
	return beta < 2 ? fmax(1.5, -log(beta - 1)) / b : 1.5 / b;
}

/*
 * With K = ln(1 + (e^by - 1)/beta), cum_hazard = s K, and by the logs of b and beta
 *
 *		K_b = a = by / beta(y)			K_beta = -g, g = (1 - e^-by) / beta(y)
 *		a_b = a (1 + by - a)			a_beta = -a (1 - g)
 *		g_b = a (1 - g)					g_beta = -g (1 - g)
 *		ln beta(y) = K - by + ln beta
 */
static void
Jet(const ClvLifetime *lifetime, double y, double cum_hazard, bool dying, ClvLifetimeJet *jet)
{
	double s = lifetime->param[S];
	double e = lifetime->param[B] * y;
	double beta = BetaAt(lifetime, y);
	double a = e / beta;
	double g = -expm1(-e) / beta;
	double rest = lifetime->param[BETA] * exp(-e) / beta; /* 1 - g */
	double power = dying ? s + 1 : s;

	jet->gradient[B] = dying ? 1 + e - power * a : -s * a;
	jet->gradient[S] = dying ? 1 - cum_hazard : -cum_hazard;
	jet->gradient[BETA] = dying ? s * g - rest : s * g;
	jet->hessian[CLV_AT(B, B)] = (dying ? e : 0) - power * a * (1 + e - a);
	jet->hessian[CLV_AT(S, B)] = -s * a;
	jet->hessian[CLV_AT(S, S)] = -cum_hazard;
	jet->hessian[CLV_AT(BETA, B)] = power * a * rest;
	jet->hessian[CLV_AT(BETA, S)] = s * g;
	jet->hessian[CLV_AT(BETA, BETA)] = -power * g * rest;
}

static const ClvLaw gompertz = {
	.family = &clv_ggompertznbd,
	.nparams = 3,
	.s = S,
	.beta = BETA,
	.growth = B,
	.age = Age,
	.cum_hazard = CumHazard,
	.hazard = Hazard,
	.stride = Stride,
	.jet = Jet,
};

/* ---- the family ---- */

/*
 * Start values: customers whose hazard decreases at first, and ones who hardly leave until they
 * are old.
 */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double r, b, s, beta;
	} start[] = {{0.7, 1, 0.4, 0.5}, {0.5, 4, 0.5, 20}};

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[0] = start[which].r;
	param[1] = start[which].r * 0.6 * moments->T / moments->x;
	param[2] = start[which].b / moments->T;
	param[3] = start[which].s;
	param[4] = start[which].beta;
	return true;
}

/* The point of pareto/nbd: b times the length of time that customers were observed is nearly 0. */
static void
Embed(const ClvMoments *moments, const double *contained, double off, double *param)
{
	double b = fmax(off, LEAST_B) / moments->T;

	param[0] = contained[0];
	param[1] = contained[1];
	param[2] = b;
	param[3] = contained[2];
	param[4] = contained[3] * b;
}

/* Discounted expected purchases of a newcomer: E[lambda] times the discounted lifetime. */
static double
Discounted(const double *param, double delta, double t)
{
	ClvLifetime lifetime = {{param[2], param[3], param[4]}};

	return param[0] / param[1] * clv_lifetime_discounted(&gompertz, &lifetime, delta, t);
}

/* Expected purchases of a newcomer in (0,t]. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* Draws a customer: a gamma distributed rate, and what multiplies the hazard of their age. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_TIME, .stages = 1, .ageing = param[2]};
	traits->buying = clv_random_gamma(random, param[0]) / param[1];
	traits->leaving = clv_random_gamma(random, param[3]) / param[4];
}

CLV_LIFETIME_FORWARDERS(&gompertz)
CLV_LIFETIME_FIT_FORWARDERS(&gompertz)

static const ClvClocked clocked = CLV_TWO_CLOCKS(&gompertz);

const ClvFamily clv_ggompertznbd = {
	.name = "ggompertz/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 5,
	.param_names = {"r", "alpha", "b", "s", "beta"},
	.is_scale = {false, true, true, false, false},
	.purchase_effect = {0, -1, 0, 0, 0},
	.churn_effect = {0, 0, 0, 0, -1},
	.unit_free = {{"ln_r", CLV_LN_PRODUCT, {1, 0, 0, 0, 0}, false},
				  {"ln_rate", CLV_LN_PRODUCT, {1, -1, 0, 0, 0}, true},
				  {"ln_s", CLV_LN_PRODUCT, {0, 0, 0, 1, 0}, false},
				  {"ln_churn_rate", CLV_LN_PRODUCT, {0, 0, 1, 1, -1}, true},
				  {"ln_b", CLV_LN_PRODUCT, {0, 0, 1, 0, 0}, true}},
	.border = "pareto/nbd",
	.embed = Embed,
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
