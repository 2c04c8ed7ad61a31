/*
 * maximize.h
 *		The maximum of a log-likelihood.
 */
#ifndef CLV_MAXIMIZE_H
#define CLV_MAXIMIZE_H

#include "math/newton.h"
#include "families/covariates.h"
#include "families/likelihood.h"
#include "families/prior.h"

/* A function to be maximised: a log-likelihood of one set of data, with penalties. */
typedef struct ClvProblem
{
	const ClvFamily *family;
	const ClvMoments *moments;       /* what start values are computed from */
	const ClvCovariates *covariates; /* NULL: none */
	double fixed[CLV_MAX_PARAMS];    /* the parameters that are not searched for */
	double shape_penalty;            /* on the sum of the squared logs of the shapes */
	double effect_penalty[2];        /* on that of the squared effects on purchases, on churn */
	const ClvPrior *prior;           /* NULL: none */
	double prior_share;              /* its weight, 1 for all of the data */
	int max_evaluations;             /* from one start */

	/*
	 * The log-likelihood at a point, with derivatives by the transformed parameters:
	 * parameters at the mean of the covariates, effects of the standardised covariates.
	 */
	void (*evaluate)(void *data, const double *point, ClvQuadratic *at);
	void *data;
} ClvProblem;

#define CLV_MAX_STARTS 6

/* A place to begin, in the caller's units. */
typedef struct ClvStart
{
	const double *param;
	const double *effect; /* NULL: 0 */
	const double *centre; /* the covariates that param is at, with effects; NULL: their mean */
	bool warm;            /* may be the maximum already */
	bool floor;           /* no start value, but a lower bound of the maximum */
} ClvStart;

/*
 * Maximises from the starts (at most CLV_MAX_STARTS) and the family's start values. problems[0]
 * is that of all the data; the others, n - 1 of them, are of ever smaller samples, through
 * which the ascents go first. Fills report but for the customers.
 */
extern ClvStatus clv_search(const ClvProblem *problems, int n, const ClvStart *starts, int nstarts,
							ClvFitReport *report);

/* ---- the function that is maximised, for whoever asks more of it ---- */

/* Lists the parameters and effects that are searched for, the unknowns; returns how many. */
extern int clv_problem_unknowns(const ClvProblem *problem, int *unknown);

/*
 * Sets form to the coefficients by which the caller's parameter, as it is transformed, or effect i
 * is a sum of the unknowns; false where it is not searched for.
 */
extern bool clv_problem_form(const ClvProblem *problem, int i, double *form);

/* Sets theta to the unknowns of a start. */
extern void clv_problem_from_start(const ClvProblem *problem, const ClvStart *start, double *theta);

/* Sets the number of unknowns and their bounds. */
extern void clv_problem_bounds(const ClvProblem *problem, ClvNewton *newton);

/*
 * The log-likelihood with penalties and prior, with derivatives by the unknowns; -INFINITY outside
 * the limits that parameters set each other.
 */
extern void clv_problem_objective(const ClvProblem *problem, const double *theta, ClvQuadratic *at);

#endif /* CLV_MAXIMIZE_H */
