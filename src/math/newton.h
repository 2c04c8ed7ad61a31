/*
 * newton.h
 *		The maximum of a smooth function of a few unknowns, from its value,
 *		gradient and Hessian.
 *
 * Made for log-likelihoods in the logarithms of the parameters: a step of 1
 * multiplies a parameter by e, whichever it is, so one trust radius serves all
 * unknowns; and distances to the maximum are measured in standard errors,
 * sqrt(g' (-H)^-1 g), which means the same for a hundred customers and for a
 * hundred million.
 */
#ifndef CLV_NEWTON_H
#define CLV_NEWTON_H

#include <stdbool.h>

#include "math/linalg.h"

/* A function at a point, to second order. The Hessian is a lower triangle. */
typedef struct ClvQuadratic
{
	double value;
	double gradient[CLV_LINALG_MAX];
	double hessian[CLV_LINALG_MAX_TRIANGLE];
} ClvQuadratic;

typedef void (*ClvObjective)(void *arg, const double *theta, ClvQuadratic *at);

/* How a maximisation ended. */
typedef enum ClvNewtonOutcome
{
	CLV_NEWTON_CONVERGED,
	CLV_NEWTON_EXHAUSTED, /* evaluations used up, or no step gains anything any more */
	CLV_NEWTON_RUNAWAY,   /* the function still rises, ever less, towards infinity */
	CLV_NEWTON_BAD_START  /* not finite at the start */
} ClvNewtonOutcome;

/* A maximisation: what it is given, and what it returns. */
typedef struct ClvNewton
{
	/* in */
	int n;
	double tolerance;           /* in standard errors */
	double low[CLV_LINALG_MAX]; /* beyond these an unknown has run away */
	double high[CLV_LINALG_MAX];
	bool confined[CLV_LINALG_MAX]; /* the function itself ends there: cannot run away */
	int max_evaluations;
	double idle_gain; /* gains below this get nowhere; 0: the usual */
	double finest;    /* a shorter radius than this is none; 0: the usual */

	/* in: where to start; out: the best point found */
	double theta[CLV_LINALG_MAX];

	/* out */
	ClvQuadratic at; /* the function there */
	double distance; /* from there to the maximum in standard errors; NaN where not concave */
	int evaluations;
	int runaway; /* with RUNAWAY: the unknown that moves most; else -1 */
} ClvNewton;

/* Searches for the maximum from newton->theta; fills the members marked out. */
extern ClvNewtonOutcome clv_newton_maximize(ClvNewton *newton, ClvObjective objective, void *arg);

#endif /* CLV_NEWTON_H */
