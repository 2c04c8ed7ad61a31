/*
 * problem.h
 *		A log-likelihood as a function of what is searched for.
 *
 * All coordinates are the transformed parameters and the effects of the standardised covariates, on
 * purchases and then on churn; the unknowns are those of them that are searched for.
 */
#ifndef CLV_PROBLEM_H
#define CLV_PROBLEM_H

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

/* A place to begin, in the caller's units. */
typedef struct ClvStart
{
	const double *param;
	const double *effect; /* NULL: 0 */
	const double *centre; /* the covariates that param is at, with effects; NULL: their mean */
	bool warm;            /* may be the maximum already */
	bool floor;           /* no start value, but a lower bound of the maximum */
} ClvStart;

/* The objective function: the likelihood, penalties, prior, and a weight of the barrier. */
typedef struct ClvSlope
{
	const ClvProblem *problem;
	double weight;
} ClvSlope;

/* ---- coordinates ---- */

/* The number of covariates. */
extern int clv_problem_covariates(const ClvProblem *problem);

/* Parameters and effects, whether searched for or not. */
extern int clv_problem_dimension(const ClvProblem *problem);

/* Lists the parameters and effects that are searched for, the unknowns; returns how many. */
extern int clv_problem_unknowns(const ClvProblem *problem, int *unknown);

/* Sets all coordinates from the unknowns. */
extern void clv_problem_expand(const ClvProblem *problem, const double *theta, double *all);

/* The caller's parameter, as it is transformed, or effect i at all coordinates. */
extern double clv_problem_raw(const ClvProblem *problem, int i, const double *all);

/* Sets row to how the caller's parameter or effect i depends on the unknowns. */
extern void clv_problem_row(const ClvProblem *problem, int i, double *row);

/*
 * Sets form to the coefficients by which the caller's parameter, as it is transformed, or effect i
 * is a sum of the unknowns; false where it is not searched for.
 */
extern bool clv_problem_form(const ClvProblem *problem, int i, double *form);

/* ---- what is maximised ---- */

/* The penalty at all coordinates; taken from at, with its derivatives, where that is not NULL. */
extern double clv_problem_penalise(const ClvProblem *problem, const double *all, ClvQuadratic *at);

/*
 * Half the squared distance from the mean of the prior at all coordinates; with its derivatives
 * taken from at, where that is not NULL.
 */
extern double clv_problem_take_prior(const ClvProblem *problem, const double *all,
									 ClvQuadratic *at);

/*
 * The function that slope says, with derivatives by the unknowns, as ClvNewton asks for it;
 * -INFINITY outside the limits that parameters set each other.
 */
extern void clv_problem_climb(void *slope, const double *theta, ClvQuadratic *at);

/*
 * The log-likelihood with penalties and prior, with derivatives by the unknowns; -INFINITY outside
 * the limits that parameters set each other.
 */
extern void clv_problem_objective(const ClvProblem *problem, const double *theta, ClvQuadratic *at);

/* ---- where to begin, and where to give up ---- */

/* Sets theta to the unknowns of a start. */
extern void clv_problem_from_start(const ClvProblem *problem, const ClvStart *start, double *theta);

/* Sets theta to start values number which of the family; false after the last. */
extern bool clv_problem_start_values(const ClvProblem *problem, int which, double *theta);

/* Sets theta to the unknowns at the mean of a prior on every parameter; false without one. */
extern bool clv_problem_prior_mean(const ClvProblem *problem, double *theta);

/* Sets the number of unknowns and their bounds. */
extern void clv_problem_bounds(const ClvProblem *problem, ClvNewton *newton);

#endif /* CLV_PROBLEM_H */
