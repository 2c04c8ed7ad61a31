/*
 * adjusted.h
 *		The difference between the means of two groups, as it is and adjusted by a covariate that
 *		was known before.
 *
 * With y the outcome, x the covariate and theta the pooled slope of y on x within the groups, the
 * adjusted difference is (y1 - y0) - theta (x1 - x0): the analysis of covariance, called CUPED
 * where x is a prediction from before an experiment (Deng, Xu, Kohavi, Walker 2013).
 */
#ifndef CLV_ADJUSTED_H
#define CLV_ADJUSTED_H

/* A group: how many, the means of covariate and outcome, and their sums of squares and products
 * around the means. */
typedef struct ClvGroup
{
	double n;
	double x;
	double y;
	double xx;
	double xy;
	double yy;
} ClvGroup;

/* A difference of means, its standard error and its two-sided p-value by the normal distribution;
 * all NaN where a group has less than two members. */
typedef struct ClvDifference
{
	double effect;
	double std_error;
	double p_value;
} ClvDifference;

/* The group of n members with these sums of x, y, x^2, x y and y^2. */
extern ClvGroup clv_group_of_sums(double n, double x, double y, double xx, double xy, double yy);

/* The difference of y, the second group's mean taken off the first's, with unequal variances. */
extern ClvDifference clv_difference(const ClvGroup *group, const ClvGroup *other);

/* The same adjusted by x. Sets explained, the share of the variance of y within the groups that x
 * explains; NaN where y does not vary. */
extern ClvDifference clv_adjusted_difference(const ClvGroup *group, const ClvGroup *other,
											 double *explained);

/*
 * The difference of the means of x in standard deviations (the root of the mean of both
 * variances), and in p_value how likely a larger one is where chance made the groups. NaN where x
 * does not vary.
 */
extern double clv_balance(const ClvGroup *group, const ClvGroup *other, double *p_value);

/* How likely a share of the first n of all members further from the planned one is by chance
 * (normal approximation of the binomial). */
extern double clv_share_p_value(double n, double all, double share);

#endif /* CLV_ADJUSTED_H */
