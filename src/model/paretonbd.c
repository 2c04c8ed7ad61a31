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
 * The likelihood and the predictions are in life.c, the fit's terms in life_terms.c.
 *
 * Schmittlein, Morrison & Colombo (1987), Counting your customers: who are they and
 * what will they do next?, Management Science 33(1). Discounting: Fader, Hardie &
 * Lee (2005), RFM and CLV: using iso-value curves, JMR 42(4).
 */
#include <math.h>

#include "math/linalg.h"
#include "math/special.h"
#include "model/life.h"
#include "model/registry.h"

enum
{
	S,
	BETA
};

/* ---- the law of life ---- */

static void
Age(const ClvLife *life, double u, ClvLife *left)
{
	*left = *life;
	left->param[BETA] += u;
}

static double
Toll(const ClvLife *life, double z)
{
	return life->param[S] * log1p(z / life->param[BETA]);
}

static double
Hazard(const ClvLife *life, double z)
{
	return life->param[S] / (life->param[BETA] + z);
}

static double
Stride(const ClvLife *life, double z)
{
	return CLV_STRIDE * (life->param[BETA] + z);
}

static double
Power(const ClvLife *life, double z)
{
	return z > 1e17 * life->param[BETA] ? life->param[S] : 0;
}

static void
Jet(const ClvLife *life, double y, double toll, bool dying, ClvLifeJet *jet)
{
	double s = life->param[S];
	double beta = life->param[BETA];
	double share = y / (beta + y);
	double rest = beta / (beta + y);
	double power = dying ? s + 1 : s; /* of (1 + y/beta)^-1 */

	jet->gradient[S] = dying ? 1 - toll : -toll;
	jet->gradient[BETA] = dying ? s * share - rest : s * share;
	jet->hessian[CLV_AT(S, S)] = -toll;
	jet->hessian[CLV_AT(BETA, S)] = s * share;
	jet->hessian[CLV_AT(BETA, BETA)] = -power * share * rest;
}

static const ClvLaw pareto = {
	.family = &clv_paretonbd,
	.nparams = 2,
	.age = Age,
	.toll = Toll,
	.hazard = Hazard,
	.stride = Stride,
	.power = Power,
	.jet = Jet,
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
	} guess[] = {{0.7, 0.7, 0.5}, {0.4, 0.3, 3}, {1.5, 0.4, 0.05}};

	if (which >= (int) (sizeof(guess) / sizeof(guess[0])))
		return false;
	param[0] = guess[which].r;
	param[1] = guess[which].r * 0.6 * moments->T / moments->x;
	param[2] = guess[which].s;
	param[3] = guess[which].beta * moments->T;
	return true;
}

static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	return clv_life_log_likelihood(&pareto, param, x, t_x, T);
}

static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return clv_life_ln_p_alive(&pareto, param, x, t_x, T);
}

static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	clv_life_given_alive(&pareto, param, x, T, future);
}

/* int_0^t (1 + u/beta)^-s du */
static double
Years(const ClvLife *life, double t)
{
	double beta = life->param[BETA];
	double e = 1 - life->param[S];
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
Probability(const double *param, double n, double t)
{
	return clv_life_probability(&pareto, param, n, t);
}

static void
Probabilities(const double *param, double t, int count, double *p)
{
	clv_life_probabilities(&pareto, param, t, count, p);
}

static double
Discounted(const double *param, double delta, double t)
{
	ClvLife life = {{param[2], param[3]}};
	double years;

	if (delta == 0)
		years = Years(&life, t);
	else if (isinf(t))
		years = life.param[BETA] * clv_expint_scaled(life.param[S], delta * life.param[BETA]);
	else
		years = clv_life_years(&pareto, &life, delta, t);
	return param[0] / param[1] * years;
}

static double
Survival(const double *param, double t)
{
	return clv_life_survival(&pareto, param, t);
}

static void
Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms)
{
	clv_life_terms(&pareto, param, x, t, n, true, terms);
}

static void
Alive(const double *param, double x, const double *t, size_t n, ClvTerm *terms)
{
	clv_life_terms(&pareto, param, x, t, n, false, terms);
}

static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	(void) outcome;
	clv_life_cell(&pareto, param, x, t_x, T, term);
}

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
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = clv_life_term_common,
	.departed = Departed,
	.alive = Alive,
	.cell = Cell,
};
