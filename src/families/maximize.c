/*
 * maximize.c
 *		The maximum of a log-likelihood.
 *
 * Newton's method on the transformed parameters (newton.c), from several starts: the likelihood
 * may have more than one maximum. For small data the search starts from the caller's start and
 * from all start values of the family. For large data it does so with a sample of some thousand
 * customers, then with a larger one from the maximum of that, and with all data from the
 * maximum of the larger one; or from the caller's start where that is near; points close to the
 * maximum in a sample are tried too. The point with the highest log-likelihood is returned, with
 * its status.
 *
 * With covariates the fit without them has been made already, and its maximum is the start; the
 * start values of the family are used only where that does not converge.
 *
 * Limits
 * ------
 * Where a family's parameters limit each other, the maximum may lie on a limit, or in a corner
 * of two, and the derivatives do not vanish there. Then ln L + w barrier is maximised, barrier
 * being the sum of the logs of the distances from the limits, which no step can cross; with an
 * ever smaller w, each ascent from the maximum of the one before. The last w leaves the maximum
 * within 2 w of the maximum over the points that are allowed. If that is next to a limit the family
 * has run to the border of its range; if not, a last ascent with w = 0 leads to the maximum itself.
 */
#include "families/maximize.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 1e-5 /* in standard errors; the last step then squares it */

/* A maximum of the sample that is lower by less than this may be the highest of all. */
#define SAMPLE_MARGIN 20.0

/*
 * A start whose logs are this near to the maximum of the sample may be nearer to that of all
 * data.
 */
#define WARM 0.5

/* Values within this are the same maximum. */
#define SAME_MAXIMUM 1e-7

/* Ascents towards a border end at different points: values within this are the same border. */
#define SAME_BORDER 1e-4

/* Weights of the barrier, per customer, one ascent after the other. */
static const double weights[] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11};

#define WEIGHTS ((int) (sizeof(weights) / sizeof(weights[0])))

/* The least gain of an ascent in a direction of the barrier, by weight, that counts as progress. */
#define IDLE_BARRIER 1e-3

/* The last steps towards a limit are short: as short as the unknowns have digits. */
#define FINEST_BARRIER 1e-14

/* Ascents that are this near each other at the first weight are one. */
#define SAME_FIRST 1e-4

/* Of what the last parameter may be, so much from its limit is the limit. */
#define AT_LIMIT 1e-3

/* Ascents on one set of data; the second set is the same without the start from the sample. */
#define MAX_ATTEMPTS 12

/* An ascent and its start, in the unknowns. */
typedef struct Attempt
{
	bool warm; /* started where the maximum over all of the data may be */
	double start[CLV_MAX_DIM];
	double theta[CLV_MAX_DIM];
	double first[CLV_MAX_DIM]; /* where parameters limit each other: the maximum for the first
								  weight */
	double height;
	double distance;
	int evaluations;
	int runaway;
	ClvNewtonOutcome outcome;
} Attempt;

/* The ascents for the same data. */
typedef struct Trail
{
	Attempt attempts[2 * MAX_ATTEMPTS + CLV_MAX_STARTS];
	int n;
	int best; /* the highest; of those at the same maximum, the first that reached it */
	double hessian[CLV_MAX_COVARIANCE];
} Trail;

/* ---- ascents ---- */

/* Whether all numbers are finite. */
static bool
AreFinite(int n, const double *theta)
{
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(theta[i]))
			return false;
	}
	return true;
}

/* Whether two ascents have found the same maximum. */
static bool
SameMaximum(const Attempt *a, const Attempt *b)
{
	return fabs(a->height - b->height) <= SAME_MAXIMUM * (1 + 1e-6 * fabs(a->height));
}

/* Whether a is better than b, which came before it. */
static bool
Better(const Attempt *a, const Attempt *b)
{
	if (SameMaximum(a, b))
		return b->outcome != CLV_NEWTON_CONVERGED && a->outcome == CLV_NEWTON_CONVERGED;
	return a->height > b->height;
}

/* Is a above b, be it by the last digit? */
static bool
Above(const Attempt *a, const Attempt *b)
{
	return a->height > b->height;
}

/* Take over what newton has found. */
static void
Arrive(Trail *trail, Attempt *attempt, const ClvNewton *newton,
	   bool (*better)(const Attempt *a, const Attempt *b))
{
	memcpy(attempt->theta, newton->theta, newton->n * sizeof(double));
	attempt->height = attempt->outcome == CLV_NEWTON_BAD_START ? -INFINITY : newton->at.value;
	attempt->distance = newton->distance;
	attempt->evaluations = newton->evaluations;
	attempt->runaway = newton->runaway;
	if (trail->n == 0 || better(attempt, &trail->attempts[trail->best]))
	{
		trail->best = trail->n;
		memcpy(trail->hessian, newton->at.hessian, CLV_TRIANGLE(newton->n) * sizeof(double));
	}
	trail->n++;
}

/* The parameters at a point of the search. */
static void
ParametersAt(const ClvProblem *problem, const double *theta, double *param)
{
	double all[CLV_MAX_DIM];

	clv_problem_expand(problem, theta, all);
	for (int i = 0; i < problem->family->nparams; i++)
		param[i] = clv_natural(problem->family->transform[i], all[i]);
}

/* Take from the function what was added for the sake of the barrier. */
static void
WithoutBarrier(const ClvSlope *slope, ClvNewton *newton)
{
	double param[CLV_MAX_PARAMS];
	ClvTerm barrier;

	ParametersAt(slope->problem, newton->theta, param);
	slope->problem->family->log_barrier(param, &barrier);
	newton->at.value -= slope->weight * barrier.ln;
}

/* The unknown that is the last parameter, if that is next to its limit; else -1. */
static int
AtLimit(const ClvProblem *problem, const double *theta)
{
	int unknown[CLV_MAX_DIM];
	int last = problem->family->nparams - 1;
	double param[CLV_MAX_PARAMS];
	double low;
	double high;
	int i = 0;

	ParametersAt(problem, theta, param);
	problem->family->limits(param, &low, &high);
	if (param[last] > (1 - AT_LIMIT) * low && param[last] < (1 - AT_LIMIT) * high)
		return -1;
	(void) clv_problem_unknowns(problem, unknown);
	while (unknown[i] != last)
		i++;
	return i;
}

/* Whether an earlier ascent had this maximum for the first weight, and so ends where this one
 * would. */
static bool
IsDuplicate(const Trail *trail, const ClvNewton *newton)
{
	for (int i = 0; i < trail->n; i++)
	{
		const double *first = trail->attempts[i].first;
		bool same = true;

		for (int k = 0; k < newton->n; k++)
			same = same && fabs(first[k] - newton->theta[k]) < SAME_FIRST;
		if (same)
			return true;
	}
	return false;
}

/* Maximises within the limits; false where an earlier ascent has the same maximum for the first
 * weight. */
static bool
MaximizeWithin(const ClvProblem *problem, const Trail *trail, Attempt *attempt, ClvNewton *newton)
{
	ClvSlope slope = {problem, 0};
	int evaluations = 0;
	ClvNewtonOutcome outcome = CLV_NEWTON_CONVERGED;

	attempt->first[0] = NAN; /* near no other */
	for (int i = 0; i < WEIGHTS && outcome == CLV_NEWTON_CONVERGED; i++)
	{
		slope.weight = weights[i] * problem->moments->customers;
		newton->idle_gain = IDLE_BARRIER * slope.weight;
		newton->finest = FINEST_BARRIER;
		outcome = clv_newton_maximize(newton, clv_problem_climb, &slope);
		evaluations += newton->evaluations;
		if (i == 0 && outcome == CLV_NEWTON_CONVERGED && IsDuplicate(trail, newton))
			return false;
		if (i == 0)
			memcpy(attempt->first, newton->theta, newton->n * sizeof(double));
	}
	newton->idle_gain = newton->finest = 0;
	if (outcome != CLV_NEWTON_BAD_START)
		WithoutBarrier(&slope, newton);
	if (outcome == CLV_NEWTON_CONVERGED && AtLimit(problem, newton->theta) >= 0)
	{
		newton->runaway = AtLimit(problem, newton->theta);
		outcome = CLV_NEWTON_RUNAWAY;
	}
	else if (outcome == CLV_NEWTON_CONVERGED)
	{
		slope.weight = 0;
		outcome = clv_newton_maximize(newton, clv_problem_climb, &slope);
		evaluations += newton->evaluations;
	}
	newton->evaluations = evaluations;
	attempt->outcome = outcome;
	return true;
}

/* From start, or the nearest point within the bounds. */
static void
Maximize(const ClvProblem *problem, Trail *trail, const double *start, bool warm)
{
	Attempt *attempt = &trail->attempts[trail->n];
	ClvNewton newton = {.tolerance = TOLERANCE, .max_evaluations = problem->max_evaluations};

	clv_problem_bounds(problem, &newton);
	attempt->warm = warm;
	memcpy(attempt->start, start, newton.n * sizeof(double));
	for (int i = 0; i < newton.n; i++)
	{
		double theta = start[i] < newton.low[i] ? newton.low[i] : start[i];

		newton.theta[i] = theta > newton.high[i] ? newton.high[i] : theta;
	}
	if (problem->family->log_barrier == NULL)
		attempt->outcome = clv_newton_maximize(&newton, clv_problem_climb, &(ClvSlope){problem, 0});
	else if (!MaximizeWithin(problem, trail, attempt, &newton))
		return;
	Arrive(trail, attempt, &newton, Better);
}

/* The outcome of the best ascent. */
static ClvNewtonOutcome
Outcome(const Trail *trail)
{
	return trail->n > 0 ? trail->attempts[trail->best].outcome : CLV_NEWTON_BAD_START;
}

/* Whether the best point is a maximum, or tends to one at infinity. */
static bool
IsSettled(const Trail *trail)
{
	return Outcome(trail) == CLV_NEWTON_CONVERGED || Outcome(trail) == CLV_NEWTON_RUNAWAY;
}

/* Ascents from the starts of the caller, and from the start values of the family. */
static void
Explore(const ClvProblem *problem, const ClvStart *starts, int nstarts, Trail *trail)
{
	int last = trail->n + MAX_ATTEMPTS;
	int unknown[CLV_MAX_DIM];
	double theta[CLV_MAX_DIM];

	if (clv_problem_prior_mean(problem, theta))
		Maximize(problem, trail, theta, true);
	for (int i = 0; i < nstarts; i++)
	{
		if (starts[i].floor)
			continue;
		clv_problem_from_start(problem, &starts[i], theta);
		Maximize(problem, trail, theta, starts[i].warm);
	}
	if (problem->covariates != NULL && IsSettled(trail))
		return;
	for (int which = 0; trail->n < last && clv_problem_start_values(problem, which, theta); which++)
	{
		if (problem->prior == NULL || AreFinite(clv_problem_unknowns(problem, unknown), theta))
			Maximize(problem, trail, theta, false);
	}
}

/* Have the two run away towards the same border, as far as heights tell? */
static bool
SameBorder(const Attempt *a, const Attempt *b)
{
	return a->outcome == CLV_NEWTON_RUNAWAY && b->outcome == CLV_NEWTON_RUNAWAY &&
		   fabs(a->height - b->height) <= SAME_BORDER;
}

/* Whether an ascent before the i-th has found the same maximum or border. */
static bool
SeenBefore(const Trail *trail, int i)
{
	for (int k = 0; k < i; k++)
	{
		if (SameMaximum(&trail->attempts[k], &trail->attempts[i]) ||
			SameBorder(&trail->attempts[k], &trail->attempts[i]))
			return true;
	}
	return false;
}

/* Whether the ascent was so short that its start may have been the maximum of all data. */
static bool
IsWarm(const Attempt *attempt, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!(fabs(attempt->start[i] - attempt->theta[i]) < WARM))
			return false;
	}
	return true;
}

/*
 * Maximises over all of the data from what was found in the sample; from the start of that
 * ascent if it was warm, or if it diverged, since an ascent does not return from far out.
 */
static void
Refine(const ClvProblem *problem, const Trail *found, Trail *trail)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);

	for (int i = 0; i < found->n; i++)
	{
		const Attempt *attempt = &found->attempts[i];
		bool again =
			attempt->outcome == CLV_NEWTON_RUNAWAY || (attempt->warm && IsWarm(attempt, n));

		if (attempt->height > found->attempts[found->best].height - SAMPLE_MARGIN &&
			!SeenBefore(found, i))
			Maximize(problem, trail, again ? attempt->start : attempt->theta, attempt->warm);
	}
}

/*
 * From the smallest sample through larger ones to all of the data. Where that does not end
 * as the samples did, at a maximum or diverging, all the starts are tried again without
 * what the samples gave.
 */
static void
ExploreBySamples(const ClvProblem *problems, int n, const ClvStart *starts, int nstarts,
				 Trail *trail)
{
	Trail found = {.n = 0};

	Explore(&problems[n - 1], starts, nstarts, &found);
	for (int i = n - 2; i > 0; i--)
	{
		Trail larger = {.n = 0};

		Refine(&problems[i], &found, &larger);
		found = larger;
	}
	Refine(&problems[0], &found, trail);
	if (Outcome(trail) != CLV_NEWTON_CONVERGED &&
		!(Outcome(trail) == CLV_NEWTON_RUNAWAY && Outcome(&found) == CLV_NEWTON_RUNAWAY))
		Explore(&problems[0], starts, nstarts, trail);
}

/* ---- what a fit may not end below ---- */

/*
 * Starts an ascent from a floor if its log-likelihood is above all maxima found. At the border of
 * a family it lies outside the bounds of the ascents, and this one ends where it starts.
 */
static void
HoldFloor(const ClvProblem *problem, const ClvStart *floor, Trail *trail)
{
	Attempt *attempt = &trail->attempts[trail->n];
	ClvNewton newton = {.tolerance = TOLERANCE, .max_evaluations = problem->max_evaluations};
	ClvSlope slope = {problem, 0};
	ClvQuadratic at;

	clv_problem_bounds(problem, &newton);
	clv_problem_from_start(problem, floor, newton.theta);
	clv_problem_climb(&slope, newton.theta, &at);
	if (!(at.value > trail->attempts[trail->best].height) && trail->n > 0)
		return;
	attempt->outcome = clv_newton_maximize(&newton, clv_problem_climb, &slope);
	Arrive(trail, attempt, &newton, Above);
}

/* ---- the report ---- */

/* The status of a fit with this outcome. */
static ClvStatus
StatusOf(ClvNewtonOutcome outcome)
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

/* The covariance of the unknowns becomes that of the caller's parameters and effects. */
static void
SpreadCovariance(const ClvProblem *problem, const double *inverse, double *covariance)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);
	double rows[CLV_MAX_DIM][CLV_MAX_DIM];
	double half[CLV_MAX_DIM][CLV_MAX_DIM] = {{0}}; /* rows times the covariance */

	for (int i = 0; i < clv_problem_dimension(problem); i++)
	{
		clv_problem_row(problem, i, rows[i]);
		for (int k = 0; k < n; k++)
		{
			for (int l = 0; l < n; l++)
				half[i][k] += rows[i][l] * inverse[k > l ? CLV_AT(k, l) : CLV_AT(l, k)];
		}
		for (int j = 0; j <= i; j++)
		{
			double sum = 0;

			for (int k = 0; k < n; k++)
				sum += half[i][k] * rows[j][k];
			covariance[CLV_AT(i, j)] = sum;
		}
	}
}

/* Reports the parameters and effects of the caller at a point, and the centre. */
static void
ReportPoint(const ClvProblem *problem, const double *all, ClvFitReport *report)
{
	int nparams = problem->family->nparams;
	int dimension = clv_problem_dimension(problem);

	for (int i = 0; i < nparams; i++)
		report->param[i] = clv_natural(problem->family->transform[i], all[i]);
	for (int i = nparams; i < dimension; i++)
		report->effect[i - nparams] = clv_problem_raw(problem, i, all);
	report->neffects = dimension - nparams;
	for (int j = 0; j < clv_problem_covariates(problem); j++)
		report->centre[j] = problem->covariates->mean[j];
}

/*
 * The index, in the caller's order, of the coordinate that runs away: of the effects of a process
 * the one that makes the largest difference between customers.
 */
static int
RawRunaway(const ClvProblem *problem, const ClvFitReport *report, int i)
{
	int nparams = problem->family->nparams;
	int n = clv_problem_covariates(problem);
	int first;
	int largest = 0;

	if (i < nparams)
		return i;
	first = (i - nparams) / n * n;
	for (int j = 1; j < n; j++)
	{
		if (fabs(report->effect[first + j]) * problem->covariates->spread[j] >
			fabs(report->effect[first + largest]) * problem->covariates->spread[largest])
			largest = j;
	}
	return nparams + first + largest;
}

/*
 * Reports how far the parameters are from the mean of the prior, and how many of them the data
 * determine: the unknowns less the trace of the prior's precision times the covariance.
 */
static void
ReportPrior(const ClvProblem *problem, const double *all, int unknowns, ClvFitReport *report)
{
	const ClvFamily *family = problem->family;
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];
	double gauss[CLV_MAX_HESSIAN];
	double given = 0;

	(void) clv_prior_distance(problem->prior, family, report->param, gradient, hessian, gauss);
	for (int i = 0; i < family->nparams; i++)
	{
		for (int j = 0; j <= i; j++)
			given += (i == j ? 1 : 2) * gauss[CLV_AT(i, j)] * report->covariance[CLV_AT(i, j)];
	}
	for (int i = 0; i < report->neffects; i++)
	{
		int row = family->nparams + i;

		given += problem->prior->effect_precision[i] * report->covariance[CLV_AT(row, row)];
	}
	report->prior_distance = sqrt(2 * clv_problem_take_prior(problem, all, NULL));
	report->effective = report->has_covariance ? fmin(fmax(unknowns - given, 0), unknowns) : NAN;
}

/* Fills the report from the best ascent; returns its status. */
static ClvStatus
Report(const ClvProblem *problem, const Trail *trail, ClvFitReport *report)
{
	const Attempt *attempt = &trail->attempts[trail->best];
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);
	double all[CLV_MAX_DIM];
	double curvature[CLV_MAX_COVARIANCE];
	ClvCholesky chol;

	report->iterations = attempt->evaluations;
	if (trail->n == 0 || attempt->outcome == CLV_NEWTON_BAD_START)
		return CLV_BAD_START;
	clv_problem_expand(problem, attempt->theta, all);
	ReportPoint(problem, all, report);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -trail->hessian[i];
	report->has_covariance = clv_cholesky(n, curvature, &chol);
	if (report->has_covariance)
	{
		clv_cholesky_inverse(&chol, curvature);
		SpreadCovariance(problem, curvature, report->covariance);
	}
	report->log_likelihood = attempt->height + clv_problem_penalise(problem, all, NULL);
	report->effective = n;
	if (problem->prior != NULL)
	{
		report->log_likelihood += clv_problem_take_prior(problem, all, NULL);
		ReportPrior(problem, all, n, report);
	}
	report->gradient_norm = attempt->distance;
	report->degenerate_param =
		attempt->runaway < 0 ? -1 : RawRunaway(problem, report, unknown[attempt->runaway]);
	return StatusOf(attempt->outcome);
}

ClvStatus
clv_search(const ClvProblem *problems, int n, const ClvStart *starts, int nstarts,
		   ClvFitReport *report)
{
	Trail trail = {.n = 0};

	if (n == 1)
		Explore(&problems[0], starts, nstarts, &trail);
	else
		ExploreBySamples(problems, n, starts, nstarts, &trail);
	for (int i = 0; i < nstarts; i++)
	{
		if (starts[i].floor)
			HoldFloor(&problems[0], &starts[i], &trail);
	}
	return Report(&problems[0], &trail, report);
}
