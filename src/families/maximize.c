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
 *its status.
 *
 * With covariates the fit without them has been made already, and its maximum is the start; the
 * start values of the family are used only where that does not converge.
 *
 * Bounds say when to give up: a shape of a million means that customers do not differ, or that
 * no customer leaves, and the likelihood increases without bound.
 *
 * Coordinates
 * -----------
 * The search moves in the transformed parameters at the mean of the covariates, which the
 * caller has too, and in the effects of the standardised covariates; some may be fixed. The
 * effects of the caller's covariates are linear in these: row i of that map is what RawRow()
 * gives. Penalties are on the caller's, and so is the covariance. Both are thereby the same
 * wherever the caller's covariates have their 0.
 *
 * Limits
 * ------
 * Where a family's parameters limit each other, the maximum may lie on a limit, or in a corner
 * of two, and the derivatives do not vanish there. Then ln L + w barrier is maximised, barrier
 * being the sum of the logs of the distances from the limits, which no step can cross; with an
 * ever smaller w, each ascent from the maximum of the one before. The last w leaves the maximum
 * within 2 w of the maximum over the points that are allowed. If that is next to a limit the family
 *has run to the border of its range; if not, a last ascent with w = 0 leads to the maximum itself.
 *
 * A prior maximises ln L less half the squared distance from its mean; it too is on the caller's
 * effects. Where it says something of every parameter there is a maximum for any data, and bounds
 * are about its mean.
 *
 * Penalties maximise ln L / N - lambda sum (ln shape)^2 - mu sum effect^2, N being the
 * number of customers: the same lambda means the same for any N. The log-likelihood
 * reported is without them, the covariance with them.
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

/*
 * A shape beyond 1e6 or 1e-6 has run away, a scale when 1e8 times off the family's
 * guess, an effect when it makes customers differ by as much.
 */
#define SHAPE_BOUND 20.8
#define SCALE_BOUND 25.4

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

/* ---- coordinates ---- */

/* The number of covariates. */
static int
Covariates(const ClvProblem *problem)
{
	return problem->covariates == NULL ? 0 : problem->covariates->n;
}

/* Parameters and effects, whether searched for or not. */
static int
Dimension(const ClvProblem *problem)
{
	return problem->family->nparams + 2 * Covariates(problem);
}

/* Whether this parameter or effect can have any value. */
static bool
IsFree(const ClvProblem *problem, int i)
{
	const ClvFamily *family = problem->family;
	int effect = i - family->nparams;
	int n = Covariates(problem);

	if (i < family->nparams)
		return family->transform[i] != CLV_FIXED;
	if (problem->covariates->idle[effect / n] >> effect % n & 1)
		return false;
	if (effect % n >= n - problem->covariates->followed)
		return true;
	for (int k = 0; k < family->nparams; k++)
	{
		if (clv_effect_weight(family, Covariates(problem), k, i - family->nparams) != 0)
			return true;
	}
	return false;
}

/*
 * The effect on purchases that this effect on churn equals, of the same covariate; -1: it is none,
 * or has a value of its own.
 */
static int
Twin(const ClvProblem *problem, int i)
{
	int n = Covariates(problem);
	int first = problem->family->nparams + n;

	if (n == 0 || i < first || !(problem->covariates->same >> (i - first) & 1))
		return -1;
	return IsFree(problem, i) && IsFree(problem, i - n) ? i - n : -1;
}

/* Whether this parameter or effect is searched for. */
static bool
IsUnknown(const ClvProblem *problem, int i)
{
	return IsFree(problem, i) && Twin(problem, i) < 0;
}

int
clv_problem_unknowns(const ClvProblem *problem, int *unknown)
{
	int n = 0;

	for (int i = 0; i < Dimension(problem); i++)
	{
		if (IsUnknown(problem, i))
			unknown[n++] = i;
	}
	return n;
}

/* All coordinates from the unknowns. */
static void
Expand(const ClvProblem *problem, const double *theta, double *all)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);

	memset(all, 0, Dimension(problem) * sizeof(double));
	memcpy(all, problem->fixed, problem->family->nparams * sizeof(double));
	for (int i = 0; i < n; i++)
		all[unknown[i]] = theta[i];
	for (int i = problem->family->nparams; i < Dimension(problem); i++)
		if (Twin(problem, i) >= 0)
			all[i] = all[Twin(problem, i)];
}

/* The inner product of two vectors. */
static double
Dot(int n, const double *a, const double *b)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* How the caller's parameter or effect i depends on all coordinates. */
static void
RawRow(const ClvProblem *problem, int i, double *row)
{
	int nparams = problem->family->nparams;
	int n = Covariates(problem);
	const ClvCovariates *covariates = problem->covariates;

	memset(row, 0, Dimension(problem) * sizeof(double));
	if (i < nparams)
		row[i] = 1;
	else
	{
		int j = (i - nparams) % n;

		for (int k = j; k < n; k++)
			row[i - j + k] = covariates->row[CLV_AT(k, j)];
	}
}

bool
clv_problem_form(const ClvProblem *problem, int i, double *form)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);
	double row[CLV_MAX_DIM];

	if (!IsFree(problem, i))
		return false;
	RawRow(problem, Twin(problem, i) >= 0 ? Twin(problem, i) : i, row);
	for (int k = 0; k < n; k++)
		form[k] = row[unknown[k]];
	return true;
}

/* The map above, backwards, from the centre of the start. */
void
clv_problem_from_start(const ClvProblem *problem, const ClvStart *start, double *theta)
{
	const ClvFamily *family = problem->family;
	const ClvCovariates *covariates = problem->covariates;
	int n = Covariates(problem);
	double all[CLV_MAX_DIM] = {0};
	int unknown[CLV_MAX_DIM];
	int nunknown = clv_problem_unknowns(problem, unknown);

	for (int i = 0; i < family->nparams; i++)
		all[i] = clv_searched(family->transform[i], start->param[i]);
	for (int process = 0; start->effect != NULL && n > 0 && process < 2; process++)
		clv_covariates_effects(covariates, start->effect + process * n,
							   all + family->nparams + process * n);
	for (int effect = 0; start->centre != NULL && effect < 2 * n; effect++)
	{
		double off = covariates->mean[effect % n] - start->centre[effect % n];

		for (int i = 0; i < family->nparams; i++)
			all[i] += clv_effect_weight(family, n, i, effect) * start->effect[effect] * off;
	}
	for (int i = 0; i < nunknown; i++)
		theta[i] = all[unknown[i]];
}

/* ---- what is maximised ---- */

/* The penalty on the caller's parameter or effect i. */
static double
Ridge(const ClvProblem *problem, int i)
{
	const ClvFamily *family = problem->family;

	if (i >= family->nparams)
		return problem->effect_penalty[(i - family->nparams) / Covariates(problem)];
	return family->is_scale[i] || family->transform[i] == CLV_FIXED ? 0 : problem->shape_penalty;
}

/* The penalty at all coordinates; taken from at, where that is not NULL. */
static double
Penalise(const ClvProblem *problem, const double *all, ClvQuadratic *at)
{
	int dimension = Dimension(problem);
	double total = 0;

	for (int i = 0; i < dimension; i++)
	{
		double ridge = Ridge(problem, i);
		double row[CLV_MAX_DIM];
		double raw;

		if (ridge == 0)
			continue;
		RawRow(problem, i, row);
		raw = Dot(dimension, row, all);
		total += ridge * raw * raw;
		for (int j = 0; at != NULL && j < dimension; j++)
		{
			at->gradient[j] -= 2 * ridge * raw * row[j];
			for (int k = 0; k <= j; k++)
				at->hessian[CLV_AT(j, k)] -= 2 * ridge * row[j] * row[k];
		}
	}
	if (at != NULL)
		at->value -= total;
	return total;
}

/* The second derivative by two coordinates. */
static double *
Second(ClvQuadratic *at, int i, int j)
{
	return &at->hessian[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
}

/* Adds the derivatives by a coordinate to those by another one, which it is equal to. */
static void
Join(int dimension, int to, int from, ClvQuadratic *at)
{
	at->gradient[to] += at->gradient[from];
	*Second(at, to, to) += 2 * *Second(at, to, from) + *Second(at, from, from);
	for (int k = 0; k < dimension; k++)
		if (k != to)
			*Second(at, to, k) += *Second(at, from, k);
}

/* The weight and the mean of the prior on the caller's effect. */
static double
EffectPrior(const ClvProblem *problem, int effect, double *mean)
{
	*mean = problem->prior->effect_mean[effect];
	return problem->prior->effect_precision[effect];
}

/*
 * Half the squared distance from the mean of the prior at all coordinates; with its derivatives
 * taken from at, where that is not NULL.
 */
static double
TakePrior(const ClvProblem *problem, const double *all, ClvQuadratic *at)
{
	const ClvFamily *family = problem->family;
	int nparams = family->nparams;
	int dimension = Dimension(problem);
	double share = problem->prior_share;
	double param[CLV_MAX_PARAMS] = {0};
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];
	double total;

	for (int i = 0; i < nparams; i++)
		param[i] = clv_natural(family->transform[i], all[i]);
	total = share * clv_prior_distance(problem->prior, family, param, gradient, hessian, NULL);
	for (int i = 0; at != NULL && i < nparams; i++)
		at->gradient[i] -= share * gradient[i];
	for (int i = 0; at != NULL && i < CLV_TRIANGLE(nparams); i++)
		at->hessian[i] -= share * hessian[i];
	for (int i = nparams; i < dimension; i++)
	{
		double mean;
		double weight = share * EffectPrior(problem, i - nparams, &mean);
		double row[CLV_MAX_DIM];
		double off;

		if (weight == 0)
			continue;
		RawRow(problem, i, row);
		off = Dot(dimension, row, all) - mean;
		total += weight * off * off / 2;
		for (int j = 0; at != NULL && j < dimension; j++)
		{
			at->gradient[j] -= weight * off * row[j];
			for (int k = 0; k <= j; k++)
				at->hessian[CLV_AT(j, k)] -= weight * row[j] * row[k];
		}
	}
	if (at != NULL)
		at->value -= total;
	return total;
}

/* Reduces the derivatives to those by the unknowns. */
static void
Reduce(const ClvProblem *problem, ClvQuadratic *at)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);

	if (n == Dimension(problem))
		return;
	for (int i = problem->family->nparams; i < Dimension(problem); i++)
		if (Twin(problem, i) >= 0)
			Join(Dimension(problem), Twin(problem, i), i, at);
	for (int i = 0; i < n; i++)
	{
		at->gradient[i] = at->gradient[unknown[i]];
		for (int j = 0; j <= i; j++)
			at->hessian[CLV_AT(i, j)] = at->hessian[CLV_AT(unknown[i], unknown[j])];
	}
}

/* The objective function: the likelihood, penalties, and a weight of the barrier. */
typedef struct Slope
{
	const ClvProblem *problem;
	double weight;
} Slope;

/* Of a family whose parameters limit each other; the parameters come first in at. */
static void
AddBarrier(const Slope *slope, const ClvTerm *barrier, ClvQuadratic *at)
{
	int n = slope->problem->family->nparams;

	at->value += slope->weight * barrier->ln;
	for (int i = 0; i < n; i++)
		at->gradient[i] += slope->weight * barrier->gradient[i];
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		at->hessian[i] += slope->weight * barrier->hessian[i];
}

/*
 * The objective function at a point, with derivatives by the unknowns; -INFINITY outside the
 * limits.
 */
static void
Objective(void *arg, const double *theta, ClvQuadratic *at)
{
	const Slope *slope = arg;
	const ClvProblem *problem = slope->problem;
	const ClvFamily *family = problem->family;
	double all[CLV_MAX_DIM];
	double point[CLV_MAX_DIM];
	ClvTerm barrier;

	Expand(problem, theta, all);
	memcpy(point, all, Dimension(problem) * sizeof(double));
	for (int i = 0; i < family->nparams; i++)
		point[i] = clv_natural(family->transform[i], all[i]);
	if (family->log_barrier != NULL)
	{
		family->log_barrier(point, &barrier);
		at->value = -INFINITY;
		if (!isfinite(barrier.ln))
			return;
	}
	problem->evaluate(problem->data, point, at);
	if (family->log_barrier != NULL)
		AddBarrier(slope, &barrier, at);
	Penalise(problem, all, at);
	if (problem->prior != NULL)
		TakePrior(problem, all, at);
	Reduce(problem, at);
}

void
clv_problem_objective(const ClvProblem *problem, const double *theta, ClvQuadratic *at)
{
	Objective(&(Slope){problem, 0}, theta, at);
}

/* ---- ascents ---- */

/* Sets theta to start values number which of the family; false after the last. */
static bool
StartValues(const ClvProblem *problem, int which, double *theta)
{
	double param[CLV_MAX_PARAMS];

	memcpy(param, problem->fixed, sizeof(param));
	if (!problem->family->start(problem->moments, which, param))
		return false;
	clv_problem_from_start(problem, &(ClvStart){.param = param}, theta);
	return true;
}

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

/* Sets theta to the unknowns at the mean of a prior on every parameter; false without one. */
static bool
PriorMean(const ClvProblem *problem, double *theta)
{
	double param[CLV_MAX_PARAMS];

	if (problem->prior == NULL || !problem->prior->proper)
		return false;
	memcpy(param, problem->fixed, sizeof(param));
	if (!clv_unit_free_inverse(problem->family, problem->prior->year, problem->prior->mean, param))
		return false;
	clv_problem_from_start(
		problem, &(ClvStart){.param = param, .effect = problem->prior->effect_mean}, theta);
	return true;
}

void
clv_problem_bounds(const ClvProblem *problem, ClvNewton *newton)
{
	int nparams = problem->family->nparams;
	int unknown[CLV_MAX_DIM];
	double start_values[CLV_MAX_DIM];

	bool about = PriorMean(problem, start_values);

	newton->n = clv_problem_unknowns(problem, unknown);
	if (!about)
		StartValues(problem, 0, start_values);
	for (int k = 0; k < newton->n; k++)
	{
		int i = unknown[k];
		bool is_effect = i >= nparams;
		bool is_scale = !is_effect && (about || problem->family->is_scale[i]);
		double width =
			is_effect
				? SCALE_BOUND / problem->covariates->range[(i - nparams) % Covariates(problem)]
			: is_scale ? SCALE_BOUND
					   : SHAPE_BOUND;

		newton->confined[k] = problem->family->limits != NULL && i == nparams - 1;
		newton->low[k] = (is_scale ? start_values[k] : 0) - width;
		newton->high[k] = (is_scale ? start_values[k] : 0) + width;
	}
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

	Expand(problem, theta, all);
	for (int i = 0; i < problem->family->nparams; i++)
		param[i] = clv_natural(problem->family->transform[i], all[i]);
}

/* Take from the function what was added for the sake of the barrier. */
static void
WithoutBarrier(const Slope *slope, ClvNewton *newton)
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
	Slope slope = {problem, 0};
	int evaluations = 0;
	ClvNewtonOutcome outcome = CLV_NEWTON_CONVERGED;

	attempt->first[0] = NAN; /* near no other */
	for (int i = 0; i < WEIGHTS && outcome == CLV_NEWTON_CONVERGED; i++)
	{
		slope.weight = weights[i] * problem->moments->customers;
		newton->idle_gain = IDLE_BARRIER * slope.weight;
		newton->finest = FINEST_BARRIER;
		outcome = clv_newton_maximize(newton, Objective, &slope);
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
		outcome = clv_newton_maximize(newton, Objective, &slope);
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
		attempt->outcome = clv_newton_maximize(&newton, Objective, &(Slope){problem, 0});
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

	if (PriorMean(problem, theta))
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
	for (int which = 0; trail->n < last && StartValues(problem, which, theta); which++)
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
	Slope slope = {problem, 0};
	ClvQuadratic at;

	clv_problem_bounds(problem, &newton);
	clv_problem_from_start(problem, floor, newton.theta);
	Objective(&slope, newton.theta, &at);
	if (!(at.value > trail->attempts[trail->best].height) && trail->n > 0)
		return;
	attempt->outcome = clv_newton_maximize(&newton, Objective, &slope);
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
	int dimension = Dimension(problem);
	double rows[CLV_MAX_DIM][CLV_MAX_DIM];
	double half[CLV_MAX_DIM][CLV_MAX_DIM] = {{0}}; /* rows times the covariance */

	for (int i = 0; i < dimension; i++)
	{
		double row[CLV_MAX_DIM];

		RawRow(problem, Twin(problem, i) >= 0 ? Twin(problem, i) : i, row);
		for (int k = 0; k < n; k++)
			rows[i][k] = row[unknown[k]];
		for (int k = 0; k < n; k++)
		{
			for (int l = 0; l < n; l++)
				half[i][k] += rows[i][l] * inverse[k > l ? CLV_AT(k, l) : CLV_AT(l, k)];
		}
		for (int j = 0; j <= i; j++)
			covariance[CLV_AT(i, j)] = Dot(n, half[i], rows[j]);
	}
}

/* Reports the parameters and effects of the caller at a point, and the centre. */
static void
ReportPoint(const ClvProblem *problem, const double *all, ClvFitReport *report)
{
	int nparams = problem->family->nparams;
	int dimension = Dimension(problem);

	for (int i = 0; i < nparams; i++)
		report->param[i] = clv_natural(problem->family->transform[i], all[i]);
	for (int i = nparams; i < dimension; i++)
	{
		double row[CLV_MAX_DIM];

		RawRow(problem, i, row);
		report->effect[i - nparams] = Dot(dimension, row, all);
	}
	report->neffects = dimension - nparams;
	for (int j = 0; j < Covariates(problem); j++)
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
	int n = Covariates(problem);
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
	report->prior_distance = sqrt(2 * TakePrior(problem, all, NULL));
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
	if (attempt->outcome == CLV_NEWTON_BAD_START)
		return CLV_BAD_START;
	Expand(problem, attempt->theta, all);
	ReportPoint(problem, all, report);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -trail->hessian[i];
	report->has_covariance = clv_cholesky(n, curvature, &chol);
	if (report->has_covariance)
	{
		clv_cholesky_inverse(&chol, curvature);
		SpreadCovariance(problem, curvature, report->covariance);
	}
	report->log_likelihood = attempt->height + Penalise(problem, all, NULL);
	report->effective = n;
	if (problem->prior != NULL)
	{
		report->log_likelihood += TakePrior(problem, all, NULL);
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
