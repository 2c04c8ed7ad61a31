/*
 * mbgnbd.c
 *		MBG/NBD: a coin after every purchase, the first one included.
 *
 * As bg/nbd, purchases at a gamma distributed rate and a coin with a beta
 * distributed probability of leaving, but the coin is tossed at time 0 too: a
 * customer may be lost right after his first purchase, so that the one-time
 * buyers are no longer all alive. He who survives that toss is a bg/nbd
 * customer, and that is what his future is.
 *
 * The likelihood is at the top of coin_terms.c, predictions are in coin.c.
 *
 * Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of
 * models for customer base analysis, IJRM 24(3); Hoppe & Wagner (2007), Customer
 * base analysis: the case for a central variant of the betageometric/NBD model,
 * Marketing JRM 3(2).
 */
#include "model/coin.h"
#include "model/coin_terms.h"
#include "model/registry.h"

#define TOSS 1

static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	return clv_coin_log_likelihood(param, x, t_x, T, TOSS);
}

static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return clv_coin_ln_p_alive(param, x, t_x, T, TOSS);
}

static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	clv_coin_given_alive(param, x, T, TOSS, future);
}

static double
Expected(const double *param, double t)
{
	return clv_coin_expected(param, t, TOSS);
}

static double
Probability(const double *param, double n, double t)
{
	return clv_coin_probability(param, n, t, TOSS);
}

static void
Probabilities(const double *param, double t, int count, double *p)
{
	clv_coin_probabilities(param, t, count, p, TOSS);
}

static double
Discounted(const double *param, double delta, double t)
{
	return clv_coin_discounted(param, delta, t, TOSS);
}

static double
Survival(const double *param, double t)
{
	return clv_coin_survival(param, t, TOSS);
}

static void
LnCommon(const double *param, double x, ClvTerm *term)
{
	clv_coin_term_common(param, x, term, TOSS);
}

static void
Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms)
{
	clv_coin_term_departed(param, x, t, n, terms, TOSS);
}

const ClvFamily clv_mbgnbd = {
	.name = "mbg/nbd",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"r", "alpha", "a", "b"},
	.is_scale = {false, true, false, false},
	.purchase_effect = {0, -1, 0, 0},
	.churn_effect = {0, 0, 1, 1},
	.start = clv_coin_start,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = LnCommon,
	.departed = Departed,
	.alive = clv_coin_term_alive,
};
