/*
 * erlang.h
 *		Predictions for customers who buy at every k-th event of a Poisson process, with
 *		beta-geometric dropout after each purchase: the future of mbg/cnbd-k.
 *
 * Units and ranges as in family.h.
 */
#ifndef CLV_ERLANG_H
#define CLV_ERLANG_H

#include "families/family.h"

/* The largest k. */
#define CLV_MOST_STAGES 32

/*
 * A customer alive now, who has stayed after the last purchase. Since that purchase, since_last
 * time units ago, fewer than k events have come; how many of them, the stage, is not known. At
 * stage j the rate of events is Gamma(r + j, alpha), so alpha counts until now.
 */
typedef struct ClvErlang
{
	int k;
	double r;
	double alpha;
	double a;
	double b;
	int stages;                     /* possible ones: k, or 1 right after a purchase */
	double weight[CLV_MOST_STAGES]; /* their probabilities */
} ClvErlang;

/*
 * ln of sum_{j<k} (r)_j/j! z^j; weight is set to the weights of the stages, divided by their sum;
 * z = since_last / alpha.
 */
extern double clv_erlang_stages(int k, double r, double z, double *weight);

/* Sets *customer; the arguments are as in ClvErlang. */
extern void clv_erlang_init(ClvErlang *customer, int k, double r, double alpha, double a, double b,
							double since_last);

/* Expected purchases in (0,t]. */
extern double clv_erlang_expected(const ClvErlang *customer, double t);

/* Discounted expected purchases in (0,t]; t may be INFINITY. INFINITY where that diverges. */
extern double clv_erlang_discounted(const ClvErlang *customer, double delta, double t);

/* P(alive at t). */
extern double clv_erlang_survival(const ClvErlang *customer, double t);

/* P(n purchases in (0,t]). */
extern double clv_erlang_probability(const ClvErlang *customer, double n, double t);

/* P(0) .. P(count - 1) purchases in (0,t]. */
extern void clv_erlang_probabilities(const ClvErlang *customer, double t, int count, double *p);

#endif /* CLV_ERLANG_H */
