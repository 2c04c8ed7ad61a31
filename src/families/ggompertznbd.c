/*
 * ggompertznbd.c
 *		GGompertz/NBD: customers age; the hazard of leaving grows with time.
 *
 * As pareto/nbd, purchases at a gamma distributed rate and a life that buying does
 * not touch, but a customer's hazard of leaving is not constant: eta b e^(bu) at
 * the age u, Gompertz' law, with an eta of his own and a b common to all. The eta
 * differ as a gamma distribution with shape s and rate beta. A customer of whom
 * nothing but that is known is still there at u with probability
 *
 *		S(u) = (beta / (beta + e^(bu) - 1))^s
 *
 * For beta < 1 the population's hazard falls with time, as the ones of large eta
 * leave first; for beta > 1 it rises; in the end it is s b. He who has lasted for u
 * has a life of the same kind before him, with
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
#include "families/lifetime.h"
#include "families/registry.h"

enum
{
	B,
	S,
	BETA
};

/* So little aging in all the time that customers were seen that no digit shows it. */
#define LEAST_B 1e-14

/* ---- the law of life ---- */

/* beta(u) */
static double
BetaAt(const ClvLife *life, double u)
{
	double e = life->param[B] * u;

	return life->param[BETA] * exp(-e) - expm1(-e);
}

static void
Age(const ClvLife *life, double u, ClvLife *left)
{
	*left = *life;
	left->param[BETA] = BetaAt(life, u);
}

/* s ln(1 + (e^bz - 1)/beta), also where e^bz overflows */
static double
CumHazard(const ClvLife *life, double z)
{
	double e = life->param[B] * z;
	double beta = life->param[BETA];
	double ratio = e < 300 ? expm1(e) / beta : INFINITY;

	if (ratio <= DBL_MAX)
		return life->param[S] * log1p(ratio);
	return life->param[S] * (e + log(BetaAt(life, z) / beta));
}

static double
Hazard(const ClvLife *life, double z)
{
	return life->param[S] * life->param[B] / BetaAt(life, z);
}

/*
 * Singular where e^bz = 1 - beta. Seen from z, with what is left of beta there, that
 * is on the left for beta < 1 and, at the same distance left or right, at the height
 * of pi / b for beta > 1.
 */
static double
Stride(const ClvLife *life, double z)
{
	double beta = BetaAt(life, z);
	double b = life->param[B];

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
Jet(const ClvLife *life, double y, double cum_hazard, bool dying, ClvLifeJet *jet)
{
	double s = life->param[S];
	double e = life->param[B] * y;
	double beta = BetaAt(life, y);
	double a = e / beta;
	double g = -expm1(-e) / beta;
	double rest = life->param[BETA] * exp(-e) / beta; /* 1 - g */
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
	.age = Age,
	.cum_hazard = CumHazard,
	.hazard = Hazard,
	.stride = Stride,
	.jet = Jet,
};

/* ---- the family ---- */

/* Customers whose hazard falls at first, and ones who hardly leave until they are old. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double r, b, s, beta;
	} guess[] = {{0.7, 1, 0.4, 0.5}, {0.5, 4, 0.5, 20}};

	if (which >= (int) (sizeof(guess) / sizeof(guess[0])))
		return false;
	param[0] = guess[which].r;
	param[1] = guess[which].r * 0.6 * moments->T / moments->x;
	param[2] = guess[which].b / moments->T;
	param[3] = guess[which].s;
	param[4] = guess[which].beta;
	return true;
}

/* Pareto/nbd, where b times the length of time that customers were seen is next to nothing. */
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

static double
Discounted(const double *param, double delta, double t)
{
	ClvLife life = {{param[2], param[3], param[4]}};

	return param[0] / param[1] * clv_life_years(&gompertz, &life, delta, t);
}

static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

CLV_LIFE_FORWARDERS(&gompertz)
CLV_LIFE_FIT_FORWARDERS(&gompertz)

const ClvFamily clv_ggompertznbd = {
	.name = "ggompertz/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 5,
	.param_names = {"r", "alpha", "b", "s", "beta"},
	.is_scale = {false, true, true, false, false},
	.purchase_effect = {0, -1, 0, 0, 0},
	.churn_effect = {0, 0, 0, 0, -1},
	.border = "pareto/nbd",
	.embed = Embed,
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
