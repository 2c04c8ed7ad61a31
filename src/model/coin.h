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

#include "model/family.h"

/* family.h says what each returns */
extern double clv_coin_log_likelihood(const double *param, double x, double t_x, double T, int toss);
extern double clv_coin_ln_p_alive(const double *param, double x, double t_x, double T, int toss);

/* Given alive, a customer of either family is a newcomer of bg/nbd. */
extern void clv_coin_given_alive(const double *param, double x, double T, int toss,
								 ClvFuture *future);

extern double clv_coin_expected(const double *param, double t, int toss);
extern double clv_coin_probability(const double *param, double n, double t, int toss);
extern void clv_coin_probabilities(const double *param, double t, int count, double *p, int toss);
extern double clv_coin_discounted(const double *param, double delta, double t, int toss);
extern double clv_coin_survival(const double *param, double t, int toss);

#endif							/* CLV_COIN_H */
