/*
 * pareto_lifetime.h
 *		Pareto's law of life, for the families that have it: of those with a hazard mu ~
 *		Gamma(s, rate beta), (1 + z/beta)^-s are alive at z. Functions as in ClvLaw.
 */
#ifndef CLV_PARETO_LIFETIME_H
#define CLV_PARETO_LIFETIME_H

#include <math.h>

#include "math/linalg.h"
#include "families/lifetime.h"

/* The first of a life's numbers. */
enum
{
	PARETO_S,
	PARETO_BETA
};

static inline void
clv_pareto_age(const ClvLife *life, double u, ClvLife *left)
{
	*left = *life;
	left->param[PARETO_BETA] += u;
}

static inline double
clv_pareto_cum_hazard(const ClvLife *life, double z)
{
	return life->param[PARETO_S] * log1p(z / life->param[PARETO_BETA]);
}

static inline double
clv_pareto_hazard(const ClvLife *life, double z)
{
	return life->param[PARETO_S] / (life->param[PARETO_BETA] + z);
}

static inline double
clv_pareto_stride(const ClvLife *life, double z)
{
	return CLV_STRIDE * (life->param[PARETO_BETA] + z);
}

static inline double
clv_pareto_power(const ClvLife *life, double z)
{
	return z > 1e17 * life->param[PARETO_BETA] ? life->param[PARETO_S] : 0;
}

static inline void
clv_pareto_jet(const ClvLife *life, double y, double cum_hazard, bool dying, ClvLifeJet *jet)
{
	double s = life->param[PARETO_S];
	double beta = life->param[PARETO_BETA];
	double share = y / (beta + y);
	double rest = beta / (beta + y);
	double power = dying ? s + 1 : s; /* of (1 + y/beta)^-1 */

	jet->gradient[PARETO_S] = dying ? 1 - cum_hazard : -cum_hazard;
	jet->gradient[PARETO_BETA] = dying ? s * share - rest : s * share;
	jet->hessian[CLV_AT(PARETO_S, PARETO_S)] = -cum_hazard;
	jet->hessian[CLV_AT(PARETO_BETA, PARETO_S)] = s * share;
	jet->hessian[CLV_AT(PARETO_BETA, PARETO_BETA)] = -power * share * rest;
}

#endif /* CLV_PARETO_LIFETIME_H */
