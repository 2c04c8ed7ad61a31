/*
 * erlang.h
 *		What customers do who buy at every k-th event of a Poisson process and immediate a
 *		coin after each purchase: the future half of mbg/cnbd-k.
 *
 * Units and ranges as in family.h.
 */
#ifndef CLV_ERLANG_H
#define CLV_ERLANG_H

#include "families/family.h"

/* k may be at most this. */
#define CLV_MOST_STAGES 32

/*
 * One who is alive now with no immediate outstanding. Since his last purchase, silent time
 * units ago, fewer than k events have come; how many of them, his stage, is not known.
 * param = k, r, alpha, a, b, silent: at stage j his rate of events is
 * Gamma(r + j, alpha), so alpha counts until now.
 */
typedef struct ClvErlang
{
	int k;
	double r;
	double alpha;
	double a;
	double b;
	int stages;						/* that he may be at: k, or 1 right after a purchase */
	double weight[CLV_MOST_STAGES]; /* their probabilities */
} ClvErlang;

/*
 * ln of sum_{j<k} (r)_j/j! z^j, the weights of the stages before they are divided by
 * their sum; z = silent / alpha.
 */
extern double clv_erlang_stages(int k, double r, double z, double *weight);

extern void clv_erlang_init(ClvErlang *customer, int k, double r, double alpha, double a, double b,
							double since_last);

extern double clv_erlang_expected(const ClvErlang *customer, double t);
extern double clv_erlang_discounted(const ClvErlang *customer, double delta, double t);
extern double clv_erlang_survival(const ClvErlang *customer, double t);
extern double clv_erlang_probability(const ClvErlang *customer, double n, double t);
extern void clv_erlang_probabilities(const ClvErlang *customer, double t, int count, double *p);

#endif /* CLV_ERLANG_H */
