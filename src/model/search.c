/*
 * search.c
 *		From a log-likelihood to its highest point.
 *
 * Newton's method on the logs of the parameters (newton.c), from several starts:
 * the likelihood may have more than one top. Small data are climbed from the
 * caller's start and from every guess of the family. Of large data the same is
 * done with a sample of some thousand customers, and all data are climbed only
 * from the top of that, or from the caller's start where that is near it; what
 * comes close to it in the sample gets its chance too. The highest point is
 * returned, with what is wrong about it.
 *
 * Bounds say when to give up: a shape of a million means that customers do not
 * differ, or that nobody leaves, and the likelihood rises on for ever.
 *
 * A penalty lambda on the shapes maximises ln L / N - lambda sum (ln shape)^2, N
 * being the number of customers: the same lambda means the same for any N. The
 * log-likelihood reported is without the penalty, the covariance with it.
 */
#include "model/search.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 1e-5 /* in standard errors; the last step then squares it */

/* A top of the sample that is lower by less than this may be the highest of all. */
#define SAMPLE_MARGIN 20.0

/* A start whose logs are this near to the sample's top may be nearer to the real one. */
#define WARM 0.5

/* Heights within this are the same top. */
#define SAME_TOP 1e-7

/* A shape beyond 1e6 or 1e-6 has run away, a scale when 1e8 times off the family's guess. */
#define SHAPE_BOUND 13.8
#define SCALE_BOUND 18.4

_Static_assert(CLV_MAX_PARAMS <= CLV_LINALG_MAX, "no room for the parameters");

/* A climb, and where it began. */
typedef struct Attempt
{
	double start[CLV_MAX_PARAMS];
	ClvNewton newton;
	ClvNewtonOutcome outcome;
} Attempt;

#define MAX_ATTEMPTS 8

static double
Penalty(const ClvProblem *problem, const double *theta)
{
	double squares = 0;

	for (int i = 0; i < problem->family->nparams; i++)
		squares += problem->family->is_scale[i] ? 0 : theta[i] * theta[i];
	return problem->penalty * squares;
}

static void
Objective(void *arg, const double *theta, ClvQuadratic *at)
{
	const ClvProblem *problem = arg;
	const ClvFamily *family = problem->family;
	double param[CLV_MAX_PARAMS];

	for (int i = 0; i < family->nparams; i++)
		param[i] = exp(theta[i]);
	problem->evaluate(problem->data, param, at);
	if (problem->penalty == 0)
		return;
	at->value -= Penalty(problem, theta);
	for (int i = 0; i < family->nparams; i++)
	{
		if (family->is_scale[i])
			continue;
		at->gradient[i] -= 2 * problem->penalty * theta[i];
		at->hessian[CLV_AT(i, i)] -= 2 * problem->penalty;
	}
}

static void
SetBounds(const ClvProblem *problem, ClvNewton *newton)
{
	double guess[CLV_MAX_PARAMS];

	problem->family->start(problem->moments, 0, guess);
	for (int i = 0; i < newton->n; i++)
	{
		bool is_scale = problem->family->is_scale[i];
		double middle = is_scale ? log(guess[i]) : 0;
		double width = is_scale ? SCALE_BOUND : SHAPE_BOUND;

		newton->low[i] = middle - width;
		newton->high[i] = middle + width;
	}
}

/* From attempt->start, or the nearest point within the bounds. */
static void
Climb(const ClvProblem *problem, Attempt *attempt)
{
	ClvNewton *newton = &attempt->newton;

	newton->n = problem->family->nparams;
	newton->tolerance = TOLERANCE;
	newton->max_evaluations = problem->max_evaluations;
	SetBounds(problem, newton);
	for (int i = 0; i < newton->n; i++)
	{
		double theta = log(attempt->start[i]);

		theta = theta < newton->low[i] ? newton->low[i] : theta;
		newton->theta[i] = theta > newton->high[i] ? newton->high[i] : theta;
	}
	attempt->outcome = clv_newton_maximize(newton, Objective, (void *) problem);
	if (attempt->outcome == CLV_NEWTON_BAD_START)
		newton->at.value = -INFINITY;
}

static double
Height(const Attempt *attempt)
{
	return attempt->newton.at.value;
}

static bool
SameTop(const Attempt *a, const Attempt *b)
{
	return fabs(Height(a) - Height(b)) <= SAME_TOP * (1 + 1e-6 * fabs(Height(a)));
}

/* Climb from the caller's start, if any, and from all of the family's guesses. */
static int
Explore(const ClvProblem *problem, const double *start, Attempt *attempts)
{
	int n = 0;

	if (start != NULL)
	{
		memcpy(attempts[n].start, start, problem->family->nparams * sizeof(double));
		Climb(problem, &attempts[n++]);
	}
	for (int which = 0; n < MAX_ATTEMPTS; which++)
	{
		if (!problem->family->start(problem->moments, which, attempts[n].start))
			break;
		Climb(problem, &attempts[n++]);
	}
	return n;
}

/* The highest; of those on the same top, the first that arrived. */
static const Attempt *
Highest(const Attempt *attempts, int n)
{
	const Attempt *best = &attempts[0];

	for (int i = 1; i < n; i++)
	{
		bool same = SameTop(&attempts[i], best);

		if (same ? best->outcome != CLV_NEWTON_CONVERGED &&
					   attempts[i].outcome == CLV_NEWTON_CONVERGED
				 : Height(&attempts[i]) > Height(best))
			best = &attempts[i];
	}
	return best;
}

static bool
SeenBefore(const Attempt *attempts, int i)
{
	for (int k = 0; k < i; k++)
	{
		if (SameTop(&attempts[k], &attempts[i]))
			return true;
	}
	return false;
}

/* Was the climb so short that its start may have been the top of all the data? */
static bool
IsWarm(const Attempt *attempt)
{
	for (int i = 0; i < attempt->newton.n; i++)
	{
		if (!(fabs(log(attempt->start[i]) - attempt->newton.theta[i]) < WARM))
			return false;
	}
	return true;
}

/*
 * Climb all of the data from what was found in the sample; from the caller's
 * start itself where that is warm.
 */
static int
Refine(const ClvProblem *problem, const Attempt *found, int n, bool has_start, Attempt *attempts)
{
	const Attempt *best = Highest(found, n);
	int climbs = 0;

	for (int i = 0; i < n; i++)
	{
		Attempt *attempt = &attempts[climbs];

		if (!(Height(&found[i]) > Height(best) - SAMPLE_MARGIN) || SeenBefore(found, i))
			continue;
		*attempt = found[i];
		if (!(has_start && i == 0 && IsWarm(&found[i])))
		{
			for (int k = 0; k < problem->family->nparams; k++)
				attempt->start[k] = exp(found[i].newton.theta[k]);
		}
		Climb(problem, attempt);
		climbs++;
	}
	return climbs;
}

static ClvStatus
Verdict(ClvNewtonOutcome outcome)
{
	switch (outcome)
	{
		case CLV_NEWTON_CONVERGED:
			return CLV_OK;
		case CLV_NEWTON_RUNAWAY:
			return CLV_DEGENERATE;
		case CLV_NEWTON_BAD_START:
			return CLV_BAD_START;
		case CLV_NEWTON_EXHAUSTED:
			break;
	}
	return CLV_NOT_CONVERGED;
}

static ClvStatus
Report(const ClvProblem *problem, const Attempt *attempt, ClvFitReport *report)
{
	const ClvNewton *newton = &attempt->newton;
	int n = problem->family->nparams;
	double curvature[CLV_MAX_HESSIAN] = {0};
	ClvCholesky chol;

	report->iterations = newton->evaluations;
	if (attempt->outcome == CLV_NEWTON_BAD_START)
		return CLV_BAD_START;
	for (int i = 0; i < n; i++)
		report->param[i] = exp(newton->theta[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -newton->at.hessian[i];
	report->has_covariance = clv_cholesky(n, curvature, &chol);
	if (report->has_covariance)
		clv_cholesky_inverse(&chol, report->covariance);
	report->log_likelihood = newton->at.value + Penalty(problem, newton->theta);
	report->gradient_norm = newton->distance;
	report->degenerate_param = newton->runaway;
	return Verdict(attempt->outcome);
}

/*
 * From the sample to all of the data. Where that does not arrive, all the starts
 * are tried again without the sample's advice.
 */
static int
ExploreBySample(const ClvProblem *all, const ClvProblem *sample, const double *start,
				Attempt *attempts)
{
	Attempt found[MAX_ATTEMPTS];
	int n = Explore(sample, start, found);

	n = Refine(all, found, n, start != NULL, attempts);
	if (n > 0 && Highest(attempts, n)->outcome == CLV_NEWTON_CONVERGED)
		return n;
	return n + Explore(all, start, attempts + n);
}

ClvStatus
clv_search(const ClvProblem *all, const ClvProblem *sample, const double *start,
		   ClvFitReport *report)
{
	Attempt attempts[2 * MAX_ATTEMPTS];
	int n = sample == NULL ? Explore(all, start, attempts)
						   : ExploreBySample(all, sample, start, attempts);

	return Report(all, Highest(attempts, n), report);
}
