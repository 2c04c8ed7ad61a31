/*
 * prior.h
 *		A Gaussian prior on the unit-free quantities of a family and the effects of covariates.
 */
#ifndef CLV_PRIOR_H
#define CLV_PRIOR_H

#include "families/family.h"

/*
 * A prior: the mean and the inverse of the covariance. What it says nothing about has rows of
 * zeros. Effects are independent of each other and of the parameters.
 */
typedef struct ClvPrior
{
	double year; /* units of time in a year */
	bool proper; /* it says something of every quantity of the family */
	double mean[CLV_MAX_PARAMS];
	double precision[CLV_MAX_HESSIAN];
	double effect_mean[CLV_MAX_EFFECTS]; /* of the caller's covariates: on purchases, on churn */
	double effect_precision[CLV_MAX_EFFECTS];
} ClvPrior;

/* The unit-free quantities at a point, with derivatives by the transformed parameters. */
typedef struct ClvUnitFreeAt
{
	double value[CLV_MAX_PARAMS];
	double gradient[CLV_MAX_PARAMS][CLV_MAX_PARAMS];
	double hessian[CLV_MAX_PARAMS][CLV_MAX_HESSIAN];
} ClvUnitFreeAt;

/* The number of unit-free quantities of a family; 0: it has none, and takes no prior. */
extern int clv_unit_free_count(const ClvFamily *family);

/*
 * Sets *at to the quantities at these parameters; year: units of time in a year. A value is not
 * finite where the quantity does not exist, as the mean of spend with q <= 1.
 */
extern void clv_unit_free(const ClvFamily *family, double year, const double *param,
						  ClvUnitFreeAt *at);

/*
 * Sets *param to the parameters with these values, from param on entry, whose CLV_FIXED ones it
 * keeps; false where none are found.
 */
extern bool clv_unit_free_inverse(const ClvFamily *family, double year, const double *value,
								  double *param);

/*
 * Half the squared distance of the parameters from the mean of the prior, in its standard
 * deviations, with derivatives by the transformed parameters; not finite where the quantities are
 * not. gauss: where not NULL, set to the part of the Hessian that does not depend on the distance.
 */
extern double clv_prior_distance(const ClvPrior *prior, const ClvFamily *family,
								 const double *param, double *gradient, double *hessian,
								 double *gauss);

#endif /* CLV_PRIOR_H */
