/*
 * coin.h
 *		What bg/nbd and mbg/nbd share: purchases at a gamma rate, and a coin after each.
 *
 * param = r, alpha, a, b. toss = 0 is bg/nbd, whose coin is thrown after repeat
 * purchases only; toss = 1 is mbg/nbd, which throws it after the first one too.
 * Units and ranges as in family.h.
 */
#ifndef CLV_COIN_H
#define CLV_COIN_H

#include "model/coin_terms.h"
#include "model/family.h"

/* family.h says what each returns */
extern double clv_coin_p_alive(const double *param, double x, double t_x, double T, int toss);
extern double clv_coin_log_likelihood(const double *param, double x, double t_x, double T, int toss);
extern double clv_coin_ln_p_alive(const double *param, double x, double t_x, double T, int toss);

/* Given alive, a customer of either family is a newcomer of bg/nbd. */
extern void clv_coin_given_alive(const double *param, double x, double T, int toss,
								 ClvFuture *future);

extern double clv_coin_expected(const double *param, double t, int toss);
extern double clv_coin_probability(const double *param, double n, double t, int toss);
extern void clv_coin_probabilities(const double *param, double t, int count, double *p, int toss);
extern double clv_coin_pairs(const double *param, double t, int toss);
extern double clv_coin_discounted(const double *param, double delta, double t, int toss);
extern double clv_coin_survival(const double *param, double t, int toss);

/* All of this, and of coin_terms.h, as functions of a family: with its toss filled in. */
#define CLV_COIN_FORWARDERS(toss)                                                                  \
	static double LogLikelihood(const double *param, double x, double t_x, double T)               \
	{                                                                                              \
		return clv_coin_log_likelihood(param, x, t_x, T, toss);                                    \
	}                                                                                              \
	static double LnPAlive(const double *param, double x, double t_x, double T)                    \
	{                                                                                              \
		return clv_coin_ln_p_alive(param, x, t_x, T, toss);                                        \
	}                                                                                              \
	static double PAlive(const double *param, double x, double t_x, double T, double leaving_t_x,  \
						 double leaving_T)                                                         \
	{                                                                                              \
		return clv_coin_p_alive(param, x, t_x, T, toss);                                           \
	}                                                                                              \
	static void GivenAlive(const double *param, double x, double T, ClvFuture *future)             \
	{                                                                                              \
		clv_coin_given_alive(param, x, T, toss, future);                                           \
	}                                                                                              \
	static double Expected(const double *param, double t)                                          \
	{                                                                                              \
		return clv_coin_expected(param, t, toss);                                                  \
	}                                                                                              \
	static double Probability(const double *param, double n, double t)                             \
	{                                                                                              \
		return clv_coin_probability(param, n, t, toss);                                            \
	}                                                                                              \
	static void Probabilities(const double *param, double t, int count, double *p)                 \
	{                                                                                              \
		clv_coin_probabilities(param, t, count, p, toss);                                          \
	}                                                                                              \
	static double Pairs(const double *param, double t)                                             \
	{                                                                                              \
		return clv_coin_pairs(param, t, toss);                                                     \
	}                                                                                              \
	static double Discounted(const double *param, double delta, double t)                          \
	{                                                                                              \
		return clv_coin_discounted(param, delta, t, toss);                                         \
	}                                                                                              \
	static double Survival(const double *param, double t)                                          \
	{                                                                                              \
		return clv_coin_survival(param, t, toss);                                                  \
	}                                                                                              \
	static void LnCommon(const double *param, double x, ClvTerm *term)                             \
	{                                                                                              \
		clv_coin_term_common(param, x, term, toss);                                                \
	}                                                                                              \
	static void Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms) \
	{                                                                                              \
		clv_coin_term_departed(param, x, t, n, terms, toss);                                       \
	}

#endif /* CLV_COIN_H */
