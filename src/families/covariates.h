/*
 * covariates.h
 *		Covariates: standardisation for the search, parameters with effects, and
 *		derivatives by effects. covariates.c explains them.
 */
#ifndef CLV_COVARIATES_H
#define CLV_COVARIATES_H

#include "math/newton.h"
#include "math/poll.h"
#include "math/sum.h"
#include "families/likelihood.h"

/* Standardised covariates: row (z - mean), of variance 1 and uncorrelated. */
typedef struct ClvCovariates
{
	int n;
	const double *z; /* of the groups, n each, as the caller gave them */
	double mean[CLV_MAX_COVARIATES];
	double size[CLV_MAX_COVARIATES];   /* the largest absolute value */
	double spread[CLV_MAX_COVARIATES]; /* from lowest to highest */
	double row[CLV_TRIANGLE(CLV_MAX_COVARIATES)];
	double range[CLV_MAX_COVARIATES]; /* from lowest to highest, as the search sees them */
	uint32_t idle[2]; /* a bit for each covariate that does not act on purchases, on churn */
	int followed;     /* the last ones, of a calendar: they can act on clocks of any family */
	uint32_t same;    /* a bit for each whose effects on both are one number */
} ClvCovariates;

/*
 * Standardises the covariates of the customers, those of each group; they remain correlated where
 * some act on a process and others do not, or have the same effect on both (acting: the bits of
 * idle, then those of same). CLV_COLLINEAR: culprit is constant, or a linear combination of those
 * before it; CLV_BAD_START: one is not finite.
 */
extern ClvStatus clv_covariates_survey(const ClvCell *cells, size_t n, const ClvGroups *groups,
									   const uint32_t acting[3], ClvPoll *poll,
									   ClvCovariates *covariates, int *culprit);

/* The same, where so many customers (weight) have the covariates of each group in turn. */
extern ClvStatus clv_covariates_survey_weighted(const double *weight, const ClvGroups *groups,
												const uint32_t acting[3], ClvPoll *poll,
												ClvCovariates *covariates, int *culprit);

/* The standardised covariates of a group. */
extern void clv_covariates_of(const ClvCovariates *covariates, size_t group, double *z);

/* The effects of a process on the standardised covariates from those on the caller's. */
extern void clv_covariates_effects(const ClvCovariates *covariates, const double *raw,
								   double *effect);

/*
 * How parameter i moves with the effect of covariate j where its mean is moved into
 * the parameters: d theta_i / d effect, for the effects on purchases, then on churn.
 */
extern double clv_effect_weight(const ClvFamily *family, int ncovariates, int i, int effect);

/* A log-likelihood and its derivatives while customers are added up. */
typedef struct ClvTotals
{
	int n; /* unknowns */
	ClvSum value;
	ClvSum gradient[CLV_MAX_DIM];
	ClvSum hessian[CLV_MAX_COVARIANCE];
} ClvTotals;

/* Sets totals to zero, with n unknowns. */
extern void clv_totals_clear(ClvTotals *totals, int n);

/* Adds derivatives by the parameters of all customers. */
extern void clv_totals_add(ClvTotals *totals, const ClvTerm *sum);

/* Adds those by the parameters of a group with covariates z, and by the effects. */
extern void clv_totals_fold(ClvTotals *totals, const ClvFamily *family, int ncovariates,
							const double *z, const ClvTerm *sum);

/* Sets *at to the totals. */
extern void clv_totals_value(const ClvTotals *totals, ClvQuadratic *at);

#endif /* CLV_COVARIATES_H */
