/*
 * beta_geometric.h
 *		What bg/nbd and mbg/nbd share: purchases at a gamma distributed rate, and
 *		beta-geometric dropout after purchases.
 *
 * param = r, alpha, a, b. immediate = 0 is bg/nbd, where customers may drop out after
 * repeat purchases only; immediate = 1 is mbg/nbd, where they may drop out after the
 * first purchase too. Units and ranges as in family.h.
 */
#ifndef CLV_BETA_GEOMETRIC_H
#define CLV_BETA_GEOMETRIC_H

#include "families/beta_geometric_terms.h"
#include "families/family.h"
#include "families/simulate.h"

/* P(alive at T), as p_alive in family.h: NAN where the odds of having left exceed the doubles. */
extern double clv_bg_p_alive(const double *param, double x, double t_x, double T, int immediate);

/* The log-likelihood of a history. */
extern double clv_bg_log_likelihood(const double *param, double x, double t_x, double T,
									int immediate);

/* ln P(alive at T). */
extern double clv_bg_ln_p_alive(const double *param, double x, double t_x, double T, int immediate);

/* Sets *future: given alive, a customer of either family is a newcomer of bg/nbd. */
extern void clv_bg_given_alive(const double *param, double x, double T, int immediate,
							   ClvFuture *future);

/* Expected purchases of a newcomer in (0,t]. */
extern double clv_bg_expected(const double *param, double t, int immediate);

/* P(n purchases in (0,t]) of a newcomer. */
extern double clv_bg_probability(const double *param, double n, double t, int immediate);

/* P(0) .. P(count - 1) purchases in (0,t] of a newcomer, into p. */
extern void clv_bg_probabilities(const double *param, double t, int count, double *p,
								 int immediate);

/* The rates of expected purchases of a newcomer of bg/nbd; see family.h. */
extern bool clv_bg_rates(const double *param, double most, const double *t, int n, double *rate);

/* E[N (N - 1)] of the purchases N of a newcomer in (0,t]. */
extern double clv_bg_pairs(const double *param, double t, int immediate);

/* Discounted expected purchases of a newcomer in (0,t]; t may be INFINITY. */
extern double clv_bg_discounted(const double *param, double delta, double t, int immediate);

/* P(a newcomer is alive at t). */
extern double clv_bg_survival(const double *param, double t, int immediate);

/* Draws a customer: a gamma distributed rate, and a beta distributed probability of leaving. */
extern void clv_bg_draw(const double *param, ClvRandom *random, ClvTraits *traits, int immediate);

/*
 * The functions of this file and of beta_geometric_terms.h as functions of a family, with its
 * immediate filled in.
 */
#define CLV_BG_FORWARDERS(immediate)                                                               \
	static double LogLikelihood(const double *param, double x, double t_x, double T)               \
	{                                                                                              \
		return clv_bg_log_likelihood(param, x, t_x, T, immediate);                                 \
	}                                                                                              \
	static double LnPAlive(const double *param, double x, double t_x, double T)                    \
	{                                                                                              \
		return clv_bg_ln_p_alive(param, x, t_x, T, immediate);                                     \
	}                                                                                              \
	static double PAlive(const double *param, double x, double t_x, double T, double leaving_t_x,  \
						 double leaving_T)                                                         \
	{                                                                                              \
		return clv_bg_p_alive(param, x, t_x, T, immediate);                                        \
	}                                                                                              \
	static void GivenAlive(const double *param, double x, double T, ClvFuture *future)             \
	{                                                                                              \
		clv_bg_given_alive(param, x, T, immediate, future);                                        \
	}                                                                                              \
	static double Expected(const double *param, double t)                                          \
	{                                                                                              \
		return clv_bg_expected(param, t, immediate);                                               \
	}                                                                                              \
	static double Probability(const double *param, double n, double t)                             \
	{                                                                                              \
		return clv_bg_probability(param, n, t, immediate);                                         \
	}                                                                                              \
	static void Probabilities(const double *param, double t, int count, double *p)                 \
	{                                                                                              \
		clv_bg_probabilities(param, t, count, p, immediate);                                       \
	}                                                                                              \
	static double Pairs(const double *param, double t)                                             \
	{                                                                                              \
		return clv_bg_pairs(param, t, immediate);                                                  \
	}                                                                                              \
	static double Discounted(const double *param, double delta, double t)                          \
	{                                                                                              \
		return clv_bg_discounted(param, delta, t, immediate);                                      \
	}                                                                                              \
	static double Survival(const double *param, double t)                                          \
	{                                                                                              \
		return clv_bg_survival(param, t, immediate);                                               \
	}                                                                                              \
	static void Draw(const double *param, ClvRandom *random, ClvTraits *traits)                    \
	{                                                                                              \
		clv_bg_draw(param, random, traits, immediate);                                             \
	}                                                                                              \
	static void LnCommon(const double *param, double x, ClvTerm *term)                             \
	{                                                                                              \
		clv_bg_term_common(param, x, term, immediate);                                             \
	}                                                                                              \
	static void Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms) \
	{                                                                                              \
		clv_bg_term_departed(param, x, t, n, terms, immediate);                                    \
	}

#endif /* CLV_BETA_GEOMETRIC_H */
