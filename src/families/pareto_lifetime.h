/*
 * pareto_lifetime.h
 *		The Pareto lifetime distribution: with a hazard mu ~ Gamma(s, rate beta),
 *		P(alive at z) = (1 + z/beta)^-s. Functions as in ClvLaw.
 */
#ifndef CLV_PARETO_LIFETIME_H
#define CLV_PARETO_LIFETIME_H

#include <math.h>

#include "math/linalg.h"
#include "families/lifetime.h"

/* The parameters of a lifetime, in order. */
enum
{
	PARETO_S,
	PARETO_BETA
};

/* The residual lifetime at u is Pareto with beta + u. */
static inline void
clv_pareto_age(const ClvLifetime *lifetime, double u, ClvLifetime *left)
{
	*left = *lifetime;
	left->param[PARETO_BETA] += u;
}

/* -ln P(alive at z) = s ln(1 + z/beta). */
static inline double
clv_pareto_cum_hazard(const ClvLifetime *lifetime, double z)
{
	return lifetime->param[PARETO_S] * log1p(z / lifetime->param[PARETO_BETA]);
}

/* The hazard at z, s / (beta + z). */
static inline double
clv_pareto_hazard(const ClvLifetime *lifetime, double z)
{
	return lifetime->param[PARETO_S] / (lifetime->param[PARETO_BETA] + z);
}

/* CLV_STRIDE times the distance from z to the singularity at -beta. */
static inline double
clv_pareto_stride(const ClvLifetime *lifetime, double z)
{
	return CLV_STRIDE * (lifetime->param[PARETO_BETA] + z);
}

/* s where z is so large that beta does not count; else 0. */
static inline double
clv_pareto_power(const ClvLifetime *lifetime, double z)
{
	return z > 1e17 * lifetime->param[PARETO_BETA] ? lifetime->param[PARETO_S] : 0;
}

/*
 * Derivatives of ln survival at y, or if dying of ln(hazard x survival), by the logarithms of s
 * and beta.
 */
static inline void
clv_pareto_jet(const ClvLifetime *lifetime, double y, double cum_hazard, bool dying,
			   ClvLifetimeJet *jet)
{
	double s = lifetime->param[PARETO_S];
	double beta = lifetime->param[PARETO_BETA];
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
