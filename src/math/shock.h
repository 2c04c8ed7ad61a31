/*
 * shock.h
 *		What moves all customers at once: relative deviations that are over with their period, and
 *		others that last, estimated from counts and their expectations.
 *
 * In period t the count is O_t with expectation E_t given nothing but the model. Its relative
 * deviation is y_t = O_t / E_t - 1 = m + s_t + e_t, where e_t has variance 1 / E_t (counts of
 * independent customers), s_t is the shock, and m is a level that the fit of the model has
 *absorbed. The shock is the sum of a part that is independent from period to period and of a
 *stationary first-order autoregression: its variance is sd^2, and its correlation between periods k
 *> 0 apart is p rho^k, where p is the share of the variance that lasts. The latter is where demand
 *that moves slowly is found, and a model that is wrong for longer than a period. Their restricted
 *likelihood, that of all contrasts free of m (Patterson, Thompson 1971), is what the Kalman filter
 *gives in one pass (Harvey 1989, section 4.2). A year or two leave sd, p and rho open to a large
 *extent, and the numbers where it is largest promise too narrow intervals. So they are those of the
 *averages of the variance of a period, of its covariance with the next, and of the variance of a
 *mean of half a year, weighted by the likelihood, with sd, p and Fisher's z of rho as likely
 *everywhere beforehand.
 */
#ifndef CLV_SHOCK_H
#define CLV_SHOCK_H

/* The days of the periods whose shocks models keep. */
#define CLV_SHOCK_DAYS 7

/* Shorter series tell nothing, of longer ones the end is taken. */
#define CLV_SHOCK_LEAST 13
#define CLV_SHOCK_MOST 1040

/* No part that lasts is looked for that is closer to a change for good. */
#define CLV_SHOCK_CORRELATION 0.98

/*
 * A shock whose log-likelihood is not better by so much than that of none counts as none. Purchases
 * of one customer go together over the weeks, which chance alone makes look like a slow shock: of
 * 204 simulated shops without one 39 gained more than 2, five more than 6.
 */
#define CLV_SHOCK_EVIDENCE 6

/* A common shock, as it was estimated. */
typedef struct ClvShock
{
	int periods;        /* that were used */
	double sd;          /* of a period, relative; 0: none that the data can tell */
	double lasting;     /* the share of its variance that does not end with the period */
	double correlation; /* of that part in neighbouring periods, from 0 to CLV_SHOCK_CORRELATION */
	double evidence;    /* log-likelihood less that of no shock */

	/* Of the mean shock in the periods used, weighted by their expectations, which the fit took for
	 * the level: its variance, and its covariance with the shock of the last one, over sd^2. */
	double past;
	double link;
} ClvShock;

/*
 * The log of the restricted likelihood, but for a constant, of n relative deviations y with
 * sampling variances v.
 */
extern double clv_shock_likelihood(int n, const double *y, const double *v, double sd,
								   double lasting, double correlation);

/*
 * The shock behind n counts and their expectations, in order of time. Periods with an expectation
 * below 1 are left out at both ends and have no weight in between. work: 2 n numbers.
 */
extern ClvShock clv_shock_estimate(int n, const double *actual, const double *expected,
								   double *work);

/*
 * The relative variance of a total over the next periods (> 0, not necessarily whole) that begin so
 * many after the last one used: of the mean shock in them less the one that the fit took for level.
 */
extern double clv_shock_variance(const ClvShock *shock, double gap, double periods);

#endif /* CLV_SHOCK_H */
