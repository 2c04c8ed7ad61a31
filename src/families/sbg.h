/*
 * sbg.h
 *		Lifetimes in periods, with a beta distributed probability of leaving in each: all
 *		of sbg, and the lifetimes of bg/bb.
 *
 * Times are whole periods; a fraction at their end does not count.
 */
#ifndef CLV_SBG_H
#define CLV_SBG_H

#include <math.h>

/* Whole periods in t, which may be off a whole number by rounding. */
static inline double
clv_whole_periods(double t)
{
	return floor(t + 1e-6);
}

/* ln P(alive after t periods) */
extern double clv_sbg_ln_survival(double alpha, double beta, double t);

/* P(alive after t periods) */
static inline double
clv_sbg_survival(double alpha, double beta, double t)
{
	return exp(clv_sbg_ln_survival(alpha, beta, t));
}

/* sum over k = 1 .. t of e^(-delta k) P(alive after k periods); t may be INFINITY */
extern double clv_sbg_discounted(double alpha, double beta, double delta, double t);

/* E[S (S - 1)], S being the periods of t that are survived */
extern double clv_sbg_pairs(double alpha, double beta, double t);

#endif /* CLV_SBG_H */
