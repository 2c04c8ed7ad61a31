/*
 * problem.c
 *		A log-likelihood as a function of what is searched for: its coordinates, penalties and prior,
 *		where to begin and where to give up.
 *
 * Coordinates
 * -----------
 * The search moves in the transformed parameters at the mean of the covariates, which the
 * caller has too, and in the effects of the standardised covariates; some may be fixed. The
 * effects of the caller's covariates are linear in these: row i of that map is what RawRow()
 * gives. Penalties are on the caller's, and so is the covariance. Both are thereby the same
 * wherever the caller's covariates have their 0.
 *
 * A prior maximises ln L less half the squared distance from its mean; it too is on the caller's
 * effects. Where it says something of every parameter there is a maximum for any data, and bounds
 * are about its mean.
 *
 * Penalties maximise ln L / N - lambda sum (ln shape)^2 - mu sum effect^2, N being the
 * number of customers: the same lambda means the same for any N. The log-likelihood
 * reported is without them, the covariance with them.
 *
 * Bounds say when to give up: a shape of a million means that customers do not differ, or that
 * no customer leaves, and the likelihood increases without bound.
 */
#include "families/problem.h"

#include <math.h>
#include <string.h>

/*
 * A shape beyond 1e6 or 1e-6 has run away, a scale when 1e8 times off the family's
 * guess, an effect when it makes customers differ by as much.
 */
#define SHAPE_BOUND 20.8
#define SCALE_BOUND 25.4

/* ---- coordinates ---- */

int
clv_problem_covariates(const ClvProblem *problem)
{
	return problem->covariates == NULL ? 0 : problem->covariates->n;
}

int
clv_problem_dimension(const ClvProblem *problem)
{
	return problem->family->nparams + 2 * clv_problem_covariates(problem);
}

/* Whether this parameter or effect can have any value. */
static bool
IsFree(const ClvProblem *problem, int i)
{
	const ClvFamily *family = problem->family;
	int effect = i - family->nparams;
	int n = clv_problem_covariates(problem);

	if (i < family->nparams)
		return family->transform[i] != CLV_FIXED;
	if (problem->covariates->idle[effect / n] >> effect % n & 1)
		return false;
	if (effect % n >= n - problem->covariates->followed)
		return true;
	for (int k = 0; k < family->nparams; k++)
	{
		if (clv_effect_weight(family, clv_problem_covariates(problem), k, i - family->nparams) != 0)
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
	int n = clv_problem_covariates(problem);
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

	for (int i = 0; i < clv_problem_dimension(problem); i++)
	{
		if (IsUnknown(problem, i))
			unknown[n++] = i;
	}
	return n;
}

void
clv_problem_expand(const ClvProblem *problem, const double *theta, double *all)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);

	memset(all, 0, clv_problem_dimension(problem) * sizeof(double));
	memcpy(all, problem->fixed, problem->family->nparams * sizeof(double));
	for (int i = 0; i < n; i++)
		all[unknown[i]] = theta[i];
	for (int i = problem->family->nparams; i < clv_problem_dimension(problem); i++)
		if (Twin(problem, i) >= 0)
			all[i] = all[Twin(problem, i)];
}

/* How the caller's parameter or effect i depends on all coordinates. */
static void
RawRow(const ClvProblem *problem, int i, double *row)
{
	int nparams = problem->family->nparams;
	int n = clv_problem_covariates(problem);
	const ClvCovariates *covariates = problem->covariates;

	memset(row, 0, clv_problem_dimension(problem) * sizeof(double));
	if (i < nparams)
		row[i] = 1;
	else
	{
		int j = (i - nparams) % n;

		for (int k = j; k < n; k++)
			row[i - j + k] = covariates->row[CLV_AT(k, j)];
	}
}

/* The product of row i with all coordinates. */
static double
Along(const ClvProblem *problem, const double *row, const double *all)
{
	double sum = 0;

	for (int i = 0; i < clv_problem_dimension(problem); i++)
		sum += row[i] * all[i];
	return sum;
}

double
clv_problem_raw(const ClvProblem *problem, int i, const double *all)
{
	double row[CLV_MAX_DIM];

	RawRow(problem, i, row);
	return Along(problem, row, all);
}

void
clv_problem_row(const ClvProblem *problem, int i, double *form)
{
	int unknown[CLV_MAX_DIM];
	int n = clv_problem_unknowns(problem, unknown);
	double row[CLV_MAX_DIM];

	RawRow(problem, Twin(problem, i) >= 0 ? Twin(problem, i) : i, row);
	for (int k = 0; k < n; k++)
		form[k] = row[unknown[k]];
}

bool
clv_problem_form(const ClvProblem *problem, int i, double *form)
{
	if (!IsFree(problem, i))
		return false;
	clv_problem_row(problem, i, form);
	return true;
}

/* The map above, backwards, from the centre of the start. */
void
clv_problem_from_start(const ClvProblem *problem, const ClvStart *start, double *theta)
{
	const ClvFamily *family = problem->family;
	const ClvCovariates *covariates = problem->covariates;
	int n = clv_problem_covariates(problem);
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
		return problem->effect_penalty[(i - family->nparams) / clv_problem_covariates(problem)];
	return family->is_scale[i] || family->transform[i] == CLV_FIXED ? 0 : problem->shape_penalty;
}

double
clv_problem_penalise(const ClvProblem *problem, const double *all, ClvQuadratic *at)
{
	int dimension = clv_problem_dimension(problem);
	double total = 0;

	for (int i = 0; i < dimension; i++)
	{
		double ridge = Ridge(problem, i);
		double row[CLV_MAX_DIM];
		double raw;

		if (ridge == 0)
			continue;
		RawRow(problem, i, row);
		raw = Along(problem, row, all);
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

double
clv_problem_take_prior(const ClvProblem *problem, const double *all, ClvQuadratic *at)
{
	const ClvFamily *family = problem->family;
	int nparams = family->nparams;
	int dimension = clv_problem_dimension(problem);
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
		off = Along(problem, row, all) - mean;
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

	if (n == clv_problem_dimension(problem))
		return;
	for (int i = problem->family->nparams; i < clv_problem_dimension(problem); i++)
		if (Twin(problem, i) >= 0)
			Join(clv_problem_dimension(problem), Twin(problem, i), i, at);
	for (int i = 0; i < n; i++)
	{
		at->gradient[i] = at->gradient[unknown[i]];
		for (int j = 0; j <= i; j++)
			at->hessian[CLV_AT(i, j)] = at->hessian[CLV_AT(unknown[i], unknown[j])];
	}
}

/* Of a family whose parameters limit each other; the parameters come first in at. */
static void
AddBarrier(const ClvSlope *slope, const ClvTerm *barrier, ClvQuadratic *at)
{
	int n = slope->problem->family->nparams;

	at->value += slope->weight * barrier->ln;
	for (int i = 0; i < n; i++)
		at->gradient[i] += slope->weight * barrier->gradient[i];
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		at->hessian[i] += slope->weight * barrier->hessian[i];
}

void
clv_problem_climb(void *arg, const double *theta, ClvQuadratic *at)
{
	const ClvSlope *slope = arg;
	const ClvProblem *problem = slope->problem;
	const ClvFamily *family = problem->family;
	double all[CLV_MAX_DIM];
	double point[CLV_MAX_DIM];
	ClvTerm barrier;

	clv_problem_expand(problem, theta, all);
	memcpy(point, all, clv_problem_dimension(problem) * sizeof(double));
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
	clv_problem_penalise(problem, all, at);
	if (problem->prior != NULL)
		clv_problem_take_prior(problem, all, at);
	Reduce(problem, at);
}

void
clv_problem_objective(const ClvProblem *problem, const double *theta, ClvQuadratic *at)
{
	clv_problem_climb(&(ClvSlope){problem, 0}, theta, at);
}

/* ---- where to begin, and where to give up ---- */

bool
clv_problem_start_values(const ClvProblem *problem, int which, double *theta)
{
	double param[CLV_MAX_PARAMS];

	memcpy(param, problem->fixed, sizeof(param));
	if (!problem->family->start(problem->moments, which, param))
		return false;
	clv_problem_from_start(problem, &(ClvStart){.param = param}, theta);
	return true;
}

bool
clv_problem_prior_mean(const ClvProblem *problem, double *theta)
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

	bool about = clv_problem_prior_mean(problem, start_values);

	newton->n = clv_problem_unknowns(problem, unknown);
	if (!about)
		clv_problem_start_values(problem, 0, start_values);
	for (int k = 0; k < newton->n; k++)
	{
		int i = unknown[k];
		bool is_effect = i >= nparams;
		bool is_scale = !is_effect && (about || problem->family->is_scale[i]);
		double width =
			is_effect
				? SCALE_BOUND / problem->covariates->range[(i - nparams) % clv_problem_covariates(problem)]
			: is_scale ? SCALE_BOUND
					   : SHAPE_BOUND;

		newton->confined[k] = problem->family->limits != NULL && i == nparams - 1;
		newton->low[k] = (is_scale ? start_values[k] : 0) - width;
		newton->high[k] = (is_scale ? start_values[k] : 0) + width;
	}
}
